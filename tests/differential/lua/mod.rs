//! Lua scripts, generated from a seed and run by both servers: every function of every library, conversions in both
//! protocols, failures, documents, commands.
//!
//! By hand: `TINTYPE_SEED=7 TINTYPE_COMMANDS=100000 TINTYPE_GO_ON=1 cargo test --test differential generated_scripts`;
//! `TINTYPE_SCRIPT=json` plays only the kind of that name (see `KINDS`).
//!
//! What has no order or is each process's own (addresses) is compared without it.

mod documents;
mod expressions;
mod failures;
mod libraries;

use std::path::Path;

use fastrand::Rng;

use crate::compare::{Reply, Rule, describe};
use crate::generator::{Command, Generator};
use crate::support::{Server, Start, Value, show};
use crate::{Pair, Twin, number, payloads, statistics};
use expressions::Writer;

const SEEDS: std::ops::Range<u64> = 1..5;
const SCRIPTS_PER_SEED: usize = 1_500;
/// The keys are made anew after so many.
const SCRIPTS_PER_SETUP: usize = 100;

/// In front of the scripts that use it, on their first line. `show` writes a value without what is not the same in
/// two processes; `run` shows what a function returns, or how it fails.
const PRELUDE: &str = "local function show(v, depth) depth = depth or 0 local kind = type(v) \
    if kind == 'number' then return string.format('%.17g', v) end \
    if kind == 'string' then return '\"' .. v .. '\"' end \
    if kind ~= 'table' then return v == cjson.null and 'null' or kind == 'boolean' and tostring(v) or kind end \
    if depth > 6 then return '...' end local fields = {} \
    for k, x in next, v do fields[#fields + 1] = show(k, depth + 1) .. '=' .. show(x, depth + 1) end \
    table.sort(fields) return '{' .. table.concat(fields, ', ') .. '}' end \
    local function run(f, ...) local function gather(...) return show({n = select('#', ...), ...}) end \
    return gather(pcall(f, ...)) end ";

/// Stands behind the last difference.
const GONE: &str = "the server is gone";

/// One script with how it is called.
struct Case {
    kind: &'static str,
    /// Without the prelude.
    text: String,
    arguments: Vec<Vec<u8>>,
}

/// The oracle is not safe from every script: one that ends it must be known.
impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("while this ran ({}):\n{}\n{:?}", self.kind, self.text, self.arguments);
        }
    }
}

type Kind = fn(&mut Writer, &mut Generator) -> (String, Vec<Vec<u8>>);

/// What scripts are about; some more often.
const KINDS: &[(&str, Kind)] = &[
    ("library", |writer, _| (writer.library_call(), Vec::new())),
    ("library", |writer, _| (writer.library_call(), Vec::new())),
    ("library", |writer, _| (writer.library_call(), Vec::new())),
    ("loop", |writer, _| (writer.library_loop(), Vec::new())),
    ("json", |writer, _| writer.json()),
    ("msgpack", |writer, _| writer.msgpack()),
    ("struct", |writer, _| writer.structure()),
    ("failure", |writer, _| (writer.failure(), Vec::new())),
    ("failure", |writer, _| (writer.failure(), Vec::new())),
    ("syntax", |writer, _| (writer.broken(), Vec::new())),
    ("shebang", |writer, _| (shebang(writer), Vec::new())),
    ("reply", |writer, _| (reply(writer), Vec::new())),
    ("command", command),
    ("command", command),
];

/// Where scripts differ on purpose: what the script contains, what the two replies contain, and why.
const INTENDED: &[(&str, [&str; 2], &str)] = &[
    (
        "os.",
        ["", "global variable 'os'"],
        "Debian's build of the oracle has no `os`; Redis itself has `os.clock`",
    ),
    (
        "[[",
        ["nesting of [[...]] is deprecated", "unfinished long"],
        "Lua's own words; Debian's build has others",
    ),
];

#[test]
fn generated_scripts() {
    let seeds = number("TINTYPE_SEED").map_or(SEEDS, |seed| seed..seed + 1);
    let count = number("TINTYPE_COMMANDS").map_or(SCRIPTS_PER_SEED, |count| count as usize);
    let pair = start();
    let payloads = payloads(&pair.theirs);
    let mut differences = Vec::new();
    for seed in seeds {
        [&pair.ours, &pair.theirs].into_iter().for_each(statistics::reset);
        let found = differing(&pair, seed, count, payloads.clone());
        if found.is_empty() && chosen().is_empty() {
            statistics::assert_same(&format!("counters after seed {seed}"), &pair.ours, &pair.theirs);
        }
        let is_gone = found.last().is_some_and(|difference| difference == GONE);
        differences.extend(found);
        if is_gone {
            break;
        }
    }
    let shown = differences.iter().take(if goes_on() { usize::MAX } else { 3 });
    let report = shown.cloned().collect::<Vec<_>>().join("\n\n");
    assert!(differences.is_empty(), "{report}\n\n{} differences", differences.len());
}

