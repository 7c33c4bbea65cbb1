//! The databases and their keys.
//!
//! A database is a table of entries plus the index of those that will expire. Invariants:
//! 1. `volatile` counts exactly the entries with an expiry.
//! 2. Every entry with an expiry has a record in the index at or before its time, in the generation that the entry
//!    names; records without an entry are allowed and swept when they outnumber the volatile keys (`expiry_index`).
//! 3. `newer` counts exactly the entries whose value no file of the base version can hold.
//! 4. `field_expiries` has one record for each hash with a field that expires. (Two keys with the same hash and the
//!    same next expiry share it; with 64 bits of hash under a secret seed that does not happen.)

use super::entry::Entry;
use super::evict::Pool;
use super::expiry_index::ExpiryIndex;
use super::settings::{Freeing, Settings};
use crate::base::bio::Bio;
use crate::encoding::dict::{Dict, HASH_BITS_USED, HashSeed};
use crate::object::{DataType, RDB_VERSION_BASE, Rehash, Rules, ValueType};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What a hash with a field that expires takes in the index of such: a record in a node of a tree that is half to two
/// thirds full.
pub const FIELD_EXPIRY_RECORD_BYTES: usize = 30;

/// One numbered database.
pub struct Db {
    pub(super) table: Dict<Entry>,
    pub(super) index: ExpiryIndex,
    pub(super) volatile: usize,
    /// How many values need a newer version of the RDB format, by that version.
    newer: BTreeMap<u16, usize>,
    /// The next expiry of a field (Unix ms) and the hash of the key, for each hash that has one (`field_expiry`).
    field_expiries: BTreeSet<(i64, u64)>,
}

/// What a database keeps account of besides its entries' expiries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    rdb_version: u16,
    pub(super) next_field_expiry_ms: Option<i64>,
}

impl Traits {
    const PLAIN: Traits = Traits { rdb_version: RDB_VERSION_BASE, next_field_expiry_ms: None };

    /// As `of`, of an entry that holds a `T`: most types have no traits.
    #[inline]
    pub(super) fn of_type<T: DataType>(entry: &Entry) -> Traits {
        match T::TYPE {
            ValueType::Hash | ValueType::Stream => Traits::of(entry),
            ValueType::String | ValueType::List | ValueType::Set | ValueType::Zset => Traits::PLAIN,
        }
    }

    #[inline]
    pub(super) fn of(entry: &Entry) -> Traits {
        match entry.view() {
            None => Traits::PLAIN,
            Some(view) => {
                Traits { rdb_version: view.rdb_version(), next_field_expiry_ms: view.next_expiry_ms() }
            }
        }
    }
}

impl Db {
    fn new(seed: HashSeed, now_ms: i64) -> Self {
        Db {
            table: Dict::new(seed),
            index: ExpiryIndex::new(now_ms),
            volatile: 0,
            newer: BTreeMap::new(),
            field_expiries: BTreeSet::new(),
        }
    }

    /// The lowest version of the RDB format that can hold all values.
    pub fn rdb_version(&self) -> u16 {
        self.newer.last_key_value().map_or(RDB_VERSION_BASE, |(version, _)| *version)
    }

    /// A key whose value needs a version of the RDB format that `is_held` says no to, and that version: at once when
    /// fields of a hash expire, by a walk over the table for other reasons.
    fn key_beyond(&self, is_held: &dyn Fn(u16) -> bool) -> Option<(Vec<u8>, u16)> {
        if self.newer.keys().all(|version| is_held(*version)) {
            return None;
        }
        let beyond = |entry: &Entry| {
            let version = Traits::of(entry).rdb_version;
            (!is_held(version)).then(|| (entry.key().to_vec(), version))
        };
        let mut found = None;
        if let Some((_, hash)) = self.first_field_expiry() {
            self.table.find_by_hash(hash, &mut |entry| {
                found = beyond(entry);
                found.is_some()
            });
        }
        found.or_else(|| self.table.iter().find_map(beyond))
    }

    /// A value with these traits came.
    pub(super) fn came(&mut self, hash: u64, traits: Traits) {
        if let Some(next_ms) = traits.next_field_expiry_ms {
            self.field_expiries.insert((next_ms, hash));
        }
        if traits.rdb_version > RDB_VERSION_BASE {
            *self.newer.entry(traits.rdb_version).or_default() += 1;
        }
    }

