//! Runs a script in stretches: lends it the server for each, and turns its end into the reply of the command that runs
//! it.
//!
//! The first stretch ends when the script does, or at `busy-reply-threshold`; then come slices (`exec::suspended`).

use super::host::ServerHost;
use crate::base::argv::Args;
use crate::resp::{Protocol, Reply};
use crate::script::cache::digest_text;
use crate::script::run::Course;
use crate::script::{Engine, Progress, Run, RunKind, ScriptError};
use crate::server::suspended::{Lent, Suspended, script_name};
use crate::server::{Cx, Flow, Server};
use crate::spec::CommandError;

/// How long a slow script runs before others have their turn: they wait so long at most, and the turns cost it little.
const SLICE_NS: u64 = 3_000_000;

/// Runs the script until it ends or has taken too long.
pub fn start(cx: &mut Cx<'_>, mut run: Run, keys: Args<'_>, argv: Args<'_>) -> Result<Flow, CommandError> {
    run.course = Course::start(run.now, cx.server.config.busy_reply_threshold);
    let mut lent = Lent { db: cx.client().db, protocol: Protocol::Resp2 };
    let script = cx.server.scripts.cache.touch(&run.digest).expect("it was found").function.share();
    let begin = |engine: &mut Engine, host: &mut ServerHost<'_>| engine.start(host, &script, keys, argv);
    let progress = stretch(cx.server, &mut run, &mut lent, begin);
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
    let mut engine = server.scripts.engine.take().expect("it has compiled the script");
    let client = run.client;
    lent.exchange(server, client);
    let was_in_exec = std::mem::replace(&mut server.in_exec, true);
    let progress = go(&mut engine, &mut ServerHost { server, run });
    server.in_exec = was_in_exec;
    lent.exchange(server, client);
    server.scripts.engine = Some(engine);
    progress
}

/// Says once of a script that it is slow, in Redis's words.
#[cold]
pub fn note_slow(server: &Server, suspended: &Suspended) {
    let Some(call) = suspended.calls.first() else { return };
    let took_ms = server.clock.mono_ns().saturating_sub(suspended.run.now.mono_ns) / 1_000_000;
    let command = match suspended.run.kind {
        RunKind::Script => "SCRIPT KILL",
        RunKind::Function => "FUNCTION KILL",
    };
    let name = script_name(&suspended.run, call.argv.args());
    tracing::warn!(
        "Slow script detected: still in execution after {took_ms} milliseconds. You can try killing the script \
         using the {command} command. Script name is: {}.",
        String::from_utf8_lossy(&name)
    );
}

fn end(
    server: &mut Server,
    run: &Run,
    progress: Progress,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    server.scripts.note_run();
    let engine = server.scripts.engine.as_mut().expect("it has run the script");
    match progress {
        Progress::Returned => {
            engine.write_result(reply);
            Ok(Flow::Done)
        }
        Progress::Failed | Progress::Paused => {
            if run.course.is_killed {
                tracing::info!("Lua script killed by user with SCRIPT KILL.");
            }
            Err(failure(engine.take_error(), run))
        }
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
