//! SCRIPT: the scripts that are known by their SHA-1. EVAL and its kin, which run them, are in `exec`.

pub mod functions;

use super::help;
use crate::base::argv::Args;
use crate::keyspace::settings::Freeing;
use crate::script::cache::{Keep, digest_text, known};
use crate::script::scripts::Flushed;
use crate::script::{RunKind, Scripts};
use crate::server::{Cx, Entry, Flow};
use crate::spec::args::is_word;
use crate::spec::{CommandError, Flags, Group, Spec};

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Scripting, flags)
}

const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

pub const COMMANDS: &[Entry] = &[Entry::container(
    Spec::new("script", -2, Group::Scripting, Flags::NONE).contains().complexity("Depends on subcommand.").doc(
        "2.6.0",
        "A container for Lua scripts management commands",
        "",
    ),
    &[
        Entry::server(
            spec("script|debug", 3, Flags::NOSCRIPT).complexity("O(1)").doc(
                "3.2.0",
                "Set the debug mode for executed scripts.",
                "<YES|SYNC|NO>",
            ),
            debug,
        ),
        Entry::server(
            spec("script|exists", -3, Flags::NOSCRIPT)
                .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"])
                .complexity(
                    "O(N) with N being the number of scripts to check (so checking a single script is an O(1) \
                     operation).",
                )
                .doc("2.6.0", "Check existence of scripts in the script cache.", "sha1 [sha1 ...]"),
            exists,
        ),
        Entry::server(
            spec("script|flush", -2, Flags::NOSCRIPT)
                .tips(ALL_NODES)
                .complexity("O(N) with N being the number of scripts in cache")
                .doc("2.6.0", "Remove all the scripts from the script cache.", "[ASYNC|SYNC]"),
            flush,
        ),
        Entry::server(
            spec("script|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "5.0.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            script_help,
        ),
        Entry::server(
            spec("script|kill", 2, Flags::NOSCRIPT.or(Flags::ALLOW_BUSY))
                .tips(&["request_policy:all_shards", "response_policy:one_succeeded"])
                .complexity("O(1)")
                .doc("2.6.0", "Kill the script currently in execution.", ""),
            kill,
        ),
        Entry::server(
            spec("script|load", 3, Flags::NOSCRIPT.or(Flags::STALE))
                .tips(ALL_NODES)
                .complexity("O(N) with N being the length in bytes of the script body.")
                .doc("2.6.0", "Load the specified Lua script into the script cache.", "script"),
            load,
        ),
        Entry::server(
            spec("script|show", 3, Flags::NOSCRIPT.or(Flags::STALE)).complexity("O(1)").doc(
                "8.0.0",
                "Show server-side Lua script in the script cache.",
                "sha1",
            ),
            show,
        ),
    ],
)];

/// There is no debugger; who wants none gets it.
fn debug(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let mode = args.at(2);
    if is_word(mode, "YES") || is_word(mode, "SYNC") {
        return Err(CommandError::ScriptDebug);
    }
    if !is_word(mode, "NO") {
        return Err(CommandError::ScriptDebugOption);
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

fn exists(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let cache = &cx.server.scripts.cache;
    cx.reply.array(args.len() - 2);
    for sha1 in args.from(2).iter() {
        cx.reply.integer(known(cache, sha1).is_ok().into());
    }
    Ok(Flow::Done)
}

fn flush(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let freeing = match (args.len(), args.get(2)) {
        (2, _) => cx.server.keyspace.settings.free_flushed,
        (3, Some(word)) if is_word(word, "ASYNC") => Freeing::Lazy,
        (3, Some(word)) if is_word(word, "SYNC") => Freeing::Inline,
        _ => return Err(CommandError::ScriptFlushOption),
    };
    let flushed = Scripts::flush(&mut cx.server.scripts);
    free(cx, flushed, freeing);
    cx.reply.ok();
    Ok(Flow::Done)
}

/// What little there is goes at once: another thread would take as long to wake.
fn free(cx: &Cx<'_>, flushed: Flushed, freeing: Freeing) {
    const LAZY_BYTES_MIN: u64 = 256 << 10;
    let (scripts, bytes) = (flushed.scripts, flushed.bytes);
    match &cx.server.keyspace.bio {
        Some(bio) if freeing == Freeing::Lazy && bytes >= LAZY_BYTES_MIN => bio.free(scripts, bytes, flushed),
        _ => drop(flushed),
    }
}

fn kill(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.kill_script(RunKind::Script)?;
    cx.reply.ok();
    Ok(Flow::Done)
}

fn load(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let digest = cx.server.scripts.load(args.at(2), Keep::Always)?;
    cx.reply.bulk_text(&digest_text(&digest));
    Ok(Flow::Done)
}

fn show(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let cache = &cx.server.scripts.cache;
    let script = cache.get(&known(cache, args.at(2))?).ok_or(CommandError::NoScript)?;
    cx.reply.bulk(&script.body);
    Ok(Flow::Done)
}

fn script_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "DEBUG (YES|SYNC|NO)",
        "    Set the debug mode for subsequent scripts executed.",
        "EXISTS <sha1> [<sha1> ...]",
        "    Return information about the existence of the scripts in the script cache.",
        "FLUSH [ASYNC|SYNC]",
        "    Flush the Lua scripts cache. Very dangerous on replicas.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the scripts cache.",
        "    * SYNC: Synchronously flush the scripts cache.",
        "KILL",
        "    Kill the currently executing Lua script.",
        "LOAD <script>",
        "    Load a script into the scripts cache without executing it.",
        "SHOW <sha1>",
        "    Return the script of this SHA-1 as it was loaded.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests;
