//! Snapshots as the server sees them: SAVE, BGSAVE, the rules, what a failed save forbids, and the end.
//!
//! This is where `persist` meets configuration, keyspace, statistics and log. Texts of the log are those of
//! Redis, which supervisors and scripts look for; the reason of a failure follows them.

use super::server::{REDIS_VERSION, Server};
use crate::base::proctitle::{ProcessTitle, TitleFields, expand_template};
use crate::base::{log, process};
use crate::config::choices::Choice;
use crate::config::{Config, OomScoreAdj};
use crate::keyspace::db::Sharing;
use crate::metrics::latency::is_spike;
use crate::persist::child::{self, Ending, Job};
use crate::persist::disk::{
    FilePolicy, FileSum, Incremental, PageCache, SavePaths, System, WriteRate, preflight, sweep_temp_files,
};
use crate::persist::error::{Operation, Reason, SnapshotError, error_text};
use crate::persist::image::{ImageOptions, KeyDelay, Workspaces, save_image};
use crate::persist::snapshot::{Background, Due, SaveStatus};
use crate::persist::threads::save_threads;
use crate::rdb::{Checksum, Compression, WriterOptions, version_within};
use nix::errno::Errno;
use std::path::Path;
use std::time::Duration;

/// What BGSAVE CANCEL found to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelledSave {
    Running,
    Scheduled,
}

const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to \
    persist to disk. Commands that may modify the data set are disabled, because this instance is configured \
    to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please \
    check the Redis logs for details about the RDB error.";

impl Server {
    /// SAVE: writes the file before it returns. Must not be called while a child saves.
    pub fn save_now(&mut self) -> Result<(), SnapshotError> {
        self.stats.rdb_saves += 1;
        self.save_in_foreground(PageCache::Release)
    }

    pub(super) fn save_in_foreground(&mut self, page_cache: PageCache) -> Result<(), SnapshotError> {
        let saved = self.write_snapshot(page_cache);
        match &saved {
            Ok(()) => {
                tracing::info!("DB saved on disk");
                self.snapshots.foreground_succeeded(self.clock.now().unix_ms());
            }
            Err(error) => {
                log_write_error(error, &self.config.dir);
                self.snapshots.foreground_failed(error);
            }
        }
        saved
    }

    fn write_snapshot(&mut self, page_cache: PageCache) -> Result<(), SnapshotError> {
        let paths = self.save_paths()?;
        let options = self.image_options(self.save_version()?, page_cache);
        let plan = (&options, &mut self.save_workspaces());
        let saved = save_image(&self.keyspace, &mut System, &paths, plan, &mut |_| {});
        saved.map(drop).map_err(|fault| paths.explain(fault))
    }

    /// BGSAVE: forks a child that writes the file. Must not be called while another one does.
    pub fn start_background_save(&mut self) -> Result<(), SnapshotError> {
        let now_ms = self.clock.now().unix_ms();
        self.stats.rdb_saves += 1;
        self.snapshots.trying(now_ms);
        let started = self.fork_background_save(now_ms);
        if let Err(error) = &started {
            tracing::warn!("Can't save in background: {error}");
            self.snapshots.could_not(error);
        }
        started
    }

    fn fork_background_save(&mut self, now_ms: i64) -> Result<(), SnapshotError> {
        let paths = self.save_paths()?;
        let version = self.save_version()?;
        let used_memory_bytes = self.used_memory_bytes() as u64;
        preflight(&paths, used_memory_bytes)?;
        self.snapshots.repair.stop();
        let mut options = self.image_options(version, PageCache::Release);
        options.file.rate = WriteRate::from_mbps(self.config.rdb_save_max_mbps);
        let workspaces = self.save_workspaces();
        let log = log::child_log().map_err(|error| {
            let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
            SnapshotError::errno(Operation::OpenLog, Path::new(&self.config.logfile), errno)
        })?;
        let title = child_title(&self.config);
        let job = Job {
            paths,
            options,
            workspaces,
            log,
            title: self.snapshots.process_title.as_mut().map(|memory: &mut ProcessTitle| (memory, title)),
            nice: i32::try_from(self.config.bgsave_nice).unwrap_or(0),
            oom_score_adj: child_oom_score_adj(&self.config),
        };
        let keys = self.keyspace.len() as u64;
        let (save, fork_us) = child::start(&self.keyspace, job, &self.clock)?;
        self.stats.record_fork(Duration::from_micros(fork_us), used_memory_bytes);
        if is_spike(fork_us / 1000, self.config.latency_monitor_threshold) {
            self.latency.add("fork", now_ms.div_euclid(1000), fork_us / 1000);
        }
        tracing::info!("Background saving started by pid {}", save.pid);
        self.snapshots.started(save, keys, now_ms);
        self.keyspace.set_sharing(Sharing::WithChild);
        Ok(())
    }

    fn save_paths(&mut self) -> Result<SavePaths, SnapshotError> {
        let nonce = self.keyspace.rng.u64(..);
        SavePaths::new(&self.config.dir, &self.config.dbfilename, nonce)
    }

