//! A node: up to some hundred entries in one listpack, the very blob of an RDB file.
//!
//! ```text
//! | count | deleted | fields | field .. | 0 |  entry ..            the master entry, then the entries
//!   count, deleted: entries that are there, entries that are marked; fields: those of the first entry ever
//! an entry: | flags | ms - master.ms | seq - master.seq | values ..                          | elements |   flags & 2
//!           | flags | ms - master.ms | seq - master.seq | fields | field | value | ..        | elements |   otherwise
//!   flags: 1 deleted, 2 the same fields as the master's; elements: how many of the entry stand before this one
//! ```
//! The master ID is the key under which the node is kept: the ID of its first entry ever.
//!
//! Invariants
//! 1. Every blob here is whole: made by this file, or walked by `Node::check`. Reading it cannot fail.
//! 2. IDs ascend strictly within a node, and none is below the master ID.
//! 3. A node that a stream keeps has at least one entry that is not marked. (Redis leaves others in its files.)
//!
//! Marked entries stay until the whole node goes, as in Redis: nothing is moved inside a blob.

use super::id::StreamId;
use crate::base::alloc::size_class;
use crate::base::argv::Args;
use crate::encoding::listpack::{self, At, Element, Iter, Listpack, edit};
use crate::object::types::Corrupt;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
/// Elements of an entry besides its fields and values, `elements` not counted: flags and the two halves of the ID.
const ENTRY_HEAD: i64 = 3;

/// One node.
#[derive(Clone)]
pub(super) struct Node {
    blob: Vec<u8>,
}

impl Node {
    /// A node without entries, for one with these fields.
    pub(super) fn new(fields: Args<'_>) -> Node {
        /// What the master entry and the first entry take besides their texts, each with its head.
        const HEAD_BYTES: usize = 32;
        const TEXT_HEAD_BYTES: usize = 2;
        let bytes: usize = fields.iter().map(|text| text.len() + TEXT_HEAD_BYTES).sum();
        let mut blob = edit::with_capacity(HEAD_BYTES + bytes);
        edit::push_int(&mut blob, 0);
        edit::push_int(&mut blob, 0);
        edit::push_int(&mut blob, (fields.len() / 2) as i64);
        fields.iter().step_by(2).for_each(|field| edit::push(&mut blob, field));
        edit::push_int(&mut blob, 0);
        Node { blob }
    }

    /// A node from a file or RESTORE; there may be nothing but marked entries in it.
    pub(super) fn check(blob: Vec<u8>, master: StreamId) -> Result<Node, Corrupt> {
        let list = Listpack::check(&blob).map_err(|error| Corrupt(error.0))?;
        check_entries(list, master)?;
        Ok(Node { blob })
    }

    pub(super) fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_class(self.blob.capacity())
    }

    /// Gives back the room for more entries.
    pub(super) fn shrink(&mut self) {
        self.blob.shrink_to_fit();
    }

    /// Entries that are there, and entries that are marked as deleted.
    pub(super) fn counts(&self) -> (u64, u64) {
        let mut elements = Listpack::trusted(&self.blob).iter();
        (integer(elements.next()) as u64, integer(elements.next()) as u64)
    }

    /// Entries that are there.
    pub(super) fn live(&self) -> u64 {
        integer(Listpack::trusted(&self.blob).iter().next()) as u64
    }

    pub(super) fn view(&self, master: StreamId) -> NodeView<'_> {
        NodeView::new(Listpack::trusted(&self.blob), master)
    }

    /// Adds an entry at the end. Its ID is above all others here; `fields` are names and values in turns.
    pub(super) fn append(&mut self, master: StreamId, id: StreamId, fields: Args<'_>) {
        let is_same = has_fields(Listpack::trusted(&self.blob), fields);
        let mut entry = edit::Appender::new(&mut self.blob);
        entry.push_int(if is_same { SAME_FIELDS } else { 0 });
        entry.push_int(id.ms.wrapping_sub(master.ms) as i64);
        entry.push_int(id.seq.wrapping_sub(master.seq) as i64);
        let pairs = (fields.len() / 2) as i64;
        if is_same {
            fields.iter().skip(1).step_by(2).for_each(|value| entry.push(value));
            entry.push_int(ENTRY_HEAD + pairs);
        } else {
            entry.push_int(pairs);
            fields.iter().for_each(|text| entry.push(text));
            entry.push_int(ENTRY_HEAD + 1 + 2 * pairs);
        }
        drop(entry);
        self.add_to_counts(1, 0);
    }

    /// Marks the entry at `at`, which is there.
    pub(super) fn mark(&mut self, at: At) {
        let flags = match Listpack::trusted(&self.blob).at(at) {
            Element::Int(flags) => flags,
            Element::Bytes(_) => 0,
        };
        debug_assert_eq!(flags & DELETED, 0, "an entry is marked once");
        edit::replace_int(&mut self.blob, at, flags | DELETED);
    }

    /// Sets the counts right after `entries` were marked.
    pub(super) fn marked(&mut self, entries: u64) {
        self.add_to_counts(-(entries as i64), entries as i64);
    }

    fn add_to_counts(&mut self, live: i64, deleted: i64) {
        let (old_live, old_deleted) = self.counts();
        let list = Listpack::trusted(&self.blob);
        let first = list.first().expect("a node begins with its counts");
        let second = list.next(first).expect("a node begins with its counts");
        if deleted != 0 {
            // The later one first: an integer that needs more room moves what follows.
            edit::replace_int(&mut self.blob, second, old_deleted as i64 + deleted);
        }
        edit::replace_int(&mut self.blob, first, old_live as i64 + live);
    }
}

