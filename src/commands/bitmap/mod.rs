//! The commands of the group bitmap: strings as rows of bits.
//!
//! What the bits mean is `object::bitmap`'s; offsets, limits and errors are in here.
mod bitfield;
mod bitop;
mod bits;
mod ranges;

use crate::base::number::{self, NumberText};
use crate::keyspace::{StrView, Tx};
use crate::server::Entry;
use crate::spec::{CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const GROW: Flags = Flags::WRITE.or(Flags::DENYOOM);
const RO_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const RW_ACCESS_UPDATE: KeyFlags = KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE);
const READ_ONE: &[KeySpec] = &[KeySpec::one(1, RO_ACCESS)];

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Bitmap, flags)
}

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("setbit", 4, GROW).keys(&[KeySpec::one(1, RW_ACCESS_UPDATE)]).complexity("O(1)").doc(
            "2.2.0",
            "Sets or clears the bit at offset in the string value stored at key",
            "key offset value",
        ),
        bits::setbit,
    ),
    Entry::data(
        spec("getbit", 3, Flags::READONLY.or(Flags::FAST)).keys(READ_ONE).complexity("O(1)").doc(
            "2.2.0",
            "Returns the bit value at offset in the string value stored at key",
            "key offset",
        ),
        bits::getbit,
    ),
    Entry::data(
        spec("bitcount", -2, Flags::READONLY).keys(READ_ONE).complexity("O(N)").doc(
            "2.6.0",
            "Count set bits in a string",
            "key [start end [BYTE|BIT]]",
        ),
        ranges::bitcount,
    ),
    Entry::data(
        spec("bitpos", -3, Flags::READONLY).keys(READ_ONE).complexity("O(N)").doc(
            "2.8.7",
            "Find first bit set or clear in a string",
            "key bit [start [end [BYTE|BIT]]]",
        ),
        ranges::bitpos,
    ),
    Entry::data(
        spec("bitop", -4, GROW)
            .keys(&[KeySpec::one(2, KeyFlags::OW.or(KeyFlags::UPDATE)), KeySpec::rest(3, 1, RO_ACCESS)])
            .complexity("O(N)")
            .doc(
                "2.6.0",
                "Perform bitwise operations between strings",
                "<AND|OR|XOR|NOT|DIFF|DIFF1|ANDOR|ONE> destkey key [key ...]",
            ),
        bitop::bitop,
    ),
    Entry::data(
        spec("bitfield", -2, GROW)
            .keys(&[KeySpec::one(1, RW_ACCESS_UPDATE.or(KeyFlags::VARIABLE_FLAGS))])
            .key_notes(&["This command allows both access and modification of the key"])
            .key_flags(bitfield::key_flags)
            .complexity("O(1) for each subcommand specified")
            .doc(
                "3.2.0",
                "Perform arbitrary bitfield integer operations on strings",
                "key [GET encoding offset|[OVERFLOW <WRAP|SAT|FAIL>] <SET encoding offset value|INCRBY \
                 encoding offset increment> [GET encoding offset|[OVERFLOW <WRAP|SAT|FAIL>] <SET encoding \
                 offset value|INCRBY encoding offset increment> ...]]",
            ),
        bitfield::bitfield,
    ),
    Entry::data(
        spec("bitfield_ro", -2, Flags::READONLY.or(Flags::FAST))
            .keys(READ_ONE)
            .complexity("O(1) for each subcommand specified")
            .doc(
                "6.0.0",
                "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD",
                "key [GET encoding offset [GET encoding offset ...]]",
            ),
        bitfield::bitfield_ro,
    ),
];

/// The bytes of a string value, also of one that is stored as an integer.
enum Text<'a> {
    Bytes(&'a [u8]),
    Number(NumberText),
}

impl<'a> From<StrView<'a>> for Text<'a> {
    fn from(view: StrView<'a>) -> Self {
        match view {
            StrView::Bytes(bytes) => Text::Bytes(bytes),
            StrView::Int(value) => Text::Number(number::format_i64(value)),
        }
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Text::Bytes(bytes) => bytes,
            Text::Number(number) => number,
        }
    }
}

/// A bit's offset: it must lie in a string of at most `proto-max-bulk-len` bytes.
fn bit_offset(tx: &Tx<'_>, argument: &[u8]) -> Result<u64, CommandError> {
    check_offset(tx, number::parse_i64(argument))
}

fn check_offset(tx: &Tx<'_>, offset: Option<i64>) -> Result<u64, CommandError> {
    let bytes_max = tx.keyspace.settings.string_bytes_max as u64;
    let offset = offset.and_then(|offset| u64::try_from(offset).ok());
    offset.filter(|offset| offset >> 3 < bytes_max).ok_or(CommandError::BitOffset)
}

#[cfg(test)]
mod tests;
