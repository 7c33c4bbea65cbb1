//! A file that appears whole or not at all.
//!
//! ```text
//!  create temp-<pid>-<nonce>.rdb   O_EXCL, locked        any failure: the temp file is unlinked,
//!  write ... write                 4 MiB behind: synced  and the file that was there before stays
//!  fsync, close
//!  rename onto the target
//!  fsync of the directory
//! ```
//! Invariants:
//! 1. Every system call of a save goes through `Calls`, so that tests can make each of them fail.
//! 2. Nothing here allocates once `SavePaths` is made: the forked child runs it.
//! 3. Whoever writes a temp file holds its lock (flock), which the kernel drops with the process. A temp file
//!    whose lock can be taken is an orphan, whatever its process id means by now (containers start with the
//!    same ids again).
//!
//! Not here: what is in the file, and who writes it.

use super::error::{Fault, Operation, SnapshotError};
use crate::base::os::{self, RangeSync};
use crate::rdb::Output;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, PosixFadviseAdvice};
use nix::sys::stat::Mode;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// So much is handed to the disk at a time when `rdb-save-incremental-fsync` is on.
const SYNC_BYTES: u64 = 4 << 20;

/// The system calls of a save.
pub trait Calls {
    /// Creates a file that must not exist, and locks it.
    fn create(&mut self, path: &CStr) -> Result<File, Errno>;
    /// Returns how much was taken, at least one byte.
    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<usize, Errno>;
    fn sync_range(&mut self, file: &File, range: FileRange, step: RangeSync) -> Result<(), Errno>;
    /// Lets the kernel drop a range from its page cache; to be tried only.
    fn forget(&mut self, file: &File, range: FileRange);
    fn sync(&mut self, file: &File) -> Result<(), Errno>;
    fn close(&mut self, file: File) -> Result<(), Errno>;
    fn rename(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno>;
    fn sync_directory(&mut self, path: &CStr) -> Result<(), Errno>;
    fn unlink(&mut self, path: &CStr);
}

/// Bytes `start..start + bytes` of a file; `bytes` 0 means up to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRange {
    pub start: u64,
    pub bytes: u64,
}

/// The calls as the kernel answers them.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Calls for System {
    fn create(&mut self, path: &CStr) -> Result<File, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let file = File::from(nix::fcntl::open(path, flags, Mode::from_bits_truncate(0o666))?);
        // A file system without locks: the name alone must do.
        let _ = file.try_lock();
        Ok(file)
    }

    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match nix::unistd::write(file, bytes) {
                Err(Errno::EINTR) => {}
                Ok(0) => return Err(Errno::EIO),
                other => return other,
            }
        }
    }

    fn sync_range(&mut self, file: &File, range: FileRange, step: RangeSync) -> Result<(), Errno> {
        match os::sync_file_range(file.as_fd(), range.start, range.bytes, step) {
            // A file system that cannot: the fsync at the end does it all.
            Err(Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP | Errno::ESPIPE) => Ok(()),
            other => other,
        }
    }

    fn forget(&mut self, file: &File, range: FileRange) {
        let (start, bytes) = (range.start as i64, range.bytes as i64);
        let _ = nix::fcntl::posix_fadvise(file, start, bytes, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }

    fn sync(&mut self, file: &File) -> Result<(), Errno> {
        nix::unistd::fsync(file)
    }

    fn close(&mut self, file: File) -> Result<(), Errno> {
        nix::unistd::close(OwnedFd::from(file))
    }

    fn rename(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno> {
        nix::fcntl::renameat(AT_FDCWD, from, AT_FDCWD, to)
    }

    fn sync_directory(&mut self, path: &CStr) -> Result<(), Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match nix::unistd::fsync(nix::fcntl::open(path, flags, Mode::empty())?) {
            // File systems that do not know it (some network ones) need it not.
            Err(Errno::EINVAL) => Ok(()),
            other => other,
        }
    }

    fn unlink(&mut self, path: &CStr) {
        let _ = nix::unistd::unlink(path);
    }
}

/// The names of one save, made before a fork. Absolute, as CONFIG SET dir may come while the child writes.
#[derive(Clone, Debug)]
pub struct SavePaths {
    pub directory: CString,
    pub temp: CString,
    pub target: CString,
}

