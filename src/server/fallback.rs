//! A file that cannot be loaded at start: what is said, and what is started from instead.
//!
//! ```text
//!  damaged ──▶ name the fault ──▶ find the newest good snapshot, by reading them
//!            ├─ snapshot-fallback no   name it and the command that starts from it; exit
//!            └─ snapshot-fallback yes  dump.rdb ─▶ dump-damaged-<time>.rdb, snapshot ─▶ dump.rdb
//! ```
//! Only damage counts. A file of a version or with values that are not known here is whole: starting from an older one
//! would throw away what a newer server can load.

use super::loading::fatal;
use super::server::Server;
use crate::base::utc;
use crate::persist::SnapshotError;
use crate::persist::catalog::Line;
use crate::persist::disk::{KeepOld, SavePaths, System, WithoutLinks, put_in_place};
use crate::persist::history::examine;
use crate::persist::history::{self, Place};
use crate::persist::load::{Duplicates, LoadError, Loading};
use crate::persist::stamp::FileStamp;
use crate::rdb::Fault;

impl Server {
    /// The file at start could not be loaded. Returns the load of another one, when that is wanted and there is one.
    ///
    /// # Errors
    /// The text for the log: the process must end with code 1.
    pub(super) fn fall_back(&mut self, error: LoadError) -> Result<Loading, String> {
        if !is_damage(&error) || self.history.has_fallen_back {
            return Err(fatal(error));
        }
        let place = self.place();
        let now_ms = self.clock.now().unix_ms();
        let text = fatal(error);
        if let Err(damage) = examine::examine(&place.current_path(), now_ms) {
            tracing::warn!("{} is damaged: {damage}", place.current_path().display());
        }
        let Some(good) = newest_good(&place, now_ms) else {
            tracing::warn!("There is no other good snapshot in {}", place.directory.display());
            return Err(text);
        };
        if !self.config.snapshot_fallback {
            tracing::warn!("The newest good snapshot is {}", describe(&good));
            tracing::warn!("To start from it: {}", self.command_with(&["--dbfilename", &good.file]));
            let again = self.command_with(&["--snapshot-fallback", "yes"]);
            tracing::warn!("To make it {} again, and keep the damaged file aside: {again}", place.current);
            return Err(text);
        }
        let failed = |error: &dyn std::fmt::Display| {
            tracing::warn!("Can't start from {}: {error}", good.file);
            text.clone()
        };
        let damaged = self.put_aside(&place, &good).map_err(|error| failed(&error))?;
        tracing::warn!(
            "STARTING FROM AN OLDER SNAPSHOT, as snapshot-fallback is yes: {}. What came after it is lost; the \
             damaged file is kept as {damaged}",
            describe(&good)
        );
        self.find_history();
        self.snapshots.same_as_file(FileStamp::of(&place.current_path()));
        let fresh = self.keyspace.empty_twin(now_ms);
        self.replace_dataset(fresh);
        let options = self.load_options(Duplicates::Refuse);
        match Loading::open(&place.current_path(), options, now_ms) {
            Ok(Some(loading)) => Ok(loading),
            Ok(None) => Err(text),
            Err(error) => Err(fatal(error)),
        }
    }

    /// Gives the good snapshot the current file's name, and the damaged one a name that nothing else takes.
    fn put_aside(&mut self, place: &Place, good: &Line) -> Result<String, SnapshotError> {
        self.history.has_fallen_back = true;
        let now_s = self.clock.now().unix_s();
        let names = (now_s..).map(|second| place.damaged(second));
        let is_free = |name: &String| place.path(name).symlink_metadata().is_err();
        let damaged = names.take(1000).find(is_free).unwrap_or_else(|| place.damaged(now_s));
        let mut paths = SavePaths::new(&place.directory, &place.current, self.keyspace.rng.u64(..))?;
        paths.keep = Some(KeepOld::new(&place.path(&damaged), WithoutLinks::MoveAway)?);
        put_in_place(&mut System, &paths, &place.path(&good.file))?;
        Ok(damaged)
    }

    /// The command line of this start with more arguments, as a shell takes it.
    fn command_with(&self, more: &[&str]) -> String {
        let mut words: Vec<&str> = self.identity.command_line.iter().map(String::as_str).collect();
        // Standard input is read where `-` stands last.
        let end = if words.len() > 1 && words.last() == Some(&"-") { words.len() - 1 } else { words.len() };
        words.splice(end..end, more.iter().copied());
        words.into_iter().map(shell_word).collect::<Vec<_>>().join(" ")
    }
}

fn is_damage(error: &LoadError) -> bool {
    match error {
        LoadError::Rdb { error, .. } => {
            !matches!(error.fault, Fault::Version { .. } | Fault::Unsupported { .. } | Fault::Module { .. })
        }
        LoadError::Duplicate { .. } => true,
        LoadError::Open { .. } | LoadError::Database { .. } | LoadError::Library { .. } => false,
    }
}

/// Reads the snapshots of the history, the newest first, until one is whole.
fn newest_good(place: &Place, now_ms: i64) -> Option<Line> {
    let state = history::look(place).ok()?;
    let current = FileStamp::of(&place.current_path());
    state.lines.into_iter().rev().find(|line| {
        let path = place.path(&line.file);
        let is_other = |stamp: FileStamp| current.is_none_or(|current| !current.is_same_file(&stamp));
        FileStamp::of(&path).is_some_and(is_other)
            && examine::verify(&path, line, now_ms)
                .inspect_err(|damage| tracing::warn!("{} is damaged, too: {damage}", path.display()))
                .is_ok()
    })
}

fn describe(line: &Line) -> String {
    let keys = line.keys.map_or(String::new(), |keys| format!(", with {keys} keys"));
    format!("{} (made at {}{keys})", line.file, utc::compact(line.made_s))
}

fn shell_word(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell() {
        for (word, quoted) in
            [("--port", "--port"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$x", "'$x'")]
        {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
