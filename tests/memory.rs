//! What memory is said to be used, against what the allocator has given out: MEMORY USAGE of every encoding, eviction
//! of collections, and their freeing off the loop.

pub mod support;

use support::{Connection, Server, Start, encode, wait_for};

/// How far MEMORY USAGE may be from what the allocator says.
const DEVIATION_MAX: f64 = 0.15;
/// What is there besides the value: the keyspace's first table, the reply that is being written.
const AROUND_BYTES: i64 = 8 << 10;
/// Commands sent before their replies are read.
const BATCH: usize = 1000;

/// A server that has all the memory that serving takes: no histograms of latencies come with new commands, no slow ones
/// are kept, and its buffers have seen long pipelines.
fn server() -> Server {
    let quiet = Start::tintype().with("--save", "").with("--latency-tracking", "no");
    let quiet = quiet.with("--slowlog-log-slower-than", "-1").with("--enable-debug-command", "yes");
    let server = quiet.spawn();
    build(&server, many("DEL", 50 * BATCH, |n| format!("{n}-{}", "d".repeat(20))));
    server
}

/// Runs commands over a connection of their own, beside at most one more, whose buffers are gone afterwards.
#[track_caller]
fn build(server: &Server, commands: impl Iterator<Item = Vec<String>>) {
    run_all(&mut server.connect(), commands);
    let mut observer = server.connect();
    wait_for("the builder is gone", || observer.info_number("connected_clients") <= 2);
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

/// Commands that add elements `0..count`, many at a time.
fn many(head: &str, count: usize, element: impl Fn(usize) -> String) -> impl Iterator<Item = Vec<String>> {
    const AT_A_TIME: usize = 50;
    (0..count).step_by(AT_A_TIME).map(move |first| {
        let elements = (first..count.min(first + AT_A_TIME)).map(&element);
        let elements: Vec<String> = elements.collect();
        words(&format!("{head} {}", elements.join(" ")))
    })
}

/// Bytes in use. The clients' own buffers are small beside what is measured here.
fn used(connection: &mut Connection) -> i64 {
    connection.info_number("used_memory")
}

#[track_caller]
fn assert_near(what: &str, said: i64, grown: i64) {
    let deviation = (said - grown).abs() - AROUND_BYTES;
    assert!(deviation as f64 <= grown as f64 * DEVIATION_MAX, "{what}: {said} said, {grown} grown");
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
    build(&server, commands);
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
    build(&server, (0..KEYS).map(|key| words(&command(key))));
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
    large("", "quicklist", many("RPUSH k", 30_000, text));
    large("", "quicklist", many("LPUSH k", 30_000, |n| n.to_string()));
    large("", "quicklist", (0..200).map(|n| words(&format!("RPUSH k {}", "y".repeat(9000 + n)))));
    large("list-compress-depth 1", "quicklist", many("RPUSH k", 30_000, text));
    large("list-max-listpack-size -5", "listpack", many("RPUSH k", 4000, |n| format!("a{n}")));
    small("listpack", |key| format!("RPUSH k{key} {}", vec![text(key); 10].join(" ")));
}

#[test]
fn usage_of_hashes() {
    large("", "hashtable", many("HSET k", 120_000, |n| format!("f{n} {}", text(n))));
    let expiring = (0..8000).map(|n| words(&format!("HSETEX k EX {} FIELDS 1 f{n} {}", 9000 + n, text(n))));
    large("", "hashtable", expiring);
    large("", "hashtable", many("HSET k", 2000, |n| format!("f{n} {}", "z".repeat(n))));
    small("listpack", |key| format!("HSET k{key} a {} b 1 c {key}", text(key)));
    small("listpackex", |key| format!("HSETEX k{key} EX 10000 FIELDS 2 a {} b 1", text(key)));
}

#[test]
fn usage_of_sets() {
    large("", "hashtable", many("SADD k m", 30_000, text));
    large("set-max-intset-entries 100000", "intset", many("SADD k", 5000, |n| (n << 33).to_string()));
    small("listpack", |key| format!("SADD k{key} {} a b c", text(key)));
    small("intset", |key| format!("SADD k{key} {key} 1 2 3 70000"));
}

#[test]
fn usage_of_sorted_sets() {
    let score = |n: usize| n.wrapping_mul(2_654_435_761) % 1_000_003;
    large("", "skiplist", many("ZADD k", 50_000, |n| format!("{} {}", score(n), text(n))));
    large("", "skiplist", many("ZADD k", 20_000, |n| format!("{n} {}", text(n))));
    small("listpack", |key| format!("ZADD k{key} 1 {} 2.5 b {key} c", text(key)));
}

#[test]
fn usage_of_streams() {
    large("", "stream", (0..20_000).map(|n| words(&format!("XADD k {}-1 field {}", n + 1, text(n)))));
    let group = [words("XGROUP CREATE k g 0 MKSTREAM")].into_iter();
    let entries = (0..10_000).map(|n| words(&format!("XADD k {}-1 f {n}", n + 1)));
    let reads = (0..100).map(|n| words(&format!("XREADGROUP GROUP g c{n} COUNT 100 STREAMS k >")));
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
    build(&server, many("SADD k", 120_000, |n| format!("m{n}")));
    let said = connection.run("MEMORY USAGE k SAMPLES 0").integer();
    let dataset = connection.info_number("used_memory_dataset");
    assert_near("the dataset", dataset, said);
}

/// Fills a server beyond its limit with collections.
#[track_caller]
fn fill_beyond_the_limit(policy: &str, head: &str, element: impl Fn(usize) -> String) {
    const KEYS: usize = 120;
    const ELEMENTS: usize = 1000;
    let server = server();
    let mut connection = server.connect();
    let limit = used(&mut connection) + (2 << 20);
    connection.ok(&format!("CONFIG SET maxmemory-policy {policy} maxmemory {limit}"));
    for key in 0..KEYS {
        run_all(&mut connection, many(&format!("{head}{key}"), ELEMENTS, &element));
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
    fill_beyond_the_limit("allkeys-lru", "HSET h", |n| format!("field:{n} {}", text(n)));
    fill_beyond_the_limit("allkeys-random", "ZADD z", |n| format!("{n} {}", text(n)));
    fill_beyond_the_limit("allkeys-lfu", "SADD s", |n| format!("member:{}", text(n)));
    fill_beyond_the_limit("allkeys-lru", "RPUSH l", |n| format!("{}{}", text(n), "e".repeat(40)));
}

/// One huge value has to go, and while it is being freed, nothing else has.
#[test]
fn what_is_being_freed_costs_no_further_keys() {
    const UNUSED: std::time::Duration = std::time::Duration::from_millis(2100);
    let server = server();
    let mut connection = server.connect();
    connection.ok("CONFIG SET lazyfree-lazy-eviction yes maxmemory-policy allkeys-lru");
    run_all(&mut connection, many("HSET big", 60_000, |n| format!("f{n} {}", text(n))));
    std::thread::sleep(UNUSED);
    run_all(&mut connection, (0..60).map(|n| words(&format!("SET small{n} v"))));
    connection.ok("CONFIG SET maxmemory-samples 64");
    let limit = used(&mut connection) - (1 << 20);
    connection.ok(&format!("CONFIG SET maxmemory {limit}"));
    run_all(&mut connection, (0..3000).map(|n| words(&format!("SET other{} v", n % 3))));
    assert_eq!((connection.run("EXISTS big").integer(), connection.run("DBSIZE").integer()), (0, 63));
    assert_eq!(connection.info_number("evicted_keys"), 1);
}

fn freed(connection: &mut Connection) -> i64 {
    connection.info_number("lazyfreed_objects")
}

/// Ways in which a huge value goes, each of which must leave it to the helper thread whatever is configured.
#[test]
fn huge_values_are_freed_off_the_loop() {
    /// What an element of a number is.
    type Element = fn(usize) -> String;
    let builds: [(&str, usize, Element); 4] = [
        ("HSET k", 6000, |n| format!("f{n} v")),
        ("SADD k", 6000, |n| format!("m{n}")),
        ("ZADD k", 6000, |n| format!("{n} m{n}")),
        ("RPUSH k", 4500, |n| "l".repeat(9000 + n % 2)),
    ];
    let server = server();
    let mut connection = server.connect();
    connection.ok("SET other v");
    for (head, count, element) in builds {
        for way in [
            "DEL k",
            "UNLINK k",
            "SET k v",
            "RENAME other k",
            "SUNIONSTORE k nothing",
            "PEXPIREAT k 1",
            "FLUSHDB",
            "FLUSHALL SYNC",
        ] {
            run_all(&mut connection, many(head, count, element));
            connection.ok("SET other v");
            let before = freed(&mut connection);
            assert!(!connection.run(way).is_error(), "{way}");
            wait_for("it is freed", || connection.info_number("lazyfree_pending_objects") == 0);
            let counted = freed(&mut connection) - before;
            let expected = if way.starts_with("FLUSH") { 2 } else { 1 };
            assert_eq!(counted, expected, "{head} {way}");
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
        ("SADD k", "m", "SPOP k 30000"),
        ("ZADD k", "1 m", "ZREMRANGEBYRANK k 0 -1"),
        ("ZADD k", "1 m", "ZREMRANGEBYSCORE k -inf +inf"),
        ("ZADD k", "1 m", "ZREMRANGEBYLEX k - +"),
    ];
    for (head, element, way) in cases {
        run_all(&mut connection, many(head, 6000, |n| format!("{element}{n}")));
        let before = freed(&mut connection);
        connection.run(way);
        assert_eq!(connection.run("EXISTS k").integer(), 0, "{way}");
        wait_for(way, || freed(&mut connection) == before + 1);
    }
    run_all(&mut connection, many("RPUSH k", 4500, |n| "l".repeat(9000 + n % 2)));
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
        run_all(&mut connection, many("HSET k", 6000, |n| format!("f{n} v")));
        let before = freed(&mut connection);
        connection.run("PEXPIRE k 1");
        wait_for("it is gone", || {
            (active == "1" || connection.run("EXISTS k").integer() == 0)
                && freed(&mut connection) == before + 1
        });
    }
}

/// The host's state: in force, or why not.
fn huge_pages(connection: &mut Connection) -> String {
    connection.info("huge_pages")
}

fn rss_kib(server: &Server) -> u64 {
    support::process::rss_kib(server.pid())
}

/// Values of `bytes.start` and more, with keys that begin with `head`; which of them is a question of the number.
fn values(
    head: &'static str,
    count: usize,
    bytes: std::ops::Range<usize>,
) -> impl Iterator<Item = Vec<String>> {
    let value = move |n: usize| "v".repeat(bytes.start + n * 7919 % bytes.len());
    (0..count).map(move |n| vec!["SET".into(), format!("{head}{n}"), value(n)])
}

/// A server below 64 MiB pays for no huge page; a larger one gets them by itself.
#[test]
fn huge_pages_come_when_the_heap_is_large() {
    let start = Start::tintype().with("--save", "").with("--enable-debug-command", "yes");
    let server = start.spawn();
    let mut connection = server.connect();
    let state = huge_pages(&mut connection);
    if state != "off (the heap is below 64 MiB)" {
        assert!(state.starts_with("off ("), "{state}");
        return;
    }
    let huge_bytes = |connection: &mut Connection| {
        let text = connection.run("INFO memory").text();
        let line = text.lines().find_map(|line| line.strip_prefix("mem_huge_page_bytes:"));
        line.and_then(|number| number.trim().parse::<i64>().ok()).expect("a number")
    };
    // What the program allocates before its first line may have one.
    assert!(huge_bytes(&mut connection) <= 2 << 20);
    connection.ok("DEBUG POPULATE 20000 small 100");
    assert!(huge_bytes(&mut connection) <= 2 << 20);
    connection.ok("DEBUG POPULATE 20000 large 6000");
    wait_for("huge pages", || huge_pages(&mut connection) == "enabled");
    wait_for("the heap to be on them", || huge_bytes(&mut connection) > 64 << 20);
}

#[test]
fn huge_pages_can_be_forbidden() {
    let start = Start::tintype().with("--save", "").with("--huge-pages", "no");
    let server = start.with("--enable-debug-command", "yes").spawn();
    let mut connection = server.connect();
    assert_eq!(huge_pages(&mut connection), "off (huge-pages is no)");
    connection.ok("DEBUG POPULATE 20000 large 6000");
    let text = connection.run("INFO memory").text();
    let line = text.lines().find(|line| line.starts_with("mem_huge_page_bytes:")).expect("a field");
    let bytes: u64 = line.split(':').nth(1).and_then(|number| number.trim().parse().ok()).expect("a number");
    assert!(bytes <= 2 << 20, "{line}");
    connection.run("CONFIG SET huge-pages yes").assert_error(
        "ERR CONFIG SET failed (possibly related to argument 'huge-pages') - can't set immutable config",
    );
}

/// A heap that was filled, emptied at random and refilled takes at most a tenth more on huge pages than without.
#[test]
fn fragments_cost_no_more_on_huge_pages() {
    const KEYS: usize = 150_000;
    const ROUNDING_KIB: u64 = 6 << 10;
    let kib = |mode: &str| {
        let server = Start::tintype().with("--save", "").with("--huge-pages", mode).spawn();
        build(&server, values("a", KEYS, 40..160));
        let is_doomed = |n: &usize| n * 7919 % 10 < 7;
        build(&server, (0..KEYS).filter(is_doomed).map(|n| words(&format!("DEL a{n}"))));
        build(&server, values("b", KEYS * 7 / 10, 200..300));
        let mut connection = server.connect();
        connection.ok("SAVE");
        assert_eq!(connection.run("DBSIZE").integer(), KEYS as i64);
        rss_kib(&server)
    };
    let (huge, small) = (kib("yes"), kib("no"));
    assert!(huge <= small + small / 10 + ROUNDING_KIB, "{huge} KiB on huge pages, {small} on small ones");
}

/// Nobody does anything after FLUSHALL, and the memory goes back all the same.
#[test]
fn memory_is_given_back_after_a_flush() {
    const SLACK_KIB: u64 = 16 << 10;
    for mode in ["yes", "no"] {
        let start = Start::tintype().with("--save", "").with("--huge-pages", mode);
        let server = start.with("--enable-debug-command", "yes").spawn();
        let before = rss_kib(&server);
        let mut connection = server.connect();
        connection.ok("DEBUG POPULATE 400000 key 200");
        let filled = rss_kib(&server);
        assert!(filled > before + (90 << 10), "{filled} after {before}");
        connection.ok("FLUSHALL");
        wait_for("memory to go back", || rss_kib(&server) < before + SLACK_KIB);
    }
}
