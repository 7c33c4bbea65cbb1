//! A Lua value becomes a reply.

use crate::resp::Reply;
use crate::script::lua::{Kind, Stack};

/// Lua's C stack has a limit; a table may hold itself.
const DEPTH_MAX: u32 = 1000;

/// Writes the value on the top and pops it.
pub fn write_reply(stack: &mut Stack<'_>, reply: &mut Reply<'_>) {
    write(stack, reply, 0);
    stack.pop(1);
}

/// Writes the value on the top, which stays.
fn write(stack: &mut Stack<'_>, reply: &mut Reply<'_>, depth: u32) {
    match stack.kind(-1) {
        Kind::String => reply.bulk(stack.bytes(-1).expect("a string")),
        Kind::Number => reply.integer(stack.number(-1).expect("a number") as i64),
        Kind::Boolean if stack.truth(-1) => reply.integer(1),
        Kind::Table if depth < DEPTH_MAX && stack.reserve(8).is_ok() => write_table(stack, reply, depth),
        Kind::Table => reply.error("ERR reached lua stack limit"),
        _ => reply.null(),
    }
}

fn write_table(stack: &mut Stack<'_>, reply: &mut Reply<'_>, depth: u32) {
    if stack.raw_get_field(-1, "err") == Kind::String {
        let line = one_line(stack.bytes(-1).expect("a string"));
        stack.pop(1);
        return reply.error_bytes(&line);
    }
    stack.pop(1);
    if stack.raw_get_field(-1, "ok") == Kind::String {
        let line = one_line(stack.bytes(-1).expect("a string"));
        stack.pop(1);
        return reply.simple(&String::from_utf8_lossy(&line));
    }
    stack.pop(1);
    let array = reply.deferred_array();
    let mut length = 0;
    while stack.raw_get_index(-1, length as i32 + 1) != Kind::Nil {
        write(stack, reply, depth + 1);
        stack.pop(1);
        length += 1;
    }
    stack.pop(1);
    reply.set_deferred(array, length);
}

/// A line of the protocol cannot hold line ends.
fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}
