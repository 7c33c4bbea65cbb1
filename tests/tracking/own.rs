//! What goes beyond redis-server 7.0.15, and what a conversation cannot show.

use crate::support::{Connection, Server, Start, Value, encode, wait_for};
use std::time::Duration;

fn in_resp3(server: &Server) -> Connection {
    let mut connection = server.connect();
    connection.run("HELLO 3");
    connection
}

/// The keys of the next message.
#[track_caller]
fn invalidated(connection: &mut Connection) -> Vec<String> {
    let Value::Push(parts) = connection.value() else { panic!("no message") };
    assert_eq!(parts[0].text(), "invalidate");
    parts[1].elements().iter().map(Value::text).collect()
}

/// Since Redis 7.2: what a command that waited has read is remembered when it comes.
#[test]
fn what_a_waiting_command_read_is_remembered() {
    let server = Server::start(&[]);
    let (mut reader, mut writer) = (in_resp3(&server), server.connect());
    reader.ok("CLIENT TRACKING ON");
    reader.send(&encode(&["XREAD", "BLOCK", "0", "STREAMS", "s", "$"]));
    wait_for("the reader to wait", || writer.info("blocked_clients") == "1");
    writer.run("XADD s 1-1 a b");
    assert_eq!(invalidated(&mut reader), ["s"]);
    assert!(!reader.value().is_error());
    writer.run("XADD s 1-2 a b");
    assert_eq!(invalidated(&mut reader), ["s"]);
}

/// The null that stands for all keys is that of the protocol it is sent in, whichever the tracking client speaks.
#[test]
fn a_flush_is_told_in_the_receivers_protocol() {
    let server = Server::start(&[]);
    let (mut one, mut other) = (server.connect(), in_resp3(&server));
    let number = other.run("CLIENT ID").integer();
    one.ok(&format!("CLIENT TRACKING ON REDIRECT {number}"));
    server.connect().ok("FLUSHALL");
    assert_eq!(other.bytes(), b">2\r\n$10\r\ninvalidate\r\n_\r\n");
}

/// Whoever goes is forgotten soon, not only when the keys change.
#[test]
fn readers_that_went_are_forgotten() {
    let server = Server::start(&[]);
    let mut witness = server.connect();
    for _ in 0..3 {
        let mut reader = server.connect();
        reader.ok("CLIENT TRACKING ON");
        let keys: Vec<String> = (0..2000).map(|number| format!("key:{number}")).collect();
        let arguments: Vec<&str> = ["MGET"].into_iter().chain(keys.iter().map(String::as_str)).collect();
        reader.command(&arguments);
        assert_eq!(witness.info_number("tracking_total_keys"), 2000);
        assert!(witness.info_number("mem_tracking") > 2000 * 20);
        drop(reader);
        wait_for("the keys to be forgotten", || witness.info_number("tracking_total_items") == 0);
        assert_eq!(witness.info_number("tracking_clients"), 0);
    }
}

/// Each key that is taken out of a table above its limit is told to each of its readers.
#[test]
fn a_table_above_its_limit_gives_up_keys() {
    let server = Server::start(&["--tracking-table-max-keys", "10"]);
    let mut readers = [in_resp3(&server), in_resp3(&server)];
    let mut told = [0, 0];
    readers.iter_mut().for_each(|reader| reader.ok("CLIENT TRACKING ON"));
    for number in 0..100 {
        for reader in &mut readers {
            reader.send(&encode(&["GET", &format!("key:{number}")]));
        }
        for (reader, told) in readers.iter_mut().zip(&mut told) {
            while let Value::Push(_) = reader.value() {
                *told += 1;
            }
        }
    }
    let mut witness = server.connect();
    wait_for("the cron", || witness.info_number("tracking_total_keys") == 10);
    for (reader, told) in readers.iter_mut().zip(&mut told) {
        reader.send(&encode(&["PING"]));
        while let Value::Push(_) = reader.value() {
            *told += 1;
        }
    }
    let remembered = witness.info_number("tracking_total_items");
    assert_eq!(told[0] + told[1] + remembered, 200, "who was not told is remembered");
    witness.ok("CONFIG SET tracking-table-max-keys 0");
    (0..100).for_each(|number| drop(readers[0].run(&format!("GET other:{number}"))));
    assert!(witness.info_number("tracking_total_keys") >= 100);
}

#[test]
fn a_restored_snapshot_is_told() {
    let server = Start::tintype().with("--snapshot-keep", "2").spawn();
    let (mut reader, mut witness) = (in_resp3(&server), server.connect());
    witness.ok("SET k 1");
    witness.run("SAVE");
    witness.ok("SET k 2");
    witness.run("SAVE");
    reader.ok("CLIENT TRACKING ON");
    assert_eq!(reader.run("GET k").text(), "2");
    let kept = witness.run("SNAPSHOT LIST").elements();
    let oldest = kept.last().expect("two snapshots").elements();
    let id = oldest.iter().map(Value::text).nth(1).expect("its id");
    witness.ok(&format!("SNAPSHOT RESTORE {id}"));
    assert_eq!(reader.bytes(), b">2\r\n$10\r\ninvalidate\r\n_\r\n");
    assert_eq!(reader.run("GET k").text(), "1");
}

/// Keys that expire or are evicted by themselves are told although nobody sends anything.
#[test]
fn expiry_and_eviction_are_told_at_once() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]);
    let (mut reader, mut broadcast) = (in_resp3(&server), in_resp3(&server));
    let mut writer = server.connect();
    reader.ok("CLIENT TRACKING ON");
    writer.ok("SET e 1 PX 30");
    reader.run("GET e");
    broadcast.ok("CLIENT TRACKING ON BCAST");
    assert_eq!(invalidated(&mut reader), ["e"]);
    assert_eq!(invalidated(&mut broadcast), ["e"]);
    writer.ok("SET k 1");
    assert_eq!(invalidated(&mut broadcast), ["k"]);
    reader.run("GET k");
    writer.ok("CONFIG SET maxmemory 1");
    assert_eq!(invalidated(&mut reader), ["k"]);
    assert_eq!(invalidated(&mut broadcast), ["k"]);
}

/// One round of the loop gives one message, however many clients wrote in it; nothing is lost or told twice.
#[test]
fn broadcasts_of_a_busy_server_are_complete() {
    const WRITERS: usize = 8;
    const KEYS: usize = 2_000;
    let server = Server::start(&[]);
    let mut listener = in_resp3(&server);
    listener.ok("CLIENT TRACKING ON BCAST PREFIX k");
    let mut writers: Vec<Connection> = (0..WRITERS).map(|_| server.connect()).collect();
    for (writer, connection) in writers.iter_mut().enumerate() {
        let requests: Vec<u8> =
            (0..KEYS).flat_map(|key| encode(&["SET", &format!("k:{writer}:{key}"), "1"])).collect();
        connection.send(&requests);
    }
    writers.iter_mut().for_each(|writer| (0..KEYS).for_each(|_| writer.value().assert_ok()));
    let (mut told, mut messages) = (Vec::new(), 0);
    while told.len() < WRITERS * KEYS {
        let keys = invalidated(&mut listener);
        assert!(keys.is_sorted(), "keys stand in order");
        told.extend(keys);
        messages += 1;
    }
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), WRITERS * KEYS);
    assert!(messages < WRITERS * KEYS / 4, "{messages}");
    assert!(listener.is_silent_for(Duration::from_millis(50)));
}
