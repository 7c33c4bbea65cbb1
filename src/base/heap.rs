//! Where the heap grows: one reserved stretch of addresses, made resident a step ahead of its use.
//!
//! ```text
//!  start                          next        populated                                        end
//!  | handed to the allocator ...  | resident  | reserved, no memory behind it ...              |
//! ```
//! A huge page that is touched for the first time must be found and zeroed: 0.1 ms on a quiet machine, several where a
//! hypervisor has taken the memory back. The loop must not wait for that. So the allocator's arena of the loop grows
//! by 2 MiB at a time out of this stretch, and a thread has the next 2 MiB ready (`MADV_POPULATE_WRITE`, Linux 5.14).
//! The same thread makes large new hash tables resident, in the order in which a rehash fills them.
//!
//! On a single core, where its work could only interrupt the loop, the thread runs in idle time, and in moments that a
//! busy loop lends it between two turns (`loan`).
//!
//! What the thread was too late for is touched 4 KiB at a time, since huge pages are asked for only where it has been;
//! and a kernel whose memory is in fragments gives small pages without a word. The thread puts such steps together
//! (`MADV_COLLAPSE`, Linux 6.1) after a while, in which they have become full and the growing end has moved away.
//!
//! A load (`fill`) is another matter: the heap will be full to the brim with it, and throughput counts, not the single
//! fault. The thread runs further ahead then. Where it cannot keep up, as several threads fill the heap or the core is
//! taken, and on a single core always, those who load make the next step resident themselves, between two keys: as a
//! huge page, or, for a while after one that was slow to come, as small ones at once.
//!
//! Huge pages come only from here: behind the thread the heap is advised to get no more of them (`MADV_NOHUGEPAGE`,
//! which leaves those that are there). Otherwise what the allocator gave back within a huge page's range would come
//! back as a whole, at a touch or by the kernel's own thread (khugepaged), and a fragmented heap would grow towards
//! what it was at its largest. A heap below `LARGE_BYTES_MIN` may have none at all, if `install` is told so.
//!
//! One mapping for the whole heap also keeps the fork short, and as it is not reserved (`MAP_NORESERVE`) a fork needs
//! no promise of memory from the kernel.
//!
//! Invariants
//! 1. `next` only grows: addresses are handed out once. What is freed stays with the allocator, which purges it.
//! 2. Making pages resident never changes what is in them, so it may race with their use.
//! 3. Without the stretch or the thread everything works, on small pages.
//! 4. Nothing asks for huge pages before the heap `is_large`; it stays so.
//! 5. While a forked child lives (`pause`), nothing is put together: that would copy what the child shares.
//!
//! Deliberately not here: giving memory back (jemalloc's decay does), and repair after a fork (`persist::repair`).

pub mod loan;

use std::collections::VecDeque;
use std::ffi::{c_uint, c_void};
use std::io;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tikv_jemalloc_ctl::raw;
use tikv_jemalloc_sys as sys;

use super::clock::{self, Clock};
use super::os::PageMap;
use super::{cpus, os, pages};

/// The size of a huge page, and the step in which the heap grows, in bytes.
const STEP_BYTES: usize = 2 << 20;
/// How far the thread runs ahead of the heap, in steps; and while a load fills it.
const STEPS_AHEAD: usize = 1;
const STEPS_AHEAD_FILLING: usize = 8;
/// Those who load help when the heap is so near to what is resident. Beside the thread it must be more than one step,
/// as it is still at work on the last.
const STEPS_AHEAD_MIN: usize = 3;
const STEPS_AHEAD_MIN_ALONE: usize = 1;
/// Of the machine's memory, so that fragments never exhaust the addresses.
const RESERVE_FACTOR: usize = 2;
const HOOKS: &[u8] = b"arena.0.extent_hooks\0";
const GROW_LIMIT: &[u8] = b"arena.0.retain_grow_limit\0";

