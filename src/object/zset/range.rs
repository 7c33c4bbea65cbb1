//! Bounds of ranges by score and by member.

use std::cmp::Ordering;

use crate::encoding::listpack::{Digits, Element};
use crate::encoding::ordered::Bound;

/// One end of a range of scores; the score is not NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScoreBound {
    Inclusive(f64),
    Exclusive(f64),
}

impl ScoreBound {
    pub fn score(self) -> f64 {
        match self {
            ScoreBound::Inclusive(score) | ScoreBound::Exclusive(score) => score,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    pub min: ScoreBound,
    pub max: ScoreBound,
}

impl ScoreRange {
    /// Every score.
    pub const ALL: ScoreRange = ScoreRange {
        min: ScoreBound::Inclusive(f64::NEG_INFINITY),
        max: ScoreBound::Inclusive(f64::INFINITY),
    };

    /// Whether no score can be in it.
    pub fn is_void(self) -> bool {
        let (min, max) = (self.min.score(), self.max.score());
        let both_inclusive =
            matches!((self.min, self.max), (ScoreBound::Inclusive(_), ScoreBound::Inclusive(_)));
        min > max || min == max && !both_inclusive
    }

    /// Whether `score` is not below the range.
    pub fn reaches_min(self, score: f64) -> bool {
        match self.min {
            ScoreBound::Inclusive(min) => score >= min,
            ScoreBound::Exclusive(min) => score > min,
        }
    }

    /// Whether `score` is not above the range.
    pub fn keeps_max(self, score: f64) -> bool {
        match self.max {
            ScoreBound::Inclusive(max) => score <= max,
            ScoreBound::Exclusive(max) => score < max,
        }
    }

    /// The places before the first score in the range and behind the last one.
    pub(super) fn bounds(self) -> [Bound<'static>; 2] {
        let min = match self.min {
            ScoreBound::Inclusive(min) => Bound::BeforeScore(min),
            ScoreBound::Exclusive(min) => Bound::AfterScore(min),
        };
        let max = match self.max {
            ScoreBound::Inclusive(max) => Bound::AfterScore(max),
            ScoreBound::Exclusive(max) => Bound::BeforeScore(max),
        };
        [min, max]
    }
}

/// One end of a range of members, of a set whose scores are all equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Before every member (`-`).
    Lowest,
    /// Behind every member (`+`).
    Highest,
    Inclusive(&'a [u8]),
    Exclusive(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    pub min: LexBound<'a>,
    pub max: LexBound<'a>,
}

impl<'a> LexRange<'a> {
    /// Whether no member can be in it.
    pub fn is_void(self) -> bool {
        use LexBound::{Exclusive, Highest, Inclusive, Lowest};
        match (self.min, self.max) {
            (Highest, _) | (_, Lowest) => true,
            (Lowest, _) | (_, Highest) => false,
            (Inclusive(min), Inclusive(max)) => min > max,
            (Inclusive(min) | Exclusive(min), Inclusive(max) | Exclusive(max)) => min >= max,
        }
    }

    /// Whether `member` is not below the range.
    pub fn reaches_min(self, member: Element<'_>) -> bool {
        match self.min {
            LexBound::Lowest => true,
            LexBound::Highest => false,
            LexBound::Inclusive(min) => compare(member, min) != Ordering::Less,
            LexBound::Exclusive(min) => compare(member, min) == Ordering::Greater,
        }
    }

    /// Whether `member` is not above the range.
    pub fn keeps_max(self, member: Element<'_>) -> bool {
        match self.max {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Inclusive(max) => compare(member, max) != Ordering::Greater,
            LexBound::Exclusive(max) => compare(member, max) == Ordering::Less,
        }
    }

    /// The places before the first member in the range and behind the last one.
    pub(super) fn bounds(self) -> [Bound<'a>; 2] {
        let first = Bound::BeforeScore(f64::NEG_INFINITY);
        let last = Bound::AfterScore(f64::INFINITY);
        let min = match self.min {
            LexBound::Lowest => first,
            LexBound::Highest => last,
            LexBound::Inclusive(min) => Bound::BeforeMember(min),
            LexBound::Exclusive(min) => Bound::AfterMember(min),
        };
        let max = match self.max {
            LexBound::Lowest => first,
            LexBound::Highest => last,
            LexBound::Inclusive(max) => Bound::AfterMember(max),
            LexBound::Exclusive(max) => Bound::BeforeMember(max),
        };
        [min, max]
    }
}

/// Compares a member's text with bytes.
#[inline]
pub(super) fn compare(member: Element<'_>, bytes: &[u8]) -> Ordering {
    member.text(&mut Digits::default()).cmp(bytes)
}
