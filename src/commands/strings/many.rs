//! Several keys at once: MGET, MSET, MSETNX, MSETEX.

use super::get::answer;
use super::options::{ExpiryOption, expiry_of};
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::keyspace::{Access, Event, Expiry, Tx};
use crate::object::ValueType;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::args::{Options, is_word};
use crate::spec::{Begin, CommandError, Find, KeyFlags, KeySpec, args as arguments};

pub(super) const MSETEX_KEYS: &[KeySpec] = &[KeySpec {
    begin: Begin::Index(1),
    find: Find::KeyCount { count: 0, first: 1, step: 2 },
    flags: KeyFlags::OW.or(KeyFlags::UPDATE),
}];

pub(super) fn mget(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    reply.array(args.len() - 1);
    for key in args.iter().skip(1) {
        let string = tx.lookup(key, Access::Read).filter(|entry| entry.value_type() == ValueType::String);
        answer(string.map(|entry| entry.str_view()), reply);
    }
    Ok(Flow::Done)
}

pub(super) fn mset(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    check_pairs(args, "mset")?;
    set_all(tx, args, Expiry::None);
    reply.ok();
    Ok(Flow::Done)
}

pub(super) fn msetnx(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    check_pairs(args, "msetnx")?;
    let absent = !args.iter().skip(1).step_by(2).any(|key| tx.exists(key));
    if absent {
        set_all(tx, args, Expiry::None);
    }
    reply.integer(i64::from(absent));
    Ok(Flow::Done)
}

fn check_pairs(args: Args<'_>, name: &'static str) -> Result<(), CommandError> {
    if args.len() % 2 == 1 { Ok(()) } else { Err(CommandError::Arity(name)) }
}

/// Sets the pairs that begin at argument 1.
fn set_all(tx: &mut Tx<'_>, args: Args<'_>, expiry: Expiry) {
    for index in (1..args.len()).step_by(2) {
        tx.set_str(args.at(index), args.at(index + 1), expiry);
        tx.changed(args.at(index), Event::Set);
    }
}

/// When MSETEX sets anything at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum All {
    Absent,
    Present,
}

fn msetex_options(
    args: Args<'_>,
    first: usize,
) -> Result<(Option<All>, Option<ExpiryOption<'_>>), CommandError> {
    let (mut condition, mut expiry): (Option<All>, Option<ExpiryOption<'_>>) = (None, None);
    let mut options = Options::new(args, first);
    while let Some(word) = options.next_argument() {
        if condition.is_none() && is_word(word, "NX") {
            condition = Some(All::Absent);
        } else if condition.is_none() && is_word(word, "XX") {
            condition = Some(All::Present);
        } else {
            let given = ExpiryOption::parse(word, || options.value())?;
            expiry = given.filter(|given| given.may_follow(expiry));
            if expiry.is_none() {
                return Err(CommandError::Syntax);
            }
        }
    }
    Ok((condition, expiry))
}

pub(super) fn msetex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    const INVALID: CommandError = CommandError::Text(std::borrow::Cow::Borrowed("ERR invalid numkeys value"));
    let keys =
        arguments::integer_in(args.at(1), 1..=i64::from(i32::MAX), INVALID).map_err(|_| INVALID)? as usize;
    if keys > (args.len() - 2) / 2 {
        return Err(CommandError::text("ERR wrong number of key-value pairs"));
    }
    let end = 2 + keys * 2;
    let (condition, expiry) = msetex_options(args, end)?;
    let expiry = expiry_of(expiry, tx.now_ms, "msetex")?;
    let mut places = (2..end).step_by(2);
    let holds = match condition {
        None => true,
        Some(All::Absent) => !places.any(|place| tx.exists(args.at(place))),
        Some(All::Present) => places.all(|place| tx.exists(args.at(place))),
    };
    if holds {
        msetex_store(tx, args, end, expiry);
    }
    reply.integer(i64::from(holds));
    Ok(Flow::Done)
}

fn msetex_store(tx: &mut Tx<'_>, args: Args<'_>, end: usize, expiry: Expiry) {
    let mut commands = Vec::new();
    for place in (2..end).step_by(2) {
        let (key, value) = (args.at(place), args.at(place + 1));
        tx.set_str(key, value, expiry);
        tx.changed(key, Event::Set);
        if let Expiry::At(at_ms) = expiry {
            tx.also(key, Event::Expire);
            if tx.ledger.propagates {
                commands.push(Argv::from_iter([b"SET", key, value, b"PXAT", &number::format_i64(at_ms)]));
            }
        }
    }
    if !commands.is_empty() {
        tx.ledger.propagate_instead(commands);
    }
}
