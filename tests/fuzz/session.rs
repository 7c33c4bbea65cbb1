//! Two servers without a network: one with two clients, and one that is told what the first one's replicas would be.
//! They have different limits for small values, so that what is a list of bytes here is a table there.
//!
//! What holds after each command:
//! 1. Every reply is one reply of the client's protocol.
//! 2. A read, and a change that is propagated as it is, answers the same on the replica.
//!
//! And after any input:
//! 3. What was propagated makes the same dataset.
//! 4. The keyspace's account of itself is right (`Db::check`).
//! 5. The dataset as an RDB file, read again, is the same dataset.
//! 6. Each value, dumped and restored, is the same value.

use super::replies::{after_reply, bulk};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tintype::base::argv::{Args, Argv};
use tintype::base::clock::{Clock, Now};
use tintype::base::ids::ClientId;
use tintype::client::client::Origin;
use tintype::config::{Config, Sanitize};
use tintype::exec::call::{Outcome, Request, execute};
use tintype::exec::cron::tick;
use tintype::exec::{Inbox, Verdict, command_table, pipeline};
use tintype::keyspace::{Entry, StrView};
use tintype::object::{Rules, View};
use tintype::rdb::reader::{Reader, ReaderOptions, Record, Value};
use tintype::rdb::{self, Checksum, Compression, RdbWriter, StringValue, WriterOptions};
use tintype::resp::Protocol;
use tintype::server::Server;
use tintype::spec::Flags;

const START: Now = Now { unix_us: 1_700_000_000_000_000, mono_ns: 1_000_000_000 };
const SEED: u64 = 42;
/// Names a key that no input has.
const COPY: &[u8] = b"\0copy of the fuzzer";

pub struct Session {
    server: Server,
    first: ClientId,
    second: ClientId,
    told: Rc<RefCell<Vec<(usize, Argv)>>>,
    replica: Server,
    link: ClientId,
    now: Rc<Cell<Now>>,
}

fn config() -> Config {
    let mut config = Config::default();
    config.save.clear();
    (config.databases, config.proto_max_bulk_len) = (4, 1 << 16);
    config.sanitize_dump_payload = Sanitize::Yes;
    config
}

/// Where a few elements are many.
fn config_of_small_limits() -> Config {
    let mut config = config();
    (config.hash_max_listpack_entries, config.zset_max_listpack_entries) = (8, 8);
    (config.set_max_listpack_entries, config.set_max_intset_entries) = (8, 8);
    (config.list_max_listpack_size, config.stream_node_max_entries) = (4, 3);
    config.list_compress_depth = 1;
    config
}

fn add_client(server: &mut Server) -> ClientId {
    let origin = Origin::local(50_000);
    let client = server.clients.add(origin, START.unix_ms());
    server.reset_authentication(client);
    client
}

impl Session {
    pub fn new() -> Session {
        let now = Rc::new(Cell::new(START));
        let server = |config| Server::new(config, Clock::manual(now.clone()), command_table(), SEED);
        let (mut server, mut replica) = (server(config_of_small_limits()), server(config()));
        let (first, second) = (add_client(&mut server), add_client(&mut server));
        let link = add_client(&mut replica);
        let told = Rc::new(RefCell::new(Vec::new()));
        let feed = told.clone();
        server.feed = Some(Box::new(move |db, args| feed.borrow_mut().push((db, args.to_owned()))));
        server.ledger.propagates = true;
        Session { server, first, second, told, replica, link, now }
    }

    /// Makes everything as it was at first.
    pub fn begin(&mut self) {
        self.now.set(START);
        for client in [self.first, self.second] {
            self.server.end_wait(client);
            execute_on(&mut self.server, client, &argv(&[b"RESET"]), START);
        }
        for (server, client) in [(&mut self.server, self.first), (&mut self.replica, self.link)] {
            execute_on(server, client, &argv(&[b"FLUSHALL"]), START);
            server.keyspace.rng = fastrand::Rng::with_seed(SEED);
        }
        self.told.borrow_mut().clear();
    }

    pub fn rules(&self) -> Rules {
        self.server.keyspace.settings.rules
    }

    pub fn databases(&self) -> usize {
        self.server.keyspace.databases()
    }

