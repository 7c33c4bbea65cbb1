//! XLEN, XRANGE, XREVRANGE.

use super::ids::{self, answer_entries};
use crate::base::argv::Args;
use crate::keyspace::Tx;
use crate::object::Stream;
use crate::object::stream::StreamId;
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{Options, integer, is_word};

pub(super) fn xlen(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let length = tx.read::<Stream>(args.at(1))?.map_or(0, |stream| stream.log().len());
    reply.integer(length as i64);
    Ok(Flow::Done)
}

#[derive(Clone, Copy)]
enum Order {
    Ascending,
    Descending,
}

pub(super) fn xrange(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let start = ids::start(args.at(2))?;
    let end = ids::end(args.at(3))?;
    range(tx, args, reply, (start, end, Order::Ascending))
}

pub(super) fn xrevrange(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let start = ids::start(args.at(3))?;
    let end = ids::end(args.at(2))?;
    range(tx, args, reply, (start, end, Order::Descending))
}

fn range(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    (start, end, order): (StreamId, StreamId, Order),
) -> Result<Flow, CommandError> {
    let mut count = usize::MAX;
    let mut options = Options::new(args, 4);
    while let Some(word) = options.next_argument() {
        if !is_word(word, "COUNT") {
            return Err(CommandError::Syntax);
        }
        count = usize::try_from(integer(options.value()?)?).unwrap_or(0);
    }
    match tx.read::<Stream>(args.at(1))? {
        None => reply.array(0),
        Some(_) if count == 0 => reply.null_array(),
        Some(stream) => {
            let log = stream.log();
            match order {
                Order::Ascending => answer_entries(reply, log.range(start, end).take(count)),
                Order::Descending => answer_entries(reply, log.range_back(start, end).take(count)),
            };
        }
    }
    Ok(Flow::Done)
}
