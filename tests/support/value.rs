//! A parsed reply, RESP2 or RESP3.
//!
//! Deliberately lenient about what it accepts and exact about where a reply ends: comparing bytes is the tests' work.

use std::fmt;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Simple(String),
    /// The text behind the minus sign.
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Null,
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Set(Vec<Value>),
    Push(Vec<Value>),
    /// As it was written: tests compare digits.
    Double(String),
    Boolean(bool),
    BigNumber(String),
    Verbatim(Vec<u8>),
}

impl Value {
    /// Parses one reply from the start of `bytes`; `None` while it is incomplete. Returns its length in bytes too.
    pub fn parse(bytes: &[u8]) -> Option<(Value, usize)> {
        let end = memchr_crlf(bytes)?;
        let line = std::str::from_utf8(&bytes[1..end]).map(str::to_owned);
        let text = line.unwrap_or_else(|_| bytes[1..end].escape_ascii().to_string());
        let next = end + 2;
        match bytes[0] {
            b'+' => Some((Value::Simple(text), next)),
            b'-' => Some((Value::Error(text), next)),
            b':' => Some((Value::Integer(number(&text)), next)),
            b',' => Some((Value::Double(text), next)),
            b'(' => Some((Value::BigNumber(text), next)),
            b'#' => Some((Value::Boolean(text == "t"), next)),
            b'_' => Some((Value::Null, next)),
            b'$' | b'=' | b'!' => blob(bytes, number(&text), next),
            b'*' | b'~' | b'>' | b'%' => aggregate(bytes, number(&text), next),
            other => panic!("reply starts with {:?}: {}", other as char, super::show(bytes)),
        }
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error(_))
    }

    /// The text of an error, a simple or a bulk string; otherwise its debug form.
    pub fn text(&self) -> String {
        match self {
            Value::Simple(text) | Value::Error(text) | Value::Double(text) => text.clone(),
            Value::Bulk(bytes) | Value::Verbatim(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn integer(&self) -> i64 {
        match self {
            Value::Integer(number) => *number,
            other => panic!("expected an integer, got {other:?}"),
        }
    }

    #[track_caller]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Value::Bulk(bytes) | Value::Verbatim(bytes) => bytes,
            other => panic!("expected a bulk string, got {other:?}"),
        }
    }

    /// The elements of an array, a set or a push; a map's keys and values in turn.
    #[track_caller]
    pub fn elements(&self) -> Vec<Value> {
        match self {
            Value::Array(elements) | Value::Set(elements) | Value::Push(elements) => elements.clone(),
            Value::Map(pairs) => pairs.iter().flat_map(|(k, v)| [k.clone(), v.clone()]).collect(),
            other => panic!("expected an array, got {other:?}"),
        }
    }

    #[track_caller]
    pub fn assert_ok(&self) {
        assert_eq!(*self, Value::Simple("OK".into()));
    }

    #[track_caller]
    pub fn assert_error(&self, text: &str) {
        assert_eq!(*self, Value::Error(text.into()));
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Simple(text) => write!(f, "+{text}"),
            Value::Error(text) => write!(f, "-{text}"),
            Value::Integer(number) => write!(f, ":{number}"),
            Value::Bulk(bytes) => write!(f, "\"{}\"", super::show(bytes)),
            Value::Null => write!(f, "(nil)"),
            Value::Array(elements) => f.debug_list().entries(elements).finish(),
            Value::Map(pairs) => f.debug_map().entries(pairs.iter().map(|(k, v)| (k, v))).finish(),
            Value::Set(elements) => f.debug_set().entries(elements).finish(),
            Value::Push(elements) => write!(f, ">{elements:?}"),
            Value::Double(text) => write!(f, ",{text}"),
            Value::Boolean(truth) => write!(f, "#{truth}"),
            Value::BigNumber(text) => write!(f, "({text}"),
            Value::Verbatim(bytes) => write!(f, "={}", super::show(bytes)),
        }
    }
}

fn memchr_crlf(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == b"\r\n")
}

#[track_caller]
fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("a number in a reply, not {text:?}"))
}

fn blob(bytes: &[u8], length: i64, start: usize) -> Option<(Value, usize)> {
    if length < 0 {
        return Some((Value::Null, start));
    }
    let end = start + length as usize;
    if bytes.len() < end + 2 {
        return None;
    }
    assert_eq!(&bytes[end..end + 2], b"\r\n", "a bulk string ends with CR LF");
    let content = bytes[start..end].to_vec();
    let value = match bytes[0] {
        b'=' => Value::Verbatim(content),
        b'!' => Value::Error(String::from_utf8_lossy(&content).into_owned()),
        _ => Value::Bulk(content),
    };
    Some((value, end + 2))
}

fn aggregate(bytes: &[u8], count: i64, start: usize) -> Option<(Value, usize)> {
    if count < 0 {
        return Some((Value::Null, start));
    }
    let items = if bytes[0] == b'%' { count * 2 } else { count };
    let mut elements = Vec::new();
    let mut at = start;
    for _ in 0..items {
        let (element, length) = Value::parse(&bytes[at..])?;
        elements.push(element);
        at += length;
    }
    let value = match bytes[0] {
        b'%' => Value::Map(elements.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()),
        b'~' => Value::Set(elements),
        b'>' => Value::Push(elements),
        _ => Value::Array(elements),
    };
    Some((value, at))
}
