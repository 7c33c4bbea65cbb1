//! ZRANGE and its elder relatives, ZRANGESTORE, and the removal of ranges.

use std::ops::Range;

use super::answers::{Scores, entry, header};
use super::bounds::{lex_range, score_range};
use super::store::{Stored, store};
use crate::base::argv::Args;
use crate::encoding::listpack::Digits;
use crate::keyspace::{Access, Event, Fate, Tx};
use crate::object::zset::{LexRange, Order, ScoreRange, ZsetBuilder};
use crate::object::{Zset, ZsetView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, is_word};

/// What a range's ends are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rank,
    Score,
    Lex,
}

/// What a command leaves to its options: a later one cannot change what is chosen.
#[derive(Clone, Copy)]
struct Form {
    kind: Option<Kind>,
    order: Option<Order>,
    /// The argument that is the key; the ends follow it.
    key: usize,
    /// Whether WITHSCORES may be given.
    with_scores: WithScores,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WithScores {
    Allowed,
    Refused,
}

#[derive(Clone, Copy)]
enum Ends<'a> {
    Ranks { first: i64, last: i64 },
    Scores(ScoreRange),
    Members(LexRange<'a>),
}

/// A range that was asked for.
struct Request<'a> {
    ends: Ends<'a>,
    order: Order,
    /// LIMIT: members passed over, and members taken; a negative number takes all.
    limit: (i64, i64),
    scores: Scores,
}

impl<'a> Request<'a> {
    fn parse(args: Args<'a>, form: Form) -> Result<Request<'a>, CommandError> {
        let Form { mut kind, mut order, key, with_scores } = form;
        let (mut limit, mut scores) = ((0, -1), Scores::Hidden);
        let mut options = Options::new(args, key + 3);
        while let Some(word) = options.next_argument() {
            if with_scores == WithScores::Allowed && is_word(word, "WITHSCORES") {
                scores = Scores::Shown;
            } else if is_word(word, "LIMIT") && options.left() >= 2 {
                limit = (integer(options.value()?)?, integer(options.value()?)?);
            } else if order.is_none() && is_word(word, "REV") {
                order = Some(Order::Descending);
            } else if kind.is_none() && is_word(word, "BYLEX") {
                kind = Some(Kind::Lex);
            } else if kind.is_none() && is_word(word, "BYSCORE") {
                kind = Some(Kind::Score);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        let (kind, order) = (kind.unwrap_or(Kind::Rank), order.unwrap_or(Order::Ascending));
        if limit.1 != -1 && kind == Kind::Rank {
            return Err(CommandError::LimitWithoutKind);
        }
        if scores == Scores::Shown && kind == Kind::Lex {
            return Err(CommandError::ScoresByLex);
        }
        let (first, last) = (args.at(key + 1), args.at(key + 2));
        // Who asks for the highest first names the highest first.
        let (min, max) = if order == Order::Ascending { (first, last) } else { (last, first) };
        let ends = match kind {
            Kind::Rank => Ends::Ranks { first: integer(first)?, last: integer(last)? },
            Kind::Score => Ends::Scores(score_range(min, max)?),
            Kind::Lex => Ends::Members(lex_range(min, max)?),
        };
        Ok(Request { ends, order, limit, scores })
    }

    /// The ranks, counted from the lowest score, of the members asked for.
    fn ranks(&self, zset: ZsetView<'_>) -> Range<usize> {
        let ranks = match self.ends {
            Ends::Ranks { first, last } => return self.ranks_between(first, last, zset.len()),
            Ends::Scores(range) => zset.ranks_by_score(range),
            Ends::Members(range) => zset.ranks_by_lex(range, self.order),
        };
        let (offset, count) = self.limit;
        // A negative offset never comes to an end of passing over.
        let passed = usize::try_from(offset).unwrap_or(usize::MAX).min(ranks.len());
        let taken = usize::try_from(count).unwrap_or(usize::MAX).min(ranks.len() - passed);
        match self.order {
            Order::Ascending => ranks.start + passed..ranks.start + passed + taken,
            Order::Descending => ranks.end - passed - taken..ranks.end - passed,
        }
    }

    fn ranks_between(&self, first: i64, last: i64, len: usize) -> Range<usize> {
        let ranks = span(first, last, len);
        match self.order {
            Order::Ascending => ranks,
            Order::Descending => len - ranks.end..len - ranks.start,
        }
    }
}

/// The ranks from `first` to `last`; negative ones count from the end.
fn span(first: i64, last: i64, len: usize) -> Range<usize> {
    let from_end = |index: i64| if index < 0 { index.saturating_add(len as i64) } else { index };
    let start = from_end(first).max(0) as usize;
    let end = from_end(last).saturating_add(1).clamp(0, len as i64) as usize;
    if start < end { start..end } else { 0..0 }
}

fn range(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    kind: Option<Kind>,
    order: Option<Order>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let request = Request::parse(args, Form { kind, order, key: 1, with_scores: WithScores::Allowed })?;
    let Some(zset) = tx.read::<Zset>(args.at(1))? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    let ranks = request.ranks(zset);
    header(reply, ranks.len(), request.scores);
    zset.entries_of(ranks, request.order).for_each(|pair| entry(reply, pair, request.scores));
    Ok(Flow::Done)
}

pub(super) fn zrange(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    range(tx, args, None, None, reply)
}

pub(super) fn zrevrange(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    range(tx, args, Some(Kind::Rank), Some(Order::Descending), reply)
}

pub(super) fn zrangebyscore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    range(tx, args, Some(Kind::Score), Some(Order::Ascending), reply)
}

pub(super) fn zrevrangebyscore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    range(tx, args, Some(Kind::Score), Some(Order::Descending), reply)
}

pub(super) fn zrangebylex(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    range(tx, args, Some(Kind::Lex), Some(Order::Ascending), reply)
}

pub(super) fn zrevrangebylex(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    range(tx, args, Some(Kind::Lex), Some(Order::Descending), reply)
}

pub(super) fn zrangestore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let form = Form { kind: None, order: None, key: 2, with_scores: WithScores::Refused };
    let request = Request::parse(args, form)?;
    let rules = *tx.rules();
    let mut builder = ZsetBuilder::new(&rules);
    if let Some(zset) = tx.read::<Zset>(args.at(2))? {
        let ranks = request.ranks(zset);
        builder.reserve(ranks.len());
        for (member, score) in zset.entries_of(ranks, Order::Ascending) {
            builder.put(member.text(&mut Digits::default()), |_| Some(score));
        }
    }
    store(tx, args.at(1), Stored { builder, event: Event::ZrangeStore }, reply);
    Ok(Flow::Done)
}

