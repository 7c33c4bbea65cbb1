//! Packed collections of servers before 7.0: ziplists, which are read and, for files of version 9, written (`pack`),
//! and zipmaps, which are only read.
//!
//! Both are checked once, entry by entry, and walked without fear afterwards. What is in a ziplist goes into its
//! successor, a listpack, which is then checked as any other: `into_listpack`.

pub mod pack;
pub mod ziplist;
pub mod zipmap;

use crate::encoding::listpack::{Element, edit, fits};
use crate::object::Corrupt;
pub use ziplist::Ziplist;
pub use zipmap::Zipmap;

/// The elements as a listpack's bytes.
///
/// # Errors
/// Together they are more than a listpack holds.
pub fn into_listpack<'a>(elements: impl Iterator<Item = Element<'a>>) -> Result<Vec<u8>, Corrupt> {
    let mut blob = edit::empty();
    for element in elements {
        match element {
            Element::Int(value) => edit::push_int(&mut blob, value),
            Element::Bytes(text) if fits(blob.len(), text.len()) => edit::push(&mut blob, text),
            Element::Bytes(_) => return Err(Corrupt("More elements than a listpack holds")),
        }
    }
    Ok(blob)
}
