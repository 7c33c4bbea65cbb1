//! Sorted sets, member by member.
//!
//! ```text
//! count(length) { member score }*          score = 8 bytes, little-endian
//!                                                | length(1) text | FD nan | FE inf | FF -inf       (before 4.0)
//! ```
//! Writers begin with the highest score.

use super::{Around, Built, Members, collection, corrupt};
use crate::base::number;
use crate::object::zset::ZsetLoader;
use crate::object::{Loaded, Variant, Zset};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::error::Fault;
use crate::rdb::types::Scores;

/// A table of shorter ones than this grows as they come.
const MEMBER_BYTES_EXPECTED: u64 = 8;

pub(in crate::rdb) struct ZsetBuild {
    scores: Scores,
    members: Option<Entries>,
    left: u64,
    zset: Option<Zset>,
}

struct Entries {
    loader: ZsetLoader,
    scores: Scores,
}

impl ZsetBuild {
    pub(super) fn new(scores: Scores) -> Self {
        ZsetBuild { scores, members: None, left: 0, zset: None }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.members.is_none() {
            self.left = cursor.length()?;
            let expected = around.expected(self.left, MEMBER_BYTES_EXPECTED, cursor);
            let loader = ZsetLoader::new(self.left, expected, around.rules);
            self.members = Some(Entries { loader, scores: self.scores });
            cursor.commit();
        }
        let members = self.members.as_mut().expect("made above");
        members.take(&mut self.left, cursor, around)?;
        self.zset = self.members.take().map(|members| members.loader.finish(around.rules));
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        self.zset.map_or(Built::Empty, |zset| collection(zset.into_object()))
    }
}

impl Members for Entries {
    const TWICE: &'static str = "sorted set: a member that stands twice";

    #[inline]
    fn push(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<Option<usize>, Stop> {
        let at = cursor.at();
        let member = cursor.content(&mut around.scratch.first)?;
        let score = match self.scores {
            Scores::Binary => cursor.double()?,
            Scores::Text => text_score(cursor)?,
        };
        match self.loader.push(member, score) {
            Ok(Loaded::Pushed) => Ok(Some(at)),
            Ok(Loaded::Settled) => Ok(None),
            Ok(Loaded::Twice) => cursor.fault(at, Fault::Corrupt(Self::TWICE)),
            Err(reason) => corrupt(at, reason),
        }
    }

    fn settle(&mut self) -> Result<(), usize> {
        self.loader.settle()
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
