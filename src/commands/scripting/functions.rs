//! FUNCTION: libraries of functions are loaded, listed, dumped, restored and deleted. FCALL calls them (`exec`).

use crate::base::argv::Args;
use crate::base::glob::{self, Case};
use crate::commands::help;
use crate::keyspace::settings::Freeing;
use crate::rdb::{self, Checksum, Compression};
use crate::resp::Reply;
use crate::script::functions::{Existing, Flushed, Function, Libraries, Library, Patience};
use crate::script::{RunKind, ScriptFlags};
use crate::server::suspended::RunningScript;
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::{Options, is_word};
use crate::spec::{CommandError, Flags, Group, Spec};

const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];
const WRITES: Flags = Flags::NOSCRIPT.or(Flags::WRITE);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Scripting, flags)
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    spec("function", -2, Flags::NONE).contains().complexity("Depends on subcommand.").doc(
        "7.0.0",
        "A container for function commands",
        "",
    ),
    &[
        Entry::server(
            spec("function|delete", 3, WRITES).tips(ALL_SHARDS).complexity("O(1)").doc(
                "7.0.0",
                "Delete a function by name",
                "library-name",
            ),
            delete,
        ),
        Entry::server(
            spec("function|dump", 2, Flags::NOSCRIPT)
                .complexity("O(N) where N is the number of functions")
                .doc("7.0.0", "Dump all functions into a serialized binary payload", ""),
            dump,
        ),
        Entry::server(
            spec("function|flush", -2, WRITES)
                .tips(ALL_SHARDS)
                .complexity("O(N) where N is the number of functions deleted")
                .doc("7.0.0", "Deleting all functions", "[ASYNC|SYNC]"),
            flush,
        ),
        Entry::server(
            spec("function|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "7.0.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            function_help,
        ),
        Entry::server(
            spec("function|kill", 2, Flags::NOSCRIPT.or(Flags::ALLOW_BUSY))
                .tips(&["request_policy:all_shards", "response_policy:one_succeeded"])
                .complexity("O(1)")
                .doc("7.0.0", "Kill the function currently in execution.", ""),
            kill,
        ),
        Entry::server(
            spec("function|list", -2, Flags::NOSCRIPT)
                .tips(&["nondeterministic_output_order"])
                .complexity("O(N) where N is the number of functions")
                .doc(
                    "7.0.0",
                    "List information about all the functions",
                    "[LIBRARYNAME library-name-pattern] [WITHCODE]",
                ),
            list,
        ),
        Entry::server(
            spec("function|load", -3, WRITES.or(Flags::DENYOOM))
                .tips(ALL_SHARDS)
                .complexity("O(1) (considering compilation time is redundant)")
                .doc(
                    "7.0.0",
                    "Create a function with the given arguments (name, code, description)",
                    "[REPLACE] function-code",
                ),
            load,
        ),
        Entry::server(
            spec("function|restore", -3, WRITES.or(Flags::DENYOOM))
                .tips(ALL_SHARDS)
                .complexity("O(N) where N is the number of functions on the payload")
                .doc(
                    "7.0.0",
                    "Restore all the functions on the given payload",
                    "serialized-value [FLUSH|APPEND|REPLACE]",
                ),
            restore,
        ),
        Entry::server(
            spec("function|stats", 2, Flags::NOSCRIPT.or(Flags::ALLOW_BUSY))
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
                .complexity("O(1)")
                .doc(
                    "7.0.0",
                    "Return information about the function currently running (name, description, duration)",
                    "",
                ),
            stats,
        ),
    ],
)];

fn load(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let code = args.at(args.len() - 1);
    let mut existing = Existing::Refuse;
    for option in args.from(2).until(args.len() - 3).iter() {
        if !is_word(option, "REPLACE") {
            return Err(CommandError::quoting("ERR Unknown option given: ", option, ""));
        }
        existing = Existing::Replace;
    }
    let patience = Patience::with_client(&cx.server.clock);
    let name = cx.server.scripts.libraries.load(code, existing, &patience)?;
    cx.server.ledger.counted(1);
    cx.reply.bulk(&name);
    Ok(Flow::Done)
}

fn delete(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    if !cx.server.scripts.libraries.delete(args.at(2)) {
        return Err(CommandError::LibraryUnknown);
    }
    cx.server.ledger.counted(1);
    cx.reply.ok();
    Ok(Flow::Done)
}