static NEXT: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);
static POPULATED: AtomicUsize = AtomicUsize::new(0);
/// The hooks that jemalloc had before; what does not fit into the stretch goes there.
static ORIGINAL: AtomicPtr<sys::extent_hooks_t> = AtomicPtr::new(null_mut());
static THREAD: OnceLock<Thread> = OnceLock::new();
static TABLES: Mutex<VecDeque<Table>> = Mutex::new(VecDeque::new());
/// Steps that the loop got before they were resident.
static LATE: Mutex<VecDeque<Late>> = Mutex::new(VecDeque::new());
/// The first address of the heap that `LATE` has not been asked about.
static SEEN: AtomicUsize = AtomicUsize::new(0);
/// Whether the thread has a core to work on beside the loop.
static HAS_CORE: AtomicBool = AtomicBool::new(false);
static PAUSED: AtomicBool = AtomicBool::new(false);
/// How many loads are under way.
static FILLS: AtomicUsize = AtomicUsize::new(0);
static START: AtomicUsize = AtomicUsize::new(0);
/// Bytes of all large tables that there ever were, which is no less than those that there are.
static TABLE_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Why the heap stays on small pages.
static OFF: OnceLock<String> = OnceLock::new();
static LARGE: AtomicBool = AtomicBool::new(false);
/// How long a late step is left alone before it is put together.
const QUIET: Duration = Duration::from_millis(500);
/// A heap with its tables is large from this size on: then a fork of small pages would take a millisecond, and rounding
/// up to huge pages is little beside the whole.
pub const LARGE_BYTES_MIN: usize = 64 << 20;
/// Between two of them, so that the loop never waits for the memory map twice in a row.
const REST: Duration = Duration::from_micros(250);

/// From when on the heap is on huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Huge {
    FromTheStart,
    /// From `LARGE_BYTES_MIN` on; until then the process holds them back (`pages::hold_back`).
    WhenLarge,
}

/// Reserves the stretch, has the allocator grow in it, and starts the thread. To be called once, early.
///
/// # Errors
/// When the kernel refuses the addresses or the thread; the heap then grows as before.
pub fn install(huge: Huge) -> io::Result<()> {
    if THREAD.get().is_some() {
        return Ok(());
    }
    let memory = usize::try_from(pages::total_system_memory_bytes()).unwrap_or(usize::MAX / 8);
    let bytes = memory.saturating_mul(RESERVE_FACTOR).next_multiple_of(STEP_BYTES);
    let start = os::reserve_addresses(bytes + STEP_BYTES)?.next_multiple_of(STEP_BYTES);
    LARGE.store(huge == Huge::FromTheStart, Ordering::Release);
    START.store(start, Ordering::Release);
    NEXT.store(start, Ordering::Release);
    POPULATED.store(start, Ordering::Release);
    SEEN.store(start, Ordering::Release);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    HAS_CORE.store(cores > 1, Ordering::Relaxed);
    let thread = std::thread::Builder::new().name("heap_ahead".to_owned()).spawn(work)?;
    let _ = THREAD.set(thread.thread().clone());
    hook()?;
    END.store(start + bytes, Ordering::Release);
    wake();
    Ok(())
}

/// Puts `grow` in the place of the allocator's own way to get addresses, for the arena of the main thread.
fn hook() -> io::Result<()> {
    let failed = |error| io::Error::other(format!("the allocator refuses its hooks: {error}"));
    // SAFETY: the control's type is `extent_hooks_t *`, and what it points to lives as long as the arena.
    let original = unsafe { raw::read::<*mut sys::extent_hooks_t>(HOOKS) }.map_err(failed)?;
    ORIGINAL.store(original, Ordering::Release);
    // SAFETY: as above; the hooks are plain function pointers. The copy is leaked, so it outlives the arena.
    let mut hooks = unsafe { *original };
    hooks.alloc = Some(grow);
    let hooks: *mut sys::extent_hooks_t = Box::into_raw(Box::new(hooks));
    // SAFETY: the control takes a pointer to hooks that stay valid; apart from `alloc` they are the original ones,
    // which work on any private anonymous mapping.
    unsafe { raw::write(HOOKS, hooks) }.map_err(failed)?;
    // SAFETY: the control's type is `size_t`.
    unsafe { raw::write(GROW_LIMIT, STEP_BYTES) }.map_err(failed)
}

