//! The hash type: fields with values, some of which may expire.
//!
//! ```text
//!   Packed     listpack: field, value ..                  `listpack`    up to the thresholds
//!   PackedTtl  listpack: field, value, expiry ..          `listpackex`  once a field has got an expiry
//!   Table      a table of `encoding::field::Field`        `hashtable`   from the thresholds on
//! ```
//! An expiry in a listpack is Unix ms, 0 for none; the triples are in its order, those without one last. This is the
//! form of RDB type 25.
//!
//! Invariants:
//! 1. No field stands twice (a foreign blob that was checked for its structure alone may break that; then the first
//!    counts).
//! 2. An encoding never changes back: not when fields go, nor when they lose their expiries.
//! 3. A field whose expiry has passed is there until it is removed (`expire_fields`, `remove_expired`), and only the
//!    reading methods that are given the time leave it out.
//!
//! It deliberately reads no clock; who changes a field removes it first if it has expired.
mod load;
mod packed;
mod random;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub use load::HashLoader;
pub use table::FieldTable;
pub use view::{FieldView, HashView};

use super::{Corrupt, DataType, Depth, Encoding, Packing, RDB_VERSION_BASE, Rehash, Rules, ValueType};
use crate::base::alloc::size_class;
use crate::encoding::listpack::{self, Listpack, edit};
use std::collections::HashSet;

/// The latest expiry that a field can have, in Unix ms.
pub const EXPIRE_AT_MS_MAX: i64 = crate::encoding::field::EXPIRE_AT_MS_MAX;

/// The first version of the RDB format that knows expiries of fields.
const RDB_VERSION_EXPIRIES: u16 = 12;

/// Whether what expires at `expire_at_ms` has expired at `now_ms`: it lives through its last millisecond.
#[inline]
pub fn has_expired(expire_at_ms: i64, now_ms: i64) -> bool {
    now_ms > expire_at_ms
}

/// An owned hash.
pub enum Hash {
    Packed(Vec<u8>),
    PackedTtl(Vec<u8>),
    Table(Box<FieldTable>),
}

/// What becomes of a field's expiry when its value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldExpiry {
    None,
    Keep,
    /// Unix ms, 0 to `EXPIRE_AT_MS_MAX`.
    At(i64),
}

/// What setting a field did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    New,
    Replaced,
}

impl Hash {
    /// Sets a field.
    pub fn set(&mut self, field: &[u8], value: &[u8], expiry: FieldExpiry, rules: &Rules) -> Stored {
        if !self.takes(field, value, rules) {
            self.become_table(rules);
        }
        if matches!(expiry, FieldExpiry::At(_)) {
            self.take_expiries();
        }
        let stored = match self {
            Hash::Packed(blob) => packed::set(blob, field, value),
            Hash::PackedTtl(blob) => packed::set_with_expiry(blob, field, value, expiry),
            Hash::Table(table) => return table.set(field, value, expiry),
        };
        // Also when the field is not new: the threshold may have come down.
        if self.view().len() > rules.hash_max_listpack_entries {
            self.become_table(rules);
        }
        stored
    }

