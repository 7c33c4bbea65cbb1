//! Puts the heap back on huge pages: after a save, and now and then.
//!
//! While a child lives, each first write to a huge page splits it. Left so, the next fork copies 512 times as
//! many page table entries. Collapsing one huge page takes a quarter of a millisecond of copying, during
//! which only writes to that page wait; so a helper thread does it, one page at a time with a pause after
//! each, and stops when the next fork comes.
//!
//! ```text
//!  look      which steps of 2 MiB are full of small pages     the work, counted in `split_bytes`
//!  collapse  one; pause; and the next                         the busier the loop, the longer the pause
//! ```
//! Steps that are not full stay as they are: what the allocator gave back must not come back. Such steps are refilled
//! on small pages (see `base::heap`), so between two saves it looks now and then what has become full.

use crate::base::clock::Clock;
use crate::base::heap::{self, Status};
use crate::base::os::PageMap;
use crate::base::pages::{self, HUGE_PAGE_BYTES};
use crate::base::{cpus, process};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A kernel that refuses so often in a row has no free huge page left, or cannot collapse at all.
const REFUSALS_MAX: usize = 64;
/// How often the load of the loop is looked at.
const LOAD_WINDOW_NS: u64 = 50_000_000;

/// Tells a repair under way to stop, and what the last one did. Dropping it stops it, too.
#[derive(Default)]
pub struct Repair {
    stop: Option<Arc<AtomicBool>>,
    account: Arc<Account>,
}

/// The repair under way, or the last one after a save.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub is_running: bool,
    /// Full of small pages, and not put together yet. Before Linux 6.7, which tells them apart, all that have not been
    /// looked at.
    pub split_bytes: u64,
    pub elapsed_ms: u64,
    /// Huge pages made since the last save.
    pub collapsed: u64,
    /// Huge pages that the kernel would not make.
    pub refused: u64,
}

#[derive(Default)]
struct Account {
    is_running: AtomicBool,
    split_bytes: AtomicU64,
    elapsed_ms: AtomicU64,
    collapsed: AtomicU64,
    refused: AtomicU64,
}

/// Why a repair is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// A child has ended.
    Save,
    Meanwhile,
}

impl Repair {
    /// Begins after a save.
    pub fn begin(&mut self) {
        self.stop();
        heap::resume();
        let account = Account::default();
        // Until it has looked, what the one before has left is what is known.
        account.split_bytes.store(self.figures().split_bytes, Ordering::Relaxed);
        account.is_running.store(true, Ordering::Relaxed);
        self.account = Arc::new(account);
        self.start(Occasion::Save);
    }

    /// Puts together what has become full since the last time. To be called now and then, never while a child lives.
    pub fn keep_up(&mut self) {
        // The thread holds the other one until it ends.
        let is_at_work = self.stop.as_ref().is_some_and(|stop| Arc::strong_count(stop) > 1);
        if !is_at_work && heap::status() == Status::Huge {
            self.start(Occasion::Meanwhile);
        }
    }

    /// On a thread of its own: lazy frees must not wait behind it.
    fn start(&mut self, occasion: Occasion) {
        let stop = Arc::new(AtomicBool::new(false));
        let (heard, account) = (stop.clone(), self.account.clone());
        let work = move || {
            repair(&heard, &account, occasion);
            pages::count_huge_bytes();
            account.is_running.store(false, Ordering::Relaxed);
        };
        match std::thread::Builder::new().name("page_repair".into()).spawn(work) {
            Ok(_) => self.stop = Some(stop),
            // The next fork takes longer, and that is all.
            Err(_) => self.account.is_running.store(false, Ordering::Relaxed),
        }
    }

    /// Called before a fork.
    pub fn stop(&mut self) {
        heap::pause();
        if let Some(stop) = self.stop.take() {
            stop.store(true, Ordering::Relaxed);
        }
    }

