//! Commit: the one place where what a command changed becomes its effects.

use crate::base::argv::Args;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::keyspace::ledger::{Propagation, Sweep};
use crate::server::Server;

/// Applies everything the ledger tells of the command that `client` ran, and clears it.
pub fn commit(server: &mut Server, client: ClientId, args: Args<'_>, _now: Now) {
    if server.ledger.is_empty() {
        return;
    }
    let db = server.clients.get(client).map_or(0, |client| client.db);
    apply(server);
    propagate(server, db, args);
    server.ledger.clear();
}

/// Applies what expiry, eviction or a load changed outside any command.
pub fn commit_background(server: &mut Server) {
    if server.ledger.is_empty() {
        return;
    }
    apply(server);
    server.ledger.clear();
}

fn apply(server: &mut Server) {
    server.snapshots.dirty += server.ledger.unsaved();
    if server.watches.is_empty() {
        return;
    }
    let Server { ledger, watches, clients, keyspace, .. } = server;
    let mut broken: Vec<ClientId> = Vec::new();
    for change in ledger.changes() {
        for watcher in watches.watchers(change.db, change.key) {
            let was_expired = change.event == crate::keyspace::Event::Expired
                && clients.get(*watcher).is_some_and(|client| {
                    client.watched.iter().any(|w| w.was_expired && w.db == change.db && *w.key == *change.key)
                });
            if !was_expired {
                broken.push(*watcher);
            }
        }
    }
    for sweep in ledger.sweeps() {
        match *sweep {
            // The watched keys that went have been told one by one.
            Sweep::Flushed { .. } => {}
            Sweep::Swapped { first, second } => {
                for (db, other) in [(first, second), (second, first)] {
                    let there = |key: &[u8]| {
                        [db, other].iter().any(|db| {
                            let table = keyspace.db(*db).table();
                            table.get(table.hash(key), key).is_some()
                        })
                    };
                    let touched = watches.of_db(db).filter(|(key, _)| there(key));
                    broken.extend(touched.flat_map(|(_, ids)| ids.iter().copied()));
                }
            }
        }
    }
    for id in broken {
        if let Some(client) = clients.get_mut(id) {
            client.watch_broken = true;
        }
    }
}

fn propagate(server: &mut Server, db: usize, args: Args<'_>) {
    let Some(feed) = &mut server.feed else { return };
    if server.ledger.dirty() == 0 {
        return;
    }
    match server.ledger.propagation() {
        Propagation::Verbatim => feed(db, args),
        Propagation::Instead(commands) => commands.iter().for_each(|argv| feed(db, argv.args())),
        Propagation::Nothing => {}
    }
}
