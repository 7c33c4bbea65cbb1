//! The disk is full: on a tmpfs of one MiB where mounting is allowed, and by a file size limit everywhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::server::is_stand_in;
use crate::support::{Server, Value};
use crate::tools::{
    assert_reason_everywhere, assert_refuses_writes, assert_writable, fill, fill_large, keys_in,
    remove_large, save_badly, save_well, temporary, with_save_points,
};

const LIMIT_BYTES: u64 = 1 << 20;

/// Unmounts at drop.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount: the file size limit then is the full disk.
    fn mount_in(directory: &Path) -> Option<SmallDisk> {
        let place = directory.join("small");
        std::fs::create_dir(&place).expect("a directory");
        let options = format!("size={LIMIT_BYTES}");
        let mut command = Command::new("mount");
        let mounted = command.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&place).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk(place))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A server may still be in it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Little data is saved, much is not, and the old file stays; after a clean-up all is well again.
#[track_caller]
fn fill_the_disk(server: &Server, directory: &Path, errno_text: &str) {
    let mut connection = server.connect();
    fill(&mut connection, 10, 100);
    connection.ok("SAVE");
    let good = std::fs::read(directory.join("dump.rdb")).expect("the saved file");
    fill(&mut connection, 200, 20_000);
    assert!(connection.run("SAVE").is_error());
    assert!(!connection.run("SET still 1").is_error(), "a failed SAVE stops no writes");
    save_badly(&mut connection);
    assert_refuses_writes(&mut connection);
    if !is_stand_in() {
        assert_reason_everywhere(server, &mut connection, &directory.to_string_lossy(), &[errno_text]);
    }
    assert_eq!(std::fs::read(directory.join("dump.rdb")).expect("still there"), good, "the old file changed");
    assert_eq!(temporary(server), Vec::<String>::new());
    assert_eq!(names_in(directory), ["dump.rdb"]);
    connection.ok("CONFIG SET stop-writes-on-bgsave-error no");
    (5..200).for_each(|n| drop(connection.run(&format!("DEL key:{n}"))));
    connection.ok("CONFIG SET stop-writes-on-bgsave-error yes");
    save_well(&mut connection);
    assert_writable(&mut connection);
    assert_eq!(connection.run("DBSIZE"), Value::Integer(6));
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with("rdb")).collect()
}

#[test]
fn a_small_disk_fills_up() {
    let mut start = with_save_points();
    let directory = tempfile::TempDir::new().expect("a temporary directory");
    let disk = SmallDisk::mount_in(directory.path());
    let place = directory.path().join("small");
    let errno_text = if disk.is_some() { "No space left on device" } else { "File too large" };
    if disk.is_none() {
        start = start.file_size_max(LIMIT_BYTES);
    }
    let server = start.with("--dir", &place.to_string_lossy()).spawn();
    fill_the_disk(&server, &place, errno_text);
    assert_eq!(keys_in(&place), 6);
}

#[test]
fn a_file_size_limit_is_a_full_disk() {
    let server = with_save_points().file_size_max(LIMIT_BYTES).spawn();
    fill_the_disk(&server, server.directory(), "File too large");
}

/// The disk is full in the middle of a value.
#[test]
fn a_large_value_that_does_not_fit() {
    let server = with_save_points().file_size_max(LIMIT_BYTES).spawn();
    let mut connection = server.connect();
    connection.ok("SET old good");
    connection.ok("SAVE");
    let good = std::fs::read(server.path("dump.rdb")).expect("the saved file");
    fill_large(&mut connection, 40_000);
    save_badly(&mut connection);
    assert_refuses_writes(&mut connection);
    if !is_stand_in() {
        let directory = server.directory().to_string_lossy().into_owned();
        assert_reason_everywhere(&server, &mut connection, &directory, &["File too large"]);
    }
    assert_eq!(std::fs::read(server.path("dump.rdb")).expect("still there"), good, "the old file changed");
    assert_eq!(temporary(&server), Vec::<String>::new());
    connection.ok("CONFIG SET stop-writes-on-bgsave-error no");
    remove_large(&mut connection);
    connection.ok("CONFIG SET stop-writes-on-bgsave-error yes");
    save_well(&mut connection);
    assert_writable(&mut connection);
}
