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
    ("maxmemory-clients", "clients are not evicted: memory would not be bounded as asked"),
    ("min-replicas-to-write", "there are no replicas: writes would have to be refused"),
    ("notify-keyspace-events", "there are no subscribers yet: who waits for an event would wait for ever"),
    ("tls-port", "there is no TLS: nobody would listen on that port"),
];

/// What is refused is said so.
pub const REFUSAL: &str = "not supported by this server yet";

/// `Some(reason)` when `ours` is the refusal of a directive whose promise would not be kept.
pub fn refused(directive: &str, ours: &Value) -> Option<&'static str> {
    let is_refusal = ours.is_error() && ours.text().ends_with(REFUSAL);
    REFUSED.iter().find(|(name, _)| is_refusal && *name == directive).map(|(_, reason)| *reason)
}

/// `Some(reason)` when a difference in this command's replies is intended.
pub fn intended(arguments: &[Vec<u8>]) -> Option<&'static str> {
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

/// Both replies, for a person.
pub fn describe(ours: &Reply, theirs: &Reply) -> String {
    format!("  tintype: {}\n  oracle:  {}", show(&ours.0), show(&theirs.0))
}
