//! Changes to an owned listpack blob.
//!
//! Each function takes a valid blob and leaves a valid one. A text that is the canonical spelling of an i64 is stored
//! as an integer. Whoever adds makes sure that the blob may grow (`fits`); beyond 4 GiB these functions panic.

use super::{
    At, COUNT_UNKNOWN, Element, HEADER_BYTES, Listpack, TERMINATOR, after, decode, stored_count,
    written_backlen_bytes,
};
use crate::base::number;

/// A listpack without entries.
pub fn empty() -> Vec<u8> {
    with_capacity(HEADER_BYTES + 1)
}

/// A listpack without entries and room for `bytes` in all.
pub fn with_capacity(bytes: usize) -> Vec<u8> {
    let mut blob = Vec::with_capacity(bytes.max(HEADER_BYTES + 1));
    blob.extend_from_slice(&[HEADER_BYTES as u8 + 1, 0, 0, 0, 0, 0, TERMINATOR]);
    blob
}

/// The bytes that `text` takes in a listpack.
pub fn entry_len(text: &[u8]) -> usize {
    let size = size_of(canonical(text));
    size + written_backlen_bytes(size)
}

/// Adds `text` at the end.
#[inline]
pub fn push(blob: &mut Vec<u8>, text: &[u8]) {
    push_canonical(blob, canonical(text));
}

/// Adds an integer at the end.
#[inline]
pub fn push_int(blob: &mut Vec<u8>, value: i64) {
    push_canonical(blob, Element::Int(value));
}

/// Adds an element at the end.
#[inline]
pub fn push_element(blob: &mut Vec<u8>, element: Element<'_>) {
    match element {
        Element::Int(value) => push_int(blob, value),
        Element::Bytes(text) => push(blob, text),
    }
}

/// Adds `text` before all others.
#[inline]
pub fn push_front(blob: &mut Vec<u8>, text: &[u8]) {
    put(blob, HEADER_BYTES..HEADER_BYTES, canonical(text));
    add_count(blob, 1);
}

/// Adds `text` before the entry at `before`, and so at that place.
pub fn insert(blob: &mut Vec<u8>, before: At, text: &[u8]) {
    put(blob, before.offset()..before.offset(), canonical(text));
    add_count(blob, 1);
}

/// As `insert`, an integer.
pub fn insert_int(blob: &mut Vec<u8>, before: At, value: i64) {
    put(blob, before.offset()..before.offset(), Element::Int(value));
    add_count(blob, 1);
}

/// Puts `text` in the place of the entry at `at`.
pub fn replace(blob: &mut Vec<u8>, at: At, text: &[u8]) {
    let end = after(blob, at.offset());
    put(blob, at.offset()..end, canonical(text));
}

/// Puts an integer in the place of the entry at `at`.
pub fn replace_int(blob: &mut Vec<u8>, at: At, value: i64) {
    let end = after(blob, at.offset());
    put(blob, at.offset()..end, Element::Int(value));
}

/// Removes `count` entries from `at` on, or as many as there are. Returns the place of what followed them.
pub fn remove(blob: &mut Vec<u8>, at: At, count: usize) -> Option<At> {
    let (start, terminator) = (at.offset(), blob.len() - 1);
    let (mut end, mut removed) = (start, 0);
    while removed < count && end < terminator {
        end = after(blob, end);
        removed += 1;
    }
    blob.copy_within(end.., start);
    blob.truncate(blob.len() - (end - start));
    set_total(blob);
    subtract_count(blob, removed);
    (start < blob.len() - 1).then_some(at)
}

/// Removes all entries.
pub fn clear(blob: &mut Vec<u8>) {
    blob.clear();
    blob.extend_from_slice(&[HEADER_BYTES as u8 + 1, 0, 0, 0, 0, 0, TERMINATOR]);
}

/// Takes the entries from `at` on away into a listpack of their own.
pub fn split_off(blob: &mut Vec<u8>, at: At) -> Vec<u8> {
    let tail = &blob[at.offset()..blob.len() - 1];
    let mut other = with_capacity(HEADER_BYTES + tail.len() + 1);
    other.pop();
    other.extend_from_slice(tail);
    other.push(TERMINATOR);
    set_total(&mut other);
    set_count(&mut other, COUNT_UNKNOWN.into());
    let moved = Listpack::trusted(&other).len();
    set_count(&mut other, moved);
    blob.truncate(at.offset());
    blob.push(TERMINATOR);
    set_total(blob);
    subtract_count(blob, moved);
    other
}

