//! The hot rooms by themselves: `cargo bench --bench rooms`. For a look at a change of one room; what users feel is
//! measured by `compare`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use tintype::base::lzf::Compressor;
use tintype::encoding::dict::{Dict, HashSeed};
use tintype::keyspace::Entry;
use tintype::resp::{Limits, Parsed, Parser};

const KEYS: usize = 1 << 20;
const BATCH: usize = 16;

fn key(number: usize) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

/// Sixteen SETs in one buffer, as a pipeline brings them.
fn parser(criterion: &mut Criterion) {
    let one = |number| format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:{number:012}\r\n$64\r\n{:064}\r\n", number);
    let buffer: Vec<u8> = (0..BATCH).flat_map(|number| one(number).into_bytes()).collect();
    let mut group = criterion.benchmark_group("resp");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("parse a pipeline", |bencher| {
        let (mut parser, limits, mut spans) = (Parser::new(), Limits::default(), Vec::new());
        bencher.iter(|| {
            spans.clear();
            let mut at = 0;
            while let Ok(Parsed::Command { consumed }) = parser.parse(&buffer[at..], &limits, &mut spans) {
                at += consumed;
            }
            assert_eq!(at, buffer.len());
        });
    });
    group.finish();
}

/// Lookups among a million entries, one by one and prefetched in batches.
fn dict(criterion: &mut Criterion) {
    let mut dict: Dict<Entry> = Dict::new(HashSeed([7; 16]));
    for number in 0..KEYS {
        let key = key(number);
        dict.insert_new(dict.hash(&key), Entry::from_bytes(&key, &[b'v'; 64], None));
    }
    let mut rng = fastrand::Rng::with_seed(1);
    let keys: Vec<Vec<u8>> = (0..1 << 16).map(|_| key(rng.usize(..KEYS))).collect();
    let mut group = criterion.benchmark_group("dict");
    group.throughput(Throughput::Elements(BATCH as u64));
    let mut batches = keys.chunks_exact(BATCH).cycle();
    group.bench_function("get, one by one", |bencher| {
        bencher.iter(|| {
            for key in batches.next().expect("endless") {
                black_box(dict.get(dict.hash(key), key).map(Entry::str_len));
            }
        });
    });
    group.bench_function("get, prefetched", |bencher| {
        bencher.iter(|| {
            let batch = batches.next().expect("endless");
            let mut hashes = [0; BATCH];
            for (hash, key) in hashes.iter_mut().zip(batch) {
                *hash = dict.hash(key);
                dict.prefetch_bucket(*hash);
            }
            hashes.iter().for_each(|hash| dict.prefetch_candidates(*hash));
            for (hash, key) in hashes.into_iter().zip(batch) {
                black_box(dict.get(hash, key).map(Entry::str_len));
            }
        });
    });
    group.finish();
}

/// Values of 100 bytes as a save compresses them.
fn lzf(criterion: &mut Criterion) {
    let mut rng = fastrand::Rng::with_seed(2);
    let hexadecimal: Vec<u8> = (0..100).map(|_| b"0123456789abcdef"[rng.usize(..16)]).collect();
    let text = b"the quick brown fox jumps over the lazy dog, ".repeat(3)[..100].to_vec();
    let mut group = criterion.benchmark_group("lzf");
    for (name, input) in [("hexadecimal digits", hexadecimal), ("text", text)] {
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(name, |bencher| {
            let (mut compressor, mut out) = (Compressor::new(), vec![0; input.len() - 4]);
            bencher.iter(|| black_box(compressor.compress(black_box(&input), &mut out)));
        });
    }
    group.finish();
}

criterion_group!(rooms, parser, dict, lzf);
criterion_main!(rooms);
