//! SET and its older forms.

use super::get::answer;
use super::options::{Condition, ExpireUnit, ExpiryOption, expire_at_ms, expiry_of};
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::keyspace::{Event, Expiry, Tx};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::args::{Options, is_word};
use crate::spec::{CommandError, KeyFlags};

/// What SET was asked for beyond key and value.
#[derive(Default)]
struct SetOptions<'a> {
    condition: Option<Condition<'a>>,
    expiry: Option<ExpiryOption<'a>>,
    get: bool,
}

/// With GET it reads the key, otherwise it only writes it.
pub(super) fn key_flags(args: Args<'_>) -> KeyFlags {
    let gets = args.iter().skip(3).any(|word| is_word(word, "GET"));
    let access = if gets { KeyFlags::RW.or(KeyFlags::ACCESS) } else { KeyFlags::OW };
    access.or(KeyFlags::UPDATE)
}

fn parse<'a>(args: Args<'a>) -> Result<SetOptions<'a>, CommandError> {
    let mut found = SetOptions::default();
    let mut options = Options::new(args, 3);
    while let Some(word) = options.next_argument() {
        let condition = if is_word(word, "NX") {
            Some(Condition::Absent)
        } else if is_word(word, "XX") {
            Some(Condition::Present)
        } else {
            Condition::comparing(word, || options.value())?
        };
        let expiry = ExpiryOption::parse(word, || options.value())?;
        match (condition, expiry) {
            (Some(condition), _) if found.condition.is_none_or(|old| old == condition) => {
                found.condition = Some(condition);
            }
            (None, Some(expiry)) if expiry.may_follow(found.expiry) => found.expiry = Some(expiry),
            (None, None) if is_word(word, "GET") => found.get = true,
            _ => return Err(CommandError::Syntax),
        }
    }
    Ok(found)
}

pub(super) fn set(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, value) = (args.at(1), args.at(2));
    if args.len() == 3 {
        tx.set_str(key, value, Expiry::None);
        tx.changed(key, Event::Set);
        reply.ok();
        return Ok(Flow::Done);
    }
    let options = parse(args)?;
    let expiry = expiry_of(options.expiry, tx.now_ms, "set")?;
    if options.get {
        answer(tx.read_str(key)?, reply);
    }
    let holds = match options.condition {
        Some(condition) => condition.holds(tx, key)?,
        None => true,
    };
    if !holds {
        if !options.get {
            reply.null();
        }
        return Ok(Flow::Done);
    }
    store(tx, (key, value), expiry);
    if !options.get {
        reply.ok();
    }
    Ok(Flow::Done)
}

/// Sets the value and tells it.
fn store(tx: &mut Tx<'_>, (key, value): (&[u8], &[u8]), expiry: Expiry) {
    tx.set_str(key, value, expiry);
    tx.changed(key, Event::Set);
    let Expiry::At(at_ms) = expiry else { return };
    tx.also(key, Event::Expire);
    if tx.ledger.propagates {
        let at = number::format_i64(at_ms);
        tx.ledger.propagate_instead(vec![Argv::from_iter([b"SET", key, value, b"PXAT", &at])]);
    }
}

pub(super) fn setnx(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let absent = !tx.exists(args.at(1));
    if absent {
        store(tx, (args.at(1), args.at(2)), Expiry::None);
    }
    reply.integer(i64::from(absent));
    Ok(Flow::Done)
}

pub(super) fn setex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let at_ms = expire_at_ms(ExpireUnit::Ex, args.at(2), tx.now_ms, "setex")?;
    store(tx, (args.at(1), args.at(3)), Expiry::At(at_ms));
    reply.ok();
    Ok(Flow::Done)
}

pub(super) fn psetex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let at_ms = expire_at_ms(ExpireUnit::Px, args.at(2), tx.now_ms, "psetex")?;
    store(tx, (args.at(1), args.at(3)), Expiry::At(at_ms));
    reply.ok();
    Ok(Flow::Done)
}
