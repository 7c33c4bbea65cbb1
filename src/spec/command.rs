//! The spec of one command: everything that is known of it besides what it does.

use super::category::{Categories, Group};
use super::flags::Flags;
use super::keys::{Begin, Find, InvalidKeys, KeyFlags, KeySpec};
use crate::base::argv::Args;

/// Name, arity, flags, key positions and documentation of a command or subcommand.
#[derive(Debug)]
pub struct Spec {
    /// Lower case; a subcommand carries its container: `config|get`.
    pub name: &'static str,
    /// The exact number of arguments, name included; negative: at least so many.
    pub arity: i32,
    pub group: Group,
    pub flags: Flags,
    pub categories: Categories,
    pub keys: &'static [KeySpec],
    /// The version of Redis (or Valkey, then said so) that brought it.
    pub since: &'static str,
    pub summary: &'static str,
    /// The arguments in the notation of the reference: `key value [NX|XX] [EX seconds]`.
    pub syntax: &'static str,
    /// Command tips, as COMMAND INFO lists them.
    pub tips: &'static [&'static str],
    /// Time complexity as COMMAND DOCS tells it; empty when nothing is told.
    pub complexity: &'static str,
    pub deprecation: Option<Deprecation>,
    /// Tells of each key spec what its flags cannot; shorter than `keys` when the rest needs no words.
    pub key_notes: &'static [&'static str],
    /// Tells the flags of keys whose spec says `VARIABLE_FLAGS` from the arguments.
    pub key_flags: Option<KeyFlagsOf>,
    /// Finds a key that no spec can describe (STORE among the options of SORT).
    pub further_key: Option<FurtherKey>,
    pub audience: Audience,
    /// Where the first member or field of the collection at argument 1 stands; 0 when there is none.
    pub member_at: usize,
}

/// What a command does with its keys when it is called with these arguments.
pub type KeyFlagsOf = fn(Args<'_>) -> KeyFlags;

/// The place of a key among these arguments, and what the command does with it.
pub type FurtherKey = fn(Args<'_>) -> Option<(usize, KeyFlags)>;

/// Since when a command should no longer be used, and what should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    pub since: &'static str,
    pub replaced_by: &'static str,
}

/// For whom a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Everyone,
    /// It serves the server's own workings and tests: COMMAND DOCS calls it a `syscmd`.
    System,
}

impl Spec {
    pub const fn new(name: &'static str, arity: i32, group: Group, flags: Flags) -> Spec {
        Spec {
            name,
            arity,
            group,
            flags,
            categories: Categories::implied(group, flags),
            keys: &[],
            since: "1.0.0",
            summary: "",
            syntax: "",
            tips: &[],
            complexity: "",
            deprecation: None,
            key_notes: &[],
            key_flags: None,
            further_key: None,
            audience: Audience::Everyone,
            member_at: 0,
        }
    }

    pub const fn keys(mut self, keys: &'static [KeySpec]) -> Spec {
        self.keys = keys;
        self
    }

    /// Adds categories that do not follow from group and flags.
    pub const fn category(mut self, extra: Categories) -> Spec {
        self.categories = self.categories.or(extra);
        self
    }

    /// Tells which argument is looked up in the collection at argument 1, so that it can be prefetched.
    pub const fn member_at(mut self, argument: usize) -> Spec {
        self.member_at = argument;
        self
    }

    /// A container is not in the category of its group; only its subcommands are.
    pub const fn contains(mut self) -> Spec {
        self.categories = Categories::implied(Group::Server, self.flags);
        self
    }

    pub const fn doc(mut self, since: &'static str, summary: &'static str, syntax: &'static str) -> Spec {
        self.since = since;
        self.summary = summary;
        self.syntax = syntax;
        self
    }

