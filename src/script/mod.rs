//! Room `script`: Lua scripts and functions.
//!
//! ```text
//!   host      what a script asks of the server (a trait: `exec` implements it)
//!   lua       the interpreter, with everything unsafe about it
//!   library   what scripts find in it
//! ```
//! What this room does not do: it knows no client and no keyspace; commands run by `Host`.
pub mod host;
pub mod library;
pub mod lua;

pub use host::{Host, Tick};
