//! Tables that scripts can read and not change, and Lua's own functions made safe to leave to them.
//!
//! Lua 5.1 has no read-only tables, so a script never gets the real one: it gets an empty table in its place.
//! ```text
//!   shown (empty) ── metatable ── __index ───▶ real table (may have a metatable of its own, for what it lacks)
//!                             ├── __newindex ─▶ raises
//!                             └── MARK ──────▶ real table
//! ```
//! Lua's functions that write without metamethods refuse a shown table; those that read without metamethods look at the
//! real one (`Guard`). Everything else may see that the shown one is empty, and gets hold of nothing.
//!
//! Invariants
//! 1. A real table, and the metatable with the MARK, never come into a script's hands.
//! 2. The C functions here own nothing: a Lua error may jump over them at any call.

use super::function::Failure;
use super::stack::{Stack, machine};
use super::state::must_end;
use crate::spec::error::until_nul;
use mlua_sys::lua51::{self as ffi, lua_State};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

pub const READ_ONLY: &str = "Attempt to modify a readonly table";

/// Its address is the key of the real table in the metatable of a shown one: no script can make such a key.
static MARK: u8 = 0;

/// How a C function of Lua's own is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It gets the real table as its first argument.
    Looks,
    /// It fails when its first argument is a shown table, if it would have worked on another.
    Changes,
    /// `rawset`: as `Changes`, and the key does not matter.
    Sets,
    /// `table.insert`: as `Changes`; not more elements are moved than a fraction of a second takes.
    Inserts,
    /// `table.remove`: the same, but where there is nothing it changes nothing.
    Removes,
    /// `table.sort`: what it compares by itself, or by a C function, counts as steps of the script.
    Sorts,
    /// `collectgarbage`: what would last beyond the script is ignored; the rest takes long.
    Collects,
    /// `coroutine.resume`: there must be room on the C stack, and instructions are counted for each coroutine anew.
    Resumes,
    /// `coroutine.wrap`: the same whenever its result is called.
    Wraps,
    /// `unpack`: it counts results by C's `int`, which must not overflow.
    Unpacks,
}

/// An insertion or a removal moves at most so many elements: a table can pretend to have billions.
const MOVES_MAX: i64 = 1 << 24;
/// `table.sort` itself is quick enough below.
const SORT_COUNTS_FROM: usize = 1 << 14;
const COMPARISONS_PER_TICK: u32 = 1 << 14;
/// Each may have run as many instructions as fit between two ticks.
const RESUMES_PER_TICK: u32 = 16;
/// What is left for a coroutine: 200 nested C calls, which is Lua's limit for each of them.
const COROUTINE_BYTES: usize = 2 << 20;
/// What is left for Lua code called from a function of ours.
const CALL_BYTES: usize = 512 << 10;

impl Stack<'_> {
    /// Replaces the table on the top by one that shows it and cannot be changed.
    pub fn protect(&mut self) {
        let real = self.len();
        self.push_table(0, 0);
        self.push_table(0, 4);
        self.push_light((&raw const MARK).addr());
        self.push_copy(real);
        // The key is neither nil nor NaN.
        let _ = self.raw_set(-3);
        self.push_copy(real);
        self.raw_set_field(-2, "__index");
        self.push_function(refuse_assignment, 0);
        self.raw_set_field(-2, "__newindex");
        self.set_metatable(-2);
        self.replace(real);
    }

    /// Puts a guard before Lua's own function that a table has under this name.
    pub fn guard(&mut self, table: i32, name: &str, guard: Guard) {
        let table = self.absolute(table);
        self.raw_get_field(table, name);
        // SAFETY: the state is live. Upvalue 1 of the guard is what it calls, which has no upvalues of its own.
        unsafe {
            let original = ffi::lua_tocfunction(self.raw(), -1).expect("a function of Lua's own");
            let before = match guard {
                Guard::Looks => look,
                Guard::Changes => refuse,
                Guard::Sets => set,
                Guard::Inserts => insert,
                Guard::Removes => remove,
                Guard::Sorts => sort,
                Guard::Collects => collect,
                Guard::Resumes => resume,
                Guard::Wraps => wrap,
                Guard::Unpacks => unpack,
            };
            ffi::lua_pushlightuserdata(self.raw(), original as *mut c_void);
            ffi::lua_pushcclosure(self.raw(), before, 1);
        }
        self.raw_set_field(table, name);
        self.pop(1);
    }

    /// Pops a function; the C function of Lua's own below it has it in the place of the one that it was made with.
    pub fn set_upvalue(&mut self) {
        // SAFETY: the state is live. Functions of ours have no function as their first upvalue, so they are left alone.
        unsafe {
            let is_there = !ffi::lua_getupvalue(self.raw(), -2, 1).is_null();
            assert!(is_there && ffi::lua_isfunction(self.raw(), -1) != 0, "a function that has one");
            self.pop(1);
            ffi::lua_setupvalue(self.raw(), -2, 1);
        }
    }

    /// Replaces the table of globals by the one on the top, which is popped.
    pub fn set_globals(&mut self) {
        assert!(self.kind(-1) == super::Kind::Table, "a table");
        // SAFETY: it is a table.
        unsafe { ffi::lua_replace(self.raw(), ffi::LUA_GLOBALSINDEX) }
    }

    /// # Errors
    /// There is not enough of the C stack left to call Lua code.
    #[inline]
    pub(super) fn check_room(&self) -> Result<(), Failure> {
        if has_room(self.machine().floor.get(), CALL_BYTES) {
            Ok(())
        } else {
            Err(Failure::Here(b"C stack overflow".to_vec()))
        }
    }
}

