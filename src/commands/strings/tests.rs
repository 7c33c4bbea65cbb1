//! The string commands, run whole: gates, handler, commit.

use crate::commands::testing::{Fixture, START_MS};

/// Lines as redis-cli would read them, each with its raw reply.
fn check_all(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        assert_eq!(fixture.run(line), *reply, "{line}");
    }
}

#[test]
fn set_keeps_its_options_apart() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("SET k v", "+OK\r\n"),
            ("SET k w NX", "$-1\r\n"),
            ("SET absent w XX", "$-1\r\n"),
            ("SET k w XX GET", "$1\r\nv\r\n"),
            ("SET k x NX GET", "$1\r\nw\r\n"),
            ("GET k", "$1\r\nw\r\n"),
            ("SET k v NX XX", "-ERR syntax error\r\n"),
            ("SET k v EX 10 PX 10", "-ERR syntax error\r\n"),
            ("SET k v EX 10 KEEPTTL", "-ERR syntax error\r\n"),
            ("SET k v EX", "-ERR syntax error\r\n"),
            ("SET k v EX x", "-ERR value is not an integer or out of range\r\n"),
            ("SET k v EX 0", "-ERR invalid expire time in 'set' command\r\n"),
            ("SET k v EX 9223372036854775807", "-ERR invalid expire time in 'set' command\r\n"),
            ("SET k v PX 9223372036854775807", "-ERR invalid expire time in 'set' command\r\n"),
            ("SET k v EX 100", "+OK\r\n"),
            ("SET k w KEEPTTL", "+OK\r\n"),
            ("PTTL k", ":100000\r\n"),
            ("SET k w", "+OK\r\n"),
            ("PTTL k", ":-1\r\n"),
        ],
    );
}

#[test]
fn values_compare_before_they_are_set() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("SET k 12", "+OK\r\n"),
            ("SET k 13 IFEQ 11", "$-1\r\n"),
            ("SET k 13 IFEQ 12", "+OK\r\n"),
            ("SET k 14 IFNE 13", "$-1\r\n"),
            ("SET k hello IFNE 12", "+OK\r\n"),
            ("SET absent v IFEQ v", "$-1\r\n"),
            ("SET absent v IFNE v", "+OK\r\n"),
            ("DIGEST k", "$16\r\n9555e8555c62dcfd\r\n"),
            ("DIGEST nothing", "$-1\r\n"),
            ("SET k v IFDEQ 0000000000000000", "$-1\r\n"),
            ("SET k v IFDEQ 9555e8555c62dcfd", "+OK\r\n"),
            ("DELEX k IFEQ w", ":0\r\n"),
            ("DELEX k IFNE w", ":1\r\n"),
            ("DELEX k", ":0\r\n"),
            ("DELEX absent IFDNE 0000000000000000", ":1\r\n"),
            ("SET k v IFDEQ 12", "-ERR must be exactly 16 hexadecimal characters\r\n"),
        ],
    );
}

#[test]
fn several_keys_share_an_expiry_and_a_condition() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("MSETEX 2 a 1 b 2 EX 10", ":1\r\n"),
            ("PTTL b", ":10000\r\n"),
            ("MSETEX 2 b 3 c 4 NX", ":0\r\n"),
            ("MSETEX 2 a 5 b 6 XX KEEPTTL", ":1\r\n"),
            ("PTTL a", ":10000\r\n"),
            ("MGET a b c", "*3\r\n$1\r\n5\r\n$1\r\n6\r\n$-1\r\n"),
            ("MSETEX 0 a 1", "-ERR invalid numkeys value\r\n"),
            ("MSETEX 9 a 1", "-ERR wrong number of key-value pairs\r\n"),
            ("MSETEX 1 a 1 NX XX", "-ERR syntax error\r\n"),
            ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n"),
            ("MSETNX a 1 z 2", ":0\r\n"),
            ("MSETNX y 1 z 2", ":1\r\n"),
        ],
    );
}

