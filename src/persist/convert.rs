//! `convert`: a file written again in another version of the format.
//!
//! ```text
//!  IN ──▶ Reader ──▶ record ──▶ does OUT's version hold it? ──▶ RdbWriter ──▶ temp file ──▶ OUT
//! ```
//! Record by record, in the order of the file: it takes as much memory as the largest value. With `version: None` the
//! file is read once before, to find the lowest version that loses nothing.
//!
//! What a file says about itself stays, but for who wrote it; libraries of functions, and values and data of modules,
//! are carried over as they are. Hints at the sizes of slots are left out, as are a cluster's unfinished imports of
//! slots, and keys without elements, which no server loads. Keys that have expired stay: whoever loads the file drops
//! them.
//!
//! Invariants
//! 1. OUT is replaced only by a finished file, so that OUT may be IN. After an error nothing is left behind.
//! 2. Everything of IN is checked deeply, and its checksum compared, before OUT is replaced.

use super::disk::{Calls, FilePolicy, Incremental, PageCache, SavePaths, WriteRate, write_file};
use super::error::{Fault, Operation, SnapshotError, error_text};
use super::source::{Part, Source};
use crate::object::{Depth, Object, Rules};
use crate::rdb::{
    self, Access, Checksum, Compression, Foreign, KeyRecord, KeyTooNew, Output, Printable, RdbError,
    RdbWriter, Reader, ReaderOptions, Record, StringValue, TooNew, Value, Version, WriterOptions,
};
use nix::errno::Errno;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Progress is told after so many bytes.
const TOLD_BYTES: u64 = 1 << 20;
/// So many of the keys that are left out are named.
const NAMED_KEYS_MAX: usize = 10;

/// What becomes of values that cannot be written on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    Refuse,
    LeaveOut,
}

#[derive(Clone, Copy, Debug)]
pub struct ConvertOptions {
    /// None: the lowest, from `VERSION_BASE` on, that loses nothing.
    pub version: Option<u16>,
    pub unknown: Unknown,
    /// What the new file says it was written by.
    pub redis_version: &'static str,
    /// Makes the temp file's name one that nobody else has.
    pub nonce: u64,
}

/// What was done. `Display` is one line for people.
#[derive(Clone, Debug)]
pub struct Converted {
    pub input: PathBuf,
    pub output: PathBuf,
    pub from: Version,
    pub to: Version,
    pub keys: u64,
    /// Databases with keys.
    pub databases: usize,
    pub function_libraries: u64,
    /// Of the new file.
    pub bytes: u64,
    /// Keys without elements, left out.
    pub empty_keys: u64,
    /// Keys whose values cannot be written on, left out.
    pub unknown_keys: u64,
    /// The first few of these.
    pub unknown_named: Vec<String>,
}

impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (input, output) = (self.input.display(), self.output.display());
        write!(f, "{input} ({}) converted to {output} ({}): {} keys", self.from, self.to, self.keys)?;
        write!(f, " in {} databases, {} bytes", self.databases, self.bytes)?;
        for (count, what) in [
            (self.function_libraries, "function libraries"),
            (self.empty_keys, "keys without elements left out"),
            (self.unknown_keys, "keys of unknown types left out"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        if !self.unknown_named.is_empty() {
            let dots = if self.unknown_keys > self.unknown_named.len() as u64 { ", ..." } else { "" };
            write!(f, " ({}{dots})", self.unknown_named.join(", "))?;
        }
        Ok(())
    }
}

