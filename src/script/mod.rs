//! Room `script`: Lua scripts and functions.
//!
//! ```text
//!   scripts   what the server keeps: the interpreter, the cache
//!   engine    an interpreter with everything that scripts find in it; compiles and runs
//!   sandbox   the globals: what is there, and that nothing of it can be changed
//!   cache     scripts by their SHA-1
//!   flags     the first line of a script: what it may do
//!   functions libraries of functions: loaded, replaced, called by name
//!   redis     the table `redis`: commands from within a script
//!   convert   replies <-> Lua values
//!   library   the other tables: cjson, cmsgpack, ...
//!   run       a script as it runs for a client
//!   host      what a script asks of the server (a trait: `exec` implements it)
//!   tidy      gives back what scripts have left in an interpreter
//!   lua       Lua itself, with everything unsafe about it
//! ```
//! What this room does not do: it knows no client and no keyspace; commands run by `Host`.
pub mod cache;
pub mod convert;
pub mod engine;
pub mod flags;
pub mod functions;
pub mod host;
pub mod library;
pub mod lua;
pub mod redis;
pub mod run;
pub mod sandbox;
pub mod scripts;
mod tidy;

pub use cache::Cache;
pub use engine::{Counted, Engine, ScriptError};
pub use flags::ScriptFlags;
pub use functions::Libraries;
pub use host::{Host, Replication, Tick};
pub use lua::Progress;
pub use run::{Run, RunKind, Terms, Writes};
pub use scripts::Scripts;
