//! What must hold before a command runs, as a row of small checks in the order in which Redis reports failures.

use super::{permissions, tracking};
use crate::base::argv::Args;
use crate::base::ids::ClientId;
use crate::client::client::Transport;
use crate::client::pause::PauseKind;
use crate::client::{Access, Client};
use crate::server::{Handler, Server};
use crate::spec::error::{beginning, until_nul};
use crate::spec::{CommandError, Flags};

/// A command that asks to be let through.
pub struct Asking<'s, 'a> {
    pub server: &'s mut Server,
    pub client: ClientId,
    /// Index in the command table.
    pub command: usize,
    pub args: Args<'a>,
    pub now_ms: i64,
    /// Flags of the command; for EXEC with those of everything it has queued.
    pub flags: Flags,
}

/// A command that passed: run it, queue it, or let the client wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Run,
    Queue,
    Wait,
}

/// The row of checks; not a table of pointers, so that those with nothing to do cost nothing.
macro_rules! gates {
    ($($gate:ident)*) => {
        #[inline]
        fn pass_all(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
            $($gate(asking)?;)*
            Ok(())
        }
    };
}

gates!(
    arity protected authenticated transaction permitted
    ending memory cached_keys disk subscriber loading busy container
);

/// Finds the command that `args` name: its own place in the table or its subcommand's.
pub fn find(server: &Server, args: Args<'_>) -> Result<usize, CommandError> {
    let Some(command) = server.commands.find(args.at(0)) else { return Err(unknown_command(args)) };
    let entry = server.commands.at(command).entry;
    match args.get(1) {
        Some(name) if !entry.subcommands.is_empty() => match server.commands.find_subcommand(command, name) {
            Some(subcommand) => Ok(subcommand),
            None => Err(CommandError::unknown_subcommand(name, args.at(0))),
        },
        _ => Ok(command),
    }
}

fn unknown_command(args: Args<'_>) -> CommandError {
    const ARGUMENT_BYTES_MAX: usize = 128;
    let mut arguments = Vec::new();
    for argument in args.iter().skip(1) {
        let room = ARGUMENT_BYTES_MAX.saturating_sub(arguments.len());
        if room == 0 {
            break;
        }
        arguments.push(b'\'');
        arguments.extend_from_slice(until_nul(&argument[..argument.len().min(room)]));
        arguments.extend_from_slice(b"' ");
    }
    let name = until_nul(beginning(args.at(0)));
    let parts = [b"ERR unknown command '", name, b"', with args beginning with: ", &arguments];
    CommandError::Quoting(parts.concat().into())
}

/// Passes every gate, or tells which one is shut.
pub fn pass(asking: &mut Asking<'_, '_>) -> Result<Admission, CommandError> {
    pass_all(asking)?;
    if must_wait(asking) {
        return Ok(Admission::Wait);
    }
    let client = asking.server.clients.get(asking.client);
    let in_transaction = client.is_some_and(|client| client.transaction.is_some());
    if in_transaction && !runs_inside_multi(asking.server.commands.at(asking.command).entry.spec.name) {
        return Ok(Admission::Queue);
    }
    Ok(Admission::Run)
}

