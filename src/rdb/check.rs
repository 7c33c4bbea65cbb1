//! A report on a whole file: what is in it, and the first byte that is wrong.
//!
//! Every value is built as a load would build it, and checked deeply; it takes as much memory as the largest of them.
//! Values that have no place in a keyspace are stepped over, so that a report covers the whole of a healthy file
//! whatever is in it.

use super::Input;
use super::error::RdbError;
use super::reader::{Foreign, Reader, ReaderOptions, Record, Value};
use super::verify::ChecksumState;
use super::version::Version;
use crate::object::{Depth, Rules};
use std::collections::{BTreeMap, BTreeSet};

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
            let mut walk = Walk { reader, report, databases: BTreeSet::new(), now_ms };
            walk.report.fault = walk.run(progress).err();
            walk.report.bytes = walk.reader.offset();
            walk.report.databases = walk.databases.len() as u64;
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
    databases: BTreeSet<u64>,
    now_ms: i64,
}

impl<I: Input> Walk<I> {
    fn run(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), RdbError> {
        let (rules, mut database) = (Rules::default(), 0);
        loop {
            match self.reader.next_record(&rules)? {
                Record::Key(key) => {
                    self.databases.insert(database);
                    self.report.empty_keys += u64::from(matches!(key.value, Value::Empty));
                    self.report.count(key.value_type, key.expire_at_ms, self.now_ms);
                }
                Record::LeftOut { value_type, expire_at_ms, .. } => {
                    self.databases.insert(database);
                    self.report.foreign_keys += 1;
                    self.report.count(value_type, expire_at_ms, self.now_ms);
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
                | Record::Building
                | Record::Ignored(_) => {}
            }
            progress(self.reader.offset());
        }
    }
}

impl CheckReport {
    fn count(&mut self, value_type: &'static str, expire_at_ms: Option<i64>, now_ms: i64) {
        self.keys += 1;
        *self.type_counts.entry(value_type).or_default() += 1;
        if let Some(at_ms) = expire_at_ms {
            self.volatile_keys += 1;
            self.expired_keys += u64::from(at_ms < now_ms);
        }
    }
}

fn quoted(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}
