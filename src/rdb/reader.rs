//! Reads a snapshot, record by record.
//!
//! A record borrows from the reader until the next one is asked for; short strings are slices of its buffer,
//! compressed ones of its scratch. Values of other types are built and given away. The caller sets the pace: between
//! any two records it may do something else, and a value that is long in the file comes as several `Building` records
//! before its key.
//!
//! What is after the end record is left alone: `offset` says where that is. The checksum is compared there,
//! which is too late for those who must not load half a file: they `verify` first and read with
//! `Checksum::Off`.

use super::build::{Around, Build, Built, Scratch};
use super::cursor::{LONG_TEXT_BYTES_MIN, Text};
use super::cutter::Stretch;
use super::error::{Fault, RdbError};
use super::frames::{Frame, Frames};
use super::plain::PlainString;
use super::records::{Parsed, ParsedKey, ParsedValue, Unbuilt};
use super::types::ValueType;
use super::version::Version;
use super::{Access, Checksum, Input};
use crate::object::{Depth, Object, Rules};
use std::fmt;

/// A scratch that grew beyond this for one value is given back.
const SCRATCH_KEPT_BYTES: usize = 1 << 20;
/// So much of one value is taken at a time, about.
const BUILD_STEP_BYTES: u64 = 1 << 20;

/// One record of a snapshot.
#[derive(Debug)]
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
        /// The record as it stands in the file.
        raw: &'a [u8],
    },
    /// Something without meaning here, stepped over.
    Ignored(&'static str),
    Key(KeyRecord<'a>),
    /// A part of a long value was taken.
    Building,
    /// A key whose value cannot be held here, stepped over (unless `Foreign::Refuse`).
    LeftOut {
        key: &'a [u8],
        expire_at_ms: Option<i64>,
        access: Option<Access>,
        value_type: &'static str,
        /// Whose value it is.
        module_id: Option<u64>,
        /// A module's value as it stands in the file (`Foreign::Carry`, `Foreign::CarryOrStepOver`).
        raw: Option<&'a [u8]>,
    },
    /// The end; asking further is a mistake.
    End {
        /// None in versions without; 0 says that none was made.
        stored_checksum: Option<u64>,
    },
}

#[derive(Debug)]
pub struct KeyRecord<'a> {
    pub key: &'a [u8],
    /// Unix time; may have passed.
    pub expire_at_ms: Option<i64>,
    pub access: Option<Access>,
    pub value: Value<'a>,
    /// The type's name for reports; it says more than the value does.
    pub value_type: &'static str,
    /// Of the record in the file.
    pub offset: u64,
}

/// The value of a key.
pub enum Value<'a> {
    /// A string written as an integer. Integers beyond 32 bits come as bytes.
    Int(i64),
    /// A string.
    Bytes(&'a [u8]),
    /// A long string, in memory of its own.
    Text(Vec<u8>),
    Object(Object),
    /// A collection without elements, which is no value.
    Empty,
    /// A hash all of whose fields had expired.
    Expired,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(value) => write!(f, "Int({value})"),
            Value::Bytes(bytes) => write!(f, "Bytes({})", bytes.escape_ascii()),
            Value::Text(content) => write!(f, "Text({} bytes)", content.len()),
            Value::Object(object) => write!(f, "Object({})", object.view().value_type().name()),
            Value::Empty => f.write_str("Empty"),
            Value::Expired => f.write_str("Expired"),
        }
    }
}

/// What to do with values that cannot be held here, those of modules above all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Refuse,
    StepOver,
    /// Values of modules are given as they are, to be written on; others are refused.
    Carry,
    /// Values of modules are given as they are; others are stepped over.
    CarryOrStepOver,
}

/// How a snapshot is read.
#[derive(Clone, Copy, Debug)]
pub struct ReaderOptions {
    pub checksum: Checksum,
    /// How deeply packed values are checked (`sanitize-dump-payload`).
    pub depth: Depth,
    pub foreign: Foreign,
    /// Fields of hashes that expired before this moment, in Unix milliseconds, are dropped. None: kept.
    pub now_ms: Option<i64>,
    /// How long the input is, as far as is known: the limit for what an announced count may reserve. 0: what has
    /// been received.
    pub input_bytes: u64,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        ReaderOptions {
            checksum: Checksum::On,
            depth: Depth::Structure,
            foreign: Foreign::Refuse,
            now_ms: None,
            input_bytes: 0,
        }
    }
}

