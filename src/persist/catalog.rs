//! The catalogue: what is known of each snapshot of one server, as a text file beside them.
//!
//! ```text
//!  # Tintype catalog 1: id, time, file, keys, bytes, rdb-version, duration-ms, fork-us, crc64-xz, kept, modified-ns
//!  1f0c22a9  20261123T173000Z  dump-20261123T173000Z-1f0c22a9.rdb  8  4711  11  12  345  995DC9BBDF1939FA  saved  17..
//!  7d2e0b15  20261123T174500Z  dump.rdb                            9  4730  11  13  351  0123456789ABCDEF  saved  17..
//!  # end 2
//! ```
//! Columns are parted by tabs; `-` is what is not known. Lines stand in the order in which the snapshots were made, the
//! oldest first: the clock may have jumped meanwhile. In file names `\t`, `\n`, `\r` and `\\` stand for themselves.
//!
//! Invariants:
//! 1. A catalogue that cannot be read, or only in part, is no error: what is readable counts, the rest is said in
//!    `faults`, and `history` finds again what the directory knows.
//! 2. Nothing in it is trusted as a path: `history` uses only names of its own pattern.

use super::id::SnapshotId;
use crate::base::utc;

const MAGIC: &str = "# Tintype catalog 1";
const COLUMNS: &str =
    "id, time, file, keys, bytes, rdb-version, duration-ms, fork-us, crc64-xz, kept, modified-ns";
const END: &str = "# end ";
const UNKNOWN: &str = "-";

/// Why a snapshot is kept once another one has taken its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As many as `snapshot-keep` says.
    ByRule,
    /// FLUSHALL was about to replace it by an empty one.
    Flushed,
    /// It is the dataset that a SNAPSHOT RESTORE replaced.
    Replaced,
    /// It was there, and why is not known.
    Found,
}

impl Kept {
    const ALL: [Kept; 4] = [Kept::ByRule, Kept::Flushed, Kept::Replaced, Kept::Found];

    fn word(self) -> &'static str {
        match self {
            Kept::ByRule => "saved",
            Kept::Flushed => "flushed",
            Kept::Replaced => "replaced",
            Kept::Found => "found",
        }
    }
}

/// What is known of one snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub id: SnapshotId,
    /// Unix time of the moment that it shows.
    pub made_s: i64,
    /// Its name in the directory.
    pub file: String,
    pub bytes: u64,
    /// When the file was last written to, in nanoseconds of Unix time.
    pub modified_ns: i64,
    pub kept: Kept,
    pub keys: Option<u64>,
    pub rdb_version: Option<u16>,
    /// How long the save took.
    pub duration_ms: Option<u64>,
    /// How long the fork took; none when it was saved without.
    pub fork_us: Option<u64>,
    /// CRC-64/XZ of the whole file.
    pub crc64_xz: Option<u64>,
}

impl Line {
    /// Of a save that begins: what is known before there is a file.
    pub fn begun(id: SnapshotId, made_s: i64, rdb_version: u16, kept: Kept) -> Line {
        Line {
            id,
            made_s,
            file: String::new(),
            bytes: 0,
            modified_ns: 0,
            kept,
            keys: None,
            rdb_version: Some(rdb_version),
            duration_ms: None,
            fork_us: None,
            crc64_xz: None,
        }
    }
}

/// A catalogue as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    pub lines: Vec<Line>,
    /// What could not be read, for the log.
    pub faults: Vec<String>,
}

impl Catalog {
    pub fn parse(text: &[u8]) -> Catalog {
        let mut catalog = Catalog::default();
        if !text.is_empty() && !text.starts_with(MAGIC.as_bytes()) {
            catalog.faults.push("it does not begin as a catalogue".into());
            return catalog;
        }
        let text = String::from_utf8_lossy(text);
        let (mut ended, mut unreadable) = (None, 0_usize);
        for (index, line) in text.lines().enumerate() {
            match line {
                _ if line.starts_with(END) => ended = line[END.len()..].parse::<usize>().ok(),
                _ if line.starts_with('#') || line.is_empty() => {}
                _ => match parse_line(line) {
                    Some(line) => catalog.lines.push(line),
                    None => {
                        unreadable += 1;
                        if unreadable == 1 {
                            catalog.faults.push(format!("line {} cannot be read", index + 1));
                        }
                    }
                },
            }
        }
        if unreadable > 1 {
            catalog.faults.push(format!("{unreadable} lines cannot be read"));
        }
        match ended {
            None => catalog.faults.push("it has no end".into()),
            Some(lines) if lines != catalog.lines.len() && catalog.faults.is_empty() => {
                catalog.faults.push(format!("it should have {lines} lines"));
            }
            Some(_) => {}
        }
        catalog
    }

    /// The text of a catalogue.
    pub fn text(lines: &[Line]) -> String {
        let mut text = format!("{MAGIC}: {COLUMNS}\n");
        lines.iter().for_each(|line| write_line(&mut text, line));
        text + END + &lines.len().to_string() + "\n"
    }
}

fn parse_line(text: &str) -> Option<Line> {
    let fields: Vec<&str> = text.split('\t').collect();
    let [id, time, file, keys, bytes, version, duration, fork, sum, kept, modified] = fields[..] else {
        return None;
    };
    let crc64_xz = match sum {
        UNKNOWN => None,
        _ if sum.len() == 16 => Some(u64::from_str_radix(sum, 16).ok()?),
        _ => return None,
    };
    Some(Line {
        id: id.parse().ok()?,
        made_s: utc::parse_compact(time)?,
        file: unescape(file)?,
        bytes: bytes.parse().ok()?,
        modified_ns: modified.parse().ok()?,
        kept: Kept::ALL.into_iter().find(|reason| reason.word() == kept)?,
        keys: known(keys)?,
        rdb_version: known(version)?,
        duration_ms: known(duration)?,
        fork_us: known(fork)?,
        crc64_xz,
    })
}

/// `None`: unreadable; `Some(None)`: not known.
fn known<T: std::str::FromStr>(field: &str) -> Option<Option<T>> {
    if field == UNKNOWN { Some(None) } else { field.parse().ok().map(Some) }
}

fn write_line(text: &mut String, line: &Line) {
    let number = |number: Option<u64>| number.map_or(UNKNOWN.to_owned(), |number| number.to_string());
    let fields = [
        line.id.to_string(),
        utc::compact(line.made_s),
        escape(&line.file),
        number(line.keys),
        line.bytes.to_string(),
        number(line.rdb_version.map(u64::from)),
        number(line.duration_ms),
        number(line.fork_us),
        line.crc64_xz.map_or(UNKNOWN.to_owned(), |sum| format!("{sum:016X}")),
        line.kept.word().to_owned(),
        line.modified_ns.to_string(),
    ];
    *text += &fields.join("\t");
    text.push('\n');
}

fn escape(name: &str) -> String {
    name.replace('\\', r"\\").replace('\t', r"\t").replace('\n', r"\n").replace('\r', r"\r")
}

fn unescape(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        name.push(match letter {
            '\\' => match letters.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(name)
}

#[cfg(test)]
pub(super) mod tests;
