//! `bit`: operations on the 32 bits of a number, as LuaBitOp has them.
//!
//! A number is first made one of 32 bits: rounded to the nearest whole number (halves to even) and cut to its low 32
//! bits, which is what is left in a double's own bits once 2^52 + 2^51 was added. Beyond 2^51 that no longer rounds
//! exactly; clients have seen nothing else, so it stays. Results are signed.

use super::super::lua::{Failure, Function, Stack};

const FUNCTIONS: [(&str, Function); 12] = [
    ("tobit", to_bit),
    ("tohex", to_hex),
    ("bnot", not),
    ("band", and),
    ("bor", or),
    ("bxor", xor),
    ("lshift", left),
    ("rshift", right),
    ("arshift", signed_right),
    ("rol", rotate_left),
    ("ror", rotate_right),
    ("bswap", swap),
];

/// Pushes the table that scripts know as `bit`.
pub fn push_library(stack: &mut Stack<'_>) {
    stack.push_table(0, FUNCTIONS.len());
    for (name, function) in FUNCTIONS {
        stack.push_function(function, 0);
        stack.raw_set_field(-2, name);
    }
}

/// What lies in the low 32 bits of `number`, see the head of this file.
#[inline]
fn normalized(number: f64) -> u32 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    (number + SHIFT).to_bits() as u32
}

#[inline]
fn argument(stack: &Stack<'_>, argument: i32) -> Result<u32, Failure> {
    Ok(normalized(stack.check_number(argument)?))
}

#[inline]
fn answer(stack: &mut Stack<'_>, bits: u32) -> Result<i32, Failure> {
    stack.push_number(f64::from(bits.cast_signed()));
    Ok(1)
}

fn to_bit(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let bits = argument(stack, 1)?;
    answer(stack, bits)
}

fn not(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let bits = argument(stack, 1)?;
    answer(stack, !bits)
}

fn swap(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let bits = argument(stack, 1)?;
    answer(stack, bits.swap_bytes())
}

/// All arguments into one: at least one is needed.
#[inline]
fn fold(stack: &mut Stack<'_>, join: fn(u32, u32) -> u32) -> Result<i32, Failure> {
    let mut bits = argument(stack, 1)?;
    for number in 2..=stack.arguments() {
        bits = join(bits, argument(stack, number)?);
    }
    answer(stack, bits)
}

fn and(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    fold(stack, |one, other| one & other)
}

fn or(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    fold(stack, |one, other| one | other)
}

fn xor(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    fold(stack, |one, other| one ^ other)
}

/// Of the second argument the low five bits count.
#[inline]
fn shift(stack: &mut Stack<'_>, by: fn(u32, u32) -> u32) -> Result<i32, Failure> {
    let bits = argument(stack, 1)?;
    let places = argument(stack, 2)? & 31;
    answer(stack, by(bits, places))
}

fn left(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    shift(stack, |bits, places| bits << places)
}

fn right(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    shift(stack, |bits, places| bits >> places)
}

fn signed_right(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    shift(stack, |bits, places| (bits.cast_signed() >> places).cast_unsigned())
}

fn rotate_left(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    shift(stack, u32::rotate_left)
}

fn rotate_right(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    shift(stack, u32::rotate_right)
}

/// `bit.tohex(number [, digits])`: the last digits, at most 8; in capitals where `digits` is negative.
fn to_hex(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let bits = argument(stack, 1)?;
    let digits = if stack.arguments() < 2 { 8 } else { argument(stack, 2)?.cast_signed() };
    let text = if digits < 0 { format!("{bits:08X}") } else { format!("{bits:08x}") };
    let first = 8 - digits.unsigned_abs().min(8) as usize;
    stack.push_bytes(&text.as_bytes()[first..]);
    Ok(1)
}

#[cfg(test)]
mod tests {
    use super::super::recorded;
    use super::normalized;
    use proptest::prelude::*;

    #[test]
    fn as_redis_has_it() {
        recorded::check(include_str!("recorded/bits.txt"));
    }

    proptest! {
        #[test]
        fn numbers_are_rounded_and_cut(number in -2.0_f64.powi(51)..2.0_f64.powi(51)) {
            prop_assert_eq!(normalized(number), number.round_ties_even() as i64 as u32);
        }
    }
}
