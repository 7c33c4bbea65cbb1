//! Tests of the whole room: files and payloads written by Redis 7.0.15, files made by hand for every version,
//! round trips, and damage at every byte.

use super::*;
use crate::base::crc::Crc64Redis;
use crate::object::{Depth, Rules};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Written by Redis 7.0.15: databases 0 and 3, every encoding of strings, an expiry, a library of functions.
const STRINGS_FILE: &str = "\
524544495330303130fa0972656469732d76657206372e302e3135fa0a72656469732d62697473c040fa056374696d65c21d\
27046bfa08757365642d6d656dc2b07a0f00fa08616f662d62617365c000f5404123216c7561206e616d653d6c0a72656469\
732e72656769737465725f66756e6374696f6e282266222c66756e6374696f6e28292072657475726e203120656e6429fe00\
fb080100036c7a66c30b300361626361e021020162630005656d707479000005696e743136c1e8030004696e7438c0f90005\
696e743332c26079feff00c00c0b696e7465676572206b65790005696e7436340f313233343536373839303132333435fc7b\
d8c32cbb030000000374746c0176fe03fb0100000362696e0400ff0d0aff4db2060ea27b425c";

/// Written by Redis 7.0.15 under an LFU policy: one key.
const FREQUENCY_FILE: &str = "\
524544495330303130fa0972656469732d76657206372e302e3135fa0a72656469732d62697473c040fa056374696d65c21d\
27046bfa08757365642d6d656dc270971000fa08616f662d62617365c000fe03fb0100f900000161c001ffc0a4b6a3c520d9\
1c";

/// Written by Redis 7.0.15: nine keys, one of each way it stores a type.
const TYPES_FILE: &str = "\
524544495330303130fa0972656469732d76657206372e302e3135fa0a72656469732d62697473c040fa056374696d65c2ad\
27046bfa08757365642d6d656dc218761400fa08616f662d62617365c000fe00fb0900130673747265616d01100000000000\
00000100000000000000011d1d0000000a0001010001010181660200010201000100018176020401ff010101010100000101\
016701010101000000000000000100000000000000019dff3a08a201000001010263319dff3a08a201000001000000000000\
0001000000000000000112046c697374010210100000000300816102816202816302ff05057a736574320101610000000000\
00f83f0405686173683201016601760203736574020161016211047a7365740f0f000000020081610283312e3504ff100468\
6173680d0d0000000200816602817602ff0b04696e74730e02000000030000000100020003000001730176ff9110c003b0fc\
9bfe";

mod objects;
mod versions;

const NOW_MS: i64 = 1_800_000_000_000;

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A file of any version: magic, content, end, and the checksum where the version has one.
fn file(magic: &str, content: &[u8]) -> Vec<u8> {
    let mut out = [magic.as_bytes(), content, &[0xff]].concat();
    if !["REDIS0001", "REDIS0002", "REDIS0003", "REDIS0004"].contains(&magic) {
        let sum = Crc64Redis::of(&out);
        out.extend_from_slice(&sum.to_le_bytes());
    }
    out
}

fn payload(body: &[u8], version: u16) -> Vec<u8> {
    let mut out = [body, &version.to_le_bytes()].concat();
    let sum = Crc64Redis::of(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

/// Gives its bytes in pieces of `step`, and fails instead of ending if it is told to.
struct Drip<'a> {
    bytes: &'a [u8],
    step: usize,
    fails: Option<io::ErrorKind>,
}

impl Input for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(buffer.len()).min(self.bytes.len());
        if let (0, Some(kind)) = (count, self.fails) {
            return Err(kind.into());
        }
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}

/// An owned copy of what a reader says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    database: u64,
    name: Vec<u8>,
    expire_at_ms: Option<i64>,
    access: Option<Access>,
    value: Result<Vec<u8>, i64>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    keys: Vec<Key>,
    aux: BTreeMap<String, String>,
    libraries: Vec<Vec<u8>>,
    hints: Vec<(u64, u64)>,
    others: Vec<String>,
}

impl Content {
    fn value(&self, name: &str) -> &Result<Vec<u8>, i64> {
        &self.keys.iter().find(|key| key.name == name.as_bytes()).expect("the key is there").value
    }
}

fn read_all(input: impl Input, checksum: Checksum) -> Result<Content, RdbError> {
    read_with(input, ReaderOptions { checksum, ..ReaderOptions::default() })
}

