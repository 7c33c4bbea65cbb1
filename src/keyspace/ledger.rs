//! The ledger: what the running command changed, as data.
//!
//! Handlers write in it, `exec::commit` is its only reader. Buffers are reused, so that the common path does not
//! allocate. Invariants:
//! 1. Changes stand in the order in which they were told; notifications are sent in that order. Between them stand
//!    remarks (`Event::is_remark`), for subscribers alone and only if they are asked for.
//! 2. `dirty` is the sum that `rdb_changes_since_last_save` grows by; a change may count for nothing (the second half
//!    of a RENAME) or for many.

use super::event::Event;
use crate::base::argv::Argv;
use crate::config::NotifyEvents;
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

/// What subscribers may be told: a change or a remark, with the parts of the key that it concerns.
pub struct Told<'a> {
    pub db: usize,
    pub key: &'a [u8],
    pub event: Event,
    ledger: &'a Ledger,
    subkeys: &'a [Subkey],
}

impl<'a> Told<'a> {
    /// Fields of a hash, in the order in which they were named, when anybody wants to know.
    pub fn subkeys(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        let bytes = &self.ledger.keys;
        self.subkeys.iter().map(move |subkey| &bytes[subkey.start..subkey.end])
    }
}

/// A part of a key: its place among the bytes of the keys.
#[derive(Clone, Copy)]
struct Subkey {
    line: usize,
    start: usize,
    end: usize,
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
    /// Another dataset has come in the place of all databases.
    Replaced,
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
    /// Sorted by line.
    subkeys: Vec<Subkey>,
    sweeps: Vec<Sweep>,
    dirty: u64,
    /// How much of `dirty` is in a snapshot that the command itself has made.
    saved: u64,
    propagation: Propagation,
    /// Fields that went because they had expired: the database, and `HDEL key field ..`.
    expired_fields: Vec<(usize, Argv)>,
    /// Whether somebody listens to what is propagated; without a listener handlers need not build it.
    pub propagates: bool,
    /// What is published, by the configuration: remarks and parts of keys that nobody asked for are not told.
    pub notifies: NotifyEvents,
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

    /// Tells what only subscribers hear of.
    #[inline]
    pub fn remark(&mut self, db: usize, key: &[u8], event: Event) {
        if self.notifies.has(event.class().notify()) {
            self.changed(db, key, event, 0);
        }
    }

    /// Whether the parts of a key that a change concerns are to be named.
    #[inline]
    pub fn wants_subkeys(&self) -> bool {
        self.notifies.has(NotifyEvents::SUBKEYS)
    }

    /// Names the parts of the key that what was told last concerns.
    pub fn name_subkeys<'k>(&mut self, subkeys: impl Iterator<Item = &'k [u8]>) {
        if !self.wants_subkeys() {
            return;
        }
        let line = self.lines.len().saturating_sub(1);
        for subkey in subkeys {
            let start = self.keys.len();
            self.keys.extend_from_slice(subkey);
            self.subkeys.push(Subkey { line, start, end: self.keys.len() });
        }
    }

    /// Tells that fields of `key` went because they had expired, which is no change since the last save.
    pub fn fields_expired(&mut self, db: usize, key: &[u8], fields: &[impl AsRef<[u8]>]) {
        self.changed(db, key, Event::Hexpired, 0);
        self.name_subkeys(fields.iter().map(AsRef::as_ref));
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

    /// The changes, without the remarks.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        self.lines.iter().filter(|line| !line.event.is_remark()).map(|line| Change {
            db: line.db,
            key: &self.keys[line.key_start..line.key_end],
            event: line.event,
            dirty: line.dirty,
        })
    }

    /// The changes and the remarks.
    pub fn told(&self) -> impl Iterator<Item = Told<'_>> {
        let mut subkeys = &self.subkeys[..];
        self.lines.iter().enumerate().map(move |(number, line)| {
            let own = subkeys.iter().take_while(|subkey| subkey.line == number).count();
            let (of_line, rest) = subkeys.split_at(own);
            subkeys = rest;
            let key = &self.keys[line.key_start..line.key_end];
            Told { db: line.db, key, event: line.event, ledger: self, subkeys: of_line }
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
        self.subkeys.clear();
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

    fn told_with_remarks(ledger: &mut Ledger) {
        let tell = |ledger: &mut Ledger| {
            ledger.remark(0, b"h", Event::New);
            ledger.changed(0, b"h", Event::Hset, 1);
            ledger.name_subkeys([&b"f"[..], b"", b"f"].into_iter());
            ledger.remark(0, b"none", Event::KeyMiss);
            ledger.changed(0, b"h", Event::Del, 1);
        };
        tell(ledger);
        assert!(ledger.told().all(|told| told.subkeys().len() == 0 && !told.event.is_remark()));
        ledger.clear();
        ledger.notifies = NotifyEvents::of(b"nhgS");
        tell(ledger);
        let told: Vec<(Event, usize)> = ledger
            .told()
            .map(|told| (told.event, told.subkeys().filter(|subkey| *subkey == b"f").count()))
            .collect();
        assert_eq!(told, [(Event::New, 0), (Event::Hset, 2), (Event::Del, 0)]);
        assert_eq!(ledger.changes().count(), 2);
    }

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
        told_with_remarks(&mut ledger);
        ledger.clear();
        ledger.propagate_instead(Vec::new());
        assert!(!ledger.is_empty(), "it would be found by the next command");
    }
}
