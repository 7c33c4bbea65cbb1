//! The stream type: entries that are only ever appended, each a list of fields and values under an ascending ID, and
//! the groups of consumers that share in reading them.
//!
//! ```text
//!   Stream   Log     nodes by master ID, each a listpack of entries  (log.rs, node.rs)
//!            Groups  by name: position, consumers, pending entries   (groups.rs, group.rs)
//! ```
//! A node is the blob of an RDB file: saving and loading copies it.
//!
//! Invariants
//! 1. A stream may be empty: its groups and its last ID are worth keeping. It goes only when its key is deleted.
//! 2. Groups may refer to entries that have been deleted; entries know nothing of groups.
//!
//! It does not keep who waits for entries, nor producers' IDs (Redis 8.6).

mod group;
mod groups;
mod id;
mod load;
mod log;
mod node;
mod radix;
#[cfg(test)]
mod tests;
mod trim;

pub use group::{Consumer, ConsumerSlot, Contact, Group, Made, PendingEntry};
pub use id::{IdText, NewId, StreamId};
pub use load::{Counters, GroupLoader, Metadata};
pub use log::{AppendError, Log, Range, RangeBack};
pub use node::{Entry, Fields};
pub use radix::Shape;
pub use trim::{Deleted, Exactness, References, Threshold};

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};
use crate::base::alloc::size_class;
use groups::Groups;

/// A stream with its groups.
#[derive(Clone, Default)]
pub struct Stream {
    log: Log,
    groups: Groups,
}

impl Stream {
    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn log_mut(&mut self) -> &mut Log {
        &mut self.log
    }

    // ----- groups -----

    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The groups in the order of their names.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter()
    }

    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Adds a group. Whether the name was free.
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        self.groups.add(name, group)
    }

    /// Removes a group. Whether it was there.
    pub fn remove_group(&mut self, name: &[u8]) -> bool {
        self.groups.remove(name).is_some()
    }

    /// Lets `edit` change a group while it looks at the entries. `None` when there is no such group.
    pub fn edit_group<R>(&mut self, name: &[u8], edit: impl FnOnce(&Log, &mut Group) -> R) -> Option<R> {
        let log = &self.log;
        self.groups.edit(name, |group| edit(log, group))
    }

    /// How many entries a group has yet to read, when that can be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        let added = self.log.entries_added() as i64;
        if added == 0 {
            return Some(0);
        }
        let read = group.entries_read().filter(|_| !self.log.has_gaps_from(group.last_id()));
        let read = read.or_else(|| self.log.entries_read_at(group.last_id()))?;
        Some(added.wrapping_sub(read))
    }

    /// How many nodes a compressed radix tree of the master IDs has, and how many keys: what Redis tells of its own.
    pub fn radix_tree(&self) -> Shape {
        Shape::of(&self.log)
    }

    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    pub fn check(&self) {
        self.log.check();
        self.groups.check();
    }
}

impl DataType for Stream {
    const TYPE: ValueType = ValueType::Stream;
    type View<'a> = &'a Stream;

    fn create(_rules: &Rules) -> Self {
        Stream::default()
    }

    fn view(&self) -> &Stream {
        self
    }

    fn is_empty(&self) -> bool {
        false
    }

    fn encoding(_view: &Stream) -> Encoding {
        Encoding::Stream
    }

    fn packed(&self) -> Option<(Packing, &[u8])> {
        None
    }

    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        Err(self)
    }

    fn from_packed(_packing: Packing, _bytes: Vec<u8>) -> Self {
        unreachable!("a stream is never packed")
    }

    fn view_packed(_packing: Packing, _bytes: &[u8]) -> &Stream {
        unreachable!("a stream is never packed")
    }

    fn load_packed(
        _packing: Packing,
        _bytes: Vec<u8>,
        _depth: Depth,
        _rules: &Rules,
    ) -> Result<Self, Corrupt> {
        Err(Corrupt("stream: not a packed value"))
    }

    fn duplicate(&self) -> Self {
        self.clone()
    }

    fn heap_bytes(view: &Stream, samples: usize) -> usize {
        let groups: usize =
            view.groups().map(|(name, group)| size_class(name.len()) + group.heap_bytes()).sum();
        size_class(size_of::<Stream>())
            + view.log.heap_bytes(samples)
            + groups
            + tree_bytes::<Box<[u8]>, Group>(view.group_count())
    }

    fn drop_cost(&self) -> usize {
        /// Items in a leaf of a tree, on average.
        const ITEMS_PER_LEAF: usize = 8;
        let pending: usize =
            self.groups().map(|(_, group)| group.pending_len() + group.consumers().len()).sum();
        1 + self.log.nodes().len() + pending / ITEMS_PER_LEAF
    }

    fn set_rehash(&mut self, _rehash: Rehash) {}

    fn rdb_version(view: &Stream) -> u16 {
        view.groups.rdb_version()
    }
}

/// Bytes that a `BTreeMap` of `len` items takes. Its nodes have eleven places; IDs ascend, so that each is split where
/// six are filled, and the first half stays like that.
fn tree_bytes<K, V>(len: usize) -> usize {
    const PLACES: usize = 11;
    const FILLED: usize = 6;
    const HEAD_BYTES: usize = 16;
    let leaf = PLACES * (size_of::<K>() + size_of::<V>()) + HEAD_BYTES;
    let inner = leaf + (PLACES + 1) * size_of::<usize>();
    let leaves = len.div_ceil(FILLED);
    leaves * size_class(leaf) + leaves / FILLED * size_class(inner)
}
