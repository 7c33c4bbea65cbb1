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

use super::bucket::{Bucket, Word, tag_of};
use crate::base::heap::{self, Progress};
use crate::base::os;
use crate::encoding::prefetch::{prefetch, prefetch_two_lines};

/// Tables of at least so many bytes are mapped.
const MAPPED_BYTES_MIN: usize = 1 << 20;
/// Size and alignment of a huge page; also the step in which a table's memory goes back.
const HUGE_PAGE_BYTES: usize = 2 << 20;
/// Buckets in one such step.
const RELEASE_BUCKETS: usize = HUGE_PAGE_BYTES / size_of::<Bucket>();

#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    Unallocated,
    Heap,
    Mapped,
}

pub(super) struct Table {
    buckets: NonNull<Bucket>,
    mask: usize,
    items: usize,
    overflow_buckets: usize,
    memory: Memory,
    /// A mapped table becomes resident in the background; `None` when nobody makes it so.
    progress: Option<Progress>,
}

/// Where an item lies: valid until the table changes.
pub(super) struct Place {
    bucket: *mut Bucket,
    slot: usize,
}

impl Place {
    pub(super) fn slot(&self) -> *mut Word {
        // SAFETY: the place was found in a bucket that is still there, as the type promises.
        unsafe { (*self.bucket).slot_mut(self.slot) }
    }
}

struct Nothing(Bucket);
// SAFETY: the bucket is never written: a table without memory refuses insertions and holds nothing to remove.
unsafe impl Sync for Nothing {}
/// The bucket that a table without memory reads, so that looking something up needs no test for it.
static NOTHING: Nothing = Nothing(Bucket::EMPTY);

