//! Keyspace notifications: the same events in the same order as a real redis-server 7.0 publishes them, for random
//! conversations of all commands; what newer releases publish, as they document it; keys that expire by themselves.
//!
//! `TINTYPE_SEED=7 TINTYPE_COMMANDS=500 cargo test --test notifications random` plays one conversation again.

#[path = "differential/compare.rs"]
#[expect(dead_code, reason = "this test compares notifications, not replies")]
mod compare;
#[path = "differential/generator.rs"]
#[expect(dead_code, reason = "it is the differential test's")]
mod generator;
pub mod support;
#[path = "differential/table.rs"]
mod table;
#[path = "differential/tables/mod.rs"]
mod tables;

use generator::Generator;
use support::{Connection, Server, Value, encode, show, unix_ms};

const SEEDS: std::ops::Range<u64> = 1..9;
const COMMANDS_PER_SEED: usize = 2_000;
const HISTORY_SHOWN: usize = 20;
/// Ends the messages of one command.
const END: &str = "end of the command";

/// Where Tintype means to publish something else, and why: the events, without their keys.
const INTENDED: &[(&str, &str)] = &[(
    "xgroup-createconsumer",
    "since 7.2 a consumer is made by whoever asks for entries, not only by what it gets",
)];

/// A server, a client, and one that listens.
struct Watched {
    client: Connection,
    publisher: Connection,
    listener: Connection,
    server: Server,
}

impl Watched {
    fn new(server: Server, classes: &str, pattern: &str) -> Watched {
        let mut publisher = server.connect();
        publisher.command(&["CONFIG", "SET", "notify-keyspace-events", classes]).assert_ok();
        let mut listener = server.connect();
        assert_eq!(listener.command(&["PSUBSCRIBE", pattern, END]).elements().len(), 3);
        listener.value();
        Watched { client: server.connect(), publisher, listener, server }
    }

    fn ours(classes: &str) -> Watched {
        Watched::new(Server::start(&["--save", "", "--enable-debug-command", "yes"]), classes, "__*")
    }

    fn theirs(classes: &str) -> Watched {
        Watched::new(Server::oracle(&["--save", "", "--enable-debug-command", "yes"]), classes, "__*")
    }

    /// What was published since the last call: `channel message`.
    fn published(&mut self) -> Vec<String> {
        self.publisher.command(&["PUBLISH", END, "x"]);
        let mut found = Vec::new();
        loop {
            let message = self.listener.value().elements();
            let (channel, text) = (message[2].bytes().to_vec(), message[3].bytes().to_vec());
            if channel == END.as_bytes() {
                return found;
            }
            found.push(show(&[&channel[..], b" ", &text].concat()));
        }
    }

