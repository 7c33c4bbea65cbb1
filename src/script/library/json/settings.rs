//! What a script can change in a library.
//!
//! All functions of a library have one table as their upvalue, which holds the settings as a string:
//! ```text
//!   0      4       8       12      16         17       18           19              20
//!   | sparse ratio | safe | encode | decode   | convert | precision | invalid when  | invalid are | keep   |
//!   |              |      |  depth |   depth  |  sparse |           |   encoded     |   decoded   | buffer |
//! ```
//! Scripts cannot reach the table; what they set is there for the scripts after them, too, as in Redis.

use super::super::super::lua::{Failure, Kind, Stack};

const PACKED_BYTES: usize = 21;
/// Where the string is in the table.
const ELEMENT: i32 = 1;

/// What is written for a number that JSON does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidNumbers {
    Fail,
    /// `nan`, `inf`, `-inf`
    Write,
    Null,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// An array whose last index is more than so many times its elements is sparse; 0: none is.
    pub sparse_ratio: i32,
    /// No array is sparse whose last index is not beyond this.
    pub sparse_safe: i32,
    /// A sparse array becomes an object instead of an error.
    pub converts_sparse: bool,
    pub encode_max_depth: i32,
    pub decode_max_depth: i32,
    /// Significant digits of a number, 1 to 14.
    pub precision: u8,
    pub invalid_numbers: InvalidNumbers,
    /// Reads everything that C's strtod does as a number.
    pub decodes_invalid_numbers: bool,
    /// Only told back: the buffer is kept as it fits.
    pub keeps_buffer: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sparse_ratio: 2,
            sparse_safe: 10,
            converts_sparse: false,
            encode_max_depth: 1000,
            decode_max_depth: 1000,
            precision: 14,
            invalid_numbers: InvalidNumbers::Fail,
            decodes_invalid_numbers: true,
            keeps_buffer: true,
        }
    }
}

impl Settings {
    /// Pushes a table that holds the settings: the upvalue of the functions.
    pub fn push(&self, stack: &mut Stack<'_>) {
        stack.push_table(1, 0);
        stack.push_bytes(&self.pack());
        stack.raw_set_index(-2, ELEMENT);
    }

    /// The settings of the library whose function runs.
    pub fn read(stack: &mut Stack<'_>) -> Settings {
        stack.raw_get_index(stack.upvalue(1), ELEMENT);
        let packed = stack.bytes(-1).and_then(|bytes| bytes.first_chunk()).map(Settings::unpack);
        stack.pop(1);
        packed.expect("`push` and `write` have made it")
    }

    fn write(&self, stack: &mut Stack<'_>) {
        stack.push_bytes(&self.pack());
        stack.raw_set_index(stack.upvalue(1), ELEMENT);
    }

    fn pack(&self) -> [u8; PACKED_BYTES] {
        let mut packed = [0; PACKED_BYTES];
        let numbers = [self.sparse_ratio, self.sparse_safe, self.encode_max_depth, self.decode_max_depth];
        for (place, number) in packed.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let invalid = self.invalid_numbers as u8;
        let flags = [self.converts_sparse, self.decodes_invalid_numbers, self.keeps_buffer].map(u8::from);
        packed[16..].copy_from_slice(&[flags[0], self.precision, invalid, flags[1], flags[2]]);
        packed
    }

    fn unpack(packed: &[u8; PACKED_BYTES]) -> Settings {
        let number =
            |at: usize| i32::from_le_bytes([packed[at], packed[at + 1], packed[at + 2], packed[at + 3]]);
        Settings {
            sparse_ratio: number(0),
            sparse_safe: number(4),
            encode_max_depth: number(8),
            decode_max_depth: number(12),
            converts_sparse: packed[16] != 0,
            precision: packed[17],
            invalid_numbers: match packed[18] {
                0 => InvalidNumbers::Fail,
                1 => InvalidNumbers::Write,
                _ => InvalidNumbers::Null,
            },
            decodes_invalid_numbers: packed[19] != 0,
            keeps_buffer: packed[20] != 0,
        }
    }
}

pub fn encode_sparse_array(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    check_count(stack, 3)?;
    // Each is kept as soon as it is found right, even if the next one is wrong.
    let mut settings = Settings::read(stack);
    settings.converts_sparse = switch(stack, settings.converts_sparse)?;
    settings.write(stack);
    settings.sparse_ratio = integer(stack, 2, settings.sparse_ratio, 0..=i32::MAX)?;
    settings.write(stack);
    settings.sparse_safe = integer(stack, 3, settings.sparse_safe, 0..=i32::MAX)?;
    settings.write(stack);
    stack.push_truth(settings.converts_sparse);
    stack.push_number(settings.sparse_ratio.into());
    stack.push_number(settings.sparse_safe.into());
    Ok(3)
}

