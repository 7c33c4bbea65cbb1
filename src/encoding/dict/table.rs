//! A power of two of buckets, and where their memory comes from.
//!
//! Tables below 1 MiB come from the allocator. Larger ones are mappings of our own: the kernel hands out
//! their pages zeroed when they are first touched, so that making a table of any size costs a few
//! microseconds; and while a rehash empties one, the part behind it goes back in steps of 2 MiB, so that the
//! last unmap is cheap, too. Mappings of 2 MiB and more are aligned to, and ask for, huge pages.
//!
//! A table knows words and hashes, no keys. It deliberately does not drop items or overflow buckets when it
//! is dropped: `Dict` drains it first.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::bucket::{Bucket, Line, SlotSet, Word, tag_of};
use crate::base::heap::{self, Progress};
use crate::base::os;
use crate::encoding::prefetch::{prefetch, prefetch_two_lines};

/// Tables of at least so many bytes are mapped.
const MAPPED_BYTES_MIN: usize = 1 << 20;
/// Size and alignment of a huge page; also the step in which a table's memory goes back.
const HUGE_PAGE_BYTES: usize = 2 << 20;
/// Buckets in one such step.
const RELEASE_BUCKETS: usize = HUGE_PAGE_BYTES / size_of::<Line>();

/// Bytes of the tables of this process that are mappings of their own.
static MAPPED_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Bytes of all tables that are mapped directly, which the allocator does not know of: of every `Dict` there is, on any
/// thread.
#[inline]
pub fn mapped_bytes_total() -> usize {
    MAPPED_BYTES.load(Ordering::Relaxed)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    Unallocated,
    Heap,
    Mapped,
}

pub(super) struct Table {
    lines: NonNull<Line>,
    mask: usize,
    items: usize,
    overflow_bytes: usize,
    memory: Memory,
    /// A mapped table becomes resident in the background; `None` when nobody makes it so.
    progress: Option<Progress>,
}

/// Where an item lies: valid until the table changes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    bucket: Bucket,
    slot: usize,
}

impl Place {
    #[inline]
    pub(super) fn slot(self) -> *mut Word {
        self.bucket.slot(self.slot)
    }
}

/// The bucket that a table without memory reads, so that looking something up needs no test for it. It is never
/// written: such a table refuses insertions and holds nothing to remove.
static NOTHING: Line = Line::EMPTY;

impl Table {
    pub(super) fn unallocated() -> Table {
        let lines = NonNull::from(&NOTHING);
        Table { lines, mask: 0, items: 0, overflow_bytes: 0, memory: Memory::Unallocated, progress: None }
    }

    /// An empty table of `count` buckets, a power of two.
    pub(super) fn with_buckets(count: usize) -> Table {
        assert!(count.is_power_of_two() && count <= super::BUCKETS_MAX);
        let layout = table_layout(count);
        let (memory, address) = if layout.size() >= MAPPED_BYTES_MIN {
            (Memory::Mapped, map(layout))
        } else {
            // SAFETY: the layout has a size above zero.
            (Memory::Heap, unsafe { alloc_zeroed(layout) })
        };
        let Some(lines) = NonNull::new(address.cast::<Line>()) else { handle_alloc_error(layout) };
        if memory == Memory::Mapped {
            MAPPED_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        }
        let is_large = layout.size() >= HUGE_PAGE_BYTES;
        let progress = is_large.then(|| heap::populate_table(address.addr(), layout.size())).flatten();
        if is_large && progress.is_none() {
            // Refused by a kernel without huge pages: then the table is on small ones.
            let _ = os::advise_huge_pages(address.addr(), layout.size());
        }
        Table { lines, mask: count - 1, items: 0, overflow_bytes: 0, memory, progress }
    }

    pub(super) fn is_allocated(&self) -> bool {
        self.memory != Memory::Unallocated
    }

    /// Buckets, without overflow buckets; 0 without memory.
    #[inline]
    pub(super) fn count(&self) -> usize {
        if self.is_allocated() { self.mask + 1 } else { 0 }
    }

    #[inline]
    pub(super) fn mask(&self) -> usize {
        self.mask
    }

    #[inline]
    pub(super) fn items(&self) -> usize {
        self.items
    }

    /// Whether moving bucket `index` of a smaller table here would meet resident memory only. A smaller table's bucket
    /// goes to the same index of the first half, or of the second.
    #[inline]
    pub(super) fn is_resident_for(&self, index: usize) -> bool {
        match &self.progress {
            None => true,
            Some(progress) => progress.covers((index & (self.mask >> 1)) * size_of::<Line>()),
        }
    }

