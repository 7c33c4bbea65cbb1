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

/// One line of a group's `COMMANDS`.
pub struct Entry {
    pub spec: Spec,
    pub handler: Handler,
    pub subcommands: &'static [Entry],
}

impl Entry {
    pub const fn data(spec: Spec, handler: DataHandler) -> Entry {
        Entry { spec, handler: Handler::Data(handler), subcommands: &[] }
    }

    pub const fn server(spec: Spec, handler: ServerHandler) -> Entry {
        Entry { spec, handler: Handler::Server(handler), subcommands: &[] }
    }

    pub const fn container(spec: Spec, subcommands: &'static [Entry]) -> Entry {
        Entry { spec, handler: Handler::Container, subcommands }
    }

    /// Gives a command that can be called by itself (COMMAND) subcommands as well.
    pub const fn with(mut self, subcommands: &'static [Entry]) -> Entry {
        self.subcommands = subcommands;
        self
    }
}
