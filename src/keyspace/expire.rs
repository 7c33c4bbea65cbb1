//! Active expiry: removes keys whose time has come although nobody asks for them.
//!
//! The index of each database (`expiry_index`) names the keys that are due, so a cycle does work for keys that have
//! expired and for none else, besides a few records that came up early. Invariants:
//! 1. A cycle ends within its budget plus the time for `RECORDS_PER_LOOK` records.
//! 2. A record that was taken is settled before the cycle ends: its key is gone or filed again.
//! 3. Every database gets its turn: the next cycle begins behind the database where this one stopped.
//!
//! Who calls it knows when there is something to do (`next_due_ms`), so that a cycle comes when a key is due.
//!
//! It deliberately does not sample: what is due is known. `expired_stale_perc` is measured only while a backlog exists.

use super::db::{Keyspace, Sharing};
use super::event::Event;
use super::expiry_index::Due;
use super::ledger::Ledger;

/// Records between two looks at the clock.
const RECORDS_PER_LOOK: usize = 64;
/// Lookups whose cache misses overlap.
const LOOKUPS_AHEAD: usize = 16;
/// Stale records that one cycle looks at in one database. They cost memory, not correctness, so there is no hurry.
const COMPACTED_PER_CYCLE: usize = 8192;

/// How long one cycle may hold up the clients, in microseconds.
pub const CYCLE_BUDGET_US: u64 = 2000;

/// How late, in ms, keys may go before the rest between cycles becomes shorter, and then much shorter.
const LATE_MS: i64 = 20;
const VERY_LATE_MS: i64 = 50;

/// How long clients have the time to themselves after a cycle that used up its budget, in microseconds. By the effort
/// (`active-expire-effort`), as in Redis: a quarter of the time is for expiry at effort 1, two percent more for each
/// further one. But what is late must go, as long as clients have a third of the time.
pub fn rest_us(effort: u32, late_ms: i64) -> u64 {
    let percent = match late_ms {
        ..LATE_MS => 25 + 2 * (u64::from(effort.clamp(1, 10)) - 1),
        LATE_MS..VERY_LATE_MS => 50,
        _ => 67,
    };
    CYCLE_BUDGET_US * (100 - percent) / percent
}

/// From when on (Unix ms) a cycle of keys or of fields finds something to do.
pub fn next_due_ms(keyspace: &Keyspace) -> Option<i64> {
    keyspace.dbs().filter_map(|(_, db)| db.next_due_ms()).min()
}

/// Removes what has expired in all databases, until nothing is due or the budget is used up.
pub fn cycle(
    keyspace: &mut Keyspace,
    ledger: &mut Ledger,
    now_ms: i64,
    budget_us: u64,
    elapsed_us: &mut dyn FnMut() -> u64,
) {
    let databases = keyspace.databases();
    let first = keyspace.next_expiry_db;
    let mut cycle = Cycle { keyspace, ledger, now_ms, records: Vec::new(), key: Vec::new() };
    let mut out_of_time = || elapsed_us() >= budget_us;
    for step in 0..databases {
        let db = (first + step) % databases;
        cycle.keyspace.next_expiry_db = (db + 1) % databases;
        if cycle.sweep(db, &mut out_of_time) == Progress::OutOfTime {
            cycle.keyspace.counters.expire_time_cap_reached += 1;
            let stale = cycle.stale_share(db);
            return note_stale_share(cycle.keyspace, stale);
        }
        cycle.compact(db, &mut out_of_time);
    }
    note_stale_share(keyspace, 0.0);
}

/// A moving average of the share of keys that have expired but are still there.
fn note_stale_share(keyspace: &mut Keyspace, share: f64) {
    let average = &mut keyspace.counters.expired_stale_perc;
    *average = *average * 0.95 + share * 100.0 * 0.05;
}

#[derive(PartialEq, Eq)]
enum Progress {
    NothingDue,
    OutOfTime,
}

struct Cycle<'a> {
    keyspace: &'a mut Keyspace,
    ledger: &'a mut Ledger,
    now_ms: i64,
    /// Records taken and not yet settled.
    records: Vec<u64>,
    key: Vec<u8>,
}

