//! `rdb-export`: every key of a file as JSON, as CSV, or as the commands that make it again.
//!
//! | file | what |
//! |---|---|
//! | `json` | one object a line |
//! | `csv` | one row an element |
//! | `resp` | commands, for `redis-cli --pipe` |
//!
//! What stands before a fault in the file is exported; the fault is told then. Values of modules, and of types that
//! cannot be held here, are left out and counted; so are collections without elements. Keys whose time has passed are
//! in the file, and so in the output.

mod csv;
mod json;
mod resp;

use super::progress::Progress;
use super::sink::Sink;
use super::{ToolError, open};
use crate::base::clock::Clock;
use crate::base::glob::{self, Case};
use crate::base::number::{self, NumberText};
use crate::object::{Depth, Object, Rules, ValueType};
use crate::rdb::{Foreign, KeyRecord, Reader, ReaderOptions, Record, Value};
use std::borrow::Cow;
use std::path::Path;

/// The language of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
    Resp,
}

/// Which keys; None takes all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub db: Option<u64>,
    /// As KEYS takes it.
    pub pattern: Option<Vec<u8>>,
    pub value_type: Option<ValueType>,
}

impl Filter {
    fn takes_all(&self) -> bool {
        self.db.is_none() && self.pattern.is_none() && self.value_type.is_none()
    }

    fn takes(&self, key: &Exported<'_>) -> bool {
        let matches = |pattern: &Vec<u8>| pattern == b"*" || glob::matches(pattern, key.key, Case::Sensitive);
        self.db.is_none_or(|db| db == key.db)
            && self.value_type.is_none_or(|value_type| value_type == key.content.value_type())
            && self.pattern.as_ref().is_none_or(matches)
    }
}

/// What became of the keys of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub exported: u64,
    /// Of modules, and of types that cannot be held here.
    pub foreign: u64,
    /// Libraries of functions that the format has no place for.
    pub libraries_left_out: u64,
}

/// One key of the output.
struct Exported<'a> {
    db: u64,
    key: &'a [u8],
    expire_at_ms: Option<i64>,
    content: Content<'a>,
}

enum Content<'a> {
    Int(NumberText),
    Bytes(Cow<'a, [u8]>),
    Object(Object),
}

impl Content<'_> {
    fn value_type(&self) -> ValueType {
        match self {
            Content::Int(_) | Content::Bytes(_) => ValueType::String,
            Content::Object(object) => object.view().value_type(),
        }
    }
}

impl<'a> Exported<'a> {
    /// None if there is no value.
    fn of(record: KeyRecord<'a>, db: u64) -> Option<Exported<'a>> {
        let content = match record.value {
            Value::Int(value) => Content::Int(number::format_i64(value)),
            Value::Bytes(bytes) => Content::Bytes(Cow::Borrowed(bytes)),
            Value::Text(text) => Content::Bytes(Cow::Owned(text)),
            Value::Object(object) => Content::Object(object),
            Value::Empty | Value::Expired => return None,
        };
        Some(Exported { db, key: record.key, expire_at_ms: record.expire_at_ms, content })
    }
}

/// Writes what of the file `filter` takes to `out`.
///
/// # Errors
/// A file that cannot be read or is damaged, or an output that cannot be written.
pub fn export(
    path: &Path,
    format: Format,
    filter: &Filter,
    clock: &Clock,
    out: &mut Sink<'_>,
) -> Result<Outcome, ToolError> {
    let source = open(path)?;
    let mut progress = Progress::new(clock, "exporting", source.bytes);
    let options = ReaderOptions {
        depth: Depth::Deep,
        foreign: Foreign::StepOver,
        input_bytes: source.bytes,
        ..ReaderOptions::default()
    };
    if format == Format::Csv {
        csv::write_head(out);
    }
    let result = Reader::new(source.whole(), options)
        .map_err(|error| ToolError::rdb(path, error))
        .and_then(|reader| Export { reader, format, filter, path }.run(&mut progress, out));
    // What stands before a fault goes out in any case.
    out.flush().map_err(ToolError::Output)?;
    result
}

struct Export<'e, I> {
    reader: Reader<I>,
    format: Format,
    filter: &'e Filter,
    path: &'e Path,
}

impl<I: crate::rdb::Input> Export<'_, I> {
    fn run(mut self, progress: &mut Progress, out: &mut Sink<'_>) -> Result<Outcome, ToolError> {
        let (rules, mut outcome, mut db) = (Rules::default(), Outcome::default(), 0);
        let mut commands = resp::Commands::default();
        loop {
            progress.at(self.reader.offset());
            match self.reader.next_record(&rules).map_err(|error| ToolError::rdb(self.path, error))? {
                Record::Key(record) => {
                    let Some(exported) = Exported::of(record, db) else { continue };
                    if !self.filter.takes(&exported) {
                        continue;
                    }
                    match self.format {
                        Format::Json => json::write(&exported, out),
                        Format::Csv => csv::write(&exported, out),
                        Format::Resp => commands.write(&exported, out),
                    }
                    outcome.exported += 1;
                    out.settle().map_err(ToolError::Output)?;
                }
                Record::SelectDb(index) => db = index,
                Record::LeftOut { .. } => outcome.foreign += 1,
                Record::FunctionLibrary(source) if self.filter.takes_all() => match self.format {
                    Format::Resp => commands.write_library(source, out),
                    Format::Json | Format::Csv => outcome.libraries_left_out += 1,
                },
                Record::End { .. } => return Ok(outcome),
                Record::Aux { .. }
                | Record::ResizeDb { .. }
                | Record::SlotInfo { .. }
                | Record::FunctionLibrary(_)
                | Record::ModuleAux { .. }
                | Record::Building
                | Record::Ignored(_) => {}
            }
        }
    }
}
