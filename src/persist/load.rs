//! shim
#[derive(Default)]
pub struct Loading;
