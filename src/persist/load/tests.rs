//! Files that come back whole, damaged files that do not, and keys that are in the way.

use super::*;
use crate::keyspace::Expiry;
use crate::persist::disk::{SavePaths, System};
use crate::persist::fixture::{self, LOAD, NOW_MS};
use crate::persist::image::{Workspaces, save_image, tests::options};
use crate::rdb::{Compression, RdbWriter, StringValue, VERSION_BASE, WriterOptions, verify};

fn empty(databases: usize) -> Keyspace {
    Keyspace::new(databases, 7, NOW_MS)
}

fn saved(keyspace: &Keyspace) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 1).unwrap();
    save_image(
        keyspace.into(),
        &mut System,
        &paths,
        (&options(), &mut Workspaces::for_threads(1)),
        &mut |_| {},
    )
    .unwrap();
    let path = paths.target_path().to_path_buf();
    (directory, path)
}

/// Loads are alike, however many threads there are.
fn teams() -> impl Iterator<Item = LoadOptions> {
    [1, 2, 4].into_iter().map(|threads| LoadOptions { threads, ..LOAD })
}

fn load(path: &Path, options: LoadOptions, into: &mut Keyspace, now_ms: i64) -> Result<Loading, LoadError> {
    let mut loading = Loading::open(path, options, now_ms)?.expect("the file is there");
    loading.run(into, now_ms)?;
    Ok(loading)
}

#[test]
fn what_was_saved_comes_back() {
    let keyspace = fixture::keyspace(1000);
    let (_directory, path) = saved(&keyspace);
    for options in teams() {
        let mut loaded = empty(16);
        let loading = load(&path, options, &mut loaded, NOW_MS).unwrap();
        assert_eq!(fixture::content(&loaded), fixture::content(&keyspace));
        assert_eq!(
            (loading.keys_loaded, loading.keys_expired, loading.used_memory_bytes),
            (3000, 0, 123_456)
        );
        assert_eq!((loading.percent(), loaded.db(3).volatile_len()), (100.0, keyspace.db(3).volatile_len()));
        loaded.db(3).check();
    }
}

#[test]
fn it_goes_in_steps_and_says_how_far_it_is() {
    let keyspace = fixture::keyspace(1000);
    let (_directory, path) = saved(&keyspace);
    let mut loaded = empty(16);
    let mut loading = Loading::open(&path, LOAD, NOW_MS).unwrap().unwrap();
    let (mut steps, mut last) = (0, 0);
    let mut budget = Budget { bytes: 4096, is_over: &mut || false };
    while loading.step(&mut loaded, NOW_MS, &mut budget).unwrap() == Step::More {
        assert!(loading.loaded_bytes >= last && loading.eta_s(NOW_MS + 2000) >= 0);
        last = loading.loaded_bytes;
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
    assert_eq!(fixture::content(&loaded), fixture::content(&keyspace));
    assert_eq!(loading.step(&mut loaded, NOW_MS, &mut budget).unwrap(), Step::Done);
}

#[test]
fn keys_that_expired_meanwhile_stay_away() {
    let mut keyspace = empty(16);
    fixture::set(&mut keyspace, 0, "old", "1", Expiry::At(NOW_MS + 10));
    fixture::set(&mut keyspace, 0, "new", "2", Expiry::At(NOW_MS + 30));
    let (_directory, path) = saved(&keyspace);
    for options in teams() {
        let mut loaded = empty(16);
        let loading = load(&path, options, &mut loaded, NOW_MS + 20).unwrap();
        assert_eq!((loading.keys_loaded, loading.keys_expired, loaded.len()), (1, 1, 1));
    }
}

#[test]
fn no_file_is_an_empty_dataset_and_a_directory_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    assert!(Loading::open(&directory.path().join("dump.rdb"), LOAD, NOW_MS).unwrap().is_none());
    let error = Loading::open(directory.path(), LOAD, NOW_MS).err().unwrap().to_string();
    assert!(
        error.starts_with("Fatal error: can't open the RDB file ") && error.ends_with(": Is a directory")
    );
}

