//! HSET, HMSET, HSETNX.

use super::write::change;
use crate::base::argv::Args;
use crate::keyspace::{Event, Tx};
use crate::object::DataType;
use crate::object::hash::{FieldExpiry, Hash, Stored};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

pub(super) fn hset(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let created = set_pairs(tx, args, "hset")?;
    reply.count(created);
    Ok(Flow::Done)
}

pub(super) fn hmset(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    set_pairs(tx, args, "hmset")?;
    reply.ok();
    Ok(Flow::Done)
}

/// Sets the pairs from argument 2 on. Returns how many fields are new.
fn set_pairs(tx: &mut Tx<'_>, args: Args<'_>, name: &'static str) -> Result<usize, CommandError> {
    let (key, pairs) = (args.at(1), args.from(2));
    if pairs.len() % 2 == 1 {
        return Err(CommandError::Arity(name));
    }
    tx.check::<Hash>(key)?;
    let (created, fate) = change(tx, key, pairs.iter().step_by(2), |hash, rules| {
        hash.prepare(pairs.iter(), rules);
        let mut created = 0;
        for place in (0..pairs.len()).step_by(2) {
            let stored = hash.set(pairs.at(place), pairs.at(place + 1), FieldExpiry::None, rules);
            created += usize::from(stored == Stored::New);
        }
        created
    });
    let count = pairs.len() as u64 / 2;
    tx.told_fields((key, Event::Hset), pairs.iter().step_by(2), count, fate);
    Ok(created)
}

pub(super) fn hsetnx(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, field, value) = (args.at(1), args.at(2), args.at(3));
    tx.check::<Hash>(key)?;
    let (is_new, fate) = change(tx, key, std::iter::once(field), |hash, rules| {
        let is_new = !hash.view().has(field);
        if is_new {
            hash.set(field, value, FieldExpiry::None, rules);
        }
        is_new
    });
    if is_new {
        tx.told_fields((key, Event::Hset), std::iter::once(field), 1, fate);
    }
    reply.integer(i64::from(is_new));
    Ok(Flow::Done)
}
