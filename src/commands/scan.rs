//! SCAN and KEYS.

use crate::base::argv::{Args, Argv};
use crate::base::glob::{self, Case};
use crate::encoding::listpack::{Digits, Element};
use crate::keyspace::{Entry as Key, Tx};
use crate::resp::Reply;
use crate::server::{Entry, Flow};
use crate::spec::args::{Options, integer_in, is_word};
use crate::spec::error::until_nul;
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        Spec::new("scan", -2, Group::Generic, Flags::READONLY.or(Flags::TOUCHES_ARBITRARY_KEYS))
            .category(Categories::KEYSPACE)
            .tips(&["nondeterministic_output", "request_policy:special"])
            .complexity("O(1) for every call, O(N) for a complete iteration, N being the number of keys")
            .doc(
                "2.8.0",
                "Incrementally iterate the keys space",
                "cursor [MATCH pattern] [COUNT count] [TYPE type]",
            ),
        scan,
    ),
    Entry::data(
        Spec::new("keys", 2, Group::Generic, Flags::READONLY)
            .category(Categories::KEYSPACE.or(Categories::DANGEROUS))
            .tips(&["request_policy:all_shards", "nondeterministic_output_order"])
            .complexity(
                "O(N) with N being the number of keys in the database, under the \
                 assumption that the key names in the database and the given pattern have limited length.",
            )
            .doc("1.0.0", "Find all keys matching the given pattern", "pattern"),
        keys,
    ),
];

/// The pattern that matches everything, the empty key included.
const EVERYTHING: &[u8] = b"*";

/// A cursor as `strtoul` reads it: an optional sign, decimal digits, and nothing behind them but what a NUL hides; no
/// digits at all are 0.
pub(super) fn parse_cursor(text: &[u8]) -> Result<u64, CommandError> {
    let invalid = CommandError::InvalidCursor;
    let text = until_nul(text);
    let (digits, is_negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    if digits.is_empty() && !text.is_empty() {
        return Err(invalid);
    }
    let mut cursor = 0_u64;
    for byte in digits {
        let digit = if byte.is_ascii_digit() { u64::from(byte - b'0') } else { return Err(invalid) };
        let grown = cursor.checked_mul(10).and_then(|cursor| cursor.checked_add(digit));
        cursor = grown.ok_or(CommandError::InvalidCursor)?;
    }
    Ok(if is_negative { cursor.wrapping_neg() } else { cursor })
}

/// Which options a scan of a collection takes besides MATCH and COUNT.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberOptions {
    Common,
    /// NOVALUES, of HSCAN.
    NoValues,
    /// NOSCORES, of Valkey's ZSCAN.
    NoScores,
}

/// The arguments of HSCAN, SSCAN and ZSCAN behind the key and the cursor.
pub(super) struct MemberScan<'a> {
    pub(super) count: usize,
    pattern: Option<&'a [u8]>,
    pub(super) values: Values,
}

/// Whether HSCAN answers values, ZSCAN scores.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Shown,
    Hidden,
}

