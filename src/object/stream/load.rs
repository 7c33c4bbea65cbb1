//! A stream out of the parts that a file or RESTORE gives: each is checked, so that what stands at the end is a stream
//! like our own.

use super::Stream;
use super::group::{ConsumerSlot, Group};
use super::id::StreamId;
use super::node::Node;
use crate::object::types::{Corrupt, Depth};
use std::collections::BTreeMap;

/// What a file tells of a stream besides its nodes and groups.
#[derive(Clone, Copy, Debug)]
pub struct Metadata {
    pub length: u64,
    pub last_id: StreamId,
    /// With the second version of the format came these: without them nothing was ever deleted.
    pub counters: Option<Counters>,
}

#[derive(Clone, Copy, Debug)]
pub struct Counters {
    /// Not relied on: the first entry is looked for.
    pub first_id: StreamId,
    pub max_deleted_id: StreamId,
    pub entries_added: u64,
}

impl Stream {
    /// Adds a node behind all others. Every entry is looked at whatever the depth: reading relies on all of it.
    pub fn load_node(&mut self, master: StreamId, blob: Vec<u8>, _depth: Depth) -> Result<(), Corrupt> {
        let log = &mut self.log;
        let last = log.nodes.last_key_value().and_then(|(master, node)| node.view(*master).last());
        if last.is_some_and(|last| last.entry.id >= master) {
            return Err(Corrupt("stream: nodes overlap"));
        }
        let node = Node::check(blob, master)?;
        let live = node.live();
        if live > 0 {
            log.length += live;
            log.nodes.insert(master, node);
        }
        Ok(())
    }

    /// Sets the rest; to be called once, when all nodes are there.
    pub fn load_metadata(&mut self, metadata: Metadata) -> Result<(), Corrupt> {
        let log = &mut self.log;
        if metadata.length != log.length {
            return Err(Corrupt("stream: its length is not the sum of its nodes"));
        }
        let last = log.nodes.last_key_value().and_then(|(master, node)| node.view(*master).last());
        if last.is_some_and(|last| last.entry.id > metadata.last_id) {
            return Err(Corrupt("stream: an entry above the last ID"));
        }
        log.last_id = metadata.last_id;
        log.entries_added = metadata.counters.map_or(log.length, |counters| counters.entries_added);
        log.max_deleted_id = metadata.counters.map_or(StreamId::MIN, |counters| counters.max_deleted_id);
        if log.entries_added < log.length || i64::try_from(log.entries_added).is_err() {
            return Err(Corrupt("stream: fewer entries were added than are there"));
        }
        log.find_first();
        Ok(())
    }

    /// Adds a group that a `GroupLoader` has made.
    pub fn load_group(&mut self, name: &[u8], group: Group) -> Result<(), Corrupt> {
        if self.groups.add(name, group) { Ok(()) } else { Err(Corrupt("stream: two groups of one name")) }
    }

    /// How many entries a group has read whose file does not tell it.
    pub fn entries_read_at(&self, last_id: StreamId) -> Option<i64> {
        self.log.entries_read_at(last_id)
    }
}

/// Builds a group: first all pending entries, then the consumers with what they own, then what was released.
pub struct GroupLoader {
    group: Group,
    /// Pending entries that have no owner yet: when they were delivered, and how often.
    unowned: BTreeMap<StreamId, (i64, u64)>,
}

impl GroupLoader {
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> GroupLoader {
        GroupLoader { group: Group::new(last_id, entries_read), unowned: BTreeMap::new() }
    }

    pub fn pending(&mut self, id: StreamId, delivered_ms: i64, deliveries: u64) -> Result<(), Corrupt> {
        match self.unowned.insert(id, (delivered_ms, deliveries)) {
            None => Ok(()),
            Some(_) => Err(Corrupt("stream: an entry is pending twice in one group")),
        }
    }

    pub fn consumer(
        &mut self,
        name: &[u8],
        seen_ms: i64,
        active_ms: Option<i64>,
    ) -> Result<ConsumerSlot, Corrupt> {
        let slot = self.group.load_consumer(name, seen_ms, active_ms);
        slot.ok_or(Corrupt("stream: two consumers of one name in one group"))
    }

    /// Says who owns a pending entry.
    pub fn owned(&mut self, consumer: ConsumerSlot, id: StreamId) -> Result<(), Corrupt> {
        let Some((delivered_ms, deliveries)) = self.unowned.remove(&id) else {
            return Err(Corrupt("stream: a consumer owns what is not pending, or what another one owns"));
        };
        self.group.deliver(id, consumer, delivered_ms, deliveries);
        Ok(())
    }

    /// Says that nobody owns a pending entry: it was released.
    pub fn released(&mut self, id: StreamId) -> Result<(), Corrupt> {
        let Some((_, deliveries)) = self.unowned.remove(&id) else {
            return Err(Corrupt(
                "stream: an entry was released that is not pending, or that a consumer owns",
            ));
        };
        self.group.release(id, deliveries);
        Ok(())
    }

    pub fn finish(self) -> Result<Group, Corrupt> {
        if self.unowned.is_empty() {
            return Ok(self.group);
        }
        Err(Corrupt("stream: an entry is pending that no consumer owns"))
    }
}
