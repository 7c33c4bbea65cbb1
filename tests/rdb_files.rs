//! RDB files as they come: from the oracle and for it, cut short, damaged, forged.
//!
//! A damaged file gives a clear error or a correct load, never a crash, a hang or a big allocation. `check-rdb` is
//! asked about every byte; a server is started on a sample.

#[path = "rdb_files/encodings.rs"]
mod encodings;
pub mod support;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use encodings::{digest_of, fill_encodings};
use support::server::{Binary, binary_path, is_stand_in, tool};
use support::{Connection, Server, Start, Value, Wait, holds_within, process};
use tempfile::TempDir;

const CHECK_LIMIT: Duration = Duration::from_secs(5);
/// Between two damaged bytes that a server is started on.
const SAMPLE_STEP: usize = 11;

/// Runs the file checker; fails when it hangs.
#[track_caller]
fn check_rdb(file: &Path) -> Output {
    let mut command = if is_stand_in() {
        Command::new(tool("redis-check-rdb"))
    } else {
        let mut command = Command::new(binary_path(Binary::Tintype));
        command.arg("check-rdb");
        command
    };
    let started =
        command.arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.expect("the checker starts");
    let ended = holds_within(CHECK_LIMIT, || child.try_wait().expect("our child").is_some());
    if !ended {
        let _ = child.kill();
    }
    let output = child.wait_with_output().expect("its output");
    assert!(ended, "the checker hangs on {}", file.display());
    output
}

/// A sound end: an exit code, no signal, no panic.
#[track_caller]
fn assert_no_crash(output: &Output, what: &str) {
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.signal().is_none(), "{what}: killed by {}:\n{text}", output.status);
    assert!(!text.contains("panicked at"), "{what}:\n{text}");
    let said = !text.trim().is_empty();
    assert!(said || output.status.success(), "{what}: failed without a word");
}

/// Strings in every encoding, a value of each other type, expiries, three databases.
#[track_caller]
fn fill(connection: &mut Connection) {
    for line in [
        "SET int8 7",
        "SET int16 -3000",
        "SET int32 700000",
        "SET int64 123456789012",
        "SET empty \"\"",
        "SET text \"some text\"",
        "SET binary \"\\x00\\xff\\r\\n\"",
        "SET later v PXAT 4000000000000",
        "RPUSH list a 1 \"\" long",
        "SADD ints 3 1 200000",
        "SADD set a 1",
        "ZADD zset 1.5 a -inf b",
        "HSET hash f v g 1",
        "XADD stream 1-1 f v",
        "XADD stream 1-2 f w",
        "XGROUP CREATE stream g 0",
        "SELECT 3",
        "SET three 3",
        "SET \"\" \"the empty key\"",
        "SET seconds v EXAT 4000000000",
        "SELECT 15",
        "SET last 1",
        "SELECT 0",
    ] {
        assert!(!connection.run(line).is_error(), "{line}");
    }
    connection.ok(&format!("SET compressed {}", "abc".repeat(30)));
}

const KEYS: i64 = 19;

/// The bytes of a file that `binary` saves of `fill`.
fn file_of(binary: Binary) -> Vec<u8> {
    let server = Start::new(binary).with("--save", "").spawn();
    let mut connection = server.connect();
    fill(&mut connection);
    connection.ok("SAVE");
    fs::read(server.path("dump.rdb")).expect("the saved file")
}

/// The same file with the checksum switched off: what is damaged must be noticed by reading.
fn without_checksum(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let end = file.len() - 8;
    file[end..].fill(0);
    file
}

#[test]
fn cut_at_every_byte() {
    let folder = TempDir::new().expect("a temporary directory");
    let path = folder.path().join("cut.rdb");
    let whole = file_of(Binary::Oracle);
    fs::write(&path, &whole).expect("a file");
    assert!(check_rdb(&path).status.success(), "the whole file is good");
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).expect("a file");
        let output = check_rdb(&path);
        assert_no_crash(&output, &format!("cut at {length}"));
        assert!(!output.status.success(), "cut at {length} of {} counts as good", whole.len());
    }
}

