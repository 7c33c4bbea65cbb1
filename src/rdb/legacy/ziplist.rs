//! The ziplist: a doubly linked list in one blob, of Redis 2.4 to 6.2.
//!
//! ```text
//! bytes(4) tail(4) count(2) entry* FF              integers little-endian; tail is the offset of the last entry
//! entry = previous encoding content                previous: the size of the entry before
//! previous = p (below FE) | FE p(4)
//! encoding = 00pppppp | 01pppppp q | 80 n(4)       text of that length, 14 and 32 bits big-endian
//!          | C0 i16 | D0 i32 | F0 i24 | FE i8 | E0 i64 | F1..FD: 0..12
//! ```
//! The encoding byte of a 32-bit length has six unused bits, of which old writers cleared all; any are accepted.
//! A count of 65535 means that nobody knows.

use crate::encoding::listpack::Element;
use crate::object::Corrupt;

pub(super) const HEADER_LEN: usize = 10;
pub(super) const END: u8 = 0xff;
pub(super) const LONG_PREVIOUS: u8 = 0xfe;
pub(super) const COUNT_UNKNOWN: usize = u16::MAX as usize;

/// A checked ziplist.
#[derive(Clone, Copy, Debug)]
pub struct Ziplist<'a> {
    /// Without header and end mark.
    entries: &'a [u8],
}

impl<'a> Ziplist<'a> {
    /// Walks every entry: sizes, links backwards, count and tail.
    pub fn check(bytes: &'a [u8]) -> Result<Ziplist<'a>, Corrupt> {
        let [header @ .., END] = bytes else { return Err(Corrupt("Ziplist without an end mark")) };
        let Some((header, entries)) = header.split_first_chunk::<HEADER_LEN>() else {
            return Err(Corrupt("Ziplist shorter than its header"));
        };
        let [b0, b1, b2, b3, t0, t1, t2, t3, c0, c1] = *header;
        if u32::from_le_bytes([b0, b1, b2, b3]) as usize != bytes.len() {
            return Err(Corrupt("Ziplist of another length than it says"));
        }
        let (mut at, mut last, mut last_len, mut count) = (0, 0, 0, 0);
        while at < entries.len() {
            let entry = read_entry(&entries[at..])?;
            if entry.previous != last_len {
                return Err(Corrupt("Ziplist entry with a wrong link to the one before"));
            }
            (last, last_len) = (at, entry.len);
            at += entry.len;
            count += 1;
        }
        if u32::from_le_bytes([t0, t1, t2, t3]) as usize != HEADER_LEN + last {
            return Err(Corrupt("Ziplist with a wrong tail offset"));
        }
        match u16::from_le_bytes([c0, c1]) as usize {
            COUNT_UNKNOWN => {}
            said if said == count => {}
            _ => return Err(Corrupt("Ziplist of another count than it says")),
        }
        Ok(Ziplist { entries })
    }

    /// From head to tail.
    pub fn iter(self) -> Iter<'a> {
        Iter { rest: self.entries }
    }
}

pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        // A checked list has no entry that fails; nothing at all is the end.
        let entry = read_entry(self.rest).ok()?;
        self.rest = &self.rest[entry.len..];
        Some(entry.element)
    }
}

struct Entry<'a> {
    /// The size of the entry before this one, as it says.
    previous: usize,
    element: Element<'a>,
    /// Its own size.
    len: usize,
}

const CUT_OFF: Corrupt = Corrupt("Ziplist entry beyond the end of its list");

fn read_entry(bytes: &[u8]) -> Result<Entry<'_>, Corrupt> {
    let (previous, rest) = match *bytes {
        [LONG_PREVIOUS, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]) as usize, rest),
        [END | LONG_PREVIOUS, ..] | [] => return Err(CUT_OFF),
        [short, ref rest @ ..] => (usize::from(short), rest),
    };
    let (element, rest) = read_element(rest)?;
    Ok(Entry { previous, element, len: bytes.len() - rest.len() })
}

