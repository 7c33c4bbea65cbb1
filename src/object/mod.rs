//! Room `object`: the data types that a key can hold besides strings, and what strings mean to bitmaps,
//! HyperLogLogs and places.
//!
//! ```text
//!   Object   an owned value: List, Set, Zset, Hash, Stream
//!   View     the same, borrowed: of an object, or of the bytes of a small one that lies packed in its key's entry
//!   Packing  the packed forms; each is the blob that an RDB file holds, so a save or a load copies it
//! ```
//! A type is a file or folder with its owned value (which edits), its view (which reads) and its `DataType`.
//!
//! Invariants:
//! 1. A value knows neither its key, nor its expiry, nor the protocol.
//! 2. An edit that can change the encoding is given the `Rules` in force.
//! 3. Bytes of others become a value through `load_packed` or the type's checked builders only.
mod rules;
mod types;

pub mod bitmap;
pub mod digest;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod list;
pub mod set;
pub mod stream;
pub mod zset;

use crate::encoding::dict::{Dict, Item};

pub use hash::{Hash, HashView};
pub use list::{List, ListView};
pub use rules::Rules;
pub use set::{Set, SetView};
pub use stream::Stream;
pub use types::{Corrupt, Depth, Encoding, Loaded, Packing, Rehash, ValueType};
pub use zset::{Zset, ZsetView};

/// An owned value. Small packed ones are embedded in their key's entry, which makes an `Object` of them for an edit.
pub enum Object {
    List(List),
    Set(Set),
    Zset(Zset),
    Hash(Hash),
    Stream(Box<Stream>),
}

