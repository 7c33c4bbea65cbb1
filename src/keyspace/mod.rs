//! Room `keyspace`.
