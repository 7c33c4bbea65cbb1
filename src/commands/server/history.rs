//! SNAPSHOT: the snapshots that are kept, by command.

use crate::base::argv::Args;
use crate::commands::help;
use crate::persist::SnapshotId;
use crate::persist::catalog::Line;
use crate::persist::disk::System;
use crate::persist::history::{Editing, HistoryError, State};
use crate::resp::Reply;
use crate::server::deferred::Ticket;
use crate::server::history::{Pace, SnapshotFailure};
use crate::server::{Cx, Disturbs, Entry, Flow, Server};
use crate::spec::{CommandError, Flags, Group, Spec};

const FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::NO_ASYNC_LOADING);
/// They wait for a file to be read, which a transaction cannot.
const WAITING: Flags = FLAGS.or(Flags::NO_MULTI);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    spec("snapshot", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
        "7.4.0",
        "A container for commands about kept snapshots",
        "",
    ),
    &[
        Entry::server(
            spec("snapshot|delete", 3, FLAGS).complexity("O(1)").doc("7.4.0", "Remove a kept snapshot", "id"),
            delete,
        )
        .disturbing(Disturbs::LastSave),
        Entry::server(
            spec("snapshot|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "7.4.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            snapshot_help,
        ),
        Entry::server(
            spec("snapshot|list", 2, FLAGS)
                .tips(&["nondeterministic_output"])
                .complexity("O(N) where N is the number of snapshots")
                .doc("7.4.0", "List the snapshots, the newest first", ""),
            list,
        ),
        Entry::server(
            spec("snapshot|restore", 3, WAITING)
                .complexity("O(N) where N is the number of keys of both datasets")
                .doc("7.4.0", "Replace the dataset by a snapshot's, after saving it", "id"),
            restore,
        )
        .disturbing(Disturbs::LastSave),
        Entry::server(
            spec("snapshot|verify", 3, WAITING).complexity("O(N) where N is the size of the file").doc(
                "7.4.0",
                "Read a snapshot's file and check every byte of it",
                "id",
            ),
            verify,
        ),
    ],
)];

fn failed(failure: SnapshotFailure) -> CommandError {
    CommandError::text(format!("ERR {failure}"))
}

fn id_argument(args: Args<'_>) -> Result<SnapshotId, CommandError> {
    SnapshotId::parse(args.at(2)).ok_or(CommandError::SnapshotId)
}

type Changed = Result<(), HistoryError>;

/// Has the history changed, then `write` told what it is. Only the caller waits; in a transaction, where nobody may,
/// the server does, for the milliseconds that it takes.
fn ask(
    cx: &mut Cx<'_>,
    change: impl FnOnce(&mut Editing<'_, System>) -> Changed + Send + 'static,
    write: fn(&mut Reply<'_>, &State),
) -> Result<Flow, CommandError> {
    let answer = move |edited: Result<(Changed, State), SnapshotFailure>| {
        let (changed, state) = edited.map_err(failed)?;
        changed.map_err(|error| failed(error.into()))?;
        Ok(state)
    };
    if cx.may_wait() {
        let ticket = cx.wait_for_answer();
        cx.server.edit_history(Pace::Later, change, move |server, edited| {
            let state = answer(edited);
            server.answer(ticket, state.map(|state| move |reply: &mut Reply<'_>| write(reply, &state)));
        });
        return Ok(Flow::Block);
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    cx.server.edit_history(Pace::Now, change, move |_, edited| drop(sender.send(answer(edited))));
    let state = receiver.try_recv().map_err(|_| failed(SnapshotFailure::Thread))??;
    write(&mut cx.reply, &state);
    Ok(Flow::Done)
}

fn list(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    ask(cx, |_| Ok(()), write_list)
}

fn write_list(reply: &mut Reply<'_>, state: &State) {
    reply.array(state.lines.len());
    for (index, line) in state.lines.iter().enumerate().rev() {
        write_line(reply, line, state.current == Some(index));
    }
}

fn write_line(reply: &mut Reply<'_>, line: &Line, is_current: bool) {
    let number = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
    reply.map(10);
    reply.bulk(b"id");
    reply.bulk_text(&line.id.to_string());
    let made_s = Some(line.made_s);
    let bytes = number(Some(line.bytes));
    write_number(reply, "time", made_s);
    reply.bulk(b"file");
    reply.bulk_text(&line.file);
    write_number(reply, "keys", number(line.keys));
    write_number(reply, "bytes", bytes);
    write_number(reply, "rdb-version", line.rdb_version.map(i64::from));
    write_number(reply, "duration-ms", number(line.duration_ms));
    write_number(reply, "fork-us", number(line.fork_us));
    reply.bulk(b"crc64-xz");
    match line.crc64_xz {
        Some(sum) => reply.bulk_text(&format!("{sum:016X}")),
        None => reply.null(),
    }
    reply.bulk(b"current");
    reply.bulk(if is_current { b"yes" } else { b"no" });
}

fn write_number(reply: &mut Reply<'_>, name: &str, number: Option<i64>) {
    reply.bulk_text(name);
    match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    }
}

fn delete(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let id = id_argument(args)?;
    ask(cx, move |editing| editing.delete(id), |reply, _| reply.ok())
}

fn verify(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let id = id_argument(args)?;
    let ticket = cx.wait_for_answer();
    cx.server.verify_snapshot(id, move |server, verified| {
        answer_ok(server, ticket, verified.map(drop).map_err(failed));
    });
    Ok(Flow::Block)
}

fn restore(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let id = id_argument(args)?;
    if cx.server.snapshots.in_progress() {
        return Err(CommandError::SaveInProgress);
    }
    let ticket = cx.wait_for_answer();
    cx.server.verify_snapshot(id, move |server, verified| {
        let restored = verified.map_err(failed).and_then(|line| {
            // What began while the file was read must not lose what it works on.
            if server.is_ending() {
                return Err(CommandError::EndingRefused);
            }
            if server.snapshots.in_progress() {
                return Err(CommandError::SaveInProgress);
            }
            server.restore_snapshot(&line).map_err(failed)
        });
        answer_ok(server, ticket, restored);
    });
    Ok(Flow::Block)
}

fn answer_ok(server: &mut Server, ticket: Ticket, result: Result<(), CommandError>) {
    server.answer(ticket, result.map(|()| |reply: &mut Reply<'_>| reply.ok()));
}

fn snapshot_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "DELETE <id>",
        "    Remove a kept snapshot. The current file stays.",
        "LIST",
        "    Return the snapshots, the newest first. Entries are made of:",
        "    id, time, file, keys, bytes, rdb-version, duration-ms, fork-us, crc64-xz, current",
        "    A null is what is not known of a file that was found; VERIFY finds it out.",
        "RESTORE <id>",
        "    Verify a snapshot, keep the dataset as another one, and replace it.",
        "VERIFY <id>",
        "    Check a snapshot's checksum, its structure, and that it is what was saved.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}
