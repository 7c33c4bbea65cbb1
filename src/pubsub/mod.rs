//! Room `pubsub`: who listens to which channels and patterns. Nothing is sent here: `server::publish` does.
//!
//! ```text
//!  name ──(a table for each kind)──▶ topic ──▶ subscribers: client, client, client
//!  literal prefix ──(radix tree)──▶ patterns       ▲ │
//!                                                  │ ▼ place in that list
//!  client ──▶ for each kind: topic ──▶ place ──────┘
//! ```
//! A topic is a channel, a pattern or a shard channel that somebody listens to. It exists exactly as long.
//!
//! Invariants:
//! 1. A subscription stands in two places that name each other: the list of its topic and the list of its client. So
//!    it ends without a search, however long both lists are (`leave`).
//! 2. A topic has at least one subscriber; a client in the table listens to something.
//! 3. Every structure grows in small steps or by a copy of 8 bytes an element: no subscription waits for a rehash.
mod subscriptions;
#[cfg(test)]
mod tests;

pub use subscriptions::{Counts, PubSub};

/// What can be listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Channel,
    Pattern,
    /// Channels with a name space of their own, which a cluster keeps where keys of that name are.
    ShardChannel,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Channel, Kind::Pattern, Kind::ShardChannel];
}
