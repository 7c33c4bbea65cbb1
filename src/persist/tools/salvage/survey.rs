//! The first pass: which stretches of a file hold records, and what is between them.

use super::super::ToolError;
use super::super::progress::Progress;
use super::{SUM_BYTES, Sum, computed_sum, version_of};
use crate::base::clock::Clock;
use crate::object::{Depth, Rules};
use crate::persist::source::{Part, Source};
use crate::rdb::resync::{Ends, Resync, Search};
use crate::rdb::version::MAGIC_LEN;
use crate::rdb::{Fault, Foreign, RdbError, Reader, ReaderOptions, Record, VERSION_BASE, Value, Version};
use std::collections::VecDeque;
use std::io;
use std::path::Path;

/// A damage may have begun in the records before the one that cannot be read: so many are looked into again.
const DOUBTED_RECORDS: usize = 8;
/// What is searched through at a time, half of it for beginnings.
const SEARCH_BYTES: u64 = 4 << 20;

/// What is known of a file after the first pass.
pub(super) struct Survey {
    pub(super) version: Version,
    /// Of the magic; else the version is a guess.
    pub(super) is_version_known: bool,
    pub(super) stretches: Vec<Stretch>,
    pub(super) gaps: Vec<Gap>,
    /// Whether the end record was found.
    pub(super) is_ended: bool,
    /// What stands behind it.
    pub(super) trailing_bytes: u64,
    /// The version of RDB that a file of all this needs.
    pub(super) needed_version: u16,
    /// What the file says about itself.
    pub(super) aux: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) libraries: Vec<Vec<u8>>,
}

/// Bytes that hold one sound record after the other.
pub(super) struct Stretch {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Selected in front of it, in what is not believed itself. None: whatever was selected before.
    pub(super) db: Option<u64>,
}

/// Bytes that are not believed.
pub(super) struct Gap {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) fault: RdbError,
}

/// Values are checked as deeply as can be, and nothing is dropped.
pub(super) fn reader_options(source: &Source) -> ReaderOptions {
    ReaderOptions {
        depth: Depth::Deep,
        foreign: Foreign::StepOver,
        input_bytes: source.bytes,
        ..ReaderOptions::default()
    }
}

/// How a stretch ended.
enum Outcome {
    /// With the end record.
    End,
    Fault(RdbError),
}

/// A stretch as far as it was read.
struct Reading<'s> {
    reader: Reader<Part<'s>>,
    /// Where the last records begin, and behind them the place where the next one would.
    begins: VecDeque<u64>,
    last_key: Option<Vec<u8>>,
    /// The last record selects a database.
    is_selection: bool,
}

impl Survey {
    pub(super) fn make(source: &Source, path: &Path, sum: Sum, clock: &Clock) -> Result<Survey, ToolError> {
        let (version, is_version_known) = version_of(source, path)?;
        let mut survey = Survey {
            version,
            is_version_known,
            stretches: Vec::new(),
            gaps: Vec::new(),
            is_ended: false,
            trailing_bytes: 0,
            needed_version: VERSION_BASE,
            aux: Vec::new(),
            libraries: Vec::new(),
        };
        let mut progress = Progress::new(clock, "reading", source.bytes);
        let failed = |error| ToolError::file("read", path, error);
        let (mut start, mut db) = (MAGIC_LEN as u64, None);
        loop {
            let mut reading = Reading::at(source, version, start);
            let fault = match survey.read(&mut reading, sum, &mut progress) {
                Outcome::End => {
                    let end = reading.reader.offset();
                    if is_last_end(source, version, end, path, clock)?
                        || !reading.goes_on(source).map_err(failed)?
                    {
                        survey.stretches.push(Stretch { start, end, db });
                        (survey.is_ended, survey.trailing_bytes) = (true, source.bytes.saturating_sub(end));
                        return Ok(survey);
                    }
                    let fault = Fault::Corrupt("An end record, and records behind it");
                    RdbError { offset: reading.end(), key: None, fault }
                }
                Outcome::Fault(RdbError { fault: Fault::Io(error), .. }) => return Err(failed(error)),
                Outcome::Fault(fault) => fault,
            };
            reading.doubt_last();
            let end = reading.end();
            let found = search(source, version, &reading.begins, &mut progress).map_err(failed)?;
            let believed = found.map_or(end, |found| reading.before(found.first));
            if believed > start {
                survey.stretches.push(Stretch { start, end: believed, db });
            }
            let gap_end = found.map_or(source.bytes, |found| found.at);
            if gap_end > believed {
                survey.gaps.push(Gap { start: believed, end: gap_end, fault });
            }
            let Some(found) = found else { return Ok(survey) };
            (start, db) = (found.at, found.db);
        }
    }

