//! Room `base`.
pub mod argv;
pub mod quote;
