//! A B-tree of (score, item), ordered by score and then by the items' members, that knows ranks.
//!
//! ```text
//!                      [ first entry, child, size | ... ]                   inner nodes: 31 to 63 children
//!              [ ... ]              [ ... ]              [ ... ]
//!   [ score, item | ... ]  [ ... ]  [ ... ]  [ ... ]  [ ... ]  [ ... ]      leaves: 31 to 63 entries
//! ```
//! Invariants (`check` walks them):
//! 1. All leaves have the same depth, `height`; the root is a leaf when it is 0.
//! 2. Entries ascend strictly; what an inner node says of a child (first entry, size) is true.
//! 3. A node that is neither the first nor the last of its level holds at least `ENTRIES_MIN` entries, the others at
//!    least one, an inner root at least two.
//! 4. Every item is alive as long as it is in the tree: the promise of whoever inserts it.
//!
//! Invariant 3 lets a set grow at one end and shrink at the other, as queues and time series do, with leaves that are
//! full but for the last, and without moving an entry from leaf to leaf: at an edge a full leaf is not halved, but a
//! new one begun, and the last is not joined with its neighbour before it is empty.
//!
//! Every change goes down one path and touches at most two nodes of each level. Nothing recurses but `check` and the
//! drop, which go as deep as the tree is high.

use super::node::{Address, Child, ENTRIES_MAX, ENTRIES_MIN, INNER, LEAF, Node, Pair};
use super::path::{HEIGHT_MAX, Path, Step};
use crate::encoding::scored::ScoredPointer;

