//! Sorted sets, member by member.
//!
//! ```text
//! count(length) { member score }*          score = 8 bytes, little-endian
//!                                                | length(1) text | FD nan | FE inf | FF -inf       (before 4.0)
//! ```
//! Writers begin with the highest score.

use super::{Around, Built, collection};
use crate::base::number;
use crate::object::{DataType, Variant, Zset};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::types::Scores;

/// The length of a member and a score.
const MEMBER_BYTES_MIN: u64 = 2;

pub(in crate::rdb) struct ZsetBuild {
    scores: Scores,
    zset: Option<Zset>,
    left: u64,
}

impl ZsetBuild {
    pub(super) fn new(scores: Scores) -> Self {
        ZsetBuild { scores, zset: None, left: 0 }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.zset.is_none() {
            self.left = cursor.length()?;
            let expected = around.expected(self.left, MEMBER_BYTES_MIN, cursor);
            let mut zset = Zset::create(around.rules);
            zset.reserve(expected, around.rules);
            self.zset = Some(zset);
            cursor.commit();
        }
        let Some(zset) = &mut self.zset else { return Ok(()) };
        while self.left > 0 {
            let at = cursor.at();
            let member = cursor.content(&mut around.scratch.first)?;
            let score = match self.scores {
                Scores::Binary => cursor.double()?,
                Scores::Text => text_score(cursor)?,
            };
            if score.is_nan() {
                return cursor.fault(at, Fault::Corrupt("Zset with NAN score detected"));
            }
            if !zset.load(member, score, around.rules) {
                return cursor.fault(at, Fault::Corrupt("Zset with dup elements detected"));
            }
            self.left -= 1;
            cursor.commit();
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        self.zset.map_or(Built::Empty, |zset| collection(zset.into_object()))
    }
}

fn text_score(cursor: &mut Cursor<'_>) -> Result<f64, Stop> {
    let at = cursor.at();
    match cursor.byte()? {
        253 => Ok(f64::NAN),
        254 => Ok(f64::INFINITY),
        255 => Ok(f64::NEG_INFINITY),
        len => {
            let text = cursor.bytes(len.into())?;
            match number::parse_f64(text) {
                Some(score) => Ok(score),
                None => cursor.fault(at, Fault::Corrupt("A score that is no number")),
            }
        }
    }
}
