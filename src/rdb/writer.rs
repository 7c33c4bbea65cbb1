//! Writes a snapshot.
//!
//! Records are appended to a buffer of fixed size, whose whole records go to the output, and through the checksum, when
//! the next one might not fit. The common record costs one test for room. A record larger than the buffer goes out in
//! pieces, and the output is told when it has ended (`Output::boundary`): so several writers can share a file.
//!
//! Invariants
//! 1. Nothing is allocated after the `Workspace`: the writer may run in a forked child. (Nodes of lists beyond
//!    `NODE_BYTES` are the exception.)
//! 2. A value too large for the workspace is compressed all the same, in two passes: the first finds the
//!    length, which the format wants in front; the second writes. Twice the time, no memory.
//! 3. Names of keys are compressed from `KEY_LZF_MIN` bytes on only: shorter ones hardly ever shrink.
//!
//! The order of calls is the order in the file: `header`, `function_library`*, then for each database
//! `select_db` and its keys, then `finish`. A key that holds a string is one call; any other is `begin` and then the
//! parts of its value, in the order of its layout (`ValueWriter`; `object` knows the layouts). A writer that is dropped
//! before leaves a file without an end, which no one loads.

use super::length::{LENGTH_BYTES_MAX, put_length};
use super::records::{
    OPCODE_AUX, OPCODE_EOF, OPCODE_EXPIRETIME_MS, OPCODE_FREQ, OPCODE_FUNCTION, OPCODE_IDLE, OPCODE_RESIZEDB,
    OPCODE_SELECTDB,
};
use super::strings::{
    StringValue, TEXT_OVERHEAD_MAX, TextCompressor, put_integer, put_lzf_head, put_plain_text, put_text,
    put_value,
};
use super::types::{TYPE_MODULE, TYPE_STRING};
use super::version::Version;
use super::{Access, Checksum, Compression, Output};
use crate::base::crc::Crc64Redis;
use crate::base::lzf::Sink;
use crate::encoding::quicklist::NodeRoom;
use std::io;

/// What is handed to the output at a time.
pub const BUFFER_BYTES: usize = 1 << 20;
/// Nodes of lists are hardly ever larger; one that is makes its room larger.
const NODE_BYTES: usize = 128 << 10;
/// Nodes as ziplists (version 9), which may be a little larger. What is larger still is written without compression.
const ZIPLIST_BYTES: usize = NODE_BYTES + (NODE_BYTES >> 1);
/// See invariant 3.
const KEY_LZF_MIN: usize = 64;
/// Expiry, access and type, in front of the key.
const PREFIX_MAX: usize = 9 + 1 + LENGTH_BYTES_MAX + 1;
/// "-9223372036854775808"
const INTEGER_TEXT_MAX: usize = 20;

/// How a snapshot is written.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    pub compression: Compression,
    pub checksum: Checksum,
    /// The number in the magic: the lowest that the content needs, known to the caller before the first byte
    /// (`VERSION_BASE` for strings), or one that holds the data of all its values (`TooNew`).
    pub version: u16,
}

/// The memory a writer needs, to be made before a fork.
pub struct Workspace {
    buffer: Vec<u8>,
    compressor: TextCompressor,
    node_room: NodeRoom,
    ziplist_room: Vec<u8>,
}

impl Workspace {
    pub fn new() -> Self {
        // The checksum chooses its algorithm, once per process, when first used: here rather than in a child.
        Crc64Redis::of(&[0; 1024]);
        Workspace {
            buffer: Vec::with_capacity(BUFFER_BYTES),
            compressor: TextCompressor::new(),
            node_room: NodeRoom::with_capacity(NODE_BYTES),
            ziplist_room: Vec::with_capacity(ZIPLIST_BYTES),
        }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    pub bytes: u64,
    /// As it stands at the end of the file; 0 with checksums off.
    pub checksum: u64,
}

/// Takes a value part by part: a file being written, or a payload of DUMP.
pub trait ValueWriter {
    fn length(&mut self, length: u64) -> io::Result<()>;
    /// A string of any length, in its shortest form.
    fn text(&mut self, content: &[u8]) -> io::Result<()>;
    /// A string that is an integer's text.
    fn integer(&mut self, value: i64) -> io::Result<()>;
    /// Bytes as they are, without their length.
    fn raw(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Where the nodes of a list are made ready.
    fn node_room(&mut self) -> &mut NodeRoom;
    /// Where ziplists are made, up to its capacity.
    fn ziplist_room(&mut self) -> &mut Vec<u8>;
    /// The version of the format that what is written is in.
    fn version(&self) -> u16;
}

pub struct RdbWriter<O> {
    output: O,
    workspace: Workspace,
    options: WriterOptions,
    checksum: Crc64Redis,
    /// Handed to the output.
    flushed_bytes: u64,
    /// Where in the buffer the record begins that is being written; all before are whole. 0 if the output has its
    /// beginning.
    record_from: usize,
    beginning: Beginning,
}

/// Where the beginning of the record is that is being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beginning {
    InBuffer,
    /// The output has it, and waits for the rest.
    HandedOver,
}

impl<O: Output> RdbWriter<O> {
    pub fn new(output: O, options: WriterOptions) -> Self {
        Self::with_workspace(output, Workspace::new(), options)
    }

