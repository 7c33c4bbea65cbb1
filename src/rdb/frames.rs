//! Records out of a stream of bytes: the buffer between an `Input` and the grammar.
//!
//! ```text
//! buffer   [ consumed, not summed | record being parsed | read ahead | free ]
//!            summed                 start                            end
//! ```
//! Invariants
//! 1. `summed <= start <= end <= buffer.len()`; `base` is the offset of the buffer's first byte in the
//!    stream.
//! 2. A parsed record lies whole in the buffer until the next one is asked for: its parts can be borrowed. Of a value
//!    that is built piece by piece only the piece does.
//! 3. The buffer grows only when it is full of bytes of one record, and then to twice its size: an announced
//!    length alone reserves nothing. It shrinks when no large record has come for a while.

use super::cursor::{Cursor, Stop, Text};
use super::error::{Fault, RdbError};
use super::plain::{PlainString, parse_plain};
use super::records::{Parsed, Unbuilt, parse};
use super::version::{MAGIC_LEN, Version};
use super::{Checksum, Input};
use crate::base::crc::Crc64Redis;
use crate::base::lzf::decompress;
use std::io;

const BUFFER_BYTES: usize = 256 << 10;
/// A large buffer that was not needed for so many reads goes.
const CALM_READS: u32 = 16;

pub(super) struct Frames<I> {
    input: I,
    buffer: Vec<u8>,
    base: u64,
    summed: usize,
    start: usize,
    end: usize,
    /// Reads since the buffer was needed to be as large as it is.
    calm_reads: u32,
    checksum: Checksum,
    sum: Crc64Redis,
}

/// A parsed record and where it lies.
pub(super) struct Frame {
    pub(super) parsed: Parsed,
    /// In the stream.
    pub(super) offset: u64,
    /// In the buffer.
    from: usize,
}

impl<I: Input> Frames<I> {
    /// `base` is the offset of the input's first byte.
    pub(super) fn new(input: I, checksum: Checksum, base: u64) -> Self {
        let buffer = vec![0; BUFFER_BYTES];
        let sum = Crc64Redis::new();
        Frames { input, buffer, base, summed: 0, start: 0, end: 0, calm_reads: 0, checksum, sum }
    }

    /// Takes `len` bytes at `base` of the stream in the place of all that was there; returns the buffer of before.
    pub(super) fn replace(&mut self, bytes: Vec<u8>, len: usize, base: u64) -> Vec<u8> {
        debug_assert!(len <= bytes.len());
        (self.base, self.summed, self.start, self.end) = (base, 0, 0, len);
        std::mem::replace(&mut self.buffer, bytes)
    }

    /// The offset of the next record.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// The first thing to ask for.
    pub(super) fn magic(&mut self) -> Result<Version, RdbError> {
        self.fill(MAGIC_LEN as u64, MAGIC_LEN)?;
        let magic = self.buffer[self.start..].first_chunk().expect("it was filled to there");
        let version = Version::from_magic(magic).map_err(|fault| RdbError::new(0, fault))?;
        self.start += MAGIC_LEN;
        Ok(version)
    }

