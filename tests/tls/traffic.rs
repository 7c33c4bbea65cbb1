//! Commands and replies over TLS: large and small, in any pieces, from real clients.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::authority::path;
use crate::client::{Both, Secure};
use crate::support::server::tool;
use crate::support::{Value, arguments, encode, process, wait_for};

#[test]
fn redis_cli_over_tls() {
    let server = Both::start(&[]);
    assert_eq!(server.cli_text(&["PING"]), "PONG\n");
    assert_eq!(server.cli_text(&["SET", "a", "with space"]), "OK\n");
    assert_eq!(server.cli_text(&["-3", "GET", "a"]), "with space\n");
    assert_eq!(server.cli_text(&["-r", "100", "INCR", "counter"]).lines().last(), Some("100"));
    let client = server.cli_text(&["CLIENT", "LIST"]);
    assert!(
        client.contains(&format!(" laddr=127.0.0.1:{} ", server.port)) && client.contains("flags=N"),
        "{client}"
    );
    assert!(server.cli_text(&["INFO"]).contains("connected_clients:1"));
    let file = server.server.path("commands.txt");
    let commands: String = (0..20_000).map(|n| format!("SET mass:{n} {n}\r\n")).collect();
    std::fs::write(&file, commands).expect("a file of commands");
    let script = format!(
        "{} --tls --cacert {} -p {} --pipe < {}",
        tool("redis-cli").display(),
        path("ca.crt"),
        server.port,
        file.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("sh runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("errors: 0, replies: 20000"), "{text}");
    assert_eq!(server.server.connect().run("DBSIZE").integer(), 20_002);
}

#[test]
fn redis_benchmark_over_tls() {
    let server = Both::start(&[]);
    for pipeline in ["1", "16"] {
        let mut command = Command::new(tool("redis-benchmark"));
        command.args(["-p", &server.port.to_string(), "--tls", "--cacert", &path("ca.crt"), "-q"]);
        let output =
            command.args(["-t", "set,get,mset", "-n", "5000", "-P", pipeline]).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("GET: ") && !text.contains("rror"), "{text}");
    }
}

#[test]
fn redis_py_over_tls() {
    let server = Both::start(&["--tls-auth-clients", "yes"]);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let python = tests.join(".venv/bin/python");
    assert!(python.exists(), "redis-py is not installed: run tests/run");
    let mut command = Command::new(python);
    command.arg(tests.join("clients/python_tls.py")).arg(server.port.to_string());
    let files = ["ca.crt", "alice.crt", "alice.key", "other-ca.crt"].map(path);
    let output = command.args(files).output().expect("python runs");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(text.ends_with("python tls: ok\n"), "{text}");
}

#[test]
fn large_values() {
    let server = Both::start(&[]);
    let mut client = server.connect();
    for size in [(1 << 20) - 1, 1 << 20, 10 << 20, 64 << 20] {
        let value: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        assert_eq!(client.command(&[b"SET".as_slice(), b"large", &value]).text(), "OK");
        let Value::Bulk(back) = client.command(&["GET", "large"]) else { panic!("no bulk reply") };
        assert!(back == value, "{size} bytes came back otherwise");
    }
    assert_eq!(client.run("STRLEN large").integer(), 64 << 20);
    client.run("FLUSHALL SYNC");
    // Neither side keeps what has passed.
    wait_for("the memory to be given back", || server.server.connect().info_number("used_memory") < 20 << 20);
}

#[test]
fn many_sizes_one_after_another() {
    let server = Both::start(&[]);
    let mut client = server.connect();
    // Around one record, two, and the size of the read buffer.
    for middle in [1_usize, 16_384, 32_768, 65_536, 131_072] {
        for size in middle.saturating_sub(30)..middle + 30 {
            let value = vec![b'a' + (size % 26) as u8; size];
            client.send(&encode(&[b"SET".as_slice(), b"k", &value])).expect("sent");
            client.send(&encode(&["GET", "k"])).expect("sent");
            assert_eq!(client.try_value().expect("a reply").text(), "OK");
            assert!(client.try_value().expect("a reply") == Value::Bulk(value), "{size}");
        }
    }
}

/// The answers to a pipeline wait until somebody reads them, and none is lost.
#[test]
fn a_slow_reader_gets_everything() {
    let server = Both::start(&[]);
    let mut client = server.connect();
    let value = vec![b'v'; 100_000];
    client.command(&[b"SET".as_slice(), b"k", &value]);
    let gets = encode(&["GET", "k"]).repeat(200);
    client.send(&gets).expect("sent");
    let mut plain = server.server.connect();
    wait_for("replies to wait", || {
        let list = plain.run("CLIENT LIST").text();
        list.lines().any(|line| line.contains(" cmd=get ") && !line.contains(" omem=0 "))
    });
    for _ in 0..200 {
        assert!(client.try_value().expect("a reply") == Value::Bulk(value.clone()));
    }
    assert_eq!(client.run("PING").text(), "PONG");
}

#[test]
fn records_in_pieces() {
    let server = Both::start(&[]);
    for piece in [1, 7, 1000] {
        let mut client = Secure::begin(server.port, "").expect("a connection");
        while client.session.is_handshaking() {
            let records = client.take_records();
            for piece in records.chunks(piece) {
                client.socket.write_all(piece).expect("sent");
                std::thread::sleep(Duration::from_micros(50));
            }
            if client.session.wants_read() {
                client.session.read_tls(&mut client.socket).expect("received");
                client.session.process_new_packets().expect("good records");
            }
        }
        let mut records = client.take_records();
        records.extend(client.encrypt(&encode(&["ECHO", "hello"])));
        // Two commands in three records, the second cut in the middle.
        let ping = encode(&["PING"]);
        records.extend(client.encrypt(&ping[..5]));
        records.extend(client.encrypt(&ping[5..]));
        for piece in records.chunks(piece) {
            client.socket.write_all(piece).expect("sent");
        }
        assert_eq!(client.try_value().expect("a reply").text(), "hello");
        assert_eq!(client.try_value().expect("a reply").text(), "PONG");
    }
    // Records of one byte each, all at once.
    let mut client = server.connect();
    let records: Vec<u8> = encode(&["ECHO", "x"]).iter().flat_map(|byte| client.encrypt(&[*byte])).collect();
    client.socket.write_all(&records.repeat(1)).expect("sent");
    assert_eq!(client.try_value().expect("a reply").text(), "x");
}

/// A pipeline that lies in the first packet together with the end of the handshake.
#[test]
fn commands_right_behind_the_handshake() {
    let server = Both::start(&[]);
    let mut client = Secure::begin(server.port, "").expect("a connection");
    let hello = client.take_records();
    client.socket.write_all(&hello).expect("sent");
    while client.session.is_handshaking() {
        client.session.read_tls(&mut client.socket).expect("received");
        client.session.process_new_packets().expect("good records");
    }
    let mut records = client.take_records();
    let pipeline: Vec<u8> = (0..3000).flat_map(|n| encode(&["ECHO", &format!("{n:0100}")])).collect();
    records.extend(client.encrypt(&pipeline));
    client.socket.write_all(&records).expect("sent");
    for n in 0..3000 {
        assert_eq!(client.try_value().expect("a reply").text(), format!("{n:0100}"));
    }
}

#[test]
fn keys_are_changed_on_the_way() {
    let server = Both::start(&[]);
    let mut client = server.connect();
    for n in 0..20 {
        client.session.refresh_traffic_keys().expect("TLS 1.3 can");
        assert_eq!(client.run(&format!("ECHO {n}")).text(), n.to_string());
    }
}

#[test]
fn the_end_is_said() {
    let server = Both::start(&[]);
    let mut plain = server.server.connect();
    let mut client = server.connect();
    client.send(&encode(&["QUIT"])).expect("sent");
    let (rest, end) = client.until_closed();
    assert!(rest == b"+OK\r\n" && matches!(end, Ok(0)), "{end:?}");
    let mut client = server.connect();
    let id = client.run("CLIENT ID").integer();
    assert_eq!(plain.run(&format!("CLIENT KILL ID {id}")).integer(), 1);
    assert!(matches!(client.until_closed().1, Ok(0)));
    let mut client = server.connect();
    client.session.send_close_notify();
    let goodbye = client.take_records();
    client.socket.write_all(&goodbye).expect("sent");
    assert!(matches!(client.until_closed().1, Ok(0)));
    // A reply that is longer than the socket takes at once comes whole before the end.
    let mut client = server.connect();
    client.run(&format!("SETRANGE long {} x", (20 << 20) - 1));
    client.send(&[encode(&["GET", "long"]), encode(&["QUIT"])].concat()).expect("sent");
    let (rest, end) = client.until_closed();
    assert!(
        rest.len() > 20 << 20 && rest.ends_with(b"+OK\r\n") && matches!(end, Ok(0)),
        "{} {end:?}",
        rest.len()
    );
}

#[test]
fn messages_to_many_and_blocked_clients() {
    let server = Both::start(&[]);
    let mut publisher = server.connect();
    let mut receivers: Vec<Secure> = (0..20).map(|_| server.connect()).collect();
    for receiver in &mut receivers {
        receiver.run("SUBSCRIBE news");
    }
    // Short ones lie in the receivers' own output, long ones are shared between them.
    let messages = [vec![b's'; 10], vec![b'l'; 50_000], vec![b'm'; 300_000], vec![b't'; 20]];
    for message in &messages {
        assert_eq!(publisher.command(&[b"PUBLISH".as_slice(), b"news", message]).integer(), 20);
    }
    for receiver in &mut receivers {
        for message in &messages {
            let got = receiver.try_value().expect("a message");
            assert!(got.elements()[2] == Value::Bulk(message.clone()), "{} bytes", message.len());
        }
    }
    let mut waiting = server.connect();
    waiting.send(&encode(&["BLPOP", "queue", "0"])).expect("sent");
    let mut plain = server.server.connect();
    wait_for("a blocked client", || plain.info_number("blocked_clients") == 1);
    publisher.run("RPUSH queue job");
    assert_eq!(waiting.try_value().expect("a job").elements()[1].text(), "job");
    waiting.send(&encode(&["BLPOP", "queue", "0"])).expect("sent");
    wait_for("a blocked client", || plain.info_number("blocked_clients") == 1);
    drop(waiting);
    wait_for("nobody to wait", || plain.info_number("blocked_clients") == 0);
}

/// The child of a save holds none of the clients' sockets: a connection that ends meanwhile ends for its client.
#[test]
fn saving_while_clients_are_connected() {
    let server = Both::start(&["--rdb-key-save-delay", "1000"]);
    let mut plain = server.server.connect();
    let mut client = server.connect();
    for n in 0..3000 {
        client.send(&encode(&arguments(&format!("SET key:{n} {n}")))).expect("sent");
    }
    (0..3000).for_each(|_| assert_eq!(client.try_value().expect("a reply").text(), "OK"));
    let mut second = server.connect();
    assert!(client.run("BGSAVE").text().starts_with("Background saving started"));
    let children = process::children(server.server.pid());
    assert_eq!(children.len(), 1);
    wait_for("the child to close what it inherited", || {
        let files = process::open_files(children[0]);
        files.iter().all(|file| !file.starts_with("socket:"))
    });
    assert_eq!(second.run("GET key:7").text(), "7");
    let id = second.run("CLIENT ID").integer();
    plain.run(&format!("CLIENT KILL ID {id}"));
    assert!(matches!(second.until_closed().1, Ok(0)));
    assert_eq!(plain.info_number("rdb_bgsave_in_progress"), 1);
    assert_eq!(client.run("SET k v").text(), "OK");
    plain.ok("CONFIG SET rdb-key-save-delay 0");
    assert_eq!(server.connect().run("GET k").text(), "v");
}
