//! Scripts beside redis-server's.

#[path = "../support/mod.rs"]
pub mod support;

mod calls;
mod convert;
mod effects;
mod functions;
mod hostile;
mod pair;
mod scripts;
mod slow;
