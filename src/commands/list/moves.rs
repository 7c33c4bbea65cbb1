//! What moves an element from one list to another: LMOVE, RPOPLPUSH, and their waiting forms BLMOVE, BRPOPLPUSH.

use super::{NoWait, end_of, pop_event, push_event, wait_for, word_of};
use crate::base::argv::{Args, Argv};
use crate::commands::elements::element;
use crate::encoding::listpack::Element;
use crate::encoding::quicklist::End;
use crate::keyspace::{Fate, Tx};
use crate::object::{List, Rules};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::wait_deadline_ms;

/// From where to where.
#[derive(Clone, Copy)]
struct Route<'a> {
    source: (&'a [u8], End),
    destination: (&'a [u8], End),
}

impl<'a> Route<'a> {
    fn parse(args: Args<'a>) -> Result<Route<'a>, CommandError> {
        let (from, to) = (end_of(args.at(3))?, end_of(args.at(4))?);
        Ok(Route { source: (args.at(1), from), destination: (args.at(2), to) })
    }

    fn from_tail_to_head(args: Args<'a>) -> Route<'a> {
        Route { source: (args.at(1), End::Tail), destination: (args.at(2), End::Head) }
    }

    /// Moves an element and answers it. Whether there was one.
    fn run(self, tx: &mut Tx<'_>, reply: &mut Reply<'_>) -> Result<Option<()>, CommandError> {
        let ((source, from), (destination, to)) = (self.source, self.destination);
        if !tx.check::<List>(source)? {
            return Ok(None);
        }
        tx.check::<List>(destination)?;
        let fate = if source == destination {
            // In one edit: a list of one element must not go in between, and its expiry with it.
            let edit = |list: &mut List, rules: &Rules| {
                let taken = Taken::from_end(list, from, rules);
                list.push_element(to, taken.element(), rules);
                element(reply, taken.element());
            };
            let ((), fate) = tx.edit(source, edit);
            fate
        } else {
            let (taken, fate) = tx.edit(source, |list, rules| Taken::from_end(list, from, rules));
            tx.edit(destination, |list: &mut List, rules| list.push_element(to, taken.element(), rules));
            element(reply, taken.element());
            fate
        };
        tx.told(destination, push_event(to), 0, Fate::Stays);
        tx.told(source, pop_event(from), 1, fate);
        Ok(Some(()))
    }

    fn propagate(self, tx: &mut Tx<'_>) {
        if tx.ledger.propagates {
            let ((source, from), (destination, to)) = (self.source, self.destination);
            let argv = Argv::from_iter([b"LMOVE", source, destination, word_of(from), word_of(to)]);
            tx.ledger.propagate_instead(vec![argv]);
        }
    }
}

/// An element between two lists.
enum Taken {
    Int(i64),
    Text(Vec<u8>),
}

impl Taken {
    /// The list is not empty.
    fn from_end(list: &mut List, end: End, rules: &Rules) -> Taken {
        let mut taken = Taken::Text(Vec::new());
        list.pop(end, 1, rules, |popped| {
            taken = match popped {
                Element::Int(value) => Taken::Int(value),
                Element::Bytes(text) => Taken::Text(text.to_vec()),
            }
        });
        taken
    }

    fn element(&self) -> Element<'_> {
        match self {
            Taken::Int(value) => Element::Int(*value),
            Taken::Text(text) => Element::Bytes(text),
        }
    }
}

pub(super) fn lmove(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    if Route::parse(args)?.run(tx, reply)?.is_none() {
        reply.null();
    }
    Ok(Flow::Done)
}

pub(super) fn rpoplpush(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    if Route::from_tail_to_head(args).run(tx, reply)?.is_none() {
        reply.null();
    }
    Ok(Flow::Done)
}

pub(super) fn blmove(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let route = Route::parse(args)?;
    let deadline_ms = wait_deadline_ms(args.at(5), tx.now_ms)?;
    if route.run(tx, reply)?.is_none() {
        return Ok(wait_for(tx, args.until(2).from(1), (deadline_ms, NoWait::Null), reply));
    }
    route.propagate(tx);
    Ok(Flow::Done)
}

pub(super) fn brpoplpush(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let route = Route::from_tail_to_head(args);
    let deadline_ms = wait_deadline_ms(args.at(3), tx.now_ms)?;
    if route.run(tx, reply)?.is_none() {
        return Ok(wait_for(tx, args.until(2).from(1), (deadline_ms, NoWait::Null), reply));
    }
    if tx.ledger.propagates {
        let argv = Argv::from_iter([b"RPOPLPUSH", args.at(1), args.at(2)]);
        tx.ledger.propagate_instead(vec![argv]);
    }
    Ok(Flow::Done)
}
