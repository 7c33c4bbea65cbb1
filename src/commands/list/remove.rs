//! What removes elements without answering them: LREM, LTRIM.

use super::range_of;
use crate::base::argv::Args;
use crate::encoding::quicklist::Direction;
use crate::keyspace::{Access, Event, Fate, Tx};
use crate::object::{List, ListView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::integer;

pub(super) fn lrem(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, needle) = (args.at(1), args.at(3));
    let count = integer(args.at(2))?;
    if !tx.check::<List>(key)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let direction = if count < 0 { Direction::Backward } else { Direction::Forward };
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let (removed, fate) =
        tx.edit(key, |list: &mut List, rules| list.remove_equal(needle, most, direction, rules));
    if removed > 0 {
        tx.told(key, Event::Lrem, removed as u64, fate);
    }
    reply.count(removed);
    Ok(Flow::Done)
}

pub(super) fn ltrim(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let range = (integer(args.at(2))?, integer(args.at(3))?);
    if let Some(len) = tx.view::<List>(key, Access::Write)?.map(ListView::len) {
        let (first, count) = range_of(range, len);
        let fate = if count == 0 {
            // As a whole, which may be off the loop.
            tx.remove(key, tx.keyspace.settings.free_replaced);
            Fate::Emptied
        } else {
            tx.edit(key, |list: &mut List, rules| list.trim(first..first + count, rules)).1
        };
        tx.told(key, Event::Ltrim, (len - count) as u64, fate);
    }
    reply.ok();
    Ok(Flow::Done)
}
