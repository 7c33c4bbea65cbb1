//! The server's state in one struct, one field per room, and what a command handler gets to see of it.
pub mod access;
pub mod cx;
pub mod deferred;
pub mod entry;
pub mod expecting;
pub mod fallback;
pub mod first_users;
pub mod history;
pub mod host;
pub mod loading;
pub mod notification;
pub mod publish;
pub mod recent;
#[expect(clippy::module_inception, reason = "the file holds the struct the room is named after")]
pub mod server;
pub mod settings;
pub mod shutdown;
pub mod snapshots;
pub mod suspended;
pub mod table;
pub mod tls;
pub mod tracking;
pub mod waiting;

pub use cx::Cx;
pub use entry::{DataHandler, Disturbs, Entry, Flow, Handler, ServerHandler};
pub use host::{Alarm, Host};
pub use server::{Identity, Server, Shutdown};
pub use table::{Command, CommandTable, RenameError};
