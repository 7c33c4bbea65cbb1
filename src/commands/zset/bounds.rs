//! Arguments of the sorted set commands: scores, and the ends of ranges.

use crate::base::number;
use crate::object::zset::{LexBound, LexRange, ScoreBound, ScoreRange};
use crate::spec::CommandError;

/// Whole numbers up to this are the same as floats.
const EXACT_MAX: u64 = 1 << 53;

/// A score as an argument.
pub(super) fn score(argument: &[u8]) -> Result<f64, CommandError> {
    float(argument).ok_or(CommandError::NotFloat)
}

/// A float as Redis reads arguments, quickly when it is a whole number.
pub(super) fn float(argument: &[u8]) -> Option<f64> {
    match number::parse_i64(argument) {
        Some(whole) if whole.unsigned_abs() <= EXACT_MAX => Some(whole as f64),
        _ => number::parse_f64(argument),
    }
}

pub(super) fn score_range(min: &[u8], max: &[u8]) -> Result<ScoreRange, CommandError> {
    let bound = |argument| score_bound(argument).ok_or(CommandError::MinMaxNotFloat);
    Ok(ScoreRange { min: bound(min)?, max: bound(max)? })
}

/// `1.5` or, without it, `(1.5`.
fn score_bound(argument: &[u8]) -> Option<ScoreBound> {
    match argument {
        [b'(', rest @ ..] => strtod(rest).map(ScoreBound::Exclusive),
        _ => strtod(argument).map(ScoreBound::Inclusive),
    }
}

fn strtod(text: &[u8]) -> Option<f64> {
    match number::parse_i64(text) {
        Some(whole) if whole.unsigned_abs() <= EXACT_MAX => Some(whole as f64),
        _ => number::strtod(text),
    }
}

pub(super) fn lex_range<'a>(min: &'a [u8], max: &'a [u8]) -> Result<LexRange<'a>, CommandError> {
    Ok(LexRange { min: lex_bound(min)?, max: lex_bound(max)? })
}

/// `[member`, `(member`, `-` or `+`.
fn lex_bound(argument: &[u8]) -> Result<LexBound<'_>, CommandError> {
    match argument {
        [b'[', member @ ..] => Ok(LexBound::Inclusive(member)),
        [b'(', member @ ..] => Ok(LexBound::Exclusive(member)),
        // Redis looks at a C string here.
        [b'-'] | [b'-', 0, ..] => Ok(LexBound::Lowest),
        [b'+'] | [b'+', 0, ..] => Ok(LexBound::Highest),
        _ => Err(CommandError::MinMaxNotMember),
    }
}
