//! One interpreter: it is made, given functions, and runs scripts on a stack of its own.
//!
//! ```text
//!   loop's stack                      the interpreter's stack (a coroutine)
//!   run ──────────────── enter ─────▶ lua_pcall ─▶ the script ─▶ hook, every INSTRUCTIONS_PER_TICK instructions
//!       ◀── Paused ───── suspend ────────────────────────────────── Tick::Pause
//!   resume ────────────▶ ──────────────────────────────────────────▶ goes on
//!       ◀── Returned / Failed ─────── the result, or the error, on the Lua stack
//! ```
//! Entering and leaving costs a few nanoseconds. Where a script is suspended, C frames of Lua and frames of functions
//! of ours stay on the coroutine's stack; none of them holds a borrow of the host, which is lent for each stretch anew.
//!
//! Invariants
//! 1. At most one script is under way in an interpreter.
//! 2. The host is there exactly while the coroutine runs.
//! 3. A script that is under way is never dropped but by the end of the process: its frames cannot be unwound.
//!
//! A script that must end is thrown out by an error "not enough memory", which is the one that calls no handler: one of
//! the script's own (`xpcall`) would run where no hook comes. From then on a hook comes at every instruction, and Lua
//! code gets no memory: it can make no coroutine whose instructions are counted anew. Why it ended, and where, is kept
//! aside (`State::take_end`), so it does not matter what the script catches.

use super::super::host::{Host, Tick};
use super::function::Function;
use super::memory::{self, Memory};
use super::stack::{Place, Stack, load_text, note_place};
use crate::base::argv::Argv;
use corosensei::stack::{DefaultStack, Stack as _};
use corosensei::{Coroutine, CoroutineResult, Yielder};
use mlua_sys::lua51::{self as ffi, lua_State};
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::{NonNull, null};

/// About a tenth of a millisecond of plain computing. An instruction may be a call of a function of Lua's own that
/// takes as long as a table is large.
const INSTRUCTIONS_PER_TICK: c_int = 10_000;
/// Address space for C frames: Lua allows 200 nested calls, and our own functions recurse less than this needs. Only
/// what was touched takes memory.
const STACK_BYTES: usize = 4 << 20;

type Pause = Yielder<(), ()>;
type Fiber = Coroutine<(), (), c_int, DefaultStack>;

/// What functions of ours find from a state; see `Stack::machine`.
pub struct Machine {
    pub memory: Memory,
    /// Room for what a function of ours makes: to be taken, and put back when it is done.
    pub text: Cell<Vec<u8>>,
    /// The host, with its lifetime taken away: it is there only while `enter` runs.
    host: Cell<Option<NonNull<dyn Host>>>,
    pause: Cell<*const Pause>,
    main: Cell<*mut lua_State>,
    /// The script must end.
    end: RefCell<Option<End>>,
    /// Where an error was raised that a function of ours raises once more.
    pub(super) passing: Cell<Option<Place>>,
    /// What notes that: a reference.
    pub(super) passing_handler: Cell<c_int>,
    /// Where the C stack of the script under way ends; 0 without one.
    pub(super) floor: Cell<usize>,
    /// Of `table.sort`, see `guard`.
    pub(super) comparisons: Cell<u32>,
    /// Of coroutines, see `guard`.
    pub(super) resumes: Cell<u32>,
    /// State of `math.random`.
    pub random: Cell<u64>,
    /// For the one command that runs; taken while it does.
    pub scratch: Cell<Option<Box<Scratch>>>,
    /// For what a library writes; taken while it does.
    pub output: Cell<Vec<u8>>,
}

/// Why a script had to end, and where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub why: Vec<u8>,
    pub place: Option<Place>,
}

/// Buffers that commands use one after the other.
#[derive(Default)]
pub struct Scratch {
    pub argv: Argv,
    pub reply: Vec<u8>,
}

impl Machine {
    /// Has the host do something for the script; `None` where no script runs (a library is being loaded), and while the
    /// host is at work already.
    #[inline]
    pub fn with_host<R>(&self, work: impl FnOnce(&mut dyn Host) -> R) -> Option<R> {
        let mut host = self.host.take()?;
        // SAFETY: `enter` has lent it for as long as the coroutine runs, which is now; taken, it is not lent twice.
        let result = work(unsafe { host.as_mut() });
        self.host.set(Some(host));
        Some(result)
    }

    /// Whether the script under way must end.
    pub(super) fn is_ended(&self) -> bool {
        self.end.borrow().is_some()
    }

