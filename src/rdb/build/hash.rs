//! Hashes, field by field.
//!
//! ```text
//! count(length) { field value }*                                          without expiries
//! count(length) { expiry(length) field value }*                           7.4 before its release: 0 is none
//! first(8) count(length) { expiry(length) field value }*                  Redis: 0 is none, else first + expiry - 1
//! count(length) { field value expiry(8) }*                                Valkey: -1 is none
//! ```
//! Expiries are Unix milliseconds.

use super::{Around, Built, Members, collection};
use crate::object::hash::{EXPIRE_AT_MS_MAX, HashLoader, has_expired};
use crate::object::{DataType, Loaded, Variant};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::types::Expiries;

/// A table of shorter ones than this grows as they come.
const FIELD_BYTES_EXPECTED: u64 = 8;
const EXPIRY_MS_MAX: u64 = EXPIRE_AT_MS_MAX.unsigned_abs();

pub(in crate::rdb) struct HashBuild {
    fields: Option<Fields>,
    expiries: Expiries,
    left: u64,
}

struct Fields {
    loader: HashLoader,
    expiries: Expiries,
    /// The expiry that the others are counted from.
    first_ms: u64,
    /// A field had expired.
    dropped: bool,
}

impl HashBuild {
    pub(super) fn new(expiries: Expiries) -> Self {
        HashBuild { fields: None, expiries, left: 0 }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.fields.is_none() {
            self.begin(cursor, around)?;
        }
        let fields = self.fields.as_mut().expect("made by `begin`");
        fields.take(&mut self.left, cursor, around)
    }

    fn begin(&mut self, cursor: &mut Cursor<'_>, around: &Around<'_>) -> Result<(), Stop> {
        // Of use only with a field that expires, which is looked at.
        let first_ms = if self.expiries == Expiries::FromFirst { cursor.time_ms()? as u64 } else { 0 };
        self.left = cursor.length()?;
        let expected = around.expected(self.left, FIELD_BYTES_EXPECTED, cursor);
        let loader = HashLoader::new(expected, around.rules);
        self.fields = Some(Fields { loader, expiries: self.expiries, first_ms, dropped: false });
        cursor.commit();
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        let Some(Fields { loader, dropped, .. }) = self.fields else { return Built::Empty };
        let hash = loader.finish();
        if hash.is_empty() && dropped { Built::Expired } else { collection(hash.into_object()) }
    }
}

impl Members for Fields {
    const TWICE: &'static str = "Duplicate hash fields detected";

    #[inline]
    fn push(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<Option<usize>, Stop> {
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
            return Ok(None);
        }
        match self.loader.push(field, value, expire_at_ms, around.rules) {
            Loaded::Pushed => Ok(Some(field_at)),
            Loaded::Settled => Ok(None),
            Loaded::Twice => cursor.fault(field_at, Fault::Corrupt(Self::TWICE)),
        }
    }

    fn settle(&mut self) -> Result<(), usize> {
        self.loader.settle()
    }
}
