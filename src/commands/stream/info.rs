//! XINFO.

use super::group::no_such_group;
use super::ids::{answer_entries, answer_entry, answer_id};
use crate::base::argv::Args;
use crate::commands::help;
use crate::keyspace::Tx;
use crate::object::Stream;
use crate::object::stream::{Consumer, Group, StreamId};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

const HELP: &[&str] = &[
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
];

pub(super) fn print_help(
    _tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    help::answer(reply, args.at(0), HELP);
    Ok(Flow::Done)
}

fn found<'t>(tx: &'t mut Tx<'_>, args: Args<'_>) -> Result<&'t Stream, CommandError> {
    tx.read::<Stream>(args.at(2))?.ok_or(CommandError::NoSuchKey)
}

/// How much XINFO STREAM tells.
enum Detail {
    Summary,
    /// So many entries and pending entries of each list.
    Full(usize),
}

fn detail(args: Args<'_>) -> Result<Detail, CommandError> {
    const COUNT_DEFAULT: usize = 10;
    let is_at = |index, word| args.get(index).is_some_and(|given| is_word(given, word));
    match args.len() {
        3 => Ok(Detail::Summary),
        4 if is_at(3, "FULL") => Ok(Detail::Full(COUNT_DEFAULT)),
        6 if is_at(3, "FULL") && is_at(4, "COUNT") => Ok(Detail::Full(match integer(args.at(5))? {
            ..0 => COUNT_DEFAULT,
            0 => usize::MAX,
            count => usize::try_from(count).unwrap_or(usize::MAX),
        })),
        _ => Err(CommandError::subcommand_arguments(args.at(1), args.at(0))),
    }
}

pub(super) fn stream(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let stream = found(tx, args)?;
    let detail = detail(args)?;
    reply.map(if matches!(detail, Detail::Summary) { 10 } else { 9 });
    answer_counters(reply, stream);
    match detail {
        Detail::Summary => {
            reply.bulk_text("groups");
            reply.count(stream.group_count());
            for (name, entry) in
                [("first-entry", stream.log().iter().next()), ("last-entry", stream.log().last())]
            {
                reply.bulk_text(name);
                match entry {
                    Some(entry) => answer_entry(reply, &entry),
                    None => reply.null(),
                }
            }
        }
        Detail::Full(count) => {
            reply.bulk_text("entries");
            answer_entries(reply, stream.log().iter().take(count));
            reply.bulk_text("groups");
            reply.array(stream.group_count());
            for (name, group) in stream.groups() {
                answer_full_group(reply, stream, (name, group), count);
            }
        }
    }
    Ok(Flow::Done)
}

fn answer_counters(reply: &mut Reply<'_>, stream: &Stream) {
    let (log, shape) = (stream.log(), stream.radix_tree());
    let numbers = [
        ("length", log.len() as i64),
        ("radix-tree-keys", shape.keys as i64),
        ("radix-tree-nodes", shape.nodes as i64),
    ];
    numbers.into_iter().for_each(|(name, number)| pair(reply, name, number));
    pair_id(reply, "last-generated-id", log.last_id());
    pair_id(reply, "max-deleted-entry-id", log.max_deleted_id());
    pair(reply, "entries-added", log.entries_added() as i64);
    pair_id(reply, "recorded-first-entry-id", log.first_id());
}

fn pair(reply: &mut Reply<'_>, name: &str, number: i64) {
    reply.bulk_text(name);
    reply.integer(number);
}

fn pair_id(reply: &mut Reply<'_>, name: &str, id: StreamId) {
    reply.bulk_text(name);
    answer_id(reply, id);
}

/// A number that is not always known.
fn pair_known(reply: &mut Reply<'_>, name: &str, number: Option<i64>) {
    reply.bulk_text(name);
    match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    }
}

fn answer_full_group(reply: &mut Reply<'_>, stream: &Stream, (name, group): (&[u8], &Group), count: usize) {
    let released = group.released().len();
    // A field of Redis 8.8, told when there is something to tell.
    reply.map(if released > 0 { 8 } else { 7 });
    reply.bulk_text("name");
    reply.bulk(name);
    pair_id(reply, "last-delivered-id", group.last_id());
    pair_known(reply, "entries-read", group.entries_read());
    pair_known(reply, "lag", stream.lag(group));
    pair(reply, "pel-count", group.pending_len() as i64);
    if released > 0 {
        pair(reply, "nacked-count", released as i64);
    }
    reply.bulk_text("pending");
    reply.array(group.pending_len().min(count));
    for pending in group.pending(StreamId::MIN, StreamId::MAX).take(count) {
        reply.array(4);
        answer_id(reply, pending.id);
        reply.bulk(pending.consumer.map_or(&b""[..], Consumer::name));
        reply.integer(pending.delivered_ms);
        reply.integer(pending.deliveries as i64);
    }
    reply.bulk_text("consumers");
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        answer_full_consumer(reply, group, consumer, count);
    }
}

fn answer_full_consumer(reply: &mut Reply<'_>, group: &Group, consumer: &Consumer, count: usize) {
    reply.map(5);
    reply.bulk_text("name");
    reply.bulk(consumer.name());
    pair(reply, "seen-time", consumer.seen_ms());
    pair(reply, "active-time", consumer.active_ms().unwrap_or(-1));
    pair(reply, "pel-count", consumer.pending().len() as i64);
    reply.bulk_text("pending");
    reply.array(consumer.pending().len().min(count));
    for pending in consumer.pending().take(count).filter_map(|id| group.pending_entry(id)) {
        reply.array(3);
        answer_id(reply, pending.id);
        reply.integer(pending.delivered_ms);
        reply.integer(pending.deliveries as i64);
    }
}

pub(super) fn groups(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let stream = found(tx, args)?;
    reply.array(stream.group_count());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk_text("name");
        reply.bulk(name);
        pair(reply, "consumers", group.consumers().len() as i64);
        pair(reply, "pending", group.pending_len() as i64);
        pair_id(reply, "last-delivered-id", group.last_id());
        pair_known(reply, "entries-read", group.entries_read());
        pair_known(reply, "lag", stream.lag(group));
    }
    Ok(Flow::Done)
}

pub(super) fn consumers(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    let name = args.at(3);
    let group = found(tx, args)?.group(name).ok_or_else(|| no_such_group(args.at(2), name))?;
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(4);
        reply.bulk_text("name");
        reply.bulk(consumer.name());
        pair(reply, "pending", consumer.pending().len() as i64);
        pair(reply, "idle", now_ms.saturating_sub(consumer.seen_ms()).max(0));
        let inactive_ms =
            consumer.active_ms().map_or(-1, |active_ms| now_ms.saturating_sub(active_ms).max(0));
        pair(reply, "inactive", inactive_ms);
    }
    Ok(Flow::Done)
}
