//! Sets of sorted sets and sets: ZUNION, ZINTER, ZDIFF, with STORE and CARD.
//!
//! Inputs are taken from the smallest to the largest, as in Redis: the last digit of a sum depends on it.

use super::add::is_with_scores;
use super::answers::{Scores, entry, header};
use super::bounds::float;
use super::store::{Stored, store};
use crate::base::argv::Args;
use crate::encoding::listpack::{Digits, Element};
use crate::keyspace::{Access, Event, Seen, Tx};
use crate::object::zset::ZsetBuilder;
use crate::object::{Rules, SetView, View, ZsetView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, is_word};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// How the scores of a member become one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
    /// Every input that has the member counts its weight.
    Count,
}

impl Aggregate {
    fn parse(word: &[u8]) -> Result<Aggregate, CommandError> {
        match word.to_ascii_uppercase().as_slice() {
            b"SUM" => Ok(Aggregate::Sum),
            b"MIN" => Ok(Aggregate::Min),
            b"MAX" => Ok(Aggregate::Max),
            b"COUNT" => Ok(Aggregate::Count),
            _ => Err(CommandError::Syntax),
        }
    }

    /// What an input says of a member that has `score` there.
    fn weigh(self, score: f64, weight: f64) -> f64 {
        if self == Aggregate::Count { weight } else { score * weight }
    }

    /// Infinities that cancel each other are 0; what is not a number is neither less nor more.
    fn join(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum | Aggregate::Count => or_zero(score + other),
            Aggregate::Min => {
                if other < score {
                    other
                } else {
                    score
                }
            }
            Aggregate::Max => {
                if other > score {
                    other
                } else {
                    score
                }
            }
        }
    }
}

fn or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// An input; the members of a set have the score 1.
#[derive(Clone, Copy)]
enum Source<'a> {
    Nothing,
    Zset(ZsetView<'a>),
    Set(SetView<'a>),
}

impl<'a> Source<'a> {
    fn of(seen: Option<Seen<'a>>) -> Result<Source<'a>, CommandError> {
        match seen {
            None => Ok(Source::Nothing),
            Some(Seen::Object(View::Zset(zset))) => Ok(Source::Zset(zset)),
            Some(Seen::Object(View::Set(set))) => Ok(Source::Set(set)),
            Some(_) => Err(CommandError::WrongType),
        }
    }

    fn len(self) -> usize {
        match self {
            Source::Nothing => 0,
            Source::Zset(zset) => zset.len(),
            Source::Set(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Source::Nothing => None,
            Source::Zset(zset) => zset.score(member),
            Source::Set(set) => set.contains(member).then_some(1.0),
        }
    }

    /// Shows members until it is told to stop.
    fn each(self, visit: &mut dyn FnMut(&[u8], f64) -> More) {
        let mut show =
            |member: Element<'_>, score| visit(member.text(&mut Digits::default()), score) == More::No;
        match self {
            Source::Nothing => {}
            Source::Zset(zset) => drop(zset.iter().find(|(member, score)| show(*member, *score))),
            Source::Set(set) => drop(set.iter().find(|member| show(*member, 1.0))),
        }
    }
}

/// Whether more members are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Yes,
    No,
}

/// One input and its weight.
#[derive(Clone, Copy)]
struct Input<'a> {
    source: Source<'a>,
    weight: f64,
}

/// What a command of the family allows and what it does with the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// WITHSCORES
    Answer,
    Store,
    /// LIMIT
    Count,
}

/// The options behind the keys.
struct Wanted {
    weights: Vec<f64>,
    aggregate: Aggregate,
    scores: Scores,
    /// 0 is none.
    limit: usize,
}

