//! What reads a list: LLEN, LINDEX, LRANGE, LPOS.

use super::range_of;
use crate::base::argv::Args;
use crate::commands::elements::element;
use crate::encoding::listpack::Needle;
use crate::encoding::quicklist::Direction;
use crate::keyspace::Tx;
use crate::object::{List, ListView};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, integer_in, is_word};
use std::ops::ControlFlow;

pub(super) fn llen(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let list = tx.read::<List>(args.at(1))?;
    reply.count(list.map_or(0, ListView::len));
    Ok(Flow::Done)
}

pub(super) fn lindex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let found = match tx.read::<List>(args.at(1))? {
        None => None,
        Some(list) => {
            let index = list.index_of(integer(args.at(2))?);
            index.and_then(|index| list.get(index, |found| element(reply, found)))
        }
    };
    if found.is_none() {
        reply.null();
    }
    Ok(Flow::Done)
}

pub(super) fn lrange(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let range = (integer(args.at(2))?, integer(args.at(3))?);
    let Some(list) = tx.read::<List>(args.at(1))? else {
        reply.array(0);
        return Ok(Flow::Done);
    };
    let (first, count) = range_of(range, list.len());
    reply.array(count);
    list.range(first, count, |found| element(reply, found));
    Ok(Flow::Done)
}

/// The options of LPOS.
struct Search {
    direction: Direction,
    /// Matches that are passed over.
    passed_over: u64,
    /// How many matches are wanted: all if 0; one that is not in an array if it was not told.
    count: Option<u64>,
    /// How many elements are looked at, at most.
    compared_max: u64,
}

impl Search {
    fn parse(args: Args<'_>) -> Result<Search, CommandError> {
        let mut search =
            Search { direction: Direction::Forward, passed_over: 0, count: None, compared_max: u64::MAX };
        let mut options = Options::new(args, 3);
        while let Some(word) = options.next_argument() {
            if is_word(word, "RANK") {
                search.set_rank(options.value()?)?;
            } else if is_word(word, "COUNT") {
                search.count = Some(not_negative(options.value()?, "ERR COUNT can't be negative")?);
            } else if is_word(word, "MAXLEN") {
                let most = not_negative(options.value()?, "ERR MAXLEN can't be negative")?;
                search.compared_max = if most == 0 { u64::MAX } else { most };
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(search)
    }

    fn set_rank(&mut self, argument: &[u8]) -> Result<(), CommandError> {
        const OUT_OF_RANGE: &str =
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
        let rank = integer_in(argument, -i64::MAX..=i64::MAX, CommandError::text(OUT_OF_RANGE))?;
        if rank == 0 {
            return Err(CommandError::RankZero);
        }
        self.direction = if rank < 0 { Direction::Backward } else { Direction::Forward };
        self.passed_over = rank.unsigned_abs() - 1;
        Ok(())
    }

    /// Shows the indexes of the matches that are wanted. How many they are.
    fn run(&self, list: ListView<'_>, needle: &[u8], mut show: impl FnMut(usize)) -> usize {
        let needle = Needle::new(needle);
        let last = list.len() - 1;
        let start = if self.direction == Direction::Forward { 0 } else { last };
        let wanted = self.count.unwrap_or(1);
        let (mut compared, mut matches, mut shown) = (0, 0, 0);
        let _ = list.visit(start, self.direction, |found| {
            if needle.is(found) {
                matches += 1;
                if matches > self.passed_over {
                    let distance = compared as usize;
                    show(if self.direction == Direction::Forward { distance } else { last - distance });
                    shown += 1;
                }
            }
            compared += 1;
            if compared == self.compared_max || (wanted > 0 && shown as u64 == wanted) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        shown
    }
}

fn not_negative(argument: &[u8], error: &'static str) -> Result<u64, CommandError> {
    let error = || CommandError::text(error);
    integer_in(argument, 0..=i64::MAX, error()).map(|value| value as u64).map_err(|_| error())
}

pub(super) fn lpos(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let search = Search::parse(args)?;
    let list = tx.read::<List>(args.at(1))?;
    if search.count.is_some() {
        let array = reply.deferred_array();
        let shown = list.map_or(0, |list| search.run(list, args.at(2), |index| reply.count(index)));
        reply.set_deferred(array, shown);
    } else if list.map_or(0, |list| search.run(list, args.at(2), |index| reply.count(index))) == 0 {
        reply.null();
    }
    Ok(Flow::Done)
}
