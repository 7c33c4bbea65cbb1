//! From the registers to the cardinality: the improved raw estimator of Otmar Ertl, "New cardinality estimation
//! algorithms for HyperLogLog sketches" (2017), algorithm 6. It needs no tables and no switch for small cardinalities.

use super::hash::COUNT_MAX;
use super::registers::{Histogram, REGISTERS};

/// 1 / (2 ln 2), the constant for infinitely many registers.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The number of different elements, rounded to the nearest integer.
pub(super) fn cardinality(histogram: &Histogram) -> u64 {
    let registers = REGISTERS as f64;
    let full = f64::from(histogram[COUNT_MAX]);
    let mut denominator = registers * tau((registers - full) / registers);
    for count in histogram[1..COUNT_MAX].iter().rev() {
        denominator = (denominator + f64::from(*count)) * 0.5;
    }
    denominator += registers * sigma(f64::from(histogram[0]) / registers);
    // A reply is signed, and the header has 63 bits for it.
    (ALPHA * registers * registers / denominator).round() as i64 as u64
}

/// x + sum over k >= 1 of x^(2^k) 2^(k-1): what the registers at zero stand for.
fn sigma(share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut weight, mut sum) = (share, 1.0, share);
    loop {
        power *= power;
        let before = sum;
        sum += power * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// (1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 2^-k) / 3: what the registers at the highest count stand for.
fn tau(share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut root, mut weight, mut sum) = (share, 1.0, 1.0 - share);
    loop {
        root = root.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - root) * (1.0 - root) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::hyperloglog::registers::VALUES;

    #[test]
    fn the_ends_of_the_scale_are_defined() {
        let all_at = |value: usize| {
            let mut histogram = [0; VALUES];
            histogram[value] = REGISTERS as u32;
            cardinality(&histogram)
        };
        assert_eq!(all_at(0), 0);
        assert!(all_at(1) > 0);
        // Nothing but registers at the end of the scale: infinitely many elements.
        assert_eq!(all_at(COUNT_MAX), i64::MAX as u64);
    }
}
