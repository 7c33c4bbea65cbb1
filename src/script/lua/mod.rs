//! Lua 5.1 behind a face that the rest of the program can rely on: everything unsafe about it is here.
//!
//! ```text
//!   state     an interpreter; runs scripts on a stack of their own, suspends and resumes them
//!   stack     values, as functions of ours see them
//!   function  how a Rust function becomes one that scripts call, and how it fails
//!   guard     tables that scripts can only read; Lua's own functions made safe
//!   bytes     a search
//!   memory    what an interpreter uses, and may use
//! ```
//! The rest of the room writes libraries as `fn(&mut Stack) -> Result<results, Failure>`.
mod bytes;
mod function;
mod guard;
mod memory;
mod stack;
mod state;

pub use bytes::find_bytes;
pub use function::{Failure, Function};
pub use guard::Guard;
pub use stack::{Kind, Place, Stack, View, integer_of, unsigned_of};
pub use state::{End, Garbage, Machine, Progress, Reference, Scratch, Session, State, set_global};

/// Pseudo-index of the table of globals of the running thread.
pub const GLOBALS: i32 = mlua_sys::lua51::LUA_GLOBALSINDEX;
/// Pseudo-index of a table that no script sees.
pub const REGISTRY: i32 = mlua_sys::lua51::LUA_REGISTRYINDEX;

#[cfg(test)]
mod tests;