#[test]
fn damaged_at_every_byte() {
    let folder = TempDir::new().expect("a temporary directory");
    let path = folder.path().join("damaged.rdb");
    let whole = file_of(Binary::Oracle);
    for at in 0..whole.len() {
        let mut file = whole.clone();
        file[at] ^= 1 << (at % 8);
        fs::write(&path, &file).expect("a file");
        let output = check_rdb(&path);
        assert_no_crash(&output, &format!("bit {} of byte {at}", at % 8));
        assert!(!output.status.success(), "a wrong bit in byte {at} counts as good");
    }
}

#[test]
fn damaged_at_every_byte_without_checksum() {
    let folder = TempDir::new().expect("a temporary directory");
    let path = folder.path().join("damaged.rdb");
    let whole = without_checksum(&file_of(Binary::Oracle));
    for at in 0..whole.len() - 8 {
        // Lengths, special encodings and opcodes.
        for byte in [[0x00, 0x81, 0xfa], [0x7f, 0xc3, 0xff], [0x80, 0xc1, 0xfc]][at % 3] {
            let mut file = whole.clone();
            file[at] = byte;
            fs::write(&path, &file).expect("a file");
            assert_no_crash(&check_rdb(&path), &format!("byte {at} set to {byte:#x}"));
        }
    }
}

/// A file that ends inside a large value: which one, and where.
#[test]
fn cut_inside_a_large_collection() {
    let server = Start::tintype().with("--save", "").spawn();
    let mut connection = server.connect();
    for line in ["HSET hash", "ZADD zset", "SADD set", "RPUSH list", "XADD stream * field"] {
        let (command, key) = line.split_once(' ').expect("a command and a key");
        let elements = (0..3000).map(|number| match command {
            "ZADD" => format!(" {number} member:{number}"),
            "HSET" => format!(" field:{number} value:{number}"),
            _ => format!(" element:{number}"),
        });
        if command == "XADD" {
            elements.for_each(|element| drop(connection.run(&format!("{line}{element}"))));
        } else {
            connection.run(&format!("{line}{}", elements.collect::<String>()));
        }
        connection.ok("SAVE");
        let file = without_checksum(&fs::read(server.path("dump.rdb")).expect("the saved file"));
        for part in [3, 10, 17] {
            let cut = file.len() * part / 20;
            let folder = TempDir::new().expect("a temporary directory");
            let path = folder.path().join("dump.rdb");
            fs::write(&path, &file[..cut]).expect("a file");
            let report = check_rdb(&path);
            assert_no_crash(&report, key);
            let text = String::from_utf8_lossy(&report.stdout).into_owned();
            assert!(!refusal(&file[..cut]).is_empty());
            if !is_stand_in() {
                let key = key.split(' ').next().unwrap_or(key);
                let place = format!("at offset {cut}, in key '{key}'");
                assert!(text.contains(&place), "{place}: {text}");
            }
        }
        connection.ok("FLUSHALL");
    }
}

/// The server itself on damaged files: it serves what is right or leaves with a word.
#[test]
fn a_server_starts_on_damaged_files_or_says_why_not() {
    let whole = file_of(Binary::Oracle);
    let silent = without_checksum(&whole);
    for at in (0..whole.len() - 8).step_by(SAMPLE_STEP) {
        let mut damaged = silent.clone();
        damaged[at] ^= 0x41;
        for (file, what) in [(whole[..at].to_vec(), "cut"), (damaged, "damaged")] {
            let folder = TempDir::new().expect("a temporary directory");
            fs::write(folder.path().join("dump.rdb"), &file).expect("a file");
            let started = Start::tintype().with("--save", "").in_directory(folder.path()).wait(Wait::Nothing);
            let mut server = started.spawn();
            let is_up = |server: &Server| server.log().contains("eady to accept connections");
            let decided = holds_within(CHECK_LIMIT, || !server.is_running() || is_up(&server));
            assert!(decided, "{what} at {at}: neither up nor gone:\n{}", server.log());
            if !server.is_running() {
                let status = server.wait_for_end();
                assert!(
                    status.signal().is_none() && !status.success(),
                    "{what} at {at}: {status}\n{}",
                    server.log()
                );
                assert!(server.log().len() > 20, "{what} at {at}: left without a word");
            } else {
                assert!(what == "damaged", "{what} at {at}: half a file was loaded");
            }
            assert_eq!(
                fs::read(folder.path().join("dump.rdb")).expect("still there"),
                file,
                "the file changed"
            );
        }
    }
}