    /// Chooses the encoding before these texts (fields, each with its value) are set, so that a large hash is not
    /// packed first. What is too long counts even if the same command replaces it, as in Redis.
    pub fn prepare<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t [u8]> + Clone, rules: &Rules) {
        let (Hash::Packed(blob) | Hash::PackedTtl(blob)) = self else { return };
        let fields_max = rules.hash_max_listpack_entries;
        let is_long = |text: &[u8]| text.len() > rules.hash_max_listpack_value;
        let sum = texts.clone().fold(0_usize, |sum, text| sum.saturating_add(text.len()));
        let mut too_large = texts.clone().any(is_long) || !listpack::fits(blob.len(), sum);
        let mut fields = texts.len() / 2;
        if !too_large && fields > fields_max {
            fields = texts.step_by(2).collect::<HashSet<_>>().len();
            too_large = fields > fields_max;
        }
        if too_large {
            self.become_table(rules).reserve(fields);
        }
    }

    /// Makes room for `fields` fields, which are to be loaded: the caller knows that they are there.
    pub fn reserve(&mut self, fields: usize, rules: &Rules) {
        if fields > rules.hash_max_listpack_entries {
            self.become_table(rules).reserve(fields);
        } else if let Hash::Table(table) = self {
            table.reserve(fields);
        }
    }

    /// Adds a field of a file. Whether it was new; if not, nothing changes. `expire_at_ms`: 0 to `EXPIRE_AT_MS_MAX`.
    pub fn load(&mut self, field: &[u8], value: &[u8], expire_at_ms: Option<i64>, rules: &Rules) -> bool {
        if self.view().has(field) {
            return false;
        }
        let expiry = expire_at_ms.map_or(FieldExpiry::None, FieldExpiry::At);
        self.set(field, value, expiry, rules) == Stored::New
    }

    /// Removes a field. Whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match self {
            Hash::Packed(blob) => packed::remove(blob, field, packed::PAIR),
            Hash::PackedTtl(blob) => packed::remove(blob, field, packed::TRIPLE),
            Hash::Table(table) => table.remove(field),
        }
    }

    /// Removes a field if it has expired. Whether it has.
    pub fn remove_expired(&mut self, field: &[u8], now_ms: i64) -> bool {
        let view = self.view();
        let has_some = Hash::next_expiry_ms(view).is_some_and(|next_ms| has_expired(next_ms, now_ms));
        let expired = has_some
            && view
                .stored_expiry(field)
                .flatten()
                .is_some_and(|expire_at_ms| has_expired(expire_at_ms, now_ms));
        expired && self.remove(field)
    }

    /// Gives a field an expiry (Unix ms, 0 to `EXPIRE_AT_MS_MAX`) or takes it away. Whether the field is there.
    pub fn set_expiry(&mut self, field: &[u8], expire_at_ms: Option<i64>) -> bool {
        if expire_at_ms.is_some() {
            self.take_expiries();
        }
        match self {
            Hash::Packed(blob) => packed::has(blob, field),
            Hash::PackedTtl(blob) => packed::set_expiry(blob, field, expire_at_ms),
            Hash::Table(table) => table.set_expiry(field, expire_at_ms),
        }
    }

    /// Removes up to `limit` fields that have expired, those that did so first, and shows their names. Returns how
    /// many.
    pub fn expire_fields(&mut self, now_ms: i64, limit: usize, removed: &mut dyn FnMut(&[u8])) -> usize {
        match self {
            Hash::Packed(_) => 0,
            Hash::PackedTtl(blob) => packed::expire(blob, now_ms, limit, removed),
            Hash::Table(table) => table.expire(now_ms, limit, removed),
        }
    }

    /// Whether a packed hash can hold this field and value, too.
    fn takes(&self, field: &[u8], value: &[u8], rules: &Rules) -> bool {
        match self {
            Hash::Packed(blob) | Hash::PackedTtl(blob) => {
                let longest = field.len().max(value.len());
                longest <= rules.hash_max_listpack_value
                    && listpack::fits(blob.len(), field.len().saturating_add(value.len()))
            }
            Hash::Table(_) => true,
        }
    }

    fn become_table(&mut self, rules: &Rules) -> &mut FieldTable {
        if !matches!(self, Hash::Table(_)) {
            let mut table = FieldTable::new(rules.seed);
            let view = self.view();
            table.reserve(view.len());
            view.for_each_stored(&mut |stored| {
                table.add(stored);
            });
            *self = Hash::Table(Box::new(table));
        }
        let Hash::Table(table) = self else { unreachable!("it has just become one") };
        table
    }

    /// Makes a packed hash one whose fields can expire.
    fn take_expiries(&mut self) {
        if let Hash::Packed(blob) = self {
            *self = Hash::PackedTtl(packed::with_expiries(Listpack::trusted(blob)));
        }
    }

    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    pub fn check(&self) {
        match self {
            Hash::Packed(blob) => packed::check(blob, Packing::Hash, Depth::Deep).expect("a valid listpack"),
            Hash::PackedTtl(blob) => {
                packed::check(blob, Packing::HashTtl, Depth::Deep).expect("a valid listpackex")
            }
            Hash::Table(table) => table.check(),
        }
    }
}

