//! Snapshots as the server sees them: SAVE, BGSAVE, the rules, what a failed save forbids, and the end.
//!
//! This is where `persist` meets configuration, keyspace, statistics and log. Texts of the log are those of
//! Redis, which supervisors and scripts look for; the reason of a failure follows them.

use super::history::{Occasion, Pace, Saved};
use super::server::{REDIS_VERSION, Server};
use super::settings::listen_address;
use crate::base::clock::Now;
use crate::base::cpus::Cpus;
use crate::base::proctitle::{ProcessTitle, TitleFields, expand_template};
use crate::base::{cpus, log, process};
use crate::config::{Config, OomScoreAdj};
use crate::keyspace::db::Sharing;
use crate::metrics::latency::is_spike;
use crate::persist::child::{self, Ending, Job, Manners, SavedFile};
use crate::persist::disk::{
    Calls, FilePolicy, Incremental, PageCache, SavePaths, System, WriteRate, preflight, sweep_temp_files,
};
use crate::persist::error::{Operation, Reason, SnapshotError, error_text};
use crate::persist::image::{Dataset, ImageOptions, ImageProgress, KeyDelay, Workspaces, save_image};
use crate::persist::lock::SnapshotLock;
use crate::persist::snapshot::{Background, Due, Purpose, SaveStatus};
use crate::persist::stamp::FileStamp;
use crate::persist::threads::{BYTES_PER_THREAD_MIN, save_threads};
use crate::rdb::{Checksum, Compression, KeyTooNew, TooNew, VERSION_BASE, Version, WriterOptions};
use crate::spec::CommandError;
use nix::errno::Errno;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What BGSAVE CANCEL found to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelledSave {
    Running,
    Scheduled,
}

/// What became of the wish for a background save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackgroundStart {
    Started,
    /// Another instance holds `snapshot-lock`; the next tick tries again.
    WaitsForLock,
}

/// The lock that instances share, as far as this one is concerned.
enum Turn {
    /// Nobody else saves, or there is no lock.
    Ours(Option<SnapshotLock>),
    Others,
}

const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to \
    persist to disk. Commands that may modify the data set are disabled, because this instance is configured \
    to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please \
    check the Redis logs for details about the RDB error.";

/// The same for a script that may write and has said so by its first line.
const MISCONF_SCRIPT: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to \
    persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts.";

impl Server {
    /// SAVE: writes the file before it returns. Must not be called while a child saves.
    pub fn save_now(&mut self) -> Result<(), SnapshotError> {
        self.stats.rdb_saves += 1;
        self.save_in_foreground(&mut System, PageCache::Release, Occasion::Save)
    }

