//! What a request may be, and what it can do wrong.
//!
//! Every error here closes the connection after its reply: the position in the stream is lost.

/// A request line (an inline command, or the header of an array or a bulk) longer than this is refused, in
/// bytes.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Arguments of one command.
pub const ARGUMENTS_MAX: i64 = i32::MAX as i64;

/// Arguments of one command before authentication.
pub const UNAUTHENTICATED_ARGUMENTS_MAX: i64 = 10;

/// Bytes of one argument before authentication.
pub const UNAUTHENTICATED_BULK_BYTES_MAX: i64 = 16 * 1024;

/// Whether the client may send large requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Authenticated,
    /// A password is demanded and has not been given yet.
    Unauthenticated,
}

/// The limits of the connection at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The directive `proto-max-bulk-len`, in bytes.
    pub proto_max_bulk_bytes: i64,
    pub trust: Trust,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { proto_max_bulk_bytes: 512 * 1024 * 1024, trust: Trust::Authenticated }
    }
}

/// A request that cannot be understood. `Display` gives the text after `-ERR Protocol error: `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    InlineTooBig,
    UnbalancedQuotes,
    CountTooBig,
    InvalidCount,
    UnauthenticatedCount,
    BulkCountTooBig,
    /// The byte that stands where a `$` was expected.
    ExpectedBulk(u8),
    InvalidBulkLength,
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The error reply without its `-` and line end. Bytes, because it may quote a byte that is not text.
    pub fn reply(self) -> Vec<u8> {
        match self {
            ProtocolError::ExpectedBulk(byte) => {
                [&b"ERR Protocol error: expected '$', got '"[..], &[byte], b"'"].concat()
            }
            _ => format!("ERR Protocol error: {self}").into_bytes(),
        }
    }
}

impl std::fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ProtocolError::InlineTooBig => "too big inline request",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::CountTooBig => "too big mbulk count string",
            ProtocolError::InvalidCount => "invalid multibulk length",
            ProtocolError::UnauthenticatedCount => "unauthenticated multibulk length",
            ProtocolError::BulkCountTooBig => "too big bulk count string",
            ProtocolError::ExpectedBulk(byte) => {
                return write!(f, "expected '$', got '{}'", char::from(*byte));
            }
            ProtocolError::InvalidBulkLength => "invalid bulk length",
            ProtocolError::UnauthenticatedBulkLength => "unauthenticated bulk length",
        })
    }
}

impl std::error::Error for ProtocolError {}
