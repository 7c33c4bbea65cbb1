//! The numbers under which keys remember their readers: four bytes each, where a client's own take twelve.
//!
//! ```text
//!  number_of -> in use -> leave -> left ── a sweep of the table begins ──> swept ── it has been through ──> free
//! ```

use crate::base::ids::ClientId;
use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Readers {
    clients: Vec<Option<ClientId>>,
    numbers: HashMap<ClientId, u32>,
    free: Vec<u32>,
    /// Of clients that have gone since the sweep began.
    left: Vec<u32>,
    /// Of clients that the sweep, which goes on, removes.
    swept: Vec<u32>,
    /// Where it goes on.
    cursor: u64,
}

impl Readers {
    /// The number of a client, which keeps it until it goes.
    pub(super) fn number_of(&mut self, client: ClientId) -> u32 {
        if let Some(number) = self.numbers.get(&client) {
            return *number;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.clients.push(None);
            u32::try_from(self.clients.len() - 1).expect("fewer than 2^32 clients")
        });
        self.clients[number as usize] = Some(client);
        self.numbers.insert(client, number);
        number
    }

    /// `None`: it has gone.
    pub(super) fn client(&self, number: u32) -> Option<ClientId> {
        self.clients.get(number as usize).copied().flatten()
    }

    pub(super) fn leave(&mut self, client: ClientId) {
        if let Some(number) = self.numbers.remove(&client) {
            self.clients[number as usize] = None;
            self.left.push(number);
        }
    }

    /// No key remembers anybody: the numbers of those who have gone are free.
    pub(super) fn reuse_all(&mut self) {
        self.free.append(&mut self.left);
        self.free.append(&mut self.swept);
        self.cursor = 0;
    }

    /// Where the sweep goes on; `None`: nobody has gone.
    pub(super) fn sweep_cursor(&mut self) -> Option<u64> {
        if self.swept.is_empty() {
            std::mem::swap(&mut self.swept, &mut self.left);
            self.cursor = 0;
        }
        (!self.swept.is_empty()).then_some(self.cursor)
    }

    /// Notes how far the sweep is; 0: it is through.
    pub(super) fn swept_to(&mut self, cursor: u64) {
        self.cursor = cursor;
        if cursor == 0 {
            self.free.append(&mut self.swept);
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        const NUMBER_BYTES: usize = size_of::<(ClientId, u32)>() + 1;
        self.clients.capacity() * size_of::<Option<ClientId>>() + self.numbers.capacity() * NUMBER_BYTES
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        let idle = self.free.len() + self.left.len() + self.swept.len();
        assert_eq!(self.numbers.len() + idle, self.clients.len(), "every number is somewhere");
        for (client, number) in &self.numbers {
            assert_eq!(self.client(*number), Some(*client));
        }
    }
}
