//! Serving those who wait, without a network: what is propagated, to whom, and who is left out.

use super::*;
use crate::commands::testing::Fixture;
use crate::exec::cron;
use crate::server::waiting::GivenUp;

/// Adds clients beside the fixture's own.
fn join(fixture: &mut Fixture, count: usize) -> Vec<ClientId> {
    let origin = fixture.client().origin.clone();
    let now_ms = fixture.now().unix_ms();
    (0..count).map(|_| fixture.server.clients.add(origin.clone(), now_ms)).collect()
}

/// Runs a line as another client.
fn run_as(fixture: &mut Fixture, client: ClientId, line: &str) -> String {
    let own = std::mem::replace(&mut fixture.client, client);
    let reply = fixture.run(line);
    fixture.client = own;
    reply
}

/// A client that waits.
fn waiter(fixture: &mut Fixture, line: &str) -> ClientId {
    let client = join(fixture, 1)[0];
    assert_eq!(run_as(fixture, client, line), "", "{line} waits");
    client
}

/// What a client has been sent since the last call.
fn sent(fixture: &mut Fixture, client: ClientId) -> String {
    let client = fixture.server.clients.get_mut(client).expect("the client is connected");
    let text = String::from_utf8_lossy(client.output.pending()).into_owned();
    client.output.clear();
    text
}

#[test]
fn what_served_a_waiter_is_propagated_behind_what_brought_it() {
    let cases: [(&str, &[&str], &[&str]); 10] = [
        ("BLPOP k 0", &["RPUSH k 1 2"], &["RPUSH k 1 2", "LPOP k"]),
        ("BRPOP a k 0", &["RPUSH k 1 2"], &["RPUSH k 1 2", "RPOP k"]),
        ("BLMPOP 0 1 k RIGHT COUNT 5", &["RPUSH k 1"], &["RPUSH k 1", "RPOP k 5"]),
        ("BLMOVE k d LEFT RIGHT 0", &["RPUSH k 1"], &["RPUSH k 1", "LMOVE k d LEFT RIGHT"]),
        ("BRPOPLPUSH k d 0", &["RPUSH k 1"], &["RPUSH k 1", "RPOPLPUSH k d"]),
        ("BZPOPMIN k 0", &["ZADD k 1 a"], &["ZADD k 1 a", "ZPOPMIN k"]),
        ("BZPOPMAX k 0", &["ZADD k 1 a"], &["ZADD k 1 a", "ZPOPMAX k"]),
        ("BZMPOP 0 1 k MIN COUNT 2", &["ZADD k 1 a 2 b 3 c"], &["ZADD k 1 a 2 b 3 c", "ZPOPMIN k 2"]),
        ("XREAD BLOCK 0 STREAMS k $", &["XADD k 1-1 f v"], &["XADD k 1-1 f v"]),
        ("BLPOP k 0", &["MULTI", "RPUSH k 1", "SET x y", "EXEC"], &["RPUSH k 1", "SET x y", "LPOP k"]),
    ];
    for (waiting, bringing, propagated) in cases {
        let mut fixture = Fixture::new();
        let client = waiter(&mut fixture, waiting);
        assert!(fixture.take_propagated().is_empty(), "{waiting} has done nothing yet");
        bringing.iter().for_each(|line| drop(fixture.run(line)));
        assert_eq!(fixture.take_propagated(), propagated, "{waiting}");
        assert!(!sent(&mut fixture, client).is_empty(), "{waiting}");
    }
}

