//! Per command: how often, how long, and the distribution of the durations.
//!
//! The histogram is log-linear like HdrHistogram with two significant digits and a lowest value of 1, which
//! is what Redis uses: INFO and LATENCY HISTOGRAM must show the same bucket boundaries (50 us reads as
//! 50.175).
//!
//! ```text
//! value (ns)        0..255      256..511    512..1023   ...
//! width of a bucket      1           2           4      ...      128 buckets per power of two
//! index             0..255    256..383    384..511      ...
//! ```
//! Counters grow on demand to the slowest call seen: 10 KiB for a command that never took 65 us.
//!
//! Invariants
//! 1. `total` is the sum of all buckets.
//! 2. Every recorded value is within 1 ns ..= 1 s; others are clamped, as in Redis.

use std::fmt;

/// Buckets per power of two.
const HALF: u64 = 128;
const VALUE_MIN_NS: u64 = 1;
const VALUE_MAX_NS: u64 = 1_000_000_000;
/// The first boundary that LATENCY HISTOGRAM reports; each next one is twice as far.
const FIRST_BOUNDARY_NS: u64 = 1024;
/// The last one is the end of the last bucket: Redis has none that begins at 2^30.
const LAST_BOUNDARY_NS: u64 = (1 << 30) - 1;

/// The counters of one command.
#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    pub calls: u64,
    /// Time spent, in nanoseconds: many commands take less than a microsecond.
    pub spent_ns: u64,
    /// Refused before they ran (arity, ACL, OOM, ...).
    pub rejected_calls: u64,
    /// Ran and answered with an error.
    pub failed_calls: u64,
    histogram: Option<Box<Histogram>>,
}

impl CommandStats {
    /// Counts one call.
    #[inline]
    pub fn record_call(&mut self, duration_ns: u64) {
        self.calls += 1;
        self.spent_ns += duration_ns;
    }

    /// Adds the duration to the distribution (directive latency-tracking).
    #[inline]
    pub fn record_latency(&mut self, duration_ns: u64) {
        self.histogram.get_or_insert_default().record(duration_ns);
    }

    /// The distribution; `None` before the first call.
    pub fn histogram(&self) -> Option<&Histogram> {
        self.histogram.as_deref()
    }

    pub fn usec(&self) -> u64 {
        self.spent_ns / 1_000
    }

    /// CONFIG RESETSTAT.
    pub fn reset(&mut self) {
        *self = CommandStats::default();
    }

    /// Whether INFO commandstats lists the command.
    pub fn is_used(&self) -> bool {
        self.calls > 0 || self.rejected_calls > 0 || self.failed_calls > 0
    }
}

/// The text of INFO commandstats after `cmdstat_<name>:`.
impl fmt::Display for CommandStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Redis divides in single precision; more digits would differ in the last one for large sums.
        let usec_per_call = if self.calls == 0 { 0.0 } else { self.usec() as f32 / self.calls as f32 };
        write!(
            f,
            "calls={},usec={},usec_per_call={:.2},rejected_calls={},failed_calls={}",
            self.calls,
            self.usec(),
            f64::from(usec_per_call),
            self.rejected_calls,
            self.failed_calls
        )
    }
}

/// A distribution of durations.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

/// One boundary of LATENCY HISTOGRAM: so many calls took at most so many microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cumulative {
    pub at_most_us: u64,
    pub calls: u64,
}

impl Histogram {
    #[inline]
    pub fn record(&mut self, duration_ns: u64) {
        let index = index_of(duration_ns.clamp(VALUE_MIN_NS, VALUE_MAX_NS));
        if index >= self.counts.len() {
            self.grow(index);
        }
        self.counts[index] += 1;
        self.total += 1;
    }

    #[cold]
    fn grow(&mut self, index: usize) {
        // To the end of the power of two, so that a command grows its counters a few times only.
        self.counts.resize((index + 1).next_multiple_of(HALF as usize), 0);
    }

    /// Calls recorded.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The duration that `percentile` (0..=100) percent of the calls did not exceed, in nanoseconds: the end
    /// of its bucket (for 0: the beginning, as HdrHistogram has it).
    pub fn percentile_ns(&self, percentile: f64) -> u64 {
        let share = percentile.clamp(0.0, 100.0) / 100.0;
        let wanted = ((share * self.total as f64 + 0.5) as u64).max(1);
        let mut seen = 0;
        let reached = self.counts.iter().position(|&count| {
            seen += count;
            seen >= wanted
        });
        match reached {
            None => 0,
            Some(index) if percentile == 0.0 => lowest_of(index),
            Some(index) => highest_of(index),
        }
    }

    /// The text of INFO latencystats: `p50=1.003,p99=..,p99.9=..`, in microseconds.
    pub fn percentiles_text(&self, percentiles: &[f64]) -> String {
        let texts = percentiles.iter().map(|&percentile| {
            let usec = self.percentile_ns(percentile) as f64 / 1_000.0;
            format!("p{}={usec:.3}", percentile_text(percentile))
        });
        texts.collect::<Vec<_>>().join(",")
    }

