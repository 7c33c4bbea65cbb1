//! What becomes of each record, and of each system call that fails.

use super::*;
use crate::base::crc::Crc64Redis;
use crate::persist::disk::System;
use crate::persist::disk::faulty::Faulty;
use tempfile::TempDir;

fn file(magic: &str, content: &[u8]) -> Vec<u8> {
    let mut out = [magic.as_bytes(), content, &[0xff]].concat();
    let sum = Crc64Redis::of(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

fn options(version: Option<u16>, unknown: Unknown) -> ConvertOptions {
    ConvertOptions { version, unknown, redis_version: "7.0.15", nonce: 1 }
}

struct Place {
    folder: TempDir,
    input: PathBuf,
    output: PathBuf,
}

impl Place {
    fn new(magic: &str, content: &[u8]) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.rdb"), folder.path().join("out.rdb"));
        std::fs::write(&input, file(magic, content)).unwrap();
        Place { folder, input, output }
    }

    fn convert(&self, options: &ConvertOptions) -> Result<Converted, ConvertError> {
        convert(&mut System, &self.input, &self.output, options, &mut |_, _| {})
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Two databases, an expiry, idle time, a library, a module, hints, what files of others say about themselves.
const CONTENT: &[&[u8]] = &[
    b"\xfa\x09redis-ver\x057.2.1\xfa\x0aredis-bits\xc0\x40\xfa\x05ctime\xc0\x05\xfa\x08used-mem\xc0\x06",
    b"\xfa\x08aof-base\xc0\x01\xfa\x09slot-info\x051,2,3\xfa\x06%other\x01x",
    b"\xf7\x81moduleid\x02\x02\x05\x03abc\x00",
    b"\xf5\x13#!lua name=l\nreturn",
    b"\xfe\x00\xfb\x03\x01\xf4\x05\x02\x00\x00\x01z\x01v",
    b"\xfc\x07\0\0\0\0\0\0\0\xf8\x09\x00\x01a\xc0\x05\x07\x01m\x81moduleid\x02\x07\x00",
    b"\xfe\x05\x02\x05empty\x00\x14\x01s\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\xff",
];

const CONVERTED: &[&[u8]] = &[
    b"\xfa\x09redis-ver\x067.0.15\xfa\x0aredis-bits\xc0\x40\xfa\x05ctime\xc0\x05\xfa\x08used-mem\xc0\x06",
    b"\xfa\x08aof-base\xc0\x01\xfa\x06%other\x01x",
    b"\xf7\x81moduleid\x02\x02\x05\x03abc\x00",
    b"\xf5\x13#!lua name=l\nreturn",
    b"\xfe\x00\xfb\x03\x01\x00\x01z\x01v",
    b"\xfc\x07\0\0\0\0\0\0\0\xf8\x09\x00\x01a\xc0\x05\x07\x01m\x81moduleid\x02\x07\x00",
    b"\xfe\x05\x02\x01s\x01\x01a",
];

#[test]
fn every_record_finds_its_place() {
    let place = Place::new("REDIS0012", &CONTENT.concat());
    let done = place.convert(&options(None, Unknown::Refuse)).unwrap();
    assert_eq!(std::fs::read(&place.output).unwrap(), file("REDIS0010", &CONVERTED.concat()));
    assert_eq!((done.keys, done.databases, done.function_libraries, done.empty_keys), (4, 2, 1, 1));
    let bytes = std::fs::metadata(&place.output).unwrap().len();
    let expected = format!(
        "{} (RDB version 12) converted to {} (RDB version 10): 4 keys in 2 databases, {bytes} bytes, 1 function \
         libraries, 1 keys without elements left out",
        place.input.display(),
        place.output.display()
    );
    assert_eq!(done.to_string(), expected);
    let reason = place.convert(&options(Some(9), Unknown::LeaveOut)).unwrap_err().to_string();
    assert!(reason.ends_with("functions (library \"l\"), which RDB version 9 cannot hold"), "{reason}");
    assert_eq!(place.names(), ["in.rdb", "out.rdb"]);
}

#[test]
fn what_cannot_be_written_on_is_refused_or_left_out() {
    let array = b"\xfe\x02\x00\x01k\x01v\x1c\x03arr\x01\x00\x00\x00\x01a";
    let place = Place::new("REDIS0014", array);
    let reason = place.convert(&options(Some(10), Unknown::Refuse)).unwrap_err().to_string();
    let expected = format!(
        "{}: Unsupported type 28 (0x1c, array) at offset 16, in key 'arr' (--skip-unknown leaves out what it can)",
        place.input.display()
    );
    assert_eq!(reason, expected);
    assert_eq!(place.names(), ["in.rdb"]);
    let done = place.convert(&options(Some(10), Unknown::LeaveOut)).unwrap();
    assert_eq!((done.keys, done.unknown_keys), (1, 1));
    let said = "1 keys of unknown types left out (key \"arr\" in db 2: array)";
    assert!(done.to_string().ends_with(said), "{done}");
    let written = std::fs::read(&place.output).unwrap();
    assert!(written[..written.len() - 8].ends_with(b"\xc0\x40\xfe\x02\x00\x01k\x01v\xff"));
}

/// The first one, though the second would be found first by its version.
#[test]
fn the_first_key_that_cannot_be_expressed_is_named() {
    let hash = |key: u8| [&[0x16, 1, key][..], b"\x01\x01f\x01v\x05\0\0\0\0\0\0\0"].concat();
    let content = [&b"\xfe\x03\x00\x01k\x01v"[..], &hash(b'p'), &hash(b'q')].concat();
    let place = Place::new("VALKEY080", &content);
    for version in [9, 10, 11] {
        let reason = place.convert(&options(Some(version), Unknown::LeaveOut)).unwrap_err().to_string();
        let expected =
            format!("key \"p\" in db 3 has expiring fields, which RDB version {version} cannot hold");
        assert_eq!(reason, format!("{}: {expected}", place.input.display()));
        assert_eq!(place.names(), ["in.rdb"]);
    }
    assert_eq!(place.convert(&options(None, Unknown::Refuse)).unwrap().to.number, 12);
    // And back: the same bytes, but for the names of who wrote it.
    let back = Place { input: place.output.clone(), output: place.folder.path().join("back.rdb"), ..place };
    back.convert(&options(Some(80), Unknown::Refuse)).unwrap();
    let head = b"\xfa\x0avalkey-ver\x059.0.0\xfa\x0aredis-bits\xc0\x40";
    assert_eq!(std::fs::read(&back.output).unwrap(), file("VALKEY080", &[head, &content[..]].concat()));
}

/// Whatever fails, the old file stays as it was, and nothing else; a signal fails nothing.
#[test]
fn a_call_that_fails_leaves_nothing() {
    let content = CONTENT.concat();
    for errno in [Errno::ENOSPC, Errno::EIO, Errno::EACCES, Errno::EDQUOT, Errno::EINTR] {
        for fail_at in 1.. {
            let place = Place::new("REDIS0012", &content);
            std::fs::write(&place.output, "old").unwrap();
            let mut calls = Faulty::new(fail_at, errno);
            let options = options(Some(10), Unknown::Refuse);
            let done = convert(&mut calls, &place.input, &place.output, &options, &mut |_, _| {});
            assert_eq!(place.names(), ["in.rdb", "out.rdb"]);
            let written = std::fs::read(&place.output).unwrap();
            if calls.calls() < fail_at || errno == Errno::EINTR {
                done.as_ref().unwrap();
                assert_ne!(written, b"old");
            }
            if calls.calls() < fail_at {
                assert!(fail_at > 5, "only {:?} were called", calls.log());
                break;
            }
            if errno == Errno::EINTR {
                continue;
            }
            let (reason, failed) = (done.unwrap_err().to_string(), calls.log()[fail_at - 1]);
            assert!(reason.ends_with(&error_text(errno)), "{failed}: {reason}");
            // The new file is in its place when the directory cannot be synced.
            assert_eq!(written == b"old", failed != "sync_directory", "{failed}");
        }
    }
}

#[test]
fn progress_reaches_the_end() {
    let value = [&number_14(16_000)[..], &vec![b'x'; 16_000]].concat();
    let keys: Vec<u8> =
        (0..400_u16).flat_map(|at| [&[0, 2][..], &at.to_be_bytes(), &value].concat()).collect();
    let place = Place::new("REDIS0010", &keys);
    let mut told = Vec::new();
    let mut progress = |done, total| told.push((done, total));
    convert(&mut System, &place.input, &place.output, &options(None, Unknown::Refuse), &mut progress)
        .unwrap();
    let total = 2 * (keys.len() as u64 + 18);
    assert!(told.len() >= 10 && told.iter().all(|(done, of)| *done <= total && *of == total), "{told:?}");
    assert!(told.is_sorted());
    assert!(told.last().unwrap().0 > total - 2 * TOLD_BYTES);
}

fn number_14(value: u16) -> [u8; 2] {
    (value | 0x4000).to_be_bytes()
}

/// A name that is no UTF-8, and an output without a directory in its name.
#[test]
fn names_of_every_kind() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new("REDIS0010", b"\x00\x01k\x01v");
    let output = place.folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.rdb"));
    let done =
        convert(&mut System, &place.input, &output, &options(Some(9), Unknown::Refuse), &mut |_, _| {});
    assert_eq!(done.unwrap().keys, 1);
    assert!(output.exists());
    assert_eq!(SavePaths::of_output(Path::new("out.rdb"), 1).unwrap().directory.to_bytes(), b".");
    for other in ["", "/", ".."] {
        assert!(SavePaths::of_output(Path::new(other), 1).is_err(), "{other}");
    }
}
