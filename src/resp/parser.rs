//! The request parser: finds commands in a connection's read buffer without copying or reading anything.
//!
//! ```text
//! *2\r\n $3\r\n GET\r\n $3\r\n key\r\n   an array of bulks: spans of "GET" and "key" are appended
//! GET "key"\r\n                          an inline command: its words are unquoted into their own buffer
//! \r\n  *0\r\n  *-1\r\n                  nothing: to be skipped
//! ```
//!
//! One call parses one command at the beginning of the slice it is given. A caller that wants several in a
//! row, to prefetch their keys before it executes them, calls again behind each one's `consumed` bytes with
//! the same `spans`, and notes where the spans of each begin:
//!
//! ```text
//! buffer   | command 0 | command 1    | half of command 2 ...
//! spans    [ 0 1 2       | 0 1 ]      each relative to the start of its own command
//! ```
//!
//! Invariants:
//! 1. `spans` changes only when a whole command was found. What is known of half a command is kept here,
//!    relative to the command's start: the caller may move the bytes between two calls, but must begin the
//!    next slice with the same byte.
//! 2. No byte is looked at twice, apart from a header of a few bytes that is cut in two: a command costs
//!    O(its length), however small the pieces it arrives in.
//! 3. Nothing is allocated because of an announced number, only because of arguments that have arrived.
//! 4. After an error the stream has no meaning: the connection closes, or `reset` forgets.
//!
//! Limits depend on authentication, which a command may change: until it is `Trust::Authenticated`, the
//! caller executes each command before it parses the next.
//!
//! What is as in redis-server 7.0.15 although it looks careless: the byte after a `\r` and the two bytes
//! after a bulk are skipped unseen, and a line with a NUL byte before its end never ends (it fails at 64
//! KiB).

use super::limits::{
    ARGUMENTS_MAX, LINE_BYTES_MAX, Limits, ProtocolError, Trust, UNAUTHENTICATED_ARGUMENTS_MAX,
    UNAUTHENTICATED_BULK_BYTES_MAX,
};
use crate::base::argv::{Argv, Span};
use crate::base::number::parse_i64;
use crate::base::quote::split_line;

/// A line end, or what follows a bulk, in bytes.
const LINE_END_BYTES: usize = 2;

/// More spans than this are not kept in memory after the command that needed them.
const HELD_SPANS_KEPT: usize = 1024;

/// What stands at the beginning of the buffer.
pub enum Parsed {
    /// More bytes are needed.
    Incomplete,
    /// A command; its spans have been appended and are relative to its first byte.
    Command { consumed: usize },
    /// An inline command, with its arguments unquoted.
    Inline { consumed: usize, argv: Argv },
    /// Bytes that ask for nothing.
    Nothing { consumed: usize },
}

/// The state of one connection's request stream between two reads.
#[derive(Debug, Default)]
pub struct Parser {
    /// Bytes of the current command that are understood.
    position: usize,
    /// Bytes of it that contain no line end after `position`; meaningless when smaller.
    searched: usize,
    /// Arguments of the current command that are still to come; zero between commands.
    arguments_left: usize,
    /// The length of the argument that begins at `position`, once its header is read.
    bulk_bytes: Option<usize>,
    /// Arguments found in earlier calls of the current command.
    held: Vec<Span>,
    wanted_bytes: usize,
}

impl Parser {
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses the command at the beginning of `buffer`; see the head of this file for the contract.
    #[inline]
    pub fn parse(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        if self.arguments_left > 0 {
            return self.resume(buffer, limits, spans);
        }
        match buffer.first() {
            None => Ok(Parsed::Incomplete),
            Some(b'*') => self.start(buffer, limits, spans),
            Some(_) => self.inline(buffer),
        }
    }

    /// How many more bytes the half-received argument needs at least; zero if that is not known yet.
    pub fn wanted_bytes(&self) -> usize {
        self.wanted_bytes
    }

    /// No command is half received, as far as has been parsed.
    pub fn is_between_commands(&self) -> bool {
        self.arguments_left == 0 && self.searched == 0
    }

    /// Arguments of the half-received command that have arrived, and those still to come.
    pub fn progress(&self) -> (usize, usize) {
        (self.held.len(), self.arguments_left)
    }

    /// Heap bytes held.
    pub fn heap_bytes(&self) -> usize {
        self.held.capacity() * size_of::<Span>()
    }

    /// Forgets a half-received command.
    pub fn reset(&mut self) {
        self.position = 0;
        self.searched = 0;
        self.arguments_left = 0;
        self.bulk_bytes = None;
        self.wanted_bytes = 0;
        self.held.clear();
        if self.held.capacity() > HELD_SPANS_KEPT {
            self.held = Vec::new();
        }
    }

    /// A command from its `*` on.
    fn start(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let line = match short_number(buffer, 0) {
            Some(line) => Some(line),
            None => self.number_line(buffer, ProtocolError::CountTooBig)?,
        };
        let Some((count, next)) = line else { return Ok(Parsed::Incomplete) };
        let count = count.filter(|&count| count <= ARGUMENTS_MAX).ok_or(ProtocolError::InvalidCount)?;
        if count > UNAUTHENTICATED_ARGUMENTS_MAX && limits.trust == Trust::Unauthenticated {
            return Err(ProtocolError::UnauthenticatedCount);
        }
        if count <= 0 {
            self.searched = 0;
            return Ok(Parsed::Nothing { consumed: next });
        }
        self.position = next;
        self.arguments_left = count as usize;
        let before = spans.len();
        match self.arguments(buffer, limits, spans) {
            Ok(true) => {
                let consumed = self.position;
                self.position = 0;
                self.searched = 0;
                Ok(Parsed::Command { consumed })
            }
            Ok(false) => {
                self.held.extend_from_slice(&spans[before..]);
                spans.truncate(before);
                Ok(Parsed::Incomplete)
            }
            Err(error) => {
                spans.truncate(before);
                Err(error)
            }
        }
    }

