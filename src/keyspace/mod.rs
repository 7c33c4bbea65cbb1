//! Keys and what happens to them: databases, entries, expiry, eviction, and the ledger of what a command changed.
//!
//! Invariants:
//! 1. Only this room adds or removes keys, and only through `Tx`.
//! 2. A change is written in the ledger; nothing here applies its effects.
//! 3. Time, randomness and the amount of memory in use come in from above.
pub mod db;
pub mod entry;
pub mod event;
pub mod evict;
pub mod expire;
pub mod expiry_index;
pub mod field_expiry;
pub mod ledger;
pub mod lru;
pub mod scan;
pub mod settings;
pub mod tx;

pub use db::{Db, Keyspace};
pub use entry::{Entry, FrozenEntry, FrozenTable, StrView};
pub use event::Event;
pub use ledger::{Change, Ledger, OnTimeout, Wait, WhenGone};
pub use settings::{Freeing, Settings};
pub use tx::{Access, Expiry, Fate, Free, Seen, Tx};

#[cfg(test)]
mod tests;
