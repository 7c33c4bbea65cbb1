//! When two replies count as the same.

use crate::support::{Value, show};

/// How the replies of a command are compared. Errors are always compared byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Byte for byte.
    Exact,
    /// The same elements in any order.
    Sorted,
    /// A cursor, and behind it the same elements in any order.
    Scan,
    /// The same word, where small lists and sets have one of their own since Redis 7.2.
    Encoding,
    /// The same kind of value: what it is depends on chance or on the memory layout.
    Shape,
    /// Neither is an error.
    Answered,
    /// Equal but for points in time, and fields that tell when something happened (not all of them are in 7.0).
    Timeless,
    /// Integers at most this far apart: what depends on the clock. Negative ones (no key, no expiry) exactly.
    Near(i64),
}

/// Where Tintype means to differ, and why. The pattern is the beginning of the command, in upper case.
pub const INTENDED: &[(&str, &str)] = &[
    ("SAVE", "a failed SAVE says why"),
    ("BGSAVE CANCEL", "newer than 7.0: a syntax error there"),
    ("CLIENT HELP", "lists SETINFO and NO-TOUCH, which are newer than 7.0"),
    ("DEBUG HELP", "lists what this server offers"),
    ("LOLWUT", "a joke of its own"),
];

/// Directives that promise something this server does not keep yet: CONFIG SET refuses what the oracle takes, and
/// the value stays.
pub const REFUSED: &[(&str, &str)] = &[
    ("activedefrag", "nothing is defragmented; the oracle refuses it too, in words about its own build"),
    ("appendonly", "there is no append-only file: who switches it on would believe that no write is lost"),
    ("min-replicas-to-write", "there are no replicas: writes would have to be refused"),
];

/// What is refused is said so.
pub const REFUSAL: &str = "not supported by this server yet";

/// `Some(reason)` when `ours` is the refusal of a directive whose promise would not be kept.
pub fn refused(directive: &str, ours: &Value) -> Option<&'static str> {
    let is_refusal = ours.is_error() && ours.text().ends_with(REFUSAL);
    REFUSED.iter().find(|(name, _)| is_refusal && *name == directive).map(|(_, reason)| *reason)
}

/// Errors that newer releases say more exactly; the oracle refuses the same command in other words.
const NEWER_ERRORS: &[(&str, &str)] = &[
    ("ERR timeout is out of range", "7.0 computes with the huge timeout, and calls what comes out negative"),
    ("ERR NOVALUES option can only be used in HSCAN", "HSCAN has that option since 7.4"),
    ("ERR The + ID is meaningless in the context of XREADGROUP", "XREAD reads the last entry by + since 7.4"),
];

/// `Some(reason)` when a difference in this command's replies is intended.
pub fn intended(arguments: &[Vec<u8>], (ours, theirs): (&Value, &Value)) -> Option<&'static str> {
    let says_more = |text: &str| theirs.is_error() && ours.is_error() && ours.text().starts_with(text);
    if let Some((_, reason)) = NEWER_ERRORS.iter().find(|(text, _)| says_more(text)) {
        return Some(reason);
    }
    let line =
        arguments.iter().take(3).map(|a| String::from_utf8_lossy(a).to_uppercase()).collect::<Vec<_>>();
    let line = line.join(" ");
    let covers = |pattern: &str| line == pattern || line.starts_with(&format!("{pattern} "));
    INTENDED.iter().find(|(pattern, _)| covers(pattern)).map(|(_, reason)| *reason)
}

/// Both forms of a reply.
pub type Reply = (Vec<u8>, Value);

pub fn agree(rule: Rule, ours: &Reply, theirs: &Reply) -> bool {
    if ours.0 == theirs.0 {
        return true;
    }
    if ours.1.is_error() || theirs.1.is_error() {
        return false;
    }
    match rule {
        Rule::Exact => false,
        Rule::Sorted => sorted(&ours.1) == sorted(&theirs.1) && ours.0.first() == theirs.0.first(),
        Rule::Scan => {
            let halves = |reply: &Reply| (reply.1.elements()[0].clone(), sorted(&reply.1.elements()[1]));
            halves(ours) == halves(theirs)
        }
        Rule::Encoding => same_encoding(&ours.1, &theirs.1),
        Rule::Shape => ours.0.first() == theirs.0.first() && is_null(&ours.1) == is_null(&theirs.1),
        Rule::Answered => true,
        Rule::Timeless => timeless(&ours.1) == timeless(&theirs.1),
        Rule::Near(tolerance) => near(&ours.1, &theirs.1, tolerance),
    }
}

fn near(ours: &Value, theirs: &Value, tolerance: i64) -> bool {
    match (ours, theirs) {
        (Value::Integer(ours), Value::Integer(theirs)) => {
            *ours >= 0 && *theirs >= 0 && ours.abs_diff(*theirs) <= tolerance as u64
        }
        _ => false,
    }
}

/// Small lists and small sets of strings are listpacks, as since Redis 7.2.
pub fn same_encoding(ours: &Value, theirs: &Value) -> bool {
    let newer = *ours == Value::Bulk(b"listpack".to_vec());
    ours == theirs
        || newer && [&b"quicklist"[..], b"hashtable"].iter().any(|word| *theirs == Value::Bulk(word.to_vec()))
}

/// The value without what the clock decides.
fn timeless(value: &Value) -> Value {
    const TIME_FIELDS: [&[u8]; 4] = [b"seen-time", b"active-time", b"idle", b"inactive"];
    /// Unix milliseconds of 2001: no other integer is as large.
    const TIMES_FROM: i64 = 1_000_000_000_000;
    match value {
        Value::Integer(number) if *number >= TIMES_FROM => Value::Integer(TIMES_FROM),
        Value::Map(_) => timeless(&Value::Array(value.elements())),
        Value::Array(elements) => {
            let mut kept = Vec::new();
            let mut rest = elements.iter();
            while let Some(element) = rest.next() {
                match element {
                    Value::Bulk(name) if TIME_FIELDS.contains(&name.as_slice()) => drop(rest.next()),
                    other => kept.push(timeless(other)),
                }
            }
            Value::Array(kept)
        }
        other => other.clone(),
    }
}

fn is_null(value: &Value) -> bool {
    *value == Value::Null
}

/// The elements in an order that does not depend on the server.
pub fn sorted(value: &Value) -> Vec<Value> {
    let mut elements = match value {
        Value::Array(_) | Value::Set(_) | Value::Push(_) | Value::Map(_) => value.elements(),
        other => vec![other.clone()],
    };
    elements.sort();
    elements
}

/// Both replies, for a person: from shortly before they part.
pub fn describe(ours: &Reply, theirs: &Reply) -> String {
    const SHOWN_BEFORE: usize = 100;
    let same = ours.0.iter().zip(&theirs.0).take_while(|(ours, theirs)| ours == theirs).count();
    let from = same.saturating_sub(SHOWN_BEFORE);
    let dots = if from > 0 { "... " } else { "" };
    format!("  tintype: {dots}{}\n  oracle:  {dots}{}", show(&ours.0[from..]), show(&theirs.0[from..]))
}