/// A file of one key, its value given as bytes; no checksum.
fn forged(version: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    let mut file = format!("REDIS{version}").into_bytes();
    file.extend_from_slice(b"\xfe\x00");
    file.push(kind);
    file.extend_from_slice(b"\x07thiskey");
    file.extend_from_slice(value);
    file.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    file
}

/// What a server says of a file it must refuse.
#[track_caller]
fn refusal(file: &[u8]) -> String {
    let folder = TempDir::new().expect("a temporary directory");
    fs::write(folder.path().join("dump.rdb"), file).expect("a file");
    let start = Start::tintype().with("--save", "").in_directory(folder.path()).wait(Wait::Nothing);
    let mut server = start.spawn();
    let mut rss_kib_max = 0;
    let ended = holds_within(CHECK_LIMIT, || {
        rss_kib_max = rss_kib_max.max(process::rss_kib(server.pid()));
        !server.is_running()
    });
    assert!(ended, "a bad file was accepted:\n{}", server.log());
    assert!(rss_kib_max < 100 * 1024, "a tiny file made the server hold {rss_kib_max} KiB");
    assert!(server.wait_for_end().signal().is_none(), "{}", server.log());
    server.log()
}

#[test]
fn a_good_forgery_loads() {
    let folder = TempDir::new().expect("a temporary directory");
    fs::write(folder.path().join("dump.rdb"), forged("0009", 0, b"\x02ok")).expect("a file");
    let server = Start::tintype().with("--save", "").in_directory(folder.path()).spawn();
    assert_eq!(server.connect().run("GET thiskey").text(), "ok");
}

#[test]
fn huge_lengths_are_refused_cheaply() {
    for length in [
        &b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff"[..],
        b"\x81\0\0\0\x7f\xff\xff\xff\xff",
        b"\x80\x7f\xff\xff\xff",
    ] {
        refusal(&forged("0009", 0, length));
    }
    // LZF: 4 bytes that claim to become 2 GiB.
    refusal(&forged("0009", 0, b"\xc3\x04\x80\x7f\xff\xff\xff\x01aab"));
}

#[test]
fn foreign_versions_and_signatures_are_named() {
    assert!(refusal(&forged("9999", 0, b"\x02ok")).contains("Can't handle RDB format version 9999"));
    assert!(refusal(b"NOTREDIS0009 and more of it").contains("Wrong signature"));
    assert!(!refusal(b"REDIS").is_empty());
}

/// What a module of the name `BC` and seven more letters wrote: a number and a text.
const MODULE_VALUE: &[u8] = b"\x81\x04\x20\0\0\0\0\0\0\x02\x07\x05\x03abc\x00";

#[test]
fn a_value_that_cannot_be_held_is_named_with_its_key() {
    const MODULE: u8 = 7;
    let log = refusal(&forged("0009", MODULE, MODULE_VALUE));
    if !is_stand_in() {
        let names = ["'thiskey'", "no matching module type 'BC", "rdb-skip-unknown"];
        assert!(names.iter().all(|name| log.contains(name)), "{log}");
    }
    let log = refusal(&forged("0009", 77, b"\x02ok"));
    if !is_stand_in() {
        let names = ["Unknown record type 77 (0x4d)", "at offset 11", "'thiskey'"];
        assert!(names.iter().all(|name| log.contains(name)), "{log}");
    }
}

#[test]
fn values_of_modules_are_left_out_when_told_to() {
    let mut file = forged("0009", 7, MODULE_VALUE);
    let end = file.len() - 9;
    file.splice(end..end, *b"\x00\x05other\x02ok");
    let folder = TempDir::new().expect("a temporary directory");
    fs::write(folder.path().join("dump.rdb"), file).expect("a file");
    let start = Start::tintype().with("--save", "").with("--rdb-skip-unknown", "yes");
    let server = start.in_directory(folder.path()).spawn();
    let mut connection = server.connect();
    assert_eq!(connection.run("GET other").text(), "ok");
    assert_eq!(connection.run("DBSIZE"), Value::Integer(1));
    assert_eq!(connection.info("rdb_last_load_keys_skipped"), "1");
    let names = ["'thiskey'", "module type 'BC", "1 keys of the RDB file were not loaded"];
    assert!(names.iter().all(|name| server.log().contains(name)), "{}", server.log());
}

