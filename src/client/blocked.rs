//! Clients whose command waits for a key: who waits for what, in order of arrival.
//!
//! ```text
//! database -> key -> type waited for -> arrival number -> client
//! ready: keys that changed while somebody waits for them, in the order in which they did
//! ```
//! Joining, leaving and finding the next in the queue cost the logarithm of its length. Nothing here runs a command:
//! `exec::unblock` does.

use crate::base::argv::Argv;
use crate::base::ids::ClientId;
use crate::keyspace::{Wait, WhenGone};
use crate::object::ValueType;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;

/// A command that is to be run again.
pub struct Asked {
    pub db: usize,
    /// Index in the command table.
    pub command: usize,
    pub argv: Argv,
}

/// What a client waits for, and the command that is run when it comes.
pub struct Blocked {
    pub wait: Wait,
    pub asked: Asked,
    /// The time that running the command has taken so far; that of the wait is not in it.
    pub spent_ns: u64,
    /// Its place in every queue.
    arrival: u64,
}

impl Blocked {
    /// Tells this wait from every other one.
    pub fn arrival(&self) -> u64 {
        self.arrival
    }

    /// Memory held, in bytes, without the places in the queues.
    pub fn heap_bytes(&self) -> usize {
        let keys: usize = self.wait.keys.iter().map(|key| key.len() + size_of::<Box<[u8]>>()).sum();
        size_of::<Blocked>() + keys + self.asked.argv.heap_bytes()
    }
}

type Queue = BTreeMap<u64, ClientId>;

#[derive(Default)]
struct Waiters {
    queues: Vec<(ValueType, Queue)>,
    /// How many of them want to know when the key goes.
    leaving: usize,
}

impl Waiters {
    fn is_empty(&self) -> bool {
        self.queues.iter().all(|(_, queue)| queue.is_empty())
    }

    fn queue_mut(&mut self, value_type: ValueType) -> &mut Queue {
        let place = self.queues.iter().position(|(other, _)| *other == value_type).unwrap_or_else(|| {
            self.queues.push((value_type, Queue::new()));
            self.queues.len() - 1
        });
        &mut self.queues[place].1
    }
}

/// Everybody who waits.
#[derive(Default)]
pub struct Waiting {
    by_db: BTreeMap<usize, HashMap<Box<[u8]>, Waiters>>,
    ready: VecDeque<(usize, Box<[u8]>)>,
    last_arrival: u64,
    clients: usize,
}

impl Waiting {
    /// How many clients wait.
    pub fn len(&self) -> usize {
        self.clients
    }

    pub fn is_empty(&self) -> bool {
        self.clients == 0
    }

    /// The arrival number of the wait that begins next.
    pub fn coming_arrival(&self) -> u64 {
        self.last_arrival + 1
    }

    /// How many keys are waited for, and how many of those by clients that want to know when they go.
    pub fn key_counts(&self) -> (usize, usize) {
        let keys = || self.by_db.values().flat_map(HashMap::values);
        (keys().count(), keys().filter(|waiters| waiters.leaving > 0).count())
    }

    /// Puts a client at the end of the queues of its keys.
    pub fn join(&mut self, client: ClientId, asked: Asked, wait: Wait) -> Blocked {
        self.last_arrival += 1;
        self.clients += 1;
        let keys = self.by_db.entry(asked.db).or_default();
        for key in &wait.keys {
            let waiters = keys.entry(key.clone()).or_default();
            let is_new = waiters.queue_mut(wait.for_type).insert(self.last_arrival, client).is_none();
            waiters.leaving += usize::from(is_new && wait.when_gone == WhenGone::Unblocks);
        }
        Blocked { wait, asked, spent_ns: 0, arrival: self.last_arrival }
    }

    /// Takes a client out of its queues.
    pub fn leave(&mut self, blocked: &Blocked) {
        self.clients -= 1;
        let Some(keys) = self.by_db.get_mut(&blocked.asked.db) else { return };
        for key in &blocked.wait.keys {
            let Some(waiters) = keys.get_mut(key) else { continue };
            let was_there = waiters.queue_mut(blocked.wait.for_type).remove(&blocked.arrival).is_some();
            waiters.leaving -= usize::from(was_there && blocked.wait.when_gone == WhenGone::Unblocks);
            if waiters.is_empty() {
                keys.remove(key);
            }
        }
        if keys.is_empty() {
            self.by_db.remove(&blocked.asked.db);
        }
    }

