//! What a reviewer would try to break: orders that come at the wrong moment, names that no one expects, and a catalogue
//! that is anything but one.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use crate::support::server::is_stand_in;
use crate::support::{Connection, Server, Start, Value, now, process, unix_ms, wait_for};
use crate::tools::{
    keys_in, no_delay, save_well, start_slow_save, temporary, wait_for_save_end, with_save_points,
};
use std::time::Duration;

fn keeping(count: &str) -> Start {
    Start::tintype()
        .with("--save", "")
        .with("--snapshot-keep", count)
        .with("--enable-protected-configs", "yes")
}

/// Saves datasets of so many keys, one after the other.
#[track_caller]
fn save_each(connection: &mut Connection, counts: std::ops::RangeInclusive<usize>) {
    for count in counts {
        connection.ok(&format!("SET key:{count} {count}"));
        connection.ok("SAVE");
    }
}

/// One field of all snapshots, the newest first.
#[track_caller]
fn field(connection: &mut Connection, name: &str) -> Vec<String> {
    let of = |snapshot: &Value| {
        let fields = snapshot.elements();
        let at = fields.iter().position(|field| field.text() == name).expect("the field");
        fields[at + 1].text()
    };
    connection.run("SNAPSHOT LIST").elements().iter().map(of).collect()
}

/// Files of a directory that are neither a catalogue nor a directory.
fn snapshots_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let names = files.map(|entry| entry.file_name().into_string().expect("a name"));
    let mut names: Vec<_> =
        names.filter(|name| !name.ends_with("catalog") && !name.ends_with(".log")).collect();
    names.sort();
    names
}

// ----- at the wrong moment -----

#[test]
fn another_place_and_number_during_a_save_with_history() {
    if is_stand_in() {
        return;
    }
    let server = keeping("3").spawn();
    let mut connection = server.connect();
    let elsewhere = server.path("elsewhere");
    fs::create_dir(&elsewhere).expect("a directory");
    save_each(&mut connection, 1..=4);
    connection.ok("CONFIG SET rdb-key-save-delay 100000");
    connection.run("BGSAVE");
    connection.ok(&format!("CONFIG SET dir {} dbfilename other.rdb snapshot-keep 1", elsewhere.display()));
    assert_eq!(connection.run("SNAPSHOT LIST").elements().len(), 0, "there is nothing yet");
    wait_for_save_end(&mut connection);
    no_delay(&mut connection);
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    // The number is the one of the moment when the save has ended.
    wait_for("the oldest to go", || snapshots_in(server.directory()).len() == 2);
    assert_eq!(snapshots_in(&elsewhere), [""; 0]);
    save_each(&mut connection, 5..=7);
    assert_eq!((snapshots_in(&elsewhere).len(), snapshots_in(server.directory()).len()), (2, 2));
    assert_eq!(field(&mut connection, "keys"), ["7", "6"]);
    connection.ok(&format!("CONFIG SET dir {} dbfilename dump.rdb", server.directory().display()));
    assert_eq!(field(&mut connection, "keys"), ["4", "4"]);
    connection.ok("SAVE");
    assert_eq!(field(&mut connection, "keys"), ["7", "4"]);
    assert_eq!(connection.info("rdb_last_history_error"), "");
}

#[test]
fn a_restore_while_somebody_waits_for_a_save() {
    if is_stand_in() {
        return;
    }
    let server = keeping("5").spawn();
    let (mut connection, mut waiter) = (server.connect(), server.connect());
    save_each(&mut connection, 1..=3);
    let oldest = field(&mut connection, "id").pop().expect("an id");
    connection.ok("CONFIG SET rdb-key-save-delay 200000");
    waiter.send(b"BGSAVE WAIT\r\n");
    wait_for("the client to wait", || connection.info("blocked_clients") == "1");
    connection
        .run(&format!("SNAPSHOT RESTORE {oldest}"))
        .assert_error("ERR Background save already in progress");
    no_delay(&mut connection);
    assert_eq!(waiter.value().text(), "Background saving terminated with success");
    // The other way round: whichever comes first, both are answered and the dataset is one of the two.
    connection.send(format!("SNAPSHOT RESTORE {oldest}\r\n").as_bytes());
    waiter.send(b"BGSAVE WAIT\r\n");
    let (restored, saved) = (connection.value(), waiter.value());
    assert!(!saved.is_error(), "{saved:?}");
    let expected = if restored.is_error() { 3 } else { 1 };
    assert_eq!(connection.run("DBSIZE"), Value::Integer(expected), "{restored:?}");
    waiter.run("BGSAVE WAIT");
    assert_eq!(keys_in(server.directory()), expected);
}

