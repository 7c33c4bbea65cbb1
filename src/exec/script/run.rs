//! Runs a script: lends it the server, and turns its end into the reply of the command that runs it.

use super::host::ServerHost;
use crate::base::argv::Args;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::resp::Protocol;
use crate::script::cache::{Digest, digest_text};
use crate::script::lua::Reference;
use crate::script::{Engine, Progress, ScriptError, ScriptFlags};
use crate::server::{Cx, Flow, Server};
use crate::spec::CommandError;
use std::borrow::Cow;
use std::sync::Arc;

/// Whether a script may change the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    Allowed,
    Denied,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Script(Digest),
    /// By its name.
    Function(Arc<[u8]>),
}

impl Subject {
    /// As errors name it.
    fn name(&self) -> Cow<'_, [u8]> {
        match self {
            Subject::Script(digest) => Cow::Owned(digest_text(digest).into_bytes()),
            Subject::Function(name) => Cow::Borrowed(name),
        }
    }
}

/// A script or a function that runs for a client.
#[derive(Clone)]
pub struct Run {
    pub subject: Subject,
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
    let (mut engine, body) = take_engine(cx.server, &run.subject);
    let lent = lend(cx);
    let was_in_exec = std::mem::replace(&mut cx.server.in_exec, true);
    let progress = {
        let host = &mut ServerHost { server: cx.server, run: run.clone() };
        match run.subject {
            Subject::Script(_) => engine.start(host, &body, keys, argv),
            Subject::Function(_) => engine.start_function(host, &body, keys, argv),
        }
    };
    cx.server.in_exec = was_in_exec;
    give_back(cx, lent);
    let result = end(cx, &mut engine, progress, &run);
    give_back_engine(cx.server, &run.subject, engine);
    result
}

/// The interpreter that runs it, and what it is there.
fn take_engine(server: &mut Server, subject: &Subject) -> (Engine, Reference) {
    let scripts = &mut server.scripts;
    match subject {
        Subject::Script(digest) => {
            let engine = scripts.engine.take().expect("it has compiled the script");
            (engine, scripts.cache.touch(digest).expect("it was found").function.share())
        }
        Subject::Function(name) => {
            let (function, engine) = scripts.libraries.lend(name).expect("it was found");
            (engine, function.callback.share())
        }
    }
}

fn give_back_engine(server: &mut Server, subject: &Subject, engine: Engine) {
    let scripts = &mut server.scripts;
    match subject {
        Subject::Script(_) => {
            scripts.engine = Some(engine);
            scripts.note_run();
        }
        Subject::Function(_) => scripts.libraries.give_back(engine),
    }
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
        line.extend_from_slice(b" script: ");
        line.extend_from_slice(&run.subject.name());
        line.extend_from_slice(b", on ");
        line.extend_from_slice(&error.source);
        line.extend_from_slice(b":");
        line.extend_from_slice(&error.line);
        line.extend_from_slice(b".");
    }
    line.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')).for_each(|byte| *byte = b' ');
    CommandError::Quoting(line.into())
}
