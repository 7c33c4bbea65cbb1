//! CLIENT LIST and CLIENT INFO: a line per client.
//!
//! ```text
//!   id addr laddr fd name age idle flags    who, since when (seconds)
//!   db sub psub ssub multi watch            selected database, subscriptions, queued commands (-1: no MULTI),
//!                                           watched keys
//!   qbuf qbuf-free argv-mem multi-mem       bytes received and not yet run, free space, arguments, queued commands
//!   rbs rbp obl oll omem                    output: memory held, most that ever waited, waiting, parts of it shared
//!                                           with other clients, memory held by what waits
//!   tot-mem events cmd user redir resp      all memory, awaited events, last command, protocol
//!   capa lib-name lib-ver                   what it can (r: be redirected), its library
//!   io-thread tot-net-in tot-net-out tot-cmds   the thread that serves it, bytes received and sent, commands run
//! ```
//! The fields are those of Redis 7.4 with the totals of Redis 8 and Valkey 8, and Valkey's `capa`. The running client's
//! output is lent to the reply that is being written, so it counts as empty.

use super::filter::{Filter, For};
use super::tracking::redirection;
use crate::base::argv::Args;
use crate::base::ids::ClientId;
use crate::base::log::REDACTED;
use crate::client::client::Transport;
use crate::client::tracking::{Redirection, Tracker};
use crate::client::{Client, ClientKind};
use crate::resp::Protocol;
use crate::server::{Cx, Flow, Server};
use crate::spec::CommandError;
use std::fmt::{Display, Write};

pub(super) fn list(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let filter = Filter::read(cx, args, For::List)?;
    let (clients, now_ms) = (&cx.server.clients, cx.now.unix_ms());
    let mut ids = clients.ids();
    if let Some(numbers) = filter.only_numbers() {
        let find = |number: &u64| ids.binary_search_by_key(number, |id| id.number).ok().map(|at| ids[at]);
        ids = numbers.iter().filter_map(find).collect();
    } else {
        let fits = |client: &Client| filter.fits(client, cx.client_id, now_ms);
        ids.retain(|id| clients.get(*id).is_some_and(fits));
    }
    answer(cx, args, &ids);
    Ok(Flow::Done)
}

pub(super) fn info(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let own = cx.client_id;
    answer(cx, args, &[own]);
    Ok(Flow::Done)
}

fn answer(cx: &mut Cx<'_>, args: Args<'_>, ids: &[ClientId]) {
    let mut text = String::new();
    for client in ids.iter().filter_map(|id| cx.server.clients.get(*id)) {
        // A client that was killed and has not been told is gone for everybody else.
        if client.close_now {
            continue;
        }
        let is_own = client.id == cx.client_id;
        let arguments_bytes = if is_own { args.iter().map(<[u8]>::len).sum() } else { 0 };
        let shown = Shown { arguments_bytes, ..Shown::of(cx.server, client) };
        describe(client, shown, cx.now.unix_ms(), &mut text);
    }
    cx.reply.verbatim("txt", text.as_bytes());
}

/// What a line tells besides what the client knows of itself.
#[derive(Clone, Copy)]
struct Shown<'a> {
    /// Its last command.
    command: &'a str,
    user: &'a [u8],
    arguments_bytes: usize,
    names: Names,
}

impl<'a> Shown<'a> {
    fn of(server: &'a Server, client: &Client) -> Self {
        let command = client.last_command.map(|command| server.commands.at(command).entry.spec.name);
        let user = server.user_name(client);
        Shown { command: command.unwrap_or("NULL"), user, arguments_bytes: 0, names: Names::Shown }
    }
}

/// Whether what users have chosen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Shown,
    Hidden,
}

/// The line of a client, without its end, as the log shows it: with `hide-user-data-from-log` without names.
pub fn line_for_log(server: &Server, client: &Client, now_ms: i64) -> String {
    let names = if server.config.hide_user_data_from_log { Names::Hidden } else { Names::Shown };
    line(client, Shown { names, ..Shown::of(server, client) }, now_ms)
}

