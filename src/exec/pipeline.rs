//! Runs the requests of one connection: find a batch, prefetch its keys, execute.
//!
//! With several requests waiting, the cost of a lookup is the cache miss. So the keys of a batch are hashed first, then
//! all their buckets are prefetched, then the entries those name, and only then the commands run.

use super::call::{self, Outcome};
use super::client_eviction;
use super::inbox::{Inbox, Search};
use super::output_limit;
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::client::client::QueryBufferSizes;
use crate::encoding::dict::Dict;
use crate::keyspace::Entry;
use crate::resp::{Limits, Reply, Trust};
use crate::server::Server;

/// Requests parsed and prefetched together.
const BATCH: usize = 32;
/// A connection that has run so many requests in a row lets others have their turn.
const TURN_REQUESTS_MAX: usize = 1024;
/// Or that has produced so many bytes of output.
const TURN_OUTPUT_BYTES_MAX: usize = 1 << 20;
/// Or that has sent so many messages to others: filling so many outputs takes about a millisecond.
const TURN_MESSAGES_MAX: u64 = 10_000;
/// While a client has not taken so many bytes of its replies, its requests wait. They are received all the same: a
/// client that sends a whole pipeline before it reads must not block, and requests are smaller than their replies.
pub const UNSENT_OUTPUT_BYTES_MAX: usize = 32 << 20;

/// Why the run of requests ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything received has been run.
    NeedsInput,
    /// More waits, but it is the turn of others.
    TurnOver,
    /// The client waits for a pause to end.
    Paused,
    /// The client's command waits for a key.
    Blocked,
    /// The client's command runs a slow script, which is suspended.
    Suspended,
    /// The connection closes once its output is sent.
    Close,
}

/// Whether a client that has not taken `unsent` bytes of replies must do so before more of its requests are run.
///
/// A hard output limit of the operator's decides instead, when there is one: beyond it the client is closed.
pub fn must_drain(server: &Server, unsent: usize) -> bool {
    unsent > UNSENT_OUTPUT_BYTES_MAX && server.config.client_output_buffer_limit.normal.hard_bytes == 0
}

/// Runs what `inbox` holds for `client`, as far as its turn allows.
pub fn run(server: &mut Server, client: ClientId, inbox: &mut Inbox) -> Verdict {
    let start_now = server.clock.now();
    if let Some(client) = server.clients.get_mut(client) {
        client.last_interaction_ms = start_now.unix_ms();
        client.query_buffer = sizes(inbox);
    }
    let mut out = server.clients.lend_output(client);
    let verdict = turn(server, client, inbox, &mut out, start_now);
    server.clients.return_output(client, out);
    if let Some(client) = server.clients.get_mut(client) {
        client.query_buffer = sizes(inbox);
        client.paused = verdict == Verdict::Paused;
        client.close_after_reply |= verdict == Verdict::Close;
        let limits = &server.config.client_output_buffer_limit;
        let closed = output_limit::enforce(client, limits, start_now.unix_ms());
        server.stats.output_buffer_limit_disconnections += closed;
    }
    client_eviction::after_turn(server, client, start_now);
    verdict
}

/// Notes for CLIENT LIST how much a client has sent that was not run.
pub fn note_received(server: &mut Server, client: ClientId, inbox: &Inbox) {
    if let Some(client) = server.clients.get_mut(client) {
        client.query_buffer = sizes(inbox);
    }
    if server.clients.memory().is_some() {
        let now = server.clock.now();
        client_eviction::after_turn(server, client, now);
    }
}

fn sizes(inbox: &Inbox) -> QueryBufferSizes {
    let (used_bytes, free_bytes) = inbox.sizes();
    QueryBufferSizes { used_bytes, free_bytes }
}

