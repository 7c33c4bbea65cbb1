//! Runs the code of a library once, for the functions that it registers.

use super::Function;
use super::register::Registered;
use crate::base::argv::Args;
use crate::base::clock::Clock;
use crate::resp::{Protocol, Reply};
use crate::script::engine::Engine;
use crate::script::host::{Host, Tick};
use crate::spec::CommandError;

/// So much memory a library may take while it is loaded, whatever the interpreter's own limit: it is to register
/// functions.
const LOAD_MEMORY_BYTES_MAX: usize = 256 << 20;

/// More than that a library that failed does not leave for later.
const LEFT_BYTES_MAX: usize = 8 << 20;

/// How long a library may take.
pub struct Patience {
    pub clock: Clock,
    pub timeout_ms: u64,
}

impl Patience {
    /// For a library that a client sends, while others wait.
    pub fn with_client(clock: &Clock) -> Patience {
        Patience { clock: clock.clone(), timeout_ms: 500 }
    }

    /// For one that has been loaded before and is read from a file, perhaps by a machine with other work to do.
    pub fn with_file(clock: &Clock) -> Patience {
        Patience { clock: clock.clone(), timeout_ms: 10_000 }
    }
}

/// The functions of a library whose code is `lua`.
///
/// # Errors
/// As FUNCTION LOAD tells it.
pub(super) fn functions_of(
    engine: &mut Engine,
    lua: &[u8],
    patience: &Patience,
) -> Result<Vec<Function>, CommandError> {
    let until_ns = patience.clock.mono_ns().saturating_add(patience.timeout_ms * 1_000_000);
    let mut watch = Watch { clock: &patience.clock, until_ns };
    let chunk = engine
        .compile("@user_function", lua)
        .map_err(|text| failed("ERR Error compiling function: ", &text))?;
    let (limit_bytes, before_bytes) = (engine.memory_limit_bytes(), engine.memory_bytes());
    engine.limit_memory(limit_bytes.min(before_bytes.saturating_add(LOAD_MEMORY_BYTES_MAX)));
    let registered = engine.register(&mut watch, &chunk);
    engine.limit_memory(limit_bytes);
    engine.release(chunk);
    if registered.is_err() && engine.memory_bytes() > before_bytes.saturating_add(LEFT_BYTES_MAX) {
        engine.collect();
    }
    let registered = registered.map_err(|error| failed("ERR Error registering functions: ", &error.text))?;
    if registered.is_empty() {
        return Err(CommandError::LibraryWithoutFunctions);
    }
    let function = |Registered { name, callback, flags, description }: Registered| Function {
        name: name.into(),
        callback,
        flags,
        description: description.map(Vec::into_boxed_slice),
    };
    Ok(registered.into_iter().map(function).collect())
}

/// A line cannot hold line ends.
fn failed(what: &str, why: &[u8]) -> CommandError {
    let mut line = [what.as_bytes(), why].concat();
    line.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
    CommandError::Quoting(line.into())
}

/// Nothing is there for a library but the time that it may take.
struct Watch<'c> {
    clock: &'c Clock,
    until_ns: u64,
}

impl Host for Watch<'_> {
    fn tick(&mut self) -> Tick {
        if self.clock.mono_ns() <= self.until_ns {
            Tick::GoOn
        } else {
            Tick::End(b"ERR FUNCTION LOAD timeout".to_vec())
        }
    }

    fn command(&mut self, _args: Args<'_>, reply: &mut Vec<u8>) {
        Reply::new(reply, Protocol::Resp2).error("ERR a library that is loaded runs no commands");
    }

    fn set_protocol(&mut self, _protocol: Protocol) {}
}
