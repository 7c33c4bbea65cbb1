//! Instantaneous rates: the mean of the last 16 samples of a counter, taken every 100 ms, as in Redis.
//!
//! Samples not taken yet count as 0, so a rate needs 1.6 s to reach its level.

use super::stats::Stats;

const SAMPLES: usize = 16;
/// A little less than 100 ms: a timer is never exact.
const INTERVAL_MS_MIN: i64 = 90;

/// One counter's rate per second.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    samples: [u64; SAMPLES],
    next: usize,
    last: Option<(i64, u64)>,
}

impl Rate {
    /// Takes a sample of the counter. A counter that went back (it was reset) counts from zero.
    pub fn sample(&mut self, now_ms: i64, counter: u64) {
        if let Some((last_ms, last_counter)) = self.last {
            let elapsed_ms = u64::try_from(now_ms - last_ms).unwrap_or(0);
            let news = counter.checked_sub(last_counter).unwrap_or(counter);
            self.samples[self.next] = (news.saturating_mul(1_000)).checked_div(elapsed_ms).unwrap_or(0);
            self.next = (self.next + 1) % SAMPLES;
        }
        self.last = Some((now_ms, counter));
    }

    pub fn per_second(&self) -> u64 {
        self.samples.iter().sum::<u64>() / SAMPLES as u64
    }

    /// Of a counter of bytes: KiB per second.
    pub fn kib_per_second(&self) -> f64 {
        self.per_second() as f64 / 1024.0
    }
}

/// The rates that INFO shows.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    pub commands: Rate,
    pub net_input: Rate,
    pub net_output: Rate,
    pub repl_input: Rate,
    pub repl_output: Rate,
    pub eventloop_cycles: Rate,
    sampled_ms: Option<i64>,
}

impl Rates {
    /// To be called every 100 ms; more frequent calls, by a higher `hz`, do nothing.
    pub fn sample(&mut self, now_ms: i64, stats: &Stats) {
        if self.sampled_ms.is_some_and(|sampled_ms| (0..INTERVAL_MS_MIN).contains(&(now_ms - sampled_ms))) {
            return;
        }
        self.sampled_ms = Some(now_ms);
        self.commands.sample(now_ms, stats.commands_processed);
        self.net_input.sample(now_ms, stats.net_input_bytes);
        self.net_output.sample(now_ms, stats.net_output_bytes);
        self.repl_input.sample(now_ms, stats.net_repl_input_bytes);
        self.repl_output.sample(now_ms, stats.net_repl_output_bytes);
        self.eventloop_cycles.sample(now_ms, stats.eventloop_cycles);
    }

    /// CONFIG RESETSTAT; the counters themselves have been reset before.
    pub fn reset(&mut self) {
        *self = Rates::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_counter_reaches_its_rate_after_sixteen_samples() {
        let mut rate = Rate::default();
        for step in 0..=16 {
            rate.sample(1_000 + step * 100, step as u64 * 500);
            assert_eq!(rate.per_second(), 5_000 * step as u64 / 16);
        }
        rate.sample(2_700, 17 * 500);
        assert_eq!((rate.per_second(), rate.kib_per_second()), (5_000, 5_000.0 / 1024.0));
    }

    #[test]
    fn a_faster_timer_changes_no_rate() {
        let mut rates = Rates::default();
        for step in 0..=160 {
            let stats = Stats { commands_processed: step * 50, ..Stats::default() };
            rates.sample(1_000 + step as i64 * 10, &stats);
        }
        assert!((4_500..=5_000).contains(&rates.commands.per_second()), "{}", rates.commands.per_second());
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_and_a_reset_do_no_harm() {
        let mut rate = Rate::default();
        rate.sample(1_000, u64::MAX);
        rate.sample(1_000, u64::MAX);
        rate.sample(900, 7);
        rate.sample(1_000, 16);
        assert_eq!(rate.per_second(), 90 / 16);
    }
}
