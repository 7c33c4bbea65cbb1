//! Runs one command: admission, handler, meters, commit.

use super::commit;
use super::gates::{self, Admission, Asking};
use super::http;
use super::monitor;
use super::permissions;
use super::redact;
use super::script::flags_of_call;
use super::suspended;
use super::tracking;
use super::unblock;
use crate::base::argv::{Args, Argv};
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::base::os::fault;
use crate::client::{Access, Queued, ReplyMode};
use crate::encoding::dict::mapped_bytes_total;
use crate::keyspace::db::FoundExpired;
use crate::keyspace::ledger::{PatternKeys, Waiting};
use crate::keyspace::tx::{HashHint, Touch};
use crate::keyspace::{Tx, evict as eviction};
use crate::metrics::command_log::{self, Measures};
use crate::metrics::latency;
use crate::resp::{Protocol, Reply};
use crate::script::Terms;
use crate::server::suspended::SuspendedCall;
use crate::server::{Cx, Flow, Handler, Server};
use crate::spec::{CommandError, Flags};

/// A command as it stands in the read buffer.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub args: Args<'a>,
    /// The hash of its first key, when that was prefetched.
    pub hint: Option<HashHint<'a>>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Nothing was done: the client waits for a pause to end, then the request is to be made again.
    Wait,
    /// The command waits for a key. The request is done with: it answers when the key comes.
    Block,
    /// A slow script is suspended. The request is done with: it answers when the script has ended.
    Suspend,
    Close,
}

/// Executes one request of a client, appending to `out` the reply, and what others sent the client meanwhile.
pub fn execute(
    server: &mut Server,
    client: ClientId,
    request: Request<'_>,
    now: Now,
    out: &mut Vec<u8>,
) -> Outcome {
    let outer = server.clients.begin_unit(client);
    let outcome = perform(server, client, request, now, out);
    if outcome == Outcome::Suspend {
        server.clients.suspend_unit(outer);
        return outcome;
    }
    let held_back = server.clients.end_unit(outer);
    out.extend_from_slice(&held_back);
    outcome
}

fn perform(
    server: &mut Server,
    client: ClientId,
    request: Request<'_>,
    now: Now,
    out: &mut Vec<u8>,
) -> Outcome {
    server.last_call_ended_ns = now.mono_ns;
    let admission = admit(server, client, request.args, now);
    // What was evicted to make room for the command went before it.
    server.clients.release_held_back(out);
    let reply_start = out.len();
    let outcome = match admission {
        Ok((command, Admission::Run)) => {
            let call = Call { client, command, request, now, attempt: Attempt::First };
            match self::call(server, call, out) {
                Flow::Done => Outcome::Done,
                Flow::Block => Outcome::Block,
                Flow::Close => Outcome::Close,
                Flow::Suspend => {
                    suspended::keep(server, reply_start, out);
                    return Outcome::Suspend;
                }
            }
        }
        Ok((command, Admission::Queue)) => {
            queue(server, client, command, request.args, out);
            Outcome::Done
        }
        Ok((_, Admission::Wait)) => return Outcome::Wait,
        Err(_) if http::is_header(request.args) => {
            http::abort(server, client, now);
            Outcome::Close
        }
        Err(error) => {
            let refusal = refusal(server, request.args, error);
            reject(server, client, refusal, out);
            Outcome::Done
        }
    };
    finish(server, Ended { client, args: request.args, now, outcome }, reply_start, out);
    outcome
}

/// A unit that is over.
#[derive(Clone, Copy)]
pub struct Ended<'a> {
    pub client: ClientId,
    pub args: Args<'a>,
    pub now: Now,
    pub outcome: Outcome,
}

/// What follows a unit, whose reply begins at `reply_start`.
pub fn finish(server: &mut Server, ended: Ended<'_>, reply_start: usize, out: &mut Vec<u8>) {
    tracking::finish_unit(server);
    // A command that was refused may have evicted keys before.
    if server.waiting.is_ready() {
        unblock::serve_ready(server, ended.now);
    }
    // A command that waits has not answered yet: what CLIENT REPLY says of it holds until it does.
    if ended.outcome != Outcome::Block {
        tracking::command_ended(server, ended.client, ended.args);
        obey_reply_mode(server, ended.client, reply_start, out);
    }
}

fn admit(
    server: &mut Server,
    client: ClientId,
    args: Args<'_>,
    now: Now,
) -> Result<(usize, Admission), CommandError> {
    let command = gates::find(server, args)?;
    if let Some(client) = server.clients.get_mut(client) {
        client.last_command = Some(command);
    }
    let flags = effective_flags(server, client, command, args);
    let mut asking = Asking { server, client, command, args, now_ms: now.unix_ms(), flags };
    match gates::pass(&mut asking) {
        Ok(admission) => Ok((command, admission)),
        Err(error) => {
            server.commands.at_mut(command).stats.rejected_calls += 1;
            Err(error)
        }
    }
}