    /// Tells that a key changed: whoever waits for it will be looked at.
    pub fn key_changed(&mut self, db: usize, key: &[u8]) {
        let Some((key, _)) = self.by_db.get(&db).and_then(|keys| keys.get_key_value(key)) else { return };
        let place = (db, key.clone());
        // One command often changes a key several times in a row.
        if self.ready.back() != Some(&place) {
            self.ready.push_back(place);
        }
    }

    /// Tells that any key of a database may have changed.
    pub fn db_changed(&mut self, db: usize) {
        let keys = self.by_db.get(&db).into_iter().flat_map(HashMap::keys);
        self.ready.extend(keys.map(|key| (db, key.clone())));
    }

    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next key that changed.
    pub fn take_ready(&mut self) -> Option<(usize, Box<[u8]>)> {
        self.ready.pop_front()
    }

    /// The first client behind `after` that waits for `key` to hold a `value_type`, with its place in the queue.
    pub fn next(&self, db: usize, key: &[u8], value_type: ValueType, after: u64) -> Option<(u64, ClientId)> {
        let waiters = self.by_db.get(&db)?.get(key)?;
        let (_, queue) = waiters.queues.iter().find(|(other, _)| *other == value_type)?;
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        queue.range(behind).next().map(|(arrival, client)| (*arrival, *client))
    }

    /// The types for which clients wait that want to know when `key` goes.
    pub fn types_of_leaving(&self, db: usize, key: &[u8]) -> Vec<ValueType> {
        let waiters = self.by_db.get(&db).and_then(|keys| keys.get(key));
        let leaving = waiters.filter(|waiters| waiters.leaving > 0);
        leaving
            .into_iter()
            .flat_map(|waiters| waiters.queues.iter().map(|(value_type, _)| *value_type))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::OnTimeout;

    fn wait(keys: &[&[u8]], when_gone: WhenGone) -> Wait {
        Wait {
            keys: keys.iter().map(|key| (*key).into()).collect(),
            for_type: ValueType::List,
            deadline_ms: None,
            on_timeout: OnTimeout::NullArray,
            when_gone,
            retry: None,
        }
    }

    fn asked(db: usize) -> Asked {
        Asked { db, command: 7, argv: Argv::new() }
    }

    #[test]
    fn the_queue_keeps_the_order_of_arrival() {
        let mut waiting = Waiting::default();
        let ids: Vec<ClientId> = (1..=3).map(|number| ClientId { number, slot: number as u32 }).collect();
        let all: Vec<Blocked> = ids
            .iter()
            .map(|id| waiting.join(*id, asked(0), wait(&[b"k", b"l", b"k"], WhenGone::Waits)))
            .collect();
        waiting.leave(&all[1]);
        let (first, client) = waiting.next(0, b"k", ValueType::List, 0).expect("two wait");
        assert_eq!(client, ids[0]);
        let (second, client) = waiting.next(0, b"k", ValueType::List, first).expect("one more waits");
        assert_eq!(client, ids[2]);
        assert_eq!(waiting.next(0, b"k", ValueType::List, second), None);
        assert_eq!(waiting.next(0, b"k", ValueType::Zset, 0), None);
        assert_eq!((waiting.len(), waiting.key_counts()), (2, (2, 0)));
        waiting.leave(&all[0]);
        waiting.leave(&all[2]);
        assert!(waiting.is_empty() && waiting.by_db.is_empty());
    }

    #[test]
    fn only_keys_that_somebody_waits_for_get_ready() {
        let mut waiting = Waiting::default();
        let id = ClientId { number: 1, slot: 0 };
        waiting.key_changed(0, b"k");
        assert!(!waiting.is_ready());
        let blocked = waiting.join(id, asked(2), wait(&[b"k"], WhenGone::Unblocks));
        waiting.key_changed(0, b"k");
        assert!(!waiting.is_ready());
        waiting.key_changed(2, b"k");
        waiting.key_changed(2, b"k");
        assert_eq!(waiting.take_ready(), Some((2, b"k"[..].into())));
        assert_eq!(waiting.take_ready(), None);
        assert_eq!(waiting.types_of_leaving(2, b"k"), [ValueType::List]);
        waiting.leave(&blocked);
        assert!(waiting.types_of_leaving(2, b"k").is_empty());
    }
}
