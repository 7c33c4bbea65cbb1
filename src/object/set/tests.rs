//! Every encoding and threshold against a `BTreeSet`.

use super::*;
use crate::encoding::listpack::Element;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

type Model = BTreeSet<Vec<u8>>;

/// Thresholds so low that every encoding is left soon.
fn rules() -> Rules {
    Rules {
        set_max_intset_entries: 6,
        set_max_listpack_entries: 8,
        set_max_listpack_value: 10,
        ..Rules::default()
    }
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (-12..12_i64).prop_map(|value| value.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        4 => (0..12_u32).prop_map(|number| format!("m{number}").into_bytes()),
        1 => prop::sample::select(vec![&b""[..], b"01", b"-0", b"+1", b"a long member beyond the threshold"])
            .prop_map(<[u8]>::to_vec),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<Vec<u8>>),
    Remove(Vec<Vec<u8>>),
    Pack,
    Duplicate,
    Pause,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(member(), 1..4).prop_map(Step::Add),
        1 => prop::collection::vec(member(), 1..24).prop_map(Step::Add),
        4 => prop::collection::vec(member(), 1..6).prop_map(Step::Remove),
        1 => Just(Step::Pack),
        1 => Just(Step::Duplicate),
        1 => Just(Step::Pause),
    ]
}

fn set_of<'m>(members: impl IntoIterator<Item = &'m Vec<u8>>, rules: &Rules) -> Set {
    let mut set = Set::create(rules);
    members.into_iter().for_each(|member| _ = set.add(member, rules));
    set
}

fn texts(set: SetView<'_>) -> Model {
    set.iter().map(Element::to_vec).collect()
}

fn apply(set: &mut Set, model: &mut Model, step: Step, rules: &Rules) {
    match step {
        Step::Add(members) => {
            let added = members.iter().filter(|member| model.insert(member.to_vec())).count();
            set.expect(&members[0], members.len(), rules);
            assert_eq!(set.add_all(members.iter().map(Vec::as_slice), rules), added);
        }
        Step::Remove(members) => {
            let removed = members.iter().filter(|member| model.remove(*member)).count();
            assert_eq!(set.remove_all(members.iter().map(Vec::as_slice)), removed);
        }
        Step::Pack => {
            let owned = std::mem::replace(set, Set::create(rules));
            *set = match owned.into_packed() {
                Ok((packing, bytes)) => {
                    assert_eq!(texts(Set::view_packed(packing, &bytes)), *model);
                    let loaded = Set::load_packed(packing, bytes.clone(), Depth::Deep, rules);
                    assert_eq!(texts(loaded.unwrap_or_else(|error| panic!("{}", error.0)).view()), *model);
                    Set::from_packed(packing, bytes)
                }
                Err(owned) => owned,
            };
        }
        Step::Duplicate => *set = set.duplicate(),
        Step::Pause => {
            set.set_rehash(Rehash::Paused);
            set.add(b"while paused", rules);
            model.insert(b"while paused".to_vec());
            set.set_rehash(Rehash::Allowed);
        }
    }
}

