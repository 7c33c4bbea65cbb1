//! Files of all types, damaged at random places from a seed: what comes out loads, and holds nothing that was not in.

use super::*;
use crate::base::argv::Argv;
use crate::base::clock::Now;
use crate::encoding::quicklist::End;
use crate::object::stream::NewId;
use crate::object::{DataType, Hash, List, Object, Rules, Set, Stream, Zset, digest};
use crate::rdb::{
    Checksum, Compression, RdbWriter, StringValue, Value, ValueWriter, WriterOptions, type_byte, write_value,
};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::rc::Rc;
use tempfile::TempDir;

/// More than enough short strings for 64 bits of evidence, and the record in which the damage ends.
const DOUBTED_RECORDS_MAX: usize = 12;
const RECORDS: usize = 400;

/// A database and a key in it.
type Name = (u64, Vec<u8>);
/// A value's digest and its expiry.
type Content = BTreeMap<Name, (u128, Option<i64>)>;

struct Original {
    bytes: Vec<u8>,
    content: Content,
    /// Where each record lies, and whose it is.
    records: Vec<(Range<usize>, Name)>,
}

fn text(rng: &mut fastrand::Rng, bytes_max: usize) -> Vec<u8> {
    let length = rng.usize(0..=bytes_max);
    match rng.u8(..3) {
        0 => (0..length).map(|_| rng.u8(..)).collect(),
        1 => (0..length).map(|_| rng.lowercase() as u8).collect(),
        _ => rng.i32(..).to_string().into_bytes(),
    }
}

fn object(rng: &mut fastrand::Rng, rules: &Rules) -> Object {
    let count = rng.usize(1..30);
    match rng.u8(..5) {
        0 => {
            let mut list = List::create(rules);
            let elements: Vec<_> = (0..count).map(|_| text(rng, 40)).collect();
            list.push(End::Tail, elements.iter().map(Vec::as_slice), rules);
            Object::List(list)
        }
        1 => {
            let mut set = Set::create(rules);
            for _ in 0..count {
                set.add(&text(rng, 30), rules);
            }
            Object::Set(set)
        }
        2 => {
            let mut zset = Zset::create(rules);
            for _ in 0..count {
                zset.add(&text(rng, 20), rng.f64() * 100.0, rules);
            }
            Object::Zset(zset)
        }
        3 => {
            let mut hash = Hash::create(rules);
            for _ in 0..count {
                let (field, value) = (text(rng, 20), text(rng, 30));
                hash.load(&field, &value, None, rules);
            }
            Object::Hash(hash)
        }
        _ => {
            let mut stream = Stream::create(rules);
            for number in 1..=count {
                let fields: Argv = [text(rng, 10), text(rng, 30)].iter().collect();
                let id = NewId::parse(format!("{number}-1").as_bytes()).unwrap();
                stream.log_mut().append(id, fields.args(), 0, rules).unwrap();
            }
            Object::Stream(Box::new(stream))
        }
    }
}

/// A file of `RECORDS` keys; `strings` of ten are strings.
fn original(seed: u64, strings: u8) -> Original {
    let mut rng = fastrand::Rng::with_seed(seed);
    let packed = Rules::default();
    let tables = Rules {
        hash_max_listpack_entries: 0,
        set_max_listpack_entries: 0,
        set_max_intset_entries: 0,
        zset_max_listpack_entries: 0,
        ..Rules::default()
    };
    let options = WriterOptions { compression: Compression::Lzf, checksum: Checksum::On, version: 11 };
    let mut writer = RdbWriter::new(Vec::new(), options);
    writer.header(&[("redis-ver", b"7.0.15")]).unwrap();
    let (mut content, mut records) = (Content::new(), Vec::new());
    for number in 0..RECORDS {
        let db = (number * 2 / RECORDS) as u64;
        if number % (RECORDS / 2) == 0 {
            writer.select_db(db, RECORDS as u64 / 2, 0).unwrap();
        }
        let start = writer.bytes() as usize;
        let key = format!("key:{number}:{}", rng.u32(..)).into_bytes();
        let expire_at_ms = rng.bool().then(|| 1_700_000_000_000 + i64::from(rng.u32(..)));
        let digest = if rng.u8(..10) < strings {
            let value =
                if rng.u8(..8) == 0 { b"abcabcabc".repeat(rng.usize(1..50)) } else { text(&mut rng, 100) };
            writer.string(&key, expire_at_ms, None, StringValue::Bytes(&value)).unwrap();
            digest::of_text(&value)
        } else {
            let object = object(&mut rng, if number % 2 == 0 { &tables } else { &packed });
            writer.begin(&key, expire_at_ms, None, type_byte(object.view(), writer.version())).unwrap();
            write_value(&mut writer, object.view()).unwrap();
            digest::of_view(object.view())
        };
        records.push((start..writer.bytes() as usize, (db, key.clone())));
        content.insert((db, key), (digest, expire_at_ms));
    }
    let (_, bytes) = writer.finish().unwrap();
    Original { bytes, content, records }
}

