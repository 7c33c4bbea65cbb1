//! CLIENT in process, with several clients and a clock that the test moves.

use crate::base::argv::Argv;
use crate::base::clock::{Clock, Now};
use crate::base::ids::ClientId;
use crate::client::Client;
use crate::client::client::{Origin, Transport};
use crate::config::Config;
use crate::exec::call::{self, Outcome, Request};
use crate::exec::command_table;
use crate::server::Server;
use std::cell::Cell;
use std::rc::Rc;

/// A server and its clients, one of which speaks.
pub(in crate::commands) struct Sessions {
    pub server: Server,
    pub current: ClientId,
    now: Rc<Cell<Now>>,
}

impl Sessions {
    /// A server with this password and one client.
    pub fn new(requirepass: &str) -> Self {
        let now = Rc::new(Cell::new(Now { unix_us: 1_700_000_000_000_000, mono_ns: 0 }));
        let mut config = Config::default();
        config.requirepass = requirepass.into();
        let server = Server::new(config, Clock::manual(now.clone()), command_table(), 1);
        let mut sessions = Sessions { server, current: ClientId { number: 0, slot: 0 }, now };
        sessions.join();
        sessions
    }

    /// A further client, which speaks from now on. Its port is its number.
    pub fn join(&mut self) -> ClientId {
        let origin = Origin {
            address: String::new(),
            local_address: "127.0.0.1:6379".into(),
            transport: Transport::Tcp,
            is_local: true,
            fd: 9,
        };
        let id = self.server.clients.add(origin, self.now.get().unix_ms());
        self.server.reset_authentication(id);
        self.current = id;
        let address = format!("127.0.0.1:{}", id.number);
        self.server.clients.get_mut(id).unwrap().origin.address = address;
        id
    }

    pub fn client(&self) -> &Client {
        self.server.clients.get(self.current).unwrap()
    }

    pub fn later(&self, ms: u64) {
        self.now.set(self.now.get().later_by_ms(ms));
    }

    /// Runs a line of words; the reply's bytes without lengths of bulks and line ends.
    pub fn execute(&mut self, line: &str) -> (String, Outcome) {
        let argv: Argv = line.split(' ').collect();
        let mut out = Vec::new();
        let request = Request { args: argv.args(), hint: None };
        let outcome = call::execute(&mut self.server, self.current, request, self.now.get(), &mut out);
        let text = String::from_utf8(out).unwrap();
        let words: Vec<&str> = text.split("\r\n").filter(|part| !part.starts_with('$')).collect();
        (words.join(" ").trim_end_matches(' ').to_owned(), outcome)
    }

    #[track_caller]
    pub fn check(&mut self, line: &str, expected: &str) {
        assert_eq!(self.execute(line).0, expected, "{line}");
    }

    #[track_caller]
    fn waits(&mut self, line: &str) {
        assert_eq!(self.execute(line), (String::new(), Outcome::Wait), "{line}");
    }
}

#[test]
fn names_stay_in_their_line() {
    let mut sessions = Sessions::new("");
    sessions.check("CLIENT ID", ":1");
    sessions.check(
        "CLIENT SETNAME a\tb",
        "-ERR Client names cannot contain spaces, newlines or special characters.",
    );
    sessions.check("CLIENT SETNAME a~", "+OK");
    sessions.check("CLIENT GETNAME", "a~");
    sessions.check("CLIENT SETNAME ", "+OK");
    sessions.check(
        "CLIENT SETINFO lib-name red\nis",
        "-ERR lib-name cannot contain spaces, newlines or special characters.",
    );
    sessions.check(
        "CLIENT SETINFO Lib-Ver 1\u{1}",
        "-ERR lib-ver cannot contain spaces, newlines or special characters.",
    );
    sessions.check("CLIENT SETINFO lib x", "-ERR Unrecognized option 'lib'");
    sessions.check("CLIENT SETINFO lib-name redis-rs", "+OK");
    assert!(sessions.client().name.is_empty());
    assert_eq!(sessions.client().library_name, b"redis-rs");
    sessions.check("CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.");
    sessions.check("CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command");
    sessions.check("CLIENT GETREDIR", ":-1");
}

