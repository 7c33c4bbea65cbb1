//! Every system call that the server's own saves make fails once, for each reason: what is saved already stays, what is
//! in the directory is sound, and whoever asked is told.

use super::*;
use crate::persist::disk::faulty::Faulty;
use nix::errno::Errno;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

const ERRNOS: [Errno; 5] = [Errno::ENOSPC, Errno::EIO, Errno::EACCES, Errno::EDQUOT, Errno::EINTR];
const DIRTY: u64 = 7;

/// What a server does with its files. There are snapshots of 3 (the current one), 2 and 1 keys, as many as are kept,
/// and a dataset of 4 keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Save,
    /// FLUSHALL: the dataset is empty by then.
    Flush,
    /// To the snapshot of 1 key.
    Restore,
}

fn bench(keep: u32, deed: Deed, threads: u32) -> Bench {
    let mut bench = Bench::new(keep);
    bench.server.config.rdb_save_threads = threads;
    (1..=3).for_each(|keys| bench.save(keys));
    bench.fill(4);
    if deed == Deed::Flush {
        bench.server.keyspace = bench.server.keyspace.empty_twin(0);
    }
    bench.server.snapshots.dirty = DIRTY;
    bench
}

impl Deed {
    fn is_done(self, bench: &mut Bench, calls: &mut Faulty) -> Result<(), String> {
        let server = &mut bench.server;
        match self {
            Deed::Save => {
                let saved = server.save_in_foreground(calls, PageCache::Release, Occasion::Save);
                saved.map_err(|error| error.to_string())
            }
            Deed::Flush => {
                server.flush_save_by(calls);
                server.snapshots.last_error.clone().map_or(Ok(()), Err)
            }
            Deed::Restore => {
                let lines = history::look(&server.place()).unwrap().lines;
                let line = lines.iter().find(|line| line.keys == Some(1)).unwrap();
                server.restore_snapshot_by(calls, line).map_err(|failure| failure.to_string())
            }
        }
    }
}

/// The calls worth a fault: of a row of writes the first and the last.
fn worth_failing(log: &[&str]) -> Vec<usize> {
    let is_write = |index: usize| log.get(index).is_some_and(|call| *call == "write");
    let inside = |index: usize| index > 0 && is_write(index - 1) && is_write(index) && is_write(index + 1);
    (0..log.len()).filter(|index| !inside(*index)).map(|index| index + 1).collect()
}

/// What is in the directory is sound, and the catalogue agrees with it after a look. Returns how many keys each
/// snapshot has, in ascending order, and the current one.
#[track_caller]
fn sound_snapshots(bench: &Bench, what: &str) -> (Vec<u64>, Option<u64>) {
    let place = bench.server.place();
    history::edit(&mut System, &place, 99, |_| ()).unwrap();
    let state = history::look(&place).unwrap();
    assert!(state.faults.is_empty(), "{what}: {:?}", state.faults);
    let mut inodes = BTreeSet::new();
    for entry in std::fs::read_dir(bench.directory.path()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.starts_with("temp"), "{what}: {name} is left");
        if name.ends_with(".rdb") {
            examine::examine(&entry.path(), 0).unwrap_or_else(|damage| panic!("{what}: {name}: {damage}"));
            inodes.insert(entry.metadata().unwrap().ino());
        }
    }
    assert_eq!(state.lines.len(), inodes.len(), "{what}: {:?}", state.lines);
    let keys = |line: &Line| {
        let verified = examine::verify(&place.path(&line.file), line, 0);
        verified.unwrap_or_else(|damage| panic!("{what}: {}: {damage}", line.file)).keys
    };
    let mut all: Vec<u64> = state.lines.iter().map(keys).collect();
    all.sort_unstable();
    (all, state.current_line().map(keys))
}

