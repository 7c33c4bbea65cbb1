//! Items on their way into a table, when nobody knows yet whether their keys are there: those of a file.
//!
//! A load inserts in no order of the table, so nearly every insertion waits for memory. `push` asks for what the
//! insertion will read first; `settle` puts in what has gathered, when most of that has arrived.

use super::{BATCH, Dict, Item};

/// At most `BATCH` items, with their hashes.
pub struct Arrivals<T: Item>(Vec<(u64, T)>);

impl<T: Item> Default for Arrivals<T> {
    /// Allocates nothing before the first item.
    fn default() -> Self {
        Arrivals(Vec::new())
    }
}

impl<T: Item> Arrivals<T> {
    /// Adds an item for `table`. There must be room: `settle` makes it.
    #[inline]
    pub fn push(&mut self, table: &Dict<T>, item: T) {
        debug_assert!(self.0.len() < BATCH);
        if self.0.capacity() == 0 {
            self.0.reserve_exact(BATCH);
        }
        let hash = table.hash(item.key());
        table.prefetch_bucket(hash);
        self.0.push((hash, item));
    }

    /// Puts the items into `table`, the one they were pushed for, and shows each before that with its hash.
    ///
    /// # Errors
    /// When a key is there already: the place of its item among those that were pushed. That one and those behind it
    /// are dropped.
    pub fn settle(&mut self, table: &mut Dict<T>, show: &mut impl FnMut(u64, &T)) -> Result<(), usize> {
        self.0.iter().for_each(|(hash, _)| table.prefetch_candidates(*hash));
        for (place, (hash, item)) in self.0.drain(..).enumerate() {
            if table.get(hash, item.key()).is_some() {
                return Err(place);
            }
            show(hash, &item);
            table.insert_new(hash, item);
        }
        Ok(())
    }
}
