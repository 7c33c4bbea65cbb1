//! `string.find`, `match`, `gmatch` and `gsub`: patterns of Lua 5.1, which scripts cannot make recurse or run for ever.
//!
//! ```text
//!   class     %a, [set]
//!   matcher   one pattern, one subject
//! ```
mod class;
mod matcher;
#[cfg(test)]
mod tests;

use super::numbers::{int, wide};
use crate::script::lua::{Failure, Kind, Stack, find_bytes};
use matcher::{Caught, Matcher};

type Found = (usize, usize);

const SPECIAL: &[u8] = b"^$*+?.([%-";

fn until_zero(pattern: &[u8]) -> &[u8] {
    let zero = pattern.iter().position(|byte| *byte == 0);
    &pattern[..zero.unwrap_or(pattern.len())]
}

/// The pattern behind its anchor, and whether there was one.
fn anchored(pattern: &[u8]) -> (&[u8], bool) {
    match pattern {
        [b'^', rest @ ..] => (rest, true),
        _ => (pattern, false),
    }
}

/// `string.find(subject, pattern [, from [, plain]])`
pub fn find(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let (subject, pattern) = (stack.check_bytes(1)?, stack.check_bytes(2)?);
    let from = start(stack, subject)?;
    let is_plain = stack.truth(4) || !until_zero(pattern).iter().any(|byte| SPECIAL.contains(byte));
    if is_plain {
        let Some(offset) = find_bytes(&subject[from..], pattern) else { return Ok(nothing(stack)) };
        push_range(stack, (from + offset, from + offset + pattern.len()));
        return Ok(2);
    }
    let mut matcher = Matcher::new(subject, anchored(pattern).0);
    let Some(found) = search(stack, &mut matcher, pattern, from)? else { return Ok(nothing(stack)) };
    stack.reserve(matcher.captures() + 2)?;
    push_range(stack, found);
    for index in 0..matcher.captures() {
        push_caught(stack, &matcher.caught(index, found)?);
    }
    Ok(2 + matcher.captures() as i32)
}

/// `string.match(subject, pattern [, from])`
pub fn match_(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let (subject, pattern) = (stack.check_bytes(1)?, stack.check_bytes(2)?);
    let from = start(stack, subject)?;
    let mut matcher = Matcher::new(subject, anchored(pattern).0);
    match search(stack, &mut matcher, pattern, from)? {
        Some(found) => push_values(stack, &matcher, found),
        None => Ok(nothing(stack)),
    }
}

fn search(
    stack: &mut Stack<'_>,
    matcher: &mut Matcher<'_>,
    pattern: &[u8],
    from: usize,
) -> Result<Option<Found>, Failure> {
    if anchored(pattern).1 {
        Ok(matcher.match_at(stack, from)?.map(|end| (from, end)))
    } else {
        matcher.find(stack, from)
    }
}

/// The third argument as an offset; negative ones count from the end.
fn start(stack: &Stack<'_>, subject: &[u8]) -> Result<usize, Failure> {
    if matches!(stack.kind(3), Kind::None | Kind::Nil) {
        return Ok(0);
    }
    let position = wide(stack.check_number(3)?);
    let length = subject.len() as i64;
    let position = if position < 0 { position + length + 1 } else { position };
    Ok((position - 1).clamp(0, length) as usize)
}

fn nothing(stack: &mut Stack<'_>) -> i32 {
    stack.push_nil();
    1
}

fn push_range(stack: &mut Stack<'_>, (start, end): Found) {
    stack.push_number(start as f64 + 1.0);
    stack.push_number(end as f64);
}

fn push_caught(stack: &mut Stack<'_>, caught: &Caught<'_>) {
    match caught {
        Caught::Bytes(bytes) => stack.push_bytes(bytes),
        Caught::Position(position) => stack.push_number(*position as f64),
    }
}

fn push_values(stack: &mut Stack<'_>, matcher: &Matcher<'_>, found: Found) -> Result<i32, Failure> {
    stack.reserve(matcher::CAPTURES_MAX)?;
    for index in 0..matcher.values() {
        push_caught(stack, &matcher.caught(index, found)?);
    }
    Ok(matcher.values() as i32)
}

/// `string.gmatch(subject, pattern)`: a function that gives the next match each time.
pub fn gmatch(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    stack.check_bytes(1)?;
    stack.check_bytes(2)?;
    stack.push_copy(1);
    stack.push_copy(2);
    stack.push_number(0.0);
    stack.push_function(next_match, 3);
    Ok(1)
}

