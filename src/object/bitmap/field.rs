//! BITFIELD: integers of any width at any bit offset.
//!
//! ```text
//!   u5 at offset 6:   ......bb bbb.....      most significant bit first, across bytes
//! ```
//! Signed ones (`i1` to `i64`) are two's complement; unsigned ones end at `u63`, so that each fits a signed reply.

/// Bytes that a field can touch: 64 bits that begin in the middle of a byte.
const WINDOW_BYTES: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Signed,
    Unsigned,
}

/// What happens to a number that does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overflow {
    #[default]
    Wrap,
    Saturate,
    Fail,
}

/// The type of an integer in a bitmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    sign: Sign,
    /// 1..=64
    bits: u32,
}

impl Field {
    /// `None` when there is no such type.
    pub fn new(sign: Sign, bits: i64) -> Option<Field> {
        let bits_max = if sign == Sign::Signed { 64 } else { 63 };
        (1..=bits_max).contains(&bits).then_some(Field { sign, bits: bits as u32 })
    }

    /// The field's width in bits.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// The number at `offset`; bits beyond the end are 0.
    pub fn get(self, bytes: &[u8], offset: u64) -> i64 {
        let at = bytes.len().min((offset >> 3) as usize);
        let (window, _) = window(&bytes[at..]);
        let raw = ((window >> self.shift(offset)) as u64) & self.mask();
        self.interpret(raw)
    }

    /// Writes the lowest bits of `value` at `offset`; all of them lie in `bytes`.
    pub fn set(self, bytes: &mut [u8], offset: u64, value: i64) {
        let target = &mut bytes[(offset >> 3) as usize..];
        let (old, length) = window(target);
        let shift = self.shift(offset);
        let mask = u128::from(self.mask()) << shift;
        let new = (old & !mask) | ((u128::from(value.cast_unsigned()) << shift) & mask);
        target[..length].copy_from_slice(&new.to_be_bytes()[..length]);
    }

    /// `base + increment` as this field can hold it; `None` when it cannot and `overflow` says to fail. The base may be
    /// out of range itself (SET).
    pub fn fit(self, base: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        let (low, high) = self.bounds();
        let base_number = match self.sign {
            Sign::Signed => i128::from(base),
            Sign::Unsigned => i128::from(base.cast_unsigned()),
        };
        let sum = base_number + i128::from(increment);
        if (low..=high).contains(&sum) {
            return Some(sum as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.interpret((sum as u64) & self.mask())),
            Overflow::Saturate if sum > high || self.wraps_around(base) => Some(high as i64),
            Overflow::Saturate => Some(low as i64),
            Overflow::Fail => None,
        }
    }

    /// Redis computes how far a base is from the highest number in 64 bits, and takes one that is too far below for
    /// one above: `SET i8 0 -9223372036854775808` saturates at 127.
    fn wraps_around(self, base: i64) -> bool {
        let (_, high) = self.bounds();
        self.sign == Sign::Signed && self.bits < 64 && (high as i64).checked_sub(base).is_none()
    }

    fn bounds(self) -> (i128, i128) {
        match self.sign {
            Sign::Signed => (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1),
            Sign::Unsigned => (0, (1 << self.bits) - 1),
        }
    }

    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }

    /// How far the field at `offset` stands from the right end of its window.
    fn shift(self, offset: u64) -> u32 {
        u128::BITS - (offset & 7) as u32 - self.bits
    }

    fn interpret(self, raw: u64) -> i64 {
        match self.sign {
            Sign::Signed => (raw << (64 - self.bits)).cast_signed() >> (64 - self.bits),
            Sign::Unsigned => raw.cast_signed(),
        }
    }
}

/// The first bytes, at the left end of a wide integer, and how many they are.
fn window(bytes: &[u8]) -> (u128, usize) {
    let length = bytes.len().min(WINDOW_BYTES);
    let mut wide = [0; size_of::<u128>()];
    wide[..length].copy_from_slice(&bytes[..length]);
    (u128::from_be_bytes(wide), length)
}