/// A value to be read.
#[derive(Clone, Copy)]
pub enum View<'a> {
    List(ListView<'a>),
    Set(SetView<'a>),
    Zset(ZsetView<'a>),
    Hash(HashView<'a>),
    Stream(&'a Stream),
}

/// What each type implements.
pub trait DataType: Sized {
    const TYPE: ValueType;
    type View<'a>: Copy
    where
        Self: 'a;

    /// An empty value in the encoding that a first element finds.
    fn create(rules: &Rules) -> Self;
    fn view(&self) -> Self::View<'_>;
    fn is_empty(&self) -> bool;
    fn encoding(view: Self::View<'_>) -> Encoding;

    /// The packed form, when the value is in one.
    fn packed(&self) -> Option<(Packing, &[u8])>;
    /// Gives the packed form away, or the value back when it is in none.
    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self>;
    /// `bytes` are what `packed` or `into_packed` gave.
    fn from_packed(packing: Packing, bytes: Vec<u8>) -> Self;
    /// `bytes` are what `packed` or `into_packed` gave.
    fn view_packed(packing: Packing, bytes: &[u8]) -> Self::View<'_>;
    /// A value that somebody else has packed: checked, and converted when it is beyond the thresholds.
    ///
    /// # Errors
    /// When the bytes are not what they say.
    fn load_packed(packing: Packing, bytes: Vec<u8>, depth: Depth, rules: &Rules) -> Result<Self, Corrupt>;

    /// An equal value (COPY).
    fn duplicate(&self) -> Self;
    /// Bytes beyond the entry's block, from `samples` elements; 0 looks at all.
    fn heap_bytes(view: Self::View<'_>, samples: usize) -> usize;
    /// What dropping costs, roughly in calls to the allocator.
    fn drop_cost(&self) -> usize;
    /// Large tables do not rehash while a child shares our memory.
    fn set_rehash(&mut self, rehash: Rehash);
    /// The lowest version of the RDB format that holds all of the value.
    fn rdb_version(_view: Self::View<'_>) -> u16 {
        RDB_VERSION_BASE
    }
    /// When the next element of the value expires, in Unix milliseconds.
    fn next_expiry_ms(_view: Self::View<'_>) -> Option<i64> {
        None
    }
}

/// Every value without newer features fits a file of this version (Redis 7.0).
pub const RDB_VERSION_BASE: u16 = 10;

/// How a type lies in `Object` and `View`; made by `variants!`.
pub trait Variant: DataType {
    fn of_view<'a>(view: View<'a>) -> Option<Self::View<'a>>
    where
        Self: 'a;
    fn of_object(object: &mut Object) -> Option<&mut Self>;
    fn into_object(self) -> Object;
}

macro_rules! variants {
    ($($type:ident: $unwrap:expr, $wrap:expr;)*) => {
        $(impl Variant for $type {
            fn of_view<'a>(view: View<'a>) -> Option<Self::View<'a>>
            where
                Self: 'a,
            {
                if let View::$type(view) = view { Some(view) } else { None }
            }

            fn of_object(object: &mut Object) -> Option<&mut Self> {
                if let Object::$type(value) = object { Some($unwrap(value)) } else { None }
            }

            fn into_object(self) -> Object {
                Object::$type($wrap(self))
            }
        })*

        impl Object {
            pub fn view(&self) -> View<'_> {
                match self { $(Object::$type(value) => View::$type(value.view())),* }
            }

            pub fn is_empty(&self) -> bool {
                match self { $(Object::$type(value) => value.is_empty()),* }
            }

            pub fn packed(&self) -> Option<(Packing, &[u8])> {
                match self { $(Object::$type(value) => value.packed()),* }
            }

            /// An equal value (COPY).
            pub fn duplicate(&self) -> Object {
                match self { $(Object::$type(value) => Object::$type($wrap(value.duplicate()))),* }
            }

            /// What dropping costs, roughly in calls to the allocator.
            pub fn drop_cost(&self) -> usize {
                match self { $(Object::$type(value) => value.drop_cost()),* }
            }

            pub fn set_rehash(&mut self, rehash: Rehash) {
                match self { $(Object::$type(value) => value.set_rehash(rehash)),* }
            }

            /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
            #[doc(hidden)]
            pub fn check(&self) {
                match self { $(Object::$type(value) => value.check()),* }
            }
        }

        impl View<'_> {
            pub fn value_type(self) -> ValueType {
                match self { $(View::$type(_) => <$type as DataType>::TYPE),* }
            }

            pub fn encoding(self) -> Encoding {
                match self { $(View::$type(view) => $type::encoding(view)),* }
            }

            /// Bytes beyond the entry's block, from `samples` elements; 0 looks at all.
            pub fn heap_bytes(self, samples: usize) -> usize {
                match self { $(View::$type(view) => $type::heap_bytes(view, samples)),* }
            }

            /// The lowest version of the RDB format that holds all of the value.
            pub fn rdb_version(self) -> u16 {
                match self { $(View::$type(view) => $type::rdb_version(view)),* }
            }

            /// When the next element of the value expires, in Unix milliseconds.
            pub fn next_expiry_ms(self) -> Option<i64> {
                match self { $(View::$type(view) => $type::next_expiry_ms(view)),* }
            }
        }
    };
}

variants! {
    List: std::convert::identity, std::convert::identity;
    Set: std::convert::identity, std::convert::identity;
    Zset: std::convert::identity, std::convert::identity;
    Hash: std::convert::identity, std::convert::identity;
    Stream: Box::as_mut, Box::new;
}

impl View<'_> {
    /// Asks for the memory that a lookup of `member` (or field) reads first, when it lies in a table. The hash is for
    /// `prefetch_candidates`.
    #[inline]
    pub fn prefetch_bucket(self, member: &[u8]) -> Option<u64> {
        match self {
            View::Set(SetView::Table(table)) => Some(prefetch_in(table, member)),
            View::Hash(HashView::Table(table)) => Some(prefetch_in(table.fields(), member)),
            View::Zset(ZsetView::Table(ordered)) => Some(prefetch_in(ordered.members(), member)),
            View::Set(_) | View::Hash(_) | View::Zset(_) | View::List(_) | View::Stream(_) => None,
        }
    }

    /// Asks for the members that a lookup will compare, once the bucket has arrived.
    #[inline]
    pub fn prefetch_candidates(self, hash: u64) {
        match self {
            View::Set(SetView::Table(table)) => table.prefetch_candidates(hash),
            View::Hash(HashView::Table(table)) => table.fields().prefetch_candidates(hash),
            View::Zset(ZsetView::Table(ordered)) => ordered.members().prefetch_candidates(hash),
            View::Set(_) | View::Hash(_) | View::Zset(_) | View::List(_) | View::Stream(_) => {}
        }
    }
}

impl Object {
    /// The value that lies packed in `bytes`, which are our own.
    pub fn of_packed(packing: Packing, bytes: Vec<u8>) -> Object {
        match packing {
            Packing::List => List::from_packed(packing, bytes).into_object(),
            Packing::Intset | Packing::Set => Set::from_packed(packing, bytes).into_object(),
            Packing::Zset => Zset::from_packed(packing, bytes).into_object(),
            Packing::Hash | Packing::HashTtl => Hash::from_packed(packing, bytes).into_object(),
        }
    }
}

#[inline]
fn prefetch_in<T: Item>(table: &Dict<T>, member: &[u8]) -> u64 {
    let hash = table.hash(member);
    table.prefetch_bucket(hash);
    hash
}

impl<'a> View<'a> {
    /// A small value out of its bytes.
    pub fn of_packed(packing: Packing, bytes: &'a [u8]) -> View<'a> {
        match packing {
            Packing::List => View::List(List::view_packed(packing, bytes)),
            Packing::Intset | Packing::Set => View::Set(Set::view_packed(packing, bytes)),
            Packing::Zset => View::Zset(Zset::view_packed(packing, bytes)),
            Packing::Hash | Packing::HashTtl => View::Hash(Hash::view_packed(packing, bytes)),
        }
    }
}
