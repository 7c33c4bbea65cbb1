//! Long strings, as they come: they never lie whole in the reader's buffer, so they are copied once.

use super::{Around, Built};
use crate::rdb::cursor::{Cursor, Stop};

/// What is waited for at a time.
const PIECE_BYTES: u64 = 64 << 10;

pub(in crate::rdb) struct TextBuild {
    content: Vec<u8>,
    left: u64,
}

impl TextBuild {
    /// For `len` bytes, which begin behind the record.
    pub(super) fn new(len: u64) -> Self {
        TextBuild { content: Vec::new(), left: len }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>, around: &mut Around<'_>) -> Result<(), Stop> {
        if self.content.capacity() == 0 {
            self.content.reserve_exact(around.expected(self.left, 1, cursor));
        }
        let come = self.left.min(cursor.rest_len() as u64);
        self.content.extend_from_slice(cursor.bytes(come)?);
        self.left -= come;
        cursor.commit();
        match self.left {
            0 => Ok(()),
            left => Err(Stop::NeedsBytes(cursor.at() as u64 + left.min(PIECE_BYTES))),
        }
    }

    pub(super) fn finish(self) -> Built {
        Built::Text(self.content)
    }
}
