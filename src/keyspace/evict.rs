//! shim
use super::{Keyspace, Ledger};
#[derive(PartialEq, Eq)]
pub enum Room {
    Enough,
    Busy,
    Full,
}
pub fn make_room(
    _k: &mut Keyspace,
    _l: &mut Ledger,
    _now_ms: i64,
    _used: &dyn Fn() -> usize,
    _e: &mut dyn FnMut() -> u64,
) -> Room {
    Room::Enough
}
