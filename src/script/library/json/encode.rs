//! A Lua value as text.
//!
//! ```text
//!   Lua stack       argument | element | key  value | ..      one for each open array, two for each open object
//!   self.open       array      object    array                 the tables that are begun, outermost first
//! ```
//! Tables do not recurse on the C stack, however deep a script lets them be: the Lua stack's own limit, some thousand
//! values, ends it.
//!
//! Invariants
//! 1. The table of the innermost open array is on the top; above the one of an open object is the last key.
//! 2. No metamethod is asked, so nothing changes a table while it is written.

use super::super::super::lua::{Failure, Kind, Stack, View};
use super::settings::{InvalidNumbers, Settings};
use super::{NULL, Pace, number, scan};

/// Longer texts are refused: an array can be written from few values (`{t, t}` with `t = {u, u}` and so on).
const TEXT_BYTES_MAX: usize = 512 << 20;
/// From this length on the script's memory is looked at whenever a text has doubled.
const TEXT_BYTES_FREE: usize = 1 << 20;
const UNSUPPORTED: &str = "type not supported";
/// What an open table takes of the Lua stack, its table and the one in it included.
const SLOTS: usize = 3;

/// A table that is begun.
#[derive(Clone, Copy)]
enum Open {
    Array { next: i32, last: i32 },
    Object,
}

struct Encoder<'e, 'c> {
    stack: &'e mut Stack<'c>,
    settings: &'e Settings,
    text: &'e mut Vec<u8>,
    /// Up to which length the text may grow before memory is looked at.
    granted_bytes: usize,
    open: Vec<Open>,
    pace: Pace,
}

/// Appends the argument to `text`.
///
/// # Errors
/// Something in it has no JSON, or it is too deep, or the script must end. Anything may be left on the stack.
pub fn encode(stack: &mut Stack<'_>, settings: &Settings, text: &mut Vec<u8>) -> Result<(), Failure> {
    let (granted_bytes, open, pace) = (TEXT_BYTES_FREE, Vec::new(), Pace::default());
    let mut encoder = Encoder { stack, settings, text, granted_bytes, open, pace };
    encoder.value()?;
    while let Some(open) = encoder.open.last().copied() {
        match open {
            Open::Array { next, last } => encoder.elements(next, last)?,
            Open::Object => encoder.fields()?,
        }
    }
    Ok(())
}

impl Encoder<'_, '_> {
    /// Writes the value on the top, or begins it if it is a table. Whether it is one.
    #[inline]
    fn value(&mut self) -> Result<bool, Failure> {
        match self.stack.view(-1) {
            View::String(bytes) => append_string(self.text, bytes),
            View::Number(value) => append_number(self.text, value, self.settings)?,
            View::Table => return self.begin().map(|()| true),
            View::Boolean(true) => self.text.extend_from_slice(b"true"),
            View::Boolean(false) => self.text.extend_from_slice(b"false"),
            View::Nil | View::Light(NULL) => self.text.extend_from_slice(b"null"),
            View::Light(_) => return Err(cannot(Kind::LightUserdata.name(), UNSUPPORTED)),
            View::Other(kind) => return Err(cannot(kind.name(), UNSUPPORTED)),
        }
        Ok(false)
    }

    /// Goes on with the innermost array until it ends or a table is begun in it.
    fn elements(&mut self, mut next: i32, last: i32) -> Result<(), Failure> {
        let table = self.stack.len();
        let place = self.open.len() - 1;
        while next <= last {
            self.step()?;
            if next > 1 {
                self.text.push(b',');
            }
            self.stack.raw_get_index(table, next);
            // The text is too long before the largest index is reached.
            next += 1;
            if self.value()? {
                self.open[place] = Open::Array { next, last };
                return Ok(());
            }
            self.stack.pop(1);
        }
        self.end(b']');
        Ok(())
    }

    /// Goes on with the innermost object until it ends or a table is begun in it.
    fn fields(&mut self) -> Result<(), Failure> {
        // Its last key, which is nil before the first, is above it.
        let table = self.stack.len() - 1;
        while self.stack.next(table) {
            self.step()?;
            if self.text.last() != Some(&b'{') {
                self.text.push(b',');
            }
            self.key()?;
            if self.value()? {
                return Ok(());
            }
            self.stack.pop(1);
        }
        self.end(b'}');
        Ok(())
    }

    #[inline]
    fn step(&mut self) -> Result<(), Failure> {
        if self.text.len() > self.granted_bytes {
            self.grant()?;
        }
        self.pace.step(self.stack)
    }

