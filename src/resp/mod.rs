//! Room `resp`: the protocol between bytes and arguments, in both directions.
//!
//! `parser` finds the arguments of requests in a read buffer, `writer` appends replies to an output buffer,
//! `announcement` is a message that many get out of turn,
//! `limits` names what a request may be and how it can be wrong. Nothing here reads, writes or waits.
pub mod announcement;
pub mod limits;
pub mod parser;
pub mod writer;

pub use announcement::{Announcement, Payload};
pub use limits::{Limits, ProtocolError, Trust};
pub use parser::{Parsed, Parser};
pub use writer::{Protocol, Reply};
