//! One value in a string of bytes, as DUMP and RESTORE move it between servers.
//!
//! ```text
//! type value version(2) crc64(8)           integers little-endian; the checksum covers all before it
//! ```
//! The payload carries neither key nor expiry. A reader accepts every version it can read in a file. Unlike
//! in a file, a checksum of 0 is a checksum (Redis 7.0 refuses it too): every DUMP computes one. Bytes
//! between value and footer are left alone, as in Redis.

use super::build::{Around, Build, Built, Scratch};
use super::cursor::{Cursor, Stop, Text};
use super::length::put_length;
use super::object::{type_byte, write_value};
use super::records::module_name;
use super::strings::{StringValue, TextCompressor, put_integer, put_text, put_value};
use super::types::{Content, TYPE_STRING, value_type};
use super::version::{TooNew, VERSION_BASE, Version};
use super::writer::ValueWriter;
use super::{Checksum, Compression};
use crate::base::crc::Crc64Redis;
use crate::encoding::quicklist::NodeRoom;
use crate::object::{Depth, Object, Rules, View};
use std::borrow::Cow;
use std::{fmt, io};

const VERSION_LEN: usize = 2;
const CHECKSUM_LEN: usize = 8;

/// Appends the payload of a string.
pub fn dump_string(value: StringValue<'_>, compression: Compression, out: &mut Vec<u8>) {
    let from = out.len();
    out.push(TYPE_STRING);
    put_value(out, value, compression, &mut TextCompressor::new());
    put_footer(out, from, VERSION_BASE);
}

/// Appends the payload of a value of another type, of the lowest version that can hold it.
pub fn dump_object(view: View<'_>, compression: Compression, out: &mut Vec<u8>) {
    dump_as(view, view.rdb_version(), compression, out);
}

/// Appends a payload that Redis 7.0 takes if it can hold all that matters: when consumers were active is left out then.
pub fn dump_portable(view: View<'_>, compression: Compression, out: &mut Vec<u8>) {
    let needed = view.rdb_version();
    let version = if TooNew::of(needed, VERSION_BASE).is_none() { VERSION_BASE } else { needed };
    dump_as(view, version, compression, out);
}

fn dump_as(view: View<'_>, version: u16, compression: Compression, out: &mut Vec<u8>) {
    let from = out.len();
    out.push(type_byte(view, version));
    let compressor = TextCompressor::new();
    let (node_room, ziplist_room) = (NodeRoom::default(), Vec::new());
    let mut writer = PayloadWriter { out, compression, compressor, node_room, ziplist_room, version };
    write_value(&mut writer, view).expect("memory takes all that is written");
    put_footer(out, from, version);
}

