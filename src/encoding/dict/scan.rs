//! Visiting all items: by cursor across commands, or in memory order at once.
//!
//! A cursor is a bucket's index counted with its bits reversed: the highest bit of the mask is incremented
//! first. So whatever was visited before a cursor in a table of one size is, in a table of another, visited
//! before it as well: when a bucket splits in two or two become one, the done part stays done. While two
//! tables exist a call visits the bucket of the small one and every bucket of the large one that belongs to
//! it. An item may be shown twice, but one that is there during the whole scan is never missed.

use std::marker::PhantomData;
use std::ops::Range;

use super::bucket::Word;
use super::table::{Slots, Table};
use super::{Dict, Item, item_at};
use crate::encoding::prefetch::{prefetch, prefetch_two_lines};

/// Items that are on their way while `Iter` yields one. A power of two.
const ITEMS_AHEAD: usize = 16;
/// So many items later an item has arrived, so that its value can be asked for, and then that has.
const VALUE_BEHIND: usize = 7;
const CONTENT_BEHIND: usize = 12;
/// Buckets that are on their way.
const BUCKETS_AHEAD: usize = 8;
/// So far ahead overflow buckets are asked for: their parent must have arrived by then.
const OVERFLOW_AHEAD: usize = 4;

impl<T: Item> Dict<T> {
    /// Visits the items of the next bucket or buckets and returns the cursor to go on with: start with 0, 0
    /// is the end.
    pub fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&T)) -> u64 {
        if self.is_empty() {
            return 0;
        }
        let (small, large) = match (self.is_rehashing(), self.next.mask() < self.current.mask()) {
            (false, _) => (&self.current, &self.current),
            (true, true) => (&self.next, &self.current),
            (true, false) => (&self.current, &self.next),
        };
        let (small_mask, large_mask) = (small.mask() as u64, large.mask() as u64);
        let mut cursor = cursor;
        if self.is_rehashing() {
            self.visit_chain(small, (cursor & small_mask) as usize, visit);
        }
        loop {
            self.visit_chain(large, (cursor & large_mask) as usize, visit);
            cursor = cursor_after(cursor, large_mask);
            if cursor & (small_mask ^ large_mask) == 0 {
                break;
            }
        }
        prefetch(large.line((cursor & large_mask) as usize));
        cursor
    }

    fn visit_chain(&self, table: &Table, index: usize, visit: &mut dyn FnMut(&T)) {
        if std::ptr::eq(table, &self.current) && index < self.moved {
            return;
        }
        table.prefetch_items(index);
        chain_items(table, index).for_each(visit);
    }

    /// Visits every item in the order of the buckets, as fast as memory allows: for a save, somewhat faster than
    /// `iter`. Allocates nothing.
    pub fn for_each(&self, visit: &mut dyn FnMut(&T)) {
        self.for_each_in(0..self.bucket_count(), visit);
    }

    /// The buckets that may hold items, of both tables: what `for_each_in` takes parts of.
    pub fn bucket_count(&self) -> usize {
        self.current.count() - self.moved + self.next.count()
    }

    /// As `for_each`, for a part of the buckets. Parts that make up `0..bucket_count()` together visit every item once.
    pub fn for_each_in(&self, buckets: Range<usize>, visit: &mut dyn FnMut(&T)) {
        let mut ring = [std::ptr::null::<Word>(); ITEMS_AHEAD];
        let mut seen = 0;
        let mut push = |slot: *const Word| {
            let oldest = std::mem::replace(&mut ring[seen % ITEMS_AHEAD], slot);
            seen += 1;
            if seen > ITEMS_AHEAD {
                let (value, content) =
                    (ring[(seen - VALUE_BEHIND) % ITEMS_AHEAD], ring[(seen - CONTENT_BEHIND) % ITEMS_AHEAD]);
                // SAFETY: slots that were occupied when they went in; nothing changes while `self` is borrowed.
                unsafe {
                    item_at::<T>(value).prefetch_value();
                    item_at::<T>(content).prefetch_content();
                    visit(item_at(oldest));
                }
            }
        };
        // The buckets of `next` are counted on from those of `current` that are left.
        let unmoved = self.current.count() - self.moved;
        let (start, end) = (buckets.start, buckets.end);
        walk_ahead(&self.current, start.min(unmoved) + self.moved..end.min(unmoved) + self.moved, &mut push);
        walk_ahead(&self.next, start.max(unmoved) - unmoved..end.max(unmoved) - unmoved, &mut push);
        for position in seen.saturating_sub(ITEMS_AHEAD)..seen {
            // SAFETY: as above; these are the last items, in the order they went in.
            visit(unsafe { item_at(ring[position % ITEMS_AHEAD]) });
        }
    }

    /// Every item in the order of the buckets. Buckets and items are asked for long before they are read.
    pub fn iter(&self) -> Iter<'_, T> {
        let walk = Walk { table: &self.current, then: Some(&self.next), index: self.moved, slots: None };
        Iter {
            walk,
            ring: [std::ptr::null(); ITEMS_AHEAD],
            given: 0,
            asked: 0,
            left: self.len(),
            items: PhantomData,
        }
    }
}

