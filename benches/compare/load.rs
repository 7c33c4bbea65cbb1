//! The load generator: one thread, blocking sockets, lock-step over the connections.
//!
//! Each turn goes once around the connections: read until the previous batch of this one is answered, send
//! the next batch, go on to the next connection. That is one write and (nearly always) one read per batch and
//! no poll at all, so the generator is cheaper than any server, while all other connections have a batch
//! waiting: the server always finds work. Batches are far smaller than a socket buffer, so a write never
//! blocks on a server that is writing.
//!
//! `send` is for who keeps a pace instead (paced.rs).
//!
//! Requests are drawn from a seed: two servers that get the same seed get the same bytes. Replies are counted
//! by length; an error or a missing value ends the run, because a server that fails quickly must not win.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::secure::{Certificate, Secure};

/// Largest batch of replies that is ever awaited: pipeline 16 of 100 members each, with room.
const INPUT_BYTES: usize = 128 << 10;
const NULL: &[u8] = b"$-1\r\n";
const KEY_DIGITS: usize = 12;
const RANDOM_BYTES: usize = 1 << 20;

/// What is stored. Texts of letters and digits do not compress, nor do they look like integers.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    Text(usize),
    /// Lowercase hexadecimal: half the entropy per byte, as in many real identifiers.
    Hex(usize),
    /// Twelve random digits, the first not 0.
    Integer,
}

impl Value {
    fn length(self) -> usize {
        match self {
            Value::Text(length) | Value::Hex(length) => length,
            Value::Integer => KEY_DIGITS,
        }
    }

    fn alphabet(self) -> &'static [u8] {
        match self {
            Value::Text(_) => b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            Value::Hex(_) => b"0123456789abcdef",
            Value::Integer => b"123456789",
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    Get,
    Set(Value),
    SetExpiring(Value, u32),
}

/// Writes requests of one command; all have the same length, only key and value differ.
#[derive(Debug)]
pub struct Writer {
    template: Vec<u8>,
    key_at: usize,
    value_at: usize,
    value_length: usize,
    random: Vec<u8>,
    rng: Rng,
}

impl Writer {
    pub fn new(command: Command, seed: u64) -> Writer {
        let mut rng = Rng::with_seed(seed);
        let (name, value, expiry) = match command {
            Command::Get => ("GET", None, None),
            Command::Set(value) => ("SET", Some(value), None),
            Command::SetExpiring(value, seconds) => ("SET", Some(value), Some(seconds)),
        };
        let count = 2 + usize::from(value.is_some()) + 2 * usize::from(expiry.is_some());
        let mut template = format!("*{count}\r\n$3\r\n{name}\r\n$16\r\nkey:").into_bytes();
        let key_at = template.len();
        template.extend_from_slice(&[b'0'; KEY_DIGITS]);
        template.extend_from_slice(b"\r\n");
        let value_length = value.map_or(0, Value::length);
        let mut value_at = template.len();
        if value.is_some() {
            template.extend_from_slice(format!("${value_length}\r\n").as_bytes());
            value_at = template.len();
            template.resize(value_at + value_length, b'0');
            template.extend_from_slice(b"\r\n");
        }
        if let Some(seconds) = expiry.map(|seconds| seconds.to_string()) {
            let tail = format!("$2\r\nEX\r\n${}\r\n{seconds}\r\n", seconds.len());
            template.extend_from_slice(tail.as_bytes());
        }
        let alphabet = value.map_or(b"0".as_slice(), Value::alphabet);
        let random =
            (0..RANDOM_BYTES + value_length).map(|_| alphabet[rng.usize(..alphabet.len())]).collect();
        Writer { template, key_at, value_at, value_length, random, rng }
    }

    pub fn request_length(&self) -> usize {
        self.template.len()
    }

    /// Appends the request for one key, with a fresh value.
    pub fn write(&mut self, key: u64, output: &mut Vec<u8>) {
        let mut rest = key;
        for digit in self.template[self.key_at..self.key_at + KEY_DIGITS].iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).expect("a digit is below 10");
            rest /= 10;
        }
        let from = self.rng.usize(..RANDOM_BYTES);
        self.template[self.value_at..self.value_at + self.value_length]
            .copy_from_slice(&self.random[from..from + self.value_length]);
        output.extend_from_slice(&self.template);
    }
}

