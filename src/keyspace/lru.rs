//! The 24-bit access field of an entry: a clock for LRU, a decaying counter for LFU.
//!
//! ```text
//!  LRU   |          24 bits: seconds since 1970, modulo 2^24 (194 days)            |
//!  LFU   |  16 bits: minutes since 1970 of the last decay   |  8 bits: log counter  |
//! ```
//! The layouts follow the behaviour of OBJECT IDLETIME and OBJECT FREQ and of the IDLE and FREQ records of an RDB file.

use super::settings::Settings;

const CLOCK_MAX: u32 = (1 << 24) - 1;
/// A new key starts with this counter, so that it is not evicted before it could be used.
pub const LFU_INITIAL: u8 = 5;

/// The LRU clock at `now_ms`, in seconds.
pub fn clock(now_ms: i64) -> u32 {
    (now_ms / 1000) as u32 & CLOCK_MAX
}

/// Seconds since the entry with LRU field `field` was used.
pub fn idle_s(field: u32, now_ms: i64) -> u32 {
    clock(now_ms).wrapping_sub(field) & CLOCK_MAX
}

/// The LRU field of an entry that was last used `idle_s` seconds ago.
pub fn clock_with_idle(idle_s: u64, now_ms: i64) -> u32 {
    let idle = u32::try_from(idle_s).unwrap_or(CLOCK_MAX).min(CLOCK_MAX);
    clock(now_ms).wrapping_sub(idle) & CLOCK_MAX
}

fn minutes(now_ms: i64) -> u32 {
    (now_ms / 60_000) as u32 & 0xffff
}

/// The LFU field of a new key.
pub fn lfu_new(now_ms: i64) -> u32 {
    lfu_with(LFU_INITIAL, now_ms)
}

/// The LFU field with a given counter.
pub fn lfu_with(counter: u8, now_ms: i64) -> u32 {
    minutes(now_ms) << 8 | u32::from(counter)
}

/// The counter after the decay that is due.
pub fn lfu_counter(field: u32, now_ms: i64, settings: &Settings) -> u8 {
    let counter = (field & 0xff) as u8;
    if settings.lfu_decay_minutes == 0 {
        return counter;
    }
    let elapsed = minutes(now_ms).wrapping_sub(field >> 8) & 0xffff;
    let periods = elapsed / settings.lfu_decay_minutes;
    counter.saturating_sub(periods.min(255) as u8)
}

/// The LFU field after a use: the counter grows with a probability that falls with its height. `luck` is in 0..1.
pub fn lfu_used(field: u32, now_ms: i64, settings: &Settings, luck: f64) -> u32 {
    let counter = lfu_counter(field, now_ms, settings);
    let above = f64::from(counter.saturating_sub(LFU_INITIAL));
    let chance = 1.0 / (above * f64::from(settings.lfu_log_factor) + 1.0);
    let grown = if luck < chance { counter.saturating_add(1) } else { counter };
    lfu_with(grown, now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_wraps() {
        let now_ms = 1_000_000_000_000;
        assert_eq!(idle_s(clock(now_ms), now_ms + 5000), 5);
        assert_eq!(idle_s(clock_with_idle(77, now_ms), now_ms), 77);
        assert_eq!(idle_s(clock_with_idle(u64::MAX, now_ms), now_ms), CLOCK_MAX);
    }

    #[test]
    fn lfu_grows_and_decays() {
        let (settings, now_ms) = (Settings::default(), 1_700_000_000_000);
        let field = lfu_used(lfu_new(now_ms), now_ms, &settings, 0.0);
        assert_eq!(lfu_counter(field, now_ms, &settings), LFU_INITIAL + 1);
        assert_eq!(lfu_counter(field, now_ms + 3 * 60_000, &settings), LFU_INITIAL - 2);
        assert_eq!(lfu_counter(field, now_ms + 3_000 * 60_000, &settings), 0);
    }
}
