//! Which file it was: what the kernel says of a file, to know it again.
//!
//! A file that was written, copied over or replaced since has another inode, another length or another time. It is no
//! proof of its content: who restores a time by hand deceives us.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    pub bytes: u64,
    /// Nanoseconds of Unix time.
    pub modified_ns: i64,
}

impl FileStamp {
    /// `None` when there is no file.
    pub fn of(path: &Path) -> Option<FileStamp> {
        let metadata = std::fs::metadata(path).ok().filter(|metadata| metadata.is_file())?;
        Some(FileStamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        })
    }

    /// Whether it is one file with two names.
    pub fn is_same_file(&self, other: &FileStamp) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_is_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("a"), directory.path().join("b"));
        assert_eq!((FileStamp::of(&path), FileStamp::of(directory.path())), (None, None));
        std::fs::write(&path, b"12").unwrap();
        let stamp = FileStamp::of(&path);
        assert_eq!((stamp, stamp.map(|stamp| stamp.bytes)), (FileStamp::of(&path), Some(2)));
        std::fs::write(&other, b"12").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_ne!(FileStamp::of(&path), stamp);
    }
}