    /// A value with these traits went.
    pub(super) fn went(&mut self, hash: u64, traits: Traits) {
        if let Some(next_ms) = traits.next_field_expiry_ms {
            self.field_expiries.remove(&(next_ms, hash));
        }
        if traits.rdb_version > RDB_VERSION_BASE
            && let Some(count) = self.newer.get_mut(&traits.rdb_version)
        {
            *count -= 1;
            if *count == 0 {
                self.newer.remove(&traits.rdb_version);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// How many keys have an expiry.
    pub fn volatile_len(&self) -> usize {
        self.volatile
    }

    pub fn table(&self) -> &Dict<Entry> {
        &self.table
    }

    /// How many hashes have a field that expires.
    pub fn expiring_hashes_len(&self) -> usize {
        self.field_expiries.len()
    }

    /// When the next field of a hash expires, in Unix ms, and the hash of its key.
    pub(super) fn first_field_expiry(&self) -> Option<(i64, u64)> {
        self.field_expiries.first().copied()
    }

    /// From when on (Unix ms) there are keys or fields to expire, or records of the index to move.
    pub(super) fn next_due_ms(&self) -> Option<i64> {
        // A field is there until its time is over, as a key.
        let field_ms = self.first_field_expiry().map(|(at_ms, _)| at_ms.saturating_add(1));
        self.index.next_due_ms().into_iter().chain(field_ms).min()
    }

    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    pub fn check(&self) {
        self.table.check();
        self.index.check();
        let (mut volatile, mut counted) = (0, Db::new(HashSeed([0; 16]), 0));
        self.table.for_each(&mut |entry| {
            entry.check();
            volatile += usize::from(entry.expire_at_ms().is_some());
            counted.came(self.table.hash(entry.key()), Traits::of(entry));
        });
        assert_eq!(volatile, self.volatile, "keys with an expiry");
        assert!(self.index.len() >= self.volatile, "an expiry without a record");
        assert_eq!(counted.newer, self.newer, "values of newer versions");
        assert_eq!(counted.field_expiries, self.field_expiries, "hashes with expiring fields");
    }

    /// Bytes of the tables and the indexes, without the entries.
    pub fn overhead_bytes(&self) -> usize {
        self.table.heap_bytes() + self.index_bytes()
    }

    /// Bytes of the indexes of expiries.
    pub fn index_bytes(&self) -> usize {
        self.index.heap_bytes() + self.field_expiries.len() * FIELD_EXPIRY_RECORD_BYTES
    }

    /// The mean time that keys with an expiry have left, in milliseconds, estimated from a few of them. 0 without any.
    pub fn average_ttl_ms(&self, rng: &mut fastrand::Rng, now_ms: i64) -> i64 {
        const SAMPLES: usize = 16;
        let (mut sum_ms, mut found) = (0_i128, 0);
        for _ in 0..SAMPLES {
            let Some(hash) = self.index.sample(rng) else { break };
            // Records may be stale; what the table knows counts.
            self.table.find_by_hash(hash, &mut |entry| {
                if let Some(expire_at_ms) = entry.expire_at_ms() {
                    sum_ms += i128::from(expire_at_ms.saturating_sub(now_ms).max(0));
                    found += 1;
                }
                true
            });
        }
        i64::try_from(sum_ms / i128::from(found.max(1))).unwrap_or(i64::MAX)
    }

    /// Presizes the table, as a file's hint tells before its keys come.
    pub fn reserve(&mut self, keys: usize) {
        self.table.reserve(keys);
    }

    /// Adds an entry while a file is loaded; `hash` is that of its key. `Err` gives back an entry whose key is there
    /// already.
    pub fn load(&mut self, hash: u64, entry: Entry) -> Result<(), Entry> {
        if self.table.get(hash, entry.key()).is_some() {
            return Err(entry);
        }
        self.add(hash, entry);
        Ok(())
    }

    /// Adds an entry while a file is loaded, in place of one with the same key.
    pub fn load_over(&mut self, hash: u64, entry: Entry) {
        drop(self.take(hash, entry.key()));
        self.add(hash, entry);
    }

    /// Adds an entry whose key is known to be absent, and keeps the invariants.
    pub(super) fn add(&mut self, hash: u64, entry: Entry) {
        if let Some(expire_at_ms) = entry.expire_at_ms() {
            self.volatile += 1;
            entry.set_index_generation(self.index.push(hash, expire_at_ms));
        }
        self.came(hash, Traits::of(&entry));
        self.table.insert_new(hash, entry);
    }

    /// Takes an entry out, and keeps the invariants. Its record in the index stays as a stale hint.
    pub(super) fn take(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let entry = self.table.remove(hash, key)?;
        if entry.expire_at_ms().is_some() {
            self.volatile -= 1;
        }
        self.went(hash, Traits::of(&entry));
        Some(entry)
    }

    /// Gives the entry of `key`, which is there, another expiry, and keeps the invariants.
    pub(super) fn set_expire(&mut self, hash: u64, key: &[u8], new: Option<i64>) {
        let entry = self.table.get_mut(hash, key).expect("the caller has found the key");
        let old = entry.expire_at_ms();
        if old == new {
            return;
        }
        entry.set_expire(new);
        match (old, new) {
            (None, Some(_)) => self.volatile += 1,
            (Some(_), None) => self.volatile -= 1,
            _ => {}
        }
        if let Some(new) = new
            && old.is_none_or(|old| new < old)
        {
            entry.set_index_generation(self.index.push(hash, new));
        }
    }

    /// Shows the entries with an expiry that a record of the index can mean, each with its hash; `stop` ends the search
    /// by answering true.
    pub(super) fn find_volatile(&self, record: u64, stop: &mut dyn FnMut(&Entry, u64) -> bool) {
        self.table.find_by_hash(record, &mut |entry| {
            if entry.expire_at_ms().is_none() {
                return false;
            }
            let hash = self.table.hash(entry.key());
            (hash ^ record) & HASH_BITS_USED == 0 && stop(entry, hash)
        });
    }

    /// Files the entries that a record meant, which came up before their time, again.
    pub(super) fn refile(&mut self, record: u64) {
        let mut early: Option<i64> = None;
        self.find_volatile(record, &mut |entry, _| {
            early = early.min(entry.expire_at_ms()).or(entry.expire_at_ms());
            false
        });
        let Some(expire_at_ms) = early else { return };
        let generation = self.index.push(record, expire_at_ms);
        self.find_volatile(record, &mut |entry, _| {
            entry.set_index_generation(generation);
            false
        });
    }

    /// Whether stale records outnumber the keys, or a round that removes them goes on.
    pub(super) fn index_is_stale(&self) -> bool {
        const STALE_RECORDS_FREE: usize = 1024;
        self.index.is_compacting() || self.index.len() > 2 * self.volatile + STALE_RECORDS_FREE
    }

    /// Looks at up to `records` records and drops those whose key is gone. Whether the round goes on.
    pub(super) fn compact_index(&mut self, records: usize) -> bool {
        let table = &self.table;
        self.index.compact_step(records, &mut |record, generation| {
            let mut expire_at_ms = None;
            table.find_by_hash(record, &mut |entry| {
                let is_left = entry.expire_at_ms().is_some() && entry.index_generation() != generation;
                if is_left && (table.hash(entry.key()) ^ record) & HASH_BITS_USED == 0 {
                    entry.set_index_generation(generation);
                    expire_at_ms = entry.expire_at_ms();
                }
                expire_at_ms.is_some()
            });
            expire_at_ms
        })
    }
}

/// What the keyspace counts; INFO reads it.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Lookups that have found their key, and others: cells, because they are counted while the entry is looked at.
    pub hits: Cell<u64>,
    pub misses: Cell<u64>,
    pub expired: u64,
    /// Fields of hashes.
    pub expired_fields: u64,
    pub expired_stale_perc: f64,
    pub expire_cycle_us: u64,
    pub expire_time_cap_reached: u64,
    pub evicted: u64,
    /// How long memory has been above its limit although keys were being evicted, in ms, without the running time.
    pub eviction_exceeded_ms: u64,
    /// Since when it is, in Unix ms.
    pub eviction_exceeded_since_ms: Option<i64>,
}

/// Whether a forked child shares our memory: then we touch as little of it as we can (invariant 10 of the house).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    Alone,
    WithChild,
}

/// Whether tables grow and shrink; only DEBUG stops them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resizing {
    Allowed,
    Stopped,
}

