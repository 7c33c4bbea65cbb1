//! Files of many stretches, and what lies between them.

use super::*;
use crate::persist::fixture::{self, LOAD, NOW_MS};
use crate::persist::load::{LoadOptions, Step};
use crate::rdb::{Checksum, Compression, RdbWriter, StringValue, VERSION_BASE, WriterOptions};
use std::path::{Path, PathBuf};

/// What a test file consists of.
enum Piece {
    Db(u64),
    Key(String, Vec<u8>),
}

fn file_of(pieces: impl IntoIterator<Item = Piece>) -> (tempfile::TempDir, PathBuf) {
    let options =
        WriterOptions { compression: Compression::Lzf, checksum: Checksum::On, version: VERSION_BASE };
    let mut writer = RdbWriter::new(Vec::new(), options);
    writer.header(&[]).unwrap();
    for piece in pieces {
        match piece {
            Piece::Db(db) => writer.select_db(db, 1, 0).unwrap(),
            Piece::Key(key, value) => {
                writer.string(key.as_bytes(), None, None, StringValue::Bytes(&value)).unwrap();
            }
        }
    }
    let (_, bytes) = writer.finish().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump.rdb");
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

/// So many keys with values that do not compress.
fn noise(keys: usize, value_bytes: usize) -> impl Iterator<Item = Piece> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..keys).map(move |number| {
        let value = (0..value_bytes).map(|_| random.u8(b'!'..=b'~')).collect();
        Piece::Key(format!("key:{number}"), value)
    })
}

fn load(path: &Path, options: LoadOptions) -> Result<(Loading, Keyspace), LoadError> {
    let mut keyspace = Keyspace::new(16, 5, NOW_MS);
    let mut loading = Loading::open(path, options, NOW_MS)?.expect("the file is there");
    loading.run(&mut keyspace, NOW_MS)?;
    Ok((loading, keyspace))
}

/// All of it loads, and is the same, however many threads there are.
fn assert_loads_alike(path: &Path) {
    let (alone, expected) = load(path, LOAD).unwrap();
    for threads in [2, 3, 4] {
        let (together, loaded) = load(path, LoadOptions { threads, ..LOAD }).unwrap();
        assert!(fixture::content(&loaded) == fixture::content(&expected), "{threads} threads");
        assert_eq!(
            (together.keys_loaded, together.loaded_bytes, together.keys_expired),
            (alone.keys_loaded, alone.loaded_bytes, alone.keys_expired)
        );
        (0..16).for_each(|db| loaded.db(db).check());
    }
}

#[test]
fn many_stretches_are_loaded_as_by_one_thread() {
    let (_directory, path) = file_of([Piece::Db(0)].into_iter().chain(noise(20_000, 400)));
    assert_loads_alike(&path);
}

#[test]
fn values_longer_than_a_stretch_are_among_the_others() {
    let long = |number: usize, bytes: usize| {
        let value = format!("{number:07}").into_bytes().repeat(bytes / 7);
        [Piece::Key(format!("long:{number}"), value)]
    };
    let pieces =
        [Piece::Db(3)].into_iter().chain(noise(3000, 300)).chain(long(1, 300 << 10)).chain(noise(0, 0));
    let mut pieces: Vec<Piece> = pieces.collect();
    let mut random = fastrand::Rng::with_seed(1);
    for (number, bytes) in [(2, 1 << 20), (3, 9 << 20), (4, 700 << 10), (5, 8 << 20)] {
        pieces.push(Piece::Key(format!("noise:{number}"), (0..bytes).map(|_| random.u8(..)).collect()));
        pieces.extend(long(number, bytes));
    }
    let (_directory, path) = file_of(pieces);
    assert_loads_alike(&path);
}

#[test]
fn a_change_of_the_database_before_every_key() {
    let pieces = noise(6000, 20).enumerate().flat_map(|(at, key)| [Piece::Db(at as u64 % 16), key]);
    let (_directory, path) = file_of(pieces);
    assert_loads_alike(&path);
    let (_directory, path) = file_of([Piece::Db(1), Piece::Db(2)]);
    assert_loads_alike(&path);
    let (_directory, path) = file_of([]);
    assert_loads_alike(&path);
}

#[test]
fn what_is_wrong_in_a_stretch_is_said_as_by_one_thread() {
    let (_directory, path) = file_of([Piece::Db(0)].into_iter().chain(noise(4000, 300)));
    let good = std::fs::read(&path).unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let mut faults = std::collections::BTreeSet::new();
    for round in 0..60 {
        let mut bad = good.clone();
        match round % 3 {
            0 => bad.truncate(random.usize(9..good.len())),
            // The byte in front of a key is its type.
            1 => {
                let key = format!("key:{}", random.usize(1000..4000));
                let at = bad.windows(key.len()).position(|part| part == key.as_bytes()).unwrap();
                bad[at - 2] = [6, 99, 0xf6, 16, 11, 0xc0][random.usize(..6)];
            }
            _ => bad[random.usize(9..good.len())] ^= 1 << random.u8(..8),
        }
        std::fs::write(&path, &bad).unwrap();
        for checksum in [Checksum::On, Checksum::Off] {
            let said = |threads| {
                load(&path, LoadOptions { threads, checksum, ..LOAD }).map(|(_, keyspace)| keyspace)
            };
            let (alone, together) = (said(1), said(2));
            match (alone, together) {
                (Ok(alone), Ok(together)) => {
                    assert_eq!(checksum, Checksum::Off, "round {round}");
                    assert!(fixture::content(&alone) == fixture::content(&together), "round {round}");
                }
                (Err(alone), Err(together)) => {
                    assert_eq!(alone.to_string(), together.to_string(), "round {round}");
                    faults.insert(alone.to_string().split(' ').next().unwrap().to_owned());
                }
                (alone, together) => panic!("{:?} {:?}", alone.err(), together.err()),
            }
        }
    }
    assert!(faults.len() >= 3, "{faults:?}");
}

#[test]
fn a_load_that_is_given_up_leaves_no_thread() {
    let (_directory, path) = file_of([Piece::Db(0)].into_iter().chain(noise(20_000, 400)));
    for steps in [0, 1, 2, 5, 9] {
        let mut keyspace = Keyspace::new(1, 5, NOW_MS);
        let mut loading = Loading::open(&path, LoadOptions { threads: 3, ..LOAD }, NOW_MS).unwrap().unwrap();
        let mut budget = Budget { bytes: 1, is_over: &mut || false };
        for _ in 0..steps {
            assert_eq!(loading.step(&mut keyspace, NOW_MS, &mut budget).unwrap(), Step::More);
        }
        let shared = loading.watch_team();
        assert_eq!(shared.is_some(), steps > 0);
        drop(loading);
        assert!(shared.is_none_or(|shared| shared.strong_count() == 0), "somebody still works");
    }
}

#[test]
fn threads_by_the_directive() {
    assert_eq!((load_threads(0, 100), load_threads(1, 1 << 30), load_threads(4, 100)), (1, 1, 4));
    assert!((1..=2).contains(&load_threads(0, 1 << 30)));
}