/// Removes the members whose ranks `find` gives.
fn remove(
    tx: &mut Tx<'_>,
    key: &[u8],
    event: Event,
    find: impl FnOnce(ZsetView<'_>) -> Range<usize>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let found = tx.view::<Zset>(key, Access::Write)?.map(|zset| (find(zset), zset.len()));
    let (ranks, len) = found.unwrap_or_default();
    if !ranks.is_empty() {
        let fate = if ranks.len() == len {
            // As a whole, which may be off the loop.
            tx.remove(key, tx.keyspace.settings.free_replaced);
            Fate::Emptied
        } else {
            tx.edit::<Zset, _>(key, |zset, _| zset.remove_ranks(ranks.clone())).1
        };
        tx.told(key, event, ranks.len() as u64, fate);
    }
    reply.count(ranks.len());
    Ok(Flow::Done)
}

pub(super) fn zremrangebyrank(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (first, last) = (integer(args.at(2))?, integer(args.at(3))?);
    remove(tx, args.at(1), Event::ZremRangeByRank, |zset| span(first, last, zset.len()), reply)
}

pub(super) fn zremrangebyscore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let range = score_range(args.at(2), args.at(3))?;
    remove(tx, args.at(1), Event::ZremRangeByScore, |zset| zset.ranks_by_score(range), reply)
}

pub(super) fn zremrangebylex(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let range = lex_range(args.at(2), args.at(3))?;
    let find = |zset: ZsetView<'_>| zset.ranks_by_lex(range, Order::Ascending);
    remove(tx, args.at(1), Event::ZremRangeByLex, find, reply)
}
