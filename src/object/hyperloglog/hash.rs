//! From an element to its register: MurmurHash64A, Austin Appleby's published hash function, with Redis's seed.
//!
//! ```text
//!   hash   63 ........ 14  13 ...... 0
//!          count           index
//! ```
//! The count is how many bits from the 14th upwards it takes to find a 1: 1 to 51.

use super::registers::{INDEX_BITS, REGISTERS};

const SEED: u64 = 0xadc8_3b19;
const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
const SHIFT: u32 = 47;

/// The highest count of a hash.
pub(super) const COUNT_MAX: usize = 64 - INDEX_BITS as usize + 1;

/// A register and the count that an element offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) count: u8,
}

pub(super) fn place(element: &[u8]) -> Place {
    let hash = murmur64a(element, SEED);
    let sentinel = 1 << (64 - INDEX_BITS);
    let count = ((hash >> INDEX_BITS) | sentinel).trailing_zeros() + 1;
    Place { index: hash as usize % REGISTERS, count: count as u8 }
}

fn murmur64a(bytes: &[u8], seed: u64) -> u64 {
    let mix = |word: u64| {
        let word = word.wrapping_mul(MULTIPLIER);
        (word ^ (word >> SHIFT)).wrapping_mul(MULTIPLIER)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let start = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let absorb = |hash: u64, word: &[u8; 8]| (hash ^ mix(u64::from_le_bytes(*word))).wrapping_mul(MULTIPLIER);
    let mut hash = words.iter().fold(start, absorb);
    if !rest.is_empty() {
        let mut tail = [0; 8];
        tail[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(tail)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ (hash >> SHIFT)).wrapping_mul(MULTIPLIER);
    hash ^ (hash >> SHIFT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stay_within_a_register() {
        let places: Vec<Place> = (0..20_000).map(|n: u32| place(&n.to_le_bytes())).collect();
        assert!(places.iter().all(|place| place.index < REGISTERS));
        assert!(places.iter().all(|place| (1..=COUNT_MAX).contains(&usize::from(place.count))));
        let ones = places.iter().filter(|place| place.count == 1).count();
        assert!((9_500..10_500).contains(&ones), "half of the counts are 1, not {ones} of 20000");
    }
}
