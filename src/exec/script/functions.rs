//! FCALL and FCALL_RO: a function of a library, by its name.

use super::admission;
use super::commands::{READ, READS, RUNS, WRITTEN, key_count};
use super::run;
use crate::base::argv::Args;
use crate::script::Writes;
use crate::script::run::Subject;
use crate::server::{Cx, Entry, Flow};
use crate::spec::{CommandError, Flags, Group, KeySpec, Spec};

const fn spec(
    name: &'static str,
    flags: Flags,
    keys: &'static [KeySpec],
    notes: &'static [&'static str],
) -> Spec {
    Spec::new(name, -3, Group::Scripting, flags)
        .keys(keys)
        .key_notes(notes)
        .complexity("Depends on the function that is executed.")
}

const CALL: &str = "function numkeys [key [key ...]] [arg [arg ...]]";

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        spec(
            "fcall",
            RUNS,
            WRITTEN,
            &["We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"],
        )
        .doc("7.0.0", "Invoke a function", CALL),
        fcall,
    ),
    Entry::server(
        spec(
            "fcall_ro",
            READS,
            READ,
            &["We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"],
        )
        .doc("7.0.0", "Invoke a read-only function", CALL),
        fcall_ro,
    ),
];

fn fcall(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    call(cx, args, Writes::Allowed)
}

fn fcall_ro(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    call(cx, args, Writes::Denied)
}

fn call(cx: &mut Cx<'_>, args: Args<'_>, writes: Writes) -> Result<Flow, CommandError> {
    let function = cx.server.scripts.libraries.find(args.at(1)).ok_or(CommandError::FunctionUnknown)?;
    let (subject, flags) = (Subject::Function(function.name.clone()), function.flags);
    let keys = key_count(args, CommandError::FunctionKeys)?;
    let writes = admission::may_start(cx, flags, writes)?;
    let run = run::of(cx, subject, (flags, writes));
    run::start(cx, run, args.from(3).until(keys), args.from(3 + keys))
}
