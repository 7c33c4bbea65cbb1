//! Memory of collections: resident bytes that many small ones, or a few of a hundred thousand elements, add to a fresh
//! server.

use std::io;
use std::thread;

use super::CONNECTIONS;
use crate::forms::{Form, Requests};
use crate::load::{Load, Until};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const PIPELINE: usize = 32;
/// Elements of a large collection.
const LARGE: u64 = 100_000;
const LARGE_COUNT: u64 = 10;

/// One kind of collection, and the command that makes one small one or adds one element to a large one.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    line: &'static str,
    size: Size,
    goal: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// Five elements.
    Small,
    Large,
}

const fn kind(name: &'static str, line: &'static str, size: Size, goal: f64) -> Kind {
    Kind { name, line, size, goal }
}

const KINDS: &[Kind] = &[
    kind(
        "small hash (5)",
        "HSET key:{n} field1 {v} field2 {v} field3 {v} field4 {v} field5 {v}",
        Size::Small,
        0.75,
    ),
    kind(
        "small zset (5)",
        "ZADD key:{n} {d} member1 {d} member2 {d} member3 {d} member4 {d} member5",
        Size::Small,
        0.75,
    ),
    kind("small set of ints (5)", "SADD key:{n} {d} {d} {d} {d} {d}", Size::Small, 0.75),
    kind("small list (5)", "RPUSH key:{n} {v} {v} {v} {v} {v}", Size::Small, 0.5),
    kind("hash of 100,000", "HSET key:{large} {n} {v}", Size::Large, 0.65),
    kind("zset of 100,000", "ZADD key:{large} {d} {n}", Size::Large, 0.65),
    kind("set of 100,000", "SADD key:{large} {n}", Size::Large, 0.5),
    kind("list of 100,000", "RPUSH key:{large} {v}", Size::Large, 0.95),
];

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut figures: Vec<Samples> = vec![Samples::EMPTY; KINDS.len()];
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for (kind, samples) in KINDS.iter().zip(&mut figures) {
            for side in Side::BOTH {
                samples.push(side, per_item(&arena.start(side)?, kind, scale)?);
            }
        }
    }
    let row = |(kind, samples): (&Kind, Samples)| {
        let item = if kind.size == Size::Small { "RSS per key" } else { "RSS per element" };
        Row::new(format!("{item}, {}", kind.name), Goal::Ratio(kind.goal), Unit::Bytes, samples)
    };
    Ok(KINDS.iter().zip(figures).map(row).collect())
}

fn per_item(server: &Server, kind: &Kind, scale: &Scale) -> io::Result<f64> {
    let before = server.rss_bytes()?;
    let items = match kind.size {
        Size::Small => fill(server, kind.line, scale.keys / 2)?,
        Size::Large => fill_large(server, kind.line, scale)?,
    };
    thread::sleep(scale.memory_rest);
    Ok((server.rss_bytes()? as f64 - before as f64) / items as f64)
}

/// Sends as many requests of a form as there are items, and says how many.
fn fill(server: &Server, line: &'static str, items: u64) -> io::Result<u64> {
    let mut requests = Requests::new(Form { line, space: items }, 0..items, 6);
    Load::connect(server.port, CONNECTIONS, PIPELINE)?.drive(&mut requests, Until::Exhausted)?;
    Ok(items)
}

fn fill_large(server: &Server, line: &'static str, scale: &Scale) -> io::Result<u64> {
    let items = LARGE.min(scale.keys / LARGE_COUNT);
    for key in 0..LARGE_COUNT {
        // The forms are few and live as long as the program.
        let line: &'static str = Box::leak(line.replace("{large}", &key.to_string()).into_boxed_str());
        fill(server, line, items)?;
    }
    Ok(items * LARGE_COUNT)
}
