//! From a request's arguments to its effects: look the command up, pass the gates, run it, commit what it changed.
//!
//! Invariants:
//! 1. `commit` is the only reader of the ledger: no handler turns a change into an effect.
//! 2. Every command that runs or is refused is counted exactly once.
pub mod call;
pub mod client_eviction;
pub mod commit;
pub mod crash;
pub mod cron;
pub mod gates;
pub mod http;
pub mod inbox;
pub mod monitor;
pub mod multi;
pub mod notify;
pub mod output_limit;
pub mod permissions;
pub mod pipeline;
pub mod redact;
pub mod script;
pub mod suspended;
pub mod table;
pub mod tracking;
pub mod unblock;

pub use inbox::Inbox;
pub use pipeline::Verdict;
pub use table::command_table;

#[cfg(test)]
mod tests;
