//! Keys out of records, in memory that the keyspace will own.

use crate::base::number;
use crate::keyspace::settings::Ranking;
use crate::keyspace::{Entry, Keyspace, lru};
use crate::object::Rules;
use crate::rdb::{Access, KeyRecord, PlainString, Value};

/// What keys are made by: the directives and the time of a step.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) rules: Rules,
    pub(super) access: AccessField,
}

impl Terms {
    pub(super) fn of(keyspace: &Keyspace, now_ms: i64) -> Terms {
        Terms { rules: keyspace.settings.rules, access: AccessField::of(keyspace, now_ms) }
    }
}

/// What became of a key's record.
pub(super) enum Made {
    Entry(Entry),
    Expired,
    /// A collection without elements.
    Empty,
}

#[inline]
pub(super) fn of_string(string: &PlainString<'_>, access: &AccessField) -> Made {
    if string.expire_at_ms.is_some_and(|expire_at_ms| expire_at_ms < access.now_ms) {
        return Made::Expired;
    }
    let entry = string_entry(string.key, string.value, string.expire_at_ms);
    entry.set_lru(access.field(None));
    Made::Entry(entry)
}

pub(super) fn of_key(record: KeyRecord<'_>, access: &AccessField) -> Made {
    if record.expire_at_ms.is_some_and(|expire_at_ms| expire_at_ms < access.now_ms) {
        return Made::Expired;
    }
    let (key, expire_at_ms) = (record.key, record.expire_at_ms);
    let entry = match record.value {
        Value::Int(value) => Entry::from_int(key, value, expire_at_ms),
        Value::Bytes(bytes) => string_entry(key, bytes, expire_at_ms),
        Value::Text(bytes) => Entry::from_raw(key, bytes, expire_at_ms),
        Value::Object(object) => Entry::from_object(key, object, expire_at_ms),
        Value::Empty => return Made::Empty,
        Value::Expired => return Made::Expired,
    };
    entry.set_lru(access.field(record.access));
    Made::Entry(entry)
}

/// A string that is an integer is kept as one.
#[inline]
fn string_entry(key: &[u8], value: &[u8], expire_at_ms: Option<i64>) -> Entry {
    match number::parse_i64(value) {
        Some(value) => Entry::from_int(key, value, expire_at_ms),
        None => Entry::from_bytes(key, value, expire_at_ms),
    }
}

/// The access field of loaded keys, by the eviction policy in force.
#[derive(Clone, Copy)]
pub(super) struct AccessField {
    now_ms: i64,
    is_lfu: bool,
    fresh: u32,
}

impl AccessField {
    fn of(keyspace: &Keyspace, now_ms: i64) -> AccessField {
        let is_lfu = keyspace.settings.ranking == Ranking::Lfu;
        AccessField { now_ms, is_lfu, fresh: if is_lfu { lru::lfu_new(now_ms) } else { lru::clock(now_ms) } }
    }

    #[inline]
    fn field(&self, access: Option<Access>) -> u32 {
        match access {
            Some(Access::Frequency(counter)) if self.is_lfu => lru::lfu_with(counter, self.now_ms),
            Some(Access::Idle { seconds }) if !self.is_lfu => lru::clock_with_idle(seconds, self.now_ms),
            _ => self.fresh,
        }
    }
}
