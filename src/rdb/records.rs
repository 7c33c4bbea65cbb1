//! The grammar of records: what each first byte announces.
//!
//! `parse` takes one record, a key with all that stands before it included, out of a cursor. A string's value is its
//! text; the values of other types are built behind the record (`build`). Those that have no place here are refused or
//! stepped over.

use super::Access;
use super::cursor::{Cursor, Stop, Text};
use super::error::Fault;
use super::types::{Content, Form, Part, ValueType, value_type};
use super::version::{Dialect, Version};

pub(super) const OPCODE_EOF: u8 = 0xff;
pub(super) const OPCODE_SELECTDB: u8 = 0xfe;
const OPCODE_EXPIRETIME: u8 = 0xfd;
pub(super) const OPCODE_EXPIRETIME_MS: u8 = 0xfc;
pub(super) const OPCODE_RESIZEDB: u8 = 0xfb;
pub(super) const OPCODE_AUX: u8 = 0xfa;
pub(super) const OPCODE_FREQ: u8 = 0xf9;
pub(super) const OPCODE_IDLE: u8 = 0xf8;
const OPCODE_MODULE_AUX: u8 = 0xf7;
pub(super) const OPCODE_FUNCTION_PRE_GA: u8 = 0xf6;
pub(super) const OPCODE_FUNCTION: u8 = 0xf5;
const OPCODE_SLOT_INFO: u8 = 0xf4;
/// Redis from 13 on: metadata of the next key. Valkey: an unfinished import.
const OPCODE_F3: u8 = 0xf3;
/// Redis from 15 on: names of the fields of hashes that follow.
const OPCODE_F2: u8 = 0xf2;
/// Bytes from here on are records of their own; below they are types of values.
const OPCODE_MIN: u8 = OPCODE_F2;

const KEY_METADATA_SINCE: u16 = 13;
const HASH_TEMPLATE_SINCE: u16 = 15;
/// Slots of a cluster.
const SLOTS: u64 = 16384;

/// What to do with a value that cannot be held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unbuilt {
    Refuse,
    /// Values of modules are stepped over, others are refused.
    RefuseUnlessModule,
    StepOver,
}