#[test]
fn empty_collections_are_left_out() {
    let folder = TempDir::new().expect("a temporary directory");
    fs::write(folder.path().join("dump.rdb"), forged("0009", 2, b"\0")).expect("a file");
    let server = Start::tintype().with("--save", "").in_directory(folder.path()).spawn();
    assert_eq!(server.connect().run("DBSIZE"), Value::Integer(0));
    let names = ["skipping empty key: thiskey", "empty keys skipped: 1"];
    assert!(names.iter().all(|name| server.log().contains(name)), "{}", server.log());
}

#[test]
fn a_wrong_checksum_is_named() {
    let mut file = file_of(Binary::Oracle);
    let last = file.len() - 1;
    file[last] ^= 1;
    let log = refusal(&file);
    assert!(log.contains("Wrong RDB checksum"), "{log}");
}

#[test]
fn a_directory_in_the_place_of_the_file_stops_the_start() {
    let folder = TempDir::new().expect("a temporary directory");
    fs::create_dir(folder.path().join("dump.rdb")).expect("a directory");
    let start = Start::tintype().with("--save", "").in_directory(folder.path()).wait(Wait::Nothing);
    let mut server = start.spawn();
    assert!(!server.wait_for_end().success());
    assert!(server.log().contains("dump.rdb"), "{}", server.log());
}

/// The whole data of `fill`, from any server.
#[track_caller]
fn assert_filled(server: &Server) {
    let mut connection = server.connect();
    assert_eq!(connection.info("rdb_last_load_keys_loaded"), KEYS.to_string());
    for (line, expected) in [
        ("GET int8", Value::Bulk(b"7".to_vec())),
        ("GET int16", Value::Bulk(b"-3000".to_vec())),
        ("GET int32", Value::Bulk(b"700000".to_vec())),
        ("GET int64", Value::Bulk(b"123456789012".to_vec())),
        ("GET empty", Value::Bulk(Vec::new())),
        ("GET text", Value::Bulk(b"some text".to_vec())),
        ("GET binary", Value::Bulk(b"\0\xff\r\n".to_vec())),
        ("GET compressed", Value::Bulk("abc".repeat(30).into_bytes())),
        ("OBJECT ENCODING int64", Value::Bulk(b"int".to_vec())),
        ("PEXPIRETIME later", Value::Integer(4_000_000_000_000)),
        ("LLEN list", Value::Integer(4)),
        ("LINDEX list 1", Value::Bulk(b"1".to_vec())),
        ("SISMEMBER ints 200000", Value::Integer(1)),
        ("SISMEMBER set a", Value::Integer(1)),
        ("ZRANK zset a", Value::Integer(1)),
        ("HGET hash f", Value::Bulk(b"v".to_vec())),
        ("XLEN stream", Value::Integer(2)),
        ("DBSIZE", Value::Integer(15)),
        ("SELECT 3", Value::Simple("OK".into())),
        ("GET \"\"", Value::Bulk(b"the empty key".to_vec())),
        ("EXPIRETIME seconds", Value::Integer(4_000_000_000)),
        ("DBSIZE", Value::Integer(3)),
        ("SELECT 15", Value::Simple("OK".into())),
        ("DBSIZE", Value::Integer(1)),
    ] {
        assert_eq!(connection.run(line), expected, "{line}");
    }
}

/// Saved by one, loaded by the other, in every combination of compression and checksum.
#[test]
fn files_travel_between_the_servers() {
    for (from, to) in [(Binary::Oracle, Binary::Tintype), (Binary::Tintype, Binary::Oracle)] {
        for (compression, checksum) in [("yes", "yes"), ("no", "yes"), ("yes", "no"), ("no", "no")] {
            let start = |binary: Binary| {
                let start = Start::new(binary).with("--save", "").with("--rdbcompression", compression);
                start.with("--rdbchecksum", checksum)
            };
            let source = start(from).spawn();
            let mut connection = source.connect();
            fill(&mut connection);
            connection.ok("SAVE");
            let target = start(to).in_directory(source.directory()).spawn();
            assert_filled(&target);
            let check = Command::new(tool("redis-check-rdb")).arg(source.path("dump.rdb")).output();
            assert!(check.expect("redis-check-rdb runs").status.success(), "redis-check-rdb finds fault");
        }
    }
}

