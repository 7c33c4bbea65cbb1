//! One save at a time among instances that share a machine: they name the same file in `snapshot-lock`, and whoever
//! forks a child to save holds the lock of it (flock).
//!
//! The child inherits the descriptor, and a lock belongs to the open file that both share: it is free when neither of
//! them has it open any more. A parent that dies does not free it before its child is gone, too.
//!
//! The file is made when it is not there, never written to and never removed. SAVE and the save at a shutdown do not
//! ask: somebody waits for them.

use super::error::{Operation, SnapshotError};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::fs::{File, TryLockError};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Somebody may replace the file between its opening and its locking; that often in a row, nobody means well.
const TRIES_MAX: usize = 3;

/// The lock, held until this and every child's copy of its descriptor are closed.
#[derive(Debug)]
pub struct SnapshotLock {
    file: File,
}

impl SnapshotLock {
    /// Takes the lock of `path`; `None` while another process holds it. Never waits.
    ///
    /// # Errors
    /// A path that cannot be opened or made, or a file system without locks.
    pub fn try_take(path: &Path) -> Result<Option<SnapshotLock>, SnapshotError> {
        let failed = |errno| SnapshotError::errno(Operation::Lock, path, errno);
        for _ in 0..TRIES_MAX {
            // Without O_NONBLOCK a FIFO of that name would hold the loop for ever.
            let flags =
                OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
            let file = File::from(open(path, flags, Mode::from_bits_truncate(0o666)).map_err(failed)?);
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => {
                    return Err(failed(Errno::from_raw(error.raw_os_error().unwrap_or(0))));
                }
            }
            if is_at(&file, path) {
                return Ok(Some(SnapshotLock { file }));
            }
        }
        Err(SnapshotError::text(Operation::Lock, path, "the file is being replaced again and again"))
    }

    /// What a child must keep open.
    pub fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// Whether the open file is still what others find under its name.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = SnapshotLock::try_take(&path).unwrap().expect("free");
        assert!(SnapshotLock::try_take(&path).unwrap().is_none());
        // What a forked child does: the lock is held until the last copy is closed.
        let copy = first.file.try_clone().unwrap();
        drop(first);
        assert!(SnapshotLock::try_take(&path).unwrap().is_none());
        drop(copy);
        assert!(SnapshotLock::try_take(&path).unwrap().is_some());
    }

    #[test]
    fn a_file_that_was_removed_is_no_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let old = SnapshotLock::try_take(&path).unwrap().expect("free");
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&old.file, &path));
        let new = SnapshotLock::try_take(&path).unwrap().expect("a file of its own");
        assert!(is_at(&new.file, &path) && !is_at(&old.file, &path));
    }

    #[test]
    fn an_unusable_path_is_named() {
        let error = SnapshotLock::try_take(Path::new("/nowhere/lock")).unwrap_err();
        assert_eq!(error.to_string(), "lock /nowhere/lock: No such file or directory");
        let error = SnapshotLock::try_take(Path::new("/proc")).unwrap_err();
        assert!(error.to_string().starts_with("lock /proc: "), "{error}");
    }
}
