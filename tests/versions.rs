//! Files of every version that can be asked for: written by the server (`rdb-version`), and made of others by
//! `tintype convert`. What is in them is what was, in Tintype and, as far as it reads the version, in redis-server.

#[path = "rdb_files/encodings.rs"]
mod encodings;
pub mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use encodings::{digest_of, fill_encodings};
use support::server::{Binary, binary_path, is_stand_in};
use support::{Connection, Server, Start, Value, holds_within};
use tempfile::TempDir;

const VERSIONS: [&str; 5] = ["9", "10", "11", "12", "80"];

fn debuggable(start: Start) -> Start {
    start.with("--save", "").with("--enable-debug-command", "yes")
}

fn magic_of(version: &str) -> Vec<u8> {
    let number: u16 = version.parse().expect("a number");
    if number < 80 { format!("REDIS{number:04}") } else { format!("VALKEY{number:03}") }.into_bytes()
}

fn is_known_to_oracle(version: &str) -> bool {
    ["9", "10"].contains(&version)
}

/// Puts `file` in the place of all that the server holds.
#[track_caller]
fn reload(server: &Server, connection: &mut Connection, file: &[u8]) {
    fs::write(server.path("dump.rdb"), file).expect("a file");
    connection.ok("DEBUG RELOAD NOSAVE");
}

fn tool(arguments: &[&str]) -> Output {
    Command::new(binary_path(Binary::Tintype)).args(arguments).output().expect("the tool runs")
}

fn convert(input: &Path, output: &Path, version: &str) -> Output {
    tool(&["convert", &input.to_string_lossy(), &output.to_string_lossy(), "--rdb-version", version])
}

#[track_caller]
fn convert_well(input: &Path, output: &Path, version: &str) -> Vec<u8> {
    let done = convert(input, output, version);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.is_empty(), "to {version}: {said}");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(told.lines().count() == 1 && told.contains(" keys"), "{told}");
    fs::read(output).expect("the new file")
}

