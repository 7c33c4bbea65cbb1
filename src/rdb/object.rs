//! What is written for a value of each type: a form that the version of the file knows, and no other.
//!
//! ```text
//! list      18  count { 2 listpack | 1 element }*
//! set       11  intset            2  count { member }*                   20  listpack: from version 11 on
//! zset      17  listpack          5  count { member score(8) }*          from the highest score down
//! hash      16  listpack          4  count { field value }*
//!           25  earliest(8) listpack of triples                          with expiries of fields: from 12 on
//!           24  earliest(8) count { expiry field value }*
//! stream    19  version 10        21  11: active times                   27  14: pending entries of nobody
//!
//! version 9, which knows no listpack:
//! list      14  count { ziplist }*      1  count { element }*            when it is too large for ziplists
//! zset      12  ziplist           hash  13  ziplist           stream  15  without totals
//!
//! version 80, which is 11 in the main:
//! hash      22  count { field value expiry(8) }*                         with expiries of fields
//! stream    21  always
//! ```
//! What stands in no line for version 9 or 80 is as in version 10 or 11. What has another version than its content
//! needs leaves out what it cannot say, as long as that is nobody's data: versions before 11 when consumers were
//! active, version 9 also how many entries a stream ever had, which was the last that was deleted, and how many its
//! groups have read (a server that loads the file makes them up from what is there). Whoever asks for a version looks
//! first whether it holds the data (`TooNew`).
//!
//! Nothing here allocates (invariant 2 of the room).

use super::build::list::{CONTAINER_PACKED, CONTAINER_PLAIN};
use super::legacy::pack;
use super::stream;
use super::types::{
    StreamForm, TYPE_HASH, TYPE_HASH_EXPIRIES, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_EXPIRIES,
    TYPE_HASH_OF_VALKEY, TYPE_HASH_ZIPLIST, TYPE_LIST, TYPE_LIST_PLAIN, TYPE_LIST_ZIPLISTS, TYPE_SET,
    TYPE_SET_INTSET, TYPE_SET_LISTPACK, TYPE_STREAM, TYPE_STREAM_ACTIVE_TIMES, TYPE_STREAM_FIRST,
    TYPE_STREAM_NACKS, TYPE_ZSET, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
};
use super::version::{VERSION_ACTIVE_TIMES, VERSION_BASE, VERSION_VALKEY};
use super::writer::ValueWriter;
use crate::encoding::listpack::{Element, Listpack};
use crate::encoding::quicklist::NodeView;
use crate::object::zset::Order;
use crate::object::{DataType, Hash, HashView, List, ListView, SetView, View, ZsetView};
use std::io;

/// A list that takes more memory may have an element that is too large for the 32-bit lengths of ziplists.
const ZIPLISTS_BYTES_MAX: usize = 1 << 30;

/// The byte that says how `write_value` writes this value to something of that version.
pub fn type_byte(view: View<'_>, version: u16) -> u8 {
    let has_listpacks = version >= VERSION_BASE;
    match view {
        View::List(_) if has_listpacks => TYPE_LIST,
        View::List(list) if fits_ziplists(list) => TYPE_LIST_ZIPLISTS,
        View::List(_) => TYPE_LIST_PLAIN,
        View::Set(SetView::Intset(_)) => TYPE_SET_INTSET,
        View::Set(SetView::Packed(_)) if version >= VERSION_ACTIVE_TIMES => TYPE_SET_LISTPACK,
        View::Set(_) => TYPE_SET,
        View::Zset(ZsetView::Packed(_)) if has_listpacks => TYPE_ZSET_LISTPACK,
        View::Zset(ZsetView::Packed(_)) => TYPE_ZSET_ZIPLIST,
        View::Zset(_) => TYPE_ZSET,
        View::Hash(hash) => match (hash, Hash::next_expiry_ms(hash)) {
            (HashView::Packed(_), _) if has_listpacks => TYPE_HASH_LISTPACK,
            (HashView::Packed(_), _) => TYPE_HASH_ZIPLIST,
            (_, Some(_)) if version >= VERSION_VALKEY => TYPE_HASH_OF_VALKEY,
            (HashView::PackedTtl(_), Some(_)) => TYPE_HASH_LISTPACK_EXPIRIES,
            (HashView::Table(_), Some(_)) => TYPE_HASH_EXPIRIES,
            (_, None) => TYPE_HASH,
        },
        View::Stream(stream) => match stream::form(stream, version) {
            StreamForm::First => TYPE_STREAM_FIRST,
            StreamForm::Totals => TYPE_STREAM,
            StreamForm::ActiveTimes => TYPE_STREAM_ACTIVE_TIMES,
            StreamForm::Producers | StreamForm::Nacks => TYPE_STREAM_NACKS,
        },
    }
}

