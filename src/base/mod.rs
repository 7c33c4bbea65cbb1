//! Room `base`.
pub mod argv;
