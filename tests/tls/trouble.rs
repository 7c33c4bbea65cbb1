//! Clients that say nothing, nonsense, or too much.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::client::{Both, Secure};
use crate::support::{Connection, PATIENCE, encode, now, wait_for};

#[test]
fn garbage_is_refused_and_harms_nobody() {
    let server = Both::start(&[]);
    let mut neighbour = server.connect();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut hello = Secure::begin(server.port, "").expect("a connection").take_records();
    let mut cases: Vec<Vec<u8>> = vec![
        b"PING\r\n".to_vec(),
        b"*1\r\n$4\r\nPING\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        // A record that says it is longer than any may be, one of no kind, one that is empty, an alert.
        [b"\x16\x03\x01\xff\xff".as_slice(), &[0; 70_000]].concat(),
        b"\x17\x03\x03\x00\x10xxxxxxxxxxxxxxxx".to_vec(),
        b"\x16\x03\x01\x00\x00".to_vec(),
        b"\x15\x03\x01\x00\x02\x02\x28".to_vec(),
        // A message of a handshake that claims 16 MB.
        [b"\x16\x03\x01\x40\x00\x01\xff\xff\xff".as_slice(), &[0; 16_380]].concat().repeat(5),
    ];
    for _ in 0..40 {
        // A good beginning with one wrong byte.
        let at = rng.usize(..hello.len());
        let byte = hello[at];
        hello[at] = rng.u8(..);
        cases.push(hello.clone());
        hello[at] = byte;
        let mut noise = vec![0; rng.usize(1..300)];
        noise.iter_mut().for_each(|byte| *byte = rng.u8(..));
        noise[0] = if rng.bool() { 22 } else { noise[0] };
        cases.push(noise);
    }
    for case in &cases {
        let mut socket = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("an option");
        // It may hang up before it has everything.
        let _ = socket.write_all(case);
        let _ = socket.read(&mut [0; 4096]);
    }
    server
        .server
        .wait_for_log("Error accepting a client connection: the client does not speak TLS (addr=127.0.0.1:");
    assert_eq!(neighbour.run("PING").text(), "PONG");
    let mut plain = server.server.connect();
    assert!(!server.server.log().contains("panic"), "{}", server.server.log());
    wait_for("all of them to be gone", || plain.info_number("connected_clients") == 2);
    assert!(!server.server.log().contains("panic"), "{}", server.server.log());
}

/// What comes when is wrong in every way: the end of the handshake, and what follows it.
#[test]
fn mutilated_records_harm_nobody() {
    let server = Both::start(&["--tls-auth-clients", "optional"]);
    let mut neighbour = server.connect();
    let mut rng = fastrand::Rng::with_seed(11);
    for round in 0..150 {
        let mut client =
            Secure::begin(server.port, if round % 2 == 0 { "alice" } else { "" }).expect("a connection");
        client.socket.set_read_timeout(Some(Duration::from_millis(500))).expect("an option");
        let hello = client.take_records();
        client.socket.write_all(&hello).expect("sent");
        while client.session.is_handshaking() {
            client.session.read_tls(&mut client.socket).expect("received");
            client.session.process_new_packets().expect("good records");
        }
        let mut records = client.take_records();
        records.extend(client.encrypt(&encode(&["SET", "k", "v"]).repeat(rng.usize(1..300))));
        client.session.refresh_traffic_keys().expect("TLS 1.3 can");
        records.extend(client.encrypt(&encode(&["PING"])));
        let at = rng.usize(..records.len());
        match round % 5 {
            0 => records[at] ^= rng.u8(1..),
            1 => records.truncate(at),
            2 => drop(records.drain(at..(at + rng.usize(1..20)).min(records.len()))),
            3 => records.insert(at, rng.u8(..)),
            _ => records.extend_from_within(at..),
        }
        // It may hang up before it has everything.
        let _ = client.socket.write_all(&records);
        let _ = client.socket.shutdown(Shutdown::Write);
        let _ = client.socket.read_to_end(&mut Vec::new());
    }
    assert!(!server.server.log().contains("panic"), "{}", server.server.log());
    assert_eq!(neighbour.run("PING").text(), "PONG");
    let mut plain = server.server.connect();
    wait_for("all of them to be gone", || plain.info_number("connected_clients") == 2);
}

/// A record that was changed on the way ends the connection, with an alert.
#[test]
fn a_forged_record_ends_the_connection() {
    let server = Both::start(&[]);
    let mut client = server.connect();
    let mut records = client.encrypt(&encode(&["SET", "forged", "1"]));
    *records.last_mut().expect("not empty") ^= 1;
    client.socket.write_all(&records).expect("sent");
    let (rest, end) = client.until_closed();
    assert!(rest.is_empty() && end.expect_err("no good end").to_string().contains("BadRecordMac"));
    assert_eq!(server.connect().run("EXISTS forged").integer(), 0);
}