impl Wanted {
    fn parse(
        args: Args<'_>,
        first: usize,
        keys: usize,
        (operation, purpose): (Operation, Purpose),
    ) -> Result<Wanted, CommandError> {
        let mut wanted =
            Wanted { weights: Vec::new(), aggregate: Aggregate::Sum, scores: Scores::Hidden, limit: 0 };
        let has_scores = operation != Operation::Difference && purpose != Purpose::Count;
        let mut options = Options::new(args, first);
        while let Some(word) = options.next_argument() {
            if has_scores && options.left() >= keys && is_word(word, "WEIGHTS") {
                let weight = |weight| float(weight).ok_or(CommandError::WeightNotFloat);
                wanted.weights = options.by_ref().take(keys).map(weight).collect::<Result<_, _>>()?;
            } else if has_scores && is_word(word, "AGGREGATE") {
                wanted.aggregate = Aggregate::parse(options.value()?)?;
            } else if purpose == Purpose::Answer && is_with_scores(word) {
                wanted.scores = Scores::Shown;
            } else if purpose == Purpose::Count && is_word(word, "LIMIT") {
                let limit = integer(options.value()?).ok().and_then(|limit| usize::try_from(limit).ok());
                wanted.limit = limit.ok_or(CommandError::LimitNegative)?;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(wanted)
    }
}

/// The number of keys at argument `place`.
fn key_count(args: Args<'_>, place: usize, name: &str) -> Result<usize, CommandError> {
    let Ok(keys @ 1..) = usize::try_from(integer(args.at(place))?) else {
        return Err(CommandError::text(format!("ERR at least 1 input key is needed for '{name}' command")));
    };
    if keys > args.len() - place - 1 { Err(CommandError::Syntax) } else { Ok(keys) }
}

/// The inputs, in the order in which they are taken, and the options. `place` is that of the number of keys.
fn read<'a>(
    tx: &'a mut Tx<'_>,
    args: Args<'_>,
    (place, name): (usize, &str),
    what: (Operation, Purpose),
) -> Result<(Vec<Input<'a>>, Wanted), CommandError> {
    let keys = key_count(args, place, name)?;
    let names = args.iter().skip(place + 1).take(keys);
    // The first of a wrong type ends the search: those behind it count as neither hit nor miss.
    for name in names.clone() {
        Source::of(tx.view_any(name, Access::Peek))?;
    }
    let seen = tx.views(names, Access::Write);
    let sources = seen.into_iter().map(Source::of).collect::<Result<Vec<_>, _>>()?;
    let wanted = Wanted::parse(args, place + 1 + keys, keys, what)?;
    let weights = wanted.weights.iter().copied().chain(std::iter::repeat(1.0));
    let mut inputs: Vec<_> =
        sources.into_iter().zip(weights).map(|(source, weight)| Input { source, weight }).collect();
    if what.0 != Operation::Difference {
        inputs.sort_by_key(|input| input.source.len());
    }
    Ok((inputs, wanted))
}

fn compute(operation: Operation, inputs: &[Input<'_>], aggregate: Aggregate, rules: &Rules) -> ZsetBuilder {
    let mut builder = ZsetBuilder::new(rules);
    match operation {
        Operation::Union => unite(inputs, aggregate, &mut builder),
        Operation::Intersection => intersect(inputs, aggregate, &mut |member, score| {
            builder.put(member, |_| Some(score));
            More::Yes
        }),
        Operation::Difference => subtract(inputs, &mut builder),
    }
    builder
}

fn unite(inputs: &[Input<'_>], aggregate: Aggregate, builder: &mut ZsetBuilder) {
    // The largest is the least that there will be.
    builder.reserve(inputs.last().map_or(0, |input| input.source.len()));
    for input in inputs {
        input.source.each(&mut |member, score| {
            let score = or_zero(aggregate.weigh(score, input.weight));
            builder.put(member, |old| Some(old.map_or(score, |old| aggregate.join(old, score))));
            More::Yes
        });
    }
}

/// Shows every member that all inputs have.
fn intersect(inputs: &[Input<'_>], aggregate: Aggregate, visit: &mut dyn FnMut(&[u8], f64) -> More) {
    let [first, others @ ..] = inputs else { return };
    first.source.each(&mut |member, score| {
        let mut score = or_zero(aggregate.weigh(score, first.weight));
        for other in others {
            let Some(found) = other.source.score(member) else { return More::Yes };
            score = aggregate.join(score, aggregate.weigh(found, other.weight));
        }
        visit(member, score)
    });
}

fn subtract(inputs: &[Input<'_>], builder: &mut ZsetBuilder) {
    let [first, others @ ..] = inputs else { return };
    first.source.each(&mut |member, score| {
        if others.iter().all(|other| other.source.score(member).is_none()) {
            builder.put(member, |_| Some(score));
        }
        More::Yes
    });
}

fn answer(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    name: &str,
    operation: Operation,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    let (inputs, wanted) = read(tx, args, (1, name), (operation, Purpose::Answer))?;
    let sorted = compute(operation, &inputs, wanted.aggregate, &rules).sorted();
    header(reply, sorted.iter().len(), wanted.scores);
    for (member, score) in sorted.iter() {
        entry(reply, (Element::Bytes(member), score), wanted.scores);
    }
    Ok(Flow::Done)
}

fn store_result(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    name: &str,
    (operation, event): (Operation, Event),
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    let (inputs, wanted) = read(tx, args, (2, name), (operation, Purpose::Store))?;
    let builder = compute(operation, &inputs, wanted.aggregate, &rules);
    store(tx, args.at(1), Stored { builder, event }, reply);
    Ok(Flow::Done)
}

pub(super) fn zunion(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    answer(tx, args, "zunion", Operation::Union, reply)
}

pub(super) fn zinter(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    answer(tx, args, "zinter", Operation::Intersection, reply)
}

pub(super) fn zdiff(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    answer(tx, args, "zdiff", Operation::Difference, reply)
}

pub(super) fn zunionstore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    store_result(tx, args, "zunionstore", (Operation::Union, Event::ZunionStore), reply)
}

pub(super) fn zinterstore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    store_result(tx, args, "zinterstore", (Operation::Intersection, Event::ZinterStore), reply)
}

pub(super) fn zdiffstore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    store_result(tx, args, "zdiffstore", (Operation::Difference, Event::ZdiffStore), reply)
}

pub(super) fn zintercard(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let what = (Operation::Intersection, Purpose::Count);
    let (inputs, wanted) = read(tx, args, (1, "zintercard"), what)?;
    let mut found = 0;
    intersect(&inputs, Aggregate::Sum, &mut |_, _| {
        found += 1;
        if found == wanted.limit { More::No } else { More::Yes }
    });
    reply.count(found);
    Ok(Flow::Done)
}
