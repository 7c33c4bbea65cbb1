//! Where the parts of an entry's block lie; the layout is drawn in the parent's head.
//!
//! Pure arithmetic: it touches no block.

use std::alloc::Layout;

use super::EMBEDDED_BYTES_MAX;
pub(super) use crate::base::alloc::size_class;
use crate::object::{Object, Packing};

pub(super) const HEAD_AT: usize = 3;
pub(super) const KEY_LENGTH_AT: usize = 4;
pub(super) const KEY_LENGTH_LONG: usize = 6;
pub(super) const EXPIRY_SHORT: usize = 6;
pub(super) const EXPIRY_LONG: usize = 9;
/// The bit of the head that says the key length takes `KEY_LENGTH_LONG` bytes.
pub(super) const KEY_IS_LONG: u8 = 0x10;
/// The generation's bit in a short expiry; deadlines below it (the year 6429) fit.
pub(super) const GENERATION_BIT: u64 = 1 << 47;
pub(super) const POINTER_BYTES: usize = size_of::<*mut Vec<u8>>();

/// How the value is stored; the numbers are those of the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Short = 0,
    ShortEdited = 1,
    Long = 2,
    Int = 3,
    Buffer = 4,
    PackedList = 5,
    PackedIntset = 6,
    PackedSet = 7,
    PackedZset = 8,
    PackedHash = 9,
    PackedHashTtl = 10,
    Object = 11,
}

impl Kind {
    #[inline]
    pub(super) fn of(head: u8) -> Kind {
        match head & 0xf {
            0 => Kind::Short,
            1 => Kind::ShortEdited,
            2 => Kind::Long,
            3 => Kind::Int,
            4 => Kind::Buffer,
            5 => Kind::PackedList,
            6 => Kind::PackedIntset,
            7 => Kind::PackedSet,
            8 => Kind::PackedZset,
            9 => Kind::PackedHash,
            10 => Kind::PackedHashTtl,
            11 => Kind::Object,
            other => unreachable!("no entry is made with kind {other}"),
        }
    }

    #[inline]
    pub(super) fn length_width(self) -> usize {
        match self {
            Kind::Short | Kind::ShortEdited => 1,
            Kind::Long => 2,
            // The bytes of a packed value tell their length themselves.
            _ => 0,
        }
    }

    const fn of_packing(packing: Packing) -> Kind {
        match packing {
            Packing::List => Kind::PackedList,
            Packing::Intset => Kind::PackedIntset,
            Packing::Set => Kind::PackedSet,
            Packing::Zset => Kind::PackedZset,
            Packing::Hash => Kind::PackedHash,
            Packing::HashTtl => Kind::PackedHashTtl,
        }
    }

    #[inline]
    pub(super) const fn packing(self) -> Option<Packing> {
        match self {
            Kind::Short | Kind::ShortEdited | Kind::Long | Kind::Int | Kind::Buffer | Kind::Object => None,
            Kind::PackedList => Some(Packing::List),
            Kind::PackedIntset => Some(Packing::Intset),
            Kind::PackedSet => Some(Packing::Set),
            Kind::PackedZset => Some(Packing::Zset),
            Kind::PackedHash => Some(Packing::Hash),
            Kind::PackedHashTtl => Some(Packing::HashTtl),
        }
    }
}

/// The length that packed bytes tell in their head, of which 8 bytes at least are there or all. Sources: a listpack
/// begins with its length; sorted integers with their width and number.
#[inline]
pub(super) fn packed_bytes(packing: Packing, head: [u8; 8]) -> usize {
    let [a, b, c, d, e, f, g, h] = head;
    let first = u32::from_le_bytes([a, b, c, d]) as usize;
    match packing {
        Packing::Intset => 8 + first * u32::from_le_bytes([e, f, g, h]) as usize,
        Packing::List | Packing::Set | Packing::Zset | Packing::Hash | Packing::HashTtl => first,
    }
}

/// The sizes that make up a block.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) key_bytes: usize,
    pub(super) expiry_width: usize,
    pub(super) value_bytes: usize,
}

impl Shape {
    #[inline]
    pub(super) fn key_length_width(&self) -> usize {
        if self.key_bytes > 0xff { KEY_LENGTH_LONG } else { 1 }
    }

    #[inline]
    pub(super) fn value_length_at(&self) -> usize {
        KEY_LENGTH_AT + self.key_length_width()
    }

    #[inline]
    pub(super) fn expiry_at(&self) -> usize {
        self.value_length_at() + self.kind.length_width()
    }

    #[inline]
    pub(super) fn key_at(&self) -> usize {
        self.expiry_at() + self.expiry_width
    }

    #[inline]
    pub(super) fn value_at(&self) -> usize {
        self.key_at() + self.key_bytes
    }

    pub(super) fn head(&self) -> u8 {
        let key = if self.key_bytes > 0xff { KEY_IS_LONG } else { 0 };
        let expiry = match self.expiry_width {
            0 => 0,
            EXPIRY_SHORT => 1,
            _ => 2,
        };
        self.kind as u8 | key | expiry << 5
    }

    pub(super) fn layout(&self) -> Layout {
        let bytes = size_class(self.value_at() + self.value_bytes);
        Layout::from_size_align(bytes, 8).expect("key and value were in memory, so their sum is no overflow")
    }
}

/// A value on its way into an entry.
pub(super) enum NewValue<'a> {
    Bytes(&'a [u8]),
    /// Says `raw` for ever.
    Edited(&'a [u8]),
    Int(i64),
    Buffer(Vec<u8>),
    Packed(Packing, &'a [u8]),
    Object(Box<Object>),
}

impl NewValue<'_> {
    pub(super) fn kind(&self) -> Kind {
        match self {
            NewValue::Bytes(bytes) if bytes.len() <= 0xff => Kind::Short,
            NewValue::Edited(bytes) if bytes.len() <= 0xff => Kind::ShortEdited,
            NewValue::Bytes(_) | NewValue::Edited(_) => Kind::Long,
            NewValue::Int(_) => Kind::Int,
            NewValue::Buffer(_) => Kind::Buffer,
            NewValue::Packed(packing, _) => Kind::of_packing(*packing),
            NewValue::Object(_) => Kind::Object,
        }
    }

    pub(super) fn stored_bytes(&self) -> usize {
        match self {
            NewValue::Bytes(bytes) | NewValue::Edited(bytes) | NewValue::Packed(_, bytes) => bytes.len(),
            NewValue::Int(_) => 8,
            NewValue::Buffer(_) | NewValue::Object(_) => POINTER_BYTES,
        }
    }

    /// The same bytes, embedded if they are few.
    pub(super) fn of_bytes(bytes: &[u8]) -> NewValue<'_> {
        if bytes.len() <= EMBEDDED_BYTES_MAX {
            NewValue::Bytes(bytes)
        } else {
            NewValue::Buffer(bytes.to_vec())
        }
    }
}

#[inline]
pub(super) fn expiry_width(head: u8) -> usize {
    match head >> 5 & 3 {
        0 => 0,
        1 => EXPIRY_SHORT,
        _ => EXPIRY_LONG,
    }
}

pub(super) fn width_for(expire_at_ms: Option<i64>) -> usize {
    match expire_at_ms {
        None => 0,
        Some(time) if (0..GENERATION_BIT.cast_signed()).contains(&time) => EXPIRY_SHORT,
        Some(_) => EXPIRY_LONG,
    }
}
