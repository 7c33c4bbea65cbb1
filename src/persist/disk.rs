//! A file that appears whole or not at all.
//!
//! ```text
//!  create temp-<pid>-<nonce>.rdb   O_EXCL, locked        any failure: the temp file is unlinked,
//!  write ... write                 synced step by step   and the file that was there before stays
//!  fsync, close
//!  link the old file to the name under which it is kept, when it is
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
//! 4. What a signal has interrupted (EINTR) is done again, and fails no save. POSIX lets open, write and fsync be
//!    repeated then: they have done nothing. link and rename know no EINTR there; a network file system that answers
//!    so may have done its work, then the repetition fails (EEXIST, ENOENT) and is told, with both files whole. Only
//!    close is not repeated: Linux has released the descriptor, and all is on the disk by then.
//! 5. At no moment is there neither the old file nor the new one under the target's name; the one exception is
//!    `WithoutLinks::MoveAway`, which whoever asks for it can bear.
//!
//! Not here: what is in the file, who writes it, and which old files stay.

pub use growing::{FilePolicy, GrowingFile, Incremental, PageCache};
pub use temp::{remove_own_temp_files, sweep_temp_files};
pub use throttle::WriteRate;

use super::error::{Fault, Operation, SnapshotError};
use super::id::SnapshotId;
use crate::base::clock;
use crate::base::os::{self, RangeSync};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, PosixFadviseAdvice};
use nix::sys::stat::Mode;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The system calls of a save.
pub trait Calls: Send {
    /// The same calls, for another thread of the same save.
    fn twin(&self) -> Self
    where
        Self: Sized;
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
    /// Gives a file a second name, which must not exist.
    fn link(&mut self, file: &CStr, name: &CStr) -> Result<(), Errno>;
    fn sync_directory(&mut self, path: &CStr) -> Result<(), Errno>;
    fn unlink(&mut self, path: &CStr) -> Result<(), Errno>;
    /// The monotonic clock.
    fn now(&mut self) -> Instant;
    fn sleep(&mut self, duration: Duration);
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
    fn twin(&self) -> System {
        System
    }

    fn create(&mut self, path: &CStr) -> Result<File, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let file = File::from(nix::fcntl::open(path, flags, Mode::from_bits_truncate(0o666))?);
        // A file system without locks: the name alone must do.
        let _ = file.try_lock();
        Ok(file)
    }

    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<usize, Errno> {
        match nix::unistd::write(file, bytes) {
            Ok(0) => Err(Errno::EIO),
            other => other,
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

    fn link(&mut self, file: &CStr, name: &CStr) -> Result<(), Errno> {
        // What a symbolic link points at is the snapshot, not the link.
        nix::unistd::linkat(AT_FDCWD, file, AT_FDCWD, name, AtFlags::AT_SYMLINK_FOLLOW)
    }

    fn sync_directory(&mut self, path: &CStr) -> Result<(), Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match nix::unistd::fsync(nix::fcntl::open(path, flags, Mode::empty())?) {
            // File systems that do not know it (some network ones) need it not.
            Err(Errno::EINVAL) => Ok(()),
            other => other,
        }
    }

    fn unlink(&mut self, path: &CStr) -> Result<(), Errno> {
        nix::unistd::unlink(path)
    }

    fn now(&mut self) -> Instant {
        clock::instant()
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// The names of one save, made before a fork. Absolute, as CONFIG SET dir may come while the child writes.
#[derive(Clone, Debug)]
pub struct SavePaths {
    pub directory: CString,
    pub temp: CString,
    pub target: CString,
    /// Where the file that is replaced stays; `None`: nowhere.
    pub keep: Option<KeepOld>,
    id: SnapshotId,
}

/// How the file that a save replaces is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepOld {
    /// A path that does not exist.
    pub path: CString,
    pub without_links: WithoutLinks,
}

impl KeepOld {
    /// # Errors
    /// When the path contains a NUL byte.
    pub fn new(path: &Path, without_links: WithoutLinks) -> Result<KeepOld, SnapshotError> {
        Ok(KeepOld { path: c_string(path)?, without_links })
    }
}

/// What is done where the old file cannot get a second name: a file system without hard links, a full directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutLinks {
    /// The new file matters more than the old one, which is lost: `Written::unkept` says so.
    LoseOld,
    /// The old file matters more: it is moved away before the new one comes, or the save fails.
    MoveAway,
}

