//! The commands of the group stream.
//!
//! Producers' IDs (XADD IDMP, XCFGSET, XIDMPRECORD of Redis 8.6) are not there.
mod add;
mod claim;
mod delete;
mod group;
mod ids;
mod info;
mod options;
mod pending;
mod range;
mod read;
mod readgroup;
#[cfg(test)]
mod tests;
mod told;

use crate::server::Entry;
use crate::spec::{Begin, Find, Flags, Group, KeyFlags, KeySpec, Spec};

const READ: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const GROW: Flags = Flags::WRITE.or(Flags::DENYOOM);
const FAST: Flags = Flags::FAST;

const RO_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const RW_UPDATE: KeyFlags = KeyFlags::RW.or(KeyFlags::UPDATE);
const RW_DELETE: KeyFlags = KeyFlags::RW.or(KeyFlags::DELETE);
const RW_INSERT: KeyFlags = KeyFlags::RW.or(KeyFlags::INSERT);

const UPDATED: &[KeySpec] = &[KeySpec::one(1, RW_UPDATE)];
const DELETED: &[KeySpec] = &[KeySpec::one(1, RW_DELETE)];
const SEEN: &[KeySpec] = &[KeySpec::one(1, RO_ACCESS)];
/// The keys of subcommands.
const INSERTED_SECOND: &[KeySpec] = &[KeySpec::one(2, RW_INSERT)];
const DELETED_SECOND: &[KeySpec] = &[KeySpec::one(2, RW_DELETE)];
const UPDATED_SECOND: &[KeySpec] = &[KeySpec::one(2, RW_UPDATE)];
const SEEN_SECOND: &[KeySpec] = &[KeySpec::one(2, RO_ACCESS)];

/// The first half of what follows STREAMS.
const fn streams(from: i32) -> KeySpec {
    KeySpec {
        begin: Begin::Keyword { word: "STREAMS", from },
        find: Find::Range { last: -1, step: 1, limit: 2 },
        flags: RO_ACCESS,
    }
}

