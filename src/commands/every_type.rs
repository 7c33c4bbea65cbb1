//! What the commands about keys do with a value of each type, in each encoding.

use crate::commands::testing::Fixture;
use crate::keyspace::settings::Ranking;

/// How a value is made under `k`, its type and its encoding. The thresholds are low, so that few elements are many.
const VALUES: &[(&str, &str, &str)] = &[
    ("SET k 7", "string", "int"),
    ("SET k text", "string", "embstr"),
    ("RPUSH k a b c", "list", "listpack"),
    ("RPUSH k a b c d e f g", "list", "quicklist"),
    ("SADD k 1 2 3", "set", "intset"),
    ("SADD k a b c", "set", "listpack"),
    ("SADD k a b c d e f g", "set", "hashtable"),
    ("ZADD k 1 a 2 b", "zset", "listpack"),
    ("ZADD k 1 a 2 b 3 c 4 d 5 e", "zset", "skiplist"),
    ("HSET k f v g w", "hash", "listpack"),
    ("HSETEX k EX 9000 FIELDS 2 f v g w", "hash", "listpackex"),
    ("HSET k a 1 b 2 c 3 d 4 e 5", "hash", "hashtable"),
    ("HSETEX k EX 9000 FIELDS 5 a 1 b 2 c 3 d 4 e 5", "hash", "hashtable"),
    ("XADD k 1-1 f v", "stream", "stream"),
];

fn with_low_thresholds() -> Fixture {
    let mut fixture = Fixture::new();
    let directives = "list-max-listpack-size 4 set-max-listpack-entries 4 zset-max-listpack-entries 4 \
                      hash-max-listpack-entries 4";
    fixture.check(&format!("CONFIG SET {directives}"), "+OK\r\n");
    fixture
}

