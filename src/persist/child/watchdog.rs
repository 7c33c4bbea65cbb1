//! Whether a child still gets on (`child-timeout`).
//!
//! Signs of progress: keys and bytes that it reports, and what the kernel says it has written, which also grows within
//! a value that is too large for reports. (Not the size of its file: while it renames, and the kernel frees the blocks
//! of the old file, whoever looks into that directory waits, tens of milliseconds per gigabyte.) While it waits for a
//! disk (state D of one of its threads) there can be no sign; an fsync of gigabytes on a slow disk is no reason to kill
//! it, and a kill would have no effect before the disk answers. So such a child gets `DISK_PATIENCE` times as long.
//!
//! Time is counted from look to look, and a single look never counts for more than `LOOK_MS_MAX`: when the whole
//! machine stood still, or the loop was busy, the child had no chance to get on either.

use crate::base::os::read_small_file;

/// How many times longer a child that waits for its disk may make no progress.
const DISK_PATIENCE: u64 = 10;
const LOOK_MS_MAX: u64 = 1000;
/// What a child last said can be so old although it gets on: reports come once a second.
const REPORT_AGE_MS_MAX: u64 = 1000;
/// Enough for `/proc/<pid>/task/<tid>/stat` up to the state, its third field.
const STAT_BYTES: usize = 128;

/// What tells that a child has done something since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) keys: u64,
    pub(super) bytes: u64,
    pub(super) written_bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Watchdog {
    signs: Signs,
    /// Milliseconds of the monotonic clock.
    looked_ms: Option<u64>,
    idle_ms: u64,
}

impl Watchdog {
    /// Looks at the signs. Whether the child has made no progress for `timeout_ms`; `waits_for_disk` is asked only
    /// then.
    pub(super) fn is_stuck(
        &mut self,
        signs: Signs,
        now_ms: u64,
        timeout_ms: u64,
        waits_for_disk: impl FnOnce() -> bool,
    ) -> bool {
        let since_ms = now_ms.saturating_sub(self.looked_ms.replace(now_ms).unwrap_or(now_ms));
        if signs != self.signs {
            (self.signs, self.idle_ms) = (signs, 0);
            return false;
        }
        self.idle_ms += since_ms.min(LOOK_MS_MAX);
        let idle_ms = self.idle_ms.saturating_sub(REPORT_AGE_MS_MAX);
        idle_ms >= timeout_ms && (idle_ms >= timeout_ms.saturating_mul(DISK_PATIENCE) || !waits_for_disk())
    }
}

/// Whether a thread of the process sleeps in the kernel for a disk.
pub(super) fn waits_for_disk(pid: i32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    tasks.flatten().any(|task| {
        let mut buffer = [0; STAT_BYTES];
        let stat = task.path().join("stat");
        let text = stat.to_str().and_then(|path| read_small_file(path, &mut buffer).ok());
        text.and_then(state) == Some(b'D')
    })
}

/// `812 (rdb-bgsave) D 811 ...` -> `D`. The name may contain anything, parentheses too.
fn state(stat: &[u8]) -> Option<u8> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    stat.get(end + 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT_MS: u64 = 2000;

    fn signs(keys: u64) -> Signs {
        Signs { keys, ..Signs::default() }
    }

    /// Looks every 100 ms; the time at which it calls the child stuck.
    fn stuck_after_ms(watchdog: &mut Watchdog, start_ms: u64, waits_for_disk: bool) -> u64 {
        let times = (0..1000).map(|look| start_ms + look * 100);
        let mut stuck =
            times.skip_while(|now_ms| !watchdog.is_stuck(signs(1), *now_ms, TIMEOUT_MS, || waits_for_disk));
        stuck.next().expect("some time") - start_ms
    }

    #[test]
    fn progress_starts_the_time_anew() {
        let mut watchdog = Watchdog::default();
        for (look, keys) in (0..100).zip(1..) {
            assert!(!watchdog.is_stuck(signs(keys), look * 1000, TIMEOUT_MS, || false));
        }
        let mut watchdog = Watchdog::default();
        assert_eq!(stuck_after_ms(&mut watchdog, 5000, false), TIMEOUT_MS + REPORT_AGE_MS_MAX);
        let grown = Signs { written_bytes: 1, ..signs(1) };
        assert!(!watchdog.is_stuck(grown, 9000, TIMEOUT_MS, || false));
    }

    #[test]
    fn a_disk_gets_more_time_but_not_for_ever() {
        let stuck_ms = stuck_after_ms(&mut Watchdog::default(), 0, true);
        assert_eq!(stuck_ms, DISK_PATIENCE * TIMEOUT_MS + REPORT_AGE_MS_MAX);
    }

    #[test]
    fn time_in_which_nobody_looked_hardly_counts() {
        let mut watchdog = Watchdog::default();
        assert!(!watchdog.is_stuck(signs(1), 0, TIMEOUT_MS, || false));
        assert!(!watchdog.is_stuck(signs(1), 3_600_000, TIMEOUT_MS, || false));
        assert!(!watchdog.is_stuck(signs(1), 7_200_000, TIMEOUT_MS, || false));
        assert!(watchdog.is_stuck(signs(1), 10_800_000, TIMEOUT_MS, || false));
    }

    #[test]
    fn the_state_is_found_behind_any_name() {
        assert_eq!(state(b"12 (a) D) S 1 2"), Some(b'S'));
        assert_eq!(state(b"12 (rdb-bgsave) D 1"), Some(b'D'));
        assert_eq!(state(b"12 (cut"), None);
        assert!(!waits_for_disk(std::process::id() as i32));
    }
}
