//! HEXPIRE and its kin: fields get an expiry.

use super::fields::{Base, Clock, Content, FieldList, Grammar};
use super::write::{Changed, Expired, change};
use crate::base::argv::Args;
use crate::keyspace::Tx;
use crate::object::DataType;
use crate::object::hash::Hash;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::is_word;

/// What is answered of a field that is not there.
pub(super) const NO_FIELD: i64 = -2;
const REFUSED: i64 = 0;
const SET: i64 = 1;
const DELETED: i64 = 2;

pub(super) fn hexpire(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    expire_by(tx, args, ("hexpire", Clock { unit_ms: 1000, base: Base::Now }), reply)
}

pub(super) fn hpexpire(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    expire_by(tx, args, ("hpexpire", Clock { unit_ms: 1, base: Base::Now }), reply)
}

pub(super) fn hexpireat(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    expire_by(tx, args, ("hexpireat", Clock { unit_ms: 1000, base: Base::Epoch }), reply)
}

pub(super) fn hpexpireat(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    expire_by(tx, args, ("hpexpireat", Clock { unit_ms: 1, base: Base::Epoch }), reply)
}

/// When the expiry of a field may change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    NoneYet,
    SomeAlready,
    Later,
    Sooner,
}

impl Condition {
    fn parse(word: &[u8]) -> Option<Condition> {
        const WORDS: [(&str, Condition); 4] = [
            ("NX", Condition::NoneYet),
            ("XX", Condition::SomeAlready),
            ("GT", Condition::Later),
            ("LT", Condition::Sooner),
        ];
        WORDS.iter().find(|(name, _)| is_word(word, name)).map(|(_, condition)| *condition)
    }

    /// No expiry is later than any.
    fn allows(self, old: Option<i64>, new: i64) -> bool {
        match self {
            Condition::NoneYet => old.is_none(),
            Condition::SomeAlready => old.is_some(),
            Condition::Later => old.is_some_and(|old| new > old),
            Condition::Sooner => old.is_none_or(|old| new < old),
        }
    }
}

fn parse<'a>(
    args: Args<'a>,
    command: &'static str,
) -> Result<(Option<Condition>, FieldList<'a>), CommandError> {
    let grammar = Grammar {
        command,
        content: Content::Fields,
        too_few: CommandError::FieldsTooFew,
        no_count: CommandError::FieldCountZero,
    };
    let mut condition = None;
    let fields = grammar.read(args, 3, |place| {
        let Some(given) = Condition::parse(args.at(place)) else { return Ok(None) };
        match condition.replace(given) {
            None => Ok(Some(1)),
            Some(_) => Err(CommandError::ConditionTwice),
        }
    })?;
    Ok((condition, fields))
}

fn expire_by(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    (command, clock): (&'static str, Clock),
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (key, now_ms) = (args.at(1), tx.now_ms);
    let time_ms = clock.read(args.at(2), now_ms, command)?;
    let (condition, fields) = parse(args, command)?;
    let is_there = tx.check::<Hash>(key)?;
    reply.array(fields.len());
    if !is_there {
        fields.iter().for_each(|_| reply.integer(NO_FIELD));
        return Ok(Flow::Done);
    }
    let mut changed = Changed::default();
    let ((), fate) = change(tx, key, fields.iter(), |hash, _| {
        for field in fields.iter() {
            let found = hash.view().find_stored(field);
            reply.integer(match found {
                None => NO_FIELD,
                Some(found)
                    if condition.is_some_and(|condition| !condition.allows(found.expire_at_ms, time_ms)) =>
                {
                    REFUSED
                }
                // A time in the past deletes the field at once.
                Some(_) => match changed.expire(hash, field, time_ms, now_ms) {
                    Expired::Later => SET,
                    Expired::AtOnce => DELETED,
                },
            });
        }
    });
    changed.tell(tx, key, time_ms, fate);
    Ok(Flow::Done)
}