impl SavePaths {
    /// `nonce` makes the temp file's name one that nobody else has or had.
    ///
    /// # Errors
    /// When a name contains a NUL byte.
    pub fn new(directory: &Path, file_name: &str, nonce: u64) -> Result<SavePaths, SnapshotError> {
        let temp = directory.join(format!("{TEMP_PREFIX}{}-{nonce:016x}{TEMP_SUFFIX}", std::process::id()));
        let target = directory.join(file_name);
        Ok(SavePaths { directory: c_string(directory)?, temp: c_string(&temp)?, target: c_string(&target)? })
    }

    /// The path that an operation of a save is about.
    pub fn of(&self, operation: Operation) -> &Path {
        let path = match operation {
            Operation::UseDirectory | Operation::FreeSpace | Operation::SyncDirectory => &self.directory,
            Operation::Create | Operation::Write | Operation::Sync | Operation::Close => &self.temp,
            Operation::Rename | Operation::Child => &self.target,
            Operation::OpenLog | Operation::Pipe | Operation::Fork | Operation::Version => {
                return Path::new("");
            }
        };
        Path::new(OsStr::from_bytes(path.to_bytes()))
    }

    pub fn target_path(&self) -> &Path {
        self.of(Operation::Rename)
    }

    /// Gives a fault its path.
    pub fn explain(&self, fault: Fault) -> SnapshotError {
        SnapshotError::errno(fault.operation, self.of(fault.operation), fault.errno)
    }
}

fn c_string(path: &Path) -> Result<CString, SnapshotError> {
    let error = || SnapshotError::text(Operation::Create, path, "the name contains a NUL byte");
    CString::new(path.as_os_str().as_bytes()).map_err(|_| error())
}

/// Whether what is written goes to the disk while the file grows (`rdb-save-incremental-fsync`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incremental {
    Yes,
    No,
}

/// What becomes of the file's pages in the kernel's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCache {
    /// Nobody reads the file soon: other programs' pages are worth more.
    Release,
    /// The save before a shutdown: the next start will read it.
    Keep,
}

#[derive(Clone, Copy, Debug)]
pub struct FilePolicy {
    pub incremental: Incremental,
    pub page_cache: PageCache,
}

/// The temp file while it is written.
pub struct GrowingFile<'a, C: Calls> {
    calls: &'a mut C,
    file: File,
    policy: FilePolicy,
    written_bytes: u64,
    /// Handed to the disk: asked for, not waited for in the last `SYNC_BYTES`.
    started_bytes: u64,
    /// On the disk.
    finished_bytes: u64,
    fault: Option<Fault>,
}

impl<C: Calls> GrowingFile<'_, C> {
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            let taken = self.calls.write(&self.file, bytes);
            let taken = taken.map_err(|errno| Fault::new(Operation::Write, errno))?;
            bytes = &bytes[taken..];
            self.written_bytes += taken as u64;
        }
        if self.policy.incremental == Incremental::Yes
            && self.written_bytes - self.started_bytes >= SYNC_BYTES
        {
            self.sync_behind()?;
        }
        Ok(())
    }

    /// Starts writing out what is new and waits for what was started before: the disk is always busy, and
    /// never is there more than two portions to wait for.
    fn sync_behind(&mut self) -> Result<(), Fault> {
        let fault = |errno| Fault::new(Operation::Sync, errno);
        let new = FileRange { start: self.started_bytes, bytes: self.written_bytes - self.started_bytes };
        let old = FileRange { start: self.finished_bytes, bytes: self.started_bytes - self.finished_bytes };
        self.calls.sync_range(&self.file, new, RangeSync::Start).map_err(fault)?;
        if old.bytes > 0 {
            self.calls.sync_range(&self.file, old, RangeSync::Finish).map_err(fault)?;
            if self.policy.page_cache == PageCache::Release {
                self.calls.forget(&self.file, old);
            }
        }
        self.finished_bytes = self.started_bytes;
        self.started_bytes = self.written_bytes;
        Ok(())
    }

    /// What made an `Output` call fail.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }
}

impl<C: Calls> Output for GrowingFile<'_, C> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).map_err(|fault| {
            self.fault = Some(fault);
            // Made of a number: this does not allocate.
            io::Error::from_raw_os_error(fault.errno as i32)
        })
    }
}

