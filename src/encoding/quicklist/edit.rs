//! Edits of a large list that need not be at its ends.
//!
//! A node that would grow beyond its limit is split where the edit is; neighbours that fit into one node are joined
//! where an edit split them. Nodes that an edit has loaded and that lie far inside are compressed again.

use super::{Direction, End, Limits, Quicklist};
use crate::encoding::listpack::Needle;
use crate::encoding::listpack::format::Encoded;
use crate::encoding::quicklist::node::{Form, Node};
use std::ops::{ControlFlow, Range};

/// Where an element is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

impl Quicklist {
    /// Puts `text` beside the first element that is `pivot`. Whether there is one.
    pub fn insert_beside(&mut self, pivot: &Needle<'_>, side: Side, text: &[u8], limits: Limits) -> bool {
        let mut index = 0;
        let found = self.visit(0, Direction::Forward, &mut |element| {
            if pivot.is(element) {
                return ControlFlow::Break(());
            }
            index += 1;
            ControlFlow::Continue(())
        });
        if found.is_break() {
            self.insert(index + usize::from(side == Side::After), text, limits);
        }
        found.is_break()
    }

    /// Puts `text` before element `index`, or behind all if there is none.
    pub fn insert(&mut self, index: usize, text: &[u8], limits: Limits) {
        let Some((place, within)) = self.locate(index) else { return self.push(End::Tail, text, limits) };
        if index == 0 {
            return self.push(End::Head, text, limits);
        }
        self.len += 1;
        self.nodes[place].load();
        if limits.is_plain(text.len()) {
            let gap = self.split(place, within);
            self.nodes.insert(gap, Node::plain(text.to_vec()));
            return self.settle(place..gap + 2, limits);
        }
        let entry = Encoded::of_text(text);
        if self.nodes[place].admits(&entry, limits.node) {
            self.nodes[place].insert(within, &entry);
            return self.settle(place..place + 1, limits);
        }
        let gap = self.split(place, within);
        self.insert_in_gap(gap, &entry, limits);
        self.settle(place..gap + 2, limits);
    }

    /// Puts an entry between the nodes `gap - 1` and `gap`: into one of them, or into one of its own.
    fn insert_in_gap(&mut self, gap: usize, entry: &Encoded<'_>, limits: Limits) {
        if gap > 0 && self.nodes[gap - 1].admits(entry, limits.node) {
            let last = self.nodes[gap - 1].count();
            self.nodes[gap - 1].insert(last, entry);
        } else if gap < self.nodes.len() && self.nodes[gap].admits(entry, limits.node) {
            self.nodes[gap].insert(0, entry);
        } else {
            let mut node = Node::empty();
            node.push(End::Tail, entry);
            node.seal();
            self.nodes.insert(gap, node);
        }
    }

    /// Puts `text` in the place of element `index`. Whether there is one.
    pub fn set(&mut self, index: usize, text: &[u8], limits: Limits) -> bool {
        let Some((place, within)) = self.locate(index) else { return false };
        self.nodes[place].load();
        let is_large = limits.is_plain(text.len());
        if self.nodes[place].is_packed() && !is_large {
            self.nodes[place].replace(within, &Encoded::of_text(text));
            if self.nodes[place].is_beyond(limits.node) {
                self.isolate(place, within);
                self.join(place, limits);
            }
            self.settle(place..place + 3, limits);
            return true;
        }
        let place = self.isolate(place, within);
        self.nodes[place] = if is_large {
            Node::plain(text.to_vec())
        } else {
            let mut node = Node::empty();
            node.push(End::Tail, &Encoded::of_text(text));
            node.seal();
            node
        };
        self.join(place, limits);
        self.settle(place.saturating_sub(1)..place + 2, limits);
        true
    }

