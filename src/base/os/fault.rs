//! The last words of a process that a bug is about to end: by a signal, or by a panic.
//!
//! ```text
//!  any thread: fault, abort() or panic ─▶ cause noted (registers, return addresses) ─┐ its own thread: parks
//!  loop's thread, on a stack made for this, in the handler ◀──── the same signal ────┘
//!      Reporter::head ─▶ the exhibit's state ─▶ Reporter::tail ─▶ the signal's default action
//! ```
//! The loop's thread writes the report whoever crashed: then nothing changes what it reads. The process ends by the
//! signal that began it, so that whoever watches over it sees that signal, and a core file is written where the host
//! wants one.
//!
//! Invariants
//! 1. There is one report. A crash within it, or of another thread meanwhile, adds nothing and ends nothing sooner, but
//!    for one on the thread that writes: that ends the process.
//! 2. A report that hangs, as on the lock of an allocator that crashed, is given up after `GIVE_UP_S` seconds.
//! 3. A forked child writes none: it is not the process that called `install`, and dies by the default action.
//! 4. Up to `Reporter::head` nothing is allocated and no lock of ours is taken.
//! 5. After a panic the process ends: what unwound could have left anything half done.

use crate::base::argv::Args;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::fmt::{self, Write};
use std::panic::PanicHookInfo;
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};

/// The signals that are reported.
const SIGNALS: [Signal; 5] =
    [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGABRT];
const FRAMES_MAX: usize = 64;
const MESSAGE_BYTES_MAX: usize = 1024;
/// A report takes a fraction of a second.
const GIVE_UP_S: u32 = 20;
/// Of the stack on which the loop's thread handles signals: looking up names of functions takes some.
const STACK_BYTES: usize = 1 << 20;
/// Of the one of a helper thread, which notes where it was and no more.
const HELPER_STACK_BYTES: usize = 128 << 10;
/// On a smaller one, as std makes for its threads, there may be no room to walk the stack.
const WALK_BYTES_MIN: usize = 64 << 10;

/// Who writes the report.
pub struct Reporter {
    /// What needs nothing but the cause.
    pub head: fn(&Cause),
    /// What is left to say when everything else has been said.
    pub tail: fn(&Cause),
    /// Instead of all that, when reports are off: one line about a panic.
    pub line: fn(&Cause),
}

/// Why the process ends.
pub struct Cause {
    pub signal: i32,
    /// `si_code`: above zero when the kernel itself raised the signal.
    pub code: i32,
    /// What could not be accessed or executed.
    pub address: usize,
    /// Process and user that sent the signal, when somebody did.
    pub sender: (i32, u32),
    /// Of the thread that crashed.
    pub thread: i32,
    pub registers: Registers,
    frames: [usize; FRAMES_MAX],
    frame_count: usize,
    message: FixedText,
    /// Of a panic: where there is time to look up names of functions, they are.
    names: Option<String>,
}

/// The processor's registers when it was interrupted; none after a panic.
#[derive(Clone, Copy)]
pub struct Registers {
    values: [(&'static str, u64); REGISTERS_MAX],
    count: usize,
}

const REGISTERS_MAX: usize = 34;

impl Registers {
    const fn none() -> Registers {
        Registers { values: [("", 0); REGISTERS_MAX], count: 0 }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.values[..self.count].iter().copied()
    }
}

impl Cause {
    const fn none() -> Cause {
        Cause {
            signal: 0,
            code: 0,
            address: 0,
            sender: (0, 0),
            thread: 0,
            registers: Registers::none(),
            frames: [0; FRAMES_MAX],
            frame_count: 0,
            message: FixedText { bytes: [0; MESSAGE_BYTES_MAX], used: 0 },
            names: None,
        }
    }

    /// Return addresses, the innermost first.
    pub fn frames(&self) -> &[usize] {
        &self.frames[..self.frame_count]
    }

    /// What the panic said and where; empty for other crashes.
    pub fn message(&self) -> &str {
        self.message.as_str()
    }

    /// The stack with names of functions. `None` when it can no longer be had.
    pub fn names(&self) -> Option<String> {
        let is_own = self.thread == thread_id();
        self.names.clone().or_else(|| is_own.then(|| Backtrace::force_capture().to_string()))
    }

    pub fn signal_name(&self) -> &'static str {
        Signal::try_from(self.signal).map_or("an unknown signal", Signal::as_str)
    }
}

/// Text of bounded length, without the heap.
struct FixedText {
    bytes: [u8; MESSAGE_BYTES_MAX],
    used: usize,
}

impl FixedText {
    fn as_str(&self) -> &str {
        let text = &self.bytes[..self.used];
        text.utf8_chunks().next().map_or("", |chunk| chunk.valid())
    }
}

impl Write for FixedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MESSAGE_BYTES_MAX - self.used;
        let taken = text.len().min(room);
        self.bytes[self.used..self.used + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.used += taken;
        Ok(())
    }
}

