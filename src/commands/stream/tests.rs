//! Streams through whole commands. Replies that Redis 7.0 has were taken from redis-server 7.0.15.

use crate::base::ids::ClientId;
use crate::client::client::Origin;
use crate::commands::testing::{Fixture, START_MS};

/// A reply in one line: line ends become blanks, lengths of bulks vanish, and so do empty ones.
fn flat(reply: &str) -> String {
    let is_length = |line: &&str| !line.starts_with('$') || *line == "$-1";
    reply.split("\r\n").filter(|line| !line.is_empty()).filter(is_length).collect::<Vec<_>>().join(" ")
}

/// Runs lines that all succeed.
fn runs(fixture: &mut Fixture, lines: &[&str]) {
    for line in lines {
        let reply = fixture.run(line);
        assert!(!reply.starts_with('-'), "{line}: {reply}");
    }
}

#[track_caller]
fn answers(fixture: &mut Fixture, cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        assert_eq!(flat(&fixture.run(line)), *reply, "{line}");
    }
}

/// A stream `s` of the entries 1-0 to 6-0.
fn six() -> Fixture {
    let mut fixture = Fixture::new();
    (1..=6).for_each(|ms| runs(&mut fixture, &[&format!("XADD s {ms} f v")]));
    fixture.take_propagated();
    fixture
}

