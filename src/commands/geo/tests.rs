//! The commands of geo, run whole: gates, handler, commit. Replies are those of redis-server 7.0.15.

use crate::commands::testing::Fixture;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
const SYNTAX: &str = "-ERR syntax error\r\n";
const UNIT: &str = "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n";

/// A set of two places on Sicily, and a string.
fn sicily() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.check("GEOADD g 13.361389 38.115556 P 15.087269 37.502669 C", ":2\r\n");
    fixture.run("SET str x");
    fixture.take_propagated();
    fixture
}

/// Lines with the beginning or all of their replies without RESP's types and lengths.
fn check_plain(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        let raw = fixture.run(line);
        let plain: Vec<&str> =
            raw.split("\r\n").filter(|part| !part.starts_with(['$', '*']) || part.ends_with("-1")).collect();
        assert_eq!(plain.join(" ").trim_end(), *reply, "{line}");
    }
}

#[test]
fn geoadd_adds_and_changes_scores() {
    let mut fixture = sicily();
    for (line, reply) in [
        ("GEOADD n XX 1 1 a", ":0\r\n"),
        ("EXISTS n", ":0\r\n"),
        ("GEOADD n NX 1 1 a 2 2 b", ":2\r\n"),
        ("GEOADD n nx 9 9 a", ":0\r\n"),
        ("GEOADD n CH 1 1 a 3 3 b", ":1\r\n"),
        ("GEOADD n 1 1 a 9 9 b", ":0\r\n"),
        ("GEOADD n XX CH 1 1 a 8 8 c 7 7 b", ":1\r\n"),
        ("ZCARD n", ":2\r\n"),
        ("ZSCORE g P", "$16\r\n3479099956230698\r\n"),
        ("GEOADD n NX XX 1 1 a", SYNTAX),
        ("GEOADD n XX NX 1 1 a", SYNTAX),
        ("GEOADD n NX CH 1 1", SYNTAX),
        ("GEOADD n NX CH XX", SYNTAX),
        ("GEOADD n NX CH CH", SYNTAX),
        ("GEOADD n 1 1 a 1", SYNTAX),
        ("GEOADD n 1 x m", "-ERR value is not a valid float\r\n"),
        ("GEOADD n nan 1 m", "-ERR value is not a valid float\r\n"),
        ("GEOADD n 181.5555555 2 m", "-ERR invalid longitude,latitude pair 181.555555,2.000000\r\n"),
        ("GEOADD n inf 2 m", "-ERR invalid longitude,latitude pair inf,2.000000\r\n"),
        ("GEOADD n 1 85.06 m", "-ERR invalid longitude,latitude pair 1.000000,85.060000\r\n"),
        ("GEOADD str 1 1 a", WRONG_TYPE),
        ("GEOADD str 1 x a", "-ERR value is not a valid float\r\n"),
    ] {
        fixture.check(line, reply);
    }
}

#[test]
fn geoadd_is_told_and_propagated_as_zadd() {
    let mut fixture = sicily();
    let dirty = fixture.dirty();
    fixture.run("GEOADD g NX CH 0 0 z 13.361389 38.115556 P");
    assert_eq!(fixture.take_propagated(), ["ZADD g NX CH 3377699720527872 z 3479099956230698 P"]);
    assert_eq!(fixture.dirty(), dirty + 1);
    fixture.run("GEOADD g 0 0 z");
    assert_eq!(fixture.take_propagated(), [""; 0]);
    assert_eq!(fixture.events("GEOADD g 1 1 z 2 2 y"), ["zadd g@0"]);
}

#[test]
fn members_are_told() {
    let mut fixture = sicily();
    check_plain(
        &mut fixture,
        &[
            ("GEODIST g P C", "166274.1516"),
            ("GEODIST g P C km", "166.2742"),
            ("GEODIST g P C MI", "103.3182"),
            ("GEODIST g P C Ft", "545518.8700"),
            ("GEODIST g P nope", "$-1"),
            ("GEODIST absent P C", "$-1"),
            ("GEOHASH g P nope C", "sqc8b49rny0 $-1 sqdtr74hyu0"),
            ("GEOHASH absent a", "$-1"),
            ("GEOPOS g P nope", "13.36138933897018433 38.11555639549629859 *-1"),
            ("GEOPOS absent a", "*-1"),
        ],
    );
    for (line, reply) in [
        ("GEOHASH absent", "*0\r\n"),
        ("GEOPOS g", "*0\r\n"),
        ("GEODIST absent a b xx", UNIT),
        ("GEODIST str a b xx", UNIT),
        ("GEODIST g a b m m", SYNTAX),
        ("GEODIST str a b", WRONG_TYPE),
        ("GEOHASH str", WRONG_TYPE),
        ("GEOPOS str", WRONG_TYPE),
    ] {
        fixture.check(line, reply);
    }
    fixture.run("HELLO 3");
    fixture.check("GEOPOS g P nope", "*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n");
    fixture.check("GEODIST g P C", "$11\r\n166274.1516\r\n");
}