/// An element and what is behind it.
fn read_element(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), Corrupt> {
    let (&encoding, rest) = bytes.split_first().ok_or(CUT_OFF)?;
    match encoding {
        0x00..=0x3f => text(usize::from(encoding), rest),
        0x40..=0x7f => {
            let (&low, rest) = rest.split_first().ok_or(CUT_OFF)?;
            text(usize::from(encoding & 0x3f) << 8 | usize::from(low), rest)
        }
        0x80..=0xbf => {
            let (len, rest) = rest.split_first_chunk::<4>().ok_or(CUT_OFF)?;
            text(u32::from_be_bytes(*len) as usize, rest)
        }
        0xc0 => integer(rest, |bytes: [u8; 2]| i16::from_le_bytes(bytes).into()),
        0xd0 => integer(rest, |bytes: [u8; 4]| i32::from_le_bytes(bytes).into()),
        0xe0 => integer(rest, i64::from_le_bytes),
        0xf0 => integer(rest, |[a, b, c]: [u8; 3]| i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)),
        0xf1..=0xfd => Ok((Element::Int(i64::from(encoding) - 0xf1), rest)),
        0xfe => integer(rest, |bytes: [u8; 1]| i8::from_le_bytes(bytes).into()),
        _ => Err(Corrupt("Unknown encoding of a ziplist entry")),
    }
}

fn text(len: usize, bytes: &[u8]) -> Result<(Element<'_>, &[u8]), Corrupt> {
    let (text, rest) = bytes.split_at_checked(len).ok_or(CUT_OFF)?;
    Ok((Element::Bytes(text), rest))
}

fn integer<const N: usize>(
    bytes: &[u8],
    value: impl Fn([u8; N]) -> i64,
) -> Result<(Element<'_>, &[u8]), Corrupt> {
    let (integer, rest) = bytes.split_first_chunk::<N>().ok_or(CUT_OFF)?;
    Ok((Element::Int(value(*integer)), rest))
}

