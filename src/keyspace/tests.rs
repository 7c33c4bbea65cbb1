//! The keyspace against a plain map: whatever is done to keys, what a transaction shows, what is counted and what
//! expires is what the map says.

use super::db::Sharing;
use super::settings::{Candidates, Freeing, Ranking};
use super::{Entry, Expiry, Keyspace, Ledger, StrView, Tx, evict, expire};
use crate::object::hash::FieldExpiry;
use crate::object::{Hash, HashView, Rules, Set, SetView, Variant, Zset};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;

const START_MS: i64 = 1_700_000_000_000;
const DATABASES: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Set { db: usize, key: u8, value: i64, expiry: Option<i64> },
    Expire { db: usize, key: u8, expiry: Option<i64> },
    Remove { db: usize, key: u8 },
    Rename { db: usize, from: u8, to: u8 },
    Copy { from_db: usize, to_db: usize, key: u8, to: u8 },
    Swap { first: usize, second: usize },
    Flush { db: usize },
    Scan { db: usize },
    Advance { ms: i64 },
    Cycle,
    Evict { ranking: Ranking },
}

fn step() -> impl Strategy<Value = Step> {
    let db = || 0..DATABASES;
    let key = || 0..40_u8;
    let expiry = || prop_oneof![Just(None), (0..300_000_i64).prop_map(Some), (0..50_i64).prop_map(Some)];
    let ranking =
        || prop_oneof![Just(Ranking::Lru), Just(Ranking::Lfu), Just(Ranking::Ttl), Just(Ranking::Random)];
    prop_oneof![
        6 => (db(), key(), any::<i64>(), expiry())
            .prop_map(|(db, key, value, expiry)| Step::Set { db, key, value, expiry }),
        6 => (db(), key(), expiry()).prop_map(|(db, key, expiry)| Step::Expire { db, key, expiry }),
        2 => (db(), key()).prop_map(|(db, key)| Step::Remove { db, key }),
        2 => (db(), key(), key()).prop_map(|(db, from, to)| Step::Rename { db, from, to }),
        2 => (db(), db(), key(), key())
            .prop_map(|(from_db, to_db, key, to)| Step::Copy { from_db, to_db, key, to }),
        1 => (db(), db()).prop_map(|(first, second)| Step::Swap { first, second }),
        1 => db().prop_map(|db| Step::Flush { db }),
        1 => db().prop_map(|db| Step::Scan { db }),
        3 => (0..20_000_i64).prop_map(|ms| Step::Advance { ms }),
        3 => Just(Step::Cycle),
        1 => ranking().prop_map(|ranking| Step::Evict { ranking }),
    ]
}

type Keys = HashMap<Vec<u8>, (i64, Option<i64>)>;

struct Model {
    keyspace: Keyspace,
    ledger: Ledger,
    now_ms: i64,
    dbs: Vec<Keys>,
}

fn name(key: u8) -> Vec<u8> {
    format!("key:{key}").into_bytes()
}

impl Model {
    fn new() -> Model {
        let keyspace = Keyspace::new(DATABASES, 5, START_MS);
        Model { keyspace, ledger: Ledger::default(), now_ms: START_MS, dbs: vec![HashMap::new(); DATABASES] }
    }

