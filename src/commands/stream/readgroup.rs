//! XREADGROUP.
//!
//! For `>` a consumer first gets what CLAIM lets it take from others, then entries that nobody in the group has got
//! yet. For any other ID it gets what it has pending already, behind that ID.

use super::claim::more;
use super::ids::{self, answer_entry, answer_fields, answer_id, no_group_in};
use super::read::{self, Answer, For, Given};
use super::told::Told;
use crate::base::argv::{Args, Argv};
use crate::keyspace::{Access, Tx};
use crate::object::Stream;
use crate::object::stream::{ConsumerSlot, Contact, Entry, Group, Log, StreamId};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

/// What of a stream is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    New,
    /// What the consumer has pending behind this ID.
    History(StreamId),
}

fn wanted(id: &[u8]) -> Result<Wanted, CommandError> {
    match id {
        b">" => Ok(Wanted::New),
        b"$" => Err(CommandError::XreadgroupTop),
        b"+" => Err(CommandError::XreadgroupLast),
        id => Ok(match ids::exact(id)? {
            StreamId::MAX => Wanted::New,
            id => Wanted::History(id),
        }),
    }
}

/// The reading of one stream for one consumer.
struct Reading<'a> {
    key: &'a [u8],
    given: &'a Given<'a>,
    consumer: &'a [u8],
    wanted: Wanted,
    now_ms: i64,
}

pub(super) fn xreadgroup(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    const CONTEXT: &str = " in XREADGROUP with GROUP option";
    let given = read::read(args, For::Xreadgroup, tx.now_ms)?;
    let (name, consumer) = given.group.ok_or(CommandError::XreadgroupNoGroup)?;
    let mut all_wanted = Vec::with_capacity(given.streams);
    for index in 0..given.streams {
        let key = given.key(args, index);
        let stream = tx.read::<Stream>(key)?;
        if stream.and_then(|stream| stream.group(name)).is_none() {
            return Err(no_group_in(key, name, CONTEXT));
        }
        all_wanted.push(wanted(given.id(args, index))?);
    }
    let (mut answer, mut commands, now_ms) = (Answer::new(), Vec::new(), tx.now_ms);
    for (index, wanted) in all_wanted.into_iter().enumerate() {
        let reading = Reading { key: given.key(args, index), given: &given, consumer, wanted, now_ms };
        commands.extend(serve(tx, &reading, name, &mut answer, reply));
    }
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(commands);
    }
    if answer.finish(reply) {
        return Ok(Flow::Done);
    }
    Ok(read::wait_or_answer(tx, args, &given, None, reply))
}

/// Reads one stream. Returns what replicas are to do.
fn serve(
    tx: &mut Tx<'_>,
    reading: &Reading<'_>,
    name: &[u8],
    answer: &mut Answer,
    reply: &mut Reply<'_>,
) -> Vec<Argv> {
    let mut told = Told::new(tx, reading.key, name);
    // Redis counts a second hit here.
    tx.lookup(reading.key, Access::Peek);
    tx.edit::<Stream, _>(reading.key, |stream, _| {
        stream.edit_group(name, |log, group| {
            let slot = told.contact(group, reading.consumer, reading.now_ms);
            match reading.wanted {
                Wanted::History(behind) => {
                    answer.begin(reply, reading.key);
                    answer_history(log, group, (slot, behind), reading, reply);
                    told.changes += 1;
                }
                Wanted::New => {
                    let claimed = claim_idle(log, group, slot, reading, &mut told);
                    let has_new = log.last().is_some_and(|last| last.id > group.last_id());
                    let has_room = claimed.len() < reading.given.count;
                    if !claimed.is_empty() || (has_new && has_room) {
                        answer.begin(reply, reading.key);
                        answer_new((log, group, slot), &claimed, reading, reply, &mut told);
                        told.changes += 1;
                    }
                }
            }
        })
    });
    told.tell(tx)
}

