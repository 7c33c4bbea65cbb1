//! HDEL and HGETDEL.

use super::fields::FieldList;
use super::write::{change, deletion, tell};
use crate::base::argv::Args;
use crate::commands::elements::element_or_null;
use crate::keyspace::{Event, Tx};
use crate::object::DataType;
use crate::object::hash::Hash;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

pub(super) fn hdel(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, fields) = (args.at(1), args.from(2));
    if !tx.check::<Hash>(key)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let (removed, fate) =
        change(tx, key, fields.iter(), |hash, _| fields.iter().filter(|field| hash.remove(field)).count());
    tell(tx, key, Event::Hdel, removed, fate);
    reply.count(removed);
    Ok(Flow::Done)
}

pub(super) fn hgetdel(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let fields = FieldList::exact(args)?;
    let is_there = tx.check::<Hash>(key)?;
    reply.array(fields.len());
    if !is_there {
        fields.iter().for_each(|_| reply.null());
        return Ok(Flow::Done);
    }
    let (removed, fate) = change(tx, key, fields.iter(), |hash, _| {
        let mut removed = Vec::new();
        for field in fields.iter() {
            let found = hash.view().find_stored(field);
            element_or_null(reply, found.map(|found| found.value));
            if found.is_some() {
                hash.remove(field);
                removed.push(field);
            }
        }
        removed
    });
    tell(tx, key, Event::Hdel, removed.len(), fate);
    if tx.ledger.propagates && !removed.is_empty() {
        tx.ledger.propagate_instead(vec![deletion(key, &removed)]);
    }
    Ok(Flow::Done)
}
