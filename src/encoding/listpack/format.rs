//! How one entry is spelled: decoding at a place, encoding of an element.
//!
//! A step that is asked for inside a valid blob stays inside it. The layout is drawn in the room's head.

use super::{Element, ListpackError};
use crate::base::number;

/// Where the entry after the one at `at` begins.
#[inline]
pub(in crate::encoding) fn after(bytes: &[u8], at: usize) -> usize {
    let entry = &bytes[at..];
    let size = size_of_entry(entry);
    at + size + backlen_bytes(size, &entry[size..])
}

/// Where the entry that ends at `end` begins.
#[inline]
pub(in crate::encoding) fn before(bytes: &[u8], end: usize) -> usize {
    let mut byte = bytes[end - 1];
    let (mut size, mut shift) = (usize::from(byte & 0x7f), 7);
    let mut start = end - 1;
    while byte & 0x80 != 0 && shift < 35 {
        start -= 1;
        byte = bytes[start];
        size |= usize::from(byte & 0x7f) << shift;
        shift += 7;
    }
    start - size
}

/// Encoding and data of the entry at the front of `entry`, in bytes.
#[inline]
pub(in crate::encoding) fn size_of_entry(entry: &[u8]) -> usize {
    match string_place(entry) {
        Some((start, length)) => start + length,
        None => integer_bytes(entry[0]),
    }
}

#[inline]
fn integer_bytes(first: u8) -> usize {
    match first {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xf1 => 3,
        0xf2 => 4,
        0xf3 => 5,
        _ => 9,
    }
}

/// Start and length of the string at the front of `entry`, or None if it is an integer.
#[inline]
pub(in crate::encoding) fn string_place(entry: &[u8]) -> Option<(usize, usize)> {
    let first = entry[0];
    match first {
        0x80..=0xbf => Some((1, usize::from(first & 0x3f))),
        0xe0..=0xef => Some((2, usize::from(first & 0x0f) << 8 | usize::from(entry[1]))),
        0xf0 => Some((5, u32::from_le_bytes([entry[1], entry[2], entry[3], entry[4]]) as usize)),
        _ => None,
    }
}

/// The integer at the front of `entry` and the bytes it takes.
#[inline]
pub(in crate::encoding) fn decode_integer(entry: &[u8]) -> (i64, usize) {
    let first = entry[0];
    match first {
        0x00..=0x7f => (i64::from(first), 1),
        0xc0..=0xdf => {
            let high_bits = u16::from_be_bytes([first, entry[1]]) << 3;
            (i64::from(high_bits as i16 >> 3), 2)
        }
        0xf1 => (i64::from(i16::from_le_bytes([entry[1], entry[2]])), 3),
        0xf2 => (i64::from(i32::from_le_bytes([0, entry[1], entry[2], entry[3]]) >> 8), 4),
        0xf3 => (i64::from(i32::from_le_bytes([entry[1], entry[2], entry[3], entry[4]])), 5),
        _ => (entry[1..].first_chunk().map_or(0, |value| i64::from_le_bytes(*value)), 9),
    }
}

/// The element at the front of `entry` and the bytes of its encoding and data.
#[inline]
pub(in crate::encoding) fn decode(entry: &[u8]) -> (Element<'_>, usize) {
    match string_place(entry) {
        Some((start, length)) => (Element::Bytes(&entry[start..start + length]), start + length),
        None => {
            let (value, size) = decode_integer(entry);
            (Element::Int(value), size)
        }
    }
}

/// How many bytes of backlen follow an entry of `size` bytes; `backlen` begins with them.
#[inline]
pub(in crate::encoding) fn backlen_bytes(size: usize, backlen: &[u8]) -> usize {
    if size < 128 { 1 } else { long_backlen_bytes(size, backlen) }
}

#[inline]
fn long_backlen_bytes(size: usize, backlen: &[u8]) -> usize {
    // At the steps the leftmost byte tells the spellings apart: the longer one begins with a group of zeros.
    match size {
        0x3fff | 0x1f_ffff | 0xfff_ffff if backlen[0] != 0 => written_backlen_bytes(size) - 1,
        _ => written_backlen_bytes(size),
    }
}

/// How many bytes of backlen we write.
#[inline]
pub(in crate::encoding) const fn written_backlen_bytes(size: usize) -> usize {
    match size {
        0..=127 => 1,
        128..0x3fff => 2,
        0x3fff..0x1f_ffff => 3,
        0x1f_ffff..0xfff_ffff => 4,
        _ => 5,
    }
}

/// The bytes of the whole entry at the front of `rest`, which is foreign and not empty.
pub(in crate::encoding) fn checked_entry_bytes(rest: &[u8]) -> Result<usize, ListpackError> {
    const CUT: ListpackError = ListpackError("listpack: an entry reaches beyond its end");
    let header_bytes = match rest[0] {
        0xf0 => 5,
        0xe0..=0xef => 2,
        0xf5..=0xff => return Err(ListpackError("listpack: an entry of unknown encoding")),
        _ => 1,
    };
    if rest.len() < header_bytes {
        return Err(CUT);
    }
    let size = size_of_entry(rest);
    let backlen = rest.get(size..).ok_or(CUT)?;
    if backlen.is_empty() {
        return Err(CUT);
    }
    let length = backlen_bytes(size, backlen);
    let backlen = backlen.get(..length).ok_or(CUT)?;
    let is_right = backlen.iter().rev().enumerate().all(|(group, &byte)| {
        let more = if group + 1 < length { 0x80 } else { 0 };
        byte == (size >> (7 * group) & 0x7f) as u8 | more
    });
    if is_right { Ok(size + length) } else { Err(ListpackError("listpack: a wrong length behind an entry")) }
}

