//! One node of a large list: some of its elements in one allocation.
//!
//! ```text
//!   Open           | room | entry backlen entry backlen .. | room |     grows and shrinks at both ends
//!   Run            | entry entry ..                        |            without room and backlens; read from the front
//!   Even           | data data ..                          |            of entries that all begin with one header,
//!                                                                       which stands in the node
//!   Plain          | the one element's text                |
//!   Squeezed       | u32 LE | LZF of an open node's bytes  |            the number is their length
//!   SqueezedPlain  | u32 LE | LZF of the text              |
//! ```
//! Entries are spelled as in a listpack. Invariants:
//! 1. `start..end` are the bytes in use; there are `count` elements in them; plain nodes have one.
//! 2. The header is that of an even node, or of an open one that would be even if it were sealed.
//! 3. A squeezed node is at least `SAVED_MIN` bytes smaller than it was.

use super::content::{Content, Header};
use super::limits::NodeLimit;
use super::{Direction, End};
use crate::base::lzf;
use crate::encoding::listpack::format::{self, Encoded};
use crate::encoding::listpack::{Element, Needle};
use std::ops::Range;

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
    Even,
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
    header: Header,
}

impl Node {
    fn exact(bytes: Vec<u8>, count: usize, form: Form) -> Node {
        let bytes = bytes.into_boxed_slice();
        Node { start: 0, end: bytes.len() as u32, bytes, count: count as u32, form, header: Header::NONE }
    }

    fn even(data: Vec<u8>, count: usize, header: Header) -> Node {
        Node { header, ..Node::exact(data, count, Form::Even) }
    }

    pub(super) fn empty() -> Node {
        Node::exact(Vec::new(), 0, Form::Open)
    }

    pub(super) fn plain(text: Vec<u8>) -> Node {
        Node::exact(text, 1, Form::Plain)
    }

    /// Takes the blob of a listpack over: the bytes `entries` of `blob`.
    pub(super) fn from_entries(mut blob: Vec<u8>, entries: Range<usize>, count: usize) -> Node {
        let header = Header::of_all(&blob[entries.clone()]);
        // Spare capacity becomes room at the end.
        blob.resize(blob.capacity(), 0);
        let (start, end) = (entries.start as u32, entries.end as u32);
        Node { start, end, header, ..Node::exact(blob, count, Form::Open) }
    }

    /// The node with other bytes that hold the same elements or some of them, in the same form.
    fn with(&self, bytes: Vec<u8>, count: usize) -> Node {
        Node { header: self.header, ..Node::exact(bytes, count, self.form) }
    }

    // ----- loading -----

    /// A node without elements that has room for `bytes`, and is to absorb entries like the one at the front of
    /// `entries`.
    pub(super) fn with_room(bytes: usize, entries: &[u8]) -> Node {
        let header = Header::of(entries);
        let form = if header.is_none() { Form::Run } else { Form::Even };
        Node { end: 0, header, ..Node::exact(vec![0; bytes], 0, form) }
    }

