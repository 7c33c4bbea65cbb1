//! `struct`: values to and from the bytes of C structures.
//!
//! ```text
//!   format   >  big endian   <  little endian (as at the start)   ![n]  aligned to at most n (8)   ' '  nothing
//!            b B 1   h H 2   i[n] I[n] n (4)   l L T 8   capitals and T without sign      f 4   d 8   x  a zero
//!            s  bytes up to a zero     c[n]  n (1) bytes; c0: all of the argument, or as many as the number before
//! ```
//! A format ends at its first zero byte. Integers of more than 8 bytes are written with zeroes above the value,
//! whatever its sign; of such a one only the lowest 8 bytes are read, and the sign is looked for where an x86 shift by
//! `8 * n - 1` lands. That is what Redis has on the machines it runs on.

use super::super::lua::{Failure, Function, Kind, Stack, integer_of, unsigned_of};
use super::limits::{RESULTS_MAX, STEPS_PER_TICK, push_output, room_for};
use std::ffi::CStr;

const FUNCTIONS: [(&str, Function); 3] = [("pack", pack), ("unpack", unpack), ("size", size)];
const INTEGER_BYTES_MAX: usize = 32;
/// What `!` without a number aligns to.
const NATURAL_ALIGNMENT: usize = 8;
const TOO_SHORT: &str = "data string too short";

/// Pushes the table that scripts know as `struct`.
pub fn push_library(stack: &mut Stack<'_>) {
    stack.push_table(0, FUNCTIONS.len());
    for (name, function) in FUNCTIONS {
        stack.push_function(function, 0);
        stack.raw_set_field(-2, name);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Signed,
    Unsigned,
}

/// One letter of a format with its number.
#[derive(Clone, Copy)]
struct Item {
    letter: u8,
    /// Bytes that it takes; 0 where that is not fixed, or where it takes none.
    size: usize,
}

/// A format, read letter by letter.
struct Format<'f> {
    rest: &'f [u8],
    order: Order,
    alignment: usize,
    steps: u32,
}

impl<'f> Format<'f> {
    fn new(text: &'f [u8]) -> Format<'f> {
        let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
        Format { rest: &text[..end], order: Order::Little, alignment: 1, steps: 0 }
    }

    fn next(&mut self, stack: &mut Stack<'_>) -> Result<Option<Item>, Failure> {
        let Some((&letter, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_PER_TICK) {
            stack.tick()?;
        }
        let size = match letter {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'f' => 4,
            b'c' => self.number(1)?,
            b'i' | b'I' => self.integer_size()?,
            _ => 0,
        };
        Ok(Some(Item { letter, size }))
    }

    fn integer_size(&mut self) -> Result<usize, Failure> {
        let size = self.number(4)?;
        if size > INTEGER_BYTES_MAX {
            let text = format!("integral size {size} is larger than limit of {INTEGER_BYTES_MAX}");
            return Err(Failure::here(text));
        }
        Ok(size)
    }

    /// The digits that follow, or `default` where there are none.
    fn number(&mut self, default: usize) -> Result<usize, Failure> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if digits.is_empty() {
            return Ok(default);
        }
        let mut number = 0_i32;
        for digit in digits {
            let next = number.checked_mul(10).and_then(|tens| tens.checked_add(i32::from(digit - b'0')));
            number = next.ok_or_else(|| Failure::here("integral size overflow"))?;
        }
        Ok(number.cast_unsigned() as usize)
    }

    /// How many bytes are left out in front of an item that would begin at `position`.
    ///
    /// For sizes that are no power of two this is no alignment in any sense, but what Redis computes.
    fn padding(&self, item: Item, position: u64) -> u64 {
        let alignment = item.size.min(self.alignment) as u64;
        if alignment <= 1 || item.letter == b'c' {
            return 0;
        }
        let mask = alignment - 1;
        alignment.wrapping_sub(position & mask) & mask
    }

    /// An item that neither is nor makes a value.
    fn control(&mut self, letter: u8) -> Result<(), Failure> {
        match letter {
            b' ' => {}
            b'>' => self.order = Order::Big,
            b'<' => self.order = Order::Little,
            b'!' => {
                let alignment = self.number(NATURAL_ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    return Err(Failure::here(format!("alignment {alignment} is not a power of 2")));
                }
                self.alignment = alignment;
            }
            _ => {
                let text = [b"invalid format option '".as_slice(), &[letter], b"'"].concat();
                return Err(Failure::Argument(1, text));
            }
        }
        Ok(())
    }
}

/// `struct.size(format)`
fn size(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let mut format = Format::new(stack.check_bytes(1)?);
    let mut total = 0_u64;
    while let Some(item) = format.next(stack)? {
        total = total.wrapping_add(format.padding(item, total));
        match item {
            Item { letter: b's', .. } => return Err(no_fixed_size("s")),
            Item { letter: b'c', size: 0 } => return Err(no_fixed_size("c0")),
            Item { letter, .. } if !letter.is_ascii_alphanumeric() => format.control(letter)?,
            Item { size, .. } => total = total.wrapping_add(size as u64),
        }
    }
    stack.push_number(total.cast_signed() as f64);
    Ok(1)
}

fn no_fixed_size(option: &str) -> Failure {
    Failure::argument(1, format!("option '{option}' has no fixed size"))
}

/// `struct.pack(format, values...)`
fn pack(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let format = Format::new(stack.check_bytes(1)?);
    push_output(stack, |stack, out| pack_items(stack, format, out))
}

fn pack_items(stack: &mut Stack<'_>, mut format: Format<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut argument = 2;
    while let Some(item) = format.next(stack)? {
        let padding = format.padding(item, out.len() as u64);
        if padding > 0 {
            out.resize(out.len() + padding as usize, 0);
        }
        match item.letter {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let value = integer_bits(number_argument(stack, argument)?);
                put_integer(out, value, item.size, format.order);
            }
            b'f' => {
                let bits = (number_argument(stack, argument)? as f32).to_bits();
                put_integer(out, bits.into(), 4, format.order);
            }
            b'd' => {
                let bits = number_argument(stack, argument)?.to_bits();
                put_integer(out, bits, 8, format.order);
            }
            b's' | b'c' => put_text(stack, argument, item, out)?,
            b'x' => {
                out.push(0);
                continue;
            }
            letter => {
                format.control(letter)?;
                continue;
            }
        }
        argument += 1;
    }
    Ok(())
}

