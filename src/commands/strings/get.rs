//! GET and the commands that read a string and do one thing more.

use super::options::{ExpireUnit, expire_at_ms};
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::keyspace::{Entry, Event, Expiry, StrView, Tx};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, is_word};

/// Answers a string value, or null.
pub(super) fn answer(view: Option<StrView<'_>>, reply: &mut Reply<'_>) {
    match view {
        Some(StrView::Bytes(bytes)) => reply.bulk(bytes),
        Some(StrView::Int(value)) => reply.bulk_integer(value),
        None => reply.null(),
    }
}

pub(super) fn get(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    answer(tx.read_str(args.at(1))?, reply);
    Ok(Flow::Done)
}

pub(super) fn getset(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, value) = (args.at(1), args.at(2));
    answer(tx.read_str(key)?, reply);
    tx.set_str(key, value, Expiry::None);
    tx.changed(key, Event::Set);
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(vec![[b"SET", key, value].into_iter().collect()]);
    }
    Ok(Flow::Done)
}

pub(super) fn getdel(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let view = tx.read_str(key)?;
    let there = view.is_some();
    answer(view, reply);
    if there {
        tx.delete(key, tx.keyspace.settings.free_deleted);
    }
    Ok(Flow::Done)
}

/// What GETEX does to the expiry.
enum Change {
    Nothing,
    Persist,
    At(i64),
}

/// What GETEX was asked to do with the expiry.
#[derive(Clone, Copy)]
enum Given<'a> {
    Nothing,
    Persist,
    Time(ExpireUnit, &'a [u8]),
}

/// An option may come again; its last value holds.
fn getex_given(args: Args<'_>) -> Result<Given<'_>, CommandError> {
    let mut given = Given::Nothing;
    let mut options = Options::new(args, 2);
    while let Some(word) = options.next_argument() {
        given = match (given, ExpireUnit::parse(word)) {
            (Given::Nothing, Some(unit)) => Given::Time(unit, options.value()?),
            (Given::Time(old, _), Some(unit)) if old == unit => Given::Time(unit, options.value()?),
            (Given::Nothing | Given::Persist, None) if is_word(word, "PERSIST") => Given::Persist,
            _ => return Err(CommandError::Syntax),
        };
    }
    Ok(given)
}

pub(super) fn getex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let given = getex_given(args)?;
    if tx.read_str(key)?.is_none() {
        reply.null();
        return Ok(Flow::Done);
    }
    let change = match given {
        Given::Nothing => Change::Nothing,
        Given::Persist => Change::Persist,
        Given::Time(unit, value) => Change::At(expire_at_ms(unit, value, tx.now_ms, "getex")?),
    };
    answer(tx.str_view(key, crate::keyspace::Access::Write)?, reply);
    match change {
        Change::Nothing => {}
        Change::Persist => persist(tx, key),
        // A time in the past deletes the key at once.
        Change::At(expire_at_ms) if expire_at_ms <= tx.now_ms => {
            tx.delete(key, tx.keyspace.settings.free_expired);
        }
        Change::At(expire_at_ms) => {
            tx.set_expire(key, Some(expire_at_ms));
            tx.changed(key, Event::Expire);
            if tx.ledger.propagates {
                let at = number::format_i64(expire_at_ms);
                tx.ledger.propagate_instead(vec![Argv::from_iter([b"PEXPIREAT", key, &at])]);
            }
        }
    }
    Ok(Flow::Done)
}

fn persist(tx: &mut Tx<'_>, key: &[u8]) {
    if tx.peek(key).and_then(Entry::expire_at_ms).is_none() {
        return;
    }
    tx.set_expire(key, None);
    tx.changed(key, Event::Persist);
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(vec![Argv::from_iter([&b"PERSIST"[..], key])]);
    }
}
