//! The keyspace as an RDB file: walks all databases and hands each key to the writer.
//!
//! The same code serves SAVE in the server and BGSAVE in the forked child, so it allocates nothing.

use super::disk::{Calls, FilePolicy, GrowingFile, SavePaths, Written, write_file};
use super::error::{Fault, Operation};
use crate::keyspace::settings::{Candidates, Ranking, Settings};
use crate::keyspace::{Entry, Keyspace, StrView, lru};
use crate::rdb::{self, Access, RdbWriter, StringValue, Summary, ValueWriter, Workspace, WriterOptions};
use nix::errno::Errno;
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

/// How far a save is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageProgress {
    pub keys: u64,
    pub bytes: u64,
}

/// Writes the keyspace to `paths.target`. `report` is called at least every `REPORT_KEYS` keys.
pub fn save_image<C: Calls>(
    keyspace: &Keyspace,
    calls: &mut C,
    paths: &SavePaths,
    plan: (&ImageOptions, Workspace),
    report: &mut dyn FnMut(ImageProgress),
) -> Result<Written<Summary>, Fault> {
    let (options, workspace) = plan;
    write_file(calls, paths, options.file, |file| {
        let written = write_image(
            keyspace,
            RdbWriter::with_workspace(&mut *file, workspace, options.writer),
            options,
            report,
        );
        // The writer fails only when the file does.
        written.map_err(|_| file.fault().unwrap_or(Fault::new(Operation::Write, Errno::EIO)))
    })
}

fn write_image<C: Calls>(
    keyspace: &Keyspace,
    mut writer: RdbWriter<&mut GrowingFile<'_, C>>,
    options: &ImageOptions,
    report: &mut dyn FnMut(ImageProgress),
) -> std::io::Result<Summary> {
    let (mut seconds, mut memory) = (itoa::Buffer::new(), itoa::Buffer::new());
    let (server, release) = rdb::written_by(options.writer.version, options.redis_version);
    writer.header(&[
        (server, release.as_bytes()),
        ("redis-bits", b"64"),
        ("ctime", seconds.format(options.now_ms.div_euclid(1000)).as_bytes()),
        ("used-mem", memory.format(options.used_memory_bytes).as_bytes()),
        (rdb::aof_base_name(options.writer.version), b"0"),
    ])?;
    let usage = Usage::of(&keyspace.settings, options.now_ms);
    let (mut keys, mut waited_us) = (0_u64, 0);
    for (index, db) in keyspace.dbs().filter(|(_, db)| !db.is_empty()) {
        writer.select_db(index as u64, db.len() as u64, db.volatile_len() as u64)?;
        let mut result = Ok(());
        db.table().for_each(&mut |entry| {
            // The walk cannot be left early; what is left of it after an error is reading only.
            if result.is_ok() {
                result = write_entry(&mut writer, entry, &usage);
                waited_us += options.key_delay.wait(keys);
                keys += 1;
                if keys.is_multiple_of(REPORT_KEYS) || waited_us >= REPORT_DELAY_US {
                    waited_us = 0;
                    report(ImageProgress { keys, bytes: writer.bytes() });
                }
            }
        });
        result?;
    }
    let (summary, _) = writer.finish()?;
    report(ImageProgress { keys, bytes: summary.bytes });
    Ok(summary)
}

/// What of an entry's access field goes into the file: what the eviction policy looks at.
enum Usage<'a> {
    None,
    Idle { now_ms: i64 },
    Frequency { now_ms: i64, settings: &'a Settings },
}

impl Usage<'_> {
    fn of(settings: &Settings, now_ms: i64) -> Usage<'_> {
        match (settings.candidates, settings.ranking) {
            (Candidates::None, _) | (_, Ranking::Ttl | Ranking::Random) => Usage::None,
            (_, Ranking::Lru) => Usage::Idle { now_ms },
            (_, Ranking::Lfu) => Usage::Frequency { now_ms, settings },
        }
    }

    #[inline]
    fn access(&self, entry: &Entry) -> Option<Access> {
        match *self {
            Usage::None => None,
            Usage::Idle { now_ms } => Some(Access::Idle { seconds: lru::idle_s(entry.lru(), now_ms).into() }),
            Usage::Frequency { now_ms, settings } => {
                Some(Access::Frequency(lru::lfu_counter(entry.lru(), now_ms, settings)))
            }
        }
    }
}

#[inline]
fn write_entry<C: Calls>(
    writer: &mut RdbWriter<&mut GrowingFile<'_, C>>,
    entry: &Entry,
    usage: &Usage<'_>,
) -> std::io::Result<()> {
    let (key, expire_at_ms, access) = (entry.key(), entry.expire_at_ms(), usage.access(entry));
    if let Some(view) = entry.view() {
        writer.begin(key, expire_at_ms, access, rdb::type_byte(view, writer.version()))?;
        return rdb::write_value(writer, view);
    }
    let value = match entry.str_view() {
        StrView::Int(value) => StringValue::Int(value),
        StrView::Bytes(bytes) => StringValue::Bytes(bytes),
    };
    writer.string(key, expire_at_ms, access, value)
}

#[cfg(test)]
pub(super) mod tests;
