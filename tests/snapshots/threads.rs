//! Saves by several threads: the content is the same, here and in redis-server; and saves with a limited speed.

use std::fs;
use std::path::Path;

use crate::support::{Connection, Start, Value, holds_within, now, process, wait_for};
use crate::tools::{fill, fill_large, restart_in, save_well, temporary, wait_for_save_end};
use std::time::Duration;

/// Values of every type and size, in three databases; each save is worth four threads.
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
    connection.ok("DEBUG POPULATE 30000 zero 700");
    // Each is larger than what is written at a time.
    fill_large(connection, 60_000);
    let mut random = fastrand::Rng::with_seed(6);
    let noise: Vec<u8> = (0..3_500_000).map(|_| random.u8(..)).collect();
    connection.command(&[b"SET".to_vec(), b"noise".to_vec(), noise]).assert_ok();
    connection.command(&[b"SET".to_vec(), b"even".to_vec(), b"tintype ".repeat(400_000)]).assert_ok();
}

#[track_caller]
fn digest_in(start: Start, directory: &Path) -> String {
    let server = start.with("--save", "").in_directory(directory).spawn();
    server.connect().run("DEBUG DIGEST").text()
}

#[test]
fn any_number_of_threads_makes_a_file_of_equal_digest() {
    let server = Start::tintype().with("--save", "").with("--enable-debug-command", "yes").spawn();
    let mut connection = server.connect();
    fill_all(&mut connection);
    let digest = connection.run("DEBUG DIGEST").text();
    for (threads, compression) in [("1", "yes"), ("2", "no"), ("4", "yes"), ("0", "no")] {
        connection.ok(&format!("CONFIG SET rdb-save-threads {threads} rdbcompression {compression}"));
        save_well(&mut connection);
        let here = digest_in(Start::tintype().with("--enable-debug-command", "yes"), server.directory());
        assert_eq!(here, digest, "{threads} threads");
        let there = digest_in(Start::oracle().with("--enable-debug-command", "yes"), server.directory());
        assert_eq!(there, digest, "{threads} threads, redis-server");
    }
    connection.ok("CONFIG SET rdb-save-threads 3");
    connection.ok("SAVE");
    assert_eq!(restart_in(server.directory()).connect().run("DBSIZE"), connection.run("DBSIZE"));
    connection.ok("DEBUG RELOAD");
    assert_eq!(connection.run("DEBUG DIGEST").text(), digest);
    assert!(temporary(&server).is_empty());
}

#[test]
fn a_limited_save_takes_its_time_shows_its_threads_and_can_be_cancelled() {
    let server = Start::tintype().with("--save", "").with("--enable-debug-command", "yes").spawn();
    let mut connection = server.connect();
    fill_all(&mut connection);
    connection.ok("CONFIG SET rdbcompression no rdb-save-threads 3 rdb-save-max-mbps 40");
    let start = now();
    save_well(&mut connection);
    let bytes = fs::metadata(server.path("dump.rdb")).expect("the file").len();
    let due = Duration::from_nanos(bytes * 1000 / 40);
    assert!(start.elapsed() > due * 9 / 10, "{:?} for {bytes} bytes", start.elapsed());
    // Now it would take a minute.
    connection.ok("CONFIG SET rdb-save-max-mbps 1");
    assert_eq!(connection.run("BGSAVE"), Value::Simple("Background saving started".into()));
    let mut most_threads = 0;
    let is_under_way = || {
        let tasks = |pid: &u32| fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        most_threads = process::children(server.pid()).iter().map(tasks).max().unwrap_or(0).max(most_threads);
        most_threads == 4 && connection.info_number("current_save_keys_processed") > 0
    };
    assert!(
        holds_within(Duration::from_secs(20), is_under_way),
        "three that walk, one that waits: {most_threads}"
    );
    assert!(connection.info_number("current_cow_size") > 0);
    assert!(connection.info_number("current_save_keys_processed") < 50_000);
    // SAVE is for people who wait.
    let start = now();
    connection.run("BGSAVE CANCEL");
    wait_for_save_end(&mut connection);
    wait_for("the temporary file to go", || temporary(&server).is_empty());
    connection.ok("SAVE");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}
