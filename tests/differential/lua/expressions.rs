//! Lua expressions, drawn at random: numbers at the edges, strings of every kind, tables, what is none of these.

use fastrand::Rng;

/// Writes expressions from a seed.
pub struct Writer {
    pub rng: Rng,
}

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "10",
    "0.5",
    "-0.5",
    "1.5",
    "-2.7",
    "3.99",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "32767",
    "32768",
    "-32769",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "2^53",
    "2^53+1",
    "-2^53",
    "2^62",
    "2^63",
    "-2^63",
    "2^64",
    "9223372036854775807",
    "1e15",
    "1e16",
    "123456789012345",
    "0.1",
    "1/3",
    "1e-5",
    "1e-300",
    "5e-324",
    "1e300",
    "1.7976931348623157e308",
    "math.huge",
    "-math.huge",
    "0/0",
    "0xff",
    "math.pi",
    "1e100",
    "-1e21",
    "3.14159265358979",
];
const SMALL: &[&str] =
    &["0", "1", "2", "3", "4", "5", "8", "-1", "-2", "-5", "1.5", "'2'", "10", "16", "31", "32"];
const STRINGS: &[&str] = &[
    "''",
    "'a'",
    "'abc'",
    "'hello world'",
    "'10'",
    "'-7'",
    "'0x10'",
    "'1e3'",
    "' 5 '",
    "'5x'",
    "'nan'",
    "'inf'",
    r"'a\0b'",
    r"'\r\n'",
    r"'\255\254\0\1'",
    "'caf\\195\\169'",
    "('x'):rep(300)",
    "'THE quick 42 foxes'",
    "'%d %s'",
    "'key = value, other=1'",
    "'[[nested (brackets)]]'",
    "'a,b,,c'",
    "'\\\"quoted\\\"'",
    "'1.0'",
    "'-0'",
];
const OTHERS: &[&str] = &[
    "nil",
    "true",
    "false",
    "print_nothing",
    "function() end",
    "function(...) return ... end",
    "coroutine.create(show)",
    "cjson.null",
    "cjson.null",
    "redis.call",
    "pcall",
    "string.rep",
    "setmetatable({}, {})",
];
/// Pieces of patterns; some are wrong by themselves.
const PATTERN_PIECES: &[&str] = &[
    "a",
    "b",
    "l",
    "o",
    ".",
    "%a",
    "%d",
    "%s",
    "%w",
    "%p",
    "%u",
    "%l",
    "%x",
    "%c",
    "%A",
    "%W",
    "%z",
    "%%",
    "%.",
    "%(",
    "[abc]",
    "[^abc]",
    "[a-z]",
    "[%w_]",
    "[^%s]",
    "[]]",
    "[^]]",
    "[%]]",
    "[a-]",
    "[a-%w]",
    "(%w+)",
    "()",
    "(.-)",
    "(a*(.)%w(%s*))",
    "%b()",
    "%b[]",
    "%f[%w]",
    "%f[%W]",
    "%f[^%z]",
    "(%w)%1",
    " ",
    ",",
    "=",
    "x",
    "\\\\0",
    "\\\\255",
];
const BROKEN_PATTERN_PIECES: &[&str] = &[
    "%", "[", "[a", "[^", "(", ")", "%b", "%bx", "%f", "%f[", "%1", "%2", "[%", "[a-", "(()", "%9", "[z-a]",
    "%0",
];
const QUANTIFIERS: &[&str] = &["", "", "", "", "*", "+", "-", "?"];
const REPLACEMENTS: &[&str] = &[
    "''",
    "'<%0>'",
    "'%1'",
    "'%2%1'",
    "'%%'",
    "'%'",
    "'%9'",
    "'x'",
    "'%a'",
    "{a = 'A', b = false, hello = 7}",
    "{}",
    "function(...) return select('#', ...) end",
    "function(x) return x:upper() end",
    "function() end",
    "function() return false end",
    "function() return {} end",
    "function() error('within') end",
    "5",
    "true",
    "string.upper",
    "{__index = 1}",
];
const KEY_NAMES: &[&str] = &["a", "err", "ok", "double", "map", "set", "n", "key", "x"];