    pub fn with_workspace(output: O, mut workspace: Workspace, options: WriterOptions) -> Self {
        workspace.buffer.clear();
        RdbWriter {
            output,
            workspace,
            options,
            checksum: Crc64Redis::new(),
            flushed_bytes: 0,
            record_from: 0,
            beginning: Beginning::InBuffer,
        }
    }

    /// Bytes written so far, those in the buffer included.
    pub fn bytes(&self) -> u64 {
        self.flushed_bytes + self.workspace.buffer.len() as u64
    }

    /// The magic, and what the file says about itself: names and values. Redis 7.0 writes `redis-ver`,
    /// `redis-bits`, `ctime`, `used-mem` and `aof-base`, in this order.
    pub fn header(&mut self, aux: &[(&str, &[u8])]) -> io::Result<()> {
        let magic = Version::to_write(self.options.version).magic();
        self.reserve(magic.len())?;
        self.workspace.buffer.extend_from_slice(&magic);
        aux.iter().try_for_each(|(name, value)| self.aux(name.as_bytes(), value))
    }

    /// One more thing that the file says about itself.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) -> io::Result<()> {
        self.opcode(OPCODE_AUX)?;
        self.text(name)?;
        self.text(value)
    }

    /// The source of one library of functions.
    pub fn function_library(&mut self, source: &[u8]) -> io::Result<()> {
        self.opcode(OPCODE_FUNCTION)?;
        self.text(source)
    }

    /// The keys that follow belong to database `index`. The counts let a reader size its tables.
    pub fn select_db(&mut self, index: u64, keys: u64, volatile_keys: u64) -> io::Result<()> {
        self.switch_db(index)?;
        self.resize_db(keys, volatile_keys)
    }

    /// As `select_db`, when the counts are not known or come behind.
    pub fn switch_db(&mut self, index: u64) -> io::Result<()> {
        self.opcode(OPCODE_SELECTDB)?;
        self.length(index)
    }

    /// The counts alone.
    pub fn resize_db(&mut self, keys: u64, volatile_keys: u64) -> io::Result<()> {
        self.begin_record()?;
        self.reserve(1 + 2 * LENGTH_BYTES_MAX)?;
        let out = &mut self.workspace.buffer;
        out.push(OPCODE_RESIZEDB);
        put_length(out, keys);
        put_length(out, volatile_keys);
        Ok(())
    }

    /// A key that holds a string.
    #[inline]
    pub fn string(
        &mut self,
        key: &[u8],
        expire_at_ms: Option<i64>,
        access: Option<Access>,
        value: StringValue<'_>,
    ) -> io::Result<()> {
        let value_len = match value {
            StringValue::Int(_) => INTEGER_TEXT_MAX,
            StringValue::Bytes(content) => content.len(),
        };
        let record_max = PREFIX_MAX + key.len() + value_len + 2 * TEXT_OVERHEAD_MAX;
        if record_max > BUFFER_BYTES {
            return self.large_string(key, expire_at_ms, access, value);
        }
        self.begin_record()?;
        self.reserve(record_max)?;
        let Workspace { buffer, compressor, .. } = &mut self.workspace;
        put_prefix(buffer, expire_at_ms, access, TYPE_STRING);
        if key.len() < KEY_LZF_MIN {
            put_plain_text(buffer, key);
        } else {
            put_text(buffer, key, self.options.compression, compressor);
        }
        put_value(buffer, value, self.options.compression, compressor);
        Ok(())
    }

    /// A key that holds a value of another type: all that stands in front of the value.
    pub fn begin(
        &mut self,
        key: &[u8],
        expire_at_ms: Option<i64>,
        access: Option<Access>,
        type_byte: u8,
    ) -> io::Result<()> {
        self.begin_record()?;
        self.reserve(PREFIX_MAX)?;
        put_prefix(&mut self.workspace.buffer, expire_at_ms, access, type_byte);
        if key.len() < KEY_LZF_MIN {
            self.reserve(key.len() + TEXT_OVERHEAD_MAX)?;
            put_plain_text(&mut self.workspace.buffer, key);
            return Ok(());
        }
        self.text(key)
    }