#[test]
fn a_shutdown_while_snapshots_are_verified() {
    if is_stand_in() {
        return;
    }
    let mut server = keeping("3").with("--enable-debug-command", "yes").spawn();
    let mut connection = server.connect();
    connection.ok("DEBUG POPULATE 60000 key 200");
    (0..3).for_each(|_| connection.ok("SAVE"));
    let ids = field(&mut connection, "id");
    let mut readers: Vec<_> = ids.iter().map(|_| server.connect()).collect();
    for (reader, id) in readers.iter_mut().zip(&ids) {
        reader.send(format!("SNAPSHOT VERIFY {id}\r\n").as_bytes());
    }
    connection.ok("SET more 1");
    let start = now();
    connection.send(b"SHUTDOWN SAVE\r\n");
    assert!(server.wait_for_end().success());
    assert!(start.elapsed() < Duration::from_secs(20));
    for reader in &mut readers {
        let said = String::from_utf8_lossy(&reader.until_closed()).into_owned();
        assert!(said.is_empty() || said == "+OK\r\n", "{said}");
    }
    assert_eq!(keys_in(server.directory()), 60_001);
}

#[test]
fn flushall_async_during_a_save_with_history() {
    if is_stand_in() {
        return;
    }
    let mut server = with_save_points().with("--snapshot-keep", "2").spawn();
    let mut connection = server.connect();
    save_each(&mut connection, 1..=2);
    let child = start_slow_save(&server, &mut connection);
    no_delay(&mut connection);
    connection.ok("FLUSHALL ASYNC");
    wait_for("the child to go", || !process::is_alive(child));
    wait_for_save_end(&mut connection);
    assert_eq!((temporary(&server), connection.run("DBSIZE")), (vec![], Value::Integer(0)));
    assert_eq!(field(&mut connection, "keys"), ["0", "2", "1"]);
    server.kill();
    let server = with_save_points().with("--snapshot-keep", "2").in_directory(server.directory()).spawn();
    let mut connection = server.connect();
    assert_eq!(connection.run("DBSIZE"), Value::Integer(0), "what was flushed does not come back");
    let id = field(&mut connection, "id").swap_remove(1);
    connection.ok(&format!("SNAPSHOT RESTORE {id}"));
    assert_eq!(connection.run("DBSIZE"), Value::Integer(2));
}

// ----- names -----

#[test]
fn any_name_has_a_history() {
    if is_stand_in() {
        return;
    }
    let names = [
        "with space.rdb".into(),
        "no-suffix".into(),
        "\u{fc}n\u{ef}c\u{f6}de-\u{20ac}.rdb".into(),
        "-dash.rdb".into(),
        ".rdb".into(),
        "dump.catalog".into(),
        // As a temp file is called.
        "temp-1-00000000000000ab.rdb".into(),
        format!("{}.rdb", "l".repeat(246)),
        "\u{20ac}".repeat(85),
    ];
    for name in &names {
        let mut server = keeping("1").spawn();
        let mut connection = server.connect();
        let set = connection.command(&["CONFIG", "SET", "dbfilename", name]);
        assert!(!set.is_error(), "{name}: {set:?}");
        save_each(&mut connection, 1..=2);
        connection.ok("SET key:3 3");
        save_well(&mut connection);
        assert_eq!(field(&mut connection, "keys"), ["3", "2"], "{name}");
        assert_eq!(connection.info("rdb_last_history_error"), "", "{name}");
        let id = field(&mut connection, "id").swap_remove(1);
        server.kill();
        let config = server.path("redis.conf");
        fs::write(&config, format!("dbfilename \"{name}\"\nsave 3600 100000\n")).expect("a file");
        let again = Start::tintype().in_directory(server.directory()).config_file(&config).spawn();
        let mut connection = again.connect();
        assert_eq!(connection.run("DBSIZE"), Value::Integer(3), "{name}: {}", again.log());
        connection.ok(&format!("SNAPSHOT RESTORE {id}"));
        assert_eq!(connection.run("DBSIZE"), Value::Integer(2), "{name}");
        connection.ok("FLUSHALL");
        assert_eq!(field(&mut connection, "keys")[0], "0", "{name}");
        assert!(field(&mut connection, "keys").contains(&"2".to_owned()), "{name}");
        assert_eq!(connection.info("rdb_last_history_error"), "", "{name}");
    }
}

#[test]
fn a_symbolic_link_is_replaced_by_the_file() {
    if is_stand_in() {
        return;
    }
    let server = keeping("2").spawn();
    let mut connection = server.connect();
    symlink("/nowhere/at/all.rdb", server.path("dump.rdb")).expect("a link");
    save_each(&mut connection, 1..=1);
    assert!(fs::symlink_metadata(server.path("dump.rdb")).expect("a file").is_file(), "as Redis does");
    // One that leads to a snapshot: that is what is kept.
    fs::create_dir(server.path("real")).expect("a directory");
    fs::rename(server.path("dump.rdb"), server.path("real/dump.rdb")).expect("it is there");
    symlink("real/dump.rdb", server.path("dump.rdb")).expect("a link");
    let before = fs::read(server.path("real/dump.rdb")).expect("the file");
    connection.ok("SET key:2 2");
    save_well(&mut connection);
    assert!(fs::symlink_metadata(server.path("dump.rdb")).expect("a file").is_file());
    assert_eq!(fs::read(server.path("real/dump.rdb")).expect("untouched"), before);
    let kept = field(&mut connection, "file").swap_remove(1);
    assert_eq!(fs::read(server.path(&kept)).expect("the kept one"), before);
    assert_eq!(keys_in(server.directory()), 2);
}

