//! Registers in the open, a byte each: what several HyperLogLogs are merged in.

use super::hash::COUNT_MAX;

/// Bits of an element's hash that choose its register.
pub(super) const INDEX_BITS: u32 = 14;
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// A stored register has 6 bits, more than any count needs.
pub(super) const VALUES: usize = 64;
const _: () = assert!(COUNT_MAX < VALUES);

/// How many registers have each value.
pub(super) type Histogram = [u32; VALUES];

pub struct Registers(Box<[u8; REGISTERS]>);

impl Registers {
    pub fn zero() -> Registers {
        Registers(Box::new([0; REGISTERS]))
    }

    pub fn values(&self) -> &[u8; REGISTERS] {
        &self.0
    }

    pub(super) fn values_mut(&mut self) -> &mut [u8; REGISTERS] {
        &mut self.0
    }

    /// The cardinality of what was merged in.
    pub fn count(&self) -> u64 {
        super::estimate::cardinality(&self.histogram())
    }

    fn histogram(&self) -> Histogram {
        let mut lanes = [[0; VALUES]; 4];
        let (groups, _) = self.0.as_chunks::<4>();
        for group in groups {
            for (lane, value) in lanes.iter_mut().zip(group) {
                // The mask tells the compiler what is known: there are 64 values.
                lane[usize::from(*value) % VALUES] += 1;
            }
        }
        sum(&lanes)
    }
}

/// Neighbouring registers are often equal; counted in separate lanes, they do not wait for each other.
pub(super) fn sum<const LANES: usize>(lanes: &[Histogram; LANES]) -> Histogram {
    std::array::from_fn(|value| lanes.iter().map(|lane| lane[value]).sum())
}
