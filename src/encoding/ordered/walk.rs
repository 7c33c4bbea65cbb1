//! Entries one after the other, up or down, from any place.
//!
//! Items lie all over the heap, so those that come soon are asked for ahead, and at the beginning of a leaf the next
//! leaf is.

use std::marker::PhantomData;

use super::node::{INNER, LEAF, Node, Pair};
use super::path::Path;
use super::tree::Tree;
use crate::encoding::prefetch::{prefetch, prefetch_two_lines};

/// Items that are on their way while one is shown.
const ITEMS_AHEAD: usize = 8;

/// Which way entries are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// Shows a number of entries from a place on.
pub(super) struct Walk<'a> {
    /// Of the entry that is shown next; meaningless when none is.
    path: Option<Path>,
    height: usize,
    left: usize,
    order: Order,
    tree: PhantomData<&'a Tree>,
}

impl Tree {
    /// Up to `count` entries: ascending from the entry of rank `start` on; descending from the entry that has `start`
    /// entries behind it.
    pub(super) fn walk(&self, start: usize, count: usize, order: Order) -> Walk<'_> {
        let left = count.min(self.len().saturating_sub(start));
        let rank = match order {
            Order::Ascending => start,
            Order::Descending => self.len().wrapping_sub(start).wrapping_sub(1),
        };
        let path = self.root.filter(|_| left > 0).map(|root| self.seek(root, rank));
        let walk = Walk { path, height: self.height, left, order, tree: PhantomData };
        walk.prefetch_leaf();
        walk
    }
}

impl Iterator for Walk<'_> {
    type Item = Pair;

    #[inline]
    fn next(&mut self) -> Option<Pair> {
        if self.left == 0 {
            return None;
        }
        let path = self.path.as_mut()?;
        let (leaf, position) = (path.leaf, path.position);
        let pair = leaf.pair(position);
        self.left -= 1;
        let ahead = match self.order {
            Order::Ascending => position + ITEMS_AHEAD,
            Order::Descending => position.wrapping_sub(ITEMS_AHEAD),
        };
        if let Some(item) = leaf.items().get(ahead) {
            prefetch_two_lines(item.address());
        }
        match self.order {
            Order::Ascending if position + 1 < leaf.count() => path.position += 1,
            Order::Descending if position > 0 => path.position -= 1,
            Order::Ascending | Order::Descending => self.next_leaf(),
        }
        Some(pair)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Walk<'_> {}

impl Walk<'_> {
    /// Goes on to the neighbouring leaf, if there is anything left to show.
    fn next_leaf(&mut self) {
        let Some(path) = self.path.as_mut().filter(|_| self.left > 0) else { return };
        let mut depth = self.height;
        let mut address = loop {
            let Some(above) = depth.checked_sub(1) else { return };
            depth = above;
            let step = &mut path.steps[depth];
            let index = neighbour(step.index, self.order);
            if index < step.node.count() {
                step.index = index;
                break step.node.child(index);
            }
        };
        for step in &mut path.steps[depth + 1..self.height] {
            let node = Node::<INNER>::at(address);
            let index = outermost(node.count(), self.order);
            (step.node, step.index) = (node, index);
            address = node.child(index);
        }
        path.leaf = Node::at(address);
        path.position = outermost(path.leaf.count(), self.order);
        self.prefetch_leaf();
    }

    /// Asks for the first items of the leaf, and for the leaf after it.
    fn prefetch_leaf(&self) {
        let Some(path) = &self.path else { return };
        let items = path.leaf.items();
        let first = match self.order {
            Order::Ascending => path.position,
            Order::Descending => (path.position + 1).saturating_sub(ITEMS_AHEAD),
        };
        items[first..]
            .iter()
            .take(ITEMS_AHEAD.min(self.left))
            .for_each(|item| prefetch_two_lines(item.address()));
        let Some(above) = self.height.checked_sub(1) else { return };
        let step = path.steps[above];
        let index = neighbour(step.index, self.order);
        if index < step.node.count() && self.left > items.len() {
            let next = Node::<LEAF>::at(step.node.child(index));
            prefetch(next.address().as_ptr());
            let middle = step.node.sizes()[index] * size_of::<u64>();
            (0..3).for_each(|line| {
                prefetch(next.address().as_ptr().cast::<u8>().wrapping_add(middle + line * 64))
            });
        }
    }
}

/// The index beside another; one that is out of range behind the outermost.
fn neighbour(index: usize, order: Order) -> usize {
    match order {
        Order::Ascending => index + 1,
        Order::Descending => index.wrapping_sub(1),
    }
}

/// The index that is shown first of so many.
fn outermost(count: usize, order: Order) -> usize {
    match order {
        Order::Ascending => 0,
        Order::Descending => count - 1,
    }
}
