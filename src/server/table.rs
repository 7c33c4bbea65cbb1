//! The command table: every command and subcommand by name, with its statistics.
//!
//! Names are found by open addressing over a power of two of slots. A slot carries the name's first and last bytes in
//! lower case, so that most lookups, one for every command, read nothing else.

use super::entry::Entry;
use crate::acl::Catalog;
use crate::metrics::command_stats::CommandStats;

/// A command's place in the table.
pub struct Command {
    pub entry: &'static Entry,
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
        let text = self.commands[command].entry.spec.name.as_bytes();
        let name = Folded::of(text);
        let mut at = name.home();
        while self.slots[at].is_some() {
            at = (at + 1) & (SLOTS - 1);
        }
        let is_exact = text.len() <= Folded::LENGTH_MAX && text.iter().all(u8::is_ascii_alphabetic);
        let command = u16::try_from(command).expect("fewer than 65535 commands");
        self.slots[at] = Some(Slot { name, command, is_exact });
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
        self.commands[command].entry.spec.name.as_bytes().eq_ignore_ascii_case(name)
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

    /// Those that are no subcommands.
    pub fn top_level(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter().filter(|command| command.container.is_none())
    }
}
