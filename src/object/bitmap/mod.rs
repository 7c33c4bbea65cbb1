//! Bitmaps: what the bits of a string mean to SETBIT and its kin.
//!
//! ```text
//!   byte          0                 1
//!   bit offset    0 1 2 3 4 5 6 7   8 9 ..       the most significant bit of a byte comes first
//! ```
//! Beyond the end of the string every bit is 0. Everything here works on borrowed bytes or on the buffer of an edit; it
//! knows neither keys nor limits.

mod combine;
mod field;
#[cfg(test)]
mod tests;

pub use combine::{Operation, combine};
pub use field::{Field, Overflow, Sign};

use crate::encoding::popcount;
use std::ops::RangeInclusive;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bit {
    Zero,
    One,
}

impl Bit {
    /// 0 or 1; nothing else is a bit.
    pub fn new(value: i64) -> Option<Bit> {
        match value {
            0 => Some(Bit::Zero),
            1 => Some(Bit::One),
            _ => None,
        }
    }
}

/// The byte that holds the bit at `offset`, and the bit's mask in it.
fn place(offset: u64) -> (usize, u8) {
    ((offset >> 3) as usize, 0x80 >> (offset & 7))
}

/// The bit at `offset`.
pub fn get(bytes: &[u8], offset: u64) -> Bit {
    let (at, mask) = place(offset);
    if bytes.get(at).is_some_and(|byte| byte & mask != 0) { Bit::One } else { Bit::Zero }
}

/// Sets the bit at `offset`, which lies in `bytes`, and returns what it was.
pub fn replace(bytes: &mut [u8], offset: u64, bit: Bit) -> Bit {
    let old = get(bytes, offset);
    let (at, mask) = place(offset);
    match bit {
        Bit::Zero => bytes[at] &= !mask,
        Bit::One => bytes[at] |= mask,
    }
    old
}

/// The bytes a string needs in order to hold the bit at `offset`.
pub fn bytes_for(offset: u64) -> usize {
    place(offset).0 + 1
}

/// Whether `grow` had anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    Grew,
    WasThere,
}

/// Makes `bytes` at least `length` long, with zeros.
pub fn grow(bytes: &mut Vec<u8>, length: usize) -> Growth {
    /// A longer string gets so much spare room, not as much again as it has.
    const SPARE_BYTES_MAX: usize = 1 << 20;
    if length <= bytes.len() {
        return Growth::WasThere;
    }
    if bytes.is_empty() {
        // Zeros from the system cost nothing until they are touched.
        *bytes = vec![0; length];
        return Growth::Grew;
    }
    if length > bytes.capacity() && length > SPARE_BYTES_MAX {
        bytes.reserve_exact(length - bytes.len() + SPARE_BYTES_MAX);
    }
    bytes.resize(length, 0);
    Growth::Grew
}

/// The bytes that a range of bits touches, and which bits of the first and the last of them are in it.
struct Edges {
    bytes: RangeInclusive<usize>,
    first_mask: u8,
    last_mask: u8,
}

impl Edges {
    fn of(bits: &RangeInclusive<u64>) -> Edges {
        let (first, first_bit) = place(*bits.start());
        let (last, last_bit) = place(*bits.end());
        // From the first bit on to the right; up to the last bit from the left.
        Edges { bytes: first..=last, first_mask: first_bit | (first_bit - 1), last_mask: !(last_bit - 1) }
    }
}

/// How many bits are set within `bits`, a range that is not empty and lies in `bytes`.
pub fn count(bytes: &[u8], bits: RangeInclusive<u64>) -> u64 {
    let edges = Edges::of(&bits);
    let part = &bytes[edges.bytes];
    let outside = |byte: Option<&u8>, mask: u8| byte.map_or(0, |byte| u64::from((byte & !mask).count_ones()));
    popcount::count_ones(part)
        - outside(part.first(), edges.first_mask)
        - outside(part.last(), edges.last_mask)
}

/// The offset of the first `bit` within `bits`, a range that is not empty and lies in `bytes`.
pub fn position(bytes: &[u8], bit: Bit, bits: RangeInclusive<u64>) -> Option<u64> {
    let edges = Edges::of(&bits);
    let (first, last) = edges.bytes.into_inner();
    // What is looked for becomes a 1.
    let seen = |at: usize| if bit == Bit::One { bytes[at] } else { !bytes[at] };
    let found = |at: usize, byte: u8| Some(at as u64 * 8 + u64::from(byte.leading_zeros()));
    if first == last {
        let byte = seen(first) & edges.first_mask & edges.last_mask;
        return if byte == 0 { None } else { found(first, byte) };
    }
    let head = seen(first) & edges.first_mask;
    if head != 0 {
        return found(first, head);
    }
    let at = first + 1 + leading_without(&bytes[first + 1..last], bit);
    let byte = if at < last { seen(at) } else { seen(last) & edges.last_mask };
    if byte == 0 { None } else { found(at, byte) }
}

/// How many bytes from the beginning hold no `bit`.
fn leading_without(bytes: &[u8], bit: Bit) -> usize {
    const LANES: usize = 4;
    let dull_byte = if bit == Bit::One { 0 } else { u8::MAX };
    let dull = u64::from_ne_bytes([dull_byte; 8]);
    let (words, _) = bytes.as_chunks::<8>();
    let (blocks, _) = words.as_chunks::<LANES>();
    let is_dull = |block: &&[[u8; 8]; LANES]| {
        block.iter().fold(0, |seen, word| seen | (u64::from_ne_bytes(*word) ^ dull)) == 0
    };
    let skipped = blocks.iter().take_while(is_dull).count() * LANES * 8;
    skipped + bytes[skipped..].iter().take_while(|byte| **byte == dull_byte).count()
}
