//! Room `base`.
pub mod argv;
pub mod glob;
pub mod quote;