#[test]
fn counters_know_their_limits() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("INCR n", ":1\r\n"),
            ("INCRBY n 9223372036854775806", ":9223372036854775807\r\n"),
            ("INCR n", "-ERR increment or decrement would overflow\r\n"),
            ("DECRBY n -9223372036854775808", "-ERR decrement would overflow\r\n"),
            ("SET s 007", "+OK\r\n"),
            ("INCR s", "-ERR value is not an integer or out of range\r\n"),
            ("INCRBYFLOAT s 0.5", "$3\r\n7.5\r\n"),
            ("INCRBYFLOAT s abc", "-ERR value is not a valid float\r\n"),
            ("SET f 5.0e3", "+OK\r\n"),
            ("INCRBYFLOAT f 200", "$4\r\n5200\r\n"),
            ("INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity\r\n"),
        ],
    );
}

#[test]
fn parts_of_strings_are_read_and_written() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("APPEND k Hello", ":5\r\n"),
            ("APPEND k World", ":10\r\n"),
            ("OBJECT ENCODING k", "$3\r\nraw\r\n"),
            ("GETRANGE k -5 -1", "$5\r\nWorld\r\n"),
            ("SETRANGE k 12 !", ":13\r\n"),
            ("GET k", "$13\r\nHelloWorld\0\0!\r\n"),
            ("SETRANGE k -1 x", "-ERR offset is out of range\r\n"),
            ("SETRANGE absent 5 \"\"", ":0\r\n"),
            ("EXISTS absent", ":0\r\n"),
            ("SETRANGE k 536870911 xx", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"),
            ("STRLEN k", ":13\r\n"),
            ("SET i 1234", "+OK\r\n"),
            ("GETRANGE i 1 2", "$2\r\n23\r\n"),
            ("STRLEN i", ":4\r\n"),
            ("OBJECT ENCODING i", "$3\r\nint\r\n"),
        ],
    );
}

#[test]
fn subsequences_are_found() {
    let mut fixture = Fixture::new();
    fixture.run("MSET a ohmytext b mynewtext");
    check_all(
        &mut fixture,
        &[
            ("LCS a b", "$6\r\nmytext\r\n"),
            ("LCS a b LEN", ":6\r\n"),
            ("LCS a absent", "$0\r\n\r\n"),
            ("LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX.\r\n"),
            (
                "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
                "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n",
            ),
        ],
    );
}

#[test]
fn a_read_can_change_the_expiry() {
    let mut fixture = Fixture::new();
    fixture.run("SET k v EX 100");
    check_all(
        &mut fixture,
        &[
            ("GETEX k", "$1\r\nv\r\n"),
            ("PTTL k", ":100000\r\n"),
            ("GETEX k PERSIST", "$1\r\nv\r\n"),
            ("PTTL k", ":-1\r\n"),
            ("GETEX k PX 50", "$1\r\nv\r\n"),
            ("GETEX k EX 1 PERSIST", "-ERR syntax error\r\n"),
            ("GETEX k PXAT 1", "$1\r\nv\r\n"),
            ("EXISTS k", ":0\r\n"),
            ("SET k v PX 50", "+OK\r\n"),
        ],
    );
    fixture.advance_ms(50);
    assert_eq!(fixture.run("GETDEL k"), "$1\r\nv\r\n", "a key lives to the end of its last millisecond");
    fixture.run("SET k v PX 50");
    fixture.advance_ms(51);
    assert_eq!(fixture.run("GETDEL k"), "$-1\r\n");
}

#[test]
fn what_is_propagated_does_not_depend_on_time() {
    let mut fixture = Fixture::new();
    let at = START_MS + 10_000;
    let cases = [
        ("SET k v EX 10", format!("SET k v PXAT {at}")),
        ("SETEX k 10 v", format!("SET k v PXAT {at}")),
        ("GETEX k EX 10", format!("PEXPIREAT k {at}")),
        ("INCRBYFLOAT f 0.5", "SET f 0.5 KEEPTTL".to_owned()),
        ("GETDEL k", "DEL k".to_owned()),
        ("SET k v", "SET k v".to_owned()),
    ];
    for (line, propagated) in cases {
        fixture.run(line);
        let all = fixture.take_propagated();
        assert_eq!(all.last(), Some(&propagated), "{line}");
    }
    fixture.run("GET k");
    fixture.run("SET k v NX");
    assert!(fixture.take_propagated().is_empty(), "what changes nothing is not told");
}
