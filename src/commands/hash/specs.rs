//! What is known of the hash commands without running them.

use super::{counters, delete, expire, get, getex, random, set, setex, ttl};
use crate::server::Entry;
use crate::spec::{Flags, Group, KeyFlags, KeySpec, Spec};

const READ: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE.or(Flags::FAST);
const GROW: Flags = WRITE.or(Flags::DENYOOM);

const SEEN: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RO)];
const ACCESSED: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RO.or(KeyFlags::ACCESS))];
const INSERTED: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::INSERT))];
const UPDATED: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::UPDATE))];
const DELETED: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::DELETE))];
const ACCESSED_UPDATED: &[KeySpec] =
    &[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE))];
const ACCESSED_DELETED: &[KeySpec] =
    &[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::DELETE))];

const EACH_FIELD: &str = "O(N) where N is the number of specified fields";
const WHOLE_HASH: &str = "O(N) where N is the size of the hash.";
const NO_ORDER: &[&str] = &["nondeterministic_output_order"];
const VARIES: &[&str] = &["nondeterministic_output"];

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Hash, flags).complexity("O(1)")
}

/// A command about the expiries of fields.
const fn expiring(name: &'static str, arity: i32, flags: Flags) -> Spec {
    spec(name, arity, flags).complexity(EACH_FIELD)
}

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("hdel", -3, WRITE).member_at(2)
            .keys(DELETED)
            .complexity("O(N) where N is the number of fields to be removed.")
            .doc("2.0.0", "Delete one or more hash fields", "key field [field ...]"),
        delete::hdel,
    ),
    Entry::data(
        spec("hexists", 3, READ.or(Flags::FAST)).member_at(2).keys(SEEN).doc(
            "2.0.0",
            "Determine if a hash field exists",
            "key field",
        ),
        get::hexists,
    ),
    Entry::data(
        spec("hget", 3, READ.or(Flags::FAST)).member_at(2).keys(ACCESSED).doc(
            "2.0.0",
            "Get the value of a hash field",
            "key field",
        ),
        get::hget,
    ),
    Entry::data(
        spec("hgetall", 2, READ).keys(ACCESSED).tips(NO_ORDER).complexity(WHOLE_HASH).doc(
            "2.0.0",
            "Get all the fields and values in a hash",
            "key",
        ),
        get::hgetall,
    ),
    Entry::data(
        spec("hincrby", 4, GROW).member_at(2).keys(ACCESSED_UPDATED).doc(
            "2.0.0",
            "Increment the integer value of a hash field by the given number",
            "key field increment",
        ),
        counters::hincrby,
    ),
    Entry::data(
        spec("hincrbyfloat", 4, GROW).member_at(2).keys(ACCESSED_UPDATED).doc(
            "2.6.0",
            "Increment the float value of a hash field by the given amount",
            "key field increment",
        ),
        counters::hincrbyfloat,
    ),
    Entry::data(
        spec("hkeys", 2, READ).keys(ACCESSED).tips(NO_ORDER).complexity(WHOLE_HASH).doc(
            "2.0.0",
            "Get all the fields in a hash",
            "key",
        ),
        get::hkeys,
    ),
    Entry::data(
        spec("hlen", 2, READ.or(Flags::FAST)).keys(SEEN).doc(
            "2.0.0",
            "Get the number of fields in a hash",
            "key",
        ),
        get::hlen,
    ),
    Entry::data(
        spec("hmget", -3, READ.or(Flags::FAST)).member_at(2)
            .keys(ACCESSED)
            .complexity("O(N) where N is the number of fields being requested.")
            .doc("2.0.0", "Get the values of all the given hash fields", "key field [field ...]"),
        get::hmget,
    ),
    Entry::data(
        spec("hmset", -4, GROW)
            .keys(UPDATED)
            .complexity("O(N) where N is the number of fields being set.")
            .deprecated("4.0.0", "`HSET` with multiple field-value pairs")
            .doc(
                "2.0.0",
                "Set multiple hash fields to multiple values",
                "key field value [field value ...]",
            ),
        set::hmset,
    ),
    Entry::data(
        spec("hrandfield", -2, READ)
            .keys(ACCESSED)
            .tips(VARIES)
            .complexity("O(N) where N is the number of fields returned")
            .doc("6.2.0", "Get one or multiple random fields from a hash", "key [count [WITHVALUES]]"),
        random::hrandfield,
    ),
    Entry::data(
        spec("hscan", -3, READ)
            .keys(ACCESSED)
            .tips(VARIES)
            .complexity(
                "O(1) for every call. O(N) for a complete iteration, including enough command calls for the \
                 cursor to return back to 0. N is the number of elements inside the collection..",
            )
            .doc(
                "2.8.0",
                "Incrementally iterate hash fields and associated values",
                "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
            ),
        random::hscan,
    ),
    Entry::data(
        spec("hset", -4, GROW).member_at(2)
            .keys(UPDATED)
            .complexity(
                "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is \
                 called with multiple field/value pairs.",
            )
            .doc("2.0.0", "Set the string value of a hash field", "key field value [field value ...]"),
        set::hset,
    ),
    Entry::data(
        spec("hsetnx", 4, GROW).member_at(2).keys(INSERTED).doc(
            "2.0.0",
            "Set the value of a hash field, only if the field does not exist",
            "key field value",
        ),
        set::hsetnx,
    ),
    Entry::data(
        spec("hstrlen", 3, READ.or(Flags::FAST)).member_at(2).keys(SEEN).doc(
            "3.2.0",
            "Get the length of the value of a hash field",
            "key field",
        ),
        get::hstrlen,
    ),
    Entry::data(
        spec("hvals", 2, READ).keys(ACCESSED).tips(NO_ORDER).complexity(WHOLE_HASH).doc(
            "2.0.0",
            "Get all the values in a hash",
            "key",
        ),
        get::hvals,
    ),
    Entry::data(
        expiring("hexpire", -6, WRITE).keys(UPDATED).doc(
            "7.4.0",
            "Sets expiry time on hash fields",
            "key seconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
        ),
        expire::hexpire,
    ),
    Entry::data(
        expiring("hpexpire", -6, WRITE).keys(UPDATED).doc(
            "7.4.0",
            "Sets expiry time on hash object",
            "key milliseconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
        ),
        expire::hpexpire,
    ),
    Entry::data(
        expiring("hexpireat", -6, WRITE).keys(UPDATED).doc(
            "7.4.0",
            "Sets expiry time on hash fields",
            "key unix-time-seconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
        ),
        expire::hexpireat,
    ),
    Entry::data(
        expiring("hpexpireat", -6, WRITE).keys(UPDATED).doc(
            "7.4.0",
            "Sets expiration time on hash field",
            "key unix-time-milliseconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
        ),
        expire::hpexpireat,
    ),
    Entry::data(
        expiring("hpersist", -5, WRITE).keys(UPDATED).doc(
            "7.4.0",
            "Remove the existing expiration on a hash key's field(s)",
            "key FIELDS numfields field [field ...]",
        ),
        ttl::hpersist,
    ),
    Entry::data(
        expiring("httl", -5, READ.or(Flags::FAST)).keys(ACCESSED).tips(VARIES).doc(
            "7.4.0",
            "Returns the remaining time to live (in seconds) of a hash key's field(s) that have an associated \
             expiration",
            "key FIELDS numfields field [field ...]",
        ),
        ttl::httl,
    ),
    Entry::data(
        expiring("hpttl", -5, READ.or(Flags::FAST)).keys(ACCESSED).tips(VARIES).doc(
            "7.4.0",
            "Returns the remaining time to live in milliseconds of a hash key's field(s) that have an \
             associated expiration",
            "key FIELDS numfields field [field ...]",
        ),
        ttl::hpttl,
    ),
    Entry::data(
        expiring("hexpiretime", -5, READ.or(Flags::FAST)).keys(ACCESSED).doc(
            "7.4.0",
            "Returns Unix timestamps in seconds since the epoch at which the given key's field(s) will expire",
            "key FIELDS numfields field [field ...]",
        ),
        ttl::hexpiretime,
    ),
    Entry::data(
        expiring("hpexpiretime", -5, READ.or(Flags::FAST)).keys(ACCESSED).doc(
            "7.4.0",
            "Returns the Unix timestamp in milliseconds since Unix epoch at which the given key's field(s) will \
             expire",
            "key FIELDS numfields field [field ...]",
        ),
        ttl::hpexpiretime,
    ),
    Entry::data(
        expiring("hgetdel", -5, WRITE).keys(ACCESSED_DELETED).doc(
            "8.0.0",
            "get hash fields and delete them",
            "key FIELDS numfields field [field ...]",
        ),
        delete::hgetdel,
    ),
    Entry::data(
        expiring("hgetex", -5, WRITE).keys(ACCESSED_UPDATED).doc(
            "8.0.0",
            "get hash fields and set/remove their TTL",
            "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST] \
             FIELDS numfields field [field ...]",
        ),
        getex::hgetex,
    ),
    Entry::data(
        expiring("hsetex", -6, GROW).keys(UPDATED).doc(
            "8.0.0",
            "set hash fields with TTL and FNX/FXX conditions",
            "key [FNX|FXX] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT \
             unix-time-milliseconds|KEEPTTL] FIELDS numfields field value [field value ...]",
        ),
        setex::hsetex,
    ),
];
