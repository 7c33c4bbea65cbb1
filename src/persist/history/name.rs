//! The names of one server's snapshots: `dump.rdb` is the current one, `dump-<UTC time>-<id>.rdb` one that is kept.
//!
//! Two servers with different `dbfilename`s in one directory do not meet: a name belongs to at most one of them, as
//! time and identity have a fixed length.

use crate::base::utc;
use crate::persist::id::SnapshotId;
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".rdb";

/// Where a server's snapshots are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Absolute.
    pub directory: PathBuf,
    /// `dbfilename`.
    pub current: String,
}

impl Place {
    pub fn new(directory: &Path, current: &str) -> Place {
        Place { directory: directory.into(), current: current.into() }
    }

    fn base(&self) -> &str {
        self.current.strip_suffix(SUFFIX).unwrap_or(&self.current)
    }

    /// The path of the file that the next start loads.
    pub fn current_path(&self) -> PathBuf {
        self.directory.join(&self.current)
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    pub fn catalog(&self) -> String {
        format!("{}.catalog", self.base())
    }

    /// The name under which the snapshot of that moment is kept.
    pub fn kept(&self, made_s: i64, id: SnapshotId) -> String {
        format!("{}-{}-{id}{SUFFIX}", self.base(), utc::compact(made_s))
    }

    /// The name under which a file that could not be loaded is put aside. It is no name of the history.
    pub fn damaged(&self, now_s: i64) -> String {
        format!("{}-damaged-{}{SUFFIX}", self.base(), utc::compact(now_s))
    }

    /// What the name of a kept snapshot of ours says; `None` for every other name.
    pub fn parse(&self, file: &str) -> Option<(i64, SnapshotId)> {
        let middle = file.strip_prefix(self.base())?.strip_prefix('-')?.strip_suffix(SUFFIX)?;
        let (time, id) = middle.split_once('-')?;
        Some((utc::parse_compact(time)?, id.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_by_their_own_server_only() {
        let place = Place::new(Path::new("/data"), "dump.rdb");
        let name = place.kept(1_795_455_000, SnapshotId(0x1f));
        assert_eq!(name, "dump-20261123T173000Z-0000001f.rdb");
        assert_eq!(place.parse(&name), Some((1_795_455_000, SnapshotId(0x1f))));
        assert_eq!(
            (place.catalog(), place.path(&name).parent()),
            ("dump.catalog".into(), Some("/data".as_ref()))
        );
        for other in [
            "dump.rdb",
            "dump-2.rdb",
            "dump-damaged-20261123T173000Z.rdb",
            "dump-20261123T173000Z-0000001F.rdb",
            "dump-20261123T173000Z-0000001f.rdb.gz",
            "dump-b-20261123T173000Z-0000001f.rdb",
            "../dump-20261123T173000Z-0000001f.rdb",
            "dump-20269923T173000Z-0000001f.rdb",
            "temp-1-00000000000000ab.rdb",
        ] {
            assert_eq!(place.parse(other), None, "{other}");
        }
        let neighbour = Place::new(Path::new("/data"), "dump-b.rdb");
        let theirs = neighbour.kept(0, SnapshotId(1));
        assert_eq!((place.parse(&theirs), neighbour.parse(&name)), (None, None));
        let odd = Place::new(Path::new("/data"), "state");
        assert_eq!(odd.parse(&odd.kept(7, SnapshotId(7))), Some((7, SnapshotId(7))));
    }
}
