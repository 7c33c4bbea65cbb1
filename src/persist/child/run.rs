//! The child's side: become a process of its own, write the file, say how it went, end.

use super::report::Report;
use super::{CowBytes, EXIT_PANIC, Job, SavedFile};
use crate::base::clock;
use crate::base::cpus;
use crate::base::log::{ChildLog, Loglevel};
use crate::base::os::set_io_priority;
use crate::base::pages::{ROLLUP_BUFFER_BYTES, copy_on_write_bytes};
use crate::base::process::set_oom_score_adj;
use crate::persist::disk::System;
use crate::persist::error::Fault;
use crate::persist::image::{Dataset, ImageProgress, save_image};
use nix::sys::prctl;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, getppid};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reports come about so often.
const REPORT_INTERVAL_US: i64 = 1_000_000;
/// Measuring copy-on-write memory may take this part of the time: on small pages it is slow.
const COW_DUTY_CYCLE: i64 = 100;

/// Set in a child, never in the parent.
static IN_CHILD: AtomicBool = AtomicBool::new(false);

/// Makes a panic in a child end it at once: unwinding would drop what it inherited. Done in the parent, once,
/// as installing a hook takes a lock.
pub(super) fn install_panic_guard() {
    static GUARD: Once = Once::new();
    GUARD.call_once(|| {
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if IN_CHILD.load(Ordering::Relaxed) {
                exit(EXIT_PANIC);
            }
            earlier(panic);
        }));
    });
}

fn exit(code: i32) -> ! {
    // SAFETY: ends the process without running anything of it.
    unsafe { libc::_exit(code) }
}

/// The life of the child.
pub(super) fn child(dataset: Dataset<'_>, mut job: Job<'_>, pipe: &OwnedFd, parent: Pid) -> ! {
    IN_CHILD.store(true, Ordering::Relaxed);
    die_with(parent);
    reset_signals();
    // A descriptor that is named twice is kept as well as one that is named once.
    let lock = job.lock.as_ref().map_or(pipe.as_raw_fd(), |lock| lock.descriptor());
    close_all_but([pipe.as_raw_fd(), job.log.output().as_raw_fd(), lock]);
    introduce(&mut job);
    let mut voice = Voice::new(pipe);
    let plan = (&job.options, &mut job.workspaces);
    let saved = save_image(dataset, &mut System, &job.paths, plan, &mut |progress| voice.progress(progress));
    match saved {
        Ok(written) => {
            let file = SavedFile { crc64_xz: written.crc64_xz, unkept: written.unkept };
            voice.done(file, &mut job.log)
        }
        Err(fault) => voice.failed(fault),
    }
}

/// Invariant 2 of the room. The parent may have gone before the kernel was asked.
fn die_with(parent: Pid) {
    let _ = prctl::set_pdeathsig(Some(Signal::SIGKILL));
    if getppid() != parent {
        exit(1);
    }
}

/// The parent's handlers are not ours. SIGUSR1 ends the child, which is how it is cancelled. A Ctrl-C in the
/// terminal goes to the whole group: what it means for the save is the parent's decision.
fn reset_signals() {
    for signal in Signal::iterator() {
        let handler = match signal {
            Signal::SIGINT | Signal::SIGPIPE => SigHandler::SigIgn,
            _ => SigHandler::SigDfl,
        };
        let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
        // SAFETY: neither disposition runs code of ours.
        let _ = unsafe { sigaction(signal, &action) };
    }
    let _ = SigSet::empty().thread_set_mask();
}

/// Closes every descriptor above 2 that is not in `kept`. Closing does not touch the epoll set, which goes on
/// living in the parent; deregistering a socket from it would.
fn close_all_but(mut kept: [RawFd; 3]) {
    kept.sort_unstable();
    let mut first = 3;
    for fd in kept {
        if fd > first {
            close_range(first, fd - 1);
        }
        first = first.max(fd + 1);
    }
    close_range(first, RawFd::MAX);
}

