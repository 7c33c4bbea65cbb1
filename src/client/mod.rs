//! What the server knows of its clients: identity, protocol, transaction, output. No IO happens here.
//!
//! Invariants:
//! 1. `Clients` is the only owner of clients; everybody else holds a `ClientId`.
//! 2. Output waits in `Client::output` until the room `net` drains it; `Clients::wake` tells the connection to do so.
//! 3. What others send a client while its command runs comes behind that command's reply, never into it.
pub mod blocked;
#[expect(clippy::module_inception, reason = "the file is about the one client, the room about all of them")]
pub mod client;
pub mod clients;
pub mod memory;
pub mod multi;
pub mod output;
pub mod pause;
pub mod tracking;

pub use blocked::{Asked, Blocked, Waiting};
pub use client::{Access, Client, ClientKind, Listening, ReplyMode};
pub use clients::{Clients, Pushed};
pub use multi::{Queued, Transaction, Watches};
pub use output::Output;
pub use pause::Pause;
pub use tracking::Tracking;
