//! The checksum of a whole file, before anything of it is believed.
//!
//! Only the magic and the last eight bytes have a meaning here; the rest goes through the checksum in large
//! pieces. It is the first pass over a file that is to be loaded. A file must end where its snapshot ends:
//! trailing bytes make the checksum wrong.

use super::Input;
use super::error::{Fault, RdbError};
use super::records::OPCODE_EOF;
use super::version::{MAGIC_LEN, Version};
use crate::base::crc::Crc64Redis;
use std::io;

/// What is read at a time.
const BUFFER_BYTES: usize = 1 << 20;
/// The checksum at the end of the file: held back, as any eight bytes may be the last.
const TRAILER_LEN: usize = 8;

/// What a checksum says about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumState {
    /// It is there and right.
    Checked(u64),
    /// The file was saved with checksums off.
    Disabled,
    /// The file is of a version without.
    Absent,
}

/// A file that may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    pub version: Version,
    pub bytes: u64,
    pub checksum: ChecksumState,
}

/// Verifies a whole file in one go.
pub fn verify<I: Input>(input: I) -> Result<Verified, RdbError> {
    let mut verifier = Verifier::new(input)?;
    loop {
        if let Some(verified) = verifier.step()? {
            return Ok(verified);
        }
    }
}

/// Verifies a file step by step, for those who have other things to do meanwhile.
pub struct Verifier<I> {
    input: I,
    version: Version,
    buffer: Vec<u8>,
    /// The first `held` bytes of the buffer have been read, but not summed.
    held: usize,
    /// Summed.
    offset: u64,
    sum: Crc64Redis,
    last_summed: u8,
}

impl<I: Input> Verifier<I> {
    /// Reads the magic.
    pub fn new(input: I) -> Result<Self, RdbError> {
        let mut verifier = Verifier {
            input,
            version: Version { dialect: super::Dialect::Redis, number: 0 },
            buffer: vec![0; BUFFER_BYTES],
            held: 0,
            offset: 0,
            sum: Crc64Redis::new(),
            last_summed: 0,
        };
        while verifier.held < MAGIC_LEN {
            if verifier.read()? == 0 {
                let missing = (MAGIC_LEN - verifier.held) as u64;
                return Err(RdbError::new(verifier.held as u64, Fault::Truncated { missing }));
            }
        }
        let magic = verifier.buffer.first_chunk().expect("the buffer is larger");
        verifier.version = Version::from_magic(magic).map_err(|fault| RdbError::new(0, fault))?;
        Ok(verifier)
    }

    /// Bytes verified so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads on, about a megabyte at most; the result when the file has ended.
    pub fn step(&mut self) -> Result<Option<Verified>, RdbError> {
        while self.held < self.buffer.len() {
            if self.read()? == 0 {
                self.sum_all_but_trailer();
                return self.conclude().map(Some);
            }
        }
        self.sum_all_but_trailer();
        Ok(None)
    }

    fn read(&mut self) -> Result<usize, RdbError> {
        loop {
            match self.input.read(&mut self.buffer[self.held..]) {
                Ok(count) => {
                    self.held += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RdbError::new(self.offset + self.held as u64, Fault::Io(error))),
            }
        }
    }

    fn sum_all_but_trailer(&mut self) {
        let summed = self.held.saturating_sub(TRAILER_LEN);
        if summed > 0 {
            self.sum.update(&self.buffer[..summed]);
            self.last_summed = self.buffer[summed - 1];
            self.buffer.copy_within(summed..self.held, 0);
            self.held -= summed;
            self.offset += summed as u64;
        }
    }

    fn conclude(&self) -> Result<Verified, RdbError> {
        let bytes = self.offset + self.held as u64;
        let checksum = if self.version.has_checksum() { self.checksum()? } else { ChecksumState::Absent };
        Ok(Verified { version: self.version, bytes, checksum })
    }

    /// Without the end record in front of the trailer the file is probably cut off; with it, it is damaged.
    fn checksum(&self) -> Result<ChecksumState, RdbError> {
        let trailer = self.buffer.first_chunk::<TRAILER_LEN>().expect("the buffer is larger");
        let (stored, computed) = (u64::from_le_bytes(*trailer), self.sum.value());
        let ends_well = self.held == TRAILER_LEN && self.last_summed == OPCODE_EOF;
        if ends_well && stored == 0 {
            Ok(ChecksumState::Disabled)
        } else if ends_well && stored == computed {
            Ok(ChecksumState::Checked(computed))
        } else if ends_well {
            Err(RdbError::new(self.offset, Fault::Checksum { computed, stored }))
        } else {
            let end = self.offset + self.held as u64;
            Err(RdbError::new(end, Fault::NoEnd))
        }
    }
}