    /// Asks the host whether the script may go on, and suspends it while it may not. `Err` says why it must end;
    /// `place` is asked where it was.
    pub fn tick(&self, place: impl FnOnce() -> Option<Place>) -> Result<(), Vec<u8>> {
        loop {
            match self.with_host(|host| host.tick()) {
                None | Some(Tick::GoOn) => return Ok(()),
                Some(Tick::End(why)) => {
                    let first = || End { why: why.clone(), place: place() };
                    self.end.borrow_mut().get_or_insert_with(first);
                    self.memory.close();
                    return Err(why);
                }
                // SAFETY: a host is there only while the coroutine runs, which has set the pointer.
                Some(Tick::Pause) => unsafe { (*self.pause.get()).suspend(()) },
            }
        }
    }
}

/// How far a script has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is suspended; `resume` goes on.
    Paused,
    /// Its result is on the top of the stack.
    Returned,
    /// The error is on the top of the stack.
    Failed,
}

/// A value that the interpreter keeps until it is released.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Reference(pub(super) c_int);

impl Reference {
    /// The same value once more, for the time of a call; only one of them is to be released.
    pub fn share(&self) -> Reference {
        Reference(self.0)
    }
}

pub struct State {
    state: *mut lua_State,
    machine: Box<Machine>,
    fiber: Option<Fiber>,
    spare: Option<DefaultStack>,
}

