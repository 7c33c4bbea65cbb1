//! Listpack: a short sequence of strings and integers packed in one blob, as it also lies in RDB files.
//!
//! ```text
//! | bytes u32 LE | count u16 LE | entry .. | 0xFF |        count 65535: unknown, or too many: walk the entries
//! an entry: | encoding and data | backlen |
//!   0xxxxxxx                       integer 0..=127
//!   110xxxxx xxxxxxxx              integer of 13 bits, signed, the high bits first
//!   F1 / F2 / F3 / F4 + LE         integer of 16 / 24 / 32 / 64 bits
//!   10llllll + bytes               string of up to 63 bytes
//!   1110llll llllllll + bytes      string of up to 4095 bytes, the high bits first
//!   F0 + u32 LE + bytes            longer string
//! backlen: the length of `encoding and data` in groups of 7 bits, the highest group first, to be read from right to
//! left: all bytes but the leftmost carry 0x80.
//! ```
//! Invariants
//! 1. A `Listpack` is valid: it was checked when it came from outside, or it was made by `edit`. Reading one that is
//!    not may give nonsense or panic, and never reads outside the blob.
//! 2. `edit` stores the canonical text of an i64 as an integer, whatever it was given as; so equal elements have equal
//!    bytes in our own blobs. Foreign blobs may hold such a text as a string.
//! 3. The count is exact below 65535.
//!
//! A string whose `encoding and data` is exactly 16383, 2097151 or 268435455 bytes long has two spellings: up to
//! version 8.6 Redis gave it one byte of backlen more than it needs. We write that form, which every version reads,
//! and read both.

use crate::base::number;
use format::{after, backlen_bytes, before, checked_entry_bytes, decode, decode_integer, string_place};
use std::fmt;

pub mod edit;
pub(in crate::encoding) mod format;
#[cfg(test)]
mod tests;

/// Bytes before the first entry.
pub const HEADER_BYTES: usize = 6;
/// No blob grows beyond this.
pub const BYTES_MAX: usize = 1 << 30;
const TERMINATOR: u8 = 0xff;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Whether a text of `text_len` bytes may be added to a blob of `blob_len` bytes.
pub const fn fits(blob_len: usize, text_len: usize) -> bool {
    blob_len.saturating_add(text_len) <= BYTES_MAX
}

/// A buffer on the stack for the text of an integer.
pub struct Digits(itoa::Buffer);

impl Default for Digits {
    fn default() -> Self {
        Digits(itoa::Buffer::new())
    }
}

/// One element, of a listpack or of any collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

impl<'a> Element<'a> {
    /// The element as text; `digits` holds it if it is an integer.
    #[inline]
    pub fn text(self, digits: &'a mut Digits) -> &'a [u8] {
        match self {
            Element::Int(value) => digits.0.format(value).as_bytes(),
            Element::Bytes(bytes) => bytes,
        }
    }

    pub fn to_vec(self) -> Vec<u8> {
        self.text(&mut Digits::default()).to_vec()
    }

    /// The length of the text.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Element::Int(value) => number::digits_len(value),
            Element::Bytes(bytes) => bytes.len(),
        }
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether the text is `bytes`.
    #[inline]
    pub fn equals(self, bytes: &[u8]) -> bool {
        match self {
            Element::Int(value) => number::parse_i64(bytes) == Some(value),
            Element::Bytes(own) => own == bytes,
        }
    }

    /// The integer, also that of a canonical text.
    #[inline]
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Element::Int(value) => Some(value),
            Element::Bytes(bytes) => number::parse_i64(bytes),
        }
    }
}

/// What elements are compared with: a text, and the integer that it would be stored as.
#[derive(Clone, Copy, Debug)]
pub struct Needle<'a> {
    text: &'a [u8],
    integer: Option<i64>,
}