#[cfg(test)]
pub(in crate::rdb) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The ziplist that an old server makes of these elements.
    pub(in crate::rdb) fn ziplist(elements: &[Element<'_>]) -> Vec<u8> {
        let (mut entries, mut previous, mut last) = (Vec::new(), 0, 0);
        for element in elements {
            last = entries.len();
            match u8::try_from(previous).ok().filter(|short| *short < LONG_PREVIOUS) {
                Some(short) => entries.push(short),
                None => {
                    entries.push(LONG_PREVIOUS);
                    entries.extend((previous as u32).to_le_bytes());
                }
            }
            put_element(&mut entries, *element);
            previous = entries.len() - last;
        }
        let bytes = (HEADER_LEN + entries.len() + 1) as u32;
        let count = elements.len().min(COUNT_UNKNOWN) as u16;
        let tail = (HEADER_LEN + last) as u32;
        [&bytes.to_le_bytes()[..], &tail.to_le_bytes(), &count.to_le_bytes(), &entries, &[END]].concat()
    }

    fn put_element(out: &mut Vec<u8>, element: Element<'_>) {
        match element {
            Element::Bytes(text) => {
                match text.len() {
                    len @ 0..64 => out.push(len as u8),
                    len @ 64..16384 => out.extend((len as u16 | 0x4000).to_be_bytes()),
                    len => {
                        out.push(0x80);
                        out.extend((len as u32).to_be_bytes());
                    }
                }
                out.extend(text);
            }
            Element::Int(value @ 0..=12) => out.push(0xf1 + value as u8),
            Element::Int(value) => {
                let bytes = value.to_le_bytes();
                let (encoding, len) = match value {
                    -0x80..=0x7f => (0xfe, 1),
                    -0x8000..=0x7fff => (0xc0, 2),
                    -0x80_0000..=0x7f_ffff => (0xf0, 3),
                    -0x8000_0000..=0x7fff_ffff => (0xd0, 4),
                    _ => (0xe0, 8),
                };
                out.push(encoding);
                out.extend(&bytes[..len]);
            }
        }
    }

    fn contents(blob: &[u8]) -> Result<Vec<Element<'_>>, &'static str> {
        Ziplist::check(blob).map(|list| list.iter().collect()).map_err(|Corrupt(reason)| reason)
    }

    #[test]
    fn as_an_old_server_wrote_it() {
        // 2.8: RPUSH l a 1 1000 -70000 hello
        let blob =
            b"\x20\0\0\0\x18\0\0\0\x05\0\0\x01a\x03\xf2\x02\xc0\xe8\x03\x04\xf0\x90\xee\xfe\x05\x05hello\xff";
        let expected = [
            Element::Bytes(b"a"),
            Element::Int(1),
            Element::Int(1000),
            Element::Int(-70000),
            Element::Bytes(b"hello"),
        ];
        assert_eq!(ziplist(&expected), blob);
        assert_eq!(contents(blob).unwrap(), expected);
        assert_eq!(contents(b"\x0b\0\0\0\x0a\0\0\0\0\0\xff").unwrap(), []);
    }

    #[test]
    fn faults_have_reasons() {
        let good = ziplist(&[Element::Bytes(b"ab"), Element::Int(7)]);
        let with = |at: usize, byte: u8| {
            let mut blob = good.clone();
            blob[at] = byte;
            Ziplist::check(&blob).expect_err("it is wrong").0
        };
        assert_eq!(with(0, 3), "Ziplist of another length than it says");
        assert_eq!(with(4, 11), "Ziplist with a wrong tail offset");
        assert_eq!(with(8, 3), "Ziplist of another count than it says");
        assert_eq!(with(10, 1), "Ziplist entry with a wrong link to the one before");
        assert_eq!(with(11, 60), "Ziplist entry beyond the end of its list");
        assert_eq!(with(15, 0xff), "Unknown encoding of a ziplist entry");
        assert_eq!(with(16, 0), "Ziplist without an end mark");
        assert_eq!(Ziplist::check(b"\xff").unwrap_err().0, "Ziplist shorter than its header");
        let mut unknown = good.clone();
        unknown[8..10].fill(0xff);
        assert_eq!(Ziplist::check(&unknown).unwrap().iter().count(), 2);
    }

    #[derive(Clone, Debug)]
    enum Owned {
        Int(i64),
        Bytes(Vec<u8>),
    }

    fn any_elements() -> impl Strategy<Value = Vec<Owned>> {
        let element = prop_oneof![
            (any::<i64>(), 0u32..64).prop_map(|(value, shift)| Owned::Int(value >> shift)),
            proptest::collection::vec(any::<u8>(), 0..80).prop_map(Owned::Bytes),
            (200usize..20_000).prop_map(|len| Owned::Bytes(vec![b'x'; len])),
        ];
        proptest::collection::vec(element, 0..12)
    }

    fn borrowed(elements: &[Owned]) -> Vec<Element<'_>> {
        let borrow = |element| match element {
            &Owned::Int(value) => Element::Int(value),
            Owned::Bytes(bytes) => Element::Bytes(bytes),
        };
        elements.iter().map(borrow).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_went_in_comes_out(elements in any_elements()) {
            let elements = borrowed(&elements);
            let blob = ziplist(&elements);
            prop_assert_eq!(contents(&blob), Ok(elements));
            for cut in 0..blob.len().min(300) {
                prop_assert!(Ziplist::check(&blob[..cut]).is_err());
            }
        }

        #[test]
        fn damage_is_an_error_or_another_list(
            elements in any_elements(),
            flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        ) {
            let mut blob = ziplist(&borrowed(&elements));
            for (at, byte) in flips {
                let at = at % blob.len();
                blob[at] = byte;
            }
            if let Ok(list) = Ziplist::check(&blob) {
                prop_assert!(list.iter().count() <= blob.len() / 2);
            }
        }

        #[test]
        fn noise_is_no_danger(noise in any::<Vec<u8>>()) {
            let count = u16::MAX.to_le_bytes();
            let len = (noise.len() + HEADER_LEN + 1) as u32;
            let blob = [&len.to_le_bytes()[..], &[10, 0, 0, 0], &count, &noise, &[END]].concat();
            for bytes in [&noise, &blob] {
                if let Ok(list) = Ziplist::check(bytes) {
                    prop_assert!(list.iter().count() <= bytes.len() / 2);
                }
            }
        }
    }
}
