//! Leaving: what SHUTDOWN and signals save, and when they refuse to go.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::server::is_stand_in;
use crate::support::{Connection, Server, Start, Value, Wait, now, process, wait_for};
use crate::tools::{
    assert_gone_within, assert_writable, fill, keys_in, no_delay, restart_in, start_slow_save, temporary,
    wait_for_save_end, with_save_points,
};

fn with_one_key(start: Start) -> (Server, Connection) {
    let server = start.spawn();
    let mut connection = server.connect();
    connection.ok("SET a 1");
    (server, connection)
}

fn without_save_points() -> Start {
    Start::tintype().with("--save", "")
}

#[test]
fn shutdown_saves_by_the_rules() {
    for (start, line, is_saved) in [
        (with_save_points(), "SHUTDOWN", true),
        (with_save_points(), "SHUTDOWN NOSAVE", false),
        (with_save_points(), "SHUTDOWN NOW", true),
        (without_save_points(), "SHUTDOWN", false),
        (without_save_points(), "SHUTDOWN SAVE", true),
        (without_save_points(), "SHUTDOWN NOSAVE NOW FORCE", false),
    ] {
        let (mut server, mut connection) = with_one_key(start);
        connection.send(format!("{line}\r\n").as_bytes());
        assert_eq!(connection.until_closed(), b"", "{line} answers nothing");
        assert!(server.wait_for_end().success(), "{line}");
        assert_eq!(server.path("dump.rdb").exists(), is_saved, "{line}");
        server.wait_for_log("User requested shutdown...");
        server.wait_for_log("ready to exit, bye bye");
    }
}

#[test]
fn signals_save_by_the_rules() {
    for (start, signal, is_saved) in [
        (with_save_points(), Signal::SIGTERM, true),
        (with_save_points(), Signal::SIGINT, true),
        (without_save_points(), Signal::SIGTERM, false),
        (without_save_points().with("--shutdown-on-sigterm", "save"), Signal::SIGTERM, true),
        (with_save_points().with("--shutdown-on-sigint", "nosave"), Signal::SIGINT, false),
    ] {
        let (mut server, _connection) = with_one_key(start);
        server.signal(signal);
        assert!(server.wait_for_end().success(), "{signal}");
        assert_eq!(server.path("dump.rdb").exists(), is_saved, "{signal}");
        if is_saved {
            assert_eq!(keys_in(server.directory()), 1);
        }
    }
}

#[test]
fn a_failing_last_save_keeps_the_server() {
    let (mut server, mut connection) = with_one_key(with_save_points());
    fs::create_dir(server.path("dump.rdb")).expect("a directory in the file's place");
    let reply = connection.run("SHUTDOWN");
    assert!(reply.text().starts_with("ERR Errors trying to SHUTDOWN. Check logs."), "{reply:?}");
    server.signal(Signal::SIGTERM);
    server.wait_for_log("Error trying to save the DB, can't exit");
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.is_running());
    assert_eq!(server.connect().run("GET a"), Value::Bulk(b"1".to_vec()));
    connection.send(b"SHUTDOWN FORCE\r\n");
    server.wait_for_end();
}

#[test]
fn shutdown_nosave_ends_a_running_save() {
    let mut server = with_save_points().spawn();
    let mut connection = server.connect();
    let child = start_slow_save(&server, &mut connection);
    connection.send(b"SHUTDOWN NOSAVE\r\n");
    assert!(server.wait_for_end().success());
    assert_gone_within(child, Duration::from_secs(2));
    assert_eq!(temporary(&server), Vec::<String>::new());
}

