//! SORT, run whole: gates, handler, commit. Replies are those of redis-server 7.0.15.

use crate::commands::testing::Fixture;

const NO_NUMBERS: &str = "-ERR One or more scores can't be converted into double";

/// A value of each type to sort, and what BY and GET may find for their elements.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    for line in [
        "RPUSH l 3 1 2 10",
        "RPUSH bad a 1",
        "RPUSH e \"\" \" 1\" 0x10 inf",
        "SADD s c a b",
        "SADD i 3 1 2",
        "ZADD z 1 x 2 b 3 a 0 4",
        "MSET w_1 5 w_2 x w_3 1 w_10 2 o_1 one o_2 two",
        "HSET h_1 f v1 g 9",
        "HSET h_2 f v2 g -1",
        "SET str x",
    ] {
        assert!(!fixture.run(line).starts_with('-'), "{line}");
    }
    fixture.take_propagated();
    fixture
}

/// Lines with their replies: an array's bulk strings separated by spaces, `-` for a null, anything else as it stands.
fn check_all(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let raw = fixture.run(line);
        let mut parts = raw.split("\r\n");
        let mut plain = Vec::new();
        while let Some(part) = parts.next() {
            match part {
                "$-1" => plain.push("-"),
                _ if part.starts_with('$') => plain.push(parts.next().expect("a bulk string's bytes")),
                _ if part.starts_with('*') || part.is_empty() => {}
                _ => plain.push(part),
            }
        }
        assert_eq!(plain.join(","), expected.replace(' ', ","), "{line}");
    }
}

#[test]
fn numbers_and_texts() {
    check_all(
        &mut fixture(),
        &[
            ("SORT l", "1 2 3 10"),
            ("SORT l DESC", "10 3 2 1"),
            ("SORT l ASC DESC ASC", "1 2 3 10"),
            ("SORT l ALPHA", "1 10 2 3"),
            ("SORT s ALPHA DESC LIMIT 0 2", "c b"),
            ("SORT i", "1 2 3"),
            ("SORT z ALPHA", "4 a b x"),
            ("SORT_RO l", "1 2 3 10"),
            ("SORT none", ""),
            ("SORT none GET # GET #", ""),
        ],
    );
    let mut fixture = fixture();
    fixture.check("SORT e", "*4\r\n$0\r\n\r\n$2\r\n 1\r\n$4\r\n0x10\r\n$3\r\ninf\r\n");
    for line in ["SORT s", "SORT z", "SORT bad", "SORT bad LIMIT 0 0", "SORT bad STORE d", "SORT l BY w_*"] {
        fixture.check(line, &format!("{NO_NUMBERS}\r\n"));
    }
}

#[test]
fn limits() {
    check_all(
        &mut fixture(),
        &[
            ("SORT l LIMIT -1 2", "1 2"),
            ("SORT l LIMIT 1 -5", "2 3 10"),
            ("SORT l LIMIT 0 0", ""),
            ("SORT l LIMIT 9223372036854775807 9223372036854775807", ""),
            ("SORT l LIMIT 1 9223372036854775807", "2 3 10"),
            ("SORT l LIMIT 1 2 DESC", "3 2"),
            ("SORT l LIMIT 0 3 LIMIT 3 1", "10"),
        ],
    );
}

#[test]
fn what_stays_unsorted() {
    check_all(
        &mut fixture(),
        &[
            ("SORT l BY nosort", "3 1 2 10"),
            ("SORT l BY nosort DESC", "10 2 1 3"),
            ("SORT l BY nosort DESC LIMIT 1 2", "2 1"),
            ("SORT l BY nosort LIMIT 1 2", "1 2"),
            ("SORT l BY nosort LIMIT 9 2", ""),
            ("SORT l BY w_* BY nosort", "3 1 2 10"),
            ("SORT l BY nosort BY w_*", "3 1 2 10"),
            ("SORT l BY # DESC", "10 2 1 3"),
            ("SORT z BY nosort", "4 x b a"),
            ("SORT z BY nosort DESC LIMIT 1 2", "b x"),
            ("SORT z BY nosort LIMIT 1 2", "x b"),
            ("SORT z BY nosort DESC GET #", "a b x 4"),
            ("SORT i BY nosort", "1 2 3"),
            ("SORT i BY nosort LIMIT 1 1", "2"),
            // A set is not stored in the order it happens to have.
            ("SORT s BY nosort STORE d", ":3"),
            ("LRANGE d 0 -1", "a b c"),
            ("SORT s BY nosort DESC STORE d", ":3"),
            ("LRANGE d 0 -1", "c b a"),
        ],
    );
}

