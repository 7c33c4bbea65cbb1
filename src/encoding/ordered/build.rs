//! Making a set at once: members are gathered in the table, put in order together, and the tree is built full.
//!
//! A file gives the highest score first, an intersection or a union of sorted sets whole runs in order: what comes
//! sorted is not compared again and again.

use super::node::Pair;
use super::tree::Tree;
use super::{Order, Ordered, Put};
use crate::encoding::dict::{Dict, HashSeed};
use crate::encoding::scored::{Scored, ScoredPointer};

/// Members that have no order yet.
pub struct Gathering {
    members: Dict<Scored>,
    /// Where the items are, as they came: the table's.
    items: Vec<ScoredPointer>,
    member_bytes: usize,
    longest: usize,
    seed: HashSeed,
}

// SAFETY: the pointers are to items of the table beside them.
unsafe impl Send for Gathering {}

impl Gathering {
    pub fn new(seed: HashSeed) -> Self {
        Gathering { members: Dict::new(seed), items: Vec::new(), member_bytes: 0, longest: 0, seed }
    }

    /// Makes room for so many in all.
    pub fn reserve(&mut self, members: usize) {
        self.members.reserve(members);
        self.items.reserve_exact(members.saturating_sub(self.items.len()));
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The length of the longest member, in bytes.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The sum of the members' lengths, in bytes.
    pub fn member_bytes(&self) -> usize {
        self.member_bytes
    }

    /// Gives `member` the score that `decide` answers for the one it has, if it is there. `None` changes nothing.
    pub fn put(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Put {
        let hash = self.members.hash(member);
        if let Some(item) = self.members.get(hash, member) {
            let old = item.score();
            let Some(score) = decide(Some(old)) else { return Put::Declined };
            item.set_score(score);
            return if score == old { Put::Same } else { Put::Changed };
        }
        let Some(score) = decide(None) else { return Put::Declined };
        debug_assert!(!score.is_nan());
        let item = Scored::new(score, member);
        self.items.push(item.pointer());
        self.member_bytes += member.len();
        self.longest = self.longest.max(member.len());
        self.members.insert_new(hash, item);
        Put::Added
    }

    /// Every member with its score, in order.
    pub fn sorted(mut self) -> Sorted {
        let pairs = self.sorted_pairs();
        Sorted { members: self.members, pairs, seed: self.seed }
    }

    fn sorted_pairs(&mut self) -> Vec<Pair> {
        let pair = |item: ScoredPointer| {
            // SAFETY: every item is the table's, and alive.
            Pair { score: unsafe { item.score() }, item }
        };
        let mut pairs: Vec<Pair> = std::mem::take(&mut self.items).into_iter().map(pair).collect();
        // A stable sort finds runs in either direction.
        pairs.sort_by(|left, right| {
            // SAFETY: as above.
            let members = || unsafe { left.item.member().cmp(right.item.member()) };
            left.score.partial_cmp(&right.score).unwrap_or(std::cmp::Ordering::Equal).then_with(members)
        });
        pairs
    }
}

impl Ordered {
    /// An equal set, with a full tree.
    pub fn duplicate(&self) -> Ordered {
        let mut copy = Gathering::new(self.seed);
        copy.reserve(self.len());
        for (member, score) in self.entries(0, usize::MAX, Order::Ascending) {
            copy.put(member, |_| Some(score));
        }
        copy.sorted().into_ordered()
    }
}

/// Gathered members in order, which have not become a set yet.
pub struct Sorted {
    members: Dict<Scored>,
    pairs: Vec<Pair>,
    seed: HashSeed,
}

impl Sorted {
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], f64)> + ExactSizeIterator {
        // SAFETY: every item is the table's, which is borrowed.
        self.pairs.iter().map(|pair| (unsafe { pair.item.member() }, pair.score))
    }

    pub fn into_ordered(self) -> Ordered {
        // SAFETY: the pairs are the items of the table, each once, by ascending score and member.
        let tree = unsafe { Tree::from_sorted(self.pairs.into_iter()) };
        Ordered { members: self.members, tree, seed: self.seed }
    }
}
