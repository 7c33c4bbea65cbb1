//! One bucket: a cache line of seven words and their tags.
//!
//! ```text
//!  byte 0        8        16       24       32       40       48       56                      63
//!       [ slot 0 | slot 1 | slot 2 | slot 3 | slot 4 | slot 5 | slot 6 | t0 t1 t2 t3 t4 t5 t6 meta ]
//! ```
//! A slot is an item's word (a pointer); `t0..t6` are one byte of each item's hash, 0 where the slot is free;
//! bit 0 of `meta` says that slot 6 is no item but the address of an overflow bucket (and `t6` is 0).
//!
//! Invariants: 1. a chained bucket has its six other slots taken; 2. an overflow bucket holds at least two
//! items (one would fit into its parent).

/// Items in a bucket without a chain.
pub(super) const SLOTS: usize = 7;
const LAST: usize = SLOTS - 1;

const CHAINED: u64 = 1 << 56;
const TAG_BYTES: u64 = 0x00ff_ffff_ffff_ffff;
const EACH_TAG: u64 = 0x0001_0101_0101_0101;
const HIGH_BITS: u64 = EACH_TAG * 0x80;
const LOW_BITS: u64 = EACH_TAG * 0x7f;

/// What a slot holds: the bytes of an item, which are a pointer.
pub(super) type Word = *mut u8;

#[repr(C, align(64))]
pub(super) struct Bucket {
    slots: [Word; SLOTS],
    /// Tags and meta as one little-endian number: the tag of slot `i` in bits `8 * i ..`, meta in bits
    /// `56..`.
    control: u64,
}

const _: () = assert!(size_of::<Bucket>() == 64);

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
    pub(super) const EMPTY: Bucket = Bucket { slots: [std::ptr::null_mut(); SLOTS], control: 0 };

    #[inline]
    pub(super) fn matches(&self, tag: u8) -> SlotSet {
        SlotSet(zero_tags(self.control ^ (EACH_TAG * u64::from(tag))))
    }

    #[inline]
    pub(super) fn occupied(&self) -> SlotSet {
        SlotSet(zero_tags(self.control) ^ HIGH_BITS)
    }

    /// The overflow bucket, or null.
    #[inline]
    pub(super) fn next(&self) -> *mut Bucket {
        if self.control & CHAINED == 0 { std::ptr::null_mut() } else { self.slots[LAST].cast() }
    }

    /// A free slot of a bucket that is not chained.
    #[inline]
    pub(super) fn free_slot(&self) -> Option<usize> {
        debug_assert!(self.control & CHAINED == 0);
        SlotSet(zero_tags(self.control)).next()
    }

    #[inline]
    pub(super) fn word(&self, slot: usize) -> Word {
        self.slots[slot]
    }

    #[inline]
    pub(super) fn slot(&self, slot: usize) -> *const Word {
        &raw const self.slots[slot]
    }

    #[inline]
    pub(super) fn slot_mut(&mut self, slot: usize) -> *mut Word {
        &raw mut self.slots[slot]
    }

    pub(super) fn tag(&self, slot: usize) -> u8 {
        (self.control >> (8 * slot)) as u8
    }

    /// Fills a free slot.
    #[inline]
    pub(super) fn put(&mut self, slot: usize, tag: u8, word: Word) {
        debug_assert!(tag != 0 && self.tag(slot) == 0);
        self.slots[slot] = word;
        self.control |= u64::from(tag) << (8 * slot);
    }

    /// Empties a taken slot.
    #[inline]
    pub(super) fn take(&mut self, slot: usize) -> (u8, Word) {
        let tag = self.tag(slot);
        debug_assert!(tag != 0);
        self.control &= !(0xff << (8 * slot));
        (tag, self.slots[slot])
    }

    /// Puts `overflow` in the place of the last item, which it returns.
    pub(super) fn chain(&mut self, overflow: *mut Bucket) -> (u8, Word) {
        let last = self.take(LAST);
        self.slots[LAST] = overflow.cast();
        self.control |= CHAINED;
        last
    }

    /// Puts an item where the overflow bucket was.
    pub(super) fn unchain(&mut self, tag: u8, word: Word) {
        debug_assert!(self.control & CHAINED != 0);
        self.control &= !CHAINED;
        self.put(LAST, tag, word);
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.control = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(number: usize) -> Word {
        std::ptr::without_provenance_mut(number)
    }

    #[test]
    fn tags_match_exactly() {
        let mut bucket = Bucket::EMPTY;
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
        let (mut bucket, mut overflow) = (Bucket::EMPTY, Bucket::EMPTY);
        (0..SLOTS).for_each(|slot| bucket.put(slot, 9, word(slot + 1)));
        assert_eq!(bucket.free_slot(), None);
        assert_eq!(bucket.chain(&raw mut overflow), (9, word(7)));
        assert_eq!((bucket.next(), bucket.occupied().len()), (&raw mut overflow, 6));
        bucket.unchain(9, word(7));
        assert!(bucket.next().is_null() && bucket.matches(9).len() == SLOTS);
    }

    #[test]
    fn a_tag_is_never_zero() {
        assert_eq!((tag_of(0), tag_of(0xff << 56), tag_of(2 << 56)), (1, 255, 2));
    }
}
