//! `FIELDS numfields field ..`, and the other options of the commands with field expiries.
//!
//! Two grammars, as in Redis: where FIELDS has a fixed place it must be last and count exactly; where there are other
//! options they may stand on either side of it.

use crate::base::argv::Args;
use crate::object::hash::EXPIRE_AT_MS_MAX;
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

/// The fields that a command names, perhaps each with a value.
#[derive(Clone, Copy)]
pub(super) struct FieldList<'a> {
    /// From the first field on.
    tail: Args<'a>,
    fields: usize,
    /// Arguments of one field.
    width: usize,
}

/// Whether each field is followed by a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Fields,
    Pairs,
}

impl Content {
    fn width(self) -> usize {
        match self {
            Content::Fields => 1,
            Content::Pairs => 2,
        }
    }
}

impl<'a> FieldList<'a> {
    /// FIELDS at argument 2, and nothing behind the fields.
    pub(super) fn exact(args: Args<'a>) -> Result<FieldList<'a>, CommandError> {
        const FIELDS_AT: usize = 2;
        if !is_word(args.at(FIELDS_AT), "FIELDS") {
            return Err(CommandError::FieldsMissingOrMisplaced);
        }
        let fields = field_count(args.at(FIELDS_AT + 1), CommandError::FieldCountNotPositive)?;
        let tail = args.from(FIELDS_AT + 2);
        if tail.len() != fields {
            return Err(CommandError::FieldCountMismatch);
        }
        Ok(FieldList { tail, fields, width: 1 })
    }

    pub(super) fn len(&self) -> usize {
        self.fields
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.texts().step_by(self.width)
    }

    /// Each field with its value.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.iter().zip(self.texts().skip(1).step_by(self.width))
    }

    /// Fields and values.
    pub(super) fn texts(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        self.tail.iter().take(self.fields * self.width)
    }
}

fn field_count(text: &[u8], error: CommandError) -> Result<usize, CommandError> {
    let count = integer(text).ok().filter(|count| (1..=i64::from(i32::MAX)).contains(count));
    count.map(|count| count as usize).ok_or(error)
}

/// How a command with options in any order names itself and reads its fields.
pub(super) struct Grammar {
    pub(super) command: &'static str,
    pub(super) content: Content,
    /// What is answered when FIELDS has too few arguments behind it.
    pub(super) too_few: CommandError,
    /// What is answered when the number of fields is none.
    pub(super) no_count: CommandError,
}

impl Grammar {
    /// Reads the options from argument `first` on: FIELDS here, the others by `option`, which is given the option's
    /// place and answers how many arguments it took, or `None` when it does not know it.
    pub(super) fn read<'a>(
        &self,
        args: Args<'a>,
        first: usize,
        mut option: impl FnMut(usize) -> Result<Option<usize>, CommandError>,
    ) -> Result<FieldList<'a>, CommandError> {
        let (mut list, mut place) = (None, first);
        while place < args.len() {
            if is_word(args.at(place), "FIELDS") {
                if list.is_some() {
                    return Err(CommandError::FieldsTwice);
                }
                let found = self.read_fields(args.from(place + 1))?;
                place += 2 + found.fields * found.width;
                list = Some(found);
            } else {
                let unknown = || CommandError::quoting("ERR unknown argument: ", args.at(place), "");
                place += option(place)?.ok_or_else(unknown)?;
            }
        }
        list.ok_or(CommandError::FieldsMissing)
    }

    /// Reads what follows the word FIELDS.
    fn read_fields<'a>(&self, args: Args<'a>) -> Result<FieldList<'a>, CommandError> {
        let width = self.content.width();
        if args.len() < 1 + width {
            return Err(self.too_few.clone());
        }
        let fields = field_count(args.at(0), self.no_count.clone())?;
        let tail = args.from(1);
        if tail.len() / width < fields {
            return Err(CommandError::Arity(self.command));
        }
        Ok(FieldList { tail, fields, width })
    }
}

/// Whether a time counts from now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Now,
    Epoch,
}

/// How a command or an option gives the time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// Milliseconds in one unit of its argument.
    pub(super) unit_ms: i64,
    pub(super) base: Base,
}

impl Clock {
    /// The clock of EX, PX, EXAT and PXAT.
    pub(super) fn of_option(word: &[u8]) -> Option<Clock> {
        const CLOCKS: [(&str, Clock); 4] = [
            ("EX", Clock { unit_ms: 1000, base: Base::Now }),
            ("PX", Clock { unit_ms: 1, base: Base::Now }),
            ("EXAT", Clock { unit_ms: 1000, base: Base::Epoch }),
            ("PXAT", Clock { unit_ms: 1, base: Base::Epoch }),
        ];
        CLOCKS.iter().find(|(name, _)| is_word(word, name)).map(|(_, clock)| *clock)
    }

    /// Unix ms, 0 to `EXPIRE_AT_MS_MAX`.
    pub(super) fn read(self, text: &[u8], now_ms: i64, command: &'static str) -> Result<i64, CommandError> {
        let time = integer(text)?;
        if time < 0 {
            return Err(CommandError::ExpireNegative);
        }
        let base_ms = if self.base == Base::Now { now_ms } else { 0 };
        let time_ms = time.checked_mul(self.unit_ms).and_then(|time_ms| time_ms.checked_add(base_ms));
        let time_ms = time_ms.filter(|time_ms| (0..=EXPIRE_AT_MS_MAX).contains(time_ms));
        time_ms.ok_or(CommandError::InvalidExpire(command))
    }
}
