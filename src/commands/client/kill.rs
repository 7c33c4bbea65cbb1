//! CLIENT KILL.

use super::filter::{Filter, For};
use crate::base::argv::Args;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;

pub(super) fn kill(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    if args.len() == 3 {
        if close(cx, &Filter::of_address(args.at(2))) == 0 {
            return Err(CommandError::NoSuchClient);
        }
        cx.reply.ok();
        return Ok(Flow::Done);
    }
    let filter = Filter::read(cx, args, For::Kill)?;
    let closed = close(cx, &filter);
    cx.reply.integer(closed);
    Ok(Flow::Done)
}

/// Closes those whom `filter` fits, and counts them. The caller still gets its reply.
fn close(cx: &mut Cx<'_>, filter: &Filter<'_>) -> i64 {
    let (caller, now_ms) = (cx.client_id, cx.now.unix_ms());
    let mut closed = 0;
    let mut listeners = Vec::new();
    for client in cx.server.clients.iter_mut() {
        if client.close_now || !filter.fits(client, caller, now_ms) {
            continue;
        }
        closed += 1;
        if client.id == caller {
            client.close_after_reply = true;
        } else {
            client.close();
            listeners.push(client.id);
        }
    }
    // They go when their connections notice; messages do not reach them any more.
    listeners.into_iter().for_each(|client| cx.server.forget_subscriptions(client));
    closed
}
