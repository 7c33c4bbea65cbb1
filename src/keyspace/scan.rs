//! Visiting the keys of the selected database: bit by bit with a cursor (SCAN), or all at once (KEYS).
//!
//! Expired keys are never shown. SCAN removes those it meets, as a lookup would; KEYS leaves them to the expiry cycle.

use super::entry::Entry;
use super::tx::Tx;

impl Tx<'_> {
    /// Visits the next keys, about `count` of them, and returns the cursor to go on with; 0 is the beginning and the
    /// end.
    /// In a sparse table it gives up after ten times as many buckets, so that a call stays short.
    pub fn scan(&mut self, cursor: u64, count: usize, visit: &mut dyn FnMut(&Entry)) -> u64 {
        const BUCKETS_PER_KEY_MAX: usize = 10;
        let now_ms = self.now_ms;
        let table = self.keyspace.db(self.db).table();
        let mut expired: Vec<Vec<u8>> = Vec::new();
        let (mut cursor, mut seen) = (cursor, 0);
        for _ in 0..count.saturating_mul(BUCKETS_PER_KEY_MAX) {
            cursor = table.scan(cursor, &mut |entry| {
                seen += 1;
                if is_expired(entry, now_ms) { expired.push(entry.key().to_vec()) } else { visit(entry) }
            });
            if cursor == 0 || seen >= count {
                break;
            }
        }
        expired.iter().for_each(|key| {
            self.exists(key);
        });
        cursor
    }

    /// Visits every key.
    pub fn each_key(&self, visit: &mut dyn FnMut(&Entry)) {
        let now_ms = self.now_ms;
        self.keyspace.db(self.db).table().for_each(&mut |entry| {
            if !is_expired(entry, now_ms) {
                visit(entry);
            }
        });
    }
}

fn is_expired(entry: &Entry, now_ms: i64) -> bool {
    entry.expire_at_ms().is_some_and(|expire_at_ms| now_ms > expire_at_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Expiry, Keyspace, Ledger};
    use std::collections::HashSet;

    #[test]
    fn a_scan_shows_every_key_and_removes_the_expired() {
        let mut keyspace = Keyspace::new(1, 3, 1000);
        let mut ledger = Ledger::default();
        let mut tx = Tx::new(&mut keyspace, &mut ledger, 0, 1000);
        for number in 0..1000 {
            let expiry = if number % 10 == 0 { Expiry::At(2000) } else { Expiry::None };
            tx.set_str(format!("{number}").as_bytes(), b"", expiry);
        }
        tx.now_ms = 2001;
        let mut all = 0;
        tx.each_key(&mut |_| all += 1);
        let (mut cursor, mut calls, mut seen) = (0, 0, HashSet::new());
        loop {
            let mut shown = 0;
            cursor = tx.scan(cursor, 10, &mut |entry| {
                shown += 1;
                seen.insert(entry.key().to_vec());
            });
            calls += 1;
            assert!(shown < 100);
            if cursor == 0 {
                break;
            }
        }
        assert_eq!((all, seen.len(), keyspace.len()), (900, 900, 900));
        assert!((10..=100).contains(&calls), "{calls} calls");
        assert_eq!((keyspace.counters.expired, ledger.dirty()), (100, 0));
    }
}
