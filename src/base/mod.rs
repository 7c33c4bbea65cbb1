//! What std could have had: the lowest floor. Nothing here knows of the server.
pub mod argv;
mod float_text;
pub mod glob;
pub mod ids;
pub mod long_double;
pub mod number;
pub mod quote;
