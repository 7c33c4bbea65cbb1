//! The history of snapshots as the server keeps it: what a save keeps of the old file, what is entered after it, and
//! what the SNAPSHOT commands do.
//!
//! ```text
//!  BGSAVE   plan_history ── fork ── link, rename (child) ── note_background_save ─▶ thread: catalogue, pruning
//!  SAVE     plan_history ── link, rename ── note_foreground_save ── waits for the same
//! ```
//! The thread does what is asked for in order, so whoever asks after a save sees it. Its results come back to the
//! loop (`deferred`). Files: `persist::history`.

use super::deferred::Later;
use super::server::Server;
use crate::base::bio::{Bio, Job};
use crate::keyspace::Keyspace;
use crate::persist::catalog::{Kept, Line};
use crate::persist::child::{RunningSave, SavedFile};
use crate::persist::disk::{Calls, KeepOld, PageCache, SavePaths, System, WithoutLinks, put_in_place};
use crate::persist::error::error_text;
use crate::persist::history::examine::{self, Damage, Examined};
use crate::persist::history::{self, Editing, Entered, HistoryError, Place, State, Totals};
use crate::persist::image::{ImageProgress, save_image};
use crate::persist::load::{Duplicates, LoadError, Loading};
use crate::persist::stamp::FileStamp;
use crate::persist::{SnapshotError, SnapshotId};
use crate::script::Libraries;
use std::fmt;
use std::sync::mpsc::sync_channel;

/// A flushed file of fewer bytes is looked into: it may hold no key.
const SMALL_BYTES: u64 = 64 << 10;
/// So many snapshots are verified at a time.
const VERIFICATIONS_MAX: usize = 4;

/// What a save replaces the current file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The dataset goes on.
    Save,
    /// FLUSHALL: the file that goes may be the last that holds anything.
    Flush,
}

/// The history, as far as it is in memory.
#[derive(Default)]
pub struct History {
    pub totals: Totals,
    /// Why something of the history could not be done, last time; none when all went well.
    pub last_error: Option<String>,
    thread: Option<Bio>,
    /// The current file, as it was found or entered last, and where.
    current: Option<(Place, Line)>,
    /// Of the save that is under way.
    plan: Option<Plan>,
    verifications: usize,
    /// This start goes on from another file than it should.
    pub(super) has_fallen_back: bool,
}

/// What is known of a save before it has succeeded.
struct Plan {
    place: Place,
    line: Line,
    replaced: Option<Line>,
    started_mono_ms: u64,
}

/// A file that has been saved.
pub(super) struct Saved {
    pub progress: ImageProgress,
    pub file: SavedFile,
    /// None when it was saved without.
    pub fork_us: Option<u64>,
}

/// What the thread has done.
struct Done {
    state: State,
    removed: Vec<String>,
}

/// Why a SNAPSHOT command failed.
#[derive(Debug)]
pub enum SnapshotFailure {
    History(HistoryError),
    Damaged {
        id: SnapshotId,
        file: String,
        damage: Damage,
    },
    /// The dataset of now could not be saved before it was to be replaced.
    Save(SnapshotError),
    Load(LoadError),
    Place(SnapshotError),
    Busy,
    /// The thread is not there.
    Thread,
}

impl fmt::Display for SnapshotFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotFailure::History(error) => error.fmt(f),
            SnapshotFailure::Damaged { id, file, damage } => {
                write!(f, "Snapshot {id} ({file}) is damaged: {damage}")
            }
            SnapshotFailure::Save(error) => write!(f, "The current dataset could not be saved: {error}"),
            SnapshotFailure::Load(error) => write!(f, "The snapshot could not be loaded: {error}"),
            SnapshotFailure::Place(error) => {
                write!(f, "The snapshot could not become the current file: {error}")
            }
            SnapshotFailure::Busy => f.write_str("Too many snapshots are being verified, try again later"),
            SnapshotFailure::Thread => f.write_str("The helper thread could not be started"),
        }
    }
}

impl std::error::Error for SnapshotFailure {}

