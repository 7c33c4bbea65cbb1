//! Bitmaps against a list of single bits.

use super::*;
use proptest::prelude::*;

/// The bits of a string one by one.
fn bits_of(bytes: &[u8]) -> Vec<bool> {
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0)).collect()
}

fn bytes_of(bits: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| bits.iter().enumerate().map(|(at, bit)| u8::from(*bit) << (7 - at)).sum();
    bits.chunks(8).map(byte).collect()
}

fn naive_combine(operation: Operation, operands: &[&[u8]]) -> Vec<u8> {
    let rows: Vec<Vec<bool>> = operands.iter().map(|operand| bits_of(operand)).collect();
    let length = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column = |at: usize| -> bool {
        let bits: Vec<bool> = rows.iter().map(|row| row.get(at).copied().unwrap_or(false)).collect();
        let ones = bits.iter().filter(|bit| **bit).count();
        let others = bits[1..].iter().any(|bit| *bit);
        match operation {
            Operation::And => ones == bits.len(),
            Operation::Or => ones > 0,
            Operation::Xor => ones % 2 == 1,
            Operation::Not => !bits[0],
            Operation::Diff => bits[0] && !others,
            Operation::Diff1 => !bits[0] && others,
            Operation::AndOr => bits[0] && others,
            Operation::One => ones == 1,
        }
    };
    bytes_of(&(0..length).map(column).collect::<Vec<_>>())
}

const OPERATIONS: [Operation; 8] = [
    Operation::And,
    Operation::Or,
    Operation::Xor,
    Operation::Not,
    Operation::Diff,
    Operation::Diff1,
    Operation::AndOr,
    Operation::One,
];

/// Bytes with long stretches of all zeros and all ones.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let stretch = (prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 1usize..60);
    prop::collection::vec(stretch, 0..6)
        .prop_map(|stretches| stretches.iter().flat_map(|(byte, length)| vec![*byte; *length]).collect())
}

#[test]
fn blocks_are_joined_without_a_seam() {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut random = |length: usize| std::iter::repeat_with(|| rng.u8(..)).take(length).collect::<Vec<u8>>();
    let operands = [random(20_001), random(8192), random(3), random(0), random(16_385)];
    let operands: Vec<&[u8]> = operands.iter().map(Vec::as_slice).collect();
    for operation in OPERATIONS {
        assert_eq!(combine(operation, &operands), naive_combine(operation, &operands), "{operation:?}");
        assert_eq!(combine(operation, &[b""]), b"", "{operation:?}");
    }
}

#[test]
fn growing_adds_zeros_and_says_so() {
    let mut bytes = Vec::new();
    assert_eq!(grow(&mut bytes, 3), Growth::Grew);
    assert_eq!(grow(&mut bytes, 2), Growth::WasThere);
    assert_eq!(bytes, [0, 0, 0]);
    bytes[2] = 9;
    grow(&mut bytes, 3 << 20);
    assert_eq!((bytes.len(), bytes[2], bytes[3], bytes[(3 << 20) - 1]), (3 << 20, 9, 0, 0));
    assert!(bytes.capacity() <= (4 << 20) + 64, "no more than a mebibyte to spare");
}

#[test]
fn numbers_that_do_not_fit_are_wrapped_or_cut_or_refused() {
    let i8 = Field::new(Sign::Signed, 8).expect("a type");
    let u8 = Field::new(Sign::Unsigned, 8).expect("a type");
    let i64 = Field::new(Sign::Signed, 64).expect("a type");
    let cases = [
        (i8, 127, 1, -128, 127),
        (i8, -128, -1, 127, -128),
        (i8, 100, 1000, 76, 127),
        (u8, 255, 1, 0, 255),
        (u8, 0, -1, 255, 0),
        (u8, -1, 0, 255, 255),
        (i64, i64::MAX, 1, i64::MIN, i64::MAX),
        (i64, i64::MIN, -1, i64::MAX, i64::MIN),
        // As redis-server 7.0.15 answers.
        (i8, i64::MIN, 0, 0, 127),
        (i8, -9_223_372_036_854_775_681, 0, 127, 127),
        (i8, -9_223_372_036_854_775_680, 0, -128, -128),
    ];
    for (field, base, increment, wrapped, cut) in cases {
        let fit = |overflow| field.fit(base, increment, overflow);
        let found = (fit(Overflow::Wrap), fit(Overflow::Saturate));
        assert_eq!(found, (Some(wrapped), Some(cut)), "{field:?} {base} {increment}");
        if field.fit(base, increment, Overflow::Fail).is_some() {
            assert_eq!(wrapped, cut, "{field:?} {base} {increment}");
        }
    }
    assert_eq!(i8.fit(127, 1, Overflow::Fail), None);
    assert_eq!(i8.fit(126, 1, Overflow::Fail), Some(127));
    for (sign, bits) in [(Sign::Signed, 0), (Sign::Signed, 65), (Sign::Unsigned, 64), (Sign::Unsigned, -1)] {
        assert_eq!(Field::new(sign, bits), None);
    }
}

