//! What a child says through its pipe, in pieces of fixed size that the kernel writes whole (they are below
//! PIPE_BUF).
//!
//! ```text
//!  byte 0     1          2..4  4..8   8..16  16..24  24..32       32..40
//!       kind  operation  0     errno  keys   bytes   cow current  cow peak      little-endian
//!  40..48       48..64
//!  CRC-64/XZ    0
//! ```
//! In `Done` the errno says why the old file was not kept, 0 being no reason.

use super::{CowBytes, SavedFile};
use crate::persist::error::{Fault, Operation};
use crate::persist::image::ImageProgress;
use nix::errno::Errno;

pub(super) const REPORT_BYTES: usize = 64;

const PROGRESS: u8 = 1;
const DONE: u8 = 2;
const FAILED: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    Progress { progress: ImageProgress, cow: CowBytes },
    Done { progress: ImageProgress, cow: CowBytes, file: SavedFile },
    Failed(Fault),
}

impl Report {
    pub(super) fn encode(self) -> [u8; REPORT_BYTES] {
        let mut bytes = [0; REPORT_BYTES];
        match self {
            Report::Progress { progress, cow } => put_counts(&mut bytes, PROGRESS, progress, cow),
            Report::Done { progress, cow, file } => {
                put_counts(&mut bytes, DONE, progress, cow);
                bytes[40..48].copy_from_slice(&file.crc64_xz.to_le_bytes());
                put_errno(&mut bytes, file.unkept.map_or(0, |errno| errno as i32));
            }
            Report::Failed(fault) => {
                bytes[0] = FAILED;
                bytes[1] = fault.operation as u8;
                put_errno(&mut bytes, fault.errno as i32);
            }
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8; REPORT_BYTES]) -> Option<Report> {
        let number = |place: usize| bytes[place..].first_chunk().map(|chunk| u64::from_le_bytes(*chunk));
        let progress = ImageProgress { keys: number(8)?, bytes: number(16)? };
        let cow = CowBytes { current: number(24)?, peak: number(32)? };
        let errno = i32::from_le_bytes(*bytes[4..].first_chunk()?);
        match bytes[0] {
            PROGRESS => Some(Report::Progress { progress, cow }),
            DONE => {
                let unkept = (errno != 0).then(|| Errno::from_raw(errno));
                Some(Report::Done { progress, cow, file: SavedFile { crc64_xz: number(40)?, unkept } })
            }
            FAILED => {
                let errno = Errno::from_raw(errno);
                Operation::from_number(bytes[1]).map(|operation| Report::Failed(Fault { operation, errno }))
            }
            _ => None,
        }
    }
}

fn put_errno(bytes: &mut [u8; REPORT_BYTES], errno: i32) {
    bytes[4..8].copy_from_slice(&errno.to_le_bytes());
}

fn put_counts(bytes: &mut [u8; REPORT_BYTES], kind: u8, progress: ImageProgress, cow: CowBytes) {
    bytes[0] = kind;
    let numbers = [progress.keys, progress.bytes, cow.current, cow.peak];
    for (index, number) in numbers.into_iter().enumerate() {
        bytes[8 + index * 8..][..8].copy_from_slice(&number.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_travel() {
        let progress = ImageProgress { keys: 1 << 40, bytes: 77 };
        let cow = CowBytes { current: 5, peak: u64::MAX };
        let failed = Report::Failed(Fault::new(Operation::Sync, Errno::EIO));
        let done =
            |unkept| Report::Done { progress, cow, file: SavedFile { crc64_xz: u64::MAX - 7, unkept } };
        let (kept, unkept) = (done(None), done(Some(Errno::EPERM)));
        for report in [Report::Progress { progress, cow }, kept, unkept, failed] {
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
        assert_eq!(Report::decode(&[0; REPORT_BYTES]), None);
    }
}