#[test]
fn sigterm_during_a_save_saves_all() {
    let mut server = with_save_points().spawn();
    let mut connection = server.connect();
    start_slow_save(&server, &mut connection);
    no_delay(&mut connection);
    connection.ok("SET last 1");
    server.signal(Signal::SIGTERM);
    assert!(server.wait_for_end().success());
    assert_eq!(keys_in(server.directory()), 401);
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_last_save() {
    let mut server = with_save_points().spawn();
    let mut connection = server.connect();
    fill(&mut connection, 400, 10);
    connection.ok("CONFIG SET rdb-key-save-delay 100000");
    server.signal(Signal::SIGINT);
    server.wait_for_log("Saving the final RDB snapshot before exiting.");
    let start = now();
    server.signal(Signal::SIGINT);
    assert_eq!(server.wait_for_end().code(), Some(1));
    assert!(start.elapsed() < Duration::from_secs(5), "it went on saving for {:?}", start.elapsed());
    server.wait_for_log("You insist... exiting now.");
    assert_eq!(server.files(), Vec::<String>::new());
    // Nor does a child go on that could make it again.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.files(), Vec::<String>::new());
}

const REFUSED: &str = "READONLY The server is shutting down and saves its dataset: writes are refused";
const DISTURBS: &str = "ERR The server is shutting down; use SHUTDOWN ABORT to stop that first";

/// A server of 20 keys whose last save takes that many steps of `delay_us`.
fn with_slow_end(delay_us: u32) -> (Server, Connection) {
    let server = with_save_points().with("--enable-debug-command", "yes").spawn();
    let mut connection = server.connect();
    fill(&mut connection, 20, 10);
    connection.ok(&format!("CONFIG SET rdb-key-save-delay {delay_us}"));
    (server, connection)
}

/// Asks by SHUTDOWN and returns when the last save has begun.
fn begin_shutdown(server: &Server, line: &str) -> Connection {
    let mut asking = server.connect();
    asking.send(format!("{line}\r\n").as_bytes());
    server.wait_for_log("Saving the final RDB snapshot before exiting.");
    wait_for("the child and its file", || {
        process::children(server.pid()).len() == 1 && !temporary(server).is_empty()
    });
    asking
}

#[test]
fn clients_are_answered_during_the_last_save() {
    if is_stand_in() {
        return;
    }
    let (mut server, mut connection) = with_slow_end(200_000);
    let (mut late, mut popper) = (server.connect(), server.connect());
    connection.run("SET short 1 PX 100");
    connection.run("HSET counted f 1");
    popper.send(b"BLPOP nothing 0\r\n");
    late.ok("MULTI");
    late.run("SET queued 1");
    let mut second = server.connect();
    second.ok("MULTI");
    second.run("CONFIG SET dir /");
    server.signal(Signal::SIGTERM);
    server.wait_for_log("Saving the final RDB snapshot before exiting.");
    wait_for("the child", || process::children(server.pid()).len() == 1);
    assert!(!connection.run("GET key:1").is_error(), "reads are answered");
    for line in ["SET a 1", "DEL key:1", "FLUSHALL", "SWAPDB 0 1", "LPUSH nothing x", "BLPOP other 0"] {
        connection.run(line).assert_error(REFUSED);
    }
    for line in ["SAVE", "BGSAVE", "BGSAVE CANCEL", "BGSAVE WAIT", "DEBUG RELOAD", "DEBUG POPULATE 10"] {
        connection.run(line).assert_error(DISTURBS);
    }
    connection.run("CONFIG SET dir / dbfilename other.rdb").assert_error(DISTURBS);
    late.run("EXEC").assert_error(&format!("EXECABORT Transaction discarded because of: {REFUSED}"));
    let disturbs = DISTURBS.trim_start_matches("ERR ");
    second.run("EXEC").assert_error(&format!("EXECABORT Transaction discarded because of: {disturbs}"));
    let mut newcomer = server.connect();
    assert_eq!(newcomer.run("PING"), Value::Simple("PONG".into()), "new connections are accepted");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(newcomer.run("GET short"), Value::Null, "what has expired is not there to be read");
    assert_eq!(newcomer.run("DBSIZE"), Value::Integer(22), "but nothing leaves the dataset");
    assert_eq!(newcomer.info("expired_keys"), "0");
    assert_eq!(newcomer.info("rdb_bgsave_in_progress"), "1");
    assert!(popper.is_silent_for(Duration::from_millis(50)));
    assert_eq!(popper.until_closed(), b"");
    assert!(server.wait_for_end().success());
    server.wait_for_log("DB saved on disk");
    server.wait_for_log("ready to exit, bye bye");
    assert_eq!(server.files(), ["dump.catalog", "dump.rdb"]);
    let again = restart_in(server.directory());
    let mut connection = again.connect();
    assert_eq!(connection.run("DBSIZE"), Value::Integer(21), "without the expired one");
    let snapshots = connection.run("SNAPSHOT LIST").elements();
    let fields: Vec<_> = snapshots[0].elements().iter().map(|field| format!("{field:?}")).collect();
    let place = fields.iter().position(|field| field.contains("crc64-xz")).expect("a field");
    assert_ne!(
        fields[place + 1],
        format!("{:?}", Value::Null),
        "the last save is in the catalogue: {fields:?}"
    );
}

/// The process ends when the child has, not when a clock next looks: here none does.
#[test]
fn the_end_of_the_child_is_the_end() {
    if is_stand_in() {
        return;
    }
    let (mut server, mut connection) = with_slow_end(1_000);
    connection.ok("DEBUG PAUSE-CRON 1");
    server.signal(Signal::SIGTERM);
    assert!(server.wait_for_end().success());
    assert_eq!(keys_in(server.directory()), 20);
}

#[test]
fn a_shutdown_can_be_aborted() {
    if is_stand_in() {
        return;
    }
    let (mut server, mut connection) = with_slow_end(1_000_000);
    connection.run("SHUTDOWN ABORT").assert_error("ERR No shutdown in progress.");
    let mut asking = begin_shutdown(&server, "SHUTDOWN");
    assert_eq!(connection.info("blocked_clients"), "1");
    let mut also = server.connect();
    also.send(b"SHUTDOWN SAVE NOW\r\n");
    wait_for("both to wait", || connection.info("blocked_clients") == "2");
    assert_eq!(connection.info("total_forks"), "1");
    let child = process::children(server.pid())[0];
    connection.ok("SHUTDOWN ABORT");
    for client in [&mut asking, &mut also] {
        client.value().assert_error("ERR Errors trying to SHUTDOWN. Check logs.");
        assert_writable(client);
    }
    connection.run("SHUTDOWN ABORT").assert_error("ERR No shutdown in progress.");
    server.wait_for_log("Shutdown manually aborted.");
    assert_gone_within(child, Duration::from_secs(2));
    wait_for_save_end(&mut connection);
    assert_eq!(server.files(), Vec::<String>::new());
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    // Signals can be aborted as well; a new SIGINT is then the first one again.
    server.signal(Signal::SIGINT);
    wait_for("the child", || process::children(server.pid()).len() == 1);
    connection.ok("SHUTDOWN ABORT");
    wait_for_save_end(&mut connection);
    no_delay(&mut connection);
    server.signal(Signal::SIGINT);
    assert!(server.wait_for_end().success());
    assert_eq!(keys_in(server.directory()), 20);
}

#[test]
fn shutdown_nosave_ends_the_last_save() {
    if is_stand_in() {
        return;
    }
    let (mut server, mut connection) = with_slow_end(1_000_000);
    let mut asking = begin_shutdown(&server, "SHUTDOWN");
    connection.send(b"SHUTDOWN NOSAVE\r\n");
    assert!(server.wait_for_end().success());
    assert_eq!((asking.until_closed(), server.files()), (Vec::new(), Vec::new()));
}

#[test]
fn a_killed_child_keeps_the_server_unless_forced() {
    if is_stand_in() {
        return;
    }
    let (mut server, mut connection) = with_slow_end(1_000_000);
    let mut asking = begin_shutdown(&server, "SHUTDOWN");
    process::signal(process::children(server.pid())[0], Signal::SIGKILL);
    asking.value().assert_error("ERR Errors trying to SHUTDOWN. Check logs.");
    let reason = "dump.rdb: the child was killed by signal 9";
    assert!(connection.info("rdb_last_bgsave_error").ends_with(reason));
    let log = server.log();
    assert!(log.lines().any(|line| line.contains("can't exit") && line.contains(reason)), "{log}");
    assert_writable(&mut connection);
    assert_eq!(server.files(), Vec::<String>::new());
    connection.send(b"SHUTDOWN FORCE\r\n");
    wait_for("the child", || process::children(server.pid()).len() == 1);
    process::signal(process::children(server.pid())[0], Signal::SIGKILL);
    server.wait_for_end();
    assert!(server.log().contains("Error trying to save the DB. Exit anyway."));
    assert_eq!(server.files(), Vec::<String>::new());
}

/// Without its log there can be no child.
#[test]
fn without_a_child_the_last_save_is_made_all_the_same() {
    if is_stand_in() {
        return;
    }
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    fs::create_dir(directory.path().join("logs")).expect("a directory");
    let start = with_save_points().with("--logfile", "logs/server.log").in_directory(directory.path());
    let mut server = start.wait(Wait::Listening).spawn();
    let mut connection = server.connect();
    connection.ok("SET a 1");
    fs::remove_dir_all(server.path("logs")).expect("a directory");
    assert!(connection.run("BGSAVE").text().starts_with("ERR open the log for the child"));
    connection.send(b"SHUTDOWN\r\n");
    assert_eq!(connection.until_closed(), b"");
    assert!(server.wait_for_end().success());
    assert_eq!(keys_in(directory.path()), 1);
}

#[test]
fn what_did_not_change_is_not_saved_again() {
    if is_stand_in() {
        return;
    }
    let written = |server: &Server| {
        let metadata = fs::metadata(server.path("dump.rdb")).expect("a file");
        metadata.modified().expect("a time")
    };
    for (line, is_saved) in [("SHUTDOWN", false), ("SHUTDOWN NOW FORCE", false), ("SHUTDOWN SAVE", true)] {
        let (mut server, mut connection) = with_one_key(with_save_points());
        assert_eq!(
            connection.run("BGSAVE WAIT"),
            Value::Simple("Background saving terminated with success".into(),)
        );
        let before = written(&server);
        std::thread::sleep(Duration::from_millis(20));
        connection.send(format!("{line}\r\n").as_bytes());
        assert!(server.wait_for_end().success());
        assert_eq!(written(&server) != before, is_saved, "{line}");
        assert_eq!(server.log().contains("Nothing changed since the last save"), !is_saved, "{line}");
        // Nor is what was only loaded.
        let mut again = with_save_points().in_directory(server.directory()).spawn();
        let before = written(&server);
        std::thread::sleep(Duration::from_millis(20));
        again.signal(Signal::SIGTERM);
        assert!(again.wait_for_end().success());
        assert_eq!(written(&server), before);
        fs::remove_file(server.path("dump.rdb")).expect("a file");
    }
    let (mut server, mut connection) = with_one_key(with_save_points());
    connection.ok("SAVE");
    fs::remove_file(server.path("dump.rdb")).expect("a file");
    server.signal(Signal::SIGTERM);
    assert!(server.wait_for_end().success());
    assert_eq!(keys_in(server.directory()), 1, "the file was gone");
}

#[test]
fn a_save_of_the_same_dataset_is_the_last_one() {
    if is_stand_in() {
        return;
    }
    let (mut server, mut connection) = with_slow_end(200_000);
    connection.run("BGSAVE");
    wait_for("the child", || process::children(server.pid()).len() == 1);
    let child = process::children(server.pid())[0];
    server.signal(Signal::SIGTERM);
    server.wait_for_log("its file is the final RDB snapshot");
    assert_eq!(process::children(server.pid()), [child]);
    connection.run("SET a 1").assert_error(REFUSED);
    assert!(server.wait_for_end().success());
    assert_eq!(restart_in(server.directory()).connect().run("DBSIZE"), Value::Integer(20));
}

/// The supervisor hears that the server stops, how far it is, and that it needs more time.
#[test]
fn systemd_is_told() {
    if is_stand_in() {
        return;
    }
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let path = directory.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("an option of our socket");
    let start = with_save_points().with("--supervised", "systemd").environment("NOTIFY_SOCKET", &path);
    let mut server = start.spawn();
    let mut connection = server.connect();
    fill(&mut connection, 20, 10);
    connection.ok("CONFIG SET rdb-key-save-delay 100000");
    server.signal(Signal::SIGTERM);
    let mut told = String::new();
    let mut buffer = [0; 1000];
    while !told.contains("EXTEND_TIMEOUT_USEC=") {
        let length = socket.recv(&mut buffer).expect("a word of the server's");
        told.push_str(&String::from_utf8_lossy(&buffer[..length]));
        told.push('\n');
    }
    let place = |word: &str| told.find(word).unwrap_or_else(|| panic!("{word} in {told}"));
    assert!(place("READY=1") < place("STOPPING=1") && place("STOPPING=1") < place("EXTEND_TIMEOUT_USEC="));
    assert!(server.wait_for_end().success());
}

#[test]
fn a_pidfile_comes_and_goes() {
    let mut server = without_save_points().with("--pidfile", "server.pid").spawn();
    let written = || fs::read_to_string(server.path("server.pid")).expect("a pid file");
    assert_eq!(written().trim(), server.pid().to_string());
    let again =
        without_save_points().arguments(&["--port", &server.port.to_string(), "--pidfile", "server.pid"]);
    let mut again = again.in_directory(server.directory()).wait(Wait::Nothing).spawn();
    assert!(!again.wait_for_end().success(), "two servers on one port");
    assert_eq!(
        written().trim(),
        server.pid().to_string(),
        "a start that failed touched the first one's file"
    );
    server.signal(Signal::SIGTERM);
    assert!(server.wait_for_end().success());
    assert!(!server.path("server.pid").exists());
}
