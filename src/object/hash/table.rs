//! Large hashes: a table of fields, and an index of those that expire.
//!
//! The index is a set of (expiry, hash of the field's name), so that the next field to expire is found without looking
//! at the others. It costs nothing while no field expires.
//!
//! Invariants: 1. every field with an expiry has its record in the index, and every record its field. (Two fields with
//! the same hash and the same expiry share a record: should one of them go, nobody but a lookup will notice that the
//! other expires. With 64 bits of hash under a secret seed that does not happen.)

use super::{FieldExpiry, FieldView, Stored, has_expired};
use crate::encoding::dict::{Arrivals, Dict, HashSeed};
use crate::encoding::field::Field;
use crate::encoding::listpack::{Digits, Element};
use crate::object::Rehash;
use std::collections::BTreeSet;

/// A table of fields.
pub struct FieldTable {
    fields: Dict<Field>,
    /// Expiry in Unix ms, and the hash of the name.
    expiries: BTreeSet<(i64, u64)>,
    seed: HashSeed,
    rehash: Rehash,
}

impl FieldTable {
    pub(super) fn new(seed: HashSeed) -> FieldTable {
        FieldTable { fields: Dict::new(seed), expiries: BTreeSet::new(), seed, rehash: Rehash::Allowed }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The table itself, for its statistics and to walk it.
    pub fn fields(&self) -> &Dict<Field> {
        &self.fields
    }

    #[inline]
    pub(super) fn get(&self, name: &[u8]) -> Option<&Field> {
        self.fields.get(self.fields.hash(name), name)
    }

    pub(super) fn set(&mut self, name: &[u8], value: &[u8], expiry: FieldExpiry) -> Stored {
        let hash = self.fields.hash(name);
        let Some(field) = self.fields.get_mut(hash, name) else {
            let expire_at_ms =
                if let FieldExpiry::At(expire_at_ms) = expiry { Some(expire_at_ms) } else { None };
            self.insert_new(hash, Field::new(name, value, expire_at_ms));
            return Stored::New;
        };
        let old = field.expire_at_ms();
        let new = match expiry {
            FieldExpiry::Keep => old,
            FieldExpiry::None => None,
            FieldExpiry::At(expire_at_ms) => Some(expire_at_ms),
        };
        if old.is_some() == new.is_some() {
            field.set_value(value);
            field.set_expire(new);
        } else {
            *field = Field::new(name, value, new);
        }
        self.refile(hash, old, new);
        Stored::Replaced
    }

    /// Adds a field unless it is there already.
    pub(super) fn add(&mut self, stored: FieldView<'_>) {
        let (mut name, mut value) = (Digits::default(), Digits::default());
        let (name, value) = (stored.field.text(&mut name), stored.value.text(&mut value));
        let hash = self.fields.hash(name);
        if self.fields.get(hash, name).is_none() {
            self.insert_new(hash, Field::new(name, value, stored.expire_at_ms));
        }
    }

    /// Takes in the fields of a file. Err: the place of one that is there already among those that were pushed.
    pub(super) fn settle(&mut self, arrivals: &mut Arrivals<Field>) -> Result<(), usize> {
        let FieldTable { fields, expiries, .. } = self;
        arrivals.settle(fields, &mut |hash, field| {
            if let Some(expire_at_ms) = field.expire_at_ms() {
                expiries.insert((expire_at_ms, hash));
            }
        })
    }

    fn insert_new(&mut self, hash: u64, field: Field) {
        self.refile(hash, None, field.expire_at_ms());
        self.fields.insert_new(hash, field);
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        let hash = self.fields.hash(name);
        let removed = self.fields.remove(hash, name);
        if let Some(field) = &removed {
            self.refile(hash, field.expire_at_ms(), None);
        }
        removed.is_some()
    }

    /// Whether the field is there.
    pub(super) fn set_expiry(&mut self, name: &[u8], expire_at_ms: Option<i64>) -> bool {
        let hash = self.fields.hash(name);
        let Some(field) = self.fields.get_mut(hash, name) else { return false };
        let old = field.expire_at_ms();
        field.set_expire(expire_at_ms);
        self.refile(hash, old, expire_at_ms);
        true
    }

    /// Brings the index in line with a field's new expiry.
    #[inline]
    fn refile(&mut self, hash: u64, old: Option<i64>, new: Option<i64>) {
        if old == new {
            return;
        }
        if let Some(old_ms) = old {
            self.expiries.remove(&(old_ms, hash));
        }
        if let Some(new_ms) = new {
            self.expiries.insert((new_ms, hash));
        }
    }

    #[inline]
    pub(super) fn first_expiry(&self) -> Option<i64> {
        self.expiries.first().map(|(expire_at_ms, _)| *expire_at_ms)
    }

    pub(super) fn expire(&mut self, now_ms: i64, limit: usize, removed: &mut dyn FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < limit
            && let Some(&(expire_at_ms, hash)) = self.expiries.first()
            && has_expired(expire_at_ms, now_ms)
        {
            self.expiries.pop_first();
            while let Some(name) = self.named_by(expire_at_ms, hash) {
                self.fields.remove(hash, &name);
                removed(&name);
                count += 1;
            }
        }
        count
    }

    /// The name of a field that a record of the index means.
    fn named_by(&self, expire_at_ms: i64, hash: u64) -> Option<Vec<u8>> {
        let mut name = None;
        self.fields.find_by_hash(hash, &mut |field| {
            if field.expire_at_ms() == Some(expire_at_ms) && self.fields.hash(field.name()) == hash {
                name = Some(field.name().to_vec());
            }
            name.is_some()
        });
        name
    }

    /// About `count` fields, those that have expired included; in a sparse table it gives up after ten times as many
    /// buckets. Returns the cursor to go on with; 0 is the beginning and the end.
    pub(super) fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(&Field)) -> u64 {
        const BUCKETS_PER_FIELD_MAX: usize = 10;
        let (mut cursor, mut seen) = (cursor, 0);
        for _ in 0..count.saturating_mul(BUCKETS_PER_FIELD_MAX) {
            cursor = self.fields.scan(cursor, &mut |field| {
                seen += 1;
                visit(field);
            });
            if cursor == 0 || seen >= count {
                break;
            }
        }
        cursor
    }