#[test]
fn searches_answer_what_is_asked_for() {
    let mut fixture = sicily();
    check_plain(
        &mut fixture,
        &[
            ("GEORADIUS g 15 37 200 km", "P C"),
            ("GEORADIUS g 15 37 100 km", "C"),
            ("GEORADIUS g 15 37 200 km ASC", "C P"),
            ("GEORADIUS g 15 37 200 km DESC", "P C"),
            ("GEORADIUS g 15 37 200 km COUNT 1", "C"),
            ("GEORADIUS g 15 37 200 km COUNT 1 DESC", "P"),
            ("GEORADIUS g 15 37 200 km COUNT 1 ANY", "P"),
            ("GEORADIUS g 15 37 200 km COUNT 9 ANY ASC", "C P"),
            ("GEORADIUS_RO g 15 37 200 km WITHDIST", "P 190.4424 C 56.4413"),
            ("GEORADIUSBYMEMBER g P 200 km WITHHASH", "P :3479099956230698 C :3479447370796909"),
            ("GEORADIUSBYMEMBER_RO g P 1 m", "P"),
            ("GEOSEARCH g FROMMEMBER P BYBOX 1 1 m WITHCOORD", "P 13.36138933897018433 38.11555639549629859"),
            ("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC", "C P"),
            ("GEOSEARCH g BYBOX 200 400 km FROMLONLAT 15 37", "C"),
            ("GEOSEARCH g FROMMEMBER P FROMMEMBER C BYRADIUS 200 km BYRADIUS 1 m", "C"),
            ("GEOSEARCH g BYPOLYGON 3 13 38 14 38 13 39", "P"),
            ("GEOSEARCH g BYPOLYGON 3 13 38 14 38 13 39 WITHDIST", "P 24437.4086"),
            ("GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 1 km", ""),
        ],
    );
    fixture.check(
        "GEOSEARCH g FROMMEMBER P BYRADIUS 1 km WITHDIST WITHCOORD WITHHASH",
        "*1\r\n*4\r\n$1\r\nP\r\n$6\r\n0.0000\r\n:3479099956230698\r\n*2\r\n$20\r\n13.36138933897018433\r\n\
         $20\r\n38.11555639549629859\r\n",
    );
    fixture.check("GEORADIUSBYMEMBER absent x y z", "*0\r\n");
}

#[test]
fn searches_refuse_what_redis_refuses() {
    let mut fixture = sicily();
    let exactly =
        |word: &str, command: &str| format!("-ERR exactly one of {word} can be specified for {command}\r\n");
    for (line, reply) in [
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 200 km FROMLONLAT 1 2", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYBOX 200 200", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYBOX 200 -200 km", "-ERR height or width cannot be negative\r\n"),
        ("GEOSEARCH g FROMMEMBER P BYBOX x 200 km", "-ERR need numeric width\r\n"),
        ("GEOSEARCH g FROMMEMBER P BYBOX 1 x km", "-ERR need numeric height\r\n"),
        ("GEOSEARCH g FROMMEMBER nope BYRADIUS 200 km", "-ERR could not decode requested zset member\r\n"),
        ("GEOSEARCH g BYRADIUS 200 km ASC ASC", &exactly("FROMMEMBER or FROMLONLAT", "GEOSEARCH")),
        ("geoSearch g FROMMEMBER P ASC ASC ASC", &exactly("BYRADIUS and BYBOX", "geoSearch")),
        ("GEOSEARCH absent FROMMEMBER P ASC ASC ASC", &exactly("BYRADIUS and BYBOX", "GEOSEARCH")),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 200 km ANY", "-ERR the ANY argument requires COUNT argument\r\n"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 200 km COUNT 0", "-ERR COUNT must be > 0\r\n"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 200 km COUNT -1", "-ERR COUNT must be > 0\r\n"),
        ("GEORADIUS g 1 1 1 m COUNT x", "-ERR value is not an integer or out of range\r\n"),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 200 km COUNT", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 200 km STORE x", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYRADIUS 200 km STOREDIST", SYNTAX),
        ("GEORADIUS g 1 2 3 m BYBOX 1 1 m", SYNTAX),
        ("GEORADIUS_RO g 1 2 3 m STORE x", SYNTAX),
        ("GEORADIUSBYMEMBER absent x y z STORE", SYNTAX),
        ("GEORADIUSBYMEMBER g nope 1 m", "-ERR could not decode requested zset member\r\n"),
        ("GEORADIUSBYMEMBER g P x m", "-ERR need numeric radius\r\n"),
        ("GEORADIUSBYMEMBER g P -1 m", "-ERR radius cannot be negative\r\n"),
        ("GEORADIUSBYMEMBER g P 1 mm", UNIT),
        ("GEORADIUS absent 999 1 1 m", "-ERR invalid longitude,latitude pair 999.000000,1.000000\r\n"),
        ("GEORADIUS absent x 1 1 m", "-ERR value is not a valid float\r\n"),
        ("GEORADIUS str x 1 1 1", WRONG_TYPE),
        ("GEOSEARCH str a b c d e", WRONG_TYPE),
        (
            "GEOSEARCHSTORE e g FROMMEMBER P BYRADIUS 200 km WITHDIST",
            "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n",
        ),
        (
            "GEORADIUS g 1 2 3 m WITHHASH STORE x",
            "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options\r\n",
        ),
        ("GEOSEARCH g BYPOLYGON x 1 1 2 2 3 3", "-ERR invalid number of vertices\r\n"),
        ("GEOSEARCH g BYPOLYGON 2 1 1 2 2", "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices\r\n"),
        ("GEOSEARCH g BYPOLYGON 4 1 1 2 2 3 3", SYNTAX),
        ("GEOSEARCH g BYPOLYGON 2147483647 1 1 2 2 3 3", SYNTAX),
        ("GEOSEARCH g FROMMEMBER P BYPOLYGON 3 1 1 2 2 3 3", SYNTAX),
        ("GEOSEARCH g BYPOLYGON 3 1 1 2 2 3 3 FROMMEMBER P", SYNTAX),
        ("GEOSEARCH g BYPOLYGON 3 1 1 2 2 3 3 BYRADIUS 1 m", SYNTAX),
    ] {
        fixture.check(line, reply);
    }
}

