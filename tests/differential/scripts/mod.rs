//! Fixed conversations: what chance would rarely say in the right order.
//!
//! One command a line. A line may begin with
//!
//! | mark | meaning |
//! |---|---|
//! | `2> ` | sent on the second connection |
//! | `~` | the replies need only have the same shape |
//! | `#` | the same elements in any order |
//! | `=5 ` | integers at most 5 apart |
//! | `^` | equal but for times |
//! | `!` | the word of an encoding, where ours may be the newer one |
//! | `@9 ` | sent nine times, with `$` as 1 to 9 |
//! | `%` | every command that the rest stands for, see `expand`; ` ; ` between commands that belong together |
//!
//! The line `SETUP` empties both servers and gives them a key of each type.

pub mod bits;
pub mod common;
pub mod encodings;
pub mod expand;
pub mod geo;
pub mod hash;
pub mod list;
pub mod set;
pub mod stream;
pub mod zset;

use crate::compare::Rule;
use crate::support;

pub struct Script {
    pub name: &'static str,
    pub lines: &'static str,
}

/// Every conversation.
pub const ALL: &[&[Script]] = &[
    common::SCRIPTS,
    encodings::SCRIPTS,
    list::SCRIPTS,
    hash::SCRIPTS,
    set::SCRIPTS,
    zset::SCRIPTS,
    stream::SCRIPTS,
    bits::SCRIPTS,
    geo::SCRIPTS,
];

/// A key of each type, under the name of the type; `none` is never there.
pub const SETUP: &[&str] = &[
    "FLUSHALL",
    r#"SET str "text\r\n\x00end""#,
    "SET int 10",
    r#"RPUSH list a b c 1 -7 b "" b "x\r\n\x00y" 9223372036854775807 zz"#,
    r#"HSET hash f v g 2 "" empty "k\x00\r\n" "v\x00\r\n" n 9223372036854775807 d 1.5"#,
    r#"SADD set a b "" 1 "x\x00\r\n" 300"#,
    "SADD ints 1 2 3 -5 70000 9223372036854775807",
    r#"ZADD zset -inf low 1 a 1 b 2.5 c 1e17 "" inf "x\x00\r\n""#,
    r#"ZADD lex 0 a 0 b 0 c 0 "" 0 cc 0 "x\x00\r\n" 0 10"#,
    r#"XADD stream 1-1 f v "" "x\x00\r\n""#,
    "XADD stream 2-0 f w",
    "XADD stream 2-1 g 7",
    "XADD stream 5-0 f v",
    "XGROUP CREATE stream group 0",
    "XREADGROUP GROUP group one COUNT 2 STREAMS stream >",
    "PFADD hll a b c d e",
    r#"SET bits "\xff\x0f\x00\xaa\x01""#,
    "GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 2.349014 48.864716 Paris",
];

/// A command of a conversation.
pub struct Line {
    pub rule: Rule,
    /// The connection that sends it.
    pub which: usize,
    pub arguments: Vec<Vec<u8>>,
}

impl Script {
    /// The commands, in order.
    pub fn commands(&self) -> Vec<Line> {
        self.lines.lines().map(str::trim).filter(|line| !line.is_empty()).flat_map(commands_of).collect()
    }
}

fn commands_of(line: &str) -> Vec<Line> {
    let (rule, text) = rule_of(line);
    let (which, text) = text.strip_prefix("2> ").map_or((0, text), |rest| (1, rest));
    let commands = if text == "SETUP" {
        SETUP.iter().map(|line| support::arguments(line)).collect()
    } else if let Some(form) = text.strip_prefix('%') {
        expand::all(form.trim_start())
    } else if let Some((count, text)) = text.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
        let count: usize = count.parse().expect("how often");
        (1..=count).map(|number| support::arguments(&text.replace('$', &number.to_string()))).collect()
    } else {
        vec![support::arguments(text)]
    };
    commands.into_iter().map(|arguments| Line { rule, which, arguments }).collect()
}

fn rule_of(line: &str) -> (Rule, &str) {
    if let Some(rest) = line.strip_prefix('~') {
        (Rule::Shape, rest.trim_start())
    } else if let Some(rest) = line.strip_prefix('#') {
        (Rule::Sorted, rest.trim_start())
    } else if let Some(rest) = line.strip_prefix('^') {
        (Rule::Timeless, rest.trim_start())
    } else if let Some(rest) = line.strip_prefix('!') {
        (Rule::Encoding, rest.trim_start())
    } else if let Some((number, rest)) = line.strip_prefix('=').and_then(|rest| rest.split_once(' ')) {
        (Rule::Near(number.parse().expect("a tolerance")), rest)
    } else {
        (Rule::Exact, line)
    }
}
