//! A hash in each encoding against a plain map with expiries.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use proptest::prelude::*;

use super::{EXPIRE_AT_MS_MAX, FieldExpiry, Hash, HashView, Stored};
use crate::encoding::listpack::edit;
use crate::object::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules};

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

#[derive(Clone, Debug)]
enum Step {
    Set(u16, Vec<u8>, Option<i64>),
    Keep(u16, Vec<u8>),
    Load(u16, Vec<u8>, Option<i64>),
    Remove(u16),
    Expiry(u16, Option<i64>),
    Expire(i64, usize),
    RemoveExpired(u16, i64),
    Rehash(Rehash),
    Duplicate,
    Repack,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..12),
        4 => any::<i16>().prop_map(|number| number.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 20..80),
    ]
}

fn expiry() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![2 => Just(None), 5 => (1..60_i64).prop_map(Some), 1 => Just(Some(EXPIRE_AT_MS_MAX))]
}

fn step() -> impl Strategy<Value = Step> {
    let field = || 0..80_u16;
    prop_oneof![
        8 => (field(), value(), expiry()).prop_map(|(field, value, expiry)| Step::Set(field, value, expiry)),
        3 => (field(), value()).prop_map(|(field, value)| Step::Keep(field, value)),
        2 => (field(), value(), expiry()).prop_map(|(field, value, expiry)| Step::Load(field, value, expiry)),
        3 => field().prop_map(Step::Remove),
        4 => (field(), expiry()).prop_map(|(field, expiry)| Step::Expiry(field, expiry)),
        1 => (0..60_i64, 0..8_usize).prop_map(|(now, limit)| Step::Expire(now, limit)),
        1 => (field(), 0..60_i64).prop_map(|(field, now)| Step::RemoveExpired(field, now)),
        1 => prop_oneof![Just(Rehash::Paused), Just(Rehash::Allowed)].prop_map(Step::Rehash),
        1 => Just(Step::Duplicate),
        1 => Just(Step::Repack),
    ]
}

/// Every third field is an integer's text.
fn name(number: u16) -> Vec<u8> {
    if number.is_multiple_of(3) {
        number.to_string().into_bytes()
    } else {
        format!("f:{number}").into_bytes()
    }
}

fn apply(hash: &mut Hash, model: &mut Model, step: Step, rules: &Rules) {
    match step {
        Step::Set(field, value, expire_at_ms) => {
            let expiry = expire_at_ms.map_or(FieldExpiry::None, FieldExpiry::At);
            let stored = hash.set(&name(field), &value, expiry, rules);
            let old = model.insert(name(field), (value, expire_at_ms));
            assert_eq!(stored == Stored::New, old.is_none());
        }
        Step::Keep(field, value) => {
            hash.set(&name(field), &value, FieldExpiry::Keep, rules);
            model.entry(name(field)).or_default().0 = value;
        }
        Step::Load(field, value, expire_at_ms) => {
            let is_new = hash.load(&name(field), &value, expire_at_ms, rules);
            assert_eq!(is_new, !model.contains_key(&name(field)));
            model.entry(name(field)).or_insert((value, expire_at_ms));
        }
        Step::Remove(field) => assert_eq!(hash.remove(&name(field)), model.remove(&name(field)).is_some()),
        Step::Expiry(field, expire_at_ms) => {
            let found = model.get_mut(&name(field)).map(|entry| entry.1 = expire_at_ms);
            assert_eq!(hash.set_expiry(&name(field), expire_at_ms), found.is_some());
        }
        Step::Expire(now_ms, limit) => {
            let due = model.values().filter(|entry| entry.1.is_some_and(|at| now_ms > at)).count();
            let mut latest = i64::MIN;
            let count = hash.expire_fields(now_ms, limit, &mut |field| {
                let (_, expire_at_ms) = model.remove(field).expect("a field that is there");
                assert!(
                    expire_at_ms.is_some_and(|at| now_ms > at && at >= latest),
                    "not the first to expire"
                );
                latest = expire_at_ms.unwrap_or(latest);
            });
            assert_eq!(count, due.min(limit));
        }
        Step::RemoveExpired(field, now_ms) => {
            let expired = model.get(&name(field)).is_some_and(|entry| entry.1.is_some_and(|at| now_ms > at));
            assert_eq!(hash.remove_expired(&name(field), now_ms), expired);
            if expired {
                model.remove(&name(field));
            }
        }
        Step::Rehash(rehash) => hash.set_rehash(rehash),
        Step::Duplicate => *hash = hash.duplicate(),
        Step::Repack => repack(hash, rules),
    }
}

/// Sends a packed hash through its bytes, as a file does.
fn repack(hash: &mut Hash, rules: &Rules) {
    let Some((packing, bytes)) = hash.packed().map(|(packing, bytes)| (packing, bytes.to_vec())) else {
        return;
    };
    *hash = Hash::load_packed(packing, bytes, Depth::Deep, rules).expect("our own bytes");
}

