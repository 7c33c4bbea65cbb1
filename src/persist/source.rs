//! A file that a tool reads: from its beginning, summed up for a copy's comparison, or from anywhere.

use super::disk::open_to_read;
use crate::base::crc::SecondCrc64Xz;
use crate::rdb::Input;
use crate::rdb::mend::Mend;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub(in crate::persist) struct Source {
    file: File,
    pub(in crate::persist) bytes: u64,
    /// A small damage that is undone in what is read.
    pub(in crate::persist) mend: Option<Mend>,
}

impl Source {
    pub(in crate::persist) fn open(path: &Path) -> io::Result<Source> {
        let (file, bytes) = open_to_read(path)?;
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_SEQUENTIAL);
        Ok(Source { file, bytes, mend: None })
    }

    /// The bytes `from..until`, as far as there are.
    pub(in crate::persist) fn part(&self, from: u64, until: u64) -> Part<'_> {
        Part { source: self, at: from, until }
    }

    /// All of them.
    pub(in crate::persist) fn whole(&self) -> Part<'_> {
        self.part(0, u64::MAX)
    }

    /// As `whole`, with their CRC-64/XZ.
    pub(in crate::persist) fn summed(&self) -> Summed<'_> {
        Summed { part: self.whole(), sum: SecondCrc64Xz::new() }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, offset)?;
        if let Some(mend) = self.mend {
            mend.apply(offset, &mut buffer[..count]);
        }
        Ok(count)
    }

    /// Fills the buffer from `offset` on; returns how much there was.
    pub(in crate::persist) fn read_full(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            match self.read_at(offset + read as u64, &mut buffer[read..]) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }
}

pub(in crate::persist) struct Part<'s> {
    source: &'s Source,
    at: u64,
    until: u64,
}

impl Input for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.until - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.source.read_at(self.at, &mut buffer[..left])?;
        self.at += count as u64;
        Ok(count)
    }
}

pub(in crate::persist) struct Summed<'s> {
    part: Part<'s>,
    pub(in crate::persist) sum: SecondCrc64Xz,
}

impl Input for Summed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.part.read(buffer)?;
        self.sum.update(&buffer[..count]);
        Ok(count)
    }
}
