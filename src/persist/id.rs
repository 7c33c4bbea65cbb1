//! The name by which a snapshot is spoken of: in INFO, in the catalogue, in the names of kept files.
//!
//! Eight lower-case hexadecimal digits, drawn at random for each save. Two snapshots of one history with the same
//! one are possible (about one in a million histories of a hundred files); whoever makes a name of it looks first
//! whether the name is taken.

use std::fmt;
use std::str::FromStr;

const DIGITS: usize = 8;

/// Which snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId(pub u32);

impl SnapshotId {
    /// The identity that goes with the nonce of a save.
    pub fn of_nonce(nonce: u64) -> SnapshotId {
        SnapshotId(nonce as u32)
    }

    /// `None` when `text` is not eight lower-case hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<SnapshotId> {
        let is_ours =
            text.len() == DIGITS && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let text = std::str::from_utf8(text).ok().filter(|_| is_ours)?;
        u32::from_str_radix(text, 16).ok().map(SnapshotId)
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The text is not an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

impl FromStr for SnapshotId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<SnapshotId, NotAnId> {
        SnapshotId::parse(text.as_bytes()).ok_or(NotAnId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for number in [0, 1, 0xdead_beef, u32::MAX] {
            let id = SnapshotId(number);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert_eq!(SnapshotId::of_nonce(0x1234_5678_0000_00ab).to_string(), "000000ab");
        for text in ["", "0000000", "000000000", "0000000G", "0000000A", "+0000001", "0000 001"] {
            assert_eq!(text.parse::<SnapshotId>(), Err(NotAnId), "{text}");
        }
    }
}
