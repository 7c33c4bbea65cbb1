//! Longest stall while one hash grows to five million fields, and while it is deleted. Noise is counted as in `stall`.

use std::io;
use std::thread;
use std::time::Duration;

use super::CONNECTIONS;
use crate::forms::{Form, Requests};
use crate::load::{Load, Until};
use crate::options::Scale;
use crate::prober::{Latency, Prober};
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const PIPELINE: usize = 32;
const LINE: &str = "HSET hash field:{n} {v}";
/// How long the prober goes on after the DEL: what is freed behind it may still hold up the server.
const AFTERWARDS: Duration = Duration::from_secs(1);

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let [mut growing, mut deleting, mut noise] = [Samples::EMPTY, Samples::EMPTY, Samples::EMPTY];
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for side in Side::BOTH {
            let server = arena.start(side)?;
            let idle = Prober::watch(server.port, scale.idle)?.longest_ms;
            let grown = probe(&server, || grow(&server, scale))?;
            let deleted = probe(&server, || delete(&server))?;
            eprintln!("    {side:?}: {:.2} ms, {:.2} ms", grown.longest_ms, deleted.longest_ms);
            growing.push(side, grown.longest_ms - idle);
            deleting.push(side, deleted.longest_ms - idle);
            noise.push(side, idle);
        }
    }
    let row = |name: String, goal, samples| Row::new(name, goal, Unit::Milliseconds, samples);
    let fields = scale.hash_fields;
    Ok(vec![
        row(
            format!("longest stall beyond noise while a hash grows to {fields} fields"),
            Goal::Own(2.0),
            growing,
        ),
        row("- while it is deleted".to_string(), Goal::Own(2.0), deleting),
        row("- noise: longest answer of the idle server".to_string(), Goal::None, noise),
    ])
}

fn probe(server: &Server, work: impl FnOnce() -> io::Result<()>) -> io::Result<Latency> {
    let prober = Prober::start(server.port)?;
    work()?;
    prober.finish()
}

fn grow(server: &Server, scale: &Scale) -> io::Result<()> {
    let form = Form { line: LINE, space: scale.hash_fields };
    let mut requests = Requests::new(form, 0..scale.hash_fields, 7);
    Load::connect(server.port, CONNECTIONS, PIPELINE)?.drive(&mut requests, Until::Exhausted)?;
    Ok(())
}

fn delete(server: &Server) -> io::Result<()> {
    server.client()?.ask(&["DEL", "hash"])?;
    thread::sleep(AFTERWARDS);
    Ok(())
}