    /// A key that holds the value of a module; `value` are the bytes that were read (`Record::LeftOut`).
    pub fn module_value(
        &mut self,
        key: &[u8],
        expire_at_ms: Option<i64>,
        access: Option<Access>,
        value: &[u8],
    ) -> io::Result<()> {
        self.begin(key, expire_at_ms, access, TYPE_MODULE)?;
        self.raw(value)
    }

    /// Data of a module; `record` are the bytes that were read (`Record::ModuleAux`).
    pub fn module_aux(&mut self, record: &[u8]) -> io::Result<()> {
        self.begin_record()?;
        self.raw(record)
    }

    /// Hands over what is in the buffer; between two records.
    pub fn flush(&mut self) -> io::Result<()> {
        self.begin_record()?;
        self.hand_over_records()
    }

    /// The end of the file. The output has received everything then, but nothing was synced: that is its
    /// owner's part.
    pub fn finish(self) -> io::Result<(Summary, O)> {
        let sum = self.options.checksum;
        self.finish_with(|writer| if sum == Checksum::On { writer.checksum.value() } else { 0 })
    }

    /// As `finish`, with a checksum that was made elsewhere, because several writers shared the file. `checksum` is
    /// asked for when all but the sum itself has been handed over.
    pub fn finish_with(mut self, checksum: impl FnOnce(&Self) -> u64) -> io::Result<(Summary, O)> {
        self.opcode(OPCODE_EOF)?;
        self.flush()?;
        let checksum = checksum(&self);
        self.output.write_all(&checksum.to_le_bytes())?;
        self.output.boundary();
        self.flushed_bytes += 8;
        Ok((Summary { bytes: self.flushed_bytes, checksum }, self.output))
    }

    pub fn output(&self) -> &O {
        &self.output
    }

    /// The workspace, for another writer. What is still in the buffer is lost.
    pub fn into_workspace(self) -> Workspace {
        self.workspace
    }

    #[cold]
    fn large_string(
        &mut self,
        key: &[u8],
        expire_at_ms: Option<i64>,
        access: Option<Access>,
        value: StringValue<'_>,
    ) -> io::Result<()> {
        self.begin(key, expire_at_ms, access, TYPE_STRING)?;
        match value {
            StringValue::Bytes(content) => self.text(content),
            StringValue::Int(value) => self.integer(value),
        }
    }

    /// Every opcode begins a record.
    fn opcode(&mut self, opcode: u8) -> io::Result<()> {
        self.begin_record()?;
        self.reserve(1)?;
        self.workspace.buffer.push(opcode);
        Ok(())
    }

    /// A string of any length.
    #[inline]
    fn put_any_text(&mut self, content: &[u8]) -> io::Result<()> {
        let text_max = content.len() + TEXT_OVERHEAD_MAX;
        if text_max <= BUFFER_BYTES {
            self.reserve(text_max)?;
            let Workspace { buffer, compressor, .. } = &mut self.workspace;
            put_text(buffer, content, self.options.compression, compressor);
            return Ok(());
        }
        self.large_text(content)
    }

    #[cold]
    fn large_text(&mut self, content: &[u8]) -> io::Result<()> {
        let compressed_len = match self.options.compression {
            Compression::Lzf => self.workspace.compressor.compressed_len(content),
            Compression::Off => None,
        };
        match compressed_len {
            Some(compressed_len) => self.large_lzf(content, compressed_len),
            None => {
                self.reserve(LENGTH_BYTES_MAX)?;
                put_length(&mut self.workspace.buffer, content.len() as u64);
                self.bytes_past_buffer(content)
            }
        }
    }

    /// Invariant 2: the second pass.
    fn large_lzf(&mut self, content: &[u8], compressed_len: usize) -> io::Result<()> {
        self.reserve(1 + 2 * LENGTH_BYTES_MAX)?;
        put_lzf_head(&mut self.workspace.buffer, compressed_len, content.len());
        let stream_from = self.bytes();
        let mut compressor = std::mem::take(&mut self.workspace.compressor.compressor);
        let mut sink = BufferSink { writer: self, result: Ok(()) };
        let finished = compressor.compress_to(content, &mut sink);
        sink.result?;
        self.workspace.compressor.compressor = compressor;
        let written = self.bytes() - stream_from;
        if finished.is_none() || written != compressed_len as u64 {
            return Err(io::Error::other("two passes of compression disagree"));
        }
        Ok(())
    }

    fn bytes_past_buffer(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hand_over_records()?;
        self.hand_over_rest()?;
        for piece in bytes.chunks(BUFFER_BYTES) {
            self.hand_over(Piece::Slice(piece))?;
        }
        Ok(())
    }

    /// What follows is a new record: the one before it, if any, is whole.
    #[inline]
    fn begin_record(&mut self) -> io::Result<()> {
        self.record_from = self.workspace.buffer.len();
        if self.beginning == Beginning::HandedOver { self.end_parted() } else { Ok(()) }
    }