/// Lets each call fail; `check` gets the outcome, the calls, and what is in the directory.
fn let_each_fail(
    make: impl Fn() -> (Bench, Deed),
    calls: impl Fn(usize, Errno) -> Faulty,
    check: impl Fn(&Bench, &Case<'_>),
) {
    let mut probe = calls(0, Errno::EIO);
    let (mut bench, deed) = make();
    deed.is_done(&mut bench, &mut probe).unwrap();
    let log = probe.log();
    assert!(log.len() > 15 && log.contains(&"rename") && log.contains(&"sync_directory"), "{log:?}");
    for fail_at in worth_failing(&log) {
        for errno in ERRNOS {
            let (mut bench, deed) = make();
            let mut calls = calls(fail_at, errno);
            let outcome = deed.is_done(&mut bench, &mut calls);
            let what = format!("{deed:?}: {errno:?} at call {fail_at}, {}: {outcome:?}", log[fail_at - 1]);
            // The thread may have been given something to do.
            bench.server.edit_history(Pace::Now, |_| (), |_, _| ());
            let (snapshots, current) = sound_snapshots(&bench, &what);
            if let Err(reason) = &outcome {
                assert_ne!(errno, Errno::EINTR, "{what}");
                assert!(reason.contains(&*bench.directory.path().to_string_lossy()), "{what}");
                assert!(reason.ends_with(&error_text(errno)), "{what}");
                assert_eq!(bench.server.snapshots.dirty, DIRTY, "{what}");
            } else {
                assert_eq!(bench.server.snapshots.dirty, 0, "{what}");
            }
            if errno == Errno::EINTR {
                assert_eq!(bench.server.history.last_error, None, "{what}");
            }
            check(&bench, &Case { errno, call: log[fail_at - 1], outcome, snapshots, current, what });
            // Whatever it was, the next save finds everything in order.
            bench.server.save_now().unwrap();
            let len = bench.server.keyspace.len() as u64;
            assert_eq!(sound_snapshots(&bench, "the save after it").1, Some(len));
        }
    }
}

struct Case<'a> {
    errno: Errno,
    call: &'a str,
    outcome: Result<(), String>,
    /// Keys of each.
    snapshots: Vec<u64>,
    current: Option<u64>,
    what: String,
}

impl Case<'_> {
    /// The last step: the new file has its name, and is whole.
    fn is_in_place(&self) -> bool {
        self.outcome.as_ref().is_err_and(|reason| reason.contains("fsync directory"))
    }
}

#[test]
fn a_save_without_history() {
    for threads in [1, 4] {
        let make = || (bench(0, Deed::Save, threads), Deed::Save);
        let_each_fail(make, Faulty::new, |_, case| {
            let expected = if case.outcome.is_ok() || case.is_in_place() { 4 } else { 3 };
            assert_eq!((&*case.snapshots, case.current), (&[expected][..], Some(expected)), "{}", case.what);
        });
    }
}

#[test]
fn a_save_with_a_full_history() {
    let make = || (bench(2, Deed::Save, 1), Deed::Save);
    let_each_fail(make, Faulty::new, |bench, case| {
        let expected: &[u64] = match (&case.outcome, case.call) {
            (Ok(()), _) if case.errno == Errno::EINTR => &[2, 3, 4],
            (Ok(()), "link") => &[1, 2, 4],
            // It stays until the next save.
            (Ok(()), "unlink") => &[1, 2, 3, 4],
            (Ok(()), _) => &[2, 3, 4],
            (Err(_), _) if case.is_in_place() => &[2, 3, 4],
            (Err(_), _) => &[1, 2, 3],
        };
        assert_eq!(case.snapshots, expected, "{}", case.what);
        let reason = bench.server.history.last_error.as_deref().unwrap_or_default();
        if case.outcome.is_ok() && case.errno != Errno::EINTR {
            let is_told = reason.contains(&error_text(case.errno)) && reason.contains("dump");
            assert!(is_told, "{}: {reason}", case.what);
        }
    });
}

/// With links and without: the last file that holds anything is there, whatever fails.
#[test]
fn a_flush_never_loses_the_last_file_that_holds_anything() {
    let make = || (bench(0, Deed::Flush, 1), Deed::Flush);
    let check = |_: &Bench, case: &Case<'_>| {
        let is_there = case.snapshots.iter().filter(|keys| **keys == 3).count() == 1;
        assert!(is_there, "{}: {:?}", case.what, case.snapshots);
        let expected = if case.outcome.is_ok() || case.is_in_place() { 0 } else { 3 };
        assert_eq!(case.current, Some(expected), "{}", case.what);
    };
    let_each_fail(make, Faulty::new, check);
    let_each_fail(make, |fail_at, errno| Faulty::new(fail_at, errno).without_links(), check);
}

#[test]
fn a_restore_that_fails_changes_no_dataset_and_loses_nothing() {
    let make = || (bench(2, Deed::Restore, 1), Deed::Restore);
    let_each_fail(make, Faulty::new, |bench, case| {
        let len = bench.server.keyspace.len();
        let has = |keys: u64| case.snapshots.contains(&keys);
        assert!(has(1) && has(2), "{}: {:?}", case.what, case.snapshots);
        let is_lost_and_told = case.call == "link" && bench.server.history.last_error.is_some();
        assert!(has(3) || is_lost_and_told, "{}: {:?}", case.what, case.snapshots);
        match &case.outcome {
            Ok(()) => {
                assert_eq!((len, case.current, has(4)), (1, Some(1), true), "{}", case.what);
            }
            Err(_) => {
                assert_eq!(len, 4, "{}", case.what);
                let in_place = case.is_in_place() && case.current == Some(1);
                assert!(case.current == Some(3) || in_place, "{}: {:?}", case.what, case.current);
            }
        }
    });
}
