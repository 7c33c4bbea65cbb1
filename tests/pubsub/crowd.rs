//! Ten thousand subscribers on one channel, and one client with very many channels.

use std::time::Duration;

use crate::support::{Connection, Server, Value, encode, now, wait_for};

const SUBSCRIBERS: usize = 10_000;
const CHANNELS: usize = 100_000;

#[test]
fn ten_thousand_subscribers_hold_nobody_up() {
    let server = Server::start(&["--maxclients", "20000", "--tcp-backlog", "4096"]);
    let mut subscribers: Vec<Connection> = (0..SUBSCRIBERS).map(|_| server.connect()).collect();
    let request = encode(&["SUBSCRIBE", "c"]);
    subscribers.iter_mut().for_each(|subscriber| subscriber.send(&request));
    subscribers.iter_mut().for_each(|subscriber| drop(subscriber.value()));
    let (mut publisher, mut other) = (server.connect(), server.connect());
    other.run("PING");
    // The whole of it takes far longer than any PING meanwhile.
    let start = now();
    publisher.send(&encode(&["PUBLISH", "c", "hello"]));
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let asked = now();
        assert_eq!(other.run("PING"), Value::Simple("PONG".into()));
        longest = longest.max(asked.elapsed());
    }
    assert_eq!(publisher.value(), Value::Integer(SUBSCRIBERS as i64));
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.value().elements()[2], Value::Bulk(b"hello".to_vec()));
    }
    // Generous: a debug build on a busy machine.
    assert!(longest < Duration::from_secs(2), "a PING took {longest:?} of {:?}", start.elapsed());
    assert_eq!(other.run("PUBSUB NUMSUB c").elements()[1], Value::Integer(SUBSCRIBERS as i64));
    drop(subscribers);
    wait_for("all to be forgotten", || other.run("PUBSUB CHANNELS").elements().is_empty());
    assert_eq!(other.info_number("pubsub_clients"), 0);
}

#[test]
fn one_client_with_very_many_channels() {
    let server = Server::start(&[]);
    let (mut client, mut other) = (server.connect(), server.connect());
    let before = other.info_number("used_memory");
    let names: Vec<String> = (0..CHANNELS).map(|number| format!("channel:{number}")).collect();
    for names in names.chunks(1000) {
        let words: Vec<&str> = std::iter::once("SUBSCRIBE").chain(names.iter().map(String::as_str)).collect();
        client.send(&encode(&words));
        (0..names.len()).for_each(|_| drop(client.value()));
    }
    assert_eq!(other.info_number("pubsub_channels"), CHANNELS as i64);
    let bytes = (other.info_number("used_memory") - before) / CHANNELS as i64;
    assert!(bytes < 300, "{bytes} bytes for each");
    assert_eq!(other.run("PUBLISH channel:77 x"), Value::Integer(1));
    assert_eq!(client.value().elements()[1], Value::Bulk(b"channel:77".to_vec()));
    client.send(&encode(&["UNSUBSCRIBE"]));
    for left in (0..CHANNELS).rev() {
        assert_eq!(client.value().elements()[2], Value::Integer(left as i64));
    }
    assert_eq!(other.info_number("pubsub_channels"), 0);
    for names in names.chunks(1000) {
        let words: Vec<&str> =
            std::iter::once("PSUBSCRIBE").chain(names.iter().map(String::as_str)).collect();
        client.send(&encode(&words));
        (0..names.len()).for_each(|_| drop(client.value()));
    }
    // The order of the index, not that of 100,000 patterns.
    assert_eq!(other.run("PUBLISH channel:99 x"), Value::Integer(1));
    drop(client);
    wait_for("all to be forgotten", || other.info_number("pubsub_patterns") == 0);
}
