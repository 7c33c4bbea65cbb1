//! The way from the root to a place in a leaf, and the searches that find it.
//!
//! A search at a node is a binary search over the scores of its entries; the items are read only where scores are
//! equal. The lines of the next node's scores are asked for all at once, as soon as its address is known.

use std::hint::select_unpredictable;

use super::node::{Address, INNER, LEAF, Node, capacity_for};
use super::tree::Tree;
use crate::encoding::prefetch::{LINE_BYTES, prefetch};
use crate::encoding::scored::ScoredPointer;

/// Inner nodes have 31 children or more, but for the outermost, so that no memory holds a higher tree.
pub(super) const HEIGHT_MAX: usize = 10;

/// One inner node on the way, and the child taken.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) node: Node<INNER>,
    pub(super) index: usize,
}

/// The place before entry `position` of a leaf, which may be behind its last. Valid until the tree changes.
#[derive(Clone)]
pub(super) struct Path {
    /// From the root down; as many as the tree is high.
    pub(super) steps: [Step; HEIGHT_MAX],
    pub(super) leaf: Node<LEAF>,
    pub(super) position: usize,
}

impl Path {
    /// A place in a tree that is one leaf, or still to be filled in.
    pub(super) fn at(root: Address) -> Path {
        let step = Step { node: Node::at(root), index: 0 };
        Path { steps: [step; HEIGHT_MAX], leaf: Node::at(root), position: 0 }
    }

    /// Whether the node `depth` steps below the root is the first or the last on its level.
    pub(super) fn is_on_edge(&self, depth: usize) -> bool {
        self.is_leftmost(depth) || self.is_rightmost(depth)
    }

    pub(super) fn is_leftmost(&self, depth: usize) -> bool {
        self.steps[..depth].iter().all(|step| step.index == 0)
    }

    pub(super) fn is_rightmost(&self, depth: usize) -> bool {
        self.steps[..depth].iter().all(|step| step.index + 1 == step.node.count())
    }
}

impl Tree {
    /// The place behind all entries of a lower score, and those of this score that are `before`, a property that none
    /// has behind one that has it not.
    #[inline]
    pub(super) fn descend(&self, root: Address, score: f64, before: impl Fn(ScoredPointer) -> bool) -> Path {
        self.descend_by(root, |scores, items, known| {
            let low = known + lower_scores(&scores[known..], score);
            low + items[low..low + ties(&scores[low..], score)].partition_point(|item| before(*item))
        })
    }

    /// The place before the entry of an item; `before` as for `descend`, and true of the item. In its leaf the item is
    /// known by its address, so that other items of its score need not be read.
    pub(super) fn find_by(
        &self,
        root: Address,
        (item, score): (ScoredPointer, f64),
        before: impl Fn(ScoredPointer) -> bool,
    ) -> Option<Path> {
        let mut path = self.descend_inner(root, |scores, items, known| {
            let low = known + lower_scores(&scores[known..], score);
            low + items[low..low + ties(&scores[low..], score)].partition_point(|item| before(*item))
        });
        let low = lower_scores(path.leaf.scores(), score);
        path.position = low + path.leaf.items()[low..].iter().position(|other| *other == item)?;
        Some(path)
    }

    /// The place behind all entries that are `before`, whatever their scores.
    pub(super) fn descend_by_item(&self, root: Address, before: impl Fn(ScoredPointer) -> bool) -> Path {
        self.descend_by(root, |_, items, known| known + items[known..].partition_point(|item| before(*item)))
    }

    /// Goes down by what `find` says of the entries of each node: how many are before the place, the first `known`
    /// being so in any case.
    #[inline]
    fn descend_by(&self, root: Address, find: impl Fn(&[f64], &[ScoredPointer], usize) -> usize) -> Path {
        let mut path = self.descend_inner(root, &find);
        path.position = find(path.leaf.scores(), path.leaf.items(), 0);
        path
    }

    /// As `descend_by`, but not into the leaf.
    #[inline]
    fn descend_inner(&self, root: Address, find: impl Fn(&[f64], &[ScoredPointer], usize) -> usize) -> Path {
        let mut path = Path::at(root);
        let mut address = root;
        for depth in 0..self.height {
            let node = Node::<INNER>::at(address);
            let index = find(node.scores(), node.items(), 1) - 1;
            path.steps[depth] = Step { node, index };
            address = node.child(index);
            if depth + 1 == self.height {
                prefetch_leaf(address, node.sizes()[index]);
            } else {
                prefetch_scores(address);
            }
        }
        path.leaf = Node::at(address);
        path
    }

    /// The place before the entry of a rank, which is there.
    pub(super) fn seek(&self, root: Address, rank: usize) -> Path {
        debug_assert!(rank < self.len());
        let mut path = Path::at(root);
        let (mut address, mut left) = (root, rank);
        for depth in 0..self.height {
            let node = Node::<INNER>::at(address);
            let mut index = 0;
            for size in node.sizes() {
                if left < *size {
                    break;
                }
                left -= size;
                index += 1;
            }
            path.steps[depth] = Step { node, index };
            address = node.child(index);
        }
        path.leaf = Node::at(address);
        path.position = left;
        path
    }

    /// How many entries lie before a place.
    pub(super) fn rank_of(&self, path: &Path) -> usize {
        let steps = path.steps[..self.height].iter();
        steps.map(|step| step.node.sizes()[..step.index].iter().sum::<usize>()).sum::<usize>() + path.position
    }
}

/// How many of the ascending scores are lower. Which half holds the answer cannot be foreseen, so it is no branch.
#[inline]
fn lower_scores(scores: &[f64], score: f64) -> usize {
    let (mut start, mut left) = (0, scores.len());
    while left > 0 {
        let half = left / 2;
        let is_lower = scores[start + half] < score;
        start = select_unpredictable(is_lower, start + half + 1, start);
        left = select_unpredictable(is_lower, left - half - 1, half);
    }
    start
}

/// How many scores at the beginning are this one.
#[inline]
fn ties(scores: &[f64], score: f64) -> usize {
    scores.iter().take_while(|other| **other == score).count()
}

/// Asks for an inner node, so far that the middle of its scores comes with it.
#[inline]
fn prefetch_scores(address: Address) {
    const LINES: usize = 5;
    prefetch_lines(address, LINES);
}

/// Asks for all of a leaf of so many entries, as far as it has no more room than it needs.
#[inline]
fn prefetch_leaf(address: Address, entries: usize) {
    const ENTRIES_PER_LINE: usize = LINE_BYTES / (size_of::<f64>() + size_of::<ScoredPointer>());
    prefetch_lines(address, capacity_for(entries) / ENTRIES_PER_LINE + 1);
}

#[inline]
fn prefetch_lines(address: Address, lines: usize) {
    let start = address.as_ptr().cast::<u8>();
    (0..lines).for_each(|line| prefetch(start.wrapping_add(line * LINE_BYTES)));
}
