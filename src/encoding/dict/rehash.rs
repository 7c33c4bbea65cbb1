//! Growing and shrinking, one bucket at a time.
//!
//! A rehash fills `next` from `current`, bucket by bucket in order of the index; when all is moved `next` becomes
//! `current`. Every insertion, removal and `get_mut` moves a bucket (two where memory counts most). Growth starts at a
//! mean fill of `ITEMS_PER_BUCKET` and doubles the buckets, so it is over after at most one new item per bucket, long
//! before `next` is full. The items of the buckets that come next are prefetched, because moving an item means reading
//! its key for the hash.
//!
//! A pause (`pause_rehash`, counted) stops both the start and the steps of a rehash: a forked child shares
//! our pages, and what we do not touch need not be copied. Insertions then lengthen the chains. Only a table
//! that is extremely full grows, and moves, in spite of a pause: slow lookups would cost
//! more than copied pages.

use super::table::Table;
use super::{BUCKETS_MAX, Dict, FILL_FOR_SPEED, Item, hash_with, item_at};
use crate::encoding::prefetch::prefetch;

/// The mean fill beyond the usual at which a table grows even while rehashing is paused.
const EXTREME_ITEMS_MORE: usize = 18;
/// The mean fill beyond the usual up to which a rehash waits for memory that is being made resident.
const PATIENT_ITEMS_MORE: usize = 3;
/// A table with less than this part of its highest fill shrinks.
const SHRINK_PART: usize = 7;
/// Tables of so few buckets are not worth shrinking.
const SHRINK_BUCKETS_MIN: usize = 8;
/// A shrink leaves at least this part of the buckets, so that one SCAN call, which visits all the large
/// table's buckets that belong to one of the small table's, stays short.
const SHRINK_FACTOR_MAX: usize = 16;
/// An empty bucket costs a fraction of a full one: a step passes so many for each bucket it may move.
const EMPTY_BUCKETS_PER_MOVE: usize = 8;

impl<T: Item> Dict<T> {
    /// Makes room for `items` in all, at once: for a load. While a rehash goes on it is completed first.
    /// Without effect while rehashing is paused. A table that holds items already is rehashed in the usual
    /// steps. The next removal or `rehash_step` takes the room back if it is not used, so a load must come
    /// before them.
    pub fn reserve(&mut self, items: usize) {
        if self.pauses > 0 {
            return;
        }
        while self.is_rehashing() {
            self.move_buckets(usize::MAX);
        }
        let count = Self::buckets_for(items);
        if count > self.current.count() {
            self.start_rehash(count);
        }
    }

    /// Moves up to `buckets` buckets, or starts a resize that is due; true if there is more to do.
    pub fn rehash_step(&mut self, buckets: usize) -> bool {
        self.shrink_if_sparse();
        if !self.is_empty() {
            self.grow_if_full();
        }
        if !self.is_rehashing() || !self.may_rehash() {
            return false;
        }
        if self.is_next_resident() {
            self.move_buckets(buckets);
        }
        self.is_rehashing()
    }

    pub fn is_rehashing(&self) -> bool {
        self.next.is_allocated()
    }

    /// Stops rehashing until `resume_rehash` was called as often as this.
    pub fn pause_rehash(&mut self) {
        self.pauses += 1;
    }

    /// Whether rehashing is stopped.
    pub fn is_paused(&self) -> bool {
        self.pauses > 0
    }

    pub fn resume_rehash(&mut self) {
        assert!(self.pauses > 0, "resumed more often than paused");
        self.pauses -= 1;
    }

    #[inline]
    pub(super) fn rehash_on_write(&mut self) {
        if self.is_rehashing() && self.may_rehash() && self.is_next_resident() {
            self.move_buckets(Self::MOVES_PER_WRITE);
        }
    }

