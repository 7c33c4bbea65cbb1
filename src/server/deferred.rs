//! Work that must not block the loop: done on another thread, finished on the loop.
//!
//! ```text
//!  handler: cx.wait_for_answer() -> Ticket, Flow::Block       thread: work ... later.hand_over(|server| ..)
//!  the client waits, others do not                               │ channel, alarm
//!  loop: server.run_deferred() ◀─────────────────────────────────┘
//!        server.answer(ticket, ..)                            the client goes on
//! ```
//! Invariants:
//! 1. What a thread hands over is run on the loop, between two commands, in the order in which it came.
//! 2. A ticket is good for one wait: when the client has gone, or was told by CLIENT UNBLOCK to wait no more, the
//!    answer is dropped, whatever the client does meanwhile.
//!
//! Without a `Host` (in tests) nobody is alarmed: who wants the results calls `run_deferred`.

use super::cx::Cx;
use super::host::Alarm;
use super::server::Server;
use crate::base::ids::ClientId;
use crate::keyspace::ledger::Waiting;
use crate::keyspace::{OnTimeout, Wait, WhenGone};
use crate::object::ValueType;
use crate::resp::Reply;
use crate::spec::CommandError;
use std::sync::mpsc::{Receiver, Sender, channel};

type Finish = Box<dyn FnOnce(&mut Server) + Send>;

/// What threads have handed over, and where they hand it over.
pub struct Deferred {
    sender: Sender<Finish>,
    receiver: Receiver<Finish>,
}

impl Default for Deferred {
    fn default() -> Self {
        let (sender, receiver) = channel();
        Deferred { sender, receiver }
    }
}

/// A thread's way back to the loop.
#[derive(Clone)]
pub struct Later {
    sender: Sender<Finish>,
    alarm: Option<Alarm>,
}

impl Later {
    /// Has `finish` run on the loop, soon. After the server's end nothing happens.
    pub fn hand_over(&self, finish: impl FnOnce(&mut Server) + Send + 'static) {
        if self.sender.send(Box::new(finish)).is_ok()
            && let Some(alarm) = &self.alarm
        {
            alarm();
        }
    }
}

/// One wait of one client for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    client: ClientId,
    arrival: u64,
}

impl Ticket {
    pub fn client(self) -> ClientId {
        self.client
    }
}

impl Cx<'_> {
    /// Whether the command may wait; in a transaction it may not.
    pub fn may_wait(&self) -> bool {
        self.server.ledger.waiting == Waiting::Allowed
    }

    /// Lets the caller wait for an answer that comes with `Server::answer`. The handler must return `Flow::Block`
    /// then, and may do so only when `may_wait`.
    pub fn wait_for_answer(&mut self) -> Ticket {
        self.wait_for_answer_until(None, OnTimeout::Unblocked)
    }

    /// As `wait_for_answer`, with an end (Unix milliseconds) and what the caller is told then.
    pub fn wait_for_answer_until(&mut self, deadline_ms: Option<i64>, on_timeout: OnTimeout) -> Ticket {
        self.server.ledger.wait = Some(Wait {
            // Without keys no type is waited for.
            keys: Vec::new(),
            for_type: ValueType::String,
            deadline_ms,
            on_timeout,
            when_gone: WhenGone::Waits,
            retry: None,
        });
        Ticket { client: self.client_id, arrival: self.server.waiting.coming_arrival() }
    }
}

impl Server {
    /// A way back to the loop for another thread.
    pub fn later(&self) -> Later {
        let alarm = self.host.as_ref().map(|host| host.alarm());
        Later { sender: self.deferred.sender.clone(), alarm }
    }

    /// Finishes what threads have handed over.
    pub fn run_deferred(&mut self) {
        while let Ok(finish) = self.deferred.receiver.try_recv() {
            finish(self);
        }
    }

    /// Ends a client's wait with an answer, given as a function that writes it or as an error.
    pub fn answer(&mut self, ticket: Ticket, answer: Result<impl FnOnce(&mut Reply<'_>), CommandError>) {
        let Some(client) = self.clients.get(ticket.client) else { return };
        let Some(blocked) = &client.blocked else { return };
        if blocked.arrival() != ticket.arrival {
            return;
        }
        let mut out = Vec::new();
        match answer {
            Ok(write) => write(&mut Reply::new(&mut out, client.protocol)),
            Err(error) => {
                self.refuse_wait(ticket.client, &error);
                return;
            }
        }
        self.answer_wait(ticket.client, &out);
    }
}

#[cfg(test)]
mod tests;
