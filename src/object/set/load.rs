//! A set of a file, member by member.

use super::Set;
use crate::base::number;
use crate::encoding::dict::Arrivals;
use crate::encoding::member::Member;
use crate::object::{DataType, Loaded, Rules};

/// A set that is coming.
pub struct SetLoader {
    set: Set,
    arrivals: Arrivals<Member>,
    expected: usize,
}

impl SetLoader {
    /// For about `expected` members.
    pub fn new(expected: usize, rules: &Rules) -> SetLoader {
        SetLoader { set: Set::create(rules), arrivals: Arrivals::default(), expected }
    }

    /// Adds a member. `settle` must follow before there are more than `BATCH` of them.
    #[inline]
    pub fn push(&mut self, member: &[u8], rules: &Rules) -> Loaded {
        if let Set::Table(table) = &self.set {
            self.arrivals.push(table, Member::new(member));
            return Loaded::Pushed;
        }
        self.push_small(member, rules)
    }

    fn push_small(&mut self, member: &[u8], rules: &Rules) -> Loaded {
        if self.set.is_empty() {
            self.set.expect(member, self.expected, rules);
        }
        if self.set.add_as(member, number::parse_i64(member), self.expected, rules) {
            Loaded::Settled
        } else {
            Loaded::Twice
        }
    }

    /// Takes in what was pushed.
    ///
    /// # Errors
    /// When a member is there already: its place among those that were pushed. The loader is of no more use then.
    pub fn settle(&mut self) -> Result<(), usize> {
        match &mut self.set {
            Set::Table(table) => self.arrivals.settle(table, &mut |_, _| ()),
            Set::Intset(_) | Set::Packed(_) => Ok(()),
        }
    }

    /// The set of all that was settled.
    pub fn finish(self) -> Set {
        self.set
    }
}
