//! BITOP: a string made of the bits of others.

use super::Text;
use crate::base::argv::Args;
use crate::keyspace::tx::Seen;
use crate::keyspace::{Access, Entry, Event, Tx};
use crate::object::bitmap::{self, Operation};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::is_word;

const OPERATIONS: &[(&str, Operation)] = &[
    ("AND", Operation::And),
    ("OR", Operation::Or),
    ("XOR", Operation::Xor),
    ("NOT", Operation::Not),
    ("DIFF", Operation::Diff),
    ("DIFF1", Operation::Diff1),
    ("ANDOR", Operation::AndOr),
    ("ONE", Operation::One),
];

fn parse(word: &[u8], sources: usize) -> Result<Operation, CommandError> {
    let found = OPERATIONS.iter().find(|(name, _)| is_word(word, name));
    let (name, operation) = *found.ok_or(CommandError::Syntax)?;
    match operation {
        Operation::Not if sources != 1 => Err(CommandError::BitopNotKeys),
        Operation::Diff | Operation::Diff1 | Operation::AndOr if sources < 2 => {
            Err(CommandError::text(format!("ERR BITOP {name} must be called with at least two source keys.")))
        }
        _ => Ok(operation),
    }
}

pub(super) fn bitop(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let (target, sources) = (args.at(2), args.from(3));
    let operation = parse(args.at(1), sources.len())?;
    for source in sources.iter() {
        tx.read_str(source)?;
    }
    let result = combined(tx, operation, sources);
    let length = result.len();
    if length > 0 {
        // An expired target goes first, and everybody is told.
        tx.exists(target);
        let entry = Entry::from_raw(target, result, None);
        entry.set_lru(tx.fresh_lru());
        tx.overwrite(entry);
        tx.changed(target, Event::Set);
    } else if tx.remove(target, tx.keyspace.settings.free_replaced) {
        tx.changed(target, Event::Del);
    }
    reply.count(length);
    Ok(Flow::Done)
}

/// `sources` are strings or absent; an absent one is empty.
fn combined(tx: &mut Tx<'_>, operation: Operation, sources: Args<'_>) -> Vec<u8> {
    // Hits and misses have been counted.
    let seen = tx.views(sources.iter(), Access::Write);
    let texts: Vec<Text<'_>> = seen
        .into_iter()
        .map(|seen| match seen {
            Some(Seen::Str(view)) => Text::from(view),
            Some(Seen::Object(_)) | None => Text::Bytes(&[]),
        })
        .collect();
    let operands: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
    bitmap::combine(operation, &operands)
}