// ----- what the handlers know -----

/// Nobody has crashed; somebody has and notes why; the loop's thread is to write; it writes.
const CALM: u32 = 0;
const NOTING: u32 = 1;
const NOTED: u32 = 2;
const WRITING: u32 = 3;

static STAGE: AtomicU32 = AtomicU32::new(CALM);
/// The thread in `NOTING` or `WRITING`.
static BUSY_THREAD: AtomicI32 = AtomicI32::new(0);
/// The process and the thread that called `install`.
static PROCESS: AtomicI32 = AtomicI32::new(0);
static LOOP_THREAD: AtomicI32 = AtomicI32::new(0);
/// Where this program is in memory, and its file: the name that the kernel knows becomes the process's title.
static PROGRAM: OnceLock<(usize, Vec<u8>)> = OnceLock::new();
static ENABLED: AtomicBool = AtomicBool::new(false);
static REPORTER: OnceLock<Reporter> = OnceLock::new();
static CAUSE: CauseCell = CauseCell(UnsafeCell::new(Cause::none()));

struct CauseCell(UnsafeCell<Cause>);

// SAFETY: only the one thread that took the stage from CALM to NOTING writes, and only before NOTED; everybody else
// reads after that.
unsafe impl Sync for CauseCell {}

fn cause() -> &'static Cause {
    // SAFETY: see `CauseCell`; it is asked for only from NOTED on.
    unsafe { &*CAUSE.0.get() }
}

fn thread_id() -> i32 {
    nix::unistd::gettid().as_raw()
}

/// Reports crashes of this process from now on. The calling thread is the one that writes: the loop's.
///
/// # Errors
/// When there is no memory for its stack; crashes are not reported then.
pub fn install(reporter: Reporter) -> std::io::Result<()> {
    PROCESS.store(nix::unistd::getpid().as_raw(), Ordering::Relaxed);
    LOOP_THREAD.store(thread_id(), Ordering::Relaxed);
    let _ = REPORTER.set(reporter);
    // The first walk of a stack loads what it needs.
    let _ = walk_stack(&mut [0; FRAMES_MAX]);
    std::mem::forget(SignalStack::of(STACK_BYTES)?);
    let here = on_panic as *const ();
    if let (Ok(file), Some((_, offset))) = (std::env::current_exe(), place_of(here.addr())) {
        let _ = PROGRAM.set((here.addr() - offset, file.into_os_string().into_encoded_bytes()));
    }
    std::panic::set_hook(Box::new(on_panic));
    Ok(())
}

/// The stack on which a thread handles signals.
struct SignalStack {
    base: usize,
    bytes: usize,
}

impl SignalStack {
    /// For the calling thread.
    fn of(bytes: usize) -> std::io::Result<SignalStack> {
        let base = super::reserve_addresses(bytes)?;
        let own = SignalStack { base, bytes };
        let stack =
            libc::stack_t { ss_sp: ptr::with_exposed_provenance_mut(base), ss_flags: 0, ss_size: bytes };
        // SAFETY: the stack is a mapping of its own, which is there until this is dropped.
        let done = unsafe { libc::sigaltstack(&stack, ptr::null_mut()) };
        if done == 0 { Ok(own) } else { Err(std::io::Error::last_os_error()) }
    }