    /// What a command published.
    #[track_caller]
    fn after(&mut self, line: &str) -> Vec<String> {
        let reply = self.client.run(line);
        assert!(!reply.is_error(), "{line}: {reply:?}");
        self.published()
    }
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn random_conversations_publish_what_the_oracle_publishes() {
    let seeds = number("TINTYPE_SEED").map_or(SEEDS, |seed| seed..seed + 1);
    let commands = number("TINTYPE_COMMANDS").map_or(COMMANDS_PER_SEED, |count| count as usize);
    let (mut ours, mut theirs) = (Watched::ours("KEAnm"), Watched::theirs("KEAnm"));
    // Else chance decides which of two meets a key whose time is over first.
    for watched in [&mut ours, &mut theirs] {
        watched.publisher.ok("DEBUG SET-ACTIVE-EXPIRE 0");
    }
    for seed in seeds {
        let payloads = vec![payload(&mut theirs.client), b"damaged".to_vec()];
        for watched in [&mut ours, &mut theirs] {
            watched.client.run("RESET");
            watched.client.ok("FLUSHALL");
            watched.published();
        }
        converse(&mut ours, &mut theirs, Generator::new(seed, payloads), commands);
    }
}

fn payload(connection: &mut Connection) -> Vec<u8> {
    connection.run("RESET");
    connection.ok("SET payload text");
    connection.run("DUMP payload").bytes().to_vec()
}

#[track_caller]
fn converse(ours: &mut Watched, theirs: &mut Watched, mut generator: Generator, commands: usize) {
    let (mut history, mut events, mut order) = (Vec::new(), 0, Order::default());
    for round in 0..commands {
        for command in generator.phrase() {
            let line = command.arguments.iter().map(|argument| format!("{:?}", show(argument)));
            history.push(line.collect::<Vec<_>>().join(" "));
            let request = encode(&command.arguments);
            let in_any_order = order.is_free(&command.arguments[0]);
            let [ours, theirs] = [&mut *ours, &mut *theirs].map(|watched| {
                watched.client.send(&request);
                watched.client.reply();
                let mut events = watched.published();
                if in_any_order {
                    events.sort();
                }
                events
            });
            events += theirs.len();
            let shown = &history[history.len().saturating_sub(HISTORY_SHOWN)..];
            assert!(
                same_events(&ours, &theirs),
                "command {round}:\n{}\nours: {ours:#?}\ntheirs: {theirs:#?}",
                shown.join("\n")
            );
        }
    }
    assert!(events > commands / 10, "{events} events of {commands} commands are too few to compare");
}

/// The patterns of SORT are looked up in the order of the elements, and a set has its own on each server.
#[derive(Default)]
struct Order {
    sorts_in_transaction: bool,
}

impl Order {
    /// Whether the events of the command stand in no order.
    fn is_free(&mut self, name: &[u8]) -> bool {
        let name = name.to_ascii_uppercase();
        let (sorts, ends) = (name.starts_with(b"SORT"), name == b"EXEC");
        let is_free = sorts || ends && self.sorts_in_transaction;
        self.sorts_in_transaction = (self.sorts_in_transaction || sorts) && !ends;
        is_free
    }
}

fn same_events(ours: &[String], theirs: &[String]) -> bool {
    let is_meant = |event: &&String| !INTENDED.iter().any(|(name, _)| event.contains(name));
    ours.iter().filter(is_meant).eq(theirs.iter().filter(is_meant))
}

/// What a transaction changes is told command by command; who listens and changes is told behind its own reply.
#[test]
fn transactions_and_expiry_inside_them() {
    let (mut ours, mut theirs) = (Watched::ours("KEAnm"), Watched::theirs("KEAnm"));
    for lines in [
        &["SET a 1", "LPUSH l x y", "LMOVE l m LEFT RIGHT", "DEL a l", "GET a"][..],
        &["SADD s a", "SPOP s", "SET s v EX 100", "EXPIRE s 0", "RENAME m s"],
        &["SET gone v PX 1"],
        &["GET gone", "SET gone v", "FLUSHALL", "SWAPDB 0 1", "SELECT 1", "SET a 1", "SELECT 0"],
    ] {
        let [ours, theirs] = [&mut ours, &mut theirs].map(|watched| {
            watched.client.ok("MULTI");
            lines.iter().for_each(|line| drop(watched.client.run(line)));
            let replies = watched.client.run("EXEC").elements();
            assert_eq!(replies.len(), lines.len());
            let published = watched.published();
            std::thread::sleep(std::time::Duration::from_millis(5));
            published
        });
        assert_eq!(
            ours.iter().filter(|e| !is_expired(e)).collect::<Vec<_>>(),
            theirs.iter().filter(|e| !is_expired(e)).collect::<Vec<_>>(),
            "{lines:?}"
        );
    }
}

/// Told by the key's own time, or by the command that meets it: chance decides.
fn is_expired(event: &str) -> bool {
    event.contains("expired") || event.contains("keymiss")
}

#[test]
fn a_client_hears_of_its_own_changes_behind_the_reply() {
    let mut ours = Watched::ours("KEA");
    ours.client.command(&["HELLO", "3"]);
    ours.client.run("PSUBSCRIBE __keyspace@*");
    ours.client.send(b"SET a 1\r\nMULTI\r\nSET b 1\r\nDEL a b\r\nEXEC\r\nPING\r\n");
    let told: Vec<String> = (0..9).map(|_| brief(&ours.client.value())).collect();
    let expected = ["OK", "a set", "OK", "QUEUED", "QUEUED", "[OK, 2]", "b set", "a del", "b del"];
    assert_eq!(told, expected);
    assert_eq!(brief(&ours.client.value()), "PONG");
}

fn brief(value: &Value) -> String {
    match value {
        Value::Push(parts) => {
            let channel = parts[2].text();
            format!("{} {}", channel.rsplit_once(':').map_or("", |(_, key)| key), parts[3].text())
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(Value::text).collect::<Vec<_>>().join(", "))
        }
        other => other.text(),
    }
}

/// Waiting clients are served with the events of their own commands, behind those of the command that served them.
#[test]
fn what_serves_a_waiting_client_is_told_first() {
    let mut told = [Watched::ours("KA"), Watched::theirs("KA")].map(|mut watched| {
        let mut waiting = watched.server.connect();
        waiting.send(&encode(&["BLMOVE", "list", "other", "LEFT", "RIGHT", "0"]));
        support::wait_for("a client that waits", || watched.publisher.info("blocked_clients") == "1");
        let told = watched.after("RPUSH list a");
        assert_eq!(waiting.value().text(), "a");
        told
    });
    assert_eq!(
        told[0],
        [
            "__keyspace@0__:list rpush",
            "__keyspace@0__:other rpush",
            "__keyspace@0__:list lpop",
            "__keyspace@0__:list del"
        ]
    );
    told[1].retain(|event| !event.is_empty());
    assert_eq!(told[0], told[1]);
}

