//! Replies: RESP2 and RESP3 text, appended to a client's output.
//!
//! ```text
//!                RESP2                    RESP3
//! simple, error  +OK\r\n  -ERR ...\r\n    the same
//! integer        :42\r\n                  the same
//! bulk           $3\r\nabc\r\n            the same
//! null           $-1\r\n                  _\r\n           null_array  *-1\r\n in RESP2
//! array          *2\r\n...                the same
//! map            *4\r\n...                %2\r\n...       (pairs)
//! set, push      *2\r\n...                ~2\r\n...  >2\r\n...
//! double         $3\r\n1.5\r\n            ,1.5\r\n
//! truth          :1\r\n  :0\r\n           #t\r\n  #f\r\n
//! big number     $3\r\n123\r\n            (123\r\n
//! verbatim       $3\r\nabc\r\n            =7\r\ntxt:abc\r\n
//! ```
//!
//! A handler says what it means once; the protocol of the client decides the bytes. An aggregate's elements
//! follow it, written by the same means; nothing checks that as many follow as were announced.
//!
//! It does not send anything: `out` is drained by the room that owns the socket.

use crate::base::number::{format_f64, format_i64};

/// The version of the protocol a client speaks; HELLO changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// The place of an aggregate whose length is told later, by `Reply::set_deferred`.
#[must_use = "an aggregate without its length breaks the stream"]
#[derive(Debug)]
pub struct Deferred {
    /// Where its header stands, in the bytes written so far.
    at: usize,
    kind: Aggregate,
}

#[derive(Clone, Copy, Debug)]
enum Aggregate {
    Array,
    Map,
    Set,
}

/// Bytes that a header with a length of one digit takes: `*3\r\n`.
const SHORT_HEADER_BYTES: usize = 4;

/// The reply that is being written.
#[derive(Debug)]
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
}

impl<'a> Reply<'a> {
    /// Appends to `out`; what is there already stays.
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Reply { out, protocol }
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The output itself, for the replies of commands that run inside this one (EXEC).
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// For HELLO, whose reply is in the protocol it has just chosen.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Bytes in the output, those before this reply included.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Takes back what was written since `len()` was `length`.
    pub fn truncate(&mut self, length: usize) {
        self.out.truncate(length);
    }

