//! Loads by several threads: the dataset, the account of memory, what clients see meanwhile, and ends that come early.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::server::is_stand_in;
use crate::support::{Connection, Server, Start, Value, Wait, holds_within, now, process, wait_for};
use crate::tools::{fill, fill_large};

const LOADING: &str = "LOADING Redis is loading the dataset in memory";

fn with_threads(threads: &str) -> Start {
    Start::tintype()
        .with("--save", "")
        .with("--enable-debug-command", "yes")
        .with("--rdb-load-threads", threads)
}

/// Strings, large and small values of each type, with and without expiry, in three databases.
#[track_caller]
fn fill_all(connection: &mut Connection) {
    connection.ok("SELECT 9");
    connection.ok("DEBUG POPULATE 20000 nine 300");
    connection.ok("SELECT 2");
    fill(connection, 300, 1500);
    for number in (0..300).step_by(3) {
        let at_ms = 4_000_000_000_000_i64 + number;
        assert_eq!(connection.run(&format!("PEXPIREAT key:{number} {at_ms}")), Value::Integer(1));
    }
    connection.ok("SELECT 0");
    for number in 0..500 {
        connection.run(&format!("HSET hash:{number} a 1 b {number} c {}", "x".repeat(number as usize % 100)));
        connection.run(&format!("RPUSH list:{number} {} a b c", "y".repeat(number as usize)));
        connection.run(&format!("ZADD zset:{number} 1 a 2.5 b{number} 1e300 c"));
        connection.run(&format!("SADD set:{number} {number} 2 3"));
        connection.run(&format!("XADD stream:{number} 1-{number} field value"));
        connection.run(&format!("XGROUP CREATE stream:{number} group 0"));
    }
    connection.ok("DEBUG POPULATE 30000 zero 200");
    fill_large(connection, 30_000);
    connection.command(&[b"SET".to_vec(), b"even".to_vec(), b"tintype ".repeat(1_400_000)]).assert_ok();
}

#[test]
fn any_number_of_threads_loads_the_same() {
    if is_stand_in() {
        return;
    }
    let server = with_threads("1").spawn();
    let mut connection = server.connect();
    fill_all(&mut connection);
    let digest = connection.run("DEBUG DIGEST").text();
    connection.ok("SAVE");
    for threads in ["1", "2", "4"] {
        connection.ok(&format!("CONFIG SET rdb-load-threads {threads}"));
        connection.ok("DEBUG RELOAD");
        assert_eq!(connection.run("DEBUG DIGEST").text(), digest, "{threads} threads, reloaded");
    }
    let used: Vec<i64> = ["1", "2", "4"].map(|threads| used_by_load(threads, &server, &digest)).to_vec();
    let [alone, two, four] = used[..] else { unreachable!("three") };
    for together in [two, four] {
        assert!((together - alone).abs() < alone / 50, "{used:?}");
    }
    assert!(connection.run("CONFIG SET rdb-load-threads 5").is_error());
}

/// The memory that a load takes by INFO's account; none of it stays when all is deleted.
#[track_caller]
fn used_by_load(threads: &str, server: &Server, digest: &str) -> i64 {
    let other = with_threads(threads).in_directory(server.directory()).spawn();
    let mut connection = other.connect();
    let empty = Start::tintype().with("--save", "").spawn().connect().info_number("used_memory");
    assert_eq!(connection.run("DEBUG DIGEST").text(), digest, "{threads} threads");
    let used = connection.info_number("used_memory");
    connection.ok("FLUSHALL SYNC");
    wait_for("the memory to be given back", || {
        (connection.info_number("used_memory") - empty).abs() < 1 << 20
    });
    assert!(process_threads(other.pid(), "rdb_load") == 0, "the threads are gone");
    used
}

/// How many threads of a process have this name.
fn process_threads(pid: u32, name: &str) -> usize {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let named = |path: &Path| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name);
    tasks.flatten().filter(|task| named(&task.path())).count()
}

/// A directory with a file whose load takes a while.
#[track_caller]
fn large_file() -> Server {
    let server = with_threads("1").spawn();
    let mut connection = server.connect();
    connection.ok("DEBUG POPULATE 400000 key 250");
    connection.ok("CONFIG SET rdbcompression no");
    connection.ok("SAVE");
    server
}

