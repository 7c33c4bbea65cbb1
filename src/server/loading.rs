//! The dataset at start, and DEBUG RELOAD.

use super::server::Server;
use crate::config::choices::Sanitize;
use crate::keyspace::Keyspace;
use crate::keyspace::ledger::Sweep;
use crate::object::Depth;
use crate::persist::SnapshotError;
use crate::persist::image::KeyDelay;
use crate::persist::load::{Budget, Duplicates, LoadError, LoadOptions, Loading, Step, Target};
use crate::persist::stamp::FileStamp;
use crate::rdb::{Checksum, Foreign};
use crate::script::functions::{Existing, Libraries, Patience};
use crate::spec::CommandError;
use std::fmt;
use std::path::PathBuf;

/// A step of a load holds the loop no longer, but for single large values.
const STEP_NS_MAX: u64 = 10_000_000;

/// What DEBUG RELOAD does before it loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadSave {
    Save,
    /// NOSAVE: the file is loaded as it is.
    NoSave,
}

/// What DEBUG RELOAD does with the keys that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadInto {
    /// They give way to those of the file.
    Empty,
    /// NOFLUSH: they stay; a key that is in the file, too, is an error.
    Existing,
    /// MERGE (with NOFLUSH): they stay, and the file's value wins.
    Merge,
    /// MERGE alone: they give way, and the file may hold a key twice.
    EmptyMerge,
}

/// Why DEBUG RELOAD failed. The dataset is what it was.
#[derive(Debug)]
pub enum ReloadError {
    Save(SnapshotError),
    Load(LoadError),
    /// DEBUG RELOAD NOFLUSH: so many keys of the file are in the dataset already.
    Present(usize),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReloadError::Save(error) => error.fmt(f),
            ReloadError::Load(error) => error.fmt(f),
            ReloadError::Present(keys) => write!(f, "{keys} keys of the file are in the dataset already"),
        }
    }
}

impl std::error::Error for ReloadError {}

impl Server {
    /// Sweeps what a crash left, and opens the snapshot. Whether there is one to be loaded by `load_step`.
    ///
    /// # Errors
    /// The text for the log when the file cannot be loaded: the process must end with code 1.
    pub fn start_loading(&mut self) -> Result<bool, String> {
        self.sweep_stale_snapshots();
        self.find_history();
        let options = self.load_options(Duplicates::Refuse);
        // Before it is opened: should another file take its place meanwhile, that one is not what was loaded.
        self.snapshots.same_as_file(FileStamp::of(&self.rdb_path()));
        let opened = Loading::open(&self.rdb_path(), options, self.clock.now().unix_ms());
        self.loading = opened.or_else(|error| self.fall_back(error).map(Some))?;
        let kept = self.history.totals.kept;
        if self.loading.is_none() && kept > 0 {
            let path = self.rdb_path();
            tracing::warn!("There is no {}, but {kept} kept snapshots: see SNAPSHOT LIST.", path.display());
        }
        Ok(self.loading.is_some())
    }

    /// Loads on for `loading-process-events-interval-bytes`. Whether there is more.
    ///
    /// # Errors
    /// As `start_loading`.
    pub fn load_step(&mut self) -> Result<bool, String> {
        let Some(mut loading) = self.loading.take() else { return Ok(false) };
        let (now_ms, until_ns) = (self.clock.now().unix_ms(), self.clock.mono_ns() + STEP_NS_MAX);
        let mut incoming = self.incoming.take().unwrap_or_else(|| self.keyspace.empty_twin(now_ms));
        incoming.set_settings(self.keyspace.settings.clone());
        let mut budget = Budget {
            bytes: u64::from(self.config.loading_process_events_interval_bytes),
            is_over: &mut || self.clock.mono_ns() >= until_ns,
        };
        let stepped = match loading.step(&mut incoming, now_ms, &mut budget) {
            Ok(Step::More) => Ok(None),
            Ok(Step::Done) => self.libraries_of(&loading).map(Some),
            Err(error) => Err(error),
        };
        match stepped {
            Ok(None) => {
                self.loading = Some(loading);
                self.incoming = Some(incoming);
                Ok(true)
            }
            Ok(Some(libraries)) => {
                self.keyspace.adopt(incoming);
                self.scripts.libraries.replace(libraries);
                let seconds = (self.clock.now().unix_ms() - loading.started_ms) as f64 / 1000.0;
                tracing::info!("DB loaded from disk: {seconds:.3} seconds");
                self.note_load(&loading);
                self.history_loaded();
                if loading.keys_skipped > 0 {
                    self.snapshots.dataset_replaced();
                }
                Ok(false)
            }
            Err(error) => {
                // Still loading: an empty dataset is not what the file held, nobody may save or serve it.
                self.loading = Some(loading);
                self.loading = Some(self.fall_back(error)?);
                Ok(true)
            }
        }
    }

    pub(super) fn note_load(&mut self, loading: &Loading) {
        self.snapshots.last_load_keys_loaded = loading.keys_loaded;
        self.snapshots.last_load_keys_expired = loading.keys_expired;
        self.snapshots.last_load_keys_skipped = loading.keys_skipped;
    }

    pub(super) fn rdb_path(&self) -> PathBuf {
        self.config.dir.join(&self.config.dbfilename)
    }

    pub(super) fn load_options(&self, duplicates: Duplicates) -> LoadOptions {
        let skips = self.debug.skip_checksum_validation || !self.config.rdbchecksum;
        LoadOptions {
            duplicates,
            target: Target::Keyspace,
            checksum: if skips { Checksum::Off } else { Checksum::On },
            depth: match self.config.sanitize_dump_payload {
                Sanitize::Yes => Depth::Deep,
                Sanitize::No | Sanitize::Clients => Depth::Structure,
            },
            foreign: if self.config.rdb_skip_unknown { Foreign::StepOver } else { Foreign::Refuse },
            key_delay: KeyDelay(self.config.key_load_delay),
            threads: self.config.rdb_load_threads,
        }
    }

