//! The dense encoding: 16384 registers of 6 bits, the lowest bits first.
//!
//! ```text
//!   byte     0          1          2
//!            11000000   22221111   33333322      which register each bit belongs to
//! ```
//! Six bytes hold eight registers, which are unpacked and packed in one word.

use super::hash::Place;
use super::registers::{Histogram, REGISTERS, Registers, VALUES, sum};

const REGISTER_BITS: usize = 6;
const REGISTER_MASK: u64 = (1 << REGISTER_BITS) - 1;
pub(super) const DENSE_BYTES: usize = REGISTERS * REGISTER_BITS / 8;

/// Registers that fill whole bytes.
const GROUP: usize = 8;
const GROUP_BYTES: usize = GROUP * REGISTER_BITS / 8;

fn unpack(group: &[u8; GROUP_BYTES]) -> [u8; GROUP] {
    let [a, b, c, d, e, f] = *group;
    let word = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
    std::array::from_fn(|at| ((word >> (at * REGISTER_BITS)) & REGISTER_MASK) as u8)
}

fn pack(registers: &[u8; GROUP]) -> [u8; GROUP_BYTES] {
    let join = |word: u64, register: &u8| word << REGISTER_BITS | (u64::from(*register) & REGISTER_MASK);
    let [a, b, c, d, e, f, ..] = registers.iter().rev().fold(0, join).to_le_bytes();
    [a, b, c, d, e, f]
}

/// `body` is as long as `DENSE_BYTES`, here and below.
pub(super) fn histogram(body: &[u8]) -> Histogram {
    let mut lanes = [[0; VALUES]; GROUP];
    for group in body.as_chunks::<GROUP_BYTES>().0 {
        for (lane, value) in lanes.iter_mut().zip(unpack(group)) {
            lane[usize::from(value) % VALUES] += 1;
        }
    }
    sum(&lanes)
}

pub(super) fn merge_into(body: &[u8], registers: &mut Registers) {
    let (targets, _) = registers.values_mut().as_chunks_mut::<GROUP>();
    for (target, group) in targets.iter_mut().zip(body.as_chunks::<GROUP_BYTES>().0) {
        for (register, value) in target.iter_mut().zip(unpack(group)) {
            *register = value.max(*register);
        }
    }
}

pub(super) fn append(bytes: &mut Vec<u8>, registers: &Registers) {
    let (groups, _) = registers.values().as_chunks::<GROUP>();
    groups.iter().for_each(|group| bytes.extend_from_slice(&pack(group)));
}

/// Raises a register to the count it is offered. Whether that changed it.
pub(super) fn raise(body: &mut [u8], place: Place) -> bool {
    let bit = place.index * REGISTER_BITS;
    let (at, shift) = (bit / 8, bit % 8);
    let mut pair = [body[at], body.get(at + 1).copied().unwrap_or_default()];
    let word = u16::from_le_bytes(pair);
    let mask = (REGISTER_MASK as u16) << shift;
    if (word & mask) >> shift >= u16::from(place.count) {
        return false;
    }
    pair = ((word & !mask) | (u16::from(place.count) << shift)).to_le_bytes();
    body[at] = pair[0];
    if let Some(next) = body.get_mut(at + 1) {
        *next = pair[1];
    }
    true
}