/// Where requests come from.
pub trait Source {
    /// At most `count` requests, and how many they are; none at the end.
    fn next(&mut self, count: usize) -> (usize, &[u8]);
}

/// Every key of a range once, in order: fills a server.
#[derive(Debug)]
pub struct Fill {
    writer: Writer,
    keys: std::ops::Range<u64>,
    batch: Vec<u8>,
}

impl Fill {
    pub fn new(command: Command, keys: u64, seed: u64) -> Fill {
        Fill { writer: Writer::new(command, seed), keys: 0..keys, batch: Vec::new() }
    }
}

impl Source for Fill {
    fn next(&mut self, count: usize) -> (usize, &[u8]) {
        self.batch.clear();
        let mut written = 0;
        for key in self.keys.by_ref().take(count) {
            self.writer.write(key, &mut self.batch);
            written += 1;
        }
        (written, &self.batch)
    }
}

/// Requests for random keys without end, written when they are asked for.
#[derive(Debug)]
pub struct Random {
    writer: Writer,
    keys: u64,
    rng: Rng,
    batch: Vec<u8>,
}

impl Random {
    pub fn new(command: Command, keys: u64, seed: u64) -> Random {
        Random { writer: Writer::new(command, seed), keys, rng: Rng::with_seed(!seed), batch: Vec::new() }
    }
}

impl Source for Random {
    fn next(&mut self, count: usize) -> (usize, &[u8]) {
        self.batch.clear();
        for _ in 0..count {
            self.writer.write(self.rng.u64(..self.keys), &mut self.batch);
        }
        (count, &self.batch)
    }
}

/// Requests for random keys, written beforehand and repeated without end.
#[derive(Debug)]
pub struct Pool {
    requests: Vec<u8>,
    request_length: usize,
    at: usize,
}

impl Pool {
    /// As many requests as there are keys, each for a random one of them.
    pub fn new(command: Command, keys: u64, seed: u64) -> Pool {
        let mut writer = Writer::new(command, seed);
        let mut rng = Rng::with_seed(!seed);
        let mut requests = Vec::new();
        for _ in 0..keys {
            writer.write(rng.u64(..keys), &mut requests);
        }
        Pool { requests, request_length: writer.request_length(), at: 0 }
    }

    /// Goes to the same request for the same round, whatever was sent before.
    pub fn rewind(&mut self, round: usize) {
        let count = self.requests.len() / self.request_length;
        self.at = (round * 179_426_549 % count) * self.request_length;
    }
}

impl Source for Pool {
    fn next(&mut self, count: usize) -> (usize, &[u8]) {
        let length = count * self.request_length;
        if self.at + length > self.requests.len() {
            self.at = 0;
        }
        let batch = &self.requests[self.at..self.at + length];
        self.at += length;
        (count, batch)
    }
}

/// What a run of load achieved.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub requests: u64,
    pub time: Duration,
}

/// When a run of load ends: with its source, or at a time.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    Exhausted,
    Passed(Duration),
}

/// Connections to one server.
#[derive(Debug)]
pub struct Load {
    lanes: Vec<Lane>,
    pipeline: usize,
}

impl Load {
    pub fn connect(port: u16, connections: usize, pipeline: usize) -> io::Result<Load> {
        let lanes = (0..connections).map(|_| Lane::connect(port, None)).collect::<io::Result<_>>()?;
        Ok(Load { lanes, pipeline })
    }

    /// A missing value is an answer, too: that of a script that returns nothing.
    pub fn allowing_nulls(mut self) -> Load {
        self.lanes.iter_mut().for_each(|lane| lane.allows_nulls = true);
        self
    }

    /// The same over TLS.
    pub fn connect_secure(
        port: u16,
        connections: usize,
        pipeline: usize,
        certificate: &Certificate,
    ) -> io::Result<Load> {
        let lane = |_| Lane::connect(port, Some(certificate));
        let lanes = (0..connections).map(lane).collect::<io::Result<_>>()?;
        Ok(Load { lanes, pipeline })
    }

