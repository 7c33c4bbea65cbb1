//! Tintype against a real redis-server 7.0: the same commands, the same bytes.
//!
//! Random conversations come from a seed and the table; fixed ones from `scripts`; directives have a conversation of
//! their own. Afterwards the keyspaces, DUMP payloads and RDB files of the two must agree too. A failure prints the
//! seed: `TINTYPE_SEED=7 TINTYPE_COMMANDS=500 cargo test --test differential random` plays it again;
//! `TINTYPE_HISTORY` says how many of the commands before the failure are shown.

#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/directives.rs"]
mod directives;
#[path = "differential/generator.rs"]
mod generator;
#[path = "differential/keyspace.rs"]
mod keyspace;
#[path = "differential/lua/mod.rs"]
mod lua;
#[path = "differential/scripts/mod.rs"]
mod scripts;
#[path = "differential/statistics.rs"]
mod statistics;
pub mod support;
#[path = "differential/table.rs"]
mod table;
#[path = "differential/tables/mod.rs"]
mod tables;

use std::collections::{BTreeMap, BTreeSet};

use compare::{Reply, Rule, agree, describe, intended, refused};
use generator::{Command, Generator};
use keyspace::Encodings;
use support::{Connection, Server, Value, encode, show};

/// Each about another table.
const SEEDS: std::ops::Range<u64> = 1..9;
const COMMANDS_PER_SEED: usize = 4_000;
/// The last commands of a conversation never flush, so that there is something to compare afterwards.
const LAST_WITHOUT_FLUSH: usize = 800;
const HISTORY_SHOWN: usize = 25;
/// Whoever asks for so many sees commands on other keys too.
const EVERYTHING_SHOWN: usize = 1_000;
/// Two speak RESP2 at first and one RESP3; HELLO and RESET change that.
const CONNECTIONS: usize = 3;

/// Both servers, with what makes their replies comparable.
struct Pair {
    ours: Server,
    theirs: Server,
}

impl Pair {
    #[track_caller]
    fn start() -> Pair {
        let arguments = ["--enable-debug-command", "yes", "--slowlog-log-slower-than", "-1"];
        Pair { ours: Server::start(&arguments), theirs: Server::oracle(&arguments) }
    }

    fn connect(&self) -> Twin {
        Twin { ours: self.ours.connect(), theirs: self.theirs.connect(), in_transaction: false }
    }
}

/// One client, connected to both.
struct Twin {
    ours: Connection,
    theirs: Connection,
    in_transaction: bool,
}

impl Twin {
    #[track_caller]
    fn ask(&mut self, arguments: &[Vec<u8>]) -> (Reply, Reply) {
        let request = encode(arguments);
        self.ours.send(&request);
        self.theirs.send(&request);
        let theirs = self.theirs.reply();
        let ours = match self.ours.try_reply() {
            Ok(reply) => reply,
            Err(error) => (error.to_string().into_bytes(), Value::Simple(format!("no reply: {error}"))),
        };
        self.follow(arguments, &theirs.1);
        (ours, theirs)
    }

    /// A key of each type on both, sent at once.
    fn set_up(&mut self) {
        let commands = scripts::SETUP.iter().map(|line| encode(&support::arguments(line)));
        let requests = commands.collect::<Vec<_>>().concat();
        for connection in [&mut self.ours, &mut self.theirs] {
            connection.send(&requests);
        }
        for _ in scripts::SETUP {
            self.theirs.reply();
            self.ours.reply();
        }
    }

