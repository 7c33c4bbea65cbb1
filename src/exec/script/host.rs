//! The server as a script sees it.

use crate::base::argv::Args;
use crate::client::Access;
use crate::exec::call::{self, Attempt, Call, Request};
use crate::exec::{gates, permissions};
use crate::resp::{Protocol, Reply};
use crate::script::{Host, Run, Tick, Writes};
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
        self.server.clock.meter_ns() >= self.run.course.pauses_at_ns
    }

    fn command(&mut self, args: Args<'_>, reply: &mut Vec<u8>) {
        match self.admit(args) {
            Ok(command) => {
                let request = Request { args, hint: None };
                let (client, now) = (self.run.client, self.run.now);
                call::call_in_script(
                    self.server,
                    Call { client, command, request, now, attempt: Attempt::First },
                    reply,
                );
            }
            Err(error) => Reply::new(reply, Protocol::Resp2).error_bytes(&error.line()),
        }
    }

    fn set_protocol(&mut self, protocol: Protocol) {
        if let Some(client) = self.server.clients.get_mut(self.run.client) {
            client.protocol = protocol;
        }
    }
}

impl ServerHost<'_> {
    /// The gates of a command within a script; the script itself has passed those of a client's command.
    fn admit(&mut self, args: Args<'_>) -> Result<usize, CommandError> {
        let command = gates::find(self.server, args)
            .map_err(|_| CommandError::text("ERR Unknown Redis command called from script"))?;
        let spec = &self.server.commands.at(command).entry.spec;
        if !spec.accepts(args.len()) {
            return Err(CommandError::text("ERR Wrong number of args calling Redis command from script"));
        }
        let flags = spec.flags;
        if flags.has(Flags::NOSCRIPT) {
            return Err(CommandError::text("ERR This Redis command is not allowed from script"));
        }
        if flags.has(Flags::WRITE) && self.run.writes == Writes::Denied {
            return Err(CommandError::text("ERR Write commands are not allowed from read-only scripts."));
        }
        let access = self.server.clients.get(self.run.client).map(|client| client.access);
        if access == Some(Access::Checked) {
            permissions::check(self.server, self.run.client, command, args)?;
        }
        self.run.course.has_written |= flags.has(Flags::WRITE);
        Ok(command)
    }
}