impl Table {
    pub(super) fn unallocated() -> Table {
        let buckets = NonNull::from(&NOTHING.0);
        Table { buckets, mask: 0, items: 0, overflow_buckets: 0, memory: Memory::Unallocated, progress: None }
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
        let Some(buckets) = NonNull::new(address.cast::<Bucket>()) else { handle_alloc_error(layout) };
        let is_large = layout.size() >= HUGE_PAGE_BYTES;
        let progress = is_large.then(|| heap::populate_table(address.addr(), layout.size())).flatten();
        if is_large && progress.is_none() {
            // Refused by a kernel without huge pages: then the table is on small ones.
            let _ = os::advise_huge_pages(address.addr(), layout.size());
        }
        Table { buckets, mask: count - 1, items: 0, overflow_buckets: 0, memory, progress }
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
            Some(progress) => progress.covers((index & (self.mask >> 1)) * size_of::<Bucket>()),
        }
    }

    pub(super) fn overflow_buckets(&self) -> usize {
        self.overflow_buckets
    }

    pub(super) fn heap_bytes(&self) -> usize {
        (self.count() + self.overflow_buckets) * size_of::<Bucket>()
    }

    pub(super) fn mapped_bytes(&self) -> usize {
        if self.memory == Memory::Mapped { self.count() * size_of::<Bucket>() } else { 0 }
    }

    #[inline]
    pub(super) fn index_of(&self, hash: u64) -> usize {
        hash as usize & self.mask
    }

    #[inline]
    pub(super) fn bucket(&self, index: usize) -> *mut Bucket {
        debug_assert!(index <= self.mask);
        // SAFETY: the index is below the number of buckets (callers mask it or count up to `count`).
        unsafe { self.buckets.as_ptr().add(index) }
    }

    /// The buckets of one chain, from the head on.
    #[inline]
    pub(super) fn chain(&self, index: usize) -> Chain {
        Chain(self.bucket(index))
    }

    /// The first item with the hash's tag that `accept` takes; it is given the slot's address.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut accept: impl FnMut(*const Word) -> bool) -> Option<Place> {
        let tag = tag_of(hash);
        for bucket in self.chain(self.index_of(hash)) {
            // SAFETY: a chain yields buckets that are there; nothing changes the table while we look.
            let view = unsafe { &*bucket };
            for slot in view.matches(tag) {
                if accept(view.slot(slot)) {
                    return Some(Place { bucket, slot });
                }
            }
        }
        None
    }

    /// Adds an item to a table that has memory.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, word: Word) {
        assert!(self.is_allocated());
        let head = self.bucket(self.index_of(hash));
        // SAFETY: a chain's buckets are there, and no reference to one is alive: `self` is borrowed for
        // change.
        let last = unsafe { &mut *Chain(head).last().unwrap_or(head) };
        match last.free_slot() {
            Some(slot) => last.put(slot, tag_of(hash), word),
            None => self.insert_overflow(last, tag_of(hash), word),
        }
        self.items += 1;
    }

    #[cold]
    fn insert_overflow(&mut self, full: &mut Bucket, tag: u8, word: Word) {
        let overflow = Box::into_raw(Box::new(Bucket::EMPTY));
        let (last_tag, last_word) = full.chain(overflow);
        // SAFETY: just made; only the chain knows it.
        let overflow = unsafe { &mut *overflow };
        overflow.put(0, last_tag, last_word);
        overflow.put(1, tag, word);
        self.overflow_buckets += 1;
    }

    /// Takes the item at `place`, which was found with this hash; the chain's last bucket fills the hole.
    pub(super) fn remove(&mut self, hash: u64, place: Place) -> Word {
        let (mut parent, mut last) = (std::ptr::null_mut(), std::ptr::null_mut());
        for bucket in self.chain(self.index_of(hash)) {
            (parent, last) = (last, bucket);
        }
        // SAFETY: `place` is in this chain, as the caller promises; a reference to one bucket lives at a
        // time.
        let (_, word) = unsafe { (*place.bucket).take(place.slot) };
        self.items -= 1;
        if !parent.is_null() {
            // SAFETY: both are buckets of the chain, not the same, and `last` is the overflow bucket of
            // `parent`.
            unsafe { self.mend_chain(parent, last, &place) };
        }
        word
    }

    /// # Safety
    /// `last` is the last bucket of a chain, `parent` the one before it, `hole` a free slot of that chain.
    unsafe fn mend_chain(&mut self, parent: *mut Bucket, last: *mut Bucket, hole: &Place) {
        const HELD: &str = "an overflow bucket holds two items or more, of which one at most was taken";
        // SAFETY: the caller's promise; the references are to different buckets or follow one another.
        unsafe {
            if hole.bucket != last {
                let slot = (*last).occupied().next().expect(HELD);
                let (tag, word) = (*last).take(slot);
                (*hole.bucket).put(hole.slot, tag, word);
            }
            if (*last).occupied().len() == 1 {
                let slot = (*last).occupied().next().expect(HELD);
                let (tag, word) = (*last).take(slot);
                (*parent).unchain(tag, word);
                drop(Box::from_raw(last));
                self.overflow_buckets -= 1;
            }
        }
    }

    /// Empties a chain: gives every item's slot to `take`, which owns the item from then on; frees overflow
    /// buckets.
    pub(super) fn drain(&mut self, index: usize, take: &mut impl FnMut(*const Word)) {
        let head = self.bucket(index);
        for bucket in Chain(head) {
            // SAFETY: a chain's bucket; `Chain` has read the next address before it yielded this one.
            let view = unsafe { &mut *bucket };
            let slots = view.occupied();
            self.items -= slots.len();
            slots.for_each(|slot| take(view.slot(slot)));
            if bucket == head {
                view.reset();
            } else {
                // SAFETY: an overflow bucket was made by `Box`, and its parent has been left behind.
                drop(unsafe { Box::from_raw(bucket) });
                self.overflow_buckets -= 1;
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
            let start = self.buckets.as_ptr().add(index - RELEASE_BUCKETS);
            libc::madvise(start.cast(), HUGE_PAGE_BYTES, libc::MADV_DONTNEED);
        }
    }

    /// Asks for a chain's items, and for its overflow bucket.
    #[inline]
    pub(super) fn prefetch_items(&self, index: usize) {
        // SAFETY: `bucket` gives a bucket that is there.
        let view = unsafe { &*self.bucket(index) };
        view.occupied().for_each(|slot| prefetch_two_lines(view.word(slot)));
        if !view.next().is_null() {
            prefetch(view.next());
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let layout = table_layout(self.mask + 1);
        match self.memory {
            Memory::Unallocated => {}
            // SAFETY: allocated in `with_buckets` with the same layout.
            Memory::Heap => unsafe { dealloc(self.buckets.as_ptr().cast(), layout) },
            // SAFETY: mapped in `with_buckets` with the same length; nobody holds a reference into it.
            Memory::Mapped => unsafe {
                libc::munmap(self.buckets.as_ptr().cast(), layout.size());
            },
        }
    }
}

/// Yields the buckets of a chain. Reads the next one's address before it yields a bucket, so the caller may
/// free that.
pub(super) struct Chain(*mut Bucket);

impl Iterator for Chain {
    type Item = *mut Bucket;

    #[inline]
    fn next(&mut self) -> Option<*mut Bucket> {
        if self.0.is_null() {
            return None;
        }
        let bucket = self.0;
        // SAFETY: heads come from `Table::bucket`, the others are the overflow buckets that these own.
        self.0 = unsafe { (*bucket).next() };
        Some(bucket)
    }
}

fn table_layout(count: usize) -> Layout {
    Layout::array::<Bucket>(count).expect("at most 2^40 buckets of 64 bytes")
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
