//! The searches: members of an area, answered or stored.

use super::arguments::answer_place;
use super::query::{Count, Form, Order, Query, StoredScore};
use crate::base::argv::Args;
use crate::base::partial_sort::sort_part;
use crate::commands::elements::element;
use crate::encoding::listpack::{Digits, Element};
use crate::keyspace::{Event, Tx};
use crate::object::geo::{Area, Place, Unit, distance_text, place_of_score};
use crate::object::zset::{self, ScoreBound, ScoreRange, ZsetBuilder};
use crate::object::{DataType, Rules, Variant, Zset, ZsetView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

pub(super) fn georadius(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    search(Form::Radius, tx, args, reply)
}

pub(super) fn georadius_ro(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    search(Form::RadiusReadOnly, tx, args, reply)
}

pub(super) fn georadiusbymember(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    search(Form::RadiusByMember, tx, args, reply)
}

pub(super) fn georadiusbymember_ro(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    search(Form::RadiusByMemberReadOnly, tx, args, reply)
}

pub(super) fn geosearch(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    search(Form::Search, tx, args, reply)
}

pub(super) fn geosearchstore(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    search(Form::SearchStore, tx, args, reply)
}

fn search(form: Form, tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let rules = *tx.rules();
    let zset = tx.read::<Zset>(args.at(form.key()))?;
    let query = Query::parse(form, args, zset)?;
    let (found, unit) = match (zset, &query.area) {
        (Some(zset), Some(area)) => (find(zset, area, &query), area.unit),
        _ => (Vec::new(), Unit::Metre),
    };
    let Some((key, stored_score)) = query.store else {
        answer(&found, &query, unit, reply);
        return Ok(Flow::Done);
    };
    let stored = collect(&found, stored_score, unit, &rules);
    drop(found);
    reply.count(stored.view().len());
    store(
        tx,
        key,
        stored,
        if form == Form::SearchStore { Event::GeoSearchStore } else { Event::GeoRadiusStore },
    );
    Ok(Flow::Done)
}

/// A member that lies in the area.
struct Found<'a> {
    member: Element<'a>,
    score: f64,
    place: Place,
    distance_m: f64,
}

/// The members in the area, as many as are wanted, in order.
fn find<'a>(zset: ZsetView<'a>, area: &Area, query: &Query<'_>) -> Vec<Found<'a>> {
    let wanted = match query.count {
        Count::All => usize::MAX,
        Count::First(count) | Count::Any(count) => count,
    };
    let limit = if matches!(query.count, Count::Any(_)) { wanted } else { usize::MAX };
    let members = area.ranges().flat_map(|range| {
        let range =
            ScoreRange { min: ScoreBound::Inclusive(range.start), max: ScoreBound::Exclusive(range.end) };
        zset.entries_of(zset.ranks_by_score(range), zset::Order::Ascending)
    });
    let inside = members.filter_map(|(member, score)| {
        let place = place_of_score(score);
        let distance_m = area.distance_m(place)?;
        Some(Found { member, score, place, distance_m })
    });
    let mut found: Vec<Found<'a>> = inside.take(limit).collect();
    let by_distance = |left: &Found<'_>, right: &Found<'_>| left.distance_m.total_cmp(&right.distance_m);
    if let Some(order) = query.order {
        match order {
            Order::Nearest => sort(&mut found, wanted, by_distance),
            Order::Farthest => sort(&mut found, wanted, |left, right| by_distance(right, left)),
        }
    }
    found.truncate(wanted);
    found
}

/// Sorts as many of the first ones as are wanted; equal ones come in the order of redis-server.
fn sort<'a>(
    found: &mut [Found<'a>],
    wanted: usize,
    compare: impl FnMut(&Found<'a>, &Found<'a>) -> std::cmp::Ordering,
) {
    if wanted < found.len() { sort_part(found, 0..wanted, compare) } else { found.sort_by(compare) }
}

fn answer(found: &[Found<'_>], query: &Query<'_>, unit: Unit, reply: &mut Reply<'_>) {
    reply.array(found.len());
    let shown = query.shown;
    for one in found {
        if shown.count() > 0 {
            reply.array(shown.count() + 1);
        }
        element(reply, one.member);
        if shown.distance {
            reply.bulk_text(&distance_text(one.distance_m / unit.metres()));
        }
        if shown.score {
            reply.integer(one.score as i64);
        }
        if shown.place {
            answer_place(one.place, reply);
        }
    }
}

/// The sorted set to store.
fn collect(found: &[Found<'_>], stored_score: StoredScore, unit: Unit, rules: &Rules) -> Zset {
    let mut zset = ZsetBuilder::new(rules);
    zset.reserve(found.len());
    for one in found {
        let score = match stored_score {
            StoredScore::Place => one.score,
            StoredScore::Distance => one.distance_m / unit.metres(),
        };
        zset.put(one.member.text(&mut Digits::default()), |_| Some(score));
    }
    zset.finish(rules)
}

/// Stores a result, or removes the key when there is none.
fn store(tx: &mut Tx<'_>, key: &[u8], stored: Zset, event: Event) {
    if stored.is_empty() {
        if tx.remove(key, tx.keyspace.settings.free_replaced) {
            tx.changed(key, Event::Del);
        }
        return;
    }
    let dirty = stored.view().len() as u64;
    tx.store(key, stored.into_object());
    tx.ledger.changed(tx.db, key, event, dirty);
}