/// What becomes of a key that a lookup finds expired. Either way the lookup does not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundExpired {
    Removed,
    /// Nothing may change the dataset now (CLIENT PAUSE).
    Left,
}

/// All databases.
pub struct Keyspace {
    dbs: Vec<Db>,
    seed: HashSeed,
    pub settings: Settings,
    /// Where an embedded value is edited; kept for its memory.
    pub(super) scratch: Vec<u8>,
    pub counters: Counters,
    pub rng: fastrand::Rng,
    sharing: Sharing,
    resizing: Resizing,
    /// Commands that write must run with `Removed`: they take an unseen key for an absent one.
    pub found_expired: FoundExpired,
    /// Frees what is costly to free off the loop. Without it everything is freed inline.
    pub bio: Option<Rc<Bio>>,
    /// The database that the next expiry cycle begins with.
    pub(super) next_expiry_db: usize,
    pub(super) next_field_expiry_db: usize,
    /// The best candidates for eviction that were seen.
    pub(super) pool: Pool,
}

impl Keyspace {
    /// `databases` empty ones; `seed` decides hashing and every random choice.
    pub fn new(databases: usize, seed: u64, now_ms: i64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let hash_seed = HashSeed(rng.u128(..).to_le_bytes());
        Keyspace {
            dbs: (0..databases).map(|_| Db::new(hash_seed, now_ms)).collect(),
            seed: hash_seed,
            settings: Settings {
                rules: Rules { seed: hash_seed, ..Rules::default() },
                ..Settings::default()
            },
            scratch: Vec::new(),
            counters: Counters::default(),
            rng,
            sharing: Sharing::Alone,
            resizing: Resizing::Allowed,
            found_expired: FoundExpired::Removed,
            bio: None,
            next_expiry_db: 0,
            next_field_expiry_db: 0,
            pool: Pool::default(),
        }
    }

