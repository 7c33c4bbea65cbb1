//! Clients that wait for a key: how a wait begins, and how it ends without one.

use super::server::Server;
use crate::base::argv::Argv;
use crate::base::ids::ClientId;
use crate::client::{Asked, Blocked};
use crate::keyspace::{OnTimeout, Wait};
use crate::resp::Reply;

/// Why a wait ends although nothing came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// Its time is over, or CLIENT UNBLOCK says so: the command answers that nothing came.
    TimedOut,
    /// CLIENT UNBLOCK ERROR.
    Unblocked,
}

impl Server {
    /// Lets a client wait. Until the wait ends, none of its requests is run.
    pub fn begin_wait(&mut self, client: ClientId, command: usize, argv: Argv, mut wait: Wait) {
        let Some(db) = self.clients.get(client).map(|client| client.db) else { return };
        let argv = wait.retry.take().unwrap_or(argv);
        let blocked = self.waiting.join(client, Asked { db, command, argv }, wait);
        if let Some(client) = self.clients.get_mut(client) {
            client.blocked = Some(Box::new(blocked));
        }
    }

    /// Ends a client's wait; `None` when it does not wait.
    pub fn end_wait(&mut self, client: ClientId) -> Option<Box<Blocked>> {
        let blocked = self.clients.get_mut(client)?.blocked.take()?;
        self.waiting.leave(&blocked);
        Some(blocked)
    }

    /// Ends a client's wait without result and tells it. Whether it waited.
    pub fn give_up_wait(&mut self, id: ClientId, why: GivenUp) -> bool {
        const UNBLOCKED: &[u8] = b"UNBLOCKED client unblocked via CLIENT UNBLOCK";
        let Some(blocked) = self.end_wait(id) else { return false };
        let Some(client) = self.clients.get(id) else { return false };
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, client.protocol);
        match (why, blocked.wait.on_timeout) {
            (GivenUp::Unblocked, _) => {
                reply.error_bytes(UNBLOCKED);
                self.count_error(UNBLOCKED);
            }
            (GivenUp::TimedOut, OnTimeout::Null) => reply.null(),
            (GivenUp::TimedOut, OnTimeout::NullArray) => reply.null_array(),
            (GivenUp::TimedOut, OnTimeout::Zero) => reply.integer(0),
        }
        self.clients.push(id, &out);
        true
    }
}