    fn tx(&mut self, db: usize) -> Tx<'_> {
        Tx::new(&mut self.keyspace, &mut self.ledger, db, self.now_ms)
    }

    /// Forgets what has expired.
    fn expire(&mut self) {
        let now_ms = self.now_ms;
        let lives = |expiry: Option<i64>| expiry.is_none_or(|expire_at_ms| now_ms <= expire_at_ms);
        self.dbs.iter_mut().for_each(|keys| keys.retain(|_, (_, expiry)| lives(*expiry)));
    }

    fn apply(&mut self, step: Step) {
        let now_ms = self.now_ms;
        let later = |expiry: Option<i64>| expiry.map(|ms| now_ms + ms);
        self.expire();
        match step {
            Step::Set { db, key, value, expiry } => {
                let expiry = later(expiry);
                let given = expiry.map_or(Expiry::None, Expiry::At);
                self.tx(db).set(&name(key), StrView::Int(value), given);
                self.dbs[db].insert(name(key), (value, expiry));
            }
            Step::Expire { db, key, expiry } => {
                let expiry = later(expiry);
                let found = self.tx(db).set_expire(&name(key), expiry);
                let known = self.dbs[db].get_mut(&name(key));
                assert_eq!(found, known.is_some());
                known.into_iter().for_each(|known| known.1 = expiry);
            }
            Step::Remove { db, key } => {
                let removed = self.tx(db).remove(&name(key), Freeing::Inline);
                assert_eq!(removed, self.dbs[db].remove(&name(key)).is_some());
            }
            Step::Rename { db, from, to } => {
                let taken = self.tx(db).take(&name(from));
                let known = self.dbs[db].remove(&name(from));
                assert_eq!(taken.is_some(), known.is_some());
                taken.into_iter().for_each(|entry| self.tx(db).put(entry.with_key(&name(to))));
                self.dbs[db].extend(known.map(|known| (name(to), known)));
            }
            Step::Copy { from_db, to_db, key, to } => {
                let copied = self.tx(from_db).peek(&name(key)).map(|entry| entry.clone_with_key(&name(to)));
                let known = self.dbs[from_db].get(&name(key)).copied();
                copied.into_iter().for_each(|entry| self.tx(to_db).put(entry));
                self.dbs[to_db].extend(known.map(|known| (name(to), known)));
            }
            Step::Swap { first, second } => {
                self.tx(0).swap(first, second);
                self.dbs.swap(first, second);
            }
            Step::Flush { db } => {
                self.tx(db).flush(Freeing::Inline, &[]);
                self.dbs[db].clear();
            }
            Step::Scan { db } => {
                let mut seen = Vec::new();
                self.tx(db).scan(0, 1000, &mut |entry| seen.push(entry.key().to_vec()));
                seen.sort();
                let mut known: Vec<_> = self.dbs[db].keys().cloned().collect();
                known.sort();
                assert_eq!(seen, known);
            }
            Step::Advance { ms } => self.now_ms += ms,
            Step::Cycle => self.cycle(),
            Step::Evict { ranking } => self.evict(ranking),
        }
    }

    fn cycle(&mut self) {
        expire::cycle(&mut self.keyspace, &mut self.ledger, self.now_ms, 1000, &mut || 0);
        for (db, keys) in self.dbs.iter().enumerate() {
            assert_eq!(self.keyspace.db(db).len(), keys.len(), "all that has expired is gone");
        }
    }

    fn evict(&mut self, ranking: Ranking) {
        self.cycle();
        self.keyspace.settings.maxmemory_bytes = 1;
        self.keyspace.settings.candidates = Candidates::Volatile;
        self.keyspace.settings.ranking = ranking;
        self.ledger.clear();
        let room = evict::make_room(&mut self.keyspace, &mut self.ledger, self.now_ms, &|| 2, &mut || 0);
        let evicted: Vec<_> = self.ledger.changes().map(|change| (change.db, change.key.to_vec())).collect();
        let is_volatile = |keys: &Keys| keys.values().any(|(_, expiry)| expiry.is_some());
        assert_eq!(room == evict::Room::Enough, self.dbs.iter().any(is_volatile));
        for (db, key) in evicted {
            let (_, expiry) = self.dbs[db].remove(&key).expect("an evicted key was there");
            assert!(expiry.is_some(), "the policy takes keys with an expiry only");
        }
    }

    fn check(&mut self) {
        self.expire();
        for db in 0..DATABASES {
            for key in 0..40 {
                let found = self.tx(db).peek(&name(key)).map(|entry| (value(entry), entry.expire_at_ms()));
                assert_eq!(found, self.dbs[db].get(&name(key)).copied());
            }
            let volatile = self.dbs[db].values().filter(|(_, expiry)| expiry.is_some()).count();
            let (db, keys) = (self.keyspace.db(db), self.dbs[db].len());
            assert_eq!((db.len(), db.volatile_len()), (keys, volatile));
            db.table().check();
            db.index.check();
        }
    }
}