impl Writer {
    pub fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.rng.usize(..choices.len())]
    }

    pub fn chance(&mut self, one_in: u32) -> bool {
        self.rng.u32(..one_in) == 0
    }

    pub fn number(&mut self) -> String {
        match self.rng.u32(..8) {
            0 => self.rng.i32(..).to_string(),
            1 => format!("{:e}", f64::from(self.rng.i32(..)) * 10f64.powi(self.rng.i32(-30..30))),
            2 => self.rng.i64(-(1 << 53)..1 << 53).to_string(),
            _ => self.one_of(NUMBERS).to_owned(),
        }
    }

    pub fn small(&mut self) -> String {
        self.one_of(SMALL).to_owned()
    }

    pub fn string(&mut self) -> String {
        match self.rng.u32(..8) {
            0 => {
                let length = self.rng.usize(..20);
                let bytes: String = (0..length).map(|_| format!("\\{}", self.rng.u8(..))).collect();
                // Three digits, or the next one would belong to it.
                let bytes = bytes.split('\\').skip(1).map(|byte| format!("\\{byte:0>3}")).collect::<String>();
                format!("'{bytes}'")
            }
            1 => format!("('{}'):rep({})", self.rng.lowercase(), self.rng.u32(..70)),
            _ => self.one_of(STRINGS).to_owned(),
        }
    }

    pub fn pattern(&mut self) -> String {
        let mut text = String::new();
        if self.chance(5) {
            text.push('^');
        }
        for _ in 0..self.rng.usize(..5) {
            let is_broken = self.chance(25);
            text.push_str(self.one_of(if is_broken { BROKEN_PATTERN_PIECES } else { PATTERN_PIECES }));
            text.push_str(self.one_of(QUANTIFIERS));
        }
        if self.chance(6) {
            text.push('$');
        }
        format!("'{text}'")
    }

    pub fn replacement(&mut self) -> String {
        self.one_of(REPLACEMENTS).to_owned()
    }

    /// A format of string.format, with what it may ask for.
    pub fn format_call(&mut self) -> String {
        let mut format = String::new();
        let mut arguments = String::new();
        for _ in 0..self.rng.usize(1..4) {
            let flags = self.one_of(&["", "", "", "-", "+", " ", "#", "0", "-0", "+#", "------", "00000"]);
            let width = self.one_of(&["", "", "", "1", "5", "12", "99", "100", "0"]);
            let precision = self.one_of(&["", "", "", ".0", ".1", ".3", ".10", ".17", ".99", ".100", "."]);
            let kind = self.one_of(&[
                "d", "i", "u", "o", "x", "X", "c", "e", "E", "f", "g", "G", "s", "s", "q", "%", "5", "y",
                "a", "p", "",
            ]);
            format.push_str(&format!("<%{flags}{width}{precision}{kind}>"));
            let argument = match kind {
                "s" | "q" => self.scalar(),
                // A negative or huge number as an unsigned one is the compiler's choice.
                "o" | "u" | "x" | "X" => {
                    self.one_of(&["0", "7", "255", "4294967296", "2^40", "'12'"]).to_owned()
                }
                "c" => self.one_of(&["65", "0", "10", "255", "'66'"]).to_owned(),
                "d" | "i" => self.rng.i32(..).to_string(),
                _ => self.number(),
            };
            let argument = if self.chance(15) { self.any(2) } else { argument };
            arguments.push_str(&format!(", {argument}"));
        }
        format!("'{format}'{arguments}")
    }

    /// A number, a string or a boolean.
    pub fn scalar(&mut self) -> String {
        match self.rng.u32(..7) {
            0..=2 => self.number(),
            3..=5 => self.string(),
            _ => self.one_of(&["true", "false"]).to_owned(),
        }
    }

    /// A table; one of several named fields has no order, so there is at most one beside the array.
    pub fn table(&mut self, depth: u32) -> String {
        let mut fields = Vec::new();
        for _ in 0..self.rng.usize(..5) {
            fields.push(self.any(depth.saturating_sub(1)));
        }
        let named = self.rng.u32(..6);
        let value = self.any(depth.saturating_sub(1));
        match named {
            0 | 1 => {
                fields.clear();
                fields.push(format!("{} = {value}", self.one_of(KEY_NAMES)));
            }
            2 => {
                fields = vec![format!(
                    "[{}] = {value}",
                    self.one_of(&["1.5", "10", "3", "-1", "0", "true", "2^40"])
                )]
            }
            3 => fields.push(format!("[{}] = {value}", fields.len() + self.rng.usize(2..20))),
            _ => {}
        }
        format!("{{{}}}", fields.join(", "))
    }

    /// Several named fields, for who looks at them in an order of his own.
    pub fn wide_table(&mut self, depth: u32) -> String {
        let count = self.rng.usize(..6);
        let fields: Vec<_> = (0..count)
            .map(|n| {
                let value =
                    if depth > 0 && self.chance(3) { self.wide_table(depth - 1) } else { self.scalar() };
                match self.rng.u32(..3) {
                    0 => value,
                    1 => format!("f{n} = {value}"),
                    _ => format!("[{}] = {value}", self.string_key()),
                }
            })
            .collect();
        format!("{{{}}}", fields.join(", "))
    }

    fn string_key(&mut self) -> String {
        format!("'{}{}'", self.one_of(&["", "a", "key ", "\\0", "\\255", "\\\"", "/"]), self.rng.u32(..1000))
    }

    /// Anything.
    pub fn any(&mut self, depth: u32) -> String {
        match self.rng.u32(..10) {
            0..=2 => self.number(),
            3..=5 => self.string(),
            6 | 7 if depth > 0 => self.table(depth),
            8 => self.one_of(&["true", "false", "nil"]).to_owned(),
            _ => self.one_of(OTHERS).to_owned(),
        }
    }

    /// What a script may return: the tables that stand for replies, good and spoilt, nested.
    pub fn reply(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.any(0);
        }
        match self.rng.u32(..16) {
            0 => format!("{{ok = {}}}", self.any(0)),
            1 => format!("{{err = {}}}", self.any(0)),
            2 => format!("{{double = {}}}", self.any(0)),
            3 => format!("{{map = {{[{}] = {}}}}}", self.scalar_key(), self.reply(depth - 1)),
            4 => format!("{{set = {{[{}] = {}}}}}", self.scalar_key(), self.scalar()),
            5 => format!(
                "{{big_number = {}}}",
                self.one_of(&["'12345678901234567890'", "''", "5", "'x\\r\\ny'", "{}"])
            ),
            6 => format!(
                "{{verbatim_string = {{format = {}, string = {}}}}}",
                self.one_of(&["'txt'", "'mkd'", "'x'", "'long'", "5", "nil"]),
                self.string()
            ),
            7 => format!(
                "redis.error_reply({})",
                self.one_of(&["'a text'", "'-CODE a text'", "''", "'CODE x'", "'a\\r\\nb'"])
            ),
            8 => format!("redis.status_reply({})", self.string()),
            9 => format!("{{{}, map = {}}}", self.any(0), self.any(1)),
            10 => self
                .one_of(&["true", "false", "nil", "{}", "{{}}", "{{{}}}", "{map = {}}", "{set = {}}"])
                .to_owned(),
            11..=13 => {
                let elements: Vec<_> = (0..self.rng.usize(..5)).map(|_| self.reply(depth - 1)).collect();
                format!("{{{}}}", elements.join(", "))
            }
            _ => self.any(2),
        }
    }

    fn scalar_key(&mut self) -> String {
        let key = self.scalar();
        // There is no such key.
        if key == "0/0" { "1".into() } else { key }
    }
}
