//! Room `base`.
pub mod argv;
pub mod crc;
pub mod lzf;
