//! The first nine bytes of a file, and what follows from them.
//!
//! ```text
//! REDIS0010      "REDIS" and four digits: Redis of every age, and Valkey up to 8
//! VALKEY080      "VALKEY" and three digits: Valkey from 9 on
//! ```
//! From Redis 7.4 and Valkey 9 on, the two give different meanings to the same type and record bytes: the
//! magic decides. A DUMP payload has no magic, only the number; there numbers from 80 on are Valkey's.

use super::error::{Fault, Printable};
use std::fmt;

/// The magic and the number behind it.
pub const MAGIC_LEN: usize = 9;

/// What Redis 5 and 6 read: ziplists instead of listpacks, streams without totals, no functions. It is written when it
/// is asked for only.
pub const VERSION_ZIPLISTS: u16 = 9;
/// The version that a file of strings needs, and with it every type that Redis 7.0 has. What a snapshot
/// contains decides its version before the first byte is written: the highest number that a type or an
/// encoding in it asks for.
pub const VERSION_BASE: u16 = 10;
/// Sets are listpacks, and streams know when their consumers were active. Those times are nobody's data: a file of an
/// older version leaves them out.
pub(super) const VERSION_ACTIVE_TIMES: u16 = 11;
/// Fields of hashes expire.
const VERSION_FIELD_EXPIRIES: u16 = 12;
/// What Valkey 9 writes: the forms of version 11, and its own for hashes with fields that expire. Numbers of Redis's
/// versions between the two mean nothing to it.
pub const VERSION_VALKEY: u16 = VALKEY_MIN;

/// Which Valkey a file of that version says it is from: the first that wrote it.
const VALKEY_RELEASE: &str = "9.0.0";

/// The name and the text under which a file says what it was written by. `redis_version` is what we call ourselves.
pub fn written_by(version: u16, redis_version: &str) -> (&'static str, &str) {
    if version < VERSION_VALKEY { ("redis-ver", redis_version) } else { ("valkey-ver", VALKEY_RELEASE) }
}

/// The name under which a file says whether it is the base of an append-only file.
pub fn aof_base_name(version: u16) -> &'static str {
    if version < VERSION_BASE { "aof-preamble" } else { "aof-base" }
}

/// Content that a version of the format cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooNew {
    FieldExpiries,
    ReleasedEntries,
}

impl TooNew {
    /// What a file of `version` cannot hold of a value that asks for version `needed` (`View::rdb_version`); None: it
    /// holds it, but perhaps for the times at which consumers were active.
    pub fn of(needed: u16, version: u16) -> Option<TooNew> {
        let highest = if version < VERSION_VALKEY { version } else { VERSION_FIELD_EXPIRIES };
        match needed {
            _ if needed <= highest.max(VERSION_ACTIVE_TIMES) => None,
            ..=VERSION_FIELD_EXPIRIES => Some(TooNew::FieldExpiries),
            _ => Some(TooNew::ReleasedEntries),
        }
    }
}

impl fmt::Display for TooNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TooNew::FieldExpiries => "expiring fields",
            TooNew::ReleasedEntries => "pending stream entries that belong to no consumer",
        })
    }
}

/// The key that a version of the format cannot hold. `Display` is the reason for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTooNew {
    pub db: u64,
    pub key: Vec<u8>,
    pub what: TooNew,
    pub version: u16,
}

impl fmt::Display for KeyTooNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, version) = (Printable(&self.key), Version::to_write(self.version));
        write!(f, "key \"{key}\" in db {} has {}, which {version} cannot hold", self.db, self.what)
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

    /// What a writer is told by a number alone.
    pub fn to_write(number: u16) -> Version {
        let dialect = if number < VERSION_VALKEY { Dialect::Redis } else { Dialect::Valkey };
        Version { dialect, number }
    }

    /// The first bytes of a file.
    pub fn magic(self) -> [u8; MAGIC_LEN] {
        let mut magic = match self.dialect {
            Dialect::Redis => *b"REDIS0000",
            Dialect::Valkey => *b"VALKEY000",
        };
        let mut number = self.number;
        for digit in magic.iter_mut().rev().take(4) {
            if digit.is_ascii_digit() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        magic
    }

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
    fn what_a_version_holds() {
        use TooNew::{FieldExpiries, ReleasedEntries};
        for version in [9, 10, 11] {
            let found = [10, 11, 12, 14].map(|needed| TooNew::of(needed, version));
            assert_eq!(found, [None, None, Some(FieldExpiries), Some(ReleasedEntries)], "{version}");
        }
        for version in [12, 80] {
            let found = [10, 11, 12, 14].map(|needed| TooNew::of(needed, version));
            assert_eq!(found, [None, None, None, Some(ReleasedEntries)], "{version}");
        }
        assert_eq!(TooNew::of(14, 14), None);
        let too_new = KeyTooNew { db: 3, key: b"h\n".into(), what: FieldExpiries, version: 10 };
        let text = "key \"h\\n\" in db 3 has expiring fields, which RDB version 10 cannot hold";
        assert_eq!(too_new.to_string(), text);
        let too_new = KeyTooNew { db: 0, key: b"x".into(), what: ReleasedEntries, version: 80 };
        assert_eq!(
            too_new.to_string(),
            "key \"x\" in db 0 has pending stream entries that belong to no consumer, which Valkey RDB version 80 \
             cannot hold"
        );
    }

    #[test]
    fn magics() {
        for number in 1..=15 {
            let magic = format!("REDIS{number:04}");
            let version = Version::from_magic(magic.as_bytes().first_chunk().unwrap()).unwrap();
            assert_eq!(version, Version { dialect: Dialect::Redis, number });
            assert_eq!(version.has_checksum(), number >= 5);
            assert_eq!((version.magic().as_slice(), Version::to_write(number)), (magic.as_bytes(), version));
        }
        let valkey = Version { dialect: Dialect::Valkey, number: 80 };
        assert_eq!(Version::from_magic(b"VALKEY080").unwrap(), valkey);
        assert_eq!(Version::from_number(80).unwrap(), valkey);
        assert_eq!((Version::to_write(80), &valkey.magic()), (valkey, b"VALKEY080"));
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