#[test]
fn replies_can_be_left_out() {
    let mut sessions = Sessions::new("");
    let steps = [
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("PING", "+PONG"),
        ("CLIENT REPLY skip", ""),
        ("NOSUCH", ""),
        ("PING", "+PONG"),
        ("CLIENT REPLY maybe", "-ERR syntax error"),
        ("CLIENT REPLY OFF", ""),
        ("CLIENT REPLY SKIP", ""),
        ("PING", ""),
        ("CLIENT REPLY ON", "+OK"),
    ];
    for (line, expected) in steps {
        sessions.check(line, expected);
    }
}

#[test]
fn a_line_tells_what_a_client_is() {
    let mut sessions = Sessions::new("");
    for line in [
        "CLIENT SETNAME me",
        "CLIENT SETINFO lib-ver 7",
        "CLIENT NO-EVICT ON",
        "CLIENT NO-TOUCH ON",
        "SELECT 2",
    ] {
        sessions.check(line, "+OK");
    }
    sessions.check("MULTI", "+OK");
    sessions.check("GET key", "+QUEUED");
    sessions.join();
    sessions.later(3500);
    let (list, _) = sessions.execute("CLIENT LIST");
    let lines: Vec<&str> = list.split('\n').collect();
    assert!(
        lines[0].starts_with(
            "id=1 addr=127.0.0.1:1 laddr=127.0.0.1:6379 fd=9 name=me age=3 idle=3 flags=xeT db=2 "
        )
    );
    assert!(
        lines[0].contains(" multi=1 watch=0 qbuf=0 ")
            && lines[0].contains(" cmd=get user=default redir=-1 resp=2 ")
    );
    assert!(lines[0].contains(" lib-name= lib-ver=7 io-thread=0 tot-net-in=0 "), "{}", lines[0]);
    assert!(
        lines[1].contains("flags=N") && lines[1].contains(" multi=-1 ") && lines[1].contains(" argv-mem=10 ")
    );
    let names: Vec<&str> = lines[1].split(' ').filter_map(|field| field.split('=').next()).collect();
    assert_eq!(
        names.join(" "),
        "id addr laddr fd name age idle flags db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp \
         obl oll omem tot-mem events cmd user redir resp capa lib-name lib-ver \
         io-thread tot-net-in tot-net-out tot-cmds"
    );
}

