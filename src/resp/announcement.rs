//! A message out of turn (a push): encoded once for all who get it, whatever their protocol.
//!
//! ```text
//!  RESP2 *3  RESP3 >3 \r\n $7\r\nmessage\r\n $4\r\nnews\r\n $5\r\n | hello\r\n
//!  └─────────────────────── head ────────────────────────────────┘ └─ tail ─┘
//! ```
//! The two protocols differ in one byte, which is set for each receiver. A long payload is the tail, shared by all
//! receivers and by all announcements of it; a short one stands in the head, because to share it would cost more than
//! to copy it.

use super::Protocol;
use crate::base::number::format_i64;
use bytes::Bytes;

/// Payloads from this size on are shared, in bytes. To write a shared piece costs about 120 ns more than to write own
/// bytes (two more pieces of a vectored write); to copy 1,000 bytes for each of 10,000 receivers costs 160 ns more a
/// receiver than not to.
pub const SHARED_BYTES_MIN: usize = 512;

/// What is told, before it is known in which frame.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    Short(&'a [u8]),
    /// With its line end.
    Long(Bytes),
}

impl<'a> Payload<'a> {
    /// Copies a long payload once.
    pub fn new(bytes: &'a [u8]) -> Payload<'a> {
        if bytes.len() < SHARED_BYTES_MIN {
            return Payload::Short(bytes);
        }
        let mut line = Vec::with_capacity(bytes.len() + 2);
        line.extend_from_slice(bytes);
        line.extend_from_slice(b"\r\n");
        Payload::Long(line.into())
    }
}

#[derive(Clone, Debug)]
pub struct Announcement {
    head: Vec<u8>,
    tail: Option<Bytes>,
}

impl Announcement {
    /// An array of `words`, the kind of message first, and the payload.
    pub fn new(words: &[&[u8]], payload: &Payload<'_>) -> Announcement {
        let words_bytes: usize = words.iter().map(|word| word.len() + 16).sum();
        let mut head = Vec::with_capacity(words_bytes + 32 + SHARED_BYTES_MIN);
        number(b'>', words.len() + 1, &mut head);
        for word in words {
            number(b'$', word.len(), &mut head);
            head.extend_from_slice(word);
            head.extend_from_slice(b"\r\n");
        }
        let tail = match payload {
            Payload::Short(bytes) => {
                number(b'$', bytes.len(), &mut head);
                head.extend_from_slice(bytes);
                head.extend_from_slice(b"\r\n");
                None
            }
            Payload::Long(line) => {
                number(b'$', line.len() - 2, &mut head);
                Some(line.clone())
            }
        };
        Announcement { head, tail }
    }

    /// What to send first, and what then.
    pub fn parts(&mut self, protocol: Protocol) -> (&[u8], Option<&Bytes>) {
        self.head[0] = match protocol {
            Protocol::Resp2 => b'*',
            Protocol::Resp3 => b'>',
        };
        (&self.head, self.tail.as_ref())
    }
}

fn number(kind: u8, value: usize, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(&format_i64(value as i64));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(announcement: &mut Announcement, protocol: Protocol) -> Vec<u8> {
        let (head, tail) = announcement.parts(protocol);
        [head, tail.map_or(&[], |tail| &tail[..])].concat()
    }

    #[test]
    fn one_encoding_for_both_protocols() {
        let mut short = Announcement::new(&[b"message", b"c"], &Payload::new(b"hi"));
        let rest = "3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
        assert_eq!(text(&mut short, Protocol::Resp2), format!("*{rest}").as_bytes());
        assert_eq!(text(&mut short, Protocol::Resp3), format!(">{rest}").as_bytes());
    }

    #[test]
    fn long_payloads_are_shared() {
        for length in [0, 1, SHARED_BYTES_MIN - 1, SHARED_BYTES_MIN, 100_000] {
            let bytes = vec![b'x'; length];
            let payload = Payload::new(&bytes);
            let [mut one, mut two] =
                [&b"p*"[..], b"q*"].map(|pattern| Announcement::new(&[b"pmessage", pattern, b"c"], &payload));
            let end = [format!("$1\r\nc\r\n${length}\r\n").as_bytes(), &bytes, b"\r\n"].concat();
            assert!(text(&mut one, Protocol::Resp3).ends_with(&end));
            assert!(text(&mut two, Protocol::Resp2).starts_with(b"*4\r\n$8\r\npmessage\r\n$2\r\nq*\r\n"));
            let address = |part: &mut Announcement| part.parts(Protocol::Resp2).1.map(|tail| tail.as_ptr());
            assert_eq!(address(&mut one), address(&mut two));
            assert_eq!(address(&mut one).is_some(), length >= SHARED_BYTES_MIN);
        }
    }
}
