//! A Lua value becomes a reply.
//!
//! A table is told by the first of these fields that it has, of the type that it must have: `err`, `ok`, `double`,
//! `big_number`, `verbatim_string`, `map`, `set`. Fields are read without metamethods. Any other table is an array.
//!
//! ```text
//!   Lua stack, for a value inside a map inside an array:   array │ map's table │ map │ key │ value
//! ```
//! Tables that are under way lie on the Lua stack and in `open`, so that depth costs no frames of ours. The stack has
//! room for some thousand values: what lies deeper than that (a table may hold itself) becomes an error.

use crate::resp::writer::Deferred;
use crate::resp::{Protocol, Reply};
use crate::script::lua::{Kind, Stack};
use crate::spec::error::until_nul;

/// A reply is not longer: small tables that hold each other many times make a long one.
const REPLY_BYTES_MAX: usize = 512 << 20;
/// What one value may push.
const SLOTS: usize = 4;

/// The errors in a reply, for the statistics.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// Lines of those that nobody has counted yet.
    pub new: Vec<Vec<u8>>,
    /// Those that were counted when a command failed with them.
    pub counted: u64,
}

/// Writes the value on the top and pops it. `protocol` is the one that the script has set: only with RESP3 is a truth
/// value one.
pub fn write_reply(stack: &mut Stack<'_>, reply: &mut Reply<'_>, protocol: Protocol) -> Errors {
    let start = reply.len();
    let bottom = stack.len() - 1;
    let mut writer = Writer { stack, reply, protocol, open: Vec::new(), errors: Errors::default() };
    writer.value();
    while let Some(open) = writer.open.pop() {
        writer.go_on(open);
        if writer.reply.len() - start > REPLY_BYTES_MAX {
            writer.reply.truncate(start);
            writer.error(b"ERR the reply of the script is too long");
            break;
        }
    }
    let errors = writer.errors;
    stack.cut(bottom);
    errors
}

/// A table that is being written.
struct Open {
    header: Deferred,
    length: usize,
    part: Part,
}

/// What comes next in a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Element,
    Key,
    /// The value of the key that was written; it lies on the top.
    Value,
    Member,
}

struct Writer<'w, 's, 'r> {
    stack: &'w mut Stack<'s>,
    reply: &'w mut Reply<'r>,
    protocol: Protocol,
    open: Vec<Open>,
    errors: Errors,
}

