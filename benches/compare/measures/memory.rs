//! Memory per key: resident bytes and used_memory that a million keys add to a fresh server.

use std::io;
use std::thread;

use crate::load::{Command, Value};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const GOAL: Goal = Goal::Ratio(0.75);

const KINDS: [(&str, Command); 4] = [
    ("16 B strings", Command::Set(Value::Text(16))),
    ("100 B strings", Command::Set(Value::Text(100))),
    ("integers", Command::Set(Value::Integer)),
    ("100 B strings with TTL", Command::SetExpiring(Value::Text(100), 100_000)),
];

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut figures = [const { (Samples::EMPTY, Samples::EMPTY) }; KINDS.len()];
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for ((_, command), (resident, used)) in KINDS.iter().zip(&mut figures) {
            for side in Side::BOTH {
                let (resident_bytes, used_bytes) = per_key(&arena.start(side)?, *command, scale)?;
                resident.push(side, resident_bytes);
                used.push(side, used_bytes);
            }
        }
    }
    let rows = KINDS.iter().zip(figures).flat_map(|((name, _), (resident, used))| {
        [
            Row::new(format!("RSS per key, {name}"), GOAL, Unit::Bytes, resident),
            Row::new(format!("used_memory per key, {name}"), Goal::None, Unit::Bytes, used),
        ]
    });
    Ok(rows.collect())
}

/// Resident bytes and used_memory per key.
fn per_key(server: &Server, command: Command, scale: &Scale) -> io::Result<(f64, f64)> {
    let before = sizes(server)?;
    super::fill(server, command, scale.keys, 64)?;
    thread::sleep(scale.memory_rest);
    let after = sizes(server)?;
    let keys = scale.keys as f64;
    Ok(((after.0 - before.0) / keys, (after.1 - before.1) / keys))
}

fn sizes(server: &Server) -> io::Result<(f64, f64)> {
    Ok((server.rss_bytes()? as f64, server.client()?.info("memory", "used_memory")? as f64))
}
