//! kill -9 at any moment of a save: after every blow the file, its history and the catalogue are whole.
//!
//! The dataset keeps an invariant: `left` and `right` grow together, in one transaction with the key `generation`.
//! Every file that exists must be sound, carry equal counters, and be no older than the last save that was reported.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tintype::base::crc::Crc64Xz;
use tintype::object::Rules;
use tintype::rdb::{RdbError, Reader, ReaderOptions, Record, Value as RdbValue};

use crate::support::{Connection, Server, Start, Value, holds_within, process};
use crate::tools::{fill, wait_for_save_end, with_save_points};

const ROUNDS: usize = 100;
const KEPT: usize = 3;
const KEYS: usize = 3_000;
/// Longer than a save of that dataset takes.
const BLOW_US_MAX: u64 = 60_000;

fn start_in(directory: &Path) -> Server {
    let start = Start::tintype().with("--save", "").with("--snapshot-keep", &KEPT.to_string());
    start.in_directory(directory).spawn()
}

#[track_caller]
fn write_generation(connection: &mut Connection, generation: usize) {
    for line in
        ["MULTI".into(), "INCR left".into(), format!("SET generation {generation}"), "INCR right".into()]
    {
        connection.run(&line);
    }
    assert_eq!(connection.run("EXEC").elements().len(), 3);
}

/// What a file says of the three keys that hold the invariant.
struct Content {
    left: i64,
    right: i64,
    generation: i64,
    keys: usize,
}

/// Reads a file to its end, checksum included.
#[track_caller]
fn read(path: &Path) -> Content {
    let bytes = fs::read(path).expect("a snapshot");
    let explain = |error: RdbError| format!("{}: {error}", path.display());
    let mut reader = Reader::new(&bytes[..], ReaderOptions::default()).map_err(explain).expect("a snapshot");
    let mut content = Content { left: 0, right: 0, generation: 0, keys: 0 };
    loop {
        match reader.next_record(&Rules::default()).map_err(explain).expect("a whole file") {
            Record::Key(record) => {
                content.keys += 1;
                if let RdbValue::Int(value) = record.value {
                    match record.key {
                        b"left" => content.left = value,
                        b"right" => content.right = value,
                        b"generation" => content.generation = value,
                        _ => {}
                    }
                }
            }
            Record::End { .. } => return content,
            _ => {}
        }
    }
}

/// The snapshots in a directory: the file and its history.
fn snapshots_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory").flatten().map(|entry| entry.path());
    let is_snapshot = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("dump") && name.ends_with(".rdb")
    };
    entries.filter(is_snapshot).collect()
}

/// Whatever happened: every file is whole, `dump.rdb` holds one of `generations`, and no more is kept than asked for.
/// One name more may stand for the same file: the link that was made before the blow came.
#[track_caller]
fn assert_files_are_whole(directory: &Path, generations: std::ops::RangeInclusive<usize>) {
    let files = snapshots_in(directory);
    let inodes: BTreeSet<u64> = files.iter().map(|path| fs::metadata(path).expect("a file").ino()).collect();
    assert!(inodes.len() <= KEPT + 2, "{files:?}");
    for path in &files {
        let content = read(path);
        assert_eq!(content.left, content.right, "{}", path.display());
        assert_eq!(content.keys, KEYS + 3, "{}", path.display());
    }
    let current = read(&directory.join("dump.rdb")).generation as usize;
    assert!(generations.contains(&current), "generation {current} is in the file, {generations:?} may be");
}

/// The catalogue names files that are there, with their size and their sum, the current one among them, each once.
#[track_caller]
fn assert_catalogue_is_true(directory: &Path, connection: &mut Connection) {
    let mut names = BTreeSet::new();
    let mut current = 0;
    for snapshot in connection.run("SNAPSHOT LIST").elements() {
        let fields = snapshot.elements();
        let field = |name: &str| {
            let at = fields.iter().step_by(2).position(|field| field.text() == name);
            fields[2 * at.unwrap_or_else(|| panic!("no field {name} in {fields:?}")) + 1].text()
        };
        let bytes = fs::read(directory.join(field("file"))).expect("the catalogue names files that exist");
        assert_eq!(field("bytes"), bytes.len().to_string());
        let mut sum = Crc64Xz::new();
        sum.update(&bytes);
        // Null where a crash came before the sum was noted: VERIFY fills it in.
        if field("crc64-xz") != "(nil)" {
            assert_eq!(field("crc64-xz"), format!("{:016X}", sum.value()), "{fields:?}");
        }
        current += usize::from(field("current") == "yes");
        assert!(names.insert(field("file")), "{fields:?} is listed twice");
    }
    assert_eq!(current, 1, "{names:?}");
    assert!(names.len() <= KEPT + 1, "{names:?}");
}

/// A generation that was saved for certain, to begin with.
#[track_caller]
fn first_generation(server: &Server) -> Connection {
    let mut connection = server.connect();
    fill(&mut connection, KEYS, 30);
    write_generation(&mut connection, 1);
    connection.ok("SAVE");
    connection
}

