//! Real forks: this process has many threads, which is harder than what the server does.

use super::*;
use crate::base::log::child_log;
use crate::object::Depth;
use crate::persist::disk::sweep_temp_files;
use crate::persist::fixture::{self, NOW_MS};
use crate::persist::image::{KeyDelay, tests::options};
use crate::persist::load::{Duplicates, LoadOptions, Loading, Target};
use crate::rdb::Checksum;
use crate::rdb::Foreign;
use std::path::Path;
use std::time::Duration;

fn begin(keyspace: &Keyspace, directory: &Path, key_delay: i32) -> RunningSave {
    let job = Job {
        paths: SavePaths::new(directory, "dump.rdb", 9).unwrap(),
        options: ImageOptions { key_delay: KeyDelay(key_delay), ..options() },
        workspace: Workspace::new(),
        log: child_log().unwrap(),
        title: None,
        manners: Manners { nice: 19, ..Manners::default() },
        oom_score_adj: Some(900),
        lock: None,
    };
    let (running, fork_us) = start(keyspace, job, &Clock::real()).unwrap();
    assert!(running.pid > 0 && fork_us < 10_000_000);
    running
}

fn poll_to_end(running: &mut RunningSave) -> Ending {
    for _ in 0..3000 {
        if let Some(ending) = running.poll(NOW_MS) {
            return ending;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the child does not end");
}

fn files(directory: &Path) -> Vec<String> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// The child creates it when it has become a process of its own.
fn wait_for_file(directory: &Path) {
    while files(directory).is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_child_saves_the_moment_of_the_fork() {
    let directory = tempfile::tempdir().unwrap();
    let mut keyspace = fixture::keyspace(3000);
    let at_fork = fixture::content(&keyspace);
    let mut running = begin(&keyspace, directory.path(), 0);
    for number in 0..3000 {
        fixture::set(&mut keyspace, 0, &format!("key:0:{number}"), "changed", crate::keyspace::Expiry::None);
    }
    assert_eq!(poll_to_end(&mut running), Ending::Saved);
    assert_eq!(running.progress.keys, 9000);
    assert!(running.cow.peak >= running.cow.current && running.cow.current > 0);
    let mut loaded = Keyspace::new(16, 1, NOW_MS);
    let load = LoadOptions {
        duplicates: Duplicates::Refuse,
        target: Target::Keyspace,
        checksum: Checksum::On,
        depth: Depth::Structure,
        foreign: Foreign::Refuse,
        key_delay: KeyDelay(0),
    };
    let mut loading = Loading::open(&directory.path().join("dump.rdb"), load, NOW_MS).unwrap().unwrap();
    loading.run(&mut loaded, NOW_MS).unwrap();
    assert_eq!(fixture::content(&loaded), at_fork);
    assert_eq!(files(directory.path()), ["dump.rdb"]);
}

#[test]
fn a_cancelled_child_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(3000);
    let mut running = begin(&keyspace, directory.path(), 10_000);
    assert!(running.poll(NOW_MS).is_none());
    running.cancel();
    assert_eq!(poll_to_end(&mut running), Ending::Cancelled);
    assert!(files(directory.path()).is_empty());
}

#[test]
fn a_stopped_child_can_be_cancelled_and_one_can_be_asked_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(3000);
    let mut running = begin(&keyspace, directory.path(), 10_000);
    kill(Pid::from_raw(running.pid), Signal::SIGSTOP).unwrap();
    running.cancel();
    assert_eq!(poll_to_end(&mut running), Ending::Cancelled);
    let mut running = begin(&keyspace, directory.path(), 10_000);
    wait_for_file(directory.path());
    kill(Pid::from_raw(running.pid), Signal::SIGUSR1).unwrap();
    assert_eq!(poll_to_end(&mut running), Ending::Cancelled);
    assert!(files(directory.path()).is_empty());
}

#[test]
fn a_killed_child_is_named_with_its_signal() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(3000);
    let mut running = begin(&keyspace, directory.path(), 10_000);
    kill(Pid::from_raw(running.pid), Signal::SIGKILL).unwrap();
    let Ending::Killed { signal: 9, error } = poll_to_end(&mut running) else { panic!("killed by signal 9") };
    let target = directory.path().join("dump.rdb");
    let text = format!("save to {}: the child was killed by signal 9", target.display());
    assert_eq!(error.to_string(), text);
    assert!(files(directory.path()).is_empty());
}

#[test]
fn the_childs_reason_arrives() {
    let keyspace = fixture::keyspace(10);
    let mut running = begin(&keyspace, Path::new("/nowhere/at/all"), 0);
    let Ending::Failed(error) = poll_to_end(&mut running) else { panic!("it cannot succeed") };
    let text = error.to_string();
    assert!(
        text.starts_with("open /nowhere/at/all/temp-") && text.ends_with(": No such file or directory"),
        "{text}"
    );
}

#[test]
fn the_child_holds_no_descriptor_of_ours() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(3000);
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut running = begin(&keyspace, directory.path(), 10_000);
    drop(theirs);
    ours.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The other end is closed only when the child has closed its copy, too; it lives for a long while yet.
    assert_eq!(std::io::Read::read(&mut ours, &mut [0; 1]).unwrap(), 0);
    wait_for_file(directory.path());
    assert!(running.poll(NOW_MS).is_none());
    let title = std::fs::read_to_string(format!("/proc/{}/comm", running.pid)).unwrap();
    let score = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", running.pid)).unwrap();
    assert_eq!((title.trim(), score.trim()), ("rdb-bgsave", "900"));
    // Dropping it ends it, temp file and all.
    drop(running);
    assert!(files(directory.path()).is_empty());
}

#[test]
fn a_living_childs_file_is_not_swept() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(3000);
    let running = begin(&keyspace, directory.path(), 10_000);
    wait_for_file(directory.path());
    std::thread::sleep(Duration::from_millis(50));
    assert!(sweep_temp_files(directory.path()).is_empty());
    drop(running);
}
