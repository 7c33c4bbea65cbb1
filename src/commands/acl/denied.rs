//! What was denied: how it is told to ACL LOG and to the counters, and ACL LOG itself.

use crate::acl::{Context, Denied, Happening, LogReason, Logged, Reason};
use crate::base::argv::Args;
use crate::base::ids::ClientId;
use crate::commands::client::list;
use crate::resp::Reply;
use crate::server::{Cx, Flow, Server};
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

/// Notes that a client may not run a command.
pub fn note(server: &mut Server, client: ClientId, (command, args): (usize, Args<'_>), denied: Denied) {
    let (reason, count) = match denied.reason {
        Reason::Command => (LogReason::Command, &mut server.stats.acl_denied_commands),
        Reason::Key => (LogReason::Key, &mut server.stats.acl_denied_keys),
        Reason::Channel => (LogReason::Channel, &mut server.stats.acl_denied_channels),
        Reason::Database => (LogReason::Database, &mut server.stats.acl_denied_databases),
    };
    *count += 1;
    let object = denied.object(server.acl.catalog.at(command), args).into();
    let asking = server.clients.get(client);
    let user = asking.map_or(&b""[..], |client| server.user_name(client)).into();
    add(server, client, (reason, object, user));
}

/// Notes that a client is not who it says it is; `command` is how it said so.
pub fn note_login(server: &mut Server, client: ClientId, command: &[u8], user: &[u8]) {
    server.stats.acl_denied_logins += 1;
    add(server, client, (LogReason::Auth, command.into(), user.into()));
}

fn add(server: &mut Server, id: ClientId, (reason, object, user): (LogReason, Box<[u8]>, Box<[u8]>)) {
    let Some(client) = server.clients.get(id) else { return };
    let in_transaction = server.in_exec || client.transaction.is_some();
    let context = match in_transaction {
        _ if server.in_script => Context::Lua,
        true => Context::Multi,
        false => Context::Toplevel,
    };
    let now_ms = server.clock.now().unix_ms();
    let client = list::line_of(server, client, now_ms);
    let happening = Happening { reason, context, object, user, client };
    server.acl.log.add(happening, now_ms, server.config.acllog_max_len);
}

pub(super) fn log(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    const COUNT_DEFAULT: i64 = 10;
    let count = match args.get(2) {
        _ if args.len() > 3 => return Err(CommandError::subcommand_arguments(args.at(1), "acl")),
        Some(word) if is_word(word, "RESET") => {
            cx.server.acl.log.clear();
            cx.reply.ok();
            return Ok(Flow::Done);
        }
        Some(count) => integer(count)?,
        None => COUNT_DEFAULT,
    };
    let entries = cx.server.acl.log.iter();
    let shown = entries.len().min(usize::try_from(count).unwrap_or(0));
    cx.reply.array(shown);
    for entry in entries.take(shown) {
        show(entry, cx.now.unix_ms(), &mut cx.reply);
    }
    Ok(Flow::Done)
}

fn show(entry: &Logged, now_ms: i64, reply: &mut Reply<'_>) {
    let happening = &entry.happening;
    reply.map(10);
    reply.bulk_text("count");
    reply.integer(entry.count);
    for (name, value) in [
        ("reason", happening.reason.name().as_bytes()),
        ("context", happening.context.name().as_bytes()),
        ("object", &happening.object),
        ("username", &happening.user),
    ] {
        reply.bulk_text(name);
        reply.bulk(value);
    }
    reply.bulk_text("age-seconds");
    reply.double((now_ms - entry.updated_ms) as f64 / 1000.0);
    reply.bulk_text("client-info");
    reply.bulk_text(&happening.client);
    for (name, value) in [
        ("entry-id", entry.number as i64),
        ("timestamp-created", entry.created_ms),
        ("timestamp-last-updated", entry.updated_ms),
    ] {
        reply.bulk_text(name);
        reply.integer(value);
    }
}
