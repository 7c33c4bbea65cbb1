//! Finds a small damage by the checksum, and what the bytes were.
//!
//! The checksum is linear: that of the damaged file, xored with the one that was stored, is the checksum of the damage
//! alone, a string of zeros but for the bytes that changed. Going backwards over the zeros behind it,
//!
//! ```text
//! w(0) = computed ^ stored      w(n + 1) = the state before the zero byte that led to w(n)
//! ```
//! w(n) is the damage itself, as a little-endian number, when n bytes are left from its first byte to the end. A damage
//! of up to `MENDED_BYTES_MAX` neighbouring bytes is found where w(n) has no other bits. That anything else looks like
//! one has, for each place, a chance of 2^-48: one in 250,000 for a file of a gigabyte. Whoever mends reads the whole
//! file afterwards, and believes it when every value in it is sound.

/// The longest damage that is mended; each byte more would make a mistake 256 times as likely.
pub const MENDED_BYTES_MAX: usize = 2;

/// The polynomial of `Crc64Redis`, bits reflected: 0xad93d23594c935a9 from its other end.
const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9_u64.reverse_bits();

/// What to xor onto the damaged bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mend {
    /// Of the first byte, in the file.
    pub offset: u64,
    pub difference: [u8; MENDED_BYTES_MAX],
}

impl Mend {
    /// Makes right what of the damage is in `bytes`, which begin at `offset` of the file.
    pub fn apply(&self, offset: u64, bytes: &mut [u8]) {
        for (index, difference) in self.difference.iter().enumerate() {
            let at = (self.offset + index as u64).checked_sub(offset).and_then(|at| usize::try_from(at).ok());
            if let Some(byte) = at.and_then(|at| bytes.get_mut(at)) {
                *byte ^= difference;
            }
        }
    }

    /// How many bytes differ.
    pub fn bytes(&self) -> usize {
        self.difference.iter().filter(|difference| **difference != 0).count()
    }
}

/// Looks for the damage of a content of `content_len` bytes, whose checksum is `computed` instead of `stored`.
pub fn locate(computed: u64, stored: u64, content_len: u64) -> Option<Mend> {
    let table = byte_table();
    let mut before = [0_u8; 256];
    for (index, entry) in (0..=u8::MAX).zip(&table) {
        before[(entry >> 56) as usize] = index;
    }
    let mut state = computed ^ stored;
    for behind in 1..=content_len {
        let index = before[(state >> 56) as usize];
        state = (state ^ table[usize::from(index)]) << 8 | u64::from(index);
        if state >> (8 * MENDED_BYTES_MAX) == 0 {
            let difference = (state as u16).to_le_bytes();
            // The last byte alone has nothing behind it that could have changed, too.
            let fits = behind >= 2 || difference[1] == 0;
            return (fits && state != 0).then_some(Mend { offset: content_len - behind, difference });
        }
    }
    None
}

/// Whether the sums differ in `MENDED_BYTES_MAX` neighbouring bytes at most: then the stored one was damaged itself.
pub fn is_damage_of_sum(computed: u64, stored: u64) -> bool {
    let difference = computed ^ stored;
    let first = difference.trailing_zeros() / 8 * 8;
    difference == 0 || difference >> first < 1 << (8 * MENDED_BYTES_MAX)
}

fn byte_table() -> [u64; 256] {
    let mut table = [0; 256];
    for (index, entry) in table.iter_mut().enumerate() {
        let step = |state: u64, _| (state >> 1) ^ if state & 1 == 1 { POLYNOMIAL } else { 0 };
        *entry = (0..8).fold(index as u64, step);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::crc::Crc64Redis;

    #[test]
    fn finds_what_changed_and_where() {
        let mut rng = fastrand::Rng::with_seed(9);
        for _ in 0..200 {
            let content: Vec<u8> = (0..rng.usize(1..5000)).map(|_| rng.u8(..)).collect();
            let stored = Crc64Redis::of(&content);
            let mut damaged = content.clone();
            let at = rng.usize(0..content.len());
            damaged[at] ^= rng.u8(1..);
            if at + 1 < content.len() && rng.bool() {
                damaged[at + 1] ^= rng.u8(..);
            }
            let mend = locate(Crc64Redis::of(&damaged), stored, content.len() as u64).expect("it is small");
            let (head, tail) = damaged.split_at_mut(content.len() / 2);
            mend.apply(0, head);
            mend.apply(head.len() as u64, tail);
            assert_eq!(damaged, content);
        }
    }

    #[test]
    fn does_not_make_up_anything() {
        let mut rng = fastrand::Rng::with_seed(10);
        let content: Vec<u8> = (0..50_000).map(|_| rng.u8(..)).collect();
        let stored = Crc64Redis::of(&content);
        for _ in 0..20 {
            let mut damaged = content.clone();
            let at = rng.usize(0..content.len() - 3);
            (damaged[at], damaged[at + 2]) = (!damaged[at], !damaged[at + 2]);
            assert_eq!(locate(Crc64Redis::of(&damaged), stored, damaged.len() as u64), None);
            let cut = &content[..at];
            assert_eq!(locate(Crc64Redis::of(cut), stored, cut.len() as u64), None);
        }
        assert_eq!(locate(stored, stored, 50_000), None);
        assert!(
            is_damage_of_sum(stored, stored ^ 0xff_0000) && is_damage_of_sum(stored, stored ^ 0x0101 << 56)
        );
        assert!(!is_damage_of_sum(stored, stored ^ 0x1_0000_0001));
    }
}
