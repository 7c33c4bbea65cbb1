//! One bucket: seven words and their tags, which are a cache line; or fewer words, behind a full one.
//!
//! ```text
//!  byte 0                      7      8        16                8 * (words + 1)
//!       [ t0 t1 t2 t3 t4 t5 t6 meta | slot 0 | slot 1 | ..  slot 6 ]
//! ```
//! A slot is an item's word (a pointer); `t0..t6` are one byte of each item's hash, 0 where the slot is free or is not
//! there. Bit 0 of `meta` says that slot 6 is no item but the address of an overflow bucket (and `t6` is 0); bits 1..4
//! say how many of the seven slots are missing. So zeroed memory is empty buckets of seven slots: those of a table.
//!
//! An overflow bucket has three slots at first, then five, then seven: 32, 48 or 64 bytes.
//!
//! Invariants: 1. a chained bucket has seven slots, of which six are items; 2. an overflow bucket holds at least two
//! items (one would fit into its parent), and at most two slots of an unchained one are free.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Items in a bucket of a table without a chain.
pub(super) const SLOTS: usize = 7;
const LAST: usize = SLOTS - 1;
/// The slots of a new overflow bucket, and how many it gets more when they are full.
const OVERFLOW_SLOTS_MIN: usize = 3;
const OVERFLOW_SLOTS_STEP: usize = 2;

const CHAINED: u64 = 1 << 56;
const MISSING_SHIFT: u32 = 57;
const MISSING_MASK: u64 = 7;
const TAG_BYTES: u64 = 0x00ff_ffff_ffff_ffff;
const EACH_TAG: u64 = 0x0001_0101_0101_0101;
const HIGH_BITS: u64 = EACH_TAG * 0x80;
const LOW_BITS: u64 = EACH_TAG * 0x7f;

/// What a slot holds: the bytes of an item, which are a pointer.
pub(super) type Word = *mut u8;

/// The memory of a bucket with seven slots.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([u64; 8]);

impl Line {
    pub(super) const EMPTY: Line = Line([0; 8]);
}

/// The address of a bucket that is there. Whoever makes one (`at`, `allocate`) promises that the bucket stays as long
/// as the address or a copy of it is used, and that nobody else writes to it meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket(NonNull<u64>);

/// The eight bits of a hash that a slot remembers; never 0. The index uses the low bits, this the high ones.
#[inline]
pub(super) fn tag_of(hash: u64) -> u8 {
    let tag = (hash >> 56) as u8;
    tag + u8::from(tag == 0)
}

/// Some slots of a bucket, as the high bit of each one's tag byte; iterates over their numbers.
#[derive(Clone, Copy)]
pub(super) struct SlotSet(u64);

impl SlotSet {
    #[inline]
    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

impl Iterator for SlotSet {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let slot = self.0.trailing_zeros() as usize / 8;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

/// The high bit of every tag byte that is zero. Exact: no borrow runs from one byte into the next, as it
/// would in the shorter `(x - 1) & !x`, which could report a free slot as a match.
#[inline]
fn zero_tags(control: u64) -> u64 {
    let tags = control & TAG_BYTES;
    !(((tags & LOW_BITS) + LOW_BITS) | tags | LOW_BITS) & HIGH_BITS
}

impl Bucket {
    /// # Safety
    /// The promise of the type.
    #[inline]
    pub(super) unsafe fn at(line: NonNull<Line>) -> Bucket {
        Bucket(line.cast())
    }

    #[inline]
    fn control(self) -> u64 {
        // SAFETY: a bucket begins with its control word.
        unsafe { self.0.read() }
    }

    #[inline]
    fn set_control(self, control: u64) {
        // SAFETY: as in `control`; nobody else uses the bucket.
        unsafe { self.0.write(control) }
    }

    #[inline]
    pub(super) fn address(self) -> *const u64 {
        self.0.as_ptr()
    }

    #[inline]
    pub(super) fn capacity(self) -> usize {
        SLOTS - self.missing()
    }

    #[inline]
    fn missing(self) -> usize {
        (self.control() >> MISSING_SHIFT & MISSING_MASK) as usize
    }

    #[inline]
    pub(super) fn matches(self, tag: u8) -> SlotSet {
        SlotSet(zero_tags(self.control() ^ (EACH_TAG * u64::from(tag))))
    }