/// What a sound file holds.
fn content(bytes: &[u8]) -> Content {
    let mut reader = Reader::new(bytes, ReaderOptions::default()).expect("a head");
    let (mut content, mut db) = (Content::new(), 0);
    loop {
        match reader.next_record(&Rules::default()).expect("a sound record") {
            Record::SelectDb(index) => db = index,
            Record::Key(record) => {
                let value = match &record.value {
                    Value::Int(value) => digest::of_text(value.to_string().as_bytes()),
                    Value::Bytes(bytes) => digest::of_text(bytes),
                    Value::Text(text) => digest::of_text(text),
                    Value::Object(object) => digest::of_view(object.view()),
                    Value::Empty | Value::Expired => panic!("a value without elements"),
                };
                let twice = content.insert((db, record.key.to_vec()), (value, record.expire_at_ms));
                assert_eq!(twice, None, "a load would refuse a key that comes twice");
            }
            Record::End { .. } => break,
            _ => {}
        }
    }
    assert!(reader.at_end().unwrap());
    content
}

struct Salvaged {
    content: Content,
    verdict: Verdict,
    report: String,
}

fn salvaged(bytes: &[u8]) -> Salvaged {
    let folder = TempDir::new().expect("a temporary directory");
    let (input, output) = (folder.path().join("in.rdb"), folder.path().join("out.rdb"));
    fs::write(&input, bytes).unwrap();
    let mut report = Vec::new();
    let clock = Clock::manual(Rc::new(Cell::new(Now::default())));
    let verdict = salvage(&input, &output, &clock, 1, &mut Sink::new(&mut report)).expect("it is written");
    let report = String::from_utf8(report).unwrap();
    Salvaged { content: content(&fs::read(output).unwrap()), verdict, report }
}

/// Every key is as it was, unless the damage is in its record (there its name or value may be other); all in front of
/// the damage are there, and all that begin behind the records which it takes to prove a place. A damage that leaves
/// a file which can be read, with lengths that fit again, is not noticed but by the checksum: then the report says
/// that nothing tells what is right.
fn assert_honest(
    original: &Original,
    damaged: &[u8],
    salvaged: &Salvaged,
    damage: &Range<usize>,
    what: &str,
) {
    let report = &salvaged.report;
    let overlaps = |place: &Range<usize>| place.start < damage.end && damage.start < place.end;
    let touched: Vec<_> = original.records.iter().filter(|(place, _)| overlaps(place)).collect();
    // A name is text like any other: what was damaged in it cannot be told.
    let is_renamed = |name: &[u8]| {
        let reach =
            damage.start.saturating_sub(name.len())..damaged.len().min(damage.end.saturating_add(name.len()));
        damaged[reach].windows(name.len().max(1)).any(|found| found == name)
    };
    let is_noticed = !report.contains("every record can be read");
    // Keys whose SELECTDB is gone are in the database before.
    let half = RECORDS / 2;
    let is_selection_lost = overlaps(&(original.records[half - 1].0.end..original.records[half].0.start));
    let expected = |key: &Name| {
        let elsewhere =
            || is_selection_lost.then(|| original.content.get(&(1 - key.0, key.1.clone()))).flatten();
        original.content.get(key).or_else(elsewhere)
    };
    for (key, value) in salvaged.content.iter().filter(|_| is_noticed) {
        let shown = key.1.escape_ascii();
        if touched.iter().any(|(_, touched)| touched.1 == key.1) || is_renamed(&key.1) {
            continue;
        }
        match expected(key) {
            Some(expected) => assert_eq!(value, expected, "{what}: {shown} has another value\n{report}"),
            None => panic!("{what}: {shown} is made up\n{report}"),
        }
    }
    let first_behind = original.records.partition_point(|(place, _)| place.start < damage.end);
    let proven = first_behind + DOUBTED_RECORDS_MAX;
    for (number, (place, key)) in original.records.iter().enumerate() {
        let must_be_there = place.end <= damage.start || (is_noticed && number >= proven);
        let elsewhere = (1 - key.0, key.1.clone());
        let is_there = [key, &elsewhere].iter().any(|key| salvaged.content.contains_key(*key));
        assert!(!must_be_there || is_there, "{what}: {} is missing\n{report}", key.1.escape_ascii());
    }
}

