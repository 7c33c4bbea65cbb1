//! What arrives on the socket: garbage, floods, slow and silent clients, and every limit that keeps them harmless.
//!
//! The exact bytes of protocol errors are compared with the oracle's in `differential`; here the server must stay
//! alive, fair and small.

pub mod support;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use support::{Connection, Server, Start, Value, Wait, encode, holds_within, process, wait_for};

const MIB: usize = 1 << 20;

#[track_caller]
fn assert_alive(server: &mut Server) {
    assert!(server.is_running(), "the server died:\n{}", server.log());
    assert_eq!(server.connect().run("PING"), Value::Simple("PONG".into()));
}

#[test]
fn random_bytes_hurt_nobody() {
    let mut server = Server::start(&[]);
    let mut witness = server.connect();
    witness.ok("SET witness alive");
    let mut rng = fastrand::Rng::with_seed(1);
    let pieces: &[&[u8]] = &[
        b"*3\r\n",
        b"$3\r\n",
        b"SET\r\n",
        b"\r\n",
        b"*-1\r\n",
        b"$-5\r\n",
        b"$10\r\nab",
        b"\"",
        b"GET a\n",
        b"\0",
        b"*99\r\n",
    ];
    for _ in 0..400 {
        let mut request = Vec::new();
        for _ in 0..rng.usize(1..30) {
            if rng.bool() {
                request.extend_from_slice(pieces[rng.usize(..pieces.len())]);
            } else {
                request.extend((0..rng.usize(..40)).map(|_| rng.u8(..)));
            }
        }
        let mut connection = server.connect();
        // The server may have closed after the first malformed bytes.
        let _ = connection.try_send(&request);
        connection.close_sending_half();
        connection.until_closed();
    }
    assert_eq!(witness.run("GET witness"), Value::Bulk(b"alive".to_vec()));
    assert_alive(&mut server);
}

#[test]
fn announced_bytes_cost_nothing_until_sent() {
    let server = Server::start(&[]);
    let mut probe = server.connect();
    probe.run("PING");
    let before_kib = process::rss_kib(server.pid());
    let announcements: [&[u8]; 4] = [
        b"*1\r\n$500000000\r\nabc",
        b"*1048576\r\n$3\r\nSET\r\n",
        b"*2\r\n$4\r\nECHO\r\n$536870912\r\n",
        b"*1048576\r\n$400000000\r\n",
    ];
    let connections: Vec<_> = (0..200)
        .map(|n| {
            let mut connection = server.connect();
            connection.send(announcements[n % announcements.len()]);
            connection
        })
        .collect();
    assert_eq!(probe.run("PING"), Value::Simple("PONG".into()));
    std::thread::sleep(Duration::from_millis(200));
    let grown_kib = process::rss_kib(server.pid()).saturating_sub(before_kib);
    assert!(grown_kib < 12 * 1024, "{} silent announcements hold {grown_kib} KiB", connections.len());
}

#[test]
fn byte_by_byte() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let mut request = encode(&["SET", "slow", "value\r\nwith lines"]);
    request.extend_from_slice(b"GET slow\r\n");
    request.extend(encode(&["STRLEN", "slow"]));
    for byte in request {
        connection.send(&[byte]);
        std::thread::sleep(Duration::from_micros(300));
    }
    connection.value().assert_ok();
    assert_eq!(connection.value(), Value::Bulk(b"value\r\nwith lines".to_vec()));
    assert_eq!(connection.value(), Value::Integer(17));
}

#[test]
fn half_closed_sockets_still_get_replies() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let request = encode(&["INCR", "n"]).repeat(1000);
    connection.send(&request);
    connection.close_sending_half();
    let replies = connection.until_closed();
    assert!(replies.ends_with(b":1000\r\n"), "{}", support::show(&replies));
}

#[test]
fn ten_thousand_connections_come_and_go() {
    let mut server = Server::start(&[]);
    let mut probe = server.connect();
    let before_kib = process::rss_kib(server.pid());
    for round in 0..100 {
        let mut connections: Vec<_> = (0..100).map(|_| server.connect()).collect();
        for (n, connection) in connections.iter_mut().enumerate() {
            match (n + round) % 4 {
                0 => connection.send(b"PING\r\n"),
                1 => assert_eq!(connection.run("PING"), Value::Simple("PONG".into())),
                2 => connection.send(b"*2\r\n$3\r\nGE"),
                _ => {}
            }
        }
    }
    wait_for("all clients to be forgotten", || probe.info_number("connected_clients") == 1);
    assert!(probe.info_number("total_connections_received") >= 10_000);
    let grown_kib = process::rss_kib(server.pid()).saturating_sub(before_kib);
    assert!(grown_kib < 24 * 1024, "after 10,000 connections {grown_kib} KiB more are held");
    assert_alive(&mut server);
}

