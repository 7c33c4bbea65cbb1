//! Lists in every encoding against a `VecDeque`.

use super::*;
use crate::encoding::quicklist::{NodeLimit, NodeRoom, NodeView};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::ops::ControlFlow;

type Model = VecDeque<Vec<u8>>;

fn rules(size: i64, depth: usize) -> Rules {
    Rules { list_max_listpack_size: size, list_compress_depth: depth, ..Rules::default() }
}

fn texts(view: ListView<'_>) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    view.for_each(|element| texts.push(element.to_vec()));
    texts
}

fn list_of(model: &Model, rules: &Rules) -> List {
    let mut list = List::create(rules);
    list.push(End::Tail, model.iter().map(Vec::as_slice), rules);
    list
}

#[track_caller]
fn assert_holds(list: &List, model: &Model, rules: &Rules) {
    let view = list.view();
    assert_eq!(texts(view), Vec::from(model.clone()));
    assert_eq!((view.len(), list.is_empty()), (model.len(), model.is_empty()));
    if let List::Packed(blob) = list {
        let packed = Listpack::check(blob).expect("a valid listpack");
        let node = limits(rules).node;
        // Where entries are counted, a list that shrank may be packed at any size in bytes, as in Redis.
        let is_counted = matches!(node, NodeLimit::Entries(most) if packed.len() <= most);
        // What comes is measured by its texts: heads and lengths, of up to 10 bytes each, may go beyond the limit.
        let bytes = blob.len().saturating_sub(10 * packed.len());
        assert!(node.allows(bytes, packed.len()) || is_counted || packed.len() <= 1);
    }
    if let Some(last) = model.len().checked_sub(1) {
        let mut backward = Vec::new();
        let _ = view.visit(last, Direction::Backward, |element| {
            backward.push(element.to_vec());
            ControlFlow::Continue(())
        });
        backward.reverse();
        assert_eq!(backward, Vec::from(model.clone()));
    }
}

/// Written as RDB files have it and loaded again.
fn reloaded(list: &List, rules: &Rules) -> List {
    let mut copy = List::create(rules);
    list.view().for_each_node(&mut NodeRoom::default(), &mut |node| match node {
        NodeView::Packed(blob) => copy.push_listpack(blob.to_vec(), rules),
        NodeView::Plain(text) => copy.push_plain(text.to_vec(), rules),
    });
    copy.finish_load(rules);
    copy
}

#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<Vec<u8>>),
    PushElement(End, i64),
    Pop(End, usize),
    Beside(Side, usize, Vec<u8>),
    Set(usize, Vec<u8>),
    RemoveEqual(usize, usize, Direction),
    Trim(usize, usize),
    Reload,
    Duplicate,
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0i64..6).prop_map(|value| value.to_string().into_bytes()),
        3 => proptest::collection::vec(any::<u8>(), 0..30),
        2 => (0usize..400).prop_map(|length| vec![b'v'; length]),
        1 => prop_oneof![Just(4000usize), Just(8192), Just(9000)].prop_map(|length| vec![b'l'; length]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![Just(End::Head), Just(End::Tail)];
    let texts = proptest::collection::vec(text(), 1..40);
    let direction = prop_oneof![Just(Direction::Forward), Just(Direction::Backward)];
    let side = prop_oneof![Just(Side::Before), Just(Side::After)];
    prop_oneof![
        5 => (end.clone(), texts).prop_map(|(end, texts)| Step::Push(end, texts)),
        1 => (end.clone(), any::<i64>()).prop_map(|(end, value)| Step::PushElement(end, value)),
        3 => (end, 0usize..60).prop_map(|(end, count)| Step::Pop(end, count)),
        2 => (side, any::<usize>(), text()).prop_map(|(side, index, text)| Step::Beside(side, index, text)),
        2 => (any::<usize>(), text()).prop_map(|(index, text)| Step::Set(index, text)),
        2 => (any::<usize>(), 1usize..20, direction)
            .prop_map(|(index, most, direction)| Step::RemoveEqual(index, most, direction)),
        1 => (0usize..30, 0usize..60).prop_map(|(front, kept)| Step::Trim(front, kept)),
        1 => Just(Step::Reload),
        1 => Just(Step::Duplicate),
    ]
}

fn push(model: &mut Model, end: End, text: Vec<u8>) {
    if end == End::Head { model.push_front(text) } else { model.push_back(text) }
}

