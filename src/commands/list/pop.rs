//! What takes elements from an end: LPOP, RPOP, LMPOP, and their waiting forms BLPOP, BRPOP, BLMPOP.

use super::{NoWait, end_of, pop_event, wait_for};
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::commands::elements::element;
use crate::encoding::quicklist::End;
use crate::keyspace::Tx;
use crate::object::List;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, integer_in, is_word, wait_deadline_ms};

pub(super) fn lpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    if args.len() > 3 {
        return Err(CommandError::Arity("lpop"));
    }
    pop(tx, args, End::Head, reply)
}

pub(super) fn rpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    if args.len() > 3 {
        return Err(CommandError::Arity("rpop"));
    }
    pop(tx, args, End::Tail, reply)
}

fn pop(tx: &mut Tx<'_>, args: Args<'_>, end: End, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let count = args.get(2).map(|count| at_least(count, 0, CommandError::NotPositive)).transpose()?;
    let is_there = tx.check::<List>(key)?;
    match count {
        None if is_there => drop(take(tx, key, (end, 1), reply)),
        None => reply.null(),
        Some(0) if is_there => reply.array(0),
        Some(count) if is_there => take_array(tx, key, (end, count), reply),
        Some(_) => reply.null_array(),
    }
    Ok(Flow::Done)
}

/// An integer from `least` on; anything else is `error`.
fn at_least(argument: &[u8], least: i64, error: CommandError) -> Result<usize, CommandError> {
    integer_in(argument, least..=i64::MAX, error.clone()).map(|value| value as usize).map_err(|_| error)
}

/// Takes up to `count` elements from the list at `key`, which is there, and answers them. How many they were.
fn take(tx: &mut Tx<'_>, key: &[u8], (end, count): (End, usize), reply: &mut Reply<'_>) -> usize {
    let (taken, fate) = tx.edit(key, |list: &mut List, rules| {
        let mut taken = 0;
        list.pop(end, count, rules, |popped| {
            element(reply, popped);
            taken += 1;
        });
        taken
    });
    tx.told(key, pop_event(end), taken as u64, fate);
    taken
}

fn take_array(tx: &mut Tx<'_>, key: &[u8], what: (End, usize), reply: &mut Reply<'_>) {
    let array = reply.deferred_array();
    let taken = take(tx, key, what, reply);
    reply.set_deferred(array, taken);
}

// ----- several keys -----

/// What LMPOP and BLMPOP are asked for.
struct ManyPop<'a> {
    keys: Args<'a>,
    end: End,
    count: usize,
}

impl<'a> ManyPop<'a> {
    /// The number of keys stands at argument `first`.
    fn parse(args: Args<'a>, first: usize) -> Result<ManyPop<'a>, CommandError> {
        let numkeys = at_least(args.at(first), 1, CommandError::NumkeysNotPositive)?;
        let keys = args.from(first + 1);
        let end = keys.get(numkeys).ok_or(CommandError::Syntax).and_then(end_of)?;
        let mut options = Options::new(keys, numkeys + 1);
        let mut count = None;
        while let Some(word) = options.next_argument() {
            if count.is_some() || !is_word(word, "COUNT") {
                return Err(CommandError::Syntax);
            }
            count = Some(at_least(options.value()?, 1, CommandError::CountNotPositive)?);
        }
        Ok(ManyPop { keys: keys.until(numkeys), end, count: count.unwrap_or(1) })
    }

    /// Answers the first key that holds a list, and its elements. Whether there is one.
    fn run(&self, tx: &mut Tx<'_>, reply: &mut Reply<'_>) -> Result<Option<()>, CommandError> {
        let Some(key) = first_list(tx, self.keys)? else { return Ok(None) };
        reply.array(2);
        reply.bulk(key);
        take_array(tx, key, (self.end, self.count), reply);
        propagate(tx, key, self.end, Some(self.count));
        Ok(Some(()))
    }
}

/// The first of `keys` that is there, if it holds a list.
fn first_list<'a>(tx: &mut Tx<'_>, keys: Args<'a>) -> Result<Option<&'a [u8]>, CommandError> {
    for key in keys.iter() {
        if tx.check::<List>(key)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Replicas are told which key it was.
fn propagate(tx: &mut Tx<'_>, key: &[u8], end: End, count: Option<usize>) {
    if !tx.ledger.propagates {
        return;
    }
    let word: &[u8] = if end == End::Head { b"LPOP" } else { b"RPOP" };
    let mut argv = Argv::from_iter([word, key]);
    if let Some(count) = count {
        argv.push(&number::format_i64(count as i64));
    }
    tx.ledger.propagate_instead(vec![argv]);
}

pub(super) fn lmpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let pop = ManyPop::parse(args, 1)?;
    if pop.run(tx, reply)?.is_none() {
        reply.null_array();
    }
    Ok(Flow::Done)
}

pub(super) fn blmpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let pop = ManyPop::parse(args, 2)?;
    let deadline_ms = wait_deadline_ms(args.at(1), tx.now_ms)?;
    match pop.run(tx, reply)? {
        Some(()) => Ok(Flow::Done),
        None => Ok(wait_for(tx, pop.keys, (deadline_ms, NoWait::NullArray), reply)),
    }
}

pub(super) fn blpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    blocking_pop(tx, args, End::Head, reply)
}

pub(super) fn brpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    blocking_pop(tx, args, End::Tail, reply)
}

fn blocking_pop(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    end: End,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let last = args.len() - 1;
    let deadline_ms = wait_deadline_ms(args.at(last), tx.now_ms)?;
    let keys = args.until(last).from(1);
    let Some(key) = first_list(tx, keys)? else {
        return Ok(wait_for(tx, keys, (deadline_ms, NoWait::NullArray), reply));
    };
    reply.array(2);
    reply.bulk(key);
    take(tx, key, (end, 1), reply);
    propagate(tx, key, end, None);
    Ok(Flow::Done)
}