    fn follow(&mut self, arguments: &[Vec<u8>], reply: &Value) {
        let name = arguments[0].to_ascii_uppercase();
        let done = !reply.is_error() || reply.text().starts_with("EXECABORT");
        match name.as_slice() {
            b"MULTI" if done => self.in_transaction = true,
            b"EXEC" | b"DISCARD" | b"RESET" if done => self.in_transaction = false,
            _ => {}
        }
    }
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn random_conversations() {
    let seeds = number("TINTYPE_SEED").map_or(SEEDS, |seed| seed..seed + 1);
    let commands = number("TINTYPE_COMMANDS").map_or(COMMANDS_PER_SEED, |count| count as usize);
    let pair = Pair::start();
    let payloads = payloads(&pair.theirs);
    for seed in seeds {
        pair.ours.connect().ok("FLUSHALL");
        pair.theirs.connect().ok("FLUSHALL");
        // Else chance decides which key whose time is over is still there for DBSIZE and its like.
        for server in [&pair.ours, &pair.theirs] {
            server.connect().ok("DEBUG SET-ACTIVE-EXPIRE 0");
            statistics::reset(server);
        }
        converse(&pair, seed, commands, payloads.clone());
        statistics::assert_same(&format!("counters after seed {seed}"), &pair.ours, &pair.theirs);
        assert!(keyspace::key_count(&pair.theirs) > 0, "seed {seed} leaves nothing to compare");
        keyspace::assert_same(&format!("after seed {seed}"), &pair.ours, &pair.theirs, Encodings::Compared);
        keyspace::make_portable(&pair.ours, &pair.theirs);
        keyspace::assert_payloads_travel(&pair.ours, &pair.theirs);
        keyspace::assert_payloads_travel(&pair.theirs, &pair.ours);
        keyspace::assert_files_travel(&pair.ours, &pair.theirs);
    }
}

/// Plays one conversation. By hand: `TINTYPE_GO_ON` reports every difference and goes on from two empty servers;
/// `TINTYPE_COUNTERS=n` compares what INFO counts after every n commands, to find the one that counts differently.
#[track_caller]
fn converse(pair: &Pair, seed: u64, commands: usize, payloads: Vec<Vec<u8>>) {
    let mut generator = Generator::new(seed, payloads);
    let mut twins: Vec<_> = (0..CONNECTIONS).map(|_| pair.connect()).collect();
    twins[0].ask(&[b"HELLO".to_vec(), b"3".to_vec()]);
    let mut history = Vec::new();
    let mut round = 0;
    while round < commands {
        let which = generator.rng.usize(..CONNECTIONS);
        let twin = &mut twins[which];
        let flush_allowed = round + LAST_WITHOUT_FLUSH < commands;
        let phrase = loop {
            let phrase = generator.phrase();
            let is_flush =
                |command: &Command| command.arguments[0].to_ascii_uppercase().starts_with(b"FLUSH");
            let exact_enough = |command: &Command| command.rule == Rule::Exact || !twin.in_transaction;
            if phrase.iter().all(|command| exact_enough(command) && (flush_allowed || !is_flush(command))) {
                break phrase;
            }
        };
        for command in phrase {
            round += 1;
            history.push(format!("[{which}] {}", line(&command.arguments)));
            let (ours, theirs) = twins[which].ask(&command.arguments);
            let agreed = agree(command.rule, &ours, &theirs)
                || intended(&command.arguments, (&ours.1, &theirs.1)).is_some();
            let count_now =
                number("TINTYPE_COUNTERS").is_some_and(|every| (round as u64).is_multiple_of(every));
            let counted = count_now.then(|| statistics::difference(&pair.ours, &pair.theirs)).flatten();
            if agreed && counted.is_none() {
                continue;
            }
            let replies = describe(&ours, &theirs);
            let story = story(&history, &command.arguments);
            let counted = counted.unwrap_or_default();
            let report =
                format!("seed {seed}, command {round} ({:?}):\n{story}\n{replies}\n{counted}", command.rule);
            assert!(number("TINTYPE_GO_ON").is_some(), "{report}");
            eprintln!("{report}\n");
            start_over(pair, &mut twins);
            history = vec!["(flushed after a difference)".into()];
        }
    }
}

fn start_over(pair: &Pair, twins: &mut [Twin]) {
    twins.iter_mut().for_each(|twin| drop(twin.ask(&support::arguments("RESET"))));
    twins[0].ask(&support::arguments("FLUSHALL"));
    [&pair.ours, &pair.theirs].into_iter().for_each(statistics::reset);
}

/// The commands before the last one that name something it names, and the last one.
fn story(history: &[String], last: &[Vec<u8>]) -> String {
    let shown = number("TINTYPE_HISTORY").map_or(HISTORY_SHOWN, |count| count as usize);
    let names: Vec<_> = last[1..].iter().filter(|name| name.contains(&b':')).collect();
    let concerns = |text: &&String| {
        names.is_empty()
            || shown >= EVERYTHING_SHOWN
            || ["CONFIG", "FLUSH", "MULTI", "EXEC", "SWAPDB", "SELECT"]
                .iter()
                .any(|w| text.to_uppercase().contains(w))
            || names.iter().any(|name| text.contains(&format!("{:?}", show(name))))
    };
    let chosen: Vec<_> = history.iter().filter(concerns).cloned().collect();
    chosen[chosen.len().saturating_sub(shown)..].join("\n")
}

fn line(arguments: &[Vec<u8>]) -> String {
    arguments.iter().map(|argument| format!("{:?}", show(argument))).collect::<Vec<_>>().join(" ")
}

/// DUMP payloads of every string encoding, and damaged ones.
fn payloads(oracle: &Server) -> Vec<Vec<u8>> {
    let long = "compressible ".repeat(40);
    let values = ["", "7", "-129", "70000", "99999999999", "plain text", "3.0e3", &"x".repeat(45), &long];
    let mut connection = oracle.connect();
    let mut found: Vec<_> = values
        .iter()
        .map(|value| {
            connection.command(&["SET", "payload", value]).assert_ok();
            connection.command(&["DUMP", "payload"]).bytes().to_vec()
        })
        .collect();
    // Ten zeros would be a footer with a right checksum and no value: the oracle then takes the footer for the value,
    // an empty string; we call it damaged.
    found.extend([b"".to_vec(), b"short".to_vec(), vec![1; 10], vec![0xff; 30]]);
    connection.ok("FLUSHALL");
    found
}

/// Plays each fixed conversation on fresh connections, first in RESP2, then in RESP3. Afterwards the keyspaces must
/// agree, and every value travel. `TINTYPE_SCRIPT=name` plays those whose names contain it.
#[test]
fn fixed_conversations() {
    let pair = Pair::start();
    let chosen = std::env::var("TINTYPE_SCRIPT").unwrap_or_default();
    let mut differences = Vec::new();
    for protocol in ["2", "3"] {
        for script in scripts::ALL.iter().copied().flatten().filter(|script| script.name.contains(&chosen)) {
            for server in [&pair.ours, &pair.theirs] {
                server.connect().ok("FLUSHALL");
                statistics::reset(server);
            }
            let found = play(&pair, protocol, script);
            for difference in &found {
                eprintln!("{difference}");
            }
            if found.is_empty() {
                let what = format!("after {:?} in RESP{protocol}", script.name);
                keyspace::assert_same(&what, &pair.ours, &pair.theirs, Encodings::Compared);
                keyspace::make_portable(&pair.ours, &pair.theirs);
                keyspace::assert_payloads_travel(&pair.ours, &pair.theirs);
                keyspace::assert_payloads_travel(&pair.theirs, &pair.ours);
            }
            differences.extend(found);
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn play(pair: &Pair, protocol: &str, script: &scripts::Script) -> Vec<String> {
    let mut twins = [pair.connect(), pair.connect()];
    for twin in &mut twins {
        twin.ask(&[b"HELLO".to_vec(), protocol.as_bytes().to_vec()]);
    }
    let mut differences = Vec::new();
    for scripts::Line { rule, which, arguments } in script.commands() {
        let (ours, theirs) = twins[which].ask(&arguments);
        if !agree(rule, &ours, &theirs) && intended(&arguments, (&ours.1, &theirs.1)).is_none() {
            let replies = describe(&ours, &theirs);
            differences.push(format!("{}, RESP{protocol}: {}\n{replies}", script.name, line(&arguments)));
            if ours.1.text().starts_with("no reply") {
                break;
            }
        }
    }
    if let (true, Some(counted)) = (differences.is_empty(), statistics::difference(&pair.ours, &pair.theirs))
    {
        differences.push(format!("{}, RESP{protocol}: {counted}", script.name));
    }
    differences
}

/// Every form of every table on a key of every type, and every command of both servers that has a key is in a table.
#[test]
fn every_command_on_every_type() {
    const FILLS: usize = 2;
    const KEYS: [&str; 9] = ["str", "int", "list", "hash", "set", "ints", "zset", "stream", "none"];
    let pair = Pair::start();
    let mut generator = Generator::new(number("TINTYPE_SEED").unwrap_or(1), payloads(&pair.theirs));
    let mut differences = Vec::new();
    let mut twin = pair.connect();
    let mut asked = BTreeSet::new();
    let templates = tables::ALL.iter().copied().flatten().flat_map(|template| [template; FILLS]);
    for (key, template) in KEYS.iter().flat_map(|key| templates.clone().map(move |template| (key, template)))
    {
        let Some(command) = generator.command_on(template, key.as_bytes()) else { continue };
        let name = String::from_utf8_lossy(&command.arguments[0]).to_lowercase();
        // What lies in a table comes in no order, and SORT does not always make one; COMMAND looks at no key.
        if name.starts_with("sort") && key.ends_with("set") || name == "command" {
            continue;
        }
        // A cursor is each server's own.
        let rule = if command.rule == Rule::Scan { Rule::Shape } else { command.rule };
        asked.insert(format!("{name}|{}", String::from_utf8_lossy(&command.arguments[1]).to_lowercase()));
        asked.insert(name);
        twin.set_up();
        let (ours, theirs) = twin.ask(&command.arguments);
        let is_intended = intended(&command.arguments, (&ours.1, &theirs.1)).is_some();
        if !agree(rule, &ours, &theirs) && !is_intended {
            differences.push(format!("{}\n{}", line(&command.arguments), describe(&ours, &theirs)));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    let known = commands_with_keys(&pair);
    let missing: Vec<_> = known.iter().filter(|name| !asked.contains(*name)).collect();
    assert!(missing.is_empty(), "in no table: {missing:?}");
}

/// The commands that both servers have and whose first key has a place of its own.
fn commands_with_keys(pair: &Pair) -> Vec<String> {
    let (mut ours, mut theirs) = (pair.ours.connect(), pair.theirs.connect());
    let names = ours.run("COMMAND LIST").elements();
    let has_key = |name: &Value| {
        let info = theirs.command(&["COMMAND", "INFO", &name.text()]).elements()[0].clone();
        // A shard channel is in the place of a key, but is none.
        let is_channel = || format!("{info:?}").contains("not_key");
        info != Value::Null && info.elements()[3].integer() > 0 && !is_channel()
    };
    names.into_iter().filter(has_key).map(|name| name.text()).collect()
}

/// What is sent raw: inline commands, pipelines, malformed requests. Both must send the same until they close.
#[test]
fn raw_requests() {
    let pair = Pair::start();
    let mut differences = Vec::new();
    for request in scripts::common::RAW {
        let answer = |server: &Server| {
            let mut connection = server.connect();
            connection.send(request);
            connection.close_sending_half();
            connection.until_closed()
        };
        let (ours, theirs) = (answer(&pair.ours), answer(&pair.theirs));
        if ours != theirs {
            let shown = describe(&(ours, Value::Null), &(theirs, Value::Null));
            differences.push(format!("{}\n{shown}", show(request)));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// A whole scan of 1,000 keys finds the same keys by every option, whatever COUNT is.
#[test]
fn scans() {
    let pair = Pair::start();
    let mut connections = [pair.ours.connect(), pair.theirs.connect()];
    for connection in &mut connections {
        for key in 0..1_000 {
            connection.run(&format!("SET key:{key} {key}"));
        }
    }
    let [ours, theirs] = &mut connections;
    for options in [
        "",
        "COUNT 1",
        "COUNT 7",
        "COUNT 5000",
        "MATCH key:*9 COUNT 50",
        "TYPE string",
        "TYPE list",
        "MATCH key:1?? TYPE STRING COUNT 100",
        "MATCH nothing*",
    ] {
        let (found, expected) = (keyspace::scan_all(ours, options), keyspace::scan_all(theirs, options));
        assert_eq!(found, expected, "SCAN 0 {options}");
    }
    let random = ours.run("RANDOMKEY");
    assert_eq!(ours.command(&[&b"EXISTS"[..], random.bytes()]), Value::Integer(1));
}

/// The metadata of every command both have: COMMAND INFO, with flags and categories in any order.
#[test]
fn command_metadata() {
    let pair = Pair::start();
    let (mut ours, mut theirs) = (pair.ours.connect(), pair.theirs.connect());
    let names = ours.run("COMMAND LIST");
    let mut differences = Vec::new();
    let mut compared = 0;
    for name in names.elements() {
        let info = |c: &mut Connection| ordered(&c.command(&["COMMAND", "INFO", &name.text()]));
        let (found, expected) = (info(&mut ours), info(&mut theirs));
        if expected.elements()[0] == Value::Null {
            continue;
        }
        compared += 1;
        if found != expected && !directives::NEWER_METADATA.contains(&name.text().as_str()) {
            differences.push(format!("{}\n  tintype: {found:?}\n  oracle:  {expected:?}", name.text()));
        }
    }
    assert!(compared > 60, "only {compared} commands are known to both");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// The same value with every set, and every array of plain words, in a fixed order; subcommands sorted by name.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Set(elements) => ordered(&Value::Array(elements.clone())),
        Value::Array(elements) => {
            let mut elements: Vec<_> = elements.iter().map(ordered).collect();
            let is_words = elements.iter().all(|e| matches!(e, Value::Simple(_)));
            let is_subcommands = elements.len() > 1
                && elements.iter().all(|e| matches!(e, Value::Array(inner) if inner.len() == 10));
            if is_words || is_subcommands {
                elements.sort();
            }
            Value::Array(elements)
        }
        other => other.clone(),
    }
}

/// CONFIG SET and GET of the common directives with good and bad values: replies and what is in force afterwards.
#[test]
fn config_directives() {
    let pair = Pair::start();
    let mut twin = pair.connect();
    let mut differences = Vec::new();
    for (directive, values) in directives::DIRECTIVES {
        for value in *values {
            let words = |line: &[&str]| line.iter().map(|w| w.as_bytes().to_vec()).collect::<Vec<_>>();
            let before = twin.ours.command(&["CONFIG", "GET", directive]);
            let arguments = words(&["CONFIG", "SET", directive, value]);
            let (ours, theirs) = twin.ask(&arguments);
            if refused(directive, &ours.1).is_some() {
                let after = twin.ours.command(&["CONFIG", "GET", directive]);
                assert_eq!(after, before, "{directive} {value:?} was refused and set");
                // So that the next one is compared from the same state.
                let value = before.elements()[1].text();
                twin.theirs.command(&["CONFIG", "SET", directive, &value]);
                continue;
            }
            let mut compare = |arguments: &[Vec<u8>], ours: Reply, theirs: Reply| {
                if !agree(Rule::Exact, &ours, &theirs) {
                    let after = format!("after setting {value:?}");
                    differences.push(format!("{} {after}\n{}", line(arguments), describe(&ours, &theirs)));
                }
            };
            compare(&arguments, ours, theirs);
            let arguments = words(&["CONFIG", "GET", directive]);
            let (ours, theirs) = twin.ask(&arguments);
            compare(&arguments, ours, theirs);
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Every directive of the oracle is known, with the same default.
#[test]
fn config_defaults() {
    let pair = Pair::start();
    let get = |server: &Server| {
        let elements = server.connect().run("CONFIG GET *").elements();
        elements.chunks(2).map(|pair| (pair[0].text(), pair[1].text())).collect::<BTreeMap<_, _>>()
    };
    let (ours, theirs) = (get(&pair.ours), get(&pair.theirs));
    assert!(theirs.len() > 150, "only {} directives", theirs.len());
    let mut differences = Vec::new();
    for (name, expected) in &theirs {
        let found = ours.get(name);
        if found != Some(expected) && !directives::OWN_DEFAULTS.contains(&name.as_str()) {
            differences.push(format!("{name}: tintype {found:?}, oracle {expected:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Every field of the oracle's INFO is there, in the same section.
#[test]
fn info_fields() {
    let pair = Pair::start();
    let fields = |server: &Server| {
        let mut connection = server.connect();
        connection.ok("SET a 1 EX 100");
        let text = connection.run("INFO everything").text();
        let mut section = String::new();
        let mut fields = Vec::new();
        for line in text.lines().map(str::trim) {
            match (line.strip_prefix("# "), line.split_once(':')) {
                (Some(title), _) => section = title.to_owned(),
                (None, Some((field, _))) => fields.push(format!("{section}: {field}")),
                _ => assert_eq!(line, "", "a line that is neither a title nor a field"),
            }
        }
        fields
    };
    let (ours, theirs) = (fields(&pair.ours), fields(&pair.theirs));
    let is_missing = |field: &&String| {
        let (section, name) = field.split_once(": ").expect("made above");
        !ours.contains(field) && section != "Modules" && !directives::INFO_FIELDS_ELSEWHERE.contains(&name)
    };
    let missing: Vec<_> = theirs.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{} fields are missing: {missing:#?}", missing.len());
}
