//! Every type of value that an RDB file can hold: its byte, its name and how it is laid out.
//!
//! The layouts let a checker walk over values that cannot be loaded yet, and name the first bad byte behind
//! them. They describe the frame only: the inside of packed blobs (listpack, ziplist, intset) is a string
//! here.

use super::version::{Dialect, Version};

/// A string, the only type whose values are built here.
pub const TYPE_STRING: u8 = 0;

/// One type of value.
pub struct ValueType {
    pub byte: u8,
    /// What users read in messages and reports.
    pub name: &'static str,
    /// None: it cannot be skipped without understanding it.
    pub layout: Option<&'static [Part]>,
    owner: Owner,
}

/// Who uses the byte for this type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Everyone,
    Redis,
    Valkey,
}

/// A piece of a value.
pub enum Part {
    /// A string in any encoding.
    Text,
    /// A length, used as a number.
    Length,
    /// That many bytes.
    Bytes(usize),
    /// A double as text: a byte of length, or 253..=255 for NaN and the infinities.
    AsciiDouble,
    /// A length n, then n times these parts.
    Repeat(&'static [Part]),
    /// Framed fields of a module, up to their end mark.
    ModuleFields,
    /// The sparse array of Redis 8.8.
    Array,
}

use Part::{Array, AsciiDouble, Bytes, Length, ModuleFields, Repeat, Text};

const PENDING: Part = Repeat(&[Bytes(16), Bytes(8), Length]);
const PENDING_IDS: Part = Repeat(&[Bytes(16)]);
const NODES: Part = Repeat(&[Text, Text]);
const CONSUMERS: Part = Repeat(&[Text, Bytes(8), PENDING_IDS]);
const CONSUMERS_3: Part = Repeat(&[Text, Bytes(8), Bytes(8), PENDING_IDS]);
const GROUPS_2: Part = Repeat(&[Text, Length, Length, Length, PENDING, CONSUMERS]);
const GROUPS_3: Part = Repeat(&[Text, Length, Length, Length, PENDING, CONSUMERS_3]);
const GROUPS_5: Part = Repeat(&[Text, Length, Length, Length, PENDING, CONSUMERS_3, PENDING_IDS]);
const PRODUCERS: Part = Repeat(&[Text, Repeat(&[Text, Length, Length])]);

const fn everyone(byte: u8, name: &'static str, layout: &'static [Part]) -> ValueType {
    ValueType { byte, name, layout: Some(layout), owner: Owner::Everyone }
}

const fn redis(byte: u8, name: &'static str, layout: &'static [Part]) -> ValueType {
    ValueType { byte, name, layout: Some(layout), owner: Owner::Redis }
}

const fn opaque(byte: u8, name: &'static str, owner: Owner) -> ValueType {
    ValueType { byte, name, layout: None, owner }
}

static TYPES: &[ValueType] = &[
    everyone(TYPE_STRING, "string", &[Text]),
    everyone(1, "list", &[Repeat(&[Text])]),
    everyone(2, "set", &[Repeat(&[Text])]),
    everyone(3, "sorted set", &[Repeat(&[Text, AsciiDouble])]),
    everyone(4, "hash", &[Repeat(&[Text, Text])]),
    everyone(5, "sorted set with binary scores", &[Repeat(&[Text, Bytes(8)])]),
    opaque(6, "module value of a 4.0 release candidate", Owner::Everyone),
    everyone(7, "module value", &[Length, ModuleFields]),
    everyone(9, "hash as zipmap", &[Text]),
    everyone(10, "list as ziplist", &[Text]),
    everyone(11, "set as intset", &[Text]),
    everyone(12, "sorted set as ziplist", &[Text]),
    everyone(13, "hash as ziplist", &[Text]),
    everyone(14, "list of ziplists", &[Repeat(&[Text])]),
    everyone(
        15,
        "stream",
        &[NODES, Length, Length, Length, Repeat(&[Text, Length, Length, PENDING, CONSUMERS])],
    ),
    everyone(16, "hash as listpack", &[Text]),
    everyone(17, "sorted set as listpack", &[Text]),
    everyone(18, "list of listpacks", &[Repeat(&[Length, Text])]),
    everyone(
        19,
        "stream of 7.0",
        &[NODES, Length, Length, Length, Length, Length, Length, Length, Length, GROUPS_2],
    ),
    everyone(20, "set as listpack", &[Text]),
    everyone(
        21,
        "stream of 7.2",
        &[NODES, Length, Length, Length, Length, Length, Length, Length, Length, GROUPS_3],
    ),
    redis(22, "hash with field expiry of a 7.4 release candidate", &[Repeat(&[Length, Text, Text])]),
    ValueType {
        byte: 22,
        name: "hash with field expiry of Valkey",
        layout: Some(&[Repeat(&[Text, Text, Bytes(8)])]),
        owner: Owner::Valkey,
    },
    redis(23, "hash as listpack with field expiry of a 7.4 release candidate", &[Text]),
    opaque(23, "path hash of Valkey", Owner::Valkey),
    redis(24, "hash with field expiry", &[Bytes(8), Repeat(&[Length, Text, Text])]),
    redis(25, "hash as listpack with field expiry", &[Bytes(8), Text]),
    redis(
        26,
        "stream of 8.6",
        &[
            NODES, Length, Length, Length, Length, Length, Length, Length, Length, GROUPS_3, Length, Length,
            PRODUCERS, Length, Length,
        ],
    ),
    redis(
        27,
        "stream of 8.8",
        &[
            NODES, Length, Length, Length, Length, Length, Length, Length, Length, GROUPS_5, Length, Length,
            PRODUCERS, Length, Length,
        ],
    ),
    redis(28, "array", &[Array]),
    redis(29, "template hash with its names, as listpack", &[Repeat(&[Text]), Text]),
    redis(30, "template hash as listpack", &[Text]),
    redis(31, "template hash with its names", &[Repeat(&[Text, Text])]),
    opaque(32, "template hash", Owner::Redis),
];

/// The type that a byte means in a version; None if it means none.
pub fn value_type(byte: u8, version: Version) -> Option<&'static ValueType> {
    TYPES.iter().find(|known| {
        let ours = match known.owner {
            Owner::Everyone => true,
            Owner::Redis => version.dialect == Dialect::Redis,
            Owner::Valkey => version.dialect == Dialect::Valkey,
        };
        ours && known.byte == byte
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_means_one_thing_in_each_dialect() {
        for dialect in [Dialect::Redis, Dialect::Valkey] {
            let version = Version { dialect, number: 80 };
            for byte in 0..=255 {
                let meanings = TYPES.iter().filter(|known| {
                    known.byte == byte
                        && (known.owner == Owner::Everyone)
                            | (known.owner == Owner::Redis && known.byte == byte && dialect == Dialect::Redis)
                            | (known.owner == Owner::Valkey
                                && known.byte == byte
                                && dialect == Dialect::Valkey)
                });
                assert_eq!(meanings.count(), usize::from(value_type(byte, version).is_some()), "{byte}");
            }
        }
        let name = |dialect| value_type(22, Version { dialect, number: 0 }).unwrap().name;
        assert_ne!(name(Dialect::Redis), name(Dialect::Valkey));
    }
}
