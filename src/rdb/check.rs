//! A report on a whole file: what is in it, and the first byte that is wrong.
//!
//! Every value is built as a load would build it, and checked deeply; it takes as much memory as the largest of them.
//! Values that have no place in a keyspace are stepped over, so that a report covers the whole of a healthy file
//! whatever is in it.

use super::Input;
use super::error::RdbError;
use super::reader::{Foreign, Reader, ReaderOptions, Record, Value};
use super::statistics::{Counted, OTHER_TYPE, Statistics};
use super::types::type_of_form;
use super::verify::ChecksumState;
use super::version::Version;
use crate::object::{Depth, Rules, View};
use std::collections::BTreeMap;

/// What was found, up to the fault if there is one.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// None if the magic was wrong already.
    pub version: Option<Version>,
    /// Read; the whole file if there is no fault.
    pub bytes: u64,
    pub keys: u64,
    /// Keys with an expiry.
    pub volatile_keys: u64,
    /// Those of them whose time has passed.
    pub expired_keys: u64,
    /// Collections without elements: a load leaves them out.
    pub empty_keys: u64,
    /// Keys whose values cannot be held, those of modules above all.
    pub foreign_keys: u64,
    /// Databases that occur.
    pub databases: u64,
    /// Libraries of functions.
    pub function_libraries: u64,
    /// What the file says about itself, as names and values.
    pub aux: Vec<(String, String)>,
    /// How many keys of each type, by its name.
    pub type_counts: BTreeMap<&'static str, u64>,
    /// Known at the end of a file without fault.
    pub checksum: Option<ChecksumState>,
    pub fault: Option<RdbError>,
    pub statistics: Statistics,
}

/// A file that names itself at more length than this is not quoted further.
const AUX_MAX: usize = 64;

/// Walks over the whole file. `progress` is told the offset after every record.
pub fn check<I: Input>(input: I, now_ms: i64, progress: &mut dyn FnMut(u64)) -> CheckReport {
    let mut report = CheckReport::default();
    let options =
        ReaderOptions { depth: Depth::Deep, foreign: Foreign::StepOver, ..ReaderOptions::default() };
    match Reader::new(input, options) {
        Ok(reader) => {
            report.version = Some(reader.version());
            let mut walk = Walk { reader, report, key: Vec::new(), now_ms };
            walk.report.fault = walk.run(progress).err();
            walk.report.bytes = walk.reader.offset();
            walk.report.databases = walk.report.statistics.databases.len() as u64;
            walk.report
        }
        Err(fault) => {
            report.fault = Some(fault);
            report
        }
    }
}

struct Walk<I> {
    reader: Reader<I>,
    report: CheckReport,
    /// The last one: it is counted when the reader tells where its record ends.
    key: Vec<u8>,
    now_ms: i64,
}

/// What is known of a key before the end of its record is.
struct Found {
    value_type: &'static str,
    form: &'static str,
    elements: u64,
    expire_at_ms: Option<i64>,
}

impl<I: Input> Walk<I> {
    fn run(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), RdbError> {
        let (rules, mut database, mut start) = (Rules::default(), 0, self.reader.offset());
        loop {
            match self.reader.next_record(&rules)? {
                Record::Key(record) => {
                    self.key.clear();
                    self.key.extend_from_slice(record.key);
                    let (value_type, elements) = measure(&record.value, record.value_type);
                    self.report.empty_keys += u64::from(matches!(record.value, Value::Empty));
                    let (form, expire_at_ms) = (record.value_type, record.expire_at_ms);
                    self.count(database, start, Found { value_type, form, elements, expire_at_ms });
                }
                Record::LeftOut { key, value_type: form, expire_at_ms, .. } => {
                    self.key.clear();
                    self.key.extend_from_slice(key);
                    self.report.foreign_keys += 1;
                    let (value_type, elements) = (OTHER_TYPE, 0);
                    self.count(database, start, Found { value_type, form, elements, expire_at_ms });
                }
                Record::Building => {
                    progress(self.reader.offset());
                    continue;
                }
                Record::SelectDb(index) => database = index,
                Record::FunctionLibrary(_) => self.report.function_libraries += 1,
                Record::Aux { name, value } => {
                    if self.report.aux.len() < AUX_MAX {
                        self.report.aux.push((quoted(name), quoted(value)));
                    }
                }
                Record::End { stored_checksum } => {
                    self.report.checksum = Some(match stored_checksum {
                        None => ChecksumState::Absent,
                        Some(0) => ChecksumState::Disabled,
                        Some(sum) => ChecksumState::Checked(sum),
                    });
                    return self.reader.expect_end();
                }
                Record::ResizeDb { .. }
                | Record::SlotInfo { .. }
                | Record::ModuleAux { .. }
                | Record::Ignored(_) => {}
            }
            start = self.reader.offset();
            progress(start);
        }
    }

    /// Counts the key whose record began at `start` and has just been read.
    fn count(&mut self, db: u64, start: u64, found: Found) {
        let Found { value_type, form, elements, expire_at_ms } = found;
        let bytes = self.reader.offset() - start;
        let report = &mut self.report;
        report.keys += 1;
        *report.type_counts.entry(form).or_default() += 1;
        report.volatile_keys += u64::from(expire_at_ms.is_some());
        report.expired_keys += u64::from(expire_at_ms.is_some_and(|at_ms| at_ms < self.now_ms));
        let key = self.key.as_slice();
        let counted = Counted { db, key, value_type, form, bytes, elements, expire_at_ms };
        report.statistics.count(&counted, self.now_ms);
    }
}

/// The type that a value has or would have, and how many elements.
fn measure(value: &Value<'_>, form: &'static str) -> (&'static str, u64) {
    match value {
        Value::Int(_) | Value::Bytes(_) | Value::Text(_) => ("string", 0),
        Value::Object(object) => (object.view().value_type().name(), elements(object.view())),
        Value::Empty | Value::Expired => (type_of_form(form).map_or(OTHER_TYPE, |known| known.name()), 0),
    }
}

fn elements(view: View<'_>) -> u64 {
    match view {
        View::List(list) => list.len() as u64,
        View::Set(set) => set.len() as u64,
        View::Zset(zset) => zset.len() as u64,
        View::Hash(hash) => hash.len() as u64,
        View::Stream(stream) => stream.log().len(),
    }
}

fn quoted(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}
