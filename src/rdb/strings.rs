//! Strings as the format writes them: a value, a key's name, any text.
//!
//! ```text
//! length bytes                                   as it is
//! C0 i8 | C1 i16 | C2 i32                        canonical decimal text of an integer, little-endian
//! C3 length-compressed length-content stream     LZF
//! ```

use super::Compression;
use super::length::{LENGTH_BYTES_MAX, put_length};
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

/// A compressor with room for what it makes.
pub struct TextCompressor {
    pub(super) compressor: Compressor,
    scratch: Vec<u8>,
}

impl TextCompressor {
    /// For strings of up to `content_max` bytes. Nothing is allocated later.
    pub fn new(content_max: usize) -> Self {
        // Zeroed memory comes from the system untouched: only what is used becomes resident.
        TextCompressor { compressor: Compressor::new(), scratch: vec![0; content_max] }
    }

    /// Makes room for strings of up to `content_max` bytes.
    pub(super) fn grow(&mut self, content_max: usize) {
        if self.scratch.len() < content_max {
            self.scratch.resize(content_max, 0);
        }
    }

    /// The compressed form of `content`, if it is worth it. Content beyond the scratch is never worth it
    /// here.
    fn compress(&mut self, content: &[u8]) -> Option<&[u8]> {
        let out = self.scratch.get_mut(..compressed_len_max(content)?)?;
        let len = self.compressor.compress(content, out)?;
        Some(&self.scratch[..len])
    }
}

/// The length up to which a compressed form of `content` is kept; None if it is not worth a try.
pub(super) fn compressed_len_max(content: &[u8]) -> Option<usize> {
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
    if compression == Compression::Lzf
        && let Some(stream) = compressor.compress(content)
    {
        put_lzf_head(out, stream.len(), content.len());
        out.extend_from_slice(stream);
    } else {
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
        put_text(&mut out, content, compression, &mut TextCompressor::new(content.len()));
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

    proptest! {
        #[test]
        fn an_integer_is_canonical_text(value in any::<i32>(), other in "[-+0-9]{0,12}") {
            prop_assert_eq!(canonical_i32(value.to_string().as_bytes()), Some(value));
            let expected = other.parse::<i32>().ok().filter(|value| value.to_string() == other);
            prop_assert_eq!(canonical_i32(other.as_bytes()), expected);
        }
    }
}