    /// LATENCY HISTOGRAM: boundaries at powers of two nanoseconds from 1024 on; those that add no call are
    /// left out.
    pub fn cumulative(&self) -> Vec<Cumulative> {
        let mut reported = Vec::new();
        let (mut next_index, mut calls, mut previous) = (0, 0, 0);
        let mut boundary_ns = FIRST_BOUNDARY_NS;
        while calls < self.total {
            let boundary = index_of(boundary_ns.min(LAST_BOUNDARY_NS));
            let end = (boundary + 1).min(self.counts.len());
            calls += self.counts[next_index..end].iter().sum::<u64>();
            next_index = end;
            if calls > previous {
                reported.push(Cumulative { at_most_us: highest_of(boundary) / 1_000, calls });
                previous = calls;
            }
            boundary_ns *= 2;
        }
        reported
    }

    /// Heap bytes held.
    pub fn heap_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u64>()
    }
}

/// `50`, `99.9`, `33.333333`: at most six decimals, as the directive is shown too.
pub fn percentile_text(percentile: f64) -> String {
    format!("{percentile:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The bucket of a value: see the drawing at the head of this file.
#[inline]
fn index_of(value: u64) -> usize {
    let power = (value | (2 * HALF - 1)).ilog2() - HALF.ilog2();
    (u64::from(power) * HALF + (value >> power)) as usize
}

/// The first value of a bucket.
fn lowest_of(index: usize) -> u64 {
    let (power, step) = power_and_step(index);
    step << power
}

/// The last value of a bucket.
fn highest_of(index: usize) -> u64 {
    let (power, step) = power_and_step(index);
    ((step + 1) << power) - 1
}

fn power_and_step(index: usize) -> (u64, u64) {
    let index = index as u64;
    let power = (index / HALF).saturating_sub(1);
    (power, index - power * HALF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(values_us: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values_us.iter().for_each(|&us| histogram.record(us * 1_000));
        histogram
    }

    #[test]
    fn percentiles_read_as_in_redis() {
        // Pairs observed on a redis-server 7.0.15, whose durations are whole microseconds.
        let read = |us: u64| histogram(&[us]).percentiles_text(&[50.0, 99.9, 0.0, 100.0]);
        assert_eq!(read(92), "p50=92.159,p99.9=92.159,p0=91.648,p100=92.159");
        assert_eq!(read(4), "p50=4.015,p99.9=4.015,p0=4.000,p100=4.015");
        assert_eq!(read(27), "p50=27.007,p99.9=27.007,p0=26.880,p100=27.007");
        assert_eq!(read(1), "p50=1.003,p99.9=1.003,p0=1.000,p100=1.003");
        assert_eq!(read(0), "p50=0.001,p99.9=0.001,p0=0.001,p100=0.001");
        let sleeps = histogram(&[3_090, 50_100, 50_100, 10_070, 600_070]);
        assert_eq!(sleeps.percentiles_text(&[50.0, 99.0]), "p50=50331.647,p99=603979.775");
        assert_eq!(Histogram::default().percentiles_text(&[50.0]), "p50=0.000");
    }

    #[test]
    fn boundaries_read_as_in_redis() {
        let sleeps = histogram(&[3_090, 50_100, 50_100, 10_070, 600_070]);
        let read: Vec<_> = sleeps.cumulative().iter().map(|c| (c.at_most_us, c.calls)).collect();
        assert_eq!(read, [(4_227, 1), (16_908, 2), (67_633, 4), (1_073_741, 5)]);
        let read: Vec<_> =
            histogram(&[0, 1, 2, 3]).cumulative().iter().map(|c| (c.at_most_us, c.calls)).collect();
        assert_eq!(read, [(1, 2), (2, 3), (4, 4)]);
        assert!(Histogram::default().cumulative().is_empty());
    }

    #[test]
    fn percentiles_are_named_as_in_redis() {
        let named = [50.0, 99.9, 99.99, 100.0 / 3.0, 0.0, 100.0].map(percentile_text);
        assert_eq!(named, ["50", "99.9", "99.99", "33.333333", "0", "100"]);
    }

    #[test]
    fn the_line_of_a_command() {
        let mut stats = CommandStats::default();
        assert_eq!(stats.to_string(), "calls=0,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0");
        [400_000, 200_600, 113_500].iter().for_each(|&ns| stats.record_call(ns));
        stats.failed_calls += 1;
        assert_eq!(
            stats.to_string(),
            "calls=3,usec=714,usec_per_call=238.00,rejected_calls=0,failed_calls=1"
        );
        assert!(stats.histogram().is_none() && stats.is_used());
        stats.record_latency(5);
        assert_eq!(stats.histogram().unwrap().total(), 1);
        stats.reset();
        assert!(stats.histogram().is_none() && !stats.is_used());
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_bucket(value in 0_u64..4_000_000_000) {
            let index = index_of(value);
            prop_assert!(lowest_of(index) <= value && value <= highest_of(index));
            prop_assert_eq!(highest_of(index) + 1, lowest_of(index + 1));
        }

        #[test]
        fn percentiles_agree_with_sorting(mut values in prop::collection::vec(1_u64..2_000_000, 1..200)) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|&value| histogram.record(value));
            values.sort_unstable();
            for percentile in [1.0, 50.0, 90.0, 100.0] {
                let rank = ((percentile / 100.0 * values.len() as f64 + 0.5) as usize).max(1);
                let expected = highest_of(index_of(values[rank - 1]));
                prop_assert_eq!(histogram.percentile_ns(percentile), expected);
            }
            let last = *histogram.cumulative().last().expect("not empty");
            prop_assert_eq!(last.calls, values.len() as u64);
        }
    }
}
