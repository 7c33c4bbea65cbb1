//! Clients that wait for something the loop itself does: a background save, the end of a shutdown.
//!
//! Each waits by a `Ticket` as those who wait for a thread do (`deferred`); this list says what for. Whoever stops waiting,
//! for whatever reason, leaves it (`Server::end_wait`), so it is never longer than there are clients.

use super::deferred::Ticket;
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
    clients: Vec<(Ticket, Awaited)>,
}

impl Awaiting {
    /// Called by the command that makes the client wait.
    pub fn join(&mut self, ticket: Ticket, awaited: Awaited) {
        self.clients.push((ticket, awaited));
    }

    pub(super) fn leave(&mut self, client: ClientId) {
        self.clients.retain(|(ticket, _)| ticket.client() != client);
    }

    fn those(&self, fits: impl Fn(Awaited) -> bool) -> Vec<Ticket> {
        self.clients.iter().filter(|(_, awaited)| fits(*awaited)).map(|(ticket, _)| *ticket).collect()
    }
}

impl Server {
    /// Answers those who wait for a save up to this attempt.
    pub(super) fn tell_save_ended(&mut self, attempt_max: u64, outcome: &Result<(), CommandError>) {
        let fits = |awaited| matches!(awaited, Awaited::Save { attempt } if attempt <= attempt_max);
        for ticket in self.awaiting.those(fits) {
            let saved = |reply: &mut Reply<'_>| reply.simple("Background saving terminated with success");
            self.answer(ticket, outcome.clone().map(|()| saved));
        }
    }

    /// The process does not end: answers those who asked for it.
    pub(super) fn tell_shutdown_failed(&mut self) {
        for ticket in self.awaiting.those(|awaited| awaited == Awaited::Shutdown) {
            self.answer(ticket, Err::<fn(&mut Reply<'_>), _>(CommandError::ShutdownFailed));
        }
    }
}
