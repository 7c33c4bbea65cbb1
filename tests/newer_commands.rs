//! Commands that the oracle of `differential` does not have yet: SET with comparing conditions, DIGEST, DELEX, MSETEX.
//!
//! Over the wire, in both protocols, with what a command brings along: WATCH, transactions, expiries, files. Expected
//! replies are those that Redis 8.4 documents.

pub mod support;

use support::{Connection, Server, Start, Value};

/// XXH3 of "Hello world", as the documentation of DIGEST shows it.
const HELLO_DIGEST: &str = "b6acb9d84a38ff74";
const WRONG_DIGEST: &str = "00000000000000ff";

fn ok() -> Value {
    Value::Simple("OK".into())
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.into())
}

/// Runs each line and compares its reply.
#[track_caller]
fn check(connection: &mut Connection, lines: &[(&str, Value)]) {
    for (line, expected) in lines {
        assert_eq!(connection.run(line), *expected, "{line}");
    }
}

/// Runs `lines` on an empty server, once in each protocol.
#[track_caller]
fn check_in_both(lines: &[(&str, Value)]) {
    let server = Server::start(&[]);
    for protocol in ["2", "3"] {
        let mut connection = server.connect();
        connection.command(&["HELLO", protocol]);
        connection.ok("FLUSHALL");
        check(&mut connection, lines);
    }
}

#[track_caller]
fn check_errors(lines: &[(&str, &str)]) {
    let lines: Vec<_> = lines.iter().map(|(line, text)| (*line, Value::Error((*text).into()))).collect();
    check_in_both(&lines);
}

#[test]
fn set_compares_first() {
    let by_digest = format!("SET k \"Hello world\" IFDNE {HELLO_DIGEST}");
    check_in_both(&[
        ("SET k new IFEQ old", Value::Null),
        ("EXISTS k", Value::Integer(0)),
        ("SET k old IFNE other", ok()),
        ("SET k new IFEQ ol", Value::Null),
        ("SET k new IFEQ old", ok()),
        ("SET k newer IFNE new", Value::Null),
        ("SET k newer IFNE New", ok()),
        ("GET k", bulk("newer")),
        ("SET k 12", ok()),
        ("SET k 13 IFEQ 12", ok()),
        ("SET k 14 IFEQ 013", Value::Null),
        (&by_digest, ok()),
        (&by_digest, Value::Null),
        ("SET k x IFDEQ B6ACB9D84A38FF74", ok()),
        ("SET absent x IFDEQ 00000000000000ff", Value::Null),
        ("SET absent x IFDNE 00000000000000ff", ok()),
    ]);
}

#[test]
fn set_conditions_go_with_the_other_options() {
    check_in_both(&[
        ("SET k a EX 1000", ok()),
        ("SET k b IFEQ a KEEPTTL", ok()),
        ("EXPIRE k 2000 GT", Value::Integer(1)),
        ("SET k c GET IFEQ nothing", bulk("b")),
        ("SET k c GET IFEQ b EXAT 4000000000", bulk("b")),
        ("EXPIRETIME k", Value::Integer(4_000_000_000)),
        ("SET k d IFNE x", ok()),
        ("TTL k", Value::Integer(-1)),
        ("SET new v GET IFNE x", Value::Null),
        ("GET new", bulk("v")),
    ]);
    check_errors(&[
        ("SET k v IFEQ", "ERR syntax error"),
        ("SET k v IFEQ a NX", "ERR syntax error"),
        ("SET k v XX IFDEQ 00000000000000ff", "ERR syntax error"),
        ("SET k v IFEQ a IFNE b", "ERR syntax error"),
        ("SET k v IFDEQ 123", "ERR must be exactly 16 hexadecimal characters"),
        ("SET k v IFDNE 000000000000000g", "ERR must be exactly 16 hexadecimal characters"),
    ]);
}

#[test]
fn digests() {
    check_in_both(&[
        ("DIGEST k", Value::Null),
        ("SET k \"Hello world\"", ok()),
        ("DIGEST k", bulk(HELLO_DIGEST)),
        ("SET k \"\"", ok()),
        // XXH3 of nothing, from its specification.
        ("DIGEST k", bulk("2d06800538d394c2")),
    ]);
    check_errors(&[
        ("DIGEST", "ERR wrong number of arguments for 'digest' command"),
        ("DIGEST a b", "ERR wrong number of arguments for 'digest' command"),
    ]);
}

#[test]
fn delex_compares_first() {
    let (wrong, right) = (format!("DELEX k IFDEQ {WRONG_DIGEST}"), format!("DELEX k IFDEQ {HELLO_DIGEST}"));
    check_in_both(&[
        ("DELEX k", Value::Integer(0)),
        ("SET k v", ok()),
        ("DELEX k", Value::Integer(1)),
        ("SET k v", ok()),
        ("DELEX k IFEQ w", Value::Integer(0)),
        ("DELEX k IFNE v", Value::Integer(0)),
        ("EXISTS k", Value::Integer(1)),
        ("DELEX k IFEQ v", Value::Integer(1)),
        ("SET k \"Hello world\" EX 1000", ok()),
        (&wrong, Value::Integer(0)),
        (&right, Value::Integer(1)),
        (&right, Value::Integer(0)),
        ("SET k v", ok()),
        ("DELEX k IFDNE 00000000000000ff", Value::Integer(1)),
        ("DBSIZE", Value::Integer(0)),
    ]);
    check_errors(&[
        ("DELEX", "ERR wrong number of arguments for 'delex' command"),
        ("DELEX k IFEQ a b", "ERR wrong number of arguments for 'delex' command"),
        ("DELEX k FOO a", "ERR syntax error"),
        ("DELEX k IFDEQ x", "ERR must be exactly 16 hexadecimal characters"),
    ]);
}