    /// A command that began in an earlier call.
    #[cold]
    fn resume(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Parsed, ProtocolError> {
        let mut held = std::mem::take(&mut self.held);
        let result = self.arguments(buffer, limits, &mut held);
        self.held = held;
        if !result? {
            return Ok(Parsed::Incomplete);
        }
        spans.extend_from_slice(&self.held);
        let consumed = self.position;
        self.reset();
        Ok(Parsed::Command { consumed })
    }

    /// Appends the arguments that have arrived; are these all?
    fn arguments(
        &mut self,
        buffer: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<bool, ProtocolError> {
        while self.arguments_left > 0 {
            let length = match self.bulk_bytes.take() {
                Some(length) => length,
                None => match self.bulk_header(buffer, limits)? {
                    Some(length) => length,
                    None => {
                        self.wanted_bytes = 0;
                        return Ok(false);
                    }
                },
            };
            let end = self.position.saturating_add(length);
            let next = end.saturating_add(LINE_END_BYTES);
            if next > buffer.len() {
                self.bulk_bytes = Some(length);
                self.wanted_bytes = next - buffer.len();
                return Ok(false);
            }
            spans.push(Span { start: self.position, end });
            self.position = next;
            self.arguments_left -= 1;
        }
        Ok(true)
    }

    /// The length in a bulk's header, stepping over it; nothing if it has not arrived.
    #[inline]
    fn bulk_header(&mut self, buffer: &[u8], limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let line = match short_number(buffer, self.position) {
            Some(line) if buffer[self.position] == b'$' => Some(line),
            _ => self.number_line(buffer, ProtocolError::BulkCountTooBig)?,
        };
        let Some((length, next)) = line else { return Ok(None) };
        if buffer[self.position] != b'$' {
            return Err(ProtocolError::ExpectedBulk(buffer[self.position]));
        }
        let length = length
            .filter(|length| (0..=limits.proto_max_bulk_bytes).contains(length))
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if length > UNAUTHENTICATED_BULK_BYTES_MAX && limits.trust == Trust::Unauthenticated {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        self.position = next;
        Ok(Some(length as usize))
    }

    /// The number (if it is one) in the line at `position`, after the byte that tells its kind, and where the
    /// next line begins; nothing if the line has not arrived.
    #[cold]
    fn number_line(
        &mut self,
        buffer: &[u8],
        too_big: ProtocolError,
    ) -> Result<Option<(Option<i64>, usize)>, ProtocolError> {
        let Some(end) = self.find(b'\r', buffer) else {
            let is_too_big = buffer.len() - self.position > LINE_BYTES_MAX;
            return if is_too_big { Err(too_big) } else { Ok(None) };
        };
        let next = end + LINE_END_BYTES;
        if next > buffer.len() {
            return Ok(None);
        }
        Ok(Some((parse_i64(buffer.get(self.position + 1..end).unwrap_or_default()), next)))
    }

    /// A line that does not begin with `*`.
    #[cold]
    fn inline(&mut self, buffer: &[u8]) -> Result<Parsed, ProtocolError> {
        let Some(end) = self.find(b'\n', buffer) else {
            let is_too_big = buffer.len() > LINE_BYTES_MAX;
            return if is_too_big { Err(ProtocolError::InlineTooBig) } else { Ok(Parsed::Incomplete) };
        };
        self.searched = 0;
        let line = &buffer[..end];
        let argv = split_line(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| ProtocolError::UnbalancedQuotes)?;
        let consumed = end + 1;
        let is_blank = argv.args().is_empty();
        Ok(if is_blank { Parsed::Nothing { consumed } } else { Parsed::Inline { consumed, argv } })
    }

    /// The first `wanted` byte from `position` on that no NUL precedes; remembers how far it has looked.
    fn find(&mut self, wanted: u8, buffer: &[u8]) -> Option<usize> {
        let from = self.searched.max(self.position).min(buffer.len());
        let found = buffer[from..].iter().position(|&byte| byte == wanted || byte == 0);
        self.searched = found.map_or(buffer.len(), |offset| from + offset);
        found.map(|offset| from + offset).filter(|&index| buffer[index] == wanted)
    }
}

/// The common header: a byte, one to nine digits without a leading zero, the line end. The number and where
/// the next line begins; nothing if it is anything else or has not arrived.
#[inline]
fn short_number(buffer: &[u8], position: usize) -> Option<(Option<i64>, usize)> {
    const DIGITS_MAX: usize = 9;
    let text = buffer.get(position + 1..)?;
    let first = text.first()?.wrapping_sub(b'0');
    if first > 9 {
        return None;
    }
    let mut value = i64::from(first);
    for index in 1..=DIGITS_MAX {
        let byte = *text.get(index)?;
        if byte == b'\r' {
            let next = position + 1 + index + LINE_END_BYTES;
            return (next <= buffer.len()).then_some((Some(value), next));
        }
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || value == 0 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    None
}

#[cfg(test)]
mod tests;
