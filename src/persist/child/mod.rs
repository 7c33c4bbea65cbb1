//! The forked child that writes a snapshot, seen from both sides.
//!
//! ```text
//!  parent                                        child
//!  pipe, log, buffers, names
//!  block signals, fork ───────────────────────▶  default signals, die with the parent, close everything else
//!  unblock signals                               title, nice, oom score
//!  read reports (never blocks)  ◀─── Progress ── walk and write; about once a second
//!  waitpid(pid, WNOHANG)        ◀─ Done | Failed ─ _exit
//! ```
//! Invariants of the child:
//! 1. It takes no lock, allocates nothing and drops nothing that it inherited; it ends by `_exit` on every
//!    path.
//! 2. It never outlives the parent (PR_SET_PDEATHSIG).
//! 3. It holds no descriptor but 0, 1, 2, its pipe, its log, the lock between instances and its file. The
//!    standard streams stay open so that nothing meant for them can end up in the file.
//!
//! Invariants of the parent:
//! 4. It waits for exactly this pid, and for no other.
//! 5. Whatever way the child ends, its temp file is gone afterwards. When it is cancelled the file goes
//!    first: a child that the signal has not reached yet then fails to rename, instead of bringing old data
//!    back.

mod report;
mod run;
mod watchdog;

use super::disk::SavePaths;
use super::error::{Fault, Operation, SnapshotError, error_text};
use super::image::{Dataset, ImageOptions, ImageProgress, Workspaces};
use super::lock::SnapshotLock;
use crate::base::clock::Clock;
use crate::base::cpus::Cpus;
use crate::base::log::ChildLog;
use crate::base::os::IoPriority;
use crate::base::process;
use crate::base::proctitle::ProcessTitle;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe2};
use report::{REPORT_BYTES, Report};
use std::os::fd::OwnedFd;
use watchdog::{Signs, Watchdog, waits_for_disk};

/// The exit code by which a child says that it was asked to stop.
const EXIT_CANCELLED: i32 = 255;
/// The exit code of a child that broke an invariant of ours.
const EXIT_PANIC: i32 = 70;

/// Everything that the child needs, made before the fork.
pub struct Job<'a> {
    pub paths: SavePaths,
    pub options: ImageOptions,
    pub workspaces: Workspaces,
    pub log: ChildLog,
    /// The memory of the process title, and what to show.
    pub title: Option<(&'a mut ProcessTitle, String)>,
    pub manners: Manners,
    pub oom_score_adj: Option<i32>,
    /// Held until the child has ended.
    pub lock: Option<SnapshotLock>,
}

/// How little the child wants of the machine. `None` leaves what the server has itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Nice value, 0..=19.
    pub nice: i32,
    pub io_priority: Option<IoPriority>,
    pub cpus: Option<Cpus>,
}

/// Copy-on-write memory of the child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CowBytes {
    pub current: u64,
    pub peak: u64,
}

/// What a child that succeeded says about its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedFile {
    /// CRC-64/XZ of the whole file.
    pub crc64_xz: u64,
    /// Why the file that was replaced is not kept, although that was wanted.
    pub unkept: Option<Errno>,
}

