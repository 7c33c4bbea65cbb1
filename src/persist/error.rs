//! Why a snapshot could not be saved: the operation, the path and the system's reason.
//!
//! A `Fault` is what the child can say through its pipe: two numbers. The parent, which knows the paths,
//! makes a `SnapshotError` of it. Texts are made once, in `Display`.

use nix::errno::Errno;
use std::fmt;
use std::path::{Path, PathBuf};

/// The C library's text for an error number, which is what users know.
pub fn error_text(errno: Errno) -> String {
    let number = errno as i32;
    let text = std::io::Error::from_raw_os_error(number).to_string();
    text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text).to_owned()
}

/// What failed. The numbers travel through the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// The directory is not there or must not be written to.
    UseDirectory = 1,
    FreeSpace,
    OpenLog,
    Pipe,
    Fork,
    Create,
    Write,
    Sync,
    Close,
    Rename,
    SyncDirectory,
    /// The child ended without saying why.
    Child,
    /// The file may not be of the version that the dataset needs.
    Version,
    /// The lock that instances share.
    Lock,
    /// A snapshot that is to go.
    Remove,
}

impl Operation {
    const ALL: [Operation; 15] = [
        Operation::UseDirectory,
        Operation::FreeSpace,
        Operation::OpenLog,
        Operation::Pipe,
        Operation::Fork,
        Operation::Create,
        Operation::Write,
        Operation::Sync,
        Operation::Close,
        Operation::Rename,
        Operation::SyncDirectory,
        Operation::Child,
        Operation::Version,
        Operation::Lock,
        Operation::Remove,
    ];

    /// The operation that travels as `number`.
    pub fn from_number(number: u8) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| *operation as u8 == number)
    }

    fn words(self) -> &'static str {
        match self {
            Operation::UseDirectory => "write to directory",
            Operation::FreeSpace => "find space in",
            Operation::OpenLog => "open the log for the child",
            Operation::Pipe => "pipe",
            Operation::Fork => "fork",
            Operation::Create => "open",
            Operation::Write => "write",
            Operation::Sync => "fsync",
            Operation::Close => "close",
            Operation::Rename => "rename to",
            Operation::SyncDirectory => "fsync directory",
            Operation::Child | Operation::Version => "save to",
            Operation::Lock => "lock",
            Operation::Remove => "remove",
        }
    }
}

/// A failed operation without the names: what fits into a pipe and needs no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub operation: Operation,
    pub errno: Errno,
}

impl Fault {
    pub fn new(operation: Operation, errno: Errno) -> Fault {
        Fault { operation, errno }
    }
}

/// What the system, or the way a child ended, gives as the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    Errno(Errno),
    Text(String),
}

/// A snapshot that could not be saved. `Display` is `<operation> <path>: <reason>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError {
    pub operation: Operation,
    /// Empty when the operation concerns no file.
    pub path: PathBuf,
    pub reason: Reason,
}

impl SnapshotError {
    pub fn errno(operation: Operation, path: &Path, errno: Errno) -> SnapshotError {
        SnapshotError { operation, path: path.into(), reason: Reason::Errno(errno) }
    }

    pub fn text(operation: Operation, path: &Path, text: impl Into<String>) -> SnapshotError {
        SnapshotError { operation, path: path.into(), reason: Reason::Text(text.into()) }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation.words())?;
        if !self.path.as_os_str().is_empty() {
            write!(f, " {}", self.path.display())?;
        }
        match &self.reason {
            Reason::Errno(errno) => write!(f, ": {}", error_text(*errno)),
            Reason::Text(text) => write!(f, ": {text}"),
        }
    }
}

impl std::error::Error for SnapshotError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_operation_path_and_reason() {
        let error = SnapshotError::errno(Operation::Create, Path::new("/data/temp-1-2.rdb"), Errno::EACCES);
        assert_eq!(error.to_string(), "open /data/temp-1-2.rdb: Permission denied");
        let error = SnapshotError::errno(Operation::Fork, Path::new(""), Errno::ENOMEM);
        assert_eq!(error.to_string(), "fork: Cannot allocate memory");
    }

    #[test]
    fn operations_travel_as_numbers() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_number(operation as u8), Some(operation));
        }
        assert_eq!(Operation::from_number(0), None);
        assert_eq!(Operation::from_number(16), None);
    }
}
