//! Clients that take too much, and how clients are listed and closed.

use crate::support::server::Binary;
use crate::support::{Connection, Server, Start, encode, wait_for};

const BOTH: [Binary; 2] = [Binary::Tintype, Binary::Oracle];

fn start(binary: Binary, limit: &str) -> Server {
    let start = Start::new(binary).with("--save", "").with("--enable-debug-command", "yes");
    start.with("--maxmemory-clients", limit).spawn()
}

/// Whether the server closes `connection`, which reads nothing meanwhile. What it sends makes the server look.
fn is_evicted(server: &Server, name: &str) -> bool {
    let list = server.connect().run("CLIENT LIST").text();
    !list.contains(&format!("name={name} "))
}

fn named(server: &Server, name: &str) -> Connection {
    let mut connection = server.connect();
    connection.ok(&format!("CLIENT SETNAME {name}"));
    connection
}

/// Makes the server keep about `megabytes` of replies for a client that does not read.
fn ask_for(connection: &mut Connection, megabytes: usize) {
    let question = encode(&["GET", "large"]);
    connection.send(&question.repeat(megabytes * 10));
}

fn with_large_value(server: &Server) {
    let mut client = server.connect();
    client.command(&[b"SET".to_vec(), b"large".to_vec(), vec![b'x'; 100_000]]).assert_ok();
}

#[test]
fn who_does_not_read_is_evicted_and_nobody_else() {
    for binary in BOTH {
        let server = start(binary, "30mb");
        with_large_value(&server);
        let (mut modest, mut greedy) = (named(&server, "modest"), named(&server, "greedy"));
        ask_for(&mut modest, 1);
        // The kernel's buffers take some megabytes before the server has to keep any.
        ask_for(&mut greedy, 80);
        wait_for("the greedy client to be evicted", || is_evicted(&server, "greedy"));
        let mut client = server.connect();
        assert_eq!(client.info_number("evicted_clients"), 1);
        assert!(!is_evicted(&server, "modest"));
        server.wait_for_log("Evicting client: id=");
        let line = server.log();
        let line = line.lines().find(|line| line.contains("Evicting client")).expect("the log has it");
        assert!(line.contains(" name=greedy ") && line.contains(" tot-mem="), "{line}");
        assert!(client.info_number("mem_clients_normal") < 30 << 20);
    }
}

#[test]
fn a_request_that_is_half_here_and_a_long_transaction_count() {
    for binary in BOTH {
        let server = start(binary, "10mb");
        let mut half = named(&server, "half");
        half.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$50000000\r\n");
        // The server may close it while it still sends.
        let _ = half.try_send(&vec![b'x'; 20_000_000]);
        wait_for("the half request to be evicted", || is_evicted(&server, "half"));
        let mut transaction = named(&server, "transaction");
        transaction.ok("MULTI");
        let argument = vec![b'x'; 1_000_000];
        let set = encode(&[&b"SET"[..], b"k", &argument]);
        for _ in 0..12 {
            if transaction.try_send(&set).and_then(|()| transaction.try_value()).is_err() {
                break;
            }
        }
        wait_for("the transaction to be evicted", || is_evicted(&server, "transaction"));
        assert_eq!(server.connect().info_number("evicted_clients"), 2);
    }
}

#[test]
fn who_may_not_be_evicted_makes_others_go() {
    for binary in BOTH {
        let server = start(binary, "30mb");
        with_large_value(&server);
        let (mut small, mut spared) = (named(&server, "small"), named(&server, "spared"));
        spared.ok("CLIENT NO-EVICT ON");
        ask_for(&mut spared, 80);
        wait_for("the others to be evicted", || small.try_command("PING").is_err());
        server.wait_for_log("Over client maxmemory after evicting all evictable clients");
        assert!(!server.log().contains("name=spared"), "{}", server.log());
    }
}

#[test]
fn a_limit_can_be_a_part_of_maxmemory_and_be_lifted() {
    for binary in BOTH {
        let server = start(binary, "0");
        with_large_value(&server);
        let (mut client, mut greedy) = (server.connect(), named(&server, "greedy"));
        ask_for(&mut greedy, 60);
        wait_for("the replies to pile up", || client.info_number("mem_clients_normal") > 20 << 20);
        client.ok("CONFIG SET maxmemory-clients 5%");
        assert!(!is_evicted(&server, "greedy"), "there is no maxmemory that it could be a part of");
        client.ok("CONFIG SET maxmemory 300mb");
        wait_for("the greedy client to be evicted", || is_evicted(&server, "greedy"));
        client.ok("CONFIG SET maxmemory-clients 0");
        let mut greedy = named(&server, "greedy");
        ask_for(&mut greedy, 60);
        wait_for("the replies to pile up", || client.info_number("mem_clients_normal") > 20 << 20);
        assert_eq!(client.info_number("evicted_clients"), 1);
    }
}

