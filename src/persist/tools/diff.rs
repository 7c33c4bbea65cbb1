//! `rdb-diff`: what differs between two files.
//!
//! ```text
//! A   every key ──▶ 40 bytes: digest of database and key (16), digest of the value (16), expiry (8)
//!     sorted by the first
//! B   every key ──▶ looked up: changed, unchanged or added; what was found is ticked off in a row of bits
//! A   read once more if something was not ticked off and its name is wanted: removed
//! ```
//! So the memory is 40 bytes and a bit for each key of A (once more while the list grows, if A announces fewer keys
//! than it has) and the largest value. Values are equal when their contents are: see `object::digest`. Expiries count
//! to the millisecond; whether they have passed does not matter. Libraries of functions and what the files say about
//! themselves are not compared, values of modules only by their names.
//!
//! As lines (`+` added, `-` removed, `~` changed), or as one object:
//!
//! ```text
//! {"equal", "added", "removed", "changed", "unchanged", "not_compared",
//!  "differences": [{"db", "key": <bytes>, "change": "added" | "removed" | "value" | "expiry" | "value, expiry"}]}
//! ```

use super::check::Report;
use super::json::Json;
use super::progress::Progress;
use super::sink::Sink;
use super::{ToolError, Verdict, open};
use crate::base::clock::Clock;
use crate::base::number;
use crate::object::{Depth, Rules, digest};
use crate::persist::source::Part;
use crate::rdb::{Foreign, Reader, ReaderOptions, Record, Value};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// No file holds more keys for each byte of it.
const KEY_BYTES_MIN: u64 = 3;

/// What to write.
#[derive(Clone, Copy, Debug)]
pub struct DiffOptions {
    pub form: Report,
    /// So many names of each kind of change; None: all.
    pub names_max: Option<u64>,
}

/// Compares two files. Bad: they differ.
///
/// # Errors
/// A file that cannot be read or is damaged, or an output that cannot be written.
pub fn diff(
    paths: [&Path; 2],
    options: DiffOptions,
    clock: &Clock,
    out: &mut Sink<'_>,
) -> Result<Verdict, ToolError> {
    let mut known = Known::default();
    walk(paths[0], clock, &mut |seen| {
        match seen {
            Seen::Expected(keys) => known.keys.reserve_exact(keys),
            Seen::Key(key) => known.keys.push(key.digest),
        }
        Ok(())
    })?;
    known.settle();
    let mut differences = Differences::begin(options, out);
    walk(paths[1], clock, &mut |seen| match seen {
        Seen::Expected(_) => Ok(()),
        Seen::Key(key) => match known.find(&key.digest) {
            Some(old) => differences.compare(&old, &key),
            None => differences.tell(Change::Added, &key),
        },
    })?;
    if known.has_missing() {
        walk(paths[0], clock, &mut |seen| match seen {
            Seen::Key(key) if !known.was_found(&key.digest) => differences.tell(Change::Removed, &key),
            Seen::Key(_) | Seen::Expected(_) => Ok(()),
        })?;
    }
    differences.end()
}

/// All that is kept of a key of A.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct KeyDigest {
    /// Halves, so that 40 bytes are enough.
    name: [u64; 2],
    value: [u64; 2],
    /// `i64::MIN`: none.
    expire_at_ms: i64,
}

const NO_EXPIRY: i64 = i64::MIN;
/// Instead of the digest of a value that cannot be compared.
const NOT_COMPARED: [u64; 2] = [0; 2];

/// A key of a file.
struct SeenKey<'a> {
    db: u64,
    key: &'a [u8],
    digest: KeyDigest,
}

enum Seen<'a> {
    /// So many keys come now, as the file says; never more than there can be.
    Expected(usize),
    Key(SeenKey<'a>),
}

#[derive(Default)]
struct Known {
    /// Sorted, after `settle`.
    keys: Vec<KeyDigest>,
    found: Vec<u64>,
}

impl Known {
    fn settle(&mut self) {
        self.keys.sort_unstable();
        self.found = vec![0; self.keys.len().div_ceil(64)];
    }

    /// Finds a key and ticks it off.
    fn find(&mut self, wanted: &KeyDigest) -> Option<KeyDigest> {
        let place = self.place(wanted)?;
        self.found[place / 64] |= 1 << (place % 64);
        Some(self.keys[place])
    }

    fn was_found(&self, wanted: &KeyDigest) -> bool {
        self.place(wanted).is_some_and(|place| self.found[place / 64] >> (place % 64) & 1 == 1)
    }

    fn place(&self, wanted: &KeyDigest) -> Option<usize> {
        self.keys.binary_search_by_key(&wanted.name, |key| key.name).ok()
    }

    /// Whether some were not ticked off.
    fn has_missing(&self) -> bool {
        let found: usize = self.found.iter().map(|bits| bits.count_ones() as usize).sum();
        found < self.keys.len()
    }
}

