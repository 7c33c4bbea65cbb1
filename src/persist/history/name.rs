//! The names of one server's snapshots: `dump.rdb` is the current one, `dump-<UTC time>-<id>.rdb` one that is kept.
//!
//! Two servers with different `dbfilename`s in one directory do not meet: a name belongs to at most one of them, as
//! time and identity have a fixed length. A `dbfilename` without `.rdb` gives its kept files none either: `dump` and
//! `dump.rdb` are two servers.
//!
//! A `dbfilename` may be as long as a name can be; one that leaves no room for what is added is cut, and the sum of the
//! whole keeps it apart from others that begin the same.

use crate::base::crc::Crc64Xz;
use crate::base::utc;
use crate::persist::id::SnapshotId;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

const SUFFIX: &str = ".rdb";
/// What the file systems in use take for a name.
const NAME_BYTES_MAX: usize = 255;
/// `-20261123T173000Z-0000001f.rdb`, the longest of what is added.
const ADDED_BYTES_MAX: usize = 30;
/// `~0123456789abcdef`.
const SUM_BYTES: usize = 17;

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

    fn base(&self) -> Cow<'_, str> {
        const BYTES_MAX: usize = NAME_BYTES_MAX - ADDED_BYTES_MAX;
        let base = &self.current[..self.current.len() - self.suffix().len()];
        if base.len() <= BYTES_MAX {
            return base.into();
        }
        let mut sum = Crc64Xz::new();
        sum.update(base.as_bytes());
        let end = (0..=BYTES_MAX - SUM_BYTES).rev().find(|end| base.is_char_boundary(*end)).unwrap_or(0);
        format!("{}~{:016x}", &base[..end], sum.value()).into()
    }

    fn suffix(&self) -> &'static str {
        if self.current.ends_with(SUFFIX) { SUFFIX } else { "" }
    }

    /// The path of the file that the next start loads.
    pub fn current_path(&self) -> PathBuf {
        self.directory.join(&self.current)
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    pub fn catalog(&self) -> String {
        let parting = if self.suffix().is_empty() { "-" } else { "." };
        format!("{}{parting}catalog", self.base())
    }

    /// The name under which the snapshot of that moment is kept.
    pub fn kept(&self, made_s: i64, id: SnapshotId) -> String {
        format!("{}-{}-{id}{}", self.base(), utc::compact(made_s), self.suffix())
    }

    /// The name under which a file that could not be loaded is put aside. It is no name of the history.
    pub fn damaged(&self, now_s: i64) -> String {
        format!("{}-damaged-{}{}", self.base(), utc::compact(now_s), self.suffix())
    }

    /// What the name of a kept snapshot of ours says; `None` for every other name.
    pub fn parse(&self, file: &str) -> Option<(i64, SnapshotId)> {
        let middle = file.strip_prefix(&*self.base())?.strip_prefix('-')?.strip_suffix(self.suffix())?;
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
        let long =
            [format!("{}.rdb", "x".repeat(246)), format!("{}.rdb", "x".repeat(247)), "\u{20ac}".repeat(85)];
        let places = long.each_ref().map(|name| Place::new(Path::new("/data"), name));
        for place in &places {
            let name = place.kept(7, SnapshotId(7));
            assert_eq!(place.parse(&name), Some((7, SnapshotId(7))));
            assert_eq!(places.iter().filter(|other| other.parse(&name).is_some()).count(), 1, "{name}");
            assert!([name, place.catalog(), place.damaged(7)].iter().all(|name| name.len() <= 255));
        }
        let odd = Place::new(Path::new("/data"), "state");
        assert_eq!(odd.parse(&odd.kept(7, SnapshotId(7))), Some((7, SnapshotId(7))));
        let even = Place::new(Path::new("/data"), "state.rdb");
        assert_eq!(
            (odd.parse(&even.kept(7, SnapshotId(7))), even.parse(&odd.kept(7, SnapshotId(7)))),
            (None, None)
        );
        assert_ne!(odd.catalog(), even.catalog());
    }
}
