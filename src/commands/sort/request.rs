//! The options of SORT.

use super::pattern::{KeyPattern, Pattern};
use crate::base::argv::Args;
use crate::keyspace::ledger::PatternKeys;
use crate::spec::args::{Options, integer, is_word};
use crate::spec::{CommandError, KeyFlags};
use std::ops::Range;

/// Whether STORE is among the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storing {
    Allowed,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// How what is sorted by is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Numbers,
    /// ALPHA
    Texts,
}

/// What is sorted by.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    Element,
    /// What other keys hold for the elements.
    Pattern(KeyPattern<'a>),
    /// A pattern that is the same for all: the elements stay as they are.
    Nothing,
}

pub(super) struct Request<'a> {
    pub(super) by: By<'a>,
    pub(super) direction: Direction,
    pub(super) comparison: Comparison,
    /// Offset and count, whatever they are.
    limit: Option<(i64, i64)>,
    /// GET; empty for the elements themselves.
    pub(super) columns: Vec<Pattern<'a>>,
    pub(super) store: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    pub(super) fn parse(
        args: Args<'a>,
        storing: Storing,
        pattern_keys: PatternKeys,
    ) -> Result<Request<'a>, CommandError> {
        let mut request = Request {
            by: By::Element,
            direction: Direction::Ascending,
            comparison: Comparison::Numbers,
            limit: None,
            columns: Vec::new(),
            store: None,
        };
        let mut options = Options::new(args, 2);
        while let Some(word) = options.next_argument() {
            if is_word(word, "ASC") {
                request.direction = Direction::Ascending;
            } else if is_word(word, "DESC") {
                request.direction = Direction::Descending;
            } else if is_word(word, "ALPHA") {
                request.comparison = Comparison::Texts;
            } else if is_word(word, "LIMIT") && options.left() >= 2 {
                request.limit = Some((integer(options.value()?)?, integer(options.value()?)?));
            } else if is_word(word, "STORE") && storing == Storing::Allowed {
                request.store = Some(options.value()?);
            } else if is_word(word, "BY") {
                let pattern = options.value()?;
                if pattern_keys == PatternKeys::Denied && KeyPattern::of(pattern).is_some() {
                    return Err(CommandError::SortByDenied);
                }
                request.sort_by(pattern);
            } else if is_word(word, "GET") {
                let pattern = options.value()?;
                if pattern_keys == PatternKeys::Denied {
                    return Err(CommandError::SortGetDenied);
                }
                request.columns.push(Pattern::of(pattern));
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(request)
    }

    /// The last pattern counts, but one without a place for the element can not be taken back.
    fn sort_by(&mut self, pattern: &'a [u8]) {
        self.by = match (self.by, KeyPattern::of(pattern)) {
            (By::Nothing, _) | (_, None) => By::Nothing,
            (_, Some(pattern)) => By::Pattern(pattern),
        };
    }

    /// Sorts elements by their texts that would have stayed as they are.
    pub(super) fn sort_unsorted(&mut self) {
        if matches!(self.by, By::Nothing) {
            self.by = By::Element;
            self.comparison = Comparison::Texts;
        }
    }

    /// Which of `len` sorted elements are wanted.
    pub(super) fn window(&self, len: usize) -> Range<usize> {
        let Some((offset, count)) = self.limit else { return 0..len };
        let start = usize::try_from(offset.max(0)).unwrap_or(usize::MAX).min(len);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        start..start.saturating_add(count).min(len)
    }
}

/// The destination of SORT among its arguments: behind the last STORE that is not the value of another option.
pub(super) fn stored_key(args: Args<'_>) -> Option<(usize, KeyFlags)> {
    let (mut at, mut found) = (2, None);
    while let Some(word) = args.get(at) {
        at += if is_word(word, "LIMIT") {
            2
        } else if is_word(word, "BY") || is_word(word, "GET") {
            1
        } else if is_word(word, "STORE") && at + 1 < args.len() {
            found = Some((at + 1, KeyFlags::OW.or(KeyFlags::UPDATE)));
            1
        } else {
            0
        };
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::argv::Argv;

    #[test]
    fn windows_stay_inside() {
        let window = |offset, count, len| {
            let argv: Argv = ["sort", "k", "limit", offset, count].into_iter().collect();
            Request::parse(argv.args(), Storing::Refused, PatternKeys::Readable)
                .map(|request| request.window(len))
        };
        let max = "9223372036854775807";
        for (offset, count, len, expected) in [
            ("0", "2", 5, 0..2),
            ("-3", "2", 5, 0..2),
            ("3", "-1", 5, 3..5),
            ("3", "9", 5, 3..5),
            ("9", "1", 5, 5..5),
            ("0", "0", 5, 0..0),
            (max, max, 5, 5..5),
            ("1", max, 5, 1..5),
            ("0", "1", 0, 0..0),
        ] {
            assert_eq!(window(offset, count, len), Ok(expected), "{offset} {count}");
        }
        assert_eq!(window("x", "1", 5), Err(CommandError::NotInteger));
    }

    #[test]
    fn the_stored_key_is_found_as_by_redis() {
        let key = |line: &str| {
            let argv: Argv = line.split(' ').collect();
            stored_key(argv.args()).map(|(place, _)| place)
        };
        assert_eq!(key("sort a store b"), Some(3));
        assert_eq!(key("sort a by x store store store b get c*"), Some(7));
        assert_eq!(key("sort a limit store b store c"), Some(6));
        assert_eq!(key("sort a get store store b"), Some(5));
        assert_eq!(key("sort a store"), None);
        assert_eq!(key("sort a"), None);
    }
}