fn read_with(input: impl Input, options: ReaderOptions) -> Result<Content, RdbError> {
    let mut reader = Reader::new(input, options)?;
    let (mut content, mut database) = (Content::default(), 0);
    let rules = Rules::default();
    loop {
        match reader.next_record(&rules)? {
            Record::Key(KeyRecord { key, expire_at_ms, access, value, .. }) => content.keys.push(Key {
                database,
                name: key.to_vec(),
                expire_at_ms,
                access,
                value: match value {
                    Value::Int(value) => Err(value),
                    Value::Bytes(bytes) => Ok(bytes.to_vec()),
                    Value::Text(bytes) => Ok(bytes),
                    Value::Object(object) => Ok(objects::shown(object.view()).into_bytes()),
                    Value::Empty | Value::Expired => Ok(format!("{value:?}").into_bytes()),
                },
            }),
            Record::Aux { name, value } => {
                let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
                content.aux.insert(text(name), text(value));
            }
            Record::SelectDb(index) => database = index,
            Record::ResizeDb { keys, volatile_keys } => content.hints.push((keys, volatile_keys)),
            Record::FunctionLibrary(source) => content.libraries.push(source.to_vec()),
            Record::End { .. } => return Ok(content),
            Record::Building => {}
            other => content.others.push(format!("{other:?}")),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Content, RdbError> {
    read_all(bytes, Checksum::On)
}

fn options(compression: Compression) -> WriterOptions {
    WriterOptions { compression, checksum: Checksum::On, version: VERSION_BASE }
}

fn write_all(keys: &[Key], options: WriterOptions) -> Vec<u8> {
    let mut writer = RdbWriter::new(Vec::new(), options);
    writer.header(&[("redis-ver", b"7.0.15")]).unwrap();
    let mut database = None;
    for key in keys {
        if database != Some(key.database) {
            writer.select_db(key.database, keys.len() as u64, 0).unwrap();
            database = Some(key.database);
        }
        let value = match &key.value {
            Ok(bytes) => StringValue::Bytes(bytes),
            Err(value) => StringValue::Int(*value),
        };
        writer.string(&key.name, key.expire_at_ms, key.access, value).unwrap();
    }
    let bytes = writer.bytes();
    let (summary, out) = writer.finish().unwrap();
    assert_eq!(summary.bytes, bytes + 9);
    assert_eq!(summary.bytes, out.len() as u64);
    assert_eq!(out[out.len() - 8..], summary.checksum.to_le_bytes());
    out
}

fn key(name: &[u8], value: &[u8]) -> Key {
    let (name, value) = (name.to_vec(), Ok(value.to_vec()));
    Key { database: 0, name, expire_at_ms: None, access: None, value }
}

#[test]
fn a_file_of_redis() {
    let bytes = unhex(STRINGS_FILE);
    let verified = verify(&bytes[..]).unwrap();
    assert_eq!(verified.bytes, 288);
    assert_eq!(verified.checksum, ChecksumState::Checked(0x5c42_7ba2_0e06_b24d));
    for step in [1, 2, 7, 100, 1000] {
        let content = read_all(Drip { bytes: &bytes, step, fails: None }, Checksum::On).unwrap();
        assert_eq!(content.aux["redis-ver"], "7.0.15");
        assert_eq!(content.aux["redis-bits"], "64");
        assert_eq!(content.libraries.len(), 1);
        assert_eq!(content.hints, [(8, 1), (1, 0)]);
        assert_eq!(content.value("int8"), &Err(-7));
        assert_eq!(content.value("int16"), &Err(1000));
        assert_eq!(content.value("int32"), &Err(-100_000));
        assert_eq!(content.value("int64"), &Ok(b"123456789012345".to_vec()));
        assert_eq!(content.value("12"), &Ok(b"integer key".to_vec()));
        assert_eq!(content.value("empty"), &Ok(Vec::new()));
        assert_eq!(content.value("lzf"), &Ok(b"abc".repeat(16)));
        let volatile = content.keys.iter().find(|key| key.name == b"ttl").unwrap();
        assert_eq!(volatile.expire_at_ms, Some(4_102_444_800_123));
        let last = content.keys.last().unwrap();
        assert_eq!((last.database, &last.value), (3, &Ok(b"\0\xff\r\n".to_vec())));
    }
}

#[test]
fn our_file_is_redis_file_byte_for_byte() {
    let expected = unhex(FREQUENCY_FILE);
    let (ctime, used_memory) = (0x6b04_271d, 0x0010_9770);
    let mut writer = RdbWriter::new(Vec::new(), options(Compression::Lzf));
    writer
        .header(&[
            ("redis-ver", b"7.0.15"),
            ("redis-bits", b"64"),
            ("ctime", ctime.to_string().as_bytes()),
            ("used-mem", used_memory.to_string().as_bytes()),
            ("aof-base", b"0"),
        ])
        .unwrap();
    writer.select_db(3, 1, 0).unwrap();
    writer.string(b"a", None, Some(Access::Frequency(0)), StringValue::Int(1)).unwrap();
    let (summary, out) = writer.finish().unwrap();
    assert_eq!(out, expected);
    assert_eq!(summary, Summary { bytes: expected.len() as u64, checksum: 0x1cd9_20c5_a3b6_a4c0 });
    assert_eq!(read(&out).unwrap().keys[0].access, Some(Access::Frequency(0)));
}

#[test]
fn a_library_and_a_file_without_checksum() {
    let options = WriterOptions { checksum: Checksum::Off, ..options(Compression::Off) };
    let mut writer = RdbWriter::new(Vec::new(), options);
    writer.header(&[]).unwrap();
    writer.function_library(b"#!lua name=l").unwrap();
    let (summary, mut out) = writer.finish().unwrap();
    assert_eq!(summary.checksum, 0);
    assert_eq!(read(&out).unwrap().libraries, [b"#!lua name=l"]);
    assert_eq!(verify(&out[..]).unwrap().checksum, ChecksumState::Disabled);
    assert_eq!(check(&out[..], 0, &mut |_| {}).checksum, Some(ChecksumState::Disabled));
    out[12] ^= 1;
    assert!(read(&out).is_ok(), "no check performed");
}

#[test]
fn large_and_small_through_one_buffer() {
    let mut random = fastrand::Rng::with_seed(5);
    let noise: Vec<u8> = (0..3 << 20).map(|_| random.u8(..)).collect();
    let words: Vec<u8> = (0..3 << 20).map(|at: u32| (at.isqrt() as u8) & 15).collect();
    let mut keys = Vec::new();
    for len in [0, 1, 20, 21, 63, 64, 16383, 16384, 65_536, (1 << 20) - 64, 1 << 20, (1 << 20) + 1, 3 << 20] {
        for content in [&noise[..len], &words[..len]] {
            keys.push(key(format!("value {len}").as_bytes(), content));
            keys.push(key(content, b"small"));
            keys.push(Key { value: Err(i64::MIN), ..key(content, b"") });
        }
    }
    for compression in [Compression::Off, Compression::Lzf] {
        let out = write_all(&keys, options(compression));
        verify(&out[..]).unwrap();
        let mut expected = keys.clone();
        for key in &mut expected {
            if let Err(value) = key.value {
                key.value = Ok(value.to_string().into_bytes());
            }
        }
        for step in [1 << 15, usize::MAX] {
            let content = read_all(Drip { bytes: &out, step, fails: None }, Checksum::On).unwrap();
            assert!(content.keys == expected, "compression {compression:?}, pieces of {step}");
        }
        let report = check(&out[..], NOW_MS, &mut |_| {});
        assert!(report.fault.is_none());
        assert_eq!((report.keys, report.bytes), (keys.len() as u64, out.len() as u64));
    }
    let lens = [Compression::Off, Compression::Lzf].map(|setting| write_all(&keys, options(setting)).len());
    assert!(lens[1] < lens[0] * 2 / 3, "what is larger than the buffer is compressed too: {lens:?}");
}

#[test]
fn the_output_gets_large_pieces() {
    struct Sizes(Vec<usize>);
    impl Output for Sizes {
        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.push(bytes.len());
            Ok(())
        }
    }
    let mut writer = RdbWriter::new(Sizes(Vec::new()), options(Compression::Off));
    for number in 0..30_000 {
        writer.string(format!("key:{number}").as_bytes(), None, None, StringValue::Bytes(&[7; 100])).unwrap();
    }
    let (_, Sizes(sizes)) = writer.finish().unwrap();
    assert!(
        sizes.len() == 5 && sizes[..3].iter().all(|size| (1_048_000..=1 << 20).contains(size)),
        "{sizes:?}"
    );
}

#[test]
fn a_failing_output_stops_the_writer() {
    struct Full(usize);
    impl Output for Full {
        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(())
        }
    }
    let mut random = fastrand::Rng::with_seed(6);
    let words: Vec<u8> = (0..8 << 20).map(|_| random.u8(..2)).collect();
    for room in [0, 5, 1 << 20, 1_500_000] {
        for compression in [Compression::Off, Compression::Lzf] {
            let mut writer = RdbWriter::new(Full(room), options(compression));
            let result = writer
                .string(b"key", None, None, StringValue::Bytes(&words))
                .and_then(|()| writer.finish().map(|_| ()));
            let refused = result.map_err(|error| error.kind()) == Err(io::ErrorKind::StorageFull);
            assert!(refused, "room for {room}, compression {compression:?}");
        }
    }
}

#[test]
fn every_version_is_read() {
    let plain = b"\xfe\x01\x00\x01k\x01v";
    for number in 1..=15 {
        let content = read(&file(&format!("REDIS{number:04}"), plain)).unwrap();
        assert_eq!(content.keys, [Key { database: 1, ..key(b"k", b"v") }]);
    }
    assert_eq!(read(&file("VALKEY080", plain)).unwrap().keys.len(), 1);
    let seconds = read(&file("REDIS0002", b"\xfd\x80\x43\x6d\x38\x00\x01k\xc0\x05\x00\x01l\x01v")).unwrap();
    assert_eq!(seconds.keys[0].expire_at_ms, Some(946_684_800_000));
    assert_eq!(seconds.keys[0].value, Err(5));
    assert_eq!(seconds.keys[1].expire_at_ms, None, "it held for one key");
    let never = read(&file("REDIS0003", b"\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01k\x01v")).unwrap();
    assert_eq!(never.keys[0].expire_at_ms, None);
    let idle = read(&file("REDIS0009", b"\xf8\x41\x00\xfc\x01\0\0\0\0\0\0\0\x00\x01k\x01v")).unwrap();
    assert_eq!(idle.keys[0].access, Some(Access::Idle { seconds: 256 }));
    assert_eq!(idle.keys[0].expire_at_ms, Some(1));
    let state = |magic| verify(&file(magic, plain)[..]).unwrap().checksum;
    assert_eq!(state("REDIS0004"), ChecksumState::Absent);
    assert!(matches!(state("REDIS0005"), ChecksumState::Checked(_)));
}

#[test]
fn records_without_meaning_here_are_stepped_over() {
    let module = b"\xf7\x81moduleid\x02\x02\x01\x05\x05\x03abc\x01\x07\x03abcd\x04abcdefgh\x00";
    let content = read(&file("REDIS0009", &[&module[..], b"\x00\x01k\x01v"].concat())).unwrap();
    assert_eq!(content.keys.len(), 1);
    assert!(content.others[0].starts_with("ModuleAux"), "{:?}", content.others);
    let slots = read(&file("REDIS0012", b"\xf4\x7f\xff\x02\x01\x00\x01k\x01v")).unwrap();
    assert_eq!(slots.others, ["SlotInfo { slot: 16383, keys: 2, volatile_keys: 1 }"]);
    let templates = read(&file("REDIS0015", b"\xf2\x01\x02\x01a\x01b\x00\x01k\x01v")).unwrap();
    assert_eq!((templates.keys.len(), templates.others.len()), (1, 1));
    let import = read(&file("VALKEY080", b"\xf3\x03job\x01\x00\x05\x00\x01k\x01v")).unwrap();
    assert_eq!((import.keys.len(), import.others.len()), (1, 1));
    assert_eq!(module_name(0), "AAAAAAAAA");
    assert_eq!(module_name(u64::MAX), "_________");
}

#[test]
fn faults_say_what_and_where() {
    let text = |magic: &str, content: &[u8]| read(&file(magic, content)).unwrap_err().to_string();
    let unknown = "Unknown record type 243 (0xf3) for RDB version 12 at offset 9";
    assert_eq!(text("REDIS0012", b"\xf3\x00"), unknown);
    let unknown_type = "Unknown record type 8 (0x08) for RDB version 10 at offset 9";
    assert_eq!(text("REDIS0010", b"\x08\x80\x7f\xff\xff\xff"), unknown_type);
    assert_eq!(text("REDIS0010", b"\x08\x01k"), format!("{unknown_type}, in key 'k'"));
    assert_eq!(
        text("VALKEY080", b"\xf2"),
        "Unknown record type 242 (0xf2) for Valkey RDB version 80 at offset 9"
    );
    let metadata = "Unsupported type 243 (0xf3, metadata of a key kept by modules) at offset 9";
    assert_eq!(text("REDIS0013", b"\xf3\x01abcd\x00"), metadata);
    assert_eq!(text("REDIS0012", b"\xf4\x80\0\0\x40\0\0\0"), "Slot number out of range at offset 10");
    let candidate = "Unsupported type 246 (0xf6, function of a 7.0 release candidate) at offset 9";
    assert_eq!(text("REDIS0010", b"\xf6"), candidate);
    assert_eq!(text("REDIS0010", b"\xfe\xc0\x01"), "Unknown length encoding 0xc0 at offset 10");
    assert_eq!(text("REDIS0010", b"\x00\x82"), "Unknown length encoding 0x82 at offset 10");
    assert_eq!(text("REDIS0010", b"\x00\x01k\xc4"), "Unknown length encoding 0xc4 at offset 12, in key 'k'");
    let lzf =
        "Invalid LZF compressed string: 2 bytes cannot hold the 4194304 announced at offset 12, in key 'k'";
    assert_eq!(text("REDIS0010", b"\x00\x01k\xc3\x02\x80\x00\x40\0\0\x00a"), lzf);
    let lzf = "Invalid LZF compressed string: the content is shorter than announced at offset 15, in key 'k'";
    assert_eq!(text("REDIS0010", b"\x00\x01k\xc3\x02\x05\x00a"), lzf);
    assert!(text("REDIS0004", b"\x00\x01k\x80\x7f\0\0\0abc").ends_with("at offset 21, in key 'k'"));
    let mut damaged = unhex(STRINGS_FILE);
    damaged[40] ^= 1;
    let wrong = "Wrong RDB checksum expected: (29e4ff9a93a3f5a1) but got (5c427ba20e06b24d) at offset 280";
    assert_eq!(verify(&damaged[..]).unwrap_err().to_string()[..30], wrong[..30]);
    assert!(matches!(verify(&damaged[..279]).unwrap_err().fault, Fault::NoEnd));
    assert!(matches!(verify(&damaged[..3]).unwrap_err().fault, Fault::Truncated { missing: 6 }));
}

/// The short cut gives what the grammar gives.
#[test]
fn plain_strings_are_the_same_by_both_ways() {
    let mut keys: Vec<Key> = (0..400).map(|len| key(&vec![b'k'; len], &vec![b'v'; 3 * len])).collect();
    keys.iter_mut().step_by(3).for_each(|key| key.expire_at_ms = Some(NOW_MS + key.name.len() as i64));
    keys.iter_mut().step_by(7).for_each(|key| key.access = Some(Access::Frequency(3)));
    keys.push(key(b"", b""));
    keys.push(key(&[b'k'; 20_000], &[b'v'; 40_000]));
    keys.push(key(b"k", &[b'v'; 20_000]));
    for compression in [Compression::Off, Compression::Lzf] {
        let bytes = write_all(&keys, options(compression));
        for step in [1, 7, 1000, usize::MAX] {
            let (taken, plain) = read_by_short_cut(Drip { bytes: &bytes, step, fails: None });
            assert_eq!(taken, read(&bytes).unwrap().keys, "{step}");
            let is_fed = step > 1000 && compression == Compression::Off;
            assert!(plain > 300 || !is_fed, "{plain}");
        }
    }
}

/// The keys, and how many of them were taken by the short cut.
fn read_by_short_cut(input: impl Input) -> (Vec<Key>, usize) {
    let mut reader = Reader::new(input, ReaderOptions::default()).unwrap();
    let (mut keys, mut plain) = (Vec::new(), 0);
    loop {
        if let Some(string) = reader.next_plain() {
            plain += 1;
            let expire_at_ms = string.expire_at_ms;
            keys.push(Key { expire_at_ms, ..key(string.key, string.value) });
            continue;
        }
        match reader.next_record(&Rules::default()).unwrap() {
            Record::Key(KeyRecord { key: name, expire_at_ms, access, value, .. }) => {
                let value = match value {
                    Value::Bytes(bytes) => bytes.to_vec(),
                    Value::Text(bytes) => bytes,
                    other => panic!("{other:?}"),
                };
                keys.push(Key { expire_at_ms, access, ..key(name, &value) });
            }
            Record::End { .. } => return (keys, plain),
            _ => {}
        }
    }
}

#[test]
fn a_failing_input_is_no_truncation() {
    let bytes = unhex(STRINGS_FILE);
    for cut in [0, 5, 9, 100, 285] {
        let drip = || Drip { bytes: &bytes[..cut], step: 64, fails: Some(io::ErrorKind::Other) };
        let error = read_all(drip(), Checksum::On).unwrap_err();
        assert_eq!(error.offset, cut as u64);
        assert!(matches!(error.fault, Fault::Io(_)), "{error}");
        assert!(matches!(verify(drip()).unwrap_err().fault, Fault::Io(_)));
        assert!(matches!(check(drip(), 0, &mut |_| {}).fault.unwrap().fault, Fault::Io(_)));
    }
}

#[test]
fn cut_off_at_every_byte() {
    for text in [STRINGS_FILE, FREQUENCY_FILE, TYPES_FILE] {
        let bytes = unhex(text);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "{cut}");
            assert!(verify(&bytes[..cut]).is_err(), "{cut}");
            let report = check(&bytes[..cut], NOW_MS, &mut |_| {});
            let fault = report.fault.expect("it is cut off");
            assert!(matches!(fault.fault, Fault::Truncated { .. }), "{fault}");
            assert_eq!(fault.offset, cut as u64);
        }
    }
}

