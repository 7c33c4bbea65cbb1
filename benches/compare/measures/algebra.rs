//! Commands over whole collections: CPU time of one ZUNIONSTORE, SINTERSTORE or SORT of a hundred thousand elements.

use std::io;

use super::CONNECTIONS;
use crate::forms::{Form, Requests};
use crate::load::{Load, Until};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const ELEMENTS: u64 = 100_000;
/// Runs of each command whose sum is one sample.
const RUNS: u32 = 5;
const GOAL: Goal = Goal::Ratio(0.5);

/// Two of each kind that share about half of their members.
const FILL: &[&str] = &[
    "ZADD zset:1 {d} member:{r}",
    "ZADD zset:2 {d} member:{r}",
    "SADD set:1 member:{r}",
    "SADD set:2 member:{r}",
    "RPUSH numbers {d}",
];

const CASES: &[(&str, &[&str])] = &[
    ("ZUNIONSTORE of 2 x 100,000", &["ZUNIONSTORE", "union", "2", "zset:1", "zset:2"]),
    ("SINTERSTORE of 2 x 100,000", &["SINTERSTORE", "common", "set:1", "set:2"]),
    ("SORT of 100,000 numbers", &["SORT", "numbers", "STORE", "sorted"]),
];

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut figures: Vec<Samples> = vec![Samples::EMPTY; CASES.len()];
    let servers = [arena.start(Side::Redis)?, arena.start(Side::Tintype)?];
    for server in &servers {
        fill(server, ELEMENTS.min(scale.keys))?;
        server.settle()?;
    }
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for ((name, words), samples) in CASES.iter().zip(&mut figures) {
            for server in &servers {
                let cpu_ms = measure(server, words)?;
                eprintln!("    {:?}, {name}: {cpu_ms:.2} ms", server.side);
                samples.push(server.side, cpu_ms);
            }
        }
    }
    let row = |((name, _), samples): (&(&str, &[&str]), Samples)| {
        Row::new(format!("server CPU of {name}"), GOAL, Unit::Milliseconds, samples)
    };
    Ok(CASES.iter().zip(figures).map(row).collect())
}

fn fill(server: &Server, elements: u64) -> io::Result<()> {
    for (line, seed) in FILL.iter().zip(20..) {
        let mut requests = Requests::new(Form { line, space: 2 * elements }, 0..elements, seed);
        Load::connect(server.port, CONNECTIONS, 16)?.drive(&mut requests, Until::Exhausted)?;
    }
    Ok(())
}

/// Milliseconds of CPU time of one run.
fn measure(server: &Server, words: &[&str]) -> io::Result<f64> {
    let mut client = server.client()?;
    let before = super::cpu_at_rest(server)?;
    for _ in 0..RUNS {
        client.ask(words)?;
    }
    Ok((super::cpu_at_rest(server)? - before) as f64 / 1e6 / f64::from(RUNS))
}
