//! Ziplists made of elements, for files that Redis 5 and 6 read; `ziplist` draws the layout.
//!
//! Twice over the elements: `measure` finds what stands in the header, `put` gives the bytes away piece by piece.
//! Nothing is allocated here: the forked child runs it.

use super::ziplist::{COUNT_UNKNOWN, END, HEADER_LEN, LONG_PREVIOUS};
use crate::encoding::listpack::Element;
use std::io;

/// Link, encoding and integer of an entry; a text follows.
const HEAD_MAX: usize = 5 + 9;
const SHORT_TEXT_MAX: usize = 0x3f;
const MIDDLE_TEXT_MAX: usize = 0x3fff;
/// Integers that lie in the encoding byte itself.
const IMMEDIATE: std::ops::RangeInclusive<i64> = 0..=12;
const INT24: std::ops::RangeInclusive<i64> = -(1 << 23)..=(1 << 23) - 1;

/// What the header says.
#[derive(Clone, Copy)]
pub struct Size {
    pub bytes: u64,
    tail: u64,
    count: usize,
}

pub fn measure<'e>(elements: impl Iterator<Item = Element<'e>>) -> Size {
    let mut size = Size { bytes: HEADER_LEN as u64, tail: HEADER_LEN as u64, count: 0 };
    let mut previous = 0;
    for element in elements {
        size.tail = size.bytes;
        previous = Entry::new(previous, element).len();
        size.bytes += previous;
        size.count += 1;
    }
    size.bytes += 1;
    size
}

/// Gives the bytes of the ziplist to `take`; `size` is what `measure` said of the same elements.
///
/// # Errors
/// Those of `take`, and a ziplist that is too large for its own lengths.
pub fn put<'e>(
    elements: impl Iterator<Item = Element<'e>>,
    size: Size,
    take: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
    let bytes = u32::try_from(size.bytes).map_err(too_large)?;
    let tail = u32::try_from(size.tail).map_err(too_large)?;
    take(&bytes.to_le_bytes())?;
    take(&tail.to_le_bytes())?;
    take(&(size.count.min(COUNT_UNKNOWN) as u16).to_le_bytes())?;
    let mut previous = 0;
    for element in elements {
        let entry = Entry::new(previous, element);
        take(&entry.head[..entry.head_len])?;
        take(entry.text)?;
        previous = entry.len();
    }
    take(&[END])
}

struct Entry<'e> {
    head: [u8; HEAD_MAX],
    head_len: usize,
    text: &'e [u8],
}

impl<'e> Entry<'e> {
    /// `previous` is the size of the entry before it.
    fn new(previous: u64, element: Element<'e>) -> Entry<'e> {
        let mut entry = Entry { head: [0; HEAD_MAX], head_len: 0, text: b"" };
        match u8::try_from(previous) {
            Ok(short) if short < LONG_PREVIOUS => entry.push(&[short]),
            _ => {
                entry.push(&[LONG_PREVIOUS]);
                // Beyond 32 bits the whole ziplist is refused.
                entry.push(&(previous as u32).to_le_bytes());
            }
        }
        match element {
            Element::Int(value) => entry.push_integer(value),
            Element::Bytes(text) => {
                entry.push_text_head(text.len());
                entry.text = text;
            }
        }
        entry
    }

    fn len(&self) -> u64 {
        (self.head_len + self.text.len()) as u64
    }

    fn push(&mut self, bytes: &[u8]) {
        self.head[self.head_len..self.head_len + bytes.len()].copy_from_slice(bytes);
        self.head_len += bytes.len();
    }

    fn push_text_head(&mut self, len: usize) {
        if len <= SHORT_TEXT_MAX {
            self.push(&[len as u8]);
        } else if len <= MIDDLE_TEXT_MAX {
            self.push(&[0x40 | (len >> 8) as u8, len as u8]);
        } else {
            self.push(&[0x80]);
            self.push(&(len as u32).to_be_bytes());
        }
    }

    fn push_integer(&mut self, value: i64) {
        if IMMEDIATE.contains(&value) {
            self.push(&[0xf1 + value as u8]);
        } else if let Ok(value) = i8::try_from(value) {
            self.push(&[0xfe, value.to_le_bytes()[0]]);
        } else if let Ok(value) = i16::try_from(value) {
            self.push(&[0xc0]);
            self.push(&value.to_le_bytes());
        } else if INT24.contains(&value) {
            self.push(&[0xf0]);
            self.push(&value.to_le_bytes()[..3]);
        } else if let Ok(value) = i32::try_from(value) {
            self.push(&[0xd0]);
            self.push(&value.to_le_bytes());
        } else {
            self.push(&[0xe0]);
            self.push(&value.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ziplist;
    use super::*;
    use proptest::prelude::*;

    fn packed(elements: &[Element<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        let size = measure(elements.iter().copied());
        put(elements.iter().copied(), size, &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        })
        .expect("memory takes all");
        assert_eq!(out.len() as u64, size.bytes);
        out
    }

    /// An integer of every width, and a text.
    #[test]
    fn bytes() {
        let integers = [0, 12, 13, -1, 128, 70_000, 8_388_608, 4_294_967_296].map(Element::Int);
        let blob = packed(&[&integers[..], &[Element::Bytes(b"a")]].concat());
        let entries: &[u8] = &[
            0, 0xf1, 2, 0xfd, 2, 0xfe, 13, 3, 0xfe, 0xff, 3, 0xc0, 128, 0, 4, 0xf0, 0x70, 0x11, 1, 5, 0xd0,
            0, 0, 0x80, 0, 6, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0, 10, 1, b'a',
        ];
        let expected = [&[49, 0, 0, 0, 45, 0, 0, 0, 9, 0][..], entries, &[END]].concat();
        assert_eq!(blob, expected);
        assert_eq!(packed(&[]), [11, 0, 0, 0, 10, 0, 0, 0, 0, 0, END]);
    }

    #[test]
    fn long_texts_and_many_elements() {
        for len in [63, 64, 252, 253, 254, 16_383, 16_384, 70_000] {
            let text = vec![b'x'; len];
            let elements =
                [Element::Bytes(&text), Element::Int(5), Element::Bytes(&text), Element::Bytes(b"")];
            let blob = packed(&elements);
            assert!(Ziplist::check(&blob).expect("sound").iter().eq(elements), "{len}");
        }
        for count in [65_534, 65_535, 65_536] {
            let elements = vec![Element::Int(300); count];
            assert_eq!(Ziplist::check(&packed(&elements)).expect("sound").iter().count(), count);
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_is_read(
            elements in proptest::collection::vec(
                prop_oneof![
                    any::<i64>().prop_map(Ok),
                    (any::<i64>(), 0u32..63).prop_map(|(value, shift)| Ok(value >> shift)),
                    proptest::collection::vec(any::<u8>(), 0..300).prop_map(Err),
                ],
                0..40,
            )
        ) {
            let elements: Vec<Element<'_>> = elements
                .iter()
                .map(|element| match element {
                    Ok(value) => Element::Int(*value),
                    Err(text) => Element::Bytes(text),
                })
                .collect();
            let blob = packed(&elements);
            prop_assert!(Ziplist::check(&blob).expect("sound").iter().eq(elements.iter().copied()));
        }
    }
}
