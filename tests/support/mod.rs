//! What the black-box tests share: a server process and a connection that sees exact bytes.
//!
//! `Server` starts Tintype, or the oracle (a real redis-server 7.0), in a fresh directory on a free port, and kills it
//! by its pid when dropped. `Connection` speaks RESP2 and RESP3 over TCP or a unix socket; every read and every wait
//! has a limit, so nothing here hangs. A missing oracle is an error that says what to run, never a skip.
//!
//! `TINTYPE_BINARY=/path` starts another binary in Tintype's place: with `/usr/bin/redis-server` the tests prove
//! themselves against the oracle.

pub mod connection;
pub mod process;
pub mod server;
pub mod transcript;
pub mod value;

use std::time::{Duration, Instant};

pub use connection::Connection;
pub use server::{Server, Start, Wait};
pub use transcript::Stage;
pub use value::Value;

/// No single wait of a test lasts longer.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The monotonic clock; the product reads time only at its top floor, and so do the tests only here.
#[expect(clippy::disallowed_methods, reason = "a test measures real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Unix time in milliseconds.
#[expect(clippy::disallowed_methods, reason = "a test compares with the server's clock")]
pub fn unix_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("the clock is past 1970").as_millis() as i64
}

/// Polls `condition` until it holds; fails the test with `what` after `PATIENCE`.
#[track_caller]
pub fn wait_for(what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_within(PATIENCE, condition), "waited {PATIENCE:?} in vain for: {what}");
}

/// Polls `condition`; true as soon as it holds, false when `limit` has passed.
pub fn holds_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    const PAUSE_MAX: Duration = Duration::from_millis(10);
    let start = now();
    let mut pause = Duration::from_micros(200);
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Splits a line into arguments as an inline command is: blanks separate, `"..."` knows `\n \r \t \xHH \" \\`.
pub fn arguments(line: &str) -> Vec<Vec<u8>> {
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b' ' {
            at += 1;
        } else if bytes[at] == b'"' {
            let (argument, next) = quoted(bytes, at + 1);
            found.push(argument);
            at = next;
        } else {
            let end = bytes[at..].iter().position(|&b| b == b' ').map_or(bytes.len(), |n| at + n);
            found.push(bytes[at..end].to_vec());
            at = end;
        }
    }
    found
}

fn quoted(bytes: &[u8], mut at: usize) -> (Vec<u8>, usize) {
    let mut argument = Vec::new();
    loop {
        match bytes.get(at) {
            None => panic!("unbalanced quotes in a test's command"),
            Some(b'"') => return (argument, at + 1),
            Some(b'\\') => {
                let (byte, width) = escaped(&bytes[at + 1..]);
                argument.push(byte);
                at += 1 + width;
            }
            Some(&byte) => {
                argument.push(byte);
                at += 1;
            }
        }
    }
}

fn escaped(bytes: &[u8]) -> (u8, usize) {
    match bytes[0] {
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'x' => {
            let digits = std::str::from_utf8(&bytes[1..3]).expect("hexadecimal digits");
            (u8::from_str_radix(digits, 16).expect("hexadecimal digits"), 3)
        }
        other => (other, 1),
    }
}

/// The request bytes of one command, as an array of bulk strings.
pub fn encode<T: AsRef<[u8]>>(arguments: &[T]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
    for argument in arguments {
        let argument = argument.as_ref();
        request.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        request.extend_from_slice(argument);
        request.extend_from_slice(b"\r\n");
    }
    request
}

/// Bytes as a person reads them: printable ASCII as it is, the rest escaped, long ones cut.
pub fn show(bytes: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 400;
    let text = bytes[..bytes.len().min(SHOWN_BYTES_MAX)].escape_ascii().to_string();
    if bytes.len() > SHOWN_BYTES_MAX { format!("{text}... ({} bytes)", bytes.len()) } else { text }
}
