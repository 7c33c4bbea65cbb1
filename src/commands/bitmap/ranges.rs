//! Many bits: BITCOUNT, BITPOS.
//!
//! As in Redis 7.0 both look the key up before they read their range: an absent key answers whatever the range says.

use super::Text;
use crate::base::argv::Args;
use crate::keyspace::Tx;
use crate::object::bitmap::{self, Bit};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::{self, is_word};
use std::ops::RangeInclusive;

/// What the ends of a range count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn parse(word: &[u8]) -> Result<Unit, CommandError> {
        if is_word(word, "BIT") {
            Ok(Unit::Bit)
        } else if is_word(word, "BYTE") {
            Ok(Unit::Byte)
        } else {
            Err(CommandError::Syntax)
        }
    }
}

/// `start..=end`, negative from the end of a string of `length` bytes, as bits that are there; `None` when it is empty.
fn bits_of(start: i64, end: i64, unit: Unit, length: usize) -> Option<RangeInclusive<u64>> {
    let total = if unit == Unit::Bit { length as i64 * 8 } else { length as i64 };
    let absolute = |index: i64| if index < 0 { index.saturating_add(total).max(0) } else { index };
    let (start, end) = (absolute(start), absolute(end).min(total - 1));
    if start > end {
        return None;
    }
    let (start, end) = (start as u64, end as u64);
    Some(if unit == Unit::Bit { start..=end } else { start * 8..=end * 8 + 7 })
}

pub(super) fn bitcount(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let Some(view) = tx.read_str(args.at(1))? else {
        reply.integer(0);
        return Ok(Flow::Done);
    };
    let text = Text::from(view);
    let bits = bitcount_range(args, text.len())?;
    reply.integer(bits.map_or(0, |bits| bitmap::count(&text, bits)).cast_signed());
    Ok(Flow::Done)
}

fn bitcount_range(args: Args<'_>, length: usize) -> Result<Option<RangeInclusive<u64>>, CommandError> {
    match args.len() {
        2 => return Ok(bits_of(0, -1, Unit::Byte, length)),
        4 | 5 => {}
        _ => return Err(CommandError::Syntax),
    }
    let (start, end) = (args::integer(args.at(2))?, args::integer(args.at(3))?);
    // A range that is empty on its face is not read further.
    if start < 0 && end < 0 && start > end {
        return Ok(None);
    }
    let unit = args.get(4).map_or(Ok(Unit::Byte), Unit::parse)?;
    Ok(bits_of(start, end, unit, length))
}

/// Where a search ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the string; beyond it zeros go on for ever.
    Open,
    /// Where the client said.
    Given,
}

pub(super) fn bitpos(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let bit = Bit::new(args::integer(args.at(2))?).ok_or(CommandError::BitArgument)?;
    let Some(view) = tx.read_str(args.at(1))? else {
        reply.integer(if bit == Bit::Zero { 0 } else { -1 });
        return Ok(Flow::Done);
    };
    let text = Text::from(view);
    let (bits, end) = bitpos_range(args, text.len())?;
    let found = bits.and_then(|bits| {
        let after = bits.end() + 1;
        let beyond = (bit == Bit::Zero && end == End::Open).then_some(after);
        bitmap::position(&text, bit, bits).or(beyond)
    });
    reply.integer(found.map_or(-1, u64::cast_signed));
    Ok(Flow::Done)
}

fn bitpos_range(args: Args<'_>, length: usize) -> Result<(Option<RangeInclusive<u64>>, End), CommandError> {
    if args.len() == 3 {
        return Ok((bits_of(0, -1, Unit::Byte, length), End::Open));
    }
    if args.len() > 6 {
        return Err(CommandError::Syntax);
    }
    let start = args::integer(args.at(3))?;
    let unit = args.get(5).map_or(Ok(Unit::Byte), Unit::parse)?;
    let Some(end) = args.get(4) else { return Ok((bits_of(start, -1, unit, length), End::Open)) };
    Ok((bits_of(start, args::integer(end)?, unit, length), End::Given))
}
