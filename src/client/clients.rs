//! All clients, by number.

use super::client::{Client, ClientKind, Origin};
use crate::base::ids::ClientId;
use std::collections::BTreeMap;

/// The clients that are connected.
///
/// A map in order of the numbers is also in order of arrival, which is the order of CLIENT LIST. A client's box keeps its
/// place in memory, so that a lookup touches one line of the tree and one of the client.
#[derive(Default)]
pub struct Clients {
    by_id: BTreeMap<ClientId, Box<Client>>,
    next_id: u64,
    monitors: Vec<ClientId>,
}

impl Clients {
    /// Adds a client and returns its number, the first being 1.
    pub fn add(&mut self, origin: Origin, now_ms: i64) -> ClientId {
        self.next_id += 1;
        let id = ClientId(self.next_id);
        self.by_id.insert(id, Box::new(Client::new(id, origin, now_ms)));
        id
    }

    pub fn remove(&mut self, id: ClientId) -> Option<Box<Client>> {
        self.monitors.retain(|monitor| *monitor != id);
        self.by_id.remove(&id)
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub fn get(&self, id: ClientId) -> Option<&Client> {
        self.by_id.get(&id).map(Box::as_ref)
    }

    pub fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.by_id.get_mut(&id).map(Box::as_mut)
    }

    /// In order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.by_id.values().map(Box::as_ref)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.by_id.values_mut().map(Box::as_mut)
    }

    /// Those that see every command.
    pub fn monitors(&self) -> &[ClientId] {
        &self.monitors
    }

    pub fn set_monitor(&mut self, id: ClientId) {
        let Some(client) = self.by_id.get_mut(&id) else { return };
        if client.kind != ClientKind::Monitor {
            client.kind = ClientKind::Monitor;
            self.monitors.push(id);
        }
    }

    pub fn unset_monitor(&mut self, id: ClientId) {
        self.monitors.retain(|monitor| *monitor != id);
        if let Some(client) = self.by_id.get_mut(&id) {
            client.kind = ClientKind::Normal;
        }
    }

    /// Appends `bytes` to a client's output and wakes its connection.
    pub fn push(&mut self, id: ClientId, bytes: &[u8]) {
        if let Some(client) = self.by_id.get_mut(&id) {
            client.output.push(bytes);
            client.wake();
        }
    }
}
