//! A consumer group: how far it has read, who reads for it, and which entries were delivered and not acknowledged.
//!
//! ```text
//!   pending   by ID: deliveries so far, and either its consumer and when it was delivered, or its place in the queue
//!             of released entries (XNACK), which no consumer owns
//!   consumer  name, when it was last seen and last served, and the IDs of what it has pending
//! ```
//! Invariants
//! 1. A pending entry is owned by exactly one consumer and among that consumer's IDs, or it is released and in the
//!    queue.
//! 2. Consumers are found by slot; a slot is never left dangling: what a consumer owned goes with it.
//! 3. `by_time`, once a claim by time has asked for it, holds exactly the owned entries, oldest delivery first.
//! 4. `newer` counts the consumers that an RDB file of Redis 7.0 cannot hold: last served at another time than last
//!    seen.

use super::id::StreamId;
use crate::base::alloc::size_class;
use std::collections::{BTreeMap, BTreeSet};

/// The place of a consumer in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerSlot(u32);

/// One consumer.
#[derive(Clone)]
pub struct Consumer {
    name: Box<[u8]>,
    seen_ms: i64,
    active_ms: Option<i64>,
    pending: BTreeSet<StreamId>,
}

impl Consumer {
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// When it last asked for something, in Unix milliseconds.
    pub fn seen_ms(&self) -> i64 {
        self.seen_ms
    }

    /// When it last got something, in Unix milliseconds.
    pub fn active_ms(&self) -> Option<i64> {
        self.active_ms
    }

    /// The IDs of what it has pending, in order.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = StreamId> + DoubleEndedIterator + '_ {
        self.pending.iter().copied()
    }

    /// The IDs of what it has pending, from `start` on.
    pub fn pending_from(&self, start: StreamId) -> impl Iterator<Item = StreamId> + '_ {
        self.pending.range(start..).copied()
    }

    fn is_newer(&self) -> bool {
        self.active_ms != Some(self.seen_ms)
    }
}

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pending {
    deliveries: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Owned {
        consumer: ConsumerSlot,
        delivered_ms: i64,
    },
    /// `turn` is its key in the queue.
    Released {
        turn: u64,
    },
}

/// A pending entry to be read.
#[derive(Clone, Copy)]
pub struct PendingEntry<'a> {
    pub id: StreamId,
    /// `None`: it was released, and waits for anybody.
    pub consumer: Option<&'a Consumer>,
    /// Unix milliseconds; 0 for a released one.
    pub delivered_ms: i64,
    pub deliveries: u64,
}

/// What a consumer got by asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// Nothing: it was seen.
    Seen,
    /// Entries: it is active.
    Served,
}

/// Whether a consumer had to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Now,
    Before,
}

/// A consumer group.
#[derive(Clone, Default)]
pub struct Group {
    last_id: StreamId,
    entries_read: Option<i64>,
    pending: BTreeMap<StreamId, Pending>,
    /// Consumers by slot; free slots are listed.
    consumers: Vec<Option<Consumer>>,
    free: Vec<ConsumerSlot>,
    /// Slots in the order of the names.
    names: Vec<ConsumerSlot>,
    /// Released entries in the order in which they are to be delivered.
    released: BTreeMap<u64, StreamId>,
    by_time: Option<BTreeSet<(i64, StreamId)>>,
    newer: usize,
}

impl Group {
    /// A group that has read up to `last_id`, which are `entries_read` entries if that is known.
    pub fn new(last_id: StreamId, entries_read: Option<i64>) -> Group {
        Group { last_id, entries_read, ..Group::default() }
    }

    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// How many of all entries ever added the group has read, when that is known.
    pub fn entries_read(&self) -> Option<i64> {
        self.entries_read
    }

    pub fn set_position(&mut self, last_id: StreamId, entries_read: Option<i64>) {
        self.last_id = last_id;
        self.entries_read = entries_read;
    }

    /// The lowest version of the RDB format that holds all of the group.
    pub(super) fn rdb_version(&self) -> u16 {
        const WITH_ACTIVE_TIMES: u16 = 11;
        const WITH_RELEASED: u16 = 14;
        match (self.released.is_empty(), self.newer) {
            (false, _) => WITH_RELEASED,
            (true, 0) => crate::object::RDB_VERSION_BASE,
            (true, _) => WITH_ACTIVE_TIMES,
        }
    }

    // ----- consumers -----

