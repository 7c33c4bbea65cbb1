//! What std could have had: the lowest floor. Nothing here knows of the server.
pub mod argv;
pub mod crc;
mod float_text;
pub mod glob;
pub mod ids;
pub mod long_double;
pub mod lzf;
pub mod number;
pub mod quote;
