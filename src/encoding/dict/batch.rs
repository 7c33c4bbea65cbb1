//! Many keys at once: their cache misses overlap.
//!
//! A lookup waits for the bucket, perhaps for an overflow bucket, and for the item. For `BATCH` keys together each of
//! these is asked for in turn, so that the waits of one key hide behind those of the others.

use super::{Dict, Item};

/// Keys that are looked up together: more than memory can deliver at once gain nothing.
pub const BATCH: usize = 16;

impl<T: Item> Dict<T> {
    /// Shows for every key, in their order, its hash and the item that is there.
    pub fn get_many<'k>(
        &self,
        mut keys: impl Iterator<Item = &'k [u8]>,
        found: &mut impl FnMut(&'k [u8], u64, Option<&T>),
    ) {
        let mut batch: [(&[u8], u64); BATCH] = [(&[], 0); BATCH];
        loop {
            let filled = self.prefetch_batch(&mut keys, &mut batch);
            for &(key, hash) in &batch[..filled] {
                found(key, hash, self.get(hash, key));
            }
            if filled < BATCH {
                return;
            }
        }
    }

    /// Adds the item that `make` gives for every key that is not in the table; a key may come twice. Returns how many
    /// were added. Best after `reserve`.
    pub fn insert_absent<'k>(
        &mut self,
        mut keys: impl Iterator<Item = &'k [u8]>,
        make: &mut impl FnMut(&'k [u8]) -> T,
    ) -> usize {
        let mut batch: [(&[u8], u64); BATCH] = [(&[], 0); BATCH];
        let before = self.len();
        loop {
            let filled = self.prefetch_batch(&mut keys, &mut batch);
            for &(key, hash) in &batch[..filled] {
                if self.get(hash, key).is_none() {
                    self.insert_new(hash, make(key));
                }
            }
            if filled < BATCH {
                return self.len() - before;
            }
        }
    }

    /// Adds items whose keys are neither in the table nor twice among them. Best after `reserve`.
    pub fn extend_new(&mut self, mut items: impl Iterator<Item = T>) {
        let mut batch: [Option<(u64, T)>; BATCH] = [const { None }; BATCH];
        loop {
            let mut filled = 0;
            for (place, item) in batch.iter_mut().zip(&mut items) {
                let hash = self.hash(item.key());
                self.prefetch_bucket(hash);
                *place = Some((hash, item));
                filled += 1;
            }
            for (hash, item) in batch.iter_mut().take(filled).filter_map(Option::take) {
                self.insert_new(hash, item);
            }
            if filled < BATCH {
                return;
            }
        }
    }

    /// Removes the items of these keys, shows each that was there and drops it. Returns how many.
    pub fn remove_many<'k>(
        &mut self,
        mut keys: impl Iterator<Item = &'k [u8]>,
        removed: &mut impl FnMut(&T),
    ) -> usize {
        let mut batch: [(&[u8], u64); BATCH] = [(&[], 0); BATCH];
        let before = self.len();
        loop {
            let filled = self.prefetch_batch(&mut keys, &mut batch);
            for &(key, hash) in &batch[..filled] {
                if let Some(item) = self.remove(hash, key) {
                    removed(&item);
                }
            }
            if filled < BATCH {
                return before - self.len();
            }
        }
    }

    /// Asks for all that looking up the next keys will read. Returns how many there are.
    fn prefetch_batch<'k>(
        &self,
        keys: &mut impl Iterator<Item = &'k [u8]>,
        batch: &mut [(&'k [u8], u64); BATCH],
    ) -> usize {
        let mut filled = 0;
        for (place, key) in batch.iter_mut().zip(keys) {
            *place = (key, self.hash(key));
            self.prefetch_bucket(place.1);
            filled += 1;
        }
        batch[..filled].iter().for_each(|(_, hash)| self.prefetch_candidates(*hash));
        batch[..filled].iter().for_each(|(_, hash)| self.prefetch_overflow_candidates(*hash));
        filled
    }
}
