//! The list type: elements in order, most often changed at its ends.
//!
//! ```text
//!   Packed   a listpack, embedded in the key's entry while it is small        OBJECT ENCODING listpack
//!   Quick    a deque of nodes                                                 quicklist
//! ```
//! A packed list becomes a quicklist before it would exceed `list-max-listpack-size` (the texts that are to be added
//! counted as they were given), and a quicklist becomes packed again when removals leave a single node of at most
//! half of that limit: between the two lies room for a list that grows and shrinks all the time.

#[cfg(test)]
mod tests;
mod view;

pub use view::ListView;

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};
use crate::base::alloc::size_class;
use crate::encoding::listpack::{At, Digits, Element, HEADER_BYTES, Listpack, Needle, edit};
use crate::encoding::quicklist::{Direction, End, Fit, Limits, NodeLimit, Quicklist, Side};
use std::ops::Range;

pub enum List {
    Packed(Vec<u8>),
    Quick(Quicklist),
}

fn limits(rules: &Rules) -> Limits {
    Limits {
        node: NodeLimit::from_directive(rules.list_max_listpack_size),
        compress_depth: rules.list_compress_depth,
        plain_bytes_min: rules.list_plain_bytes_min,
    }
}

impl List {
    /// How many elements.
    pub fn count(&self) -> usize {
        self.view().len()
    }

    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    pub fn check(&self) {
        match self {
            List::Packed(blob) => assert!(Listpack::check(blob).is_ok(), "a broken listpack"),
            List::Quick(list) => list.check(),
        }
    }

    // ----- adding -----

