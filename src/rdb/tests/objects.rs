//! Values of all types: what Redis 7.0.15 wrote, what old and new servers write, what we write, and what is refused.

use super::*;
use crate::encoding::listpack::{Element, edit};
use crate::object::{Object, Stream, View};
use std::fmt::Write as _;

/// A value as text, the same for equal values whatever their encoding.
pub(super) fn shown(view: View<'_>) -> String {
    let text = |element: Element<'_>| element.to_vec().escape_ascii().to_string();
    let mut parts = Vec::new();
    match view {
        View::List(list) => list.for_each(|element| parts.push(text(element))),
        View::Set(set) => set.iter().for_each(|member| parts.push(text(member))),
        View::Zset(zset) => {
            zset.iter().for_each(|(member, score)| parts.push(format!("{}={score:?}", text(member))))
        }
        View::Hash(hash) => hash.for_each_stored(&mut |stored| {
            let expiry = stored.expire_at_ms.map(|at_ms| format!("@{at_ms}")).unwrap_or_default();
            parts.push(format!("{}={}{expiry}", text(stored.field), text(stored.value)));
        }),
        View::Stream(stream) => parts.push(shown_stream(stream)),
    }
    if !matches!(view, View::List(_)) {
        parts.sort();
    }
    format!("{} {}", view.value_type().name(), parts.join(" "))
}

fn shown_stream(stream: &Stream) -> String {
    let (mut out, log) = (String::new(), stream.log());
    for entry in log.iter() {
        write!(out, "{}", entry.id).unwrap();
        for (field, value) in entry.fields {
            let text = |element: Element<'_>| element.to_vec().escape_ascii().to_string();
            write!(out, ":{}={}", text(field), text(value)).unwrap();
        }
        out.push(' ');
    }
    let (last, deleted, added) = (log.last_id(), log.max_deleted_id(), log.entries_added());
    write!(out, "last {last} deleted {deleted} added {added}").unwrap();
    for (name, group) in stream.groups() {
        let (name, last, read) = (name.escape_ascii(), group.last_id(), group.entries_read());
        write!(out, " group {name} at {last} read {read:?}").unwrap();
        for consumer in group.consumers() {
            let (name, seen, active) =
                (consumer.name().escape_ascii(), consumer.seen_ms(), consumer.active_ms());
            write!(out, " consumer {name} seen {seen} active {active:?}").unwrap();
            for id in consumer.pending() {
                let pending = group.pending_entry(id).expect("what a consumer owns is pending");
                write!(out, " {id} at {} x{}", pending.delivered_ms, pending.deliveries).unwrap();
            }
        }
        for id in group.released() {
            let pending = group.pending_entry(id).expect("what was released is pending");
            write!(out, " released {id} x{}", pending.deliveries).unwrap();
        }
    }
    out
}

pub(super) fn number(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    length::put_length(&mut out, value);
    out
}

pub(super) fn string(content: &[u8]) -> Vec<u8> {
    [&number(content.len() as u64)[..], content].concat()
}

fn listpack(texts: &[&str]) -> Vec<u8> {
    let mut blob = edit::empty();
    texts.iter().for_each(|text| edit::push(&mut blob, text.as_bytes()));
    blob
}

/// The value of the key in a file of one record.
fn value_of(magic: &str, record: &[u8]) -> Result<String, RdbError> {
    value_with(magic, record, ReaderOptions { depth: Depth::Deep, ..ReaderOptions::default() })
}

fn value_with(magic: &str, record: &[u8], options: ReaderOptions) -> Result<String, RdbError> {
    let content = read_with(&file(magic, record)[..], options)?;
    let shown = |key: &Key| match &key.value {
        Ok(shown) => String::from_utf8_lossy(shown).into_owned(),
        Err(value) => value.to_string(),
    };
    Ok(content.keys.iter().map(shown).collect::<Vec<_>>().join(" and "))
}

fn object_of(payload: &[u8]) -> Object {
    let rules = Rules::default();
    match restore(payload, &RestoreOptions { checksum: Checksum::On, rules: &rules, now_ms: 0 }) {
        Ok(Restored::Object(object)) => object,
        _ => panic!("no object"),
    }
}

const STREAM: &str = "stream 1-1:f=v last 1-1 deleted 0-0 added 1 group g at 1-1 read Some(1) consumer c1 seen \
                      1795434413981 active Some(1795434413981) 1-1 at 1795434413981 x1";

