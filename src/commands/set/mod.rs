//! The commands of the group set.
mod algebra;
mod members;
mod random;
#[cfg(test)]
mod tests;

use crate::server::Entry;
use crate::spec::{Begin, Find, Flags, Group, KeyFlags, KeySpec, Spec};

const READ: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const GROW: Flags = Flags::WRITE.or(Flags::DENYOOM);
const FAST: Flags = Flags::FAST;

const RO_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const RW_INSERT: KeyFlags = KeyFlags::RW.or(KeyFlags::INSERT);
const RW_DELETE: KeyFlags = KeyFlags::RW.or(KeyFlags::DELETE);
const RW_ACCESS_DELETE: KeyFlags = RW_DELETE.or(KeyFlags::ACCESS);
const RW_UPDATE: KeyFlags = KeyFlags::RW.or(KeyFlags::UPDATE);
const OW_UPDATE: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Set, flags)
}

const LOOK_INTO_ONE: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RO)];
const READ_ONE: &[KeySpec] = &[KeySpec::one(1, RO_ACCESS)];
const READ_ALL: &[KeySpec] = &[KeySpec::rest(1, 1, RO_ACCESS)];
const READ_COUNTED: &[KeySpec] = &[KeySpec {
    begin: Begin::Index(1),
    find: Find::KeyCount { count: 0, first: 1, step: 1 },
    flags: RO_ACCESS,
}];
const STORE: &[KeySpec] = &[KeySpec::one(1, OW_UPDATE), KeySpec::rest(2, 1, RO_ACCESS)];

const ANY_ORDER: &[&str] = &["nondeterministic_output_order"];
const ANY_OUTPUT: &[&str] = &["nondeterministic_output"];

const INTERSECTION_COST: &str =
    "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.";
