//! Sets of sets: SINTER, SUNION, SDIFF, with STORE and CARD.

use super::members::all;
use crate::base::argv::Args;
use crate::base::number;
use crate::commands::elements::element;
use crate::encoding::listpack::Element;
use crate::keyspace::{Access, Event, Seen, Tx};
use crate::object::set::{difference, intersection, union, union_len};
use crate::object::{DataType, Rules, Set, SetView, Variant};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, is_word};
use std::ops::ControlFlow;

/// The sets of several keys: `None` where there is none.
type Sets<'a> = Vec<Option<SetView<'a>>>;

/// WRONGTYPE when any of the keys holds something else; those behind it are not looked at then.
fn sets_of<'a, 'k>(
    tx: &'a mut Tx<'_>,
    keys: impl Iterator<Item = &'k [u8]> + Clone,
) -> Result<Sets<'a>, CommandError> {
    for key in keys.clone() {
        tx.view::<Set>(key, Access::Peek)?;
    }
    // Hits and misses have been counted, now the keys are used.
    let seen = tx.views(keys, Access::Write);
    seen.into_iter().map(|seen| seen.map(Seen::as_type::<Set>).transpose()).collect()
}

/// Those that all have to have a member, none if one of them has none.
fn all_there<'a>(sets: &[Option<SetView<'a>>]) -> Option<Vec<SetView<'a>>> {
    sets.iter().copied().collect()
}

fn there<'a>(sets: &[Option<SetView<'a>>]) -> Vec<SetView<'a>> {
    sets.iter().copied().flatten().collect()
}

/// Answers the members that `show` gives.
fn answer<'a>(reply: &mut Reply<'_>, show: impl FnOnce(&mut dyn FnMut(Element<'a>) -> ControlFlow<()>)) {
    let (deferred, mut shown) = (reply.deferred_set(), 0);
    show(&mut |member| {
        element(reply, member);
        shown += 1;
        ControlFlow::Continue(())
    });
    reply.set_deferred(deferred, shown);
}

/// A set of the members that `show` gives, which are all different.
fn gather<'a>(rules: &Rules, show: impl FnOnce(&mut dyn FnMut(Element<'a>) -> ControlFlow<()>)) -> Set {
    let mut members = Vec::new();
    show(&mut |member| {
        members.push(member);
        ControlFlow::Continue(())
    });
    Set::of_distinct(&members, rules)
}

/// How many members `show` gives, up to `limit`.
fn count<'a>(limit: usize, show: impl FnOnce(&mut dyn FnMut(Element<'a>) -> ControlFlow<()>)) -> usize {
    let mut shown = 0;
    show(&mut |_| {
        shown += 1;
        if shown < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    shown
}

/// Puts a result under `destination`, whatever is there, and answers how many members it has.
fn store(tx: &mut Tx<'_>, destination: &[u8], set: Set, event: Event, reply: &mut Reply<'_>) {
    let len = set.view().len();
    if len > 0 {
        tx.store(destination, set.into_object());
        tx.changed(destination, event);
    } else if tx.remove(destination, tx.keyspace.settings.free_replaced) {
        tx.changed(destination, Event::Del);
    }
    reply.count(len);
}

pub(super) fn sinter(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let sets = sets_of(tx, args.iter().skip(1))?;
    match all_there(&sets) {
        Some(sets) => answer(reply, |show| intersection(&sets, show)),
        None => reply.set(0),
    }
    Ok(Flow::Done)
}

pub(super) fn sinterstore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    let sets = all_there(&sets_of(tx, args.iter().skip(2))?).unwrap_or_default();
    let common = gather(&rules, |show| intersection(&sets, show));
    store(tx, args.at(1), common, Event::SinterStore, reply);
    Ok(Flow::Done)
}

pub(super) fn sunion(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    match there(&sets_of(tx, args.iter().skip(1))?)[..] {
        [] => reply.set(0),
        [only] => all(reply, Some(only)),
        ref sets => all(reply, Some(union(sets, &rules).view())),
    }
    Ok(Flow::Done)
}

pub(super) fn sunionstore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    let together = union(&there(&sets_of(tx, args.iter().skip(2))?), &rules);
    store(tx, args.at(1), together, Event::SunionStore, reply);
    Ok(Flow::Done)
}

pub(super) fn sdiff(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    let sets = sets_of(tx, args.iter().skip(1))?;
    match sets[0] {
        Some(first) => answer(reply, |show| difference(first, &there(&sets[1..]), &rules, show)),
        None => reply.set(0),
    }
    Ok(Flow::Done)
}

pub(super) fn sdiffstore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    let sets = sets_of(tx, args.iter().skip(2))?;
    let rest = gather(&rules, |show| {
        if let Some(first) = sets[0] {
            difference(first, &there(&sets[1..]), &rules, show);
        }
    });
    store(tx, args.at(1), rest, Event::SdiffStore, reply);
    Ok(Flow::Done)
}

/// The arguments of the commands that only count.
struct Counted {
    numkeys: usize,
    limit: usize,
}

/// Whether APPROX is an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Approx {
    Allowed,
    Unknown,
}

impl Counted {
    fn parse(args: Args<'_>, approx: Approx) -> Result<Counted, CommandError> {
        let numkeys = number::parse_i64(args.at(1)).filter(|numkeys| *numkeys > 0);
        let numkeys = numkeys.ok_or(CommandError::NumkeysNotPositive)?;
        let numkeys = usize::try_from(numkeys).ok().filter(|numkeys| *numkeys <= args.len() - 2);
        let numkeys = numkeys.ok_or(CommandError::TooManyKeys)?;
        let (mut limit, mut options) = (0, Options::new(args, 2 + numkeys));
        while let Some(word) = options.next_argument() {
            if is_word(word, "LIMIT") {
                let value = number::parse_i64(options.value()?);
                limit =
                    value.and_then(|value| usize::try_from(value).ok()).ok_or(CommandError::LimitNegative)?;
            } else if approx == Approx::Unknown || !is_word(word, "APPROX") {
                return Err(CommandError::Syntax);
            }
        }
        // No limit is written 0.
        let limit = if limit == 0 { usize::MAX } else { limit };
        Ok(Counted { numkeys, limit })
    }
}

pub(super) fn sintercard(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let Counted { numkeys, limit } = Counted::parse(args, Approx::Unknown)?;
    let sets = sets_of(tx, args.iter().skip(2).take(numkeys))?;
    reply.count(all_there(&sets).map_or(0, |sets| count(limit, |show| intersection(&sets, show))));
    Ok(Flow::Done)
}

/// APPROX allows an estimate; the exact number is one.
pub(super) fn sunioncard(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let Counted { numkeys, limit } = Counted::parse(args, Approx::Allowed)?;
    let rules = *tx.rules();
    let sets = there(&sets_of(tx, args.iter().skip(2).take(numkeys))?);
    reply.count(union_len(&sets, limit, &rules));
    Ok(Flow::Done)
}

pub(super) fn sdiffcard(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let Counted { numkeys, limit } = Counted::parse(args, Approx::Unknown)?;
    let rules = *tx.rules();
    let sets = sets_of(tx, args.iter().skip(2).take(numkeys))?;
    let others = there(&sets[1..]);
    reply.count(sets[0].map_or(0, |first| count(limit, |show| difference(first, &others, &rules, show))));
    Ok(Flow::Done)
}
