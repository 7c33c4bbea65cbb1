//! Strings as the format writes them: a value, a key's name, any text.
//!
//! ```text
//! length bytes                                   as it is
//! C0 i8 | C1 i16 | C2 i32                        canonical decimal text of an integer, little-endian
//! C3 length-compressed length-content stream     LZF
//! ```

use super::Compression;
use super::length::{LENGTH_BYTES_MAX, length_bytes, put_length, store_length};
use crate::base::lzf::Compressor;

pub const ENCODING_INT8: u8 = 0;
pub const ENCODING_INT16: u8 = 1;
pub const ENCODING_INT32: u8 = 2;
pub const ENCODING_LZF: u8 = 3;

/// A string longer than this is worth compressing ...
const LZF_CONTENT_MIN: usize = 21;
/// ... if it saves at least this much.
const LZF_SAVED_MIN: usize = 4;
/// "-2147483648"
const INTEGER_TEXT_MAX: usize = 11;

/// What a string takes beyond its content, at most.
pub const TEXT_OVERHEAD_MAX: usize = LENGTH_BYTES_MAX;

/// The contents of a string value to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StringValue<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

/// A compressor that stops trying where trying has not paid.
///
/// What it writes for a text depends on the texts before it: two passes over one keyspace give the same file.
pub struct TextCompressor {
    pub(super) compressor: Compressor,
    /// By the number of binary digits of a text's length.
    classes: [LengthClass; usize::BITS as usize + 1],
}

/// How texts of about one length have fared.
#[derive(Clone, Copy, Default)]
struct LengthClass {
    /// Texts in a row that did not shrink.
    misses: u32,
    /// So many texts are left as they are before one is tried again.
    skipped_next: u32,
}

/// After so many texts in a row that did not shrink, most of their length are left as they are ...
const MISSES_MAX: u32 = 32;
/// ... and one in about so many is tried. The distance varies: fields of a record come in a fixed order.
const PROBE_DISTANCE_MIN: u32 = 9;
const PROBE_DISTANCES: u32 = 16;

impl LengthClass {
    #[inline]
    fn is_worth_a_try(&mut self) -> bool {
        if self.misses < MISSES_MAX || self.skipped_next == 0 {
            return true;
        }
        self.skipped_next -= 1;
        false
    }

    fn tried(&mut self, compressed_len: Option<usize>) {
        self.misses = if compressed_len.is_some() { 0 } else { self.misses.wrapping_add(1).max(1) };
        if self.misses >= MISSES_MAX {
            // The middle bits of a multiple of the golden ratio: as good as random here.
            let spread = self.misses.wrapping_mul(0x9e37_79b1) >> 16;
            self.skipped_next = PROBE_DISTANCE_MIN + spread % PROBE_DISTANCES;
        }
    }
}

impl TextCompressor {
    /// Nothing is allocated, neither here nor later.
    pub fn new() -> Self {
        let classes = [LengthClass::default(); usize::BITS as usize + 1];
        TextCompressor { compressor: Compressor::new(), classes }
    }

    fn class(&mut self, content: &[u8]) -> &mut LengthClass {
        &mut self.classes[(usize::BITS - content.len().leading_zeros()) as usize]
    }

    /// Appends the compressed form of `content` with its head, if it is worth it; at most as many bytes as
    /// `content` and `TEXT_OVERHEAD_MAX`. Else `out` is as it was.
    fn put(&mut self, out: &mut Vec<u8>, content: &[u8]) -> Option<()> {
        let len_max = compressed_len_max(content)?;
        if !self.class(content).is_worth_a_try() {
            return None;
        }
        // Compressed where it belongs, behind the longest head that it can have.
        let head_at = out.len();
        let stream_at = head_at + lzf_head_bytes(len_max, content.len());
        out.resize(stream_at + len_max, 0);
        let len = self.compressor.compress(content, &mut out[stream_at..]);
        self.class(content).tried(len);
        let Some(len) = len else {
            out.truncate(head_at);
            return None;
        };
        let mut head = &mut out[head_at..stream_at];
        head[0] = 0xc0 | ENCODING_LZF;
        head = &mut head[1..];
        store_length(&mut head, len as u64);
        store_length(&mut head, content.len() as u64);
        let excess = head.len();
        if excess > 0 {
            out.copy_within(stream_at..stream_at + len, stream_at - excess);
        }
        out.truncate(stream_at - excess + len);
        Some(())
    }

