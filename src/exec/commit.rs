//! Commit: the one place where what a command changed becomes its effects.

use super::{notify, tracking};
use crate::base::argv::{Args, Argv};
use crate::base::ids::ClientId;
use crate::client::{Clients, Watches};
use crate::keyspace::ledger::{Change, Ledger, Propagation, Sweep};
use crate::keyspace::{Event, Freeing, Keyspace};
use crate::server::Server;
use crate::server::server::Feed;

/// Applies everything the ledger tells of the command that `client` ran, and clears it.
pub fn commit(server: &mut Server, client: ClientId, args: Args<'_>) {
    if server.ledger.is_empty() {
        return;
    }
    let db = server.clients.get(client).map_or(0, |client| client.db);
    apply(server, Some(client));
    if let Some(feed) = &mut server.feed {
        propagate_removals(&server.ledger, &server.keyspace, feed);
        propagate_command(&server.ledger, db, args, feed);
    }
    server.ledger.clear();
}

/// Applies what expiry, eviction or a load changed outside any command.
pub fn commit_background(server: &mut Server) {
    if server.ledger.is_empty() {
        return;
    }
    apply(server, None);
    if let Some(feed) = &mut server.feed {
        propagate_removals(&server.ledger, &server.keyspace, feed);
    }
    server.ledger.clear();
}

/// `running`: whose command made the changes.
fn apply(server: &mut Server, running: Option<ClientId>) {
    server.snapshots.dirty += server.ledger.unsaved();
    if !server.waiting.is_empty() {
        look_for_waiters(server);
    }
    // As in Redis: who has cached a key learns of a change before who listens to it.
    if !server.tracking.is_idle() {
        tracking::invalidate(server, running);
    }
    if server.config.notify_keyspace_events.publishes() {
        notify::publish(server);
    }
    if server.watches.is_empty() {
        return;
    }
    let Server { ledger, watches, clients, keyspace, .. } = server;
    let mut broken = Vec::new();
    ledger.changes().for_each(|change| break_watches(&change, watches, clients, &mut broken));
    ledger.sweeps().iter().for_each(|sweep| break_watches_of_sweep(*sweep, watches, keyspace, &mut broken));
    for id in broken {
        if let Some(client) = clients.get_mut(id) {
            client.watch_broken = true;
        }
    }
}

/// Keys that somebody waits for are served when the unit is over (`unblock`).
fn look_for_waiters(server: &mut Server) {
    let Server { ledger, waiting, .. } = server;
    ledger
        .changes()
        .filter(|change| change.event.concerns_waiting())
        .for_each(|change| waiting.key_changed(change.db, change.key));
    for sweep in ledger.sweeps() {
        match *sweep {
            Sweep::Flushed { db } => waiting.db_changed(db),
            Sweep::Swapped { first, second } => {
                [first, second].into_iter().for_each(|db| waiting.db_changed(db))
            }
            // They have been told where that was done.
            Sweep::Replaced => {}
        }
    }
}

fn break_watches(change: &Change<'_>, watches: &Watches, clients: &Clients, broken: &mut Vec<ClientId>) {
    for watcher in watches.watchers(change.db, change.key) {
        // A key that had expired before WATCH was called was absent for the watcher already.
        let was_absent = change.event == Event::Expired
            && clients.get(*watcher).is_some_and(|client| {
                client.watched.iter().any(|w| w.was_expired && w.db == change.db && *w.key == *change.key)
            });
        if !was_absent {
            broken.push(*watcher);
        }
    }
}

fn break_watches_of_sweep(sweep: Sweep, watches: &Watches, keyspace: &Keyspace, broken: &mut Vec<ClientId>) {
    match sweep {
        // The watched keys that went have been told one by one.
        Sweep::Flushed { .. } => {}
        Sweep::Replaced => {}
        Sweep::Swapped { first, second } => {
            let is_in = |db: usize, key: &[u8]| {
                let table = keyspace.db(db).table();
                table.get(table.hash(key), key).is_some()
            };
            for db in [first, second] {
                let touched = watches.of_db(db).filter(|(key, _)| is_in(first, key) || is_in(second, key));
                broken.extend(touched.flat_map(|(_, ids)| ids.iter().copied()));
            }
        }
    }
}

/// Expired and evicted keys, and expired fields, are deleted for replicas by name: they do not decide for themselves.
/// Such a deletion comes before the command that met the key.
fn propagate_removals(ledger: &Ledger, keyspace: &Keyspace, feed: &mut Feed) {
    for change in ledger.changes() {
        let freeing = match change.event {
            Event::Expired => keyspace.settings.free_expired,
            Event::Evicted => keyspace.settings.free_evicted,
            _ => continue,
        };
        let word: &[u8] = if freeing == Freeing::Lazy { b"UNLINK" } else { b"DEL" };
        feed(change.db, Argv::from_iter([word, change.key]).args());
    }
    ledger.expired_fields().iter().for_each(|(db, deletion)| feed(*db, deletion.args()));
}

fn propagate_command(ledger: &Ledger, db: usize, args: Args<'_>, feed: &mut Feed) {
    if ledger.dirty() == 0 {
        return;
    }
    match ledger.propagation() {
        Propagation::Verbatim => feed(db, args),
        Propagation::Instead(commands) => commands.iter().for_each(|argv| feed(db, argv.args())),
    }
}