    /// The size of the calling thread's.
    fn bytes() -> usize {
        let mut stack = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 };
        // SAFETY: nothing is set; the answer has room.
        unsafe { libc::sigaltstack(ptr::null(), &mut stack) };
        if stack.ss_flags & libc::SS_DISABLE == 0 { stack.ss_size } else { 0 }
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: no handler is running on it, as the thread is ending; afterwards none will.
        unsafe {
            libc::sigaltstack(&none, ptr::null_mut());
            libc::munmap(ptr::with_exposed_provenance_mut(self.base), self.bytes);
        }
    }
}

/// Gives the calling helper thread a stack on which a crash of it can be looked at. Without one its crash is reported
/// all the same, but for where it was.
pub fn make_room() {
    thread_local! {
        static STACK: Option<SignalStack> = SignalStack::of(HELPER_STACK_BYTES).ok();
    }
    STACK.with(|_| ());
}

/// The directive `crash-log-enabled`. Without reports signals have their default action; a panic ends the process all
/// the same.
pub fn enable(enabled: bool) {
    if PROCESS.load(Ordering::Relaxed) == 0 || ENABLED.swap(enabled, Ordering::Relaxed) == enabled {
        return;
    }
    let handler = if enabled { SigHandler::SigAction(on_signal) } else { SigHandler::SigDfl };
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK | SaFlags::SA_NODEFER;
    let action = SigAction::new(handler, flags, SigSet::empty());
    for signal in SIGNALS {
        // SAFETY: the handler is for the end of the process, and careful up to where that is certain.
        let _ = unsafe { sigaction(signal, &action) };
    }
}

// ----- a crash -----

extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    if nix::unistd::getpid().as_raw() != PROCESS.load(Ordering::Relaxed) {
        return default_action(signal);
    }
    let is_loop = thread_id() == LOOP_THREAD.load(Ordering::Relaxed);
    if take_stage() {
        // SAFETY: the kernel hands both to a handler with SA_SIGINFO; the cause is ours to write (`take_stage`).
        unsafe {
            let cause = &mut *CAUSE.0.get();
            cause.note_signal(signal, &*info);
            note_registers(&*context.cast::<libc::ucontext_t>(), &mut cause.registers);
        }
        STAGE.store(NOTED, Ordering::Release);
        if !is_loop {
            hand_over(signal);
        }
    }
    if is_loop && STAGE.compare_exchange(NOTED, WRITING, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
        write_report();
    } else if thread_id() == BUSY_THREAD.load(Ordering::Relaxed) {
        // The report itself has crashed.
        default_action(signal);
    } else {
        park();
    }
}

