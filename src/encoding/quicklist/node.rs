//! One node of a large list: some of its elements in one allocation.
//!
//! ```text
//!   Open           | room | entry backlen entry backlen .. | room |     grows and shrinks at both ends
//!   Run            | entry entry ..                        |            one byte an element smaller, exactly as
//!                                                                       large as it must be; read from the front
//!   Plain          | the one element's text                |
//!   Squeezed       | u32 LE | LZF of an open node's bytes  |            the number is their length
//!   SqueezedPlain  | u32 LE | LZF of the text              |
//! ```
//! Entries are spelled as in a listpack. Invariants:
//! 1. `start..end` are the bytes in use; there are `count` elements in them; plain nodes have one.
//! 2. A squeezed node is at least `SAVED_MIN` bytes smaller than it was.

use super::limits::NodeLimit;
use super::{Direction, End};
use crate::base::lzf;
use crate::encoding::listpack::format::{self, Encoded};
use crate::encoding::listpack::{Element, Needle};
use std::ops::{ControlFlow, Range};

/// Below this many bytes nothing is compressed.
const SQUEEZED_MIN: usize = 48;
/// Compression that saves less is not kept.
const SAVED_MIN: usize = 8;
const SQUEEZED_HEADER: usize = 4;
/// From this size on the room of an open node grows by a quarter instead of twofold.
const DOUBLED_MAX: usize = 4096;
const ROOM_MIN: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Open,
    Run,
    Plain,
    Squeezed,
    SqueezedPlain,
}

#[derive(Clone)]
pub(super) struct Node {
    bytes: Box<[u8]>,
    start: u32,
    end: u32,
    count: u32,
    form: Form,
}

/// The bytes of a node in the open.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) form: Form,
    count: usize,
}

impl Node {
    fn exact(bytes: Vec<u8>, count: usize, form: Form) -> Node {
        let bytes = bytes.into_boxed_slice();
        Node { start: 0, end: bytes.len() as u32, bytes, count: count as u32, form }
    }

    pub(super) fn empty() -> Node {
        Node::exact(Vec::new(), 0, Form::Open)
    }

    pub(super) fn plain(text: Vec<u8>) -> Node {
        Node::exact(text, 1, Form::Plain)
    }

    /// Takes the blob of a listpack over: the bytes `entries` of `blob`.
    pub(super) fn from_entries(mut blob: Vec<u8>, entries: Range<usize>, count: usize) -> Node {
        // Spare capacity becomes room at the end.
        blob.resize(blob.capacity(), 0);
        let mut node = Node::exact(blob, count, Form::Open);
        (node.start, node.end) = (entries.start as u32, entries.end as u32);
        node
    }

    /// A run without elements that has room for `bytes`.
    pub(super) fn with_room(bytes: usize) -> Node {
        let mut node = Node::exact(vec![0; bytes], 0, Form::Run);
        node.end = 0;
        node
    }

