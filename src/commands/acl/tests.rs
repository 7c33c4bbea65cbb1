//! ACL in process.
