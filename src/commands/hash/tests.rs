//! The hash commands, run whole: gates, handler, commit.

use crate::commands::testing::{Fixture, START_MS};

/// Lines as redis-cli would read them, each with its raw reply.
#[track_caller]
fn check_all(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        assert_eq!(fixture.run(line), *reply, "{line}");
    }
}

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

/// A fixture whose hashes are tables from the first field on.
fn with_tables() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.check("CONFIG SET hash-max-listpack-entries 0", "+OK\r\n");
    fixture
}

fn both(test: impl Fn(&mut Fixture)) {
    test(&mut Fixture::new());
    test(&mut with_tables());
}

#[test]
fn fields_are_set_and_read() {
    both(|fixture| {
        check_all(
            fixture,
            &[
                ("HSET h a 1 b two a 3", ":2\r\n"),
                ("HGET h a", "$1\r\n3\r\n"),
                ("HGET h none", "$-1\r\n"),
                ("HGET none a", "$-1\r\n"),
                ("HMSET h c 007", "+OK\r\n"),
                ("HMGET h a none c", "*3\r\n$1\r\n3\r\n$-1\r\n$3\r\n007\r\n"),
                ("HMGET none a b", "*2\r\n$-1\r\n$-1\r\n"),
                ("HSETNX h a 9", ":0\r\n"),
                ("HSETNX h d 9", ":1\r\n"),
                ("HSETNX new f v", ":1\r\n"),
                ("HLEN h", ":4\r\n"),
                ("HLEN none", ":0\r\n"),
                ("HSTRLEN h c", ":3\r\n"),
                ("HSTRLEN h none", ":0\r\n"),
                ("HEXISTS h a", ":1\r\n"),
                ("HEXISTS h none", ":0\r\n"),
                ("HDEL h a none a b", ":2\r\n"),
                ("HDEL none a", ":0\r\n"),
                ("HGETALL none", "*0\r\n"),
                ("HKEYS none", "*0\r\n"),
                ("HVALS new", "*1\r\n$1\r\nv\r\n"),
                ("HGETALL new", "*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
                ("HDEL new f", ":1\r\n"),
                ("EXISTS new", ":0\r\n"),
                ("TYPE h", "+hash\r\n"),
            ],
        );
        // HSET counts pairs, as Redis does: 3 + 1 + 1 + 1 + 2 + 1.
        assert_eq!(fixture.dirty(), 9);
    });
}

#[test]
fn the_encoding_follows_the_thresholds() {
    let mut fixture = Fixture::new();
    let long = "x".repeat(65);
    check_all(
        &mut fixture,
        &[
            ("HSET h a 1", ":1\r\n"),
            ("OBJECT ENCODING h", "$8\r\nlistpack\r\n"),
            ("HPEXPIRE h 100 FIELDS 1 a", "*1\r\n:1\r\n"),
            ("OBJECT ENCODING h", "$10\r\nlistpackex\r\n"),
            ("HPERSIST h FIELDS 1 a", "*1\r\n:1\r\n"),
            ("OBJECT ENCODING h", "$10\r\nlistpackex\r\n"),
            (&format!("HSET h a {long}"), ":0\r\n"),
            ("OBJECT ENCODING h", "$9\r\nhashtable\r\n"),
            ("HSET h a 1", ":0\r\n"),
            ("OBJECT ENCODING h", "$9\r\nhashtable\r\n"),
            ("CONFIG SET hash-max-listpack-entries 2", "+OK\r\n"),
            ("HSET two a 1 b 2", ":2\r\n"),
            ("OBJECT ENCODING two", "$8\r\nlistpack\r\n"),
            ("HINCRBY two c 1", ":1\r\n"),
            ("OBJECT ENCODING two", "$9\r\nhashtable\r\n"),
        ],
    );
}

#[test]
fn arguments_are_checked_in_the_order_of_redis() {
    let mut fixture = Fixture::new();
    let range =
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n";
    check_all(
        &mut fixture,
        &[
            ("SET s x", "+OK\r\n"),
            ("HSET h a 1 s abc i inf big 9223372036854775807", ":4\r\n"),
            ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command\r\n"),
            ("HMSET s a 1 b", "-ERR wrong number of arguments for 'hmset' command\r\n"),
            ("HSET s a 1", WRONG_TYPE),
            ("HGET s a", WRONG_TYPE),
            ("HINCRBY s a x", "-ERR value is not an integer or out of range\r\n"),
            ("HINCRBY s a 1", WRONG_TYPE),
            ("HINCRBY h s 1", "-ERR hash value is not an integer\r\n"),
            ("HINCRBY h big 1", "-ERR increment or decrement would overflow\r\n"),
            ("HINCRBYFLOAT s a nan", "-ERR value is not a valid float\r\n"),
            ("HINCRBYFLOAT s a inf", "-ERR value is NaN or Infinity\r\n"),
            ("HINCRBYFLOAT h s 1", "-ERR hash value is not a float\r\n"),
            ("HINCRBYFLOAT h i 1", "-ERR increment would produce NaN or Infinity\r\n"),
            ("HRANDFIELD s x", "-ERR value is not an integer or out of range\r\n"),
            ("HRANDFIELD s -9223372036854775808", range),
            ("HRANDFIELD s 1 FOO", "-ERR syntax error\r\n"),
            ("HRANDFIELD s 1 WITHVALUES x", "-ERR syntax error\r\n"),
            ("HRANDFIELD s 4611686018427387904 WITHVALUES", "-ERR value is out of range\r\n"),
            ("HRANDFIELD s -4611686018427387904 WITHVALUES", "-ERR value is out of range\r\n"),
            ("HRANDFIELD s", WRONG_TYPE),
            ("HSCAN s x FOO", "-ERR invalid cursor\r\n"),
            ("HSCAN s 0 FOO", WRONG_TYPE),
            ("HSCAN none 0 FOO", "*2\r\n$1\r\n0\r\n*0\r\n"),
            ("HSCAN h 0 FOO", "-ERR syntax error\r\n"),
        ],
    );
}

#[test]
fn counters_count_and_tell() {
    both(|fixture| {
        check_all(
            fixture,
            &[
                ("HINCRBY h n 5", ":5\r\n"),
                ("HINCRBY h n -7", ":-2\r\n"),
                ("HINCRBYFLOAT h f 0.1", "$3\r\n0.1\r\n"),
                ("HINCRBYFLOAT h f 0.2", "$3\r\n0.3\r\n"),
                ("HINCRBYFLOAT h n 1e3", "$3\r\n998\r\n"),
                ("HPEXPIRE h 100 FIELDS 1 n", "*1\r\n:1\r\n"),
                ("HINCRBY h n 1", ":999\r\n"),
                ("HINCRBYFLOAT h n 0.5", "$5\r\n999.5\r\n"),
                ("HPTTL h FIELDS 1 n", "*1\r\n:100\r\n"),
            ],
        );
        let propagated = fixture.take_propagated();
        assert_eq!(propagated[2..5], ["HSET h f 0.1", "HSET h f 0.3", "HSET h n 998"]);
        assert_eq!(propagated[7..], ["HSETEX h KEEPTTL FIELDS 1 n 999.5"]);
        assert_eq!(fixture.events("HINCRBY h n2 1"), ["hincrby h@0"]);
        assert_eq!(fixture.events("HINCRBYFLOAT h n2 1"), ["hincrbyfloat h@0"]);
    });
}

#[test]
fn random_fields_come_in_both_protocols() {
    both(|fixture| {
        check_all(
            fixture,
            &[
                ("HSET h f v", ":1\r\n"),
                ("HRANDFIELD h", "$1\r\nf\r\n"),
                ("HRANDFIELD none", "$-1\r\n"),
                ("HRANDFIELD none 2", "*0\r\n"),
                ("HRANDFIELD h 0", "*0\r\n"),
                ("HRANDFIELD h 7", "*1\r\n$1\r\nf\r\n"),
                ("HRANDFIELD h 9223372036854775807", "*1\r\n$1\r\nf\r\n"),
                ("HRANDFIELD h -2", "*2\r\n$1\r\nf\r\n$1\r\nf\r\n"),
                ("HRANDFIELD h 7 WITHVALUES", "*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
                ("HRANDFIELD h -2 WITHVALUES", "*4\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\nf\r\n$1\r\nv\r\n"),
            ],
        );
        fixture.run("HELLO 3");
        check_all(
            fixture,
            &[
                ("HRANDFIELD none", "_\r\n"),
                ("HRANDFIELD h 7 WITHVALUES", "*1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
                ("HRANDFIELD h -1 WITHVALUES", "*1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
                ("HGETALL h", "%1\r\n$1\r\nf\r\n$1\r\nv\r\n"),
                ("HGETALL none", "%0\r\n"),
                ("HKEYS h", "*1\r\n$1\r\nf\r\n"),
                ("HGET h none", "_\r\n"),
            ],
        );
    });
}

#[test]
fn scans_match_and_leave_values_out() {
    both(|fixture| {
        check_all(
            fixture,
            &[
                ("HSET h a:1 v a:2 v b 5", ":3\r\n"),
                ("HSCAN h 0 MATCH b COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\n5\r\n"),
                ("HSCAN h 0 NOVALUES MATCH b", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\nb\r\n"),
            ],
        );
        assert!(fixture.run("HSCAN h 0 MATCH a* COUNT 5").starts_with("*2\r\n$1\r\n0\r\n*4\r\n"));
    });
}

#[test]
fn fields_expire() {
    both(|fixture| {
        check_all(
            fixture,
            &[
                ("HSET h a 1 b 2 c 3", ":3\r\n"),
                ("HEXPIRE h 10 FIELDS 2 a none", "*2\r\n:1\r\n:-2\r\n"),
                ("HPEXPIRE h 500 NX FIELDS 2 a b", "*2\r\n:0\r\n:1\r\n"),
                ("HPEXPIRE h 700 GT FIELDS 3 a b c", "*3\r\n:0\r\n:1\r\n:0\r\n"),
                ("HPEXPIRE h 800 LT FIELDS 2 a b", "*2\r\n:1\r\n:0\r\n"),
                ("HEXPIRE h 20 XX FIELDS 2 b c", "*2\r\n:1\r\n:0\r\n"),
                ("HTTL h FIELDS 4 a b c none", "*4\r\n:1\r\n:20\r\n:-1\r\n:-2\r\n"),
                ("HPTTL h FIELDS 1 a", "*1\r\n:800\r\n"),
                ("HEXPIRETIME h FIELDS 1 a", "*1\r\n:1700000001\r\n"),
                ("HPEXPIRETIME h FIELDS 1 a", "*1\r\n:1700000000800\r\n"),
                ("HPERSIST h FIELDS 3 b c none", "*3\r\n:1\r\n:-1\r\n:-2\r\n"),
                ("HTTL none FIELDS 1 a", "*1\r\n:-2\r\n"),
                ("HEXPIRE none 1 FIELDS 2 a b", "*2\r\n:-2\r\n:-2\r\n"),
                ("HPERSIST none FIELDS 1 a", "*1\r\n:-2\r\n"),
            ],
        );
        fixture.advance_ms(800);
        fixture.check("HGET h a", "$1\r\n1\r\n");
        fixture.advance_ms(1);
        check_all(
            fixture,
            &[
                ("HGET h a", "$-1\r\n"),
                ("HEXISTS h a", ":0\r\n"),
                ("HMGET h a b", "*2\r\n$-1\r\n$1\r\n2\r\n"),
                ("HSTRLEN h a", ":0\r\n"),
                ("HLEN h", ":3\r\n"),
                ("HTTL h FIELDS 1 a", "*1\r\n:-2\r\n"),
                ("HDEL h b", ":1\r\n"),
                ("HGETALL h", "*2\r\n$1\r\nc\r\n$1\r\n3\r\n"),
                ("HKEYS h", "*1\r\n$1\r\nc\r\n"),
                ("HRANDFIELD h 5", "*1\r\n$1\r\nc\r\n"),
                ("HSCAN h 0 COUNT 100", "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n"),
                ("HSETNX h a again", ":1\r\n"),
                ("HTTL h FIELDS 1 a", "*1\r\n:-1\r\n"),
                ("HLEN h", ":2\r\n"),
            ],
        );
    });
}

#[test]
fn setting_a_field_takes_its_expiry_away() {
    both(|fixture| {
        check_all(
            fixture,
            &[
                ("HSET h a 1 b 2", ":2\r\n"),
                ("HEXPIRE h 10 FIELDS 2 a b", "*2\r\n:1\r\n:1\r\n"),
                ("HSET h a 9", ":0\r\n"),
                ("HTTL h FIELDS 2 a b", "*2\r\n:-1\r\n:10\r\n"),
            ],
        );
    });
}

#[test]
fn a_write_removes_expired_fields_first() {
    both(|fixture| {
        fixture.run("HSET h a 1 b 2");
        fixture.run("HPEXPIRE h 10 FIELDS 2 a b");
        fixture.advance_ms(11);
        fixture.take_propagated();
        fixture.check("HSET h a 9 c 3", ":2\r\n");
        assert_eq!(fixture.take_propagated(), ["HDEL h a", "HSET h a 9 c 3"]);
        fixture.check("HDEL h b", ":0\r\n");
        assert_eq!(fixture.take_propagated(), ["HDEL h b"]);
        fixture.check("HLEN h", ":2\r\n");

        fixture.run("HPEXPIRE h 10 FIELDS 2 a c");
        fixture.advance_ms(11);
        assert_eq!(fixture.events("HDEL h a"), ["hexpired h@0"]);
        assert_eq!(fixture.events("HPEXPIRE h 10 FIELDS 1 c"), ["hexpired h@0", "del h@0"]);
        fixture.check("EXISTS h", ":0\r\n");
        assert_eq!(fixture.server.keyspace.counters.expired_fields, 4);
    });
}

#[test]
fn events_and_propagation() {
    both(|fixture| {
        assert_eq!(fixture.events("HSET h a 1 b 2 c 3 d 4"), ["hset h@0"]);
        assert_eq!(fixture.events("HMSET h a 1"), ["hset h@0"]);
        assert!(fixture.events("HSETNX h a 1").is_empty());
        assert_eq!(fixture.events("HEXPIRE h 5 FIELDS 1 a"), ["hexpire h@0"]);
        assert_eq!(fixture.events("HPERSIST h FIELDS 1 a"), ["hpersist h@0"]);
        assert!(fixture.events("HPERSIST h FIELDS 1 a").is_empty());
        assert_eq!(fixture.events("HDEL h d"), ["hdel h@0"]);
        assert!(fixture.events("HDEL h d").is_empty());

        fixture.check("HEXPIRE h 5 FIELDS 3 a none b", "*3\r\n:1\r\n:-2\r\n:1\r\n");
        fixture.check("HPEXPIREAT h 1 LT FIELDS 1 a", "*1\r\n:2\r\n");
        let at = START_MS + 5000;
        assert_eq!(fixture.take_propagated(), [format!("HPEXPIREAT h {at} FIELDS 2 a b"), "HDEL h a".into()]);
        assert_eq!(fixture.events("HEXPIREAT h 1 FIELDS 2 b c"), ["hdel h@0", "del h@0"]);
        assert_eq!(fixture.run("EXISTS h"), ":0\r\n");
        assert!(fixture.events("HEXPIRE h 5 FIELDS 1 a").is_empty());
    });
}

#[test]
fn the_field_options_have_their_errors() {
    let mut fixture = Fixture::new();
    let invalid = "-ERR invalid expire time in 'hexpire' command\r\n";
    let misplaced = "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
    let mismatch = "-ERR The `numfields` parameter must match the number of arguments\r\n";
    check_all(
        &mut fixture,
        &[
            ("HSET h a 1", ":1\r\n"),
            ("SET s x", "+OK\r\n"),
            ("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer or out of range\r\n"),
            ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0\r\n"),
            ("HEXPIRE h 9223372036854775807 FIELDS 1 a", invalid),
            ("HEXPIRE h 281474976711 FIELDS 1 a", invalid),
            (
                "HPEXPIREAT h 281474976710655 FIELDS 1 a",
                "-ERR invalid expire time in 'hpexpireat' command\r\n",
            ),
            ("HPEXPIREAT h 281474976710654 FIELDS 1 a", "*1\r\n:1\r\n"),
            ("HEXPIRE h 1 FOO 1 a", "-ERR unknown argument: FOO\r\n"),
            ("HEXPIRE h 1 NX NX NX", "-ERR Multiple condition flags specified\r\n"),
            ("HEXPIRE h 1 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0\r\n"),
            ("HEXPIRE h 1 FIELDS x a", "-ERR Parameter `numFields` should be greater than 0\r\n"),
            ("HEXPIRE h 1 FIELDS 2 a", "-ERR wrong number of arguments for 'hexpire' command\r\n"),
            ("HEXPIRE h 1 FIELDS 1 a b", "-ERR unknown argument: b\r\n"),
            ("HEXPIRE h 1 NX FIELDS 1", "-ERR FIELDS requires at least numfields and one field argument\r\n"),
            ("HEXPIRE h 1 FIELDS 1 a FIELDS 1 a", "-ERR FIELDS keyword specified multiple times\r\n"),
            ("HEXPIRE h 1 FIELDS 1 a XX", "*1\r\n:1\r\n"),
            ("HEXPIRE s 1 FIELDS 1 a", WRONG_TYPE),
            ("HTTL h FOO 1 a", misplaced),
            ("HTTL h FIELDS 0 a", "-ERR Number of fields must be a positive integer\r\n"),
            ("HTTL h FIELDS 2 a", mismatch),
            ("HPERSIST h FIELDS 1 a b", mismatch),
            ("HGETDEL h FIELDS 1 a b", mismatch),
            ("HTTL s FIELDS 1 a", WRONG_TYPE),
            ("HGETEX h EX 1", "-ERR wrong number of arguments for 'hgetex' command\r\n"),
            (
                "HGETEX h EX 1 PX",
                "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified\r\n",
            ),
            ("HGETEX h FIELDS 1 a EX", "-ERR missing expire time\r\n"),
            ("HGETEX h FIELDS 0 a", "-ERR invalid number of fields\r\n"),
            ("HGETEX h PERSIST x y", "-ERR unknown argument: x\r\n"),
            (
                "HSETEX h EX 1 KEEPTTL FIELDS",
                "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n",
            ),
            ("HSETEX h FNX FXX FIELDS 1", "-ERR Only one of FXX or FNX arguments can be specified\r\n"),
            ("HSETEX h FIELDS 2 a 1 b", "-ERR wrong number of arguments for 'hsetex' command\r\n"),
            ("HSETEX h FNX FNX FIELDS 1 a 1", "-ERR Only one of FXX or FNX arguments can be specified\r\n"),
            (
                "HSETEX h EX 5 FNX KEEPTTL",
                "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n",
            ),
            (
                "HSETEX h EX 5 FNX EXAT 5",
                "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n",
            ),
            ("HSETEX h EX 5 FNX FIELDS", "-ERR wrong number of arguments for 'hsetex' command\r\n"),
            ("HSETEX s FIELDS 1 a 1", WRONG_TYPE),
        ],
    );
}

#[test]
fn fields_are_read_with_an_expiry_or_deleted() {
    both(|fixture| {
        fixture.run("HSET h a 1 b 2 c 3");
        fixture.take_propagated();
        check_all(
            fixture,
            &[
                ("HGETEX h FIELDS 2 a none", "*2\r\n$1\r\n1\r\n$-1\r\n"),
                ("HGETEX h EX 10 FIELDS 2 a none", "*2\r\n$1\r\n1\r\n$-1\r\n"),
                ("HPTTL h FIELDS 1 a", "*1\r\n:10000\r\n"),
                ("HGETEX h PERSIST FIELDS 2 a b", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
                ("HPTTL h FIELDS 1 a", "*1\r\n:-1\r\n"),
                ("HGETEX h PXAT 5 FIELDS 1 a", "*1\r\n$1\r\n1\r\n"),
                ("HEXISTS h a", ":0\r\n"),
                ("HGETEX none EX 5 FIELDS 1 a", "*1\r\n$-1\r\n"),
                ("HGETDEL h FIELDS 2 b none", "*2\r\n$1\r\n2\r\n$-1\r\n"),
                ("HGETDEL none FIELDS 1 b", "*1\r\n$-1\r\n"),
            ],
        );
        let at = START_MS + 10_000;
        let set = format!("HPEXPIREAT h {at} FIELDS 1 a");
        assert_eq!(fixture.take_propagated(), [&*set, "HPERSIST h FIELDS 1 a", "HDEL h a", "HDEL h b"]);
        assert_eq!(fixture.events("HGETEX h PX 5 FIELDS 1 c"), ["hexpire h@0"]);
        assert_eq!(fixture.events("HGETEX h PERSIST FIELDS 1 c"), ["hpersist h@0"]);
        assert_eq!(fixture.events("HGETDEL h FIELDS 1 c"), ["hdel h@0", "del h@0"]);
    });
}

#[test]
fn fields_are_set_with_an_expiry_and_a_condition() {
    both(|fixture| {
        check_all(
            fixture,
            &[
                ("HSETEX h FXX FIELDS 1 a 1", ":0\r\n"),
                ("HSETEX h FNX EX 10 FIELDS 2 a 1 b 2", ":1\r\n"),
                ("HSETEX h FNX FIELDS 2 b 3 c 3", ":0\r\n"),
                ("HSETEX h FXX FIELDS 2 b 3 c 3", ":0\r\n"),
                ("HSETEX h KEEPTTL FXX FIELDS 1 b 3", ":1\r\n"),
                ("HPTTL h FIELDS 2 a b", "*2\r\n:10000\r\n:10000\r\n"),
                ("HSETEX h FIELDS 1 b 4", ":1\r\n"),
                ("HPTTL h FIELDS 2 a b", "*2\r\n:10000\r\n:-1\r\n"),
                ("HSETEX h PXAT 1 FIELDS 2 a 9 new 9", ":1\r\n"),
                ("HGETALL h", "*2\r\n$1\r\nb\r\n$1\r\n4\r\n"),
                ("HSETEX none PXAT 1 FIELDS 1 a 9", ":1\r\n"),
                ("EXISTS none", ":0\r\n"),
            ],
        );
        let at = START_MS + 10_000;
        assert_eq!(
            fixture.take_propagated(),
            [
                &*format!("HSETEX h PXAT {at} FIELDS 2 a 1 b 2"),
                "HSETEX h KEEPTTL FXX FIELDS 1 b 3",
                "HSETEX h FIELDS 1 b 4",
                "HDEL h a",
            ]
        );
        assert_eq!(fixture.events("HSETEX h EX 5 FIELDS 1 z 1"), ["hset h@0", "hexpire h@0"]);
    });
}

#[test]
fn a_large_hash_with_expiries_behaves_as_a_small_one() {
    let mut fixture = Fixture::new();
    for number in 0..700 {
        fixture.run(&format!("HSET h field:{number} {number}"));
        if number % 2 == 0 {
            fixture.run(&format!("HPEXPIRE h {} FIELDS 1 field:{number}", number + 1));
        }
    }
    fixture.check("OBJECT ENCODING h", "$9\r\nhashtable\r\n");
    fixture.advance_ms(352);
    assert!(fixture.run("HGETALL h").starts_with("*1048\r\n"));
    assert!(fixture.run("HRANDFIELD h 1000").starts_with("*524\r\n"));
    assert!(fixture.run("HRANDFIELD h -30 WITHVALUES").starts_with("*60\r\n"));
    fixture.check("HLEN h", ":700\r\n");
    let (mut cursor, mut seen) = ("0".to_owned(), 0);
    loop {
        let reply = fixture.run(&format!("HSCAN h {cursor} NOVALUES"));
        let lines: Vec<&str> = reply.split("\r\n").collect();
        cursor = lines[2].to_owned();
        seen += lines.iter().filter(|line| line.starts_with("field:")).count();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen, 524);
}
