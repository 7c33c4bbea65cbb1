//! Client-side caching: what is remembered when keys are read, and who is told when they change.
//!
//! ```text
//!  a command reads    remember         the reader's number at each key of the command
//!  keys changed       invalidate       (from commit) readers are told at once, prefixes at the end of the round
//!  the unit is over   finish_unit      the client that ran it is told: behind its reply, and that of a whole EXEC
//!  the round is over  broadcast        one message for each prefix, whoever changed its keys
//! ```
//! Invariants:
//! 1. Changes are taken from the ledger, in its order.
//! 2. A key that changed has no readers any more: who is told reads it again, or does not care.
//! 3. What a command has read is remembered after its own changes (a key that it found expired) were told.

use super::call::Call;
use super::gates;
use crate::base::argv::Args;
use crate::base::bio::Job;
use crate::base::ids::ClientId;
use crate::client::tracking::message::{Keys, Message, redirection_broken};
use crate::client::tracking::{OwnChanges, Receiver, Redirection, Tracking};
use crate::client::{Client, Clients};
use crate::encoding::field::Field;
use crate::keyspace::ledger::Sweep;
use crate::keyspace::{Event, Keyspace};
use crate::resp::announcement::SHARED_BYTES_MIN;
use crate::resp::{Protocol, Reply};
use crate::server::Server;
use crate::spec::{Flags, Group, KeyFlags};

/// Keys that are taken from a table above its limit before one command; twice as many before the next if that was not
/// enough, and so on.
const EVICTED_PER_COMMAND: u32 = 100;
/// Keys that one tick looks at for readers that have gone.
const SWEPT_PER_TICK: usize = 5_000;

/// Tells those whom the changes in the ledger concern. `running`: whose command made them.
pub fn invalidate(server: &mut Server, running: Option<ClientId>) {
    if server.ledger.sweeps().iter().any(|sweep| is_whole(*sweep)) {
        // Keys that were told one by one (for those who watch them) are among all.
        return invalidate_all(server, running);
    }
    let Server { ledger, tracking, clients, .. } = server;
    for change in ledger.changes().filter(|change| change.event.concerns_caches()) {
        if !tracking.prefixes.is_empty() {
            let by = running.filter(|_| !matches!(change.event, Event::Expired | Event::Evicted));
            tracking.prefixes.changed(change.key, by);
        }
        if let Some(remembered) = tracking.keys.forget(change.key) {
            tell_readers(tracking, clients, &remembered, running);
        }
    }
}

/// Whether all keys go, for everybody: keys are remembered without their database. A swap tells nobody, as in Redis.
fn is_whole(sweep: Sweep) -> bool {
    match sweep {
        Sweep::Flushed { .. } | Sweep::Replaced => true,
        Sweep::Swapped { .. } => false,
    }
}

