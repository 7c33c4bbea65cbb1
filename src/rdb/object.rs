//! What is written for a value of each type: always a form that Redis 7.0 reads, unless the content needs a newer one.
//!
//! ```text
//! list      18  count { 2 listpack | 1 element }*
//! set       11  intset            2  count { member }*
//! zset      17  listpack          5  count { member score(8) }*          from the highest score down
//! hash      16  listpack          4  count { field value }*
//!           25  earliest(8) listpack of triples                          with expiries of fields: RDB 12
//!           24  earliest(8) count { expiry field value }*
//! stream    19  RDB 10            21  RDB 11: active times            27  RDB 14: pending entries of nobody
//! ```
//! What has another version than its content needs leaves out what it cannot say: an older one the active times.
//!
//! A set that is a listpack is written as 2 all the same: type 20 would need RDB 11.
//!
//! Nothing here allocates (invariant 2 of the room).

use super::build::list::{CONTAINER_PACKED, CONTAINER_PLAIN};
use super::stream;
use super::types::{
    StreamForm, TYPE_HASH, TYPE_HASH_EXPIRIES, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_EXPIRIES, TYPE_LIST,
    TYPE_SET, TYPE_SET_INTSET, TYPE_STREAM, TYPE_STREAM_ACTIVE_TIMES, TYPE_STREAM_NACKS, TYPE_ZSET,
    TYPE_ZSET_LISTPACK,
};
use super::writer::ValueWriter;
use crate::encoding::listpack::Element;
use crate::encoding::quicklist::NodeView;
use crate::object::zset::Order;
use crate::object::{DataType, Hash, HashView, ListView, SetView, View, ZsetView};
use std::io;

/// The byte that says how `write_value` writes this value to something of that version.
pub fn type_byte(view: View<'_>, version: u16) -> u8 {
    match view {
        View::List(_) => TYPE_LIST,
        View::Set(SetView::Intset(_)) => TYPE_SET_INTSET,
        View::Set(_) => TYPE_SET,
        View::Zset(ZsetView::Packed(_)) => TYPE_ZSET_LISTPACK,
        View::Zset(_) => TYPE_ZSET,
        View::Hash(hash) => match (hash, Hash::next_expiry_ms(hash)) {
            (HashView::Packed(_), _) => TYPE_HASH_LISTPACK,
            (HashView::PackedTtl(_), Some(_)) => TYPE_HASH_LISTPACK_EXPIRIES,
            (HashView::Table(_), Some(_)) => TYPE_HASH_EXPIRIES,
            (_, None) => TYPE_HASH,
        },
        View::Stream(stream) => match stream::form(stream, version) {
            StreamForm::First | StreamForm::Totals => TYPE_STREAM,
            StreamForm::ActiveTimes => TYPE_STREAM_ACTIVE_TIMES,
            StreamForm::Producers | StreamForm::Nacks => TYPE_STREAM_NACKS,
        },
    }
}

/// Writes a value, without the byte of its type.
pub fn write_value<W: ValueWriter>(writer: &mut W, view: View<'_>) -> io::Result<()> {
    match view {
        View::List(list) => write_list(writer, list),
        View::Set(set) => write_set(writer, set),
        View::Zset(zset) => write_zset(writer, zset),
        View::Hash(hash) => write_hash(writer, hash),
        View::Stream(stream) => stream::write_stream(writer, stream),
    }
}

/// Visits all, though only until an error: a walk over a table cannot be left early.
struct Walk<'w, W> {
    writer: &'w mut W,
    result: io::Result<()>,
}

impl<W: ValueWriter> Walk<'_, W> {
    #[inline]
    fn then(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) {
        if self.result.is_ok() {
            self.result = write(self.writer);
        }
    }
}

fn walk<W: ValueWriter>(writer: &mut W, visit: impl FnOnce(&mut Walk<'_, W>)) -> io::Result<()> {
    let mut walk = Walk { writer, result: Ok(()) };
    visit(&mut walk);
    walk.result
}

#[inline]
fn element<W: ValueWriter>(writer: &mut W, element: Element<'_>) -> io::Result<()> {
    match element {
        Element::Int(value) => writer.integer(value),
        Element::Bytes(bytes) => writer.text(bytes),
    }
}

fn write_list<W: ValueWriter>(writer: &mut W, list: ListView<'_>) -> io::Result<()> {
    writer.length(list.node_count() as u64)?;
    let mut room = std::mem::take(writer.node_room());
    let result = walk(writer, |walk| {
        list.for_each_node(&mut room, &mut |node| {
            walk.then(|writer| match node {
                NodeView::Packed(listpack) => {
                    writer.length(CONTAINER_PACKED)?;
                    writer.text(listpack)
                }
                NodeView::Plain(element) => {
                    writer.length(CONTAINER_PLAIN)?;
                    writer.text(element)
                }
            });
        });
    });
    *writer.node_room() = room;
    result
}

fn write_set<W: ValueWriter>(writer: &mut W, set: SetView<'_>) -> io::Result<()> {
    if let SetView::Intset(intset) = set {
        return writer.text(intset.bytes());
    }
    writer.length(set.len() as u64)?;
    set.iter().try_for_each(|member| element(writer, member))
}

fn write_zset<W: ValueWriter>(writer: &mut W, zset: ZsetView<'_>) -> io::Result<()> {
    if let ZsetView::Packed(listpack) = zset {
        return writer.text(listpack.bytes());
    }
    writer.length(zset.len() as u64)?;
    for (member, score) in zset.entries(0, zset.len(), Order::Descending) {
        element(writer, member)?;
        writer.raw(&score.to_le_bytes())?;
    }
    Ok(())
}

fn write_hash<W: ValueWriter>(writer: &mut W, hash: HashView<'_>) -> io::Result<()> {
    let first_ms = Hash::next_expiry_ms(hash);
    match (hash, first_ms) {
        (HashView::Packed(listpack), _) => return writer.text(listpack.bytes()),
        (HashView::PackedTtl(listpack), Some(first_ms)) => {
            writer.raw(&first_ms.to_le_bytes())?;
            return writer.text(listpack.bytes());
        }
        (_, Some(first_ms)) => writer.raw(&first_ms.to_le_bytes())?,
        (_, None) => {}
    }
    writer.length(hash.len() as u64)?;
    walk(writer, |walk| {
        hash.for_each_stored(&mut |stored| {
            walk.then(|writer| {
                if let Some(first_ms) = first_ms {
                    let later = stored.expire_at_ms.map_or(0, |at_ms| at_ms - first_ms + 1);
                    writer.length(later.unsigned_abs())?;
                }
                element(writer, stored.field)?;
                element(writer, stored.value)
            });
        });
    })
}
