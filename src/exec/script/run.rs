//! Runs a script: lends it the server, and turns its end into the reply of the command that runs it.

use super::host::ServerHost;
use crate::base::argv::Args;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::resp::Protocol;
use crate::script::cache::{Digest, digest_text};
use crate::script::{Engine, Progress, ScriptError, ScriptFlags};
use crate::server::{Cx, Flow};
use crate::spec::CommandError;

/// Whether a script may change the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    Allowed,
    Denied,
}

/// A script that runs for a client.
#[derive(Clone, Copy)]
pub struct Run {
    pub digest: Digest,
    pub writes: Writes,
    /// What the script has told of itself.
    #[expect(dead_code, reason = "the gates of its commands will ask for it")]
    pub flags: ScriptFlags,
    pub client: ClientId,
    /// When it began: for the script time stands still.
    pub now: Now,
}

/// What the calling client lends its script, and gets back: the script may select another database and speaks a
/// protocol of its own.
struct Lent {
    db: usize,
    protocol: Protocol,
}

fn lend(cx: &mut Cx<'_>) -> Lent {
    let client = cx.client();
    let lent = Lent { db: client.db, protocol: client.protocol };
    client.protocol = Protocol::Resp2;
    lent
}

fn give_back(cx: &mut Cx<'_>, lent: Lent) {
    let client = cx.client();
    (client.db, client.protocol) = (lent.db, lent.protocol);
}

/// Runs the script until it ends.
pub fn start(cx: &mut Cx<'_>, run: Run, keys: Args<'_>, argv: Args<'_>) -> Result<Flow, CommandError> {
    let mut engine = cx.server.scripts.engine.take().expect("it has compiled the script");
    let lent = lend(cx);
    let was_in_exec = std::mem::replace(&mut cx.server.in_exec, true);
    let progress = {
        let script = cx.server.scripts.cache.touch(&run.digest).expect("it was found").function.share();
        engine.start(&mut ServerHost { server: cx.server, run }, &script, keys, argv)
    };
    cx.server.in_exec = was_in_exec;
    give_back(cx, lent);
    let result = end(cx, &mut engine, progress, &run);
    cx.server.scripts.engine = Some(engine);
    cx.server.scripts.note_run();
    result
}

fn end(cx: &mut Cx<'_>, engine: &mut Engine, progress: Progress, run: &Run) -> Result<Flow, CommandError> {
    match progress {
        Progress::Returned => {
            engine.write_result(&mut cx.reply);
            Ok(Flow::Done)
        }
        Progress::Failed => Err(failure(engine.take_error(), run)),
        Progress::Paused => unreachable!("nobody pauses it"),
    }
}

/// The error of a script as its client gets it.
fn failure(error: ScriptError, run: &Run) -> CommandError {
    let mut line = error.text;
    if !error.line.is_empty() {
        let digest = digest_text(&run.digest);
        line.extend_from_slice(b" script: ");
        line.extend_from_slice(digest.as_bytes());
        line.extend_from_slice(b", on ");
        line.extend_from_slice(&error.source);
        line.extend_from_slice(b":");
        line.extend_from_slice(&error.line);
        line.extend_from_slice(b".");
    }
    line.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
    CommandError::Quoting(line.into())
}
