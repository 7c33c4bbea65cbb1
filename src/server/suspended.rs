//! A slow script that is under way: it is suspended while others are served.
//!
//! ```text
//!   EXEC ── SET, EVAL ─▶ run ── threshold ─▶ Flow::Suspend ... up to the connection: its pipeline waits
//!             │                                    │
//!             │      calls, rest, reply so far ────┘──▶ Server::suspended
//!             │                                              │ slice after slice, others between (`exec::suspended`)
//!             └─ the rest of the queue ◀── the script's end ─┘
//! ```
//! A unit (a command, or an EXEC) that has been suspended has not ended: it is counted, committed and answered when it
//! does. The caller stays until then, even when its connection has gone.
//!
//! Invariants
//! 1. While there is one, nothing but the unit itself changes the dataset or looks at it: the gate `busy` refuses
//!    commands, nothing expires or is evicted, no save begins, nobody who waits for a key is served, what other threads
//!    have done waits. Children that have ended are looked after.
//! 2. While the unit runs, `Server::suspended` is empty.

use super::entry::Flow;
use super::server::{Server, Shutdown};
use crate::base::argv::{Args, Argv};
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::client::Queued;
use crate::script::{Run, RunKind};
use crate::spec::CommandError;
use std::borrow::Cow;

/// A unit in which a script is suspended.
pub struct Suspended {
    pub run: Run,
    /// What the script has as its caller's; the caller has its own meanwhile.
    pub lent: Lent,
    /// From the innermost: the one that runs the script, and the EXEC that it is a part of.
    pub calls: Vec<SuspendedCall>,
    /// What the EXEC has still to do.
    pub rest: Option<RestOfExec>,
    /// What the unit has answered so far.
    pub reply: Vec<u8>,
    /// A signal has asked for it; it begins when the unit is over.
    pub shutdown: Option<Shutdown>,
}

/// A call that has not come to its end.
pub struct SuspendedCall {
    pub client: ClientId,
    /// Index in the command table.
    pub command: usize,
    pub argv: Argv,
    /// When it began.
    pub now: Now,
}

/// The commands of a transaction, and how far it has come.
pub struct RestOfExec {
    pub client: ClientId,
    pub queue: Vec<Queued>,
    /// The first that has not begun.
    pub next: usize,
    pub flow: Flow,
}

/// What a calling client lends its script, and gets back: the script may select another database.
#[derive(Clone, Copy, Debug)]
pub struct Lent {
    pub db: usize,
}

impl Lent {
    /// At the beginning and the end of each stretch.
    pub fn exchange(&mut self, server: &mut Server, client: ClientId) {
        if let Some(client) = server.clients.get_mut(client) {
            std::mem::swap(&mut client.db, &mut self.db);
        }
    }
}

/// A script that is under way, for FUNCTION STATS.
pub struct RunningScript<'s> {
    pub kind: RunKind,
    pub name: Cow<'s, [u8]>,
    pub args: Args<'s>,
    pub duration_ms: u64,
}

impl Suspended {
    pub fn new(run: Run, lent: Lent) -> Suspended {
        Suspended { run, lent, calls: Vec::new(), rest: None, reply: Vec::new(), shutdown: None }
    }

    pub fn client(&self) -> ClientId {
        self.run.client
    }

    pub fn busy_error(&self) -> CommandError {
        match self.run.subject.kind() {
            RunKind::Script => CommandError::BusyScript,
            RunKind::Function => CommandError::BusyFunction,
        }
    }
}

impl Server {
    /// Whether a slow script is under way.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.suspended.is_some()
    }

    /// Whether it is this client's.
    #[inline]
    pub fn is_busy_for(&self, client: ClientId) -> bool {
        self.suspended.as_ref().is_some_and(|suspended| suspended.client() == client)
    }

    /// SCRIPT KILL, FUNCTION KILL.
    ///
    /// # Errors
    /// Nothing is under way; it has written; it is the other's to kill.
    pub fn kill_script(&mut self, asked: RunKind) -> Result<(), CommandError> {
        let suspended = self.suspended.as_mut().ok_or(CommandError::NotBusy)?;
        if suspended.run.course.has_written {
            return Err(CommandError::Unkillable);
        }
        if suspended.run.subject.kind() != asked {
            return Err(suspended.busy_error());
        }
        suspended.run.course.is_killed = true;
        Ok(())
    }

    pub fn running_script(&self) -> Option<RunningScript<'_>> {
        let suspended = self.suspended.as_ref()?;
        let call = suspended.calls.first()?;
        let args = call.argv.args();
        Some(RunningScript {
            kind: suspended.run.subject.kind(),
            name: suspended.run.subject.name(),
            args,
            duration_ms: self.clock.mono_ns().saturating_sub(call.now.mono_ns) / 1_000_000,
        })
    }

    /// A signal asks for a shutdown. A script that is under way ends before, as in Redis; SHUTDOWN NOSAVE does not.
    pub fn shutdown_by_signal(&mut self, shutdown: Shutdown) {
        if let Some(suspended) = &mut self.suspended {
            tracing::warn!("The shutdown waits for the end of the script that is under way.");
            suspended.shutdown = Some(shutdown);
            return;
        }
        // What fails is logged, and from then on nothing is under way.
        let _ = self.prepare_shutdown(shutdown);
    }
}
