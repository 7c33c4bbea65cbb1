//! One file for each form that a value ever had in an RDB file, with the commands that make the same data.

use super::pack::{intset, length, listpack, string, ziplist, zipmap};

pub type Command = Vec<Vec<u8>>;

/// A key of a file.
pub struct Key {
    pub name: &'static str,
    value: Vec<u8>,
    /// They make an equal value under the name `same:<name>`.
    pub commands: Vec<Command>,
}

/// A form: a file with keys of it.
pub struct Form {
    pub name: &'static str,
    pub magic: &'static str,
    type_byte: u8,
    pub keys: Vec<Key>,
    /// Whether redis-server 7.0 reads it.
    pub is_known_to_oracle: bool,
}

impl Form {
    /// The file; without a checksum, so that damage is noticed by reading.
    pub fn file(&self) -> Vec<u8> {
        let mut out = self.magic.as_bytes().to_vec();
        out.extend(b"\xfe\x00");
        for key in &self.keys {
            out.push(self.type_byte);
            out.extend(string(key.name.as_bytes()));
            out.extend(&key.value);
        }
        out.push(0xff);
        let has_checksum = !["REDIS0001", "REDIS0002", "REDIS0003", "REDIS0004"].contains(&self.magic);
        out.extend(vec![0; if has_checksum { 8 } else { 0 }]);
        out
    }

    /// The keys with small values only.
    pub fn small(mut self) -> Form {
        self.keys.retain(|key| key.value.len() < 1000);
        self
    }
}

fn text(value: impl AsRef<[u8]>) -> Vec<u8> {
    value.as_ref().to_vec()
}

/// Different texts of every kind: integers of every width, short and long strings, bytes that are no text.
fn texts(count: usize) -> Vec<Vec<u8>> {
    let one = |at: usize| match at % 8 {
        0 => text(at.to_string()),
        1 => text((-(at as i64) * 977).to_string()),
        2 => text((at as i64 * 3_000_017).to_string()),
        3 => text((at as i64 * -300_000_000_019).to_string()),
        4 => text(format!("text {at}")),
        5 => [&b"\x00\xff\r\n"[..], at.to_string().as_bytes()].concat(),
        // Beyond the first few longer than what stays packed.
        6 => text(format!("{at}:{}", "x".repeat(if at < 20 { 40 } else { 60 + at % 250 }))),
        _ => text(format!("0{at}")),
    };
    (0..count).map(one).collect()
}

/// Small, and large enough for the encoding of large values; the small one has few long texts.
const COUNTS: [(&str, usize); 3] = [("one", 1), ("small", 6), ("large", 1500)];

fn command(words: &[&[u8]]) -> Command {
    words.iter().map(|word| word.to_vec()).collect()
}

fn same(name: &str) -> Vec<u8> {
    text(format!("same:{name}"))
}

/// `verb same:name argument..`, a few hundred arguments at a time.
fn commands(verb: &str, name: &str, arguments: &[Vec<u8>]) -> Vec<Command> {
    let whole = |piece: &[Vec<u8>]| [&[text(verb), same(name)], piece].concat();
    arguments.chunks(400).map(whole).collect()
}

fn key(name: &'static str, value: Vec<u8>, commands: Vec<Command>) -> Key {
    Key { name, value, commands }
}

fn strings(texts: &[Vec<u8>]) -> Vec<u8> {
    texts.iter().flat_map(|text| string(text)).collect()
}

fn counted(count: usize, content: &[u8]) -> Vec<u8> {
    [&length(count as u64), content].concat()
}

fn form(name: &'static str, magic: &'static str, type_byte: u8, keys: Vec<Key>) -> Form {
    let is_known_to_oracle = magic <= "REDIS0010";
    Form { name, magic, type_byte, keys, is_known_to_oracle }
}