/// Whether the master entry has just these fields.
fn has_fields(list: Listpack<'_>, fields: Args<'_>) -> bool {
    let mut elements = list.iter();
    elements.pass(2);
    integer(elements.next()) == (fields.len() / 2) as i64
        && fields.iter().step_by(2).all(|field| elements.next().is_some_and(|own| own.equals(field)))
}

/// What stands where the format has an integer.
#[inline]
fn integer(element: Option<Element<'_>>) -> i64 {
    match element {
        Some(Element::Int(value)) => value,
        _ => unreachable!("a node was checked when it came"),
    }
}

/// A node to be read.
#[derive(Clone, Copy)]
pub(super) struct NodeView<'a> {
    list: Listpack<'a>,
    master: StreamId,
    /// How many fields the master entry has, and the place of the first; of the 0 behind them when there are none.
    fields: usize,
    first_field: At,
    first_entry: Option<At>,
}

/// An entry in its node.
#[derive(Clone)]
pub(super) struct Found<'a> {
    pub(super) at: At,
    pub(super) is_deleted: bool,
    pub(super) entry: Entry<'a>,
    next: Option<At>,
}

impl<'a> NodeView<'a> {
    fn new(list: Listpack<'a>, master: StreamId) -> Self {
        let mut elements = list.iter();
        elements.pass(2);
        let fields = integer(elements.next()) as usize;
        let first_field = elements.place().expect("a node has a master entry");
        elements.pass(fields + 1);
        NodeView { list, master, fields, first_field, first_entry: elements.place() }
    }

    pub(super) fn first(&self) -> Option<Found<'a>> {
        self.first_entry.map(|at| self.found(at))
    }

    pub(super) fn last(&self) -> Option<Found<'a>> {
        self.first_entry?;
        self.list.last().map(|elements| self.found_before(elements))
    }

    pub(super) fn after(&self, found: &Found<'_>) -> Option<Found<'a>> {
        found.next.map(|at| self.found(at))
    }

    pub(super) fn before(&self, found: &Found<'_>) -> Option<Found<'a>> {
        if Some(found.at) == self.first_entry {
            return None;
        }
        self.list.previous(found.at).map(|elements| self.found_before(elements))
    }

    /// The first entry, marked or not, whose ID is `id` or above. Searched from the nearer end.
    pub(super) fn seek(&self, id: StreamId) -> Option<Found<'a>> {
        let mut last = self.last()?;
        if last.entry.id < id {
            return None;
        }
        let half = StreamId {
            ms: self.master.ms + (last.entry.id.ms - self.master.ms) / 2,
            seq: (self.master.seq / 2).saturating_add(last.entry.id.seq / 2),
        };
        if id > half {
            while let Some(before) = self.before(&last).filter(|before| before.entry.id >= id) {
                last = before;
            }
            return Some(last);
        }
        let mut found = self.first();
        while let Some(at) = found.take_if(|found| found.entry.id < id) {
            found = self.after(&at);
        }
        found
    }

    /// The last entry, marked or not, whose ID is `id` or below.
    pub(super) fn seek_back(&self, id: StreamId) -> Option<Found<'a>> {
        match self.seek(id) {
            None => self.last(),
            Some(found) if found.entry.id == id => Some(found),
            Some(found) => self.before(&found),
        }
    }

    /// The entry that ends with the element at `elements`.
    fn found_before(&self, elements: At) -> Found<'a> {
        let count = integer(Some(self.list.at(elements)));
        let mut at = elements;
        for _ in 0..count {
            at = self.list.previous(at).expect("an entry has as many elements as it says");
        }
        self.found(at)
    }

    fn found(&self, at: At) -> Found<'a> {
        let mut elements = self.list.iter_from(at);
        let flags = integer(elements.next());
        let (ms, seq) = (integer(elements.next()) as u64, integer(elements.next()) as u64);
        let id = StreamId { ms: self.master.ms.wrapping_add(ms), seq: self.master.seq.wrapping_add(seq) };
        let fields = if flags & SAME_FIELDS != 0 {
            let names = Some(self.list.iter_from(self.first_field));
            Fields { names, values: elements.clone(), left: self.fields }
        } else {
            let left = integer(elements.next()) as usize;
            Fields { names: None, values: elements.clone(), left }
        };
        elements.pass(fields.elements() + 1);
        let entry = Entry { id, fields };
        Found { at, is_deleted: flags & DELETED != 0, entry, next: elements.place() }
    }
}

