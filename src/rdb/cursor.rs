//! Takes the pieces of a record out of the bytes that have come so far.
//!
//! A piece that is not wholly there ends the attempt with the number of bytes it needs; parsing then begins again
//! when more have come: at the record's first byte, or, in a value that is built piece by piece, at the first byte
//! that was not `commit`ted. So a piece can be given as a place in the bytes, and nothing else is kept between
//! attempts.

use super::error::Fault;
use super::length::{Head, HeadError, read_head};
use super::strings::{ENCODING_INT8, ENCODING_INT16, ENCODING_INT32, ENCODING_LZF};
use crate::base::argv::Span;
use crate::base::lzf::{EXPANSION_MAX, decompress};

/// A string value of so many bytes gets memory of its own while it is read.
pub(super) const LONG_TEXT_BYTES_MIN: u64 = 32 << 10;

/// Why parsing stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The record needs at least so many bytes from its start; more than there are.
    NeedsBytes(u64),
    /// The byte at `at`, from the record's start, is wrong.
    Fault { at: usize, fault: Fault },
}

impl Stop {
    /// The same, counted from `committed` bytes further on.
    pub(super) fn behind(self, committed: usize) -> Stop {
        match self {
            Stop::NeedsBytes(bytes) => Stop::NeedsBytes(bytes - committed as u64),
            Stop::Fault { at, fault } => Stop::Fault { at: at - committed, fault },
        }
    }
}

/// A string as it was found. Spans count from the record's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Int(i64),
    Plain(Span),
    /// `content_len` is at most `EXPANSION_MAX` times the span.
    Lzf {
        stream: Span,
        content_len: usize,
    },
}

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    committed: usize,
    /// The key of the record, once it is known; for errors behind it.
    pub(super) key: Option<Text>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, at: 0, committed: 0, key: None }
    }

    /// How many bytes have been taken.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What was taken so far is used: the next attempt begins here.
    #[inline]
    pub(super) fn commit(&mut self) {
        self.committed = self.at;
    }

    /// What was taken up to `at` is used, which is at least what was.
    #[inline]
    pub(super) fn commit_to(&mut self, at: usize) {
        debug_assert!(self.committed <= at && at <= self.at);
        self.committed = at;
    }

    pub(super) fn committed(&self) -> usize {
        self.committed
    }

    /// What was taken since the last commit.
    pub(super) fn taken(&self) -> &'a [u8] {
        &self.bytes[self.committed..self.at]
    }

    /// What has come and was not taken.
    pub(super) fn rest_len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// A fault of the piece that began at `at`.
    pub(super) fn fault<T>(&self, at: usize, fault: Fault) -> Result<T, Stop> {
        Err(Stop::Fault { at, fault })
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::NeedsBytes(self.at as u64 + 1))?;
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let rest = &self.bytes[self.at..];
        let array = *rest.first_chunk::<N>().ok_or(Stop::NeedsBytes((self.at + N) as u64))?;
        self.at += N;
        Ok(array)
    }

    #[inline]
    pub(super) fn span(&mut self, len: u64) -> Result<Span, Stop> {
        let end = (self.at as u64).saturating_add(len);
        if end > self.bytes.len() as u64 {
            return Err(Stop::NeedsBytes(end));
        }
        let start = self.at;
        self.at = end as usize;
        Ok(Span { start, end: self.at })
    }

    pub(super) fn bytes(&mut self, len: u64) -> Result<&'a [u8], Stop> {
        let span = self.span(len)?;
        Ok(&self.bytes[span.start..span.end])
    }

    #[inline]
    fn head(&mut self) -> Result<Head, Stop> {
        match read_head(&self.bytes[self.at..]) {
            Ok(head) => {
                self.at += match head {
                    Head::Length { size, .. } => size,
                    Head::Special(_) => 1,
                };
                Ok(head)
            }
            Err(HeadError::NeedsBytes(bytes)) => Err(Stop::NeedsBytes((self.at + bytes) as u64)),
            Err(HeadError::Unknown(byte)) => self.fault(self.at, Fault::LengthEncoding { byte }),
        }
    }

    #[inline]
    pub(super) fn length(&mut self) -> Result<u64, Stop> {
        let at = self.at;
        match self.head()? {
            Head::Length { value, .. } => Ok(value),
            Head::Special(kind) => self.fault(at, Fault::LengthEncoding { byte: 0xc0 | kind }),
        }
    }

    /// The length of a long text that is written as it is, which then begins at the cursor; of no other.
    #[inline]
    pub(super) fn long_text(&mut self) -> Option<u64> {
        match read_head(&self.bytes[self.at..]) {
            Ok(Head::Length { value, size }) if value >= LONG_TEXT_BYTES_MIN => {
                self.at += size;
                Some(value)
            }
            _ => None,
        }
    }

    #[inline]
    pub(super) fn text(&mut self) -> Result<Text, Stop> {
        let at = self.at;
        match self.head()? {
            Head::Length { value, .. } => Ok(Text::Plain(self.span(value)?)),
            Head::Special(ENCODING_INT8) => Ok(Text::Int(i8::from_le_bytes(self.array()?).into())),
            Head::Special(ENCODING_INT16) => Ok(Text::Int(i16::from_le_bytes(self.array()?).into())),
            Head::Special(ENCODING_INT32) => Ok(Text::Int(i32::from_le_bytes(self.array()?).into())),
            Head::Special(ENCODING_LZF) => self.lzf_text(at),
            Head::Special(kind) => self.fault(at, Fault::LengthEncoding { byte: 0xc0 | kind }),
        }
    }

    fn lzf_text(&mut self, at: usize) -> Result<Text, Stop> {
        let compressed = self.length()?;
        let announced = self.length()?;
        if announced > compressed.saturating_mul(EXPANSION_MAX as u64) {
            return self.fault(at, Fault::LzfLength { compressed, announced });
        }
        let stream = self.span(compressed)?;
        Ok(Text::Lzf { stream, content_len: announced as usize })
    }

    pub(super) fn double(&mut self) -> Result<f64, Stop> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    pub(super) fn time_ms(&mut self) -> Result<i64, Stop> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A string's content, which is looked at before more is taken; `scratch` holds it if the bytes do not.
    #[inline]
    pub(super) fn content<'b>(&mut self, scratch: &'b mut Vec<u8>) -> Result<&'b [u8], Stop>
    where
        'a: 'b,
    {
        match self.text()? {
            Text::Plain(span) => Ok(&self.bytes[span.start..span.end]),
            Text::Int(value) => {
                scratch.clear();
                scratch.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                Ok(scratch)
            }
            Text::Lzf { stream, content_len } => {
                if scratch.len() < content_len {
                    scratch.resize(content_len, 0);
                }
                self.decompress(stream, &mut scratch[..content_len])?;
                Ok(&scratch[..content_len])
            }
        }
    }

    /// A string's content in memory of its own.
    pub(super) fn owned(&mut self) -> Result<Vec<u8>, Stop> {
        match self.text()? {
            Text::Plain(span) => Ok(self.bytes[span.start..span.end].to_vec()),
            Text::Int(value) => Ok(itoa::Buffer::new().format(value).as_bytes().to_vec()),
            Text::Lzf { stream, content_len } => {
                let mut content = vec![0; content_len];
                self.decompress(stream, &mut content)?;
                Ok(content)
            }
        }
    }

    fn decompress(&self, stream: Span, content: &mut [u8]) -> Result<(), Stop> {
        decompress(&self.bytes[stream.start..stream.end], content)
            .map_err(|error| Stop::Fault { at: stream.start, fault: Fault::Lzf(error) })
    }
}