/// A child that is at work.
pub struct RunningSave {
    pub pid: i32,
    pub progress: ImageProgress,
    pub cow: CowBytes,
    /// Monotonic milliseconds of the last report, or of the fork.
    pub reported_mono_ms: u64,
    pub paths: SavePaths,
    pipe: OwnedFd,
    inbox: Vec<u8>,
    last_word: Option<Report>,
    cancelled: Cancelled,
    reaped: Reaped,
    watchdog: Watchdog,
    /// The seconds without progress after which it was given up.
    gave_up_after_s: Option<u32>,
    /// Free again when this and the child's copy are closed.
    _lock: Option<SnapshotLock>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancelled {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaped {
    Yes,
    No,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Saved,
    /// It was asked to stop.
    Cancelled,
    /// By a signal that nobody here sent.
    Killed {
        signal: i32,
        error: SnapshotError,
    },
    Failed(SnapshotError),
}

/// Forks a child that saves `dataset`. Returns it with the microseconds that the fork took.
///
/// # Errors
/// When the pipe or the fork is refused.
pub fn start(dataset: Dataset<'_>, job: Job<'_>, clock: &Clock) -> Result<(RunningSave, u64), SnapshotError> {
    run::install_panic_guard();
    let explain = |operation, errno| job.paths.explain(Fault::new(operation, errno));
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC).map_err(|errno| explain(Operation::Pipe, errno))?;
    let unblocking = fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
    unblocking.map_err(|errno| explain(Operation::Pipe, errno))?;
    let parent = nix::unistd::getpid();
    // A handler of the parent's must not run in the child, where its pipes and flags mean nothing.
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK);
    let before_ns = clock.mono_ns();
    // SAFETY: the child calls only `run::child`, which is async-signal-safe (invariant 1) and never returns.
    let forked = unsafe { fork() };
    if let Ok(ForkResult::Child) = forked {
        run::child(dataset, job, &writer, parent);
    }
    let fork_us = (clock.mono_ns() - before_ns) / 1000;
    if let Ok(mask) = mask {
        let _ = mask.thread_set_mask();
    }
    let pid = match forked {
        Ok(ForkResult::Parent { child }) => child.as_raw(),
        Ok(ForkResult::Child) => unreachable!("the child has ended in `run::child`"),
        Err(errno) => return Err(job.paths.explain(Fault::new(Operation::Fork, errno))),
    };
    let running = RunningSave {
        pid,
        progress: ImageProgress::default(),
        cow: CowBytes::default(),
        reported_mono_ms: before_ns / 1_000_000,
        paths: job.paths,
        pipe: reader,
        inbox: Vec::with_capacity(REPORT_BYTES * 4),
        last_word: None,
        cancelled: Cancelled::No,
        reaped: Reaped::No,
        watchdog: Watchdog::default(),
        gave_up_after_s: None,
        _lock: job.lock,
    };
    Ok((running, fork_us))
}

