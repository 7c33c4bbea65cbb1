//! The entries of a stream: nodes by master ID, and what is known of all entries that ever were.
//!
//! Invariants
//! 1. Nodes do not overlap: the IDs of one lie below the master ID of the next.
//! 2. `length` is the sum of the nodes' entries; `first_id` is the ID of the first entry, 0-0 when there is none.
//! 3. No ID is above `last_id`.
//!
//! Appending works on the last node alone and reallocates as a growing `Vec` does; a node that is full gives its spare
//! room back.

use super::id::{NewId, StreamId};
use super::node::{self, Entry, Found, Node, NodeView};
use crate::base::argv::Args;
use crate::encoding::listpack;
use crate::object::Rules;
use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;

/// The entries of a stream.
#[derive(Clone, Default)]
pub struct Log {
    pub(super) nodes: BTreeMap<StreamId, Node>,
    pub(super) length: u64,
    pub(super) first_id: StreamId,
    pub(super) last_id: StreamId,
    pub(super) max_deleted_id: StreamId,
    pub(super) entries_added: u64,
}

/// Why an entry was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The last ID is the greatest there is.
    Exhausted,
    /// The ID is not above the last one.
    NotAbove,
    /// The texts are larger than a node may be.
    TooLarge,
}

impl Log {
    /// Entries that are there.
    pub fn len(&self) -> u64 {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The ID of the first entry, 0-0 when there is none.
    pub fn first_id(&self) -> StreamId {
        self.first_id
    }

    /// The greatest ID that any entry ever had.
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The greatest ID that was deleted (trimming does not count).
    pub fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// Entries that were ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// The nodes, each with its master ID and its blob, as RDB files have them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &[u8])> {
        self.nodes.iter().map(|(master, node)| (*master, node.blob()))
    }

    // ----- adding -----

    /// The ID of the next entry, when it is asked for like this.
    pub fn next_id(&self, new: NewId, now_ms: i64) -> Result<StreamId, AppendError> {
        let last = self.last_id;
        let after_last = last.next().ok_or(AppendError::Exhausted)?;
        let id = match new {
            NewId::Auto if now_ms as u64 > last.ms => StreamId::new(now_ms as u64, 0),
            NewId::Auto => after_last,
            NewId::AutoSeq(ms) if ms == last.ms && after_last.ms == ms => after_last,
            NewId::AutoSeq(ms) => StreamId::new(ms, 0),
            NewId::Given(id) => id,
        };
        if id > last { Ok(id) } else { Err(AppendError::NotAbove) }
    }

    /// Whether an entry of these texts can be stored at all. Returns their bytes.
    pub fn may_hold(fields: Args<'_>) -> Result<usize, AppendError> {
        let text_bytes = fields.iter().map(<[u8]>::len).sum();
        if text_bytes > listpack::BYTES_MAX { Err(AppendError::TooLarge) } else { Ok(text_bytes) }
    }

    /// Adds an entry; `fields` are names and values in turns. Returns its ID.
    pub fn append(
        &mut self,
        new: NewId,
        fields: Args<'_>,
        now_ms: i64,
        rules: &Rules,
    ) -> Result<StreamId, AppendError> {
        let id = self.next_id(new, now_ms)?;
        let text_bytes = Log::may_hold(fields)?;
        let bytes_max = match rules.stream_node_max_bytes {
            0 => listpack::BYTES_MAX,
            given => given.min(listpack::BYTES_MAX),
        };
        match self.nodes.last_entry() {
            Some(mut last) if has_room(last.get(), text_bytes, bytes_max, rules) => {
                let master = *last.key();
                last.get_mut().append(master, id, fields);
            }
            last => {
                if let Some(mut full) = last {
                    full.get_mut().shrink();
                }
                let mut node = Node::new(fields);
                node.append(id, id, fields);
                self.nodes.insert(id, node);
            }
        }
        if self.length == 0 {
            self.first_id = id;
        }
        self.length += 1;
        self.entries_added += 1;
        self.last_id = id;
        Ok(id)
    }

    // ----- deleting -----

