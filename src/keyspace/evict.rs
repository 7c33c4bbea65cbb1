//! Eviction: makes room when memory is above `maxmemory`, by the eight policies.
//!
//! ```text
//!             candidates                  found by                        ranked by
//! allkeys     every key                   neighbours at a random place    idle time, LFU counter, or not at all
//! volatile    those with an expiry        records of the expiry index     the same, or what expires soonest
//! ```
//! As in Redis the ranking is approximate: each eviction looks at `maxmemory-samples` keys of each database and offers
//! them to a pool of the sixteen best seen so far, of which the best goes. The pool holds hashes, no keys, and outlives
//! the call; what it names may be gone by then, which a lookup finds out. Invariants:
//! 1. The pool is sorted, the best candidate last.
//! 2. A call ends when enough was freed, nothing is left to evict, or its time limit is reached.

use super::db::{Db, HEAP_SAMPLES, Keyspace};
use super::entry::Entry;
use super::event::Event;
use super::ledger::Ledger;
use super::lru;
use super::settings::{Candidates, Ranking, Settings};

/// What an attempt to make room came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Memory is below its limit.
    Enough,
    /// The time limit was reached, or memory is about to be freed by the helper thread: there is more to do soon.
    Busy,
    /// Nothing can be evicted.
    Full,
}

const POOL_SIZE: usize = 16;
/// Keys evicted between two looks at memory and clock.
const EVICTIONS_PER_LOOK: usize = 16;
/// Records looked at when a sample of the expiry index met only stale ones.
const COMPACTED_PER_TRY: usize = 1024;

#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// The higher, the sooner it goes.
    score: u64,
    db: usize,
    hash: u64,
}

/// The best candidates seen so far.
#[derive(Default)]
pub struct Pool {
    /// Ascending by score.
    candidates: Vec<Candidate>,
    /// What the scores mean.
    policy: Option<(Candidates, Ranking)>,
    /// The database whose turn it is when keys go at random.
    next_db: usize,
}

impl Pool {
    fn offer(&mut self, offered: Candidate) {
        if self.candidates.iter().any(|known| known.hash == offered.hash && known.db == offered.db) {
            return;
        }
        if self.candidates.len() == POOL_SIZE {
            if self.candidates[0].score >= offered.score {
                return;
            }
            self.candidates.remove(0);
        }
        let place = self.candidates.partition_point(|known| known.score <= offered.score);
        self.candidates.insert(place, offered);
    }

    /// Forgets everything when the scores no longer mean what the policy asks for.
    fn obey(&mut self, policy: (Candidates, Ranking)) {
        if self.policy != Some(policy) {
            self.candidates.clear();
            self.policy = Some(policy);
        }
    }
}

/// Evicts keys until `used` bytes are below the limit, as long as `maxmemory-eviction-tenacity` allows.
pub fn make_room(
    keyspace: &mut Keyspace,
    ledger: &mut Ledger,
    now_ms: i64,
    used: &dyn Fn() -> usize,
    elapsed_us: &mut dyn FnMut() -> u64,
) -> Room {
    let limit_bytes = keyspace.settings.maxmemory_bytes;
    // What the helper thread will have freed soon must not cost further keys.
    let bio = keyspace.bio.clone();
    let pending = || bio.as_ref().map_or(0, |bio| bio.pending_bytes());
    let excess = || match limit_bytes {
        0 => 0,
        limit_bytes => (used() as u64).saturating_sub(pending()).saturating_sub(limit_bytes),
    };
    let to_free = excess();
    let room = if to_free == 0 {
        Room::Enough
    } else {
        let pool = std::mem::take(&mut keyspace.pool);
        let mut eviction = Eviction { keyspace, ledger, now_ms, pool, key: Vec::new() };
        let room = eviction.run(to_free, &excess, elapsed_us);
        let pool = eviction.pool;
        keyspace.pool = pool;
        room
    };
    note_excess(keyspace, room, now_ms);
    room
}

/// Keeps the times that INFO shows as eviction_exceeded_time.
fn note_excess(keyspace: &mut Keyspace, room: Room, now_ms: i64) {
    let counters = &mut keyspace.counters;
    match (room, counters.eviction_exceeded_since_ms) {
        (Room::Enough, Some(since_ms)) => {
            counters.eviction_exceeded_ms += u64::try_from(now_ms - since_ms).unwrap_or(0);
            counters.eviction_exceeded_since_ms = None;
        }
        (Room::Busy | Room::Full, None) => counters.eviction_exceeded_since_ms = Some(now_ms),
        _ => {}
    }
}

