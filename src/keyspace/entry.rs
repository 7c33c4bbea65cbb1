//! One key with its value, expiry and access clock, in one allocation.
//!
//! ```text
//!  byte 0 .. 3   3      4            ..            ..            ..      ..
//!       [ clock | head | key length | value length | expiry      | key  | value ]
//!         3       1      1 or 6       0, 1 or 2      0, 6 or 9
//!
//!  head   bits 0..4  kind: 0 short, 1 short edited, 2 long, 3 int, 4 buffer;
//!                    packed: 5 list, 6 integers of a set, 7 set, 8 sorted set, 9 hash, 10 hash with field
//!                    expiries; 11 object; 12..16 free
//!         bit  4     the key length takes 6 bytes (keys above 255 bytes)
//!         bits 5..7  expiry: 0 none; 1 six bytes: 47 bits of Unix ms, bit 47 the index generation;
//!                    2 nine bytes: any i64, then a byte for the generation
//!  kind   short, short edited   value length 1 byte    the bytes; an edited one always says `raw`
//!         long                  value length 2 bytes   the bytes
//!         int                   none                   i64
//!         buffer                none                   pointer to a Box<Vec<u8>>
//!         packed                none                   the bytes, which tell their length in their head
//!         object                none                   pointer to a Box<Object>
//! ```
//! Numbers are little-endian, nothing is aligned. So a key of 16 bytes with a value of 16 takes 38 bytes (40
//! allocated), with a value of 100 and an expiry 128, with an integer 29 (32).
//!
//! Invariants: 1. the block's size is its content's, rounded up to the allocator's size class, so it follows
//! from the header, and a value may change in place as long as the class stays; 2. values up to
//! `EMBEDDED_BYTES_MAX` are embedded, unless a buffer shrank through `edit_raw`; 3. no reference to clock,
//! head or expiry is ever handed out, only to key and value, so those can be written through a shared
//! reference.
//!
//! It deliberately knows no clock and no policy: the meaning of the 24 bits of `lru` and of an expiry is the
//! Db's.

mod frozen;
mod layout;
#[cfg(test)]
mod tests;

pub use self::frozen::{FrozenEntry, FrozenTable};

