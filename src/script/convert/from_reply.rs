//! A reply becomes a Lua value. It was written by our own commands: its form is trusted, its bytes are not looked at.

use crate::base::number::{parse_i64, strtod};
use crate::script::lua::{Failure, Stack};

/// Pushes the value of the reply that `bytes` begin with; what is behind it comes back.
///
/// # Errors
/// It is nested too deeply for the stack.
pub fn push_reply<'b>(stack: &mut Stack<'_>, bytes: &'b [u8]) -> Result<&'b [u8], Failure> {
    // A value, a key, and what the setters take.
    stack.reserve(4)?;
    let (line, rest) = split_line(bytes);
    let (kind, text) = line.split_first().expect("a reply begins with its kind");
    match kind {
        b'$' => return Ok(push_bulk(stack, text, rest)),
        b':' => stack.push_number(integer(text) as f64),
        b'*' | b'>' => return push_array(stack, text, rest),
        b'+' => push_wrapped(stack, "ok", |stack| stack.push_bytes(text)),
        b'-' => push_error(stack, text),
        b'_' => stack.push_nil(),
        b'#' => stack.push_truth(text == b"t"),
        b',' => {
            let number = strtod(text).unwrap_or(f64::NAN);
            push_wrapped(stack, "double", |stack| stack.push_number(number));
        }
        b'(' => push_wrapped(stack, "big_number", |stack| stack.push_bytes(text)),
        b'=' => return Ok(push_verbatim(stack, text, rest)),
        b'%' => return push_map(stack, text, rest),
        b'~' => return push_set(stack, text, rest),
        _ => unreachable!("no reply begins so"),
    }
    Ok(rest)
}

/// The first line, without its end, and what follows.
#[inline]
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\r').expect("a line has an end");
    (&bytes[..end], &bytes[end + 2..])
}

fn integer(text: &[u8]) -> i64 {
    parse_i64(text).expect("an integer")
}

/// `None` for null.
fn length(text: &[u8]) -> Option<usize> {
    usize::try_from(integer(text)).ok()
}

fn push_bulk<'b>(stack: &mut Stack<'_>, text: &[u8], rest: &'b [u8]) -> &'b [u8] {
    let Some(length) = length(text) else {
        stack.push_truth(false);
        return rest;
    };
    stack.push_bytes(&rest[..length]);
    &rest[length + 2..]
}

fn push_array<'b>(stack: &mut Stack<'_>, text: &[u8], mut rest: &'b [u8]) -> Result<&'b [u8], Failure> {
    let Some(length) = length(text) else {
        stack.push_truth(false);
        return Ok(rest);
    };
    stack.push_table(length, 0);
    for element in 1..=length {
        rest = push_reply(stack, rest)?;
        stack.raw_set_index(-2, element as i32);
    }
    Ok(rest)
}

/// Pushes a table whose one field is what `push` pushes.
fn push_wrapped(stack: &mut Stack<'_>, field: &str, push: impl FnOnce(&mut Stack<'_>)) {
    stack.push_table(0, 1);
    push(stack);
    stack.raw_set_field(-2, field);
}

/// Who hands the table on is not counted once more for the error.
fn push_error(stack: &mut Stack<'_>, text: &[u8]) {
    stack.push_table(0, 2);
    stack.push_bytes(text);
    stack.raw_set_field(-2, "err");
    stack.push_truth(true);
    stack.raw_set_field(-2, "ignore_error_stats_update");
}

fn push_verbatim<'b>(stack: &mut Stack<'_>, text: &[u8], rest: &'b [u8]) -> &'b [u8] {
    let length = length(text).expect("a text has a length");
    let (format, string) = (&rest[..3], &rest[4..length]);
    stack.push_table(0, 1);
    push_wrapped(stack, "format", |stack| stack.push_bytes(format));
    stack.push_bytes(string);
    stack.raw_set_field(-2, "string");
    stack.raw_set_field(-2, "verbatim_string");
    &rest[length + 2..]
}

fn push_map<'b>(stack: &mut Stack<'_>, text: &[u8], mut rest: &'b [u8]) -> Result<&'b [u8], Failure> {
    let pairs = length(text).expect("a map has a length");
    stack.push_table(0, 1);
    stack.push_table(0, pairs);
    for _ in 0..pairs {
        rest = push_reply(stack, rest)?;
        rest = push_reply(stack, rest)?;
        stack.raw_set(-3)?;
    }
    stack.raw_set_field(-2, "map");
    Ok(rest)
}

fn push_set<'b>(stack: &mut Stack<'_>, text: &[u8], mut rest: &'b [u8]) -> Result<&'b [u8], Failure> {
    let members = length(text).expect("a set has a length");
    stack.push_table(0, 1);
    stack.push_table(0, members);
    for _ in 0..members {
        rest = push_reply(stack, rest)?;
        stack.push_truth(true);
        stack.raw_set(-3)?;
    }
    stack.raw_set_field(-2, "set");
    Ok(rest)
}
