//! GEOADD: ZADD with places for scores.

use super::arguments::place;
use crate::base::argv::{Args, Argv};
use crate::base::number;
use crate::keyspace::{Event, Tx};
use crate::object::geo::score_of_place;
use crate::object::zset::Put;
use crate::object::{Rules, Zset};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::is_word;

/// Which members GEOADD touches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    None,
    /// NX
    Absent,
    /// XX
    Present,
}

/// What the reply counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Added,
    /// CH
    Changed,
}

struct Request<'a> {
    condition: Condition,
    counted: Counted,
    /// Where the first longitude stands.
    first: usize,
    members: Vec<(&'a [u8], f64)>,
}

impl<'a> Request<'a> {
    fn parse(args: Args<'a>) -> Result<Request<'a>, CommandError> {
        let (mut condition, mut counted, mut first) = (Condition::None, Counted::Added, 2);
        while let Some(word) = args.get(first) {
            condition = match condition {
                Condition::Present if is_word(word, "NX") => return Err(CommandError::Syntax),
                Condition::Absent if is_word(word, "XX") => return Err(CommandError::Syntax),
                _ if is_word(word, "NX") => Condition::Absent,
                _ if is_word(word, "XX") => Condition::Present,
                condition if is_word(word, "CH") => {
                    counted = Counted::Changed;
                    condition
                }
                _ => break,
            };
            first += 1;
        }
        let given = args.len() - first;
        if given == 0 || !given.is_multiple_of(3) {
            return Err(CommandError::Syntax);
        }
        let member = |at: usize| Ok((args.at(at + 2), score_of_place(place(args.at(at), args.at(at + 1))?)));
        let members = (first..args.len()).step_by(3).map(member).collect::<Result<_, _>>()?;
        Ok(Request { condition, counted, first, members })
    }

    /// How many members were added, and how many have another score now.
    fn apply(&self, zset: &mut Zset, rules: &Rules) -> (u64, u64) {
        let (mut added, mut changed) = (0, 0);
        for &(member, score) in &self.members {
            let put = zset.put(member, rules, |old| match (self.condition, old) {
                (Condition::Absent, Some(_)) | (Condition::Present, None) => None,
                _ => Some(score),
            });
            match put {
                Put::Added => added += 1,
                Put::Changed => changed += 1,
                Put::Same | Put::Declined => {}
            }
        }
        (added, changed)
    }

    /// The ZADD that does the same.
    fn as_zadd(&self, args: Args<'_>) -> Argv {
        let mut argv = Argv::new();
        argv.push(b"ZADD");
        (1..self.first).for_each(|at| argv.push(args.at(at)));
        for (member, score) in &self.members {
            argv.push(&number::format_i64(*score as i64));
            argv.push(member);
        }
        argv
    }
}

pub(super) fn geoadd(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let request = Request::parse(args)?;
    let key = args.at(1);
    let is_there = tx.check::<Zset>(key)?;
    if !is_there && request.condition == Condition::Present {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let ((added, changed), fate) = tx.edit(key, |zset: &mut Zset, rules| request.apply(zset, rules));
    if added + changed > 0 {
        tx.told(key, Event::Zadd, added + changed, fate);
        if tx.ledger.propagates {
            tx.ledger.propagate_instead(vec![request.as_zadd(args)]);
        }
    }
    reply.integer(match request.counted {
        Counted::Added => added,
        Counted::Changed => added + changed,
    } as i64);
    Ok(Flow::Done)
}
