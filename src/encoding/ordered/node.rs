//! A node of the tree: columns of words that grow and shrink together.
//!
//! ```text
//!            head                   column 0             column 1             columns 2 and 3: inner nodes only
//!  word 0    COLUMNS                + capacity           + capacity
//!       [ count, capacity, unused | score, score, ... | item, item, ... | child, child, ... | size, size, ... ]
//! ```
//! A leaf has two columns: the scores, and the pointers to their items. An inner node has, for each child, the score
//! and the item of the child's first entry, the child's address, and the number of entries below it. A search reads
//! one column from end to end: eight scores in a cache line.
//!
//! A block has room for 7, 15, 23 .. 63 entries, which are sizes of the allocator's classes to the byte (128, 256, 384
//! .. for a leaf), and is reallocated when it gets full or has two steps too many. So a leaf wastes about a tenth where
//! blocks of one size waste a third.
//!
//! Invariants: 1. `count <= capacity`, and the first `count` words of every column are initialised; 2. a `Node` is an
//! address, copied freely: the tree uses one only while its block lives, and holds no slice of it while it changes;
//! 3. whatever may move the block consumes the `Node` and returns it.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::encoding::scored::ScoredPointer;

pub(super) const LEAF: usize = 2;
pub(super) const INNER: usize = 4;
/// Entries of a leaf, children of an inner node.
pub(super) const ENTRIES_MAX: usize = 63;
pub(super) const ENTRIES_MIN: usize = 31;
/// Room is made and given back in steps of so many entries.
const STEP: usize = 8;

const SCORES: usize = 0;
const ITEMS: usize = 1;
const CHILDREN: usize = 2;
const SIZES: usize = 3;

type Word = MaybeUninit<u64>;
/// The address of a node of either kind; the tree knows by the height which.
pub(super) type Address = NonNull<Word>;

/// What the tree orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) score: f64,
    pub(super) item: ScoredPointer,
}

#[repr(C)]
struct Head {
    count: u16,
    capacity: u16,
}

pub(super) struct Node<const COLUMNS: usize>(Address);

impl<const COLUMNS: usize> Clone for Node<COLUMNS> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<const COLUMNS: usize> Copy for Node<COLUMNS> {}

impl<const COLUMNS: usize> Node<COLUMNS> {
    /// An empty node with room for `entries`.
    pub(super) fn with_room(entries: usize) -> Self {
        let capacity = capacity_for(entries);
        let layout = Self::layout(capacity);
        // SAFETY: the layout's size is not zero.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let mut node = Node(block.cast());
        *node.head_mut() = Head { count: 0, capacity: capacity as u16 };
        node
    }

    /// The node at an address that `address` gave. The kind is the caller's knowledge.
    #[inline]
    pub(super) fn at(address: Address) -> Self {
        Node(address)
    }

    #[inline]
    pub(super) fn address(self) -> Address {
        self.0
    }

    pub(super) fn free(self) {
        let layout = Self::layout(self.capacity());
        // SAFETY: allocated with this layout; the caller forgets the node (invariant 2).
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
    }

    #[inline]
    pub(super) fn count(self) -> usize {
        usize::from(self.head().count)
    }

    pub(super) fn capacity(self) -> usize {
        usize::from(self.head().capacity)
    }

    pub(super) fn heap_bytes(self) -> usize {
        Self::layout(self.capacity()).size()
    }

    #[inline]
    pub(super) fn scores(&self) -> &[f64] {
        // SAFETY: the column holds scores.
        unsafe { self.slice(SCORES) }
    }

    #[inline]
    pub(super) fn items(&self) -> &[ScoredPointer] {
        // SAFETY: the column holds items' addresses, which `ScoredPointer` is.
        unsafe { self.slice(ITEMS) }
    }

    /// The first entry below this node, which has one.
    #[inline]
    pub(super) fn first(self) -> Pair {
        self.pair(0)
    }

    #[inline]
    pub(super) fn pair(self, at: usize) -> Pair {
        Pair { score: self.scores()[at], item: self.items()[at] }
    }

