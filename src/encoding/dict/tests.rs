//! The table against std's, the scan's promise, the sample's spread.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::{Dict, FILL_FOR_MEMORY, FILL_FOR_SPEED, HASH_BITS_USED, HashSeed, Item, mapped_bytes_total};

/// A key and a number, in tables of the given fill.
#[repr(transparent)]
struct Pair<const FILL: usize>(Box<(Vec<u8>, u32)>);

// SAFETY: a `Box` of a sized type is a pointer; the key lies behind it.
unsafe impl<const FILL: usize> Item for Pair<FILL> {
    const ITEMS_PER_BUCKET: usize = FILL;

    fn key(&self) -> &[u8] {
        &self.0.0
    }
}

const SPEED: usize = FILL_FOR_SPEED;
const MEMORY: usize = FILL_FOR_MEMORY;

fn dict<const FILL: usize>() -> Dict<Pair<FILL>> {
    Dict::new(HashSeed(*b"a seed for tests"))
}

fn key(number: u32) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

fn insert<const FILL: usize>(dict: &mut Dict<Pair<FILL>>, number: u32) {
    let key = key(number);
    dict.insert_new(dict.hash(&key), Pair(Box::new((key, number))));
}

fn remove<const FILL: usize>(dict: &mut Dict<Pair<FILL>>, number: u32) -> Option<u32> {
    let key = key(number);
    dict.remove(dict.hash(&key), &key).map(|pair| pair.0.1)
}

fn filled<const FILL: usize>(count: u32) -> Dict<Pair<FILL>> {
    let mut dict = dict();
    (0..count).for_each(|number| insert(&mut dict, number));
    dict
}

#[derive(Clone, Debug)]
enum Step {
    Set(u32),
    SetMany(u32, u32),
    Remove(u32),
    RemoveMany(u32, u32),
    Rehash(usize),
    Reserve(usize),
    Pause,
    Resume,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..600u32).prop_map(Step::Set),
        6 => (0..600u32, 0..300u32).prop_map(|(from, count)| Step::SetMany(from, count)),
        8 => (0..600u32).prop_map(Step::Remove),
        6 => (0..600u32, 0..500u32).prop_map(|(from, count)| Step::RemoveMany(from, count)),
        3 => (1..40usize).prop_map(Step::Rehash),
        1 => (0..3000usize).prop_map(Step::Reserve),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => Just(Step::Clear),
    ]
}

struct Model<const FILL: usize> {
    dict: Dict<Pair<FILL>>,
    map: HashMap<u32, u32>,
    pauses: usize,
    version: u32,
}

impl<const FILL: usize> Model<FILL> {
    fn set(&mut self, number: u32) {
        self.version += 1;
        let (key, version) = (key(number), self.version);
        let hash = self.dict.hash(&key);
        match self.dict.get_mut(hash, &key) {
            Some(pair) => *pair = Pair(Box::new((key, version))),
            None => self.dict.insert_new(hash, Pair(Box::new((key, version)))),
        }
        self.map.insert(number, version);
    }

    fn remove(&mut self, number: u32) {
        assert_eq!(remove(&mut self.dict, number), self.map.remove(&number));
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Set(number) => self.set(number),
            Step::SetMany(from, count) => (from..from + count).for_each(|number| self.set(number)),
            Step::Remove(number) => self.remove(number),
            Step::RemoveMany(from, count) => (from..from + count).for_each(|number| self.remove(number)),
            Step::Rehash(buckets) => _ = self.dict.rehash_step(buckets),
            Step::Reserve(items) => self.dict.reserve(items),
            Step::Pause => {
                self.dict.pause_rehash();
                self.pauses += 1;
            }
            Step::Resume if self.pauses > 0 => {
                self.dict.resume_rehash();
                self.pauses -= 1;
            }
            Step::Resume => {}
            Step::Clear => {
                self.dict.clear();
                self.map.clear();
            }
        }
    }

    fn check(&self) {
        self.dict.check();
        assert_eq!(self.dict.len(), self.map.len());
        for (number, version) in &self.map {
            let key = key(*number);
            let hash = self.dict.hash(&key);
            assert_eq!(self.dict.get(hash, &key).map(|pair| pair.0.1), Some(*version));
            let mut found = false;
            self.dict.find_by_hash(hash & HASH_BITS_USED, &mut |pair| {
                found |= pair.key() == key;
                found
            });
            assert!(found);
        }
        self.check_parts();
    }

    /// Any parts that make up the whole show every item once.
    fn check_parts(&self) {
        let buckets = self.dict.bucket_count();
        for part in [1, 7, buckets.max(1)] {
            let mut shown = HashMap::new();
            for start in (0..buckets).step_by(part) {
                self.dict.for_each_in(start..(start + part).min(buckets), &mut |pair| {
                    let earlier = shown.insert(pair.key().to_vec(), pair.0.1);
                    assert_eq!(earlier, None, "shown twice");
                });
            }
            let expected = self.map.iter().map(|(number, version)| (key(*number), *version));
            assert_eq!(shown, expected.collect());
        }
    }
}

