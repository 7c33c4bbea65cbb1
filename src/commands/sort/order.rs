//! Which elements come in which order.
//!
//! Each element is ranked by 64 bits that order like what it is sorted by: a number's bits, or the beginning of a text.
//! Sorting moves 16 bytes for an element then, and looks at elements only where those bits are equal. When only a part
//! is wanted, only that part is sorted.

use super::pattern::{KeyPattern, Lookups};
use super::request::{Comparison, Direction, Request};
use super::source::Elements;
use crate::base::number;
use crate::base::partial_sort::sort_part;
use crate::encoding::listpack::{Digits, Element};
use crate::keyspace::Tx;
use crate::spec::CommandError;
use crate::spec::error::until_nul;
use std::cmp::Ordering;
use std::ops::Range;

/// How many values are looked up at once.
const BATCH: usize = 64;

/// An element in the sort: bits that order like what it is sorted by, and its place among the elements.
#[derive(Clone, Copy)]
struct Ranked {
    bits: u64,
    index: usize,
}

/// The places of the wanted elements, in order, by what they are themselves.
///
/// # Errors
/// When one of the elements is no number and should be.
pub(super) fn by_element(
    elements: &Elements,
    request: &Request<'_>,
    window: Range<usize>,
) -> Result<Vec<usize>, CommandError> {
    match request.comparison {
        Comparison::Numbers => by_numbers(elements.iter().map(weight), elements, request.direction, window),
        Comparison::Texts => Ok(by_texts(elements, request, window)),
    }
}

/// The places of the wanted elements, in order, by what `pattern` finds for them.
///
/// # Errors
/// When something is found that is no number and should be.
pub(super) fn by_pattern(
    tx: &mut Tx<'_>,
    pattern: &KeyPattern<'_>,
    elements: &Elements,
    request: &Request<'_>,
    window: Range<usize>,
) -> Result<Vec<usize>, CommandError> {
    match request.comparison {
        Comparison::Numbers => {
            /// Of an element for which nothing is found.
            const WEIGHT_OF_NOTHING: f64 = 0.0;
            let mut weights = Vec::with_capacity(elements.len());
            for_found(tx, pattern, elements, |found| {
                weights.push(found.map_or(Some(WEIGHT_OF_NOTHING), weight));
            });
            by_numbers(weights.into_iter(), elements, request.direction, window)
        }
        Comparison::Texts => {
            let mut texts = FoundTexts::default();
            for_found(tx, pattern, elements, |found| texts.push(found));
            Ok(by_found_texts(&texts, request, window))
        }
    }
}

fn for_found<'p>(
    tx: &mut Tx<'_>,
    pattern: &KeyPattern<'p>,
    elements: &Elements,
    mut visit: impl FnMut(Option<Element<'_>>),
) {
    let mut lookups = Lookups::<'p>::new();
    for start in (0..elements.len()).step_by(BATCH) {
        let batch = start..(start + BATCH).min(elements.len());
        batch.for_each(|index| lookups.push(pattern, elements.at(index)));
        lookups.run(tx, &mut visit);
    }
}

/// The number that an element is sorted by.
fn weight(element: Element<'_>) -> Option<f64> {
    match element {
        Element::Int(value) => Some(value as f64),
        Element::Bytes(text) => weight_of_text(text),
    }
}