#[test]
fn a_file_of_redis_with_all_types() {
    let bytes = unhex(TYPES_FILE);
    let content = read(&bytes).unwrap();
    let text = |name: &str| String::from_utf8(content.value(name).clone().unwrap()).unwrap();
    assert_eq!(text("stream"), STREAM);
    assert_eq!(text("list"), "list a b c");
    assert_eq!(text("zset2"), "zset a=1.5");
    assert_eq!(text("hash2"), "hash f=v");
    assert_eq!(text("zset"), "zset a=1.5");
    assert_eq!(text("hash"), "hash f=v");
    assert_eq!(text("ints"), "set 1 2 3");
    let report = check(&bytes[..], NOW_MS, &mut |_| {});
    assert!(report.fault.is_none(), "{:?}", report.fault);
    assert_eq!((report.keys, report.databases, report.bytes), (9, 1, bytes.len() as u64));
    let counts: Vec<u64> = report.type_counts.values().copied().collect();
    assert_eq!(counts, [1; 9]);
    assert!(report.type_counts.contains_key("sorted set with binary scores"));
    assert_eq!(report.aux[0], ("redis-ver".to_owned(), "7.0.15".to_owned()));
}

#[test]
fn payloads_of_redis_come_back_byte_for_byte() {
    for (text, expected) in [
        ("12010210100000000300816102816202816302ff0a00c818b90c9533529e", "list a b c"),
        ("0b0e02000000030000000100020003000a00a5025ce26d6e4d1b", "set 1 2 3"),
        ("0202016101620a00fe642125eb033d0d", "set a b"),
        ("110f0f000000020081610283312e3504ff0a00080c6e19808e7d98", "zset a=1.5"),
        ("100d0d0000000200816602817602ff0a0020f13d442354089d", "hash f=v"),
    ] {
        let object = object_of(&unhex(text));
        assert_eq!(shown(object.view()), expected);
        let mut dumped = Vec::new();
        dump_object(object.view(), Compression::Lzf, &mut dumped);
        assert_eq!(dumped, unhex(text), "{expected}");
    }
    for (text, expected) in [
        ("0401016601760a00adf24356b1860efc", "hash f=v"),
        ("05010161000000000000f83f0a0045a3a88f44e959da", "zset a=1.5"),
    ] {
        assert_eq!(shown(object_of(&unhex(text)).view()), expected);
    }
}

/// A magic, a record and what it says.
pub(super) type Case = (&'static str, Vec<u8>, &'static str);

/// One record of each form.
pub(super) fn forms() -> Vec<Case> {
    [collections(), streams()].concat()
}

fn collections() -> Vec<Case> {
    let blob = |type_byte: u8, blob: Vec<u8>| [&[type_byte, 1, b'k'][..], &string(&blob)].concat();
    let plain = |bytes: &[u8]| bytes.to_vec();
    let ex = |min: u64, triples: &[&str]| {
        [&b"\x19\x01k"[..], &min.to_le_bytes(), &string(&listpack(triples))].concat()
    };
    vec![
        ("REDIS0001", plain(b"\x01\x01k\x02\x01a\xc0\x05"), "list a 5"),
        ("REDIS0001", plain(b"\x02\x01k\x02\x01a\xc0\x05"), "set 5 a"),
        ("REDIS0003", plain(b"\x03\x01k\x03\x01a\x031.5\x01b\xfe\x01c\xff"), "zset a=1.5 b=inf c=-inf"),
        ("REDIS0001", plain(b"\x04\x01k\x01\x01f\xc0\x05"), "hash f=5"),
        ("REDIS0008", [&b"\x05\x01k\x01\x01a"[..], &0.5f64.to_le_bytes()].concat(), "zset a=0.5"),
        (
            "REDIS0010",
            plain(b"\x12\x01k\x03\x01\x01a\x02\x09\x09\0\0\0\x01\0\x05\x01\xff\x01\x01b"),
            "list a 5 b",
        ),
        ("REDIS0010", blob(16, listpack(&["f", "v", "g", "5"])), "hash f=v g=5"),
        ("REDIS0010", blob(17, listpack(&["a", "-1", "b", "1.5"])), "zset a=-1.0 b=1.5"),
        ("REDIS0011", blob(20, listpack(&["a", "5"])), "set 5 a"),
        ("REDIS0012", plain(b"\x16\x01k\x02\x05\x01f\x01v\x00\x01g\x01w"), "hash f=v@5 g=w"),
        ("REDIS0012", blob(23, listpack(&["f", "v", "5", "g", "w", "0"])), "hash f=v@5 g=w"),
        (
            "REDIS0012",
            plain(b"\x18\x01k\x05\0\0\0\0\0\0\0\x03\x01\x01f\x01v\x00\x01g\x01w\x03\x01h\x01x"),
            "hash f=v@5 g=w h=x@7",
        ),
        ("REDIS0012", ex(5, &["f", "v", "5", "g", "w", "0"]), "hash f=v@5 g=w"),
        (
            "VALKEY080",
            plain(b"\x16\x01k\x02\x01f\x01v\x05\0\0\0\0\0\0\0\x01g\x01w\xff\xff\xff\xff\xff\xff\xff\xff"),
            "hash f=v@5 g=w",
        ),
    ]
}