impl<'a> MemberScan<'a> {
    /// Parses what follows the cursor, which is argument 2. (An absent key is answered before its options are read.)
    pub(super) fn parse(args: Args<'a>, allowed: MemberOptions) -> Result<MemberScan<'a>, CommandError> {
        let mut scan = MemberScan { count: COUNT_DEFAULT, pattern: None, values: Values::Shown };
        let mut options = Options::new(args, 3);
        while let Some(word) = options.next_argument() {
            if is_word(word, "COUNT") {
                scan.count = parse_count(options.value()?)?;
            } else if is_word(word, "MATCH") {
                scan.pattern = Some(options.value()?).filter(|pattern| *pattern != EVERYTHING);
            } else if is_word(word, "NOVALUES") {
                if allowed != MemberOptions::NoValues {
                    return Err(CommandError::text("ERR NOVALUES option can only be used in HSCAN"));
                }
                scan.values = Values::Hidden;
            } else if allowed == MemberOptions::NoScores && is_word(word, "NOSCORES") {
                scan.values = Values::Hidden;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(scan)
    }

    pub(super) fn matches(&self, member: Element<'_>) -> bool {
        self.pattern.is_none_or(|pattern| {
            glob::matches(pattern, member.text(&mut Digits::default()), Case::Sensitive)
        })
    }
}

fn parse_count(text: &[u8]) -> Result<usize, CommandError> {
    Ok(integer_in(text, 1..=i64::MAX, CommandError::Syntax)? as usize)
}

const COUNT_DEFAULT: usize = 10;

struct Filter<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    fn parse(args: Args<'a>) -> Result<Filter<'a>, CommandError> {
        let mut filter = Filter { count: COUNT_DEFAULT, pattern: None, type_name: None };
        let mut options = Options::new(args, 2);
        while let Some(word) = options.next_argument() {
            if is_word(word, "COUNT") {
                filter.count = parse_count(options.value()?)?;
            } else if is_word(word, "MATCH") {
                filter.pattern = Some(options.value()?).filter(|pattern| *pattern != EVERYTHING);
            } else if is_word(word, "TYPE") {
                filter.type_name = Some(options.value()?);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(filter)
    }

    fn matches(&self, key: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, key, Case::Sensitive))
    }

    /// A type that does not exist has no keys.
    fn is_of_type(&self, key: &Key) -> bool {
        self.type_name.is_none_or(|name| name.eq_ignore_ascii_case(key.value_type().name().as_bytes()))
    }
}

fn scan(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let cursor = parse_cursor(args.at(1))?;
    let filter = Filter::parse(args)?;
    let (mut found, mut looked_up) = (Argv::new(), 0);
    let next = tx.scan(cursor, filter.count, &mut |key| {
        if filter.matches(key.key()) {
            looked_up += 1;
            if filter.is_of_type(key) {
                found.push(key.key());
            }
        }
    });
    if filter.type_name.is_some() {
        // Asking for the type is a lookup like any other.
        tx.keyspace.counters.hits.update(|hits| hits + looked_up);
    }
    reply.array(2);
    reply.bulk_text(&next.to_string());
    reply.array(found.args().len());
    found.args().iter().for_each(|key| reply.bulk(key));
    Ok(Flow::Done)
}

fn keys(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let pattern = args.at(1);
    if !glob::has_wildcard(pattern) {
        let found = tx.exists(pattern);
        reply.array(usize::from(found));
        if found {
            reply.bulk(pattern);
        }
        return Ok(Flow::Done);
    }
    let (answer, mut found) = (reply.deferred_array(), 0);
    tx.each_key(&mut |key| {
        if pattern == EVERYTHING || glob::matches(pattern, key.key(), Case::Sensitive) {
            reply.bulk(key.key());
            found += 1;
        }
    });
    reply.set_deferred(answer, found);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Fixture;

    #[test]
    fn cursors_are_read_as_strtoul_does() {
        for (text, cursor) in
            [("", 0), ("0", 0), ("+7", 7), ("-1", u64::MAX), ("18446744073709551615", u64::MAX), ("1\0x", 1)]
        {
            assert_eq!(parse_cursor(text.as_bytes()), Ok(cursor), "{text}");
        }
        for text in ["abc", " 1", "1 ", "0x", "-", "+", "18446744073709551616"] {
            assert_eq!(parse_cursor(text.as_bytes()), Err(CommandError::InvalidCursor), "{text}");
        }
    }

    #[test]
    fn options_are_checked_in_order() {
        let mut fixture = Fixture::new();
        let syntax = "-ERR syntax error\r\n";
        fixture.check("SCAN x FOO", "-ERR invalid cursor\r\n");
        for line in
            ["SCAN 0 FOO", "SCAN 0 COUNT", "SCAN 0 MATCH", "SCAN 0 TYPE", "SCAN 0 COUNT 0", "SCAN 0 COUNT -1"]
        {
            fixture.check(line, syntax);
        }
        fixture.check("SCAN 0 COUNT x", "-ERR value is not an integer or out of range\r\n");
        fixture.check("SCAN 0 COUNT 9223372036854775807", "*2\r\n$1\r\n0\r\n*0\r\n");
    }

    #[test]
    fn filters() {
        let mut fixture = Fixture::new();
        fixture.run("MSET a:1 v a:2 v b:1 v \"\" v");
        fixture.run("PEXPIRE a:2 10");
        fixture.advance_ms(11);
        fixture.check("SCAN 0 MATCH a* COUNT 100", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\na:1\r\n");
        fixture.check("DBSIZE", ":3\r\n");
        fixture.check("SCAN 0 TYPE none", "*2\r\n$1\r\n0\r\n*0\r\n");
        assert_eq!(fixture.hits(), 3);
        assert!(fixture.run("SCAN 0 TYPE STRING MATCH *").starts_with("*2\r\n$1\r\n0\r\n*3\r\n"));
        fixture.check("KEYS a:1", "*1\r\n$3\r\na:1\r\n");
        fixture.check("KEYS a:9", "*0\r\n");
        fixture.check("KEYS \"\"", "*1\r\n$0\r\n\r\n");
        assert!(fixture.run("KEYS *").starts_with("*3\r\n"));
        assert!(fixture.run("KEYS ?:*").starts_with("*2\r\n"));
        fixture.check("KEYS **:2", "*0\r\n");
    }
}
