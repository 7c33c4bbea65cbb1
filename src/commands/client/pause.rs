//! CLIENT PAUSE, UNPAUSE and UNBLOCK: whose commands wait.

use crate::base::argv::Args;
use crate::client::pause::PauseKind;
use crate::server::waiting::GivenUp;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::{deadline_ms, integer, is_word};

pub(super) fn pause(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let kind = match args.get(3) {
        _ if args.len() > 4 => return Err(CommandError::subcommand_arguments(args.at(1), args.at(0))),
        None => PauseKind::All,
        Some(word) if is_word(word, "ALL") => PauseKind::All,
        Some(word) if is_word(word, "WRITE") => PauseKind::Writes,
        Some(_) => return Err(CommandError::text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let now_ms = cx.now.unix_ms();
    let until_ms = deadline_ms(args.at(2), now_ms)?;
    cx.server.pause.start(kind, until_ms, now_ms);
    cx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn unpause(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.pause.end();
    cx.server.clients.iter().filter(|client| client.paused).for_each(|client| client.wake());
    cx.reply.ok();
    Ok(Flow::Done)
}

/// Ends the wait of a command. A pause is not ended for one client alone.
pub(super) fn unblock(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let why = match args.get(3) {
        _ if args.len() > 4 => return Err(CommandError::subcommand_arguments(args.at(1), args.at(0))),
        None => GivenUp::TimedOut,
        Some(word) if is_word(word, "TIMEOUT") => GivenUp::TimedOut,
        Some(word) if is_word(word, "ERROR") => GivenUp::Unblocked,
        Some(_) => return Err(CommandError::text("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
    };
    let number = integer(args.at(2))?;
    let server = &mut *cx.server;
    let target = server.clients.iter().find(|client| i64::try_from(client.id.number) == Ok(number));
    let target = target.map(|client| client.id);
    let unblocked = target.is_some_and(|client| server.give_up_wait(client, why));
    cx.reply.integer(i64::from(unblocked));
    Ok(Flow::Done)
}