    #[inline]
    pub(super) fn occupied(self) -> SlotSet {
        SlotSet(zero_tags(self.control()) ^ HIGH_BITS)
    }

    /// The overflow bucket.
    #[inline]
    pub(super) fn next(self) -> Option<Bucket> {
        if self.control() & CHAINED == 0 { None } else { NonNull::new(self.word(LAST).cast()).map(Bucket) }
    }

    /// A free slot of a bucket that is not chained.
    #[inline]
    pub(super) fn free_slot(self) -> Option<usize> {
        debug_assert!(self.control() & CHAINED == 0);
        SlotSet(zero_tags(self.control()) & (HIGH_BITS >> (8 * self.missing()))).next()
    }

    #[inline]
    pub(super) fn slot(self, slot: usize) -> *mut Word {
        debug_assert!(slot < self.capacity());
        // SAFETY: the slots follow the control word, as many as the capacity says.
        unsafe { self.0.as_ptr().cast::<Word>().add(1 + slot) }
    }

    #[inline]
    pub(super) fn word(self, slot: usize) -> Word {
        // SAFETY: a slot of this bucket; callers read what is taken.
        unsafe { self.slot(slot).read() }
    }

    #[inline]
    pub(super) fn tag(self, slot: usize) -> u8 {
        (self.control() >> (8 * slot)) as u8
    }

    /// Fills a free slot.
    #[inline]
    pub(super) fn put(self, slot: usize, tag: u8, word: Word) {
        debug_assert!(tag != 0 && self.tag(slot) == 0);
        // SAFETY: a slot of this bucket.
        unsafe { self.slot(slot).write(word) };
        self.set_control(self.control() | u64::from(tag) << (8 * slot));
    }

    /// Empties a taken slot.
    #[inline]
    pub(super) fn take(self, slot: usize) -> (u8, Word) {
        let tag = self.tag(slot);
        debug_assert!(tag != 0);
        self.set_control(self.control() & !(0xff << (8 * slot)));
        (tag, self.word(slot))
    }

    /// Puts `overflow` in the place of the last item, which moves there.
    pub(super) fn chain(self, overflow: Bucket) {
        debug_assert!(self.capacity() == SLOTS);
        let (tag, word) = self.take(LAST);
        overflow.put(0, tag, word);
        self.set_control(self.control() | CHAINED);
        self.relink(overflow);
    }

    /// Replaces the overflow bucket by another.
    pub(super) fn relink(self, overflow: Bucket) {
        debug_assert!(self.control() & CHAINED != 0);
        // SAFETY: a chained bucket has seven slots, the last of which is the link.
        unsafe { self.slot(LAST).write(overflow.0.as_ptr().cast()) };
    }

    /// Puts an item where the overflow bucket was.
    pub(super) fn unchain(self, tag: u8, word: Word) {
        debug_assert!(self.control() & CHAINED != 0);
        self.set_control(self.control() & !CHAINED);
        self.put(LAST, tag, word);
    }

    /// Forgets everything.
    pub(super) fn reset(self) {
        debug_assert!(self.capacity() == SLOTS);
        self.set_control(0);
    }

    // ----- overflow buckets: allocations of their own -----

    /// An empty overflow bucket of the smallest capacity.
    pub(super) fn allocate() -> Bucket {
        Bucket::with_capacity(OVERFLOW_SLOTS_MIN)
    }

    fn with_capacity(capacity: usize) -> Bucket {
        let layout = overflow_layout(capacity);
        // SAFETY: the layout has a size above zero.
        let Some(address) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let bucket = Bucket(address.cast());
        bucket.set_control(((SLOTS - capacity) as u64) << MISSING_SHIFT);
        bucket
    }

    /// A larger copy of a full overflow bucket, which is freed; or none if it cannot be larger.
    pub(super) fn grown(self) -> Option<Bucket> {
        let capacity = self.capacity() + OVERFLOW_SLOTS_STEP;
        (capacity <= SLOTS).then(|| self.moved_to(Bucket::with_capacity(capacity)))
    }

