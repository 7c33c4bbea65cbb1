//! The item of a large hash: one field with its value and perhaps an expiry, in one allocation.
//!
//! ```text
//!  byte 0        1              ..        ..       ..             ..
//!       [ head | field length | expiry  | field  | value length | value ]
//!         1      0, 2, 4 or 8   0 or 6             1, 3, 5 or 9
//!
//!  head          bits 0..6  the field's length up to 124; 125, 126, 127: it follows in 2, 4, 8 bytes
//!                bit  7     an expiry is there: 48 bits of Unix ms
//!  value length  one byte up to 252; 253, 254, 255: it follows in 2, 4, 8 bytes
//! ```
//! Numbers are little-endian, nothing is aligned. So a field and a value of 11 bytes each take 24 bytes, of
//! 15 bytes each 32.
//!
//! Invariants: 1. the block's size is its content's, rounded up to the allocator's size class, so it follows from the
//! lengths, and a value may change in place as long as the class stays; 2. a length has its shortest form.
//!
//! It deliberately keeps values of any length in the block: a field that is asked for is asked for its value, too.

#[cfg(test)]
mod tests;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::dict::Item;
use crate::base::alloc::size_class;

/// The latest expiry that a field can have, in Unix ms: what Redis accepts for hash fields.
pub const EXPIRE_AT_MS_MAX: i64 = (1 << 48) - 2;

const EXPIRES: u8 = 0x80;
const FIELD_LENGTH_MASK: u8 = 0x7f;
const FIELD_SHORT_MAX: u8 = 124;
const VALUE_SHORT_MAX: u8 = 252;
const EXPIRY_BYTES: usize = 6;

/// Owns its block.
#[repr(transparent)]
pub struct Field(NonNull<u8>);

// SAFETY: the block belongs to the field alone, and nothing writes it through a shared reference.
unsafe impl Send for Field {}
// SAFETY: as above.
unsafe impl Sync for Field {}

// SAFETY: a transparent `NonNull`; the name lies in the block and does not change while the field lives.
unsafe impl Item for Field {
    /// Nearly as little memory as with `FILL_FOR_MEMORY`, and most lookups read one line of the table.
    const ITEMS_PER_BUCKET: usize = 7;

    #[inline]
    fn key(&self) -> &[u8] {
        let head = self.head();
        let (width, length) = self.name_length(head);
        self.slice(1 + width + expiry_width(head), length)
    }
}

/// The sizes that make up a block.
#[derive(Clone, Copy)]
struct Shape {
    name_bytes: usize,
    value_bytes: usize,
    expiry_width: usize,
}

impl Shape {
    #[inline]
    fn expiry_at(&self) -> usize {
        1 + length_width(self.name_bytes, FIELD_SHORT_MAX)
    }

    #[inline]
    fn name_at(&self) -> usize {
        self.expiry_at() + self.expiry_width
    }

    #[inline]
    fn value_length_at(&self) -> usize {
        self.name_at() + self.name_bytes
    }

    #[inline]
    fn value_at(&self) -> usize {
        self.value_length_at() + 1 + length_width(self.value_bytes, VALUE_SHORT_MAX)
    }

    fn layout(&self) -> Layout {
        let bytes = size_class(self.value_at() + self.value_bytes);
        Layout::from_size_align(bytes, 8)
            .expect("field and value were in memory, so their sum is no overflow")
    }
}

impl Field {
    /// `expire_at_ms`: Unix ms, 0 to `EXPIRE_AT_MS_MAX`.
    pub fn new(name: &[u8], value: &[u8], expire_at_ms: Option<i64>) -> Field {
        let expiry_width = if expire_at_ms.is_some() { EXPIRY_BYTES } else { 0 };
        let shape = Shape { name_bytes: name.len(), value_bytes: value.len(), expiry_width };
        let layout = shape.layout();
        // SAFETY: the layout's size is not zero.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let mut field = Field(block);
        field.store_length(0, name.len(), FIELD_SHORT_MAX);
        if let Some(expire_at_ms) = expire_at_ms {
            let head = field.head();
            field.store(0, &[head | EXPIRES]);
            field.store_expiry(&shape, expire_at_ms);
        }
        field.store(shape.name_at(), name);
        field.store_value(&shape, value);
        field
    }

    #[inline]
    pub fn name(&self) -> &[u8] {
        self.key()
    }

    #[inline]
    pub fn value(&self) -> &[u8] {
        let shape = self.shape();
        self.slice(shape.value_at(), shape.value_bytes)
    }

    /// Unix ms.
    #[inline]
    pub fn expire_at_ms(&self) -> Option<i64> {
        let head = self.head();
        if head & EXPIRES == 0 {
            return None;
        }
        let mut bytes = [0; 8];
        bytes[..EXPIRY_BYTES].copy_from_slice(self.slice(1 + self.name_length(head).0, EXPIRY_BYTES));
        Some(i64::from_le_bytes(bytes))
    }