#[test]
fn msetex_sets_all_or_nothing() {
    check_in_both(&[
        ("MSETEX 2 a 1 b 2", Value::Integer(1)),
        ("TTL a", Value::Integer(-1)),
        ("MSETEX 2 b 3 c 4 NX", Value::Integer(0)),
        ("EXISTS c", Value::Integer(0)),
        ("MSETEX 2 b 3 c 4 XX", Value::Integer(0)),
        ("GET b", bulk("2")),
        ("MSETEX 2 a 5 b 6 XX EXAT 4000000000", Value::Integer(1)),
        ("EXPIRETIME a", Value::Integer(4_000_000_000)),
        ("EXPIRETIME b", Value::Integer(4_000_000_000)),
        ("MSETEX 1 a 7 KEEPTTL", Value::Integer(1)),
        ("EXPIRETIME a", Value::Integer(4_000_000_000)),
        ("MSETEX 2 d 1 e 2 PXAT 4000000000001 NX", Value::Integer(1)),
        ("PEXPIRETIME e", Value::Integer(4_000_000_000_001)),
        ("MGET a b d e", Value::Array(["7", "6", "1", "2"].map(bulk).to_vec())),
        // A key named twice has its last value.
        ("MSETEX 2 a 8 a 9", Value::Integer(1)),
        ("GET a", bulk("9")),
        ("TTL a", Value::Integer(-1)),
    ]);
    check_errors(&[
        ("MSETEX 1 a", "ERR wrong number of arguments for 'msetex' command"),
        ("MSETEX x a 1", "ERR invalid numkeys value"),
        ("MSETEX 0 a 1", "ERR invalid numkeys value"),
        ("MSETEX -1 a 1", "ERR invalid numkeys value"),
        ("MSETEX 2147483648 a 1", "ERR invalid numkeys value"),
        ("MSETEX 2147483647 a 1", "ERR wrong number of key-value pairs"),
        ("MSETEX 1 a 1 EX 0", "ERR invalid expire time in 'msetex' command"),
        ("MSETEX 1 a 1 EX x", "ERR value is not an integer or out of range"),
        ("MSETEX 1 a 1 EX 10 KEEPTTL", "ERR syntax error"),
        ("MSETEX 1 a 1 NX XX", "ERR syntax error"),
        ("MSETEX 1 a 1 b 2", "ERR syntax error"),
    ]);
}

#[test]
fn the_digest_is_of_the_bytes_however_they_are_held() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.ok("SET int 12");
    connection.ok("SET raw 1");
    connection.run("APPEND raw 2");
    assert_ne!(connection.run("OBJECT ENCODING int"), connection.run("OBJECT ENCODING raw"));
    assert_eq!(connection.run("DIGEST int"), connection.run("DIGEST raw"));
}

/// What changes nothing breaks no transaction; what changes something does.
#[test]
fn watches_notice_changes_only() {
    let server = Server::start(&[]);
    let (mut watcher, mut other) = (server.connect(), server.connect());
    for (line, changes) in [
        ("SET k w IFEQ nothing", false),
        ("DELEX k IFEQ nothing", false),
        ("MSETEX 2 k 1 l 2 NX", false),
        ("DIGEST k", false),
        ("SET k w IFEQ v", true),
        ("MSETEX 2 k 1 l 2", true),
        ("DELEX k IFNE nothing", true),
    ] {
        watcher.ok("SET k v");
        watcher.ok("WATCH k");
        assert!(!other.run(line).is_error(), "{line}");
        watcher.ok("MULTI");
        watcher.run("PING");
        assert_eq!(watcher.run("EXEC") == Value::Null, changes, "{line}");
    }
}

#[test]
fn they_run_in_transactions_and_name_their_keys() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.ok("MULTI");
    for line in ["MSETEX 2 a 1 b 2", "SET a 3 IFEQ 1", "DELEX b IFEQ 1", "DIGEST nothing"] {
        assert_eq!(connection.run(line), Value::Simple("QUEUED".into()), "{line}");
    }
    let replies = vec![Value::Integer(1), ok(), Value::Integer(0), Value::Null];
    let keys = |names: &[&str]| Value::Array(names.iter().map(|name| bulk(name)).collect());
    check(
        &mut connection,
        &[
            ("EXEC", Value::Array(replies)),
            ("COMMAND GETKEYS MSETEX 2 a 1 b 2 EX 10", keys(&["a", "b"])),
            ("COMMAND GETKEYS DELEX a IFEQ x", keys(&["a"])),
            ("COMMAND GETKEYS DIGEST a", keys(&["a"])),
        ],
    );
}

#[test]
fn what_they_set_is_saved() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.run("MSETEX 2 a 1 b \"Hello world\" PXAT 4000000000001");
    connection.ok("SET a 2 IFEQ 1");
    connection.ok("SAVE");
    drop(connection);
    let again = Start::tintype().with("--save", "").in_directory(server.directory()).spawn();
    check(
        &mut again.connect(),
        &[
            ("GET a", bulk("2")),
            ("TTL a", Value::Integer(-1)),
            ("DIGEST b", bulk(HELLO_DIGEST)),
            ("PEXPIRETIME b", Value::Integer(4_000_000_000_001)),
        ],
    );
}
