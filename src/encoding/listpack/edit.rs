//! Changes to an owned listpack blob.
//!
//! Each function takes a valid blob and leaves a valid one. A text that is the canonical spelling of an i64 is stored
//! as an integer. Whoever adds makes sure that the blob may grow (`fits`); beyond 4 GiB these functions panic.

use super::format::{Encoded, after, canonical};
use super::{At, COUNT_UNKNOWN, Element, HEADER_BYTES, Listpack, TERMINATOR, stored_count};

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
    Encoded::of_text(text).size_with_backlen()
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

/// Adds several entries at the end, and brings the head up to date once: when it is dropped.
pub struct Appender<'b> {
    blob: &'b mut Vec<u8>,
    added: usize,
}

impl<'b> Appender<'b> {
    pub fn new(blob: &'b mut Vec<u8>) -> Appender<'b> {
        blob.pop();
        Appender { blob, added: 0 }
    }

    /// Adds an integer.
    #[inline]
    pub fn push_int(&mut self, value: i64) {
        match value {
            // The form of most of them, without a detour: the byte itself, and its length.
            0..=127 => self.put(2, |blob| blob.extend_from_slice(&[value as u8, 1])),
            _ => self.push_canonical(Element::Int(value)),
        }
    }

    /// Adds `text`.
    #[inline]
    pub fn push(&mut self, text: &[u8]) {
        self.push_canonical(canonical(text));
    }

    #[inline]
    fn push_canonical(&mut self, element: Element<'_>) {
        let entry = Encoded::of_canonical(element);
        self.put(entry.size_with_backlen(), |blob| entry.append_to(blob));
    }

    #[inline]
    fn put(&mut self, bytes: usize, append: impl FnOnce(&mut Vec<u8>)) {
        reserve(self.blob, bytes + 1);
        append(self.blob);
        self.added += 1;
    }
}

impl Drop for Appender<'_> {
    fn drop(&mut self) {
        // There is room: `new` took a byte away, and `put` asked for one more than it needed.
        self.blob.push(TERMINATOR);
        set_total(self.blob);
        add_count(self.blob, self.added);
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
    // One byte for another: counts that go up by one are nearly always so.
    if let (0..=127, 0..=127) = (blob[at.offset()], value) {
        blob[at.offset()] = value as u8;
        return;
    }
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

/// Makes `HEADER_BYTES` of anything and `count` entries behind them a listpack.
pub(in crate::encoding) fn finish(blob: &mut Vec<u8>, count: usize) {
    blob.push(TERMINATOR);
    set_total(blob);
    set_count(blob, count);
}

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

/// Makes room for `more` bytes. Spare room is memory that somebody pays for: a quarter is enough for pushes to be
/// cheap.
#[inline]
pub(in crate::encoding) fn reserve(blob: &mut Vec<u8>, more: usize) {
    if blob.capacity() - blob.len() < more {
        blob.reserve_exact(more + (blob.len() + more) / 4);
    }
}

#[inline]
fn push_canonical(blob: &mut Vec<u8>, element: Element<'_>) {
    let entry = Encoded::of_canonical(element);
    reserve(blob, entry.size_with_backlen());
    blob.pop();
    entry.append_to(blob);
    blob.push(TERMINATOR);
    set_total(blob);
    add_count(blob, 1);
}

/// Puts one entry in the place of the bytes `old`. Leaves the count as it is.
fn put(blob: &mut Vec<u8>, old: std::ops::Range<usize>, element: Element<'_>) {
    let entry = Encoded::of_canonical(element);
    let new_end = old.start + entry.size_with_backlen();
    resize(blob, old.end, new_end);
    entry.write(0, &mut blob[old.start..new_end]);
}

/// Moves what begins at `from` to begin at `to`, growing or shrinking the blob.
fn resize(blob: &mut Vec<u8>, from: usize, to: usize) {
    let old_len = blob.len();
    if to > from {
        reserve(blob, to - from);
        blob.resize(old_len + (to - from), 0);
        blob.copy_within(from..old_len, to);
    } else {
        blob.copy_within(from.., to);
        blob.truncate(old_len - (from - to));
    }
    set_total(blob);
}