/// How long one call may take: up to 500 us at a tenacity of 10, from there 15 percent more for each step, without
/// limit at 100.
fn time_limit_us(tenacity: u32) -> u64 {
    const STEP_US: u64 = 50;
    const LINEAR_UP_TO: u32 = 10;
    match tenacity {
        0..=LINEAR_UP_TO => STEP_US * u64::from(tenacity),
        11..=99 => (500.0 * 1.15_f64.powi(tenacity as i32 - LINEAR_UP_TO as i32)) as u64,
        _ => u64::MAX,
    }
}

struct Eviction<'a> {
    keyspace: &'a mut Keyspace,
    ledger: &'a mut Ledger,
    now_ms: i64,
    pool: Pool,
    key: Vec<u8>,
}

impl Eviction<'_> {
    fn run(&mut self, to_free: u64, excess: &dyn Fn() -> u64, elapsed_us: &mut dyn FnMut() -> u64) -> Room {
        let settings = &self.keyspace.settings;
        let limit_us = time_limit_us(settings.eviction_tenacity);
        self.pool.obey((settings.candidates, settings.ranking));
        let (mut freed, mut evicted) = (0_u64, 0);
        while freed < to_free {
            let Some(victim) = self.choose() else { return self.without_victims() };
            freed += self.evict(victim) as u64;
            evicted += 1;
            if evicted % EVICTIONS_PER_LOOK == 0 && freed < to_free {
                if excess() == 0 {
                    return Room::Enough;
                }
                if elapsed_us() > limit_us {
                    return Room::Busy;
                }
            }
        }
        Room::Enough
    }

    /// What the helper thread has still to free may be enough.
    fn without_victims(&self) -> Room {
        let pending = self.keyspace.bio.as_ref().is_some_and(|bio| bio.pending_jobs() > 0);
        if pending && self.keyspace.settings.candidates != Candidates::None { Room::Busy } else { Room::Full }
    }

    fn choose(&mut self) -> Option<Candidate> {
        let Settings { candidates, ranking, .. } = self.keyspace.settings;
        match (candidates, ranking) {
            (Candidates::None, _) => None,
            (_, Ranking::Random) => self.at_random(),
            (_, Ranking::Lru | Ranking::Lfu | Ranking::Ttl) => self.by_rank(),
        }
    }

    /// Removes the victim and tells it. Returns the bytes that this freed.
    fn evict(&mut self, victim: Candidate) -> usize {
        let freeing = self.keyspace.settings.free_evicted;
        let key = &mut self.key;
        let mut freed = 0;
        let is_there = find(self.keyspace.db(victim.db), victim.hash, &mut |entry| {
            key.clear();
            key.extend_from_slice(entry.key());
            freed = entry.heap_bytes(HEAP_SAMPLES);
        });
        if !is_there {
            return 0;
        }
        self.keyspace.discard(victim.db, victim.hash, &self.key, freeing);
        self.keyspace.counters.evicted += 1;
        self.ledger.changed(victim.db, &self.key, Event::Evicted, 0);
        freed
    }

    // ----- without ranking -----

    /// Takes the databases in turn.
    fn at_random(&mut self) -> Option<Candidate> {
        let databases = self.keyspace.databases();
        let first = self.pool.next_db;
        for step in 0..databases {
            let db = (first + step) % databases;
            let hash = match self.keyspace.settings.candidates {
                Candidates::Volatile => self.random_volatile(db),
                Candidates::All | Candidates::None => self.random_key(db),
            };
            if let Some(hash) = hash {
                self.pool.next_db = (db + 1) % databases;
                return Some(Candidate { score: 0, db, hash });
            }
        }
        None
    }

    fn random_key(&mut self, db: usize) -> Option<u64> {
        let mut rng = self.keyspace.rng.fork();
        let table = &self.keyspace.db(db).table;
        table.sample(&mut rng).map(|entry| table.hash(entry.key()))
    }

    fn random_volatile(&mut self, db: usize) -> Option<u64> {
        let mut found = None;
        self.volatile_samples(db, Sampling::Random(1), &mut |_, hash| found = Some(hash));
        found
    }

    // ----- with ranking -----

    fn by_rank(&mut self) -> Option<Candidate> {
        loop {
            let sampled: usize = (0..self.keyspace.databases()).map(|db| self.fill_pool(db)).sum();
            if sampled == 0 {
                return None;
            }
            while let Some(best) = self.pool.candidates.pop() {
                if self.still_qualifies(best) {
                    return Some(best);
                }
            }
        }
    }

    /// Offers samples of one database to the pool. Returns how many there were.
    fn fill_pool(&mut self, db: usize) -> usize {
        if self.keyspace.db(db).is_empty() {
            return 0;
        }
        let settings = self.keyspace.settings.clone();
        let now_ms = self.now_ms;
        let mut pool = std::mem::take(&mut self.pool);
        let mut sampled = 0;
        let mut offer = |entry: &Entry, hash: u64| {
            sampled += 1;
            pool.offer(Candidate { score: score(entry, now_ms, &settings), db, hash });
        };
        let samples = settings.maxmemory_samples;
        match (settings.candidates, settings.ranking) {
            (Candidates::Volatile, Ranking::Ttl) => {
                self.volatile_samples(db, Sampling::SoonestAndRandom(samples), &mut offer);
            }
            (Candidates::Volatile, _) => self.volatile_samples(db, Sampling::Random(samples), &mut offer),
            (Candidates::All | Candidates::None, _) => {
                let mut rng = self.keyspace.rng.fork();
                let table = &self.keyspace.db(db).table;
                let mut entries = Vec::with_capacity(samples);
                table.sample_many(&mut rng, samples, &mut entries);
                entries.into_iter().for_each(|entry| offer(entry, table.hash(entry.key())));
            }
        }
        self.pool = pool;
        sampled
    }

    fn still_qualifies(&self, candidate: Candidate) -> bool {
        let needs_expiry = self.keyspace.settings.candidates == Candidates::Volatile;
        let mut qualifies = false;
        find(self.keyspace.db(candidate.db), candidate.hash, &mut |entry| {
            qualifies = !needs_expiry || entry.expire_at_ms().is_some();
        });
        qualifies
    }

    /// Shows keys with an expiry; at least one, if there is any in the database.
    fn volatile_samples(&mut self, db: usize, sampling: Sampling, visit: &mut dyn FnMut(&Entry, u64)) {
        let mut rng = self.keyspace.rng.fork();
        let db = self.keyspace.db_mut(db);
        let mut rounds_done = 0;
        // After a whole round of compaction every record has its key; the one that goes on now may have begun before.
        while db.volatile_len() > 0 && rounds_done <= 2 {
            if show_records(db, &sampling.records(db, &mut rng), visit) {
                return;
            }
            rounds_done += usize::from(!db.compact_index(COMPACTED_PER_TRY));
        }
        debug_assert_eq!(db.volatile_len(), 0, "every key with an expiry has a record");
    }
}

