//! Two instances in one directory: with names of their own they do not meet, with one name by mistake every file is
//! still whole, and neither sweeps what the other is writing.

use std::path::Path;
use std::time::Duration;

use crate::support::server::is_stand_in;
use crate::support::{Connection, Server, Start, Value, now, wait_for};
use crate::tools::{fill, no_delay, start_slow_save, temporary, wait_for_save_end};

const FOR: Duration = Duration::from_millis(2500);
const KEYS: usize = 300;

fn start(directory: &Path, file: &str) -> (Server, Connection) {
    let start = Start::tintype().with("--save", "").with("--dbfilename", file).with("--snapshot-keep", "2");
    let server = start.in_directory(directory).spawn();
    let connection = server.connect();
    (server, connection)
}

/// Saves again and again, one way and the other; what is saved is always `KEYS` keys and the name of its owner.
fn save_for_a_while(mut connection: Connection, name: &str) {
    fill(&mut connection, KEYS, 50);
    connection.ok(&format!("SET owner {name}"));
    let start = now();
    while start.elapsed() < FOR {
        connection.ok("SAVE");
        let reply = connection.run("BGSAVE WAIT");
        assert!(!reply.is_error(), "{reply:?}");
        assert!(!connection.run("INCR saves").is_error());
    }
}

/// The owner of a file, which must be whole.
#[track_caller]
fn owner_of(directory: &Path, file: &str) -> String {
    let server =
        Start::tintype().with("--save", "").with("--dbfilename", file).in_directory(directory).spawn();
    let mut connection = server.connect();
    assert!(connection.run("DBSIZE").integer() > KEYS as i64, "{file}");
    connection.run("GET owner").text()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

/// Both save at once; returns the names of their files.
fn save_together(directory: &Path, files: [&str; 2]) -> Vec<String> {
    let [(one, ones), (other, others)] = files.map(|file| start(directory, file));
    std::thread::scope(|scope| {
        scope.spawn(|| save_for_a_while(ones, "one"));
        scope.spawn(|| save_for_a_while(others, "other"));
    });
    // Each removes what is too much after its own saves, at its leisure.
    for server in [&one, &other] {
        let mut connection = server.connect();
        wait_for("the oldest snapshots to go", || connection.run("SNAPSHOT LIST").elements().len() == 3);
        assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    }
    drop((one, other));
    let names = names(directory);
    assert!(names.iter().all(|name| !name.starts_with("temp")), "{names:?}");
    names.into_iter().filter(|name| name.ends_with(".rdb")).collect()
}

#[test]
fn names_of_their_own() {
    if is_stand_in() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let files = save_together(directory.path(), ["dump.rdb", "dump-2.rdb"]);
    assert_eq!(files.len(), 6, "{files:?}");
    for file in &files {
        let owner =
            if file.starts_with("dump-2.rdb") || file.starts_with("dump-2-") { "other" } else { "one" };
        assert_eq!(owner_of(directory.path(), file), owner, "{file}");
    }
}

#[test]
fn one_name_by_mistake() {
    if is_stand_in() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let files = save_together(directory.path(), ["dump.rdb", "dump.rdb"]);
    assert!((3..=5).contains(&files.len()), "{files:?}");
    for file in &files {
        let owner = owner_of(directory.path(), file);
        assert!(["one", "other"].contains(&&*owner), "{file}: {owner}");
    }
}

#[test]
fn nobody_sweeps_what_the_other_writes() {
    if is_stand_in() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (server, mut connection) = start(directory.path(), "dump.rdb");
    start_slow_save(&server, &mut connection);
    let being_written = temporary(&server);
    assert_eq!(being_written.len(), 1);
    // What a crash has left.
    std::fs::write(directory.path().join("temp-1-00000000000000ab.rdb"), "x").expect("a file");
    for file in ["dump.rdb", "other.rdb"] {
        let (mut neighbour, mut its_connection) = start(directory.path(), file);
        its_connection.ok("SAVE");
        neighbour.kill();
        assert_eq!(temporary(&server), being_written, "its writer lives");
    }
    assert_eq!(connection.run("BGSAVE CANCEL"), Value::Simple("Background saving cancelled".into()));
    no_delay(&mut connection);
    wait_for_save_end(&mut connection);
    assert_eq!(temporary(&server), [""; 0]);
}