// ----- encoding -----

/// What is stored for `text`.
#[inline]
pub(in crate::encoding) fn canonical(text: &[u8]) -> Element<'_> {
    number::parse_i64(text).map_or(Element::Bytes(text), Element::Int)
}

/// The bytes of encoding and data.
#[inline]
pub(in crate::encoding) fn size_of(element: Element<'_>) -> usize {
    match element {
        Element::Int(0..=127) => 1,
        Element::Int(-4096..=4095) => 2,
        Element::Int(-0x8000..=0x7fff) => 3,
        Element::Int(-0x80_0000..=0x7f_ffff) => 4,
        Element::Int(-0x8000_0000..=0x7fff_ffff) => 5,
        Element::Int(_) => 9,
        Element::Bytes(text) => text.len() + string_header(text.len()).1,
    }
}

/// The bytes that say that a string of `length` bytes follows, and how many of them count.
#[inline]
fn string_header(length: usize) -> ([u8; 5], usize) {
    match length {
        0..64 => ([0x80 | length as u8, 0, 0, 0, 0], 1),
        64..4096 => ([0xe0 | (length >> 8) as u8, length as u8, 0, 0, 0], 2),
        _ => {
            let [a, b, c, d] = (length as u32).to_le_bytes();
            ([0xf0, a, b, c, d], 5)
        }
    }
}

/// An integer's encoding and data, of which the first `size_of` bytes count.
#[inline]
fn integer_form(value: i64) -> ([u8; 9], usize) {
    let size = size_of(Element::Int(value));
    let mut form = [0; 9];
    form[1..].copy_from_slice(&value.to_le_bytes());
    form[0] = match size {
        1 => value as u8,
        2 => {
            form[1] = value as u8;
            0xc0 | (value >> 8) as u8 & 0x1f
        }
        3 => 0xf1,
        4 => 0xf2,
        5 => 0xf3,
        _ => 0xf4,
    };
    (form, size)
}

/// The backlen of an entry of `size` bytes and how many bytes of it count.
#[inline]
pub(in crate::encoding) fn backlen(size: usize) -> ([u8; 5], usize) {
    let length = written_backlen_bytes(size);
    let mut bytes = [0; 5];
    for (group, byte) in bytes[..length].iter_mut().rev().enumerate() {
        *byte = (size >> (7 * group) & 0x7f) as u8 | 0x80;
    }
    bytes[0] &= 0x7f;
    (bytes, length)
}

/// An element as it will be stored: its encoding, its text if it is a string, and its backlen.
pub(in crate::encoding) struct Encoded<'a> {
    head: [u8; 9],
    head_bytes: u8,
    text: &'a [u8],
    backlen: [u8; 5],
    backlen_bytes: u8,
}

impl<'a> Encoded<'a> {
    #[inline]
    pub(in crate::encoding) fn of_text(text: &'a [u8]) -> Self {
        Encoded::of_canonical(canonical(text))
    }

    /// The caller has seen to it that a string is no canonical integer.
    #[inline]
    pub(in crate::encoding) fn of_canonical(element: Element<'a>) -> Self {
        let (head, head_bytes, text) = match element {
            Element::Int(value) => {
                let (form, size) = integer_form(value);
                (form, size, &[][..])
            }
            Element::Bytes(text) => {
                let ([a, b, c, d, e], length) = string_header(text.len());
                ([a, b, c, d, e, 0, 0, 0, 0], length, text)
            }
        };
        let (backlen, backlen_bytes) = backlen(head_bytes + text.len());
        Encoded { head, head_bytes: head_bytes as u8, text, backlen, backlen_bytes: backlen_bytes as u8 }
    }

    /// The bytes of encoding and data.
    #[inline]
    pub(in crate::encoding) fn size(&self) -> usize {
        usize::from(self.head_bytes) + self.text.len()
    }

    /// The bytes of the whole entry.
    #[inline]
    pub(in crate::encoding) fn size_with_backlen(&self) -> usize {
        self.size() + usize::from(self.backlen_bytes)
    }

    /// What the entry begins with; more bytes than count may follow.
    #[inline]
    pub(in crate::encoding) fn head(&self) -> &[u8; 9] {
        &self.head
    }

    /// Fills `out` with the entry from byte `skipped` on, which is inside its encoding. It has room for all of
    /// `size_with_backlen`, or up to `size`: there is no backlen then.
    #[inline]
    pub(in crate::encoding) fn write(&self, skipped: usize, out: &mut [u8]) {
        let (head, rest) = out.split_at_mut(usize::from(self.head_bytes) - skipped);
        head.copy_from_slice(&self.head[skipped..usize::from(self.head_bytes)]);
        let (text, rest) = rest.split_at_mut(self.text.len());
        text.copy_from_slice(self.text);
        rest.copy_from_slice(&self.backlen[..rest.len()]);
    }

    #[inline]
    pub(in crate::encoding) fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head[..usize::from(self.head_bytes)]);
        out.extend_from_slice(self.text);
        out.extend_from_slice(&self.backlen[..usize::from(self.backlen_bytes)]);
    }
}