/// What is told is what the checksum of the whole file says, wherever the damage was come upon.
#[test]
fn a_damaged_file_is_refused() {
    let keyspace = fixture::keyspace(8);
    let (_directory, path) = saved(&keyspace);
    let good = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let expected = verify(bytes).unwrap_err();
        for options in teams() {
            let error =
                load(&path, options, &mut empty(16), NOW_MS).err().expect("damage is found").to_string();
            assert_eq!(
                error,
                format!("{expected} ({})", path.display()),
                "{what}, {} threads",
                options.threads
            );
        }
    };
    for place in (9..good.len()).step_by(5) {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        refused(&bad, &format!("byte {place}"));
    }
    for length in (0..good.len()).step_by(7) {
        refused(&good[..length], &format!("cut at {length}"));
    }
    refused(&[&good[..], b"x"].concat(), "more behind the end");
    let trailer = good.len() - 8;
    refused(&[&good[..trailer], b"another!"].concat(), "another checksum");
}

/// A file of strings, whatever they are, with a checksum that is right.
fn file_of(strings: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
    let options =
        WriterOptions { compression: Compression::Lzf, checksum: Checksum::On, version: VERSION_BASE };
    let mut writer = RdbWriter::new(Vec::new(), options);
    writer.header(&[]).unwrap();
    writer.select_db(0, strings.len() as u64, 0).unwrap();
    for (key, value) in strings {
        writer.string(key.as_bytes(), None, None, StringValue::Bytes(value)).unwrap();
    }
    let (_, bytes) = writer.finish().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump.rdb");
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

#[test]
fn a_key_that_stands_twice_is_found_however_far_apart() {
    let keys: Vec<String> = (0..500).map(|number| format!("key {number}")).collect();
    for apart in [1, 31, 32, 33, 400] {
        let mut strings: Vec<(&str, &[u8])> = keys.iter().map(|key| (key.as_str(), &b"first"[..])).collect();
        strings.insert(20 + apart, ("key 20", b"second"));
        let (_directory, path) = file_of(&strings);
        for options in teams() {
            let error = load(&path, options, &mut empty(1), NOW_MS).err().unwrap();
            assert!(matches!(&error, LoadError::Duplicate { key, db: 0, .. } if key == b"key 20"), "{error}");
            let mut loaded = empty(1);
            let replace = LoadOptions { duplicates: Duplicates::Replace, ..options };
            load(&path, replace, &mut loaded, NOW_MS).unwrap();
            assert_eq!(fixture::content(&loaded)[&(0, b"key 20".to_vec())].0, "second");
            assert_eq!(loaded.len(), 500);
        }
    }
}

#[test]
fn long_strings_come_back_in_steps() {
    let mut random = fastrand::Rng::with_seed(9);
    let mut hexadecimal = |len: usize| -> Vec<u8> { (0..len).map(|_| random.u8(b'a'..=b'p')).collect() };
    let sizes = [(32 << 10) - 1, 32 << 10, (256 << 10) - 9, 256 << 10, 3 << 20];
    let values: Vec<Vec<u8>> = sizes
        .into_iter()
        .flat_map(|len| [hexadecimal(len), b"0123456789abcdef".repeat(len / 16), hexadecimal(100)])
        .collect();
    let keys: Vec<String> = (0..values.len()).map(|number| format!("k{number}")).collect();
    let strings: Vec<_> = keys.iter().map(String::as_str).zip(values.iter().map(Vec::as_slice)).collect();
    let (_directory, path) = file_of(&strings);
    let mut loaded = empty(1);
    let mut loading = Loading::open(&path, LOAD, NOW_MS).unwrap().unwrap();
    let mut budget = Budget { bytes: 1 << 20, is_over: &mut || false };
    let mut places = vec![0];
    while loading.step(&mut loaded, NOW_MS, &mut budget).unwrap() == Step::More {
        places.push(loading.loaded_bytes);
    }
    assert!(places.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] < 3 << 20), "{places:?}");
    let content = fixture::content(&loaded);
    assert_eq!(content.len(), values.len());
    for (key, value) in strings {
        assert!(content[&(0, key.as_bytes().to_vec())].0.as_bytes() == value, "{key}");
    }
    loaded.db(0).check();
    let cut = std::fs::read(&path).unwrap();
    std::fs::write(&path, &cut[..cut.len() - (1 << 20)]).unwrap();
    let unchecked = LoadOptions { checksum: Checksum::Off, ..LOAD };
    let error = load(&path, unchecked, &mut empty(1), NOW_MS).err().unwrap().to_string();
    assert!(error.starts_with("Short read"), "{error}");
}

