//! Bytes to values.
//!
//! ```text
//!   00..7f e0..ff  the number itself          cc cd ce cf   1 2 4 8 bytes without sign      ca  4 bytes of a float
//!   c0 c2 c3       nil, false, true           d0 d1 d2 d3   1 2 4 8 bytes with sign         cb  8 bytes
//!   a0..bf d9 da db   strings                 90..9f dc dd  arrays        80..8f de df  maps
//!   c1 c4..c9 d4..d8  never, binary, extensions: bad data, as lua-cmsgpack has it
//! ```
//! Invariants
//! 1. A length that is announced makes nothing larger: tables grow by what is there.
//! 2. There is no recursion: open tables lie on Lua's stack, and what is missing in each in `open`.

use super::super::super::lua::{Failure, Kind, Stack};
use super::super::limits::{RESULTS_MAX, STEPS_PER_TICK};

const TOO_MANY_VALUES: &str =
    "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)";

/// `cmsgpack.unpack(bytes)`: all values.
pub fn unpack(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let data = stack.check_bytes(1)?;
    let mut unpacker = Unpacker::new(data, stack);
    let mut count = 0;
    while !unpacker.rest.is_empty() {
        unpacker.value(stack)?;
        count += 1;
    }
    Ok(count)
}

/// `cmsgpack.unpack_one(bytes [, offset])`: the next offset, and the value.
pub fn unpack_one(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let offset = offset_argument(stack, 2)?;
    unpack_some(stack, 1, offset)
}

/// `cmsgpack.unpack_limit(bytes, limit [, offset])`: the next offset, and so many values. With limit and offset 0 it is
/// `unpack`.
pub fn unpack_limit(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let limit = stack.check_integer(2)?;
    let offset = offset_argument(stack, 3)?;
    if limit == 0 && offset == 0 { unpack(stack) } else { unpack_some(stack, limit, offset) }
}

fn offset_argument(stack: &Stack<'_>, argument: i32) -> Result<i64, Failure> {
    match stack.kind(argument) {
        Kind::None | Kind::Nil => Ok(0),
        _ => stack.check_integer(argument),
    }
}

fn unpack_some(stack: &mut Stack<'_>, limit: i64, offset: i64) -> Result<i32, Failure> {
    let data = stack.check_bytes(1)?;
    // Errors show the low 32 bits.
    let (shown, length) = (offset as i32, data.len() as i32);
    if offset < 0 || limit < 0 {
        let text = format!("Invalid request to unpack with offset of {shown} and limit of {length}.");
        return Err(Failure::here(text));
    }
    let Some(rest) = usize::try_from(offset).ok().and_then(|start| data.get(start..)) else {
        let text = format!("Start offset {shown} greater than input length {length}.");
        return Err(Failure::here(text));
    };
    let base = stack.len();
    let mut unpacker = Unpacker::new(rest, stack);
    // Only the bytes stay on the stack of lua-cmsgpack.
    unpacker.beside = 1 - base;
    let mut count = 0;
    while i64::from(count) < limit && !unpacker.rest.is_empty() {
        unpacker.value(stack)?;
        count += 1;
    }
    unpacker.reserve(stack, 1, || Failure::here("stack overflow (in function mp_unpack_full)"))?;
    let left = unpacker.rest.len();
    stack.push_number(if left == 0 { -1.0 } else { (data.len() - left) as f64 });
    stack.insert(base + 1);
    Ok(count + 1)
}

/// A table that is being filled.
struct Open {
    /// Elements, or fields, that are missing.
    missing: u32,
    filling: Filling,
}

#[derive(Clone, Copy)]
enum Filling {
    /// The element that comes next.
    Element(i32),
    Key,
    /// The key is on the stack above the table.
    Value,
}

struct Unpacker<'d> {
    rest: &'d [u8],
    open: Vec<Open>,
    steps: u32,
    /// Length of the stack.
    length: i32,
    /// How many values more lua-cmsgpack would have on its stack now: it fails where they are too many.
    beside: i32,
    /// Length up to which the stack can grow for certain.
    reserved: i32,
}

