//! The effects in process: what waits for whom after each step.

use super::*;
use crate::commands::testing::Fixture;
use crate::exec::cron;
use crate::server::Host;

/// A further client in RESP3.
fn join(fixture: &mut Fixture) -> ClientId {
    let origin = fixture.client().origin.clone();
    let now_ms = fixture.now().unix_ms();
    let id = fixture.server.clients.add(origin, now_ms);
    let client = fixture.server.clients.get_mut(id).expect("it was just added");
    (client.protocol, client.authenticated) = (Protocol::Resp3, true);
    id
}

/// Runs a line as another client.
fn run_as(fixture: &mut Fixture, id: ClientId, line: &str) -> String {
    let own = std::mem::replace(&mut fixture.client, id);
    let reply = fixture.run(line);
    fixture.client = own;
    reply
}

/// What was sent to a client out of turn since the last call.
fn told(fixture: &mut Fixture, id: ClientId) -> String {
    let client = fixture.server.clients.get_mut(id).expect("it is connected");
    let pending = String::from_utf8_lossy(client.output.pending()).into_owned();
    client.output.clear();
    pending
}

fn message(keys: &[&str]) -> String {
    let bulks: String = keys.iter().map(|key| format!("${}\r\n{key}\r\n", key.len())).collect();
    format!(">2\r\n$10\r\ninvalidate\r\n*{}\r\n{bulks}", keys.len())
}

const ALL: &str = ">2\r\n$10\r\ninvalidate\r\n_\r\n";

#[test]
fn readers_are_told_once_and_the_own_client_behind_its_reply() {
    let mut fixture = Fixture::new();
    fixture.client().protocol = Protocol::Resp3;
    let other = join(&mut fixture);
    fixture.run("CLIENT TRACKING ON");
    run_as(&mut fixture, other, "CLIENT TRACKING ON NOLOOP");
    fixture.run("MGET a b");
    run_as(&mut fixture, other, "MGET a b");
    assert_eq!((fixture.server.tracking.keys.len(), fixture.server.tracking.keys.items()), (2, 4));
    fixture.check("SET a 1", &format!("+OK\r\n{}", message(&["a"])));
    assert_eq!(told(&mut fixture, other), message(&["a"]));
    fixture.check("SET a 2", "+OK\r\n");
    assert_eq!(run_as(&mut fixture, other, "SET b 1"), "+OK\r\n");
    let own = fixture.client;
    assert_eq!(told(&mut fixture, own), message(&["b"]));
    fixture.check("SET b 2", "+OK\r\n");
    assert!(told(&mut fixture, other).is_empty());
    fixture.server.tracking.check();
}

#[test]
fn a_flush_is_told_to_everybody_who_tracks() {
    let mut fixture = Fixture::new();
    let (reader, listener) = (join(&mut fixture), join(&mut fixture));
    run_as(&mut fixture, reader, "CLIENT TRACKING ON");
    run_as(&mut fixture, listener, "CLIENT TRACKING ON BCAST PREFIX nothing");
    fixture.run("MSET a 1 b 2");
    run_as(&mut fixture, reader, "GET a");
    for line in ["FLUSHALL", "FLUSHDB ASYNC"] {
        fixture.check(line, "+OK\r\n");
        assert_eq!(fixture.server.tracking.keys.len(), 0);
        for id in [reader, listener] {
            assert_eq!(told(&mut fixture, id), ALL, "{line}");
        }
    }
}

#[test]
fn broadcasts_wait_for_the_end_of_the_round() {
    let mut fixture = Fixture::new();
    let (all, some) = (join(&mut fixture), join(&mut fixture));
    run_as(&mut fixture, all, "CLIENT TRACKING ON BCAST");
    run_as(&mut fixture, some, "CLIENT TRACKING ON BCAST NOLOOP PREFIX a PREFIX ab PREFIX b");
    assert!(fixture.server.tracking.prefixes.len() == 1, "prefixes that overlap are refused");
    run_as(&mut fixture, some, "CLIENT TRACKING ON BCAST NOLOOP PREFIX a PREFIX b");
    fixture.run("MSET b 1 a2 1 a1 1 c 1");
    run_as(&mut fixture, some, "SET a2 2");
    assert!(told(&mut fixture, all).is_empty() && told(&mut fixture, some).is_empty());
    broadcast(&mut fixture.server);
    assert_eq!(told(&mut fixture, all), message(&["a1", "a2", "b", "c"]));
    assert_eq!(told(&mut fixture, some), message(&["a1"]) + &message(&["b"]));
    broadcast(&mut fixture.server);
    assert!(told(&mut fixture, all).is_empty());
    // Nobody in particular changed what expired.
    run_as(&mut fixture, some, "SET a1 1 PX 10");
    broadcast(&mut fixture.server);
    told(&mut fixture, all);
    fixture.advance_ms(11);
    assert_eq!(run_as(&mut fixture, some, "GET a1"), "_\r\n");
    broadcast(&mut fixture.server);
    assert_eq!(told(&mut fixture, some), message(&["a1"]));
}