/// EXEC stands for everything that it will run.
fn effective_flags(server: &Server, client: ClientId, command: usize, args: Args<'_>) -> Flags {
    let spec = &server.commands.at(command).entry.spec;
    if spec.name != "exec" {
        return flags_of_call(server, spec, args);
    }
    let Some(transaction) = server.clients.get(client).and_then(|client| client.transaction.as_ref()) else {
        return spec.flags;
    };
    const INHERITED: Flags = Flags::WRITE.or(Flags::DENYOOM).or(Flags::MAY_REPLICATE);
    let inherited = transaction.queue.iter().fold(Flags::NONE, |flags, queued| {
        let spec = &server.commands.at(queued.command).entry.spec;
        flags.or(flags_of_call(server, spec, queued.argv.args()))
    });
    spec.flags.or(inherited.and(INHERITED))
}

/// An EXEC that is refused ends its transaction all the same, and says so.
#[cold]
fn refusal(server: &Server, args: Args<'_>, error: CommandError) -> Refusal {
    let is_exec =
        gates::find(server, args).is_ok_and(|command| server.commands.at(command).entry.spec.name == "exec");
    if !is_exec {
        return Refusal { error, transaction: After::Broken };
    }
    let line = error.line();
    let reason = line.strip_prefix(b"ERR ").unwrap_or(&line);
    let error = CommandError::quoting("EXECABORT Transaction discarded because of: ", reason, "");
    Refusal { error, transaction: After::Discarded }
}

/// Why a command does not run, and what becomes of a transaction of the client.
struct Refusal {
    error: CommandError,
    transaction: After,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Its EXEC will fail.
    Broken,
    Discarded,
}

fn reject(server: &mut Server, client: ClientId, refusal: Refusal, out: &mut Vec<u8>) {
    let line = refusal.error.line();
    server.count_error(&line);
    if refusal.transaction == After::Discarded {
        server.forget_watches(client);
    }
    if let Some(client) = server.clients.get_mut(client) {
        match refusal.transaction {
            After::Discarded => client.transaction = None,
            After::Broken => client.transaction.iter_mut().for_each(|transaction| transaction.broken = true),
        }
        Reply::new(out, client.protocol).error_bytes(&line);
    }
}

fn queue(server: &mut Server, client: ClientId, command: usize, args: Args<'_>, out: &mut Vec<u8>) {
    let Some(client) = server.clients.get_mut(client) else { return };
    if let Some(transaction) = &mut client.transaction {
        transaction.push(Queued { command, argv: args.to_owned() });
    }
    Reply::new(out, client.protocol).simple("QUEUED");
}

/// Drops the reply that begins at `start` when CLIENT REPLY says so.
fn obey_reply_mode(server: &mut Server, client: ClientId, start: usize, out: &mut Vec<u8>) {
    let Some(client) = server.clients.get_mut(client) else { return };
    match client.reply_mode {
        ReplyMode::On => {}
        ReplyMode::Off if std::mem::take(&mut server.exec_was_muted) => {}
        ReplyMode::Off => out.truncate(start),
        // The command that asked for it answered nothing itself.
        ReplyMode::SkipNext => client.reply_mode = ReplyMode::Skip,
        ReplyMode::Skip => {
            if !std::mem::take(&mut server.exec_was_muted) {
                out.truncate(start);
            }
            client.reply_mode = ReplyMode::On;
        }
    }
}

/// An admitted command. Its meter runs from `now` on: the clock is read once per command, where it ends.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub client: ClientId,
    /// Index in the command table.
    pub command: usize,
    pub request: Request<'a>,
    pub now: Now,
    pub attempt: Attempt,
}

/// Whether a command runs because a client sent it, or because what it waited for has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    First,
    Again,
}

/// Runs an admitted command, meters it and commits what it changed.
pub fn call(server: &mut Server, call: Call<'_>, out: &mut Vec<u8>) -> Flow {
    let reply_start = out.len();
    server.keyspace.found_expired = found_expired(server, &call);
    if !server.clients.monitors().is_empty() {
        monitor::show_script(server, &call);
    }
    let running = (call.client.number, call.request.args);
    let (result, protocol) = fault::while_running(running.0, running.1, || run(server, &call, None, out));
    if matches!(result, Ok(Flow::Suspend)) {
        keep_call(server, &call);
        return Flow::Suspend;
    }
    conclude(server, &call, Ran { result, protocol, reply_start }, out)
}

