//! One client connection, over TCP or a unix socket: raw bytes out, whole replies in.
//!
//! A reply is to be had parsed (`Value`) or as the exact bytes the server sent. Reads and writes give up after
//! `PATIENCE`; giving up is a failed test, not a value.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{PATIENCE, Value, arguments, encode, show};

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

pub struct Connection {
    socket: Socket,
    received: Vec<u8>,
    /// What was already handed out of `received`.
    taken: usize,
    /// `available` has told that the server closed.
    told_closed: bool,
}

impl Connection {
    #[track_caller]
    pub fn tcp(port: u16) -> Connection {
        Self::try_tcp(port).expect("a connection to the server")
    }

    pub fn try_tcp(port: u16) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        Ok(Self::from_stream(stream))
    }

    pub fn from_stream(stream: TcpStream) -> Connection {
        stream.set_nodelay(true).expect("an option of our socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("an option of our socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("an option of our socket");
        Connection { socket: Socket::Tcp(stream), received: Vec::new(), taken: 0, told_closed: false }
    }

    pub fn try_unix(path: &Path) -> std::io::Result<Connection> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Connection { socket: Socket::Unix(stream), received: Vec::new(), taken: 0, told_closed: false })
    }

    /// Replaces the time limit of reads.
    pub fn set_read_limit(&self, limit: Duration) {
        let done = match &self.socket {
            Socket::Tcp(stream) => stream.set_read_timeout(Some(limit)),
            Socket::Unix(stream) => stream.set_read_timeout(Some(limit)),
        };
        done.expect("a time limit on the socket");
    }

    /// The port of our end, as CLIENT LIST shows it in `addr`.
    pub fn own_port(&self) -> u16 {
        match &self.socket {
            Socket::Tcp(stream) => stream.local_addr().expect("a local address").port(),
            Socket::Unix(_) => 0,
        }
    }

    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the server takes our bytes");
    }

    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(stream) => stream.write_all(bytes),
            Socket::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Says that we will send no more; replies can still be read. The server may have closed before.
    pub fn close_sending_half(&mut self) {
        let _ = match &self.socket {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }

    /// A second handle, for a thread that writes while this one reads.
    pub fn writer(&self) -> TcpStream {
        match &self.socket {
            Socket::Tcp(stream) => stream.try_clone().expect("a second handle of the socket"),
            Socket::Unix(_) => panic!("only TCP connections have a second writer"),
        }
    }

    /// Sends one command and reads its reply.
    #[track_caller]
    pub fn command<T: AsRef<[u8]>>(&mut self, arguments: &[T]) -> Value {
        self.send(&encode(arguments));
        self.value()
    }

    /// Like `run`, for a server that may not answer.
    pub fn try_command(&mut self, line: &str) -> std::io::Result<Value> {
        self.try_send(&encode(&arguments(line)))?;
        self.try_value()
    }

    /// Like `command`, from one line: `run("SET a \"x y\"")`.
    #[track_caller]
    pub fn run(&mut self, line: &str) -> Value {
        self.command(&arguments(line))
    }

    #[track_caller]
    pub fn ok(&mut self, line: &str) {
        let reply = self.run(line);
        assert_eq!(reply, Value::Simple("OK".into()), "{line}");
    }

    #[track_caller]
    pub fn value(&mut self) -> Value {
        self.reply().1
    }

    /// The next reply as the exact bytes of it.
    #[track_caller]
    pub fn bytes(&mut self) -> Vec<u8> {
        self.reply().0
    }

    /// The next reply: its bytes and what they mean.
    #[track_caller]
    pub fn reply(&mut self) -> (Vec<u8>, Value) {
        match self.try_reply() {
            Ok(reply) => reply,
            Err(error) => panic!("no reply: {error}; so far {:?}", show(&self.received[self.taken..])),
        }
    }

    pub fn try_value(&mut self) -> std::io::Result<Value> {
        Ok(self.try_reply()?.1)
    }

    pub fn try_reply(&mut self) -> std::io::Result<(Vec<u8>, Value)> {
        let mut parsed_bytes = 0;
        loop {
            let waiting = &self.received[self.taken..];
            // A long reply is parsed again only when it has doubled: linear work, not quadratic.
            if !waiting.is_empty() && (waiting.len() >= parsed_bytes * 2 || waiting.ends_with(b"\r\n")) {
                parsed_bytes = waiting.len();
                if let Some((value, length)) = Value::parse(waiting) {
                    let bytes = waiting[..length].to_vec();
                    self.taken += length;
                    self.forget_taken();
                    return Ok((bytes, value));
                }
            }
            if self.receive()? == 0 {
                return Err(std::io::Error::new(
                    ErrorKind::UnexpectedEof,
                    "the server closed the connection",
                ));
            }
        }
    }

    /// Everything the server sends until it closes. A reset connection counts as closed.
    pub fn until_closed(&mut self) -> Vec<u8> {
        loop {
            match self.receive() {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("the server neither answered nor closed: {error}"),
            }
        }
        let rest = self.received[self.taken..].to_vec();
        self.taken = self.received.len();
        rest
    }

    /// What has arrived and was not read yet; when the server has closed the connection, `(closed)` stands once at
    /// its end.
    #[track_caller]
    pub fn available(&mut self) -> Vec<u8> {
        self.set_nonblocking(true);
        let is_closed = loop {
            match self.receive() {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break true,
                Err(error) => panic!("a connection fails: {error}"),
            }
        };
        self.set_nonblocking(false);
        let mut arrived = self.received.split_off(self.taken);
        self.forget_taken();
        if is_closed && !std::mem::replace(&mut self.told_closed, true) {
            arrived.extend_from_slice(b"(closed)");
        }
        arrived
    }

    fn set_nonblocking(&self, on: bool) {
        let done = match &self.socket {
            Socket::Tcp(stream) => stream.set_nonblocking(on),
            Socket::Unix(stream) => stream.set_nonblocking(on),
        };
        done.expect("a mode of our socket");
    }

    /// True when nothing arrives within `limit` and the connection stays open.
    pub fn is_silent_for(&mut self, limit: Duration) -> bool {
        if self.taken < self.received.len() {
            return false;
        }
        self.set_read_limit(limit);
        let outcome = self.receive();
        self.set_read_limit(PATIENCE);
        matches!(outcome, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// A field of INFO; fails when it is missing.
    #[track_caller]
    pub fn info(&mut self, field: &str) -> String {
        let text = self.run("INFO everything").text();
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("INFO has no field {field}:\n{text}")).trim().to_owned()
    }

    #[track_caller]
    pub fn info_number(&mut self, field: &str) -> i64 {
        self.info(field).parse().unwrap_or_else(|_| panic!("INFO field {field} is a number"))
    }

    fn receive(&mut self) -> std::io::Result<usize> {
        let mut chunk = [0; 64 * 1024];
        loop {
            let outcome = match &mut self.socket {
                Socket::Tcp(stream) => stream.read(&mut chunk),
                Socket::Unix(stream) => stream.read(&mut chunk),
            };
            match outcome {
                Ok(count) => {
                    self.received.extend_from_slice(&chunk[..count]);
                    return Ok(count);
                }
                // A machine that was stopped and goes on interrupts a read that has a time limit.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn forget_taken(&mut self) {
        if self.taken == self.received.len() {
            self.received.clear();
            self.taken = 0;
        } else if self.taken > 1 << 20 {
            self.received.drain(..self.taken);
            self.taken = 0;
        }
    }
}
