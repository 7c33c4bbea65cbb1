//! Where the keys stand among a command's arguments.
//!
//! A key spec has a beginning (a fixed index, or after a keyword) and a way to find the keys from there (a range with a
//! step, or a count that precedes them), as COMMAND INFO describes them since Redis 7.0.

use crate::base::argv::Args;
use crate::base::number::parse_i64;

/// What a command does with the keys of one key spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KeyFlags(u16);

macro_rules! key_flags {
    ($($constant:ident = $bit:literal, $name:literal;)*) => {
        impl KeyFlags {
            $(pub const $constant: KeyFlags = KeyFlags(1 << $bit);)*
            /// Every flag with its name, in the order in which COMMAND INFO lists them.
            pub const NAMES: &'static [(KeyFlags, &'static str)] = &[$((KeyFlags::$constant, $name)),*];
        }
    };
}

key_flags! {
    RO = 0, "RO";
    RW = 1, "RW";
    OW = 2, "OW";
    RM = 3, "RM";
    ACCESS = 4, "access";
    UPDATE = 5, "update";
    INSERT = 6, "insert";
    DELETE = 7, "delete";
    NOT_KEY = 8, "not_key";
    INCOMPLETE = 9, "incomplete";
    VARIABLE_FLAGS = 10, "variable_flags";
}

impl KeyFlags {
    pub const fn or(self, other: KeyFlags) -> KeyFlags {
        KeyFlags(self.0 | other.0)
    }

    pub const fn has(self, other: KeyFlags) -> bool {
        self.0 & other.0 != 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    Index(usize),
    /// After the word, searched from argument `from` on (backwards when negative: -2 is the last but one).
    Keyword {
        word: &'static str,
        from: i32,
    },
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// `last` is relative to the beginning; negative counts from the last argument (-1 is the last). A `limit` above 1
    /// says that only that fraction of the rest holds keys (2: the first half).
    Range {
        last: i32,
        step: usize,
        limit: usize,
    },
    /// The argument at `count` past the beginning tells how many keys there are; the first stands at `first`.
    KeyCount {
        count: usize,
        first: usize,
        step: usize,
    },
    Unknown,
}

/// One group of keys among a command's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    pub begin: Begin,
    pub find: Find,
    pub flags: KeyFlags,
}

impl KeySpec {
    /// One key at argument `index`.
    pub const fn one(index: usize, flags: KeyFlags) -> KeySpec {
        KeySpec { begin: Begin::Index(index), find: Find::Range { last: 0, step: 1, limit: 0 }, flags }
    }

    /// Keys from argument `index` to the end, every `step`-th.
    pub const fn rest(index: usize, step: usize, flags: KeyFlags) -> KeySpec {
        KeySpec { begin: Begin::Index(index), find: Find::Range { last: -1, step, limit: 0 }, flags }
    }

    /// Adds the places of this spec's keys in `args` to `places`. `Err` when the arguments cannot be understood.
    pub fn places(&self, args: Args<'_>, places: &mut Vec<(usize, KeyFlags)>) -> Result<(), InvalidKeys> {
        let begin = match self.begin {
            Begin::Index(index) => index,
            Begin::Keyword { word, from } => match find_word(args, word, from) {
                Some(index) => index + 1,
                None => return Ok(()),
            },
            Begin::Unknown => return Ok(()),
        };
        let (first, last, step) = match self.find {
            Find::Range { last, step, limit } => (begin, range_end(begin, last, limit, args.len()), step),
            Find::KeyCount { count, first, step } => {
                let keys = args.get(begin + count).and_then(parse_i64).ok_or(InvalidKeys)?;
                let keys = usize::try_from(keys).map_err(|_| InvalidKeys)?;
                if keys == 0 {
                    return Ok(());
                }
                let span = (keys - 1).checked_mul(step).ok_or(InvalidKeys)?;
                (begin + first, (begin + first).checked_add(span).ok_or(InvalidKeys)?, step)
            }
            Find::Unknown => return Ok(()),
        };
        // Also a range that may be empty for the command (PFMERGE without sources) is an error here, as in Redis.
        if last >= args.len() || first > last {
            return Err(InvalidKeys);
        }
        places.extend((first..=last).step_by(step).map(|place| (place, self.flags)));
        Ok(())
    }
}

/// The arguments do not fit the command's key specs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys;

fn find_word(args: Args<'_>, word: &str, from: i32) -> Option<usize> {
    let is_word = |index: &usize| args.at(*index).eq_ignore_ascii_case(word.as_bytes());
    if from >= 0 {
        return (from as usize..args.len()).find(is_word);
    }
    let start = args.len().checked_sub(from.unsigned_abs() as usize)?;
    (1..=start).rev().find(is_word)
}

fn range_end(begin: usize, last: i32, limit: usize, arguments: usize) -> usize {
    if last >= 0 {
        return begin + last as usize;
    }
    let rest = arguments.saturating_sub(begin);
    let rest = if limit > 1 { rest / limit } else { rest };
    (begin + rest).saturating_sub(last.unsigned_abs() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::argv::Argv;

    fn places(spec: KeySpec, line: &str) -> Result<Vec<usize>, InvalidKeys> {
        let argv: Argv = line.split(' ').collect();
        let mut found = Vec::new();
        spec.places(argv.args(), &mut found)?;
        Ok(found.into_iter().map(|(place, _)| place).collect())
    }

    #[test]
    fn ranges_counts_and_keywords() {
        assert_eq!(places(KeySpec::one(1, KeyFlags::RO), "get k"), Ok(vec![1]));
        assert_eq!(places(KeySpec::rest(1, 2, KeyFlags::OW), "mset a 1 b 2"), Ok(vec![1, 3]));
        assert_eq!(places(KeySpec::rest(2, 1, KeyFlags::RO), "pfmerge d"), Err(InvalidKeys));
        let counted = KeySpec {
            begin: Begin::Index(1),
            find: Find::KeyCount { count: 0, first: 1, step: 2 },
            flags: KeyFlags::OW,
        };
        assert_eq!(places(counted, "msetex 2 a 1 b 2"), Ok(vec![2, 4]));
        assert_eq!(places(counted, "msetex 9 a 1 b 2"), Err(InvalidKeys));
        assert_eq!(places(counted, "msetex 9223372036854775807 a 1"), Err(InvalidKeys));
        let keyword = KeySpec {
            begin: Begin::Keyword { word: "KEYS", from: -2 },
            find: Find::Range { last: -1, step: 1, limit: 0 },
            flags: KeyFlags::RW,
        };
        assert_eq!(places(keyword, "migrate h p x 0 1 keys a b"), Ok(vec![7, 8]));
    }
}
