//! The options that SET, GETEX, MSETEX and DELEX share: expiries and conditions.

use super::digest::{self, Digest};
use crate::base::number;
use crate::keyspace::{Expiry, StrView, Tx};
use crate::spec::args::is_word;
use crate::spec::{CommandError, args};

/// An expiry as it was given, relative to `now_ms` when it is a duration.
///
/// # Errors
/// Not an integer; not positive, or beyond what milliseconds can hold: `ERR invalid expire time in '<name>' command`.
pub(super) fn expire_at_ms(
    unit: ExpireUnit,
    value: &[u8],
    now_ms: i64,
    name: &'static str,
) -> Result<i64, CommandError> {
    let invalid = || CommandError::InvalidExpire(name);
    let value = args::integer(value)?;
    if value <= 0 {
        return Err(invalid());
    }
    let ms = if unit.is_seconds() { value.checked_mul(1000).ok_or_else(invalid)? } else { value };
    if unit.is_relative() { ms.checked_add(now_ms).ok_or_else(invalid) } else { Ok(ms) }
}

/// How an expiry is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExpireUnit {
    Ex,
    Px,
    ExAt,
    PxAt,
}

impl ExpireUnit {
    pub(super) fn parse(word: &[u8]) -> Option<ExpireUnit> {
        const WORDS: [(&str, ExpireUnit); 4] = [
            ("EX", ExpireUnit::Ex),
            ("PX", ExpireUnit::Px),
            ("EXAT", ExpireUnit::ExAt),
            ("PXAT", ExpireUnit::PxAt),
        ];
        WORDS.iter().find(|(name, _)| is_word(word, name)).map(|(_, unit)| *unit)
    }

    fn is_seconds(self) -> bool {
        matches!(self, ExpireUnit::Ex | ExpireUnit::ExAt)
    }

    fn is_relative(self) -> bool {
        matches!(self, ExpireUnit::Ex | ExpireUnit::Px)
    }
}

/// When a value may be set or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    Absent,
    Present,
    Equals(&'a [u8]),
    Differs(&'a [u8]),
    DigestEquals(Digest),
    DigestDiffers(Digest),
}

impl<'a> Condition<'a> {
    /// Reads a comparing condition whose word is `word`; `value` gives its operand.
    pub(super) fn comparing(
        word: &[u8],
        value: impl FnOnce() -> Result<&'a [u8], CommandError>,
    ) -> Result<Option<Condition<'a>>, CommandError> {
        Ok(Some(if is_word(word, "IFEQ") {
            Condition::Equals(value()?)
        } else if is_word(word, "IFNE") {
            Condition::Differs(value()?)
        } else if is_word(word, "IFDEQ") {
            Condition::DigestEquals(digest::parse(value()?)?)
        } else if is_word(word, "IFDNE") {
            Condition::DigestDiffers(digest::parse(value()?)?)
        } else {
            return Ok(None);
        }))
    }

    /// Whether it holds for `key`. A key that is absent differs from everything.
    ///
    /// # Errors
    /// WRONGTYPE when the condition compares a value that is no string.
    pub(super) fn holds(self, tx: &mut Tx<'_>, key: &[u8]) -> Result<bool, CommandError> {
        Ok(match self {
            Condition::Absent => !tx.exists(key),
            Condition::Present => tx.exists(key),
            Condition::Equals(value) => tx.read_str(key)?.is_some_and(|view| equals(view, value)),
            Condition::Differs(value) => tx.read_str(key)?.is_none_or(|view| !equals(view, value)),
            Condition::DigestEquals(wanted) => {
                tx.read_str(key)?.is_some_and(|view| digest::of(view) == wanted)
            }
            Condition::DigestDiffers(wanted) => {
                tx.read_str(key)?.is_none_or(|view| digest::of(view) != wanted)
            }
        })
    }
}

fn equals(view: StrView<'_>, value: &[u8]) -> bool {
    match view {
        StrView::Bytes(bytes) => bytes == value,
        StrView::Int(number) => *number::format_i64(number) == *value,
    }
}

/// The expiry option of a setting command: `KEEPTTL` or a time.
pub(super) fn expiry_of(
    given: Option<ExpiryOption<'_>>,
    now_ms: i64,
    name: &'static str,
) -> Result<Expiry, CommandError> {
    match given {
        None => Ok(Expiry::None),
        Some(ExpiryOption::Keep) => Ok(Expiry::Keep),
        Some(ExpiryOption::Time(unit, value)) => expire_at_ms(unit, value, now_ms, name).map(Expiry::At),
    }
}

#[derive(Clone, Copy)]
pub(super) enum ExpiryOption<'a> {
    Keep,
    Time(ExpireUnit, &'a [u8]),
}

impl<'a> ExpiryOption<'a> {
    /// Reads an option whose word is `word`; `value` gives its operand.
    pub(super) fn parse(
        word: &[u8],
        value: impl FnOnce() -> Result<&'a [u8], CommandError>,
    ) -> Result<Option<ExpiryOption<'a>>, CommandError> {
        if is_word(word, "KEEPTTL") {
            return Ok(Some(ExpiryOption::Keep));
        }
        ExpireUnit::parse(word).map(|unit| Ok(ExpiryOption::Time(unit, value()?))).transpose()
    }

    /// Whether it may follow `old`: the same option again, whose last value holds.
    pub(super) fn may_follow(self, old: Option<ExpiryOption<'_>>) -> bool {
        match (old, self) {
            (None, _) | (Some(ExpiryOption::Keep), ExpiryOption::Keep) => true,
            (Some(ExpiryOption::Time(old, _)), ExpiryOption::Time(new, _)) => old == new,
            (Some(ExpiryOption::Keep), ExpiryOption::Time(..))
            | (Some(ExpiryOption::Time(..)), ExpiryOption::Keep) => false,
        }
    }
}
