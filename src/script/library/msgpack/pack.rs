//! Values to bytes.
//!
//! ```text
//!   number    whole and within 64 bits with a sign: 00..7f, e0..ff, cc..cf, d0..d3; else ca if 32 bits hold it, or cb
//!   string    a0..bf, d9, da, db          boolean  c2, c3
//!   table     90..9f, dc, dd where its keys are 1 to n, and for {}; else 80..8f, de, df
//!   the rest  c0, and tables in more than 16 tables
//! ```
//! Whether a table is an array is seen only at its last key. It is taken for one until a key comes that does not follow
//! the last one; then what was written of it is dropped. The head of a table is written last: its length is known then.

use super::super::super::lua::{Failure, Stack, View};
use super::super::limits::{RESULTS_MAX, STEPS_PER_TICK, push_output, room_for};

/// Tables within tables; those below are left out.
const DEPTH_MAX: u32 = 16;

/// `cmsgpack.pack(values...)`
pub fn pack(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let arguments = stack.arguments();
    if arguments == 0 {
        return Err(Failure::argument(0, "MessagePack pack needs input."));
    }
    if arguments > RESULTS_MAX / 2 {
        return Err(Failure::argument(0, "Too many arguments for MessagePack pack."));
    }
    push_output(stack, |stack, out| {
        let mut packer = Packer { out, steps: 0 };
        (1..=arguments).try_for_each(|argument| packer.value(stack, argument, 0))
    })
}

/// The bytes that name the forms of one kind of value with a length.
struct Heads {
    /// Holds lengths below `short_end` itself.
    short: u8,
    short_end: usize,
    /// With one byte of length; not for tables.
    byte: Option<u8>,
    two_bytes: u8,
    four_bytes: u8,
}

const STRING: Heads =
    Heads { short: 0xa0, short_end: 32, byte: Some(0xd9), two_bytes: 0xda, four_bytes: 0xdb };
const ARRAY: Heads = Heads { short: 0x90, short_end: 16, byte: None, two_bytes: 0xdc, four_bytes: 0xdd };
const MAP: Heads = Heads { short: 0x80, short_end: 16, byte: None, two_bytes: 0xde, four_bytes: 0xdf };

struct Packer<'o> {
    out: &'o mut Vec<u8>,
    steps: u32,
}

/// What a table is, as far as it was looked at.
enum Shape {
    /// An array of so many elements, which are written.
    Array(usize),
    /// Keys are whole numbers from 1 on, in another order.
    Unordered,
    Map,
}

