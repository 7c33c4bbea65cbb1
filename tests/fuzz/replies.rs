//! Whether bytes are replies, as a client would read them.

use tintype::resp::Protocol;

/// What follows one reply; panics when there is none.
pub fn after_reply(bytes: &[u8], protocol: Protocol) -> &[u8] {
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else {
        panic!("half a reply: {}", bytes.escape_ascii())
    };
    let (head, rest) = (&bytes[1..end], &bytes[end + 2..]);
    assert!(!head.contains(&b'\n') && !head.contains(&b'\r'), "a line in a line: {}", bytes.escape_ascii());
    let is_newer = b"_,#(!=%~>|".contains(&bytes[0]);
    assert!(!is_newer || protocol == Protocol::Resp3, "not of RESP2: {}", bytes.escape_ascii());
    match bytes[0] {
        b'+' | b'-' => rest,
        b'_' => {
            assert!(head.is_empty());
            rest
        }
        b'#' => {
            assert!(head == b"t" || head == b"f");
            rest
        }
        b':' => {
            text(head).parse::<i64>().expect("an integer");
            rest
        }
        b',' => {
            text(head).parse::<f64>().expect("a number");
            rest
        }
        b'(' => {
            assert!(head.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-'));
            rest
        }
        b'$' | b'!' | b'=' => after_bulk(head, rest, protocol),
        b'*' | b'~' | b'>' => after_items(head, rest, 1, protocol),
        b'%' => after_items(head, rest, 2, protocol),
        // An attribute stands in front of a reply.
        b'|' => after_reply(after_items(head, rest, 2, protocol), protocol),
        _ => panic!("no reply: {}", bytes.escape_ascii()),
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("a number in ASCII")
}

fn after_bulk<'a>(head: &[u8], rest: &'a [u8], protocol: Protocol) -> &'a [u8] {
    if head == b"-1" && protocol == Protocol::Resp2 {
        return rest;
    }
    let len: usize = text(head).parse().expect("a length");
    assert_eq!(&rest[len..len + 2], b"\r\n");
    &rest[len + 2..]
}

fn after_items<'a>(head: &[u8], rest: &'a [u8], factor: usize, protocol: Protocol) -> &'a [u8] {
    if head == b"-1" && protocol == Protocol::Resp2 {
        return rest;
    }
    let count = text(head).parse::<usize>().expect("a count") * factor;
    (0..count).fold(rest, |rest, _| after_reply(rest, protocol))
}

/// The content of a bulk reply; None for a null.
pub fn bulk(reply: &[u8]) -> Option<&[u8]> {
    let line = reply.iter().position(|byte| *byte == b'\n')?;
    if reply.starts_with(b"$-1") { None } else { reply.get(line + 1..reply.len() - 2) }
}