/// Yields the items of a table in the order of its buckets.
#[derive(Clone)]
pub struct Iter<'a, T: Item> {
    walk: Walk<'a>,
    /// Slots whose items are on their way.
    ring: [*const Word; ITEMS_AHEAD],
    given: usize,
    asked: usize,
    left: usize,
    items: PhantomData<&'a T>,
}

impl<'a, T: Item> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        while self.asked < self.given + ITEMS_AHEAD {
            let Some(slot) = self.walk.next() else { break };
            // SAFETY: an occupied slot; nothing changes while the table is borrowed.
            prefetch_two_lines(unsafe { slot.read() });
            self.ring[self.asked % ITEMS_AHEAD] = slot;
            self.asked += 1;
        }
        if self.given == self.asked {
            return None;
        }
        let slot = self.ring[self.given % ITEMS_AHEAD];
        self.given += 1;
        self.left -= 1;
        // SAFETY: an occupied slot holds an item; nothing changes while the table is borrowed.
        Some(unsafe { item_at(slot) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: Item> ExactSizeIterator for Iter<'_, T> {}

/// Yields every occupied slot, and asks for the buckets ahead.
#[derive(Clone)]
struct Walk<'a> {
    table: &'a Table,
    then: Option<&'a Table>,
    /// The bucket that comes next.
    index: usize,
    slots: Option<Slots>,
}

impl Iterator for Walk<'_> {
    type Item = *const Word;

    #[inline]
    fn next(&mut self) -> Option<*const Word> {
        loop {
            if let Some(slot) = self.slots.as_mut().and_then(Slots::next) {
                return Some(slot);
            }
            if self.index == self.table.count() {
                (self.table, self.index) = (self.then.take()?, 0);
                continue;
            }
            prefetch_ahead(self.table, self.index);
            self.slots = Some(self.table.slots(self.index));
            self.index += 1;
        }
    }
}

/// Shows every occupied slot of some buckets, having asked for the item.
fn walk_ahead(table: &Table, buckets: Range<usize>, push: &mut impl FnMut(*const Word)) {
    for index in buckets {
        prefetch_ahead(table, index);
        for bucket in table.chain(index) {
            for slot in bucket.occupied() {
                prefetch_two_lines(bucket.word(slot));
                push(bucket.slot(slot));
            }
        }
    }
}

#[inline]
fn prefetch_ahead(table: &Table, index: usize) {
    if index + BUCKETS_AHEAD < table.count() {
        prefetch(table.line(index + BUCKETS_AHEAD));
        table.prefetch_overflow(index + OVERFLOW_AHEAD);
    }
}

/// The cursor after this one: increments the masked bits from the highest to the lowest.
fn cursor_after(cursor: u64, mask: u64) -> u64 {
    (cursor | !mask).reverse_bits().wrapping_add(1).reverse_bits()
}

/// How many items one chain holds.
pub(super) fn chain_len(table: &Table, index: usize) -> usize {
    table.chain(index).map(|bucket| bucket.occupied().len()).sum()
}

/// The items of one chain.
pub(super) fn chain_items<'a, T: Item + 'a>(table: &'a Table, index: usize) -> impl Iterator<Item = &'a T> {
    // SAFETY: an occupied slot holds an item; the table is borrowed as long as the items are.
    table.slots(index).map(|slot| unsafe { item_at(slot) })
}
