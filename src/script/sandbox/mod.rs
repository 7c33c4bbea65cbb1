//! What scripts find around them: Lua's libraries without what Redis takes away, ours beside them, nothing of it
//! changeable.
//!
//! ```text
//!   table of globals, `_G` (shown, empty) ──▶ real globals ── metatable ── __index ─▶ raises: nonexistent global
//!                                               ├── tostring, pairs, ...       as they are, or guarded
//!                                               ├── string, table, redis, ...  shown (empty) ──▶ real library
//!                                               └── KEYS, ARGV                 of each script
//! ```
//! A global is one lookup in an empty table and one in the real one. `lua::guard` says what `shown` is, and why nothing
//! real gets into the hands of a script.
//!
//! A scope puts another table in the place of the real globals for a while: what a library of functions sees while it
//! is loaded is its scope, what its functions see when they run is the rest.
#[cfg(test)]
mod hostile;
#[cfg(test)]
pub(super) mod tests;

use super::library::{chunks, patterns, plain, random};
use super::lua::{Failure, Function, GLOBALS, Guard, Kind, REGISTRY, Reference, Stack, State};
use super::redis::protected_call;

/// A name and what pushes its table.
pub type Library = (&'static str, fn(&mut Stack<'_>));

/// The globals of an interpreter.
pub struct Environment {
    real: Reference,
    /// Of the table that scripts have.
    metatable: Reference,
}

const BASE: &[&str] = &[
    "_G",
    "_VERSION",
    "assert",
    "collectgarbage",
    "coroutine",
    "error",
    "gcinfo",
    "getmetatable",
    "ipairs",
    "load",
    "loadstring",
    "math",
    "next",
    "os",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setmetatable",
    "string",
    "table",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
];
/// Libraries of Lua's own; all fields of them but of `os`.
const LIBRARIES: &[&str] = &["coroutine", "math", "os", "string", "table"];

const BASE_GUARDS: &[(&str, Guard)] = &[
    ("collectgarbage", Guard::Collects),
    ("getmetatable", Guard::Looks),
    ("next", Guard::Looks),
    ("rawget", Guard::Looks),
    ("rawset", Guard::Sets),
    ("setmetatable", Guard::Changes),
    ("unpack", Guard::Unpacks),
];
const LIBRARY_GUARDS: &[(&str, &str, Guard)] = &[
    ("coroutine", "resume", Guard::Resumes),
    ("coroutine", "wrap", Guard::Wraps),
    ("table", "foreach", Guard::Looks),
    ("table", "insert", Guard::Inserts),
    ("table", "remove", Guard::Removes),
    ("table", "sort", Guard::Sorts),
];
/// In the place of Lua's own.
const BASE_FUNCTIONS: &[(&str, Function)] =
    &[("load", chunks::load), ("loadstring", chunks::loadstring), ("pcall", protected_call)];
const LIBRARY_FUNCTIONS: &[(&str, &str, Function)] = &[
    ("math", "random", random::random),
    ("math", "randomseed", random::randomseed),
    ("string", "find", patterns::find),
    ("string", "gfind", patterns::gmatch),
    ("string", "gmatch", patterns::gmatch),
    ("string", "gsub", patterns::gsub),
    ("string", "match", patterns::match_),
    ("string", "rep", plain::rep),
    ("table", "foreachi", plain::foreachi),
];

/// Prepares a new interpreter. Libraries are given what they are called and what pushes their tables.
pub fn open(state: &mut State, libraries: &[Library]) -> Environment {
    state.open_libraries();
    random::begin(state);
    let mut stack = state.stack();
    restrict(&mut stack, GLOBALS, BASE);
    // It knows the libraries under their names, too.
    stack.push_nil();
    stack.raw_set_field(REGISTRY, "_LOADED");
    for (name, function) in BASE_FUNCTIONS {
        stack.push_function(*function, 0);
        stack.raw_set_field(GLOBALS, name);
    }
    for (name, guard) in BASE_GUARDS {
        stack.guard(GLOBALS, name, *guard);
    }
    // `pairs` gives out the guarded one.
    stack.raw_get_field(GLOBALS, "pairs");
    stack.raw_get_field(GLOBALS, "next");
    stack.set_upvalue();
    stack.pop(1);
    for name in LIBRARIES {
        open_own(&mut stack, name);
    }
    for (name, push) in libraries {
        push(&mut stack);
        stack.protect();
        stack.raw_set_field(GLOBALS, name);
    }
    protect_strings(&mut stack);
    show_globals(&mut stack);
    drop(stack);
    let metatable = state.keep();
    let real = state.keep();
    Environment { real, metatable }
}

