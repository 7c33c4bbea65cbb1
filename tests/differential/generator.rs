//! Turns a template of the table into the arguments of one command, from a seed.
//!
//! Times are absolute and far away, or relative, far away and drawn so widely that two of them never tie: then both
//! servers answer alike although their clocks read a moment apart.

use fastrand::Rng;

use crate::compare::Rule;
use crate::table::Template;
use crate::tables;

/// One command in this many is broken on purpose.
const BREAK_ONE_IN: u32 = 25;

/// One word off, these would stop the server, sleep, list every command or choose at random. ZRANK takes one argument
/// more since 7.2; a blocking command (BL, BR, BZ) refuses a huge timeout in other words since then. A lex set whose
/// scores differ has no defined order.
const UNBREAKABLE: &[&str] = &[
    "SHUTDOWN",
    "DEBUG",
    "COMMAND",
    "SPOP",
    "SRANDMEMBER",
    "HRANDFIELD",
    "ZRANDMEMBER",
    "ZRANK",
    "BL",
    "BR",
    "BZ",
    "ZADD {lex}",
];

const KEYS: &[&str] =
    &["a", "b", "c", "k1", "k2", "k3", "{tag}x", "{tag}y", "num", "float", "big", "ke\0y\r\n\u{fc}"];
const RARE_KEYS: &[&str] = &["", "absent", "a key of more than forty-four bytes, so that nothing embeds it"];
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "7",
    "10",
    "255",
    "256",
    "9999",
    "10000",
    "32767",
    "32768",
    "-32769",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "9223372036854775806",
    "9223372036854775807",
    "-9223372036854775807",
    "-9223372036854775808",
    "1000000000000",
];
const NOT_INTEGERS: &[&str] = &[
    "",
    " ",
    " 1",
    "1 ",
    "+1",
    "01",
    "-0",
    "00",
    "1.0",
    "1e3",
    "0x10",
    "abc",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
    "-",
    "1\0",
];
/// Integers that no duration can be: a short one would be over on one server before it is on the other.
const NOT_TIMES: &[&str] = &["0", "-1", "-9223372036854775808", "9223372036854775807"];
const FLOATS: &[&str] = &[
    "0",
    "1",
    "-1",
    "0.1",
    "-0.1",
    "3.0",
    "1e3",
    "1E-5",
    "5e-324",
    "1.7976931348623157e308",
    "3.14159265358979",
    "1e17",
    "123456789012345678",
    "0.000000001",
    "1e21",
    "-1.5e10",
    "100.00",
    ".5",
    "5.",
    "1e-10",
    "4.2e-7",
];
const NOT_FLOATS: &[&str] =
    &["", "abc", " 1", "1 ", "nan", "inf", "-inf", "+inf", "infinity", "1e400", "0x1p3", "1,5", "--1", "1e"];
const PATTERNS: &[&str] = &[
    "*", "k*", "?", "k[1-2]", "k[^1]", "[a-c]", "\\*", "*tag*", "nosuch", "", "[", "k[", "a*b*c", "*\\",
    "[c-a]", "{tag}?",
];
const FAR_SECONDS_AT: &[&str] = &["4000000000", "4000000001", "5000000000", "9000000000"];
const FAR_MS_AT: &[&str] =
    &["4000000000000", "4000000000001", "4000000000999", "5000000000000", "9000000000000"];
const PAST_AT: &[&str] = &["1", "0", "-1", "1000000000", "-9223372036854775808"];
const LENGTHS: &[&str] = &["0", "1", "10", "50", "100", "200", "1000", "5000", "20000", "0.5", "1e3", "1e7"];
/// Too long for a listpack of a sorted set.
const LONG_ELEMENT: &str = "a member of more than sixty-four bytes, so that its sorted set is no listpack";
const SORT_PATTERNS: &[&str] = &["weight_*", "weight_hash_*->field", "#", "nosort", "weight_*"];
const NAMES: &[&str] = &["alice", "bob", "", "two words", "caf\u{e9}", "new\nline", "x"];
const UNKNOWN: &[&str] = &["NOSUCH", "getx", "", "foo\r\nbar", "LOLSET", "se", "config|get"];

