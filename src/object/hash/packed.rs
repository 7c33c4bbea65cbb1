//! Small hashes as listpacks: pairs of field and value, or triples with an expiry.

use super::{EXPIRE_AT_MS_MAX, FieldExpiry, FieldView, Stored};
use crate::encoding::listpack::{At, Element, Listpack, edit};
use crate::object::{Corrupt, Depth, Packing};
use std::collections::HashSet;

/// Entries of one field without expiries, and with them.
pub(super) const PAIR: usize = 2;
pub(super) const TRIPLE: usize = 3;

/// How an expiry that is none is written.
const NO_EXPIRY: i64 = 0;

pub(super) const DUPLICATE: Corrupt = Corrupt("hash: a field stands twice");

#[inline]
pub(super) fn find(blob: Listpack<'_>, field: &[u8], width: usize) -> Option<At> {
    blob.find(blob.first(), field, width - 1)
}

pub(super) fn has(blob: &[u8], field: &[u8]) -> bool {
    find(Listpack::trusted(blob), field, PAIR).is_some()
}

/// The place `steps` entries behind `at`, within the same field.
#[inline]
pub(super) fn behind(blob: Listpack<'_>, at: At, steps: usize) -> At {
    (0..steps)
        .fold(at, |at, _| blob.next(at).expect("a field is followed by its value, and that by its expiry"))
}

/// The expiry of the triple whose field stands at `field`.
pub(super) fn expiry_of(blob: Listpack<'_>, field: At) -> Option<i64> {
    read_expiry(blob.at(behind(blob, field, 2)))
}

#[inline]
pub(super) fn read_expiry(element: Element<'_>) -> Option<i64> {
    element.as_i64().filter(|expire_at_ms| *expire_at_ms != NO_EXPIRY)
}

/// The earliest expiry: the first triple's.
pub(super) fn first_expiry(blob: Listpack<'_>) -> Option<i64> {
    expiry_of(blob, blob.first()?)
}

