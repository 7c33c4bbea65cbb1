//! A clock that is set by a day, back and forth, at any moment of a save's life.

use super::*;

const DAY_S: i64 = 86_400;

impl Bench {
    /// Sets the host's clock; the monotonic one does not notice.
    fn set_clock_by(&mut self, seconds: i64) {
        let now = self.now.get();
        self.now.set(Now { unix_us: now.unix_us + seconds * 1_000_000, ..now });
        self.server.snapshots_cron();
    }

    fn is_saving(&self) -> bool {
        self.server.snapshots.in_progress()
    }
}

#[test]
fn rules_and_numbers_do_not_notice() {
    for jump_s in [DAY_S, -DAY_S] {
        let mut bench = Bench::new();
        bench.server.config.snapshot_keep = 3;
        bench.set("a", "1");
        bench.later(10);
        bench.set_clock_by(jump_s);
        assert!(!bench.is_saving(), "the clock, not the time, has moved");
        bench.server.config.rdb_key_save_delay = 500_000;
        bench.later(1);
        assert!(bench.is_saving());
        bench.server.config.rdb_key_save_delay = 0;
        bench.set_clock_by(jump_s);
        bench.later(2);
        let background = bench.server.snapshots.background.as_ref().unwrap();
        let now = bench.now.get();
        assert_eq!((background.milliseconds(now), background.seconds(now)), (2000, 2));
        assert!(background.report_age_s(now) <= 2, "since the fork");
        bench.wait_for_child();
        let snapshots = &bench.server.snapshots;
        assert_eq!(
            (snapshots.last_status, snapshots.last_duration_ms, snapshots.dirty),
            (SaveStatus::Ok, 2000, 0)
        );
        assert_eq!(snapshots.last_save_ms, now.unix_ms());
        // The next one comes in its time.
        bench.set("b", "1");
        bench.set_clock_by(-jump_s);
        bench.later(10);
        assert!(!bench.is_saving());
        bench.later(1);
        assert!(bench.is_saving());
        bench.wait_for_child();
        bench.server.save_now().unwrap();
        let state = crate::persist::history::look(&bench.server.place()).unwrap();
        let durations: Vec<_> = state.lines.iter().map(|line| line.duration_ms).collect();
        assert_eq!(durations, [Some(2000), Some(0), Some(0)], "in the order in which they were made");
        assert_eq!(state.current, Some(2));
    }
}

#[test]
fn the_pause_after_a_failure_is_five_seconds_long() {
    for jump_s in [DAY_S, -DAY_S] {
        let mut bench = Bench::new();
        bench.set("a", "1");
        bench.server.config.dir = "/nowhere/at/all".into();
        bench.later(11);
        assert_eq!(bench.server.snapshots.attempts, 1);
        bench.set_clock_by(jump_s);
        bench.later(5);
        assert_eq!(bench.server.snapshots.attempts, 1);
        bench.later(1);
        assert_eq!(bench.server.snapshots.attempts, 2);
    }
}

#[test]
fn the_watchdog_neither_bites_early_nor_sleeps() {
    for jump_s in [DAY_S, -DAY_S] {
        let mut bench = Bench::new();
        bench.server.config.child_timeout = 2;
        bench.server.config.rdb_key_save_delay = 100_000_000;
        bench.set("a", "1");
        bench.server.start_background_save().unwrap();
        // Its file is there, and grows no more.
        while bench.files().is_empty() {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(50));
        bench.server.snapshots_cron();
        for _ in 0..5 {
            bench.set_clock_by(jump_s);
        }
        std::thread::sleep(Duration::from_millis(20));
        bench.server.snapshots_cron();
        assert!(bench.is_saving(), "{:?}", bench.server.snapshots.last_error);
        // Seconds without a sign.
        (0..10).for_each(|_| bench.later(1));
        bench.wait_for_child();
        let reason = bench.server.snapshots.last_error.clone().unwrap();
        assert!(reason.contains("no progress"), "{reason}");
        assert!(bench.files().is_empty());
    }
}

#[test]
fn the_supervisor_is_asked_for_patience_all_the_same() {
    let mut bench = Bench::new();
    bench.server.config.rdb_key_save_delay = 100_000;
    bench.set("a", "1");
    assert_eq!(bench.server.prepare_shutdown(BY_RULES), Ok(Begun::Saving));
    bench.set_clock_by(-DAY_S);
    bench.wait_for_child();
    assert_eq!((bench.server.exit_code, bench.files()), (Some(0), vec!["dump.rdb".to_owned()]));
}
