//! The keyspace as an RDB file: walks all databases and hands each key to a writer.
//!
//! ```text
//!  one thread     header, libraries │ SELECTDB of a database          │ ... │ end, checksum
//!  all threads           │ its keys, a part of the table   │     │
//!                        │ at a time, into a buffer each   │     │
//! ```
//! The order of keys within a database means nothing, so buffers go to the file as they get full (`shared`). With one
//! thread the file is in the order of the table.
//!
//! The same code serves SAVE in the server and BGSAVE in the forked child, so it allocates nothing.

mod records;
mod shared;

use self::records::Usage;
use self::shared::{Desk, Walker};
use super::disk::{Calls, FilePolicy, SavePaths, Written, write_file};
use super::error::Fault;
use crate::keyspace::{FrozenTable, Keyspace};
use crate::rdb::{self, Summary, Workspace, WriterOptions};
use std::io;
use std::time::Duration;

/// Between two reports there are at most so many keys.
pub const REPORT_KEYS: u64 = 1024;
/// And at most so much of a key delay, so that a save that was slowed down shows its progress, too.
const REPORT_DELAY_US: u64 = 100_000;

/// `rdb-key-save-delay` and `key-load-delay`: microseconds per key; -N is one microsecond for every Nth key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDelay(pub i32);

impl KeyDelay {
    /// Waits before or after key number `key`. Returns the microseconds asked for.
    pub fn wait(self, key: u64) -> u64 {
        let delay_us = match self.0 {
            0 => return 0,
            delay_us @ 1.. => u64::from(delay_us.unsigned_abs()),
            rarely => u64::from(key.is_multiple_of(u64::from(rarely.unsigned_abs()))),
        };
        if delay_us > 0 {
            std::thread::sleep(Duration::from_micros(delay_us));
        }
        delay_us
    }
}

/// How a snapshot is made, and what it says about itself.
#[derive(Clone, Copy, Debug)]
pub struct ImageOptions {
    pub writer: WriterOptions,
    pub file: FilePolicy,
    pub key_delay: KeyDelay,
    /// Unix milliseconds: the moment of the snapshot.
    pub now_ms: i64,
    pub redis_version: &'static str,
    pub used_memory_bytes: u64,
}

/// What is saved.
#[derive(Clone, Copy)]
pub struct Dataset<'a> {
    pub keyspace: &'a Keyspace,
    /// Codes of the libraries of functions.
    pub libraries: &'a [&'a [u8]],
}

impl<'a> From<&'a Keyspace> for Dataset<'a> {
    fn from(keyspace: &'a Keyspace) -> Dataset<'a> {
        Dataset { keyspace, libraries: &[] }
    }
}

/// The memory that the threads of a save work in, a part each; made before a fork.
pub struct Workspaces(Vec<Walker>);

impl Workspaces {
    /// For so many threads, at least one.
    pub fn for_threads(threads: usize) -> Workspaces {
        Workspaces((0..threads.max(1)).map(|_| Walker::new(Workspace::new())).collect())
    }
}

/// How far a save is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageProgress {
    pub keys: u64,
    pub bytes: u64,
}

/// Writes the dataset to `paths.target`. `report` is called at least every `REPORT_KEYS` keys of each thread, by any
/// of them, and never by two at once.
pub fn save_image<C: Calls>(
    dataset: Dataset<'_>,
    calls: &mut C,
    paths: &SavePaths,
    plan: (&ImageOptions, &mut Workspaces),
    report: &mut (dyn FnMut(ImageProgress) + Send),
) -> Result<Written<Summary>, Fault> {
    let (options, Workspaces(walkers)) = plan;
    write_file(calls, paths, options.file, |file| {
        let written = write_image(dataset, &Desk::new(&mut *file, options, report), options, walkers);
        // Writing fails only when the file does.
        written.map_err(|_| file.write_fault())
    })
}

fn write_image<O: rdb::Output + Send>(
    dataset: Dataset<'_>,
    desk: &Desk<'_, O>,
    options: &ImageOptions,
    walkers: &mut [Walker],
) -> io::Result<Summary> {
    let (mut seconds, mut memory) = (itoa::Buffer::new(), itoa::Buffer::new());
    let (server, release) = rdb::written_by(options.writer.version, options.redis_version);
    let aux: [(&str, &[u8]); 5] = [
        (server, release.as_bytes()),
        ("redis-bits", b"64"),
        ("ctime", seconds.format(options.now_ms.div_euclid(1000)).as_bytes()),
        ("used-mem", memory.format(options.used_memory_bytes).as_bytes()),
        (rdb::aof_base_name(options.writer.version), b"0"),
    ];
    let Dataset { keyspace, libraries } = dataset;
    desk.write_with(&mut walkers[0], |writer| {
        writer.header(&aux)?;
        libraries.iter().try_for_each(|code| writer.function_library(code))
    })?;
    let usage = Usage::of(&keyspace.settings, options.now_ms);
    for (index, db) in keyspace.dbs().filter(|(_, db)| !db.is_empty()) {
        let (keys, volatile_keys) = (db.len() as u64, db.volatile_len() as u64);
        desk.write_with(&mut walkers[0], |writer| writer.select_db(index as u64, keys, volatile_keys))?;
        desk.write_table(FrozenTable::new(db.table()), &usage, walkers)?;
    }
    desk.finish(walkers)
}

#[cfg(test)]
pub(super) mod tests;