#[test]
fn a_step_ends_when_its_time_is_over() {
    let keyspace = fixture::keyspace(1000);
    let (_directory, path) = saved(&keyspace);
    let mut loaded = empty(16);
    let mut loading = Loading::open(&path, LOAD, NOW_MS).unwrap().unwrap();
    let mut budget = Budget { bytes: u64::MAX, is_over: &mut || true };
    let mut steps = 0;
    while loading.step(&mut loaded, NOW_MS, &mut budget).unwrap() == Step::More {
        steps += 1;
    }
    assert!((40..60).contains(&steps), "{steps} for 3000 keys");
    assert_eq!(fixture::content(&loaded), fixture::content(&keyspace));
}

#[test]
fn a_key_that_is_there_is_refused_or_replaced() {
    let mut keyspace = empty(16);
    fixture::set(&mut keyspace, 0, "a", "new", Expiry::At(NOW_MS + 1000));
    let (_directory, path) = saved(&keyspace);
    let mut loaded = empty(16);
    fixture::set(&mut loaded, 0, "a", "old", Expiry::None);
    fixture::set(&mut loaded, 0, "b", "kept", Expiry::None);
    let error = load(&path, LOAD, &mut loaded, NOW_MS).err().unwrap().to_string();
    assert!(error.starts_with("RDB has duplicated key 'a' in DB 0 at offset "), "{error}");
    let merge = LoadOptions { duplicates: Duplicates::Replace, ..LOAD };
    load(&path, merge, &mut loaded, NOW_MS).unwrap();
    assert_eq!((loaded.len(), loaded.db(0).volatile_len()), (2, 1));
    assert_eq!(fixture::content(&loaded)[&(0, b"a".to_vec())].0, "new");
}

#[test]
fn a_database_that_is_not_there_stops_the_load() {
    let mut keyspace = empty(16);
    fixture::set(&mut keyspace, 15, "a", "1", Expiry::None);
    let (_directory, path) = saved(&keyspace);
    for options in teams() {
        let error = load(&path, options, &mut empty(4), NOW_MS).err().unwrap().to_string();
        assert!(error.contains("more than 4 databases"), "{error}");
    }
}

#[test]
fn absurd_hints_reserve_little() {
    let mut keyspace = empty(1);
    fixture::set(&mut keyspace, 0, "a", "1", Expiry::None);
    let (_directory, path) = saved(&keyspace);
    let mut bytes = std::fs::read(&path).unwrap();
    let hint = bytes.windows(2).position(|pair| pair == [0xfb, 1]).unwrap();
    bytes.splice(hint + 1..hint + 2, [0x81, 0x7f, 255, 255, 255, 255, 255, 255, 255]);
    // No checksum: the trailer says that none was made.
    let trailer = bytes.len() - 8;
    bytes[trailer..].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    let mut loaded = empty(1);
    load(&path, LoadOptions { threads: 2, ..LOAD }, &mut loaded, NOW_MS).unwrap();
    assert!(loaded.len() == 1 && loaded.db(0).overhead_bytes() < 1 << 16);
}
