//! Publish and subscribe: messages for whoever listens now, kept for nobody.
mod ask;
mod subscribe;
#[cfg(test)]
mod tests;

use super::help;
use crate::base::argv::Args;
use crate::server::{Cx, Entry, Flow};
use crate::spec::{CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const OPEN: Flags = Flags::PUBSUB.or(Flags::LOADING).or(Flags::STALE);
const LISTEN: Flags = OPEN.or(Flags::NOSCRIPT);
const TELL: Flags = OPEN.or(Flags::FAST).or(Flags::MAY_REPLICATE);
/// Present in Sentinel, too.
const SENTINEL: Flags = Flags::SENTINEL;

const ONE_SHARD: &[KeySpec] = &[KeySpec::one(1, KeyFlags::NOT_KEY)];
const SHARDS: &[KeySpec] = &[KeySpec::rest(1, 1, KeyFlags::NOT_KEY)];

const fn spec(name: &'static str, arity: i32, flags: Flags) -> Spec {
    Spec::new(name, arity, Group::Pubsub, flags)
}

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        spec("subscribe", -2, LISTEN.or(SENTINEL))
            .complexity("O(N) where N is the number of channels to subscribe to.")
            .doc("2.0.0", "Listen for messages published to the given channels", "channel [channel ...]"),
        subscribe::subscribe,
    ),
    Entry::server(
        spec("psubscribe", -2, LISTEN.or(SENTINEL))
            .complexity("O(N) where N is the number of patterns the client is already subscribed to.")
            .doc(
                "2.0.0",
                "Listen for messages published to channels matching the given patterns",
                "pattern [pattern ...]",
            ),
        subscribe::psubscribe,
    ),
    Entry::server(
        spec("ssubscribe", -2, LISTEN)
            .keys(SHARDS)
            .complexity("O(N) where N is the number of shard channels to subscribe to.")
            .doc(
                "7.0.0",
                "Listen for messages published to the given shard channels",
                "shardchannel [shardchannel ...]",
            ),
        subscribe::ssubscribe,
    ),
    Entry::server(
        spec("unsubscribe", -1, LISTEN.or(SENTINEL))
            .complexity("O(N) where N is the number of clients already subscribed to a channel.")
            .doc("2.0.0", "Stop listening for messages posted to the given channels", "[channel [channel ...]]"),
        subscribe::unsubscribe,
    ),
    Entry::server(
        spec("punsubscribe", -1, LISTEN.or(SENTINEL))
            .complexity(
                "O(N+M) where N is the number of patterns the client is already subscribed and M is the number \
                 of total patterns subscribed in the system (by any client).",
            )
            .doc(
                "2.0.0",
                "Stop listening for messages posted to channels matching the given patterns",
                "[pattern [pattern ...]]",
            ),
        subscribe::punsubscribe,
    ),
    Entry::server(
        spec("sunsubscribe", -1, LISTEN)
            .keys(SHARDS)
            .complexity("O(N) where N is the number of clients already subscribed to a shard channel.")
            .doc(
                "7.0.0",
                "Stop listening for messages posted to the given shard channels",
                "[shardchannel [shardchannel ...]]",
            ),
        subscribe::sunsubscribe,
    ),
    Entry::server(
        spec("publish", 3, TELL.or(SENTINEL))
            .complexity(
                "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total \
                 number of subscribed patterns (by any client).",
            )
            .doc("2.0.0", "Post a message to a channel", "channel message"),
        publish,
    ),
    Entry::server(
        spec("spublish", 3, TELL)
            .keys(ONE_SHARD)
            .complexity("O(N) where N is the number of clients subscribed to the receiving shard channel.")
            .doc("7.0.0", "Post a message to a shard channel", "shardchannel message"),
        spublish,
    ),
    Entry::container(
        spec("pubsub", -2, Flags::NONE).contains().complexity("Depends on subcommand.").doc(
            "2.8.0",
            "A container for Pub/Sub commands",
            "",
        ),
        SUBCOMMANDS,
    ),
];

const SUBCOMMANDS: &[Entry] = &[
    Entry::server(
        spec("pubsub|channels", -2, OPEN)
            .complexity(
                "O(N) where N is the number of active channels, and assuming constant time pattern matching \
                 (relatively short channels and patterns)",
            )
            .doc("2.8.0", "List active channels", "[pattern]"),
        ask::channels,
    ),
    Entry::server(
        spec("pubsub|numsub", -2, OPEN)
            .complexity("O(N) for the NUMSUB subcommand, where N is the number of requested channels")
            .doc("2.8.0", "Get the count of subscribers for channels", "[channel [channel ...]]"),
        ask::numsub,
    ),
    Entry::server(
        spec("pubsub|numpat", 2, OPEN).complexity("O(1)").doc(
            "2.8.0",
            "Get the count of unique patterns pattern subscriptions",
            "",
        ),
        ask::numpat,
    ),
    Entry::server(
        spec("pubsub|shardchannels", -2, OPEN)
            .complexity(
                "O(N) where N is the number of active shard channels, and assuming constant time pattern matching \
                 (relatively short shard channels).",
            )
            .doc("7.0.0", "List active shard channels", "[pattern]"),
        ask::shardchannels,
    ),
    Entry::server(
        spec("pubsub|shardnumsub", -2, OPEN)
            .complexity("O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels")
            .doc(
                "7.0.0",
                "Get the count of subscribers for shard channels",
                "[shardchannel [shardchannel ...]]",
            ),
        ask::shardnumsub,
    ),
    Entry::server(
        spec("pubsub|help", 2, Flags::LOADING.or(Flags::STALE)).contains().complexity("O(1)").doc(
            "6.2.0",
            "Show helpful text about the different subcommands",
            "",
        ),
        print_help,
    ),
];

const HELP: &[&str] = &[
    "CHANNELS [<pattern>]",
    "    Name the channels that somebody listens to, or those that match <pattern>.",
    "NUMPAT",
    "    Tell how many different patterns are listened to.",
    "NUMSUB [<channel> ...]",
    "    Tell how many clients listen to each channel, not counting patterns.",
    "SHARDCHANNELS [<pattern>]",
    "    Name the shard channels that somebody listens to, or those that match <pattern>.",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Tell how many clients listen to each shard channel.",
];

fn print_help(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    help::answer(&mut cx.reply, "PUBSUB", HELP);
    Ok(Flow::Done)
}

fn publish(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let reached = cx.server.publish(args.at(1), args.at(2));
    cx.reply.count(reached);
    Ok(Flow::Done)
}

fn spublish(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let reached = cx.server.publish_to_shard(args.at(1), args.at(2));
    cx.reply.count(reached);
    Ok(Flow::Done)
}
