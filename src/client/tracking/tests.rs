//! The tables against plain collections of std.

use super::*;
use crate::client::client::Origin;
use crate::client::tracking::prefixes::ChangedBy;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn client(number: u64, slot: u32) -> Client {
    let origin = Origin::local(1);
    Client::new(ClientId { number, slot }, origin, 0)
}

fn wish(mode: WishedMode) -> Wish {
    Wish { mode, receiver: Receiver::Itself, own_changes: OwnChanges::Told }
}

#[derive(Clone, Debug)]
enum Step {
    Read(usize, u8),
    Change(u8),
    Evict,
    Flush,
    Stop(usize),
    /// The client goes and another one comes in its place.
    Replace(usize),
    Sweep(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..8_usize, any::<u8>()).prop_map(|(client, key)| Step::Read(client, key)),
        6 => any::<u8>().prop_map(Step::Change),
        2 => Just(Step::Evict),
        1 => Just(Step::Flush),
        2 => (0..8_usize).prop_map(Step::Stop),
        2 => (0..8_usize).prop_map(Step::Replace),
        4 => (1..60_usize).prop_map(Step::Sweep),
    ]
}

/// What the tracking is to do, as plainly as can be.
#[derive(Default)]
struct Model {
    readers: BTreeMap<Vec<u8>, BTreeSet<ClientId>>,
}

impl Model {
    /// Those of a key's readers that are connected.
    fn forget(&mut self, key: &[u8], clients: &[Client]) -> BTreeSet<ClientId> {
        let readers = self.readers.remove(key).unwrap_or_default();
        readers.into_iter().filter(|reader| clients.iter().any(|client| client.id == *reader)).collect()
    }
}

fn key(number: u8) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keys_remember_who_read_them(steps in prop::collection::vec(step(), 1..300)) {
        let mut tracking = Tracking::new(HashSeed([7; 16]));
        let mut model = Model::default();
        let mut rng = fastrand::Rng::with_seed(3);
        let mut clients: Vec<Client> = (0..8).map(|slot| client(u64::from(slot) + 1, slot)).collect();
        let mut last_number = 8;
        for step in steps {
            match step {
                Step::Read(reader, number) => {
                    let reader = &mut clients[reader];
                    if reader.tracker.is_none() {
                        tracking.start(reader, wish(WishedMode::Reads(Reads::All)));
                    }
                    let remembers_as = reader.tracker.as_ref().and_then(|tracker| tracker.remembers_as());
                    tracking.keys.remember(&key(number), remembers_as.expect("it remembers all"));
                    model.readers.entry(key(number)).or_default().insert(reader.id);
                }
                Step::Change(number) => {
                    let block = tracking.keys.forget(&key(number));
                    let told: BTreeSet<ClientId> =
                        block.iter().flat_map(|block| tracking.clients_of(block)).collect();
                    prop_assert_eq!(told, model.forget(&key(number), &clients));
                }
                Step::Evict => {
                    if let Some(block) = tracking.keys.forget_random(&mut rng) {
                        let told: BTreeSet<ClientId> = tracking.clients_of(&block).collect();
                        prop_assert_eq!(told, model.forget(block.name(), &clients));
                    }
                }
                Step::Flush => {
                    drop(tracking.forget_keys());
                    model.readers.clear();
                }
                Step::Stop(reader) => tracking.stop(&mut clients[reader]),
                Step::Replace(at) => {
                    tracking.forget(&mut clients[at]);
                    last_number += 1;
                    clients[at] = client(last_number, at as u32);
                }
                Step::Sweep(keys) => drop(tracking.sweep(keys)),
            }
            tracking.check();
            let tracks = clients.iter().filter(|client| client.tracker.is_some()).count();
            prop_assert_eq!(tracking.client_count(), tracks);
        }
        // Once everybody has gone and was swept out, nothing is left.
        clients.iter_mut().for_each(|client| tracking.forget(client));
        while tracking.sweep(10) {}
        prop_assert_eq!((tracking.keys.len(), tracking.keys.items()), (0, 0));
        prop_assert!(tracking.is_idle());
        tracking.check();
    }

    #[test]
    fn prefixes_gather_the_keys_that_begin_with_them(
        wishes in prop::collection::vec(prop::collection::btree_set("[ab]{0,3}", 0..4), 1..5),
        changes in prop::collection::vec(("[ab]{0,4}", 0..5_u64), 0..60),
        leaves in 0..5_usize,
    ) {
        let mut tracking = Tracking::new(HashSeed([7; 16]));
        let mut clients = Vec::new();
        for (slot, prefixes) in wishes.iter().enumerate() {
            let mut joining = client(slot as u64 + 1, slot as u32);
            let prefixes = prefixes.iter().map(|prefix| prefix.as_bytes().into()).collect();
            tracking.start(&mut joining, wish(WishedMode::Prefixes(prefixes)));
            clients.push(joining);
        }
        let by = |number: u64| (number > 0).then_some(ClientId { number, slot: 9 });
        changes.iter().for_each(|(key, number)| tracking.prefixes.changed(key.as_bytes(), by(*number)));
        if let Some(leaving) = clients.get_mut(leaves) {
            tracking.stop(leaving);
        }
        tracking.check();
        let mut expected = Vec::new();
        let named: BTreeSet<&String> = wishes.iter().flatten().collect();
        for prefix in named {
            let stands =
                |(slot, prefixes): &(usize, &BTreeSet<String>)| *slot != leaves && prefixes.contains(prefix);
            let under: Vec<u64> =
                wishes.iter().enumerate().filter(stands).map(|(slot, _)| slot as u64 + 1).collect();
            let keys: BTreeMap<Vec<u8>, ChangedBy> = changes
                .iter()
                .filter(|(key, _)| key.starts_with(prefix.as_str()))
                .map(|(key, number)| (key.as_bytes().to_vec(), by(*number)))
                .collect();
            if !under.is_empty() && !keys.is_empty() {
                expected.push((under, keys.into_iter().collect::<Vec<_>>()));
            }
        }
        let told: Vec<_> = tracking
            .prefixes
            .take_broadcasts()
            .iter()
            .map(|broadcast| {
                let numbers: Vec<u64> = broadcast.clients.iter().map(|id| id.number).collect();
                (numbers, broadcast.keys().map(|(key, by)| (key.to_vec(), by)).collect::<Vec<_>>())
            })
            .collect();
        prop_assert_eq!(told, expected);
        prop_assert!(!tracking.prefixes.has_changed() && tracking.prefixes.take_broadcasts().is_empty());
        tracking.check();
    }
}

