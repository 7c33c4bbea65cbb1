//! Keys on their way into a database.
//!
//! A load inserts in no order of the table, so nearly every insertion would wait for memory. So keys are gathered, and
//! the buckets of all are asked for in a row: the waits overlap. (Asking for each bucket as its key comes, between the
//! writes to fresh memory that a new entry is, takes twice the time of the whole load.)

use crate::keyspace::db::Db;
use crate::keyspace::{Entry, Keyspace};

use super::Duplicates;

/// Keys that are inserted together: about as many as there are lines that can be asked for at once.
const BATCH_KEYS: usize = 32;
/// Of keys that another thread has made the header must come, too: so many are on their way.
const KEYS_AHEAD: usize = 12;

/// Where the next keys go.
pub(super) struct Place {
    pub(super) db: usize,
    duplicates: Duplicates,
    batch: Vec<Arrival>,
}

/// A key and its hash.
pub(super) struct Arrival {
    pub(super) hash: u64,
    pub(super) entry: Entry,
    /// Of its record in the file.
    pub(super) offset: u64,
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
        self.batch.drain(..).try_for_each(|arrival| insert(db, arrival, self.duplicates))
    }

    /// Inserts keys that another thread has made; what was `put` is settled.
    ///
    /// # Errors
    /// As `settle`.
    pub(super) fn take_all(
        &mut self,
        keyspace: &mut Keyspace,
        arrivals: &mut Vec<Arrival>,
    ) -> Result<(), Twice> {
        debug_assert!(self.batch.is_empty());
        let db = keyspace.db_mut(self.db);
        let expected = |db: &Db, arrival: &Arrival| {
            db.table().prefetch_bucket(arrival.hash);
            arrival.entry.prefetch();
        };
        arrivals.iter().take(KEYS_AHEAD).for_each(|arrival| expected(db, arrival));
        let mut coming = arrivals.drain(..);
        while let Some(arrival) = coming.next() {
            if let Some(later) = coming.as_slice().get(KEYS_AHEAD - 1) {
                expected(db, later);
            }
            insert(db, arrival, self.duplicates)?;
        }
        Ok(())
    }
}

#[inline]
fn insert(db: &mut Db, arrival: Arrival, duplicates: Duplicates) -> Result<(), Twice> {
    let Arrival { hash, entry, offset } = arrival;
    let Err(entry) = db.load(hash, entry) else { return Ok(()) };
    match duplicates {
        Duplicates::Replace => {
            db.load_over(hash, entry);
            Ok(())
        }
        Duplicates::Refuse => Err(Twice { key: entry.key().to_vec(), offset }),
    }
}