fn fits_ziplists(list: ListView<'_>) -> bool {
    List::heap_bytes(list, 0) < ZIPLISTS_BYTES_MAX
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
    let form = type_byte(View::List(list), writer.version());
    let is_plain = form == TYPE_LIST_PLAIN;
    writer.length(if is_plain { list.len() } else { list.node_count() } as u64)?;
    let mut room = std::mem::take(writer.node_room());
    let result = walk(writer, |walk| {
        list.for_each_node(&mut room, &mut |node| {
            walk.then(|writer| match form {
                TYPE_LIST => write_node(writer, node),
                TYPE_LIST_ZIPLISTS => match node {
                    NodeView::Packed(listpack) => write_ziplist(writer, Listpack::trusted(listpack).iter()),
                    NodeView::Plain(content) => {
                        write_ziplist(writer, std::iter::once(Element::Bytes(content)))
                    }
                },
                _ => match node {
                    NodeView::Packed(listpack) => {
                        Listpack::trusted(listpack).iter().try_for_each(|text| element(writer, text))
                    }
                    NodeView::Plain(content) => writer.text(content),
                },
            });
        });
    });
    *writer.node_room() = room;
    result
}

fn write_node<W: ValueWriter>(writer: &mut W, node: NodeView<'_>) -> io::Result<()> {
    match node {
        NodeView::Packed(listpack) => {
            writer.length(CONTAINER_PACKED)?;
            writer.text(listpack)
        }
        NodeView::Plain(element) => {
            writer.length(CONTAINER_PLAIN)?;
            writer.text(element)
        }
    }
}

/// The elements as a ziplist, in one text. What the room does not hold is written without compression.
fn write_ziplist<'e, W: ValueWriter>(
    writer: &mut W,
    elements: impl Iterator<Item = Element<'e>> + Clone,
) -> io::Result<()> {
    let size = pack::measure(elements.clone());
    let mut room = std::mem::take(writer.ziplist_room());
    let result = if size.bytes <= room.capacity() as u64 {
        room.clear();
        let packed = pack::put(elements, size, &mut |bytes| {
            room.extend_from_slice(bytes);
            Ok(())
        });
        packed.and_then(|()| writer.text(&room))
    } else {
        writer.length(size.bytes).and_then(|()| pack::put(elements, size, &mut |bytes| writer.raw(bytes)))
    };
    *writer.ziplist_room() = room;
    result
}

fn write_set<W: ValueWriter>(writer: &mut W, set: SetView<'_>) -> io::Result<()> {
    match set {
        SetView::Intset(intset) => return writer.text(intset.bytes()),
        SetView::Packed(listpack) if writer.version() >= VERSION_ACTIVE_TIMES => {
            return writer.text(listpack.bytes());
        }
        _ => {}
    }
    writer.length(set.len() as u64)?;
    set.iter().try_for_each(|member| element(writer, member))
}

fn write_zset<W: ValueWriter>(writer: &mut W, zset: ZsetView<'_>) -> io::Result<()> {
    if let ZsetView::Packed(listpack) = zset {
        return write_packed(writer, listpack);
    }
    writer.length(zset.len() as u64)?;
    for (member, score) in zset.entries(0, zset.len(), Order::Descending) {
        element(writer, member)?;
        writer.raw(&score.to_le_bytes())?;
    }
    Ok(())
}

/// A blob in the form of the version.
fn write_packed<W: ValueWriter>(writer: &mut W, listpack: Listpack<'_>) -> io::Result<()> {
    if writer.version() >= VERSION_BASE {
        writer.text(listpack.bytes())
    } else {
        write_ziplist(writer, listpack.iter())
    }
}

fn write_hash<W: ValueWriter>(writer: &mut W, hash: HashView<'_>) -> io::Result<()> {
    let first_ms = Hash::next_expiry_ms(hash);
    let is_valkeys = writer.version() >= VERSION_VALKEY;
    match (hash, first_ms) {
        (HashView::Packed(listpack), _) => return write_packed(writer, listpack),
        (_, Some(_)) if is_valkeys => return write_hash_of_valkey(writer, hash),
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

fn write_hash_of_valkey<W: ValueWriter>(writer: &mut W, hash: HashView<'_>) -> io::Result<()> {
    const NO_EXPIRY: i64 = -1;
    writer.length(hash.len() as u64)?;
    walk(writer, |walk| {
        hash.for_each_stored(&mut |stored| {
            walk.then(|writer| {
                element(writer, stored.field)?;
                element(writer, stored.value)?;
                writer.raw(&stored.expire_at_ms.unwrap_or(NO_EXPIRY).to_le_bytes())
            });
        });
    })
}
