//! Room `persist`: snapshots on disk. Writes the keyspace into a file, in this process or in a forked child,
//! and loads it.
//!
//! | file | what |
//! |---|---|
//! | `snapshot` | when the last save was, how it went, what is due |
//! | `image` | the keyspace as an RDB file |
//! | `disk` | a file that appears whole or not at all |
//! | `child` | the forked process, from both sides |
//! | `lock` | one save at a time among instances |
//! | `load` | a file into a keyspace, in steps |
//! | `threads` | how many threads a save gets |
//! | `repair` | huge pages after a save |
//! | `convert` | a file, written again in another version |
//! | `id` | the name of a snapshot |
//! | `history` | the files that stay when newer ones take their place |
//! | `catalog` | what is known of each of them |
//! | `stamp` | which file it was |
//! | `source` | a file that a tool or `convert` reads |
//! | `tools` | what is done with a file without a server: check, export, diff, salvage |
//! | `error` | why it failed: operation, path, reason |
//!
//! Invariants
//! 1. This room knows no opcode: `rdb` does. It knows no command: `server::snapshots` brings it together with
//!    the rest.
//! 2. The good file is replaced only by a finished one.
//! 3. Every failure says operation, path and reason.

pub mod catalog;
pub mod child;
pub mod convert;
pub mod disk;
pub mod error;
pub mod history;
pub mod id;
pub mod image;
pub mod load;
pub mod lock;
pub mod repair;
pub mod snapshot;
mod source;
pub mod stamp;
pub mod threads;
pub mod tools;

pub use error::{Operation, SnapshotError};
pub use id::SnapshotId;
pub use load::{LoadError, Loading};
pub use snapshot::{SaveStatus, Snapshots};

#[cfg(test)]
mod fixture;
