//! The temp file of a save while it is written: what is new goes to the disk step by step.

use super::{Calls, FileRange};
use crate::base::crc::Crc64Xz;
use crate::base::os::RangeSync;
use crate::persist::error::{Fault, Operation};
use crate::rdb::Output;
use std::fs::File;
use std::io;

/// So much is handed to the disk at a time when `rdb-save-incremental-fsync` is on.
const SYNC_BYTES: u64 = 4 << 20;

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
    sum: Crc64Xz,
    /// Handed to the disk: asked for, not waited for in the last `SYNC_BYTES`.
    started_bytes: u64,
    /// On the disk.
    finished_bytes: u64,
    fault: Option<Fault>,
}

impl<'a, C: Calls> GrowingFile<'a, C> {
    pub(super) fn new(calls: &'a mut C, file: File, policy: FilePolicy) -> Self {
        let (written_bytes, started_bytes, finished_bytes) = (0, 0, 0);
        GrowingFile {
            calls,
            file,
            policy,
            written_bytes,
            sum: Crc64Xz::new(),
            started_bytes,
            finished_bytes,
            fault: None,
        }
    }

    pub(super) fn into_parts(self) -> (&'a mut C, File) {
        (self.calls, self.file)
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        self.sum.update(bytes);
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

    /// CRC-64/XZ of what was written.
    pub(super) fn crc64_xz(&self) -> u64 {
        self.sum.value()
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