fn close_range(first: RawFd, last: RawFd) {
    // SAFETY: nothing in this process uses the descriptors of these numbers any more, and no destructor will
    // run.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result != 0 {
        // Before Linux 5.9: one by one.
        let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE);
        let highest = limit.map_or(1024, |(soft, _)| RawFd::try_from(soft).unwrap_or(1 << 20));
        for fd in first..=last.min(highest) {
            // SAFETY: as above.
            unsafe { libc::close(fd) };
        }
    }
}

/// What the host should know about this process. None of it is worth failing for.
fn introduce(job: &mut Job<'_>) {
    if let Some((memory, title)) = &mut job.title {
        memory.set(title);
    }
    let _ = prctl::set_name(c"rdb-bgsave");
    be_gentle(job);
    if let Some(adjustment) = job.oom_score_adj {
        let _ = set_oom_score_adj(adjustment);
    }
}

/// Threads that the child starts later inherit all of it.
fn be_gentle(job: &mut Job<'_>) {
    // SAFETY: changes the priority of this process, which has one thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, job.manners.nice) };
    if let Some(priority) = job.manners.io_priority {
        let _ = set_io_priority(priority);
    }
    if let Some(Err(errno)) = job.manners.cpus.as_ref().map(cpus::run_on) {
        let text = "Can't run on the processors of bgsave_cpulist";
        job.log.line(Loglevel::Warning, format_args!("{text}: {}", errno.desc()));
    }
}

/// How the child speaks to the parent.
struct Voice<'a> {
    pipe: &'a OwnedFd,
    progress: ImageProgress,
    cow: CowBytes,
    cow_sum: u128,
    cow_count: u128,
    /// When the next report is due, and when memory may be measured again; Unix microseconds.
    due_us: i64,
    cow_due_us: i64,
    rollup: [u8; ROLLUP_BUFFER_BYTES],
}

impl<'a> Voice<'a> {
    fn new(pipe: &'a OwnedFd) -> Self {
        Voice {
            pipe,
            progress: ImageProgress::default(),
            cow: CowBytes::default(),
            cow_sum: 0,
            cow_count: 0,
            due_us: clock::unix_us() + REPORT_INTERVAL_US,
            cow_due_us: 0,
            rollup: [0; ROLLUP_BUFFER_BYTES],
        }
    }

    #[inline]
    fn progress(&mut self, progress: ImageProgress) {
        self.progress = progress;
        let now_us = clock::unix_us();
        if now_us >= self.due_us || self.due_us > now_us + REPORT_INTERVAL_US {
            self.due_us = now_us + REPORT_INTERVAL_US;
            if now_us >= self.cow_due_us {
                self.measure(now_us);
            }
            self.say(Report::Progress { progress, cow: self.cow });
        }
    }

    fn measure(&mut self, now_us: i64) {
        let Some(bytes) = copy_on_write_bytes(&mut self.rollup) else { return };
        let cost_us = (clock::unix_us() - now_us).max(0);
        self.cow_due_us = now_us + cost_us * COW_DUTY_CYCLE;
        self.cow = CowBytes { current: bytes, peak: self.cow.peak.max(bytes) };
        self.cow_sum += u128::from(bytes);
        self.cow_count += 1;
    }

    fn done(&mut self, file: SavedFile, log: &mut ChildLog) -> ! {
        const MB: u64 = 1 << 20;
        log.line(Loglevel::Notice, format_args!("DB saved on disk"));
        self.measure(clock::unix_us());
        let average = self.cow_sum.checked_div(self.cow_count).unwrap_or(0) as u64;
        let (current, peak) = (self.cow.current, self.cow.peak);
        let text = "Fork CoW for RDB: current";
        log.line(
            Loglevel::Notice,
            format_args!("{text} {} MB, peak {} MB, average {} MB", current / MB, peak / MB, average / MB),
        );
        self.say(Report::Done { progress: self.progress, cow: self.cow, file });
        exit(0);
    }

    fn failed(&mut self, fault: Fault) -> ! {
        self.say(Report::Failed(fault));
        exit(1);
    }

    /// A pipe that nobody reads any more means that the parent is gone, and so will be this process.
    fn say(&self, report: Report) {
        let _ = nix::unistd::write(self.pipe, &report.encode());
    }
}
