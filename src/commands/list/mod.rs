//! The commands of the group list.
mod moves;
mod pop;
mod push;
mod read;
mod remove;
#[cfg(test)]
mod tests;

use crate::base::argv::Args;
use crate::encoding::quicklist::End;
use crate::keyspace::{Event, OnTimeout, Tx, Wait, WhenGone};
use crate::object::ValueType;
use crate::resp::Reply;
use crate::server::{Entry, Flow};
use crate::spec::args::is_word;
use crate::spec::{Begin, CommandError, Find, Flags, Group, KeyFlags, KeySpec, Spec};

const READ: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const GROW: Flags = Flags::WRITE.or(Flags::DENYOOM);
const FAST: Flags = Flags::FAST;
const BLOCKING: Flags = Flags::BLOCKING.or(Flags::NOSCRIPT);

const INSERTED: KeyFlags = KeyFlags::RW.or(KeyFlags::INSERT);
const DELETED: KeyFlags = KeyFlags::RW.or(KeyFlags::DELETE);
const POPPED: KeyFlags = DELETED.or(KeyFlags::ACCESS);

const READ_ONE: &[KeySpec] = &[KeySpec::one(1, KeyFlags::RO.or(KeyFlags::ACCESS))];
const INSERT_ONE: &[KeySpec] = &[KeySpec::one(1, INSERTED)];
const DELETE_ONE: &[KeySpec] = &[KeySpec::one(1, DELETED)];
const POP_ONE: &[KeySpec] = &[KeySpec::one(1, POPPED)];
const MOVE_TWO: &[KeySpec] = &[KeySpec::one(1, POPPED), KeySpec::one(2, INSERTED)];
/// All but the name and the timeout.
const POP_ALL: &[KeySpec] =
    &[KeySpec { begin: Begin::Index(1), find: Find::Range { last: -2, step: 1, limit: 0 }, flags: POPPED }];

const fn counted_keys(begin: usize) -> KeySpec {
    KeySpec {
        begin: Begin::Index(begin),
        find: Find::KeyCount { count: 0, first: 1, step: 1 },
        flags: POPPED,
    }
}

const PUSH_COMPLEXITY: &str = "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.";
const POP_COMPLEXITY: &str = "O(N) where N is the number of elements returned";

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::List, flags)
}

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("lpush", -3, GROW.or(FAST)).keys(INSERT_ONE).complexity(PUSH_COMPLEXITY).doc(
            "1.0.0",
            "Prepend one or multiple elements to a list",
            "key element [element ...]",
        ),
        push::lpush,
    ),
    Entry::data(
        spec("rpush", -3, GROW.or(FAST)).keys(INSERT_ONE).complexity(PUSH_COMPLEXITY).doc(
            "1.0.0",
            "Append one or multiple elements to a list",
            "key element [element ...]",
        ),
        push::rpush,
    ),
    Entry::data(
        spec("lpushx", -3, GROW.or(FAST)).keys(INSERT_ONE).complexity(PUSH_COMPLEXITY).doc(
            "2.2.0",
            "Prepend an element to a list, only if the list exists",
            "key element [element ...]",
        ),
        push::lpushx,
    ),
    Entry::data(
        spec("rpushx", -3, GROW.or(FAST)).keys(INSERT_ONE).complexity(PUSH_COMPLEXITY).doc(
            "2.2.0",
            "Append an element to a list, only if the list exists",
            "key element [element ...]",
        ),
        push::rpushx,
    ),
    Entry::data(
        spec("linsert", 5, GROW)
            .keys(INSERT_ONE)
            .complexity(
                "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).",
            )
            .doc(
                "2.2.0",
                "Insert an element before or after another element in a list",
                "key <BEFORE|AFTER> pivot element",
            ),
        push::linsert,
    ),
    Entry::data(
        spec("lset", 4, GROW)
            .keys(&[KeySpec::one(1, KeyFlags::RW.or(KeyFlags::UPDATE))])
            .complexity(
                "O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).",
            )
            .doc("1.0.0", "Set the value of an element in a list by its index", "key index element"),
        push::lset,
    ),
    Entry::data(
        spec("lpop", -2, WRITE.or(FAST)).keys(POP_ONE).complexity(POP_COMPLEXITY).doc(
            "1.0.0",
            "Remove and get the first elements in a list",
            "key [count]",
        ),
        pop::lpop,
    ),
    Entry::data(
        spec("rpop", -2, WRITE.or(FAST)).keys(POP_ONE).complexity(POP_COMPLEXITY).doc(
            "1.0.0",
            "Remove and get the last elements in a list",
            "key [count]",
        ),
        pop::rpop,
    ),
    Entry::data(
        spec("lmpop", -4, WRITE.or(Flags::MOVABLEKEYS))
            .keys(&[counted_keys(1)])
            .complexity(
                "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
            )
            .doc("7.0.0", "Pop elements from a list", "numkeys key [key ...] <LEFT|RIGHT> [COUNT count]"),
        pop::lmpop,
    ),
    Entry::data(
        spec("blpop", -3, WRITE.or(BLOCKING))
            .keys(POP_ALL)
            .complexity("O(N) where N is the number of provided keys.")
            .doc(
                "2.0.0",
                "Remove and get the first element in a list, or block until one is available",
                "key [key ...] timeout",
            ),
        pop::blpop,
    ),
    Entry::data(
        spec("brpop", -3, WRITE.or(BLOCKING))
            .keys(POP_ALL)
            .complexity("O(N) where N is the number of provided keys.")
            .doc(
                "2.0.0",
                "Remove and get the last element in a list, or block until one is available",
                "key [key ...] timeout",
            ),
        pop::brpop,
    ),
    Entry::data(
        spec("blmpop", -5, WRITE.or(Flags::BLOCKING).or(Flags::MOVABLEKEYS))
            .keys(&[counted_keys(2)])
            .complexity(
                "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
            )
            .doc(
                "7.0.0",
                "Pop elements from a list, or block until one is available",
                "timeout numkeys key [key ...] <LEFT|RIGHT> [COUNT count]",
            ),
        pop::blmpop,
    ),
    Entry::data(
        spec("lmove", 5, GROW).keys(MOVE_TWO).complexity("O(1)").doc(
            "6.2.0",
            "Pop an element from a list, push it to another list and return it",
            "source destination <LEFT|RIGHT> <LEFT|RIGHT>",
        ),
        moves::lmove,
    ),
    Entry::data(
        spec("rpoplpush", 3, GROW)
            .keys(MOVE_TWO)
            .complexity("O(1)")
            .deprecated("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")
            .doc(
                "1.2.0",
                "Remove the last element in a list, prepend it to another list and return it",
                "source destination",
            ),
        moves::rpoplpush,
    ),
    Entry::data(
        spec("blmove", 6, GROW.or(BLOCKING)).keys(MOVE_TWO).complexity("O(1)").doc(
            "6.2.0",
            "Pop an element from a list, push it to another list and return it; or block until one is available",
            "source destination <LEFT|RIGHT> <LEFT|RIGHT> timeout",
        ),
        moves::blmove,
    ),
    Entry::data(
        spec("brpoplpush", 4, GROW.or(BLOCKING))
            .keys(MOVE_TWO)
            .complexity("O(1)")
            .deprecated("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")
            .doc(
                "2.2.0",
                "Pop an element from a list, push it to another list and return it; or block until one is available",
                "source destination timeout",
            ),
        moves::brpoplpush,
    ),
    Entry::data(
        spec("llen", 2, READ.or(FAST)).keys(&[KeySpec::one(1, KeyFlags::RO)]).complexity("O(1)").doc(
            "1.0.0",
            "Get the length of a list",
            "key",
        ),
        read::llen,
    ),
    Entry::data(
        spec("lindex", 3, READ)
            .keys(READ_ONE)
            .complexity(
                "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).",
            )
            .doc("1.0.0", "Get an element from a list by its index", "key index"),
        read::lindex,
    ),
    Entry::data(
        spec("lrange", 4, READ)
            .keys(READ_ONE)
            .complexity(
                "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.",
            )
            .doc("1.0.0", "Get a range of elements from a list", "key start stop"),
        read::lrange,
    ),
    Entry::data(
        spec("lpos", -3, READ)
            .keys(READ_ONE)
            .complexity(
                "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.",
            )
            .doc(
                "6.0.6",
                "Return the index of matching elements on a list",
                "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
            ),
        read::lpos,
    ),
    Entry::data(
        spec("ltrim", 4, WRITE)
            .keys(DELETE_ONE)
            .complexity("O(N) where N is the number of elements to be removed by the operation.")
            .doc("1.0.0", "Trim a list to the specified range", "key start stop"),
        remove::ltrim,
    ),
    Entry::data(
        spec("lrem", 4, WRITE)
            .keys(DELETE_ONE)
            .complexity("O(N+M) where N is the length of the list and M is the number of elements removed.")
            .doc("1.0.0", "Remove elements from a list", "key count element"),
        remove::lrem,
    ),
];