#[test]
fn idle_clients_are_cheap() {
    let server = Server::start(&[]);
    let mut probe = server.connect();
    probe.run("PING");
    let before_kib = process::rss_kib(server.pid());
    let mut clients: Vec<_> = (0..800).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| drop(client.run("PING")));
    let grown_kib = process::rss_kib(server.pid()).saturating_sub(before_kib);
    assert!(grown_kib < 20 * 800, "800 idle clients hold {grown_kib} KiB");
}

#[test]
fn a_pipeline_of_a_hundred_thousand_commands() {
    const COUNT: usize = 100_000;
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let mut other = server.connect();
    let mut writer = connection.writer();
    let request = encode(&["INCR", "n"]).repeat(COUNT);
    let writing = std::thread::spawn(move || writer.write_all(&request).expect("all is taken"));
    let start = support::now();
    other.run("PING");
    assert!(start.elapsed() < Duration::from_secs(1), "others wait {:?} for a pipeline", start.elapsed());
    for n in 1..=COUNT {
        assert_eq!(connection.value(), Value::Integer(n as i64));
    }
    writing.join().expect("the writing thread");
}

#[test]
fn a_pipeline_is_taken_before_any_reply_is_read() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.ok(&format!("SET v {}", "x".repeat(1000)));
    // 20 MB of replies for 0.6 MB of requests: the server buffers what the client does not read yet.
    connection.send(&encode(&["GET", "v"]).repeat(20_000));
    (0..20_000).for_each(|_| assert_eq!(connection.value().bytes().len(), 1000));
}

/// A client that reads nothing costs a bounded amount, however much its requests ask for; and once it reads it gets
/// everything, in order.
#[test]
fn replies_nobody_reads_are_bounded() {
    const VALUE_BYTES: usize = 4 * MIB;
    const REQUESTS: usize = 500;
    let mut server = Server::start(&[]);
    let mut greedy = server.connect();
    greedy.command(&[&b"SET"[..], b"v", &vec![b'x'; VALUE_BYTES]]).assert_ok();
    let mut probe = server.connect();
    greedy.send(&[encode(&["GET", "v"]), encode(&["INCR", "n"])].concat().repeat(REQUESTS));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(probe.run("PING"), Value::Simple("PONG".into()));
    let held_kib = process::rss_kib(server.pid());
    assert!(held_kib < 160 * 1024, "2 GB of replies wait in {held_kib} KiB");
    for n in 1..=REQUESTS {
        assert_eq!(greedy.value().bytes().len(), VALUE_BYTES);
        assert_eq!(greedy.value(), Value::Integer(n as i64));
    }
    assert_alive(&mut server);
}

/// A pipeline is received whole before any of its replies is read, although the replies are held back: else a client
/// that writes first and reads later would wait for ever.
#[test]
fn requests_are_received_while_replies_wait() {
    const REQUESTS: usize = 60;
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.command(&[&b"SET"[..], b"v", &vec![b'x'; 2 * MIB]]).assert_ok();
    client.send(&encode(&["GET", "v"]).repeat(REQUESTS));
    client.send(&encode(&["ECHO", &"e".repeat(64 * 1024)]).repeat(400));
    (0..REQUESTS).for_each(|_| assert_eq!(client.value().bytes().len(), 2 * MIB));
    (0..400).for_each(|_| assert_eq!(client.value().bytes().len(), 64 * 1024));
    // Who goes without reading has still asked for it, once it was received.
    client.send(&[encode(&["GET", "v"]).repeat(REQUESTS), encode(&["SET", "after", "1"])].concat());
    let mut probe = server.connect();
    std::thread::sleep(Duration::from_millis(300));
    drop(client);
    wait_for("the last request to be run", || probe.run("EXISTS after") == Value::Integer(1));
}

