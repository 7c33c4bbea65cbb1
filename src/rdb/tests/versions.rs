//! What is written in each version: only forms that it knows, with all data that it can hold.

use super::objects::{forms, number, shown, string};
use super::*;
use crate::encoding::listpack::edit;
use crate::object::{DataType, Hash, List, Object, Set, Variant, View, Zset};

/// The types of values that a version knows and that are written.
fn known_types(version: u16) -> &'static [u8] {
    match version {
        9 => &[0, 1, 2, 4, 5, 11, 12, 13, 14, 15],
        10 => &[0, 2, 4, 5, 11, 16, 17, 18, 19],
        11 => &[0, 2, 4, 5, 11, 16, 17, 18, 19, 20, 21],
        12 => &[0, 2, 4, 5, 11, 16, 17, 18, 19, 20, 21, 24, 25],
        80 => &[0, 2, 4, 5, 11, 16, 17, 18, 20, 21, 22],
        _ => panic!("no version to ask for"),
    }
}

const VERSIONS: [u16; 5] = [9, 10, 11, 12, 80];

fn written(view: View<'_>, options: WriterOptions) -> Vec<u8> {
    let mut writer = RdbWriter::new(Vec::new(), options);
    writer.header(&[]).unwrap();
    writer.begin(b"k", None, None, type_byte(view, options.version)).unwrap();
    write_value(&mut writer, view).unwrap();
    writer.finish().unwrap().1
}

/// Without what a version before 11 makes up: one word behind each of these.
fn data(shown: &str, version: u16) -> String {
    let made_up: &[&str] = match version {
        9 => &["active", "deleted", "added", "read"],
        10 => &["active"],
        _ => &[],
    };
    let mut words = shown.split(' ').collect::<Vec<_>>();
    for place in (1..words.len()).rev() {
        if made_up.contains(&words[place - 1]) {
            words.remove(place);
        }
    }
    words.join(" ")
}

#[track_caller]
fn assert_in_every_version(object: &Object) {
    let expected = shown(object.view());
    for version in VERSIONS {
        if TooNew::of(object.view().rdb_version(), version).is_some() {
            continue;
        }
        assert!(known_types(version).contains(&type_byte(object.view(), version)), "{version}: {expected}");
        for compression in [Compression::Off, Compression::Lzf] {
            let bytes = written(object.view(), WriterOptions { version, ..options(compression) });
            assert_eq!(bytes[..9], Version::to_write(version).magic());
            let read = read(&bytes).unwrap().keys.remove(0).value.unwrap();
            let read = String::from_utf8(read).unwrap();
            assert_eq!(data(&read, version), data(&expected, version), "version {version}");
        }
    }
}

#[test]
fn every_form_in_every_version() {
    for (magic, record, _) in forms() {
        let bytes = file(magic, &record);
        let mut reader = Reader::new(&bytes[..], ReaderOptions::default()).unwrap();
        let Ok(Record::Key(KeyRecord { value: Value::Object(object), .. })) =
            reader.next_record(&Rules::default())
        else {
            panic!("an object")
        };
        assert_in_every_version(&object);
    }
}

/// Beyond the thresholds, and beyond the room for a ziplist.
#[test]
fn large_values_in_every_version() {
    let rules = Rules::default();
    let mut list = List::create(&rules);
    for at in 0..1000 {
        list.push_back(format!("element {at}").as_bytes(), &rules);
    }
    for len in [100_000, 300_000, 1_100_000] {
        list.push_back(&vec![b'x'; len], &rules);
        list.push_back(&[&b"\xff"[..], &vec![b'y'; len]].concat(), &rules);
    }
    assert_in_every_version(&list.into_object());
    let wide = Rules { hash_max_listpack_entries: 1 << 20, zset_max_listpack_entries: 1 << 20, ..rules };
    for rules in [rules, wide] {
        let (mut set, mut hash, mut zset) = (Set::create(&rules), Hash::create(&rules), Zset::create(&rules));
        for at in 0..3000 {
            let text = format!("{at}:{}", at * at);
            set.add(text.as_bytes(), &rules);
            hash.load(text.as_bytes(), at.to_string().as_bytes(), None, &rules);
            zset.add(text.as_bytes(), f64::from(at) / 4.0, &rules);
        }
        for object in [set.into_object(), hash.into_object(), zset.into_object()] {
            assert_in_every_version(&object);
        }
    }
}

/// Element by element, as it would be for a list of gigabytes.
#[test]
fn a_list_without_ziplists_is_read() {
    let record = [&b"\x01\x01k"[..], &number(2), &string(b"a"), &string(&[b'b'; 70])].concat();
    let content = read(&file("REDIS0009", &record)).unwrap();
    assert_eq!(content.value("k"), &Ok(format!("list a {}", "b".repeat(70)).into_bytes()));
}

