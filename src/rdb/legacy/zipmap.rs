//! The zipmap: a small hash in one blob, of Redis up to 2.4.
//!
//! ```text
//! count(1) { length field length free(1) value free-bytes }* FF
//! length = one byte up to FD | FE u32 little-endian
//! ```
//! A count of 254 or more means that nobody knows.

use crate::object::Corrupt;

const END: u8 = 0xff;
const LONG_LENGTH: u8 = 0xfe;
const COUNT_UNKNOWN: usize = 254;

/// A checked zipmap. Its fields may occur twice.
#[derive(Clone, Copy, Debug)]
pub struct Zipmap<'a> {
    /// Without count and end mark.
    entries: &'a [u8],
}

impl<'a> Zipmap<'a> {
    /// Walks every entry.
    pub fn check(bytes: &'a [u8]) -> Result<Zipmap<'a>, Corrupt> {
        let [said, entries @ .., END] = bytes else { return Err(Corrupt("Zipmap without an end mark")) };
        let (mut rest, mut count) = (entries, 0);
        while !rest.is_empty() {
            rest = read_entry(rest)?.1;
            count += 1;
        }
        if usize::from(*said) < COUNT_UNKNOWN && usize::from(*said) != count {
            return Err(Corrupt("Zipmap of another count than it says"));
        }
        Ok(Zipmap { entries })
    }

    /// Fields and values.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.entries;
        // A checked map has no entry that fails; nothing at all is the end.
        std::iter::from_fn(move || {
            let ([field, value], behind) = read_entry(rest).ok()?;
            rest = behind;
            Some((field, value))
        })
    }
}

const CUT_OFF: Corrupt = Corrupt("Zipmap entry beyond the end of its map");

/// A field with its value, and what is behind them.
fn read_entry(bytes: &[u8]) -> Result<([&[u8]; 2], &[u8]), Corrupt> {
    let (field_len, rest) = read_length(bytes)?;
    let (field, rest) = rest.split_at_checked(field_len).ok_or(CUT_OFF)?;
    let (value_len, rest) = read_length(rest)?;
    let (&free, rest) = rest.split_first().ok_or(CUT_OFF)?;
    let (value, rest) = rest.split_at_checked(value_len).ok_or(CUT_OFF)?;
    let (_, rest) = rest.split_at_checked(free.into()).ok_or(CUT_OFF)?;
    Ok(([field, value], rest))
}

fn read_length(bytes: &[u8]) -> Result<(usize, &[u8]), Corrupt> {
    match *bytes {
        [LONG_LENGTH, a, b, c, d, ref rest @ ..] => Ok((u32::from_le_bytes([a, b, c, d]) as usize, rest)),
        [END, ..] => Err(Corrupt("Zipmap with an end mark inside")),
        [LONG_LENGTH, ..] | [] => Err(CUT_OFF),
        [short, ref rest @ ..] => Ok((short.into(), rest)),
    }
}

#[cfg(test)]
pub(in crate::rdb) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The zipmap of these fields and values, with `free` unused bytes behind each value.
    pub(in crate::rdb) fn zipmap(pairs: &[(Vec<u8>, Vec<u8>)], free: u8) -> Vec<u8> {
        let mut out = vec![pairs.len().min(COUNT_UNKNOWN) as u8];
        for (field, value) in pairs {
            put_length(&mut out, field.len());
            out.extend(field);
            put_length(&mut out, value.len());
            out.push(free);
            out.extend(value);
            out.extend(vec![0; free.into()]);
        }
        out.push(END);
        out
    }

    fn put_length(out: &mut Vec<u8>, len: usize) {
        match u8::try_from(len).ok().filter(|short| *short < LONG_LENGTH) {
            Some(short) => out.push(short),
            None => {
                out.push(LONG_LENGTH);
                out.extend((len as u32).to_le_bytes());
            }
        }
    }

    #[test]
    fn as_an_old_server_wrote_it() {
        let blob = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world\0\0\xff";
        let map = Zipmap::check(blob).unwrap();
        let expected = [(&b"foo"[..], &b"bar"[..]), (b"hello", b"world")];
        assert_eq!(map.iter().collect::<Vec<_>>(), expected);
        assert_eq!(Zipmap::check(b"\0\xff").unwrap().iter().count(), 0);
        for (blob, reason) in [
            (&b"\x02\x01a\x01\x00b\xff"[..], "Zipmap of another count than it says"),
            (b"\x01\x01a\x01\x01b\xff", "Zipmap entry beyond the end of its map"),
            (b"\x01\xff\x01\x01b\xff", "Zipmap with an end mark inside"),
            (b"\x01\x01a\x01\x00b", "Zipmap without an end mark"),
            (b"\xff", "Zipmap without an end mark"),
            (b"\x01\xfe\0\0\xff", "Zipmap entry beyond the end of its map"),
        ] {
            assert_eq!(Zipmap::check(blob).expect_err("it is wrong").0, reason);
        }
    }

    fn any_pairs() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
        let text = || prop_oneof![any::<Vec<u8>>(), (250usize..300).prop_map(|len| vec![b'x'; len])];
        proptest::collection::vec((text(), text()), 0..8)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_went_in_comes_out(pairs in any_pairs(), free in 0u8..5) {
            let blob = zipmap(&pairs, free);
            let map = Zipmap::check(&blob).expect("it is right");
            let expected: Vec<_> = pairs.iter().map(|(field, value)| (&field[..], &value[..])).collect();
            prop_assert_eq!(map.iter().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn damage_is_an_error_or_another_map(
            pairs in any_pairs(),
            flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
            noise in any::<Vec<u8>>(),
        ) {
            let mut blob = zipmap(&pairs, 1);
            for (at, byte) in flips {
                let at = at % blob.len();
                blob[at] = byte;
            }
            for bytes in [&blob, &noise] {
                if let Ok(map) = Zipmap::check(bytes) {
                    prop_assert!(map.iter().count() <= bytes.len() / 3);
                }
            }
        }
    }
}