#[test]
fn the_log_of_an_eviction_hides_names_when_it_must() {
    let server = start(Binary::Tintype, "20mb");
    with_large_value(&server);
    server.connect().ok("CONFIG SET hide-user-data-from-log yes");
    let mut greedy = named(&server, "alice");
    ask_for(&mut greedy, 80);
    server.wait_for_log("Evicting client: id=");
    let log = server.log();
    assert!(log.contains(" name=*redacted* ") && log.contains(" user=*redacted* "), "{log}");
    assert!(!log.contains("alice"), "{log}");
}

/// What 7.0 knows is the oracle's; what is newer is in the unit tests.
#[test]
fn lists_and_kills_are_the_oracles() {
    let pair = super::tools::Pair::start(&[]);
    pair.compare(&[
        "CLIENT LIST ID x",
        "CLIENT LIST ID 1 x",
        "CLIENT LIST ID",
        "CLIENT LIST ID 0",
        "CLIENT LIST TYPE",
        "CLIENT LIST TYPE x",
        "CLIENT LIST TYPE replica",
        "CLIENT LIST x y",
        "CLIENT KILL 1.2.3.4:5",
        "CLIENT KILL ID 0",
        "CLIENT KILL ID x",
        "CLIENT KILL ID 999",
        "CLIENT KILL ID 999 x",
        "CLIENT KILL ID 999 TYPE x",
        "CLIENT KILL USER x",
        "CLIENT KILL SKIPME x",
        "CLIENT KILL TYPE pubsub SKIPME no",
        "CLIENT KILL LADDR x ADDR y",
        "CLIENT NO-EVICT x",
        "CLIENT UNBLOCK 999",
        "CLIENT UNBLOCK x",
        "CLIENT UNBLOCK 999 ERROR",
        "CLIENT UNBLOCK 999 x",
        "CLIENT PAUSE x",
        "CLIENT PAUSE -1",
        "CLIENT PAUSE 0 x",
        "CLIENT PAUSE 0",
        "CLIENT PAUSE 1 WRITE x",
        "CLIENT UNPAUSE",
        "CLIENT UNPAUSE x",
        "CONFIG SET maxmemory-clients 101%",
        "CONFIG SET maxmemory-clients -1",
        "CONFIG SET maxmemory-clients x",
        "CONFIG SET maxmemory-clients 7%",
        "CONFIG GET maxmemory-clients",
        "CONFIG SET maxmemory-clients 3mb",
        "CONFIG GET maxmemory-clients",
        "CONFIG SET maxmemory-clients 0",
    ]);
}

#[test]
fn totals_grow_with_what_a_client_does() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let field = |line: &str, name: &str| -> u64 {
        let value = line.split([' ', '\n']).find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} in {line}"))
    };
    let before = client.run("CLIENT INFO").text();
    client.run("ECHO 0123456789");
    client.run("WATCH a b c");
    let after = client.run("CLIENT INFO").text();
    let grown = |name: &str| field(&after, name) - field(&before, name);
    assert_eq!((grown("tot-cmds"), grown("watch")), (3, 3));
    // ECHO, WATCH and CLIENT INFO were received; the answers of CLIENT INFO, ECHO and WATCH were sent.
    assert_eq!(grown("tot-net-in"), 31 + 36 + 26);
    assert!(grown("tot-net-out") > 17 + 5);
}

#[test]
fn command_logs_answer_to_both_of_their_names() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.ok("CONFIG SET commandlog-execution-slower-than 0 commandlog-slow-execution-max-len 2");
    assert_eq!(client.run("CONFIG GET slowlog-max-len").elements()[1].text(), "2");
    for _ in 0..3 {
        client.run("PING");
    }
    assert_eq!(client.run("COMMANDLOG LEN slow").integer(), 2);
    assert_eq!(client.run("SLOWLOG LEN").integer(), 2);
    client.ok("SLOWLOG RESET");
    let entries = client.run("COMMANDLOG GET -1 slow").elements();
    assert_eq!(entries[0].elements()[3].elements()[0].text(), "SLOWLOG");
    client.command(&[b"SET".to_vec(), b"k".to_vec(), vec![b'v'; 2_000_000]]).assert_ok();
    client.run("GET k");
    let value = |client: &mut Connection, log: &str| {
        client.run(&format!("COMMANDLOG GET 1 {log}")).elements()[0].elements()[2].integer()
    };
    assert_eq!(value(&mut client, "large-request"), 4 + 9 + 7 + 2_000_000 + 12);
    assert_eq!(value(&mut client, "large-reply"), 2_000_000 + 12);
}