/// One entry of a stream.
#[derive(Clone)]
pub struct Entry<'a> {
    pub id: StreamId,
    pub fields: Fields<'a>,
}

/// The fields of an entry and their values, in the order in which they were given.
#[derive(Clone)]
pub struct Fields<'a> {
    /// The master's; without them the names stand between the values.
    names: Option<Iter<'a>>,
    values: Iter<'a>,
    left: usize,
}

impl Fields<'_> {
    fn elements(&self) -> usize {
        if self.names.is_some() { self.left } else { 2 * self.left }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Element<'a>, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = self.names.as_mut().unwrap_or(&mut self.values).next()?;
        Some((name, self.values.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// Walks a foreign node, whose listpack is valid, to its end.
fn check_entries(list: Listpack<'_>, master: StreamId) -> Result<(), Corrupt> {
    const CUT: Corrupt = Corrupt("stream: a node ends within an entry");
    let mut elements = list.iter();
    let mut count = || match elements.next() {
        Some(Element::Int(value)) => u64::try_from(value).map_err(|_| Corrupt("stream: a negative count")),
        _ => Err(Corrupt("stream: a node without its counts")),
    };
    let (live, deleted, fields) = (count()?, count()?, count()?);
    skip(&mut elements, fields)?;
    if elements.next() != Some(Element::Int(0)) {
        return Err(Corrupt("stream: no end behind the fields of a node"));
    }
    let (mut live_found, mut deleted_found, mut last) = (0, 0, None);
    while let Some(flags) = elements.next() {
        let Element::Int(flags @ 0..=3) = flags else {
            return Err(Corrupt("stream: unknown flags of an entry"));
        };
        let mut number =
            || if let Some(Element::Int(value)) = elements.next() { Ok(value) } else { Err(CUT) };
        let (ms, seq) = (number()? as u64, number()? as u64);
        let id = StreamId { ms: master.ms.wrapping_add(ms), seq: master.seq.wrapping_add(seq) };
        if id < last.unwrap_or(master) || last == Some(id) {
            return Err(Corrupt("stream: the IDs of a node do not ascend"));
        }
        last = Some(id);
        let values = if flags & SAME_FIELDS != 0 {
            fields
        } else {
            let pairs = u64::try_from(number()?).map_err(|_| Corrupt("stream: a negative count"))?;
            pairs.checked_mul(2).ok_or(CUT)?
        };
        skip(&mut elements, values)?;
        let expected = ENTRY_HEAD as u64 + values + u64::from(flags & SAME_FIELDS == 0);
        if elements.next() != Some(Element::Int(expected as i64)) {
            return Err(Corrupt("stream: an entry with a wrong number of elements"));
        }
        *(if flags & DELETED != 0 { &mut deleted_found } else { &mut live_found }) += 1;
    }
    if (live, deleted) != (live_found, deleted_found) {
        return Err(Corrupt("stream: a node has other counts than its entries"));
    }
    Ok(())
}

/// Passes over exactly `count` elements, which may be any number that a file claims.
fn skip(elements: &mut Iter<'_>, count: u64) -> Result<(), Corrupt> {
    for _ in 0..count {
        elements.next().ok_or(Corrupt("stream: a node ends within an entry"))?;
    }
    Ok(())
}

/// Whether a node of `blob_bytes` can take an entry of `entry_bytes`.
pub(super) fn fits(blob_bytes: usize, entry_bytes: usize) -> bool {
    listpack::fits(blob_bytes, entry_bytes)
}
