//! Snapshots when things go wrong, and exactly what is in them when things go well.
//!
//! Faults are real: signals, full disks, missing and forbidden directories. A full disk is a small tmpfs where mounting
//! is allowed and a file size limit everywhere, so that every machine tests it. `rdb-key-save-delay` makes saves slow
//! enough to be interrupted.

#[path = "snapshots/crash.rs"]
mod crash;
#[path = "snapshots/full_disk.rs"]
mod full_disk;
#[path = "snapshots/gentle.rs"]
mod gentle;
#[path = "snapshots/history.rs"]
mod history;
#[path = "snapshots/load_threads.rs"]
mod load_threads;
#[path = "snapshots/meanwhile.rs"]
mod meanwhile;
#[path = "snapshots/neighbours.rs"]
mod neighbours;
#[path = "snapshots/shutdown.rs"]
mod shutdown;
#[path = "snapshots/sums.rs"]
mod sums;
pub mod support;
#[path = "snapshots/threads.rs"]
mod threads;
#[path = "snapshots/tools.rs"]
mod tools;
#[path = "snapshots/trouble.rs"]
mod trouble;
#[path = "snapshots/waiting.rs"]
mod waiting;

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use support::server::is_stand_in;
use support::{Server, Start, Value, Wait, holds_within, process, unix_ms, wait_for};
use tools::{
    assert_gone_within, assert_reason_everywhere, assert_refuses_writes, assert_writable, fill, fill_large,
    keys_in, no_delay, pipeline, restart_in, save_badly, save_well, start_slow_save, temporary,
    wait_for_save_end, with_save_points,
};

#[test]
fn a_killed_child_stops_writes_until_a_save_succeeds() {
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    let child = start_slow_save(&server, &mut connection);
    process::signal(child, Signal::SIGKILL);
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "err");
    assert_refuses_writes(&mut connection);
    wait_for("the temporary file to go", || temporary(&server).is_empty());
    server.wait_for_log("Background saving terminated by signal 9");
    connection.ok("CONFIG SET stop-writes-on-bgsave-error no");
    assert_writable(&mut connection);
    connection.ok("CONFIG SET stop-writes-on-bgsave-error yes");
    assert_refuses_writes(&mut connection);
    no_delay(&mut connection);
    save_well(&mut connection);
    assert_writable(&mut connection);
    assert_eq!(keys_in(server.directory()), 400);
}

/// The child dies in the middle of a large value, as soon as a part of it is in its file.
#[test]
fn a_save_that_dies_inside_a_large_value_leaves_the_old_file() {
    const ATTEMPTS: usize = 20;
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    connection.ok("SET old good");
    connection.ok("SAVE");
    let good = fs::read(server.path("dump.rdb")).expect("the saved file");
    fill_large(&mut connection, 60_000);
    let has_begun = || {
        let size = |name: &String| fs::metadata(server.path(name)).map_or(0, |metadata| metadata.len());
        temporary(&server).first().is_some_and(|name| size(name) > 0)
    };
    let died = (0..ATTEMPTS).any(|_| {
        fs::write(server.path("dump.rdb"), &good).expect("a file");
        assert_eq!(connection.run("BGSAVE"), Value::Simple("Background saving started".into()));
        // A save that is quicker than this looks is tried again.
        let began = holds_within(Duration::from_secs(5), has_begun);
        process::children(server.pid()).iter().for_each(|child| process::signal(*child, Signal::SIGKILL));
        wait_for_save_end(&mut connection);
        began && connection.info("rdb_last_bgsave_status") == "err"
    });
    assert!(died, "no save was caught in the act");
    assert_eq!(fs::read(server.path("dump.rdb")).expect("still there"), good, "the old file changed");
    wait_for("the temporary file to go", || temporary(&server).is_empty());
    save_well(&mut connection);
    assert_eq!(keys_in(server.directory()), 5);
}

#[test]
fn without_save_points_a_killed_child_stops_nothing() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let child = start_slow_save(&server, &mut connection);
    process::signal(child, Signal::SIGKILL);
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "err");
    assert_writable(&mut connection);
}

#[test]
fn a_removed_directory_is_named() {
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    let gone = server.path("gone");
    fs::create_dir(&gone).expect("a directory");
    connection.ok(&format!("CONFIG SET dir {}", gone.display()));
    fs::remove_dir(&gone).expect("it was empty");
    fill(&mut connection, 10, 10);
    save_badly(&mut connection);
    assert_refuses_writes(&mut connection);
    if !is_stand_in() {
        let path = gone.to_string_lossy();
        assert_reason_everywhere(&server, &mut connection, &path, &["No such file or directory"]);
    }
    connection.ok(&format!("CONFIG SET dir {}", server.directory().display()));
    save_well(&mut connection);
    assert_writable(&mut connection);
    assert_eq!(keys_in(server.directory()), 10);
}

