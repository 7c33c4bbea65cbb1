//! The snapshots that stay when newer ones take their place, and the catalogue of them.
//!
//! ```text
//!  before the save   old(): what is in the way            on the loop, two looks at the directory
//!  the save          link, rename, fsync (`disk`)         in the child
//!  after it          entered(): catalogue, then pruning   on a helper thread
//! ```
//! The directory is the truth: every change begins with a look at it and at the catalogue (`State`), under a lock that
//! other servers with the same directory heed. So neither a crash between two steps nor a lost catalogue matters: what
//! has gone is dropped, what is there is entered with what can be known cheaply (name, size, time), and a snapshot with
//! two names (a child died between link and rename, or it was restored) counts once.
//!
//! Invariants:
//! 1. Only files of our own pattern are touched (`name`), and of these only when the rule says so, or a command.
//! 2. Nothing is removed while there is no current file, nor before it is safely on the disk. While all that would
//!    remain is known to be empty, the newest that may be not stays, too.
//! 3. What cannot be written (the catalogue) or removed leaves the snapshots as they are and is told.
//!
//! Not here: what is in the files (`examine` asks `rdb`), and when a snapshot is made.

pub mod examine;
mod name;
mod reconcile;

pub use name::Place;

use super::catalog::{Catalog, Kept, Line};
use super::disk::{Calls, FilePolicy, Incremental, PageCache, SavePaths, WriteRate, steady, write_file};
use super::error::{Fault, Operation, SnapshotError, error_text};
use super::id::SnapshotId;
use super::stamp::FileStamp;
use crate::base::crc::Crc64Xz;
use crate::rdb::Output;
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// A catalogue of more bytes is none of ours.
const CATALOG_BYTES_MAX: u64 = 16 << 20;
/// So often the lock is tried for, when another server holds it.
const LOCK_TRIES: usize = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(2);

impl Line {
    /// Whether the file is still the one that the line was written for.
    pub fn is_of(&self, stamp: &FileStamp) -> bool {
        (self.bytes, self.modified_ns) == (stamp.bytes, stamp.modified_ns)
    }

    /// What can be known of a file without reading it. The identity follows from the file, so that it is the same at
    /// every look.
    pub fn unknown(file: &str, stamp: &FileStamp) -> Line {
        let mut sum = Crc64Xz::new();
        sum.update(&stamp.bytes.to_le_bytes());
        sum.update(&stamp.modified_ns.to_le_bytes());
        Line {
            id: SnapshotId(sum.value() as u32),
            made_s: stamp.modified_ns.div_euclid(1_000_000_000),
            file: file.into(),
            bytes: stamp.bytes,
            modified_ns: stamp.modified_ns,
            kept: Kept::Found,
            keys: None,
            rdb_version: None,
            duration_ms: None,
            fork_us: None,
            crc64_xz: None,
        }
    }
}

/// Why something could not be done with the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryError {
    Snapshot(SnapshotError),
    /// Another server is at work in the directory, for too long.
    Locked,
    NoSuch(SnapshotId),
    /// Two files have it in their names.
    Ambiguous(SnapshotId),
    /// The next start loads it.
    Current(SnapshotId),
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryError::Snapshot(error) => error.fmt(f),
            HistoryError::Locked => f.write_str("another server holds the lock on the directory"),
            HistoryError::NoSuch(id) => write!(f, "No snapshot with id {id}"),
            HistoryError::Ambiguous(id) => write!(f, "More than one snapshot has the id {id}"),
            HistoryError::Current(id) => {
                write!(f, "Snapshot {id} is the current file, which the next start loads")
            }
        }
    }
}

impl std::error::Error for HistoryError {}

/// What is there: the files of the directory, with what the catalogue knows of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// In the order in which they were made, the oldest first.
    pub lines: Vec<Line>,
    /// The line of the file that the next start loads.
    pub current: Option<usize>,
    /// What was wrong with the catalogue, or could not be removed.
    pub faults: Vec<String>,
    current_stamp: Option<FileStamp>,
}

