//! Topics and their subscribers: joining, leaving, and who gets a message.

use super::Kind;
use crate::base::glob::{self, Case};
use crate::base::ids::ClientId;
use crate::encoding::dict::{Dict, HashSeed};
use crate::encoding::named::Named;
use crate::encoding::radix::Radix;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Something that somebody listens to.
struct Topic {
    kind: Kind,
    name: Rc<[u8]>,
    subscribers: Vec<ClientId>,
    /// A pattern's place among those with the same literal prefix.
    place_by_prefix: usize,
}

/// What one client listens to: for each kind, topic -> place among its subscribers.
struct Subscriber {
    client: ClientId,
    topics: [BTreeMap<u32, u32>; 3],
    heap_bytes: usize,
}

/// To how much a client listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub channels: usize,
    pub patterns: usize,
    pub shard_channels: usize,
    /// Memory that its subscriptions take, in bytes; the names count for each of their subscribers.
    pub heap_bytes: usize,
}

/// All subscriptions.
pub struct PubSub {
    by_name: [Dict<Named<u32>>; 3],
    /// Boxed, so that growing moves 8 bytes for each.
    topics: Vec<Option<Box<Topic>>>,
    free: Vec<u32>,
    /// Patterns by what all their texts begin with.
    by_prefix: Radix<Vec<u32>>,
    /// By the slot of the client's number.
    subscribers: Vec<Option<Box<Subscriber>>>,
    subscriber_count: usize,
}

/// What one subscription takes: its places in both lists, the latter in a tree whose nodes are about two thirds full.
const SUBSCRIPTION_BYTES: usize = size_of::<ClientId>() + 12;

impl PubSub {
    pub fn new(seed: HashSeed) -> Self {
        PubSub {
            by_name: [Dict::new(seed), Dict::new(seed), Dict::new(seed)],
            topics: Vec::new(),
            free: Vec::new(),
            by_prefix: Radix::default(),
            subscribers: Vec::new(),
            subscriber_count: 0,
        }
    }

