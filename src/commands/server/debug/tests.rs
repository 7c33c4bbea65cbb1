//! DEBUG in process. Digests and replies are those that redis-server 7.0.15 gives.

use crate::commands::testing::Fixture;
use crate::config::Restriction;
use crate::resp::Protocol;

/// A server that allows DEBUG.
pub(in crate::commands::server) struct Probe(pub Fixture);

impl Probe {
    pub(in crate::commands::server) fn new() -> Probe {
        let mut fixture = Fixture::new();
        fixture.server.config.enable_debug_command = Restriction::Yes;
        Probe(fixture)
    }

    /// Runs a line and shows the reply with `.` for each line end; an error without one.
    pub(in crate::commands::server) fn run(&mut self, line: &str) -> String {
        let reply = self.0.run(line);
        if reply.starts_with('-') { reply.trim_end().to_owned() } else { reply.replace("\r\n", ".") }
    }

    pub(in crate::commands::server) fn speak(&mut self, protocol: Protocol) {
        self.0.client().protocol = protocol;
    }
}

#[test]
fn digests_equal_those_of_redis() {
    let mut probe = Probe::new();
    let zeros = "0".repeat(40);
    assert_eq!(probe.run("debug digest"), format!("+{zeros}."));
    probe.run("set a 1");
    probe.run("set b 12 ex 100");
    probe.0.in_db(3, "set q zz");
    assert_eq!(probe.run("debug digest"), "+2f1e7143fe4e767eaf7bf92cbff6dc630315280a.");
    assert_eq!(
        probe.run("debug digest-value a b nokey"),
        format!(
            "*3.+b4fc66738120fba0b5aa500ab5c2bf89cea1c5da.+83df3a94c43338a2db2a05ddb5dbb794b842c619.+{zeros}."
        )
    );
}

#[test]
fn a_digest_ignores_encoding_order_and_the_time_of_expiry() {
    let (mut probe, mut other) = (Probe::new(), Probe::new());
    probe.run("set a 1 ex 10");
    let before = probe.run("debug digest");
    probe.run("append b 2");
    assert_ne!(probe.run("debug digest"), before);
    other.run("set b 2");
    other.run("set a 1 ex 99");
    assert_eq!(other.run("debug digest"), probe.run("debug digest"));
}

#[test]
fn populate_keeps_what_is_there() {
    let mut probe = Probe::new();
    probe.run("set key:1 old");
    probe.0.take_propagated();
    assert_eq!(probe.run("debug populate 40"), "+OK.");
    assert_eq!(probe.run("debug populate 2 p 10"), "+OK.");
    assert_eq!(probe.run("debug populate 1 cut 3"), "+OK.");
    assert_eq!(probe.run("dbsize"), ":43.");
    assert_eq!(probe.run("mget key:1 key:39 p:1 cut:0"), "*4.$3.old.$8.value:39.$10.value:1\0\0\0.$3.val.");
    assert_eq!(
        (probe.0.dirty(), probe.0.take_propagated().len()),
        (1, 0),
        "nothing is counted or propagated"
    );
    probe.0.server.keyspace.db(0).table().check();
}

#[test]
fn populate_breaks_a_watch() {
    let mut probe = Probe::new();
    probe.run("watch key:1");
    probe.run("debug populate 2");
    probe.run("multi");
    assert_eq!(probe.run("exec"), "*-1.");
}

#[test]
fn populate_refuses_what_is_no_size() {
    let mut probe = Probe::new();
    for line in ["x", "-1", "1 a x", "1 a -5", "99999999999999999999"] {
        let reply = probe.run(&format!("debug populate {line}"));
        assert_eq!(reply, "-ERR value is out of range, must be positive", "{line}");
    }
    assert!(probe.run("debug populate 1 a 9000000000000").starts_with("-ERR string exceeds"));
}

#[test]
fn object_tells_what_lies_there() {
    let mut probe = Probe::new();
    probe.run("mset number 5 text hello");
    probe.0.advance_ms(7000);
    let number = probe.run("debug object number");
    assert!(number.contains(" refcount:2147483647 encoding:int serializedlength:2 lru:"), "{number}");
    assert!(number.ends_with(" lru_seconds_idle:7."), "{number}");
    assert!(probe.run("debug object text").contains(" refcount:1 encoding:embstr serializedlength:6 "));
    assert_eq!(probe.run("debug object nokey"), "-ERR no such key");
}