impl Packer<'_> {
    fn value(&mut self, stack: &mut Stack<'_>, index: i32, depth: u32) -> Result<(), Failure> {
        match stack.view(index) {
            View::Number(number) => self.number(number),
            View::String(text) => {
                if text.len() > 1 << 16 {
                    room_for(stack, self.out.len() + text.len())?;
                }
                self.string(text);
            }
            View::Boolean(truth) => self.out.push(0xc2 + u8::from(truth)),
            View::Table if depth < DEPTH_MAX => self.table(stack, index, depth)?,
            _ => self.out.push(0xc0),
        }
        Ok(())
    }

    /// Every value of a table: output may be large though the table is not, where one is in it many times.
    #[inline]
    fn step(&mut self, stack: &mut Stack<'_>) -> Result<(), Failure> {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_PER_TICK) {
            room_for(stack, self.out.len())?;
            stack.tick()?;
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self, number: f64) {
        const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
        let whole = number as i64;
        // 2^63 would become the highest integer, which as a double is 2^63 again.
        if whole as f64 == number && number < TWO_TO_63 {
            return self.integer(whole);
        }
        let short = number as f32;
        if f64::from(short) == number {
            self.tagged(0xca, short.to_be_bytes());
        } else {
            self.tagged(0xcb, number.to_be_bytes());
        }
    }

    #[inline]
    fn integer(&mut self, value: i64) {
        match value {
            -32..=127 => self.out.push(value as u8),
            128..=0xff => self.tagged(0xcc, [value as u8]),
            0x100..=0xffff => self.tagged(0xcd, (value as u16).to_be_bytes()),
            0x1_0000..=0xffff_ffff => self.tagged(0xce, (value as u32).to_be_bytes()),
            0x1_0000_0000.. => self.tagged(0xcf, value.to_be_bytes()),
            -0x80..-32 => self.tagged(0xd0, (value as i8).to_be_bytes()),
            -0x8000..-0x80 => self.tagged(0xd1, (value as i16).to_be_bytes()),
            -0x8000_0000..-0x8000 => self.tagged(0xd2, (value as i32).to_be_bytes()),
            _ => self.tagged(0xd3, value.to_be_bytes()),
        }
    }

    #[inline]
    fn tagged<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        self.out.push(tag);
        self.out.extend_from_slice(&bytes);
    }

    #[inline]
    fn string(&mut self, text: &[u8]) {
        let (head, used) = head(&STRING, text.len());
        self.out.extend_from_slice(&head[..used]);
        self.out.extend_from_slice(text);
    }

    fn table(&mut self, stack: &mut Stack<'_>, index: i32, depth: u32) -> Result<(), Failure> {
        stack.reserve(6)?;
        let start = self.out.len();
        match self.ordered_elements(stack, index, depth)? {
            Shape::Array(length) => {
                self.insert_head(start, &ARRAY, length);
                return Ok(());
            }
            Shape::Unordered => {
                self.out.truncate(start);
                if let Some(length) = self.array_length(stack, index)? {
                    return self.elements(stack, index, depth, length);
                }
            }
            Shape::Map => self.out.truncate(start),
        }
        let length = self.fields(stack, index, depth)?;
        self.insert_head(start, &MAP, length);
        Ok(())
    }

    /// Writes what is at 1, 2, .. as long as the keys come so.
    fn ordered_elements(&mut self, stack: &mut Stack<'_>, index: i32, depth: u32) -> Result<Shape, Failure> {
        let base = stack.len();
        let mut length = 0;
        stack.push_nil();
        while stack.next(index) {
            let key = stack.number(base + 1);
            if key != Some((length + 1) as f64) {
                stack.cut(base);
                return Ok(if key.is_some_and(is_position) { Shape::Unordered } else { Shape::Map });
            }
            length += 1;
            self.step(stack)?;
            self.value(stack, base + 2, depth + 1)?;
            stack.cut(base + 1);
        }
        Ok(Shape::Array(length))
    }

    /// How many elements a table has whose keys are 1 to n in any order.
    fn array_length(&mut self, stack: &mut Stack<'_>, index: i32) -> Result<Option<i32>, Failure> {
        let base = stack.len();
        let (mut count, mut highest) = (0_u64, 0_f64);
        stack.push_nil();
        while stack.next(index) {
            self.step(stack)?;
            match stack.number(base + 1).filter(|&key| is_position(key)) {
                Some(key) => highest = highest.max(key),
                None => {
                    stack.cut(base);
                    return Ok(None);
                }
            }
            count += 1;
            stack.cut(base + 1);
        }
        Ok(i32::try_from(count).ok().filter(|_| highest == count as f64))
    }

    fn elements(
        &mut self,
        stack: &mut Stack<'_>,
        index: i32,
        depth: u32,
        length: i32,
    ) -> Result<(), Failure> {
        let start = self.out.len();
        let base = stack.len();
        for position in 1..=length {
            self.step(stack)?;
            stack.raw_get_index(index, position);
            self.value(stack, base + 1, depth + 1)?;
            stack.cut(base);
        }
        self.insert_head(start, &ARRAY, length.unsigned_abs() as usize);
        Ok(())
    }

    /// Writes all keys with their values. How many.
    fn fields(&mut self, stack: &mut Stack<'_>, index: i32, depth: u32) -> Result<usize, Failure> {
        let base = stack.len();
        let mut length = 0;
        stack.push_nil();
        while stack.next(index) {
            self.step(stack)?;
            length += 1;
            self.value(stack, base + 1, depth + 1)?;
            self.value(stack, base + 2, depth + 1)?;
            stack.cut(base + 1);
        }
        Ok(length)
    }

    /// Puts the head of what was written from `start` on in front of it.
    #[inline]
    fn insert_head(&mut self, start: usize, heads: &Heads, length: usize) {
        let (head, used) = head(heads, length);
        self.out.splice(start..start, head[..used].iter().copied());
    }
}

/// As the only keys of an array are.
fn is_position(key: f64) -> bool {
    key > 0.0 && key.fract() == 0.0
}

/// The head, and how many of its bytes are used. More than 32 bits of length do not occur: a string that long is never
/// made by the server's limits, and a table of so many values takes more than any memory.
#[inline]
fn head(heads: &Heads, length: usize) -> ([u8; 5], usize) {
    let [.., b3, b2, b1, b0] = length.to_be_bytes();
    match (length, heads.byte) {
        (..0x1_0000, _) if length < heads.short_end => ([heads.short | b0, 0, 0, 0, 0], 1),
        (..0x100, Some(byte)) => ([byte, b0, 0, 0, 0], 2),
        (..0x1_0000, _) => ([heads.two_bytes, b1, b0, 0, 0], 3),
        _ => ([heads.four_bytes, b3, b2, b1, b0], 5),
    }
}
