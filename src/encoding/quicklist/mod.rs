//! Quicklist: a large list, as a deque of nodes that hold some elements each.
//!
//! ```text
//!   nodes:   Open  Open  Run  Even  Even  Run  Plain  Run  Open  Open     a deque of 32 bytes a node
//!                                                                         their contents: see `node`
//! ```
//! A push or a pop touches the node at that end and nothing else: it has room on both sides, and entries with their
//! lengths behind them, so that it can be read from either end. Nodes further in are sealed: without those lengths and
//! without room, and without what all their entries begin with if they are of one length or width. With a compress
//! depth of n, all but the n nodes at either end are compressed if that saves enough.
//!
//! Invariants:
//! 1. No node is empty; `len` is the sum of the nodes' counts.
//! 2. The nodes at the ends, as many as the compress depth says, are not compressed (if that directive has not been
//!    changed since).
//! 3. A node is within its limit, or holds one element. An element that is larger than the limit is a plain node.
//!
//! Finding an index walks the nodes' counts from the nearer end; a million elements are some two thousand nodes.

mod content;
mod edit;
mod limits;
mod node;
#[cfg(test)]
mod tests;

pub use edit::Side;
pub use limits::{Limits, NodeLimit};

use super::listpack::format::Encoded;
use super::listpack::{self, Element, HEADER_BYTES, Listpack};
use node::{Form, Node};
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Head,
    Tail,
}

/// Which way a list is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// What a list must be within to become one listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The limit of a node.
    Whole,
    /// Half of it: the list has shrunk.
    Half,
}

