//! What a command did to a group, collected while it is at it: events, counts, and what replicas are to do.
//!
//! Replicas are told results: who owns an entry now, since when and how often it was delivered. How a command chose the
//! entries is not for them to repeat.

use crate::base::argv::Argv;
use crate::base::number;
use crate::keyspace::{Event, Tx};
use crate::object::stream::{ConsumerSlot, Contact, Group, Made, PendingEntry, StreamId};

/// What is to be told of one group.
pub(super) struct Told<'a> {
    key: &'a [u8],
    group: &'a [u8],
    /// A consumer was made.
    has_made: bool,
    /// Changes that count and have no event.
    pub(super) changes: u64,
    commands: Vec<Argv>,
    /// Whether anybody listens to `commands`.
    listens: bool,
}

impl<'a> Told<'a> {
    pub(super) fn new(tx: &Tx<'_>, key: &'a [u8], group: &'a [u8]) -> Told<'a> {
        Told { key, group, has_made: false, changes: 0, commands: Vec::new(), listens: tx.ledger.propagates }
    }

    /// The consumer of this name, which is made if need be, even if it will get nothing; it is seen now.
    pub(super) fn contact(&mut self, group: &mut Group, consumer: &[u8], now_ms: i64) -> ConsumerSlot {
        let (slot, made) = group.consumer_or_make(consumer, now_ms);
        group.contact(slot, Contact::Seen, now_ms);
        if made == Made::Now {
            self.has_made = true;
            self.command(&[b"XGROUP", b"CREATECONSUMER", self.key, self.group, consumer]);
        }
        slot
    }

    /// Who owns a pending entry now. A replica that does not have the entry any more forgets that it is pending.
    pub(super) fn owner(&mut self, group: &Group, id: StreamId) {
        let Some(PendingEntry { consumer: Some(owner), delivered_ms, deliveries, .. }) =
            group.pending_entry(id)
        else {
            return;
        };
        let (time, count) = (number::format_i64(delivered_ms), number::format_i64(deliveries as i64));
        let (id, last_id) = (id.text(), group.last_id().text());
        self.command(&[
            b"XCLAIM",
            self.key,
            self.group,
            owner.name(),
            b"0",
            &id,
            b"TIME",
            &time,
            b"RETRYCOUNT",
            &count,
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            &last_id,
        ]);
    }

    /// How far the group has read.
    pub(super) fn position(&mut self, group: &Group) {
        let (id, read) = (group.last_id().text(), number::format_i64(group.entries_read().unwrap_or(-1)));
        self.command(&[b"XGROUP", b"SETID", self.key, self.group, &id, b"ENTRIESREAD", &read]);
    }

    /// Makes the group forget a pending entry that has been deleted.
    pub(super) fn forget(&mut self, group: &mut Group, id: StreamId) {
        group.acknowledge(id);
        self.changes += 1;
        self.command(&[b"XACK", self.key, self.group, &id.text()]);
    }

    fn command(&mut self, words: &[&[u8]]) {
        if self.listens {
            self.commands.push(words.iter().collect());
        }
    }

    /// Tells it all. Returns the commands for replicas, which stand in place of the one that was given.
    pub(super) fn tell(self, tx: &mut Tx<'_>) -> Vec<Argv> {
        if self.has_made {
            tx.changed(self.key, Event::XgroupCreateConsumer);
        }
        tx.ledger.counted(self.changes);
        self.commands
    }
}
