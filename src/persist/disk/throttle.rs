//! No more bytes a second than wanted (`rdb-save-max-mbps`).
//!
//! A bucket of tokens, kept as one moment: when everything written so far will have been paid for. Whoever writes waits
//! until then afterwards. Time that nobody used is worth `CREDIT` at most, so that a pause is not followed by a burst.

use std::time::{Duration, Instant};

/// So much unused time may be made up for.
const CREDIT: Duration = Duration::from_millis(100);
/// The longest sleep in one piece.
pub(super) const STEP: Duration = Duration::from_millis(20);

/// Bytes a second that a save may write, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRate {
    Unlimited,
    Limited { bytes_per_s: u64 },
}

impl WriteRate {
    /// Million bytes per second; 0: no limit.
    pub fn from_mbps(mbps: u64) -> WriteRate {
        match mbps {
            0 => WriteRate::Unlimited,
            mbps => WriteRate::Limited { bytes_per_s: mbps.saturating_mul(1_000_000) },
        }
    }
}

pub(super) struct Throttle {
    rate: WriteRate,
    paid_at: Option<Instant>,
}

impl Throttle {
    pub(super) fn new(rate: WriteRate) -> Throttle {
        Throttle { rate, paid_at: None }
    }

    /// `bytes` are about to be written, beginning at `now()`. Returns the moment until which to wait after that.
    pub(super) fn pay(&mut self, bytes: u64, now: impl FnOnce() -> Instant) -> Option<Instant> {
        let WriteRate::Limited { bytes_per_s } = self.rate else { return None };
        let now = now();
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let from = self.paid_at.map_or(now, |paid_at| paid_at.max(earliest));
        let cost_ns = u128::from(bytes) * 1_000_000_000 / u128::from(bytes_per_s);
        let paid_at = from + Duration::from_nanos(u64::try_from(cost_ns).unwrap_or(u64::MAX));
        self.paid_at = Some(paid_at);
        Some(paid_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock;

    #[test]
    fn bytes_are_paid_for_in_time() {
        let start = clock::instant();
        let after = |ms| start + Duration::from_millis(ms);
        let mut throttle = Throttle::new(WriteRate::from_mbps(10));
        assert_eq!(throttle.pay(1_000_000, || start), Some(after(100)));
        assert_eq!(throttle.pay(1_000_000, || after(100)), Some(after(200)));
        assert_eq!(throttle.pay(500_000, || after(150)), Some(after(250)), "early: it adds up");
        assert_eq!(throttle.pay(1_000_000, || after(300)), Some(after(350)), "a little late is made up for");
        assert_eq!(throttle.pay(1_000_000, || after(9000)), Some(after(9000)), "but not a long pause");
        assert_eq!(Throttle::new(WriteRate::from_mbps(0)).pay(1 << 40, || unreachable!()), None);
    }
}