/// A node as an RDB file holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeView<'a> {
    /// A listpack.
    Packed(&'a [u8]),
    /// The text of one element.
    Plain(&'a [u8]),
}

/// Room in which nodes are made ready to be shown. A saving child brings it along, so that it need not allocate.
#[derive(Default)]
pub struct NodeRoom {
    content: Vec<u8>,
    blob: Vec<u8>,
}

impl NodeRoom {
    /// For nodes of up to `bytes` without a further allocation.
    pub fn with_capacity(bytes: usize) -> NodeRoom {
        NodeRoom { content: Vec::with_capacity(bytes), blob: Vec::with_capacity(bytes) }
    }
}

#[derive(Clone, Default)]
pub struct Quicklist {
    nodes: VecDeque<Node>,
    len: usize,
}

impl Quicklist {
    pub fn new() -> Self {
        Quicklist::default()
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Heap bytes: of all nodes if `samples` is 0, else estimated by that many.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        let deque = self.nodes.capacity() * size_of::<Node>();
        let looked_at = if samples == 0 { self.nodes.len() } else { samples.min(self.nodes.len()) };
        let bytes: usize = self.nodes.iter().take(looked_at).map(Node::heap_bytes).sum();
        deque + (bytes as u128 * self.nodes.len() as u128 / looked_at.max(1) as u128) as usize
    }

    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    #[track_caller]
    pub fn check(&self) {
        self.nodes.iter().for_each(Node::check);
        assert_eq!(self.nodes.iter().map(Node::count).sum::<usize>(), self.len);
    }

    // ----- the ends -----

    #[inline]
    pub fn push(&mut self, end: End, text: &[u8], limits: Limits) {
        self.len += 1;
        if limits.is_plain(text.len()) {
            return self.add_node(end, Node::plain(text.to_vec()), limits);
        }
        let entry = Encoded::of_text(text);
        match self.end_mut(end) {
            Some(node) if node.admits(&entry, limits.node) => node.push(end, &entry),
            _ => {
                let mut node = Node::empty();
                node.push(end, &entry);
                self.add_node(end, node, limits);
            }
        }
    }

    /// Takes the element at an end away, showing it to `taken`; None if there is none.
    #[inline]
    pub fn pop<R>(&mut self, end: End, limits: Limits, taken: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        let node = self.end_mut(end)?;
        node.load();
        let result = node.pop(end, taken);
        if node.count() == 0 {
            self.drop_node(end, limits);
        }
        self.len -= 1;
        Some(result)
    }

    /// Adds a checked listpack as the last node. An empty one is left out.
    pub fn push_listpack(&mut self, blob: Vec<u8>, limits: Limits) {
        let count = Listpack::trusted(&blob).len();
        if count > 0 {
            let end = blob.len() - 1;
            self.len += count;
            self.add_node(End::Tail, Node::from_entries(blob, HEADER_BYTES..end, count), limits);
        }
    }

    /// Adds the elements of a checked listpack at the end, in nodes that are filled to their limit. To be followed by
    /// `finish`.
    pub fn absorb(&mut self, blob: Vec<u8>, limits: Limits) {
        let NodeLimit::Bytes(most) = limits.node else { return self.push_listpack(blob, limits) };
        let mut rest = &blob[HEADER_BYTES..blob.len() - 1];
        while !rest.is_empty() {
            if let Some(last) = self.nodes.back_mut() {
                let before = last.count();
                rest = last.absorb(rest);
                self.len += last.count() - before;
            }
            if rest.is_empty() {
                return;
            }
            match listpack::format::string_place(rest) {
                Some((start, length)) if start + length > most => {
                    let size = start + length;
                    self.len += 1;
                    self.add_node(End::Tail, Node::plain(rest[start..size].to_vec()), limits);
                    rest = &rest[size + listpack::format::backlen_bytes(size, &rest[size..])..];
                }
                _ => self.add_node(End::Tail, Node::with_room(most, rest), limits),
            }
        }
    }

    /// Gives back the room that `absorb` has left.
    pub fn finish(&mut self) {
        if let Some(last) = self.nodes.back_mut() {
            last.shrink_to_fit();
        }
    }

    /// Adds an element as the last node, as a plain one if it is as large as that.
    pub fn push_owned(&mut self, text: Vec<u8>, limits: Limits) {
        if limits.is_plain(text.len()) {
            self.len += 1;
            self.add_node(End::Tail, Node::plain(text), limits);
        } else {
            self.push(End::Tail, &text, limits);
        }
    }

    #[inline]
    fn end_mut(&mut self, end: End) -> Option<&mut Node> {
        match end {
            End::Head => self.nodes.front_mut(),
            End::Tail => self.nodes.back_mut(),
        }
    }

    /// The place of the node that is the `distance`th from an end, 0 being the node at the end.
    fn place(&self, end: End, distance: usize) -> Option<usize> {
        let behind = self.nodes.len().checked_sub(1 + distance)?;
        Some(if end == End::Head { distance } else { behind })
    }

    #[cold]
    fn add_node(&mut self, end: End, node: Node, limits: Limits) {
        /// Two nodes stay open, so that going to and fro between them costs nothing.
        const OPEN_NODES: usize = 2;
        match end {
            End::Head => self.nodes.push_front(node),
            End::Tail => self.nodes.push_back(node),
        }
        if let Some(place) = self.place(end, OPEN_NODES) {
            self.nodes[place].seal();
        }
        if let Some(place) = self.place(end, limits.compress_depth) {
            self.squeeze_if_inside(place, limits);
        }
    }

    /// Removes the node at an end.
    #[cold]
    fn drop_node(&mut self, end: End, limits: Limits) {
        match end {
            End::Head => self.nodes.pop_front(),
            End::Tail => self.nodes.pop_back(),
        };
        if let Some(place) = limits.compress_depth.checked_sub(1).and_then(|depth| self.place(end, depth)) {
            self.nodes[place].load();
        }
        self.shrink_deque();
    }

    fn shrink_deque(&mut self) {
        const KEPT: usize = 32;
        if self.nodes.capacity() > KEPT && self.nodes.len() < self.nodes.capacity() / 4 {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
    }

    /// Compresses a node that is farther from both ends than the depth.
    fn squeeze_if_inside(&mut self, place: usize, limits: Limits) {
        let depth = limits.compress_depth;
        if depth > 0 && place >= depth && self.nodes.len() - place > depth {
            self.nodes[place].squeeze();
        }
    }

    // ----- reading -----

    /// The node that holds element `index`, and its index in there.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut rest = index;
            for (place, node) in self.nodes.iter().enumerate() {
                match rest.checked_sub(node.count()) {
                    Some(less) => rest = less,
                    None => return Some((place, rest)),
                }
            }
        } else {
            let mut behind = self.len - 1 - index;
            for (place, node) in self.nodes.iter().enumerate().rev() {
                match behind.checked_sub(node.count()) {
                    Some(less) => behind = less,
                    None => return Some((place, node.count() - 1 - behind)),
                }
            }
        }
        None
    }

    /// Shows element `index` to `show`; None if there is no such element.
    pub fn get<R>(&self, index: usize, show: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        let mut show = Some(show);
        let mut result = None;
        let _ = self.visit(index, Direction::Forward, &mut |element| {
            result = show.take().map(|show| show(element));
            ControlFlow::Break(())
        });
        result
    }

    /// Shows the elements from `index` on in a direction, until `show` breaks.
    pub fn visit(
        &self,
        index: usize,
        direction: Direction,
        show: &mut impl FnMut(Element<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some((mut place, mut within)) = self.locate(index) else { return ControlFlow::Continue(()) };
        let mut scratch = Vec::new();
        loop {
            self.nodes[place].content(&mut scratch).visit(within, direction, show)?;
            let next = match direction {
                Direction::Forward => place.checked_add(1).filter(|next| *next < self.nodes.len()),
                Direction::Backward => place.checked_sub(1),
            };
            let Some(next) = next else { return ControlFlow::Continue(()) };
            place = next;
            within = match direction {
                Direction::Forward => 0,
                Direction::Backward => self.nodes[place].count() - 1,
            };
        }
    }

    /// Shows every node as an RDB file holds it.
    pub fn for_each_node(&self, room: &mut NodeRoom, show: &mut dyn FnMut(NodeView<'_>)) {
        let NodeRoom { content, blob } = room;
        for node in &self.nodes {
            let content = node.content(content);
            if content.form == Form::Plain {
                show(NodeView::Plain(content.bytes));
            } else {
                blob.clear();
                append_listpack(content, node.count(), blob);
                show(NodeView::Packed(blob));
            }
        }
    }

    /// The list as one listpack, if it is a single node that is as small as that.
    pub fn single_listpack(&self, limit: NodeLimit, fit: Fit) -> Option<Vec<u8>> {
        if self.nodes.len() != 1 {
            return None;
        }
        let node = self.nodes.front()?;
        let fits = |bytes| match fit {
            Fit::Half => limit.is_far_from(bytes, node.count()),
            Fit::Whole => limit.allows(bytes, node.count()),
        };
        if !fits(node.run_weight() + node.count()) || matches!(node.form(), Form::Plain | Form::SqueezedPlain)
        {
            return None;
        }
        let mut blob = Vec::with_capacity(node.run_weight() + node.count() + HEADER_BYTES + 1);
        append_listpack(node.content(&mut Vec::new()), node.count(), &mut blob);
        fits(blob.len()).then_some(blob)
    }
}

/// Appends a listpack of the content of a packed node to `blob`, which is empty.
fn append_listpack(content: content::Content<'_>, count: usize, blob: &mut Vec<u8>) {
    blob.extend_from_slice(&[0; HEADER_BYTES]);
    content.append_entries(blob);
    listpack::edit::finish(blob, count);
}
