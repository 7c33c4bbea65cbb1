//! What puts elements into a list: LPUSH, RPUSH, LPUSHX, RPUSHX, LINSERT, LSET.

use super::push_event;
use crate::base::argv::Args;
use crate::encoding::quicklist::{End, Side};
use crate::keyspace::{Event, Tx};
use crate::object::List;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

pub(super) fn lpush(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    tx.check::<List>(args.at(1))?;
    push(tx, args, End::Head, reply)
}

pub(super) fn rpush(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    tx.check::<List>(args.at(1))?;
    push(tx, args, End::Tail, reply)
}

pub(super) fn lpushx(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    push_if_there(tx, args, End::Head, reply)
}

pub(super) fn rpushx(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    push_if_there(tx, args, End::Tail, reply)
}

fn push_if_there(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    end: End,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    if !tx.check::<List>(args.at(1))? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    push(tx, args, end, reply)
}

fn push(tx: &mut Tx<'_>, args: Args<'_>, end: End, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, texts) = (args.at(1), args.from(2));
    let (len, fate) = tx.edit(key, |list: &mut List, rules| {
        list.push(end, texts.iter(), rules);
        list.count()
    });
    tx.told(key, push_event(end), texts.len() as u64, fate);
    reply.count(len);
    Ok(Flow::Done)
}

pub(super) fn linsert(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, pivot, text) = (args.at(1), args.at(3), args.at(4));
    let side = match args.at(2) {
        word if is_word(word, "BEFORE") => Side::Before,
        word if is_word(word, "AFTER") => Side::After,
        _ => return Err(CommandError::Syntax),
    };
    if !tx.check::<List>(key)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let (len, fate) = tx.edit(key, |list: &mut List, rules| {
        list.insert_beside(pivot, side, text, rules).then(|| list.count())
    });
    if let Some(len) = len {
        tx.told(key, Event::Linsert, 1, fate);
        reply.count(len);
    } else {
        reply.integer(-1);
    }
    Ok(Flow::Done)
}

pub(super) fn lset(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, text) = (args.at(1), args.at(3));
    let Some(list) = tx.view::<List>(key, crate::keyspace::Access::Write)? else {
        return Err(CommandError::NoSuchKey);
    };
    let index = list.index_of(integer(args.at(2))?).ok_or(CommandError::IndexOutOfRange)?;
    let (_, fate) = tx.edit(key, |list: &mut List, rules| list.set(index, text, rules));
    tx.told(key, Event::Lset, 1, fate);
    reply.ok();
    Ok(Flow::Done)
}
