//! MULTI, EXEC, DISCARD, WATCH and UNWATCH.

use super::call::{self, Attempt, Call, Request};
use super::permissions;
use crate::base::argv::Args;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::client::Access;
use crate::client::multi::{Queued, Transaction, Watched};
use crate::resp::Reply;
use crate::server::suspended::RestOfExec;
use crate::server::{Cx, Entry, Flow, Server};
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
    drop_muted(cx.server, cx.client_id, header_start, cx.reply.buffer());
    let rest = RestOfExec { client: cx.client_id, queue: transaction.queue, next: 0, flow: Flow::Done };
    Ok(go_on(cx.server, rest, cx.now, cx.reply.buffer()))
}

/// Runs what is left of a transaction, up to its end or to a script that is suspended.
pub fn go_on(server: &mut Server, mut rest: RestOfExec, mut now: Now, out: &mut Vec<u8>) -> Flow {
    server.in_exec = true;
    while let Some(queued) = rest.queue.get(rest.next) {
        rest.next += 1;
        let reply_start = out.len();
        let flow = run_queued(server, rest.client, queued, now, out);
        if flow == Flow::Suspend {
            server.suspended.as_mut().expect("a script is suspended").rest = Some(rest);
            return flow;
        }
        answered(server, &mut rest, flow, (reply_start, out));
        now = server.now_after(now);
    }
    server.in_exec = false;
    server.exec_was_muted = is_muted(server, rest.client);
    rest.flow
}

fn run_queued(server: &mut Server, client: ClientId, queued: &Queued, now: Now, out: &mut Vec<u8>) -> Flow {
    let request = Request { args: queued.argv.args(), hint: None };
    let call = Call { client, command: queued.command, request, now, attempt: Attempt::First };
    if let Err(error) = still_permitted(server, client, queued) {
        let line = error.line();
        server.count_error(&line);
        let protocol = server.clients.get(client).map(|client| client.protocol).unwrap_or_default();
        Reply::new(out, protocol).error_bytes(&line);
        return Flow::Done;
    }
    call::call(server, call, out)
}

/// A command of the transaction has ended, with a reply that begins at `reply`'s first part.
pub fn answered(server: &Server, rest: &mut RestOfExec, flow: Flow, reply: (usize, &mut Vec<u8>)) {
    if flow == Flow::Close {
        rest.flow = Flow::Close;
    }
    drop_muted(server, rest.client, reply.0, reply.1);
}

fn is_muted(server: &Server, client: ClientId) -> bool {
    server.clients.get(client).is_some_and(|client| client.reply_mode.is_muted())
}

/// Its user may have changed since the command was queued, not least by a command before it.
fn still_permitted(server: &mut Server, client: ClientId, queued: &Queued) -> Result<(), CommandError> {
    match server.clients.get(client).map(|client| client.access) {
        None | Some(Access::Everything) => Ok(()),
        Some(Access::Checked) => {
            permissions::check_queued(server, client, queued.command, queued.argv.args())
        }
    }
}

/// CLIENT REPLY may stand among the commands: each reply, and the header before them, is sent or not by what holds
/// when it is made, even when a part of the array is missing then.
fn drop_muted(server: &Server, client: ClientId, reply_start: usize, out: &mut Vec<u8>) {
    if is_muted(server, client) {
        out.truncate(reply_start);
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
