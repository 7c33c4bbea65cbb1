//! A save whose every system call fails once, and what the sweep and the preflight find.

use super::faulty::Faulty;
use super::*;
use crate::rdb::Output;

/// Reasons that a system call has to fail, other than a signal.
const ERRNOS: [Errno; 4] = [Errno::ENOSPC, Errno::EIO, Errno::EACCES, Errno::EDQUOT];

const POLICY: FilePolicy = FilePolicy {
    incremental: Incremental::Beside,
    page_cache: PageCache::Release,
    rate: WriteRate::Unlimited,
};

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn save(calls: &mut impl Calls, paths: &SavePaths, content: &[u8]) -> Result<Written<()>, Fault> {
    write_file(calls, paths, POLICY, |file| {
        for piece in content.chunks(1 << 20) {
            file.write_all(piece).map_err(|_| file.fault().expect("it says why"))?;
        }
        Ok(())
    })
}

#[test]
fn every_call_can_fail_and_the_old_file_stands() {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 7).unwrap();
    std::fs::write(paths.target_path(), b"old").unwrap();
    let content = vec![b'x'; 9 << 20];
    let mut probe = Faulty::new(0, Errno::EIO);
    save(&mut probe, &SavePaths::new(directory.path(), "probe.rdb", 8).unwrap(), &content).unwrap();
    std::fs::remove_file(directory.path().join("probe.rdb")).unwrap();
    assert!(probe.log().contains(&"sync_range") && probe.log().ends_with(&["rename", "sync_directory"]));
    for fail_at in 1..=probe.calls() {
        std::fs::write(paths.target_path(), b"old").unwrap();
        let errno = ERRNOS[fail_at % ERRNOS.len()];
        let mut calls = Faulty::new(fail_at, errno);
        let Err(fault) = save(&mut calls, &paths, &content) else {
            // How much is synced while the file grows is a matter of time.
            assert!(calls.calls() < fail_at && fail_at > probe.calls() - 8);
            continue;
        };
        assert_eq!(fault.errno, errno);
        assert_eq!(names(directory.path()), ["dump.rdb"], "call {fail_at}: {fault:?}");
        let kept = std::fs::read(paths.target_path()).unwrap();
        match fault.operation {
            Operation::SyncDirectory => assert_eq!(kept, content),
            _ => assert_eq!(kept, b"old", "call {fail_at}: {fault:?}"),
        }
        let text = paths.explain(fault).to_string();
        assert!(text.contains(&*directory.path().to_string_lossy()), "{text}");
        assert!(text.ends_with(&crate::persist::error::error_text(errno)), "{text}");
    }
    save(&mut System, &paths, b"new").unwrap();
    assert_eq!(std::fs::read(paths.target_path()).unwrap(), b"new");
}

#[test]
fn a_signal_fails_no_call() {
    let directory = tempfile::tempdir().unwrap();
    let mut paths = SavePaths::new(directory.path(), "dump.rdb", 7).unwrap();
    let kept = directory.path().join("kept.rdb");
    paths.keep = Some(KeepOld::new(&kept, WithoutLinks::LoseOld).unwrap());
    // One piece, so that there are not too many writes.
    let content = vec![b'x'; 5 << 20];
    let incremental = FilePolicy { incremental: Incremental::Yes, ..POLICY };
    for fail_at in 1.. {
        std::fs::write(paths.target_path(), b"old").unwrap();
        let mut calls = Faulty::new(fail_at, Errno::EINTR);
        let written = write_file(&mut calls, &paths, incremental, |file| {
            file.write_all(&content).map_err(|_| file.fault().expect("it says why"))
        });
        assert_eq!(written.map(|written| written.unkept), Ok(None), "call {fail_at}: {:?}", calls.log());
        assert_eq!(std::fs::read(paths.target_path()).unwrap(), content);
        assert_eq!(std::fs::read(&kept).unwrap(), b"old");
        std::fs::remove_file(&kept).unwrap();
        assert_eq!(names(directory.path()), ["dump.rdb"]);
        if calls.calls() < fail_at {
            assert!(fail_at > 20 && calls.log().contains(&"sync_range"), "{:?}", calls.log());
            break;
        }
    }
}

#[test]
fn a_file_that_is_in_the_way_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 7).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", OsStr::from_bytes(paths.temp.to_bytes())).unwrap();
    let fault = save(&mut System, &paths, b"content").unwrap_err();
    assert_eq!(fault, Fault::new(Operation::Create, Errno::EEXIST));
    assert_eq!(names(directory.path()).len(), 1, "the link is somebody else's");
}

#[test]
fn the_sweep_takes_orphans_of_our_pattern_only() {
    let directory = tempfile::tempdir().unwrap();
    let create = |name: &str| File::create(directory.path().join(name)).unwrap();
    let orphan = format!("temp-{}-00000000000000ab.rdb", std::process::id());
    create(&orphan);
    let living = create("temp-1-00000000000000ac.rdb");
    living.lock().unwrap();
    for other in ["temp-12.rdb", "temp-1-00000000000000AD.rdb", "temp-x-00000000000000ad.rdb", "dump.rdb"] {
        create(other);
    }
    std::fs::create_dir(directory.path().join("temp-1-00000000000000ad.rdb")).unwrap();
    assert!(sweep_temp_files(directory.path(), &orphan).is_empty(), "it is the snapshot itself");
    assert_eq!(sweep_temp_files(directory.path(), "dump.rdb"), [directory.path().join(orphan)]);
    assert_eq!(names(directory.path()).len(), 6);
    drop(living);
    // A child that another test forks right now holds a copy of the lock until it has closed what is not its own.
    let swept = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(2));
        sweep_temp_files(directory.path(), "dump.rdb").len() == 1
    });
    assert!(swept);
    assert!(sweep_temp_files(Path::new("/nowhere/at/all"), "dump.rdb").is_empty());
}

#[test]
fn preflight_finds_what_can_be_known_before() {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 7).unwrap();
    assert_eq!(preflight(&paths, 1 << 40), Ok(()));
    // A sparse file larger than any disk at hand: the room it seems to take must be there.
    let huge = File::create(paths.target_path()).unwrap();
    if huge.set_len(1 << 43).is_ok() {
        let error = preflight(&paths, u64::MAX).unwrap_err();
        assert_eq!(error.operation, Operation::FreeSpace);
        assert_eq!(preflight(&paths, 1000), Ok(()), "the dataset has become small");
    }
    let gone = SavePaths::new(Path::new("/nowhere/at/all"), "dump.rdb", 7).unwrap();
    let error = preflight(&gone, 0).unwrap_err().to_string();
    assert_eq!(error, "write to directory /nowhere/at/all: No such file or directory");
}
