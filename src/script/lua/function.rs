//! Functions of ours that scripts call.
//!
//! ```text
//!   Lua ──▶ trampoline (C) ──▶ fn(&mut Stack) -> Result<results, Failure>
//!                  ◀── results, or the failure raised as a Lua error once everything of ours is tidied up
//! ```
//! A Lua error is a `longjmp`. Only the trampoline raises one, from a frame that owns nothing.

use super::stack::Stack;
use mlua_sys::lua51::{self as ffi, lua_State};
use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns how many of the topmost values are its results.
pub type Function = fn(&mut Stack<'_>) -> Result<i32, Failure>;

/// Why a function of ours fails; the script can catch it by `pcall`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A text, with the place of the caller in front of it (`user_script:1: `).
    Here(Vec<u8>),
    /// A text as it stands.
    Plain(Vec<u8>),
    /// The value on the top of the stack.
    Top,
    /// The same, and a function that ours has called has raised it: it passes through.
    Called,
    /// An argument (the first is 1) is wrong, and why.
    Argument(i32, Vec<u8>),
}

impl Failure {
    pub fn here(text: impl Into<String>) -> Failure {
        Failure::Here(text.into().into_bytes())
    }

    pub fn argument(argument: i32, why: impl Into<String>) -> Failure {
        Failure::Argument(argument, why.into().into_bytes())
    }
}

pub(super) const NOT_ENOUGH_MEMORY: &[u8] = b"not enough memory";

/// # Safety
/// The state must be live and have `upvalues` values on its top.
pub unsafe fn push_function(state: *mut lua_State, function: Function, upvalues: c_int) {
    // SAFETY: the caller's promise. The function's address is the first upvalue.
    unsafe {
        ffi::lua_pushlightuserdata(state, function as *mut c_void);
        ffi::lua_insert(state, -1 - upvalues);
        ffi::lua_pushcclosure(state, trampoline, upvalues + 1);
    }
}

pub(super) unsafe extern "C-unwind" fn trampoline(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls it with a live state, as the function that `push_function` has made. `run` has tidied up when
    // an error is raised here.
    unsafe {
        let function: Function = std::mem::transmute(ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)));
        match run(state, function) {
            Outcome::Results(count) => count,
            Outcome::Raise => {
                ffi::lua_error(state);
            }
            Outcome::RaiseHere => {
                ffi::luaL_where(state, 1);
                ffi::lua_insert(state, -2);
                ffi::lua_concat(state, 2);
                ffi::lua_error(state);
            }
            Outcome::RaiseArgument(argument) => {
                ffi::luaL_argerror(state, argument, ffi::lua_tostring(state, -1));
                0
            }
        }
    }
}

/// What the trampoline does; owns nothing.
#[derive(Clone, Copy)]
enum Outcome {
    Results(c_int),
    /// The error is on the top.
    Raise,
    RaiseHere,
    RaiseArgument(c_int),
}

/// # Safety
/// As for the trampoline.
#[inline]
unsafe fn run(state: *mut lua_State, function: Function) -> Outcome {
    // SAFETY: the state is live while the function runs, and memory is lenient.
    let mut stack = unsafe { Stack::new(state) };
    let memory = &stack.machine().memory;
    memory.begin_lenient();
    // A panic would unwind through C code.
    let called = catch_unwind(AssertUnwindSafe(|| function(&mut stack)));
    let Ok(result) = called else { std::process::abort() };
    let outcome = match result {
        Ok(count) if !memory.is_exceeded() => Outcome::Results(count),
        Ok(_) => raise(&mut stack, NOT_ENOUGH_MEMORY, Outcome::Raise),
        Err(failure) => prepare(&mut stack, failure),
    };
    memory.end_lenient();
    outcome
}

#[cold]
fn prepare(stack: &mut Stack<'_>, failure: Failure) -> Outcome {
    if failure == Failure::Called {
        return Outcome::Raise;
    }
    // What a script has caught is no error under way.
    stack.machine().passing.take();
    match failure {
        Failure::Top | Failure::Called => Outcome::Raise,
        Failure::Plain(text) => raise(stack, &text, Outcome::Raise),
        Failure::Here(text) => raise(stack, &text, Outcome::RaiseHere),
        Failure::Argument(argument, text) => raise(stack, &text, Outcome::RaiseArgument(argument)),
    }
}

/// Puts a text in the place of everything on the stack, which may be full.
#[cold]
fn raise(stack: &mut Stack<'_>, text: &[u8], outcome: Outcome) -> Outcome {
    stack.release_arguments();
    stack.cut(0);
    stack.push_bytes(text);
    outcome
}