fn streams() -> Vec<Case> {
    let id = |ms: u64| [ms.to_be_bytes(), 1u64.to_be_bytes()].concat();
    let node = listpack(&["1", "0", "1", "f", "0", "2", "0", "0", "v", "4"]);
    let log = [&number(1)[..], &string(&id(5)), &string(&node), b"\x01\x05\x01"].concat();
    let log_2 = [&log[..], b"\x05\x01\0\0\x01"].concat();
    let pending = [&b"\x01"[..], &id(5), &7u64.to_le_bytes(), b"\x02"].concat();
    let consumer = |active: &[u8]| [&b"\x01\x01c"[..], &8u64.to_le_bytes(), active, b"\x01", &id(5)].concat();
    let active = 9u64.to_le_bytes();
    let stream = |type_byte: u8, parts: &[&[u8]]| [&[type_byte, 1, b'k'], &parts.concat()[..]].concat();
    vec![
        (
            "REDIS0009",
            stream(15, &[&log, b"\x01\x01g\x05\x01", &pending, &consumer(b"")]),
            "stream 5-1:f=v last 5-1 deleted 0-0 added 1 group g at 5-1 read Some(1) consumer c seen 8 \
             active Some(8) 5-1 at 7 x2",
        ),
        (
            "REDIS0010",
            stream(19, &[&log_2, b"\x01\x01g\x05\x01\x01", &pending, &consumer(b"")]),
            "stream 5-1:f=v last 5-1 deleted 0-0 added 1 group g at 5-1 read Some(1) consumer c seen 8 \
             active Some(8) 5-1 at 7 x2",
        ),
        (
            "REDIS0011",
            stream(
                21,
                &[
                    &log_2,
                    b"\x01\x01g\x05\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff",
                    &pending,
                    &consumer(&active),
                ],
            ),
            "stream 5-1:f=v last 5-1 deleted 0-0 added 1 group g at 5-1 read None consumer c seen 8 \
             active Some(9) 5-1 at 7 x2",
        ),
        (
            "REDIS0013",
            stream(26, &[&log_2, b"\0", b"\x3c\x05\x01\x03pid\x01\x03iid\x05\x01\x01\0"]),
            "stream 5-1:f=v last 5-1 deleted 0-0 added 1",
        ),
        (
            "REDIS0014",
            stream(27, &[&log_2, b"\x01\x01g\x05\x01\x01", &pending, b"\0\x01", &id(5), b"\x3c\x05\0\0\0"]),
            "stream 5-1:f=v last 5-1 deleted 0-0 added 1 group g at 5-1 read Some(1) released 5-1 x2",
        ),
        ("REDIS0009", stream(15, &[b"\0\0\0\0\0"]), "stream last 0-0 deleted 0-0 added 0"),
    ]
}

#[test]
fn every_form_is_read() {
    for (magic, record, expected) in forms() {
        assert_eq!(value_of(magic, &record).unwrap(), expected, "{}", record.escape_ascii());
        let bytes = file(magic, &record);
        for step in [1, 3] {
            let drip = Drip { bytes: &bytes, step, fails: None };
            let content = read_all(drip, Checksum::On).unwrap();
            assert_eq!(content.value("k").clone().unwrap(), expected.as_bytes());
        }
        let report = check(&bytes[..], NOW_MS, &mut |_| {});
        assert!(report.fault.is_none() && report.keys == 1, "{:?}", report.fault);
    }
}

