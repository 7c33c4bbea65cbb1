//! What the server knows of its snapshots: when the last one was made, how it went, what is due.
//!
//! Rules and durations count on the monotonic clock: the host's clock may be set by a day at any moment, and the next
//! save must come neither a day late nor at once.
//!
//! State and rules only; files are `disk`'s, the child is `child`'s, and `server::snapshots` brings them
//! together.

use super::child::{CowBytes, RunningSave};
use super::error::SnapshotError;
use super::id::SnapshotId;
use super::repair::Repair;
use super::stamp::FileStamp;
use crate::base::clock::Now;
use crate::base::proctitle::ProcessTitle;
use crate::config::SaveRule;
use std::path::Path;

/// After a failed background save the next one by a rule is not tried for so long.
const RETRY_AFTER_S: u64 = 5;

/// How the last background save went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveStatus {
    Ok,
    Err,
}

impl SaveStatus {
    /// INFO rdb_last_bgsave_status.
    pub fn word(self) -> &'static str {
        match self {
            SaveStatus::Ok => "ok",
            SaveStatus::Err => "err",
        }
    }
}

/// Why the next tick may start a background save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Rule(SaveRule),
    /// BGSAVE SCHEDULE, BGSAVE in a transaction, or BGSAVE WAIT while another save ran.
    Scheduled,
}

/// What a child's file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Background,
    /// When it is there, the process ends.
    Final,
}

/// Whether the dataset was replaced as a whole since a child's fork: the counter of changes does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaced {
    Yes,
    No,
}

/// A background save under way.
pub struct Background {
    pub save: RunningSave,
    started_mono_ms: u64,
    /// Keys when it started.
    pub keys_total: u64,
    pub purpose: Purpose,
    /// The counter of changes when it started.
    dirty_at_start: u64,
    replaced: Replaced,
}

impl Background {
    /// INFO rdb_current_bgsave_time_ms.
    pub fn milliseconds(&self, now: Now) -> i64 {
        now.mono_ms().saturating_sub(self.started_mono_ms) as i64
    }

    /// INFO rdb_current_bgsave_time_sec.
    pub fn seconds(&self, now: Now) -> i64 {
        self.milliseconds(now) / 1000
    }

    /// INFO current_fork_perc: keys done, in percent.
    pub fn percent(&self) -> f64 {
        if self.keys_total == 0 {
            0.0
        } else {
            self.save.progress.keys as f64 * 100.0 / self.keys_total as f64
        }
    }

    /// INFO current_cow_size_age, in seconds.
    pub fn report_age_s(&self, now: Now) -> u64 {
        now.mono_ms().saturating_sub(self.save.reported_mono_ms) / 1000
    }
}

/// Everything about snapshots that INFO tells and the rules need.
pub struct Snapshots {
    /// Changes since the last save; `exec::commit` adds to it.
    pub dirty: u64,
    /// Unix time of the last successful save, in milliseconds; of the start if there was none.
    pub last_save_ms: i64,
    last_save_mono_ms: u64,
    pub last_status: SaveStatus,
    /// Why the last save, in the background or not, failed; none after a good one.
    pub last_error: Option<String>,
    /// How long the last background save took; -1: there was none.
    pub last_duration_s: i64,
    /// The same in milliseconds.
    pub last_duration_ms: i64,
    /// The last background save that ended, however it did.
    pub last_id: Option<SnapshotId>,
    /// Background saves that failed since the last good save.
    pub consecutive_failures: u64,
    pub background: Option<Background>,
    /// A background save is to be started when possible.
    pub scheduled: bool,
    /// Somebody waits for a background save that begins after the one at work. In contrast to one that is scheduled it
    /// is tried once, and told.
    pub wanted: bool,
    /// Background saves that were tried, this process's first being number 1.
    pub attempts: u64,
    /// The file that the last good save left, or that the dataset was loaded from.
    on_disk: Option<FileStamp>,
    /// A background save is due, and another instance holds `snapshot-lock`.
    pub waits_for_lock: bool,
    /// Copy-on-write memory of the last child that succeeded, in bytes.
    pub last_cow_bytes: u64,
    pub last_load_keys_loaded: u64,
    pub last_load_keys_expired: u64,
    /// Keys whose values cannot be held here (`rdb-skip-unknown`).
    pub last_load_keys_skipped: u64,
    /// The memory of the process title; `boot` takes it at the start, and the child shows its own title in
    /// it.
    pub process_title: Option<ProcessTitle>,
    /// The repair of the heap after the last save.
    pub repair: Repair,
    last_try_mono_ms: Option<u64>,
}