#[test]
fn a_sound_file_comes_back_whole() {
    let original = original(1, 5);
    let salvaged = salvaged(&original.bytes);
    assert_eq!(
        (salvaged.verdict, &salvaged.content),
        (Verdict::Good, &original.content),
        "{}",
        salvaged.report
    );
    assert!(salvaged.report.contains("Nothing was lost"));
}

#[test]
fn a_byte_or_two_are_mended() {
    let original = original(2, 5);
    let mut rng = fastrand::Rng::with_seed(2);
    for round in 0..20 {
        let mut bytes = original.bytes.clone();
        let at = rng.usize(..bytes.len() - 1);
        bytes[at] ^= 1 << rng.u8(..8);
        if round % 2 == 1 {
            bytes[at + 1] ^= rng.u8(..);
        }
        let salvaged = salvaged(&bytes);
        assert!(salvaged.content == original.content, "byte {at}\n{}", salvaged.report);
        assert_eq!(salvaged.verdict, Verdict::Good, "byte {at}\n{}", salvaged.report);
    }
}

#[test]
fn cut_anywhere_all_before_is_saved() {
    let original = original(3, 5);
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..20 {
        let at = rng.usize(9..original.bytes.len());
        let salvaged = salvaged(&original.bytes[..at]);
        assert_honest(
            &original,
            &original.bytes[..at],
            &salvaged,
            &(at..usize::MAX),
            &format!("cut at {at}"),
        );
        assert_eq!(salvaged.verdict, Verdict::Bad);
    }
}

#[test]
fn overwritten_anywhere_the_rest_is_saved() {
    for (seed, strings) in [(4, 0), (5, 5), (6, 10)] {
        let original = original(seed, strings);
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..20 {
            let mut bytes = original.bytes.clone();
            let length_max = [8, 100, 4000][rng.usize(..3)];
            let length = rng.usize(3..length_max);
            let at = rng.usize(9..bytes.len() - length);
            let damage = at..at + length;
            match rng.u8(..4) {
                0 => bytes[damage.clone()].fill(0),
                1 => bytes[damage.clone()].fill(0xff),
                2 => bytes[damage.clone()].fill_with(|| rng.u8(..)),
                // Shifted by what is no length of a record.
                _ => bytes.copy_within(at + 1..at + length, at),
            }
            let salvaged = salvaged(&bytes);
            assert_honest(&original, &bytes, &salvaged, &damage, &format!("seed {seed}: {damage:?}"));
            let is_all = salvaged.content == original.content;
            assert!(
                is_all || salvaged.verdict == Verdict::Bad,
                "seed {seed}: {damage:?}\n{}",
                salvaged.report
            );
        }
    }
}

#[test]
fn the_head_and_the_end_may_be_gone() {
    let original = original(7, 5);
    let mut bytes = original.bytes.clone();
    bytes[..20].fill(b'?');
    let found = salvaged(&bytes);
    assert_honest(&original, &bytes, &found, &(0..20), "without a head");
    assert!(found.report.contains("head of the file is damaged"), "{}", found.report);
    // The stored checksum is damaged, or none was made.
    for (fill, verdict) in [(0, Verdict::Good), (0x55, Verdict::Bad)] {
        let mut bytes = original.bytes.clone();
        let end = bytes.len() - 8;
        bytes[end..].fill(fill);
        let found = salvaged(&bytes);
        assert_eq!((found.content == original.content, found.verdict), (true, verdict), "{}", found.report);
    }
    let trailing = [&original.bytes[..], b"more"].concat();
    let found = salvaged(&trailing);
    assert!(found.content == original.content && found.report.contains("4 bytes behind"), "{}", found.report);
}

#[test]
fn the_damaged_file_is_not_overwritten() {
    let folder = TempDir::new().expect("a temporary directory");
    let path = folder.path().join("dump.rdb");
    fs::write(&path, original(8, 5).bytes).unwrap();
    let clock = Clock::manual(Rc::new(Cell::new(Now::default())));
    let result = salvage(&path, &path, &clock, 1, &mut Sink::new(Vec::new()));
    assert!(matches!(result, Err(ToolError::Usage(_))));
    let gone = salvage(Path::new("/nowhere"), &path, &clock, 1, &mut Sink::new(Vec::new()));
    assert!(matches!(gone, Err(ToolError::File { .. })));
}
