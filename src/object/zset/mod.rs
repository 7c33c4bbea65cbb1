//! The sorted set.
//!
//! ```text
//!   Packed   a listpack of members and scores, ascending (`packed`); up to `zset-max-listpack-entries` members of
//!            up to `zset-max-listpack-value` bytes                                   OBJECT ENCODING: listpack
//!   Table    members by name in a table, by score and rank in a tree (`encoding::ordered`)           skiplist
//! ```
//! Members of equal score are ordered by their bytes. A score is never NaN: the editing methods are not given one.
//!
//! A packed set becomes a table when an addition is beyond the thresholds, and stays one; a set that is made at once
//! (`ZsetBuilder`) is packed if it may be.

mod build;
mod packed;
mod range;
#[cfg(test)]
mod tests;
mod view;

use std::ops::Range;

pub use self::build::{ZsetBuilder, ZsetLoader};
pub use self::range::{LexBound, LexRange, ScoreBound, ScoreRange};
pub use self::view::{ZsetEntries, ZsetView};
use super::{Corrupt, DataType, Depth, Encoding, Packing, Rehash, Rules, ValueType};
use crate::base::alloc::size_class;
use crate::encoding::listpack::{self, Digits, Listpack, edit};
use crate::encoding::ordered::Ordered;
pub use crate::encoding::ordered::{Order, Put};

pub struct Zset(Form);

enum Form {
    Packed(Vec<u8>),
    Table(Box<Ordered>),
}

impl Zset {
    /// Gives a member a score.
    pub fn add(&mut self, member: &[u8], score: f64, rules: &Rules) -> Put {
        self.put(member, rules, |_| Some(score))
    }

    /// Gives `member` the score that `decide` answers for the one it has, if it is there. `None` changes nothing.
    pub fn put(
        &mut self,
        member: &[u8],
        rules: &Rules,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Put {
        let blob = match &mut self.0 {
            Form::Table(table) => return table.put(member, decide),
            Form::Packed(blob) => blob,
        };
        let pack = Listpack::trusted(blob);
        if let Some(at) = packed::find(pack, member) {
            let old = packed::score_at(pack, at);
            let Some(score) = decide(Some(old)) else { return Put::Declined };
            if score == old {
                return Put::Same;
            }
            edit::remove(blob, at, 2);
            packed::insert(blob, member, score);
            return Put::Changed;
        }
        let Some(score) = decide(None) else { return Put::Declined };
        let fits = pack.len() / 2 < rules.zset_max_listpack_entries
            && member.len() <= rules.zset_max_listpack_value
            && listpack::fits(blob.len(), member.len() + packed::PAIR_OVERHEAD_MAX);
        if fits {
            packed::insert(blob, member, score);
        } else {
            self.unpack(rules).put(member, |_| Some(score));
        }
        Put::Added
    }

    /// Removes a member; its score if it was there.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match &mut self.0 {
            Form::Table(table) => table.remove(member),
            Form::Packed(blob) => {
                let pack = Listpack::trusted(blob);
                let at = packed::find(pack, member)?;
                let score = packed::score_at(pack, at);
                edit::remove(blob, at, 2);
                Some(score)
            }
        }
    }

    /// Removes the members of some ranks; how many those were.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        match &mut self.0 {
            Form::Table(table) => table.remove_ranks(ranks.start, ranks.len()),
            Form::Packed(blob) => {
                let before = Listpack::trusted(blob).len();
                let start = isize::try_from(ranks.start.saturating_mul(2)).unwrap_or(isize::MAX);
                let Some(at) = Listpack::trusted(blob).nth(start) else { return 0 };
                edit::remove(blob, at, ranks.len().saturating_mul(2));
                (before - Listpack::trusted(blob).len()) / 2
            }
        }
    }

    /// The table that a packed set becomes.
    fn unpack(&mut self, rules: &Rules) -> &mut Ordered {
        if let Form::Packed(blob) = &self.0 {
            self.0 = Form::Table(Box::new(build::table_of(Listpack::trusted(blob), rules)));
        }
        match &mut self.0 {
            Form::Table(table) => table,
            Form::Packed(_) => unreachable!("unpacked above"),
        }
    }

    /// Panics if an invariant is broken.
    pub fn check(&self) {
        match &self.0 {
            Form::Table(table) => table.check(),
            Form::Packed(blob) => assert_eq!(packed::check(blob, Depth::Deep), Ok(())),
        }
    }
}

