//! Lists and sorted sets: order, several keys, transactions, chains, and all that can bring a key.

use crate::support::server::is_stand_in;
use crate::tools::{Stage, expect, expect_silence, wait};

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn waiters_are_served_in_order_of_arrival() {
    let mut stage = Stage::new();
    let mut first = stage.waiter("BLPOP k 0");
    let mut second = stage.waiter("BRPOP k 0");
    let mut third = stage.waiter("BLMOVE k d LEFT RIGHT 0");
    stage.check("RPUSH k 1 2 3 4", ":4");
    expect(&mut first, r#"["k", "1"]"#);
    expect(&mut second, r#"["k", "4"]"#);
    expect(&mut third, r#""2""#);
    stage.check("LRANGE k 0 -1", r#"["3"]"#);
    stage.check("LRANGE d 0 -1", r#"["2"]"#);
}

#[test]
fn one_push_serves_as_many_as_it_brings() {
    let mut stage = Stage::new();
    let mut waiters: Vec<_> = (0..5).map(|_| stage.waiter("BLPOP k 0")).collect();
    stage.check("RPUSH k 0 1 2", ":3");
    stage.assert_waiting(2);
    expect_silence(&mut waiters[3]);
    stage.check("RPUSH k 3 4 5", ":3");
    for (number, waiter) in waiters.iter_mut().enumerate() {
        expect(waiter, &format!(r#"["k", "{number}"]"#));
    }
    stage.check("LRANGE k 0 -1", r#"["5"]"#);
}

#[test]
fn every_command_answers_as_when_it_need_not_wait() {
    let mut stage = Stage::new();
    let cases = [
        ("BLMPOP 0 2 x k LEFT COUNT 2", "RPUSH k 1 2 3", r#"["k", ["1", "2"]]"#),
        ("BLMPOP 0 1 k RIGHT COUNT 9", "RPUSH k 1 2 3", r#"["k", ["3", "2", "1"]]"#),
        ("BRPOPLPUSH k d 0", "RPUSH k 1 2", r#""2""#),
        ("BLMOVE k k LEFT RIGHT 0", "RPUSH k 1 2", r#""1""#),
        ("BRPOPLPUSH k k 0", "RPUSH k 1", r#""1""#),
        ("BZPOPMIN z 0", "ZADD z 1 a 2.5 b", r#"["z", "a", "1"]"#),
        ("BZPOPMAX z 0", "ZADD z 1 a 2.5 b", r#"["z", "b", "2.5"]"#),
        ("BZMPOP 0 2 y z MIN COUNT 2", "ZADD z 1 a 2 b 3 c", r#"["z", [["a", "1"], ["b", "2"]]]"#),
        ("BLPOP k k k 0", "RPUSH k 1 2", r#"["k", "1"]"#),
    ];
    for (waiting, bringing, reply) in cases {
        stage.check("FLUSHALL", "+OK");
        let mut waiter = stage.waiter(waiting);
        stage.run(bringing);
        expect(&mut waiter, reply);
    }
    stage.assert_waiting(0);
}

#[test]
fn in_resp3_they_answer_with_resp3_types() {
    let mut stage = Stage::new();
    let mut waiter = stage.connect();
    waiter.run("HELLO 3");
    wait(&mut waiter, "BZMPOP 0 1 z MIN COUNT 2");
    stage.check("ZADD z 1.5 a 2 b", ":2");
    expect(&mut waiter, r#"["z", [["a", ,1.5], ["b", ,2]]]"#);
    wait(&mut waiter, "BZPOPMAX z 0");
    stage.check("ZADD z 3 c", ":1");
    expect(&mut waiter, r#"["z", "c", ,3]"#);
}

#[test]
fn of_several_keys_the_one_that_comes_serves() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLPOP a b c 0");
    stage.check("RPUSH c 1", ":1");
    expect(&mut waiter, r#"["c", "1"]"#);
    wait(&mut waiter, "BLPOP a b c 0");
    let mut other = stage.waiter("BLPOP b 0");
    stage.check("RPUSH a 1", ":1");
    expect(&mut waiter, r#"["a", "1"]"#);
    stage.check("RPUSH b 2", ":1");
    expect(&mut other, r#"["b", "2"]"#);
    stage.check("DBSIZE", ":0");
}

#[test]
fn of_keys_that_come_together_the_first_argument_serves() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLPOP a b 0");
    stage.transaction(&["RPUSH b 1", "RPUSH a 2"]);
    if is_stand_in() {
        // Before 7.2 it was the key that came first.
        return expect(&mut waiter, r#"["b", "1"]"#);
    }
    expect(&mut waiter, r#"["a", "2"]"#);
    stage.check("LRANGE b 0 -1", r#"["1"]"#);
    // A key before it that holds something else is met as it would be without a wait.
    let mut waiter = stage.waiter("BLPOP a c 0");
    stage.check("SET a text", "+OK");
    expect_silence(&mut waiter);
    stage.check("RPUSH c 1", ":1");
    expect(&mut waiter, WRONG_TYPE);
    stage.check("LRANGE c 0 -1", r#"["1"]"#);
}

#[test]
fn a_transaction_serves_when_it_is_over() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLPOP k 0");
    assert_eq!(stage.transaction(&["RPUSH k 1 2", "LPOP k", "LLEN k"]), r#"[:2, "1", :1]"#);
    expect(&mut waiter, r#"["k", "2"]"#);
    wait(&mut waiter, "BLPOP k 0");
    // What it took away again, or turned into something else, serves nobody.
    stage.transaction(&["RPUSH k 1", "DEL k"]);
    stage.transaction(&["RPUSH k 1", "LPOP k"]);
    stage.transaction(&["RPUSH k 1", "DEL k", "SET k text"]);
    stage.check("DEL k", ":1");
    expect_silence(&mut waiter);
    stage.transaction(&["SET k text", "DEL k", "RPUSH k late"]);
    expect(&mut waiter, r#"["k", "late"]"#);
    // The caller itself, in its transaction, comes before those who wait.
    wait(&mut waiter, "BLPOP k 0");
    assert_eq!(stage.transaction(&["RPUSH k 1", "BLPOP k 0", "RPUSH k 2"]), r#"[:1, ["k", "1"], :1]"#);
    expect(&mut waiter, r#"["k", "2"]"#);
}

#[test]
fn keys_that_come_together_serve_each_their_own() {
    let mut stage = Stage::new();
    let mut waiters: Vec<_> = ["a", "b", "c"].map(|key| stage.waiter(&format!("BLPOP {key} 0"))).into();
    stage.transaction(&["RPUSH c 3", "RPUSH a 1", "RPUSH b 2", "RPUSH a 4"]);
    for (waiter, reply) in waiters.iter_mut().zip([r#"["a", "1"]"#, r#"["b", "2"]"#, r#"["c", "3"]"#]) {
        expect(waiter, reply);
    }
    stage.check("LRANGE a 0 -1", r#"["4"]"#);
}

#[test]
fn what_a_waiter_moves_serves_the_next() {
    let mut stage = Stage::new();
    let mut first = stage.waiter("BLMOVE a b LEFT RIGHT 0");
    let mut second = stage.waiter("BLMOVE b c LEFT RIGHT 0");
    let mut third = stage.waiter("BLPOP c 0");
    stage.check("RPUSH a 1 2", ":2");
    expect(&mut first, r#""1""#);
    expect(&mut second, r#""1""#);
    expect(&mut third, r#"["c", "1"]"#);
    stage.check("LRANGE a 0 -1", r#"["2"]"#);
    stage.check("DEL a", ":1");
    // Round in a circle: each is served once.
    wait(&mut first, "BRPOPLPUSH a b 0");
    wait(&mut second, "BRPOPLPUSH b a 0");
    stage.check("RPUSH a foo", ":1");
    expect(&mut first, r#""foo""#);
    expect(&mut second, r#""foo""#);
    stage.check("LRANGE a 0 -1", r#"["foo"]"#);
    stage.check("EXISTS b", ":0");
}

#[test]
fn a_wrong_destination_is_an_error_and_the_element_stays() {
    let mut stage = Stage::new();
    stage.check("SET d text", "+OK");
    let mut first = stage.waiter("BLMOVE k d LEFT RIGHT 0");
    let mut second = stage.waiter("BRPOPLPUSH k d 0");
    let mut third = stage.waiter("BLPOP k 0");
    stage.check("RPUSH k 1", ":1");
    expect(&mut first, WRONG_TYPE);
    expect(&mut second, WRONG_TYPE);
    expect(&mut third, r#"["k", "1"]"#);
    assert_eq!(stage.statistic("blmove", "failed_calls"), 1);
}

#[test]
fn other_types_serve_nobody() {
    let mut stage = Stage::new();
    let mut list = stage.waiter("BLPOP k 0");
    let mut zset = stage.waiter("BZPOPMIN k 0");
    let mut stream = stage.waiter("XREAD BLOCK 0 STREAMS k $");
    for line in ["SET k v", "SADD k v", "HSET k f v", "PFADD k v", "SETBIT k 1 1"] {
        stage.run("DEL k");
        stage.run(line);
    }
    stage.assert_waiting(3);
    expect_silence(&mut list);
    stage.run("DEL k");
    stage.check("ZADD k 1 x", ":1");
    expect(&mut zset, r#"["k", "x", "1"]"#);
    stage.check("RPUSH k 1", ":1");
    expect(&mut list, r#"["k", "1"]"#);
    stage.check("XADD k 1-1 f v", r#""1-1""#);
    expect(&mut stream, r#"[["k", [["1-1", ["f", "v"]]]]]"#);
}

#[test]
fn whatever_brings_the_key_serves() {
    let mut stage = Stage::new();
    let cases = [
        "RENAME s k",
        "RENAMENX s k",
        "COPY s k",
        "SORT s STORE k",
        "LMOVE s k LEFT LEFT",
        "RPOPLPUSH s k",
        "BLMOVE s k LEFT LEFT 0",
    ];
    for bringing in cases {
        stage.check("FLUSHALL", "+OK");
        stage.check("RPUSH s 1", ":1");
        let mut waiter = stage.waiter("BLPOP k 0");
        stage.run(bringing);
        expect(&mut waiter, r#"["k", "1"]"#);
    }
    let mut waiter = stage.waiter("BLPOP k 0");
    stage.check("LINSERT k BEFORE a b", ":0");
    stage.check("RPUSHX k 1", ":0");
    expect_silence(&mut waiter);
    stage.run("RPUSH s 7");
    stage.restore("s", "k");
    expect(&mut waiter, r#"["k", "7"]"#);
}

#[test]
fn whatever_brings_a_sorted_set_serves() {
    let mut stage = Stage::new();
    stage.check("ZADD s 1 a", ":1");
    stage.check("GEOADD g 1 1 a", ":1");
    let cases = [
        "ZINCRBY k 1 a",
        "ZUNIONSTORE k 1 s",
        "ZINTERSTORE k 2 s s",
        "ZDIFFSTORE k 1 s",
        "ZRANGESTORE k s 0 -1",
        "COPY s k",
        "GEOADD k 1 1 a",
        "GEOSEARCHSTORE k g FROMLONLAT 1 1 BYRADIUS 1 km",
    ];
    for bringing in cases {
        let mut waiter = stage.waiter("BZMPOP 0 1 k MIN");
        stage.run(bringing);
        assert_eq!(waiter.value().elements()[0].text(), "k", "{bringing}");
        stage.check("EXISTS k", ":0");
    }
}

#[test]
fn databases_are_apart() {
    let mut stage = Stage::new();
    let mut elsewhere = stage.connect();
    elsewhere.ok("SELECT 1");
    wait(&mut elsewhere, "BLPOP k 0");
    let mut here = stage.waiter("BLPOP k 0");
    stage.check("RPUSH k zero", ":1");
    expect(&mut here, r#"["k", "zero"]"#);
    // MOVE brings it there, SWAPDB here.
    stage.check("RPUSH k moved", ":1");
    stage.check("MOVE k 1", ":1");
    expect(&mut elsewhere, r#"["k", "moved"]"#);
    wait(&mut here, "BLPOP k 0");
    stage.check("SELECT 9", "+OK");
    stage.check("RPUSH k nine more", ":2");
    stage.check("SWAPDB 0 9", "+OK");
    expect(&mut here, r#"["k", "nine"]"#);
    stage.check("SELECT 0", "+OK");
    stage.check("LRANGE k 0 -1", r#"["more"]"#);
    stage.check("COPY k k DB 1", ":1");
    wait(&mut elsewhere, "BLPOP k 0");
    expect(&mut elsewhere, r#"["k", "more"]"#);
}

#[test]
fn a_reload_brings_keys_too() {
    let mut stage = Stage::new();
    stage.check("RPUSH k 1", ":1");
    stage.check("SAVE", "+OK");
    stage.check("DEL k", ":1");
    let mut waiter = stage.waiter("BLPOP k 0");
    stage.check("DEBUG RELOAD NOSAVE", "+OK");
    if is_stand_in() {
        // There the client waits on beside its list.
        return expect_silence(&mut waiter);
    }
    expect(&mut waiter, r#"["k", "1"]"#);
    let mut waiter = stage.waiter("BLPOP k 0");
    stage.check("DEBUG RELOAD", "+OK");
    expect_silence(&mut waiter);
    stage.check("RPUSH k 2", ":1");
    expect(&mut waiter, r#"["k", "2"]"#);
}

#[test]
fn without_memory_those_who_wait_are_served_all_the_same() {
    let mut stage = Stage::new();
    let mut waiter = stage.waiter("BLMOVE k d LEFT LEFT 0");
    stage.check("RPUSH o 1 2", ":2");
    stage.check("CONFIG SET maxmemory 1", "+OK");
    assert!(stage.run("BLMOVE k d LEFT LEFT 0").starts_with("-OOM "));
    stage.check("RENAME o k", "+OK");
    expect(&mut waiter, r#""1""#);
    // Waiting itself needs none.
    let mut waiter = stage.waiter("BLPOP absent 0");
    expect_silence(&mut waiter);
}

#[test]
fn inside_a_transaction_nothing_waits() {
    let mut stage = Stage::new();
    let lines = [
        "BLPOP a 0",
        "BRPOP a b 0",
        "BLMOVE a b LEFT RIGHT 0",
        "BRPOPLPUSH a b 0",
        "BLMPOP 0 1 a LEFT",
        "BZPOPMIN a 0",
        "BZPOPMAX a 0",
        "BZMPOP 0 1 a MIN",
        "XREAD BLOCK 0 STREAMS a $",
    ];
    stage.check("MULTI", "+OK");
    lines.iter().for_each(|line| stage.check(line, "+QUEUED"));
    let mut raw = stage.connect();
    raw.ok("MULTI");
    lines.iter().for_each(|line| drop(raw.run(line)));
    raw.send(b"EXEC\r\n");
    let replies = "*9\r\n*-1\r\n*-1\r\n$-1\r\n$-1\r\n*-1\r\n*-1\r\n*-1\r\n*-1\r\n*-1\r\n";
    assert_eq!(String::from_utf8_lossy(&raw.bytes()), replies);
    stage.check("EXEC", &format!("[{}]", ["(nil)"; 9].join(", ")));
}
