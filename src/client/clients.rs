//! All clients, by number.

use super::client::{Client, Origin};
use super::memory::ClientMemory;
use crate::base::ids::ClientId;
use crate::config::OutputLimits;
use crate::encoding::prefetch::prefetch;
use crate::resp::Announcement;
use bytes::Bytes;
use std::collections::VecDeque;
use std::task::Waker;

/// The clients that are connected.
///
/// A slab: a `ClientId` carries its slot, and the number guards against a slot that was given to somebody else.
#[derive(Default)]
pub struct Clients {
    slots: Vec<Option<Box<Client>>>,
    free: Vec<u32>,
    connected: usize,
    last_number: u64,
    monitors: Vec<ClientId>,
    /// How much may wait for a client before it is closed.
    pub output_limits: OutputLimits,
    unit: Unit,
    /// One that is not over, while others run.
    suspended: Unit,
    /// Those that were given output out of turn and not been woken since, each once.
    receivers: VecDeque<ClientId>,
    pushed: Pushed,
    /// Wakes who calls `wake_receivers`.
    receivers_waker: Option<Waker>,
    /// Clients closed for what waited for them, not yet counted.
    overflowed: u64,
    /// An output buffer that nobody uses, lent to the next client that answers: idle clients hold none.
    spare_output: Vec<u8>,
    /// Who takes how much, while that is limited.
    memory: Option<Box<ClientMemory>>,
}

/// Whose command is running, and what others have sent to that client since it began.
#[derive(Default)]
pub struct Unit {
    client: Option<ClientId>,
    held_back: Vec<u8>,
}

/// What was sent out of turn since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// A message counts for each of its receivers.
    pub messages: u64,
    pub bytes: u64,
}

impl Pushed {
    pub fn since(self, before: Pushed) -> Pushed {
        Pushed { messages: self.messages - before.messages, bytes: self.bytes - before.bytes }
    }
}

/// Output buffers larger than this are not kept for the next client.
const SPARE_BYTES_MAX: usize = 64 * 1024;