    pub(super) fn reserve(&mut self, fields: usize) {
        self.fields.reserve(fields);
    }

    pub(super) fn duplicate(&self) -> FieldTable {
        let mut copy = FieldTable::new(self.seed);
        copy.reserve(self.len());
        self.fields
            .for_each(&mut |field| copy.fields.insert_new(copy.fields.hash(field.name()), field.clone()));
        copy.expiries = self.expiries.clone();
        copy
    }

    /// Bytes of the tables, the index and the fields, whose size is estimated from `samples` of them; 0 looks at all.
    pub(super) fn heap_bytes(&self, samples: usize) -> usize {
        /// A record in a node of the set that is two thirds full, and its share of the node.
        const RECORD_BYTES: usize = 26;
        let looked_at = if samples == 0 { self.len() } else { samples.min(self.len()) };
        let bytes: usize = self.fields.iter().take(looked_at).map(Field::heap_bytes).sum();
        let fields = if looked_at == 0 { 0 } else { bytes as u128 * self.len() as u128 / looked_at as u128 };
        let tables = size_of::<FieldTable>() + self.fields.heap_bytes() + self.expiries.len() * RECORD_BYTES;
        tables + fields as usize
    }

    pub(super) fn drop_cost(&self) -> usize {
        const RECORDS_PER_NODE: usize = 7;
        1 + self.len() + self.expiries.len() / RECORDS_PER_NODE
    }

    pub(super) fn set_rehash(&mut self, rehash: Rehash) {
        match (self.rehash, rehash) {
            (Rehash::Allowed, Rehash::Paused) => self.fields.pause_rehash(),
            (Rehash::Paused, Rehash::Allowed) => self.fields.resume_rehash(),
            _ => {}
        }
        self.rehash = rehash;
    }

    pub(super) fn check(&self) {
        self.fields.check();
        let records = self
            .fields
            .iter()
            .filter_map(|field| Some((field.expire_at_ms()?, self.fields.hash(field.name()))));
        assert!(
            records.collect::<BTreeSet<_>>() == self.expiries,
            "the index does not name the fields that expire"
        );
    }
}

impl<'a> From<&'a Field> for FieldView<'a> {
    fn from(field: &'a Field) -> FieldView<'a> {
        FieldView {
            field: Element::Bytes(field.name()),
            value: Element::Bytes(field.value()),
            expire_at_ms: field.expire_at_ms(),
        }
    }
}
