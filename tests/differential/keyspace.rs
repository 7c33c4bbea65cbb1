//! Do two servers hold the same data, now, through DUMP and RESTORE, and through each other's files?

use crate::compare::{same_encoding, sorted};
use crate::support::{Connection, Server, Start, Value, show};

const DATABASES: usize = 16;
/// Two servers that got the same relative expiry differ by the time between them.
const EXPIRY_TOLERANCE_MS: i64 = 5_000;

/// One key, as far as a client can see it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    key: Vec<u8>,
    kind: Value,
    value: Value,
}

/// A load makes encodings anew: they agree only between servers with the same past.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Encodings {
    Compared,
    Ignored,
}

/// Fails unless every database of both servers holds the same keys, types, values and expiries.
#[track_caller]
pub fn assert_same(what: &str, ours: &Server, theirs: &Server, encodings: Encodings) {
    let (mut ours, mut theirs) = (ours.connect(), theirs.connect());
    let digest = |c: &mut Connection| c.run("DEBUG DIGEST");
    let same_digest = digest(&mut ours) == digest(&mut theirs);
    for db in 0..DATABASES {
        let (our_keys, their_keys) = (keys(&mut ours, db), keys(&mut theirs, db));
        assert_eq!(our_keys, their_keys, "{what}: the keys of database {db}");
        for key in &our_keys {
            let what = format!("{what}: key {:?} of database {db}", show(key));
            assert_eq!(see(&mut ours, key), see(&mut theirs, key), "{what}");
            let encoding = |c: &mut Connection| c.command(&[&b"OBJECT"[..], b"ENCODING", key]);
            if encodings == Encodings::Compared {
                let (our_word, their_word) = (encoding(&mut ours), encoding(&mut theirs));
                let agree = same_encoding(&our_word, &their_word);
                assert!(agree, "{what}: encodings {our_word:?} and {their_word:?}");
            }
            let expiry = |c: &mut Connection| c.command(&[&b"PEXPIRETIME"[..], key]).integer();
            let (our_expiry, their_expiry) = (expiry(&mut ours), expiry(&mut theirs));
            let apart = our_expiry.abs_diff(their_expiry) as i64;
            let comparable = our_expiry.signum() == their_expiry.signum();
            assert!(comparable && apart <= EXPIRY_TOLERANCE_MS, "{what}: {our_expiry} and {their_expiry}");
        }
    }
    // Last: what is looked at key by key above says more about a difference.
    assert!(same_digest, "{what}: DEBUG DIGEST differs");
}

/// How many keys there are in all databases.
pub fn key_count(server: &Server) -> usize {
    let mut connection = server.connect();
    (0..DATABASES).map(|db| keys(&mut connection, db).len()).sum()
}

/// Every key's payload from `from` is restored by `to`, and is the same there.
#[track_caller]
pub fn assert_payloads_travel(from: &Server, to: &Server) {
    const SCRATCH: &[u8] = b"\0scratch";
    let (mut from, mut to) = (from.connect(), to.connect());
    for db in 0..DATABASES {
        for key in keys(&mut from, db) {
            to.ok(&format!("SELECT {db}"));
            let payload = from.command(&[&b"DUMP"[..], &key]);
            let reply = to.command(&[&b"RESTORE"[..], SCRATCH, b"0", payload.bytes(), b"REPLACE"]);
            let what = format!("payload of {:?} in database {db}: {}", show(&key), show(payload.bytes()));
            assert_eq!(reply, Value::Simple("OK".into()), "{what}");
            let (sent, arrived) = (see(&mut from, &key), see(&mut to, SCRATCH));
            assert_eq!((sent.kind, sent.value), (arrived.kind, arrived.value), "{what}");
            to.command(&[&b"DEL"[..], SCRATCH]);
        }
    }
}

/// Each server saves; a new oracle starts on our file and a new Tintype on theirs; all must still agree.
#[track_caller]
pub fn assert_files_travel(ours: &Server, theirs: &Server) {
    for server in [ours, theirs] {
        server.connect().ok("SAVE");
    }
    let start = |start: Start, server: &Server| {
        start
            .with("--save", "")
            .with("--enable-debug-command", "yes")
            .in_directory(server.directory())
            .spawn()
    };
    let oracle_on_ours = start(Start::oracle(), ours);
    assert_same("our file in the oracle", ours, &oracle_on_ours, Encodings::Ignored);
    let tintype_on_theirs = start(Start::tintype(), theirs);
    assert_same("the oracle's file in Tintype", &tintype_on_theirs, theirs, Encodings::Ignored);
    assert_same("both after a load", &tintype_on_theirs, &oracle_on_ours, Encodings::Compared);
}

fn keys(connection: &mut Connection, db: usize) -> Vec<Vec<u8>> {
    connection.ok(&format!("SELECT {db}"));
    let keys = connection.run("KEYS *");
    sorted(&keys).iter().map(|key| key.bytes().to_vec()).collect()
}

