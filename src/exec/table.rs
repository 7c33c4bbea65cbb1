//! Joins the commands of all groups with those that run other commands.

use super::{multi, script};
use crate::commands;
use crate::server::CommandTable;

/// The table of every command this server has.
pub fn command_table() -> CommandTable {
    let mut groups = commands::GROUPS.to_vec();
    groups.extend([multi::COMMANDS, script::COMMANDS, script::FUNCTION_COMMANDS]);
    CommandTable::new(&groups)
}
