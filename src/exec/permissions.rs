//! The rights of a client that may not do everything: looked at when a command comes, when EXEC runs what was queued,
//! and when a command that has waited is run again, because they may have changed in between.

use crate::acl::Denied;
use crate::base::argv::Args;
use crate::base::ids::ClientId;
use crate::base::number::parse_i64;
use crate::client::Client;
use crate::commands::acl::denied;
use crate::keyspace::ledger::PatternKeys;
use crate::server::Server;
use crate::spec::CommandError;

/// Whether the client may run, or queue, a command.
///
/// # Errors
/// What it is answered. That it was denied has been noted.
#[cold]
pub fn check(
    server: &mut Server,
    client: ClientId,
    command: usize,
    args: Args<'_>,
) -> Result<(), CommandError> {
    let db = server.clients.get(client).map_or(0, |client| selected_then(server, client));
    let result = server.check_access(client, command, args, db);
    result.map_err(|denied| {
        denied::note(server, client, (command, args), denied);
        denied.error(server.acl.catalog.at(command))
    })
}

/// Whether the client may still run a command that it has queued.
///
/// # Errors
/// What EXEC answers in the command's place. That it was denied has been noted.
#[cold]
pub fn check_queued(
    server: &mut Server,
    client: ClientId,
    command: usize,
    args: Args<'_>,
) -> Result<(), CommandError> {
    let db = server.clients.get(client).map_or(0, |client| client.db);
    server.check_access(client, command, args, db).map_err(|denied: Denied| {
        denied::note(server, client, (command, args), denied);
        denied.late_error()
    })
}

/// Whether the client may run a command that its script calls.
///
/// # Errors
/// What the script gets. That it was denied has been noted.
#[cold]
pub fn check_in_script(
    server: &mut Server,
    client: ClientId,
    command: usize,
    args: Args<'_>,
) -> Result<(), CommandError> {
    let db = server.clients.get(client).map_or(0, |client| client.db);
    server.check_access(client, command, args, db).map_err(|denied: Denied| {
        denied::note(server, client, (command, args), denied);
        denied.script_error()
    })
}

/// The database that will be selected when what the client asks for is run: in a transaction what it has queued may
/// select another one.
fn selected_then(server: &Server, client: &Client) -> usize {
    let queue = client.transaction.iter().flat_map(|transaction| transaction.queue.iter().rev());
    let selected = |command: usize, args: Args<'_>| {
        let is_select = server.commands.at(command).entry.spec.name == "select";
        let db = args.get(1).filter(|_| is_select).and_then(parse_i64);
        db.and_then(|db| usize::try_from(db).ok()).filter(|db| *db < server.keyspace.databases())
    };
    queue.filter_map(|queued| selected(queued.command, queued.argv.args())).next().unwrap_or(client.db)
}

/// Whether a command may read keys that its arguments do not name but a pattern finds (SORT BY): who may not read every
/// key may not.
#[cold]
pub fn pattern_keys(server: &Server, client: ClientId, command: usize, args: Args<'_>) -> PatternKeys {
    let Some(client) = server.clients.get(client) else { return PatternKeys::Readable };
    let known = server.acl.catalog.at(command);
    let may_read = server
        .acl
        .users
        .get(client.user)
        .is_some_and(|user| crate::acl::may_read_every_key(user, known, args, client.db));
    if may_read { PatternKeys::Readable } else { PatternKeys::Denied }
}