/// What was read is written in the lowest version that holds it, and read again.
#[test]
fn every_form_is_written_in_ours() {
    for (magic, record, expected) in forms() {
        let bytes = file(magic, &record);
        let rules = Rules::default();
        let mut reader = Reader::new(&bytes[..], ReaderOptions::default()).unwrap();
        let Ok(Record::Key(KeyRecord { value: Value::Object(object), .. })) = reader.next_record(&rules)
        else {
            panic!("an object")
        };
        for compression in [Compression::Off, Compression::Lzf] {
            let mut payload = Vec::new();
            dump_object(object.view(), compression, &mut payload);
            assert_eq!(shown(object_of(&payload).view()), expected);
            let version = match expected {
                _ if expected.contains('@') => 12,
                _ if expected.contains("active Some(9)") => 11,
                _ if expected.contains("released") => 14,
                _ => VERSION_BASE,
            };
            assert_eq!(payload[payload.len() - 10..payload.len() - 8], version.to_le_bytes(), "{expected}");
            let options = WriterOptions { version: object.view().rdb_version(), ..options(compression) };
            let mut writer = RdbWriter::new(Vec::new(), options);
            writer.header(&[]).unwrap();
            writer.begin(b"k", Some(7), None, type_byte(object.view(), options.version)).unwrap();
            write_value(&mut writer, object.view()).unwrap();
            let written = writer.finish().unwrap().1;
            let key = read(&written).unwrap().keys.remove(0);
            assert_eq!(key.value.unwrap(), expected.as_bytes());
            assert_eq!(key.expire_at_ms, Some(7));
            let value = &written[21..written.len() - 9];
            assert_eq!(value, &payload[1..payload.len() - 10], "one code writes both");
        }
    }
}

#[test]
fn cut_off_or_damaged_at_every_byte() {
    for (magic, record, _) in forms() {
        let good = file(magic, &record);
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "{cut}");
            let fault = check(&good[..cut], NOW_MS, &mut |_| {}).fault.expect("it is cut off");
            assert!(fault.offset <= cut as u64, "{fault}");
        }
        for at in 9..good.len() {
            for flip in [1, 0x80, 0xff, good[at], good[at] ^ 0x3f] {
                let mut bytes = good.clone();
                bytes[at] ^= flip;
                let _ = read_all(&bytes[..], Checksum::Off);
                let _ = check(&bytes[..], 0, &mut |_| {});
                let _ = restored(&payload(&bytes[12..], 10), Checksum::On);
            }
        }
    }
}

#[test]
fn faults_of_values_say_what_and_where() {
    let blob = |type_byte: u8, blob: &[u8]| [&[type_byte, 1, b'k'][..], &string(blob)].concat();
    let fault = |magic: &str, record: &[u8]| value_of(magic, record).unwrap_err().to_string();
    let twice = "Duplicate set members detected at offset 15, in key 'k'";
    assert_eq!(fault("REDIS0010", b"\x02\x01k\x02\x01a\x01a"), twice);
    let twice = "Duplicate hash fields detected at offset 17, in key 'k'";
    assert_eq!(fault("REDIS0010", b"\x04\x01k\x02\x01a\x01x\x01a\x01y"), twice);
    let nan = [&b"\x05\x01k\x01\x01a"[..], &f64::NAN.to_le_bytes()].concat();
    assert_eq!(fault("REDIS0010", &nan), "sorted set: a score that is not a number at offset 13, in key 'k'");
    let wrong = "A score that is no number at offset 15, in key 'k'";
    assert_eq!(fault("REDIS0003", b"\x03\x01k\x01\x01a\x031x5"), wrong);
    assert_eq!(
        fault("REDIS0010", b"\x12\x01k\x01\x03\x01a"),
        "Quicklist integrity check failed. at offset 13, in key 'k'"
    );
    let packed = blob(16, &listpack(&["f", "v", "g"]));
    assert!(fault("REDIS0010", &packed).ends_with(" at offset 12, in key 'k'"));
    let ziplist = "Ziplist without an end mark at offset 12, in key 'k'";
    assert_eq!(fault("REDIS0002", &blob(10, b"abc")), ziplist);
    assert_eq!(
        fault("REDIS0012", b"\x18\x01k\xff\xff\xff\xff\xff\xff\xff\xff\x01\x05\x01f\x01v"),
        "An expiry of a field that is no time at offset 21, in key 'k'"
    );
}

