//! Tintype: a Redis-compatible in-memory key-value server.
pub mod base;
pub mod config;
pub mod encoding;
pub mod keyspace;
pub mod metrics;
pub mod object;
pub mod persist;
pub mod rdb;
pub mod resp;
pub mod spec;
