//! Reads a snapshot, record by record.
//!
//! A record borrows from the reader until the next one is asked for; short strings are slices of its buffer,
//! compressed ones of its scratch. The caller sets the pace: between any two records it may do something
//! else.
//!
//! What is after the end record is left alone: `offset` says where that is. The checksum is compared there,
//! which is too late for those who must not load half a file: they `verify` first and read with
//! `Checksum::Off`.

use super::cursor::Text;
use super::error::{Fault, RdbError};
use super::frames::{Frame, Frames};
use super::records::{Parsed, ParsedKey, ParsedValue, Unbuilt};
use super::version::Version;
use super::{Access, Checksum, Input};

/// A scratch that grew beyond this for one value is given back.
const SCRATCH_KEPT_BYTES: usize = 1 << 20;

/// One record of a snapshot.
#[derive(Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Something the file says about itself; unknown names mean nothing.
    Aux {
        name: &'a [u8],
        value: &'a [u8],
    },
    /// The keys that follow belong to this database. May come more than once for one.
    SelectDb(u64),
    /// A hint at the size of the database: believe it within reason only.
    ResizeDb {
        keys: u64,
        volatile_keys: u64,
    },
    /// The keys that follow belong to this slot; `slot` is in range, the counts are hints.
    SlotInfo {
        slot: u64,
        keys: u64,
        volatile_keys: u64,
    },
    /// The source of a library of functions.
    FunctionLibrary(&'a [u8]),
    /// Data of a module, stepped over; `module_name` tells whose.
    ModuleAux {
        module_id: u64,
    },
    /// Something without meaning here, stepped over.
    Ignored(&'static str),
    Key(KeyRecord<'a>),
    /// The end; asking further is a mistake.
    End,
}

#[derive(Debug, PartialEq, Eq)]
pub struct KeyRecord<'a> {
    pub key: &'a [u8],
    /// Unix time; may have passed.
    pub expire_at_ms: Option<i64>,
    pub access: Option<Access>,
    pub value: Value<'a>,
    /// Of the record in the file.
    pub offset: u64,
}

/// The value of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A string written as an integer. Integers beyond 32 bits come as bytes.
    Int(i64),
    /// A string.
    Bytes(&'a [u8]),
}

pub struct Reader<I> {
    frames: Frames<I>,
    version: Version,
    key_scratch: Vec<u8>,
    value_scratch: Vec<u8>,
}

impl<I: Input> Reader<I> {
    /// Reads the magic.
    pub fn new(input: I, checksum: Checksum) -> Result<Self, RdbError> {
        let mut frames = Frames::new(input, checksum);
        let version = frames.magic()?;
        Ok(Reader { frames, version, key_scratch: Vec::new(), value_scratch: Vec::new() })
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Bytes taken so far.
    pub fn offset(&self) -> u64 {
        self.frames.offset()
    }

    /// The next record. After an error the reader is of no more use.
    pub fn next_record(&mut self) -> Result<Record<'_>, RdbError> {
        for scratch in [&mut self.key_scratch, &mut self.value_scratch] {
            if scratch.len() > SCRATCH_KEPT_BYTES {
                *scratch = Vec::new();
            }
        }
        let frame = self.frames.next(self.version, Unbuilt::Refuse)?;
        match frame.parsed {
            Parsed::Key(ref parsed) => self.key_record(&frame, parsed),
            Parsed::Aux { name, value } => Ok(Record::Aux {
                name: self.frames.text(&frame, name, &mut self.key_scratch)?,
                value: self.frames.text(&frame, value, &mut self.value_scratch)?,
            }),
            Parsed::FunctionLibrary(source) => {
                Ok(Record::FunctionLibrary(self.frames.text(&frame, source, &mut self.value_scratch)?))
            }
            Parsed::SelectDb(index) => Ok(Record::SelectDb(index)),
            Parsed::ResizeDb { keys, volatile_keys } => Ok(Record::ResizeDb { keys, volatile_keys }),
            Parsed::SlotInfo { slot, keys, volatile_keys } => {
                Ok(Record::SlotInfo { slot, keys, volatile_keys })
            }
            Parsed::ModuleAux { module_id } => Ok(Record::ModuleAux { module_id }),
            Parsed::Ignored(what) => Ok(Record::Ignored(what)),
            Parsed::End { .. } => Ok(Record::End),
        }
    }

    #[inline]
    fn key_record(&mut self, frame: &Frame, parsed: &ParsedKey) -> Result<Record<'_>, RdbError> {
        let key = self.frames.text(frame, parsed.key, &mut self.key_scratch)?;
        let value = match parsed.value {
            ParsedValue::String(Text::Int(value)) => Value::Int(value),
            ParsedValue::String(text) => match self.frames.text(frame, text, &mut self.value_scratch) {
                Ok(content) => Value::Bytes(content),
                Err(error) => return Err(RdbError { key: Some(key.into()), ..error }),
            },
            ParsedValue::SteppedOver => {
                let value_type = parsed.value_type;
                let fault = Fault::Unsupported { type_byte: value_type.byte, name: value_type.name };
                return Err(RdbError { offset: frame.offset, key: Some(key.into()), fault });
            }
        };
        let (expire_at_ms, access) = (parsed.expire_at_ms, parsed.access);
        Ok(Record::Key(KeyRecord { key, expire_at_ms, access, value, offset: frame.offset }))
    }
}

/// The name of a module: nine characters of six bits, in front of ten bits for the version of its encoding.
pub fn module_name(module_id: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..9).map(|place| char::from(ALPHABET[(module_id >> (58 - 6 * place)) as usize & 63])).collect()
}
