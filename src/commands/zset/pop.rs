//! ZPOPMIN, ZPOPMAX, ZMPOP, and the forms that wait for a member to pop.

use super::answers::Scores;
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::commands::elements::element;
use crate::keyspace::{Event, OnTimeout, Tx, Wait, WhenGone};
use crate::object::zset::Order;
use crate::object::{DataType, ValueType, Zset};
use crate::resp::{Protocol, Reply};
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, integer_in, is_word, wait_deadline_ms};

/// At which end members are popped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    const fn event(self) -> Event {
        match self {
            End::Min => Event::ZpopMin,
            End::Max => Event::ZpopMax,
        }
    }

    const fn command(self) -> &'static [u8] {
        match self {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        }
    }
}

/// How popped members are answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `[member, score, ..]`
    Flat,
    /// `[[member, score], ..]`
    Nested,
    /// `[key, member, score]`
    FlatBehindKey,
    /// `[key, [[member, score], ..]]`
    NestedBehindKey,
}

impl Shape {
    fn header(self, reply: &mut Reply<'_>, key: &[u8], members: usize) {
        match self {
            Shape::Flat => reply.array(members * 2),
            Shape::Nested => reply.array(members),
            Shape::FlatBehindKey => {
                reply.array(members * 2 + 1);
                reply.bulk(key);
            }
            Shape::NestedBehindKey => {
                reply.array(2);
                reply.bulk(key);
                reply.array(members);
            }
        }
    }

    fn pairs(self) -> Scores {
        if matches!(self, Shape::Nested | Shape::NestedBehindKey) { Scores::Shown } else { Scores::Hidden }
    }
}

/// What is popped, from a set that is there, and how it is answered.
#[derive(Clone, Copy)]
struct Pop {
    end: End,
    count: usize,
    shape: Shape,
}

/// Pops, tells and answers; how many members that were.
fn pop(tx: &mut Tx<'_>, key: &[u8], pop: Pop, reply: &mut Reply<'_>) -> usize {
    let (popped, fate) = tx.edit::<Zset, _>(key, |zset, _| {
        let view = zset.view();
        let (len, count) = (view.len(), pop.count.min(view.len()));
        let (ranks, order) = match pop.end {
            End::Min => (0..count, Order::Ascending),
            End::Max => (len - count..len, Order::Descending),
        };
        pop.shape.header(reply, key, count);
        for (member, score) in view.entries_of(ranks.clone(), order) {
            if pop.shape.pairs() == Scores::Shown {
                reply.array(2);
            }
            element(reply, member);
            reply.double(score);
        }
        zset.remove_ranks(ranks)
    });
    tx.told(key, pop.end.event(), popped as u64, fate);
    popped
}

/// The first key that there is, if any; WRONGTYPE when it holds something else.
fn first_there<'k>(
    tx: &mut Tx<'_>,
    keys: impl Iterator<Item = &'k [u8]>,
) -> Result<Option<&'k [u8]>, CommandError> {
    for key in keys {
        if tx.check::<Zset>(key)? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

pub(super) fn zpopmin(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    pop_one_key(tx, args, End::Min, reply)
}

pub(super) fn zpopmax(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    pop_one_key(tx, args, End::Max, reply)
}

fn pop_one_key(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    end: End,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    if args.len() > 3 {
        return Err(CommandError::Syntax);
    }
    let count = args.get(2).map(|count| integer_in(count, 0..=i64::MAX, CommandError::NotPositive));
    let count = count.transpose().map_err(|_| CommandError::NotPositive)?;
    let is_nested = count.is_some() && reply.protocol() == Protocol::Resp3;
    let count = count.unwrap_or(1) as usize;
    if !tx.check::<Zset>(args.at(1))? || count == 0 {
        reply.array(0);
        return Ok(Flow::Done);
    }
    let shape = if is_nested { Shape::Nested } else { Shape::Flat };
    pop(tx, args.at(1), Pop { end, count, shape }, reply);
    Ok(Flow::Done)
}

/// The arguments that are keys.
#[derive(Clone, Copy)]
struct Keys<'a> {
    args: Args<'a>,
    first: usize,
    count: usize,
}

