//! Commands that look at members: cardinality, scores, ranks, counts, scans, samples.

use super::answers::{Scores, entry, header, score_or_null};
use super::bounds::{lex_range, score_range};
use crate::base::argv::{Args, Argv};
use crate::commands::elements::element_or_null;
use crate::commands::scan::{MemberOptions, MemberScan, Values, parse_cursor};
use crate::encoding::listpack::Digits;
use crate::keyspace::Tx;
use crate::object::zset::Order;
use crate::object::{Zset, ZsetView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

pub(super) fn zcard(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    reply.count(tx.read::<Zset>(args.at(1))?.map_or(0, ZsetView::len));
    Ok(Flow::Done)
}

pub(super) fn zscore(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let zset = tx.read::<Zset>(args.at(1))?;
    score_or_null(reply, zset.and_then(|zset| zset.score(args.at(2))));
    Ok(Flow::Done)
}

pub(super) fn zmscore(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let zset = tx.read::<Zset>(args.at(1))?;
    reply.array(args.len() - 2);
    for member in args.iter().skip(2) {
        score_or_null(reply, zset.and_then(|zset| zset.score(member)));
    }
    Ok(Flow::Done)
}

pub(super) fn zcount(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let range = score_range(args.at(2), args.at(3))?;
    reply.count(tx.read::<Zset>(args.at(1))?.map_or(0, |zset| zset.ranks_by_score(range).len()));
    Ok(Flow::Done)
}

pub(super) fn zlexcount(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let range = lex_range(args.at(2), args.at(3))?;
    let zset = tx.read::<Zset>(args.at(1))?;
    reply.count(zset.map_or(0, |zset| zset.ranks_by_lex(range, Order::Ascending).len()));
    Ok(Flow::Done)
}

pub(super) fn zrank(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    rank(tx, args, Order::Ascending, reply)
}

pub(super) fn zrevrank(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    rank(tx, args, Order::Descending, reply)
}

fn rank(tx: &mut Tx<'_>, args: Args<'_>, order: Order, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    if args.len() > 4 {
        return Err(CommandError::Arity(if order == Order::Ascending { "zrank" } else { "zrevrank" }));
    }
    let scores = match args.get(3) {
        None => Scores::Hidden,
        Some(word) if is_word(word, "WITHSCORE") => Scores::Shown,
        Some(_) => return Err(CommandError::Syntax),
    };
    let zset = tx.read::<Zset>(args.at(1))?;
    let found = zset.and_then(|zset| zset.rank(args.at(2)).map(|(rank, score)| (zset, rank, score)));
    let Some((zset, rank, score)) = found else {
        if scores == Scores::Shown {
            reply.null_array()
        } else {
            reply.null()
        }
        return Ok(Flow::Done);
    };
    if scores == Scores::Shown {
        reply.array(2);
    }
    reply.count(if order == Order::Ascending { rank } else { zset.len() - 1 - rank });
    if scores == Scores::Shown {
        reply.double(score);
    }
    Ok(Flow::Done)
}

pub(super) fn zscan(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let cursor = parse_cursor(args.at(2))?;
    let Some(zset) = tx.read::<Zset>(args.at(1))? else {
        reply.array(2);
        reply.bulk(b"0");
        reply.array(0);
        return Ok(Flow::Done);
    };
    let scan = MemberScan::parse(args, MemberOptions::NoScores)?;
    let mut found = Argv::new();
    let next = zset.scan(cursor, scan.count, &mut |member, score| {
        if scan.matches(member) {
            found.push(member.text(&mut Digits::default()));
            if scan.values == Values::Shown {
                found.push(score.text(&mut Digits::default()));
            }
        }
    });
    reply.array(2);
    reply.bulk_text(&next.to_string());
    reply.array(found.args().len());
    found.args().iter().for_each(|text| reply.bulk(text));
    Ok(Flow::Done)
}

pub(super) fn zrandmember(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let mut rng = tx.keyspace.rng.fork();
    if args.len() == 2 {
        let zset = tx.read::<Zset>(args.at(1))?;
        element_or_null(reply, zset.and_then(|zset| zset.sample(&mut rng)).map(|(member, _)| member));
        return Ok(Flow::Done);
    }
    let (count, scores) = sample_size(args)?;
    let Some(zset) = tx.read::<Zset>(args.at(1))? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    if count < 0 {
        let count = count.unsigned_abs() as usize;
        header(reply, count, scores);
        (0..count).filter_map(|_| zset.sample(&mut rng)).for_each(|pair| entry(reply, pair, scores));
        return Ok(Flow::Done);
    }
    let count = count as usize;
    header(reply, count.min(zset.len()), scores);
    if count >= zset.len() {
        // Everything: from the highest, as Redis walks it.
        let all = zset.entries(0, zset.len(), Order::Descending);
        all.for_each(|pair| entry(reply, pair, scores));
    } else {
        zset.sample_distinct(count, &mut rng).into_iter().for_each(|pair| entry(reply, pair, scores));
    }
    Ok(Flow::Done)
}

fn sample_size(args: Args<'_>) -> Result<(i64, Scores), CommandError> {
    let count = integer(args.at(2))?;
    if count == i64::MIN {
        return Err(CommandError::CountOutOfRange);
    }
    match (args.get(3), args.len()) {
        (None, _) => Ok((count, Scores::Hidden)),
        (Some(word), 4) if is_word(word, "WITHSCORES") => {
            // Twice as many elements must still be a number.
            let is_countable = count.unsigned_abs() <= i64::MAX.unsigned_abs() / 2;
            if is_countable { Ok((count, Scores::Shown)) } else { Err(CommandError::ValueOutOfRange) }
        }
        _ => Err(CommandError::Syntax),
    }
}