/// Adds all entries of `other` at the end.
pub fn append(blob: &mut Vec<u8>, other: Listpack<'_>) {
    let entries = &other.bytes()[HEADER_BYTES..other.end()];
    blob.reserve(entries.len());
    blob.pop();
    blob.extend_from_slice(entries);
    blob.push(TERMINATOR);
    set_total(blob);
    match stored_count(other.bytes()) {
        COUNT_UNKNOWN => set_count(blob, COUNT_UNKNOWN.into()),
        count => add_count(blob, count.into()),
    }
}

// ----- headers -----

#[inline]
fn set_total(blob: &mut [u8]) {
    let total = u32::try_from(blob.len()).expect("a listpack is kept below 1 GiB");
    blob[..4].copy_from_slice(&total.to_le_bytes());
}

#[inline]
fn set_count(blob: &mut [u8], count: usize) {
    let count = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
    blob[4..6].copy_from_slice(&count.to_le_bytes());
}

#[inline]
fn add_count(blob: &mut [u8], added: usize) {
    let count = stored_count(blob);
    if count != COUNT_UNKNOWN {
        set_count(blob, usize::from(count) + added);
    }
}

fn subtract_count(blob: &mut [u8], removed: usize) {
    match stored_count(blob) {
        // An entry takes two bytes at least: so few cannot be too many to count.
        COUNT_UNKNOWN if blob.len() - HEADER_BYTES - 1 < 2 * usize::from(COUNT_UNKNOWN) => {
            let count = Listpack::trusted(blob).len();
            set_count(blob, count);
        }
        COUNT_UNKNOWN => {}
        count => set_count(blob, usize::from(count) - removed),
    }
}

// ----- entries -----

/// What is stored for `text`.
#[inline]
fn canonical(text: &[u8]) -> Element<'_> {
    number::parse_i64(text).map_or(Element::Bytes(text), Element::Int)
}

/// The bytes of encoding and data.
#[inline]
fn size_of(element: Element<'_>) -> usize {
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
fn backlen(size: usize) -> ([u8; 5], usize) {
    let length = written_backlen_bytes(size);
    let mut bytes = [0; 5];
    for (group, byte) in bytes[..length].iter_mut().rev().enumerate() {
        *byte = (size >> (7 * group) & 0x7f) as u8 | 0x80;
    }
    bytes[0] &= 0x7f;
    (bytes, length)
}

#[inline]
fn push_canonical(blob: &mut Vec<u8>, element: Element<'_>) {
    let room = 16 + if let Element::Bytes(text) = element { text.len() } else { 0 };
    if blob.capacity() - blob.len() < room {
        let size = size_of(element);
        blob.reserve(size + written_backlen_bytes(size));
    }
    blob.pop();
    let size = match element {
        Element::Int(value) => {
            let (form, size) = integer_form(value);
            blob.extend_from_slice(&form[..size]);
            size
        }
        Element::Bytes(text) => {
            let (header, length) = string_header(text.len());
            blob.extend_from_slice(&header[..length]);
            blob.extend_from_slice(text);
            length + text.len()
        }
    };
    let (backlen, length) = backlen(size);
    blob.extend_from_slice(&backlen[..length]);
    blob.push(TERMINATOR);
    set_total(blob);
    add_count(blob, 1);
}

/// Puts one entry in the place of the bytes `old`. Leaves the count as it is.
fn put(blob: &mut Vec<u8>, old: std::ops::Range<usize>, element: Element<'_>) {
    let size = size_of(element);
    let (backlen, backlen_bytes) = backlen(size);
    let new_end = old.start + size + backlen_bytes;
    resize(blob, old.end, new_end);
    let entry = &mut blob[old.start..new_end];
    match element {
        Element::Int(value) => entry[..size].copy_from_slice(&integer_form(value).0[..size]),
        Element::Bytes(text) => {
            let (header, header_bytes) = string_header(text.len());
            entry[..header_bytes].copy_from_slice(&header[..header_bytes]);
            entry[header_bytes..size].copy_from_slice(text);
        }
    }
    entry[size..].copy_from_slice(&backlen[..backlen_bytes]);
    debug_assert_eq!(decode(entry), (element, size));
}

/// Moves what begins at `from` to begin at `to`, growing or shrinking the blob.
fn resize(blob: &mut Vec<u8>, from: usize, to: usize) {
    let old_len = blob.len();
    if to > from {
        blob.resize(old_len + (to - from), 0);
        blob.copy_within(from..old_len, to);
    } else {
        blob.copy_within(from.., to);
        blob.truncate(old_len - (from - to));
    }
    set_total(blob);
}