/// What one server saves or dumps, the other one has.
#[test]
fn values_of_every_encoding_travel_between_the_servers() {
    let start = |binary: Binary| Start::new(binary).with("--save", "").with("--enable-debug-command", "yes");
    for (from, to) in [(Binary::Oracle, Binary::Tintype), (Binary::Tintype, Binary::Oracle)] {
        let source = start(from).with("--list-compress-depth", "1").spawn();
        let mut connection = source.connect();
        fill_encodings(&mut connection);
        connection.ok("SAVE");
        let expected = digest_of(&mut connection);
        let target = start(to).in_directory(source.directory()).spawn();
        let mut loaded = target.connect();
        assert_eq!(digest_of(&mut loaded), expected, "the file of {from:?}");
        for question in ["XINFO GROUPS stream", "XPENDING stream group", "XPENDING stream group - + 1 nobody"]
        {
            assert_eq!(loaded.run(question), connection.run(question), "{question}");
        }
        loaded.ok("FLUSHALL");
        for key in connection.run("KEYS *").elements() {
            let payload = connection.command(&[b"DUMP", key.bytes()]);
            let ttl = connection.command(&[b"PEXPIRETIME", key.bytes()]).integer().max(0).to_string();
            loaded
                .command(&[b"RESTORE", key.bytes(), ttl.as_bytes(), payload.bytes(), b"ABSTTL"])
                .assert_ok();
        }
        assert_eq!(digest_of(&mut loaded), expected, "the payloads of {from:?}");
    }
}

#[test]
fn the_lowest_version_that_does_is_written() {
    let file = file_of(Binary::Tintype);
    assert!(
        file.starts_with(b"REDIS00") && &file[5..9] <= b"0010".as_slice(),
        "{}",
        support::show(&file[..9])
    );
    if is_stand_in() {
        return;
    }
    let server = Start::tintype().with("--save", "").spawn();
    let mut connection = server.connect();
    for (line, version) in [
        ("HSET h f v", "0010"),
        ("XADD x 1-1 f v", "0010"),
        ("XGROUP CREATE x g 0", "0010"),
        ("XGROUP CREATECONSUMER x g never-active", "0011"),
        ("HEXPIRE h 1000 FIELDS 1 f", "0012"),
        ("HPERSIST h FIELDS 1 f", "0011"),
        ("XGROUP DELCONSUMER x g never-active", "0010"),
        ("HEXPIRE h 1000 FIELDS 1 f", "0012"),
        ("DEL h", "0010"),
    ] {
        assert!(!connection.run(line).is_error(), "{line}");
        connection.ok("SAVE");
        let file = fs::read(server.path("dump.rdb")).expect("the saved file");
        assert_eq!(&file[..9], format!("REDIS{version}").as_bytes(), "{line}");
    }
}

/// `rdb-version 10`: what the oracle loads, without what it would not know.
#[test]
fn a_pinned_version_is_written_for_an_older_server() {
    if is_stand_in() {
        return;
    }
    let with = |start: Start| start.with("--save", "").with("--enable-debug-command", "yes");
    let server = with(Start::tintype()).with("--rdb-version", "10").spawn();
    let mut connection = server.connect();
    fill_encodings(&mut connection);
    // Seen and never active: a file of version 10 has no place for the difference.
    connection.run("XGROUP CREATECONSUMER stream group waits");
    connection.run("XGROUP CREATE stream other 0");
    connection.run("XREADGROUP GROUP other busy COUNT 3 STREAMS stream >");
    connection.ok("SAVE");
    let file = fs::read(server.path("dump.rdb")).expect("the saved file");
    assert_eq!(&file[..9], b"REDIS0010");
    let oracle = with(Start::oracle()).in_directory(server.directory()).spawn();
    let mut loaded = oracle.connect();
    assert_eq!(digest_of(&mut loaded), digest_of(&mut connection));
    for question in ["XINFO GROUPS stream", "XPENDING stream group", "XPENDING stream other - + 9 busy"] {
        // Bulks that are times since differ.
        let groups = |reply: Value| support::show(format!("{reply:?}").as_bytes());
        if question.starts_with("XINFO") {
            assert_eq!(groups(loaded.run(question)), groups(connection.run(question)));
        } else {
            let count = |reply: Value| reply.elements().len();
            assert_eq!(count(loaded.run(question)), count(connection.run(question)), "{question}");
        }
    }
    // Asked for is asked for, though 11 would do. The old name is an alias.
    connection.ok("CONFIG SET rdb-version 12");
    connection.ok("SAVE");
    assert_eq!(&fs::read(server.path("dump.rdb")).expect("the saved file")[..9], b"REDIS0012");
    assert_eq!(connection.run("CONFIG GET rdb-save-version").elements()[1].text(), "12");
}