fn goes_on() -> bool {
    number("TINTYPE_GO_ON").is_some()
}

/// The kind that is asked for.
fn chosen() -> String {
    std::env::var("TINTYPE_SCRIPT").unwrap_or_default()
}

fn start() -> Pair {
    let arguments = ["--enable-debug-command", "yes", "--slowlog-log-slower-than", "-1"];
    // There strings are compared as the locale says, here as bytes.
    let theirs =
        Start::oracle().with("--save", "").arguments(&arguments).environment("LC_ALL", Path::new("C"));
    Pair { ours: Server::start(&arguments), theirs: theirs.spawn() }
}

/// Plays the scripts of a seed; how each that differs does.
fn differing(pair: &Pair, seed: u64, count: usize, payloads: Vec<Vec<u8>>) -> Vec<String> {
    let mut writer = Writer { rng: Rng::with_seed(seed) };
    let mut generator = Generator::new(seed, payloads);
    let mut twins = [pair.connect(), pair.connect()];
    twins[1].ask(&[b"HELLO".to_vec(), b"3".to_vec()]);
    let mut differences = Vec::new();
    for round in 0..count {
        let which = writer.rng.usize(..twins.len());
        if round % SCRIPTS_PER_SETUP == 0 {
            twins[which].set_up();
        }
        let case = draw(&mut writer, &mut generator);
        let call = call(&mut writer, &case, &mut twins[which]);
        let (ours, theirs) = twins[which].ask(&call);
        if same(&ours, &theirs) || intended(&case, &ours, &theirs) {
            continue;
        }
        let arguments: Vec<_> = case.arguments.iter().map(|argument| show(argument)).collect();
        let how = show(&call[0]);
        differences.push(format!(
            "seed {seed}, {} {round}, RESP{}, {how}:\n{}\n  arguments: {arguments:?}\n{}",
            case.kind,
            which + 2,
            case.text,
            describe(&ours, &theirs)
        ));
        // Without a server nothing more can be compared.
        let is_gone = ours.1.text().starts_with("no reply");
        if is_gone {
            differences.push(GONE.to_owned());
        }
        if is_gone || !goes_on() {
            break;
        }
        twins[which].set_up();
    }
    differences
}

fn draw(writer: &mut Writer, generator: &mut Generator) -> Case {
    let chosen = chosen();
    let kinds: Vec<_> = KINDS.iter().filter(|(name, _)| name.contains(&chosen)).collect();
    let (kind, draw) = kinds[writer.rng.usize(..kinds.len())];
    let (text, arguments) = draw(writer, generator);
    Case { kind, text, arguments }
}

/// The command that runs the script: EVAL, sometimes a form of its, sometimes with arguments that are wrong.
fn call(writer: &mut Writer, case: &Case, twin: &mut Twin) -> Vec<Vec<u8>> {
    let is_plain = !case.text.contains("show") && !case.text.contains("run(");
    let body = if is_plain || case.text.starts_with('#') {
        case.text.clone()
    } else {
        format!("{PRELUDE}{}", case.text)
    };
    let mut call = vec![b"EVAL".to_vec(), body.into_bytes()];
    match writer.rng.u32(..12) {
        0 => call[0] = b"EVAL_RO".to_vec(),
        1 => {
            let load = [b"SCRIPT".to_vec(), b"LOAD".to_vec(), call[1].clone()];
            if let Value::Bulk(digest) = twin.ask(&load).1.1 {
                call = vec![b"EVALSHA".to_vec(), digest];
            }
        }
        _ => {}
    }
    let keys: &[&str] = match writer.rng.u32(..6) {
        0 => &["str"],
        1 => &["list", "none"],
        _ => &[],
    };
    call.push(keys.len().to_string().into_bytes());
    if writer.chance(60) {
        call[2] = writer.one_of(&["-1", "x", "99", "", "1.5"]).as_bytes().to_vec();
    }
    call.extend(keys.iter().map(|key| key.as_bytes().to_vec()));
    call.extend(case.arguments.iter().cloned());
    call
}

