//! Where messages stand in the stream of a client that causes them itself.
//!
//! Redis 7.0 puts them before the reply of the running command; since 7.2 they follow it, and a transaction's follow
//! the whole of EXEC's. Tintype does the latter, so this is no comparison.

use crate::support::{Server, Value};

fn message(channel: &str, text: &str) -> Value {
    Value::Push(["message", channel, text].map(|word| Value::Bulk(word.into())).to_vec())
}

#[test]
fn one_s_own_messages_follow_the_reply() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.run("HELLO 3");
    client.run("SUBSCRIBE c");
    assert_eq!(client.run("PUBLISH c x"), Value::Integer(1));
    assert_eq!(client.value(), message("c", "x"));
    // In a pipeline: behind the reply of its command, not behind the last one.
    client.send(b"PING 1\r\nPUBLISH c one\r\nPING 2\r\nPUBLISH c two\r\nPING 3\r\n");
    let expected = [
        Value::Bulk(b"1".to_vec()),
        Value::Integer(1),
        message("c", "one"),
        Value::Bulk(b"2".to_vec()),
        Value::Integer(1),
        message("c", "two"),
        Value::Bulk(b"3".to_vec()),
    ];
    expected.into_iter().for_each(|expected| assert_eq!(client.value(), expected));
}

#[test]
fn a_transaction_s_messages_follow_exec() {
    let server = Server::start(&[]);
    let (mut client, mut other) = (server.connect(), server.connect());
    client.run("HELLO 3");
    client.run("SUBSCRIBE c");
    other.run("SUBSCRIBE c");
    client.send(b"MULTI\r\nPUBLISH c one\r\nGET k\r\nPUBLISH c two\r\nEXEC\r\nPING\r\n");
    assert_eq!(client.value(), Value::Simple("OK".into()));
    (0..3).for_each(|_| assert_eq!(client.value(), Value::Simple("QUEUED".into())));
    assert_eq!(client.value(), Value::Array(vec![Value::Integer(2), Value::Null, Value::Integer(2)]));
    assert_eq!([client.value(), client.value()], [message("c", "one"), message("c", "two")]);
    assert_eq!(client.value(), Value::Simple("PONG".into()));
    for text in ["one", "two"] {
        assert_eq!(other.value().elements()[2], Value::Bulk(text.into()));
    }
}

#[test]
fn long_messages_to_oneself_are_whole() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.run("HELLO 3");
    client.run("SUBSCRIBE c");
    let text = "l".repeat(100_000);
    assert_eq!(client.command(&["PUBLISH", "c", &text]), Value::Integer(1));
    assert_eq!(client.value(), message("c", &text));
}
