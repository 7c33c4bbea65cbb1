//! Listpacks against a plain list of byte strings, against blobs of Redis, and against noise.

use super::*;
use proptest::prelude::*;

fn blob(texts: &[&[u8]]) -> Vec<u8> {
    let mut blob = edit::empty();
    texts.iter().for_each(|text| edit::push(&mut blob, text));
    blob
}

fn texts(blob: &[u8]) -> Vec<Vec<u8>> {
    Listpack::trusted(blob).iter().map(Element::to_vec).collect()
}

#[track_caller]
fn assert_holds(blob: &[u8], expected: &[Vec<u8>]) {
    let listpack = Listpack::check(blob).expect("our own blob is valid");
    assert_eq!(listpack.len(), expected.len());
    assert_eq!(listpack.is_empty(), expected.is_empty());
    assert_eq!(texts(blob), expected);
    let mut backwards: Vec<_> = listpack.iter().rev().map(Element::to_vec).collect();
    backwards.reverse();
    assert_eq!(backwards, expected);
}

/// Built as Redis 7.0.15 writes it (RPUSH k a 1 -1 128 -4097 40000 9000000 3000000000 bb).
#[test]
fn bytes_are_those_of_redis() {
    let own = blob(&[b"a", b"1", b"-1", b"128", b"-4097", b"40000", b"9000000", b"3000000000", b"bb"]);
    let entries: &[&[u8]] = &[
        &[0x81, b'a', 2],
        &[1, 1],
        &[0xdf, 0xff, 2],
        &[0xc0, 0x80, 2],
        &[0xf1, 0xff, 0xef, 3],
        &[0xf2, 0x40, 0x9c, 0, 4],
        &[0xf3, 0x40, 0x54, 0x89, 0, 5],
        &[0xf4, 0, 0x5e, 0xd0, 0xb2, 0, 0, 0, 0, 9],
        &[0x82, b'b', b'b', 3],
    ];
    let body = entries.concat();
    let mut expected = vec![body.len() as u8 + 7, 0, 0, 0, 9, 0];
    expected.extend_from_slice(&body);
    expected.push(0xff);
    assert_eq!(own, expected);
}

#[test]
fn every_size_of_string_and_integer() {
    let mut expected: Vec<Vec<u8>> =
        [0usize, 1, 62, 63, 64, 125, 126, 127, 128, 4094, 4095, 4096, 16377, 16378, 16379, 70_000]
            .iter()
            .map(|&length| vec![b'x'; length])
            .collect();
    expected.push(vec![b'y'; 2_097_151 - 5]);
    for bit in 0..63 {
        for near in [-1, 0, 1] {
            expected.push(((1i64 << bit) + near).to_string().into_bytes());
            expected.push((-(1i64 << bit) + near).to_string().into_bytes());
        }
    }
    expected.extend([i64::MIN, i64::MAX].map(|value| value.to_string().into_bytes()));
    let borrowed: Vec<&[u8]> = expected.iter().map(Vec::as_slice).collect();
    let blob = blob(&borrowed);
    assert_holds(&blob, &expected);
    let sum: usize = expected.iter().map(|text| edit::entry_len(text)).sum();
    assert_eq!(blob.len(), HEADER_BYTES + sum + 1);
    let listpack = Listpack::trusted(&blob);
    for (index, text) in expected.iter().enumerate() {
        let at = listpack.nth(index as isize).expect("in range");
        assert!(listpack.at(at).equals(text));
        assert_eq!(listpack.at(at).len(), text.len());
        assert_eq!(listpack.nth(index as isize - expected.len() as isize), Some(at));
    }
}

#[test]
fn only_canonical_texts_become_integers() {
    let kept: &[&[u8]] = &[b"", b"-", b"-0", b"+1", b"01", b" 1", b"1 ", b"9223372036854775808", b"1.0"];
    for text in kept {
        let blob = blob(&[text]);
        assert_eq!(Listpack::trusted(&blob).iter().next(), Some(Element::Bytes(text)));
    }
    let blob = blob(&[b"-9223372036854775808"]);
    assert_eq!(Listpack::trusted(&blob).iter().next(), Some(Element::Int(i64::MIN)));
}