impl RunningSave {
    /// Reads what the child reported and looks whether it has ended. Never blocks.
    pub fn poll(&mut self, mono_ms: u64) -> Option<Ending> {
        self.read_reports(mono_ms);
        let status = match waitpid(Pid::from_raw(self.pid), Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive | WaitStatus::Stopped(..) | WaitStatus::Continued(..)) => return None,
            Err(Errno::EINTR) => return None,
            status => status,
        };
        Some(self.conclude(status, mono_ms))
    }

    /// Waits for the child's end.
    pub fn wait(&mut self, mono_ms: u64) -> Ending {
        let status = loop {
            match waitpid(Pid::from_raw(self.pid), None) {
                Err(Errno::EINTR) => {}
                status => break status,
            }
        };
        self.conclude(status, mono_ms)
    }

    /// Ends the child. The temp file is gone when this returns, the child soon after.
    ///
    /// SIGUSR1 does it, too, for those who send it by hand; but a child that was stopped would not hear it.
    pub fn cancel(&mut self) {
        self.cancelled = Cancelled::Yes;
        self.kill_at_once();
    }

    /// Looks whether the child gets on, and kills it when it has made no progress for `timeout_s`; `now_ms` is the
    /// monotonic clock's. Whether it has just been given up; that it ended, `poll` tells.
    pub fn give_up_if_stuck(&mut self, now_ms: u64, timeout_s: u32) -> bool {
        let written_bytes = process::written_bytes(self.pid).unwrap_or(0);
        let signs = Signs { keys: self.progress.keys, bytes: self.progress.bytes, written_bytes };
        let (pid, timeout_ms) = (self.pid, u64::from(timeout_s) * 1000);
        let is_stuck = self.watchdog.is_stuck(signs, now_ms, timeout_ms, || waits_for_disk(pid));
        if timeout_s == 0 || self.gave_up_after_s.is_some() || !is_stuck {
            return false;
        }
        self.gave_up_after_s = Some(timeout_s);
        self.kill_at_once();
        true
    }

    /// The file before the signal: see invariant 5.
    fn kill_at_once(&self) {
        self.remove_temp_file();
        let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
    }

    /// What is known of the file once it is in place.
    pub fn saved_file(&self) -> Option<SavedFile> {
        match self.last_word {
            Some(Report::Done { file, .. }) => Some(file),
            _ => None,
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled == Cancelled::Yes
    }

    fn conclude(&mut self, status: nix::Result<WaitStatus>, mono_ms: u64) -> Ending {
        self.reaped = Reaped::Yes;
        // It may have written its last word after the last look.
        self.read_reports(mono_ms);
        let ending = self.ending(status);
        if ending != Ending::Saved {
            self.remove_temp_file();
        }
        ending
    }

    fn ending(&self, status: nix::Result<WaitStatus>) -> Ending {
        let target = self.paths.of(Operation::Child);
        let failed = |text: String| Ending::Failed(SnapshotError::text(Operation::Child, target, text));
        match (status, self.last_word) {
            (Ok(WaitStatus::Exited(_, 0)), Some(Report::Done { .. })) => Ending::Saved,
            _ if self.is_cancelled() => Ending::Cancelled,
            _ if self.gave_up_after_s.is_some() => {
                let seconds = self.gave_up_after_s.unwrap_or_default();
                failed(format!("the child made no progress for {seconds} seconds (child-timeout)"))
            }
            (Ok(WaitStatus::Signaled(_, Signal::SIGUSR1, _) | WaitStatus::Exited(_, EXIT_CANCELLED)), _) => {
                Ending::Cancelled
            }
            (Ok(WaitStatus::Exited(..)), Some(Report::Failed(fault))) => {
                Ending::Failed(self.paths.explain(fault))
            }
            (Ok(WaitStatus::Exited(_, EXIT_PANIC)), _) => failed("the child panicked".into()),
            (Ok(WaitStatus::Exited(_, code)), _) => failed(format!("the child ended with exit code {code}")),
            (Ok(WaitStatus::Signaled(_, signal, _)), _) => {
                let signal = signal as i32;
                let text = format!("the child was killed by signal {signal}");
                Ending::Killed { signal, error: SnapshotError::text(Operation::Child, target, text) }
            }
            (Ok(other), _) => failed(format!("the child ended in a way unknown here ({other:?})")),
            (Err(errno), _) => failed(format!("waitpid: {}", error_text(errno))),
        }
    }

    fn read_reports(&mut self, mono_ms: u64) {
        let mut buffer = [0; REPORT_BYTES * 16];
        // Ends at EAGAIN, at the end of the pipe, and at an error: there is nothing to read then.
        while let Ok(count @ 1..) = nix::unistd::read(&self.pipe, &mut buffer) {
            self.inbox.extend_from_slice(&buffer[..count]);
            let whole = self.inbox.len() / REPORT_BYTES * REPORT_BYTES;
            for bytes in self.inbox[..whole].as_chunks::<REPORT_BYTES>().0 {
                match Report::decode(bytes) {
                    Some(Report::Progress { progress, cow } | Report::Done { progress, cow, .. }) => {
                        (self.progress, self.cow, self.reported_mono_ms) = (progress, cow, mono_ms);
                    }
                    Some(Report::Failed(_)) | None => {}
                }
                self.last_word = Report::decode(bytes);
            }
            self.inbox.drain(..whole);
        }
    }

    fn remove_temp_file(&self) {
        let _ = nix::unistd::unlink(self.paths.temp.as_c_str());
    }
}

impl Drop for RunningSave {
    /// Whoever forgets a child ends it.
    fn drop(&mut self) {
        if self.reaped == Reaped::No {
            self.cancel();
            let _ = self.wait(0);
        }
    }
}

#[cfg(test)]
mod tests;
