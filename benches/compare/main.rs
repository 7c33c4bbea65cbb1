//! Tintype side by side with a real redis-server: `cargo bench --bench compare [-- OPTIONS]`.
//!
//! Both servers get byte-identical load from one generator (load.rs). Every server runs pinned to one core,
//! the generator and the prober to another. Rounds are interleaved (redis-server, Tintype, redis-server,
//! Tintype ..), and a ratio is the median of the ratios of single rounds, so that a slow minute of the
//! machine hits both. The table goes to stdout as markdown, progress to stderr.
//!
//! Options: `--snapshot` (the measures of snapshots under writes, instead of all others), `--rounds N` (default
//! 5), `--only cpu,memory,..`, `--plot FILE`, `--quick` (tiny sizes: proves the harness, measures nothing), `--help`.
//! Environment: `TINTYPE_BIN` (default: the binary that cargo built with this bench), `REDIS_BIN` (default:
//! `redis-server` from PATH), `TMPDIR` (where the servers keep their files; its disk is part of `bgsave`).
//! Needs two cores, about 4 GB of memory and, by default, 15 to 20 minutes on an otherwise idle machine;
//! `--snapshot` takes half an hour, and its curve 16 GB of memory and 11 GB of disk.
//!
//! How each server is started: `--port FREE --bind 127.0.0.1 --save '' --daemonize no --dir OWN`, the rest at
//! its defaults. redis-server turns transparent huge pages off for itself; that is left so. Keys are
//! `key:%012d`, 16 B.
//!
//! - `cpu`: CPU time of all threads of the server per request, and requests/s. 1 M keys of 64 B; SET, then
//!   GET of random keys; 8 connections at pipeline 16 and 64, 50 at pipeline 1; 2 s of load each, warmed up.
//! - `memory`: resident bytes (statm) and used_memory that 1 M keys add to a fresh server, read 1 s after the
//!   last one.
//! - `stall`: longest and p99.9 answer to a PING sent every 1 ms while 10 M keys of 16 B are inserted at
//!   pipeline 32. The goal counts the excess over the same prober's longest answer on the same server when
//!   idle.
//! - `bgsave`: from BGSAVE until `rdb_bgsave_in_progress:0` (polled every 2 ms), and `latest_fork_usec`. 2 M
//!   keys of 100 B of random lowercase hex, compression on.
//! - `startup`: from exec until a PING is answered by PONG. Both load the same file, written by redis-server;
//!   the page cache is warm.
//! - `snapshots`: as `bgsave` and `startup`, for a dataset of all types, small values and large ones.
//! - `collections`: resident bytes per key of 500 k small collections, and per element of ten of 100,000.
//! - `types`: CPU time of the server per request of the commands of each type, at pipeline 16.
//! - `algebra`: CPU time of one ZUNIONSTORE, SINTERSTORE, SORT of 100,000 elements.
//! - `pubsub`: messages/s of PUBLISH to 1,000 subscribers, and how long others wait while 10,000 are told.
//! - `tls`: as `cpu`, over TLS 1.3 with 50 connections at pipeline 1 and 16. Needs the program openssl.
//! - `growth`: longest answer to a PING while one hash grows to 5 M fields, and while it is deleted.
//! - `guarded`: as `cpu` at pipeline 16, with an ACL user, notifications, and a client that is told of every change.
//! - `scripts`: CPU time of the server per EVALSHA of an empty script, of five and of 1,000 `redis.call`, per 10 kB that
//!   cjson decodes or encodes, and memory of an idle interpreter.
//!
//! With `--snapshot` (measures/snapshot/mod.rs says how): the child of a save on the load's core, the server's own core
//! to the server, somebody writing 20,000 times a second, a prober.
//! - `snapshot-strings`: 10 M keys of 100 B. Fork pause of five successive BGSAVEs; their time with compression and
//!   without; load of the file; memory copied; the prober while saving and afterwards; resident memory after 20
//!   saves. Draws the prober's answers through one save of each server (`--plot`).
//! - `snapshot-collections`: the same columns for 100 k hashes of 50 fields and 10 k sorted sets of 1000 members.
//! - `snapshot-large`: for 1,000 strings of 1 MiB, 200 writes a second.
//! - `snapshot-curve`: fork pause and time of a save for 1, 2, 5 and 10 GB, nobody writing.
//!
//! What it deliberately does not do: it does not model clients that think, does not cross a network, and does
//! not compare anything but the two processes' default configurations.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock; that is what it is for")]

mod client;
mod forms;
mod listeners;
mod load;
mod machine;
mod measures;
mod options;
mod paced;
mod prober;
mod report;
mod secure;
mod servers;

use std::io;
use std::process::ExitCode;

use crate::machine::Cores;
use crate::options::{Options, Request};
use crate::servers::Arena;

fn main() -> ExitCode {
    let outcome = match options::parse(std::env::args().skip(1)) {
        Ok(Request::Run(options)) => run(&options),
        Ok(Request::Say(text)) => {
            println!("{text}");
            Ok(())
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let cores = Cores::choose()?;
    let root = tempfile::Builder::new().prefix("tintype-compare-").tempdir()?;
    servers::stop_on_signals(root.path())?;
    machine::pin(cores.load)?;
    let arena = Arena::new(cores, root.path())?;
    let mut rows = Vec::new();
    let mut outcome = Ok(());
    for measure in measures::ALL.iter().filter(|measure| options.wants(measure)) {
        eprintln!("{}:", measure.name);
        match (measure.run)(&arena, &options.scale) {
            Ok(more) => rows.extend(more),
            // What is known by then has taken long to find out.
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    print!("{}", report::markdown(&rows, &report::heading(&arena, options)?));
    outcome
}
