//! A member of a large sorted set with its score, in one allocation.
//!
//! ```text
//!  byte 0       8        9 or 17
//!       [ score | length | member ]
//!         8       1 or 9
//! ```
//! The score is an aligned f64 in the machine's order; the length one byte up to 254, else 255 and eight bytes. A
//! member of 15 bytes takes 24 bytes, the allocator's class.
//!
//! Invariants: 1. the member and its length never change, so the block's size follows from it; 2. no reference to the
//! score is ever handed out, so it can be written through a shared reference, and nobody but this thread looks at it
//! (the type is not `Sync`).
//!
//! It deliberately does not know its place in the order: a tree that holds pointers to items must be told before a
//! score changes.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::dict::Item;
use crate::base::alloc::size_class;

const LENGTH_AT: usize = size_of::<f64>();
/// The first length that does not fit in one byte, and the byte that says so.
const LONG: u8 = u8::MAX;
const SHORT_HEAD_BYTES: usize = LENGTH_AT + 1;
const LONG_HEAD_BYTES: usize = SHORT_HEAD_BYTES + size_of::<usize>();

/// Owns its block.
#[repr(transparent)]
pub struct Scored(NonNull<u8>);

/// Where an item lives: what an order of items holds. It does not keep the item alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct ScoredPointer(NonNull<u8>);

// SAFETY: the block belongs to the item alone.
unsafe impl Send for Scored {}

// SAFETY: a transparent `NonNull`; the member lies in the block and never changes.
unsafe impl Item for Scored {
    #[inline]
    fn key(&self) -> &[u8] {
        self.member()
    }
}

impl Scored {
    pub fn new(score: f64, member: &[u8]) -> Scored {
        let layout = layout_for(member.len());
        // SAFETY: the layout's size is not zero.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let start = block.as_ptr();
        // SAFETY: score, length and member lie in the block one after the other, by its layout; the block is aligned
        // for the score and nobody else knows it.
        unsafe {
            start.cast::<f64>().write(score);
            if member.len() < usize::from(LONG) {
                start.add(LENGTH_AT).write(member.len() as u8);
            } else {
                start.add(LENGTH_AT).write(LONG);
                start.add(SHORT_HEAD_BYTES).cast::<usize>().write_unaligned(member.len());
            }
            let place = start.add(head_bytes(member.len()));
            std::ptr::copy_nonoverlapping(member.as_ptr(), place, member.len());
        }
        Scored(block)
    }

    #[inline]
    pub fn score(&self) -> f64 {
        // SAFETY: the block begins with the score, aligned; no other thread writes it.
        unsafe { self.0.as_ptr().cast::<f64>().read() }
    }

    /// Through a shared reference, so that a lookup can do it.
    #[inline]
    pub fn set_score(&self, score: f64) {
        // SAFETY: as in `score`; no reference to the score exists (invariant 2).
        unsafe { self.0.as_ptr().cast::<f64>().write(score) };
    }

    #[inline]
    pub fn member(&self) -> &[u8] {
        // SAFETY: the item is alive as long as it is borrowed.
        unsafe { self.pointer().member() }
    }

    #[inline]
    pub fn pointer(&self) -> ScoredPointer {
        ScoredPointer(self.0)
    }

    /// Bytes allocated, as the allocator counts them.
    pub fn heap_bytes(&self) -> usize {
        size_class(layout_for(self.member().len()).size())
    }
}

impl Drop for Scored {
    fn drop(&mut self) {
        let layout = layout_for(self.member().len());
        // SAFETY: the block was allocated with this layout (invariant 1), and nothing uses it any more.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

impl ScoredPointer {
    /// # Safety
    /// The item is alive, and stays so for `'a`.
    #[inline]
    pub unsafe fn member<'a>(self) -> &'a [u8] {
        let start = self.0.as_ptr();
        // SAFETY: the block has a length behind the score, and as many bytes of a member behind that.
        unsafe {
            let short = start.add(LENGTH_AT).read();
            if short != LONG {
                return std::slice::from_raw_parts(start.add(SHORT_HEAD_BYTES), usize::from(short));
            }
            let length = start.add(SHORT_HEAD_BYTES).cast::<usize>().read_unaligned();
            std::slice::from_raw_parts(start.add(LONG_HEAD_BYTES), length)
        }
    }

    /// # Safety
    /// The item is alive.
    #[inline]
    pub unsafe fn score(self) -> f64 {
        // SAFETY: the caller's promise; the block begins with the score, aligned.
        unsafe { self.0.as_ptr().cast::<f64>().read() }
    }

    /// The address, to prefetch it.
    #[inline]
    pub fn address(self) -> *const u8 {
        self.0.as_ptr()
    }
}

fn head_bytes(member_bytes: usize) -> usize {
    if member_bytes < usize::from(LONG) { SHORT_HEAD_BYTES } else { LONG_HEAD_BYTES }
}

fn layout_for(member_bytes: usize) -> Layout {
    Layout::from_size_align(head_bytes(member_bytes) + member_bytes, align_of::<f64>())
        .expect("the member was in memory, so its length and a head are no overflow")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_every_length_come_back() {
        for length in [0, 1, 7, 15, 16, 253, 254, 255, 256, 70_000] {
            let member: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let item = Scored::new(-1.5, &member);
            assert_eq!((item.score(), item.member()), (-1.5, &member[..]));
            item.set_score(f64::INFINITY);
            assert_eq!((item.score(), item.key()), (f64::INFINITY, &member[..]));
        }
        assert_eq!(Scored::new(1.0, b"member:12345678").heap_bytes(), 24);
        assert_eq!(Scored::new(1.0, b"member:123456789").heap_bytes(), 32);
    }
}
