//! The only place that reads a clock.
//!
//! Whoever needs the time is handed a `Now` or a number; the layers above `net` own a `Clock` and ask it.
//! Tests hold a manual clock and move it. Deliberately absent: sleeping, timers and time zones (`base::log`
//! needs those).

use super::os;
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

    /// Milliseconds of the monotonic clock.
    pub fn mono_ms(&self) -> u64 {
        self.mono_ns / 1_000_000
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
    Real { start: Instant, ticks: Option<Rc<Cell<Ticks>>> },
    Manual(Rc<Cell<Now>>),
}

/// Ticks of the processor beside the monotonic clock. Each reading of `now` is a new anchor, so what is told from ticks
/// is never far from one.
#[derive(Clone, Copy, Debug)]
struct Ticks {
    first_ticks: u64,
    first_ns: u64,
    anchor_ticks: u64,
    anchor_ns: u64,
    /// Nanoseconds per tick, times 2^32; 0 until enough time has passed to tell.
    rate: u64,
    rate_told_ns: u64,
}

impl Ticks {
    /// Ticks further than this from their anchor (a few milliseconds) are not trusted.
    const TICKS_MAX: u64 = 1 << 24;

    fn anchor(&mut self, ticks: u64, mono_ns: u64) {
        const BASELINE_NS_MIN: u64 = 20_000_000;
        (self.anchor_ticks, self.anchor_ns) = (ticks, mono_ns);
        if mono_ns - self.rate_told_ns >= BASELINE_NS_MIN && ticks > self.first_ticks {
            let (elapsed_ns, elapsed) = (mono_ns - self.first_ns, ticks - self.first_ticks);
            self.rate = ((u128::from(elapsed_ns) << 32) / u128::from(elapsed)) as u64;
            self.rate_told_ns = mono_ns;
        }
    }

    /// Monotonic time at `ticks`.
    #[inline]
    fn mono_ns(&self, ticks: u64) -> Option<u64> {
        let since = ticks.wrapping_sub(self.anchor_ticks);
        let is_near = since < Self::TICKS_MAX && self.rate > 0;
        is_near.then(|| self.anchor_ns + ((u128::from(since) * u128::from(self.rate)) >> 32) as u64)
    }
}

impl Clock {
    /// The host's clocks; monotonic time counts from this call.
    pub fn real() -> Clock {
        let start = instant();
        let ticks = os::has_steady_ticks().then(|| {
            let first_ticks = os::ticks();
            let start = Ticks {
                first_ticks,
                first_ns: 0,
                anchor_ticks: first_ticks,
                anchor_ns: 0,
                rate: 0,
                rate_told_ns: 0,
            };
            Rc::new(Cell::new(start))
        });
        Clock(Source::Real { start, ticks })
    }

    /// A clock that stands still until the owner of `now` moves it.
    pub fn manual(now: Rc<Cell<Now>>) -> Clock {
        Clock(Source::Manual(now))
    }

    pub fn now(&self) -> Now {
        match &self.0 {
            Source::Real { ticks, .. } => {
                let mono_ns = ticks.as_ref().map_or_else(|| self.mono_ns(), |ticks| self.anchor(ticks));
                Now { unix_us: unix_us(), mono_ns }
            }
            Source::Manual(now) => now.get(),
        }
    }

    /// The monotonic half alone: one vDSO call.
    #[inline]
    pub fn mono_ns(&self) -> u64 {
        match &self.0 {
            // 64 bits of nanoseconds last 584 years.
            Source::Real { start, .. } => instant().duration_since(*start).as_nanos() as u64,
            Source::Manual(now) => now.get().mono_ns,
        }
    }

    /// The monotonic time, by which ticks are told from now on.
    fn anchor(&self, ticks: &Cell<Ticks>) -> u64 {
        let mono_ns = self.mono_ns();
        let mut anchored = ticks.get();
        anchored.anchor(os::ticks(), mono_ns);
        ticks.set(anchored);
        mono_ns
    }

    /// As `mono_ns`, within a few millionths of the time since the last `now`, at a third of the cost: for the meter,
    /// which reads it once per command. In a long script it goes back to the host's clock every few milliseconds.
    #[inline]
    pub fn meter_ns(&self) -> u64 {
        match &self.0 {
            Source::Real { ticks: Some(cell), .. } => {
                cell.get().mono_ns(os::ticks()).unwrap_or_else(|| self.anchor(cell))
            }
            Source::Real { ticks: None, .. } | Source::Manual(_) => self.mono_ns(),
        }
    }
}

/// Wall time for the two places that cannot be handed a `Clock`: the log and the forked child. A vDSO call:
/// no lock, no allocation. A host clock before 1970 reads as 0.
#[expect(clippy::disallowed_methods, reason = "this file is the one place that reads clocks")]
pub fn unix_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A reading of the monotonic clock: for a forked child, and for whoever has no `Clock`.
#[inline]
#[expect(clippy::disallowed_methods, reason = "this file is the one place that reads clocks")]
pub fn instant() -> Instant {
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
    fn ticks_tell_the_time_near_their_anchor() {
        let mut ticks = Ticks {
            first_ticks: 1_000,
            first_ns: 0,
            anchor_ticks: 1_000,
            anchor_ns: 0,
            rate: 0,
            rate_told_ns: 0,
        };
        assert_eq!(ticks.mono_ns(2_000), None, "the rate is not known yet");
        // Two ticks a nanosecond.
        ticks.anchor(100_001_000, 50_000_000);
        assert_eq!(ticks.mono_ns(100_001_000), Some(50_000_000));
        assert_eq!(ticks.mono_ns(100_002_000), Some(50_000_500));
        assert_eq!(ticks.mono_ns(100_000_000), None, "before the anchor");
        assert_eq!(ticks.mono_ns(200_001_000), None, "too far from it");
    }

    #[test]
    fn the_meter_keeps_to_the_clock() {
        let clock = Clock::real();
        std::thread::sleep(std::time::Duration::from_millis(25));
        for _ in 0..3 {
            let now = clock.now();
            let metered = clock.meter_ns();
            assert!(metered >= now.mono_ns && metered <= clock.mono_ns() + 1_000, "{metered} {now:?}");
        }
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