/// What no file of the pinned version can hold makes a save fail before it begins, with the same reason everywhere.
#[test]
fn a_pinned_version_that_does_not_do_is_named() {
    if is_stand_in() {
        return;
    }
    let server = Start::tintype().with("--save", "3600 1000").with("--rdb-version", "10").spawn();
    let mut connection = server.connect();
    connection.run("HSET h f v");
    connection.ok("SAVE");
    let good = fs::read(server.path("dump.rdb")).expect("the saved file");
    connection.run("HEXPIRE h 1000 FIELDS 1 f");
    let path = server.path("dump.rdb");
    let reason = format!(
        "save to {}: key \"h\" in db 0 has expiring fields, which RDB version 10 cannot hold (rdb-version 10)",
        path.display()
    );
    connection.run("SAVE").assert_error(&format!("ERR {reason}"));
    connection.run("BGSAVE").assert_error(&format!("ERR {reason}"));
    assert_eq!(connection.info("rdb_last_bgsave_status"), "err");
    assert_eq!(connection.info("rdb_last_bgsave_error"), reason);
    let refused = connection.run("SET k v");
    assert!(refused.is_error() && format!("{refused:?}").contains(&reason), "{refused:?}");
    server.wait_for_log(&reason);
    assert_eq!(fs::read(&path).expect("the saved file"), good, "the good file stays");
    assert!(!connection.run("DUMP h").is_error());
    for (version, replies) in [("9", "ERR"), ("11", "ERR"), ("12", "OK"), ("80", "OK"), ("auto", "OK")] {
        connection.ok(&format!("CONFIG SET rdb-version {version}"));
        let reply = format!("{:?}", connection.run("SAVE"));
        assert!(reply.contains(replies), "{version}: {reply}");
    }
    connection.run("XADD x 1-1 f v");
    connection.run("XGROUP CREATE x g 0");
    connection.run("XREADGROUP GROUP g c STREAMS x >");
    connection.run("XNACK x g FAIL IDS 1 1-1");
    for (version, shown) in [("12", "RDB version 12"), ("80", "Valkey RDB version 80")] {
        connection.ok(&format!("CONFIG SET rdb-version {version}"));
        let refused = connection.run("SAVE").text();
        let reason = format!(
            "key \"x\" in db 0 has pending stream entries that belong to no consumer, which {shown} cannot hold \
             (rdb-version {version})"
        );
        assert!(refused.contains(&reason), "{refused}");
    }
    connection.run("CONFIG SET rdb-version 8").assert_error(
        "ERR CONFIG SET failed (possibly related to argument 'rdb-version') - argument(s) must be one of the \
         following: auto, 9, 10, 11, 12, 80",
    );
}

#[test]
fn what_expired_meanwhile_is_dropped() {
    let server = Server::oracle(&[]);
    let mut connection = server.connect();
    connection.ok("SET stays 1");
    connection.ok("SET goes 1 PX 300");
    connection.ok("SAVE");
    drop(connection);
    std::thread::sleep(Duration::from_millis(350));
    let again = Start::tintype().with("--save", "").in_directory(server.directory()).spawn();
    let mut connection = again.connect();
    assert_eq!(connection.run("DBSIZE"), Value::Integer(1));
    assert_eq!(connection.info("rdb_last_load_keys_expired"), "1");
    assert_eq!(connection.info("rdb_last_load_keys_loaded"), "1");
}