/// A new snapshot that has taken the place of the current file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    pub line: Line,
    /// What is known of the file that it replaced, under the name that that has now.
    pub replaced: Option<Line>,
    /// `snapshot-keep`.
    pub keep: usize,
}

/// What a server tells of its history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Snapshots beside the current one.
    pub kept: u64,
    pub kept_bytes: u64,
}

impl State {
    /// The snapshot with an identity.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, id: SnapshotId) -> Result<usize, HistoryError> {
        let mut found = (0..self.lines.len()).filter(|index| self.lines[*index].id == id);
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => Err(HistoryError::Ambiguous(id)),
            (None, _) => Err(HistoryError::NoSuch(id)),
        }
    }

    pub fn totals(&self) -> Totals {
        let kept = || (0..self.lines.len()).filter(|index| Some(*index) != self.current);
        Totals {
            kept: kept().count() as u64,
            kept_bytes: kept().map(|index| self.lines[index].bytes).fold(0, u64::saturating_add),
        }
    }

    /// The line of the file that the next start loads.
    pub fn current_line(&self) -> Option<&Line> {
        self.current.map(|index| &self.lines[index])
    }

    /// Enters a snapshot that has become the current file.
    fn enter(&mut self, entered: &Entered) {
        if let Some(replaced) = &entered.replaced
            && let Some(line) = self.lines.iter_mut().find(|line| line.file == replaced.file)
        {
            *line = replaced.clone();
        }
        // Another server with the same name may have replaced it meanwhile: then the look has found that one.
        if !self.current_stamp.is_some_and(|stamp| entered.line.is_of(&stamp)) {
            return;
        }
        if let Some(index) =
            self.current.filter(|index| self.lines[*index].modified_ns == entered.line.modified_ns)
        {
            self.lines.remove(index);
        }
        self.lines.push(entered.line.clone());
        self.current = Some(self.lines.len() - 1);
    }

    /// The lines that `snapshot-keep` has no room for, the oldest first.
    fn beyond(&self, keep: usize) -> Vec<usize> {
        let Some(current) = self.current else { return Vec::new() };
        let newest_of =
            |kept: Kept| (0..self.lines.len()).rev().find(|index| self.lines[*index].kept == kept);
        // Kept once each, whatever the number.
        let spared = [newest_of(Kept::Flushed), newest_of(Kept::Replaced)];
        let mut ordinary: Vec<usize> = (0..self.lines.len())
            .rev()
            .filter(|index| *index != current && !spared.contains(&Some(*index)))
            // Without a history nothing is known to be ours to remove but what we kept ourselves.
            .filter(|index| keep > 0 || self.lines[*index].kept != Kept::Found)
            .collect();
        let mut beyond = ordinary.split_off(keep.min(ordinary.len()));
        let is_empty = |index: &usize| self.lines[*index].keys == Some(0);
        let only_empty_remain =
            is_empty(&current) && ordinary.iter().chain(spared.iter().flatten()).all(is_empty);
        if only_empty_remain && let Some(last) = beyond.iter().position(|index| !is_empty(index)) {
            beyond.remove(last);
        }
        beyond.reverse();
        beyond
    }

    /// Removes the files of lines, given in ascending order, and the lines with them. Returns the names.
    fn remove<C: Calls>(&mut self, calls: &mut C, place: &Place, indexes: &[usize]) -> Vec<String> {
        let mut removed = Vec::new();
        for index in indexes {
            let file = self.lines[*index].file.clone();
            match remove_file(calls, &place.path(&file)) {
                Ok(()) => removed.push(file),
                Err(error) => self.faults.push(error.to_string()),
            }
        }
        self.forget(&removed);
        removed
    }

    /// Drops the lines of files.
    fn forget(&mut self, files: &[String]) {
        let current = self.current.map(|index| self.lines[index].file.clone());
        self.lines.retain(|line| !files.contains(&line.file));
        self.current = current.and_then(|file| self.lines.iter().position(|line| line.file == file));
    }
}