fn put_text(stack: &mut Stack<'_>, argument: i32, item: Item, out: &mut Vec<u8>) -> Result<(), Failure> {
    if stack.kind(argument) == Kind::None {
        return Err(missing(argument, "string"));
    }
    let text = stack.check_bytes(argument)?;
    let taken = if item.size == 0 { text.len() } else { item.size };
    // By then the argument was counted as taken.
    let text = text.get(..taken).ok_or_else(|| Failure::argument(argument + 1, "string too short"))?;
    // A text may be packed time and again.
    room_for(stack, out.len() + text.len())?;
    out.extend_from_slice(text);
    if item.letter == b's' {
        out.push(0);
    }
    Ok(())
}

fn number_argument(stack: &Stack<'_>, argument: i32) -> Result<f64, Failure> {
    stack.check_number(argument).map_err(|failure| match stack.kind(argument) {
        Kind::None => missing(argument, "number"),
        _ => failure,
    })
}

/// Redis marks the end of the arguments by a nil, and that is what it finds.
fn missing(argument: i32, expected: &str) -> Failure {
    Failure::argument(argument, format!("{expected} expected, got nil"))
}

/// The 64 bits of a number as C casts it.
fn integer_bits(number: f64) -> u64 {
    if number < 0.0 { integer_of(number).cast_unsigned() } else { unsigned_of(number) }
}

fn put_integer(out: &mut Vec<u8>, value: u64, size: usize, order: Order) {
    if size <= 8 {
        let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
        return out.extend_from_slice(if order == Order::Big { &big[8 - size..] } else { &little[..size] });
    }
    let mut bytes = [0; INTEGER_BYTES_MAX];
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    let bytes = &mut bytes[..size];
    if order == Order::Big {
        bytes.reverse();
    }
    out.extend_from_slice(bytes);
}