    /// Adds entries from the front of `entries`, which have their backlens, as long as this run has room for them.
    /// Returns the others.
    pub(super) fn absorb<'a>(&mut self, entries: &'a [u8]) -> &'a [u8] {
        let (mut rest, mut end) = (entries, self.end as usize);
        while !rest.is_empty() && self.form == Form::Run {
            let size = format::size_of_entry(rest);
            let Some(room) = self.bytes[end..].get_mut(..size) else { break };
            room.copy_from_slice(&rest[..size]);
            rest = &rest[size + format::backlen_bytes(size, &rest[size..])..];
            end += size;
            self.count += 1;
        }
        self.end = end as u32;
        rest
    }

    /// Gives room that is not used back.
    pub(super) fn shrink_to_fit(&mut self) {
        if self.used().len() < self.bytes.len() {
            *self = Node::exact(self.used().to_vec(), self.count(), self.form);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    pub(super) fn is_packed(&self) -> bool {
        matches!(self.form, Form::Open | Form::Run)
    }

    pub(super) fn is_squeezed(&self) -> bool {
        matches!(self.form, Form::Squeezed | Form::SqueezedPlain)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    #[inline]
    fn used(&self) -> &[u8] {
        &self.bytes[self.range()]
    }

    /// What the limit of a node is measured against: the bytes it has or would have as a run. (Elements of more
    /// than 127 bytes have a backlen of two bytes, one of which counts.)
    #[inline]
    pub(super) fn weight(&self) -> usize {
        let used = (self.end - self.start) as usize;
        if self.form == Form::Open { used - self.count() } else { used }
    }

    /// Whether `entry` may be added. Never to squeezed or plain nodes.
    #[inline]
    pub(super) fn admits(&self, entry: &Encoded<'_>, limit: NodeLimit) -> bool {
        self.is_packed() && limit.allows(self.weight() + entry.size(), self.count() + 1)
    }

    pub(super) fn is_beyond(&self, limit: NodeLimit) -> bool {
        self.is_packed() && !limit.allows(self.weight(), self.count())
    }

    // ----- forms -----

    /// The node's content; `scratch` holds it if the node is squeezed.
    pub(super) fn content<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Content<'a> {
        let (bytes, form) = match self.form {
            Form::Open | Form::Run | Form::Plain => (self.used(), self.form),
            Form::Squeezed => (self.unsqueezed(scratch), Form::Open),
            Form::SqueezedPlain => (self.unsqueezed(scratch), Form::Plain),
        };
        Content { bytes, form, count: self.count() }
    }

    fn unsqueezed<'a>(&self, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let (length, stream) =
            self.used().split_first_chunk().expect("a squeezed node has its length before it");
        scratch.clear();
        scratch.resize(u32::from_le_bytes(*length) as usize, 0);
        lzf::decompress(stream, scratch).expect("the stream was made by squeeze");
        scratch
    }

    /// Undoes `squeeze`.
    pub(super) fn load(&mut self) {
        if self.is_squeezed() {
            let mut bytes = Vec::new();
            self.unsqueezed(&mut bytes);
            let form = if self.form == Form::Squeezed { Form::Open } else { Form::Plain };
            *self = Node::exact(bytes, self.count(), form);
        }
    }

    /// Makes the node one that can be read and edited from both ends; plain ones are.
    pub(super) fn open(&mut self) {
        match self.form {
            Form::Open | Form::Plain => {}
            Form::Squeezed | Form::SqueezedPlain => self.load(),
            Form::Run => {
                let mut bytes = Vec::with_capacity(self.used().len() + 2 * self.count());
                append_open(self.used(), Form::Run, &mut bytes);
                let end = bytes.len();
                *self = Node::from_entries(bytes, 0..end, self.count());
            }
        }
    }

    /// Makes an open node a run, for it is not at an end of the list any more.
    pub(super) fn seal(&mut self) {
        if self.form == Form::Open {
            *self = Node::exact(run_of(self.used(), self.weight()), self.count(), Form::Run);
        }
    }

    /// Compresses the node if that saves enough.
    pub(super) fn squeeze(&mut self) {
        if self.is_squeezed() || self.used().len() < SQUEEZED_MIN {
            return;
        }
        let form = if self.form == Form::Plain { Form::SqueezedPlain } else { Form::Squeezed };
        let mut opened = Vec::new();
        let input = match self.form {
            Form::Run => {
                append_open(self.used(), Form::Run, &mut opened);
                &opened[..]
            }
            _ => self.used(),
        };
        let mut squeezed = vec![0; self.used().len() - SAVED_MIN];
        let Some((length, stream)) = squeezed.split_first_chunk_mut::<SQUEEZED_HEADER>() else { return };
        *length = (input.len() as u32).to_le_bytes();
        match lzf::Compressor::new().compress(input, stream) {
            Some(stream_bytes) => {
                squeezed.truncate(SQUEEZED_HEADER + stream_bytes);
                *self = Node::exact(squeezed, self.count(), form);
            }
            // No gain: it costs less as a run.
            None => self.seal(),
        }
    }

    // ----- ends -----

    /// Adds an entry at an end of a packed node.
    #[inline]
    pub(super) fn push(&mut self, end: End, entry: &Encoded<'_>) {
        self.open();
        let at = if end == End::Head { self.start } else { self.end } as usize;
        self.splice(at..at, entry);
        self.count += 1;
    }

    /// Takes the element at an end away, showing it to `taken`. The node must not be squeezed or empty.
    #[inline]
    pub(super) fn pop<R>(&mut self, end: End, taken: impl FnOnce(Element<'_>) -> R) -> R {
        if self.form == Form::Plain {
            self.count = 0;
            return taken(Element::Bytes(self.used()));
        }
        if end == End::Tail {
            self.open();
        }
        let (used, form) = (self.used(), self.form);
        let from = if end == End::Head { 0 } else { format::before(used, used.len()) };
        let (element, size) = format::decode(&used[from..]);
        let result = taken(element);
        match end {
            End::Head => self.start += (size + behind(form, used, size)) as u32,
            End::Tail => self.end = self.start + from as u32,
        }
        self.count -= 1;
        result
    }

    /// Takes `count` elements away at an end, at most all but one. The node must be packed.
    pub(super) fn cut(&mut self, end: End, count: usize) {
        let kept = self.count() - count;
        match end {
            End::Head => self.start += self.offset_of(count) as u32,
            End::Tail => self.end = self.start + self.offset_of(kept) as u32,
        }
        self.count = kept as u32;
        if self.used().len() < self.bytes.len() / 2 {
            *self = Node::exact(self.used().to_vec(), kept, self.form);
        }
    }

    // ----- anywhere -----

    /// The offset in `used` of element `index`, which may be the count: that of the end. The node must be packed.
    fn offset_of(&self, index: usize) -> usize {
        Content { bytes: self.used(), form: self.form, count: self.count() }.offset_of(index)
    }

    /// Puts an entry before element `index`, which may be the count. The node must be packed.
    pub(super) fn insert(&mut self, index: usize, entry: &Encoded<'_>) {
        let at = self.start as usize + self.offset_of(index);
        self.splice(at..at, entry);
        self.count += 1;
    }

    /// Puts an entry in the place of element `index`. The node must be packed.
    pub(super) fn replace(&mut self, index: usize, entry: &Encoded<'_>) {
        let start = self.start as usize;
        let old = self.offset_of(index);
        let next = old + step(&self.used()[old..], self.form);
        self.splice(start + old..start + next, entry);
    }

    /// Takes the elements from `index` on away into a node of their own. The node must be packed.
    pub(super) fn split_off(&mut self, index: usize) -> Node {
        let at = self.offset_of(index);
        let tail = self.used()[at..].to_vec();
        let moved = self.count() - index;
        self.end = self.start + at as u32;
        self.count = index as u32;
        Node::exact(tail, moved, self.form)
    }

    /// Adds all elements of another packed node at the end.
    pub(super) fn append(&mut self, other: &Node) {
        self.seal();
        let mut bytes = Vec::with_capacity(self.used().len() + other.weight());
        bytes.extend_from_slice(self.used());
        match other.form {
            Form::Open => bytes.extend_from_slice(&run_of(other.used(), other.weight())),
            _ => bytes.extend_from_slice(other.used()),
        }
        *self = Node::exact(bytes, self.count() + other.count(), Form::Run);
    }

    /// Removes up to `most` elements that are `needle`, from the front or from the back. How many were removed.
    pub(super) fn remove_equal(&mut self, needle: &Needle<'_>, most: usize, direction: Direction) -> usize {
        let mut found = self.content(&mut Vec::new()).places_of(needle);
        if found.is_empty() {
            return 0;
        }
        match direction {
            Direction::Forward => found.truncate(most),
            Direction::Backward => drop(found.drain(..found.len().saturating_sub(most))),
        }
        self.load();
        if self.form == Form::Plain {
            self.count = 0;
            return 1;
        }
        let used = self.used();
        let mut kept = Vec::with_capacity(used.len());
        let mut from = 0;
        for place in &found {
            kept.extend_from_slice(&used[from..place.start]);
            from = place.end;
        }
        kept.extend_from_slice(&used[from..]);
        *self = Node::exact(kept, self.count() - found.len(), self.form);
        found.len()
    }

    // ----- bytes -----

    /// Puts an entry in the place of the bytes `old` of `bytes`.
    #[inline]
    fn splice(&mut self, old: Range<usize>, entry: &Encoded<'_>) {
        let size = if self.form == Form::Open { entry.size_with_backlen() } else { entry.size() };
        let at = self.resize(old, size);
        entry.write(&mut self.bytes[at..at + size]);
    }

    /// Makes the bytes `old` `new_len` bytes long by moving what lies to the nearer end. Returns where they begin.
    #[inline]
    fn resize(&mut self, old: Range<usize>, new_len: usize) -> usize {
        let Range { start, end } = self.range();
        let end_moved = if old.start - start < end - old.end { End::Head } else { End::Tail };
        let Some(more) = new_len.checked_sub(old.len()) else {
            return self.close_gap(old.start + new_len..old.end, end_moved) - new_len;
        };
        let room = if end_moved == End::Head { start } else { self.bytes.len() - end };
        if room < more {
            let offset = old.start - start;
            self.make_room(end_moved, more);
            let at = self.start as usize + offset;
            return self.resize(at..at + old.len(), new_len);
        }
        match end_moved {
            End::Head => {
                self.bytes.copy_within(start..old.start, start - more);
                self.start -= more as u32;
                old.start - more
            }
            End::Tail => {
                self.bytes.copy_within(old.end..end, old.end + more);
                self.end += more as u32;
                old.start
            }
        }
    }

    /// Removes the bytes `gap`. Returns where they were.
    fn close_gap(&mut self, gap: Range<usize>, end_moved: End) -> usize {
        let Range { start, end } = self.range();
        match end_moved {
            End::Head => {
                self.bytes.copy_within(start..gap.start, start + gap.len());
                self.start += gap.len() as u32;
                gap.end
            }
            End::Tail => {
                self.bytes.copy_within(gap.end..end, gap.start);
                self.end -= gap.len() as u32;
                gap.start
            }
        }
    }

    /// Makes room for `more` bytes at an end: within what there is if much of it is free, else in a new allocation.
    #[cold]
    fn make_room(&mut self, end: End, more: usize) {
        let used = self.range();
        let (old_room, needed) = (self.bytes.len(), used.len() + more);
        let new_room = match self.form {
            Form::Open if needed + old_room / 4 <= old_room => old_room,
            Form::Open if needed <= DOUBLED_MAX => (2 * needed).max(ROOM_MIN),
            Form::Open => needed + needed / 4,
            _ => needed,
        };
        let start = if end == End::Head { new_room - used.len() } else { 0 };
        if new_room == old_room {
            self.bytes.copy_within(used.clone(), start);
        } else {
            let mut bytes = vec![0; new_room].into_boxed_slice();
            bytes[start..start + used.len()].copy_from_slice(self.used());
            self.bytes = bytes;
        }
        (self.start, self.end) = (start as u32, (start + used.len()) as u32);
    }
}

impl<'a> Content<'a> {
    /// The offset of element `index`, which may be the count: that of the end. Walks from the nearer end if it can.
    fn offset_of(self, index: usize) -> usize {
        if self.form == Form::Open && index > self.count / 2 {
            return (index..self.count).fold(self.bytes.len(), |at, _| format::before(self.bytes, at));
        }
        (0..index).fold(0, |at, _| at + step(&self.bytes[at..], self.form))
    }

    /// The places of the elements that are `needle`, in order.
    fn places_of(self, needle: &Needle<'_>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.form == Form::Plain {
            found.extend(needle.is(Element::Bytes(self.bytes)).then_some(0..self.bytes.len()));
            return found;
        }
        let mut at = 0;
        while at < self.bytes.len() {
            let (element, size) = format::decode(&self.bytes[at..]);
            let next = at + size + behind(self.form, &self.bytes[at..], size);
            if needle.is(element) {
                found.push(at..next);
            }
            at = next;
        }
        found
    }

    /// Shows the elements from `index` on in a direction, until `show` breaks.
    #[inline]
    pub(super) fn visit(
        self,
        index: usize,
        direction: Direction,
        show: &mut impl FnMut(Element<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match (self.form, direction) {
            (Form::Plain, _) => show(Element::Bytes(self.bytes)),
            (_, Direction::Forward) => {
                let mut at = self.offset_of(index);
                while at < self.bytes.len() {
                    let entry = &self.bytes[at..];
                    let (element, size) = format::decode(entry);
                    at += size + behind(self.form, entry, size);
                    show(element)?;
                }
                ControlFlow::Continue(())
            }
            (Form::Open, Direction::Backward) => {
                let mut at = self.offset_of(index + 1);
                while at > 0 {
                    at = format::before(self.bytes, at);
                    show(format::decode(&self.bytes[at..]).0)?;
                }
                ControlFlow::Continue(())
            }
            (_, Direction::Backward) => {
                // A run is read from its front only.
                let mut places = Vec::with_capacity(index + 1);
                (0..=index).fold(0, |at, _| {
                    places.push(at);
                    at + step(&self.bytes[at..], self.form)
                });
                places.into_iter().rev().try_for_each(|at| show(format::decode(&self.bytes[at..]).0))
            }
        }
    }

    /// Appends the entries as they lie in a listpack. There must be entries: the content is no plain one.
    pub(super) fn append_entries(self, out: &mut Vec<u8>) {
        append_open(self.bytes, self.form, out);
    }
}

/// The bytes of the entry at the front of `entry` in a node of this form.
#[inline]
fn step(entry: &[u8], form: Form) -> usize {
    let size = format::size_of_entry(entry);
    size + behind(form, entry, size)
}

/// The bytes of backlen behind an entry of `size` bytes.
#[inline]
fn behind(form: Form, entry: &[u8], size: usize) -> usize {
    if form == Form::Open { format::backlen_bytes(size, &entry[size..]) } else { 0 }
}

/// The entries of an open node without their backlens; `weight` is at least what that takes.
fn run_of(open: &[u8], weight: usize) -> Vec<u8> {
    let mut run = Vec::with_capacity(weight);
    let mut rest = open;
    while !rest.is_empty() {
        let size = format::size_of_entry(rest);
        run.extend_from_slice(&rest[..size]);
        rest = &rest[size + format::backlen_bytes(size, &rest[size..])..];
    }
    run
}

/// Appends entries to `out` with their backlens.
fn append_open(entries: &[u8], form: Form, out: &mut Vec<u8>) {
    if form == Form::Open {
        out.extend_from_slice(entries);
        return;
    }
    let mut rest = entries;
    while !rest.is_empty() {
        let size = format::size_of_entry(rest);
        let (entry, others) = rest.split_at(size);
        let (backlen, backlen_bytes) = format::backlen(size);
        out.extend_from_slice(entry);
        out.extend_from_slice(&backlen[..backlen_bytes]);
        rest = others;
    }
}

#[cfg(test)]
impl Node {
    /// Walks the node and asserts its invariants.
    #[track_caller]
    pub(super) fn check(&self) {
        assert!(self.count > 0, "no node is empty");
        assert!(self.start <= self.end && self.end as usize <= self.bytes.len());
        let mut scratch = Vec::new();
        let content = self.content(&mut scratch);
        if content.form == Form::Plain {
            assert_eq!(self.count, 1);
            return;
        }
        let mut blob = vec![0; 6];
        content.append_entries(&mut blob);
        blob.push(0xff);
        let (total, count) = (blob.len() as u32, self.count as u16);
        blob[..4].copy_from_slice(&total.to_le_bytes());
        blob[4..6].copy_from_slice(&count.to_le_bytes());
        let listpack =
            crate::encoding::listpack::Listpack::check(&blob).expect("the node's entries are valid");
        assert_eq!(listpack.len(), self.count());
    }
}
