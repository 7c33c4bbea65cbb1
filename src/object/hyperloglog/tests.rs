//! HyperLogLogs against a plain array of registers, and against bytes that redis-server 7.0.15 has made.

use super::*;
use proptest::prelude::*;
use sha1_smol::Sha1;

const SPARSE_BYTES_MAX: usize = 3000;

fn view(bytes: &[u8]) -> Hyperloglog<'_> {
    Hyperloglog::of(bytes).expect("a HyperLogLog")
}

/// As PFADD does it.
fn add(bytes: &mut Vec<u8>, elements: impl Iterator<Item = String>, sparse_bytes_max: usize) {
    let mut hyperloglog = HyperloglogMut::of(bytes, sparse_bytes_max);
    let mut changed = false;
    for element in elements {
        changed |= hyperloglog.add(element.as_bytes()).expect("sound");
    }
    if changed {
        hyperloglog.forget_count();
    }
}

/// As PFCOUNT does it.
fn count(bytes: &mut Vec<u8>) -> u64 {
    let cardinality = view(bytes).count().expect("sound");
    HyperloglogMut::of(bytes, 0).keep_count(cardinality);
    cardinality
}

fn merge(sources: &[&[u8]]) -> Vec<u8> {
    let mut registers = Registers::zero();
    let mut merged = Vec::new();
    let mut hyperloglog = HyperloglogMut::of(&mut merged, SPARSE_BYTES_MAX);
    for source in sources {
        view(source).merge_into(&mut registers).expect("sound");
        if view(source).encoding() == Encoding::Dense {
            hyperloglog.make_dense().expect("sound");
        }
    }
    hyperloglog.raise_to(&registers).expect("sound");
    hyperloglog.forget_count();
    merged
}

fn sha1(bytes: &[u8]) -> String {
    Sha1::from(bytes).digest().to_string()
}