impl<'a> Needle<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Needle { text, integer: number::parse_i64(text) }
    }

    #[inline]
    pub fn is(&self, element: Element<'_>) -> bool {
        match element {
            Element::Int(value) => self.integer == Some(value),
            Element::Bytes(bytes) => bytes == self.text,
        }
    }
}

/// Why bytes are not a listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListpackError(pub &'static str);

impl fmt::Display for ListpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ListpackError {}

/// The place of an entry: an offset in its blob, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(u32);

impl At {
    #[inline]
    fn new(offset: usize) -> Self {
        At(offset as u32)
    }

    /// Bytes from the start of the blob.
    #[inline]
    pub fn offset(self) -> usize {
        self.0 as usize
    }
}

/// A borrowed blob, header and terminator included.
#[derive(Clone, Copy)]
pub struct Listpack<'a> {
    bytes: &'a [u8],
}

impl<'a> Listpack<'a> {
    /// One of our own blobs.
    #[inline]
    pub fn trusted(bytes: &'a [u8]) -> Self {
        debug_assert!(bytes.len() > HEADER_BYTES && bytes.last() == Some(&TERMINATOR));
        debug_assert_eq!(total_bytes(bytes), bytes.len());
        Listpack { bytes }
    }

    /// A blob from outside: every entry is looked at.
    pub fn check(bytes: &'a [u8]) -> Result<Self, ListpackError> {
        if bytes.len() <= HEADER_BYTES || total_bytes(bytes) != bytes.len() {
            return Err(ListpackError("listpack: its length is not what its header says"));
        }
        let end = bytes.len() - 1;
        if bytes[end] != TERMINATOR {
            return Err(ListpackError("listpack: no terminator at its end"));
        }
        let (mut rest, mut count) = (&bytes[HEADER_BYTES..end], 0usize);
        while !rest.is_empty() {
            rest = &rest[checked_entry_bytes(rest)?..];
            count += 1;
        }
        let stored = stored_count(bytes);
        if stored != COUNT_UNKNOWN && usize::from(stored) != count {
            return Err(ListpackError("listpack: not as many entries as its header says"));
        }
        Ok(Listpack { bytes })
    }

    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How many entries. Walks them all if the header does not know (from 65535 entries on).
    #[inline]
    pub fn len(self) -> usize {
        match stored_count(self.bytes) {
            COUNT_UNKNOWN => self.count_entries(),
            count => usize::from(count),
        }
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        self.end() == HEADER_BYTES
    }

    #[cold]
    fn count_entries(self) -> usize {
        std::iter::successors(self.first(), |at| self.next(*at)).count()
    }

    /// The offset of the terminator.
    #[inline]
    fn end(self) -> usize {
        self.bytes.len() - 1
    }

