//! A command as the table holds it: its spec and its handler side by side.

use super::cx::Cx;
use crate::base::argv::Args;
use crate::keyspace::Tx;
use crate::resp::Reply;
use crate::spec::{CommandError, Spec};

/// What happens after a handler has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Done,
    /// Nothing was answered: the command waits for what it has told (`Tx::wait`), and is run again then.
    Block,
    /// A slow script is suspended: the command has not ended (`server::suspended`).
    Suspend,
    /// The connection closes once the reply is sent.
    Close,
}

/// A command that only reads and changes keys. It has no access to clients, files or counters, so it cannot touch them.
pub type DataHandler = fn(&mut Tx<'_>, Args<'_>, &mut Reply<'_>) -> Result<Flow, CommandError>;

/// A command about the server itself: clients, configuration, snapshots.
pub type ServerHandler = fn(&mut Cx<'_>, Args<'_>) -> Result<Flow, CommandError>;

#[derive(Clone, Copy)]
pub enum Handler {
    Data(DataHandler),
    Server(ServerHandler),
    /// Only its subcommands can be called.
    Container,
}

/// Whether a command that is no write changes what is saved, where, or whether it is. Then it is refused while the last
/// save is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbs {
    Nothing,
    LastSave,
    /// With one of these words, in lower case, behind its name.
    LastSaveWith(&'static [&'static str]),
}

/// One line of a group's `COMMANDS`.
pub struct Entry {
    pub spec: Spec,
    pub handler: Handler,
    pub subcommands: &'static [Entry],
    disturbs: Disturbs,
}

impl Entry {
    pub const fn data(spec: Spec, handler: DataHandler) -> Entry {
        Entry::new(spec, Handler::Data(handler), &[])
    }

    pub const fn server(spec: Spec, handler: ServerHandler) -> Entry {
        Entry::new(spec, Handler::Server(handler), &[])
    }

    pub const fn container(spec: Spec, subcommands: &'static [Entry]) -> Entry {
        Entry::new(spec, Handler::Container, subcommands)
    }

    const fn new(spec: Spec, handler: Handler, subcommands: &'static [Entry]) -> Entry {
        Entry { spec, handler, subcommands, disturbs: Disturbs::Nothing }
    }

    pub const fn disturbing(mut self, disturbs: Disturbs) -> Entry {
        self.disturbs = disturbs;
        self
    }

    pub fn disturbs_last_save(&self, args: Args<'_>) -> bool {
        match self.disturbs {
            Disturbs::Nothing => false,
            Disturbs::LastSave => true,
            Disturbs::LastSaveWith(words) => {
                let is_second =
                    |second: &[u8]| words.iter().any(|word| second.eq_ignore_ascii_case(word.as_bytes()));
                args.get(1).is_some_and(is_second)
            }
        }
    }

    /// Gives a command that can be called by itself (COMMAND) subcommands as well.
    pub const fn with(mut self, subcommands: &'static [Entry]) -> Entry {
        self.subcommands = subcommands;
        self
    }
}