    /// Adds entries from the front of `entries`, which have their backlens, as long as this node, a run or an even
    /// one, has room for them. Returns the others.
    pub(super) fn absorb<'a>(&mut self, entries: &'a [u8]) -> &'a [u8] {
        let mut rest = entries;
        while !rest.is_empty() && matches!(self.form, Form::Run | Form::Even) {
            let size = format::size_of_entry(rest);
            let entry = match self.form {
                Form::Even if Header::of(rest) == self.header => &rest[self.header.len()..size],
                Form::Even if self.run_weight() + size > self.bytes.len() => break,
                Form::Even => {
                    self.make_run();
                    continue;
                }
                _ => &rest[..size],
            };
            let end = self.end as usize;
            let Some(room) = self.bytes[end..].get_mut(..entry.len()) else { break };
            room.copy_from_slice(entry);
            rest = &rest[size + format::backlen_bytes(size, &rest[size..])..];
            self.end += entry.len() as u32;
            self.count += 1;
        }
        rest
    }

    /// Makes an even node a run with the same room.
    fn make_run(&mut self) {
        let mut run = Vec::with_capacity(self.bytes.len().max(self.run_weight()));
        self.bare().append_run(&mut run);
        let end = run.len() as u32;
        run.resize(run.capacity(), 0);
        *self = Node { end, ..Node::exact(run, self.count(), Form::Run) };
    }

    /// Gives room that is not used back.
    pub(super) fn shrink_to_fit(&mut self) {
        if self.used().len() < self.bytes.len() {
            *self = self.with(self.used().to_vec(), self.count());
        }
    }

    // ----- sizes -----

    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    pub(super) fn is_packed(&self) -> bool {
        matches!(self.form, Form::Open | Form::Run | Form::Even)
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

    /// The bytes that the elements have or would have as a run. (Entries of more than 127 bytes have a backlen of two
    /// bytes, one of which counts.)
    #[inline]
    pub(super) fn run_weight(&self) -> usize {
        match self.form {
            Form::Open => self.used().len() - self.count(),
            Form::Even => self.used().len() + self.count() * self.header.len(),
            _ => self.used().len(),
        }
    }

    /// What the limit of a node is measured against: the bytes that it takes when it is sealed.
    #[inline]
    fn weight(&self) -> usize {
        self.run_weight() - self.count() * self.header.len()
    }

    /// The weight of the elements of both in one node.
    pub(super) fn joint_weight(&self, other: &Node) -> usize {
        let shared = if self.header == other.header { self.header.len() } else { 0 };
        self.run_weight() + other.run_weight() - (self.count() + other.count()) * shared
    }

    /// Whether `entry` may be added. Never to squeezed or plain nodes.
    #[inline]
    pub(super) fn admits(&self, entry: &Encoded<'_>, limit: NodeLimit) -> bool {
        let count = self.count() + 1;
        let shared = if self.header == Header::of(entry.head()) { self.header.len() } else { 0 };
        self.is_packed() && limit.allows(self.run_weight() + entry.size() - count * shared, count)
    }

    pub(super) fn is_beyond(&self, limit: NodeLimit) -> bool {
        self.is_packed() && !limit.allows(self.weight(), self.count())
    }

    // ----- forms -----

    /// The content of a node that is not squeezed.
    #[inline]
    fn bare(&self) -> Content<'_> {
        Content { bytes: self.used(), form: self.form, header: self.header, count: self.count() }
    }

    /// The node's content; `scratch` holds it if the node is squeezed.
    pub(super) fn content<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Content<'a> {
        let bare = self.bare();
        match self.form {
            Form::Open | Form::Run | Form::Even | Form::Plain => bare,
            Form::Squeezed => Content { bytes: self.unsqueezed(scratch), form: Form::Open, ..bare },
            Form::SqueezedPlain => Content { bytes: self.unsqueezed(scratch), form: Form::Plain, ..bare },
        }
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
            let end = self.unsqueezed(&mut bytes).len();
            *self = match self.form {
                Form::Squeezed => Node::from_entries(bytes, 0..end, self.count()),
                _ => Node::plain(bytes),
            };
        }
    }

    /// Makes the node one that grows and shrinks cheaply at both ends; plain ones stay what they are.
    pub(super) fn open(&mut self) {
        match self.form {
            Form::Open | Form::Plain => {}
            Form::Squeezed | Form::SqueezedPlain => self.load(),
            Form::Run | Form::Even => {
                let mut bytes = Vec::with_capacity(self.run_weight() + 2 * self.count());
                self.bare().append_entries(&mut bytes);
                *self = Node { header: self.header, ..Node::exact(bytes, self.count(), Form::Open) };
            }
        }
    }

    /// Makes an open node as small as it can be, for it is not at an end of the list any more.
    pub(super) fn seal(&mut self) {
        if self.form != Form::Open {
            return;
        }
        let mut bytes = Vec::with_capacity(self.weight());
        *self = if self.header.is_none() {
            self.bare().append_run(&mut bytes);
            Node::exact(bytes, self.count(), Form::Run)
        } else {
            self.bare().append_data(&mut bytes);
            Node::even(bytes, self.count(), self.header)
        };
    }

    /// Compresses the node if that saves enough.
    pub(super) fn squeeze(&mut self) {
        if self.is_squeezed() || self.used().len() < SQUEEZED_MIN {
            return;
        }
        let mut opened = Vec::new();
        let (input, form) = match self.form {
            Form::Plain => (self.used(), Form::SqueezedPlain),
            _ => {
                self.bare().append_entries(&mut opened);
                (&opened[..], Form::Squeezed)
            }
        };
        let mut squeezed = vec![0; self.used().len() - SAVED_MIN];
        let Some((length, stream)) = squeezed.split_first_chunk_mut::<SQUEEZED_HEADER>() else { return };
        *length = (input.len() as u32).to_le_bytes();
        match lzf::Compressor::new().compress(input, stream) {
            Some(stream_bytes) => {
                squeezed.truncate(SQUEEZED_HEADER + stream_bytes);
                *self = Node::exact(squeezed, self.count(), form);
            }
            // No gain: it costs less when it is sealed.
            None => self.seal(),
        }
    }

    // ----- ends -----

    /// Adds an entry at an end of a packed node.
    #[inline]
    pub(super) fn push(&mut self, end: End, entry: &Encoded<'_>) {
        self.open();
        let at = if end == End::Head { self.start } else { self.end } as usize;
        self.add(at, entry);
    }

    /// Takes the element at an end away, showing it to `taken`. The node must not be squeezed or empty.
    #[inline]
    pub(super) fn pop<R>(&mut self, end: End, taken: impl FnOnce(Element<'_>) -> R) -> R {
        if self.form == Form::Plain {
            self.count = 0;
            return taken(Element::Bytes(self.used()));
        }
        if end == End::Tail && self.form == Form::Run {
            self.open();
        }
        let content = self.bare();
        let from = if end == End::Head { 0 } else { content.before(content.bytes.len()) };
        let (element, next) = content.read(from);
        let result = taken(element);
        match end {
            End::Head => self.start += next as u32,
            End::Tail => self.end = self.start + from as u32,
        }
        self.count -= 1;
        result
    }

    /// Takes `count` elements away at an end, at most all but one. The node must be packed.
    pub(super) fn cut(&mut self, end: End, count: usize) {
        let kept = self.count() - count;
        match end {
            End::Head => self.start += self.bare().offset_of(count) as u32,
            End::Tail => self.end = self.start + self.bare().offset_of(kept) as u32,
        }
        self.count = kept as u32;
        if self.used().len() < self.bytes.len() / 2 {
            self.shrink_to_fit();
        }
    }

    // ----- anywhere -----

    /// Puts an entry before element `index`, which may be the count. The node must be packed.
    pub(super) fn insert(&mut self, index: usize, entry: &Encoded<'_>) {
        self.take_in(entry);
        let at = self.start as usize + self.bare().offset_of(index);
        self.add(at, entry);
    }

    /// Puts an entry in the place of element `index`. The node must be packed.
    pub(super) fn replace(&mut self, index: usize, entry: &Encoded<'_>) {
        self.take_in(entry);
        let start = self.start as usize;
        let old = self.bare().offset_of(index);
        let next = self.bare().after(old);
        self.splice(start + old..start + next, entry);
    }

    /// Before an entry comes that has another header than the others: there is none that all share then.
    fn take_in(&mut self, entry: &Encoded<'_>) {
        if Header::of(entry.head()) != self.header {
            if self.form == Form::Even {
                self.make_run();
            }
            self.header = Header::NONE;
        }
    }

    /// Adds an entry at an offset in `bytes`.
    #[inline]
    fn add(&mut self, at: usize, entry: &Encoded<'_>) {
        let header = Header::of(entry.head());
        if self.count == 0 {
            self.header = header;
        } else if self.header != header {
            self.header = Header::NONE;
        }
        self.splice(at..at, entry);
        self.count += 1;
    }

    /// Takes the elements from `index` on away into a node of their own. The node must be packed.
    pub(super) fn split_off(&mut self, index: usize) -> Node {
        let at = self.bare().offset_of(index);
        let tail = self.with(self.used()[at..].to_vec(), self.count() - index);
        self.end = self.start + at as u32;
        self.count = index as u32;
        tail
    }

    /// Adds all elements of another packed node at the end.
    pub(super) fn append(&mut self, other: &Node) {
        let count = self.count() + other.count();
        let mut bytes = Vec::with_capacity(self.joint_weight(other));
        *self = if self.header == other.header && !self.header.is_none() {
            self.bare().append_data(&mut bytes);
            other.bare().append_data(&mut bytes);
            Node::even(bytes, count, self.header)
        } else {
            self.bare().append_run(&mut bytes);
            other.bare().append_run(&mut bytes);
            Node::exact(bytes, count, Form::Run)
        };
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
        *self = self.with(kept, self.count() - found.len());
        found.len()
    }

    // ----- bytes -----

    /// Puts an entry in the place of the bytes `old` of `bytes`.
    #[inline]
    fn splice(&mut self, old: Range<usize>, entry: &Encoded<'_>) {
        let (skipped, end) = match self.form {
            Form::Open => (0, entry.size_with_backlen()),
            Form::Even => (self.header.len(), entry.size()),
            _ => (0, entry.size()),
        };
        let size = end - skipped;
        let at = self.resize(old, size);
        entry.write(skipped, &mut self.bytes[at..at + size]);
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

impl Node {
    /// Walks every invariant; panics with the reason if one does not hold.
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
        match self.form {
            Form::Open if !self.header.is_none() => assert_eq!(Header::of_all(self.used()), self.header),
            Form::Even => assert_eq!(self.used().len(), self.header.width() * self.count()),
            Form::Run => assert!(self.header.is_none()),
            _ => {}
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
