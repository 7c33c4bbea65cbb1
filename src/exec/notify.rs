//! Keyspace notifications: what the ledger tells, published to whom it may concern.
//!
//! Invariants:
//! 1. Events are published in the order of the ledger, after the command and before the next one; so EXEC publishes
//!    between its commands.
//! 2. Without subscribers nothing is built.
//!
//! It deliberately does not look at the keyspace: what is not in the ledger is not told. The channels and messages are
//! `server::notification`'s.

use crate::server::Server;

/// Publishes what the ledger tells.
pub fn publish(server: &mut Server) {
    if server.pubsub.is_empty() {
        return;
    }
    let events = server.config.notify_keyspace_events;
    // Nothing is told meanwhile.
    let ledger = std::mem::take(&mut server.ledger);
    let mut writer = std::mem::take(&mut server.notification);
    for told in ledger.told().filter(|told| events.has(told.event.class().notify())) {
        writer.write(&told, events, &mut |channel, message| {
            server.publish(channel, message);
        });
    }
    server.ledger = ledger;
    server.notification = writer;
}
