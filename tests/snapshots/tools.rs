//! What the snapshot tests share: data, waiting for a save, reading a file back.

use std::path::Path;
use std::time::Duration;

use crate::support::{Connection, Server, Start, Value, encode, holds_within, process, wait_for};

/// The text that clients know, word for word; a reason may follow.
pub const MISCONF: &str = concat!(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. ",
    "Commands that may modify the data set are disabled, because this instance is configured to report ",
    "errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). ",
    "Please check the Redis logs for details about the RDB error.",
);

/// A server with save points, so that a failed BGSAVE stops writes; the rule itself never fires.
pub fn with_save_points() -> Start {
    Start::tintype().with("--save", "3600 100000000").with("--enable-protected-configs", "yes")
}

/// Sets `count` keys `key:N` to values that do not compress.
#[track_caller]
pub fn fill(connection: &mut Connection, count: usize, value_bytes: usize) {
    let mut rng = fastrand::Rng::with_seed(3);
    for n in 0..count {
        let value: Vec<u8> = (0..value_bytes).map(|_| rng.u8(..)).collect();
        connection.command(&[b"SET".to_vec(), format!("key:{n}").into_bytes(), value]).assert_ok();
    }
}

/// A hash, a sorted set, a set and a list of so many elements, which do not compress.
#[track_caller]
pub fn fill_large(connection: &mut Connection, elements: usize) {
    const AT_ONCE: usize = 500;
    let mut rng = fastrand::Rng::with_seed(4);
    let mut bytes = || (0..20).map(|_| rng.u8(..)).collect::<Vec<u8>>();
    for from in (0..elements).step_by(AT_ONCE) {
        for (command, key) in [("HSET", "hash"), ("ZADD", "zset"), ("SADD", "set"), ("RPUSH", "list")] {
            let mut words = vec![command.into(), format!("large:{key}").into_bytes()];
            for number in from..elements.min(from + AT_ONCE) {
                match command {
                    "HSET" => words.extend([bytes(), bytes()]),
                    "ZADD" => words.extend([number.to_string().into_bytes(), bytes()]),
                    _ => words.push(bytes()),
                }
            }
            let reply = connection.command(&words);
            assert!(!reply.is_error(), "{reply:?}");
        }
    }
}

/// Removes what `fill_large` has made.
#[track_caller]
pub fn remove_large(connection: &mut Connection) {
    assert_eq!(connection.run("DEL large:hash large:zset large:set large:list"), Value::Integer(4));
}

/// Fills and starts a BGSAVE that takes many seconds; returns the child's pid.
#[track_caller]
pub fn start_slow_save(server: &Server, connection: &mut Connection) -> u32 {
    fill(connection, 400, 20);
    connection.ok("CONFIG SET rdb-key-save-delay 50000");
    assert_eq!(connection.run("BGSAVE"), Value::Simple("Background saving started".into()));
    wait_for("the child and its file", || {
        process::children(server.pid()).len() == 1 && !temporary(server).is_empty()
    });
    process::children(server.pid())[0]
}

/// Lets the next saves be quick again.
#[track_caller]
pub fn no_delay(connection: &mut Connection) {
    connection.ok("CONFIG SET rdb-key-save-delay 0");
}

/// The files of unfinished saves.
pub fn temporary(server: &Server) -> Vec<String> {
    server.files().into_iter().filter(|name| name.contains("temp")).collect()
}

#[track_caller]
pub fn wait_for_save_end(connection: &mut Connection) {
    wait_for("the end of the save", || connection.info("rdb_bgsave_in_progress") == "0");
}

/// A BGSAVE that must succeed.
#[track_caller]
pub fn save_well(connection: &mut Connection) {
    assert_eq!(connection.run("BGSAVE"), Value::Simple("Background saving started".into()));
    wait_for_save_end(connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
}

/// A BGSAVE that must fail, whether at once or in the child; returns why, as far as the server says.
#[track_caller]
pub fn save_badly(connection: &mut Connection) -> String {
    let reply = connection.run("BGSAVE");
    wait_for_save_end(connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "err", "{reply:?}");
    if reply.is_error() { reply.text() } else { String::new() }
}

/// The reason is told in the reply of SAVE, in INFO, in MISCONF and in the log: what, which path, why.
#[track_caller]
pub fn assert_reason_everywhere(
    server: &Server,
    connection: &mut Connection,
    path: &str,
    errno_texts: &[&str],
) {
    let names_it = |text: &str| text.contains(path) && errno_texts.iter().any(|errno| text.contains(errno));
    let reply = connection.run("SAVE");
    assert!(reply.is_error() && names_it(&reply.text()), "SAVE: {reply:?}");
    let field = connection.info("rdb_last_bgsave_error");
    assert!(names_it(&field), "INFO: {field}");
    let refusal = connection.run("SET refused 1").text();
    assert!(refusal.starts_with(MISCONF) && names_it(&refusal[MISCONF.len()..]), "MISCONF: {refusal}");
    let log = server.log();
    assert!(log.lines().any(names_it), "log: {log}");
}

#[track_caller]
pub fn assert_writable(connection: &mut Connection) {
    connection.ok("SET writable 1");
    connection.run("DEL writable");
}

#[track_caller]
pub fn assert_refuses_writes(connection: &mut Connection) {
    for line in ["SET a 1", "DEL a", "PING"] {
        let reply = connection.run(line);
        assert!(reply.is_error() && reply.text().starts_with(MISCONF), "{line}: {reply:?}");
    }
    assert!(!connection.run("GET a").is_error(), "reads go on");
}

/// Starts a fresh server on the files of a directory.
#[track_caller]
pub fn restart_in(directory: &Path) -> Server {
    Start::tintype().with("--save", "").in_directory(directory).spawn()
}

/// The number of keys a fresh server finds there.
#[track_caller]
pub fn keys_in(directory: &Path) -> i64 {
    restart_in(directory).connect().run("DBSIZE").integer()
}

#[track_caller]
pub fn assert_gone_within(pid: u32, limit: Duration) {
    assert!(holds_within(limit, || !process::is_alive(pid)), "process {pid} still lives after {limit:?}");
}

/// One pipeline of commands, as bytes.
pub fn pipeline(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| encode(&crate::support::arguments(line))).collect()
}
