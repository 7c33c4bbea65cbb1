//! Reading a hash.
//!
//! Methods that are given the time leave out what has expired; those whose name says `stored`, and `len`, do not.

use super::packed::{self, PAIR, TRIPLE};
use super::table::FieldTable;
use super::{DataType, Hash, has_expired};
use crate::encoding::listpack::{Element, Listpack};

/// A hash to be read.
#[derive(Clone, Copy)]
pub enum HashView<'a> {
    Packed(Listpack<'a>),
    PackedTtl(Listpack<'a>),
    Table(&'a FieldTable),
}

/// One field of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldView<'a> {
    pub field: Element<'a>,
    pub value: Element<'a>,
    /// Unix ms.
    pub expire_at_ms: Option<i64>,
}

impl FieldView<'_> {
    #[inline]
    pub fn has_expired(&self, now_ms: i64) -> bool {
        self.expire_at_ms.is_some_and(|expire_at_ms| has_expired(expire_at_ms, now_ms))
    }
}

impl<'a> HashView<'a> {
    /// Fields, those included that have expired and were not removed yet.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            HashView::Packed(blob) => blob.len() / PAIR,
            HashView::PackedTtl(blob) => blob.len() / TRIPLE,
            HashView::Table(table) => table.len(),
        }
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        match self {
            HashView::Packed(blob) | HashView::PackedTtl(blob) => blob.is_empty(),
            HashView::Table(table) => table.is_empty(),
        }
    }

    /// The value of a field.
    #[inline]
    pub fn get(self, field: &[u8], now_ms: i64) -> Option<Element<'a>> {
        self.find(field, now_ms).map(|found| found.value)
    }

    /// A field with its value and expiry.
    #[inline]
    pub fn find(self, field: &[u8], now_ms: i64) -> Option<FieldView<'a>> {
        self.find_stored(field).filter(|found| !found.has_expired(now_ms))
    }

    /// As `find`, even if the field has expired.
    #[inline]
    pub fn find_stored(self, field: &[u8]) -> Option<FieldView<'a>> {
        match self {
            HashView::Packed(blob) => {
                let at = packed::find(blob, field, PAIR)?;
                let value = blob.at(packed::behind(blob, at, 1));
                Some(FieldView { field: blob.at(at), value, expire_at_ms: None })
            }
            HashView::PackedTtl(blob) => {
                let at = packed::find(blob, field, TRIPLE)?;
                let value_at = packed::behind(blob, at, 1);
                let expire_at_ms = packed::read_expiry(blob.at(packed::behind(blob, value_at, 1)));
                Some(FieldView { field: blob.at(at), value: blob.at(value_at), expire_at_ms })
            }
            HashView::Table(table) => table.get(field).map(FieldView::from),
        }
    }

    /// Whether a field is there, even if it has expired.
    pub fn has(self, field: &[u8]) -> bool {
        match self {
            HashView::Packed(blob) => packed::find(blob, field, PAIR).is_some(),
            HashView::PackedTtl(blob) => packed::find(blob, field, TRIPLE).is_some(),
            HashView::Table(table) => table.get(field).is_some(),
        }
    }

    /// The expiry of a field that is there, even if it has passed.
    pub(super) fn stored_expiry(self, field: &[u8]) -> Option<Option<i64>> {
        self.find_stored(field).map(|found| found.expire_at_ms)
    }

    /// Whether any field has expired.
    #[inline]
    pub fn has_expired_fields(self, now_ms: i64) -> bool {
        Hash::next_expiry_ms(self).is_some_and(|next_ms| has_expired(next_ms, now_ms))
    }

    /// Visits every field that has not expired, in the order of the encoding.
    pub fn for_each(self, now_ms: i64, visit: &mut dyn FnMut(FieldView<'_>)) {
        if !self.has_expired_fields(now_ms) {
            return self.for_each_stored(visit);
        }
        self.for_each_stored(&mut |stored| {
            if !stored.has_expired(now_ms) {
                visit(stored);
            }
        });
    }

    /// Visits every field, those included that have expired, as fast as memory allows. Allocates nothing.
    pub fn for_each_stored(self, visit: &mut dyn FnMut(FieldView<'_>)) {
        match self {
            HashView::Packed(blob) => packed::pairs(blob).for_each(visit),
            HashView::PackedTtl(blob) => packed::triples(blob).for_each(visit),
            HashView::Table(table) => table.fields().for_each(&mut |field| visit(FieldView::from(field))),
        }
    }

    /// Visits the next fields that have not expired, about `count` of them, and returns the cursor to go on with; 0 is
    /// the beginning and the end. A packed hash is shown as a whole.
    pub fn scan(self, cursor: u64, count: usize, now_ms: i64, visit: &mut dyn FnMut(FieldView<'_>)) -> u64 {
        let HashView::Table(table) = self else {
            self.for_each(now_ms, visit);
            return 0;
        };
        table.scan(cursor, count, &mut |field| {
            let stored = FieldView::from(field);
            if !stored.has_expired(now_ms) {
                visit(stored);
            }
        })
    }
}
