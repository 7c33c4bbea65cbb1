//! How much memory the clients take, and which take most: kept while `maxmemory-clients` limits it, and only then.
//!
//! ```text
//!   class      0          1          2               16          17         18
//!   bytes   ..32 KiB   ..64 KiB   ..128 KiB   ...   ..2 GiB   ..4 GiB   ..infinity
//! ```
//! Clients that may be evicted stand in the class of their size, so that the largest are found without a look at all.
//! What a client holds besides its output changes in its own turns; its output changes at any time, so those bytes are
//! kept apart, and adding a message to one of many subscribers costs two subtractions.
//!
//! Invariant: the total is the sum of what is accounted to each client; who is being closed has nothing any more.

use super::client::{Client, ClientKind};
use crate::base::ids::ClientId;
use std::collections::BTreeSet;

const CLASSES: usize = 19;
/// Every class is twice as wide as the one before it; the first ends here.
const FIRST_CLASS_BYTES: usize = 32 * 1024;

/// What is accounted to one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    own_bytes: usize,
    output_bytes: usize,
    class: Option<u8>,
}

impl Account {
    fn bytes(self) -> usize {
        self.own_bytes + self.output_bytes
    }
}

/// All accounts together.
#[derive(Default)]
pub struct ClientMemory {
    total_bytes: usize,
    classes: [BTreeSet<ClientId>; CLASSES],
}

impl ClientMemory {
    pub fn total_bytes(&self) -> usize {
        self.total_bytes
    }

    /// One of the largest clients that may be evicted.
    pub fn largest(&self) -> Option<ClientId> {
        self.classes.iter().rev().find_map(|class| class.first().copied())
    }

    /// Measures a client anew.
    pub fn count(&mut self, client: &mut Client) {
        let output_bytes = client.output.heap_bytes();
        let own_bytes = client.heap_bytes() - output_bytes;
        self.put(client, own_bytes, output_bytes);
    }

    /// Measures a client's output alone.
    pub fn count_output(&mut self, client: &mut Client) {
        let (own_bytes, output_bytes) = (client.account.own_bytes, client.output.heap_bytes());
        if output_bytes != client.account.output_bytes {
            self.put(client, own_bytes, output_bytes);
        }
    }

    /// Accounts nothing to a client any more.
    pub fn forget(&mut self, client: &mut Client) {
        self.total_bytes -= client.account.bytes();
        self.leave_class(client);
        client.account = Account::default();
    }

    fn put(&mut self, client: &mut Client, own_bytes: usize, output_bytes: usize) {
        if client.close_now || !is_limited(client.kind()) {
            return self.forget(client);
        }
        let account = Account { own_bytes, output_bytes, ..client.account };
        self.total_bytes = self.total_bytes - client.account.bytes() + account.bytes();
        client.account = account;
        let class = (!client.no_evict).then(|| class_of(account.bytes()));
        if class != account.class {
            self.leave_class(client);
            if let Some(class) = class {
                self.classes[usize::from(class)].insert(client.id);
            }
            client.account.class = class;
        }
    }

    fn leave_class(&mut self, client: &mut Client) {
        if let Some(class) = client.account.class.take() {
            self.classes[usize::from(class)].remove(&client.id);
        }
    }
}

/// Whether the limit is about such clients.
fn is_limited(kind: ClientKind) -> bool {
    match kind {
        ClientKind::Normal | ClientKind::Pubsub => true,
    }
}

fn class_of(bytes: usize) -> u8 {
    let class = (bytes / FIRST_CLASS_BYTES).checked_ilog2().map_or(0, |log| log as usize + 1);
    class.min(CLASSES - 1) as u8
}

#[cfg(test)]
mod tests {
    use super::super::client::Origin;
    use super::super::clients::Clients;
    use super::*;

    fn clients(count: usize) -> (Clients, Vec<ClientId>) {
        let mut clients = Clients::default();
        let origin = Origin::local(1);
        let ids = (0..count).map(|_| clients.add(origin.clone(), 0)).collect();
        (clients, ids)
    }

    #[test]
    fn classes_double() {
        assert_eq!(
            [0, 32767, 32768, 65535, 65536, 1 << 33, usize::MAX].map(class_of),
            [0, 0, 1, 1, 2, 18, 18]
        );
    }

    #[test]
    fn the_total_is_the_sum_whatever_happens() {
        let (mut clients, ids) = clients(3);
        clients.limit_memory(true);
        let all = |clients: &Clients| clients.iter().map(Client::heap_bytes).sum::<usize>();
        assert_eq!(clients.memory().unwrap().total_bytes(), all(&clients));
        clients.push(ids[1], &[b'x'; 100_000]);
        clients.get_mut(ids[0]).unwrap().name = vec![b'n'; 40_000];
        clients.count_memory(ids[0]);
        assert_eq!(clients.memory().unwrap().total_bytes(), all(&clients));
        assert_eq!(clients.memory().unwrap().largest(), Some(ids[1]));
        clients.output_sent(ids[1], 100_000);
        assert_eq!(clients.memory().unwrap().largest(), Some(ids[0]));
        clients.get_mut(ids[0]).unwrap().no_evict = true;
        clients.count_memory(ids[0]);
        assert_eq!(clients.memory().unwrap().total_bytes(), all(&clients), "it counts, but is spared");
        assert_ne!(clients.memory().unwrap().largest(), Some(ids[0]));
        clients.remove(ids[0]);
        let closing = clients.get_mut(ids[2]).unwrap();
        closing.close_now = true;
        clients.count_memory(ids[2]);
        let left = clients.get(ids[1]).unwrap().heap_bytes();
        assert_eq!(clients.memory().unwrap().total_bytes(), left);
        clients.limit_memory(false);
        assert!(clients.memory().is_none());
        clients.limit_memory(true);
        assert_eq!(clients.memory().unwrap().total_bytes(), left);
    }
}