/// One record, as places in the bytes it was parsed from.
pub(super) enum Parsed {
    Aux {
        name: Text,
        value: Text,
    },
    SelectDb(u64),
    ResizeDb {
        keys: u64,
        volatile_keys: u64,
    },
    SlotInfo {
        slot: u64,
        keys: u64,
        volatile_keys: u64,
    },
    FunctionLibrary(Text),
    ModuleAux {
        module_id: u64,
    },
    /// Of no use here, and harmless to leave out.
    Ignored(&'static str),
    Key(ParsedKey),
    End {
        stored_checksum: Option<u64>,
    },
}

pub(super) struct ParsedKey {
    pub(super) key: Text,
    pub(super) expire_at_ms: Option<i64>,
    pub(super) access: Option<Access>,
    pub(super) value_type: &'static ValueType,
    pub(super) value: ParsedValue,
}

pub(super) enum ParsedValue {
    String(Text),
    /// The string begins behind the record.
    LongString {
        len: u64,
    },
    /// The value begins behind the record.
    Built(Form),
    SteppedOver,
}

/// Takes the record at the cursor.
pub(super) fn parse(cursor: &mut Cursor<'_>, version: Version, unbuilt: Unbuilt) -> Result<Parsed, Stop> {
    let (mut expire_at_ms, mut access) = (None, None);
    loop {
        let at = cursor.at();
        match cursor.byte()? {
            OPCODE_EXPIRETIME => expire_at_ms = Some(i64::from(i32::from_le_bytes(cursor.array()?)) * 1000),
            OPCODE_EXPIRETIME_MS => expire_at_ms = Some(i64::from_le_bytes(cursor.array()?)),
            OPCODE_IDLE => access = Some(Access::Idle { seconds: cursor.length()? }),
            OPCODE_FREQ => access = Some(Access::Frequency(cursor.byte()?)),
            OPCODE_F3 if unbuilt == Unbuilt::StepOver && has_key_metadata(version) => key_metadata(cursor)?,
            opcode @ OPCODE_MIN.. => match parse_other(cursor, opcode, version)? {
                Some(parsed) => return Ok(parsed),
                None => return cursor.fault(at, Fault::UnknownOpcode { opcode, version }),
            },
            type_byte => {
                let Some(value_type) = value_type(type_byte, version) else {
                    return unknown_type(cursor, at, Fault::UnknownOpcode { opcode: type_byte, version });
                };
                let key = cursor.text()?;
                cursor.key = Some(key);
                let value = parse_value(cursor, at, value_type, unbuilt)?;
                // -1 is how the format's own readers say "never".
                let expire_at_ms = expire_at_ms.filter(|at_ms| *at_ms != -1);
                return Ok(Parsed::Key(ParsedKey { key, expire_at_ms, access, value_type, value }));
            }
        }
    }
}

/// Whatever the value is, a key stands in front of it: the error names it if it is there already.
#[cold]
fn unknown_type(cursor: &mut Cursor<'_>, at: usize, fault: Fault) -> Result<Parsed, Stop> {
    cursor.key = cursor.text().ok();
    cursor.fault(at, fault)
}

fn parse_value(
    cursor: &mut Cursor<'_>,
    type_at: usize,
    value_type: &'static ValueType,
    unbuilt: Unbuilt,
) -> Result<ParsedValue, Stop> {
    match (&value_type.content, unbuilt) {
        (Content::Text, _) => match cursor.long_text() {
            Some(len) => Ok(ParsedValue::LongString { len }),
            None => Ok(ParsedValue::String(cursor.text()?)),
        },
        (Content::Built(Form::Module), Unbuilt::Refuse) => {
            let name = Fault::Module { name: module_name(cursor.length()?) };
            cursor.fault(type_at, name)
        }
        (Content::Built(form), _) => Ok(ParsedValue::Built(*form)),
        (Content::Foreign(layout), Unbuilt::StepOver) => {
            step_over(cursor, layout)?;
            Ok(ParsedValue::SteppedOver)
        }
        (Content::Foreign(_) | Content::Opaque, _) => {
            cursor.fault(type_at, Fault::Unsupported { type_byte: value_type.byte, name: value_type.name })
        }
    }
}

/// Records other than keys; None if there is no such opcode.
fn parse_other(cursor: &mut Cursor<'_>, opcode: u8, version: Version) -> Result<Option<Parsed>, Stop> {
    let at = cursor.at() - 1;
    let parsed = match opcode {
        OPCODE_EOF => {
            let stored_checksum =
                if version.has_checksum() { Some(u64::from_le_bytes(cursor.array()?)) } else { None };
            Parsed::End { stored_checksum }
        }
        OPCODE_SELECTDB => Parsed::SelectDb(cursor.length()?),
        OPCODE_RESIZEDB => Parsed::ResizeDb { keys: cursor.length()?, volatile_keys: cursor.length()? },
        OPCODE_AUX => Parsed::Aux { name: cursor.text()?, value: cursor.text()? },
        OPCODE_FUNCTION => Parsed::FunctionLibrary(cursor.text()?),
        OPCODE_FUNCTION_PRE_GA => {
            let name = "function of a 7.0 release candidate";
            return cursor.fault(at, Fault::Unsupported { type_byte: opcode, name });
        }
        OPCODE_MODULE_AUX => parse_module_aux(cursor)?,
        OPCODE_SLOT_INFO => parse_slot_info(cursor)?,
        OPCODE_F3 => return parse_f3(cursor, version),
        OPCODE_F2 if version.dialect == Dialect::Redis && version.number >= HASH_TEMPLATE_SINCE => {
            step_over(cursor, &[Part::Length, Part::Repeat(&[Part::Text])])?;
            Parsed::Ignored("names of template hashes")
        }
        _ => return Ok(None),
    };
    Ok(Some(parsed))
}

fn parse_f3(cursor: &mut Cursor<'_>, version: Version) -> Result<Option<Parsed>, Stop> {
    let at = cursor.at() - 1;
    match version.dialect {
        Dialect::Valkey => {
            step_over(cursor, &[Part::Text, Part::Repeat(&[Part::Length, Part::Length])])?;
            Ok(Some(Parsed::Ignored("import of slots")))
        }
        Dialect::Redis if has_key_metadata(version) => {
            let name = "metadata of a key kept by modules";
            cursor.fault(at, Fault::Unsupported { type_byte: OPCODE_F3, name })
        }
        Dialect::Redis => Ok(None),
    }
}

fn has_key_metadata(version: Version) -> bool {
    version.dialect == Dialect::Redis && version.number >= KEY_METADATA_SINCE
}

/// What modules keep about the next key, which loses it.
fn key_metadata(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    const CLASS_LEN: u64 = 4;
    for _ in 0..cursor.length()? {
        cursor.span(CLASS_LEN)?;
        while module_field(cursor)? {}
    }
    Ok(())
}

fn parse_slot_info(cursor: &mut Cursor<'_>) -> Result<Parsed, Stop> {
    let at = cursor.at();
    let slot = cursor.length()?;
    if slot >= SLOTS {
        return cursor.fault(at, Fault::Corrupt("Slot number out of range"));
    }
    Ok(Parsed::SlotInfo { slot, keys: cursor.length()?, volatile_keys: cursor.length()? })
}

fn parse_module_aux(cursor: &mut Cursor<'_>) -> Result<Parsed, Stop> {
    const WHEN_IS_UNSIGNED: u64 = 2;
    let module_id = cursor.length()?;
    let at = cursor.at();
    if cursor.length()? != WHEN_IS_UNSIGNED {
        return cursor.fault(at, Fault::Corrupt("Module data does not say when it was saved"));
    }
    cursor.length()?;
    while module_field(cursor)? {}
    Ok(Parsed::ModuleAux { module_id })
}

/// Steps over one field of a module, which says what it is; false if it is the end mark.
pub(super) fn module_field(cursor: &mut Cursor<'_>) -> Result<bool, Stop> {
    let at = cursor.at();
    match cursor.length()? {
        0 => return Ok(false),
        1 | 2 => drop(cursor.length()?),
        3 => drop(cursor.span(4)?),
        4 => drop(cursor.span(8)?),
        5 => drop(cursor.text()?),
        _ => return cursor.fault(at, Fault::Corrupt("Unknown kind of module field")),
    }
    Ok(true)
}

/// The name of a module: nine characters of six bits, in front of ten bits for the version of its encoding.
pub fn module_name(module_id: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..9).map(|place| char::from(ALPHABET[(module_id >> (58 - 6 * place)) as usize & 63])).collect()
}

