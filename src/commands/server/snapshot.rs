//! Snapshots by command: SAVE, BGSAVE, LASTSAVE, SHUTDOWN, and the part of DEBUG that reloads.

use crate::base::argv::Args;
use crate::server::loading::{ReloadInto, ReloadSave};
use crate::server::server::ShutdownSave;
use crate::server::snapshots::CancelledSave;
use crate::server::{Cx, Entry, Flow, Shutdown};
use crate::spec::args::{Options, is_word};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        Spec::new(
            "save",
            1,
            Group::Server,
            Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::NO_ASYNC_LOADING).or(Flags::NO_MULTI),
        )
        .doc("1.0.0", "Synchronously save the dataset to disk", ""),
        save,
    ),
    Entry::server(
        Spec::new("bgsave", -1, Group::Server, Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::NO_ASYNC_LOADING))
            .doc("1.0.0", "Asynchronously save the dataset to disk", "[SCHEDULE|CANCEL]"),
        bgsave,
    ),
    Entry::server(
        Spec::new("lastsave", 1, Group::Server, Flags::LOADING.or(Flags::STALE).or(Flags::FAST))
            .category(Categories::ADMIN.or(Categories::DANGEROUS))
            .doc("1.0.0", "Get the UNIX time stamp of the last successful save to disk", "")
            .tips(&["nondeterministic_output"]),
        lastsave,
    ),
    Entry::server(
        Spec::new(
            "shutdown",
            -1,
            Group::Server,
            Flags::ADMIN
                .or(Flags::NOSCRIPT)
                .or(Flags::LOADING)
                .or(Flags::STALE)
                .or(Flags::NO_MULTI)
                .or(Flags::SENTINEL)
                .or(Flags::ALLOW_BUSY),
        )
        .doc(
            "1.0.0",
            "Synchronously save the dataset to disk and then shut down the server",
            "[NOSAVE|SAVE] [NOW] [FORCE] [ABORT]",
        ),
        shutdown,
    ),
];

/// A failed save: the operation and its path, then the reason.
fn failed(error: impl std::fmt::Display) -> CommandError {
    CommandError::text(format!("ERR {error}"))
}

fn save(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    if cx.server.snapshots.in_progress() {
        return Err(CommandError::SaveInProgress);
    }
    cx.server.save_now().map_err(failed)?;
    cx.reply.ok();
    Ok(Flow::Done)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BgsaveOption {
    None,
    Schedule,
    Cancel,
}

fn bgsave_option(args: Args<'_>) -> Result<BgsaveOption, CommandError> {
    match args.get(1) {
        None => Ok(BgsaveOption::None),
        Some(word) if args.len() == 2 && is_word(word, "SCHEDULE") => Ok(BgsaveOption::Schedule),
        Some(word) if args.len() == 2 && is_word(word, "CANCEL") => Ok(BgsaveOption::Cancel),
        Some(_) => Err(CommandError::Syntax),
    }
}

fn bgsave(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    if bgsave_option(args)? == BgsaveOption::Cancel {
        return bgsave_cancel(cx);
    }
    if cx.server.snapshots.in_progress() {
        return Err(CommandError::SaveInProgress);
    }
    if cx.server.in_exec {
        // The transaction's later commands belong to the snapshot: it starts when all is done.
        cx.server.snapshots.scheduled = true;
        cx.reply.simple("Background saving scheduled");
    } else {
        cx.server.start_background_save().map_err(failed)?;
        cx.reply.simple("Background saving started");
    }
    Ok(Flow::Done)
}

fn bgsave_cancel(cx: &mut Cx<'_>) -> Result<Flow, CommandError> {
    let cancelled = cx.server.cancel_background_save().ok_or(CommandError::NoSaveToCancel)?;
    cx.reply.simple(match cancelled {
        CancelledSave::Running => "Background saving cancelled",
        CancelledSave::Scheduled => "Scheduled background saving cancelled",
    });
    Ok(Flow::Done)
}

fn lastsave(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.integer(cx.server.snapshots.last_save_s);
    Ok(Flow::Done)
}

/// `None` is ABORT.
fn shutdown_options(cx: &Cx<'_>, args: Args<'_>) -> Result<Option<Shutdown>, CommandError> {
    let mut shutdown =
        Shutdown { save: ShutdownSave::ByRules, now: false, force: false, client: Some(cx.client_id) };
    let mut is_abort = false;
    for word in Options::new(args, 1) {
        match word {
            _ if is_word(word, "NOSAVE") && shutdown.save != ShutdownSave::Yes => {
                shutdown.save = ShutdownSave::No
            }
            _ if is_word(word, "SAVE") && shutdown.save != ShutdownSave::No => {
                shutdown.save = ShutdownSave::Yes
            }
            _ if is_word(word, "NOW") => shutdown.now = true,
            _ if is_word(word, "FORCE") => shutdown.force = true,
            _ if is_word(word, "ABORT") => is_abort = true,
            _ => return Err(CommandError::Syntax),
        }
    }
    let is_plain = shutdown.save == ShutdownSave::ByRules && !shutdown.now && !shutdown.force;
    match (is_abort, is_plain) {
        (true, false) => Err(CommandError::Syntax),
        (true, true) => Ok(None),
        (false, _) => Ok(Some(shutdown)),
    }
}

fn shutdown(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    // A shutdown is carried out at once, so there is never one to abort.
    let shutdown = shutdown_options(cx, args)?.ok_or(CommandError::NoShutdown)?;
    cx.server.prepare_shutdown(shutdown).map_err(|_| CommandError::ShutdownFailed)?;
    Ok(Flow::Close)
}

/// DEBUG RELOAD [NOSAVE] [NOFLUSH] [MERGE]: `args` as DEBUG got them.
pub fn debug_reload(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (mut save, mut flushes, mut merges) = (ReloadSave::Save, true, false);
    for word in Options::new(args, 2) {
        match word {
            _ if is_word(word, "NOSAVE") => save = ReloadSave::NoSave,
            _ if is_word(word, "NOFLUSH") => flushes = false,
            _ if is_word(word, "MERGE") => merges = true,
            _ => {
                let text = "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.";
                return Err(CommandError::text(text));
            }
        }
    }
    let into = match (flushes, merges) {
        (true, false) => ReloadInto::Empty,
        (true, true) => ReloadInto::EmptyMerge,
        (false, false) => ReloadInto::Existing,
        (false, true) => ReloadInto::Merge,
    };
    use crate::server::loading::ReloadError;
    cx.server.reload(save, into).map_err(|error| match error {
        ReloadError::Save(error) => failed(error),
        error => {
            tracing::warn!("{error}");
            CommandError::text("ERR Error trying to load the RDB dump, check server logs.")
        }
    })?;
    cx.reply.ok();
    Ok(Flow::Done)
}
