//! MULTI, EXEC, DISCARD, WATCH and UNWATCH.

use super::call::{self, Attempt, Call, Request};
use super::permissions;
use crate::base::argv::Args;
use crate::client::Access;
use crate::client::multi::{Queued, Transaction, Watched};
use crate::server::{Cx, Entry, Flow};
use crate::spec::{CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const OPEN: Flags = Flags::NOSCRIPT.or(Flags::LOADING).or(Flags::STALE).or(Flags::FAST).or(Flags::ALLOW_BUSY);
const EXEC: Flags = Flags::NOSCRIPT.or(Flags::LOADING).or(Flags::STALE).or(Flags::SKIP_SLOWLOG);

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        Spec::new("multi", 1, Group::Transactions, OPEN).complexity("O(1)").doc(
            "1.2.0",
            "Mark the start of a transaction block",
            "",
        ),
        multi,
    ),
    Entry::server(
        Spec::new("exec", 1, Group::Transactions, EXEC)
            .complexity("Depends on commands in the transaction")
            .doc("1.2.0", "Execute all commands issued after MULTI", ""),
        exec,
    ),
    Entry::server(
        Spec::new("discard", 1, Group::Transactions, OPEN)
            .complexity("O(N), when N is the number of queued commands")
            .doc("2.0.0", "Discard all commands issued after MULTI", ""),
        discard,
    ),
    Entry::server(
        Spec::new("watch", -2, Group::Transactions, OPEN)
            .keys(&[KeySpec::rest(1, 1, KeyFlags::RO)])
            .complexity("O(1) for every key.")
            .doc(
                "2.2.0",
                "Watch the given keys to determine execution of the MULTI/EXEC block",
                "key [key ...]",
            ),
        watch,
    ),
    Entry::server(
        Spec::new("unwatch", 1, Group::Transactions, OPEN).complexity("O(1)").doc(
            "2.2.0",
            "Forget about all watched keys",
            "",
        ),
        unwatch,
    ),
];

fn multi(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let client = cx.client();
    if client.transaction.is_some() {
        return Err(CommandError::MultiNested);
    }
    client.transaction = Some(Transaction::default());
    cx.reply.ok();
    Ok(Flow::Done)
}

fn exec(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let Some(transaction) = cx.client().transaction.take() else {
        return Err(CommandError::ExecWithoutMulti);
    };
    let watch_broken = cx.client().watch_broken || watched_key_expired(cx);
    cx.server.forget_watches(cx.client_id);
    if transaction.broken {
        return Err(CommandError::ExecAbort);
    }
    if watch_broken {
        cx.reply.null_array();
        return Ok(Flow::Done);
    }
    let header_start = cx.reply.len();
    cx.reply.array(transaction.queue.len());
    drop_muted(cx, header_start);
    cx.server.in_exec = true;
    let (mut flow, mut now) = (Flow::Done, cx.now);
    for queued in &transaction.queue {
        let request = Request { args: queued.argv.args(), hint: None };
        let call =
            Call { client: cx.client_id, command: queued.command, request, now, attempt: Attempt::First };
        let reply_start = cx.reply.len();
        if let Err(error) = still_permitted(cx, queued) {
            let line = error.line();
            cx.server.count_error(&line);
            cx.reply.error_bytes(&line);
        } else if call::call(cx.server, call, cx.reply.buffer()) == Flow::Close {
            flow = Flow::Close;
        }
        drop_muted(cx, reply_start);
        now = cx.server.now_after(now);
    }
    cx.server.in_exec = false;
    cx.server.exec_was_muted = cx.client().reply_mode.is_muted();
    Ok(flow)
}

/// Its user may have changed since the command was queued, not least by a command before it.
fn still_permitted(cx: &mut Cx<'_>, queued: &Queued) -> Result<(), CommandError> {
    match cx.client().access {
        Access::Everything => Ok(()),
        Access::Checked => {
            permissions::check_queued(cx.server, cx.client_id, queued.command, queued.argv.args())
        }
    }
}

/// CLIENT REPLY may stand among the commands: each reply, and the header before them, is sent or not by what holds
/// when it is made, even when a part of the array is missing then.
fn drop_muted(cx: &mut Cx<'_>, reply_start: usize) {
    if cx.client().reply_mode.is_muted() {
        cx.reply.truncate(reply_start);
    }
}

/// A watched key that expired since WATCH breaks the transaction even when nobody has looked at it yet.
fn watched_key_expired(cx: &mut Cx<'_>) -> bool {
    let now_ms = cx.now.unix_ms();
    let watched = cx.client().watched.clone();
    watched.iter().filter(|watch| !watch.was_expired).any(|watch| {
        let table = cx.server.keyspace.db(watch.db).table();
        let entry = table.get(table.hash(&watch.key), &watch.key);
        entry.and_then(|entry| entry.expire_at_ms()).is_some_and(|expire_at_ms| now_ms > expire_at_ms)
    })
}

fn discard(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    if cx.client().transaction.take().is_none() {
        return Err(CommandError::DiscardWithoutMulti);
    }
    cx.server.forget_watches(cx.client_id);
    cx.reply.ok();
    Ok(Flow::Done)
}

fn watch(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    if cx.client().transaction.is_some() {
        return Err(CommandError::WatchInMulti);
    }
    let (id, db, now_ms) = (cx.client_id, cx.client().db, cx.now.unix_ms());
    for key in args.iter().skip(1) {
        let client = cx.client();
        if client.watch_broken || client.watched.iter().any(|watch| watch.db == db && *watch.key == *key) {
            continue;
        }
        let table = cx.server.keyspace.db(db).table();
        let entry = table.get(table.hash(key), key);
        let was_expired = entry.and_then(|entry| entry.expire_at_ms()).is_some_and(|at_ms| now_ms > at_ms);
        cx.client().watched.push(Watched { db, key: key.into(), was_expired });
        cx.server.watches.add(id, db, key);
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

fn unwatch(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.forget_watches(cx.client_id);
    cx.reply.ok();
    Ok(Flow::Done)
}