#[test]
fn damaged_at_every_byte() {
    for text in [STRINGS_FILE, FREQUENCY_FILE, TYPES_FILE] {
        let good = unhex(text);
        for at in 0..good.len() {
            for flip in [1, 0x80, 0xff, good[at]] {
                let mut bytes = good.clone();
                bytes[at] ^= flip;
                // Without the checksum any outcome is right that is not a panic.
                let _ = read_all(&bytes[..], Checksum::Off);
                // The version may become one that has none.
                let sums = at >= 9 && flip != 0;
                assert!(!(sums && verify(&bytes[..]).is_ok()), "byte {at} ^ {flip}");
                assert!(!(sums && read(&bytes).is_ok()), "byte {at} ^ {flip}");
                assert!(!(sums && check(&bytes[..], 0, &mut |_| {}).fault.is_none()), "byte {at} ^ {flip}");
            }
        }
    }
}

/// What a payload gives, as `Key::value`.
fn restored(payload: &[u8], checksum: Checksum) -> Result<Result<Vec<u8>, i64>, RestoreError> {
    let rules = Rules::default();
    Ok(match restore(payload, &RestoreOptions { checksum, rules: &rules, now_ms: NOW_MS })? {
        Restored::Int(value) => Err(value),
        Restored::Bytes(bytes) => Ok(bytes.into_owned()),
        Restored::Object(object) => Ok(objects::shown(object.view()).into_bytes()),
        Restored::Expired => Ok(b"Expired".to_vec()),
    })
}

