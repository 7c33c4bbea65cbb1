//! Hashes, field by field.
//!
//! ```text
//! count(length) { field value }*                                          without expiries
//! count(length) { expiry(length) field value }*                           7.4 before its release: 0 is none
//! first(8) count(length) { expiry(length) field value }*                  Redis: 0 is none, else first + expiry - 1
//! count(length) { field value expiry(8) }*                                Valkey: -1 is none
//! ```
//! Expiries are Unix milliseconds.

use super::{Around, Built, collection};
use crate::object::hash::{EXPIRE_AT_MS_MAX, has_expired};
use crate::object::{DataType, Hash, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::types::Expiries;

/// A table of shorter ones than this grows as they come.
const FIELD_BYTES_EXPECTED: u64 = 8;
const EXPIRY_MS_MAX: u64 = EXPIRE_AT_MS_MAX.unsigned_abs();

pub(in crate::rdb) struct HashBuild {
    expiries: Expiries,
    /// The expiry that the others are counted from.
    first_ms: u64,
    hash: Option<Hash>,
    left: u64,
    dropped: bool,
}

impl HashBuild {
    pub(super) fn new(expiries: Expiries) -> Self {
        HashBuild { expiries, first_ms: 0, hash: None, left: 0, dropped: false }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.hash.is_none() {
            self.begin(cursor, around)?;
        }
        while self.left > 0 {
            self.field(cursor, around)?;
            self.left -= 1;
            cursor.commit();
        }
        Ok(())
    }

    fn begin(&mut self, cursor: &mut Cursor<'_>, around: &Around<'_>) -> Result<(), Stop> {
        if self.expiries == Expiries::FromFirst {
            // Of use only with a field that expires, which is looked at.
            self.first_ms = cursor.time_ms()? as u64;
        }
        self.left = cursor.length()?;
        let expected = around.expected(self.left, FIELD_BYTES_EXPECTED, cursor);
        let mut hash = Hash::create(around.rules);
        hash.reserve(expected, around.rules);
        self.hash = Some(hash);
        cursor.commit();
        Ok(())
    }

    #[inline]
    fn field(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        let (at, now_ms) = (cursor.at(), around.now_ms);
        let in_front = match self.expiries {
            Expiries::FromFirst | Expiries::Absolute => Some(cursor.length()?),
            Expiries::None | Expiries::Behind => None,
        };
        let field_at = cursor.at();
        let field = cursor.content(&mut around.scratch.first)?;
        let value = cursor.content(&mut around.scratch.second)?;
        let expire_at_ms = match (self.expiries, in_front) {
            (Expiries::Behind, _) => {
                Some(cursor.time_ms()?).filter(|at_ms| *at_ms != -1).map(|at_ms| at_ms as u64)
            }
            (_, None | Some(0)) => None,
            (Expiries::FromFirst, Some(later)) => Some(self.first_ms.saturating_add(later - 1)),
            (_, in_front) => in_front,
        };
        let expire_at_ms = match expire_at_ms {
            Some(at_ms) if at_ms > EXPIRY_MS_MAX => {
                return cursor.fault(at, Fault::Corrupt("An expiry of a field that is no time"));
            }
            at_ms => at_ms.map(|at_ms| at_ms as i64),
        };
        if expire_at_ms.zip(now_ms).is_some_and(|(at_ms, now_ms)| has_expired(at_ms, now_ms)) {
            self.dropped = true;
            return Ok(());
        }
        let hash = self.hash.as_mut().expect("it was made before its first field");
        if !hash.load(field, value, expire_at_ms, around.rules) {
            return cursor.fault(field_at, Fault::Corrupt("Duplicate hash fields detected"));
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        match self.hash {
            Some(hash) if hash.is_empty() && self.dropped => Built::Expired,
            Some(hash) => collection(hash.into_object()),
            None => Built::Empty,
        }
    }
}