/// Whether the caller is the first to crash, and may write the cause.
fn take_stage() -> bool {
    let is_first = STAGE.compare_exchange(CALM, NOTING, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    if is_first {
        BUSY_THREAD.store(thread_id(), Ordering::Relaxed);
    }
    is_first
}

/// Has the loop's thread write, by the signal that has come here; it is interrupted wherever it is.
fn hand_over(signal: libc::c_int) -> ! {
    give_up_later();
    let process = PROCESS.load(Ordering::Relaxed);
    // SAFETY: plain numbers; a thread that has gone is an error, after which the alarm ends the process.
    unsafe { libc::syscall(libc::SYS_tgkill, process, LOOP_THREAD.load(Ordering::Relaxed), signal) };
    park()
}

/// Until the process ends.
fn park() -> ! {
    loop {
        nix::unistd::pause();
    }
}

/// On the loop's thread, once.
fn write_report() {
    BUSY_THREAD.store(thread_id(), Ordering::Relaxed);
    give_up_later();
    let cause = cause();
    if let Some(reporter) = REPORTER.get() {
        (reporter.head)(cause);
        show_exhibit(cause);
        (reporter.tail)(cause);
    }
    default_action(cause.signal);
}

/// Ends the process by the default action of a signal.
fn default_action(signal: libc::c_int) {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    if let Ok(signal) = Signal::try_from(signal) {
        // SAFETY: the default action runs no code of ours.
        let _ = unsafe { sigaction(signal, &action) };
        let mut only = SigSet::empty();
        only.add(signal);
        let _ = only.thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
    }
    // SAFETY: both end the process, or do nothing.
    unsafe {
        libc::raise(signal);
        libc::_exit(128 + signal);
    }
}

fn give_up_later() {
    extern "C" fn give_up(_: libc::c_int) {
        default_action(cause().signal);
    }
    let action = SigAction::new(SigHandler::Handler(give_up), SaFlags::SA_ONSTACK, SigSet::empty());
    // SAFETY: the handler ends the process and does nothing else.
    let _ = unsafe { sigaction(Signal::SIGALRM, &action) };
    let mut only = SigSet::empty();
    only.add(Signal::SIGALRM);
    let _ = only.thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
    nix::unistd::alarm::set(GIVE_UP_S);
}

impl Cause {
    fn note_signal(&mut self, signal: libc::c_int, info: &libc::siginfo_t) {
        (self.signal, self.code, self.thread) = (signal, info.si_code, thread_id());
        // SAFETY: fields of a union of integers; which of them mean something, `code` tells the reader.
        unsafe {
            self.address = info.si_addr().addr();
            self.sender = (info.si_pid(), info.si_uid());
        }
        if SignalStack::bytes() >= WALK_BYTES_MIN {
            self.frame_count = walk_stack(&mut self.frames);
        }
    }

    fn note_panic(&mut self, panic: &PanicHookInfo<'_>) {
        (self.signal, self.code, self.thread) = (Signal::SIGABRT as i32, libc::SI_TKILL, thread_id());
        self.frame_count = walk_stack(&mut self.frames);
        let payload = panic.payload();
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        // What a failed assertion quotes may be somebody's data.
        let said =
            if crate::base::log::hides_user_data() { crate::base::log::REDACTED } else { said.unwrap_or("") };
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let _ = match panic.location() {
            Some(place) => write!(self.message, "thread '{thread}' panicked at {place}: {said}"),
            None => write!(self.message, "thread '{thread}' panicked: {said}"),
        };
    }
}

fn on_panic(panic: &PanicHookInfo<'_>) {
    if nix::unistd::getpid().as_raw() != PROCESS.load(Ordering::Relaxed) {
        std::process::abort();
    }
    if !take_stage() {
        let is_writing = thread_id() == BUSY_THREAD.load(Ordering::Relaxed);
        if is_writing { default_action(cause().signal) } else { park() }
    }
    let enabled = ENABLED.load(Ordering::Relaxed);
    // SAFETY: the cause is ours to write (`take_stage`).
    let cause = unsafe { &mut *CAUSE.0.get() };
    cause.note_panic(panic);
    if enabled {
        cause.names = Some(Backtrace::force_capture().to_string());
    }
    STAGE.store(NOTED, Ordering::Release);
    if !enabled {
        if let Some(reporter) = REPORTER.get() {
            (reporter.line)(self::cause());
        }
        return default_action(Signal::SIGABRT as i32);
    }
    if thread_id() == LOOP_THREAD.load(Ordering::Relaxed) {
        STAGE.store(WRITING, Ordering::Release);
        write_report();
    } else {
        hand_over(Signal::SIGABRT as i32);
    }
}

/// Fills `frames` with return addresses. Returns how many there are.
fn walk_stack(frames: &mut [usize; FRAMES_MAX]) -> usize {
    #[cfg(target_env = "gnu")]
    {
        let mut addresses = [ptr::null_mut(); FRAMES_MAX];
        // SAFETY: it fills no more than the array has.
        let count = unsafe { libc::backtrace(addresses.as_mut_ptr(), FRAMES_MAX as libc::c_int) };
        let count = usize::try_from(count).unwrap_or(0).min(FRAMES_MAX);
        for (frame, address) in frames.iter_mut().zip(&addresses[..count]) {
            *frame = address.addr();
        }
        count
    }
    #[cfg(not(target_env = "gnu"))]
    {
        frames.fill(0);
        0
    }
}

/// The file that `address` is in, and how far from its beginning: what addr2line asks for.
pub fn place_of(address: usize) -> Option<(&'static [u8], usize)> {
    // SAFETY: all-zero bytes are a valid `Dl_info`: null pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the address is only compared; the name belongs to the loaded file, which stays.
    unsafe {
        if libc::dladdr(ptr::without_provenance(address), &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        let base = info.dli_fbase.addr();
        let program = PROGRAM.get().filter(|(program_base, _)| *program_base == base);
        let name = match program {
            Some((_, file)) => file,
            None => std::ffi::CStr::from_ptr(info.dli_fname).to_bytes(),
        };
        Some((name, address.wrapping_sub(base)))
    }
}

#[cfg(target_arch = "x86_64")]
fn note_registers(context: &libc::ucontext_t, registers: &mut Registers) {
    const NAMES: [(&str, libc::c_int); 19] = [
        ("RAX", libc::REG_RAX),
        ("RBX", libc::REG_RBX),
        ("RCX", libc::REG_RCX),
        ("RDX", libc::REG_RDX),
        ("RDI", libc::REG_RDI),
        ("RSI", libc::REG_RSI),
        ("RBP", libc::REG_RBP),
        ("RSP", libc::REG_RSP),
        ("R8", libc::REG_R8),
        ("R9", libc::REG_R9),
        ("R10", libc::REG_R10),
        ("R11", libc::REG_R11),
        ("R12", libc::REG_R12),
        ("R13", libc::REG_R13),
        ("R14", libc::REG_R14),
        ("R15", libc::REG_R15),
        ("RIP", libc::REG_RIP),
        ("EFL", libc::REG_EFL),
        ("CSGSFS", libc::REG_CSGSFS),
    ];
    for (place, (name, index)) in registers.values.iter_mut().zip(NAMES) {
        *place = (name, context.uc_mcontext.gregs[index as usize] as u64);
    }
    registers.count = NAMES.len();
}

#[cfg(target_arch = "aarch64")]
fn note_registers(context: &libc::ucontext_t, registers: &mut Registers) {
    const NAMES: [&str; 31] = [
        "X0", "X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X11", "X12", "X13", "X14", "X15",
        "X16", "X17", "X18", "X19", "X20", "X21", "X22", "X23", "X24", "X25", "X26", "X27", "X28", "FP",
        "LR",
    ];
    let machine = &context.uc_mcontext;
    for (place, (name, value)) in registers.values.iter_mut().zip(NAMES.into_iter().zip(machine.regs)) {
        *place = (name, value);
    }
    let further = [("SP", machine.sp), ("PC", machine.pc), ("PSTATE", machine.pstate)];
    registers.values[NAMES.len()..].copy_from_slice(&further);
    registers.count = NAMES.len() + further.len();
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn note_registers(_: &libc::ucontext_t, _: &mut Registers) {}

// ----- what the program shows of itself -----

/// The state's address, the function that shows it, and the one that knows their types; null when there is none.
static STATE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static SHOW: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static SHOW_AS: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

type ShowAs = fn(*mut (), *mut (), &Cause);

/// As long as it lives, a report shows the state it was made with.
pub struct Exhibit<T: 'static> {
    _state: Rc<RefCell<T>>,
}

/// Has reports show `state` by `show`. For the loop's thread, which `state` belongs to.
pub fn exhibit<T>(state: &Rc<RefCell<T>>, show: fn(&T, &Cause)) -> Exhibit<T> {
    let show_as: ShowAs = |state, show, cause| {
        // SAFETY: the pointers are those stored below, of these types. The state is alive: its exhibit is. It belongs
        // to this thread, which the signal has interrupted for good: whoever was changing it never goes on. What it is
        // shown in the middle of may be inconsistent; a panic or a fault over that ends the process, as intended.
        unsafe {
            let show = std::mem::transmute::<*mut (), fn(&T, &Cause)>(show);
            show(&*state.cast::<T>(), cause);
        }
    };
    SHOW.store(show as *mut (), Ordering::Relaxed);
    SHOW_AS.store(show_as as *mut (), Ordering::Relaxed);
    STATE.store(state.as_ptr().cast(), Ordering::Release);
    Exhibit { _state: state.clone() }
}

impl<T> Drop for Exhibit<T> {
    fn drop(&mut self) {
        STATE.store(ptr::null_mut(), Ordering::Release);
    }
}

fn show_exhibit(cause: &Cause) {
    let state = STATE.load(Ordering::Acquire);
    if state.is_null() {
        return;
    }
    // SAFETY: stored by `exhibit`, before the state was, as a function of this type.
    let show_as = unsafe { std::mem::transmute::<*mut (), ShowAs>(SHOW_AS.load(Ordering::Relaxed)) };
    show_as(state, SHOW.load(Ordering::Relaxed), cause);
}

/// What the loop's thread executes, the innermost last: a stack of values on that thread's own.
struct Running<'a> {
    client: u64,
    args: Args<'a>,
    outer: *const Running<'static>,
}

thread_local! {
    static RUNNING: Cell<*const Running<'static>> = const { Cell::new(ptr::null()) };
}

/// Does `work`, which a report names as the command that was running: of which client, with which arguments.
#[inline]
pub fn while_running<R>(client: u64, args: Args<'_>, work: impl FnOnce() -> R) -> R {
    let outer = RUNNING.get();
    let running = Running { client, args, outer };
    RUNNING.set((&raw const running).cast());
    let result = work();
    RUNNING.set(outer);
    result
}

impl Cause {
    /// The commands that were being executed, the innermost first: the number of the client, and the arguments.
    pub fn running(&self, see: &mut dyn FnMut(u64, Args<'_>)) {
        let mut at: *const Running<'_> = RUNNING.get();
        // SAFETY: the frames that hold these belong to this thread and are below this one, in a handler or a panic
        // hook: none of them has returned or is unwound.
        while let Some(running) = unsafe { at.as_ref() } {
            see(running.client, running.args);
            at = running.outer;
        }
    }
}

/// Accesses memory that may not be accessed.
pub fn segfault() {
    if let Ok(base) = super::reserve_addresses(1) {
        let page: *mut u8 = ptr::with_exposed_provenance_mut(base);
        // SAFETY: a mapping that nobody else knows; that the write then fails is what is asked for.
        unsafe {
            libc::mprotect(page.cast(), 1, libc::PROT_READ);
            page.write_volatile(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::argv::Argv;

    #[test]
    fn texts_have_an_end() {
        let mut text = FixedText { bytes: [0; MESSAGE_BYTES_MAX], used: 0 };
        let long = "ä".repeat(MESSAGE_BYTES_MAX);
        let _ = write!(text, "a{long}");
        assert_eq!((text.used, text.as_str().len()), (MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX - 1));
    }

    #[test]
    fn a_stack_has_frames_in_this_program() {
        let mut frames = [0; FRAMES_MAX];
        let count = walk_stack(&mut frames);
        let (file, offset) = place_of(frames[0]).expect("an address of this program");
        assert!(count > 1 && !file.is_empty() && offset < frames[0]);
    }

    #[test]
    fn what_runs_inside_is_seen_first() {
        let argv = |text: &str| text.split(' ').collect::<Argv>();
        let (outer, inner) = (argv("EXEC"), argv("SET k v"));
        let mut seen = Vec::new();
        while_running(7, outer.args(), || {
            while_running(8, inner.args(), || {
                Cause::none().running(&mut |client, args| seen.push((client, args.len())));
            });
        });
        assert_eq!(seen, [(8, 3), (7, 1)]);
    }
}
