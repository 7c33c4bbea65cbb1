//! Cuts a file into stretches of whole keys, which several threads can decode.
//!
//! ```text
//!  magic aux selectdb | key key key | key key key key | selectdb | key key ... | end
//!       aside         |   stretch   |     stretch     |  aside   |   stretch   |
//! ```
//! The cutter steps over records; what their values mean, it does not ask. All bytes go through the checksum here, in
//! their order.
//!
//! Invariants
//! 1. Stretches follow each other without a gap: who decodes each to exactly its end has decoded the file.
//! 2. What is no key, is too long, or seems wrong is left to a `Reader` (`Cut::Aside`), which goes on, or says what is
//!    wrong. The cutter then goes on where that one says (`skip_to`).
//! 3. As everywhere in this room, announced lengths reserve nothing: the buffer grows when it is full.

use super::cursor::{Cursor, Stop};
use super::error::{Fault, RdbError};
use super::layout::layout;
use super::plain::parse_plain;
use super::records::{Parsed, ParsedValue, Unbuilt, parse, step_over};
use super::version::Version;
use super::{Checksum, Input};
use crate::base::crc::Crc64Redis;
use std::io;

/// About so long is a stretch: it stays in a core's cache while it is cut and decoded.
pub const STRETCH_BYTES: usize = 256 << 10;
/// A longer record is left aside.
const RECORD_BYTES_MAX: usize = 8 << 20;
const CHECKSUM_BYTES: usize = size_of::<u64>();

/// Whole records of keys.
pub struct Stretch {
    pub(super) bytes: Vec<u8>,
    pub(super) len: usize,
    /// Of the first byte in the file.
    pub offset: u64,
}

impl Stretch {
    /// Where the next one begins.
    pub fn end(&self) -> u64 {
        self.offset + self.len as u64
    }

    pub fn bytes(&self) -> usize {
        self.len
    }
}

/// What comes next.
pub enum Cut {
    Keys(Stretch),
    /// What begins at this offset is a `Reader`'s to read.
    Aside {
        offset: u64,
    },
    End(Ending),
}

/// The end of a snapshot.
pub struct Ending {
    pub stored_checksum: Option<u64>,
    /// Whether the input ends where the snapshot does; or a checksum that is wrong.
    pub is_last: Result<bool, RdbError>,
}

pub struct Cutter<I> {
    input: I,
    version: Version,
    checksum: Checksum,
    sum: Crc64Redis,
    /// The first `end` bytes were read and not summed.
    buffer: Vec<u8>,
    end: usize,
    /// Of the buffer's first byte in the file.
    base: u64,
}

/// What a record is to a cutter.
enum Skimmed {
    /// Part of a stretch; so many bytes.
    Key(usize),
    Other,
    /// So many bytes.
    End(usize, Option<u64>),
}

impl<I: Input> Cutter<I> {
    /// `input` begins with the file, whose magic another one has read. To be told by `skip_to` where the first key is.
    pub fn new(input: I, version: Version, checksum: Checksum) -> Self {
        let sum = Crc64Redis::new();
        Cutter { input, version, checksum, sum, buffer: vec![0; STRETCH_BYTES], end: 0, base: 0 }
    }

    /// Where the next stretch begins, unless `skip_to` is called.
    pub fn offset(&self) -> u64 {
        self.base
    }

    /// Cuts off what comes next. The stretch takes the buffer away, and `spare` becomes the next one.
    pub fn cut(&mut self, mut spare: Vec<u8>) -> Cut {
        let mut wanted = STRETCH_BYTES;
        loop {
            let Ok(is_all) = self.fill(wanted) else { return Cut::Aside { offset: self.base } };
            let mut at = 0;
            let stop = loop {
                match skim(&self.buffer[at..self.end], self.version) {
                    Ok(Skimmed::Key(bytes)) => at += bytes,
                    other => break other,
                }
            };
            if at > 0 {
                let offset = self.base;
                self.sum_first(at);
                self.take_over(at, &mut spare);
                return Cut::Keys(Stretch { bytes: spare, len: at, offset });
            }
            match stop {
                Ok(Skimmed::End(bytes, stored_checksum)) => {
                    return Cut::End(self.conclude(bytes, stored_checksum));
                }
                Err(Stop::NeedsBytes(needed)) if !is_all && needed <= RECORD_BYTES_MAX as u64 => {
                    wanted = (needed as usize).max(self.end * 2).min(RECORD_BYTES_MAX);
                }
                _ => return Cut::Aside { offset: self.base },
            }
        }
    }