pub fn encode_max_depth(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    change_integer(stack, |settings| &mut settings.encode_max_depth)
}

pub fn decode_max_depth(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    change_integer(stack, |settings| &mut settings.decode_max_depth)
}

pub fn encode_number_precision(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    check_count(stack, 1)?;
    let mut settings = Settings::read(stack);
    let precision = integer(stack, 1, settings.precision.into(), 1..=14)?;
    settings.precision = precision as u8;
    settings.write(stack);
    stack.push_number(precision.into());
    Ok(1)
}

pub fn encode_keep_buffer(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    change_switch(stack, |settings| &mut settings.keeps_buffer)
}

pub fn decode_invalid_numbers(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    change_switch(stack, |settings| &mut settings.decodes_invalid_numbers)
}

pub fn encode_invalid_numbers(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    check_count(stack, 1)?;
    let mut settings = Settings::read(stack);
    settings.invalid_numbers = match choice(stack, &["off", "on", "null"])? {
        None => settings.invalid_numbers,
        Some(0) => InvalidNumbers::Fail,
        Some(1) => InvalidNumbers::Write,
        Some(_) => InvalidNumbers::Null,
    };
    settings.write(stack);
    match settings.invalid_numbers {
        InvalidNumbers::Null => stack.push_bytes(b"null"),
        other => stack.push_truth(other == InvalidNumbers::Write),
    }
    Ok(1)
}

type Field<T> = fn(&mut Settings) -> &mut T;

fn change_integer(stack: &mut Stack<'_>, field: Field<i32>) -> Result<i32, Failure> {
    check_count(stack, 1)?;
    let mut settings = Settings::read(stack);
    let value = field(&mut settings);
    *value = integer(stack, 1, *value, 1..=i32::MAX)?;
    let now = *value;
    settings.write(stack);
    stack.push_number(now.into());
    Ok(1)
}

fn change_switch(stack: &mut Stack<'_>, field: Field<bool>) -> Result<i32, Failure> {
    check_count(stack, 1)?;
    let mut settings = Settings::read(stack);
    let value = field(&mut settings);
    *value = switch(stack, *value)?;
    let now = *value;
    settings.write(stack);
    stack.push_truth(now);
    Ok(1)
}

fn check_count(stack: &Stack<'_>, most: i32) -> Result<(), Failure> {
    if stack.arguments() <= most {
        return Ok(());
    }
    Err(Failure::argument(most + 1, "found too many arguments"))
}

fn is_absent(stack: &Stack<'_>, argument: i32) -> bool {
    argument > stack.arguments() || stack.kind(argument) == Kind::Nil
}

/// An argument as a C int, cut as C cuts it; what is there already where it is nil.
fn integer(
    stack: &Stack<'_>,
    argument: i32,
    now: i32,
    range: std::ops::RangeInclusive<i32>,
) -> Result<i32, Failure> {
    if is_absent(stack, argument) {
        return Ok(now);
    }
    let number = stack.check_number(argument)?;
    // Beyond 64 bits a processor gives the lowest integer, whose lower half is 0.
    let is_long = number.abs() < i64::MAX as f64;
    let value = if is_long { number as i64 as i32 } else { 0 };
    if range.contains(&value) {
        return Ok(value);
    }
    // The first argument is blamed whichever it is, as in lua-cjson.
    Err(Failure::argument(1, format!("expected integer between {} and {}", range.start(), range.end())))
}

/// The first argument as off or on.
fn switch(stack: &mut Stack<'_>, now: bool) -> Result<bool, Failure> {
    Ok(choice(stack, &["off", "on"])?.map_or(now, |index| index == 1))
}

/// Which one of `options` the first argument is, a boolean being one of the first two; `None` for nil.
fn choice(stack: &mut Stack<'_>, options: &[&str]) -> Result<Option<usize>, Failure> {
    if is_absent(stack, 1) {
        return Ok(None);
    }
    if stack.kind(1) == Kind::Boolean {
        return Ok(Some(usize::from(stack.truth(1))));
    }
    let text = stack.check_bytes(1)?;
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let found = options.iter().position(|option| option.as_bytes() == text);
    if found.is_some() {
        return Ok(found);
    }
    Err(Failure::Argument(1, [b"invalid option '", text, b"'"].concat()))
}