    #[inline]
    pub(super) fn set_pair(self, at: usize, pair: Pair) {
        debug_assert!(at < self.count());
        // SAFETY: the words are entry `at` of columns that hold such values.
        unsafe {
            self.place(SCORES, at).cast::<f64>().write(pair.score);
            self.place(ITEMS, at).cast::<ScoredPointer>().write(pair.item);
        }
    }

    /// Makes room for `entries` more before entry `at`. The caller writes every column of them before it reads any.
    pub(super) fn opened(self, at: usize, entries: usize) -> Self {
        let count = self.count();
        debug_assert!(at <= count && count + entries <= ENTRIES_MAX);
        if count + entries > self.capacity() {
            return self.opened_elsewhere(at, entries);
        }
        for column in 0..COLUMNS {
            // SAFETY: both ranges lie in the column, since the sum fits in its capacity.
            unsafe { self.place(column, at).copy_to(self.place(column, at + entries), count - at) };
        }
        self.with_count(count + entries)
    }

    #[cold]
    fn opened_elsewhere(self, at: usize, entries: usize) -> Self {
        let count = self.count();
        let larger = Node::<COLUMNS>::with_room(count + entries);
        self.copy_to(0, larger, 0, at);
        self.copy_to(at, larger, at + entries, count - at);
        self.free();
        larger.with_count(count + entries)
    }

    /// Removes `entries` from entry `at` on.
    pub(super) fn closed(self, at: usize, entries: usize) -> Self {
        let count = self.count();
        debug_assert!(at + entries <= count);
        let behind = at + entries;
        for column in 0..COLUMNS {
            // SAFETY: both ranges lie among the first `count` words of the column.
            unsafe { self.place(column, behind).copy_to(self.place(column, at), count - behind) };
        }
        self.with_count(count - entries)
    }

    /// Gives room back that is more than a step too much.
    pub(super) fn fitted(self) -> Self {
        let count = self.count();
        if capacity_for(count) + STEP >= self.capacity() {
            return self;
        }
        self.in_room_for(count)
    }

    fn in_room_for(self, entries: usize) -> Self {
        let count = self.count();
        let other = Node::<COLUMNS>::with_room(entries);
        self.copy_to(0, other, 0, count);
        self.free();
        other.with_count(count)
    }

    /// Splits off the entries from `at` on into a new node, with room for one more on both sides.
    pub(super) fn split_off(self, at: usize) -> (Self, Self) {
        let moved = self.count() - at;
        let right = Node::<COLUMNS>::with_room((moved + 1).min(ENTRIES_MAX));
        self.copy_to(at, right, 0, moved);
        (self.with_count(at).fitted(), right.with_count(moved))
    }

    /// Appends the entries of `right`, which goes.
    pub(super) fn joined(self, right: Self) -> Self {
        let (count, more) = (self.count(), right.count());
        let node = self.opened(count, more);
        right.copy_to(0, node, count, more);
        right.free();
        node
    }

    /// Moves entries between neighbours, until this one, the left one, has `count`.
    pub(super) fn levelled(self, right: Self, count: usize) -> (Self, Self) {
        let (here, there) = (self.count(), right.count());
        if count > here {
            let moved = count - here;
            let left = self.opened(here, moved);
            right.copy_to(0, left, here, moved);
            return (left, right.closed(0, moved).fitted());
        }
        let moved = here - count;
        debug_assert!(there + moved <= ENTRIES_MAX);
        let right = right.opened(0, moved);
        self.copy_to(count, right, 0, moved);
        (self.with_count(count).fitted(), right)
    }

    /// Copies whole entries into another node's room. The caller sees to that node's count.
    fn copy_to(self, at: usize, other: Self, other_at: usize, entries: usize) {
        debug_assert!(at + entries <= self.count() && other_at + entries <= other.capacity());
        for column in 0..COLUMNS {
            // SAFETY: the ranges lie in the columns of two different blocks.
            unsafe {
                let (from, to) = (self.place(column, at), other.place(column, other_at));
                from.copy_to_nonoverlapping(to, entries);
            }
        }
    }

