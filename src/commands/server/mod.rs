//! The commands of the group server, a room for each family.
pub mod command;
pub mod debug;
