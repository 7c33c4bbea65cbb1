//! What bytes from outside are fed to: each target takes any bytes, and panics when something is wrong.
//!
//! | target | bytes are |
//! |---|---|
//! | `listpack` | a listpack |
//! | `restore` | a type and a value, as RESTORE gets them; version and checksum are added |
//! | `rdb` | a file |
//! | `commands` | commands, one a line, their arguments between blanks; `\xNN` is a byte |
//!
//! What is accepted must be whole: it is dumped, read again, and must be the same.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tintype::base::argv::Argv;
use tintype::base::clock::{Clock, Now};
use tintype::base::crc::Crc64Redis;
use tintype::base::ids::ClientId;
use tintype::client::client::{Origin, Transport};
use tintype::config::Config;
use tintype::encoding::listpack::Listpack;
use tintype::exec::call::{Request, execute};
use tintype::exec::command_table;
use tintype::server::Server;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] =
    &[("listpack", listpack), ("restore", restore), ("rdb", rdb), ("commands", commands)];

fn listpack(bytes: &[u8]) {
    let Ok(listpack) = Listpack::check(bytes) else { return };
    let forth: Vec<Vec<u8>> = listpack.iter().map(|element| element.to_vec()).collect();
    let mut back: Vec<Vec<u8>> = listpack.iter().rev().map(|element| element.to_vec()).collect();
    back.reverse();
    assert_eq!(forth, back);
    assert_eq!(forth.len(), listpack.len());
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::new(Session::new());
}

fn restore(bytes: &[u8]) {
    const VERSION: u16 = 12;
    let mut payload = bytes.to_vec();
    payload.extend_from_slice(&VERSION.to_le_bytes());
    payload.extend_from_slice(&Crc64Redis::of(&payload).to_le_bytes());
    SESSION.with_borrow_mut(|session| {
        session.run(&[b"FLUSHALL"]);
        if session.run(&[b"RESTORE", b"key", b"0", &payload]) == b"+OK\r\n" {
            session.check_everything();
        }
    });
}

fn rdb(bytes: &[u8]) {
    use tintype::object::Rules;
    use tintype::rdb::reader::{Reader, ReaderOptions, Record};
    // Deep, as `check-rdb` does it; then as a start loads it.
    tintype::rdb::check(bytes, 0, &mut |_| {});
    let rules = Rules { hash_max_listpack_entries: 8, zset_max_listpack_entries: 8, ..Rules::default() };
    let Ok(mut reader) = Reader::new(bytes, ReaderOptions::default()) else { return };
    while let Ok(record) = reader.next_record(&rules) {
        if matches!(record, Record::End { .. }) {
            return;
        }
    }
}

fn commands(bytes: &[u8]) {
    SESSION.with_borrow_mut(|session| {
        session.run(&[b"FLUSHALL"]);
        for line in bytes.split(|byte| *byte == b'\n').take(64) {
            let words: Vec<Vec<u8>> =
                line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).map(unescape).collect();
            if !words.is_empty() && is_harmless(&words) {
                session.run(&words.iter().map(Vec::as_slice).collect::<Vec<_>>());
            }
        }
        session.check_everything();
    });
}

/// `\xNN` becomes the byte it names.
fn unescape(word: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let escape = word[at..].strip_prefix(b"\\x").and_then(|rest| rest.get(..2));
        let byte = escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(word[at]));
        at += if byte.is_some() { 4 } else { 1 };
    }
    bytes
}

/// Not what stops the process, sleeps, writes files, or makes replies of any size that is asked for.
fn is_harmless(words: &[Vec<u8>]) -> bool {
    const HARMFUL: &[&str] = &[
        "SHUTDOWN",
        "DEBUG",
        "SAVE",
        "BGSAVE",
        "BGREWRITEAOF",
        "CONFIG",
        "CLIENT",
        "HELLO",
        "RESET",
        "QUIT",
    ];
    const DIGITS_MAX: usize = 6;
    let name = words[0].to_ascii_uppercase();
    let is_sample = name.ends_with(b"MEMBER") || name.ends_with(b"FIELD");
    let is_long = |word: &Vec<u8>| word.first() == Some(&b'-') && word.len() > DIGITS_MAX;
    let is_harmful = HARMFUL.iter().any(|harmful| harmful.as_bytes() == name);
    let is_endless = is_sample && words.iter().any(is_long);
    !is_harmful && !is_endless
}

/// A server and its client.
struct Session {
    server: Server,
    client: ClientId,
    now: Rc<Cell<Now>>,
}

impl Session {
    fn new() -> Session {
        let now = Rc::new(Cell::new(Now { unix_us: 1_700_000_000_000_000, mono_ns: 1_000_000_000 }));
        let mut config = Config::default();
        config.save.clear();
        config.proto_max_bulk_len = 1 << 20;
        (config.hash_max_listpack_entries, config.zset_max_listpack_entries) = (8, 8);
        (config.set_max_listpack_entries, config.set_max_intset_entries) = (8, 8);
        (config.list_max_listpack_size, config.stream_node_max_entries) = (4, 3);
        config.sanitize_dump_payload = tintype::config::Sanitize::Yes;
        let mut server = Server::new(config, Clock::manual(now.clone()), command_table(), 42);
        let origin = Origin {
            address: "127.0.0.1:50000".to_owned(),
            local_address: "127.0.0.1:6379".to_owned(),
            transport: Transport::Tcp,
            is_local: true,
            fd: 7,
        };
        let client = server.clients.add(origin, 0);
        server.reset_authentication(client);
        Session { server, client, now }
    }

    fn run(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let argv: Argv = words.iter().copied().collect();
        let mut out = Vec::new();
        let request = Request { args: argv.args(), hint: None };
        execute(&mut self.server, self.client, request, self.now.get(), &mut out);
        self.server.end_wait(self.client);
        self.now.set(self.now.get().later_by_ms(1));
        if let Some(client) = self.server.clients.get_mut(self.client) {
            client.output.clear();
        }
        out
    }

    /// Every key can be dumped, and what is dumped is the same value again.
    fn check_everything(&mut self) {
        self.run(&[b"DISCARD"]);
        self.run(&[b"SELECT", b"0"]);
        let keys: Vec<Vec<u8>> = {
            let mut keys = Vec::new();
            self.server.keyspace.db(0).table().for_each(&mut |entry| keys.push(entry.key().to_vec()));
            keys
        };
        for key in keys {
            let dumped = self.run(&[b"DUMP", &key]);
            let Some(payload) = bulk(&dumped) else { continue };
            let reply = self.run(&[b"RESTORE", b"\0copy", b"0", payload, b"REPLACE"]);
            assert_eq!(reply, b"+OK\r\n", "{:?}", String::from_utf8_lossy(&reply));
            let digests = [&key[..], b"\0copy"].map(|key| self.run(&[b"DEBUG", b"DIGEST-VALUE", key]));
            let expires = self.run(&[b"PTTL", &key]) != b":-1\r\n";
            assert!(digests[0] == digests[1] || expires, "{:?}", key.escape_ascii().to_string());
            self.run(&[b"DEL", b"\0copy"]);
        }
    }
}

/// The content of a bulk reply.
fn bulk(reply: &[u8]) -> Option<&[u8]> {
    let line = reply.iter().position(|byte| *byte == b'\n')?;
    if reply.starts_with(b"$-1") { None } else { reply.get(line + 1..reply.len() - 2) }
}