pub(super) fn pairs(blob: Listpack<'_>) -> impl Iterator<Item = FieldView<'_>> {
    let mut entries = blob.iter();
    std::iter::from_fn(move || {
        Some(FieldView { field: entries.next()?, value: entries.next()?, expire_at_ms: None })
    })
}

pub(super) fn triples(blob: Listpack<'_>) -> impl Iterator<Item = FieldView<'_>> {
    let mut entries = blob.iter();
    std::iter::from_fn(move || {
        let (field, value) = (entries.next()?, entries.next()?);
        Some(FieldView { field, value, expire_at_ms: read_expiry(entries.next()?) })
    })
}

pub(super) fn set(blob: &mut Vec<u8>, field: &[u8], value: &[u8]) -> Stored {
    let pack = Listpack::trusted(blob);
    match find(pack, field, PAIR) {
        Some(at) => {
            let at = behind(pack, at, 1);
            edit::replace(blob, at, value);
            Stored::Replaced
        }
        None => {
            edit::push(blob, field);
            edit::push(blob, value);
            Stored::New
        }
    }
}

pub(super) fn set_with_expiry(blob: &mut Vec<u8>, field: &[u8], value: &[u8], expiry: FieldExpiry) -> Stored {
    let pack = Listpack::trusted(blob);
    let Some(at) = find(pack, field, TRIPLE) else {
        let expire_at_ms = if let FieldExpiry::At(expire_at_ms) = expiry { Some(expire_at_ms) } else { None };
        insert(blob, field, value, expire_at_ms);
        return Stored::New;
    };
    let (old, value_at) = (expiry_of(pack, at), behind(pack, at, 1));
    let new = match expiry {
        FieldExpiry::Keep => old,
        FieldExpiry::None => None,
        FieldExpiry::At(expire_at_ms) => Some(expire_at_ms),
    };
    if new == old {
        edit::replace(blob, value_at, value);
    } else {
        edit::remove(blob, at, TRIPLE);
        insert(blob, field, value, new);
    }
    Stored::Replaced
}

pub(super) fn remove(blob: &mut Vec<u8>, field: &[u8], width: usize) -> bool {
    let found = find(Listpack::trusted(blob), field, width);
    if let Some(at) = found {
        edit::remove(blob, at, width);
    }
    found.is_some()
}

/// Whether the field is there.
pub(super) fn set_expiry(blob: &mut Vec<u8>, field: &[u8], expire_at_ms: Option<i64>) -> bool {
    let pack = Listpack::trusted(blob);
    let Some(at) = find(pack, field, TRIPLE) else { return false };
    if expiry_of(pack, at) != expire_at_ms {
        let value = pack.at(behind(pack, at, 1)).to_vec();
        edit::remove(blob, at, TRIPLE);
        insert(blob, field, &value, expire_at_ms);
    }
    true
}

/// Adds a triple behind those that expire before it or with it.
fn insert(blob: &mut Vec<u8>, field: &[u8], value: &[u8], expire_at_ms: Option<i64>) {
    let place = expire_at_ms.and_then(|expire_at_ms| place_for(Listpack::trusted(blob), expire_at_ms));
    let expire_at_ms = expire_at_ms.unwrap_or(NO_EXPIRY);
    match place {
        None => {
            edit::push(blob, field);
            edit::push(blob, value);
            edit::push_int(blob, expire_at_ms);
        }
        Some(at) => {
            edit::insert_int(blob, at, expire_at_ms);
            edit::insert(blob, at, value);
            edit::insert(blob, at, field);
        }
    }
}

/// The first triple that expires later, or not at all.
fn place_for(blob: Listpack<'_>, expire_at_ms: i64) -> Option<At> {
    let mut next = blob.first();
    while let Some(at) = next {
        if expiry_of(blob, at).is_none_or(|other_ms| other_ms > expire_at_ms) {
            return Some(at);
        }
        next = blob.next(behind(blob, at, 2));
    }
    None
}

/// The same fields, none of which expires.
pub(super) fn with_expiries(blob: Listpack<'_>) -> Vec<u8> {
    const EXPIRY_ENTRY_BYTES: usize = 2;
    let mut triples = edit::with_capacity(blob.bytes().len() + blob.len() / PAIR * EXPIRY_ENTRY_BYTES);
    for stored in pairs(blob) {
        edit::push_element(&mut triples, stored.field);
        edit::push_element(&mut triples, stored.value);
        edit::push_int(&mut triples, NO_EXPIRY);
    }
    triples
}

pub(super) fn expire(blob: &mut Vec<u8>, now_ms: i64, limit: usize, removed: &mut dyn FnMut(&[u8])) -> usize {
    let pack = Listpack::trusted(blob);
    let count = triples(pack)
        .take_while(|stored| stored.has_expired(now_ms))
        .take(limit)
        .inspect(|stored| removed(&stored.field.to_vec()))
        .count();
    if let Some(first) = pack.first().filter(|_| count > 0) {
        edit::remove(blob, first, count * TRIPLE);
    }
    count
}

/// Whether `bytes` are a hash in this packing.
pub(super) fn check(bytes: &[u8], packing: Packing, depth: Depth) -> Result<(), Corrupt> {
    let blob = Listpack::check(bytes).map_err(|error| Corrupt(error.0))?;
    let width = if packing == Packing::HashTtl { TRIPLE } else { PAIR };
    if !blob.len().is_multiple_of(width) {
        return Err(Corrupt("hash: a field without a value or without an expiry"));
    }
    if packing == Packing::HashTtl {
        check_expiries(blob)?;
    }
    if depth == Depth::Deep {
        let mut fields = HashSet::new();
        if !blob.iter().step_by(width).all(|field| fields.insert(field.to_vec())) {
            return Err(DUPLICATE);
        }
    }
    Ok(())
}

/// The order matters even where nothing else is checked: the next expiry is the first.
fn check_expiries(blob: Listpack<'_>) -> Result<(), Corrupt> {
    let mut latest_ms = 0;
    for expiry in blob.iter().skip(2).step_by(TRIPLE) {
        let expire_at_ms = match expiry.as_i64() {
            Some(NO_EXPIRY) => i64::MAX,
            Some(expire_at_ms @ 1..=EXPIRE_AT_MS_MAX) => expire_at_ms,
            _ => return Err(Corrupt("hash: an expiry that is no time")),
        };
        if expire_at_ms < latest_ms {
            return Err(Corrupt("hash: expiries out of order"));
        }
        latest_ms = expire_at_ms;
    }
    Ok(())
}
