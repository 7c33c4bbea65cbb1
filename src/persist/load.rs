//! Loads an RDB file into a keyspace, in steps, so that clients are served meanwhile.
//!
//! ```text
//!  open ──▶ read: records go into the keyspace, bytes through the checksum ──▶ done
//!               └──▶ judge: something is wrong; the whole file goes through the checksum ──▶ error
//! ```
//! Reading is done by the loop alone, or by a team of threads (`together`, `team`, `decode`). Both say the same of the
//! same file.
//!
//! The file is read once. What is wrong in a damaged file may be anything, and far behind the damage: so before an
//! error is told, the checksum of the whole file is asked, and has precedence.
//!
//! Invariants:
//! 1. `Done` is only said when the whole file's checksum was found right and the file ended there.
//! 2. Before `Done`, and after an error, the keyspace holds a part of a file of which nothing is known: callers load
//!    into one that they show to nobody, and put it in its place when the load is done.
//! 3. What a file announces (RESIZEDB, counts) is believed only as far as its size allows.
//!
//! Libraries of functions are not made here: whoever has the load done does that, before he shows anything of it.
//!
//! Keys go in in batches (`place`), and the heap is made ready a step ahead of them (`heap::fill`).

mod decode;
mod making;
mod place;
mod team;
mod together;

