//! SORT and SORT_RO.
//!
//! ```text
//!  request   the options
//!  source    the elements of a list, set or sorted set
//!  order     which of them come in which order: by their numbers, their texts, or what BY finds
//!  output    what is answered or stored of each: itself, or what GET finds
//! ```
//! Each pattern of BY and GET is a lookup of another key for each element; the lookups of many elements overlap.

mod order;
mod output;
mod pattern;
mod request;
mod source;
#[cfg(test)]
mod tests;

use crate::base::argv::Args;
use crate::keyspace::{Access, Event, Tx};
use crate::object::{DataType, List, Variant};
use crate::resp::Reply;
use crate::server::{Entry, Flow};
use crate::spec::{Begin, Categories, CommandError, Find, Flags, Group, KeyFlags, KeySpec, Spec};
use output::Sink;
use request::{By, Request, Storing};
use source::Source;

const RO_ACCESS: KeyFlags = KeyFlags::RO.or(KeyFlags::ACCESS);
const OW_UPDATE: KeyFlags = KeyFlags::OW.or(KeyFlags::UPDATE);

const fn unknown(flags: KeyFlags) -> KeySpec {
    KeySpec { begin: Begin::Unknown, find: Find::Unknown, flags }
}

const SORTED: Categories =
    Categories::SET.or(Categories::SORTEDSET).or(Categories::LIST).or(Categories::DANGEROUS);

const COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. When the elements are not sorted, complexity is O(N).";

const PATTERN_NOTE: &str = "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort";
const STORE_NOTE: &str = "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array";

pub const COMMANDS: &[Entry] = &[
    Entry::data(
        Spec::new("sort", -2, Group::Generic, Flags::WRITE.or(Flags::DENYOOM).or(Flags::MOVABLEKEYS))
            .category(SORTED)
            .keys(&[KeySpec::one(1, RO_ACCESS), unknown(RO_ACCESS), unknown(OW_UPDATE)])
            .key_notes(&["", PATTERN_NOTE, STORE_NOTE])
            .further_key(request::stored_key)
            .complexity(COMPLEXITY)
            .doc(
                "1.0.0",
                "Sort the elements in a list, set or sorted set",
                "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA] \
                 [STORE destination]",
            ),
        sort,
    ),
    Entry::data(
        Spec::new("sort_ro", -2, Group::Generic, Flags::READONLY.or(Flags::MOVABLEKEYS))
            .category(SORTED)
            .keys(&[KeySpec::one(1, RO_ACCESS), unknown(RO_ACCESS)])
            .key_notes(&["", PATTERN_NOTE])
            .complexity(COMPLEXITY)
            .doc(
                "7.0.0",
                "Sort the elements in a list, set or sorted set. Read-only variant of SORT.",
                "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA]",
            ),
        sort_ro,
    ),
];

fn sort(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let mut request = Request::parse(args, Storing::Allowed, tx.ledger.pattern_keys)?;
    let Some(destination) = request.store else {
        put_sorted(tx, args.at(1), &mut request, &mut Sink::Reply(reply))?;
        return Ok(Flow::Done);
    };
    let rules = *tx.rules();
    let mut list = List::create(&rules);
    let count = put_sorted(tx, args.at(1), &mut request, &mut Sink::List(&mut list, &rules))?;
    store(tx, destination, list, count);
    reply.count(count);
    Ok(Flow::Done)
}

fn sort_ro(tx: &mut Tx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<Flow, CommandError> {
    let mut request = Request::parse(args, Storing::Refused, tx.ledger.pattern_keys)?;
    put_sorted(tx, args.at(1), &mut request, &mut Sink::Reply(reply))?;
    Ok(Flow::Done)
}

/// Stores a result of `count` elements, or removes the key when there is none.
fn store(tx: &mut Tx<'_>, key: &[u8], list: List, count: usize) {
    if count > 0 {
        tx.store(key, list.into_object());
        tx.ledger.changed(tx.db, key, Event::SortStore, count as u64);
    } else if tx.remove(key, tx.keyspace.settings.free_replaced) {
        tx.changed(key, Event::Del);
    }
}

/// Puts what is asked for of the sorted elements into `sink`. How many that are.
fn put_sorted(
    tx: &mut Tx<'_>,
    key: &[u8],
    request: &mut Request<'_>,
    sink: &mut Sink<'_, '_>,
) -> Result<usize, CommandError> {
    let source = Source::of(tx.view_any(key, Access::Read))?;
    if source.is_set() && request.store.is_some() {
        // The order of a set is an accident, and what is stored must be the same everywhere.
        request.sort_unsorted();
    }
    let (elements, window) = source.load(request);
    let order = match &request.by {
        By::Pattern(pattern) => order::by_pattern(tx, pattern, &elements, request, window)?,
        By::Element => order::by_element(&elements, request, window)?,
        By::Nothing => window.collect(),
    };
    if request.columns.is_empty() {
        return Ok(output::put(&elements, &order, sink));
    }
    Ok(output::put_columns(tx, &elements, &order, &request.columns, sink))
}
