//! Room `acl`: users, and what each of them may do.
//!
//! ```text
//!   rule words ──user──▶ User ── root selector, further selectors ── commands · keys · channels · databases
//!        ▲                │
//!        └───describe─────┤                     (ACL LIST, aclfile, `user` lines: the words give the user back)
//!                         ▼
//!   check(user, command, args, db) ──▶ allowed, or `Denied`: why, and by which argument
//! ```
//!
//! A user may run a command when one selector alone allows all of it: the command, every key, every channel, and the
//! database. Rules are applied from left to right.
//!
//! Invariants:
//! 1. Which commands a selector allows is a set of bits by the index in the command table, made when its rules change:
//!    a check reads one bit.
//! 2. A change is made on a copy: rules that fail leave the user as it was.
//! 3. `describe` gives words that make the same user again.
//! 4. The user `default` is always there.
//! 5. Passwords are kept as their SHA-256 only, and compared in a time that does not depend on them.
//!
//! What this room does not do: it knows no client and reads no file. The server keeps which client is which user;
//! `exec` asks for every command of a client that may not do everything.

mod catalog;
mod check;
mod command_rules;
mod error;
mod file;
mod log;
mod password;
mod patterns;
mod selector;
#[cfg(test)]
mod tests;
mod user;
mod users;
mod words;

pub use catalog::{Catalog, CommandSet, Known};
pub use check::{Denied, Reason, check, may_read_every_key};
pub use error::RuleError;
pub use file::{load, save};
pub use log::{AclLog, Context, Happening, LogReason, Logged};
pub use password::PasswordHash;
pub use selector::{NewChannels, Selector};
pub use user::{Surroundings, User};
pub use users::Users;
pub use words::{UnmatchedParenthesis, has_space as is_no_name, merge_selectors};

/// Everything that the server keeps of access control.
pub struct Acl {
    pub catalog: Catalog,
    pub users: Users,
    pub log: AclLog,
    /// Where new passwords come from: bytes that nobody can guess, and that follow from no seed.
    pub entropy: Entropy,
}

/// Fills the bytes with chance.
pub type Entropy = fn(&mut [u8]) -> std::io::Result<()>;

impl Acl {
    pub fn new(catalog: Catalog) -> Self {
        let mut users = Users::default();
        users.install_default(&catalog);
        Acl {
            catalog,
            users,
            log: AclLog::default(),
            entropy: |_| Err(std::io::ErrorKind::Unsupported.into()),
        }
    }
}