impl From<HistoryError> for SnapshotFailure {
    fn from(error: HistoryError) -> Self {
        SnapshotFailure::History(error)
    }
}

impl History {
    /// The child that is to carry out the plan has been forked.
    pub(super) fn forked(&mut self, fork_us: u64) {
        self.plan.iter_mut().for_each(|plan| plan.line.fork_us = Some(fork_us));
    }
}

impl Server {
    pub(super) fn place(&self) -> Place {
        Place::new(&self.config.dir, &self.config.dbfilename)
    }

    /// Looks at what is there; at start.
    pub(super) fn find_history(&mut self) {
        let place = self.place();
        let nonce = self.keyspace.rng.u64(..);
        // A file that nobody has a history of needs none before the first save.
        let is_new = |state: &State| state.lines.len() == state.current.iter().count();
        let found = match history::look(&place) {
            Ok(state) if is_new(&state) && state.faults.is_empty() => Ok(state),
            _ => history::edit(&mut System, &place, nonce, |_| ()).map(|((), state)| state),
        };
        self.take_history(&place, found.map(|state| Done { state, removed: Vec::new() }));
    }

    /// Decides what becomes of the file that a save into `paths` replaces.
    pub(super) fn plan_history(
        &mut self,
        paths: &mut SavePaths,
        occasion: Occasion,
        version: u16,
    ) -> Result<(), SnapshotError> {
        let place = self.place();
        let now = self.clock.now();
        let known = self.history.current.as_ref().filter(|(known, _)| *known == place).map(|(_, line)| line);
        let old = history::old(&place, known);
        let rule = self.config.snapshot_keep > 0;
        let saves_last =
            |line: &Line| occasion == Occasion::Flush && holds_anything(&place, line, now.unix_ms());
        let mut replaced = None;
        if let Some(old) = old {
            let is_last = saves_last(&old.line);
            let kept = match (is_last, old.line.kept) {
                (true, _) => Kept::Flushed,
                // It has a reason of its own to be there.
                (false, kept) if old.has_name => kept,
                (false, _) => Kept::ByRule,
            };
            if (rule || is_last) && !old.has_name {
                let without_links = if is_last { WithoutLinks::MoveAway } else { WithoutLinks::LoseOld };
                paths.keep = Some(KeepOld::new(&place.path(&old.line.file), without_links)?);
            }
            let stays = rule || is_last || old.has_name;
            replaced = stays.then_some(Line { kept, ..old.line });
        }
        let begun = Line::begun(paths.id(), now.unix_s(), version, Kept::ByRule);
        let line = Line { file: place.current.clone(), ..begun };
        self.history.plan = Some(Plan { place, line, replaced, started_mono_ms: now.mono_ms() });
        Ok(())
    }

    /// A child has saved what was planned.
    pub(super) fn note_background_save(&mut self, save: &RunningSave, pace: Pace) {
        let Some(file) = save.saved_file() else { return };
        let fork_us = self.history.plan.as_ref().and_then(|plan| plan.line.fork_us);
        let saved = Saved { progress: save.progress, file, fork_us };
        if pace == Pace::Now {
            return self.note_foreground_save(System, saved);
        }
        let Some((place, entered)) = self.entered(&saved) else { return };
        let nonce = self.keyspace.rng.u64(..);
        let later = self.later();
        self.on_history_thread(move || {
            let done = enter(&mut System, &place, nonce, &entered);
            later.hand_over(move |server| server.take_history(&place, done));
        });
    }

