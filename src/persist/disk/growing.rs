//! The temp file of a save while it is written: what is new goes to the disk step by step.

use super::behind::Behind;
use super::throttle::{self, Throttle, WriteRate};
use super::{Calls, steady};
use crate::base::crc::Crc64Xz;
use crate::base::os::crew;
use crate::persist::error::{Fault, Operation};
use crate::rdb::Output;
use nix::errno::Errno;
use std::fs::File;
use std::io;

/// Whether what is written goes to the disk while the file grows (`rdb-save-incremental-fsync`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incremental {
    /// And another thread waits for the disk: worth its while when the file is large.
    Beside,
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
    pub rate: WriteRate,
}

/// The temp file while it is written.
pub struct GrowingFile<'a, C: Calls> {
    calls: &'a mut C,
    file: &'a File,
    behind: Option<&'a Behind<'a>>,
    throttle: Throttle,
    sum: Crc64Xz,
    written_bytes: u64,
    fault: Option<Fault>,
}

/// Lets `fill` write the file. Returns with its result the CRC-64/XZ of what was written.
pub(super) fn grow<C: Calls, R>(
    calls: &mut C,
    file: &File,
    policy: FilePolicy,
    fill: impl FnOnce(&mut GrowingFile<'_, C>) -> Result<R, Fault>,
) -> Result<(R, u64), Fault> {
    let mut attendants_calls = calls.twin();
    let behind = Behind::new(file, policy.page_cache);
    let mut growing = GrowingFile {
        calls,
        file,
        behind: (policy.incremental != Incremental::No).then_some(&behind),
        throttle: Throttle::new(policy.rate),
        sum: Crc64Xz::new(),
        written_bytes: 0,
        fault: None,
    };
    if policy.incremental != Incremental::Beside {
        let result = fill(&mut growing)?;
        return Ok((result, growing.sum.value()));
    }
    let result = crew::beside(
        || behind.attend(&mut attendants_calls),
        || {
            let _dismissal = Dismissal(&behind);
            fill(&mut growing)
        },
    )?;
    behind.fault().map_or(Ok((result, growing.sum.value())), Err)
}

/// Whichever way the writer ends, nobody waits for it afterwards.
struct Dismissal<'a>(&'a Behind<'a>);

impl Drop for Dismissal<'_> {
    fn drop(&mut self) {
        self.0.send_home();
    }
}

impl<C: Calls> GrowingFile<'_, C> {
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        // A file that lacks something is not made better by what comes after.
        self.fault.map_or(Ok(()), Err)?;
        self.sum.update(bytes);
        let paid_at = self.throttle.pay(bytes.len() as u64, || self.calls.now());
        while !bytes.is_empty() {
            let taken = steady(|| self.calls.write(self.file, bytes));
            let taken = taken.map_err(|errno| Fault::new(Operation::Write, errno))?;
            bytes = &bytes[taken..];
            self.written_bytes += taken as u64;
        }
        if let Some(behind) = self.behind {
            behind.written(self.calls, self.written_bytes)?;
        }
        while let Some(left) = paid_at.and_then(|paid_at| paid_at.checked_duration_since(self.calls.now()))
            && !left.is_zero()
        {
            self.calls.sleep(left.min(throttle::STEP));
        }
        Ok(())
    }

    /// What made an `Output` call fail.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Why a writer has failed: it fails only when its file does.
    pub fn write_fault(&self) -> Fault {
        self.fault.unwrap_or(Fault::new(Operation::Write, Errno::EIO))
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
