//! The subcommands of DEBUG that are a few lines each: switches, and what clients' tests ask for.

use crate::base::argv::Args;
use crate::base::glob::{self, Case};
use crate::base::number;
use crate::commands::server::snapshot;
use crate::keyspace::db::Resizing;
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use std::time::Duration;

/// Whether a switch is on: any number but 0. What is no number is 0, as for `atoi`.
fn is_on(argument: &[u8]) -> bool {
    number::parse_i64(argument).is_some_and(|value| value != 0)
}

fn done(cx: &mut Cx<'_>) -> Result<Flow, CommandError> {
    cx.reply.ok();
    Ok(Flow::Done)
}

pub(super) fn set_active_expire(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.debug.active_expire = is_on(args.at(2));
    done(cx)
}

pub(super) fn pause_cron(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.debug.cron_paused = is_on(args.at(2));
    done(cx)
}

pub(super) fn set_skip_checksum_validation(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.debug.skip_checksum_validation = is_on(args.at(2));
    done(cx)
}

pub(super) fn dict_resizing(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.server.debug.dict_resizing = is_on(args.at(2));
    apply_resizing(cx);
    done(cx)
}

/// The threshold of redis-server 7.0 for elements of lists that get a node of their own.
pub(super) fn quicklist_packed_threshold(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    /// A bound of the blobs that such nodes stand in for, with something to spare.
    const THRESHOLD_MAX: u64 = (4 << 30) - (1 << 20);
    let bytes = number::parse_memory(args.at(2)).filter(|bytes| *bytes <= THRESHOLD_MAX);
    let bytes = bytes.ok_or(CommandError::text(
        "ERR argument must be a memory value bigger than 1 and smaller than 4gb",
    ))?;
    cx.server.debug.list_plain_bytes_min = usize::try_from(bytes).ok().filter(|bytes| *bytes > 0);
    cx.server.apply_config();
    done(cx)
}

fn apply_resizing(cx: &mut Cx<'_>) {
    let allowed = cx.server.debug.dict_resizing;
    cx.server.keyspace.set_resizing(if allowed { Resizing::Allowed } else { Resizing::Stopped });
}

pub(super) fn reload(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let result = snapshot::debug_reload(cx, args);
    // The keyspace may be another one now, which was filled with its tables free to grow.
    apply_resizing(cx);
    result
}

pub(super) fn change_repl_id(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Flow, CommandError> {
    const DIGITS: usize = 40;
    let rng = &mut cx.server.keyspace.rng;
    let id: String = (0..DIGITS).map(|_| char::from_digit(rng.u32(0..16), 16).unwrap_or('0')).collect();
    tracing::info!("Changing replication IDs after receiving change-repl-id");
    cx.server.identity.replication_id = id;
    done(cx)
}

/// Blocks the loop, and so every client. A time that is no number or below zero is none.
pub(super) fn sleep(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let seconds = number::parse_f64(args.at(2)).unwrap_or(0.0);
    std::thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    done(cx)
}

pub(super) fn log(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    tracing::warn!("DEBUG LOG: {}", String::from_utf8_lossy(args.at(2)));
    done(cx)
}

/// The answer asked for, not an error of this command: nothing counts it.
pub(super) fn error(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let one_line: Vec<u8> =
        args.at(2).iter().map(|byte| if b"\r\n".contains(byte) { b' ' } else { *byte }).collect();
    cx.reply.error_bytes(&one_line);
    Ok(Flow::Done)
}

pub(super) fn stringmatch_len(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    cx.reply.integer(i64::from(glob::matches(args.at(2), args.at(3), Case::Sensitive)));
    Ok(Flow::Done)
}
