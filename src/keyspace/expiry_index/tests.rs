//! The wheel against a map from key to expiry, kept by the rules that the module gives the Db.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;

const NOW_MS: i64 = 1_700_000_000_000;

/// A Db in small: keys are their hashes.
struct Db {
    index: ExpiryIndex,
    keys: BTreeMap<u64, (i64, Generation)>,
    now_ms: i64,
}

/// A hash whose used bits tell the keys apart.
fn hash_of(key: u64) -> u64 {
    let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash & !0xffff) | key | 0x00aa_aa00_0000_0000
}

fn hint_of(key: u64) -> u64 {
    hash_of(key) & HASH_BITS_USED
}

impl Db {
    fn new() -> Db {
        Db { index: ExpiryIndex::new(NOW_MS), keys: BTreeMap::new(), now_ms: NOW_MS }
    }

    fn expire(&mut self, key: u64, at_ms: i64) {
        let hint = hint_of(key);
        let generation = match self.keys.get(&hint) {
            Some((old_ms, generation)) if at_ms >= *old_ms => *generation,
            _ => self.index.push(hash_of(key), at_ms),
        };
        self.keys.insert(hint, (at_ms, generation));
    }

    /// Expires what is due; as a check returns how many records came up too early.
    fn cycle(&mut self, now_ms: i64) -> usize {
        self.now_ms = now_ms;
        let mut early = 0;
        let is_due = |index: &ExpiryIndex| index.next_due_ms().is_some_and(|due_ms| due_ms <= now_ms);
        loop {
            let is_due = is_due(&self.index);
            let found = self.index.pop_due(now_ms);
            assert_eq!(found != Due::Nothing, is_due, "it is known when there is something to do");
            match found {
                Due::Nothing => break,
                Due::Working => {}
                Due::Record(hint) => match self.keys.get(&hint).copied() {
                    Some((at_ms, _)) if at_ms < now_ms => _ = self.keys.remove(&hint),
                    Some((at_ms, _)) => {
                        early += 1;
                        let generation = self.index.push(hint, at_ms);
                        self.keys.insert(hint, (at_ms, generation));
                    }
                    None => {}
                },
            }
        }
        early
    }

    fn compact(&mut self, budget: usize) -> bool {
        let keys = &mut self.keys;
        self.index.compact_step(budget, &mut |hint, generation| {
            let (at_ms, own) = keys.get_mut(&hint)?;
            (std::mem::replace(own, generation) != generation).then_some(*at_ms)
        })
    }

    fn check(&self) {
        self.index.check();
        assert!(self.index.len() >= self.keys.len(), "a key without a record");
        assert!(self.keys.values().all(|(at_ms, _)| *at_ms >= self.now_ms), "an expired key is left");
    }
}

#[derive(Clone, Debug)]
enum Step {
    ExpireIn(u64, i64),
    ExpireAt(u64, i64),
    Delete(u64),
    Advance(i64),
    Compact(usize),
    CompactAll,
}