    /// The lowest version of the format that holds the dataset, unless `rdb-save-version` forbids it.
    fn save_version(&self) -> Result<u16, SnapshotError> {
        let pinned = self.config.rdb_save_version;
        version_within(self.keyspace.rdb_version_needed(), pinned.limit()).map_err(|too_new| {
            let reason = format!("{too_new}, but rdb-save-version is {}", pinned.word());
            SnapshotError::text(Operation::Version, &self.rdb_path(), reason)
        })
    }

    fn save_workspaces(&self) -> Workspaces {
        Workspaces::for_threads(save_threads(self.config.rdb_save_threads as usize, self.used_memory_bytes()))
    }

    fn image_options(&self, version: u16, page_cache: PageCache) -> ImageOptions {
        let config = &self.config;
        ImageOptions {
            writer: WriterOptions {
                compression: if config.rdbcompression { Compression::Lzf } else { Compression::Off },
                checksum: if config.rdbchecksum { Checksum::On } else { Checksum::Off },
                version,
            },
            file: FilePolicy {
                incremental: if config.rdb_save_incremental_fsync {
                    Incremental::Yes
                } else {
                    Incremental::No
                },
                page_cache,
                rate: WriteRate::Unlimited,
                sum: FileSum::No,
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
        std::mem::take(&mut self.snapshots.scheduled).then_some(CancelledSave::Scheduled)
    }

    /// Looks after the child and the rules; called `hz` times a second.
    pub fn snapshots_cron(&mut self) {
        self.reap_background_save();
        if self.loading.is_some() {
            return;
        }
        let now_ms = self.clock.now().unix_ms();
        let Some(due) = self.snapshots.due(&self.config.save, now_ms) else { return };
        if let Due::Rule(rule) = due {
            tracing::info!("{} changes in {} seconds. Saving...", rule.changes, rule.seconds);
        }
        // The failure is logged and kept; the next tick that may tries again.
        let _ = self.start_background_save();
    }

    fn reap_background_save(&mut self) {
        let now_ms = self.clock.now().unix_ms();
        let Some(background) = &mut self.snapshots.background else { return };
        if let Some(ending) = background.save.poll(now_ms) {
            self.conclude_background_save(ending, now_ms);
        }
    }

    fn conclude_background_save(&mut self, ending: Ending, now_ms: i64) {
        let Some(background) = self.snapshots.background.take() else { return };
        match ending {
            Ending::Saved => {
                tracing::info!("Background saving terminated with success");
                self.snapshots.background_succeeded(&background, now_ms);
            }
            Ending::Cancelled => {
                tracing::warn!("Background saving cancelled");
                self.snapshots.background_cancelled(&background, now_ms);
            }
            Ending::Killed { signal, error } => {
                tracing::warn!("Background saving terminated by signal {signal}");
                self.snapshots.background_failed(&background, &error, now_ms);
            }
            Ending::Failed(error) => {
                log_write_error(&error, &self.config.dir);
                tracing::warn!("Background saving error");
                self.snapshots.background_failed(&background, &error, now_ms);
            }
        }
        self.stop_sharing(background);
    }

    fn stop_sharing(&mut self, background: Background) {
        drop(background);
        self.keyspace.set_sharing(Sharing::Alone);
        self.snapshots.repair.begin();
    }

    /// The error that writes get while snapshots are wanted and fail; `None` when they may go on.
    pub fn misconf(&self) -> Option<String> {
        let failing = self.snapshots.last_status == SaveStatus::Err;
        if !failing || !self.config.stop_writes_on_bgsave_error || self.config.save.is_empty() {
            return None;
        }
        Some(match &self.snapshots.last_error {
            Some(reason) => format!("{MISCONF} ({reason})"),
            None => MISCONF.into(),
        })
    }

    /// FLUSHALL: what the child saves is wanted no more. With save rules the empty dataset is saved at once, so
    /// that a restart does not bring the old one back; nor may a child that the signal has not reached yet, so its
    /// end is waited for.
    pub fn kill_child_for_flush(&mut self) {
        if self.config.save.is_empty() {
            self.cancel_running_save();
            return;
        }
        self.end_background_save();
        // FLUSHALL succeeds all the same; the failure is logged and stands in INFO.
        if self.save_in_foreground(PageCache::Release).is_ok() {
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
        let now_ms = self.clock.now().unix_ms();
        let Some(background) = &mut self.snapshots.background else { return };
        background.save.cancel();
        let ending = background.save.wait(now_ms);
        self.conclude_background_save(ending, now_ms);
    }

    /// Removes the temp files that a crash left where snapshots are written; at start.
    pub fn sweep_stale_snapshots(&self) {
        for path in sweep_temp_files(&self.config.dir) {
            tracing::info!("Removed {}, left by a save that did not finish", path.display());
        }
    }
}

/// A failed save in Redis's words, and in ours the path they leave out.
fn log_write_error(error: &SnapshotError, directory: &Path) {
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
    let host = config.bind.first().map_or("*", |bind| bind.address.as_str());
    let listen_addr = match (config.port, &config.unixsocket) {
        (0, Some(path)) => path.clone(),
        (port, _) => format!("{host}:{port}"),
    };
    let fields = TitleFields {
        title: "redis-rdb-bgsave",
        listen_addr: &listen_addr,
        port: config.port,
        unixsocket: config.unixsocket.as_deref().unwrap_or_default(),
        ..TitleFields::default()
    };
    expand_template(&config.proc_title_template, &fields).unwrap_or_else(|| fields.title.into())
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
