//! Whether a snapshot's file is what it was: its checksum, its structure to the last value, and its CRC-64/XZ.

use crate::base::crc::SecondCrc64Xz;
use crate::persist::catalog::Line;
use crate::persist::disk::open_to_read;
use crate::persist::error::error_text;
use crate::rdb;
use nix::errno::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a whole file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examined {
    pub bytes: u64,
    pub keys: u64,
    pub rdb_version: Option<u16>,
    pub crc64_xz: u64,
}

impl Examined {
    /// Enters into a line what it does not say yet.
    pub fn fill_in(&self, line: &mut Line) {
        line.keys = line.keys.or(Some(self.keys));
        line.rdb_version = line.rdb_version.or(self.rdb_version);
        line.crc64_xz = line.crc64_xz.or(Some(self.crc64_xz));
    }
}

/// What is wrong with a file. `Display` says where.
#[derive(Debug)]
pub enum Damage {
    Unreadable(io::Error),
    Rdb(rdb::RdbError),
    /// The file is sound, but not the one that was saved.
    Bytes {
        found: u64,
        saved: u64,
    },
    Sum {
        found: u64,
        saved: u64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Unreadable(error) => {
                f.write_str(&error_text(Errno::from_raw(error.raw_os_error().unwrap_or(0))))
            }
            Damage::Rdb(error) => error.fmt(f),
            Damage::Bytes { found, saved } => write!(f, "it has {found} bytes, but was saved with {saved}"),
            Damage::Sum { found, saved } => {
                write!(f, "its CRC-64/XZ is {found:016X}, but was {saved:016X} when it was saved")
            }
        }
    }
}

/// Reads a file to its end. Takes as long as the file is large.
///
/// # Errors
/// The first damage.
pub fn examine(path: &Path, now_ms: i64) -> Result<Examined, Damage> {
    let (file, _) = open_to_read(path).map_err(Damage::Unreadable)?;
    let mut input = Summed { file, sum: SecondCrc64Xz::new(), bytes: 0 };
    let report = rdb::check(&mut input, now_ms, &mut |_| ());
    if let Some(fault) = report.fault {
        return Err(Damage::Rdb(fault));
    }
    let rdb_version = report.version.map(|version| version.number);
    Ok(Examined { bytes: input.bytes, keys: report.keys, rdb_version, crc64_xz: input.sum.value() })
}

/// As `examine`, and compares with what is known of the file.
///
/// # Errors
/// The first damage or difference.
pub fn verify(path: &Path, line: &Line, now_ms: i64) -> Result<Examined, Damage> {
    let examined = examine(path, now_ms)?;
    if examined.bytes != line.bytes {
        return Err(Damage::Bytes { found: examined.bytes, saved: line.bytes });
    }
    match line.crc64_xz {
        Some(saved) if saved != examined.crc64_xz => Err(Damage::Sum { found: examined.crc64_xz, saved }),
        _ => Ok(examined),
    }
}

struct Summed {
    file: File,
    sum: SecondCrc64Xz,
    bytes: u64,
}

impl rdb::Input for Summed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.sum.update(&buffer[..count]);
        self.bytes += count as u64;
        Ok(count)
    }
}