fn apply(step: &Step, list: &mut List, model: &mut Model, rules: &Rules) {
    match step {
        Step::Push(end, texts) => {
            list.push(*end, texts.iter().map(Vec::as_slice), rules);
            texts.iter().for_each(|text| push(model, *end, text.clone()));
        }
        Step::PushElement(end, value) => {
            list.push_element(*end, Element::Int(*value), rules);
            push(model, *end, value.to_string().into_bytes());
        }
        Step::Pop(end, count) => {
            let mut taken = Vec::new();
            list.pop(*end, *count, rules, |element| taken.push(element.to_vec()));
            let count = (*count).min(model.len());
            let expected: Vec<_> = match end {
                End::Head => model.drain(..count).collect(),
                End::Tail => model.drain(model.len() - count..).rev().collect(),
            };
            assert_eq!(taken, expected);
        }
        Step::Beside(side, index, text) => {
            let pivot = index.checked_rem(model.len()).map_or(b"none".to_vec(), |index| model[index].clone());
            let found = model.iter().position(|other| *other == pivot);
            assert_eq!(list.insert_beside(&pivot, *side, text, rules), found.is_some());
            if let Some(index) = found {
                model.insert(index + usize::from(*side == Side::After), text.clone());
            }
        }
        Step::Set(index, text) => {
            let Some(index) = index.checked_rem(model.len()) else { return };
            assert!(list.set(index, text, rules) && !list.set(model.len(), text, rules));
            model[index] = text.clone();
            assert_eq!(list.view().get(index, |element| element.to_vec()).as_ref(), Some(text));
        }
        Step::RemoveEqual(index, most, direction) => {
            let Some(index) = index.checked_rem(model.len()) else { return };
            let needle = model[index].clone();
            let mut places: Vec<_> = (0..model.len()).filter(|index| model[*index] == needle).collect();
            match direction {
                Direction::Forward => places.truncate(*most),
                Direction::Backward => drop(places.drain(..places.len().saturating_sub(*most))),
            }
            places.iter().rev().for_each(|index| drop(model.remove(*index)));
            assert_eq!(list.remove_equal(&needle, *most, *direction, rules), places.len());
        }
        Step::Trim(front, kept) => {
            list.trim(*front..front + kept, rules);
            model.truncate(front + kept);
            model.drain(..(*front).min(model.len()));
        }
        Step::Reload => *list = reloaded(list, rules),
        Step::Duplicate => *list = list.duplicate(),
    }
}

const DIRECTIVES: &[(i64, usize)] = &[(-2, 0), (-1, 1), (1, 0), (16, 1), (128, 0), (-5, 2)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn behaves_as_a_deque(steps in proptest::collection::vec(step(), 1..30), which in 0..DIRECTIVES.len()) {
        let (size, depth) = DIRECTIVES[which];
        let rules = rules(size, depth);
        let (mut list, mut model) = (List::create(&rules), Model::new());
        for step in &steps {
            apply(step, &mut list, &mut model, &rules);
            assert_holds(&list, &model, &rules);
        }
    }
}

fn encoding(list: &List) -> Encoding {
    List::encoding(list.view())
}

/// The sizes at which Redis 7.2 changes the encoding: the length of the texts that come counts, not what they take.
#[test]
fn encodings_change_where_they_should() {
    let by_count = rules(4, 0);
    let mut list = list_of(&[b"a", b"b", b"c", b"d"].map(|text| text.to_vec()).into(), &by_count);
    assert_eq!(encoding(&list), Encoding::Listpack);
    list.push_back(b"e", &by_count);
    assert_eq!(encoding(&list), Encoding::Quicklist);
    list.pop(End::Tail, 2, &by_count, |_| ());
    assert_eq!(encoding(&list), Encoding::Quicklist, "more than half");
    list.pop(End::Tail, 1, &by_count, |_| ());
    assert_eq!(encoding(&list), Encoding::Listpack, "half");

    let by_bytes = rules(-1, 0);
    let mut list = List::create(&by_bytes);
    list.push_back(&vec![b'x'; 4096 - 7], &by_bytes);
    assert_eq!(encoding(&list), Encoding::Listpack);
    list.push_back(b"", &by_bytes);
    assert_eq!(encoding(&list), Encoding::Quicklist);
    assert!(list.set(0, b"y", &by_bytes));
    assert_eq!((encoding(&list), texts(list.view())), (Encoding::Listpack, vec![b"y".to_vec(), Vec::new()]));
    list.insert_beside(b"absent", Side::After, &[b'x'; 5000], &by_bytes);
    assert_eq!(encoding(&list), Encoding::Quicklist, "room is made before the search");
}

#[test]
fn what_is_loaded_gets_the_encoding_of_the_rules_in_force() {
    let (small, large) = (rules(3, 0), rules(-2, 0));
    let model: Model = (0..100).map(|value| format!("element {value}").into_bytes()).collect();
    let quick = list_of(&model, &small);
    assert!(quick.view().node_count() > 30 && quick.packed().is_none());
    let joined = reloaded(&quick, &large);
    assert_eq!((encoding(&joined), joined.view().node_count()), (Encoding::Quicklist, 2), "as in Redis");
    assert_holds(&reloaded(&quick, &large), &model, &large);
    let packed = list_of(&model, &large);
    assert_eq!(encoding(&reloaded(&packed, &large)), Encoding::Listpack);
    let (packing, bytes) = packed.into_packed().ok().expect("it is packed");
    let load = |bytes, rules: &Rules| List::load_packed(packing, bytes, Depth::Deep, rules);
    let loaded = load(bytes.clone(), &small).expect("it is valid");
    assert_eq!(encoding(&loaded), Encoding::Quicklist);
    assert_holds(&loaded, &model, &small);
    assert!(load(bytes[1..].to_vec(), &small).is_err());
    assert!(List::heap_bytes(List::view_packed(packing, &bytes), 0) >= bytes.len());
}

#[test]
fn indexes_count_from_both_ends() {
    for rules in [rules(-2, 0), rules(1, 0)] {
        let list = list_of(&[b"a", b"b", b"c"].map(|text| text.to_vec()).into(), &rules);
        let index_of = |index| list.view().index_of(index);
        assert_eq!((index_of(0), index_of(2), index_of(3)), (Some(0), Some(2), None));
        assert_eq!((index_of(-1), index_of(-3), index_of(-4)), (Some(2), Some(0), None));
        assert_eq!((index_of(i64::MAX), index_of(i64::MIN)), (None, None));
        assert_eq!(list.drop_cost() > 1, rules.list_max_listpack_size == 1);
    }
}
