//! COMMAND DOCS: a map from each command's name to what the reference says of it. Fields that say nothing are left out.
//!
//! It does not answer the history of a command and of its arguments.

use crate::base::argv::Args;
use crate::resp::Reply;
use crate::server::{Command, CommandTable, Cx, Flow};
use crate::spec::syntax::{self, Argument};
use crate::spec::{Audience, CommandError, Spec};

pub(super) fn docs(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (table, reply) = (&cx.server.commands, &mut cx.reply);
    if args.len() == 2 {
        reply.map(table.top_level().count());
        table.top_level().for_each(|command| describe(table, command, reply));
        return Ok(Flow::Done);
    }
    let found = args.iter().skip(2).filter_map(|name| table.find_full(name));
    reply.map(found.clone().count());
    found.for_each(|index| describe(table, table.at(index), reply));
    Ok(Flow::Done)
}

fn describe(table: &CommandTable, command: &Command, reply: &mut Reply<'_>) {
    let spec = &command.entry.spec;
    reply.bulk_text(spec.name);
    let map = reply.deferred_map();
    let mut fields = describe_spec(spec, reply);
    let arguments = syntax::arguments(spec);
    if !arguments.is_empty() {
        reply.bulk_text("arguments");
        describe_arguments(&arguments, reply);
        fields += 1;
    }
    if !command.subcommands.is_empty() {
        reply.bulk_text("subcommands");
        reply.map(command.subcommands.len());
        command.subcommands.iter().for_each(|index| describe(table, table.at(*index), reply));
        fields += 1;
    }
    reply.set_deferred(map, fields);
}

/// Writes the plain fields and returns how many.
fn describe_spec(spec: &Spec, reply: &mut Reply<'_>) -> usize {
    let mut fields = 3;
    text_field("summary", spec.summary, reply);
    text_field("since", spec.since, reply);
    text_field("group", spec.group.name(), reply);
    if !spec.complexity.is_empty() {
        text_field("complexity", spec.complexity, reply);
        fields += 1;
    }
    let is_system = spec.audience == Audience::System;
    let doc_flags = [(spec.deprecation.is_some(), "deprecated"), (is_system, "syscmd")];
    let doc_flags = doc_flags.iter().filter(|(is_set, _)| *is_set);
    if doc_flags.clone().next().is_some() {
        reply.bulk_text("doc_flags");
        reply.set(doc_flags.clone().count());
        doc_flags.for_each(|(_, name)| reply.simple(name));
        fields += 1;
    }
    if let Some(deprecation) = spec.deprecation {
        text_field("deprecated_since", deprecation.since, reply);
        text_field("replaced_by", deprecation.replaced_by, reply);
        fields += 2;
    }
    fields
}

fn text_field(name: &str, text: &str, reply: &mut Reply<'_>) {
    reply.bulk_text(name);
    reply.bulk_text(text);
}

fn describe_arguments(arguments: &[Argument], reply: &mut Reply<'_>) {
    reply.array(arguments.len());
    arguments.iter().for_each(|argument| describe_argument(argument, reply));
}

fn describe_argument(argument: &Argument, reply: &mut Reply<'_>) {
    let map = reply.deferred_map();
    let mut fields = 2;
    text_field("name", &argument.name, reply);
    text_field("type", argument.kind.name(), reply);
    if let Some(key_spec) = argument.key_spec {
        reply.bulk_text("key_spec_index");
        reply.count(key_spec);
        fields += 1;
    }
    if let Some(token) = &argument.token {
        text_field("token", token, reply);
        fields += 1;
    }
    let flags = argument.flags().count();
    if flags > 0 {
        reply.bulk_text("flags");
        reply.set(flags);
        argument.flags().for_each(|flag| reply.simple(flag));
        fields += 1;
    }
    if !argument.arguments.is_empty() {
        reply.bulk_text("arguments");
        describe_arguments(&argument.arguments, reply);
        fields += 1;
    }
    reply.set_deferred(map, fields);
}
