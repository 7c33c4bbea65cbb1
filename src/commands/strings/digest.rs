//! DIGEST and DELEX: values compared by their XXH3 hash.

use super::options::Condition;
use crate::base::argv::Args;
use crate::base::number;
use crate::keyspace::{Event, StrView, Tx};
use crate::resp::Reply;
use crate::server::Flow;
use crate::spec::CommandError;
use crate::spec::args::Options;
use xxhash_rust::xxh3::xxh3_64;

/// The 64-bit XXH3 hash of a value's bytes, shown as 16 hexadecimal digits.
pub(super) type Digest = u64;

const DIGEST_DIGITS: usize = 16;

pub(super) fn of(view: StrView<'_>) -> Digest {
    match view {
        StrView::Bytes(bytes) => xxh3_64(bytes),
        StrView::Int(value) => xxh3_64(&number::format_i64(value)),
    }
}

/// Reads a digest of exactly 16 hexadecimal digits.
pub(super) fn parse(text: &[u8]) -> Result<Digest, CommandError> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.len() == DIGEST_DIGITS);
    let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    digits
        .and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or_else(|| CommandError::text("ERR must be exactly 16 hexadecimal characters"))
}

pub(super) fn digest(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    match tx.read_str(args.at(1))? {
        Some(view) => reply.bulk(format!("{:016x}", of(view)).as_bytes()),
        None => reply.null(),
    }
    Ok(Flow::Done)
}

pub(super) fn delex(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let key = args.at(1);
    let mut options = Options::new(args, 2);
    let condition = match options.next_argument() {
        None => Condition::Present,
        Some(word) => Condition::comparing(word, || options.value())?.ok_or(CommandError::Syntax)?,
    };
    if options.left() > 0 {
        return Err(CommandError::Arity("delex"));
    }
    let there = tx.exists(key);
    let deletes = there && condition.holds(tx, key)?;
    if deletes {
        let freeing = tx.keyspace.settings.free_deleted;
        tx.remove(key, freeing);
        tx.changed(key, Event::Del);
    }
    reply.integer(i64::from(deletes));
    Ok(Flow::Done)
}