impl Clients {
    /// Adds a client and returns its number, the first being 1.
    pub fn add(&mut self, origin: Origin, now_ms: i64) -> ClientId {
        self.last_number += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 clients")
        });
        let id = ClientId { number: self.last_number, slot };
        self.slots[slot as usize] = Some(Box::new(Client::new(id, origin, now_ms)));
        self.connected += 1;
        self.count_memory(id);
        id
    }

    pub fn remove(&mut self, id: ClientId) -> Option<Box<Client>> {
        self.get(id)?;
        self.monitors.retain(|monitor| *monitor != id);
        self.free.push(id.slot);
        self.connected -= 1;
        let mut client = self.slots[id.slot as usize].take()?;
        if let Some(memory) = &mut self.memory {
            memory.forget(&mut client);
        }
        Some(client)
    }

    pub fn len(&self) -> usize {
        self.connected
    }

    pub fn is_empty(&self) -> bool {
        self.connected == 0
    }

    pub fn get(&self, id: ClientId) -> Option<&Client> {
        self.slots.get(id.slot as usize)?.as_deref().filter(|client| client.id == id)
    }

    pub fn get_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.slots.get_mut(id.slot as usize)?.as_deref_mut().filter(|client| client.id == id)
    }

    /// The numbers of all clients in order of arrival, which is the order of CLIENT LIST.
    pub fn ids(&self) -> Vec<ClientId> {
        let mut ids: Vec<ClientId> = self.iter().map(|client| client.id).collect();
        ids.sort_unstable();
        ids
    }

    /// In no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Client> {
        self.slots.iter().flatten().map(Box::as_ref)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.slots.iter_mut().flatten().map(Box::as_mut)
    }

    /// Those that see every command.
    pub fn monitors(&self) -> &[ClientId] {
        &self.monitors
    }

    pub fn set_monitor(&mut self, id: ClientId) {
        let Some(client) = self.get_mut(id) else { return };
        if !client.is_monitor {
            client.is_monitor = true;
            self.monitors.push(id);
        }
    }

    pub fn unset_monitor(&mut self, id: ClientId) {
        self.monitors.retain(|monitor| *monitor != id);
        if let Some(client) = self.get_mut(id) {
            client.is_monitor = false;
        }
    }

    /// A command of `client` begins: what is sent to that client from now on is held back. Returns what to give to
    /// `end_unit`.
    #[inline]
    pub fn begin_unit(&mut self, client: ClientId) -> Unit {
        std::mem::replace(&mut self.unit, Unit { client: Some(client), held_back: Vec::new() })
    }

    /// The command has passed the gates: appends what was held back to `out`, where its reply will follow.
    #[inline]
    pub fn release_held_back(&mut self, out: &mut Vec<u8>) {
        if !self.unit.held_back.is_empty() {
            out.append(&mut self.unit.held_back);
        }
    }

    /// The command has answered: returns what was held back, which comes behind the answer.
    #[inline]
    pub fn end_unit(&mut self, outer: Unit) -> Vec<u8> {
        std::mem::replace(&mut self.unit, outer).held_back
    }

    /// The running command is suspended: what is sent to its client is held back until it goes on and ends.
    #[cold]
    pub fn suspend_unit(&mut self, outer: Unit) {
        self.suspended = std::mem::replace(&mut self.unit, outer);
    }

    /// It goes on. Returns what to give to `end_unit` or `suspend_unit`.
    #[cold]
    pub fn resume_unit(&mut self) -> Unit {
        std::mem::replace(&mut self.unit, std::mem::take(&mut self.suspended))
    }

    /// Sends bytes out of turn: behind what waits for the client, or behind the reply of its running command. Nothing
    /// mutes them, and one that is being closed gets none.
    pub fn push(&mut self, id: ClientId, bytes: &[u8]) {
        self.append(id, bytes, None);
    }

    /// As `push`, without a copy.
    pub fn push_shared(&mut self, id: ClientId, bytes: &Bytes) {
        self.append(id, &[], Some(bytes));
    }

    /// Sends an announcement in the client's protocol. Whether the client gets it.
    #[inline]
    pub fn announce(&mut self, id: ClientId, announcement: &mut Announcement) -> bool {
        let Some(client) = self.get(id) else { return false };
        let (head, tail) = announcement.parts(client.protocol);
        self.append(id, head, tail)
    }

    fn append(&mut self, id: ClientId, head: &[u8], tail: Option<&Bytes>) -> bool {
        let limits = self.output_limits;
        let is_running = self.unit.client == Some(id);
        if self.suspended.client == Some(id) && !is_running {
            return self.hold_back(id, head, tail);
        }
        let Some(client) = self.get_mut(id).filter(|client| !client.is_closing()) else { return false };
        if is_running {
            self.unit.held_back.extend_from_slice(head);
            self.unit.held_back.extend_from_slice(tail.map_or(&[], |tail| tail));
            return true;
        }
        let waited = client.output.pending_len();
        if !head.is_empty() {
            client.output.push(head);
        }
        if let Some(tail) = tail {
            client.output.push_shared(tail.clone());
        }
        let waits = client.output.pending_len();
        let hard_bytes = client.kind().output_limit(&limits).hard_bytes;
        let is_too_much = hard_bytes > 0 && waits as u64 > hard_bytes;
        let is_new = !std::mem::replace(&mut client.needs_wake, true);
        if is_too_much {
            client.overflow();
            self.overflowed += 1;
        } else if is_new {
            self.add_receiver(id);
        }
        self.pushed.messages += 1;
        self.pushed.bytes += (waits - waited) as u64;
        self.count_output(id);
        true
    }

    /// For the client whose command is suspended. It can be closed for too much, but goes only when the command ends.
    #[cold]
    fn hold_back(&mut self, id: ClientId, head: &[u8], tail: Option<&Bytes>) -> bool {
        let limits = self.output_limits;
        let held_back = &mut self.suspended.held_back;
        let Some(client) = self.slots.get_mut(id.slot as usize).and_then(Option::as_deref_mut) else {
            return false;
        };
        if client.is_closing() {
            return false;
        }
        held_back.extend_from_slice(head);
        held_back.extend_from_slice(tail.map_or(&[], |tail| tail));
        let hard_bytes = client.kind().output_limit(&limits).hard_bytes;
        if hard_bytes > 0 && held_back.len() as u64 > hard_bytes {
            held_back.clear();
            client.overflow();
            self.overflowed += 1;
        }
        true
    }

    /// Sends the answer of a command that had to wait.
    pub fn answer(&mut self, id: ClientId, answer: &[u8]) {
        if self.unit.client == Some(id) {
            self.unit.held_back.extend_from_slice(answer);
        } else if let Some(client) = self.get_mut(id) {
            client.output.push(answer);
            client.wake();
        }
        self.count_output(id);
    }

    /// Accounts the memory of every client from now on (directive `maxmemory-clients`), or of none.
    pub fn limit_memory(&mut self, limited: bool) {
        if limited == self.memory.is_some() {
            return;
        }
        self.memory = limited.then(Box::default);
        for client in self.slots.iter_mut().flatten() {
            client.account = Default::default();
            if let Some(memory) = &mut self.memory {
                memory.count(client);
            }
        }
    }

    /// What all clients take; `None` while that is not limited.
    pub fn memory(&self) -> Option<&ClientMemory> {
        self.memory.as_deref()
    }

    /// Notes what a client takes now.
    #[inline]
    pub fn count_memory(&mut self, id: ClientId) {
        self.account(id, ClientMemory::count);
    }

    /// Notes what a client's output takes now: cheaper, when nothing else of it has changed.
    #[inline]
    fn count_output(&mut self, id: ClientId) {
        self.account(id, ClientMemory::count_output);
    }

    #[inline]
    fn account(&mut self, id: ClientId, count: fn(&mut ClientMemory, &mut Client)) {
        if let Some(memory) = &mut self.memory
            && let Some(client) = self.slots.get_mut(id.slot as usize).and_then(Option::as_deref_mut)
            && client.id == id
        {
            count(memory, client);
        }
    }

    /// How much was sent out of turn, for those who must bound it.
    #[inline]
    pub fn pushed(&self) -> Pushed {
        self.pushed
    }

    fn add_receiver(&mut self, id: ClientId) {
        self.receivers.push_back(id);
        if self.receivers.len() == 1
            && let Some(waker) = &self.receivers_waker
        {
            waker.wake_by_ref();
        }
    }

    /// Wakes the connections of up to `max` clients that were given output out of turn; whether more are left. When
    /// there are some again, `waker` is woken.
    pub fn wake_receivers(&mut self, max: usize, waker: &Waker) -> bool {
        if self.receivers_waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            self.receivers_waker = Some(waker.clone());
        }
        for _ in 0..max {
            let Some(id) = self.receivers.pop_front() else { break };
            if let Some(client) = self.get_mut(id) {
                client.needs_wake = false;
                // It may have been sent together with a reply.
                if !client.output.is_empty() {
                    client.wake();
                }
            }
        }
        !self.receivers.is_empty()
    }

    /// Asks for what `announce` looks at: of many receivers each would be several cache misses.
    #[inline]
    pub fn prefetch(&self, id: ClientId) {
        if let Some(Some(client)) = self.slots.get(id.slot as usize) {
            prefetch(&raw const client.id);
            prefetch(&raw const client.listening);
            prefetch(&raw const client.output);
        }
    }

    /// How many clients were closed for what waited for them since the last call.
    pub fn take_overflowed(&mut self) -> u64 {
        std::mem::take(&mut self.overflowed)
    }

    /// Lends a client's output buffer to whoever executes its commands.
    pub fn lend_output(&mut self, id: ClientId) -> Vec<u8> {
        let lent = self.get_mut(id).map(|client| client.output.lend()).unwrap_or_default();
        if lent.capacity() == 0 { std::mem::take(&mut self.spare_output) } else { lent }
    }

    /// Takes the lent buffer back, with what was added to it.
    pub fn return_output(&mut self, id: ClientId, bytes: Vec<u8>) {
        match self.get_mut(id) {
            Some(client) if !bytes.is_empty() => client.output.put_back(bytes),
            _ => self.keep_spare(bytes),
        }
    }

    /// Notes that `count` bytes of a client's output were sent, and keeps an emptied buffer for the next one.
    pub fn output_sent(&mut self, id: ClientId, count: usize) {
        let Some(client) = self.get_mut(id) else { return };
        client.output_bytes_total += count as u64;
        client.output.advance(count);
        if client.output.is_empty() {
            let emptied = client.output.lend();
            self.keep_spare(emptied);
        }
        self.count_output(id);
    }

    fn keep_spare(&mut self, mut bytes: Vec<u8>) {
        if bytes.capacity() <= SPARE_BYTES_MAX && bytes.capacity() > self.spare_output.capacity() {
            bytes.clear();
            self.spare_output = bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::Transport;
    use super::*;

    fn origin() -> Origin {
        Origin {
            address: "127.0.0.1:1".into(),
            local_address: "127.0.0.1:6379".into(),
            transport: Transport::Tcp,
            is_local: true,
            fd: 9,
        }
    }

    #[test]
    fn a_reused_slot_does_not_answer_to_the_old_number() {
        let mut clients = Clients::default();
        let first = clients.add(origin(), 0);
        assert!(clients.remove(first).is_some());
        let second = clients.add(origin(), 0);
        assert_eq!((second.slot, second.number), (first.slot, 2));
        assert!(clients.get(first).is_none() && clients.remove(first).is_none());
        assert_eq!(clients.ids(), [second]);
    }

    #[test]
    fn output_buffers_are_passed_on() {
        let mut clients = Clients::default();
        let (one, two) = (clients.add(origin(), 0), clients.add(origin(), 0));
        let mut lent = clients.lend_output(one);
        lent.extend_from_slice(b"+OK\r\n");
        clients.return_output(one, lent);
        clients.output_sent(one, 5);
        assert!(clients.lend_output(two).capacity() >= 5);
    }
}
