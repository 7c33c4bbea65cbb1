//! A member of a large set: one pointer to one block that is no larger than it must be.
//!
//! ```text
//!  byte 0     1 or 9
//!       [ length | bytes ]        length: 1 byte up to 254, else 255 and a u64 LE
//! ```
//! The block has exactly these bytes and no alignment; what the allocator makes of them is `size_class`.

use super::dict::Item;
use crate::base::alloc::size_class;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// The first byte of a block whose length takes `LONG_HEAD` bytes.
const IS_LONG: u8 = 0xff;
const SHORT_HEAD: usize = 1;
const LONG_HEAD: usize = 9;

/// Owns its block.
#[repr(transparent)]
pub struct Member(NonNull<u8>);

// SAFETY: the block belongs to the member alone and does not change.
unsafe impl Send for Member {}
// SAFETY: as above; there is nothing that a shared reference could change.
unsafe impl Sync for Member {}

// SAFETY: a transparent `NonNull`; the key lies in the block, which does not change while the member lives.
unsafe impl Item for Member {
    #[inline]
    fn key(&self) -> &[u8] {
        let (head, length) = self.measure();
        // SAFETY: the block has as many bytes as its head says, all written in `new`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(head), length) }
    }
}

impl Member {
    #[inline]
    pub fn new(bytes: &[u8]) -> Member {
        let head = if bytes.len() < usize::from(IS_LONG) { SHORT_HEAD } else { LONG_HEAD };
        let layout = layout(head, bytes.len());
        // SAFETY: the layout has a size above zero.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the block has room for the head and the bytes, which are not in it.
        unsafe {
            if head == SHORT_HEAD {
                block.write(bytes.len() as u8);
            } else {
                block.write(IS_LONG);
                block.add(SHORT_HEAD).cast::<[u8; 8]>().write((bytes.len() as u64).to_le_bytes());
            }
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), block.as_ptr().add(head), bytes.len());
        }
        Member(block)
    }

    /// Bytes allocated, as the allocator counts them.
    pub fn heap_bytes(&self) -> usize {
        let (head, length) = self.measure();
        size_class(head + length)
    }

    /// How many bytes the head takes, and how many follow it.
    #[inline]
    fn measure(&self) -> (usize, usize) {
        // SAFETY: every block begins with a byte, and with nine if that says so.
        unsafe {
            match self.0.read() {
                IS_LONG => {
                    let length = self.0.add(SHORT_HEAD).cast::<[u8; 8]>().read();
                    (LONG_HEAD, u64::from_le_bytes(length) as usize)
                }
                length => (SHORT_HEAD, usize::from(length)),
            }
        }
    }
}

impl Clone for Member {
    fn clone(&self) -> Self {
        Member::new(self.key())
    }
}

impl Drop for Member {
    #[inline]
    fn drop(&mut self) {
        let (head, length) = self.measure();
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.0.as_ptr(), layout(head, length)) };
    }
}

fn layout(head: usize, length: usize) -> Layout {
    Layout::from_size_align(head + length, 1)
        .expect("the bytes were in memory, so their number is no overflow")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::alloc::usable_size;

    #[test]
    fn a_member_is_its_bytes_in_the_smallest_block() {
        for length in (0..70).chain([253, 254, 255, 256, 1000, 70_000]) {
            let bytes: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let member = Member::new(&bytes);
            assert_eq!(member.key(), bytes);
            // SAFETY: the member owns its block.
            assert_eq!(member.heap_bytes(), unsafe { usable_size(member.0.as_ptr()) });
            let copy = member.clone();
            drop(member);
            assert_eq!(copy.key(), bytes);
        }
        assert_eq!(Member::new(b"member:000123").heap_bytes(), 16);
    }
}
