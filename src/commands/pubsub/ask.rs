//! PUBSUB: who listens to what.

use crate::base::argv::Args;
use crate::base::glob::{self, Case};
use crate::pubsub::Kind;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;

pub(super) fn channels(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    names(cx, args, Kind::Channel)
}

pub(super) fn shardchannels(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    names(cx, args, Kind::ShardChannel)
}

pub(super) fn numsub(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    numbers(cx, args, Kind::Channel)
}

pub(super) fn shardnumsub(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    numbers(cx, args, Kind::ShardChannel)
}

pub(super) fn numpat(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    let patterns = cx.server.pubsub.len(Kind::Pattern);
    cx.reply.count(patterns);
    Ok(Flow::Done)
}

fn names(cx: &mut Cx<'_>, args: Args<'_>, kind: Kind) -> Result<Flow, CommandError> {
    if args.len() > 3 {
        return Err(CommandError::subcommand_arguments(args.at(1), "pubsub"));
    }
    let pattern = args.get(2);
    let (reply, pubsub) = (&mut cx.reply, &cx.server.pubsub);
    let array = reply.deferred_array();
    let mut count = 0;
    for name in pubsub.names(kind) {
        if pattern.is_none_or(|pattern| glob::matches(pattern, name, Case::Sensitive)) {
            reply.bulk(name);
            count += 1;
        }
    }
    reply.set_deferred(array, count);
    Ok(Flow::Done)
}

fn numbers(cx: &mut Cx<'_>, args: Args<'_>, kind: Kind) -> Result<Flow, CommandError> {
    cx.reply.array((args.len() - 2) * 2);
    for name in args.iter().skip(2) {
        cx.reply.bulk(name);
        cx.reply.count(cx.server.pubsub.subscribers(kind, name).len());
    }
    Ok(Flow::Done)
}
