//! Loads an RDB file into a keyspace, in steps, so that clients are served meanwhile.
//!
//! ```text
//!  open ──▶ verify: the whole file goes through its checksum ──▶ read: records into the keyspace ──▶ done
//! ```
//! Invariants:
//! 1. Nothing of a file enters a keyspace before the whole file's checksum was found right.
//! 2. After an error the keyspace holds a part of the file and is of no more use: callers load into a fresh
//!    one, or end.
//! 3. What a file announces (RESIZEDB, counts) is believed only as far as its size allows.
//!
//! Keys go in in batches: hash all, ask for their buckets, then insert; one cache miss is waited for instead
//! of many.

use super::error::error_text;
use super::image::KeyDelay;
use crate::base::number;
use crate::keyspace::settings::Ranking;
use crate::keyspace::{Entry, Keyspace, lru};
use crate::object::Depth;
use crate::rdb::{
    Access, Checksum, ChecksumState, Foreign, Input, KeyRecord, RdbError, Reader, ReaderOptions, Record,
    Value, Verifier, module_name,
};
use nix::errno::Errno;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// Keys that are inserted together.
const BATCH_KEYS: usize = 32;
/// Bytes of a step of the first pass.
const VERIFY_STEP_BYTES: u64 = 8 << 20;
/// A key takes at least a type, a name and a value: so many bytes.
const KEY_BYTES_MIN: u64 = 3;
/// So many keys that are left out are named in the log.
const NAMED_KEYS_MAX: u64 = 10;
/// A step ends after so much waiting by `key-load-delay`.
const STEP_DELAY_US_MAX: u64 = 10_000;

/// What happens to a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The file is refused.
    Refuse,
    /// The file's value wins (DEBUG RELOAD MERGE).
    Replace,
}

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Keyspace,
    /// Nowhere: the file is only read, to find out whether it can be loaded.
    Nowhere,
}

#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    pub duplicates: Duplicates,
    pub target: Target,
    /// Off: a wrong checksum is accepted (DEBUG SET-SKIP-CHECKSUM-VALIDATION, `rdbchecksum no`).
    pub checksum: Checksum,
    /// How deeply packed values are checked (`sanitize-dump-payload`).
    pub depth: Depth,
    /// Values that cannot be held here (`rdb-skip-unknown`).
    pub foreign: Foreign,
    pub key_delay: KeyDelay,
}

/// Why a file was not loaded.
#[derive(Debug)]
pub enum LoadError {
    Open {
        path: PathBuf,
        error: io::Error,
    },
    Rdb {
        path: PathBuf,
        error: RdbError,
    },
    /// The file has more databases than the server.
    Database {
        path: PathBuf,
        index: u64,
        databases: usize,
    },
    Duplicate {
        path: PathBuf,
        key: Vec<u8>,
        db: usize,
        offset: u64,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Open { path, error } => {
                let reason = error_text(Errno::from_raw(error.raw_os_error().unwrap_or(0)));
                write!(f, "Fatal error: can't open the RDB file {} for reading: {reason}", path.display())
            }
            LoadError::Rdb { path, error } => write!(f, "{error} ({})", path.display()),
            LoadError::Database { path, index, databases } => write!(
                f,
                "FATAL: Data file was created with a Redis server configured to handle more than {databases} \
                 databases. Exiting: database {index} ({})",
                path.display()
            ),
            LoadError::Duplicate { path, key, db, offset } => write!(
                f,
                "RDB has duplicated key '{}' in DB {db} at offset {offset} ({})",
                key.escape_ascii(),
                path.display()
            ),
        }
    }
}

impl std::error::Error for LoadError {}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    More,
    Done,
}

struct FileInput(File);

impl Input for FileInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

enum Stage {
    Verifying(Box<Verifier<FileInput>>),
    Reading(Box<Reader<FileInput>>),
    Done,
}

/// A load under way, and what INFO loading_* tells of it.
pub struct Loading {
    /// Unix milliseconds.
    pub started_ms: i64,
    pub total_bytes: u64,
    pub loaded_bytes: u64,
    /// What the file says about the memory its dataset took.
    pub used_memory_bytes: u64,
    pub keys_loaded: u64,
    pub keys_expired: u64,
    /// Keys whose values cannot be held here, left out.
    pub keys_skipped: u64,
    empty_keys: u64,
    path: PathBuf,
    file: File,
    options: LoadOptions,
    stage: Stage,
    place: Place,
}

