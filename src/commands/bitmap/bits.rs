//! Single bits: SETBIT, GETBIT.

use super::{Text, bit_offset};
use crate::base::argv::Args;
use crate::base::number;
use crate::keyspace::{Access, Event, Tx};
use crate::object::bitmap::{self, Bit, Growth};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;

pub(super) fn setbit(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, offset) = (args.at(1), bit_offset(tx, args.at(2))?);
    let bit = number::parse_i64(args.at(3)).and_then(Bit::new).ok_or(CommandError::BitValue)?;
    tx.str_view(key, Access::Write)?;
    let (growth, old) = tx.edit_str(key, |bytes| {
        let growth = bitmap::grow(bytes, bitmap::bytes_for(offset));
        (growth, bitmap::replace(bytes, offset, bit))
    });
    if growth == Growth::Grew || old != bit {
        tx.changed(key, Event::SetBit);
    }
    answer(old, reply);
    Ok(Flow::Done)
}

pub(super) fn getbit(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let offset = bit_offset(tx, args.at(2))?;
    let bit = tx.read_str(args.at(1))?.map_or(Bit::Zero, |view| bitmap::get(&Text::from(view), offset));
    answer(bit, reply);
    Ok(Flow::Done)
}

fn answer(bit: Bit, reply: &mut Reply<'_>) {
    reply.integer(i64::from(bit == Bit::One));
}
