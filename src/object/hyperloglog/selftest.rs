//! PFSELFTEST: whether registers keep what is put into them, and whether estimates are as near as they should be.

use super::hash::Place;
use super::registers::{REGISTERS, Registers};
use super::{Encoding, HEADER_BYTES, Hyperloglog, HyperloglogMut, dense};
use std::fmt;

/// How thorough a test is.
struct Extent {
    /// How often all registers are filled and read back.
    register_rounds: usize,
    /// Estimates are checked at each power of ten up to this one; each further one takes ten times as long.
    elements_max: u64,
}

const WHOLE: Extent = Extent { register_rounds: 100, elements_max: 1_000_000 };
/// The standard error, 1.04 / sqrt(registers).
const STANDARD_ERROR: f64 = 1.04 / 128.0;
/// An estimate that is further off than six standard errors is a mistake, not chance.
const ERRORS_MAX: f64 = 6.0;
/// The highest count that is put into registers; they have 6 bits.
const REGISTER_MAX: u8 = 63;

/// What did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Register { index: usize, expected: u8, found: u8 },
    DenseAndSparseDisagree,
    SparseNotUsed,
    TooFarOff { cardinality: u64, error: u64 },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Register { index, expected, found } => {
                write!(f, "Register {index} should be {expected} but is {found}")
            }
            Failure::DenseAndSparseDisagree => f.write_str("dense/sparse disagree"),
            Failure::SparseNotUsed => f.write_str("sparse encoding not used"),
            Failure::TooFarOff { cardinality, error } => {
                write!(f, "Too big error. card:{cardinality} abserr:{error}")
            }
        }
    }
}

/// Tests this room with numbers drawn from `rng`; takes some tenths of a second.
pub fn selftest(rng: &mut fastrand::Rng, sparse_bytes_max: usize) -> Result<(), Failure> {
    run(&WHOLE, rng, sparse_bytes_max)
}

fn run(extent: &Extent, rng: &mut fastrand::Rng, sparse_bytes_max: usize) -> Result<(), Failure> {
    (0..extent.register_rounds).try_for_each(|_| check_registers(rng))?;
    check_estimates(extent.elements_max, rng.u64(..), sparse_bytes_max)
}

fn check_registers(rng: &mut fastrand::Rng) -> Result<(), Failure> {
    let mut body = vec![0; dense::DENSE_BYTES];
    let counts: Vec<u8> = (0..REGISTERS).map(|_| rng.u8(..=REGISTER_MAX)).collect();
    for (index, &count) in counts.iter().enumerate() {
        dense::raise(&mut body, Place { index, count });
    }
    let mut registers = Registers::zero();
    dense::merge_into(&body, &mut registers);
    let pairs = counts.iter().zip(registers.values()).enumerate();
    match pairs.into_iter().find(|(_, (expected, found))| expected != found) {
        Some((index, (&expected, &found))) => Err(Failure::Register { index, expected, found }),
        None => Ok(()),
    }
}

fn check_estimates(elements_max: u64, seed: u64, sparse_bytes_max: usize) -> Result<(), Failure> {
    let (mut dense, mut sparse) = (Vec::new(), Vec::new());
    HyperloglogMut::of(&mut dense, 0).make_dense().map_err(|_| Failure::DenseAndSparseDisagree)?;
    let mut checkpoint = 1;
    for added in 1..=elements_max {
        let element = (added ^ seed).to_le_bytes();
        for bytes in [&mut dense, &mut sparse] {
            let result = HyperloglogMut::of(bytes, sparse_bytes_max).add(&element);
            result.map_err(|_| Failure::DenseAndSparseDisagree)?;
        }
        if added == checkpoint {
            check_one(&dense, &sparse, added, sparse_bytes_max)?;
            checkpoint *= 10;
        }
    }
    Ok(())
}

/// Two values with the same elements, one of which has been dense from the beginning.
fn check_one(dense: &[u8], sparse: &[u8], added: u64, sparse_bytes_max: usize) -> Result<(), Failure> {
    let count = |bytes: &[u8]| Hyperloglog::of(bytes).and_then(|hyperloglog| hyperloglog.count().ok());
    let found = count(dense).ok_or(Failure::DenseAndSparseDisagree)?;
    if count(sparse) != Some(found) {
        return Err(Failure::DenseAndSparseDisagree);
    }
    // An element takes three bytes at first and never more than four.
    let stays_sparse = HEADER_BYTES as u64 + 4 * added < sparse_bytes_max as u64;
    let is_sparse = Hyperloglog::of(sparse).is_some_and(|found| found.encoding() == Encoding::Sparse);
    if stays_sparse && !is_sparse {
        return Err(Failure::SparseNotUsed);
    }
    let error = found.abs_diff(added);
    let error_max = (STANDARD_ERROR * ERRORS_MAX * added as f64).ceil() as u64;
    if error > error_max {
        return Err(Failure::TooFarOff { cardinality: found, error });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_tests_holds() {
        let extent = Extent { register_rounds: 2, elements_max: 100_000 };
        for sparse_bytes_max in [0, 1000, 3000] {
            assert_eq!(run(&extent, &mut fastrand::Rng::with_seed(11), sparse_bytes_max), Ok(()));
        }
    }
}