/// Tells the readers of a key that is remembered no more.
fn tell_readers(
    tracking: &mut Tracking,
    clients: &mut Clients,
    remembered: &Field,
    running: Option<ClientId>,
) {
    let key = remembered.name();
    let mut message = Message::new(|reply: &mut Reply<'_>| Keys::One(key).write(reply));
    let mut is_own = None;
    for reader in tracking.clients_of(remembered) {
        let Some(tracker) = clients.get(reader).and_then(|client| client.tracker.as_ref()) else { continue };
        if tracker.is_broadcast() {
            continue;
        }
        if Some(reader) != running {
            send(clients, reader, &mut message);
        } else if tracker.own_changes == OwnChanges::Told {
            is_own = running;
        }
    }
    if let Some(own) = is_own {
        tracking.own.push((own, Some(key.into())));
    }
}

/// All keys have gone: tells everybody who tracks.
fn invalidate_all(server: &mut Server, running: Option<ClientId>) {
    let Server { tracking, clients, keyspace, .. } = server;
    let mut message = Message::new(|reply: &mut Reply<'_>| Keys::All.write(reply));
    for id in clients.ids() {
        if clients.get(id).is_none_or(|client| client.tracker.is_none()) {
            continue;
        }
        if Some(id) == running {
            tracking.own.push((id, None));
        } else {
            send(clients, id, &mut message);
        }
    }
    forget_keys(tracking, keyspace);
}

fn forget_keys(tracking: &mut Tracking, keyspace: &Keyspace) {
    let keys = tracking.forget_keys();
    if let Some(bio) = keyspace.bio.as_deref()
        && !keys.is_empty()
    {
        bio.submit(Job::Run(Box::new(move || drop(keys))));
    }
}

/// Sends `message` to whom the client `id` wants it sent.
fn send<W: Fn(&mut Reply<'_>)>(clients: &mut Clients, id: ClientId, message: &mut Message<W>) {
    let Some(receiver) = find_receiver(clients, id) else { return };
    let to = match receiver {
        Receiver::Itself => id,
        Receiver::Other(other) => other,
    };
    let Some(protocol) = clients.get(to).and_then(|client| understood(client, receiver)) else { return };
    let bytes = message.bytes(protocol);
    if bytes.len() < SHARED_BYTES_MIN {
        clients.push(to, bytes);
    } else {
        clients.push_shared(to, bytes);
    }
}

/// Who gets the invalidations of the client `id`. When that one has gone, the client is told so instead.
fn find_receiver(clients: &mut Clients, id: ClientId) -> Option<Receiver> {
    let client = clients.get(id)?;
    // What was in the air when its tracking ended goes to the client itself.
    let receiver = client.tracker.as_ref().map_or(Receiver::Itself, |tracker| tracker.receiver);
    let Receiver::Other(other) = receiver else { return Some(receiver) };
    if clients.get(other).is_some_and(|client| !client.close_now) {
        return Some(receiver);
    }
    let client = clients.get_mut(id)?;
    let protocol = client.protocol;
    client.tracker.iter_mut().for_each(|tracker| tracker.redirection = Redirection::Broken);
    if protocol == Protocol::Resp3 {
        clients.push(id, &redirection_broken(other.number));
    }
    None
}

/// In which protocol a message is sent to `client`. In RESP2 only a subscriber expects any, and it must have been asked
/// for by way of a redirection.
fn understood(client: &Client, receiver: Receiver) -> Option<Protocol> {
    let is_understood = match client.protocol {
        Protocol::Resp3 => true,
        Protocol::Resp2 => receiver != Receiver::Itself && client.is_in_subscriber_mode(),
    };
    is_understood.then_some(client.protocol)
}

/// Remembers the keys that a command has read, for the client that called it: the hook of every call, be it of a
/// client, a transaction or a script.
pub fn remember(server: &mut Server, call: &Call<'_>) {
    let Server { clients, tracking, commands, .. } = server;
    let tracker = clients.get(call.client).and_then(|client| client.tracker.as_ref());
    let Some(number) = tracker.and_then(|tracker| tracker.remembers_as()) else { return };
    let spec = &commands.at(call.command).entry.spec;
    // A script that only reads is none: its commands are.
    if !spec.flags.has(Flags::READONLY) || spec.group == Group::Scripting {
        return;
    }
    // Arguments that cannot be understood have named no keys.
    let places = spec.key_places(call.request.args).unwrap_or_default();
    for (place, flags) in places {
        if !flags.has(KeyFlags::NOT_KEY) {
            tracking.keys.remember(call.request.args.at(place), number);
        }
    }
}

/// The outermost unit is over: tells the client that ran it what it changed itself, and has a broadcast follow.
#[inline]
pub fn finish_unit(server: &mut Server) {
    if !server.tracking.own.is_empty() {
        tell_own(server);
    }
    if server.tracking.prefixes.has_changed() && !server.tracking.is_broadcast_due {
        schedule_broadcast(server);
    }
}

#[cold]
fn tell_own(server: &mut Server) {
    let Server { tracking, clients, .. } = server;
    for (id, key) in tracking.own.drain(..) {
        let keys = key.as_deref().map_or(Keys::All, Keys::One);
        send(clients, id, &mut Message::new(|reply: &mut Reply<'_>| keys.write(reply)));
    }
}

/// Without a network (in tests) whoever wants it calls `broadcast`.
fn schedule_broadcast(server: &mut Server) {
    if let Some(host) = &server.host {
        server.tracking.is_broadcast_due = true;
        host.end_round();
    }
}

/// The commands of this round of the loop are done: tells those who listen to prefixes which keys changed.
pub fn broadcast(server: &mut Server) {
    server.tracking.is_broadcast_due = false;
    // A script under way may change more of them: its end is the end of a unit, and that of the round follows.
    if server.is_busy() {
        return;
    }
    let Server { tracking, clients, .. } = server;
    for broadcast in tracking.prefixes.take_broadcasts() {
        let count = broadcast.keys().count();
        let mut to_all = Message::new(|reply: &mut Reply<'_>| {
            reply.array(count);
            broadcast.keys().for_each(|(key, _)| reply.bulk(key));
        });
        let mut changers: Vec<ClientId> = broadcast.keys().filter_map(|(_, by)| by).collect();
        changers.sort_unstable();
        changers.dedup();
        for id in &broadcast.clients {
            let tracker = clients.get(*id).and_then(|client| client.tracker.as_ref());
            let own_changes = tracker.map_or(OwnChanges::Told, |tracker| tracker.own_changes);
            if own_changes == OwnChanges::Told || changers.binary_search(id).is_err() {
                send(clients, *id, &mut to_all);
                continue;
            }
            let foreign = || broadcast.keys().filter(|(_, by)| *by != Some(*id)).map(|(key, _)| key);
            let count = foreign().count();
            if count > 0 {
                let to_one = |reply: &mut Reply<'_>| {
                    reply.array(count);
                    foreign().for_each(|key| reply.bulk(key));
                };
                send(clients, *id, &mut Message::new(to_one));
            }
        }
    }
}

/// Takes random keys from the table until it is within its limit, and tells their readers. Bounded work: what is left
/// goes before the next commands.
pub fn enforce_limit(server: &mut Server) {
    let keys_max = usize::try_from(server.config.tracking_table_max_keys).unwrap_or(usize::MAX);
    let Server { tracking, clients, keyspace, .. } = server;
    let is_above = |tracking: &Tracking| keys_max > 0 && tracking.keys.len() > keys_max;
    let evicted_max = EVICTED_PER_COMMAND.saturating_mul(tracking.times_above_limit + 1);
    for _ in 0..evicted_max {
        if !is_above(tracking) {
            break;
        }
        if let Some(remembered) = tracking.keys.forget_random(&mut keyspace.rng) {
            tell_readers(tracking, clients, &remembered, None);
        }
    }
    tracking.times_above_limit = if is_above(tracking) { tracking.times_above_limit + 1 } else { 0 };
}

/// Of the cron: the table forgets readers that have gone, and keeps its limit when nobody sends commands.
pub fn cron(server: &mut Server) {
    if !server.tracking.is_idle() {
        enforce_limit(server);
    }
    server.tracking.sweep(SWEPT_PER_TICK);
}

/// CLIENT CACHING holds for one command: ends that, unless the command was one of CLIENT or a transaction is open.
#[inline]
pub fn command_ended(server: &mut Server, client: ClientId, args: Args<'_>) {
    if server.tracking.client_count() == 0 {
        return;
    }
    let Some(client) = server.clients.get(client) else { return };
    if client.tracker.as_ref().is_some_and(|tracker| tracker.caching_said) && client.transaction.is_none() {
        end_caching(server, client.id, args);
    }
}

#[cold]
fn end_caching(server: &mut Server, client: ClientId, args: Args<'_>) {
    let container = gates::find(server, args).ok().map(|command| {
        let command = server.commands.at(command);
        command.container.map_or(command, |container| server.commands.at(container)).entry.spec.name
    });
    if container != Some("client")
        && let Some(client) = server.clients.get_mut(client)
    {
        client.tracker.iter_mut().for_each(|tracker| tracker.caching_said = false);
    }
}

#[cfg(test)]
mod tests;