/// What the consumer has pending already; what has been deleted meanwhile has no fields any more.
fn answer_history(
    log: &Log,
    group: &mut Group,
    (slot, behind): (ConsumerSlot, StreamId),
    reading: &Reading<'_>,
    reply: &mut Reply<'_>,
) {
    let start = behind.next().unwrap_or(StreamId::MAX);
    let ids: Vec<StreamId> = group.at(slot).pending_from(start).take(reading.given.count).collect();
    reply.array(ids.len());
    for id in ids {
        match log.get(id) {
            Some(entry) => {
                answer_entry(reply, &entry);
                let deliveries = group.pending_entry(id).map_or(0, |pending| pending.deliveries);
                group.deliver(id, slot, reading.now_ms, more(deliveries));
            }
            None => {
                reply.array(2);
                answer_id(reply, id);
                reply.null_array();
            }
        }
    }
}

/// An entry that was claimed, as it was before.
struct Claimed {
    id: StreamId,
    idle_ms: i64,
    deliveries: u64,
}

/// Takes what has been idle for long enough from whoever had it.
fn claim_idle(
    log: &Log,
    group: &mut Group,
    slot: ConsumerSlot,
    reading: &Reading<'_>,
    told: &mut Told<'_>,
) -> Vec<Claimed> {
    let Some(min_idle_ms) = reading.given.claim_min_idle_ms else { return Vec::new() };
    let mut claimed = Vec::new();
    let until_ms = reading.now_ms.saturating_sub(min_idle_ms);
    for id in group.idle_since(until_ms, reading.given.count) {
        let Some(pending) = group.pending_entry(id) else { continue };
        let idle_ms =
            if pending.consumer.is_some() { reading.now_ms.saturating_sub(pending.delivered_ms) } else { -1 };
        let deliveries = pending.deliveries;
        if !log.contains(id) {
            told.forget(group, id);
            continue;
        }
        group.deliver(id, slot, reading.now_ms, more(deliveries));
        group.contact(slot, Contact::Served, reading.now_ms);
        told.owner(group, id);
        claimed.push(Claimed { id, idle_ms, deliveries });
    }
    claimed
}

/// Answers what was claimed, then new entries, which the group counts as read and the consumer as pending.
fn answer_new(
    (log, group, slot): (&Log, &mut Group, ConsumerSlot),
    claimed: &[Claimed],
    reading: &Reading<'_>,
    reply: &mut Reply<'_>,
    told: &mut Told<'_>,
) {
    let given = reading.given;
    let answer = |reply: &mut Reply<'_>, entry: &Entry<'_>, idle_ms: i64, deliveries: u64| {
        if given.claim_min_idle_ms.is_none() {
            return answer_entry(reply, entry);
        }
        reply.array(4);
        answer_id(reply, entry.id);
        answer_fields(reply, entry);
        reply.bulk_integer(idle_ms);
        reply.bulk_integer(deliveries as i64);
    };
    let place = reply.deferred_array();
    let mut count = 0;
    for was in claimed {
        if let Some(entry) = log.get(was.id) {
            answer(reply, &entry, was.idle_ms, was.deliveries);
            count += 1;
        }
    }
    let Some(start) = group.last_id().next() else { return reply.set_deferred(place, count) };
    let before = group.last_id();
    for entry in log.range(start, StreamId::MAX).take(given.count - claimed.len()) {
        answer(reply, &entry, 0, 0);
        count += 1;
        group.set_position(entry.id, entries_read(log, group, entry.id));
        if !given.acknowledges {
            group.deliver(entry.id, slot, reading.now_ms, 1);
            told.owner(group, entry.id);
        }
    }
    reply.set_deferred(place, count);
    if group.last_id() != before {
        if !given.acknowledges {
            group.contact(slot, Contact::Served, reading.now_ms);
        }
        told.position(group);
    }
}

/// How many entries the group has read once it has read the one at `id`.
fn entries_read(log: &Log, group: &Group, id: StreamId) -> Option<i64> {
    match group.entries_read() {
        Some(read) if !log.has_gaps_from(id) => Some(read.wrapping_add(1)),
        read if log.entries_added() == 0 => read,
        _ => log.entries_read_at(id),
    }
}
