//! HRANDFIELD and HSCAN.

use crate::base::argv::Args;
use crate::commands::elements::{element, element_or_null};
use crate::commands::scan::{MemberOptions, MemberScan, Values, parse_cursor};
use crate::keyspace::Tx;
use crate::object::hash::{FieldView, Hash};
use crate::resp::{Protocol, Reply};
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{integer, is_word};

pub(super) fn hrandfield(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (key, now_ms) = (args.at(1), tx.now_ms);
    let Some(count) = args.get(2) else {
        let mut rng = tx.keyspace.rng.fork();
        let found = tx.read::<Hash>(key)?.and_then(|hash| hash.random(now_ms, &mut rng));
        element_or_null(reply, found.map(|found| found.field));
        return Ok(Flow::Done);
    };
    let (count, values) = hrandfield_options(count, args)?;
    let mut rng = tx.keyspace.rng.fork();
    let hash = tx.read::<Hash>(key)?.filter(|_| count != 0);
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    match hash {
        None => reply.array(0),
        Some(hash) if count < 0 => {
            // An array of unknown length: all fields may have expired.
            let (answer, mut shown) = (reply.deferred_array(), 0);
            hash.random_with_repetition(wanted, now_ms, &mut rng, &mut |found| {
                show(reply, found, values);
                shown += 1;
            });
            let elements = elements_per_field(reply, values) * shown;
            reply.set_deferred(answer, elements);
        }
        Some(hash) => {
            let found = hash.random_distinct(wanted, now_ms, &mut rng);
            reply.array(elements_per_field(reply, values) * found.len());
            found.into_iter().for_each(|found| show(reply, found, values));
        }
    }
    Ok(Flow::Done)
}

/// Whether fields are answered with their values.
fn hrandfield_options(count: &[u8], args: Args<'_>) -> Result<(i64, Values), CommandError> {
    let count = integer(count)?;
    if count == i64::MIN {
        return Err(CommandError::CountOutOfRange);
    }
    let values = match args.get(3) {
        None => return Ok((count, Values::Hidden)),
        Some(word) if args.len() == 4 && is_word(word, "WITHVALUES") => Values::Shown,
        Some(_) => return Err(CommandError::Syntax),
    };
    let most = i64::MAX / 2;
    if (-most..=most).contains(&count) { Ok((count, values)) } else { Err(CommandError::ValueOutOfRange) }
}

/// RESP3 answers a field and its value as an array of two, RESP2 one after the other.
fn elements_per_field(reply: &Reply<'_>, values: Values) -> usize {
    if values == Values::Shown && reply.protocol() == Protocol::Resp2 { 2 } else { 1 }
}

fn show(reply: &mut Reply<'_>, found: FieldView<'_>, values: Values) {
    if values == Values::Shown && reply.protocol() == Protocol::Resp3 {
        reply.array(2);
    }
    element(reply, found.field);
    if values == Values::Shown {
        element(reply, found.value);
    }
}

pub(super) fn hscan(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let now_ms = tx.now_ms;
    let cursor = parse_cursor(args.at(2))?;
    let hash = tx.read::<Hash>(args.at(1))?;
    let Some(hash) = hash else {
        reply.array(2);
        reply.bulk(b"0");
        reply.array(0);
        return Ok(Flow::Done);
    };
    let scan = MemberScan::parse(args, MemberOptions::NoValues)?;
    // The cursor is answered first and known last.
    let (mut buffer, mut shown) = (Vec::new(), 0);
    let mut part = Reply::new(&mut buffer, reply.protocol());
    let next = hash.scan(cursor, scan.count, now_ms, &mut |found| {
        if scan.matches(found.field) {
            shown += 1;
            element(&mut part, found.field);
            if scan.values == Values::Shown {
                element(&mut part, found.value);
            }
        }
    });
    reply.array(2);
    reply.bulk_text(&next.to_string());
    reply.array(if scan.values == Values::Shown { 2 * shown } else { shown });
    reply.raw(&buffer);
    Ok(Flow::Done)
}
