//! One conversation of several clients, held with Tintype and with the oracle, and compared byte for byte.
//!
//! ```text
//! a HELLO 3                        client `a`, connected when it is first named, sends a command
//! b PUBLISH news "x y" ;; PING     two commands by one write
//! a CLIENT KILL ID $b              `$b` is the number that the server gave client `b`
//! a !close                         `a` hangs up
//! - !wait 150                      milliseconds pass
//! # a remark
//! ```
//! After each line everything that has arrived anywhere must be the same on both sides: replies, messages, and that a
//! connection was closed. What cannot be the same (times, numbers of clients) is made so by `Stage::masking`, but for
//! the reply of HELLO, which is hidden here; what is different on purpose belongs into a test of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Connection, PATIENCE, Server, arguments, encode, holds_within, show};

const LINES_SHOWN: usize = 12;
/// How often a witness asks both servers something before what they had to say counts as sent. Once is not enough: it
/// may be answered before a request that came earlier.
const WITNESS_ROUNDS: usize = 3;

type Mask = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// Both servers.
pub struct Stage {
    pub ours: Server,
    pub theirs: Server,
    mask: Mask,
}

/// One client on both sides, with the number each gave it.
struct Twin {
    ours: Connection,
    theirs: Connection,
    numbers: [i64; 2],
}

/// A conversation under way. It goes on with each `play`.
pub struct Conversation<'a> {
    stage: &'a Stage,
    witness: Twin,
    clients: BTreeMap<String, Twin>,
    history: Vec<String>,
}

impl Stage {
    /// Starts both with the same arguments and no save rules.
    #[track_caller]
    pub fn start(arguments: &[&str]) -> Stage {
        let (ours, theirs) = (Server::start(arguments), Server::oracle(arguments));
        Stage { ours, theirs, mask: Box::new(<[u8]>::to_vec) }
    }

    /// Compares what `mask` makes of the bytes that one client got after one line.
    pub fn masking(mut self, mask: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Stage {
        self.mask = Box::new(mask);
        self
    }

    #[track_caller]
    pub fn conversation(&self) -> Conversation<'_> {
        let witness = self.connect();
        Conversation { stage: self, witness, clients: BTreeMap::new(), history: Vec::new() }
    }

    /// Plays one script with clients of its own.
    #[track_caller]
    pub fn play(&self, script: &str) {
        self.conversation().play(script);
    }

    #[track_caller]
    fn connect(&self) -> Twin {
        let (mut ours, mut theirs) = (self.ours.connect(), self.theirs.connect());
        let numbers = [&mut ours, &mut theirs].map(|connection| connection.run("CLIENT ID").integer());
        Twin { ours, theirs, numbers }
    }
}

impl Conversation<'_> {
    #[track_caller]
    pub fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.history.push(line.to_owned());
            let (name, rest) = line.split_once(' ').expect("a client's name and a command");
            match rest.strip_prefix('!') {
                Some(direction) => self.direct(name, direction),
                None => self.say(name, rest),
            }
            self.compare();
        }
    }

    #[track_caller]
    fn direct(&mut self, name: &str, direction: &str) {
        match direction.split_once(' ').unwrap_or((direction, "")) {
            ("close", _) => drop(self.clients.remove(name)),
            ("wait", ms) => {
                let ms = ms.parse().expect("a number of milliseconds");
                std::thread::sleep(Duration::from_millis(ms));
            }
            other => panic!("no such direction: {other:?}"),
        }
    }

    #[track_caller]
    fn say(&mut self, name: &str, commands: &str) {
        if !self.clients.contains_key(name) {
            self.clients.insert(name.to_owned(), self.stage.connect());
        }
        let requests = [0, 1].map(|side| {
            let command = |line: &str| encode(&self.expanded(line, side));
            commands.split(" ;; ").map(command).collect::<Vec<_>>().concat()
        });
        let twin = self.clients.get_mut(name).expect("connected above");
        twin.ours.send(&requests[0]);
        twin.theirs.send(&requests[1]);
    }

    /// The arguments of a command, with clients' numbers for their names.
    #[track_caller]
    fn expanded(&self, line: &str, side: usize) -> Vec<Vec<u8>> {
        let mut words = arguments(line);
        for word in &mut words {
            let Some(name) = word.strip_prefix(b"$") else { continue };
            let name = String::from_utf8_lossy(name).into_owned();
            let twin = self.clients.get(&name).unwrap_or_else(|| panic!("no client {name} yet"));
            *word = twin.numbers[side].to_string().into_bytes();
        }
        words
    }

    #[track_caller]
    fn compare(&mut self) {
        // Whatever the servers do because of the line is on its way when they answer somebody else.
        for _ in 0..WITNESS_ROUNDS {
            self.witness.theirs.run("PING");
            self.witness.ours.run("PING");
        }
        for (name, twin) in &mut self.clients {
            let theirs = twin.theirs.available();
            let mut ours = twin.ours.available();
            // A mask may stand for different lengths: then it is not known how much is to come.
            holds_within(PATIENCE.min(Duration::from_millis(if ours == theirs { 0 } else { 1000 })), || {
                ours.extend_from_slice(&twin.ours.available());
                ours.len() >= theirs.len()
            });
            let [masked, expected] =
                [&ours, &theirs].map(|bytes| (self.stage.mask)(&without_greeting(bytes)));
            if masked != expected {
                let first = self.history.len().saturating_sub(LINES_SHOWN);
                panic!(
                    "client {name} got something else after the last of these lines:\n    {}\n  theirs: {}\n    ours: {}",
                    self.history[first..].join("\n    "),
                    show(&expected),
                    show(&masked)
                );
            }
        }
    }
}

/// The reply of HELLO, with its version and the client's number, becomes `(greeting)`.
fn without_greeting(bytes: &[u8]) -> Vec<u8> {
    const BEGIN: &[u8] = b"\r\n$6\r\nserver\r\n$5\r\nredis\r\n";
    const END: &[u8] = b"modules\r\n*0\r\n";
    let find = |what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    match (find(BEGIN), find(END)) {
        (Some(begin), Some(end)) => [&bytes[..begin], b"(greeting)", &bytes[end + END.len()..]].concat(),
        _ => bytes.to_vec(),
    }
}