    pub fn figures(&self) -> Figures {
        let account = &self.account;
        Figures {
            is_running: account.is_running.load(Ordering::Relaxed),
            split_bytes: account.split_bytes.load(Ordering::Relaxed),
            elapsed_ms: account.elapsed_ms.load(Ordering::Relaxed),
            collapsed: account.collapsed.load(Ordering::Relaxed),
            refused: account.refused.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Repair {
    fn drop(&mut self) {
        self.stop();
    }
}

fn repair(stop: &AtomicBool, account: &Account, occasion: Occasion) {
    cpus::join_helpers();
    if heap::status() != Status::Huge {
        return;
    }
    let clock = Clock::real();
    let (started_ns, mut pace) = (clock.mono_ns(), Pace::new(&clock));
    let map = PageMap::open().ok();
    let split = split_steps(stop, map.as_ref());
    account.split_bytes.store((split.len() * HUGE_PAGE_BYTES) as u64, Ordering::Relaxed);
    if split.is_empty() {
        return;
    }
    account.is_running.store(true, Ordering::Relaxed);
    let _open = heap::open_for_huge_pages();
    let mut refusals = 0;
    for start in split {
        if stop.load(Ordering::Relaxed) || refusals > REFUSALS_MAX {
            return;
        }
        // The allocator may have given it back since it was looked at: then it must not come back.
        if !pages::is_split(start, map.as_ref()) {
            account.split_bytes.fetch_sub(HUGE_PAGE_BYTES as u64, Ordering::Relaxed);
            continue;
        }
        match pages::collapse(start..start + HUGE_PAGE_BYTES) {
            Ok(()) => {
                refusals = 0;
                account.collapsed.fetch_add(1, Ordering::Relaxed);
                account.split_bytes.fetch_sub(HUGE_PAGE_BYTES as u64, Ordering::Relaxed);
            }
            // Nothing is there to collapse any more; says nothing about the next one.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                account.split_bytes.fetch_sub(HUGE_PAGE_BYTES as u64, Ordering::Relaxed);
            }
            Err(_) => {
                refusals += 1;
                account.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        let now_ns = clock.mono_ns();
        if occasion == Occasion::Save {
            account.elapsed_ms.store((now_ns - started_ns) / 1_000_000, Ordering::Relaxed);
        }
        std::thread::sleep(pace.pause(now_ns));
    }
}

/// The steps that are full of small pages, as addresses.
fn split_steps(stop: &AtomicBool, map: Option<&PageMap>) -> Vec<usize> {
    let Ok(ranges) = pages::huge_page_ranges() else { return Vec::new() };
    let steps = ranges.into_iter().flat_map(|range| range.step_by(HUGE_PAGE_BYTES));
    steps.take_while(|_| !stop.load(Ordering::Relaxed)).filter(|step| pages::is_split(*step, map)).collect()
}

/// How fast the repair may go: the loop has its share of processor time read from outside, so it does nothing for it.
struct Pace {
    loop_thread: u32,
    looked_ns: u64,
    run_ns: Option<u64>,
    pause: Duration,
}

impl Pace {
    fn new(clock: &Clock) -> Pace {
        // The loop is the main thread, whose number is the process's.
        let loop_thread = std::process::id();
        let run_ns = process::thread_run_ns(loop_thread);
        Pace { loop_thread, looked_ns: clock.mono_ns(), run_ns, pause: pause_beside(0) }
    }

    /// How long to sleep after a page.
    fn pause(&mut self, now_ns: u64) -> Duration {
        let elapsed_ns = now_ns.saturating_sub(self.looked_ns);
        if elapsed_ns >= LOAD_WINDOW_NS {
            let run_ns = process::thread_run_ns(self.loop_thread);
            if let (Some(run_ns), Some(before_ns)) = (run_ns, self.run_ns) {
                self.pause = pause_beside(run_ns.saturating_sub(before_ns) * 100 / elapsed_ns);
            }
            (self.run_ns, self.looked_ns) = (run_ns, now_ns);
        }
        self.pause
    }
}

/// The pause beside a loop that is busy for so many percent of the time. The shortest one is as long as the work for a
/// page, so that the loop never waits for the memory map twice in a row; with the longest one a gigabyte still takes
/// only two seconds.
fn pause_beside(busy_percent: u64) -> Duration {
    Duration::from_micros(match busy_percent {
        0..50 => 250,
        50..80 => 1_000,
        _ => 4_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_repair_does_nothing_more() {
        let stop = AtomicBool::new(true);
        let account = Account::default();
        // Were it to begin, it would take seconds for a heap of any size.
        repair(&stop, &account, Occasion::Save);
        assert_eq!(account.collapsed.load(Ordering::Relaxed), 0);
        let mut repair = Repair::default();
        repair.begin();
        assert!(repair.figures().split_bytes == 0 || repair.figures().is_running);
        let first = repair.stop.clone().expect("a thread was to be had");
        repair.begin();
        assert!(first.load(Ordering::Relaxed));
        let second = repair.stop.clone().expect("a thread was to be had");
        repair.keep_up();
        let third = repair.stop.clone().expect("a thread was to be had");
        assert!(Arc::ptr_eq(&second, &third) || Arc::strong_count(&second) == 1, "one at a time");
        drop(repair);
        assert!(third.load(Ordering::Relaxed));
    }

    #[test]
    fn a_busy_loop_slows_it_down() {
        assert!(pause_beside(10) < pause_beside(60) && pause_beside(60) < pause_beside(95));
        let clock = Clock::real();
        let mut pace = Pace::new(&clock);
        let start_ns = pace.looked_ns;
        pace.pause = pause_beside(95);
        assert_eq!(pace.pause(start_ns + LOAD_WINDOW_NS - 1), pause_beside(95), "the window is not over");
        // As if the loop had not run since.
        pace.run_ns = Some(u64::MAX);
        assert_eq!(pace.pause(start_ns + LOAD_WINDOW_NS), pause_beside(0));
        assert_eq!(pace.looked_ns, start_ns + LOAD_WINDOW_NS);
    }
}
