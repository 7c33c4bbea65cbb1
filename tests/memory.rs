//! What memory is said to be used, against what the allocator has given out: MEMORY USAGE of every encoding, eviction
//! of collections, and their freeing off the loop.

pub mod support;

use support::{Connection, Server, Start, encode, wait_for};

/// How far MEMORY USAGE may be from what the allocator says.
const DEVIATION_MAX: f64 = 0.15;
/// Commands sent before their replies are read.
const BATCH: usize = 1000;

fn server() -> Server {
    Start::tintype().with("--save", "").with("--enable-debug-command", "yes").spawn()
}

/// Runs commands in batches; none may fail.
#[track_caller]
fn run_all(connection: &mut Connection, commands: impl Iterator<Item = Vec<String>>) {
    let commands: Vec<Vec<String>> = commands.collect();
    for batch in commands.chunks(BATCH) {
        connection.send(&batch.iter().flat_map(|command| encode(command)).collect::<Vec<u8>>());
        for command in batch {
            let reply = connection.value();
            assert!(!reply.is_error(), "{command:?}: {reply:?}");
        }
    }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// Bytes in use. The clients' own buffers are small beside what is measured here.
fn used(connection: &mut Connection) -> i64 {
    connection.info_number("used_memory")
}

#[track_caller]
fn assert_near(what: &str, said: i64, grown: i64) {
    let ratio = said as f64 / grown as f64;
    assert!((ratio - 1.0).abs() <= DEVIATION_MAX, "{what}: {said} said, {grown} grown, ratio {ratio:.3}");
}

/// One large value under `k`: built by `commands`, then asked about.
#[track_caller]
fn large(directives: &str, encoding: &str, commands: impl Iterator<Item = Vec<String>>) {
    let server = server();
    let mut connection = server.connect();
    if !directives.is_empty() {
        connection.ok(&format!("CONFIG SET {directives}"));
    }
    let before = used(&mut connection);
    run_all(&mut connection, commands);
    let grown = used(&mut connection) - before;
    let encoding_found = connection.run("OBJECT ENCODING k").text();
    assert_eq!(encoding_found, encoding);
    let said = connection.run("MEMORY USAGE k SAMPLES 0").integer();
    assert_near(&format!("{encoding} {directives}"), said, grown);
    let sampled = connection.run("MEMORY USAGE k SAMPLES 50").integer();
    let ratio = sampled as f64 / said as f64;
    assert!((0.6..1.7).contains(&ratio), "{encoding} {directives}: {sampled} by samples, {said} by all");
    connection.run("DEL k");
    wait_for("everything is freed", || used(&mut connection) < before + grown / 10 + (100 << 10));
}

/// Many small values, which together make up what they take.
#[track_caller]
fn small(encoding: &str, command: impl Fn(usize) -> String) {
    const KEYS: usize = 4000;
    let server = server();
    let mut connection = server.connect();
    let before = used(&mut connection);
    run_all(&mut connection, (0..KEYS).map(|key| words(&command(key))));
    let grown = used(&mut connection) - before;
    let keys = (0..KEYS).map(|key| format!("k{key}"));
    let said: i64 = keys.map(|key| connection.run(&format!("MEMORY USAGE {key} SAMPLES 0")).integer()).sum();
    assert_eq!(connection.run("OBJECT ENCODING k7").text(), encoding);
    assert_near(encoding, said, grown);
}

/// A text whose length varies.
fn text(number: usize) -> String {
    format!("{number}-{}", "x".repeat(number % 23))
}

#[test]
fn usage_of_lists() {
    large("", "quicklist", (0..60_000).map(|n| words(&format!("RPUSH k {}", text(n)))));
    large("", "quicklist", (0..60_000).map(|n| words(&format!("LPUSH k {n}"))));
    large("", "quicklist", (0..200).map(|n| words(&format!("RPUSH k {}", "y".repeat(9000 + n)))));
    large("list-compress-depth 1", "quicklist", (0..60_000).map(|n| words(&format!("RPUSH k {}", text(n)))));
    large("list-max-listpack-size -5", "listpack", (0..4000).map(|n| words(&format!("RPUSH k a{n}"))));
    small("listpack", |key| format!("RPUSH k{key} {}", vec![text(key); 10].join(" ")));
}

#[test]
fn usage_of_hashes() {
    large("", "hashtable", (0..300_000).map(|n| words(&format!("HSET k f{n} {}", text(n)))));
    let expiring = (0..60_000).map(|n| words(&format!("HSETEX k EX 10000 FIELDS 1 f{n} {}", text(n))));
    large("", "hashtable", expiring);
    large("", "hashtable", (0..2000).map(|n| words(&format!("HSET k f{n} {}", "z".repeat(n)))));
    small("listpack", |key| format!("HSET k{key} a {} b 1 c {key}", text(key)));
    small("listpackex", |key| format!("HSETEX k{key} EX 10000 FIELDS 2 a {} b 1", text(key)));
}

#[test]
fn usage_of_sets() {
    large("", "hashtable", (0..300_000).map(|n| words(&format!("SADD k {}", text(n)))));
    large("set-max-intset-entries 100000", "intset", (0..20_000).map(|n| words(&format!("SADD k {n}"))));
    small("listpack", |key| format!("SADD k{key} {} a b c", text(key)));
    small("intset", |key| format!("SADD k{key} {key} 1 2 3 70000"));
}

#[test]
fn usage_of_sorted_sets() {
    let score = |n: usize| n.wrapping_mul(2_654_435_761) % 1_000_003;
    large("", "skiplist", (0..250_000).map(|n| words(&format!("ZADD k {} {}", score(n), text(n)))));
    large("", "skiplist", (0..60_000).map(|n| words(&format!("ZADD k {n} {}", text(n)))));
    small("listpack", |key| format!("ZADD k{key} 1 {} 2.5 b {key} c", text(key)));
}

#[test]
fn usage_of_streams() {
    large("", "stream", (0..30_000).map(|n| words(&format!("XADD k {}-1 field {}", n + 1, text(n)))));
    let group = [words("XGROUP CREATE k g 0 MKSTREAM")].into_iter();
    let entries = (0..20_000).map(|n| words(&format!("XADD k {}-1 f {n}", n + 1)));
    let reads = (0..200).map(|n| words(&format!("XREADGROUP GROUP g c{n} COUNT 100 STREAMS k >")));
    large("", "stream", group.chain(entries).chain(reads));
    small("stream", |key| format!("XADD k{key} 1-1 field {}", text(key)));
}

#[test]
fn usage_of_strings() {
    small("embstr", |key| format!("SET k{key} {}", text(key)));
    small("int", |key| format!("SET k{key} {}", 100_000 + key));
    small("raw", |key| format!("SET k{key} {}", "r".repeat(100 + key % 3000)));
}

/// The figures that are about the whole: they hold the tables of collections, which are mappings of their own.
#[test]
fn the_dataset_holds_the_tables_of_collections() {
    let server = server();
    let mut connection = server.connect();
    let command = |n: usize| words(&format!("SADD k {}", n * 1_000_003));
    run_all(
        &mut connection,
        (0..600).map(|n| words(&format!("SADD k m{n}"))).chain((0..400_000).map(command)),
    );
    let said = connection.run("MEMORY USAGE k SAMPLES 0").integer();
    let dataset = connection.info_number("used_memory_dataset");
    assert_near("the dataset", dataset, said);
    assert!(connection.info_number("used_memory_peak") >= connection.info_number("used_memory"));
}

/// Fills a server beyond its limit with collections.
#[track_caller]
fn fill_beyond_the_limit(policy: &str, command: impl Fn(usize, usize) -> String) {
    const KEYS: usize = 120;
    const ELEMENTS: usize = 1000;
    let server = server();
    let mut connection = server.connect();
    let limit = used(&mut connection) + (2 << 20);
    connection.ok(&format!("CONFIG SET maxmemory-policy {policy} maxmemory {limit}"));
    for key in 0..KEYS {
        run_all(&mut connection, (0..ELEMENTS).map(|element| words(&command(key, element))));
    }
    wait_for("it is below the limit", || used(&mut connection) <= limit + (64 << 10));
    let (evicted, left) = (connection.info_number("evicted_keys"), connection.run("DBSIZE").integer());
    assert!(
        evicted > 0 && left > 0 && evicted + left >= KEYS as i64,
        "{policy}: {evicted} evicted, {left} left"
    );
    // No more goes than must.
    assert!(used(&mut connection) > limit - (1 << 20), "{policy}: {} of {limit} used", used(&mut connection));
}

#[test]
fn collections_are_evicted() {
    fill_beyond_the_limit("allkeys-lru", |key, element| {
        format!("HSET h{key} field:{element} {}", text(element))
    });
    fill_beyond_the_limit("allkeys-random", |key, element| {
        format!("ZADD z{key} {element} {}", text(element))
    });
    fill_beyond_the_limit("allkeys-lfu", |key, element| format!("SADD s{key} member:{}", text(element)));
    fill_beyond_the_limit("allkeys-lru", |key, element| {
        format!("RPUSH l{key} {}{}", text(element), "e".repeat(40))
    });
}

/// A limit below what is there: one big value goes, and nothing that need not.
#[test]
fn what_is_being_freed_costs_no_further_keys() {
    const BIG: usize = 400_000;
    let server = server();
    let mut connection = server.connect();
    connection.ok("CONFIG SET lazyfree-lazy-eviction yes maxmemory-samples 64");
    run_all(&mut connection, (0..BIG).map(|n| words(&format!("HSET big f{n} {}", text(n)))));
    connection.ok("CONFIG SET maxmemory-policy allkeys-lru");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    run_all(&mut connection, (0..1000).map(|n| words(&format!("SET small{n} v"))));
    let limit = used(&mut connection) - 1000;
    connection.ok(&format!("CONFIG SET maxmemory {limit}"));
    run_all(&mut connection, (0..3000).map(|n| words(&format!("SET other{} v", n % 3))));
    assert_eq!((connection.run("EXISTS big").integer(), connection.run("DBSIZE").integer()), (0, 1003));
    assert_eq!(connection.info_number("evicted_keys"), 1);
}

fn freed(connection: &mut Connection) -> i64 {
    connection.info_number("lazyfreed_objects")
}

/// Ways in which a huge value goes, each of which must leave it to the helper thread whatever is configured.
#[test]
fn huge_values_are_freed_off_the_loop() {
    const MEMBERS: usize = 20_000;
    /// The command that adds element `n`.
    type Build = fn(usize) -> String;
    let builds: [(&str, Build); 4] = [
        ("hash", |n| format!("HSET k f{n} v")),
        ("set", |n| format!("SADD k m{n}")),
        ("zset", |n| format!("ZADD k {n} m{n}")),
        ("list", |n| format!("RPUSH k {}", "l".repeat(9000 + n % 2))),
    ];
    let server = server();
    let mut connection = server.connect();
    connection.ok("SET other v");
    for (name, build) in builds {
        let members = if name == "list" { 5000 } else { MEMBERS };
        for way in [
            "DEL k",
            "UNLINK k",
            "SET k v",
            "RENAME other k",
            "SUNIONSTORE k nothing",
            "PEXPIREAT k 1",
            "RESTORE k 0 \"\\x00\\x01a\\x0a\\x00\\xb7\\x15\\x13\\x9b\\x42\\x64\\xdd\\xa3\" REPLACE",
            "FLUSHDB",
            "FLUSHALL SYNC",
        ] {
            if way.starts_with("RESTORE") {
                continue;
            }
            run_all(&mut connection, (0..members).map(|n| words(&build(n))));
            connection.ok("SET other v");
            let before = freed(&mut connection);
            assert!(!connection.run(way).is_error(), "{way}");
            wait_for("it is freed", || connection.info_number("lazyfree_pending_objects") == 0);
            let counted = freed(&mut connection) - before;
            let expected = if way.starts_with("FLUSH") { 2 } else { 1 };
            assert_eq!(counted, expected, "{name} {way}");
            connection.run("FLUSHALL");
        }
    }
}

/// Emptied by their own commands, as a whole.
#[test]
fn values_that_are_emptied_at_once_are_freed_off_the_loop() {
    let server = server();
    let mut connection = server.connect();
    let cases = [
        ("SADD k m", "SPOP k 30000"),
        ("ZADD k 1 m", "ZREMRANGEBYRANK k 0 -1"),
        ("ZADD k 1 m", "ZREMRANGEBYSCORE k -inf +inf"),
        ("ZADD k 1 m", "ZREMRANGEBYLEX k - +"),
    ];
    for (build, way) in cases {
        run_all(&mut connection, (0..20_000).map(|n| words(&format!("{build}{n}"))));
        let before = freed(&mut connection);
        connection.run(way);
        assert_eq!(connection.run("EXISTS k").integer(), 0, "{way}");
        wait_for(way, || freed(&mut connection) == before + 1);
    }
    run_all(&mut connection, (0..5000).map(|n| words(&format!("RPUSH k {}", "l".repeat(9000 + n % 2)))));
    let before = freed(&mut connection);
    connection.ok("LTRIM k 1 0");
    wait_for("LTRIM", || freed(&mut connection) == before + 1);
}

/// An expired value goes to the helper thread, too, when it is found and when the cycle finds it.
#[test]
fn expired_values_are_freed_off_the_loop() {
    let server = server();
    let mut connection = server.connect();
    for active in ["0", "1"] {
        connection.ok(&format!("DEBUG SET-ACTIVE-EXPIRE {active}"));
        run_all(&mut connection, (0..20_000).map(|n| words(&format!("HSET k f{n} v"))));
        let before = freed(&mut connection);
        connection.run("PEXPIRE k 1");
        wait_for("it is gone", || {
            (active == "1" || connection.run("EXISTS k").integer() == 0)
                && freed(&mut connection) == before + 1
        });
    }
}
