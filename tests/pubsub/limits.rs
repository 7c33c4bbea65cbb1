//! Subscribers that do not read: how much waits for them, and when they are closed.

use std::time::Duration;

use crate::support::{Connection, Server, Value, now, wait_for};

const MESSAGE_BYTES: usize = 64 * 1024;
/// More than the sockets between client and server hold.
const MESSAGES: usize = 400;

/// A client that listens to `c` and reads nothing.
fn sleeper(server: &Server) -> Connection {
    let mut sleeper = server.connect();
    sleeper.run("SUBSCRIBE c");
    sleeper
}

fn field(list: &str, name: &str) -> u64 {
    let start = list.find(&format!(" {name}=")).expect("the field is there") + name.len() + 2;
    list[start..].split(' ').next().and_then(|text| text.parse().ok()).expect("a number")
}

#[test]
fn the_hard_limit_closes_at_once() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub 1mb 0 0"]);
    let mut sleeper = sleeper(&server);
    let mut reader = server.connect();
    reader.run("SUBSCRIBE c");
    let mut publisher = server.connect();
    let message = "m".repeat(MESSAGE_BYTES);
    let mut last = 2;
    for _ in 0..MESSAGES {
        last = publisher.command(&["PUBLISH", "c", &message]).integer();
        assert_eq!(reader.value().elements()[2].bytes().len(), MESSAGE_BYTES);
    }
    assert_eq!(last, 1, "the sleeper is gone, the reader is not");
    assert_eq!(publisher.info_number("client_output_buffer_limit_disconnections"), 1);
    let got = sleeper.until_closed();
    assert!(got.len() < MESSAGES * MESSAGE_BYTES);
    server.wait_for_log("closed for overcoming of output buffer limits");
}

#[test]
fn the_soft_limit_closes_after_a_while() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub 0 100kb 1"]);
    let mut sleeper = sleeper(&server);
    let mut publisher = server.connect();
    let message = "m".repeat(MESSAGE_BYTES);
    let start = now();
    for _ in 0..MESSAGES {
        assert_eq!(publisher.command(&["PUBLISH", "c", &message]), Value::Integer(1));
    }
    wait_for("the sleeper to be closed", || publisher.run("PUBSUB NUMSUB c").elements()[1].integer() == 0);
    assert!(start.elapsed() > Duration::from_secs(1));
    sleeper.until_closed();
}

#[test]
fn what_waits_is_listed_and_shared() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub 0 0 0"]);
    let sleepers: Vec<_> = (0..20).map(|_| sleeper(&server)).collect();
    let mut publisher = server.connect();
    let before = publisher.info_number("used_memory");
    let message = "m".repeat(MESSAGE_BYTES);
    for _ in 0..MESSAGES {
        publisher.command(&["PUBLISH", "c", &message]);
    }
    let list = publisher.run("CLIENT LIST TYPE pubsub").text();
    let line = list.lines().next().expect("a subscriber");
    assert!(field(line, "oll") > 10 && field(line, "obl") > 1 << 20, "{line}");
    assert!(
        field(line, "tot-mem") >= field(line, "omem") && field(line, "omem") >= field(line, "obl"),
        "{line}"
    );
    // Each message exists once, not twenty times.
    let grown = publisher.info_number("used_memory") - before;
    assert!(grown < (2 * MESSAGES * MESSAGE_BYTES) as i64, "{grown}");
    drop(sleepers);
    wait_for("the memory to come back", || publisher.info_number("used_memory") - before < 4 << 20);
}

#[test]
fn normal_clients_have_their_own_limit() {
    let server = Server::start(&["--client-output-buffer-limit", "normal 100kb 0 0 pubsub 0 0 0"]);
    let mut sleeper = sleeper(&server);
    let mut publisher = server.connect();
    let message = "m".repeat(MESSAGE_BYTES);
    for _ in 0..MESSAGES {
        assert_eq!(publisher.command(&["PUBLISH", "c", &message]), Value::Integer(1));
    }
    for _ in 0..MESSAGES {
        assert_eq!(sleeper.value().elements()[2].bytes().len(), MESSAGE_BYTES);
    }
}

#[test]
fn subscribers_are_never_idle() {
    let server = Server::start(&["--timeout", "1"]);
    let mut sleeper = sleeper(&server);
    let mut idler = server.connect();
    idler.run("PING");
    assert_eq!(idler.until_closed(), b"");
    assert!(sleeper.is_silent_for(Duration::from_millis(500)));
    assert_eq!(server.connect().run("PUBLISH c x"), Value::Integer(1));
    assert_eq!(sleeper.value().elements()[2], Value::Bulk(b"x".to_vec()));
}
