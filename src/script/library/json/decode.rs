//! A text as a Lua value.
//!
//! ```text
//!   Lua stack       argument | table | table  key | ..     one for each open array, two for each open object
//!   self.open       array      object                      the tables that are begun, outermost first
//! ```
//! Tables do not recurse on the C stack, however deep a script lets them be: the Lua stack's own limit, some thousand
//! values, ends it. A NUL ends the text, as in Redis.
//!
//! What is wrong is found out on the way, but named only afterwards (`unexpected`): by reading once more what is there.

use super::super::super::lua::{Failure, Stack};
use super::settings::Settings;
use super::{NULL, Pace, number, scan};

/// What an open array and an open object may take of the Lua stack.
const ARRAY_SLOTS: usize = 2;
const OBJECT_SLOTS: usize = 3;

/// A table that is begun.
enum Open {
    /// With so many elements in it.
    Array(i32),
    Object,
}

struct Decoder<'d, 'c> {
    stack: &'d mut Stack<'c>,
    text: &'c [u8],
    at: usize,
    settings: &'d Settings,
    /// A string with escapes.
    buffer: &'d mut Vec<u8>,
    open: Vec<Open>,
    pace: Pace,
}

/// Pushes the value that a text is. `buffer` is for what it may need.
///
/// # Errors
/// It is none, or too deep, or the script must end. Anything may be left on the stack.
pub fn decode<'c>(
    stack: &mut Stack<'c>,
    text: &'c [u8],
    settings: &Settings,
    buffer: &mut Vec<u8>,
) -> Result<(), Failure> {
    if matches!(text, [0, _, ..] | [_, 0, ..]) {
        return Err(Failure::here("JSON parser does not support UTF-16 or UTF-32"));
    }
    let mut decoder =
        Decoder { stack, text, at: 0, settings, buffer, open: Vec::new(), pace: Pace::default() };
    decoder.skip_blanks();
    // A table that was begun has a value to come, unless it is empty.
    loop {
        let begun = decoder.value()?;
        if !begun && !decoder.store()? {
            break;
        }
    }
    decoder.skip_blanks();
    if decoder.peek() == 0 { Ok(()) } else { Err(decoder.unexpected("the end")) }
}

impl Decoder<'_, '_> {
    /// The next character; NUL at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// Pushes a value, or begins a table and is true, unless it is empty: then it is pushed as any value.
    #[inline]
    fn value(&mut self) -> Result<bool, Failure> {
        match self.peek() {
            b'"' => self.string("value")?,
            b'{' => return self.object(),
            b'[' => return self.array(),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' if self.takes(b"true") => self.stack.push_truth(true),
            b'f' if self.takes(b"false") => self.stack.push_truth(false),
            b'n' if self.takes(b"null") => self.stack.push_light(NULL),
            _ => self.number()?,
        }
        Ok(false)
    }

    #[inline]
    fn takes(&mut self, word: &[u8]) -> bool {
        let is_there = self.text[self.at..].starts_with(word);
        self.at += if is_there { word.len() } else { 0 };
        is_there
    }

    /// Puts the value on the top where it belongs, and every table that ends after it; false when that was the
    /// outermost, true when another value is to come.
    fn store(&mut self) -> Result<bool, Failure> {
        while let Some(open) = self.open.last_mut() {
            let (end, expected) = match open {
                Open::Array(count) => {
                    *count = count.saturating_add(1);
                    self.stack.raw_set_index(-2, *count);
                    (b']', "comma or array end")
                }
                Open::Object => {
                    self.stack.raw_set(-3)?;
                    (b'}', "comma or object end")
                }
            };
            self.pace.step(self.stack)?;
            self.skip_blanks();
            let next = self.peek();
            if next == b',' {
                self.at += 1;
                self.skip_blanks();
                if end == b'}' {
                    self.key()?;
                }
                return Ok(true);
            }
            if next != end {
                return Err(self.unexpected(expected));
            }
            self.at += 1;
            self.open.pop();
        }
        Ok(false)
    }

    fn array(&mut self) -> Result<bool, Failure> {
        self.descend(ARRAY_SLOTS)?;
        self.stack.push_table(0, 0);
        self.at += 1;
        self.skip_blanks();
        if self.peek() == b']' {
            self.at += 1;
            return Ok(false);
        }
        self.open.push(Open::Array(0));
        Ok(true)
    }

    fn object(&mut self) -> Result<bool, Failure> {
        self.descend(OBJECT_SLOTS)?;
        self.stack.push_table(0, 0);
        self.at += 1;
        self.skip_blanks();
        if self.peek() == b'}' {
            self.at += 1;
            return Ok(false);
        }
        self.open.push(Open::Object);
        self.key()?;
        Ok(true)
    }

    #[inline]
    fn descend(&mut self, slots: usize) -> Result<(), Failure> {
        let depth = self.open.len() + 1;
        if depth <= self.settings.decode_max_depth as usize && self.stack.reserve(slots).is_ok() {
            return Ok(());
        }
        let character = self.at + 1;
        let text = format!("Found too many nested data structures ({depth}) at character {character}");
        Err(Failure::here(text))
    }