/// Where the next keys go.
struct Place {
    db: usize,
    batch: Vec<(Entry, u64)>,
    hashes: Vec<u64>,
}

impl Loading {
    /// Opens the file. `None` when there is none, which is an empty dataset.
    ///
    /// # Errors
    /// A file that cannot be opened, or does not begin as one should.
    pub fn open(path: &Path, options: LoadOptions, now_ms: i64) -> Result<Option<Loading>, LoadError> {
        let failed = |error| LoadError::Open { path: path.into(), error };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::Error::from_raw_os_error(libc::EISDIR)));
        }
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_SEQUENTIAL);
        let rdb = |error| LoadError::Rdb { path: path.into(), error };
        let input = FileInput(file.try_clone().map_err(failed)?);
        let stage = match options.checksum {
            Checksum::On => Stage::Verifying(Box::new(Verifier::new(input).map_err(rdb)?)),
            Checksum::Off => {
                tracing::info!("RDB file was saved with checksum disabled: no check performed.");
                let options = reader_options(options, metadata.len(), now_ms);
                Stage::Reading(Box::new(Reader::new(input, options).map_err(rdb)?))
            }
        };
        Ok(Some(Loading {
            started_ms: now_ms,
            total_bytes: metadata.len(),
            loaded_bytes: 0,
            used_memory_bytes: 0,
            keys_loaded: 0,
            keys_expired: 0,
            keys_skipped: 0,
            empty_keys: 0,
            path: path.into(),
            file,
            options,
            stage,
            place: Place {
                db: 0,
                batch: Vec::with_capacity(BATCH_KEYS),
                hashes: Vec::with_capacity(BATCH_KEYS),
            },
        }))
    }

    /// INFO loading_loaded_perc.
    pub fn percent(&self) -> f64 {
        if self.total_bytes == 0 { 0.0 } else { self.loaded_bytes as f64 * 100.0 / self.total_bytes as f64 }
    }

    /// INFO loading_eta_seconds; 1 as long as nothing can be said.
    pub fn eta_s(&self, now_ms: i64) -> i64 {
        let elapsed_s = (now_ms - self.started_ms) / 1000;
        if elapsed_s <= 0 {
            return 1;
        }
        let left_bytes = self.total_bytes.saturating_sub(self.loaded_bytes) as f64;
        (elapsed_s as f64 * left_bytes / (self.loaded_bytes as f64 + 1.0)) as i64
    }

    /// Goes on for about `budget_bytes` of the file.
    pub fn step(
        &mut self,
        keyspace: &mut Keyspace,
        now_ms: i64,
        budget_bytes: u64,
    ) -> Result<Step, LoadError> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Verifying(verifier) => self.verify(verifier, now_ms),
            Stage::Reading(mut reader) => {
                let step = self.read(&mut reader, keyspace, now_ms, budget_bytes)?;
                match step {
                    Step::More => self.stage = Stage::Reading(reader),
                    Step::Done => self.finish(),
                }
                Ok(step)
            }
            Stage::Done => Ok(Step::Done),
        }
    }

    /// Goes on to the end.
    pub fn run(&mut self, keyspace: &mut Keyspace, now_ms: i64) -> Result<(), LoadError> {
        while self.step(keyspace, now_ms, u64::MAX)? == Step::More {}
        Ok(())
    }

    fn verify(&mut self, mut verifier: Box<Verifier<FileInput>>, now_ms: i64) -> Result<Step, LoadError> {
        let until = verifier.offset() + VERIFY_STEP_BYTES;
        loop {
            match verifier.step().map_err(|error| self.failed(error))? {
                Some(verified) => {
                    if verified.checksum == ChecksumState::Disabled {
                        tracing::info!("RDB file was saved with checksum disabled: no check performed.");
                    }
                    break;
                }
                None if verifier.offset() >= until => {
                    self.stage = Stage::Verifying(verifier);
                    return Ok(Step::More);
                }
                None => {}
            }
        }
        let open = |error| LoadError::Open { path: self.path.clone(), error };
        let mut file = self.file.try_clone().map_err(open)?;
        file.rewind().map_err(open)?;
        let options = reader_options(self.options, self.total_bytes, now_ms);
        let reader = Reader::new(FileInput(file), options).map_err(|error| self.failed(error))?;
        self.stage = Stage::Reading(Box::new(reader));
        Ok(Step::More)
    }

    fn failed(&self, error: RdbError) -> LoadError {
        LoadError::Rdb { path: self.path.clone(), error }
    }

    fn read(
        &mut self,
        reader: &mut Reader<FileInput>,
        keyspace: &mut Keyspace,
        now_ms: i64,
        budget_bytes: u64,
    ) -> Result<Step, LoadError> {
        let until = reader.offset().saturating_add(budget_bytes);
        let mut waited_us = 0;
        let access = AccessField::of(keyspace, now_ms);
        let rules = keyspace.settings.rules;
        let step = loop {
            match reader.next_record(&rules).map_err(|error| self.failed(error))? {
                Record::Key(record) => {
                    waited_us += self.options.key_delay.wait(self.keys_loaded + self.keys_expired);
                    self.take_key(record, keyspace, &access)?;
                }
                Record::End { .. } => break Step::Done,
                other => self.take_other(other, keyspace, now_ms)?,
            }
            if reader.offset() >= until || waited_us >= STEP_DELAY_US_MAX {
                break Step::More;
            }
        };
        self.insert_batch(keyspace)?;
        self.loaded_bytes = reader.offset();
        Ok(step)
    }

    #[inline]
    fn take_key(
        &mut self,
        record: KeyRecord<'_>,
        keyspace: &mut Keyspace,
        access: &AccessField,
    ) -> Result<(), LoadError> {
        let is_over = record.expire_at_ms.is_some_and(|expire_at_ms| expire_at_ms < access.now_ms);
        if is_over || matches!(record.value, Value::Expired) {
            self.keys_expired += 1;
            return Ok(());
        }
        let (key, expire_at_ms) = (record.key, record.expire_at_ms);
        let entry = match record.value {
            Value::Int(value) => Entry::from_int(key, value, expire_at_ms),
            Value::Bytes(bytes) => match number::parse_i64(bytes) {
                Some(value) => Entry::from_int(key, value, expire_at_ms),
                None => Entry::from_bytes(key, bytes, expire_at_ms),
            },
            Value::Object(object) => Entry::from_object(key, object, expire_at_ms),
            Value::Empty | Value::Expired => {
                self.leave_out_empty(key);
                return Ok(());
            }
        };
        self.keys_loaded += 1;
        if self.options.target == Target::Nowhere {
            return Ok(());
        }
        entry.set_lru(access.field(record.access));
        self.place.batch.push((entry, record.offset));
        if self.place.batch.len() == BATCH_KEYS { self.insert_batch(keyspace) } else { Ok(()) }
    }

    #[cold]
    fn leave_out_empty(&mut self, key: &[u8]) {
        self.empty_keys += 1;
        if self.empty_keys <= NAMED_KEYS_MAX {
            tracing::info!("rdbLoadRio skipping empty key: {}", key.escape_ascii());
        }
    }

    #[cold]
    fn leave_out_foreign(&mut self, key: &[u8], value_type: &str, module_id: Option<u64>) {
        self.keys_skipped += 1;
        if self.keys_skipped <= NAMED_KEYS_MAX {
            let key = key.escape_ascii();
            match module_id.map(module_name) {
                Some(module) => {
                    tracing::warn!("Key '{key}' is not loaded: a value of module type '{module}'")
                }
                None => tracing::warn!("Key '{key}' is not loaded: {value_type}"),
            }
        }
    }

    fn insert_batch(&mut self, keyspace: &mut Keyspace) -> Result<(), LoadError> {
        let Place { db: index, batch, hashes } = &mut self.place;
        if batch.is_empty() {
            return Ok(());
        }
        let db = keyspace.db_mut(*index);
        hashes.clear();
        hashes.extend(batch.iter().map(|(entry, _)| db.prefetch(entry.key())));
        for ((entry, offset), hash) in batch.drain(..).zip(hashes.iter()) {
            let Err(entry) = db.load(*hash, entry) else { continue };
            match self.options.duplicates {
                Duplicates::Replace => db.load_over(*hash, entry),
                Duplicates::Refuse => {
                    let (path, key) = (self.path.clone(), entry.key().to_vec());
                    return Err(LoadError::Duplicate { path, key, db: *index, offset });
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn take_other(
        &mut self,
        record: Record<'_>,
        keyspace: &mut Keyspace,
        now_ms: i64,
    ) -> Result<(), LoadError> {
        match record {
            Record::SelectDb(index) => {
                self.insert_batch(keyspace)?;
                let databases = keyspace.databases();
                let known = usize::try_from(index).ok().filter(|index| *index < databases);
                let absent = || LoadError::Database { path: self.path.clone(), index, databases };
                self.place.db = known.ok_or_else(absent)?;
            }
            Record::ResizeDb { keys, .. } => {
                let possible = self.total_bytes / KEY_BYTES_MIN;
                if self.options.target == Target::Keyspace {
                    let present = keyspace.db(self.place.db).len();
                    let coming = usize::try_from(keys.min(possible)).unwrap_or(0);
                    keyspace.db_mut(self.place.db).reserve(present + coming);
                }
            }
            Record::Aux { name, value } => self.take_aux(name, value, now_ms),
            Record::FunctionLibrary(_) => {
                tracing::warn!("A library of functions in the RDB file is not loaded.")
            }
            Record::ModuleAux { .. } | Record::SlotInfo { .. } | Record::Ignored(_) => {}
            Record::LeftOut { key, value_type, module_id, .. } => {
                self.leave_out_foreign(key, value_type, module_id);
            }
            Record::Building => {}
            Record::Key(_) | Record::End { .. } => unreachable!("the caller takes keys and the end"),
        }
        Ok(())
    }

    fn take_aux(&mut self, name: &[u8], value: &[u8], now_ms: i64) {
        let number = || number::parse_i64(value).unwrap_or(0);
        let text = value.escape_ascii();
        match name.to_ascii_lowercase().as_slice() {
            b"redis-ver" | b"valkey-ver" => tracing::info!("Loading RDB produced by version {text}"),
            b"ctime" => {
                let age_s = now_ms.div_euclid(1000).saturating_sub(number()).max(0);
                tracing::info!("RDB age {age_s} seconds");
            }
            b"used-mem" => {
                self.used_memory_bytes = number().max(0) as u64;
                let megabytes = self.used_memory_bytes as f64 / f64::from(1 << 20);
                tracing::info!("RDB memory usage when created {megabytes:.2} Mb");
            }
            b"aof-base" if number() != 0 => tracing::info!("RDB is base AOF"),
            b"aof-base" | b"aof-preamble" | b"redis-bits" | b"lua" | b"slot-info" => {}
            b"repl-stream-db" | b"repl-id" | b"repl-offset" => {}
            [b'%', ..] => tracing::info!("RDB '{}': {text}", name.escape_ascii()),
            _ => tracing::trace!("Unrecognized RDB AUX field: '{}'", name.escape_ascii()),
        }
    }

    fn finish(&mut self) {
        self.loaded_bytes = self.total_bytes;
        // Nobody reads the file again soon: its pages are worth more to others.
        let _ = posix_fadvise(&self.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
        if self.options.target == Target::Keyspace {
            let (loaded, expired, empty) = (self.keys_loaded, self.keys_expired, self.empty_keys);
            let empty = if empty > 0 { format!(", empty keys skipped: {empty}") } else { String::new() };
            tracing::info!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}{empty}.");
            if self.keys_skipped > 0 {
                tracing::warn!(
                    "{} keys of the RDB file were not loaded: their values cannot be held here.",
                    self.keys_skipped
                );
            }
        }
    }
}

/// The checksum was verified before, or is not looked at.
fn reader_options(options: LoadOptions, input_bytes: u64, now_ms: i64) -> ReaderOptions {
    let LoadOptions { depth, foreign, .. } = options;
    ReaderOptions { checksum: Checksum::Off, depth, foreign, now_ms: Some(now_ms), input_bytes }
}

/// The access field of loaded keys, by the eviction policy in force.
struct AccessField {
    now_ms: i64,
    is_lfu: bool,
    fresh: u32,
}

impl AccessField {
    fn of(keyspace: &Keyspace, now_ms: i64) -> AccessField {
        let is_lfu = keyspace.settings.ranking == Ranking::Lfu;
        AccessField { now_ms, is_lfu, fresh: if is_lfu { lru::lfu_new(now_ms) } else { lru::clock(now_ms) } }
    }

    #[inline]
    fn field(&self, access: Option<Access>) -> u32 {
        match access {
            Some(Access::Frequency(counter)) if self.is_lfu => lru::lfu_with(counter, self.now_ms),
            Some(Access::Idle { seconds }) if !self.is_lfu => lru::clock_with_idle(seconds, self.now_ms),
            _ => self.fresh,
        }
    }
}

#[cfg(test)]
mod tests;
