//! SUBSCRIBE, UNSUBSCRIBE and those of patterns and shard channels.
//!
//! Each name gets a confirmation of its own in the form of a message, with what the client listens to from then on:
//! channels and patterns together, shard channels apart.

use crate::base::argv::Args;
use crate::pubsub::Kind;
use crate::resp::Reply;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;

pub(super) fn subscribe(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    join(cx, args, Kind::Channel)
}

pub(super) fn psubscribe(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    join(cx, args, Kind::Pattern)
}

pub(super) fn ssubscribe(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    join(cx, args, Kind::ShardChannel)
}

pub(super) fn unsubscribe(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    leave(cx, args, Kind::Channel)
}

pub(super) fn punsubscribe(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    leave(cx, args, Kind::Pattern)
}

pub(super) fn sunsubscribe(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    leave(cx, args, Kind::ShardChannel)
}

fn join(cx: &mut Cx<'_>, args: Args<'_>, kind: Kind) -> Result<Flow, CommandError> {
    let word = match kind {
        Kind::Channel => "subscribe",
        Kind::Pattern => "psubscribe",
        Kind::ShardChannel => "ssubscribe",
    };
    for name in args.iter().skip(1) {
        cx.server.subscribe(cx.client_id, kind, name);
        confirm(cx, kind, word, Some(name));
    }
    Ok(Flow::Done)
}

/// Without names: everything of that kind.
fn leave(cx: &mut Cx<'_>, args: Args<'_>, kind: Kind) -> Result<Flow, CommandError> {
    let word = match kind {
        Kind::Channel => "unsubscribe",
        Kind::Pattern => "punsubscribe",
        Kind::ShardChannel => "sunsubscribe",
    };
    if args.len() > 1 {
        for name in args.iter().skip(1) {
            cx.server.unsubscribe(cx.client_id, kind, name);
            confirm(cx, kind, word, Some(name));
        }
        return Ok(Flow::Done);
    }
    let mut left_any = false;
    while let Some(name) = cx.server.unsubscribe_first(cx.client_id, kind) {
        left_any = true;
        confirm(cx, kind, word, Some(&name));
    }
    if !left_any {
        confirm(cx, kind, word, None);
    }
    Ok(Flow::Done)
}

/// A confirmation is a message: CLIENT REPLY does not mute it.
fn confirm(cx: &mut Cx<'_>, kind: Kind, word: &str, name: Option<&[u8]>) {
    let listening = cx.client().listening;
    let count = match kind {
        Kind::Channel | Kind::Pattern => listening.channels + listening.patterns,
        Kind::ShardChannel => listening.shard_channels,
    };
    let write = |reply: &mut Reply<'_>| {
        reply.push(3);
        reply.bulk_text(word);
        match name {
            Some(name) => reply.bulk(name),
            None => reply.null(),
        }
        reply.count(count);
    };
    if cx.client().reply_mode.is_muted() {
        let mut bytes = Vec::new();
        write(&mut Reply::new(&mut bytes, cx.reply.protocol()));
        cx.server.clients.push(cx.client_id, &bytes);
    } else {
        write(&mut cx.reply);
    }
}