#[test]
fn the_bytes_are_those_of_redis() {
    // After each row: PFADD one by one, GET, PFCOUNT.
    let expected = [
        (1, 21, "d111dd27cb94748a8cf3c3c1bf002fe0e1b6b277", 1, Encoding::Sparse),
        (10, 48, "72f708d1ec82558d36186ff770ac34bca1a456dd", 10, Encoding::Sparse),
        (100, 285, "7459ce723e60c1e28c51049e9d7b94aefaa41573", 99, Encoding::Sparse),
        (500, 1050, "9f04e22687312022cc87e6e64a368224c03edda8", 502, Encoding::Sparse),
        (700, 1401, "04977da14a753488b646fef516e0b71e3d25d744", 703, Encoding::Sparse),
        (1000, 1897, "67a5f3086d5d2fa300659d76d1f0aeee97fc6e39", 997, Encoding::Sparse),
        (2000, 12304, "8f6daef1b3338f21b7bba00fb2f80f470ce4b0a8", 2004, Encoding::Dense),
        (20000, 12304, "98a5bccf5a1809cda9ae8ce2d33c628df76d594c", 19986, Encoding::Dense),
    ];
    let mut bytes = Vec::new();
    let mut added = 0;
    for (elements, length, digest, cardinality, encoding) in expected {
        add(&mut bytes, (added..elements).map(|n| format!("element:{n}")), SPARSE_BYTES_MAX);
        added = elements;
        assert_eq!((bytes.len(), sha1(&bytes).as_str()), (length, digest), "{elements} elements");
        assert_eq!((view(&bytes).cached(), count(&mut bytes)), (None, cardinality), "{elements} elements");
        assert_eq!((view(&bytes).cached(), view(&bytes).encoding()), (Some(cardinality), encoding));
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    add(&mut first, (0..300).map(|n| format!("a:{n}")), SPARSE_BYTES_MAX);
    add(&mut second, (0..300).map(|n| format!("b:{n}")), SPARSE_BYTES_MAX);
    let mut merged = merge(&[&first, &second]);
    assert_eq!((merged.len(), sha1(&merged).as_str()), (1221, "d6aee545baeb16ae361583311c49852e402bcc9f"));
    assert_eq!(count(&mut merged), 604);
    let mut all = merge(&[&merged, &bytes]);
    assert_eq!((all.len(), sha1(&all).as_str()), (12304, "9dbc847081c74a0b46c503820328c8a1fba9fdb5"));
    assert_eq!(count(&mut all), 20603);
}

#[test]
fn the_first_bytes_are_drawn_by_hand() {
    let mut bytes = Vec::new();
    HyperloglogMut::of(&mut bytes, SPARSE_BYTES_MAX);
    assert_eq!(bytes, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
    add(&mut bytes, ["a".to_owned()].into_iter(), SPARSE_BYTES_MAX);
    assert_eq!(bytes, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80q\xa6\x84NW");
    assert_eq!(view(&bytes).describe().as_deref(), Some("Z:12711 v:2,1 Z:3672"));
    add(&mut bytes, ["b".to_owned()].into_iter(), SPARSE_BYTES_MAX);
    assert_eq!(bytes, b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80q\xa6\x84K\xfb\x80BZ");
}

#[test]
fn what_only_looks_like_one_is_refused() {
    let header = |encoding: u8| [b"HYLL".as_slice(), &[encoding], &[0; 10], &[0x80]].concat();
    let with = |encoding: u8, body: &[u8]| [header(encoding).as_slice(), body].concat();
    for bytes in [b"".to_vec(), b"HYLL".to_vec(), header(0), header(2), with(0, &[0; 12287]), vec![0; 12304]]
    {
        assert!(Hyperloglog::of(&bytes).is_none());
    }
    assert!(Hyperloglog::of(&with(0, &[0; 12288])).is_some());
    let cut: &[&[u8]] = &[b"", b"\x7f", b"\x7f\xfe", b"\x7f\xff\0", b"\x7f\xff\x80", b"\x7f\xff\x7f\xff"];
    for body in cut {
        let bytes = with(1, body);
        assert_eq!(view(&bytes).count(), Err(Corrupt), "{body:?}");
        assert_eq!(view(&bytes).merge_into(&mut Registers::zero()), Err(Corrupt), "{body:?}");
        let mut changed = bytes.clone();
        assert_eq!(HyperloglogMut::of(&mut changed, 3000).make_dense(), Err(Corrupt), "{body:?}");
        assert_eq!(changed, bytes, "{body:?}");
    }
    // Runs that lead to the register are enough to raise it.
    let mut short = with(1, b"\x7f\xfe");
    assert_eq!(HyperloglogMut::of(&mut short, 3000).add(b"a"), Ok(true));
    assert_eq!(HyperloglogMut::of(&mut with(1, b"\x7f"), 3000).add(b"a"), Err(Corrupt));
}

#[test]
fn high_counts_and_long_strings_become_dense() {
    let mut bytes = Vec::new();
    let mut from = sparse::Cursor::START;
    let mut hyperloglog = HyperloglogMut::of(&mut bytes, SPARSE_BYTES_MAX);
    assert_eq!(hyperloglog.raise(Place { index: 5, count: 32 }, &mut from), Ok(true));
    assert_eq!(hyperloglog.raise(Place { index: 9, count: 33 }, &mut from), Ok(true));
    assert_eq!(view(&bytes).encoding(), Encoding::Dense);
    let mut registers = Registers::zero();
    view(&bytes).merge_into(&mut registers).expect("sound");
    assert_eq!((registers.values()[5], registers.values()[9], registers.values()[10]), (32, 33, 0));
    let mut tiny = Vec::new();
    add(&mut tiny, ["a".to_owned()].into_iter(), 0);
    assert_eq!(view(&tiny).encoding(), Encoding::Dense);
}

/// Registers near each other, so that runs are split and joined in every way.
fn places() -> impl Strategy<Value = Vec<Place>> {
    let near = prop_oneof![3 => 0usize..12, 2 => 60usize..70, 2 => 16_370usize..REGISTERS, 1 => 0..REGISTERS];
    let place =
        (near, prop_oneof![8 => 1u8..4, 1 => 1u8..33]).prop_map(|(index, count)| Place { index, count });
    prop::collection::vec(place, 0..80)
}

fn raise_all(bytes: &mut Vec<u8>, places: &[Place]) {
    let mut hyperloglog = HyperloglogMut::of(bytes, SPARSE_BYTES_MAX);
    for place in places {
        hyperloglog.raise(*place, &mut { sparse::Cursor::START }).expect("sound");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn registers_are_what_was_raised(places in places()) {
        let mut expected = [0u8; REGISTERS];
        let mut bytes = Vec::new();
        let mut dense = Vec::new();
        HyperloglogMut::of(&mut dense, 0).make_dense().expect("sound");
        for place in &places {
            let raises = expected[place.index] < place.count;
            expected[place.index] = expected[place.index].max(place.count);
            for bytes in [&mut bytes, &mut dense] {
                let mut hyperloglog = HyperloglogMut::of(bytes, SPARSE_BYTES_MAX);
                prop_assert_eq!(hyperloglog.raise(*place, &mut { sparse::Cursor::START }), Ok(raises));
            }
        }
        HyperloglogMut::of(&mut bytes, SPARSE_BYTES_MAX);
        prop_assert_eq!(view(&bytes).encoding(), Encoding::Sparse);
        for bytes in [&bytes, &dense] {
            let mut registers = Registers::zero();
            view(bytes).merge_into(&mut registers).expect("sound");
            prop_assert!(*registers.values() == expected);
            prop_assert_eq!(view(bytes).count(), Ok(registers.count()));
        }
        HyperloglogMut::of(&mut bytes, 0).make_dense().expect("sound");
        prop_assert!(bytes == dense);
    }

    /// A merge goes over the runs once; the bytes must be as if each register had been searched from the start.
    #[test]
    fn a_merge_is_a_row_of_single_changes(before in places(), raised in places()) {
        let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
        raise_all(&mut at_once, &before);
        raise_all(&mut one_by_one, &before);
        let mut registers = Registers::zero();
        for place in raised {
            let value = &mut registers.values_mut()[place.index];
            *value = place.count.max(*value);
        }
        let filled = registers.values().iter().enumerate().filter(|(_, count)| **count > 0);
        let places: Vec<Place> = filled.map(|(index, &count)| Place { index, count }).collect();
        raise_all(&mut one_by_one, &places);
        HyperloglogMut::of(&mut at_once, SPARSE_BYTES_MAX).raise_to(&registers).expect("sound");
        prop_assert_eq!(at_once, one_by_one);
    }

    #[test]
    fn hostile_bytes_do_no_harm(body in prop::collection::vec(any::<u8>(), 0..40), element: u64) {
        let mut bytes = [b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80", body.as_slice()].concat();
        let _ = (view(&bytes).count(), view(&bytes).describe(), view(&bytes).cached());
        let _ = view(&bytes).merge_into(&mut Registers::zero());
        let mut hyperloglog = HyperloglogMut::of(&mut bytes, SPARSE_BYTES_MAX);
        for n in 0..50 {
            let _ = hyperloglog.add(&(element ^ n).to_le_bytes());
        }
        let _ = hyperloglog.make_dense();
        prop_assert!(Hyperloglog::of(&bytes).is_some());
    }
}
