//! A small sorted set in a listpack: member, score, member, score .. from the lowest to the highest.
//!
//! A score that is a whole number within 2^62 is an integer entry (so -0 becomes 0 here, as in Redis); any other is its
//! text of 17 digits. That is the form of RDB files since Redis 7.0.
//!
//! Whatever comes from outside was checked to consist of pairs whose scores are numbers. Unless it was checked deeply
//! it may be out of order or hold a member twice; then answers are as wrong as the file, and nothing worse happens.

use std::collections::HashSet;

use super::range::compare;
use crate::base::number;
use crate::encoding::listpack::{At, Element, Iter, Listpack, edit};
use crate::object::{Corrupt, Depth};

/// Beyond this whole numbers are stored as text.
const INTEGER_SCORE_MAX: f64 = (1_u64 << 62) as f64;
/// More than a score and the heads of two entries take, in bytes.
pub(super) const PAIR_OVERHEAD_MAX: usize = 64;

/// Members with their scores, from either end.
#[derive(Clone)]
pub(super) struct Pairs<'a>(Iter<'a>);

impl<'a> Pairs<'a> {
    pub(super) fn of(pack: Listpack<'a>) -> Self {
        Pairs(pack.iter())
    }

    pub(super) fn pass(&mut self, pairs: usize) {
        self.0.pass(pairs.saturating_mul(2));
    }

    pub(super) fn pass_back(&mut self, pairs: usize) {
        self.0.pass_back(pairs.saturating_mul(2));
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<(Element<'a>, f64)> {
        let member = self.0.next()?;
        Some((member, score_of(self.0.next()?)))
    }
}

impl<'a> DoubleEndedIterator for Pairs<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<(Element<'a>, f64)> {
        let score = score_of(self.0.next_back()?);
        Some((self.0.next_back()?, score))
    }
}

/// The number that a stored score is.
#[inline]
pub(super) fn score_of(score: Element<'_>) -> f64 {
    match score {
        Element::Int(score) => score as f64,
        // What came from outside was looked at, so there is a number.
        Element::Bytes(text) => number::parse_f64(text).unwrap_or(0.0),
    }
}

/// The place of a member.
#[inline]
pub(super) fn find(pack: Listpack<'_>, member: &[u8]) -> Option<At> {
    pack.find(pack.first(), member, 1)
}

/// The score of the member at a place.
pub(super) fn score_at(pack: Listpack<'_>, member: At) -> f64 {
    pack.next(member).map_or(0.0, |at| score_of(pack.at(at)))
}

/// Adds a member that is not there, at its place in the order.
pub(super) fn insert(blob: &mut Vec<u8>, member: &[u8], score: f64) {
    match place_for(Listpack::trusted(blob), member, score) {
        None => {
            edit::push(blob, member);
            push_score(blob, score);
        }
        Some(at) => {
            insert_score(blob, at, score);
            edit::insert(blob, at, member);
        }
    }
}

/// The place of the first pair that comes behind (score, member); `None` is the end.
fn place_for(pack: Listpack<'_>, member: &[u8], score: f64) -> Option<At> {
    let is_behind = |(other, other_score): (Element<'_>, f64)| {
        other_score > score || other_score == score && compare(other, member).is_gt()
    };
    // What comes in order is added at the end.
    if !is_behind(Pairs::of(pack).next_back()?) {
        return None;
    }
    let mut at = pack.first();
    while let Some(place) = at {
        if is_behind((pack.at(place), score_at(pack, place))) {
            return Some(place);
        }
        at = pack.next(place).and_then(|score| pack.next(score));
    }
    None
}

/// Adds a pair at the end.
pub(super) fn push(blob: &mut Vec<u8>, member: &[u8], score: f64) {
    edit::push(blob, member);
    push_score(blob, score);
}

fn push_score(blob: &mut Vec<u8>, score: f64) {
    match whole(score) {
        Some(score) => edit::push_int(blob, score),
        None => edit::push(blob, &number::format_f64(score)),
    }
}

fn insert_score(blob: &mut Vec<u8>, at: At, score: f64) {
    match whole(score) {
        Some(score) => edit::insert_int(blob, at, score),
        None => edit::insert(blob, at, &number::format_f64(score)),
    }
}

/// The score as the integer that it is stored as.
fn whole(score: f64) -> Option<i64> {
    (score.abs() <= INTEGER_SCORE_MAX && score.trunc() == score).then_some(score as i64)
}

/// Whether a blob of somebody else consists of pairs, and, if asked, is in order and free of repetitions.
pub(super) fn check(bytes: &[u8], depth: Depth) -> Result<(), Corrupt> {
    let pack = Listpack::check(bytes).map_err(|error| Corrupt(error.0))?;
    let mut entries = pack.iter();
    while entries.next().is_some() {
        match entries.next().ok_or(Corrupt("sorted set: a member without a score"))? {
            Element::Int(_) => {}
            Element::Bytes(text) => {
                number::parse_f64(text).ok_or(Corrupt("sorted set: a score that is not a number"))?;
            }
        }
    }
    match depth {
        Depth::Structure => Ok(()),
        Depth::Deep => check_order(pack),
    }
}

fn check_order(pack: Listpack<'_>) -> Result<(), Corrupt> {
    let (mut members, mut last_score) = (HashSet::new(), f64::NEG_INFINITY);
    let mut last_member: Option<Vec<u8>> = None;
    for (member, score) in Pairs::of(pack) {
        let is_behind = last_member
            .is_none_or(|last| last_score < score || last_score == score && compare(member, &last).is_gt());
        if !is_behind {
            return Err(Corrupt("sorted set: members out of order"));
        }
        if !members.insert(member.to_vec()) {
            return Err(Corrupt("sorted set: a member that stands twice"));
        }
        (last_member, last_score) = (Some(member.to_vec()), score);
    }
    Ok(())
}
