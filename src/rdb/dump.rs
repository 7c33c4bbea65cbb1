//! One value in a string of bytes, as DUMP and RESTORE move it between servers.
//!
//! ```text
//! type value version(2) crc64(8)           integers little-endian; the checksum covers all before it
//! ```
//! The payload carries neither key nor expiry. A reader accepts every version it can read in a file. Unlike
//! in a file, a checksum of 0 is a checksum (Redis 7.0 refuses it too): every DUMP computes one. Bytes
//! between value and footer are left alone, as in Redis.

use super::cursor::{Cursor, Text};
use super::strings::{StringValue, TextCompressor, put_value};
use super::types::{TYPE_STRING, value_type};
use super::version::{VERSION_BASE, Version};
use super::{Checksum, Compression};
use crate::base::crc::Crc64Redis;
use crate::base::lzf::decompress;
use std::borrow::Cow;
use std::fmt;

const VERSION_LEN: usize = 2;
const CHECKSUM_LEN: usize = 8;

/// Appends the payload of a string.
pub fn dump_string(value: StringValue<'_>, compression: Compression, out: &mut Vec<u8>) {
    let from = out.len();
    let content_len = match value {
        StringValue::Bytes(content) if compression == Compression::Lzf => content.len(),
        StringValue::Bytes(_) | StringValue::Int(_) => 0,
    };
    out.push(TYPE_STRING);
    put_value(out, value, compression, &mut TextCompressor::new(content_len));
    out.extend_from_slice(&VERSION_BASE.to_le_bytes());
    let sum = Crc64Redis::of(&out[from..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// A value out of a payload.
#[derive(Debug, PartialEq, Eq)]
pub enum Restored<'a> {
    Int(i64),
    Bytes(Cow<'a, [u8]>),
}

/// Why a payload gives no value. The texts are Redis's, without the error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The last ten bytes do not fit the rest, or say a version that cannot be read.
    Footer,
    /// The rest is not a value.
    Format,
    /// It is a value, of a type that cannot be built.
    Unsupported { name: &'static str },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Footer => f.write_str("DUMP payload version or checksum are wrong"),
            RestoreError::Format => f.write_str("Bad data format"),
            RestoreError::Unsupported { name } => write!(f, "Bad data format: unsupported type ({name})"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// The value in a payload.
pub fn restore(payload: &[u8], checksum: Checksum) -> Result<Restored<'_>, RestoreError> {
    let (body, version) = checked_body(payload, checksum).ok_or(RestoreError::Footer)?;
    let (&type_byte, body) = body.split_first().ok_or(RestoreError::Format)?;
    let value_type = value_type(type_byte, version).ok_or(RestoreError::Format)?;
    if value_type.byte != TYPE_STRING {
        return Err(RestoreError::Unsupported { name: value_type.name });
    }
    match Cursor::new(body).text().map_err(|_| RestoreError::Format)? {
        Text::Int(value) => Ok(Restored::Int(value)),
        Text::Plain(span) => Ok(Restored::Bytes(Cow::Borrowed(&body[span.start..span.end]))),
        Text::Lzf { stream, content_len } => {
            let mut content = vec![0; content_len];
            decompress(&body[stream.start..stream.end], &mut content).map_err(|_| RestoreError::Format)?;
            Ok(Restored::Bytes(Cow::Owned(content)))
        }
    }
}

/// The payload without its footer, if that is right.
fn checked_body(payload: &[u8], checksum: Checksum) -> Option<(&[u8], Version)> {
    let (summed, stored) = payload.split_last_chunk::<CHECKSUM_LEN>()?;
    let (body, number) = summed.split_last_chunk::<VERSION_LEN>()?;
    let version = Version::from_number(u16::from_le_bytes(*number)).ok()?;
    let stored = u64::from_le_bytes(*stored);
    let right = checksum == Checksum::Off || stored == Crc64Redis::of(summed);
    right.then_some((body, version))
}
