//! The elements of a node, to be read.

use super::Direction;
use super::node::Form;
use crate::encoding::listpack::format;
use crate::encoding::listpack::{Element, Needle};
use std::ops::{ControlFlow, Range};

/// What all entries of a node begin with, if that alone tells where each of them ends: strings of one length,
/// integers of one width. An even node stores it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header([u8; 2]);

impl Header {
    /// The entries have nothing in common.
    pub(super) const NONE: Header = Header([0; 2]);

    /// The header that an entry would share with others like it.
    #[inline]
    pub(super) fn of(entry: &[u8]) -> Header {
        match entry[0] {
            first @ (0x81..=0xbf | 0xf1..=0xf4) => Header([first, 0]),
            first @ 0xe0..=0xef if first & 0xf | entry[1] != 0 => Header([first, entry[1]]),
            _ => Header::NONE,
        }
    }

    /// The header that all of the entries, which have their backlens, share.
    pub(super) fn of_all(entries: &[u8]) -> Header {
        if entries.is_empty() {
            return Header::NONE;
        }
        let header = Header::of(entries);
        let stride = step(entries, Form::Open, Header::NONE);
        let is_even = entries.len().is_multiple_of(stride)
            && entries.chunks_exact(stride).all(|entry| Header::of(entry) == header);
        if is_even { header } else { Header::NONE }
    }

    #[inline]
    pub(super) fn is_none(self) -> bool {
        self == Header::NONE
    }

    /// Its bytes.
    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0[..self.len()]
    }

    #[inline]
    pub(super) fn len(self) -> usize {
        match self.0[0] {
            0 => 0,
            0xe0..=0xef => 2,
            _ => 1,
        }
    }

    /// The bytes of an entry behind it; it must not be none.
    #[inline]
    pub(super) fn width(self) -> usize {
        match self.0[0] {
            first @ 0xe0..=0xef => usize::from(first & 0xf) << 8 | usize::from(self.0[1]),
            0xf1 => 2,
            0xf2 => 3,
            0xf3 => 4,
            0xf4 => 8,
            first => usize::from(first & 0x3f),
        }
    }

    /// The element whose entry has `data` behind this header.
    #[inline]
    fn element(self, data: &[u8]) -> Element<'_> {
        if self.0[0] < 0xf1 {
            return Element::Bytes(data);
        }
        let mut entry = [0; 9];
        entry[0] = self.0[0];
        entry[1..=data.len()].copy_from_slice(data);
        Element::Int(format::decode_integer(&entry).0)
    }
}

/// The bytes of a node in the open.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) form: Form,
    pub(super) header: Header,
    pub(super) count: usize,
}

impl<'a> Content<'a> {
    /// The element at an offset, and the offset of what follows it. The content is no plain one.
    #[inline]
    pub(super) fn read(self, at: usize) -> (Element<'a>, usize) {
        if self.form == Form::Even {
            let end = at + self.header.width();
            return (self.header.element(&self.bytes[at..end]), end);
        }
        let entry = &self.bytes[at..];
        let (element, size) = format::decode(entry);
        (element, at + size + behind(self.form, entry, size))
    }

    /// The offset of the element that ends at `end`; not in a run, which is read from its front.
    #[inline]
    pub(super) fn before(self, end: usize) -> usize {
        if self.form == Form::Even { end - self.header.width() } else { format::before(self.bytes, end) }
    }

    /// The offset of what follows the element at `at`.
    #[inline]
    pub(super) fn after(self, at: usize) -> usize {
        at + step(&self.bytes[at..], self.form, self.header)
    }

    /// The offset of element `index`, which may be the count: that of the end. Walks from the nearer end if it can.
    pub(super) fn offset_of(self, index: usize) -> usize {
        match self.form {
            Form::Even => index * self.header.width(),
            Form::Open if index > self.count / 2 => {
                (index..self.count).fold(self.bytes.len(), |at, _| self.before(at))
            }
            _ => (0..index).fold(0, |at, _| self.after(at)),
        }
    }

