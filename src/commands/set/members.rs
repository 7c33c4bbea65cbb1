//! Members one by one or all: SADD, SREM, SMOVE, SISMEMBER, SMISMEMBER, SCARD, SMEMBERS, SSCAN.

use crate::base::argv::{Args, Argv};
use crate::commands::elements::element;
use crate::commands::scan::{MemberOptions, MemberScan, parse_cursor};
use crate::encoding::listpack::Digits;
use crate::keyspace::{Access, Event, Tx};
use crate::object::{Set, SetView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

/// The first member among the arguments of SADD, SREM and SMISMEMBER.
const FIRST: usize = 2;

pub(super) fn sadd(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, members) = (args.at(1), args.from(FIRST));
    tx.check::<Set>(key)?;
    let (added, fate) = tx.edit::<Set, _>(key, |set, rules| {
        set.expect(members.at(0), members.len(), rules);
        set.add_all(members.iter(), rules)
    });
    if added > 0 {
        tx.told(key, Event::Sadd, added as u64, fate);
    }
    reply.count(added);
    Ok(Flow::Done)
}

pub(super) fn srem(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    if !tx.check::<Set>(key)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let (removed, fate) = tx.edit::<Set, _>(key, |set, _| set.remove_all(args.iter().skip(FIRST)));
    if removed > 0 {
        tx.told(key, Event::Srem, removed as u64, fate);
    }
    reply.count(removed);
    Ok(Flow::Done)
}

pub(super) fn smove(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (source, destination, member) = (args.at(1), args.at(2), args.at(3));
    if !tx.check::<Set>(source)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    tx.check::<Set>(destination)?;
    if source == destination {
        let is_member = tx.view::<Set>(source, Access::Write)?.is_some_and(|set| set.contains(member));
        reply.integer(i64::from(is_member));
        return Ok(Flow::Done);
    }
    let (removed, fate) = tx.edit::<Set, _>(source, |set, _| set.remove(member));
    if removed {
        tx.told(source, Event::Srem, 1, fate);
        smove_into(tx, destination, member);
    }
    reply.integer(i64::from(removed));
    Ok(Flow::Done)
}

fn smove_into(tx: &mut Tx<'_>, destination: &[u8], member: &[u8]) {
    let (added, fate) = tx.edit::<Set, _>(destination, |set, rules| {
        set.expect(member, 1, rules);
        set.add(member, rules)
    });
    if added {
        tx.told(destination, Event::Sadd, 1, fate);
    }
}

pub(super) fn sismember(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let is_member = tx.read::<Set>(args.at(1))?.is_some_and(|set| set.contains(args.at(2)));
    reply.integer(i64::from(is_member));
    Ok(Flow::Done)
}

pub(super) fn smismember(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let members = args.from(FIRST);
    let set = tx.read::<Set>(args.at(1))?;
    reply.array(members.len());
    match set {
        Some(set) => {
            set.contains_each(members.iter(), &mut |is_member| reply.integer(i64::from(is_member)));
        }
        None => members.iter().for_each(|_| reply.integer(0)),
    }
    Ok(Flow::Done)
}

pub(super) fn scard(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let len = tx.read::<Set>(args.at(1))?.map_or(0, SetView::len);
    reply.count(len);
    Ok(Flow::Done)
}

pub(super) fn smembers(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let set = tx.read::<Set>(args.at(1))?;
    all(reply, set);
    Ok(Flow::Done)
}

/// All members of a set, or none.
pub(super) fn all(reply: &mut Reply<'_>, set: Option<SetView<'_>>) {
    reply.set(set.map_or(0, SetView::len));
    set.into_iter().flat_map(SetView::iter).for_each(|member| element(reply, member));
}

pub(super) fn sscan(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let cursor = parse_cursor(args.at(2))?;
    let Some(set) = tx.read::<Set>(args.at(1))? else {
        reply.array(2);
        reply.bulk(b"0");
        reply.array(0);
        return Ok(Flow::Done);
    };
    let scan = MemberScan::parse(args, MemberOptions::Common)?;
    let mut found = Argv::new();
    let next = set.scan(cursor, scan.count, &mut |member| {
        if scan.matches(member) {
            found.push(member.text(&mut Digits::default()));
        }
    });
    reply.array(2);
    reply.bulk_text(&next.to_string());
    reply.array(found.args().len());
    found.args().iter().for_each(|member| reply.bulk(member));
    Ok(Flow::Done)
}