    /// Adds texts one after the other at an end.
    pub fn push<'t>(&mut self, end: End, texts: impl Iterator<Item = &'t [u8]> + Clone, rules: &Rules) {
        let limits = limits(rules);
        if matches!(self, List::Packed(_)) {
            let (bytes, entries) =
                texts.clone().fold((0, 0), |(bytes, entries), text| (bytes + text.len(), entries + 1));
            self.make_room(bytes, entries, limits);
        }
        match self {
            List::Packed(blob) => texts.for_each(|text| match end {
                End::Head => edit::push_front(blob, text),
                End::Tail => edit::push(blob, text),
            }),
            List::Quick(list) => texts.for_each(|text| list.push(end, text, limits)),
        }
    }

    /// Adds an element of another list at an end. (An integer needs no bytes as long as a listpack has room for it.)
    pub fn push_element(&mut self, end: End, element: Element<'_>, rules: &Rules) {
        let mut digits = Digits::default();
        if let Element::Int(_) = element {
            self.make_room(0, 1, limits(rules));
            let text = element.text(&mut digits);
            match (self, end) {
                (List::Packed(blob), End::Head) => edit::push_front(blob, text),
                (List::Packed(blob), End::Tail) => edit::push(blob, text),
                (List::Quick(list), _) => list.push(end, text, limits(rules)),
            }
        } else {
            self.push(end, std::iter::once(element.text(&mut digits)), rules);
        }
    }

    /// Puts `text` beside the first element that is `pivot`. Whether there is one.
    pub fn insert_beside(&mut self, pivot: &[u8], side: Side, text: &[u8], rules: &Rules) -> bool {
        // Before the search, as Redis does it: one walk is enough then.
        self.make_room(text.len(), 1, limits(rules));
        match self {
            List::Packed(blob) => insert_beside(blob, pivot, side, text),
            List::Quick(list) => list.insert_beside(&Needle::new(pivot), side, text, limits(rules)),
        }
    }

    /// Puts `text` in the place of element `index`. Whether there is one.
    pub fn set(&mut self, index: usize, text: &[u8], rules: &Rules) -> bool {
        self.make_room(text.len(), 1, limits(rules));
        let is_there = match self {
            List::Packed(blob) => match place(blob, index) {
                Some(at) => {
                    edit::replace(blob, at, text);
                    true
                }
                None => false,
            },
            List::Quick(list) => list.set(index, text, limits(rules)),
        };
        if is_there {
            self.shrink(rules);
        }
        is_there
    }

    // ----- removing -----

    /// Takes up to `count` elements away at an end and shows them, the one at the end first.
    pub fn pop(&mut self, end: End, count: usize, rules: &Rules, mut taken: impl FnMut(Element<'_>)) {
        match self {
            List::Packed(blob) => pop_packed(blob, end, count, taken),
            List::Quick(list) => {
                let limits = limits(rules);
                for _ in 0..count {
                    if list.pop(end, limits, &mut taken).is_none() {
                        break;
                    }
                }
            }
        }
        self.shrink(rules);
    }

    /// Removes up to `most` elements that are `needle`, the first or the last ones. How many were removed.
    pub fn remove_equal(&mut self, needle: &[u8], most: usize, direction: Direction, rules: &Rules) -> usize {
        let removed = match self {
            List::Packed(blob) => remove_equal(blob, &Needle::new(needle), most, direction),
            List::Quick(list) => list.remove_equal(&Needle::new(needle), most, direction, limits(rules)),
        };
        if removed > 0 {
            self.shrink(rules);
        }
        removed
    }

    /// Keeps the elements `kept` and removes all others.
    pub fn trim(&mut self, kept: Range<usize>, rules: &Rules) {
        match self {
            List::Packed(blob) => {
                if let Some(behind) = place(blob, kept.end.max(kept.start)) {
                    edit::remove(blob, behind, usize::MAX);
                }
                if let Some(first) = place(blob, 0) {
                    edit::remove(blob, first, kept.start);
                }
            }
            List::Quick(list) => list.trim(kept, limits(rules)),
        }
        self.shrink(rules);
    }

    // ----- encodings -----

    /// Makes a packed list a quicklist if so much more would be too much for it.
    fn make_room(&mut self, bytes: usize, entries: usize, limits: Limits) {
        if let List::Packed(blob) = self {
            let packed = Listpack::trusted(blob);
            if !limits.node.allows(packed.bytes().len() + bytes, packed.len() + entries) {
                self.unpack(limits);
            }
        }
    }

    #[cold]
    fn unpack(&mut self, limits: Limits) -> &mut Quicklist {
        if let List::Packed(blob) = self {
            let mut list = Quicklist::new();
            list.push_listpack(std::mem::take(blob), limits);
            *self = List::Quick(list);
        }
        match self {
            List::Quick(list) => list,
            List::Packed(_) => unreachable!("it was made a quicklist above"),
        }
    }

    /// Packs a quicklist that has become small, or nothing.
    #[inline]
    fn shrink(&mut self, rules: &Rules) {
        if let List::Quick(list) = self
            && list.node_count() <= 1
        {
            self.pack(Fit::Half, rules);
        }
    }

    fn pack(&mut self, fit: Fit, rules: &Rules) {
        let List::Quick(list) = self else { return };
        if list.is_empty() {
            *self = List::Packed(edit::empty());
        } else if let Some(blob) = list.single_listpack(limits(rules).node, fit) {
            *self = List::Packed(blob);
        }
    }

    // ----- loading -----

    /// Adds an element at the end, while a list is read element by element.
    pub fn push_back(&mut self, text: &[u8], rules: &Rules) {
        self.push(End::Tail, std::iter::once(text), rules);
    }

    /// Adds a whole listpack at the end, which has been checked.
    pub fn push_listpack(&mut self, blob: Vec<u8>, rules: &Rules) {
        if self.is_empty() {
            *self = List::Packed(blob);
        } else {
            self.unpack(limits(rules)).absorb(blob, limits(rules));
        }
    }

    /// Adds an element at the end that lies in a node of its own.
    pub fn push_plain(&mut self, text: Vec<u8>, rules: &Rules) {
        let limits = limits(rules);
        self.unpack(limits).push_owned(text, limits);
    }

    /// Brings a list that has been loaded into the encoding that it should have.
    pub fn finish_load(&mut self, rules: &Rules) {
        self.make_room(0, 0, limits(rules));
        if let List::Quick(list) = self {
            list.finish();
        }
        self.pack(Fit::Whole, rules);
    }
}

/// The place of element `index`.
fn place(blob: &[u8], index: usize) -> Option<At> {
    Listpack::trusted(blob).nth(isize::try_from(index).ok()?)
}

