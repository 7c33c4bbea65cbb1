//! The offline tools: what someone does with a file of a snapshot without a server.
//!
//! | file | what |
//! |---|---|
//! | `check` | `check-rdb`: what is in a file, and its first fault |
//! | `export` | `rdb-export`: every key as JSON, CSV or commands |
//! | `diff` | `rdb-diff`: what differs between two files |
//! | `salvage` | `rdb-salvage`: all of a damaged file that can be proven |
//! | `sink`, `json`, `progress` | what they share: an output, a language, patience |
//!
//! Each streams: what it holds is the largest value, and what its own head says. Exit codes: see `Verdict`.

pub mod check;
pub mod diff;
pub mod export;
mod json;
mod progress;
pub mod salvage;
mod sink;

pub use progress::Progress;
pub use sink::Sink;

use super::error::{SnapshotError, error_text};
use super::source::Source;
use crate::rdb::{self, RdbError};
use nix::errno::Errno;
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// A file that a tool reads.
fn open(path: &Path) -> Result<Source, ToolError> {
    Source::open(path).map_err(|error| ToolError::file("open", path, error))
}

/// How a tool ends that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Exit code 0: sound, equal, all there.
    Good,
    /// Exit code 1: damaged, different, something left out.
    Bad,
}

impl Verdict {
    fn good_if(is_good: bool) -> Verdict {
        if is_good { Verdict::Good } else { Verdict::Bad }
    }
}

/// Why a tool could not do its work: exit code 2.
#[derive(Debug)]
pub enum ToolError {
    File {
        operation: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    Rdb {
        path: PathBuf,
        error: RdbError,
    },
    Save(SnapshotError),
    /// Standard output, or what stands for it.
    Output(io::Error),
    Usage(String),
}

impl ToolError {
    fn file(operation: &'static str, path: &Path, error: io::Error) -> ToolError {
        ToolError::File { operation, path: path.into(), error }
    }

    fn rdb(path: &Path, error: RdbError) -> ToolError {
        match error.fault {
            rdb::Fault::Io(error) => ToolError::file("read", path, error),
            _ => ToolError::Rdb { path: path.into(), error },
        }
    }

    /// Whoever read the output has enough: nothing to complain about.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, ToolError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |error: &io::Error| match error.raw_os_error() {
            Some(number) => error_text(Errno::from_raw(number)),
            None => error.to_string(),
        };
        match self {
            ToolError::File { operation, path, error } => {
                write!(f, "Cannot {operation} file {}: {}", path.display(), text(error))
            }
            ToolError::Rdb { path, error } => write!(f, "{}: {error}", path.display()),
            ToolError::Save(error) => write!(f, "{error}"),
            ToolError::Output(error) => write!(f, "Cannot write the output: {}", text(error)),
            ToolError::Usage(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ToolError {}