    /// DEBUG RELOAD: saves, then loads the file. Whatever fails, the dataset stays what it was.
    ///
    /// The file goes into a keyspace of its own first, for only a file that was read to its end is known to
    /// be loadable.
    pub fn reload(&mut self, save: ReloadSave, into: ReloadInto) -> Result<(), ReloadError> {
        if save == ReloadSave::Save {
            // What a child still writes is older, and must not take the place of what is saved now.
            self.end_background_save();
            self.save_now().map_err(ReloadError::Save)?;
        }
        if save == ReloadSave::NoSave || into != ReloadInto::Empty {
            self.snapshots.dataset_replaced();
        }
        let duplicates = match into {
            ReloadInto::Empty | ReloadInto::Existing => Duplicates::Refuse,
            ReloadInto::Merge | ReloadInto::EmptyMerge => Duplicates::Replace,
        };
        let now_ms = self.clock.now().unix_ms();
        let mut loaded = self.keyspace.empty_twin(now_ms);
        let opened = Loading::open(&self.rdb_path(), self.load_options(duplicates), now_ms);
        let mut codes = Vec::new();
        if let Some(mut loading) = opened.map_err(ReloadError::Load)? {
            loading.run(&mut loaded, now_ms).map_err(ReloadError::Load)?;
            self.note_load(&loading);
            codes = loading.libraries;
        }
        if into == ReloadInto::Existing {
            match count_present(&self.keyspace, &loaded) {
                0 => {}
                present => return Err(ReloadError::Present(present)),
            }
        }
        self.reload_libraries(&codes, into)?;
        match into {
            ReloadInto::Empty | ReloadInto::EmptyMerge => self.keyspace.adopt(loaded),
            ReloadInto::Existing | ReloadInto::Merge => add_all(&mut self.keyspace, &loaded),
        }
        self.ledger.swept(Sweep::Replaced, 0);
        // Whoever waits for a key looks again: it may have come, or be gone.
        (0..self.keyspace.databases()).for_each(|db| self.waiting.db_changed(db));
        tracing::warn!("DB reloaded by DEBUG RELOAD");
        Ok(())
    }

    /// The libraries of functions do as the keys: they are replaced, or those of the file come beside them. All of them
    /// or, after an error, none.
    fn reload_libraries(&mut self, codes: &[Box<[u8]>], into: ReloadInto) -> Result<(), ReloadError> {
        let patience = Patience::with_file(&self.clock);
        let libraries = &mut self.scripts.libraries;
        let codes = codes.iter().map(|code| &**code);
        let added = match into {
            ReloadInto::Empty | ReloadInto::EmptyMerge => {
                Libraries::of_codes(codes, &patience).map(|fresh| {
                    libraries.replace(fresh);
                })
            }
            ReloadInto::Existing => libraries.add(codes, Existing::Refuse, &patience),
            ReloadInto::Merge => libraries.add(codes, Existing::Replace, &patience),
        };
        added.map_err(|error| ReloadError::Load(no_library(self.rdb_path(), &error)))
    }

    /// The libraries of a file that was read to its end.
    ///
    /// # Errors
    /// One of them is none.
    pub(super) fn libraries_of(&self, loading: &Loading) -> Result<Libraries, LoadError> {
        let codes = loading.libraries.iter().map(|code| &**code);
        let made = Libraries::of_codes(codes, &Patience::with_file(&self.clock));
        made.map_err(|error| no_library(loading.path().into(), &error))
    }

    /// Swaps the dataset; watched keys count as changed, and whoever waits for a key looks again.
    pub(super) fn replace_dataset(&mut self, fresh: Keyspace) {
        self.keyspace.adopt(fresh);
        self.ledger.swept(Sweep::Replaced, 0);
        self.clients.iter_mut().filter(|client| !client.watched.is_empty()).for_each(|client| {
            client.watch_broken = true;
        });
        (0..self.keyspace.databases()).for_each(|db| self.waiting.db_changed(db));
    }
}

fn no_library(path: PathBuf, error: &CommandError) -> LoadError {
    let text = error.to_string();
    let reason = text.strip_prefix("ERR ").unwrap_or(&text).to_owned();
    LoadError::Library { path, reason }
}

pub(super) fn fatal(error: LoadError) -> String {
    tracing::warn!("{error}");
    match error {
        LoadError::Open { .. } => "Fatal error loading the DB, check server logs. Exiting.".into(),
        LoadError::Rdb { .. }
        | LoadError::Database { .. }
        | LoadError::Library { .. }
        | LoadError::Duplicate { .. } => "Terminating server after rdb file reading failure.".into(),
    }
}

fn count_present(keyspace: &Keyspace, loaded: &Keyspace) -> usize {
    let mut present = 0;
    for (index, db) in loaded.dbs() {
        let old = keyspace.db(index).table();
        db.table().for_each(&mut |entry| {
            present += usize::from(old.get(old.hash(entry.key()), entry.key()).is_some());
        });
    }
    present
}

fn add_all(keyspace: &mut Keyspace, loaded: &Keyspace) {
    for (index, db) in loaded.dbs() {
        let into = keyspace.db_mut(index);
        db.table().for_each(&mut |entry| {
            let hash = into.table().hash(entry.key());
            into.load_over(hash, entry.clone_with_key(entry.key()));
        });
    }
}