/// `six` with a group `g` whose consumer `c` has got everything.
fn six_pending() -> Fixture {
    let mut fixture = six();
    runs(&mut fixture, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >"]);
    fixture.take_propagated();
    fixture
}

#[test]
fn xadd_makes_ids() {
    let mut fixture = Fixture::new();
    answers(
        &mut fixture,
        &[
            ("XADD s 0-* f v", "0-1"),
            ("XADD s 1-1 f v", "1-1"),
            ("XADD s 1-* f v", "1-2"),
            ("XADD s ' 2' f v", "2-0"),
            ("XADD s * f v", &format!("{START_MS}-0")),
            ("XADD s * f v", &format!("{START_MS}-1")),
            ("XADD n NOMKSTREAM 5 f v", "$-1"),
            ("EXISTS n", ":0"),
            ("TYPE s", "+stream"),
            ("OBJECT ENCODING s", "stream"),
            (
                "XADD m 18446744073709551615-18446744073709551615 f v",
                "18446744073709551615-18446744073709551615",
            ),
            ("XADD m * f v", "-ERR The stream has exhausted the last possible ID, unable to add more items"),
        ],
    );
}

#[test]
fn xadd_refuses_what_redis_refuses() {
    let mut fixture = Fixture::new();
    let invalid = "-ERR Invalid stream ID specified as stream command argument";
    let above = "-ERR The ID specified in XADD is equal or smaller than the target stream top item";
    let zero = "-ERR The ID specified in XADD must be greater than 0-0";
    let arity = "-ERR wrong number of arguments for 'xadd' command";
    let both = "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
    let exact = "-ERR syntax error, LIMIT cannot be used without the special ~ option";
    let alone = "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
    answers(
        &mut fixture,
        &[
            ("XADD k foo f v", invalid),
            ("XADD k 1-1x f v", invalid),
            ("XADD k + f v", invalid),
            ("XADD k 1-1 f", arity),
            ("XADD k 1-1 f v g", arity),
            ("XADD k NOMKSTREAM 0", arity),
            ("XADD k 0-0 f v", zero),
            ("XADD k MAXLEN 10 MINID 3 1-1 f v", both),
            ("XADD k MAXLEN -1 1-1 f v", "-ERR The MAXLEN argument must be >= 0."),
            ("XADD k MAXLEN x 1-1 f v", "-ERR value is not an integer or out of range"),
            ("XADD k MAXLEN ~ 5 LIMIT -1 1-1 f v", "-ERR The LIMIT argument must be >= 0."),
            ("XADD k MAXLEN = 5 LIMIT 4 1-1 f v", exact),
            ("XADD k LIMIT 0 1-1 f v", exact),
            ("XADD k LIMIT 4 1-1 f v", alone),
            ("XADD k MINID foo 1-1 f v", invalid),
            ("EXISTS k", ":0"),
            ("XADD k LIMIT 4 MAXLEN ~ 10 1-1 f v", "1-1"),
            ("XADD k 1-1 f v", above),
            ("XADD k 0-* f v", above),
            ("XTRIM k foo 3", "-ERR syntax error"),
            ("XTRIM k MAXLEN 3 foo", "-ERR syntax error"),
            ("XTRIM k LIMIT 0", "-ERR syntax error, XTRIM must be called with a trimming strategy"),
            ("SET str x", "+OK"),
            ("XADD str 1 f v", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ],
    );
}

#[test]
fn ranges_and_their_bounds() {
    let mut fixture = six();
    let start = "-ERR invalid start ID for the interval";
    answers(
        &mut fixture,
        &[
            ("XLEN s", ":6"),
            ("XRANGE s (1 (3-0", "*1 *2 2-0 *2 f v"),
            ("XRANGE s (4 (5", "*1 *2 5-0 *2 f v"),
            ("XREVRANGE s + - COUNT 1", "*1 *2 6-0 *2 f v"),
            ("XRANGE s 5 1", "*0"),
            ("XRANGE s - + COUNT 0", "*-1"),
            ("XRANGE n - + COUNT 0", "*0"),
            ("XRANGE s (18446744073709551615-18446744073709551615 +", start),
            ("XRANGE s - (0-0", "-ERR invalid end ID for the interval"),
            ("XRANGE s ( +", "-ERR Invalid stream ID specified as stream command argument"),
            ("XRANGE n foo bar", "-ERR Invalid stream ID specified as stream command argument"),
            ("XRANGE s - + COUNT", "-ERR syntax error"),
            ("XADD s 7 g 12 h -5", "7-0"),
            ("XREVRANGE s 7 7", "*1 *2 7-0 *4 g 12 h -5"),
        ],
    );
}

#[test]
fn trims_tell_what_they_left() {
    let mut fixture = six();
    fixture.server.keyspace.settings.rules.stream_node_max_entries = 2;
    (7..=12).for_each(|ms| runs(&mut fixture, &[&format!("XADD s {ms} f v")]));
    fixture.take_propagated();
    let dirty = fixture.dirty();
    answers(
        &mut fixture,
        &[
            ("XTRIM s MAXLEN ~ 7", ":0"),
            ("XTRIM s MAXLEN ~ 5", ":6"),
            ("XTRIM s MINID 8", ":1"),
            ("XTRIM s MINID ~ 12 LIMIT 1", ":1"),
            ("XADD s MAXLEN ~ 2 13-* f v", "13-0"),
            ("XADD s MINID = 12 KEEPREF 14 f v", "14-0"),
            ("XADD s MAXLEN ~ 100 15 f v", "15-0"),
            ("XTRIM s MINID ~ 100", ":4"),
            ("XTRIM n MAXLEN 3", ":0"),
        ],
    );
    let told = [
        "XTRIM s MAXLEN = 6",
        "XTRIM s MINID 8",
        "XTRIM s MINID = 9-0",
        "XADD s MAXLEN = 3 13-0 f v",
        "XADD s MINID = 12 KEEPREF 14 f v",
        "XADD s MAXLEN = 4 15-0 f v",
        "XTRIM s MINID = 18446744073709551615-18446744073709551615",
    ];
    assert_eq!(fixture.take_propagated(), told);
    assert_eq!(fixture.dirty() - dirty, 6 + 1 + 1 + 3 + 4);
    assert_eq!(fixture.events("XADD s MAXLEN 0 20 f v"), ["xadd s@0", "xtrim s@0"]);
    runs(&mut fixture, &["XADD s 21 f v"]);
    assert_eq!(fixture.events("XTRIM s MAXLEN 0"), ["xtrim s@0"]);
    assert!(fixture.events("XTRIM s MAXLEN 0").is_empty());
}

#[test]
fn deleting_by_reference() {
    let mut fixture = six_pending();
    answers(
        &mut fixture,
        &[
            ("XDEL n foo", ":0"),
            ("XDEL s 1 1 9", ":1"),
            ("XDELEX s ACKED IDS 3 1 2 9", "*3 :-1 :2 :-1"),
            ("XACK s g 2", ":1"),
            ("XDELEX s IDS 1 2 ACKED", "*1 :1"),
            ("XDELEX s DELREF IDS 1 3", "*1 :1"),
            ("XPENDING s g", "*4 :4 1-0 6-0 *1 *2 c 4"),
            ("XACKDEL s g IDS 3 1 2 4", "*3 :1 :-1 :1"),
            ("XACKDEL n g IDS 2 1 2", "*2 :-1 :-1"),
            ("XACKDEL s nog IDS 1 5", "*1 :-1"),
            ("XGROUP CREATE s h 5", "+OK"),
            ("XACKDEL s g ACKED IDS 2 5 6", "*2 :1 :2"),
            ("XRANGE s - +", "*1 *2 6-0 *2 f v"),
            ("XDELEX s IDS 0 1", "-ERR Number of IDs must be a positive integer"),
            ("XDELEX s IDS 2 1", "-ERR The `numids` parameter must match the number of arguments"),
            ("XDELEX s IDS 1 1 2", "-ERR The `numids` parameter must match the number of arguments"),
            ("XDELEX s KEEPREF ACKED x", "-ERR syntax error"),
        ],
    );
    assert_eq!(fixture.events("XDELEX s IDS 1 6"), ["xdel s@0"]);
}

#[test]
fn xsetid_moves_the_counters() {
    let mut fixture = six();
    answers(
        &mut fixture,
        &[
            ("XSETID n 1", "-ERR no such key"),
            ("XSETID s 1-5", "-ERR The ID specified in XSETID is smaller than the target stream top item"),
            (
                "XSETID s 9 ENTRIESADDED 1",
                "-ERR The entries_added specified in XSETID is smaller than the target stream length",
            ),
            ("XSETID s 9 ENTRIESADDED -1", "-ERR entries_added must be positive"),
            (
                "XSETID s 9 MAXDELETEDID 10",
                "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
            ),
            ("XSETID s 9 ENTRIESADDED", "-ERR syntax error"),
            ("XSETID s 9 MAXDELETEDID 3 ENTRIESADDED 44", "+OK"),
            (
                "XINFO STREAM s",
                "*20 length :6 radix-tree-keys :1 radix-tree-nodes :2 last-generated-id 9-0 \
                 max-deleted-entry-id 3-0 entries-added :44 recorded-first-entry-id 1-0 groups :0 \
                 first-entry *2 1-0 *2 f v last-entry *2 6-0 *2 f v",
            ),
        ],
    );
}

#[test]
fn xread_reads_behind_ids() {
    let mut fixture = six();
    let entry = "*2 6-0 *2 f v";
    answers(
        &mut fixture,
        &[
            ("XREAD COUNT 1 STREAMS s n 5 0", &format!("*1 *2 s *1 {entry}")),
            ("XREAD COUNT 0 STREAMS s 5", &format!("*1 *2 s *1 {entry}")),
            ("XREAD STREAMS s +", &format!("*1 *2 s *1 {entry}")),
            ("XREAD STREAMS s $", "*-1"),
            ("XREAD STREAMS n +", "*-1"),
            (
                "XREAD STREAMS s s 0",
                "-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
            ),
            ("XREAD COUNT x STREAMS s 0", "-ERR value is not an integer or out of range"),
            ("XREAD BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range"),
            ("XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative"),
            (
                "XREAD NOACK STREAMS s 0",
                "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
            ),
            (
                "XREAD CLAIM 1 STREAMS s 0",
                "-ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.",
            ),
            ("XREADGROUP COUNT 1 COUNT 2 STREAMS s >", "-ERR Missing GROUP option for XREADGROUP"),
            ("XREADGROUP GROUP g c CLAIM -1 STREAMS s >", "-ERR min-idle-time must be a positive integer"),
            (
                "XREADGROUP GROUP g c STREAMS s >",
                "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option",
            ),
        ],
    );
    runs(&mut fixture, &["HELLO 3"]);
    answers(&mut fixture, &[("XREAD STREAMS s 5", &format!("%1 s *1 {entry}")), ("XREAD STREAMS s 9", "_")]);
}

#[test]
fn groups_deliver_each_entry_once() {
    let mut fixture = six();
    answers(
        &mut fixture,
        &[
            ("XGROUP CREATE s g 0", "+OK"),
            ("XGROUP CREATE s g 0", "-BUSYGROUP Consumer Group name already exists"),
            ("XREADGROUP GROUP g c COUNT 1 STREAMS s >", "*1 *2 s *1 *2 1-0 *2 f v"),
            ("XREADGROUP GROUP g d COUNT 1 NOACK STREAMS s >", "*1 *2 s *1 *2 2-0 *2 f v"),
            ("XREADGROUP GROUP g d STREAMS s 0", "*1 *2 s *0"),
            ("XDEL s 1", ":1"),
            ("XREADGROUP GROUP g c STREAMS s 0", "*1 *2 s *1 *2 1-0 *-1"),
            (
                "XREADGROUP GROUP g c COUNT 9 STREAMS s 18446744073709551615-18446744073709551615",
                "*1 *2 s *4 *2 3-0 *2 f v *2 4-0 *2 f v *2 5-0 *2 f v *2 6-0 *2 f v",
            ),
            ("XREADGROUP GROUP g e STREAMS s >", "*-1"),
            (
                "XINFO GROUPS s",
                "*1 *12 name g consumers :3 pending :5 last-delivered-id 6-0 entries-read :6 lag :0",
            ),
            ("XACK s g 1 3 3 9", ":2"),
            ("XACK s nog foo", ":0"),
            ("XPENDING s g", "*4 :3 4-0 6-0 *1 *2 c 3"),
            ("XPENDING s g - + 1 c", "*1 *4 4-0 c :0 :1"),
            ("XPENDING s g IDLE 1 - + 10", "*0"),
            ("XPENDING s g - +", "-ERR syntax error"),
            ("XPENDING s nog", "-NOGROUP No such key 's' or consumer group 'nog'"),
            ("XGROUP DELCONSUMER s g c", ":3"),
            ("XGROUP DELCONSUMER s g c", ":0"),
            ("XPENDING s g", "*4 :0 $-1 $-1 *-1"),
        ],
    );
}

#[test]
fn replicas_are_told_owners() {
    let mut fixture = six();
    runs(&mut fixture, &["XGROUP CREATE s g 0"]);
    let dirty = fixture.dirty();
    runs(&mut fixture, &["XREADGROUP GROUP g c COUNT 2 STREAMS s >", "XREADGROUP GROUP g c STREAMS s 0"]);
    let owner = |id, count| {
        format!("XCLAIM s g c 0 {id} TIME {START_MS} RETRYCOUNT {count} FORCE JUSTID LASTID {id}")
    };
    let (first, second) = (owner("1-0", 1), owner("2-0", 1));
    let told = [
        "XGROUP CREATE s g 0",
        "XGROUP CREATECONSUMER s g c",
        &first,
        &second,
        "XGROUP SETID s g 2-0 ENTRIESREAD 2",
    ];
    let commands: Vec<_> =
        fixture.take_propagated().into_iter().filter(|line| line != "MULTI" && line != "EXEC").collect();
    assert_eq!(commands, told);
    // A consumer and an answer, then an answer.
    assert_eq!(fixture.dirty() - dirty, 3);
    assert_eq!(fixture.events("XREADGROUP GROUP g e STREAMS s >"), ["xgroup-createconsumer s@0"]);
    runs(&mut fixture, &["XCLAIM s g d 0 1 2 9", "XDEL s 1", "XAUTOCLAIM s g d 0 0 JUSTID"]);
    let commands = fixture.take_propagated();
    assert!(
        commands.iter().any(|line| line.starts_with("XCLAIM s g d 0 1-0 TIME") && line.contains("COUNT 3"))
    );
    assert!(commands.contains(&"XACK s g 1-0".to_owned()));
    // A read that delivers nothing leaves nothing behind for the next command.
    runs(&mut fixture, &["XREADGROUP GROUP g d STREAMS s >"]);
    fixture.take_propagated();
    runs(&mut fixture, &["XREADGROUP GROUP g d STREAMS s >", "XGROUP DESTROY s g"]);
    assert_eq!(fixture.take_propagated(), ["XGROUP DESTROY s g"]);
}

#[test]
fn claims_move_entries() {
    let mut fixture = six_pending();
    answers(
        &mut fixture,
        &[
            ("XCLAIM s g d 0 1 9", "*1 *2 1-0 *2 f v"),
            ("XCLAIM s g d 1000 2", "*0"),
            ("XCLAIM s g d 0 2 JUSTID", "*1 2-0"),
            ("XCLAIM s g d 0 3 IDLE 500 RETRYCOUNT 7 LASTID 9", "*1 *2 3-0 *2 f v"),
            ("XPENDING s g - + 3", "*3 *4 1-0 d :0 :2 *4 2-0 d :0 :1 *4 3-0 d :500 :7"),
            (
                "XINFO GROUPS s",
                "*1 *12 name g consumers :2 pending :6 last-delivered-id 9-0 entries-read :6 lag :0",
            ),
            ("XACK s g 5", ":1"),
            ("XCLAIM s g d 0 5", "*0"),
            ("XCLAIM s g d 0 5 FORCE", "*1 *2 5-0 *2 f v"),
            ("XPENDING s g 5 5 1", "*1 *4 5-0 d :0 :2"),
            ("XCLAIM s g d x 1", "-ERR Invalid min-idle-time argument for XCLAIM"),
            ("XCLAIM s g d 0 1 FOO", "-ERR Unrecognized XCLAIM option 'FOO'"),
            ("XCLAIM s g d 0 1 IDLE x", "-ERR Invalid IDLE option argument for XCLAIM"),
            ("XCLAIM n g d 0 1", "-NOGROUP No such key 'n' or consumer group 'g'"),
            ("XAUTOCLAIM s g e 0 - COUNT 2", "*3 3-0 *2 *2 1-0 *2 f v *2 2-0 *2 f v *0"),
            ("XDEL s 3", ":1"),
            ("XAUTOCLAIM s g e 0 (2 COUNT 2 JUSTID", "*3 5-0 *1 4-0 *1 3-0"),
            ("XAUTOCLAIM s g e 0 5", "*3 0-0 *2 *2 5-0 *2 f v *2 6-0 *2 f v *0"),
            ("XAUTOCLAIM s g e 10 0", "*3 0-0 *0 *0"),
            ("XAUTOCLAIM s g e 0 0 COUNT 0", "-ERR COUNT must be > 0"),
            ("XAUTOCLAIM n g e 0 foo", "-ERR Invalid stream ID specified as stream command argument"),
        ],
    );
}

#[test]
fn released_entries_go_to_whoever_claims() {
    let mut fixture = six_pending();
    fixture.advance_ms(100);
    answers(
        &mut fixture,
        &[
            ("XNACK s g FAIL IDS 2 3 9", ":1"),
            ("XNACK s g SILENT IDS 1 1", ":1"),
            ("XNACK s g FATAL IDS 1 2", ":1"),
            ("XPENDING s g - + 3", "*3 *4 1-0 :-1 :0 *4 2-0 :-1 :9223372036854775807 *4 3-0 :-1 :1"),
            ("XPENDING s g", "*4 :6 1-0 6-0 *1 *2 c 3"),
            ("XNACK s g FOO IDS 1 1", "-ERR mode must be SILENT, FAIL, or FATAL"),
            ("XNACK s g FAIL ID 1 1", "-ERR syntax error, expected IDS keyword"),
            ("XNACK s g FAIL IDS 0 1", "-ERR numids must be a positive integer"),
            ("XNACK s g FAIL IDS 2 1", "-ERR number of IDs doesn't match numids"),
            ("XNACK s g FAIL IDS 1 1 RETRYCOUNT -1", "-ERR Invalid RETRYCOUNT value, must be >= 0"),
            ("XNACK s g FAIL IDS 1 1 FOO", "-ERR Unrecognized XNACK option 'FOO'"),
            ("XADD s 7 f v", "7-0"),
            (
                "XREADGROUP GROUP g d COUNT 3 CLAIM 50 STREAMS s >",
                "*1 *2 s *3 *4 3-0 *2 f v -1 1 *4 1-0 *2 f v -1 0 *4 2-0 *2 f v -1 9223372036854775807",
            ),
            ("XPENDING s g 2 2 1", "*1 *4 2-0 d :0 :9223372036854775807"),
            ("XREADGROUP GROUP g d CLAIM 1000 STREAMS s >", "*1 *2 s *1 *4 7-0 *2 f v 0 0"),
            ("XREADGROUP GROUP g d COUNT 1 CLAIM 100 STREAMS s >", "*1 *2 s *1 *4 4-0 *2 f v 100 1"),
            ("XACK s g 1", ":1"),
            ("XNACK s g FAIL IDS 1 1 FORCE", ":1"),
            ("XNACK s g FAIL IDS 1 99 FORCE", ":0"),
            ("XCLAIM s g c 100000 1 JUSTID", "*1 1-0"),
        ],
    );
}

#[test]
fn xgroup_needs_what_it_works_on() {
    let mut fixture = six();
    let wrong =
        |name| format!("-ERR unknown subcommand or wrong number of arguments for '{name}'. Try XGROUP HELP.");
    let no_key = "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the \
                  MKSTREAM option to create an empty stream automatically.";
    let no_group = "-NOGROUP No such consumer group 'nog' for key name 's'";
    answers(
        &mut fixture,
        &[
            ("XGROUP CREATE n g 0", no_key),
            ("XGROUP CREATE n g bad MKSTREAM", "-ERR Invalid stream ID specified as stream command argument"),
            ("EXISTS n", ":0"),
            ("XGROUP CREATE n g $ MKSTREAM ENTRIESREAD 3", "+OK"),
            ("XLEN n", ":0"),
            ("XGROUP CREATE s h - ", "-ERR Invalid stream ID specified as stream command argument"),
            ("XGROUP create s h 0 foo", &wrong("create")),
            ("XGROUP CREATE s h 0 ENTRIESREAD -2", "-ERR value for ENTRIESREAD must be positive or -1"),
            ("XGROUP SETID s nog 0", no_group),
            ("XGROUP setid s nog 0 MKSTREAM", &wrong("setid")),
            ("XGROUP CREATECONSUMER s nog c", no_group),
            ("XGROUP CREATECONSUMER n g c", ":1"),
            ("XGROUP CREATECONSUMER n g c", ":0"),
            ("XGROUP SETID n g + ENTRIESREAD -1", "+OK"),
            ("XGROUP DESTROY n g", ":1"),
            ("XGROUP DESTROY n g", ":0"),
            ("XGROUP DESTROY x g", no_key),
            ("XGROUP FOO", "-ERR unknown subcommand 'FOO'. Try XGROUP HELP."),
        ],
    );
    assert!(fixture.run("XGROUP HELP").starts_with("*17\r\n+XGROUP <subcommand>"));
    assert!(fixture.run("XINFO HELP").starts_with("*9\r\n+XINFO <subcommand>"));
}

#[test]
fn xinfo_tells_all() {
    let mut fixture = six_pending();
    fixture.advance_ms(5);
    runs(&mut fixture, &["XREADGROUP GROUP g d STREAMS s >", "XNACK s g FAIL IDS 1 6"]);
    fixture.advance_ms(20);
    let (early, late) = (START_MS, START_MS + 5);
    answers(
        &mut fixture,
        &[
            (
                "XINFO CONSUMERS s g",
                "*2 *8 name c pending :5 idle :25 inactive :25 *8 name d pending :0 idle :20 inactive :-1",
            ),
            (
                "XINFO STREAM s FULL COUNT 1",
                &format!(
                    "*18 length :6 radix-tree-keys :1 radix-tree-nodes :2 last-generated-id 6-0 \
                     max-deleted-entry-id 0-0 entries-added :6 recorded-first-entry-id 1-0 entries *1 *2 1-0 *2 f v \
                     groups *1 *16 name g last-delivered-id 6-0 entries-read :6 lag :0 pel-count :6 nacked-count :1 \
                     pending *1 *4 1-0 c :{early} :1 consumers *2 *10 name c seen-time :{early} active-time :{early} \
                     pel-count :5 pending *1 *3 1-0 :{early} :1 *10 name d seen-time :{late} active-time :-1 \
                     pel-count :0 pending *0"
                ),
            ),
            ("XINFO STREAM n", "-ERR no such key"),
            (
                "XINFO stream s FULL COUNT",
                "-ERR unknown subcommand or wrong number of arguments for 'stream'. Try XINFO HELP.",
            ),
            ("XINFO CONSUMERS s nog", "-NOGROUP No such consumer group 'nog' for key name 's'"),
            ("XGROUP CREATE e g $ MKSTREAM", "+OK"),
            (
                "XINFO STREAM e",
                "*20 length :0 radix-tree-keys :0 radix-tree-nodes :1 last-generated-id 0-0 max-deleted-entry-id 0-0 \
                 entries-added :0 recorded-first-entry-id 0-0 groups :1 first-entry $-1 last-entry $-1",
            ),
            (
                "XINFO GROUPS e",
                "*1 *12 name g consumers :0 pending :0 last-delivered-id 0-0 entries-read $-1 lag :0",
            ),
        ],
    );
}

/// A second client of the fixture's server, who runs lines.
fn second_client(fixture: &mut Fixture) -> ClientId {
    let origin = Origin::local(50_001);
    fixture.server.clients.add(origin, START_MS)
}

fn run_as(fixture: &mut Fixture, client: ClientId, line: &str) -> String {
    let own = std::mem::replace(&mut fixture.client, client);
    let reply = fixture.run(line);
    fixture.client = own;
    flat(&reply)
}

/// What was pushed to a client that waited.
fn pushed(fixture: &Fixture, client: ClientId) -> String {
    let client = fixture.server.clients.get(client).expect("a client that waited");
    flat(&String::from_utf8_lossy(client.output.pending()))
}

#[test]
fn readers_wait_for_entries() {
    let mut fixture = six();
    let waiting = second_client(&mut fixture);
    assert_eq!(run_as(&mut fixture, waiting, "XREAD BLOCK 0 STREAMS n s 0 $"), "");
    runs(&mut fixture, &["XADD s 7 f v"]);
    assert_eq!(pushed(&fixture, waiting), "*1 *2 s *1 *2 7-0 *2 f v");
    runs(&mut fixture, &["MULTI", "XREAD BLOCK 0 STREAMS s $"]);
    fixture.check("EXEC", "*1\r\n*-1\r\n");
}

#[test]
fn group_readers_wait_and_are_told_when_the_group_goes() {
    let mut fixture = six_pending();
    let waiting = second_client(&mut fixture);
    let gone = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
    assert_eq!(run_as(&mut fixture, waiting, "XREADGROUP GROUP g w BLOCK 0 STREAMS s >"), "");
    runs(&mut fixture, &["XADD s 7 f v"]);
    assert_eq!(pushed(&fixture, waiting), "*1 *2 s *1 *2 7-0 *2 f v");
    fixture.check("XPENDING s g 7 7 1", "*1\r\n*4\r\n$3\r\n7-0\r\n$1\r\nw\r\n:0\r\n:1\r\n");

    let waiting = second_client(&mut fixture);
    assert_eq!(run_as(&mut fixture, waiting, "XREADGROUP GROUP g w BLOCK 0 STREAMS s >"), "");
    runs(&mut fixture, &["XGROUP DESTROY s g"]);
    assert_eq!(pushed(&fixture, waiting), gone);

    runs(&mut fixture, &["XGROUP CREATE s g $"]);
    let waiting = second_client(&mut fixture);
    assert_eq!(run_as(&mut fixture, waiting, "XREADGROUP GROUP g w BLOCK 0 STREAMS s >"), "");
    runs(&mut fixture, &["DEL s"]);
    assert_eq!(pushed(&fixture, waiting), gone);
}
