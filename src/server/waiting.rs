//! Clients that wait for a key: how a wait begins, and how it ends.

use super::server::Server;
use crate::base::argv::Argv;
use crate::base::ids::ClientId;
use crate::client::{Asked, Blocked, ReplyMode};
use crate::keyspace::{OnTimeout, Wait};
use crate::metrics::command_log::{self, Measures};
use crate::resp::Reply;
use crate::spec::CommandError;

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

    /// Notes that running a client's command took so long and left it waiting, or ends the wait now.
    pub fn add_to_wait(&mut self, client: ClientId, took_ns: u64) {
        let blocked = self.clients.get_mut(client).and_then(|client| client.blocked.as_mut());
        blocked.into_iter().for_each(|blocked| blocked.spent_ns += took_ns);
    }

    /// Takes a client out of the queues; `None` when it does not wait. For one that has gone: nothing is answered.
    pub fn end_wait(&mut self, client: ClientId) -> Option<Box<Blocked>> {
        let blocked = self.clients.get_mut(client)?.blocked.take()?;
        self.waiting.leave(&blocked);
        // CLIENT CACHING has been said for the command that waited.
        if let Some(tracker) = self.clients.get_mut(client).and_then(|client| client.tracker.as_mut()) {
            tracker.caching_said = false;
        }
        self.expecting.leave(client);
        Some(blocked)
    }

    /// Ends a client's wait with an answer. Whether it waited.
    pub fn answer_wait(&mut self, id: ClientId, answer: &[u8]) -> bool {
        let Some(blocked) = self.end_wait(id) else { return false };
        self.meter_wait(id, &blocked, answer.len());
        let Some(client) = self.clients.get_mut(id) else { return false };
        // Even when nothing is to be sent: what it has asked for meanwhile is run now.
        client.wake();
        match client.reply_mode {
            ReplyMode::On => self.clients.answer(id, answer),
            ReplyMode::Off => {}
            // The command that is skipped is the one that has waited.
            ReplyMode::Skip | ReplyMode::SkipNext => client.reply_mode = ReplyMode::On,
        }
        true
    }

    /// Ends a client's wait without result and tells it. Whether it waited.
    pub fn give_up_wait(&mut self, id: ClientId, why: GivenUp) -> bool {
        let Some(client) = self.clients.get(id) else { return false };
        let Some(blocked) = &client.blocked else { return false };
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, client.protocol);
        match (why, &blocked.wait.on_timeout) {
            (GivenUp::Unblocked, _) | (_, OnTimeout::Unblocked) => {
                let unblocked = CommandError::text("UNBLOCKED client unblocked via CLIENT UNBLOCK");
                return self.refuse_wait(id, &unblocked);
            }
            (GivenUp::TimedOut, OnTimeout::Error(error)) => {
                let error = error.clone();
                return self.refuse_wait(id, &error);
            }
            (GivenUp::TimedOut, OnTimeout::NullArray) => reply.null_array(),
            (GivenUp::TimedOut, OnTimeout::Zero) => reply.integer(0),
        }
        self.answer_wait(id, &out)
    }

    /// Ends a client's wait with an error. Whether it waited.
    pub fn refuse_wait(&mut self, id: ClientId, error: &CommandError) -> bool {
        let Some(client) = self.clients.get(id) else { return false };
        let Some(blocked) = &client.blocked else { return false };
        let (command, line) = (blocked.asked.command, error.line());
        let mut out = Vec::new();
        Reply::new(&mut out, client.protocol).error_bytes(&line);
        self.count_error(&line);
        self.commands.at_mut(command).stats.failed_calls += 1;
        self.answer_wait(id, &out)
    }

    /// Meters a command that had to wait, now that it has its answer. Its own time counts, not that of the wait.
    fn meter_wait(&mut self, id: ClientId, blocked: &Blocked, reply_bytes: usize) {
        if self.config.latency_tracking {
            self.commands.at_mut(blocked.asked.command).stats.record_latency(blocked.spent_ns);
        }
        let args = blocked.asked.argv.args();
        let measures = Measures {
            duration_us: blocked.spent_ns / 1000,
            request_bytes_at_most: Measures::request_bytes_at_most(args),
            reply_bytes: reply_bytes as u64,
        };
        if !self.command_logs.wants(measures) {
            return;
        }
        let Some(client) = self.clients.get(id) else { return };
        let noted = command_log::Call {
            args,
            unix_s: self.clock.now().unix_s(),
            client_addr: &client.origin.address,
            client_name: &client.name,
        };
        self.command_logs.push(noted, measures);
    }
}
