//! COMMAND COUNT and COMMAND LIST.

use crate::base::argv::Args;
use crate::base::glob::{self, Case};
use crate::server::{Command, Cx, Flow};
use crate::spec::args::is_word;
use crate::spec::{Categories, CommandError};

pub(super) fn count(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.count(cx.server.commands.top_level().count());
    Ok(Flow::Done)
}

enum Filter<'a> {
    All,
    /// Commands of a module, of which there are none.
    Module,
    /// A category; an unknown one has no commands.
    Category(Option<Categories>),
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    fn takes(&self, command: &Command) -> bool {
        let spec = &command.entry.spec;
        match self {
            Filter::All => true,
            Filter::Module => false,
            Filter::Category(category) => category.is_some_and(|category| spec.categories.has(category)),
            Filter::Pattern(pattern) => glob::matches(pattern, spec.name.as_bytes(), Case::Insensitive),
        }
    }
}

fn parse(args: Args<'_>) -> Result<Filter<'_>, CommandError> {
    if args.len() == 2 {
        return Ok(Filter::All);
    }
    if args.len() != 5 || !is_word(args.at(2), "FILTERBY") {
        return Err(CommandError::Syntax);
    }
    match (args.at(3), args.at(4)) {
        (kind, _) if is_word(kind, "MODULE") => Ok(Filter::Module),
        (kind, name) if is_word(kind, "ACLCAT") => {
            let category =
                Categories::NAMES.iter().find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name));
            Ok(Filter::Category(category.map(|(category, _)| *category)))
        }
        (kind, pattern) if is_word(kind, "PATTERN") => Ok(Filter::Pattern(pattern)),
        _ => Err(CommandError::Syntax),
    }
}

pub(super) fn list(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let filter = parse(args)?;
    let (table, reply) = (&cx.server.commands, &mut cx.reply);
    let array = reply.deferred_array();
    let mut taken = 0;
    for command in table.callable().filter(|command| filter.takes(command)) {
        reply.bulk_text(command.entry.spec.name);
        taken += 1;
    }
    reply.set_deferred(array, taken);
    Ok(Flow::Done)
}