/// Classes of arguments that are keys.
const KEY_CLASSES: &[&str] = &[
    "key",
    "list",
    "hash",
    "set",
    "zset",
    "lex",
    "stream",
    "bits",
    "hll",
    "geo",
    "sorted_list",
    "sorted_set",
    "sorted_zset",
];

/// Arguments of one command and how its replies are compared.
pub struct Command {
    pub arguments: Vec<Vec<u8>>,
    pub rule: Rule,
}

pub struct Generator {
    pub rng: Rng,
    /// The table that most commands of the conversation come from.
    focus: &'static [Template],
    /// Payloads of DUMP, good and damaged.
    payloads: Vec<Vec<u8>>,
    /// The only key there is, for a command on a certain key, and whether it was named.
    only_key: Option<(Vec<u8>, bool)>,
}

impl Generator {
    pub fn new(seed: u64, payloads: Vec<Vec<u8>>) -> Generator {
        let focus = tables::ALL[seed as usize % tables::ALL.len()];
        Generator { rng: Rng::with_seed(seed), focus, payloads, only_key: None }
    }

    /// One command, or two that belong together.
    pub fn phrase(&mut self) -> Vec<Command> {
        let command = self.command();
        create_consumer(&command.arguments).into_iter().chain([command]).collect()
    }

    fn command(&mut self) -> Command {
        let template = self.template();
        let mut arguments = self.fill(template.form);
        let mut rule = template.rule;
        let can_break = !UNBREAKABLE.iter().any(|name| template.form.starts_with(name));
        if can_break && self.rng.u32(..BREAK_ONE_IN) == 0 {
            self.break_command(&mut arguments);
            // Without its count a command that chooses at random answers less than everything.
            rule = if matches!(rule, Rule::Sorted | Rule::Scan) { Rule::Shape } else { rule };
        }
        self.change_case(&mut arguments[0]);
        Command { arguments, rule }
    }

    /// A command of this template whose keys are all `key`; `None` when it names none.
    pub fn command_on(&mut self, template: &Template, key: &[u8]) -> Option<Command> {
        self.only_key = Some((key.to_vec(), false));
        let arguments = self.fill(template.form);
        let (_, is_named) = self.only_key.take()?;
        is_named.then_some(Command { arguments, rule: template.rule })
    }