/// Shows every key of a file.
fn walk(
    path: &Path,
    clock: &Clock,
    show: &mut dyn FnMut(Seen<'_>) -> Result<(), ToolError>,
) -> Result<(), ToolError> {
    let source = open(path)?;
    let failed = |error| ToolError::rdb(path, error);
    let mut progress = Progress::new(clock, "comparing", source.bytes);
    let options = ReaderOptions {
        depth: Depth::Deep,
        foreign: Foreign::StepOver,
        input_bytes: source.bytes,
        ..ReaderOptions::default()
    };
    let mut reader: Reader<Part<'_>> = Reader::new(source.whole(), options).map_err(failed)?;
    let (rules, mut db) = (Rules::default(), 0);
    loop {
        progress.at(reader.offset());
        let digest = |key: &[u8], value: [u64; 2], expire_at_ms: Option<i64>| {
            let name = halves(xxh3_128_with_seed(key, db));
            KeyDigest { name, value, expire_at_ms: expire_at_ms.unwrap_or(NO_EXPIRY) }
        };
        match reader.next_record(&rules).map_err(failed)? {
            Record::Key(record) => {
                let value = match record.value {
                    Value::Int(value) => digest::of_text(&number::format_i64(value)),
                    Value::Bytes(bytes) => digest::of_text(bytes),
                    Value::Text(text) => digest::of_text(&text),
                    Value::Object(object) => digest::of_view(object.view()),
                    Value::Empty | Value::Expired => continue,
                };
                let digest = digest(record.key, halves(value), record.expire_at_ms);
                show(Seen::Key(SeenKey { db, key: record.key, digest }))?;
            }
            Record::LeftOut { key, expire_at_ms, .. } => {
                let digest = digest(key, NOT_COMPARED, expire_at_ms);
                show(Seen::Key(SeenKey { db, key, digest }))?;
            }
            Record::SelectDb(index) => db = index,
            Record::ResizeDb { keys, .. } => {
                show(Seen::Expected(keys.min(source.bytes / KEY_BYTES_MIN) as usize))?;
            }
            Record::End { .. } => return Ok(()),
            Record::Aux { .. }
            | Record::SlotInfo { .. }
            | Record::FunctionLibrary(_)
            | Record::ModuleAux { .. }
            | Record::Building
            | Record::Ignored(_) => {}
        }
    }
}

fn halves(digest: u128) -> [u64; 2] {
    [(digest >> 64) as u64, digest as u64]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Added,
    Removed,
    Value,
    Expiry,
    Both,
}

impl Change {
    fn words(self) -> &'static str {
        match self {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Value => "value",
            Change::Expiry => "expiry",
            Change::Both => "value, expiry",
        }
    }
}

#[derive(Default)]
struct Counts {
    added: u64,
    removed: u64,
    changed: u64,
    unchanged: u64,
    not_compared: u64,
}

struct Differences<'d, 'a> {
    options: DiffOptions,
    out: &'d mut Sink<'a>,
    counts: Counts,
    told: u64,
}

impl<'d, 'a> Differences<'d, 'a> {
    fn begin(options: DiffOptions, out: &'d mut Sink<'a>) -> Self {
        if options.form == Report::Json {
            out.put(b"{\"differences\":[");
        }
        Differences { options, out, counts: Counts::default(), told: 0 }
    }

    fn compare(&mut self, old: &KeyDigest, new: &SeenKey<'_>) -> Result<(), ToolError> {
        let values = [old.value, new.digest.value];
        if values == [NOT_COMPARED; 2] {
            self.counts.not_compared += 1;
        }
        let same_expiry = old.expire_at_ms == new.digest.expire_at_ms;
        match (values[0] == values[1], same_expiry) {
            (true, true) => {
                self.counts.unchanged += 1;
                Ok(())
            }
            (false, true) => self.tell(Change::Value, new),
            (true, false) => self.tell(Change::Expiry, new),
            (false, false) => self.tell(Change::Both, new),
        }
    }

    fn tell(&mut self, change: Change, key: &SeenKey<'_>) -> Result<(), ToolError> {
        let count = match change {
            Change::Added => &mut self.counts.added,
            Change::Removed => &mut self.counts.removed,
            Change::Value | Change::Expiry | Change::Both => &mut self.counts.changed,
        };
        *count += 1;
        if self.options.names_max.is_some_and(|max| *count > max) {
            return Ok(());
        }
        match self.options.form {
            Report::People => {
                let name = format!("db{} {}", key.db, key.key.escape_ascii());
                self.out.line(&match change {
                    Change::Added => format!("+ {name}"),
                    Change::Removed => format!("- {name}"),
                    other => format!("~ {name} ({})", other.words()),
                });
            }
            Report::Json => {
                if self.told > 0 {
                    self.out.put(b",");
                }
                Json::new(self.out).object(|json| {
                    json.name("db").number(key.db).name("key").bytes(key.key);
                    json.name("change").text(change.words());
                });
            }
        }
        self.told += 1;
        self.out.settle().map_err(ToolError::Output)
    }

    fn end(self) -> Result<Verdict, ToolError> {
        let Counts { added, removed, changed, unchanged, not_compared } = self.counts;
        let all = added + removed + changed;
        match self.options.form {
            Report::People => {
                if self.told < all {
                    self.out.line(&format!("... {} more (--limit 0 shows all)", all - self.told));
                }
                if not_compared > 0 {
                    self.out.line(&format!("{not_compared} values of modules were compared by name only"));
                }
                let counts = format!("{added} added, {removed} removed, {changed} changed");
                self.out.line(&format!("{counts}, {unchanged} unchanged"));
            }
            Report::Json => {
                let equal = all == 0;
                self.out
                    .put(format!("],\"equal\":{equal},\"added\":{added},\"removed\":{removed},").as_bytes());
                let rest = format!("\"changed\":{changed},\"unchanged\":{unchanged}");
                self.out.line(&format!("{rest},\"not_compared\":{not_compared}}}"));
            }
        }
        self.out.flush().map_err(ToolError::Output)?;
        Ok(Verdict::good_if(all == 0))
    }
}