fn flush(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let freeing = match (args.len(), args.get(2)) {
        (2, _) => cx.server.keyspace.settings.free_flushed,
        (3, Some(word)) if is_word(word, "ASYNC") => Freeing::Lazy,
        (3, Some(word)) if is_word(word, "SYNC") => Freeing::Inline,
        (3, _) => return Err(CommandError::FunctionFlushOption),
        _ => return Err(CommandError::subcommand_arguments(args.at(1), args.at(0))),
    };
    let flushed = cx.server.scripts.libraries.flush();
    free(cx, flushed, freeing);
    cx.server.ledger.counted(1);
    cx.reply.ok();
    Ok(Flow::Done)
}

/// What little there is goes at once, as for SCRIPT FLUSH.
fn free(cx: &Cx<'_>, flushed: Flushed, freeing: Freeing) {
    const LAZY_BYTES_MIN: u64 = 256 << 10;
    let (libraries, bytes) = (flushed.libraries, flushed.bytes);
    match &cx.server.keyspace.bio {
        Some(bio) if freeing == Freeing::Lazy && bytes >= LAZY_BYTES_MIN => {
            bio.free(libraries, bytes, flushed)
        }
        _ => drop(flushed),
    }
}

fn dump(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let compression = if cx.server.config.rdbcompression { Compression::Lzf } else { Compression::Off };
    let payload = rdb::dump_functions(&cx.server.scripts.libraries.codes(), compression);
    cx.reply.bulk(&payload);
    Ok(Flow::Done)
}

/// What becomes of the libraries that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    Flush,
    Append,
    Replace,
}

fn restore(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let policy = match (args.len(), args.get(3)) {
        (3, _) => Policy::Append,
        (4, Some(word)) if is_word(word, "APPEND") => Policy::Append,
        (4, Some(word)) if is_word(word, "REPLACE") => Policy::Replace,
        (4, Some(word)) if is_word(word, "FLUSH") => Policy::Flush,
        (4, _) => return Err(CommandError::FunctionRestorePolicy),
        _ => return Err(CommandError::subcommand_arguments(args.at(1), args.at(0))),
    };
    let checksum = if cx.server.debug.skip_checksum_validation { Checksum::Off } else { Checksum::On };
    let codes = rdb::restore_functions(args.at(2), checksum)
        .map_err(|error| CommandError::text(format!("ERR {error}")))?;
    let codes = codes.iter().map(Vec::as_slice);
    let patience = Patience::with_client(&cx.server.clock);
    let libraries = &mut cx.server.scripts.libraries;
    match policy {
        Policy::Append => libraries.add(codes, Existing::Refuse, &patience)?,
        Policy::Replace => libraries.add(codes, Existing::Replace, &patience)?,
        Policy::Flush => {
            let fresh = Libraries::of_codes(codes, &patience)?;
            let old = libraries.replace(fresh);
            let freeing = cx.server.keyspace.settings.free_flushed;
            free(cx, old, freeing);
        }
    }
    cx.server.ledger.counted(1);
    cx.reply.ok();
    Ok(Flow::Done)
}

/// What FUNCTION LIST shows.
#[derive(Default)]
struct Wanted<'a> {
    pattern: Option<&'a [u8]>,
    with_code: Option<()>,
}

