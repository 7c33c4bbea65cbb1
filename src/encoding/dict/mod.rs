//! The hash table of the keyspace and of large hashes and sets: items in cache-line buckets, resized in small
//! steps.
//!
//! An item is one pointer that knows its key (`Item`). A lookup reads one cache line (seven tags, seven
//! pointers, see `bucket`), then the items whose tag matches: nearly always one. A full bucket chains to
//! overflow buckets, which are no larger than they must be.
//!
//! The number of buckets is a power of two (`scan` needs that). When more than `Item::ITEMS_PER_BUCKET` items fall on
//! a bucket, or less than a seventh of them, a second table is made and every call that changes something moves a
//! bucket or two to it (`rehash`), as does `rehash_step`, for the cron. So the fill varies by a factor of two with the
//! number of items, and with it what the table costs for each:
//!
//! | | bytes per item | while it grows | lookups that read a second line |
//! |---|---|---|---|
//! | `FILL_FOR_SPEED` (6)   | 12.3 (6 items in a bucket) to 21.4 (3)  | 34 | 1 to 13 % |
//! | `FILL_FOR_MEMORY` (14) | 10.7 (14) to 11.3 (7)                   | 20 | 20 to 57 % |
//!
//! Invariants:
//! 1. While two tables exist, an item is in `next` if its bucket of `current` is below `moved`, else in
//!    `current`. So every lookup and every insertion concerns one table.
//! 2. Within a table an item is in the chain of bucket `hash & mask`, under the tag of its hash.
//! 3. While rehashing is paused no item moves from one table to the other, unless the table is extremely
//!    full.
//! 4. `next` has memory exactly while a rehash goes on; `moved` is 0 otherwise.
//!
//! It deliberately has no entry interface and hashes nothing behind the caller's back: the hash is computed
//! once per command (`hash`) and handed to each call, which also lets a caller prefetch for many keys before
//! it looks them up.

mod arrivals;
mod batch;
mod bucket;
mod rehash;
mod sample;
mod scan;
mod statistics;
mod table;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use siphasher::sip::SipHasher13;

pub use self::arrivals::Arrivals;
pub use self::batch::BATCH;
pub use self::scan::Iter;
pub use self::statistics::{DictStatistics, TableStatistics};
pub use self::table::mapped_bytes_total;
use self::table::{Place, Table};
use super::prefetch::{prefetch, prefetch_two_lines};

/// More buckets than any memory holds; the index takes its bits from the lower 40 of a hash.
const BUCKETS_MAX: usize = 1 << 40;

/// The bits of a hash that the table looks at: 40 for the bucket, 8 for the tag. Who keeps hashes only to
/// find items by `find_by_hash` may use the other 16 for something else.
pub const HASH_BITS_USED: u64 = 0xff00_00ff_ffff_ffff;

/// The mean fill of a table that is looked up most of all: nearly every lookup reads one line of it.
pub const FILL_FOR_SPEED: usize = 6;
/// The mean fill of a table of which there are many, with small items.
pub const FILL_FOR_MEMORY: usize = 14;

/// A thing that lives in a table: one owned pointer to something that knows its key.
///
/// # Safety
/// The type has the size and the alignment of a pointer, and its bytes are a pointer that is never null
/// (`NonNull`, `Box<Sized>` or a transparent wrapper of them): tables move it as a word and prefetch what it
/// points to. `key` does not panic, answers the same as long as the item is in a table, and lies behind the
/// pointer.
pub unsafe trait Item: Sized {
    /// The mean fill at which a table of these grows.
    const ITEMS_PER_BUCKET: usize = FILL_FOR_MEMORY;

    fn key(&self) -> &[u8];

    /// Asks for what a value outside the item consists of first. A walk calls it when the item has arrived.
    #[inline]
    fn prefetch_value(&self) {}

    /// Asks for what that leads to.
    #[inline]
    fn prefetch_content(&self) {}
}

/// 128 random bits that make the order of a table unpredictable (hash flooding).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashSeed(pub [u8; 16]);

impl HashSeed {
    /// As `Dict::hash` of a table with this seed.
    #[inline]
    pub fn hash(self, key: &[u8]) -> u64 {
        hash_with(self.words(), key)
    }

