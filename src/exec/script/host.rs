//! The server as a script sees it.

use crate::base::argv::Args;
use crate::client::Access;
use crate::exec::call::{self, Attempt, Call, Request};
use crate::exec::{gates, permissions};
use crate::keyspace::tx::HashHint;
use crate::resp::{Protocol, Reply};
use crate::script::{Host, Replication, Run, ScriptFlags, Tick, Writes};
use crate::server::Server;
use crate::spec::{CommandError, Flags};

/// Of functions as well.
const KILLED: &[u8] = b"ERR Script killed by user with SCRIPT KILL...";

/// The server, lent to the script that runs, for a stretch of it.
pub struct ServerHost<'s> {
    pub server: &'s mut Server,
    pub run: &'s mut Run,
}

impl Host for ServerHost<'_> {
    fn tick(&mut self) -> Tick {
        let course = &self.run.course;
        if course.is_killed {
            return Tick::End(KILLED.to_vec());
        }
        if self.server.clock.mono_ns() < course.pauses_at_ns { Tick::GoOn } else { Tick::Pause }
    }

    fn is_due(&self) -> bool {
        self.server.last_call_ended_ns >= self.run.course.pauses_at_ns
    }

    fn command(&mut self, args: Args<'_>, reply: &mut Vec<u8>) {
        match self.admit(args) {
            Ok(command) => {
                let Run { client, now, terms, .. } = *self.run;
                let request = Request { args, hint: self.hint(command, args) };
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
    /// Commands look their key up more than once.
    #[inline]
    fn hint<'a>(&self, command: usize, args: Args<'a>) -> Option<HashHint<'a>> {
        let key = args.get(1).filter(|_| self.server.commands.at(command).first_key == 1)?;
        let db = self.server.clients.get(self.run.client)?.db;
        Some(HashHint { key, hash: self.server.keyspace.db(db).table().hash(key) })
    }

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
        // What replicas get to see counts as a change here.
        if flags.has(Flags::WRITE.or(Flags::MAY_REPLICATE)) && self.run.writes == Writes::Denied {
            return Err(CommandError::ScriptReadOnly);
        }
        if flags.has(Flags::WRITE)
            && let Some(text) = self.server.misconf()
        {
            return Err(CommandError::text(text));
        }
        if flags.has(Flags::DENYOOM) && self.is_out_of_memory() {
            return Err(CommandError::OutOfMemory);
        }
        self.run.course.has_written |= flags.has(Flags::WRITE);
        Ok(())
    }

    /// In the middle of a script that has written it is too late to stop it.
    fn is_out_of_memory(&self) -> bool {
        self.server.began_out_of_memory
            && !self.run.course.has_written
            && !self.run.flags.has(ScriptFlags::ALLOW_OOM)
    }

    #[cold]
    fn refuse(&mut self, error: &CommandError, reply: &mut Vec<u8>) {
        let line = error.line();
        self.server.count_error(&line);
        Reply::new(reply, Protocol::Resp2).error_bytes(&line);
    }
}
