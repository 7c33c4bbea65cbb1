//! The measures, one file each. A measure starts its own servers, runs its rounds and returns lines of the
//! table.

mod algebra;
mod bgsave;
mod collections;
mod cpu;
mod growth;
mod guarded;
mod memory;
mod pubsub;
mod scripts;
mod snapshot;
mod snapshots;
mod stall;
mod startup;
mod tls;
mod types;

use std::io;
use std::thread;
use std::time::Duration;

use crate::load::{Command, Fill, Load, Until};
use crate::options::Scale;
use crate::report::Row;
use crate::servers::{Arena, Server};

/// Which measures run when none is named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    General,
    /// `--snapshot`.
    Snapshot,
}

/// A measure by name.
#[derive(Debug)]
pub struct Measure {
    pub name: &'static str,
    pub group: Group,
    pub run: Run,
}

pub const ALL: &[Measure] = &[
    general("cpu", cpu::run),
    general("memory", memory::run),
    general("stall", stall::run),
    general("bgsave", bgsave::run),
    general("startup", startup::run),
    general("snapshots", snapshots::run),
    general("collections", collections::run),
    general("types", types::run),
    general("algebra", algebra::run),
    general("growth", growth::run),
    general("pubsub", pubsub::run),
    general("tls", tls::run),
    general("guarded", guarded::run),
    general("scripts", scripts::run),
    snapshot("snapshot-strings", snapshot::strings::run),
    snapshot("snapshot-collections", snapshot::collections::run),
    snapshot("snapshot-large", snapshot::large::run),
    snapshot("snapshot-curve", snapshot::curve::run),
];

type Run = fn(&Arena, &Scale) -> io::Result<Vec<Row>>;

const fn general(name: &'static str, run: Run) -> Measure {
    Measure { name, group: Group::General, run }
}

const fn snapshot(name: &'static str, run: Run) -> Measure {
    Measure { name, group: Group::Snapshot, run }
}

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