/// LEFT or RIGHT.
fn end_of(argument: &[u8]) -> Result<End, CommandError> {
    if is_word(argument, "LEFT") {
        Ok(End::Head)
    } else if is_word(argument, "RIGHT") {
        Ok(End::Tail)
    } else {
        Err(CommandError::Syntax)
    }
}

const fn word_of(end: End) -> &'static [u8] {
    match end {
        End::Head => b"LEFT",
        End::Tail => b"RIGHT",
    }
}

const fn push_event(end: End) -> Event {
    match end {
        End::Head => Event::Lpush,
        End::Tail => Event::Rpush,
    }
}

const fn pop_event(end: End) -> Event {
    match end {
        End::Head => Event::Lpop,
        End::Tail => Event::Rpop,
    }
}

/// The elements `first..first + count` of a list of `len` that the inclusive range of a client means.
fn range_of((start, stop): (i64, i64), len: usize) -> (usize, usize) {
    let len = len as i64;
    let from_front = |index: i64| if index < 0 { index.saturating_add(len).max(0) } else { index };
    let first = from_front(start);
    let stop = if stop < 0 { stop.saturating_add(len) } else { stop.min(len - 1) };
    if first > stop || first >= len { (0, 0) } else { (first as usize, (stop - first + 1) as usize) }
}

/// What a command answers that finds nothing and may not wait.
#[derive(Clone, Copy)]
enum NoWait {
    Null,
    NullArray,
}

/// Waits for one of `keys` to hold a list. When the time is over, Redis answers a null array, even to a command whose
/// answer is no array.
fn wait_for(
    tx: &mut Tx<'_>,
    keys: Args<'_>,
    (deadline_ms, no_wait): (Option<i64>, NoWait),
    reply: &mut Reply<'_>,
) -> Flow {
    if !tx.may_wait() {
        match no_wait {
            NoWait::Null => reply.null(),
            NoWait::NullArray => reply.null_array(),
        }
        return Flow::Done;
    }
    tx.wait(Wait {
        keys: keys.iter().map(Box::from).collect(),
        for_type: ValueType::List,
        deadline_ms,
        on_timeout: OnTimeout::NullArray,
        when_gone: WhenGone::Waits,
        retry: None,
    });
    Flow::Block
}