impl Writer<'_, '_, '_> {
    /// Writes the value on the top and pops it, or opens it when it is a table.
    fn value(&mut self) {
        if self.stack.reserve(SLOTS).is_err() {
            self.error(b"ERR reached lua stack limit");
            return self.stack.pop(1);
        }
        match self.stack.kind(-1) {
            Kind::String => self.reply.bulk(self.stack.bytes(-1).expect("a string")),
            Kind::Number => self.reply.integer(integer(self.stack.number(-1).expect("a number"))),
            Kind::Boolean => self.truth(self.stack.truth(-1)),
            Kind::Table => return self.table(),
            _ => self.reply.null(),
        }
        self.stack.pop(1);
    }

    fn truth(&mut self, value: bool) {
        match (self.protocol, value) {
            (Protocol::Resp3, value) => self.reply.truth(value),
            (Protocol::Resp2, true) => self.reply.integer(1),
            (Protocol::Resp2, false) => self.reply.null(),
        }
    }

    fn table(&mut self) {
        if self.failure() || self.status() || self.double() || self.big_number() || self.verbatim() {
            return self.stack.pop(1);
        }
        if self.field("map", Kind::Table) {
            let header = self.reply.deferred_map();
            self.stack.push_nil();
            return self.open.push(Open { header, length: 0, part: Part::Key });
        }
        if self.field("set", Kind::Table) {
            let header = self.reply.deferred_set();
            self.stack.push_nil();
            return self.open.push(Open { header, length: 0, part: Part::Member });
        }
        let header = self.reply.deferred_array();
        self.open.push(Open { header, length: 0, part: Part::Element });
    }

    /// Pushes a field of the table on the top, when it is of that kind.
    fn field(&mut self, name: &str, kind: Kind) -> bool {
        let is_there = self.stack.raw_get_field(-1, name) == kind;
        if !is_there {
            self.stack.pop(1);
        }
        is_there
    }

    fn failure(&mut self) -> bool {
        if !self.field("err", Kind::String) {
            return false;
        }
        let text = until_nul(self.stack.bytes(-1).expect("a string"));
        let end = text.iter().rposition(|byte| !is_line_end(*byte)).map_or(0, |last| last + 1);
        let line = one_line(&text[..end]);
        self.stack.pop(1);
        self.stack.raw_get_field(-1, "ignore_error_stats_update");
        let is_counted = self.stack.truth(-1);
        self.stack.pop(1);
        self.reply.error_bytes(&line);
        if is_counted {
            self.errors.counted += 1;
        } else {
            self.errors.new.push(line);
        }
        true
    }

    fn error(&mut self, line: &[u8]) {
        self.reply.error_bytes(line);
        self.errors.new.push(line.to_vec());
    }

    fn status(&mut self) -> bool {
        if !self.field("ok", Kind::String) {
            return false;
        }
        let line = one_line(until_nul(self.stack.bytes(-1).expect("a string")));
        self.stack.pop(1);
        for part in [&b"+"[..], &line, b"\r\n"] {
            self.reply.raw(part);
        }
        true
    }

    fn double(&mut self) -> bool {
        if !self.field("double", Kind::Number) {
            return false;
        }
        self.reply.double(self.stack.number(-1).expect("a number"));
        self.stack.pop(1);
        true
    }

    fn big_number(&mut self) -> bool {
        if !self.field("big_number", Kind::String) {
            return false;
        }
        let digits = one_line(self.stack.bytes(-1).expect("a string"));
        self.stack.pop(1);
        self.reply.big_number_bytes(&digits);
        true
    }

    fn verbatim(&mut self) -> bool {
        if !self.field("verbatim_string", Kind::Table) {
            return false;
        }
        let is_whole = self.field("string", Kind::String);
        if is_whole {
            self.stack.raw_get_field(-2, "format");
            if self.stack.kind(-1) == Kind::String {
                let mut format = [b' '; 3];
                let told = until_nul(self.stack.bytes(-1).expect("a string"));
                format.iter_mut().zip(told).for_each(|(byte, told)| *byte = *told);
                self.reply.verbatim_bytes(format, self.stack.bytes(-2).expect("a string"));
                self.stack.pop(3);
                return true;
            }
            self.stack.pop(2);
        }
        self.stack.pop(1);
        false
    }

    /// Writes the next part of a table.
    fn go_on(&mut self, mut open: Open) {
        let is_over = match open.part {
            Part::Element => self.stack.raw_get_index(-1, open.length as i32 + 1) == Kind::Nil,
            Part::Key | Part::Member => !self.stack.next(-2),
            Part::Value => false,
        };
        if is_over {
            // An array with the nil behind it; or the table, and in it the map or set, whose last key is gone.
            self.stack.pop(2);
            return self.reply.set_deferred(open.header, open.length);
        }
        let part = open.part;
        open.length += usize::from(part != Part::Value);
        open.part = match part {
            Part::Key => Part::Value,
            Part::Value => Part::Key,
            Part::Element | Part::Member => part,
        };
        self.open.push(open);
        match part {
            Part::Element | Part::Value => {}
            Part::Key => self.stack.push_copy(-2),
            Part::Member => {
                self.stack.pop(1);
                self.stack.push_copy(-1);
            }
        }
        self.value();
    }
}

/// As C's cast does it on x86: what does not fit, and what is no number, is the smallest integer.
fn integer(number: f64) -> i64 {
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&number) { number as i64 } else { i64::MIN }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// A line of the protocol cannot hold line ends.
fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if is_line_end(*byte) { b' ' } else { *byte }).collect()
}