fn lists(make: impl Fn(&[Vec<u8>]) -> Vec<u8>) -> Vec<Key> {
    let list = |(name, count)| {
        let texts = texts(count);
        key(name, make(&texts), commands("RPUSH", name, &texts))
    };
    COUNTS.into_iter().map(list).collect()
}

fn sets(make: impl Fn(&[Vec<u8>]) -> Vec<u8>) -> Vec<Key> {
    let set = |(name, count)| {
        let texts = texts(count);
        key(name, make(&texts), commands("SADD", name, &texts))
    };
    COUNTS.into_iter().map(set).collect()
}

fn hashes(make: impl Fn(&[Vec<u8>]) -> Vec<u8>) -> Vec<Key> {
    let hash = |(name, count)| {
        let texts = texts(2 * count);
        key(name, make(&texts), commands("HSET", name, &texts))
    };
    COUNTS.into_iter().map(hash).collect()
}

/// Members with ascending scores of every kind.
fn scored(count: usize) -> Vec<(Vec<u8>, f64)> {
    let score = |at: usize| match at {
        0 if count > 1 => f64::NEG_INFINITY,
        last if last + 1 == count && count > 2 => f64::INFINITY,
        at if at % 3 == 0 => at as f64,
        at => at as f64 + 0.1,
    };
    texts(count).into_iter().enumerate().map(|(at, member)| (member, score(at))).collect()
}

fn score_text(score: f64) -> Vec<u8> {
    text(if score.is_infinite() {
        if score > 0.0 { "inf".into() } else { "-inf".into() }
    } else {
        score.to_string()
    })
}

fn zsets(make: impl Fn(&[(Vec<u8>, f64)]) -> Vec<u8>) -> Vec<Key> {
    let zset = |(name, count)| {
        let scored = scored(count);
        let arguments: Vec<_> =
            scored.iter().flat_map(|(member, score)| [score_text(*score), member.clone()]).collect();
        key(name, make(&scored), commands("ZADD", name, &arguments))
    };
    COUNTS.into_iter().map(zset).collect()
}

fn ascii_double(score: f64) -> Vec<u8> {
    if score.is_infinite() {
        return vec![if score > 0.0 { 254 } else { 255 }];
    }
    let digits = score.to_string();
    [&[digits.len() as u8], digits.as_bytes()].concat()
}

fn members_and_scores(scored: &[(Vec<u8>, f64)]) -> Vec<Vec<u8>> {
    scored.iter().flat_map(|(member, score)| [member.clone(), score_text(*score)]).collect()
}

fn intsets() -> Vec<Key> {
    let set = |name, values: Vec<i64>| {
        let texts: Vec<_> = values.iter().map(|value| text(value.to_string())).collect();
        key(name, string(&intset(&values)), commands("SADD", name, &texts))
    };
    vec![
        set("16 bits", vec![3, -3, 0, 32767, -32768]),
        set("32 bits", (-8..8).map(|value| value * 100_003).collect()),
        set("64 bits", vec![i64::MIN, i64::MAX, 0, 7]),
        set("many", (0..1000).map(|value| value * 7 - 3000).collect()),
    ]
}

/// Far ahead: 2100. A field's expiry must not pass during the test.
const EXPIRY_MS: u64 = 4_102_444_800_000;

/// The expiry of a field, of every third: 0 is none.
fn field_expiry(at: usize) -> u64 {
    if at % 3 == 1 { EXPIRY_MS + at as u64 * 1000 } else { 0 }
}

/// Hashes with expiries: fields, values and expiries in triples, those that expire first.
fn volatile(make: impl Fn(&[(Vec<u8>, Vec<u8>, u64)]) -> Vec<u8>) -> Vec<Key> {
    let hash = |(name, count)| {
        let texts = texts(2 * count);
        let mut fields: Vec<_> = texts
            .chunks(2)
            .enumerate()
            .map(|(at, pair)| (pair[0].clone(), pair[1].clone(), field_expiry(at)))
            .collect();
        fields.sort_by_key(|(_, _, expiry)| if *expiry == 0 { u64::MAX } else { *expiry });
        let mut all = commands("HSET", name, &texts);
        for (field, _, expiry) in fields.iter().filter(|(_, _, expiry)| *expiry > 0) {
            let time = expiry.to_string();
            all.push(command(&[b"HPEXPIREAT", &same(name), time.as_bytes(), b"FIELDS", b"1", field]));
        }
        key(name, make(&fields), all)
    };
    COUNTS.into_iter().map(hash).collect()
}

