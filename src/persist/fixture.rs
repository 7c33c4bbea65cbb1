//! Keyspaces for tests, and how they are compared.

use super::image::KeyDelay;
use super::load::{Duplicates, LoadOptions, Loading, Target};
use crate::keyspace::{Expiry, Keyspace, Ledger, StrView, Tx};
use crate::object::Depth;
use crate::rdb::{Checksum, Foreign};
use std::collections::BTreeMap;
use std::path::Path;

pub const NOW_MS: i64 = 1_700_000_000_000;

/// As a start loads.
pub const LOAD: LoadOptions = LoadOptions {
    duplicates: Duplicates::Refuse,
    target: Target::Keyspace,
    checksum: Checksum::On,
    depth: Depth::Structure,
    foreign: Foreign::Refuse,
    key_delay: KeyDelay(0),
    threads: 1,
};

/// What a key holds, as text, and its expiry.
pub type Content = BTreeMap<(usize, Vec<u8>), (String, Option<i64>)>;

pub fn set(keyspace: &mut Keyspace, db: usize, key: &str, value: &str, expiry: Expiry) {
    let mut ledger = Ledger::default();
    Tx::new(keyspace, &mut ledger, db, NOW_MS).set_str(key.as_bytes(), value.as_bytes(), expiry);
}

/// `keys` keys in each of three databases: numbers, short and long texts, with and without expiry.
pub fn keyspace(keys: usize) -> Keyspace {
    let mut keyspace = Keyspace::new(16, 42, NOW_MS);
    for db in [0, 3, 15] {
        for number in 0..keys {
            let value = match number % 4 {
                0 => number.to_string(),
                1 => format!("{}", 5_000_000_000u64 + number as u64),
                2 => format!("value {number}"),
                _ => format!("{number} ").repeat(300),
            };
            let expiry =
                if number % 3 == 0 { Expiry::At(NOW_MS + 1000 * (1 + number as i64)) } else { Expiry::None };
            set(&mut keyspace, db, &format!("key:{db}:{number}"), &value, expiry);
        }
    }
    keyspace
}

/// What a file holds; its checksum is verified.
pub fn loaded(path: &Path) -> Keyspace {
    let mut keyspace = Keyspace::new(16, 1, NOW_MS);
    let mut loading = Loading::open(path, LOAD, NOW_MS).unwrap().unwrap();
    loading.run(&mut keyspace, NOW_MS).unwrap();
    keyspace
}

pub fn content(keyspace: &Keyspace) -> Content {
    let mut content = Content::new();
    for (index, db) in keyspace.dbs() {
        db.table().for_each(&mut |entry| {
            let value = match entry.str_view() {
                StrView::Int(value) => format!("int {value}"),
                StrView::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            };
            content.insert((index, entry.key().to_vec()), (value, entry.expire_at_ms()));
        });
    }
    content
}
