//! The commands of the group string.
mod counters;
mod digest;
mod get;
mod lcs;
mod many;
mod options;
mod ranges;
mod set;

use crate::server::Entry;
use crate::spec::{Flags, Group, KeyFlags, KeySpec, Spec};

const READ: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const GROW: Flags = Flags::WRITE.or(Flags::DENYOOM);
const FAST: Flags = Flags::FAST;

const RO_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const OW_UPDATE: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);
const RW_ACCESS_UPDATE: KeyFlags = KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::String, flags)
}

const READ_ONE: &[KeySpec] = &[KeySpec::one(1, RO_ACCESS)];
const OVERWRITE_ONE: &[KeySpec] = &[KeySpec::one(1, OW_UPDATE)];
const UPDATE_ONE: &[KeySpec] = &[KeySpec::one(1, RW_ACCESS_UPDATE)];
const SET_KEYS: &[KeySpec] = &[KeySpec::one(1, RW_ACCESS_UPDATE.or(KeyFlags::VARIABLE_FLAGS))];

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("get", 2, READ.or(FAST)).keys(READ_ONE).complexity("O(1)").doc(
            "1.0.0",
            "Get the value of a key",
            "key",
        ),
        get::get,
    ),
    Entry::data(
        spec("set", -3, GROW)
            .keys(SET_KEYS)
            .complexity("O(1)")
            .key_notes(&["RW and ACCESS due to the optional `GET` argument"])
            .key_flags(set::key_flags)
            .doc(
                "1.0.0",
                "Set the string value of a key",
                "key value [NX|XX|IFEQ ifeq-value|IFNE ifne-value|IFDEQ \
                 ifdeq-digest|IFDNE ifdne-digest] [GET] [EX seconds|PX \
                 milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]",
            ),
        set::set,
    ),
    Entry::data(
        spec("setnx", 3, GROW.or(FAST))
            .keys(&[KeySpec::one(1, KeyFlags::OW.or(KeyFlags::INSERT))])
            .complexity("O(1)")
            .doc("1.0.0", "Set the value of a key, only if the key does not exist", "key value"),
        set::setnx,
    ),
    Entry::data(
        spec("setex", 4, GROW).keys(OVERWRITE_ONE).complexity("O(1)").doc(
            "2.0.0",
            "Set the value and expiration of a key",
            "key seconds value",
        ),
        set::setex,
    ),
    Entry::data(
        spec("psetex", 4, GROW).keys(OVERWRITE_ONE).complexity("O(1)").doc(
            "2.6.0",
            "Set the value and expiration in milliseconds of a key",
            "key milliseconds value",
        ),
        set::psetex,
    ),
    Entry::data(
        spec("getset", 3, GROW.or(FAST))
            .keys(UPDATE_ONE)
            .complexity("O(1)")
            .deprecated("6.2.0", "`SET` with the `!GET` argument")
            .doc("1.0.0", "Set the string value of a key and return its old value", "key value"),
        get::getset,
    ),
    Entry::data(
        spec("getdel", 2, WRITE.or(FAST))
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE))])
            .complexity("O(1)")
            .doc("6.2.0", "Get the value of a key and delete the key", "key"),
        get::getdel,
    ),
    Entry::data(
        spec("getex", -2, WRITE.or(FAST))
            .keys(UPDATE_ONE)
            .complexity("O(1)")
            .key_notes(&["RW and UPDATE because it changes the TTL"])
            .doc(
                "6.2.0",
                "Get the value of a key and optionally set its expiration",
                "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT \
                 unix-time-milliseconds|PERSIST]",
            ),
        get::getex,
    ),
    Entry::data(
        spec("append", 3, GROW.or(FAST))
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::INSERT))])
            .complexity("O(1)")
            .doc("2.0.0", "Append a value to a key", "key value"),
        ranges::append,
    ),
    Entry::data(
        spec("strlen", 2, READ.or(FAST)).keys(&[KeySpec::one(1, KeyFlags::RO)]).complexity("O(1)").doc(
            "2.2.0",
            "Get the length of the value stored in a key",
            "key",
        ),
        ranges::strlen,
    ),
    Entry::data(
        spec("setrange", 4, GROW)
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::UPDATE))])
            .complexity("O(1), not counting the time taken to copy the new string in place.")
            .doc(
                "2.2.0",
                "Overwrite part of a string at key starting at the specified offset",
                "key offset value",
            ),
        ranges::setrange,
    ),
    Entry::data(
        spec("getrange", 4, READ)
            .keys(READ_ONE)
            .complexity("O(N) where N is the length of the returned string.")
            .doc("2.4.0", "Get a substring of the string stored at a key", "key start end"),
        ranges::getrange,
    ),
    Entry::data(
        spec("substr", 4, READ)
            .keys(READ_ONE)
            .complexity("O(N) where N is the length of the returned string.")
            .deprecated("2.0.0", "`GETRANGE`")
            .doc("1.0.0", "Get a substring of the string stored at a key", "key start end"),
        ranges::getrange,
    ),
    Entry::data(
        spec("incr", 2, GROW.or(FAST)).keys(UPDATE_ONE).complexity("O(1)").doc(
            "1.0.0",
            "Increment the integer value of a key by one",
            "key",
        ),
        counters::incr,
    ),
    Entry::data(
        spec("decr", 2, GROW.or(FAST)).keys(UPDATE_ONE).complexity("O(1)").doc(
            "1.0.0",
            "Decrement the integer value of a key by one",
            "key",
        ),
        counters::decr,
    ),
    Entry::data(
        spec("incrby", 3, GROW.or(FAST)).keys(UPDATE_ONE).complexity("O(1)").doc(
            "1.0.0",
            "Increment the integer value of a key by the given amount",
            "key increment",
        ),
        counters::incrby,
    ),
    Entry::data(
        spec("decrby", 3, GROW.or(FAST)).keys(UPDATE_ONE).complexity("O(1)").doc(
            "1.0.0",
            "Decrement the integer value of a key by the given number",
            "key decrement",
        ),
        counters::decrby,
    ),
    Entry::data(
        spec("incrbyfloat", 3, GROW.or(FAST)).keys(UPDATE_ONE).complexity("O(1)").doc(
            "2.6.0",
            "Increment the float value of a key by the given amount",
            "key increment",
        ),
        counters::incrbyfloat,
    ),
    Entry::data(
        spec("mget", -2, READ.or(FAST))
            .keys(&[KeySpec::rest(1, 1, RO_ACCESS)])
            .tips(&["request_policy:multi_shard"])
            .complexity("O(N) where N is the number of keys to retrieve.")
            .doc("1.0.0", "Get the values of all the given keys", "key [key ...]"),
        many::mget,
    ),
    Entry::data(
        spec("mset", -3, GROW)
            .keys(&[KeySpec::rest(1, 2, OW_UPDATE)])
            .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"])
            .complexity("O(N) where N is the number of keys to set.")
            .doc("1.0.1", "Set multiple keys to multiple values", "key value [key value ...]"),
        many::mset,
    ),
    Entry::data(
        spec("msetnx", -3, GROW)
            .keys(&[KeySpec::rest(1, 2, KeyFlags::OW.or(KeyFlags::INSERT))])
            .tips(&["request_policy:multi_shard", "response_policy:agg_min"])
            .complexity("O(N) where N is the number of keys to set.")
            .doc(
                "1.0.1",
                "Set multiple keys to multiple values, only if none of the keys exist",
                "key value [key value ...]",
            ),
        many::msetnx,
    ),
    Entry::data(
        spec("msetex", -4, GROW.or(Flags::MOVABLEKEYS))
            .keys(many::MSETEX_KEYS)
            .complexity("O(N) where N is the number of keys to set.")
            .doc(
                "8.4.0",
                "Set multiple keys to multiple values with a shared expiration, if a \
                 condition holds",
                "numkeys key value [key value ...] [NX|XX] [EX seconds|PX \
                 milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]",
            ),
        many::msetex,
    ),
    Entry::data(
        spec("lcs", -3, READ)
            .keys(&[KeySpec { begin: crate::spec::Begin::Index(1), ..lcs::KEYS }])
            .complexity("O(N*M) where N and M are the lengths of s1 and s2, respectively")
            .doc(
                "7.0.0",
                "Find longest common substring",
                "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]",
            ),
        lcs::lcs,
    ),
    Entry::data(
        spec("digest", 2, READ.or(FAST))
            .keys(READ_ONE)
            .complexity("O(N) where N is the length of the value")
            .doc("8.4.0", "Get the XXH3 digest of a string value", "key"),
        digest::digest,
    ),
    Entry::data(
        spec("delex", -2, WRITE.or(FAST))
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::DELETE).or(KeyFlags::VARIABLE_FLAGS))])
            .complexity("O(1), or O(N) for a digest, where N is the length of the value")
            .doc(
                "8.4.0",
                "Delete a key if its value or digest compares as asked",
                "key [IFEQ ifeq-value|IFNE ifne-value|IFDEQ ifdeq-digest|IFDNE \
                 ifdne-digest]",
            ),
        digest::delex,
    ),
];

#[cfg(test)]
mod tests;