    /// Pushes a key, and passes over the colon after it.
    #[inline]
    fn key(&mut self) -> Result<(), Failure> {
        const EXPECTED: &str = "object key string";
        if self.peek() != b'"' {
            return Err(self.unexpected(EXPECTED));
        }
        self.string(EXPECTED)?;
        self.skip_blanks();
        if self.peek() != b':' {
            return Err(self.unexpected("colon"));
        }
        self.at += 1;
        self.skip_blanks();
        Ok(())
    }

    #[inline]
    fn string(&mut self, expected: &str) -> Result<(), Failure> {
        let start = self.at + 1;
        let end = start + scan::string_run(&self.text[start..]);
        if self.text.get(end) == Some(&b'"') {
            self.stack.push_bytes(&self.text[start..end]);
            self.at = end + 1;
            return Ok(());
        }
        match read_string(self.text, start, self.buffer) {
            Ok(end) => self.at = end,
            Err(_) => return Err(self.unexpected(expected)),
        }
        self.stack.push_bytes(self.buffer);
        Ok(())
    }

    #[inline]
    fn number(&mut self) -> Result<(), Failure> {
        match number_at(self.settings, &self.text[self.at..]) {
            Ok((value, length)) => {
                self.stack.push_number(value);
                self.at += length;
                Ok(())
            }
            Err(_) => Err(self.unexpected("value")),
        }
    }

    /// Says what is there instead of what should be.
    #[cold]
    fn unexpected(&mut self, expected: &str) -> Failure {
        let (found, at) = self.token();
        Failure::here(format!("Expected {expected} but found {found} at character {}", at + 1))
    }

    /// What is next, as lua-cjson calls it, and where it is, or where it is wrong.
    fn token(&mut self) -> (&'static str, usize) {
        let rest = &self.text[self.at.min(self.text.len())..];
        let name = match self.peek() {
            0 => "T_END",
            b'{' => "T_OBJ_BEGIN",
            b'}' => "T_OBJ_END",
            b'[' => "T_ARR_BEGIN",
            b']' => "T_ARR_END",
            b':' => "T_COLON",
            b',' => "T_COMMA",
            b'"' => match read_string(self.text, self.at + 1, self.buffer) {
                Ok(_) => "T_STRING",
                Err(wrong) => return wrong,
            },
            _ if rest.starts_with(b"true") || rest.starts_with(b"false") => "T_BOOLEAN",
            _ if rest.starts_with(b"null") => "T_NULL",
            _ => number_at(self.settings, rest).map_or_else(|why| why, |_| "T_NUMBER"),
        };
        (name, self.at)
    }
}

/// The number that a text begins with, and its length.
#[inline]
fn number_at(settings: &Settings, text: &[u8]) -> Result<(f64, usize), &'static str> {
    let is_lenient = settings.decodes_invalid_numbers;
    let begins = match text {
        [b'-' | b'0'..=b'9', ..] => true,
        [b'+', ..] => is_lenient,
        _ => is_lenient && is_word(text),
    };
    if !begins {
        return Err("invalid token");
    }
    if !is_lenient && is_invalid(text) {
        return Err("invalid number");
    }
    number::take(text).ok_or("invalid number")
}

fn is_word(text: &[u8]) -> bool {
    number::starts_with_word(text, b"inf") || number::starts_with_word(text, b"nan")
}

/// Leading zeros, hexadecimal, infinities and NaNs: what strtod reads and JSON does not have.
fn is_invalid(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    matches!(text, [b'0', b'0'..=b'9' | b'x' | b'X', ..]) || is_word(text)
}

/// Reads a string whose first character is at `start` into `buffer`, and returns what is after its end; or what is
/// wrong, and where.
fn read_string(text: &[u8], start: usize, buffer: &mut Vec<u8>) -> Result<usize, (&'static str, usize)> {
    buffer.clear();
    let mut at = start;
    loop {
        let run = scan::string_run(&text[at..]);
        buffer.extend_from_slice(&text[at..at + run]);
        at += run;
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = read_escape(text, at, buffer).map_err(|why| (why, at))?,
            _ => return Err(("unexpected end of string", at)),
        }
    }
}

/// Reads the escape whose backslash is at `at`, and returns what is after it.
fn read_escape(text: &[u8], at: usize, buffer: &mut Vec<u8>) -> Result<usize, &'static str> {
    let byte = match text.get(at + 1) {
        Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'u') => {
            let (character, length) = read_unicode(&text[at..]).ok_or("invalid unicode escape code")?;
            buffer.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(at + length);
        }
        _ => return Err("invalid escape code"),
    };
    buffer.push(byte);
    Ok(at + 2)
}

/// `\uXXXX`, or two of them that are a surrogate pair, and how long that is.
fn read_unicode(text: &[u8]) -> Option<(char, usize)> {
    let first = read_unit(text)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let second = read_unit(&text[6..])?;
    if !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    Some((char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, 12))
}

fn read_unit(text: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = text else { return None };
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}