fn step() -> impl Strategy<Value = Step> {
    let delay = prop_oneof![-5..300i64, 0..100_000i64, 0..20_000_000i64, 0..10_000_000_000i64];
    let advance = prop_oneof![0..20i64, 0..2000i64, 0..1_000_000i64, 0..6_000_000_000i64];
    prop_oneof![
        12 => (0..200u64, delay).prop_map(|(key, delay)| Step::ExpireIn(key, delay)),
        1 => (0..200u64, any::<i64>()).prop_map(|(key, at_ms)| Step::ExpireAt(key, at_ms)),
        3 => (0..200u64).prop_map(Step::Delete),
        6 => advance.prop_map(Step::Advance),
        1 => (0..100usize).prop_map(Step::Compact),
        1 => Just(Step::CompactAll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_expires_late_and_no_key_is_forgotten(steps in prop::collection::vec(step(), 1..200)) {
        let mut db = Db::new();
        for step in steps {
            match step {
                Step::ExpireIn(key, delay) => db.expire(key, db.now_ms + delay.max(0)),
                Step::ExpireAt(key, at_ms) => db.expire(key, at_ms.max(db.now_ms)),
                Step::Delete(key) => _ = db.keys.remove(&hint_of(key)),
                Step::Advance(by) => _ = db.cycle(db.now_ms + by),
                Step::Compact(budget) => _ = db.compact(budget),
                Step::CompactAll => {
                    while db.compact(10) {}
                    while db.compact(10) {}
                    prop_assert_eq!(db.index.len(), db.keys.len());
                }
            }
            db.check();
        }
        db.cycle(i64::MAX);
        prop_assert!(db.keys.values().all(|(at_ms, _)| *at_ms == i64::MAX));
    }
}

#[test]
fn a_record_comes_up_right_after_its_millisecond() {
    for delay in [0, 1, 255, 256, 70_000, 1_000_000, 16_000_000] {
        let mut db = Db::new();
        db.expire(1, NOW_MS + delay);
        assert_eq!((db.cycle(NOW_MS + delay), db.keys.len()), (0, 1));
        assert_eq!((db.cycle(NOW_MS + delay + 1), db.keys.len(), db.index.len()), (0, 0, 0));
    }
}

#[test]
fn a_distant_record_comes_up_early_but_a_few_times_only() {
    let mut db = Db::new();
    db.expire(1, NOW_MS + 400 * 86_400_000 + 12_345);
    let early: usize = (0..=400 * 24).map(|hour| db.cycle(NOW_MS + hour * 3_600_000)).sum();
    assert!(early <= 3, "{early} times");
    assert_eq!((db.cycle(NOW_MS + 400 * 86_400_000 + 12_345), db.keys.len()), (0, 1));
    db.cycle(NOW_MS + 400 * 86_400_000 + 12_346);
    assert!(db.keys.is_empty());
}

#[test]
fn a_call_does_little_work_whatever_the_slot_holds() {
    let mut index = ExpiryIndex::new(NOW_MS);
    (0..10_000).for_each(|key| _ = index.push(hash_of(key), NOW_MS + 100_000 + key as i64 % 7));
    let mut found = 0;
    let mut calls = 0;
    loop {
        calls += 1;
        match index.pop_due(NOW_MS + 200_000) {
            Due::Record(_) => found += 1,
            Due::Working => {}
            Due::Nothing => break,
        }
    }
    assert_eq!(found, 10_000);
    assert!(calls > 10_000 + 10_000 / CASCADE_RECORDS_MAX, "{calls}");
    assert!(index.is_empty());
}

#[test]
fn a_compaction_leaves_one_record_per_key() {
    let mut db = Db::new();
    for round in 0..20 {
        (0..100).for_each(|key| db.expire(key, NOW_MS + 50_000 + 1000 * (key as i64 % 3) - round));
    }
    (0..50).for_each(|key| _ = db.keys.remove(&hint_of(key)));
    assert_eq!(db.index.len(), 2000);
    assert!(db.compact(700) && db.index.is_compacting());
    // A key made meanwhile is in the new generation, and is not filed twice.
    db.expire(300, NOW_MS + 9);
    while db.compact(100) {}
    assert_eq!((db.index.len(), db.keys.len()), (51, 51));
    db.cycle(NOW_MS + 60_000);
    assert!(db.keys.is_empty());
}

#[test]
fn samples_reach_every_record_and_the_soonest_come_first() {
    let (mut index, mut rng) = (ExpiryIndex::new(NOW_MS), fastrand::Rng::with_seed(3));
    assert_eq!(index.sample(&mut rng), None);
    (0..200).for_each(|key| _ = index.push(hash_of(key), NOW_MS + 7 + (key * key * key) as i64));
    let mut hits = HashMap::new();
    (0..10_000).for_each(|_| *hits.entry(index.sample(&mut rng).unwrap()).or_insert(0) += 1);
    assert!(hits.len() == 200 && hits.values().all(|count| (10..120).contains(count)));
    let mut soonest = Vec::new();
    index.soonest(3, &mut soonest);
    assert_eq!(soonest[0], hint_of(0));
    assert_eq!(soonest.len(), 3);
    index.clear();
    assert!(index.is_empty() && index.heap_bytes() == 0);
}

#[test]
fn a_record_costs_little_more_than_eight_bytes() {
    let mut index = ExpiryIndex::new(NOW_MS);
    (0..100_000).for_each(|key| _ = index.push(hash_of(key), NOW_MS + 1_000_000 + 10 * key as i64));
    assert!(index.heap_bytes() < 900_000, "{}", index.heap_bytes());
}

#[test]
fn a_clock_that_jumps_back_only_delays() {
    let mut db = Db::new();
    db.cycle(NOW_MS + 10_000);
    db.expire(1, NOW_MS + 500);
    db.now_ms = NOW_MS;
    assert_eq!((db.cycle(NOW_MS), db.keys.len()), (0, 1));
    db.cycle(NOW_MS + 10_001);
    assert!(db.keys.is_empty());
}
