//! `rdb-salvage`: a sound file of all that can be proven in a damaged one.
//!
//! ```text
//!  mend     the checksum tells a damage of one or two neighbouring bytes, and what they were: undone, nothing is lost
//!  survey   read ──▶ fault ──▶ search for the next proven place ──▶ read ──▶ ... ──▶ end
//!           stretch 1   gap                                        stretch 2
//!  write    the stretches once more, into a new file
//! ```
//! | file | what |
//! |---|---|
//! | `survey` | the stretches and gaps of a file |
//! | `write` | the new file |
//! | `report` | what was saved, and what was not, for people |
//!
//! What is proven
//! 1. In front of the first fault: every record that was read; but what lies over the way to the next proven place
//!    contradicts it, and is left out, as is an empty name or a SELECTDB right in front of the fault: zeros, and any
//!    two bytes, look like that.
//! 2. Behind a fault: what stands behind 64 bits of evidence (`rdb::resync`), up to the next fault.
//! 3. A key that comes twice is saved once, as it came first.
//! 4. The database of keys behind a gap is the one selected last, as far as could be read: the report says so.
//!
//! What cannot be: a text that is written as it is has nothing that tells its right bytes from wrong ones. A damage
//! inside one, or one that swaps a length for another that fits, shows in the checksum only, and the report says that
//! it does not fit. The damaged file is never touched; the new one takes its name when it is whole.

mod report;
mod survey;
#[cfg(test)]
mod tests;
mod write;

use super::progress::Progress;
use super::sink::Sink;
use super::{ToolError, Verdict, open};
use crate::base::clock::Clock;
use crate::base::crc::Crc64Redis;
use crate::persist::source::Source;
use crate::rdb::mend::{self, Mend};
use crate::rdb::{self, Input, Reader, ReaderOptions, Record, Version};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use survey::Survey;
use write::Written;

/// The checksum at the end of a file.
const SUM_BYTES: u64 = 8;

/// What the checksum says of the file as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sum {
    /// None was made, or the file is of a version without.
    Unknown,
    Right,
    /// It was damaged itself: what it is of is right.
    DamagedItself,
    /// It is right for the file with these bytes changed.
    Mended(Mend),
    Wrong,
}

/// Saves what can be proven of `input` in `output`. Good: that is all of it.
///
/// # Errors
/// When nothing was written: `input` cannot be read, holds nothing, or is `output`; or `output` cannot be written.
pub fn salvage(
    input: &Path,
    output: &Path,
    clock: &Clock,
    nonce: u64,
    out: &mut Sink<'_>,
) -> Result<Verdict, ToolError> {
    let mut source = open(input)?;
    refuse_same(input, output)?;
    let sum = judge(&mut source, input, clock)?;
    let survey = Survey::make(&source, input, sum, clock)?;
    let written = write::write(&source, &survey, (input, output), clock, nonce)?;
    report::write(&survey, &written, sum, (input, output), out);
    out.flush().map_err(ToolError::Output)?;
    Ok(Verdict::good_if(is_whole(&survey, &written, sum)))
}

fn is_whole(survey: &Survey, written: &Written, sum: Sum) -> bool {
    survey.gaps.is_empty() && survey.is_ended && sum != Sum::Wrong && written.left_out() == 0
}

/// Overwriting what one wants to save is never meant.
fn refuse_same(input: &Path, output: &Path) -> Result<(), ToolError> {
    let identity = |path| std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino())).ok();
    if identity(output).is_some_and(|of_output| identity(input) == Some(of_output)) {
        let name = output.display();
        return Err(ToolError::Usage(format!("{name} is the damaged file itself: name another one")));
    }
    Ok(())
}

/// Looks at the checksum, and undoes a small damage if that makes a file that can be read from one end to the other.
fn judge(source: &mut Source, path: &Path, clock: &Clock) -> Result<Sum, ToolError> {
    let failed = |error| ToolError::file("read", path, error);
    let Some(content_bytes) = source.bytes.checked_sub(SUM_BYTES) else { return Ok(Sum::Unknown) };
    let mut stored = [0; SUM_BYTES as usize];
    if source.read_full(content_bytes, &mut stored).map_err(failed)? < stored.len() {
        return Ok(Sum::Unknown);
    }
    let stored = u64::from_le_bytes(stored);
    if stored == 0 {
        return Ok(Sum::Unknown);
    }
    let computed = computed_sum(source, content_bytes, path, clock)?;
    if computed == stored {
        return Ok(if reads_through(source, clock) { Sum::Right } else { Sum::Unknown });
    }
    if mend::is_damage_of_sum(computed, stored) && reads_through(source, clock) {
        return Ok(Sum::DamagedItself);
    }
    source.mend = mend::locate(computed, stored, content_bytes);
    match source.mend {
        Some(mend) if reads_through(source, clock) => Ok(Sum::Mended(mend)),
        _ => {
            source.mend = None;
            Ok(Sum::Wrong)
        }
    }
}

fn computed_sum(source: &Source, bytes: u64, path: &Path, clock: &Clock) -> Result<u64, ToolError> {
    const BUFFER_BYTES: usize = 1 << 20;
    let mut progress = Progress::new(clock, "computing the checksum", bytes);
    let (mut part, mut buffer, mut sum) = (source.part(0, bytes), vec![0; BUFFER_BYTES], Crc64Redis::new());
    let mut at = 0;
    loop {
        let count = part.read(&mut buffer).map_err(|error| ToolError::file("read", path, error))?;
        if count == 0 {
            return Ok(sum.value());
        }
        sum.update(&buffer[..count]);
        at += count as u64;
        progress.at(at);
    }
}

/// Whether the file, as it would be read, is one sound snapshot; of its checksum others judge.
fn reads_through(source: &Source, clock: &Clock) -> bool {
    let mut progress = Progress::new(clock, "reading", source.bytes);
    let options = ReaderOptions { checksum: rdb::Checksum::Off, ..survey::reader_options(source) };
    let Ok(mut reader) = Reader::new(source.whole(), options) else { return false };
    let rules = crate::object::Rules::default();
    loop {
        match reader.next_record(&rules) {
            Ok(Record::End { .. }) => break,
            Ok(_) => progress.at(reader.offset()),
            Err(_) => return false,
        }
    }
    reader.at_end().is_ok_and(|at_end| at_end)
}

/// As which version the file is read: what its magic says, or, if that is damaged, the one that knows most.
fn version_of(source: &Source, path: &Path) -> Result<(Version, bool), ToolError> {
    const MAGIC_BYTES: usize = rdb::version::MAGIC_LEN;
    let mut magic = [0; MAGIC_BYTES];
    let read = source.read_full(0, &mut magic).map_err(|error| ToolError::file("read", path, error))?;
    if read < magic.len() {
        return Err(ToolError::Usage(format!("{}: too short to hold anything", path.display())));
    }
    match Version::from_magic(&magic) {
        Ok(version) => Ok((version, true)),
        Err(_) => Ok((Version::NEWEST, false)),
    }
}
