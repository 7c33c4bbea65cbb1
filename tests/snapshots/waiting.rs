//! BGSAVE WAIT: it answers when the file is in place, or why it is not.

use std::fs;
use std::time::Duration;

use crate::support::server::is_stand_in;
use crate::support::{Connection, Server, Value, now, unix_ms, wait_for};
use crate::tools::{
    MISCONF, fill, keys_in, no_delay, restart_in, start_slow_save, temporary, wait_for_save_end,
    with_save_points,
};

const GOES_ON: &str = "TIMEOUT The background save is not done yet, and goes on";

/// A server with some keys, and two connections; `None` with a binary that does not know the command.
fn start() -> Option<(Server, Connection, Connection)> {
    if is_stand_in() {
        return None;
    }
    let server = with_save_points().spawn();
    let (mut connection, waiter) = (server.connect(), server.connect());
    fill(&mut connection, 20, 10);
    Some((server, connection, waiter))
}

fn success() -> Value {
    Value::Simple("Background saving terminated with success".into())
}

/// Has a client wait; returns when it does.
#[track_caller]
fn send_wait(waiter: &mut Connection, connection: &mut Connection) {
    let before = connection.info_number("blocked_clients");
    waiter.send(b"BGSAVE WAIT\r\n");
    wait_for("the client to wait", || connection.info_number("blocked_clients") == before + 1);
}

