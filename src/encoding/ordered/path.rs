//! The way from the root to a place in a leaf, and the searches that find it.
//!
//! A search at a node is a binary search over the scores of its entries; the items are read only where scores are
//! equal. The lines of the next node's scores are asked for all at once, as soon as its address is known.

use super::node::{Address, INNER, LEAF, Node};
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
    /// The place behind all entries that are `before`, a property that no entry has behind one that has it not.
    #[inline]
    pub(super) fn descend(&self, root: Address, before: impl Fn(f64, ScoredPointer) -> bool) -> Path {
        let mut path = Path::at(root);
        let mut address = root;
        for depth in 0..self.height {
            let node = Node::<INNER>::at(address);
            let index = entries_before(&node, 1, &before) - 1;
            path.steps[depth] = Step { node, index };
            address = node.child(index);
            prefetch_scores(address, if depth + 1 == self.height { node.sizes()[index] } else { 0 });
        }
        path.leaf = Node::at(address);
        path.position = entries_before(&path.leaf, 0, &before);
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

/// How many of a node's entries are `before`, of which the first `known` are taken for it.
#[inline]
fn entries_before<const COLUMNS: usize>(
    node: &Node<COLUMNS>,
    known: usize,
    before: &impl Fn(f64, ScoredPointer) -> bool,
) -> usize {
    let (scores, items) = (node.scores(), node.items());
    let (mut low, mut high) = (known, scores.len());
    while low < high {
        let middle = (low + high) / 2;
        if before(scores[middle], items[middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Asks for the scores of a node, of which there are about `entries` (unknown: 0).
#[inline]
fn prefetch_scores(address: Address, entries: usize) {
    const SCORES_PER_LINE: usize = LINE_BYTES / size_of::<f64>();
    /// Enough to have the middle of an inner node's scores.
    const LINES_UNKNOWN: usize = 5;
    let lines = if entries == 0 { LINES_UNKNOWN } else { entries / SCORES_PER_LINE + 1 };
    let start = address.as_ptr().cast::<u8>();
    (0..lines).for_each(|line| prefetch(start.wrapping_add(line * LINE_BYTES)));
}
