//! The history of snapshots: what is kept, what the catalogue knows, and what a start does with a damaged file.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use crate::support::{Connection, Server, Start, Value, Wait, unix_ms, wait_for};
use crate::tools::{save_well, with_save_points};

type Snapshot = BTreeMap<String, Value>;

fn keeping(count: &str) -> Start {
    Start::tintype().with("--save", "").with("--snapshot-keep", count)
}

/// SNAPSHOT LIST in RESP2.
#[track_caller]
fn list(connection: &mut Connection) -> Vec<Snapshot> {
    let snapshot = |value: &Value| {
        let elements = value.elements();
        elements.chunks(2).map(|pair| (pair[0].text(), pair[1].clone())).collect()
    };
    connection.run("SNAPSHOT LIST").elements().iter().map(snapshot).collect()
}

/// One field of all snapshots, the newest first.
#[track_caller]
fn field(connection: &mut Connection, name: &str) -> Vec<String> {
    list(connection).iter().map(|snapshot| snapshot[name].text()).collect()
}

/// Saves datasets of so many keys, one after the other.
#[track_caller]
fn save_each(connection: &mut Connection, counts: std::ops::RangeInclusive<usize>) {
    for count in counts {
        connection.ok(&format!("SET key:{count} {count}"));
        connection.ok("SAVE");
    }
}

#[track_caller]
fn size(connection: &mut Connection) -> i64 {
    connection.run("DBSIZE").integer()
}

fn snapshots_in(server: &Server) -> Vec<String> {
    server.files().into_iter().filter(|name| name.ends_with(".rdb")).collect()
}

/// Turns one byte in the middle of a file.
fn damage(path: &std::path::Path) {
    let mut bytes = fs::read(path).expect("a snapshot");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(path, bytes).expect("it can be written");
}

#[test]
fn snapshots_are_kept_listed_and_deleted() {
    let before_s = unix_ms() / 1000;
    let server = keeping("2").spawn();
    let mut connection = server.connect();
    assert_eq!(list(&mut connection).len(), 0);
    assert_eq!(server.files(), [""; 0]);
    save_each(&mut connection, 1..=2);
    for count in 3..=4 {
        connection.ok(&format!("SET key:{count} {count}"));
        save_well(&mut connection);
    }
    let snapshots = list(&mut connection);
    assert_eq!(field(&mut connection, "keys"), ["4", "3", "2"]);
    assert_eq!(field(&mut connection, "current"), ["yes", "no", "no"]);
    assert_eq!((snapshots_in(&server).len(), server.files().len()), (3, 4));
    for snapshot in &snapshots {
        let (id, file) = (snapshot["id"].text(), snapshot["file"].text());
        let bytes = fs::metadata(server.path(&file)).expect("its file").len();
        assert_eq!(snapshot["bytes"].integer() as u64, bytes);
        assert!(snapshot["time"].integer() >= before_s && snapshot["rdb-version"].integer() >= 10);
        assert!(snapshot["duration-ms"].integer() >= 0 && snapshot["crc64-xz"].text().len() == 16);
        assert!(file == "dump.rdb" || file.starts_with("dump-20") && file.ends_with(&format!("-{id}.rdb")));
        connection.ok(&format!("SNAPSHOT VERIFY {id}"));
    }
    assert!(snapshots[0]["fork-us"].integer() > 0 && snapshots[2]["fork-us"] == Value::Null);
    wait_for("INFO", || connection.info("rdb_snapshots_kept") == "2");
    let kept_bytes = snapshots[1]["bytes"].integer() + snapshots[2]["bytes"].integer();
    assert_eq!(connection.info_number("rdb_snapshots_kept_bytes"), kept_bytes);
    assert_eq!(connection.info("rdb_last_history_error"), "");
    let (current, oldest) = (snapshots[0]["id"].text(), snapshots[2]["id"].text());
    let refused = connection.run(&format!("SNAPSHOT DELETE {current}"));
    refused.assert_error(&format!("ERR Snapshot {current} is the current file, which the next start loads"));
    connection.ok(&format!("SNAPSHOT DELETE {oldest}"));
    connection
        .run(&format!("SNAPSHOT DELETE {oldest}"))
        .assert_error(&format!("ERR No snapshot with id {oldest}"));
    assert_eq!(field(&mut connection, "keys"), ["4", "3"]);
    connection.ok("CONFIG SET snapshot-keep 0");
    connection.ok("SAVE");
    assert_eq!(snapshots_in(&server), ["dump.rdb"]);
}

