//! The commands of the group sorted_set.
mod add;
mod algebra;
mod answers;
mod bounds;
mod look;
mod pop;
mod range;
mod store;
#[cfg(test)]
mod tests;

use crate::server::Entry;
use crate::spec::{Begin, Find, Flags, Group, KeyFlags, KeySpec, Spec};

const READ: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const GROW: Flags = Flags::WRITE.or(Flags::DENYOOM);
const FAST: Flags = Flags::FAST;
const MOVABLE: Flags = Flags::MOVABLEKEYS;
const WAIT: Flags = Flags::WRITE.or(Flags::BLOCKING).or(Flags::NOSCRIPT);

const RO_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const OW_UPDATE: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);
const RW_DELETE: KeyFlags = KeyFlags::RW.or(KeyFlags::DELETE);
const RW_POP: KeyFlags = RW_DELETE.or(KeyFlags::ACCESS);
const RW_UPDATE: KeyFlags = KeyFlags::RW.or(KeyFlags::UPDATE);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::SortedSet, flags)
}

/// A number of keys at argument `place`, and the keys behind it.
const fn counted(place: usize, flags: KeyFlags) -> KeySpec {
    KeySpec { begin: Begin::Index(place), find: Find::KeyCount { count: 0, first: 1, step: 1 }, flags }
}

const LOOK_INTO_ONE: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RO)];
const READ_ONE: &[KeySpec] = &[KeySpec::one(1, RO_ACCESS)];
const READ_COUNTED: &[KeySpec] = &[counted(1, RO_ACCESS)];
const UPDATE_ONE: &[KeySpec] = &[KeySpec::one(1, RW_UPDATE)];
const INCREMENT_ONE: &[KeySpec] = &[KeySpec::one(1, RW_UPDATE.or(KeyFlags::ACCESS))];
const DELETE_ONE: &[KeySpec] = &[KeySpec::one(1, RW_DELETE)];
const POP_ONE: &[KeySpec] = &[KeySpec::one(1, RW_POP)];
const POP_ANY: &[KeySpec] =
    &[KeySpec { begin: Begin::Index(1), find: Find::Range { last: -2, step: 1, limit: 0 }, flags: RW_POP }];
const POP_COUNTED: &[KeySpec] = &[counted(1, RW_POP)];
const POP_COUNTED_LATER: &[KeySpec] = &[counted(2, RW_POP)];
const STORE_RANGE: &[KeySpec] = &[KeySpec::one(1, OW_UPDATE), KeySpec::one(2, RO_ACCESS)];
const STORE_COUNTED: &[KeySpec] = &[KeySpec::one(1, OW_UPDATE), counted(2, RO_ACCESS)];

const ANY_OUTPUT: &[&str] = &["nondeterministic_output"];

const LIMITED_RANGE_COST: &str = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
     elements being returned. If M is constant (e.g. always asking for the first 10 elements with \
     LIMIT), you can consider it O(log(N)).";
const REMOVAL_COST: &str = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of \
     elements removed by the operation.";
const POP_COST: &str = "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of \
     elements popped.";
const MANY_POP_COST: &str = "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in \
     the sorted set, and M being the number of elements popped.";
const INTERSECTION_COST: &str = "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number \
     of input sorted sets and M being the number of elements in the resulting sorted set.";