#[test]
fn clients_are_served_while_threads_load_and_a_shutdown_ends_them() {
    if is_stand_in() {
        return;
    }
    let source = large_file();
    let start = with_threads("2").in_directory(source.directory()).wait(Wait::Listening);
    let start = start.with("--loading-process-events-interval-bytes", "1024");
    for end in ["SHUTDOWN NOSAVE", "signal", "kill"] {
        let mut loading = start.clone().spawn();
        let mut connection = loading.connect();
        connection.run("GET key:1").assert_error(LOADING);
        connection.run("BGSAVE").assert_error(LOADING);
        assert_eq!(connection.info("loading"), "1");
        assert_eq!(process_threads(loading.pid(), "rdb_load"), 1);
        let progress = connection.info_number("loading_loaded_bytes");
        wait_for("progress", || connection.info_number("loading_loaded_bytes") > progress);
        assert_eq!(connection.info("loading"), "1", "it goes on");
        let begun = now();
        match end {
            "signal" => loading.signal(Signal::SIGTERM),
            "kill" => loading.signal(Signal::SIGKILL),
            command => connection.send(format!("{command}\r\n").as_bytes()),
        }
        let status = loading.wait_for_end();
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?} for {end}", begun.elapsed());
        assert_eq!(status.success(), end != "kill", "{end}: {status}");
    }
    let loading = start.spawn();
    let mut connection = loading.connect();
    assert!(holds_within(Duration::from_secs(60), || connection.info("loading") == "0"));
    assert_eq!(connection.run("DBSIZE"), Value::Integer(400_000));
    assert!(process::is_alive(loading.pid()) && process_threads(loading.pid(), "rdb_load") == 0);
}

/// The lines of a failed start that say why.
#[track_caller]
fn reasons(threads: &str, directory: &Path, checksum: &str) -> Vec<String> {
    let start = with_threads(threads).with("--rdbchecksum", checksum).wait(Wait::Nothing);
    let mut server = start.in_directory(directory).spawn();
    assert_eq!(server.wait_for_end().code(), Some(1), "{}", server.log());
    let is_reason =
        |line: &&str| ["RDB", "offset", "damaged", "Short", "reading"].iter().any(|word| line.contains(word));
    let log = server.log();
    let messages = log.lines().filter(is_reason).map(|line| line.splitn(7, ' ').last().unwrap_or(line));
    messages.filter(|line| !line.starts_with("RDB ")).map(str::to_owned).collect()
}

#[test]
fn damaged_files_are_told_of_in_the_same_words() {
    if is_stand_in() {
        return;
    }
    let source = large_file();
    let path = source.path("dump.rdb");
    let good = fs::read(&path).expect("the file");
    let middle = good.len() / 2;
    let place = middle + good[middle..].windows(4).position(|part| part == b"key:").expect("a key");
    let mut other_type = good.clone();
    other_type[place - 2] = 99;
    let mut flipped = good.clone();
    flipped[place + 40] ^= 1;
    for (file, checksum) in [
        (&good[..middle], "yes"),
        (&good[..middle], "no"),
        (&other_type, "yes"),
        (&other_type, "no"),
        (&flipped, "yes"),
    ] {
        fs::write(&path, file).expect("a damaged file");
        let alone = reasons("1", source.directory(), checksum);
        assert!(alone.iter().any(|line| line.contains("offset")), "{alone:?}");
        assert_eq!(reasons("2", source.directory(), checksum), alone, "checksum {checksum}");
    }
}

#[test]
fn restores_and_fallbacks_load_with_threads_too() {
    if is_stand_in() {
        return;
    }
    let start = with_threads("2").with("--snapshot-keep", "3").with("--snapshot-fallback", "yes");
    let mut server = start.clone().spawn();
    let mut connection = server.connect();
    connection.ok("DEBUG POPULATE 60000 key 200");
    connection.ok("SAVE");
    let digest = connection.run("DEBUG DIGEST").text();
    connection.ok("FLUSHALL");
    connection.ok("SET a 1");
    connection.ok("SAVE");
    let snapshots = connection.run("SNAPSHOT LIST").elements();
    let oldest = snapshots.last().expect("a snapshot").elements();
    let id = oldest[1 + oldest.iter().position(|field| field.text() == "id").expect("an id")].text();
    let answer = connection.run(&format!("SNAPSHOT RESTORE {id}"));
    assert!(!answer.is_error(), "{answer:?}");
    assert_eq!(connection.run("DEBUG DIGEST").text(), digest);
    // The second one keeps what the first one wrote.
    (0..2).for_each(|_| connection.ok("SAVE"));
    server.kill();
    let path = server.path("dump.rdb");
    let mut bytes = fs::read(&path).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&path).expect("it has other names");
    fs::write(&path, bytes).expect("a damaged file");
    let again = start.in_directory(server.directory()).spawn();
    assert_eq!(again.connect().run("DEBUG DIGEST").text(), digest);
    assert!(again.log().contains("STARTING FROM AN OLDER SNAPSHOT"), "{}", again.log());
}
