//! The command table: every command and subcommand by name, with its statistics.
//!
//! `rename-command` changes how clients call a command, and nothing else: COMMAND, the statistics, ACL rules and errors
//! go on naming it as before, as in Redis.
//!
//! Names are found by open addressing over a power of two of slots. A slot carries the name's first and last bytes in
//! lower case, so that most lookups, one for every command, read nothing else.

use super::entry::Entry;
use crate::acl::Catalog;
use crate::metrics::command_stats::CommandStats;
use std::borrow::Cow;

/// A command's place in the table.
pub struct Command {
    pub entry: &'static Entry,
    /// What clients call it; `None`: they cannot (any more). A subcommand goes with its container.
    called: Option<Cow<'static, [u8]>>,
    /// Index of the container, for a subcommand.
    pub container: Option<usize>,
    /// Indices of the subcommands.
    pub subcommands: Vec<usize>,
    /// Place of the first key, 0 when there is none at a fixed place.
    pub first_key: usize,
    /// `Spec::member_at`.
    pub member_at: usize,
    pub stats: CommandStats,
}

/// Why a `rename-command` is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameError {
    NoSuchCommand,
    TargetExists,
}

impl RenameError {
    /// As redis-server 7.0.15 says it.
    pub fn text(self) -> &'static str {
        match self {
            RenameError::NoSuchCommand => "No such command in rename-command",
            RenameError::TargetExists => "Target command name already exists",
        }
    }
}

pub struct CommandTable {
    commands: Vec<Command>,
    slots: Vec<Option<Slot>>,
}

const SLOTS: usize = 1024;

#[derive(Clone, Copy)]
struct Slot {
    name: Folded,
    command: u16,
    /// `Folded` tells everything: the name is short and of letters only.
    is_exact: bool,
}

/// A name's length and its first and last eight bytes, letters in lower case; other bytes may be folded onto others.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Folded {
    first: u64,
    last: u64,
    length: usize,
}

impl Folded {
    /// Names up to this length have no byte that is not among the first or the last.
    const LENGTH_MAX: usize = 16;

    #[inline]
    fn of(name: &[u8]) -> Folded {
        const LOWER_CASE: u64 = 0x2020_2020_2020_2020;
        let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
                (Some(first), Some(last)) => {
                    (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
                }
                _ => (name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
            },
        };
        Folded { first: first | LOWER_CASE, last: last | LOWER_CASE, length: name.len() }
    }

    #[inline]
    fn home(self) -> usize {
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (self.first ^ self.last.rotate_left(29) ^ self.length as u64).wrapping_mul(MIX);
        (mixed >> 32) as usize & (SLOTS - 1)
    }
}

impl CommandTable {
    /// Joins the groups' lists. A name that stands twice is a programmer's error and stops the start.
    pub fn new(groups: &[&'static [Entry]]) -> Self {
        let mut table = CommandTable { commands: Vec::new(), slots: vec![None; SLOTS] };
        for entry in groups.iter().flat_map(|group| group.iter()) {
            assert!(
                table.find(entry.spec.name.as_bytes()).is_none(),
                "command {} stands twice",
                entry.spec.name
            );
            let container = table.push(entry, None);
            table.index(container);
            for subcommand in entry.subcommands {
                let index = table.push(subcommand, Some(container));
                table.commands[container].subcommands.push(index);
            }
        }
        assert!(table.commands.len() < table.slots.len() / 2, "the index is too small for so many commands");
        table
    }

    fn push(&mut self, entry: &'static Entry, container: Option<usize>) -> usize {
        self.commands.push(Command {
            called: container.is_none().then_some(Cow::Borrowed(entry.spec.name.as_bytes())),
            entry,
            container,
            subcommands: Vec::new(),
            first_key: entry.spec.first_key().unwrap_or(0),
            member_at: entry.spec.member_at,
            stats: CommandStats::default(),
        });
        self.commands.len() - 1
    }

    fn index(&mut self, command: usize) {
        let Some(text) = self.commands[command].called.as_deref() else { return };
        let name = Folded::of(text);
        let mut at = name.home();
        while self.slots[at].is_some() {
            at = (at + 1) & (SLOTS - 1);
        }
        let is_exact = text.len() <= Folded::LENGTH_MAX && text.iter().all(u8::is_ascii_alphabetic);
        let command = u16::try_from(command).expect("fewer than 65535 commands");
        self.slots[at] = Some(Slot { name, command, is_exact });
    }

    /// Has clients call `old` by the name `new` from now on; by none when that is empty.
    ///
    /// # Errors
    /// When nothing is called `old`, or something else is called `new`; the table may have changed.
    pub fn rename(&mut self, old: &[u8], new: &[u8]) -> Result<(), RenameError> {
        let command = self.find(old).ok_or(RenameError::NoSuchCommand)?;
        self.commands[command].called = None;
        self.index_anew();
        if new.is_empty() {
            return Ok(());
        }
        if self.find(new).is_some() {
            return Err(RenameError::TargetExists);
        }
        self.commands[command].called = Some(Cow::Owned(new.to_vec()));
        self.index(command);
        Ok(())
    }

    fn index_anew(&mut self) {
        self.slots.fill(None);
        (0..self.commands.len()).for_each(|command| self.index(command));
    }

    /// The index of the command called `name`, in any case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let folded = Folded::of(name);
        let mut at = folded.home();
        loop {
            let slot = self.slots[at]?;
            let command = usize::from(slot.command);
            if slot.name == folded && (slot.is_exact || self.is_called(command, name)) {
                return Some(command);
            }
            at = (at + 1) & (SLOTS - 1);
        }
    }