/// The lengths are those that redis-server 7.0.15 tells; for the list, which has no listpack there, of its single node.
#[test]
fn object_tells_of_every_type() {
    let mut probe = Probe::new();
    probe.run("config set list-max-listpack-size 2");
    for (build, told) in [
        ("rpush k a b 1 2", "encoding:quicklist serializedlength:29 "),
        ("hset k f v g 1", "encoding:listpack serializedlength:19 "),
        ("sadd k 1 2 3", "encoding:intset serializedlength:15 "),
        ("zadd k 1 a 2 b", "encoding:listpack serializedlength:18 "),
        ("xadd k 1-1 a b", "encoding:stream serializedlength:57 "),
        ("set k foo", "encoding:embstr serializedlength:4 "),
        ("sadd k a b", "encoding:listpack serializedlength:5 "),
    ] {
        probe.run("del k");
        probe.run(build);
        let line = probe.run("debug object k");
        assert!(line.contains(told) && line.contains(" refcount:1 "), "{build}: {line}");
        assert_eq!(line.contains("ql_nodes"), build.starts_with("rpush"), "{line}");
    }
}

/// Nodes as redis-server 7.0.15 makes them of the same elements.
#[test]
fn elements_beyond_the_threshold_get_nodes_of_their_own() {
    let mut probe = Probe::new();
    for refused in ["x", "-1", "4gb", "1.5", "4294966272"] {
        assert_eq!(
            probe.run(&format!("debug quicklist-packed-threshold {refused}")),
            "-ERR argument must be a memory value bigger than 1 and smaller than 4gb"
        );
    }
    assert_eq!(probe.run("debug quicklist-packed-threshold 100b"), "+OK.");
    let long = |length: usize| "x".repeat(length);
    // What one listpack can hold stays in it.
    probe.run("config set list-max-listpack-size 4");
    probe.run(&format!("rpush k a {} {} {} b", long(99), long(100), long(101)));
    let line = probe.run("debug object k");
    assert!(
        line.contains(" ql_nodes:4 ql_avg_node:1.25 ") && line.ends_with("ql_uncompressed_size:323."),
        "{line}"
    );
    // It outlives other settings, and 0 ends it.
    probe.run("config set list-compress-depth 0");
    probe.run(&format!("rpush k {}", long(100)));
    assert!(probe.run("debug object k").contains(" ql_nodes:5 "));
    assert_eq!(probe.run("debug quicklist-packed-threshold 0"), "+OK.");
    probe.run(&format!("rpush k c {}", long(100)));
    assert!(probe.run("debug object k").contains(" ql_nodes:6 "));
    assert_eq!(probe.run("lrange k 2 2"), format!("*1.$100.{}.", long(100)));
}

#[test]
fn packed_values_are_printed() {
    let mut probe = Probe::new();
    probe.run("hset h f v");
    assert_eq!(probe.run("debug listpack h"), "+Listpack structure printed on stdout.");
    probe.run("sadd ints 1");
    probe.run("set s v");
    for key in ["ints", "s"] {
        assert_eq!(probe.run(&format!("debug listpack {key}")), "-ERR Not a listpack encoded object.");
        assert_eq!(probe.run(&format!("debug quicklist {key}")), "-ERR Not a quicklist encoded object.");
    }
    assert_eq!(probe.run("debug listpack nokey"), "-ERR no such key");
    assert_eq!(probe.run("debug quicklist nokey 1"), "-ERR no such key");
    probe.run("config set list-max-listpack-size 1");
    probe.run("rpush l a b");
    assert_eq!(probe.run("debug quicklist l 1"), "+Quicklist structure printed on stdout.");
}

#[test]
fn switches_switch() {
    let mut probe = Probe::new();
    for line in [
        "set-active-expire 0",
        "pause-cron 1",
        "set-skip-checksum-validation 1",
        "dict-resizing 0",
        "sleep 0",
    ] {
        assert_eq!(probe.run(&format!("debug {line}")), "+OK.", "{line}");
    }
    let switches = probe.0.server.debug;
    assert!(!switches.active_expire && switches.cron_paused && switches.skip_checksum_validation);
}

#[test]
fn stopped_tables_do_not_grow() {
    let mut probe = Probe::new();
    let size = |probe: &mut Probe| {
        let statistics = probe.run("debug htstats 0");
        statistics.lines().find(|line| line.starts_with(" table size:")).expect("a size").to_owned()
    };
    probe.run("debug populate 100");
    let before = size(&mut probe);
    probe.run("debug dict-resizing 0");
    probe.run("debug populate 300");
    assert_eq!(size(&mut probe), before);
    probe.run("debug dict-resizing 1");
    probe.run("debug populate 2000");
    assert_ne!(size(&mut probe), before);
    probe.0.server.keyspace.db(0).table().check();
}