const VARIES: &[&str] = &["nondeterministic_output"];

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Stream, flags)
}

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        spec("xadd", -5, GROW.or(FAST))
            .keys(UPDATED)
            .key_notes(&["UPDATE instead of INSERT because of the optional trimming feature"])
            .tips(VARIES)
            .complexity(
                "O(1) when adding a new entry, O(N) when trimming where N being the number of entries \
                 evicted.",
            )
            .doc(
                "5.0.0",
                "Appends a new entry to a stream",
                "key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [<MAXLEN|MINID> [=|~] threshold [LIMIT count]] \
                 <*|id> field value [field value ...]",
            ),
        add::xadd,
    ),
    Entry::data(
        spec("xtrim", -4, WRITE)
            .keys(DELETED)
            .tips(VARIES)
            .complexity(
                "O(N), with N being the number of evicted entries. Constant times are very small however, \
                 since entries are organized in macro nodes containing multiple entries that can be \
                 released with a single deallocation.",
            )
            .doc(
                "5.0.0",
                "Trims the stream to (approximately if '~' is passed) a certain size",
                "key <MAXLEN|MINID> [=|~] threshold [LIMIT count] [KEEPREF|DELREF|ACKED]",
            ),
        add::xtrim,
    ),
    Entry::data(
        spec("xdel", -3, WRITE.or(FAST))
            .keys(DELETED)
            .complexity("O(1) for each single item to delete in the stream, regardless of the stream size.")
            .doc(
                "5.0.0",
                "Removes the specified entries from the stream. Returns the number of items actually \
                 deleted, that may be different from the number of IDs passed in case certain IDs do not \
                 exist.",
                "key id [id ...]",
            ),
        delete::xdel,
    ),
    Entry::data(
        spec("xdelex", -5, WRITE.or(FAST))
            .keys(DELETED)
            .complexity("O(1) for each single item to delete in the stream, regardless of the stream size.")
            .doc(
                "8.2.0",
                "Deletes one or multiple entries from the stream.",
                "key [KEEPREF|DELREF|ACKED] IDS numids id [id ...]",
            ),
        delete::xdelex,
    ),
    Entry::data(
        spec("xackdel", -6, WRITE.or(FAST))
            .keys(&[KeySpec::one(1, RW_UPDATE.or(KeyFlags::DELETE))])
            .complexity("O(1) for each entry ID processed.")
            .doc(
                "8.2.0",
                "Acknowledges and deletes one or multiple messages for a stream consumer group.",
                "key group [KEEPREF|DELREF|ACKED] IDS numids id [id ...]",
            ),
        delete::xackdel,
    ),
    Entry::data(
        spec("xlen", 2, READ.or(FAST)).keys(&[KeySpec::one(1, KeyFlags::RO)]).complexity("O(1)").doc(
            "5.0.0",
            "Return the number of entries in a stream",
            "key",
        ),
        range::xlen,
    ),
    Entry::data(
        spec("xrange", -4, READ)
            .keys(SEEN)
            .complexity(
                "O(N) with N being the number of elements being returned. If N is constant (e.g. always \
                 asking for the first 10 elements with COUNT), you can consider it O(1).",
            )
            .doc(
                "5.0.0",
                "Return a range of elements in a stream, with IDs matching the specified IDs interval",
                "key start end [COUNT count]",
            ),
        range::xrange,
    ),
    Entry::data(
        spec("xrevrange", -4, READ)
            .keys(SEEN)
            .complexity(
                "O(N) with N being the number of elements returned. If N is constant (e.g. always asking \
                 for the first 10 elements with COUNT), you can consider it O(1).",
            )
            .doc(
                "5.0.0",
                "Return a range of elements in a stream, with IDs matching the specified IDs interval, in \
                 reverse order (from greater to smaller IDs) compared to XRANGE",
                "key end start [COUNT count]",
            ),
        range::xrevrange,
    ),
    Entry::data(
        spec("xread", -4, READ.or(Flags::BLOCKING).or(Flags::MOVABLEKEYS))
            .keys(&[streams(1)])
            .complexity(
                "For each stream mentioned: O(N) with N being the number of elements being returned, it \
                 means that XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK option is used, \
                 XADD will pay O(M) time in order to serve the M clients blocked on the stream getting new \
                 data.",
            )
            .doc(
                "5.0.0",
                "Return never seen elements in multiple streams, with IDs greater than the ones reported \
                 by the caller for each stream. Can block.",
                "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
            ),
        read::xread,
    ),
    Entry::data(
        spec("xreadgroup", -7, WRITE.or(Flags::BLOCKING).or(Flags::MOVABLEKEYS))
            .keys(&[streams(4)])
            .complexity(
                "For each stream mentioned: O(M) with M being the number of elements returned. If M is \
                 constant (e.g. always asking for the first 10 elements with COUNT), you can consider it \
                 O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to \
                 serve the N clients blocked on the stream getting new data.",
            )
            .doc(
                "5.0.0",
                "Return new entries from a stream using a consumer group, or access the history of the \
                 pending entries for a given consumer. Can block.",
                "GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] [NOACK] \
                 STREAMS key [key ...] id [id ...]",
            ),
        read::xreadgroup,
    ),
    Entry::data(
        spec("xack", -4, WRITE.or(FAST)).keys(UPDATED).complexity("O(1) for each message ID processed.").doc(
            "5.0.0",
            "Marks a pending message as correctly processed, effectively removing it from the pending \
                 entries list of the consumer group. Return value of the command is the number of messages \
                 successfully acknowledged, that is, the IDs we were actually able to resolve in the PEL.",
            "key group id [id ...]",
        ),
        pending::xack,
    ),
    Entry::data(
        spec("xpending", -3, READ)
            .keys(SEEN)
            .tips(VARIES)
            .complexity(
                "O(N) with N being the number of elements returned, so asking for a small fixed number of \
                 entries per call is O(1). O(M), where M is the total number of entries scanned when used \
                 with the IDLE filter. When the command returns just the summary and the list of consumers \
                 is small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every \
                 consumer.",
            )
            .doc(
                "5.0.0",
                "Return information and entries from a stream consumer group pending entries list, that \
                 are messages fetched but never acknowledged.",
                "key group [[IDLE min-idle-time] start end count [consumer]]",
            ),
        pending::xpending,
    ),
    Entry::data(
        spec("xclaim", -6, WRITE.or(FAST))
            .keys(UPDATED)
            .tips(VARIES)
            .complexity("O(log N) with N being the number of messages in the PEL of the consumer group.")
            .doc(
                "5.0.0",
                "Changes (or acquires) ownership of a message in a consumer group, as if the message was \
                 delivered to the specified consumer.",
                "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] \
                 [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
            ),
        claim::xclaim,
    ),
    Entry::data(
        spec("xautoclaim", -6, WRITE.or(FAST))
            .keys(DELETED)
            .tips(VARIES)
            .complexity("O(1) if COUNT is small.")
            .doc(
                "6.2.0",
                "Changes (or acquires) ownership of messages in a consumer group, as if the messages were \
                 delivered to the specified consumer.",
                "key group consumer min-idle-time start [COUNT count] [JUSTID]",
            ),
        claim::xautoclaim,
    ),
    Entry::data(
        spec("xnack", -7, WRITE.or(FAST))
            .keys(UPDATED)
            .complexity("O(1) for each message ID processed.")
            .doc(
                "8.8.0",
                "Releases pending messages back to the group's PEL without acknowledging them, making them \
                 available for re-delivery.",
                "key group <SILENT|FAIL|FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE]",
            ),
        claim::xnack,
    ),
    Entry::data(
        spec("xsetid", -3, GROW.or(FAST)).keys(UPDATED).complexity("O(1)").doc(
            "5.0.0",
            "An internal command for replicating stream values",
            "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
        ),
        add::xsetid,
    ),
    XGROUP,
    XINFO,
];