#[test]
fn a_chain_is_propagated_in_its_order() {
    let mut fixture = Fixture::new();
    let first = waiter(&mut fixture, "BLMOVE a b LEFT RIGHT 0");
    let second = waiter(&mut fixture, "BLMOVE b c LEFT RIGHT 0");
    let third = waiter(&mut fixture, "BLPOP c 0");
    fixture.run("RPUSH a 1");
    let all = ["RPUSH a 1", "LMOVE a b LEFT RIGHT", "LMOVE b c LEFT RIGHT", "LPOP c"];
    assert_eq!(fixture.take_propagated(), all);
    assert_eq!(sent(&mut fixture, first), "$1\r\n1\r\n");
    assert_eq!(sent(&mut fixture, second), "$1\r\n1\r\n");
    assert_eq!(sent(&mut fixture, third), "*2\r\n$1\r\nc\r\n$1\r\n1\r\n");
    assert_eq!(fixture.run("DBSIZE"), ":0\r\n");
    assert_eq!(fixture.dirty(), 4);
}

#[test]
fn a_waiter_in_another_database_is_propagated_there() {
    let mut fixture = Fixture::new();
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let client = join(&mut fixture, 1)[0];
    run_as(&mut fixture, client, "SELECT 3");
    run_as(&mut fixture, client, "BLPOP k 0");
    let sink = seen.clone();
    fixture.server.feed = Some(Box::new(move |db, args: crate::base::argv::Args<'_>| {
        sink.borrow_mut().push((db, args.iter().collect::<Vec<_>>().join(&b' ')));
    }));
    fixture.run("RPUSH k 1");
    fixture.run("MOVE k 3");
    let expected = [(0, &b"RPUSH k 1"[..]), (0, b"MOVE k 3"), (3, b"LPOP k")];
    assert_eq!(*seen.borrow(), expected.map(|(db, line)| (db, line.to_vec())));
}

