//! HDEL and HGETDEL.

use super::fields::FieldList;
use super::write::{change, deletion, tell};
use crate::base::argv::Args;
use crate::commands::elements::element_or_null;
use crate::keyspace::{Event, Fate, Tx};
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
    let mut removed = Removed { count: 0, names: tx.ledger.wants_subkeys().then(Vec::new) };
    let ((), fate) = change(tx, key, fields.iter(), |hash, _| {
        fields.iter().filter(|field| hash.remove(field)).for_each(|field| removed.note(field));
    });
    removed.tell(tx, key, fate);
    reply.count(removed.count);
    Ok(Flow::Done)
}

/// What HDEL removed: only the number, unless somebody asks for the names.
struct Removed<'a> {
    count: usize,
    names: Option<Vec<&'a [u8]>>,
}

impl<'a> Removed<'a> {
    fn note(&mut self, field: &'a [u8]) {
        self.count += 1;
        self.names.iter_mut().for_each(|names| names.push(field));
    }

    /// They may be none, when those that had expired were the last.
    fn tell(&self, tx: &mut Tx<'_>, key: &[u8], fate: Fate) {
        if self.count > 0 {
            let names = self.names.iter().flatten().copied();
            tx.told_fields((key, Event::Hdel), names, self.count as u64, fate);
        } else {
            tell(tx, key, Event::Hdel, &[], fate);
        }
    }
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
    tell(tx, key, Event::Hdel, &removed, fate);
    if tx.ledger.propagates && !removed.is_empty() {
        tx.ledger.propagate_instead(vec![deletion(key, &removed)]);
    }
    Ok(Flow::Done)
}