/// An entry of exactly 16383 bytes: the shorter backlen of newer writers and the longer one that we write.
#[test]
fn both_spellings_of_a_step_are_read() {
    let text = vec![b'z'; 16383 - 5];
    let ours = blob(&[b"a", &text, b"b"]);
    let end = HEADER_BYTES + 3 + 16383;
    assert_eq!(ours[end..end + 3], [0x00, 0xff, 0xff]);
    let mut newer = ours.clone();
    newer.splice(end..end + 3, [0x7f, 0xff]);
    let total = newer.len() as u32;
    newer[..4].copy_from_slice(&total.to_le_bytes());
    let expected = [b"a".to_vec(), text, b"b".to_vec()];
    assert_holds(&ours, &expected);
    assert_holds(&newer, &expected);
    let at = Listpack::trusted(&newer).nth(1).expect("there are three");
    edit::replace(&mut newer, at, b"7");
    assert_holds(&newer, &[b"a".to_vec(), b"7".to_vec(), b"b".to_vec()]);
}

#[test]
fn counts_beyond_the_header() {
    let mut blob = edit::empty();
    (0..70_000).for_each(|value| edit::push_int(&mut blob, value % 100));
    let listpack = Listpack::check(&blob).expect("valid");
    assert_eq!((listpack.len(), stored_count(&blob)), (70_000, COUNT_UNKNOWN));
    assert_eq!(listpack.nth(69_999), listpack.last());
    assert_eq!(listpack.nth(-70_000), listpack.first());
    assert_eq!((listpack.nth(70_000), listpack.nth(-70_001)), (None, None));
    edit::remove(&mut blob, At(HEADER_BYTES as u32), 60_000);
    assert_eq!((Listpack::check(&blob).map(Listpack::len), stored_count(&blob)), (Ok(10_000), 10_000));
    edit::clear(&mut blob);
    assert_eq!(blob, edit::empty());
}

#[test]
fn find_skips_values() {
    let blob = blob(&[b"f", b"g", b"g", b"1", b"12", b"f", b"", b"x"]);
    let listpack = Listpack::trusted(&blob);
    let find = |needle: &[u8], skip| listpack.find(listpack.first(), needle, skip);
    assert_eq!(find(b"g", 0), listpack.nth(1));
    assert_eq!(find(b"g", 1), listpack.nth(2));
    assert_eq!(find(b"12", 1), listpack.nth(4));
    assert_eq!((find(b"1", 1), find(b"x", 1), find(b"012", 0)), (None, None, None));
    assert_eq!(find(b"", 1), listpack.nth(6));
    assert_eq!(find(b"x", 6), listpack.nth(7));
    assert_eq!(listpack.find(None, b"f", 0), None);
    assert_eq!(listpack.find(listpack.nth(1), b"f", 0), listpack.nth(5));
}

#[test]
fn splits_and_joins() {
    let mut front = blob(&[b"a", b"2", b"c", b"d"]);
    let at = Listpack::trusted(&front).nth(2).expect("there are four");
    let back = edit::split_off(&mut front, at);
    assert_holds(&front, &[b"a".to_vec(), b"2".to_vec()]);
    assert_holds(&back, &[b"c".to_vec(), b"d".to_vec()]);
    edit::append(&mut front, Listpack::trusted(&back));
    assert_eq!(front, blob(&[b"a", b"2", b"c", b"d"]));
}

#[test]
fn foreign_blobs_are_refused_for_a_reason() {
    let good = blob(&[b"hello", b"300", b"x"]);
    let refused = |blob: &[u8]| Listpack::check(blob).map(|_| ()).expect_err("it is damaged").0;
    assert!(refused(b"").contains("length"));
    assert!(refused(&good[..good.len() - 1]).contains("length"));
    let with = |at: usize, byte: u8| {
        let mut blob = good.clone();
        blob[at] = byte;
        blob
    };
    assert!(refused(&with(good.len() - 1, 0)).contains("terminator"));
    assert!(refused(&with(4, 2)).contains("entries"));
    assert!(refused(&with(HEADER_BYTES, 0xbf)).contains("beyond"));
    assert!(refused(&with(HEADER_BYTES, 0xff)).contains("encoding"));
    assert!(refused(&with(HEADER_BYTES + 6, 5)).contains("behind"));
    let mut unknown = good.clone();
    unknown[4..6].fill(0xff);
    assert_eq!(Listpack::check(&unknown).map(Listpack::len), Ok(3));
}

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>),
    PushFront(Vec<u8>),
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    ReplaceInt(usize, i64),
    Remove(usize, usize),
    Split(usize),
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        (-5000i64..5000).prop_map(|value| value.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..6),
        (0usize..200).prop_map(|length| vec![b'v'; length]),
        Just(vec![b'w'; 5000]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        text().prop_map(Step::Push),
        text().prop_map(Step::PushFront),
        (any::<usize>(), text()).prop_map(|(at, text)| Step::Insert(at, text)),
        (any::<usize>(), text()).prop_map(|(at, text)| Step::Replace(at, text)),
        (any::<usize>(), any::<i64>()).prop_map(|(at, value)| Step::ReplaceInt(at, value)),
        (any::<usize>(), 0usize..4).prop_map(|(at, count)| Step::Remove(at, count)),
        any::<usize>().prop_map(Step::Split),
    ]
}