impl<'a> Keys<'a> {
    fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        self.args.iter().skip(self.first).take(self.count)
    }
}

/// What ZMPOP and BZMPOP have in common: `numkeys key [key ...] MIN|MAX [COUNT count]`.
struct Many<'a> {
    keys: Keys<'a>,
    end: End,
    count: usize,
}

impl<'a> Many<'a> {
    /// `first` is the place of `numkeys`.
    fn parse(args: Args<'a>, first: usize) -> Result<Many<'a>, CommandError> {
        let positive = |argument, error: CommandError| match integer(argument) {
            Ok(number @ 1..) => Ok(number as usize),
            _ => Err(error),
        };
        let keys = positive(args.at(first), CommandError::NumkeysNotPositive)?;
        let behind = (first + 1).saturating_add(keys);
        let end = match args.get(behind).ok_or(CommandError::Syntax)? {
            word if is_word(word, "MIN") => End::Min,
            word if is_word(word, "MAX") => End::Max,
            _ => return Err(CommandError::Syntax),
        };
        let mut count = None;
        let mut options = Options::new(args, behind + 1);
        while let Some(word) = options.next_argument() {
            if count.is_some() || !is_word(word, "COUNT") {
                return Err(CommandError::Syntax);
            }
            count = Some(positive(options.value()?, CommandError::CountNotPositive)?);
        }
        Ok(Many { keys: Keys { args, first: first + 1, count: keys }, end, count: count.unwrap_or(1) })
    }

    /// Pops from the first set that is there; whether there was one.
    fn pop(&self, tx: &mut Tx<'_>, reply: &mut Reply<'_>) -> Result<Popped, CommandError> {
        let Some(key) = first_there(tx, self.keys.iter())? else { return Ok(Popped::Nothing) };
        let shape = Shape::NestedBehindKey;
        let popped = pop(tx, key, Pop { end: self.end, count: self.count, shape }, reply);
        if tx.ledger.propagates {
            let count = number::format_i64(popped as i64);
            tx.ledger.propagate_instead(vec![Argv::from_iter([self.end.command(), key, &count])]);
        }
        Ok(Popped::Something)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Popped {
    Something,
    Nothing,
}

pub(super) fn zmpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    if Many::parse(args, 1)?.pop(tx, reply)? == Popped::Nothing {
        reply.null_array();
    }
    Ok(Flow::Done)
}

pub(super) fn bzmpop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let many = Many::parse(args, 2)?;
    let deadline_ms = wait_deadline_ms(args.at(1), tx.now_ms)?;
    if many.pop(tx, reply)? == Popped::Something {
        return Ok(Flow::Done);
    }
    Ok(wait(tx, many.keys, deadline_ms, reply))
}

pub(super) fn bzpopmin(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    pop_or_wait(tx, args, End::Min, reply)
}

pub(super) fn bzpopmax(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    pop_or_wait(tx, args, End::Max, reply)
}

fn pop_or_wait(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    end: End,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let last = args.len() - 1;
    let deadline_ms = wait_deadline_ms(args.at(last), tx.now_ms)?;
    let keys = Keys { args, first: 1, count: last - 1 };
    let Some(key) = first_there(tx, keys.iter())? else {
        return Ok(wait(tx, keys, deadline_ms, reply));
    };
    pop(tx, key, Pop { end, count: 1, shape: Shape::FlatBehindKey }, reply);
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(vec![Argv::from_iter([end.command(), key])]);
    }
    Ok(Flow::Done)
}

/// Waits for one of the keys to hold a sorted set, or answers as if the time were over.
fn wait(tx: &mut Tx<'_>, keys: Keys<'_>, deadline_ms: Option<i64>, reply: &mut Reply<'_>) -> Flow {
    if !tx.may_wait() {
        reply.null_array();
        return Flow::Done;
    }
    tx.wait(Wait {
        keys: keys.iter().map(Box::from).collect(),
        for_type: ValueType::Zset,
        deadline_ms,
        on_timeout: OnTimeout::NullArray,
        when_gone: WhenGone::Waits,
        retry: None,
    });
    Flow::Block
}