fn turn(
    server: &mut Server,
    client: ClientId,
    inbox: &mut Inbox,
    out: &mut Vec<u8>,
    mut now: Now,
) -> Verdict {
    let (output_start, pushed_start) = (out.len(), server.clients.pushed());
    let mut done = 0;
    loop {
        if !inbox.has_requests() {
            let (limits, batch) = limits(server, client);
            match inbox.search(&limits, batch) {
                Search::Exhausted => return Verdict::NeedsInput,
                Search::Broken(error) => {
                    server.count_error(b"ERR Protocol error");
                    let protocol =
                        server.clients.get(client).map(|client| client.protocol).unwrap_or_default();
                    Reply::new(out, protocol).error_bytes(&error.reply());
                    return Verdict::Close;
                }
                Search::Some if inbox.waiting() > 1 => prefetch(server, client, inbox),
                Search::Some => {}
            }
        }
        while let Some(request) = inbox.peek(0) {
            match call::execute(server, client, request, now, out) {
                Outcome::Done => {}
                Outcome::Wait => return Verdict::Paused,
                Outcome::Block => {
                    inbox.advance();
                    return Verdict::Blocked;
                }
                Outcome::Suspend => {
                    inbox.advance();
                    return Verdict::Suspended;
                }
                Outcome::Close => return Verdict::Close,
            }
            inbox.advance();
            done += 1;
            if server.clients.get(client).is_none_or(|client| client.close_now || client.close_after_reply) {
                return Verdict::Close;
            }
            now = server.now_after(now);
            let messages = server.clients.pushed().since(pushed_start).messages;
            if out.len() - output_start >= TURN_OUTPUT_BYTES_MAX || messages >= TURN_MESSAGES_MAX {
                return Verdict::TurnOver;
            }
        }
        if done >= TURN_REQUESTS_MAX {
            return Verdict::TurnOver;
        }
    }
}

/// Before authentication a command may change what the next one is allowed, so they are parsed one by one.
fn limits(server: &Server, client: ClientId) -> (Limits, usize) {
    let trusted = !server.must_authenticate(client);
    let proto_max_bulk_bytes = i64::try_from(server.config.proto_max_bulk_len).unwrap_or(i64::MAX);
    match trusted {
        true => (Limits { proto_max_bulk_bytes, trust: Trust::Authenticated }, BATCH),
        false => (Limits { proto_max_bulk_bytes, trust: Trust::Unauthenticated }, 1),
    }
}

fn prefetch(server: &Server, client: ClientId, inbox: &mut Inbox) {
    let Some(client) = server.clients.get(client) else { return };
    let table = server.keyspace.db(client.db).table();
    let mut sought: [Option<Sought>; BATCH] = [None; BATCH];
    for (ahead, sought) in sought.iter_mut().enumerate().take(inbox.waiting()) {
        *sought = inbox.peek(ahead).and_then(|request| {
            let command = server.commands.at(server.commands.find(request.args.at(0))?);
            if command.first_key != 1 {
                return None;
            }
            let hash = table.hash(request.args.get(1)?);
            table.prefetch_bucket(hash);
            Some(Sought { hash, member_at: command.member_at })
        });
    }
    for (ahead, sought) in sought.iter().enumerate() {
        if let Some(sought) = sought {
            table.prefetch_candidates(sought.hash);
            inbox.set_hash(ahead, sought.hash);
        }
    }
    prefetch_members(table, inbox, &sought);
}

/// What a waiting command will look up.
#[derive(Clone, Copy)]
struct Sought {
    /// Of its key.
    hash: u64,
    /// `Spec::member_at`
    member_at: usize,
}

/// Large collections are tables themselves: what the commands will look up in them is asked for as well.
fn prefetch_members(table: &Dict<Entry>, inbox: &Inbox, sought: &[Option<Sought>; BATCH]) {
    let mut members = [None; BATCH];
    for (ahead, member) in members.iter_mut().enumerate() {
        let Some(Sought { hash, member_at }) = sought[ahead].filter(|sought| sought.member_at > 0) else {
            continue;
        };
        *member = inbox.peek(ahead).and_then(|request| {
            let view = table.get(hash, request.args.at(1))?.view()?;
            view.prefetch_bucket(request.args.get(member_at)?).map(|hash| (view, hash))
        });
    }
    members.into_iter().flatten().for_each(|(view, hash)| view.prefetch_candidates(hash));
}