/// Runs a check on a fresh server for each value.
fn each(mut check: impl FnMut(&mut Fixture, &str, &str)) {
    for (make, type_name, encoding) in VALUES {
        let mut fixture = with_low_thresholds();
        assert!(!fixture.run(make).starts_with('-'), "{make}");
        check(&mut fixture, type_name, encoding);
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

/// The digest of a value.
fn digest(fixture: &mut Fixture, key: &str) -> String {
    fixture.server.config.enable_debug_command = crate::config::Restriction::Yes;
    fixture.run(&format!("DEBUG DIGEST-VALUE {key}"))
}

#[test]
fn type_and_encoding_are_told() {
    each(|fixture, type_name, encoding| {
        fixture.check("TYPE k", &format!("+{type_name}\r\n"));
        fixture.check("OBJECT ENCODING k", &bulk(encoding));
        let refcount = if encoding == "int" { ":2147483647\r\n" } else { ":1\r\n" };
        fixture.check("OBJECT REFCOUNT k", refcount);
        let usage = fixture.run("MEMORY USAGE k");
        let bytes: usize = usage.trim_matches([':', '\r', '\n']).parse().expect("a number");
        assert!((20..4000).contains(&bytes), "{encoding}: {bytes}");
    });
}

#[test]
fn use_is_told() {
    each(|fixture, _, encoding| {
        fixture.advance_ms(5000);
        fixture.check("OBJECT IDLETIME k", ":5\r\n");
        fixture.run("TYPE k");
        fixture.check("OBJECT IDLETIME k", ":5\r\n");
        fixture.check("TOUCH k", ":1\r\n");
        fixture.check("OBJECT IDLETIME k", ":0\r\n");
        assert!(fixture.run("OBJECT FREQ k").starts_with("-ERR An LFU"), "{encoding}");
        fixture.server.keyspace.settings.ranking = Ranking::Lfu;
        fixture.run("DEL k");
        fixture.run(VALUES.iter().find(|value| value.2 == encoding).expect("it is there").0);
        fixture.check("OBJECT FREQ k", ":5\r\n");
        assert!(fixture.run("OBJECT IDLETIME k").starts_with("-ERR An LFU"), "{encoding}");
    });
}

/// An edit is a use of the key, whether its value is edited in its entry or behind it.
#[test]
fn an_edit_is_a_use() {
    for (make, edit) in [
        ("RPUSH k a", "RPUSH k b"),
        ("RPUSH k a b c d e f", "RPUSH k g"),
        ("SADD k a", "SADD k b"),
        ("SADD k a b c d e f", "SREM k a"),
        ("ZADD k 1 a", "ZADD k 2 a"),
        ("ZADD k 1 a 2 b 3 c 4 d 5 e", "ZREM k a"),
        ("HSET k f v", "HSET k f w"),
        ("HSET k a 1 b 2 c 3 d 4 e 5", "HDEL k a"),
        ("XADD k 1-1 f v", "XADD k 1-2 f v"),
    ] {
        let mut fixture = with_low_thresholds();
        fixture.run(make);
        fixture.advance_ms(9000);
        assert!(!fixture.run(edit).starts_with('-'));
        fixture.check("OBJECT IDLETIME k", ":0\r\n");
    }
}

#[test]
fn scan_finds_by_type() {
    each(|fixture, type_name, _| {
        fixture.check(&format!("SCAN 0 TYPE {type_name}"), "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n");
        for other in ["string", "list", "set", "zset", "hash", "stream"] {
            if other != type_name {
                fixture.check(&format!("SCAN 0 TYPE {other}"), "*2\r\n$1\r\n0\r\n*0\r\n");
            }
        }
    });
}

#[test]
fn values_are_renamed_copied_and_moved_whole() {
    each(|fixture, _, encoding| {
        let whole = digest(fixture, "k");
        fixture.check("COPY k copy", ":1\r\n");
        fixture.check("RENAME k new", "+OK\r\n");
        fixture.check("EXISTS k", ":0\r\n");
        for key in ["copy", "new"] {
            assert_eq!(digest(fixture, key), whole, "{key} {encoding}");
            fixture.check(&format!("OBJECT ENCODING {key}"), &bulk(encoding));
        }
        fixture.check("RENAMENX copy new", ":0\r\n");
        fixture.check("RENAME copy new", "+OK\r\n");
        fixture.check("COPY new there DB 3", ":1\r\n");
        fixture.check("MOVE new 2", ":1\r\n");
        fixture.check("EXISTS new", ":0\r\n");
        for (db, key) in [(3, "there"), (2, "new")] {
            fixture.client().db = db;
            assert_eq!(digest(fixture, key), whole, "{key} {encoding}");
        }
        // A copy shares nothing with what it was made of.
        fixture.client().db = 3;
        fixture.run("DEL there");
        fixture.client().db = 2;
        assert_eq!(digest(fixture, "new"), whole);
    });
}

#[test]
fn expiries_come_and_go() {
    each(|fixture, _, encoding| {
        let whole = digest(fixture, "k");
        fixture.check("PEXPIRE k 5000", ":1\r\n");
        fixture.check("PTTL k", ":5000\r\n");
        fixture.check("COPY k copy", ":1\r\n");
        fixture.check("PTTL copy", ":5000\r\n");
        fixture.check("RENAME copy new", "+OK\r\n");
        fixture.check("PTTL new", ":5000\r\n");
        fixture.check("PERSIST k", ":1\r\n");
        fixture.check("PERSIST k", ":0\r\n");
        assert_eq!(digest(fixture, "k"), whole, "{encoding}");
        fixture.check("OBJECT ENCODING k", &bulk(encoding));
        fixture.check("PEXPIRE k 6000", ":1\r\n");
        fixture.advance_ms(5001);
        fixture.check("EXISTS k new", ":1\r\n");
        fixture.check("PTTL k", ":999\r\n");
        fixture.advance_ms(1000);
        fixture.check("TYPE k", "+none\r\n");
        fixture.check("DBSIZE", ":0\r\n");
        assert_eq!(fixture.server.keyspace.counters.expired, 2);
    });
}

#[test]
fn whatever_is_there_gives_way() {
    each(|fixture, _, encoding| {
        fixture.run("COPY k other");
        fixture.run("PEXPIRE other 5000");
        fixture.check("SET k v", "+OK\r\n");
        fixture.check("TYPE k", "+string\r\n");
        fixture.check("SUNIONSTORE other nothing", ":0\r\n");
        fixture.check("EXISTS other", ":0\r\n");
        fixture.run("SET other v PX 5000");
        fixture.run("RENAME other k");
        fixture.check("PTTL k", ":5000\r\n");
        fixture.check("DEL k", ":1\r\n");
        let db = fixture.server.keyspace.db(0);
        assert_eq!((db.len(), db.volatile_len(), db.expiring_hashes_len()), (0, 0, 0), "{encoding}");
    });
}

#[test]
fn dumps_are_restored() {
    each(|fixture, _, encoding| {
        let whole = digest(fixture, "k");
        let reply = fixture.run_bytes(crate::base::quote::split_line(b"DUMP k").expect("a line"));
        let start = reply.iter().position(|byte| *byte == b'\n').expect("a bulk") + 1;
        let payload = reply[start..reply.len() - 2].to_vec();
        let restore = crate::base::argv::Argv::from_iter([&b"RESTORE"[..], b"back", b"0", &payload]);
        assert_eq!(fixture.run_args(restore), "+OK\r\n", "{encoding}");
        assert_eq!(digest(fixture, "back"), whole, "{encoding}");
        fixture.check("OBJECT ENCODING back", &bulk(encoding));
    });
}