    /// Two tables at once are memory for nothing: where that counts, the time with two is short.
    const MOVES_PER_WRITE: usize = if T::ITEMS_PER_BUCKET > FILL_FOR_SPEED { 2 } else { 1 };

    /// Starts to grow if one more item would be too many; gives an empty table its first memory.
    #[inline]
    pub(super) fn grow_if_full(&mut self) {
        if self.len() >= self.current.count() * T::ITEMS_PER_BUCKET && !self.is_rehashing() {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        if !self.current.is_allocated() || self.may_rehash() {
            self.start_rehash(Self::buckets_for(self.len() + 1));
        }
    }

    #[inline]
    pub(super) fn shrink_if_sparse(&mut self) {
        let count = self.current.count();
        let is_sparse = count >= SHRINK_BUCKETS_MIN && self.len() * SHRINK_PART < count * T::ITEMS_PER_BUCKET;
        if is_sparse && self.pauses == 0 && !self.is_rehashing() {
            self.start_rehash(Self::buckets_for(self.len() * 2).max(count / SHRINK_FACTOR_MAX));
        }
    }

    /// Whether the next bucket can be moved without waiting for memory. Chains grow meanwhile, so there is an end to
    /// patience.
    #[inline]
    fn is_next_resident(&self) -> bool {
        self.next.is_resident_for(self.moved)
            || self.len() > self.current.count() * (T::ITEMS_PER_BUCKET + PATIENT_ITEMS_MORE)
    }

    fn may_rehash(&self) -> bool {
        self.pauses == 0 || self.len() > self.current.count() * (T::ITEMS_PER_BUCKET + EXTREME_ITEMS_MORE)
    }

    #[cold]
    fn start_rehash(&mut self, count: usize) {
        let table = Table::with_buckets(count);
        if self.current.items() == 0 {
            self.current = table;
        } else {
            self.next = table;
        }
    }

    fn move_buckets(&mut self, buckets: usize) {
        let mut empty_buckets_left = buckets.saturating_mul(EMPTY_BUCKETS_PER_MOVE);
        let mut buckets_left = buckets;
        while buckets_left > 0 && empty_buckets_left > 0 {
            let items_before = self.next.items();
            self.move_bucket();
            if self.moved == self.current.count() {
                self.current = std::mem::replace(&mut self.next, Table::unallocated());
                self.moved = 0;
                return;
            }
            if self.next.items() == items_before {
                empty_buckets_left -= 1;
            } else {
                buckets_left -= 1;
            }
        }
        self.prefetch_next_move();
    }

    fn move_bucket(&mut self) {
        let Dict { current, next, moved, seed, .. } = self;
        current.drain(*moved, &mut |slot| {
            // SAFETY: `drain` shows slots that hold items; the item's word goes to exactly one new slot.
            let (item, word) = unsafe { (item_at::<T>(slot), *slot) };
            next.insert(hash_with(*seed, item.key()), word);
        });
        *moved += 1;
        current.release_before(*moved);
    }

    /// Asks for what the next move reads and writes: the items' keys, the buckets they go to, the bucket
    /// after.
    fn prefetch_next_move(&self) {
        let (index, count) = (self.moved, self.current.count());
        for index in index..(index + Self::MOVES_PER_WRITE).min(count) {
            self.current.prefetch_chain(index);
            prefetch(self.next.line(index & self.next.mask()));
            prefetch(self.next.line((index + count) & self.next.mask()));
        }
        for ahead in 0..Self::MOVES_PER_WRITE {
            let after = index + Self::MOVES_PER_WRITE + ahead;
            self.current.prefetch_overflow(after.min(count - 1));
            prefetch(self.current.line((after + Self::MOVES_PER_WRITE).min(count - 1)));
        }
    }

    /// The least number of buckets that holds `items` without growing.
    fn buckets_for(items: usize) -> usize {
        items.div_ceil(T::ITEMS_PER_BUCKET).clamp(1, BUCKETS_MAX).next_power_of_two()
    }
}
