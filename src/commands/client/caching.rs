//! CLIENT CACHING: whether the keys of the next command are remembered.

use crate::base::argv::Args;
use crate::client::tracking::{Mode, Reads};
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::is_word;

pub(super) fn caching(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let Some(tracker) = &mut cx.client().tracker else { return Err(CommandError::CachingWithoutTracking) };
    let opts_by = match tracker.mode {
        Mode::Reads { which: Reads::OptIn, .. } => Reads::OptIn,
        Mode::Reads { which: Reads::OptOut, .. } => Reads::OptOut,
        Mode::Reads { which: Reads::All, .. } | Mode::Prefixes(_) => Reads::All,
    };
    match args.at(2) {
        word if is_word(word, "YES") && opts_by != Reads::OptIn => return Err(CommandError::CachingNotOptIn),
        word if is_word(word, "NO") && opts_by != Reads::OptOut => {
            return Err(CommandError::CachingNotOptOut);
        }
        word if is_word(word, "YES") || is_word(word, "NO") => tracker.caching_said = true,
        _ => return Err(CommandError::Syntax),
    }
    cx.reply.ok();
    Ok(Flow::Done)
}
