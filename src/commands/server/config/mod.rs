//! CONFIG: the directives of the running server.
//!
//! What a directive is (name, bounds, text) is the table's in room `config`; what must happen when one changes is the
//! table's in `apply`.

mod apply;
mod rewrite;

use crate::acl::User;
use crate::base::argv::Args;
use crate::base::quote::quote;
use crate::commands::help;
use crate::config::{self, Change, LoadState, Protected, SetContext, SetError};
use crate::server::{Cx, Disturbs, Entry, Flow, Server};
use crate::spec::{CommandError, Flags, Group, Spec};

const FLAGS: Flags = Flags::ADMIN.or(Flags::NOSCRIPT).or(Flags::LOADING).or(Flags::STALE);

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Server, flags)
}

pub const COMMANDS: &[Entry] = &[Entry::container(
    spec("config", -2, Flags::NONE).complexity("Depends on subcommand.").doc(
        "2.0.0",
        "A container for server configuration commands",
        "",
    ),
    &[
        Entry::server(
            spec("config|get", -3, FLAGS)
                .complexity("O(N) when N is the number of configuration parameters provided")
                .doc("2.0.0", "Get the values of configuration parameters", "parameter [parameter ...]"),
            get,
        ),
        Entry::server(
            spec("config|help", 2, Flags::LOADING.or(Flags::STALE)).complexity("O(1)").doc(
                "5.0.0",
                "Show helpful text about the different subcommands",
                "",
            ),
            config_help,
        ),
        Entry::server(
            spec("config|resetstat", 2, FLAGS).complexity("O(1)").doc(
                "2.0.0",
                "Reset the stats returned by INFO",
                "",
            ),
            resetstat,
        ),
        Entry::server(
            spec("config|rewrite", 2, FLAGS).complexity("O(1)").doc(
                "2.8.0",
                "Rewrite the configuration file with the in memory configuration",
                "",
            ),
            rewrite,
        ),
        Entry::server(
            spec("config|set", -4, FLAGS)
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
                .complexity("O(N) when N is the number of configuration parameters provided")
                .doc(
                    "2.0.0",
                    "Set configuration parameters to the given values",
                    "parameter value [parameter value ...]",
                ),
            set,
        )
        .disturbing(Disturbs::LastSave),
    ],
)];

fn get(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let patterns: Vec<&[u8]> = args.iter().skip(2).collect();
    let found = config::get(&cx.server.config, &patterns);
    cx.reply.map(found.len());
    for (name, value) in found {
        cx.reply.bulk_text(&name);
        cx.reply.bulk(&value);
    }
    Ok(Flow::Done)
}

fn set(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let words: Vec<&[u8]> = args.iter().skip(2).collect();
    if !words.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    let changes: Vec<Change<'_>> = words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    let context = set_context(cx);
    let mut config = cx.server.config.clone();
    let named = config::set(&mut config, &changes, context).map_err(refusal)?;
    apply::put_in_force(cx.server, config, &named).map_err(refusal)?;
    cx.reply.ok();
    Ok(Flow::Done)
}

fn refusal(error: SetError) -> CommandError {
    match error {
        SetError::UnknownName(name) => CommandError::quoting(SetError::UNKNOWN_NAME, &name, "'"),
        SetError::Failed { .. } | SetError::Loading => CommandError::text(error.to_string()),
    }
}

fn set_context(cx: &mut Cx<'_>) -> SetContext {
    let is_local = cx.client().origin.is_local;
    let allowed = cx.server.config.enable_protected_configs.allows(is_local);
    SetContext {
        protected: if allowed { Protected::Allowed } else { Protected::Denied },
        load_state: if cx.server.loading.is_some() { LoadState::Loading } else { LoadState::Serving },
    }
}

fn rewrite(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let Some(path) = &cx.server.identity.config_file else { return Err(CommandError::NoConfigFile) };
    match rewrite::rewrite(path, &cx.server.config, &user_lines(cx.server)) {
        Ok(()) => tracing::warn!("CONFIG REWRITE executed with success."),
        Err(error) => {
            tracing::warn!("CONFIG REWRITE failed: {error}");
            return Err(CommandError::text(format!("ERR Rewriting config file: {error}")));
        }
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

/// The users as lines of the file; none when they have a file of their own.
fn user_lines(server: &Server) -> Vec<Vec<u8>> {
    if !server.config.aclfile.is_empty() {
        return Vec::new();
    }
    let line = |user: &User| {
        let mut words = vec![b"user".to_vec(), quoted(&user.name)];
        words.extend(user.words(&server.acl.catalog).iter().flat_map(|rule| {
            // The words of a selector stand by themselves, too: they are joined again when the line is read.
            rule.split(|byte| *byte == b' ').map(quoted).collect::<Vec<_>>()
        }));
        words.join(&b' ')
    };
    server.acl.users.iter().map(line).collect()
}

/// A word as a line of the file must have it.
fn quoted(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| (0x21..=0x7e).contains(byte) && !b"\"'".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) { word.to_vec() } else { quote(word).into_bytes() }
}

fn resetstat(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let server = &mut *cx.server;
    server.stats.reset();
    server.rates.reset();
    server.errors.reset();
    server.command_logs.slow.reset_counters();
    server.keyspace.counters = Default::default();
    server.commands.iter_mut().for_each(|command| command.stats.reset());
    if let Some(bio) = &server.keyspace.bio {
        bio.reset_freed_objects();
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

fn config_help(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const LINES: &[&str] = &[
        "GET <pattern>",
        "    Return parameters matching the glob-like <pattern> and their values.",
        "SET <directive> <value>",
        "    Set the configuration <directive> to <value>.",
        "RESETSTAT",
        "    Reset statistics reported by the INFO command.",
        "REWRITE",
        "    Rewrite the configuration file.",
    ];
    help::answer(&mut cx.reply, args.at(0), LINES);
    Ok(Flow::Done)
}

#[cfg(test)]
mod tests;
