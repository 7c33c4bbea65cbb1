//! EVAL, EVALSHA and their forms that only read.

use super::run;
use crate::base::argv::Args;
use crate::base::number::parse_i64;
use crate::script::cache::Script;
use crate::script::cache::{self, Digest};
use crate::script::run::Course;
use crate::script::{Engine, Run, RunKind, Writes};
use crate::server::{Cx, Entry, Flow};
use crate::spec::keys::{Begin, Find};
use crate::spec::{CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

const RUNS: Flags = Flags::NOSCRIPT
    .or(Flags::SKIP_MONITOR)
    .or(Flags::MAY_REPLICATE)
    .or(Flags::NO_MANDATORY_KEYS)
    .or(Flags::STALE);
const READS: Flags =
    Flags::NOSCRIPT.or(Flags::SKIP_MONITOR).or(Flags::NO_MANDATORY_KEYS).or(Flags::STALE).or(Flags::READONLY);

const fn keys(flags: KeyFlags) -> KeySpec {
    KeySpec { begin: Begin::Index(2), find: Find::KeyCount { count: 0, first: 1, step: 1 }, flags }
}

const WRITTEN: &[KeySpec] = &[keys(KeyFlags::RW.or(KeyFlags::ACCESS).or(KeyFlags::UPDATE))];
const READ: &[KeySpec] = &[keys(KeyFlags::RO.or(KeyFlags::ACCESS))];

const fn spec(name: &'static str, flags: Flags, keys: &'static [KeySpec]) -> Spec {
    Spec::new(name, -3, Group::Scripting, flags)
        .keys(keys)
        .complexity("Depends on the script that is executed.")
}

const BODY: &str = "script numkeys [key [key ...]] [arg [arg ...]]";
const SHA1: &str = "sha1 numkeys [key [key ...]] [arg [arg ...]]";

pub const COMMANDS: &[Entry] = &[
    Entry::server(spec("eval", RUNS, WRITTEN).doc("2.6.0", "Execute a Lua script server side", BODY), eval),
    Entry::server(
        spec("evalsha", RUNS, WRITTEN).doc("2.6.0", "Execute a Lua script server side", SHA1),
        evalsha,
    ),
    Entry::server(
        spec("eval_ro", READS, READ).doc("7.0.0", "Execute a read-only Lua script server side", BODY),
        eval_ro,
    ),
    Entry::server(
        spec("evalsha_ro", READS, READ).doc("7.0.0", "Execute a read-only Lua script server side", SHA1),
        evalsha_ro,
    ),
];

fn eval(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let digest = compile(cx, args.at(1))?;
    start(cx, args, digest, Writes::Allowed)
}

fn eval_ro(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let digest = compile(cx, args.at(1))?;
    start(cx, args, digest, Writes::Denied)
}

fn evalsha(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let digest = known(cx, args.at(1))?;
    start(cx, args, digest, Writes::Allowed)
}

fn evalsha_ro(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let digest = known(cx, args.at(1))?;
    start(cx, args, digest, Writes::Denied)
}

/// The script of a body, compiled when it is new.
fn compile(cx: &mut Cx<'_>, body: &[u8]) -> Result<Digest, CommandError> {
    let digest = cache::digest(body);
    let scripts = &mut cx.server.scripts;
    if scripts.cache.get(&digest).is_none() {
        let engine = ready(&mut scripts.engine)?;
        let function = engine.compile("@user_script", body).map_err(|text| {
            CommandError::quoting("ERR Error compiling script (new function): ", &text, "")
        })?;
        scripts.cache.insert(digest, Script { body: body.into(), function });
    }
    Ok(digest)
}

fn known(cx: &mut Cx<'_>, text: &[u8]) -> Result<Digest, CommandError> {
    let digest = cache::parse_digest(text).filter(|digest| cx.server.scripts.cache.get(digest).is_some());
    digest.ok_or(CommandError::text("NOSCRIPT No matching script. Please use EVAL."))
}

/// The interpreter, made when it is needed first.
fn ready(engine: &mut Option<Engine>) -> Result<&mut Engine, CommandError> {
    if engine.is_none() {
        *engine = Some(Engine::new().map_err(|_| CommandError::OutOfMemory)?);
    }
    Ok(engine.as_mut().expect("it was made"))
}

fn start(cx: &mut Cx<'_>, args: Args<'_>, digest: Digest, writes: Writes) -> Result<Flow, CommandError> {
    let keys = parse_i64(args.at(2)).ok_or(CommandError::NotInteger)?;
    let keys =
        usize::try_from(keys).map_err(|_| CommandError::text("ERR Number of keys can't be negative"))?;
    if keys > args.len() - 3 {
        return Err(CommandError::text("ERR Number of keys can't be greater than number of args"));
    }
    let (client, now) = (cx.client_id, cx.now);
    let run = Run { digest, kind: RunKind::Script, writes, client, now, course: Course::default() };
    run::start(cx, run, args.from(3).until(keys), args.from(3 + keys))
}
