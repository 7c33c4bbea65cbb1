//! The memory of one interpreter: counted, and limited.
//!
//! A script that asks for more than the limit gets Lua's error "not enough memory", which unwinds through Lua's own
//! frames. While a function of ours runs nothing is refused (`lenient`): such an error would jump over Rust frames and
//! leave out what they have to tidy up. What it took beyond the limit is told when it returns.

use super::stack::machine;
use mlua_sys::lua51::{self as ffi, lua_State};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;

/// What Lua's own structures need: a double or a pointer.
const ALIGNMENT: usize = 8;

/// The account of one interpreter, in bytes.
#[derive(Default)]
pub struct Memory {
    used: Cell<usize>,
    limit: Cell<usize>,
    /// How many functions of ours are running.
    lenient: Cell<u32>,
    /// Lua code gets nothing more, whatever the limit.
    closed: Cell<bool>,
}

impl Memory {
    pub fn used_bytes(&self) -> usize {
        self.used.get()
    }

    pub fn limit_bytes(&self) -> usize {
        self.limit.get()
    }

    /// `usize::MAX`: no limit.
    pub fn set_limit(&self, limit_bytes: usize) {
        self.limit.set(limit_bytes);
    }

    /// From now on Lua code gets no memory at all.
    pub fn close(&self) {
        self.closed.set(true);
    }

    pub fn open(&self) {
        self.closed.set(false);
    }

    pub fn is_exceeded(&self) -> bool {
        self.used.get() > self.limit.get()
    }

    /// Whether a script may have so many bytes more: for what a function of ours makes outside of the interpreter.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.used.get().saturating_add(bytes) <= self.limit.get()
    }

    /// What may still be taken.
    pub fn left_bytes(&self) -> usize {
        self.limit.get().saturating_sub(self.used.get())
    }

    #[inline]
    pub fn begin_lenient(&self) {
        self.lenient.set(self.lenient.get() + 1);
    }

    #[inline]
    pub fn end_lenient(&self) {
        self.lenient.set(self.lenient.get() - 1);
    }

    /// While Lua code is called from a function of ours, it is held to the limit again; returns what to give to
    /// `end_strict`.
    pub fn begin_strict(&self) -> u32 {
        self.lenient.replace(0)
    }

    pub fn end_strict(&self, lenient: u32) {
        self.lenient.set(lenient);
    }
}

/// A new state whose memory is accounted to the `Memory` of `machine`; null when there is no memory.
///
/// # Safety
/// `machine` must outlive the state.
pub unsafe fn new_state(machine: *const super::state::Machine) -> *mut lua_State {
    // SAFETY: `allocate` keeps the contract of `lua_Alloc`; what it gets as its first argument is the machine.
    unsafe { ffi::lua_newstate(allocate, machine.cast_mut().cast()) }
}

/// Keeps the contract of `lua_Alloc`: frees when `new_bytes` is 0, else gives a block of that size that begins with
/// what the old one held, or null and leaves the old one.
unsafe extern "C" fn allocate(
    data: *mut c_void,
    block: *mut c_void,
    old_bytes: usize,
    new_bytes: usize,
) -> *mut c_void {
    // SAFETY: `new_state` has given the machine, which outlives the state.
    let memory = unsafe { &machine(data).memory };
    // Lua names a size only for a block that is there.
    let old_bytes = if block.is_null() { 0 } else { old_bytes };
    let after = memory.used.get() - old_bytes + new_bytes;
    let is_too_much = after > memory.limit.get() || memory.closed.get();
    if new_bytes > old_bytes && is_too_much && memory.lenient.get() == 0 {
        return null_mut();
    }
    let layout = |bytes| Layout::from_size_align(bytes, ALIGNMENT);
    let (Ok(old), Ok(new)) = (layout(old_bytes), layout(new_bytes)) else { return null_mut() };
    // SAFETY: a block that is there was made here, with the size that Lua gives back; sizes of 0 are told apart.
    let moved = unsafe {
        match (old_bytes, new_bytes) {
            (0, 0) => null_mut(),
            (0, _) => alloc(new),
            (_, 0) => {
                dealloc(block.cast(), old);
                null_mut()
            }
            (_, _) => realloc(block.cast(), old, new_bytes),
        }
    };
    if moved.is_null() && new_bytes > 0 {
        if memory.lenient.get() > 0 {
            handle_alloc_error(new);
        }
        return null_mut();
    }
    memory.used.set(after);
    moved.cast()
}
