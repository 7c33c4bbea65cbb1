//! DEBUG: switches, probes and crashes for tests and for those who look inside.
//!
//! Its subcommands have no specs of their own; they stand in one table here, from which HELP is derived. What other
//! servers offer and would do nothing here (the tuning of buffers that we do not have) is not in it.
mod crash;
mod digest;
mod object;
mod packed;
mod populate;
mod protocol;
mod scripts;
mod switches;
mod tables;
#[cfg(test)]
pub(super) mod tests;

use crate::base::argv::Args;
use crate::commands::help;
use crate::server::{Cx, Disturbs, Entry, Flow, ServerHandler};
use crate::spec::{Audience, CommandError, Flags, Group, Spec};
use std::ops::RangeInclusive;

const FLAGS: Flags =
    Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE).or(Flags::PROTECTED);

pub const COMMANDS: &[Entry] = &[Entry::server(
    Spec::new("debug", -2, Group::Server, FLAGS)
        .complexity("Depends on subcommand.")
        .audience(Audience::System)
        .doc("1.0.0", "A container for debugging commands", ""),
    debug,
)
.disturbing(Disturbs::LastSaveWith(&["reload", "populate"]))];

/// One subcommand.
struct Subcommand {
    name: &'static str,
    /// How many arguments may follow its name.
    arguments: RangeInclusive<usize>,
    run: ServerHandler,
    /// How it is called, then indented lines that say what it does.
    help: &'static [&'static str],
}

const fn subcommand(
    name: &'static str,
    arguments: RangeInclusive<usize>,
    run: ServerHandler,
    help: &'static [&'static str],
) -> Subcommand {
    Subcommand { name, arguments, run, help }
}

const SUBCOMMANDS: &[Subcommand] = &[
    subcommand("assert", 0..=0, crash::assert, &["ASSERT", "    Crash by a failed assertion."]),
    subcommand(
        "change-repl-id",
        0..=0,
        switches::change_repl_id,
        &["CHANGE-REPL-ID", "    Give the dataset's history another replication ID."],
    ),
    subcommand(
        "dict-resizing",
        1..=1,
        switches::dict_resizing,
        &[
            "DICT-RESIZING <0|1>",
            "    Setting it to 0 stops tables from growing and shrinking, unless they are",
            "    extremely full.",
        ],
    ),
    subcommand(
        "digest",
        0..=0,
        digest::digest,
        &["DIGEST", "    Return 40 hex digits that are equal for equal datasets."],
    ),
    subcommand(
        "digest-value",
        0..=usize::MAX,
        digest::digest_value,
        &["DIGEST-VALUE <key> [<key> ...]", "    Return such digits for the value of each key."],
    ),
    subcommand(
        "error",
        1..=1,
        switches::error,
        &["ERROR <string>", "    Return an error with <string> as its text, to test clients."],
    ),
    subcommand(
        "htstats",
        1..=2,
        tables::htstats,
        &[
            "HTSTATS <dbid> [full]",
            "    Return statistics of the tables of a database; with `full` how its",
            "    buckets are filled.",
        ],
    ),
    subcommand(
        "htstats-key",
        1..=2,
        tables::htstats_key,
        &["HTSTATS-KEY <key> [full]", "    Like HTSTATS, for the table stored at <key>."],
    ),
    subcommand(
        "listpack",
        1..=1,
        packed::listpack,
        &["LISTPACK <key>", "    Print the listpack at <key> on the server's standard output."],
    ),
    subcommand("log", 1..=1, switches::log, &["LOG <message>", "    Write <message> to the server's log."]),
    subcommand(
        "object",
        1..=1,
        object::object,
        &["OBJECT <key>", "    Show low level info about <key> and its value."],
    ),
    subcommand("panic", 0..=0, crash::panic, &["PANIC", "    Crash by aborting the process."]),
    subcommand(
        "pause-cron",
        1..=1,
        switches::pause_cron,
        &["PAUSE-CRON <0|1>", "    Setting it to 1 stops everything that happens by the clock."],
    ),
    subcommand(
        "populate",
        1..=3,
        populate::populate,
        &[
            "POPULATE <count> [<prefix>] [<size>]",
            "    Create <count> string keys named <prefix>:<num>; the prefix is `key` if",
            "    none is given. Keys that exist are left alone. Values have <size> bytes.",
            "    Nothing of it is propagated to replicas.",
        ],
    ),
    subcommand(
        "protocol",
        1..=1,
        protocol::protocol,
        &[
            "PROTOCOL <type>",
            "    Reply with a test value of the specified type. <type> can be: string,",
            "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
            "    true, false.",
        ],
    ),
    subcommand(
        "quicklist",
        1..=2,
        packed::quicklist,
        &[
            "QUICKLIST <key> [<0|1>]",
            "    Print the nodes of the large list at <key> on the server's standard output;",
            "    with 1 their entries, too.",
        ],
    ),
    subcommand(
        "quicklist-packed-threshold",
        1..=1,
        switches::quicklist_packed_threshold,
        &[
            "QUICKLIST-PACKED-THRESHOLD <size>",
            "    Give elements of large lists a node of their own from <size> on. 0 restores",
            "    the default: only those that are too large for any node have one.",
        ],
    ),
    subcommand(
        "reload",
        0..=usize::MAX,
        switches::reload,
        &[
            "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
            "    Save the dataset, then replace it by what the file holds.",
            "    * NOSAVE: load the file as it is.",
            "    * NOFLUSH: keep the keys that are there; one that the file holds, too, is",
            "      an error.",
            "    * MERGE: where a key is there twice, the file's value wins.",
        ],
    ),
    subcommand(
        "script",
        1..=1,
        scripts::script,
        &["SCRIPT <LIST|<sha>>", "    Write all cached scripts, or the one of this SHA-1, to the log."],
    ),
    subcommand("segfault", 0..=0, crash::segfault, &["SEGFAULT", "    Crash by SIGSEGV."]),
    subcommand(
        "set-active-expire",
        1..=1,
        switches::set_active_expire,
        &[
            "SET-ACTIVE-EXPIRE <0|1>",
            "    Setting it to 0 leaves expired keys alone until they are accessed.",
        ],
    ),
    subcommand(
        "set-skip-checksum-validation",
        1..=1,
        switches::set_skip_checksum_validation,
        &[
            "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
            "    Setting it to 1 accepts RDB files and payloads of RESTORE whatever their",
            "    checksum.",
        ],
    ),
    subcommand(
        "sleep",
        1..=1,
        switches::sleep,
        &["SLEEP <seconds>", "    Stop the server for <seconds>. Decimals allowed."],
    ),
    subcommand(
        "stringmatch-len",
        2..=2,
        switches::stringmatch_len,
        &["STRINGMATCH-LEN <pattern> <string>", "    Tell whether the glob pattern matches the string."],
    ),
];

fn debug(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let name = args.at(1);
    if args.len() == 2 && name.eq_ignore_ascii_case(b"help") {
        let lines: Vec<&str> = SUBCOMMANDS.iter().flat_map(|subcommand| subcommand.help).copied().collect();
        help::answer(&mut cx.reply, args.at(0), &lines);
        return Ok(Flow::Done);
    }
    let is_called = |subcommand: &&Subcommand| {
        name.eq_ignore_ascii_case(subcommand.name.as_bytes())
            && subcommand.arguments.contains(&(args.len() - 2))
    };
    match SUBCOMMANDS.iter().find(is_called) {
        Some(subcommand) => (subcommand.run)(cx, args),
        None => Err(CommandError::subcommand_arguments(name, args.at(0))),
    }
}
