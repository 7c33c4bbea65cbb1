//! Members at random: SPOP takes them out, SRANDMEMBER leaves them in.
//!
//! Which members go is decided here, so what is propagated names them: SREM, or DEL when all go.

use super::members::all;
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::commands::elements::{element, element_or_null};
use crate::encoding::listpack::Digits;
use crate::keyspace::{Access, Event, Fate, Freeing, Tx};
use crate::object::{Set, SetView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::integer_in;

/// Members that one propagated SREM names.
const SREM_MEMBERS_MAX: usize = 1024;

pub(super) fn spop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    match args.len() {
        2 => spop_one(tx, args.at(1), reply),
        3 => spop_many(tx, args, reply),
        _ => Err(CommandError::Syntax),
    }
}

fn spop_one(tx: &mut Tx<'_>, key: &[u8], reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let mut rng = tx.keyspace.rng.fork();
    let Some(set) = tx.view::<Set>(key, Access::Write)? else {
        reply.null();
        return Ok(Flow::Done);
    };
    let popped = set.random(&mut rng);
    element_or_null(reply, popped);
    let member = popped.map(|member| member.to_vec()).unwrap_or_default();
    let (_, fate) = tx.edit::<Set, _>(key, |set, _| set.remove(&member));
    tx.told(key, Event::Spop, 1, fate);
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(vec![Argv::from_iter([b"SREM", key, &member])]);
    }
    Ok(Flow::Done)
}

fn spop_many(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, count) = (args.at(1), number::parse_i64(args.at(2)));
    let count = count.and_then(|count| usize::try_from(count).ok()).ok_or(CommandError::NotPositive)?;
    let mut rng = tx.keyspace.rng.fork();
    let set = tx.view::<Set>(key, Access::Write)?.filter(|_| count > 0);
    let Some(set) = set else {
        reply.set(0);
        return Ok(Flow::Done);
    };
    let len = set.len();
    if count >= len {
        // Redis answers as SMEMBERS does, which is a hit.
        all(reply, tx.read::<Set>(key)?);
        spop_all(tx, key, len);
        return Ok(Flow::Done);
    }
    let popped = set.random_distinct(&mut rng, count);
    reply.set(popped.len());
    popped.iter().for_each(|member| element(reply, *member));
    let mut digits = Digits::default();
    let commands: Vec<Argv> = popped
        .chunks(SREM_MEMBERS_MAX)
        .map(|members| {
            let mut command = Argv::from_iter([b"SREM", key]);
            members.iter().for_each(|member| command.push(member.text(&mut digits)));
            command
        })
        .collect();
    let members = commands.iter().flat_map(|command| command.args().iter().skip(2));
    let (removed, fate) = tx.edit::<Set, _>(key, |set, _| set.remove_all(members));
    tx.told(key, Event::Spop, removed as u64, fate);
    if tx.ledger.propagates {
        tx.ledger.propagate_instead(commands);
    }
    Ok(Flow::Done)
}

/// Removes a set whose `len` members have all been answered.
fn spop_all(tx: &mut Tx<'_>, key: &[u8], len: usize) {
    let freeing = tx.keyspace.settings.free_replaced;
    tx.remove(key, freeing);
    tx.told(key, Event::Spop, len as u64, Fate::Emptied);
    if tx.ledger.propagates {
        let word: &[u8] = if freeing == Freeing::Lazy { b"UNLINK" } else { b"DEL" };
        tx.ledger.propagate_instead(vec![Argv::from_iter([word, key])]);
    }
}

pub(super) fn srandmember(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let mut rng = tx.keyspace.rng.fork();
    match args.len() {
        2 => {
            let set = tx.read::<Set>(key)?;
            element_or_null(reply, set.and_then(|set| set.random(&mut rng)));
        }
        3 => {
            let count = integer_in(args.at(2), -i64::MAX..=i64::MAX, CommandError::CountOutOfRange)?;
            match tx.read::<Set>(key)?.filter(|_| count != 0) {
                Some(set) => srandmember_many(set, count, &mut rng, reply),
                None => reply.array(0),
            }
        }
        _ => return Err(CommandError::Syntax),
    }
    Ok(Flow::Done)
}

/// A negative count may answer members several times.
fn srandmember_many(set: SetView<'_>, count: i64, rng: &mut fastrand::Rng, reply: &mut Reply<'_>) {
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        reply.array(wanted);
        set.random_repeated(rng, wanted, &mut |member| element(reply, member));
    } else {
        let members = set.random_distinct(rng, wanted);
        reply.array(members.len());
        members.into_iter().for_each(|member| element(reply, member));
    }
}
