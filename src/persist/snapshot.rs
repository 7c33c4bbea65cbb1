//! shim
pub struct Snapshots {
    pub dirty: u64,
}
impl Snapshots {
    pub fn new(_now_ms: i64) -> Self {
        Snapshots { dirty: 0 }
    }
}
