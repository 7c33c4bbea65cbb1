//! Room `base`.
pub mod argv;
pub mod ids;