impl<'d> Unpacker<'d> {
    fn new(rest: &'d [u8], stack: &Stack<'_>) -> Unpacker<'d> {
        Unpacker { rest, open: Vec::new(), steps: 0, length: stack.len(), beside: 0, reserved: 0 }
    }

    /// One value that is no part of another, onto the stack.
    fn value(&mut self, stack: &mut Stack<'_>) -> Result<(), Failure> {
        loop {
            self.steps += 1;
            if self.steps.is_multiple_of(STEPS_PER_TICK) {
                stack.tick()?;
            }
            if self.item(stack)? && self.close(stack)? {
                return Ok(());
            }
        }
    }

    /// Pushes what comes next. Whether it is complete: a table is not when something is to be in it.
    #[inline]
    fn item(&mut self, stack: &mut Stack<'_>) -> Result<bool, Failure> {
        self.reserve(stack, 1, || Failure::here(TOO_MANY_VALUES))?;
        let [tag] = self.take()?;
        let complete = match tag {
            0x00..=0x7f | 0xe0..=0xff => number(stack, tag.cast_signed().into()),
            0xa0..=0xbf => self.string(stack, u32::from(tag & 0x1f))?,
            0x90..=0x9f => self.array(stack, u32::from(tag & 0x0f))?,
            0x80..=0x8f => self.map(stack, u32::from(tag & 0x0f)),
            0xc0 => {
                stack.push_nil();
                true
            }
            0xc2 | 0xc3 => {
                stack.push_truth(tag == 0xc3);
                true
            }
            0xca => number(stack, f32::from_be_bytes(self.take()?).into()),
            0xcb => number(stack, f64::from_be_bytes(self.take()?)),
            0xcc => number(stack, u8::from_be_bytes(self.take()?).into()),
            0xcd => number(stack, u16::from_be_bytes(self.take()?).into()),
            0xce => number(stack, u32::from_be_bytes(self.take()?).into()),
            // The highest half of what has no sign comes out negative.
            0xcf | 0xd3 => number(stack, i64::from_be_bytes(self.take()?) as f64),
            0xd0 => number(stack, i8::from_be_bytes(self.take()?).into()),
            0xd1 => number(stack, i16::from_be_bytes(self.take()?).into()),
            0xd2 => number(stack, i32::from_be_bytes(self.take()?).into()),
            0xd9..=0xdb => {
                let length = self.length(tag - 0xd9)?;
                self.string(stack, length)?
            }
            0xdc | 0xdd => {
                let length = self.length(tag - 0xdc + 1)?;
                self.array(stack, length)?
            }
            0xde | 0xdf => {
                let length = self.length(tag - 0xde + 1)?;
                self.map(stack, length)
            }
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(Failure::here("Bad data format in input.")),
        };
        self.length += 1;
        Ok(complete)
    }

    /// Puts the value on the top where it belongs, and a table that is full thereby, and so on. Whether it, or the last
    /// such table, is no part of another.
    #[inline]
    fn close(&mut self, stack: &mut Stack<'_>) -> Result<bool, Failure> {
        while let Some(table) = self.open.last_mut() {
            match table.filling {
                Filling::Key => {
                    table.filling = Filling::Value;
                    return Ok(false);
                }
                Filling::Value => {
                    stack.raw_set(-3)?;
                    self.length -= 2;
                    table.filling = Filling::Key;
                }
                Filling::Element(position) => {
                    stack.raw_set_index(-2, position);
                    self.length -= 1;
                    table.filling = Filling::Element(position.checked_add(1).ok_or_else(missing_bytes)?);
                }
            }
            table.missing -= 1;
            if table.missing > 0 {
                return Ok(false);
            }
            if let Filling::Element(_) = table.filling {
                self.beside -= 1;
            }
            self.open.pop();
        }
        Ok(true)
    }

    fn array(&mut self, stack: &mut Stack<'_>, length: u32) -> Result<bool, Failure> {
        self.reserve(stack, 2, || Failure::here("stack overflow (in function mp_decode_to_lua_array)"))?;
        stack.push_table(0, 0);
        if length > 0 {
            // The position of the next element is on the stack of lua-cmsgpack.
            self.beside += 1;
            self.open.push(Open { missing: length, filling: Filling::Element(1) });
        }
        Ok(length == 0)
    }

    fn map(&mut self, stack: &mut Stack<'_>, length: u32) -> bool {
        stack.push_table(0, 0);
        if length > 0 {
            self.open.push(Open { missing: length, filling: Filling::Key });
        }
        length == 0
    }

    #[inline]
    fn string(&mut self, stack: &mut Stack<'_>, length: u32) -> Result<bool, Failure> {
        let (text, rest) = self.rest.split_at_checked(length as usize).ok_or_else(missing_bytes)?;
        self.rest = rest;
        stack.push_bytes(text);
        Ok(true)
    }

    /// A length of 1, 2 or 4 bytes.
    fn length(&mut self, log_bytes: u8) -> Result<u32, Failure> {
        Ok(match log_bytes {
            0 => u8::from_be_bytes(self.take()?).into(),
            1 => u16::from_be_bytes(self.take()?).into(),
            _ => u32::from_be_bytes(self.take()?),
        })
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(missing_bytes)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Room for so many more values, and some in advance: asking Lua takes longer than pushing.
    #[inline]
    fn reserve(
        &mut self,
        stack: &mut Stack<'_>,
        more: i32,
        overflow: fn() -> Failure,
    ) -> Result<(), Failure> {
        let wanted = self.length + more;
        if wanted + self.beside > RESULTS_MAX {
            return Err(overflow());
        }
        if wanted > self.reserved {
            let ahead = (more + 64).min(RESULTS_MAX - self.length).max(more);
            stack.reserve(ahead as usize).map_err(|_| overflow())?;
            self.reserved = self.length + ahead;
        }
        Ok(())
    }
}

#[inline]
fn number(stack: &mut Stack<'_>, number: f64) -> bool {
    stack.push_number(number);
    true
}

#[cold]
fn missing_bytes() -> Failure {
    Failure::here("Missing bytes in input.")
}