fn walk_through<const FILL: usize>(steps: &[Step]) {
    let mut model: Model<FILL> = Model { dict: dict(), map: HashMap::new(), pauses: 0, version: 0 };
    for step in steps {
        model.apply(step);
        model.dict.check();
    }
    model.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn behaves_like_a_map(steps in prop::collection::vec(step(), 1..60)) {
        walk_through::<SPEED>(&steps);
        walk_through::<MEMORY>(&steps);
    }

    /// The keys 0..200 stay; everything else comes and goes between the calls.
    #[test]
    fn a_scan_misses_nothing_that_stays(
        steps in prop::collection::vec(step(), 1..80), first in 200..4000u32
    ) {
        let mut dict = filled::<MEMORY>(first);
        let mut others: HashSet<u32> = (200..first).collect();
        let (mut seen, mut cursor, mut steps, mut pauses) = (HashSet::new(), 0, steps.into_iter().cycle(), 0);
        loop {
            cursor = dict.scan(cursor, &mut |pair| _ = seen.insert(pair.0.1));
            if cursor == 0 {
                break;
            }
            let (from, count) = match steps.next() {
                Some(Step::SetMany(from, count)) => (from + 200, count),
                Some(Step::RemoveMany(from, count)) => {
                    let numbers = (from * 7 % 4000..).take(count as usize);
                    for number in numbers.filter(|number| others.remove(number)) {
                        remove(&mut dict, number);
                    }
                    continue;
                }
                Some(Step::Rehash(buckets)) => {
                    dict.rehash_step(buckets);
                    continue;
                }
                Some(Step::Pause) if pauses == 0 => {
                    dict.pause_rehash();
                    pauses = 1;
                    continue;
                }
                Some(Step::Resume) if pauses == 1 => {
                    dict.resume_rehash();
                    pauses = 0;
                    continue;
                }
                _ => continue,
            };
            let numbers = (from..from + count).filter(|number| others.insert(*number));
            numbers.for_each(|number| insert(&mut dict, number));
        }
        prop_assert!((0..200).all(|number| seen.contains(&number)));
    }
}

#[test]
fn growth_keeps_the_memory_per_item_low() {
    growth::<SPEED>(23);
    growth::<MEMORY>(13);
}

fn growth<const FILL: usize>(bytes_per_item: usize) {
    let mut dict = dict::<FILL>();
    for number in 0..20_000 {
        insert(&mut dict, number);
        assert!(
            number < 200 || dict.is_rehashing() || dict.heap_bytes() <= bytes_per_item * dict.len(),
            "{number}: {}",
            dict.heap_bytes()
        );
    }
    while dict.rehash_step(100) {}
    dict.check();
    assert!(dict.statistics().tables.iter().all(|table| table.longest_chain <= 4));
}

#[test]
fn removing_everything_shrinks_step_by_step() {
    let mut dict = filled::<MEMORY>(20_000);
    let before = dict.heap_bytes();
    (0..20_000).for_each(|number| assert_eq!(remove(&mut dict, number), Some(number)));
    while dict.rehash_step(64) {}
    assert!(dict.is_empty() && dict.heap_bytes() * 16 < before);
    dict.check();
}

#[test]
fn a_mapped_table_grows_and_shrinks() {
    let mut dict = dict::<SPEED>();
    dict.reserve(1 << 19);
    assert!(dict.mapped_bytes() == dict.heap_bytes() && dict.mapped_bytes() >= 4 << 20);
    assert!(mapped_bytes_total() >= dict.mapped_bytes());
    (0..20_000).for_each(|number| insert(&mut dict, number));
    dict.check();
    assert!(dict.rehash_step(1), "so sparse a table shrinks");
    while dict.rehash_step(1000) {}
    assert_eq!((dict.mapped_bytes(), dict.len()), (0, 20_000));
    dict.check();
    dict.reserve(1 << 19);
    assert!(dict.is_rehashing());
    // Where a thread makes the new table resident, the rehash waits for it.
    let mut number = 20_000;
    while dict.is_rehashing() && number < 400_000 {
        insert(&mut dict, number);
        number += 1;
        std::thread::yield_now();
    }
    assert_eq!((dict.is_rehashing(), dict.mapped_bytes()), (false, 8 << 20));
    dict.check();
}