fn triples(fields: &[(Vec<u8>, Vec<u8>, u64)]) -> Vec<u8> {
    let flat: Vec<_> = fields
        .iter()
        .flat_map(|(field, value, expiry)| [field.clone(), value.clone(), text(expiry.to_string())])
        .collect();
    string(&listpack(&flat))
}

fn first_expiry(fields: &[(Vec<u8>, Vec<u8>, u64)]) -> u64 {
    fields.iter().map(|(_, _, expiry)| *expiry).filter(|expiry| *expiry > 0).min().unwrap_or(0)
}

pub fn old() -> Vec<Form> {
    let listed = |texts: &[Vec<u8>]| counted(texts.len(), &strings(texts));
    let nodes = |texts: &[Vec<u8>]| {
        let ziplists: Vec<_> = texts.chunks(100).map(|node| string(&ziplist(node))).collect();
        counted(ziplists.len(), &ziplists.concat())
    };
    let containers = |texts: &[Vec<u8>], node_len: usize| {
        let node = |(at, texts): (usize, &[Vec<u8>])| match texts {
            // Every other node of one element is a plain one.
            [text] if at % 2 == 0 => [length(1), string(text)].concat(),
            _ => [length(2), string(&listpack(texts))].concat(),
        };
        let nodes: Vec<_> = texts.chunks(node_len).enumerate().map(node).collect();
        counted(nodes.len(), &nodes.concat())
    };
    let scores = |double: fn(f64) -> Vec<u8>| {
        move |scored: &[(Vec<u8>, f64)]| {
            // From the highest down, as all writers do.
            let pairs: Vec<_> = scored
                .iter()
                .rev()
                .map(|(member, score)| [string(member), double(*score)].concat())
                .collect();
            counted(pairs.len(), &pairs.concat())
        }
    };
    let mut in_containers = lists(|texts| containers(texts, 99));
    let single = texts(40);
    in_containers.push(key("single", containers(&single, 1), commands("RPUSH", "single", &single)));
    vec![
        form("list", "REDIS0001", 1, lists(listed)),
        form("set", "REDIS0001", 2, sets(listed)),
        form("sorted set", "REDIS0001", 3, zsets(scores(ascii_double))),
        form("hash", "REDIS0001", 4, hashes(|texts| counted(texts.len() / 2, &strings(texts)))),
        form("sorted set, binary", "REDIS0008", 5, zsets(scores(|score| score.to_le_bytes().to_vec()))),
        form("hash as zipmap", "REDIS0002", 9, hashes(|texts| string(&zipmap(texts)))),
        form("list as ziplist", "REDIS0002", 10, lists(|texts| string(&ziplist(texts)))),
        form("set as intset", "REDIS0002", 11, intsets()),
        form(
            "sorted set as ziplist",
            "REDIS0002",
            12,
            zsets(|scored| string(&ziplist(&members_and_scores(scored)))),
        ),
        form("hash as ziplist", "REDIS0004", 13, hashes(|texts| string(&ziplist(texts)))),
        form("list of ziplists", "REDIS0007", 14, lists(nodes)),
        form("hash as listpack", "REDIS0010", 16, hashes(|texts| string(&listpack(texts)))),
        form(
            "sorted set as listpack",
            "REDIS0010",
            17,
            zsets(|scored| string(&listpack(&members_and_scores(scored)))),
        ),
        form("list of listpacks", "REDIS0010", 18, in_containers),
    ]
}

