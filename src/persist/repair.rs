//! Puts the heap back on huge pages after a save.
//!
//! While a child lives, each first write to a huge page splits it. Left so, the next fork copies 512 times as
//! many page table entries. Collapsing one huge page takes a quarter of a millisecond of copying, during
//! which only writes to that page wait; so a helper thread does it, one page at a time with a pause after
//! each, and stops when the next fork comes.

use crate::base::os::resident_pages;
use crate::base::pages;
use crate::base::{cpus, heap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two pages, so that the loop never waits for the memory map twice in a row.
const PAUSE: Duration = Duration::from_micros(250);
/// Of the 512 small pages of a huge one.
const RESIDENT_PAGES_MIN: usize = 480;
/// A kernel that refuses so often in a row has no free huge page left, or cannot collapse at all.
const REFUSALS_MAX: usize = 64;

/// Tells a repair under way to stop; dropping it does so, too.
#[derive(Default)]
pub struct Repair {
    stop: Option<Arc<AtomicBool>>,
}

impl Repair {
    /// Begins, on a thread of its own: lazy frees must not wait behind it.
    pub fn begin(&mut self) {
        self.stop();
        heap::resume();
        let stop = Arc::new(AtomicBool::new(false));
        let heard = stop.clone();
        // A host that refuses a thread: the next fork takes longer, and that is all.
        if std::thread::Builder::new().name("page_repair".into()).spawn(move || repair(&heard)).is_ok() {
            self.stop = Some(stop);
        }
    }

    /// Called before a fork.
    pub fn stop(&mut self) {
        heap::pause();
        if let Some(stop) = self.stop.take() {
            stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Repair {
    fn drop(&mut self) {
        self.stop();
    }
}

fn repair(stop: &AtomicBool) {
    cpus::join_helpers();
    if !matches!(pages::huge_pages(), pages::HugePages::Enabled) {
        return;
    }
    let Ok(ranges) = pages::huge_page_ranges() else { return };
    let mut refusals = 0;
    for start in ranges.into_iter().flat_map(|range| range.step_by(pages::HUGE_PAGE_BYTES)) {
        if stop.load(Ordering::Relaxed) || refusals > REFUSALS_MAX {
            return;
        }
        // What the allocator gave back must not come back: only pages that are full are put together.
        if resident_pages(start, pages::HUGE_PAGE_BYTES).is_ok_and(|present| present < RESIDENT_PAGES_MIN) {
            continue;
        }
        match pages::collapse(start..start + pages::HUGE_PAGE_BYTES) {
            Ok(()) => refusals = 0,
            // Nothing is there to collapse; says nothing about the next one.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
            Err(_) => refusals += 1,
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_repair_does_nothing_more() {
        let stop = AtomicBool::new(true);
        // Were it to begin, it would take seconds for a heap of any size.
        repair(&stop);
        let mut repair = Repair::default();
        repair.begin();
        let first = repair.stop.clone().expect("a thread was to be had");
        repair.begin();
        assert!(first.load(Ordering::Relaxed));
        let second = repair.stop.clone().expect("a thread was to be had");
        drop(repair);
        assert!(second.load(Ordering::Relaxed));
    }
}