#[test]
fn big_values() {
    const BYTES: usize = 64 * MIB;
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let value: Vec<u8> = (0..BYTES).map(|n| (n / 4096) as u8).collect();
    connection.command(&[&b"SET"[..], b"big", &value]).assert_ok();
    assert_eq!(connection.run("STRLEN big"), Value::Integer(BYTES as i64));
    assert!(connection.run("GET big").bytes() == value, "64 MiB came back changed");
    assert_eq!(connection.run("APPEND big tail"), Value::Integer(BYTES as i64 + 4));
    assert_eq!(connection.run("GETRANGE big -6 -1").bytes()[2..], *b"tail");
    assert_eq!(connection.run("DEL big"), Value::Integer(1));
    let held = || process::rss_kib(server.pid()) < 64 * 1024;
    wait_for("the memory of a deleted value to be given back", held);
}

#[test]
fn too_long_lines() {
    let server = Server::start(&[]);
    for (request, error) in [
        (vec![b'a'; 70_000], "-ERR Protocol error: too big inline request\r\n"),
        ([b"*".to_vec(), vec![b'1'; 70_000]].concat(), "-ERR Protocol error: too big mbulk count string\r\n"),
        (
            [b"*1\r\n$".to_vec(), vec![b'1'; 70_000]].concat(),
            "-ERR Protocol error: too big bulk count string\r\n",
        ),
    ] {
        let mut connection = server.connect();
        let _ = connection.try_send(&request);
        let answer = connection.until_closed();
        assert_eq!(String::from_utf8_lossy(&answer), error);
    }
}

#[test]
fn proto_max_bulk_len() {
    let server = Server::start(&["--proto-max-bulk-len", "1mb"]);
    let mut connection = server.connect();
    connection.send(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n");
    assert_eq!(connection.until_closed(), b"-ERR Protocol error: invalid bulk length\r\n");
    let mut connection = server.connect();
    connection.command(&[&b"SET"[..], b"k", &vec![b'x'; MIB]]).assert_ok();
    let error = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    connection.run("APPEND k y").assert_error(error);
    connection.run("SETRANGE k 1048576 y").assert_error(error);
}

#[test]
fn maxclients() {
    let server = Server::start(&["--maxclients", "5"]);
    let mut connections: Vec<_> = (0..5).map(|_| server.connect()).collect();
    connections.iter_mut().for_each(|connection| drop(connection.run("PING")));
    let mut sixth = server.connect();
    assert_eq!(sixth.until_closed(), b"-ERR max number of clients reached\r\n");
    assert_eq!(connections[0].info_number("rejected_connections"), 1);
    connections.pop();
    let welcome = || server.connect().try_command("PING").is_ok_and(|reply| !reply.is_error());
    wait_for("a place to become free", welcome);
}

#[test]
fn requirepass() {
    let server = Server::start(&["--requirepass", "secret"]);
    let mut connection = server.connect();
    connection.run("GET a").assert_error("NOAUTH Authentication required.");
    connection.run("PING").assert_error("NOAUTH Authentication required.");
    let wrong = "WRONGPASS invalid username-password pair or user is disabled.";
    connection.run("AUTH wrong").assert_error(wrong);
    connection.run("AUTH default wrong").assert_error(wrong);
    connection.run("HELLO 3 AUTH default wrong").assert_error(wrong);
    let no_auth = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
                   AUTH <user> <pass> option can be used to authenticate the client and select the RESP \
                   protocol version at the same time";
    connection.run("HELLO 3").assert_error(no_auth);
    connection.ok("AUTH secret");
    connection.ok("SET a 1");
    connection.run("RESET");
    connection.run("GET a").assert_error("NOAUTH Authentication required.");
    assert!(matches!(connection.run("HELLO 3 AUTH default secret"), Value::Map(_)));
    assert_eq!(connection.run("GET a").text(), "1");
    connection.ok("CONFIG SET requirepass \"\"");
    server.connect().ok("SET b 1");
}

#[test]
fn strangers_may_not_announce_much() {
    let server = Server::start(&["--requirepass", "secret"]);
    for (request, error) in [
        (&b"*11\r\n"[..], "-ERR Protocol error: unauthenticated multibulk length\r\n"),
        (b"*1\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n"),
    ] {
        let mut connection = server.connect();
        connection.send(request);
        assert_eq!(String::from_utf8_lossy(&connection.until_closed()), error);
    }
}

/// A peer that is not 127.0.0.1 but still this machine: the loopback network is wide. The oracle, too, refuses it.
fn connect_from(address: Ipv4Addr, port: u16) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddrV4::new(address, 0).into()).expect("an address of the loopback network");
    socket.connect(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into()).expect("a connection");
    socket.into()
}