#[cold]
fn keep_call(server: &mut Server, call: &Call<'_>) {
    let Call { client, command, now, .. } = *call;
    let argv = call.request.args.to_owned();
    let suspended = server.suspended.as_mut().expect("a script is suspended");
    suspended.calls.push(SuspendedCall { client, command, argv, now });
}

/// What a handler has come to.
pub struct Ran {
    pub result: Result<Flow, CommandError>,
    /// Of the caller when it began.
    pub protocol: Protocol,
    /// Where the reply begins.
    pub reply_start: usize,
}

/// What follows the handler of an admitted command.
#[inline]
pub fn conclude(server: &mut Server, call: &Call<'_>, ran: Ran, out: &mut Vec<u8>) -> Flow {
    let Ran { result, protocol, reply_start } = ran;
    let ended_ns = server.clock.meter_ns();
    let took_ns = ended_ns.saturating_sub(call.now.mono_ns);
    server.last_call_ended_ns = ended_ns;
    let failed = result.is_err();
    let flow = result.unwrap_or_else(|error| {
        let line = error.line();
        server.count_error(&line);
        out.truncate(reply_start);
        Reply::new(out, protocol).error_bytes(&line);
        Flow::Done
    });
    match call.attempt {
        Attempt::First => {
            count(server, call, took_ns, failed);
            if flow == Flow::Block {
                begin_wait(server, call, took_ns);
            } else {
                meter(server, call, took_ns, out.len() - reply_start);
            }
            // Afterwards, as in Redis: what a transaction ran comes before EXEC, and SELECT shows the database it
            // selected.
            if !server.clients.monitors().is_empty() {
                monitor::show(server, call);
            }
        }
        Attempt::Again => count_again(server, call, took_ns, failed),
    }
    commit::commit(server, call.client, call.request.args);
    if !server.tracking.is_idle() {
        tracking::remember(server, call);
    }
    flow
}

/// Runs a command that a script calls. It is counted and committed as any other.
pub fn call_in_script(server: &mut Server, call: Call<'_>, terms: Terms, out: &mut Vec<u8>) {
    let reply_start = out.len();
    let started_ns = server.clock.meter_ns();
    server.keyspace.found_expired = found_expired(server, &call);
    let running = (call.client.number, call.request.args);
    let speaking = Some(terms.protocol);
    let (result, protocol) = fault::while_running(running.0, running.1, || run(server, &call, speaking, out));
    let ended_ns = server.clock.meter_ns();
    let took_ns = ended_ns.saturating_sub(started_ns);
    server.last_call_ended_ns = ended_ns;
    let failed = result.is_err();
    if let Err(error) = result {
        let line = error.line();
        server.count_error(&line);
        out.truncate(reply_start);
        Reply::new(out, protocol).error_bytes(&line);
    }
    count(server, &call, took_ns, failed);
    meter(server, &call, took_ns, out.len() - reply_start);
    if !terms.replication.file && !terms.replication.replicas {
        server.ledger.propagate_instead(Vec::new());
    }
    if !server.clients.monitors().is_empty() {
        monitor::show(server, &call);
    }
    commit::commit(server, call.client, call.request.args);
    if !server.tracking.is_idle() {
        tracking::remember(server, &call);
    }
}

/// The client waits for what the command has told.
#[cold]
fn begin_wait(server: &mut Server, call: &Call<'_>, took_ns: u64) {
    let wait = server.ledger.wait.take().expect("a command that blocks tells what it waits for");
    server.begin_wait(call.client, call.command, call.request.args.to_owned(), wait);
    server.add_to_wait(call.client, took_ns);
}

/// During a pause, and while the last save is at work, the dataset stands still, so that whoever copies it can rely on
/// it.
fn found_expired(server: &Server, call: &Call<'_>) -> FoundExpired {
    let stands_still = server.stands_still(call.now.unix_ms());
    if stands_still && !server.commands.at(call.command).entry.spec.flags.has(Flags::WRITE) {
        FoundExpired::Left
    } else {
        FoundExpired::Removed
    }
}

