//! What is known of commands without running them: flags, key positions, ACL categories, arity, errors.
//!
//! A fact about a command is written once, in its `Spec` beside its handler; lookup, arity errors, ACL categories, the
//! replies of COMMAND and the extraction of keys are derived from it.
pub mod args;
pub mod category;
pub mod command;
pub mod error;
pub mod flags;
pub mod keys;
pub mod syntax;
mod version;

pub use category::{Categories, Group};
pub use command::{Audience, Spec};
pub use error::CommandError;
pub use flags::Flags;
pub use keys::{Begin, Find, KeyFlags, KeySpec};
pub use version::{REDIS_VERSION, version_number};
