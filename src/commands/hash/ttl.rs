//! HTTL and its kin, and HPERSIST: asking for the expiries of fields, and taking them away.

use super::expire::NO_FIELD;
use super::fields::FieldList;
use super::write::{change, tell};
use crate::base::argv::Args;
use crate::keyspace::{Event, Tx};
use crate::object::DataType;
use crate::object::hash::Hash;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

/// What is answered of a field that does not expire.
const NO_EXPIRY: i64 = -1;

pub(super) fn httl(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    answer(tx, args, reply, |expire_at_ms| in_seconds(expire_at_ms - now_ms))
}

pub(super) fn hpttl(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    answer(tx, args, reply, |expire_at_ms| expire_at_ms - now_ms)
}

pub(super) fn hexpiretime(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    answer(tx, args, reply, in_seconds)
}

pub(super) fn hpexpiretime(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    answer(tx, args, reply, |expire_at_ms| expire_at_ms)
}

/// Whole seconds, the last one counted in full.
fn in_seconds(time_ms: i64) -> i64 {
    (time_ms + 999) / 1000
}

fn answer(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    shown: impl Fn(i64) -> i64,
) -> Result<Flow, CommandError> {
    let (fields, now_ms) = (FieldList::exact(args)?, tx.now_ms);
    let hash = tx.read::<Hash>(args.at(1))?;
    reply.array(fields.len());
    for field in fields.iter() {
        let found = hash.and_then(|hash| hash.find(field, now_ms));
        reply.integer(found.map_or(NO_FIELD, |found| found.expire_at_ms.map_or(NO_EXPIRY, &shown)));
    }
    Ok(Flow::Done)
}

pub(super) fn hpersist(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    const PERSISTED: i64 = 1;
    let (key, fields) = (args.at(1), FieldList::exact(args)?);
    let is_there = tx.check::<Hash>(key)?;
    reply.array(fields.len());
    if !is_there {
        fields.iter().for_each(|_| reply.integer(NO_FIELD));
        return Ok(Flow::Done);
    }
    let (persisted, fate) = change(tx, key, fields.iter(), |hash, _| {
        let mut persisted: Vec<&[u8]> = Vec::new();
        for field in fields.iter() {
            let found = hash.view().find_stored(field);
            reply.integer(match found.map(|found| found.expire_at_ms) {
                None => NO_FIELD,
                Some(None) => NO_EXPIRY,
                Some(Some(_)) => {
                    hash.set_expiry(field, None);
                    persisted.push(field);
                    PERSISTED
                }
            });
        }
        persisted
    });
    tell(tx, key, Event::Hpersist, &persisted, fate);
    Ok(Flow::Done)
}
