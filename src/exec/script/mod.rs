//! EVAL and its kin: commands that run scripts, which run commands.
//!
//! ```text
//!   commands  EVAL, EVALSHA: find the script, then
//!   functions FCALL: the same for functions
//!   admission  may it start, by its flags
//!   run       lends it the server, runs it, turns its end into the reply
//!   host      what the script asks for meanwhile: `redis.call` passes the gates and is called as a client's command
//! ```
mod admission;
mod commands;
mod functions;
mod host;
pub mod run;

pub use admission::flags_of_call;
pub use commands::COMMANDS;
pub use functions::COMMANDS as FUNCTION_COMMANDS;
