//! The commands about the server itself, a file for each family.
pub mod command;
pub mod debug;
pub mod snapshot;