fn insert_beside(blob: &mut Vec<u8>, pivot: &[u8], side: Side, text: &[u8]) -> bool {
    let packed = Listpack::trusted(blob);
    let Some(found) = packed.find(packed.first(), pivot, 0) else { return false };
    let before = if side == Side::Before { Some(found) } else { packed.next(found) };
    match before {
        Some(before) => edit::insert(blob, before, text),
        None => edit::push(blob, text),
    }
    true
}

fn pop_packed(blob: &mut Vec<u8>, end: End, count: usize, mut taken: impl FnMut(Element<'_>)) {
    let packed = Listpack::trusted(blob);
    let count = count.min(packed.len());
    match end {
        End::Head => packed.iter().take(count).for_each(&mut taken),
        End::Tail => packed.iter().rev().take(count).for_each(&mut taken),
    }
    let first = match end {
        End::Head => packed.first(),
        End::Tail => packed.nth(-(count as isize)),
    };
    if let Some(first) = first {
        edit::remove(blob, first, count);
    }
}

fn remove_equal(blob: &mut Vec<u8>, needle: &Needle<'_>, most: usize, direction: Direction) -> usize {
    let mut found = Vec::new();
    let packed = Listpack::trusted(blob);
    let mut at = packed.first();
    while let Some(here) = at {
        if needle.is(packed.at(here)) {
            found.push(here);
        }
        at = packed.next(here);
    }
    match direction {
        Direction::Forward => found.truncate(most),
        Direction::Backward => drop(found.drain(..found.len().saturating_sub(most))),
    }
    if found.is_empty() {
        return 0;
    }
    let mut kept = edit::with_capacity(packed.bytes().len());
    let mut gone = found.iter().peekable();
    let mut at = packed.first();
    while let Some(here) = at {
        if gone.next_if(|place| **place == here).is_none() {
            edit::push_element(&mut kept, packed.at(here));
        }
        at = packed.next(here);
    }
    *blob = kept;
    found.len()
}

impl DataType for List {
    const TYPE: ValueType = ValueType::List;
    type View<'a> = ListView<'a>;

    fn create(_rules: &Rules) -> Self {
        List::Packed(edit::empty())
    }

    #[inline]
    fn view(&self) -> ListView<'_> {
        match self {
            List::Packed(blob) => ListView::Packed(Listpack::trusted(blob)),
            List::Quick(list) => ListView::Quick(list),
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        match self {
            List::Packed(blob) => blob.len() == HEADER_BYTES + 1,
            List::Quick(list) => list.is_empty(),
        }
    }

    fn encoding(view: ListView<'_>) -> Encoding {
        match view {
            ListView::Packed(_) => Encoding::Listpack,
            ListView::Quick(_) => Encoding::Quicklist,
        }
    }

    #[inline]
    fn packed(&self) -> Option<(Packing, &[u8])> {
        match self {
            List::Packed(blob) => Some((Packing::List, blob)),
            List::Quick(_) => None,
        }
    }

    #[inline]
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        match self {
            List::Packed(blob) => Ok((Packing::List, blob)),
            List::Quick(_) => Err(self),
        }
    }

    #[inline]
    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self {
        List::Packed(bytes)
    }

    #[inline]
    fn view_packed(_packing: Packing, bytes: &[u8]) -> ListView<'_> {
        ListView::Packed(Listpack::trusted(bytes))
    }

    fn load_packed(_packing: Packing, bytes: Vec<u8>, _: Depth, rules: &Rules) -> Result<Self, Corrupt> {
        Listpack::check(&bytes).map_err(|error| Corrupt(error.0))?;
        let mut list = List::Packed(bytes);
        list.finish_load(rules);
        Ok(list)
    }

    fn duplicate(&self) -> Self {
        match self {
            List::Packed(blob) => List::Packed(blob.clone()),
            List::Quick(list) => List::Quick(list.clone()),
        }
    }

    fn heap_bytes(view: ListView<'_>, samples: usize) -> usize {
        match view {
            ListView::Packed(packed) => size_class(packed.bytes().len()),
            ListView::Quick(list) => list.heap_bytes(samples),
        }
    }

    fn drop_cost(&self) -> usize {
        match self {
            List::Packed(_) => 1,
            List::Quick(list) => 1 + list.node_count(),
        }
    }

    /// A list has no tables.
    fn set_rehash(&mut self, _rehash: Rehash) {}
}