fn see(connection: &mut Connection, key: &[u8]) -> Seen {
    let kind = connection.command(&[&b"TYPE"[..], key]);
    let value = match kind.text().as_str() {
        "string" => connection.command(&[&b"GET"[..], key]),
        "list" => connection.command(&[&b"LRANGE"[..], key, b"0", b"-1"]),
        "hash" => pairs_in_order(&connection.command(&[&b"HGETALL"[..], key])),
        "set" => Value::Array(sorted(&connection.command(&[&b"SMEMBERS"[..], key]))),
        "zset" => connection.command(&[&b"ZRANGE"[..], key, b"0", b"-1", b"WITHSCORES"]),
        "stream" => see_stream(connection, key),
        // A type without its line here would be compared by its name alone.
        other => panic!("no way is known to read a {other}: add one"),
    };
    Seen { key: key.to_vec(), kind, value }
}

/// Fields stand in no order of their own.
fn pairs_in_order(fields: &Value) -> Value {
    let mut pairs: Vec<_> = fields.elements().chunks(2).map(<[Value]>::to_vec).collect();
    pairs.sort();
    Value::Array(pairs.concat())
}

/// Entries, groups, and who owns which entry how often delivered: what does not depend on the clock.
fn see_stream(connection: &mut Connection, key: &[u8]) -> Value {
    let entries = connection.command(&[&b"XRANGE"[..], key, b"-", b"+"]);
    let groups = connection.command(&[&b"XINFO"[..], b"GROUPS", key]);
    let mut seen = vec![entries, groups.clone()];
    for group in names_in(&groups) {
        let pending = connection.command(&[&b"XPENDING"[..], key, &group, b"-", b"+", b"1000000"]);
        for entry in pending.elements() {
            let [id, owner, _idle_ms, deliveries] = &entry.elements()[..] else {
                panic!("four parts: {entry:?}")
            };
            seen.push(Value::Array(vec![id.clone(), owner.clone(), deliveries.clone()]));
        }
        let consumers = connection.command(&[&b"XINFO"[..], b"CONSUMERS", key, &group]);
        seen.extend(names_in(&consumers).into_iter().map(Value::Bulk));
    }
    Value::Array(seen)
}

/// The names in a reply of XINFO GROUPS or XINFO CONSUMERS.
fn names_in(list: &Value) -> Vec<Vec<u8>> {
    list.elements().iter().map(|fields| fields.elements()[1].bytes().to_vec()).collect()
}

/// Changes, on both servers alike, what the oracle cannot read or reads as something else.
pub fn make_portable(ours: &Server, theirs: &Server) {
    for_each_key(ours, theirs, |ours, theirs, key| {
        match ours.command(&[&b"TYPE"[..], key]).text().as_str() {
            "zset" => without_negative_zero(ours, theirs, key),
            "stream" => settle_stream(ours, theirs, key),
            _ => {}
        }
    });
}

fn for_each_key(
    ours: &Server,
    theirs: &Server,
    mut visit: impl FnMut(&mut Connection, &mut Connection, &[u8]),
) {
    let (mut ours, mut theirs) = (ours.connect(), theirs.connect());
    for db in 0..DATABASES {
        theirs.ok(&format!("SELECT {db}"));
        for key in keys(&mut ours, db) {
            visit(&mut ours, &mut theirs, &key);
        }
    }
}

/// A small set that was large before becomes a listpack when it is loaded, where minus zero is zero.
fn without_negative_zero(ours: &mut Connection, theirs: &mut Connection, key: &[u8]) {
    let pairs = ours.command(&[&b"ZRANGE"[..], key, b"0", b"-1", b"WITHSCORES"]).elements();
    for pair in pairs.chunks(2).filter(|pair| pair[1].text() == "-0") {
        for score in [b"1", b"0"] {
            for server in [&mut *ours, &mut *theirs] {
                server.command(&[&b"ZADD"[..], key, score, pair[0].bytes()]);
            }
        }
    }
}

/// When a consumer was last active is known since Redis 7.2; a stream where that is not when it was last seen has a
/// form that the oracle cannot read. Here every consumer of such a stream gets an entry, on both servers, which makes
/// the two times one; where there is no entry to get, the key goes.
fn settle_stream(ours: &mut Connection, theirs: &mut Connection, key: &[u8]) {
    const FORM_WITH_ACTIVE_TIMES: u8 = 21;
    if ours.command(&[&b"DUMP"[..], key]).bytes()[0] != FORM_WITH_ACTIVE_TIMES {
        return;
    }
    let first = ours.command(&[&b"XRANGE"[..], key, b"-", b"+", b"COUNT", b"1"]);
    let Some(entry) = first.elements().first().cloned() else {
        ours.command(&[&b"DEL"[..], key]);
        theirs.command(&[&b"DEL"[..], key]);
        return;
    };
    let id = entry.elements()[0].bytes().to_vec();
    for group in names_in(&ours.command(&[&b"XINFO"[..], b"GROUPS", key])) {
        for consumer in names_in(&ours.command(&[&b"XINFO"[..], b"CONSUMERS", key, &group])) {
            let claim = [&b"XCLAIM"[..], key, &group, &consumer, b"0", &id, b"FORCE", b"JUSTID"];
            assert_eq!(ours.command(&claim), theirs.command(&claim));
        }
    }
}

/// All keys of the selected database by SCAN.
pub fn scan_all(connection: &mut Connection, options: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let reply = connection.run(&format!("SCAN {cursor} {options}")).elements();
        found.extend(reply[1].elements().iter().map(|key| key.bytes().to_vec()));
        cursor = reply[0].text();
        if cursor == "0" {
            found.sort();
            found.dedup();
            return found;
        }
    }
}
