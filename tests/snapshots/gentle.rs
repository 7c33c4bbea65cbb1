//! Saves that leave the machine to others: priorities and processors of the child, one save at a time among instances,
//! a child that is stuck, and reads that cost no memory while a child lives.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::{Connection, Server, Start, Value, Wait, holds_within, process, wait_for};
use crate::tools::{
    assert_refuses_writes, assert_writable, fill, keys_in, no_delay, pipeline, save_badly, save_well,
    start_slow_save, temporary, wait_for_save_end, with_save_points,
};

const STARTED: &str = "Background saving started";
const SCHEDULED: &str = "Background saving scheduled";

/// The class (2 best effort, 3 idle) and the level of a process's disk priority.
fn io_priority(pid: u32) -> (i64, i64) {
    const WHO_PROCESS: i32 = 1;
    // SAFETY: asks about a process, and touches no memory.
    let priority = unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_PROCESS, pid) };
    (priority >> 13, priority & 7)
}

fn status_line(pid: u32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("a living process");
    let line = text.lines().find_map(|line| line.strip_prefix(field)).expect("a known field");
    line.trim().to_owned()
}

/// The nice value: field 19 of /proc/<pid>/stat.
fn nice(pid: u32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a living process");
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    rest.split_whitespace().nth(16).and_then(|field| field.parse().ok()).expect("a number")
}

/// A processor that this process may use.
fn some_processor() -> String {
    let list = status_line(std::process::id(), "Cpus_allowed_list:");
    list.split([',', '-']).next_back().expect("at least one").to_owned()
}

#[test]
fn the_child_has_the_priorities_and_processors_it_was_given() {
    let processor = some_processor();
    let start = Start::tintype().with("--save", "").with("--bgsave-cpulist", &processor);
    let server = start.with("--bgsave-ionice", "best-effort-6").with("--bgsave-nice", "7").spawn();
    let mut connection = server.connect();
    assert_eq!(connection.run("CONFIG GET bgsave_cpulist").elements()[1].text(), processor);
    let child = start_slow_save(&server, &mut connection);
    wait_for("the child's manners", || io_priority(child) == (2, 6));
    assert_eq!((nice(child), status_line(child, "Cpus_allowed_list:")), (7, processor));
    assert_eq!(io_priority(server.pid()).0, 0, "the server keeps what it has");
    connection.run("BGSAVE CANCEL");
    wait_for_save_end(&mut connection);
    connection.ok("CONFIG SET bgsave-ionice idle bgsave-nice 19");
    let child = start_slow_save(&server, &mut connection);
    wait_for("the child's manners", || io_priority(child).0 == 3 && nice(child) == 19);
    connection.run("CONFIG SET bgsave-ionice realtime").assert_error(concat!(
        "ERR CONFIG SET failed (possibly related to argument 'bgsave-ionice') - argument(s) must be one of the ",
        "following: default, idle, best-effort-0, best-effort-1, best-effort-2, best-effort-3, best-effort-4, ",
        "best-effort-5, best-effort-6, best-effort-7",
    ));
    connection.run("CONFIG SET bgsave_cpulist 0").assert_error(
        "ERR CONFIG SET failed (possibly related to argument 'bgsave_cpulist') - can't set immutable config",
    );
}

#[test]
fn processors_that_are_not_there_cost_a_line_in_the_log() {
    let server = Server::start(&["--bgsave_cpulist", "1023", "--server-cpulist", "1022"]);
    server.wait_for_log("Can't run on the processors 1022 of server_cpulist: Invalid argument");
    save_well(&mut server.connect());
    server.wait_for_log("Can't run on the processors of bgsave_cpulist: Invalid argument");
}

#[test]
fn a_list_of_processors_that_is_none_stops_the_start() {
    for (list, reason) in [("0-", "must be a list of processors"), ("3-1", "must not go down")] {
        let start = Start::tintype().with("--bgsave-cpulist", list).wait(Wait::Nothing);
        let mut server = start.spawn();
        assert!(!server.wait_for_end().success());
        assert!(server.log().contains(reason), "{}", server.log());
    }
}

#[test]
fn the_loop_and_its_helpers_stay_on_their_processors() {
    let processor = some_processor();
    let server = Server::start(&["--server_cpulist", &processor]);
    assert_eq!(status_line(server.pid(), "Cpus_allowed_list:"), processor);
    let all = status_line(std::process::id(), "Cpus_allowed_list:");
    let tasks = fs::read_dir(format!("/proc/{}/task", server.pid())).expect("its threads").flatten();
    let others = tasks.filter(|task| task.file_name().to_str() != Some(&server.pid().to_string()));
    for task in others {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert!(list.is_none_or(|list| list.trim() == all), "{status}");
    }
}