    /// Deletes an entry. Whether it was there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some((master, node)) = self.nodes.range_mut(..=id).next_back() else { return false };
        let master = *master;
        let found = node.view(master).seek(id).filter(|found| found.entry.id == id && !found.is_deleted);
        let Some(at) = found.map(|found| found.at) else { return false };
        if node.live() == 1 {
            self.nodes.remove(&master);
        } else {
            node.mark(at);
            node.marked(1);
        }
        self.length -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if id == self.first_id {
            self.find_first();
        }
        true
    }

    /// Sets `first_id` to what it should be.
    pub(super) fn find_first(&mut self) {
        self.first_id = self.iter().next().map_or(StreamId::MIN, |entry| entry.id);
    }

    /// Sets the counters of XSETID. The caller has checked that they can be.
    pub fn set_counters(
        &mut self,
        last_id: StreamId,
        entries_added: Option<u64>,
        max_deleted_id: Option<StreamId>,
    ) {
        self.last_id = last_id;
        self.entries_added = entries_added.unwrap_or(self.entries_added);
        self.max_deleted_id = max_deleted_id.unwrap_or(self.max_deleted_id);
    }

    // ----- reading -----

    /// The entry with this ID.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        let (master, node) = self.nodes.range(..=id).next_back()?;
        let found = node.view(*master).seek(id)?;
        (found.entry.id == id && !found.is_deleted).then_some(found.entry)
    }

    pub fn contains(&self, id: StreamId) -> bool {
        self.get(id).is_some()
    }

    /// The last entry.
    pub fn last(&self) -> Option<Entry<'_>> {
        self.range_back(StreamId::MIN, StreamId::MAX).next()
    }

    /// All entries in order.
    pub fn iter(&self) -> Range<'_> {
        self.range(StreamId::MIN, StreamId::MAX)
    }

    /// The entries from `start` to `end`, both included.
    pub fn range(&self, start: StreamId, end: StreamId) -> Range<'_> {
        let mut nodes = self.nodes_of(start, end);
        let node = nodes.next().map(|(master, node)| node.view(*master));
        let found = node.and_then(|node| node.seek(start));
        Range { nodes, node, found, end }
    }

    /// The entries from `end` down to `start`, both included.
    pub fn range_back(&self, start: StreamId, end: StreamId) -> RangeBack<'_> {
        let mut nodes = self.nodes_of(start, end);
        let node = nodes.next_back().map(|(master, node)| node.view(*master));
        let found = node.and_then(|node| node.seek_back(end));
        RangeBack { nodes, node, found, start }
    }

    /// The nodes in which the entries of a range can be.
    fn nodes_of(&self, start: StreamId, end: StreamId) -> btree_map::Range<'_, StreamId, Node> {
        if start > end || start > self.last_id {
            return self.nodes.range((Bound::Excluded(StreamId::MAX), Bound::Unbounded));
        }
        let first = self.nodes.range(..=start).next_back().map_or(start, |(master, _)| *master);
        self.nodes.range(first..=end)
    }

    // ----- what groups ask -----

    /// Whether an entry that a reader behind `start` has yet to see may have been deleted.
    pub fn has_gaps_from(&self, start: StreamId) -> bool {
        self.length > 0 && self.first_id <= self.max_deleted_id && start <= self.max_deleted_id
    }

    /// How many entries were ever added up to and including `id`, when that can be told.
    pub fn entries_read_at(&self, id: StreamId) -> Option<i64> {
        let added = self.entries_added as i64;
        if added == 0 {
            return Some(0);
        }
        if self.length == 0 && id <= self.last_id {
            return Some(added);
        }
        match id.cmp(&self.last_id) {
            std::cmp::Ordering::Equal => return Some(added),
            std::cmp::Ordering::Greater => return None,
            std::cmp::Ordering::Less => {}
        }
        let has_no_gaps = self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id;
        let before_first = added.wrapping_sub(self.length as i64);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less if has_no_gaps => Some(before_first),
            std::cmp::Ordering::Equal if has_no_gaps => Some(before_first + 1),
            _ => None,
        }
    }

    // ----- accounts -----

    /// Bytes on the heap, from up to `samples` nodes; 0 looks at all.
    pub(super) fn heap_bytes(&self, samples: usize) -> usize {
        let looked_at = if samples == 0 { self.nodes.len() } else { samples.min(self.nodes.len()) };
        let blobs: usize = self.nodes.values().take(looked_at).map(Node::heap_bytes).sum();
        let all_blobs = (blobs * self.nodes.len()).checked_div(looked_at).unwrap_or(0);
        all_blobs + super::tree_bytes::<StreamId, Node>(self.nodes.len())
    }

    /// Walks every invariant; panics with the reason if one does not hold.
    pub(super) fn check(&self) {
        let (mut length, mut last) = (0, None);
        for (master, node) in &self.nodes {
            assert!(last.is_none_or(|last| last < *master), "nodes do not overlap");
            Node::check(node.blob().to_vec(), *master).expect("a whole node");
            assert!(node.live() > 0);
            length += node.live();
            last = node.view(*master).last().map(|found| found.entry.id);
        }
        assert_eq!(length, self.length);
        assert!(last.is_none_or(|last| last <= self.last_id));
        assert_eq!(self.first_id, self.iter().next().map_or(StreamId::MIN, |entry| entry.id));
        assert!(self.entries_added >= self.length);
    }
}

/// Whether the last node takes one more entry, by Redis's rule: marked entries count as well.
fn has_room(last: &Node, text_bytes: usize, bytes_max: usize, rules: &Rules) -> bool {
    let (live, deleted) = last.counts();
    last.blob().len() + text_bytes < bytes_max
        && (rules.stream_node_max_entries == 0 || live + deleted < rules.stream_node_max_entries as u64)
        && node::fits(last.blob().len(), text_bytes)
}

/// Entries in order.
#[derive(Clone)]
pub struct Range<'a> {
    nodes: btree_map::Range<'a, StreamId, Node>,
    node: Option<NodeView<'a>>,
    /// The next entry of `node`, which may be a marked one.
    found: Option<Found<'a>>,
    end: StreamId,
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let node = self.node?;
            let Some(found) = self.found.take() else {
                self.node = self.nodes.next().map(|(master, node)| node.view(*master));
                self.found = self.node.and_then(|node| node.first());
                continue;
            };
            if found.entry.id > self.end {
                self.node = None;
                return None;
            }
            self.found = node.after(&found);
            if !found.is_deleted {
                return Some(found.entry);
            }
        }
    }
}

/// Entries in reverse order.
#[derive(Clone)]
pub struct RangeBack<'a> {
    nodes: btree_map::Range<'a, StreamId, Node>,
    node: Option<NodeView<'a>>,
    found: Option<Found<'a>>,
    start: StreamId,
}

impl<'a> Iterator for RangeBack<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let node = self.node?;
            let Some(found) = self.found.take() else {
                self.node = self.nodes.next_back().map(|(master, node)| node.view(*master));
                self.found = self.node.and_then(|node| node.last());
                continue;
            };
            if found.entry.id < self.start {
                self.node = None;
                return None;
            }
            self.found = node.before(&found);
            if !found.is_deleted {
                return Some(found.entry);
            }
        }
    }
}
