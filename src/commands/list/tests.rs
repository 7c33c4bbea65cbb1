//! The list commands on a server without a network. Replies, events and counts of changes are those of redis-server
//! 7.0.15, with which they were compared.

use crate::base::ids::ClientId;
use crate::client::client::Origin;
use crate::commands::testing::{Fixture, START_MS};

/// Runs lines, each followed by its reply with `|` for line ends.
#[track_caller]
fn tell(fixture: &mut Fixture, story: &str) {
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, expected) = line.split_once(" => ").expect("a command and its reply");
        let reply = fixture.run(command).trim_end().replace("\r\n", "|");
        assert_eq!(reply, expected.trim(), "{command}");
    }
}

/// Every test of what commands answer runs for packed lists and for quicklists of one, two and many elements a node.
fn for_each_encoding(test: impl Fn(&mut Fixture)) {
    for (size, depth) in [("-2", "0"), ("1", "0"), ("2", "1")] {
        let mut fixture = Fixture::new();
        fixture.check(&format!("config set list-max-listpack-size {size}"), "+OK\r\n");
        fixture.check(&format!("config set list-compress-depth {depth}"), "+OK\r\n");
        fixture.check("set str x", "+OK\r\n");
        test(&mut fixture);
    }
}

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

#[test]
fn pushes_and_reads() {
    for_each_encoding(|fixture| {
        tell(
            fixture,
            "lpushx l a => :0
             rpushx l a => :0
             exists l => :0
             rpush l a 2 => :2
             lpush l -1 z => :4
             rpushx l e => :5
             lpushx l s t => :7
             llen l => :7
             llen nope => :0
             lrange l 0 -1 => *7|$1|t|$1|s|$1|z|$2|-1|$1|a|$1|2|$1|e
             lrange l -3 -2 => *2|$1|a|$1|2
             lrange l 5 900 => *2|$1|2|$1|e
             lrange l 7 9 => *0
             lrange l 3 2 => *0
             lrange l -900 0 => *1|$1|t
             lrange l 0 -900 => *0
             lrange nope 0 -1 => *0
             lrange l a 0 => -ERR value is not an integer or out of range
             lindex l 0 => $1|t
             lindex l -1 => $1|e
             lindex l 7 => $-1
             lindex l -8 => $-1
             lindex nope x => $-1
             lindex l x => -ERR value is not an integer or out of range
             type l => +list",
        );
        for line in ["lpush str a", "rpushx str a", "llen str", "lindex str 0", "lrange str 0 1"] {
            fixture.check(line, WRONG_TYPE);
        }
    });
}

#[test]
fn inserts_and_sets() {
    for_each_encoding(|fixture| {
        tell(
            fixture,
            "linsert l before a b => :0
             rpush l a b a => :3
             linsert l before a x => :4
             linsert l AFTER b 7 => :5
             linsert l after nope y => :-1
             linsert l beside a y => -ERR syntax error
             lrange l 0 -1 => *5|$1|x|$1|a|$1|b|$1|7|$1|a
             lset l 0 12345 => +OK
             lset l -1 last => +OK
             lset l 5 y => -ERR index out of range
             lset l -6 y => -ERR index out of range
             lset l x y => -ERR value is not an integer or out of range
             lset nope x y => -ERR no such key
             lrange l 0 -1 => *5|$5|12345|$1|a|$1|b|$1|7|$4|last",
        );
        fixture.check("linsert str before a b", WRONG_TYPE);
        fixture.check("lset str 0 b", WRONG_TYPE);
    });
}

#[test]
fn pops() {
    for_each_encoding(|fixture| {
        tell(
            fixture,
            "lpop l => $-1
             lpop l 0 => *-1
             lpop l 1 => *-1
             rpush l a 2 c d e f => :6
             lpop l => $1|a
             rpop l => $1|f
             lpop l 0 => *0
             lpop l 2 => *2|$1|2|$1|c
             rpop l 9 => *2|$1|e|$1|d
             exists l => :0
             lpop l -1 => -ERR value is out of range, must be positive
             lpop l x => -ERR value is out of range, must be positive
             lpop l 1 2 => -ERR wrong number of arguments for 'lpop' command
             rpop l 1 2 => -ERR wrong number of arguments for 'rpop' command",
        );
        fixture.check("lpop str", WRONG_TYPE);
        fixture.check("rpop str 0", WRONG_TYPE);
    });
}