/// Why there is no new file.
#[derive(Debug)]
pub enum ConvertError {
    Open { path: PathBuf, error: io::Error },
    Read { path: PathBuf, error: RdbError },
    Key { path: PathBuf, too_new: KeyTooNew },
    Library { path: PathBuf, name: String, version: u16 },
    Write(SnapshotError),
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConvertError::Open { path, error } => {
                let reason = error_text(Errno::from_raw(error.raw_os_error().unwrap_or(0)));
                write!(f, "open {}: {reason}", path.display())
            }
            ConvertError::Read { path, error } => {
                write!(f, "{}: {error}", path.display())?;
                match error.fault {
                    rdb::Fault::Unsupported { .. } => f.write_str(" (--skip-unknown leaves out what it can)"),
                    _ => Ok(()),
                }
            }
            ConvertError::Key { path, too_new } => write!(f, "{}: {too_new}", path.display()),
            ConvertError::Library { path, name, version } => {
                let version = Version::to_write(*version);
                write!(
                    f,
                    "{}: there are functions (library {name}), which {version} cannot hold",
                    path.display()
                )
            }
            ConvertError::Write(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConvertError {}

/// Writes what is in `input` to `output`. `progress` is told how many bytes of how many have been read.
///
/// # Errors
/// A file that cannot be read or written; one that is damaged; content that the version cannot hold.
pub fn convert<C: Calls>(
    calls: &mut C,
    input: &Path,
    output: &Path,
    options: &ConvertOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted, ConvertError> {
    let original = Original::open(input, options.unknown)?;
    let paths = SavePaths::of_output(output, options.nonce).map_err(ConvertError::Write)?;
    let passes = if options.version.is_none() { 2 } else { 1 };
    let mut meter = Meter { tell: progress, before: 0, told: 0, total: original.source.bytes * passes };
    let version = match options.version {
        Some(version) => version,
        None => original.version_needed(&mut meter)?,
    };
    let policy = FilePolicy {
        incremental: Incremental::Beside,
        page_cache: PageCache::Keep,
        rate: WriteRate::Unlimited,
    };
    let mut reason = None;
    let written = write_file(calls, &paths, policy, |file| {
        original.copy_to(&mut *file, version, options, &mut meter).map_err(|stop| {
            let Stop::Input(error) = stop else { return file.write_fault() };
            reason = Some(error);
            // Of no meaning: the reason is told instead.
            Fault::new(Operation::Write, Errno::EINVAL)
        })
    });
    match (written, reason) {
        (Ok(written), _) => Ok(Converted { input: input.into(), output: output.into(), ..written.content }),
        (Err(_), Some(error)) => Err(error),
        (Err(fault), None) => Err(ConvertError::Write(paths.explain(fault))),
    }
}

/// The file that is read, and how.
struct Original<'a> {
    path: &'a Path,
    source: Source,
    foreign: Foreign,
}

impl<'a> Original<'a> {
    fn open(path: &'a Path, unknown: Unknown) -> Result<Original<'a>, ConvertError> {
        let failed = |error| ConvertError::Open { path: path.into(), error };
        let source = Source::open(path).map_err(failed)?;
        let foreign = match unknown {
            Unknown::Refuse => Foreign::Carry,
            Unknown::LeaveOut => Foreign::CarryOrStepOver,
        };
        Ok(Original { path, source, foreign })
    }

    fn reader(&self) -> Result<Reader<Part<'_>>, ConvertError> {
        let options = ReaderOptions {
            depth: Depth::Deep,
            foreign: self.foreign,
            input_bytes: self.source.bytes,
            ..ReaderOptions::default()
        };
        Reader::new(self.source.whole(), options).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: RdbError) -> ConvertError {
        ConvertError::Read { path: self.path.into(), error }
    }

    /// The lowest version that loses nothing. Reads the file to its end.
    fn version_needed(&self, meter: &mut Meter<'_>) -> Result<u16, ConvertError> {
        let (mut reader, rules) = (self.reader()?, Rules::default());
        let mut version = rdb::VERSION_BASE;
        loop {
            match reader.next_record(&rules).map_err(|error| self.failed(error))? {
                Record::Key(KeyRecord { value: Value::Object(object), .. }) => {
                    version = version.max(object.view().rdb_version());
                }
                Record::End { .. } => break,
                _ => {}
            }
            meter.at(reader.offset());
        }
        meter.pass_done(self.source.bytes);
        Ok(version)
    }

    fn copy_to<O: Output>(
        &self,
        output: O,
        version: u16,
        options: &ConvertOptions,
        meter: &mut Meter<'_>,
    ) -> Result<Converted, Stop> {
        let mut reader = self.reader()?;
        let writer_options = WriterOptions { compression: Compression::Lzf, checksum: Checksum::On, version };
        let mut copy = Copy {
            original: self,
            writer: RdbWriter::new(output, writer_options),
            version,
            db: 0,
            databases: BTreeSet::new(),
            done: Converted {
                input: PathBuf::new(),
                output: PathBuf::new(),
                from: reader.version(),
                to: Version::to_write(version),
                keys: 0,
                databases: 0,
                function_libraries: 0,
                bytes: 0,
                empty_keys: 0,
                unknown_keys: 0,
                unknown_named: Vec::new(),
            },
        };
        let (name, release) = rdb::written_by(version, options.redis_version);
        copy.writer.header(&[(name, release.as_bytes()), ("redis-bits", b"64")])?;
        let rules = Rules::default();
        while let Went::On = copy.record(reader.next_record(&rules).map_err(|error| self.failed(error))?)? {
            meter.at(reader.offset());
        }
        reader.expect_end().map_err(|error| self.failed(error))?;
        let (summary, _) = copy.writer.finish()?;
        Ok(Converted { databases: copy.databases.len(), bytes: summary.bytes, ..copy.done })
    }
}

/// Tells the progress now and then.
struct Meter<'a> {
    tell: &'a mut dyn FnMut(u64, u64),
    /// Read in passes before.
    before: u64,
    told: u64,
    total: u64,
}

impl Meter<'_> {
    fn at(&mut self, offset: u64) {
        let done = self.before + offset;
        if done >= self.told + TOLD_BYTES {
            self.told = done;
            (self.tell)(done, self.total);
        }
    }