    /// A smaller copy of an unchained overflow bucket with many free slots, which is freed; or none if it has few.
    pub(super) fn shrunk(self) -> Option<Bucket> {
        let capacity = self.capacity().checked_sub(OVERFLOW_SLOTS_STEP)?;
        let is_due = capacity >= OVERFLOW_SLOTS_MIN && self.occupied().len() < capacity;
        is_due.then(|| self.moved_to(Bucket::with_capacity(capacity)))
    }

    fn moved_to(self, other: Bucket) -> Bucket {
        for (to, from) in self.occupied().enumerate() {
            let (tag, word) = self.take(from);
            other.put(to, tag, word);
        }
        self.free();
        other
    }

    /// Frees an overflow bucket, with its last copy of the address.
    pub(super) fn free(self) {
        let layout = overflow_layout(self.capacity());
        // SAFETY: allocated in `with_capacity` with the layout that its capacity gives.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
    }

    /// Bytes of an overflow bucket.
    pub(super) fn bytes(self) -> usize {
        overflow_layout(self.capacity()).size()
    }
}

fn overflow_layout(capacity: usize) -> Layout {
    // Half a line and a whole one are aligned by nature; 48 bytes may lie across two.
    Layout::array::<u64>(1 + capacity).expect("at most 64 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(number: usize) -> Word {
        std::ptr::without_provenance_mut(number)
    }

    fn on(line: &mut Line) -> Bucket {
        // SAFETY: each test uses its line only through the bucket.
        unsafe { Bucket::at(NonNull::from(line)) }
    }

    #[test]
    fn tags_match_exactly() {
        let mut line = Line::EMPTY;
        let bucket = on(&mut line);
        for (slot, tag) in [(0, 1), (2, 2), (3, 1), (5, 0x80), (6, 0xff)] {
            bucket.put(slot, tag, word(slot + 1));
        }
        assert_eq!(bucket.matches(1).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(bucket.matches(0x80).collect::<Vec<_>>(), [5]);
        assert_eq!(bucket.matches(0x81).count(), 0);
        assert_eq!(bucket.occupied().collect::<Vec<_>>(), [0, 2, 3, 5, 6]);
        assert_eq!(bucket.take(6), (0xff, word(7)));
        assert_eq!((bucket.occupied().len(), bucket.free_slot()), (4, Some(1)));
    }

    #[test]
    fn a_chain_takes_the_place_of_the_last_item() {
        let mut line = Line::EMPTY;
        let (bucket, overflow) = (on(&mut line), Bucket::allocate());
        (0..SLOTS).for_each(|slot| bucket.put(slot, 9, word(slot + 1)));
        assert_eq!(bucket.free_slot(), None);
        bucket.chain(overflow);
        assert_eq!((bucket.next(), bucket.occupied().len()), (Some(overflow), 6));
        assert_eq!((overflow.tag(0), overflow.word(0), overflow.free_slot()), (9, word(7), Some(1)));
        overflow.free();
        bucket.unchain(9, word(7));
        assert!(bucket.next().is_none() && bucket.matches(9).len() == SLOTS);
    }

    #[test]
    fn an_overflow_bucket_is_as_large_as_it_must_be() {
        let mut bucket = Bucket::allocate();
        for number in 1..=SLOTS {
            let slot = bucket.free_slot().unwrap_or_else(|| {
                bucket = bucket.grown().unwrap();
                bucket.free_slot().unwrap()
            });
            bucket.put(slot, number as u8, word(number));
            let expected = [32, 32, 32, 48, 48, 64, 64][number - 1];
            assert_eq!((bucket.bytes(), bucket.occupied().len()), (expected, number));
        }
        assert_eq!((bucket.free_slot(), bucket.grown()), (None, None));
        for (held, bytes) in [(6, 64), (5, 64), (4, 48), (3, 48), (2, 32), (1, 32)] {
            let slot = bucket.occupied().next().unwrap();
            bucket.take(slot);
            bucket = bucket.shrunk().unwrap_or(bucket);
            assert_eq!((bucket.bytes(), bucket.occupied().len()), (bytes, held));
        }
        assert_eq!(bucket.word(bucket.matches(7).next().unwrap()), word(7));
        bucket.free();
    }

    #[test]
    fn a_tag_is_never_zero() {
        assert_eq!((tag_of(0), tag_of(0xff << 56), tag_of(2 << 56)), (1, 255, 2));
    }
}
