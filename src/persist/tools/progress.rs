//! How far a tool is, for someone who waits at a terminal: a line on standard error, which is overwritten and goes away
//! at the end.
//!
//! Nothing is shown when standard error is no terminal, nor in the first second.

use crate::base::clock::Clock;
use std::io::{self, IsTerminal, Write};

/// Nothing is shown before.
const QUIET_NS: u64 = 1_000_000_000;
/// Between two lines.
const PAUSE_NS: u64 = 200_000_000;
/// The clock is asked after so many bytes.
const LOOK_BYTES: u64 = 64 << 10;

pub struct Progress {
    /// None: nobody looks.
    clock: Option<Clock>,
    what: &'static str,
    total_bytes: u64,
    started_ns: u64,
    due_ns: u64,
    look_at: u64,
    is_shown: bool,
}

impl Progress {
    /// `what` is being done with `total_bytes`.
    pub fn new(clock: &Clock, what: &'static str, total_bytes: u64) -> Progress {
        let clock = io::stderr().is_terminal().then(|| clock.clone());
        let started_ns = clock.as_ref().map_or(0, Clock::mono_ns);
        let due_ns = started_ns + QUIET_NS;
        Progress { clock, what, total_bytes, started_ns, due_ns, look_at: 0, is_shown: false }
    }

    /// For what nobody waits for.
    pub fn unseen() -> Progress {
        let (what, is_shown) = ("", false);
        Progress { clock: None, what, total_bytes: 0, started_ns: 0, due_ns: 0, look_at: u64::MAX, is_shown }
    }

    /// So many bytes of the total are done.
    #[inline]
    pub fn at(&mut self, bytes: u64) {
        if bytes >= self.look_at {
            self.look(bytes);
        }
    }

    /// As `at`, of a total that becomes known only now.
    pub fn at_of(&mut self, bytes: u64, total_bytes: u64) {
        self.total_bytes = total_bytes;
        self.at(bytes);
    }

    #[cold]
    fn look(&mut self, bytes: u64) {
        self.look_at = if self.clock.is_some() { bytes + LOOK_BYTES } else { u64::MAX };
        let Some(now_ns) = self.clock.as_ref().map(Clock::mono_ns) else { return };
        if now_ns < self.due_ns {
            return;
        }
        self.due_ns = now_ns + PAUSE_NS;
        self.is_shown = true;
        let line = line(self.what, (bytes, self.total_bytes), now_ns - self.started_ns);
        let _ = write!(io::stderr(), "\r{line}\x1b[K");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(what: &str, (bytes, total): (u64, u64), elapsed_ns: u64) -> String {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let percent = bytes.saturating_mul(100) / total.max(1);
    let left = u128::from(elapsed_ns) * u128::from(total.saturating_sub(bytes)) / u128::from(bytes.max(1));
    let left_s = left.div_ceil(1_000_000_000);
    format!("{what}: {percent} %, {} of {} MB, {left_s} s left", megabytes(bytes), megabytes(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_how_far_and_how_long() {
        let shown = line("reading", (250_000_000, 1_000_000_000), 2_000_000_000);
        assert_eq!(shown, "reading: 25 %, 250 of 1000 MB, 6 s left");
        assert_eq!(line("reading", (0, 0), 5), "reading: 0 %, 0 of 0 MB, 0 s left");
    }
}