#[test]
fn it_answers_when_the_file_is_there() {
    let Some((server, mut connection, mut waiter)) = start() else { return };
    assert_eq!(connection.info("rdb_last_bgsave_id"), "");
    assert_eq!(connection.info("rdb_last_bgsave_time_ms"), "-1");
    assert_eq!(connection.info("rdb_current_bgsave_time_ms"), "-1");
    connection.ok("CONFIG SET rdb-key-save-delay 100000");
    send_wait(&mut waiter, &mut connection);
    assert!(connection.info_number("rdb_current_bgsave_time_ms") >= 0);
    let flags = connection.run("CLIENT LIST").text();
    assert_eq!(flags.lines().filter(|line| line.contains(" flags=b ")).count(), 1, "{flags}");
    assert_eq!(connection.run("GET nothing"), Value::Null, "others are served");
    assert_eq!(waiter.value(), success());
    assert_eq!(keys_in(server.directory()), 20);
    assert_eq!(connection.info("blocked_clients"), "0");
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    assert!((2_000..20_000).contains(&connection.info_number("rdb_last_bgsave_time_ms")));
    let since_ms = unix_ms() - connection.info_number("rdb_last_save_time_ms");
    assert!((0..20_000).contains(&since_ms), "{since_ms}");
    let id = connection.info("rdb_last_bgsave_id");
    assert!(id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    no_delay(&mut connection);
    assert_eq!(waiter.run("BGSAVE WAIT 20000"), success());
    assert_ne!(connection.info("rdb_last_bgsave_id"), id);
    let mut resp3 = server.connect();
    resp3.run("HELLO 3");
    assert_eq!(resp3.run("bgsave wait 0"), success());
}

#[test]
fn it_answers_why_it_failed() {
    let Some((server, mut connection, mut waiter)) = start() else { return };
    let gone = server.path("gone");
    fs::create_dir(&gone).expect("a directory");
    connection.ok(&format!("CONFIG SET dir {}", gone.display()));
    fs::remove_dir(&gone).expect("it was empty");
    let reason = format!("write to directory {}: No such file or directory", gone.display());
    waiter.run("BGSAVE WAIT").assert_error(&format!("ERR {reason}"));
    assert_eq!(connection.info("total_forks"), "0", "what cannot succeed is not forked for");
    assert_eq!(connection.info("rdb_last_bgsave_error"), reason);
    connection.run("SET a 1").assert_error(&format!("{MISCONF} ({reason})"));
    connection.ok(&format!("CONFIG SET dir {}", server.directory().display()));
    fs::create_dir(server.path("dump.rdb")).expect("a directory");
    let reply = waiter.run("BGSAVE WAIT 0").text();
    assert!(reply.starts_with("ERR rename to ") && reply.ends_with("dump.rdb: Is a directory"), "{reply}");
    assert_eq!(connection.info("rdb_last_bgsave_id").len(), 8, "a save that failed has a name, too");
    assert_eq!(connection.info("blocked_clients"), "0");
    fs::remove_dir(server.path("dump.rdb")).expect("it was empty");
    // Neither does a failure hold back who asks by hand.
    assert_eq!(waiter.run("BGSAVE WAIT"), success());
    connection.ok("SET a 1");
    assert_eq!(connection.info("errorstat_ERR"), "count=2");
}

#[test]
fn its_time_may_be_over_before() {
    let Some((server, mut connection, mut waiter)) = start() else { return };
    connection.ok("CONFIG SET rdb-key-save-delay 1000000");
    let start = now();
    waiter.run("BGSAVE WAIT 300").assert_error(GOES_ON);
    assert!(start.elapsed() > Duration::from_millis(250), "{:?}", start.elapsed());
    assert_eq!(connection.info("rdb_bgsave_in_progress"), "1");
    waiter.run("BGSAVE WAIT 1").assert_error(GOES_ON);
    no_delay(&mut connection);
    connection.run("BGSAVE CANCEL");
    // The second one that was asked for is made, even though nobody waits any more.
    wait_for("both saves", || connection.info("total_forks") == "2");
    wait_for_save_end(&mut connection);
    assert_eq!(keys_in(server.directory()), 20);
    waiter.run("BGSAVE WAIT -1").assert_error("ERR timeout is negative");
    waiter.run("BGSAVE WAIT 1 1").assert_error("ERR syntax error");
}

#[test]
fn what_was_written_before_is_in_the_file() {
    let Some((server, mut connection, mut waiter)) = start() else { return };
    let mut second = server.connect();
    connection.ok("CONFIG SET rdb-key-save-delay 150000");
    connection.run("BGSAVE");
    waiter.ok("SET late 1");
    no_delay(&mut connection);
    send_wait(&mut waiter, &mut connection);
    send_wait(&mut second, &mut connection);
    assert_eq!(connection.info("total_forks"), "1", "the first save is still at work");
    assert_eq!((waiter.value(), second.value()), (success(), success()));
    assert_eq!(connection.info("total_forks"), "2", "one save for both");
    assert_eq!(restart_in(server.directory()).connect().run("GET late").text(), "1");
}

/// The save at work is killed; the one that a client waits for follows at once, and tells how it went.
#[test]
fn a_failure_before_does_not_delay_it() {
    let Some((server, mut connection, mut waiter)) = start() else { return };
    let child = start_slow_save(&server, &mut connection);
    no_delay(&mut connection);
    send_wait(&mut waiter, &mut connection);
    crate::support::process::signal(child, nix::sys::signal::Signal::SIGKILL);
    let start = now();
    assert_eq!(waiter.value(), success());
    assert!(start.elapsed() < Duration::from_secs(4), "it waited for the five seconds after a failure");
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
}

#[test]
fn whoever_waits_is_told_of_a_cancel() {
    let Some((server, mut connection, mut waiter)) = start() else { return };
    connection.ok("CONFIG SET rdb-key-save-delay 1000000");
    let cancelled = Value::Simple("Background saving cancelled".into());
    send_wait(&mut waiter, &mut connection);
    assert_eq!(connection.run("BGSAVE CANCEL"), cancelled);
    waiter.value().assert_error("ERR Background saving cancelled");
    connection.run("BGSAVE");
    send_wait(&mut waiter, &mut connection);
    // The one at work is cancelled, the one that is waited for begins; then that one, too.
    assert_eq!(connection.run("BGSAVE CANCEL"), cancelled);
    wait_for("the next save", || connection.info("total_forks") == "3");
    assert_eq!(connection.info("blocked_clients"), "1");
    assert_eq!(connection.run("BGSAVE CANCEL"), cancelled);
    waiter.value().assert_error("ERR Background saving cancelled");
    wait_for_save_end(&mut connection);
    send_wait(&mut waiter, &mut connection);
    no_delay(&mut connection);
    connection.ok("FLUSHALL");
    waiter.value().assert_error("ERR Background saving cancelled");
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    assert_eq!(temporary(&server), Vec::<String>::new());
}

#[test]
fn a_wait_ends_like_any_other() {
    let Some((_server, mut connection, mut waiter)) = start() else { return };
    connection.ok("CONFIG SET rdb-key-save-delay 1000000");
    let id = waiter.run("CLIENT ID").integer();
    send_wait(&mut waiter, &mut connection);
    assert_eq!(connection.run(&format!("CLIENT UNBLOCK {id}")), Value::Integer(1));
    waiter.value().assert_error(GOES_ON);
    send_wait(&mut waiter, &mut connection);
    assert_eq!(connection.run(&format!("CLIENT UNBLOCK {id} ERROR")), Value::Integer(1));
    waiter.value().assert_error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    // What it sends meanwhile is run afterwards; what it has waited for before concerns it no more.
    send_wait(&mut waiter, &mut connection);
    waiter.send(b"PING\r\n");
    assert_eq!(connection.run(&format!("CLIENT UNBLOCK {id} TIMEOUT")), Value::Integer(1));
    waiter.value().assert_error(GOES_ON);
    assert_eq!(waiter.value(), Value::Simple("PONG".into()));
    waiter.send(b"BLPOP nothing 0\r\n");
    wait_for("the client to wait", || connection.info("blocked_clients") == "1");
    connection.run("BGSAVE CANCEL");
    no_delay(&mut connection);
    wait_for("the save that was asked for", || connection.info("total_forks") == "2");
    wait_for_save_end(&mut connection);
    connection.run("RPUSH nothing x");
    assert_eq!(waiter.value().elements()[1].text(), "x");
    // One that goes is forgotten, its save is not.
    connection.ok("CONFIG SET rdb-key-save-delay 100000");
    send_wait(&mut waiter, &mut connection);
    drop(waiter);
    wait_for("the client to be gone", || connection.info("blocked_clients") == "0");
    assert_eq!(connection.info("rdb_bgsave_in_progress"), "1");
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
}

#[test]
fn in_a_transaction_it_does_not_wait() {
    let Some((server, mut connection, mut waiter)) = start() else { return };
    ["MULTI", "SET a 1", "BGSAVE WAIT 100"].iter().for_each(|line| drop(waiter.run(line)));
    let replies = waiter.run("EXEC").elements();
    assert_eq!(replies[1], Value::Simple("Background saving scheduled".into()));
    wait_for("the scheduled save", || server.path("dump.rdb").exists());
    wait_for_save_end(&mut connection);
    assert_eq!(keys_in(server.directory()), 21);
}

#[test]
fn a_shutdown_answers_before_it_ends() {
    let Some((mut server, mut connection, mut waiter)) = start() else { return };
    connection.ok("CONFIG SET rdb-key-save-delay 30000");
    send_wait(&mut waiter, &mut connection);
    connection.send(b"SHUTDOWN\r\n");
    assert_eq!(waiter.value(), success(), "its save is the last one");
    assert_eq!(waiter.until_closed(), b"");
    assert!(server.wait_for_end().success());
    assert_eq!(keys_in(server.directory()), 20);
    let Some((mut server, mut connection, mut waiter)) = start() else { return };
    connection.ok("CONFIG SET rdb-key-save-delay 1000000");
    send_wait(&mut waiter, &mut connection);
    connection.send(b"SHUTDOWN NOSAVE\r\n");
    waiter.value().assert_error("ERR Background saving cancelled");
    assert_eq!(waiter.until_closed(), b"");
    assert!(server.wait_for_end().success());
    assert_eq!(temporary(&server), Vec::<String>::new());
}