    /// The server itself has saved what was planned. Waits until it is entered.
    pub(super) fn note_foreground_save<C: Calls + 'static>(&mut self, mut calls: C, saved: Saved) {
        let Some((place, entered)) = self.entered(&saved) else { return };
        let nonce = self.keyspace.rng.u64(..);
        let at = place.clone();
        if let Some(done) = self.ask_history_thread(move || enter(&mut calls, &at, nonce, &entered)) {
            self.take_history(&place, done);
        }
    }

    /// What was planned has failed, if anything was. A child that was killed may have got as far as replacing the file.
    pub(super) fn history_plan_failed(&mut self) {
        let Some(Plan { place, replaced, .. }) = self.history.plan.take() else { return };
        let stamp = FileStamp::of(&place.current_path());
        let is_known = |known: &(Place, Line)| known.0 == place && stamp.is_some_and(|it| known.1.is_of(&it));
        if stamp.is_none() || self.history.current.as_ref().is_some_and(is_known) {
            return;
        }
        self.history.current = None;
        self.settle_history(replaced);
    }

    /// Removes what is beyond `snapshot-keep`, when the current file is known to be whole. `replaced` is what the save
    /// that got this far knew of the file before it, and why that is to stay.
    fn settle_history(&mut self, replaced: Option<Line>) {
        let keep = self.snapshots_kept_max();
        let change = move |editing: &mut Editing<'_, System>| {
            replaced.iter().for_each(|line| editing.describe(line));
            editing.settle(keep)
        };
        self.edit_history(Pace::Later, change, |server, edited| {
            let removed = edited.map(|(removed, _)| removed);
            server.say_removed(&removed.unwrap_or_default());
        });
    }

    /// The current file has been loaded. A save that a crash interrupted may have left one snapshot too many. What a
    /// start without history finds stays until the next save.
    pub(super) fn history_loaded(&mut self) {
        let flushed = self.flushed_before_crash();
        let keep = self.snapshots_kept_max();
        let is_beyond = keep > 0 && self.history.totals.kept > keep as u64;
        match flushed {
            _ if is_beyond => self.settle_history(flushed),
            Some(line) => {
                let change = move |editing: &mut Editing<'_, System>| editing.describe(&line);
                self.edit_history(Pace::Later, change, |_, _| ());
            }
            None => {}
        }
    }

    /// What a FLUSHALL has kept that ended with the server before it was entered: the current file, of which nothing is
    /// known, holds nothing, and the one before it has no reason of its own to stay.
    fn flushed_before_crash(&self) -> Option<Line> {
        let is_entered = self.history.current.as_ref().is_none_or(|(_, line)| line.keys.is_some());
        if is_entered || self.history.totals.kept == 0 || self.keyspace.dbs().any(|(_, db)| !db.is_empty()) {
            return None;
        }
        let state = history::look(&self.place()).ok()?;
        let last = (0..state.lines.len()).rev().find(|index| Some(*index) != state.current)?;
        let line = &state.lines[last];
        let had_none = !matches!(line.kept, Kept::Flushed | Kept::Replaced) && line.keys != Some(0);
        had_none.then(|| Line { kept: Kept::Flushed, ..line.clone() })
    }

    fn snapshots_kept_max(&self) -> usize {
        usize::try_from(self.config.snapshot_keep).unwrap_or(usize::MAX)
    }

    fn say_removed(&self, removed: &[String]) {
        for file in removed {
            tracing::info!("Removed the snapshot {file}: snapshot-keep is {}", self.config.snapshot_keep);
        }
    }

    fn entered(&mut self, saved: &Saved) -> Option<(Place, Entered)> {
        let Plan { place, line, replaced, started_mono_ms } = self.history.plan.take()?;
        let duration_ms = self.clock.now().mono_ms().saturating_sub(started_mono_ms);
        self.history.last_error = None;
        let mut replaced = replaced;
        if let (Some(errno), Some(old)) =
            (saved.file.unkept, replaced.take_if(|_| saved.file.unkept.is_some()))
        {
            let (from, to) = (place.current_path(), place.path(&old.file));
            self.history_failed(format!(
                "keep {} as {}: {}; it is lost",
                from.display(),
                to.display(),
                error_text(errno)
            ));
        }
        let stamp = FileStamp::of(&place.current_path());
        let line = Line {
            bytes: saved.progress.bytes,
            modified_ns: stamp.map_or(0, |stamp| stamp.modified_ns),
            keys: Some(saved.progress.keys),
            duration_ms: Some(duration_ms),
            fork_us: saved.fork_us,
            crc64_xz: Some(saved.file.crc64_xz),
            ..line
        };
        self.history.current = Some((place.clone(), line.clone()));
        let keep = self.snapshots_kept_max();
        Some((place, Entered { line, replaced, keep }))
    }

    fn history_failed(&mut self, reason: String) {
        tracing::warn!("Snapshot history: {reason}");
        self.history.last_error = Some(reason);
    }

    fn take_history(&mut self, place: &Place, done: Result<Done, HistoryError>) {
        let Done { state, removed } = match done {
            Ok(done) => done,
            Err(error) => return self.history_failed(error.to_string()),
        };
        self.say_removed(&removed);
        for fault in &state.faults {
            self.history_failed(format!("{}: {fault}", place.path(&place.catalog()).display()));
        }
        self.history.totals = state.totals();
        if let Some(line) = state.current_line()
            && self.history.current.is_none()
        {
            self.history.current = Some((place.clone(), line.clone()));
        }
    }

    // ----- the thread -----

    fn on_history_thread(&mut self, work: impl FnOnce() + Send + 'static) {
        let history = &mut self.history;
        if history.thread.is_none() {
            match Bio::start("bio_history") {
                Ok(thread) => history.thread = Some(thread),
                Err(error) => tracing::warn!("Can't start the thread for the history: {error}"),
            }
        }
        match &history.thread {
            Some(thread) => thread.submit(Job::Run(Box::new(work))),
            None => work(),
        }
    }

    /// Has something done on the thread and waits for it; it takes milliseconds.
    fn ask_history_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = sync_channel(1);
        self.on_history_thread(move || drop(sender.send(work())));
        receiver.recv().ok()
    }

    /// Has the history looked at, or changed, on the thread, and `finish` told on the loop. With `Pace::Now` all is
    /// done when this returns.
    pub fn edit_history<T: Send + 'static>(
        &mut self,
        pace: Pace,
        change: impl FnOnce(&mut Editing<'_, System>) -> T + Send + 'static,
        finish: impl FnOnce(&mut Server, Result<(T, State), SnapshotFailure>) + Send + 'static,
    ) {
        self.edit_history_by(System, pace, change, finish);
    }

    /// As `edit_history`, by other system calls.
    fn edit_history_by<C: Calls + 'static, T: Send + 'static>(
        &mut self,
        mut calls: C,
        pace: Pace,
        change: impl FnOnce(&mut Editing<'_, C>) -> T + Send + 'static,
        finish: impl FnOnce(&mut Server, Result<(T, State), SnapshotFailure>) + Send + 'static,
    ) {
        let place = self.place();
        let nonce = self.keyspace.rng.u64(..);
        let at = place.clone();
        let work = move || history::edit(&mut calls, &at, nonce, change);
        let finish = move |server: &mut Server, edited: Result<(T, State), HistoryError>| {
            if let Ok((_, state)) = &edited {
                server.take_history(&place, Ok(Done { state: state.clone(), removed: Vec::new() }));
            }
            finish(server, edited.map_err(SnapshotFailure::History));
        };
        match pace {
            Pace::Later => {
                let later = self.later();
                self.on_history_thread(move || {
                    let edited = work();
                    later.hand_over(move |server| finish(server, edited));
                });
            }
            Pace::Now => {
                if let Some(edited) = self.ask_history_thread(work) {
                    finish(self, edited);
                }
            }
        }
    }

    // ----- verifying and restoring -----

    /// Reads a snapshot's file to its end on a thread of its own, and tells `finish` on the loop.
    pub fn verify_snapshot(
        &mut self,
        id: SnapshotId,
        finish: impl FnOnce(&mut Server, Result<Line, SnapshotFailure>) + Send + 'static,
    ) {
        let (place, later) = (self.place(), self.later());
        if self.history.verifications >= VERIFICATIONS_MAX {
            // Not at once: whoever asks may still be about to wait.
            return later.hand_over(move |server| finish(server, Err(SnapshotFailure::Busy)));
        }
        self.history.verifications += 1;
        let now_ms = self.clock.now().unix_ms();
        let nonce = self.keyspace.rng.u64(..);
        let finish = move |server: &mut Server, verified: Result<Line, SnapshotFailure>| {
            server.history.verifications -= 1;
            finish(server, verified);
        };
        // By way of the history's thread, which may be entering that very snapshot.
        self.on_history_thread(move || {
            let work = move || verify(&place, id, now_ms, nonce);
            verify_on_thread(work, finish, later);
        });
    }

    /// SNAPSHOT RESTORE, once the file has been verified: saves the dataset into the history, loads the snapshot, makes
    /// it the current file and swaps the datasets. On `Err` the dataset and the current file are what they were.
    ///
    /// Blocks the loop as DEBUG RELOAD does.
    pub fn restore_snapshot(&mut self, line: &Line) -> Result<(), SnapshotFailure> {
        self.restore_snapshot_by(&mut System, line)
    }

    pub(super) fn restore_snapshot_by<C: Calls + 'static>(
        &mut self,
        calls: &mut C,
        line: &Line,
    ) -> Result<(), SnapshotFailure> {
        let place = self.place();
        let path = place.path(&line.file);
        let saved = self.save_into_history(calls, &place).map_err(SnapshotFailure::Save)?;
        let loaded = self.load_beside(&path).map_err(SnapshotFailure::Load)?;
        let is_current = FileStamp::of(&path)
            .zip(FileStamp::of(&place.current_path()))
            .is_some_and(|(one, other)| one.is_same_file(&other));
        if !is_current {
            self.make_current(calls, &place, line).map_err(SnapshotFailure::Place)?;
        }
        let Loaded { keyspace, libraries } = loaded;
        self.replace_dataset(keyspace);
        self.scripts.libraries.replace(libraries);
        self.history.current = Some((place, line.clone()));
        let file = FileStamp::of(&self.rdb_path());
        self.snapshots.foreground_succeeded(file, self.clock.now());
        if self.snapshots.last_load_keys_skipped > 0 {
            self.snapshots.dataset_replaced();
        }
        tracing::warn!(
            "DB restored from snapshot {} ({}); what it replaced is {} ({})",
            line.id,
            line.file,
            saved.id,
            saved.file
        );
        Ok(())
    }

    /// Saves the dataset under a name of the history. The current file stays.
    fn save_into_history<C: Calls + 'static>(
        &mut self,
        calls: &mut C,
        place: &Place,
    ) -> Result<Line, SnapshotError> {
        let started = self.clock.now();
        let version = self.save_version()?;
        let nonce = self.keyspace.rng.u64(..);
        let line = Line::begun(SnapshotId::of_nonce(nonce), started.unix_s(), version, Kept::Replaced);
        let line = history::with_free_name(place, line);
        let paths = SavePaths::new(&place.directory, &line.file, nonce)?;
        let options = self.image_options(version, PageCache::Release);
        let plan = (&options, &mut self.save_workspaces(None));
        let mut progress = ImageProgress::default();
        let mut report = |now| progress = now;
        let written =
            save_image(self.dataset(&self.scripts.libraries.codes()), calls, &paths, plan, &mut report);
        let written = written.map_err(|fault| paths.explain(fault))?;
        let line = Line {
            bytes: progress.bytes,
            modified_ns: FileStamp::of(paths.target_path()).map_or(0, |stamp| stamp.modified_ns),
            keys: Some(progress.keys),
            duration_ms: Some(self.clock.now().mono_ms().saturating_sub(started.mono_ms())),
            crc64_xz: Some(written.crc64_xz),
            ..line
        };
        let entered = line.clone();
        let change = move |editing: &mut Editing<'_, C>| editing.describe(&entered);
        self.edit_history_by(calls.twin(), Pace::Now, change, |_, _| ());
        Ok(line)
    }

    fn load_beside(&mut self, path: &std::path::Path) -> Result<Loaded, LoadError> {
        let now_ms = self.clock.now().unix_ms();
        let mut loaded = self.keyspace.empty_twin(now_ms);
        let options = self.load_options(Duplicates::Refuse);
        let gone = || LoadError::Open { path: path.into(), error: std::io::ErrorKind::NotFound.into() };
        let mut loading = Loading::open(path, options, now_ms)?.ok_or_else(gone)?;
        loading.run(&mut loaded, now_ms)?;
        let libraries = self.libraries_of(&loading)?;
        self.note_load(&loading);
        Ok(Loaded { keyspace: loaded, libraries })
    }

    /// Gives a snapshot of the history the name of the current file. The file that has it now is kept as in a save.
    fn make_current<C: Calls + 'static>(
        &mut self,
        calls: &mut C,
        place: &Place,
        line: &Line,
    ) -> Result<(), SnapshotError> {
        let mut paths = SavePaths::new(&place.directory, &place.current, self.keyspace.rng.u64(..))?;
        self.plan_history(&mut paths, Occasion::Save, line.rdb_version.unwrap_or(0))?;
        let replaced = self.history.plan.take().and_then(|plan| plan.replaced);
        let unkept = put_in_place(calls, &paths, &place.path(&line.file))?;
        if let Some(errno) = unkept {
            self.history_failed(format!("keep {}: {}", paths.target_path().display(), error_text(errno)));
        }
        self.edit_history_by(
            calls.twin(),
            Pace::Now,
            move |editing| replaced.iter().for_each(|line| editing.describe(line)),
            |_, _| (),
        );
        Ok(())
    }
}