    #[cold]
    fn grant(&mut self) -> Result<(), Failure> {
        let length = self.text.len();
        if length > TEXT_BYTES_MAX || !self.stack.machine().memory.has_room(length) {
            return Err(Failure::Plain(b"not enough memory".to_vec()));
        }
        self.granted_bytes = length * 2;
        Ok(())
    }

    /// Writes the key below the value on the top.
    #[inline]
    fn key(&mut self) -> Result<(), Failure> {
        match self.stack.view(-2) {
            View::String(bytes) => append_string(self.text, bytes),
            View::Number(value) => {
                self.text.push(b'"');
                append_number(self.text, value, self.settings)?;
                self.text.push(b'"');
            }
            _ => {
                let kind = self.stack.kind(-2);
                return Err(cannot(kind.name(), "table key must be a number or string"));
            }
        }
        self.text.push(b':');
        Ok(())
    }

    /// Begins the table on the top.
    fn begin(&mut self) -> Result<(), Failure> {
        let depth = self.open.len() + 1;
        if depth > self.settings.encode_max_depth as usize || self.stack.reserve(SLOTS).is_err() {
            return Err(Failure::here(format!("Cannot serialise, excessive nesting ({depth})")));
        }
        let last = self.last_index()?;
        if last > 0 {
            self.text.push(b'[');
            self.open.push(Open::Array { next: 1, last });
        } else {
            self.text.push(b'{');
            self.stack.push_nil();
            self.open.push(Open::Object);
        }
        Ok(())
    }

    /// Ends the innermost table; its parent takes it from the stack, if there is one.
    fn end(&mut self, bracket: u8) {
        self.text.push(bracket);
        self.open.pop();
        if !self.open.is_empty() {
            self.stack.pop(1);
        }
    }

    /// The largest index of the table on the top, if it has no other keys than indexes; else it is an object.
    fn last_index(&mut self) -> Result<i32, Failure> {
        let (mut last, mut items) = (0i32, 0i32);
        let is_array = self.stack.every_key(-1, |key| {
            let Some(index) = key.and_then(as_index) else { return false };
            // What is no C int counts as the lowest one, as on the processors that Redis runs on; but it is large.
            if index == i32::MIN || index > last {
                last = index;
            }
            items = items.saturating_add(1);
            true
        });
        if !is_array {
            return Ok(0);
        }
        let Settings { sparse_ratio, sparse_safe, converts_sparse, .. } = *self.settings;
        if sparse_ratio > 0 && last > items.wrapping_mul(sparse_ratio) && last > sparse_safe {
            return if converts_sparse { Ok(0) } else { Err(cannot("table", "excessively sparse array")) };
        }
        Ok(last)
    }
}

/// A key that is an index, as a C int; beyond its range it is the lowest one.
#[inline]
fn as_index(key: f64) -> Option<i32> {
    let index = key as i32;
    if f64::from(index) == key {
        return (index >= 1).then_some(index);
    }
    (key > i32::MAX.into() && key.trunc() == key).then_some(i32::MIN)
}

#[inline]
fn append_number(text: &mut Vec<u8>, value: f64, settings: &Settings) -> Result<(), Failure> {
    match settings.invalid_numbers {
        InvalidNumbers::Fail if !value.is_finite() => return Err(cannot("number", "must not be NaN or Inf")),
        InvalidNumbers::Null if !value.is_finite() => text.extend_from_slice(b"null"),
        _ => number::append(value, settings.precision, text),
    }
    Ok(())
}

#[inline]
fn append_string(text: &mut Vec<u8>, bytes: &[u8]) {
    text.reserve(bytes.len() + 8);
    text.push(b'"');
    if let Some(word) = scan::short_plain(bytes) {
        // Eight bytes are copied faster than a few.
        let length = text.len() + bytes.len();
        text.extend_from_slice(&word);
        text.truncate(length);
    } else {
        append_long(text, bytes);
    }
    text.push(b'"');
}

fn append_long(text: &mut Vec<u8>, mut rest: &[u8]) {
    loop {
        let (plain, after) = rest.split_at(scan::plain_run(rest));
        text.extend_from_slice(plain);
        let [escaped, after @ ..] = after else { break };
        append_escape(text, *escaped);
        rest = after;
    }
}

fn append_escape(text: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' | b'/' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            return text.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        }
    };
    text.extend_from_slice(&[b'\\', letter]);
}

#[cold]
fn cannot(what: &str, why: &str) -> Failure {
    Failure::here(format!("Cannot serialise {what}: {why}"))
}