impl Snapshots {
    pub fn new(now: Now) -> Snapshots {
        Snapshots {
            dirty: 0,
            last_save_ms: now.unix_ms(),
            last_save_mono_ms: now.mono_ms(),
            last_status: SaveStatus::Ok,
            last_error: None,
            last_duration_s: -1,
            last_duration_ms: -1,
            last_id: None,
            consecutive_failures: 0,
            background: None,
            scheduled: false,
            wanted: false,
            attempts: 0,
            on_disk: None,
            waits_for_lock: false,
            last_cow_bytes: 0,
            last_load_keys_loaded: 0,
            last_load_keys_expired: 0,
            last_load_keys_skipped: 0,
            process_title: None,
            repair: Repair::default(),
            last_try_mono_ms: None,
        }
    }

    pub fn in_progress(&self) -> bool {
        self.background.is_some()
    }

    /// LASTSAVE.
    pub fn last_save_s(&self) -> i64 {
        self.last_save_ms.div_euclid(1000)
    }

    /// Keys that the child has done; 0 without one.
    pub fn keys_processed(&self) -> u64 {
        self.background.as_ref().map_or(0, |background| background.save.progress.keys)
    }

    /// Keys that the child has to do; 0 without one.
    pub fn keys_total(&self) -> u64 {
        self.background.as_ref().map_or(0, |background| background.keys_total)
    }

    /// Copy-on-write memory of the child; zeros without one.
    pub fn current_cow(&self) -> CowBytes {
        self.background.as_ref().map_or(CowBytes::default(), |background| background.save.cow)
    }

    /// What should be started now, if anything.
    pub fn due(&self, rules: &[SaveRule], now: Now) -> Option<Due> {
        let seconds_since = |mono_ms: u64| now.mono_ms().saturating_sub(mono_ms) / 1000;
        let may_try = self.last_status == SaveStatus::Ok
            || self.last_try_mono_ms.is_none_or(|mono_ms| seconds_since(mono_ms) > RETRY_AFTER_S);
        if self.in_progress() {
            return None;
        }
        if self.wanted {
            // As by hand: whoever asked waits for the answer.
            return Some(Due::Scheduled);
        }
        if !may_try {
            return None;
        }
        let since_save_s = seconds_since(self.last_save_mono_ms);
        let is_due = |rule: &&SaveRule| self.dirty >= rule.changes && since_save_s > rule.seconds;
        match rules.iter().find(is_due) {
            Some(rule) => Some(Due::Rule(*rule)),
            None => self.scheduled.then_some(Due::Scheduled),
        }
    }

    /// A background save is being tried.
    pub fn trying(&mut self, now: Now) {
        self.last_try_mono_ms = Some(now.mono_ms());
        self.attempts += 1;
        self.wanted = false;
    }

    pub fn started(&mut self, save: RunningSave, purpose: Purpose, keys_total: u64, now: Now) {
        self.scheduled = false;
        self.background = Some(Background {
            save,
            started_mono_ms: now.mono_ms(),
            keys_total,
            purpose,
            dirty_at_start: self.dirty,
            replaced: Replaced::No,
        });
    }

    /// The dataset was replaced by another one, which no counter has noticed.
    pub fn dataset_replaced(&mut self) {
        self.on_disk = None;
        self.background.iter_mut().for_each(|background| background.replaced = Replaced::Yes);
    }

    /// The dataset is what this file holds.
    pub fn same_as_file(&mut self, stamp: Option<FileStamp>) {
        self.on_disk = stamp;
    }

