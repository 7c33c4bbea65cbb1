//! The end of the server: the last save. What is left behind (pid file, sockets) is the concern of those who
//! made it.
//!
//! ```text
//!  asked ─┬─ nothing to be saved, or nothing changed since the last save ─────────────────────▶ exit
//!         ├─ a child saves what is there now: it is adopted ─┐
//!         └─ a child is forked for it ───────────────────────┴─▶ under way ─┬─ saved ─────────▶ exit
//!                (refused: saved inline, as Redis does)           │         └─ failed: FORCE ─▶ exit
//!                                                                 └─ ABORT, or failed ────────▶ goes on serving
//! ```
//! While it is under way the loop serves. Invariants:
//! 1. The dataset stands still: whatever writes is refused, nothing expires, nothing is evicted. So the file that the
//!    child makes is the dataset that the process ends with, and nobody was told OK for what is lost.
//! 2. Who asked by SHUTDOWN waits (`expecting`), and is answered only when the process does not end.

use super::history::{Occasion, Pace};
use super::server::{Server, Shutdown, ShutdownSave};
use super::snapshots::{log_write_error, reason};
use crate::base::clock::Now;
use crate::persist::child::Ending;
use crate::persist::disk::{PageCache, System};
use crate::persist::snapshot::{Background, Purpose};
use crate::persist::{Operation, SnapshotError};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// systemd is asked for more time, and told how far the save is, so often.
const REASSURE_INTERVAL_MS: u64 = 1000;
/// For so long it waits after each time: much more than there is between two.
const EXTENSION_US: u64 = 10_000_000;

/// A shutdown whose last save is at work.
#[derive(Clone, Copy, Debug)]
pub struct UnderWay {
    force: bool,
    child: ChildOf,
    reassured_mono_ms: Option<u64>,
}

/// Who made the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChildOf {
    Shutdown,
    /// It was a background save; should the shutdown be aborted, it is one again.
    Adopted,
}

/// What came of a request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The process ends now.
    Ended,
    /// It ends when the last save is done.
    Saving,
}

/// What the thread that hears signals shares with the loop.
#[derive(Debug, Default)]
pub struct Interrupts {
    /// A signal has asked for a shutdown that has not failed: one more SIGINT ends the process at once.
    pub asked: AtomicBool,
    /// The child that saves; 0 without one.
    pub child: AtomicI32,
}

impl Server {
    /// Whether the process is about to end, so that nothing may change any more.
    #[inline]
    pub fn is_ending(&self) -> bool {
        self.shutdown.is_some() || self.exit_code.is_some()
    }

    /// Whether keys must neither expire nor be evicted now.
    pub fn stands_still(&self, now_ms: i64) -> bool {
        self.is_ending() || self.pause.in_force(now_ms).is_some()
    }

    /// Has the main task end the process, at once or after the last save. On `Err` the server goes on.
    ///
    /// Texts of the log as in Redis: supervisors look for them.
    pub fn prepare_shutdown(&mut self, shutdown: Shutdown) -> Result<Begun, SnapshotError> {
        if self.shutdown.is_some() {
            return Ok(self.join_shutdown(shutdown));
        }
        tracing::warn!("User requested shutdown...");
        self.notify_supervisor("STOPPING=1");
        let begun = self.begin_end(shutdown);
        if let Err(error) = begun {
            return self.last_save_failed(&error, shutdown.force).map_err(|()| error);
        }
        begun
    }

    /// Another one is under way. Only a client that wants no save has something to add; and FORCE.
    fn join_shutdown(&mut self, shutdown: Shutdown) -> Begun {
        if shutdown.save == ShutdownSave::No && shutdown.client.is_some() {
            self.shutdown = None;
            self.kill_child_to_end();
            self.exit(0);
            return Begun::Ended;
        }
        self.shutdown.iter_mut().for_each(|under_way| under_way.force |= shutdown.force);
        Begun::Saving
    }

    fn begin_end(&mut self, shutdown: Shutdown) -> Result<Begun, SnapshotError> {
        let is_saved = shutdown.save == ShutdownSave::ByRules && self.snapshots.is_saved_in(&self.rdb_path());
        if !self.wants_final_save(shutdown.save) || is_saved {
            self.kill_child_to_end();
            if is_saved && self.wants_final_save(shutdown.save) {
                tracing::info!("Nothing changed since the last save: {} stays.", self.rdb_path().display());
            }
            self.exit(0);
            return Ok(Begun::Ended);
        }
        if self.adopt_child(shutdown.force) {
            return Ok(Begun::Saving);
        }
        self.kill_child_to_end();
        tracing::info!("Saving the final RDB snapshot before exiting.");
        self.start_final_save(shutdown.force)
    }

    /// While a file is being loaded, saving the part of it that is in would destroy it.
    fn wants_final_save(&self, save: ShutdownSave) -> bool {
        self.loading.is_none()
            && match save {
                ShutdownSave::Yes => true,
                ShutdownSave::No => false,
                ShutdownSave::ByRules => !self.config.save.is_empty(),
            }
    }

