//! How many bits are set, as fast as the processor allows.
//!
//! The portable loop over words is compiled a second time for processors with AVX2, where the compiler turns it into
//! table lookups over 32 bytes at once; which of the two runs is found out at run time.

/// The number of set bits.
pub fn count_ones(bytes: &[u8]) -> u64 {
    /// Below this many bytes the portable loop is as good.
    const WORTHWHILE_BYTES: usize = 64;
    #[cfg(target_arch = "x86_64")]
    if bytes.len() >= WORTHWHILE_BYTES
        && std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the processor has both features, as was just asked.
        return unsafe { count_ones_avx2(bytes) };
    }
    count_words(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn count_ones_avx2(bytes: &[u8]) -> u64 {
    count_words(bytes)
}

#[inline(always)]
fn count_words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let whole: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    whole + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_loops_count_what_is_there() {
        let mut rng = fastrand::Rng::with_seed(7);
        let bytes: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(3000).collect();
        for (start, end) in [(0, 0), (0, 1), (3, 66), (1, 65), (0, 64), (5, 3000), (0, 2999)] {
            let part = &bytes[start..end];
            let expected: u64 = part.iter().map(|byte| u64::from(byte.count_ones())).sum();
            assert_eq!((count_ones(part), count_words(part)), (expected, expected), "{start}..{end}");
        }
        assert_eq!(count_ones(&[0xff; 1000]), 8000);
    }
}