#[test]
fn answers_as_the_protocol_and_the_place_demand() {
    let server = keeping("2").spawn();
    let mut connection = server.connect();
    save_each(&mut connection, 1..=2);
    for line in ["SNAPSHOT VERIFY x", "SNAPSHOT RESTORE 0000000A", "SNAPSHOT DELETE 1"] {
        let text = "ERR Invalid snapshot id, eight lower-case hexadecimal digits are expected";
        connection.run(line).assert_error(text);
    }
    connection.run("SNAPSHOT VERIFY 00000000").assert_error("ERR No snapshot with id 00000000");
    assert!(connection.run("SNAPSHOT NOTHING").text().starts_with("ERR unknown subcommand 'NOTHING'"));
    assert!(connection.run("SNAPSHOT HELP").elements().len() > 8);
    connection.ok("MULTI");
    assert_eq!(connection.run("SNAPSHOT LIST").text(), "QUEUED");
    assert!(connection.run("SNAPSHOT VERIFY 00000000").is_error());
    assert!(connection.run("EXEC").text().starts_with("EXECABORT"));
    connection.ok("MULTI");
    connection.run("SNAPSHOT LIST");
    assert_eq!(connection.run("EXEC").elements()[0].elements().len(), 2);
    connection.run("HELLO 3");
    let Value::Map(pairs) = &connection.run("SNAPSHOT LIST").elements()[0] else { panic!("a map") };
    assert_eq!(pairs.len(), 10);
    // Others are served while one waits, and what waits in its own pipeline comes after.
    let id = pairs[0].1.text();
    connection.send(format!("SNAPSHOT VERIFY {id}\r\nPING\r\n").as_bytes());
    assert_eq!(server.connect().run("PING").text(), "PONG");
    assert_eq!((connection.value().text(), connection.value().text()), ("OK".into(), "PONG".into()));
}

#[test]
fn a_damaged_snapshot_is_told() {
    let server = keeping("3").spawn();
    let mut connection = server.connect();
    save_each(&mut connection, 1..=3);
    let snapshots = list(&mut connection);
    let (id, file) = (snapshots[1]["id"].text(), snapshots[1]["file"].text());
    let sound = fs::read(server.path(&file)).expect("its file");
    damage(&server.path(&file));
    let said = connection.run(&format!("SNAPSHOT VERIFY {id}")).text();
    assert!(said.starts_with(&format!("ERR Snapshot {id} ({file}) is damaged: ")), "{said}");
    let said = connection.run(&format!("SNAPSHOT RESTORE {id}")).text();
    assert!(said.contains("is damaged"), "{said}");
    assert_eq!((size(&mut connection), list(&mut connection).len()), (3, 3));
    fs::write(server.path(&file), &sound[..sound.len() - 9]).expect("it can be written");
    assert!(connection.run(&format!("SNAPSHOT VERIFY {id}")).is_error());
    // Sound, but another one.
    fs::copy(server.path("dump.rdb"), server.path(&file)).expect("a copy");
    let said = connection.run(&format!("SNAPSHOT VERIFY {id}")).text();
    assert!(said.contains("but was"), "{said}");
    fs::write(server.path(&file), sound).expect("it can be written");
    connection.ok(&format!("SNAPSHOT VERIFY {id}"));
}

