//! What std could have had: the lowest floor. Nothing here knows of the server.
pub mod alloc;
pub mod argv;
pub mod bio;
pub mod clock;
pub mod crc;
mod float_text;
pub mod glob;
pub mod heap;
pub mod ids;
pub mod log;
pub mod long_double;
pub mod lzf;
pub mod number;
pub mod os;
pub mod pages;
pub mod process;
pub mod proctitle;
pub mod quote;