#[test]
fn lists_are_chosen_from() {
    let mut sessions = Sessions::new("");
    sessions.join();
    let numbers = |sessions: &mut Sessions, line: &str| {
        let (list, _) = sessions.execute(line);
        let ids = list.split([' ', '\n']).filter_map(|field| field.strip_prefix("id="));
        ids.map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(numbers(&mut sessions, "CLIENT LIST"), "1 2");
    assert_eq!(numbers(&mut sessions, "CLIENT INFO"), "2");
    assert_eq!(numbers(&mut sessions, "CLIENT LIST TYPE Normal"), "1 2");
    assert_eq!(numbers(&mut sessions, "CLIENT LIST TYPE slave"), "");
    assert_eq!(numbers(&mut sessions, "CLIENT LIST ID 2 9 -1 1 2"), "2 1 2");
    sessions.check("CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'");
    for line in ["TYPE", "ID", "foo", "foo bar", "TYPE normal ID"] {
        sessions.check(&format!("CLIENT LIST {line}"), "-ERR syntax error");
    }
    sessions.check("CLIENT LIST ID 1 NOSUCH normal", "-ERR Invalid client ID");
}

#[test]
fn clients_are_killed() {
    let mut sessions = Sessions::new("");
    let first = sessions.current;
    sessions.later(10_000);
    let (second, third) = (sessions.join(), sessions.join());
    let is_closed =
        |sessions: &Sessions, id| sessions.server.clients.get(id).is_some_and(|client| client.close_now);
    sessions.check("CLIENT KILL 127.0.0.1:99", "-ERR No such client");
    sessions.check("CLIENT KILL ID 1 ADDR 127.0.0.1:2", ":0");
    sessions.check("CLIENT KILL MAXAGE 11", ":0");
    sessions.check("CLIENT KILL MAXAGE 10 USER default", ":1");
    assert!(is_closed(&sessions, first) && !is_closed(&sessions, second));
    sessions.check("CLIENT KILL ID 1", ":0");
    sessions.check("CLIENT KILL TYPE normal", ":1");
    assert!(is_closed(&sessions, second) && !sessions.client().close_after_reply);
    sessions.check("CLIENT KILL LADDR 127.0.0.1:6379 SKIPME no", ":1");
    assert!(sessions.client().close_after_reply && !is_closed(&sessions, third));
}

#[test]
fn a_kill_that_makes_no_sense_is_refused() {
    let mut sessions = Sessions::new("");
    let errors = [
        ("ID abc", "client-id should be greater than 0"),
        ("ID 0", "client-id should be greater than 0"),
        ("MAXAGE x", "maxage is not an integer or out of range"),
        ("MAXAGE 0", "maxage should be greater than 0"),
        ("TYPE foo", "Unknown client type 'foo'"),
        ("USER bob", "No such user 'bob'"),
        ("SKIPME maybe", "syntax error"),
        ("ID 1 FOO", "syntax error"),
        ("FOO bar", "syntax error"),
    ];
    for (filter, error) in errors {
        sessions.check(&format!("CLIENT KILL {filter}"), &format!("-ERR {error}"));
    }
    sessions.check("CLIENT KILL 127.0.0.1:1", "+OK");
    assert!(sessions.client().close_after_reply);
}

#[test]
fn writes_wait_for_the_end_of_a_pause() {
    let mut sessions = Sessions::new("");
    sessions.check("MULTI", "+OK");
    sessions.check("GET a", "+QUEUED");
    sessions.check("SET a 1", "+QUEUED");
    let queued = sessions.current;
    sessions.join();
    sessions.check("CLIENT PAUSE 500 WRITE", "+OK");
    sessions.check("CLIENT PAUSE 100 WRITE", "+OK");
    sessions.later(499);
    sessions.waits("SET a 2");
    sessions.check("GET a", "");
    sessions.current = queued;
    sessions.waits("EXEC");
    sessions.later(1);
    sessions.check("EXEC", "*2 +OK");
}

#[test]
fn everything_waits_for_the_end_of_a_full_pause() {
    let mut sessions = Sessions::new("");
    sessions.check("CLIENT PAUSE 100 write", "+OK");
    sessions.check("CLIENT PAUSE 100", "+OK");
    sessions.waits("PING");
    sessions.waits("CLIENT UNPAUSE");
    sessions.later(100);
    sessions.check("PING", "+PONG");
    sessions.check("CLIENT PAUSE 100 WRITE", "+OK");
    sessions.check("CLIENT UNPAUSE", "+OK");
    sessions.check("SET a 1", "+OK");
}

#[test]
fn nothing_expires_during_a_pause() {
    let mut sessions = Sessions::new("");
    sessions.check("SET key 1 PX 10", "+OK");
    sessions.check("CLIENT PAUSE 100 WRITE", "+OK");
    sessions.later(50);
    sessions.check("GET key", "");
    assert_eq!(sessions.server.keyspace.len(), 1);
    sessions.later(50);
    sessions.check("GET key", "");
    assert_eq!(sessions.server.keyspace.len(), 0);
}

#[test]
fn a_pause_that_makes_no_sense_is_refused() {
    let mut sessions = Sessions::new("");
    let errors = [
        ("PAUSE abc", "timeout is not an integer or out of range"),
        ("PAUSE -1", "timeout is negative"),
        ("PAUSE 9223372036854775807", "timeout is out of range"),
        ("PAUSE -1 foo", "CLIENT PAUSE mode must be WRITE or ALL"),
        ("Pause 1 ALL x", "unknown subcommand or wrong number of arguments for 'Pause'. Try CLIENT HELP."),
        ("UNBLOCK abc", "value is not an integer or out of range"),
        ("UNBLOCK abc foo", "CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        (
            "UNBLOCK 1 ERROR x",
            "unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.",
        ),
    ];
    for (line, error) in errors {
        sessions.check(&format!("CLIENT {line}"), &format!("-ERR {error}"));
    }
    sessions.check("CLIENT UNBLOCK 1 timeout", ":0");
    sessions.check("CLIENT UNBLOCK -5", ":0");
}
