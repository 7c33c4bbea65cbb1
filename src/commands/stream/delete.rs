//! XDEL, XDELEX, XACKDEL.

use super::ids;
use super::options::ids_block;
use crate::base::argv::Args;
use crate::keyspace::{Event, Tx};
use crate::object::Stream;
use crate::object::stream::{Deleted, References, StreamId};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

pub(super) fn xdel(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    if !tx.check::<Stream>(key)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let ids = ids::all(args, 2)?;
    let (deleted, fate) =
        tx.edit::<Stream, _>(key, |stream, _| ids.iter().filter(|id| stream.log_mut().delete(**id)).count());
    if deleted > 0 {
        tx.told(key, Event::Xdel, deleted as u64, fate);
    }
    reply.count(deleted);
    Ok(Flow::Done)
}

/// What XDELEX and XACKDEL answer for an ID.
#[derive(Clone, Copy)]
#[repr(i8)]
enum Outcome {
    Absent = -1,
    Deleted = 1,
    Referenced = 2,
}

/// What one ID's turn did: its answer, and what it counts for.
#[derive(Clone, Copy)]
struct Turn {
    outcome: Outcome,
    deleted: u64,
    /// References that went without the entry.
    forgotten: u64,
}

impl Turn {
    const ABSENT: Turn = Turn { outcome: Outcome::Absent, deleted: 0, forgotten: 0 };

    fn of(deleted: Deleted) -> Turn {
        match deleted {
            Deleted::Yes => Turn { outcome: Outcome::Deleted, deleted: 1, forgotten: 0 },
            Deleted::Absent => Turn::ABSENT,
            Deleted::Forgotten => Turn { outcome: Outcome::Absent, deleted: 0, forgotten: 1 },
            Deleted::Referenced => Turn { outcome: Outcome::Referenced, deleted: 0, forgotten: 0 },
        }
    }
}

pub(super) fn xdelex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (references, ids) = ids_block(args, 2)?;
    answer_turns(tx, args.at(1), &ids, reply, |stream, id| Turn::of(stream.delete(id, references)))
}

pub(super) fn xackdel(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (references, ids) = ids_block(args, 3)?;
    let group = args.at(2);
    answer_turns(tx, args.at(1), &ids, reply, |stream, id| {
        acknowledge_and_delete(stream, group, id, references)
    })
}

fn acknowledge_and_delete(stream: &mut Stream, group: &[u8], id: StreamId, references: References) -> Turn {
    if stream.edit_group(group, |_, group| group.acknowledge(id)) != Some(true) {
        return Turn::ABSENT;
    }
    let turn = Turn::of(stream.delete(id, references));
    match turn.outcome {
        // The entry had gone before: what was asked for is so.
        Outcome::Absent => Turn { outcome: Outcome::Deleted, deleted: 0, forgotten: 1 },
        _ => Turn { forgotten: 1, ..turn },
    }
}

/// Does `turn` for each ID and answers what it came to.
fn answer_turns(
    tx: &mut Tx<'_>,
    key: &[u8],
    ids: &[StreamId],
    reply: &mut Reply<'_>,
    turn: impl Fn(&mut Stream, StreamId) -> Turn,
) -> Result<Flow, CommandError> {
    if !tx.check::<Stream>(key)? {
        reply.array(ids.len());
        ids.iter().for_each(|_| reply.integer(Outcome::Absent as i64));
        return Ok(Flow::Done);
    }
    let (turns, fate) =
        tx.edit::<Stream, _>(key, |stream, _| ids.iter().map(|id| turn(stream, *id)).collect::<Vec<_>>());
    let deleted = turns.iter().map(|turn| turn.deleted).sum();
    if deleted > 0 {
        tx.told(key, Event::Xdel, deleted, fate);
    }
    tx.ledger.counted(turns.iter().map(|turn| turn.forgotten).sum());
    reply.array(turns.len());
    turns.iter().for_each(|turn| reply.integer(turn.outcome as i64));
    Ok(Flow::Done)
}
