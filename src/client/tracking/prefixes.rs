//! Clients that want to hear of every key that begins with a prefix, and the keys that changed since they were told.
//!
//! The prefixes of a key are found by trying the lengths that occur, of which there are few: each is one lookup,
//! however many prefixes there are. Invariants:
//! 1. A prefix is here exactly while a client stands under it; when the last one leaves, what changed is forgotten.
//! 2. `lengths` holds each length of a prefix once, ascending, with the number of prefixes that have it.
//! 3. `touched` names each prefix with changed keys once.

use crate::base::ids::ClientId;
use std::collections::{BTreeMap, BTreeSet};

/// Who has changed a key; `None`: its time was over, or memory was short.
pub type ChangedBy = Option<ClientId>;

#[derive(Default)]
pub struct Prefixes {
    by_prefix: BTreeMap<Box<[u8]>, Prefix>,
    lengths: Vec<(usize, usize)>,
    touched: Vec<Box<[u8]>>,
}

#[derive(Default)]
struct Prefix {
    clients: BTreeSet<ClientId>,
    changed: Changed,
}

/// Keys that changed, one behind the other.
#[derive(Default)]
struct Changed {
    bytes: Vec<u8>,
    keys: Vec<(std::ops::Range<usize>, ChangedBy)>,
    /// At so many keys those that occur twice are removed.
    compact_at: usize,
}

/// What the clients of one prefix are to be told.
pub struct Broadcast {
    pub clients: Vec<ClientId>,
    changed: Changed,
}

impl Broadcast {
    /// The keys in order, each with who changed it last.
    pub fn keys(&self) -> impl Iterator<Item = (&[u8], ChangedBy)> + Clone {
        self.changed.keys.iter().map(|(place, by)| (&self.changed.bytes[place.clone()], *by))
    }
}

/// Fewer keys than this are not worth removing those that occur twice.
const COMPACT_KEYS_MIN: usize = 4096;

impl Changed {
    fn add(&mut self, key: &[u8], by: ChangedBy) {
        // One key often changes several times in a row.
        if let Some((place, changed_by)) = self.keys.last_mut()
            && self.bytes[place.clone()] == *key
        {
            *changed_by = by;
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.keys.push((start..self.bytes.len(), by));
        if self.keys.len() >= self.compact_at.max(COMPACT_KEYS_MIN) {
            self.compact();
        }
    }

    /// Sorts the keys; of each the last change stays.
    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.keys.sort_by(|(one, _), (other, _)| bytes[one.clone()].cmp(&bytes[other.clone()]));
        self.keys.dedup_by(|(later, by), (earlier, changed_by)| {
            let is_same = bytes[later.clone()] == bytes[earlier.clone()];
            if is_same {
                *changed_by = *by;
            }
            is_same
        });
    }

    fn compact(&mut self) {
        self.sort();
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for (place, _) in &mut self.keys {
            let start = bytes.len();
            bytes.extend_from_slice(&self.bytes[place.clone()]);
            *place = start..bytes.len();
        }
        self.bytes = bytes;
        self.compact_at = 2 * self.keys.len();
    }
}

impl Prefixes {
    /// How many prefixes.
    pub fn len(&self) -> usize {
        self.by_prefix.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_prefix.is_empty()
    }

    /// Whether there is something to be told.
    pub fn has_changed(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let of_state = |state: &Prefix| {
            size_of::<(Box<[u8]>, Prefix)>()
                + state.clients.len() * size_of::<ClientId>()
                + state.changed.bytes.capacity()
                + state.changed.keys.capacity() * size_of::<(std::ops::Range<usize>, ChangedBy)>()
        };
        self.by_prefix.iter().map(|(prefix, state)| prefix.len() + of_state(state)).sum()
    }

    pub(super) fn join(&mut self, prefix: &[u8], client: ClientId) {
        if !self.by_prefix.contains_key(prefix) {
            self.by_prefix.insert(prefix.into(), Prefix::default());
            match self.lengths.binary_search_by_key(&prefix.len(), |(length, _)| *length) {
                Ok(at) => self.lengths[at].1 += 1,
                Err(at) => self.lengths.insert(at, (prefix.len(), 1)),
            }
        }
        self.by_prefix.entry(prefix.into()).or_default().clients.insert(client);
    }

    pub(super) fn leave(&mut self, prefix: &[u8], client: ClientId) {
        let Some(state) = self.by_prefix.get_mut(prefix) else { return };
        state.clients.remove(&client);
        if !state.clients.is_empty() {
            return;
        }
        self.by_prefix.remove(prefix);
        self.touched.retain(|touched| **touched != *prefix);
        if let Ok(at) = self.lengths.binary_search_by_key(&prefix.len(), |(length, _)| *length) {
            self.lengths[at].1 -= 1;
            if self.lengths[at].1 == 0 {
                self.lengths.remove(at);
            }
        }
    }

    /// Notes that `key` changed, for all prefixes that it begins with.
    pub fn changed(&mut self, key: &[u8], by: ChangedBy) {
        for (length, _) in &self.lengths {
            let Some(beginning) = key.get(..*length) else { return };
            let Some(state) = self.by_prefix.get_mut(beginning) else { continue };
            if state.changed.keys.is_empty() {
                self.touched.push(beginning.into());
            }
            state.changed.add(key, by);
        }
    }

    /// What is to be told, prefix by prefix in order; nothing of it is left.
    pub fn take_broadcasts(&mut self) -> Vec<Broadcast> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched
            .iter()
            .filter_map(|prefix| {
                let state = self.by_prefix.get_mut(prefix)?;
                let mut changed = std::mem::take(&mut state.changed);
                changed.sort();
                Some(Broadcast { clients: state.clients.iter().copied().collect(), changed })
            })
            .collect()
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
        for (prefix, state) in &self.by_prefix {
            *lengths.entry(prefix.len()).or_default() += 1;
            assert!(!state.clients.is_empty(), "a prefix without clients");
            let is_touched = self.touched.iter().filter(|touched| *touched == prefix).count();
            assert_eq!(is_touched, usize::from(!state.changed.keys.is_empty()));
        }
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), self.lengths);
    }
}
