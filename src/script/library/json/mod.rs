//! `cjson`: JSON for scripts.
//!
//! ```text
//!   settings  what a script can change, and the functions by which it does
//!   encode    a Lua value ──▶ text
//!   decode    text ──▶ a Lua value
//!   number    numbers as C reads and writes them
//!   scan      the end of a run of plain characters, eight at a time
//! ```
//! Behaves as lua-cjson 2.1.0 does inside Redis, error texts included. Every library has settings of its own, which
//! outlive the script that changes them; `cjson.new()` makes another library.
mod decode;
mod encode;
mod number;
mod scan;
mod settings;

use super::super::lua::{Failure, Function, Stack};
use settings::Settings;

/// What JSON's null is in Lua.
const NULL: usize = 0;
/// A buffer larger than this is not kept for the next call.
const BUFFER_KEPT_BYTES: usize = 1 << 20;
/// So many elements between two questions whether the script may go on.
const ELEMENTS_PER_TICK: u32 = 10_000;

const FUNCTIONS: &[(&str, Function)] = &[
    ("encode", encode),
    ("decode", decode),
    ("encode_sparse_array", settings::encode_sparse_array),
    ("encode_max_depth", settings::encode_max_depth),
    ("decode_max_depth", settings::decode_max_depth),
    ("encode_number_precision", settings::encode_number_precision),
    ("encode_keep_buffer", settings::encode_keep_buffer),
    ("encode_invalid_numbers", settings::encode_invalid_numbers),
    ("decode_invalid_numbers", settings::decode_invalid_numbers),
    ("new", new),
];

/// Pushes a library with settings of its own.
pub fn push_library(stack: &mut Stack<'_>) {
    stack.push_table(0, FUNCTIONS.len() + 3);
    let library = stack.len();
    Settings::default().push(stack);
    let settings = stack.len();
    for (name, function) in FUNCTIONS {
        stack.push_copy(settings);
        stack.push_function(*function, 1);
        stack.raw_set_field(library, name);
    }
    stack.pop(1);
    stack.push_light(NULL);
    stack.raw_set_field(library, "null");
    stack.push_bytes(b"cjson");
    stack.raw_set_field(library, "_NAME");
    stack.push_bytes(b"2.1.0");
    stack.raw_set_field(library, "_VERSION");
}

fn new(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    push_library(stack);
    Ok(1)
}

fn encode(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    check_one_argument(stack)?;
    let settings = Settings::read(stack);
    let mut buffer = stack.machine().text.take();
    buffer.clear();
    let encoded = encode::encode(stack, &settings, &mut buffer);
    stack.cut(stack.arguments());
    if encoded.is_ok() {
        stack.push_bytes(&buffer);
    }
    put_back(stack, buffer);
    encoded.map(|()| 1)
}

fn decode(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    check_one_argument(stack)?;
    let text = stack.check_bytes(1)?;
    let settings = Settings::read(stack);
    let mut buffer = stack.machine().text.take();
    let decoded = decode::decode(stack, text, &settings, &mut buffer);
    put_back(stack, buffer);
    if decoded.is_err() {
        // At the limit of its depth there may be no room for the error.
        stack.cut(stack.arguments());
    }
    decoded.map(|()| 1)
}

fn check_one_argument(stack: &Stack<'_>) -> Result<(), Failure> {
    if stack.arguments() == 1 { Ok(()) } else { Err(Failure::argument(1, "expected 1 argument")) }
}

fn put_back(stack: &Stack<'_>, buffer: Vec<u8>) {
    if buffer.capacity() <= BUFFER_KEPT_BYTES {
        stack.machine().text.set(buffer);
    }
}

/// Counts what was read or written, and asks now and then whether the script may go on.
#[derive(Default)]
struct Pace {
    elements: u32,
}

impl Pace {
    /// # Errors
    /// The script must end, or has no memory left.
    #[inline]
    fn step(&mut self, stack: &mut Stack<'_>) -> Result<(), Failure> {
        self.elements += 1;
        if self.elements < ELEMENTS_PER_TICK { Ok(()) } else { self.tick(stack) }
    }

    #[cold]
    fn tick(&mut self, stack: &mut Stack<'_>) -> Result<(), Failure> {
        self.elements = 0;
        if !stack.machine().memory.has_room(0) {
            return Err(Failure::Plain(b"not enough memory".to_vec()));
        }
        stack.tick()
    }
}

#[cfg(test)]
mod tests;
