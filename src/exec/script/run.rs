//! Runs a script: lends it the server, and turns its end into the reply of the command that runs it.

use super::host::ServerHost;
use crate::base::argv::Args;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::exec::call::Terms;
use crate::resp::Protocol;
use crate::script::cache::{Digest, digest_text};
use crate::script::convert::Errors;
use crate::script::lua::Reference;
use crate::script::{Counted, Engine, Progress, Replication, ScriptError};
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
    pub client: ClientId,
    /// When it began: for the script time stands still.
    pub now: Now,
    /// What it has set for its commands.
    pub terms: Terms,
    /// It has called a command that writes.
    pub wrote: bool,
}

impl Run {
    pub fn new(cx: &Cx<'_>, subject: Subject, writes: Writes) -> Run {
        let terms = Terms { protocol: Protocol::Resp2, replication: Replication::ALL };
        Run { subject, writes, client: cx.client_id, now: cx.now, terms, wrote: false }
    }
}

/// What the calling client lends its script, and gets back: the script may select another database.
struct Lent {
    db: usize,
    was_in_exec: bool,
}

fn lend(cx: &mut Cx<'_>) -> Lent {
    cx.server.in_script = true;
    Lent { db: cx.client().db, was_in_exec: std::mem::replace(&mut cx.server.in_exec, true) }
}

fn give_back(cx: &mut Cx<'_>, lent: Lent) {
    cx.client().db = lent.db;
    (cx.server.in_script, cx.server.in_exec) = (false, lent.was_in_exec);
}

/// Runs the script until it ends.
pub fn start(cx: &mut Cx<'_>, run: Run, keys: Args<'_>, argv: Args<'_>) -> Result<Flow, CommandError> {
    let (mut engine, body) = take_engine(cx.server, &run.subject);
    let lent = lend(cx);
    let mut host = ServerHost { server: cx.server, run };
    let progress = match host.run.subject {
        Subject::Script(_) => engine.start(&mut host, &body, keys, argv),
        Subject::Function(_) => engine.start_function(&mut host, &body, keys, argv),
    };
    let run = host.run;
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
            let errors = engine.write_result(&mut cx.reply, run.terms.protocol);
            count_errors(cx, &errors);
            Ok(Flow::Done)
        }
        Progress::Failed => fail(cx, engine.take_error(), run),
        Progress::Paused => unreachable!("nobody pauses it"),
    }
}

/// Errors within the reply: each that a command failed with, and the rest together, are failures of the call.
fn count_errors(cx: &mut Cx<'_>, errors: &Errors) {
    errors.new.iter().for_each(|line| cx.server.count_error(line));
    let stats = &mut cx.server.commands.at_mut(cx.command).stats;
    stats.failed_calls += errors.counted + u64::from(!errors.new.is_empty());
}

/// The script has ended with an error. When that of a command went through it, it was counted there.
fn fail(cx: &mut Cx<'_>, error: ScriptError, run: &Run) -> Result<Flow, CommandError> {
    let counted = error.counted;
    let line = failure(error, run);
    match counted {
        Counted::NotYet => Err(CommandError::Quoting(line.into())),
        Counted::Already => {
            cx.reply.error_bytes(&line);
            cx.server.commands.at_mut(cx.command).stats.failed_calls += 1;
            Ok(Flow::Done)
        }
    }
}

/// The error of a script as its client gets it.
fn failure(error: ScriptError, run: &Run) -> Vec<u8> {
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
    line
}
