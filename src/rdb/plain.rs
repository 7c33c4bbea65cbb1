//! The short cut through the grammar: a string under a key, neither of them compressed nor long, with nothing in front
//! but perhaps an expiry. Most records of most files are that.
//!
//! ```text
//! [ FC expiry(8) ]  00  length key  length value            lengths of one or two bytes
//! ```
//! What is not wholly there, or is anything else, is `records`' to parse, from its first byte.

use super::records::OPCODE_EXPIRETIME_MS;
use super::types::TYPE_STRING;
use std::ops::Range;

/// Such a record. It borrows from the reader until something else is asked for.
#[derive(Debug)]
pub struct PlainString<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    /// Unix time; may have passed.
    pub expire_at_ms: Option<i64>,
    /// Of the record in the file.
    pub offset: u64,
}

/// Where the parts of such a record lie; the record ends with its value.
pub(super) struct Places {
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
    pub(super) expire_at_ms: Option<i64>,
}

/// The record that `bytes` begin with, if it is one.
#[inline]
pub(super) fn parse_plain(bytes: &[u8]) -> Option<Places> {
    let (expire_at_ms, at) = match bytes {
        [TYPE_STRING, ..] => (None, 1),
        [OPCODE_EXPIRETIME_MS, rest @ ..] => {
            let (time, rest) = rest.split_first_chunk::<8>()?;
            if rest.first() != Some(&TYPE_STRING) {
                return None;
            }
            // -1 is how the format's own readers say "never".
            (Some(i64::from_le_bytes(*time)).filter(|at_ms| *at_ms != -1), 10)
        }
        _ => return None,
    };
    let key = text(bytes, at)?;
    let value = text(bytes, key.end)?;
    Some(Places { key, value, expire_at_ms })
}

/// The text that begins at `at`.
#[inline]
fn text(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let first = usize::from(*bytes.get(at)?);
    let (from, length) = match first >> 6 {
        0 => (at + 1, first),
        1 => (at + 2, (first & 0x3f) << 8 | usize::from(*bytes.get(at + 1)?)),
        _ => return None,
    };
    (from + length <= bytes.len()).then(|| from..from + length)
}