    /// Seven of ten come from the table that the conversation is about, the others from any.
    fn template(&mut self) -> &'static Template {
        let table = match self.rng.u32(..10) {
            ..7 => self.focus,
            7 => tables::ALL[0],
            _ => tables::ALL[self.rng.usize(..tables::ALL.len())],
        };
        let weights_sum: u32 = table.iter().map(|template| template.weight).sum();
        let mut at = self.rng.u32(..weights_sum);
        for template in table {
            if at < template.weight {
                return template;
            }
            at -= template.weight;
        }
        unreachable!("the weights were summed")
    }

    /// The arguments of a form of the table's language.
    fn fill(&mut self, form: &str) -> Vec<Vec<u8>> {
        let mut arguments = Vec::new();
        for token in tokens(form) {
            self.fill_token(token, &mut arguments);
        }
        arguments
    }

    fn fill_token(&mut self, token: &str, arguments: &mut Vec<Vec<u8>>) {
        if let Some(rest) = token.strip_prefix('?') {
            if self.rng.bool() {
                self.fill_token(rest, arguments);
            }
        } else if let Some(rest) = token.strip_suffix('*') {
            (0..self.rng.usize(1..=3)).for_each(|_| self.fill_token(rest, arguments));
        } else if let Some(group) = token.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            arguments.extend(self.fill(group));
        } else {
            let words: Vec<_> = token.split('|').collect();
            let word = words[self.rng.usize(..words.len())];
            match word.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some("set_expiry") => self.set_expiry(arguments),
                Some("geo_option") => self.geo_option(arguments),
                Some("any_command") => arguments.extend(self.any_command()),
                Some(class) => arguments.push(self.argument(class)),
                None => {
                    let mut word = word.as_bytes().to_vec();
                    self.change_case(&mut word);
                    arguments.push(word);
                }
            }
        }
    }

    fn set_expiry(&mut self, arguments: &mut Vec<Vec<u8>>) {
        let (word, class) = [
            ("EX", "far_seconds"),
            ("PX", "far_ms"),
            ("EXAT", "set_at_seconds"),
            ("PXAT", "set_at_ms"),
            ("EX", "bad_time"),
            ("PXAT", "bad_time"),
        ][self.rng.usize(..6)];
        arguments.extend([word.as_bytes().to_vec(), self.argument(class)]);
    }

    fn any_command(&mut self) -> Vec<Vec<u8>> {
        let form = loop {
            let template = self.template();
            if !template.form.contains("any_command") {
                break template.form;
            }
        };
        self.fill(form)
    }

    fn argument(&mut self, class: &str) -> Vec<u8> {
        if let (Some((key, is_named)), true) = (&mut self.only_key, KEY_CLASSES.contains(&class)) {
            *is_named = true;
            // Ranges of names are defined where all scores are the same.
            return if class == "lex" && key == b"zset" { b"lex".to_vec() } else { key.clone() };
        }
        match class {
            "key" => self.key(),
            "value" => self.value(),
            "int" => self.mostly(INTEGERS, NOT_INTEGERS),
            "bad_int" => self.mostly(NOT_INTEGERS, INTEGERS),
            "not_int" => self.one_of(NOT_INTEGERS),
            "bad_time" => self.mostly(NOT_INTEGERS, NOT_TIMES),
            "float" => self.mostly(FLOATS, NOT_FLOATS),
            "index" => self.index(),
            "rank" => self.rank(),
            "offset" => self.offset(),
            "small" => self.rng.u32(..8).to_string().into_bytes(),
            "count" => self.mostly(&["1", "2", "5", "10", "1000"], &["0", "-1", "x", "99999999999999999999"]),
            "far_seconds" => (100_000 + self.rng.u64(..1_000_000_000)).to_string().into_bytes(),
            "far_ms" => (100_000_000 + self.rng.u64(..1_000_000_000_000)).to_string().into_bytes(),
            "at_seconds" => self.mostly(FAR_SECONDS_AT, PAST_AT),
            "at_ms" => self.mostly(FAR_MS_AT, PAST_AT),
            // A key that is set with a time that is over stays until somebody looks at it: RANDOMKEY and SCAN do by
            // chance. There is a fixed conversation for that.
            "set_at_seconds" => self.mostly(FAR_SECONDS_AT, NOT_TIMES),
            "set_at_ms" => self.mostly(FAR_MS_AT, NOT_TIMES),
            "pattern" => self.one_of(PATTERNS),
            "cursor" => self.mostly(&["0"], &["x", "-1", "99999999999999999999999", "", "1 "]),
            // Where a scan from the last cursor of all begins is each table's own.
            "start" => self.mostly(&["0"], &["x", "99999999999999999999999", "", "1 "]),
            "db" => self.mostly(&["0", "0", "0", "1", "9", "15"], &["16", "-1", "x", "", "99999999999"]),
            "name" => self.one_of(NAMES),
            "payload" => self.payload(),
            "unknown" => self.one_of(UNKNOWN),
            "list" | "hash" | "set" | "zset" | "stream" | "bits" | "hll" | "geo" => self.key_of(class),
            "lex" => format!("lex:{}", self.rng.u32(..4)).into_bytes(),
            "few" => self.mostly(&["0", "1", "2", "3", "10", "100"], &["-1", "x", "9223372036854775807"]),
            "longitude" => self.coordinate(13, &["0", "180", "-180", "180.1", "x", "nan", "inf", ""]),
            "latitude" => {
                self.coordinate(37, &["0", "85.05112878", "-85.05112878", "85.1", "y", "-inf", "0x1p3"])
            }
            "length" => self.mostly(LENGTHS, &["-1", "x", "inf", "1e300", "", "1e-9"]),
            "unit" => self.mostly(&["m", "km", "ft", "mi"], &["KM", "Mi", "xx", ""]),
            "place" => format!("p{}", self.rng.u32(..30)).into_bytes(),
            "sorted_list" | "sorted_set" | "sorted_zset" => {
                format!("{class}:{}", self.rng.u32(..3)).into_bytes()
            }
            "sorted_element" => self.rng.u32(..20).to_string().into_bytes(),
            "weight" | "weight_hash" => format!("{class}_{}", self.rng.u32(..20)).into_bytes(),
            "sort_pattern" => {
                self.mostly(SORT_PATTERNS, &["*", "none_*", "weight_*->field", "weight_*->", "", "##"])
            }
            "sort_weight" => self.one_of(&["weight_*", "weight_hash_*->field", "none_*"]),
            "long_element" => LONG_ELEMENT.as_bytes().to_vec(),
            "integer" => self.integer(),
            "field" | "member" | "element" => self.element(),
            "score" => self.score(),
            // Not negative: minus zero is zero while a set is a listpack, so that the way to a result shows in it.
            "factor" => self.mostly(&["0", "1", "2.5", "1e3", "0.1", "1e308", "inf"], NOT_FLOATS),
            "score_bound" => self.score_bound(),
            "lex_bound" => self.lex_bound(),
            "not_timeout" => self.one_of(&["-1", "x", "", " 1", "nan"]),
            "group" | "consumer" => self.one_of(&["one", "two", "three"]),
            "id" => self.stream_id(),
            "new_id" => self.new_stream_id(),
            "range_id" => self.range_id(),
            other => panic!("the table names an unknown class {other}"),
        }
    }

    fn key(&mut self) -> Vec<u8> {
        let keys = if self.rng.u32(..40) == 0 { RARE_KEYS } else { KEYS };
        self.one_of(keys)
    }

    /// A key that mostly holds values of one type; now and then any key.
    fn key_of(&mut self, class: &str) -> Vec<u8> {
        match self.rng.u32(..30) {
            0 => self.key(),
            1 => b"absent".to_vec(),
            _ => format!("{class}:{}", self.rng.u32(..4)).into_bytes(),
        }
    }

    fn integer(&mut self) -> Vec<u8> {
        match self.rng.u32(..12) {
            0 => self.one_of(INTEGERS),
            1 => self.rng.i64(..).to_string().into_bytes(),
            _ => self.rng.i32(-50..400).to_string().into_bytes(),
        }
    }

    /// An element of a collection, out of few, so that they meet again.
    fn element(&mut self) -> Vec<u8> {
        match self.rng.u32(..24) {
            0 => self.value(),
            1 => self.one_of(NOT_INTEGERS),
            2 => self.text(60..=70),
            3..=7 => self.integer(),
            8 => Vec::new(),
            _ => format!("m{}", self.rng.u32(..40)).into_bytes(),
        }
    }

    /// Degrees, mostly few apart from others so that places meet again.
    fn coordinate(&mut self, start: u32, special: &[&str]) -> Vec<u8> {
        match self.rng.u32(..40) {
            0 => self.one_of(special),
            1..=4 => self.rng.i32(-85..85).to_string().into_bytes(),
            5..=19 => format!("{}.{}", start + self.rng.u32(..3), self.rng.u32(..4)).into_bytes(),
            _ => format!("{}.{:06}", start + self.rng.u32(..3), self.rng.u32(..1_000_000)).into_bytes(),
        }
    }

    fn geo_option(&mut self, arguments: &mut Vec<Vec<u8>>) {
        let options = ["WITHDIST", "WITHHASH", "WITHCOORD", "ASC", "DESC", "ANY", "COUNT", "COUNT", "COUNT"];
        let option = options[self.rng.usize(..options.len())];
        arguments.push(option.as_bytes().to_vec());
        if option == "COUNT" {
            arguments.push(self.argument("few"));
            if self.rng.bool() {
                arguments.push(b"ANY".to_vec());
            }
        }
    }

    fn score(&mut self) -> Vec<u8> {
        match self.rng.u32(..16) {
            0 => self.one_of(NOT_FLOATS),
            1 => self.one_of(&["inf", "-inf", "+inf", "0", "1e308", "Infinity"]),
            2..=4 => self.mostly(FLOATS, NOT_FLOATS),
            5..=7 => format!("{:.3}", f64::from(self.rng.i32(-5000..5000)) / 16.0).into_bytes(),
            _ => self.rng.i32(-5..20).to_string().into_bytes(),
        }
    }

    fn score_bound(&mut self) -> Vec<u8> {
        match self.rng.u32(..6) {
            0 => self.one_of(&["-inf", "+inf", "inf", "(-inf", "(inf", "(", "", "((1", "[1", "(nan"]),
            1 => [&b"("[..], &self.score()].concat(),
            _ => self.score(),
        }
    }

    fn lex_bound(&mut self) -> Vec<u8> {
        match self.rng.u32(..6) {
            0 => self.one_of(&["-", "+", "(", "[", "", "x", "--", "(+"]),
            1 => b"-".to_vec(),
            2 => b"+".to_vec(),
            3 => [&b"("[..], &self.element()].concat(),
            _ => [&b"["[..], &self.element()].concat(),
        }
    }

    fn stream_id(&mut self) -> Vec<u8> {
        match self.rng.u32(..12) {
            0 => self.one_of(&[
                "0",
                "0-0",
                "x",
                "1-",
                "-1",
                "1-x",
                "18446744073709551615-18446744073709551615",
                "-",
            ]),
            1 => self.rng.u32(..60).to_string().into_bytes(),
            _ => format!("{}-{}", self.rng.u32(..60), self.rng.u32(..4)).into_bytes(),
        }
    }

    /// Mostly beyond what is there, since ids only grow.
    fn new_stream_id(&mut self) -> Vec<u8> {
        match self.rng.u32(..12) {
            0 => self.stream_id(),
            1 => format!("{}-*", self.rng.u32(..60)).into_bytes(),
            _ => format!("{}-{}", self.rng.u32(..60), self.rng.u32(..2000)).into_bytes(),
        }
    }

    fn range_id(&mut self) -> Vec<u8> {
        match self.rng.u32(..6) {
            0 => b"-".to_vec(),
            1 => b"+".to_vec(),
            2 => [&b"("[..], &self.stream_id()].concat(),
            _ => self.stream_id(),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        match self.rng.u32(..20) {
            0..=6 => self.one_of(INTEGERS),
            7 => self.one_of(NOT_INTEGERS),
            8..=9 => self.one_of(FLOATS),
            10 => Vec::new(),
            11 => self.text(43..=45),
            12 => self.text(1..=20),
            13 => self.text(20..=70),
            14 => self.text(200..=300),
            15 => vec![b'z'; self.rng.usize(1..=100)],
            16 => (0..self.rng.usize(1..=64)).map(|_| self.rng.u8(..)).collect(),
            17 if self.rng.u32(..8) == 0 => self.text(10_000..=10_300),
            18 => b"hello world, hello tin".to_vec(),
            _ => b"hello".to_vec(),
        }
    }

    fn text(&mut self, lengths: std::ops::RangeInclusive<usize>) -> Vec<u8> {
        (0..self.rng.usize(lengths)).map(|_| self.rng.u8(b'a'..=b'f')).collect()
    }

    fn index(&mut self) -> Vec<u8> {
        match self.rng.u32(..12) {
            0 => self.one_of(NOT_INTEGERS),
            1 => self.one_of(INTEGERS),
            _ => self.rng.i32(-30..60).to_string().into_bytes(),
        }
    }

    /// The rank of LPOS: the lowest integer of all is refused since 7.2.
    fn rank(&mut self) -> Vec<u8> {
        let index = self.index();
        if index == i64::MIN.to_string().as_bytes() { b"0".to_vec() } else { index }
    }

    fn offset(&mut self) -> Vec<u8> {
        match self.rng.u32(..14) {
            0 => self.one_of(NOT_INTEGERS),
            1 => self.one_of(&["-1", "536870912", "9223372036854775807", "536870911999"]),
            2 => self.rng.u32(..3000).to_string().into_bytes(),
            _ => self.rng.u32(..50).to_string().into_bytes(),
        }
    }

    fn payload(&mut self) -> Vec<u8> {
        let mut payload = self.payloads[self.rng.usize(..self.payloads.len())].clone();
        if self.rng.u32(..6) == 0 && !payload.is_empty() {
            let at = self.rng.usize(..payload.len());
            payload[at] ^= 1 << self.rng.u32(..8);
        }
        payload
    }

    /// Mostly one of `good`, now and then one of `bad`.
    fn mostly(&mut self, good: &[&str], bad: &[&str]) -> Vec<u8> {
        let words = if self.rng.u32(..8) == 0 { bad } else { good };
        self.one_of(words)
    }

    fn one_of(&mut self, words: &[&str]) -> Vec<u8> {
        words[self.rng.usize(..words.len())].as_bytes().to_vec()
    }

    fn break_command(&mut self, arguments: &mut Vec<Vec<u8>>) {
        let at = self.rng.usize(..arguments.len());
        match self.rng.u32(..4) {
            0 if arguments.len() > 1 => drop(arguments.pop()),
            1 => arguments.push(self.value()),
            2 if at > 0 => arguments[at] = self.one_of(NOT_INTEGERS),
            _ if at > 0 => drop(arguments.remove(at)),
            _ => arguments.push(b"extra".to_vec()),
        }
    }

    /// Half of all words are written in lower case, some in mixed case.
    fn change_case(&mut self, word: &mut [u8]) {
        match self.rng.u32(..6) {
            0..=2 => word.make_ascii_lowercase(),
            3 => word.iter_mut().step_by(2).for_each(|byte| byte.make_ascii_lowercase()),
            _ => {}
        }
    }
}

/// Since 7.2 reading and claiming create their consumer in any case, before that only when they found something. It is
/// created first, so that nobody can tell.
fn create_consumer(arguments: &[Vec<u8>]) -> Option<Command> {
    let name = arguments[0].to_ascii_uppercase();
    let [key, group, consumer] = match name.as_slice() {
        b"XCLAIM" | b"XAUTOCLAIM" => [arguments.get(1)?, arguments.get(2)?, arguments.get(3)?],
        b"XREADGROUP" => {
            let streams = arguments.iter().position(|word| word.eq_ignore_ascii_case(b"STREAMS"))?;
            [arguments.get(streams + 1)?, arguments.get(2)?, arguments.get(3)?]
        }
        _ => return None,
    };
    let words = [&b"XGROUP"[..], b"CREATECONSUMER", key, group, consumer];
    Some(Command { arguments: words.map(<[u8]>::to_vec).to_vec(), rule: Rule::Exact })
}

/// Splits a form at blanks outside parentheses.
pub fn tokens(form: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, byte) in form.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b' ' if depth == 0 => {
                found.push(&form[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&form[start..]);
    found
}
