//! `redis.error_reply` and `redis.status_reply`: tables that become such replies.

use super::push_error;
use crate::script::lua::{Failure, Kind, Stack};
use crate::spec::error::until_nul;

const WRONG_ARGUMENTS: &[u8] = b"ERR wrong number or type of arguments";

/// `{err=text}`; a text of one word gets the code `ERR`, and a minus in front of it is left out.
pub fn error_reply(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let Some(text) = only_text(stack) else { return Ok(1) };
    let text = until_nul(text);
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let (code, message) = match text.iter().position(|byte| *byte == b' ') {
        Some(space) => (&text[..space], &text[space + 1..]),
        None => (&b"ERR"[..], text),
    };
    let start = message.iter().take_while(|byte| is_line_end(byte)).count();
    let end = message.iter().rposition(|byte| !is_line_end(byte)).map_or(start, |last| last + 1);
    push_error(stack, &[code, b" ", &message[start..end]].concat());
    Ok(1)
}

/// `{ok=text}`.
pub fn status_reply(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if only_text(stack).is_some() {
        stack.push_table(0, 1);
        stack.push_copy(1);
        stack.raw_set_field(-2, "ok");
    }
    Ok(1)
}

/// The only argument, when it is a string; otherwise the result is an error, which is not raised.
fn only_text<'c>(stack: &mut Stack<'c>) -> Option<&'c [u8]> {
    if stack.arguments() == 1 && stack.kind(1) == Kind::String {
        return stack.argument_bytes(1);
    }
    push_error(stack, WRONG_ARGUMENTS);
    None
}