fn compare(hash: &Hash, model: &Model, now_ms: i64) {
    hash.check();
    let view = hash.view();
    assert_eq!(
        (view.len(), view.is_empty(), hash.is_empty()),
        (model.len(), model.is_empty(), model.is_empty())
    );
    assert_eq!(Hash::next_expiry_ms(view), model.values().filter_map(|entry| entry.1).min());
    let is_alive = |expire_at_ms: Option<i64>| expire_at_ms.is_none_or(|at| now_ms <= at);
    for (field, (value, expire_at_ms)) in model {
        let found = view.find(field, now_ms);
        assert_eq!(found.is_some(), is_alive(*expire_at_ms));
        if let Some(found) = found {
            assert!(found.field.equals(field) && found.value.to_vec() == *value);
            assert_eq!(found.expire_at_ms, *expire_at_ms);
        }
    }
    let alive: BTreeSet<_> =
        model.iter().filter(|(_, entry)| is_alive(entry.1)).map(|(name, _)| name.clone()).collect();
    let mut seen = Vec::new();
    view.for_each(now_ms, &mut |stored| seen.push(stored.field.to_vec()));
    assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (alive.len(), alive.clone()));
    let (mut scanned, mut cursor) = (BTreeSet::new(), 0);
    loop {
        cursor = view.scan(cursor, 3, now_ms, &mut |stored| {
            scanned.insert(stored.field.to_vec());
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, alive);
    compare_random(view, &alive, now_ms);
}

fn compare_random(view: HashView<'_>, alive: &BTreeSet<Vec<u8>>, now_ms: i64) {
    let mut rng = fastrand::Rng::with_seed(now_ms.unsigned_abs());
    assert_eq!(view.random(now_ms, &mut rng).is_some(), !alive.is_empty());
    for count in [0, 1, 5, alive.len(), alive.len() + 7] {
        let found = view.random_distinct(count, now_ms, &mut rng);
        let names: BTreeSet<_> = found.iter().map(|found| found.field.to_vec()).collect();
        assert_eq!((found.len(), names.len()), (count.min(alive.len()), count.min(alive.len())));
        assert!(names.is_subset(alive));
        let mut repeated = 0;
        view.random_with_repetition(count, now_ms, &mut rng, &mut |found| {
            repeated += 1;
            assert!(alive.contains(&found.field.to_vec()));
        });
        assert_eq!(repeated, if alive.is_empty() { 0 } else { count });
    }
}

fn rules(entries: usize, value: usize) -> Rules {
    Rules { hash_max_listpack_entries: entries, hash_max_listpack_value: value, ..Rules::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_hash_is_a_map_with_expiries(
        entries in prop_oneof![Just(0_usize), Just(12), Just(512)],
        longest in prop_oneof![Just(16_usize), Just(64)],
        steps in prop::collection::vec(step(), 1..160),
        now_ms in 0..70_i64,
    ) {
        let rules = rules(entries, longest);
        let (mut hash, mut model) = (Hash::create(&rules), Model::new());
        for (number, step) in steps.into_iter().enumerate() {
            apply(&mut hash, &mut model, step, &rules);
            if number.is_multiple_of(13) {
                compare(&hash, &model, now_ms);
            }
        }
        compare(&hash, &model, now_ms);
    }
}

#[test]
fn encodings_change_where_those_of_redis_do() {
    let (rules, mut hash) = (rules(3, 5), Hash::create(&rules(3, 5)));
    let encoding = |hash: &Hash| Hash::encoding(hash.view());
    for field in [b"a", b"b", b"c"] {
        hash.set(field, b"12345", FieldExpiry::None, &rules);
    }
    assert_eq!(encoding(&hash), Encoding::Listpack);
    hash.set_expiry(b"b", Some(7));
    assert_eq!(encoding(&hash), Encoding::ListpackEx);
    assert_eq!(Hash::rdb_version(hash.view()), 12);
    hash.set_expiry(b"b", None);
    assert_eq!((encoding(&hash), Hash::rdb_version(hash.view())), (Encoding::ListpackEx, 10));
    hash.set(b"d", b"", FieldExpiry::None, &rules);
    assert_eq!(encoding(&hash), Encoding::Hashtable);
    (0..3).for_each(|number| assert!(hash.remove(&[b'a' + number])));
    assert_eq!(encoding(&hash), Encoding::Hashtable);

    let mut shrunk = Hash::create(&rules);
    [b"a", b"b", b"c"].iter().for_each(|field| assert!(shrunk.load(*field, b"", None, &rules)));
    shrunk.set(b"a", b"", FieldExpiry::Keep, &Rules { hash_max_listpack_entries: 2, ..rules });
    assert_eq!(encoding(&shrunk), Encoding::Hashtable);

    let mut long = Hash::create(&rules);
    long.set(b"field!", b"", FieldExpiry::None, &rules);
    assert_eq!(encoding(&long), Encoding::Hashtable);
    let mut prepared = Hash::create(&rules);
    prepared.prepare([&b"12345"[..]; 12].iter().copied(), &rules);
    assert_eq!(encoding(&prepared), Encoding::Listpack);
    prepared.prepare([&b"a"[..], b"", b"b", b"", b"c", b"", b"d", b""].iter().copied(), &rules);
    assert_eq!(encoding(&prepared), Encoding::Hashtable);
    let mut prepared = Hash::create(&rules);
    prepared.prepare([&b"a"[..], b"123456"].iter().copied(), &rules);
    assert_eq!(encoding(&prepared), Encoding::Hashtable);
}

#[test]
fn triples_are_in_the_order_of_their_expiries() {
    let rules = Rules::default();
    let mut hash = Hash::create(&rules);
    for (field, expiry) in [("a", None), ("b", Some(30)), ("c", Some(10)), ("d", Some(30)), ("e", Some(20))] {
        hash.load(field.as_bytes(), field.as_bytes(), expiry, &rules);
    }
    let order = |hash: &Hash| {
        let mut names = String::new();
        hash.view()
            .for_each_stored(&mut |stored| names.push_str(&String::from_utf8_lossy(&stored.field.to_vec())));
        names
    };
    assert_eq!(order(&hash), "cebda");
    hash.set_expiry(b"b", Some(5));
    hash.set_expiry(b"c", None);
    assert_eq!(order(&hash), "bedac");
    hash.set(b"e", b"new", FieldExpiry::Keep, &rules);
    assert_eq!(order(&hash), "bedac");
    hash.set(b"e", b"new", FieldExpiry::None, &rules);
    assert_eq!(order(&hash), "bdace");
}

#[test]
fn foreign_bytes_are_checked() {
    let triples = |entries: &[&str]| {
        let mut blob = edit::empty();
        entries.iter().for_each(|entry| edit::push(&mut blob, entry.as_bytes()));
        blob
    };
    let load = |packing, entries: &[&str], depth| {
        Hash::load_packed(packing, triples(entries), depth, &rules(2, 64))
            .map(|hash| Hash::encoding(hash.view()))
    };
    let (deep, structure) = (Depth::Deep, Depth::Structure);
    assert_eq!(load(Packing::Hash, &["a", "1", "b", "2"], deep), Ok(Encoding::Listpack));
    assert!(load(Packing::Hash, &["a", "1", "b"], structure).is_err());
    assert!(load(Packing::Hash, &["a", "1", "a", "2"], deep).is_err());
    assert_eq!(load(Packing::Hash, &["a", "1", "a", "2"], structure), Ok(Encoding::Listpack));
    let duplicates = ["a", "1", "b", "2", "a", "3"];
    assert_eq!(load(Packing::Hash, &duplicates, structure), Err(Corrupt("hash: a field stands twice")));
    assert_eq!(load(Packing::Hash, &["a", "1", "b", "2", "c", "3"], structure), Ok(Encoding::Hashtable));
    let table = load(Packing::HashTtl, &["a", "1", "5", "b", "2", "5", "c", "3", "0"], structure);
    assert_eq!(table, Ok(Encoding::Hashtable));
    assert_eq!(load(Packing::HashTtl, &["a", "1", "5", "b", "2", "0"], deep), Ok(Encoding::ListpackEx));
    for expiries in [["x", "0"], ["-1", "0"], ["0", "5"], ["6", "5"], ["5", "281474976710655"]] {
        let entries = ["a", "1", expiries[0], "b", "2", expiries[1]];
        assert!(load(Packing::HashTtl, &entries, structure).is_err(), "{expiries:?}");
    }
    assert!(Hash::load_packed(Packing::Hash, vec![1, 2, 3], structure, &Rules::default()).is_err());
}

#[test]
fn random_fields_are_spread_evenly() {
    let rules = Rules::default();
    for fields in [100_u16, 2000] {
        let mut hash = Hash::create(&rules);
        for number in 0..fields {
            let expiry = if number.is_multiple_of(2) { FieldExpiry::At(5) } else { FieldExpiry::None };
            hash.set(&name(number), b"", expiry, &rules);
        }
        let mut rng = fastrand::Rng::with_seed(3);
        let mut seen = HashSet::new();
        hash.view().random_with_repetition(usize::from(fields) * 4, 6, &mut rng, &mut |found| {
            seen.insert(found.field.to_vec());
        });
        assert!(seen.len() > usize::from(fields) / 2 * 95 / 100, "{} of {fields}", seen.len());
        assert_eq!(hash.view().random_distinct(20, 6, &mut rng).len(), 20);
    }
}

#[test]
fn a_large_hash_takes_little_memory() {
    let rules = Rules::default();
    let mut hash = Hash::create(&rules);
    const FIELDS: usize = 100_000;
    for number in 0..FIELDS {
        hash.set(format!("field:{number}").as_bytes(), b"value:1234", FieldExpiry::None, &rules);
    }
    let per_field = Hash::heap_bytes(hash.view(), 0) / FIELDS;
    assert!(per_field <= 48, "{per_field} bytes");
}
