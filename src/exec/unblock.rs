//! Runs waiting commands again when a key they wait for has changed.
//!
//! Invariants:
//! 1. Keys are served in the order in which they changed, the clients of a key in the order in which they came.
//! 2. A command that still finds nothing keeps its place.
//! 3. Only the outermost unit (a command, an EXEC, a round of the cron) is followed by this, never a part of one.

use super::call::{self, Attempt, Call, Request};
use super::{permissions, tracking};
use crate::base::clock::Now;
use crate::base::ids::ClientId;
use crate::client::Access;
use crate::keyspace::WhenGone;
use crate::object::ValueType;
use crate::server::{Flow, Server};

/// Serves those who wait for keys that have changed; what they change in turn included.
///
/// While a script is under way nobody is: what it has done so far is not for others to see.
pub fn serve_ready(server: &mut Server, now: Now) {
    if server.is_busy() {
        return;
    }
    while let Some((db, key)) = server.waiting.take_ready() {
        serve_key(server, now, db, &key);
    }
}

fn serve_key(server: &mut Server, now: Now, db: usize, key: &[u8]) {
    let held = type_of(server, now, db, key);
    if let Some(value_type) = held {
        serve_queue(server, now, (db, key, value_type), held);
    }
    // Who wants to know that the key went is told as well when something else has come in its place.
    for value_type in server.waiting.types_of_leaving(db, key) {
        if held != Some(value_type) {
            serve_queue(server, now, (db, key, value_type), held);
        }
    }
}

/// Serves the clients that wait for `place` to hold a value of a type, as long as it holds `expected`. When that is
/// something else, only those who want to know.
fn serve_queue(server: &mut Server, now: Now, place: (usize, &[u8], ValueType), expected: Option<ValueType>) {
    let (db, key, value_type) = place;
    let mut served_up_to = 0;
    while let Some((arrival, client)) = server.waiting.next(db, key, value_type, served_up_to) {
        served_up_to = arrival;
        if expected != Some(value_type) && !wants_to_leave(server, client) {
            continue;
        }
        run_again(server, client, now);
        if type_of(server, now, db, key) != expected {
            // Who came behind goes on waiting, or wants to know that the key went: both are seen by the next look.
            server.waiting.key_changed(db, key);
            return;
        }
    }
}

fn type_of(server: &Server, now: Now, db: usize, key: &[u8]) -> Option<ValueType> {
    let table = server.keyspace.db(db).table();
    let entry = table.get(table.hash(key), key)?;
    let is_expired = entry.expire_at_ms().is_some_and(|expire_at_ms| now.unix_ms() > expire_at_ms);
    (!is_expired).then(|| entry.value_type())
}

fn wants_to_leave(server: &Server, client: ClientId) -> bool {
    let blocked = server.clients.get(client).and_then(|client| client.blocked.as_ref());
    blocked.is_some_and(|blocked| blocked.wait.when_gone == WhenGone::Unblocks)
}

fn run_again(server: &mut Server, client: ClientId, now: Now) {
    // Nobody reads the answer of one that is being closed: what it would take stays for the next.
    let Some(waiting) = server.clients.get(client).filter(|client| !client.close_now) else { return };
    let Some(blocked) = &waiting.blocked else { return };
    let (command, argv) = (blocked.asked.command, blocked.asked.argv.clone());
    if waiting.access == Access::Checked
        && let Err(error) = permissions::check(server, client, command, argv.args())
    {
        server.refuse_wait(client, &error);
        return;
    }
    let now = server.now_after(now);
    let request = Request { args: argv.args(), hint: None };
    let call = Call { client, command, request, now, attempt: Attempt::Again };
    let mut out = Vec::new();
    let outer = server.clients.begin_unit(client);
    let flow = call::call(server, call, &mut out);
    tracking::finish_unit(server);
    let held_back = server.clients.end_unit(outer);
    match flow {
        Flow::Block | Flow::Suspend => {}
        Flow::Done | Flow::Close => drop(server.answer_wait(client, &out)),
    }
    if !held_back.is_empty() {
        server.clients.push(client, &held_back);
    }
}

#[cfg(test)]
mod tests;