    pub(super) fn save_in_foreground<C: Calls + 'static>(
        &mut self,
        calls: &mut C,
        page_cache: PageCache,
        occasion: Occasion,
    ) -> Result<(), SnapshotError> {
        let saved = self.write_snapshot(calls, page_cache, occasion);
        match &saved {
            Ok(bytes) => {
                tracing::info!("DB saved on disk");
                let file = FileStamp::of(&self.rdb_path()).filter(|file| file.bytes == *bytes);
                self.snapshots.foreground_succeeded(file, self.clock.now());
            }
            Err(error) => {
                log_write_error(error, &self.config.dir);
                self.snapshots.foreground_failed(error);
                self.history_plan_failed();
            }
        }
        saved.map(drop)
    }

    /// Returns the length of the file.
    fn write_snapshot<C: Calls + 'static>(
        &mut self,
        calls: &mut C,
        page_cache: PageCache,
        occasion: Occasion,
    ) -> Result<u64, SnapshotError> {
        let mut paths = self.save_paths()?;
        let version = self.save_version()?;
        self.plan_history(&mut paths, occasion, version)?;
        let options = self.image_options(version, page_cache);
        let plan = (&options, &mut self.save_workspaces(None));
        let mut progress = ImageProgress::default();
        let mut report = |now| progress = now;
        let written =
            save_image(self.dataset(&self.scripts.libraries.codes()), calls, &paths, plan, &mut report);
        let written = written.map_err(|fault| paths.explain(fault))?;
        let file = SavedFile { crc64_xz: written.crc64_xz, unkept: written.unkept };
        self.note_foreground_save(calls.twin(), Saved { progress, file, fork_us: None });
        Ok(progress.bytes)
    }

    /// BGSAVE: forks a child that writes the file. Must not be called while another one does. While another instance
    /// saves, it is scheduled.
    pub fn start_background_save(&mut self) -> Result<BackgroundStart, SnapshotError> {
        match self.snapshot_turn()? {
            Turn::Ours(lock) => self.start_in_turn(lock).map(|()| BackgroundStart::Started),
            Turn::Others => {
                self.snapshots.scheduled = true;
                Ok(BackgroundStart::WaitsForLock)
            }
        }
    }

    fn start_in_turn(&mut self, lock: Option<SnapshotLock>) -> Result<(), SnapshotError> {
        let now = self.clock.now();
        self.stats.rdb_saves += 1;
        self.snapshots.trying(now);
        let started = self.fork_save(Purpose::Background, lock, now);
        if let Err(error) = &started {
            self.could_not_start(error);
        }
        started
    }

    fn could_not_start(&mut self, error: &SnapshotError) {
        tracing::warn!("Can't save in background: {error}");
        self.snapshots.could_not(error);
        self.tell_save_ended(self.snapshots.attempts, &Err(reason(error)));
    }

    /// Takes `snapshot-lock`, if there is one; says once that it is taken. A lock that cannot be used is a save that
    /// failed.
    fn snapshot_turn(&mut self) -> Result<Turn, SnapshotError> {
        let path = Path::new(&self.config.snapshot_lock);
        if path.as_os_str().is_empty() {
            self.snapshots.waits_for_lock = false;
            return Ok(Turn::Ours(None));
        }
        let taken = SnapshotLock::try_take(path);
        let lock = taken.inspect_err(|error| {
            self.snapshots.trying(self.clock.now());
            self.could_not_start(error);
        })?;
        let waited = std::mem::replace(&mut self.snapshots.waits_for_lock, lock.is_none());
        if lock.is_none() && !waited {
            tracing::info!("Background saving waits: another instance holds {}", self.config.snapshot_lock);
        }
        Ok(lock.map_or(Turn::Others, |lock| Turn::Ours(Some(lock))))
    }

    pub(super) fn fork_save(
        &mut self,
        purpose: Purpose,
        lock: Option<SnapshotLock>,
        now: Now,
    ) -> Result<(), SnapshotError> {
        let mut paths = self.save_paths()?;
        let version = self.save_version()?;
        let used_memory_bytes = self.used_memory_bytes() as u64;
        let (page_cache, manners, rate) = match purpose {
            Purpose::Background => {
                preflight(&paths, used_memory_bytes)?;
                let rate = WriteRate::from_mbps(self.config.rdb_save_max_mbps);
                (PageCache::Release, child_manners(&self.config), rate)
            }
            // Tried whatever the odds; everybody waits for it, and the next start will read it.
            Purpose::Final => (PageCache::Keep, Manners::default(), WriteRate::Unlimited),
        };
        self.plan_history(&mut paths, Occasion::Save, version)?;
        self.snapshots.repair.stop();
        let mut options = self.image_options(version, page_cache);
        options.file.rate = rate;
        let workspaces = self.save_workspaces(manners.cpus.as_ref());
        let log = log::child_log().map_err(|error| {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
            SnapshotError::errno(Operation::OpenLog, Path::new(&self.config.logfile), errno)
        })?;
        let title = child_title(&self.config);
        let codes = self.scripts.libraries.codes();
        let dataset = Dataset { keyspace: &self.keyspace, libraries: &codes };
        let job = Job {
            paths,
            options,
            workspaces,
            log,
            title: self.snapshots.process_title.as_mut().map(|memory: &mut ProcessTitle| (memory, title)),
            manners,
            oom_score_adj: child_oom_score_adj(&self.config),
            lock,
        };
        let keys = self.keyspace.len() as u64;
        let (save, fork_us) = child::start(dataset, job, &self.clock)?;
        self.stats.record_fork(Duration::from_micros(fork_us), used_memory_bytes);
        if is_spike(fork_us / 1000, self.config.latency_monitor_threshold) {
            self.latency.add("fork", now.unix_s(), fork_us / 1000);
        }
        self.history.forked(fork_us);
        tracing::info!("Background saving started by pid {}", save.pid);
        self.interrupts.child.store(save.pid, Ordering::SeqCst);
        self.snapshots.started(save, purpose, keys, now);
        self.keyspace.set_sharing(Sharing::WithChild);
        Ok(())
    }

    fn save_paths(&mut self) -> Result<SavePaths, SnapshotError> {
        let nonce = self.keyspace.rng.u64(..);
        SavePaths::new(&self.config.dir, &self.config.dbfilename, nonce)
    }

    /// The lowest version of the format that loses nothing of the dataset, or the one that `rdb-version` says.
    ///
    /// # Errors
    /// When that one cannot hold a key, or a library of functions. The counts tell whether there is such a key; then it
    /// is looked for.
    pub(super) fn save_version(&self) -> Result<u16, SnapshotError> {
        let Some(version) = self.config.rdb_version.pinned() else {
            return Ok(self.keyspace.rdb_version_needed());
        };
        if let Some(library) = self.scripts.libraries.iter().next().filter(|_| version < VERSION_BASE) {
            let name = String::from_utf8_lossy(&library.name);
            let held = Version::to_write(version);
            let reason = format!(
                "there are functions (library {name}), which {held} cannot hold (rdb-version {version})"
            );
            return Err(SnapshotError::text(Operation::Version, &self.rdb_path(), reason));
        }
        let is_held = |needed| TooNew::of(needed, version).is_none();
        let Some((db, key, needed)) = self.keyspace.key_beyond(&is_held) else { return Ok(version) };
        let what = TooNew::of(needed, version).expect("it is not held");
        let too_new = KeyTooNew { db: db as u64, key, what, version };
        let reason = format!("{too_new} (rdb-version {version})");
        Err(SnapshotError::text(Operation::Version, &self.rdb_path(), reason))
    }

    /// Everything, with the codes of the libraries.
    pub(super) fn dataset<'a>(&'a self, libraries: &'a [&'a [u8]]) -> Dataset<'a> {
        Dataset { keyspace: &self.keyspace, libraries }
    }

    pub(super) fn save_workspaces(&self, cpus: Option<&Cpus>) -> Workspaces {
        let configured = self.config.rdb_save_threads as usize;
        Workspaces::for_threads(save_threads(configured, self.used_memory_bytes(), cpus))
    }

    pub(super) fn image_options(&self, version: u16, page_cache: PageCache) -> ImageOptions {
        let config = &self.config;
        ImageOptions {
            writer: WriterOptions {
                compression: if config.rdbcompression { Compression::Lzf } else { Compression::Off },
                checksum: if config.rdbchecksum { Checksum::On } else { Checksum::Off },
                version,
            },
            file: FilePolicy {
                incremental: match config.rdb_save_incremental_fsync {
                    true if self.used_memory_bytes() >= BYTES_PER_THREAD_MIN => Incremental::Beside,
                    true => Incremental::Yes,
                    false => Incremental::No,
                },
                page_cache,
                rate: WriteRate::Unlimited,
            },
            key_delay: KeyDelay(config.rdb_key_save_delay),
            now_ms: self.clock.now().unix_ms(),
            redis_version: REDIS_VERSION,
            used_memory_bytes: self.used_memory_bytes() as u64,
        }
    }

    /// BGSAVE CANCEL. `None` when there is nothing to cancel.
    pub fn cancel_background_save(&mut self) -> Option<CancelledSave> {
        if self.cancel_running_save() {
            return Some(CancelledSave::Running);
        }
        let snapshots = &mut self.snapshots;
        snapshots.waits_for_lock = false;
        let was_due = std::mem::take(&mut snapshots.scheduled) | std::mem::take(&mut snapshots.wanted);
        self.tell_save_ended(u64::MAX, &Err(CommandError::SaveCancelled));
        was_due.then_some(CancelledSave::Scheduled)
    }

    /// Looks after the child and the rules; called `hz` times a second.
    pub fn snapshots_cron(&mut self) {
        self.reap_background_save();
        if self.loading.is_some() {
            return;
        }
        let now = self.clock.now();
        if self.is_ending() {
            self.reassure_supervisor(now);
            return;
        }
        // What a script has done so far is no state to be saved.
        if self.is_busy() {
            return;
        }
        let Some(due) = self.snapshots.due(&self.config.save, now) else {
            self.snapshots.waits_for_lock = false;
            return;
        };
        self.start_due_save(due);
    }

    /// A failure is logged and kept; the next tick that may tries again.
    fn start_due_save(&mut self, due: Due) {
        if let Ok(Turn::Ours(lock)) = self.snapshot_turn() {
            if let Due::Rule(rule) = due {
                tracing::info!("{} changes in {} seconds. Saving...", rule.changes, rule.seconds);
            }
            let _ = self.start_in_turn(lock);
        }
    }

    fn reap_background_save(&mut self) {
        let now = self.clock.now();
        let Some(background) = &mut self.snapshots.background else { return };
        if let Some(ending) = background.save.poll(now.mono_ms()) {
            self.conclude_background_save(ending, now);
        } else if background.save.give_up_if_stuck(now.mono_ms(), self.config.child_timeout) {
            tracing::warn!("The child {} makes no progress. Killing it!", background.save.pid);
        }
    }

    fn conclude_background_save(&mut self, ending: Ending, now: Now) {
        let Some(background) = self.snapshots.background.take() else { return };
        self.interrupts.child.store(0, Ordering::SeqCst);
        if background.purpose == Purpose::Final && self.shutdown.is_some() {
            self.conclude_final_save(background, ending, now);
            return;
        }
        let outcome = match ending {
            Ending::Saved => {
                tracing::info!("Background saving terminated with success");
                self.snapshots.background_succeeded(&background, now);
                self.note_background_save(&background.save, Pace::Later);
                Ok(())
            }
            Ending::Cancelled => {
                tracing::warn!("Background saving cancelled");
                self.snapshots.background_cancelled(&background, now);
                Err(CommandError::SaveCancelled)
            }
            Ending::Killed { signal, error } => {
                tracing::warn!("Background saving terminated by signal {signal}");
                self.snapshots.background_failed(&background, &error, now);
                Err(reason(&error))
            }
            Ending::Failed(error) => {
                log_write_error(&error, &self.config.dir);
                tracing::warn!("Background saving error");
                self.snapshots.background_failed(&background, &error, now);
                Err(reason(&error))
            }
        };
        // Of a save that failed.
        self.history_plan_failed();
        self.stop_sharing(background);
        self.tell_save_ended(self.snapshots.attempts, &outcome);
    }

    pub(super) fn stop_sharing(&mut self, background: Background) {
        drop(background);
        self.keyspace.set_sharing(Sharing::Alone);
        self.snapshots.repair.begin();
    }

    /// The error that writes get while snapshots are wanted and fail; `None` when they may go on.
    pub fn misconf(&self) -> Option<String> {
        self.refusal_of_writes(MISCONF)
    }

    /// The same for scripts that write.
    pub fn misconf_for_scripts(&self) -> Option<String> {
        self.refusal_of_writes(MISCONF_SCRIPT)
    }

    fn refusal_of_writes(&self, text: &str) -> Option<String> {
        let failing = self.snapshots.last_status == SaveStatus::Err;
        if !failing || !self.config.stop_writes_on_bgsave_error || self.config.save.is_empty() {
            return None;
        }
        Some(match &self.snapshots.last_error {
            Some(reason) => format!("{text} ({reason})"),
            None => text.into(),
        })
    }

    /// FLUSHALL: what the child saves is wanted no more. With save rules the empty dataset is saved at once, so
    /// that a restart does not bring the old one back; nor may a child that the signal has not reached yet, so its
    /// end is waited for.
    pub fn kill_child_for_flush(&mut self) {
        self.flush_save_by(&mut System);
    }

    pub(super) fn flush_save_by<C: Calls + 'static>(&mut self, calls: &mut C) {
        if self.config.save.is_empty() {
            self.cancel_running_save();
            return;
        }
        self.end_background_save();
        // FLUSHALL succeeds all the same; the failure is logged and stands in INFO.
        if self.save_in_foreground(calls, PageCache::Release, Occasion::Flush).is_ok() {
            self.ledger.saved();
        }
    }

    /// Whether there was a child to cancel.
    fn cancel_running_save(&mut self) -> bool {
        let background = self.snapshots.background.as_mut();
        background.map(|background| background.save.cancel()).is_some()
    }

    /// Ends a child, if there is one, and waits for its end.
    pub(super) fn end_background_save(&mut self) {
        let now = self.clock.now();
        let Some(background) = &mut self.snapshots.background else { return };
        background.save.cancel();
        let ending = background.save.wait(now.mono_ms());
        self.conclude_background_save(ending, now);
    }

    /// Removes the temp files that a crash left where snapshots are written; at start.
    pub fn sweep_stale_snapshots(&self) {
        for path in sweep_temp_files(&self.config.dir, &self.config.dbfilename) {
            tracing::info!("Removed {}, left by a save that did not finish", path.display());
        }
    }
}