/// One that has gone already is no error.
fn remove_file(calls: &mut impl Calls, path: &Path) -> Result<(), SnapshotError> {
    let name = super::disk::c_string(path)?;
    match steady(|| calls.unlink(&name)) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(errno) => Err(SnapshotError::errno(Operation::Remove, path, errno)),
    }
}

/// Looks at the directory and the catalogue. Changes nothing.
///
/// # Errors
/// When the directory cannot be read.
pub fn look(place: &Place) -> Result<State, HistoryError> {
    let (catalog, _) = read_catalog(place);
    look_with(place, catalog)
}

fn look_with(place: &Place, catalog: Catalog) -> Result<State, HistoryError> {
    let failed = |error: std::io::Error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        HistoryError::Snapshot(SnapshotError::errno(Operation::UseDirectory, &place.directory, errno))
    };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&place.directory).map_err(failed)?.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if place.parse(&name).is_some()
            && let Some(stamp) = FileStamp::of(&entry.path())
        {
            files.insert(name, stamp);
        }
    }
    let current_stamp = FileStamp::of(&place.current_path());
    let (lines, current) = reconcile::reconcile(place, catalog.lines, &files, current_stamp);
    Ok(State { lines, current, faults: catalog.faults, current_stamp })
}

/// Also returns the text; empty when there is none.
fn read_catalog(place: &Place) -> (Catalog, Vec<u8>) {
    match read_catalog_text(&place.path(&place.catalog())) {
        Ok(text) => (Catalog::parse(&text), text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Catalog::default(), Vec::new()),
        Err(error) => {
            let reason = match error.raw_os_error() {
                Some(errno) => error_text(Errno::from_raw(errno)),
                None => error.to_string(),
            };
            (Catalog { lines: Vec::new(), faults: vec![format!("it cannot be read: {reason}")] }, Vec::new())
        }
    }
}

fn read_catalog_text(path: &Path) -> std::io::Result<Vec<u8>> {
    // Without O_NONBLOCK a FIFO of that name would hold us for ever.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() > CATALOG_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {CATALOG_BYTES_MAX} bytes")));
    }
    let mut text = Vec::new();
    file.take(CATALOG_BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// A change of the history, made under the lock.
pub struct Editing<'a, C: Calls> {
    pub calls: &'a mut C,
    pub place: &'a Place,
    pub state: State,
}

impl<C: Calls> Editing<'_, C> {
    /// Enters a new snapshot and removes what is beyond its number. Returns the names of the removed files.
    pub fn enter(&mut self, entered: &Entered) -> Vec<String> {
        self.state.enter(entered);
        if self.state.current_line().is_none_or(|current| *current != entered.line) {
            // Who has replaced it looks after the rest.
            return Vec::new();
        }
        let beyond = self.state.beyond(entered.keep);
        self.state.remove(self.calls, self.place, &beyond)
    }

    /// Removes what is beyond the number, after a save that may have got as far as its last step. Returns the names of
    /// the removed files.
    pub fn settle(&mut self, keep: usize) -> Vec<String> {
        let directory = super::disk::c_string(&self.place.directory);
        if !directory.is_ok_and(|directory| steady(|| self.calls.sync_directory(&directory)).is_ok()) {
            return Vec::new();
        }
        let beyond = self.state.beyond(keep);
        self.state.remove(self.calls, self.place, &beyond)
    }

    /// Replaces what is known of a file by what is known better.
    pub fn describe(&mut self, line: &Line) {
        if let Some(known) = self.state.lines.iter_mut().find(|known| known.file == line.file) {
            *known = line.clone();
        }
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    /// When there is no such one, when it is the current one, or when its file cannot be removed.
    pub fn delete(&mut self, id: SnapshotId) -> Result<(), HistoryError> {
        let index = self.state.find(id)?;
        if Some(index) == self.state.current {
            return Err(HistoryError::Current(id));
        }
        let path = self.place.path(&self.state.lines[index].file);
        remove_file(self.calls, &path).map_err(HistoryError::Snapshot)?;
        self.state.forget(&[self.state.lines[index].file.clone()]);
        Ok(())
    }
}

