//! Sockets, timers and signals: the only room that awaits.
//!
//! Invariants:
//! 1. The borrow of the server never lives across an await: everything between two awaits is one step of the loop.
//! 2. One task per connection; it is woken by its socket, by `Client::wake` when somebody else has changed what it is
//!    to do, or by `receivers` when somebody else has output for it.
pub mod connection;
pub mod listener;
pub mod receivers;
pub mod serve;
pub mod signals;
pub mod stream;
pub mod timers;
pub mod tls;

pub use serve::serve;

use crate::server::Server;
use std::cell::RefCell;
use std::rc::Rc;

/// The server as the tasks of this room share it.
pub type Shared = Rc<RefCell<Server>>;
