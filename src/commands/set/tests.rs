//! Whole commands against what redis-server answers.

use crate::commands::testing::Fixture;

const WRONGTYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

/// A fixture in whose thresholds every encoding is left soon.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.run("CONFIG SET set-max-intset-entries 4");
    fixture.run("CONFIG SET set-max-listpack-entries 6");
    fixture
}

fn sorted(reply: &str) -> Vec<String> {
    let mut lines: Vec<String> = reply
        .split("\r\n")
        .skip(1)
        .filter(|line| !line.starts_with('$') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[test]
fn members_come_and_go() {
    let mut fixture = fixture();
    fixture.check("SADD s a b a", ":2\r\n");
    fixture.check("SADD s a", ":0\r\n");
    assert_eq!((fixture.take_propagated(), fixture.dirty()), (vec!["SADD s a b a".to_owned()], 2));
    fixture.check("SCARD s", ":2\r\n");
    fixture.check("SISMEMBER s b", ":1\r\n");
    fixture.check("SISMEMBER s z", ":0\r\n");
    fixture.check("SMISMEMBER s a z b", "*3\r\n:1\r\n:0\r\n:1\r\n");
    fixture.check("SMISMEMBER none a b", "*2\r\n:0\r\n:0\r\n");
    fixture.check("SMEMBERS s", "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    fixture.check("SMEMBERS none", "*0\r\n");
    fixture.check("SREM s z", ":0\r\n");
    fixture.check("SREM none z", ":0\r\n");
    assert_eq!(fixture.events("SREM s a b"), ["srem s@0", "del s@0"]);
    fixture.check("EXISTS s", ":0\r\n");
    fixture.run("SET str 1");
    for line in
        ["SADD str a", "SREM str a", "SCARD str", "SISMEMBER str a", "SMISMEMBER str a", "SMEMBERS str"]
    {
        fixture.check(line, WRONGTYPE);
    }
}

#[test]
fn encodings_are_told() {
    let mut fixture = fixture();
    let mut encoding = |line: &str, expected: &str| {
        fixture.run(line);
        fixture.check("OBJECT ENCODING s", &format!("${}\r\n{expected}\r\n", expected.len()));
    };
    encoding("SADD s 3 1 2", "intset");
    encoding("SADD s x", "listpack");
    encoding("SADD s a b", "listpack");
    encoding("SADD s c", "hashtable");
    encoding("SREM s a b c x", "hashtable");
    fixture.check("DEL s", ":1\r\n");
    fixture.run("SADD s 5 -1 70000");
    fixture.check("SMEMBERS s", "*3\r\n$2\r\n-1\r\n$1\r\n5\r\n$5\r\n70000\r\n");
}

#[test]
fn moving_a_member() {
    let mut fixture = fixture();
    fixture.run("SADD s a b");
    fixture.run("SET str 1");
    fixture.check("SMOVE none str a", ":0\r\n");
    fixture.check("SMOVE s str a", WRONGTYPE);
    fixture.check("SMOVE str s a", WRONGTYPE);
    fixture.check("SMOVE s s a", ":1\r\n");
    fixture.check("SMOVE s s z", ":0\r\n");
    fixture.check("SMOVE s d z", ":0\r\n");
    fixture.take_propagated();
    let dirty = fixture.dirty();
    fixture.check("SMOVE s d a", ":1\r\n");
    assert_eq!((fixture.take_propagated(), fixture.dirty()), (vec!["SMOVE s d a".to_owned()], dirty + 2));
    fixture.run("SADD d b");
    assert_eq!(fixture.events("SMOVE s d b"), ["srem s@0", "del s@0"], "it is there already");
    fixture.check("SCARD d", ":2\r\n");
    fixture.check("SMEMBERS s", "*0\r\n");
}

#[test]
fn popping_names_what_went() {
    let mut fixture = fixture();
    fixture.check("SPOP none", "$-1\r\n");
    fixture.check("SPOP none 2", "*0\r\n");
    for line in ["SPOP none -1", "SPOP none x"] {
        fixture.check(line, "-ERR value is out of range, must be positive\r\n");
    }
    fixture.check("SPOP none 1 2", "-ERR syntax error\r\n");
    fixture.run("SADD s a");
    fixture.check("SPOP s 0", "*0\r\n");
    fixture.take_propagated();
    fixture.check("SPOP s", "$1\r\na\r\n");
    assert_eq!(fixture.take_propagated(), ["SREM s a"]);
    for members in ["1 2 3 4", "a b c d", "a b c d e f g h"] {
        fixture.run(&format!("SADD s {members}"));
        fixture.take_propagated();
        let popped = sorted(&fixture.run("SPOP s 3"));
        assert_eq!(popped.len(), 3);
        let propagated = fixture.take_propagated();
        let mut named: Vec<&str> = propagated[0].split(' ').skip(2).collect();
        named.sort_unstable();
        assert_eq!((propagated.len(), named), (1, popped.iter().map(String::as_str).collect()));
        let left = sorted(&fixture.run("SMEMBERS s"));
        assert_eq!(sorted(&fixture.run("SPOP s 100")), left);
        assert_eq!(fixture.take_propagated(), ["DEL s"]);
        fixture.check("EXISTS s", ":0\r\n");
    }
    fixture.run("SADD s a");
    assert_eq!(fixture.events("SPOP s"), ["spop s@0", "del s@0"]);
    fixture.run("SADD s a b");
    assert_eq!(fixture.events("SPOP s 2"), ["spop s@0", "del s@0"]);
    let many: String = (0..3000).map(|number| format!(" m{number}")).collect();
    fixture.run(&format!("SADD s{many}"));
    fixture.take_propagated();
    fixture.run("SPOP s 2500");
    let lengths: Vec<usize> = fixture.take_propagated().iter().map(|line| line.split(' ').count()).collect();
    assert_eq!(lengths, [1026, 1026, 454]);
    fixture.check("SCARD s", ":500\r\n");
}

#[test]
fn random_members() {
    let mut fixture = fixture();
    fixture.check("SRANDMEMBER none", "$-1\r\n");
    fixture.check("SRANDMEMBER none 3", "*0\r\n");
    fixture.check("SRANDMEMBER none x", "-ERR value is not an integer or out of range\r\n");
    fixture.check("SRANDMEMBER none 1 2", "-ERR syntax error\r\n");
    fixture.check(
        "SRANDMEMBER none -9223372036854775808",
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n",
    );
    fixture.run("SADD s a b c d e f g h");
    assert_eq!(sorted(&fixture.run("SRANDMEMBER s 100")).len(), 8);
    assert_eq!(sorted(&fixture.run("SRANDMEMBER s 5")).len(), 5);
    assert!(fixture.run("SRANDMEMBER s -20").starts_with("*20\r\n$1\r\n"));
    fixture.check("SRANDMEMBER s 0", "*0\r\n");
    fixture.run("SADD one x");
    fixture.check("SRANDMEMBER one", "$1\r\nx\r\n");
    fixture.check("SRANDMEMBER one -2", "*2\r\n$1\r\nx\r\n$1\r\nx\r\n");
}

#[test]
fn sets_of_sets() {
    let mut fixture = fixture();
    fixture.run("SADD a 1 2 3 x");
    fixture.run("SADD b 2 3 4 y");
    fixture.run("SADD c 3 5");
    fixture.run("SET str 1");
    for command in ["SINTER", "SUNION", "SDIFF"] {
        fixture.check(&format!("{command} none str"), WRONGTYPE);
        fixture.check(&format!("{command}STORE a none str"), WRONGTYPE);
        fixture.check(&format!("{command} none"), "*0\r\n");
    }
    assert_eq!(sorted(&fixture.run("SINTER a b")), ["2", "3"]);
    fixture.check("SINTER a b c", "*1\r\n$1\r\n3\r\n");
    fixture.check("SINTER a none", "*0\r\n");
    assert_eq!(sorted(&fixture.run("SUNION a none b c")), ["1", "2", "3", "4", "5", "x", "y"]);
    assert_eq!(sorted(&fixture.run("SDIFF a b none")), ["1", "x"]);
    fixture.check("SDIFF none a", "*0\r\n");
    fixture.check("SINTERSTORE d a b", ":2\r\n");
    fixture.check("OBJECT ENCODING d", "$6\r\nintset\r\n");
    fixture.check("SUNIONSTORE d a b c", ":7\r\n");
    fixture.check("OBJECT ENCODING d", "$9\r\nhashtable\r\n");
    fixture.check("SDIFFSTORE str a b", ":2\r\n");
    assert_eq!(sorted(&fixture.run("SMEMBERS str")), ["1", "x"]);
    fixture.take_propagated();
    fixture.check("SINTERSTORE d a none", ":0\r\n");
    assert_eq!(
        (fixture.run("EXISTS d"), fixture.take_propagated()),
        (":0\r\n".to_owned(), vec!["SINTERSTORE d a none".to_owned()])
    );
    fixture.check("SINTERSTORE d a none", ":0\r\n");
    assert!(fixture.take_propagated().is_empty());
    assert_eq!(fixture.events("SUNIONSTORE d a"), ["sunionstore d@0"]);
    assert_eq!(fixture.events("SDIFFSTORE d none a"), ["del d@0"]);
    fixture.check("SUNIONSTORE a a b", ":6\r\n");
}

#[test]
fn counting_without_an_answer() {
    let mut fixture = fixture();
    fixture.run("SADD a 1 2 3 x");
    fixture.run("SADD b 2 3 4 y");
    for command in ["SINTERCARD", "SUNIONCARD", "SDIFFCARD"] {
        for (arguments, error) in [
            ("0 a", "numkeys should be greater than 0"),
            ("x a", "numkeys should be greater than 0"),
            ("2 a", "Number of keys can't be greater than number of args"),
            ("1 a LIMIT", "syntax error"),
            ("1 a FOO 1", "syntax error"),
            ("1 a LIMIT -1", "LIMIT can't be negative"),
            ("1 a LIMIT x", "LIMIT can't be negative"),
        ] {
            fixture.check(&format!("{command} {arguments}"), &format!("-ERR {error}\r\n"));
        }
        fixture.check(&format!("{command} 1 none"), ":0\r\n");
    }
    fixture.check("SINTERCARD 2 a b", ":2\r\n");
    fixture.check("SINTERCARD 2 a b LIMIT 1", ":1\r\n");
    fixture.check("SINTERCARD 2 a b LIMIT 0", ":2\r\n");
    fixture.check("SINTERCARD 1 a LIMIT 1 limit 3", ":3\r\n");
    fixture.check("SUNIONCARD 3 a b none", ":6\r\n");
    fixture.check("SUNIONCARD 2 a b APPROX LIMIT 5", ":5\r\n");
    fixture.check("SINTERCARD 2 a b APPROX", "-ERR syntax error\r\n");
    fixture.check("SDIFFCARD 2 a b", ":2\r\n");
    fixture.check("SDIFFCARD 2 a b LIMIT 1", ":1\r\n");
}

#[test]
fn scanning() {
    let mut fixture = fixture();
    fixture.check("SSCAN none 0 FOO", "*2\r\n$1\r\n0\r\n*0\r\n");
    fixture.check("SSCAN none x", "-ERR invalid cursor\r\n");
    fixture.run("SADD s 1 2 3");
    fixture.check("SSCAN s 0 COUNT 0", "-ERR syntax error\r\n");
    fixture.check("SSCAN s 0 COUNT 1", "*2\r\n$1\r\n0\r\n*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n");
    fixture.check("SSCAN s 0 MATCH [23]", "*2\r\n$1\r\n0\r\n*2\r\n$1\r\n2\r\n$1\r\n3\r\n");
    let many: String = (0..300).map(|number| format!(" m{number}")).collect();
    fixture.run(&format!("SADD s{many}"));
    let (mut cursor, mut seen) = ("0".to_owned(), std::collections::BTreeSet::new());
    loop {
        let reply = fixture.run(&format!("SSCAN s {cursor}"));
        let mut lines = reply.split("\r\n");
        cursor = lines.nth(2).unwrap().to_owned();
        seen.extend(
            lines.skip(1).filter(|line| !line.starts_with('$') && !line.is_empty()).map(str::to_owned),
        );
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 303);
}

#[test]
fn the_newer_protocol_has_sets() {
    let mut fixture = fixture();
    fixture.run("HELLO 3");
    fixture.run("SADD s a");
    fixture.check("SMEMBERS s", "~1\r\n$1\r\na\r\n");
    fixture.check("SINTER s", "~1\r\n$1\r\na\r\n");
    fixture.check("SUNION s none", "~1\r\n$1\r\na\r\n");
    fixture.check("SDIFF s", "~1\r\n$1\r\na\r\n");
    fixture.check("SDIFF none", "~0\r\n");
    fixture.check("SRANDMEMBER s 3", "*1\r\n$1\r\na\r\n");
    fixture.check("SISMEMBER s a", ":1\r\n");
    fixture.check("SMISMEMBER s a", "*1\r\n:1\r\n");
    fixture.check("SPOP none", "_\r\n");
    fixture.check("SPOP s 2", "~1\r\n$1\r\na\r\n");
}
