//! Making a set of members that come one after the other, mostly the highest first: a file's.
//!
//! As long as each is lower than the one before, leaves are filled from behind and nothing is compared but neighbours;
//! the inner nodes are made at the end, in a moment. From the first member on that is out of order, every one is
//! inserted by itself. So there is no point in time at which much has to be done at once.

use super::Ordered;
use super::node::{Child, LEAF, Node, Pair};
use super::tree::{FILL, Tree, is_before};
use crate::encoding::dict::{Arrivals, Dict, HashSeed};
use crate::encoding::scored::Scored;

/// A set that is coming.
pub struct OrderedLoader {
    members: Dict<Scored>,
    arrivals: Arrivals<Scored>,
    order: Coming,
    seed: HashSeed,
}

// SAFETY: the pointers are to items of the table beside them.
unsafe impl Send for OrderedLoader {}

enum Coming {
    Descending(Descent),
    Tree(Tree),
}

/// Entries in descending order.
#[derive(Default)]
struct Descent {
    /// Full ones, the last of the order first.
    leaves: Vec<Child>,
    /// What comes before their entries in the order, the last first.
    pairs: Vec<Pair>,
    len: usize,
}

impl OrderedLoader {
    /// With room for `members`, of which the caller knows that they come.
    pub fn new(members: usize, seed: HashSeed) -> OrderedLoader {
        let mut table = Dict::new(seed);
        table.reserve(members);
        let order = Coming::Descending(Descent::default());
        OrderedLoader { members: table, arrivals: Arrivals::default(), order, seed }
    }

    /// Adds a member, whose score is not NaN. It is in the set after `settle`, which must follow after `BATCH` of them.
    #[inline]
    pub fn push(&mut self, member: &[u8], score: f64) {
        debug_assert!(!score.is_nan());
        self.arrivals.push(&self.members, Scored::new(score, member));
    }

    /// Takes in what was pushed.
    ///
    /// # Errors
    /// When a member is there already: its place among those that were pushed. The loader is of no more use then.
    pub fn settle(&mut self) -> Result<(), usize> {
        let OrderedLoader { members, arrivals, order, .. } = self;
        arrivals.settle(members, &mut |_, item| {
            // SAFETY: the table owns the item from now on, beside the order, and has no other with this member.
            unsafe { order.take(Pair { score: item.score(), item: item.pointer() }) };
        })
    }

    /// The set of all that was settled.
    pub fn finish(self) -> Ordered {
        let tree = match self.order {
            Coming::Descending(descent) => descent.into_tree(),
            Coming::Tree(tree) => tree,
        };
        Ordered { members: self.members, tree, seed: self.seed }
    }
}

impl Coming {
    /// # Safety
    /// The item lives as long as this, or the tree that is made of it, and its member is unlike those before.
    #[inline]
    unsafe fn take(&mut self, pair: Pair) {
        if let Coming::Descending(descent) = self {
            // SAFETY: the caller's promise.
            if unsafe { descent.continues_with(pair) } {
                return descent.push(pair);
            }
            *self = Coming::Tree(std::mem::take(descent).into_tree());
        }
        if let Coming::Tree(tree) = self {
            // SAFETY: the caller's promise.
            unsafe { tree.insert(pair) };
        }
    }
}

impl Descent {
    /// The entry that came last.
    #[inline]
    fn last(&self) -> Option<Pair> {
        self.pairs.last().copied().or_else(|| self.leaves.last().map(|leaf| leaf.first))
    }

    /// # Safety
    /// The item, and those that came before, are alive.
    #[inline]
    unsafe fn continues_with(&self, pair: Pair) -> bool {
        // SAFETY: the caller's promise.
        self.last()
            .is_none_or(|last| is_before(pair.score, pair.item, last.score, unsafe { last.item.member() }))
    }

    #[inline]
    fn push(&mut self, pair: Pair) {
        self.len += 1;
        self.pairs.push(pair);
        if self.pairs.len() == FILL {
            self.make_leaf();
        }
    }

    fn make_leaf(&mut self) {
        let leaf = Node::<LEAF>::with_room(self.pairs.len()).opened(0, self.pairs.len());
        self.pairs.drain(..).rev().enumerate().for_each(|(at, pair)| leaf.set_pair(at, pair));
        self.leaves.push(Child::of(leaf.address(), 0));
    }

    fn into_tree(mut self) -> Tree {
        if !self.pairs.is_empty() {
            self.make_leaf();
        }
        let mut leaves = std::mem::take(&mut self.leaves);
        leaves.reverse();
        Tree::over(leaves, self.len)
    }
}

impl Drop for Descent {
    fn drop(&mut self) {
        self.leaves.drain(..).for_each(|leaf| Node::<LEAF>::at(leaf.address).free());
    }
}
