//! GET and the commands that read a string and do one thing more.

use super::options::{ExpireUnit, expire_at_ms};
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::keyspace::settings::Freeing;
use crate::keyspace::{Event, Expiry, StrView, Tx};
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
        let freeing = tx.keyspace.settings.free_deleted;
        tx.remove(key, freeing);
        tx.changed(key, Event::Del);
        if tx.ledger.propagates {
            let word: &[u8] = if freeing == Freeing::Lazy { b"UNLINK" } else { b"DEL" };
            tx.ledger.propagate_instead(vec![[word, key].into_iter().collect()]);
        }
    }
    Ok(Flow::Done)
}

/// What GETEX does to the expiry.
enum Change {
    Nothing,
    Persist,
    At(i64),
}

fn getex_change(args: Args<'_>, now_ms: i64) -> Result<Option<(ExpireUnit, &[u8])>, CommandError> {
    let _ = now_ms;
    let mut options = Options::new(args, 2);
    let Some(word) = options.next_argument() else { return Ok(None) };
    let unit = ExpireUnit::parse(word).ok_or(CommandError::Syntax)?;
    let value = options.value()?;
    if options.left() > 0 { Err(CommandError::Syntax) } else { Ok(Some((unit, value))) }
}

fn getex_persists(args: Args<'_>) -> bool {
    args.len() == 3 && is_word(args.at(2), "PERSIST")
}

pub(super) fn getex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let given = if getex_persists(args) { None } else { getex_change(args, tx.now_ms)? };
    if tx.read_str(key)?.is_none() {
        reply.null();
        return Ok(Flow::Done);
    }
    let change = match given {
        Some((unit, value)) => Change::At(expire_at_ms(unit, value, tx.now_ms, "getex")?),
        None if getex_persists(args) => Change::Persist,
        None => Change::Nothing,
    };
    answer(tx.str_view(key, crate::keyspace::Access::Write)?, reply);
    match change {
        Change::Nothing => {}
        Change::Persist => persist(tx, key),
        Change::At(expire_at_ms) if expire_at_ms <= tx.now_ms => expire_now(tx, key),
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
    if tx.expire_at_ms(key).flatten().is_none() {
        return;
    }
    tx.set_expire(key, None);
    tx.changed(key, Event::Persist);
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(vec![Argv::from_iter([&b"PERSIST"[..], key])]);
    }
}

/// An expiry in the past deletes the key.
fn expire_now(tx: &mut Tx<'_>, key: &[u8]) {
    let freeing = tx.keyspace.settings.free_expired;
    tx.remove(key, freeing);
    tx.changed(key, Event::Del);
    if tx.ledger.propagates {
        let word: &[u8] = if freeing == Freeing::Lazy { b"UNLINK" } else { b"DEL" };
        tx.ledger.propagate_instead(vec![Argv::from_iter([word, key])]);
    }
}
