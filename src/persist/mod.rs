//! Room `persist` (temporary shim until the real one is merged).
pub mod load;
pub mod report;
pub mod snapshot;
