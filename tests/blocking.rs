//! Commands that wait for a key, through sockets: who is served when, with what, and what ends a wait.
//!
//! Most of this was compared with redis-server 7.0.15, which can run it (see `support`). Where later releases decided
//! otherwise, Tintype follows them, and the test says so: since 7.2 a command that waited is run again as a whole when
//! one of its keys changes.

#[path = "blocking/clients.rs"]
mod clients;
#[path = "blocking/crowd.rs"]
mod crowd;
#[path = "blocking/lists.rs"]
mod lists;
#[path = "blocking/meters.rs"]
mod meters;
#[path = "blocking/streams.rs"]
mod streams;
pub mod support;
#[path = "blocking/time.rs"]
mod time;
#[path = "blocking/tools.rs"]
mod tools;
