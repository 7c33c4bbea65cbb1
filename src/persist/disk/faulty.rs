//! Calls that fail when they are told to.

use super::{Calls, FileRange, System};
use crate::base::clock;
use crate::base::os::RangeSync;
use nix::errno::Errno;
use std::ffi::CStr;
use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The real calls, counted; the one with number `fail_at` fails with `errno`, and does nothing. Forgetting is not
/// counted: it cannot fail. Writes take half of what they get. Nobody sleeps: the clock goes forward instead.
pub struct Faulty {
    fail_at: usize,
    errno: Errno,
    links: Links,
    start: Instant,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    Known,
    /// As on a file system without hard links.
    Unknown,
}

/// What all twins together have seen.
#[derive(Default)]
struct Seen {
    log: Vec<&'static str>,
    sleeps: Vec<Duration>,
}

impl Faulty {
    pub fn new(fail_at: usize, errno: Errno) -> Faulty {
        Faulty { fail_at, errno, links: Links::Known, start: clock::instant(), seen: Arc::default() }
    }

    /// On a file system that knows no hard links.
    pub fn without_links(self) -> Faulty {
        Faulty { links: Links::Unknown, ..self }
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.log().len()
    }

    pub fn log(&self) -> Vec<&'static str> {
        self.seen.lock().unwrap().log.clone()
    }

    pub fn sleeps(&self) -> Vec<Duration> {
        self.seen.lock().unwrap().sleeps.clone()
    }

    fn next(&mut self, name: &'static str) -> Result<(), Errno> {
        let log = &mut self.seen.lock().unwrap().log;
        log.push(name);
        if log.len() == self.fail_at { Err(self.errno) } else { Ok(()) }
    }
}

impl Calls for Faulty {
    fn twin(&self) -> Faulty {
        Faulty { seen: Arc::clone(&self.seen), ..*self }
    }

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
        if self.links == Links::Unknown {
            return Err(Errno::EPERM);
        }
        System.link(file, name)
    }

    fn sync_directory(&mut self, path: &CStr) -> Result<(), Errno> {
        self.next("sync_directory")?;
        System.sync_directory(path)
    }

    fn unlink(&mut self, path: &CStr) -> Result<(), Errno> {
        self.next("unlink")?;
        System.unlink(path)
    }

    fn now(&mut self) -> Instant {
        self.start + self.sleeps().iter().sum::<Duration>()
    }

    fn sleep(&mut self, duration: Duration) {
        self.seen.lock().unwrap().sleeps.push(duration);
    }
}