impl State {
    /// An interpreter without any library.
    ///
    /// # Errors
    /// No memory, or no address space for its stack.
    pub fn new() -> io::Result<State> {
        let machine = Box::new(Machine {
            memory: Memory::default(),
            text: Cell::default(),
            host: Cell::new(None),
            pause: Cell::new(null()),
            main: Cell::new(std::ptr::null_mut()),
            end: RefCell::default(),
            passing: Cell::default(),
            passing_handler: Cell::new(ffi::LUA_NOREF),
            floor: Cell::new(0),
            comparisons: Cell::new(0),
            resumes: Cell::new(0),
            random: Cell::new(0),
            scratch: Cell::default(),
            output: Cell::default(),
        });
        machine.memory.set_limit(usize::MAX);
        let spare = new_stack()?;
        // SAFETY: the machine is boxed, and freed after the state.
        let state = unsafe { memory::new_state(&raw const *machine) };
        if state.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        machine.main.set(state);
        // SAFETY: the state is live.
        unsafe {
            ffi::lua_sethook(state, Some(hook), ffi::LUA_MASKCOUNT, INSTRUCTIONS_PER_TICK);
            ffi::lua_pushcfunction(state, note_place);
            machine.passing_handler.set(ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX));
        }
        Ok(State { state, machine, fiber: None, spare: Some(spare) })
    }

    pub fn memory(&self) -> &Memory {
        &self.machine.memory
    }

    /// The stack, to prepare a call or to look at its result.
    pub fn stack(&mut self) -> Session<'_> {
        self.machine.memory.begin_lenient();
        // SAFETY: the state is live as long as `self`; memory is lenient until the session ends.
        let mut stack = unsafe { Stack::new(self.state) };
        stack.release_arguments();
        Session { stack, memory: &self.machine.memory }
    }

    /// Opens Lua's own libraries `base`, `table`, `string`, `math`, `coroutine` and `os`, complete: what scripts may
    /// not have is to be taken away.
    pub fn open_libraries(&mut self) {
        let libraries: [(&std::ffi::CStr, ffi::lua_CFunction); 5] = [
            (c"", ffi::luaopen_base),
            (c"table", ffi::luaopen_table),
            (c"string", ffi::luaopen_string),
            (c"math", ffi::luaopen_math),
            (c"os", ffi::luaopen_os),
        ];
        for (name, open) in libraries {
            // SAFETY: the state is live; opening a library raises no error but for want of memory, which is not
            // limited yet.
            unsafe {
                ffi::lua_pushcfunction(self.state, open);
                ffi::lua_pushstring_(self.state, name.as_ptr());
                ffi::lua_call(self.state, 1, 0);
            }
        }
    }

    /// Compiles a chunk and pushes its function. `name` is shown in errors, without its first character
    /// (`@user_script`).
    ///
    /// # Errors
    /// Lua's text, with name and line. Compiled code is refused: it could be made to break the interpreter.
    pub fn load(&mut self, name: &str, body: &[u8]) -> Result<(), Vec<u8>> {
        let state = self.state;
        // SAFETY: the state is live.
        let load = || unsafe { load_text(state, name.as_bytes(), body) };
        let mut status = load();
        if status == ffi::LUA_ERRMEM {
            // What scripts before have left may be in its way.
            self.stack().pop(1);
            self.collect();
            status = load();
        }
        if status == ffi::LUA_OK {
            return Ok(());
        }
        let mut stack = self.stack();
        let text = stack.bytes(-1).unwrap_or_default().to_vec();
        stack.pop(1);
        Err(text)
    }

    /// Pops a value and keeps it.
    pub fn keep(&mut self) -> Reference {
        assert!(!self.stack().is_empty(), "a value");
        self.machine.memory.begin_lenient();
        // SAFETY: there is a value; memory is not refused.
        let reference = Reference(unsafe { ffi::luaL_ref(self.state, ffi::LUA_REGISTRYINDEX) });
        self.machine.memory.end_lenient();
        reference
    }

    /// Pushes a value that is kept.
    #[inline]
    pub fn push_kept(&mut self, reference: &Reference) {
        self.stack().push_kept(reference);
    }

    pub fn release(&mut self, reference: Reference) {
        self.machine.memory.begin_lenient();
        // SAFETY: `keep` has made it.
        unsafe { ffi::luaL_unref(self.state, ffi::LUA_REGISTRYINDEX, reference.0) };
        self.machine.memory.end_lenient();
    }

    /// Pops a table and makes it the environment of the function below it.
    pub fn set_environment(&mut self) {
        // SAFETY: asserted; a value that has no environment is left as it is.
        unsafe {
            assert!(ffi::lua_istable(self.state, -1) != 0, "a table");
            ffi::lua_setfenv(self.state, -2);
        }
    }

    /// Runs what lies on the stack: an error handler, above it a function, above it `arguments` values. In their place
    /// comes one result, or the error as the handler has left it.
    pub fn run(&mut self, host: &mut dyn Host, arguments: i32) -> Progress {
        assert!(self.fiber.is_none(), "one script at a time");
        let Some(stack) = self.spare.take().or_else(|| new_stack().ok()) else { return self.no_stack() };
        // SAFETY: the state is live.
        let handler = unsafe {
            ffi::lua_sethook(self.state, Some(hook), ffi::LUA_MASKCOUNT, INSTRUCTIONS_PER_TICK);
            ffi::lua_gettop(self.state) - arguments - 1
        };
        assert!(handler >= 1, "an error handler, a function and its arguments");
        self.machine.end.take();
        let (state, machine) = (self.state, &raw const *self.machine);
        self.machine.floor.set(stack.limit().get());
        self.fiber = Some(Coroutine::with_stack(stack, move |pause: &Pause, ()| {
            // SAFETY: `State` owns both and keeps them while the coroutine is under way. Errors end in the call.
            unsafe {
                (*machine).pause.set(pause);
                ffi::lua_pcall(state, arguments, 1, handler)
            }
        }));
        self.enter(host)
    }

    /// Goes on with the script that is suspended.
    pub fn resume(&mut self, host: &mut dyn Host) -> Progress {
        assert!(self.fiber.is_some(), "a script that is suspended");
        self.enter(host)
    }

    pub fn is_running(&self) -> bool {
        self.fiber.is_some()
    }

    fn enter(&mut self, host: &mut dyn Host) -> Progress {
        let host: NonNull<dyn Host + '_> = NonNull::from(host);
        // SAFETY: only the lifetime changes; it is forgotten below, before the borrow ends.
        let host = unsafe { std::mem::transmute::<NonNull<dyn Host + '_>, NonNull<dyn Host>>(host) };
        self.machine.host.set(Some(host));
        let fiber = self.fiber.as_mut().expect("a script is under way");
        let went = fiber.resume(());
        self.machine.host.set(None);
        let status = match went {
            CoroutineResult::Yield(()) => return Progress::Paused,
            CoroutineResult::Return(status) => status,
        };
        self.spare = self.fiber.take().map(Fiber::into_stack);
        self.machine.floor.set(0);
        self.machine.memory.open();
        let was_ended = self.machine.end.borrow().is_some();
        if status == ffi::LUA_OK && !was_ended { Progress::Returned } else { Progress::Failed }
    }

    /// Why the script that has failed had to end, when the host said so.
    pub fn take_end(&mut self) -> Option<End> {
        self.machine.end.take()
    }

    #[cold]
    fn no_stack(&mut self) -> Progress {
        let mut stack = self.stack();
        stack.cut(1);
        stack.push_bytes(b"not enough memory");
        Progress::Failed
    }

    /// Frees what no script can reach any more. Bytes in use afterwards.
    pub fn collect(&mut self) -> usize {
        assert!(self.fiber.is_none(), "no script is under way");
        self.collector(ffi::LUA_GCCOLLECT, 0);
        self.machine.memory.used_bytes()
    }

    /// Collects garbage for some ten microseconds, but for a table of the script's that is large: it is gone through
    /// as a whole. Whether that was the end of a cycle.
    pub fn collect_part(&mut self) -> bool {
        assert!(self.fiber.is_none(), "no script is under way");
        const STEP_KIB: c_int = 16;
        self.collector(ffi::LUA_GCSTEP, STEP_KIB) != 0
    }

    /// The collector makes its table of strings smaller by making another one, and nobody would catch its error if it
    /// were refused that.
    fn collector(&mut self, what: c_int, how_much: c_int) -> c_int {
        self.machine.memory.begin_lenient();
        // SAFETY: the state is live; no finalizer is there that could raise an error, and memory is not refused.
        let answer = unsafe { ffi::lua_gc(self.state, what, how_much) };
        self.machine.memory.end_lenient();
        answer
    }

    /// Gives back what large replies have taken, and what deep calls have touched of the stack that scripts run on.
    pub fn trim(&mut self) {
        const KEPT_BYTES: usize = 64 << 10;
        self.machine.scratch.take();
        let mut text = self.machine.text.take();
        text.clear();
        text.shrink_to(KEPT_BYTES);
        self.machine.text.set(text);
        if let Some(stack) = &self.spare {
            let start = stack.limit().get();
            let length = (stack.base().get() - start).saturating_sub(KEPT_BYTES);
            // SAFETY: the mapping is the stack's, and no script is under way that would have frames in it.
            unsafe {
                libc::madvise(std::ptr::with_exposed_provenance_mut(start), length, libc::MADV_DONTNEED);
            }
        }
    }

    /// The interpreter as something that can be freed, by whatever thread.
    pub fn into_garbage(self) -> Garbage {
        assert!(self.fiber.is_none(), "no script is under way");
        Garbage(self)
    }
}

