//! The pair of table and tree against a `BTreeSet` and a `HashMap`.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

const SEED: HashSeed = HashSeed([7; 16]);

/// A score that `BTreeSet` can order; never NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Total(f64);

impl Eq for Total {}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Total {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.partial_cmp(&other.0).expect("no NaN")
    }
}

#[derive(Default)]
struct Model {
    scores: HashMap<Vec<u8>, f64>,
    order: BTreeSet<(Total, Vec<u8>)>,
}

impl Model {
    fn put(&mut self, member: &[u8], score: f64) -> Put {
        match self.scores.insert(member.to_vec(), score) {
            Some(old) if old == score => {
                self.scores.insert(member.to_vec(), old);
                Put::Same
            }
            Some(old) => {
                self.order.remove(&(Total(old), member.to_vec()));
                self.order.insert((Total(score), member.to_vec()));
                Put::Changed
            }
            None => {
                self.order.insert((Total(score), member.to_vec()));
                Put::Added
            }
        }
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.scores.remove(member)?;
        self.order.remove(&(Total(score), member.to_vec()));
        Some(score)
    }

    fn at(&self, rank: usize) -> Option<(Vec<u8>, f64)> {
        self.order.iter().nth(rank).map(|(score, member)| (member.clone(), score.0))
    }

    fn remove_ranks(&mut self, start: usize, count: usize) -> usize {
        let gone: Vec<_> =
            self.order.iter().skip(start).take(count).map(|(_, member)| member.clone()).collect();
        for member in &gone {
            self.remove(member);
        }
        gone.len()
    }

    fn count(&self, is_before: impl Fn(f64) -> bool) -> usize {
        self.order.iter().filter(|(score, _)| is_before(score.0)).count()
    }
}

#[track_caller]
fn agree(set: &Ordered, model: &Model) {
    set.check();
    let owned = |(member, score): (&[u8], f64)| (member.to_vec(), score);
    let found: Vec<_> = set.entries(0, usize::MAX, Order::Ascending).map(owned).collect();
    let expected: Vec<_> = model.order.iter().map(|(score, member)| (member.clone(), score.0)).collect();
    assert_eq!(found, expected);
    let mut backwards: Vec<_> = set.entries(0, usize::MAX, Order::Descending).map(owned).collect();
    backwards.reverse();
    assert_eq!(backwards, expected);
}

fn name(number: u32) -> Vec<u8> {
    format!("member:{number}").into_bytes()
}

#[derive(Clone, Debug)]
enum Step {
    Put(u32, f64),
    Remove(u32),
    RemoveRanks(usize, usize),
    Look(u32, f64, usize),
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (0..40).prop_map(f64::from),
        3 => -1e6..1e6_f64,
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), Just(0.0), Just(5e-324)],
    ]
}

fn step(members: u32) -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..members, score()).prop_map(|(member, score)| Step::Put(member, score)),
        5 => (0..members).prop_map(Step::Remove),
        1 => (0..members as usize, 0..200_usize).prop_map(|(start, count)| Step::RemoveRanks(start, count)),
        2 => (0..members, score(), 0..members as usize)
            .prop_map(|(member, score, rank)| Step::Look(member, score, rank)),
    ]
}

fn run(set: &mut Ordered, model: &mut Model, steps: &[Step]) {
    for step in steps {
        match *step {
            Step::Put(member, score) => {
                let member = name(member);
                assert_eq!(set.put(&member, |_| Some(score)), model.put(&member, score));
            }
            Step::Remove(member) => {
                let member = name(member);
                assert_eq!(set.remove(&member), model.remove(&member));
            }
            Step::RemoveRanks(start, count) => {
                assert_eq!(set.remove_ranks(start, count), model.remove_ranks(start, count));
            }
            Step::Look(member, score, rank) => look(set, model, &name(member), (score, rank)),
        }
        assert_eq!(set.len(), model.order.len());
    }
}

fn look(set: &Ordered, model: &Model, member: &[u8], (score, rank): (f64, usize)) {
    let expected = model.scores.get(member).map(|score| {
        let key = (Total(*score), member.to_vec());
        (model.order.range(..key).count(), *score)
    });
    assert_eq!(set.rank(member), expected);
    assert_eq!(set.at(rank).map(|(member, score)| (member.to_vec(), score)), model.at(rank));
    assert_eq!(set.count_before(Bound::BeforeScore(score)), model.count(|other| other < score));
    assert_eq!(set.count_before(Bound::AfterScore(score)), model.count(|other| other <= score));
    let owned = |(member, score): (&[u8], f64)| (member.to_vec(), score);
    let found: Vec<_> = set.entries(rank, 70, Order::Descending).map(owned).collect();
    let expected: Vec<_> = model
        .order
        .iter()
        .rev()
        .skip(rank)
        .take(70)
        .map(|(score, member)| (member.clone(), score.0))
        .collect();
    assert_eq!(found, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_is_a_map_and_an_order(
        built in 0..6000_u32,
        steps in proptest::collection::vec(step(7000), 0..1500),
    ) {
        let mut model = Model::default();
        let mut gathered = Gathering::new(SEED);
        for number in 0..built {
            let score = f64::from(number.wrapping_mul(2_654_435_761) % 1000);
            assert_eq!(gathered.put(&name(number), |_| Some(score)), Put::Added);
            model.put(&name(number), score);
        }
        let mut set = gathered.sorted().into_ordered();
        run(&mut set, &mut model, &steps);
        agree(&set, &model);
    }

    #[test]
    fn small_ones_come_and_go(steps in proptest::collection::vec(step(90), 0..400)) {
        let (mut set, mut model) = (Ordered::new(SEED), Model::default());
        run(&mut set, &mut model, &steps);
        agree(&set, &model);
    }
}

#[test]
fn it_grows_and_empties_from_either_end() {
    for (add_descending, remove_last) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut set, mut model) = (Ordered::new(SEED), Model::default());
        for number in 0..20_000_u32 {
            let score = if add_descending { -f64::from(number) } else { f64::from(number) };
            assert_eq!(set.put(&name(number), |_| Some(score)), model.put(&name(number), score));
        }
        agree(&set, &model);
        let full = set.heap_bytes(0) - set.members.heap_bytes() - set.len() * 24;
        assert!(full < set.len() * 17, "leaves are full after growing at one end: {full}");
        while !set.is_empty() {
            let start = if remove_last { set.len().saturating_sub(7) } else { 0 };
            assert_eq!(set.remove_ranks(start, 7), model.remove_ranks(start, 7));
            if set.len().is_multiple_of(3001) {
                agree(&set, &model);
            }
        }
        assert!(set.tree.root.is_none() && set.at(0).is_none());
        set.check();
    }
}

