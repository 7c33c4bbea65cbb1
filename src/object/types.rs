//! The words of the room: types, encodings, packings.

/// What TYPE tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    String,
    List,
    Set,
    Zset,
    Hash,
    Stream,
}

impl ValueType {
    /// The name that TYPE answers.
    pub const fn name(self) -> &'static str {
        match self {
            ValueType::String => "string",
            ValueType::List => "list",
            ValueType::Set => "set",
            ValueType::Zset => "zset",
            ValueType::Hash => "hash",
            ValueType::Stream => "stream",
        }
    }
}

/// What OBJECT ENCODING tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Int,
    Embstr,
    Raw,
    Listpack,
    ListpackEx,
    Intset,
    Quicklist,
    Hashtable,
    Skiplist,
    Stream,
}

impl Encoding {
    /// The name that OBJECT ENCODING answers.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Int => "int",
            Encoding::Embstr => "embstr",
            Encoding::Raw => "raw",
            Encoding::Listpack => "listpack",
            Encoding::ListpackEx => "listpackex",
            Encoding::Intset => "intset",
            Encoding::Quicklist => "quicklist",
            Encoding::Hashtable => "hashtable",
            Encoding::Skiplist => "skiplist",
            Encoding::Stream => "stream",
        }
    }
}

/// How a small value is packed in bytes: a listpack, or, for `Intset`, sorted integers. Both tell their own length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Packing {
    List,
    Intset,
    Set,
    /// Members and scores.
    Zset,
    /// Fields and values.
    Hash,
    /// Fields, values and their expiries.
    HashTtl,
}

impl Packing {
    pub const fn value_type(self) -> ValueType {
        match self {
            Packing::List => ValueType::List,
            Packing::Intset | Packing::Set => ValueType::Set,
            Packing::Zset => ValueType::Zset,
            Packing::Hash | Packing::HashTtl => ValueType::Hash,
        }
    }
}

/// Bytes from outside that are not the value they should be; says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt(pub &'static str);

/// How much of foreign bytes is checked. Their structure always is: reading them later must not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Structure,
    /// Also that nothing stands twice and everything is in order (RESTORE, `sanitize-dump-payload`).
    Deep,
}

/// What a loader did with an element of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// It goes into the value together with others, at the next `settle`.
    Pushed,
    /// It is in the value.
    Settled,
    /// It was there already: the file is broken.
    Twice,
}

/// Whether a table may move items to a larger or smaller one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rehash {
    Allowed,
    Paused,
}