#[test]
fn empty_collections_are_no_values() {
    let blob = |type_byte: u8, blob: &[u8]| [&[type_byte, 1, b'k'][..], &string(blob)].concat();
    let empty = listpack(&[]);
    for record in [
        b"\x01\x01k\0".to_vec(),
        b"\x02\x01k\0".to_vec(),
        b"\x04\x01k\0".to_vec(),
        b"\x05\x01k\0".to_vec(),
        b"\x12\x01k\0".to_vec(),
        blob(9, b"\0\xff"),
        blob(10, b"\x0b\0\0\0\x0a\0\0\0\0\0\xff"),
        blob(16, &empty),
        blob(17, &empty),
        blob(20, &empty),
        [&b"\x12\x01k\x01\x02"[..], &string(&empty)].concat(),
    ] {
        assert_eq!(value_of("REDIS0012", &record).unwrap(), "Empty", "{}", record.escape_ascii());
        let report = check(&file("REDIS0012", &record)[..], NOW_MS, &mut |_| {});
        assert!(report.fault.is_none() && report.empty_keys == 1);
        assert_eq!(
            restored(&payload(&[&record[..1], &record[3..]].concat(), 10), Checksum::On),
            Err(RestoreError::Format)
        );
    }
}

#[test]
fn fields_that_expired_are_dropped() {
    let at = |now_ms| ReaderOptions { now_ms: Some(now_ms), ..ReaderOptions::default() };
    let hashes = forms().into_iter().filter(|(_, _, expected)| expected.contains("f=v@5"));
    let mut count = 0;
    for (magic, record, expected) in hashes {
        assert_eq!(value_with(magic, &record, at(5)).unwrap(), expected);
        let left = expected.replace("f=v@5 ", "");
        assert_eq!(value_with(magic, &record, at(6)).unwrap(), left);
        count += 1;
    }
    assert_eq!(count, 5);
    let only = b"\x16\x01k\x01\x05\x01f\x01v";
    assert_eq!(value_with("REDIS0012", only, at(6)).unwrap(), "Expired");
    let only = [&b"\x17\x01k"[..], &string(&listpack(&["f", "v", "5"]))].concat();
    assert_eq!(value_with("REDIS0012", &only, at(6)).unwrap(), "Expired");
}

#[test]
fn what_cannot_be_held_is_refused_or_left_out() {
    let module_id: u64 = 0b000001_000010 << 52;
    let module =
        [&b"\x07\x01k\x81"[..], &module_id.to_be_bytes(), b"\x02\x07\x05\x03abc\x03abcd\x00"].concat();
    let name = module_name(module_id);
    assert!(name.starts_with("BC"));
    let text = value_of("REDIS0010", &module).unwrap_err().to_string();
    assert!(
        text.contains(&format!("no matching module type '{name}'")) && text.ends_with("in key 'k'"),
        "{text}"
    );
    let array = b"\x1c\x01k\x03\x01\x09\x00\x00\x01a\x01\x0112345678\x02\x03\x01b";
    let text = value_of("REDIS0014", array).unwrap_err().to_string();
    assert_eq!(text, "Unsupported type 28 (0x1c, array) at offset 9, in key 'k'");
    let options = ReaderOptions { foreign: Foreign::StepOver, ..ReaderOptions::default() };
    for (magic, record, what) in [
        ("REDIS0010", &module[..], "module_id: Some("),
        ("REDIS0014", array, "value_type: \"array\""),
        (
            "REDIS0015",
            b"\x1d\x01k\x01\x01a\x01x",
            "value_type: \"template hash with its names, as listpack\"",
        ),
        ("REDIS0015", b"\x1f\x01k\x01\x01a\x01x", "value_type: \"template hash with its names\""),
    ] {
        let bytes = file(magic, &[record, b"\x00\x01l\x01v"].concat());
        let content = read_with(&bytes[..], options).unwrap();
        assert!(
            content.others[0].starts_with("LeftOut") && content.others[0].contains(what),
            "{:?}",
            content.others
        );
        assert_eq!(content.keys, [key(b"l", b"v")]);
        let report = check(&bytes[..], NOW_MS, &mut |_| {});
        assert!(report.fault.is_none() && (report.keys, report.foreign_keys) == (2, 1), "{:?}", report.fault);
    }
    let metadata = file("REDIS0013", b"\xfc\x07\0\0\0\0\0\0\0\xf3\x01abcd\x02\x05\0\x00\x01l\x01v");
    let content = read_with(&metadata[..], options).unwrap();
    assert_eq!(content.keys, [Key { expire_at_ms: Some(7), ..key(b"l", b"v") }]);
    let fault = value_with("REDIS0015", b"\x20\x01k\x01", options).unwrap_err().to_string();
    assert_eq!(fault, "Unsupported type 32 (0x20, template hash) at offset 9, in key 'k'");
    let body = [&module[..1], &module[3..]].concat();
    let error = restored(&payload(&body, 10), Checksum::On).unwrap_err().to_string();
    assert_eq!(error, format!("Bad data format: unsupported type (module value of '{name}')"));
}

