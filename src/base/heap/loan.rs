//! Time that the loop lends to the heap's thread on a single core.
//!
//! There the thread runs only while nothing else wants the core, so beside a busy loop it would make nothing ready, and
//! the heap would grow in small pages: a huge one costs 90 us at once, its 512 small ones 600 us at their first
//! touches, and as much again for putting them together. So a loop that is awaited sleeps between two turns:
//!
//! ```text
//!  heap grows ── grace ── loan ── turns, at least as long ── loan ── ..     until all is there, or loans run out
//! ```
//! A quick huge page takes one loan. Where a hypervisor must find the memory first it takes thirty, and no request
//! waits longer than for one of them: the loop's wake-up takes the core from the thread at once.
//!
//! Deliberately not here: what the thread does with the time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

use super::lock;
use crate::base::clock::instant;

/// As long as a quick huge page takes.
const LOAN: Duration = Duration::from_micros(120);
/// Before the first loan, in which an idle loop gives the time for nothing; and between two.
const GRACE: Duration = Duration::from_micros(300);
/// For each huge page: more than a slow one takes.
const LOANS_PER_PAGE: usize = 48;

/// One for the process: see `ask` and `lend`.
static HEAP: Loans = Loans::new();

struct Loans {
    /// How many may still be given.
    left: AtomicUsize,
    /// When the loop first saw the thread awaited, or woke up from the last one. Only the loop holds it for long.
    since: Mutex<Option<Instant>>,
    lender: OnceLock<Thread>,
}

/// The loop will soon touch so many huge pages that are not there.
pub(super) fn ask(pages: usize) {
    HEAP.ask(pages);
}

/// Everything is there.
pub(super) fn settle() {
    HEAP.settle();
}

/// Lets the heap's thread have the core for a moment if it has asked for it. To be called by the loop between two
/// turns.
#[inline]
pub fn lend() {
    HEAP.lend();
}

impl Loans {
    const fn new() -> Loans {
        Loans { left: AtomicUsize::new(0), since: Mutex::new(None), lender: OnceLock::new() }
    }

    fn ask(&self, pages: usize) {
        if self.left.fetch_max(pages * LOANS_PER_PAGE, Ordering::AcqRel) == 0 {
            *lock(&self.since) = None;
        }
    }

    fn settle(&self) {
        if self.left.load(Ordering::Relaxed) > 0 {
            self.left.store(0, Ordering::Release);
            if let Some(lender) = self.lender.get() {
                lender.unpark();
            }
        }
    }

    #[inline]
    fn lend(&self) {
        if self.left.load(Ordering::Relaxed) > 0 {
            self.lend_now();
        }
    }

    #[cold]
    fn lend_now(&self) {
        self.lender.get_or_init(std::thread::current);
        let mut since = lock(&self.since);
        if since.get_or_insert_with(instant).elapsed() >= GRACE {
            // The thread may be done meanwhile: nothing is left then.
            let _ = self.left.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |left| left.checked_sub(1));
            std::thread::park_timeout(LOAN);
            *since = Some(instant());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_is_awaited_sleeps_until_all_is_there_or_the_loans_are_spent() {
        let (loans, start) = (Loans::new(), instant());
        let left = || loans.left.load(Ordering::Relaxed);
        loans.lend();
        assert!(loans.lender.get().is_none(), "nobody asked");
        loans.ask(1);
        loans.lend();
        assert_eq!(left(), LOANS_PER_PAGE, "grace");
        while left() > LOANS_PER_PAGE - 2 {
            loans.lend();
        }
        assert!(start.elapsed() >= 2 * GRACE);
        loans.settle();
        loans.lend();
        assert_eq!(left(), 0);
    }
}
