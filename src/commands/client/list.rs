//! CLIENT LIST and CLIENT INFO: a line per client.
//!
//! ```text
//!   id addr laddr fd name age idle flags    who, since when (seconds)
//!   db sub psub ssub multi                  selected database, subscriptions, queued commands (-1: no MULTI)
//!   qbuf qbuf-free argv-mem multi-mem       bytes received and not yet run, free space, arguments, queued commands
//!   rbs rbp obl oll omem                    output: buffer's size, most that ever waited, waiting, further buffers
//!                                           (there are none), memory held by what waits
//!   tot-mem events cmd user redir resp      all memory, awaited events, last command, protocol
//!   lib-name lib-ver
//! ```
//! The fields are those of Redis 7.0.15 with the library's of 7.2. The running client's output is lent to the reply
//! that is being written, so it counts as empty.

use super::kinds::Kind;
use crate::base::argv::Args;
use crate::base::ids::ClientId;
use crate::base::number;
use crate::client::client::Transport;
use crate::client::{Client, ClientKind};
use crate::resp::Protocol;
use crate::server::{Cx, Flow, Server};
use crate::spec::CommandError;
use crate::spec::args::is_word;
use std::fmt::{Display, Write};

/// Which clients are listed, in which order.
enum Which {
    All,
    OfKind(Kind),
    Numbers(Vec<u64>),
}

impl Which {
    fn read(args: Args<'_>) -> Result<Which, CommandError> {
        match (args.len(), args.get(2)) {
            (2, _) => Ok(Which::All),
            (4, Some(word)) if is_word(word, "TYPE") => Kind::read(args.at(3)).map(Which::OfKind),
            (4.., Some(word)) if is_word(word, "ID") => args.from(3).iter().map(read_number).collect(),
            _ => Err(CommandError::Syntax),
        }
    }
}

impl FromIterator<u64> for Which {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        Which::Numbers(numbers.into_iter().collect())
    }
}

/// A client's number. Those that no client can have are no error; 0 stands for them.
fn read_number(argument: &[u8]) -> Result<u64, CommandError> {
    let number = number::parse_i64(argument).ok_or_else(|| CommandError::text("ERR Invalid client ID"))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

pub(super) fn list(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let which = Which::read(args)?;
    let clients = &cx.server.clients;
    let mut ids = clients.ids();
    match which {
        Which::All => {}
        Which::OfKind(kind) => ids.retain(|id| clients.get(*id).is_some_and(|client| kind.fits(client))),
        Which::Numbers(numbers) => {
            let find = |number: &u64| ids.binary_search_by_key(number, |id| id.number).ok().map(|at| ids[at]);
            ids = numbers.iter().filter_map(find).collect();
        }
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
        let shown = Shown { arguments_bytes, now_ms: cx.now.unix_ms(), ..Shown::of(cx.server, client) };
        describe(client, shown, &mut text);
    }
    cx.reply.verbatim("txt", text.as_bytes());
}

/// The line of one client, without its end.
pub fn line_of(server: &Server, client: &Client, now_ms: i64) -> String {
    let mut line = String::new();
    describe(client, Shown { now_ms, ..Shown::of(server, client) }, &mut line);
    line.truncate(line.trim_end().len());
    line
}

/// What a line tells of a client that the client does not know itself.
struct Shown<'a> {
    /// The last command.
    command: &'a str,
    user: &'a [u8],
    arguments_bytes: usize,
    now_ms: i64,
}

impl<'a> Shown<'a> {
    fn of(server: &'a Server, client: &Client) -> Self {
        let command = client.last_command.map(|command| server.commands.at(command).entry.spec.name);
        let user = server.user_name(client);
        Shown { command: command.unwrap_or("NULL"), user, arguments_bytes: 0, now_ms: 0 }
    }
}

/// Appends the line of one client.
fn describe(client: &Client, shown: Shown<'_>, line: &mut String) {
    let Shown { command, user, arguments_bytes, now_ms } = shown;
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
    field("name", &String::from_utf8_lossy(&client.name));
    field("age", &(now_ms / 1000 - client.created_ms / 1000));
    field("idle", &(now_ms / 1000 - client.last_interaction_ms / 1000));
    field("flags", &flags(client));
    field("db", &client.db);
    field("sub", &0);
    field("psub", &0);
    field("ssub", &0);
    field("multi", &transaction.map_or(-1, |transaction| transaction.queue.len() as i64));
    field("qbuf", &query.used_bytes);
    field("qbuf-free", &query.free_bytes);
    field("argv-mem", &arguments_bytes);
    field("multi-mem", &transaction.map_or(0, |transaction| transaction.heap_bytes));
    field("rbs", &output.heap_bytes());
    field("rbp", &output.peak_len());
    field("obl", &output.pending_len());
    field("oll", &0);
    field("omem", &if waits { output.heap_bytes() } else { 0 });
    field("tot-mem", &client.heap_bytes());
    field("events", &if waits { "rw" } else { "r" });
    field("cmd", &command);
    field("user", &String::from_utf8_lossy(user));
    field("redir", &-1);
    field("resp", &if client.protocol == Protocol::Resp3 { 3 } else { 2 });
    field("lib-name", &String::from_utf8_lossy(&client.library_name));
    field("lib-ver", &String::from_utf8_lossy(&client.library_version));
    line.pop();
    line.push('\n');
}

/// The letters of what a client is and does, `N` for nothing special.
fn flags(client: &Client) -> String {
    let letters = [
        ('O', client.kind == ClientKind::Monitor),
        ('x', client.transaction.is_some()),
        ('b', client.paused || client.blocked.is_some()),
        ('d', client.watch_broken),
        ('c', client.close_after_reply),
        ('U', client.origin.transport == Transport::Unix),
        ('e', client.no_evict),
        ('T', client.no_touch),
    ];
    let set: String = letters.iter().filter(|(_, holds)| *holds).map(|(letter, _)| *letter).collect();
    if set.is_empty() { "N".to_owned() } else { set }
}