/// Elements of large values are taken in together; a name that stands twice is found all the same, where it stands.
#[test]
fn a_name_that_stands_twice_among_many() {
    const COUNT: usize = 700;
    let score = 0_f64.to_le_bytes();
    for (type_byte, behind) in [(2, &b""[..]), (4, b"\x01v"), (5, &score)] {
        for (first, second) in [(0, 1), (0, COUNT - 1), (14, 15), (15, 16), (16, 17), (300, 333)] {
            let mut record = [&[type_byte, 1, b'k'][..], &number(COUNT as u64)].concat();
            let mut twice_at = 0;
            for element in 0..COUNT {
                if element == second {
                    twice_at = record.len();
                }
                let name = if element == second { first } else { element };
                record.extend([&string(format!("{name:04}").as_bytes())[..], behind].concat());
            }
            let error = value_of("REDIS0010", &record).unwrap_err();
            assert_eq!(
                (error.offset, error.key.as_deref()),
                (9 + twice_at as u64, Some(&b"k"[..])),
                "{error}"
            );
            assert!(error.to_string().contains("uplicate") || error.to_string().contains("twice"), "{error}");
        }
    }
}

/// A value that is long in the file comes in steps, and needs no buffer of its size.
#[test]
fn long_values_come_in_steps() {
    let (mut record, fields) = (b"\x04\x01k".to_vec(), 60_000);
    record.extend(number(fields));
    for field in 0..fields {
        record.extend(string(format!("field:{field}").as_bytes()));
        record.extend(string(&[b'v'; 64]));
    }
    let bytes = file("REDIS0010", &record);
    let rules = Rules::default();
    let mut reader = Reader::new(&bytes[..], ReaderOptions::default()).unwrap();
    let (mut steps, mut offset) = (0, 9);
    loop {
        match reader.next_record(&rules).unwrap() {
            Record::Building => {
                steps += 1;
                assert!(reader.offset() - offset <= 2 << 20, "{}", reader.offset() - offset);
                offset = reader.offset();
            }
            Record::Key(KeyRecord { key: b"k", value: Value::Object(Object::Hash(hash)), .. }) => {
                assert_eq!(crate::object::DataType::view(&hash).len() as u64, fields);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(steps >= 3, "{steps}");
}

/// Invariant 3 of the room: counts reserve no more than can come.
#[test]
fn announced_counts_reserve_little() {
    for type_byte in [1, 2, 4, 5, 14, 18] {
        let mut record = vec![type_byte, 1, b'k', 0x81, 0x7f];
        record.extend([0xff; 7]);
        let error = value_of("REDIS0010", &record).unwrap_err();
        assert!(error.offset <= 21 + 9, "{error}");
        assert_eq!(
            restored(&payload(&[&record[..1], &record[3..]].concat(), 10), Checksum::On),
            Err(RestoreError::Format)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn noise_is_no_danger(type_byte in 0u8..34, noise in any::<Vec<u8>>(), valkey in any::<bool>()) {
        let magic = if valkey { "VALKEY080" } else { "REDIS0015" };
        let record = [&[type_byte, 1, b'k'], &noise[..]].concat();
        let _ = value_of(magic, &record);
        let _ = check(&file(magic, &record)[..], 0, &mut |_| {});
        let version = if valkey { 80 } else { 15 };
        let _ = restored(&payload(&[&[type_byte], &noise[..]].concat(), version), Checksum::On);
    }

    #[test]
    fn damage_is_no_danger(
        form in any::<proptest::sample::Index>(),
        flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let forms = forms();
        let (magic, record, _) = &forms[form.index(forms.len())];
        let mut record = record.clone();
        for (at, byte) in flips {
            let at = at % record.len();
            record[at] = byte;
        }
        let _ = value_of(magic, &record);
        let _ = value_with(magic, &record, ReaderOptions::default());
        if record.len() > 3 {
            let _ = restored(&payload(&[&record[..1], &record[3..]].concat(), 15), Checksum::On);
        }
    }
}