#[test]
fn nodes_join_and_level_all_over() {
    let (mut set, mut model) = (Ordered::new(SEED), Model::default());
    let mut rng = fastrand::Rng::with_seed(11);
    for number in 0..30_000_u32 {
        let score = f64::from(rng.u32(..1 << 20));
        set.put(&name(number), |_| Some(score));
        model.put(&name(number), score);
    }
    agree(&set, &model);
    let per_member = set.tree.heap_bytes(0) as f64 / 30_000.0;
    assert!(per_member < 19.5, "{per_member} bytes of tree per member after random insertions");
    let estimated = set.tree.heap_bytes(5) as f64 / 30_000.0;
    assert!((estimated / per_member - 1.0).abs() < 0.1, "{estimated} for {per_member}");
    let mut names: Vec<u32> = (0..30_000).collect();
    rng.shuffle(&mut names);
    for (done, number) in names.into_iter().enumerate() {
        assert_eq!(set.remove(&name(number)), model.remove(&name(number)));
        if done % 4999 == 0 {
            agree(&set, &model);
        }
    }
    assert!(set.is_empty());
    set.check();
}

#[test]
fn scores_change_where_they_are_and_elsewhere() {
    let (mut set, mut model) = (Ordered::new(SEED), Model::default());
    for number in 0..3000_u32 {
        set.put(&name(number), |_| Some(f64::from(number) * 10.0));
        model.put(&name(number), f64::from(number) * 10.0);
    }
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..3000 {
        let member = name(rng.u32(..3000));
        let change = [1.0, -1.0, 10.0, -10.0, 15.0, 4000.0, -5000.0, f64::INFINITY][rng.usize(..8)];
        let score = model.scores[&member] + change;
        let score = if score.is_nan() { 0.0 } else { score };
        assert_eq!(set.put(&member, |old| old.map(|_| score)), model.put(&member, score));
    }
    agree(&set, &model);
    assert_eq!(set.put(b"absent", |old| old), Put::Declined);
    assert_eq!(set.put(&name(1), |_| None), Put::Declined);
}

#[test]
fn members_bound_where_scores_are_equal() {
    let mut set = Ordered::new(SEED);
    for number in 0..1000_u32 {
        set.put(format!("{number:04}").as_bytes(), |_| Some(0.0));
    }
    let count = |bound| set.count_before(bound);
    assert_eq!(count(Bound::BeforeMember(b"0500")), 500);
    assert_eq!(count(Bound::AfterMember(b"0500")), 501);
    assert_eq!(count(Bound::BeforeMember(b"05")), 500);
    assert_eq!(count(Bound::AfterMember(b"05")), 500);
    assert_eq!((count(Bound::BeforeMember(b"")), count(Bound::AfterMember(b"z"))), (0, 1000));
}

#[test]
fn a_scan_shows_every_member() {
    let mut set = Ordered::new(SEED);
    for number in 0..500 {
        set.put(&name(number), |_| Some(f64::from(number)));
    }
    let (mut cursor, mut seen) = (0, HashMap::new());
    loop {
        cursor = set.scan(cursor, &mut |member, score| {
            seen.insert(member.to_vec(), score);
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 500);
    assert_eq!(seen[&name(77)], 77.0);
}

/// What a file brings: descending, with ties, wholly or up to some member.
#[test]
fn it_is_loaded_from_above() {
    for (count, in_order) in
        [(0, 0), (1, 1), (55, 55), (56, 56), (5000, 5000), (5000, 0), (5000, 110), (5000, 4999)]
    {
        let mut numbers: Vec<u32> = (0..count).collect();
        numbers.sort_by_key(|number| std::cmp::Reverse((number / 3, name(*number))));
        fastrand::Rng::with_seed(12).shuffle(&mut numbers[in_order..]);
        let (mut loader, mut model) = (OrderedLoader::new(count as usize, SEED), Model::default());
        for (pushed, number) in numbers.iter().enumerate() {
            let score = f64::from(number / 3);
            loader.push(&name(*number), score);
            model.put(&name(*number), score);
            if pushed % 16 == 15 {
                assert_eq!(loader.settle(), Ok(()));
            }
        }
        assert_eq!(loader.settle(), Ok(()));
        let mut set = loader.finish();
        agree(&set, &model);
        for number in 0..count.min(500) {
            assert_eq!(set.put(&name(number), |_| Some(77.0)), model.put(&name(number), 77.0));
        }
        agree(&set, &model);
    }
    let mut twice = OrderedLoader::new(100, SEED);
    (0..12).for_each(|number| twice.push(&name(100 - number), 1.0));
    assert_eq!(twice.settle(), Ok(()));
    [7, 96, 8].iter().for_each(|number| twice.push(&name(*number), 1.0));
    assert_eq!(twice.settle(), Err(1));
}
