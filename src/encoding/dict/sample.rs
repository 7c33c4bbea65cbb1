//! Items at random: one, evenly (RANDOMKEY), or a batch of neighbours (eviction pools).
//!
//! One item: a random bucket and a random number below a limit that few buckets exceed; if the bucket holds that many,
//! the item of that number, else another try. So items of crowded and of lonely buckets are equally likely, up to
//! chains longer than the limit. A batch: every item of successive buckets from a random one on, which costs one
//! cache miss where single samples cost two or more each.

use super::scan::{chain_items, chain_len};
use super::table::Table;
use super::{Dict, Item};
use crate::encoding::prefetch::prefetch;

/// Tries before a sample walks to the next item instead: only an almost empty table needs so many.
const TRIES_MAX: usize = 128;
/// Buckets that a batch passes at most, for each item it is asked for.
const BUCKETS_PER_ITEM_MAX: usize = 8;

impl<T: Item> Dict<T> {
    /// A random item, all nearly equally likely. None only if the table is empty. A table whose items are
    /// nearly all gone and that could not shrink (a pause) may have to be walked.
    pub fn sample(&self, rng: &mut fastrand::Rng) -> Option<&T> {
        if self.is_empty() {
            return None;
        }
        let (buckets, even_items) = (self.live_buckets(), self.even_items());
        for _ in 0..TRIES_MAX {
            let (table, index) = self.live_bucket(rng.usize(..buckets));
            let held = chain_len(table, index);
            let number = rng.usize(..held.max(even_items));
            if number < held {
                return chain_items(table, index).nth(number);
            }
        }
        let start = rng.usize(..buckets);
        (start..buckets).chain(0..start).find_map(|number| {
            let (table, index) = self.live_bucket(number);
            chain_items(table, index).next()
        })
    }

    /// Adds up to `n` items of successive buckets at a random place to `out`, and asks for their memory.
    /// Fewer than `n` when the table is that small or sparse; at least one unless it is empty.
    pub fn sample_many<'a>(&'a self, rng: &mut fastrand::Rng, n: usize, out: &mut Vec<&'a T>) {
        if self.is_empty() || n == 0 {
            return;
        }
        let (buckets, wanted) = (self.live_buckets(), out.len() + n);
        let start = rng.usize(..buckets);
        let before = out.len();
        for step in 0..buckets.min(n.saturating_mul(BUCKETS_PER_ITEM_MAX)) {
            let (table, index) = self.live_bucket((start + step) % buckets);
            let (ahead_table, ahead_index) = self.live_bucket((start + step + 2) % buckets);
            prefetch(ahead_table.line(ahead_index));
            table.prefetch_items(index);
            out.extend(chain_items::<T>(table, index).take(wanted - out.len()));
            if out.len() == wanted {
                return;
            }
        }
        if out.len() == before {
            out.extend(self.sample(rng));
        }
    }

    /// So many items nearly every bucket holds at most: three standard deviations above the mean.
    fn even_items(&self) -> usize {
        let tables = [&self.current, &self.next].into_iter().filter(|table| table.is_allocated());
        let buckets = tables.map(Table::count).min().unwrap_or(1);
        let mean = self.len() / buckets;
        mean + 3 * mean.isqrt() + 2
    }

    /// Buckets that may hold items: of `current` those not yet moved, and all of `next`.
    fn live_buckets(&self) -> usize {
        self.current.count() - self.moved + self.next.count()
    }

    fn live_bucket(&self, number: usize) -> (&Table, usize) {
        let unmoved = self.current.count() - self.moved;
        if number < unmoved { (&self.current, self.moved + number) } else { (&self.next, number - unmoved) }
    }
}
