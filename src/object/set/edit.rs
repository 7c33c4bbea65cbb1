//! Changing a set, and the way from one encoding to the next.

use super::{DataType, MemberTable, Set, SetView};
use crate::base::number;
use crate::encoding::intset::{self, Intset};
use crate::encoding::listpack::{self, Digits, Element, Listpack, edit};
use crate::encoding::member::Member;
use crate::object::Rules;

impl Set {
    /// Before about `count` members are added, of which `first` is the first: gives an empty set the encoding they will
    /// need, and makes a table of one that they would outgrow.
    pub fn expect(&mut self, first: &[u8], count: usize, rules: &Rules) {
        let beyond_listpack = count > rules.set_max_listpack_entries;
        if !self.is_empty() {
            let is_beyond = match self {
                Set::Intset(_) => count > intset_entries_max(rules),
                Set::Packed(_) => beyond_listpack,
                Set::Table(_) => false,
            };
            if is_beyond {
                self.convert(count, rules);
            }
        } else if number::parse_i64(first).is_some() && count <= intset_entries_max(rules) {
            *self = Set::Intset(intset::empty());
        } else if !beyond_listpack {
            *self = Set::Packed(edit::empty());
        } else {
            self.convert(count, rules);
        }
    }

    /// Adds a member; whether it was not there.
    pub fn add(&mut self, member: &[u8], rules: &Rules) -> bool {
        self.add_as(member, number::parse_i64(member), 0, rules)
    }