#[test]
fn protected_mode() {
    let server = Server::start(&["--protected-mode", "yes"]);
    let mut stranger = Connection::from_stream(connect_from(Ipv4Addr::new(127, 0, 0, 2), server.port));
    let answer = String::from_utf8_lossy(&stranger.until_closed()).into_owned();
    let beginning = "-DENIED Redis is running in protected mode because protected mode is enabled and no \
                     password is set for the default user.";
    assert!(answer.starts_with(beginning), "{answer}");
    server.connect().ok("CONFIG SET protected-mode no");
    let mut stranger = Connection::from_stream(connect_from(Ipv4Addr::new(127, 0, 0, 2), server.port));
    assert_eq!(stranger.run("PING"), Value::Simple("PONG".into()));
}

#[test]
fn unix_socket() {
    let start = Start::tintype().with("--save", "").with("--unixsocket", "tintype.sock");
    let mut server = start.with("--unixsocketperm", "700").spawn();
    let path = server.path("tintype.sock");
    let mut connection = Connection::try_unix(&path).expect("a connection over the unix socket");
    connection.ok("SET a 1");
    assert_eq!(server.connect().run("GET a").text(), "1");
    assert!(connection.run("CLIENT LIST").text().contains("tintype.sock:0"));
    let mode = std::fs::metadata(&path).expect("the socket's file").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    connection.send(b"SHUTDOWN NOSAVE\r\n");
    assert!(server.wait_for_end().success());
    assert!(!path.exists(), "the socket's file is left behind");
}

#[test]
fn port_zero_listens_on_the_unix_socket_alone() {
    let start = Start::tintype().with("--save", "").with("--unixsocket", "only.sock").with("--port", "0");
    let server = start.wait(Wait::Nothing).spawn();
    let path = server.path("only.sock");
    wait_for("the unix socket", || Connection::try_unix(&path).is_ok());
    let mut connection = Connection::try_unix(&path).expect("a connection over the unix socket");
    assert_eq!(connection.run("PING"), Value::Simple("PONG".into()));
    assert!(Connection::try_tcp(server.port).is_err());
}

#[test]
fn several_addresses_and_an_optional_one() {
    let server = Server::start(&["--bind", "127.0.0.1 127.0.0.3 -::1 -192.0.2.1"]);
    assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 3), server.port)).is_ok());
    assert!(TcpStream::connect((Ipv4Addr::new(127, 0, 0, 4), server.port)).is_err());
}

#[test]
fn idle_timeout() {
    let server = Server::start(&["--timeout", "1"]);
    let mut idle = server.connect();
    idle.run("PING");
    assert_eq!(idle.until_closed(), b"");
}

#[test]
fn output_buffer_limits() {
    for (limit, seconds) in [("normal 1mb 0 0", 5), ("normal 0 1mb 1", 6)] {
        let server = Server::start(&["--client-output-buffer-limit", limit]);
        let mut greedy = server.connect();
        greedy.command(&[&b"SET"[..], b"v", &vec![b'x'; MIB]]).assert_ok();
        greedy.send(&encode(&["GET", "v"]).repeat(60));
        let mut probe = server.connect();
        let closed = || probe.info_number("connected_clients") == 1;
        assert!(holds_within(Duration::from_secs(seconds), closed), "{limit}: the greedy client stays");
        assert!(greedy.until_closed().len() < 60 * MIB);
        server.wait_for_log("for overcoming of output buffer limits");
    }
}

#[test]
fn query_buffer_limit() {
    let server = Server::start(&["--client-query-buffer-limit", "1mb"]);
    let mut connection = server.connect();
    let _ = connection.try_send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000000\r\n");
    let _ = connection.try_send(&vec![b'x'; 3 * MIB]);
    connection.until_closed();
    server.wait_for_log("reached max query buffer length");
    assert_eq!(server.connect().run("DBSIZE"), Value::Integer(0));
}

