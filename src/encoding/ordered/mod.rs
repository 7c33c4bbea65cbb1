//! A large sorted set: members by name in a table, by score and rank in a tree.
//!
//! The table owns the items (`scored`), the tree holds pointers to them with the scores beside, so that a search in the
//! order touches tree memory alone and reads an item only where scores are equal. About 24 bytes an item for members
//! of up to 15 bytes, 18 to 20 in the tree, 11 to 21 in the table.
//!
//! Invariants: 1. the tree holds exactly the items of the table, each under its own score; 2. no score is NaN; 3. an
//! item leaves the tree before it leaves the table, and its score changes in the tree before it does in the item.
//!
//! It deliberately knows no encoding but its own and no ranges of the protocol: those are `object::zset`'s.

mod build;
mod check;
mod load;
mod node;
mod path;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

pub use self::build::{Gathering, Sorted};
pub use self::load::OrderedLoader;
use self::node::Pair;
pub use self::tree::Bound;
use self::tree::Tree;
pub use self::walk::Order;
use self::walk::Walk;
use super::dict::{Dict, DictStatistics, HashSeed};
use super::scored::Scored;

pub struct Ordered {
    members: Dict<Scored>,
    tree: Tree,
    seed: HashSeed,
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Put {
    Added,
    /// Its score is another than before.
    Changed,
    /// It is there, and was with this score.
    Same,
    /// The caller wanted nothing done.
    Declined,
}

/// Shows members with their scores in order.
pub struct Entries<'a>(Walk<'a>);

impl Ordered {
    /// The members as a table, to prefetch in it.
    pub fn members(&self) -> &Dict<Scored> {
        &self.members
    }

    /// Allocates nothing until the first insertion.
    pub fn new(seed: HashSeed) -> Self {
        Ordered { members: Dict::new(seed), tree: Tree::default(), seed }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.members.get(self.members.hash(member), member).map(Scored::score)
    }

    /// The member's rank, the lowest score having 0, and its score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let item = self.members.get(self.members.hash(member), member)?;
        let score = item.score();
        Some((self.tree.rank_of_item(item.pointer(), score)?, score))
    }

    /// How many members lie before a bound.
    pub fn count_before(&self, bound: Bound<'_>) -> usize {
        self.tree.rank(bound)
    }

    /// The member of a rank.
    pub fn at(&self, rank: usize) -> Option<(&[u8], f64)> {
        // SAFETY: items in the tree are the table's (invariant 1), which is borrowed.
        self.tree.select(rank).map(|pair| (unsafe { pair.item.member() }, pair.score))
    }

    /// Up to `count` members: ascending from the rank `start` on; descending from the `start`-th last on.
    pub fn entries(&self, start: usize, count: usize, order: Order) -> Entries<'_> {
        Entries(self.tree.walk(start, count, order))
    }

    /// Gives `member` the score that `decide` answers for the one it has, if it is there. `None` changes nothing.
    pub fn put(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Put {
        let hash = self.members.hash(member);
        let Some(item) = self.members.get_mut(hash, member) else {
            let Some(score) = decide(None) else { return Put::Declined };
            self.add(hash, score, member);
            return Put::Added;
        };
        let old = item.score();
        let Some(score) = decide(Some(old)) else { return Put::Declined };
        if score == old {
            return Put::Same;
        }
        debug_assert!(!score.is_nan());
        // SAFETY: the item is the table's, and in the tree under its score (invariant 1).
        unsafe { self.tree.change_score(item.pointer(), old, score) };
        item.set_score(score);
        Put::Changed
    }

    fn add(&mut self, hash: u64, score: f64, member: &[u8]) {
        debug_assert!(!score.is_nan());
        let item = Scored::new(score, member);
        // SAFETY: the item goes into the table at once, and leaves it only after it has left the tree (invariant 3);
        // the member was not in the table.
        unsafe { self.tree.insert(Pair { score, item: item.pointer() }) };
        self.members.insert_new(hash, item);
    }

    /// Removes a member; its score if it was there.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let hash = self.members.hash(member);
        let item = self.members.get(hash, member)?;
        let score = item.score();
        let was_ordered = self.tree.remove(item.pointer(), score);
        debug_assert!(was_ordered, "every item of the table is in the tree");
        drop(self.members.remove(hash, member));
        Some(score)
    }

    /// Removes up to `count` members from a rank on; how many those were.
    pub fn remove_ranks(&mut self, start: usize, count: usize) -> usize {
        let before = self.len();
        let Ordered { members, tree, .. } = self;
        tree.remove_ranks(start, count, &mut |item| {
            // SAFETY: the item has left the tree and is still the table's (invariants 1 and 3).
            let member = unsafe { item.member() };
            drop(members.remove(members.hash(member), member));
        });
        before - self.len()
    }

    /// Visits the members of the next places of the table and returns the cursor to go on with, as `Dict::scan` does.
    pub fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.members.scan(cursor, &mut |item| visit(item.member(), item.score()))
    }

    /// Every member in no order, faster than in theirs.
    pub fn for_each(&self, visit: &mut dyn FnMut(&[u8], f64)) {
        self.members.for_each(&mut |item| visit(item.member(), item.score()));
    }

    /// Asks for the memory that looking `member` up will read first.
    pub fn prefetch(&self, member: &[u8]) {
        self.members.prefetch_bucket(self.members.hash(member));
    }

    pub fn pause_rehash(&mut self) {
        self.members.pause_rehash();
    }

    pub fn resume_rehash(&mut self) {
        self.members.resume_rehash();
    }

    pub fn is_rehash_paused(&self) -> bool {
        self.members.is_paused()
    }

    /// Bytes allocated: tables, tree and items, whose size is guessed from so many of them; 0 looks at all.
    pub fn heap_bytes(&self, samples: usize) -> usize {
        let samples = if samples == 0 { self.len() } else { samples.min(self.len()) };
        let sampled: usize = self.members.iter().take(samples).map(Scored::heap_bytes).sum();
        let items = (sampled as u128 * self.len() as u128).checked_div(samples as u128).unwrap_or(0);
        self.members.heap_bytes() + self.tree.heap_bytes(samples) + items as usize
    }

    /// How the table of the members is filled.
    pub fn table_statistics(&self) -> DictStatistics {
        self.members.statistics()
    }

    /// Calls to the allocator that dropping takes, roughly.
    pub fn drop_cost(&self) -> usize {
        /// Of random insertions.
        const ENTRIES_PER_NODE: usize = 40;
        self.len() + self.len() / ENTRIES_PER_NODE + 2
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<(&'a [u8], f64)> {
        let pair = self.0.next()?;
        // SAFETY: items in the tree are the table's, which is borrowed for `'a`.
        Some((unsafe { pair.item.member() }, pair.score))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Entries<'_> {}
