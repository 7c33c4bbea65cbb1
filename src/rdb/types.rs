//! Every type of value that an RDB file can hold: its byte, its name and how it is laid out.
//!
//! `build` makes values of the forms; the few types that have no place here have a layout at most, so that a checker
//! can walk over them and name the first bad byte behind them.

use super::version::{Dialect, Version};
use crate::object::{self, Packing};
use Part::{Array, Repeat, Text};

/// The types that are written.
pub const TYPE_STRING: u8 = 0;
pub(super) const TYPE_SET: u8 = 2;
pub(super) const TYPE_HASH: u8 = 4;
pub(super) const TYPE_ZSET: u8 = 5;
pub(super) const TYPE_SET_INTSET: u8 = 11;
pub(super) const TYPE_LIST_PLAIN: u8 = 1;
pub(super) const TYPE_ZSET_ZIPLIST: u8 = 12;
pub(super) const TYPE_HASH_ZIPLIST: u8 = 13;
pub(super) const TYPE_LIST_ZIPLISTS: u8 = 14;
pub(super) const TYPE_STREAM_FIRST: u8 = 15;
pub(super) const TYPE_HASH_LISTPACK: u8 = 16;
pub(super) const TYPE_ZSET_LISTPACK: u8 = 17;
pub(super) const TYPE_LIST: u8 = 18;
pub(super) const TYPE_STREAM: u8 = 19;
pub(super) const TYPE_SET_LISTPACK: u8 = 20;
pub(super) const TYPE_STREAM_ACTIVE_TIMES: u8 = 21;
/// Valkey's; Redis gives the number another meaning.
pub(super) const TYPE_HASH_OF_VALKEY: u8 = 22;
pub(super) const TYPE_HASH_EXPIRIES: u8 = 24;
pub(super) const TYPE_HASH_LISTPACK_EXPIRIES: u8 = 25;
pub(super) const TYPE_STREAM_NACKS: u8 = 27;
/// Written as it was read only.
pub(super) const TYPE_MODULE: u8 = 7;

/// One type of value.
pub struct ValueType {
    pub byte: u8,
    /// What users read in messages and reports.
    pub name: &'static str,
    pub(super) content: Content,
    owner: Owner,
}

/// What is done about a value.
pub(super) enum Content {
    Text,
    Built(Form),
    /// It cannot be held here, but it can be stepped over.
    Foreign(&'static [Part]),
    /// It cannot even be stepped over without understanding it.
    Opaque,
}

/// How a value is written that is built here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Blob(Blob),
    List(Nodes),
    Set,
    Zset(Scores),
    Hash(Expiries),
    Stream(StreamForm),
    Module,
}

/// A value that is one blob.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Blob {
    Packed(Packing),
    /// With the earliest expiry in front.
    HashWithExpiries,
    Ziplist(Packing),
    Zipmap,
}

/// What a list is cut into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nodes {
    None,
    Ziplists,
    Listpacks,
}

/// How scores are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scores {
    Text,
    Binary,
}

/// Where the expiries of a hash's fields stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiries {
    None,
    /// In front of each field.
    Absolute,
    /// In front of each field, counted from the earliest.
    FromFirst,
    /// Behind each field.
    Behind,
}

/// The five forms of a stream; each has all that the one before has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StreamForm {
    /// 5.0
    First,
    /// 7.0: what was ever added, and what groups have read
    Totals,
    /// 7.2: when consumers were active
    ActiveTimes,
    /// 8.6: what producers have added
    Producers,
    /// 8.8: pending entries without a consumer
    Nacks,
}

/// Who uses the byte for this type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Everyone,
    Redis,
    Valkey,
}

