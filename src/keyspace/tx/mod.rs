//! The transaction of one command: the only door to the keys.
//!
//! A handler looks keys up, changes them and says so; it cannot reach clients, files or the dirty counter. Invariants:
//! 1. No key that has expired by `now_ms` is ever seen through a `Tx`.
//! 2. Every change is told in the ledger by the handler (`changed`), expiry and eviction tell their own.

mod objects;

pub use self::objects::{Fate, Seen};

use super::db::{FoundExpired, Keyspace, Sharing};
use super::entry::{Entry, StrView};
use super::event::Event;
use super::ledger::{Ledger, Sweep, Wait, Waiting};
use super::lru;
use super::settings::{Freeing, Ranking};
use crate::base::argv::Argv;
use crate::base::number;
use crate::object::{Rules, ValueType};
use crate::spec::error::CommandError;

/// How a command looks at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Counts as a hit or a miss and as a use of the key.
    Read,
    /// Counts as a hit or a miss, but not as a use (TTL, TYPE).
    Peek,
    /// As `Peek`, and no subscriber hears of a miss (OBJECT).
    Inspect,
    /// A use of the key that no hit or miss is counted for: the command writes.
    Write,
}

/// What becomes of a key's expiry when its value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    None,
    Keep,
    /// Unix milliseconds.
    At(i64),
}

/// Who frees a removed value.
pub type Free = Freeing;

/// Whether the running client's reads count as uses (CLIENT NO-TOUCH).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    Yes,
    No,
}

/// What a new value found under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WasThere {
    Nothing,
    String,
    /// A value of another type.
    Object,
}

/// The hash of a key that was computed ahead, to prefetch it.
#[derive(Clone, Copy)]
pub struct HashHint<'a> {
    pub key: &'a [u8],
    pub hash: u64,
}

/// One command's view of the keyspace.
pub struct Tx<'a> {
    pub keyspace: &'a mut Keyspace,
    pub ledger: &'a mut Ledger,
    /// The selected database.
    pub db: usize,
    /// Unix time in milliseconds; it stands still while a command runs.
    pub now_ms: i64,
    pub touch: Touch,
    pub hint: Option<HashHint<'a>>,
}

impl<'a> Tx<'a> {
    pub fn new(keyspace: &'a mut Keyspace, ledger: &'a mut Ledger, db: usize, now_ms: i64) -> Self {
        Tx { keyspace, ledger, db, now_ms, touch: Touch::Yes, hint: None }
    }

