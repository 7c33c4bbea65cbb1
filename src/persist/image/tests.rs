//! What is reported while a keyspace is written, and how a fault comes out.

use super::*;
use crate::base::crc::Crc64Xz;
use crate::keyspace::Expiry;
use crate::persist::disk::faulty::Faulty;
use crate::persist::disk::{Incremental, PageCache, System, WriteRate};
use crate::persist::error::Operation;
use crate::persist::fixture::{self, NOW_MS, loaded};
use crate::rdb::{Checksum, Compression, VERSION_BASE, WriterOptions};
use nix::errno::Errno;
use std::sync::atomic::{AtomicU64, Ordering};

pub fn options() -> ImageOptions {
    ImageOptions {
        writer: WriterOptions {
            compression: Compression::Lzf,
            checksum: Checksum::On,
            version: VERSION_BASE,
        },
        file: FilePolicy {
            incremental: Incremental::Beside,
            page_cache: PageCache::Release,
            rate: WriteRate::Unlimited,
        },
        key_delay: KeyDelay(0),
        now_ms: NOW_MS,
        redis_version: "7.0.15",
        used_memory_bytes: 123_456,
    }
}

#[test]
fn a_fault_is_told_as_it_came_and_progress_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 1).unwrap();
    let keyspace = fixture::keyspace(2000);
    let mut reports = Vec::new();
    let plan = (&options(), &mut Workspaces::for_threads(1));
    let saved =
        save_image((&keyspace).into(), &mut System, &paths, plan, &mut |progress| reports.push(progress));
    let summary = saved.unwrap().content;
    assert_eq!(std::fs::metadata(paths.target_path()).unwrap().len(), summary.bytes);
    assert_eq!(reports.last(), Some(&ImageProgress { keys: 6000, bytes: summary.bytes }));
    assert_eq!(reports.len(), 6000 / 1024 + 1);
    // The second call is the first write.
    let mut calls = Faulty::new(2, Errno::ENOSPC);
    let plan = (&options(), &mut Workspaces::for_threads(1));
    let fault = save_image((&keyspace).into(), &mut calls, &paths, plan, &mut |_| {}).unwrap_err();
    assert_eq!(fault, Fault::new(Operation::Write, Errno::ENOSPC));
}

/// Three databases, values on both sides of the writer's buffer, enough for several threads.
fn large_keyspace() -> Keyspace {
    let mut keyspace = fixture::keyspace(6000);
    let mut random = fastrand::Rng::with_seed(8);
    for number in 0..4 {
        let noise: String = (0..(900 << 10) * number + 5).map(|_| random.alphanumeric()).collect();
        fixture::set(&mut keyspace, 3, &format!("noise:{number}"), &noise, Expiry::None);
        let even = "abcdefghij ".repeat(150_000 * number);
        fixture::set(&mut keyspace, 15, &format!("even:{number}"), &even, Expiry::None);
    }
    keyspace
}

#[test]
fn any_number_of_threads_writes_the_same_content() {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 1).unwrap();
    let keyspace = large_keyspace();
    let content = fixture::content(&keyspace);
    for threads in [1, 2, 4, 9] {
        let plan = (&options(), &mut Workspaces::for_threads(threads));
        let reported = AtomicU64::new(0);
        let saved = save_image((&keyspace).into(), &mut System, &paths, plan, &mut |progress| {
            // Never backwards, whoever reports.
            let earlier = reported.swap(progress.keys, Ordering::Relaxed);
            assert!(earlier <= progress.keys);
        })
        .unwrap();
        let bytes = std::fs::read(paths.target_path()).unwrap();
        let mut sum = Crc64Xz::new();
        sum.update(&bytes);
        assert_eq!((saved.content.bytes, saved.crc64_xz), (bytes.len() as u64, sum.value()));
        assert_eq!(reported.into_inner(), 18_008);
        // Which verifies the checksum.
        assert!(fixture::content(&loaded(paths.target_path())) == content, "{threads} threads");
    }
}

#[test]
fn any_call_can_fail_whatever_the_number_of_threads() {
    let keyspace = fixture::keyspace(400);
    for (threads, errno) in [(1, Errno::ENOSPC), (1, Errno::EDQUOT), (3, Errno::EIO), (3, Errno::EACCES)] {
        let directory = tempfile::tempdir().unwrap();
        let paths = SavePaths::new(directory.path(), "dump.rdb", 1).unwrap();
        for fail_at in 1.. {
            let mut calls = Faulty::new(fail_at, errno);
            let plan = (&options(), &mut Workspaces::for_threads(threads));
            let Err(fault) = save_image((&keyspace).into(), &mut calls, &paths, plan, &mut |_| {}) else {
                assert!(fail_at > 30 && calls.calls() < fail_at, "{threads} threads: call {fail_at}");
                break;
            };
            assert_eq!(fault.errno, errno, "{threads} threads: call {fail_at}");
            let goes_on = calls.log()[fail_at..].contains(&"write");
            assert!(!goes_on || fault.operation == Operation::Sync, "{threads} threads: call {fail_at}");
            let files = std::fs::read_dir(directory.path()).unwrap();
            let temporary = files.filter(|file| {
                let name = file.as_ref().unwrap().file_name().into_string().unwrap();
                name.starts_with("temp")
            });
            assert_eq!(temporary.count(), 0, "{threads} threads: call {fail_at}");
        }
    }
}

#[test]
fn a_signal_fails_no_call_whatever_the_number_of_threads() {
    let keyspace = fixture::keyspace(400);
    let content = fixture::content(&keyspace);
    for threads in [1, 3] {
        let directory = tempfile::tempdir().unwrap();
        let paths = SavePaths::new(directory.path(), "dump.rdb", 1).unwrap();
        for fail_at in 1.. {
            let mut calls = Faulty::new(fail_at, Errno::EINTR);
            let plan = (&options(), &mut Workspaces::for_threads(threads));
            save_image((&keyspace).into(), &mut calls, &paths, plan, &mut |_| {}).unwrap();
            assert!(
                fixture::content(&loaded(paths.target_path())) == content,
                "{threads} threads: call {fail_at}"
            );
            if calls.calls() < fail_at {
                break;
            }
        }
    }
}

#[test]
fn a_limited_save_sleeps_as_long_as_its_bytes_take() {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 1).unwrap();
    let keyspace = large_keyspace();
    for threads in [1, 4] {
        let mut calls = Faulty::new(0, Errno::EIO);
        let mut slow = options();
        slow.file.rate = WriteRate::from_mbps(5);
        let plan = (&slow, &mut Workspaces::for_threads(threads));
        let saved = save_image((&keyspace).into(), &mut calls, &paths, plan, &mut |_| {}).unwrap();
        let slept: Duration = calls.sleeps().iter().sum();
        let due = Duration::from_nanos(saved.content.bytes * 200);
        assert!(slept > due * 9 / 10 && slept < due * 11 / 10, "{slept:?} for {due:?}");
        assert!(calls.sleeps().iter().all(|step| *step <= Duration::from_millis(20)));
    }
}

#[test]
fn delays() {
    assert_eq!((KeyDelay(0).wait(5), KeyDelay(7).wait(5)), (0, 7));
    assert_eq!((KeyDelay(-5).wait(10), KeyDelay(-5).wait(11), KeyDelay(i32::MIN).wait(3)), (1, 0, 0));
}