#[test]
fn a_new_replication_id_has_40_hex_digits() {
    let mut probe = Probe::new();
    probe.run("debug change-repl-id");
    let id = probe.0.server.identity.replication_id.clone();
    assert!(id.len() == 40 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    probe.run("debug change-repl-id");
    assert_ne!(probe.0.server.identity.replication_id, id);
}

#[test]
fn statistics_of_tables() {
    let mut probe = Probe::new();
    assert!(probe.run("debug htstats 1").contains("No stats available for empty dictionaries"));
    probe.run("debug populate 100");
    let full = probe.run("debug htstats 0 FULL");
    assert!(
        full.contains(" number of elements: 100\n") && full.contains(" Elements per bucket:\n"),
        "{full}"
    );
    assert_eq!(probe.run("debug htstats 99"), "-ERR Out of range database");
    assert_eq!(probe.run("debug htstats x"), "-ERR value is not an integer or out of range");
    assert_eq!(probe.run("debug htstats-key nokey"), "-ERR no such key");
    assert!(probe.run("debug htstats-key key:1").contains("is not represented using an hash table"));
    let elements = |text: &dyn Fn(usize) -> String| (0..600).map(text).collect::<Vec<_>>().join(" ");
    probe.run(&format!("sadd set {}", elements(&|at| format!("m{at}"))));
    probe.run(&format!("hset hash {}", elements(&|at| format!("f{at} v"))));
    probe.run(&format!("zadd zset {}", elements(&|at| format!("{at} m{at}"))));
    for key in ["set", "hash", "zset"] {
        let summary = probe.run(&format!("debug htstats-key {key}"));
        assert!(summary.contains(" table size: ") && !summary.contains("Elements per bucket"), "{summary}");
        let sums: usize = summary
            .lines()
            .filter_map(|line| line.strip_prefix(" number of elements: ")?.parse::<usize>().ok())
            .sum();
        assert_eq!(sums, 600, "{key}: {summary}");
        assert!(probe.run(&format!("debug htstats-key {key} full")).contains("Elements per bucket"));
        assert_eq!(probe.run(&format!("debug htstats-key {key} foo")), "-ERR syntax error");
    }
    probe.run("sadd small a");
    assert!(probe.run("debug htstats-key small").contains("is not represented using an hash table"));
}

#[test]
fn one_value_of_each_type() {
    let mut probe = Probe::new();
    assert_eq!(probe.run("debug protocol map"), "*6.:0.:0.:1.:1.:2.:0.");
    assert_eq!(probe.run("debug protocol double"), "$5.3.141.");
    assert_eq!(probe.run("debug protocol push"), "-ERR RESP2 is not supported by this command");
    probe.speak(Protocol::Resp3);
    assert_eq!(probe.run("debug protocol MAP"), "%3.:0.#f.:1.#t.:2.#f.");
    assert_eq!(probe.run("debug protocol double"), ",3.141.");
    assert_eq!(
        probe.run("debug protocol attrib"),
        "|1.$14.key-popularity.*2.$7.key:123.:90.$39.Some real reply following the attribute."
    );
    assert_eq!(
        probe.run("debug protocol push"),
        ">2.$16.server-cpu-usage.:42.$40.Some real reply following the push reply."
    );
    assert!(probe.run("debug protocol x").starts_with("-ERR Wrong protocol type name."));
}

#[test]
fn what_is_not_offered_is_refused() {
    let mut probe = Probe::new();
    for line in ["foo", "sleep", "log a b", "populate 1 a 1 1", "help x", "replybuffer resizing 0", "jmap"] {
        let name = line.split(' ').next().expect("a line has a word");
        let expected =
            format!("-ERR unknown subcommand or wrong number of arguments for '{name}'. Try DEBUG HELP.");
        assert_eq!(probe.run(&format!("debug {line}")), expected);
    }
    assert_eq!(probe.run("debug error WRONG x"), probe.run("debug error"));
    assert_eq!(probe.run("debug error WRONG"), "-WRONG");
    assert_eq!(probe.run("debug stringmatch-len a*c abc"), ":1.");
}

#[test]
fn help_lists_what_exists() {
    let help = Probe::new().run("debug help");
    for subcommand in super::SUBCOMMANDS {
        assert!(help.contains(&format!(".+{}", subcommand.name.to_ascii_uppercase())), "{}", subcommand.name);
        assert!(subcommand.help.iter().all(|line| line.len() <= 80));
    }
    assert!(super::SUBCOMMANDS.is_sorted_by_key(|subcommand| subcommand.name));
}