/// The commands that act on the transaction itself instead of being queued.
fn runs_inside_multi(name: &str) -> bool {
    matches!(name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

fn arity(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let spec = &asking.server.commands.at(asking.command).entry.spec;
    if spec.accepts(asking.args.len()) { Ok(()) } else { Err(CommandError::Arity(spec.name)) }
}

fn protected(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    if !asking.flags.has(Flags::PROTECTED) {
        return Ok(());
    }
    let server = &*asking.server;
    let is_debug = server.commands.at(asking.command).entry.spec.name == "debug";
    let (restriction, error) = match is_debug {
        true => (server.config.enable_debug_command, CommandError::DebugNotAllowed),
        false => (server.config.enable_module_command, CommandError::ModuleNotAllowed),
    };
    let is_local = server.clients.get(asking.client).is_none_or(|client| client.origin.is_local);
    if restriction.allows(is_local) { Ok(()) } else { Err(error) }
}

fn authenticated(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let known = asking.server.clients.get(asking.client).is_none_or(|client| client.authenticated);
    if known || asking.flags.has(Flags::NO_AUTH) || !asking.server.must_authenticate(asking.client) {
        return Ok(());
    }
    Err(CommandError::NoAuth)
}

fn transaction(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let open = asking.server.clients.get(asking.client).is_some_and(|client| client.transaction.is_some());
    if open && asking.flags.has(Flags::NO_MULTI) { Err(CommandError::NotInTransaction) } else { Ok(()) }
}

/// Most clients may do everything, which is all that is looked at for them.
fn permitted(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let access = asking.server.clients.get(asking.client).map(|client| client.access);
    if access != Some(Access::Checked) {
        return Ok(());
    }
    permissions::check(asking.server, asking.client, asking.command, asking.args)
}

/// While the last save is at work nothing may change: what it does not hold would be lost. An error at once, where
/// Redis lets writers wait in silence for its replicas: their commands would be lost all the same, only later.
fn ending(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let server = &*asking.server;
    if !server.is_ending() {
        return Ok(());
    }
    if asking.flags.has(Flags::WRITE.or(Flags::MAY_REPLICATE)) {
        return Err(CommandError::EndingReadOnly);
    }
    let queued = server.clients.get(asking.client).and_then(|client| client.transaction.as_ref());
    let is_exec = server.commands.at(asking.command).entry.spec.name == "exec";
    let queued = queued.filter(|_| is_exec).into_iter().flat_map(|transaction| &transaction.queue);
    let asked = std::iter::once((asking.command, asking.args));
    let disturbs = asked
        .chain(queued.map(|queued| (queued.command, queued.argv.args())))
        .any(|(command, args)| server.commands.at(command).entry.disturbs_last_save(args));
    if disturbs { Err(CommandError::EndingRefused) } else { Ok(()) }
}

/// The same for a command that a script calls: the script may have begun before.
#[cold]
pub fn ending_in_script(server: &Server, command: usize, args: Args<'_>) -> Result<(), CommandError> {
    let entry = server.commands.at(command).entry;
    if entry.spec.flags.has(Flags::WRITE.or(Flags::MAY_REPLICATE)) {
        return Err(CommandError::EndingReadOnly);
    }
    if entry.disturbs_last_save(args) { Err(CommandError::EndingRefused) } else { Ok(()) }
}

/// Evicts what must go, and refuses commands that need memory when that was not enough.
fn memory(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let server = &mut *asking.server;
    if server.is_busy() {
        return Ok(());
    }
    if server.keyspace.settings.maxmemory_bytes == 0 || server.loading.is_some() {
        server.began_out_of_memory = false;
        return Ok(());
    }
    let enough = super::call::evict(server, asking.now_ms);
    server.began_out_of_memory = !enough;
    if !enough && (asking.flags.has(Flags::DENYOOM) || would_grow_transaction(asking)) {
        return Err(CommandError::OutOfMemory);
    }
    Ok(())
}

/// What is queued takes memory, too, whatever it does.
fn would_grow_transaction(asking: &Asking<'_, '_>) -> bool {
    let server = &*asking.server;
    let ends = ["exec", "discard", "quit", "reset"];
    server.clients.get(asking.client).is_some_and(|client| client.transaction.is_some())
        && !ends.contains(&server.commands.at(asking.command).entry.spec.name)
}

/// What is remembered for clients that cache keys has a limit.
fn cached_keys(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    if !asking.server.tracking.is_idle() {
        tracking::enforce_limit(asking.server);
    }
    Ok(())
}

fn disk(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let writes = asking.flags.has(Flags::WRITE);
    let pings = asking.server.commands.at(asking.command).entry.spec.name == "ping";
    match (writes || pings).then(|| asking.server.misconf()).flatten() {
        Some(text) => Err(CommandError::text(text)),
        None => Ok(()),
    }
}

/// In RESP2 a message looks like a reply: who listens asks only for what is answered in the manner of a message.
fn subscriber(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let server = &*asking.server;
    if server.pubsub.is_empty()
        || !server.clients.get(asking.client).is_some_and(Client::is_in_subscriber_mode)
    {
        return Ok(());
    }
    let name = server.commands.at(asking.command).entry.spec.name;
    match name {
        "subscribe" | "psubscribe" | "ssubscribe" | "unsubscribe" | "punsubscribe" | "sunsubscribe" => Ok(()),
        "ping" | "quit" | "reset" => Ok(()),
        _ => Err(CommandError::SubscriberMode(name)),
    }
}

fn loading(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    if asking.server.loading.is_some() && !asking.flags.has(Flags::LOADING) {
        return Err(CommandError::Loading);
    }
    Ok(())
}

/// Beside a slow script only those commands run that end it, or prepare for what comes after it: a transaction whose
/// MULTI were refused would run its commands one by one.
fn busy(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    match &asking.server.suspended {
        Some(suspended) if !asking.flags.has(Flags::ALLOW_BUSY) => Err(suspended.busy_error()),
        _ => Ok(()),
    }
}

/// A container by itself does nothing; `find` has turned away unknown subcommands.
fn container(asking: &mut Asking<'_, '_>) -> Result<(), CommandError> {
    let entry = asking.server.commands.at(asking.command).entry;
    match entry.handler {
        Handler::Container => Err(CommandError::Arity(entry.spec.name)),
        Handler::Data(_) | Handler::Server(_) => Ok(()),
    }
}

fn must_wait(asking: &mut Asking<'_, '_>) -> bool {
    let Some((kind, _)) = asking.server.pause.in_force(asking.now_ms) else { return false };
    match kind {
        PauseKind::All => true,
        PauseKind::Writes => asking.flags.has(Flags::WRITE.or(Flags::MAY_REPLICATE)),
    }
}

/// Whether a client may connect: with protected mode on and a default user without password, only from this machine.
pub fn refuses_connection(server: &Server, transport: Transport, is_local: bool) -> bool {
    let is_open = server.acl.users.default_user().needs_no_password();
    server.config.protected_mode && is_open && transport != Transport::Unix && !is_local
}