#[test]
fn a_file_that_belongs_to_somebody_else() {
    if is_stand_in() || !nix::unistd::geteuid().is_root() {
        return;
    }
    let server = keeping("2").spawn();
    let mut connection = server.connect();
    save_each(&mut connection, 1..=1);
    std::os::unix::fs::chown(server.path("dump.rdb"), Some(12_345), Some(12_345)).expect("root may");
    save_each(&mut connection, 2..=2);
    assert_ne!(fs::metadata(server.path("dump.rdb")).expect("a file").uid(), 12_345);
    assert_eq!(field(&mut connection, "keys"), ["2", "1"]);
}

// ----- the catalogue -----

/// Whatever stands in the place of the catalogue, saves go on, and the history is what the directory says.
#[track_caller]
fn assert_goes_on(server: &Server, connection: &mut Connection, keys: usize, what: &str) {
    let start = now();
    assert_eq!(connection.run("SNAPSHOT LIST").elements().len(), 3, "{what}");
    connection.ok(&format!("SET key:{keys} {keys}"));
    save_well(connection);
    connection.ok("SAVE");
    assert_eq!(connection.run("SNAPSHOT LIST").elements().len(), 3, "{what}");
    assert_eq!(snapshots_in(server.directory()).len(), 3, "{what}");
    assert!(start.elapsed() < Duration::from_secs(5), "{what}: {:?}", start.elapsed());
    assert!(connection.info_number("rdb_snapshots_kept_bytes") > 0, "{what}");
    assert!(server.log().len() < 200_000, "{what}: the log is flooded");
}

#[test]
fn a_catalogue_that_is_none() {
    if is_stand_in() {
        return;
    }
    let server = keeping("2").spawn();
    let mut connection = server.connect();
    save_each(&mut connection, 1..=4);
    let catalog = server.path("dump.catalog");
    let text = fs::read_to_string(&catalog).expect("the catalogue");
    let (head, rest) = text.split_once('\n').expect("a first line");
    // Numbers at the edges of what can be read, in the lines of files that are there.
    let absurd: String =
        rest.lines().filter(|line| !line.starts_with('#')).fold(format!("{head}\n"), |text, line| {
            let fields: Vec<_> = line.split('\t').collect();
            let most = u64::MAX;
            let (id, time, file, kept) = (fields[0], fields[1], fields[2], fields[9]);
            let least = i64::MIN;
            text + &format!(
                "{id}\t{time}\t{file}\t{most}\t{most}\t65535\t{most}\t{most}\t-\t{kept}\t{least}\n"
            )
        });
    let many = format!("{head}\n{}# end 0\n", "x\n".repeat(500_000));
    let large = vec![b'#'; 100 << 20];
    let large_with_head = [head.as_bytes(), b"\n", &large].concat();
    let cases: [(&str, &[u8]); 5] = [
        ("absurd numbers", absurd.as_bytes()),
        ("lines without sense", many.as_bytes()),
        ("nothing but zeros", &[0; 5000]),
        ("100 MiB", &large),
        ("100 MiB that begin well", &large_with_head),
    ];
    for (count, (what, content)) in (5..).zip(cases) {
        fs::write(&catalog, content).expect("it can be written");
        assert_goes_on(&server, &mut connection, count, what);
        assert!(fs::metadata(&catalog).expect("a catalogue").len() < 10_000, "{what}: it was written again");
    }
    fs::remove_file(&catalog).expect("the catalogue");
    nix::unistd::mkfifo(&catalog, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    assert_goes_on(&server, &mut connection, 20, "a pipe");
    fs::remove_file(&catalog).expect("the catalogue");
    fs::create_dir(&catalog).expect("a directory");
    assert_goes_on(&server, &mut connection, 21, "a directory");
    let reason = connection.info("rdb_last_history_error");
    assert!(reason.contains("dump.catalog") && reason.contains("Is a directory"), "{reason}");
    assert_eq!(temporary(&server), [""; 0]);
    fs::remove_dir(&catalog).expect("it is empty");
    let before_s = unix_ms() / 1000;
    connection.ok("SAVE");
    assert_eq!(connection.info("rdb_last_history_error"), "");
    assert!(field(&mut connection, "time")[0].parse::<i64>().expect("a time") >= before_s);
}
