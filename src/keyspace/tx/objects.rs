//! Values that are no strings, through a `Tx`: read as views, edited by closures.
//!
//! An edit of an embedded value copies it to a scratch and back; a larger one is edited where it is. Either way the
//! database's accounts (`Traits`) follow.

use super::super::db::Traits;
use super::super::entry::{EMBEDDED_PACKED_MAX, Entry, StrView};
use super::super::event::Event;
use super::super::settings::Freeing;
use super::{Access, Tx};
use crate::object::{Object, Rehash, Rules, Variant, View};
use crate::spec::error::CommandError;

/// What became of a key whose value was edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Stays,
    /// Its value was left empty, so it went.
    Emptied,
    /// It was not there, and nothing was put in.
    Absent,
}

/// A value of any type, to be read.
#[derive(Clone, Copy)]
pub enum Seen<'a> {
    Str(StrView<'a>),
    Object(View<'a>),
}

impl<'a> Seen<'a> {
    fn of(entry: &'a Entry) -> Seen<'a> {
        entry.view().map_or_else(|| Seen::Str(entry.str_view()), Seen::Object)
    }

    /// The value as one of type `T`, or WRONGTYPE.
    pub fn as_type<T: Variant + 'a>(self) -> Result<T::View<'a>, CommandError> {
        match self {
            Seen::Object(view) => T::of_view(view).ok_or(CommandError::WrongType),
            Seen::Str(_) => Err(CommandError::WrongType),
        }
    }
}

impl Tx<'_> {
    /// The value of a key that holds a `T`: `None` when it is absent, WRONGTYPE when it is something else.
    pub fn read<T: Variant>(&mut self, key: &[u8]) -> Result<Option<T::View<'_>>, CommandError> {
        self.view::<T>(key, Access::Read)
    }

    /// As `read`, with another access.
    pub fn view<T: Variant>(
        &mut self,
        key: &[u8],
        access: Access,
    ) -> Result<Option<T::View<'_>>, CommandError> {
        let Some(entry) = self.lookup(key, access) else { return Ok(None) };
        let view = entry.view().and_then(T::of_view);
        view.map(Some).ok_or(CommandError::WrongType)
    }

    /// Whether `key` is there, for a command that will change it; WRONGTYPE when it holds no `T`.
    pub fn check<T: Variant>(&mut self, key: &[u8]) -> Result<bool, CommandError> {
        match self.lookup(key, Access::Write) {
            None => Ok(false),
            Some(entry) if entry.value_type() == T::TYPE => Ok(true),
            Some(_) => Err(CommandError::WrongType),
        }
    }

    /// The value of `key`, whatever its type.
    pub fn view_any(&mut self, key: &[u8], access: Access) -> Option<Seen<'_>> {
        self.lookup(key, access).map(Seen::of)
    }

    /// The values of several keys at once.
    pub fn views<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        access: Access,
    ) -> Vec<Option<Seen<'_>>> {
        // A lookup may remove an expired key, a look at the table removes nothing.
        let alive: Vec<bool> = keys.clone().map(|key| self.lookup(key, access).is_some()).collect();
        let table = &self.keyspace.db(self.db).table;
        keys.zip(alive)
            .map(|(key, alive)| alive.then(|| table.get(table.hash(key), key).map(Seen::of)).flatten())
            .collect()
    }

    /// Lets `edit` change the `T` at `key`, which is made when the key is absent, and removes the key when nothing is
    /// left in it. The caller has made sure that the key holds nothing else (`check`), and tells what happened
    /// (`told`).
    pub fn edit<T: Variant, R>(&mut self, key: &[u8], edit: impl FnOnce(&mut T, &Rules) -> R) -> (R, Fate) {
        let hash = self.hash(key);
        if !self.alive(hash, key) {
            return self.make(hash, key, edit);
        }
        let rehash = self.keyspace.rehash_now();
        let mut scratch = std::mem::take(&mut self.keyspace.scratch);
        let rules = self.keyspace.settings.rules;
        let db = self.keyspace.db_mut(self.db);
        let entry = db.table.get_mut(hash, key).expect("the key was found alive above");
        let before = Traits::of_type::<T>(entry);
        let (result, is_empty) = match entry.object_mut() {
            Some(object) => {
                let value = T::of_object(object).expect("the caller has looked at the type");
                let result = with_rehash(value, rehash, |value| edit(value, &rules));
                let is_empty = value.is_empty();
                if value.packed().is_some() {
                    embed_if_small(entry);
                }
                (result, is_empty)
            }
            None => edit_packed(entry, &mut scratch, |value| edit(value, &rules)),
        };
        if is_empty {
            self.keyspace.scratch = scratch;
            // Nobody asked to delete it, so this is for `lazyfree-lazy-server-del` to say.
            let freeing = self.keyspace.settings.free_replaced;
            self.forget_emptied(hash, key, before, freeing);
            return (result, Fate::Emptied);
        }
        let after = Traits::of_type::<T>(entry);
        self.keyspace.scratch = scratch;
        if before != after {
            let db = self.keyspace.db_mut(self.db);
            db.went(hash, before);
            db.came(hash, after);
        }
        (result, Fate::Stays)
    }

    /// Edits a value that is made for it.
    fn make<T: Variant, R>(
        &mut self,
        hash: u64,
        key: &[u8],
        edit: impl FnOnce(&mut T, &Rules) -> R,
    ) -> (R, Fate) {
        let rules = self.keyspace.settings.rules;
        let mut value = T::create(&rules);
        let result = edit(&mut value, &rules);
        if value.is_empty() {
            return (result, Fate::Absent);
        }
        let entry = Entry::from_object(key, value.into_object(), None);
        entry.set_lru(self.fresh_lru());
        self.keyspace.db_mut(self.db).add(hash, entry);
        self.ledger.remark(self.db, key, Event::New);
        (result, Fate::Stays)
    }

    /// Brings the database's accounts in line with what an edit made of a value.
    fn settle(&mut self, hash: u64, key: &[u8], before: Traits) {
        let db = self.keyspace.db_mut(self.db);
        let entry = db.table.get(hash, key).expect("an edit does not remove the key");
        let after = Traits::of(entry);
        if before != after {
            db.went(hash, before);
            db.came(hash, after);
        }
    }

    /// Removes a key whose value an edit has emptied.
    fn forget_emptied(&mut self, hash: u64, key: &[u8], before: Traits, freeing: Freeing) {
        self.settle(hash, key, before);
        self.discard(hash, key, freeing);
    }

    /// Tells an event of `key` that counts for `dirty` changes, and that the key went with it if it did.
    pub fn told(&mut self, key: &[u8], event: Event, dirty: u64, fate: Fate) {
        self.ledger.changed(self.db, key, event, dirty);
        if fate == Fate::Emptied {
            self.also(key, Event::Del);
        }
    }

    /// Sets `key` to `object`, which is not empty, in place of what is there, without an expiry. Tells nothing but
    /// remarks.
    pub fn store(&mut self, key: &[u8], object: Object) {
        let entry = Entry::from_object(key, object, None);
        entry.set_lru(self.fresh_lru());
        self.overwrite(entry);
    }
}