    /// Goes on at `offset`, not before where the last stretch ended: somebody else has read what is in front of it.
    ///
    /// # Errors
    /// When the input does not reach that far, or cannot be read: then the checksum is lost.
    pub fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        loop {
            let left = offset - self.base;
            let bytes = left.min(self.end as u64) as usize;
            self.sum_first(bytes);
            self.buffer.copy_within(bytes..self.end, 0);
            self.end -= bytes;
            self.base += bytes as u64;
            if self.base == offset {
                return Ok(());
            }
            self.fill(STRETCH_BYTES)?;
            if self.end == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Makes `spare` the buffer, with what stands behind `at`; it becomes what the buffer was.
    fn take_over(&mut self, at: usize, spare: &mut Vec<u8>) {
        let rest = self.end - at;
        if spare.len() < rest.max(STRETCH_BYTES) {
            spare.resize(rest.max(STRETCH_BYTES), 0);
        }
        spare[..rest].copy_from_slice(&self.buffer[at..self.end]);
        std::mem::swap(&mut self.buffer, spare);
        self.base += at as u64;
        self.end = rest;
    }

    /// Reads until `wanted` bytes are there; whether the input ended before.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        while self.end < wanted {
            if self.end == self.buffer.len() {
                self.buffer.resize((self.end * 2).min(wanted), 0);
            }
            let room = wanted.min(self.buffer.len());
            match self.input.read(&mut self.buffer[self.end..room]) {
                Ok(0) => return Ok(true),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn sum_first(&mut self, bytes: usize) {
        if self.checksum == Checksum::On {
            self.sum.update(&self.buffer[..bytes]);
        }
    }

    /// The end record, which is `bytes` long, is at the front.
    fn conclude(&mut self, bytes: usize, stored_checksum: Option<u64>) -> Ending {
        let trailer = if stored_checksum.is_some() { CHECKSUM_BYTES } else { 0 };
        self.sum_first(bytes - trailer);
        let computed = self.sum.value();
        let is_last = match stored_checksum {
            Some(stored) if self.checksum == Checksum::On && stored != 0 && stored != computed => {
                let offset = self.base + (bytes - trailer) as u64;
                Err(RdbError::new(offset, Fault::Checksum { computed, stored }))
            }
            _ => match self.fill(bytes + 1) {
                Ok(_) => Ok(self.end == bytes),
                Err(error) => Err(RdbError::new(self.base + self.end as u64, Fault::Io(error))),
            },
        };
        Ending { stored_checksum, is_last }
    }
}

/// Steps over the record that `bytes` begin with.
#[inline]
fn skim(bytes: &[u8], version: Version) -> Result<Skimmed, Stop> {
    if let Some(places) = parse_plain(bytes) {
        return Ok(Skimmed::Key(places.value.end));
    }
    let mut cursor = Cursor::new(bytes);
    match parse(&mut cursor, version, Unbuilt::StepOver)? {
        Parsed::Key(parsed) => match parsed.value {
            ParsedValue::String(_) | ParsedValue::SteppedOver => {}
            ParsedValue::LongString { len } => drop(cursor.span(len)?),
            ParsedValue::Built(form) => step_over(&mut cursor, layout(form))?,
        },
        // They mean nothing here, and may stand between any two keys.
        Parsed::SlotInfo { .. } | Parsed::ModuleAux { .. } | Parsed::Ignored(_) => {}
        Parsed::End { stored_checksum } => return Ok(Skimmed::End(cursor.at(), stored_checksum)),
        Parsed::Aux { .. } | Parsed::SelectDb(_) | Parsed::ResizeDb { .. } | Parsed::FunctionLibrary(_) => {
            return Ok(Skimmed::Other);
        }
    }
    Ok(Skimmed::Key(cursor.at()))
}
