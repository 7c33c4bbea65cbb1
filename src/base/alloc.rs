//! The allocator: jemalloc on huge pages, its settings, and what it can say about itself.
//!
//! Settings (`MALLOC_CONF` below, read by jemalloc before `main`):
//!
//! | setting | why |
//! |---|---|
//! | `thp:always` | a fork copies 512 times fewer page-table entries; fewer TLB misses |
//! | `metadata_thp:auto` | jemalloc's own tables too, once they are worth a huge page |
//! | `narenas:2` | the loop's and the helpers': no contention, few locks to take at fork |
//! | `background_thread:false` | such a thread must be stopped and started at each fork |
//! | `dirty_decay_ms:10000` | freed pages stay for the next writes; purging splits huge pages |
//! | `muzzy_decay_ms:0` | what is given back is given back at once, so that RSS says the truth |
//! | `cache_oblivious:false` | no extra 4 KiB for each allocation of 16 KiB and more |
//!
//! Size classes. `.cargo/config.toml` builds jemalloc with a quantum of 8 bytes: 8, 16, 24, 32, 40, 48, 56,
//! 64, 80 ... With it jemalloc aligns to 16 only sizes that are multiples of 16, while Rust may ask for 36
//! bytes aligned to 16 (hashbrown does) and `tikv_jemallocator` would pass that on without an alignment flag.
//! `Allocator` therefore rounds each size up to its alignment first.
//!
//! Invariants
//! 1. The same rounding is applied in `alloc`, `realloc` and `dealloc`, so jemalloc sees consistent sizes.
//! 2. A size that is a multiple of 16 lands in a class that is a multiple of 16, whatever the quantum; slabs
//!    are page aligned, hence each region of such a class is aligned to 16.
//! 3. Nobody reads another thread's counters: threads *publish* theirs (`publish`), so no pointer can dangle.
//!
//! Not here: limits (`maxmemory` belongs to `keyspace`), defragmentation, and any heap profile.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI64, Ordering};

use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp, deallocatedp};
use tikv_jemalloc_ctl::{epoch, raw, stats};
use tikv_jemalloc_sys as sys;
use tikv_jemallocator::Jemalloc;

/// Index that stands for all arenas in jemalloc's control names (`MALLCTL_ARENAS_ALL`).
const PURGE_ALL_ARENAS: &[u8] = b"arena.4096.purge\0";
const DECAY_ALL_ARENAS: &[u8] = b"arena.4096.decay\0";
const MUZZY_PAGES: &[u8] = b"stats.arenas.4096.pmuzzy\0";
const PAGE_SIZE: &[u8] = b"arenas.page\0";

/// jemalloc with sizes rounded up to their alignment; see the head of this file.
pub struct Allocator;

#[global_allocator]
pub static ALLOCATOR: Allocator = Allocator;

/// A C string that C code reads through a global pointer.
#[repr(transparent)]
pub struct ConfigurationText(*const c_char);

// SAFETY: it points to an immutable string constant.
unsafe impl Sync for ConfigurationText {}

/// jemalloc's `const char *malloc_conf`, under the prefix the crate builds it with.
// SAFETY: the symbol is weak in jemalloc, made to be overridden; the type has the layout of `const char *`.
#[used]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static MALLOC_CONF: ConfigurationText = ConfigurationText(
    concat!(
        "thp:always,metadata_thp:auto,narenas:2,background_thread:false,",
        "dirty_decay_ms:10000,muzzy_decay_ms:0,cache_oblivious:false\0"
    )
    .as_ptr()
    .cast(),
);

