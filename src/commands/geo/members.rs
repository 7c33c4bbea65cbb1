//! GEODIST, GEOHASH and GEOPOS: what is known of given members.

use super::arguments::{answer_place, unit};
use crate::base::argv::Args;
use crate::keyspace::Tx;
use crate::object::geo::{Unit, distance_m, distance_text, geohash_text, place_of_score};
use crate::object::{Zset, ZsetView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

pub(super) fn geodist(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let unit = match args.len() {
        4 => Unit::Metre,
        5 => unit(args.at(4))?,
        _ => return Err(CommandError::Syntax),
    };
    let found = tx.read::<Zset>(args.at(1))?;
    let place = |member| found.and_then(|zset: ZsetView<'_>| zset.score(member)).map(place_of_score);
    match place(args.at(2)).zip(place(args.at(3))) {
        Some((from, to)) => reply.bulk_text(&distance_text(distance_m(from, to) / unit.metres())),
        None => reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn geohash(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    for_members(tx, args, reply, |score, reply| match score {
        Some(score) => reply.bulk(&geohash_text(score)),
        None => reply.null(),
    })
}

pub(super) fn geopos(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    for_members(tx, args, reply, |score, reply| match score {
        Some(score) => answer_place(place_of_score(score), reply),
        None => reply.null_array(),
    })
}

/// Answers something for the score of each member from argument 2 on.
fn for_members(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    answer: impl Fn(Option<f64>, &mut Reply<'_>),
) -> Result<Flow, CommandError> {
    let found = tx.read::<Zset>(args.at(1))?;
    reply.array(args.len() - 2);
    for member in args.iter().skip(2) {
        answer(found.and_then(|zset| zset.score(member)), reply);
    }
    Ok(Flow::Done)
}