    fn words(self) -> [u64; 2] {
        let seed = u128::from_le_bytes(self.0);
        [seed as u64, (seed >> 64) as u64]
    }
}

pub struct Dict<T: Item> {
    current: Table,
    next: Table,
    /// Buckets of `current` that have been emptied into `next`.
    moved: usize,
    pauses: u32,
    seed: [u64; 2],
    owned: PhantomData<T>,
}

// SAFETY: a table owns its memory and its items and shares nothing.
unsafe impl<T: Item + Send> Send for Dict<T> {}

impl<T: Item> Dict<T> {
    const WORD_SIZED: () = assert!(size_of::<T>() == 8 && align_of::<T>() == 8);

    /// Allocates nothing until the first insertion.
    pub fn new(seed: HashSeed) -> Self {
        let () = Self::WORD_SIZED;
        Dict::with_seed(seed.words())
    }

    fn with_seed(seed: [u64; 2]) -> Self {
        Dict {
            current: Table::unallocated(),
            next: Table::unallocated(),
            moved: 0,
            pauses: 0,
            seed,
            owned: PhantomData,
        }
    }

    /// An empty table with the same seed.
    pub fn empty_twin(&self) -> Self {
        Dict::with_seed(self.seed)
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.current.items() + self.next.items()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SipHash-1-3 of a key under this table's seed: what every `hash` argument must be.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        hash_with(self.seed, key)
    }

    /// Asks for the cache line that a lookup will read first.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) {
        let table = self.table_of(hash);
        prefetch(table.line(table.index_of(hash)));
    }

    /// Asks for the items that a lookup will compare, and for the overflow bucket it may have to read. The bucket
    /// should have arrived (`prefetch_bucket`).
    #[inline]
    pub fn prefetch_candidates(&self, hash: u64) {
        let table = self.table_of(hash);
        let head = table.bucket(table.index_of(hash));
        head.matches(bucket::tag_of(hash)).for_each(|slot| prefetch_two_lines(head.word(slot)));
        table.prefetch_overflow(table.index_of(hash));
    }

    /// Asks for the candidates in the overflow bucket, which should have arrived (`prefetch_candidates`).
    #[inline]
    pub fn prefetch_overflow_candidates(&self, hash: u64) {
        let table = self.table_of(hash);
        if let Some(overflow) = table.bucket(table.index_of(hash)).next() {
            overflow.matches(bucket::tag_of(hash)).for_each(|slot| prefetch_two_lines(overflow.word(slot)));
        }
    }

    #[inline]
    pub fn get(&self, hash: u64, key: &[u8]) -> Option<&T> {
        // SAFETY: the place was just found and holds an item; it stays while `self` is borrowed.
        self.find(hash, key).map(|place| unsafe { item_at(place.slot()) })
    }

    /// The item under `key`. It may be replaced through the reference by one with the same key (a reallocated
    /// entry).
    #[inline]
    pub fn get_mut(&mut self, hash: u64, key: &[u8]) -> Option<&mut T> {
        self.rehash_on_write();
        // SAFETY: as in `get`, and `self` is borrowed for change.
        self.find(hash, key).map(|place| unsafe { &mut *place.slot().cast::<T>() })
    }

    /// Adds an item whose key is not in the table.
    #[inline]
    pub fn insert_new(&mut self, hash: u64, item: T) {
        debug_assert_eq!(hash, self.hash(item.key()));
        debug_assert!(self.find(hash, item.key()).is_none(), "the key is in the table");
        self.rehash_on_write();
        self.grow_if_full();
        self.table_of_mut(hash).insert(hash, into_word(item));
    }

    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<T> {
        self.rehash_on_write();
        let place = self.find(hash, key)?;
        Some(self.take_at(hash, place))
    }

    /// Takes a random item out, chosen as `sample` does.
    pub fn take_sample(&mut self, rng: &mut fastrand::Rng) -> Option<T> {
        self.rehash_on_write();
        let slot = std::ptr::from_ref(self.sample(rng)?).cast::<bucket::Word>();
        // SAFETY: `sample` gives the item where it lies.
        let (hash, word) = unsafe { (self.hash(item_at::<T>(slot).key()), *slot) };
        // SAFETY: `find` shows slots that hold items.
        let place = self.table_of(hash).find(hash, |slot| unsafe { *slot } == word)?;
        Some(self.take_at(hash, place))
    }

    fn take_at(&mut self, hash: u64, place: Place) -> T {
        let word = self.table_of_mut(hash).remove(hash, place);
        self.shrink_if_sparse();
        // SAFETY: the word was an item's and has left the table.
        unsafe { from_word(word) }
    }

    /// Shows every item that the table cannot tell from one with this hash, of which only the bits
    /// `HASH_BITS_USED` matter; `stop` ends the search by answering true.
    pub fn find_by_hash(&self, hash: u64, stop: &mut dyn FnMut(&T) -> bool) {
        // SAFETY: `find` shows slots that hold items, while `self` is borrowed.
        self.table_of(hash).find(hash, |slot| stop(unsafe { item_at(slot) }));
    }

    /// Drops every item and frees the tables. The seed, and a pause, stay.
    pub fn clear(&mut self) {
        let moved = std::mem::take(&mut self.moved);
        drop_items::<T>(std::mem::replace(&mut self.current, Table::unallocated()), moved);
        drop_items::<T>(std::mem::replace(&mut self.next, Table::unallocated()), 0);
    }

    /// Bytes of the tables, without the items.
    pub fn heap_bytes(&self) -> usize {
        self.current.heap_bytes() + self.next.heap_bytes()
    }

    /// The part of `heap_bytes` that the allocator does not know of, because it is mapped directly.
    pub fn mapped_bytes(&self) -> usize {
        self.current.mapped_bytes() + self.next.mapped_bytes()
    }

    #[inline]
    fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        // SAFETY: `find` shows slots that hold items, while `self` is borrowed.
        self.table_of(hash).find(hash, |slot| unsafe { item_at::<T>(slot) }.key() == key)
    }

    /// Invariant 1.
    #[inline]
    fn table_of(&self, hash: u64) -> &Table {
        if self.current.index_of(hash) < self.moved { &self.next } else { &self.current }
    }

    #[inline]
    fn table_of_mut(&mut self, hash: u64) -> &mut Table {
        if self.current.index_of(hash) < self.moved { &mut self.next } else { &mut self.current }
    }
}

