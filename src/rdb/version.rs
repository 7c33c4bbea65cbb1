//! The first nine bytes of a file, and what follows from them.
//!
//! ```text
//! REDIS0010      "REDIS" and four digits: Redis of every age, and Valkey up to 8
//! VALKEY080      "VALKEY" and three digits: Valkey from 9 on
//! ```
//! From Redis 7.4 and Valkey 9 on, the two give different meanings to the same type and record bytes: the
//! magic decides. A DUMP payload has no magic, only the number; there numbers from 80 on are Valkey's.

use super::error::Fault;
use std::fmt;

/// The magic and the number behind it.
pub const MAGIC_LEN: usize = 9;

/// The version that a file of strings needs, and with it every type that Redis 7.0 has. What a snapshot
/// contains decides its version before the first byte is written: the highest number that a type or an
/// encoding in it asks for.
pub const VERSION_BASE: u16 = 10;

/// Streams know when their consumers were active. Nobody's data: a file of an older version leaves it out.
const VERSION_ACTIVE_TIMES: u16 = 11;
/// Fields of hashes expire.
const VERSION_FIELD_EXPIRIES: u16 = 12;

/// Content that a version of the format cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooNew {
    /// The lowest version that can.
    pub needed: u16,
}

impl fmt::Display for TooNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let feature = if self.needed == VERSION_FIELD_EXPIRIES {
            "hash field expiry"
        } else {
            "pending stream entries that belong to no consumer"
        };
        write!(f, "the dataset needs RDB version {} ({feature})", self.needed)
    }
}

/// The version of a file whose content needs `needed`, when it may not be above `limit`.
///
/// # Errors
/// When the content cannot be told in such a file.
pub fn version_within(needed: u16, limit: u16) -> Result<u16, TooNew> {
    if needed <= limit {
        Ok(needed)
    } else if needed <= VERSION_ACTIVE_TIMES {
        Ok(limit.max(VERSION_BASE))
    } else {
        Err(TooNew { needed })
    }
}

/// The highest numbers whose records are known here.
const REDIS_MAX: u16 = 15;
const VALKEY_MIN: u16 = 80;
const VALKEY_MAX: u16 = 80;

/// Whose numbering of types and records applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Redis,
    Valkey,
}

/// A version that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub dialect: Dialect,
    pub number: u16,
}

impl Version {
    /// Of Redis, with all that is known here.
    pub const NEWEST: Version = Version { dialect: Dialect::Redis, number: REDIS_MAX };

    /// Reads the magic of a file.
    pub fn from_magic(magic: &[u8; MAGIC_LEN]) -> Result<Version, Fault> {
        let (dialect, digits) = if let Some(digits) = magic.strip_prefix(b"REDIS") {
            (Dialect::Redis, digits)
        } else if let Some(digits) = magic.strip_prefix(b"VALKEY") {
            (Dialect::Valkey, digits)
        } else {
            return Err(Fault::Signature);
        };
        // As Redis words it: what is no number is version 0, which does not exist.
        let number: u16 =
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or_default();
        let version = Version { dialect, number };
        if version.is_known() { Ok(version) } else { Err(Fault::Version { number: number.into() }) }
    }

    /// Reads the number of a DUMP payload. Here servers take 0 for a very old one.
    pub fn from_number(number: u16) -> Result<Version, Fault> {
        let dialect = if number < VALKEY_MIN { Dialect::Redis } else { Dialect::Valkey };
        let version = Version { dialect, number };
        let readable = number == 0 || version.is_known();
        if readable { Ok(version) } else { Err(Fault::Version { number: number.into() }) }
    }

    fn is_known(self) -> bool {
        match self.dialect {
            Dialect::Redis => (1..=REDIS_MAX).contains(&self.number),
            Dialect::Valkey => (VALKEY_MIN..=VALKEY_MAX).contains(&self.number),
        }
    }

    /// Files end in a checksum since version 5.
    pub fn has_checksum(self) -> bool {
        self.number >= 5
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dialect {
            Dialect::Redis => write!(f, "RDB version {}", self.number),
            Dialect::Valkey => write!(f, "Valkey RDB version {}", self.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_or_named() {
        assert_eq!((version_within(10, u16::MAX), version_within(14, u16::MAX)), (Ok(10), Ok(14)));
        assert_eq!(
            (version_within(10, 12), version_within(11, 10), version_within(11, 11)),
            (Ok(10), Ok(10), Ok(11))
        );
        assert_eq!((version_within(12, 12), version_within(12, 11)), (Ok(12), Err(TooNew { needed: 12 })));
        assert_eq!(TooNew { needed: 12 }.to_string(), "the dataset needs RDB version 12 (hash field expiry)");
        assert!(
            version_within(14, 12).unwrap_err().to_string().contains("version 14 (pending stream entries")
        );
    }

    #[test]
    fn magics() {
        for number in 1..=15 {
            let magic = format!("REDIS{number:04}");
            let version = Version::from_magic(magic.as_bytes().first_chunk().unwrap()).unwrap();
            assert_eq!(version, Version { dialect: Dialect::Redis, number });
            assert_eq!(version.has_checksum(), number >= 5);
        }
        let valkey = Version { dialect: Dialect::Valkey, number: 80 };
        assert_eq!(Version::from_magic(b"VALKEY080").unwrap(), valkey);
        assert_eq!(Version::from_number(80).unwrap(), valkey);
        let refusals = [
            (b"REDIS0016", "Can't handle RDB format version 16"),
            (b"REDIS0080", "Can't handle RDB format version 80"),
            (b"REDIS0000", "Can't handle RDB format version 0"),
            (b"REDIS00x0", "Can't handle RDB format version 0"),
            (b"VALKEY011", "Can't handle RDB format version 11"),
            (b"VALKEY081", "Can't handle RDB format version 81"),
            (b"VKCS\x01\x01\0\0\0", "Wrong signature trying to load DB from file"),
            (b"redis0010", "Wrong signature trying to load DB from file"),
        ];
        for (magic, text) in refusals {
            assert_eq!(Version::from_magic(magic).unwrap_err().to_string(), text);
        }
        assert!(Version::from_number(0).is_ok() && Version::from_number(79).is_err());
    }
}
