//! Files that come back whole, damaged files that do not, and keys that are in the way.

use super::*;
use crate::keyspace::Expiry;
use crate::persist::disk::{SavePaths, System};
use crate::persist::fixture::{self, NOW_MS};
use crate::persist::image::{Workspaces, save_image, tests::options};

const LOAD: LoadOptions = LoadOptions {
    duplicates: Duplicates::Refuse,
    target: Target::Keyspace,
    checksum: Checksum::On,
    depth: Depth::Structure,
    foreign: Foreign::Refuse,
    key_delay: KeyDelay(0),
};

fn empty(databases: usize) -> Keyspace {
    Keyspace::new(databases, 7, NOW_MS)
}

fn saved(keyspace: &Keyspace) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let paths = SavePaths::new(directory.path(), "dump.rdb", 1).unwrap();
    save_image(keyspace, &mut System, &paths, (&options(), &mut Workspaces::for_threads(1)), &mut |_| {})
        .unwrap();
    let path = paths.target_path().to_path_buf();
    (directory, path)
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
    let mut loaded = empty(16);
    let loading = load(&path, LOAD, &mut loaded, NOW_MS).unwrap();
    assert_eq!(fixture::content(&loaded), fixture::content(&keyspace));
    assert_eq!((loading.keys_loaded, loading.keys_expired, loading.used_memory_bytes), (3000, 0, 123_456));
    assert_eq!((loading.percent(), loaded.db(3).volatile_len()), (100.0, keyspace.db(3).volatile_len()));
}

#[test]
fn it_goes_in_steps_and_says_how_far_it_is() {
    let keyspace = fixture::keyspace(1000);
    let (_directory, path) = saved(&keyspace);
    let mut loaded = empty(16);
    let mut loading = Loading::open(&path, LOAD, NOW_MS).unwrap().unwrap();
    let (mut steps, mut last) = (0, 0);
    while loading.step(&mut loaded, NOW_MS, 4096).unwrap() == Step::More {
        assert!(loading.loaded_bytes >= last && loading.eta_s(NOW_MS + 2000) >= 0);
        last = loading.loaded_bytes;
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
    assert_eq!(fixture::content(&loaded), fixture::content(&keyspace));
    assert_eq!(loading.step(&mut loaded, NOW_MS, 1).unwrap(), Step::Done);
}

#[test]
fn keys_that_expired_meanwhile_stay_away() {
    let mut keyspace = empty(16);
    fixture::set(&mut keyspace, 0, "old", "1", Expiry::At(NOW_MS + 10));
    fixture::set(&mut keyspace, 0, "new", "2", Expiry::At(NOW_MS + 30));
    let (_directory, path) = saved(&keyspace);
    let mut loaded = empty(16);
    let loading = load(&path, LOAD, &mut loaded, NOW_MS + 20).unwrap();
    assert_eq!((loading.keys_loaded, loading.keys_expired, loaded.len()), (1, 1, 1));
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

#[test]
fn nothing_of_a_damaged_file_is_loaded() {
    let keyspace = fixture::keyspace(8);
    let (_directory, path) = saved(&keyspace);
    let good = std::fs::read(&path).unwrap();
    for place in (9..good.len()).step_by(5) {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        std::fs::write(&path, &bad).unwrap();
        let mut loaded = empty(16);
        let error = load(&path, LOAD, &mut loaded, NOW_MS).err().expect("damage is found").to_string();
        assert!(loaded.is_empty() && error.contains("dump.rdb"), "{place}: {error}");
    }
    for length in (0..good.len()).step_by(7) {
        std::fs::write(&path, &good[..length]).unwrap();
        let mut loaded = empty(16);
        assert!(load(&path, LOAD, &mut loaded, NOW_MS).is_err() && loaded.is_empty());
    }
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
    let error = load(&path, LOAD, &mut empty(4), NOW_MS).err().unwrap().to_string();
    assert!(error.contains("more than 4 databases"), "{error}");
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
    load(&path, LOAD, &mut loaded, NOW_MS).unwrap();
    assert!(loaded.len() == 1 && loaded.db(0).overhead_bytes() < 1 << 16);
}
