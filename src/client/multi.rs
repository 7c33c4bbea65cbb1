//! MULTI and WATCH: what a client has queued, and who watches which key.

use crate::base::argv::Argv;
use crate::base::ids::ClientId;
use std::collections::HashMap;

/// One queued command: its index in the command table and its arguments.
pub struct Queued {
    pub command: usize,
    pub argv: Argv,
}

/// An open transaction.
#[derive(Default)]
pub struct Transaction {
    pub queue: Vec<Queued>,
    /// A command could not be queued: EXEC will be refused.
    pub broken: bool,
    /// Bytes held by the queued arguments.
    pub heap_bytes: usize,
}

impl Transaction {
    pub fn push(&mut self, queued: Queued) {
        self.heap_bytes += queued.argv.heap_bytes() + size_of::<Queued>();
        self.queue.push(queued);
    }
}

/// One key that a client watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub db: usize,
    pub key: Box<[u8]>,
    /// It had expired already when WATCH was called; then its removal is no change.
    pub was_expired: bool,
}

/// Which clients watch which keys.
#[derive(Default)]
pub struct Watches {
    by_key: HashMap<(usize, Box<[u8]>), Vec<ClientId>>,
}

impl Watches {
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// How many keys are watched.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn add(&mut self, client: ClientId, db: usize, key: &[u8]) {
        let watchers = self.by_key.entry((db, key.into())).or_default();
        if !watchers.contains(&client) {
            watchers.push(client);
        }
    }

    pub fn remove(&mut self, client: ClientId, watched: &[Watched]) {
        for watch in watched {
            let place = (watch.db, watch.key.clone());
            let Some(watchers) = self.by_key.get_mut(&place) else { continue };
            watchers.retain(|watcher| *watcher != client);
            if watchers.is_empty() {
                self.by_key.remove(&place);
            }
        }
    }

    pub fn watchers(&self, db: usize, key: &[u8]) -> &[ClientId] {
        // The map owns its keys as pairs, so a lookup needs an owned pair: only commands that change a dataset somebody
        // watches pay for it.
        self.by_key.get(&(db, key.into())).map_or(&[], Vec::as_slice)
    }

    /// Every watched key of database `db` with its watchers.
    pub fn of_db(&self, db: usize) -> impl Iterator<Item = (&[u8], &[ClientId])> {
        self.by_key.iter().filter(move |((at, _), _)| *at == db).map(|((_, key), ids)| (&key[..], &ids[..]))
    }
}
