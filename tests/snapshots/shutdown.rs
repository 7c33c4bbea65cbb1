//! Leaving: what SHUTDOWN and signals save, and when they refuse to go.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Connection, Server, Start, Value, Wait, now};
use crate::tools::{
    assert_gone_within, fill, keys_in, no_delay, start_slow_save, temporary, with_save_points,
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