/// A file that has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<R> {
    /// What `fill` returned.
    pub content: R,
    /// CRC-64/XZ of the whole file.
    pub crc64_xz: u64,
    /// Why the old file was not kept, although that was wanted.
    pub unkept: Option<Errno>,
}

impl SavePaths {
    /// `nonce` makes the temp file's name one that nobody else has or had.
    ///
    /// # Errors
    /// When a name contains a NUL byte.
    pub fn new(
        directory: &Path,
        file_name: impl AsRef<Path>,
        nonce: u64,
    ) -> Result<SavePaths, SnapshotError> {
        let temp = directory.join(temp::name(nonce));
        let target = directory.join(file_name);
        Ok(SavePaths {
            directory: c_string(directory)?,
            temp: c_string(&temp)?,
            target: c_string(&target)?,
            keep: None,
            id: SnapshotId::of_nonce(nonce),
        })
    }

    /// For a file that a tool writes, when it can be there at all.
    ///
    /// # Errors
    /// When it is there and no regular file, or its directory cannot be written to.
    pub fn of_output(output: &Path, nonce: u64) -> Result<SavePaths, SnapshotError> {
        let is_other = std::fs::metadata(output).is_ok_and(|metadata| !metadata.is_file());
        let Some(name) = output.file_name().filter(|_| !is_other) else {
            let text = "it is there and no regular file";
            return Err(SnapshotError::text(Operation::Rename, output, text));
        };
        let directory = output.parent().filter(|parent| !parent.as_os_str().is_empty());
        let paths = SavePaths::new(directory.unwrap_or(Path::new(".")), name, nonce)?;
        preflight(&paths, 0)?;
        Ok(paths)
    }

    /// The snapshot that this save makes.
    pub fn id(&self) -> SnapshotId {
        self.id
    }