/// The line of a client, without its end.
pub fn line_of(server: &Server, client: &Client, now_ms: i64) -> String {
    line(client, Shown::of(server, client), now_ms)
}

fn line(client: &Client, shown: Shown<'_>, now_ms: i64) -> String {
    let mut line = String::new();
    describe(client, shown, now_ms, &mut line);
    line.truncate(line.trim_end().len());
    line
}

/// Appends the line of one client.
fn describe(client: &Client, shown: Shown<'_>, now_ms: i64, line: &mut String) {
    let name = |chosen: &[u8]| match shown.names {
        Names::Shown => String::from_utf8_lossy(chosen).into_owned(),
        Names::Hidden => REDACTED.to_owned(),
    };
    let (origin, output, query) = (&client.origin, &client.output, &client.query_buffer);
    let transaction = client.transaction.as_ref();
    let waits = !output.is_empty();
    let mut field = |name: &str, value: &dyn Display| {
        write!(line, "{name}={value} ").expect("a string can always be written to");
    };
    field("id", &client.id);
    field("addr", &origin.address);
    field("laddr", &origin.local_address);
    field("fd", &origin.fd);
    field("name", &name(&client.name));
    field("age", &(now_ms / 1000 - client.created_ms / 1000));
    field("idle", &(now_ms / 1000 - client.last_interaction_ms / 1000));
    field("flags", &flags(client));
    field("db", &client.db);
    field("sub", &client.listening.channels);
    field("psub", &client.listening.patterns);
    field("ssub", &client.listening.shard_channels);
    field("multi", &transaction.map_or(-1, |transaction| transaction.queue.len() as i64));
    field("watch", &client.watched.len());
    field("qbuf", &query.used_bytes);
    field("qbuf-free", &query.free_bytes);
    field("argv-mem", &shown.arguments_bytes);
    field("multi-mem", &transaction.map_or(0, |transaction| transaction.heap_bytes));
    field("rbs", &output.heap_bytes());
    field("rbp", &output.peak_len());
    field("obl", &output.pending_len());
    field("oll", &output.segments());
    field("omem", &if waits { output.heap_bytes() } else { 0 });
    field("tot-mem", &client.heap_bytes());
    field("events", &if waits { "rw" } else { "r" });
    field("cmd", &shown.command);
    field("user", &name(shown.user));
    field("redir", &redirection(client));
    field("resp", &if client.protocol == Protocol::Resp3 { 3 } else { 2 });
    field("capa", &client.capabilities.letters());
    field("lib-name", &String::from_utf8_lossy(&client.library_name));
    field("lib-ver", &String::from_utf8_lossy(&client.library_version));
    field("io-thread", &0);
    field("tot-net-in", &client.input_bytes_total);
    field("tot-net-out", &client.output_bytes_total);
    field("tot-cmds", &client.commands_total);
    line.pop();
    line.push('\n');
}

/// The letters of what a client is and does, `N` for nothing special.
pub(super) fn flags(client: &Client) -> String {
    let tracker = client.tracker.as_deref();
    let letters = [
        ('O', client.is_monitor),
        ('P', client.kind() == ClientKind::Pubsub),
        ('x', client.transaction.is_some()),
        ('b', client.paused || client.blocked.is_some()),
        ('t', tracker.is_some()),
        ('R', tracker.is_some_and(|tracker| tracker.redirection == Redirection::Broken)),
        ('B', tracker.is_some_and(Tracker::is_broadcast)),
        ('d', client.watch_broken),
        ('c', client.close_after_reply),
        ('U', client.origin.transport == Transport::Unix),
        ('e', client.no_evict),
        ('T', client.no_touch),
    ];
    let set: String = letters.iter().filter(|(_, holds)| *holds).map(|(letter, _)| *letter).collect();
    if set.is_empty() { "N".to_owned() } else { set }
}
