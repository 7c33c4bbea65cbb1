//! The bitmap commands, run whole. The replies are those of redis-server 7.0.15, but for what is newer.

use crate::commands::testing::Fixture;

/// Lines as redis-cli would read them, each with its raw reply.
fn check_all(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        assert_eq!(fixture.run(line), *reply, "{line}");
    }
}

const OFFSET: &str = "-ERR bit offset is not an integer or out of range\r\n";
const BIT: &str = "-ERR bit is not an integer or out of range\r\n";
const INTEGER: &str = "-ERR value is not an integer or out of range\r\n";
const SYNTAX: &str = "-ERR syntax error\r\n";
const TYPE: &str =
    "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n";

#[test]
fn single_bits() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("SETBIT k 7 1", ":0\r\n"),
            ("SETBIT k 7 0", ":1\r\n"),
            ("SETBIT k 6 1", ":0\r\n"),
            ("GETBIT k 6", ":1\r\n"),
            ("GETBIT k 7", ":0\r\n"),
            ("GETBIT k 4294967295", ":0\r\n"),
            ("GETBIT absent 1", ":0\r\n"),
            ("GET k", "$1\r\n\u{2}\r\n"),
            ("SET n 7", "+OK\r\n"),
            ("GETBIT n 2", ":1\r\n"),
            ("SETBIT n 7 0", ":1\r\n"),
            ("GET n", "$1\r\n6\r\n"),
            ("OBJECT ENCODING n", "$3\r\nraw\r\n"),
            ("SETBIT n x 2", OFFSET),
            ("SETBIT n -1 1", OFFSET),
            ("SETBIT n 4294967296 1", OFFSET),
            ("GETBIT n 4294967296", OFFSET),
            ("SETBIT n 0 2", BIT),
            ("SETBIT n 0 x", BIT),
        ],
    );
}

#[test]
fn only_changes_are_told() {
    let mut fixture = Fixture::new();
    let cases: [(&str, &[&str]); 15] = [
        ("SETBIT a 7 0", &["setbit a@0"]),
        ("SETBIT a 7 0", &[]),
        ("SETBIT a 7 1", &["setbit a@0"]),
        ("SETBIT a 9 0", &["setbit a@0"]),
        ("BITFIELD f SET u8 0 0", &["setbit f@0"]),
        ("BITFIELD f SET u8 0 0 GET u8 0", &[]),
        ("BITFIELD f OVERFLOW FAIL INCRBY u1 0 5", &[]),
        ("BITFIELD f OVERFLOW FAIL INCRBY u1 100 5", &["touched f@0"]),
        ("BITFIELD g OVERFLOW WRAP", &[]),
        ("BITOP OR d a f", &["set d@0"]),
        ("BITOP AND d absent", &["del d@0"]),
        ("BITOP AND d absent", &[]),
        ("GETBIT a 1", &[]),
        ("BITCOUNT a", &[]),
        ("BITPOS a 1", &[]),
    ];
    for (line, events) in cases {
        assert_eq!(fixture.events(line), events, "{line}");
    }
    fixture.run("BITFIELD h SET u8 0 0 SET u8 8 5 GET u8 0 INCRBY u8 0 0");
    assert_eq!(fixture.dirty(), 3, "each write to a string that grew");
    fixture.run("BITFIELD h SET u8 0 0 SET u8 8 6");
    assert_eq!(fixture.dirty(), 4);
}

#[test]
fn bits_are_counted() {
    let mut fixture = Fixture::new();
    fixture.run("SET s foobar");
    check_all(
        &mut fixture,
        &[
            ("BITCOUNT s", ":26\r\n"),
            ("BITCOUNT s 0 0", ":4\r\n"),
            ("BITCOUNT s 1 1", ":6\r\n"),
            ("BITCOUNT s 0 -100", ":4\r\n"),
            ("BITCOUNT s -1 -3", ":0\r\n"),
            ("BITCOUNT s -100 -200", ":0\r\n"),
            ("BITCOUNT s -1 -3 foo", ":0\r\n"),
            ("BITCOUNT s 5 3 BIT", ":0\r\n"),
            ("BITCOUNT s 5 30 BIT", ":17\r\n"),
            ("BITCOUNT s 5 30 byte", ":4\r\n"),
            ("BITCOUNT s -9223372036854775808 9223372036854775807 bit", ":26\r\n"),
            ("BITCOUNT absent a b", ":0\r\n"),
            ("BITCOUNT s 1", SYNTAX),
            ("BITCOUNT s a", SYNTAX),
            ("BITCOUNT s a 2 foo", INTEGER),
            ("BITCOUNT s 1 2 foo", SYNTAX),
            ("BITCOUNT s 0 1 byte x", SYNTAX),
            ("SET n 1234", "+OK\r\n"),
            ("BITCOUNT n", ":13\r\n"),
            ("SET empty \"\"", "+OK\r\n"),
            ("BITCOUNT empty 0 0", ":0\r\n"),
            ("BITCOUNT empty", ":0\r\n"),
        ],
    );
}

