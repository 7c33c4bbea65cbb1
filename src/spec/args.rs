//! Reading arguments: numbers with Redis's errors, words in any case.

use super::error::CommandError;
use crate::base::argv::Args;
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
    const NOT_FLOAT: CommandError = CommandError::TimeoutNotFloat;
    let timeout_s = number::parse_f64(argument).ok_or(NOT_FLOAT)?;
    let timeout_ms = (timeout_s * 1000.0).ceil();
    if timeout_ms.is_nan() || timeout_ms > i64::MAX as f64 {
        return Err(CommandError::TimeoutOutOfRange);
    }
    match timeout_ms {
        0.0 => Ok(None),
        ..0.0 => Err(CommandError::TimeoutNegative),
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