    /// The length of the compressed form, if it is worth it.
    pub(super) fn compressed_len(&mut self, content: &[u8]) -> Option<usize> {
        let len_max = compressed_len_max(content)?;
        if !self.class(content).is_worth_a_try() {
            return None;
        }
        let len = self.compressor.compressed_len(content, len_max);
        self.class(content).tried(len);
        len
    }
}

impl Default for TextCompressor {
    fn default() -> Self {
        Self::new()
    }
}

/// The length up to which a compressed form of `content` is kept; None if it is not worth a try.
fn compressed_len_max(content: &[u8]) -> Option<usize> {
    (content.len() >= LZF_CONTENT_MIN).then(|| content.len() - LZF_SAVED_MIN)
}

/// Appends a value, at most its text and `TEXT_OVERHEAD_MAX` bytes.
pub(super) fn put_value(
    out: &mut Vec<u8>,
    value: StringValue<'_>,
    compression: Compression,
    compressor: &mut TextCompressor,
) {
    match value {
        StringValue::Int(value) => put_integer(out, value),
        StringValue::Bytes(content) => put_text(out, content, compression, compressor),
    }
}

/// Appends a string in its shortest form, at most `TEXT_OVERHEAD_MAX` bytes more than its content.
pub(super) fn put_text(
    out: &mut Vec<u8>,
    content: &[u8],
    compression: Compression,
    compressor: &mut TextCompressor,
) {
    if compression == Compression::Off || compressor.put(out, content).is_none() {
        put_plain_text(out, content);
    }
}

/// Appends a string uncompressed; as an integer if it is one.
#[inline]
pub(super) fn put_plain_text(out: &mut Vec<u8>, content: &[u8]) {
    match canonical_i32(content) {
        Some(value) => put_small_integer(out, value),
        None => {
            put_length(out, content.len() as u64);
            out.extend_from_slice(content);
        }
    }
}

pub(super) fn put_lzf_head(out: &mut Vec<u8>, compressed_len: usize, content_len: usize) {
    out.push(0xc0 | ENCODING_LZF);
    put_length(out, compressed_len as u64);
    put_length(out, content_len as u64);
}

fn lzf_head_bytes(compressed_len: usize, content_len: usize) -> usize {
    1 + length_bytes(compressed_len as u64) + length_bytes(content_len as u64)
}

/// Integers beyond 32 bits are written as text.
pub(super) fn put_integer(out: &mut Vec<u8>, value: i64) {
    match i32::try_from(value) {
        Ok(value) => put_small_integer(out, value),
        Err(_) => {
            let mut digits = itoa::Buffer::new();
            let text = digits.format(value).as_bytes();
            put_length(out, text.len() as u64);
            out.extend_from_slice(text);
        }
    }
}

