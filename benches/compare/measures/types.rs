//! CPU time of the server per request of the commands of each type, at pipeline 16.
//!
//! Every request is sent once per round, in the same order to both servers. What a command needs is filled in before:
//! lists of a million elements, a sorted set of a million members.

use std::io;

use super::CONNECTIONS;
use crate::forms::{Form, Prepared, Requests};
use crate::load::{Load, Until};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const PIPELINE: usize = 16;
const TYPES: Goal = Goal::Ratio(0.6);
const LARGE_ZSET: Goal = Goal::Ratio(0.5);

/// One command under load.
#[derive(Clone, Copy, Debug)]
struct Case {
    name: &'static str,
    line: &'static str,
    /// The requests are one in so many: replies of many elements take longer.
    share: u64,
    goal: Goal,
}

const fn case(name: &'static str, line: &'static str, share: u64, goal: Goal) -> Case {
    Case { name, line, share, goal }
}

/// In this order: what LPUSH pushes, LPOP pops.
const CASES: &[Case] = &[
    case("LPUSH", "LPUSH list {v}", 1, TYPES),
    case("LRANGE 100", "LRANGE list 0 99", 10, TYPES),
    case("LPOP", "LPOP list", 1, TYPES),
    case("SADD", "SADD set member:{r}", 1, TYPES),
    case("HSET", "HSET hash field:{r} {v}", 1, TYPES),
    case("ZADD, zset of 1 M", "ZADD zset {d} member:{r}", 1, LARGE_ZSET),
    case("ZRANK, zset of 1 M", "ZRANK zset member:{r}", 1, LARGE_ZSET),
    case("ZRANGEBYSCORE of 10, zset of 1 M", "ZRANGEBYSCORE zset {d} +inf LIMIT 0 10", 2, LARGE_ZSET),
    case("ZRANGE 100", "ZRANGE zset 0 99", 10, TYPES),
    case("XADD", "XADD stream * field {v}", 1, TYPES),
    case("INCR", "INCR counter:{r}", 1, TYPES),
];

const FILL: &[&str] = &["ZADD zset {d} member:{n}"];

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut figures: Vec<Samples> = vec![Samples::EMPTY; CASES.len()];
    let prepare = |(case, seed): (&Case, u64)| {
        Prepared::new(Form { line: case.line, space: scale.keys }, scale.keys / case.share, seed)
    };
    let mut prepared: Vec<Prepared> = CASES.iter().zip(10..).map(prepare).collect();
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        let servers = [arena.start(Side::Redis)?, arena.start(Side::Tintype)?];
        for server in &servers {
            fill(server, scale)?;
            server.settle()?;
        }
        for ((case, requests), samples) in CASES.iter().zip(&mut prepared).zip(&mut figures) {
            for server in &servers {
                requests.rewind();
                let cpu_ns = measure(server, requests)?;
                eprintln!("    {:?}, {}: {cpu_ns:.0} ns", server.side, case.name);
                samples.push(server.side, cpu_ns);
            }
        }
    }
    let row = |(case, samples): (&Case, Samples)| {
        let name = format!("server CPU per {}, pipeline {PIPELINE}", case.name);
        Row::new(name, case.goal, Unit::Nanoseconds, samples)
    };
    Ok(CASES.iter().zip(figures).map(row).collect())
}

fn fill(server: &Server, scale: &Scale) -> io::Result<()> {
    for line in FILL {
        let mut requests = Requests::new(Form { line, space: scale.keys }, 0..scale.keys, 5);
        Load::connect(server.port, CONNECTIONS, PIPELINE)?.drive(&mut requests, Until::Exhausted)?;
    }
    Ok(())
}

fn measure(server: &Server, requests: &mut Prepared) -> io::Result<f64> {
    let mut load = Load::connect(server.port, CONNECTIONS, PIPELINE)?;
    let before = super::cpu_at_rest(server)?;
    let done = load.drive(requests, Until::Exhausted)?;
    let after = super::cpu_at_rest(server)?;
    Ok((after - before) as f64 / done.requests as f64)
}
