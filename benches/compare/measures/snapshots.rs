//! Snapshots of every type of value: BGSAVE, the fork and the load of one mixed dataset.
//!
//! | what | how many |
//! |---|---|
//! | strings of 100 B; hashes, sorted sets, sets of integers, lists of five elements | `snapshot_keys` of each |
//! | hashes, sorted sets, sets, lists of 100,000 elements | five of each |
//! | streams of 10,000 entries with a group, a tenth of them pending | five |
//!
//! No field expires: both servers read and write every value. Both load the same file, which redis-server wrote.

use std::fs;
use std::io;
use std::path::Path;

use super::bgsave::save;
use super::{CONNECTIONS, expect_keys};
use crate::forms::{Form, Requests};
use crate::load::{Load, Until};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

const PIPELINE: usize = 32;
/// Large collections of each type, and streams.
const LARGE_COUNT: u64 = 5;
const LARGE_ELEMENTS: u64 = 100_000;
const STREAM_ENTRIES: u64 = 10_000;
/// One entry in so many is pending.
const PENDING_SHARE: u64 = 10;

const SMALL: &[&str] = &[
    "SET string:{n} {v}{v}{v}{v}{v}{v}{v}{v}{v}{v}",
    "HSET hash:{n} field1 {v} field2 {v} field3 {v} field4 {v} field5 {v}",
    "ZADD zset:{n} {d} member1 {d} member2 {d} member3 {d} member4 {d} member5",
    "SADD set:{n} {d} {d} {d} {d} {d}",
    "RPUSH list:{n} {v} {v} {v} {v} {v}",
];

const LARGE: &[&str] = &[
    "HSET hash:large:LARGE field:{n} {v}",
    "ZADD zset:large:LARGE {d} member:{n}",
    "SADD set:large:LARGE member:{n}",
    "RPUSH list:large:LARGE {v}",
];

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let [mut saving, mut forking, mut loading] = [Samples::EMPTY; 3];
    let servers = [arena.start(Side::Redis)?, arena.start(Side::Tintype)?];
    for server in &servers {
        server.client()?.ask(&["CONFIG", "SET", "rdbcompression", "yes"])?;
        fill(server, scale)?;
    }
    for round in 0..scale.rounds {
        eprintln!("  round {}, saving", round + 1);
        for server in &servers {
            servers.iter().try_for_each(Server::settle)?;
            saving.push(server.side, save(server)?.as_secs_f64());
            forking.push(server.side, server.client()?.info("stats", "latest_fork_usec")? as f64);
        }
    }
    let original = arena.directory()?.join("dump.rdb");
    fs::rename(servers[0].directory.join("dump.rdb"), &original)?;
    drop(servers);
    for round in 0..scale.rounds {
        eprintln!("  round {}, loading", round + 1);
        for side in Side::BOTH {
            loading.push(side, load(arena, side, &original, scale)?);
        }
    }
    let keys = keys(scale);
    let row = |name: String, goal, unit, samples| Row::new(name, Goal::Ratio(goal), unit, samples);
    Ok(vec![
        row(format!("BGSAVE of {keys} keys of all types"), 0.5, Unit::Seconds, saving),
        row("- fork pause (latest_fork_usec)".to_string(), 0.2, Unit::Microseconds, forking),
        row("- start-up load".to_string(), 0.5, Unit::Seconds, loading),
    ])
}

/// Seconds until the server answers with the dataset loaded.
fn load(arena: &Arena, side: Side, original: &Path, scale: &Scale) -> io::Result<f64> {
    let directory = arena.directory()?;
    // A copy, as in `startup`.
    fs::copy(original, directory.join("dump.rdb"))?;
    let (server, time) = arena.start_in(side, &directory)?;
    expect_keys(&server, keys(scale))?;
    Ok(time.as_secs_f64())
}

fn keys(scale: &Scale) -> u64 {
    SMALL.len() as u64 * scale.snapshot_keys + (LARGE.len() as u64 + 1) * LARGE_COUNT
}

fn fill(server: &Server, scale: &Scale) -> io::Result<()> {
    for line in SMALL {
        send(server, line, scale.snapshot_keys)?;
    }
    let elements = LARGE_ELEMENTS.min(scale.snapshot_keys);
    for line in LARGE {
        for large in 0..LARGE_COUNT {
            // The forms are few and live as long as the program.
            let line = line.replace("LARGE", &large.to_string()).leak();
            send(server, line, elements)?;
        }
    }
    for large in 0..LARGE_COUNT {
        fill_stream(server, &format!("stream:{large}"), STREAM_ENTRIES.min(scale.snapshot_keys))?;
    }
    expect_keys(server, keys(scale))
}

fn fill_stream(server: &Server, key: &str, entries: u64) -> io::Result<()> {
    send(server, format!("XADD {key} * field {{v}}").leak(), entries)?;
    server.client()?.ask(&["XGROUP", "CREATE", key, "group", "0"])?;
    let read = format!("XREADGROUP GROUP group consumer COUNT 1 STREAMS {key} >");
    send(server, read.leak(), entries / PENDING_SHARE)
}

fn send(server: &Server, line: &'static str, count: u64) -> io::Result<()> {
    let mut requests = Requests::new(Form { line, space: count }, 0..count, 6);
    Load::connect(server.port, CONNECTIONS, PIPELINE)?.drive(&mut requests, Until::Exhausted)?;
    Ok(())
}