    /// Replaces the value; in place if the size class stays. The expiry stays.
    pub fn set_value(&mut self, value: &[u8]) {
        let old = self.shape();
        let new = Shape { value_bytes: value.len(), ..old };
        if new.layout() == old.layout() {
            self.store_value(&new, value);
        } else {
            *self = Field::new(self.name(), value, self.expire_at_ms());
        }
    }

    /// Sets, changes or removes the expiry: Unix ms, 0 to `EXPIRE_AT_MS_MAX`.
    pub fn set_expire(&mut self, expire_at_ms: Option<i64>) {
        match (self.expire_at_ms(), expire_at_ms) {
            (None, None) => {}
            (Some(_), Some(new)) => {
                let shape = self.shape();
                self.store_expiry(&shape, new);
            }
            (None, Some(_)) | (Some(_), None) => {
                *self = Field::new(self.name(), self.value(), expire_at_ms);
            }
        }
    }

    /// Bytes allocated, as the allocator counts them.
    pub fn heap_bytes(&self) -> usize {
        self.shape().layout().size()
    }

    #[inline]
    fn head(&self) -> u8 {
        self.slice(0, 1)[0]
    }

    /// Bytes that the name's length takes behind the head, and the length.
    #[inline]
    fn name_length(&self, head: u8) -> (usize, usize) {
        self.load_length(0, head & FIELD_LENGTH_MASK, FIELD_SHORT_MAX)
    }

    #[inline]
    fn shape(&self) -> Shape {
        let head = self.head();
        let (_, name_bytes) = self.name_length(head);
        let shape = Shape { name_bytes, value_bytes: 0, expiry_width: expiry_width(head) };
        let at = shape.value_length_at();
        let (_, value_bytes) = self.load_length(at, self.slice(at, 1)[0], VALUE_SHORT_MAX);
        Shape { value_bytes, ..shape }
    }

    /// The length whose first byte, at `at`, says `first`: how many bytes follow that one, and the length.
    #[inline]
    fn load_length(&self, at: usize, first: u8, short_max: u8) -> (usize, usize) {
        if first <= short_max {
            return (0, usize::from(first));
        }
        let width = 1_usize << (first - short_max);
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(self.slice(at + 1, width));
        (width, u64::from_le_bytes(bytes) as usize)
    }

    fn store_length(&mut self, at: usize, length: usize, short_max: u8) {
        let width = length_width(length, short_max);
        if width == 0 {
            return self.store(at, &[length as u8]);
        }
        self.store(at, &[short_max + width.ilog2() as u8]);
        self.store(at + 1, &(length as u64).to_le_bytes()[..width]);
    }

    fn store_expiry(&mut self, shape: &Shape, expire_at_ms: i64) {
        debug_assert!((0..=EXPIRE_AT_MS_MAX).contains(&expire_at_ms), "{expire_at_ms}");
        self.store(shape.expiry_at(), &expire_at_ms.to_le_bytes()[..EXPIRY_BYTES]);
    }

    fn store_value(&mut self, shape: &Shape, value: &[u8]) {
        self.store_length(shape.value_length_at(), value.len(), VALUE_SHORT_MAX);
        self.store(shape.value_at(), value);
    }

    /// Bytes of the block; every caller takes place and length from the shape.
    #[inline]
    fn slice(&self, at: usize, length: usize) -> &[u8] {
        // SAFETY: the range lies in the block and is initialised, by the shape; it changes only through `&mut self`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), length) }
    }

    /// Writes bytes of the block; every caller takes the place from the shape the block was made for.
    fn store(&mut self, at: usize, bytes: &[u8]) {
        // SAFETY: the range lies in the block, by the shape. `bytes` is not part of it: the block is borrowed for
        // change.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.as_ptr().add(at), bytes.len()) };
    }
}

impl Clone for Field {
    fn clone(&self) -> Field {
        Field::new(self.name(), self.value(), self.expire_at_ms())
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let layout = self.shape().layout();
        // SAFETY: the block was allocated with the layout of its shape (invariant 1), and the field is gone.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

#[inline]
fn expiry_width(head: u8) -> usize {
    if head & EXPIRES == 0 { 0 } else { EXPIRY_BYTES }
}

/// Bytes that a length takes behind its first one.
#[inline]
fn length_width(length: usize, short_max: u8) -> usize {
    match length as u64 {
        short if short <= u64::from(short_max) => 0,
        two if two <= u64::from(u16::MAX) => 2,
        four if four <= u64::from(u32::MAX) => 4,
        _ => 8,
    }
}
