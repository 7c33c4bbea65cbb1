//! Client-side caching through sockets: the same conversations with redis-server, random ones of all commands, and what
//! goes beyond it.

#[path = "differential/compare.rs"]
#[expect(dead_code, reason = "this test compares invalidations, not replies")]
mod compare;
#[path = "differential/generator.rs"]
#[expect(dead_code, reason = "it is the differential test's")]
mod generator;
#[path = "tracking/own.rs"]
mod own;
#[path = "tracking/random.rs"]
mod random;
pub mod support;
#[path = "differential/table.rs"]
mod table;
#[path = "differential/tables/mod.rs"]
mod tables;
#[path = "tracking/transcripts.rs"]
mod transcripts;
