//! BITOP: several bitmaps combined bit by bit into a new one.
//!
//! The result is made block by block, so that what is combined stays in the first cache and every operand is read from
//! memory once; the loops over a block are plain enough for the compiler to make vectors of them.

/// What is done with the bits; the first operand is X, the others are Y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    And,
    Or,
    Xor,
    /// Of X alone.
    Not,
    /// In X and in no Y.
    Diff,
    /// In some Y and not in X.
    Diff1,
    /// In X and in some Y.
    AndOr,
    /// In exactly one operand.
    One,
}

const BLOCK_BYTES: usize = 8 << 10;

/// Combines `operands`, of which there is at least one; the shorter ones continue with zeros. The result is as long as
/// the longest.
pub fn combine(operation: Operation, operands: &[&[u8]]) -> Vec<u8> {
    let length = operands.iter().map(|operand| operand.len()).max().unwrap_or(0);
    let mut result = vec![0; length];
    let mut scratch = [0; BLOCK_BYTES];
    for (index, target) in result.chunks_mut(BLOCK_BYTES).enumerate() {
        let (start, end) = (index * BLOCK_BYTES, index * BLOCK_BYTES + target.len());
        let parts = operands.iter().map(|operand| &operand[start.min(operand.len())..end.min(operand.len())]);
        combine_block(operation, target, parts, &mut scratch);
    }
    result
}

/// `target` is zero and as long as the longest of the operands' parts, which may end early. `scratch` is as long as a
/// block.
fn combine_block<'a>(
    operation: Operation,
    target: &mut [u8],
    mut parts: impl Iterator<Item = &'a [u8]>,
    scratch: &mut [u8; BLOCK_BYTES],
) {
    let first = parts.next().unwrap_or_default();
    match operation {
        Operation::And => {
            put(target, first);
            parts.for_each(|part| and(target, part));
        }
        Operation::Or => {
            put(target, first);
            parts.for_each(|part| or(target, part));
        }
        Operation::Xor => {
            put(target, first);
            parts.for_each(|part| xor(target, part));
        }
        Operation::Not => {
            put(target, first);
            target.iter_mut().for_each(|byte| *byte = !*byte);
        }
        Operation::Diff => {
            put(target, first);
            parts.for_each(|part| and_not(target, part));
        }
        Operation::Diff1 => {
            parts.for_each(|part| or(target, part));
            and_not(target, first);
        }
        Operation::AndOr => {
            parts.for_each(|part| or(target, part));
            and(target, first);
        }
        Operation::One => {
            put(target, first);
            let twice = &mut scratch[..target.len()];
            twice.fill(0);
            parts.for_each(|part| once_more(target, twice, part));
            and_not(target, twice);
        }
    }
}

fn put(target: &mut [u8], part: &[u8]) {
    target[..part.len()].copy_from_slice(part);
}

fn and(target: &mut [u8], part: &[u8]) {
    target.iter_mut().zip(part).for_each(|(byte, other)| *byte &= other);
    target[part.len()..].fill(0);
}

fn or(target: &mut [u8], part: &[u8]) {
    target.iter_mut().zip(part).for_each(|(byte, other)| *byte |= other);
}

fn xor(target: &mut [u8], part: &[u8]) {
    target.iter_mut().zip(part).for_each(|(byte, other)| *byte ^= other);
}

fn and_not(target: &mut [u8], part: &[u8]) {
    target.iter_mut().zip(part).for_each(|(byte, other)| *byte &= !other);
}

/// `once` has the bits seen so far, `twice` those seen more than once.
fn once_more(once: &mut [u8], twice: &mut [u8], part: &[u8]) {
    for ((once, twice), byte) in once.iter_mut().zip(twice).zip(part) {
        *twice |= *once & byte;
        *once |= byte;
    }
}