fn wanted(args: Args<'_>) -> Result<Wanted<'_>, CommandError> {
    let mut wanted = Wanted::default();
    let mut options = Options::new(args, 2);
    while let Some(option) = options.next_argument() {
        if wanted.with_code.is_none() && is_word(option, "WITHCODE") {
            wanted.with_code = Some(());
        } else if wanted.pattern.is_none() && is_word(option, "LIBRARYNAME") {
            wanted.pattern = Some(options.next_argument().ok_or(CommandError::LibraryPatternMissing)?);
        } else {
            return Err(CommandError::quoting("ERR Unknown argument ", option, ""));
        }
    }
    Ok(wanted)
}

fn list(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let Wanted { pattern, with_code } = wanted(args)?;
    let is_wanted = |library: &&Library| {
        pattern.is_none_or(|pattern| glob::matches(pattern, &library.name, Case::Insensitive))
    };
    let shown: Vec<&Library> = cx.server.scripts.libraries.iter().filter(is_wanted).collect();
    let reply = &mut cx.reply;
    reply.array(shown.len());
    for library in shown {
        reply.map(if with_code.is_some() { 4 } else { 3 });
        reply.bulk_text("library_name");
        reply.bulk(&library.name);
        reply.bulk_text("engine");
        reply.bulk_text("LUA");
        reply.bulk_text("functions");
        reply.array(library.functions.len());
        library.functions.iter().for_each(|function| show(function, reply));
        if with_code.is_some() {
            reply.bulk_text("library_code");
            reply.bulk(&library.code);
        }
    }
    Ok(Flow::Done)
}

fn show(function: &Function, reply: &mut Reply<'_>) {
    reply.map(3);
    reply.bulk_text("name");
    reply.bulk(&function.name);
    reply.bulk_text("description");
    match &function.description {
        Some(text) => reply.bulk(text),
        None => reply.null(),
    }
    reply.bulk_text("flags");
    let flags = || ScriptFlags::NAMES.iter().filter(|(flag, _)| function.flags.has(*flag));
    reply.set(flags().count());
    flags().for_each(|(_, name)| reply.simple(name));
}

fn stats(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let running = cx.server.running_script();
    if running.as_ref().is_some_and(|running| running.kind == RunKind::Script) {
        return Err(CommandError::BusyScript);
    }
    let libraries = &cx.server.scripts.libraries;
    let (count, functions) = (libraries.len(), libraries.functions());
    let reply = &mut cx.reply;
    reply.map(2);
    reply.bulk_text("running_script");
    match running {
        Some(running) => show_running(&running, reply),
        None => reply.null(),
    }
    reply.bulk_text("engines");
    reply.map(1);
    reply.bulk_text("LUA");
    reply.map(2);
    reply.bulk_text("libraries_count");
    reply.count(count);
    reply.bulk_text("functions_count");
    reply.count(functions);
    Ok(Flow::Done)
}

fn show_running(running: &RunningScript<'_>, reply: &mut Reply<'_>) {
    reply.map(3);
    reply.bulk_text("name");
    reply.bulk(&running.name);
    reply.bulk_text("command");
    reply.array(running.args.len());
    running.args.iter().for_each(|word| reply.bulk(word));
    reply.bulk_text("duration_ms");
    reply.integer(running.duration_ms.cast_signed());
}

/// A function that runs for long lets FUNCTION KILL in between its slices.
fn kill(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.kill_script(RunKind::Function)?;
    cx.reply.ok();
    Ok(Flow::Done)
}

fn function_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "LOAD [REPLACE] <FUNCTION CODE>",
        "    Create a library with the functions that the code registers; its first line has the name.",
        "DELETE <LIBRARY NAME>",
        "    Delete the library with all its functions.",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    Tell of each library, or of those whose names match the pattern:",
        "    * its name",
        "    * the engine that runs it",
        "    * its functions, with their descriptions and flags",
        "    * its code (if WITHCODE is given)",
        "STATS",
        "    Tell which function runs now, by what command and for how many milliseconds; and how many libraries and",
        "    functions each engine has.",
        "KILL",
        "    End the function that runs now, unless it has written already.",
        "FLUSH [ASYNC|SYNC]",
        "    Delete all libraries. Without the word lazyfree-lazy-user-flush decides:",
        "    * ASYNC: what they took is freed later, by another thread.",
        "    * SYNC: it is freed at once.",
        "DUMP",
        "    Answer a payload with all libraries, for FUNCTION RESTORE.",
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        "    Create the libraries of a payload, all or none of them (APPEND, if nothing is said):",
        "    * FLUSH: the libraries that are there are deleted.",
        "    * APPEND: they stay; one of the same name is an error.",
        "    * REPLACE: they stay, but for those of the same names. A function that another library has is an error.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests {
    use crate::base::argv::Argv;
    use crate::commands::testing::Fixture;

    const CODE: &[u8] =
        b"#!lua name=l\nredis.register_function('f', function(k) return redis.call('set', k[1], 1) end)";

    #[test]
    fn changes_are_propagated_as_they_were_given() {
        let mut fixture = Fixture::new();
        let load = |fixture: &mut Fixture| {
            fixture.run_args(Argv::from_iter([&b"FUNCTION"[..], b"LOAD", b"REPLACE", CODE]))
        };
        let line = [&b"FUNCTION LOAD REPLACE "[..], CODE].concat();
        assert_eq!(load(&mut fixture), "$1\r\nl\r\n");
        assert_eq!(fixture.take_propagated(), [String::from_utf8(line).unwrap()]);
        fixture.check("FUNCTION LOAD x", "-ERR Missing library metadata\r\n");
        fixture.check("FUNCTION DELETE x", "-ERR Library not found\r\n");
        assert!(fixture.take_propagated().is_empty());
        fixture.check("FCALL f 1 key", "+OK\r\n");
        assert_eq!(fixture.take_propagated(), ["set key 1"]);
        fixture.check("FUNCTION DELETE l", "+OK\r\n");
        fixture.check("FUNCTION FLUSH", "+OK\r\n");
        assert_eq!(fixture.take_propagated(), ["FUNCTION DELETE l", "FUNCTION FLUSH"]);
        assert_eq!(fixture.server.snapshots.dirty, 4);
    }
}