/// A network that is told when a round is to be finished.
#[derive(Default)]
struct Rounds(std::cell::Cell<usize>);

impl Host for Rounds {
    fn configure_tls(&self, _: &crate::config::Config) -> Result<crate::server::tls::Certificates, String> {
        Ok(crate::server::tls::Certificates::default())
    }

    fn listen(&self, _: &crate::config::Config) -> Result<(), String> {
        Ok(())
    }

    fn alarm(&self) -> crate::server::Alarm {
        std::sync::Arc::new(|| ())
    }

    fn wake(&self) {}

    fn end_round(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn script_suspended(&self) {}

    fn set_hz(&self, _: i64) {}
}

#[test]
fn a_round_is_ended_once_and_only_when_there_is_something_to_tell() {
    let mut fixture = Fixture::new();
    let rounds = std::rc::Rc::new(Rounds::default());
    fixture.server.host = Some(rounds.clone());
    let listener = join(&mut fixture);
    fixture.run("SET k 1");
    run_as(&mut fixture, listener, "CLIENT TRACKING ON BCAST PREFIX k");
    fixture.run("SET other 1");
    assert_eq!(rounds.0.get(), 0);
    fixture.run("SET k 1");
    fixture.run("SET k 2");
    assert_eq!(rounds.0.get(), 1);
    broadcast(&mut fixture.server);
    fixture.run("SET k 3 PX 5");
    broadcast(&mut fixture.server);
    fixture.advance_ms(6);
    let now = fixture.now();
    cron::expire(&mut fixture.server, now);
    assert_eq!(rounds.0.get(), 3, "the cron has removed a key");
}

#[test]
fn who_has_gone_is_swept_out() {
    let mut fixture = Fixture::new();
    let reader = join(&mut fixture);
    run_as(&mut fixture, reader, "CLIENT TRACKING ON");
    (0..100).for_each(|key| drop(run_as(&mut fixture, reader, &format!("GET k{key}"))));
    fixture.server.forget_tracking(reader);
    fixture.server.clients.remove(reader);
    assert_eq!((fixture.server.tracking.client_count(), fixture.server.tracking.keys.len()), (0, 100));
    let newcomer = join(&mut fixture);
    run_as(&mut fixture, newcomer, "CLIENT TRACKING ON");
    run_as(&mut fixture, newcomer, "GET k7");
    fixture.run("SET k8 1");
    assert!(told(&mut fixture, newcomer).is_empty(), "the newcomer has the place of the one who went");
    cron(&mut fixture.server);
    assert_eq!(fixture.server.tracking.keys.items(), 1);
    fixture.server.tracking.check();
}

#[test]
fn a_redirection_is_kept_told_and_broken() {
    let mut fixture = Fixture::new();
    let (reader, receiver) = (join(&mut fixture), join(&mut fixture));
    let on = format!("CLIENT TRACKING ON REDIRECT {}", receiver.number);
    assert_eq!(run_as(&mut fixture, reader, &on), "+OK\r\n");
    let number = format!(":{}\r\n", receiver.number);
    assert_eq!(run_as(&mut fixture, reader, "CLIENT GETREDIR"), number);
    let list = run_as(&mut fixture, reader, "CLIENT INFO");
    assert!(list.contains(" flags=t ") && list.contains(&format!(" redir={} ", receiver.number)), "{list}");
    run_as(&mut fixture, reader, "GET k");
    fixture.run("SET k 1");
    assert_eq!(told(&mut fixture, receiver), message(&["k"]));
    fixture.server.clients.remove(receiver);
    let newcomer = join(&mut fixture);
    run_as(&mut fixture, reader, "GET k");
    fixture.run("SET k 1");
    assert!(told(&mut fixture, newcomer).is_empty());
    assert_eq!(told(&mut fixture, reader), format!(">2\r\n$21\r\ntracking-redir-broken\r\n{number}"));
    let list = run_as(&mut fixture, reader, "CLIENT INFO");
    assert!(list.contains(" flags=tR "), "{list}");
}

#[test]
fn the_memory_of_all_this_is_shown() {
    let mut fixture = Fixture::new();
    let reader = join(&mut fixture);
    run_as(&mut fixture, reader, "CLIENT TRACKING ON");
    (0..1000).for_each(|key| drop(run_as(&mut fixture, reader, &format!("GET key:{key:08}"))));
    let bytes = fixture.server.tracking.heap_bytes();
    assert!((20_000..80_000).contains(&bytes), "{bytes}");
    let info = fixture.run("INFO");
    assert!(info.contains("tracking_total_keys:1000\r\n") && info.contains("tracking_clients:1\r\n"));
    assert!(info.contains(&format!("mem_tracking:{bytes}\r\n")), "{info}");
}