    /// The places of the elements that are `needle`, in order.
    pub(super) fn places_of(self, needle: &Needle<'_>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.form == Form::Plain {
            found.extend(needle.is(Element::Bytes(self.bytes)).then_some(0..self.bytes.len()));
            return found;
        }
        let mut at = 0;
        while at < self.bytes.len() {
            let (element, next) = self.read(at);
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
            (Form::Plain, _) => return show(Element::Bytes(self.bytes)),
            (_, Direction::Forward) => {
                let mut at = self.offset_of(index);
                while at < self.bytes.len() {
                    let (element, next) = self.read(at);
                    at = next;
                    show(element)?;
                }
            }
            (Form::Run, Direction::Backward) => {
                let mut places = Vec::with_capacity(index + 1);
                (0..=index).fold(0, |at, _| {
                    places.push(at);
                    self.after(at)
                });
                places.into_iter().rev().try_for_each(|at| show(self.read(at).0))?;
            }
            (_, Direction::Backward) => {
                let mut at = self.offset_of(index + 1);
                while at > 0 {
                    at = self.before(at);
                    show(self.read(at).0)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Appends the entries as they lie in a listpack. The content is no plain one.
    pub(super) fn append_entries(self, out: &mut Vec<u8>) {
        match self.form {
            Form::Open => out.extend_from_slice(self.bytes),
            Form::Even => {
                let (header, width) = (self.header.as_bytes(), self.header.width());
                let (backlen, backlen_bytes) = format::backlen(header.len() + width);
                out.reserve(self.count * (header.len() + width + backlen_bytes));
                for data in self.bytes.chunks_exact(width) {
                    out.extend_from_slice(header);
                    out.extend_from_slice(data);
                    out.extend_from_slice(&backlen[..backlen_bytes]);
                }
            }
            _ => {
                let mut rest = self.bytes;
                while !rest.is_empty() {
                    let (entry, others) = rest.split_at(format::size_of_entry(rest));
                    let (backlen, backlen_bytes) = format::backlen(entry.len());
                    out.extend_from_slice(entry);
                    out.extend_from_slice(&backlen[..backlen_bytes]);
                    rest = others;
                }
            }
        }
    }

    /// Appends the entries without their backlens. The content is no plain one.
    pub(super) fn append_run(self, out: &mut Vec<u8>) {
        match self.form {
            Form::Open => {
                let mut rest = self.bytes;
                while !rest.is_empty() {
                    let size = format::size_of_entry(rest);
                    out.extend_from_slice(&rest[..size]);
                    rest = &rest[size + format::backlen_bytes(size, &rest[size..])..];
                }
            }
            Form::Even => {
                for data in self.bytes.chunks_exact(self.header.width()) {
                    out.extend_from_slice(self.header.as_bytes());
                    out.extend_from_slice(data);
                }
            }
            _ => out.extend_from_slice(self.bytes),
        }
    }

    /// Appends what the entries of an open or an even node have behind the header that they share.
    pub(super) fn append_data(self, out: &mut Vec<u8>) {
        if self.form == Form::Even {
            return out.extend_from_slice(self.bytes);
        }
        let (start, width) = (self.header.len(), self.header.width());
        let stride = step(self.bytes, self.form, self.header);
        self.bytes.chunks_exact(stride).for_each(|entry| out.extend_from_slice(&entry[start..start + width]));
    }
}

/// The bytes of the entry at the front of `entry` in a node of this form.
#[inline]
fn step(entry: &[u8], form: Form, header: Header) -> usize {
    if form == Form::Even {
        return header.width();
    }
    let size = format::size_of_entry(entry);
    size + behind(form, entry, size)
}

/// The bytes of backlen behind an entry of `size` bytes.
#[inline]
fn behind(form: Form, entry: &[u8], size: usize) -> usize {
    if form == Form::Open { format::backlen_bytes(size, &entry[size..]) } else { 0 }
}
