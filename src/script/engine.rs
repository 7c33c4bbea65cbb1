//! An interpreter with everything that scripts find in it.

use super::convert::write_reply;
use super::host::Host;
use super::library::{json, random};
use super::lua::{End, Failure, Garbage, Kind, Progress, Reference, Stack, State};
use super::redis;
use super::sandbox::{self, Environment, Library};
use crate::base::argv::Args;
use crate::resp::Reply;
use std::io;

const LIBRARIES: &[Library] = &[("redis", redis::push_library), ("cjson", json::push_library)];

pub struct Engine {
    state: State,
    environment: Environment,
    /// Turns the error of a script into a table that says where it happened.
    error_handler: Reference,
}

impl Engine {
    /// # Errors
    /// No memory.
    pub fn new() -> io::Result<Engine> {
        let mut state = State::new()?;
        let environment = sandbox::open(&mut state, LIBRARIES);
        state.stack().push_function(locate_error, 0);
        let error_handler = state.keep();
        Ok(Engine { state, environment, error_handler })
    }

    /// Bytes that the interpreter uses.
    pub fn memory_bytes(&self) -> usize {
        self.state.memory().used_bytes()
    }

    /// Bytes that the interpreter may use at most.
    pub fn limit_memory(&self, limit_bytes: usize) {
        self.state.memory().set_limit(limit_bytes);
    }

    /// Forgets a script.
    pub fn release(&mut self, script: Reference) {
        self.state.release(script);
    }

    /// Frees a part of what no script can reach any more; between two scripts only. Whether that was the last part.
    pub fn collect_part(&mut self) -> bool {
        self.state.collect_part()
    }

    /// Gives back what deep calls have touched of the stack.
    pub fn trim_stack(&mut self) {
        self.state.trim_stack();
    }

    /// The interpreter as something that another thread can free.
    pub fn into_garbage(self) -> Garbage {
        self.state.into_garbage()
    }

    /// Compiles a script.
    ///
    /// # Errors
    /// Lua's text, with name and line.
    pub fn compile(&mut self, name: &str, body: &[u8]) -> Result<Reference, Vec<u8>> {
        self.state.load(name, body)?;
        Ok(self.state.keep())
    }

    /// Runs a script with its keys and arguments, as far as it comes.
    pub fn start(
        &mut self,
        host: &mut dyn Host,
        script: &Reference,
        keys: Args<'_>,
        argv: Args<'_>,
    ) -> Progress {
        let mut stack = self.state.stack();
        for (name, values) in [("KEYS", keys), ("ARGV", argv)] {
            push_array(&mut stack, values);
            self.environment.set(&mut stack, name);
        }
        drop(stack);
        random::begin(&mut self.state);
        self.state.push_kept(&self.error_handler);
        self.state.push_kept(script);
        self.state.run(host, 0)
    }

    /// Goes on with a script that was suspended.
    pub fn resume(&mut self, host: &mut dyn Host) -> Progress {
        self.state.resume(host)
    }

    /// Writes what the script has returned.
    pub fn write_result(&mut self, reply: &mut Reply<'_>) {
        let mut stack = self.state.stack();
        write_reply(&mut stack, reply);
        stack.cut(0);
    }

    /// The error that the script has ended with.
    pub fn take_error(&mut self) -> ScriptError {
        let end = self.state.take_end();
        let mut stack = self.state.stack();
        let error = end.map_or_else(|| read_error(&mut stack), ScriptError::from);
        stack.cut(0);
        error
    }
}

/// Why a script failed, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptError {
    /// With its code in front.
    pub text: Vec<u8>,
    /// `@user_script`; empty when not known.
    pub source: Vec<u8>,
    pub line: Vec<u8>,
}

impl From<End> for ScriptError {
    fn from(end: End) -> ScriptError {
        let place = end.place.map(|place| (place.source, place.line.to_string().into_bytes()));
        let (source, line) = place.unwrap_or_default();
        ScriptError { text: end.why, source, line }
    }
}

fn read_error(stack: &mut Stack<'_>) -> ScriptError {
    if stack.kind(-1) != Kind::Table {
        let text = stack.bytes(-1).unwrap_or(b"unknown error");
        return ScriptError { text: [b"ERR ", text].concat(), ..ScriptError::default() };
    }
    let mut field = |name: &str| {
        stack.raw_get_field(-1, name);
        let text = match stack.number(-1) {
            Some(number) => number.to_string().into_bytes(),
            None => stack.bytes(-1).unwrap_or_default().to_vec(),
        };
        stack.pop(1);
        text
    };
    ScriptError { text: field("err"), source: field("source"), line: field("line") }
}

fn push_array(stack: &mut Stack<'_>, values: Args<'_>) {
    stack.push_table(values.len(), 0);
    for (index, value) in values.iter().enumerate() {
        stack.push_bytes(value);
        stack.raw_set_index(-2, index as i32 + 1);
    }
}

/// Gets the error of a script while the frame that raised it is still there.
fn locate_error(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.kind(1) == Kind::Table {
        stack.push_copy(1);
    } else {
        let text = [b"ERR ", stack.bytes(1).unwrap_or(b"unknown error")].concat();
        stack.push_table(0, 3);
        stack.push_bytes(&text);
        stack.raw_set_field(-2, "err");
    }
    let raised = stack.place(1).filter(|place| place.what != b"C").or_else(|| stack.place(2));
    if let Some(place) = raised {
        stack.push_bytes(&place.source);
        stack.raw_set_field(-2, "source");
        stack.push_bytes(place.line.to_string().as_bytes());
        stack.raw_set_field(-2, "line");
    }
    Ok(1)
}
