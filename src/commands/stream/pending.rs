//! XPENDING and XACK.

use super::ids::{self, answer_id, no_group};
use crate::base::argv::Args;
use crate::keyspace::Tx;
use crate::object::Stream;
use crate::object::stream::{Group, PendingEntry, StreamId};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

pub(super) fn xack(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, name) = (args.at(1), args.at(2));
    let stream = tx.read::<Stream>(key)?;
    if stream.and_then(|stream| stream.group(name)).is_none() {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let ids = ids::all(args, 3)?;
    let (acknowledged, _) = tx.edit::<Stream, _>(key, |stream, _| {
        stream.edit_group(name, |_, group| ids.iter().filter(|id| group.acknowledge(**id)).count())
    });
    let acknowledged = acknowledged.unwrap_or(0);
    tx.ledger.counted(acknowledged as u64);
    reply.count(acknowledged);
    Ok(Flow::Done)
}

/// Which pending entries XPENDING lists.
struct Listing<'a> {
    min_idle_ms: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

/// `[IDLE min-idle-time] start end count [consumer]` from argument 3 on; `None` asks for the summary.
fn listing(args: Args<'_>) -> Result<Option<Listing<'_>>, CommandError> {
    const SUMMARY: usize = 3;
    /// Where Redis stops counting arguments: one more than it reads is let pass.
    const ARGUMENTS: std::ops::RangeInclusive<usize> = 6..=9;
    if args.len() == SUMMARY {
        return Ok(None);
    }
    if !ARGUMENTS.contains(&args.len()) {
        return Err(CommandError::Syntax);
    }
    let (mut first, mut min_idle_ms) = (3, 0);
    if is_word(args.at(3), "IDLE") {
        min_idle_ms = integer(args.at(4))?;
        first = 5;
        if args.len() < 8 {
            return Err(CommandError::Syntax);
        }
    }
    let count = usize::try_from(integer(args.at(first + 2))?).unwrap_or(0);
    let (start, end) = (ids::start(args.at(first))?, ids::end(args.at(first + 1))?);
    Ok(Some(Listing { min_idle_ms, start, end, count, consumer: args.get(first + 3) }))
}

pub(super) fn xpending(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let listing = listing(args)?;
    let (key, name, now_ms) = (args.at(1), args.at(2), tx.now_ms);
    let stream = tx.read::<Stream>(key)?;
    let group = stream.and_then(|stream| stream.group(name)).ok_or_else(|| no_group(key, name))?;
    match listing {
        None => summarize(group, reply),
        Some(listing) => list(group, &listing, now_ms, reply),
    }
    Ok(Flow::Done)
}

fn summarize(group: &Group, reply: &mut Reply<'_>) {
    reply.array(4);
    reply.count(group.pending_len());
    let mut all = group.pending(StreamId::MIN, StreamId::MAX);
    let Some(first) = all.next() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    answer_id(reply, first.id);
    answer_id(reply, all.next_back().map_or(first.id, |last| last.id));
    let owners = || group.consumers().filter(|consumer| consumer.pending().len() > 0);
    reply.array(owners().count());
    for owner in owners() {
        reply.array(2);
        reply.bulk(owner.name());
        reply.bulk_integer(owner.pending().len() as i64);
    }
}

fn list(group: &Group, listing: &Listing<'_>, now_ms: i64, reply: &mut Reply<'_>) {
    let place = reply.deferred_array();
    let mut count = 0;
    let mut show = |pending: PendingEntry<'_>| {
        let idle_ms = now_ms.saturating_sub(pending.delivered_ms).max(0);
        if idle_ms >= listing.min_idle_ms && count < listing.count {
            count += 1;
            answer_pending(reply, &pending, idle_ms);
        }
        count < listing.count
    };
    match listing.consumer {
        _ if listing.count == 0 => {}
        None => {
            group.pending(listing.start, listing.end).all(&mut show);
        }
        Some(name) => {
            let ids = group.consumer(name).map(|consumer| consumer.pending_from(listing.start));
            let ids = ids.into_iter().flatten().take_while(|id| *id <= listing.end);
            ids.filter_map(|id| group.pending_entry(id)).all(show);
        }
    }
    reply.set_deferred(place, count);
}

/// A released entry has no consumer, and nobody has kept it idle.
fn answer_pending(reply: &mut Reply<'_>, pending: &PendingEntry<'_>, idle_ms: i64) {
    reply.array(4);
    answer_id(reply, pending.id);
    match pending.consumer {
        Some(consumer) => {
            reply.bulk(consumer.name());
            reply.integer(idle_ms);
        }
        None => {
            reply.bulk(b"");
            reply.integer(-1);
        }
    }
    reply.integer(pending.deliveries as i64);
}
