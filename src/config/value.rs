//! The kinds of values of a directive: how each is read from text, which texts it refuses with which words,
//! and how it is written back.
//!
//! The error texts are those of redis-server 7.0.15.

use super::Config;
use crate::base::number::parse_memory;

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Decimal digits only.
    Plain,
    /// Bytes, with an optional suffix: `k` 1000, `kb` 1024, and so on with `m` and `g`.
    Memory,
    /// Bytes as above, or `n%` of another limit, held as a negative number.
    MemoryOrPercent,
    /// Mode bits of a file.
    Octal,
}

/// Smallest and largest value, both allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub min: i128,
    pub max: i128,
}

/// Where a value lives: in a field of `Config`, or as text among the inert ones.
pub enum Store<T> {
    Field { get: fn(&Config) -> T, set: fn(&mut Config, T) },
    Inert,
}

// Derived, these would ask that T can be copied; the functions can be in any case.
impl<T> Copy for Store<T> {}
impl<T> Clone for Store<T> {
    fn clone(&self) -> Self {
        *self
    }
}

/// A check of a text; the error is what the user reads.
pub type TextRule = fn(&str) -> Result<(), &'static str>;

/// Reads the words of a directive of its own syntax into the configuration.
pub type ReadWords = fn(&mut Config, &[&[u8]]) -> Result<(), String>;

/// What a directive of its own syntax knows to do.
#[derive(Clone, Copy)]
pub struct Special {
    /// Forgets what the first mention in a load, CONFIG SET or an empty word takes the place of.
    pub restart: fn(&mut Config),
    pub read: ReadWords,
    /// The answer to CONFIG GET.
    pub text: fn(&Config) -> String,
    /// The lines CONFIG REWRITE writes into a file that has so many of them; lines that say the default may
    /// be left out when there is no place for them.
    pub lines: fn(&Config, usize) -> Vec<String>,
}

/// The kind of a directive's value.
#[derive(Clone, Copy)]
pub enum Kind {
    YesNo(Store<bool>),
    Number(Bounds, Unit, Store<i128>),
    Word(&'static [&'static str], usize, Store<usize>),
    Text(TextRule, Store<String>),
    /// Bytes that need not be text.
    Bytes(Store<Vec<u8>>),
    Special(Special),
    /// Any number of words that this server keeps as they are.
    Words,
}

pub fn read_yes_no(word: &[u8]) -> Result<bool, String> {
    match word {
        _ if word.eq_ignore_ascii_case(b"yes") => Ok(true),
        _ if word.eq_ignore_ascii_case(b"no") => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

pub fn write_yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// The index of `word` in `words`; the error offers the first `listed` of them.
pub fn read_choice(words: &[&str], listed: usize, word: &[u8]) -> Result<usize, String> {
    let found = words.iter().position(|other| word.eq_ignore_ascii_case(other.as_bytes()));
    found.ok_or_else(|| format!("argument(s) must be one of the following: {}", words[..listed].join(", ")))
}

pub fn read_text(word: &[u8], rule: TextRule) -> Result<String, String> {
    let text = str::from_utf8(word).map_err(|_| "argument must be valid UTF-8".to_string())?;
    rule(text)?;
    Ok(text.to_string())
}

pub fn read_number(word: &[u8], bounds: Bounds, unit: Unit) -> Result<i128, String> {
    let value = match unit {
        Unit::Plain => read_integer(word).ok_or("argument couldn't be parsed into an integer")?,
        Unit::Memory => i128::from(parse_memory(word).ok_or("argument must be a memory value")?),
        Unit::MemoryOrPercent => read_memory_or_percent(word)?,
        Unit::Octal => read_octal(word).ok_or("argument couldn't be parsed as an octal number")?,
    };
    if (bounds.min..=bounds.max).contains(&value) {
        return Ok(value);
    }
    Err(match unit {
        Unit::Octal => format!("argument must be between {:o} and {:o} inclusive", bounds.min, bounds.max),
        _ => format!("argument must be between {} and {} inclusive", bounds.min, bounds.max),
    })
}

/// The text CONFIG GET answers.
pub fn write_number(value: i128, unit: Unit) -> String {
    match unit {
        Unit::Octal => format!("{value:o}"),
        Unit::MemoryOrPercent if value < 0 => format!("{}%", -value),
        Unit::Plain | Unit::Memory | Unit::MemoryOrPercent => value.to_string(),
    }
}

/// The text CONFIG REWRITE writes: whole gigabytes, megabytes and kilobytes by their suffix.
pub fn write_number_short(value: i128, unit: Unit) -> String {
    if !matches!(unit, Unit::Memory | Unit::MemoryOrPercent) || value <= 0 {
        return write_number(value, unit);
    }
    let suffixes = [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    match suffixes.iter().find(|(bytes, _)| value % bytes == 0) {
        Some((bytes, suffix)) => format!("{}{suffix}", value / bytes),
        None => value.to_string(),
    }
}

/// A decimal integer in its only spelling: no sign `+`, no leading zero, no blank; within `i64`.
pub fn read_integer(word: &[u8]) -> Option<i128> {
    let text = str::from_utf8(word).ok()?;
    let value: i64 = text.parse().ok()?;
    (value.to_string() == text).then_some(i128::from(value))
}

fn read_memory_or_percent(word: &[u8]) -> Result<i128, String> {
    if let Some((b'%', number)) = word.split_last() {
        let percent = read_integer(number).filter(|percent| *percent >= 0);
        let percent = percent.ok_or("argument must be a memory or percent value")?;
        return if percent <= 100 {
            Ok(-percent)
        } else {
            Err("percentage argument must be less or equal to 100".into())
        };
    }
    Ok(i128::from(parse_memory(word).ok_or("argument must be a memory or percent value")?))
}

fn read_octal(word: &[u8]) -> Option<i128> {
    let text = str::from_utf8(word).ok().filter(|text| !text.is_empty())?;
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
        return None;
    }
    i64::from_str_radix(text, 8).ok().map(i128::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_spelling() {
        assert_eq!(read_integer(b"-12"), Some(-12));
        for text in ["", "+1", "01", " 1", "1 ", "0x1", "-0", "9223372036854775808", "1.0"] {
            assert_eq!(read_integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn bounds_and_units_have_their_words() {
        let bounds = Bounds { min: 0, max: 0o777 };
        let octal = |word: &[u8]| read_number(word, bounds, Unit::Octal);
        assert_eq!(octal(b"700"), Ok(0o700));
        assert_eq!(octal(b"999"), Err("argument couldn't be parsed as an octal number".into()));
        assert_eq!(octal(b"1777"), Err("argument must be between 0 and 777 inclusive".into()));
        let percent =
            |word: &[u8]| read_number(word, Bounds { min: -100, max: 1 << 40 }, Unit::MemoryOrPercent);
        assert_eq!(percent(b"50%"), Ok(-50));
        assert_eq!(percent(b"101%"), Err("percentage argument must be less or equal to 100".into()));
        assert_eq!(percent(b"-5"), Err("argument must be a memory or percent value".into()));
    }

    #[test]
    fn short_sizes() {
        let short = |value| write_number_short(value, Unit::Memory);
        assert_eq!([short(0), short(3 << 20), short(1025), short(5 << 30)], ["0", "3mb", "1025", "5gb"]);
    }
}