    /// Adds a key of a file, unless it is there.
    pub fn load(&mut self, db: usize, entry: Entry) {
        for (server, entry) in
            [(&mut self.server, entry.clone_with_key(entry.key())), (&mut self.replica, entry)]
        {
            let db = server.keyspace.db_mut(db);
            let hash = db.table().hash(entry.key());
            let _ = db.load(hash, entry);
        }
    }

    pub fn run(&mut self, words: &[&[u8]]) -> Vec<u8> {
        self.run_args(argv(words).args())
    }

    /// Runs a command of the first client; a millisecond later it no longer waits.
    pub fn run_args(&mut self, args: Args<'_>) -> Vec<u8> {
        let out = self.run_as(self.first, args);
        self.server.end_wait(self.first);
        self.now.set(self.now.get().later_by_ms(1));
        out
    }

    /// Runs a command of the second client, unless it waits.
    pub fn run_second(&mut self, args: Args<'_>) {
        if self.server.clients.get(self.second).is_some_and(|client| client.blocked.is_none()) {
            self.run_as(self.second, args);
        }
    }

    fn run_as(&mut self, client: ClientId, args: Args<'_>) -> Vec<u8> {
        let before = self.protocol(client);
        let (outcome, out) = execute_on(&mut self.server, client, &args.to_owned(), self.now.get());
        // HELLO 3 answers in RESP3; RESET ends it.
        let protocol = if before == Protocol::Resp3 { before } else { self.protocol(client) };
        match outcome {
            Outcome::Done => assert_eq!(after_reply(&out, protocol), b"", "more than a reply to {args:?}"),
            Outcome::Block => assert!(out.is_empty()),
            Outcome::Suspend => unreachable!("no script is slow while the clock stands still"),
            Outcome::Wait | Outcome::Close => {}
        }
        let is_told = matches!(&self.told.borrow()[..], [(_, told)] if told.args().iter().eq(args.iter()));
        if outcome == Outcome::Done && out != b"+QUEUED\r\n" && (is_told || self.is_plain_read(args)) {
            let db = self.server.clients.get(client).map_or(0, |client| client.db);
            self.told.borrow_mut().clear();
            let again = self.replicate(db, &args.to_owned(), protocol);
            assert!(are_alike(&out, &again), "{args:?}: {} / {}", out.escape_ascii(), again.escape_ascii());
        }
        self.settle();
        out
    }

    /// Whether a command only reads, and what it answers does not depend on chance or encodings.
    fn is_plain_read(&self, args: Args<'_>) -> bool {
        const OTHERS: &[&str] = &[
            "randomkey",
            "srandmember",
            "hrandfield",
            "zrandmember",
            "scan",
            "sscan",
            "hscan",
            "zscan",
            "object",
            "memory",
            "dump",
            "xinfo",
            "sort_ro",
        ];
        let found = args.get(0).and_then(|name| self.server.commands.find(name));
        found.is_some_and(|command| {
            let spec = &self.server.commands.at(command).entry.spec;
            spec.flags.has(Flags::READONLY)
                && !OTHERS.contains(&spec.name)
                && !is_by_text(args)
                && self.told.borrow().is_empty()
        })
    }

    /// Runs a command on the replica.
    fn replicate(&mut self, db: usize, argv: &Argv, protocol: Protocol) -> Vec<u8> {
        if let Some(link) = self.replica.clients.get_mut(self.link) {
            (link.db, link.protocol) = (db, protocol);
        }
        execute_on(&mut self.replica, self.link, argv, self.now.get()).1
    }

    fn protocol(&self, client: ClientId) -> Protocol {
        self.server.clients.get(client).map(|client| client.protocol).unwrap_or_default()
    }

    /// Time passes.
    pub fn pass(&mut self, ms: u64) {
        self.now.set(self.now.get().later_by_ms(ms));
        self.tick();
    }

    fn tick(&mut self) {
        let now = self.now.get();
        tick(&mut self.server, now);
        self.settle();
        tick(&mut self.replica, now);
    }

