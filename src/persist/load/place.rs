//! Keys on their way into a database.
//!
//! A load inserts in no order of the table, so nearly every insertion would wait for memory. So keys are gathered, and
//! the buckets of all are asked for in a row: the waits overlap. (Asking for each bucket as its key comes, between the
//! writes to fresh memory that a new entry is, takes twice the time of the whole load.)

use crate::keyspace::db::Db;
use crate::keyspace::settings::Ranking;
use crate::keyspace::{Entry, Keyspace, lru};
use crate::rdb::Access;

use super::Duplicates;

/// Keys that are inserted together: about as many as there are lines that can be asked for at once.
const BATCH_KEYS: usize = 32;

/// Where the next keys go.
pub(super) struct Place {
    pub(super) db: usize,
    duplicates: Duplicates,
    batch: Vec<Arrival>,
}

struct Arrival {
    hash: u64,
    entry: Entry,
    /// Of its record in the file.
    offset: u64,
}

/// A key that is there already and must not be.
pub(super) struct Twice {
    pub(super) key: Vec<u8>,
    pub(super) offset: u64,
}

impl Place {
    pub(super) fn new(duplicates: Duplicates) -> Place {
        Place { db: 0, duplicates, batch: Vec::with_capacity(BATCH_KEYS) }
    }

    /// Takes an entry. Whether `settle` must follow.
    #[inline]
    pub(super) fn put(&mut self, db: &Db, entry: Entry, offset: u64) -> bool {
        let hash = db.table().hash(entry.key());
        self.batch.push(Arrival { hash, entry, offset });
        self.batch.len() == BATCH_KEYS
    }

    /// Inserts all that was put here, before the database changes and at the end of each step.
    ///
    /// # Errors
    /// The first key that is there already; those behind it are dropped.
    pub(super) fn settle(&mut self, keyspace: &mut Keyspace) -> Result<(), Twice> {
        let db = keyspace.db_mut(self.db);
        self.batch.iter().for_each(|arrival| db.table().prefetch_bucket(arrival.hash));
        for Arrival { hash, entry, offset } in self.batch.drain(..) {
            let Err(entry) = db.load(hash, entry) else { continue };
            match self.duplicates {
                Duplicates::Replace => db.load_over(hash, entry),
                Duplicates::Refuse => return Err(Twice { key: entry.key().to_vec(), offset }),
            }
        }
        Ok(())
    }
}

/// The access field of loaded keys, by the eviction policy in force.
pub(super) struct AccessField {
    pub(super) now_ms: i64,
    is_lfu: bool,
    fresh: u32,
}

impl AccessField {
    pub(super) fn of(keyspace: &Keyspace, now_ms: i64) -> AccessField {
        let is_lfu = keyspace.settings.ranking == Ranking::Lfu;
        AccessField { now_ms, is_lfu, fresh: if is_lfu { lru::lfu_new(now_ms) } else { lru::clock(now_ms) } }
    }

    #[inline]
    pub(super) fn field(&self, access: Option<Access>) -> u32 {
        match access {
            Some(Access::Frequency(counter)) if self.is_lfu => lru::lfu_with(counter, self.now_ms),
            Some(Access::Idle { seconds }) if !self.is_lfu => lru::clock_with_idle(seconds, self.now_ms),
            _ => self.fresh,
        }
    }
}