use std::alloc::{alloc, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use self::layout::{
    EXPIRY_SHORT, GENERATION_BIT, HEAD_AT, KEY_IS_LONG, KEY_LENGTH_AT, KEY_LENGTH_LONG, Kind, NewValue,
    POINTER_BYTES, Shape, expiry_width, packed_bytes, size_class, width_for,
};
use super::expiry_index::Generation;
use crate::base::alloc::usable_size;
use crate::encoding::dict::{FILL_FOR_SPEED, Item};
use crate::encoding::prefetch::{prefetch, prefetch_two_lines};
use crate::object::{Encoding, Object, Packing, ValueType, View};

/// Longer values get a buffer of their own. Embedded, a value shares its key's cache lines and allocation; a
/// value in a buffer can grow without being copied, and be freed elsewhere.
pub const EMBEDDED_BYTES_MAX: usize = 1024;
/// OBJECT ENCODING calls a string up to this length `embstr`, as Redis does.
const EMBSTR_BYTES_MAX: usize = 44;

/// Packed values up to this length are embedded: an edit copies them out and back.
pub const EMBEDDED_PACKED_MAX: usize = 1024;

/// `drop_cost` counts one for so many bytes.
const BYTES_PER_COST: usize = 64 << 10;

/// A string value, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrView<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

/// Owns its block and what the value points to.
#[repr(transparent)]
pub struct Entry(NonNull<u8>);

// SAFETY: the block, and the buffer or the object it may point to, belong to the entry alone, and any thread may free
// them (jemalloc knows no owner). What else it is made of can be sent, too: see below. (It is not `Sync`: `set_lru`
// writes unsynchronised.)
unsafe impl Send for Entry {}

/// What a pointer in a block can lead to; the compiler would not ask.
const _: () = {
    const fn can_be_sent<T: Send>() {}
    can_be_sent::<Object>();
    can_be_sent::<Vec<u8>>();
};

// SAFETY: a transparent `NonNull`; the key lies in the block and does not change while the entry lives.
unsafe impl Item for Entry {
    const ITEMS_PER_BUCKET: usize = FILL_FOR_SPEED;

    #[inline]
    fn key(&self) -> &[u8] {
        Entry::key(self)
    }

    #[inline]
    fn prefetch_value(&self) {
        if let Some(pointer) = self.outside() {
            prefetch(pointer);
        }
    }

    #[inline]
    fn prefetch_content(&self) {
        if Kind::of(self.head()) == Kind::Buffer {
            // SAFETY: by its kind the value is a buffer, which the entry owns.
            prefetch_two_lines(unsafe { (*self.buffer(&self.shape())).as_ptr() });
        }
    }
}

impl Entry {
    /// A string as given, even if it looks like an integer. `expire_at_ms`: Unix ms.
    pub fn from_bytes(key: &[u8], value: &[u8], expire_at_ms: Option<i64>) -> Entry {
        Entry::build(key, NewValue::of_bytes(value), expire_at_ms)
    }

    /// A string that is an integer.
    pub fn from_int(key: &[u8], value: i64, expire_at_ms: Option<i64>) -> Entry {
        Entry::build(key, NewValue::Int(value), expire_at_ms)
    }

    /// A string in the encoding `raw`, whatever its length. A long one is taken over without a copy.
    pub fn from_raw(key: &[u8], value: Vec<u8>, expire_at_ms: Option<i64>) -> Entry {
        if value.len() <= EMBEDDED_BYTES_MAX {
            return Entry::build(key, NewValue::Edited(&value), expire_at_ms);
        }
        Entry::build(key, NewValue::Buffer(value), expire_at_ms)
    }

    /// Asks for the lines in which the header and a key of usual length lie.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(self.0.as_ptr());
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        let head = self.head();
        let key_bytes = self.key_bytes(head);
        let key_length_width = if head & KEY_IS_LONG == 0 { 1 } else { KEY_LENGTH_LONG };
        let at = KEY_LENGTH_AT + key_length_width + Kind::of(head).length_width() + expiry_width(head);
        self.slice(at, key_bytes)
    }

    /// Unix ms.
    pub fn expire_at_ms(&self) -> Option<i64> {
        let at = self.shape().expiry_at();
        match expiry_width(self.head()) {
            0 => None,
            EXPIRY_SHORT => Some((self.short_expiry(at) & !GENERATION_BIT).cast_signed()),
            _ => Some(i64::from_le_bytes(self.load(at))),
        }
    }

    /// Sets, changes or removes the expiry. Reallocates if its size changes. The index generation stays, if
    /// there was an expiry before.
    pub fn set_expire(&mut self, expire_at_ms: Option<i64>) {
        let shape = self.shape();
        if width_for(expire_at_ms) == shape.expiry_width {
            return self.write_expiry(&shape, expire_at_ms, self.index_generation());
        }
        // SAFETY: the old block is freed at once, without its value, which now belongs to the new one.
        unsafe {
            let moved = self.copy_block(self.key(), expire_at_ms);
            std::mem::replace(self, moved).free_block();
        }
    }

    /// A list, set, sorted set, hash or stream.
    pub fn from_object(key: &[u8], object: Object, expire_at_ms: Option<i64>) -> Entry {
        match object.packed() {
            Some((packing, bytes)) if bytes.len() <= EMBEDDED_PACKED_MAX => {
                Entry::build(key, NewValue::Packed(packing, bytes), expire_at_ms)
            }
            _ => Entry::build(key, NewValue::Object(Box::new(object)), expire_at_ms),
        }
    }

    #[inline]
    pub fn value_type(&self) -> ValueType {
        let kind = Kind::of(self.head());
        match kind.packing() {
            Some(packing) => packing.value_type(),
            None if kind == Kind::Object => self.object(&self.shape()).view().value_type(),
            None => ValueType::String,
        }
    }

    pub fn encoding(&self) -> Encoding {
        if let Some(view) = self.view() {
            return view.encoding();
        }
        let shape = self.shape();
        match shape.kind {
            Kind::Int => Encoding::Int,
            Kind::Short if shape.value_bytes <= EMBSTR_BYTES_MAX => Encoding::Embstr,
            _ => Encoding::Raw,
        }
    }

    /// The value, unless it is a string.
    #[inline]
    pub fn view(&self) -> Option<View<'_>> {
        let shape = self.shape();
        match shape.kind.packing() {
            Some(packing) => Some(View::of_packed(packing, self.slice(shape.value_at(), shape.value_bytes))),
            None if shape.kind == Kind::Object => Some(self.object(&shape).view()),
            None => None,
        }
    }

    /// The value to be edited where it is, when it is not embedded.
    #[inline]
    pub fn object_mut(&mut self) -> Option<&mut Object> {
        let shape = self.shape();
        // SAFETY: the entry owns the object and is borrowed for change.
        (shape.kind == Kind::Object).then(|| unsafe { &mut *self.object_pointer(&shape) })
    }

    /// The bytes of an embedded object, to be edited elsewhere and given back by `set_packed` or `set_object`.
    #[inline]
    pub fn packed(&self) -> Option<(Packing, &[u8])> {
        let shape = self.shape();
        let packing = shape.kind.packing()?;
        Some((packing, self.slice(shape.value_at(), shape.value_bytes)))
    }

    /// Replaces the value by a packed one of at most `EMBEDDED_PACKED_MAX` bytes; key, expiry and clock stay. In place
    /// if the size class stays.
    pub fn set_packed(&mut self, packing: Packing, bytes: &[u8]) {
        debug_assert!(bytes.len() <= EMBEDDED_PACKED_MAX);
        self.replace_value(NewValue::Packed(packing, bytes));
    }

    /// Replaces the value by an object; key, expiry and clock stay.
    pub fn set_object(&mut self, object: Object) {
        match object.packed() {
            Some((packing, bytes)) if bytes.len() <= EMBEDDED_PACKED_MAX => self.set_packed(packing, bytes),
            _ => self.replace_value(NewValue::Object(Box::new(object))),
        }
    }

    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    pub fn check(&self) {
        let shape = self.shape();
        let check = |object: &Object| {
            object.check();
            assert!(!object.is_empty(), "a collection without elements");
        };
        match self.packed() {
            Some((packing, bytes)) => check(&Object::of_packed(packing, bytes.to_vec())),
            None if shape.kind == Kind::Object => check(self.object(&shape)),
            None => {}
        }
    }

    /// The value of a string; of no other type.
    #[inline]
    pub fn str_view(&self) -> StrView<'_> {
        let shape = self.shape();
        match shape.kind {
            Kind::Short | Kind::ShortEdited | Kind::Long => {
                StrView::Bytes(self.slice(shape.value_at(), shape.value_bytes))
            }
            Kind::Int => StrView::Int(i64::from_le_bytes(self.load(shape.value_at()))),
            // SAFETY: the entry owns the buffer, and is borrowed as long as the view is.
            Kind::Buffer => StrView::Bytes(unsafe { &*self.buffer(&shape) }),
            _ => unreachable!("the caller has looked at the type"),
        }
    }

    /// STRLEN: of an integer the length of its decimal text.
    pub fn str_len(&self) -> usize {
        match self.str_view() {
            StrView::Int(value) => itoa::Buffer::new().format(value).len(),
            StrView::Bytes(bytes) => bytes.len(),
        }
    }

    /// Replaces the value by a string as given; key, expiry and clock stay. In place if the size class stays.
    pub fn set_bytes(&mut self, value: &[u8]) {
        self.replace_value(NewValue::of_bytes(value));
    }

    /// Replaces the value by an integer; key, expiry and clock stay.
    pub fn set_int(&mut self, value: i64) {
        self.replace_value(NewValue::Int(value));
    }

    /// Lets `edit` change the value's bytes (APPEND, SETRANGE, SETBIT); its encoding is `raw` from then on. A
    /// long value is edited where it is, and keeps its spare capacity; a short one is copied out and back.
    pub fn edit_raw<R>(&mut self, edit: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let shape = self.shape();
        if shape.kind == Kind::Buffer {
            // SAFETY: the entry owns the buffer and is borrowed for change.
            return edit(unsafe { &mut *self.buffer(&shape) });
        }
        let mut bytes = Vec::with_capacity(2 * shape.value_bytes + 64);
        match self.str_view() {
            StrView::Int(value) => bytes.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
            StrView::Bytes(old) => bytes.extend_from_slice(old),
        }
        let result = edit(&mut bytes);
        if bytes.len() <= EMBEDDED_BYTES_MAX {
            self.replace_value(NewValue::Edited(&bytes));
        } else {
            self.replace_value(NewValue::Buffer(bytes));
        }
        result
    }

    /// The 24 bits of the access clock or counter.
    #[inline]
    pub fn lru(&self) -> u32 {
        let [low, middle, high] = self.load(0);
        u32::from_le_bytes([low, middle, high, 0])
    }

    /// Stores the lower 24 bits. Through a shared reference, so that a lookup for reading can do it.
    #[inline]
    pub fn set_lru(&self, clock: u32) {
        let [low, middle, high, _] = clock.to_le_bytes();
        self.store(0, [low, middle, high]);
    }

    /// Which wheel of the expiry index holds this key's record; meaningful only with an expiry.
    pub fn index_generation(&self) -> Generation {
        let at = self.shape().expiry_at();
        let is_odd = match expiry_width(self.head()) {
            0 => false,
            EXPIRY_SHORT => self.short_expiry(at) & GENERATION_BIT != 0,
            _ => self.load::<1>(at + 8) != [0],
        };
        if is_odd { Generation::Odd } else { Generation::Even }
    }

    /// Through a shared reference, because the index is compacted while the table is only looked at. Without
    /// effect on a key that does not expire.
    pub fn set_index_generation(&self, generation: Generation) {
        self.write_expiry(&self.shape(), self.expire_at_ms(), generation);
    }

    /// The value moved under another key (RENAME); expiry and clock stay.
    pub fn with_key(self, key: &[u8]) -> Entry {
        // SAFETY: the old block is freed at once, without its value, which now belongs to the new one.
        unsafe {
            let moved = self.copy_block(key, self.expire_at_ms());
            self.free_block();
            moved
        }
    }

    /// The value copied under another key (COPY); expiry and clock are the same.
    pub fn clone_with_key(&self, key: &[u8]) -> Entry {
        let shape = self.shape();
        let value = match shape.kind {
            // SAFETY: the entry owns the buffer; it is only read.
            Kind::Buffer => NewValue::Buffer(unsafe { (*self.buffer(&shape)).clone() }),
            Kind::Object => NewValue::Object(Box::new(self.object(&shape).duplicate())),
            // SAFETY: there is nothing behind the block that two entries could own.
            _ => return unsafe { self.copy_block(key, self.expire_at_ms()) },
        };
        let copy = Entry::build(key, value, self.expire_at_ms());
        copy.set_lru(self.lru());
        copy
    }

    /// Bytes allocated, as the allocator counts them (MEMORY USAGE); of a collection estimated from `samples` elements,
    /// 0 meaning all.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        let shape = self.shape();
        let block = shape.layout().size();
        match shape.kind {
            Kind::Buffer => {
                // SAFETY: the entry owns the buffer; it is only read.
                let capacity = unsafe { (*self.buffer(&shape)).capacity() };
                block + size_class(size_of::<Vec<u8>>()) + size_class(capacity)
            }
            Kind::Object => {
                let object = self.object(&shape);
                let content = match object.packed() {
                    // With its spare room, which the bytes alone do not tell.
                    // SAFETY: what is packed is a vector's buffer, from its start; it is never empty.
                    Some((_, bytes)) => unsafe { usable_size(bytes.as_ptr()) },
                    None => object.view().heap_bytes(samples),
                };
                block + size_class(size_of::<Object>()) + content
            }
            _ => block,
        }
    }

    /// What dropping costs, roughly in calls to the allocator: one each, and one for every 64 KiB.
    pub fn drop_cost(&self) -> usize {
        let shape = self.shape();
        match shape.kind {
            // SAFETY: the entry owns the buffer; it is only read.
            Kind::Buffer => 3 + unsafe { (*self.buffer(&shape)).capacity() } / BYTES_PER_COST,
            Kind::Object => 2 + self.object(&shape).drop_cost(),
            _ => 1,
        }
    }

    fn build(key: &[u8], value: NewValue<'_>, expire_at_ms: Option<i64>) -> Entry {
        debug_assert!(!matches!(value, NewValue::Packed(_, bytes) if bytes.len() < 9), "it holds something");
        let shape = Shape {
            kind: value.kind(),
            key_bytes: key.len(),
            expiry_width: width_for(expire_at_ms),
            value_bytes: value.stored_bytes(),
        };
        let entry = Entry::allocate(&shape, key);
        entry.write_expiry(&shape, expire_at_ms, Generation::Even);
        entry.write_value(&shape, value);
        entry
    }

    /// A block with head, lengths and key; clock 0. Expiry and value are still to be written.
    fn allocate(shape: &Shape, key: &[u8]) -> Entry {
        let layout = shape.layout();
        // SAFETY: the layout's size is not zero.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let entry = Entry(block);
        entry.store(0, [0; HEAD_AT]);
        entry.write_lengths(shape);
        entry.store_slice(shape.key_at(), key);
        entry
    }

    /// A block with the same value, bit by bit, under another key and expiry; clock and generation are the
    /// same.
    ///
    /// # Safety
    /// If the value points to a buffer, only one of the two entries may go on to own it.
    unsafe fn copy_block(&self, key: &[u8], expire_at_ms: Option<i64>) -> Entry {
        let old = self.shape();
        let new = Shape { key_bytes: key.len(), expiry_width: width_for(expire_at_ms), ..old };
        let entry = Entry::allocate(&new, key);
        entry.set_lru(self.lru());
        entry.write_expiry(&new, expire_at_ms, self.index_generation());
        entry.store_slice(new.value_at(), self.slice(old.value_at(), old.value_bytes));
        entry
    }

    fn replace_value(&mut self, value: NewValue<'_>) {
        let old = self.shape();
        let new = Shape { kind: value.kind(), value_bytes: value.stored_bytes(), ..old };
        if new.key_at() == old.key_at() && new.layout() == old.layout() {
            self.drop_value(&old);
            self.write_lengths(&new);
            self.write_value(&new, value);
            return;
        }
        let entry = Entry::allocate(&new, self.key());
        entry.set_lru(self.lru());
        entry.write_expiry(&new, self.expire_at_ms(), self.index_generation());
        entry.write_value(&new, value);
        *self = entry;
    }

    fn write_lengths(&self, shape: &Shape) {
        self.store(HEAD_AT, [shape.head()]);
        let key_bytes = (shape.key_bytes as u64).to_le_bytes();
        self.store_slice(KEY_LENGTH_AT, &key_bytes[..shape.key_length_width()]);
        let value_bytes = (shape.value_bytes as u64).to_le_bytes();
        self.store_slice(shape.value_length_at(), &value_bytes[..shape.kind.length_width()]);
    }

    fn write_expiry(&self, shape: &Shape, expire_at_ms: Option<i64>, generation: Generation) {
        let Some(expire_at_ms) = expire_at_ms else { return };
        let at = shape.expiry_at();
        if shape.expiry_width == EXPIRY_SHORT {
            let generation = if generation == Generation::Odd { GENERATION_BIT } else { 0 };
            let bytes = (expire_at_ms.cast_unsigned() | generation).to_le_bytes();
            self.store_slice(at, &bytes[..EXPIRY_SHORT]);
        } else {
            self.store(at, expire_at_ms.to_le_bytes());
            self.store(at + 8, [generation as u8]);
        }
    }

    fn write_value(&self, shape: &Shape, value: NewValue<'_>) {
        let at = shape.value_at();
        match value {
            NewValue::Bytes(bytes) | NewValue::Edited(bytes) | NewValue::Packed(_, bytes) => {
                self.store_slice(at, bytes);
            }
            NewValue::Int(value) => self.store(at, value.to_le_bytes()),
            NewValue::Buffer(buffer) => self.store_pointer(at, Box::into_raw(Box::new(buffer))),
            NewValue::Object(object) => self.store_pointer(at, Box::into_raw(object)),
        }
    }

    fn store_pointer<T>(&self, at: usize, pointer: *mut T) {
        // SAFETY: the shape has room for a pointer at `at`, which need not be aligned.
        unsafe { self.0.as_ptr().add(at).cast::<*mut T>().write_unaligned(pointer) };
    }

    /// Where the value is, if it is not embedded.
    #[inline]
    fn outside(&self) -> Option<*const u8> {
        match Kind::of(self.head()) {
            Kind::Buffer => Some(self.buffer(&self.shape()).cast()),
            Kind::Object => Some(self.object_pointer(&self.shape()).cast()),
            _ => None,
        }
    }

    /// The pointer of a value of kind `Object`.
    fn object_pointer(&self, shape: &Shape) -> *mut Object {
        debug_assert_eq!(shape.kind, Kind::Object);
        // SAFETY: by its kind the value is a pointer, which need not be aligned.
        unsafe { self.0.as_ptr().add(shape.value_at()).cast::<*mut Object>().read_unaligned() }
    }

    fn object(&self, shape: &Shape) -> &Object {
        // SAFETY: the entry owns the object, and is borrowed as long as the reference is.
        unsafe { &*self.object_pointer(shape) }
    }

    /// The pointer of a value of kind `Buffer`.
    fn buffer(&self, shape: &Shape) -> *mut Vec<u8> {
        debug_assert_eq!(shape.kind, Kind::Buffer);
        // SAFETY: by its kind the value is a pointer, which need not be aligned.
        unsafe { self.0.as_ptr().add(shape.value_at()).cast::<*mut Vec<u8>>().read_unaligned() }
    }

    /// Drops what the value points to.
    fn drop_value(&self, shape: &Shape) {
        match shape.kind {
            // SAFETY: the entry owns the buffer; callers overwrite or free the pointer next.
            Kind::Buffer => drop(unsafe { Box::from_raw(self.buffer(shape)) }),
            // SAFETY: the entry owns the object; callers overwrite or free the pointer next.
            Kind::Object => drop(unsafe { Box::from_raw(self.object_pointer(shape)) }),
            _ => {}
        }
    }

    /// Frees the block and leaves what the value points to alone.
    fn free_block(self) {
        let entry = ManuallyDrop::new(self);
        // SAFETY: the block was allocated with the layout of its shape (invariant 1), and the entry is gone.
        unsafe { dealloc(entry.0.as_ptr(), entry.shape().layout()) };
    }

    #[inline]
    fn head(&self) -> u8 {
        self.load::<1>(HEAD_AT)[0]
    }

    #[inline]
    fn key_bytes(&self, head: u8) -> usize {
        if head & KEY_IS_LONG == 0 {
            return usize::from(self.load::<1>(KEY_LENGTH_AT)[0]);
        }
        let [a, b, c, d, e, f] = self.load(KEY_LENGTH_AT);
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) as usize
    }

    #[inline]
    fn shape(&self) -> Shape {
        let head = self.head();
        let kind = Kind::of(head);
        let key_bytes = self.key_bytes(head);
        let shape = Shape { kind, key_bytes, expiry_width: expiry_width(head), value_bytes: 0 };
        let at = shape.value_length_at();
        let value_bytes = match kind {
            Kind::Short | Kind::ShortEdited => usize::from(self.load::<1>(at)[0]),
            Kind::Long => usize::from(u16::from_le_bytes(self.load(at))),
            Kind::Int => 8,
            Kind::Buffer | Kind::Object => POINTER_BYTES,
            kind => self.packed_bytes(kind, shape.value_at()),
        };
        Shape { value_bytes, ..shape }
    }

    /// The length of a packed value, out of its head.
    #[inline]
    fn packed_bytes(&self, kind: Kind, at: usize) -> usize {
        let packing = kind.packing().expect("the other kinds are told apart before");
        // Empty values are not kept, so there are nine bytes at least.
        packed_bytes(packing, self.load(at))
    }

    fn short_expiry(&self, at: usize) -> u64 {
        let [a, b, c, d, e, f] = self.load(at);
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    /// Bytes of the block; every caller takes place and length from the shape.
    #[inline]
    fn slice(&self, at: usize, length: usize) -> &[u8] {
        // SAFETY: the range lies in the block and is initialised, by the shape. It is key or value, which
        // nothing changes while the entry is borrowed (invariant 3).
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), length) }
    }

    /// Reads a field; every caller takes the place from the shape.
    #[inline]
    fn load<const N: usize>(&self, at: usize) -> [u8; N] {
        // SAFETY: the field lies in the block, by the shape; bytes need no alignment.
        unsafe { self.0.as_ptr().add(at).cast::<[u8; N]>().read() }
    }

    /// Writes a field; every caller takes the place from the shape.
    #[inline]
    fn store<const N: usize>(&self, at: usize, bytes: [u8; N]) {
        // SAFETY: the field lies in the block, by the shape. It is either one to which no reference exists
        // (invariant 3), or the caller has the entry for itself. The entry is not `Sync`, so no other thread
        // reads it.
        unsafe { self.0.as_ptr().add(at).cast::<[u8; N]>().write(bytes) };
    }

    fn store_slice(&self, at: usize, bytes: &[u8]) {
        // SAFETY: as in `store`; `bytes` is not part of this block, to which the caller has the only access,
        // or is a number on the stack.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.as_ptr().add(at), bytes.len()) };
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let shape = self.shape();
        self.drop_value(&shape);
        // SAFETY: the block was allocated with the layout of its shape (invariant 1).
        unsafe { dealloc(self.0.as_ptr(), shape.layout()) };
    }
}
