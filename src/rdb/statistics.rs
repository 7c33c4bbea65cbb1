//! What a file's keys are: how many, how large, how long they have to live; by type, form and database.
//!
//! Sizes are those of the records in the file: key, value and what stands in front of them.

use std::collections::BTreeMap;

/// The upper ends of the classes of sizes, in bytes; one class more is for what is larger.
pub const SIZE_CLASSES: [u64; 9] =
    [64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20, 256 << 20];

/// The classes of time to live, in this order.
pub const TTL_CLASSES: [&str; 6] =
    ["no expiry", "expired", "within 1 hour", "within 1 day", "within 30 days", "later"];

/// Those keys whose values cannot be held here have no type but this.
pub const OTHER_TYPE: &str = "other";

/// Of all keys.
#[derive(Debug, Default)]
pub struct Statistics {
    /// By the name that TYPE answers, or `OTHER_TYPE`.
    pub types: BTreeMap<&'static str, TypeStatistics>,
    pub databases: BTreeMap<u64, DatabaseStatistics>,
    /// Keys by `SIZE_CLASSES`.
    pub sizes: [u64; SIZE_CLASSES.len() + 1],
    /// Keys by `TTL_CLASSES`.
    pub ttls: [u64; TTL_CLASSES.len()],
}

/// Of the keys of one type.
#[derive(Debug, Default)]
pub struct TypeStatistics {
    pub keys: u64,
    /// Of their records.
    pub bytes: u64,
    /// Elements of collections; 0 for strings.
    pub elements: u64,
    pub largest: Option<Largest>,
    /// By the form in which the value stands in the file.
    pub forms: BTreeMap<&'static str, FormStatistics>,
}

/// The key of the largest record; the first, of several.
#[derive(Debug)]
pub struct Largest {
    pub db: u64,
    pub key: Vec<u8>,
    pub bytes: u64,
    pub elements: u64,
}

#[derive(Debug, Default)]
pub struct FormStatistics {
    pub keys: u64,
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub struct DatabaseStatistics {
    pub keys: u64,
    /// Keys with an expiry.
    pub volatile_keys: u64,
    pub bytes: u64,
}

/// One key, to be counted.
pub(super) struct Counted<'a> {
    pub(super) db: u64,
    pub(super) key: &'a [u8],
    pub(super) value_type: &'static str,
    pub(super) form: &'static str,
    pub(super) bytes: u64,
    pub(super) elements: u64,
    pub(super) expire_at_ms: Option<i64>,
}

impl Statistics {
    pub(super) fn count(&mut self, counted: &Counted<'_>, now_ms: i64) {
        let Counted { db, bytes, .. } = *counted;
        let database = self.databases.entry(db).or_default();
        database.keys += 1;
        database.volatile_keys += u64::from(counted.expire_at_ms.is_some());
        database.bytes += bytes;
        self.types.entry(counted.value_type).or_default().count(counted);
        self.sizes[SIZE_CLASSES.partition_point(|end| *end < bytes)] += 1;
        self.ttls[ttl_class(counted.expire_at_ms, now_ms)] += 1;
    }
}

impl TypeStatistics {
    fn count(&mut self, counted: &Counted<'_>) {
        let Counted { db, bytes, elements, .. } = *counted;
        self.keys += 1;
        self.bytes += bytes;
        self.elements += elements;
        if self.largest.as_ref().is_none_or(|largest| largest.bytes < bytes) {
            self.largest = Some(Largest { db, key: counted.key.into(), bytes, elements });
        }
        let form = self.forms.entry(counted.form).or_default();
        form.keys += 1;
        form.bytes += bytes;
    }
}

/// The place in `TTL_CLASSES`.
fn ttl_class(expire_at_ms: Option<i64>, now_ms: i64) -> usize {
    const HOUR_MS: i64 = 3_600_000;
    let Some(at_ms) = expire_at_ms else { return 0 };
    match at_ms.saturating_sub(now_ms) {
        ..0 => 1,
        left_ms if left_ms <= HOUR_MS => 2,
        left_ms if left_ms <= 24 * HOUR_MS => 3,
        left_ms if left_ms <= 30 * 24 * HOUR_MS => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let day_ms = 86_400_000;
        let cases = [
            (None, 0),
            (Some(-1), 1),
            (Some(0), 2),
            (Some(day_ms), 3),
            (Some(30 * day_ms), 4),
            (Some(i64::MAX), 5),
        ];
        for (expire_at_ms, class) in cases {
            assert_eq!(ttl_class(expire_at_ms, 0), class, "{expire_at_ms:?}");
        }
        let mut all = Statistics::default();
        for bytes in [64, 65, 1 << 40] {
            let counted = Counted {
                db: 0,
                key: b"k",
                value_type: "string",
                form: "string",
                bytes,
                elements: 0,
                expire_at_ms: None,
            };
            all.count(&counted, 0);
        }
        assert_eq!((all.sizes[0], all.sizes[1], all.sizes[9]), (1, 1, 1));
        assert_eq!(all.types["string"].largest.as_ref().map(|largest| largest.bytes), Some(1 << 40));
    }
}
