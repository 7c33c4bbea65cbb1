//! `load` and `loadstring`: text only. What was compiled before reads as text that does not compile.

use crate::script::lua::{Failure, Kind, Stack};

const PIECES_PER_TICK: usize = 1000;

/// `loadstring(text [, name])`
pub fn loadstring(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    let body = stack.check_bytes(1)?;
    let name = match stack.kind(2) {
        Kind::None | Kind::Nil => body,
        _ => stack.check_bytes(2)?,
    };
    compile(stack, name, body)
}

/// `load(function [, name])`: the function gives piece by piece, and at the end nil or an empty string.
pub fn load(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    stack.check_kind(1, Kind::Function)?;
    let name = match stack.kind(2) {
        Kind::None | Kind::Nil => b"=(load)",
        _ => stack.check_bytes(2)?,
    };
    let mut body = Vec::new();
    for piece in 1.. {
        if piece % PIECES_PER_TICK == 0 {
            stack.tick()?;
        }
        stack.push_copy(1);
        if stack.call(0, 1).is_err() {
            return Ok(with_nil(stack));
        }
        let number = stack.number(-1);
        match (stack.bytes(-1), number) {
            (Some(b""), _) => break,
            (Some(bytes), _) => {
                stack.check_memory(body.len() + bytes.len())?;
                body.extend_from_slice(bytes);
            }
            (_, Some(_)) => {
                stack.push_text_of(-1);
                body.extend_from_slice(stack.bytes(-1).unwrap_or_default());
                stack.check_memory(body.len())?;
                stack.pop(1);
            }
            _ if stack.kind(-1) == Kind::Nil => break,
            _ => {
                return Ok(no_piece(stack));
            }
        }
        stack.pop(1);
    }
    compile(stack, name, &body)
}

/// The reader gave something that is no text: nil, and an error that says where it was read.
fn no_piece(stack: &mut Stack<'_>) -> i32 {
    let reader = stack.place(1).filter(|place| place.line > 0);
    let mut text = reader.map_or(Vec::new(), |place| {
        [place.short_source.as_slice(), format!(":{}: ", place.line).as_bytes()].concat()
    });
    text.extend_from_slice(b"reader function must return a string");
    stack.push_bytes(&text);
    with_nil(stack)
}

/// It takes as long as the text is, for one instruction of the script.
fn compile(stack: &mut Stack<'_>, name: &[u8], body: &[u8]) -> Result<i32, Failure> {
    stack.tick()?;
    Ok(match stack.load(name, body) {
        Ok(()) => 1,
        Err(_) => with_nil(stack),
    })
}

/// Nil, and the text on the top.
fn with_nil(stack: &mut Stack<'_>) -> i32 {
    stack.push_nil();
    stack.insert(-2);
    2
}
