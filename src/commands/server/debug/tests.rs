//! DEBUG in process. Digests and replies are those that redis-server 7.0.15 gives.

use crate::base::argv::Argv;
use crate::base::clock::{Clock, Now};
use crate::base::ids::ClientId;
use crate::client::client::{Origin, Transport};
use crate::commands::GROUPS;
use crate::config::Config;
use crate::keyspace::{Expiry, Tx};
use crate::resp::{Protocol, Reply};
use crate::server::{CommandTable, Cx, Handler, Server};
use std::cell::Cell;
use std::rc::Rc;

const NOW: Now = Now { unix_us: 1_700_000_000_000_000, mono_ns: 0 };

/// A server and one client, without gates and commit.
pub(in crate::commands::server) struct Probe {
    pub server: Server,
    pub protocol: Protocol,
    client: ClientId,
}

impl Probe {
    pub(in crate::commands::server) fn new() -> Probe {
        let clock = Clock::manual(Rc::new(Cell::new(NOW)));
        let mut server = Server::new(Config::default(), clock, CommandTable::new(GROUPS), 1);
        let origin = Origin {
            address: "127.0.0.1:50000".into(),
            local_address: "127.0.0.1:6379".into(),
            transport: Transport::Tcp,
            is_local: true,
            fd: 8,
        };
        let client = server.clients.add(origin, NOW.unix_ms());
        Probe { server, protocol: Protocol::Resp2, client }
    }

    /// Runs a command whose arguments are separated by spaces, and shows the reply with `.` for each line end.
    pub(in crate::commands::server) fn run(&mut self, line: &str) -> String {
        let argv: Argv = line.split(' ').collect();
        let args = argv.args();
        let mut command = self.server.commands.find(args.at(0)).expect("the tests call what exists");
        let subcommand = args.get(1).and_then(|name| self.server.commands.find_subcommand(command, name));
        command = subcommand.unwrap_or(command);
        let mut out = Vec::new();
        let reply = Reply::new(&mut out, self.protocol);
        let entry = self.server.commands.at(command).entry;
        let Handler::Server(handler) = entry.handler else { panic!("the tests call no data commands") };
        let mut cx = Cx { server: &mut self.server, client_id: self.client, command, now: NOW, reply };
        match handler(&mut cx, args) {
            Ok(_) => String::from_utf8(out).expect("text").replace("\r\n", "."),
            Err(error) => format!("-{error}"),
        }
    }

    fn set(&mut self, db: usize, key: &str, value: &str, expiry: Expiry) {
        let mut tx = Tx::new(&mut self.server.keyspace, &mut self.server.ledger, db, NOW.unix_ms());
        tx.set_str(key.as_bytes(), value.as_bytes(), expiry);
    }

    fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        let mut tx = Tx::new(&mut self.server.keyspace, &mut self.server.ledger, 0, NOW.unix_ms());
        let mut bytes = None;
        tx.exists(key.as_bytes()).then(|| tx.edit_str(key.as_bytes(), |value| bytes = Some(value.clone())));
        bytes
    }
}

#[test]
fn digests_equal_those_of_redis() {
    let mut probe = Probe::new();
    let zeros = "0".repeat(40);
    assert_eq!(probe.run("debug digest"), format!("+{zeros}."));
    probe.set(0, "a", "1", Expiry::None);
    probe.set(0, "b", "12", Expiry::At(NOW.unix_ms() + 1000));
    probe.set(3, "q", "zz", Expiry::None);
    assert_eq!(probe.run("debug digest"), "+2f1e7143fe4e767eaf7bf92cbff6dc630315280a.");
    assert_eq!(
        probe.run("debug digest-value a b nokey"),
        format!(
            "*3.+b4fc66738120fba0b5aa500ab5c2bf89cea1c5da.+83df3a94c43338a2db2a05ddb5dbb794b842c619.+{zeros}."
        )
    );
}

#[test]
fn a_digest_ignores_encoding_and_the_time_of_expiry() {
    let mut probe = Probe::new();
    probe.set(0, "a", "1", Expiry::At(NOW.unix_ms() + 1));
    let before = probe.run("debug digest");
    assert_eq!(probe.get("a").expect("it is there"), b"1");
    probe.set(0, "b", "2", Expiry::None);
    assert_ne!(probe.run("debug digest"), before);
    let mut other = Probe::new();
    other.set(0, "b", "2", Expiry::None);
    other.set(0, "a", "1", Expiry::At(NOW.unix_ms() + 99));
    assert_eq!(other.run("debug digest"), probe.run("debug digest"));
}

#[test]
fn populate_keeps_what_is_there() {
    let mut probe = Probe::new();
    probe.set(0, "key:1", "old", Expiry::None);
    assert_eq!(probe.run("debug populate 40"), "+OK.");
    assert_eq!(probe.run("debug populate 2 p 10"), "+OK.");
    assert_eq!(probe.run("debug populate 1 cut 3"), "+OK.");
    assert_eq!(probe.server.keyspace.db(0).len(), 43);
    assert_eq!(probe.get("key:1").expect("it is there"), b"old");
    assert_eq!(probe.get("key:39").expect("it is there"), b"value:39");
    assert_eq!(probe.get("p:1").expect("it is there"), b"value:1\0\0\0");
    assert_eq!(probe.get("cut:0").expect("it is there"), b"val");
    assert!(probe.server.ledger.is_empty(), "nothing is counted or propagated");
    probe.server.keyspace.db(0).table().check();
}

