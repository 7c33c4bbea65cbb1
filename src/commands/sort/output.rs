//! What SORT answers or stores.

use super::pattern::{Lookups, Pattern};
use super::source::Elements;
use crate::commands::elements::element_or_null;
use crate::encoding::listpack::Element;
use crate::encoding::quicklist::End;
use crate::keyspace::Tx;
use crate::object::{List, Rules};
use crate::resp::Reply;

/// How many values are looked up at once, roughly.
const BATCH: usize = 64;

/// Where the result goes.
pub(super) enum Sink<'s, 'r> {
    Reply(&'s mut Reply<'r>),
    List(&'s mut List, &'s Rules),
}

impl Sink<'_, '_> {
    /// `count` elements will follow.
    fn begin(&mut self, count: usize) {
        match self {
            Sink::Reply(reply) => reply.array(count),
            Sink::List(..) => {}
        }
    }

    fn put(&mut self, found: Option<Element<'_>>) {
        match self {
            Sink::Reply(reply) => element_or_null(reply, found),
            // What is not found is stored as an empty string.
            Sink::List(list, rules) => {
                list.push_element(End::Tail, found.unwrap_or(Element::Bytes(b"")), rules);
            }
        }
    }
}

/// In sorted order the elements lie anywhere: so far ahead they are asked for.
const AHEAD: usize = 12;

/// Puts the elements themselves. How many.
pub(super) fn put(elements: &Elements, order: &[usize], sink: &mut Sink<'_, '_>) -> usize {
    sink.begin(order.len());
    for (place, index) in order.iter().enumerate() {
        if let Some(ahead) = order.get(place + AHEAD) {
            elements.prefetch(*ahead);
        }
        sink.put(Some(elements.at(*index)));
    }
    order.len()
}

/// Puts what the columns' patterns find, element by element. How many values.
pub(super) fn put_columns(
    tx: &mut Tx<'_>,
    elements: &Elements,
    order: &[usize],
    columns: &[Pattern<'_>],
    sink: &mut Sink<'_, '_>,
) -> usize {
    sink.begin(order.len() * columns.len());
    let mut lookups = Lookups::new();
    for batch in order.chunks(BATCH.div_ceil(columns.len())) {
        let cells =
            || batch.iter().flat_map(|index| columns.iter().map(|column| (elements.at(*index), column)));
        for (element, column) in cells() {
            if let Pattern::Key(pattern) = column {
                lookups.push(pattern, element);
            }
        }
        let mut cells = cells();
        lookups.run(tx, |found| {
            put_until_lookup(&mut cells, sink);
            sink.put(found);
        });
        put_until_lookup(&mut cells, sink);
    }
    order.len() * columns.len()
}

/// Puts the cells that need no lookup, up to and without the next one that needs one, which is taken from `cells`.
fn put_until_lookup<'e>(
    cells: &mut impl Iterator<Item = (Element<'e>, &'e Pattern<'e>)>,
    sink: &mut Sink<'_, '_>,
) {
    for (element, column) in cells {
        match column {
            Pattern::Element => sink.put(Some(element)),
            Pattern::Nothing => sink.put(None),
            Pattern::Key(_) => return,
        }
    }
}