    fn pass_done(&mut self, bytes: u64) {
        self.before += bytes;
    }
}

/// What ends a copy early: its output, which knows why, or what comes in.
enum Stop {
    Output,
    Input(ConvertError),
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Stop {
        Stop::Output
    }
}

impl From<ConvertError> for Stop {
    fn from(error: ConvertError) -> Stop {
        Stop::Input(error)
    }
}

enum Went {
    On,
    ToTheEnd,
}

struct Copy<'a, O> {
    original: &'a Original<'a>,
    writer: RdbWriter<O>,
    version: u16,
    /// Of the keys that come.
    db: u64,
    databases: BTreeSet<u64>,
    done: Converted,
}

impl<O: Output> Copy<'_, O> {
    fn record(&mut self, record: Record<'_>) -> Result<Went, Stop> {
        match record {
            Record::Key(record) => self.key(record)?,
            Record::Aux { name, value } => self.aux(name, value)?,
            Record::SelectDb(index) => {
                self.db = index;
                self.writer.switch_db(index)?;
            }
            Record::ResizeDb { keys, volatile_keys } => self.writer.resize_db(keys, volatile_keys)?,
            Record::FunctionLibrary(source) => self.library(source)?,
            Record::ModuleAux { raw, .. } => self.writer.module_aux(raw)?,
            Record::LeftOut { key, expire_at_ms, access, raw: Some(raw), .. } => {
                self.writer.module_value(key, expire_at_ms, access, raw)?;
                self.count_key();
            }
            Record::LeftOut { key, value_type, raw: None, .. } => self.leave_out(key, value_type),
            Record::Building | Record::SlotInfo { .. } | Record::Ignored(_) => {}
            Record::End { .. } => return Ok(Went::ToTheEnd),
        }
        Ok(Went::On)
    }

    fn key(&mut self, record: KeyRecord<'_>) -> Result<(), Stop> {
        let KeyRecord { key, expire_at_ms, access, value, .. } = record;
        match value {
            Value::Int(value) => self.writer.string(key, expire_at_ms, access, StringValue::Int(value))?,
            Value::Bytes(value) => {
                self.writer.string(key, expire_at_ms, access, StringValue::Bytes(value))?
            }
            Value::Text(value) => {
                self.writer.string(key, expire_at_ms, access, StringValue::Bytes(&value))?
            }
            Value::Object(object) => self.object(key, expire_at_ms, access, &object)?,
            Value::Empty | Value::Expired => {
                self.done.empty_keys += 1;
                return Ok(());
            }
        }
        self.count_key();
        Ok(())
    }

    fn object(
        &mut self,
        key: &[u8],
        expire_at_ms: Option<i64>,
        access: Option<Access>,
        object: &Object,
    ) -> Result<(), Stop> {
        let view = object.view();
        if let Some(what) = TooNew::of(view.rdb_version(), self.version) {
            let too_new = KeyTooNew { db: self.db, key: key.into(), what, version: self.version };
            return Err(ConvertError::Key { path: self.original.path.into(), too_new }.into());
        }
        self.writer.begin(key, expire_at_ms, access, rdb::type_byte(view, self.version))?;
        Ok(rdb::write_value(&mut self.writer, view)?)
    }

    fn count_key(&mut self) {
        self.done.keys += 1;
        self.databases.insert(self.db);
    }

    fn leave_out(&mut self, key: &[u8], value_type: &str) {
        self.done.unknown_keys += 1;
        if self.done.unknown_named.len() < NAMED_KEYS_MAX {
            let named = format!("key \"{}\" in db {}: {value_type}", Printable(key), self.db);
            self.done.unknown_named.push(named);
        }
    }

    /// Who wrote the file is told in the header; sizes of slots would not fit what is left out.
    fn aux(&mut self, name: &[u8], value: &[u8]) -> Result<(), Stop> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if ["redis-ver", "valkey-ver", "redis-bits", "slot-info"].into_iter().any(is) {
            return Ok(());
        }
        let is_aof_base = is("aof-base") || is("aof-preamble");
        let name = if is_aof_base { rdb::aof_base_name(self.version).as_bytes() } else { name };
        Ok(self.writer.aux(name, value)?)
    }

    fn library(&mut self, source: &[u8]) -> Result<(), Stop> {
        if self.version < rdb::VERSION_BASE {
            let (path, name) = (self.original.path.into(), library_name(source));
            return Err(ConvertError::Library { path, name, version: self.version }.into());
        }
        self.done.function_libraries += 1;
        Ok(self.writer.function_library(source)?)
    }
}

/// The name in a library's first line, `#!lua name=mylib`.
fn library_name(source: &[u8]) -> String {
    let first = source.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = first.split(|byte| *byte == b' ');
    let name = words.find_map(|word| word.strip_prefix(b"name="));
    format!("\"{}\"", Printable(name.unwrap_or(first)))
}

#[cfg(test)]
mod tests;