pub fn newer() -> Vec<Form> {
    let each = |make: fn(&[u8], &[u8], u64, u64) -> Vec<u8>| {
        move |fields: &[(Vec<u8>, Vec<u8>, u64)]| {
            let first = first_expiry(fields);
            let all: Vec<_> =
                fields.iter().map(|(field, value, expiry)| make(field, value, *expiry, first)).collect();
            counted(fields.len(), &all.concat())
        }
    };
    let candidate = each(|field, value, expiry, _| [length(expiry), string(field), string(value)].concat());
    let from_first = each(|field, value, expiry, first| {
        let later = if expiry == 0 { 0 } else { expiry - first + 1 };
        [length(later), string(field), string(value)].concat()
    });
    let valkey = each(|field, value, expiry, _| {
        let expiry = if expiry == 0 { -1 } else { expiry as i64 };
        [string(field), string(value), expiry.to_le_bytes().to_vec()].concat()
    });
    let with_first = |fields: &[(Vec<u8>, Vec<u8>, u64)], rest: Vec<u8>| {
        [first_expiry(fields).to_le_bytes().to_vec(), rest].concat()
    };
    vec![
        form("set as listpack", "REDIS0011", 20, sets(|texts| string(&listpack(texts)))),
        form("hash with expiries of 7.4-RC", "REDIS0012", 22, volatile(candidate)),
        form("hash with expiries of 7.4-RC as listpack", "REDIS0012", 23, volatile(triples)),
        form(
            "hash with expiries",
            "REDIS0012",
            24,
            volatile(move |fields| with_first(fields, from_first(fields))),
        ),
        form(
            "hash with expiries as listpack",
            "REDIS0012",
            25,
            volatile(move |fields| with_first(fields, triples(fields))),
        ),
        form("hash with expiries of Valkey", "VALKEY080", 22, volatile(valkey)),
    ]
}

// ----- streams -----

/// What a form of a stream has beyond the first.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Age {
    First,
    Totals,
    ActiveTimes,
    Producers,
    Nacks,
}

const NODE_ENTRIES: u64 = 100;

fn id(ms: u64, seq: u64) -> [u8; 16] {
    (u128::from(ms) << 64 | u128::from(seq)).to_be_bytes()
}

/// Entry `at` is `1000 + at / 2`-`at % 2`: with the fields f and g, every seventh with others. Every ninth is deleted.
fn entry_fields(at: u64) -> Vec<Vec<u8>> {
    let value = text(format!("{}", at * 31));
    if at % 7 == 3 {
        return vec![text("other"), value, text(""), text("x".repeat(at as usize % 90))];
    }
    vec![text("f"), value, text("g"), text(format!("value {at}"))]
}

fn is_deleted(at: u64) -> bool {
    at % 9 == 4
}

fn node(entries: std::ops::Range<u64>) -> Vec<u8> {
    let number = |value: u64| text(value.to_string());
    let deleted = entries.clone().filter(|at| is_deleted(*at)).count() as u64;
    let master = entries.start;
    let mut parts = vec![
        number(entries.end - master - deleted),
        number(deleted),
        number(2),
        text("f"),
        text("g"),
        number(0),
    ];
    for at in entries {
        let fields = entry_fields(at);
        let flags = u64::from(is_deleted(at)) + if fields[0] == b"f" { 2 } else { 0 };
        parts.extend([number(flags), number(at / 2 - master / 2)]);
        parts.push(text((at as i64 % 2 - master as i64 % 2).to_string()));
        if flags & 2 != 0 {
            parts.extend([fields[1].clone(), fields[3].clone(), number(5)]);
        } else {
            parts.push(number(2));
            parts.extend(fields);
            parts.push(number(8));
        }
    }
    listpack(&parts)
}