/// Not even root may create files in /sys.
#[test]
fn a_forbidden_directory_is_named() {
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    connection.ok("CONFIG SET dir /sys");
    connection.ok("SET a 1");
    save_badly(&mut connection);
    assert_refuses_writes(&mut connection);
    if !is_stand_in() {
        let errnos = ["Permission denied", "Read-only file system", "Operation not permitted"];
        assert_reason_everywhere(&server, &mut connection, "/sys", &errnos);
    }
    connection.ok(&format!("CONFIG SET dir {}", server.directory().display()));
    connection.ok("SAVE");
    assert_writable(&mut connection);
}

#[test]
fn a_directory_in_the_place_of_the_file() {
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    connection.ok("SET a 1");
    fs::create_dir(server.path("dump.rdb")).expect("a directory");
    assert!(connection.run("SAVE").is_error());
    save_badly(&mut connection);
    assert_refuses_writes(&mut connection);
    if !is_stand_in() {
        assert_reason_everywhere(&server, &mut connection, "dump.rdb", &["Is a directory"]);
    }
    assert_eq!(temporary(&server), Vec::<String>::new());
    fs::remove_dir(server.path("dump.rdb")).expect("it was empty");
    save_well(&mut connection);
    assert_writable(&mut connection);
}

#[test]
fn a_killed_parent_takes_its_child_along() {
    let mut server = Server::start(&[]);
    let mut connection = server.connect();
    connection.ok("SET old good");
    connection.ok("SAVE");
    let before = fs::read(server.path("dump.rdb")).expect("the saved file");
    let child = start_slow_save(&server, &mut connection);
    server.kill();
    if !is_stand_in() {
        assert_gone_within(child, Duration::from_secs(2));
    } else if process::is_alive(child) {
        process::signal(child, Signal::SIGKILL);
        assert_gone_within(child, Duration::from_secs(2));
    }
    assert_eq!(fs::read(server.path("dump.rdb")).expect("still there"), before, "the old file changed");
    let again = restart_in(server.directory());
    let mut connection = again.connect();
    assert_eq!(connection.run("GET old").text(), "good");
    assert_eq!(connection.run("DBSIZE"), Value::Integer(1));
    if !is_stand_in() {
        assert_eq!(again.files(), ["dump.catalog", "dump.rdb"], "what the crash left is swept at start");
    }
}

#[test]
fn flushall_ends_the_save_and_is_no_failure() {
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    let child = start_slow_save(&server, &mut connection);
    no_delay(&mut connection);
    connection.ok("FLUSHALL");
    assert_gone_within(child, Duration::from_secs(1));
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    assert_writable(&mut connection);
    wait_for("the temporary file to go", || temporary(&server).is_empty());
    assert_eq!(connection.run("DBSIZE"), Value::Integer(0));
}

#[test]
fn flushall_without_save_points_keeps_the_file() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    fill(&mut connection, 5, 5);
    connection.ok("SAVE");
    connection.ok("FLUSHALL");
    assert_eq!(keys_in(server.directory()), 5);
}

#[test]
fn a_new_dir_during_a_save_confuses_nobody() {
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    let elsewhere = server.path("elsewhere");
    fs::create_dir(&elsewhere).expect("a directory");
    fill(&mut connection, 100, 10);
    connection.ok("CONFIG SET rdb-key-save-delay 5000");
    connection.run("BGSAVE");
    connection.ok(&format!("CONFIG SET dir {} dbfilename other.rdb", elsewhere.display()));
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    // The history is entered by another thread.
    wait_for("the save to be where it began", || server.files() == ["dump.catalog", "dump.rdb", "elsewhere"]);
    assert_eq!(fs::read_dir(&elsewhere).expect("a directory").count(), 0);
    assert_eq!(keys_in(server.directory()), 100);
    no_delay(&mut connection);
    save_well(&mut connection);
    assert!(elsewhere.join("other.rdb").exists());
}

