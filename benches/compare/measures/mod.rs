//! The measures, one file each. A measure starts its own servers, runs its rounds and returns lines of the
//! table.

mod algebra;
mod bgsave;
mod collections;
mod cpu;
mod growth;
mod memory;
mod snapshots;
mod stall;
mod startup;
mod types;

use std::io;
use std::thread;
use std::time::Duration;

use crate::load::{Command, Fill, Load, Until};
use crate::options::Scale;
use crate::report::Row;
use crate::servers::{Arena, Server};

/// A measure by name.
#[derive(Debug)]
pub struct Measure {
    pub name: &'static str,
    pub run: fn(&Arena, &Scale) -> io::Result<Vec<Row>>,
}

pub const ALL: &[Measure] = &[
    Measure { name: "cpu", run: cpu::run },
    Measure { name: "memory", run: memory::run },
    Measure { name: "stall", run: stall::run },
    Measure { name: "bgsave", run: bgsave::run },
    Measure { name: "startup", run: startup::run },
    Measure { name: "snapshots", run: snapshots::run },
    Measure { name: "collections", run: collections::run },
    Measure { name: "types", run: types::run },
    Measure { name: "algebra", run: algebra::run },
    Measure { name: "growth", run: growth::run },
];

/// Connections that fill a server, and that load it at any pipeline above 1.
const CONNECTIONS: usize = 8;

/// Stores `keys` keys, the same bytes whatever the server, and checks that they are there.
fn fill(server: &Server, command: Command, keys: u64, pipeline: usize) -> io::Result<Duration> {
    let mut source = Fill::new(command, keys, 1);
    let done = Load::connect(server.port, CONNECTIONS, pipeline)?.drive(&mut source, Until::Exhausted)?;
    expect_keys(server, keys)?;
    Ok(done.time)
}

fn expect_keys(server: &Server, keys: u64) -> io::Result<()> {
    let stored = server.client()?.ask(&["DBSIZE"])?;
    if stored == keys.to_string() {
        return Ok(());
    }
    Err(io::Error::other(format!("{:?} holds {stored} keys, not {keys}", server.side)))
}

/// The kernel's account is exact only when the server sleeps: give it time to.
fn cpu_at_rest(server: &Server) -> io::Result<u64> {
    thread::sleep(Duration::from_millis(2));
    server.cpu_ns()
}