fn compare(set: &Set, model: &Model) {
    set.check();
    let view = set.view();
    assert_eq!((view.len(), set.is_empty(), texts(view)), (model.len(), model.is_empty(), model.clone()));
    let mut scanned = Model::new();
    let mut cursor = 0;
    loop {
        cursor = view.scan(cursor, 3, &mut |member| _ = scanned.insert(member.to_vec()));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, *model);
    let asked: Vec<&[u8]> = model.iter().map(Vec::as_slice).chain([&b"absent"[..], b"77", b"m77"]).collect();
    let mut found = 0;
    view.contains_each(asked.iter().copied(), &mut |is_member| found += usize::from(is_member));
    assert_eq!(found, model.len());
    assert!(asked.iter().all(|member| view.contains(member) == model.contains(*member)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn behaves_like_a_set(steps in prop::collection::vec(step(), 1..30)) {
        let (rules, mut model) = (rules(), Model::new());
        let mut set = Set::create(&rules);
        for step in steps {
            let before = set.view().len().max(1);
            let encoding = Set::encoding(set.view());
            apply(&mut set, &mut model, step, &rules);
            compare(&set, &model);
            let is_back = Set::encoding(set.view()) != Encoding::Hashtable && encoding == Encoding::Hashtable;
            prop_assert!(!is_back || before == 1, "an encoding was gone back to");
        }
    }

    #[test]
    fn algebra_is_that_of_sets(all in prop::collection::vec(prop::collection::vec(member(), 0..40), 1..6)) {
        let rules = rules();
        let models: Vec<Model> = all.iter().map(|members| members.iter().cloned().collect()).collect();
        let sets: Vec<Set> = all.iter().map(|members| set_of(members, &rules)).collect();
        let views: Vec<SetView<'_>> = sets.iter().map(Set::view).collect();
        let (first, others) = (&models[0], &models[1..]);
        let in_all = |member: &&Vec<u8>| others.iter().all(|set| set.contains(*member));
        let in_none = |member: &&Vec<u8>| !others.iter().any(|set| set.contains(*member));
        let common: Model = first.iter().filter(in_all).cloned().collect();
        let rest: Model = first.iter().filter(in_none).cloned().collect();
        let together: Model = models.iter().flatten().cloned().collect();
        let mut found = Vec::new();
        intersection(&views, &mut |member| { found.push(member); ControlFlow::Continue(()) });
        prop_assert_eq!(texts(Set::of_distinct(&found, &rules).view()), common.clone());
        prop_assert_eq!(found.len(), common.len());
        found.clear();
        difference(views[0], &views[1..], &rules, &mut |member| {
            found.push(member);
            ControlFlow::Continue(())
        });
        let stored = Set::of_distinct(&found, &rules);
        stored.check();
        prop_assert_eq!((found.len(), texts(stored.view())), (rest.len(), rest.clone()));
        let union = union(&views, &rules);
        union.check();
        prop_assert_eq!(texts(union.view()), together.clone());
        for limit in [1, 3, together.len().max(1), usize::MAX] {
            prop_assert_eq!(union_len(&views, limit, &rules), together.len().min(limit));
        }
    }

    #[test]
    fn random_choices_are_members(
        members in prop::collection::vec(member(), 1..60), count in 0..80usize, seed: u64
    ) {
        let (rules, mut rng) = (rules(), fastrand::Rng::with_seed(seed));
        let set = set_of(&members, &rules);
        let model: Model = members.into_iter().collect();
        let chosen: Vec<Vec<u8>> =
            set.view().random_distinct(&mut rng, count).into_iter().map(Element::to_vec).collect();
        prop_assert_eq!(chosen.len(), count.min(model.len()));
        let distinct: Model = chosen.iter().cloned().collect();
        prop_assert!(distinct.len() == chosen.len() && distinct.is_subset(&model));
        let mut drawn = 0;
        set.view().random_repeated(&mut rng, count, &mut |member| {
            assert!(model.contains(&member.to_vec()));
            drawn += 1;
        });
        prop_assert_eq!(drawn, count);
        prop_assert!(model.contains(&set.view().random(&mut rng).unwrap().to_vec()));
    }

    #[test]
    fn foreign_blobs_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for packing in [Packing::Intset, Packing::Set, Packing::Hash] {
            for depth in [Depth::Structure, Depth::Deep] {
                if let Ok(set) = Set::load_packed(packing, bytes.clone(), depth, &rules()) {
                    let _ = texts(set.view());
                }
            }
        }
    }
}

fn encoding_after(members: &[&str], rules: &Rules) -> Encoding {
    let mut set = Set::create(rules);
    set.expect(members[0].as_bytes(), members.len(), rules);
    set.add_all(members.iter().map(|member| member.as_bytes()), rules);
    set.check();
    Set::encoding(set.view())
}

#[test]
fn thresholds_are_where_redis_has_them() {
    let rules = rules();
    let numbers: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let words: Vec<String> = (0..40).map(|number| format!("w{number}")).collect();
    let one_by_one = |members: Vec<&str>| {
        let mut set = Set::create(&rules);
        for member in members {
            set.expect(member.as_bytes(), 1, &rules);
            set.add(member.as_bytes(), &rules);
        }
        set.check();
        Set::encoding(set.view())
    };
    let number = |count: usize| numbers.iter().take(count).map(String::as_str);
    let word = |count: usize| words.iter().take(count).map(String::as_str);
    assert_eq!(one_by_one(number(6).collect()), Encoding::Intset);
    assert_eq!(one_by_one(number(7).collect()), Encoding::Hashtable);
    assert_eq!(one_by_one(word(8).collect()), Encoding::Listpack);
    assert_eq!(one_by_one(word(9).collect()), Encoding::Hashtable);
    assert_eq!(one_by_one(number(6).chain(word(2)).collect()), Encoding::Listpack);
    assert_eq!(one_by_one(word(1).chain(number(7)).collect()), Encoding::Listpack);
    assert_eq!(one_by_one(word(1).chain(number(8)).collect()), Encoding::Hashtable);
    assert_eq!(one_by_one(vec!["0123456789"]), Encoding::Listpack);
    assert_eq!(one_by_one(vec!["0123456789a"]), Encoding::Hashtable);
    assert_eq!(
        one_by_one(vec!["12345678901", "x"]),
        Encoding::Hashtable,
        "the integer is too long for a listpack"
    );
    // What is expected counts before anything is looked at.
    assert_eq!(encoding_after(&["1"; 7], &rules), Encoding::Listpack);
    assert_eq!(encoding_after(&["1"; 9], &rules), Encoding::Hashtable);
    assert_eq!(encoding_after(&["a"; 9], &rules), Encoding::Hashtable);
    let none = Rules { set_max_intset_entries: 0, ..rules };
    assert_eq!(encoding_after(&["1"], &none), Encoding::Listpack);
}

#[test]
fn loading_converts_and_finds_what_is_wrong() {
    let rules = rules();
    let blob = |members: &[&str]| {
        let mut blob = crate::encoding::listpack::edit::empty();
        members.iter().for_each(|member| crate::encoding::listpack::edit::push(&mut blob, member.as_bytes()));
        blob
    };
    let load = |packing, bytes, depth| Set::load_packed(packing, bytes, depth, &rules);
    let nine = blob(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    let loaded = load(Packing::Set, nine, Depth::Structure).ok().unwrap();
    assert_eq!((Set::encoding(loaded.view()), loaded.view().len()), (Encoding::Hashtable, 9));
    let twice = blob(&["a", "b", "a"]);
    assert!(load(Packing::Set, twice.clone(), Depth::Structure).is_ok());
    assert_eq!(
        load(Packing::Set, twice, Depth::Deep).err(),
        Some(Corrupt("set: a member that is there twice"))
    );
    let seven = intset::of_ascending(&[1, 2, 3, 4, 5, 6, 7]);
    let loaded = load(Packing::Intset, seven, Depth::Deep).ok().unwrap();
    assert_eq!((Set::encoding(loaded.view()), loaded.view().len()), (Encoding::Hashtable, 7));
    assert!(load(Packing::Hash, blob(&["a"]), Depth::Deep).is_err());
}

#[test]
fn random_members_are_equally_likely() {
    let rules = rules();
    let mut rng = fastrand::Rng::with_seed(3);
    for count in [5_usize, 8, 60] {
        let members: Vec<Vec<u8>> = (0..count).map(|number| format!("m{number:02}").into_bytes()).collect();
        let set = set_of(&members, &rules);
        let mut hits = vec![0_u32; count];
        let mut hit = |member: Element<'_>| {
            let text = String::from_utf8(member.to_vec()).unwrap();
            hits[text[1..].parse::<usize>().unwrap()] += 1;
        };
        (0..count * 40).for_each(|_| hit(set.view().random(&mut rng).unwrap()));
        set.view().random_repeated(&mut rng, count * 40, &mut hit);
        for _ in 0..count * 20 {
            set.view().random_distinct(&mut rng, 2).into_iter().for_each(&mut hit);
        }
        let (least, most) = (hits.iter().min().unwrap(), hits.iter().max().unwrap());
        assert!(*least > 80 && *most < 165, "{count}: {least}..{most} hits where 120 are expected");
    }
}

#[test]
fn a_large_set_takes_little_memory() {
    let rules = Rules::default();
    let members: Vec<Vec<u8>> = (0..5000).map(|number| format!("member:{number:06}").into_bytes()).collect();
    let set = set_of(&members, &rules);
    let bytes = Set::heap_bytes(set.view(), 0);
    assert!(bytes < 29 * members.len(), "{} bytes for each", bytes as f64 / members.len() as f64);
    assert_eq!(Set::heap_bytes(set.view(), 5), bytes, "all members are equally long");
    assert!(set.drop_cost() > 5000);
}