const XGROUP: Entry = Entry::container(
    spec("xgroup", -2, Flags::NONE).contains().complexity("Depends on subcommand.").doc(
        "5.0.0",
        "A container for consumer groups commands",
        "",
    ),
    &[
        Entry::data(
            spec("xgroup|create", -5, GROW).keys(INSERTED_SECOND).complexity("O(1)").doc(
                "5.0.0",
                "Create a consumer group.",
                "key group <id|$> [MKSTREAM] [ENTRIESREAD entries-read]",
            ),
            group::create,
        ),
        Entry::data(
            spec("xgroup|createconsumer", 5, GROW).keys(INSERTED_SECOND).complexity("O(1)").doc(
                "6.2.0",
                "Create a consumer in a consumer group.",
                "key group consumer",
            ),
            group::createconsumer,
        ),
        Entry::data(
            spec("xgroup|delconsumer", 5, WRITE).keys(DELETED_SECOND).complexity("O(1)").doc(
                "5.0.0",
                "Delete a consumer from a consumer group.",
                "key group consumer",
            ),
            group::delconsumer,
        ),
        Entry::data(
            spec("xgroup|destroy", 4, WRITE)
                .keys(DELETED_SECOND)
                .complexity(
                    "O(N) where N is the number of entries in the group's pending entries list (PEL).",
                )
                .doc("5.0.0", "Destroy a consumer group.", "key group"),
            group::destroy,
        ),
        Entry::data(
            spec("xgroup|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "5.0.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            group::print_help,
        ),
        Entry::data(
            spec("xgroup|setid", -5, WRITE).keys(UPDATED_SECOND).complexity("O(1)").doc(
                "5.0.0",
                "Set a consumer group to an arbitrary last delivered ID value.",
                "key group <id|$> [ENTRIESREAD entries-read]",
            ),
            group::setid,
        ),
    ],
);

const XINFO: Entry = Entry::container(
    spec("xinfo", -2, Flags::NONE).contains().complexity("Depends on subcommand.").doc(
        "5.0.0",
        "A container for stream introspection commands",
        "",
    ),
    &[
        Entry::data(
            spec("xinfo|consumers", 4, READ).keys(SEEN_SECOND).tips(VARIES).complexity("O(1)").doc(
                "5.0.0",
                "List the consumers in a consumer group",
                "key group",
            ),
            info::consumers,
        ),
        Entry::data(
            spec("xinfo|groups", 3, READ).keys(SEEN_SECOND).complexity("O(1)").doc(
                "5.0.0",
                "List the consumer groups of a stream",
                "key",
            ),
            info::groups,
        ),
        Entry::data(
            spec("xinfo|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "5.0.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            info::print_help,
        ),
        Entry::data(
            spec("xinfo|stream", -3, READ).keys(SEEN_SECOND).complexity("O(1)").doc(
                "5.0.0",
                "Get information about a stream",
                "key [FULL [COUNT count]]",
            ),
            info::stream,
        ),
    ],
);
