//! One file, written by several threads.
//!
//! ```text
//!  walker 0   table part 0, 3, 4 ...  ─▶ buffer ─┐
//!  walker 1   table part 1, 5 ...     ─▶ buffer ─┼─▶ pen ─▶ file, sums, counts     one at a time
//!  walker 2   table part 2, 6 ...     ─▶ buffer ─┘
//! ```
//! Each walker takes the next part of the table when it has done one, and the pen when its buffer is full of whole
//! records. A record larger than the buffer keeps the pen until it ends.
//!
//! Invariants
//! 1. Between two boundaries (`Output::boundary`) of one walker nobody else writes.
//! 2. A buffer's checksum is made before its walker waits for the pen, and appended while it has it.
//! 3. After a failure nobody writes, and every walker stops at its next buffer or part.
//! 4. Whoever comes by when a report may be due makes it; nobody waits for that.
//!
//! The locks here are made after a fork, by the process that uses them; std's take no memory.

use super::records::{Usage, write_entry};
use super::{ImageOptions, ImageProgress, KeyDelay, REPORT_DELAY_US, REPORT_KEYS};
use crate::base::crc::Crc64Redis;
use crate::base::os::crew;
use crate::keyspace::FrozenTable;
use crate::rdb::{Checksum, Output, RdbWriter, Summary, Workspace, WriterOptions};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// A part of a table has at most so many buckets, some twenty thousand keys ...
const PART_BUCKETS_MAX: usize = 4096;
/// ... and each walker gets so many parts, so that all end at about the same time.
const PARTS_PER_WALKER: usize = 32;
/// Smaller tables are not worth a thread.
const BUCKETS_PER_WALKER_MIN: usize = 64;

/// What one thread of a save has to itself.
pub(super) struct Walker {
    /// None while it is in use.
    workspace: Option<Workspace>,
    keys_untold: u64,
    delay_untold_us: u64,
}

impl Walker {
    pub(super) fn new(workspace: Workspace) -> Walker {
        Walker { workspace: Some(workspace), keys_untold: 0, delay_untold_us: 0 }
    }
}

/// What the threads of a save share.
pub(super) struct Desk<'a, O> {
    pen: Mutex<Ink<'a, O>>,
    options: WriterOptions,
    key_delay: KeyDelay,
    keys: AtomicU64,
    bytes: AtomicU64,
    failed: AtomicBool,
    report: Mutex<&'a mut (dyn FnMut(ImageProgress) + Send)>,
}

/// What belongs to whoever has the pen.
struct Ink<'a, O> {
    output: &'a mut O,
    sum: Crc64Redis,
}

type Writer<'d, 'a, O> = RdbWriter<Hand<'d, 'a, O>>;