    /// An empty keyspace of the same shape, to load a file into before it takes this one's place. Its tables may grow,
    /// whatever holds here (`adopt`).
    pub fn empty_twin(&self, now_ms: i64) -> Keyspace {
        Keyspace {
            dbs: self.dbs.iter().map(|_| Db::new(self.seed, now_ms)).collect(),
            seed: self.seed,
            settings: self.settings.clone(),
            scratch: Vec::new(),
            counters: self.counters.clone(),
            rng: self.rng.clone(),
            sharing: Sharing::Alone,
            resizing: Resizing::Allowed,
            found_expired: self.found_expired,
            bio: self.bio.clone(),
            next_expiry_db: 0,
            next_field_expiry_db: 0,
            pool: Pool::default(),
        }
    }

    /// Takes the databases of a twin in the place of those that are here; settings and state stay.
    pub fn adopt(&mut self, twin: Keyspace) {
        self.dbs = twin.dbs;
        let pauses = self.pauses();
        for db in &mut self.dbs {
            (0..pauses).for_each(|_| db.table.pause_rehash());
        }
    }

    /// How often each table is paused.
    fn pauses(&self) -> usize {
        usize::from(self.sharing == Sharing::WithChild) + usize::from(self.resizing == Resizing::Stopped)
    }

    /// An empty database whose table is paused as often as those that are there.
    fn fresh_db(&self, now_ms: i64) -> Db {
        let mut fresh = Db::new(self.seed, now_ms);
        (0..self.pauses()).for_each(|_| fresh.table.pause_rehash());
        fresh
    }

    pub fn db(&self, index: usize) -> &Db {
        &self.dbs[index]
    }

    pub fn db_mut(&mut self, index: usize) -> &mut Db {
        &mut self.dbs[index]
    }

    /// How many databases there are.
    pub fn databases(&self) -> usize {
        self.dbs.len()
    }

    pub fn dbs(&self) -> impl Iterator<Item = (usize, &Db)> {
        self.dbs.iter().enumerate()
    }

