//! A report on a whole file: what is in it, and the first byte that is wrong.
//!
//! Values of types that cannot be loaded yet are stepped over by their layout, so that a report covers the
//! whole of a healthy file whatever is in it; such a value is held in memory as a whole meanwhile. Strings
//! are decompressed, as a load would.

use super::error::{Fault, RdbError};
use super::frames::{Frame, Frames};
use super::records::{Parsed, ParsedKey, ParsedValue, Unbuilt};
use super::verify::ChecksumState;
use super::version::Version;
use super::{Checksum, Input};
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
    let mut walk = Walk {
        frames: Frames::new(input, Checksum::On),
        report: CheckReport::default(),
        databases: BTreeSet::new(),
        now_ms,
        scratch: Vec::new(),
        value_scratch: Vec::new(),
    };
    walk.report.fault = walk.run(progress).err();
    walk.report.bytes = walk.frames.offset();
    walk.report.databases = walk.databases.len() as u64;
    walk.report
}

struct Walk<I> {
    frames: Frames<I>,
    report: CheckReport,
    databases: BTreeSet<u64>,
    now_ms: i64,
    scratch: Vec<u8>,
    value_scratch: Vec<u8>,
}

impl<I: Input> Walk<I> {
    fn run(&mut self, progress: &mut dyn FnMut(u64)) -> Result<(), RdbError> {
        let version = self.frames.magic()?;
        self.report.version = Some(version);
        let mut database = 0;
        loop {
            let frame = self.frames.next(version, Unbuilt::StepOver)?;
            match frame.parsed {
                Parsed::Key(ref key) => {
                    self.key(&frame, key)?;
                    self.databases.insert(database);
                }
                Parsed::SelectDb(index) => database = index,
                Parsed::FunctionLibrary(source) => {
                    self.frames.text(&frame, source, &mut self.scratch)?;
                    self.report.function_libraries += 1;
                }
                Parsed::Aux { name, value } => {
                    let name = self.frames.text(&frame, name, &mut self.scratch)?;
                    let value = self.frames.text(&frame, value, &mut self.value_scratch)?;
                    if self.report.aux.len() < AUX_MAX {
                        self.report.aux.push((quoted(name), quoted(value)));
                    }
                }
                Parsed::End { stored_checksum } => {
                    self.report.checksum = Some(match stored_checksum {
                        None => ChecksumState::Absent,
                        Some(0) => ChecksumState::Disabled,
                        Some(sum) => ChecksumState::Checked(sum),
                    });
                    return self.expect_nothing_more();
                }
                Parsed::ResizeDb { .. }
                | Parsed::SlotInfo { .. }
                | Parsed::ModuleAux { .. }
                | Parsed::Ignored(_) => {}
            }
            progress(self.frames.offset());
        }
    }

    fn expect_nothing_more(&mut self) -> Result<(), RdbError> {
        let offset = self.frames.offset();
        if self.frames.at_end()? {
            return Ok(());
        }
        Err(RdbError::new(offset, Fault::Corrupt("Bytes after the end of the snapshot")))
    }

    fn key(&mut self, frame: &Frame, parsed: &ParsedKey) -> Result<(), RdbError> {
        let key = self.frames.text(frame, parsed.key, &mut self.scratch)?;
        match parsed.value {
            ParsedValue::String(text) => {
                self.frames
                    .text(frame, text, &mut self.value_scratch)
                    .map_err(|error| RdbError { key: Some(key.into()), ..error })?;
            }
            ParsedValue::SteppedOver => {}
        }
        self.report.keys += 1;
        *self.report.type_counts.entry(parsed.value_type.name).or_default() += 1;
        if let Some(at_ms) = parsed.expire_at_ms {
            self.report.volatile_keys += 1;
            self.report.expired_keys += u64::from(at_ms < self.now_ms);
        }
        Ok(())
    }
}

fn quoted(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}