/// Takes away what is not listed.
fn restrict(stack: &mut Stack<'_>, table: i32, allowed: &[&str]) {
    stack.push_nil();
    while stack.next(table) {
        stack.pop(1);
        let stays = stack.bytes(-1).is_some_and(|name| allowed.iter().any(|other| other.as_bytes() == name));
        if !stays {
            stack.push_copy(-1);
            stack.push_nil();
            // A key of the table is one.
            let _ = stack.raw_set(table);
        }
    }
}

/// Makes a library of Lua's own safe.
fn open_own(stack: &mut Stack<'_>, library: &str) {
    stack.raw_get_field(GLOBALS, library);
    let table = stack.len();
    if library == "os" {
        restrict(stack, table, &["clock"]);
    }
    for (_, name, guard) in LIBRARY_GUARDS.iter().filter(|entry| entry.0 == library) {
        stack.guard(table, name, *guard);
    }
    for (_, name, function) in LIBRARY_FUNCTIONS.iter().filter(|entry| entry.0 == library) {
        stack.push_function(*function, 0);
        stack.raw_set_field(table, name);
    }
    stack.protect();
    stack.raw_set_field(GLOBALS, library);
}

/// Methods of strings are found in the real library; scripts see a metatable with the shown one.
fn protect_strings(stack: &mut Stack<'_>) {
    stack.push_bytes(b"");
    stack.push_metatable(-1);
    stack.push_table(0, 1);
    stack.raw_get_field(GLOBALS, "string");
    stack.raw_set_field(-2, "__index");
    stack.protect();
    stack.raw_set_field(-2, "__metatable");
    stack.pop(2);
}

/// Puts a shown table in the place of the globals. Leaves the real one and the metatable of the shown one.
fn show_globals(stack: &mut Stack<'_>) {
    stack.push_copy(GLOBALS);
    raise_for_missing(stack);
    stack.push_copy(-1);
    stack.protect();
    stack.push_copy(-1);
    stack.raw_set_field(-3, "_G");
    stack.push_metatable(-1);
    stack.insert(-2);
    stack.set_globals();
}

/// Gives the table on the top a metatable that raises an error for what it lacks.
fn raise_for_missing(stack: &mut Stack<'_>) {
    let metatable = |stack: &mut Stack<'_>| {
        stack.push_table(0, 2);
        stack.push_function(missing, 0);
        stack.raw_set_field(-2, "__index");
    };
    metatable(stack);
    metatable(stack);
    stack.protect();
    stack.raw_set_field(-2, "__metatable");
    stack.set_metatable(-2);
}

fn missing(stack: &mut Stack<'_>) -> Result<i32, Failure> {
    if stack.arguments() != 2 {
        return Err(Failure::here("Wrong number of arguments to luaProtectedTableError"));
    }
    if !matches!(stack.kind(2), Kind::String | Kind::Number) {
        return Err(Failure::here("Second argument to luaProtectedTableError must be a string or number"));
    }
    let name = stack.check_bytes(2)?;
    Err(Failure::Here([b"Script attempted to access nonexistent global variable '", name, b"'"].concat()))
}

impl Environment {
    /// Pops a value and makes it a global.
    #[inline]
    pub fn set(&self, stack: &mut Stack<'_>, name: &str) {
        stack.push_kept(&self.real);
        stack.insert(-2);
        stack.raw_set_field(-2, name);
        stack.pop(1);
    }

    /// Globals that are nothing but these tables. What the tables lack is an error, too.
    pub fn scope(&self, state: &mut State, libraries: &[Library]) -> Reference {
        let mut stack = state.stack();
        stack.push_table(0, libraries.len());
        for (name, push) in libraries {
            push(&mut stack);
            raise_for_missing(&mut stack);
            stack.protect();
            stack.raw_set_field(-2, name);
        }
        raise_for_missing(&mut stack);
        drop(stack);
        state.keep()
    }

    /// Whatever runs sees only the scope, until `leave`.
    pub fn enter(&self, stack: &mut Stack<'_>, scope: &Reference) {
        stack.push_kept(&self.metatable);
        stack.push_kept(scope);
        stack.raw_set_field(-2, "__index");
        stack.pop(1);
    }

    pub fn leave(&self, stack: &mut Stack<'_>) {
        self.enter(stack, &self.real);
    }
}