    /// Hands over what is left of a record whose beginning the output has.
    #[cold]
    fn end_parted(&mut self) -> io::Result<()> {
        self.record_from = 0;
        self.hand_over_rest()?;
        self.beginning = Beginning::InBuffer;
        self.output.boundary();
        Ok(())
    }

    /// Makes room for `bytes`, which is at most the size of the buffer.
    #[inline]
    fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        if bytes > BUFFER_BYTES - self.workspace.buffer.len() { self.make_room(bytes) } else { Ok(()) }
    }

    #[cold]
    fn make_room(&mut self, bytes: usize) -> io::Result<()> {
        debug_assert!(self.workspace.buffer.len() <= BUFFER_BYTES, "the bounds hold: the buffer never grew");
        self.hand_over_records()?;
        if bytes > BUFFER_BYTES - self.workspace.buffer.len() { self.hand_over_rest() } else { Ok(()) }
    }

    /// Hands over the whole records, and moves what is there of another one to the front.
    fn hand_over_records(&mut self) -> io::Result<()> {
        let whole = std::mem::take(&mut self.record_from);
        if whole > 0 {
            self.hand_over(Piece::Buffer(whole))?;
            self.workspace.buffer.copy_within(whole.., 0);
            let rest = self.workspace.buffer.len() - whole;
            self.workspace.buffer.truncate(rest);
            self.output.boundary();
        }
        Ok(())
    }

    /// Hands over a record's beginning, or more of it.
    fn hand_over_rest(&mut self) -> io::Result<()> {
        let bytes = self.workspace.buffer.len();
        self.beginning = Beginning::HandedOver;
        if bytes > 0 {
            self.hand_over(Piece::Buffer(bytes))?;
        }
        self.workspace.buffer.clear();
        Ok(())
    }

    fn hand_over(&mut self, piece: Piece<'_>) -> io::Result<()> {
        let bytes = match piece {
            Piece::Buffer(bytes) => &self.workspace.buffer[..bytes],
            Piece::Slice(bytes) => bytes,
        };
        if self.options.checksum == Checksum::On {
            self.checksum.update(bytes);
        }
        self.output.write_all(bytes)?;
        self.flushed_bytes += bytes.len() as u64;
        Ok(())
    }
}

impl<O: Output> ValueWriter for RdbWriter<O> {
    #[inline]
    fn length(&mut self, length: u64) -> io::Result<()> {
        self.reserve(LENGTH_BYTES_MAX)?;
        put_length(&mut self.workspace.buffer, length);
        Ok(())
    }

    #[inline]
    fn text(&mut self, content: &[u8]) -> io::Result<()> {
        self.put_any_text(content)
    }

    #[inline]
    fn integer(&mut self, value: i64) -> io::Result<()> {
        self.reserve(INTEGER_TEXT_MAX + TEXT_OVERHEAD_MAX)?;
        put_integer(&mut self.workspace.buffer, value);
        Ok(())
    }

    #[inline]
    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > BUFFER_BYTES {
            return self.bytes_past_buffer(bytes);
        }
        self.reserve(bytes.len())?;
        self.workspace.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn node_room(&mut self) -> &mut NodeRoom {
        &mut self.workspace.node_room
    }

    fn ziplist_room(&mut self) -> &mut Vec<u8> {
        &mut self.workspace.ziplist_room
    }

    fn version(&self) -> u16 {
        self.options.version
    }
}

/// What `hand_over` passes on.
enum Piece<'a> {
    /// The first bytes of the buffer.
    Buffer(usize),
    Slice(&'a [u8]),
}

#[inline]
fn put_prefix(out: &mut Vec<u8>, expire_at_ms: Option<i64>, access: Option<Access>, type_byte: u8) {
    if let Some(at_ms) = expire_at_ms {
        out.push(OPCODE_EXPIRETIME_MS);
        out.extend_from_slice(&at_ms.to_le_bytes());
    }
    match access {
        None => {}
        Some(Access::Idle { seconds }) => {
            out.push(OPCODE_IDLE);
            put_length(out, seconds);
        }
        Some(Access::Frequency(counter)) => out.extend_from_slice(&[OPCODE_FREQ, counter]),
    }
    out.push(type_byte);
}

/// Takes a compressed stream into a writer's buffer.
struct BufferSink<'a, O> {
    writer: &'a mut RdbWriter<O>,
    result: io::Result<()>,
}

impl<O: Output> Sink for BufferSink<'_, O> {
    fn room(&self) -> usize {
        usize::MAX
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.result = self.writer.reserve(bytes.len());
        self.result.is_ok().then(|| self.writer.workspace.buffer.extend_from_slice(bytes))
    }
}
