//! Room `base`.
pub mod argv;
mod float_text;
pub mod glob;
pub mod long_double;
pub mod number;
pub mod quote;