fn value(entry: &Entry) -> i64 {
    match entry.str_view() {
        StrView::Int(value) => value,
        StrView::Bytes(_) => panic!("the model sets integers"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn behaves_like_a_map(steps in vec(step(), 1..250)) {
        let mut model = Model::new();
        steps.into_iter().for_each(|step| model.apply(step));
        model.check();
        model.now_ms += 1_000_000;
        model.expire();
        model.cycle();
        model.check();
    }
}

/// Adds members to the value at `key`, some in each edit, as commands do.
fn grow<T: Variant>(
    model: &mut Model,
    key: &[u8],
    numbers: std::ops::Range<u32>,
    add: fn(&mut T, &[u8], &Rules),
) {
    for number in numbers {
        let member = format!("a member of thirty bytes: {number:04}");
        model.tx(0).edit::<T, _>(key, |value, rules| add(value, member.as_bytes(), rules));
    }
}

fn grow_all(model: &mut Model, key: &[u8; 1], numbers: std::ops::Range<u32>) {
    let key = |kind: &str| [kind.as_bytes(), key].concat();
    grow::<Hash>(model, &key("hash"), numbers.clone(), |hash, member, rules| {
        hash.set(member, b"1", FieldExpiry::None, rules);
    });
    grow::<Set>(model, &key("set"), numbers.clone(), |set, member, rules| {
        set.add(member, rules);
    });
    grow::<Zset>(model, &key("zset"), numbers, |zset, member, rules| {
        zset.add(member, 1.0, rules);
    });
}

/// Whether the table of the large hash, and of the large set, moves its items.
fn rehashes(model: &mut Model, key: &[u8; 1]) -> [bool; 2] {
    let mut tx = model.tx(0);
    let hash = matches!(
        tx.read::<Hash>(&[b"hash", &key[..]].concat()),
        Ok(Some(HashView::Table(table))) if table.fields().is_rehashing()
    );
    let set = matches!(
        tx.read::<Set>(&[b"set", &key[..]].concat()),
        Ok(Some(SetView::Table(table))) if table.is_rehashing()
    );
    [hash, set]
}

/// A child may come and go at any time in the life of a value: while it is packed, when it becomes a table, while that
/// grows.
#[test]
fn tables_made_or_grown_while_a_child_lives_stand_still() {
    let mut model = Model::new();
    grow_all(&mut model, b"p", 0..60);
    model.keyspace.set_sharing(Sharing::WithChild);
    // Packed before, tables now; and some that are made while the child lives.
    grow_all(&mut model, b"p", 60..900);
    grow_all(&mut model, b"n", 0..900);
    let moved = (900..1800).any(|number| {
        grow_all(&mut model, b"p", number..number + 1);
        rehashes(&mut model, b"p").contains(&true)
    });
    assert!(!moved, "a table moves its items under the eyes of a child");
    model.keyspace.set_sharing(Sharing::Alone);
    let moved = (1800..4000).fold([false; 2], |moved, number| {
        grow_all(&mut model, b"p", number..number + 1);
        let now = rehashes(&mut model, b"p");
        [moved[0] || now[0], moved[1] || now[1]]
    });
    assert_eq!(moved, [true; 2], "tables grow again when the child has gone");
    grow_all(&mut model, b"n", 900..1800);
    let mut tx = model.tx(0);
    for (key, len) in [(b"p", 4000), (b"n", 1800)] {
        let key = |kind: &str| [kind.as_bytes(), key].concat();
        tx.edit::<Hash, _>(&key("hash"), |hash, _| hash.check());
        tx.edit::<Set, _>(&key("set"), |set, _| set.check());
        tx.edit::<Zset, _>(&key("zset"), |zset, _| zset.check());
        assert!(matches!(tx.read::<Hash>(&key("hash")), Ok(Some(hash)) if hash.len() == len));
        assert!(matches!(tx.read::<Set>(&key("set")), Ok(Some(set)) if set.len() == len));
        assert!(matches!(tx.read::<Zset>(&key("zset")), Ok(Some(zset)) if zset.len() == len));
    }
}
