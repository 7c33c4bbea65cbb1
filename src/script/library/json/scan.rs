//! The end of a run of plain characters, eight at a time.
//!
//! A word whose bytes are looked at all at once: for each byte that matches, its highest bit is set in the result. A
//! borrow can set bits above the lowest match, never below it, so the lowest set bit is exact.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Bytes below `limit`, which is at most 128.
#[inline]
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH
}

#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (ONES * u64::from(byte)), 1)
}

/// Control characters, `"`, `/`, `\` and DEL: what is not written as it is.
#[inline]
fn escaped(word: u64) -> u64 {
    below(word, 0x20) | equal(word, b'"') | equal(word, b'/') | equal(word, b'\\') | equal(word, 0x7f)
}

/// `"`, `\` and NUL: what ends a run inside of a string that is read.
#[inline]
fn ending(word: u64) -> u64 {
    equal(word, b'"') | equal(word, b'\\') | below(word, 1)
}

/// How many bytes are before the first that must be escaped.
#[inline]
pub fn plain_run(bytes: &[u8]) -> usize {
    run(bytes, escaped)
}

/// How many bytes of a string are before its end, an escape or a NUL.
#[inline]
pub fn string_run(bytes: &[u8]) -> usize {
    run(bytes, ending)
}

#[inline]
fn run(bytes: &[u8], matches: impl Fn(u64) -> u64) -> usize {
    let mut words = bytes.chunks_exact(8);
    let mut at = 0;
    for word in &mut words {
        let found = matches(u64::from_le_bytes(word.try_into().expect("eight bytes")));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = words.remainder();
    let found = matches(short_word(rest));
    if found == 0 { bytes.len() } else { at + (found.trailing_zeros() / 8) as usize }
}

/// At most eight bytes none of which must be escaped, and something after them.
#[inline]
pub fn short_plain(bytes: &[u8]) -> Option<[u8; 8]> {
    let word = if let Ok(eight) = bytes.try_into() {
        u64::from_le_bytes(eight)
    } else if bytes.len() < 8 {
        short_word(bytes)
    } else {
        return None;
    };
    (escaped(word) == 0).then(|| word.to_le_bytes())
}

/// Less than eight bytes, and above them some that never match.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    const FILLER: u64 = ONES * b'a' as u64;
    let length = bytes.len();
    let at = |place: usize| u64::from(bytes[place]) << (8 * place);
    // Bytes that are taken twice are the same twice.
    let word = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last));
            u64::from(u32::from_le_bytes(*first)) | last << (8 * (length - 4))
        }
        _ if length == 0 => return FILLER,
        _ => at(0) | at(length / 2) | at(length - 1),
    };
    word | FILLER << (8 * length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_the_first_match_is() {
        for byte in 0..=255u8 {
            let is_escaped = byte < 0x20 || matches!(byte, b'"' | b'/' | b'\\' | 0x7f);
            let is_ending = matches!(byte, b'"' | b'\\' | 0);
            for (length, at) in (0..20).flat_map(|length| (0..length).map(move |at| (length, at))) {
                let mut text = vec![b'x'; length];
                text[at] = byte;
                assert_eq!(plain_run(&text), if is_escaped { at } else { length }, "{text:?}");
                assert_eq!(string_run(&text), if is_ending { at } else { length }, "{text:?}");
                let short = short_plain(&text).map(|word| word[..length].to_vec());
                assert_eq!(short, (!is_escaped && length <= 8).then_some(text));
            }
        }
    }
}
