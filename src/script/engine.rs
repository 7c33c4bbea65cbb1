//! An interpreter with everything that scripts find in it.

use super::convert::{Errors, write_reply};
use super::functions::{self, Registered, register};
use super::host::Host;
use super::library::{bits, json, msgpack, random, structs};
use super::lua::{End, Failure, Garbage, Kind, Progress, Reference, Stack, State};
use super::redis;
use super::sandbox::{self, Environment, Library};
use crate::base::argv::Args;
use crate::base::number::format_f64;
use crate::resp::{Protocol, Reply};
use crate::spec::error::until_nul;
use std::io;

/// `redis` is `of_whom`'s.
const fn libraries(of_whom: fn(&mut Stack<'_>)) -> [Library; 5] {
    [
        ("redis", of_whom),
        ("cjson", json::push_library),
        ("cmsgpack", msgpack::push_library),
        ("struct", structs::push_library),
        ("bit", bits::push_library),
    ]
}

const UNKNOWN_ERROR: &[u8] = b"unknown error";

pub struct Engine {
    state: State,
    environment: Environment,
    /// Turns the error of a script into a table that says where it happened.
    error_handler: Reference,
    /// What a library sees while it is loaded; made for the first one.
    scope: Option<Reference>,
    /// Bytes that were in use, and needed, when room was made last.
    needed_bytes: usize,
}

impl Engine {
    /// For scripts.
    ///
    /// # Errors
    /// No memory.
    pub fn new() -> io::Result<Engine> {
        Engine::with(&libraries(redis::push_library))
    }

    fn with(libraries: &[Library]) -> io::Result<Engine> {
        let mut state = State::new()?;
        let environment = sandbox::open(&mut state, libraries);
        state.stack().push_function(locate_error, 0);
        let error_handler = state.keep();
        // What others have taken the place of.
        state.collect();
        Ok(Engine { state, environment, error_handler, scope: None, needed_bytes: 0 })
    }

    /// For functions of libraries.
    ///
    /// # Errors
    /// As `new`.
    pub fn for_functions() -> io::Result<Engine> {
        Engine::with(&libraries(redis::push_function_library))
    }

    /// Bytes that the interpreter uses.
    pub fn memory_bytes(&self) -> usize {
        self.state.memory().used_bytes()
    }

    pub fn memory_limit_bytes(&self) -> usize {
        self.state.memory().limit_bytes()
    }

    /// Bytes that the interpreter may use at most.
    pub fn limit_memory(&self, limit_bytes: usize) {
        self.state.memory().set_limit(limit_bytes);
    }

    /// Forgets a script.
    pub fn release(&mut self, script: Reference) {
        self.state.release(script);
    }

    /// Frees what no script can reach any more; between two scripts only.
    pub fn collect(&mut self) {
        self.state.collect();
    }

    /// Frees a part of what no script can reach any more; between two scripts only. Whether that was the last part.
    pub fn collect_part(&mut self) -> bool {
        self.state.collect_part()
    }

    /// Gives back what large replies and deep calls have left.
    pub fn trim(&mut self) {
        self.state.trim();
    }

    /// Before a script: when others have left half of what it may take, that goes, or it would be refused memory that
    /// nobody uses.
    pub fn make_room(&mut self) {
        let memory = self.state.memory();
        if !memory.has_room(memory.used_bytes().saturating_sub(self.needed_bytes)) {
            self.needed_bytes = self.state.collect();
        }
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
        self.make_room();
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

    /// Runs a function of a library, as `start`: its keys and arguments are its parameters.
    pub fn start_function(
        &mut self,
        host: &mut dyn Host,
        function: &Reference,
        keys: Args<'_>,
        argv: Args<'_>,
    ) -> Progress {
        self.make_room();
        let mut stack = self.state.stack();
        stack.push_kept(&self.error_handler);
        stack.push_kept(function);
        push_array(&mut stack, keys);
        push_array(&mut stack, argv);
        drop(stack);
        self.state.run(host, 2)
    }

    /// Runs the chunk of a library, for the functions that it registers.
    ///
    /// # Errors
    /// It fails. Nothing of it stays.
    pub fn register(
        &mut self,
        host: &mut dyn Host,
        chunk: &Reference,
    ) -> Result<Vec<Registered>, ScriptError> {
        let scope = self.scope.get_or_insert_with(|| {
            self.environment.scope(&mut self.state, &[("redis", functions::push_library)])
        });
        register::begin(&mut self.state);
        let mut stack = self.state.stack();
        self.environment.enter(&mut stack, scope);
        stack.push_kept(&self.error_handler);
        stack.push_kept(chunk);
        drop(stack);
        let progress = self.state.run(host, 0);
        let mut stack = self.state.stack();
        self.environment.leave(&mut stack);
        drop(stack);
        let registered = match progress {
            Progress::Returned => {
                self.state.stack().cut(0);
                Ok(register::registered(&mut self.state))
            }
            Progress::Failed => Err(self.take_error()),
            Progress::Paused => unreachable!("its host does not pause it"),
        };
        register::end(&mut self.state);
        registered
    }

    /// Goes on with a script that was suspended.
    pub fn resume(&mut self, host: &mut dyn Host) -> Progress {
        self.state.resume(host)
    }

    /// Writes what the script has returned. `protocol`: the one that it has set for itself.
    pub fn write_result(&mut self, reply: &mut Reply<'_>, protocol: Protocol) -> Errors {
        let mut stack = self.state.stack();
        let errors = write_reply(&mut stack, reply, protocol);
        stack.cut(0);
        errors
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
    pub counted: Counted,
}

impl From<End> for ScriptError {
    fn from(end: End) -> ScriptError {
        let place = end.place.map(|place| (place.source, place.line.to_string().into_bytes()));
        let (source, line) = place.unwrap_or_default();
        ScriptError { text: end.why, source, line, counted: Counted::NotYet }
    }
}

/// Whether the statistics know of an error: it was counted when the command failed that the script has called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counted {
    #[default]
    NotYet,
    Already,
}

/// As `locate_error` has left it; a text when there was no memory or no room for that.
fn read_error(stack: &mut Stack<'_>) -> ScriptError {
    if stack.kind(-1) != Kind::Table {
        let text = stack.bytes(-1).unwrap_or(UNKNOWN_ERROR);
        return ScriptError { text: [b"ERR ", until_nul(text)].concat(), ..ScriptError::default() };
    }
    let mut field = |name: &str| {
        stack.raw_get_field(-1, name);
        let text = match stack.number(-1) {
            Some(number) => Some(format_f64(number).to_vec()),
            None => stack.bytes(-1).map(|text| until_nul(text).to_vec()),
        };
        stack.pop(1);
        text
    };
    let text = field("err").unwrap_or_else(|| [b"ERR ", UNKNOWN_ERROR].concat());
    let (source, line) = (field("source").unwrap_or_default(), field("line").unwrap_or_default());
    stack.raw_get_field(-1, "ignore_error_stats_update");
    let counted = if stack.truth(-1) { Counted::Already } else { Counted::NotYet };
    stack.pop(1);
    ScriptError { text, source, line, counted }
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
        let text = [b"ERR ", &error_text(stack)[..]].concat();
        stack.push_table(0, 3);
        stack.push_bytes(&text);
        stack.raw_set_field(-2, "err");
    }
    if let Some(place) = stack.raised_place() {
        stack.push_bytes(&place.source);
        stack.raw_set_field(-2, "source");
        stack.push_bytes(place.line.to_string().as_bytes());
        stack.raw_set_field(-2, "line");
    }
    Ok(1)
}

/// As `tostring` would have it.
fn error_text(stack: &mut Stack<'_>) -> Vec<u8> {
    match stack.kind(1) {
        Kind::String | Kind::Number => stack.check_bytes(1).map(<[u8]>::to_vec).unwrap_or_default(),
        Kind::Nil | Kind::None => b"nil".to_vec(),
        Kind::Boolean => stack.truth(1).to_string().into_bytes(),
        kind => format!("{}: {:#x}", kind.name(), stack.identity(1)).into_bytes(),
    }
}
