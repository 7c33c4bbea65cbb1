//! The HyperLogLog commands, run whole. The replies are those of redis-server 7.0.15.

use crate::base::argv::Argv;
use crate::commands::testing::Fixture;

const WRONG: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
const CORRUPT: &str = "-INVALIDOBJ Corrupted HLL object detected\r\n";

/// Lines as redis-cli would read them, each with its raw reply.
fn check_all(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        assert_eq!(fixture.run(line), *reply, "{line}");
    }
}

fn set(fixture: &mut Fixture, key: &str, value: &[u8]) {
    fixture.run_bytes(Argv::from_iter([b"SET", key.as_bytes(), value]));
}

#[test]
fn elements_are_counted_once() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("PFADD h a b c d e f g", ":1\r\n"),
            ("PFADD h a g", ":0\r\n"),
            ("PFCOUNT h", ":7\r\n"),
            ("PFADD h2 f g h", ":1\r\n"),
            ("PFCOUNT h h2 absent", ":8\r\n"),
            ("PFMERGE all h h2 absent", "+OK\r\n"),
            ("PFCOUNT all", ":8\r\n"),
            ("PFMERGE h2", "+OK\r\n"),
            ("PFCOUNT h2", ":3\r\n"),
            ("PFCOUNT absent", ":0\r\n"),
            ("EXISTS absent", ":0\r\n"),
            ("PFADD empty", ":1\r\n"),
            ("PFADD empty", ":0\r\n"),
            ("PFCOUNT empty", ":0\r\n"),
            ("TYPE h", "+string\r\n"),
            ("OBJECT ENCODING h", "$3\r\nraw\r\n"),
        ],
    );
}

#[test]
fn only_changes_are_told() {
    let mut fixture = Fixture::new();
    let cases: [(&str, &[&str], u64); 12] = [
        ("PFADD h", &["pfadd h@0"], 1),
        ("PFADD h a b c", &["pfadd h@0"], 3),
        ("PFADD h a", &[], 0),
        ("PFCOUNT h", &["touched h@0"], 1),
        ("PFCOUNT h", &[], 0),
        ("PFADD n a b", &["pfadd n@0"], 3),
        ("PFCOUNT h n", &[], 0),
        ("PFMERGE h2 h", &["pfadd h2@0"], 1),
        ("PFDEBUG TODENSE h2", &["touched h2@0"], 1),
        ("PFDEBUG TODENSE h2", &[], 0),
        ("PFDEBUG GETREG n", &["touched n@0"], 1),
        ("PFDEBUG ENCODING n", &[], 0),
    ];
    let (mut told, mut counted) = (Fixture::new(), 0);
    for (line, events, dirty) in cases {
        assert_eq!(told.events(line), events, "{line}");
        fixture.run(line);
        counted += dirty;
        assert_eq!(fixture.dirty(), counted, "{line}");
    }
    fixture.run("PFADD h new");
    fixture.take_propagated();
    fixture.run("PFCOUNT h");
    assert_eq!(fixture.take_propagated(), ["PFCOUNT h"], "the header has changed");
    let (hits, misses) = (fixture.hits(), fixture.misses());
    fixture.run("PFMERGE h2 h absent");
    assert_eq!((fixture.hits() - hits, fixture.misses() - misses), (2, 1));
}

#[test]
fn other_strings_are_refused() {
    let mut fixture = Fixture::new();
    fixture.run("MSET int 123 text HYLL");
    set(&mut fixture, "version", b"HYLL\x02\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff");
    set(&mut fixture, "dense", b"HYLL\0\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff");
    for key in ["int", "text", "version", "dense"] {
        for command in ["PFADD", "PFCOUNT", "PFCOUNT absent", "PFMERGE d", "PFMERGE", "PFDEBUG DECODE"] {
            assert_eq!(fixture.run(&format!("{command} {key}")), WRONG, "{command} {key}");
        }
    }
    set(&mut fixture, "cut", b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xfe");
    for line in
        ["PFCOUNT cut", "PFCOUNT cut cut", "PFMERGE d cut", "PFDEBUG TODENSE cut", "PFDEBUG GETREG cut"]
    {
        assert_eq!(fixture.run(line), CORRUPT, "{line}");
    }
    assert_eq!(fixture.run("EXISTS d"), ":0\r\n");
    set(&mut fixture, "none", b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80");
    assert_eq!(fixture.run("PFADD none"), ":0\r\n");
    assert_eq!(fixture.run("PFADD none a"), CORRUPT);
}

#[test]
fn a_change_before_a_corrupt_run_is_told() {
    let mut fixture = Fixture::new();
    // Registers 0 to 12712 are there: `a` is at 12711, `b` further on.
    set(&mut fixture, "cut", b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x71\xa8");
    let before = fixture.dirty();
    assert_eq!(fixture.run("PFADD cut a b"), CORRUPT);
    assert_eq!(fixture.dirty() - before, 1);
}

#[test]
fn insides_are_shown() {
    let mut fixture = Fixture::new();
    fixture.run("PFADD h a");
    check_all(
        &mut fixture,
        &[
            ("PFDEBUG ENCODING h", "+sparse\r\n"),
            ("PFDEBUG decode h", "$20\r\nZ:12711 v:2,1 Z:3672\r\n"),
            ("PFDEBUG foo h", "-ERR Unknown PFDEBUG subcommand 'foo'\r\n"),
            ("PFDEBUG foo absent", "-ERR The specified key does not exist\r\n"),
            ("PFDEBUG TODENSE h", ":1\r\n"),
            ("PFDEBUG TODENSE h", ":0\r\n"),
            ("PFDEBUG ENCODING h", "+dense\r\n"),
            ("PFDEBUG DECODE h", "-ERR HLL encoding is not sparse\r\n"),
            ("STRLEN h", ":12304\r\n"),
            ("PFCOUNT h", ":1\r\n"),
        ],
    );
    let registers = fixture.run("PFDEBUG GETREG h");
    assert!(registers.starts_with("*16384\r\n:0\r\n"));
    assert_eq!(registers.split("\r\n").nth(12712), Some(":2"));
}

#[test]
fn the_threshold_is_a_directive() {
    let mut fixture = Fixture::new();
    fixture.run("CONFIG SET hll-sparse-max-bytes 20");
    check_all(
        &mut fixture,
        &[
            ("PFADD h", ":1\r\n"),
            ("PFDEBUG ENCODING h", "+sparse\r\n"),
            ("PFADD h a", ":1\r\n"),
            ("PFDEBUG ENCODING h", "+dense\r\n"),
        ],
    );
}

#[test]
fn a_short_string_becomes_raw_when_it_is_used() {
    let mut fixture = Fixture::new();
    for (line, reply) in [("PFCOUNT e", ":0\r\n"), ("PFDEBUG ENCODING e", "+sparse\r\n")] {
        set(&mut fixture, "e", b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
        fixture.check("OBJECT ENCODING e", "$6\r\nembstr\r\n");
        fixture.check(line, reply);
        fixture.check("OBJECT ENCODING e", "$3\r\nraw\r\n");
    }
}