/// jemalloc's hook: the next `size` bytes of the stretch.
unsafe extern "C" fn grow(
    hooks: *mut sys::extent_hooks_t,
    address: *mut c_void,
    size: usize,
    alignment: usize,
    zero: *mut bool,
    commit: *mut bool,
    arena: c_uint,
) -> *mut c_void {
    if address.is_null()
        && let Some(start) = take(size, alignment)
    {
        ask_for_more();
        // SAFETY: jemalloc passes valid places for both answers. Nothing was ever written to the range, so it is zero.
        unsafe {
            *zero = true;
            *commit = true;
        }
        return without_provenance_mut(start);
    }
    // SAFETY: set before this hook was; the original is called as jemalloc would have.
    let original = unsafe { (*ORIGINAL.load(Ordering::Acquire)).alloc };
    match original {
        // SAFETY: the arguments are jemalloc's own.
        Some(alloc) => unsafe { alloc(hooks, address, size, alignment, zero, commit, arena) },
        None => null_mut(),
    }
}

/// The heap has grown: has its next step made resident.
fn ask_for_more() {
    let is_near = NEXT.load(Ordering::Relaxed) + STEP_BYTES > POPULATED.load(Ordering::Relaxed);
    if is_near && !HAS_CORE.load(Ordering::Relaxed) && LARGE.load(Ordering::Relaxed) && !is_filling() {
        loan::ask(1);
    }
    wake();
}

/// Takes the next `size` bytes at a multiple of `alignment`, a power of two. `None` when the stretch is used up.
fn take(size: usize, alignment: usize) -> Option<usize> {
    let end = END.load(Ordering::Acquire);
    let place = |next: usize| {
        let start = next.checked_next_multiple_of(alignment)?;
        start.checked_add(size).filter(|after| *after <= end).map(|after| (start, after))
    };
    let taken =
        NEXT.fetch_update(Ordering::AcqRel, Ordering::Acquire, |next| place(next).map(|(_, after)| after));
    taken.ok().and_then(place).map(|(start, _)| start)
}

/// What is in force, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Huge,
    /// The heap is small yet.
    NotYet,
    Off(&'static str),
}

/// Says, once, that the heap stays on small pages.
pub fn stay_small(reason: String) {
    let _ = OFF.set(reason);
}

pub fn status() -> Status {
    match OFF.get() {
        Some(reason) => Status::Off(reason),
        None if THREAD.get().is_some() && !is_large() => Status::NotYet,
        None => Status::Huge,
    }
}

/// Whether the heap is on huge pages; decides it anew while it is not.
fn is_large() -> bool {
    if LARGE.load(Ordering::Acquire) {
        return true;
    }
    let heap_bytes = NEXT.load(Ordering::Acquire) - START.load(Ordering::Acquire);
    let is_large = heap_bytes + TABLE_BYTES.load(Ordering::Relaxed) >= LARGE_BYTES_MIN;
    if is_large && !LARGE.swap(true, Ordering::AcqRel) {
        pages::allow();
    }
    is_large
}

/// Lets huge pages come to the heap, until the result is dropped.
pub fn open_for_huge_pages() -> OpenHeap {
    let start = START.load(Ordering::Acquire);
    let end = NEXT.load(Ordering::Acquire);
    OpenHeap::open(start, (end - end % STEP_BYTES).saturating_sub(start))
}

/// A stretch that may get huge pages.
#[must_use]
pub struct OpenHeap {
    start: usize,
    bytes: usize,
}

impl OpenHeap {
    fn open(start: usize, bytes: usize) -> OpenHeap {
        if bytes > 0 {
            // Refused, nothing can be put together: that is told where it is tried.
            let _ = os::advise_huge_pages(start, bytes);
        }
        OpenHeap { start, bytes }
    }
}

impl Drop for OpenHeap {
    fn drop(&mut self) {
        if self.bytes > 0 {
            // Refused, the heap may grow somewhat where it was given back.
            let _ = os::advise_no_more_huge_pages(self.start, self.bytes);
        }
    }
}

fn wake() {
    if let Some(thread) = THREAD.get() {
        thread.unpark();
    }
}

/// While one of these lives a load is under way.
pub struct Filling {
    steps: Steps,
    steps_ahead: usize,
}

/// Makes steps resident, as huge pages as long as these are quick to come.
struct Steps {
    clock: Clock,
    map: Option<PageMap>,
    /// How many steps go to small pages after the next slow huge page.
    patience: usize,
    patience_min: usize,
    /// How many of them are left.
    small: usize,
}

