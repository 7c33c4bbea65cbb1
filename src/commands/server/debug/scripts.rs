//! DEBUG SCRIPT, as in Redis 8: cached scripts are written to the log.

use crate::base::argv::Args;
use crate::script::cache::{Digest, Script, digest_text, known};
use crate::server::{Cx, Flow};
use crate::spec::CommandError;
use crate::spec::args::is_word;

pub(super) fn script(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    if cx.server.config.hide_user_data_from_log {
        return Err(CommandError::text(
            "ERR DEBUG SCRIPT is disabled when hide-user-data-from-log is enabled",
        ));
    }
    let cache = &cx.server.scripts.cache;
    if is_word(args.at(2), "LIST") {
        cache.iter().for_each(|(digest, script)| tell(digest, script));
    } else {
        let digest = known(cache, args.at(2))?;
        tell(&digest, cache.get(&digest).ok_or(CommandError::NoScript)?);
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

fn tell(digest: &Digest, script: &Script) {
    tracing::warn!("SCRIPT SHA: {}\n{}", digest_text(digest), String::from_utf8_lossy(&script.body));
}
