//! A sorted set that is made at once: a file's, or the result of an operation on sets.

use super::packed::{self, PAIR_OVERHEAD_MAX};
use super::view::ZsetView;
use super::{Form, Put, Zset, each_text};
use crate::encoding::listpack::{self, Listpack, edit};
use crate::encoding::ordered::{Gathering, Ordered, OrderedLoader, Sorted};
use crate::object::{Corrupt, Loaded, Rules};

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

/// A sorted set of a file, which comes member by member, mostly the highest first.
pub enum ZsetLoader {
    /// May have to be packed.
    Small(ZsetBuilder),
    Large(OrderedLoader),
}

impl ZsetLoader {
    /// For so many members as were `announced`; room is made for those that are `expected`.
    pub fn new(announced: u64, expected: usize, rules: &Rules) -> ZsetLoader {
        if announced > rules.zset_max_listpack_entries as u64 {
            return ZsetLoader::Large(OrderedLoader::new(expected, rules.seed));
        }
        let mut builder = ZsetBuilder::new(rules);
        builder.reserve(expected);
        ZsetLoader::Small(builder)
    }

    /// Adds a member. `settle` must follow before there are more than `BATCH` of them.
    ///
    /// # Errors
    /// When the score is none.
    #[inline]
    pub fn push(&mut self, member: &[u8], score: f64) -> Result<Loaded, Corrupt> {
        if score.is_nan() {
            return Err(Corrupt("sorted set: a score that is not a number"));
        }
        match self {
            ZsetLoader::Large(loader) => {
                loader.push(member, score);
                Ok(Loaded::Pushed)
            }
            ZsetLoader::Small(builder) => match builder.put(member, |old| old.is_none().then_some(score)) {
                Put::Added => Ok(Loaded::Settled),
                Put::Changed | Put::Same | Put::Declined => Ok(Loaded::Twice),
            },
        }
    }

    /// Takes in what was pushed.
    ///
    /// # Errors
    /// When a member is there already: its place among those that were pushed. The loader is of no more use then.
    pub fn settle(&mut self) -> Result<(), usize> {
        match self {
            ZsetLoader::Small(_) => Ok(()),
            ZsetLoader::Large(loader) => loader.settle(),
        }
    }

    /// The set of all that was settled.
    pub fn finish(self, rules: &Rules) -> Zset {
        match self {
            ZsetLoader::Small(builder) => builder.finish(rules),
            ZsetLoader::Large(loader) => Zset(Form::Table(Box::new(loader.finish()))),
        }
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