/// A huge page that takes longer than so many small ones is slow: memory is in pieces, or the host must find some.
const SLOW_NS: u64 = 1_000_000;
const PATIENCE_MIN: usize = 4;
const PATIENCE_MAX: usize = 64;
/// More steps of a table than these are left to its first touches.
const TABLE_STEPS_MAX: usize = 128;

/// The heap and the tables are about to be filled as fast as can be.
pub fn fill() -> Filling {
    FILLS.fetch_add(1, Ordering::AcqRel);
    wake();
    let has_core = HAS_CORE.load(Ordering::Relaxed);
    // Beside the thread small pages would gain nothing: it goes on with huge ones.
    let (steps_ahead, patience) =
        if has_core { (STEPS_AHEAD_MIN, 0) } else { (STEPS_AHEAD_MIN_ALONE, PATIENCE_MIN) };
    Filling { steps: Steps::new(patience), steps_ahead }
}

impl Filling {
    /// Makes the heap's next step resident if it is not and no thread is in time to do it. To be called often: every
    /// time before a few kilobytes are taken from the heap.
    #[inline]
    pub fn go_on(&mut self) {
        if NEXT.load(Ordering::Relaxed) + self.steps_ahead * STEP_BYTES > POPULATED.load(Ordering::Relaxed) {
            self.populate_next();
        }
    }

    #[cold]
    fn populate_next(&mut self) {
        // What of a step in use is not resident is being touched.
        let Some(start) = claim(|next| next.next_multiple_of(STEP_BYTES), self.steps_ahead) else { return };
        if self.steps.populate(start) {
            let _ = os::advise_no_more_huge_pages(start, STEP_BYTES);
        } else {
            remember(&[start]);
        }
        note_claimed(start);
    }
}

impl Steps {
    /// `patience`: 0 for huge pages, however slow they are.
    fn new(patience: usize) -> Steps {
        let (clock, map) = (Clock::real(), PageMap::open().ok());
        Steps { clock, map, patience, patience_min: patience, small: 0 }
    }

    /// Makes one step resident; whether on a huge page.
    fn populate(&mut self, start: usize) -> bool {
        if self.small > 0 || !is_large() {
            self.small = self.small.saturating_sub(1);
            // Refused by an old kernel, it becomes resident as it is touched.
            let _ = os::populate(start, STEP_BYTES);
            return false;
        }
        let before_ns = self.clock.mono_ns();
        let is_huge = populate_huge(start, self.map.as_ref());
        if is_huge && self.clock.mono_ns() - before_ns < SLOW_NS {
            self.patience = (self.patience / 2).max(self.patience_min);
        } else {
            self.small = self.patience;
            self.patience = (self.patience * 2).min(PATIENCE_MAX);
        }
        is_huge
    }

    /// Makes a new table resident.
    fn populate_table(&mut self, start: usize, bytes: usize) {
        let mut places = (start..start + bytes).step_by(STEP_BYTES);
        let late = places.clone().take(TABLE_STEPS_MAX).filter(|start| !self.populate(*start));
        remember(&late.collect::<Vec<usize>>());
        if let Some(rest) = places.nth(TABLE_STEPS_MAX) {
            let _ = os::advise_huge_pages(rest, start + bytes - rest);
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        FILLS.fetch_sub(1, Ordering::AcqRel);
    }
}

fn is_filling() -> bool {
    FILLS.load(Ordering::Acquire) > 0
}

/// How much of a table's memory is resident, in steps of two huge pages: one of each half.
#[derive(Clone)]
pub struct Progress(Arc<AtomicUsize>);

impl Progress {
    /// Whether the bytes before `offset` of both halves are resident, or nobody works on it any more.
    pub fn covers(&self, offset: usize) -> bool {
        self.0.load(Ordering::Acquire) > offset / STEP_BYTES
    }
}

struct Table {
    start: usize,
    bytes: usize,
    done: Arc<AtomicUsize>,
}

impl Table {
    /// Makes the next huge page of each half resident; whether there is more to do.
    fn step(&self, map: Option<&PageMap>) -> bool {
        let (half, done) = (self.bytes / 2, self.done.load(Ordering::Relaxed));
        let offset = done * STEP_BYTES;
        let mut populated = populate_huge(self.start + offset, map);
        if half >= STEP_BYTES {
            populated &= populate_huge(self.start + half + offset, map);
        }
        let is_last = offset + STEP_BYTES >= half || !populated;
        self.done.store(if is_last { usize::MAX } else { done + 1 }, Ordering::Release);
        !is_last
    }