fn apply(step: &Step, blob: &mut Vec<u8>, model: &mut Vec<Vec<u8>>) {
    let place = |index: &usize| {
        let index = index.checked_rem(model.len())?;
        Some((index, Listpack::trusted(blob).nth(index as isize).expect("in range")))
    };
    match step {
        Step::Push(text) => {
            edit::push(blob, text);
            model.push(text.clone());
        }
        Step::PushFront(text) => {
            edit::push_front(blob, text);
            model.insert(0, text.clone());
        }
        Step::Insert(index, text) => {
            let Some((index, at)) = place(index) else { return };
            edit::insert(blob, at, text);
            model.insert(index, text.clone());
        }
        Step::Replace(index, text) => {
            let Some((index, at)) = place(index) else { return };
            edit::replace(blob, at, text);
            model[index] = text.clone();
        }
        Step::ReplaceInt(index, value) => {
            let Some((index, at)) = place(index) else { return };
            edit::replace_int(blob, at, *value);
            model[index] = value.to_string().into_bytes();
        }
        Step::Remove(index, count) => {
            let Some((index, at)) = place(index) else { return };
            let next = edit::remove(blob, at, *count);
            model.drain(index..(index + count).min(model.len()));
            assert_eq!(next, Listpack::trusted(blob).nth(index as isize));
        }
        Step::Split(index) => {
            let Some((index, at)) = place(index) else { return };
            let back = edit::split_off(blob, at);
            assert_holds(blob, &model[..index]);
            assert_holds(&back, &model[index..]);
            edit::append(blob, Listpack::trusted(&back));
        }
    }
}

fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn behaves_as_a_list(steps in proptest::collection::vec(step(), 0..40), needle in text()) {
        let (mut blob, mut model) = (edit::empty(), Vec::new());
        for step in &steps {
            apply(step, &mut blob, &mut model);
            assert_holds(&blob, &model);
        }
        let listpack = Listpack::trusted(&blob);
        for needle in model.iter().chain([&needle]) {
            let found = model.iter().position(|text| text == needle);
            let at = found.and_then(|index| listpack.nth(index as isize));
            prop_assert_eq!(listpack.find(listpack.first(), needle, 0), at);
        }
    }

    #[test]
    fn damaged_blobs_never_panic(parts in proptest::collection::vec(text(), 0..8), damage in damage()) {
        let mut blob = blob(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for (at, byte) in damage {
            let at = at.index(blob.len());
            blob[at] = byte;
        }
        if let Ok(listpack) = Listpack::check(&blob) {
            prop_assert_eq!(listpack.iter().count(), listpack.iter().rev().count());
            prop_assert_eq!(listpack.iter().count(), listpack.len());
        }
    }

    #[test]
    fn noise_never_panics(mut noise in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Listpack::check(&noise);
        let total = noise.len() as u32;
        if noise.len() > HEADER_BYTES {
            noise[..4].copy_from_slice(&total.to_le_bytes());
            noise[4..6].fill(0xff);
            *noise.last_mut().expect("not empty") = TERMINATOR;
            if let Ok(listpack) = Listpack::check(&noise) {
                prop_assert_eq!(listpack.iter().count(), listpack.iter().rev().count());
            }
        }
    }
}

/// An `Appender` makes what pushes one by one make.
#[test]
fn several_entries_are_appended_at_once() {
    let texts: Vec<Vec<u8>> =
        [&b"a"[..], b"0", b"127", b"128", b"-1", b"70000", b"", &[b'x'; 70], &[b'y'; 5000]]
            .map(<[u8]>::to_vec)
            .into();
    let (mut one_by_one, mut at_once) = (edit::empty(), edit::empty());
    texts.iter().for_each(|text| edit::push(&mut one_by_one, text));
    edit::push_int(&mut one_by_one, 5);
    let mut appender = edit::Appender::new(&mut at_once);
    texts.iter().for_each(|text| appender.push(text));
    appender.push_int(5);
    drop(appender);
    assert_eq!(one_by_one, at_once);
    drop(edit::Appender::new(&mut at_once));
    assert_eq!(one_by_one, at_once);
}
