//! Answers from other threads, in time, too late, and as errors.

use super::*;
use crate::base::argv::Argv;
use crate::base::clock::{Clock, Now};
use crate::client::client::Origin;
use crate::config::Config;
use crate::server::waiting::GivenUp;
use crate::server::{CommandTable, Entry, Flow};
use crate::spec::{Flags, Group, Spec};
use std::cell::Cell;
use std::rc::Rc;

const COMMANDS: &[Entry] =
    &[Entry::server(Spec::new("slow", 1, Group::Server, Flags::NONE), |_, _| Ok(Flow::Block))];

fn server() -> (Server, ClientId) {
    let now = Rc::new(Cell::new(Now { unix_us: 1_700_000_000_000_000, mono_ns: 1 }));
    let mut server = Server::new(Config::default(), Clock::manual(now), CommandTable::new(&[COMMANDS]), 5);
    let origin = Origin::local(50_000);
    let client = server.clients.add(origin, 0);
    (server, client)
}

/// As the handler of a command does, and then `exec`.
fn wait(server: &mut Server, client: ClientId) -> Ticket {
    let (mut out, now) = (Vec::new(), server.clock.now());
    let protocol = server.clients.get(client).unwrap().protocol;
    let reply = Reply::new(&mut out, protocol);
    let mut cx = Cx { server, client_id: client, command: 0, now, reply };
    let ticket = cx.wait_for_answer();
    let wait = server.ledger.wait.take().unwrap();
    server.begin_wait(client, 0, Argv::new(), wait);
    ticket
}

fn sent(server: &Server, client: ClientId) -> String {
    String::from_utf8_lossy(server.clients.get(client).unwrap().output.pending()).into_owned()
}

#[test]
fn a_thread_answers_on_the_loop() {
    let (mut server, client) = server();
    let ticket = wait(&mut server, client);
    let later = server.later();
    let thread = std::thread::spawn(move || {
        later.hand_over(move |server| server.answer(ticket, Ok(|reply: &mut Reply<'_>| reply.integer(7))));
    });
    thread.join().unwrap();
    assert_eq!(sent(&server, client), "");
    server.run_deferred();
    assert_eq!(sent(&server, client), ":7\r\n");
    assert!(server.clients.get(client).unwrap().blocked.is_none());
}

#[test]
fn an_error_is_an_answer_and_is_counted() {
    let (mut server, client) = server();
    let ticket = wait(&mut server, client);
    server.answer(ticket, Err::<fn(&mut Reply<'_>), _>(CommandError::text("ERR no")));
    assert_eq!(sent(&server, client), "-ERR no\r\n");
    assert_eq!(server.stats.error_replies, 1);
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_is_dropped() {
    let (mut server, client) = server();
    let old = wait(&mut server, client);
    assert!(server.give_up_wait(client, GivenUp::TimedOut));
    assert!(sent(&server, client).starts_with("-UNBLOCKED"));
    let length = sent(&server, client).len();
    let new = wait(&mut server, client);
    server.answer(old, Ok(|reply: &mut Reply<'_>| reply.ok()));
    assert_eq!(sent(&server, client).len(), length, "the client waits for something else now");
    server.answer(new, Ok(|reply: &mut Reply<'_>| reply.ok()));
    assert!(sent(&server, client).ends_with("+OK\r\n"));
}