#[test]
fn patterns() {
    check_all(
        &mut fixture(),
        &[
            ("SORT l BY w_* ALPHA", "3 10 1 2"),
            ("SORT l BY w_* ALPHA DESC LIMIT 0 2", "2 1"),
            ("SORT l GET # GET o_* GET w_*", "1 one 5 2 two x 3 - 1 10 - 2"),
            ("SORT l GET h_*->f GET # BY h_*->g", "v2 2 - 10 - 3 v1 1"),
            ("SORT l GET h_*->", "- - - -"),
            ("SORT l GET nostar GET #", "- 1 - 2 - 3 - 10"),
            ("SORT l GET h_*", "- - - -"),
            ("SORT l GET w_*->f", "- - - -"),
            ("SORT l BY a*b*c->d GET a*b*c", "- - - -"),
            ("SORT l BY absent_*", "1 10 2 3"),
            ("SORT l BY absent_* ALPHA", "3 1 2 10"),
            ("SORT l BY *", "1 10 2 3"),
            ("SORT l BY absent_* ALPHA DESC LIMIT 1 2", "1 2"),
        ],
    );
}

#[test]
fn many_lookups_keep_their_order() {
    let mut fixture = Fixture::new();
    for index in 0..300 {
        fixture.run(&format!("RPUSH many {index}"));
        fixture.run(&format!("SET by_{index} {}", (index * 7) % 300));
        if index % 3 > 0 {
            fixture.run(&format!("SET get_{index} v{index}"));
        }
    }
    let mut order: Vec<i32> = (0..300).collect();
    order.sort_by_key(|index| (index * 7) % 300);
    let row = |index: &i32| {
        let found = if index % 3 > 0 { format!("v{index}") } else { "-".to_owned() };
        format!("{found} {index} - {index}")
    };
    let rows: Vec<String> = order.iter().map(row).collect();
    check_all(&mut fixture, &[("SORT many BY by_* GET get_* GET # GET none GET #", &rows.join(" "))]);
}

#[test]
fn refusals_come_in_the_order_of_redis() {
    let syntax = "-ERR syntax error\r\n";
    let mut fixture = fixture();
    for line in [
        "SORT l FOO",
        "SORT l BY",
        "SORT l GET",
        "SORT l STORE",
        "SORT l LIMIT 1",
        "SORT str LIMIT x",
        "SORT_RO l STORE x",
    ] {
        fixture.check(line, syntax);
    }
    for line in ["SORT l LIMIT x 2", "SORT l LIMIT 1 x FOO", "SORT l LIMIT 9223372036854775808 1"] {
        fixture.check(line, "-ERR value is not an integer or out of range\r\n");
    }
    for line in ["SORT str", "SORT h_1", "SORT str BY nosort STORE d"] {
        fixture.check(line, "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    }
}

#[test]
fn results_are_stored_as_a_list() {
    let mut fixture = fixture();
    check_all(
        &mut fixture,
        &[
            ("SORT l STORE str DESC", ":4"),
            ("LRANGE str 0 -1", "10 3 2 1"),
            ("SORT l GET o_* GET # STORE d", ":8"),
            ("LINDEX d 2", "two"),
            ("LINDEX d 4", ""),
            ("SORT l STORE l", ":4"),
            ("LRANGE l 0 -1", "1 2 3 10"),
            ("SORT l LIMIT 0 0 STORE d", ":0"),
            ("EXISTS d", ":0"),
            ("SORT none STORE str", ":0"),
            ("EXISTS str", ":0"),
        ],
    );
    fixture.run("RPUSH d x");
    fixture.take_propagated();
    let dirty = fixture.dirty();
    fixture.run("SORT l STORE d");
    assert_eq!(fixture.dirty(), dirty + 4);
    assert_eq!(fixture.take_propagated(), ["SORT l STORE d"]);
    assert_eq!(fixture.events("SORT l STORE d"), ["sortstore d@0"]);
    assert_eq!(fixture.events("SORT none STORE d"), ["del d@0"]);
    assert_eq!(fixture.events("SORT none STORE d"), [""; 0]);
    assert_eq!(fixture.events("SORT l"), [""; 0]);
}

#[test]
fn its_keys_are_found_among_the_options() {
    check_all(
        &mut Fixture::new(),
        &[
            ("COMMAND GETKEYS SORT a BY x STORE STORE STORE b GET c*", "a b"),
            ("COMMAND GETKEYS SORT a", "a"),
            ("COMMAND GETKEYS SORT_RO a BY STORE STORE b", "a"),
        ],
    );
}
