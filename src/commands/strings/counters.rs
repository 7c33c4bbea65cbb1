//! INCR and its kin.

use crate::base::argv::{Args, Argv};
use crate::base::long_double::LongDouble;
use crate::base::number;
use crate::keyspace::{Access, Event, Expiry, StrView, Tx};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::{CommandError, args};

pub(super) fn incr(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    add(tx, args.at(1), 1, reply)
}

pub(super) fn decr(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    add(tx, args.at(1), -1, reply)
}

pub(super) fn incrby(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let increment = args::integer(args.at(2))?;
    add(tx, args.at(1), increment, reply)
}

pub(super) fn decrby(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let decrement = args::integer(args.at(2))?;
    let increment = decrement.checked_neg().ok_or(CommandError::DecrementOverflow)?;
    add(tx, args.at(1), increment, reply)
}

fn add(tx: &mut Tx<'_>, key: &[u8], increment: i64, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let new = tx.update_int(key, |old| {
        let old = match old {
            None => 0,
            Some(StrView::Int(value)) => value,
            Some(StrView::Bytes(bytes)) => number::parse_i64(bytes).ok_or(CommandError::NotInteger)?,
        };
        old.checked_add(increment).ok_or(CommandError::IncrementOverflow)
    })?;
    tx.changed(key, Event::IncrBy);
    reply.integer(new);
    Ok(Flow::Done)
}

pub(super) fn incrbyfloat(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let old = match tx.str_view(key, Access::Write)? {
        None => LongDouble::from(0),
        Some(StrView::Int(value)) => LongDouble::from(value),
        Some(StrView::Bytes(bytes)) => LongDouble::parse(bytes).ok_or(CommandError::NotFloat)?,
    };
    let increment = LongDouble::parse(args.at(2)).ok_or(CommandError::NotFloat)?;
    let sum = old + increment;
    if !sum.is_finite() {
        return Err(CommandError::IncrementNan);
    }
    let text = sum.to_text();
    tx.set(key, StrView::Bytes(text.as_bytes()), Expiry::Keep);
    tx.changed(key, Event::IncrByFloat);
    if tx.ledger.propagates {
        // The sum, not the increment: another machine may round differently.
        tx.ledger.propagate_instead(vec![Argv::from_iter([b"SET", key, text.as_bytes(), b"KEEPTTL"])]);
    }
    reply.bulk(text.as_bytes());
    Ok(Flow::Done)
}