impl DataType for Hash {
    const TYPE: ValueType = ValueType::Hash;
    type View<'a> = HashView<'a>;

    fn create(_rules: &Rules) -> Self {
        Hash::Packed(edit::empty())
    }

    #[inline]
    fn view(&self) -> HashView<'_> {
        match self {
            Hash::Packed(blob) => HashView::Packed(Listpack::trusted(blob)),
            Hash::PackedTtl(blob) => HashView::PackedTtl(Listpack::trusted(blob)),
            Hash::Table(table) => HashView::Table(table),
        }
    }

    fn is_empty(&self) -> bool {
        self.view().is_empty()
    }

    fn encoding(view: HashView<'_>) -> Encoding {
        match view {
            HashView::Packed(_) => Encoding::Listpack,
            HashView::PackedTtl(_) => Encoding::ListpackEx,
            HashView::Table(_) => Encoding::Hashtable,
        }
    }

    fn packed(&self) -> Option<(Packing, &[u8])> {
        match self {
            Hash::Packed(blob) => Some((Packing::Hash, blob)),
            Hash::PackedTtl(blob) => Some((Packing::HashTtl, blob)),
            Hash::Table(_) => None,
        }
    }

    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        match self {
            Hash::Packed(blob) => Ok((Packing::Hash, blob)),
            Hash::PackedTtl(blob) => Ok((Packing::HashTtl, blob)),
            Hash::Table(_) => Err(self),
        }
    }

    fn from_packed(packing: Packing, bytes: Vec<u8>) -> Self {
        match packing {
            Packing::HashTtl => Hash::PackedTtl(bytes),
            _ => Hash::Packed(bytes),
        }
    }

    fn view_packed(packing: Packing, bytes: &[u8]) -> HashView<'_> {
        match packing {
            Packing::HashTtl => HashView::PackedTtl(Listpack::trusted(bytes)),
            _ => HashView::Packed(Listpack::trusted(bytes)),
        }
    }

    fn load_packed(packing: Packing, bytes: Vec<u8>, depth: Depth, rules: &Rules) -> Result<Self, Corrupt> {
        packed::check(&bytes, packing, depth)?;
        let mut hash = Hash::from_packed(packing, bytes);
        let fields = hash.view().len();
        if fields > rules.hash_max_listpack_entries {
            hash.become_table(rules);
            if hash.view().len() != fields {
                return Err(packed::DUPLICATE);
            }
        }
        Ok(hash)
    }

    fn duplicate(&self) -> Self {
        match self {
            Hash::Packed(blob) => Hash::Packed(blob.clone()),
            Hash::PackedTtl(blob) => Hash::PackedTtl(blob.clone()),
            Hash::Table(table) => Hash::Table(Box::new(table.duplicate())),
        }
    }

    fn heap_bytes(view: HashView<'_>, samples: usize) -> usize {
        match view {
            HashView::Packed(blob) | HashView::PackedTtl(blob) => size_class(blob.bytes().len()),
            HashView::Table(table) => table.heap_bytes(samples),
        }
    }

    fn drop_cost(&self) -> usize {
        match self {
            Hash::Packed(_) | Hash::PackedTtl(_) => 1,
            Hash::Table(table) => table.drop_cost(),
        }
    }

    fn set_rehash(&mut self, rehash: Rehash) {
        if let Hash::Table(table) = self {
            table.set_rehash(rehash);
        }
    }

    fn rdb_version(view: HashView<'_>) -> u16 {
        if Hash::next_expiry_ms(view).is_some() { RDB_VERSION_EXPIRIES } else { RDB_VERSION_BASE }
    }

    fn next_expiry_ms(view: HashView<'_>) -> Option<i64> {
        match view {
            HashView::Packed(_) => None,
            HashView::PackedTtl(blob) => packed::first_expiry(blob),
            HashView::Table(table) => table.first_expiry(),
        }
    }
}