    fn kill_child_to_end(&mut self) {
        if self.snapshots.in_progress() {
            tracing::warn!("There is a child saving an .rdb. Killing it!");
            self.end_background_save();
        }
    }

    /// Whether the child at work saves just what there is to be saved.
    fn adopt_child(&mut self, force: bool) -> bool {
        let target = self.rdb_path();
        let Some(background) = self.snapshots.child_up_to_date(&target) else { return false };
        background.purpose = Purpose::Final;
        let pid = background.save.pid;
        tracing::info!(
            "Nothing changed since the child {pid} began to save: its file is the final RDB snapshot."
        );
        self.shutdown = Some(UnderWay { force, child: ChildOf::Adopted, reassured_mono_ms: None });
        true
    }

    fn start_final_save(&mut self, force: bool) -> Result<Begun, SnapshotError> {
        let now = self.clock.now();
        self.snapshots.trying(now);
        match self.fork_save(Purpose::Final, None, now) {
            Ok(()) => {
                self.shutdown = Some(UnderWay { force, child: ChildOf::Shutdown, reassured_mono_ms: None });
                Ok(Begun::Saving)
            }
            Err(error)
                if matches!(error.operation, Operation::Fork | Operation::Pipe | Operation::OpenLog) =>
            {
                tracing::warn!("Can't save in a child, so nobody is served meanwhile: {error}");
                self.save_in_foreground(&mut System, PageCache::Keep, Occasion::Save)?;
                self.exit(0);
                Ok(Begun::Ended)
            }
            Err(error) => {
                self.snapshots.foreground_failed(&error);
                self.history_plan_failed();
                Err(error)
            }
        }
    }

    /// The child of a shutdown has ended.
    pub(super) fn conclude_final_save(&mut self, background: Background, ending: Ending, now: Now) {
        let Some(under_way) = self.shutdown else { return };
        let error = match ending {
            Ending::Saved => {
                self.snapshots.background_succeeded(&background, now);
                self.note_background_save(&background.save, Pace::Now);
                // Whoever waits for a save has it.
                self.tell_save_ended(u64::MAX, &Ok(()));
                self.exit(0);
                return;
            }
            Ending::Cancelled => {
                let target = background.save.paths.target_path();
                SnapshotError::text(Operation::Child, target, "the child was told to stop")
            }
            Ending::Killed { signal, error } => {
                tracing::warn!("Background saving terminated by signal {signal}");
                error
            }
            Ending::Failed(error) => {
                log_write_error(&error, &self.config.dir);
                error
            }
        };
        match under_way.child {
            ChildOf::Adopted => self.snapshots.background_failed(&background, &error, now),
            // As a SAVE that failed: whoever asked is told, and writes go on.
            ChildOf::Shutdown => self.snapshots.foreground_failed(&error),
        }
        self.history_plan_failed();
        self.stop_sharing(background);
        self.tell_save_ended(u64::MAX, &Err(reason(&error)));
        // Who waits for the end is told by it.
        let _ = self.last_save_failed(&error, under_way.force);
    }

    /// Without FORCE the server stays: what it holds would be lost.
    fn last_save_failed(&mut self, error: &SnapshotError, force: bool) -> Result<Begun, ()> {
        if force {
            tracing::warn!("Error trying to save the DB. Exit anyway. ({error})");
            self.exit(0);
            return Ok(Begun::Ended);
        }
        tracing::warn!("Error trying to save the DB, can't exit. ({error})");
        self.stay();
        Err(())
    }

    /// SHUTDOWN ABORT. Whether there was a shutdown to abort.
    pub fn abort_shutdown(&mut self) -> bool {
        let Some(under_way) = self.shutdown else { return false };
        tracing::warn!("Shutdown manually aborted.");
        if let Some(background) = &mut self.snapshots.background {
            match under_way.child {
                ChildOf::Adopted => background.purpose = Purpose::Background,
                ChildOf::Shutdown => background.save.cancel(),
            }
        }
        self.stay();
        true
    }

    /// The process does not end.
    fn stay(&mut self) {
        self.shutdown = None;
        self.interrupts.asked.store(false, Ordering::SeqCst);
        self.tell_shutdown_failed();
        self.notify_supervisor("STATUS=Ready to accept connections\nREADY=1");
    }

    /// Asks systemd not to lose its patience while the child gets on; a child that hangs has a watchdog of its own.
    pub(super) fn reassure_supervisor(&mut self, now: Now) {
        let (Some(under_way), Some(background)) = (&mut self.shutdown, &self.snapshots.background) else {
            return;
        };
        let is_recent = |mono_ms: u64| now.mono_ms().saturating_sub(mono_ms) < REASSURE_INTERVAL_MS;
        if under_way.reassured_mono_ms.is_some_and(is_recent) {
            return;
        }
        under_way.reassured_mono_ms = Some(now.mono_ms());
        let percent = background.percent();
        self.notify_supervisor(&format!(
            "EXTEND_TIMEOUT_USEC={EXTENSION_US}\nSTATUS=Saving the final snapshot: {percent:.0} % of the keys"
        ));
    }
}