    /// Adds members, of which some may be there; how many were not. Best after `expect`.
    pub fn add_all<'m>(&mut self, mut members: impl Iterator<Item = &'m [u8]>, rules: &Rules) -> usize {
        let mut added = 0;
        loop {
            // One alone has nobody to share a wait for memory with.
            let is_last = members.size_hint() == (1, Some(1));
            if let (Set::Table(table), false) = (&mut *self, is_last) {
                return added + table.insert_absent(members, &mut Member::new);
            }
            let Some(member) = members.next() else { return added };
            added += usize::from(self.add(member, rules));
        }
    }

    /// Adds the member `text`, which is the text of `integer`. If the set becomes a table it gets room for `expected`.
    pub(super) fn add_as(
        &mut self,
        text: &[u8],
        integer: Option<i64>,
        expected: usize,
        rules: &Rules,
    ) -> bool {
        match self {
            Set::Intset(blob) => match integer {
                Some(value) => {
                    let is_new = intset::insert(blob, value);
                    if is_new {
                        self.convert_if_beyond_for(expected, rules);
                    }
                    is_new
                }
                None => {
                    self.leave_intset(text, expected, rules);
                    true
                }
            },
            Set::Packed(blob) => {
                let members = Listpack::trusted(blob);
                if members.find(members.first(), text, 0).is_some() {
                    return false;
                }
                let fits = members.len() < rules.set_max_listpack_entries
                    && text.len() <= rules.set_max_listpack_value
                    && listpack::fits(blob.len(), text.len());
                if fits {
                    edit::push(blob, text);
                } else {
                    self.convert(expected.max(self.view().len() + 1), rules);
                    self.add_as(text, integer, expected, rules);
                }
                true
            }
            Set::Table(table) => {
                let hash = table.hash(text);
                let is_new = table.get(hash, text).is_none();
                if is_new {
                    table.insert_new(hash, Member::new(text));
                }
                is_new
            }
        }
    }

    /// A text that is no integer comes to an intset.
    fn leave_intset(&mut self, text: &[u8], expected: usize, rules: &Rules) {
        let Set::Intset(blob) = self else { return };
        let members = Intset::trusted(blob);
        let ends = [members.first(), members.last()].into_iter().flatten();
        let longest = ends.map(number::digits_len).max().unwrap_or(0).max(text.len());
        let fits_listpack = members.len() < rules.set_max_listpack_entries
            && longest <= rules.set_max_listpack_value
            && listpack::fits(longest.saturating_mul(members.len()), text.len());
        if fits_listpack {
            let mut packed = edit::empty();
            members.iter().for_each(|value| edit::push_int(&mut packed, value));
            edit::push(&mut packed, text);
            *self = Set::Packed(packed);
        } else {
            self.convert(expected.max(self.view().len() + 1), rules);
            self.add_as(text, None, expected, rules);
        }
    }

    /// Takes a member out; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Intset(blob) => number::parse_i64(member).is_some_and(|value| intset::remove(blob, value)),
            Set::Packed(blob) => {
                let members = Listpack::trusted(blob);
                let Some(at) = members.find(members.first(), member, 0) else { return false };
                edit::remove(blob, at, 1);
                true
            }
            Set::Table(table) => table.remove(table.hash(member), member).is_some(),
        }
    }

    /// Takes members out; how many were there.
    pub fn remove_all<'m>(&mut self, members: impl Iterator<Item = &'m [u8]>) -> usize {
        match self {
            Set::Table(table) => table.remove_many(members, &mut |_| ()),
            _ => members.filter(|member| self.remove(member)).count(),
        }
    }

    /// A set of members that are all different.
    pub fn of_distinct(members: &[Element<'_>], rules: &Rules) -> Set {
        if members.len() <= intset_entries_max(rules) {
            let integers: Option<Vec<i64>> = members.iter().map(|member| member.as_i64()).collect();
            if let Some(mut integers) = integers {
                integers.sort_unstable();
                return Set::Intset(intset::of_ascending(&integers));
            }
        }
        let is_small = |member: &Element<'_>| member.len() <= rules.set_max_listpack_value;
        if members.len() <= rules.set_max_listpack_entries && members.iter().all(is_small) {
            let mut packed = edit::empty();
            if members.iter().all(|member| push_if_fits(&mut packed, *member)) {
                packed.shrink_to_fit();
                return Set::Packed(packed);
            }
        }
        let mut table = MemberTable::new(rules.seed);
        table.reserve(members.len());
        table.extend_new(members.iter().map(|member| Member::new(member.text(&mut Digits::default()))));
        Set::Table(Box::new(table))
    }

    /// An empty table with room for `expected` members.
    pub(super) fn table(expected: usize, rules: &Rules) -> Set {
        let mut table = MemberTable::new(rules.seed);
        table.reserve(expected);
        Set::Table(Box::new(table))
    }

    /// Makes a table of a set that is packed, with room for `expected` members.
    fn convert(&mut self, expected: usize, rules: &Rules) {
        let mut converted = MemberTable::new(rules.seed);
        let view = self.view();
        converted.reserve(expected.max(view.len()));
        let mut digits = Digits::default();
        for member in view.iter() {
            let text = member.text(&mut digits);
            let hash = converted.hash(text);
            // A listpack from outside may hold a member twice.
            if converted.get(hash, text).is_none() {
                converted.insert_new(hash, Member::new(text));
            }
        }
        *self = Set::Table(Box::new(converted));
    }

    /// Makes a table of a set that has outgrown its encoding.
    pub(super) fn convert_if_beyond(&mut self, rules: &Rules) {
        self.convert_if_beyond_for(0, rules);
    }

    fn convert_if_beyond_for(&mut self, expected: usize, rules: &Rules) {
        let is_beyond = match self.view() {
            SetView::Intset(members) => members.len() > intset_entries_max(rules),
            SetView::Packed(members) => members.len() > rules.set_max_listpack_entries,
            SetView::Table(_) => false,
        };
        if is_beyond {
            self.convert(expected, rules);
        }
    }
}

fn push_if_fits(packed: &mut Vec<u8>, member: Element<'_>) -> bool {
    let fits = listpack::fits(packed.len(), member.len());
    if fits {
        edit::push(packed, member.text(&mut Digits::default()));
    }
    fits
}

fn intset_entries_max(rules: &Rules) -> usize {
    rules.set_max_intset_entries.min(intset::LEN_MAX)
}
