//! HGETEX: fields are read and get or lose an expiry.

use super::fields::{Clock, Content, FieldList, Grammar};
use super::write::{Changed, change, tell};
use crate::base::argv::{Args, Argv};
use crate::base::number::format_i64;
use crate::commands::elements::element_or_null;
use crate::keyspace::{Event, Tx};
use crate::object::DataType;
use crate::object::hash::Hash;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::is_word;

/// What is done with the expiries.
#[derive(Clone, Copy)]
enum Wanted {
    Nothing,
    Persist,
    /// Unix ms.
    At(i64),
}

fn parse(args: Args<'_>, now_ms: i64) -> Result<(Wanted, FieldList<'_>), CommandError> {
    const NAME: &str = "hgetex";
    let grammar = Grammar {
        command: NAME,
        content: Content::Fields,
        too_few: CommandError::Arity(NAME),
        no_count: CommandError::FieldCountInvalid,
    };
    let mut wanted = Wanted::Nothing;
    let fields = grammar.read(args, 2, |place| {
        let (word, clock) = (args.at(place), Clock::of_option(args.at(place)));
        if clock.is_none() && !is_word(word, "PERSIST") {
            return Ok(None);
        }
        if !matches!(wanted, Wanted::Nothing) {
            return Err(CommandError::ExpiryOrPersist);
        }
        let Some(clock) = clock else {
            wanted = Wanted::Persist;
            return Ok(Some(1));
        };
        let time = args.get(place + 1).ok_or(CommandError::ExpireMissing)?;
        wanted = Wanted::At(clock.read(time, now_ms, NAME)?);
        Ok(Some(2))
    })?;
    Ok((wanted, fields))
}

pub(super) fn hgetex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, now_ms) = (args.at(1), tx.now_ms);
    let (wanted, fields) = parse(args, now_ms)?;
    let hash = tx.read::<Hash>(key)?;
    reply.array(fields.len());
    for field in fields.iter() {
        element_or_null(reply, hash.and_then(|hash| hash.get(field, now_ms)));
    }
    if hash.is_none() {
        return Ok(Flow::Done);
    }
    match wanted {
        Wanted::Nothing => {}
        Wanted::Persist => persist(tx, key, fields),
        Wanted::At(time_ms) => {
            let mut changed = Changed::default();
            let ((), fate) = change(tx, key, fields.iter(), |hash, _| {
                for field in fields.iter() {
                    if hash.view().has(field) {
                        changed.expire(hash, field, time_ms, now_ms);
                    }
                }
            });
            changed.tell(tx, key, time_ms, fate);
        }
    }
    Ok(Flow::Done)
}

fn persist(tx: &mut Tx<'_>, key: &[u8], fields: FieldList<'_>) {
    let (persisted, fate) = change(tx, key, fields.iter(), |hash, _| {
        let expires = |hash: &Hash, field| {
            hash.view().find_stored(field).is_some_and(|found| found.expire_at_ms.is_some())
        };
        let mut persisted: Vec<&[u8]> = Vec::new();
        for field in fields.iter() {
            if expires(hash, field) {
                hash.set_expiry(field, None);
                persisted.push(field);
            }
        }
        persisted
    });
    tell(tx, key, Event::Hpersist, &persisted, fate);
    if tx.ledger.propagates && !persisted.is_empty() {
        let count = format_i64(persisted.len() as i64);
        let head: [&[u8]; 4] = [b"HPERSIST", key, b"FIELDS", &count];
        tx.ledger.propagate_instead(vec![head.iter().chain(&persisted).collect::<Argv>()]);
    }
}
