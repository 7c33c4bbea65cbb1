//! COMMAND: what the command table knows of itself.
mod docs;
mod info;
mod keys;
mod list;
#[cfg(test)]
mod tests;

use crate::base::argv::Args;
use crate::commands::help;
use crate::server::{Cx, Entry, Flow};
use crate::spec::{Categories, CommandError, Flags, Group, Spec};

const ALL_COMMANDS: &str = "O(N) where N is the total number of Redis commands";
const LOOKED_UP: &str = "O(N) where N is the number of commands to look up";
const ITS_ARGUMENTS: &str = "O(N) where N is the number of arguments to the command";

const fn spec(name: &'static str, arity: i32, complexity: &'static str) -> Spec {
    Spec::new(name, arity, Group::Server, Flags::LOADING.or(Flags::STALE).or(Flags::SENTINEL))
        .category(Categories::CONNECTION)
        .complexity(complexity)
}

pub const COMMANDS: &[Entry] = &[Entry::server(
    spec("command", -1, ALL_COMMANDS).tips(&["nondeterministic_output_order"]).doc(
        "2.8.13",
        "Get array of Redis command details",
        "",
    ),
    info::command,
)
.with(&[
    Entry::server(
        spec("command|count", 2, "O(1)").doc("2.8.13", "Get total number of Redis commands", ""),
        list::count,
    ),
    Entry::server(
        spec("command|info", -2, LOOKED_UP).tips(&["nondeterministic_output_order"]).doc(
            "2.8.13",
            "Get array of specific Redis command details, or all when no argument is given.",
            "[command-name [command-name ...]]",
        ),
        info::info,
    ),
    Entry::server(
        spec("command|list", -2, ALL_COMMANDS).tips(&["nondeterministic_output_order"]).doc(
            "7.0.0",
            "Get an array of Redis command names",
            "[FILTERBY <MODULE module-name|ACLCAT category|PATTERN pattern>]",
        ),
        list::list,
    ),
    Entry::server(
        spec("command|docs", -2, LOOKED_UP).tips(&["nondeterministic_output_order"]).doc(
            "7.0.0",
            "Get array of specific Redis command documentation",
            "[command-name [command-name ...]]",
        ),
        docs::docs,
    ),
    Entry::server(
        spec("command|getkeys", -4, ITS_ARGUMENTS).doc(
            "2.8.13",
            "Extract keys given a full Redis command",
            "",
        ),
        keys::getkeys,
    ),
    Entry::server(
        spec("command|getkeysandflags", -4, ITS_ARGUMENTS).doc(
            "7.0.0",
            "Extract keys and access flags given a full Redis command",
            "",
        ),
        keys::getkeysandflags,
    ),
    Entry::server(
        spec("command|help", 2, "O(1)").doc("5.0.0", "Show helpful text about the different subcommands", ""),
        command_help,
    ),
])];

fn command_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "(no subcommand)",
        "    Return details about all Redis commands.",
        "COUNT",
        "    Return the total number of commands in this Redis server.",
        "LIST",
        "    Return a list of all commands in this Redis server.",
        "INFO [<command-name> ...]",
        "    Return details about multiple Redis commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
        "DOCS [<command-name> ...]",
        "    Return documentation details about multiple Redis commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
        "GETKEYS <full-command>",
        "    Return the keys from a full Redis command.",
        "GETKEYSANDFLAGS <full-command>",
        "    Return the keys and the access flags from a full Redis command.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}