    /// The path that an operation of a save is about.
    pub fn of(&self, operation: Operation) -> &Path {
        let path = match operation {
            Operation::UseDirectory | Operation::FreeSpace | Operation::SyncDirectory => &self.directory,
            Operation::Create | Operation::Write | Operation::Sync | Operation::Close => &self.temp,
            Operation::Rename | Operation::Child => &self.target,
            Operation::OpenLog
            | Operation::Pipe
            | Operation::Fork
            | Operation::Version
            | Operation::Lock
            | Operation::Remove => return Path::new(""),
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

/// Invariant 4.
pub(super) fn steady<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}

/// What cannot be removed now is swept at the next start.
fn remove_temp(calls: &mut impl Calls, paths: &SavePaths) {
    let _ = steady(|| calls.unlink(&paths.temp));
}

pub(super) fn c_string(path: &Path) -> Result<CString, SnapshotError> {
    let error = || SnapshotError::text(Operation::Create, path, "the name contains a NUL byte");
    CString::new(path.as_os_str().as_bytes()).map_err(|_| error())
}

/// Makes the file at `paths.target` be what `fill` writes, and the old one be what `paths.keep` says. On `Err` the
/// old file stands (only when the directory could not be synced may the new one have taken its place already), and
/// no temp file is left.
pub fn write_file<C: Calls, R>(
    calls: &mut C,
    paths: &SavePaths,
    policy: FilePolicy,
    fill: impl FnOnce(&mut GrowingFile<'_, C>) -> Result<R, Fault>,
) -> Result<Written<R>, Fault> {
    let file = steady(|| calls.create(&paths.temp)).map_err(|errno| Fault::new(Operation::Create, errno))?;
    let result = write_temp(calls, file, policy, fill).and_then(|(content, crc64_xz)| {
        let unkept = take_place(calls, paths)?;
        Ok(Written { content, crc64_xz, unkept })
    });
    if result.is_err() {
        remove_temp(calls, paths);
        return result;
    }
    let synced = steady(|| calls.sync_directory(&paths.directory));
    synced.map_err(|errno| Fault::new(Operation::SyncDirectory, errno)).and(result)
}

fn write_temp<C: Calls, R>(
    calls: &mut C,
    file: File,
    policy: FilePolicy,
    fill: impl FnOnce(&mut GrowingFile<'_, C>) -> Result<R, Fault>,
) -> Result<(R, u64), Fault> {
    let (result, crc64_xz) = growing::grow(calls, &file, policy, fill)?;
    steady(|| calls.sync(&file)).map_err(|errno| Fault::new(Operation::Sync, errno))?;
    if policy.page_cache == PageCache::Release {
        calls.forget(&file, FileRange { start: 0, bytes: 0 });
    }
    match calls.close(file) {
        // See invariant 4.
        Ok(()) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(Fault::new(Operation::Close, errno)),
    }
    Ok((result, crc64_xz))
}

/// Gives a file that is there already the name of the target, as a save does with a new one: the old one is kept
/// as `paths.keep` says. Returns why it was not. `source` keeps its own name, too.
pub fn put_in_place<C: Calls>(
    calls: &mut C,
    paths: &SavePaths,
    source: &Path,
) -> Result<Option<Errno>, SnapshotError> {
    let source = c_string(source)?;
    let linked = steady(|| calls.link(&source, &paths.temp));
    linked.map_err(|errno| SnapshotError::errno(Operation::Create, paths.target_path(), errno))?;
    let placed = take_place(calls, paths);
    if placed.is_err() {
        remove_temp(calls, paths);
    }
    let placed = placed.map_err(|fault| paths.explain(fault))?;
    let synced = steady(|| calls.sync_directory(&paths.directory));
    synced.map_err(|errno| paths.explain(Fault::new(Operation::SyncDirectory, errno)))?;
    Ok(placed)
}

/// The temp file takes the place of the target.
fn take_place<C: Calls>(calls: &mut C, paths: &SavePaths) -> Result<Option<Errno>, Fault> {
    let old = keep_old(calls, paths)?;
    if let Err(errno) = steady(|| calls.rename(&paths.temp, &paths.target)) {
        if let Some(keep) = &paths.keep {
            match old {
                // What cannot be removed is found at the next look, as one snapshot with two names.
                Old::HasTwoNames => drop(steady(|| calls.unlink(&keep.path))),
                // Nothing else can be done for it; it has its other name.
                Old::Moved => drop(steady(|| calls.rename(&keep.path, &paths.target))),
                Old::Absent | Old::Unkept(_) => {}
            }
        }
        return Err(Fault::new(Operation::Rename, errno));
    }
    Ok(if let Old::Unkept(errno) = old { Some(errno) } else { None })
}

/// What has become of the old file.
#[derive(Clone, Copy)]
enum Old {
    /// There is none, or it is not to be kept.
    Absent,
    HasTwoNames,
    Moved,
    Unkept(Errno),
}

fn keep_old<C: Calls>(calls: &mut C, paths: &SavePaths) -> Result<Old, Fault> {
    let Some(keep) = &paths.keep else { return Ok(Old::Absent) };
    match (steady(|| calls.link(&paths.target, &keep.path)), keep.without_links) {
        (Ok(()), _) => Ok(Old::HasTwoNames),
        (Err(Errno::ENOENT), _) => Ok(Old::Absent),
        (Err(errno), WithoutLinks::LoseOld) => Ok(Old::Unkept(errno)),
        (Err(_), WithoutLinks::MoveAway) => match steady(|| calls.rename(&paths.target, &keep.path)) {
            Ok(()) => Ok(Old::Moved),
            Err(Errno::ENOENT) => Ok(Old::Absent),
            Err(errno) => Err(Fault::new(Operation::Rename, errno)),
        },
    }
}

/// Opens a file to be read; with its length.
///
/// # Errors
/// As the kernel says; EISDIR for a directory, which could be opened, too.
pub fn open_to_read(path: &Path) -> std::io::Result<(File, u64)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(std::io::Error::from_raw_os_error(libc::EISDIR));
    }
    Ok((file, metadata.len()))
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

mod behind;
mod growing;
mod temp;
mod throttle;

#[cfg(test)]
pub mod faulty;
#[cfg(test)]
mod tests;