    pub const fn tips(mut self, tips: &'static [&'static str]) -> Spec {
        self.tips = tips;
        self
    }

    pub const fn complexity(mut self, complexity: &'static str) -> Spec {
        self.complexity = complexity;
        self
    }

    pub const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Spec {
        self.deprecation = Some(Deprecation { since, replaced_by });
        self
    }

    pub const fn key_notes(mut self, notes: &'static [&'static str]) -> Spec {
        self.key_notes = notes;
        self
    }

    pub const fn key_flags(mut self, key_flags: KeyFlagsOf) -> Spec {
        self.key_flags = Some(key_flags);
        self
    }

    pub const fn further_key(mut self, further_key: FurtherKey) -> Spec {
        self.further_key = Some(further_key);
        self
    }

    pub const fn audience(mut self, audience: Audience) -> Spec {
        self.audience = audience;
        self
    }

    /// The name without its container: `get` of `config|get`.
    pub fn own_name(&self) -> &'static str {
        self.name.rsplit('|').next().unwrap_or(self.name)
    }

    pub const fn accepts(&self, arguments: usize) -> bool {
        if self.arity >= 0 {
            arguments == self.arity as usize
        } else {
            arguments >= self.arity.unsigned_abs() as usize
        }
    }

    /// First key, last key and step as COMMAND INFO has told them since Redis 2.8; zeros when the first key spec is not
    /// a plain range.
    pub fn key_range(&self) -> (i64, i64, i64) {
        let mut range: Option<(i64, i64, i64)> = None;
        for spec in self.keys {
            let (Begin::Index(first), Find::Range { last, step, limit: 0 | 1 }) = (spec.begin, spec.find)
            else {
                continue;
            };
            let (first, last) = (first as i64, i64::from(last));
            let last = if last >= 0 { first + last } else { last };
            range = match range {
                None => Some((first, last, step as i64)),
                Some((low, high, step)) if high >= 0 && first == high + step => Some((low, last, step)),
                kept => kept,
            };
        }
        range.unwrap_or((0, 0, 0))
    }

    /// The place of the first key when it is fixed: enough to prefetch it.
    pub fn first_key(&self) -> Option<usize> {
        match self.keys.first()?.begin {
            Begin::Index(index) => Some(index),
            Begin::Keyword { .. } | Begin::Unknown => None,
        }
    }

    /// The places of all keys in `args`, whose arity has been checked.
    pub fn key_places(&self, args: Args<'_>) -> Result<Vec<(usize, KeyFlags)>, InvalidKeys> {
        let mut places = Vec::new();
        for spec in self.key_specs() {
            spec.places(args, &mut places)?;
        }
        self.finish_places(args, &mut places);
        Ok(places)
    }

    /// The places of those keys that can be told when other arguments cannot be understood: who asks for the right to
    /// touch them does not rely on an error that may not come.
    pub fn certain_key_places(&self, args: Args<'_>) -> Vec<(usize, KeyFlags)> {
        let mut places = Vec::new();
        for spec in self.key_specs() {
            let known = places.len();
            if spec.places(args, &mut places).is_err() {
                places.truncate(known);
            }
        }
        self.finish_places(args, &mut places);
        places
    }

    /// The only key, when it always stands at the same place and the same is done with it.
    pub fn lone_key(&self) -> Option<(usize, KeyFlags)> {
        let mut specs = self.key_specs();
        let (Some(spec), None) = (specs.next(), specs.next()) else { return None };
        let varies = spec.flags.has(KeyFlags::VARIABLE_FLAGS) && self.key_flags.is_some();
        match (spec.begin, spec.find) {
            (Begin::Index(place), Find::Range { last: 0, .. }) if !varies && self.further_key.is_none() => {
                Some((place, spec.flags))
            }
            _ => None,
        }
    }

    fn key_specs(&self) -> impl Iterator<Item = &KeySpec> {
        self.keys.iter().filter(|spec| !spec.flags.has(KeyFlags::NOT_KEY))
    }

    fn finish_places(&self, args: Args<'_>, places: &mut Vec<(usize, KeyFlags)>) {
        places.extend(self.further_key.and_then(|find| find(args)));
        if let Some(key_flags) = self.key_flags {
            let variable = places.iter_mut().filter(|(_, flags)| flags.has(KeyFlags::VARIABLE_FLAGS));
            variable.for_each(|(_, flags)| *flags = key_flags(args));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_KEYS: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RW), KeySpec::one(2, KeyFlags::OW)];

    #[test]
    fn key_ranges_join() {
        let spec = Spec::new("rename", 3, Group::Generic, Flags::WRITE).keys(TWO_KEYS);
        assert_eq!(spec.key_range(), (1, 2, 1));
        assert_eq!(spec.first_key(), Some(1));
        const TO_THE_END: &[KeySpec] = &[KeySpec::one(2, KeyFlags::OW), KeySpec::rest(3, 1, KeyFlags::RO)];
        let spec = Spec::new("bitop", -4, Group::Bitmap, Flags::WRITE).keys(TO_THE_END);
        assert_eq!(spec.key_range(), (2, -1, 1));
    }

    #[test]
    fn arity_is_exact_or_a_minimum() {
        let get = Spec::new("get", 2, Group::String, Flags::READONLY);
        let set = Spec::new("set", -3, Group::String, Flags::WRITE);
        assert!(get.accepts(2) && !get.accepts(3) && set.accepts(3) && set.accepts(9) && !set.accepts(2));
    }
}