/// A place between entries.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    /// Before the first entry whose score is not lower.
    BeforeScore(f64),
    /// Behind the last entry whose score is not higher.
    AfterScore(f64),
    /// Before the first entry whose member is not less, in a set whose scores are all equal.
    BeforeMember(&'a [u8]),
    /// Behind the last entry whose member is not greater, in a set whose scores are all equal.
    AfterMember(&'a [u8]),
}

/// Entries of a node that is made full: it takes a block of 896 bytes, and leaves a step of room below the most.
pub(super) const FILL: usize = 55;

#[derive(Default)]
pub(super) struct Tree {
    pub(super) root: Option<Address>,
    /// Inner nodes above each leaf.
    pub(super) height: usize,
    pub(super) len: usize,
}

// SAFETY: a tree owns its nodes; it reads items, which by invariant 4 go wherever their owner, who has the tree beside
// them, goes.
unsafe impl Send for Tree {}

#[derive(PartialEq, Eq)]
enum Mended {
    Levelled,
    /// The right one is gone.
    Joined,
}

impl Tree {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many entries lie before a bound.
    pub(super) fn rank(&self, bound: Bound<'_>) -> usize {
        // SAFETY: items in the tree are alive (invariant 4).
        let member = |item: ScoredPointer| unsafe { item.member() };
        let Some(root) = self.root else { return 0 };
        self.rank_of(&match bound {
            Bound::BeforeScore(low) => self.descend(root, low, |_| false),
            Bound::AfterScore(high) => self.descend(root, high, |_| true),
            Bound::BeforeMember(low) => self.descend_by_item(root, |item| member(item) < low),
            Bound::AfterMember(high) => self.descend_by_item(root, |item| member(item) <= high),
        })
    }

    /// How many entries lie before that of an item, which is there.
    pub(super) fn rank_of_item(&self, item: ScoredPointer, score: f64) -> Option<usize> {
        self.find(item, score).map(|path| self.rank_of(&path))
    }

    /// The entry of a rank.
    pub(super) fn select(&self, rank: usize) -> Option<Pair> {
        let root = self.root.filter(|_| rank < self.len)?;
        let path = self.seek(root, rank);
        Some(path.leaf.pair(path.position))
    }

    /// Adds an entry that is not there.
    ///
    /// # Safety
    /// The item lives until it has been removed again, and its member is unlike those of all others.
    pub(super) unsafe fn insert(&mut self, pair: Pair) {
        self.len += 1;
        let Some(root) = self.root else {
            self.root = Some(Node::<LEAF>::with_room(1).inserted(0, pair).address());
            return;
        };
        // SAFETY: the item is alive, as the caller promises.
        let member = unsafe { pair.item.member() };
        let path = self.descend(root, pair.score, |item| {
            // SAFETY: items in the tree are alive (invariant 4).
            unsafe { item.member() < member }
        });
        for step in &path.steps[..self.height] {
            step.node.set_size(step.index, step.node.sizes()[step.index] + 1);
        }
        if path.position == 0 {
            self.set_first(&path, self.height, pair);
        }
        if path.leaf.count() < ENTRIES_MAX {
            let leaf = path.leaf.inserted(path.position, pair);
            return self.relink(&path, self.height, leaf.address());
        }
        let at = split_place(&path, self.height, path.leaf.count(), path.position);
        let (mut left, mut right) = path.leaf.split_off(at);
        if goes_right(path.position, at) {
            right = right.inserted(path.position - at, pair);
        } else {
            left = left.inserted(path.position, pair);
        }
        self.add_sibling(&path, left.address(), right.address());
    }

    /// Tells the inner nodes that the leaf at the end of `path` has become two.
    fn add_sibling(&mut self, path: &Path, left: Address, right: Address) {
        let (mut left, mut right) = (left, right);
        for (height, depth) in (0..self.height).rev().enumerate() {
            let Step { node, index } = path.steps[depth];
            let (left_child, right_child) = (Child::of(left, height), Child::of(right, height));
            node.set_child(index, left);
            node.set_size(index, left_child.size);
            let position = index + 1;
            if node.count() < ENTRIES_MAX {
                let node = node.inserted(position, right_child);
                return self.relink(path, depth, node.address());
            }
            let at = split_place(path, depth, node.count(), position);
            let (mut left_node, mut right_node) = node.split_off(at);
            if goes_right(position, at) {
                right_node = right_node.inserted(position - at, right_child);
            } else {
                left_node = left_node.inserted(position, right_child);
            }
            (left, right) = (left_node.address(), right_node.address());
        }
        let children = [left, right].map(|address| Child::of(address, self.height));
        let root = Node::<INNER>::with_room(2).inserted(0, children[0]).inserted(1, children[1]);
        self.height += 1;
        assert!(self.height < HEIGHT_MAX);
        self.root = Some(root.address());
    }

    /// Gives the entry of an item, which is there under `old`, the score `new`. The item's own score is the caller's.
    ///
    /// # Safety
    /// As for `insert`.
    pub(super) unsafe fn change_score(&mut self, item: ScoredPointer, old: f64, new: f64) {
        let Some(path) = self.find(item, old) else { return debug_assert!(false, "the item is not there") };
        let pair = Pair { score: new, item };
        if self.stays(&path, old, pair) {
            path.leaf.set_pair(path.position, pair);
            if path.position == 0 {
                self.set_first(&path, self.height, pair);
            }
            return;
        }
        self.take(&path, 1);
        // SAFETY: the caller's promise; the entry has just gone.
        unsafe { self.insert(pair) };
    }

    /// Whether the entry at the end of `path` keeps its place with its new score, as far as its leaf can tell.
    fn stays(&self, path: &Path, old: f64, pair: Pair) -> bool {
        // SAFETY: items in the tree are alive (invariant 4).
        let member = unsafe { pair.item.member() };
        let leaf = path.leaf;
        if pair.score < old {
            let Some(before) = path.position.checked_sub(1) else { return path.is_leftmost(self.height) };
            return is_before(leaf.scores()[before], leaf.items()[before], pair.score, member);
        }
        let behind = path.position + 1;
        if behind == leaf.count() {
            return path.is_rightmost(self.height);
        }
        !is_before(leaf.scores()[behind], leaf.items()[behind], pair.score, member)
    }

    /// Removes the entry of an item; whether it was there.
    pub(super) fn remove(&mut self, item: ScoredPointer, score: f64) -> bool {
        let Some(path) = self.find(item, score) else { return false };
        self.take(&path, 1);
        true
    }

    /// Removes up to `count` entries from a rank on, and shows each item once its leaf has forgotten it.
    pub(super) fn remove_ranks(&mut self, start: usize, count: usize, gone: &mut dyn FnMut(ScoredPointer)) {
        let mut left = count.min(self.len.saturating_sub(start));
        let mut items = Vec::new();
        while left > 0 {
            let Some(root) = self.root else { return };
            let path = self.seek(root, start);
            let taken = left.min(path.leaf.count() - path.position);
            items.clear();
            items.extend_from_slice(&path.leaf.items()[path.position..path.position + taken]);
            self.take(&path, taken);
            items.iter().for_each(|item| gone(*item));
            left -= taken;
        }
    }

    /// The place before the entry of an item.
    fn find(&self, item: ScoredPointer, score: f64) -> Option<Path> {
        // SAFETY: items in the tree are alive (invariant 4), and the caller has this one.
        let member = unsafe { item.member() };
        self.find_by(self.root?, (item, score), |other| {
            // SAFETY: as above.
            other == item || unsafe { other.member() < member }
        })
    }

    /// Removes entries of one leaf, from the place of `path` on.
    fn take(&mut self, path: &Path, count: usize) {
        self.len -= count;
        for step in &path.steps[..self.height] {
            step.node.set_size(step.index, step.node.sizes()[step.index] - count);
        }
        let leaf = path.leaf.closed(path.position, count);
        if leaf.count() == 0 {
            leaf.free();
            return self.forget_child(path);
        }
        if path.position == 0 {
            self.set_first(path, self.height, leaf.first());
        }
        if leaf.count() >= ENTRIES_MIN || path.is_on_edge(self.height) {
            return self.relink(path, self.height, leaf.fitted().address());
        }
        self.mend(path, self.height);
    }

    /// The leaf at the end of `path` is gone: its ancestors that have no other child go, too.
    fn forget_child(&mut self, path: &Path) {
        for depth in (0..self.height).rev() {
            let Step { node, index } = path.steps[depth];
            let node = node.closed(index, 1);
            if node.count() == 0 {
                node.free();
                continue;
            }
            if index == 0 {
                self.set_first(path, depth, node.first());
            }
            if node.count() >= ENTRIES_MIN || path.is_on_edge(depth) {
                self.relink(path, depth, node.fitted().address());
                return self.lower();
            }
            return self.mend(path, depth);
        }
        self.root = None;
        self.height = 0;
    }

    /// The node at `depth` of the path, which is on no edge, has become too small: it gets entries of a neighbour or
    /// joins it. The parent has two children at least, since only an outermost node may have one, and its child is
    /// outermost as well.
    fn mend(&mut self, path: &Path, depth: usize) {
        for depth in (0..depth).rev() {
            let Step { node, index } = path.steps[depth];
            let left = index.saturating_sub(1);
            let height = self.height - depth - 1;
            let mended = if height == 0 {
                mend_pair::<LEAF>(node, left, height)
            } else {
                mend_pair::<INNER>(node, left, height)
            };
            if mended == Mended::Levelled {
                break;
            }
            if node.count() >= ENTRIES_MIN || path.is_on_edge(depth) {
                self.relink(path, depth, node.fitted().address());
                break;
            }
        }
        self.lower();
    }

    /// Takes away roots that have one child only.
    fn lower(&mut self) {
        while let Some(root) = self.root.filter(|_| self.height > 0).map(Node::<INNER>::at) {
            if root.count() > 1 {
                return;
            }
            self.root = Some(root.child(0));
            self.height -= 1;
            root.free();
        }
    }

    /// Tells the ancestors of the node at `depth` of the path that its first entry is another.
    fn set_first(&self, path: &Path, depth: usize, first: Pair) {
        for step in path.steps[..depth].iter().rev() {
            step.node.set_pair(step.index, first);
            if step.index > 0 {
                return;
            }
        }
    }

    /// Tells the parent of the node at `depth` of the path where that is now.
    #[inline]
    fn relink(&mut self, path: &Path, depth: usize, address: Address) {
        match depth.checked_sub(1) {
            None => self.root = Some(address),
            Some(parent) => path.steps[parent].node.set_child(path.steps[parent].index, address),
        }
    }

    /// A tree of entries in ascending order, with leaves nine tenths full.
    ///
    /// # Safety
    /// As for `insert`, for each item; the order is strict.
    pub(super) unsafe fn from_sorted(pairs: impl ExactSizeIterator<Item = Pair>) -> Tree {
        let len = pairs.len();
        let (mut pairs, mut left) = (pairs, len);
        let mut leaves = Vec::with_capacity(len.div_ceil(FILL));
        while left > 0 {
            let filled = left.min(FILL);
            let leaf = Node::<LEAF>::with_room(filled).opened(0, filled);
            pairs.by_ref().take(filled).enumerate().for_each(|(at, pair)| leaf.set_pair(at, pair));
            leaves.push(Child::of(leaf.address(), 0));
            left -= filled;
        }
        Tree::over(leaves, len)
    }

    /// The tree of these leaves, which keep the invariants and hold `len` entries.
    pub(super) fn over(leaves: Vec<Child>, len: usize) -> Tree {
        let mut level = leaves;
        let mut height = 0;
        while level.len() > 1 {
            height += 1;
            let parents = level.chunks(FILL).map(|children| {
                let mut node = Node::<INNER>::with_room(children.len());
                for (at, child) in children.iter().enumerate() {
                    node = node.inserted(at, *child);
                }
                Child::of(node.address(), height)
            });
            level = parents.collect();
        }
        assert!(height < HEIGHT_MAX);
        Tree { root: level.first().map(|child| child.address), height, len }
    }

    /// Bytes of the nodes. Beyond a few leaves, and unless all are wanted, what the leaves under one inner node take
    /// stands for the rest.
    pub(super) fn heap_bytes(&self, samples: usize) -> usize {
        let Some(root) = self.root else { return 0 };
        if self.height <= 1 || samples == 0 {
            return node_bytes(root, self.height);
        }
        let step = self.seek(root, self.len / 2).steps[self.height - 1];
        let below = step.node.sizes().iter().sum::<usize>().max(1);
        let bytes = node_bytes(step.node.address(), 1) as u128;
        (bytes * self.len as u128 / below as u128) as usize
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if let Some(root) = self.root.take() {
            free_below(root, self.height);
        }
    }
}

/// Whether the entry (score, item) of the tree comes before (other, member).
#[inline]
pub(super) fn is_before(score: f64, item: ScoredPointer, other: f64, member: &[u8]) -> bool {
    // SAFETY: items in the tree are alive (invariant 4 of this file's head).
    score < other || score == other && unsafe { item.member() } < member
}

/// Where a full node is split to get one more entry at `position`: at the end, when the set grows there.
fn split_place(path: &Path, depth: usize, count: usize, position: usize) -> usize {
    if position == count && path.is_rightmost(depth) {
        count
    } else if position == 0 && path.is_leftmost(depth) {
        0
    } else {
        count / 2
    }
}

fn goes_right(position: usize, split: usize) -> bool {
    position > split || split == ENTRIES_MAX
}

/// Children `left` and `left + 1` of a node, of which one is too small, become one, or two that are not.
fn mend_pair<const COLUMNS: usize>(parent: Node<INNER>, left: usize, height: usize) -> Mended {
    let right = left + 1;
    let (left_node, right_node) =
        (Node::<COLUMNS>::at(parent.child(left)), Node::<COLUMNS>::at(parent.child(right)));
    let count = left_node.count() + right_node.count();
    if count < 2 * ENTRIES_MIN {
        let joined = left_node.joined(right_node);
        parent.set_child(left, joined.address());
        parent.set_size(left, parent.sizes()[left] + parent.sizes()[right]);
        parent.closed(right, 1);
        return Mended::Joined;
    }
    let (left_node, right_node) = left_node.levelled(right_node, count / 2);
    for (at, address) in [(left, left_node.address()), (right, right_node.address())] {
        let child = Child::of(address, height);
        parent.set_pair(at, child.first);
        parent.set_child(at, child.address);
        parent.set_size(at, child.size);
    }
    Mended::Levelled
}

fn node_bytes(address: Address, height: usize) -> usize {
    if height == 0 {
        return Node::<LEAF>::at(address).heap_bytes();
    }
    let node = Node::<INNER>::at(address);
    let below: usize = (0..node.count()).map(|at| node_bytes(node.child(at), height - 1)).sum();
    node.heap_bytes() + below
}

fn free_below(address: Address, height: usize) {
    if height == 0 {
        return Node::<LEAF>::at(address).free();
    }
    let node = Node::<INNER>::at(address);
    (0..node.count()).for_each(|at| free_below(node.child(at), height - 1));
    node.free();
}
