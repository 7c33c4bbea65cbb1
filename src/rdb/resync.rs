//! Finds, behind a damage, the place from which on a file can be read again.
//!
//! Any byte may look like the beginning of a record, and what is read from a wrong place soon runs into the right
//! records: that many records follow proves nothing of the first. So each candidate place is followed from record to
//! record, and what was seen on the way is added up as evidence:
//!
//! ```text
//! candidates   c   c     c                        every byte from `from` on is tried
//!              │   │     └─▶ no record            goes nowhere: dropped
//!              │   └────▶ ○                       false, and runs into the true records
//!              └▶ ● ──▶ ● ──▶ ● ──▶ ● ──▶ ●       64 bits later: the proven place, `Resync::at`
//! ```
//! | what was read | bits |
//! |---|---|
//! | a record with a string, a set, a hash, a list or a sorted set element by element; an opcode | 6 |
//! | an expiry between 2001 and 2100 | 24 more |
//! | a compressed text that gives exactly the length it announces | 24 more |
//! | a packed value: length, end mark and every element are right, nothing stands twice | 40 |
//!
//! A candidate counts if its records reach the end of the file exactly, or bring 256 bits until something stops them.
//! Of those that count, the one whose proven place comes first is taken. What stands in front of that place, up to 64
//! bits' worth, is not believed: about eleven records of short strings.
//!
//! Two records in a row with the same key are no records: so zeros, which read as empty keys with empty values, and
//! other repetitions lead nowhere. Neither does an end record in the middle: that is another file inside a value.

use super::build::{Around, Build, Built, Scratch};
use super::cursor::{Cursor, Stop, Text};
use super::records::{OPCODE_RESIZEDB, Parsed, ParsedKey, ParsedValue, Unbuilt, parse};
use super::types::Form;
use super::version::Version;
use crate::base::lzf::decompress;
use crate::object::{Depth, Rules};
use std::collections::BTreeMap;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// So much evidence proves a place.
const PROOF_BITS: u32 = 64;
/// So much lets a way count that does not reach the end of the file.
const WAY_BITS: u32 = 256;
const RECORD_BITS: u32 = 6;
const EXPIRY_BITS: u32 = 24;
const COMPRESSED_BITS: u32 = 24;
const PACKED_BITS: u32 = 40;

/// Nobody uses longer names for keys; a damaged length says so all the time.
const KEY_BYTES_MAX: usize = 4096;
/// 2001 to 2100, in Unix milliseconds.
const EXPIRY_MS: Range<i64> = 978_307_200_000..4_102_444_800_000;
/// A record is tried in so many bytes first, as most that are none announce too much.
const TRIED_BYTES: [usize; 4] = [4 << 10, 64 << 10, 1 << 20, usize::MAX];

/// Whether a stretch of a file goes up to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    WithFile,
    Before,
}

/// A place from which on records can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resync {
    /// Where the way to it begins. What was read there before is in doubt, too.
    pub first: usize,
    pub at: usize,
    /// The database that was selected last in what is not believed.
    pub db: Option<u64>,
}

/// A stretch of a file in which to search.
pub struct Search<'a> {
    bytes: &'a [u8],
    ends: Ends,
    version: Version,
    rules: Rules,
    /// The record in which the fault is: no way through here is right.
    faulty: Option<usize>,
    records: BTreeMap<usize, Seen>,
    ways: BTreeMap<usize, Way>,
    scratch: Scratch,
    content: Vec<u8>,
}

/// What is found at a place.
#[derive(Clone, Copy)]
struct Seen {
    bits: u32,
    /// Of the key.
    key: Option<u64>,
    db: Option<u64>,
    next: Next,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Record(usize),
    /// No record, or not all of one.
    Nothing,
    /// The end record, and nothing behind it.
    FileEnd,
    /// The end record in the middle, or the known fault.
    Wrong,
}

/// All that follows a place.
#[derive(Clone, Copy)]
struct Way {
    bits: u32,
    end: Next,
}

impl Way {
    fn counts(self) -> bool {
        match self.end {
            Next::FileEnd => true,
            Next::Nothing => self.bits >= WAY_BITS,
            Next::Wrong | Next::Record(_) => false,
        }
    }
}