#[test]
fn bits_are_found() {
    let mut fixture = Fixture::new();
    fixture.run("SET s foobar");
    fixture.run(r#"SET ff "\xff\xff""#);
    fixture.run("SET empty \"\"");
    check_all(
        &mut fixture,
        &[
            ("BITPOS s 1", ":1\r\n"),
            ("BITPOS s 0", ":0\r\n"),
            ("BITPOS s 1 2", ":17\r\n"),
            ("BITPOS s 0 -100 -200", ":0\r\n"),
            ("BITPOS ff 0", ":16\r\n"),
            ("BITPOS ff 0 0", ":16\r\n"),
            ("BITPOS ff 0 0 -1", ":-1\r\n"),
            ("BITPOS ff 0 5", ":-1\r\n"),
            ("BITPOS ff 0 2 1", ":-1\r\n"),
            ("BITPOS ff 0 0 -1 BIT", ":-1\r\n"),
            ("BITPOS ff 1 3 -1 bit", ":3\r\n"),
            ("BITPOS ff 1 9 3 BIT", ":-1\r\n"),
            ("BITPOS empty 0", ":-1\r\n"),
            ("BITPOS empty 1", ":-1\r\n"),
            ("BITPOS absent 0 x y z u", ":0\r\n"),
            ("BITPOS absent 1 x", ":-1\r\n"),
            ("BITPOS absent 2", "-ERR The bit argument must be 1 or 0.\r\n"),
            ("BITPOS s x", INTEGER),
            ("BITPOS s 1 x", INTEGER),
            ("BITPOS s 0 0 x FOO", SYNTAX),
            ("BITPOS s 0 0 -1 BIT x", SYNTAX),
        ],
    );
}

#[test]
fn bitmaps_are_combined() {
    let mut fixture = Fixture::new();
    fixture.run(r#"SET x "\xf0\x0f""#);
    fixture.run(r#"SET y "\xcc""#);
    fixture.run(r#"SET z "\xaa\xff\x01""#);
    let cases: &[(&str, &[u8])] = &[
        ("AND d x y", b"\xc0\x00"),
        ("or d x y z", b"\xfe\xff\x01"),
        ("XOR d x y z", b"\x96\xf0\x01"),
        ("NOT d x", b"\x0f\xf0"),
        ("DIFF d x y", b"\x30\x0f"),
        ("DIFF1 d x y z", b"\x0e\xf0\x01"),
        ("ANDOR d x y z", b"\xe0\x0f\x00"),
        ("ONE d x y z", b"\x16\xf0\x01"),
        ("ONE d x", b"\xf0\x0f"),
        ("AND x x", b"\xf0\x0f"),
    ];
    for (arguments, expected) in cases {
        assert_eq!(fixture.run(&format!("BITOP {arguments}")), format!(":{}\r\n", expected.len()));
        let target = if arguments.starts_with("AND x x") { "x" } else { "d" };
        let argv = ["GET", target].iter().collect();
        let got = fixture.run_bytes(argv);
        let bulk = [format!("${}\r\n", expected.len()).as_bytes(), expected, b"\r\n"].concat();
        assert_eq!(got, bulk, "{arguments}");
    }
    check_all(
        &mut fixture,
        &[
            ("BITOP NOT d x y", "-ERR BITOP NOT must be called with a single source key.\r\n"),
            ("BITOP diff d x", "-ERR BITOP DIFF must be called with at least two source keys.\r\n"),
            ("BITOP ANDOR d x", "-ERR BITOP ANDOR must be called with at least two source keys.\r\n"),
            ("BITOP NOR d x", SYNTAX),
            ("BITOP AND d", "-ERR wrong number of arguments for 'bitop' command\r\n"),
            ("SET n 1", "+OK\r\n"),
            ("SETEX d 100 v", "+OK\r\n"),
            ("BITOP OR d n", ":1\r\n"),
            ("TTL d", ":-1\r\n"),
            ("GET d", "$1\r\n1\r\n"),
            ("OBJECT ENCODING d", "$3\r\nraw\r\n"),
            ("BITOP AND d absent", ":0\r\n"),
            ("EXISTS d", ":0\r\n"),
        ],
    );
    let (hits, misses) = (fixture.hits(), fixture.misses());
    fixture.run("BITOP OR d x absent y");
    assert_eq!((fixture.hits() - hits, fixture.misses() - misses), (2, 1));
}

#[test]
fn an_expired_target_goes_before_it_is_replaced() {
    let mut fixture = Fixture::new();
    fixture.run("SET x abc");
    fixture.run("SET d v PX 10");
    fixture.advance_ms(11);
    assert_eq!(fixture.events("BITOP OR d x"), ["expired d@0", "set d@0"]);
}

#[test]
fn fields_are_read_and_written() {
    let mut fixture = Fixture::new();
    check_all(
        &mut fixture,
        &[
            ("BITFIELD k SET i8 0 100 GET u4 0", "*2\r\n:0\r\n:6\r\n"),
            ("BITFIELD k INCRBY i8 0 100 GET i8 0", "*2\r\n:-56\r\n:-56\r\n"),
            ("BITFIELD k OVERFLOW SAT INCRBY u2 100 5 OVERFLOW FAIL INCRBY u2 100 5", "*2\r\n:3\r\n$-1\r\n"),
            ("BITFIELD k SET u8 #1 255 GET u8 #1 GET u8 8", "*3\r\n:0\r\n:255\r\n:255\r\n"),
            ("BITFIELD k GET u63 4294967295", "*1\r\n:0\r\n"),
            (
                "BITFIELD q OVERFLOW SAT SET i63 0 -9223372036854775808 GET i63 0",
                "*2\r\n:0\r\n:4611686018427387903\r\n",
            ),
            ("BITFIELD absent GET u8 0", "*1\r\n:0\r\n"),
            ("BITFIELD absent", "*0\r\n"),
            ("EXISTS absent", ":0\r\n"),
            ("BITFIELD k GET u64 0", TYPE),
            ("BITFIELD k GET i65 0", TYPE),
            ("BITFIELD k GET U8 0", TYPE),
            ("BITFIELD k GET i 0", TYPE),
            ("BITFIELD k SET i8 100 1 GET x 0", TYPE),
            ("BITFIELD k OVERFLOW x GET u8 0", "-ERR Invalid OVERFLOW type specified\r\n"),
            ("BITFIELD k OVERFLOW", SYNTAX),
            ("BITFIELD k GET u8", SYNTAX),
            ("BITFIELD k foo", SYNTAX),
            ("BITFIELD k SET u8 0 x", INTEGER),
            ("BITFIELD k GET u8 #-1", OFFSET),
            ("BITFIELD k GET u8 #", OFFSET),
            ("BITFIELD k GET u8 #9223372036854775807", OFFSET),
            ("BITFIELD k GET u8 4294967296", OFFSET),
            ("BITFIELD_RO k GET i8 0", "*1\r\n:-56\r\n"),
            ("BITFIELD_RO k OVERFLOW SAT", "*0\r\n"),
            ("BITFIELD_RO k SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand\r\n"),
            ("BITFIELD_RO k SET u8 0 x", INTEGER),
        ],
    );
}

#[test]
fn a_bitfield_that_only_reads_says_so() {
    let mut fixture = Fixture::new();
    let reads = "*1\r\n*2\r\n$1\r\nk\r\n*2\r\n+RO\r\n+access\r\n";
    let writes = "*1\r\n*2\r\n$1\r\nk\r\n*3\r\n+RW\r\n+access\r\n+update\r\n";
    for (line, expected) in [
        ("k", reads),
        ("k GET u8 0", reads),
        ("k OVERFLOW SAT GET u8 0", reads),
        ("k GET get SET", reads),
        ("k SET u8 0 1", writes),
        ("k GET", writes),
        ("k GET u8 0 foo", writes),
    ] {
        assert_eq!(fixture.run(&format!("COMMAND GETKEYSANDFLAGS BITFIELD {line}")), expected, "{line}");
    }
}
