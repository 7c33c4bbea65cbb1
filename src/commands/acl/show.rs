//! What is asked about users and categories; nothing here changes anything.

use crate::acl::{self, Catalog, Selector, User};
use crate::base::argv::Args;
use crate::resp::Reply;
use crate::server::{Cx, Flow, Server};
use crate::spec::{Categories, CommandError};

pub(super) fn cat(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let catalog = &cx.server.acl.catalog;
    match args.get(2) {
        _ if args.len() > 3 => return Err(CommandError::subcommand_arguments(args.at(1), "acl")),
        None => {
            cx.reply.array(Categories::NAMES.len());
            Categories::NAMES.iter().for_each(|(_, name)| cx.reply.bulk_text(name));
        }
        Some(name) => {
            let category = catalog.find_category(name).ok_or_else(|| unknown_category(name))?;
            let members = catalog.category(category);
            let members: Vec<_> = catalog.iter().filter(|command| members.has(command.index)).collect();
            cx.reply.array(members.len());
            members.iter().for_each(|command| cx.reply.bulk_text(command.spec.name));
        }
    }
    Ok(Flow::Done)
}

fn unknown_category(name: &[u8]) -> CommandError {
    const SHOWN_BYTES_MAX: usize = 128;
    CommandError::quoting("ERR Unknown category '", &name[..name.len().min(SHOWN_BYTES_MAX)], "'")
}

pub(super) fn whoami(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let name = cx.server.clients.get(cx.client_id).map(|client| cx.server.user_name(client));
    cx.reply.bulk(name.unwrap_or_default());
    Ok(Flow::Done)
}

pub(super) fn users(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let users = &cx.server.acl.users;
    cx.reply.array(users.len());
    users.iter().for_each(|user| cx.reply.bulk(&user.name));
    Ok(Flow::Done)
}

pub(super) fn list(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let acl = &cx.server.acl;
    cx.reply.array(acl.users.len());
    acl.users.iter().for_each(|user| cx.reply.bulk(&user.line(&acl.catalog)));
    Ok(Flow::Done)
}

pub(super) fn getuser(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let acl = &cx.server.acl;
    match acl.users.named(args.at(2)) {
        Some(user) => describe(user, &acl.catalog, &mut cx.reply),
        None => cx.reply.null(),
    }
    Ok(Flow::Done)
}

/// Flags, passwords, the root selector's fields, selectors.
fn describe(user: &User, catalog: &Catalog, reply: &mut Reply<'_>) {
    let flags = user.flags();
    reply.map(3 + field_count(&user.root));
    reply.bulk_text("flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk_text(flag));
    reply.bulk_text("passwords");
    reply.array(user.passwords.len());
    user.passwords.iter().for_each(|password| reply.bulk_text(&password.to_string()));
    describe_selector(&user.root, catalog, reply);
    reply.bulk_text("selectors");
    reply.array(user.selectors.len());
    for selector in &user.selectors {
        reply.map(field_count(selector));
        describe_selector(selector, catalog, reply);
    }
}

/// Databases are told only where they are not all: Redis knows of no such rule.
fn field_count(selector: &Selector) -> usize {
    3 + usize::from(selector.databases_text().is_some())
}

fn describe_selector(selector: &Selector, catalog: &Catalog, reply: &mut Reply<'_>) {
    reply.bulk_text("commands");
    reply.bulk(&selector.commands_text(catalog));
    reply.bulk_text("keys");
    reply.bulk(&selector.keys_text());
    reply.bulk_text("channels");
    reply.bulk(&selector.channels_text());
    if let Some(databases) = selector.databases_text() {
        reply.bulk_text("databases");
        reply.bulk_text(&databases);
    }
}

pub(super) fn dryrun(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let (name, asked) = (args.at(2), args.from(3));
    let db = cx.client().db;
    let user = cx.server.acl.users.named(name);
    let user = user.ok_or_else(|| CommandError::quoting("ERR User '", name, "' not found"))?;
    let index = find(cx.server, asked)?;
    let command = cx.server.acl.catalog.at(index);
    if !command.spec.accepts(asked.len()) {
        return Err(CommandError::Arity(command.spec.name));
    }
    match acl::check(user, command, asked, db) {
        Ok(()) => cx.reply.ok(),
        Err(denied) => cx.reply.bulk(&denied.dry_run_text(command, asked)),
    }
    Ok(Flow::Done)
}

fn find(server: &Server, asked: Args<'_>) -> Result<usize, CommandError> {
    let table = &server.commands;
    let index = table.find(asked.at(0)).filter(|_| !asked.at(0).is_empty());
    let index = match (index, asked.get(1)) {
        (Some(index), Some(name)) if !table.at(index).subcommands.is_empty() => {
            table.find_subcommand(index, name)
        }
        (index, _) => index,
    };
    index.ok_or_else(|| CommandError::quoting("ERR Command '", asked.at(0), "' not found"))
}
