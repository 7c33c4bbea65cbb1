//! Runs a script in stretches: lends it the server for each, and turns its end into the reply of the command that runs
//! it.
//!
//! The first stretch ends when the script does, or at `busy-reply-threshold`; then come slices (`exec::suspended`).

use super::host::ServerHost;
use crate::base::argv::Args;
use crate::resp::Reply;
use crate::script::convert::Errors;
use crate::script::lua::Reference;
use crate::script::run::{Course, Subject, Terms};
use crate::script::{Counted, Engine, Progress, Run, RunKind, ScriptError, ScriptFlags, Writes};
use crate::server::suspended::{Lent, Suspended};
use crate::server::{Cx, Flow, Server};
use crate::spec::CommandError;

/// How long a slow script runs before others have their turn: they wait so long at most, and the turns cost it little.
const SLICE_NS: u64 = 3_000_000;

/// A run for the client that asks for it.
pub fn of(cx: &Cx<'_>, subject: Subject, (flags, writes): (ScriptFlags, Writes)) -> Run {
    let course = Course::start(cx.now, cx.server.config.busy_reply_threshold);
    let (client, command, now) = (cx.client_id, cx.command, cx.now);
    Run { subject, writes, flags, client, command, now, terms: Terms::default(), course }
}

/// Runs the script until it ends or has taken too long.
pub fn start(cx: &mut Cx<'_>, mut run: Run, keys: Args<'_>, argv: Args<'_>) -> Result<Flow, CommandError> {
    let mut lent = Lent { db: cx.client().db };
    let body = body_of(cx.server, &run.subject);
    let kind = run.subject.kind();
    let progress = stretch(cx.server, &mut run, &mut lent, |engine, host| match kind {
        RunKind::Script => engine.start(host, &body, keys, argv),
        RunKind::Function => engine.start_function(host, &body, keys, argv),
    });
    if progress == Progress::Paused {
        cx.server.suspended = Some(Box::new(Suspended::new(run, lent)));
        return Ok(Flow::Suspend);
    }
    end(cx.server, &run, progress, &mut cx.reply)
}

/// Lets a script that is suspended go on for a slice. `None`: it is suspended again.
pub fn resume(
    server: &mut Server,
    suspended: &mut Suspended,
    out: &mut Vec<u8>,
) -> Option<Result<Flow, CommandError>> {
    let Suspended { run, lent, .. } = suspended;
    run.course.pauses_at_ns = server.clock.mono_ns() + SLICE_NS;
    let progress = stretch(server, run, lent, |engine, host| engine.resume(host));
    if progress == Progress::Paused {
        return None;
    }
    let protocol = server.clients.get(run.client).map(|client| client.protocol).unwrap_or_default();
    Some(end(server, run, progress, &mut Reply::new(out, protocol)))
}

fn stretch(
    server: &mut Server,
    run: &mut Run,
    lent: &mut Lent,
    go: impl FnOnce(&mut Engine, &mut ServerHost<'_>) -> Progress,
) -> Progress {
    let (client, kind) = (run.client, run.subject.kind());
    let mut engine = engine_of(server, kind).take().expect("it has compiled the script");
    lent.exchange(server, client);
    let was_in_exec = std::mem::replace(&mut server.in_exec, true);
    server.in_script = true;
    let progress = go(&mut engine, &mut ServerHost { server, run });
    (server.in_script, server.in_exec) = (false, was_in_exec);
    lent.exchange(server, client);
    *engine_of(server, kind) = Some(engine);
    progress
}

fn engine_of(server: &mut Server, kind: RunKind) -> &mut Option<Engine> {
    match kind {
        RunKind::Script => &mut server.scripts.engine,
        RunKind::Function => server.scripts.libraries.engine(),
    }
}

fn body_of(server: &mut Server, subject: &Subject) -> Reference {
    let scripts = &mut server.scripts;
    match subject {
        Subject::Script(digest) => scripts.cache.touch(digest).expect("it was found").function.share(),
        Subject::Function(name) => scripts.libraries.find(name).expect("it was found").callback.share(),
    }
}

/// Says once of a script that it is slow, in Redis's words.
#[cold]
pub fn note_slow(server: &Server, suspended: &Suspended) {
    let took_ms = server.clock.mono_ns().saturating_sub(suspended.run.now.mono_ns) / 1_000_000;
    let subject = &suspended.run.subject;
    let command = match subject.kind() {
        RunKind::Script => "SCRIPT KILL",
        RunKind::Function => "FUNCTION KILL",
    };
    tracing::warn!(
        "Slow script detected: still in execution after {took_ms} milliseconds. You can try killing the script \
         using the {command} command. Script name is: {}.",
        String::from_utf8_lossy(&subject.name())
    );
}

fn end(
    server: &mut Server,
    run: &Run,
    progress: Progress,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    server.scripts.note_run(run.subject.kind());
    let engine = engine_of(server, run.subject.kind()).as_mut().expect("it has run the script");
    match progress {
        Progress::Returned => {
            let errors = engine.write_result(reply, run.terms.protocol);
            count_errors(server, run, &errors);
            Ok(Flow::Done)
        }
        Progress::Failed | Progress::Paused => {
            let error = engine.take_error();
            if run.course.is_killed {
                tracing::info!("Lua script killed by user with SCRIPT KILL.");
            }
            fail(server, run, error, reply)
        }
    }
}

/// Errors within the reply: each that a command failed with, and the rest together, are failures of the call.
fn count_errors(server: &mut Server, run: &Run, errors: &Errors) {
    errors.new.iter().for_each(|line| server.count_error(line));
    let stats = &mut server.commands.at_mut(run.command).stats;
    stats.failed_calls += errors.counted + u64::from(!errors.new.is_empty());
}

/// The script has ended with an error. When that of a command went through it, it was counted there.
fn fail(
    server: &mut Server,
    run: &Run,
    error: ScriptError,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let counted = error.counted;
    let line = failure(error, run);
    match counted {
        Counted::NotYet => Err(CommandError::Quoting(line.into())),
        Counted::Already => {
            reply.error_bytes(&line);
            server.commands.at_mut(run.command).stats.failed_calls += 1;
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