fn waits(connection: &mut Connection) -> bool {
    connection.info("rdb_waiting_for_snapshot_lock") == "1"
}

#[test]
fn two_instances_take_turns() {
    let common = tempfile::tempdir().expect("a directory");
    let lock = common.path().join("lock");
    let lock = lock.to_str().expect("text");
    let first = Start::tintype().with("--save", "").with("--snapshot-lock", lock).spawn();
    let second = Start::tintype().with("--save", "1 1").with("--snapshot-lock", lock).spawn();
    let (mut one, mut two) = (first.connect(), second.connect());
    let child = start_slow_save(&first, &mut one);
    assert!(process::open_files(child).iter().any(|file| file == lock), "the child holds it, too");

    assert_eq!(two.run("BGSAVE"), Value::Simple(SCHEDULED.into()));
    assert!(waits(&mut two) && !waits(&mut one));
    assert_eq!(two.run("BGSAVE CANCEL"), Value::Simple("Scheduled background saving cancelled".into()));
    assert!(!waits(&mut two));
    two.ok("SET b 1");
    wait_for("the rule", || waits(&mut two));
    two.ok("SAVE");
    wait_for("nothing to wait for", || !waits(&mut two));
    two.ok("SET b 2");
    wait_for("the rule again", || waits(&mut two));
    assert_eq!(two.info_number("rdb_saves"), 1, "waiting is no attempt");

    one.run("BGSAVE CANCEL");
    wait_for("the second's turn", || !waits(&mut two));
    wait_for("its save", || two.info("rdb_changes_since_last_save") == "0");
    let log = second.log();
    let said = log.lines().filter(|line| line.contains("another instance holds")).count();
    assert_eq!(said, 3, "once each time: {log}");

    no_delay(&mut one);
    assert_eq!(one.run("BGSAVE"), Value::Simple(STARTED.into()));
    wait_for_save_end(&mut one);
    assert_eq!((keys_in(first.directory()), keys_in(second.directory())), (400, 1));
}

#[test]
fn the_lock_is_free_when_its_holder_was_killed() {
    let common = tempfile::tempdir().expect("a directory");
    let lock = common.path().join("lock");
    let lock = lock.to_str().expect("text");
    let mut first = Server::start(&["--snapshot-lock", lock]);
    let second = Server::start(&["--snapshot-lock", lock]);
    start_slow_save(&first, &mut first.connect());
    let mut two = second.connect();
    assert_eq!(two.run("BGSAVE"), Value::Simple(SCHEDULED.into()));
    first.kill();
    wait_for("the second's file", || second.path("dump.rdb").exists());
}

#[test]
fn a_lock_that_cannot_be_had_is_named() {
    let server = with_save_points().with("--snapshot-lock", "/nowhere/at/all").spawn();
    let mut connection = server.connect();
    let reply = save_badly(&mut connection);
    assert_eq!(reply, "ERR lock /nowhere/at/all: No such file or directory");
    assert_eq!(connection.info("rdb_last_bgsave_error"), "lock /nowhere/at/all: No such file or directory");
    assert_refuses_writes(&mut connection);
    server.wait_for_log("Can't save in background: lock /nowhere/at/all: No such file or directory");
    connection.ok("CONFIG SET snapshot-lock \"\"");
    save_well(&mut connection);
    assert_writable(&mut connection);
}

#[test]
fn a_child_that_is_stuck_is_killed() {
    let server = with_save_points().with("--child-timeout", "2").spawn();
    let mut connection = server.connect();
    let child = start_slow_save(&server, &mut connection);
    // Slow is not stuck: 50 ms a key.
    assert!(!holds_within(Duration::from_millis(4000), || !process::is_alive(child)), "it was at work");
    process::signal(child, Signal::SIGSTOP);
    wait_for_save_end(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "err");
    let reason = connection.info("rdb_last_bgsave_error");
    assert!(
        reason.ends_with("/dump.rdb: the child made no progress for 2 seconds (child-timeout)"),
        "{reason}"
    );
    assert!(connection.run("SET a 1").text().contains(&reason));
    assert_eq!(temporary(&server), Vec::<String>::new());
    assert!(!process::is_alive(child));
    server.wait_for_log("makes no progress. Killing it!");
    no_delay(&mut connection);
    save_well(&mut connection);
    assert_writable(&mut connection);
}

