//! A server without a network, on which the tests of command groups run whole commands: gates, handler, commit.

use crate::base::argv::{Args, Argv};
use crate::base::clock::{Clock, Now};
use crate::base::ids::ClientId;
use crate::base::quote::split_line;
use crate::client::client::Origin;
use crate::config::Config;
use crate::exec::call::{self, Request};
use crate::exec::command_table;
use crate::keyspace::{Event, Tx};
use crate::resp::{Protocol, Reply};
use crate::server::{Cx, Handler, Server};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The time at which every fixture begins, in Unix ms.
pub const START_MS: i64 = 1_700_000_000_000;

/// A server with one client, whose clock stands still until it is moved.
pub struct Fixture {
    pub server: Server,
    pub client: ClientId,
    now: Rc<Cell<Now>>,
    propagated: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl Default for Fixture {
    fn default() -> Self {
        Fixture::new()
    }
}

impl Fixture {
    /// A server without save rules.
    pub fn new() -> Fixture {
        let now = Rc::new(Cell::new(Now { unix_us: START_MS * 1000, mono_ns: 1_000_000_000 }));
        let mut config = Config::default();
        config.save.clear();
        let mut server = Server::new(config, Clock::manual(now.clone()), command_table(), 42);
        let origin = Origin::local(50_000);
        let client = server.clients.add(origin, START_MS);
        server.reset_authentication(client);
        let propagated = Rc::new(RefCell::new(Vec::new()));
        let feed = propagated.clone();
        server.feed = Some(Box::new(move |_, args: Args<'_>| {
            feed.borrow_mut().push(args.iter().collect::<Vec<_>>().join(&b' '));
        }));
        server.ledger.propagates = true;
        Fixture { server, client, now, propagated }
    }

    /// Runs a line as redis-cli would read it, quotes included, and returns the raw reply.
    pub fn run(&mut self, line: &str) -> String {
        self.run_args(split_line(line.as_bytes()).expect("a line with balanced quotes"))
    }

    pub fn run_args(&mut self, argv: Argv) -> String {
        String::from_utf8_lossy(&self.run_bytes(argv)).into_owned()
    }

    pub fn run_bytes(&mut self, argv: Argv) -> Vec<u8> {
        let mut out = Vec::new();
        let request = Request { args: argv.args(), hint: None };
        call::execute(&mut self.server, self.client, request, self.now.get(), &mut out);
        out
    }

    /// Runs a line and compares the raw reply.
    #[track_caller]
    pub fn check(&mut self, line: &str, reply: &str) {
        assert_eq!(self.run(line), reply, "{line}");
    }

    /// Runs a line in another database.
    pub fn in_db(&mut self, db: usize, line: &str) -> String {
        let before = std::mem::replace(&mut self.client().db, db);
        let reply = self.run(line);
        self.client().db = before;
        reply
    }

    /// Runs the handler of a command alone; returns what it told as `event key@db`. Nothing is committed.
    pub fn events(&mut self, line: &str) -> Vec<String> {
        self.changes(line).into_iter().map(|(event, key)| format!("{} {key}", event.name())).collect()
    }

    /// As `events`: each event with its `key@db`.
    pub fn changes(&mut self, line: &str) -> Vec<(Event, String)> {
        let argv = split_line(line.as_bytes()).expect("a line with balanced quotes");
        let commands = &self.server.commands;
        let mut command = commands.find(argv.args().at(0)).expect("the command is there");
        if matches!(commands.at(command).entry.handler, Handler::Container) {
            command = commands.find_subcommand(command, argv.args().at(1)).expect("the subcommand is there");
        }
        let handler = commands.at(command).entry.handler;
        let (db, now) = (self.client().db, self.now.get());
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, Protocol::Resp2);
        let server = &mut self.server;
        let result = match handler {
            Handler::Data(handler) => {
                let mut tx = Tx::new(&mut server.keyspace, &mut server.ledger, db, now.unix_ms());
                handler(&mut tx, argv.args(), &mut reply)
            }
            Handler::Server(handler) => {
                handler(&mut Cx { server, client_id: self.client, command, now, reply }, argv.args())
            }
            Handler::Container => panic!("{line} is no command"),
        };
        assert!(result.is_ok(), "{line}");
        let ledger = &mut self.server.ledger;
        let tell = |told: crate::keyspace::ledger::Told<'_>| {
            (told.event, format!("{}@{}", String::from_utf8_lossy(told.key), told.db))
        };
        let told = ledger.told().map(tell).collect();
        ledger.clear();
        told
    }

    pub fn client(&mut self) -> &mut crate::client::Client {
        self.server.clients.get_mut(self.client).expect("the fixture's client is connected")
    }

    /// Moves the clock.
    pub fn advance_ms(&mut self, ms: u64) {
        self.now.set(self.now.get().later_by_ms(ms));
    }

    pub fn now(&self) -> Now {
        self.now.get()
    }

    /// What replicas would have seen since the last call, arguments joined by spaces.
    pub fn take_propagated(&mut self) -> Vec<String> {
        self.take_propagated_bytes().iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    pub fn take_propagated_bytes(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.propagated.borrow_mut())
    }

    /// Changes since the last save.
    pub fn dirty(&self) -> u64 {
        self.server.snapshots.dirty
    }

    pub fn hits(&self) -> u64 {
        self.server.keyspace.counters.hits.get()
    }

    pub fn misses(&self) -> u64 {
        self.server.keyspace.counters.misses.get()
    }
}