/// Writes go on in one pipeline around BGSAVE; the file must hold exactly what was written before it.
#[test]
fn a_save_is_the_keyspace_of_one_instant() {
    const BEFORE: usize = 4_000;
    const AFTER: usize = 20_000;
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let step = |n: usize| {
        let pair = n % 500;
        let late = if n >= BEFORE { format!("SET late:{n} x") } else { format!("SET early:{n} {n}") };
        ["MULTI".into(), "INCR total".into(), format!("INCR left:{pair}"), format!("INCR right:{pair}"), late]
            .into_iter()
            .chain([format!("DEL early:{}", n.wrapping_sub(BEFORE)), "EXEC".into()])
            .collect::<Vec<String>>()
    };
    connection.ok("CONFIG SET rdb-key-save-delay 100");
    let before: Vec<_> = (0..BEFORE).flat_map(step).collect();
    let after: Vec<_> = (BEFORE..BEFORE + AFTER).flat_map(step).collect();
    let lines = [before, vec!["BGSAVE".into()], after].concat();
    let request = pipeline(&lines);
    let mut writer = connection.writer();
    let writing = std::thread::spawn(move || std::io::Write::write_all(&mut writer, &request));
    let replies: Vec<_> = lines.iter().map(|_| connection.value()).collect();
    writing.join().expect("the writing thread").expect("all is taken");
    assert_eq!(replies[BEFORE * 7], Value::Simple("Background saving started".into()));
    assert!(replies.iter().all(|reply| !reply.is_error()));
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    let saved = restart_in(server.directory());
    let mut saved = saved.connect();
    assert_eq!(saved.run("GET total").text(), BEFORE.to_string());
    for pair in 0..500 {
        let sides = saved.run(&format!("MGET left:{pair} right:{pair}")).elements();
        assert_eq!(sides[0], sides[1], "pair {pair}");
        assert_eq!(sides[0].text(), (BEFORE / 500).to_string());
    }
    assert_eq!(saved.run("DBSIZE"), Value::Integer(1 + 2 * 500 + BEFORE as i64));
}

#[test]
fn save_rules_fire() {
    let server = Start::tintype().with("--save", "1 2").spawn();
    let mut connection = server.connect();
    connection.ok("SET a 1");
    assert!(
        !holds_within(Duration::from_millis(1_500), || server.path("dump.rdb").exists()),
        "one change fired it"
    );
    connection.ok("SET b 1");
    wait_for("the rule to fire", || server.path("dump.rdb").exists());
    server.wait_for_log("2 changes in 1 seconds. Saving...");
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_changes_since_last_save"), "0");
    connection.ok("CONFIG SET save \"\"");
    assert_eq!(connection.run("CONFIG GET save").elements()[1].text(), "");
}

#[test]
fn replies_of_save_and_bgsave() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let started = Value::Simple("Background saving started".into());
    connection.run("BGSAVE FOO").assert_error("ERR syntax error");
    assert_eq!(connection.run("BGSAVE SCHEDULE"), started);
    wait_for_save_end(&mut connection);
    connection.ok("SAVE");
    let child = start_slow_save(&server, &mut connection);
    let busy = "ERR Background save already in progress";
    connection.run("BGSAVE").assert_error(busy);
    connection.run("BGSAVE SCHEDULE").assert_error(busy);
    connection.run("SAVE").assert_error(busy);
    connection.ok("MULTI");
    connection.run("SAVE").assert_error("ERR Command not allowed inside a transaction");
    connection.run("EXEC").assert_error("EXECABORT Transaction discarded because of previous errors.");
    if !is_stand_in() {
        assert_eq!(connection.run("BGSAVE CANCEL"), Value::Simple("Background saving cancelled".into()));
        assert_gone_within(child, Duration::from_secs(1));
        wait_for_save_end(&mut connection);
        assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
        assert_eq!(temporary(&server), Vec::<String>::new());
        let idle = "ERR Background saving is currently not in progress or scheduled";
        connection.run("BGSAVE CANCEL").assert_error(idle);
    }
}

#[test]
fn bgsave_in_a_transaction_is_scheduled() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    ["MULTI", "SET a 1", "BGSAVE"].iter().for_each(|line| drop(connection.run(line)));
    let replies = connection.run("EXEC").elements();
    assert_eq!(replies[1], Value::Simple("Background saving scheduled".into()));
    wait_for("the scheduled save", || server.path("dump.rdb").exists());
    wait_for_save_end(&mut connection);
    assert_eq!(keys_in(server.directory()), 1);
}

#[test]
fn numbers_of_a_save() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let at_start = connection.run("LASTSAVE").integer();
    assert!((unix_ms() / 1000 - at_start).abs() <= 5);
    assert_eq!(connection.info("rdb_last_bgsave_time_sec"), "-1");
    fill(&mut connection, 300, 10);
    assert_eq!(connection.info("rdb_changes_since_last_save"), "300");
    connection.ok("CONFIG SET rdb-key-save-delay 10000");
    connection.run("BGSAVE");
    assert_eq!(connection.info("rdb_bgsave_in_progress"), "1");
    assert_eq!(connection.info("current_save_keys_total"), "300");
    connection.ok("SET during 1");
    wait_for("progress", || connection.info_number("current_save_keys_processed") > 0);
    assert!(connection.info_number("current_save_keys_processed") <= 300);
    assert!(connection.info_number("rdb_current_bgsave_time_sec") >= 0);
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_changes_since_last_save"), "1", "what came later is not saved");
    assert!(connection.info_number("rdb_last_bgsave_time_sec") >= 2);
    assert!(connection.info_number("latest_fork_usec") > 0);
    assert_eq!(connection.info("total_forks"), "1");
    assert!(connection.run("LASTSAVE").integer() > at_start);
}