/// A dataset that is nobody's yet.
struct Loaded {
    keyspace: Keyspace,
    libraries: Libraries,
}

/// Whether whoever asks waits for the answer on the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Now,
    Later,
}

fn enter<C: Calls>(
    calls: &mut C,
    place: &Place,
    nonce: u64,
    entered: &Entered,
) -> Result<Done, HistoryError> {
    let (removed, state) = history::edit(calls, place, nonce, |editing| editing.enter(entered))?;
    Ok(Done { state, removed })
}

/// Whether a file that FLUSHALL replaces is worth keeping.
fn holds_anything(place: &Place, line: &Line, now_ms: i64) -> bool {
    match line.keys {
        Some(keys) => keys > 0,
        // One that cannot be read may still be saved by somebody.
        None if line.bytes < SMALL_BYTES => {
            examine::examine(&place.current_path(), now_ms).map_or(true, |examined| examined.keys > 0)
        }
        None => true,
    }
}

type Verified = Result<Line, SnapshotFailure>;

fn verify_on_thread(
    work: impl FnOnce() -> Verified + Send + 'static,
    finish: impl FnOnce(&mut Server, Verified) + Send + 'static,
    later: Later,
) {
    let tell = later.clone();
    // Shared, so that it is still there when no thread takes it.
    let finish = std::sync::Arc::new(std::sync::Mutex::new(Some(finish)));
    let take = |finish: &std::sync::Mutex<Option<_>>| finish.lock().ok().and_then(|mut finish| finish.take());
    let given = finish.clone();
    let spawned = std::thread::Builder::new().name("snap_verify".into()).spawn(move || {
        let verified = work();
        if let Some(finish) = take(&given) {
            tell.hand_over(move |server| finish(server, verified));
        }
    });
    if spawned.is_err()
        && let Some(finish) = take(&finish)
    {
        later.hand_over(move |server| finish(server, Err(SnapshotFailure::Thread)));
    }
}

/// Verifies a snapshot and enters what that has shown.
fn verify(place: &Place, id: SnapshotId, now_ms: i64, nonce: u64) -> Verified {
    let state = history::look(place)?;
    let line = state.lines[state.find(id)?].clone();
    let verified = examine::verify(&place.path(&line.file), &line, now_ms);
    let examined: Examined =
        verified.map_err(|damage| SnapshotFailure::Damaged { id, file: line.file.clone(), damage })?;
    let mut full = line.clone();
    examined.fill_in(&mut full);
    if full != line {
        // What cannot be written down now will be found out again.
        let _ = history::edit(&mut System, place, nonce, |editing| editing.describe(&full));
    }
    Ok(full)
}

#[cfg(test)]
mod tests;
