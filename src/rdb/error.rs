//! What can be wrong with an RDB file or stream, and where.

use super::version::Version;
use crate::base::log;
use crate::base::lzf::LzfError;
use std::{fmt, io};

/// A fault: what it is, at which byte, and in which key. `Display` says all three.
#[derive(Debug)]
pub struct RdbError {
    /// Bytes from the start of the file or stream.
    pub offset: u64,
    /// The key whose record is at fault, if the fault lies behind its name.
    pub key: Option<Box<[u8]>>,
    pub fault: Fault,
}

/// What is wrong. The texts that Redis's users know are Redis's.
#[derive(Debug)]
pub enum Fault {
    /// Reading failed; says nothing about the content.
    Io(io::Error),
    /// The input ended; `missing` bytes more, at least, were announced.
    Truncated { missing: u64 },
    /// The last record is not the end record.
    NoEnd,
    /// Neither `REDIS` nor `VALKEY` at the start.
    Signature,
    /// A version that nothing here knows how to read.
    Version { number: u32 },
    /// `computed` over the content, `stored` at its end.
    Checksum { computed: u64, stored: u64 },
    /// A record type that does not exist in this version.
    UnknownOpcode { opcode: u8, version: Version },
    /// A value or record that is well known, but cannot be loaded.
    Unsupported { type_byte: u8, name: &'static str },
    /// The value of a module that is not here.
    Module { name: String },
    /// A string's compressed content is wrong.
    Lzf(LzfError),
    /// A string announces more content than its compressed form can hold.
    LzfLength { compressed: u64, announced: u64 },
    /// A byte that begins neither a length nor a string.
    LengthEncoding { byte: u8 },
    /// Bytes that cannot mean what their place demands.
    Corrupt(&'static str),
}

impl RdbError {
    pub(super) fn new(offset: u64, fault: Fault) -> Self {
        RdbError { offset, key: None, fault }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Io(error) => write!(f, "Read error: {error}"),
            Fault::Truncated { missing } => {
                write!(f, "Short read: the file ends here, at least {missing} more bytes were announced")
            }
            Fault::NoEnd => f.write_str(
                "Short read: the file does not end with an end record: it is cut off, or its end is damaged",
            ),
            Fault::Signature => f.write_str("Wrong signature trying to load DB from file"),
            Fault::Version { number } => write!(f, "Can't handle RDB format version {number}"),
            Fault::Checksum { computed, stored } => {
                write!(f, "Wrong RDB checksum expected: ({computed:x}) but got ({stored:x})")
            }
            Fault::UnknownOpcode { opcode, version } => {
                write!(f, "Unknown record type {opcode} (0x{opcode:02x}) for {version}")
            }
            Fault::Unsupported { type_byte, name } => {
                write!(f, "Unsupported type {type_byte} (0x{type_byte:02x}, {name})")
            }
            Fault::Module { name } => write!(
                f,
                "The RDB file contains module data I can't load: no matching module type '{name}' (values of \
                 modules are left out with 'rdb-skip-unknown yes')"
            ),
            Fault::Lzf(error) => write!(f, "Invalid LZF compressed string: {error}"),
            Fault::LzfLength { compressed, announced } => {
                write!(
                    f,
                    "Invalid LZF compressed string: {compressed} bytes cannot hold the {announced} announced"
                )
            }
            Fault::LengthEncoding { byte } => write!(f, "Unknown length encoding 0x{byte:02x}"),
            Fault::Corrupt(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for RdbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)?;
        match self.fault {
            // These concern the file as a whole.
            Fault::Signature | Fault::Version { .. } => return Ok(()),
            _ => write!(f, " at offset {}", self.offset)?,
        }
        match &self.key {
            Some(key) => write!(f, ", in key '{}'", Printable(key)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RdbError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::Io(error) => Some(error),
            Fault::Lzf(error) => Some(error),
            _ => None,
        }
    }
}

/// A key as a log line can bear it: escaped, and cut when long; hidden by `hide-user-data-from-log`.
pub struct Printable<'a>(pub &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_BYTES_MAX: usize = 128;
        if log::hides_user_data() {
            return f.write_str(log::REDACTED);
        }
        match self.0.get(..SHOWN_BYTES_MAX) {
            Some(head) if head.len() < self.0.len() => {
                write!(f, "{}... ({} bytes)", head.escape_ascii(), self.0.len())
            }
            _ => write!(f, "{}", self.0.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let text = |fault| RdbError::new(42, fault).to_string();
        assert_eq!(text(Fault::Signature), "Wrong signature trying to load DB from file");
        assert_eq!(text(Fault::Version { number: 99 }), "Can't handle RDB format version 99");
        assert_eq!(
            text(Fault::Checksum { computed: 0xab, stored: 0x1 }),
            "Wrong RDB checksum expected: (ab) but got (1) at offset 42"
        );
        let key = Some(vec![b'\n'; 200].into_boxed_slice());
        let error = RdbError { offset: 7, key, fault: Fault::Unsupported { type_byte: 16, name: "hash" } };
        let shown = format!(
            "Unsupported type 16 (0x10, hash) at offset 7, in key '{}... (200 bytes)'",
            "\\n".repeat(128)
        );
        assert_eq!(error.to_string(), shown);
    }
}
