//! What a script asks of the server, which stands above this room.

use crate::base::argv::Args;
use crate::resp::Protocol;

/// Whether a script may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tick {
    GoOn,
    /// It is suspended until the loop resumes it, and then asks again.
    Pause,
    /// It ends with this error (its code in front), whatever it tries to catch.
    End(Vec<u8>),
}

/// Who gets the effects of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replication {
    /// The append-only file.
    pub file: bool,
    pub replicas: bool,
}

impl Replication {
    pub const ALL: Replication = Replication { file: true, replicas: true };
}

/// Implemented by `exec`, for the time a script runs.
pub trait Host {
    /// Called every millisecond or so of a script.
    fn tick(&mut self) -> Tick;

    /// Whether `tick` should be called at once: a command may have taken long.
    fn is_due(&self) -> bool {
        false
    }

    /// Runs a command as `redis.call` does. The reply, or the error as a client would get it, is appended to `reply`.
    fn command(&mut self, args: Args<'_>, reply: &mut Vec<u8>);

    /// The protocol of the replies to the script's commands from now on.
    fn set_protocol(&mut self, protocol: Protocol);

    /// Where the effects of the script's commands go from now on.
    fn set_replication(&mut self, _replication: Replication) {}

    /// Whether the caller of the script may run a command; `None`: there is no such command.
    fn may_run(&mut self, _args: Args<'_>) -> Option<bool> {
        None
    }
}