    pub(super) fn overflow_bytes(&self) -> usize {
        self.overflow_bytes
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.count() * size_of::<Line>() + self.overflow_bytes
    }

    pub(super) fn mapped_bytes(&self) -> usize {
        if self.memory == Memory::Mapped { self.count() * size_of::<Line>() } else { 0 }
    }

    #[inline]
    pub(super) fn index_of(&self, hash: u64) -> usize {
        hash as usize & self.mask
    }

    /// The address of a bucket, without looking at it.
    #[inline]
    pub(super) fn line(&self, index: usize) -> *const Line {
        self.bucket(index).address().cast()
    }

    #[inline]
    pub(super) fn bucket(&self, index: usize) -> Bucket {
        debug_assert!(index <= self.mask);
        // SAFETY: the index is below the number of buckets (callers mask it or count up to `count`), and whoever
        // changes a bucket has borrowed the table for change.
        unsafe { Bucket::at(self.lines.add(index)) }
    }

    /// The buckets of one chain, from the head on.
    #[inline]
    pub(super) fn chain(&self, index: usize) -> Chain {
        Chain(Some(self.bucket(index)))
    }

    /// The occupied slots of one chain.
    #[inline]
    pub(super) fn slots(&self, index: usize) -> Slots {
        let head = self.bucket(index);
        Slots { bucket: head, left: head.occupied() }
    }

    /// The first item with the hash's tag that `accept` takes; it is given the slot's address.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut accept: impl FnMut(*const Word) -> bool) -> Option<Place> {
        let tag = tag_of(hash);
        let mut bucket = self.bucket(self.index_of(hash));
        loop {
            for slot in bucket.matches(tag) {
                if accept(bucket.slot(slot)) {
                    return Some(Place { bucket, slot });
                }
            }
            bucket = bucket.next()?;
        }
    }

    /// The last bucket of the chain that begins with `head`, and the one before it.
    #[inline]
    fn last_of(head: Bucket) -> (Option<Bucket>, Bucket) {
        let (mut parent, mut last) = (None, head);
        while let Some(next) = last.next() {
            (parent, last) = (Some(last), next);
        }
        (parent, last)
    }

    /// Adds an item to a table that has memory.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, word: Word) {
        assert!(self.is_allocated());
        let (parent, last) = Table::last_of(self.bucket(self.index_of(hash)));
        match last.free_slot() {
            Some(slot) => last.put(slot, tag_of(hash), word),
            None => self.insert_overflow(parent, last, tag_of(hash), word),
        }
        self.items += 1;
    }

    /// Adds an item to a chain whose `last` bucket is full.
    #[cold]
    fn insert_overflow(&mut self, parent: Option<Bucket>, last: Bucket, tag: u8, word: Word) {
        const FREE: &str = "a bucket that was just made or enlarged has free slots";
        let bytes = last.bytes();
        let grown = parent.and_then(|parent| {
            let grown = last.grown()?;
            parent.relink(grown);
            self.overflow_bytes -= bytes;
            Some(grown)
        });
        let roomy = grown.unwrap_or_else(|| {
            let overflow = Bucket::allocate();
            last.chain(overflow);
            overflow
        });
        self.overflow_bytes += roomy.bytes();
        roomy.put(roomy.free_slot().expect(FREE), tag, word);
    }

    /// Takes the item at `place`, which was found with this hash; the chain's last bucket fills the hole.
    pub(super) fn remove(&mut self, hash: u64, place: Place) -> Word {
        let (parent, last) = Table::last_of(self.bucket(self.index_of(hash)));
        let (_, word) = place.bucket.take(place.slot);
        self.items -= 1;
        if let Some(parent) = parent {
            self.mend_chain(parent, last, place);
        }
        word
    }

    /// `last` is the last bucket of a chain, `parent` the one before it, `hole` a slot that was just emptied.
    fn mend_chain(&mut self, parent: Bucket, last: Bucket, hole: Place) {
        const HELD: &str = "an overflow bucket holds two items or more, of which one at most was taken";
        if hole.bucket != last {
            let (tag, word) = last.take(last.occupied().next().expect(HELD));
            hole.bucket.put(hole.slot, tag, word);
        }
        let bytes = last.bytes();
        if last.occupied().len() == 1 {
            let (tag, word) = last.take(last.occupied().next().expect(HELD));
            parent.unchain(tag, word);
            last.free();
            self.overflow_bytes -= bytes;
        } else if let Some(shrunk) = last.shrunk() {
            parent.relink(shrunk);
            self.overflow_bytes -= bytes - shrunk.bytes();
        }
    }

    /// Empties a chain: gives every item's slot to `take`, which owns the item from then on; frees overflow
    /// buckets.
    pub(super) fn drain(&mut self, index: usize, take: &mut impl FnMut(*const Word)) {
        let head = self.bucket(index);
        for bucket in Chain(Some(head)) {
            let slots = bucket.occupied();
            self.items -= slots.len();
            slots.for_each(|slot| take(bucket.slot(slot)));
            if bucket == head {
                head.reset();
            } else {
                // `Chain` has read the address of the next one before it yielded this one.
                self.overflow_bytes -= bucket.bytes();
                bucket.free();
            }
        }
    }

    /// Called as a rehash goes on: everything before bucket `index` is drained and will not be looked at
    /// again.
    pub(super) fn release_before(&mut self, index: usize) {
        if self.memory != Memory::Mapped || !index.is_multiple_of(RELEASE_BUCKETS) || index == 0 {
            return;
        }
        // SAFETY: the range lies in our own mapping and no bucket in it is used. Should the call fail, the
        // memory is returned by the final unmap instead.
        unsafe {
            let start = self.lines.as_ptr().add(index - RELEASE_BUCKETS);
            libc::madvise(start.cast(), HUGE_PAGE_BYTES, libc::MADV_DONTNEED);
        }
    }

    /// Asks for a bucket's items, and for its overflow bucket.
    #[inline]
    pub(super) fn prefetch_items(&self, index: usize) {
        let head = self.bucket(index);
        head.occupied().for_each(|slot| prefetch_two_lines(head.word(slot)));
        self.prefetch_overflow(index);
    }

    #[inline]
    pub(super) fn prefetch_overflow(&self, index: usize) {
        if let Some(overflow) = self.bucket(index).next() {
            prefetch(overflow.address());
        }
    }

    /// Asks for all items of a chain whose buckets have arrived.
    #[inline]
    pub(super) fn prefetch_chain(&self, index: usize) {
        for bucket in self.chain(index) {
            bucket.occupied().for_each(|slot| prefetch_two_lines(bucket.word(slot)));
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let layout = table_layout(self.mask + 1);
        match self.memory {
            Memory::Unallocated => {}
            // SAFETY: allocated in `with_buckets` with the same layout.
            Memory::Heap => unsafe { dealloc(self.lines.as_ptr().cast(), layout) },
            Memory::Mapped => {
                // SAFETY: mapped in `with_buckets` with the same length; nobody holds a reference into it.
                unsafe { libc::munmap(self.lines.as_ptr().cast(), layout.size()) };
                MAPPED_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
            }
        }
    }
}