    #[inline]
    pub fn iter(self) -> Iter<'a> {
        Iter { bytes: self.bytes, front: HEADER_BYTES, back: self.end() }
    }

    /// The entries from `at` on.
    #[inline]
    pub fn iter_from(self, at: At) -> Iter<'a> {
        Iter { bytes: self.bytes, front: at.offset(), back: self.end() }
    }

    /// The entries up to and including `at`; to be walked from its back.
    #[inline]
    pub fn iter_to(self, at: At) -> Iter<'a> {
        Iter { bytes: self.bytes, front: HEADER_BYTES, back: after(self.bytes, at.offset()) }
    }

    #[inline]
    pub fn first(self) -> Option<At> {
        (!self.is_empty()).then_some(At(HEADER_BYTES as u32))
    }

    #[inline]
    pub fn last(self) -> Option<At> {
        (!self.is_empty()).then(|| At::new(before(self.bytes, self.end())))
    }

    #[inline]
    pub fn next(self, at: At) -> Option<At> {
        let next = after(self.bytes, at.offset());
        (next < self.end()).then_some(At::new(next))
    }

    #[inline]
    pub fn previous(self, at: At) -> Option<At> {
        (at.offset() > HEADER_BYTES).then(|| At::new(before(self.bytes, at.offset())))
    }

    #[inline]
    pub fn at(self, at: At) -> Element<'a> {
        decode(&self.bytes[at.offset()..]).0
    }

    /// The entry at `index`; negative ones count from the end, -1 is the last. Walks from the nearer end.
    pub fn nth(self, index: isize) -> Option<At> {
        let len = match stored_count(self.bytes) {
            // Not worth a walk: forward from the front, backward from the back.
            COUNT_UNKNOWN => usize::MAX,
            count => usize::from(count),
        };
        let steps = index.unsigned_abs();
        let (forward, backward) = match index {
            0.. => (steps, len.checked_sub(steps)?.checked_sub(1)?),
            _ => (len.checked_sub(steps)?, steps - 1),
        };
        let mut entries = self.iter();
        if forward <= backward {
            entries.pass(forward);
            (entries.front < entries.back).then_some(At::new(entries.front))
        } else {
            entries.pass_back(backward);
            (entries.front < entries.back).then(|| At::new(before(self.bytes, entries.back)))
        }
    }

    /// The first entry from `from` on whose text is `needle`, `skip` entries being passed over after each that was
    /// compared (fields of a hash: 1).
    pub fn find(self, from: Option<At>, needle: &[u8], skip: usize) -> Option<At> {
        let (bytes, end) = (self.bytes, self.end());
        let integer = number::parse_i64(needle);
        let mut at = from?.offset();
        while at < end {
            let entry = &bytes[at..];
            let (size, found) = match string_place(entry) {
                Some((start, length)) => {
                    (start + length, length == needle.len() && entry[start..start + length] == *needle)
                }
                None => {
                    let (value, size) = decode_integer(entry);
                    (size, integer == Some(value))
                }
            };
            if found {
                return Some(At::new(at));
            }
            at += size + backlen_bytes(size, &entry[size..]);
            for _ in 0..skip {
                if at >= end {
                    return None;
                }
                at = after(bytes, at);
            }
        }
        None
    }
}

impl fmt::Debug for Listpack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.iter().map(|element| String::from_utf8_lossy(&element.to_vec()).into_owned());
        f.debug_list().entries(texts).finish()
    }
}

impl<'a> IntoIterator for Listpack<'a> {
    type Item = Element<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The elements of a listpack, from either end.
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    /// Where the next entry begins.
    front: usize,
    /// Where the last entry that is left ends.
    back: usize,
}

impl<'a> Iter<'a> {
    /// Passes over up to `count` entries without decoding them.
    #[inline]
    pub fn pass(&mut self, count: usize) {
        for _ in 0..count {
            if self.front == self.back {
                return;
            }
            self.front = after(self.bytes, self.front);
        }
    }

    /// As `pass`, from the back.
    #[inline]
    pub fn pass_back(&mut self, count: usize) {
        for _ in 0..count {
            if self.front == self.back {
                return;
            }
            self.back = before(self.bytes, self.back);
        }
    }

    /// The place of what `next` will give.
    pub fn place(&self) -> Option<At> {
        (self.front < self.back).then_some(At::new(self.front))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        if self.front == self.back {
            return None;
        }
        let entry = &self.bytes[self.front..];
        let (element, size) = decode(entry);
        self.front += size + backlen_bytes(size, &entry[size..]);
        Some(element)
    }

    #[inline]
    fn nth(&mut self, index: usize) -> Option<Element<'a>> {
        self.pass(index);
        self.next()
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Element<'a>> {
        if self.front == self.back {
            return None;
        }
        self.back = before(self.bytes, self.back);
        Some(decode(&self.bytes[self.back..]).0)
    }

    #[inline]
    fn nth_back(&mut self, index: usize) -> Option<Element<'a>> {
        self.pass_back(index);
        self.next_back()
    }
}

fn total_bytes(bytes: &[u8]) -> usize {
    bytes.first_chunk().map_or(0, |total| u32::from_le_bytes(*total) as usize)
}

#[inline]
fn stored_count(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[4], bytes[5]])
}