/// `speaking`: the protocol of the script that calls the command.
fn run(
    server: &mut Server,
    call: &Call<'_>,
    speaking: Option<Protocol>,
    out: &mut Vec<u8>,
) -> (Result<Flow, CommandError>, Protocol) {
    let Some(client) = server.clients.get_mut(call.client) else {
        return (Ok(Flow::Close), Protocol::Resp2);
    };
    server.recent.note(call.client, call.command);
    client.commands_total += u64::from(call.attempt == Attempt::First && speaking.is_none());
    server.ledger.waiting = if server.in_exec { Waiting::Denied } else { Waiting::Allowed };
    let (protocol, db, access) = (speaking.unwrap_or(client.protocol), client.db, client.access);
    let touch = if client.no_touch { Touch::No } else { Touch::Yes };
    let mut reply = Reply::new(out, protocol);
    let entry = server.commands.at(call.command).entry;
    if access == Access::Checked && server.acl.catalog.at(call.command).finds_keys {
        let pattern_keys = permissions::pattern_keys(server, call.client, call.command, call.request.args);
        server.ledger.pattern_keys = pattern_keys;
    }
    let result = match entry.handler {
        Handler::Data(handler) => {
            let now_ms = call.now.unix_ms();
            let (keyspace, ledger) = (&mut server.keyspace, &mut server.ledger);
            let mut tx = Tx { keyspace, ledger, db, now_ms, touch, hint: call.request.hint };
            handler(&mut tx, call.request.args, &mut reply)
        }
        Handler::Server(handler) => {
            let mut cx = Cx { server, client_id: call.client, command: call.command, now: call.now, reply };
            handler(&mut cx, call.request.args)
        }
        Handler::Container => Err(CommandError::Syntax),
    };
    server.ledger.pattern_keys = PatternKeys::Readable;
    (result, protocol)
}

fn count(server: &mut Server, call: &Call<'_>, took_ns: u64, failed: bool) {
    server.stats.commands_processed += 1;
    let stats = &mut server.commands.at_mut(call.command).stats;
    stats.record_call(took_ns);
    stats.failed_calls += u64::from(failed);
}

/// A command that had to wait is one call, however often it is run.
#[cold]
fn count_again(server: &mut Server, call: &Call<'_>, took_ns: u64, failed: bool) {
    let stats = &mut server.commands.at_mut(call.command).stats;
    stats.spent_ns += took_ns;
    stats.failed_calls += u64::from(failed);
    server.add_to_wait(call.client, took_ns);
    // Its wait is known.
    server.ledger.wait = None;
}

/// Of a command that has come to its end.
fn meter(server: &mut Server, call: &Call<'_>, took_ns: u64, reply_bytes: usize) {
    let took_us = took_ns / 1000;
    let took_ms = took_us / 1000;
    let tracks = server.config.latency_tracking;
    let command = server.commands.at_mut(call.command);
    if tracks {
        command.stats.record_latency(took_ns);
    }
    let flags = command.entry.spec.flags;
    if latency::is_spike(took_ms, server.config.latency_monitor_threshold) {
        let event = if flags.has(Flags::FAST) { "fast-command" } else { "command" };
        server.latency.add(event, call.now.unix_s(), took_ms);
    }
    let measures = Measures {
        duration_us: took_us,
        request_bytes_at_most: Measures::request_bytes_at_most(call.request.args),
        reply_bytes: reply_bytes as u64,
    };
    if server.command_logs.wants(measures) && !flags.has(Flags::SKIP_SLOWLOG) {
        note(server, call, measures);
    }
}

#[cold]
fn note(server: &mut Server, call: &Call<'_>, measures: Measures) {
    let Some(client) = server.clients.get(call.client) else { return };
    let redacted = redact::redacted(server.commands.at(call.command).entry.spec.name, call.request.args);
    let noted = command_log::Call {
        args: redacted.as_ref().map_or(call.request.args, Argv::args),
        unix_s: call.now.unix_s(),
        client_addr: if server.in_script { "?:0" } else { &client.origin.address },
        client_name: if server.in_script { b"" } else { &client.name },
    };
    server.command_logs.push(noted, measures);
}

/// Evicts keys until memory is below its limit. Whether it is, or must wait to be until a pause is over.
pub fn evict(server: &mut Server, now_ms: i64) -> bool {
    if server.stands_still(now_ms) {
        return true;
    }
    let clock = server.clock.clone();
    let started_ns = clock.mono_ns();
    let mut elapsed_us = || clock.mono_ns().saturating_sub(started_ns) / 1000;
    // Keys do not go to make room for what scripts have left behind.
    let scripts = server.scripts.vm_bytes();
    let used = || (crate::base::alloc::used_memory_bytes() + mapped_bytes_total()).saturating_sub(scripts);
    let verdict =
        eviction::make_room(&mut server.keyspace, &mut server.ledger, now_ms, &used, &mut elapsed_us);
    let took_ms = elapsed_us() / 1000;
    server.note_latency("eviction-cycle", now_ms.div_euclid(1000), took_ms);
    commit::commit_background(server);
    verdict != eviction::Room::Full
}