const OFFSET: i32 = 3;

fn next_match(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let (Some(subject), Some(pattern)) = (stack.upvalue_bytes(1), stack.upvalue_bytes(2)) else {
        return Ok(0);
    };
    let from = stack.number(stack.upvalue(OFFSET)).unwrap_or_default() as usize;
    let mut matcher = Matcher::new(subject, pattern);
    let Some((start, end)) = matcher.find(stack, from)? else { return Ok(0) };
    let next = if end == start { end + 1 } else { end };
    stack.set_upvalue_number(OFFSET, next as f64);
    push_values(stack, &matcher, (start, end))
}

/// `string.gsub(subject, pattern, replacement [, times])`
pub fn gsub(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let (subject, pattern) = (stack.check_bytes(1)?, stack.check_bytes(2)?);
    let times = match stack.kind(4) {
        Kind::None | Kind::Nil => i64::MAX,
        _ => int(stack.check_number(4)?).into(),
    };
    let replacement = match stack.kind(3) {
        Kind::Number | Kind::String => Some(stack.check_bytes(3)?),
        Kind::Function | Kind::Table => None,
        _ => return Err(Failure::argument(3, "string/function/table expected")),
    };
    let (items, is_anchored) = anchored(pattern);
    let mut matcher = Matcher::new(subject, items);
    let mut out = Vec::new();
    let (mut from, mut count) = (0, 0);
    while count < times {
        let found = match is_anchored {
            true => matcher.match_at(stack, from)?.map(|end| (from, end)),
            false => matcher.find(stack, from)?,
        };
        let Some((start, end)) = found else { break };
        count += 1;
        out.extend_from_slice(&subject[from..start]);
        match replacement {
            Some(text) => expand(stack, &mut out, text, &matcher, (start, end))?,
            None => replace(stack, &mut out, &matcher, (start, end))?,
        }
        stack.check_memory(out.len())?;
        from = end;
        if end == start {
            // Nothing was matched before this byte; it stays.
            let Some(byte) = subject.get(end) else { break };
            out.push(*byte);
            from += 1;
        }
        if is_anchored {
            break;
        }
    }
    if count == 0 {
        stack.push_copy(1);
    } else {
        out.extend_from_slice(&subject[from..]);
        stack.push_bytes(&out);
    }
    stack.push_number(count as f64);
    Ok(2)
}

/// Appends a text in which `%1` stands for the first capture.
fn expand(
    stack: &mut Stack<'_>,
    out: &mut Vec<u8>,
    text: &[u8],
    matcher: &Matcher<'_>,
    found: Found,
) -> Result<(), Failure> {
    let mut rest = text;
    while let Some(escape) = rest.iter().position(|byte| *byte == b'%') {
        out.extend_from_slice(&rest[..escape]);
        // At the end of a text there is a zero, as in C.
        let sign = rest.get(escape + 1).copied().unwrap_or(0);
        match sign {
            b'0' => append(stack, out, matcher.whole(found))?,
            b'1'..=b'9' => match matcher.caught(usize::from(sign - b'1'), found)? {
                Caught::Bytes(bytes) => append(stack, out, bytes)?,
                Caught::Position(position) => out.extend_from_slice(position.to_string().as_bytes()),
            },
            other => out.push(other),
        }
        rest = rest.get(escape + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// A text may be written time and again.
fn append(stack: &Stack<'_>, out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Failure> {
    stack.check_memory(out.len() + bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends what a function returns for the captures, or a table holds for the first; the match itself for nil and
/// false.
fn replace(
    stack: &mut Stack<'_>,
    out: &mut Vec<u8>,
    matcher: &Matcher<'_>,
    found: Found,
) -> Result<(), Failure> {
    let length = stack.len();
    if stack.kind(3) == Kind::Function {
        stack.push_copy(3);
        let values = push_values(stack, matcher, found)?;
        stack.call(values, 1)?;
    } else {
        push_caught(stack, &matcher.caught(0, found)?);
        stack.get(3)?;
    }
    if !stack.truth(-1) {
        out.extend_from_slice(matcher.whole(found));
    } else if let Some(bytes) = stack.bytes(-1) {
        out.extend_from_slice(bytes);
    } else if stack.kind(-1) == Kind::Number {
        stack.push_text_of(-1);
        out.extend_from_slice(stack.bytes(-1).unwrap_or_default());
    } else {
        let kind = stack.kind(-1).name();
        return Err(Failure::here(format!("invalid replacement value (a {kind})")));
    }
    stack.cut(length);
    Ok(())
}
