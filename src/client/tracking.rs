//! Client-side caching: which client may hold copies of which keys, so that it can be told when they change.
//!
//! ```text
//!  by reads      keys      key -> numbers of the readers       each is told once, then forgotten
//!                readers   number -> client
//!  by prefixes   prefixes  prefix -> clients, changed keys     all are told once per round of the loop
//! ```
//! As in Redis a key is a name, whatever database it is in. Invariants:
//! 1. `clients` counts exactly those that have a `Tracker`.
//! 2. A reader's number belongs to one client for as long as a key remembers it: that of a client that has gone is
//!    given to another one only when a sweep has been through the whole table (`keys`).
//! 3. A client stands under a prefix exactly when its tracker names it.
//!
//! Nothing is sent from here: `exec::tracking` does that.

pub mod keys;
pub mod message;
pub mod prefixes;
mod readers;
#[cfg(test)]
mod tests;

use self::keys::KeyTable;
use self::prefixes::Prefixes;
use self::readers::Readers;
use super::client::Client;
use crate::base::ids::ClientId;
use crate::encoding::dict::HashSeed;
use crate::encoding::field::Field;

/// Which of the keys that a client reads are remembered for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    All,
    /// OPTIN: those of the command behind CLIENT CACHING YES.
    OptIn,
    /// OPTOUT: but those of the command behind CLIENT CACHING NO.
    OptOut,
}

/// How the server learns which keys concern a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By what it reads; `number` is its own in `Tracking`.
    Reads { which: Reads, number: u32 },
    /// BCAST: by how the keys begin. In order.
    Prefixes(Vec<Box<[u8]>>),
}

/// Whether a client wants to hear of what it has changed itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnChanges {
    Told,
    /// NOLOOP
    Untold,
}

/// Where a client's invalidations go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    Itself,
    /// REDIRECT
    Other(ClientId),
}

/// Whether the receiver of invalidations was there when the last one was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirection {
    Intact,
    Broken,
}

/// What the server knows of one client that tracks.
#[derive(Clone, Debug)]
pub struct Tracker {
    pub mode: Mode,
    pub receiver: Receiver,
    pub redirection: Redirection,
    pub own_changes: OwnChanges,
    /// CLIENT CACHING has been said for the next command, or the transaction that is open.
    pub caching_said: bool,
}

impl Tracker {
    /// Whether what the client reads now is remembered, and as whose.
    pub fn remembers_as(&self) -> Option<u32> {
        let Mode::Reads { which, number } = self.mode else { return None };
        let remembers = match which {
            Reads::All => true,
            Reads::OptIn => self.caching_said,
            Reads::OptOut => !self.caching_said,
        };
        remembers.then_some(number)
    }

    pub fn is_broadcast(&self) -> bool {
        matches!(self.mode, Mode::Prefixes(_))
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let prefixes = match &self.mode {
            Mode::Reads { .. } => &[][..],
            Mode::Prefixes(prefixes) => prefixes,
        };
        let named: usize = prefixes.iter().map(|prefix| prefix.len() + size_of::<Box<[u8]>>()).sum();
        size_of::<Tracker>() + named
    }
}

/// What CLIENT TRACKING ON asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    pub mode: WishedMode,
    pub receiver: Receiver,
    pub own_changes: OwnChanges,
}

#[derive(Clone, Debug)]
pub enum WishedMode {
    Reads(Reads),
    /// These prefixes beside those that the client has already.
    Prefixes(Vec<Box<[u8]>>),
}

/// All that is tracked.
pub struct Tracking {
    clients: usize,
    pub keys: KeyTable,
    readers: Readers,
    pub prefixes: Prefixes,
    /// What concerns the client whose command is running: it is told when the unit is over. `None`: all keys.
    pub own: Vec<(ClientId, Option<Box<[u8]>>)>,
    /// The round of the loop that is to end with a broadcast has been told so.
    pub is_broadcast_due: bool,
    /// How often in a row the table was left above its limit.
    pub times_above_limit: u32,
}

impl Tracking {
    pub fn new(seed: HashSeed) -> Self {
        Tracking {
            clients: 0,
            keys: KeyTable::new(seed),
            readers: Readers::default(),
            prefixes: Prefixes::default(),
            own: Vec::new(),
            is_broadcast_due: false,
            times_above_limit: 0,
        }
    }

    /// Whether no key that changes can concern anybody.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.clients == 0 && self.keys.items() == 0
    }

    /// How many clients track.
    pub fn client_count(&self) -> usize {
        self.clients
    }

    /// Memory held besides that of the clients, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.keys.heap_bytes() + self.prefixes.heap_bytes() + self.readers.heap_bytes()
    }

    /// Has `client` track as it wishes. One that tracks already may not change between reads and prefixes.
    pub fn start(&mut self, client: &mut Client, wish: Wish) {
        let old = client.tracker.take();
        self.clients += usize::from(old.is_none());
        let caching_said = old.as_ref().is_some_and(|old| old.caching_said);
        let mode = match wish.mode {
            WishedMode::Reads(which) => Mode::Reads { which, number: self.readers.number_of(client.id) },
            WishedMode::Prefixes(added) => {
                let mut prefixes = match old.map(|old| old.mode) {
                    Some(Mode::Prefixes(prefixes)) => prefixes,
                    Some(Mode::Reads { .. }) | None => Vec::new(),
                };
                added.iter().for_each(|prefix| self.prefixes.join(prefix, client.id));
                prefixes.extend(added);
                prefixes.sort_unstable();
                prefixes.dedup();
                Mode::Prefixes(prefixes)
            }
        };
        client.tracker = Some(Box::new(Tracker {
            mode,
            receiver: wish.receiver,
            redirection: Redirection::Intact,
            own_changes: wish.own_changes,
            caching_said,
        }));
    }

    /// Has `client` track no more. What it has read stays remembered: it may go on tracking soon.
    pub fn stop(&mut self, client: &mut Client) {
        let Some(tracker) = client.tracker.take() else { return };
        self.clients -= 1;
        if let Mode::Prefixes(prefixes) = tracker.mode {
            prefixes.iter().for_each(|prefix| self.prefixes.leave(prefix, client.id));
        }
    }

    /// A client has gone: its number is free once no key remembers it.
    pub fn forget(&mut self, client: &mut Client) {
        self.stop(client);
        self.readers.leave(client.id);
        if self.keys.is_empty() {
            self.readers.reuse_all();
        }
    }

    /// Forgets all keys, and gives what remembered them, which may take long to free.
    pub fn forget_keys(&mut self) -> KeyTable {
        self.times_above_limit = 0;
        self.readers.reuse_all();
        self.keys.take()
    }

    /// The clients that a key remembers.
    pub fn clients_of<'a>(&'a self, remembered: &'a Field) -> impl Iterator<Item = ClientId> + 'a {
        keys::readers_of(remembered).filter_map(|number| self.readers.client(number))
    }

    /// Goes on removing the readers that have gone from the table, over at least `keys` keys. Whether there is more to
    /// be done.
    pub fn sweep(&mut self, keys: usize) -> bool {
        let Some(cursor) = self.readers.sweep_cursor() else { return false };
        let readers = &self.readers;
        let next = self.keys.sweep(cursor, keys, &|number| readers.client(number).is_some());
        self.readers.swept_to(next);
        self.readers.sweep_cursor().is_some()
    }

    /// Walks the invariants; panics with the reason if one does not hold. For tests.
    #[cfg(test)]
    pub fn check(&self) {
        self.keys.check();
        self.prefixes.check();
        self.readers.check();
    }
}
