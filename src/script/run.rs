//! A script as it runs for a client: what must be known of it from one stretch to the next.

use super::cache::{Digest, digest_text};
use super::flags::ScriptFlags;
use super::host::Replication;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::resp::Protocol;
use std::borrow::Cow;
use std::sync::Arc;

/// Whether a script may change the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    Allowed,
    Denied,
}

/// By what a script was called, and is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// EVAL; SCRIPT KILL.
    Script,
    /// FCALL; FUNCTION KILL.
    Function,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Script(Digest),
    /// By its name.
    Function(Arc<[u8]>),
}

impl Subject {
    pub fn kind(&self) -> RunKind {
        match self {
            Subject::Script(_) => RunKind::Script,
            Subject::Function(_) => RunKind::Function,
        }
    }

    /// As errors and the log name it.
    pub fn name(&self) -> Cow<'_, [u8]> {
        match self {
            Subject::Script(digest) => Cow::Owned(digest_text(digest).into_bytes()),
            Subject::Function(name) => Cow::Borrowed(name),
        }
    }
}

/// A script or a function that runs for a client.
#[derive(Clone, Debug)]
pub struct Run {
    pub subject: Subject,
    pub writes: Writes,
    /// What the script has told of itself.
    pub flags: ScriptFlags,
    pub client: ClientId,
    /// Index in the command table: what the client has called it by.
    pub command: usize,
    /// When it began: for the script time stands still.
    pub now: Now,
    pub terms: Terms,
    pub course: Course,
}

/// What a script has set for its commands.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub protocol: Protocol,
    pub replication: Replication,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { protocol: Protocol::Resp2, replication: Replication::ALL }
    }
}

/// How a script gets on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Course {
    /// On the monotonic clock: when the stretch that runs is over.
    pub pauses_at_ns: u64,
    /// It has called a command that writes, so it cannot be killed any more.
    pub has_written: bool,
    /// SCRIPT KILL or FUNCTION KILL: it ends as soon as it asks whether it may go on.
    pub is_killed: bool,
}

impl Course {
    /// The first stretch of a script that began at `now`; with a threshold of 0 it has no end.
    pub fn start(now: Now, threshold_ms: u64) -> Course {
        let pauses_at_ns = match threshold_ms {
            0 => u64::MAX,
            _ => now.mono_ns.saturating_add(threshold_ms.saturating_mul(1_000_000)),
        };
        Course { pauses_at_ns, ..Course::default() }
    }
}