const UNION_COST: &str = "O(N) where N is the total number of elements in all given sets.";

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("sadd", -3, GROW.or(FAST)).member_at(2)
            .keys(&[KeySpec::one(1, RW_INSERT)])
            .complexity(
                "O(1) for each element added, so O(N) to add N elements when the command is called with multiple \
                 arguments.",
            )
            .doc("1.0.0", "Add one or more members to a set", "key member [member ...]"),
        members::sadd,
    ),
    Entry::data(
        spec("srem", -3, WRITE.or(FAST)).member_at(2)
            .keys(&[KeySpec::one(1, RW_DELETE)])
            .complexity("O(N) where N is the number of members to be removed.")
            .doc("1.0.0", "Remove one or more members from a set", "key member [member ...]"),
        members::srem,
    ),
    Entry::data(
        spec("sismember", 3, READ.or(FAST)).member_at(2).keys(LOOK_INTO_ONE).complexity("O(1)").doc(
            "1.0.0",
            "Determine if a given value is a member of a set",
            "key member",
        ),
        members::sismember,
    ),
    Entry::data(
        spec("smismember", -3, READ.or(FAST)).member_at(2)
            .keys(READ_ONE)
            .complexity("O(N) where N is the number of elements being checked for membership")
            .doc(
                "6.2.0",
                "Returns the membership associated with the given elements for a set",
                "key member [member ...]",
            ),
        members::smismember,
    ),
    Entry::data(
        spec("scard", 2, READ.or(FAST)).keys(LOOK_INTO_ONE).complexity("O(1)").doc(
            "1.0.0",
            "Get the number of members in a set",
            "key",
        ),
        members::scard,
    ),
    Entry::data(
        spec("smembers", 2, READ)
            .keys(READ_ONE)
            .tips(ANY_ORDER)
            .complexity("O(N) where N is the set cardinality.")
            .doc("1.0.0", "Get all the members in a set", "key"),
        members::smembers,
    ),
    Entry::data(
        spec("smove", 4, WRITE.or(FAST))
            .keys(&[KeySpec::one(1, RW_ACCESS_DELETE), KeySpec::one(2, RW_INSERT)])
            .complexity("O(1)")
            .doc("1.0.0", "Move a member from one set to another", "source destination member"),
        members::smove,
    ),
    Entry::data(
        spec("spop", -2, WRITE.or(FAST))
            .keys(&[KeySpec::one(1, RW_ACCESS_DELETE)])
            .tips(ANY_OUTPUT)
            .complexity(
                "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
            )
            .doc("1.0.0", "Remove and return one or multiple random members from a set", "key [count]"),
        random::spop,
    ),
    Entry::data(
        spec("srandmember", -2, READ)
            .keys(READ_ONE)
            .tips(ANY_OUTPUT)
            .complexity(
                "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
            )
            .doc("1.0.0", "Get one or multiple random members from a set", "key [count]"),
        random::srandmember,
    ),
    Entry::data(
        spec("sinter", -2, READ).keys(READ_ALL).tips(ANY_ORDER).complexity(INTERSECTION_COST).doc(
            "1.0.0",
            "Intersect multiple sets",
            "key [key ...]",
        ),
        algebra::sinter,
    ),
    Entry::data(
        spec("sinterstore", -3, GROW)
            .keys(&[KeySpec::one(1, RW_UPDATE), KeySpec::rest(2, 1, RO_ACCESS)])
            .complexity(INTERSECTION_COST)
            .doc(
                "1.0.0",
                "Intersect multiple sets and store the resulting set in a key",
                "destination key [key ...]",
            ),
        algebra::sinterstore,
    ),
    Entry::data(
        spec("sintercard", -3, READ.or(Flags::MOVABLEKEYS))
            .keys(READ_COUNTED)
            .complexity(INTERSECTION_COST)
            .doc(
                "7.0.0",
                "Intersect multiple sets and return the cardinality of the result",
                "numkeys key [key ...] [LIMIT limit]",
            ),
        algebra::sintercard,
    ),
    Entry::data(
        spec("sunion", -2, READ).keys(READ_ALL).tips(ANY_ORDER).complexity(UNION_COST).doc(
            "1.0.0",
            "Add multiple sets",
            "key [key ...]",
        ),
        algebra::sunion,
    ),
    Entry::data(
        spec("sunionstore", -3, GROW).keys(STORE).complexity(UNION_COST).doc(
            "1.0.0",
            "Add multiple sets and store the resulting set in a key",
            "destination key [key ...]",
        ),
        algebra::sunionstore,
    ),
    Entry::data(
        spec("sunioncard", -3, READ.or(Flags::MOVABLEKEYS)).keys(READ_COUNTED).complexity(UNION_COST).doc(
            "8.10.0",
            "Add multiple sets and return the cardinality of the result",
            "numkeys key [key ...] [APPROX] [LIMIT limit]",
        ),
        algebra::sunioncard,
    ),
    Entry::data(
        spec("sdiff", -2, READ).keys(READ_ALL).tips(ANY_ORDER).complexity(UNION_COST).doc(
            "1.0.0",
            "Subtract multiple sets",
            "key [key ...]",
        ),
        algebra::sdiff,
    ),
    Entry::data(
        spec("sdiffstore", -3, GROW).keys(STORE).complexity(UNION_COST).doc(
            "1.0.0",
            "Subtract multiple sets and store the resulting set in a key",
            "destination key [key ...]",
        ),
        algebra::sdiffstore,
    ),
    Entry::data(
        spec("sdiffcard", -3, READ.or(Flags::MOVABLEKEYS)).keys(READ_COUNTED).complexity(UNION_COST).doc(
            "8.10.0",
            "Subtract multiple sets and return the cardinality of the result",
            "numkeys key [key ...] [LIMIT limit]",
        ),
        algebra::sdiffcard,
    ),
    Entry::data(
        spec("sscan", -3, READ)
            .keys(READ_ONE)
            .tips(ANY_OUTPUT)
            .complexity(
                "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor \
                 to return back to 0. N is the number of elements inside the collection..",
            )
            .doc("2.8.0", "Incrementally iterate Set elements", "key cursor [MATCH pattern] [COUNT count]"),
        members::sscan,
    ),
];