    /// Leaves the table to be touched in small pages and put together later.
    fn leave(&self) {
        self.done.store(usize::MAX, Ordering::Release);
        remember(&steps_of(self.start, self.start + self.bytes));
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A step on small pages.
struct Late {
    start: usize,
    since: Instant,
}

/// Has steps put together when they have become full.
fn remember(steps: &[usize]) {
    let since = clock::instant();
    lock(&LATE).extend(steps.iter().map(|start| Late { start: *start, since }));
}

fn steps_of(start: usize, end: usize) -> Vec<usize> {
    (start..end).step_by(STEP_BYTES).collect()
}

/// Makes a step resident, on a huge page if that can be; otherwise it will be put together later.
fn populate_huge(start: usize, map: Option<&PageMap>) -> bool {
    if os::advise_huge_pages(start, STEP_BYTES).and_then(|()| os::populate(start, STEP_BYTES)).is_err() {
        return false;
    }
    // A kernel that does not tell is believed.
    if map.and_then(|map| map.count(start, STEP_BYTES).ok()).is_some_and(|pages| pages.huge == 0) {
        remember(&[start]);
    }
    true
}

/// Has a new table of `bytes` at `start` made resident, in the order in which doubling fills it: both halves from
/// their beginnings. While the heap is small it is left to small pages. While a load is under way, which fills it in no
/// order, it is resident on return. `None` when no thread is there.
pub fn populate_table(start: usize, bytes: usize) -> Option<Progress> {
    let thread = THREAD.get()?;
    let done = Arc::new(AtomicUsize::new(0));
    let table = Table { start, bytes, done: done.clone() };
    TABLE_BYTES.fetch_add(bytes, Ordering::Relaxed);
    if is_filling() {
        Steps::new(PATIENCE_MIN).populate_table(start, bytes);
        done.store(usize::MAX, Ordering::Release);
    } else if is_large() {
        lock(&TABLES).push_back(table);
        if !HAS_CORE.load(Ordering::Relaxed) {
            loan::ask(bytes.div_ceil(STEP_BYTES));
        }
        thread.unpark();
    } else {
        table.leave();
    }
    Some(Progress(done))
}

/// Nothing is put together from now on: a child will share the heap.
pub fn pause() {
    PAUSED.store(true, Ordering::Release);
}

/// The child is gone.
pub fn resume() {
    PAUSED.store(false, Ordering::Release);
    wake();
}

/// The thread: the heap's next step first, then the tables in turn, then what it was too late for.
fn work() {
    cpus::join_helpers();
    let has_core = HAS_CORE.load(Ordering::Relaxed);
    if !has_core {
        os::prefer_idle_time();
    }
    let map = PageMap::open().ok();
    loop {
        if !is_large() {
            std::thread::park();
            continue;
        }
        // On a single core a load goes ahead itself.
        if (has_core || !is_filling()) && run_ahead(map.as_ref()) {
            continue;
        }
        loan::settle();
        note_late_steps(NEXT.load(Ordering::Acquire));
        let late_for = lock(&LATE).front().map(|late| late.since.elapsed());
        match late_for {
            Some(late_for) if !PAUSED.load(Ordering::Acquire) => {
                if late_for >= QUIET {
                    put_together(map.as_ref());
                }
                // Growth ends it early.
                std::thread::park_timeout(QUIET.saturating_sub(late_for).max(REST));
            }
            _ => std::thread::park(),
        }
    }
}

/// One step of the heap and of a table; whether there was something to do.
fn run_ahead(map: Option<&PageMap>) -> bool {
    let grew = populate_next(map);
    let table = lock(&TABLES).pop_front();
    let had_table = table.is_some();
    if let Some(table) = table
        && table.step(map)
    {
        lock(&TABLES).push_back(table);
    }
    grew || had_table
}

/// Makes the step behind what was handed out resident; whether there was something to do.
fn populate_next(map: Option<&PageMap>) -> bool {
    let steps_ahead = if is_filling() { STEPS_AHEAD_FILLING } else { STEPS_AHEAD };
    let Some(start) = claim(|next| next - next % STEP_BYTES, steps_ahead) else { return false };
    if !populate_huge(start, map) {
        return false;
    }
    let _ = os::advise_no_more_huge_pages(start, STEP_BYTES);
    note_claimed(start);
    true
}

/// The next step that is to be made resident, which is the caller's then; none when `steps_ahead` are, or the stretch
/// ends. `first` tells where the first one begins, if the heap has grown to an address.
fn claim(first: impl Fn(usize) -> usize, steps_ahead: usize) -> Option<usize> {
    let end = END.load(Ordering::Acquire);
    let mut start = 0;
    let claimed = POPULATED.fetch_update(Ordering::AcqRel, Ordering::Acquire, |populated| {
        let next = NEXT.load(Ordering::Acquire);
        start = populated.max(first(next));
        let is_wanted = start < next + steps_ahead * STEP_BYTES && start + STEP_BYTES <= end;
        is_wanted.then_some(start + STEP_BYTES)
    });
    claimed.is_ok().then_some(start)
}

/// What lies in front of a step that was claimed is late, unless it was claimed, too.
fn note_claimed(start: usize) {
    note_late_steps(start);
    SEEN.fetch_max(start + STEP_BYTES, Ordering::Relaxed);
}

/// Remembers the steps before `until` that were handed out and never populated.
fn note_late_steps(until: usize) {
    let until = until - until % STEP_BYTES;
    let seen = SEEN.fetch_max(until, Ordering::Relaxed);
    if seen < until {
        remember(&steps_of(seen, until));
    }
}

/// Puts one late step on a huge page, if it is full of small ones. A step that is gone, or cannot be helped, is
/// forgotten.
fn put_together(map: Option<&PageMap>) {
    let Some(Late { start, .. }) = lock(&LATE).pop_front() else { return };
    if pages::is_split(start, map) {
        let _open = OpenHeap::open(start, STEP_BYTES);
        // What fails here stays on small pages; the repair after the next save tries again.
        let _ = pages::collapse(start..start + STEP_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heap_grows_in_the_stretch_and_tables_become_resident() {
        install(Huge::FromTheStart).expect("addresses and a thread");
        let before = NEXT.load(Ordering::Acquire);
        let blocks: Vec<Vec<u8>> = (0..64).map(|number| vec![number; 1 << 20]).collect();
        assert!(
            blocks.iter().enumerate().all(|(number, block)| block.iter().all(|byte| *byte == number as u8))
        );
        assert!(NEXT.load(Ordering::Acquire) >= before);
        let table = os::reserve_addresses(8 * STEP_BYTES).expect("addresses").next_multiple_of(STEP_BYTES);
        let progress = populate_table(table, 4 * STEP_BYTES).expect("a thread");
        while !progress.covers(2 * STEP_BYTES - 1) {
            std::thread::yield_now();
        }
        assert_eq!(os::resident_pages(table, STEP_BYTES), Ok(STEP_BYTES / 4096));
    }

    #[test]
    fn a_load_finds_its_memory_resident() {
        let place = os::reserve_addresses(8 * STEP_BYTES).expect("addresses").next_multiple_of(STEP_BYTES);
        let mut steps = Steps::new(PATIENCE_MIN);
        steps.populate_table(place, 3 * STEP_BYTES);
        (steps.small, steps.patience) = (1, 8);
        assert!(!steps.populate(place + 3 * STEP_BYTES), "small ones after a slow one");
        for step in 0..4 {
            assert_eq!(os::resident_pages(place + step * STEP_BYTES, STEP_BYTES), Ok(STEP_BYTES / 4096));
        }
        assert_eq!(steps.small, 0);
        install(Huge::FromTheStart).expect("addresses and a thread");
        let mut filling = fill();
        assert!(is_filling());
        filling.go_on();
    }

    #[test]
    fn places_are_aligned_and_end_with_the_stretch() {
        assert_eq!(take(usize::MAX, 4096), None);
    }
}
