//! BITFIELD and BITFIELD_RO: integers of any width at any bit offset.

use super::{RO_ACCESS, RW_ACCESS_UPDATE, Text, bit_offset, check_offset};
use crate::base::argv::Args;
use crate::base::number;
use crate::keyspace::{Access, Event, Tx};
use crate::object::bitmap::{self, Field, Growth, Overflow, Sign};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::args::{self, Options, is_word};
use crate::spec::error::until_nul;
use crate::spec::{CommandError, KeyFlags};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Get,
    Set(i64),
    IncrBy(i64),
}

/// One step: what to do with which integer.
struct Step {
    action: Action,
    field: Field,
    /// In bits.
    offset: u64,
    overflow: Overflow,
}

impl Step {
    /// The last bit it needs, when it writes.
    fn last_written(&self) -> Option<u64> {
        (self.action != Action::Get).then(|| self.offset + u64::from(self.field.bits()) - 1)
    }
}

fn parse(tx: &Tx<'_>, args: Args<'_>) -> Result<Vec<Step>, CommandError> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::default();
    let mut options = Options::new(args, 2);
    while let Some(word) = options.next_argument() {
        let arguments = options.left();
        if is_word(word, "OVERFLOW") && arguments >= 1 {
            overflow = parse_overflow(options.value()?)?;
            continue;
        }
        let is_get = is_word(word, "GET") && arguments >= 2;
        let is_set = is_word(word, "SET") && arguments >= 3;
        let is_increment = is_word(word, "INCRBY") && arguments >= 3;
        if !(is_get || is_set || is_increment) {
            return Err(CommandError::Syntax);
        }
        let field = parse_field(options.value()?)?;
        let offset = parse_offset(tx, options.value()?, field)?;
        let action = match is_get {
            true => Action::Get,
            false if is_set => Action::Set(args::integer(options.value()?)?),
            false => Action::IncrBy(args::integer(options.value()?)?),
        };
        steps.push(Step { action, field, offset, overflow });
    }
    Ok(steps)
}

fn parse_overflow(word: &[u8]) -> Result<Overflow, CommandError> {
    const KINDS: [(&str, Overflow); 3] =
        [("WRAP", Overflow::Wrap), ("SAT", Overflow::Saturate), ("FAIL", Overflow::Fail)];
    let found = KINDS.iter().find(|(name, _)| is_word(word, name));
    found.map(|(_, overflow)| *overflow).ok_or(CommandError::BitfieldOverflow)
}

/// `i8`, `u63`.
fn parse_field(argument: &[u8]) -> Result<Field, CommandError> {
    let (sign, width) = match argument {
        [b'i', width @ ..] => (Sign::Signed, width),
        [b'u', width @ ..] => (Sign::Unsigned, width),
        _ => return Err(CommandError::BitfieldType),
    };
    let width = number::parse_i64(until_nul(width));
    width.and_then(|bits| Field::new(sign, bits)).ok_or(CommandError::BitfieldType)
}

/// `#n` is the n-th field of this width.
fn parse_offset(tx: &Tx<'_>, argument: &[u8], field: Field) -> Result<u64, CommandError> {
    let Some(index) = argument.strip_prefix(b"#") else { return bit_offset(tx, argument) };
    let offset = number::parse_i64(index).and_then(|index| index.checked_mul(i64::from(field.bits())));
    check_offset(tx, offset)
}

/// What BITFIELD does with its key: without SET and INCRBY it only reads.
pub(super) fn key_flags(args: Args<'_>) -> KeyFlags {
    let mut options = Options::new(args, 2);
    while let Some(word) = options.next_argument() {
        let arguments = match word {
            word if is_word(word, "GET") => 2,
            word if is_word(word, "OVERFLOW") => 1,
            _ => return RW_ACCESS_UPDATE,
        };
        if (0..arguments).any(|_| options.next_argument().is_none()) {
            return RW_ACCESS_UPDATE;
        }
    }
    RO_ACCESS
}

pub(super) fn bitfield(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (key, steps) = (args.at(1), parse(tx, args)?);
    match steps.iter().filter_map(Step::last_written).max() {
        Some(last) => change(tx, key, &steps, last, reply)?,
        None => read(tx, key, &steps, reply)?,
    }
    Ok(Flow::Done)
}

pub(super) fn bitfield_ro(
    tx: &mut Tx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
) -> Result<Flow, CommandError> {
    let steps = parse(tx, args)?;
    if steps.iter().any(|step| step.action != Action::Get) {
        return Err(CommandError::BitfieldReadonly);
    }
    read(tx, args.at(1), &steps, reply)?;
    Ok(Flow::Done)
}

fn read(tx: &mut Tx<'_>, key: &[u8], steps: &[Step], reply: &mut Reply<'_>) -> Result<(), CommandError> {
    let text = tx.read_str(key)?.map_or(Text::Bytes(&[]), Text::from);
    reply.array(steps.len());
    steps.iter().for_each(|step| reply.integer(step.field.get(&text, step.offset)));
    Ok(())
}

/// `last` is the last bit that any step writes.
fn change(
    tx: &mut Tx<'_>,
    key: &[u8],
    steps: &[Step],
    last: u64,
    reply: &mut Reply<'_>,
) -> Result<(), CommandError> {
    tx.str_view(key, Access::Write)?;
    reply.array(steps.len());
    let (growth, changes) = tx.edit_str(key, |bytes| {
        let growth = bitmap::grow(bytes, bitmap::bytes_for(last));
        let changes = steps.iter().map(|step| u64::from(run(step, bytes, growth, reply))).sum();
        (growth, changes)
    });
    match (growth, changes) {
        // Every write has failed, but the string has been made longer for them: replicas must follow, although there
        // is no event for it.
        (Growth::Grew, 0) => tx.changed(key, Event::Touched),
        (Growth::WasThere, 0) => {}
        _ => tx.ledger.changed(tx.db, key, Event::SetBit, changes),
    }
    Ok(())
}

/// Runs one step and answers it. Whether it counts as a change: in a string that grew, every write does.
fn run(step: &Step, bytes: &mut [u8], growth: Growth, reply: &mut Reply<'_>) -> bool {
    let old = step.field.get(bytes, step.offset);
    let new = match step.action {
        Action::Get => {
            reply.integer(old);
            return false;
        }
        Action::Set(value) => step.field.fit(value, 0, step.overflow),
        Action::IncrBy(increment) => step.field.fit(old, increment, step.overflow),
    };
    let Some(new) = new else {
        reply.null();
        return false;
    };
    step.field.set(bytes, step.offset, new);
    reply.integer(if matches!(step.action, Action::Set(_)) { old } else { new });
    growth == Growth::Grew || old != new
}
