//! The commands about the server itself, a file for each family.
pub mod command;
pub mod command_log;
pub mod config;
pub mod debug;
pub mod footprint;
pub mod history;
pub mod info;
pub mod latency;
pub mod memory;
pub mod misc;
pub mod module;
pub mod snapshot;