    /// Whether the file at `target` is the one that holds everything: saving once more would bring nothing.
    pub fn is_saved_in(&self, target: &Path) -> bool {
        self.dirty == 0
            && self.last_status == SaveStatus::Ok
            && self.on_disk.is_some()
            && self.on_disk == FileStamp::of(target)
    }

    /// The child at work, when the file that it makes at `target` will hold everything that there is now.
    pub fn child_up_to_date(&mut self, target: &Path) -> Option<&mut Background> {
        let dirty = self.dirty;
        self.background.as_mut().filter(|background| {
            background.dirty_at_start == dirty
                && background.replaced == Replaced::No
                && !background.save.is_cancelled()
                && background.save.paths.target_path() == target
        })
    }

    /// The child saved everything up to its fork.
    pub fn background_succeeded(&mut self, background: &Background, now: Now) {
        self.background_ended(background, now);
        self.dirty = self.dirty.saturating_sub(background.dirty_at_start);
        self.last_cow_bytes = background.save.cow.current;
        let written = FileStamp::of(background.save.paths.target_path());
        self.on_disk = written.filter(|written| {
            // Of another length it is not what the child has written: somebody was quicker than this look.
            background.replaced == Replaced::No && written.bytes == background.save.progress.bytes
        });
        self.succeeded(now);
    }

    pub fn background_cancelled(&mut self, background: &Background, now: Now) {
        self.background_ended(background, now);
    }

    pub fn background_failed(&mut self, background: &Background, error: &SnapshotError, now: Now) {
        self.background_ended(background, now);
        self.could_not(error);
    }

    fn background_ended(&mut self, background: &Background, now: Now) {
        self.last_duration_s = background.seconds(now);
        self.last_duration_ms = background.milliseconds(now);
        self.last_id = Some(background.save.paths.id());
    }

    /// A background save failed or could not even be started: from now on MISCONF may refuse writes.
    pub fn could_not(&mut self, error: &SnapshotError) {
        self.last_status = SaveStatus::Err;
        self.last_error = Some(error.to_string());
        self.consecutive_failures += 1;
    }

    /// A save in the foreground failed. As in Redis this does not refuse writes: whoever asked has been told.
    pub fn foreground_failed(&mut self, error: &SnapshotError) {
        self.last_error = Some(error.to_string());
    }

    /// A save in the foreground succeeded: everything is in the file.
    pub fn foreground_succeeded(&mut self, file: Option<FileStamp>, now: Now) {
        self.dirty = 0;
        self.on_disk = file;
        self.succeeded(now);
    }

