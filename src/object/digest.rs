//! 128 bits that are equal for equal values, whatever their encoding and the order of what has none.
//!
//! ```text
//! text     xxh3(bytes)
//! string   join(1, text)                          list    join of its elements, in their order
//! set      sum of texts                           hash    sum of join(field, value, expiry or nothing)
//! zset     sum of join(member, score)             stream  join of counters, entries, groups
//! value    join(type, number of elements, that)
//! ```
//! Scores are told apart as numbers: -0 is 0. Of a stream everything counts but when consumers were last seen and
//! active: older files cannot hold all of that, and reading changes it.
//!
//! It is for telling whether two values differ, not for keeping out someone who makes two that do not. DEBUG DIGEST is
//! another sum: Redis's own, 160 bits, to be compared across servers.

use super::stream::{Group, StreamId};
use super::{HashView, ListView, SetView, Stream, View, ZsetView};
use crate::encoding::listpack::{Digits, Element};
use xxhash_rust::xxh3::xxh3_128;

/// The digest of a string.
pub fn of_text(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// The digest of a value of another type.
pub fn of_view(view: View<'_>) -> u128 {
    let (elements, content) = match view {
        View::List(list) => (list.len() as u64, of_list(list)),
        View::Set(set) => (set.len() as u64, of_set(set)),
        View::Zset(zset) => (zset.len() as u64, of_zset(zset)),
        View::Hash(hash) => (hash.len() as u64, of_hash(hash)),
        View::Stream(stream) => (stream.log().len(), of_stream(stream)),
    };
    let value_type = of_text(view.value_type().name().as_bytes());
    join(join(value_type, elements.into()), content)
}

/// Of two, in this order.
fn join(first: u128, second: u128) -> u128 {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&first.to_le_bytes());
    bytes[16..].copy_from_slice(&second.to_le_bytes());
    xxh3_128(&bytes)
}

fn of_element(element: Element<'_>) -> u128 {
    of_text(element.text(&mut Digits::default()))
}

fn of_list(list: ListView<'_>) -> u128 {
    let mut all = 0;
    list.for_each(|element| all = join(all, of_element(element)));
    all
}

fn of_set(set: SetView<'_>) -> u128 {
    set.iter().fold(0, |all: u128, member| all.wrapping_add(join(0, of_element(member))))
}

fn of_zset(zset: ZsetView<'_>) -> u128 {
    zset.iter().fold(0, |all: u128, (member, score)| {
        // Adding 0 makes -0 of it 0.
        all.wrapping_add(join(of_element(member), (score + 0.0).to_bits().into()))
    })
}

fn of_hash(hash: HashView<'_>) -> u128 {
    let mut all: u128 = 0;
    hash.for_each_stored(&mut |stored| {
        let pair = join(of_element(stored.field), of_element(stored.value));
        let expiry = stored.expire_at_ms.map_or(0, |at_ms| 1 << 64 | u128::from(at_ms.cast_unsigned()));
        all = all.wrapping_add(join(pair, expiry));
    });
    all
}

fn of_stream(stream: &Stream) -> u128 {
    let log = stream.log();
    let mut all = u128::from(log.entries_added());
    for id in [log.last_id(), log.max_deleted_id()] {
        all = join(all, of_id(id));
    }
    for entry in log.iter() {
        all = join(all, of_id(entry.id));
        for (field, value) in entry.fields {
            all = join(all, join(of_element(field), of_element(value)));
        }
    }
    for (name, group) in stream.groups() {
        all = join(all, join(of_text(name), of_group(group)));
    }
    all
}

fn of_group(group: &Group) -> u128 {
    let read = group.entries_read().map_or(u128::MAX, |read| u128::from(read.cast_unsigned()));
    let mut all = join(of_id(group.last_id()), read);
    for pending in group.pending(StreamId::MIN, StreamId::MAX) {
        let owner = pending.consumer.map_or(0, |consumer| of_text(consumer.name()));
        let times = u128::from(pending.delivered_ms.cast_unsigned()) << 64 | u128::from(pending.deliveries);
        all = join(all, join(of_id(pending.id), join(owner, times)));
    }
    let names = group.consumers().map(|consumer| join(0, of_text(consumer.name())));
    join(all, names.fold(0, u128::wrapping_add))
}

fn of_id(id: StreamId) -> u128 {
    u128::from(id.ms) << 64 | u128::from(id.seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{DataType, Hash, Rules, Set};

    fn hash(rules: &Rules, pairs: &[(&str, &str)]) -> u128 {
        let mut hash = Hash::create(rules);
        for (field, value) in pairs {
            assert!(hash.load(field.as_bytes(), value.as_bytes(), None, rules));
        }
        of_view(View::Hash(hash.view()))
    }

    #[test]
    fn order_and_encoding_do_not_count_content_does() {
        let (packed, table) = (Rules::default(), Rules { hash_max_listpack_entries: 0, ..Rules::default() });
        let one = hash(&packed, &[("a", "1"), ("b", "2")]);
        assert_eq!(one, hash(&packed, &[("b", "2"), ("a", "1")]));
        assert_eq!(one, hash(&table, &[("b", "2"), ("a", "1")]));
        assert_ne!(one, hash(&packed, &[("a", "2"), ("b", "1")]));
        assert_ne!(one, hash(&packed, &[("a", "1")]));
        let mut set = Set::create(&packed);
        assert_ne!(of_view(View::Set(set.view())), of_view(View::Hash(Hash::create(&packed).view())));
        set.add(b"a", &packed);
        let with_a = of_view(View::Set(set.view()));
        set.add(b"b", &packed);
        assert_ne!(with_a, of_view(View::Set(set.view())));
    }
}
