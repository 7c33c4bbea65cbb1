//! Room `keyspace`.
pub mod entry;
pub mod expiry_index;
