//! Changing a hash: what all commands that do so share.

use crate::base::argv::Argv;
use crate::base::number::format_i64;
use crate::keyspace::tx::Fate;
use crate::keyspace::{Event, Tx};
use crate::object::hash::Hash;
use crate::object::{DataType, Rules};

/// Lets `edit` change the hash at `key`. Of `fields`, those that the command is about, those that have expired are
/// removed before, which is told; nobody else has to know of them.
pub(super) fn change<'f, R>(
    tx: &mut Tx<'_>,
    key: &[u8],
    fields: impl Iterator<Item = &'f [u8]>,
    edit: impl FnOnce(&mut Hash, &Rules) -> R,
) -> (R, Fate) {
    let (now_ms, mut expired) = (tx.now_ms, Vec::new());
    let (result, fate) = tx.edit::<Hash, _>(key, |hash, rules| {
        if hash.view().has_expired_fields(now_ms) {
            expired = fields.filter(|field| hash.remove_expired(field, now_ms)).collect();
        }
        edit(hash, rules)
    });
    if !expired.is_empty() {
        tx.fields_expired(key, &expired);
    }
    (result, fate)
}

/// Tells what `change` did to some fields. It may have done nothing but remove expired ones, even the last.
pub(super) fn tell(tx: &mut Tx<'_>, key: &[u8], event: Event, fields: &[&[u8]], fate: Fate) {
    if !fields.is_empty() {
        tx.told_fields((key, event), fields.iter().copied(), fields.len() as u64, fate);
    } else if fate == Fate::Emptied {
        tx.also(key, Event::Del);
    }
}

/// `HDEL key field ..`
pub(super) fn deletion(key: &[u8], fields: &[&[u8]]) -> Argv {
    [&b"HDEL"[..], key].iter().chain(fields).collect()
}

/// What giving a field an expiry did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    Later,
    /// The time had passed, so the field went.
    AtOnce,
}

/// The fields that a command gave an expiry, and those that went because it had passed.
#[derive(Default)]
pub(super) struct Changed<'a> {
    set: Vec<&'a [u8]>,
    deleted: Vec<&'a [u8]>,
}

impl<'a> Changed<'a> {
    /// Gives a field that is there an expiry.
    pub(super) fn expire(&mut self, hash: &mut Hash, field: &'a [u8], time_ms: i64, now_ms: i64) -> Expired {
        if time_ms <= now_ms {
            hash.remove(field);
            self.deleted.push(field);
            return Expired::AtOnce;
        }
        hash.set_expiry(field, Some(time_ms));
        self.set.push(field);
        Expired::Later
    }

    /// Tells it, and propagates it as one absolute time and the deletions.
    pub(super) fn tell(&self, tx: &mut Tx<'_>, key: &[u8], time_ms: i64, fate: Fate) {
        if !self.set.is_empty() {
            let (fields, count) = (self.set.iter().copied(), self.set.len() as u64);
            tx.told_fields((key, Event::Hexpire), fields, count, Fate::Stays);
        }
        tell(tx, key, Event::Hdel, &self.deleted, fate);
        if !tx.ledger.propagates || self.set.is_empty() && self.deleted.is_empty() {
            return;
        }
        let mut commands = Vec::new();
        if !self.set.is_empty() {
            let (time, count) = (format_i64(time_ms), format_i64(self.set.len() as i64));
            let head: [&[u8]; 5] = [b"HPEXPIREAT", key, &time, b"FIELDS", &count];
            commands.push(head.iter().chain(&self.set).collect());
        }
        if !self.deleted.is_empty() {
            commands.push(deletion(key, &self.deleted));
        }
        tx.ledger.propagate_instead(commands);
    }
}