#[test]
fn payloads_of_redis() {
    let cases: [(StringValue<'_>, &str); 3] = [
        (StringValue::Bytes(b"hello"), "000568656c6c6f0a006372df766534200a"),
        (StringValue::Int(12), "00c00c0a003c2af8515c04bcd5"),
        (StringValue::Bytes(b"100000"), "00c2a08601000a00f12403506f2fa674"),
    ];
    for (value, text) in cases {
        let mut out = b"kept".to_vec();
        dump_string(value, Compression::Lzf, &mut out);
        assert_eq!(out, [b"kept", &unhex(text)[..]].concat());
    }
    let bytes = |content: &[u8]| Ok(Ok(content.to_vec()));
    assert_eq!(restored(&unhex(cases[0].1), Checksum::On), bytes(b"hello"));
    assert_eq!(restored(&unhex(cases[1].1), Checksum::On), Ok(Err(12)));
    let lzf = unhex("00c30927016161e01a000161610a0066ecd64708ca778b");
    assert_eq!(restored(&lzf, Checksum::On), bytes(&[b'a'; 39]));
}

#[test]
fn payloads_that_are_refused() {
    let refusal = |bytes: &[u8]| restored(bytes, Checksum::On).unwrap_err().to_string();
    for body in
        [&b""[..], b"\x00", b"\x00\x82", b"\x63\x01a", b"\x00\xc3\x03\x05abc", b"\x00\x05abcd", b"\x00\xc4"]
    {
        assert_eq!(refusal(&payload(body, 10)), "Bad data format", "{}", body.escape_ascii());
    }
    for version in [16, 79, 81, u16::MAX] {
        assert_eq!(refusal(&payload(b"\0\x01a", version)), "DUMP payload version or checksum are wrong");
    }
    for version in [0, 1, 10, 11, 15, 80] {
        assert!(restored(&payload(b"\0\x01a", version), Checksum::On).is_ok());
    }
    assert!(restored(&payload(b"\0\x01abc", 10), Checksum::On).is_ok(), "as Redis");
    let good = payload(b"\0\x05hello", 10);
    for cut in 0..good.len() {
        assert_eq!(restored(&good[..cut], Checksum::On), Err(RestoreError::Footer));
        let _ = restored(&good[..cut], Checksum::Off);
    }
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x11;
        assert_eq!(restored(&bytes, Checksum::On), Err(RestoreError::Footer));
        let _ = restored(&bytes, Checksum::Off);
    }
}