fn stream(entries: u64, age: Age) -> Vec<u8> {
    let starts: Vec<u64> = (0..entries).step_by(NODE_ENTRIES as usize).collect();
    let mut out = length(starts.len() as u64);
    for start in &starts {
        out.extend(string(&id(1000 + start / 2, start % 2)));
        out.extend(string(&node(*start..entries.min(start + NODE_ENTRIES))));
    }
    let live = (0..entries).filter(|at| !is_deleted(*at)).count() as u64;
    let last = entries - 1;
    let lengths = |numbers: &[u64]| numbers.iter().flat_map(|number| length(*number)).collect::<Vec<_>>();
    out.extend(lengths(&[live, 1000 + last / 2, last % 2]));
    if age >= Age::Totals {
        let deleted = (0..entries).rev().find(|at| is_deleted(*at));
        let (ms, seq) = deleted.map_or((0, 0), |at| (1000 + at / 2, at % 2));
        out.extend(lengths(&[1000, 0, ms, seq, entries]));
    }
    out.extend(length(1));
    out.extend(group(age));
    if age >= Age::Producers {
        out.extend(lengths(&[100, 100, 1]));
        out.extend([string(b"producer"), length(1), string(b"first"), lengths(&[1000, 0])].concat());
        out.extend(lengths(&[1, 0]));
    }
    out
}

/// A group at the first entry, which one consumer has, and another one has nothing.
fn group(age: Age) -> Vec<u8> {
    let time = 1_700_000_000_000_u64.to_le_bytes();
    let mut out = [string(b"group"), length(1000), length(0)].concat();
    if age >= Age::Totals {
        out.extend(length(1));
    }
    out.extend(length(1));
    out.extend([&id(1000, 0)[..], &time, &length(3)].concat());
    out.extend(length(2));
    for (name, owned) in [("busy", 1), ("idle", 0)] {
        out.extend(string(name.as_bytes()));
        out.extend(time);
        if age >= Age::ActiveTimes {
            out.extend(if owned > 0 { time } else { [0xff; 8] });
        }
        out.extend(length(owned));
        if owned > 0 {
            out.extend(id(1000, 0));
        }
    }
    if age >= Age::Nacks {
        out.extend(length(0));
    }
    out
}

fn streams(age: Age) -> Vec<Key> {
    let make = |(name, count): (&'static str, usize)| {
        let key_name = same(name);
        let mut all = Vec::new();
        for at in 0..count as u64 {
            let id = text(format!("{}-{}", 1000 + at / 2, at % 2));
            all.push([vec![text("XADD"), key_name.clone(), id], entry_fields(at)].concat());
        }
        all.push(command(&[b"XGROUP", b"CREATE", &key_name, b"group", b"0"]));
        let read =
            [&b"XREADGROUP"[..], b"GROUP", b"group", b"busy", b"COUNT", b"1", b"STREAMS", &key_name, b">"];
        all.push(command(&read));
        all.push(command(&[b"XGROUP", b"CREATECONSUMER", &key_name, b"group", b"idle"]));
        for at in (0..count as u64).filter(|at| is_deleted(*at)) {
            let id = format!("{}-{}", 1000 + at / 2, at % 2);
            all.push(command(&[b"XDEL", &key_name, id.as_bytes()]));
        }
        key(name, stream(count as u64, age), all)
    };
    [("one", 1), ("small", 6), ("large", 950)].into_iter().map(make).collect()
}

pub fn of_streams() -> Vec<Form> {
    vec![
        form("stream", "REDIS0009", 15, streams(Age::First)),
        form("stream of 7.0", "REDIS0010", 19, streams(Age::Totals)),
        form("stream of 7.2", "REDIS0011", 21, streams(Age::ActiveTimes)),
        form("stream of 8.6", "REDIS0013", 26, streams(Age::Producers)),
        form("stream of 8.8", "REDIS0014", 27, streams(Age::Nacks)),
    ]
}

pub fn all() -> Vec<Form> {
    [old(), newer(), of_streams()].into_iter().flatten().collect()
}
