//! A name and a small value that belongs to it, as an item of a table.
//!
//! The name is shared: whoever lists the same names in another order holds no second copy of them.

use super::dict::Item;
use std::rc::Rc;

/// Owns its place in memory, and a share of the name.
#[repr(transparent)]
pub struct Named<V>(Box<Content<V>>);

struct Content<V> {
    name: Rc<[u8]>,
    value: V,
}

// SAFETY: a transparent `Box` of a sized type; the name does not change while the item lives, and is reached from the
// box.
unsafe impl<V> Item for Named<V> {
    #[inline]
    fn key(&self) -> &[u8] {
        &self.0.name
    }
}

impl<V> Named<V> {
    pub fn new(name: Rc<[u8]>, value: V) -> Named<V> {
        Named(Box::new(Content { name, value }))
    }

    pub fn value(&self) -> &V {
        &self.0.value
    }

    pub fn value_mut(&mut self) -> &mut V {
        &mut self.0.value
    }

    /// Bytes on the heap, without the name.
    pub const HEAP_BYTES: usize = size_of::<Content<V>>();
}

#[cfg(test)]
mod tests {
    use super::super::dict::{Dict, HashSeed};
    use super::*;

    #[test]
    fn names_lead_to_values() {
        let mut table = Dict::new(HashSeed([7; 16]));
        for number in 0..1000_u32 {
            let name: Rc<[u8]> = number.to_string().into_bytes().into();
            table.insert_new(table.hash(&name), Named::new(name, number));
        }
        let hash = table.hash(b"77");
        *table.get_mut(hash, b"77").unwrap().value_mut() += 1;
        assert_eq!(table.get(hash, b"77").map(|named| *named.value()), Some(78));
        assert!(table.remove(hash, b"77").is_some() && table.get(hash, b"77").is_none());
        assert_eq!(table.len(), 999);
    }
}
