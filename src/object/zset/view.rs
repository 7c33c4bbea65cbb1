//! Reading a sorted set, whatever its encoding.

use std::ops::Range;

use super::packed::{self, Pairs};
use super::range::{LexRange, ScoreRange};
use crate::base::number;
use crate::encoding::listpack::{Element, Listpack};
use crate::encoding::ordered::{Entries, Order, Ordered};

/// A sorted set, borrowed. Ranks count from the lowest score.
#[derive(Clone, Copy)]
pub enum ZsetView<'a> {
    Packed(Listpack<'a>),
    Table(&'a Ordered),
}

/// Members with their scores, in order.
pub struct ZsetEntries<'a>(Source<'a>);

enum Source<'a> {
    Packed { pairs: Pairs<'a>, left: usize, order: Order },
    Table(Entries<'a>),
}

impl<'a> Iterator for ZsetEntries<'a> {
    type Item = (Element<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<(Element<'a>, f64)> {
        match &mut self.0 {
            Source::Table(entries) => entries.next().map(|(member, score)| (Element::Bytes(member), score)),
            Source::Packed { pairs, left, order } => {
                *left = left.checked_sub(1)?;
                match order {
                    Order::Ascending => pairs.next(),
                    Order::Descending => pairs.next_back(),
                }
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Source::Table(entries) => entries.size_hint(),
            Source::Packed { left, .. } => (0, Some(*left)),
        }
    }
}

impl<'a> ZsetView<'a> {
    pub fn len(self) -> usize {
        match self {
            ZsetView::Packed(pack) => pack.len() / 2,
            ZsetView::Table(table) => table.len(),
        }
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            ZsetView::Packed(pack) => packed::find(pack, member).map(|at| packed::score_at(pack, at)),
            ZsetView::Table(table) => table.score(member),
        }
    }

    /// The member's rank and score.
    pub fn rank(self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            ZsetView::Packed(pack) => Pairs::of(pack)
                .enumerate()
                .find(|(_, (other, _))| other.equals(member))
                .map(|(rank, pair)| (rank, pair.1)),
            ZsetView::Table(table) => table.rank(member),
        }
    }

    /// The member of a rank.
    pub fn at(self, rank: usize) -> Option<(Element<'a>, f64)> {
        match self {
            ZsetView::Packed(_) => self.entries(rank, 1, Order::Ascending).next(),
            ZsetView::Table(table) => table.at(rank).map(|(member, score)| (Element::Bytes(member), score)),
        }
    }

    /// Up to `count` members: ascending from the rank `start` on; descending from the `start`-th last on.
    pub fn entries(self, start: usize, count: usize, order: Order) -> ZsetEntries<'a> {
        match self {
            ZsetView::Table(table) => ZsetEntries(Source::Table(table.entries(start, count, order))),
            ZsetView::Packed(pack) => {
                let left = count.min(self.len().saturating_sub(start));
                let mut pairs = Pairs::of(pack);
                match order {
                    Order::Ascending => pairs.pass(start),
                    Order::Descending => pairs.pass_back(start),
                }
                ZsetEntries(Source::Packed { pairs, left, order })
            }
        }
    }

    /// The members of some ranks, in either order.
    pub fn entries_of(self, ranks: Range<usize>, order: Order) -> ZsetEntries<'a> {
        let start = match order {
            Order::Ascending => ranks.start,
            Order::Descending => self.len().saturating_sub(ranks.end),
        };
        self.entries(start, ranks.len(), order)
    }

    /// All members, ascending.
    pub fn iter(self) -> ZsetEntries<'a> {
        self.entries(0, usize::MAX, Order::Ascending)
    }

    /// The ranks of the members whose scores are in a range.
    pub fn ranks_by_score(self, range: ScoreRange) -> Range<usize> {
        if range.is_void() {
            return 0..0;
        }
        match self {
            ZsetView::Table(table) => {
                let [start, end] = range.bounds().map(|bound| table.count_before(bound));
                start..end
            }
            ZsetView::Packed(pack) => {
                let (mut below, mut inside) = (0, 0);
                for (_, score) in Pairs::of(pack) {
                    if !range.keeps_max(score) {
                        break;
                    }
                    if range.reaches_min(score) { inside += 1 } else { below += 1 }
                }
                below..below + inside
            }
        }
    }

    /// The ranks of the members that are in a range. Where scores differ there is no such order; then a packed set is
    /// searched from the end at which `order` begins, as Redis does it.
    pub fn ranks_by_lex(self, range: LexRange<'_>, order: Order) -> Range<usize> {
        if range.is_void() {
            return 0..0;
        }
        match self {
            ZsetView::Table(table) => {
                let [start, end] = range.bounds().map(|bound| table.count_before(bound));
                start..end.max(start)
            }
            ZsetView::Packed(pack) => packed_ranks_by_lex(pack, range, order),
        }
    }

    /// Visits some members with their scores as text or integer, and returns the cursor to go on with (0: all is done).
    /// In a sparse table it gives up after ten times as many places as are wanted, so that a call stays short.
    pub fn scan(self, cursor: u64, count: usize, visit: &mut dyn FnMut(Element<'_>, Element<'_>)) -> u64 {
        const PLACES_PER_MEMBER_MAX: usize = 10;
        let table = match self {
            ZsetView::Table(table) => table,
            ZsetView::Packed(pack) => {
                let mut entries = pack.iter();
                while let (Some(member), Some(score)) = (entries.next(), entries.next()) {
                    visit(member, score);
                }
                return 0;
            }
        };
        let (mut cursor, mut seen) = (cursor, 0);
        for _ in 0..count.saturating_mul(PLACES_PER_MEMBER_MAX) {
            cursor = table.scan(cursor, &mut |member, score| {
                seen += 1;
                visit(Element::Bytes(member), Element::Bytes(&number::format_f64(score)));
            });
            if cursor == 0 || seen >= count {
                break;
            }
        }
        cursor
    }

    /// A random member, all equally likely.
    pub fn sample(self, rng: &mut fastrand::Rng) -> Option<(Element<'a>, f64)> {
        let len = self.len();
        if len == 0 { None } else { self.at(rng.usize(..len)) }
    }

    /// Up to `count` different members, every choice equally likely, in random order.
    pub fn sample_distinct(self, count: usize, rng: &mut fastrand::Rng) -> Vec<(Element<'a>, f64)> {
        let len = self.len();
        let mut ranks = distinct_below(len, count.min(len), rng);
        if let ZsetView::Table(_) = self {
            return ranks.into_iter().filter_map(|rank| self.at(rank)).collect();
        }
        ranks.sort_unstable();
        let (mut entries, mut passed) = (self.iter(), 0);
        let mut chosen = Vec::with_capacity(ranks.len());
        for rank in ranks {
            chosen.extend(entries.nth(rank - passed));
            passed = rank + 1;
        }
        rng.shuffle(&mut chosen);
        chosen
    }
}

