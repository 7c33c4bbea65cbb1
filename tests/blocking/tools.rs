//! A server, a connection that rules it, and connections that wait.

use std::time::Duration;

use crate::support::{Connection, Server, arguments, encode};

pub struct Stage {
    pub server: Server,
    control: Connection,
}

impl Stage {
    #[track_caller]
    pub fn new() -> Stage {
        let server = Server::start(&["--enable-debug-command", "yes"]);
        let control = server.connect();
        Stage { server, control }
    }

    /// Runs a command of somebody who does not wait and returns its reply as text.
    #[track_caller]
    pub fn run(&mut self, line: &str) -> String {
        format!("{:?}", self.control.run(line))
    }

    #[track_caller]
    pub fn check(&mut self, line: &str, reply: &str) {
        assert_eq!(self.run(line), reply, "{line}");
    }

    /// Runs the commands as a transaction, and returns what EXEC answers.
    #[track_caller]
    pub fn transaction(&mut self, lines: &[&str]) -> String {
        self.check("MULTI", "+OK");
        lines.iter().for_each(|line| self.check(line, "+QUEUED"));
        self.run("EXEC")
    }

    /// A value as DUMP gives it, under another key.
    #[track_caller]
    pub fn restore(&mut self, from: &str, to: &str) {
        let payload = self.control.run(&format!("DUMP {from}"));
        let request = [&b"RESTORE"[..], to.as_bytes(), b"0", payload.bytes()];
        self.control.command(&request).assert_ok();
    }

    #[track_caller]
    pub fn info(&mut self, field: &str) -> i64 {
        self.control.info_number(field)
    }

    /// The counter of a command in INFO commandstats, such as `calls`.
    #[track_caller]
    pub fn statistic(&mut self, command: &str, counter: &str) -> u64 {
        let line = self.control.info(&format!("cmdstat_{command}"));
        let value = line.split(',').find_map(|part| part.strip_prefix(counter)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {counter} in {line}"))
    }

    #[track_caller]
    pub fn connect(&self) -> Connection {
        self.server.connect()
    }

    /// A client whose command waits.
    #[track_caller]
    pub fn waiter(&self, line: &str) -> Connection {
        let mut connection = self.connect();
        wait(&mut connection, line);
        connection
    }

    /// So many clients wait.
    #[track_caller]
    pub fn assert_waiting(&mut self, count: i64) {
        assert_eq!(self.info("blocked_clients"), count);
    }
}

/// Sends a command that will wait. When this returns, the server has run it: it came in one piece with a PING that has
/// been answered, and replies are sent after everything that was received has been run.
#[track_caller]
pub fn wait(connection: &mut Connection, line: &str) {
    let request = [encode(&["PING"]), encode(&arguments(line))].concat();
    connection.send(&request);
    assert_eq!(connection.value().text(), "PONG");
}

#[track_caller]
pub fn expect(connection: &mut Connection, reply: &str) {
    assert_eq!(format!("{:?}", connection.value()), reply);
}

/// Nothing has come and nothing comes for a while.
#[track_caller]
pub fn expect_silence(connection: &mut Connection) {
    assert!(connection.is_silent_for(Duration::from_millis(30)), "an answer came too early");
}

/// The number of a client, for CLIENT UNBLOCK.
#[track_caller]
pub fn id(connection: &mut Connection) -> i64 {
    connection.run("CLIENT ID").integer()
}
