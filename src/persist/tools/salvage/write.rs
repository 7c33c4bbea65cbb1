//! The second pass: the stretches of a file into a new one, which appears whole or not at all.

use super::super::ToolError;
use super::super::progress::Progress;
use super::survey::{Survey, reader_options};
use crate::base::clock::Clock;
use crate::object::Rules;
use crate::persist::disk::{
    FilePolicy, GrowingFile, Incremental, PageCache, SavePaths, System, WriteRate, write_file,
};
use crate::persist::source::Source;
use crate::rdb::{
    self, Checksum, Compression, KeyRecord, RdbError, RdbWriter, Reader, Record, StringValue, Value,
    WriterOptions,
};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// What is in the new file, and what is not.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) keys: u64,
    /// By database.
    pub(super) databases: BTreeMap<u64, u64>,
    /// Keys of each stretch.
    pub(super) stretch_keys: Vec<u64>,
    /// Keys that had come before.
    pub(super) twice: u64,
    /// Keys with values of modules, or of types that cannot be held here, for people.
    pub(super) foreign: Vec<String>,
    /// Collections without elements.
    pub(super) empty: u64,
    pub(super) bytes: u64,
}

impl Written {
    /// Keys that were read and are not in the new file. One without a value is none.
    pub(super) fn left_out(&self) -> u64 {
        self.twice + self.foreign.len() as u64
    }
}

type Writer<'f, 'c> = RdbWriter<&'f mut GrowingFile<'c, System>>;

/// Why the second pass ended early.
enum Stopped {
    Read(RdbError),
    Write,
}

impl From<io::Error> for Stopped {
    fn from(_: io::Error) -> Stopped {
        Stopped::Write
    }
}

/// Writes what the survey has found in the first of the two files into the second.
pub(super) fn write(
    source: &Source,
    survey: &Survey,
    (input, output): (&Path, &Path),
    clock: &Clock,
    nonce: u64,
) -> Result<Written, ToolError> {
    let paths = SavePaths::of_output(output, nonce).map_err(ToolError::Save)?;
    let policy = FilePolicy {
        incremental: Incremental::Yes,
        page_cache: PageCache::Release,
        rate: WriteRate::Unlimited,
    };
    let mut progress = Progress::new(clock, "writing", source.bytes);
    let mut read_error = None;
    let written = write_file(&mut System, &paths, policy, |file| {
        let mut pass = Pass { source, survey, db: 0, selected: None, keys: HashSet::new() };
        let result = pass.run(file, &mut progress);
        result.map_err(|stopped| {
            if let Stopped::Read(error) = stopped {
                read_error = Some(error);
            }
            file.write_fault()
        })
    });
    match (written, read_error) {
        (Ok(written), _) => Ok(written.content),
        (Err(_), Some(error)) => Err(ToolError::rdb(input, error)),
        (Err(fault), None) => Err(ToolError::Save(paths.explain(fault))),
    }
}

struct Pass<'p> {
    source: &'p Source,
    survey: &'p Survey,
    /// Of the keys that are read.
    db: u64,
    /// In the new file.
    selected: Option<u64>,
    /// Digests of all that were written.
    keys: HashSet<u128>,
}

impl Pass<'_> {
    fn run(
        &mut self,
        file: &mut GrowingFile<'_, System>,
        progress: &mut Progress,
    ) -> Result<Written, Stopped> {
        let survey = self.survey;
        let version = survey.needed_version;
        let options = WriterOptions { compression: Compression::Lzf, checksum: Checksum::On, version };
        let mut writer = RdbWriter::new(file, options);
        self.head(&mut writer)?;
        let mut written = Written::default();
        for stretch in &survey.stretches {
            self.db = stretch.db.unwrap_or(self.db);
            let before = written.keys;
            let part = self.source.part(stretch.start, stretch.end);
            let options = reader_options(self.source);
            let mut reader = Reader::from_middle(part, survey.version, stretch.start, options);
            let rules = Rules::default();
            while reader.offset() < stretch.end {
                progress.at(reader.offset());
                match reader.next_record(&rules).map_err(Stopped::Read)? {
                    Record::Key(record) => self.key(&mut writer, record, &mut written)?,
                    Record::SelectDb(index) => self.db = index,
                    Record::LeftOut { key, value_type, .. } => {
                        let name = rdb::Printable(key);
                        written.foreign.push(format!("\"{name}\" in db{}: {value_type}", self.db));
                    }
                    _ => {}
                }
            }
            written.stretch_keys.push(written.keys - before);
        }
        let (summary, _) = writer.finish()?;
        written.bytes = summary.bytes;
        Ok(written)
    }

    /// What the old file says about itself stays true, as far as servers still say it; then the libraries.
    fn head(&self, writer: &mut Writer<'_, '_>) -> io::Result<()> {
        const NAMES: [&str; 5] = ["redis-ver", "valkey-ver", "redis-bits", "ctime", "used-mem"];
        let found = |name: &'static str| {
            let found = self.survey.aux.iter().find(|(known, _)| known == name.as_bytes());
            found.map(|(_, value)| (name, value.as_slice()))
        };
        let aux: Vec<_> = NAMES.into_iter().filter_map(found).collect();
        writer.header(&aux)?;
        self.survey.libraries.iter().try_for_each(|library| writer.function_library(library))
    }

    fn key(
        &mut self,
        writer: &mut Writer<'_, '_>,
        record: KeyRecord<'_>,
        written: &mut Written,
    ) -> io::Result<()> {
        let KeyRecord { key, expire_at_ms, access, value, .. } = record;
        if matches!(value, Value::Empty | Value::Expired) {
            written.empty += 1;
            return Ok(());
        }
        if !self.keys.insert(xxh3_128_with_seed(key, self.db)) {
            written.twice += 1;
            return Ok(());
        }
        if self.selected != Some(self.db) {
            writer.switch_db(self.db)?;
            self.selected = Some(self.db);
        }
        written.keys += 1;
        *written.databases.entry(self.db).or_default() += 1;
        match value {
            Value::Int(value) => writer.string(key, expire_at_ms, access, StringValue::Int(value)),
            Value::Bytes(bytes) => writer.string(key, expire_at_ms, access, StringValue::Bytes(bytes)),
            Value::Text(text) => writer.string(key, expire_at_ms, access, StringValue::Bytes(&text)),
            Value::Object(object) => {
                let view = object.view();
                let type_byte = rdb::type_byte(view, self.survey.needed_version);
                writer.begin(key, expire_at_ms, access, type_byte)?;
                rdb::write_value(writer, view)
            }
            Value::Empty | Value::Expired => Ok(()),
        }
    }
}
