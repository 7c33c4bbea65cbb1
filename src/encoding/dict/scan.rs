//! Visiting all items: by cursor across commands, or in memory order at once.
//!
//! A cursor is a bucket's index counted with its bits reversed: the highest bit of the mask is incremented
//! first. So whatever was visited before a cursor in a table of one size is, in a table of another, visited
//! before it as well: when a bucket splits in two or two become one, the done part stays done. While two
//! tables exist a call visits the bucket of the small one and every bucket of the large one that belongs to
//! it. An item may be shown twice, but one that is there during the whole scan is never missed.

use super::bucket::{Bucket, SlotSet, Word};
use super::table::{Chain, Table};
use super::{Dict, Item, item_at};
use crate::encoding::prefetch::{prefetch, prefetch_two_lines};

/// Items that are on their way while `for_each` visits one. A power of two.
const ITEMS_AHEAD: usize = 16;
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
        prefetch(large.bucket((cursor & large_mask) as usize));
        cursor
    }

    fn visit_chain(&self, table: &Table, index: usize, visit: &mut dyn FnMut(&T)) {
        if std::ptr::eq(table, &self.current) && index < self.moved {
            return;
        }
        table.prefetch_items(index);
        for bucket in table.chain(index) {
            // SAFETY: a chain yields buckets that are there; nothing changes while `self` is borrowed.
            let view = unsafe { &*bucket };
            // SAFETY: an occupied slot holds an item.
            view.occupied().for_each(|slot| visit(unsafe { item_at(view.slot(slot)) }));
        }
    }

    /// Visits every item in the order of the buckets, as fast as memory allows: buckets and items are asked
    /// for long before they are read. Allocates nothing.
    pub fn for_each(&self, visit: &mut dyn FnMut(&T)) {
        let mut ring = [std::ptr::null::<Word>(); ITEMS_AHEAD];
        let mut seen = 0;
        let mut push = |slot: *const Word| {
            let oldest = std::mem::replace(&mut ring[seen % ITEMS_AHEAD], slot);
            seen += 1;
            if seen > ITEMS_AHEAD {
                // SAFETY: a slot that was occupied when it went in; nothing changes while `self` is borrowed.
                visit(unsafe { item_at(oldest) });
            }
        };
        walk_ahead(&self.current, self.moved, &mut push);
        walk_ahead(&self.next, 0, &mut push);
        for position in seen.saturating_sub(ITEMS_AHEAD)..seen {
            // SAFETY: as above; these are the last items, in the order they went in.
            visit(unsafe { item_at(ring[position % ITEMS_AHEAD]) });
        }
    }

    /// Every item in the order of the buckets, without prefetching.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let current = (self.moved..self.current.count()).map(|index| (&self.current, index));
        let next = (0..self.next.count()).map(|index| (&self.next, index));
        current.chain(next).flat_map(|(table, index)| chain_items(table, index))
    }
}

/// Shows every occupied slot from bucket `first` on, having asked for the item.
fn walk_ahead(table: &Table, first: usize, push: &mut impl FnMut(*const Word)) {
    let count = table.count();
    for index in first..count {
        if index + BUCKETS_AHEAD < count {
            prefetch(table.bucket(index + BUCKETS_AHEAD));
            // SAFETY: `bucket` gives a bucket that is there.
            let overflow = unsafe { (*table.bucket(index + OVERFLOW_AHEAD)).next() };
            if !overflow.is_null() {
                prefetch(overflow);
            }
        }
        table.chain(index).for_each(|bucket| push_bucket(bucket, push));
    }
}

#[inline]
fn push_bucket(bucket: *mut Bucket, push: &mut impl FnMut(*const Word)) {
    // SAFETY: `bucket` comes from a chain, and nothing changes during the walk.
    let view = unsafe { &*bucket };
    let slots: SlotSet = view.occupied();
    for slot in slots {
        prefetch_two_lines(view.word(slot));
        push(view.slot(slot));
    }
}

/// The cursor after this one: increments the masked bits from the highest to the lowest.
fn cursor_after(cursor: u64, mask: u64) -> u64 {
    (cursor | !mask).reverse_bits().wrapping_add(1).reverse_bits()
}

/// Items of one chain.
pub(super) fn chain_len(chain: Chain) -> usize {
    // SAFETY: a chain yields buckets that are there.
    chain.map(|bucket| unsafe { (*bucket).occupied().len() }).sum()
}

/// The items of one chain.
pub(super) fn chain_items<'a, T: Item + 'a>(table: &'a Table, index: usize) -> impl Iterator<Item = &'a T> {
    table.chain(index).flat_map(|bucket| {
        // SAFETY: a chain yields buckets that are there; the table is borrowed as long as the items are.
        let view: &Bucket = unsafe { &*bucket };
        // SAFETY: an occupied slot holds an item.
        view.occupied().map(move |slot| unsafe { item_at::<T>(view.slot(slot)) })
    })
}
