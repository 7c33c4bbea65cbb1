//! A sorted set that is made at once: a file's, or the result of an operation on sets.

use super::packed::{self, PAIR_OVERHEAD_MAX};
use super::view::ZsetView;
use super::{Form, Put, Zset, each_text};
use crate::encoding::listpack::{self, Listpack, edit};
use crate::encoding::ordered::{Gathering, Ordered, Sorted};
use crate::object::{Corrupt, Rules};

/// Takes members in any order; they are put in order together.
pub struct ZsetBuilder(Gathering);

impl ZsetBuilder {
    pub fn new(rules: &Rules) -> Self {
        ZsetBuilder(Gathering::new(rules.seed))
    }

    /// Makes room for so many in all, which the caller knows to come.
    pub fn reserve(&mut self, members: usize) {
        self.0.reserve(members);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a member of a file.
    ///
    /// # Errors
    /// When the member is there already, or the score is none.
    pub fn add(&mut self, member: &[u8], score: f64) -> Result<(), Corrupt> {
        if score.is_nan() {
            return Err(Corrupt("sorted set: a score that is not a number"));
        }
        match self.0.put(member, |old| if old.is_none() { Some(score) } else { None }) {
            Put::Added => Ok(()),
            Put::Changed | Put::Same | Put::Declined => {
                Err(Corrupt("sorted set: a member that stands twice"))
            }
        }
    }

    /// Gives `member` the score that `decide` answers for the one it has, if it is there. `None` changes nothing.
    pub fn put(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> Put {
        self.0.put(member, decide)
    }

    /// All members in order.
    pub fn sorted(self) -> Sorted {
        self.0.sorted()
    }

    /// The set, packed if the thresholds allow it.
    pub fn finish(self, rules: &Rules) -> Zset {
        let gathered = self.0;
        let bytes = gathered.member_bytes() + gathered.len().saturating_mul(PAIR_OVERHEAD_MAX);
        let is_small = gathered.len() <= rules.zset_max_listpack_entries
            && gathered.longest() <= rules.zset_max_listpack_value
            && listpack::fits(0, bytes);
        let sorted = gathered.sorted();
        if !is_small {
            return Zset(Form::Table(Box::new(sorted.into_ordered())));
        }
        let mut blob = edit::empty();
        sorted.iter().for_each(|(member, score)| packed::push(&mut blob, member, score));
        Zset(Form::Packed(blob))
    }
}

/// A table of what is packed; of a member that stands twice only the first.
pub(super) fn table_of(pack: Listpack<'_>, rules: &Rules) -> Ordered {
    let mut gathered = Gathering::new(rules.seed);
    gathered.reserve(pack.len() / 2 + 1);
    each_text(ZsetView::Packed(pack), &mut |member, score| {
        gathered.put(member, |old| if old.is_none() { Some(score) } else { None });
    });
    gathered.sorted().into_ordered()
}