fn packed_ranks_by_lex(pack: Listpack<'_>, range: LexRange<'_>, order: Order) -> Range<usize> {
    let len = pack.len() / 2;
    let mut pairs = Pairs::of(pack);
    let reaches_some = Pairs::of(pack).next_back().is_some_and(|(last, _)| range.reaches_min(last))
        && Pairs::of(pack).next().is_some_and(|(first, _)| range.keeps_max(first));
    if !reaches_some {
        return 0..0;
    }
    match order {
        Order::Ascending => {
            let start = pairs.position(|(member, _)| range.reaches_min(member)).unwrap_or(len);
            let mut rest = Pairs::of(pack).skip(start);
            start..rest.position(|(member, _)| !range.keeps_max(member)).map_or(len, |above| start + above)
        }
        Order::Descending => {
            let above = pairs.rev().position(|(member, _)| range.keeps_max(member)).unwrap_or(len);
            let mut rest = Pairs::of(pack).rev().skip(above);
            let inside = rest.position(|(member, _)| !range.reaches_min(member)).unwrap_or(len - above);
            len - above - inside..len - above
        }
    }
}

/// `count` different numbers below `len`, in random order.
fn distinct_below(len: usize, count: usize, rng: &mut fastrand::Rng) -> Vec<usize> {
    /// Rather than a part as large as this, the whole is shuffled.
    const PART_MAX: usize = 3;
    if count > len / PART_MAX {
        let mut numbers: Vec<usize> = (0..len).collect();
        for place in 0..count {
            numbers.swap(place, rng.usize(place..len));
        }
        numbers.truncate(count);
        return numbers;
    }
    let mut seen = std::collections::HashSet::with_capacity(count);
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count {
        let number = rng.usize(..len);
        if seen.insert(number) {
            numbers.push(number);
        }
    }
    numbers
}