/// Shows the keys that some records of the index mean. Whether there are any.
fn show_records(db: &Db, records: &[u64], visit: &mut dyn FnMut(&Entry, u64)) -> bool {
    let mut shown = false;
    for record in records {
        db.find_volatile(*record, &mut |entry, hash| {
            visit(entry, hash);
            shown = true;
            true
        });
    }
    shown
}

#[derive(Clone, Copy)]
enum Sampling {
    Random(usize),
    /// Records that come up next may be those of keys whose expiry has moved away since, hence the others.
    SoonestAndRandom(usize),
}

impl Sampling {
    fn records(self, db: &Db, rng: &mut fastrand::Rng) -> Vec<u64> {
        let mut records = Vec::new();
        let (Sampling::Random(samples) | Sampling::SoonestAndRandom(samples)) = self;
        if let Sampling::SoonestAndRandom(_) = self {
            db.index.soonest(samples, &mut records);
        }
        records.extend(std::iter::from_fn(|| db.index.sample(rng)).take(samples));
        records
    }
}

fn score(entry: &Entry, now_ms: i64, settings: &Settings) -> u64 {
    match settings.ranking {
        Ranking::Lru | Ranking::Random => u64::from(lru::idle_s(entry.lru(), now_ms)),
        Ranking::Lfu => u64::from(u8::MAX - lru::lfu_counter(entry.lru(), now_ms, settings)),
        Ranking::Ttl => {
            entry.expire_at_ms().map_or(0, |expire_at_ms| u64::MAX - expire_at_ms.max(0).unsigned_abs())
        }
    }
}