/// Makes the file at `paths.target` be what `fill` writes. On `Err` the old file stands (only when the
/// directory could not be synced may the new one have taken its place already), and no temp file is left.
pub fn write_file<C: Calls, R>(
    calls: &mut C,
    paths: &SavePaths,
    policy: FilePolicy,
    fill: impl FnOnce(&mut GrowingFile<'_, C>) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let file = calls.create(&paths.temp).map_err(|errno| Fault::new(Operation::Create, errno))?;
    let result = write_temp(calls, file, policy, fill).and_then(|result| {
        let renamed = calls.rename(&paths.temp, &paths.target);
        renamed.map_err(|errno| Fault::new(Operation::Rename, errno))?;
        Ok(result)
    });
    if result.is_err() {
        calls.unlink(&paths.temp);
        return result;
    }
    let synced = calls.sync_directory(&paths.directory);
    synced.map_err(|errno| Fault::new(Operation::SyncDirectory, errno)).and(result)
}

fn write_temp<C: Calls, R>(
    calls: &mut C,
    file: File,
    policy: FilePolicy,
    fill: impl FnOnce(&mut GrowingFile<'_, C>) -> Result<R, Fault>,
) -> Result<R, Fault> {
    let mut growing = GrowingFile {
        calls,
        file,
        policy,
        written_bytes: 0,
        started_bytes: 0,
        finished_bytes: 0,
        fault: None,
    };
    let result = fill(&mut growing)?;
    let GrowingFile { calls, file, .. } = growing;
    calls.sync(&file).map_err(|errno| Fault::new(Operation::Sync, errno))?;
    if policy.page_cache == PageCache::Release {
        calls.forget(&file, FileRange { start: 0, bytes: 0 });
    }
    calls.close(file).map_err(|errno| Fault::new(Operation::Close, errno))?;
    Ok(result)
}

const TEMP_PREFIX: &str = "temp-";
const TEMP_SUFFIX: &str = ".rdb";

/// Whether `name` is one that `SavePaths` makes: `temp-<decimal>-<16 hexadecimal digits>.rdb`.
fn is_temp_name(name: &str) -> bool {
    let middle = name.strip_prefix(TEMP_PREFIX).and_then(|rest| rest.strip_suffix(TEMP_SUFFIX));
    let Some((pid, nonce)) = middle.and_then(|middle| middle.split_once('-')) else { return false };
    let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    !pid.is_empty()
        && pid.bytes().all(|byte| byte.is_ascii_digit())
        && nonce.len() == 16
        && nonce.bytes().all(is_lower_hex)
}

/// Removes the temp files that crashed processes left in `directory`; returns what was removed. Files of our
/// pattern that a living process holds locked, and all files of another pattern, stay.
pub fn sweep_temp_files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let ours = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_temp_name));
    ours.map(|entry| entry.path())
        .filter(|path| is_orphan(path) && std::fs::remove_file(path).is_ok())
        .collect()
}

/// Removes the temp files of this process, which is about to end in the middle of a save.
pub fn remove_own_temp_files(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let beginning = format!("{TEMP_PREFIX}{}-", std::process::id());
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(&beginning) && is_temp_name(name)) {
            // What cannot be removed now is swept at the next start.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn is_orphan(path: &Path) -> bool {
    // Without O_NONBLOCK a FIFO of that name would hold us for ever.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let Ok(file) = nix::fcntl::open(path, flags, Mode::empty()).map(File::from) else { return false };
    file.metadata().is_ok_and(|metadata| metadata.is_file()) && file.try_lock().is_ok()
}

/// Looks, before a fork is paid for, whether a save into `paths` can succeed at all.
///
/// `bytes_needed_max` bounds how large the new file can become; the room that the last one took is asked for,
/// unless the dataset has shrunk below that since.
///
/// # Errors
/// A directory that is absent or not writable, or a file system too full.
pub fn preflight(paths: &SavePaths, bytes_needed_max: u64) -> Result<(), SnapshotError> {
    let directory = paths.of(Operation::UseDirectory);
    nix::unistd::access(directory, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK)
        .map_err(|errno| paths.explain(Fault::new(Operation::UseDirectory, errno)))?;
    let last_bytes = std::fs::metadata(paths.target_path()).map_or(0, |metadata| metadata.len());
    let needed = last_bytes.min(bytes_needed_max);
    let Ok(space) = nix::sys::statvfs::statvfs(directory) else { return Ok(()) };
    let free = space.blocks_available().saturating_mul(space.fragment_size());
    // File systems that do not count (some network ones) say that they have no blocks at all.
    if space.blocks() > 0 && free < needed {
        let text = format!("No space left on device ({free} bytes free, about {needed} needed)");
        return Err(SnapshotError::text(Operation::FreeSpace, directory, text));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod faulty;
#[cfg(test)]
mod tests;