/// `struct.unpack(format, data [, position])`: the values, and the position behind them.
fn unpack(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let mut format = Format::new(stack.check_bytes(1)?);
    let data = stack.check_bytes(2)?;
    // Counted from 1; as in Redis without a sign, so that a negative one lies far behind the end.
    let mut position = match stack.kind(3) {
        Kind::None | Kind::Nil => 1,
        _ => stack.check_integer(3)?.cast_unsigned(),
    };
    if position == 0 {
        return Err(Failure::argument(3, "offset must be 1 or greater"));
    }
    position -= 1;
    let (mut results, mut reserved) = (0, 0);
    while let Some(item) = format.next(stack)? {
        position = position.wrapping_add(format.padding(item, position));
        let at = slice_at(data, position, item.size as u64)?;
        reserve_result(stack, results, &mut reserved)?;
        let taken = match item.letter {
            b'x' => item.size,
            b'c' if item.size == 0 => {
                let taken = previous_size(stack, results)?;
                let text = slice_at(data, position, taken)?;
                stack.pop(1);
                stack.push_bytes(text);
                text.len()
            }
            letter if is_value(letter) => {
                let taken = push_value(stack, item, at, text_from(data, position), format.order)?;
                results += 1;
                taken
            }
            letter => {
                format.control(letter)?;
                0
            }
        };
        position += taken as u64;
    }
    stack.push_number(position.wrapping_add(1).cast_signed() as f64);
    Ok(results + 1)
}

fn is_value(letter: u8) -> bool {
    matches!(letter, b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' | b'f' | b'd' | b's' | b'c')
}

/// One slot for a result, and one for what Redis keeps beside it. `reserved` is the length up to which the stack can
/// grow for certain.
#[inline]
fn reserve_result(stack: &mut Stack<'_>, results: i32, reserved: &mut i32) -> Result<(), Failure> {
    let length = stack.arguments() + results;
    if length + 2 <= *reserved {
        return Ok(());
    }
    let ahead = (RESULTS_MAX - length).clamp(2, 32);
    stack.reserve(ahead as usize).map_err(|_| Failure::here("stack overflow (too many results)"))?;
    *reserved = length + ahead;
    Ok(())
}

fn slice_at(data: &[u8], position: u64, size: u64) -> Result<&[u8], Failure> {
    let found = usize::try_from(position).ok().zip(usize::try_from(size).ok());
    let found = found.and_then(|(start, size)| data.get(start..start.checked_add(size)?));
    found.ok_or_else(|| Failure::argument(2, TOO_SHORT))
}

fn text_from(data: &[u8], position: u64) -> &[u8] {
    usize::try_from(position).ok().and_then(|start| data.get(start..)).unwrap_or_default()
}

/// What the result before says about the size of `c0`.
fn previous_size(stack: &Stack<'_>, results: i32) -> Result<u64, Failure> {
    let needs = || Failure::here("format 'c0' needs a previous size");
    if results == 0 {
        return Err(needs());
    }
    Ok(unsigned_of(stack.check_number(-1).map_err(|_| needs())?))
}

/// Pushes the value of an item whose bytes are `at`, or begin `rest` where its size is not fixed. Bytes it took.
fn push_value(
    stack: &mut Stack<'_>,
    item: Item,
    at: &[u8],
    rest: &[u8],
    order: Order,
) -> Result<usize, Failure> {
    match item.letter {
        b'c' => stack.push_bytes(at),
        b's' => {
            let text = CStr::from_bytes_until_nul(rest);
            let text = text.map_err(|_| Failure::here("unfinished string in data"))?.to_bytes();
            stack.push_bytes(text);
            return Ok(text.len() + 1);
        }
        b'f' => stack.push_number(f32::from_bits(lowest_bits(at, order) as u32).into()),
        b'd' => stack.push_number(f64::from_bits(lowest_bits(at, order))),
        letter => {
            let unsigned = letter.is_ascii_uppercase();
            stack.push_number(integer(at, order, if unsigned { Sign::Unsigned } else { Sign::Signed }));
        }
    }
    Ok(item.size)
}

/// The lowest 64 bits of an integer.
fn lowest_bits(bytes: &[u8], order: Order) -> u64 {
    let mut lowest = [0; 8];
    let taken = bytes.len().min(8);
    match order {
        Order::Little => lowest[..taken].copy_from_slice(&bytes[..taken]),
        Order::Big => {
            lowest[8 - taken..].copy_from_slice(&bytes[bytes.len() - taken..]);
            return u64::from_be_bytes(lowest);
        }
    }
    u64::from_le_bytes(lowest)
}

fn integer(bytes: &[u8], order: Order, sign: Sign) -> f64 {
    let bits = lowest_bits(bytes, order);
    if sign == Sign::Unsigned {
        return bits as f64;
    }
    let shift = (bytes.len() as u32).wrapping_mul(8).wrapping_sub(1);
    let above = u64::MAX.wrapping_shl(shift);
    let bits = if bits & above == 0 { bits } else { bits | above };
    bits.cast_signed() as f64
}

#[cfg(test)]
mod tests;
