//! EVAL, EVALSHA and their forms that only read.

use super::admission;
use super::run;
use crate::base::argv::Args;
use crate::base::number::parse_i64;
use crate::script::Writes;
use crate::script::cache::{Digest, Keep, parse_digest};
use crate::script::run::Subject;
use crate::server::{Cx, Entry, Flow};
use crate::spec::keys::{Begin, Find};
use crate::spec::{CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

pub(super) const RUNS: Flags = Flags::MOVABLEKEYS
    .or(Flags::NOSCRIPT)
    .or(Flags::SKIP_MONITOR)
    .or(Flags::MAY_REPLICATE)
    .or(Flags::NO_MANDATORY_KEYS)
    .or(Flags::STALE);
pub(super) const READS: Flags = Flags::MOVABLEKEYS
    .or(Flags::NOSCRIPT)
    .or(Flags::SKIP_MONITOR)
    .or(Flags::NO_MANDATORY_KEYS)
    .or(Flags::STALE)
    .or(Flags::READONLY);

const fn keys(flags: KeyFlags) -> KeySpec {
    KeySpec { begin: Begin::Index(2), find: Find::KeyCount { count: 0, first: 1, step: 1 }, flags }
}

pub(super) const WRITTEN: &[KeySpec] = &[keys(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE))];
pub(super) const READ: &[KeySpec] = &[keys(KeyFlags::RO.or(KeyFlags::ACCESS))];

const fn spec(name: &'static str, flags: Flags, keys: &'static [KeySpec]) -> Spec {
    Spec::new(name, -3, Group::Scripting, flags)
        .keys(keys)
        .complexity("Depends on the script that is executed.")
}

const WRITTEN_NOTE: &[&str] =
    &["We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"];
const READ_NOTE: &[&str] =
    &["We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"];

const BODY: &str = "script numkeys [key [key ...]] [arg [arg ...]]";
const SHA1: &str = "sha1 numkeys [key [key ...]] [arg [arg ...]]";

pub const COMMANDS: &[Entry] = &[
    Entry::server(
        spec("eval", RUNS, WRITTEN).key_notes(WRITTEN_NOTE).doc(
            "2.6.0",
            "Execute a Lua script server side",
            BODY,
        ),
        eval,
    ),
    Entry::server(
        spec("evalsha", RUNS, WRITTEN).doc("2.6.0", "Execute a Lua script server side", SHA1),
        evalsha,
    ),
    Entry::server(
        spec("eval_ro", READS, READ).key_notes(READ_NOTE).doc(
            "7.0.0",
            "Execute a read-only Lua script server side",
            BODY,
        ),
        eval_ro,
    ),
    Entry::server(
        spec("evalsha_ro", READS, READ).doc("7.0.0", "Execute a read-only Lua script server side", SHA1),
        evalsha_ro,
    ),
];

fn eval(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let keys = key_count(args, CommandError::NotInteger)?;
    let digest = cx.server.scripts.load(args.at(1), Keep::Passing)?;
    start(cx, args, Asked { digest, keys, writes: Writes::Allowed })
}

fn eval_ro(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let keys = key_count(args, CommandError::NotInteger)?;
    let digest = cx.server.scripts.load(args.at(1), Keep::Passing)?;
    start(cx, args, Asked { digest, keys, writes: Writes::Denied })
}

fn evalsha(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let digest = parse_digest(args.at(1)).ok_or(CommandError::NoScript)?;
    start(
        cx,
        args,
        Asked { digest, keys: key_count(args, CommandError::NotInteger)?, writes: Writes::Allowed },
    )
}

fn evalsha_ro(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let digest = parse_digest(args.at(1)).ok_or(CommandError::NoScript)?;
    start(
        cx,
        args,
        Asked { digest, keys: key_count(args, CommandError::NotInteger)?, writes: Writes::Denied },
    )
}

/// How many of the arguments are keys; `no_number` is the error when that is no number.
pub(super) fn key_count(args: Args<'_>, no_number: CommandError) -> Result<usize, CommandError> {
    let keys = parse_i64(args.at(2)).ok_or(no_number)?;
    if keys > args.len() as i64 - 3 {
        return Err(CommandError::TooManyKeys);
    }
    usize::try_from(keys).map_err(|_| CommandError::text("ERR Number of keys can't be negative"))
}

/// What a client wants to be run.
struct Asked {
    digest: Digest,
    keys: usize,
    writes: Writes,
}

fn start(cx: &mut Cx<'_>, args: Args<'_>, asked: Asked) -> Result<Flow, CommandError> {
    let Asked { digest, keys, writes } = asked;
    let flags = cx.server.scripts.cache.touch(&digest).ok_or(CommandError::NoScript)?.flags;
    let writes = admission::may_start(cx, flags, writes)?;
    let run = run::of(cx, Subject::Script(digest), (flags, writes));
    run::start(cx, run, args.from(3).until(keys), args.from(3 + keys))
}
