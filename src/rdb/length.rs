//! Lengths, the numbers of the format.
//!
//! ```text
//! 00xxxxxx                     0..63
//! 01xxxxxx yyyyyyyy            14 bits, big-endian
//! 10000000 + 4 bytes           32 bits, big-endian
//! 10000001 + 8 bytes           64 bits, big-endian
//! 11xxxxxx                     no length: a string in the special encoding x
//! ```
//! Writers use the shortest form; readers accept any.

/// The longest form.
pub const LENGTH_BYTES_MAX: usize = 9;

/// What stands where a length or a string begins, and how many bytes it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    Length {
        value: u64,
        size: usize,
    },
    /// One byte.
    Special(u8),
}

/// Why there is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// So many bytes are needed to tell.
    NeedsBytes(usize),
    /// A byte that begins nothing.
    Unknown(u8),
}

/// Appends `value`, at most `LENGTH_BYTES_MAX` bytes.
#[inline]
pub fn put_length(out: &mut Vec<u8>, value: u64) {
    if value < 1 << 6 {
        out.push(value as u8);
    } else if value < 1 << 14 {
        out.extend_from_slice(&(value as u16 | 0x4000).to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(0x80);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(0x81);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// As `put_length`, into the front of `out`, which becomes what is left of it.
pub fn store_length(out: &mut &mut [u8], value: u64) {
    let bytes = length_bytes(value);
    let (to, rest) = std::mem::take(out).split_at_mut(bytes);
    let shifted = match bytes {
        1 => value,
        2 => value | 0x4000,
        5 => value | 0x80 << 32,
        _ => {
            to[0] = 0x81;
            value
        }
    };
    let start = to.len().saturating_sub(8);
    let big_endian = shifted.to_be_bytes();
    to[start..].copy_from_slice(&big_endian[8 - (bytes - start)..]);
    *out = rest;
}

/// How many bytes `put_length` appends.
#[inline]
pub fn length_bytes(value: u64) -> usize {
    match value {
        ..0x40 => 1,
        0x40..0x4000 => 2,
        0x4000..0x1_0000_0000 => 5,
        _ => LENGTH_BYTES_MAX,
    }
}

/// Reads what `bytes` begin with.
#[inline]
pub fn read_head(bytes: &[u8]) -> Result<Head, HeadError> {
    let &[first, ref rest @ ..] = bytes else { return Err(HeadError::NeedsBytes(1)) };
    match (first >> 6, first) {
        (0, _) => Ok(Head::Length { value: u64::from(first), size: 1 }),
        (1, _) => match rest {
            [low, ..] => Ok(Head::Length { value: u64::from(first & 0x3f) << 8 | u64::from(*low), size: 2 }),
            [] => Err(HeadError::NeedsBytes(2)),
        },
        (3, _) => Ok(Head::Special(first & 0x3f)),
        (_, 0x80) => match rest.first_chunk::<4>() {
            Some(value) => Ok(Head::Length { value: u32::from_be_bytes(*value).into(), size: 5 }),
            None => Err(HeadError::NeedsBytes(5)),
        },
        (_, 0x81) => match rest.first_chunk::<8>() {
            Some(value) => Ok(Head::Length { value: u64::from_be_bytes(*value), size: 9 }),
            None => Err(HeadError::NeedsBytes(9)),
        },
        _ => Err(HeadError::Unknown(first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_form_and_back() {
        let cases: [(u64, &[u8]); 9] = [
            (0, &[0]),
            (63, &[0x3f]),
            (64, &[0x40, 64]),
            (16383, &[0x7f, 0xff]),
            (16384, &[0x80, 0, 0, 0x40, 0]),
            (u32::MAX.into(), &[0x80, 0xff, 0xff, 0xff, 0xff]),
            (1 << 32, &[0x81, 0, 0, 0, 1, 0, 0, 0, 0]),
            (u64::MAX - 1, &[0x81, 255, 255, 255, 255, 255, 255, 255, 254]),
            (u64::MAX, &[0x81, 255, 255, 255, 255, 255, 255, 255, 255]),
        ];
        for (value, bytes) in cases {
            let mut out = Vec::new();
            put_length(&mut out, value);
            assert_eq!((out.as_slice(), length_bytes(value)), (bytes, bytes.len()));
            let mut room = [0xee; LENGTH_BYTES_MAX + 1];
            let mut rest = &mut room[..];
            store_length(&mut rest, value);
            assert_eq!(rest.len(), LENGTH_BYTES_MAX + 1 - bytes.len());
            assert_eq!((&room[..bytes.len()], room[bytes.len()]), (bytes, 0xee));
            assert_eq!(read_head(&out), Ok(Head::Length { value, size: out.len() }));
            for cut in 0..out.len() {
                let Err(HeadError::NeedsBytes(needed)) = read_head(&out[..cut]) else { panic!("it is cut") };
                assert!(needed > cut && needed <= out.len());
            }
        }
    }

    #[test]
    fn long_forms_of_small_numbers_are_accepted() {
        assert_eq!(read_head(&[0x80, 0, 0, 0, 5]), Ok(Head::Length { value: 5, size: 5 }));
        assert_eq!(read_head(&[0xc3]), Ok(Head::Special(3)));
        for byte in 0x82..=0xbf {
            assert_eq!(read_head(&[byte; 9]), Err(HeadError::Unknown(byte)));
        }
    }
}