#[test]
fn client_kill() {
    let server = Server::start(&[]);
    let mut killer = server.connect();
    let id = |victim: &mut Connection| victim.run("CLIENT ID").integer();
    let mut victim = server.connect();
    let victim_id = id(&mut victim);
    assert_eq!(killer.run(&format!("CLIENT KILL ID {victim_id}")), Value::Integer(1));
    assert_eq!(victim.until_closed(), b"");
    let mut victim = server.connect();
    victim.run("PING");
    killer.ok(&format!("CLIENT KILL 127.0.0.1:{}", victim.own_port()));
    assert_eq!(victim.until_closed(), b"");
    let mut victims: Vec<_> = (0..3).map(|_| server.connect()).collect();
    victims.iter_mut().for_each(|victim| drop(victim.run("PING")));
    assert_eq!(killer.run("CLIENT KILL TYPE normal"), Value::Integer(3));
    victims.iter_mut().for_each(|victim| assert_eq!(victim.until_closed(), b""));
    let address = format!("127.0.0.1:{}", server.port);
    assert_eq!(killer.run(&format!("CLIENT KILL LADDR {address} SKIPME no")), Value::Integer(1));
    assert_eq!(killer.until_closed(), b"");
}

#[test]
fn client_list_and_info() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.ok("CLIENT SETNAME someone");
    connection.ok("SELECT 2");
    let line = connection.run("CLIENT INFO").text();
    for field in [
        "id=",
        "addr=127.0.0.1:",
        "laddr=127.0.0.1:",
        "fd=",
        "name=someone",
        "db=2",
        "flags=N",
        "multi=-1",
        "cmd=client|info",
        "user=default",
        "resp=2",
        "age=",
        "idle=",
        "qbuf=",
        "obl=0",
        "events=r",
    ] {
        assert!(line.contains(field), "no {field} in {line}");
    }
    connection.run("MULTI");
    let mut other = server.connect();
    let list = other.run("CLIENT LIST").text();
    assert_eq!(list.lines().count(), 2);
    let someone = list.lines().find(|line| line.contains("name=someone")).expect("its line");
    assert!(someone.contains("flags=x") && someone.contains("multi=0"), "{someone}");
}

#[test]
fn client_pause() {
    let server = Server::start(&[]);
    let (mut boss, mut client) = (server.connect(), server.connect());
    boss.ok("CLIENT PAUSE 60000 WRITE");
    assert_eq!(client.run("GET a"), Value::Null);
    client.send(b"SET a 1\r\n");
    assert!(client.is_silent_for(Duration::from_millis(150)), "a write passes a pause of writes");
    boss.ok("CLIENT UNPAUSE");
    client.value().assert_ok();
    boss.ok("CLIENT PAUSE 300 ALL");
    let start = support::now();
    assert_eq!(client.run("GET a").text(), "1");
    assert!(start.elapsed() >= Duration::from_millis(200), "a pause of all lasted {:?}", start.elapsed());
}

#[test]
fn monitor_sees_every_command() {
    let server = Server::start(&[]);
    let (mut watcher, mut client) = (server.connect(), server.connect());
    watcher.ok("MONITOR");
    client.run("SET \"a b\" \"x\\ny\"");
    client.run("SELECT 3");
    client.run("GET q");
    let mut seen = String::new();
    (0..3).for_each(|_| seen.push_str(&(watcher.value().text() + "\n")));
    let from = format!("127.0.0.1:{}]", client.own_port());
    assert!(seen.contains(&format!("[0 {from} \"SET\" \"a b\" \"x\\ny\"")), "{seen}");
    assert!(seen.contains(&format!("[3 {from} \"GET\" \"q\"")), "{seen}");
}

#[test]
fn maxmemory_refuses_writes_and_evicts() {
    let server = Server::start(&["--maxmemory", "1"]);
    let mut connection = server.connect();
    let oom = "OOM command not allowed when used memory > 'maxmemory'.";
    connection.run("SET a 1").assert_error(oom);
    assert_eq!(connection.run("GET a"), Value::Null);
    connection.ok("MULTI");
    connection.run("SET a 1").assert_error(oom);
    connection.run("EXEC").assert_error("EXECABORT Transaction discarded because of previous errors.");
    connection.ok("CONFIG SET maxmemory 0");
    connection.ok("SET a 1");
    let used = connection.info_number("used_memory");
    connection.ok(&format!("CONFIG SET maxmemory {} maxmemory-policy allkeys-lru", used + 2_000_000));
    let value = "v".repeat(1000);
    (0..5_000).for_each(|n| connection.ok(&format!("SET key:{n} {value}")));
    assert!(connection.info_number("evicted_keys") > 1_000);
    assert!(connection.run("DBSIZE").integer() > 500);
}
