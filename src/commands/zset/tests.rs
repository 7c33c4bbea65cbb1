//! The sorted set commands, run whole: gates, handler, commit. The replies are those of redis-server 7.0.15.

use crate::commands::testing::Fixture;

/// Lines as redis-cli would read them, each with its raw reply.
fn check_all(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        assert_eq!(fixture.run(line), *reply, "{line}");
    }
}

/// Lines with their replies as words: what is nested is flat, a null is `nil`.
#[track_caller]
fn check_words(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        assert_eq!(words(&fixture.run(line)), *expected, "{line}");
    }
}

fn words(reply: &str) -> String {
    let is_header = |line: &&str| !line.starts_with('*') && !line.starts_with('$') || line.ends_with("-1");
    let word =
        |line: &str| if line.ends_with("-1") && line.len() == 3 { "nil".to_owned() } else { line.to_owned() };
    reply.split("\r\n").filter(is_header).map(word).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

const ERRORS: &[(&str, &str)] = &[
    ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible\r\n"),
    ("ZADD z GT LT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n"),
    ("ZADD z NX GT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n"),
    ("ZADD z NX XX 1", "-ERR syntax error\r\n"),
    ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair\r\n"),
    ("ZADD z 1 a x b", "-ERR value is not a valid float\r\n"),
    ("ZADD z nan a", "-ERR value is not a valid float\r\n"),
    ("ZINCRBY z NX a", "-ERR syntax error\r\n"),
    ("ZINCRBY z x a", "-ERR value is not a valid float\r\n"),
    ("ZCOUNT z x 1", "-ERR min or max is not a float\r\n"),
    ("ZCOUNT z 1 ((1", "-ERR min or max is not a float\r\n"),
    ("ZLEXCOUNT z a b", "-ERR min or max not valid string range item\r\n"),
    (
        "ZRANGE z 0 1 LIMIT 0 1",
        "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX\r\n",
    ),
    (
        "ZRANGE z - + BYLEX WITHSCORES",
        "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n",
    ),
    ("ZRANGE z 0 1 BYLEX BYSCORE", "-ERR syntax error\r\n"),
    ("ZRANGE z 0 1 REV REV", "-ERR syntax error\r\n"),
    ("ZREVRANGE z 0 1 REV", "-ERR syntax error\r\n"),
    ("ZRANGE z 0 x", "-ERR value is not an integer or out of range\r\n"),
    ("ZRANGE z 0 1 BYSCORE LIMIT 1", "-ERR syntax error\r\n"),
    ("ZRANGESTORE d z 0 1 WITHSCORES", "-ERR syntax error\r\n"),
    ("ZUNION 0 z", "-ERR at least 1 input key is needed for 'zunion' command\r\n"),
    ("ZDIFFSTORE d -1 z", "-ERR at least 1 input key is needed for 'zdiffstore' command\r\n"),
    ("ZUNION 2 z", "-ERR syntax error\r\n"),
    ("ZUNION x z", "-ERR value is not an integer or out of range\r\n"),
    ("ZUNION 1 z WEIGHTS", "-ERR syntax error\r\n"),
    ("ZUNION 1 z WEIGHTS x", "-ERR weight value is not a float\r\n"),
    ("ZUNION 1 z AGGREGATE", "-ERR syntax error\r\n"),
    ("ZUNION 1 z AGGREGATE MEAN", "-ERR syntax error\r\n"),
    ("ZDIFF 1 z WEIGHTS 1", "-ERR syntax error\r\n"),
    ("ZUNIONSTORE d 1 z WITHSCORES", "-ERR syntax error\r\n"),
    ("ZINTERCARD 1 z LIMIT -1", "-ERR LIMIT can't be negative\r\n"),
    ("ZINTERCARD 1 z LIMIT x", "-ERR LIMIT can't be negative\r\n"),
    ("ZPOPMIN z -1", "-ERR value is out of range, must be positive\r\n"),
    ("ZPOPMIN z x", "-ERR value is out of range, must be positive\r\n"),
    ("ZPOPMIN z 1 2", "-ERR syntax error\r\n"),
    ("ZMPOP 0 z MIN", "-ERR numkeys should be greater than 0\r\n"),
    ("ZMPOP 2 z MIN", "-ERR syntax error\r\n"),
    ("ZMPOP 1 z MIDDLE", "-ERR syntax error\r\n"),
    ("ZMPOP 1 z MIN COUNT 0", "-ERR count should be greater than 0\r\n"),
    ("ZMPOP 1 z MIN COUNT 1 COUNT 1", "-ERR syntax error\r\n"),
    ("BZPOPMIN z x", "-ERR timeout is not a float or out of range\r\n"),
    ("BZMPOP -1 1 z MIN", "-ERR timeout is negative\r\n"),
    ("ZRANK z a WITHSCORES", "-ERR syntax error\r\n"),
    ("ZRANK z a b c", "-ERR wrong number of arguments for 'zrank' command\r\n"),
    ("ZRANDMEMBER z x", "-ERR value is not an integer or out of range\r\n"),
    ("ZRANDMEMBER z 1 y", "-ERR syntax error\r\n"),
    ("ZRANDMEMBER z 9223372036854775807 WITHSCORES", "-ERR value is out of range\r\n"),
    (
        "ZRANDMEMBER z -9223372036854775808",
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n",
    ),
    ("ZSCAN z x", "-ERR invalid cursor\r\n"),
];

#[test]
fn errors_are_those_of_redis() {
    let mut fixture = Fixture::new();
    fixture.run("ZADD z 1 a");
    check_all(&mut fixture, ERRORS);
    fixture.check("ZRANGE z 0 -1 WITHSCORES", "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
    fixture.run("SET s x");
    for line in [
        "ZADD s 1 a",
        "ZINCRBY s 1 a",
        "ZREM s a",
        "ZCARD s",
        "ZCOUNT s 0 1",
        "ZLEXCOUNT s - +",
        "ZSCORE s a",
        "ZMSCORE s a",
        "ZRANK s a",
        "ZRANGE s 0 1",
        "ZRANGESTORE d s 0 1",
        "ZREMRANGEBYRANK s 0 1",
        "ZPOPMIN s 0",
        "ZMPOP 2 z0 s MIN",
        "BZPOPMIN s 0",
        "BZMPOP 0 1 s MIN",
        "ZRANDMEMBER s",
        "ZRANDMEMBER s 2",
        "ZUNION 2 z s FOO",
        "ZINTERCARD 1 s",
        "ZUNIONSTORE d 2 z s",
        "ZSCAN s 0",
        "ZREMRANGEBYSCORE s 0 1",
        "ZREMRANGEBYLEX s - +",
    ] {
        assert!(fixture.run(line).starts_with("-WRONGTYPE"), "{line}");
    }
}

#[test]
fn zadd_obeys_its_options() {
    let mut fixture = Fixture::new();
    check_words(
        &mut fixture,
        &[
            ("ZADD z XX 1 a", ":0"),
            ("EXISTS z", ":0"),
            ("ZADD z 1 a 2 b 3 c", ":3"),
            ("ZADD z 1 a 5 b", ":0"),
            ("ZADD z CH 1 a 6 b 1 d", ":2"),
            ("ZADD z NX 9 a 9 e", ":1"),
            ("ZADD z XX CH 9 c 9 f", ":1"),
            ("ZADD z GT CH 0 a 10 b 1 g", ":2"),
            ("ZADD z LT CH 0.5 a 11 b", ":1"),
            ("ZRANGE z 0 -1 WITHSCORES", "a 0.5 d 1 g 1 c 9 e 9 b 10"),
            ("ZADD z INCR 1 a", "1.5"),
            ("ZADD z GT INCR -1 a", "nil"),
            ("ZADD z NX INCR 1 a", "nil"),
            ("ZADD z XX INCR 1 new", "nil"),
            ("ZADD none XX INCR 1 a", "nil"),
            ("ZINCRBY z -0.5 a", "1"),
            ("ZINCRBY z 2.5 new", "2.5"),
            ("ZADD z inf i -inf j", ":2"),
            ("ZINCRBY z -inf i", "-ERR resulting score is not a number (NaN)"),
            ("ZMSCORE z i j nobody", "inf -inf nil"),
            ("ZADD z 0.1 f 1e17 g", ":1"),
            ("ZMSCORE z f g", "0.10000000000000001 1e+17"),
            ("ZREM z a b nobody", ":2"),
            ("ZCARD z", ":8"),
        ],
    );
}

#[test]
fn ranges_by_rank_score_and_member() {
    for limit in ["128", "0"] {
        let mut fixture = Fixture::new();
        fixture.run(&format!("CONFIG SET zset-max-listpack-entries {limit}"));
        fixture.run("ZADD z 1 a 2 b 2 c 3 d 4 e");
        fixture.run("ZADD l 0 a 0 b 0 c 0 d");
        check_words(
            &mut fixture,
            &[
                ("ZRANGE z 1 2", "b c"),
                ("ZRANGE z -2 -1 WITHSCORES", "d 3 e 4"),
                ("ZRANGE z 0 1 REV", "e d"),
                ("ZREVRANGE z -2 100", "b a"),
                ("ZRANGE z 3 2", ""),
                ("ZRANGE z -100 100", "a b c d e"),
                ("ZRANGE z 9223372036854775807 -9223372036854775808", ""),
                ("ZRANGE z (1 3 BYSCORE", "b c d"),
                ("ZRANGE z 3 (1 BYSCORE REV WITHSCORES", "d 3 c 2 b 2"),
                ("ZRANGE z 1 3 BYSCORE REV", ""),
                ("ZRANGEBYSCORE z -inf +inf LIMIT 1 2", "b c"),
                ("ZRANGEBYSCORE z -inf +inf LIMIT -1 2", ""),
                ("ZRANGEBYSCORE z -inf +inf LIMIT 2 -1", "c d e"),
                ("ZREVRANGEBYSCORE z +inf (2 WITHSCORES LIMIT 1 5", "d 3"),
                ("ZRANGE l [b (d BYLEX", "b c"),
                ("ZRANGE l + - BYLEX REV LIMIT 1 2", "c b"),
                ("ZREVRANGEBYLEX l (c -", "b a"),
                ("ZRANGEBYLEX l + -", ""),
                ("ZCOUNT z (2 +inf", ":2"),
                ("ZCOUNT z 5 1", ":0"),
                ("ZLEXCOUNT l (a [c", ":2"),
                ("ZRANK z c", ":2"),
                ("ZREVRANK z c", ":2"),
                ("ZREVRANK z e WITHSCORE", ":0 4"),
                ("ZRANK z nobody", "nil"),
                ("ZRANGESTORE d z 1 3 REV", ":3"),
                ("ZRANGE d 0 -1 WITHSCORES", "b 2 c 2 d 3"),
                ("ZREMRANGEBYRANK z 0 0", ":1"),
                ("ZREMRANGEBYSCORE z (2 3", ":1"),
                ("ZREMRANGEBYLEX l (a [c", ":2"),
                ("ZRANGE z 0 -1", "b c e"),
                ("ZREMRANGEBYRANK z 0 -1", ":3"),
                ("EXISTS z", ":0"),
            ],
        );
    }
    let mut fixture = Fixture::new();
    fixture.check("ZRANK none a WITHSCORE", "*-1\r\n");
    fixture.check("ZRANK none a", "$-1\r\n");
}

#[test]
fn a_difference_of_versions_shows_in_resp3() {
    let mut fixture = Fixture::new();
    fixture.run("HELLO 3");
    fixture.run("ZADD z 1.5 a 2 b 3 c");
    check_all(
        &mut fixture,
        &[
            ("ZSCORE z a", ",1.5\r\n"),
            ("ZSCORE z x", "_\r\n"),
            ("ZRANGE z 0 0 WITHSCORES", "*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n"),
            ("ZINCRBY z 1 a", ",2.5\r\n"),
            (
                "ZRANDMEMBER z 5 WITHSCORES",
                "*3\r\n*2\r\n$1\r\nc\r\n,3\r\n*2\r\n$1\r\na\r\n,2.5\r\n*2\r\n$1\r\nb\r\n,2\r\n",
            ),
            (
                "ZUNION 1 z WITHSCORES",
                "*3\r\n*2\r\n$1\r\nb\r\n,2\r\n*2\r\n$1\r\na\r\n,2.5\r\n*2\r\n$1\r\nc\r\n,3\r\n",
            ),
            ("ZPOPMIN z", "*2\r\n$1\r\nb\r\n,2\r\n"),
            ("ZPOPMIN z 1", "*1\r\n*2\r\n$1\r\na\r\n,2.5\r\n"),
            ("BZPOPMAX z 0", "*3\r\n$1\r\nz\r\n$1\r\nc\r\n,3\r\n"),
            ("ZMPOP 1 z MIN", "_\r\n"),
            ("ZADD z 1 a", ":1\r\n"),
            ("ZMPOP 2 none z MAX COUNT 3", "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\na\r\n,1\r\n"),
        ],
    );
}

#[test]
fn sets_of_sets() {
    let mut fixture = Fixture::new();
    fixture.run("ZADD a 1 x 2 y 3 z");
    fixture.run("ZADD b 10 y 20 z 30 w");
    fixture.run("SADD s y w v");
    check_words(
        &mut fixture,
        &[
            ("ZUNION 2 a b WITHSCORES", "x 1 y 12 z 23 w 30"),
            ("ZUNION 2 a b WEIGHTS 2 -1 AGGREGATE MIN WITHSCORES", "w -30 z -20 y -10 x 2"),
            ("ZUNION 2 a b AGGREGATE MAX WITHSCORES", "x 1 y 10 z 20 w 30"),
            ("ZUNION 3 a b s WEIGHTS 1 1 5 AGGREGATE COUNT WITHSCORES", "x 1 z 2 v 5 w 6 y 7"),
            ("ZINTER 2 a b WITHSCORES", "y 12 z 23"),
            ("ZINTER 3 a b s WITHSCORES", "y 13"),
            ("ZINTER 2 a none", ""),
            ("ZDIFF 2 a b WITHSCORES", "x 1"),
            ("ZDIFF 2 none a", ""),
            ("ZINTERCARD 2 a b", ":2"),
            ("ZINTERCARD 2 a b LIMIT 1", ":1"),
            ("ZINTERCARD 2 a b LIMIT 0", ":2"),
            ("ZUNIONSTORE d 2 a s", ":5"),
            ("ZRANGE d 0 -1 WITHSCORES", "v 1 w 1 x 1 y 3 z 3"),
            ("ZINTERSTORE d 2 d a", ":3"),
            ("ZRANGE d 0 -1 WITHSCORES", "x 2 y 5 z 6"),
            ("ZDIFFSTORE d 2 a a", ":0"),
            ("EXISTS d", ":0"),
            ("ZADD i inf m -inf n", ":2"),
            ("ZADD j -inf m -inf n", ":2"),
            ("ZUNION 2 i j WITHSCORES", "n -inf m 0"),
            ("ZUNION 1 i WEIGHTS 0 WITHSCORES", "m 0 n 0"),
            ("SET d text", "+OK"),
            ("ZUNIONSTORE d 1 a", ":3"),
            ("TYPE d", "+zset"),
        ],
    );
}

#[test]
fn scans_show_scores_as_they_are_stored() {
    let mut fixture = Fixture::new();
    fixture.run("ZADD z -0 a 4e18 b 5e18 c 0.5 d");
    check_words(
        &mut fixture,
        &[
            ("ZSCAN z 0", "0 a 0 d 0.5 b 4000000000000000000 c 5e+18"),
            ("ZSCAN z 0 MATCH b", "0 b 4000000000000000000"),
            ("ZSCAN z 0 NOSCORES MATCH [ab]", "0 a b"),
            ("ZRANGE z 0 -1 WITHSCORES", "a 0 d 0.5 b 4e+18 c 5e+18"),
            ("ZSCAN none 0 FOO", "0"),
            ("ZSCAN z 0 FOO", "-ERR syntax error"),
            ("CONFIG SET zset-max-listpack-entries 0", "+OK"),
            ("ZADD y -0 a 4e18 b", ":2"),
            ("ZMSCORE y a b", "-0 4e+18"),
            ("ZSCAN y 0 MATCH b", "0 b 4e+18"),
            ("OBJECT ENCODING y", "skiplist"),
            ("OBJECT ENCODING z", "listpack"),
        ],
    );
}

#[test]
fn effects_are_told() {
    let mut fixture = Fixture::new();
    for (line, told) in [
        ("ZADD z 1 a 2 b 3 c", &["zadd z@0"][..]),
        ("ZADD z 1 a", &[]),
        ("ZINCRBY z 1 a", &["zincr z@0"]),
        ("ZINCRBY z 0 a", &[]),
        ("ZREM z nobody", &[]),
        ("ZPOPMIN z 0", &[]),
        ("ZPOPMAX z", &["zpopmax z@0"]),
        ("ZRANGESTORE d z 0 0", &["zrangestore d@0"]),
        ("ZRANGESTORE d z 5 6", &["del d@0"]),
        ("ZRANGESTORE d z 5 6", &[]),
        ("ZUNIONSTORE d 1 z", &["zunionstore d@0"]),
        ("ZREMRANGEBYRANK d 0 0", &["zremrangebyrank d@0"]),
        ("ZREMRANGEBYSCORE d 0 9", &["zremrangebyscore d@0", "del d@0"]),
        ("ZREM z a b", &["zrem z@0", "del z@0"]),
    ] {
        assert_eq!(fixture.events(line), told, "{line}");
    }
}

#[test]
fn changes_are_counted_and_propagated() {
    let mut fixture = Fixture::new();
    for (line, dirty, propagated) in [
        ("ZADD z 1 a 2 b 3 c 4 d 5 e", 5, Some("ZADD z 1 a 2 b 3 c 4 d 5 e")),
        ("ZADD z 5 a 1 a", 2, Some("ZADD z 5 a 1 a")),
        ("ZADD z 1 a", 0, None),
        ("ZINCRBY z 1 a", 1, Some("ZINCRBY z 1 a")),
        ("ZPOPMIN z 2", 2, Some("ZPOPMIN z 2")),
        ("BZPOPMAX z 0", 1, Some("ZPOPMAX z")),
        ("ZMPOP 1 z MIN COUNT 9", 2, Some("ZPOPMIN z 2")),
        ("ZMPOP 1 z MIN COUNT 9", 0, None),
        ("ZADD z 1 a 2 b", 2, Some("ZADD z 1 a 2 b")),
        ("BZMPOP 0 2 none z MAX COUNT 1", 1, Some("ZPOPMAX z 1")),
        ("ZUNIONSTORE z 2 z z", 1, Some("ZUNIONSTORE z 2 z z")),
        ("ZDIFFSTORE z 2 z z", 1, Some("ZDIFFSTORE z 2 z z")),
    ] {
        let before = fixture.dirty();
        fixture.take_propagated();
        fixture.run(line);
        assert_eq!(fixture.dirty() - before, dirty, "{line}");
        // The database is selected once, before the first.
        let told: Vec<_> =
            fixture.take_propagated().into_iter().filter(|line| !line.starts_with("SELECT")).collect();
        assert_eq!(told.first().map(String::as_str), propagated, "{line}");
    }
}

#[test]
fn reads_are_counted_as_by_redis() {
    let mut fixture = Fixture::new();
    fixture.run("ZADD z 1 a");
    fixture.run("SET s x");
    for (line, hits, misses) in [
        ("ZADD z 1 b", 0, 0),
        ("ZINCRBY z 1 b", 0, 0),
        ("ZPOPMAX z", 0, 0),
        ("ZSCORE z a", 1, 0),
        ("ZRANGESTORE d z 0 -1", 1, 0),
        ("ZUNIONSTORE d 3 z none z", 2, 1),
        ("ZUNION 3 z s z", 2, 0),
        ("ZRANDMEMBER none", 0, 1),
    ] {
        let before = (fixture.hits(), fixture.misses());
        fixture.run(line);
        assert_eq!((fixture.hits() - before.0, fixture.misses() - before.1), (hits, misses), "{line}");
    }
}

#[test]
fn who_finds_nothing_to_pop_waits() {
    let mut fixture = Fixture::new();
    fixture.run("MULTI");
    fixture.run("BZPOPMIN z 0");
    fixture.run("BZMPOP 0 1 z MIN");
    fixture.check("EXEC", "*2\r\n*-1\r\n*-1\r\n");
    fixture.check("BZPOPMIN y z 0.5", "");
    let now_ms = fixture.now().unix_ms();
    let blocked = fixture.client().blocked.as_ref().expect("it waits");
    assert_eq!(blocked.wait.keys.iter().map(|key| key.to_vec()).collect::<Vec<_>>(), [b"y", b"z"]);
    assert_eq!(blocked.wait.deadline_ms, Some(now_ms + 500));
}

#[test]
fn samples() {
    let mut fixture = Fixture::new();
    fixture.run("ZADD z 1 a 2 b 3 c");
    check_words(
        &mut fixture,
        &[
            ("ZRANDMEMBER none", "nil"),
            ("ZRANDMEMBER none 3", ""),
            ("ZRANDMEMBER z 0", ""),
            ("ZRANDMEMBER z 5 WITHSCORES", "c 3 b 2 a 1"),
            ("ZRANDMEMBER z 3", "c b a"),
        ],
    );
    assert_eq!(words(&fixture.run("ZRANDMEMBER z 2")).split(' ').count(), 2);
    assert_eq!(words(&fixture.run("ZRANDMEMBER z -20 WITHSCORES")).split(' ').count(), 40);
    assert!(["a", "b", "c"].contains(&&*words(&fixture.run("ZRANDMEMBER z"))));
}
