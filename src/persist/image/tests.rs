//! What is reported while a keyspace is written, and how a fault comes out.

use super::*;
use crate::persist::disk::faulty::Faulty;
use crate::persist::disk::{Incremental, PageCache, System};
use crate::persist::fixture::{self, NOW_MS};
use crate::rdb::{Checksum, Compression, VERSION_BASE};

pub fn options() -> ImageOptions {
    ImageOptions {
        writer: WriterOptions {
            compression: Compression::Lzf,
            checksum: Checksum::On,
            version: VERSION_BASE,
        },
        file: FilePolicy { incremental: Incremental::Yes, page_cache: PageCache::Release },
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
    let plan = (&options(), Workspace::new());
    let saved = save_image(&keyspace, &mut System, &paths, plan, &mut |progress| reports.push(progress));
    let summary = saved.unwrap().content;

    assert_eq!(std::fs::metadata(paths.target_path()).unwrap().len(), summary.bytes);
    assert_eq!(reports.last(), Some(&ImageProgress { keys: 6000, bytes: summary.bytes }));
    assert_eq!(reports.len(), 6000 / 1024 + 1);
    // The second call is the first write.
    let mut calls = Faulty::new(2, Errno::ENOSPC);
    let plan = (&options(), Workspace::new());
    let fault = save_image(&keyspace, &mut calls, &paths, plan, &mut |_| {}).unwrap_err();
    assert_eq!(fault, Fault::new(Operation::Write, Errno::ENOSPC));
}

#[test]
fn delays() {
    assert_eq!((KeyDelay(0).wait(5), KeyDelay(7).wait(5)), (0, 7));
    assert_eq!((KeyDelay(-5).wait(10), KeyDelay(-5).wait(11), KeyDelay(i32::MIN).wait(3)), (1, 0, 0));
}
