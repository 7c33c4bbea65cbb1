//! What the operators' tests share.

use crate::support::server::{Binary, binary_path};
use crate::support::{Connection, Server, Start, Value, show};
use std::process::Command;

/// Tintype and the oracle, started alike.
pub struct Pair {
    pub own: Server,
    pub oracle: Server,
}

impl Pair {
    #[track_caller]
    pub fn start(arguments: &[&str]) -> Pair {
        let start = |start: Start| start.with("--save", "").arguments(arguments).spawn();
        Pair { own: start(Start::tintype()), oracle: start(Start::oracle()) }
    }

    /// Runs the lines on both and compares the bytes of each reply.
    #[track_caller]
    pub fn compare(&self, lines: &[&str]) {
        let (mut own, mut oracle) = (self.own.connect(), self.oracle.connect());
        for line in lines {
            assert_eq!(show(&raw(&mut own, line)), show(&raw(&mut oracle, line)), "{line}");
        }
    }
}

fn raw(connection: &mut Connection, line: &str) -> Vec<u8> {
    connection.send(&crate::support::encode(&crate::support::arguments(line)));
    connection.bytes()
}

/// Starts a server that must refuse to start; what it says.
#[track_caller]
pub fn refusal(arguments: &[&str]) -> String {
    let output =
        Command::new(binary_path(Binary::Tintype)).args(arguments).output().expect("the binary starts");
    assert!(!output.status.success(), "it started with {arguments:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// The elements of an array as text.
#[track_caller]
pub fn texts(reply: &Value) -> Vec<String> {
    reply.elements().iter().map(Value::text).collect()
}
