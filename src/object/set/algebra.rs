//! Sets of sets: what several have in common, together, or what only the first has.
//!
//! Members go through the sets in batches: those of the first set are read as fast as memory allows, and each other set
//! is asked for the whole batch, so that the cache misses of its lookups overlap.

use super::view::Keep;
use super::{Set, SetView};
use crate::encoding::listpack::{Digits, Element};
use crate::encoding::member::Member;
use crate::object::{DataType, Rules};
use std::ops::ControlFlow;

/// Members that go through the sets together.
const BATCH: usize = 64;

/// Shows what all `sets` have in common, until `visit` breaks; in the order of the smallest.
pub fn intersection<'a>(sets: &[SetView<'a>], visit: &mut dyn FnMut(Element<'a>) -> ControlFlow<()>) {
    let mut sets = sets.to_vec();
    sets.sort_by_key(|set| set.len());
    if let Some((smallest, others)) = sets.split_first() {
        sift(*smallest, others, Keep::Members, visit);
    }
}

/// Shows what `first` has and none of `others`, until `visit` breaks; in the order of `first`.
pub fn difference<'a>(
    first: SetView<'a>,
    others: &[SetView<'a>],
    rules: &Rules,
    visit: &mut dyn FnMut(Element<'a>) -> ControlFlow<()>,
) {
    // Looking every member up in every other set, or, if these are many and small, making one of them first.
    let lookups = first.len().saturating_mul(others.len()) / 2;
    let together: usize = others.iter().map(|set| set.len()).sum();
    if others.len() > 2 && lookups > first.len().saturating_add(together) {
        let others = union(others, rules);
        return sift(first, &[others.view()], Keep::Strangers, visit);
    }
    let mut others = others.to_vec();
    // The largest is the likeliest to take a member out.
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    sift(first, &others, Keep::Strangers, visit);
}

fn sift<'a>(
    first: SetView<'a>,
    others: &[SetView<'_>],
    keep: Keep,
    visit: &mut dyn FnMut(Element<'a>) -> ControlFlow<()>,
) {
    let mut members = first.iter();
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        batch.extend(members.by_ref().take(BATCH));
        if batch.is_empty() {
            return;
        }
        for other in others {
            other.filter(&mut batch, keep);
        }
        for member in batch.drain(..) {
            if visit(member).is_break() {
                return;
            }
        }
    }
}

/// All members of all `sets`.
pub fn union(sets: &[SetView<'_>], rules: &Rules) -> Set {
    union_up_to(sets, usize::MAX, rules)
}

/// How many members `sets` have together, counted up to `limit`.
pub fn union_len(sets: &[SetView<'_>], limit: usize, rules: &Rules) -> usize {
    match sets {
        [] => 0,
        [only] => only.len().min(limit),
        _ if sets.iter().any(|set| set.len() >= limit) => limit,
        [first, second] => {
            let (small, large) =
                if first.len() < second.len() { (*first, *second) } else { (*second, *first) };
            let mut len = large.len();
            difference(small, &[large], rules, &mut |_| {
                len += 1;
                if len < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            len
        }
        _ => union_up_to(sets, limit, rules).view().len().min(limit),
    }
}

/// As `union`, but stops after the set with which there are `limit` members.
fn union_up_to(sets: &[SetView<'_>], limit: usize, rules: &Rules) -> Set {
    let largest = sets.iter().map(|set| set.len()).max().unwrap_or(0);
    let is_large = largest > rules.set_max_intset_entries.max(rules.set_max_listpack_entries);
    let mut all = if is_large { Set::table(largest, rules) } else { Set::create(rules) };
    for set in sets {
        absorb(&mut all, *set, largest, rules);
        if all.view().len() >= limit {
            break;
        }
    }
    all
}

/// Adds the members of `set` to `all`, which has room for `expected` when it becomes a table.
fn absorb(all: &mut Set, set: SetView<'_>, expected: usize, rules: &Rules) {
    if let (Set::Table(all), SetView::Table(table)) = (&mut *all, set) {
        if all.is_empty() {
            all.extend_new(table.iter().cloned());
        } else {
            all.insert_absent(table.iter().map(crate::encoding::dict::Item::key), &mut Member::new);
        }
        return;
    }
    let mut digits = Digits::default();
    for member in set.iter() {
        let integer = member.as_i64();
        all.add_as(member.text(&mut digits), integer, expected, rules);
    }
}
