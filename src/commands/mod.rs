//! One handler per command with its spec beside it, a file per group.
//!
//! To add a command: a function and one line in the `COMMANDS` of its group's file. Lookup, arity, ACL categories, the
//! replies of COMMAND, statistics and propagation follow from the spec.
pub mod acl;
pub mod bitmap;
pub mod client;
pub mod connection;
pub mod database;
pub mod dump;
mod elements;
#[cfg(test)]
mod events;
#[cfg(test)]
mod every_type;
pub mod expire;
pub mod geo;
pub mod hash;
pub mod help;
pub mod hyperloglog;
pub mod keys;
pub mod list;
pub mod object;
pub mod pubsub;
mod replace_file;
pub mod scan;
pub mod scripting;
pub mod server;
pub mod set;
pub mod sort;
pub mod stream;
pub mod strings;
#[cfg(test)]
pub mod testing;
mod wait;
pub mod zset;

use crate::server::Entry;

/// Every group that is there. `exec::table` adds the commands that run other commands.
pub const GROUPS: &[&[Entry]] = &[
    acl::COMMANDS,
    bitmap::COMMANDS,
    client::COMMANDS,
    connection::COMMANDS,
    database::COMMANDS,
    dump::COMMANDS,
    expire::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    keys::COMMANDS,
    list::COMMANDS,
    object::COMMANDS,
    pubsub::COMMANDS,
    scan::COMMANDS,
    scripting::COMMANDS,
    scripting::functions::COMMANDS,
    set::COMMANDS,
    sort::COMMANDS,
    stream::COMMANDS,
    strings::COMMANDS,
    wait::COMMANDS,
    zset::COMMANDS,
    server::command::COMMANDS,
    server::command_log::COMMANDS,
    server::config::COMMANDS,
    server::debug::COMMANDS,
    server::history::COMMANDS,
    server::info::COMMANDS,
    server::latency::COMMANDS,
    server::memory::COMMANDS,
    server::misc::COMMANDS,
    server::module::COMMANDS,
    server::snapshot::COMMANDS,
];
