//! HyperLogLog: how many different elements were seen, in 12 KiB at most and with a standard error of 0.81 %.
//!
//! The value is a plain string, byte for byte what Redis makes of the same elements:
//! ```text
//!   0     4         5      8              16
//!   HYLL  encoding  0 0 0  cardinality    registers
//!         0 dense          LE u64;        dense: 16384 registers of 6 bits, 12288 bytes
//!         1 sparse         bit 63: stale  sparse: runs of equal registers, see `sparse`
//! ```
//! An element's hash chooses a register and gives a count (see `hash`); a register keeps the highest count. The
//! cardinality is estimated from how often each value occurs (see `estimate`) and kept in the header until a register
//! changes.
//!
//! Invariants: 1. a value begins sparse and becomes dense when a register exceeds what a run can tell or when it would
//! outgrow `hll_sparse_max_bytes` (header included); never the other way. 2. Anybody may have written the string: runs
//! that are cut off or do not add up are `Corrupt`, never a panic; what is not needed for an answer is not looked at.
//!
//! It deliberately knows neither keys nor replies.

mod dense;
mod estimate;
mod hash;
mod registers;
mod selftest;
mod sparse;
#[cfg(test)]
mod tests;

pub use registers::{REGISTERS, Registers};
pub use selftest::{Failure, selftest};

use hash::Place;
use sparse::Outcome;

const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING_AT: usize = 4;
const CARDINALITY_AT: usize = 8;
/// The byte whose highest bit says that the cardinality is stale.
const STALE_AT: usize = 15;
const STALE: u8 = 0x80;
const HEADER_BYTES: usize = 16;
const DENSE_TOTAL_BYTES: usize = HEADER_BYTES + dense::DENSE_BYTES;

/// The string says that it is a HyperLogLog, but its registers cannot be made out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Dense,
    Sparse,
}

impl Encoding {
    /// The name that PFDEBUG ENCODING answers.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Dense => "dense",
            Encoding::Sparse => "sparse",
        }
    }
}

/// A string that has the header of a HyperLogLog, to be read.
#[derive(Clone, Copy)]
pub struct Hyperloglog<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

impl<'a> Hyperloglog<'a> {
    /// `None` when the string is no HyperLogLog.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() < HEADER_BYTES || !bytes.starts_with(MAGIC) {
            return None;
        }
        let encoding = match bytes[ENCODING_AT] {
            0 if bytes.len() == DENSE_TOTAL_BYTES => Encoding::Dense,
            1 => Encoding::Sparse,
            _ => return None,
        };
        Some(Hyperloglog { bytes, encoding })
    }

    pub fn encoding(self) -> Encoding {
        self.encoding
    }

    /// The cardinality in the header, unless it is stale.
    pub fn cached(self) -> Option<u64> {
        let cardinality = self.bytes[CARDINALITY_AT..HEADER_BYTES].try_into().map(u64::from_le_bytes);
        cardinality.ok().filter(|_| self.bytes[STALE_AT] & STALE == 0)
    }

    /// The cardinality, computed from the registers.
    pub fn count(self) -> Result<u64, Corrupt> {
        let histogram = match self.encoding {
            Encoding::Dense => dense::histogram(self.body()),
            Encoding::Sparse => sparse::histogram(self.body())?,
        };
        Ok(estimate::cardinality(&histogram))
    }

    /// Raises `registers` to those of this one. When it is corrupt, some of them may have been raised.
    pub fn merge_into(self, registers: &mut Registers) -> Result<(), Corrupt> {
        match self.encoding {
            Encoding::Dense => dense::merge_into(self.body(), registers),
            Encoding::Sparse => sparse::merge_into(self.body(), registers)?,
        }
        Ok(())
    }

    /// The runs of a sparse one as text (PFDEBUG DECODE); `None` for a dense one.
    pub fn describe(self) -> Option<String> {
        (self.encoding == Encoding::Sparse).then(|| sparse::describe(self.body()))
    }

    fn body(self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }
}

/// A string that has the header of a HyperLogLog, to be changed.
pub struct HyperloglogMut<'a> {
    bytes: &'a mut Vec<u8>,
    /// `hll_sparse_max_bytes`
    sparse_bytes_max: usize,
}

impl<'a> HyperloglogMut<'a> {
    /// The caller has made sure (`Hyperloglog::of`) that `bytes` hold one, or nothing: then it is made.
    pub fn of(bytes: &'a mut Vec<u8>, sparse_bytes_max: usize) -> Self {
        if bytes.is_empty() {
            bytes.extend_from_slice(MAGIC);
            bytes.resize(HEADER_BYTES, 0);
            bytes[ENCODING_AT] = 1;
            sparse::append_zeros(bytes, REGISTERS);
        }
        HyperloglogMut { bytes, sparse_bytes_max }
    }

    /// Adds an element. Whether that changed a register; then the caller must `forget_count`.
    pub fn add(&mut self, element: &[u8]) -> Result<bool, Corrupt> {
        let place = hash::place(element);
        let mut from = sparse::Cursor::START;
        self.raise(place, &mut from)
    }

    /// Raises the registers to `registers`. The caller must `forget_count`.
    pub fn raise_to(&mut self, registers: &Registers) -> Result<(), Corrupt> {
        let mut from = sparse::Cursor::START;
        for (index, &count) in registers.values().iter().enumerate().filter(|(_, count)| **count > 0) {
            self.raise(Place { index, count }, &mut from)?;
        }
        Ok(())
    }

    /// Registers that are raised in ascending order pass the same cursor on.
    fn raise(&mut self, place: Place, from: &mut sparse::Cursor) -> Result<bool, Corrupt> {
        if self.encoding() == Encoding::Sparse {
            match sparse::raise(self.bytes, place, from, self.sparse_bytes_max)? {
                Outcome::Unchanged => return Ok(false),
                Outcome::Raised => return Ok(true),
                Outcome::NeedsDense => self.make_dense()?,
            };
        }
        Ok(dense::raise(&mut self.bytes[HEADER_BYTES..], place))
    }

    /// Makes a sparse one dense; the cardinality stays as it is. Whether there was anything to do.
    pub fn make_dense(&mut self) -> Result<bool, Corrupt> {
        if self.encoding() == Encoding::Dense {
            return Ok(false);
        }
        let mut registers = Registers::zero();
        sparse::merge_into(&self.bytes[HEADER_BYTES..], &mut registers)?;
        self.bytes.truncate(HEADER_BYTES);
        self.bytes[ENCODING_AT] = 0;
        self.bytes.reserve_exact(dense::DENSE_BYTES);
        dense::append(self.bytes, &registers);
        Ok(true)
    }

    /// Marks the cardinality in the header as stale.
    pub fn forget_count(&mut self) {
        self.bytes[STALE_AT] |= STALE;
    }

    /// Keeps a cardinality in the header.
    pub fn keep_count(&mut self, cardinality: u64) {
        self.bytes[CARDINALITY_AT..HEADER_BYTES].copy_from_slice(&cardinality.to_le_bytes());
    }

    fn encoding(&self) -> Encoding {
        if self.bytes[ENCODING_AT] == 0 { Encoding::Dense } else { Encoding::Sparse }
    }
}
