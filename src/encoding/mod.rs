//! Room `encoding`: the structures that values and the keyspace are made of.
pub mod dict;
pub mod field;
pub mod intset;
pub mod listpack;
pub mod member;
pub mod named;
pub mod ordered;
pub mod popcount;
pub mod prefetch;
pub mod quicklist;
pub mod radix;
pub mod scored;