pub struct Reader<I> {
    frames: Frames<I>,
    version: Version,
    options: ReaderOptions,
    key_scratch: Vec<u8>,
    value_scratch: Vec<u8>,
    scratch: Scratch,
    /// The key of the value that is being built.
    key: Vec<u8>,
    building: Option<Building>,
}

/// A value that is being built, and what was said in front of it.
struct Building {
    build: Build,
    value_type: &'static ValueType,
    expire_at_ms: Option<i64>,
    access: Option<Access>,
    offset: u64,
}

impl Reader<&'static [u8]> {
    /// Reads stretches of a file, which `begin_stretch` gives it. Asked for more than a stretch holds it says that the
    /// file is cut off.
    pub fn of_stretches(version: Version, options: ReaderOptions) -> Self {
        Reader::from_middle(&[], version, 0, options)
    }

    /// Goes on with `stretch`, whatever became of the one before.
    pub fn begin_stretch(&mut self, stretch: Stretch) {
        self.building = None;
        self.frames.replace(stretch.bytes, stretch.len, stretch.offset);
    }

    /// The buffer of the stretch, which has been read.
    pub fn end_stretch(&mut self) -> Vec<u8> {
        self.building = None;
        self.frames.replace(Vec::new(), 0, 0)
    }
}

impl<I: Input> Reader<I> {
    /// Reads the magic.
    pub fn new(input: I, options: ReaderOptions) -> Result<Self, RdbError> {
        let mut frames = Frames::new(input, options.checksum, 0);
        let version = frames.magic()?;
        Ok(Reader::of(frames, version, options))
    }

    /// Reads records from the middle of a file, whose version is known: `input` begins at `offset` of it, where a
    /// record does. A checksum of a part means nothing: it is not looked at.
    pub fn from_middle(input: I, version: Version, offset: u64, options: ReaderOptions) -> Self {
        let options = ReaderOptions { checksum: Checksum::Off, ..options };
        Reader::of(Frames::new(input, Checksum::Off, offset), version, options)
    }

    fn of(frames: Frames<I>, version: Version, options: ReaderOptions) -> Self {
        Reader {
            frames,
            version,
            options,
            key_scratch: Vec::new(),
            value_scratch: Vec::new(),
            scratch: Scratch::default(),
            key: Vec::new(),
            building: None,
        }
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// Bytes taken so far.
    pub fn offset(&self) -> u64 {
        self.frames.offset()
    }

    /// The next record, if it is of the plainest kind and was read already. None says nothing: `next_record` does.
    #[inline(always)]
    pub fn next_plain(&mut self) -> Option<PlainString<'_>> {
        if self.building.is_some() { None } else { self.frames.plain() }
    }

