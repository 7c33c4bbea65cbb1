//! BGSAVE of a keyspace at rest: how long it takes, and how long the fork stops the server.
//!
//! Parent and child share the server's core, as both servers' parents sleep meanwhile (but for a question
//! every 2 ms) that core is the child's. Values are random lowercase hex: LZF tries each and gains next to
//! nothing, which is its most expensive case.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::load::{Command, Value};
use crate::options::Scale;
use crate::report::{Goal, Row, Samples, Unit};
use crate::servers::{Arena, Server, Side};

/// What the file holds; startup loads the same.
pub const COMMAND: Command = Command::Set(Value::Hex(100));

const POLL: Duration = Duration::from_millis(2);
const LIMIT: Duration = Duration::from_secs(300);

pub fn run(arena: &Arena, scale: &Scale) -> io::Result<Vec<Row>> {
    let mut seconds = Samples::default();
    let mut fork_us = Samples::default();
    let mut file_bytes = Samples::default();
    let servers = [arena.start(Side::Redis)?, arena.start(Side::Tintype)?];
    for server in &servers {
        server.client()?.ask(&["CONFIG", "SET", "rdbcompression", "yes"])?;
        super::fill(server, COMMAND, scale.file_keys, 64)?;
    }
    for round in 0..scale.rounds {
        eprintln!("  round {}", round + 1);
        for server in &servers {
            // The other one may still be repairing its memory on the core they share.
            servers.iter().try_for_each(Server::settle)?;
            seconds.push(server.side, save(server)?.as_secs_f64());
            fork_us.push(server.side, server.client()?.info("stats", "latest_fork_usec")? as f64);
            let file = server.directory.join("dump.rdb").metadata()?;
            file_bytes.push(server.side, file.len() as f64 / scale.file_keys as f64);
        }
    }
    let keys = scale.file_keys;
    Ok(vec![
        Row::new(format!("BGSAVE of {keys} keys of 100 B"), Goal::Ratio(0.5), Unit::Seconds, seconds),
        Row::new("- fork pause (latest_fork_usec)", Goal::Ratio(0.2), Unit::Microseconds, fork_us),
        Row::new("- file size per key", Goal::None, Unit::Bytes, file_bytes),
    ])
}

/// From the request until the server says that nothing is being saved any more.
pub fn save(server: &Server) -> io::Result<Duration> {
    let mut client = server.client()?;
    let started = Instant::now();
    client.ask(&["BGSAVE"])?;
    while client.info("persistence", "rdb_bgsave_in_progress")? != 0 {
        if started.elapsed() > LIMIT {
            return Err(io::Error::other(format!("BGSAVE of {:?} does not end", server.side)));
        }
        thread::sleep(POLL);
    }
    let time = started.elapsed();
    match client.info_text("persistence", "rdb_last_bgsave_status")?.as_str() {
        "ok" => Ok(time),
        status => Err(io::Error::other(format!("BGSAVE of {:?} ended with '{status}'", server.side))),
    }
}