const DIFFERENCE_COST: &str = "O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is \
     the size of the first set, and K is the size of the result set.";

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("zadd", -4, GROW.or(FAST))
            .member_at(3)
            .keys(UPDATE_ONE)
            .complexity(
                "O(log(N)) for each item added, where N is the number of elements in the sorted \
                 set.",
            )
            .doc(
                "1.2.0",
                "Add one or more members to a sorted set, or update its score if it already exists",
                "key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]",
            ),
        add::zadd,
    ),
    Entry::data(
        spec("zincrby", 4, GROW.or(FAST))
            .member_at(3)
            .keys(INCREMENT_ONE)
            .complexity("O(log(N)) where N is the number of elements in the sorted set.")
            .doc("1.2.0", "Increment the score of a member in a sorted set", "key increment member"),
        add::zincrby,
    ),
    Entry::data(
        spec("zrem", -3, WRITE.or(FAST))
            .member_at(2)
            .keys(DELETE_ONE)
            .complexity(
                "O(M*log(N)) with N being the number of elements in the sorted set and M the \
                 number of elements to be removed.",
            )
            .doc("1.2.0", "Remove one or more members from a sorted set", "key member [member ...]"),
        add::zrem,
    ),
    Entry::data(
        spec("zcard", 2, READ.or(FAST)).keys(LOOK_INTO_ONE).complexity("O(1)").doc(
            "1.2.0",
            "Get the number of members in a sorted set",
            "key",
        ),
        look::zcard,
    ),
    Entry::data(
        spec("zcount", 4, READ.or(FAST))
            .keys(READ_ONE)
            .complexity("O(log(N)) with N being the number of elements in the sorted set.")
            .doc(
                "2.0.0",
                "Count the members in a sorted set with scores within the given values",
                "key min max",
            ),
        look::zcount,
    ),
    Entry::data(
        spec("zlexcount", 4, READ.or(FAST))
            .keys(READ_ONE)
            .complexity("O(log(N)) with N being the number of elements in the sorted set.")
            .doc(
                "2.8.9",
                "Count the number of members in a sorted set between a given lexicographical range",
                "key min max",
            ),
        look::zlexcount,
    ),
    Entry::data(
        spec("zscore", 3, READ.or(FAST)).member_at(2).keys(READ_ONE).complexity("O(1)").doc(
            "1.2.0",
            "Get the score associated with the given member in a sorted set",
            "key member",
        ),
        look::zscore,
    ),
    Entry::data(
        spec("zmscore", -3, READ.or(FAST))
            .member_at(2)
            .keys(READ_ONE)
            .complexity("O(N) where N is the number of members being requested.")
            .doc(
                "6.2.0",
                "Get the score associated with the given members in a sorted set",
                "key member [member ...]",
            ),
        look::zmscore,
    ),
    Entry::data(
        spec("zrank", -3, READ.or(FAST)).member_at(2).keys(READ_ONE).complexity("O(log(N))").doc(
            "2.0.0",
            "Determine the index of a member in a sorted set",
            "key member [WITHSCORE]",
        ),
        look::zrank,
    ),
    Entry::data(
        spec("zrevrank", -3, READ.or(FAST)).member_at(2).keys(READ_ONE).complexity("O(log(N))").doc(
            "2.0.0",
            "Determine the index of a member in a sorted set, with scores ordered from high to \
                 low",
            "key member [WITHSCORE]",
        ),
        look::zrevrank,
    ),
    Entry::data(
        spec("zscan", -3, READ)
            .keys(READ_ONE)
            .complexity(
                "O(1) for every call. O(N) for a complete iteration, including enough command \
                 calls for the cursor to return back to 0. N is the number of elements inside the \
                 collection..",
            )
            .tips(ANY_OUTPUT)
            .doc(
                "2.8.0",
                "Incrementally iterate sorted sets elements and associated scores",
                "key cursor [MATCH pattern] [COUNT count] [NOSCORES]",
            ),
        look::zscan,
    ),
    Entry::data(
        spec("zrandmember", -2, READ)
            .keys(READ_ONE)
            .complexity("O(N) where N is the number of elements returned")
            .tips(ANY_OUTPUT)
            .doc(
                "6.2.0",
                "Get one or multiple random elements from a sorted set",
                "key [count [WITHSCORES]]",
            ),
        look::zrandmember,
    ),
    Entry::data(
        spec("zrange", -4, READ)
            .keys(READ_ONE)
            .complexity(
                "O(log(N)+M) with N being the number of elements in the sorted set and M the \
                 number of elements returned.",
            )
            .doc(
                "1.2.0",
                "Return a range of members in a sorted set",
                "key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
            ),
        range::zrange,
    ),
    Entry::data(
        spec("zrevrange", -4, READ)
            .keys(READ_ONE)
            .complexity(
                "O(log(N)+M) with N being the number of elements in the sorted set and M the \
                 number of elements returned.",
            )
            .deprecated("6.2.0", "`ZRANGE` with the `REV` argument")
            .doc(
                "1.2.0",
                "Return a range of members in a sorted set, by index, with scores ordered from \
                 high to low",
                "key start stop [WITHSCORES]",
            ),
        range::zrevrange,
    ),
    Entry::data(
        spec("zrangebyscore", -4, READ)
            .keys(READ_ONE)
            .complexity(LIMITED_RANGE_COST)
            .deprecated("6.2.0", "`ZRANGE` with the `BYSCORE` argument")
            .doc(
                "1.0.5",
                "Return a range of members in a sorted set, by score",
                "key min max [WITHSCORES] [LIMIT offset count]",
            ),
        range::zrangebyscore,
    ),
    Entry::data(
        spec("zrevrangebyscore", -4, READ)
            .keys(READ_ONE)
            .complexity(LIMITED_RANGE_COST)
            .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")
            .doc(
                "2.2.0",
                "Return a range of members in a sorted set, by score, with scores ordered from \
                 high to low",
                "key max min [WITHSCORES] [LIMIT offset count]",
            ),
        range::zrevrangebyscore,
    ),
    Entry::data(
        spec("zrangebylex", -4, READ)
            .keys(READ_ONE)
            .complexity(LIMITED_RANGE_COST)
            .deprecated("6.2.0", "`ZRANGE` with the `BYLEX` argument")
            .doc(
                "2.8.9",
                "Return a range of members in a sorted set, by lexicographical range",
                "key min max [LIMIT offset count]",
            ),
        range::zrangebylex,
    ),
    Entry::data(
        spec("zrevrangebylex", -4, READ)
            .keys(READ_ONE)
            .complexity(LIMITED_RANGE_COST)
            .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")
            .doc(
                "2.8.9",
                "Return a range of members in a sorted set, by lexicographical range, ordered from \
                 higher to lower strings.",
                "key max min [LIMIT offset count]",
            ),
        range::zrevrangebylex,
    ),
    Entry::data(
        spec("zrangestore", -5, GROW)
            .keys(STORE_RANGE)
            .complexity(
                "O(log(N)+M) with N being the number of elements in the sorted set and M the \
                 number of elements stored into the destination key.",
            )
            .doc(
                "6.2.0",
                "Store a range of members from sorted set into another key",
                "dst src min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]",
            ),
        range::zrangestore,
    ),
    Entry::data(
        spec("zremrangebyrank", 4, WRITE).keys(DELETE_ONE).complexity(REMOVAL_COST).doc(
            "2.0.0",
            "Remove all members in a sorted set within the given indexes",
            "key start stop",
        ),
        range::zremrangebyrank,
    ),
    Entry::data(
        spec("zremrangebyscore", 4, WRITE).keys(DELETE_ONE).complexity(REMOVAL_COST).doc(
            "1.2.0",
            "Remove all members in a sorted set within the given scores",
            "key min max",
        ),
        range::zremrangebyscore,
    ),
    Entry::data(
        spec("zremrangebylex", 4, WRITE).keys(DELETE_ONE).complexity(REMOVAL_COST).doc(
            "2.8.9",
            "Remove all members in a sorted set between the given lexicographical range",
            "key min max",
        ),
        range::zremrangebylex,
    ),
    Entry::data(
        spec("zpopmin", -2, WRITE.or(FAST)).keys(POP_ONE).complexity(POP_COST).doc(
            "5.0.0",
            "Remove and return members with the lowest scores in a sorted set",
            "key [count]",
        ),
        pop::zpopmin,
    ),
    Entry::data(
        spec("zpopmax", -2, WRITE.or(FAST)).keys(POP_ONE).complexity(POP_COST).doc(
            "5.0.0",
            "Remove and return members with the highest scores in a sorted set",
            "key [count]",
        ),
        pop::zpopmax,
    ),
    Entry::data(
        spec("zmpop", -4, WRITE.or(MOVABLE)).keys(POP_COUNTED).complexity(MANY_POP_COST).doc(
            "7.0.0",
            "Remove and return members with scores in a sorted set",
            "numkeys key [key ...] <MIN|MAX> [COUNT count]",
        ),
        pop::zmpop,
    ),
    Entry::data(
        spec("bzpopmin", -3, WAIT.or(FAST))
            .keys(POP_ANY)
            .complexity("O(log(N)) with N being the number of elements in the sorted set.")
            .doc(
                "5.0.0",
                "Remove and return the member with the lowest score from one or more sorted sets, \
                 or block until one is available",
                "key [key ...] timeout",
            ),
        pop::bzpopmin,
    ),
    Entry::data(
        spec("bzpopmax", -3, WAIT.or(FAST))
            .keys(POP_ANY)
            .complexity("O(log(N)) with N being the number of elements in the sorted set.")
            .doc(
                "5.0.0",
                "Remove and return the member with the highest score from one or more sorted sets, \
                 or block until one is available",
                "key [key ...] timeout",
            ),
        pop::bzpopmax,
    ),
    Entry::data(
        spec("bzmpop", -5, WRITE.or(Flags::BLOCKING).or(MOVABLE))
            .keys(POP_COUNTED_LATER)
            .complexity(MANY_POP_COST)
            .doc(
                "7.0.0",
                "Remove and return members with scores in a sorted set or block until one is \
                 available",
                "timeout numkeys key [key ...] <MIN|MAX> [COUNT count]",
            ),
        pop::bzmpop,
    ),
    Entry::data(
        spec("zunion", -3, READ.or(MOVABLE))
            .keys(READ_COUNTED)
            .complexity(
                "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and \
                 M being the number of elements in the resulting sorted set.",
            )
            .doc(
                "6.2.0",
                "Add multiple sorted sets",
                "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE \
                 <SUM|MIN|MAX|COUNT>] [WITHSCORES]",
            ),
        algebra::zunion,
    ),
    Entry::data(
        spec("zinter", -3, READ.or(MOVABLE)).keys(READ_COUNTED).complexity(INTERSECTION_COST).doc(
            "6.2.0",
            "Intersect multiple sorted sets",
            "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE \
                 <SUM|MIN|MAX|COUNT>] [WITHSCORES]",
        ),
        algebra::zinter,
    ),
    Entry::data(
        spec("zdiff", -3, READ.or(MOVABLE)).keys(READ_COUNTED).complexity(DIFFERENCE_COST).doc(
            "6.2.0",
            "Subtract multiple sorted sets",
            "numkeys key [key ...] [WITHSCORES]",
        ),
        algebra::zdiff,
    ),
    Entry::data(
        spec("zintercard", -3, READ.or(MOVABLE))
            .keys(READ_COUNTED)
            .complexity(
                "O(N*K) worst case with N being the smallest input sorted set, K being the number \
                 of input sorted sets.",
            )
            .doc(
                "7.0.0",
                "Intersect multiple sorted sets and return the cardinality of the result",
                "numkeys key [key ...] [LIMIT limit]",
            ),
        algebra::zintercard,
    ),
    Entry::data(
        spec("zunionstore", -4, GROW.or(MOVABLE))
            .keys(STORE_COUNTED)
            .complexity(
                "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and \
                 M being the number of elements in the resulting sorted set.",
            )
            .doc(
                "2.0.0",
                "Add multiple sorted sets and store the resulting sorted set in a new key",
                "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE \
                 <SUM|MIN|MAX|COUNT>]",
            ),
        algebra::zunionstore,
    ),
    Entry::data(
        spec("zinterstore", -4, GROW.or(MOVABLE)).keys(STORE_COUNTED).complexity(INTERSECTION_COST).doc(
            "2.0.0",
            "Intersect multiple sorted sets and store the resulting sorted set in a new key",
            "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE \
                 <SUM|MIN|MAX|COUNT>]",
        ),
        algebra::zinterstore,
    ),
    Entry::data(
        spec("zdiffstore", -4, GROW.or(MOVABLE)).keys(STORE_COUNTED).complexity(DIFFERENCE_COST).doc(
            "6.2.0",
            "Subtract multiple sorted sets and store the resulting sorted set in a new key",
            "destination numkeys key [key ...]",
        ),
        algebra::zdiffstore,
    ),
];