    /// The consumers in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.names.iter().map(|slot| self.at(*slot))
    }

    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.slot(name).map(|slot| self.at(slot))
    }

    pub fn slot(&self, name: &[u8]) -> Option<ConsumerSlot> {
        self.find_name(name).ok().map(|place| self.names[place])
    }

    fn find_name(&self, name: &[u8]) -> Result<usize, usize> {
        self.names.binary_search_by(|slot| (*self.at(*slot).name).cmp(name))
    }

    pub fn at(&self, slot: ConsumerSlot) -> &Consumer {
        self.consumers[slot.0 as usize].as_ref().expect("a slot that is in use")
    }

    fn at_mut(&mut self, slot: ConsumerSlot) -> &mut Consumer {
        self.consumers[slot.0 as usize].as_mut().expect("a slot that is in use")
    }

    /// The consumer of this name, which is made if need be, seen now but never served.
    pub fn consumer_or_make(&mut self, name: &[u8], now_ms: i64) -> (ConsumerSlot, Made) {
        match self.find_name(name) {
            Ok(place) => (self.names[place], Made::Before),
            Err(place) => (self.add_consumer(place, name, now_ms, None), Made::Now),
        }
    }

    fn add_consumer(
        &mut self,
        place: usize,
        name: &[u8],
        seen_ms: i64,
        active_ms: Option<i64>,
    ) -> ConsumerSlot {
        let consumer = Consumer { name: name.into(), seen_ms, active_ms, pending: BTreeSet::new() };
        self.newer += usize::from(consumer.is_newer());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.consumers.push(None);
            ConsumerSlot((self.consumers.len() - 1) as u32)
        });
        self.consumers[slot.0 as usize] = Some(consumer);
        self.names.insert(place, slot);
        slot
    }

    /// Removes a consumer with all that it has pending. Returns how many entries that were.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let place = self.find_name(name).ok()?;
        let slot = self.names.remove(place);
        let consumer = self.consumers[slot.0 as usize].take().expect("a slot that is in use");
        self.free.push(slot);
        self.newer -= usize::from(consumer.is_newer());
        for id in &consumer.pending {
            let pending = self.pending.remove(id).expect("what a consumer owns is pending");
            self.forget_time(*id, pending);
        }
        Some(consumer.pending.len())
    }

    /// Notes that a consumer asked for something.
    pub fn contact(&mut self, slot: ConsumerSlot, contact: Contact, now_ms: i64) {
        let consumer = self.at_mut(slot);
        let before = consumer.is_newer();
        consumer.seen_ms = now_ms;
        if contact == Contact::Served {
            consumer.active_ms = Some(now_ms);
        }
        let after = consumer.is_newer();
        self.newer = self.newer + usize::from(after) - usize::from(before);
    }

    // ----- pending entries -----

    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    pub fn is_pending(&self, id: StreamId) -> bool {
        self.pending.contains_key(&id)
    }

    /// The pending entries from `start` to `end`, both included.
    pub fn pending(
        &self,
        start: StreamId,
        end: StreamId,
    ) -> impl DoubleEndedIterator<Item = PendingEntry<'_>> {
        let range = (start <= end).then(|| self.pending.range(start..=end));
        range.into_iter().flatten().map(|(id, pending)| self.shown(*id, *pending))
    }

    pub fn pending_entry(&self, id: StreamId) -> Option<PendingEntry<'_>> {
        self.pending.get(&id).map(|pending| self.shown(id, *pending))
    }

    fn shown(&self, id: StreamId, pending: Pending) -> PendingEntry<'_> {
        let (consumer, delivered_ms) = match pending.state {
            State::Owned { consumer, delivered_ms } => (Some(self.at(consumer)), delivered_ms),
            State::Released { .. } => (None, 0),
        };
        PendingEntry { id, consumer, delivered_ms, deliveries: pending.deliveries }
    }

    /// The released entries in the order in which they are to be delivered.
    pub fn released(&self) -> impl ExactSizeIterator<Item = StreamId> {
        self.released.values().copied()
    }

    /// Notes that an entry was delivered to a consumer, who owns it from now on.
    pub fn deliver(&mut self, id: StreamId, consumer: ConsumerSlot, delivered_ms: i64, deliveries: u64) {
        let pending = Pending { deliveries, state: State::Owned { consumer, delivered_ms } };
        match self.pending.insert(id, pending) {
            Some(Pending { state: State::Owned { consumer: owner, delivered_ms }, .. })
                if owner == consumer =>
            {
                if let Some(by_time) = &mut self.by_time {
                    by_time.remove(&(delivered_ms, id));
                }
            }
            Some(old) => {
                self.disown(id, old);
                self.at_mut(consumer).pending.insert(id);
            }
            None => {
                self.at_mut(consumer).pending.insert(id);
            }
        }
        if let Some(by_time) = &mut self.by_time {
            by_time.insert((delivered_ms, id));
        }
    }

    /// Removes a pending entry. Whether it was pending.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        self.disown(id, pending);
        true
    }

    /// Takes a pending entry, or one that is not pending yet, from its consumer, and queues it for anybody.
    pub fn release(&mut self, id: StreamId, deliveries: u64) {
        let turn = match self.pending.get(&id).map(|pending| pending.state) {
            Some(State::Released { turn }) => turn,
            _ => self.released.last_key_value().map_or(0, |(turn, _)| turn + 1),
        };
        let pending = Pending { deliveries, state: State::Released { turn } };
        if let Some(old) = self.pending.insert(id, pending) {
            self.disown(id, old);
        }
        self.released.insert(turn, id);
    }

    /// Makes a pending entry unknown to its owner, to the queue and to the index by time.
    fn disown(&mut self, id: StreamId, pending: Pending) {
        match pending.state {
            State::Owned { consumer, .. } => {
                self.at_mut(consumer).pending.remove(&id);
            }
            State::Released { turn } => {
                self.released.remove(&turn);
            }
        }
        self.forget_time(id, pending);
    }

    fn forget_time(&mut self, id: StreamId, pending: Pending) {
        if let (State::Owned { delivered_ms, .. }, Some(by_time)) = (pending.state, &mut self.by_time) {
            by_time.remove(&(delivered_ms, id));
        }
    }

    /// The pending entries that nobody has worked on since `until_ms`: released ones first, then the longest idle; at
    /// most `count`. The first call makes an index, which later ones use.
    pub fn idle_since(&mut self, until_ms: i64, count: usize) -> Vec<StreamId> {
        let pending = &self.pending;
        let by_time = self.by_time.get_or_insert_with(|| {
            let owned = pending.iter().filter_map(|(id, pending)| match pending.state {
                State::Owned { delivered_ms, .. } => Some((delivered_ms, *id)),
                State::Released { .. } => None,
            });
            owned.collect()
        });
        let idle = by_time.range(..=(until_ms, StreamId::MAX)).map(|(_, id)| *id);
        self.released.values().copied().chain(idle).take(count).collect()
    }

    // ----- accounts -----

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let consumers = self.consumers.iter().flatten();
        let owned: usize = consumers
            .map(|consumer| {
                size_class(consumer.name.len()) + super::tree_bytes::<StreamId, ()>(consumer.pending.len())
            })
            .sum();
        owned
            + self.consumers.capacity() * size_of::<Option<Consumer>>()
            + (self.free.capacity() + self.names.capacity()) * size_of::<ConsumerSlot>()
            + super::tree_bytes::<StreamId, Pending>(self.pending.len())
            + super::tree_bytes::<u64, StreamId>(self.released.len())
            + super::tree_bytes::<(i64, StreamId), ()>(self.by_time.as_ref().map_or(0, BTreeSet::len))
    }

    /// Walks every invariant; panics with the reason if one does not hold.
    pub(super) fn check(&self) {
        let (mut owned, mut newer) = (0, 0);
        for consumer in self.consumers() {
            newer += usize::from(consumer.is_newer());
            for id in consumer.pending() {
                let shown =
                    self.pending_entry(id).and_then(|shown| shown.consumer).expect("owned is pending");
                assert_eq!(shown.name(), consumer.name());
                owned += 1;
            }
        }
        assert_eq!(newer, self.newer);
        assert!(self.names.is_sorted_by(|first, second| self.at(*first).name < self.at(*second).name));
        assert_eq!(self.names.len() + self.free.len(), self.consumers.len());
        assert_eq!(owned + self.released.len(), self.pending.len());
        for (turn, id) in &self.released {
            assert_eq!(self.pending[id].state, State::Released { turn: *turn });
        }
        if let Some(by_time) = &self.by_time {
            assert_eq!(by_time.len(), owned);
            assert!(
                by_time
                    .iter()
                    .all(|(ms, id)| self.pending_entry(*id).is_some_and(|own| own.delivered_ms == *ms))
            );
        }
    }
}

/// Builders for a loader: the parts of a group as a file has them, each checked.
impl Group {
    /// A consumer; `None` when there is one of that name.
    pub(super) fn load_consumer(
        &mut self,
        name: &[u8],
        seen_ms: i64,
        active_ms: Option<i64>,
    ) -> Option<ConsumerSlot> {
        let place = self.find_name(name).err()?;
        Some(self.add_consumer(place, name, seen_ms, active_ms))
    }
}
