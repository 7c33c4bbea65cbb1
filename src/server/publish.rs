//! Messages: who gets one, in which form, and what a client listens to.
//!
//! ```text
//!  publish ─▶ pubsub: subscribers of the channel, then of each pattern that matches it
//!          ─▶ resp::Announcement: encoded once for the channel, once for each pattern
//!          ─▶ Clients::announce: into the output of each, in its protocol
//!          ─▶ net wakes the receivers, some at a time
//! ```
//! Everything that tells clients something by a channel goes through here: PUBLISH and SPUBLISH, keyspace
//! notifications.

use super::server::Server;
use crate::base::ids::ClientId;
use crate::client::{Clients, Listening};
use crate::pubsub::{Counts, Kind, PubSub};
use crate::resp::{Announcement, Payload};
use std::rc::Rc;

/// How far ahead of a receiver the next ones are asked for.
const PREFETCH_AHEAD: usize = 8;

impl Server {
    /// Sends a message to the subscribers of a channel and of the patterns that match it. Returns how many it went to;
    /// a client counts for each of its subscriptions that fit.
    pub fn publish(&mut self, channel: &[u8], message: &[u8]) -> usize {
        if self.pubsub.is_empty() {
            return 0;
        }
        let Server { pubsub, clients, .. } = self;
        // Long ones are copied for the first receiver only: most channels have none.
        let mut payload = None;
        let mut payload = || payload.get_or_insert_with(|| Payload::new(message)).clone();
        let mut reached = 0;
        let subscribers = pubsub.subscribers(Kind::Channel, channel);
        if !subscribers.is_empty() {
            let announcement = Announcement::new(&[b"message", channel], &payload());
            reached += announce(clients, subscribers, announcement);
        }
        pubsub.for_each_match(channel, |pattern, subscribers| {
            let announcement = Announcement::new(&[b"pmessage", pattern, channel], &payload());
            reached += announce(clients, subscribers, announcement);
        });
        self.count_overflowed();
        reached
    }

    /// The same for a shard channel, which patterns do not concern.
    pub fn publish_to_shard(&mut self, channel: &[u8], message: &[u8]) -> usize {
        let subscribers = self.pubsub.subscribers(Kind::ShardChannel, channel);
        if subscribers.is_empty() {
            return 0;
        }
        let announcement = Announcement::new(&[b"smessage", channel], &Payload::new(message));
        let reached = announce(&mut self.clients, subscribers, announcement);
        self.count_overflowed();
        reached
    }

    /// Lets a client listen; whether it did not before.
    pub fn subscribe(&mut self, client: ClientId, kind: Kind, name: &[u8]) -> bool {
        let is_new = self.pubsub.join(client, kind, name);
        note(&self.pubsub, &mut self.clients, client);
        is_new
    }

    /// Ends a subscription; whether there was one.
    pub fn unsubscribe(&mut self, client: ClientId, kind: Kind, name: &[u8]) -> bool {
        let was_there = self.pubsub.leave(client, kind, name);
        note(&self.pubsub, &mut self.clients, client);
        was_there
    }

    /// Ends one of the client's subscriptions of a kind; returns which.
    pub fn unsubscribe_first(&mut self, client: ClientId, kind: Kind) -> Option<Rc<[u8]>> {
        let name = self.pubsub.leave_first(client, kind);
        note(&self.pubsub, &mut self.clients, client);
        name
    }

    /// Ends all subscriptions of a client and tells it nothing: RESET, and when it goes.
    pub fn forget_subscriptions(&mut self, client: ClientId) {
        if self.clients.get(client).is_some_and(|client| client.listening != Listening::default()) {
            self.pubsub.forget(client);
            note(&self.pubsub, &mut self.clients, client);
        }
    }

    fn count_overflowed(&mut self) {
        self.stats.output_buffer_limit_disconnections += self.clients.take_overflowed();
    }
}

fn announce(clients: &mut Clients, receivers: &[ClientId], mut announcement: Announcement) -> usize {
    let mut reached = 0;
    for (index, receiver) in receivers.iter().enumerate() {
        if let Some(ahead) = receivers.get(index + PREFETCH_AHEAD) {
            clients.prefetch(*ahead);
        }
        reached += usize::from(clients.announce(*receiver, &mut announcement));
    }
    reached
}

/// Tells the client itself to how much it listens.
fn note(pubsub: &PubSub, clients: &mut Clients, id: ClientId) {
    let Some(client) = clients.get_mut(id) else { return };
    let Counts { channels, patterns, shard_channels, heap_bytes } = pubsub.counts(id);
    client.listening = Listening { channels, patterns, shard_channels, heap_bytes };
}