/// A piece of a value that is stepped over.
pub(super) enum Part {
    /// A string in any encoding.
    Text,
    /// A length, used as a number.
    Length,
    Bytes(u64),
    /// A score as text.
    Score,
    /// Fields of a module's value, to their end mark.
    ModuleFields,
    Together(&'static [Part]),
    /// A length n, then n times these parts.
    Repeat(&'static [Part]),
    /// The sparse array of Redis 8.8.
    Array,
}

const fn text(byte: u8, name: &'static str) -> ValueType {
    ValueType { byte, name, content: Content::Text, owner: Owner::Everyone }
}

const fn built(byte: u8, name: &'static str, form: Form) -> ValueType {
    ValueType { byte, name, content: Content::Built(form), owner: Owner::Everyone }
}

const fn of_redis(byte: u8, name: &'static str, form: Form) -> ValueType {
    ValueType { byte, name, content: Content::Built(form), owner: Owner::Redis }
}

const fn of_valkey(byte: u8, name: &'static str, form: Form) -> ValueType {
    ValueType { byte, name, content: Content::Built(form), owner: Owner::Valkey }
}

const fn foreign(byte: u8, name: &'static str, layout: &'static [Part]) -> ValueType {
    ValueType { byte, name, content: Content::Foreign(layout), owner: Owner::Redis }
}

const fn opaque(byte: u8, name: &'static str, owner: Owner) -> ValueType {
    ValueType { byte, name, content: Content::Opaque, owner }
}

const fn packed(byte: u8, name: &'static str, packing: Packing) -> ValueType {
    built(byte, name, Form::Blob(Blob::Packed(packing)))
}

const fn ziplist(byte: u8, name: &'static str, packing: Packing) -> ValueType {
    built(byte, name, Form::Blob(Blob::Ziplist(packing)))
}

static TYPES: &[ValueType] = &[
    text(TYPE_STRING, "string"),
    built(TYPE_LIST_PLAIN, "list", Form::List(Nodes::None)),
    built(TYPE_SET, "set", Form::Set),
    built(3, "sorted set", Form::Zset(Scores::Text)),
    built(TYPE_HASH, "hash", Form::Hash(Expiries::None)),
    built(TYPE_ZSET, "sorted set with binary scores", Form::Zset(Scores::Binary)),
    opaque(6, "module value of a 4.0 release candidate", Owner::Everyone),
    built(TYPE_MODULE, "module value", Form::Module),
    built(9, "hash as zipmap", Form::Blob(Blob::Zipmap)),
    ziplist(10, "list as ziplist", Packing::List),
    packed(TYPE_SET_INTSET, "set as intset", Packing::Intset),
    ziplist(TYPE_ZSET_ZIPLIST, "sorted set as ziplist", Packing::Zset),
    ziplist(TYPE_HASH_ZIPLIST, "hash as ziplist", Packing::Hash),
    built(TYPE_LIST_ZIPLISTS, "list of ziplists", Form::List(Nodes::Ziplists)),
    built(TYPE_STREAM_FIRST, "stream", Form::Stream(StreamForm::First)),
    packed(TYPE_HASH_LISTPACK, "hash as listpack", Packing::Hash),
    packed(TYPE_ZSET_LISTPACK, "sorted set as listpack", Packing::Zset),
    built(TYPE_LIST, "list of listpacks", Form::List(Nodes::Listpacks)),
    built(TYPE_STREAM, "stream of 7.0", Form::Stream(StreamForm::Totals)),
    packed(TYPE_SET_LISTPACK, "set as listpack", Packing::Set),
    built(TYPE_STREAM_ACTIVE_TIMES, "stream of 7.2", Form::Stream(StreamForm::ActiveTimes)),
    of_redis(22, "hash with field expiry of a 7.4 release candidate", Form::Hash(Expiries::Absolute)),
    of_valkey(TYPE_HASH_OF_VALKEY, "hash with field expiry of Valkey", Form::Hash(Expiries::Behind)),
    of_redis(
        23,
        "hash as listpack with field expiry of a 7.4 release candidate",
        Form::Blob(Blob::Packed(Packing::HashTtl)),
    ),
    opaque(23, "path hash of Valkey", Owner::Valkey),
    of_redis(TYPE_HASH_EXPIRIES, "hash with field expiry", Form::Hash(Expiries::FromFirst)),
    of_redis(
        TYPE_HASH_LISTPACK_EXPIRIES,
        "hash as listpack with field expiry",
        Form::Blob(Blob::HashWithExpiries),
    ),
    of_redis(26, "stream of 8.6", Form::Stream(StreamForm::Producers)),
    of_redis(TYPE_STREAM_NACKS, "stream of 8.8", Form::Stream(StreamForm::Nacks)),
    foreign(28, "array", &[Array]),
    foreign(29, "template hash with its names, as listpack", &[Repeat(&[Text]), Text]),
    foreign(30, "template hash as listpack", &[Text]),
    foreign(31, "template hash with its names", &[Repeat(&[Text, Text])]),
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

/// What TYPE would answer for a value in the form of that name; None if it cannot be held here.
pub fn type_of_form(name: &str) -> Option<object::ValueType> {
    match TYPES.iter().find(|known| known.name == name)?.content {
        Content::Text => Some(object::ValueType::String),
        Content::Built(form) => form.value_type(),
        Content::Foreign(_) | Content::Opaque => None,
    }
}

impl Form {
    fn value_type(self) -> Option<object::ValueType> {
        match self {
            Form::Blob(Blob::Packed(packing) | Blob::Ziplist(packing)) => Some(packing.value_type()),
            Form::Blob(Blob::HashWithExpiries | Blob::Zipmap) | Form::Hash(_) => {
                Some(object::ValueType::Hash)
            }
            Form::List(_) => Some(object::ValueType::List),
            Form::Set => Some(object::ValueType::Set),
            Form::Zset(_) => Some(object::ValueType::Zset),
            Form::Stream(_) => Some(object::ValueType::Stream),
            Form::Module => None,
        }
    }
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