    fn with_count(mut self, count: usize) -> Self {
        debug_assert!(count <= self.capacity());
        self.head_mut().count = count as u16;
        self
    }

    #[inline]
    fn head(&self) -> &Head {
        // SAFETY: a block begins with its head.
        unsafe { self.0.cast().as_ref() }
    }

    fn head_mut(&mut self) -> &mut Head {
        // SAFETY: as in `head`; the tree has the block for itself when it changes something.
        unsafe { self.0.cast().as_mut() }
    }

    /// The word of entry `at` in a column.
    #[inline]
    fn place(self, column: usize, at: usize) -> *mut Word {
        let capacity = self.capacity();
        debug_assert!(column < COLUMNS && at <= capacity);
        // SAFETY: the block has COLUMNS words of head and COLUMNS columns of `capacity` words.
        unsafe { self.0.as_ptr().add(COLUMNS + column * capacity + at) }
    }

    /// # Safety
    /// The column's words are values of `T`, which is a word wide.
    #[inline]
    unsafe fn slice<T>(&self, column: usize) -> &[T] {
        const { assert!(size_of::<T>() == size_of::<Word>() && align_of::<T>() <= align_of::<Word>()) };
        // SAFETY: the first `count` words are initialised (invariant 1), with values of `T` by the caller's promise;
        // nothing changes the node while the slice is used (invariant 2).
        unsafe { std::slice::from_raw_parts(self.place(column, 0).cast(), self.count()) }
    }

    fn layout(capacity: usize) -> Layout {
        let words = (capacity + 1) * COLUMNS;
        Layout::array::<Word>(words).expect("a node has at most a few hundred words")
    }
}

impl Node<LEAF> {
    pub(super) fn inserted(self, at: usize, pair: Pair) -> Self {
        let node = self.opened(at, 1);
        node.set_pair(at, pair);
        node
    }
}

impl Node<INNER> {
    #[inline]
    pub(super) fn child(self, at: usize) -> Address {
        debug_assert!(at < self.count());
        // SAFETY: the column holds children's addresses; `at` is below the count.
        unsafe { self.place(CHILDREN, at).cast::<Address>().read() }
    }

    #[inline]
    pub(super) fn set_child(self, at: usize, child: Address) {
        debug_assert!(at < self.count());
        // SAFETY: as in `child`.
        unsafe { self.place(CHILDREN, at).cast::<Address>().write(child) };
    }

    /// How many entries lie below each child.
    #[inline]
    pub(super) fn sizes(&self) -> &[usize] {
        // SAFETY: the column holds sizes.
        unsafe { self.slice(SIZES) }
    }

    #[inline]
    pub(super) fn set_size(self, at: usize, size: usize) {
        debug_assert!(at < self.count());
        // SAFETY: as in `sizes`.
        unsafe { self.place(SIZES, at).cast::<usize>().write(size) };
    }

    pub(super) fn inserted(self, at: usize, child: Child) -> Self {
        let node = self.opened(at, 1);
        node.set_pair(at, child.first);
        node.set_child(at, child.address);
        node.set_size(at, child.size);
        node
    }
}

/// What an inner node knows of one child.
#[derive(Clone, Copy)]
pub(super) struct Child {
    pub(super) first: Pair,
    pub(super) address: Address,
    pub(super) size: usize,
}

impl Child {
    /// The child at an address, which is a leaf when `height` is 0.
    pub(super) fn of(address: Address, height: usize) -> Child {
        if height == 0 {
            let leaf = Node::<LEAF>::at(address);
            Child { first: leaf.first(), address, size: leaf.count() }
        } else {
            let inner = Node::<INNER>::at(address);
            Child { first: inner.first(), address, size: inner.sizes().iter().sum() }
        }
    }
}

/// The least room for `entries`.
pub(super) fn capacity_for(entries: usize) -> usize {
    debug_assert!(entries <= ENTRIES_MAX);
    (entries + 1).next_multiple_of(STEP).max(STEP) - 1
}