impl<'a> Search<'a> {
    pub fn new(bytes: &'a [u8], ends: Ends, version: Version, faulty: Option<usize>) -> Search<'a> {
        Search {
            bytes,
            ends,
            version,
            rules: Rules::default(),
            faulty,
            records: BTreeMap::new(),
            ways: BTreeMap::new(),
            scratch: Scratch::default(),
            content: Vec::new(),
        }
    }

    /// The first proven place whose way begins in `candidates`.
    pub fn find(&mut self, candidates: Range<usize>) -> Option<Resync> {
        let mut best: Option<Resync> = None;
        for first in candidates.clone() {
            if best.is_some_and(|best| best.at <= first) {
                break;
            }
            if self.way(first).counts()
                && !self.jumps_over_fault(first)
                && let Some(found) = self.proven(first)
                // Of two with the same place the later one doubts less of what was read before.
                && best.is_none_or(|best| found.at <= best.at)
            {
                best = Some(found);
            }
        }
        let best = best?;
        Some(Resync { db: self.selected_before(best.at, candidates), ..best })
    }

    /// One record from in front of the fault to behind it is a coincidence more often than not.
    fn jumps_over_fault(&mut self, first: usize) -> bool {
        let next = self.seen(first).next;
        self.faulty
            .is_some_and(|faulty| first < faulty && matches!(next, Next::Record(next) if next > faulty))
    }

    /// The database that was selected last on any way to `at`.
    fn selected_before(&mut self, at: usize, candidates: Range<usize>) -> Option<u64> {
        let mut last = None;
        for from in candidates.start..at {
            let Some(db) = self.seen(from).db else { continue };
            let mut place = from;
            while let Next::Record(next) = self.seen(place).next
                && place < at
            {
                place = next;
            }
            if place == at {
                last = Some(db);
            }
        }
        last
    }

    /// Follows the records from `first` to where they have brought enough evidence.
    fn proven(&mut self, first: usize) -> Option<Resync> {
        let (mut at, mut bits, mut keys) = (first, 0, Vec::new());
        while bits < PROOF_BITS {
            let seen = self.seen(at);
            let Next::Record(next) = seen.next else { return None };
            if let Some(key) = seen.key {
                if keys.contains(&key) {
                    return None;
                }
                keys.push(key);
            }
            bits += seen.bits;
            at = next;
        }
        Some(Resync { first, at, db: None })
    }

    /// Where the records from `start` on lead.
    fn way(&mut self, start: usize) -> Way {
        let mut path: Vec<(usize, Seen)> = Vec::new();
        let mut at = start;
        let mut way = loop {
            let seen = self.seen(at);
            if seen.key.is_some() && path.last().is_some_and(|(_, before)| before.key == seen.key) {
                break Way { bits: 0, end: Next::Wrong };
            }
            if let Some(known) = self.ways.get(&at) {
                break *known;
            }
            path.push((at, seen));
            match seen.next {
                Next::Record(next) => at = next,
                end => break Way { bits: 0, end },
            }
        };
        for (at, seen) in path.into_iter().rev() {
            way.bits = way.bits.saturating_add(seen.bits);
            self.ways.insert(at, way);
        }
        way
    }

    fn seen(&mut self, at: usize) -> Seen {
        if let Some(known) = self.records.get(&at) {
            return *known;
        }
        let seen = self.look(at);
        if seen.next != Next::Nothing {
            self.records.insert(at, seen);
        }
        seen
    }

    fn look(&mut self, at: usize) -> Seen {
        let wrong = |next| Seen { bits: 0, key: None, db: None, next };
        if self.faulty == Some(at) {
            return wrong(Next::Wrong);
        }
        for tried in TRIED_BYTES {
            let end = at.saturating_add(tried).min(self.bytes.len());
            let bytes = self.bytes;
            match self.record(&bytes[at..end]) {
                Ok((Some(len), seen)) => return Seen { next: Next::Record(at + len), ..seen },
                Ok((None, seen)) if seen.next == Next::FileEnd => {
                    let is_end = self.ends == Ends::WithFile && at + seen.bits as usize == self.bytes.len();
                    return wrong(if is_end { Next::FileEnd } else { Next::Wrong });
                }
                Ok((None, _)) => break,
                Err(Stop::NeedsBytes(_)) if end < self.bytes.len() => {}
                Err(_) => break,
            }
        }
        wrong(Next::Nothing)
    }

    /// The record at the beginning of `bytes`, and its length; None if there is none. Of the end record `bits` is the
    /// length.
    fn record(&mut self, bytes: &'a [u8]) -> Result<(Option<usize>, Seen), Stop> {
        let mut cursor = Cursor::new(bytes);
        let seen = |bits, key, db| Seen { bits, key, db, next: Next::Nothing };
        match parse(&mut cursor, self.version, Unbuilt::StepOver)? {
            Parsed::End { .. } => {
                Ok((None, Seen { next: Next::FileEnd, ..seen(cursor.at() as u32, None, None) }))
            }
            Parsed::Key(parsed) => {
                let Some((key, key_bits)) = self.key(bytes, parsed.key) else {
                    return Ok((None, seen(0, None, None)));
                };
                let Some((len, value_bits)) = self.value(bytes, cursor.at(), &parsed)? else {
                    return Ok((None, seen(0, None, None)));
                };
                let is_expiry = parsed.expire_at_ms.is_some_and(|at_ms| EXPIRY_MS.contains(&at_ms));
                let bits = key_bits + value_bits + if is_expiry { EXPIRY_BITS } else { 0 };
                Ok((Some(len), seen(bits, Some(key), None)))
            }
            Parsed::SelectDb(index) => {
                // A sign of its own: what servers write behind it since RDB 7.
                let is_sure = bytes.get(cursor.at()) == Some(&OPCODE_RESIZEDB);
                Ok((Some(cursor.at()), seen(RECORD_BITS, None, is_sure.then_some(index))))
            }
            _ => Ok((Some(cursor.at()), seen(RECORD_BITS, None, None))),
        }
    }

    /// The digest of a key, and what its form proves.
    fn key(&mut self, bytes: &[u8], key: Text) -> Option<(u64, u32)> {
        match key {
            Text::Plain(span) if span.end - span.start > KEY_BYTES_MAX => None,
            Text::Plain(span) => Some((xxh3_64(&bytes[span.start..span.end]), 0)),
            Text::Int(value) => Some((xxh3_64(itoa::Buffer::new().format(value).as_bytes()), 0)),
            Text::Lzf { content_len, .. } if content_len > KEY_BYTES_MAX => None,
            Text::Lzf { .. } => {
                self.decompress(bytes, key).map(|content| (xxh3_64(content), COMPRESSED_BITS))
            }
        }
    }

    /// Where a value ends that begins at `from`, and what it proves; None if it is none.
    fn value(
        &mut self,
        bytes: &'a [u8],
        from: usize,
        parsed: &ParsedKey,
    ) -> Result<Option<(usize, u32)>, Stop> {
        let form = match parsed.value {
            ParsedValue::String(text @ Text::Lzf { .. }) => {
                let is_sound = self.decompress(bytes, text).is_some();
                return Ok(is_sound.then_some((from, RECORD_BITS + COMPRESSED_BITS)));
            }
            ParsedValue::String(_) => return Ok(Some((from, RECORD_BITS))),
            ParsedValue::LongString { len } => {
                let mut cursor = Cursor::new(&bytes[from..]);
                cursor.bytes(len)?;
                return Ok(Some((from + cursor.at(), RECORD_BITS)));
            }
            ParsedValue::SteppedOver => return Ok(Some((from, 0))),
            ParsedValue::Built(form) => form,
        };
        let mut cursor = Cursor::new(&bytes[from..]);
        let mut around = Around {
            rules: &self.rules,
            depth: Depth::Deep,
            now_ms: None,
            input_bytes: 0,
            scratch: &mut self.scratch,
        };
        let mut build = Build::new(form);
        build.step(&mut cursor, &mut around)?;
        let bits = match build.finish() {
            Built::Object(_) if form.is_packed() => PACKED_BITS,
            Built::Object(_) => RECORD_BITS,
            Built::Text(_) => RECORD_BITS,
            Built::Module { .. } => 0,
            // Servers write no such thing.
            Built::Empty | Built::Expired => return Ok(None),
        };
        Ok(Some((from + cursor.at(), bits)))
    }

    /// The content of a compressed text, if it is sound.
    fn decompress(&mut self, bytes: &[u8], text: Text) -> Option<&[u8]> {
        let Text::Lzf { stream, content_len } = text else { return None };
        if self.content.len() < content_len {
            self.content.resize(content_len, 0);
        }
        let content = &mut self.content[..content_len];
        decompress(&bytes[stream.start..stream.end], content).ok()?;
        Some(content)
    }
}

impl Form {
    /// Whether a value of this form is made of blobs that tell their own length.
    fn is_packed(self) -> bool {
        use super::types::Nodes;
        match self {
            Form::Blob(_) | Form::Stream(_) | Form::List(Nodes::Ziplists | Nodes::Listpacks) => true,
            Form::List(Nodes::None) | Form::Set | Form::Zset(_) | Form::Hash(_) | Form::Module => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::{Checksum, Compression, RdbWriter, StringValue, WriterOptions};

    /// A file of short strings, and where their records begin.
    fn file(keys: usize) -> (Vec<u8>, Vec<usize>) {
        let options = WriterOptions { compression: Compression::Off, checksum: Checksum::On, version: 10 };
        let mut writer = RdbWriter::new(Vec::new(), options);
        writer.header(&[]).unwrap();
        writer.select_db(0, keys as u64, 0).unwrap();
        let mut starts = Vec::new();
        for n in 0..keys {
            starts.push(writer.bytes() as usize);
            let (key, value) = (format!("key:{n}"), format!("value {n}"));
            writer.string(key.as_bytes(), None, None, StringValue::Bytes(value.as_bytes())).unwrap();
        }
        (writer.finish().unwrap().1, starts)
    }

    fn version() -> Version {
        Version::from_number(10).unwrap()
    }

    #[test]
    fn every_damage_is_left_behind_within_64_bits() {
        let (whole, starts) = file(60);
        for damaged in 2..20 {
            for fill in [0, 0xff, b'x'] {
                let mut bytes = whole.clone();
                bytes[starts[damaged]..starts[damaged + 1] + 3].fill(fill);
                let mut search = Search::new(&bytes, Ends::WithFile, version(), Some(starts[damaged]));
                let found = search.find(starts[damaged]..bytes.len()).expect("much follows");
                let place = starts.binary_search(&found.at).expect("a record begins there");
                assert!(place > damaged + 1, "{place} after {damaged} filled with {fill}");
                assert!(place <= damaged + 2 + PROOF_BITS.div_ceil(RECORD_BITS) as usize);
            }
        }
    }

    #[test]
    fn nothing_is_found_where_too_little_follows() {
        let (mut bytes, starts) = file(60);
        bytes[starts[52]..starts[53] + 3].fill(b'x');
        let mut search = Search::new(&bytes, Ends::WithFile, version(), Some(starts[52]));
        assert_eq!(search.find(starts[52]..bytes.len()), None);
        // Cut: the way from the middle goes on for less than it would have to.
        let (bytes, starts) = file(60);
        let cut = &bytes[..starts[59] + 2];
        assert_eq!(Search::new(cut, Ends::WithFile, version(), None).find(starts[30]..cut.len()), None);
        let mut search = Search::new(cut, Ends::WithFile, version(), None);
        assert!(search.find(starts[1]..cut.len()).is_some());
    }

    #[test]
    fn zeros_and_files_in_files_lead_nowhere() {
        let zeros = vec![0; 100_000];
        assert_eq!(Search::new(&zeros, Ends::Before, version(), None).find(0..50_000), None);
        let (inner, _) = file(60);
        let outer = [&inner[..], &[b'x'; 1000]].concat();
        assert_eq!(Search::new(&outer, Ends::WithFile, version(), None).find(9..outer.len()), None);
    }
}
