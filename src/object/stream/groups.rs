//! The groups of a stream, by name.
//!
//! Invariant: `newer` counts the groups that need a newer version of the RDB format than the base; every edit of a
//! group passes through here.

use super::group::Group;
use super::id::StreamId;
use crate::object::RDB_VERSION_BASE;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(super) struct Groups {
    by_name: BTreeMap<Box<[u8]>, Group>,
    /// How many groups need this version, of those that need a newer one.
    newer: BTreeMap<u16, usize>,
}

impl Groups {
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Group> {
        self.by_name.get(name)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.by_name.iter().map(|(name, group)| (&**name, group))
    }

    /// The lowest version of the RDB format that holds all groups.
    pub(super) fn rdb_version(&self) -> u16 {
        self.newer.last_key_value().map_or(RDB_VERSION_BASE, |(version, _)| *version)
    }

    /// Adds a group. Whether the name was free.
    pub(super) fn add(&mut self, name: &[u8], group: Group) -> bool {
        if self.by_name.contains_key(name) {
            return false;
        }
        self.count(RDB_VERSION_BASE, group.rdb_version());
        self.by_name.insert(name.into(), group);
        true
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> Option<Group> {
        let group = self.by_name.remove(name)?;
        self.count(group.rdb_version(), RDB_VERSION_BASE);
        Some(group)
    }

    /// Lets `edit` change a group.
    pub(super) fn edit<R>(&mut self, name: &[u8], edit: impl FnOnce(&mut Group) -> R) -> Option<R> {
        let group = self.by_name.get_mut(name)?;
        let before = group.rdb_version();
        let result = edit(group);
        let after = group.rdb_version();
        self.count(before, after);
        Some(result)
    }

    /// Removes an entry from what any group has pending. Whether there was one.
    pub(super) fn forget(&mut self, id: StreamId) -> bool {
        let (mut counts, mut was_pending) = (Vec::new(), false);
        for group in self.by_name.values_mut() {
            let before = group.rdb_version();
            was_pending |= group.acknowledge(id);
            counts.push((before, group.rdb_version()));
        }
        counts.into_iter().for_each(|(before, after)| self.count(before, after));
        was_pending
    }

    /// Whether every group has read and acknowledged an entry. Without groups nobody has.
    pub(super) fn are_done_with(&self, id: StreamId) -> bool {
        !self.is_empty() && self.by_name.values().all(|group| group.last_id() >= id && !group.is_pending(id))
    }

    fn count(&mut self, before: u16, after: u16) {
        if before == after {
            return;
        }
        if before != RDB_VERSION_BASE
            && let Some(count) = self.newer.get_mut(&before)
        {
            *count -= 1;
            if *count == 0 {
                self.newer.remove(&before);
            }
        }
        if after != RDB_VERSION_BASE {
            *self.newer.entry(after).or_default() += 1;
        }
    }

    /// Walks every invariant; panics with the reason if one does not hold.
    pub(super) fn check(&self) {
        let mut newer = BTreeMap::new();
        for group in self.by_name.values() {
            group.check();
            if group.rdb_version() != RDB_VERSION_BASE {
                *newer.entry(group.rdb_version()).or_default() += 1;
            }
        }
        assert_eq!(newer, self.newer);
    }
}
