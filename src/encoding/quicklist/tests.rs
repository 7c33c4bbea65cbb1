//! Quicklists against a `VecDeque`, under several limits and compress depths.

use super::*;
use crate::encoding::listpack::{Needle, edit as packed};
use proptest::prelude::*;

type Model = VecDeque<Vec<u8>>;

impl Quicklist {
    /// That it is whole, and keeps the limits.
    #[track_caller]
    fn check_within(&self, limits: Limits) {
        self.check();
        for (place, node) in self.nodes.iter().enumerate() {
            let mut sealed = node.clone();
            sealed.seal();
            assert!(!sealed.is_beyond(limits.node) || node.count() == 1, "node {place} is too large");
            let is_near = place.min(self.nodes.len() - 1 - place) < limits.compress_depth;
            assert!(!(is_near && node.is_squeezed()), "node {place} is compressed");
        }
    }

    fn texts(&self, index: usize, direction: Direction) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        let _ = self.visit(index, direction, &mut |element| {
            texts.push(element.to_vec());
            ControlFlow::Continue(())
        });
        texts
    }
}

#[track_caller]
fn assert_holds(list: &Quicklist, model: &Model, limits: Limits) {
    list.check_within(limits);
    assert_eq!(list.len(), model.len());
    assert_eq!(list.texts(0, Direction::Forward), Vec::from(model.clone()));
    if let Some(last) = model.len().checked_sub(1) {
        let mut backward = list.texts(last, Direction::Backward);
        backward.reverse();
        assert_eq!(backward, Vec::from(model.clone()));
    }
}

fn text_of(element: Element<'_>) -> Vec<u8> {
    element.to_vec()
}

fn limits(node: i64, compress_depth: usize) -> Limits {
    Limits { node: NodeLimit::from_directive(node), compress_depth, plain_bytes_min: usize::MAX }
}

#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<u8>, usize),
    Pop(End, usize),
    Insert(usize, Vec<u8>),
    Beside(Side, usize, Vec<u8>),
    Set(usize, Vec<u8>),
    RemoveEqual(usize, usize, Direction),
    Trim(usize, usize),
    Walk(usize, Direction),
    Reload,
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0i64..8).prop_map(|value| value.to_string().into_bytes()),
        2 => any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        2 => (100_000i64..100_010).prop_map(|value| value.to_string().into_bytes()),
        2 => (0u8..9).prop_map(|digit| format!("id:{digit}").into_bytes()),
        2 => proptest::collection::vec(any::<u8>(), 0..40),
        2 => (0usize..300).prop_map(|length| vec![b'v'; length]),
        1 => Just(vec![b'w'; 3000]),
        1 => Just(vec![b'l'; 9000]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![Just(End::Head), Just(End::Tail)];
    let direction = prop_oneof![Just(Direction::Forward), Just(Direction::Backward)];
    let side = prop_oneof![Just(Side::Before), Just(Side::After)];
    prop_oneof![
        6 => (end.clone(), text(), 1usize..200).prop_map(|(end, text, times)| Step::Push(end, text, times)),
        2 => (end, 1usize..150).prop_map(|(end, times)| Step::Pop(end, times)),
        2 => (any::<usize>(), text()).prop_map(|(index, text)| Step::Insert(index, text)),
        2 => (side, any::<usize>(), text()).prop_map(|(side, index, text)| Step::Beside(side, index, text)),
        2 => (any::<usize>(), text()).prop_map(|(index, text)| Step::Set(index, text)),
        2 => (any::<usize>(), 1usize..30, direction.clone())
            .prop_map(|(index, most, direction)| Step::RemoveEqual(index, most, direction)),
        1 => (0usize..50, 0usize..50).prop_map(|(front, back)| Step::Trim(front, back)),
        1 => (any::<usize>(), direction).prop_map(|(index, direction)| Step::Walk(index, direction)),
        1 => Just(Step::Reload),
    ]
}

