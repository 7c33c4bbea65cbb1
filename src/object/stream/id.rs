//! Entry IDs: a Unix time in milliseconds and a sequence number within it, written `ms-seq`.

use std::fmt;
use std::ops::Deref;

/// The ID of an entry. IDs order as pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    pub ms: u64,
    pub seq: u64,
}

/// An ID for a new entry, as XADD is given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// `*`: the clock's, or the next after the last one.
    Auto,
    /// `ms-*`: the next sequence number of that millisecond.
    AutoSeq(u64),
    Given(StreamId),
}

impl StreamId {
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The smallest ID above this one; `None` above the greatest.
    pub const fn next(self) -> Option<StreamId> {
        match (self.ms, self.seq) {
            (u64::MAX, u64::MAX) => None,
            (ms, u64::MAX) => Some(StreamId { ms: ms + 1, seq: 0 }),
            (ms, seq) => Some(StreamId { ms, seq: seq + 1 }),
        }
    }

    /// The greatest ID below this one; `None` below the smallest.
    pub const fn previous(self) -> Option<StreamId> {
        match (self.ms, self.seq) {
            (0, 0) => None,
            (ms, 0) => Some(StreamId { ms: ms - 1, seq: u64::MAX }),
            (ms, seq) => Some(StreamId { ms, seq: seq - 1 }),
        }
    }

    /// The form in RDB files: both numbers big-endian, so that bytes order as IDs do.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> StreamId {
        let both = u128::from_be_bytes(bytes);
        StreamId { ms: (both >> 64) as u64, seq: both as u64 }
    }

    /// Reads `ms-seq`, or `ms` with `missing_seq` for the rest.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        let (ms, seq) = split(text)?;
        let seq = seq.map_or(Some(missing_seq), parse_number)?;
        Some(StreamId { ms: parse_number(ms)?, seq })
    }

    /// As `parse`, and `-` and `+` for the smallest and the greatest ID.
    pub fn parse_bound(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        match text {
            b"-" => Some(StreamId::MIN),
            b"+" => Some(StreamId::MAX),
            _ => StreamId::parse(text, missing_seq),
        }
    }

    /// The ID as clients see it.
    pub fn text(self) -> IdText {
        let mut text = IdText { bytes: [0; ID_TEXT_BYTES_MAX], len: 0 };
        let mut digits = itoa::Buffer::new();
        text.push(digits.format(self.ms).as_bytes());
        text.push(b"-");
        text.push(digits.format(self.seq).as_bytes());
        text
    }
}

impl NewId {
    /// Reads the ID of XADD. Numbers without a sequence number have 0.
    pub fn parse(text: &[u8]) -> Option<NewId> {
        if text == b"*" {
            return Some(NewId::Auto);
        }
        match split(text)? {
            (ms, Some(b"*")) => Some(NewId::AutoSeq(parse_number(ms)?)),
            _ => StreamId::parse(text, 0).map(NewId::Given),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// Two numbers of up to 20 digits and what stands between them.
const ID_TEXT_BYTES_MAX: usize = 41;

/// The text of an ID, on the stack.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; ID_TEXT_BYTES_MAX],
    len: u8,
}

impl IdText {
    fn push(&mut self, piece: &[u8]) {
        let start = usize::from(self.len);
        self.bytes[start..start + piece.len()].copy_from_slice(piece);
        self.len += piece.len() as u8;
    }
}

impl Deref for IdText {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Cuts at the first `-`. Texts of 128 bytes and more are no IDs, and a NUL ends a text: so Redis reads them.
fn split(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    const TEXT_BYTES_MAX: usize = 127;
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    Some(match text.iter().position(|byte| *byte == b'-') {
        Some(dash) => (&text[..dash], Some(&text[dash + 1..])),
        None => (text, None),
    })
}

/// A number as C's `strtoull` takes it: blanks before it, a sign (`-` wraps around, unless the text is a plain negative
/// number, which is refused), then nothing but digits.
fn parse_number(text: &[u8]) -> Option<u64> {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let trimmed = &text[blanks..];
    let (digits, is_negative) = match trimmed {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for byte in digits {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    let is_plain = blanks == 0 && !digits.starts_with(b"0") && number <= i64::MIN.unsigned_abs();
    match is_negative {
        true if is_plain => None,
        true => Some(number.wrapping_neg()),
        false => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_redis_reads_them() {
        let id = |ms, seq| Some(StreamId::new(ms, seq));
        assert_eq!(StreamId::parse(b"1-2", 9), id(1, 2));
        assert_eq!(StreamId::parse(b"1", 9), id(1, 9));
        assert_eq!(StreamId::parse(b"01-02", 9), id(1, 2));
        assert_eq!(StreamId::parse(b" 2", 0), id(2, 0));
        assert_eq!(StreamId::parse(b"+2-+3", 0), id(2, 3));
        assert_eq!(StreamId::parse(b"5\0abc", 0), id(5, 0));
        assert_eq!(StreamId::parse(b"18446744073709551615-18446744073709551615", 0), Some(StreamId::MAX));
        for text in
            ["", "-", "+", "1-", "-1", "1-1x", "1-*", "18446744073709551616", "1--5", "x", "1 ", "- 1"]
        {
            assert_eq!(StreamId::parse(text.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(StreamId::parse(&[b'1'; 128], 0), None);
        assert_eq!(StreamId::parse_bound(b"-", 7), Some(StreamId::MIN));
        assert_eq!(StreamId::parse_bound(b"+", 7), Some(StreamId::MAX));
        assert_eq!(NewId::parse(b"*"), Some(NewId::Auto));
        assert_eq!(NewId::parse(b"7-*"), Some(NewId::AutoSeq(7)));
        assert_eq!(NewId::parse(b"7"), Some(NewId::Given(StreamId::new(7, 0))));
        assert_eq!(NewId::parse(b"7-**"), None);
    }

    #[test]
    fn neighbours_and_bytes() {
        let edge = StreamId::new(4, u64::MAX);
        assert_eq!(edge.next(), Some(StreamId::new(5, 0)));
        assert_eq!(StreamId::new(5, 0).previous(), Some(edge));
        assert_eq!((StreamId::MAX.next(), StreamId::MIN.previous()), (None, None));
        assert_eq!(StreamId::from_bytes(edge.to_bytes()), edge);
        assert_eq!(&*edge.text(), b"4-18446744073709551615");
        assert_eq!(edge.to_string().as_bytes(), &*edge.text());
    }
}
