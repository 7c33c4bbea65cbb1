//! A hash of a file, field by field.

use super::{FieldExpiry, Hash, Stored};
use crate::encoding::dict::Arrivals;
use crate::encoding::field::Field;
use crate::object::{DataType, Loaded, Rules};

/// A hash that is coming.
pub struct HashLoader {
    hash: Hash,
    arrivals: Arrivals<Field>,
}

impl HashLoader {
    /// With room for `expected` fields.
    pub fn new(expected: usize, rules: &Rules) -> HashLoader {
        let mut hash = Hash::create(rules);
        hash.reserve(expected, rules);
        HashLoader { hash, arrivals: Arrivals::default() }
    }

    /// Adds a field. `settle` must follow before there are more than `BATCH` of them. `expire_at_ms`: 0 to
    /// `EXPIRE_AT_MS_MAX`.
    #[inline]
    pub fn push(&mut self, field: &[u8], value: &[u8], expire_at_ms: Option<i64>, rules: &Rules) -> Loaded {
        if !self.hash.takes(field, value, rules) {
            self.hash.become_table(rules);
        }
        if let Hash::Table(table) = &self.hash {
            self.arrivals.push(table.fields(), Field::new(field, value, expire_at_ms));
            return Loaded::Pushed;
        }
        if self.hash.view().has(field) {
            return Loaded::Twice;
        }
        let expiry = expire_at_ms.map_or(FieldExpiry::None, FieldExpiry::At);
        let stored = self.hash.set(field, value, expiry, rules);
        debug_assert_eq!(stored, Stored::New);
        Loaded::Settled
    }

    /// Takes in what was pushed.
    ///
    /// # Errors
    /// When a field is there already: its place among those that were pushed. The loader is of no more use then.
    pub fn settle(&mut self) -> Result<(), usize> {
        match &mut self.hash {
            Hash::Table(table) => table.settle(&mut self.arrivals),
            Hash::Packed(_) | Hash::PackedTtl(_) => Ok(()),
        }
    }

    /// The hash of all that was settled.
    pub fn finish(self) -> Hash {
        self.hash
    }
}
