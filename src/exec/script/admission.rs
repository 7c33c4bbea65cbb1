//! Whether a script may start, by what its first line tells.
//!
//! A script that tells its flags passes the gates as the command that they make it, before it runs or is queued. What
//! the gates cannot know, and what may have changed while it was queued, is looked at when it starts.

use crate::base::argv::Args;
use crate::exec::call;
use crate::script::cache::parse_digest;
use crate::script::flags::read_script;
use crate::script::{ScriptFlags, Writes};
use crate::server::{Cx, Server};
use crate::spec::{CommandError, Flags, Group, Spec};

/// The flags of a command that is called with these arguments.
#[inline]
pub fn flags_of_call(server: &Server, spec: &Spec, args: Args<'_>) -> Flags {
    if spec.group == Group::Scripting && spec.flags.has(Flags::SKIP_MONITOR) {
        flags_of_script(server, spec, args).of_command(spec.flags)
    } else {
        spec.flags
    }
}

fn flags_of_script(server: &Server, spec: &Spec, args: Args<'_>) -> ScriptFlags {
    let Some(script) = args.get(1) else { return ScriptFlags::UNTOLD };
    let cache = &server.scripts.cache;
    match spec.name {
        // One that cannot be read fails when it is to run.
        "eval" | "eval_ro" if script.starts_with(b"#!") => read_script(script).map(|(flags, _)| flags).ok(),
        "evalsha" | "evalsha_ro" if cache.has_told_flags() => {
            parse_digest(script).and_then(|digest| cache.get(&digest)).map(|script| script.flags)
        }
        "fcall" | "fcall_ro" => server.scripts.libraries.find(script).map(|function| function.flags),
        _ => None,
    }
    .unwrap_or(ScriptFlags::UNTOLD)
}

/// Whether a script with these flags may start, and whether it may write.
pub fn may_start(cx: &mut Cx<'_>, flags: ScriptFlags, writes: Writes) -> Result<Writes, CommandError> {
    if !flags.is_told() {
        return Ok(writes);
    }
    if flags.has(ScriptFlags::NO_WRITES) {
        return Ok(Writes::Denied);
    }
    if writes == Writes::Denied {
        return Err(CommandError::ScriptWritesInReadOnly);
    }
    if let Some(text) = cx.server.misconf_for_scripts() {
        return Err(CommandError::text(text));
    }
    let is_limited = cx.server.keyspace.settings.maxmemory_bytes > 0 && !flags.has(ScriptFlags::ALLOW_OOM);
    if is_limited && !call::evict(cx.server, cx.now.unix_ms()) {
        return Err(CommandError::ScriptOutOfMemory);
    }
    Ok(writes)
}
