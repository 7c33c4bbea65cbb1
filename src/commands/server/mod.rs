//! The commands about the server itself, a file for each family.
pub mod config;
pub mod footprint;
pub mod info;
pub mod latency;
pub mod memory;
pub mod misc;
pub mod slowlog;
pub mod snapshot;
