//! One handler per command with its spec beside it, a file per group.
//!
//! To add a command: a function and one line in the `COMMANDS` of its group's file. Lookup, arity, ACL categories, the
//! replies of COMMAND, statistics and propagation follow from the spec.
pub mod help;
pub mod server;
pub mod strings;

use crate::server::Entry;

/// Every group that is there. `exec::table` adds the commands that run other commands.
pub const GROUPS: &[&[Entry]] =
    &[strings::COMMANDS, server::command::COMMANDS, server::debug::COMMANDS, server::snapshot::COMMANDS];
