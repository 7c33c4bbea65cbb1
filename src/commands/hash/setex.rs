//! HSETEX: fields are set with an expiry, if all or none of them are there.

use super::fields::{Clock, Content, FieldList, Grammar};
use super::write::{change, deletion, tell};
use crate::base::argv::{Args, Argv};
use crate::base::number::format_i64;
use crate::keyspace::{Access, Event, Fate, Tx};
use crate::object::hash::{FieldExpiry, Hash};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::is_word;

/// When anything is set at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum All {
    Absent,
    Present,
}

struct Options<'a> {
    condition: Option<All>,
    expiry: FieldExpiry,
    fields: FieldList<'a>,
}

fn parse(args: Args<'_>, now_ms: i64) -> Result<Options<'_>, CommandError> {
    const NAME: &str = "hsetex";
    let grammar = Grammar {
        command: NAME,
        content: Content::Pairs,
        too_few: CommandError::Arity(NAME),
        no_count: CommandError::FieldCountInvalid,
    };
    let (mut condition, mut expiry) = (None, FieldExpiry::None);
    let fields = grammar.read(args, 2, |place| {
        let word = args.at(place);
        let all = match word {
            _ if is_word(word, "FNX") => Some(All::Absent),
            _ if is_word(word, "FXX") => Some(All::Present),
            _ => None,
        };
        if all.is_some() {
            let first = condition.is_none();
            condition = all;
            return if first { Ok(Some(1)) } else { Err(CommandError::ConditionFxxFnx) };
        }
        let clock = Clock::of_option(word);
        if clock.is_none() && !is_word(word, "KEEPTTL") {
            return Ok(None);
        }
        if expiry != FieldExpiry::None {
            return Err(CommandError::ExpiryOrKeep);
        }
        let Some(clock) = clock else {
            expiry = FieldExpiry::Keep;
            return Ok(Some(1));
        };
        let time = args.get(place + 1).ok_or(CommandError::ExpireMissing)?;
        expiry = FieldExpiry::At(clock.read(time, now_ms, NAME)?);
        Ok(Some(2))
    })?;
    Ok(Options { condition, expiry, fields })
}

pub(super) fn hsetex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, now_ms) = (args.at(1), tx.now_ms);
    let options = parse(args, now_ms)?;
    let hash = tx.view::<Hash>(key, Access::Write)?;
    let is_there = hash.is_some();
    let mut present =
        options.fields.iter().map(|field| hash.is_some_and(|hash| hash.get(field, now_ms).is_some()));
    let holds = match options.condition {
        None => true,
        Some(All::Absent) => !present.any(|present| present),
        Some(All::Present) => present.all(|present| present),
    };
    match options.expiry {
        _ if !holds => {}
        FieldExpiry::At(time_ms) if time_ms <= now_ms => {
            if is_there {
                delete(tx, key, options.fields);
            }
        }
        expiry => set(tx, key, options.fields, expiry),
    }
    reply.integer(i64::from(holds));
    Ok(Flow::Done)
}

fn set(tx: &mut Tx<'_>, key: &[u8], fields: FieldList<'_>, expiry: FieldExpiry) {
    let ((), fate) = change(tx, key, fields.iter(), |hash, rules| {
        hash.prepare(fields.texts(), rules);
        for (field, value) in fields.pairs() {
            hash.set(field, value, expiry, rules);
        }
    });
    tx.told_fields((key, Event::Hset), fields.iter(), fields.len() as u64, fate);
    let FieldExpiry::At(time_ms) = expiry else { return };
    tx.told_fields((key, Event::Hexpire), fields.iter(), 0, Fate::Stays);
    if tx.ledger.propagates {
        let (time, count) = (format_i64(time_ms), format_i64(fields.len() as i64));
        let head: [&[u8]; 6] = [b"HSETEX", key, b"PXAT", &time, b"FIELDS", &count];
        tx.ledger.propagate_instead(vec![head.into_iter().chain(fields.texts()).collect::<Argv>()]);
    }
}

/// What is set with a time in the past is gone at once.
fn delete(tx: &mut Tx<'_>, key: &[u8], fields: FieldList<'_>) {
    let (removed, fate) = change(tx, key, fields.iter(), |hash, _| {
        fields.iter().filter(|field| hash.remove(field)).collect::<Vec<_>>()
    });
    tell(tx, key, Event::Hdel, &removed, fate);
    if tx.ledger.propagates && !removed.is_empty() {
        tx.ledger.propagate_instead(vec![deletion(key, &removed)]);
    }
}