    fn is_called(&self, command: usize, name: &[u8]) -> bool {
        self.commands[command].called.as_ref().is_some_and(|called| called.eq_ignore_ascii_case(name))
    }

    /// The index of the command whose own name is `name`, in any case and whatever clients call it: how rules of users
    /// name commands.
    pub fn find_own(&self, name: &[u8]) -> Option<usize> {
        let is_it = |command: &Command| {
            command.container.is_none() && command.entry.spec.name.as_bytes().eq_ignore_ascii_case(name)
        };
        self.commands.iter().position(is_it)
    }

    /// The index of subcommand `name` of the container at `container`.
    pub fn find_subcommand(&self, container: usize, name: &[u8]) -> Option<usize> {
        let subcommands = &self.commands[container].subcommands;
        let is_it = |index: &&usize| {
            self.commands[**index].entry.spec.own_name().as_bytes().eq_ignore_ascii_case(name)
        };
        subcommands.iter().find(is_it).copied()
    }

    /// Finds `name` or `container|name`.
    pub fn find_full(&self, name: &[u8]) -> Option<usize> {
        match name.iter().position(|byte| *byte == b'|') {
            None => self.find(name),
            Some(bar) => self.find_subcommand(self.find(&name[..bar])?, &name[bar + 1..]),
        }
    }

    pub fn at(&self, index: usize) -> &Command {
        &self.commands[index]
    }

    pub fn at_mut(&mut self, index: usize) -> &mut Command {
        &mut self.commands[index]
    }

    /// The commands as access control knows them.
    pub fn catalog(&self) -> Catalog {
        Catalog::new(self.commands.iter().map(|command| (&command.entry.spec, command.container)))
    }

    /// All commands and subcommands.
    pub fn iter(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Command> {
        self.commands.iter_mut()
    }

    /// Those that are no subcommands and that clients can call.
    pub fn top_level(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter().filter(|command| command.called.is_some())
    }

    /// All that clients can call, subcommands included.
    pub fn callable(&self) -> impl Iterator<Item = &Command> {
        let container =
            |command: &Command| command.container.and_then(|at| self.commands.get(at)?.called.as_ref());
        self.commands.iter().filter(move |command| command.called.is_some() || container(command).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Reply;
    use crate::server::Flow;
    use crate::spec::{CommandError, Flags, Group, Spec};

    fn nothing(
        _: &mut crate::keyspace::Tx<'_>,
        _: crate::base::argv::Args<'_>,
        _: &mut Reply<'_>,
    ) -> Result<Flow, CommandError> {
        Ok(Flow::Done)
    }

    const fn entry(name: &'static str) -> Entry {
        Entry::data(Spec::new(name, 1, Group::Server, Flags::NONE), nothing)
    }

    const CONTAINER: Spec = Spec::new("config", -2, Group::Server, Flags::NONE);
    const COMMANDS: &[Entry] = &[
        entry("get"),
        entry("set"),
        Entry::container(CONTAINER, &[entry("config|get"), entry("config|set")]),
    ];

    #[test]
    fn a_command_has_one_name_for_clients_and_its_own_for_everything_else() {
        let mut table = CommandTable::new(&[COMMANDS]);
        let get = table.find(b"GET").unwrap();
        assert_eq!(table.rename(b"get", b"an unusual name, longer than others"), Ok(()));
        assert_eq!(
            (table.find(b"get"), table.find(b"AN unusual name, longer than others")),
            (None, Some(get))
        );
        assert_eq!((table.at(get).entry.spec.name, table.find_own(b"Get")), ("get", Some(get)));
        assert_eq!(table.rename(b"set", b"Get"), Ok(()), "the name is free");
        assert_eq!(table.rename(b"set", b"x"), Err(RenameError::NoSuchCommand));
        assert_eq!(table.rename(b"get", b"CONFIG"), Err(RenameError::TargetExists));
    }

    #[test]
    fn what_nobody_can_call_is_not_listed() {
        let mut table = CommandTable::new(&[COMMANDS]);
        assert_eq!((table.top_level().count(), table.callable().count()), (3, 5));
        assert_eq!(table.rename(b"config", b""), Ok(()));
        assert_eq!((table.top_level().count(), table.callable().count()), (2, 2));
        assert_eq!((table.find_full(b"config|get"), table.find_own(b"config")), (None, Some(2)));
        assert_eq!(table.rename(b"get", b"config"), Ok(()), "as its name is free");
        assert_eq!(table.find_full(b"config"), Some(0));
    }
}
