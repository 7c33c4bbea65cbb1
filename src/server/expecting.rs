//! Clients that wait for something the loop itself does: a background save, the end of a shutdown.
//!
//! Each waits by a `Ticket` as those who wait for a thread do (`deferred`); this list says what for. Whoever stops
//! waiting, for whatever reason, leaves it (`Server::end_wait`), so it is never longer than there are clients.

use super::deferred::Ticket;
use super::server::Server;
use crate::base::ids::ClientId;
use crate::resp::Reply;
use crate::spec::CommandError;

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The end of a background save, by the number of the attempt (`Snapshots::attempts`).
    Save { attempt: u64 },
    /// The end of the process, or that it does not come.
    Shutdown,
}

#[derive(Default)]
pub struct Expecting {
    clients: Vec<(Ticket, Expected)>,
}

impl Expecting {
    /// Called by the command that makes the client wait.
    pub fn join(&mut self, ticket: Ticket, expected: Expected) {
        self.clients.push((ticket, expected));
    }

    pub(super) fn leave(&mut self, client: ClientId) {
        self.clients.retain(|(ticket, _)| ticket.client() != client);
    }

    fn those(&self, fits: impl Fn(Expected) -> bool) -> Vec<Ticket> {
        self.clients.iter().filter(|(_, expected)| fits(*expected)).map(|(ticket, _)| *ticket).collect()
    }
}

impl Server {
    /// Answers those who wait for a save up to this attempt.
    pub(super) fn tell_save_ended(&mut self, attempt_max: u64, outcome: &Result<(), CommandError>) {
        let fits = |expected| matches!(expected, Expected::Save { attempt } if attempt <= attempt_max);
        for ticket in self.expecting.those(fits) {
            let saved = |reply: &mut Reply<'_>| reply.simple("Background saving terminated with success");
            self.answer(ticket, outcome.clone().map(|()| saved));
        }
    }

    /// The process does not end: answers those who asked for it.
    pub(super) fn tell_shutdown_failed(&mut self) {
        for ticket in self.expecting.those(|expected| expected == Expected::Shutdown) {
            self.answer(ticket, Err::<fn(&mut Reply<'_>), _>(CommandError::ShutdownFailed));
        }
    }
}