/// The reason.
#[track_caller]
fn convert_badly(input: &Path, output: &Path, version: &str) -> String {
    let done = convert(input, output, version);
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    assert!(done.stdout.is_empty());
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn files_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[track_caller]
fn fill(connection: &mut Connection) {
    fill_encodings(connection);
    for line in
        ["SELECT 3", "SET three 3 PXAT 4000000000000", "RPUSH \"\" a", "SELECT 0", "SET int -7", "SET \"\" v"]
    {
        assert!(!connection.run(line).is_error(), "{line}");
    }
    connection.ok(&format!("SET long {}", "long:text:".repeat(20_000)));
}

#[test]
fn every_version_holds_every_encoding() {
    if is_stand_in() {
        return;
    }
    let source = debuggable(Start::tintype()).with("--list-compress-depth", "1").spawn();
    let target = debuggable(Start::tintype()).spawn();
    let oracle = debuggable(Start::oracle()).spawn();
    let (mut connection, mut loaded, mut known) = (source.connect(), target.connect(), oracle.connect());
    fill(&mut connection);
    let expected = digest_of(&mut connection);
    for version in VERSIONS {
        for compression in ["yes", "no"] {
            connection.ok(&format!("CONFIG SET rdb-version {version} rdbcompression {compression}"));
            connection.ok("SAVE");
            let file = fs::read(source.path("dump.rdb")).expect("the saved file");
            assert_eq!(file[..9], magic_of(version), "{version}");
            reload(&target, &mut loaded, &file);
            assert_eq!(digest_of(&mut loaded), expected, "version {version}");
            if is_known_to_oracle(version) {
                reload(&oracle, &mut known, &file);
                assert_eq!(digest_of(&mut known), expected, "version {version} in redis-server");
                let question = "XPENDING stream group - + 9 consumer";
                assert_eq!(known.run(question).elements().len(), connection.run(question).elements().len());
            }
        }
    }
    // The child writes the same.
    connection.ok("CONFIG SET rdb-version 9 rdbcompression yes");
    assert!(!connection.run("BGSAVE").is_error());
    support::wait_for("the end of the save", || connection.info("rdb_bgsave_in_progress") == "0");
    assert_eq!(connection.info("rdb_last_bgsave_status"), "ok");
    let file = fs::read(source.path("dump.rdb")).expect("the saved file");
    assert_eq!(&file[..9], b"REDIS0009");
    reload(&oracle, &mut known, &file);
    assert_eq!(digest_of(&mut known), expected);
}

/// Fields that expire: in a form of Redis 7.4 and in one of Valkey, small and large, and nowhere else.
#[test]
fn expiring_fields_are_in_two_versions() {
    if is_stand_in() {
        return;
    }
    let source = debuggable(Start::tintype()).spawn();
    let mut connection = source.connect();
    connection.run("HSET small f v g 5");
    let many: String = (0..600).map(|at| format!(" field:{at} {at}")).collect();
    connection.run(&format!("HSET large{many}"));
    for key in ["small f", "large field:7"] {
        let (key, field) = key.split_once(' ').expect("a key and a field");
        connection.run(&format!("HPEXPIREAT {key} 4000000000123 FIELDS 1 {field}"));
    }
    let ask = |connection: &mut Connection| -> Vec<Value> {
        ["HPEXPIRETIME small FIELDS 2 f g", "HPEXPIRETIME large FIELDS 2 field:7 field:8", "HGETALL small"]
            .map(|question| connection.run(question))
            .to_vec()
    };
    let (expected, digest) = (ask(&mut connection), digest_of(&mut connection));
    let again = debuggable(Start::tintype()).spawn();
    let mut loaded = again.connect();
    for (version, magic) in [("12", b"REDIS0012"), ("80", b"VALKEY080"), ("auto", b"REDIS0012")] {
        connection.ok(&format!("CONFIG SET rdb-version {version}"));
        connection.ok("SAVE");
        let file = fs::read(source.path("dump.rdb")).expect("the saved file");
        assert_eq!(&file[..9], magic);
        reload(&again, &mut loaded, &file);
        assert_eq!(
            (ask(&mut loaded), digest_of(&mut loaded)),
            (expected.clone(), digest.clone()),
            "{version}"
        );
    }
    for version in ["9", "10", "11"] {
        connection.ok(&format!("CONFIG SET rdb-version {version}"));
        let reason = connection.run("SAVE").text();
        let what = format!(
            "in db 0 has expiring fields, which RDB version {version} cannot hold (rdb-version {version})"
        );
        assert!(reason.contains("dump.rdb: key \"") && reason.ends_with(&what), "{reason}");
    }
    // Only the large one is left; then none.
    connection.run("DEL small");
    assert!(connection.run("SAVE").text().contains("key \"large\" in db 0 has expiring fields"));
    connection.run("HPERSIST large FIELDS 1 field:7");
    connection.ok("SAVE");
}

/// A file of redis-server, through every version and back.
#[test]
fn a_file_of_redis_is_converted() {
    if is_stand_in() {
        return;
    }
    let policy = ["--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lfu"];
    let source = debuggable(Start::oracle()).arguments(&policy).spawn();
    let mut connection = source.connect();
    fill(&mut connection);
    let asked = ["OBJECT FREQ int", "XINFO GROUPS stream", "PEXPIRETIME hash:small", "DBSIZE"];
    connection.ok("SAVE");
    let expected = digest_of(&mut connection);
    let answers = asked.map(|question| connection.run(question));
    let oracle = debuggable(Start::oracle()).arguments(&policy).spawn();
    let target = debuggable(Start::tintype()).arguments(&policy).spawn();
    let (mut known, mut loaded) = (oracle.connect(), target.connect());
    let folder = TempDir::new().expect("a temporary directory");
    let mut last = source.path("dump.rdb");
    for version in ["9", "80", "12", "11", "10", "auto", "9"] {
        let next = folder.path().join(format!("{version}.rdb"));
        let file = convert_well(&last, &next, version);
        assert_eq!(file[..9], magic_of(if version == "auto" { "10" } else { version }));
        reload(&target, &mut loaded, &file);
        assert_eq!(digest_of(&mut loaded), expected, "version {version}");
        if is_known_to_oracle(version) {
            reload(&oracle, &mut known, &file);
            assert_eq!(digest_of(&mut known), expected, "version {version} in redis-server");
            assert_eq!(known.run(asked[0]), answers[0], "version {version}");
        }
        last = next;
    }
    // Nothing at all is lost in a version that is no older.
    let file = convert_well(&source.path("dump.rdb"), &folder.path().join("same.rdb"), "auto");
    reload(&oracle, &mut known, &file);
    assert_eq!(asked.map(|question| known.run(question)), answers);
}

#[test]
fn functions_are_carried_over_or_refused() {
    if is_stand_in() {
        return;
    }
    let source = Server::oracle(&[]);
    let mut connection = source.connect();
    let library = "#!lua name=mylib\nredis.register_function('f', function() return 7 end)";
    connection.command(&["FUNCTION", "LOAD", library]);
    connection.ok("SET k v");
    connection.ok("SAVE");
    let folder = TempDir::new().expect("a temporary directory");
    let (input, output) = (source.path("dump.rdb"), folder.path().join("dump.rdb"));
    let reason = convert_badly(&input, &output, "9");
    let expected = format!(
        "{}: there are functions (library \"mylib\"), which RDB version 9 cannot hold\n",
        input.display()
    );
    assert_eq!(reason, expected);
    assert_eq!(files_in(folder.path()), Vec::<String>::new());
    for version in ["12", "80"] {
        assert!(!convert_well(&input, &output, version).is_empty());
        // There and back.
        convert_well(&output, &output, "auto");
        let again = Start::oracle().with("--save", "").in_directory(folder.path()).spawn();
        assert_eq!(again.connect().command(&["FCALL", "f", "0"]), Value::Integer(7));
    }
}

#[test]
fn what_goes_wrong_is_told_and_leaves_nothing() {
    if is_stand_in() {
        return;
    }
    let source = Server::oracle(&[]);
    let mut connection = source.connect();
    fill(&mut connection);
    connection.ok("SAVE");
    let good = fs::read(source.path("dump.rdb")).expect("the saved file");
    let folder = TempDir::new().expect("a temporary directory");
    let (input, output) = (folder.path().join("in.rdb"), folder.path().join("out.rdb"));
    let name = input.display();
    fs::write(&output, "old").expect("a file");
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 1;
    for file in [&good[..good.len() / 2], &damaged, &[&good[..], b"more"].concat(), b"nothing", b""] {
        fs::write(&input, file).expect("a file");
        for version in ["9", "80", "auto"] {
            let reason = convert_badly(&input, &output, version);
            assert!(reason.starts_with(&format!("{name}: ")), "{reason}");
            let is_placed = reason.contains(" at offset ") || reason.contains("Wrong signature");
            assert!(is_placed, "{reason}");
            assert_eq!(files_in(folder.path()), ["in.rdb", "out.rdb"]);
            assert_eq!(fs::read(&output).expect("still there"), b"old");
        }
    }
    fs::write(&input, &good).expect("a file");
    let gone = folder.path().join("gone");
    let reason = convert_badly(&gone, &output, "10");
    assert_eq!(reason, format!("open {}: No such file or directory\n", gone.display()));
    let reason = convert_badly(&input, &gone.join("out.rdb"), "10");
    assert_eq!(reason, format!("write to directory {}: No such file or directory\n", gone.display()));
    for place in [Path::new("/dev/null"), folder.path()] {
        let reason = convert_badly(&input, place, "10");
        assert!(reason.contains("it is there and no regular file"), "{reason}");
    }
    assert_eq!(tool(&["convert", "a", "b", "--rdb-version", "8"]).status.code(), Some(2));
    assert_eq!(tool(&["convert", "a"]).status.code(), Some(2));
    // In its own place.
    convert_well(&input, &input, "9");
    assert_eq!(&fs::read(&input).expect("the new file")[..9], b"REDIS0009");
    assert_eq!(files_in(folder.path()), ["in.rdb", "out.rdb"]);
}

/// A tmpfs that is too small; where this user may not mount, the unit tests must do.
#[test]
fn a_disk_that_fills_up_keeps_the_old_file() {
    let folder = TempDir::new().expect("a temporary directory");
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("a directory");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&disk).output();
    if is_stand_in() || !mounted.is_ok_and(|output| output.status.success()) {
        return;
    }
    let source = Start::tintype().with("--save", "").spawn();
    let mut connection = source.connect();
    let mut rng = fastrand::Rng::with_seed(7);
    for at in 0..20 {
        let noise: Vec<u8> = (0..10_000).map(|_| rng.u8(..)).collect();
        connection.command(&[b"SET".to_vec(), format!("key:{at}").into_bytes(), noise]).assert_ok();
    }
    connection.ok("SAVE");
    let output = disk.join("out.rdb");
    fs::write(&output, "old").expect("a file");
    let reason = convert_badly(&source.path("dump.rdb"), &output, "10");
    let kept = fs::read(&output).expect("still there");
    let names = files_in(&disk);
    let unmounted = holds_within(support::PATIENCE, || {
        Command::new("umount").arg(&disk).status().is_ok_and(|status| status.success())
    });
    assert!(unmounted, "the disk stays mounted");
    assert!(reason.starts_with("write ") && reason.ends_with(": No space left on device\n"), "{reason}");
    assert_eq!((kept, names), (b"old".to_vec(), vec!["out.rdb".to_owned()]));
}
