//! Reading a list.

use crate::encoding::listpack::{Element, Listpack};
use crate::encoding::quicklist::{Direction, NodeRoom, NodeView, Quicklist};
use std::ops::ControlFlow;

/// A list to be read.
#[derive(Clone, Copy)]
pub enum ListView<'a> {
    Packed(Listpack<'a>),
    Quick(&'a Quicklist),
}

impl<'a> ListView<'a> {
    pub fn len(self) -> usize {
        match self {
            ListView::Packed(packed) => packed.len(),
            ListView::Quick(list) => list.len(),
        }
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The index from the front of what `index` means, which counts from the end if it is negative (-1: the last).
    pub fn index_of(self, index: i64) -> Option<usize> {
        let len = self.len();
        let index = match usize::try_from(index) {
            Ok(index) => index,
            Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
        };
        (index < len).then_some(index)
    }

    /// Shows element `index` to `show`; None if there is no such element.
    pub fn get<R>(self, index: usize, show: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        match self {
            ListView::Packed(packed) => {
                let at = packed.nth(isize::try_from(index).ok()?)?;
                Some(show(packed.at(at)))
            }
            ListView::Quick(list) => list.get(index, show),
        }
    }

    /// Shows the elements from `index` on in a direction, until `show` breaks.
    pub fn visit(
        self,
        index: usize,
        direction: Direction,
        mut show: impl FnMut(Element<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            ListView::Quick(list) => list.visit(index, direction, &mut show),
            ListView::Packed(packed) => {
                let Some(at) = isize::try_from(index).ok().and_then(|index| packed.nth(index)) else {
                    return ControlFlow::Continue(());
                };
                match direction {
                    Direction::Forward => packed.iter_from(at).try_for_each(show),
                    Direction::Backward => packed.iter_to(at).rev().try_for_each(show),
                }
            }
        }
    }

    /// Shows up to `count` elements from `index` on.
    pub fn range(self, index: usize, count: usize, mut show: impl FnMut(Element<'_>)) {
        let mut left = count;
        if left == 0 {
            return;
        }
        let _ = self.visit(index, Direction::Forward, |element| {
            show(element);
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
    }

    /// Shows all elements.
    pub fn for_each(self, show: impl FnMut(Element<'_>)) {
        self.range(0, usize::MAX, show);
    }

    /// Shows the nodes as an RDB file holds them; a packed list is one.
    pub fn for_each_node(self, room: &mut NodeRoom, show: &mut dyn FnMut(NodeView<'_>)) {
        match self {
            ListView::Packed(packed) => show(NodeView::Packed(packed.bytes())),
            ListView::Quick(list) => list.for_each_node(room, show),
        }
    }

    pub fn node_count(self) -> usize {
        match self {
            ListView::Packed(_) => 1,
            ListView::Quick(list) => list.node_count(),
        }
    }
}
