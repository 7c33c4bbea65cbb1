//! Reading arguments: numbers with Redis's errors, words in any case.

use super::error::CommandError;
use crate::base::argv::Args;
use crate::base::long_double::LongDouble;
use crate::base::number;

/// A signed 64-bit integer, or `ERR value is not an integer or out of range`.
pub fn integer(argument: &[u8]) -> Result<i64, CommandError> {
    number::parse_i64(argument).ok_or(CommandError::NotInteger)
}

/// An integer within `range`, or `error`.
pub fn integer_in(
    argument: &[u8],
    range: std::ops::RangeInclusive<i64>,
    error: CommandError,
) -> Result<i64, CommandError> {
    let value = integer(argument)?;
    if range.contains(&value) { Ok(value) } else { Err(error) }
}

/// When a wait of `argument` milliseconds that begins at `now_ms` ends, in Unix milliseconds.
pub fn deadline_ms(argument: &[u8], now_ms: i64) -> Result<i64, CommandError> {
    let timeout_ms = number::parse_i64(argument).ok_or(CommandError::TimeoutNotInteger)?;
    if timeout_ms < 0 {
        return Err(CommandError::TimeoutNegative);
    }
    now_ms.checked_add(timeout_ms).ok_or(CommandError::TimeoutOutOfRange)
}

/// When a wait of `argument` seconds, which may be a fraction, that begins at `now_ms` ends, in Unix milliseconds; 0 is
/// never. Redis's blocking commands read their timeout so.
pub fn wait_deadline_ms(argument: &[u8], now_ms: i64) -> Result<Option<i64>, CommandError> {
    let exact = LongDouble::parse(argument).ok_or(CommandError::TimeoutNotFloat)?;
    // The text of what is nearly nothing is 0: a wait without end, where the shortest one was meant.
    let timeout_s: f64 = exact.to_text().parse().map_err(|_| CommandError::TimeoutNotFloat)?;
    let timeout_ms = (timeout_s * 1000.0).ceil();
    match timeout_ms {
        0.0 if exact.is_positive() => Ok(Some(now_ms.saturating_add(1))),
        0.0 => Ok(None),
        ..0.0 => Err(CommandError::TimeoutNegative),
        // Not below: 2^63 itself does not fit.
        9.223_372_036_854_775_807e18.. => Err(CommandError::TimeoutOutOfRange),
        _ => Ok(Some(now_ms.checked_add(timeout_ms as i64).ok_or(CommandError::TimeoutOutOfRange)?)),
    }
}

/// Whether `argument` is `word` in any case. `word` is written in upper case.
pub fn is_word(argument: &[u8], word: &str) -> bool {
    argument.eq_ignore_ascii_case(word.as_bytes())
}

/// Reads options one after the other.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    args: Args<'a>,
    next: usize,
}

impl<'a> Options<'a> {
    /// Options begin at argument `first`.
    pub fn new(args: Args<'a>, first: usize) -> Self {
        Options { args, next: first }
    }

    /// The next argument as it stands.
    pub fn next_argument(&mut self) -> Option<&'a [u8]> {
        let argument = self.args.get(self.next)?;
        self.next += 1;
        Some(argument)
    }

    /// The value that must follow an option, or a syntax error.
    pub fn value(&mut self) -> Result<&'a [u8], CommandError> {
        self.next_argument().ok_or(CommandError::Syntax)
    }

    /// How many arguments are left.
    pub fn left(&self) -> usize {
        self.args.len().saturating_sub(self.next)
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        self.next_argument()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_fractions_of_seconds() {
        let wait = |text: &str| wait_deadline_ms(text.as_bytes(), 1000);
        for (text, deadline_ms) in [
            ("0", None),
            ("1", Some(2000)),
            ("0.0001", Some(1001)),
            ("1e-300", Some(1001)),
            ("0x10", Some(17_000)),
        ] {
            assert_eq!(wait(text), Ok(deadline_ms), "{text}");
        }
        assert_eq!(wait("-0.0001"), Ok(None), "rounded up to nothing");
        for text in ["1e400", "inf", "99999999999999999999", "9223372036854775.8"] {
            assert_eq!(wait(text), Err(CommandError::TimeoutOutOfRange), "{text}");
        }
        assert_eq!(wait("-1"), Err(CommandError::TimeoutNegative));
        for text in ["", "x", " 1", "nan"] {
            assert_eq!(wait(text), Err(CommandError::TimeoutNotFloat), "{text}");
        }
    }
}
