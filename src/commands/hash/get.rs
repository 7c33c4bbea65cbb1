//! Reading a hash: fields, or all of it.

use crate::base::argv::Args;
use crate::commands::elements::{element, element_or_null};
use crate::keyspace::Tx;
use crate::object::hash::{Hash, HashView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

pub(super) fn hget(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    let hash = tx.read::<Hash>(args.at(1))?;
    element_or_null(reply, hash.and_then(|hash| hash.get(args.at(2), now_ms)));
    Ok(Flow::Done)
}

pub(super) fn hmget(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (now_ms, fields) = (tx.now_ms, args.from(2));
    let hash = tx.read::<Hash>(args.at(1))?;
    reply.array(fields.len());
    for field in fields.iter() {
        element_or_null(reply, hash.and_then(|hash| hash.get(field, now_ms)));
    }
    Ok(Flow::Done)
}

pub(super) fn hexists(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    let hash = tx.read::<Hash>(args.at(1))?;
    reply.integer(i64::from(hash.is_some_and(|hash| hash.get(args.at(2), now_ms).is_some())));
    Ok(Flow::Done)
}

pub(super) fn hstrlen(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    let value = tx.read::<Hash>(args.at(1))?.and_then(|hash| hash.get(args.at(2), now_ms));
    reply.count(value.map_or(0, |value| value.len()));
    Ok(Flow::Done)
}

/// Counts fields that have expired until they are removed, as Redis does.
pub(super) fn hlen(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    reply.count(tx.read::<Hash>(args.at(1))?.map_or(0, HashView::len));
    Ok(Flow::Done)
}

/// What is answered of each field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Field,
    Value,
    Both,
}

pub(super) fn hgetall(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    all(tx, args.at(1), Part::Both, reply)
}

pub(super) fn hkeys(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    all(tx, args.at(1), Part::Field, reply)
}

pub(super) fn hvals(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    all(tx, args.at(1), Part::Value, reply)
}

fn all(tx: &mut Tx<'_>, key: &[u8], part: Part, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    let Some(hash) = tx.read::<Hash>(key)? else {
        header(reply, part, 0);
        return Ok(Flow::Done);
    };
    if hash.has_expired_fields(now_ms) {
        let aggregate = if part == Part::Both { reply.deferred_map() } else { reply.deferred_array() };
        let shown = show_all(hash, now_ms, part, reply);
        reply.set_deferred(aggregate, shown);
    } else {
        header(reply, part, hash.len());
        show_all(hash, now_ms, part, reply);
    }
    Ok(Flow::Done)
}

fn header(reply: &mut Reply<'_>, part: Part, fields: usize) {
    if part == Part::Both { reply.map(fields) } else { reply.array(fields) }
}

/// Returns how many fields were shown.
fn show_all(hash: HashView<'_>, now_ms: i64, part: Part, reply: &mut Reply<'_>) -> usize {
    let mut shown = 0;
    hash.for_each(now_ms, &mut |found| {
        shown += 1;
        if part != Part::Value {
            element(reply, found.field);
        }
        if part != Part::Field {
            element(reply, found.value);
        }
    });
    shown
}