/// Yields the buckets of a chain. Reads the next one's address before it yields a bucket, so the caller may
/// free that.
pub(super) struct Chain(Option<Bucket>);

impl Iterator for Chain {
    type Item = Bucket;

    #[inline]
    fn next(&mut self) -> Option<Bucket> {
        let bucket = self.0?;
        self.0 = bucket.next();
        Some(bucket)
    }
}

/// Yields the occupied slots of a chain, which does not change meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Slots {
    bucket: Bucket,
    left: SlotSet,
}

impl Iterator for Slots {
    type Item = *const Word;

    #[inline]
    fn next(&mut self) -> Option<*const Word> {
        loop {
            if let Some(slot) = self.left.next() {
                return Some(self.bucket.slot(slot));
            }
            self.bucket = self.bucket.next()?;
            self.left = self.bucket.occupied();
        }
    }
}

fn table_layout(count: usize) -> Layout {
    Layout::array::<Line>(count).expect("at most 2^40 buckets of 64 bytes")
}

/// Zeroed memory from the kernel, or null.
fn map(layout: Layout) -> *mut u8 {
    let bytes = layout.size();
    let slack = if bytes >= HUGE_PAGE_BYTES { HUGE_PAGE_BYTES } else { 0 };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new anonymous mapping at a place of the kernel's choice disturbs nobody.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes + slack, protection, flags, -1, 0) };
    if address == libc::MAP_FAILED {
        return std::ptr::null_mut();
    }
    let start = address.cast::<u8>();
    if slack == 0 {
        return start;
    }
    let before = start.align_offset(HUGE_PAGE_BYTES);
    // SAFETY: all ranges lie in the mapping just made: `before < slack`, and what is cut off is used by
    // nobody.
    unsafe {
        let aligned = start.add(before);
        if before > 0 {
            libc::munmap(address, before);
        }
        if slack > before {
            libc::munmap(aligned.add(bytes).cast(), slack - before);
        }
        aligned
    }
}
