//! Scripts beside redis-server's.

#[path = "../support/mod.rs"]
pub mod support;

mod scripts;