pub(super) fn put_footer(out: &mut Vec<u8>, from: usize, version: u16) {
    out.extend_from_slice(&version.to_le_bytes());
    let sum = Crc64Redis::of(&out[from..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// A value that is written to memory.
struct PayloadWriter<'a> {
    out: &'a mut Vec<u8>,
    compression: Compression,
    compressor: TextCompressor,
    node_room: NodeRoom,
    /// Of no use: no value asks for a version with ziplists.
    ziplist_room: Vec<u8>,
    version: u16,
}

impl ValueWriter for PayloadWriter<'_> {
    fn length(&mut self, length: u64) -> io::Result<()> {
        put_length(self.out, length);
        Ok(())
    }

    fn text(&mut self, content: &[u8]) -> io::Result<()> {
        put_text(self.out, content, self.compression, &mut self.compressor);
        Ok(())
    }

    fn integer(&mut self, value: i64) -> io::Result<()> {
        put_integer(self.out, value);
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn node_room(&mut self) -> &mut NodeRoom {
        &mut self.node_room
    }

    fn ziplist_room(&mut self) -> &mut Vec<u8> {
        &mut self.ziplist_room
    }

    fn version(&self) -> u16 {
        self.version
    }
}

/// A value out of a payload.
pub enum Restored<'a> {
    Int(i64),
    Bytes(Cow<'a, [u8]>),
    Object(Object),
    /// A hash all of whose fields have expired.
    Expired,
}

/// Why a payload gives no value. The texts are Redis's, without the error code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The last ten bytes do not fit the rest, or say a version that cannot be read.
    Footer,
    /// The rest is not a value.
    Format,
    /// It is a value, of a type that cannot be held.
    Unsupported { what: String },
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Footer => f.write_str("DUMP payload version or checksum are wrong"),
            RestoreError::Format => f.write_str("Bad data format"),
            RestoreError::Unsupported { what } => write!(f, "Bad data format: unsupported type ({what})"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// What a payload is read with.
#[derive(Clone, Copy, Debug)]
pub struct RestoreOptions<'a> {
    pub checksum: Checksum,
    pub rules: &'a Rules,
    /// Fields of hashes that expired before are dropped; Unix milliseconds.
    pub now_ms: i64,
}

/// The value in a payload. It is checked deeply, whoever sent it.
pub fn restore<'a>(payload: &'a [u8], options: &RestoreOptions<'_>) -> Result<Restored<'a>, RestoreError> {
    let (body, version) = checked_body(payload, options.checksum).ok_or(RestoreError::Footer)?;
    let (&type_byte, body) = body.split_first().ok_or(RestoreError::Format)?;
    let value_type = value_type(type_byte, version).ok_or(RestoreError::Format)?;
    let mut cursor = Cursor::new(body);
    match value_type.content {
        Content::Text => restored_text(&mut cursor, body).map_err(|_| RestoreError::Format),
        Content::Built(form) => restored_object(&mut cursor, Build::new(form), options),
        Content::Foreign(_) | Content::Opaque => {
            Err(RestoreError::Unsupported { what: value_type.name.to_owned() })
        }
    }
}

fn restored_text<'a>(cursor: &mut Cursor<'a>, body: &'a [u8]) -> Result<Restored<'a>, Stop> {
    match Cursor::new(body).text()? {
        Text::Int(value) => Ok(Restored::Int(value)),
        Text::Plain(span) => Ok(Restored::Bytes(Cow::Borrowed(&body[span.start..span.end]))),
        Text::Lzf { .. } => cursor.owned().map(|content| Restored::Bytes(Cow::Owned(content))),
    }
}

fn restored_object<'a>(
    cursor: &mut Cursor<'a>,
    mut build: Build,
    options: &RestoreOptions<'_>,
) -> Result<Restored<'a>, RestoreError> {
    let mut around = Around {
        rules: options.rules,
        depth: Depth::Deep,
        now_ms: Some(options.now_ms),
        input_bytes: 0,
        scratch: &mut Scratch::default(),
    };
    // All bytes are there: one step takes the value, or it is cut off.
    build.step(cursor, &mut around).map_err(|_| RestoreError::Format)?;
    match build.finish() {
        Built::Object(object) => Ok(Restored::Object(object)),
        Built::Text(content) => Ok(Restored::Bytes(content.into())),
        Built::Expired => Ok(Restored::Expired),
        Built::Empty => Err(RestoreError::Format),
        Built::Module { module_id, .. } => {
            Err(RestoreError::Unsupported { what: format!("module value of '{}'", module_name(module_id)) })
        }
    }
}

/// The payload without its footer, if that is right.
pub(super) fn checked_body(payload: &[u8], checksum: Checksum) -> Option<(&[u8], Version)> {
    let (summed, stored) = payload.split_last_chunk::<CHECKSUM_LEN>()?;
    let (body, number) = summed.split_last_chunk::<VERSION_LEN>()?;
    let version = Version::from_number(u16::from_le_bytes(*number)).ok()?;
    let stored = u64::from_le_bytes(*stored);
    let right = checksum == Checksum::Off || stored == Crc64Redis::of(summed);
    right.then_some((body, version))
}
