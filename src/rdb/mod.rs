//! Room `rdb`: values into bytes and back, in the format of RDB files, DUMP payloads and replication
//! snapshots.
//!
//! ```text
//! magic(9)  AUX*  FUNCTION*  { SELECTDB RESIZEDB key-record* }*  EOF  crc64(8)
//! key record:  [EXPIRETIME_MS] [IDLE | FREQ]  type  key  value
//! ```
//! | file | what |
//! |---|---|
//! | `version` | magic, versions, whose numbering applies |
//! | `types` | every type of value: byte, name, layout |
//! | `length`, `strings` | the two encodings everything is made of |
//! | `writer` | a snapshot, through a buffer of fixed size |
//! | `object`, `stream` | what is written for a value of each type |
//! | `cursor`, `records`, `frames` | one record: pieces, grammar, buffered input |
//! | `build`, `legacy` | values of the other types, piece by piece; packed forms of old servers |
//! | `reader` | a snapshot, record by record |
//! | `cutter`, `layout` | a snapshot in stretches for several readers; where each value ends |
//! | `verify` | the checksum of a whole file |
//! | `check`, `statistics` | a report on a whole file |
//! | `resync`, `mend` | what a damaged file still holds, and its smallest damages undone |
//! | `dump` | one value, as DUMP and RESTORE move it |
//!
//! Invariants
//! 1. This room knows no file and no keyspace: bytes leave through `Output` and come through `Input`.
//! 2. Writing allocates nothing after construction: it runs in a forked child.
//! 3. Whatever comes in gives a record or an `RdbError`, never a panic, and never an allocation larger than a
//!    small multiple of what was received: announced lengths are believed only as far as bytes have come.
//! 4. A checksum is computed over whole buffers, never over fields.
//!
//! A new type of value is a line in `types`, a builder in `build` and a function in `object`.

mod build;
pub mod check;
mod cursor;
pub mod cutter;
pub mod dump;
pub mod error;
mod frames;
pub mod functions;
mod layout;
mod legacy;
pub mod length;
pub mod mend;
pub mod object;
mod plain;
pub mod reader;
mod records;
pub mod resync;
pub mod statistics;
mod stream;
pub mod strings;
pub mod types;
pub mod verify;
pub mod version;
pub mod writer;

#[cfg(test)]
mod tests;

pub use check::{CheckReport, check};
pub use cutter::{Cut, Cutter, Ending, Stretch};
pub use dump::{RestoreError, RestoreOptions, Restored, dump_object, dump_portable, dump_string, restore};
pub use error::{Fault, Printable, RdbError};
pub use functions::{FunctionsError, dump_functions, restore_functions};
pub use object::{type_byte, write_value};
pub use plain::PlainString;
pub use reader::{Foreign, KeyRecord, Reader, ReaderOptions, Record, Value};
pub use records::module_name;
pub use strings::StringValue;
pub use verify::{ChecksumState, Verified, Verifier, verify};
pub use version::{
    Dialect, KeyTooNew, TooNew, VERSION_BASE, VERSION_VALKEY, VERSION_ZIPLISTS, Version, aof_base_name,
    written_by,
};
pub use writer::{RdbWriter, Summary, ValueWriter, Workspace, WriterOptions};

use std::io;

/// Where bytes come from.
pub trait Input {
    /// Reads some bytes; 0 means there are no more.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
}

/// Where bytes go.
pub trait Output {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// What was given so far are whole records: where several writers share an output, another one may go on from here.
    fn boundary(&mut self) {}
}

impl<I: Input + ?Sized> Input for &mut I {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read(buffer)
    }
}

impl Input for &[u8] {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        io::Read::read(self, buffer)
    }
}

impl<O: Output + ?Sized> Output for &mut O {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).write_all(bytes)
    }

    fn boundary(&mut self) {
        (**self).boundary();
    }
}

impl Output for Vec<u8> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Whether strings are compressed (`rdbcompression`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Off,
    Lzf,
}

/// Whether checksums are made (`rdbchecksum`) or looked at. A checksum of 0 says that none was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    Off,
    On,
}

/// What is known about a key's use; a file carries at most one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Time since the last access, under an LRU policy.
    Idle { seconds: u64 },
    /// The logarithmic counter, under an LFU policy.
    Frequency(u8),
}