#[test]
fn a_child_that_is_killed_at_any_moment_harms_nothing() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let server = start_in(directory.path());
    let mut connection = first_generation(&server);
    let mut rng = fastrand::Rng::with_seed(11);
    let (mut saved, mut killed) = (1, 0);
    for generation in 2..2 + ROUNDS {
        write_generation(&mut connection, generation);
        assert_eq!(connection.run("BGSAVE"), Value::Simple("Background saving started".into()));
        std::thread::sleep(Duration::from_micros(rng.u64(..BLOW_US_MAX)));
        process::children(server.pid()).into_iter().for_each(kill_if_there);
        wait_for_save_end(&mut connection);
        let is_ok = connection.info("rdb_last_bgsave_status") == "ok";
        // The answer comes when what is beyond the number has gone.
        assert_catalogue_is_true(directory.path(), &mut connection);
        assert_files_are_whole(directory.path(), saved..=generation);
        let temporary = server.files().into_iter().filter(|name| name.starts_with("temp-")).count();
        assert_eq!(temporary, 0, "{:?}", server.files());
        killed += usize::from(!is_ok);
        if is_ok {
            saved = generation;
        }
    }
    assert!(
        (1..ROUNDS).contains(&killed),
        "{killed} of {ROUNDS} saves were hit: the blows come at the wrong time"
    );
}

#[test]
fn a_server_that_is_killed_at_any_moment_starts_again_with_what_it_saved() {
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let mut server = start_in(directory.path());
    drop(first_generation(&server));
    let mut rng = fastrand::Rng::with_seed(12);
    let mut saved = 1;
    for generation in 2..2 + ROUNDS {
        let mut connection = server.connect();
        write_generation(&mut connection, generation);
        assert!(!connection.run("BGSAVE").is_error());
        std::thread::sleep(Duration::from_micros(rng.u64(..BLOW_US_MAX)));
        let children = process::children(server.pid());
        server.kill();
        let is_gone = || !children.iter().any(|child| process::is_alive(*child));
        assert!(holds_within(Duration::from_secs(5), is_gone), "the child outlives the server");
        assert_files_are_whole(directory.path(), saved..=generation);
        server = start_in(directory.path());
        let mut connection = server.connect();
        let counters = connection.run("MGET left right generation").elements();
        assert_eq!(counters[0], counters[1]);
        let loaded: usize = counters[2].text().parse().expect("a number");
        assert!((saved..=generation).contains(&loaded), "{loaded} was loaded, {saved} was safe");
        saved = loaded;
        assert_catalogue_is_true(directory.path(), &mut connection);
        let temporary = server.files().into_iter().filter(|name| name.starts_with("temp-")).count();
        assert_eq!(temporary, 0, "what the crash left is swept at start: {:?}", server.files());
    }
}

/// The catalogue's file.
fn catalogue_of(directory: &Path) -> PathBuf {
    let entries = fs::read_dir(directory).expect("a directory").flatten().map(|entry| entry.path());
    let is_catalogue = |path: &PathBuf| path.to_string_lossy().ends_with("catalog");
    entries.into_iter().find(is_catalogue).expect("a catalogue")
}

/// The blow falls behind the rename: the last file that holds anything has its name in the history, and nobody has
/// written down why.
#[test]
fn what_a_flush_kept_stays_when_the_server_died_before_it_was_entered() {
    for keep in ["1", "0"] {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let start = || {
            let start = with_save_points().with("--snapshot-keep", keep);
            start.in_directory(directory.path()).spawn()
        };
        let mut server = start();
        let mut connection = server.connect();
        for name in ["left", "right"] {
            connection.ok(&format!("SET {name} 1"));
            connection.ok("SAVE");
        }
        let flushed = fs::metadata(directory.path().join("dump.rdb")).expect("a snapshot").ino();
        let is_there = || {
            let snapshots = snapshots_in(directory.path());
            snapshots.iter().any(|path| fs::metadata(path).is_ok_and(|metadata| metadata.ino() == flushed))
        };
        // Without a history no catalogue is there before the flush.
        let before = (keep == "1").then(|| fs::read(catalogue_of(directory.path())).expect("a catalogue"));
        connection.ok("FLUSHALL");
        server.kill();
        let catalogue = catalogue_of(directory.path());
        match before {
            Some(text) => fs::write(&catalogue, text).expect("a catalogue is put back"),
            None => fs::remove_file(&catalogue).expect("a catalogue is removed"),
        }
        drop(server);
        let mut server = start();
        let mut connection = server.connect();
        assert_eq!(connection.run("DBSIZE").integer(), 0);
        // Waits for what the start has to do.
        connection.run("SNAPSHOT LIST");
        assert!(is_there(), "the start removes it: {:?}", server.files());
        for number in 0..3 {
            connection.ok(&format!("SET later {number}"));
            connection.ok("SAVE");
            assert!(is_there(), "save {number} removes it: {:?}", server.files());
        }
        server.kill();
        drop(server);
        let server = start();
        server.connect().run("SNAPSHOT LIST");
        assert!(is_there(), "the next start removes it");
    }
}

/// It may have ended by itself meanwhile.
fn kill_if_there(pid: u32) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), Signal::SIGKILL);
}