#[test]
fn populate_refuses_what_is_no_size() {
    let mut probe = Probe::new();
    for line in ["x", "-1", "1 a x", "1 a -5", "99999999999999999999"] {
        let reply = probe.run(&format!("debug populate {line}"));
        assert_eq!(reply, "-ERR value is out of range, must be positive", "{line}");
    }
    assert!(probe.run("debug populate 1 a 9000000000000").starts_with("-ERR string exceeds"));
}

#[test]
fn object_tells_what_lies_there() {
    let mut probe = Probe::new();
    probe.set(0, "number", "5", Expiry::None);
    probe.set(0, "text", "hello", Expiry::None);
    let number = probe.run("debug object number");
    assert!(number.contains(" refcount:1 encoding:int serializedlength:2 lru:"), "{number}");
    assert!(number.ends_with(" lru_seconds_idle:0."), "{number}");
    assert!(probe.run("debug object text").contains(" encoding:embstr serializedlength:6 "));
    assert_eq!(probe.run("debug object nokey"), "-ERR no such key");
}

#[test]
fn switches_switch() {
    let mut probe = Probe::new();
    for line in [
        "set-active-expire 0",
        "pause-cron 1",
        "set-skip-checksum-validation 1",
        "dict-resizing 0",
        "sleep 0",
    ] {
        assert_eq!(probe.run(&format!("debug {line}")), "+OK.", "{line}");
    }
    let switches = probe.server.debug;
    assert!(!switches.active_expire && switches.cron_paused && switches.skip_checksum_validation);
}

#[test]
fn stopped_tables_do_not_grow() {
    let mut probe = Probe::new();
    let size = |probe: &mut Probe| {
        let statistics = probe.run("debug htstats 0");
        statistics.lines().find(|line| line.starts_with(" table size:")).expect("a size").to_owned()
    };
    probe.run("debug populate 100");
    let before = size(&mut probe);
    probe.run("debug dict-resizing 0");
    probe.run("debug populate 300");
    assert_eq!(size(&mut probe), before);
    probe.run("debug dict-resizing 1");
    probe.run("debug populate 2000");
    assert_ne!(size(&mut probe), before);
    probe.server.keyspace.db(0).table().check();
}

#[test]
fn a_new_replication_id_has_40_hex_digits() {
    let mut probe = Probe::new();
    probe.run("debug change-repl-id");
    let id = probe.server.identity.replication_id.clone();
    assert!(id.len() == 40 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    probe.run("debug change-repl-id");
    assert_ne!(probe.server.identity.replication_id, id);
}

#[test]
fn statistics_of_tables() {
    let mut probe = Probe::new();
    assert!(probe.run("debug htstats 1").contains("No stats available for empty dictionaries"));
    probe.run("debug populate 100");
    let full = probe.run("debug htstats 0 FULL");
    assert!(
        full.contains(" number of elements: 100\n") && full.contains(" Elements per bucket:\n"),
        "{full}"
    );
    assert_eq!(probe.run("debug htstats 99"), "-ERR Out of range database");
    assert_eq!(probe.run("debug htstats x"), "-ERR value is not an integer or out of range");
    assert_eq!(probe.run("debug htstats-key nokey"), "-ERR no such key");
    assert!(probe.run("debug htstats-key key:1").contains("is not represented using an hash table"));
}

#[test]
fn one_value_of_each_type() {
    let mut probe = Probe::new();
    assert_eq!(probe.run("debug protocol map"), "*6.:0.:0.:1.:1.:2.:0.");
    assert_eq!(probe.run("debug protocol double"), "$5.3.141.");
    assert_eq!(probe.run("debug protocol push"), "-ERR RESP2 is not supported by this command");
    probe.protocol = Protocol::Resp3;
    assert_eq!(probe.run("debug protocol MAP"), "%3.:0.#f.:1.#t.:2.#f.");
    assert_eq!(probe.run("debug protocol double"), ",3.141.");
    assert_eq!(
        probe.run("debug protocol attrib"),
        "|1.$14.key-popularity.*2.$7.key:123.:90.$39.Some real reply following the attribute."
    );
    assert_eq!(
        probe.run("debug protocol push"),
        ">2.$16.server-cpu-usage.:42.$40.Some real reply following the push reply."
    );
    assert!(probe.run("debug protocol x").starts_with("-ERR Wrong protocol type name."));
}

#[test]
fn what_is_not_offered_is_refused() {
    let mut probe = Probe::new();
    for line in ["foo", "sleep", "log a b", "populate 1 a 1 1", "help x", "replybuffer resizing 0", "jmap"] {
        let name = line.split(' ').next().expect("a line has a word");
        let expected =
            format!("-ERR unknown subcommand or wrong number of arguments for '{name}'. Try DEBUG HELP.");
        assert_eq!(probe.run(&format!("debug {line}")), expected);
    }
    assert_eq!(probe.run("debug error WRONG x"), probe.run("debug error"));
    assert_eq!(probe.run("debug error WRONG"), "-WRONG");
    assert_eq!(probe.run("debug stringmatch-len a*c abc"), ":1.");
}

#[test]
fn help_lists_what_exists() {
    let help = Probe::new().run("debug help");
    for subcommand in super::SUBCOMMANDS {
        assert!(help.contains(&format!(".+{}", subcommand.name.to_ascii_uppercase())), "{}", subcommand.name);
        assert!(subcommand.help.iter().all(|line| line.len() <= 80));
    }
    assert!(super::SUBCOMMANDS.is_sorted_by_key(|subcommand| subcommand.name));
}