    /// The next record; values are built by these rules. After an error the reader is of no more use.
    #[inline]
    pub fn next_record(&mut self, rules: &Rules) -> Result<Record<'_>, RdbError> {
        if self.building.is_some() {
            return self.build(rules);
        }
        let Scratch { first, second } = &mut self.scratch;
        for scratch in [&mut self.key_scratch, &mut self.value_scratch, first, second] {
            if scratch.len() > SCRATCH_KEPT_BYTES {
                *scratch = Vec::new();
            }
        }
        let unbuilt = match self.options.foreign {
            Foreign::Refuse => Unbuilt::Refuse,
            Foreign::Carry => Unbuilt::RefuseUnlessModule,
            Foreign::StepOver | Foreign::CarryOrStepOver => Unbuilt::StepOver,
        };
        let frame = self.frames.next(self.version, unbuilt)?;
        match frame.parsed {
            Parsed::Key(ref parsed) => match parsed.value {
                ParsedValue::String(text) => self.string_record(&frame, parsed, text),
                ParsedValue::LongString { len } => {
                    self.begin(&frame, parsed, Build::text(len))?;
                    self.build(rules)
                }
                ParsedValue::Built(form) => {
                    let mut build = Build::new(form);
                    if matches!(self.options.foreign, Foreign::Carry | Foreign::CarryOrStepOver) {
                        build.keep_raw();
                    }
                    self.begin(&frame, parsed, build)?;
                    self.build(rules)
                }
                ParsedValue::SteppedOver => Ok(Record::LeftOut {
                    key: self.frames.text(&frame, parsed.key, &mut self.key_scratch)?,
                    expire_at_ms: parsed.expire_at_ms,
                    access: parsed.access,
                    value_type: parsed.value_type.name,
                    module_id: None,
                    raw: None,
                }),
            },
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
            Parsed::ModuleAux { module_id } => {
                Ok(Record::ModuleAux { module_id, raw: self.frames.bytes(&frame) })
            }
            Parsed::Ignored(what) => Ok(Record::Ignored(what)),
            Parsed::End { stored_checksum } => Ok(Record::End { stored_checksum }),
        }
    }

    /// Whether the input ends where the snapshot did; to be asked after its end.
    pub fn at_end(&mut self) -> Result<bool, RdbError> {
        self.frames.at_end()
    }

    /// To be asked after its end.
    ///
    /// # Errors
    /// When the input goes on behind the snapshot.
    pub fn expect_end(&mut self) -> Result<(), RdbError> {
        let offset = self.offset();
        if self.at_end()? {
            return Ok(());
        }
        Err(RdbError::new(offset, Fault::Corrupt("Bytes after the end of the snapshot")))
    }

    #[inline]
    fn string_record(
        &mut self,
        frame: &Frame,
        parsed: &ParsedKey,
        text: Text,
    ) -> Result<Record<'_>, RdbError> {
        let key = self.frames.text(frame, parsed.key, &mut self.key_scratch)?;
        let value = match text {
            Text::Int(value) => Value::Int(value),
            Text::Lzf { content_len, .. } if content_len as u64 >= LONG_TEXT_BYTES_MIN => {
                let mut content = vec![0; content_len];
                match self.frames.text(frame, text, &mut content) {
                    Ok(_) => Value::Text(content),
                    Err(error) => return Err(RdbError { key: Some(key.into()), ..error }),
                }
            }
            text => match self.frames.text(frame, text, &mut self.value_scratch) {
                Ok(content) => Value::Bytes(content),
                Err(error) => return Err(RdbError { key: Some(key.into()), ..error }),
            },
        };
        let (expire_at_ms, access) = (parsed.expire_at_ms, parsed.access);
        let (value_type, offset) = (parsed.value_type.name, frame.offset);
        Ok(Record::Key(KeyRecord { key, expire_at_ms, access, value, value_type, offset }))
    }

    /// The key is kept: it will not be in the buffer any more when the value ends.
    fn begin(&mut self, frame: &Frame, parsed: &ParsedKey, build: Build) -> Result<(), RdbError> {
        let key = self.frames.text(frame, parsed.key, &mut self.key_scratch)?;
        self.key.clear();
        self.key.extend_from_slice(key);
        self.building = Some(Building {
            build,
            value_type: parsed.value_type,
            expire_at_ms: parsed.expire_at_ms,
            access: parsed.access,
            offset: frame.offset,
        });
        Ok(())
    }

    /// Goes on with the value that was begun, to its end or for a step.
    fn build(&mut self, rules: &Rules) -> Result<Record<'_>, RdbError> {
        let Some(mut building) = self.building.take() else { unreachable!("the caller has looked") };
        let until = self.frames.offset() + BUILD_STEP_BYTES;
        loop {
            let mut around = Around {
                rules,
                depth: self.options.depth,
                now_ms: self.options.now_ms,
                input_bytes: self.options.input_bytes.saturating_sub(self.frames.offset()),
                scratch: &mut self.scratch,
            };
            match self.frames.take(|cursor| building.build.step(cursor, &mut around)) {
                Ok(Some(())) => return Ok(self.built(building)),
                Ok(None) if self.frames.offset() < until => {}
                Ok(None) => {
                    self.building = Some(building);
                    return Ok(Record::Building);
                }
                Err(error) => return Err(RdbError { key: Some(self.key.as_slice().into()), ..error }),
            }
        }
    }

    fn built(&mut self, building: Building) -> Record<'_> {
        let Building { build, value_type, expire_at_ms, access, offset } = building;
        let value = match build.finish() {
            Built::Object(object) => Value::Object(object),
            Built::Text(content) => Value::Text(content),
            Built::Empty => Value::Empty,
            Built::Expired => Value::Expired,
            Built::Module { module_id, raw } => {
                let raw = raw.map(|raw| {
                    self.value_scratch = raw;
                    &*self.value_scratch
                });
                let (value_type, module_id) = (value_type.name, Some(module_id));
                return Record::LeftOut { key: &self.key, expire_at_ms, access, value_type, module_id, raw };
            }
        };
        let value_type = value_type.name;
        Record::Key(KeyRecord { key: &self.key, expire_at_ms, access, value, value_type, offset })
    }
}