/// Shows the entry with this hash. Whether there is one.
fn find(db: &Db, hash: u64, visit: &mut dyn FnMut(&Entry)) -> bool {
    let mut found = false;
    db.table.find_by_hash(hash, &mut |entry| {
        if db.table.hash(entry.key()) == hash {
            visit(entry);
            found = true;
        }
        found
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Expiry, Tx};
    use std::cell::Cell;

    const START_MS: i64 = 1_700_000_000_000;

    /// A hundred keys in two databases, every second one with an expiry; a later key was used later.
    fn filled(candidates: Candidates, ranking: Ranking) -> Keyspace {
        let mut keyspace = Keyspace::new(2, 11, START_MS);
        keyspace.settings.candidates = candidates;
        keyspace.settings.ranking = ranking;
        keyspace.settings.maxmemory_bytes = 1;
        keyspace.settings.maxmemory_samples = 10;
        let mut ledger = Ledger::default();
        for number in 0..100_i64 {
            let mut tx = Tx::new(&mut keyspace, &mut ledger, number as usize % 2, START_MS + number * 1000);
            let expiry =
                if number / 2 % 2 == 0 { Expiry::At(START_MS + 10_000_000 - number) } else { Expiry::None };
            tx.set_str(format!("{number}").as_bytes(), b"value", expiry);
        }
        keyspace
    }

    /// Evicts `keys` keys and returns their numbers.
    fn evict(keyspace: &mut Keyspace, keys: usize) -> Vec<usize> {
        let mut ledger = Ledger::default();
        let now_ms = START_MS + 200_000;
        for _ in 0..keys {
            let used = Cell::new(2);
            let room = make_room(keyspace, &mut ledger, now_ms, &|| used.replace(0), &mut || 0);
            assert_eq!(room, Room::Enough);
        }
        let key = |key: &[u8]| String::from_utf8_lossy(key).parse().expect("a number");
        ledger.changes().map(|change| key(change.key)).collect()
    }

    #[test]
    fn the_longest_unused_keys_go_first() {
        let mut keyspace = filled(Candidates::All, Ranking::Lru);
        let evicted = evict(&mut keyspace, 50);
        let old = evicted.iter().filter(|number| **number < 60).count();
        assert_eq!(evicted.len(), 50);
        assert!(old > 40, "{evicted:?}");
        assert_eq!((keyspace.len(), keyspace.counters.evicted), (50, 50));
    }

    #[test]
    fn volatile_policies_leave_the_others_alone() {
        for ranking in [Ranking::Lru, Ranking::Lfu, Ranking::Ttl, Ranking::Random] {
            let mut keyspace = filled(Candidates::Volatile, ranking);
            let evicted = evict(&mut keyspace, 50);
            assert!(evicted.iter().all(|number| number / 2 % 2 == 0), "{ranking:?} {evicted:?}");
            let mut ledger = Ledger::default();
            assert_eq!(make_room(&mut keyspace, &mut ledger, START_MS, &|| 2, &mut || 0), Room::Full);
            assert_eq!(keyspace.len(), 50);
        }
    }

    #[test]
    fn what_expires_soonest_goes_first() {
        let mut keyspace = filled(Candidates::Volatile, Ranking::Ttl);
        let evicted = evict(&mut keyspace, 10);
        assert!(evicted.iter().all(|number| *number > 60), "{evicted:?}");
    }

    #[test]
    fn stale_records_do_not_hide_the_last_key() {
        let mut keyspace = filled(Candidates::Volatile, Ranking::Lru);
        let mut ledger = Ledger::default();
        let mut tx = Tx::new(&mut keyspace, &mut ledger, 0, START_MS);
        for number in 1000..6000 {
            tx.set_str(format!("{number}").as_bytes(), b"", Expiry::At(START_MS + 1000));
            tx.remove(format!("{number}").as_bytes(), crate::keyspace::settings::Freeing::Inline);
        }
        assert_eq!(evict(&mut keyspace, 50).len(), 50);
    }

    #[test]
    fn random_takes_the_databases_in_turn() {
        let mut keyspace = filled(Candidates::All, Ranking::Random);
        let evicted = evict(&mut keyspace, 20);
        assert_eq!(evicted.iter().filter(|number| **number % 2 == 0).count(), 10);
        assert_eq!(evict(&mut keyspace, 80).len(), 80);
        assert!(keyspace.is_empty());
    }

    #[test]
    fn least_often_used_keys_go_first() {
        let mut keyspace = filled(Candidates::All, Ranking::Lfu);
        for number in 0..50 {
            let key = format!("{number}");
            let table = keyspace.db(number % 2).table();
            let entry = table.get(table.hash(key.as_bytes()), key.as_bytes()).expect("it was set");
            entry.set_lru(lru::lfu_with(200, START_MS));
        }
        let evicted = evict(&mut keyspace, 30);
        assert!(evicted.iter().filter(|number| **number >= 50).count() >= 28, "{evicted:?}");
    }

    #[test]
    fn limits_and_times() {
        assert_eq!((time_limit_us(0), time_limit_us(10), time_limit_us(11)), (0, 500, 575));
        assert_eq!(time_limit_us(100), u64::MAX);
        let mut keyspace = filled(Candidates::All, Ranking::Lru);
        let mut ledger = Ledger::default();
        let room = make_room(&mut keyspace, &mut ledger, START_MS, &|| 1 << 30, &mut || 501);
        assert_eq!((room, keyspace.len()), (Room::Busy, 100 - EVICTIONS_PER_LOOK));
        assert_eq!(keyspace.counters.eviction_exceeded_since_ms, Some(START_MS));
        keyspace.settings.candidates = Candidates::None;
        assert_eq!(make_room(&mut keyspace, &mut ledger, START_MS, &|| 2, &mut || 0), Room::Full);
        assert_eq!(make_room(&mut keyspace, &mut ledger, START_MS + 30, &|| 1, &mut || 0), Room::Enough);
        assert_eq!(keyspace.counters.eviction_exceeded_ms, 30);
    }
}
