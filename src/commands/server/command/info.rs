//! COMMAND and COMMAND INFO.
//!
//! ```text
//! name  arity  {flags}  first key  last key  step  {@categories}  {tips}  {key specs}  [subcommands, shaped alike]
//! ```

use crate::base::argv::Args;
use crate::resp::Reply;
use crate::server::{Command, CommandTable, Cx, Flow};
use crate::spec::{Begin, Categories, CommandError, Find, Flags, KeyFlags, KeySpec, Spec};

/// Flags that Redis 7.0 keeps to itself.
const HIDDEN: Flags =
    Flags::PROTECTED.or(Flags::SENTINEL).or(Flags::TOUCHES_ARBITRARY_KEYS).or(Flags::MAY_REPLICATE);

pub(super) fn command(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    describe_all(&cx.server.commands, &mut cx.reply);
    Ok(Flow::Done)
}

pub(super) fn info(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (table, reply) = (&cx.server.commands, &mut cx.reply);
    if args.len() == 2 {
        describe_all(table, reply);
        return Ok(Flow::Done);
    }
    reply.array(args.len() - 2);
    for name in args.iter().skip(2) {
        match table.find_full(name) {
            Some(index) => describe(table, table.at(index), reply),
            None => reply.null(),
        }
    }
    Ok(Flow::Done)
}

fn describe_all(table: &CommandTable, reply: &mut Reply<'_>) {
    reply.array(table.top_level().count());
    table.top_level().for_each(|command| describe(table, command, reply));
}

fn describe(table: &CommandTable, command: &Command, reply: &mut Reply<'_>) {
    let spec = &command.entry.spec;
    let (first, last, step) = spec.key_range();
    reply.array(10);
    reply.bulk_text(spec.name);
    reply.integer(i64::from(spec.arity));
    statuses(Flags::NAMES.iter().filter(|(flag, _)| spec.flags.has(*flag) && !HIDDEN.has(*flag)), "", reply);
    reply.integer(first);
    reply.integer(last);
    reply.integer(step);
    statuses(Categories::NAMES.iter().filter(|(category, _)| spec.categories.has(*category)), "@", reply);
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk_text(tip));
    describe_keys(spec, reply);
    match command.subcommands.len() {
        0 => reply.set(0),
        count => reply.array(count),
    }
    command.subcommands.iter().for_each(|index| describe(table, table.at(*index), reply));
}

/// A set of names as statuses.
fn statuses<'n, T: 'n>(
    names: impl Iterator<Item = &'n (T, &'static str)> + Clone,
    sign: &str,
    reply: &mut Reply<'_>,
) {
    reply.set(names.clone().count());
    names.for_each(|(_, name)| reply.simple(&format!("{sign}{name}")));
}

/// A set of the flags of a key.
pub(super) fn key_flags(flags: KeyFlags, reply: &mut Reply<'_>) {
    statuses(KeyFlags::NAMES.iter().filter(|(flag, _)| flags.has(*flag)), "", reply);
}

fn describe_keys(spec: &Spec, reply: &mut Reply<'_>) {
    reply.set(spec.keys.len());
    for (index, key) in spec.keys.iter().enumerate() {
        let notes = spec.key_notes.get(index).filter(|notes| !notes.is_empty());
        reply.map(3 + usize::from(notes.is_some()));
        if let Some(notes) = notes {
            reply.bulk_text("notes");
            reply.bulk_text(notes);
        }
        reply.bulk_text("flags");
        key_flags(key.flags, reply);
        describe_key(key, reply);
    }
}

fn describe_key(key: &KeySpec, reply: &mut Reply<'_>) {
    reply.bulk_text("begin_search");
    match key.begin {
        Begin::Index(index) => typed("index", &[("index", index as i64)], reply),
        Begin::Keyword { word, from } => {
            head("keyword", 2, reply);
            reply.bulk_text("keyword");
            reply.bulk_text(word);
            reply.bulk_text("startfrom");
            reply.integer(i64::from(from));
        }
        Begin::Unknown => typed("unknown", &[], reply),
    }
    reply.bulk_text("find_keys");
    match key.find {
        Find::Range { last, step, limit } => {
            let fields = [("lastkey", i64::from(last)), ("keystep", step as i64), ("limit", limit as i64)];
            typed("range", &fields, reply);
        }
        Find::KeyCount { count, first, step } => {
            let fields = [("keynumidx", count as i64), ("firstkey", first as i64), ("keystep", step as i64)];
            typed("keynum", &fields, reply);
        }
        Find::Unknown => typed("unknown", &[], reply),
    }
}

fn head(kind: &str, fields: usize, reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk_text("type");
    reply.bulk_text(kind);
    reply.bulk_text("spec");
    reply.map(fields);
}

fn typed(kind: &str, fields: &[(&str, i64)], reply: &mut Reply<'_>) {
    head(kind, fields.len(), reply);
    for (name, value) in fields {
        reply.bulk_text(name);
        reply.integer(*value);
    }
}