impl DataType for Zset {
    const TYPE: ValueType = ValueType::Zset;
    type View<'a> = ZsetView<'a>;

    fn create(_rules: &Rules) -> Self {
        Zset(Form::Packed(edit::empty()))
    }

    fn view(&self) -> ZsetView<'_> {
        match &self.0 {
            Form::Packed(blob) => ZsetView::Packed(Listpack::trusted(blob)),
            Form::Table(table) => ZsetView::Table(table),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Packed(blob) => Listpack::trusted(blob).is_empty(),
            Form::Table(table) => table.is_empty(),
        }
    }

    fn encoding(view: ZsetView<'_>) -> Encoding {
        match view {
            ZsetView::Packed(_) => Encoding::Listpack,
            ZsetView::Table(_) => Encoding::Skiplist,
        }
    }

    fn packed(&self) -> Option<(Packing, &[u8])> {
        match &self.0 {
            Form::Packed(blob) => Some((Packing::Zset, blob)),
            Form::Table(_) => None,
        }
    }

    fn into_packed(self) -> Result<(Packing, Vec<u8>), Self> {
        match self.0 {
            Form::Packed(blob) => Ok((Packing::Zset, blob)),
            Form::Table(_) => Err(self),
        }
    }

    fn from_packed(_packing: Packing, bytes: Vec<u8>) -> Self {
        Zset(Form::Packed(bytes))
    }

    fn view_packed(_packing: Packing, bytes: &[u8]) -> ZsetView<'_> {
        ZsetView::Packed(Listpack::trusted(bytes))
    }

    fn load_packed(_packing: Packing, bytes: Vec<u8>, depth: Depth, rules: &Rules) -> Result<Self, Corrupt> {
        packed::check(&bytes, depth)?;
        let pack = Listpack::trusted(&bytes);
        if pack.len() / 2 > rules.zset_max_listpack_entries {
            return Ok(Zset(Form::Table(Box::new(build::table_of(pack, rules)))));
        }
        Ok(Zset(Form::Packed(bytes)))
    }

    fn duplicate(&self) -> Self {
        match &self.0 {
            Form::Packed(blob) => Zset(Form::Packed(blob.clone())),
            Form::Table(table) => Zset(Form::Table(Box::new(table.duplicate()))),
        }
    }

    fn heap_bytes(view: ZsetView<'_>, samples: usize) -> usize {
        match view {
            ZsetView::Packed(pack) => size_class(pack.bytes().len()),
            ZsetView::Table(table) => size_class(size_of::<Ordered>()) + table.heap_bytes(samples),
        }
    }

    fn drop_cost(&self) -> usize {
        match &self.0 {
            Form::Packed(_) => 1,
            Form::Table(table) => 1 + table.drop_cost(),
        }
    }

    fn set_rehash(&mut self, rehash: Rehash) {
        match (&mut self.0, rehash) {
            (Form::Packed(_), _) => {}
            (Form::Table(table), Rehash::Paused) => table.pause_rehash(),
            // A set that became a table meanwhile was not paused.
            (Form::Table(table), Rehash::Allowed) if table.is_rehash_paused() => table.resume_rehash(),
            (Form::Table(_), Rehash::Allowed) => {}
        }
    }
}

/// Calls `visit` with the text of every member, ascending.
fn each_text(view: ZsetView<'_>, visit: &mut dyn FnMut(&[u8], f64)) {
    view.iter().for_each(|(member, score)| visit(member.text(&mut Digits::default()), score));
}