#[test]
fn results_are_stored() {
    let mut fixture = sicily();
    fixture.check("GEORADIUS g 15 37 200 km STORE s STOREDIST d", ":2\r\n");
    assert_eq!(fixture.run("EXISTS s"), ":0\r\n");
    check_plain(&mut fixture, &[("ZRANGE d 0 -1 WITHSCORES", "C 56.441257870158204 P 190.44242984775784")]);
    fixture.check("GEOSEARCHSTORE d g FROMMEMBER P BYRADIUS 1 km", ":1\r\n");
    check_plain(&mut fixture, &[("ZRANGE d 0 -1 WITHSCORES", "P 3479099956230698")]);
    fixture.check("GEOSEARCHSTORE str g FROMMEMBER P BYRADIUS 200 km", ":2\r\n");
    fixture.check("TYPE str", "+zset\r\n");
    fixture.check("GEOSEARCHSTORE str g FROMLONLAT 0 0 BYRADIUS 0 km", ":0\r\n");
    fixture.check("GEORADIUSBYMEMBER absent a 1 m STORE d", ":0\r\n");
    fixture.check("EXISTS str d", ":0\r\n");
    fixture.check("GEOSEARCHSTORE g g FROMMEMBER P BYRADIUS 1 km", ":1\r\n");
    fixture.check("ZCARD g", ":1\r\n");
}

#[test]
fn stores_are_told() {
    let mut fixture = sicily();
    let dirty = fixture.dirty();
    fixture.run("GEOSEARCHSTORE d g FROMMEMBER P BYRADIUS 200 km STOREDIST");
    assert_eq!(fixture.dirty(), dirty + 2);
    assert_eq!(fixture.take_propagated(), ["GEOSEARCHSTORE d g FROMMEMBER P BYRADIUS 200 km STOREDIST"]);
    assert_eq!(fixture.events("GEOSEARCHSTORE d g FROMMEMBER P BYRADIUS 1 m"), ["geosearchstore d@0"]);
    assert_eq!(fixture.events("GEORADIUS g 15 37 200 km STOREDIST d"), ["georadiusstore d@0"]);
    assert_eq!(fixture.events("GEORADIUS g 0 0 1 m STORE d"), ["del d@0"]);
    assert_eq!(fixture.events("GEORADIUS g 0 0 1 m STORE d"), [""; 0]);
}

#[test]
fn keys_are_found_among_the_options() {
    let mut fixture = Fixture::new();
    check_plain(
        &mut fixture,
        &[
            ("COMMAND GETKEYS GEORADIUS g 1 2 3 m STORE a STOREDIST b", "g a b"),
            ("COMMAND GETKEYS GEORADIUSBYMEMBER g store 3 m STORE a", "g a"),
            ("COMMAND GETKEYS GEOSEARCHSTORE d s FROMMEMBER P BYRADIUS 1 m", "d s"),
        ],
    );
}