/// What Redis 8.8 documents of fields.
#[test]
fn fields_of_hashes_are_told() {
    let mut ours = Watched::ours("ShT");
    let mut check = |line: &str, events: &[&str]| {
        let told = ours.after(line);
        let of_space: Vec<&str> =
            told.iter().filter_map(|event| event.strip_prefix("__subkeyspace@0__:h ")).collect();
        assert_eq!(of_space, events, "{line}");
        let of_event: Vec<String> = events
            .iter()
            .map(|event| event.split_once('|').expect("fields"))
            .map(|(name, fields)| format!("__subkeyevent@0__:{name} 1:h|{fields}"))
            .collect();
        let told_by_event: Vec<&String> =
            told.iter().filter(|event| event.starts_with("__subkeyevent")).collect();
        assert_eq!(told_by_event, of_event.iter().collect::<Vec<_>>(), "{line}");
        assert_eq!(told.len(), 2 * events.len(), "{line}: {told:?}");
    };
    check("HSET h a 1 bb 2 a 3", &["hset|1:a,2:bb,1:a"]);
    check("HMSET h c,| 1", &["hset|3:c,|"]);
    check("HSETNX h a 1", &[]);
    check("HSETNX h d 1", &["hset|1:d"]);
    check("HINCRBY h d 1", &["hincrby|1:d"]);
    check("HINCRBYFLOAT h d 1.5", &["hincrbyfloat|1:d"]);
    check("HDEL h nope d nope2 bb", &["hdel|1:d,2:bb"]);
    check("HDEL h nope", &[]);
    check("HEXPIRE h 100 FIELDS 3 a nope c,|", &["hexpire|1:a,3:c,|"]);
    check("HPERSIST h FIELDS 2 a nope", &["hpersist|1:a"]);
    check("HGETEX h EX 100 FIELDS 1 a", &["hexpire|1:a"]);
    check("HGETEX h PERSIST FIELDS 2 a c,|", &["hpersist|1:a,3:c,|"]);
    check("HSETEX h EX 100 FIELDS 2 e 1 f 2", &["hset|1:e,1:f", "hexpire|1:e,1:f"]);
    check("HPEXPIREAT h 1 FIELDS 1 e", &["hdel|1:e"]);
    check("HGETDEL h FIELDS 2 f nope", &["hdel|1:f"]);
    check("SET h v", &[]);
}

#[test]
fn fields_have_four_channels() {
    let mut ours = Watched::ours("KEASTIV");
    let told = ours.after("HSET h f 1 g 2");
    let expected = [
        "__keyspace@0__:h hset",
        "__keyevent@0__:hset h",
        "__subkeyspace@0__:h hset|1:f,1:g",
        "__subkeyevent@0__:hset 1:h|1:f,1:g",
        "__subkeyspaceitem@0__:h\\nf hset",
        "__subkeyspaceitem@0__:h\\ng hset",
        "__subkeyspaceevent@0__:hset|h 1:f,1:g",
    ];
    assert_eq!(told, expected);
    assert_eq!(ours.after("HDEL h f g")[7..], ["__keyspace@0__:h del", "__keyevent@0__:del h"]);
}

#[test]
fn expired_fields_go_by_themselves_and_are_told_together() {
    let mut ours = Watched::ours("KhgS");
    ours.after("HSET h a 1 b 2 c 3");
    let at_ms = (unix_ms() + 60).to_string();
    ours.client.command(&["HPEXPIREAT", "h", &at_ms, "FIELDS", "2", "a", "c"]);
    ours.published();
    let told: Vec<String> = (0..2).map(|_| message(&mut ours.listener)).collect();
    assert_eq!(told[0], "__keyspace@0__:h hexpired");
    assert!(
        ["__subkeyspace@0__:h hexpired|1:a,1:c", "__subkeyspace@0__:h hexpired|1:c,1:a"].contains(&&*told[1])
    );
    ours.client.run("HPEXPIRE h 20 FIELDS 1 b");
    ours.published();
    let told: Vec<String> = (0..3).map(|_| message(&mut ours.listener)).collect();
    let expected = ["__keyspace@0__:h hexpired", "__subkeyspace@0__:h hexpired|1:b", "__keyspace@0__:h del"];
    assert_eq!(told, expected);
}