/// Edits a value whose table stands still while a child shares our memory.
fn with_rehash<T: Variant, R>(value: &mut T, rehash: Rehash, edit: impl FnOnce(&mut T) -> R) -> R {
    if rehash == Rehash::Allowed {
        return edit(value);
    }
    value.set_rehash(Rehash::Paused);
    let result = edit(value);
    value.set_rehash(Rehash::Allowed);
    result
}

/// A value that has become small moves into its key's block. Not as soon as it could, so that one that varies does not
/// move to and fro.
fn embed_if_small(entry: &mut Entry) {
    let Some(object) = entry.object_mut() else { return };
    let Some((packing, bytes)) = object.packed() else { return };
    if bytes.len() <= EMBEDDED_PACKED_MAX / 2 && !object.is_empty() {
        let bytes = bytes.to_vec();
        entry.set_packed(packing, &bytes);
    }
}

/// Edits an embedded value in `scratch` and puts it back. Returns whether it was left empty; then it is not put back.
fn edit_packed<T: Variant, R>(
    entry: &mut Entry,
    scratch: &mut Vec<u8>,
    edit: impl FnOnce(&mut T) -> R,
) -> (R, bool) {
    let (packing, bytes) =
        entry.packed().expect("a value that is no object is packed: the type was looked at");
    scratch.clear();
    scratch.extend_from_slice(bytes);
    let mut value = T::from_packed(packing, std::mem::take(scratch));
    let result = edit(&mut value);
    if value.is_empty() {
        return (result, true);
    }
    match value.into_packed() {
        Ok((packing, bytes)) if bytes.len() <= EMBEDDED_PACKED_MAX => {
            entry.set_packed(packing, &bytes);
            *scratch = bytes;
        }
        Ok((packing, mut bytes)) => {
            bytes.shrink_to_fit();
            entry.set_object(T::from_packed(packing, bytes).into_object());
        }
        Err(value) => entry.set_object(value.into_object()),
    }
    (result, false)
}
