//! ZADD, ZINCRBY, ZREM.

use super::answers::score_or_null;
use super::bounds::score;
use crate::base::argv::Args;
use crate::keyspace::{Access, Event, Tx};
use crate::object::Zset;
use crate::object::zset::Put;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::is_word;

/// Whether a score is given or added.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Set,
    Increment,
}

/// Which members are changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    All,
    /// NX
    Absent,
    /// XX
    Present,
}

/// Which new scores of members that are there are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scores {
    All,
    /// GT
    Higher,
    /// LT
    Lower,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Added,
    /// CH
    Changed,
}

#[derive(Clone, Copy)]
struct Options {
    mode: Mode,
    members: Members,
    scores: Scores,
    counted: Counted,
    /// The argument at which the pairs begin.
    first: usize,
}

impl Options {
    fn parse(args: Args<'_>, mode: Mode) -> Result<Options, CommandError> {
        let mut options =
            Options { mode, members: Members::All, scores: Scores::All, counted: Counted::Added, first: 2 };
        let (mut nx, mut xx, mut gt, mut lt) = (0, 0, 0, 0);
        for word in args.from(2).iter() {
            match word.to_ascii_uppercase().as_slice() {
                b"NX" => nx = 1,
                b"XX" => xx = 1,
                b"GT" => gt = 1,
                b"LT" => lt = 1,
                b"CH" => options.counted = Counted::Changed,
                b"INCR" => options.mode = Mode::Increment,
                _ => break,
            }
            options.first += 1;
        }
        let pairs = args.len() - options.first;
        if pairs == 0 || !pairs.is_multiple_of(2) {
            return Err(CommandError::Syntax);
        }
        if nx + xx > 1 {
            return Err(CommandError::XxNxConflict);
        }
        if nx + gt + lt > 1 {
            return Err(CommandError::GtLtNxConflict);
        }
        if options.mode == Mode::Increment && pairs > 2 {
            return Err(CommandError::IncrManyPairs);
        }
        options.members = if nx > 0 {
            Members::Absent
        } else if xx > 0 {
            Members::Present
        } else {
            Members::All
        };
        options.scores = if gt > 0 {
            Scores::Higher
        } else if lt > 0 {
            Scores::Lower
        } else {
            Scores::All
        };
        Ok(options)
    }

    /// The score that a member gets which has `old`; `None` leaves it as it is, NaN included.
    fn decide(&self, old: Option<f64>, given: f64) -> Option<f64> {
        let Some(old) = old else { return (self.members != Members::Present).then_some(given) };
        if self.members == Members::Absent {
            return None;
        }
        let new = if self.mode == Mode::Increment { old + given } else { given };
        let is_wanted = match self.scores {
            Scores::All => true,
            Scores::Higher => new > old || new.is_nan(),
            Scores::Lower => new < old || new.is_nan(),
        };
        is_wanted.then_some(new)
    }
}

pub(super) fn zadd(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let options = Options::parse(args, Mode::Set)?;
    add(tx, args, options, reply)
}

pub(super) fn zincrby(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    // The words of ZADD are words here, too, and leave no pair.
    let options = Options::parse(args, Mode::Increment)?;
    add(tx, args, options, reply)
}

fn add(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    options: Options,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let pairs = args.from(options.first);
    let scores: Vec<f64> = pairs.iter().step_by(2).map(score).collect::<Result<_, _>>()?;
    let is_there = tx.check::<Zset>(args.at(1))?;
    if options.mode == Mode::Increment {
        return increment(tx, args, options, scores[0], reply);
    }
    if !is_there && options.members == Members::Present {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let ((added, changed), fate) = tx.edit::<Zset, _>(args.at(1), |zset, rules| {
        let (mut added, mut changed) = (0, 0);
        for (member, given) in pairs.iter().skip(1).step_by(2).zip(&scores) {
            match zset.put(member, rules, |old| options.decide(old, *given)) {
                Put::Added => added += 1,
                Put::Changed => changed += 1,
                Put::Same | Put::Declined => {}
            }
        }
        (added, changed)
    });
    if added + changed > 0 {
        tx.told(args.at(1), Event::Zadd, added + changed, fate);
    }
    reply.count(if options.counted == Counted::Changed { added + changed } else { added } as usize);
    Ok(Flow::Done)
}

fn increment(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    options: Options,
    given: f64,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let (key, member) = (args.at(1), args.at(options.first + 1));
    let old = tx.view::<Zset>(key, Access::Write)?.and_then(|zset| zset.score(member));
    let score = options.decide(old, given);
    if score.is_some_and(f64::is_nan) {
        return Err(CommandError::ScoreNan);
    }
    let Some(score) = score else {
        reply.null();
        return Ok(Flow::Done);
    };
    if old != Some(score) {
        let (_, fate) = tx.edit::<Zset, _>(key, |zset, rules| zset.add(member, score, rules));
        tx.told(key, Event::Zincr, 1, fate);
    }
    score_or_null(reply, Some(score));
    Ok(Flow::Done)
}

pub(super) fn zrem(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    if !tx.check::<Zset>(key)? {
        reply.integer(0);
        return Ok(Flow::Done);
    }
    let (removed, fate) = tx.edit::<Zset, _>(key, |zset, _| {
        args.iter().skip(2).filter(|member| zset.remove(member).is_some()).count()
    });
    if removed > 0 {
        tx.told(key, Event::Zrem, removed as u64, fate);
    }
    reply.count(removed);
    Ok(Flow::Done)
}

/// Whether an argument is WITHSCORES.
pub(super) fn is_with_scores(argument: &[u8]) -> bool {
    is_word(argument, "WITHSCORES")
}
