//! Real forks: this process has many threads, which is harder than what the server does.

use super::*;
use crate::base::log::child_log;
use crate::keyspace::Keyspace;
use crate::persist::disk::WriteRate;
use crate::persist::disk::sweep_temp_files;
use crate::persist::fixture;
use crate::persist::image::{KeyDelay, tests::options};
use crate::rdb::Compression;
use std::path::Path;
use std::time::Duration;

/// Nobody looks at it.
const MONO_MS: u64 = 0;

fn begin(keyspace: &Keyspace, directory: &Path, key_delay: i32) -> RunningSave {
    begin_with(keyspace, directory, ImageOptions { key_delay: KeyDelay(key_delay), ..options() }, 1)
}

fn begin_with(keyspace: &Keyspace, directory: &Path, options: ImageOptions, threads: usize) -> RunningSave {
    let job = Job {
        paths: SavePaths::new(directory, "dump.rdb", 9).unwrap(),
        options,
        workspaces: Workspaces::for_threads(threads),
        log: child_log().unwrap(),
        title: None,
        manners: Manners { nice: 19, ..Manners::default() },
        oom_score_adj: Some(900),
        lock: None,
    };
    let (running, fork_us) = start(keyspace.into(), job, &Clock::real()).unwrap();
    assert!(running.pid > 0 && fork_us < 10_000_000);
    running
}

fn poll_to_end(running: &mut RunningSave) -> Ending {
    for _ in 0..3000 {
        if let Some(ending) = running.poll(MONO_MS) {
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
    assert_eq!(fixture::content(&fixture::loaded(&directory.path().join("dump.rdb"))), at_fork);
    assert_eq!(files(directory.path()), ["dump.rdb"]);
}

#[test]
fn threads_save_the_moment_of_the_fork_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(6000);
    for threads in [2, 5] {
        let mut running = begin_with(&keyspace, directory.path(), options(), threads);
        assert_eq!(poll_to_end(&mut running), Ending::Saved);
        assert_eq!(running.progress.keys, 18_000);
        let loaded = fixture::loaded(&directory.path().join("dump.rdb"));
        assert!(fixture::content(&loaded) == fixture::content(&keyspace));
        assert_eq!(files(directory.path()), ["dump.rdb"]);
    }
}

/// At one million bytes a second it would take many seconds.
#[test]
fn a_limited_child_ends_at_once_when_it_is_cancelled() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(20_000);
    let mut slow = options();
    slow.file.rate = WriteRate::from_mbps(1);
    slow.writer.compression = Compression::Off;
    let mut running = begin_with(&keyspace, directory.path(), slow, 3);
    wait_for_file(directory.path());
    std::thread::sleep(Duration::from_millis(300));
    assert!(running.poll(MONO_MS).is_none());
    running.cancel();
    assert_eq!(running.wait(MONO_MS), Ending::Cancelled);
    assert!(files(directory.path()).is_empty());
}

#[test]
fn a_cancelled_child_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let keyspace = fixture::keyspace(3000);
    let mut running = begin(&keyspace, directory.path(), 10_000);
    assert!(running.poll(MONO_MS).is_none());
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
    assert!(running.poll(MONO_MS).is_none());
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
    assert!(sweep_temp_files(directory.path(), "dump.rdb").is_empty());
    drop(running);
}
