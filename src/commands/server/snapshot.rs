//! Snapshots by command: SAVE, BGSAVE, LASTSAVE, SHUTDOWN, and the part of DEBUG that reloads.

use crate::base::argv::Args;
use crate::keyspace::OnTimeout;
use crate::server::expecting::Expected;
use crate::server::loading::{ReloadError, ReloadInto, ReloadSave};
use crate::server::server::ShutdownSave;
use crate::server::shutdown::Begun;
use crate::server::snapshots::{BackgroundStart, CancelledSave};
use crate::server::{Cx, Disturbs, Entry, Flow, Shutdown};
use crate::spec::args::{Options, deadline_ms, is_word};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        Spec::new(
            "save",
            1,
            Group::Server,
            Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::NO_ASYNC_LOADING).or(Flags::NO_MULTI),
        )
        .complexity("O(N) where N is the total number of keys in all databases")
        .doc("1.0.0", "Synchronously save the dataset to disk", ""),
        save,
    )
    .disturbing(Disturbs::LastSave),
    Entry::server(
        Spec::new("bgsave", -1, Group::Server, Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::NO_ASYNC_LOADING))
            .complexity("O(1)")
            .doc("1.0.0", "Asynchronously save the dataset to disk", "[SCHEDULE|CANCEL|WAIT [timeout]]"),
        bgsave,
    )
    .disturbing(Disturbs::LastSave),
    Entry::server(
        Spec::new("lastsave", 1, Group::Server, Flags::LOADING.or(Flags::STALE).or(Flags::FAST))
            .category(Categories::ADMIN.or(Categories::DANGEROUS))
            .complexity("O(1)")
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
        .complexity(
            "O(N) when saving, where N is the total number of keys in all \
                 databases when saving data, otherwise O(1)",
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
    Wait,
}

fn bgsave_option(args: Args<'_>) -> Result<BgsaveOption, CommandError> {
    match args.get(1) {
        None => Ok(BgsaveOption::None),
        Some(word) if args.len() == 2 && is_word(word, "SCHEDULE") => Ok(BgsaveOption::Schedule),
        Some(word) if args.len() == 2 && is_word(word, "CANCEL") => Ok(BgsaveOption::Cancel),
        Some(word) if args.len() <= 3 && is_word(word, "WAIT") => Ok(BgsaveOption::Wait),
        Some(_) => Err(CommandError::Syntax),
    }
}

fn bgsave(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    match bgsave_option(args)? {
        BgsaveOption::Cancel => return bgsave_cancel(cx),
        BgsaveOption::Wait => return bgsave_wait(cx, args),
        BgsaveOption::None | BgsaveOption::Schedule => {}
    }
    if cx.server.snapshots.in_progress() {
        return Err(CommandError::SaveInProgress);
    }
    if cx.server.in_exec {
        // The transaction's later commands belong to the snapshot: it starts when all is done.
        cx.server.snapshots.scheduled = true;
        cx.reply.simple("Background saving scheduled");
    } else {
        cx.reply.simple(match cx.server.start_background_save().map_err(failed)? {
            BackgroundStart::Started => "Background saving started",
            BackgroundStart::WaitsForLock => "Background saving scheduled",
        });
    }
    Ok(Flow::Done)
}

/// BGSAVE WAIT [timeout]: answers when the file is in place, or why it is not. What the caller has written before is in
/// the file: a save that runs already may have begun too early, so the next one is waited for.
///
/// The timeout is in milliseconds; 0, or none, is no limit. It ends the wait, not the save.
fn bgsave_wait(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let now_ms = cx.now.unix_ms();
    let deadline_ms = args.get(2).map(|timeout| deadline_ms(timeout, now_ms)).transpose()?;
    if !cx.may_wait() {
        cx.server.snapshots.scheduled = true;
        cx.reply.simple("Background saving scheduled");
        return Ok(Flow::Done);
    }
    let attempt = if cx.server.snapshots.in_progress() {
        cx.server.snapshots.wanted = true;
        cx.server.snapshots.attempts + 1
    } else {
        match cx.server.start_background_save().map_err(failed)? {
            BackgroundStart::Started => cx.server.snapshots.attempts,
            BackgroundStart::WaitsForLock => cx.server.snapshots.attempts + 1,
        }
    };
    let deadline_ms = deadline_ms.filter(|deadline_ms| *deadline_ms > now_ms);
    let ticket = cx.wait_for_answer_until(deadline_ms, OnTimeout::Error(CommandError::SaveGoesOn));
    cx.server.expecting.join(ticket, Expected::Save { attempt });
    Ok(Flow::Block)
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
    cx.reply.integer(cx.server.snapshots.last_save_s());
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
    let Some(shutdown) = shutdown_options(cx, args)? else { return shutdown_abort(cx) };
    // What a script has done so far is no state to be saved.
    if let Some(suspended) = cx.server.suspended.as_ref().filter(|_| shutdown.save != ShutdownSave::No) {
        return Err(suspended.busy_error());
    }
    match cx.server.prepare_shutdown(shutdown).map_err(|_| CommandError::ShutdownFailed)? {
        Begun::Ended => Ok(Flow::Close),
        Begun::Saving => {
            let on_timeout = OnTimeout::Error(CommandError::ShutdownGoesOn);
            let ticket = cx.wait_for_answer_until(None, on_timeout);
            cx.server.expecting.join(ticket, Expected::Shutdown);
            Ok(Flow::Block)
        }
    }
}

fn shutdown_abort(cx: &mut Cx<'_>) -> Result<Flow, CommandError> {
    if !cx.server.abort_shutdown() {
        return Err(CommandError::NoShutdown);
    }
    cx.reply.ok();
    Ok(Flow::Done)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::argv::Argv;
    use crate::base::clock::{Clock, Now};
    use crate::base::ids::ClientId;
    use crate::config::Config;
    use crate::resp::{Protocol, Reply};
    use crate::server::{Server, ServerHandler};
    use std::cell::Cell;
    use std::rc::Rc;

    fn server(directory: &std::path::Path) -> Server {
        let now = Rc::new(Cell::new(Now { unix_us: 1_700_000_000_000_000, mono_ns: 1 }));
        let mut config = Config::default();
        config.dir = directory.into();
        let commands = crate::server::CommandTable::new(&[COMMANDS]);
        Server::new(config, Clock::manual(now), commands, 5)
    }

    /// The reply to a command line, or its error line.
    fn answer(server: &mut Server, handler: ServerHandler, line: &str) -> String {
        let argv: Argv = line.split(' ').collect();
        let now = server.clock.now();
        let mut out = Vec::new();
        let reply = Reply::new(&mut out, Protocol::Resp2);
        let mut cx = Cx { server, client_id: ClientId { number: 1, slot: 0 }, command: 0, now, reply };
        match handler(&mut cx, argv.args()) {
            Ok(_) => String::from_utf8(out).unwrap(),
            Err(error) => format!("-{error}\r\n"),
        }
    }

    #[test]
    fn saves_answer_as_redis_does() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = server(directory.path());
        assert_eq!(answer(&mut server, lastsave, "lastsave"), ":1700000000\r\n");
        assert_eq!(answer(&mut server, save, "save"), "+OK\r\n");
        assert_eq!(answer(&mut server, bgsave, "bgsave foo"), "-ERR syntax error\r\n");
        for line in ["bgsave schedule x", "bgsave wait 1 2", "bgsave 1"] {
            assert_eq!(answer(&mut server, bgsave, line), "-ERR syntax error\r\n", "{line}");
        }
        let negative = "-ERR timeout is negative\r\n";
        assert_eq!(answer(&mut server, bgsave, "bgsave wait -1"), negative);
        let nothing = "-ERR Background saving is currently not in progress or scheduled\r\n";
        assert_eq!(answer(&mut server, bgsave, "bgsave cancel"), nothing);
        server.in_exec = true;
        assert_eq!(answer(&mut server, bgsave, "bgsave"), "+Background saving scheduled\r\n");
        server.in_exec = false;
        let cancelled = "+Scheduled background saving cancelled\r\n";
        assert_eq!(answer(&mut server, bgsave, "BGSAVE Cancel"), cancelled);
        assert_eq!(answer(&mut server, bgsave, "bgsave Schedule"), "+Background saving started\r\n");
        let busy = "-ERR Background save already in progress\r\n";
        assert_eq!(answer(&mut server, bgsave, "bgsave schedule"), busy);
        assert_eq!(answer(&mut server, save, "save"), busy);
        assert_eq!(answer(&mut server, bgsave, "bgsave cancel"), "+Background saving cancelled\r\n");
    }

    #[test]
    fn a_failed_save_says_what_and_why() {
        let mut server = server(std::path::Path::new("/nowhere/at/all"));
        let text = answer(&mut server, save, "save");
        assert!(text.starts_with("-ERR open /nowhere/at/all/temp-"), "{text}");
        let text = answer(&mut server, bgsave, "bgsave");
        assert_eq!(text, "-ERR write to directory /nowhere/at/all: No such file or directory\r\n");
    }

    #[test]
    fn shutdown_takes_sensible_options_only() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = server(directory.path());
        for line in ["shutdown save nosave", "shutdown abort now", "shutdown force abort", "shutdown x"] {
            assert_eq!(answer(&mut server, shutdown, line), "-ERR syntax error\r\n", "{line}");
        }
        let none = "-ERR No shutdown in progress.\r\n";
        assert_eq!(answer(&mut server, shutdown, "shutdown abort abort"), none);
        std::fs::create_dir(directory.path().join("dump.rdb")).unwrap();
        // The child finds out.
        assert_eq!(answer(&mut server, shutdown, "shutdown now"), "");
        assert!(server.shutdown.is_some() && server.exit_code.is_none());
        assert_eq!(answer(&mut server, shutdown, "shutdown abort"), "+OK\r\n");
        assert!(server.shutdown.is_none() && !server.is_ending());
        assert_eq!(answer(&mut server, shutdown, "shutdown nosave now"), "");
        assert_eq!(server.exit_code, Some(0));
    }

    #[test]
    fn reload_knows_its_options() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = server(directory.path());
        let unknown = "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.\r\n";
        assert_eq!(answer(&mut server, debug_reload, "debug reload x"), unknown);
        assert_eq!(answer(&mut server, debug_reload, "debug reload"), "+OK\r\n");
        assert_eq!(answer(&mut server, debug_reload, "debug reload nosave merge noflush"), "+OK\r\n");
        std::fs::write(directory.path().join("dump.rdb"), b"REDIS0099").unwrap();
        let failed = "-ERR Error trying to load the RDB dump, check server logs.\r\n";
        assert_eq!(answer(&mut server, debug_reload, "debug reload nosave"), failed);
    }
}
