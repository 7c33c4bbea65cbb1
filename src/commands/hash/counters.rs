//! HINCRBY and HINCRBYFLOAT.

use super::write::change;
use crate::base::argv::{Args, Argv};
use crate::base::long_double::LongDouble;
use crate::base::number::format_i64;
use crate::encoding::listpack::{Digits, Element};
use crate::keyspace::{Access, Event, Tx};
use crate::object::hash::{FieldExpiry, Hash};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::{CommandError, args};

pub(super) fn hincrby(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, field, now_ms) = (args.at(1), args.at(2), tx.now_ms);
    let increment = args::integer(args.at(3))?;
    let value = tx.view::<Hash>(key, Access::Write)?.and_then(|hash| hash.get(field, now_ms));
    let old = value.map_or(Some(0), Element::as_i64).ok_or(CommandError::HashNotInteger)?;
    let sum = old.checked_add(increment).ok_or(CommandError::IncrementOverflow)?;
    let ((), fate) = change(tx, key, std::iter::once(field), |hash, rules| {
        hash.set(field, &format_i64(sum), FieldExpiry::Keep, rules);
    });
    tx.told_fields((key, Event::HincrBy), std::iter::once(field), 1, fate);
    reply.integer(sum);
    Ok(Flow::Done)
}

pub(super) fn hincrbyfloat(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (key, field, now_ms) = (args.at(1), args.at(2), tx.now_ms);
    let increment = LongDouble::parse(args.at(3)).ok_or(CommandError::NotFloat)?;
    if !increment.is_finite() {
        return Err(CommandError::ValueNan);
    }
    let found = tx.view::<Hash>(key, Access::Write)?.and_then(|hash| hash.find(field, now_ms));
    let expires = found.is_some_and(|found| found.expire_at_ms.is_some());
    let old = match found {
        None => LongDouble::from(0),
        Some(found) => {
            LongDouble::parse(found.value.text(&mut Digits::default())).ok_or(CommandError::HashNotFloat)?
        }
    };
    let sum = old + increment;
    if !sum.is_finite() {
        return Err(CommandError::IncrementNan);
    }
    let text = sum.to_text();
    let ((), fate) = change(tx, key, std::iter::once(field), |hash, rules| {
        hash.set(field, text.as_bytes(), FieldExpiry::Keep, rules);
    });
    tx.told_fields((key, Event::HincrByFloat), std::iter::once(field), 1, fate);
    if tx.ledger.propagates {
        // The sum, not the increment: another machine may round differently.
        let text = text.as_bytes();
        tx.ledger.propagate_instead(vec![match expires {
            true => Argv::from_iter([b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, text]),
            false => Argv::from_iter([b"HSET", key, field, text]),
        }]);
    }
    reply.bulk(text.as_bytes());
    Ok(Flow::Done)
}
