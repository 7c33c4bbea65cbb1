//! The commands of each type, as templates.

pub mod bits;
pub mod geo;
pub mod hash;
pub mod list;
pub mod set;
pub mod stream;
pub mod zset;

use crate::table::{COMMON, Template};

/// Every table; a conversation is mostly about one of them.
pub const ALL: &[&[Template]] = &[
    COMMON,
    list::TEMPLATES,
    hash::TEMPLATES,
    set::TEMPLATES,
    zset::TEMPLATES,
    stream::TEMPLATES,
    bits::TEMPLATES,
    geo::TEMPLATES,
];