#[test]
fn removes_and_trims() {
    for_each_encoding(|fixture| {
        tell(
            fixture,
            "rpush l a b a c a 1 a => :7
             lrem l 2 a => :2
             lrange l 0 -1 => *5|$1|b|$1|c|$1|a|$1|1|$1|a
             lrem l -1 a => :1
             lrem l 0 nope => :0
             lrem l 0 01 => :0
             lrem l x a => -ERR value is not an integer or out of range
             lrem nope 0 a => :0
             lrange l 0 -1 => *4|$1|b|$1|c|$1|a|$1|1
             lrem l -9223372036854775808 1 => :1
             ltrim l 1 -1 => +OK
             lrange l 0 -1 => *2|$1|c|$1|a
             ltrim l 0 900 => +OK
             llen l => :2
             ltrim l 2 1 => +OK
             exists l => :0
             ltrim l 0 1 => +OK
             ltrim l 0 x => -ERR value is not an integer or out of range
             rpush l a a => :2
             lrem l 0 a => :2
             exists l => :0",
        );
        fixture.check("lrem str 0 a", WRONG_TYPE);
        fixture.check("ltrim str 0 1", WRONG_TYPE);
    });
}

#[test]
fn finds_positions() {
    for_each_encoding(|fixture| {
        tell(
            fixture,
            "rpush l a b c 1 2 3 c c => :8
             lpos l a => :0
             lpos l c => :2
             lpos l 2 => :4
             lpos l nope => $-1
             lpos nope a => $-1
             lpos nope a count 0 => *0
             lpos l c rank 2 => :6
             lpos l c rank -1 => :7
             lpos l c rank 4 => $-1
             lpos l c count 2 => *2|:2|:6
             lpos l c count 0 => *3|:2|:6|:7
             lpos l c count 0 rank -2 => *2|:6|:2
             lpos l c count 1 rank 2 => *1|:6
             lpos l c count 0 maxlen 7 rank 2 => *1|:6
             lpos l c maxlen 2 => $-1
             lpos l c maxlen 3 => :2
             lpos l c maxlen 1 rank -1 => :7
             lpos l c rank 0 => -ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
             lpos l c count -1 => -ERR COUNT can't be negative
             lpos l c maxlen x => -ERR MAXLEN can't be negative
             lpos l c rank x => -ERR value is not an integer or out of range
             lpos l c rank => -ERR syntax error
             lpos l c bogus 1 => -ERR syntax error",
        );
        fixture.check("lpos str a", WRONG_TYPE);
    });
}

#[test]
fn moves() {
    for_each_encoding(|fixture| {
        tell(
            fixture,
            "lmove l m left right => $-1
             rpush l a 2 c => :3
             lmove l m left right => $1|a
             lmove l m RIGHT right => $1|c
             rpoplpush l m => $1|2
             exists l => :0
             lrange m 0 -1 => *3|$1|2|$1|a|$1|c
             rpoplpush m m => $1|c
             lmove m m left right => $1|c
             lrange m 0 -1 => *3|$1|2|$1|a|$1|c
             lmove m l up left => -ERR syntax error
             lmove nope str left left => $-1
             rpush one x => :1
             expire one 100 => :1
             lmove one one left right => $1|x
             ttl one => :100",
        );
        fixture.check("lmove m str left left", WRONG_TYPE);
        fixture.check("rpoplpush str m", WRONG_TYPE);
        fixture.check("llen m", ":3\r\n");
    });
}