/// An interpreter that runs no more scripts.
pub struct Garbage(#[expect(dead_code, reason = "it is only dropped")] State);

// SAFETY: nothing can be done with it but to drop it. No script is under way, so there is neither a host nor a
// coroutine; everything that the state points to, its account of memory too, is owned by it, and Lua keeps nothing per
// thread or process.
unsafe impl Send for Garbage {}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(fiber) = &mut self.fiber {
            // SAFETY: the process ends: nobody goes back to those frames, and what they own may leak.
            unsafe { fiber.force_reset() };
        } else {
            // SAFETY: the state is live, and nobody has it any more.
            unsafe { ffi::lua_close(self.state) }
        }
    }
}

/// On small pages: a huge one would be touched whole.
fn new_stack() -> io::Result<DefaultStack> {
    let stack = DefaultStack::new(STACK_BYTES)?;
    let start = stack.limit().get();
    let length = stack.base().get() - start;
    // SAFETY: the mapping is the stack's, and nothing lies in it yet. Where the advice is not known nothing changes.
    unsafe {
        libc::madvise(std::ptr::with_exposed_provenance_mut(start), length, libc::MADV_NOHUGEPAGE);
    }
    Ok(stack)
}

/// `Stack` outside of any call: everything on it may be popped.
pub struct Session<'s> {
    stack: Stack<'s>,
    memory: &'s Memory,
}

impl<'s> Deref for Session<'s> {
    type Target = Stack<'s>;

    fn deref(&self) -> &Stack<'s> {
        &self.stack
    }
}

impl<'s> DerefMut for Session<'s> {
    fn deref_mut(&mut self) -> &mut Stack<'s> {
        &mut self.stack
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.memory.end_lenient();
    }
}

/// Keeps the contract of `lua_Hook`.
///
/// # Safety
/// Only Lua calls it.
unsafe extern "C-unwind" fn hook(state: *mut lua_State, _event: *mut ffi::lua_Debug) {
    // SAFETY: Lua calls it with a live state. What `must_end` owned is gone when the error is raised.
    unsafe {
        if must_end(state) {
            // No memory is left for it, so this raises the error that no handler sees.
            ffi::lua_createtable(state, 0, 0);
            ffi::lua_error(state);
        }
    }
}

/// Whether the script is to end; then why is on the top, and no `pcall` of the script can go on for long: the hook
/// comes at every instruction from now on.
///
/// # Safety
/// The state must be live and belong to the coroutine that runs.
pub(super) unsafe fn must_end(state: *mut lua_State) -> bool {
    // SAFETY: the caller's promise; memory is lenient while the stack is used.
    unsafe {
        let stack = Stack::new(state);
        let machine = stack.machine();
        let Err(why) = machine.tick(|| stack.place(0)) else { return false };
        machine.memory.begin_lenient();
        ffi::lua_checkstack(state, 4);
        ffi::lua_pushlstring_(state, why.as_ptr().cast(), why.len());
        for thread in [state, machine.main.get()] {
            ffi::lua_sethook(thread, Some(hook), ffi::LUA_MASKCOUNT, 1);
        }
        machine.memory.end_lenient();
        true
    }
}

/// A function of ours as a global of the state.
pub fn set_global(stack: &mut Stack<'_>, name: &str, function: Function) {
    stack.push_function(function, 0);
    stack.raw_set_field(ffi::LUA_GLOBALSINDEX, name);
}
