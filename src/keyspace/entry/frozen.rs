//! A table of entries that several threads read at once, because nobody changes it meanwhile: what a save walks over.

use super::{Entry, StrView};
use crate::encoding::dict::Dict;
use crate::object::View;
use std::ops::Range;

/// A table while nothing in it changes.
#[derive(Clone, Copy)]
pub struct FrozenTable<'a>(&'a Dict<Entry>);

// SAFETY: threads that share this only read: they are shown entries as `FrozenEntry`, which has no method that writes
// (`Entry` itself can store its clock through a shared reference), and values have no cells. Whoever made it holds the
// keyspace borrowed, and commands, which store clocks, need it for themselves.
unsafe impl Sync for FrozenTable<'_> {}

// SAFETY: as above: it is a shared reference.
unsafe impl Send for FrozenTable<'_> {}

impl<'a> FrozenTable<'a> {
    pub fn new(table: &'a Dict<Entry>) -> FrozenTable<'a> {
        FrozenTable(table)
    }

    /// See `Dict::bucket_count`.
    pub fn bucket_count(self) -> usize {
        self.0.bucket_count()
    }

    /// See `Dict::for_each_in`.
    pub fn for_each_in(self, buckets: Range<usize>, visit: &mut dyn FnMut(FrozenEntry<'_>)) {
        self.0.for_each_in(buckets, &mut |entry| visit(FrozenEntry(entry)));
    }
}

/// An entry for reading only.
#[derive(Clone, Copy)]
pub struct FrozenEntry<'a>(&'a Entry);

impl<'a> FrozenEntry<'a> {
    #[inline]
    pub fn key(self) -> &'a [u8] {
        self.0.key()
    }

    #[inline]
    pub fn expire_at_ms(self) -> Option<i64> {
        self.0.expire_at_ms()
    }

    #[inline]
    pub fn lru(self) -> u32 {
        self.0.lru()
    }

    #[inline]
    pub fn view(self) -> Option<View<'a>> {
        self.0.view()
    }

    #[inline]
    pub fn str_view(self) -> StrView<'a> {
        self.0.str_view()
    }
}