fn message(listener: &mut Connection) -> String {
    let parts = listener.value().elements();
    show(&[parts[2].bytes(), b" ", parts[3].bytes()].concat())
}

/// Every key is told of once, in the order of their times, and none before its time.
#[test]
fn keys_that_expire_are_told_completely_and_in_order() {
    const KEYS: i64 = 20_000;
    const SPREAD_MS: i64 = 1_000;
    const DELAY_MS: i64 = 1_500;
    let mut ours = Watched::ours("Ex");
    let start_ms = unix_ms() + DELAY_MS;
    let requests: Vec<u8> = (0..KEYS)
        .flat_map(|number| {
            // In no order.
            let at_ms = start_ms + number * 7919 % SPREAD_MS;
            encode(&["SET", &format!("{at_ms}:{number}"), "v", "PXAT", &at_ms.to_string()])
        })
        .collect();
    ours.client.send(&requests);
    (0..KEYS).for_each(|_| ours.client.value().assert_ok());
    let (mut last_ms, mut seen) = (0, std::collections::HashSet::new());
    while seen.len() < KEYS as usize {
        let event = message(&mut ours.listener);
        let key = event.strip_prefix("__keyevent@0__:expired ").expect("nothing else is told").to_owned();
        let at_ms: i64 = key.split_once(':').and_then(|(at_ms, _)| at_ms.parse().ok()).expect("its time");
        assert!(at_ms < unix_ms(), "{key} went before its time");
        assert!(at_ms >= last_ms, "{key} was told of behind one of {last_ms}");
        last_ms = at_ms;
        assert!(seen.insert(key), "told twice");
    }
    assert_eq!(ours.client.run("DBSIZE").integer(), 0);
    assert!(ours.published().is_empty());
}

/// Between two looks, and although the server has slept: a key with a short time.
#[test]
fn a_key_with_a_short_time_is_not_forgotten_at_a_low_hz() {
    let mut ours = Watched::ours("Kx");
    ours.publisher.ok("CONFIG SET hz 1");
    for _ in 0..3 {
        let set_ms = unix_ms();
        ours.client.ok("SET k v PX 20");
        assert_eq!(message(&mut ours.listener), "__keyspace@0__:k expired");
        assert!(unix_ms() - set_ms < 900, "it waited for the next tick");
    }
}

#[test]
fn nothing_is_told_while_the_dataset_stands_still() {
    let mut ours = Watched::ours("KAm");
    ours.client.ok("CLIENT PAUSE 100000 WRITE");
    ours.publisher.ok("CLIENT UNPAUSE");
    ours.after("SET k v PX 40");
    ours.client.ok("CLIENT PAUSE 100000 WRITE");
    std::thread::sleep(std::time::Duration::from_millis(80));
    assert_eq!(ours.client.run("GET k"), Value::Null);
    ours.client.ok("CLIENT UNPAUSE");
    assert_eq!(message(&mut ours.listener), "__keyspace@0__:k keymiss");
    assert_eq!(message(&mut ours.listener), "__keyspace@0__:k expired");
}

#[test]
fn evicted_keys_are_told() {
    let mut ours = Watched::ours("KEe");
    ours.client.ok("MSET a 1 b 2");
    ours.client.ok("CONFIG SET maxmemory-policy allkeys-lru");
    ours.client.ok("CONFIG SET maxmemory 1");
    let mut told: Vec<String> = (0..4).map(|_| message(&mut ours.listener)).collect();
    told.sort();
    let expected = [
        "__keyevent@0__:evicted a",
        "__keyevent@0__:evicted b",
        "__keyspace@0__:a evicted",
        "__keyspace@0__:b evicted",
    ];
    assert_eq!(told, expected);
}

#[test]
fn only_what_is_asked_for_is_told() {
    let mut ours = Watched::ours("KEl");
    assert!(ours.after("SET a 1").is_empty());
    assert_eq!(ours.after("LPUSH l a"), ["__keyspace@0__:l lpush", "__keyevent@0__:lpush l"]);
    ours.publisher.ok("CONFIG SET notify-keyspace-events A");
    assert!(ours.after("LPUSH l a").is_empty(), "no channel is named");
    ours.publisher.ok("CONFIG SET notify-keyspace-events Eg$");
    assert_eq!(ours.after("SET a 1"), ["__keyevent@0__:set a"]);
    ours.publisher.command(&["CONFIG", "SET", "notify-keyspace-events", ""]).assert_ok();
    assert!(ours.after("DEL a l").is_empty());
}