#[test]
fn a_restored_snapshot_is_the_dataset_and_what_it_replaced_is_kept() {
    let mut server = keeping("0").with("--save", "3600 100000000").spawn();
    let mut connection = server.connect();
    connection.ok("CONFIG SET snapshot-keep 5");
    save_each(&mut connection, 1..=3);
    connection.ok("CONFIG SET snapshot-keep 0");
    connection.ok("SET unsaved 1");
    let first = list(&mut connection)[2]["id"].text();
    connection.ok("WATCH nothing");
    let mut watcher = server.connect();
    watcher.ok("WATCH key:3");
    connection.ok(&format!("SNAPSHOT RESTORE {first}"));
    watcher.ok("MULTI");
    assert_eq!(watcher.run("EXEC"), Value::Null);
    assert_eq!((size(&mut connection), connection.info("rdb_changes_since_last_save").as_str()), (1, "0"));
    assert!(server.path("dump.rdb").exists());
    let current = |connection: &mut Connection| {
        let snapshots = list(connection);
        let current: Vec<_> = snapshots.iter().filter(|one| one["current"].text() == "yes").collect();
        assert_eq!(current.len(), 1);
        current[0]["id"].text()
    };
    assert_eq!(current(&mut connection), first);
    // A crash right after it does not bring the old dataset back.
    server.kill();
    let server = keeping("0").in_directory(server.directory()).spawn();
    let mut connection = server.connect();
    assert_eq!((size(&mut connection), current(&mut connection)), (1, first.clone()));
    // A save under the rule 0 leaves the dataset that was replaced.
    connection.ok("SET again 1");
    connection.ok("SAVE");
    assert_eq!(field(&mut connection, "keys"), ["2", "4"]);
    let replaced = list(&mut connection)[1]["id"].text();
    connection.ok(&format!("SNAPSHOT RESTORE {replaced}"));
    assert_eq!(connection.run("GET unsaved").text(), "1");
    // The current file can be gone back to, too.
    connection.ok("SET unsaved 2");
    connection.ok(&format!("SNAPSHOT RESTORE {replaced}"));
    assert_eq!(connection.run("GET unsaved").text(), "1");
}

#[test]
fn the_catalogue_survives_a_crash_and_its_loss() {
    let mut server = keeping("2").spawn();
    let mut connection = server.connect();
    save_each(&mut connection, 1..=4);
    let before = list(&mut connection);
    server.kill();
    let mut server = keeping("2").in_directory(server.directory()).spawn();
    let mut connection = server.connect();
    assert_eq!(list(&mut connection), before);
    fs::remove_file(server.path("dump.catalog")).expect("the catalogue");
    assert_eq!(list(&mut connection).len(), 3);
    fs::remove_file(server.path("dump.catalog")).expect("it was written again");
    server.kill();
    let server = keeping("2").in_directory(server.directory()).spawn();
    let mut connection = server.connect();
    let found = list(&mut connection);
    assert_eq!(found.len(), 3);
    assert_eq!((&found[1]["id"], &found[2]["id"]), (&before[1]["id"], &before[2]["id"]));
    assert_eq!(found[1]["keys"], Value::Null);
    let id = found[1]["id"].text();
    connection.ok(&format!("SNAPSHOT VERIFY {id}"));
    let filled = &list(&mut connection)[1];
    assert_eq!(filled["crc64-xz"], before[1]["crc64-xz"]);
    assert_eq!((filled["keys"].integer(), &filled["rdb-version"]), (3, &before[1]["rdb-version"]));
    fs::write(server.path("dump.catalog"), "nonsense").expect("it can be written");
    assert_eq!(list(&mut connection).len(), 3);
    server.wait_for_log("it does not begin as a catalogue");
    save_each(&mut connection, 5..=5);
    assert_eq!(connection.info("rdb_last_history_error"), "");
    assert_eq!(
        (list(&mut connection).len(), list(&mut connection)[1]["id"].text()),
        (3, found[0]["id"].text())
    );
}

#[test]
fn flushall_keeps_the_last_file_that_holds_anything() {
    let server = with_save_points().spawn();
    let mut connection = server.connect();
    save_each(&mut connection, 1..=2);
    connection.ok("FLUSHALL");
    assert_eq!(field(&mut connection, "keys"), ["0", "2"]);
    connection.ok("FLUSHALL");
    connection.ok("SAVE");
    assert_eq!(field(&mut connection, "keys"), ["0", "2"]);
    save_each(&mut connection, 1..=1);
    assert_eq!(field(&mut connection, "keys"), ["1", "2"]);
    connection.ok("FLUSHALL");
    // Once: the older one has gone.
    assert_eq!(field(&mut connection, "keys"), ["0", "1"]);
    let id = list(&mut connection)[1]["id"].text();
    connection.ok(&format!("SNAPSHOT RESTORE {id}"));
    assert_eq!(connection.run("GET key:1").text(), "1");
}

/// A directory with three snapshots, whose current one is damaged.
fn damaged_directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let mut server = keeping("3").in_directory(directory.path()).spawn();
    let mut connection = server.connect();
    for count in 1..=3 {
        connection.ok(&format!("SET key:{count} {}", format!("{count}").repeat(50)));
        connection.ok("SAVE");
    }
    server.kill();
    damage(&directory.path().join("dump.rdb"));
    directory
}

