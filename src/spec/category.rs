//! Groups (the chapters of the command reference) and ACL categories, most of which follow from group and flags.

use super::flags::Flags;

/// The chapter a command belongs to. The group also gives the data type's ACL category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    Pubsub,
    Transactions,
    Connection,
    Server,
    Scripting,
    Hyperloglog,
    Cluster,
    Geo,
    Stream,
    Bitmap,
}

impl Group {
    /// The name COMMAND DOCS answers.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::Pubsub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::Hyperloglog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
        }
    }

    const fn categories(self) -> Categories {
        match self {
            Group::String => Categories::STRING,
            Group::List => Categories::LIST,
            Group::Set => Categories::SET,
            Group::SortedSet => Categories::SORTEDSET,
            Group::Hash => Categories::HASH,
            Group::Pubsub => Categories::PUBSUB,
            Group::Transactions => Categories::TRANSACTION,
            Group::Scripting => Categories::SCRIPTING,
            Group::Hyperloglog => Categories::HYPERLOGLOG,
            Group::Geo => Categories::GEO,
            Group::Stream => Categories::STREAM,
            Group::Bitmap => Categories::BITMAP,
            Group::Generic | Group::Connection | Group::Server | Group::Cluster => Categories::NONE,
        }
    }
}

/// A set of ACL categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Categories(u32);

macro_rules! categories {
    ($($constant:ident = $bit:literal, $name:literal;)*) => {
        impl Categories {
            $(pub const $constant: Categories = Categories(1 << $bit);)*
            /// Every category with its name, in the order of ACL CAT.
            pub const NAMES: &'static [(Categories, &'static str)] = &[$((Categories::$constant, $name)),*];
        }
    };
}

categories! {
    KEYSPACE = 0, "keyspace";
    READ = 1, "read";
    WRITE = 2, "write";
    SET = 3, "set";
    SORTEDSET = 4, "sortedset";
    LIST = 5, "list";
    HASH = 6, "hash";
    STRING = 7, "string";
    BITMAP = 8, "bitmap";
    HYPERLOGLOG = 9, "hyperloglog";
    GEO = 10, "geo";
    STREAM = 11, "stream";
    PUBSUB = 12, "pubsub";
    ADMIN = 13, "admin";
    FAST = 14, "fast";
    SLOW = 15, "slow";
    BLOCKING = 16, "blocking";
    DANGEROUS = 17, "dangerous";
    CONNECTION = 18, "connection";
    TRANSACTION = 19, "transaction";
    SCRIPTING = 20, "scripting";
}

impl Categories {
    pub const NONE: Categories = Categories(0);

    pub const fn or(self, other: Categories) -> Categories {
        Categories(self.0 | other.0)
    }

    pub const fn has(self, other: Categories) -> bool {
        self.0 & other.0 != 0
    }

    /// What group and flags imply: a write is @write, a readonly command outside the group scripting is @read, admin
    /// commands are dangerous, and what is not fast is slow.
    pub const fn implied(group: Group, flags: Flags) -> Categories {
        let mut implied = group.categories();
        if flags.has(Flags::WRITE) {
            implied = implied.or(Categories::WRITE);
        }
        if flags.has(Flags::READONLY) && !implied.has(Categories::SCRIPTING) {
            implied = implied.or(Categories::READ);
        }
        if flags.has(Flags::ADMIN) {
            implied = implied.or(Categories::ADMIN).or(Categories::DANGEROUS);
        }
        if flags.has(Flags::PUBSUB) {
            implied = implied.or(Categories::PUBSUB);
        }
        if flags.has(Flags::BLOCKING) {
            implied = implied.or(Categories::BLOCKING);
        }
        implied.or(if flags.has(Flags::FAST) { Categories::FAST } else { Categories::SLOW })
    }
}