#[test]
fn the_child_holds_no_client() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let mut victim = server.connect();
    victim.run("PING");
    let child = start_slow_save(&server, &mut connection);
    assert!(process::command_line(child).contains("redis-rdb-bgsave"), "{}", process::command_line(child));
    if is_stand_in() {
        // The oracle's child does hold them, and its victims stay connected until the save ends.
        return;
    }
    let sockets = process::open_files(child).iter().filter(|file| file.contains("socket")).count();
    assert_eq!(sockets, 0, "{:?}", process::open_files(child));
    assert_eq!(process::threads(child), 1);
    let start = support::now();
    connection.ok(&format!("CLIENT KILL 127.0.0.1:{}", victim.own_port()));
    victim.until_closed();
    assert!(start.elapsed() < Duration::from_secs(1), "the child kept the socket for {:?}", start.elapsed());
}

#[test]
fn debug_reload_keeps_everything() {
    let server = Server::start(&["--enable-debug-command", "yes"]);
    let mut connection = server.connect();
    connection.ok("DEBUG POPULATE 990");
    for line in [
        "RPUSH list a 1 c",
        "SADD ints 1 2 3",
        "SADD set a 1",
        "ZADD zset 1 a 2.5 b",
        "HSET hash f v g 1",
        "HSET expiring-fields f v g w",
        "HPEXPIREAT expiring-fields 4000000000000 FIELDS 1 f",
        "XADD stream 1-1 f v",
        "XGROUP CREATE stream g 0",
        "XREADGROUP GROUP g c STREAMS stream >",
        "PFADD hll a b c",
        "GEOADD places 13.361389 38.115556 Palermo",
    ] {
        assert!(!connection.run(line).is_error(), "{line}");
    }
    let large = |head: &str, text: &dyn Fn(usize) -> String| {
        let elements: Vec<String> = (0..2000).map(text).collect();
        format!("{head} {}", elements.join(" "))
    };
    connection.run(&large("RPUSH large-list", &|at| format!("element:{at}")));
    connection.run(&large("SADD large-set", &|at| format!("member:{at}")));
    connection.run(&large("ZADD large-zset", &|at| format!("{at}.5 member:{at}")));
    connection.run(&large("HSET large-hash", &|at| format!("field:{at} {at}")));
    connection.ok("SET expiring 1 PXAT 4000000000000");
    connection.ok("SELECT 5");
    connection.ok("SET five 5");
    let before = connection.run("DEBUG DIGEST").text();
    for reload in ["DEBUG RELOAD", "DEBUG RELOAD NOSAVE", "DEBUG RELOAD NOFLUSH MERGE", "DEBUG RELOAD MERGE"]
    {
        connection.ok(reload);
        assert_eq!(connection.run("DEBUG DIGEST").text(), before, "{reload}");
    }
    assert_eq!(connection.run("GET five").text(), "5");
    connection.ok("SELECT 0");
    assert_eq!(connection.run("DBSIZE"), Value::Integer(990 + 9 + 4 + 1));
    assert_eq!(
        connection.run("HPEXPIRETIME expiring-fields FIELDS 1 f").elements()[0].integer(),
        4_000_000_000_000
    );
    assert_eq!(connection.run("XPENDING stream g").elements()[0].integer(), 1);
    assert_eq!(connection.run("PEXPIRETIME expiring"), Value::Integer(4_000_000_000_000));
}

#[test]
fn clients_are_served_while_a_file_loads() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    fill(&mut connection, 1_000, 100);
    connection.ok("SAVE");
    let start = Start::tintype().with("--save", "").in_directory(server.directory()).wait(Wait::Listening);
    let start =
        start.with("--key-load-delay", "2000").with("--loading-process-events-interval-bytes", "1024");
    let loading = start.spawn();
    let mut connection = loading.connect();
    connection.run("GET key:1").assert_error("LOADING Redis is loading the dataset in memory");
    connection.run("SET a 1").assert_error("LOADING Redis is loading the dataset in memory");
    assert_eq!(connection.info("loading"), "1");
    let progress = connection.info_number("loading_loaded_bytes");
    wait_for("progress", || {
        connection.info("loading") == "0" || connection.info_number("loading_loaded_bytes") > progress
    });
    wait_for("the end of loading", || connection.info("loading") == "0");
    assert_eq!(connection.run("DBSIZE"), Value::Integer(1_000));
    assert_eq!(connection.info("rdb_last_load_keys_loaded"), "1000");
}