/// Looks, lets `change` change what it sees, and writes the catalogue when it is not what it was. With an error of the
/// writing comes what `change` returned: its removals are done.
///
/// # Errors
/// When the directory cannot be read or is locked; nothing has been changed then.
pub fn edit<C: Calls, R>(
    calls: &mut C,
    place: &Place,
    nonce: u64,
    change: impl FnOnce(&mut Editing<'_, C>) -> R,
) -> Result<(R, State), HistoryError> {
    let _lock = lock(&place.directory)?;
    let (catalog, text) = read_catalog(place);
    let state = look_with(place, catalog)?;
    let mut editing = Editing { calls, place, state };
    let result = change(&mut editing);
    let Editing { calls, mut state, .. } = editing;
    let is_needed = !text.is_empty() || !state.lines.is_empty();
    let new_text = Catalog::text(&state.lines);
    if is_needed
        && new_text.as_bytes() != text
        && let Err(error) = write_catalog(calls, place, nonce, new_text.as_bytes())
    {
        state.faults.push(error.to_string());
    }
    Ok((result, state))
}

fn write_catalog<C: Calls>(
    calls: &mut C,
    place: &Place,
    nonce: u64,
    text: &[u8],
) -> Result<(), SnapshotError> {
    let paths = SavePaths::new(&place.directory, place.catalog(), nonce)?;
    let policy =
        FilePolicy { incremental: Incremental::No, page_cache: PageCache::Keep, rate: WriteRate::Unlimited };
    let written = write_file(calls, &paths, policy, |file| {
        let failed = |_| Fault::new(Operation::Write, Errno::EIO);
        file.write_all(text).map_err(|error| file.fault().unwrap_or(failed(error)))
    });
    written.map(drop).map_err(|fault| paths.explain(fault))
}

/// Held until it is dropped.
fn lock(directory: &Path) -> Result<Option<File>, HistoryError> {
    // What cannot be opened will be told by whoever wants to read it.
    let Ok(file) = File::open(directory) else { return Ok(None) };
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            // A file system without locks.
            Err(std::fs::TryLockError::Error(_)) => return Ok(None),
        }
    }
    Err(HistoryError::Locked)
}

/// What a save is about to replace, and where it is to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldSnapshot {
    pub line: Line,
    /// It has the name under which it is kept already: it was restored, or a child died after linking it.
    pub has_name: bool,
}

/// What stands in the place of the current file; `None` when nothing does. `known` is what was found or entered last;
/// the directory is asked only when that is something else (another server with the same name has saved, a file was
/// put there) or when the file has a second name (a child died after linking it).
pub fn old(place: &Place, known: Option<&Line>) -> Option<OldSnapshot> {
    let stamp = FileStamp::of(&place.current_path())?;
    let has_one_name = || std::fs::metadata(place.current_path()).is_ok_and(|metadata| metadata.nlink() == 1);
    let is_known = |line: &&Line| line.is_of(&stamp) && (line.file != place.current || has_one_name());
    let found = || look(place).ok()?.current_line().filter(|line| line.is_of(&stamp)).cloned();
    let line = known.filter(is_known).cloned().or_else(found);
    let line = line.unwrap_or_else(|| Line::unknown(&place.current, &stamp));
    let has_name = line.file != place.current
        && FileStamp::of(&place.path(&line.file)).is_some_and(|other| other.is_same_file(&stamp));
    let line = if has_name { line } else { with_free_name(place, line) };
    Some(OldSnapshot { line, has_name })
}

/// The line under the name that its file shall be kept by, which nothing has yet.
pub fn with_free_name(place: &Place, mut line: Line) -> Line {
    loop {
        line.file = place.kept(line.made_s, line.id);
        if place.path(&line.file).symlink_metadata().is_err() {
            return line;
        }
        line.id = SnapshotId(line.id.0.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests;