/// Steps over a value. Layouts nest a few levels only, and every round of a repetition takes a byte at least:
/// the time is bounded by the bytes that are there, whatever counts they announce.
pub(super) fn step_over(cursor: &mut Cursor<'_>, layout: &[Part]) -> Result<(), Stop> {
    for part in layout {
        match part {
            Part::Text => drop(cursor.text()?),
            Part::Length => drop(cursor.length()?),
            Part::Bytes(bytes) => drop(cursor.span(*bytes)?),
            Part::Score => score(cursor)?,
            Part::ModuleFields => while module_field(cursor)? {},
            Part::Together(parts) => step_over(cursor, parts)?,
            Part::Repeat(parts) => {
                for _ in 0..cursor.length()? {
                    step_over(cursor, parts)?;
                }
            }
            Part::Array => array(cursor)?,
        }
    }
    Ok(())
}

/// A score as text: its length in a byte, or a byte for a special one.
fn score(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    match cursor.byte()? {
        253..=255 => {}
        len => drop(cursor.span(len.into())?),
    }
    Ok(())
}

fn array(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    let count = cursor.length()?;
    if cursor.length()? != 0 {
        cursor.length()?;
    }
    for _ in 0..count {
        cursor.length()?;
        let at = cursor.at();
        match cursor.length()? {
            0 | 3 => drop(cursor.text()?),
            1 | 2 => drop(cursor.span(8)?),
            _ => return cursor.fault(at, Fault::Corrupt("Unknown kind of array element")),
        }
    }
    Ok(())
}