#[test]
fn tls_on_the_plain_port_is_a_protocol_error() {
    let server = Both::start(&[]);
    let mut client = Secure::begin(server.server.port, "").expect("a connection");
    let hello = client.take_records();
    client.socket.write_all(&hello).expect("sent");
    let mut plain = server.server.connect();
    // It may look like half a command; in no case is it waited for when the client goes.
    drop(client);
    wait_for("it to be gone", || plain.info_number("connected_clients") == 1);
}

/// Who says nothing, or stops in the middle, is dropped after a while; meanwhile everybody else is served.
#[test]
fn half_open_handshakes() {
    let server = Both::start(&[]);
    let mut plain = server.server.connect();
    let mut silent: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(("127.0.0.1", server.port)).expect("a connection")).collect();
    let hello = Secure::begin(server.port, "").expect("a connection").take_records();
    for socket in silent.iter_mut().skip(50) {
        socket.write_all(&hello[..hello.len() / 2]).expect("sent");
    }
    wait_for("all to be counted", || plain.info_number("connected_clients") == 101);
    let mut client = server.connect();
    assert_eq!(client.run("PING").text(), "PONG");
    // One of them is told to go, and goes.
    let address = silent[0].local_addr().expect("an address");
    plain.ok(&format!("CLIENT KILL {address}"));
    wait_for("it to be gone", || plain.info_number("connected_clients") == 101);
    wait_for("the others to be dropped", || plain.info_number("connected_clients") == 2);
    server.server.wait_for_log("Error accepting a client connection: handshake timed out");
    for socket in &mut silent {
        socket.set_read_timeout(Some(PATIENCE)).expect("an option");
        assert!(matches!(socket.read(&mut [0; 10]), Ok(0) | Err(_)));
    }
    assert_eq!(client.run("PING").text(), "PONG");
}

/// Many come at the same time: all are let in, and who is there already has its turn between them.
#[test]
fn many_handshakes_at_once() {
    let server = Both::start(&[]);
    let mut plain = server.server.connect();
    let port = server.port;
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                let mut clients: Vec<Secure> =
                    (0..50).map(|_| Secure::begin(port, "").expect("a connection")).collect();
                for client in &mut clients {
                    let hello = client.take_records();
                    client.socket.write_all(&hello).expect("sent");
                }
                for client in &mut clients {
                    client.finish_handshake().expect("let in");
                    assert_eq!(client.run("PING").text(), "PONG");
                }
            })
        })
        .collect();
    let mut longest = Duration::ZERO;
    while threads.iter().any(|thread| !thread.is_finished()) {
        let start = now();
        plain.run("PING");
        longest = longest.max(start.elapsed());
    }
    threads.into_iter().for_each(|thread| thread.join().expect("all were served"));
    // 200 signatures in a row take far longer.
    assert!(longest < Duration::from_millis(500), "a PING took {longest:?}");
    assert_eq!(plain.info_number("rejected_connections"), 0);
}

#[test]
fn limits_hold_over_tls() {
    let server = Both::start(&["--maxclients", "3"]);
    let mut plain = server.server.connect();
    let mut clients = vec![server.connect(), server.connect()];
    assert!(server.try_connect("").is_err());
    assert_eq!(plain.info_number("rejected_connections"), 1);
    clients.pop();
    wait_for("room", || plain.info_number("connected_clients") == 2);
    assert!(server.try_connect("").is_ok());
}

/// A client that does not come from this machine's own address is told so over TLS.
#[test]
fn protected_mode_over_tls() {
    let server = Both::start(&[]);
    let elsewhere = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).expect("bound");
        socket.connect(&SocketAddr::from(([127, 0, 0, 1], server.port)).into()).expect("connected");
        let mut client = Secure::over(socket.into(), "").expect("a session");
        client.finish_handshake().expect("let in");
        client
    };
    let (text, end) = elsewhere().until_closed();
    assert!(
        text.starts_with(b"-DENIED Redis is running in protected mode") && matches!(end, Ok(0)),
        "{end:?}"
    );
    let mut plain = server.server.connect();
    assert_eq!(plain.info_number("rejected_connections"), 1);
    plain.ok("CONFIG SET protected-mode no");
    assert_eq!(elsewhere().run("PING").text(), "PONG");
}

/// A connection that sends nothing holds no buffers: thousands of them are cheap.
#[test]
fn idle_connections_are_small() {
    const CLIENTS: u64 = 300;
    let server = Both::start(&[]);
    let mut plain: Connection = server.server.connect();
    // Of the first ones also what is shared.
    let _warm: Vec<Secure> = (0..20).map(|_| server.connect()).collect();
    let before = plain.info_number("used_memory");
    let mut clients: Vec<Secure> = (0..CLIENTS).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.run("PING");
    }
    let each = (plain.info_number("used_memory") - before) / CLIENTS as i64;
    assert!(each < 12 * 1024, "{each} bytes each");
}
