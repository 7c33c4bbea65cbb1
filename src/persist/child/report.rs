//! What a child says through its pipe, in pieces of fixed size that the kernel writes whole (they are below
//! PIPE_BUF).
//!
//! ```text
//!  byte 0     1          2..4  4..8   8..16  16..24  24..32       32..40
//!       kind  operation  0     errno  keys   bytes   cow current  cow peak      little-endian
//! ```

use super::CowBytes;
use crate::persist::error::{Fault, Operation};
use crate::persist::image::ImageProgress;
use nix::errno::Errno;

pub(super) const REPORT_BYTES: usize = 40;

const PROGRESS: u8 = 1;
const DONE: u8 = 2;
const FAILED: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    Progress { progress: ImageProgress, cow: CowBytes },
    Done { progress: ImageProgress, cow: CowBytes },
    Failed(Fault),
}

impl Report {
    pub(super) fn encode(self) -> [u8; REPORT_BYTES] {
        let mut bytes = [0; REPORT_BYTES];
        match self {
            Report::Progress { progress, cow } => put_counts(&mut bytes, PROGRESS, progress, cow),
            Report::Done { progress, cow } => put_counts(&mut bytes, DONE, progress, cow),
            Report::Failed(fault) => {
                bytes[0] = FAILED;
                bytes[1] = fault.operation as u8;
                bytes[4..8].copy_from_slice(&(fault.errno as i32).to_le_bytes());
            }
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8; REPORT_BYTES]) -> Option<Report> {
        let number = |place: usize| bytes[place..].first_chunk().map(|chunk| u64::from_le_bytes(*chunk));
        let progress = ImageProgress { keys: number(8)?, bytes: number(16)? };
        let cow = CowBytes { current: number(24)?, peak: number(32)? };
        match bytes[0] {
            PROGRESS => Some(Report::Progress { progress, cow }),
            DONE => Some(Report::Done { progress, cow }),
            FAILED => {
                let errno = Errno::from_raw(i32::from_le_bytes(*bytes[4..].first_chunk()?));
                Operation::from_number(bytes[1]).map(|operation| Report::Failed(Fault { operation, errno }))
            }
            _ => None,
        }
    }
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
        for report in [Report::Progress { progress, cow }, Report::Done { progress, cow }, failed] {
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
        assert_eq!(Report::decode(&[0; REPORT_BYTES]), None);
    }
}
