//! EVAL and its kin: commands that run scripts, which run commands.
//!
//! ```text
//!   commands  EVAL, EVALSHA: find the script, then
//!   run       lends it the server, runs it, turns its end into the reply
//!   host      what the script asks for meanwhile: `redis.call` passes the gates and is called as a client's command
//! ```
mod commands;
mod host;
pub mod run;

pub use commands::COMMANDS;