#[test]
fn a_pause_holds_until_the_table_is_extremely_full() {
    let mut dict = filled::<SPEED>(6);
    dict.pause_rehash();
    (6..24).for_each(|number| insert(&mut dict, number));
    assert_eq!((dict.is_rehashing(), dict.statistics().tables[0].buckets), (false, 1));
    assert!(!dict.rehash_step(10));
    (24..200).for_each(|number| insert(&mut dict, number));
    assert!(dict.statistics().tables[0].buckets > 1);
    dict.check();
    dict.resume_rehash();
    let mut late = filled::<SPEED>(6);
    late.pause_rehash();
    (6..20).for_each(|number| insert(&mut late, number));
    late.resume_rehash();
    assert!(late.rehash_step(0) && !late.rehash_step(1), "the cron starts a growth that a pause held back");
    (200..2000).for_each(|number| insert(&mut dict, number));
    while dict.rehash_step(100) {}
    assert!(dict.statistics().tables[0].longest_chain <= 3);
    dict.check();
}

#[test]
fn samples_spread_evenly() {
    spread(&filled::<SPEED>(385));
    for count in [100u32, 385, 900, 1000] {
        spread(&filled::<MEMORY>(count));
    }
    let mut rehashing = filled::<MEMORY>(14 * 64);
    (0..20).for_each(|number| insert(&mut rehashing, 14 * 64 + number));
    assert!(rehashing.is_rehashing());
    spread(&rehashing);
}

fn spread<const FILL: usize>(dict: &Dict<Pair<FILL>>) {
    let mut rng = fastrand::Rng::with_seed(7);
    let count = dict.len() as u32;
    {
        let mut hits = vec![0u32; count as usize];
        (0..count * 40).for_each(|_| hits[dict.sample(&mut rng).unwrap().0.1 as usize] += 1);
        let (least, most) = (hits.iter().min().unwrap(), hits.iter().max().unwrap());
        assert!(*least > 8 && *most < 100, "{least}..{most} hits where 40 are expected");
    }
}

#[test]
fn a_batch_has_distinct_items_and_reaches_all() {
    let mut rng = fastrand::Rng::with_seed(8);
    let dict = filled::<MEMORY>(500);
    let mut seen = HashSet::new();
    for _ in 0..400 {
        let mut batch = Vec::new();
        dict.sample_many(&mut rng, 16, &mut batch);
        assert_eq!(batch.len(), 16);
        assert_eq!(batch.iter().map(|pair| pair.0.1).collect::<HashSet<_>>().len(), 16);
        seen.extend(batch.iter().map(|pair| pair.0.1));
    }
    assert!(seen.len() > 480);
    let mut few = Vec::new();
    filled::<SPEED>(3).sample_many(&mut rng, 10, &mut Vec::new());
    let lone = filled::<SPEED>(1);
    lone.sample_many(&mut rng, 5, &mut few);
    assert_eq!(few.len(), 1);
}

#[test]
fn an_empty_table_holds_nothing_and_allocates_nothing() {
    let mut dict = dict::<MEMORY>();
    assert_eq!((dict.len(), dict.heap_bytes(), dict.scan(0, &mut |_| ())), (0, 0, 0));
    assert!(dict.get(1, b"").is_none() && dict.remove(1, b"").is_none());
    assert!(dict.sample(&mut fastrand::Rng::with_seed(1)).is_none());
    dict.check();
}

#[test]
fn batches_do_what_single_calls_do() {
    let mut dict = dict::<MEMORY>();
    let keys: Vec<Vec<u8>> = (0..1000).chain(500..1500).map(key).collect();
    dict.reserve(1000);
    let mut made = 0;
    let added = dict.insert_absent(keys.iter().map(Vec::as_slice), &mut |key| {
        made += 1;
        Pair(Box::new((key.to_vec(), made)))
    });
    assert_eq!((added, dict.len(), made), (1500, 1500, 1500));
    dict.check();
    let (wanted, mut seen) = ((1490..1521).map(key).collect::<Vec<_>>(), Vec::new());
    dict.get_many(wanted.iter().map(Vec::as_slice), &mut |key, hash, found| {
        assert_eq!((hash, found.map(Item::key)), (dict.hash(key), found.map(|_| key)));
        seen.push(found.is_some());
    });
    assert_eq!((seen.len(), seen.iter().filter(|found| **found).count()), (31, 10));
    let mut copy = self::dict::<SPEED>();
    copy.extend_new(dict.iter().map(|pair| Pair(Box::new((pair.key().to_vec(), pair.0.1)))));
    copy.check();
    assert!(dict.iter().all(|pair| copy.get(copy.hash(pair.key()), pair.key()).unwrap().0.1 == pair.0.1));
    let removed =
        dict.remove_many(keys[..700].iter().map(Vec::as_slice), &mut |pair| assert!(pair.0.1 <= 700));
    assert_eq!((removed, dict.len()), (700, 800));
    dict.check();
}

#[test]
fn taking_samples_empties_a_table() {
    let (mut dict, mut rng) = (filled::<MEMORY>(700), fastrand::Rng::with_seed(9));
    let mut taken = HashSet::new();
    while let Some(pair) = dict.take_sample(&mut rng) {
        assert!(taken.insert(pair.0.1));
        assert_eq!(dict.len() + taken.len(), 700);
    }
    dict.check();
    assert_eq!(taken.len(), 700);
}
