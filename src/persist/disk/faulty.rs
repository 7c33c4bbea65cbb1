//! Calls that fail when they are told to.

use super::{Calls, FileRange, System};
use crate::base::os::RangeSync;
use nix::errno::Errno;
use std::ffi::CStr;
use std::fs::File;

/// The real calls, counted; the one with number `fail_at` fails with `errno`. Unlinking and forgetting are
/// not counted: they cannot fail a save.
pub struct Faulty {
    pub calls: usize,
    pub fail_at: usize,
    pub errno: Errno,
    pub log: Vec<&'static str>,
}

impl Faulty {
    pub fn new(fail_at: usize, errno: Errno) -> Faulty {
        Faulty { calls: 0, fail_at, errno, log: Vec::new() }
    }

    fn next(&mut self, name: &'static str) -> Result<(), Errno> {
        self.log.push(name);
        self.calls += 1;
        if self.calls == self.fail_at { Err(self.errno) } else { Ok(()) }
    }
}

impl Calls for Faulty {
    fn create(&mut self, path: &CStr) -> Result<File, Errno> {
        self.next("create")?;
        System.create(path)
    }

    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<usize, Errno> {
        self.next("write")?;
        // Short writes are the rule here.
        System.write(file, &bytes[..bytes.len().div_ceil(2)])
    }

    fn sync_range(&mut self, file: &File, range: FileRange, step: RangeSync) -> Result<(), Errno> {
        self.next("sync_range")?;
        System.sync_range(file, range, step)
    }

    fn forget(&mut self, file: &File, range: FileRange) {
        System.forget(file, range);
    }

    fn sync(&mut self, file: &File) -> Result<(), Errno> {
        self.next("sync")?;
        System.sync(file)
    }

    fn close(&mut self, file: File) -> Result<(), Errno> {
        self.next("close")?;
        System.close(file)
    }

    fn rename(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno> {
        self.next("rename")?;
        System.rename(from, to)
    }

    fn link(&mut self, file: &CStr, name: &CStr) -> Result<(), Errno> {
        self.next("link")?;
        System.link(file, name)
    }

    fn sync_directory(&mut self, path: &CStr) -> Result<(), Errno> {
        self.next("sync_directory")?;
        System.sync_directory(path)
    }

    fn unlink(&mut self, path: &CStr) {
        System.unlink(path);
    }
}
