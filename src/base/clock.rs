//! The only place that reads a clock.
//!
//! Whoever needs the time is handed a `Now` or a number; the layers above `net` own a `Clock` and ask it.
//! Tests hold a manual clock and move it. Deliberately absent: sleeping, timers and time zones (`base::log`
//! needs those).

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// One reading: wall time and the monotonic time that durations are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Microseconds since the Unix epoch; it may jump when the host's clock is set.
    pub unix_us: i64,
    /// Nanoseconds since an arbitrary start; it never goes back.
    pub mono_ns: u64,
}

impl Now {
    pub fn unix_ms(&self) -> i64 {
        self.unix_us.div_euclid(1_000)
    }

    pub fn unix_s(&self) -> i64 {
        self.unix_us.div_euclid(1_000_000)
    }

    /// The same reading, `ms` later on both clocks; for tests that move a manual clock.
    pub fn later_by_ms(&self, ms: u64) -> Now {
        Now { unix_us: self.unix_us + ms as i64 * 1_000, mono_ns: self.mono_ns + ms * 1_000_000 }
    }
}

/// Where the time comes from.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real { start: Instant },
    Manual(Rc<Cell<Now>>),
}

impl Clock {
    /// The host's clocks; monotonic time counts from this call.
    pub fn real() -> Clock {
        Clock(Source::Real { start: instant() })
    }

    /// A clock that stands still until the owner of `now` moves it.
    pub fn manual(now: Rc<Cell<Now>>) -> Clock {
        Clock(Source::Manual(now))
    }

    pub fn now(&self) -> Now {
        match &self.0 {
            Source::Real { .. } => Now { unix_us: unix_us(), mono_ns: self.mono_ns() },
            Source::Manual(now) => now.get(),
        }
    }

    /// The monotonic half alone: one vDSO call, read twice per command by the meter.
    #[inline]
    pub fn mono_ns(&self) -> u64 {
        match &self.0 {
            // 64 bits of nanoseconds last 584 years.
            Source::Real { start } => instant().duration_since(*start).as_nanos() as u64,
            Source::Manual(now) => now.get().mono_ns,
        }
    }
}

/// Wall time for the two places that cannot be handed a `Clock`: the log and the forked child. A vDSO call:
/// no lock, no allocation. A host clock before 1970 reads as 0.
#[expect(clippy::disallowed_methods, reason = "this file is the one place that reads clocks")]
pub fn unix_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

#[inline]
#[expect(clippy::disallowed_methods, reason = "this file is the one place that reads clocks")]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_time_goes_on() {
        let clock = Clock::real();
        let (first, second) = (clock.now(), clock.now());
        assert!(second.mono_ns >= first.mono_ns);
        assert!(first.unix_s() > 1_600_000_000, "{first:?}");
        assert!(first.mono_ns < 60_000_000_000, "counts from the start of the clock");
    }

    #[test]
    fn manual_time_stands_still_until_moved() {
        let cell = Rc::new(Cell::new(Now { unix_us: 1_999_999, mono_ns: 7 }));
        let clock = Clock::manual(cell.clone());
        assert_eq!((clock.now().unix_ms(), clock.now().unix_s(), clock.mono_ns()), (1_999, 1, 7));
        cell.set(cell.get().later_by_ms(2));
        assert_eq!((clock.now().unix_us, clock.mono_ns()), (2_001_999, 2_000_007));
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(Now { unix_us: -1, mono_ns: 0 }.unix_s(), -1);
    }
}