#[test]
fn groups_propagate_what_they_gave() {
    let mut fixture = Fixture::new();
    fixture.run("XGROUP CREATE k g $ MKSTREAM");
    let client = waiter(&mut fixture, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    fixture.take_propagated();
    fixture.run("XADD k 1-1 f v");
    let propagated = fixture.take_propagated();
    assert_eq!(propagated[0], "XADD k 1-1 f v");
    assert!(propagated[1].starts_with("XCLAIM k g c 0 1-1 TIME "), "{propagated:?}");
    assert!(!sent(&mut fixture, client).is_empty());
}

#[test]
fn twenty_thousand_are_served_in_order() {
    const CLIENTS: usize = 20_000;
    let mut fixture = Fixture::new();
    let clients = join(&mut fixture, CLIENTS);
    for client in &clients {
        run_as(&mut fixture, *client, "BLPOP j k 0");
    }
    assert_eq!(fixture.server.waiting.len(), CLIENTS);
    let elements: String = (0..CLIENTS / 2).map(|number| format!(" {number}")).collect();
    fixture.run(&format!("RPUSH k{elements}"));
    assert_eq!(fixture.server.waiting.len(), CLIENTS / 2);
    for number in CLIENTS / 2..CLIENTS - 100 {
        fixture.run(&format!("RPUSH k {number}"));
    }
    // The last leave, in the order that is worst for a plain queue.
    for client in clients[CLIENTS - 100..].iter().rev() {
        assert!(fixture.server.end_wait(*client).is_some());
    }
    for (number, client) in clients[..CLIENTS - 100].iter().enumerate() {
        let digits = number.to_string();
        let reply = format!("*2\r\n$1\r\nk\r\n${}\r\n{digits}\r\n", digits.len());
        assert_eq!(sent(&mut fixture, *client), reply);
    }
    assert!(fixture.server.waiting.is_empty());
    assert_eq!(fixture.server.waiting.key_counts(), (0, 0));
    assert_eq!(fixture.run("DBSIZE"), ":0\r\n");
}

#[test]
fn changes_that_bring_nothing_run_nobody_again() {
    // Whoever is run again looks its keys up, which is counted.
    let hits = |waiting: &str, bringing: &str| {
        let mut fixture = Fixture::new();
        fixture.run("XADD k 1-1 f v");
        fixture.run("XGROUP CREATE k g 0");
        fixture.run("XREADGROUP GROUP g c STREAMS k >");
        let client = waiter(&mut fixture, waiting);
        let before = fixture.hits();
        for line in ["XACK k g 1-1", "XDEL k 1-1", "XGROUP CREATECONSUMER k g d", "XGROUP CREATE k h 0"] {
            assert!(!fixture.run(line).starts_with('-'), "{line}");
        }
        fixture.run(bringing);
        let hits = fixture.hits() - before;
        assert_eq!(sent(&mut fixture, client).contains("2-1"), waiting.contains(" k") && bringing != "PING");
        hits
    };
    let group = "XREADGROUP GROUP g c BLOCK 0 STREAMS k >";
    let elsewhere = "BLPOP elsewhere 0";
    assert_eq!(hits(group, "PING"), hits(elsewhere, "PING"));
    assert!(hits(group, "XADD k 2-1 f v") > hits(elsewhere, "XADD k 2-1 f v"));
}

#[test]
fn a_client_that_is_being_closed_takes_nothing() {
    let mut fixture = Fixture::new();
    let closing = waiter(&mut fixture, "BLPOP k 0");
    let next = waiter(&mut fixture, "BLPOP k 0");
    fixture.server.clients.get_mut(closing).expect("connected").close();
    fixture.run("RPUSH k 1");
    assert_eq!(sent(&mut fixture, closing), "");
    assert_eq!(sent(&mut fixture, next), "*2\r\n$1\r\nk\r\n$1\r\n1\r\n");
    // Until its connection sees it, it stands in its queues.
    assert_eq!(fixture.server.waiting.len(), 1);
    fixture.server.end_wait(closing);
    fixture.server.clients.remove(closing);
    fixture.run("RPUSH k 2");
    assert_eq!(fixture.run("LLEN k"), ":1\r\n");
}

#[test]
fn the_clock_tells_that_a_stream_went() {
    let mut fixture = Fixture::new();
    fixture.run("XGROUP CREATE k g $ MKSTREAM");
    let client = waiter(&mut fixture, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    fixture.run("PEXPIRE k 100");
    fixture.advance_ms(200);
    let now = fixture.now();
    cron::tick(&mut fixture.server, now);
    assert!(sent(&mut fixture, client).starts_with("-NOGROUP "));
    assert!(fixture.server.waiting.is_empty());
}

#[test]
fn a_list_that_comes_and_is_over_serves_nobody() {
    let mut fixture = Fixture::new();
    fixture.run("RPUSH s 1");
    fixture.run("PEXPIRE s 100");
    fixture.run("MULTI");
    fixture.run("RENAME s k");
    let client = waiter(&mut fixture, "BLPOP k 0");
    fixture.advance_ms(200);
    fixture.run("EXEC");
    assert_eq!(sent(&mut fixture, client), "");
    assert_eq!(fixture.server.waiting.len(), 1);
}

#[test]
fn evicted_streams_are_told() {
    let mut fixture = Fixture::new();
    fixture.run("XGROUP CREATE k g $ MKSTREAM");
    let client = waiter(&mut fixture, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
    fixture.run("CONFIG SET maxmemory-policy allkeys-random");
    fixture.run("CONFIG SET maxmemory 1");
    fixture.run("PING");
    assert!(sent(&mut fixture, client).starts_with("-NOGROUP "));
}

#[test]
fn a_muted_answer_is_dropped_and_the_next_is_not() {
    let mut fixture = Fixture::new();
    let client = join(&mut fixture, 1)[0];
    run_as(&mut fixture, client, "CLIENT REPLY SKIP");
    run_as(&mut fixture, client, "BLPOP k 0");
    fixture.run("RPUSH k 1");
    assert_eq!(sent(&mut fixture, client), "");
    assert_eq!(run_as(&mut fixture, client, "PING"), "+PONG\r\n");
    run_as(&mut fixture, client, "BLPOP k 0");
    assert!(fixture.server.give_up_wait(client, GivenUp::Unblocked));
    assert_eq!(sent(&mut fixture, client), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    assert!(!fixture.server.give_up_wait(client, GivenUp::Unblocked));
    assert_eq!(fixture.run("LLEN k"), ":0\r\n");
}