impl<T: Item> Drop for Dict<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[inline]
fn hash_with(seed: [u64; 2], key: &[u8]) -> u64 {
    SipHasher13::new_with_keys(seed[0], seed[1]).hash(key)
}

/// The item that a slot holds.
///
/// # Safety
/// `slot` is the address of a word that is a `T`, which stays there unchanged for `'a`.
#[inline]
unsafe fn item_at<'a, T: Item>(slot: *const bucket::Word) -> &'a T {
    // SAFETY: the caller's promise; `T` has the size and alignment of the word (`WORD_SIZED`).
    unsafe { &*slot.cast::<T>() }
}

#[inline]
fn into_word<T: Item>(item: T) -> bucket::Word {
    let item = std::mem::ManuallyDrop::new(item);
    // SAFETY: a `T` is a pointer in all but name, as `Item` promises; the table owns it from here on.
    unsafe { (&raw const item).cast::<bucket::Word>().read() }
}

/// # Safety
/// `word` came from `into_word` of a `T`, and nobody else makes an item of it.
#[inline]
unsafe fn from_word<T: Item>(word: bucket::Word) -> T {
    // SAFETY: the caller's promise; `T` has the size and alignment of the word (`WORD_SIZED`).
    unsafe { (&raw const word).cast::<T>().read() }
}

/// Drops what a table holds from bucket `first` on, and then the table.
fn drop_items<T: Item>(mut table: Table, first: usize) {
    /// So far ahead the items are asked for: dropping one reads it.
    const AHEAD: usize = 3;
    for index in first..table.count() {
        if index + AHEAD < table.count() {
            table.prefetch_items(index + AHEAD);
        }
        // SAFETY: `drain` shows every item once and then forgets it.
        table.drain(index, &mut |slot| drop(unsafe { slot.cast::<T>().read() }));
    }
}
