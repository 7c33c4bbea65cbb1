//! Longest stall: a prober's slowest PING while a server grows from nothing to ten million keys.
//!
//! What the machine itself does to a PING is measured in two ways: the same prober on the same server before
//! it gets any load (`idle`, the noise that the goal is counted from), and the prober on the other server,
//! idle, while this one is loaded with SETs of existing keys (`beside`: adds the competition for the load's
//! and the server's core; for information, since a stalled server does not compete with itself).

use std::io;

use super::CONNECTIONS;
use crate::load::{Command, Load, Pool, Until, Value};
use crate::options::Scale;
use crate::prober::Prober;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const COMMAND: Command = Command::Set(Value::Text(16));
const PIPELINE: usize = 32;

/// Milliseconds.
#[derive(Default, Debug)]
struct Figures {
    idle: Samples,
    growing: Samples,
    excess: Samples,
    growing_p999: Samples,
    idle_p999: Samples,
    beside: Samples,
    insert_s: Samples,
}

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut figures = Figures::default();
    let mut pool = Pool::new(COMMAND, scale.keys.min(scale.stall_keys), 4);
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for side in Side::BOTH {
            probe(arena, side, scale, &mut figures)?.load_beside(arena, &mut pool, scale, &mut figures)?;
        }
    }
    let own = Goal::Own(2.0);
    let keys = scale.stall_keys;
    let row = |name: &str, goal, samples| Row::new(name, goal, Unit::Milliseconds, samples);
    let mut worst = Samples::default();
    Side::BOTH.iter().for_each(|&side| worst.push(side, figures.growing.largest(side)));
    Ok(vec![
        row(&format!("longest stall beyond noise while {keys} keys are inserted"), own, figures.excess),
        row("- longest answer meanwhile", Goal::None, figures.growing),
        row("- longest answer meanwhile in any round", Goal::None, worst),
        row("- p99.9 meanwhile", Goal::None, figures.growing_p999),
        row("- noise: longest answer of the idle server", Goal::None, figures.idle),
        row("- noise: p99.9 of the idle server", Goal::None, figures.idle_p999),
        row(
            "- longest answer of the idle server beside the other one under load",
            Goal::None,
            figures.beside,
        ),
        Row::new("- time to insert them", Goal::None, Unit::Seconds, figures.insert_s),
    ])
}

/// A server that has grown.
#[derive(Debug)]
struct Grown(Server);

fn probe(arena: &Arena, side: Side, scale: &Scale, figures: &mut Figures) -> io::Result<Grown> {
    let server = arena.start(side)?;
    let idle = Prober::watch(server.port, scale.idle)?;
    let prober = Prober::start(server.port)?;
    let time = super::fill(&server, COMMAND, scale.stall_keys, PIPELINE)?;
    let growing = prober.finish()?;
    figures.idle.push(side, idle.longest_ms);
    figures.idle_p999.push(side, idle.p999_ms);
    figures.growing.push(side, growing.longest_ms);
    figures.growing_p999.push(side, growing.p999_ms);
    figures.excess.push(side, growing.longest_ms - idle.longest_ms);
    figures.insert_s.push(side, time.as_secs_f64());
    Ok(Grown(server))
}

impl Grown {
    /// Loads this server and probes the other one, which has nothing to do.
    fn load_beside(
        &self,
        arena: &Arena,
        pool: &mut Pool,
        scale: &Scale,
        figures: &mut Figures,
    ) -> io::Result<()> {
        let idle = arena.start(self.0.side.other())?;
        let prober = Prober::start(idle.port)?;
        pool.rewind(0);
        Load::connect(self.0.port, CONNECTIONS, PIPELINE)?.drive(pool, Until::Passed(scale.beside))?;
        figures.beside.push(idle.side, prober.finish()?.longest_ms);
        Ok(())
    }
}