    /// Takes what the clients were sent besides, and tells the replica what it has to know.
    fn settle(&mut self) {
        for client in self.server.clients.iter_mut() {
            let mut rest = client.output.pending();
            while !rest.is_empty() {
                rest = after_reply(rest, client.protocol);
            }
            client.output.clear();
        }
        for (db, argv) in self.told.take() {
            let reply = self.replicate(db, &argv, Protocol::Resp2);
            // An HyperLogLog may turn out to be corrupt after some of it was changed.
            let is_refused = reply.starts_with(b"-") && !reply.starts_with(b"-INVALIDOBJ");
            assert!(!is_refused, "{:?}: {}", argv.args(), reply.escape_ascii());
        }
    }

    /// Runs what a client sends, as it arrives.
    pub fn receive<'p>(&mut self, pieces: impl Iterator<Item = &'p [u8]>) {
        let mut inbox = Inbox::default();
        for piece in pieces {
            inbox.push(piece);
            loop {
                let verdict = pipeline::run(&mut self.server, self.first, &mut inbox);
                self.server.end_wait(self.first);
                self.settle();
                match verdict {
                    Verdict::TurnOver | Verdict::Blocked | Verdict::Suspended => {}
                    Verdict::NeedsInput => break,
                    Verdict::Paused => return,
                    Verdict::Close => {
                        self.server.clients.remove(self.first);
                        self.first = add_client(&mut self.server);
                        return;
                    }
                }
            }
        }
    }

    /// Whether a command must not be run: its work is the product of the sizes of its values, or it removes or stores a
    /// range of texts of a sorted set, which says nothing when the scores differ.
    pub fn is_out_of_question(&mut self, args: Args<'_>) -> bool {
        const PRODUCT_MAX: u64 = 1 << 22;
        let name = args.get(0).map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
        let Some(client) = self.server.clients.get(self.first) else { return false };
        let table = self.server.keyspace.db(client.db).table();
        let entry = |index| args.get(index).and_then(|key| table.get(table.hash(key), key));
        match &name[..] {
            b"lcs" => {
                let bytes = [1, 2].map(|index| {
                    entry(index)
                        .filter(|entry| entry.view().is_none())
                        .map_or(0, |entry| entry.str_len() as u64)
                });
                bytes[0] * bytes[1] > PRODUCT_MAX
            }
            b"zremrangebylex" | b"zrangestore" if is_by_text(args) => {
                let source = if name == b"zrangestore" { 2 } else { 1 };
                let Some(View::Zset(zset)) = entry(source).and_then(Entry::view) else { return false };
                let scores: Vec<f64> = zset.iter().map(|(_, score)| score).collect();
                client.transaction.is_some() || scores.windows(2).any(|pair| pair[0] != pair[1])
            }
            _ => false,
        }
    }

    /// See the head of this file. What has expired is removed first.
    pub fn check_everything(&mut self) {
        for client in [self.first, self.second] {
            self.server.end_wait(client);
            self.run_as(client, argv(&[b"RESET"]).args());
        }
        if let Some(link) = self.replica.clients.get_mut(self.link) {
            link.protocol = Protocol::Resp2;
        }
        self.tick();
        let digests = [(&mut self.server, self.first), (&mut self.replica, self.link)]
            .map(|(server, client)| digest(server, client));
        assert_eq!(digests[0], digests[1], "what was propagated makes another dataset");
        for index in 0..self.databases() {
            self.server.keyspace.db(index).check();
            self.replica.keyspace.db(index).check();
            self.check_groups(index);
        }
        self.check_file();
        for index in 0..self.databases() {
            let number = index.to_string();
            self.at_once(&[b"SELECT", number.as_bytes()]);
            self.check_dumps(index);
        }
    }

    /// The replica has the same groups, which are in no digest.
    fn check_groups(&mut self, db: usize) {
        let number = db.to_string();
        for key in self.keys(db) {
            for words in GROUP_QUESTIONS {
                let words: Vec<&[u8]> =
                    words.iter().map(|word| if *word == b"KEY" { &key[..] } else { *word }).collect();
                let replies = [(&mut self.server, self.first), (&mut self.replica, self.link)].map(
                    |(server, client)| {
                        execute_on(server, client, &argv(&[b"SELECT", number.as_bytes()]), self.now.get());
                        execute_on(server, client, &argv(&words), self.now.get()).1.escape_ascii().to_string()
                    },
                );
                assert_eq!(replies[0], replies[1], "the replica's groups differ");
            }
        }
    }

    /// Runs a command of the first client; no time passes.
    fn at_once(&mut self, words: &[&[u8]]) -> Vec<u8> {
        self.run_as(self.first, argv(words).args())
    }

    /// Writes a file, reads it, and compares.
    fn check_file(&mut self) {
        let file = self.write_file();
        let now_ms = self.now.get().unix_ms();
        let report = rdb::check(&*file, now_ms, &mut |_| {});
        assert!(report.fault.is_none(), "{report:?}");
        let mut twin = self.server.keyspace.empty_twin(now_ms);
        let rules = self.rules();
        let options = ReaderOptions { now_ms: Some(now_ms), ..ReaderOptions::default() };
        let mut reader = Reader::new(&*file, options).expect("a file of our own");
        let mut db = 0;
        loop {
            let key = match reader.next_record(&rules).expect("a file of our own") {
                Record::End { .. } => break,
                Record::SelectDb(index) => {
                    db = index as usize;
                    continue;
                }
                Record::Key(key) => key,
                _ => continue,
            };
            let db = twin.db_mut(db);
            let hash = db.table().hash(key.key);
            assert!(db.load(hash, entry_of(key.key, key.value, key.expire_at_ms)).is_ok(), "a key twice");
        }
        for index in 0..self.databases() {
            twin.db(index).check();
        }
        let before = digest(&mut self.server, self.first);
        std::mem::swap(&mut self.server.keyspace, &mut twin);
        let after = digest(&mut self.server, self.first);
        std::mem::swap(&mut self.server.keyspace, &mut twin);
        assert_eq!(before, after, "the file is another dataset");
    }

    fn write_file(&self) -> Vec<u8> {
        const WHOLE: &str = "memory takes everything";
        let version = self.server.keyspace.rdb_version_needed();
        let options = WriterOptions { compression: Compression::Lzf, checksum: Checksum::On, version };
        let mut writer = RdbWriter::new(Vec::new(), options);
        writer.header(&[]).expect(WHOLE);
        for (index, db) in self.server.keyspace.dbs().filter(|(_, db)| !db.is_empty()) {
            writer.select_db(index as u64, db.len() as u64, db.volatile_len() as u64).expect(WHOLE);
            db.table().for_each(&mut |entry| write_entry(&mut writer, entry, version).expect(WHOLE));
        }
        writer.finish().expect(WHOLE).1
    }

    /// Every key of the database can be dumped, and what is dumped is the same value again.
    fn check_dumps(&mut self, db: usize) {
        for key in self.keys(db) {
            let dumped = self.at_once(&[b"DUMP", &key]);
            let Some(payload) = bulk(&dumped) else { panic!("no {}", key.escape_ascii()) };
            let expiry = self.at_once(&[b"PEXPIRETIME", &key]);
            let at_ms = expiry[1..].strip_suffix(b"\r\n").filter(|ms| *ms != b"-1").unwrap_or(b"0");
            let reply = self.at_once(&[b"RESTORE", COPY, at_ms, payload, b"REPLACE", b"ABSTTL"]);
            assert_eq!(reply, b"+OK\r\n", "{}", reply.escape_ascii());
            let is_stream = self.at_once(&[b"TYPE", &key]) == b"+stream\r\n";
            let digests = [&key[..], COPY].map(|key| {
                let mut digest = self.at_once(&[b"DEBUG", b"DIGEST-VALUE", key]);
                if is_stream {
                    digest.extend(self.at_once(&[b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"]));
                }
                digest
            });
            assert_eq!(digests[0].escape_ascii().to_string(), digests[1].escape_ascii().to_string());
            self.at_once(&[b"DEL", COPY]);
        }
    }

    fn keys(&self, db: usize) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        self.server.keyspace.db(db).table().for_each(&mut |entry| keys.push(entry.key().to_vec()));
        keys
    }

    /// Runs what reads and changes values of each key's type on it.
    pub fn use_every_key(&mut self) {
        for db in 0..self.databases() {
            let number = db.to_string();
            for key in self.keys(db) {
                self.at_once(&[b"SELECT", number.as_bytes()]);
                let type_reply = self.at_once(&[b"TYPE", &key]);
                let lines =
                    USES.iter().filter(|(name, _)| type_reply.ends_with(format!("+{name}\r\n").as_bytes()));
                for line in USES[0].1.iter().chain(lines.flat_map(|(_, lines)| *lines)) {
                    let words: Vec<&[u8]> = line
                        .split(' ')
                        .map(|word| if word == "KEY" { &key } else { word.as_bytes() })
                        .collect();
                    self.run(&words);
                }
            }
        }
    }
}

fn argv(words: &[&[u8]]) -> Argv {
    words.iter().copied().collect()
}

fn execute_on(server: &mut Server, client: ClientId, argv: &Argv, now: Now) -> (Outcome, Vec<u8>) {
    let mut out = Vec::new();
    let outcome = execute(server, client, Request { args: argv.args(), hint: None }, now, &mut out);
    (outcome, out)
}

/// Whether a command asks for a range of texts of a sorted set.
fn is_by_text(args: Args<'_>) -> bool {
    let ends = |word: &[u8], end: &[u8]| word.to_ascii_uppercase().ends_with(end);
    args.iter().any(|word| ends(word, b"BYLEX") || ends(word, b"LEXCOUNT"))
}

/// Whether two replies have the same lines, in whatever order.
fn are_alike(first: &[u8], second: &[u8]) -> bool {
    let lines = |reply: &[u8]| {
        let mut lines: Vec<Vec<u8>> = reply.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        lines
    };
    first == second || lines(first) == lines(second)
}

fn digest(server: &mut Server, client: ClientId) -> String {
    let now = server.clock.now();
    execute_on(server, client, &argv(&[b"DEBUG", b"DIGEST"]), now).1.escape_ascii().to_string()
}

pub fn entry_of(key: &[u8], value: Value<'_>, expire_at_ms: Option<i64>) -> Entry {
    match value {
        Value::Int(value) => Entry::from_int(key, value, expire_at_ms),
        Value::Bytes(bytes) => Entry::from_bytes(key, bytes, expire_at_ms),
        Value::Text(bytes) => Entry::from_raw(key, bytes, expire_at_ms),
        Value::Object(object) => Entry::from_object(key, object, expire_at_ms),
        Value::Empty | Value::Expired => panic!("{} lost its elements", key.escape_ascii()),
    }
}

fn write_entry(writer: &mut RdbWriter<Vec<u8>>, entry: &Entry, version: u16) -> std::io::Result<()> {
    if let Some(view) = entry.view() {
        writer.begin(entry.key(), entry.expire_at_ms(), None, rdb::type_byte(view, version))?;
        return rdb::write_value(writer, view);
    }
    let value = match entry.str_view() {
        StrView::Int(value) => StringValue::Int(value),
        StrView::Bytes(bytes) => StringValue::Bytes(bytes),
    };
    writer.string(entry.key(), entry.expire_at_ms(), None, value)
}

/// What the groups of a stream are asked, as far as those of a replica must be the same.
const GROUP_QUESTIONS: &[&[&[u8]]] = &[
    &[b"XINFO", b"GROUPS", b"KEY"],
    &[b"XPENDING", b"KEY", b"g", b"-", b"+", b"100"],
    &[b"XPENDING", b"KEY", b"h", b"-", b"+", b"100"],
];

/// Lines for each type of value; those of the first for all.
const USES: &[(&str, &[&str])] = &[
    (
        "any",
        &[
            "OBJECT ENCODING KEY",
            "MEMORY USAGE KEY SAMPLES 0",
            "DEBUG OBJECT KEY",
            "COPY KEY \0copied REPLACE",
            "DEL \0copied",
        ],
    ),
    (
        "string",
        &[
            "STRLEN KEY",
            "GETRANGE KEY 1 -2",
            "BITCOUNT KEY 1 -2 BIT",
            "BITPOS KEY 1",
            "PFCOUNT KEY",
            "PFADD KEY a b c",
            "PFMERGE KEY KEY",
            "INCR KEY",
            "INCRBYFLOAT KEY 1.5",
            "APPEND KEY 7",
            "SETRANGE KEY 5 x",
            "BITFIELD KEY INCRBY i7 3 5 GET u63 1",
            "SETBIT KEY 70 1",
            "GET KEY",
        ],
    ),
    (
        "list",
        &[
            "LRANGE KEY 0 -1",
            "LINDEX KEY -1",
            "LPOS KEY a RANK -1",
            "LINSERT KEY BEFORE a b",
            "LSET KEY 0 xx",
            "RPUSH KEY 1 2 3 4 5 6 aaaa",
            "LPUSH KEY 1 b",
            "LREM KEY -2 1",
            "LMOVE KEY KEY RIGHT LEFT",
            "SORT KEY ALPHA",
            "LTRIM KEY 1 -2",
            "LPOP KEY 3",
            "RPOP KEY",
            "LRANGE KEY -3 -1",
            "LPOP KEY 1000",
        ],
    ),
    (
        "set",
        &[
            "SMEMBERS KEY",
            "SISMEMBER KEY a",
            "SMISMEMBER KEY 1 a",
            "SRANDMEMBER KEY -5",
            "SRANDMEMBER KEY 3",
            "SSCAN KEY 0 COUNT 5",
            "SADD KEY 1 2 70000 a b",
            "SREM KEY 1",
            "SINTERCARD 1 KEY",
            "SUNION KEY KEY",
            "SORT KEY ALPHA",
            "SADD KEY c d e f g h i j k",
            "SPOP KEY 2",
            "SMEMBERS KEY",
            "SPOP KEY 1000",
        ],
    ),
    (
        "zset",
        &[
            "ZRANGE KEY 0 -1 WITHSCORES",
            "ZSCORE KEY a",
            "ZRANK KEY a WITHSCORE",
            "ZRANGEBYLEX KEY - [m",
            "ZRANGE KEY 5 (1 BYSCORE REV",
            "ZCOUNT KEY -inf 3",
            "ZRANDMEMBER KEY -5 WITHSCORES",
            "ZSCAN KEY 0 COUNT 5",
            "GEOSEARCH KEY FROMLONLAT 1 1 BYRADIUS 9000 km",
            "GEOPOS KEY a",
            "ZADD KEY 1 a 2 b nan c",
            "ZINCRBY KEY 1 a",
            "ZUNION 2 KEY KEY",
            "ZREM KEY b",
            "ZADD KEY 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9",
            "ZREMRANGEBYRANK KEY 1 2",
            "ZREMRANGEBYSCORE KEY 3 (4",
            "ZRANGE KEY 0 -1 REV",
            "ZPOPMAX KEY 2",
            "ZPOPMIN KEY 1000",
        ],
    ),
    (
        "hash",
        &[
            "HGETALL KEY",
            "HGET KEY a",
            "HRANDFIELD KEY -5 WITHVALUES",
            "HRANDFIELD KEY 3",
            "HSCAN KEY 0 COUNT 5",
            "HPTTL KEY FIELDS 2 a 1",
            "HSET KEY a 1 b 2",
            "HINCRBY KEY a 5",
            "HDEL KEY b",
            "HEXPIRE KEY 100 FIELDS 1 a",
            "HPERSIST KEY FIELDS 1 a",
            "HSET KEY 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9",
            "HPEXPIRE KEY 1 FIELDS 2 3 4",
            "HSTRLEN KEY 3",
            "HLEN KEY",
            "HVALS KEY",
        ],
    ),
    (
        "stream",
        &[
            "XRANGE KEY - +",
            "XREVRANGE KEY + - COUNT 2",
            "XINFO STREAM KEY FULL",
            "XINFO GROUPS KEY",
            "XREAD STREAMS KEY 0",
            "XGROUP CREATE KEY new 0",
            "XREADGROUP GROUP new c COUNT 2 STREAMS KEY >",
            "XREADGROUP GROUP g c STREAMS KEY 0",
            "XPENDING KEY new - + 5",
            "XAUTOCLAIM KEY new d 0 0",
            "XADD KEY * f v",
            "XADD KEY * f v g w",
            "XTRIM KEY MAXLEN 3",
            "XSETID KEY 99999999999999-1",
            "XDEL KEY 1-1 1-2",
            "XGROUP DELCONSUMER KEY new d",
            "XGROUP DESTROY KEY g",
            "XTRIM KEY MAXLEN 0",
            "XLEN KEY",
        ],
    ),
];