    /// Whether nobody listens to anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.subscriber_count == 0
    }

    /// How many clients listen to something.
    pub fn clients(&self) -> usize {
        self.subscriber_count
    }

    /// How many topics of a kind there are.
    pub fn len(&self, kind: Kind) -> usize {
        self.by_name[kind as usize].len()
    }

    /// To how much `client` listens.
    pub fn counts(&self, client: ClientId) -> Counts {
        let Some(subscriber) = self.subscriber(client) else { return Counts::default() };
        let [channels, patterns, shard_channels] = [0, 1, 2].map(|kind| subscriber.topics[kind].len());
        Counts { channels, patterns, shard_channels, heap_bytes: subscriber.heap_bytes }
    }

    /// Lets a client listen to a topic; whether it did not before.
    pub fn join(&mut self, client: ClientId, kind: Kind, name: &[u8]) -> bool {
        let topic = match self.find(kind, name) {
            Some(topic) => topic,
            None => self.add_topic(kind, name),
        };
        let subscriber = self.subscriber_or_new(client);
        if subscriber.topics[kind as usize].contains_key(&topic) {
            return false;
        }
        subscriber.heap_bytes += SUBSCRIPTION_BYTES + name.len();
        let subscribers = &mut self.topic_mut(topic).subscribers;
        if subscribers.is_empty() {
            // Most channels of those who have many have one subscriber.
            subscribers.reserve_exact(1);
        }
        subscribers.push(client);
        let place = u32::try_from(subscribers.len() - 1).expect("fewer than 2^32 clients");
        self.subscriber_or_new(client).topics[kind as usize].insert(topic, place);
        true
    }

    /// Ends a subscription; whether there was one.
    pub fn leave(&mut self, client: ClientId, kind: Kind, name: &[u8]) -> bool {
        self.find(kind, name).is_some_and(|topic| self.leave_topic(client, kind, topic))
    }

    /// Ends one subscription of a kind, the one to the oldest topic, and returns what it was to.
    pub fn leave_first(&mut self, client: ClientId, kind: Kind) -> Option<Rc<[u8]>> {
        let (&topic, _) = self.subscriber(client)?.topics[kind as usize].first_key_value()?;
        let name = self.topic(topic).name.clone();
        self.leave_topic(client, kind, topic);
        Some(name)
    }

    /// Ends all subscriptions of a client.
    pub fn forget(&mut self, client: ClientId) {
        for kind in Kind::ALL {
            while self.leave_first(client, kind).is_some() {}
        }
    }

    /// The subscribers of a channel.
    pub fn subscribers(&self, kind: Kind, name: &[u8]) -> &[ClientId] {
        self.find(kind, name).map_or(&[], |topic| &self.topic(topic).subscribers)
    }

    /// Calls `show` with every pattern that matches `channel` and its subscribers.
    pub fn for_each_match<'a>(&'a self, channel: &[u8], mut show: impl FnMut(&'a [u8], &'a [ClientId])) {
        self.by_prefix.for_each_prefix_of(channel, |patterns| {
            for pattern in patterns {
                let topic = self.topic(*pattern);
                if glob::matches(&topic.name, channel, Case::Sensitive) {
                    show(&topic.name, &topic.subscribers);
                }
            }
        });
    }

    /// The names of all topics of a kind.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &[u8]> {
        self.topics.iter().flatten().filter(move |topic| topic.kind == kind).map(|topic| &*topic.name)
    }

    /// What a client listens to, of one kind.
    pub fn names_of(&self, client: ClientId, kind: Kind) -> impl Iterator<Item = &[u8]> {
        let topics = self.subscriber(client).map(|subscriber| subscriber.topics[kind as usize].keys());
        topics.into_iter().flatten().map(|topic| &*self.topic(*topic).name)
    }

    /// Bytes on the heap: tables, indices, names. Tables that are mappings of their own count elsewhere.
    pub fn heap_bytes(&self) -> usize {
        let tables: usize = self.by_name.iter().map(Dict::heap_bytes).sum();
        let topic = |topic: &Topic| {
            size_of::<Topic>()
                + Named::<u32>::HEAP_BYTES
                + topic.name.len()
                + topic.subscribers.capacity() * size_of::<ClientId>()
        };
        let topics: usize = self.topics.iter().flatten().map(|boxed| topic(boxed)).sum();
        let places = (self.topics.capacity() + self.subscribers.capacity()) * size_of::<usize>();
        let subscribers = self.subscriber_count * size_of::<Subscriber>();
        tables + topics + places + subscribers + self.by_prefix.heap_bytes()
    }

    fn find(&self, kind: Kind, name: &[u8]) -> Option<u32> {
        let table = &self.by_name[kind as usize];
        table.get(table.hash(name), name).map(|named| *named.value())
    }

    fn topic(&self, topic: u32) -> &Topic {
        self.topics[topic as usize].as_deref().expect("a subscription's topic is there")
    }

    fn topic_mut(&mut self, topic: u32) -> &mut Topic {
        self.topics[topic as usize].as_deref_mut().expect("a subscription's topic is there")
    }

    fn subscriber(&self, client: ClientId) -> Option<&Subscriber> {
        self.subscribers.get(client.slot as usize)?.as_deref().filter(|known| known.client == client)
    }

    fn subscriber_or_new(&mut self, client: ClientId) -> &mut Subscriber {
        let slot = client.slot as usize;
        if self.subscribers.len() <= slot {
            self.subscribers.resize_with(slot + 1, || None);
        }
        let count = &mut self.subscriber_count;
        let subscriber = self.subscribers[slot].get_or_insert_with(|| {
            *count += 1;
            let heap_bytes = size_of::<Subscriber>();
            Box::new(Subscriber { client, topics: Default::default(), heap_bytes })
        });
        assert_eq!(subscriber.client, client, "whoever had the slot before was forgotten when it went");
        subscriber
    }

    fn add_topic(&mut self, kind: Kind, name: &[u8]) -> u32 {
        let name: Rc<[u8]> = name.into();
        let topic = self.free.pop().unwrap_or_else(|| {
            self.topics.push(None);
            u32::try_from(self.topics.len() - 1).expect("fewer than 2^32 topics fit in memory")
        });
        let table = &mut self.by_name[kind as usize];
        table.insert_new(table.hash(&name), Named::new(name.clone(), topic));
        let mut place_by_prefix = 0;
        if kind == Kind::Pattern {
            let patterns = self.by_prefix.get_or_insert_with(&glob::literal_prefix(&name), Vec::new);
            place_by_prefix = patterns.len();
            patterns.push(topic);
        }
        let subscribers = Vec::new();
        self.topics[topic as usize] = Some(Box::new(Topic { kind, name, subscribers, place_by_prefix }));
        topic
    }

    fn leave_topic(&mut self, client: ClientId, kind: Kind, topic: u32) -> bool {
        let name_len = self.topic(topic).name.len();
        let slot = client.slot as usize;
        let listed = self.subscribers.get_mut(slot).and_then(Option::as_deref_mut);
        let Some(subscriber) = listed.filter(|known| known.client == client) else { return false };
        let Some(place) = subscriber.topics[kind as usize].remove(&topic) else { return false };
        subscriber.heap_bytes -= SUBSCRIPTION_BYTES + name_len;
        if subscriber.topics.iter().all(BTreeMap::is_empty) {
            self.subscribers[slot] = None;
            self.subscriber_count -= 1;
        }
        let subscribers = &mut self.topic_mut(topic).subscribers;
        subscribers.swap_remove(place as usize);
        shrink(subscribers);
        if subscribers.is_empty() {
            self.remove_topic(topic);
        } else if let Some(&moved) = subscribers.get(place as usize) {
            self.subscriber_or_new(moved).topics[kind as usize].insert(topic, place);
        }
        true
    }

    fn remove_topic(&mut self, index: u32) {
        let Some(topic) = self.topics[index as usize].take() else { return };
        self.free.push(index);
        let table = &mut self.by_name[topic.kind as usize];
        table.remove(table.hash(&topic.name), &topic.name);
        if topic.kind == Kind::Pattern {
            self.remove_by_prefix(&topic);
        }
        // The table of names shrinks by itself; the list of topics when there are none.
        if self.free.len() == self.topics.len() {
            self.topics = Vec::new();
            self.free = Vec::new();
        }
    }

    fn remove_by_prefix(&mut self, topic: &Topic) {
        let prefix = glob::literal_prefix(&topic.name);
        let Some(patterns) = self.by_prefix.get_mut(&prefix) else { return };
        patterns.swap_remove(topic.place_by_prefix);
        shrink(patterns);
        if patterns.is_empty() {
            self.by_prefix.remove(&prefix);
        } else if let Some(&moved) = patterns.get(topic.place_by_prefix) {
            self.topic_mut(moved).place_by_prefix = topic.place_by_prefix;
        }
    }

    /// Walks every invariant.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let mut subscriptions = 0;
        for (index, topic) in self.topics.iter().enumerate() {
            let Some(topic) = topic else { continue };
            assert_eq!(self.find(topic.kind, &topic.name), Some(index as u32));
            assert!(!topic.subscribers.is_empty(), "a topic has subscribers");
            for (place, client) in topic.subscribers.iter().enumerate() {
                let subscriber = self.subscriber(*client).expect("a subscriber is listed");
                assert_eq!(
                    subscriber.topics[topic.kind as usize].get(&(index as u32)),
                    Some(&(place as u32))
                );
                subscriptions += 1;
            }
            if topic.kind == Kind::Pattern {
                let patterns = self.by_prefix.get(&glob::literal_prefix(&topic.name)).expect("indexed");
                assert_eq!(patterns[topic.place_by_prefix], index as u32);
            }
        }
        let listed = self.subscribers.iter().flatten();
        assert_eq!(listed.clone().count(), self.subscriber_count);
        assert_eq!(listed.flat_map(|known| &known.topics).map(BTreeMap::len).sum::<usize>(), subscriptions);
        assert_eq!(self.by_prefix.values().map(Vec::len).sum::<usize>(), self.len(Kind::Pattern));
        assert_eq!(
            self.free.len() + Kind::ALL.map(|kind| self.len(kind)).iter().sum::<usize>(),
            self.topics.len()
        );
    }
}

/// Gives back what a list that was long no longer needs.
fn shrink<T>(list: &mut Vec<T>) {
    const KEPT_MIN: usize = 16;
    if list.capacity() > KEPT_MIN && list.len() * 4 < list.capacity() {
        list.shrink_to(list.len() * 2);
    }
}
