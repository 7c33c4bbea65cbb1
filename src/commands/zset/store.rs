//! The end of every command that stores a sorted set.

use crate::keyspace::{Event, Tx};
use crate::object::Variant;
use crate::object::zset::ZsetBuilder;
use crate::resp::Reply;

/// What is stored, and how it is told.
pub(super) struct Stored {
    pub(super) builder: ZsetBuilder,
    pub(super) event: Event,
}

/// Puts the set at `key` in place of what is there, or removes that if the set is empty; answers its size.
pub(super) fn store(tx: &mut Tx<'_>, key: &[u8], stored: Stored, reply: &mut Reply<'_>) {
    let members = stored.builder.len();
    if members > 0 {
        let zset = stored.builder.finish(tx.rules());
        tx.store(key, zset.into_object());
        tx.changed(key, stored.event);
    } else if tx.remove(key, tx.keyspace.settings.free_replaced) {
        tx.changed(key, Event::Del);
    }
    reply.count(members);
}
