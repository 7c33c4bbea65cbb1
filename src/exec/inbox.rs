//! A connection's unread input: the buffer bytes are read into, and the requests found in it.
//!
//! ```text
//!  bytes   | done ... | requests found, not yet run | half a request | free ...              |
//!                     ^ start                                        ^ filled     bytes.len() ^
//! ```
//! Invariants:
//! 1. `start <= filled <= bytes.len()`; the bytes are initialised, so a read needs no unsafe code.
//! 2. The buffer grows only when it is full of what was received: at most twice the bytes a client has sent.
//! 3. Requests that were found lie before the half-received one and are run before more is read.

use super::call::Request;
use crate::base::argv::{Args, Argv, Span};
use crate::keyspace::tx::HashHint;
use crate::resp::{Limits, Parsed, Parser, ProtocolError};

/// The size of a fresh buffer, in bytes.
pub const READ_BYTES: usize = 16 * 1024;
/// A buffer larger than this is given back when it is empty.
const KEEP_BYTES_MAX: usize = 64 * 1024;

/// One request that was found: where its bytes begin and which spans are its own.
struct Found {
    start: usize,
    spans: std::ops::Range<usize>,
    inline: Option<Argv>,
    hash: Option<u64>,
}

/// What a search for requests came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Requests were found; there may be more behind them.
    Some,
    /// Nothing more to find in the bytes that are here.
    Exhausted,
    /// The stream cannot be understood from here on.
    Broken(ProtocolError),
}

#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
    parser: Parser,
    spans: Vec<Span>,
    found: Vec<Found>,
    /// The next of `found` to run.
    next: usize,
    /// Where the last of `found` ends.
    found_end: usize,
}

impl Inbox {
    /// The free part of the buffer, to read into. Makes room first: by moving what is left to the front, or by growing.
    pub fn free_part(&mut self) -> &mut [u8] {
        debug_assert!(self.next == self.found.len(), "found requests point into the buffer");
        // Much moves only when it is no more than what was run before it: each byte then moves once on average.
        if self.start > 0 && self.pending_len() <= self.start.max(KEEP_BYTES_MAX) {
            self.bytes.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.filled == 0 && self.bytes.len() > KEEP_BYTES_MAX {
            self.bytes = Vec::new();
        }
        let wanted = self.parser.wanted_bytes().min(self.pending_len());
        if self.bytes.len() - self.filled < wanted.max(1) {
            let target = (self.filled + wanted).max(self.filled * 2).max(READ_BYTES);
            self.bytes.resize(target, 0);
        }
        &mut self.bytes[self.filled..]
    }

    /// Notes that `count` bytes were read into the free part.
    pub fn fill(&mut self, count: usize) {
        self.filled += count;
        assert!(self.filled <= self.bytes.len(), "more bytes read than there was room for");
    }

    /// Adds bytes that were read elsewhere.
    pub fn push(&mut self, bytes: &[u8]) {
        while self.free_part().len() < bytes.len() {
            let target = (self.filled + bytes.len()).max(READ_BYTES);
            self.bytes.resize(target, 0);
        }
        self.free_part()[..bytes.len()].copy_from_slice(bytes);
        self.fill(bytes.len());
    }

    /// Bytes that were received and not yet run.
    pub fn pending_len(&self) -> usize {
        self.filled - self.start
    }

    /// Whether requests were found that have not been run.
    pub fn has_requests(&self) -> bool {
        self.next < self.found.len()
    }

    /// Memory held, in bytes: buffer, and room in it.
    pub fn sizes(&self) -> (usize, usize) {
        (self.pending_len(), self.bytes.len() - self.pending_len())
    }

    /// Forgets which requests were found but not run, so that more can be read before they are.
    pub fn put_back_found(&mut self) {
        if self.has_requests() {
            self.found.clear();
            self.next = 0;
            self.parser.reset();
        }
    }

    /// Gives the buffer away when nothing is left in it, for another connection to use.
    pub fn take_empty_buffer(&mut self) -> Option<Vec<u8>> {
        if self.pending_len() > 0 || self.bytes.is_empty() {
            return None;
        }
        self.start = 0;
        self.filled = 0;
        self.found.clear();
        self.next = 0;
        Some(std::mem::take(&mut self.bytes))
    }

    /// Takes a buffer that another connection gave away.
    pub fn adopt_buffer(&mut self, buffer: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = buffer;
        }
    }

    pub fn needs_buffer(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Finds up to `max` requests behind those that were run.
    pub fn search(&mut self, limits: &Limits, max: usize) -> Search {
        self.found.clear();
        self.spans.clear();
        self.next = 0;
        let mut at = self.start;
        while self.found.len() < max {
            let first_span = self.spans.len();
            match self.parser.parse(&self.bytes[at..self.filled], limits, &mut self.spans) {
                Ok(Parsed::Incomplete) => break,
                Ok(Parsed::Nothing { consumed }) => {
                    at += consumed;
                    if self.found.is_empty() {
                        self.start = at;
                    }
                }
                Ok(Parsed::Command { consumed }) => {
                    let spans = first_span..self.spans.len();
                    self.found.push(Found { start: at, spans, inline: None, hash: None });
                    at += consumed;
                }
                Ok(Parsed::Inline { consumed, argv }) => {
                    if argv.args().is_empty() {
                        at += consumed;
                        continue;
                    }
                    self.found.push(Found { start: at, spans: 0..0, inline: Some(argv), hash: None });
                    at += consumed;
                }
                Err(error) if self.found.is_empty() => return Search::Broken(error),
                Err(_) => {
                    // Run what came before; the next search begins at the same bytes and meets the same error.
                    self.parser.reset();
                    break;
                }
            }
        }
        self.ends_at(at);
        if self.found.is_empty() { Search::Exhausted } else { Search::Some }
    }

    /// Notes where the last found request ends; without any, what lies before asked for nothing.
    fn ends_at(&mut self, end: usize) {
        if self.found.is_empty() {
            self.start = end;
        }
        self.found_end = end;
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.found.len() - self.next
    }

    /// The `ahead`-th request that waits.
    pub fn peek(&self, ahead: usize) -> Option<Request<'_>> {
        let found = self.found.get(self.next + ahead)?;
        let args = match &found.inline {
            Some(argv) => argv.args(),
            None => Args::new(&self.bytes[found.start..self.filled], &self.spans[found.spans.clone()]),
        };
        let hint = found.hash.and_then(|hash| args.get(1).map(|key| HashHint { key, hash }));
        Some(Request { args, hint })
    }

    /// Notes the hash of the key of the `ahead`-th waiting request.
    pub fn set_hash(&mut self, ahead: usize, hash: u64) {
        let index = self.next + ahead;
        self.found[index].hash = Some(hash);
    }

    /// The next request has been run.
    pub fn advance(&mut self) {
        self.next += 1;
        self.start = self.found.get(self.next).map_or(self.found_end, |found| found.start);
    }
}
