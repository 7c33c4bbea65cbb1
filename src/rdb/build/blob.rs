//! Values that are one packed blob. Those of old servers become listpacks first.

use super::{Around, Built, collection, corrupt};
use crate::object::{Corrupt, DataType, Depth, Hash, List, Object, Packing, Rules, Set, Variant, Zset};
use crate::rdb::cursor::{Cursor, Stop};
use crate::rdb::legacy::{Ziplist, Zipmap, into_listpack};
use crate::rdb::types::Blob;

pub(in crate::rdb) struct BlobBuild {
    blob: Blob,
    object: Option<Object>,
    had_elements: bool,
}

impl BlobBuild {
    pub(super) fn new(blob: Blob) -> Self {
        BlobBuild { blob, object: None, had_elements: false }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.blob == Blob::HashWithExpiries {
            // The earliest expiry: it is found again in the fields.
            cursor.time_ms()?;
        }
        let at = cursor.at();
        let bytes = cursor.owned()?;
        let mut object = match build(self.blob, bytes, around) {
            Ok(object) => object,
            Err(reason) => return corrupt(at, reason),
        };
        self.had_elements = !object.is_empty();
        if let (Object::Hash(hash), Some(now_ms)) = (&mut object, around.now_ms) {
            hash.expire_fields(now_ms, usize::MAX, &mut |_| {});
        }
        self.object = Some(object);
        Ok(())
    }

    pub(super) fn finish(self) -> Built {
        match self.object {
            Some(object) if object.is_empty() && self.had_elements => Built::Expired,
            Some(object) => collection(object),
            None => Built::Empty,
        }
    }
}

fn build(blob: Blob, bytes: Vec<u8>, around: &Around<'_>) -> Result<Object, Corrupt> {
    match blob {
        Blob::Packed(packing) => packed(packing, bytes, around.depth, around),
        Blob::HashWithExpiries => packed(Packing::HashTtl, bytes, around.depth, around),
        // Old blobs are walked anyway: no depth is spared.
        Blob::Ziplist(packing) => {
            let listpack = into_listpack(Ziplist::check(&bytes)?.iter())?;
            packed(packing, listpack, Depth::Deep, around)
        }
        Blob::Zipmap => zipmap(Zipmap::check(&bytes)?, around.rules),
    }
}

/// Field by field, because a zipmap may hold longer texts than a listpack should.
fn zipmap(map: Zipmap<'_>, rules: &Rules) -> Result<Object, Corrupt> {
    let mut hash = Hash::create(rules);
    for (field, value) in map.iter() {
        if !hash.load(field, value, None, rules) {
            return Err(Corrupt("Zipmap with a field that stands twice"));
        }
    }
    Ok(hash.into_object())
}

fn packed(packing: Packing, bytes: Vec<u8>, depth: Depth, around: &Around<'_>) -> Result<Object, Corrupt> {
    let rules = around.rules;
    match packing {
        Packing::List => List::load_packed(packing, bytes, depth, rules).map(Variant::into_object),
        Packing::Intset | Packing::Set => {
            Set::load_packed(packing, bytes, depth, rules).map(Variant::into_object)
        }
        Packing::Zset => Zset::load_packed(packing, bytes, depth, rules).map(Variant::into_object),
        Packing::Hash | Packing::HashTtl => {
            Hash::load_packed(packing, bytes, depth, rules).map(Variant::into_object)
        }
    }
}
