//! Reading a set.

use super::{MemberTable, SetView};
use crate::base::number;
use crate::encoding::dict::{self, BATCH, Item};
use crate::encoding::intset;
use crate::encoding::listpack::{self, Digits, Element};
use crate::encoding::member::Member;
use std::collections::HashSet;

/// The members of a set, in the order of its encoding.
#[derive(Clone)]
pub enum Members<'a> {
    Intset(intset::Iter<'a>),
    Packed(listpack::Iter<'a>),
    Table(dict::Iter<'a, Member>),
}

impl<'a> Iterator for Members<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        match self {
            Members::Intset(members) => members.next().map(Element::Int),
            Members::Packed(members) => members.next(),
            Members::Table(members) => members.next().map(|member| Element::Bytes(member.key())),
        }
    }
}

/// Which of a batch of elements stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Members,
    Strangers,
}

impl<'a> SetView<'a> {
    #[inline]
    pub fn len(self) -> usize {
        match self {
            SetView::Intset(members) => members.len(),
            SetView::Packed(members) => members.len(),
            SetView::Table(table) => table.len(),
        }
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        match self {
            SetView::Packed(members) => members.is_empty(),
            _ => self.len() == 0,
        }
    }

    #[inline]
    pub fn contains(self, member: &[u8]) -> bool {
        match self {
            SetView::Intset(members) => {
                number::parse_i64(member).is_some_and(|value| members.contains(value))
            }
            SetView::Packed(members) => members.find(members.first(), member, 0).is_some(),
            SetView::Table(table) => table.get(table.hash(member), member).is_some(),
        }
    }

    /// Whether each of `members` is one, in their order.
    pub fn contains_each<'m>(self, members: impl Iterator<Item = &'m [u8]>, answer: &mut impl FnMut(bool)) {
        match self {
            SetView::Table(table) => table.get_many(members, &mut |_, _, found| answer(found.is_some())),
            _ => members.for_each(|member| answer(self.contains(member))),
        }
    }

    pub fn iter(self) -> Members<'a> {
        match self {
            SetView::Intset(members) => Members::Intset(members.iter()),
            SetView::Packed(members) => Members::Packed(members.iter()),
            SetView::Table(table) => Members::Table(table.iter()),
        }
    }

    /// SSCAN: shows about `count` members and returns the cursor to go on with, 0 at the end. What is packed is shown
    /// at once.
    pub fn scan(self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>)) -> u64 {
        /// Empty buckets that a call passes at most, for each member it is asked for.
        const BUCKETS_PER_MEMBER: usize = 10;
        let SetView::Table(table) = self else {
            self.iter().for_each(visit);
            return 0;
        };
        let (mut cursor, mut seen, mut steps_left) = (cursor, 0, count.saturating_mul(BUCKETS_PER_MEMBER));
        loop {
            cursor = table.scan(cursor, &mut |member| {
                seen += 1;
                visit(Element::Bytes(member.key()));
            });
            steps_left = steps_left.saturating_sub(1);
            if cursor == 0 || seen >= count || steps_left == 0 {
                return cursor;
            }
        }
    }

    /// A random member, all equally likely. None only of an empty set.
    pub fn random(self, rng: &mut fastrand::Rng) -> Option<Element<'a>> {
        if self.is_empty() {
            return None;
        }
        match self {
            SetView::Intset(members) => Some(Element::Int(members.nth(rng.usize(..members.len())))),
            SetView::Packed(members) => {
                members.nth(rng.usize(..members.len()) as isize).map(|at| members.at(at))
            }
            SetView::Table(table) => table.sample(rng).map(|member| Element::Bytes(member.key())),
        }
    }

    /// Shows `count` random members, each chosen by itself.
    pub fn random_repeated(self, rng: &mut fastrand::Rng, count: usize, visit: &mut dyn FnMut(Element<'a>)) {
        if self.is_empty() {
            return;
        }
        if let SetView::Packed(members) = self {
            let members: Vec<Element<'a>> = members.iter().collect();
            (0..count).for_each(|_| visit(members[rng.usize(..members.len())]));
            return;
        }
        (0..count).filter_map(|_| self.random(rng)).for_each(visit);
    }

    /// `count` different random members, or all if there are no more; every choice is equally likely.
    pub fn random_distinct(self, rng: &mut fastrand::Rng, count: usize) -> Vec<Element<'a>> {
        /// When fewer than one in so many is wanted, drawing again what was drawn before is rare.
        const RARE: usize = 3;
        let len = self.len();
        match self {
            SetView::Table(table) if count < len / RARE => draw(table, rng, count),
            _ => {
                // Walks the set, and takes each member with the chance that is left to it.
                let (mut left, mut wanted) = (len, count.min(len));
                self.iter()
                    .filter(|_| {
                        let taken = rng.usize(..left) < wanted;
                        left -= 1;
                        wanted -= usize::from(taken);
                        taken
                    })
                    .collect()
            }
        }
    }

    /// Takes what is not to be kept out of a batch of elements.
    pub(super) fn filter(self, batch: &mut Vec<Element<'_>>, keep: Keep) {
        let kept = keep == Keep::Members;
        match self {
            SetView::Intset(members) => {
                batch.retain(|element| element.as_i64().is_some_and(|value| members.contains(value)) == kept)
            }
            SetView::Packed(_) => {
                let mut digits = Digits::default();
                batch.retain(|element| self.contains(element.text(&mut digits)) == kept);
            }
            SetView::Table(table) => filter_by_table(table, batch, kept),
        }
    }
}

/// `count` different random members of a table with many more.
fn draw<'a>(table: &'a MemberTable, rng: &mut fastrand::Rng, count: usize) -> Vec<Element<'a>> {
    let (mut drawn, mut addresses) = (Vec::with_capacity(count), HashSet::with_capacity(count));
    while drawn.len() < count {
        let Some(member) = table.sample(rng) else { break };
        if addresses.insert(std::ptr::from_ref(member)) {
            drawn.push(Element::Bytes(member.key()));
        }
    }
    drawn
}

fn filter_by_table(table: &MemberTable, batch: &mut Vec<Element<'_>>, kept: bool) {
    let mut digits: [Digits; BATCH] = std::array::from_fn(|_| Digits::default());
    let mut left = 0;
    for start in (0..batch.len()).step_by(BATCH) {
        let end = batch.len().min(start + BATCH);
        let mut found = [false; BATCH];
        let mut answers = found.iter_mut();
        let texts = batch[start..end].iter().zip(&mut digits).map(|(element, digits)| element.text(digits));
        table.get_many(texts, &mut |_, _, item| {
            if let Some(answer) = answers.next() {
                *answer = item.is_some();
            }
        });
        for (at, found) in (start..end).zip(found) {
            if found == kept {
                batch[left] = batch[at];
                left += 1;
            }
        }
    }
    batch.truncate(left);
}