#[test]
fn pops_from_many() {
    for_each_encoding(|fixture| {
        tell(
            fixture,
            "lmpop 1 l left => *-1
             rpush l a b c d => :4
             lmpop 2 nope l left => *2|$1|l|*1|$1|a
             lmpop 1 l RIGHT count 2 => *2|$1|l|*2|$1|d|$1|c
             lmpop 1 l left count 10 => *2|$1|l|*1|$1|b
             exists l => :0
             lmpop 0 l left => -ERR numkeys should be greater than 0
             lmpop x l left => -ERR numkeys should be greater than 0
             lmpop 2 l left => -ERR syntax error
             lmpop 9223372036854775807 l left => -ERR syntax error
             lmpop 1 l up => -ERR syntax error
             lmpop 1 l left count 0 => -ERR count should be greater than 0
             lmpop 1 l left count => -ERR syntax error
             lmpop 1 l left count 1 count 1 => -ERR syntax error
             blmpop x 0 l left => -ERR numkeys should be greater than 0
             blmpop x 1 l left => -ERR timeout is not a float or out of range
             blmpop -1 1 l left => -ERR timeout is negative",
        );
        fixture.check("lmpop 2 nope str left", WRONG_TYPE);
    });
}

#[test]
fn events_are_told_in_the_order_of_redis() {
    let mut fixture = Fixture::new();
    let mut story = |line: &str, expected: &[&str]| {
        let told: Vec<String> = fixture.events(line).iter().map(|event| event.replace("@0", "")).collect();
        assert_eq!(told, expected, "{line}");
    };
    story("rpush l a b c", &["rpush l"]);
    story("lpush l x", &["lpush l"]);
    story("lmove l m left right", &["rpush m", "lpop l"]);
    story("lmove l l left right", &["rpush l", "lpop l"]);
    story("rpoplpush l m", &["lpush m", "rpop l"]);
    story("ltrim l 0 -1", &["ltrim l"]);
    story("ltrim l 1 1", &["ltrim l"]);
    story("lpop l", &["lpop l", "del l"]);
    story("rpush l a", &["rpush l"]);
    story("lmove l n left left", &["lpush n", "lpop l", "del l"]);
    story("lset m 0 5", &["lset m"]);
    story("linsert m before 5 6", &["linsert m"]);
    story("linsert m before nope 6", &[]);
    story("lrem m 0 nope", &[]);
    story("lrem m 0 6", &["lrem m"]);
    story("lmpop 2 zz m left count 2", &["lpop m", "del m"]);
    story("brpoplpush n n 0", &["lpush n", "rpop n"]);
    story("blpop n 0", &["lpop n", "del n"]);
    story("rpush m a", &["rpush m"]);
    story("ltrim m 5 9", &["ltrim m", "del m"]);
}

#[test]
fn changes_are_counted_and_propagated() {
    let mut fixture = Fixture::new();
    let mut story = |line: &str, dirty: u64, propagated: &[&str]| {
        let before = fixture.dirty();
        fixture.run(line);
        assert_eq!(fixture.dirty() - before, dirty, "{line}");
        assert_eq!(fixture.take_propagated(), propagated, "{line}");
    };
    story("rpush l a b c d e f g h", 8, &["rpush l a b c d e f g h"]);
    story("lpushx nope a", 0, &[]);
    story("lpop l 2", 2, &["lpop l 2"]);
    story("lpop l 0", 0, &[]);
    story("lmove l m left right", 1, &["lmove l m left right"]);
    story("blmove l m LEFT right 0", 1, &["LMOVE l m LEFT RIGHT"]);
    story("brpoplpush l m 0", 1, &["RPOPLPUSH l m"]);
    story("blpop nope l 0", 1, &["LPOP l"]);
    story("brpop l 0", 1, &["RPOP l"]);
    story("lmpop 2 nope m right count 2", 2, &["RPOP m 2"]);
    story("blmpop 0 1 m left", 1, &["LPOP m 1"]);
    story("linsert l before nope x", 0, &[]);
    story("lset l 0 x", 1, &["lset l 0 x"]);
    story("ltrim l 0 -1", 0, &[]);
    story("lrem l 0 x", 1, &["lrem l 0 x"]);
}