/// A text as strtod reads it: in front of a NUL, blanks first, nothing at all is 0; no `nan`, and nothing that leaves
/// the range of normal numbers.
fn weight_of_text(text: &[u8]) -> Option<f64> {
    let text = until_nul(text);
    if let Some(value) = number::parse_i64(text) {
        return Some(value as f64);
    }
    if text.is_empty() {
        return Some(0.0);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let text = &text[text.iter().take_while(|byte| is_blank(byte)).count()..];
    let value = number::parse_f64(text)?;
    // strtod reports an underflow unless the number is exact, as a hexadecimal one mostly is.
    let is_hexadecimal = text.iter().any(|byte| matches!(byte, b'x' | b'X'));
    if value.is_subnormal() && !is_hexadecimal { None } else { Some(value) }
}

/// Bits that order like the number, for any but a NaN; both zeros are equal.
fn bits_of_number(value: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    let bits = (value + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// Bits that order like the beginning of the text. Texts whose bits differ are in the order of their bits; a NUL is as
/// good as the end.
fn bits_of_text(text: &[u8]) -> u64 {
    let mut beginning = [0; 8];
    let length = text.len().min(beginning.len());
    beginning[..length].copy_from_slice(&text[..length]);
    u64::from_be_bytes(beginning)
}

fn compare_texts(left: Element<'_>, right: Element<'_>) -> Ordering {
    left.text(&mut Digits::default()).cmp(right.text(&mut Digits::default()))
}

/// Elements of equal weight come in the order of their texts.
fn by_numbers(
    weights: impl ExactSizeIterator<Item = Option<f64>>,
    elements: &Elements,
    direction: Direction,
    window: Range<usize>,
) -> Result<Vec<usize>, CommandError> {
    let mut ranked = Vec::with_capacity(weights.len());
    for (index, weight) in weights.enumerate() {
        let bits = bits_of_number(weight.ok_or(CommandError::SortScores)?);
        ranked.push(Ranked { bits, index });
    }
    Ok(sorted(ranked, direction, window, |left, right| compare_texts(elements.at(left), elements.at(right))))
}

/// What of a text is compared: what is only answered up to a NUL, as C's strcoll does it.
fn visible<'t>(text: &'t [u8], request: &Request<'_>) -> &'t [u8] {
    if request.store.is_some() { text } else { until_nul(text) }
}

fn by_texts(elements: &Elements, request: &Request<'_>, window: Range<usize>) -> Vec<usize> {
    let ranked = elements.iter().enumerate().map(|(index, element)| {
        let bits = bits_of_text(visible(element.text(&mut Digits::default()), request));
        Ranked { bits, index }
    });
    sorted(ranked.collect(), request.direction, window, |left, right| {
        let (mut left_digits, mut right_digits) = (Digits::default(), Digits::default());
        let left = visible(elements.at(left).text(&mut left_digits), request);
        left.cmp(visible(elements.at(right).text(&mut right_digits), request))
    })
}

/// The places of the wanted ones. Of elements that are equal in all respects the earlier one stays the earlier.
fn sorted(
    mut ranked: Vec<Ranked>,
    direction: Direction,
    window: Range<usize>,
    compare_equal_bits: impl Fn(usize, usize) -> Ordering,
) -> Vec<usize> {
    if window.is_empty() {
        return Vec::new();
    }
    let compare = |left: &Ranked, right: &Ranked| {
        let order = left.bits.cmp(&right.bits).then_with(|| compare_equal_bits(left.index, right.index));
        let order = match direction {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        };
        order.then_with(|| left.index.cmp(&right.index))
    };
    if window.end < ranked.len() {
        ranked.select_nth_unstable_by(window.end, compare);
        ranked.truncate(window.end);
    }
    ranked.sort_unstable_by(compare);
    ranked[window].iter().map(|one| one.index).collect()
}

/// Texts that BY has found, in one buffer.
#[derive(Default)]
struct FoundTexts {
    bytes: Vec<u8>,
    spans: Vec<Option<Range<usize>>>,
}

impl FoundTexts {
    fn push(&mut self, found: Option<Element<'_>>) {
        let span = found.map(|element| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(element.text(&mut Digits::default()));
            start..self.bytes.len()
        });
        self.spans.push(span);
    }

    fn iter(&self) -> impl Iterator<Item = Option<&[u8]>> {
        self.spans.iter().map(|span| span.clone().map(|span| &self.bytes[span]))
    }
}

/// Elements for which nothing is found come first. Here elements can be equal though they differ: then a whole sort
/// leaves them in their order, and a part of one has the order that `sort_part` makes, as in redis-server.
fn by_found_texts(texts: &FoundTexts, request: &Request<'_>, window: Range<usize>) -> Vec<usize> {
    let mut ranked: Vec<(Option<&[u8]>, usize)> =
        texts.iter().map(|text| text.map(|text| visible(text, request))).zip(0..).collect();
    let compare = |left: &(Option<&[u8]>, usize), right: &(Option<&[u8]>, usize)| match request.direction {
        Direction::Ascending => left.0.cmp(&right.0),
        Direction::Descending => right.0.cmp(&left.0),
    };
    if window.len() == ranked.len() {
        ranked.sort_by(compare);
    } else {
        sort_part(&mut ranked, window.clone(), compare);
    }
    ranked[window].iter().map(|one| one.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn weights_are_read_as_by_strtod() {
        let good = [
            ("", 0.0),
            (" 1", 1.0),
            ("\n\t\u{b}1", 1.0),
            ("+1", 1.0),
            ("1\0x", 1.0),
            ("\0", 0.0),
            ("0x10", 16.0),
            ("0x1p-1074", 5e-324),
            ("-INFINITY", f64::NEG_INFINITY),
            ("9007199254740993", 9_007_199_254_740_992.0),
            ("1e3", 1000.0),
        ];
        for (text, value) in good {
            assert_eq!(weight_of_text(text.as_bytes()), Some(value), "{text:?}");
        }
        for text in ["1 ", " ", "nan", "-nan", "1e400", "1e-400", "1e-310", "1_0", "x", "-", "1 \0", "1e"] {
            assert_eq!(weight_of_text(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn bits_order_like_numbers(left: f64, right: f64) {
            prop_assume!(!left.is_nan() && !right.is_nan());
            let expected = left.partial_cmp(&right).expect("no NaN");
            prop_assert_eq!(bits_of_number(left).cmp(&bits_of_number(right)), expected);
            prop_assert_eq!(bits_of_number(0.0), bits_of_number(-0.0));
        }

        #[test]
        fn bits_do_not_contradict_texts(
            left in prop::collection::vec(0..3_u8, 0..12),
            right in prop::collection::vec(0..3_u8, 0..12),
        ) {
            let bits = bits_of_text(&left).cmp(&bits_of_text(&right));
            prop_assert!(bits == Ordering::Equal || bits == left.cmp(&right));
            let (left, right) = (until_nul(&left), until_nul(&right));
            let bits = bits_of_text(left).cmp(&bits_of_text(right));
            prop_assert!(bits == Ordering::Equal || bits == left.cmp(right));
        }

        #[test]
        fn a_window_is_a_part_of_the_whole(
            values in prop::collection::vec(-20..20_i64, 0..100),
            offset in 0..100_usize,
            count in 0..100_usize,
        ) {
            let mut elements = Elements::default();
            values.iter().for_each(|value| elements.push(Element::Int(*value)));
            let weights = || elements.iter().map(weight);
            let window = offset.min(values.len())..(offset + count).min(values.len());
            for direction in [Direction::Ascending, Direction::Descending] {
                let all = by_numbers(weights(), &elements, direction, 0..values.len());
                let part = by_numbers(weights(), &elements, direction, window.clone());
                prop_assert_eq!(part, all.map(|all| all[window.clone()].to_vec()));
            }
        }
    }
}