    /// What was written since `len()` was `start`.
    pub fn written_since(&self, start: usize) -> &[u8] {
        &self.out[start..]
    }

    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// A status, which has no line end inside.
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']), "a status is one line");
        self.raw(b"+");
        self.raw(text.as_bytes());
        self.raw(b"\r\n");
    }

    /// An error; `text` begins with its code ("ERR ..."). Line ends in it become spaces, at its ends they
    /// vanish.
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// As `error`, for a text that quotes bytes of the client.
    pub fn error_bytes(&mut self, text: &[u8]) {
        let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = text.iter().take_while(|byte| is_line_end(byte)).count();
        let end = text.iter().rposition(|byte| !is_line_end(byte)).map_or(start, |last| last + 1);
        self.raw(b"-");
        self.out.extend(text[start..end].iter().map(|byte| if is_line_end(byte) { b' ' } else { *byte }));
        self.raw(b"\r\n");
    }

    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// A count; one beyond i64 cannot be.
    pub fn count(&mut self, value: usize) {
        self.header(b':', value as i64);
    }

    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + 32);
        self.header(b'$', bytes.len() as i64);
        self.raw(bytes);
        self.raw(b"\r\n");
    }

    pub fn bulk_text(&mut self, text: &str) {
        self.bulk(text.as_bytes());
    }

    /// The decimal text of an integer, as a bulk.
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(&format_i64(value));
    }

    /// No value where a single one was asked for.
    pub fn null(&mut self) {
        self.raw(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// No value where several were asked for.
    pub fn null_array(&mut self) {
        self.raw(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    pub fn array(&mut self, length: usize) {
        self.aggregate(Aggregate::Array, length);
    }

    /// A map of `pairs` keys, each followed by its value.
    pub fn map(&mut self, pairs: usize) {
        self.aggregate(Aggregate::Map, pairs);
    }

    pub fn set(&mut self, length: usize) {
        self.aggregate(Aggregate::Set, length);
    }

    /// A message outside the order of replies; in RESP2 an array, which only a subscriber expects.
    pub fn push(&mut self, length: usize) {
        let kind = match self.protocol {
            Protocol::Resp2 => b'*',
            Protocol::Resp3 => b'>',
        };
        self.header(kind, length as i64);
    }

    /// An array whose length is not known yet. Deferred aggregates inside each other get their lengths
    /// innermost first.
    pub fn deferred_array(&mut self) -> Deferred {
        self.deferred(Aggregate::Array)
    }

    /// As `deferred_array`, for a map.
    pub fn deferred_map(&mut self) -> Deferred {
        self.deferred(Aggregate::Map)
    }

    /// As `deferred_array`, for a set.
    pub fn deferred_set(&mut self) -> Deferred {
        self.deferred(Aggregate::Set)
    }

    /// Tells the length (a map's: its pairs). Moves what follows if the length has several digits.
    pub fn set_deferred(&mut self, deferred: Deferred, length: usize) {
        let (at, end) = (deferred.at, self.out.len());
        self.aggregate(deferred.kind, length);
        // The header stands at the end now: its first bytes replace the placeholder, the rest goes in behind
        // them.
        let excess = self.out.len() - end - SHORT_HEADER_BYTES;
        self.out.copy_within(end..end + SHORT_HEADER_BYTES, at);
        self.out.copy_within(end + SHORT_HEADER_BYTES.., end);
        self.out.truncate(end + excess);
        if excess > 0 {
            self.out[at + SHORT_HEADER_BYTES..].rotate_right(excess);
        }
    }

    /// A float, with 17 significant digits.
    pub fn double(&mut self, value: f64) {
        let text = format_f64(value);
        match self.protocol {
            Protocol::Resp2 => self.bulk(&text),
            Protocol::Resp3 => self.line(b',', &text),
        }
    }

    /// Data that is true or false.
    pub fn truth(&mut self, value: bool) {
        self.raw(match (self.protocol, value) {
            (Protocol::Resp2, false) => b":0\r\n",
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
        });
    }

    /// An integer of any size, given as its decimal text.
    pub fn big_number(&mut self, text: &str) {
        self.big_number_bytes(text.as_bytes());
    }

    /// As `big_number`, for the text of a script, which has no line end inside.
    pub fn big_number_bytes(&mut self, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b'(', text),
        }
    }

    /// Text for people; `format` is three bytes, "txt" or "mkd".
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        self.verbatim_bytes(format.as_bytes().try_into().expect("a format has three bytes"), text);
    }

    /// As `verbatim`, for the format of a script.
    pub fn verbatim_bytes(&mut self, format: [u8; 3], text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', text.len() as i64 + 4);
                self.raw(&format);
                self.raw(b":");
                self.raw(text);
                self.raw(b"\r\n");
            }
        }
    }

    /// Bytes that are RESP already.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn deferred(&mut self, kind: Aggregate) -> Deferred {
        let at = self.out.len();
        self.raw(&[b'?'; SHORT_HEADER_BYTES]);
        Deferred { at, kind }
    }

    fn aggregate(&mut self, kind: Aggregate, length: usize) {
        let length = length as i64;
        match (self.protocol, kind) {
            (_, Aggregate::Array) | (Protocol::Resp2, Aggregate::Set) => self.header(b'*', length),
            (Protocol::Resp2, Aggregate::Map) => self.header(b'*', 2 * length),
            (Protocol::Resp3, Aggregate::Map) => self.header(b'%', length),
            (Protocol::Resp3, Aggregate::Set) => self.header(b'~', length),
        }
    }

    /// `kind`, a number, a line end. Numbers of one and two digits are by far the most common.
    fn header(&mut self, kind: u8, value: i64) {
        match value {
            0..=9 => self.raw(&[kind, b'0' + value as u8, b'\r', b'\n']),
            10..=99 => {
                self.raw(&[kind, b'0' + (value / 10) as u8, b'0' + (value % 10) as u8, b'\r', b'\n']);
            }
            _ => self.line(kind, itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        self.raw(text);
        self.raw(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `write` writes, in both protocols.
    fn both(write: impl Fn(&mut Reply<'_>)) -> (String, String) {
        let render = |protocol| {
            let mut out = Vec::new();
            write(&mut Reply::new(&mut out, protocol));
            String::from_utf8(out).expect("the tests write text")
        };
        (render(Protocol::Resp2), render(Protocol::Resp3))
    }

    #[track_caller]
    fn check(write: impl Fn(&mut Reply<'_>), resp2: &str, resp3: &str) {
        assert_eq!(both(write), (resp2.to_owned(), resp3.to_owned()));
    }

    #[test]
    fn scalars_have_their_bytes() {
        // As DEBUG PROTOCOL shows them on redis-server 7.0.15.
        check(|reply| reply.ok(), "+OK\r\n", "+OK\r\n");
        check(|reply| reply.simple("PONG"), "+PONG\r\n", "+PONG\r\n");
        check(|reply| reply.integer(12345), ":12345\r\n", ":12345\r\n");
        check(|reply| reply.integer(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n");
        check(|reply| reply.bulk_text("Hello World"), "$11\r\nHello World\r\n", "$11\r\nHello World\r\n");
        check(|reply| reply.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n");
        check(|reply| reply.bulk_integer(-7), "$2\r\n-7\r\n", "$2\r\n-7\r\n");
        check(|reply| reply.null(), "$-1\r\n", "_\r\n");
        check(|reply| reply.null_array(), "*-1\r\n", "_\r\n");
        check(|reply| reply.truth(true), ":1\r\n", "#t\r\n");
        check(|reply| reply.truth(false), ":0\r\n", "#f\r\n");
        check(|reply| reply.double(2.625), "$5\r\n2.625\r\n", ",2.625\r\n");
        check(|reply| reply.double(0.1), "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n");
        check(|reply| reply.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
        check(|reply| reply.double(f64::INFINITY), "$3\r\ninf\r\n", ",inf\r\n");
        check(|reply| reply.big_number("12345"), "$5\r\n12345\r\n", "(12345\r\n");
        check(|reply| reply.verbatim("txt", b"a\nb"), "$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n");
    }

    #[test]
    fn numbers_of_every_length_are_whole() {
        for value in [0, 9, 10, 99, 100, 101, 12_345_678, -1, -10, i64::MAX] {
            let expected = format!(":{value}\r\n");
            check(|reply| reply.integer(value), &expected, &expected);
        }
    }

    #[test]
    fn aggregates_have_their_headers() {
        check(|reply| reply.array(3), "*3\r\n", "*3\r\n");
        check(|reply| reply.map(3), "*6\r\n", "%3\r\n");
        check(|reply| reply.set(120), "*120\r\n", "~120\r\n");
        check(|reply| reply.push(2), "*2\r\n", ">2\r\n");
    }

    #[test]
    fn an_error_is_one_line() {
        check(|reply| reply.error("ERR no"), "-ERR no\r\n", "-ERR no\r\n");
        check(|reply| reply.error("\nERR a\r\nb\n\r"), "-ERR a  b\r\n", "-ERR a  b\r\n");
        check(|reply| reply.error("\r\n"), "-\r\n", "-\r\n");
    }

    #[test]
    fn lengths_can_follow_their_elements() {
        for count in [0, 1, 9, 10, 1000] {
            let write = |reply: &mut Reply<'_>| {
                reply.raw(b"+before\r\n");
                let outer = reply.deferred_map();
                reply.bulk_text("key");
                let inner = reply.deferred_array();
                (0..count).for_each(|_| reply.integer(1));
                reply.set_deferred(inner, count);
                reply.set_deferred(outer, 1);
                let empty = reply.deferred_set();
                reply.set_deferred(empty, 0);
            };
            let ones = ":1\r\n".repeat(count);
            check(
                write,
                &format!("+before\r\n*2\r\n$3\r\nkey\r\n*{count}\r\n{ones}*0\r\n"),
                &format!("+before\r\n%1\r\n$3\r\nkey\r\n*{count}\r\n{ones}~0\r\n"),
            );
        }
    }

    #[test]
    fn a_reply_can_be_taken_back() {
        let mut out = b"+earlier\r\n".to_vec();
        let mut reply = Reply::new(&mut out, Protocol::Resp2);
        let start = reply.len();
        reply.bulk(b"unwanted");
        assert_eq!(reply.written_since(start), b"$8\r\nunwanted\r\n");
        reply.truncate(start);
        assert_eq!(out, b"+earlier\r\n");
    }
}