fn apply(step: &Step, list: &mut Quicklist, model: &mut Model, limits: Limits) {
    match step {
        Step::Push(end, text, times) => {
            for _ in 0..if text.len() > 1000 { 1 } else { *times } {
                list.push(*end, text, limits);
                if *end == End::Head { model.push_front(text.clone()) } else { model.push_back(text.clone()) }
            }
        }
        Step::Pop(end, times) => {
            for _ in 0..*times {
                let expected = if *end == End::Head { model.pop_front() } else { model.pop_back() };
                assert_eq!(list.pop(*end, limits, text_of), expected);
            }
        }
        Step::Insert(index, text) => {
            let index = index % (model.len() + 1);
            list.insert(index, text, limits);
            model.insert(index, text.clone());
        }
        Step::Beside(side, index, text) => {
            let pivot = index.checked_rem(model.len()).map_or(b"none".to_vec(), |index| model[index].clone());
            let found = model.iter().position(|other| *other == pivot);
            assert_eq!(list.insert_beside(&Needle::new(&pivot), *side, text, limits), found.is_some());
            if let Some(index) = found {
                model.insert(index + usize::from(*side == Side::After), text.clone());
            }
        }
        Step::Set(index, text) => {
            let Some(index) = index.checked_rem(model.len()) else { return };
            assert!(list.set(index, text, limits));
            model[index] = text.clone();
        }
        Step::RemoveEqual(index, most, direction) => {
            let Some(index) = index.checked_rem(model.len()) else { return };
            let needle = model[index].clone();
            let removed = remove_equal(model, &needle, *most, *direction);
            assert_eq!(list.remove_equal(&Needle::new(&needle), *most, *direction, limits), removed);
        }
        Step::Trim(front, back) => {
            let end = model.len().saturating_sub(*back);
            list.trim(*front..end, limits);
            model.truncate(end);
            model.drain(..(*front).min(end));
        }
        Step::Walk(index, direction) => {
            let Some(index) = index.checked_rem(model.len()) else { return };
            let mut expected: Vec<_> = model.iter().cloned().collect();
            match direction {
                Direction::Forward => drop(expected.drain(..index)),
                Direction::Backward => {
                    expected.truncate(index + 1);
                    expected.reverse();
                }
            }
            assert_eq!(list.texts(index, *direction), expected);
            assert_eq!(list.get(index, text_of).as_ref(), Some(&model[index]));
        }
        Step::Reload => *list = reloaded(list, limits),
    }
}

fn remove_equal(model: &mut Model, needle: &[u8], most: usize, direction: Direction) -> usize {
    let mut places: Vec<_> = (0..model.len()).filter(|index| model[*index] == needle).collect();
    match direction {
        Direction::Forward => places.truncate(most),
        Direction::Backward => drop(places.drain(..places.len().saturating_sub(most))),
    }
    places.iter().rev().for_each(|index| drop(model.remove(*index)));
    places.len()
}

/// The list rebuilt from its nodes.
fn reloaded(list: &Quicklist, limits: Limits) -> Quicklist {
    let mut copy = Quicklist::new();
    list.for_each_node(&mut NodeRoom::default(), &mut |node| match node {
        NodeView::Packed(blob) => {
            Listpack::check(blob).expect("a valid node");
            copy.absorb(blob.to_vec(), limits);
        }
        NodeView::Plain(text) => copy.push_owned(text.to_vec(), limits),
    });
    copy.finish();
    copy
}

const DIRECTIVES: &[(i64, usize)] = &[(-2, 0), (-1, 1), (1, 0), (5, 2), (100, 3), (-5, 1), (-1, 0)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn behaves_as_a_deque(steps in proptest::collection::vec(step(), 1..40), which in 0..DIRECTIVES.len()) {
        let (node, depth) = DIRECTIVES[which];
        let limits = limits(node, depth);
        let (mut list, mut model) = (Quicklist::new(), Model::new());
        for step in &steps {
            apply(step, &mut list, &mut model, limits);
            assert_holds(&list, &model, limits);
        }
    }
}

