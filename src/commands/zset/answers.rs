//! How members and scores are answered.

use crate::commands::elements::element;
use crate::encoding::listpack::Element;
use crate::resp::{Protocol, Reply};

/// Whether scores are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scores {
    Shown,
    Hidden,
}

/// The header of `members` members: in RESP2 all in one array, in RESP3 each with its score in one of its own.
pub(super) fn header(reply: &mut Reply<'_>, members: usize, scores: Scores) {
    let is_flat = reply.protocol() == Protocol::Resp2;
    reply.array(if scores == Scores::Shown && is_flat { members.saturating_mul(2) } else { members });
}

pub(super) fn entry(reply: &mut Reply<'_>, (member, score): (Element<'_>, f64), scores: Scores) {
    if scores == Scores::Hidden {
        return element(reply, member);
    }
    if reply.protocol() == Protocol::Resp3 {
        reply.array(2);
    }
    element(reply, member);
    reply.double(score);
}

/// A score, or null.
pub(super) fn score_or_null(reply: &mut Reply<'_>, score: Option<f64>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}
