//! Threads for as long as a call lasts, also in a forked child.
//!
//! std's threads allocate. In the child of a process with many threads that must not be: these live on stacks mapped
//! for them alone, and what they work on belongs to the caller, who waits for them.
//!
//! Invariants
//! 1. `beside` returns, or unwinds, only after its thread has ended: so the thread may use what its caller borrowed.
//! 2. Nothing is allocated on the Rust heap. (The C library takes a few hundred bytes for a thread's variables from its
//!    own, whose locks its fork has mended.)
//! 3. No thread is an answer as well: a host that refuses one more makes the work slower, not impossible.
//!
//! A panic on such a thread ends the process, as there is nobody to unwind to.

use nix::sys::signal::{SigSet, SigmaskHow};
use std::ptr::{self, NonNull};

/// Reserved for each thread; what it does not touch costs nothing.
const STACK_BYTES: usize = 1 << 20;
/// Below a stack, so that an overflow is a fault; a multiple of every page size.
const GUARD_BYTES: usize = 64 << 10;

/// Runs `companion` on a thread of its own while `main` runs on this one, and waits for both. Where no thread can be
/// had, `companion` does not run.
pub fn beside<B: FnOnce() + Send, R>(companion: B, main: impl FnOnce() -> R) -> R {
    let mut companion = Some(companion);
    let thread = Thread::start(&mut companion);
    let result = main();
    drop(thread);
    result
}

/// Runs `work` on every item, each on a thread of its own, the first one on this; waits for all. Items for which no
/// thread can be had are left out.
pub fn each_beside<T: Send>(items: &mut [T], work: &(impl Fn(&mut T) + Sync)) {
    match items {
        [] => {}
        [only] => work(only),
        [first, rest @ ..] => beside(|| each_beside(rest, work), || work(first)),
    }
}

/// A running thread; waits for its end when dropped.
struct Thread {
    id: libc::pthread_t,
    stack: Stack,
}

impl Thread {
    /// The thread borrows `companion` until it is dropped, which is not to be prevented.
    fn start<B: FnOnce() + Send>(companion: &mut Option<B>) -> Option<Thread> {
        let stack = Stack::map()?;
        // Signals are for the threads that were there before.
        let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK);
        let id = spawn(&stack, enter::<B>, ptr::from_mut(companion).cast());
        if let Ok(mask) = mask {
            let _ = mask.thread_set_mask();
        }
        Some(Thread { id: id?, stack })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: the thread was made joinable and nobody else waits for it; the stack is unmapped after this.
        let result = unsafe { libc::pthread_join(self.id, ptr::null_mut()) };
        assert!(result == 0 && self.stack.start.as_ptr().is_aligned(), "our own thread can be waited for");
    }
}

fn spawn(
    stack: &Stack,
    entry: extern "C" fn(*mut libc::c_void) -> *mut libc::c_void,
    argument: *mut libc::c_void,
) -> Option<libc::pthread_t> {
    // SAFETY: all-zero bytes are a valid value, which `pthread_attr_init` fills.
    let mut attributes: libc::pthread_attr_t = unsafe { std::mem::zeroed() };
    let mut id: libc::pthread_t = 0;
    // SAFETY: the attributes are initialised before they are used and destroyed after; the stack's memory above its
    // guard is ours, is used by nobody else, and stays mapped until the thread was waited for; `entry` takes what
    // `argument` is.
    let result = unsafe {
        if libc::pthread_attr_init(&raw mut attributes) != 0 {
            return None;
        }
        let base = stack.start.as_ptr().add(GUARD_BYTES);
        let mut result = libc::pthread_attr_setstack(&raw mut attributes, base.cast(), STACK_BYTES);
        if result == 0 {
            result = libc::pthread_create(&raw mut id, &raw const attributes, entry, argument);
        }
        libc::pthread_attr_destroy(&raw mut attributes);
        result
    };
    (result == 0).then_some(id)
}

/// Where a thread begins. A panic cannot leave a function of C's: it ends the process.
extern "C" fn enter<B: FnOnce() + Send>(argument: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `Thread::start` gave the address of an `Option<B>` that outlives this thread and that nobody else
    // touches meanwhile; `B` may be sent here.
    let companion = unsafe { &mut *argument.cast::<Option<B>>() };
    if let Some(companion) = companion.take() {
        companion();
    }
    ptr::null_mut()
}

/// A guard, and a stack above it.
struct Stack {
    start: NonNull<u8>,
}

impl Stack {
    const MAPPED_BYTES: usize = GUARD_BYTES + STACK_BYTES;

    fn map() -> Option<Stack> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let address = unsafe { libc::mmap(ptr::null_mut(), Self::MAPPED_BYTES, protection, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            return None;
        }
        let stack = Stack { start: NonNull::new(address.cast())? };
        // SAFETY: the first part of our own mapping.
        let guarded = unsafe { libc::mprotect(address, GUARD_BYTES, libc::PROT_NONE) };
        (guarded == 0).then_some(stack)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: mapped in `map` with this length; the thread that lived on it has ended.
        unsafe { libc::munmap(self.start.as_ptr().cast(), Self::MAPPED_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn threads_work_on_what_their_caller_borrowed() {
        let total = AtomicUsize::new(0);
        let mut items: Vec<usize> = (1..=9).collect();
        each_beside(&mut items, &|item| {
            total.fetch_add(*item, Ordering::Relaxed);
            *item *= 10;
        });
        assert_eq!(total.into_inner(), 45);
        assert_eq!(items, [10, 20, 30, 40, 50, 60, 70, 80, 90]);
        each_beside(&mut [], &|_: &mut usize| panic!("nothing to do"));
    }

    #[test]
    fn they_run_at_the_same_time_and_are_waited_for() {
        let (ours, theirs) = (Mutex::new(0), Mutex::new(0));
        let main_thread = std::thread::current().id();
        let result = beside(
            || {
                while *ours.lock().unwrap() == 0 {
                    std::thread::yield_now();
                }
                assert_ne!(std::thread::current().id(), main_thread);
                std::thread::sleep(std::time::Duration::from_millis(20));
                *theirs.lock().unwrap() = 2;
            },
            || {
                *ours.lock().unwrap() = 1;
                "done"
            },
        );
        assert_eq!((result, theirs.into_inner().unwrap()), ("done", 2));
    }

    #[test]
    fn a_caller_that_panics_waits_for_its_thread_all_the_same() {
        let ended = AtomicUsize::new(0);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            beside(
                || {
                    std::thread::sleep(std::time::Duration::from_millis(30));
                    ended.store(1, Ordering::Release);
                },
                || std::panic::resume_unwind(Box::new("on purpose")),
            );
        }));
        assert!(caught.is_err());
        assert_eq!(ended.load(Ordering::Acquire), 1);
    }

    #[test]
    fn a_deep_stack_holds() {
        fn deep(depth: usize) -> usize {
            let room = std::hint::black_box([1_u8; 1024]);
            if depth == 0 { 0 } else { usize::from(room[depth]) + deep(depth - 1) }
        }
        let mut depth = 0;
        beside(|| depth = deep(200), || ());
        assert_eq!(depth, 200);
    }
}