    fn succeeded(&mut self, now: Now) {
        self.last_save_ms = now.unix_ms();
        self.last_save_mono_ms = now.mono_ms();
        self.last_status = SaveStatus::Ok;
        self.last_error = None;
        self.consecutive_failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Operation;
    use super::*;
    use nix::errno::Errno;

    const RULES: &[SaveRule] =
        &[SaveRule { seconds: 60, changes: 10 }, SaveRule { seconds: 10, changes: 100 }];
    const START: Now = Now { unix_us: 1_700_000_000_000_000, mono_ns: 7_000_000_000 };

    fn after_s(seconds: u64) -> Now {
        START.later_by_ms(seconds * 1000)
    }

    #[test]
    fn a_rule_needs_its_changes_and_more_than_its_seconds() {
        let mut snapshots = Snapshots::new(START);
        snapshots.dirty = 99;
        assert_eq!(snapshots.due(RULES, after_s(60)), None);
        assert_eq!(snapshots.due(RULES, after_s(61)), Some(Due::Rule(RULES[0])));
        snapshots.dirty = 100;
        assert_eq!(snapshots.due(RULES, after_s(10)), None);
        assert_eq!(snapshots.due(RULES, after_s(11)), Some(Due::Rule(RULES[1])));
        assert_eq!(snapshots.due(&[], after_s(11)), None);
        snapshots.foreground_succeeded(None, after_s(11));
        assert_eq!((snapshots.dirty, snapshots.due(RULES, after_s(1000))), (0, None));
    }

    #[test]
    fn a_clock_that_was_set_makes_nothing_due_and_holds_nothing_back() {
        for set_by_s in [-86_400, 86_400] {
            let set = |now: Now| Now { unix_us: now.unix_us + set_by_s * 1_000_000, ..now };
            let mut snapshots = Snapshots::new(START);
            snapshots.dirty = 1000;
            assert_eq!(snapshots.due(RULES, set(after_s(10))), None);
            assert_eq!(snapshots.due(RULES, set(after_s(11))), Some(Due::Rule(RULES[1])));
            snapshots.trying(after_s(11));
            snapshots.could_not(&SnapshotError::errno(Operation::Fork, Path::new(""), Errno::ENOMEM));
            assert_eq!(snapshots.due(RULES, set(after_s(16))), None);
            assert_eq!(snapshots.due(RULES, set(after_s(17))), Some(Due::Rule(RULES[1])));
            snapshots.foreground_succeeded(None, set(after_s(17)));
            assert_eq!(snapshots.last_save_ms, set(after_s(17)).unix_ms());
        }
    }

    #[test]
    fn after_a_failure_it_waits_before_it_tries_again() {
        let mut snapshots = Snapshots::new(START);
        snapshots.dirty = 100;
        snapshots.trying(after_s(20));
        snapshots.could_not(&SnapshotError::errno(Operation::Fork, Path::new(""), Errno::ENOMEM));
        assert_eq!(snapshots.last_error.as_deref(), Some("fork: Cannot allocate memory"));
        assert_eq!(snapshots.due(RULES, after_s(25)), None);
        assert_eq!(snapshots.due(RULES, after_s(26)), Some(Due::Rule(RULES[1])));
        snapshots.scheduled = true;
        assert_eq!(snapshots.due(&[], after_s(25)), None);
        assert_eq!(snapshots.due(&[], after_s(26)), Some(Due::Scheduled));
        snapshots.foreground_succeeded(None, after_s(27));
        assert_eq!((snapshots.last_status, snapshots.last_error.is_none()), (SaveStatus::Ok, true));
    }

    #[test]
    fn a_save_that_somebody_waits_for_is_tried_at_once_and_once() {
        let mut snapshots = Snapshots::new(START);
        snapshots.trying(after_s(20));
        snapshots.could_not(&SnapshotError::errno(Operation::Fork, Path::new(""), Errno::ENOMEM));
        snapshots.wanted = true;
        assert_eq!(snapshots.due(&[], after_s(20)), Some(Due::Scheduled));
        snapshots.trying(after_s(20));
        assert_eq!((snapshots.due(&[], after_s(100)), snapshots.attempts), (None, 2));
    }

    #[test]
    fn a_file_holds_everything_until_something_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dump.rdb");
        let mut snapshots = Snapshots::new(START);
        assert!(!snapshots.is_saved_in(&path), "there is none");
        std::fs::write(&path, b"x").unwrap();
        assert!(!snapshots.is_saved_in(&path), "it is somebody else's");
        snapshots.foreground_succeeded(FileStamp::of(&path), START);
        assert!(snapshots.is_saved_in(&path));
        snapshots.dirty = 1;
        assert!(!snapshots.is_saved_in(&path));
        snapshots.dirty = 0;
        snapshots.could_not(&SnapshotError::errno(Operation::Fork, Path::new(""), Errno::ENOMEM));
        assert!(!snapshots.is_saved_in(&path), "the last save failed");
        snapshots.foreground_succeeded(FileStamp::of(&path), START);
        std::fs::write(&path, b"xy").unwrap();
        assert!(!snapshots.is_saved_in(&path), "it was changed");
        snapshots.foreground_succeeded(FileStamp::of(&path), START);
        snapshots.dataset_replaced();
        assert!(!snapshots.is_saved_in(&path));
        snapshots.foreground_succeeded(FileStamp::of(&path), START);
        std::fs::remove_file(&path).unwrap();
        assert!(!snapshots.is_saved_in(&path), "it is gone");
    }
}