/// What those who wait for a save are told when it fails: the operation and its path, then the reason.
pub(super) fn reason(error: &SnapshotError) -> CommandError {
    CommandError::text(format!("ERR {error}"))
}

/// A failed save in Redis's words, and in ours the path they leave out.
pub(super) fn log_write_error(error: &SnapshotError, directory: &Path) {
    let reason = match &error.reason {
        Reason::Errno(errno) => error_text(*errno),
        Reason::Text(text) => text.clone(),
    };
    let (path, directory) = (error.path.display(), directory.display());
    match error.operation {
        Operation::Create => tracing::warn!(
            "Failed opening the temp RDB file {path} (in server root dir {directory}) for saving: {reason}"
        ),
        Operation::Rename => tracing::warn!(
            "Error moving temp DB file on the final destination {path} (in server root dir {directory}): \
             {reason}"
        ),
        Operation::Write | Operation::Sync | Operation::Close | Operation::SyncDirectory => {
            tracing::warn!("Write error while saving DB to the disk: {error}");
        }
        _ => tracing::warn!("Error saving DB: {error}"),
    }
}

/// What `ps` shows of the child: the name by which scripts look for it.
fn child_title(config: &Config) -> String {
    let listen_addr = listen_address(config);
    let fields = TitleFields {
        title: "redis-rdb-bgsave",
        listen_addr: &listen_addr,
        port: config.port,
        tls_port: config.tls_port,
        unixsocket: config.unixsocket.as_deref().unwrap_or_default(),
        ..TitleFields::default()
    };
    expand_template(&config.proc_title_template, &fields).unwrap_or_else(|| fields.title.into())
}

/// The list was checked when it was read.
fn child_manners(config: &Config) -> Manners {
    Manners {
        nice: i32::try_from(config.bgsave_nice).unwrap_or(0),
        io_priority: config.bgsave_ionice.priority(),
        cpus: cpus::parse(&config.bgsave_cpulist).ok().flatten(),
    }
}

/// The adjustment of the child's out-of-memory score: `relative` counts from what the process started with,
/// which is what it has now without the server's own share.
fn child_oom_score_adj(config: &Config) -> Option<i32> {
    let [own, _, child] = config.oom_score_adj_values;
    match config.oom_score_adj {
        OomScoreAdj::No => None,
        OomScoreAdj::Absolute => Some(child),
        OomScoreAdj::Yes | OomScoreAdj::Relative => Some(process::oom_score_adj()? - own + child),
    }
}

#[cfg(test)]
mod tests;
