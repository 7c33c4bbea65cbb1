//! Subscriptions against a list of triples.

use super::{Counts, Kind, PubSub};
use crate::base::glob::{self, Case};
use crate::base::ids::ClientId;
use crate::encoding::dict::HashSeed;
use proptest::prelude::*;

fn client(slot: u32) -> ClientId {
    ClientId { number: u64::from(slot) + 100, slot }
}

fn empty() -> PubSub {
    PubSub::new(HashSeed([3; 16]))
}

type Model = Vec<(ClientId, Kind, Vec<u8>)>;

fn matches(pubsub: &PubSub, channel: &[u8]) -> Vec<(Vec<u8>, ClientId)> {
    let mut found = Vec::new();
    pubsub.for_each_match(channel, |pattern, clients| {
        found.extend(clients.iter().map(|client| (pattern.to_vec(), *client)));
    });
    found.sort();
    found
}

fn expected_matches(model: &Model, channel: &[u8]) -> Vec<(Vec<u8>, ClientId)> {
    let matching = model
        .iter()
        .filter(|(_, kind, name)| *kind == Kind::Pattern && glob::matches(name, channel, Case::Sensitive));
    let mut found: Vec<_> = matching.map(|(client, _, name)| (name.clone(), *client)).collect();
    found.sort();
    found
}

fn compare(pubsub: &PubSub, model: &Model) {
    pubsub.check();
    for (client, kind, name) in model {
        assert!(pubsub.subscribers(*kind, name).contains(client));
        let of_kind = |kind| model.iter().filter(|(other, is, _)| other == client && *is == kind).count();
        let counts = pubsub.counts(*client);
        assert_eq!([counts.channels, counts.patterns, counts.shard_channels], Kind::ALL.map(of_kind));
        assert_eq!(pubsub.names_of(*client, *kind).count(), of_kind(*kind));
    }
    for kind in Kind::ALL {
        let mut names: Vec<_> =
            model.iter().filter(|(_, is, _)| *is == kind).map(|(_, _, name)| name).collect();
        names.sort();
        names.dedup();
        let mut listed: Vec<_> = pubsub.names(kind).collect();
        listed.sort();
        assert_eq!(listed, names);
        assert_eq!(pubsub.len(kind), names.len());
    }
    for channel in ["", "a", "ab", "abc", "b", "ba"] {
        assert_eq!(
            matches(pubsub, channel.as_bytes()),
            expected_matches(model, channel.as_bytes()),
            "{channel}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn as_a_list_of_triples(
        steps in proptest::collection::vec((0..6_u8, 0..5_u32, 0..3_usize, "[ab*]{0,3}"), 1..150)
    ) {
        let (mut pubsub, mut model) = (empty(), Model::new());
        for (step, slot, kind, name) in steps {
            let (id, kind, name) = (client(slot), Kind::ALL[kind], name.into_bytes());
            let triple = (id, kind, name.clone());
            let place = model.iter().position(|other| *other == triple);
            match step {
                0..3 => {
                    prop_assert_eq!(pubsub.join(id, kind, &name), place.is_none());
                    if place.is_none() {
                        model.push(triple);
                    }
                }
                3 => {
                    prop_assert_eq!(pubsub.leave(id, kind, &name), place.is_some());
                    place.into_iter().for_each(|place| drop(model.remove(place)));
                }
                4 => {
                    let left = pubsub.leave_first(id, kind);
                    let before = model.len();
                    model.retain(|(other, is, name)| {
                        (*other, *is) != (id, kind) || left.as_deref() != Some(&name[..])
                    });
                    prop_assert_eq!(before - model.len(), usize::from(left.is_some()));
                }
                _ => {
                    pubsub.forget(id);
                    model.retain(|(other, _, _)| *other != id);
                    prop_assert_eq!(pubsub.counts(id), Counts::default());
                }
            }
            compare(&pubsub, &model);
        }
        (0..5).for_each(|slot| pubsub.forget(client(slot)));
        prop_assert!(pubsub.is_empty());
        pubsub.check();
    }
}

#[test]
fn a_slot_that_is_used_again_has_no_subscriptions() {
    let mut pubsub = empty();
    let (old, new) = (ClientId { number: 1, slot: 0 }, ClientId { number: 2, slot: 0 });
    assert!(pubsub.join(old, Kind::Channel, b"c"));
    assert_eq!(pubsub.counts(new), Counts::default());
    assert!(!pubsub.leave(new, Kind::Channel, b"c"));
    pubsub.forget(old);
    assert!(pubsub.join(new, Kind::Channel, b"c"));
    assert_eq!(pubsub.subscribers(Kind::Channel, b"c"), [new]);
}

#[test]
fn many_subscriptions_are_small_and_end_quickly() {
    const COUNT: usize = 50_000;
    let mut pubsub = empty();
    let (one, two) = (client(1), client(2));
    for number in 0..COUNT {
        let name = format!("channel:{number}");
        assert!(pubsub.join(one, Kind::Channel, name.as_bytes()));
        // Patterns of one prefix, which leave in the order that is worst for a search.
        assert!(pubsub.join(two, Kind::Pattern, format!("*{number}").as_bytes()));
    }
    let counts = pubsub.counts(one);
    assert_eq!(counts.channels, COUNT);
    assert!((40 * COUNT..60 * COUNT).contains(&counts.heap_bytes), "{}", counts.heap_bytes);
    assert!(pubsub.heap_bytes() < 300 * COUNT, "{}", pubsub.heap_bytes());
    pubsub.forget(one);
    pubsub.forget(two);
    assert!(pubsub.is_empty() && pubsub.heap_bytes() < 100_000, "{}", pubsub.heap_bytes());
    pubsub.check();
}

#[test]
fn patterns_of_other_prefixes_are_not_looked_at() {
    let mut pubsub = empty();
    for number in 0..10_000 {
        pubsub.join(client(1), Kind::Pattern, format!("user:{number}:*").as_bytes());
    }
    pubsub.join(client(2), Kind::Pattern, b"user:77:*");
    pubsub.join(client(2), Kind::Pattern, b"*");
    let all = matches(&pubsub, b"user:77:name");
    assert_eq!(all.len(), 3);
    assert!(matches(&pubsub, b"user:x").len() == 1 && matches(&pubsub, b"").is_empty());
}
