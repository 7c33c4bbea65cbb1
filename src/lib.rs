//! Tintype: a Redis-compatible in-memory key-value server.
pub mod base;
pub mod boot;
pub mod client;
pub mod commands;
pub mod config;
pub mod encoding;
pub mod exec;
pub mod keyspace;
pub mod metrics;
pub mod net;
pub mod persist;
pub mod rdb;
pub mod resp;
pub mod server;
pub mod spec;