fn any_key() -> impl Strategy<Value = Key> {
    let name = prop_oneof![
        any::<Vec<u8>>(),
        "[0-9]{1,12}".prop_map(String::into_bytes),
        "[ab]{60,90}".prop_map(String::into_bytes)
    ];
    let value = prop_oneof![
        any::<Vec<u8>>().prop_map(Ok),
        proptest::collection::vec(0u8..3, 0..400).prop_map(Ok),
        any::<i64>().prop_map(Err),
        (-40_000i64..40_000).prop_map(Err),
    ];
    let access = prop_oneof![
        Just(None),
        any::<u64>().prop_map(|seconds| Some(Access::Idle { seconds })),
        any::<u8>().prop_map(|counter| Some(Access::Frequency(counter))),
    ];
    let expiry = proptest::option::of(0i64..);
    (0u64..100_000, name, expiry, access, value).prop_map(|(database, name, expire_at_ms, access, value)| {
        Key { database, name, expire_at_ms, access, value }
    })
}

/// Integers of up to 32 bits come back as integers, the others as text, however they went in.
fn as_read(key: &Key) -> Key {
    let text = match &key.value {
        Ok(bytes) => bytes.clone(),
        Err(value) => value.to_string().into_bytes(),
    };
    let integer = std::str::from_utf8(&text).ok().and_then(|text| text.parse::<i32>().ok());
    let canonical = integer.filter(|value| value.to_string().as_bytes() == text);
    Key { value: canonical.map(i64::from).map_or(Ok(text), Err), ..key.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn round_trips(keys in proptest::collection::vec(any_key(), 0..40), step in 1usize..2000) {
        for compression in [Compression::Off, Compression::Lzf] {
            let out = write_all(&keys, options(compression));
            prop_assert_eq!(verify(&out[..]).unwrap().bytes, out.len() as u64);
            let content = read_all(Drip { bytes: &out, step, fails: None }, Checksum::On).unwrap();
            prop_assert_eq!(content.keys, keys.iter().map(as_read).collect::<Vec<_>>());
        }
    }

    #[test]
    fn payloads_round_trip(key in any_key()) {
        for compression in [Compression::Off, Compression::Lzf] {
            let mut out = Vec::new();
            let value = match &key.value {
                Ok(bytes) => StringValue::Bytes(bytes),
                Err(value) => StringValue::Int(*value),
            };
            dump_string(value, compression, &mut out);
            prop_assert_eq!(restored(&out, Checksum::On), Ok(as_read(&key).value));
        }
    }

    #[test]
    fn anything_is_read_without_panic(
        content in any::<Vec<u8>>(),
        magic in "(REDIS00(0[1-9]|1[0-5])|VALKEY080)",
    ) {
        let bytes = [magic.as_bytes(), &content].concat();
        let _ = read(&bytes);
        let _ = read_all(Drip { bytes: &bytes, step: 3, fails: None }, Checksum::Off);
        let _ = verify(&bytes[..]);
        let _ = check(&bytes[..], 0, &mut |_| {});
        let _ = restored(&content, Checksum::Off);
        let _ = restored(&payload(&content, 10), Checksum::On);
    }

    #[test]
    fn damaged_types_are_walked_without_panic(
        flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let good = unhex(TYPES_FILE);
        let mut bytes = good.clone();
        for (at, byte) in flips {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let report = check(&bytes[..], 0, &mut |_| {});
        prop_assert!(report.fault.is_some() || bytes == good || bytes[..9] != good[..9]);
    }
}
