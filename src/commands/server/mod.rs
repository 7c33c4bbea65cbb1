//! The commands about the server itself, a file for each family.
pub mod snapshot;