/// A command of the conversations, called by a script.
fn command(writer: &mut Writer, generator: &mut Generator) -> (String, Vec<Vec<u8>>) {
    let arguments = loop {
        let phrase = generator.phrase();
        let command = phrase.into_iter().next_back().expect("at least one");
        let is_same = |command: &Command| {
            let first = &command.arguments[0];
            // A set of flags comes in no order. Since 7.2 XREAD does not wait in a script, as in EXEC: 7.0 refuses.
            !first.eq_ignore_ascii_case(b"command")
                && !(first.eq_ignore_ascii_case(b"xread")
                    && command.arguments[1].eq_ignore_ascii_case(b"block"))
        };
        if command.rule == Rule::Exact && is_same(&command) {
            break command.arguments;
        }
    };
    let text = writer.one_of(&[
        "return redis.call(unpack(ARGV))",
        "return redis.pcall(unpack(ARGV))",
        "return run(redis.call, unpack(ARGV))",
        "return run(redis.pcall, unpack(ARGV))",
        "redis.setresp(3) return redis.call(unpack(ARGV))",
        "redis.setresp(3) return run(redis.pcall, unpack(ARGV))",
        "redis.setresp(3) local x = redis.call(unpack(ARGV)) redis.setresp(2) return x",
        "local x = redis.call(unpack(ARGV)) redis.setresp(3) return x",
    ]);
    (text.to_owned(), arguments)
}

fn reply(writer: &mut Writer) -> String {
    let protocol = writer.one_of(&["", "", "redis.setresp(3) ", "redis.setresp(2) "]);
    format!("{protocol}return {}", writer.reply(3))
}

fn shebang(writer: &mut Writer) -> String {
    let head = writer.one_of(&[
        "#!lua",
        "#!lua ",
        "#!lua flags=no-writes",
        "#!lua flags=no-writes,allow-oom",
        "#!lua flags=allow-stale,no-cluster",
        "#!lua flags=allow-cross-slot-keys",
        "#!lua flags=",
        "#!lua flags=,",
        "#!lua flags=nosuch",
        "#!lua flags=no-writes,",
        "#!lua name=x",
        "#!lua nosuch=1",
        "#!lua nosuch",
        "#!lua flags=no-writes flags=allow-oom",
        "#!lua  flags=no-writes",
        "#!LUA",
        "#!luax",
        "#!",
        "#!python",
        "#",
        " #!lua",
        "#!lua flags = no-writes",
        "#!lua \"flags=no-writes\"",
        "#!lua 'flags=",
    ]);
    let line_end = writer.one_of(&["\n", "\n", "\n", "\r\n", "", " "]);
    let body = writer.one_of(&[
        "return 1",
        "return redis.call('SET', 'str', 'y')",
        "return redis.pcall('SET', 'str', 'y')",
        "return redis.call('GET', 'str')",
        "\nerror('third line')",
        "x =",
        "",
    ]);
    format!("{head}{line_end}{body}")
}

fn same(ours: &Reply, theirs: &Reply) -> bool {
    ours.0 == theirs.0 || comparable(&ours.1) == comparable(&theirs.1)
}

fn intended(case: &Case, ours: &Reply, theirs: &Reply) -> bool {
    let contains = |reply: &Reply, text: &str| String::from_utf8_lossy(&reply.0).contains(text);
    INTENDED.iter().any(|(script, [ours_says, theirs_says], _)| {
        case.text.contains(script) && contains(ours, ours_says) && contains(theirs, theirs_says)
    })
}

/// The value without addresses, its maps and sets in an order.
fn comparable(value: &Value) -> Value {
    let sorted = |elements: &[Value]| {
        let mut elements: Vec<_> = elements.iter().map(comparable).collect();
        elements.sort();
        elements
    };
    match value {
        Value::Array(elements) => Value::Array(elements.iter().map(comparable).collect()),
        Value::Push(elements) => Value::Push(elements.iter().map(comparable).collect()),
        Value::Set(elements) => Value::Set(sorted(elements)),
        Value::Map(pairs) => {
            let mut pairs: Vec<_> = pairs.iter().map(|(k, v)| (comparable(k), comparable(v))).collect();
            pairs.sort();
            Value::Map(pairs)
        }
        Value::Bulk(bytes) => Value::Bulk(without_addresses(bytes)),
        Value::Simple(text) => Value::Simple(text_without_addresses(text)),
        Value::Error(text) => Value::Error(text_without_addresses(text)),
        other => other.clone(),
    }
}

fn text_without_addresses(text: &str) -> String {
    String::from_utf8_lossy(&without_addresses(text.as_bytes())).into_owned()
}

/// `table: 0x5581c0ffee00` becomes `table: 0x`.
fn without_addresses(bytes: &[u8]) -> Vec<u8> {
    const BEFORE: &[u8] = b": 0x";
    let mut kept = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(BEFORE.len()).position(|window| window == BEFORE) {
        let end = at + BEFORE.len();
        kept.extend_from_slice(&rest[..end]);
        let digits = rest[end..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        rest = &rest[end + digits..];
    }
    kept.extend_from_slice(rest);
    kept
}