// SAFETY: `Jemalloc` is a sound allocator for the padded layout, which is at least as large and as aligned as
// the one asked for. `pad_to_align` depends on the layout alone, so the layout given back at `dealloc` is the
// one used at `alloc`.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract, passed on; padding keeps the size above zero.
        unsafe { Jemalloc.alloc(layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { Jemalloc.alloc_zeroed(layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` or `realloc` with this layout, padded in the same way.
        unsafe { Jemalloc.dealloc(pointer, layout.pad_to_align()) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that `size`, rounded up to the alignment, does not overflow `isize`.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) }.pad_to_align();
        // SAFETY: the caller's contract, passed on.
        unsafe { Jemalloc.realloc(pointer, layout.pad_to_align(), wanted.size()) }
    }
}

/// Bytes of the size class that holds an allocation of `size` bytes (alignment up to 8): multiples of 8 up to 64, then
/// four classes to a doubling up to 16 KiB, then whole pages. What is kept in one block can grow in place up to this.
#[inline]
pub const fn size_class(size: usize) -> usize {
    const PAGE_BYTES: usize = 4096;
    const PAGED_BYTES_MIN: usize = 16 << 10;
    match size {
        0..=8 => 8,
        9..=64 => size.next_multiple_of(8),
        PAGED_BYTES_MIN.. => size.next_multiple_of(PAGE_BYTES),
        _ => size.next_multiple_of(1 << ((size - 1).ilog2() - 2)),
    }
}

/// Bytes that the allocation at `pointer` really occupies.
///
/// # Safety
/// `pointer` was returned by the global allocator and has not been freed.
pub unsafe fn usable_size<T: ?Sized>(pointer: *const T) -> usize {
    // SAFETY: the caller's promise; the allocator is jemalloc.
    unsafe { tikv_jemallocator::usable_size(pointer.cast::<u8>()) }
}

/// Bytes that a vector's buffer really occupies.
pub fn vec_usable_size<T>(vec: &Vec<T>) -> usize {
    match vec.capacity() * size_of::<T>() {
        0 => 0,
        // SAFETY: a vector with capacity owns a live allocation of the global allocator.
        _ => unsafe { usable_size(vec.as_ptr()) },
    }
}

/// Makes the calling thread take its memory where the main thread takes its own, on the heap's huge pages; other
/// threads share another arena. For those that make what the loop will keep. Whether jemalloc accepted.
pub fn share_the_loops_arena() -> bool {
    const ARENA_OF_THREAD: &[u8] = b"thread.arena\0";
    // SAFETY: the name ends with NUL, the control's type is `unsigned`, and arena 0 exists from the start.
    unsafe { raw::write::<u32>(ARENA_OF_THREAD, 0) }.is_ok()
}

/// Sum of what all threads have published: allocated minus freed, in bytes of size classes.
static PUBLISHED_BYTES: AtomicI64 = AtomicI64::new(0);

/// The calling thread's counters inside jemalloc, and how much of them is in the sum already.
struct Account {
    allocated: ThreadLocal<u64>,
    deallocated: ThreadLocal<u64>,
    published: Cell<i64>,
}

thread_local! {
    static ACCOUNT: Option<Account> = Account::open();
}

impl Account {
    fn open() -> Option<Account> {
        Some(Account {
            allocated: allocatedp::read().ok()?,
            deallocated: deallocatedp::read().ok()?,
            published: Cell::new(0),
        })
    }

    fn publish(&self) {
        let balance = self.allocated.get().wrapping_sub(self.deallocated.get()) as i64;
        let news = balance - self.published.replace(balance);
        if news != 0 {
            PUBLISHED_BYTES.fetch_add(news, Ordering::Relaxed);
        }
    }
}

/// Adds what the calling thread allocated and freed since it last published. A helper thread calls it after
/// each job; a thread that never does is invisible to `used_memory_bytes`.
#[inline]
pub fn publish() {
    // A thread that is being torn down has no account any more; its last jobs have been published.
    let _ = ACCOUNT.try_with(|account| account.as_ref().map(Account::publish));
}

/// Bytes in use, counted in size classes as Redis does: exact for the calling thread, and for the others as
/// of their last `publish`. Excludes jemalloc's metadata and unused pages. About 5 ns: no lock, no epoch, no
/// system call.
#[inline]
pub fn used_memory_bytes() -> usize {
    publish();
    // Negative for a moment when a helper has freed what an unpublished thread allocated.
    PUBLISHED_BYTES.load(Ordering::Relaxed).max(0) as usize
}

/// jemalloc's totals in bytes, as INFO memory needs them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Handed out to the program.
    pub allocated: usize,
    /// In pages that hold something handed out.
    pub active: usize,
    /// In physical memory, metadata and unused dirty pages included.
    pub resident: usize,
    /// Mapped.
    pub mapped: usize,
    /// Address space kept for later, not backed by memory.
    pub retained: usize,
    /// jemalloc's own tables.
    pub metadata: usize,
    /// Given back lazily: the kernel may still count them as resident.
    pub muzzy: usize,
}

/// Refreshes and reads the totals. It takes jemalloc's locks for some microseconds: for INFO, not for each
/// command. A field that cannot be read is 0.
pub fn statistics() -> Statistics {
    let _ = epoch::advance();
    Statistics {
        allocated: stats::allocated::read().unwrap_or(0),
        active: stats::active::read().unwrap_or(0),
        resident: stats::resident::read().unwrap_or(0),
        mapped: stats::mapped::read().unwrap_or(0),
        retained: stats::retained::read().unwrap_or(0),
        metadata: stats::metadata::read().unwrap_or(0),
        muzzy: read_size(MUZZY_PAGES) * read_size(PAGE_SIZE),
    }
}

/// Gives all unused dirty pages back to the kernel (MEMORY PURGE). Returns whether jemalloc accepted.
pub fn purge() -> bool {
    // SAFETY: the name ends with NUL and the control takes no values.
    let result =
        unsafe { sys::mallctl(PURGE_ALL_ARENAS.as_ptr().cast(), null_mut(), null_mut(), null_mut(), 0) };
    result == 0
}

/// Gives those unused dirty pages back to the kernel whose time has come. jemalloc does it only while somebody
/// allocates: after everything was deleted nobody may. To be called now and then, off the loop, as giving back takes
/// its time.
pub fn decay() {
    // SAFETY: the name ends with NUL and the control takes no values.
    unsafe { sys::mallctl(DECAY_ALL_ARENAS.as_ptr().cast(), null_mut(), null_mut(), null_mut(), 0) };
}

/// jemalloc's own report (MEMORY MALLOC-STATS), some tens of kilobytes.
pub fn malloc_stats_text() -> String {
    let mut text: Vec<u8> = Vec::with_capacity(64 * 1024);
    // SAFETY: the callback gets `text`, which lives for the whole call and is borrowed by nobody else; a null
    // option string means the full report.
    unsafe { sys::malloc_stats_print(Some(append_text), (&raw mut text).cast(), std::ptr::null()) };
    String::from_utf8_lossy(&text).into_owned()
}

/// jemalloc's write callback for `malloc_stats_text`.
unsafe extern "C" fn append_text(text: *mut c_void, part: *const c_char) {
    // SAFETY: `text` is the vector of `malloc_stats_text`; `part` is a C string of jemalloc's, valid during
    // the call.
    let (text, part) = unsafe { (&mut *text.cast::<Vec<u8>>(), CStr::from_ptr(part)) };
    text.extend_from_slice(part.to_bytes());
}

/// The allocator's name and version as INFO prints it: `jemalloc-5.3.1`.
pub fn name() -> String {
    let version = tikv_jemalloc_ctl::version::read().unwrap_or("unknown");
    format!("jemalloc-{}", version.split('-').next().unwrap_or(version))
}

fn read_size(name: &'static [u8]) -> usize {
    // SAFETY: both names used in this file end with NUL and denote a `size_t`.
    unsafe { raw::read::<usize>(name) }.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    fn option_text(name: &'static [u8]) -> String {
        // SAFETY: the names below end with NUL and denote C strings that live for ever.
        let text = unsafe { raw::read::<*const c_char>(name) }.expect("a readable option");
        // SAFETY: see above.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    }

    #[test]
    fn the_settings_arrived() {
        assert_eq!(option_text(b"opt.thp\0"), "always");
        assert_eq!(option_text(b"opt.metadata_thp\0"), "auto");
        // SAFETY: these options are an unsigned, a signed size and a bool.
        unsafe {
            assert_eq!(raw::read::<u32>(b"opt.narenas\0"), Ok(2));
            assert_eq!(raw::read::<isize>(b"opt.muzzy_decay_ms\0"), Ok(0));
            assert_eq!(raw::read::<bool>(b"opt.cache_oblivious\0"), Ok(false));
            assert_eq!(raw::read::<bool>(b"opt.background_thread\0"), Ok(false));
        }
    }

    #[test]
    fn small_classes_go_in_steps_of_eight() {
        assert_eq!([1, 9, 17, 40, 41, 56, 65].map(size_class), [8, 16, 24, 40, 48, 56, 80]);
        for size in (1..20_000).chain((20..40).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]))
        {
            // SAFETY: nallocx only computes; a size of zero is its one forbidden argument.
            assert_eq!(size_class(size), unsafe { sys::nallocx(size, 0) }, "{size}");
        }
        let forty: Vec<u64> = black_box(Vec::with_capacity(5));
        assert_eq!(vec_usable_size(&forty), 40);
        assert_eq!(vec_usable_size(&Vec::<u8>::new()), 0);
    }

    #[test]
    fn every_alignment_is_kept_whatever_the_size() {
        for align in [1, 2, 4, 8, 16, 32, 64, 4096] {
            for size in (1..=200).chain([1000, 4097, 20_001]) {
                let layout = Layout::from_size_align(size, align).unwrap();
                // Several at a time: the first region of a slab is page aligned in any case.
                let pointers: Vec<*mut u8> = (0..3).map(|_| aligned_roundtrip(layout)).collect();
                // SAFETY: `aligned_roundtrip` ends with a realloc to this size.
                let last = Layout::from_size_align(size + 20, align).unwrap();
                // SAFETY: allocated just now with this layout.
                pointers.into_iter().for_each(|pointer| unsafe { ALLOCATOR.dealloc(pointer, last) });
            }
        }
    }

    fn aligned_roundtrip(layout: Layout) -> *mut u8 {
        // SAFETY: the layout has a size; each byte written lies inside the allocation.
        unsafe {
            let pointer = ALLOCATOR.alloc(layout);
            assert_eq!(pointer as usize % layout.align(), 0, "{layout:?}");
            pointer.write_bytes(0xa5, layout.size());
            let pointer = ALLOCATOR.realloc(pointer, layout, layout.size() + 20);
            assert_eq!(pointer as usize % layout.align(), 0, "{layout:?} grown");
            assert_eq!(*pointer.add(layout.size() - 1), 0xa5);
            pointer
        }
    }

    #[test]
    fn used_memory_follows_this_thread_and_what_others_publish() {
        let before = used_memory_bytes();
        let block = black_box(vec![1_u8; 64 << 20]);
        let with_block = used_memory_bytes();
        // Other tests publish at the same time: the block is larger than all they do.
        assert!(with_block >= before + (48 << 20), "{before} {with_block}");
        let helper = std::thread::spawn(move || {
            drop(block);
            publish();
        });
        helper.join().unwrap();
        assert!(used_memory_bytes() + (48 << 20) <= with_block);
    }

    #[test]
    fn statistics_are_plausible() {
        let kept = black_box(vec![1_u8; 1 << 20]);
        let read = statistics();
        assert!(read.allocated >= kept.len() && read.active >= read.allocated, "{read:?}");
        assert!(read.resident >= read.active && read.metadata > 0, "{read:?}");
        decay();
        assert!(purge());
        assert!(malloc_stats_text().contains("Allocated:"));
        assert!(name().starts_with("jemalloc-5."), "{}", name());
    }
}
