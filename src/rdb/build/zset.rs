//! Sorted sets, member by member.
//!
//! ```text
//! count(length) { member score }*          score = 8 bytes, little-endian
//!                                                | length(1) text | FD nan | FE inf | FF -inf       (before 4.0)
//! ```
//! Writers begin with the highest score.

use super::{Around, Built, collection, corrupt};
use crate::base::number;
use crate::object::zset::ZsetBuilder;
use crate::object::{Variant, Zset};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::types::Scores;

/// A table of shorter ones than this grows as they come.
const MEMBER_BYTES_EXPECTED: u64 = 8;

pub(in crate::rdb) struct ZsetBuild {
    scores: Scores,
    stage: Stage,
    left: u64,
}

enum Stage {
    Start,
    Members(ZsetBuilder),
    Done(Zset),
}

impl ZsetBuild {
    pub(super) fn new(scores: Scores) -> Self {
        ZsetBuild { scores, stage: Stage::Start, left: 0 }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if matches!(self.stage, Stage::Start) {
            self.left = cursor.length()?;
            let mut builder = ZsetBuilder::new(around.rules);
            builder.reserve(around.expected(self.left, MEMBER_BYTES_EXPECTED, cursor));
            self.stage = Stage::Members(builder);
            cursor.commit();
        }
        while self.left > 0 {
            self.member(cursor, around)?;
            self.left -= 1;
            cursor.commit();
        }
        if let Stage::Members(builder) = std::mem::replace(&mut self.stage, Stage::Start) {
            self.stage = Stage::Done(builder.finish(around.rules));
        }
        Ok(())
    }

    #[inline]
    fn member(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        let at = cursor.at();
        let member = cursor.content(&mut around.scratch.first)?;
        let score = match self.scores {
            Scores::Binary => cursor.double()?,
            Scores::Text => text_score(cursor)?,
        };
        match &mut self.stage {
            Stage::Members(builder) => builder.add(member, score).or_else(|reason| corrupt(at, reason)),
            Stage::Start | Stage::Done(_) => unreachable!("members come between the count and the end"),
        }
    }

    pub(super) fn finish(self) -> Built {
        match self.stage {
            Stage::Done(zset) => collection(zset.into_object()),
            Stage::Start | Stage::Members(_) => Built::Empty,
        }
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