/// A field's bits as a number, one by one.
fn naive_get(sign: Sign, width: u32, bytes: &[u8], offset: u64) -> i64 {
    let bits = bits_of(bytes);
    let bit = |at: u64| bits.get(at as usize).copied().unwrap_or(false);
    let number =
        (offset..offset + u64::from(width)).fold(0i128, |number, at| number * 2 + i128::from(bit(at)));
    let is_negative = sign == Sign::Signed && bit(offset);
    (number - if is_negative { 1i128 << width } else { 0 }) as i64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn ranges_are_counted_and_searched(bytes in bytes(), ends in any::<(u32, u32)>()) {
        prop_assume!(!bytes.is_empty());
        let bits = bits_of(&bytes);
        let (one, other) = (ends.0 as usize % bits.len(), ends.1 as usize % bits.len());
        let (start, end) = (one.min(other), one.max(other));
        let range = start as u64..=end as u64;
        let part = &bits[start..=end];
        prop_assert_eq!(count(&bytes, range.clone()), part.iter().filter(|bit| **bit).count() as u64);
        for (bit, wanted) in [(Bit::One, true), (Bit::Zero, false)] {
            let expected = part.iter().position(|found| *found == wanted).map(|at| (start + at) as u64);
            prop_assert_eq!(position(&bytes, bit, range.clone()), expected);
        }
    }

    #[test]
    fn single_bits_are_kept(mut bytes in bytes(), offset in 0u64..3000, sets: bool) {
        let mut bits = bits_of(&bytes);
        let was_there = bits.get(offset as usize).copied();
        prop_assert_eq!(get(&bytes, offset) == Bit::One, was_there.unwrap_or(false));
        let growth = grow(&mut bytes, bytes_for(offset));
        prop_assert_eq!(growth == Growth::Grew, was_there.is_none());
        bits.resize(bytes.len() * 8, false);
        bits[offset as usize] = sets;
        replace(&mut bytes, offset, if sets { Bit::One } else { Bit::Zero });
        prop_assert_eq!(bits_of(&bytes), bits);
    }

    #[test]
    fn bitmaps_are_combined(operands in prop::collection::vec(bytes(), 1..5)) {
        let operands: Vec<&[u8]> = operands.iter().map(Vec::as_slice).collect();
        for operation in OPERATIONS {
            prop_assert_eq!(combine(operation, &operands), naive_combine(operation, &operands));
        }
    }

    #[test]
    fn fields_are_written_and_read(
        mut bytes in bytes(), offset in 0u64..500, width in 1u32..=64, signed: bool, value: i64,
    ) {
        let sign = if signed || width == 64 { Sign::Signed } else { Sign::Unsigned };
        let field = Field::new(sign, i64::from(width)).expect("a type");
        prop_assert_eq!(field.get(&bytes, offset), naive_get(sign, width, &bytes, offset));
        grow(&mut bytes, bytes_for(offset + u64::from(width) - 1));
        let before = bits_of(&bytes);
        field.set(&mut bytes, offset, value);
        let after = bits_of(&bytes);
        let (start, end) = (offset as usize, offset as usize + width as usize);
        prop_assert_eq!((&before[..start], &before[end..]), (&after[..start], &after[end..]));
        let expected = field.fit(value, 0, Overflow::Wrap).expect("wrapping never fails");
        prop_assert_eq!(field.get(&bytes, offset), expected);
        prop_assert_eq!(naive_get(sign, width, &bytes, offset), expected);
    }
}