    /// The next record, if it is whole in the buffer and of the plainest kind; else nothing is taken.
    #[inline(always)]
    pub(super) fn plain(&mut self) -> Option<PlainString<'_>> {
        let bytes = &self.buffer[self.start..self.end];
        let places = parse_plain(bytes)?;
        let offset = self.base + self.start as u64;
        self.start += places.value.end;
        let (key, value) = (&bytes[places.key], &bytes[places.value]);
        Some(PlainString { key, value, expire_at_ms: places.expire_at_ms, offset })
    }

    /// The next record.
    #[inline]
    pub(super) fn next(&mut self, version: Version, unbuilt: Unbuilt) -> Result<Frame, RdbError> {
        loop {
            let mut cursor = Cursor::new(&self.buffer[self.start..self.end]);
            match parse(&mut cursor, version, unbuilt) {
                Ok(parsed) => {
                    let frame = Frame { parsed, offset: self.offset(), from: self.start };
                    let consumed = cursor.at();
                    self.start += consumed;
                    self.check_end(&frame)?;
                    return Ok(frame);
                }
                Err(stop) => {
                    let key = cursor.key;
                    self.resume(stop, key)?;
                }
            }
        }
    }

    /// One attempt at the value behind the record that `next` returned last. `take` commits what it has used; what
    /// it wanted and was not there is there at the next attempt. None: there has to be one.
    pub(super) fn take<T>(
        &mut self,
        take: impl FnOnce(&mut Cursor<'_>) -> Result<T, Stop>,
    ) -> Result<Option<T>, RdbError> {
        let mut cursor = Cursor::new(&self.buffer[self.start..self.end]);
        match take(&mut cursor) {
            Ok(taken) => {
                self.start += cursor.at();
                Ok(Some(taken))
            }
            Err(stop) => {
                let committed = cursor.committed();
                self.start += committed;
                self.resume(stop.behind(committed), None)?;
                Ok(None)
            }
        }
    }

    /// The bytes of `frame`, the record that `next` returned last.
    pub(super) fn bytes(&self, frame: &Frame) -> &[u8] {
        &self.buffer[frame.from..self.start]
    }

    /// The content of a text of `frame`, the record that `next` returned last. Integers and compressed texts
    /// are put into `scratch`.
    #[inline]
    pub(super) fn text<'a>(
        &'a self,
        frame: &Frame,
        text: Text,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], RdbError> {
        self.text_from(frame.from, text, scratch)
    }

    fn text_from<'a>(
        &'a self,
        from: usize,
        text: Text,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], RdbError> {
        match text {
            Text::Plain(span) => Ok(&self.buffer[from + span.start..from + span.end]),
            Text::Int(value) => {
                scratch.clear();
                scratch.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                Ok(scratch)
            }
            Text::Lzf { stream, content_len } => {
                let stream = from + stream.start..from + stream.end;
                if scratch.len() < content_len {
                    scratch.resize(content_len, 0);
                }
                let content = &mut scratch[..content_len];
                let offset = self.base + stream.start as u64;
                decompress(&self.buffer[stream], content)
                    .map_err(|error| RdbError::new(offset, Fault::Lzf(error)))?;
                Ok(content)
            }
        }
    }

    /// After an attempt that ended early: gets more bytes, or makes the error.
    #[cold]
    fn resume(&mut self, stop: Stop, key: Option<Text>) -> Result<(), RdbError> {
        let error = match stop {
            Stop::NeedsBytes(needed) => {
                // Twice what there is: a long record is not parsed anew for every piece that comes.
                let wanted = 2 * (self.end - self.start);
                match self.fill(needed, wanted) {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                }
            }
            Stop::Fault { at, fault } => RdbError::new(self.offset() + at as u64, fault),
        };
        let key = key.and_then(|key| {
            let mut scratch = Vec::new();
            self.text_from(self.start, key, &mut scratch).ok().map(Box::from)
        });
        Err(RdbError { key, ..error })
    }

    /// Reads until `needed` bytes from `start` on are there, or it is an error; and on towards `wanted` if
    /// they come.
    fn fill(&mut self, needed: u64, wanted: usize) -> Result<(), RdbError> {
        self.move_to_front();
        let wanted = needed.max(wanted as u64);
        self.calm_reads = if wanted > BUFFER_BYTES as u64 { 0 } else { self.calm_reads + 1 };
        while (self.end as u64) < wanted {
            if self.end == self.buffer.len() {
                // Invariant 3. `wanted` may be near u64::MAX: it is what the file claims.
                let doubled = self.buffer.len() * 2;
                self.buffer.resize(doubled, 0);
            }
            // Not more than the usual even into a large buffer: what was just read should still be in the cache.
            let room = wanted.max(BUFFER_BYTES as u64).min(self.buffer.len() as u64) as usize;
            match self.input.read(&mut self.buffer[self.end..room]) {
                Ok(0) if (self.end as u64) >= needed => return Ok(()),
                Ok(0) => {
                    let missing = needed - self.end as u64;
                    return Err(RdbError::new(self.base + self.end as u64, Fault::Truncated { missing }));
                }
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RdbError::new(self.base + self.end as u64, Fault::Io(error))),
            }
        }
        Ok(())
    }

    /// Whether the stream ends here.
    pub(super) fn at_end(&mut self) -> Result<bool, RdbError> {
        match self.fill(1, 1) {
            Ok(()) => Ok(false),
            Err(RdbError { fault: Fault::Truncated { .. }, .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn move_to_front(&mut self) {
        self.sum_up_to(self.start);
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        self.end -= self.start;
        (self.start, self.summed) = (0, 0);
        let is_calm = self.calm_reads >= CALM_READS && self.end <= BUFFER_BYTES;
        if is_calm && self.buffer.len() > BUFFER_BYTES {
            self.buffer.truncate(BUFFER_BYTES);
            self.buffer.shrink_to_fit();
        }
    }

    fn sum_up_to(&mut self, end: usize) {
        if self.checksum == Checksum::On {
            self.sum.update(&self.buffer[self.summed..end]);
        }
        self.summed = end;
    }

    /// At the end of the file its checksum must be right.
    #[inline]
    fn check_end(&mut self, frame: &Frame) -> Result<(), RdbError> {
        let Parsed::End { stored_checksum: Some(stored) } = frame.parsed else { return Ok(()) };
        self.sum_up_to(self.start - size_of::<u64>());
        let computed = self.sum.value();
        if self.checksum == Checksum::Off || stored == 0 || stored == computed {
            return Ok(());
        }
        let offset = self.offset() - size_of::<u64>() as u64;
        Err(RdbError::new(offset, Fault::Checksum { computed, stored }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Invariant 3.
    #[test]
    fn announced_lengths_reserve_nothing() {
        let heads: [&[u8]; 5] = [
            b"REDIS0010\x00\x80\x7f\xff\xff\xff",
            b"REDIS0010\x00\x81\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"REDIS0010\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff",
            b"REDIS0010\x00\x01k\xc3\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x81\x7f\xff\xff\xff\xff\xff\xff\xff",
            b"REDIS0015\x1e\x01k\x81\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        for head in heads {
            for received in [0, 1000, 3 << 20] {
                let bytes = [head, &vec![b'a'; received]].concat();
                let mut frames = Frames::new(&bytes[..], Checksum::On, 0);
                let version = frames.magic().expect("the magic is right");
                let Err(error) = frames.next(version, Unbuilt::StepOver) else { panic!("there is no end") };
                assert!(matches!(error.fault, Fault::Truncated { .. }), "{error}");
                assert!(frames.buffer.capacity() <= BUFFER_BYTES.max(4 * bytes.len()));
            }
        }
    }

    #[test]
    fn a_large_record_leaves_no_large_buffer() {
        let mut bytes = b"REDIS0010\x00\x80\x00\x40\0\0".to_vec();
        bytes.resize(bytes.len() + (4 << 20), b'a');
        bytes.extend(b"\x01v");
        bytes.extend([b"\x00\x01l\x43\xe8", &[b'v'; 1000][..]].concat().repeat(10_000));
        let mut frames = Frames::new(&bytes[..], Checksum::Off, 0);
        let version = frames.magic().expect("the magic is right");
        for _ in 0..10_001 {
            assert!(matches!(
                frames.next(version, Unbuilt::Refuse),
                Ok(Frame { parsed: Parsed::Key(_), .. })
            ));
        }
        assert_eq!(frames.buffer.len(), BUFFER_BYTES);
    }
}
