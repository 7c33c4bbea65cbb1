//! Every encoding, with thresholds that make it change, against a map.

use super::*;
use crate::encoding::listpack::Element;
use crate::object::Loaded;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

type Model = BTreeMap<Vec<u8>, f64>;

fn rules(entries: usize, value: usize) -> Rules {
    Rules { zset_max_listpack_entries: entries, zset_max_listpack_value: value, ..Rules::default() }
}

fn in_order(model: &Model) -> Vec<(Vec<u8>, f64)> {
    let mut pairs: Vec<_> = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
    pairs.sort_by(|left, right| {
        left.1.partial_cmp(&right.1).expect("no NaN").then_with(|| left.0.cmp(&right.0))
    });
    pairs
}

fn owned((member, score): (Element<'_>, f64)) -> (Vec<u8>, f64) {
    (member.to_vec(), score)
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<u8>, f64),
    Raise(Vec<u8>, f64),
    Remove(Vec<u8>),
    RemoveRanks(usize, usize),
    Repack,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        5 => (0..40_i64).prop_map(|number| number.to_string().into_bytes()),
        3 => "[a-c]{0,3}".prop_map(String::into_bytes),
        1 => (0..4_u8).prop_map(|byte| vec![byte; 30]),
        1 => Just(b"-9223372036854775808".to_vec()),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        5 => (-3..9).prop_map(f64::from),
        2 => -2.0..2.0_f64,
        1 => prop_oneof![
            Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e300), Just(4611686018427387904.0),
            Just(9.3e18), Just(5e-324),
        ],
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (member(), score()).prop_map(|(member, score)| Step::Add(member, score)),
        2 => (member(), score()).prop_map(|(member, score)| Step::Raise(member, score)),
        4 => member().prop_map(Step::Remove),
        1 => (0..20_usize, 0..6_usize).prop_map(|(start, count)| Step::RemoveRanks(start, count)),
        1 => Just(Step::Repack),
    ]
}

fn apply(zset: &mut Zset, model: &mut Model, step: &Step, rules: &Rules) {
    match step {
        Step::Add(member, score) => {
            let expected = match model.get(member) {
                None => Put::Added,
                Some(old) if old == score => Put::Same,
                Some(_) => Put::Changed,
            };
            assert_eq!(zset.add(member, *score, rules), expected);
            model.insert(member.clone(), *score);
        }
        Step::Raise(member, score) => {
            let is_higher = model.get(member).is_some_and(|old| score > old);
            let put = zset.put(member, rules, |old| old.filter(|old| score > old).map(|_| *score));
            assert_eq!(put, if is_higher { Put::Changed } else { Put::Declined });
            if is_higher {
                model.insert(member.clone(), *score);
            }
        }
        Step::Remove(member) => assert_eq!(zset.remove(member), model.remove(member)),
        Step::RemoveRanks(start, count) => {
            let gone: Vec<_> = in_order(model).into_iter().skip(*start).take(*count).collect();
            assert_eq!(zset.remove_ranks(*start..start + count), gone.len());
            gone.iter().for_each(|(member, _)| {
                model.remove(member);
            });
        }
        Step::Repack => repack(zset, rules),
    }
}

/// Sends the value through what a key's entry, COPY and a file do to it.
fn repack(zset: &mut Zset, rules: &Rules) {
    let copy = zset.duplicate();
    *zset = match copy.into_packed() {
        Ok((packing, bytes)) => {
            let loaded = Zset::load_packed(packing, bytes, Depth::Deep, rules);
            let (packing, bytes) =
                loaded.expect("our own").into_packed().unwrap_or_else(|_| panic!("packed"));
            Zset::from_packed(packing, bytes)
        }
        Err(table) => table,
    };
}

