//! A load by a team: the loop's part.
//!
//! ```text
//!  aside ──▶ stretches, in order ──▶ aside ──▶ ... ──▶ end
//!                └──▶ alone: the loop goes on without the team, from a stretch with something wrong in it
//! ```
//! What is no key, and what is too long for a stretch, the loop reads itself (`aside`), up to the next key.

use super::decode::Batch;
use super::making::Terms;
use super::team::{Next, Team, Work};
use super::{Budget, FileInput, KeyDelay, LoadError, Loading, RECORDS_PER_LOOK, Target, Was, reader_options};
use crate::base::cpus;
use crate::keyspace::Keyspace;
use crate::rdb::{RdbError, Reader, Version};

/// A smaller file is loaded before a thread has begun.
const WORTHWHILE_BYTES_MIN: u64 = 4 << 20;
/// More threads than these are not had unasked.
const AUTOMATIC_MAX: usize = 2;
/// Between two turns of the loop's own reading there should be so much of the file.
const BETWEEN_BYTES_MIN: u64 = 1 << 20;
/// And otherwise the loop goes on reading for a while: for so long at first.
const ASIDE_BYTES_MIN: u64 = 64 << 10;

/// A team, and the loop's own reading.
pub(super) struct Together {
    team: Team,
    version: Version,
    aside: Option<Aside>,
    /// How long the next reading of the loop's own lasts at least.
    aside_bytes: u64,
    /// Where the last one ended.
    aside_end: u64,
}

struct Aside {
    reader: Box<Reader<FileInput>>,
    /// It ends with the first key that ends behind this.
    until: u64,
}

/// How a step ended.
pub(super) enum Turn {
    More,
    /// The loop reads on to the end. Nobody sums what it reads.
    Alone(Box<Reader<FileInput>>),
    /// The end of the snapshot, and whether it is the end of the file.
    Ended(Result<bool, RdbError>),
}

impl Loading {
    /// Starts a team, if one is wanted.
    pub(super) fn begin_together(
        &mut self,
        reader: Box<Reader<FileInput>>,
        keyspace: &Keyspace,
        now_ms: i64,
    ) -> Result<Box<Together>, Box<Reader<FileInput>>> {
        let is_plain = self.options.target == Target::Keyspace && self.options.key_delay == KeyDelay(0);
        let threads = if is_plain { load_threads(self.options.threads, self.total_bytes) } else { 1 };
        if threads < 2 {
            return Err(reader);
        }
        let Ok(input) = FileInput::at(&self.file, 0) else { return Err(reader) };
        let version = reader.version();
        let work = Work { input, version, options: reader_options(self.options, self.total_bytes, now_ms) };
        match Team::start(work, threads, Terms::of(keyspace, now_ms)) {
            Some(team) => {
                let aside = Some(Aside { reader, until: 0 });
                Ok(Box::new(Together { team, version, aside, aside_bytes: 0, aside_end: 0 }))
            }
            None => Err(reader),
        }
    }

    /// A step of the load.
    pub(super) fn share(
        &mut self,
        together: &mut Together,
        keyspace: &mut Keyspace,
        now_ms: i64,
        budget: &mut Budget<'_>,
    ) -> Result<Turn, LoadError> {
        let until = self.loaded_bytes.saturating_add(budget.bytes);
        let terms = Terms::of(keyspace, now_ms);
        together.team.set_terms(terms);
        loop {
            if together.aside.is_some() {
                self.read_aside(together, keyspace, now_ms, &terms)?;
            } else {
                match together.team.next() {
                    Next::Batch(batch) => self.take_batch(together, batch, keyspace)?,
                    Next::Aside { offset } => {
                        let reader = self.reader_at(together.version, offset, now_ms)?;
                        together.begin_aside(reader, offset);
                    }
                    Next::Alone { offset } => {
                        return Ok(Turn::Alone(self.reader_at(together.version, offset, now_ms)?));
                    }
                    Next::End(ending) => {
                        self.say_if_unchecked(ending.stored_checksum);
                        return Ok(Turn::Ended(ending.is_last));
                    }
                    Next::Nothing => {}
                }
            }
            if self.loaded_bytes >= until || (budget.is_over)() {
                return Ok(Turn::More);
            }
        }
    }

    /// Reads some records, or to the end of the loop's own reading.
    fn read_aside(
        &mut self,
        together: &mut Together,
        keyspace: &mut Keyspace,
        now_ms: i64,
        terms: &Terms,
    ) -> Result<(), LoadError> {
        let Some(Aside { reader, until }) = &mut together.aside else { return Ok(()) };
        let mut ended = None;
        for _ in 0..RECORDS_PER_LOOK {
            let before = reader.offset();
            ended = match self.read_record(reader, keyspace, now_ms, terms)? {
                Was::Key => Some(reader.offset()).filter(|offset| offset > until),
                // The cutter has the checksum.
                Was::End(_) => Some(before),
                Was::Part => break,
                Was::Other => None,
            };
            if ended.is_some() {
                break;
            }
        }
        self.settle(keyspace)?;
        self.loaded_bytes = ended.unwrap_or(reader.offset());
        if let Some(offset) = ended {
            together.end_aside(offset);
        }
        Ok(())
    }

    fn take_batch(
        &mut self,
        together: &Together,
        batch: Batch,
        keyspace: &mut Keyspace,
    ) -> Result<(), LoadError> {
        let Batch { mut arrivals, expired, left_out, end } = batch;
        self.keys_loaded += arrivals.len() as u64;
        self.keys_expired += expired;
        left_out.iter().for_each(|left_out| self.leave_out(&left_out.key, &left_out.why));
        let placed = self.place.take_all(keyspace, &mut arrivals);
        self.expect_placed(placed)?;
        together.team.give_back(arrivals);
        self.loaded_bytes = end;
        Ok(())
    }

    fn reader_at(
        &self,
        version: Version,
        offset: u64,
        now_ms: i64,
    ) -> Result<Box<Reader<FileInput>>, LoadError> {
        let open = |error| LoadError::Open { path: self.path.clone(), error };
        let input = FileInput::at(&self.file, offset).map_err(open)?;
        let options = reader_options(self.options, self.total_bytes, now_ms);
        Ok(Box::new(Reader::from_middle(input, version, offset, options)))
    }
}

#[cfg(test)]
impl Loading {
    /// Something that lives as long as one of the threads, or the team, does.
    fn watch_team(&self) -> Option<std::sync::Weak<impl Sized + use<>>> {
        match &self.stage {
            super::Stage::Together(together) => Some(together.team.watch()),
            _ => None,
        }
    }
}

impl Together {
    fn begin_aside(&mut self, reader: Box<Reader<FileInput>>, offset: u64) {
        // Changes of the database between every two keys would have us read the file many times over.
        self.aside_bytes = match offset - self.aside_end {
            BETWEEN_BYTES_MIN.. => 0,
            _ => (self.aside_bytes * 2).max(ASIDE_BYTES_MIN),
        };
        self.aside = Some(Aside { reader, until: offset + self.aside_bytes });
    }

    fn end_aside(&mut self, offset: u64) {
        self.aside = None;
        self.aside_end = offset;
        self.team.go_on_at(offset);
    }
}

/// For `rdb-load-threads`; the loop is one of them.
fn load_threads(configured: u32, file_bytes: u64) -> usize {
    match configured {
        0 if file_bytes < WORTHWHILE_BYTES_MIN => 1,
        0 => cpus::usable().min(AUTOMATIC_MAX),
        threads => threads as usize,
    }
}

#[cfg(test)]
mod tests;
