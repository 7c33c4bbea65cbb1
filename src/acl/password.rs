//! Passwords, of which only the SHA-256 is kept.

use super::error::RuleError;
use sha2::{Digest, Sha256};
use std::fmt;
use std::hint::black_box;

/// The SHA-256 of a password. Displays as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordHash([u8; 32]);

impl PasswordHash {
    pub fn of(password: &[u8]) -> Self {
        PasswordHash(Sha256::digest(password).into())
    }

    /// Reads what Display writes, and nothing else.
    pub fn parse(text: &[u8]) -> Result<Self, RuleError> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(RuleError::BadHash),
        };
        let text: &[u8; 64] = text.try_into().map_err(|_| RuleError::BadHash)?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(PasswordHash(hash))
    }

    /// Compares in a time that does not depend on what differs.
    pub fn is_same(&self, other: &PasswordHash) -> bool {
        let differences = self.0.iter().zip(&other.0).map(|(one, other)| one ^ other);
        black_box(differences.fold(0, |all, difference| black_box(all | difference))) == 0
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_redis() {
        let hash = PasswordHash::of(b"pw");
        let text = "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4";
        assert_eq!(hash.to_string(), text);
        assert_eq!(PasswordHash::parse(text.as_bytes()), Ok(hash));
        assert!(hash.is_same(&hash) && !hash.is_same(&PasswordHash::of(b"pW")));
        for wrong in ["", &text[1..], &text.to_uppercase(), &text.replace('c', "g"), &format!("{text}0")] {
            assert_eq!(PasswordHash::parse(wrong.as_bytes()), Err(RuleError::BadHash), "{wrong}");
        }
    }
}
