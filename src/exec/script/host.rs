//! The server as a script sees it.

use super::run::{Run, Writes};
use crate::base::argv::Args;
use crate::client::Access;
use crate::exec::call::{self, Attempt, Call, Request};
use crate::exec::{gates, permissions};
use crate::resp::{Protocol, Reply};
use crate::script::{Host, Replication, Tick};
use crate::server::Server;
use crate::spec::{CommandError, Flags};

/// The server, lent to the script that runs.
pub struct ServerHost<'s> {
    pub server: &'s mut Server,
    pub run: Run,
}

impl Host for ServerHost<'_> {
    fn tick(&mut self) -> Tick {
        Tick::GoOn
    }

    fn command(&mut self, args: Args<'_>, reply: &mut Vec<u8>) {
        match self.admit(args) {
            Ok(command) => {
                let Run { client, now, terms, .. } = self.run;
                let request = Request { args, hint: None };
                let call = Call { client, command, request, now, attempt: Attempt::First };
                call::call_in_script(self.server, call, terms, reply);
            }
            Err(error) => self.refuse(&error, reply),
        }
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        self.run.terms.protocol = protocol;
    }

    fn set_replication(&mut self, replication: Replication) {
        self.run.terms.replication = replication;
    }

    fn may_run(&mut self, args: Args<'_>) -> Option<bool> {
        let command = gates::find(self.server, args).ok()?;
        let db = self.server.clients.get(self.run.client).map_or(0, |client| client.db);
        Some(self.server.check_access(self.run.client, command, args, db).is_ok())
    }
}

impl ServerHost<'_> {
    /// The gates of a command within a script, in the order in which Redis reports failures; the script itself has
    /// passed those of a client's command.
    #[inline]
    fn admit(&mut self, args: Args<'_>) -> Result<usize, CommandError> {
        let Ok(command) = gates::find(self.server, args) else { return Err(CommandError::ScriptUnknown) };
        match self.pass(command, args) {
            Ok(()) => Ok(command),
            Err(error) => {
                self.server.commands.at_mut(command).stats.rejected_calls += 1;
                Err(error)
            }
        }
    }

    #[inline]
    fn pass(&mut self, command: usize, args: Args<'_>) -> Result<(), CommandError> {
        let spec = &self.server.commands.at(command).entry.spec;
        let flags = spec.flags;
        if !spec.accepts(args.len()) {
            return Err(CommandError::ScriptArity);
        }
        if flags.has(Flags::NOSCRIPT) {
            return Err(CommandError::ScriptNotAllowed);
        }
        let access = self.server.clients.get(self.run.client).map(|client| client.access);
        if access == Some(Access::Checked) {
            permissions::check_in_script(self.server, self.run.client, command, args)?;
        }
        if self.server.is_ending() {
            gates::ending_in_script(self.server, command, args)?;
        }
        if flags.has(Flags::WRITE) {
            self.may_write()?;
        }
        // In the middle of a script that has written it is too late to stop it.
        if flags.has(Flags::DENYOOM) && self.server.began_out_of_memory && !self.run.wrote {
            return Err(CommandError::OutOfMemory);
        }
        self.run.wrote |= flags.has(Flags::WRITE);
        Ok(())
    }

    fn may_write(&self) -> Result<(), CommandError> {
        if self.run.writes == Writes::Denied {
            return Err(CommandError::ScriptReadOnly);
        }
        self.server.misconf().map_or(Ok(()), |text| Err(CommandError::text(text)))
    }

    #[cold]
    fn refuse(&mut self, error: &CommandError, reply: &mut Vec<u8>) {
        let line = error.line();
        self.server.count_error(&line);
        Reply::new(reply, Protocol::Resp2).error_bytes(&line);
    }
}
