//! The set type: distinct strings without an order.
//!
//! | encoding | what it holds | order of its members |
//! |---|---|---|
//! | intset    | integers, up to `set-max-intset-entries` | ascending |
//! | listpack  | up to `set-max-listpack-entries` members of up to `set-max-listpack-value` bytes | as they came |
//! | hashtable | anything | that of the table's buckets |
//!
//! A set never goes back to an earlier encoding. Which one a new set gets depends on its first member and on how many
//! are expected (`expect`).
//!
//! Invariants: 1. no member is there twice; 2. a member that is the canonical text of an i64 is the integer in an
//! intset or a listpack of our own, and the text in a table.
mod algebra;
mod edit;
mod load;
#[cfg(test)]
mod tests;
mod view;

use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};
use crate::base::alloc::size_class;
use crate::encoding::dict::{Dict, Item};
use crate::encoding::intset::{self, Intset};
use crate::encoding::listpack::{Digits, Listpack};
use crate::encoding::member::Member;

pub use algebra::{difference, intersection, union, union_len};
pub use load::SetLoader;
pub use view::Members;

/// Members of a large set.
pub type MemberTable = Dict<Member>;

pub enum Set {
    Intset(Vec<u8>),
    /// A listpack.
    Packed(Vec<u8>),
    Table(Box<MemberTable>),
}

#[derive(Clone, Copy)]
pub enum SetView<'a> {
    Intset(Intset<'a>),
    Packed(Listpack<'a>),
    Table(&'a MemberTable),
}

impl DataType for Set {
    const TYPE: ValueType = ValueType::Set;
    type View<'a> = SetView<'a>;

    fn create(_rules: &Rules) -> Self {
        Set::Intset(intset::empty())
    }

    fn view(&self) -> SetView<'_> {
        match self {
            Set::Intset(blob) => SetView::Intset(Intset::trusted(blob)),
            Set::Packed(blob) => SetView::Packed(Listpack::trusted(blob)),
            Set::Table(table) => SetView::Table(table),
        }
    }

    fn is_empty(&self) -> bool {
        self.view().is_empty()
    }

    fn encoding(view: SetView<'_>) -> Encoding {
        match view {
            SetView::Intset(_) => Encoding::Intset,
            SetView::Packed(_) => Encoding::Listpack,
            SetView::Table(_) => Encoding::Hashtable,
        }
    }

    fn packed(&self) -> Option<(Packing, &[u8])> {
        match self {
            Set::Intset(blob) => Some((Packing::Intset, blob)),
            Set::Packed(blob) => Some((Packing::Set, blob)),
            Set::Table(_) => None,
        }
    }

    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        match self {
            Set::Intset(blob) => Ok((Packing::Intset, blob)),
            Set::Packed(blob) => Ok((Packing::Set, blob)),
            Set::Table(_) => Err(self),
        }
    }

    fn from_packed(packing: Packing, bytes: Vec<u8>) -> Self {
        match packing {
            Packing::Intset => Set::Intset(bytes),
            _ => Set::Packed(bytes),
        }
    }

    fn view_packed(packing: Packing, bytes: &[u8]) -> SetView<'_> {
        match packing {
            Packing::Intset => SetView::Intset(Intset::trusted(bytes)),
            _ => SetView::Packed(Listpack::trusted(bytes)),
        }
    }

    fn load_packed(packing: Packing, bytes: Vec<u8>, depth: Depth, rules: &Rules) -> Result<Self, Corrupt> {
        let mut set = match packing {
            Packing::Intset => {
                Intset::check(&bytes).map_err(|error| Corrupt(error.0))?;
                Set::Intset(bytes)
            }
            Packing::Set => {
                let members = Listpack::check(&bytes).map_err(|error| Corrupt(error.0))?;
                if depth == Depth::Deep && has_duplicates(members, rules) {
                    return Err(Corrupt("set: a member that is there twice"));
                }
                Set::Packed(bytes)
            }
            _ => return Err(Corrupt("set: packed as another type")),
        };
        set.convert_if_beyond(rules);
        Ok(set)
    }

    fn duplicate(&self) -> Self {
        match self {
            Set::Intset(blob) => Set::Intset(blob.clone()),
            Set::Packed(blob) => Set::Packed(blob.clone()),
            Set::Table(table) => {
                let mut copy = table.empty_twin();
                copy.reserve(table.len());
                copy.extend_new(table.iter().cloned());
                Set::Table(Box::new(copy))
            }
        }
    }

    fn heap_bytes(view: SetView<'_>, samples: usize) -> usize {
        match view {
            SetView::Intset(intset) => size_class(intset.bytes().len()),
            SetView::Packed(members) => size_class(members.bytes().len()),
            SetView::Table(table) => {
                let samples = if samples == 0 { table.len() } else { samples.min(table.len()) };
                let sampled: usize = table.iter().take(samples).map(Member::heap_bytes).sum();
                let members = (sampled as u128 * table.len() as u128 / samples.max(1) as u128) as usize;
                size_class(size_of::<MemberTable>()) + table.heap_bytes() + members
            }
        }
    }

    fn drop_cost(&self) -> usize {
        const BYTES_PER_COST: usize = 64 << 10;
        match self {
            Set::Intset(blob) | Set::Packed(blob) => 1 + blob.len() / BYTES_PER_COST,
            Set::Table(table) => 2 + table.len(),
        }
    }

    fn set_rehash(&mut self, rehash: Rehash) {
        let Set::Table(table) = self else { return };
        match rehash {
            Rehash::Paused => table.pause_rehash(),
            // A set that became a table meanwhile was not paused.
            Rehash::Allowed if table.is_paused() => table.resume_rehash(),
            Rehash::Allowed => {}
        }
    }
}

/// Whether two entries of a listpack from outside are the same text.
fn has_duplicates(members: Listpack<'_>, rules: &Rules) -> bool {
    let mut table = MemberTable::new(rules.seed);
    let mut digits = Digits::default();
    !members.iter().all(|member| {
        let text = member.text(&mut digits);
        let hash = table.hash(text);
        let is_new = table.get(hash, text).is_none();
        if is_new {
            table.insert_new(hash, Member::new(text));
        }
        is_new
    })
}

impl Set {
    /// Walks every invariant; panics with the reason if one does not hold. For tests and DEBUG.
    #[doc(hidden)]
    pub fn check(&self) {
        match self {
            Set::Intset(blob) => assert!(Intset::check(blob).is_ok(), "a broken intset"),
            Set::Packed(blob) => {
                let members = Listpack::check(blob).expect("a listpack of our own");
                assert!(!has_duplicates(members, &Rules::default()), "a member that is there twice");
            }
            Set::Table(table) => {
                table.check();
                let is_found = |member: &Member| table.get(table.hash(member.key()), member.key()).is_some();
                assert!(table.iter().all(is_found), "a member that is not found");
            }
        }
    }
}