#[test]
fn many_changes_of_few_keys_take_little_memory() {
    let mut tracking = Tracking::new(HashSeed([7; 16]));
    let mut listener = client(1, 0);
    tracking.start(&mut listener, wish(WishedMode::Prefixes(vec![b""[..].into()])));
    for number in 0..1_000_000_u32 {
        let by = Some(ClientId { number: u64::from(number), slot: 1 });
        tracking.prefixes.changed(&[b'k', (number % 50) as u8], by);
    }
    assert!(tracking.heap_bytes() < 1 << 20, "{}", tracking.heap_bytes());
    let told = tracking.prefixes.take_broadcasts();
    let keys: Vec<_> = told[0].keys().collect();
    assert_eq!(keys.len(), 50);
    assert_eq!(keys[49].1.map(|client| client.number), Some(999_999));
}

#[test]
fn numbers_of_those_who_went_wait_for_the_sweep() {
    let mut tracking = Tracking::new(HashSeed([7; 16]));
    let mut first = client(1, 0);
    tracking.start(&mut first, wish(WishedMode::Reads(Reads::All)));
    tracking.keys.remember(b"k", 0);
    tracking.forget(&mut first);
    let mut second = client(2, 0);
    tracking.start(&mut second, wish(WishedMode::Reads(Reads::All)));
    assert_eq!(second.tracker.as_ref().and_then(|tracker| tracker.remembers_as()), Some(1));
    assert!(!tracking.sweep(100));
    assert_eq!(tracking.keys.len(), 0);
    let mut third = client(3, 1);
    tracking.start(&mut third, wish(WishedMode::Reads(Reads::All)));
    assert_eq!(third.tracker.as_ref().and_then(|tracker| tracker.remembers_as()), Some(0));
}
