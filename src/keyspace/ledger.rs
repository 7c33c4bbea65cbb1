//! The ledger: what the running command changed, as data.
//!
//! Handlers write in it, `exec::commit` is its only reader. Buffers are reused, so that the common path does not
//! allocate. Invariants:
//! 1. Changes stand in the order in which they were told; notifications will be sent in that order.
//! 2. `dirty` is the sum that `rdb_changes_since_last_save` grows by; a change may count for nothing (the second half
//!    of a RENAME) or for many.

use super::event::Event;
use crate::base::argv::Argv;
use crate::object::ValueType;
use crate::spec::CommandError;

/// One change of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    pub db: usize,
    pub key: &'a [u8],
    pub event: Event,
    /// What it adds to the number of changes since the last save.
    pub dirty: u64,
}

#[derive(Clone, Copy)]
struct Line {
    db: usize,
    key_start: usize,
    key_end: usize,
    event: Event,
    dirty: u64,
}

/// A change of whole databases, which no list of keys could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// All keys of a database are gone.
    Flushed { db: usize },
    /// Two databases changed places.
    Swapped { first: usize, second: usize },
}

/// What replicas and the log get to see of the command.
#[derive(Default)]
pub enum Propagation {
    /// The command as it was given, when something changed.
    #[default]
    Verbatim,
    /// Other commands with the same effect (SET EX as PXAT), in order.
    Instead(Vec<Argv>),
}

/// What a client that waits is told when its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnTimeout {
    NullArray,
    Zero,
    /// That it was unblocked, as an error: there is no empty answer.
    Unblocked,
    Error(CommandError),
}

/// What becomes of a wait when the key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenGone {
    /// It may come again.
    Waits,
    /// The command is run, and tells why it has nothing to wait for.
    Unblocks,
}

/// A command that found nothing and is to be run again when one of its keys holds something.
#[derive(Clone)]
pub struct Wait {
    /// In the database that is selected.
    pub keys: Vec<Box<[u8]>>,
    /// Other types of value leave the command waiting.
    pub for_type: ValueType,
    /// Unix milliseconds; `None`: for ever.
    pub deadline_ms: Option<i64>,
    pub on_timeout: OnTimeout,
    pub when_gone: WhenGone,
    /// What is run instead of the command that was given.
    pub retry: Option<Argv>,
}

/// Whether the running command may wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    Allowed,
    /// It is part of a transaction.
    #[default]
    Denied,
}

/// Whether the running command may read keys that it finds by a pattern (SORT BY and GET).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatternKeys {
    #[default]
    Readable,
    /// Its user may not read every key.
    Denied,
}

/// What the running command changed.
#[derive(Default)]
pub struct Ledger {
    lines: Vec<Line>,
    keys: Vec<u8>,
    sweeps: Vec<Sweep>,
    dirty: u64,
    /// How much of `dirty` is in a snapshot that the command itself has made.
    saved: u64,
    propagation: Propagation,
    /// Fields that went because they had expired: the database, and `HDEL key field ..`.
    expired_fields: Vec<(usize, Argv)>,
    /// Whether somebody listens to what is propagated; without a listener handlers need not build it.
    pub propagates: bool,
    pub waiting: Waiting,
    pub pattern_keys: PatternKeys,
    /// What the running command waits for, when it says that it does.
    pub wait: Option<Wait>,
}

impl Ledger {
    /// Whether there is nothing to commit and nothing to forget.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
            && self.sweeps.is_empty()
            && self.dirty == 0
            && matches!(self.propagation, Propagation::Verbatim)
    }

    pub fn changed(&mut self, db: usize, key: &[u8], event: Event, dirty: u64) {
        let key_start = self.keys.len();
        self.keys.extend_from_slice(key);
        self.lines.push(Line { db, key_start, key_end: self.keys.len(), event, dirty });
        self.dirty += dirty;
    }

    /// Tells that fields of `key` went because they had expired, which is no change since the last save.
    pub fn fields_expired(&mut self, db: usize, key: &[u8], fields: &[impl AsRef<[u8]>]) {
        self.changed(db, key, Event::Hexpired, 0);
        if self.propagates {
            let mut deletion = Argv::from_iter([&b"HDEL"[..], key]);
            fields.iter().for_each(|field| deletion.push(field.as_ref()));
            self.expired_fields.push((db, deletion));
        }
    }

    /// The deletions of fields that expired: to be propagated before the command.
    pub fn expired_fields(&self) -> &[(usize, Argv)] {
        &self.expired_fields
    }

    /// Tells a change of whole databases; `dirty` counts the keys.
    pub fn swept(&mut self, sweep: Sweep, dirty: u64) {
        self.sweeps.push(sweep);
        self.dirty += dirty;
    }

    /// Counts changes that no key and no database shows.
    pub fn counted(&mut self, dirty: u64) {
        self.dirty += dirty;
    }

    /// Propagates `commands` in place of the command that was given. Call it only when `propagates`.
    pub fn propagate_instead(&mut self, commands: Vec<Argv>) {
        self.propagation = Propagation::Instead(commands);
    }

    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        self.lines.iter().map(|line| Change {
            db: line.db,
            key: &self.keys[line.key_start..line.key_end],
            event: line.event,
            dirty: line.dirty,
        })
    }

    pub fn sweeps(&self) -> &[Sweep] {
        &self.sweeps
    }

    pub fn dirty(&self) -> u64 {
        self.dirty
    }

    /// Tells that a snapshot was made which holds all that was told so far.
    pub fn saved(&mut self) {
        self.saved = self.dirty;
    }

    /// The changes that no snapshot holds.
    pub fn unsaved(&self) -> u64 {
        self.dirty - self.saved
    }

    pub fn propagation(&self) -> &Propagation {
        &self.propagation
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.keys.clear();
        self.sweeps.clear();
        self.dirty = 0;
        self.saved = 0;
        self.propagation = Propagation::Verbatim;
        self.expired_fields.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_keep_order_and_sum() {
        let mut ledger = Ledger::default();
        ledger.changed(0, b"a", Event::RenameFrom, 1);
        ledger.changed(3, b"bc", Event::RenameTo, 0);
        let told: Vec<_> =
            ledger.changes().map(|change| (change.db, change.key.to_vec(), change.event)).collect();
        assert_eq!(told, [(0, b"a".to_vec(), Event::RenameFrom), (3, b"bc".to_vec(), Event::RenameTo)]);
        assert_eq!(ledger.dirty(), 1);
        ledger.clear();
        assert!(ledger.is_empty() && ledger.changes().next().is_none());
        ledger.propagate_instead(Vec::new());
        assert!(!ledger.is_empty(), "it would be found by the next command");
    }
}