fn refuse_assignment(_stack: &mut Stack<'_>) -> Result<i32, Failure> {
    Err(Failure::here(READ_ONLY))
}

#[inline]
fn has_room(floor: usize, bytes: usize) -> bool {
    let here = 0_u8;
    (&raw const here).addr() > floor + bytes
}

/// Pushes the real table when the first argument is a shown one.
///
/// # Safety
/// The state must be live, with room for two values.
#[inline]
unsafe fn push_real(state: *mut lua_State) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        if ffi::lua_getmetatable(state, 1) == 0 {
            return false;
        }
        ffi::lua_pushlightuserdata(state, (&raw const MARK).cast_mut().cast());
        ffi::lua_rawget_(state, -2);
        if ffi::lua_istable(state, -1) == 0 {
            ffi::lua_settop(state, -3);
            return false;
        }
        ffi::lua_remove(state, -2);
        true
    }
}

/// Calls the function that the guard was put before.
///
/// # Safety
/// The running function must be a guard.
#[inline]
unsafe fn call_original(state: *mut lua_State, upvalue: c_int) -> c_int {
    // SAFETY: the upvalue is the address of a C function that uses at most its first upvalue.
    unsafe {
        let original = ffi::lua_touserdata(state, ffi::lua_upvalueindex(upvalue));
        let original: ffi::lua_CFunction = std::mem::transmute(original);
        original(state)
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn look(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls a guard with a live state, with room for 20 values.
    unsafe {
        if push_real(state) {
            ffi::lua_replace(state, 1);
        }
        call_original(state, 1)
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn refuse(state: *mut lua_State) -> c_int {
    // SAFETY: as above. The original finds wrong arguments by working on a table that nobody sees.
    unsafe {
        if !push_real(state) {
            return call_original(state, 1);
        }
        ffi::lua_settop(state, -2);
        ffi::lua_createtable(state, 0, 0);
        ffi::lua_replace(state, 1);
        call_original(state, 1);
        raise_read_only(state)
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn set(state: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        if !push_real(state) {
            return call_original(state, 1);
        }
        ffi::lua_settop(state, -2);
        ffi::luaL_checkany(state, 2);
        ffi::luaL_checkany(state, 3);
        raise_read_only(state)
    }
}

/// # Safety
/// The state must be live, in a function that owns nothing.
unsafe fn raise_read_only(state: *mut lua_State) -> ! {
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_settop(state, 0);
        ffi::lua_pushlstring_(state, READ_ONLY.as_ptr().cast(), READ_ONLY.len());
        ffi::lua_error(state)
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn insert(state: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        if ffi::lua_gettop(state) > 2 && moves_many(state) { refuse_moves(state) } else { refuse(state) }
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn remove(state: *mut lua_State) -> c_int {
    // SAFETY: as above. Before the first element there is nothing to remove.
    unsafe {
        if ffi::lua_tointeger_(state, 2) as i32 > 0 && moves_many(state) {
            refuse_moves(state)
        } else {
            call_original(state, 1)
        }
    }
}

/// Whether there are too many elements from the position in the second argument on.
///
/// # Safety
/// The state must be live.
unsafe fn moves_many(state: *mut lua_State) -> bool {
    // SAFETY: the caller's promise; any index may be asked for.
    unsafe {
        if ffi::lua_isnoneornil(state, 2) != 0 || ffi::lua_istable(state, 1) == 0 {
            return false;
        }
        // As wide as Lua takes it.
        let from = ffi::lua_tointeger_(state, 2) as i32;
        ffi::lua_objlen(state, 1) as i64 - i64::from(from) > MOVES_MAX
    }
}

/// # Safety
/// The state must be live, in a function that owns nothing.
unsafe fn refuse_moves(state: *mut lua_State) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { ffi::luaL_error(state, c"too many elements to move".as_ptr()) }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn sort(state: *mut lua_State) -> c_int {
    // SAFETY: as above. What comes in the place of the comparison calls it.
    unsafe {
        let calls_lua = ffi::lua_isfunction(state, 2) != 0 && ffi::lua_iscfunction(state, 2) == 0;
        let is_function = ffi::lua_isfunction(state, 2) != 0 || ffi::lua_isnoneornil(state, 2) != 0;
        if is_function
            && !calls_lua
            && ffi::lua_istable(state, 1) != 0
            && ffi::lua_objlen(state, 1) >= SORT_COUNTS_FROM
        {
            ffi::lua_settop(state, 2);
            ffi::lua_pushcclosure(state, compare, 1);
        }
        call_original(state, 1)
    }
}

/// Compares as `table.sort` would.
///
/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn compare(state: *mut lua_State) -> c_int {
    // SAFETY: as above; `sort` has given the upvalue, a function or nil.
    unsafe {
        if counts(&machine_of(state).comparisons, COMPARISONS_PER_TICK) && must_end(state) {
            ffi::lua_error(state);
        }
        let comparison = ffi::lua_upvalueindex(1);
        if ffi::lua_isnoneornil(state, comparison) != 0 {
            let is_less = ffi::lua_lessthan(state, 1, 2);
            ffi::lua_pushboolean(state, is_less);
        } else {
            ffi::lua_pushvalue(state, comparison);
            ffi::lua_insert(state, 1);
            ffi::lua_call(state, 2, 1);
        }
        1
    }
}

/// Whether it is time to ask the host, as it is every so many times.
fn counts(times: &Cell<u32>, per_tick: u32) -> bool {
    times.set(times.get().wrapping_add(1));
    times.get().is_multiple_of(per_tick)
}

/// # Safety
/// The state must be live.
#[inline]
unsafe fn machine_of<'a>(state: *mut lua_State) -> &'a super::Machine {
    let mut data = null_mut();
    // SAFETY: the caller's promise; its allocator was made by `memory::new_state`.
    unsafe {
        ffi::lua_getallocf(state, &mut data);
        machine(data)
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn collect(state: *mut lua_State) -> c_int {
    // SAFETY: as above; the text stays while it is an argument.
    unsafe {
        let answer = match ffi::lua_type(state, 1) {
            // The original, too, reads it up to a zero.
            ffi::LUA_TSTRING => match until_nul(super::stack::text_at(state, 1)) {
                b"stop" | b"restart" => Some(0.0),
                b"setpause" | b"setstepmul" => Some(200.0),
                _ => None,
            },
            _ => None,
        };
        let Some(answer) = answer else {
            if must_end(state) {
                ffi::lua_error(state);
            }
            return call_original(state, 1);
        };
        ffi::lua_pushnumber(state, answer);
        1
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn resume(state: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        if !has_room(machine_of(state).floor.get(), COROUTINE_BYTES) {
            ffi::lua_pushboolean(state, 0);
            ffi::lua_pushstring_(state, c"C stack overflow".as_ptr());
            return 2;
        }
        may_resume(state);
        call_original(state, 1)
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn wrap(state: *mut lua_State) -> c_int {
    // SAFETY: as above. The original gives a C function whose only upvalue is the coroutine; `resume_wrapped` has the
    // same first upvalue.
    unsafe {
        call_original(state, 1);
        let Some(wrapped) = ffi::lua_tocfunction(state, -1) else { return 1 };
        ffi::lua_getupvalue(state, -1, 1);
        ffi::lua_pushlightuserdata(state, wrapped as *mut c_void);
        ffi::lua_pushcclosure(state, resume_wrapped, 2);
        1
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn resume_wrapped(state: *mut lua_State) -> c_int {
    // SAFETY: as above; upvalue 2 is a C function that finds its coroutine in upvalue 1.
    unsafe {
        if !has_room(machine_of(state).floor.get(), COROUTINE_BYTES) {
            return ffi::luaL_error(state, c"C stack overflow".as_ptr());
        }
        may_resume(state);
        call_original(state, 2)
    }
}

/// Raises an error when the script is to end. What resumes coroutines time and again may run few instructions itself,
/// and each of them fewer than make the hook come.
///
/// # Safety
/// The state must be live, in a function that owns nothing.
#[inline]
unsafe fn may_resume(state: *mut lua_State) {
    // SAFETY: the caller's promise.
    unsafe {
        let machine = machine_of(state);
        let is_time = machine.is_ended() || counts(&machine.resumes, RESUMES_PER_TICK);
        if is_time && must_end(state) {
            ffi::lua_error(state);
        }
    }
}

/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn unpack(state: *mut lua_State) -> c_int {
    // SAFETY: as above.
    unsafe {
        if ffi::lua_isnoneornil(state, 3) == 0 && ffi::lua_istable(state, 1) != 0 {
            // As wide as Lua takes them.
            let from =
                if ffi::lua_isnoneornil(state, 2) != 0 { 1 } else { ffi::lua_tointeger_(state, 2) as i32 };
            let last = ffi::lua_tointeger_(state, 3) as i32;
            if last.checked_sub(from).is_none_or(|count| count == i32::MAX) && last > from {
                return ffi::luaL_error(state, c"too many results to unpack".as_ptr());
            }
        }
        call_original(state, 1)
    }
}
