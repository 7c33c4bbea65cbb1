//! COMMAND GETKEYS and COMMAND GETKEYSANDFLAGS: the keys of a command that is given but not run.

use super::info::key_flags;
use crate::base::argv::Args;
use crate::server::{CommandTable, Cx, Flow};
use crate::spec::{CommandError, Flags, KeyFlags, Spec};

/// The spec of the command or subcommand that `args` call.
fn find(table: &CommandTable, args: Args<'_>) -> Option<&'static Spec> {
    let mut index = table.find(args.at(0))?;
    if !table.at(index).subcommands.is_empty()
        && let Some(name) = args.get(1)
    {
        index = table.find_subcommand(index, name)?;
    }
    Some(&table.at(index).entry.spec)
}

/// The places of the keys in `args`, which is a whole command.
fn places(table: &CommandTable, args: Args<'_>) -> Result<Vec<(usize, KeyFlags)>, CommandError> {
    let spec = find(table, args).ok_or(CommandError::InvalidCommandName)?;
    if spec.keys.iter().all(|keys| keys.flags.has(KeyFlags::NOT_KEY)) {
        return Err(CommandError::NoKeyArguments);
    }
    if !spec.accepts(args.len()) {
        return Err(CommandError::CommandNumberOfArguments);
    }
    let places = spec.key_places(args).unwrap_or_default();
    if places.is_empty() && !spec.flags.has(Flags::NO_MANDATORY_KEYS) {
        return Err(CommandError::InvalidKeyArguments);
    }
    Ok(places)
}

pub(super) fn getkeys(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let asked = args.from(2);
    let places = places(&cx.server.commands, asked)?;
    cx.reply.array(places.len());
    places.iter().for_each(|(place, _)| cx.reply.bulk(asked.at(*place)));
    Ok(Flow::Done)
}

pub(super) fn getkeysandflags(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let asked = args.from(2);
    let places = places(&cx.server.commands, asked)?;
    cx.reply.array(places.len());
    for (place, flags) in places {
        cx.reply.array(2);
        cx.reply.bulk(asked.at(place));
        key_flags(flags, &mut cx.reply);
    }
    Ok(Flow::Done)
}