// ----- waiting -----

fn connect(fixture: &mut Fixture) -> ClientId {
    let origin = Origin::local(50_001);
    fixture.server.clients.add(origin, START_MS)
}

/// Runs a line as another client.
fn run_as(fixture: &mut Fixture, client: ClientId, line: &str) -> String {
    let before = std::mem::replace(&mut fixture.client, client);
    let reply = fixture.run(line);
    fixture.client = before;
    reply
}

/// What a client was sent since the last look, `|` for line ends.
fn received(fixture: &mut Fixture, client: ClientId) -> String {
    let output = &mut fixture.server.clients.get_mut(client).expect("it is connected").output;
    let text = String::from_utf8_lossy(output.pending()).trim_end().replace("\r\n", "|");
    output.clear();
    text
}

#[test]
fn waiters_are_served_in_order_of_arrival() {
    let mut fixture = Fixture::new();
    let clients: Vec<_> = (0..4).map(|_| connect(&mut fixture)).collect();
    assert_eq!(run_as(&mut fixture, clients[0], "blpop l k 0"), "");
    assert_eq!(run_as(&mut fixture, clients[1], "brpop l 0"), "");
    assert_eq!(run_as(&mut fixture, clients[2], "blmove l m left left 0"), "");
    assert_eq!(run_as(&mut fixture, clients[3], "blmpop 0 2 x l right count 5"), "");
    // They see the list when the whole push is done.
    fixture.check("rpush l a b c d e", ":5\r\n");
    assert_eq!(received(&mut fixture, clients[0]), "*2|$1|l|$1|a");
    assert_eq!(received(&mut fixture, clients[1]), "*2|$1|l|$1|e");
    assert_eq!(received(&mut fixture, clients[2]), "$1|b");
    assert_eq!(received(&mut fixture, clients[3]), "*2|$1|l|*2|$1|d|$1|c");
    fixture.check("exists l", ":0\r\n");
    fixture.check("lrange m 0 -1", "*1\r\n$1\r\nb\r\n");
    let seen = fixture.take_propagated();
    assert_eq!(seen, ["rpush l a b c d e", "LPOP l", "RPOP l", "LMOVE l m LEFT LEFT", "RPOP l 5"]);
}

#[test]
fn a_chain_of_moves_runs_through() {
    let mut fixture = Fixture::new();
    let (first, second) = (connect(&mut fixture), connect(&mut fixture));
    run_as(&mut fixture, first, "blmove a b left right 0");
    run_as(&mut fixture, second, "blpop b 0");
    fixture.check("rpush a x", ":1\r\n");
    assert_eq!(received(&mut fixture, first), "$1|x");
    assert_eq!(received(&mut fixture, second), "*2|$1|b|$1|x");
}

#[test]
fn other_types_leave_them_waiting() {
    let mut fixture = Fixture::new();
    let (first, second) = (connect(&mut fixture), connect(&mut fixture));
    run_as(&mut fixture, first, "blpop l 0");
    run_as(&mut fixture, second, "brpoplpush l str 0");
    fixture.check("set l x", "+OK\r\n");
    fixture.check("set str x", "+OK\r\n");
    assert_eq!(received(&mut fixture, first), "");
    fixture.check("del l", ":1\r\n");
    fixture.check("rpush l a", ":1\r\n");
    assert_eq!(received(&mut fixture, first), "*2|$1|l|$1|a");
    fixture.check("rpush l b", ":1\r\n");
    assert_eq!(received(&mut fixture, second), WRONG_TYPE.trim_end());
    fixture.check("llen l", ":1\r\n");
}

#[test]
fn nobody_waits_inside_a_transaction() {
    let mut fixture = Fixture::new();
    fixture.run("multi");
    for line in ["blpop l 0", "brpoplpush l m 0", "blmpop 0 1 l left", "blmove l m left left 0"] {
        fixture.check(line, "+QUEUED\r\n");
    }
    fixture.check("exec", "*4\r\n*-1\r\n$-1\r\n*-1\r\n$-1\r\n");
}
