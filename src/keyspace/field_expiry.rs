//! Active expiry of hash fields: removes those whose time has come although nobody asks for them.
//!
//! A database keeps a record (next expiry, hash of the key) for every hash with a field that expires, always exact:
//! whoever changes a value tells what it was and what it is (`Db::went`, `Db::came`). So a cycle does work for fields
//! that have expired and for none else. Invariants:
//! 1. A cycle ends within its budget plus the time for `FIELDS_PER_LOOK` fields.
//! 2. A hash with more expired fields than that comes up again; the others are not held up by it for longer.
//! 3. Every database gets its turn: the next cycle begins behind the database where this one stopped.

use super::db::Keyspace;
use super::event::Event;
use super::ledger::Ledger;
use super::tx::{Fate, Tx};
use crate::object::hash::{Hash, has_expired};

/// Fields of one hash that are removed between two looks at the clock.
const FIELDS_PER_LOOK: usize = 64;

/// Removes the fields that have expired in all databases, until none is left or `elapsed_us` exceeds the budget.
pub fn cycle(
    keyspace: &mut Keyspace,
    ledger: &mut Ledger,
    now_ms: i64,
    budget_us: u64,
    elapsed_us: &mut dyn FnMut() -> u64,
) {
    let databases = keyspace.databases();
    let first = keyspace.next_field_expiry_db;
    for step in 0..databases {
        let db = (first + step) % databases;
        keyspace.next_field_expiry_db = (db + 1) % databases;
        while let Some(record) = due(keyspace, db, now_ms) {
            if !expire_some(&mut Tx::new(keyspace, ledger, db, now_ms), record) {
                break;
            }
            if elapsed_us() >= budget_us {
                return;
            }
        }
    }
}

/// The first record of a database whose time has come.
fn due(keyspace: &Keyspace, db: usize, now_ms: i64) -> Option<(i64, u64)> {
    keyspace.db(db).first_field_expiry().filter(|(expire_at_ms, _)| has_expired(*expire_at_ms, now_ms))
}

/// Removes some expired fields of the hashes that a record means. Whether the record is settled.
fn expire_some(tx: &mut Tx<'_>, record: (i64, u64)) -> bool {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let table = tx.keyspace.db(tx.db).table();
    table.find_by_hash(record.1, &mut |entry| {
        if table.hash(entry.key()) == record.1 {
            keys.push(entry.key().to_vec());
        }
        false
    });
    keys.iter().for_each(|key| expire_fields(tx, key));
    tx.keyspace.db(tx.db).first_field_expiry() != Some(record)
}

fn expire_fields(tx: &mut Tx<'_>, key: &[u8]) {
    let (now_ms, mut fields) = (tx.now_ms, Vec::new());
    if !matches!(tx.check::<Hash>(key), Ok(true)) {
        return;
    }
    let (_, fate) = tx.edit::<Hash, _>(key, |hash, _| {
        hash.expire_fields(now_ms, FIELDS_PER_LOOK, &mut |field| fields.push(field.to_vec()))
    });
    if fields.is_empty() {
        return;
    }
    tx.fields_expired(key, &fields);
    if fate == Fate::Emptied {
        tx.also(key, Event::Del);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::hash::FieldExpiry;

    const START_MS: i64 = 1_700_000_000_000;

    /// Hashes `0 ..` over four databases, with so many fields that expire one millisecond after the other, and one that
    /// does not in every second hash.
    fn filled(hashes: usize, fields: i64) -> Keyspace {
        let mut keyspace = Keyspace::new(4, 7, START_MS);
        let mut ledger = Ledger::default();
        for number in 0..hashes {
            let mut tx = Tx::new(&mut keyspace, &mut ledger, number % 4, START_MS);
            let key = format!("{number}");
            tx.edit::<Hash, _>(key.as_bytes(), |hash, rules| {
                for field in 0..fields {
                    let name = format!("field {field}");
                    hash.set(name.as_bytes(), b"value", FieldExpiry::At(START_MS + field), rules);
                }
                if number.is_multiple_of(2) {
                    hash.set(b"stays", b"value", FieldExpiry::None, rules);
                }
            });
        }
        keyspace
    }

    fn run(keyspace: &mut Keyspace, now_ms: i64) -> Vec<&'static str> {
        let mut ledger = Ledger::default();
        cycle(keyspace, &mut ledger, now_ms, 1000, &mut || 0);
        assert_eq!(ledger.dirty(), 0, "an expired field is no change since the last save");
        ledger.changes().map(|change| change.event.name()).collect()
    }

    #[test]
    fn exactly_what_is_due_goes() {
        for fields in [10, 2000] {
            let mut keyspace = filled(8, fields);
            assert!(run(&mut keyspace, START_MS).is_empty(), "a field lives through its last millisecond");
            assert_eq!(run(&mut keyspace, START_MS + 1), ["hexpired"; 8]);
            assert_eq!(keyspace.counters.expired_fields, 8);
            run(&mut keyspace, START_MS + fields / 2);
            assert_eq!(keyspace.counters.expired_fields, 4 * fields as u64);
            let events = run(&mut keyspace, START_MS + fields);
            assert_eq!(events.iter().filter(|name| **name == "del").count(), 4);
            assert_eq!((keyspace.len(), keyspace.counters.expired_fields), (4, 8 * fields as u64));
            assert!((0..4).all(|db| keyspace.db(db).first_field_expiry().is_none()));
        }
    }

    #[test]
    fn the_budget_ends_a_cycle_and_the_next_database_begins_the_next() {
        let mut keyspace = filled(4, 1000);
        for round in 1..=4 {
            cycle(&mut keyspace, &mut Ledger::default(), START_MS + 5000, 5, &mut || 5);
            assert_eq!(keyspace.next_field_expiry_db, round % 4);
            assert_eq!(keyspace.counters.expired_fields, (round * FIELDS_PER_LOOK) as u64);
        }
    }

    #[test]
    fn records_follow_their_keys() {
        let mut keyspace = filled(1, 10);
        let mut ledger = Ledger::default();
        let mut tx = Tx::new(&mut keyspace, &mut ledger, 0, START_MS);
        let entry = tx.take(b"0").expect("it is there");
        tx.at(1).put(entry.clone_with_key(b"copy"));
        tx.put(entry.with_key(b"moved"));
        assert_eq!(tx.keyspace.db(1).first_field_expiry().map(|(time_ms, _)| time_ms), Some(START_MS));
        tx.remove(b"moved", crate::keyspace::Freeing::Inline);
        assert_eq!(tx.keyspace.db(0).first_field_expiry(), None);
        tx.at(1).set_expire(b"copy", Some(START_MS + 5));
        assert_eq!(run(&mut keyspace, START_MS + 3), ["hexpired"]);
        assert_eq!(run(&mut keyspace, START_MS + 7), ["expired"]);
        assert!(keyspace.is_empty() && keyspace.db(1).first_field_expiry().is_none());
    }
}
