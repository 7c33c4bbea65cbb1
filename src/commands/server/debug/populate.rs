//! DEBUG POPULATE: many keys at once, for tests and measurements.

use crate::base::argv::Args;
use crate::base::number;
use crate::encoding::dict::Dict;
use crate::keyspace::tx::HashHint;
use crate::keyspace::{Entry, Event, Expiry, StrView, Tx};
use crate::server::{Cx, Flow, Server};
use crate::spec::CommandError;

/// So many keys are on their way from memory at a time.
const BATCH: usize = 16;

/// For more keys than these the table is not presized: it grows as usual.
const RESERVED_KEYS_MAX: usize = 1 << 26;

struct Population<'a> {
    count: usize,
    prefix: &'a [u8],
    /// Bytes of each value; `None` leaves them as they come.
    value_bytes: Option<usize>,
    db: usize,
    now_ms: i64,
}

fn positive(argument: &[u8]) -> Result<usize, CommandError> {
    number::parse_i64(argument).and_then(|value| usize::try_from(value).ok()).ok_or(CommandError::NotPositive)
}

fn parse<'a>(cx: &mut Cx<'_>, args: Args<'a>) -> Result<Population<'a>, CommandError> {
    let count = positive(args.at(2))?;
    let value_bytes = args.get(4).map(positive).transpose()?.filter(|bytes| *bytes > 0);
    if value_bytes.is_some_and(|bytes| bytes > cx.server.keyspace.settings.string_bytes_max) {
        return Err(CommandError::StringTooLong);
    }
    let prefix = args.get(3).unwrap_or(b"key");
    Ok(Population { count, prefix, value_bytes, db: cx.client().db, now_ms: cx.now.unix_ms() })
}

pub(super) fn populate(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Flow, CommandError> {
    let population = parse(cx, args)?;
    if population.count <= RESERVED_KEYS_MAX {
        let db = cx.server.keyspace.db_mut(population.db);
        db.reserve(db.len() + population.count);
    }
    let mut keys: [Vec<u8>; BATCH] = Default::default();
    for first in (0..population.count).step_by(BATCH) {
        let numbers = first..population.count.min(first + BATCH);
        for (key, number) in keys.iter_mut().zip(numbers.clone()) {
            key.clear();
            key.extend_from_slice(population.prefix);
            key.push(b':');
            key.extend_from_slice(&number::format_i64(number as i64));
        }
        population.add(cx.server, &keys[..numbers.len()], first);
    }
    cx.reply.ok();
    Ok(Flow::Done)
}

impl Population<'_> {
    /// Adds those of `keys` that are not there yet; the first has the number `first`.
    fn add(&self, server: &mut Server, keys: &[Vec<u8>], first: usize) {
        let hashes = prefetch(server.keyspace.db(self.db).table(), keys);
        let is_watched = !server.watches.is_empty() || !server.tracking.is_idle();
        let mut tx = Tx::new(&mut server.keyspace, &mut server.ledger, self.db, self.now_ms);
        let mut value = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            tx.hint = Some(HashHint { key, hash: hashes[index] });
            if tx.exists(key) {
                continue;
            }
            value.clear();
            value.extend_from_slice(b"value:");
            value.extend_from_slice(&number::format_i64((first + index) as i64));
            value.resize(self.value_bytes.unwrap_or(value.len()), 0);
            tx.set(key, StrView::Bytes(&value), Expiry::None);
            // It counts for nothing and is not propagated, but those who watch or cache the key must learn of it.
            // Without them the ledger would hold every key a second time.
            if is_watched {
                tx.also(key, Event::Touched);
            }
        }
    }
}

/// Asks memory for all that looking up `keys` will read, and returns their hashes.
fn prefetch(table: &Dict<Entry>, keys: &[Vec<u8>]) -> [u64; BATCH] {
    let mut hashes = [0; BATCH];
    for (hash, key) in hashes.iter_mut().zip(keys) {
        *hash = table.hash(key);
        table.prefetch_bucket(*hash);
    }
    hashes[..keys.len()].iter().for_each(|hash| table.prefetch_candidates(*hash));
    hashes
}