fn agree(zset: &Zset, model: &Model, range: ScoreRange) {
    zset.check();
    let (view, expected) = (zset.view(), in_order(model));
    assert_eq!(view.len(), expected.len());
    assert_eq!(view.iter().map(owned).collect::<Vec<_>>(), expected);
    let mut backwards: Vec<_> = view.entries_of(0..expected.len(), Order::Descending).map(owned).collect();
    backwards.reverse();
    assert_eq!(backwards, expected);
    for (rank, (member, score)) in expected.iter().enumerate() {
        assert_eq!((view.score(member), view.rank(member)), (Some(*score), Some((rank, *score))));
        assert_eq!(view.at(rank).map(owned), Some((member.clone(), *score)));
    }
    let inside = |score: f64| range.reaches_min(score) && range.keeps_max(score);
    let ranks = view.ranks_by_score(range);
    let found: Vec<_> = view.entries_of(ranks, Order::Ascending).map(owned).collect();
    assert_eq!(found, expected.iter().filter(|pair| inside(pair.1)).cloned().collect::<Vec<_>>());
    let (mut cursor, mut seen) = (0, Model::new());
    loop {
        cursor = view.scan(cursor, 3, &mut |member, score| {
            seen.insert(member.to_vec(), packed::score_of(score));
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(&seen, model);
}

fn bound() -> impl Strategy<Value = ScoreBound> {
    prop_oneof![score().prop_map(ScoreBound::Inclusive), score().prop_map(ScoreBound::Exclusive)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_encoding_is_a_map_in_order(
        entries in prop_oneof![Just(0_usize), Just(4), Just(20), Just(1000)],
        value in prop_oneof![Just(2_usize), Just(64)],
        steps in proptest::collection::vec(step(), 0..120),
        (min, max) in (bound(), bound()),
    ) {
        let rules = rules(entries, value);
        let (mut zset, mut model) = (Zset::create(&rules), Model::new());
        for step in &steps {
            apply(&mut zset, &mut model, step, &rules);
        }
        agree(&zset, &model, ScoreRange { min, max });
    }

    #[test]
    fn ranges_of_members(
        entries in prop_oneof![Just(0_usize), Just(1000)],
        members in proptest::collection::btree_set(member(), 0..60),
        (low, high) in (member(), member()),
    ) {
        let rules = rules(entries, 64);
        let mut zset = Zset::create(&rules);
        for member in &members {
            zset.add(member, 0.0, &rules);
        }
        use LexBound::{Exclusive, Highest, Inclusive, Lowest};
        let starts = [Lowest, Inclusive(&low), Exclusive(&low), Highest];
        let ends = [Lowest, Inclusive(&high), Exclusive(&high), Highest];
        for (min, max) in starts.iter().flat_map(|min| ends.iter().map(move |max| (*min, *max))) {
            let range = LexRange { min, max };
            let inside = |member: &Vec<u8>| {
                let element = Element::Bytes(member);
                !range.is_void() && range.reaches_min(element) && range.keeps_max(element)
            };
            let expected: Vec<_> = members.iter().filter(|member| inside(member)).cloned().collect();
            for order in [Order::Ascending, Order::Descending] {
                let ranks = zset.view().ranks_by_lex(range, order);
                let found = zset.view().entries_of(ranks, Order::Ascending);
                let found: Vec<_> = found.map(|(member, _)| member.to_vec()).collect();
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn a_builder_makes_what_additions_make(
        entries in prop_oneof![Just(0_usize), Just(10), Just(1000)],
        pairs in proptest::collection::btree_map(member(), score(), 0..60),
        order in 0..3,
    ) {
        let rules = rules(entries, 25);
        let mut sorted = in_order(&pairs);
        match order {
            0 => sorted.reverse(),
            1 => fastrand::Rng::with_seed(1).shuffle(&mut sorted),
            _ => {}
        }
        let (mut builder, mut added) = (ZsetBuilder::new(&rules), Zset::create(&rules));
        let mut loader = ZsetLoader::new(sorted.len() as u64, sorted.len(), &rules);
        for (number, (member, score)) in sorted.iter().enumerate() {
            prop_assert_eq!(builder.put(member, |_| Some(*score)), Put::Added);
            added.add(member, *score, &rules);
            prop_assert!(matches!(loader.push(member, *score), Ok(Loaded::Pushed | Loaded::Settled)));
            if number % 7 == 6 {
                prop_assert_eq!(loader.settle(), Ok(()));
            }
        }
        prop_assert!(loader.push(b"new", f64::NAN).is_err());
        prop_assert_eq!(loader.settle(), Ok(()));
        for made in [builder.finish(&rules), loader.finish(&rules)] {
            agree(&made, &pairs, ScoreRange::ALL);
            prop_assert_eq!(Zset::encoding(made.view()), Zset::encoding(added.view()));
        }
    }

    #[test]
    fn a_hostile_blob_is_refused_or_harmless(
        texts in proptest::collection::vec(
            prop_oneof![member(), Just(b"nan".to_vec()), Just(b"1.5".to_vec())],
            0..12,
        ),
        flips in proptest::collection::vec((0..200_usize, any::<u8>()), 0..2),
    ) {
        let mut blob = edit::empty();
        texts.iter().for_each(|text| edit::push(&mut blob, text));
        for (at, byte) in flips {
            let place = at % blob.len();
            blob[place] = byte;
        }
        for (entries, depth) in [(3, Depth::Structure), (1000, Depth::Structure), (3, Depth::Deep)] {
            let rules = rules(entries, 64);
            let loaded = Zset::load_packed(Packing::Zset, blob.clone(), depth, &rules);
            let Ok(mut zset) = loaded else { continue };
            let view = zset.view();
            let _ = (view.iter().count(), view.ranks_by_score(ScoreRange::ALL), view.rank(b"a"));
            zset.add(b"more", 3.0, &rules);
            zset.remove(b"a");
            zset.remove_ranks(1..3);
            if depth == Depth::Deep {
                zset.check();
            }
        }
    }
}

#[test]
fn the_packed_form_is_that_of_files() {
    let rules = Rules::default();
    let mut zset = Zset::create(&rules);
    for (member, score) in [("b", 2.0), ("a", -0.0), ("c", 0.1), ("d", 5e18), ("7", 2.0)] {
        zset.add(member.as_bytes(), score, &rules);
    }
    let (_, blob) = zset.packed().expect("small");
    let texts: Vec<_> = Listpack::trusted(blob).iter().map(|element| element.to_vec()).collect();
    let texts: Vec<_> = texts.iter().map(|text| std::str::from_utf8(text).unwrap()).collect();
    assert_eq!(texts, ["a", "0", "c", "0.10000000000000001", "7", "2", "b", "2", "d", "5e+18"]);
}

#[test]
fn thresholds_are_those_of_the_rules() {
    let rules = rules(3, 5);
    let encoding = |zset: &Zset| Zset::encoding(zset.view());
    let mut zset = Zset::create(&rules);
    for number in 0..3 {
        zset.add(&[number], 1.0, &rules);
    }
    assert_eq!(encoding(&zset), Encoding::Listpack);
    zset.add(&[1], 9.0, &rules);
    assert_eq!(encoding(&zset), Encoding::Listpack);
    zset.add(b"x", 1.0, &rules);
    assert_eq!(encoding(&zset), Encoding::Skiplist);
    zset.remove_ranks(0..3);
    assert_eq!((zset.view().len(), encoding(&zset)), (1, Encoding::Skiplist));
    let mut zset = Zset::create(&rules);
    zset.add(b"12345", 1.0, &rules);
    assert_eq!(encoding(&zset), Encoding::Listpack);
    zset.add(b"123456", 1.0, &rules);
    assert_eq!(encoding(&zset), Encoding::Skiplist);
}

#[test]
fn what_is_loaded_is_checked() {
    let load = |texts: &[&str], depth| {
        let mut blob = edit::empty();
        texts.iter().for_each(|text| edit::push(&mut blob, text.as_bytes()));
        Zset::load_packed(Packing::Zset, blob, depth, &rules(3, 64)).map(|zset| zset.view().len())
    };
    assert_eq!(load(&["a", "1", "b", "1"], Depth::Deep), Ok(2));
    for (texts, error) in [
        (&["a", "1", "b"][..], "sorted set: a member without a score"),
        (&["a", "x"], "sorted set: a score that is not a number"),
        (&["a", "nan"], "sorted set: a score that is not a number"),
    ] {
        assert_eq!(load(texts, Depth::Structure), Err(Corrupt(error)));
    }
    for (texts, error) in [
        (&["b", "1", "a", "1"][..], "sorted set: members out of order"),
        (&["a", "1", "a", "1"], "sorted set: members out of order"),
        (&["a", "1", "a", "2"], "sorted set: a member that stands twice"),
    ] {
        assert_eq!(load(texts, Depth::Structure), Ok(2));
        assert_eq!(load(texts, Depth::Deep), Err(Corrupt(error)));
    }
    assert_eq!(load(&["a", "1", "a", "2", "c", "0", "b", "3"], Depth::Structure), Ok(3));
}

#[test]
fn samples_are_distinct_and_everybody_is_chosen() {
    let mut rng = fastrand::Rng::with_seed(3);
    for entries in [0, 1000] {
        let rules = rules(entries, 64);
        let mut zset = Zset::create(&rules);
        for number in 0..50_u8 {
            zset.add(&[number], f64::from(number), &rules);
        }
        for count in [1, 5, 30, 50] {
            let chosen = zset.view().sample_distinct(count, &mut rng);
            let members: HashSet<_> = chosen.iter().map(|pair| pair.0.to_vec()).collect();
            assert_eq!((chosen.len(), members.len()), (count, count));
            assert!(chosen.iter().all(|(member, score)| zset.view().score(&member.to_vec()) == Some(*score)));
        }
        let seen: HashSet<_> =
            (0..2000).filter_map(|_| zset.view().sample(&mut rng)).map(|pair| pair.0.to_vec()).collect();
        assert_eq!(seen.len(), 50);
    }
    assert!(Zset::create(&Rules::default()).view().sample(&mut rng).is_none());
}
