//! Units in which a slow script is suspended: the next slice, and the end, which is that of any other unit.

use super::call::{self, Call, Outcome, Ran};
use super::script::run;
use super::{client_eviction, cron, multi, output_limit};
use crate::base::ids::ClientId;
use crate::base::os::fault;
use crate::client::clients::Unit;
use crate::resp::Protocol;
use crate::server::suspended::{Suspended, SuspendedCall};
use crate::server::{Flow, Server, Shutdown};

/// A unit that is suspended for the first time: its part of the output waits until it is complete.
#[cold]
pub fn keep(server: &mut Server, reply_start: usize, out: &mut Vec<u8>) {
    let suspended = server.suspended.as_mut().expect("a script is suspended");
    suspended.reply = out.split_off(reply_start);
    server.in_exec = false;
    note_slow(server);
    if let Some(host) = &server.host {
        host.script_suspended();
    }
}

/// Lets the script go on for a slice, and its unit to its end when the script has come to its own.
pub fn go_on(server: &mut Server) {
    let Some(mut suspended) = server.suspended.take() else { return };
    let outer = server.clients.resume_unit();
    server.in_exec = suspended.rest.is_some();
    let client = suspended.client();
    let calls = std::mem::take(&mut suspended.calls);
    let mut out = std::mem::take(&mut suspended.reply);
    let reply_start = out.len();
    let asked = calls.last().expect("somebody has called the script").argv.args();
    let resume = || run::resume(server, &mut suspended, &mut out);
    let Some(result) = fault::while_running(client.number, asked, resume) else {
        (suspended.calls, suspended.reply) = (calls, out);
        server.suspended = Some(suspended);
        suspend_again(server, outer);
        return;
    };
    let protocol = protocol_of(server, client);
    let ran = Ran { result, protocol, reply_start };
    let flow = call::conclude(server, &call_of(&calls[0]), ran, &mut out);
    let Suspended { rest, shutdown, .. } = *suspended;
    let unit = EndedUnit { calls, outer, shutdown };
    let Some(mut rest) = rest else { return end(server, unit, flow, out) };
    multi::answered(server, &mut rest, flow, (reply_start, &mut out));
    let now = server.now_after(unit.calls[0].now);
    let flow = multi::go_on(server, rest, now, &mut out);
    if flow == Flow::Suspend {
        suspend_with(server, unit, out);
        return;
    }
    let ran = Ran { result: Ok(flow), protocol: protocol_of(server, client), reply_start: 0 };
    let flow = call::conclude(server, &call_of(&unit.calls[1]), ran, &mut out);
    end(server, unit, flow, out);
}

/// What is left of a unit whose script has ended.
struct EndedUnit {
    calls: Vec<SuspendedCall>,
    outer: Unit,
    shutdown: Option<Shutdown>,
}

/// Another script of the same transaction is slow.
fn suspend_with(server: &mut Server, mut unit: EndedUnit, out: Vec<u8>) {
    let suspended = server.suspended.as_mut().expect("a script is suspended");
    suspended.calls.extend(unit.calls.drain(1..));
    suspended.reply = out;
    suspended.shutdown = unit.shutdown;
    note_slow(server);
    suspend_again(server, unit.outer);
}

fn note_slow(server: &Server) {
    if let Some(suspended) = &server.suspended {
        run::note_slow(server, suspended);
    }
}

fn suspend_again(server: &mut Server, outer: Unit) {
    server.in_exec = false;
    server.clients.suspend_unit(outer);
}

fn end(server: &mut Server, unit: EndedUnit, flow: Flow, mut out: Vec<u8>) {
    let now = server.clock.now();
    let asked = unit.calls.last().expect("somebody has called the script");
    let client = asked.client;
    let outcome = if flow == Flow::Close { Outcome::Close } else { Outcome::Done };
    call::finish(server, call::Ended { client, args: asked.argv.args(), now, outcome }, 0, &mut out);
    let held_back = server.clients.end_unit(unit.outer);
    out.extend_from_slice(&held_back);
    server.clients.return_output(client, out);
    if let Some(client) = server.clients.get_mut(client) {
        client.last_interaction_ms = now.unix_ms();
        client.close_after_reply |= flow == Flow::Close;
        let limits = &server.config.client_output_buffer_limit;
        server.stats.output_buffer_limit_disconnections +=
            output_limit::enforce(client, limits, now.unix_ms());
        client.wake();
    }
    client_eviction::after_turn(server, client, now);
    // What has waited for the end.
    cron::deferred(server, now);
    if let Some(shutdown) = unit.shutdown {
        server.shutdown_by_signal(shutdown);
    }
}

fn protocol_of(server: &Server, client: ClientId) -> Protocol {
    server.clients.get(client).map(|client| client.protocol).unwrap_or_default()
}

fn call_of(call: &SuspendedCall) -> Call<'_> {
    let request = call::Request { args: call.argv.args(), hint: None };
    let SuspendedCall { client, command, now, .. } = *call;
    Call { client, command, request, now, attempt: call::Attempt::First }
}