impl<'a, O: Output + Send> Desk<'a, O> {
    pub(super) fn new(
        output: &'a mut O,
        options: &ImageOptions,
        report: &'a mut (dyn FnMut(ImageProgress) + Send),
    ) -> Desk<'a, O> {
        Desk {
            pen: Mutex::new(Ink { output, sum: Crc64Redis::new() }),
            options: options.writer,
            key_delay: options.key_delay,
            keys: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            report: Mutex::new(report),
        }
    }

    /// As far as it was told.
    pub(super) fn progress(&self) -> ImageProgress {
        let (keys, bytes) = (self.keys.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        ImageProgress { keys, bytes }
    }

    /// Writes what stands between the keys. All of it has been handed over when this returns.
    pub(super) fn write_with(
        &self,
        walker: &mut Walker,
        write: impl FnOnce(&mut Writer<'_, 'a, O>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut writer = self.writer(walker)?;
        let written = write(&mut writer).and_then(|()| writer.flush());
        walker.workspace = Some(writer.into_workspace());
        written
    }

    /// Writes all keys of a table.
    pub(super) fn write_table(
        &self,
        table: FrozenTable<'_>,
        usage: &Usage<'_>,
        walkers: &mut [Walker],
    ) -> io::Result<()> {
        let buckets = table.bucket_count();
        let count = walkers.len().min(1 + buckets / BUCKETS_PER_WALKER_MIN);
        let part = (buckets / (count * PARTS_PER_WALKER)).clamp(1, PART_BUCKETS_MAX);
        let parts = Parts { buckets, part, next: AtomicUsize::new(0) };
        crew::each_beside(&mut walkers[..count], &|walker: &mut Walker| {
            if self.walk(table, usage, (&parts, walker)).is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
        });
        if self.failed.load(Ordering::Relaxed) { Err(failure()) } else { Ok(()) }
    }

    /// The end of the file.
    pub(super) fn finish(&self, walkers: &mut [Walker]) -> io::Result<Summary> {
        walkers.iter_mut().for_each(|walker| self.tell(walker));
        let (summary, hand) =
            self.writer(&mut walkers[0])?.finish_with(|writer| match self.options.checksum {
                Checksum::On => writer.output().sum_so_far(),
                Checksum::Off => 0,
            })?;
        drop(hand);
        let progress = self.progress();
        (lock(&self.report))(progress);
        Ok(Summary { bytes: progress.bytes, ..summary })
    }

    fn walk(&self, table: FrozenTable<'_>, usage: &Usage<'_>, own: (&Parts, &mut Walker)) -> io::Result<()> {
        let (parts, walker) = own;
        let mut writer = self.writer(walker)?;
        let mut walked = Ok(());
        while walked.is_ok() && !self.failed.load(Ordering::Relaxed) {
            let Some(buckets) = parts.take() else { break };
            table.for_each_in(buckets, &mut |entry| {
                // The walk cannot be left early; what is left of a part after an error is reading only.
                if walked.is_ok() {
                    walked = write_entry(&mut writer, entry, usage);
                    self.count(walker);
                }
            });
        }
        let walked = walked.and_then(|()| writer.flush());
        walker.workspace = Some(writer.into_workspace());
        walked
    }

    /// The sums are not the writer's, as it sees only a part of the file.
    fn writer(&self, walker: &mut Walker) -> io::Result<Writer<'_, 'a, O>> {
        let workspace = walker.workspace.take().ok_or_else(failure)?;
        let options = WriterOptions { checksum: Checksum::Off, ..self.options };
        Ok(RdbWriter::with_workspace(Hand { desk: self, pen: None }, workspace, options))
    }

    #[inline]
    fn count(&self, walker: &mut Walker) {
        walker.keys_untold += 1;
        if self.key_delay != KeyDelay(0) {
            let key = self.keys.load(Ordering::Relaxed) + walker.keys_untold;
            walker.delay_untold_us += self.key_delay.wait(key - 1);
        }
        if walker.keys_untold == REPORT_KEYS || walker.delay_untold_us >= REPORT_DELAY_US {
            self.tell(walker);
            self.report();
        }
    }

    fn tell(&self, walker: &mut Walker) {
        self.keys.fetch_add(walker.keys_untold, Ordering::Relaxed);
        (walker.keys_untold, walker.delay_untold_us) = (0, 0);
    }

    fn report(&self) {
        match self.report.try_lock() {
            Ok(mut report) => report(self.progress()),
            Err(TryLockError::Poisoned(mut poisoned)) => poisoned.get_mut()(self.progress()),
            Err(TryLockError::WouldBlock) => {}
        }
    }
}

/// The parts of a table that are still to be taken.
struct Parts {
    buckets: usize,
    part: usize,
    next: AtomicUsize,
}

impl Parts {
    fn take(&self) -> Option<Range<usize>> {
        let start = self.next.fetch_add(self.part, Ordering::Relaxed);
        (start < self.buckets).then(|| start..(start + self.part).min(self.buckets))
    }
}

/// The output of one walker: what it writes goes to the file when it has the pen.
pub(super) struct Hand<'d, 'a, O> {
    desk: &'d Desk<'a, O>,
    pen: Option<MutexGuard<'d, Ink<'a, O>>>,
}

impl<O> Hand<'_, '_, O> {
    fn sum_so_far(&self) -> u64 {
        lock(&self.desk.pen).sum.value()
    }
}

impl<O: Output + Send> Output for Hand<'_, '_, O> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sum = Crc64Redis::new();
        if self.desk.options.checksum == Checksum::On {
            sum.update(bytes);
        }
        let is_long_record = self.pen.is_some();
        let ink = self.pen.get_or_insert_with(|| lock(&self.desk.pen));
        if self.desk.failed.load(Ordering::Relaxed) {
            return Err(failure());
        }
        ink.sum.append(&sum);
        let written = ink.output.write_all(bytes);
        if written.is_err() {
            self.desk.failed.store(true, Ordering::Relaxed);
        }
        self.desk.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if is_long_record {
            self.desk.report();
        }
        written
    }

    fn boundary(&mut self) {
        self.pen = None;
    }
}

/// A panic while it was held ends the process, or a test.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why is known elsewhere. Made without allocating.
fn failure() -> io::Error {
    io::ErrorKind::Other.into()
}