use self::decode::Why;
use self::making::{Made, Terms};
use self::place::{Place, Twice};
use self::together::{Together, Turn};
use super::disk::open_to_read;
use super::error::error_text;
use super::image::KeyDelay;
use crate::base::log::user_data;
use crate::base::{heap, number};
use crate::keyspace::{Entry, Keyspace};
use crate::object::Depth;
use crate::rdb::{Checksum, Foreign, Input, RdbError, Reader, ReaderOptions, Record, Verifier, module_name};
use nix::errno::Errno;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of a step of the first pass.
const VERIFY_STEP_BYTES: u64 = 8 << 20;
/// A key takes at least a type, a name and a value: so many bytes.
const KEY_BYTES_MIN: u64 = 3;
/// So many records are read between two looks at the clock.
const RECORDS_PER_LOOK: u32 = 64;
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
    /// `rdb-load-threads`.
    pub threads: u32,
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
    /// A library of functions that does not do here, and why.
    Library {
        path: PathBuf,
        reason: String,
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
            LoadError::Library { path, reason } => {
                write!(f, "Failed loading library, {reason} ({})", path.display())
            }
            LoadError::Duplicate { path, key, db, offset } => write!(
                f,
                "RDB has duplicated key '{}' in DB {db} at offset {offset} ({})",
                user_data(key),
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

/// How long a step may take.
pub struct Budget<'a> {
    /// Of the file.
    pub bytes: u64,
    /// Asked from time to time: whether the step has taken long enough.
    pub is_over: &'a mut dyn FnMut() -> bool,
}

/// A file from an offset on. The descriptors may share a position: it is not used.
struct FileInput {
    file: File,
    offset: u64,
}

impl FileInput {
    fn at(file: &File, offset: u64) -> io::Result<FileInput> {
        Ok(FileInput { file: file.try_clone()?, offset })
    }
}

impl Input for FileInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

enum Stage {
    Reading(Box<Reader<FileInput>>),
    Together(Box<Together>),
    /// The file goes through its checksum again, because of the error that was found, or of bytes behind its end.
    Judging(Box<Verifier<FileInput>>, Option<LoadError>),
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
    /// Codes of libraries of functions, in their order: not looked at here.
    pub libraries: Vec<Box<[u8]>>,
    empty_keys: u64,
    path: PathBuf,
    file: File,
    options: LoadOptions,
    stage: Stage,
    place: Place,
    /// None when the keys go nowhere.
    filling: Option<heap::Filling>,
    /// Bytes were read without a look at their checksum.
    is_unsummed: bool,
}

/// What a record was.
enum Was {
    Key,
    /// A part of a key's value.
    Part,
    Other,
    End(Option<u64>),
}

impl Loading {
    /// Opens the file. `None` when there is none, which is an empty dataset.
    ///
    /// # Errors
    /// A file that cannot be opened, or does not begin as one should.
    pub fn open(path: &Path, options: LoadOptions, now_ms: i64) -> Result<Option<Loading>, LoadError> {
        let failed = |error| LoadError::Open { path: path.into(), error };
        let (file, total_bytes) = match open_to_read(path) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_SEQUENTIAL);
        let rdb = |error| LoadError::Rdb { path: path.into(), error };
        let input = FileInput::at(&file, 0).map_err(failed)?;
        if options.checksum == Checksum::Off {
            say_unchecked();
        }
        let reader = Reader::new(input, reader_options(options, total_bytes, now_ms)).map_err(rdb)?;
        let filling = (options.target == Target::Keyspace).then(heap::fill);
        Ok(Some(Loading {
            started_ms: now_ms,
            total_bytes,
            loaded_bytes: 0,
            used_memory_bytes: 0,
            keys_loaded: 0,
            keys_expired: 0,
            keys_skipped: 0,
            libraries: Vec::new(),
            empty_keys: 0,
            path: path.into(),
            file,
            options,
            stage: Stage::Reading(Box::new(reader)),
            filling,
            is_unsummed: false,
            place: Place::new(options.duplicates),
        }))
    }

    pub fn path(&self) -> &Path {
        &self.path
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

    /// Goes on for about `budget_bytes` of the file, or until `is_over` says so.
    ///
    /// # Errors
    /// Why the file cannot be loaded; the keyspace is of no more use then.
    pub fn step(
        &mut self,
        keyspace: &mut Keyspace,
        now_ms: i64,
        budget: &mut Budget<'_>,
    ) -> Result<Step, LoadError> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Reading(reader) if self.loaded_bytes == 0 => {
                let reader = match self.begin_together(reader, keyspace, now_ms) {
                    Ok(together) => return self.go_on_together(together, keyspace, now_ms, budget),
                    Err(reader) => reader,
                };
                self.go_on_alone(reader, keyspace, now_ms, budget)
            }
            Stage::Reading(reader) => self.go_on_alone(reader, keyspace, now_ms, budget),
            Stage::Together(together) => self.go_on_together(together, keyspace, now_ms, budget),
            Stage::Judging(verifier, found) => self.verify(verifier, found),
            Stage::Done => Ok(Step::Done),
        }
    }

    /// Goes on to the end.
    ///
    /// # Errors
    /// As `step`.
    pub fn run(&mut self, keyspace: &mut Keyspace, now_ms: i64) -> Result<(), LoadError> {
        let mut budget = Budget { bytes: u64::MAX, is_over: &mut || false };
        while self.step(keyspace, now_ms, &mut budget)? == Step::More {}
        Ok(())
    }

    fn go_on_alone(
        &mut self,
        mut reader: Box<Reader<FileInput>>,
        keyspace: &mut Keyspace,
        now_ms: i64,
        budget: &mut Budget<'_>,
    ) -> Result<Step, LoadError> {
        match self.read(&mut reader, keyspace, now_ms, budget) {
            Ok(Step::More) => {
                self.stage = Stage::Reading(reader);
                Ok(Step::More)
            }
            Ok(Step::Done) => match reader.at_end() {
                Ok(true) if !self.is_unsummed => Ok(self.finish()),
                Ok(_) => self.judge(None),
                Err(error) => Err(self.failed(error)),
            },
            Err(error) => self.judge(Some(error)),
        }
    }

    fn go_on_together(
        &mut self,
        mut together: Box<Together>,
        keyspace: &mut Keyspace,
        now_ms: i64,
        budget: &mut Budget<'_>,
    ) -> Result<Step, LoadError> {
        match self.share(&mut together, keyspace, now_ms, budget) {
            Ok(Turn::More) => {
                self.stage = Stage::Together(together);
                Ok(Step::More)
            }
            Ok(Turn::Alone(reader)) => {
                self.is_unsummed = true;
                self.stage = Stage::Reading(reader);
                Ok(Step::More)
            }
            Ok(Turn::Ended(Ok(true))) => Ok(self.finish()),
            Ok(Turn::Ended(Ok(false))) => self.judge(None),
            Ok(Turn::Ended(Err(error))) => self.judge(Some(self.failed(error))),
            Err(error) => self.judge(Some(error)),
        }
    }

    /// Asks the checksum about a file in which an error was found, or which goes on behind its end.
    #[cold]
    fn judge(&mut self, found: Option<LoadError>) -> Result<Step, LoadError> {
        if self.options.checksum == Checksum::Off {
            return match found {
                Some(error) => Err(error),
                None => Ok(self.finish()),
            };
        }
        let open = |error| LoadError::Open { path: self.path.clone(), error };
        let input = FileInput::at(&self.file, 0).map_err(open)?;
        let verifier = Verifier::new(input).map_err(|error| self.failed(error))?;
        self.stage = Stage::Judging(Box::new(verifier), found);
        Ok(Step::More)
    }

    fn verify(
        &mut self,
        mut verifier: Box<Verifier<FileInput>>,
        found: Option<LoadError>,
    ) -> Result<Step, LoadError> {
        let until = verifier.offset() + VERIFY_STEP_BYTES;
        while verifier.step().map_err(|error| self.failed(error))?.is_none() {
            if verifier.offset() >= until {
                self.stage = Stage::Judging(verifier, found);
                return Ok(Step::More);
            }
        }
        match found {
            Some(error) => Err(error),
            None => Ok(self.finish()),
        }
    }

    fn failed(&self, error: RdbError) -> LoadError {
        LoadError::Rdb { path: self.path.clone(), error }
    }

    fn read(
        &mut self,
        reader: &mut Reader<FileInput>,
        keyspace: &mut Keyspace,
        now_ms: i64,
        budget: &mut Budget<'_>,
    ) -> Result<Step, LoadError> {
        let until = reader.offset().saturating_add(budget.bytes);
        let mut waited_us = 0;
        let terms = Terms::of(keyspace, now_ms);
        let mut records: u32 = 0;
        let step = loop {
            match self.read_record(reader, keyspace, now_ms, &terms)? {
                Was::Key => {
                    let number = (self.keys_loaded + self.keys_expired).saturating_sub(1);
                    waited_us += self.options.key_delay.wait(number);
                }
                Was::Part | Was::Other => {}
                Was::End(stored_checksum) => {
                    self.say_if_unchecked(stored_checksum);
                    break Step::Done;
                }
            }
            records += 1;
            let is_over = records.is_multiple_of(RECORDS_PER_LOOK) && (budget.is_over)();
            if is_over || reader.offset() >= until || waited_us >= STEP_DELAY_US_MAX {
                break Step::More;
            }
        };
        self.settle(keyspace)?;
        self.loaded_bytes = reader.offset();
        Ok(step)
    }

    #[inline(always)]
    fn read_record(
        &mut self,
        reader: &mut Reader<FileInput>,
        keyspace: &mut Keyspace,
        now_ms: i64,
        terms: &Terms,
    ) -> Result<Was, LoadError> {
        if let Some(string) = reader.next_plain() {
            let (made, offset) = (making::of_string(&string, &terms.access), string.offset);
            return self.take(made, string.key, offset, keyspace);
        }
        match reader.next_record(&terms.rules).map_err(|error| self.failed(error))? {
            Record::Key(record) => {
                let (key, offset) = (record.key, record.offset);
                self.take(making::of_key(record, &terms.access), key, offset, keyspace)
            }
            Record::End { stored_checksum } => Ok(Was::End(stored_checksum)),
            Record::Building => Ok(Was::Part),
            other => {
                self.take_other(other, keyspace, now_ms)?;
                Ok(Was::Other)
            }
        }
    }

    #[inline]
    fn take(
        &mut self,
        made: Made,
        key: &[u8],
        offset: u64,
        keyspace: &mut Keyspace,
    ) -> Result<Was, LoadError> {
        match made {
            Made::Entry(entry) => self.put(entry, offset, keyspace)?,
            Made::Expired => self.keys_expired += 1,
            Made::Empty => self.leave_out(key, &Why::Empty),
        }
        Ok(Was::Key)
    }

    #[inline]
    fn put(&mut self, entry: Entry, offset: u64, keyspace: &mut Keyspace) -> Result<(), LoadError> {
        self.keys_loaded += 1;
        let Some(filling) = &mut self.filling else { return Ok(()) };
        filling.go_on();
        if self.place.put(keyspace.db(self.place.db), entry, offset) { self.settle(keyspace) } else { Ok(()) }
    }

    fn settle(&mut self, keyspace: &mut Keyspace) -> Result<(), LoadError> {
        let settled = self.place.settle(keyspace);
        self.expect_placed(settled)
    }

    fn expect_placed(&self, placed: Result<(), Twice>) -> Result<(), LoadError> {
        placed.map_err(|Twice { key, offset }| LoadError::Duplicate {
            path: self.path.clone(),
            key,
            db: self.place.db,
            offset,
        })
    }

    #[cold]
    fn leave_out(&mut self, key: &[u8], why: &Why) {
        let key = user_data(key);
        match *why {
            Why::Empty => {
                self.empty_keys += 1;
                if self.empty_keys <= NAMED_KEYS_MAX {
                    tracing::info!("rdbLoadRio skipping empty key: {key}");
                }
            }
            Why::Foreign { value_type, module_id } => {
                self.keys_skipped += 1;
                if self.keys_skipped <= NAMED_KEYS_MAX {
                    match module_id.map(module_name) {
                        Some(module) => {
                            tracing::warn!("Key '{key}' is not loaded: a value of module type '{module}'")
                        }
                        None => tracing::warn!("Key '{key}' is not loaded: {value_type}"),
                    }
                }
            }
        }
    }

    fn say_if_unchecked(&self, stored_checksum: Option<u64>) {
        if stored_checksum == Some(0) && self.options.checksum == Checksum::On {
            say_unchecked();
        }
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
                self.settle(keyspace)?;
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
            Record::FunctionLibrary(code) => {
                if self.options.target == Target::Keyspace {
                    self.libraries.push(code.into());
                }
            }
            Record::ModuleAux { .. } | Record::SlotInfo { .. } | Record::Ignored(_) => {}
            Record::LeftOut { key, value_type, module_id, .. } => {
                self.leave_out(key, &Why::Foreign { value_type, module_id });
            }
            Record::Key(_) | Record::Building | Record::End { .. } => unreachable!("the caller takes these"),
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

    fn finish(&mut self) -> Step {
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
        Step::Done
    }
}

fn say_unchecked() {
    tracing::info!("RDB file was saved with checksum disabled: no check performed.");
}

fn reader_options(options: LoadOptions, input_bytes: u64, now_ms: i64) -> ReaderOptions {
    let LoadOptions { checksum, depth, foreign, .. } = options;
    ReaderOptions { checksum, depth, foreign, now_ms: Some(now_ms), input_bytes }
}

#[cfg(test)]
mod tests;