    /// Reads on as far as there are records.
    fn read(&mut self, reading: &mut Reading<'_>, sum: Sum, progress: &mut Progress) -> Outcome {
        let rules = Rules::default();
        loop {
            progress.at(reading.reader.offset());
            let offset = reading.end();
            let record = match reading.reader.next_record(&rules) {
                Ok(record) => record,
                Err(error) => return Outcome::Fault(error),
            };
            reading.is_selection = matches!(record, Record::SelectDb(_));
            let key = match record {
                Record::Building => continue,
                Record::End { .. } => return Outcome::End,
                Record::Key(record) => {
                    match &record.value {
                        Value::Object(object) => {
                            self.needed_version = self.needed_version.max(object.view().rdb_version());
                        }
                        // Servers write no such thing; damages look like it.
                        Value::Empty | Value::Expired if sum == Sum::Wrong => {
                            let key = Some(record.key.into());
                            let fault = Fault::Corrupt("A value without elements");
                            return Outcome::Fault(RdbError { offset, key, fault });
                        }
                        _ => {}
                    }
                    Some(record.key.to_vec())
                }
                Record::LeftOut { key, .. } => Some(key.to_vec()),
                Record::Aux { name, value } => {
                    self.aux.push((name.into(), value.into()));
                    None
                }
                Record::FunctionLibrary(library) => {
                    self.libraries.push(library.into());
                    None
                }
                _ => None,
            };
            if let Some(fault) = reading.took(key) {
                return Outcome::Fault(fault);
            }
        }
    }
}

impl<'s> Reading<'s> {
    fn at(source: &'s Source, version: Version, start: u64) -> Reading<'s> {
        let part = source.part(start, u64::MAX);
        let reader = Reader::from_middle(part, version, start, reader_options(source));
        Reading { reader, begins: VecDeque::from([start]), last_key: None, is_selection: false }
    }

    /// Notes the record that was read. Two in a row with the same key are a fault, and neither is believed.
    fn took(&mut self, key: Option<Vec<u8>>) -> Option<RdbError> {
        if key.is_some() && key == self.last_key {
            self.begins.pop_back();
            self.last_key = None;
            let (offset, key) = (self.end(), key.map(Vec::into_boxed_slice));
            let fault = Fault::Corrupt("The same key twice in a row");
            return Some(RdbError { offset, key, fault });
        }
        self.last_key = key;
        self.begins.push_back(self.reader.offset());
        if self.begins.len() > DOUBTED_RECORDS + 1 {
            self.begins.pop_front();
        }
        None
    }

    /// Zeros read as an empty name and an empty text, and two bytes select a database: neither is believed where a
    /// damage follows.
    fn doubt_last(&mut self) {
        if self.is_selection || self.last_key.as_ref().is_some_and(Vec::is_empty) {
            self.begins.pop_back();
        }
    }

    /// Whether records can be proven behind the end record that was read.
    fn goes_on(&self, source: &Source) -> io::Result<bool> {
        let behind = VecDeque::from([self.end()]);
        let found = search(source, self.reader.version(), &behind, &mut Progress::unseen())?;
        Ok(found.is_some())
    }

    /// Where the last record that was read ends.
    fn end(&self) -> u64 {
        self.begins.back().copied().unwrap_or_default()
    }

    /// The end of the records that lie in front of `place`.
    fn before(&self, place: u64) -> u64 {
        let in_front = self.begins.iter().rev().find(|begin| **begin <= place);
        in_front.or(self.begins.front()).copied().unwrap_or_default()
    }
}

/// Whether the snapshot ends at `end`: with the file, or at least with the right checksum of all before it.
fn is_last_end(
    source: &Source,
    version: Version,
    end: u64,
    path: &Path,
    clock: &Clock,
) -> Result<bool, ToolError> {
    if end == source.bytes || !version.has_checksum() {
        return Ok(true);
    }
    let mut stored = [0; SUM_BYTES as usize];
    let content_bytes = end - SUM_BYTES;
    source.read_full(content_bytes, &mut stored).map_err(|error| ToolError::file("read", path, error))?;
    Ok(computed_sum(source, content_bytes, path, clock)? == u64::from_le_bytes(stored))
}

/// As `Resync`, with places in the file.
#[derive(Clone, Copy)]
struct Found {
    first: u64,
    at: u64,
    db: Option<u64>,
}

/// Looks for the next proven place, from the doubted records on, whose beginnings and end are `begins`.
fn search(
    source: &Source,
    version: Version,
    begins: &VecDeque<u64>,
    progress: &mut Progress,
) -> io::Result<Option<Found>> {
    let (Some(doubted), Some(faulty)) = (begins.front(), begins.back()) else { return Ok(None) };
    let mut from = (*doubted).max(faulty.saturating_sub(SEARCH_BYTES / 4));
    let mut buffer = Vec::new();
    while from < source.bytes {
        progress.at(from);
        let stretch = (source.bytes - from).min(SEARCH_BYTES) as usize;
        buffer.resize(stretch, 0);
        let read = source.read_full(from, &mut buffer)?;
        let bytes = &buffer[..read];
        let ends = if from + read as u64 == source.bytes { Ends::WithFile } else { Ends::Before };
        let candidates = match ends {
            Ends::WithFile => read,
            Ends::Before => read / 2,
        };
        let faulty = faulty.checked_sub(from).map(|at| at as usize).filter(|at| *at <= read);
        let found = Search::new(bytes, ends, version, faulty).find(0..candidates);
        if let Some(Resync { first, at, db }) = found {
            return Ok(Some(Found { first: from + first as u64, at: from + at as u64, db }));
        }
        if ends == Ends::WithFile {
            return Ok(None);
        }
        from += candidates as u64;
    }
    Ok(None)
}