    /// Keys in all databases.
    pub fn len(&self) -> usize {
        self.dbs.iter().map(Db::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.dbs.iter().all(Db::is_empty)
    }

    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// Tells whether a child shares our memory. While one does, no table rehashes.
    pub fn set_sharing(&mut self, sharing: Sharing) {
        if self.sharing == sharing {
            return;
        }
        self.sharing = sharing;
        for db in &mut self.dbs {
            match sharing {
                Sharing::WithChild => db.table.pause_rehash(),
                Sharing::Alone => db.table.resume_rehash(),
            }
        }
    }

    /// Stops all tables from growing and shrinking, or lets them again.
    pub fn set_resizing(&mut self, resizing: Resizing) {
        if self.resizing == resizing {
            return;
        }
        self.resizing = resizing;
        for db in &mut self.dbs {
            match resizing {
                Resizing::Stopped => db.table.pause_rehash(),
                Resizing::Allowed => db.table.resume_rehash(),
            }
        }
    }

    /// Moves up to `buckets` buckets of every table that is growing or shrinking. Returns whether work is left.
    pub fn rehash(&mut self, buckets: usize) -> bool {
        let mut left = false;
        for db in &mut self.dbs {
            left |= db.table.is_rehashing() && db.table.rehash_step(buckets);
        }
        left
    }

    pub(super) fn swap(&mut self, first: usize, second: usize) {
        self.dbs.swap(first, second);
    }

    /// Removes the entry of `key` and frees it. Whether it was there.
    pub(super) fn discard(&mut self, db: usize, hash: u64, key: &[u8], freeing: Freeing) -> bool {
        let removed = self.dbs[db].take(hash, key);
        removed.map(|entry| self.free(freeing, entry)).is_some()
    }

    /// Empties one database. Lazy freeing leaves the work to the helper thread.
    pub(super) fn flush(&mut self, index: usize, freeing: Freeing, now_ms: i64) {
        let fresh = self.fresh_db(now_ms);
        let old = std::mem::replace(&mut self.dbs[index], fresh);
        let burden = self.bio.as_ref().map(|_| Burden::of_db(&old));
        self.free_by(freeing, burden.unwrap_or_default(), old);
    }

    /// Takes new settings; the seed of the tables stays.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = Settings { rules: Rules { seed: self.seed, ..settings.rules }, ..settings };
    }

    /// Whether tables may rehash now.
    pub(super) fn rehash_now(&self) -> Rehash {
        match (self.sharing, self.resizing) {
            (Sharing::Alone, Resizing::Allowed) => Rehash::Allowed,
            _ => Rehash::Paused,
        }
    }

    /// The lowest version of the RDB format that can hold all values.
    pub fn rdb_version_needed(&self) -> u16 {
        self.dbs.iter().map(Db::rdb_version).max().unwrap_or(RDB_VERSION_BASE)
    }

    /// The first database with a key whose value needs a version of the RDB format that `is_held` says no to, that key,
    /// and that version.
    pub fn key_beyond(&self, is_held: &dyn Fn(u16) -> bool) -> Option<(usize, Vec<u8>, u16)> {
        self.dbs().find_map(|(index, db)| db.key_beyond(is_held).map(|(key, version)| (index, key, version)))
    }

    /// Frees an entry now or on the helper thread. What would hold up the loop goes there whatever was asked for.
    pub(super) fn free(&self, freeing: Freeing, entry: Entry) {
        let burden = Burden { objects: 1, cost: entry.drop_cost(), bytes: 0 };
        if self.leaves_to_bio(freeing, burden.cost) {
            let bytes = entry.heap_bytes(HEAP_SAMPLES);
            return self.free_by(freeing, Burden { bytes, ..burden }, entry);
        }
        drop(entry);
    }

    fn free_by<T: Send + 'static>(&self, freeing: Freeing, burden: Burden, garbage: T) {
        match &self.bio {
            Some(bio) if self.leaves_to_bio(freeing, burden.cost) => {
                bio.free(burden.objects as u64, burden.bytes as u64, garbage);
            }
            _ => drop(garbage),
        }
    }

    fn leaves_to_bio(&self, freeing: Freeing, cost: usize) -> bool {
        const LAZY_COST_MIN: usize = 64;
        self.bio.is_some() && (cost > INLINE_COST_MAX || freeing == Freeing::Lazy && cost > LAZY_COST_MIN)
    }
}

/// What costs more deallocations than this to free holds up the loop.
const INLINE_COST_MAX: usize = 4096;
/// Elements by which the bytes of a collection are estimated.
pub(super) const HEAP_SAMPLES: usize = 5;

/// What freeing something means.
#[derive(Clone, Copy, Debug, Default)]
struct Burden {
    /// Keys, which INFO counts.
    objects: usize,
    /// Deallocations, roughly.
    cost: usize,
    /// Roughly.
    bytes: usize,
}

impl Burden {
    /// Estimated from some entries. A database of few keys may hold huge ones, so those are all looked at.
    fn of_db(db: &Db) -> Burden {
        let objects = db.table.len();
        let (mut looked_at, mut cost, mut bytes) = (0, 0, 0);
        for entry in db.table.iter().take(INLINE_COST_MAX) {
            looked_at += 1;
            cost += entry.drop_cost();
            bytes += entry.heap_bytes(HEAP_SAMPLES);
            if cost > INLINE_COST_MAX {
                break;
            }
        }
        let bytes = (bytes as u128 * objects as u128 / looked_at.max(1)) as usize;
        Burden { objects, cost: cost.max(objects), bytes: bytes + db.overhead_bytes() }
    }
}