fn put_small_integer(out: &mut Vec<u8>, value: i32) {
    if let Ok(value) = i8::try_from(value) {
        out.extend_from_slice(&[0xc0 | ENCODING_INT8, value as u8]);
    } else if let Ok(value) = i16::try_from(value) {
        out.push(0xc0 | ENCODING_INT16);
        out.extend_from_slice(&value.to_le_bytes());
    } else {
        out.push(0xc0 | ENCODING_INT32);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// The integer whose only decimal text is `content`: no plus sign, no leading zeros, no `-0`.
#[inline]
fn canonical_i32(content: &[u8]) -> Option<i32> {
    if content.is_empty() || content.len() > INTEGER_TEXT_MAX {
        return None;
    }
    let (digits, sign) = match content {
        [b'-', digits @ ..] => (digits, -1),
        digits => (digits, 1),
    };
    match digits {
        [b'0'] if sign == 1 => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let mut value = 0i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    i32::try_from(value * sign).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(content: &[u8], compression: Compression) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, content, compression, &mut TextCompressor::new());
        out
    }

    #[test]
    fn integers_as_redis_writes_them() {
        let cases: [(&str, &[u8]); 12] = [
            ("12", &[0xc0, 12]),
            ("-1", &[0xc0, 0xff]),
            ("-128", &[0xc0, 0x80]),
            ("128", &[0xc1, 0x80, 0]),
            ("-32768", &[0xc1, 0, 0x80]),
            ("100000", &[0xc2, 0xa0, 0x86, 1, 0]),
            ("-2147483648", &[0xc2, 0, 0, 0, 0x80]),
            ("2147483648", b"\x0a2147483648"),
            ("-0", b"\x02-0"),
            ("007", b"\x03007"),
            ("+1", b"\x02+1"),
            ("", b"\0"),
        ];
        for (content, bytes) in cases {
            assert_eq!(text(content.as_bytes(), Compression::Off), bytes, "{content}");
        }
        let mut out = Vec::new();
        put_integer(&mut out, i64::MIN);
        assert_eq!(out, b"\x14-9223372036854775808");
    }

    #[test]
    fn compression_must_pay() {
        assert_eq!(text(&[b'a'; 39], Compression::Lzf), [0xc3, 5, 39, 0, b'a', 0xe0, 29, 0]);
        assert_eq!(text(&[b'a'; 39], Compression::Off)[0], 39);
        assert_eq!(text(&[b'a'; 20], Compression::Lzf)[0], 20, "too short to try");
        assert_eq!(text(b"abcdefghijklmnopqrstuvwxyz", Compression::Lzf)[0], 26, "nothing saved");
    }

    #[test]
    fn what_does_not_shrink_is_tried_now_and_then() {
        let mut random = fastrand::Rng::with_seed(5);
        let mut compressor = TextCompressor::new();
        let mut out = Vec::with_capacity(1 << 10);
        let mut is_tried = |compressor: &mut TextCompressor, content: &[u8]| {
            let before = compressor.class(content).skipped_next;
            out.clear();
            put_text(&mut out, content, Compression::Lzf, compressor);
            assert!(out.len() <= content.len() + TEXT_OVERHEAD_MAX);
            (before == 0, out[0] == 0xc3)
        };
        let mut tried = 0;
        for _ in 0..10_000 {
            let noise: [u8; 100] = std::array::from_fn(|_| random.u8(..));
            tried += usize::from(is_tried(&mut compressor, &noise).0);
        }
        assert!((10_000 / 25..10_000 / 12).contains(&tried), "{tried}");
        assert_eq!(is_tried(&mut compressor, &[b'x'; 200]), (true, true), "another length");
        let shrunk = (0..1000).filter(|_| is_tried(&mut compressor, &[b'x'; 100]).1).count();
        assert!(shrunk >= 975, "it comes back at once: {shrunk}");
        let mut mixed = 0;
        for number in 0..10_000 {
            let noise: [u8; 100] = std::array::from_fn(|_| random.u8(..));
            let content = if number % 8 == 0 { [b'y'; 100] } else { noise };
            mixed += usize::from(is_tried(&mut compressor, &content).1);
        }
        assert!(mixed >= 1200, "one in eight is worth trying all: {mixed}");
    }

    #[test]
    fn a_compressed_text_has_the_shortest_head() {
        // Stream and content on both sides of each length's limits.
        for len in [21, 67, 68, 69, 100, 5000, 16383, 16384, 16387, 16388, 16389, 70_000] {
            for period in [1, 40, 97, 3000] {
                let content: Vec<u8> = (0..len).map(|at| (at % period * 7 % 251) as u8).collect();
                let out = text(&content, Compression::Lzf);
                let mut compressor = TextCompressor::new();
                let Some(compressed_len) = compressor.compressed_len(&content) else { continue };
                let mut expected = Vec::new();
                put_lzf_head(&mut expected, compressed_len, len);
                assert_eq!(out[..expected.len()], expected, "{len} {period}");
                let mut content_back = vec![0; len];
                crate::base::lzf::decompress(&out[expected.len()..], &mut content_back).unwrap();
                assert_eq!(content_back, content);
            }
        }
    }

    proptest! {
        #[test]
        fn an_integer_is_canonical_text(value in any::<i32>(), other in "[-+0-9]{0,12}") {
            prop_assert_eq!(canonical_i32(value.to_string().as_bytes()), Some(value));
            let expected = other.parse::<i32>().ok().filter(|value| value.to_string() == other);
            prop_assert_eq!(canonical_i32(other.as_bytes()), expected);
        }
    }
}