/// As the facts draw it: magic, names of what it says about itself, hash, set, stream.
#[test]
fn a_file_of_valkey_byte_for_byte() {
    let rules = Rules::default();
    let mut hash = Hash::create(&rules);
    hash.load(b"f", b"v", Some(5), &rules);
    hash.load(b"g", b"7", None, &rules);
    let mut set = Set::create(&rules);
    set.add(b"a", &rules);
    let mut writer =
        RdbWriter::new(Vec::new(), WriterOptions { version: VERSION_VALKEY, ..options(Compression::Lzf) });
    let (name, release) = written_by(VERSION_VALKEY, "7.0.15");
    writer.header(&[(name, release.as_bytes()), (aof_base_name(VERSION_VALKEY), b"0")]).unwrap();
    writer.select_db(0, 3, 0).unwrap();
    for (key, object) in [(b"h", hash.into_object()), (b"s", set.into_object())] {
        writer.begin(key, None, None, type_byte(object.view(), VERSION_VALKEY)).unwrap();
        write_value(&mut writer, object.view()).unwrap();
    }
    let stream = crate::object::Stream::default();
    writer.begin(b"x", None, None, type_byte(View::Stream(&stream), VERSION_VALKEY)).unwrap();
    write_value(&mut writer, View::Stream(&stream)).unwrap();
    let bytes = writer.finish().unwrap().1;
    let mut members = edit::empty();
    edit::push(&mut members, b"a");
    let content = [
        &b"\xfa\x0avalkey-ver\x059.0.0\xfa\x08aof-base\xc0\x00"[..],
        b"\xfe\x00\xfb\x03\x00",
        b"\x16\x01h\x02\x01f\x01v\x05\0\0\0\0\0\0\0\x01g\xc0\x07\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x14\x01s",
        &string(&members),
        b"\x15\x01x\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    ];
    assert_eq!(bytes, file("VALKEY080", &content.concat()));
}

#[test]
fn who_wrote_a_file() {
    assert_eq!(written_by(9, "7.0.15"), ("redis-ver", "7.0.15"));
    assert_eq!(written_by(14, "7.0.15"), ("redis-ver", "7.0.15"));
    assert_eq!(written_by(80, "7.0.15"), ("valkey-ver", "9.0.0"));
    assert_eq!([9, 10, 80].map(aof_base_name), ["aof-preamble", "aof-base", "aof-base"]);
}

/// A value of a module, and data of one, are given as they stand in the file, and written again.
#[test]
fn modules_are_carried() {
    let value = [&b"\x81moduleid\x02\x07\x05"[..], &string(&[b'x'; 500_000]), b"\x04abcdefgh\x00"].concat();
    let aux = b"\xf7\x81moduleid\x02\x02\x05\x03abc\x00";
    let record = [&b"\xfc\x07\0\0\0\0\0\0\0\xf9\x09\x07\x01k"[..], &value].concat();
    let bytes = file("REDIS0010", &[&aux[..], &record].concat());
    for (foreign, step) in [(Foreign::Carry, 100_000), (Foreign::CarryOrStepOver, 777)] {
        let input = Drip { bytes: &bytes, step, fails: None };
        let mut reader = Reader::new(input, ReaderOptions { foreign, ..ReaderOptions::default() }).unwrap();
        let mut writer = RdbWriter::new(Vec::new(), options(Compression::Lzf));
        writer.header(&[]).unwrap();
        loop {
            match reader.next_record(&Rules::default()).unwrap() {
                Record::ModuleAux { raw, .. } => writer.module_aux(raw).unwrap(),
                Record::LeftOut { key, expire_at_ms, access, raw, .. } => {
                    assert_eq!((key, expire_at_ms), (&b"k"[..], Some(7)));
                    writer.module_value(key, expire_at_ms, access, raw.expect("it is a module's")).unwrap();
                }
                Record::Building => {}
                Record::End { .. } => break,
                other => panic!("{other:?}"),
            }
        }
        assert!(writer.finish().unwrap().1 == bytes, "it is the same file");
    }
}

#[test]
fn only_modules_are_carried() {
    let array = b"\x1c\x01k\x01\x00\x00\x00\x01a";
    let metadata = b"\xf3\x01\x00\x00\x00\x00\x00\x00\x01k\x01v";
    for (record, what) in [(&array[..], "array"), (&metadata[..], "metadata of a key")] {
        let bytes = file("REDIS0014", record);
        let with = |foreign| read_with(&bytes[..], ReaderOptions { foreign, ..ReaderOptions::default() });
        let reason = with(Foreign::Carry).unwrap_err().to_string();
        assert!(reason.starts_with("Unsupported type") && reason.contains(what), "{reason}");
        assert!(with(Foreign::CarryOrStepOver).is_ok());
    }
}