#[test]
fn nodes_inside_take_no_more_than_they_must() {
    let limits = limits(-2, 0);
    let build = |text: &dyn Fn(usize) -> String| {
        let mut list = Quicklist::new();
        (0..100_000).for_each(|index| list.push(End::Tail, text(index).as_bytes(), limits));
        list.check_within(limits);
        list
    };
    let inside = |list: &Quicklist, form| list.nodes.iter().filter(|node| node.form() == form).count();
    let assert_takes = |list: &Quicklist, bytes: usize| {
        let taken = list.heap_bytes(0);
        assert!(taken >= bytes && taken < bytes * 103 / 100, "{taken} bytes for {bytes}");
        assert!(list.heap_bytes(5).abs_diff(taken) < taken / 20);
    };
    // Strings of one length and integers of one width take what they are, others one byte more.
    let even = build(&|index| format!("member:{index:08}"));
    assert_takes(&even, 1_500_000);
    assert!(inside(&even, Form::Even) + 2 >= even.node_count());
    assert_takes(&build(&|index| (1_700_000_000_000 + index).to_string()), 800_000);
    let list = build(&|index| "x".repeat(10 + index % 3));
    assert_takes(&list, 1_200_000);
    assert!(inside(&list, Form::Run) + 2 >= list.node_count());
    let bytes = list.heap_bytes(0);
    // The nodes of other servers are smaller; loaded, they are joined.
    let mut small = Quicklist::new();
    let smaller = Limits { node: NodeLimit::Bytes(1000), ..limits };
    list.texts(0, Direction::Forward).iter().for_each(|text| small.push(End::Tail, text, smaller));
    let loaded = reloaded(&small, limits);
    loaded.check_within(limits);
    assert!(loaded.heap_bytes(0) < bytes, "{} bytes", loaded.heap_bytes(0));
    // An element beyond the limit in a node with others, as Redis 7.0 has it.
    let mut blob = packed::empty();
    [b"a".to_vec(), vec![b'x'; 9000], b"7".to_vec()].iter().for_each(|text| packed::push(&mut blob, text));
    let mut mixed = Quicklist::new();
    mixed.absorb(blob, limits);
    mixed.check_within(limits);
    assert_eq!(mixed.nodes.iter().map(Node::form).collect::<Vec<_>>(), [Form::Even, Form::Plain, Form::Run]);
}

/// A queue: pushed at one end and popped at the other, its nodes neither grow nor are moved all the time.
#[test]
fn a_queue_keeps_its_size() {
    let limits = limits(-2, 0);
    let mut list = Quicklist::new();
    (0..100).for_each(|value| list.push(End::Tail, format!("job {value}").as_bytes(), limits));
    for value in 100..20_000 {
        list.push(End::Tail, format!("job {value}").as_bytes(), limits);
        let first = list.pop(End::Head, limits, text_of);
        assert_eq!(first, Some(format!("job {}", value - 100).into_bytes()));
    }
    assert!(list.heap_bytes(0) < 20_000, "{} bytes", list.heap_bytes(0));
    list.check_within(limits);
}

#[test]
fn nodes_beyond_the_depth_are_compressed() {
    let limits = limits(-1, 2);
    let mut list = Quicklist::new();
    (0..5000).for_each(|value| list.push(End::Head, format!("value {}", value % 10).as_bytes(), limits));
    list.push(End::Head, &[b'x'; 100_000], limits);
    (0..5000).for_each(|value| list.push(End::Head, format!("value {}", value % 10).as_bytes(), limits));
    list.check_within(limits);
    assert_eq!(list.squeezed_node_count(), list.node_count() - 4);
    assert!(list.heap_bytes(0) < 40_000, "{} bytes", list.heap_bytes(0));
    assert_eq!(list.get(5000, text_of).map(|text| text.len()), Some(100_000));
    assert!(list.set(5000, b"small", limits));
    assert_eq!(list.remove_equal(&Needle::new(b"small"), 9, Direction::Forward, limits), 1);
    while list.pop(End::Tail, limits, |_| ()).is_some() {}
    assert_eq!((list.node_count(), list.len()), (0, 0));
}

#[test]
fn a_small_list_becomes_one_listpack() {
    let limits = limits(-2, 0);
    let mut list = Quicklist::new();
    let mut blob = packed::empty();
    for value in 0..450 {
        list.push(End::Tail, format!("element {value}").as_bytes(), limits);
        packed::push(&mut blob, format!("element {value}").as_bytes());
    }
    assert_eq!(list.single_listpack(limits.node, Fit::Half), None);
    assert_eq!(list.single_listpack(limits.node, Fit::Whole), Some(blob.clone()));
    list.trim(0..100, limits);
    let rest = Listpack::trusted(&blob).nth(100).expect("there are more");
    packed::remove(&mut blob, rest, 1000);
    assert_eq!(list.single_listpack(limits.node, Fit::Half), Some(blob));
    list.push(End::Tail, &[b'x'; 9000], limits);
    assert_eq!(list.single_listpack(limits.node, Fit::Whole), None);
}