#[test]
fn without_a_timeout_a_child_may_stand_still() {
    let server = Server::start(&["--child-timeout", "0"]);
    let mut connection = server.connect();
    let child = start_slow_save(&server, &mut connection);
    process::signal(child, Signal::SIGSTOP);
    assert!(!holds_within(Duration::from_millis(1500), || !process::is_alive(child)));
    connection.ok("CONFIG SET child-timeout 1");
    wait_for_save_end(&mut connection);
    fill(&mut connection, 1, 1);
}

/// Sets or reads `count` keys, many at a time.
fn touch_all(connection: &mut Connection, count: usize, line: impl Fn(usize) -> String) {
    const AT_ONCE: usize = 1000;
    for from in (0..count).step_by(AT_ONCE) {
        let lines: Vec<String> = (from..count.min(from + AT_ONCE)).map(&line).collect();
        connection.send(&pipeline(&lines));
        lines.iter().for_each(|line| assert!(!connection.value().is_error(), "{line}"));
    }
}

/// The bytes that a save copies while `meanwhile` goes on; the child stands still for so long.
fn copied_bytes(
    server: &Server,
    connection: &mut Connection,
    meanwhile: impl FnOnce(&mut Connection),
) -> i64 {
    assert_eq!(connection.run("BGSAVE"), Value::Simple(STARTED.into()));
    let child = process::children(server.pid())[0];
    process::signal(child, Signal::SIGSTOP);
    meanwhile(connection);
    process::signal(child, Signal::SIGCONT);
    wait_for_save_end(connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    connection.info_number("rdb_last_cow_size")
}

/// Neither the clock of the least recently used nor the counters of the most frequently used move while a child lives.
#[test]
fn reads_copy_nothing_while_a_child_lives() {
    const KEYS: usize = 100_000;
    /// Buffers, counters, the stack.
    const SLACK_BYTES: i64 = 1 << 20;
    let start = Start::tintype().with("--save", "").with("--enable-debug-command", "yes");
    let server = start.with("--latency-tracking", "no").spawn();
    let mut connection = server.connect();
    connection.ok(&format!("DEBUG POPULATE {KEYS} key 100"));
    connection.ok("CONFIG SET rdb-key-save-delay -50");
    let read = |connection: &mut Connection| touch_all(connection, KEYS, |n| format!("GET key:{n}"));
    for policy in ["allkeys-lru", "allkeys-lfu"] {
        connection.ok(&format!("CONFIG SET maxmemory-policy {policy}"));
        read(&mut connection);
        let base = copied_bytes(&server, &mut connection, |_| {});
        let reading = copied_bytes(&server, &mut connection, read);
        assert!(reading < base + SLACK_BYTES, "{policy}: {reading} bytes, {base} without reads");
    }
    let writing = copied_bytes(&server, &mut connection, |connection| {
        touch_all(connection, KEYS, |n| format!("SETRANGE key:{n} 0 x"));
    });
    assert!(writing > 8 * SLACK_BYTES, "writes copy: {writing}");
}

/// What a save under writes has split is put together again.
#[test]
fn split_pages_are_repaired_after_a_save() {
    const KEYS: usize = 200_000;
    let start = Start::tintype().with("--save", "").with("--enable-debug-command", "yes");
    let server = start.with("--huge-pages", "yes").spawn();
    let mut connection = server.connect();
    if connection.info("huge_pages") != "enabled" {
        return;
    }
    connection.ok(&format!("DEBUG POPULATE {KEYS} key 200"));
    connection.ok("CONFIG SET rdb-key-save-delay -50");
    copied_bytes(&server, &mut connection, |connection| {
        touch_all(connection, KEYS / 4, |n| format!("SETRANGE key:{} 0 x", n * 4));
    });
    wait_for("the end of the repair", || connection.info("huge_page_repair_in_progress") == "0");
    let (collapsed, refused) = (
        connection.info_number("huge_page_repair_collapsed"),
        connection.info_number("huge_page_repair_refused"),
    );
    assert!(collapsed + refused >= 10, "{collapsed} put together, {refused} refused");
    if refused == 0 {
        assert_eq!(connection.info("mem_split_page_bytes"), "0");
        connection.ok("CONFIG SET rdb-key-save-delay 0");
        save_well(&mut connection);
        wait_for("the end of the repair", || connection.info("huge_page_repair_in_progress") == "0");
        assert!(connection.info_number("huge_page_repair_collapsed") < collapsed / 2, "little was left");
    }
}