impl Cycle<'_> {
    fn sweep(&mut self, db: usize, out_of_time: &mut dyn FnMut() -> bool) -> Progress {
        loop {
            let more = self.take_due(db);
            self.settle_all(db);
            if !more {
                return Progress::NothingDue;
            }
            if out_of_time() {
                return Progress::OutOfTime;
            }
        }
    }

    /// Takes some of the records that are due. Whether there may be more.
    fn take_due(&mut self, db: usize) -> bool {
        let index = &mut self.keyspace.db_mut(db).index;
        while self.records.len() < RECORDS_PER_LOOK {
            match index.pop_due(self.now_ms) {
                Due::Record(record) => self.records.push(record),
                Due::Working => return true,
                Due::Nothing => return false,
            }
        }
        true
    }

    fn settle_all(&mut self, db: usize) {
        let records = std::mem::take(&mut self.records);
        for group in records.chunks(LOOKUPS_AHEAD) {
            let table = &self.keyspace.db(db).table;
            group.iter().for_each(|record| table.prefetch_bucket(*record));
            group.iter().for_each(|record| table.prefetch_candidates(*record));
            group.iter().for_each(|record| self.settle(db, *record));
        }
        self.records = records;
        self.records.clear();
    }

    fn settle(&mut self, db: usize, record: u64) {
        let freeing = self.keyspace.settings.free_expired;
        while let Some(hash) = self.find_expired(db, record) {
            self.keyspace.discard(db, hash, &self.key, freeing);
            self.keyspace.counters.expired += 1;
            self.ledger.changed(db, &self.key, Event::Expired, 0);
        }
        self.keyspace.db_mut(db).refile(record);
    }

    /// The hash of an expired entry that the record can mean; its key is left in `self.key`.
    fn find_expired(&mut self, db: usize, record: u64) -> Option<u64> {
        let (key, now_ms) = (&mut self.key, self.now_ms);
        let mut found = None;
        self.keyspace.db(db).find_volatile(record, &mut |entry, hash| {
            if entry.expire_at_ms().is_some_and(|expire_at_ms| now_ms > expire_at_ms) {
                key.clear();
                key.extend_from_slice(entry.key());
                found = Some(hash);
            }
            found.is_some()
        });
        found
    }

    /// Drops stale records once they outnumber the keys. It writes in every entry it files again, so it waits while a
    /// child shares our memory.
    fn compact(&mut self, db: usize, out_of_time: &mut dyn FnMut() -> bool) {
        if self.keyspace.sharing() == Sharing::WithChild || !self.keyspace.db(db).index_is_stale() {
            return;
        }
        for _ in 0..COMPACTED_PER_CYCLE / RECORDS_PER_LOOK {
            if !self.keyspace.db_mut(db).compact_index(RECORDS_PER_LOOK) || out_of_time() {
                return;
            }
        }
    }

    /// The share of keys with an expiry that are overdue, by a small sample.
    fn stale_share(&mut self, db: usize) -> f64 {
        const SAMPLES: usize = 20;
        let mut rng = self.keyspace.rng.fork();
        let (db, now_ms) = (self.keyspace.db(db), self.now_ms);
        let (mut seen, mut stale) = (0_u32, 0_u32);
        for record in std::iter::from_fn(|| db.index.sample(&mut rng)).take(SAMPLES) {
            db.find_volatile(record, &mut |entry, _| {
                seen += 1;
                stale += u32::from(entry.expire_at_ms().is_some_and(|expire_at_ms| now_ms > expire_at_ms));
                true
            });
        }
        if seen == 0 { 0.0 } else { f64::from(stale) / f64::from(seen) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Expiry, Tx};

    const START_MS: i64 = 1_700_000_000_000;

    fn filled(keys: usize, expire_at_ms: impl Fn(usize) -> i64) -> Keyspace {
        let mut keyspace = Keyspace::new(4, 7, START_MS);
        let mut ledger = Ledger::default();
        for number in 0..keys {
            let mut tx = Tx::new(&mut keyspace, &mut ledger, number % 4, START_MS);
            tx.set_str(format!("key:{number}").as_bytes(), b"value", Expiry::At(expire_at_ms(number)));
        }
        keyspace
    }

    fn run(keyspace: &mut Keyspace, now_ms: i64) -> Vec<Vec<u8>> {
        let mut ledger = Ledger::default();
        cycle(keyspace, &mut ledger, now_ms, 1000, &mut || 0);
        assert_eq!(ledger.dirty(), 0, "an expired key is no change since the last save");
        ledger.changes().map(|change| change.key.to_vec()).collect()
    }

    #[test]
    fn clients_keep_their_share() {
        assert_eq!((rest_us(1, 0), rest_us(10, 0)), (6000, 2651));
        assert!(rest_us(1, 30) == 2000 && rest_us(10, 1000) == 985, "the later, the more");
    }

    #[test]
    fn it_is_known_when_something_is_due() {
        let mut keyspace = filled(0, |_| 0);
        assert_eq!(next_due_ms(&keyspace), None);
        let mut ledger = Ledger::default();
        Tx::new(&mut keyspace, &mut ledger, 3, START_MS).set_str(b"late", b"", Expiry::At(START_MS + 90_000));
        let late = next_due_ms(&keyspace).expect("a key expires");
        assert!((START_MS..=START_MS + 90_001).contains(&late), "not later than the key");
        Tx::new(&mut keyspace, &mut ledger, 0, START_MS).set_str(b"soon", b"", Expiry::At(START_MS + 5));
        assert_eq!(next_due_ms(&keyspace), Some(START_MS + 6));
        // Whoever comes at the times that it names finds every key in time, and does not come often.
        let (mut now_ms, mut looks, mut gone) = (START_MS, 0, Vec::new());
        while let Some(due_ms) = next_due_ms(&keyspace) {
            now_ms = now_ms.max(due_ms);
            looks += 1;
            gone.extend(run(&mut keyspace, now_ms).into_iter().map(|key| (key, now_ms - START_MS)));
        }
        assert_eq!(gone, [(b"soon".to_vec(), 6), (b"late".to_vec(), 90_001)]);
        assert!(looks < 20, "{looks} looks");
    }

    #[test]
    fn exactly_what_is_due_goes() {
        let mut keyspace = filled(1000, |number| START_MS + number as i64 * 10);
        assert!(run(&mut keyspace, START_MS).is_empty(), "a key lives through its last millisecond");
        assert_eq!(run(&mut keyspace, START_MS + 1), [b"key:0"]);
        assert_eq!(run(&mut keyspace, START_MS + 5000).len(), 499);
        assert_eq!((keyspace.len(), keyspace.counters.expired), (500, 500));
        assert_eq!(run(&mut keyspace, START_MS + 1_000_000).len(), 500);
        assert!(keyspace.is_empty());
    }

    #[test]
    fn moved_expiries_count() {
        let mut keyspace = filled(8, |_| START_MS + 100);
        let mut ledger = Ledger::default();
        let mut tx = Tx::new(&mut keyspace, &mut ledger, 0, START_MS);
        tx.set_expire(b"key:0", Some(START_MS + 50));
        tx.set_expire(b"key:4", Some(START_MS + 5000));
        let mut tx = tx.at(1);
        tx.set_expire(b"key:1", None);
        tx.set_expire(b"key:5", Some(START_MS + 40_000_000));
        assert_eq!(run(&mut keyspace, START_MS + 60), [b"key:0"]);
        assert_eq!(run(&mut keyspace, START_MS + 101).len(), 4);
        assert_eq!(run(&mut keyspace, START_MS + 5001), [b"key:4"]);
        assert!(run(&mut keyspace, START_MS + 39_999_999).is_empty());
        assert_eq!(run(&mut keyspace, START_MS + 40_000_001), [b"key:5"]);
        assert_eq!(keyspace.len(), 1);
    }

    #[test]
    fn the_budget_ends_a_cycle_and_the_next_database_begins_the_next() {
        let mut keyspace = filled(4000, |_| START_MS);
        let mut ledger = Ledger::default();
        for (round, begins) in [(1, 1), (2, 2), (3, 3), (4, 0)] {
            cycle(&mut keyspace, &mut ledger, START_MS + 10, 5, &mut || 5);
            assert_eq!(keyspace.next_expiry_db, begins);
            assert_eq!(keyspace.counters.expire_time_cap_reached, round);
            assert!(keyspace.len() >= 4000 - round as usize * RECORDS_PER_LOOK);
        }
        assert!(keyspace.counters.expired_stale_perc > 1.0, "a backlog shows");
        assert_eq!(run(&mut keyspace, START_MS + 10).len() + ledger.changes().count(), 4000);
    }

    #[test]
    fn stale_records_are_swept() {
        let mut keyspace = filled(4, |_| START_MS + 1_000_000);
        let mut ledger = Ledger::default();
        for time in (0..5000).rev() {
            let mut tx = Tx::new(&mut keyspace, &mut ledger, 0, START_MS);
            tx.set_expire(b"key:0", Some(START_MS + 100_000 + time));
        }
        assert!(keyspace.db(0).index.len() >= 5000);
        run(&mut keyspace, START_MS);
        assert_eq!(keyspace.db(0).index.len(), 1);
        assert_eq!(run(&mut keyspace, START_MS + 100_001), [b"key:0"]);
    }
}