    /// The same transaction seen from another database.
    pub fn at(&mut self, db: usize) -> Tx<'_> {
        Tx {
            keyspace: self.keyspace,
            ledger: self.ledger,
            db,
            now_ms: self.now_ms,
            touch: self.touch,
            hint: None,
        }
    }

    // ----- telling -----

    /// Tells that `key` changed, which counts for one change.
    pub fn changed(&mut self, key: &[u8], event: Event) {
        self.ledger.changed(self.db, key, event, 1);
    }

    /// Tells a further event of a change that has been counted already.
    pub fn also(&mut self, key: &[u8], event: Event) {
        self.ledger.changed(self.db, key, event, 0);
    }

    /// As `told`, of fields of the hash at `key`.
    pub fn told_fields<'k>(
        &mut self,
        (key, event): (&[u8], Event),
        fields: impl Iterator<Item = &'k [u8]>,
        dirty: u64,
        fate: Fate,
    ) {
        self.ledger.changed(self.db, key, event, dirty);
        self.ledger.name_subkeys(fields);
        if fate == Fate::Emptied {
            self.also(key, Event::Del);
        }
    }

    /// Tells subscribers that a value took the place of another.
    pub fn overwrote(&mut self, key: &[u8], old: ValueType, new: ValueType) {
        self.ledger.remark(self.db, key, Event::Overwritten);
        if old != new {
            self.ledger.remark(self.db, key, Event::TypeChanged);
        }
    }

    /// Tells that fields of the hash at `key` went because they had expired.
    pub fn fields_expired(&mut self, key: &[u8], fields: &[impl AsRef<[u8]>]) {
        self.keyspace.counters.expired_fields += fields.len() as u64;
        self.ledger.fields_expired(self.db, key, fields);
    }

    // ----- looking -----

    fn hash(&self, key: &[u8]) -> u64 {
        match self.hint {
            Some(hint) if std::ptr::eq(hint.key, key) => hint.hash,
            _ => self.keyspace.db(self.db).table.hash(key),
        }
    }

    /// The entry of `key` unless it is absent or has expired.
    pub fn lookup(&mut self, key: &[u8], access: Access) -> Option<&Entry> {
        let hash = self.hash(key);
        let touch = matches!(access, Access::Read | Access::Write)
            && self.touch == Touch::Yes
            && self.keyspace.sharing() == Sharing::Alone;
        let uses_lfu = self.keyspace.settings.ranking == Ranking::Lfu;
        let luck = if touch && uses_lfu { self.keyspace.rng.f64() } else { 0.0 };
        // Where nothing expires one search is enough.
        let is_gone = self.keyspace.db(self.db).volatile_len() > 0 && !self.alive(hash, key);
        let (now_ms, settings) = (self.now_ms, &self.keyspace.settings);
        let counters = &self.keyspace.counters;
        let entry = if is_gone { None } else { self.keyspace.db(self.db).table.get(hash, key) };
        let Some(entry) = entry else {
            if access != Access::Write {
                counters.misses.update(|misses| misses + 1);
                if access != Access::Inspect {
                    self.ledger.remark(self.db, key, Event::KeyMiss);
                }
            }
            return None;
        };
        if access != Access::Write {
            counters.hits.update(|hits| hits + 1);
        }
        if touch {
            entry.set_lru(match uses_lfu {
                true => lru::lfu_used(entry.lru(), now_ms, settings, luck),
                false => lru::clock(now_ms),
            });
        }
        Some(entry)
    }

    /// Whether `key` is there, with nothing counted.
    pub fn exists(&mut self, key: &[u8]) -> bool {
        let hash = self.hash(key);
        self.alive(hash, key)
    }

    /// The entry of `key`, with nothing counted and no use of it.
    pub fn peek(&mut self, key: &[u8]) -> Option<&Entry> {
        let hash = self.hash(key);
        if self.alive(hash, key) { self.keyspace.db(self.db).table.get(hash, key) } else { None }
    }

    /// Asks for the memory that lookups of `keys` will read, so that its cache misses overlap. Worth while from two
    /// keys up to some sixteen.
    pub fn prefetch<'k>(&self, keys: impl Iterator<Item = &'k [u8]> + Clone) {
        let table = &self.keyspace.db(self.db).table;
        keys.clone().for_each(|key| table.prefetch_bucket(table.hash(key)));
        keys.for_each(|key| table.prefetch_candidates(table.hash(key)));
    }

    /// Calls `visit` with every key in order. Their memory is asked for in batches, and their hashes are computed once.
    pub fn for_keys<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        mut visit: impl FnMut(&mut Tx<'_>, &'k [u8]),
    ) {
        const BATCH: usize = 16;
        let mut keys = keys.peekable();
        let mut batch: [(&'k [u8], u64); BATCH] = [(&[], 0); BATCH];
        while keys.peek().is_some() {
            let table = &self.keyspace.db(self.db).table;
            let mut filled = 0;
            for (place, key) in batch.iter_mut().zip(keys.by_ref()) {
                *place = (key, table.hash(key));
                table.prefetch_bucket(place.1);
                filled += 1;
            }
            batch[..filled].iter().for_each(|(_, hash)| table.prefetch_candidates(*hash));
            for &(key, hash) in &batch[..filled] {
                let mut hinted = self.at(self.db);
                hinted.hint = Some(HashHint { key, hash });
                visit(&mut hinted, key);
            }
        }
    }

    /// Removes `key` if it has expired (unless that must wait); whether it is there and alive.
    fn alive(&mut self, hash: u64, key: &[u8]) -> bool {
        let Some(entry) = self.keyspace.db(self.db).table.get(hash, key) else { return false };
        match entry.expire_at_ms() {
            Some(expire_at_ms) if self.now_ms > expire_at_ms => {
                if self.keyspace.found_expired == FoundExpired::Removed {
                    self.expire(hash, key);
                }
                false
            }
            _ => true,
        }
    }

    fn expire(&mut self, hash: u64, key: &[u8]) {
        let freeing = self.keyspace.settings.free_expired;
        if self.discard(hash, key, freeing) {
            self.keyspace.counters.expired += 1;
            self.ledger.changed(self.db, key, Event::Expired, 0);
        }
    }

    /// The value of a string key: `None` when it is absent, WRONGTYPE when it is something else.
    pub fn read_str(&mut self, key: &[u8]) -> Result<Option<StrView<'_>>, CommandError> {
        self.str_view(key, Access::Read)
    }

    pub fn str_view(&mut self, key: &[u8], access: Access) -> Result<Option<StrView<'_>>, CommandError> {
        match self.lookup(key, access) {
            None => Ok(None),
            Some(entry) if entry.value_type() == ValueType::String => Ok(Some(entry.str_view())),
            Some(_) => Err(CommandError::WrongType),
        }
    }

    /// The thresholds between encodings.
    pub fn rules(&self) -> &Rules {
        &self.keyspace.settings.rules
    }

    // ----- waiting -----

    /// Whether the command may wait for a key; if not, it answers as if its time were over.
    pub fn may_wait(&self) -> bool {
        self.ledger.waiting == Waiting::Allowed
    }

    /// Says what the command waits for. It must return `Flow::Block` then.
    pub fn wait(&mut self, wait: Wait) {
        self.ledger.wait = Some(wait);
    }

    // ----- changing -----

    /// Sets `key` to a string, stored as an integer when it is the text of one, in place of what is there. Tells
    /// nothing but remarks.
    pub fn set_str(&mut self, key: &[u8], value: &[u8], expiry: Expiry) {
        const INTEGER_DIGITS_MAX: usize = 20;
        let integer = if value.len() <= INTEGER_DIGITS_MAX { number::parse_i64(value) } else { None };
        let was_there = self.set_value(key, integer.map_or(StrView::Bytes(value), StrView::Int), expiry);
        if was_there == WasThere::String {
            self.ledger.remark(self.db, key, Event::Overwritten);
        }
    }

    /// Sets `key` to a string in the given encoding: another form of the one that is there, if any. Tells nothing but
    /// that the key is new.
    pub fn set(&mut self, key: &[u8], value: StrView<'_>, expiry: Expiry) {
        self.set_value(key, value, expiry);
    }

    /// Sets `key` to the integer that `update` makes of the string that is there, and answers it. Tells as `set` does.
    ///
    /// # Errors
    /// That of `update`, or WRONGTYPE: nothing has changed.
    pub fn update_int(
        &mut self,
        key: &[u8],
        update: impl Fn(Option<StrView<'_>>) -> Result<i64, CommandError>,
    ) -> Result<i64, CommandError> {
        let hash = self.hash(key);
        let (now_ms, fresh_lru) = (self.now_ms, self.fresh_lru());
        let entry = self.keyspace.db_mut(self.db).table.get_mut(hash, key);
        let is_alive = |entry: &&mut Entry| entry.expire_at_ms().is_none_or(|at_ms| now_ms <= at_ms);
        let Some(entry) = entry.filter(is_alive) else {
            let absent = self.str_view(key, Access::Write)?;
            let new = update(absent)?;
            self.set(key, StrView::Int(new), Expiry::Keep);
            return Ok(new);
        };
        if entry.value_type() != ValueType::String {
            return Err(CommandError::WrongType);
        }
        let new = update(Some(entry.str_view()))?;
        entry.set_int(new);
        entry.set_lru(fresh_lru);
        Ok(new)
    }

    fn set_value(&mut self, key: &[u8], value: StrView<'_>, expiry: Expiry) -> WasThere {
        let hash = self.hash(key);
        let (now_ms, fresh_lru) = (self.now_ms, self.fresh_lru());
        let db = self.keyspace.db_mut(self.db);
        let Some(entry) = db.table.get_mut(hash, key) else {
            let entry = new_entry(key, value, expiry);
            entry.set_lru(fresh_lru);
            db.add(hash, entry);
            self.ledger.remark(self.db, key, Event::New);
            return WasThere::Nothing;
        };
        if entry.value_type() != ValueType::String {
            self.set_over(key, value, expiry);
            return WasThere::Object;
        }
        match value {
            StrView::Int(value) => entry.set_int(value),
            StrView::Bytes(value) => entry.set_bytes(value),
        }
        entry.set_lru(fresh_lru);
        let old = entry.expire_at_ms();
        let new = match expiry {
            Expiry::None => None,
            Expiry::Keep => old.filter(|expire_at_ms| now_ms <= *expire_at_ms),
            Expiry::At(expire_at_ms) => Some(expire_at_ms),
        };
        if old != new {
            db.set_expire(hash, key, new);
        }
        if old.is_some_and(|expire_at_ms| now_ms > expire_at_ms) {
            self.replaced_expired(key);
            return WasThere::Nothing;
        }
        WasThere::String
    }

    /// Sets a string in place of a value of another type.
    #[cold]
    fn set_over(&mut self, key: &[u8], value: StrView<'_>, expiry: Expiry) {
        let old = self.peek(key).and_then(Entry::expire_at_ms);
        let expiry = match (expiry, old) {
            (Expiry::Keep, Some(expire_at_ms)) => Expiry::At(expire_at_ms),
            (expiry, _) => expiry,
        };
        let entry = new_entry(key, value, expiry);
        entry.set_lru(self.fresh_lru());
        self.overwrite(entry);
    }

    /// What was overwritten had expired before: for everybody else it went first.
    #[cold]
    fn replaced_expired(&mut self, key: &[u8]) {
        self.keyspace.counters.expired += 1;
        self.ledger.changed(self.db, key, Event::Expired, 0);
        self.ledger.remark(self.db, key, Event::New);
    }

    /// Edits the bytes of a string key in place (created empty when absent); the encoding becomes raw. Tells nothing.
    /// The caller has made sure that the key holds a string.
    pub fn edit_str<R>(&mut self, key: &[u8], edit: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let hash = self.hash(key);
        let fresh_lru = self.fresh_lru();
        if !self.alive(hash, key) {
            let mut bytes = Vec::new();
            let result = edit(&mut bytes);
            let entry = Entry::from_raw(key, bytes, None);
            entry.set_lru(fresh_lru);
            self.keyspace.db_mut(self.db).add(hash, entry);
            self.ledger.remark(self.db, key, Event::New);
            return result;
        }
        let db = self.keyspace.db_mut(self.db);
        let entry = db.table.get_mut(hash, key).expect("the key was found alive above");
        entry.edit_raw(edit)
    }

    /// Removes `key` with its value. Whether it was there. Tells nothing.
    pub fn remove(&mut self, key: &[u8], freeing: Freeing) -> bool {
        let hash = self.hash(key);
        self.alive(hash, key) && self.discard(hash, key, freeing)
    }

    /// Removes `key`, which is there, tells it, and propagates that alone, whatever the command was.
    pub fn delete(&mut self, key: &[u8], freeing: Freeing) {
        self.remove(key, freeing);
        self.changed(key, Event::Del);
        if self.ledger.propagates {
            let word: &[u8] = if freeing == Freeing::Lazy { b"UNLINK" } else { b"DEL" };
            self.ledger.propagate_instead(vec![Argv::from_iter([word, key])]);
        }
    }

    fn discard(&mut self, hash: u64, key: &[u8], freeing: Freeing) -> bool {
        self.keyspace.discard(self.db, hash, key, freeing)
    }

    /// The expiry of `key` in Unix milliseconds: the outer `None` is an absent key.
    pub fn expire_at_ms(&mut self, key: &[u8]) -> Option<Option<i64>> {
        self.lookup(key, Access::Peek).map(Entry::expire_at_ms)
    }

    /// Gives `key` an expiry or takes it away. Whether the key is there. Tells nothing.
    pub fn set_expire(&mut self, key: &[u8], new: Option<i64>) -> bool {
        let hash = self.hash(key);
        if !self.alive(hash, key) {
            return false;
        }
        self.keyspace.db_mut(self.db).set_expire(hash, key, new);
        true
    }

    /// Takes the entry of `key` out, to put it elsewhere. Tells nothing.
    pub fn take(&mut self, key: &[u8]) -> Option<Entry> {
        let hash = self.hash(key);
        if !self.alive(hash, key) {
            return None;
        }
        self.keyspace.db_mut(self.db).take(hash, key)
    }

    /// Puts an entry under its own key, as a new key; what is there goes before. Tells nothing but remarks.
    pub fn put(&mut self, entry: Entry) {
        let hash = self.keyspace.db(self.db).table.hash(entry.key());
        self.make_place(hash, &entry);
        self.ledger.remark(self.db, entry.key(), Event::New);
        self.keyspace.db_mut(self.db).add(hash, entry);
    }

    /// Puts an entry under its own key, in place of what is there: the key is new only if nothing is. Tells nothing but
    /// remarks.
    pub fn overwrite(&mut self, entry: Entry) {
        let hash = self.keyspace.db(self.db).table.hash(entry.key());
        if self.make_place(hash, &entry) == WasThere::Nothing {
            self.ledger.remark(self.db, entry.key(), Event::New);
        }
        self.keyspace.db_mut(self.db).add(hash, entry);
    }

    /// Takes away what is under the key of `entry`.
    fn make_place(&mut self, hash: u64, entry: &Entry) -> WasThere {
        let freeing = self.keyspace.settings.free_replaced;
        // One that has expired went before, and is told as such.
        self.alive(hash, entry.key());
        let Some(old) = self.keyspace.db_mut(self.db).take(hash, entry.key()) else {
            return WasThere::Nothing;
        };
        let old_type = old.value_type();
        self.keyspace.free(freeing, old);
        self.overwrote(entry.key(), old_type, entry.value_type());
        if old_type == ValueType::String { WasThere::String } else { WasThere::Object }
    }

    /// The LRU or LFU field of a key that is created now.
    pub fn fresh_lru(&self) -> u32 {
        match self.keyspace.settings.ranking {
            Ranking::Lfu => lru::lfu_new(self.now_ms),
            Ranking::Lru | Ranking::Ttl | Ranking::Random => lru::clock(self.now_ms),
        }
    }

    // ----- whole databases -----

    /// Empties the selected database and tells it. Returns how many keys went. Of the keys in `watched`, those that
    /// were there are told one by one, since afterwards nobody could tell them from the others.
    pub fn flush(&mut self, freeing: Freeing, watched: &[&[u8]]) -> usize {
        for key in watched {
            if self.exists(key) {
                self.ledger.changed(self.db, key, Event::Touched, 0);
            }
        }
        let keys = self.keyspace.db(self.db).len();
        self.keyspace.flush(self.db, freeing, self.now_ms);
        self.ledger.swept(Sweep::Flushed { db: self.db }, keys as u64);
        keys
    }

    /// Lets two databases change places and tells it, as one change even when they are the same.
    pub fn swap(&mut self, first: usize, second: usize) {
        if first == second {
            self.ledger.counted(1);
            return;
        }
        self.keyspace.swap(first, second);
        self.ledger.swept(Sweep::Swapped { first, second }, 1);
    }

    /// A key of the selected database chosen at random, `None` when there is none that is alive.
    pub fn random_key(&mut self) -> Option<Vec<u8>> {
        /// How many expired keys are passed over while none may be removed.
        const TRIES_MAX: usize = 100;
        let mut rng = self.keyspace.rng.fork();
        let mut tries = 0;
        while tries < TRIES_MAX {
            let key = self.keyspace.db(self.db).table.sample(&mut rng)?.key().to_vec();
            // A key that has expired is removed by this, so the search comes to an end.
            if self.exists(&key) {
                return Some(key);
            }
            tries += usize::from(self.keyspace.found_expired == FoundExpired::Left);
        }
        None
    }
}

fn new_entry(key: &[u8], value: StrView<'_>, expiry: Expiry) -> Entry {
    let expire_at_ms = match expiry {
        Expiry::At(expire_at_ms) => Some(expire_at_ms),
        Expiry::None | Expiry::Keep => None,
    };
    match value {
        StrView::Int(value) => Entry::from_int(key, value, expire_at_ms),
        StrView::Bytes(value) => Entry::from_bytes(key, value, expire_at_ms),
    }
}
