//! The commands as rules and checks need them, by their index in the command table and by name.

use crate::spec::{Categories, Flags, KeyFlags, Spec};
use std::collections::HashMap;

/// A set of commands: one bit for each index in the command table.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CommandSet(Box<[u64]>);

impl CommandSet {
    #[inline]
    pub fn has(&self, command: usize) -> bool {
        self.0.get(command / 64).is_some_and(|word| word >> (command % 64) & 1 == 1)
    }

    /// Every command of `other` is in this.
    pub fn holds(&self, other: &CommandSet) -> bool {
        other.0.iter().zip(&self.0).all(|(other, own)| other & !own == 0)
    }

    pub fn is_disjoint(&self, other: &CommandSet) -> bool {
        other.0.iter().zip(&self.0).all(|(other, own)| other & own == 0)
    }

    pub fn add(&mut self, other: &CommandSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }

    pub fn remove(&mut self, other: &CommandSet) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own &= !other);
    }

    fn insert(&mut self, command: usize) {
        self.0[command / 64] |= 1 << (command % 64);
    }
}

/// How a command names channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelUse {
    None,
    /// Argument 1 is a channel.
    One,
    /// All arguments are.
    All,
    /// All arguments are patterns: a user must have been given the very same.
    Patterns,
}

/// Which databases a command touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatabaseUse {
    /// None: it is about connections or the server.
    None,
    Selected,
    /// The one at this argument, and not the selected one.
    At(usize),
    /// The two at arguments 1 and 2.
    Two,
    /// The selected one and the one at argument 2.
    SelectedAndAt2,
    /// The selected one and that behind the option DB.
    SelectedAndOption,
    /// All of them.
    All,
}

/// One command.
pub struct Known {
    pub spec: &'static Spec,
    /// Its index in the command table.
    pub index: usize,
    pub container: Option<usize>,
    /// It and its subcommands.
    pub(super) family: CommandSet,
    pub(super) has_subcommands: bool,
    pub(super) channels: ChannelUse,
    pub(super) databases: DatabaseUse,
    /// See `Spec::lone_key`.
    pub(super) lone_key: Option<(usize, KeyFlags)>,
    pub(super) has_keys: bool,
    /// It also reads keys that it finds by patterns: see `may_read_every_key`.
    pub finds_keys: bool,
    /// Whoever is connected may call it: it serves to log in or to leave.
    pub(super) is_free: bool,
}

/// Every command.
pub struct Catalog {
    commands: Vec<Known>,
    by_name: HashMap<&'static str, usize>,
    /// In the order of `Categories::NAMES`.
    categories: Vec<CommandSet>,
    everything: CommandSet,
}

impl Catalog {
    /// Takes the command table in its order: each command's spec and the index of its container.
    pub fn new(table: impl Iterator<Item = (&'static Spec, Option<usize>)>) -> Self {
        let table: Vec<_> = table.collect();
        let nothing = CommandSet(vec![0; table.len().div_ceil(64)].into());
        let set_of = |is_in: &dyn Fn(usize) -> bool| {
            let mut set = nothing.clone();
            (0..table.len()).filter(|index| is_in(*index)).for_each(|index| set.insert(index));
            set
        };
        let in_category = |category: Categories| set_of(&|index| table[index].0.categories.has(category));
        let known = |(index, (spec, container)): (usize, &(&'static Spec, Option<usize>))| Known {
            spec,
            index,
            container: *container,
            family: set_of(&|other| other == index || table[other].1 == Some(index)),
            has_subcommands: table.iter().any(|(_, container)| *container == Some(index)),
            channels: channels_of(spec.name),
            databases: databases_of(spec),
            lone_key: spec.lone_key(),
            finds_keys: matches!(spec.name, "sort" | "sort_ro"),
            has_keys: !spec.keys.is_empty() || spec.further_key.is_some(),
            is_free: spec.flags.has(Flags::NO_AUTH),
        };
        Catalog {
            commands: table.iter().enumerate().map(known).collect(),
            by_name: table.iter().enumerate().map(|(index, (spec, _))| (spec.name, index)).collect(),
            categories: Categories::NAMES.iter().map(|(category, _)| in_category(*category)).collect(),
            everything: set_of(&|_| true),
        }
    }

    pub fn at(&self, index: usize) -> &Known {
        &self.commands[index]
    }

    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.commands.iter()
    }

    /// The command or subcommand (`config|get`) of that name, in any case.
    pub fn find(&self, name: &[u8]) -> Option<&Known> {
        let name = str::from_utf8(name).ok()?.to_ascii_lowercase();
        self.by_name.get(name.as_str()).map(|index| &self.commands[*index])
    }

    /// The index in `Categories::NAMES` of the category of that name, in any case.
    pub fn find_category(&self, name: &[u8]) -> Option<usize> {
        Categories::NAMES.iter().position(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name))
    }

    pub fn category(&self, index: usize) -> &CommandSet {
        &self.categories[index]
    }

    pub fn everything(&self) -> &CommandSet {
        &self.everything
    }
}

fn channels_of(name: &str) -> ChannelUse {
    match name {
        "publish" | "spublish" => ChannelUse::One,
        "subscribe" | "ssubscribe" => ChannelUse::All,
        "psubscribe" => ChannelUse::Patterns,
        _ => ChannelUse::None,
    }
}

/// As Valkey 9.1 sees it: what reads or writes touches the selected database, whether it names keys or not.
fn databases_of(spec: &Spec) -> DatabaseUse {
    match spec.name {
        "select" => DatabaseUse::At(1),
        "swapdb" => DatabaseUse::Two,
        "move" => DatabaseUse::SelectedAndAt2,
        "copy" => DatabaseUse::SelectedAndOption,
        "flushall" | "snapshot|restore" => DatabaseUse::All,
        _ if spec.flags.has(Flags::WRITE.or(Flags::READONLY)) || !spec.keys.is_empty() => {
            DatabaseUse::Selected
        }
        _ => DatabaseUse::None,
    }
}