    /// Sends one request on every connection before all others, and waits for the answers.
    pub fn begin(&mut self, request: &[u8]) -> io::Result<()> {
        self.lanes.iter_mut().try_for_each(|lane| lane.send(1, request))?;
        self.collect()
    }

    /// Sends until the end is reached and everything is answered.
    pub fn drive(&mut self, source: &mut dyn Source, until: Until) -> io::Result<Done> {
        let started = Instant::now();
        let mut requests = 0;
        let mut more = true;
        while more {
            for lane in &mut self.lanes {
                lane.collect()?;
                let (count, batch) = source.next(self.pipeline);
                lane.send(count, batch)?;
                requests += count as u64;
                more = count > 0;
            }
            if let Until::Passed(limit) = until {
                more = more && started.elapsed() < limit;
            }
        }
        self.collect()?;
        Ok(Done { requests, time: started.elapsed() })
    }

    /// Sends one batch on the first connection, once what that owes has come; does not wait for the answers.
    pub fn send(&mut self, source: &mut dyn Source, requests: usize) -> io::Result<usize> {
        let lane = &mut self.lanes[0];
        lane.collect()?;
        let (count, batch) = source.next(requests);
        lane.send(count, batch)?;
        Ok(count)
    }

    /// Waits until everything is answered.
    pub fn collect(&mut self) -> io::Result<()> {
        self.lanes.iter_mut().try_for_each(Lane::collect)
    }
}

/// What a connection goes over.
trait Wire: Read + Write + Send + std::fmt::Debug {}

impl Wire for TcpStream {}
impl Wire for Secure {}

/// One connection, how many replies it still owes, and the start of a reply that has not come whole.
#[derive(Debug)]
struct Lane {
    stream: Box<dyn Wire>,
    owed: usize,
    input: Box<[u8]>,
    held: usize,
    allows_nulls: bool,
}

impl Lane {
    fn connect(port: u16, certificate: Option<&Certificate>) -> io::Result<Lane> {
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Wire> = match certificate {
            None => Box::new(stream),
            Some(certificate) => Box::new(certificate.connect(stream)?),
        };
        let input = vec![0; INPUT_BYTES].into_boxed_slice();
        Ok(Lane { stream, owed: 0, input, held: 0, allows_nulls: false })
    }

    fn send(&mut self, count: usize, batch: &[u8]) -> io::Result<()> {
        self.owed += count;
        if count > 0 { self.stream.write_all(batch) } else { Ok(()) }
    }

    /// Reads until every owed reply has come.
    fn collect(&mut self) -> io::Result<()> {
        while self.owed > 0 {
            let count = match self.stream.read(&mut self.input[self.held..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                outcome => outcome?,
            };
            if count == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed under load"));
            }
            let end = self.held + count;
            let mut at = 0;
            while let Some(length) = self.reply_length(at, end)? {
                at += length;
                self.owed = self.owed.checked_sub(1).ok_or_else(|| io::Error::other("a reply too many"))?;
            }
            self.input.copy_within(at..end, 0);
            self.held = end - at;
        }
        Ok(())
    }

    fn reply_length(&self, at: usize, end: usize) -> io::Result<Option<usize>> {
        let bytes = &self.input[at..end];
        if self.allows_nulls && bytes.starts_with(NULL) { Ok(Some(NULL.len())) } else { reply_length(bytes) }
    }
}

/// Length of the reply at the start, None while it is incomplete. An error, or a missing value by itself, ends the
/// run.
fn reply_length(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(line) = bytes.iter().position(|&byte| byte == b'\n') else {
        return Ok(None);
    };
    let number = || bytes[1..line - 1].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    match (bytes[0], bytes[1]) {
        (b'+' | b':', _) => Ok(Some(line + 1)),
        (b'$', first) if first != b'-' => {
            let whole = line + 1 + number() + 2;
            Ok((bytes.len() >= whole).then_some(whole))
        }
        (b'*', first) if first != b'-' => {
            let mut whole = line + 1;
            for _ in 0..number() {
                let Some(length) = reply_length(&bytes[whole..])? else { return Ok(None) };
                whole += length;
            }
            Ok(Some(whole))
        }
        _ => Err(io::Error::other(format!(
            "the load got the reply '{}'",
            String::from_utf8_lossy(&bytes[..line]).trim_end()
        ))),
    }
}