#[test]
fn a_damaged_file_at_start_is_named_with_the_way_out() {
    let directory = damaged_directory();
    let damaged = fs::read(directory.path().join("dump.rdb")).expect("the file");
    let config = directory.path().join("my redis.conf");
    fs::write(&config, "save \"\"\n").expect("a file");
    let start = || Start::tintype().in_directory(directory.path()).config_file(&config);
    let mut server = start().wait(Wait::Nothing).spawn();
    assert_eq!(server.wait_for_end().code(), Some(1));
    let log = server.log();
    assert!(log.contains("dump.rdb is damaged: ") && log.contains(" at offset "), "{log}");
    assert!(log.contains("with 2 keys"), "{log}");
    let command = log.lines().find_map(|line| line.split("To start from it: ").nth(1)).expect("the command");
    assert!(command.contains("'") && command.contains("--dbfilename dump-20"), "{command}");
    assert_eq!(fs::read(directory.path().join("dump.rdb")).expect("untouched"), damaged);
    // The command does what it says.
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {command}")]).current_dir(directory.path());
    let mut child = shell.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("a shell");
    let answers = || Connection::try_tcp(server.port).is_ok();
    wait_for("the server to listen", answers);
    let mut connection = Connection::tcp(server.port);
    wait_for("the dataset", || connection.run("DBSIZE") == Value::Integer(2));
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn with_fallback_it_starts_from_the_newest_good_one() {
    let directory = damaged_directory();
    let damaged = fs::read(directory.path().join("dump.rdb")).expect("the file");
    let names = || {
        let entries = fs::read_dir(directory.path()).expect("the directory").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let mut server =
        Start::tintype().in_directory(directory.path()).with("--snapshot-fallback", "yes").spawn();
    server.wait_for_log("STARTING FROM AN OLDER SNAPSHOT");
    let mut connection = server.connect();
    assert_eq!(size(&mut connection), 2);
    let aside: Vec<_> = names().into_iter().filter(|name| name.starts_with("dump-damaged-")).collect();
    assert_eq!(aside.len(), 1);
    assert_eq!(fs::read(directory.path().join(&aside[0])).expect("the file"), damaged);
    assert_eq!(field(&mut connection, "current").iter().filter(|one| *one == "yes").count(), 1);
    connection.ok("SET more 1");
    connection.ok("SAVE");
    assert_eq!(fs::read(directory.path().join(&aside[0])).expect("still there"), damaged);
    server.kill();
    // Nothing good is left: it does not start.
    for name in names().iter().filter(|name| name.ends_with(".rdb")) {
        damage(&directory.path().join(name));
    }
    let start = Start::tintype().in_directory(directory.path()).with("--snapshot-fallback", "yes");
    let mut server = start.wait(Wait::Nothing).spawn();
    assert_eq!(server.wait_for_end().code(), Some(1));
    assert!(server.log().contains("There is no other good snapshot"), "{}", server.log());
}

#[test]
fn two_servers_in_one_directory_keep_to_themselves() {
    let directory = tempfile::tempdir().expect("a directory");
    let start = |name| keeping("2").in_directory(directory.path()).with("--dbfilename", name).spawn();
    let (one, other) = (start("dump.rdb"), start("dump-b.rdb"));
    let (mut first, mut second) = (one.connect(), other.connect());
    for count in 1..=4 {
        save_each(&mut first, count..=count);
        save_each(&mut second, count + 10..=count + 10);
    }
    assert_eq!(field(&mut first, "keys"), ["4", "3", "2"]);
    assert_eq!(field(&mut second, "keys"), ["4", "3", "2"]);
    assert!(field(&mut second, "file").iter().all(|name| name.starts_with("dump-b")));
    // Two with one name: whoever saves last has the current file, and nothing is lost but by the rule.
    let third = start("dump.rdb");
    let mut third = third.connect();
    third.ok("SET third 1");
    third.ok("SAVE");
    assert_eq!(field(&mut first, "keys"), ["5", "4", "3"]);
    first.ok("SAVE");
    assert_eq!(field(&mut first, "keys"), ["4", "5", "4"]);
    assert_eq!(field(&mut third, "keys"), ["4", "5", "4"]);
    for id in field(&mut third, "id") {
        third.ok(&format!("SNAPSHOT VERIFY {id}"));
    }
}
