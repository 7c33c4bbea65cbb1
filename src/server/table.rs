//! The command table: every command and subcommand by name, with its statistics.
//!
//! Names are found by open addressing over a power of two of 16-bit slots, hashed in lower case; the whole index stays
//! in a few cache lines, since it is read for every command.

use super::entry::Entry;
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
    pub stats: CommandStats,
}

pub struct CommandTable {
    commands: Vec<Command>,
    slots: Vec<u16>,
}

const EMPTY: u16 = u16::MAX;

impl CommandTable {
    /// Joins the groups' lists. A name that stands twice is a programmer's error and stops the start.
    pub fn new(groups: &[&'static [Entry]]) -> Self {
        let mut table = CommandTable { commands: Vec::new(), slots: vec![EMPTY; 2048] };
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
            stats: CommandStats::default(),
        });
        self.commands.len() - 1
    }

    fn index(&mut self, command: usize) {
        let mut slot = self.home(self.commands[command].entry.spec.name.as_bytes());
        while self.slots[slot] != EMPTY {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = u16::try_from(command).expect("fewer than 65535 commands");
    }

    fn home(&self, name: &[u8]) -> usize {
        let mixed = name.iter().fold(name.len() as u64, |hash, byte| {
            (hash ^ u64::from(byte | 0x20)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
        });
        mixed as usize & (self.slots.len() - 1)
    }

    /// The index of the command called `name`, in any case.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let mut slot = self.home(name);
        loop {
            let index = self.slots[slot];
            if index == EMPTY {
                return None;
            }
            if self.commands[usize::from(index)].entry.spec.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(usize::from(index));
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
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