    /// Removes up to `most` elements that are `needle`, the first or the last ones. How many were removed.
    pub fn remove_equal(
        &mut self,
        needle: &Needle<'_>,
        most: usize,
        direction: Direction,
        limits: Limits,
    ) -> usize {
        let mut removed = 0;
        for step in 0..self.nodes.len() {
            let place = if direction == Direction::Forward { step } else { self.nodes.len() - 1 - step };
            if removed == most {
                break;
            }
            let here = self.nodes[place].remove_equal(needle, most - removed, direction);
            if here > 0 && self.nodes[place].count() > 0 {
                self.squeeze_if_inside(place, limits);
            }
            removed += here;
        }
        if removed > 0 {
            self.len -= removed;
            self.nodes.retain(|node| node.count() > 0);
            self.settle(0..0, limits);
        }
        removed
    }

    /// Keeps the elements `kept` and removes all others.
    pub fn trim(&mut self, kept: Range<usize>, limits: Limits) {
        let kept = kept.start..kept.end.min(self.len);
        if kept.is_empty() {
            *self = Quicklist::new();
            return;
        }
        let behind = self.len - kept.end;
        self.cut(End::Head, kept.start);
        self.cut(End::Tail, behind);
        self.settle(0..0, limits);
    }

    /// Removes `count` elements at an end, which must leave one.
    fn cut(&mut self, end: End, count: usize) {
        let mut rest = count;
        while let Some(node) = self.end_mut(end) {
            if node.count() > rest {
                if rest > 0 {
                    node.load();
                    node.cut(end, rest);
                }
                break;
            }
            rest -= node.count();
            match end {
                End::Head => self.nodes.pop_front(),
                End::Tail => self.nodes.pop_back(),
            };
        }
        self.len -= count;
    }

    // ----- nodes -----

    /// Splits the node at `place` before its element `within`; returns where a node between the parts would be. The
    /// node must not be squeezed.
    fn split(&mut self, place: usize, within: usize) -> usize {
        if within == 0 {
            return place;
        }
        if within < self.nodes[place].count() {
            let tail = self.nodes[place].split_off(within);
            self.nodes.insert(place + 1, tail);
        }
        place + 1
    }

    /// Gives one element a node of its own; returns where that is.
    fn isolate(&mut self, place: usize, within: usize) -> usize {
        let alone = self.split(place, within);
        self.split(alone, 1);
        alone
    }

    /// Joins the nodes around `place` with it as far as they fit into one node.
    fn join(&mut self, place: usize, limits: Limits) {
        for first in [place + 1, place, place.saturating_sub(1)] {
            let second = first + 1;
            if second >= self.nodes.len() {
                continue;
            }
            let (one, other) = (&self.nodes[first], &self.nodes[second]);
            let entries = one.count() + other.count();
            if one.is_packed() && other.is_packed() && limits.node.allows(one.joint_weight(other), entries) {
                let other = self.nodes.remove(second).expect("it was looked at above");
                self.nodes[first].append(&other);
            }
        }
    }

    /// After nodes were added or removed: those near the ends are loaded, those just beyond them and those in
    /// `edited` compressed.
    fn settle(&mut self, edited: Range<usize>, limits: Limits) {
        let depth = limits.compress_depth.min(self.nodes.len());
        for distance in 0..depth {
            for end in [End::Head, End::Tail] {
                let place = self.place(end, distance).expect("the depth is at most the number of nodes");
                self.nodes[place].load();
            }
        }
        let last = self.nodes.len();
        edited.filter(|place| *place < last).for_each(|place| self.squeeze_if_inside(place, limits));
        for end in [End::Head, End::Tail] {
            if let Some(place) = self.place(end, depth) {
                self.squeeze_if_inside(place, limits);
            }
        }
        self.shrink_deque();
    }

    /// How many nodes are compressed.
    pub fn squeezed_node_count(&self) -> usize {
        let squeezed = |node: &&Node| matches!(node.form(), Form::Squeezed | Form::SqueezedPlain);
        self.nodes.iter().filter(squeezed).count()
    }
}
