//! Clients that wait for something the server does: a background save, the end of a shutdown.
//!
//! Each of them waits as those who wait for a key do (`waiting`), without a key; this list says what for. Whoever stops
//! waiting, for whatever reason, leaves it (`Server::end_wait`), so a number in it always means a client that waits.

use super::server::Server;
use crate::base::ids::ClientId;
use crate::resp::Reply;
use crate::spec::CommandError;

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The end of a background save, by the number of the attempt (`Snapshots::attempts`).
    Save { attempt: u64 },
    /// The end of the process, or that it does not come.
    Shutdown,
}

#[derive(Default)]
pub struct Awaiting {
    clients: Vec<(ClientId, Awaited)>,
}

impl Awaiting {
    /// Called by the command that makes the client wait.
    pub fn join(&mut self, client: ClientId, awaited: Awaited) {
        self.clients.push((client, awaited));
    }

    pub fn leave(&mut self, client: ClientId) {
        self.clients.retain(|(waiting, _)| *waiting != client);
    }

    fn those(&self, fits: impl Fn(Awaited) -> bool) -> Vec<ClientId> {
        self.clients.iter().filter(|(_, awaited)| fits(*awaited)).map(|(client, _)| *client).collect()
    }
}

impl Server {
    /// Answers those who wait for a save up to this attempt.
    pub(super) fn tell_save_ended(&mut self, attempt_max: u64, outcome: &Result<(), CommandError>) {
        let fits = |awaited| matches!(awaited, Awaited::Save { attempt } if attempt <= attempt_max);
        for client in self.awaiting.those(fits) {
            match outcome {
                Ok(()) => drop(self.answer_wait(client, &saved(self, client))),
                Err(error) => drop(self.refuse_wait(client, error)),
            }
        }
    }

    /// The process does not end: answers those who asked for it.
    pub(super) fn tell_shutdown_failed(&mut self) {
        for client in self.awaiting.those(|awaited| awaited == Awaited::Shutdown) {
            self.refuse_wait(client, &CommandError::ShutdownFailed);
        }
    }
}

fn saved(server: &Server, client: ClientId) -> Vec<u8> {
    let protocol = server.clients.get(client).map(|client| client.protocol).unwrap_or_default();
    let mut out = Vec::new();
    Reply::new(&mut out, protocol).simple("Background saving terminated with success");
    out
}
