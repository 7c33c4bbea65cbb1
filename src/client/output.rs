//! The bytes that wait to be sent to one client.
//!
//! ```text
//!  bytes     | sent | own ......... | own .......... |       filled at the end by replies and short messages
//!                                   ^ at
//!  segments                         long message             shared with other clients, sent between own bytes
//! ```
//! Invariants:
//! 1. `segments` are in the order in which they are sent: their `at` never falls, and none is before `sent`.
//! 2. A segment is never empty; `segments_len` is the sum of their lengths.
//! 3. While the buffer is lent nothing else is pushed: `Clients` holds back what others have for this client.

use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::IoSlice;

/// A client's output: filled at the end, drained at the front by its connection.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    sent: usize,
    segments: VecDeque<Segment>,
    segments_len: usize,
    /// The most bytes that ever waited.
    peak_len: usize,
}

/// A part of the output that other clients have as well.
struct Segment {
    /// Where in `bytes` it belongs.
    at: usize,
    /// What is left of it to send.
    bytes: Bytes,
}

/// Buffers larger than this are given back once they are empty.
const KEEP_BYTES_MAX: usize = 64 * 1024;

impl Output {
    /// Own bytes not yet sent, up to the first segment.
    pub fn pending(&self) -> &[u8] {
        let end = self.segments.front().map_or(self.bytes.len(), |segment| segment.at);
        &self.bytes[self.sent..end]
    }

    pub fn pending_len(&self) -> usize {
        self.bytes.len() - self.sent + self.segments_len
    }

    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.segments.is_empty()
    }

    /// Whether `pending` is everything.
    pub fn is_in_one_piece(&self) -> bool {
        self.segments.is_empty()
    }

    /// What waits, as the pieces of one vectored write: as many as `slices` takes. Returns how many there are.
    pub fn pieces<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut own_at = self.sent;
        let mut add = |piece: &'a [u8]| {
            if !piece.is_empty() && filled < slices.len() {
                slices[filled] = IoSlice::new(piece);
                filled += 1;
            }
        };
        // Two for each segment: more than there is room for need not be looked at.
        for segment in &self.segments {
            add(&self.bytes[own_at..segment.at]);
            add(&segment.bytes);
            own_at = segment.at;
        }
        add(&self.bytes[own_at..]);
        filled
    }

    /// Notes that the first `count` pending bytes are on their way.
    pub fn advance(&mut self, mut count: usize) {
        while let Some(segment) = self.segments.front_mut() {
            let own = (segment.at - self.sent).min(count);
            self.sent += own;
            count -= own;
            if self.sent < segment.at || count == 0 {
                return;
            }
            let taken = segment.bytes.len().min(count);
            segment.bytes.advance(taken);
            self.segments_len -= taken;
            count -= taken;
            if segment.bytes.has_remaining() {
                return;
            }
            self.segments.pop_front();
        }
        self.segments = VecDeque::new();
        self.sent += count;
        assert!(self.sent <= self.bytes.len(), "more bytes sent than there were");
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
            if self.bytes.capacity() > KEEP_BYTES_MAX {
                self.bytes = Vec::new();
            }
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.forget_sent();
        self.bytes.extend_from_slice(bytes);
        self.peak_len = self.peak_len.max(self.pending_len());
    }

    /// Appends bytes without a copy.
    pub fn push_shared(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.segments_len += bytes.len();
        self.segments.push_back(Segment { at: self.bytes.len(), bytes });
        self.peak_len = self.peak_len.max(self.pending_len());
    }

    /// Lends a buffer out to be filled, and given back by `put_back`.
    pub fn lend(&mut self) -> Vec<u8> {
        if self.is_empty() { std::mem::take(&mut self.bytes) } else { Vec::new() }
    }

    /// Takes a lent buffer back: its bytes come behind those that wait.
    pub fn put_back(&mut self, mut bytes: Vec<u8>) {
        if self.bytes.is_empty() && self.segments.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.append(&mut bytes);
        }
        self.forget_sent();
        self.peak_len = self.peak_len.max(self.pending_len());
    }

    /// Moves what waits to the front once that is less than what was sent: each byte moves at most once on average.
    fn forget_sent(&mut self) {
        if self.sent > self.bytes.len() - self.sent {
            self.bytes.drain(..self.sent);
            self.segments.iter_mut().for_each(|segment| segment.at -= self.sent);
            self.sent = 0;
        }
    }

    /// The most bytes that ever waited.
    pub fn peak_len(&self) -> usize {
        self.peak_len
    }

    /// How many shared segments wait.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Memory held, in bytes. What is shared counts for everybody who waits for it: each of them could be the last.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.segments.capacity() * size_of::<Segment>() + self.segments_len
    }

    /// Drops what waits.
    pub fn clear(&mut self) {
        *self = Output { peak_len: self.peak_len, ..Output::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lent_buffer_keeps_order() {
        let mut output = Output::default();
        output.push(b"abc");
        output.advance(1);
        let mut lent = output.lend();
        lent.extend_from_slice(b"de");
        output.put_back(lent);
        output.push(b"push");
        assert_eq!(output.pending(), b"bcdepush");
        output.advance(8);
        assert!(output.is_empty() && output.pending_len() == 0);
        assert!(output.lend().capacity() > 0, "an emptied buffer is lent again");
        output.put_back(Vec::new());
        for round in 0..100 {
            output.push(&[round; 7]);
            output.advance(5);
        }
        let expected: Vec<u8> = (0..100).flat_map(|round| [round; 7]).skip(500).collect();
        assert_eq!(output.pending(), expected);
    }

    /// Everything that waits.
    fn all(output: &Output) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 64];
        let count = output.pieces(&mut slices);
        slices[..count].iter().flat_map(|slice| slice.to_vec()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]

        #[test]
        fn shared_and_own_bytes_keep_their_order(
            steps in proptest::collection::vec((0..4_u8, 0..40_usize, any::<u8>()), 1..60)
        ) {
            let (mut output, mut model) = (Output::default(), Vec::new());
            for (step, count, byte) in steps {
                let bytes = vec![byte; count];
                match step {
                    0 => output.push(&bytes),
                    1 => output.push_shared(bytes.clone().into()),
                    2 => {
                        let mut lent = output.lend();
                        lent.extend_from_slice(&bytes);
                        output.put_back(lent);
                    }
                    _ => {
                        // Short writes, so that few enough pieces are left to look at all of them.
                        let count = (model.len() / 2 + count).min(model.len());
                        output.advance(count);
                        model.drain(..count);
                        continue;
                    }
                }
                model.extend_from_slice(&bytes);
                prop_assert_eq!(output.pending_len(), model.len());
                prop_assert_eq!(output.is_empty(), model.is_empty());
                prop_assert!(model.starts_with(output.pending()));
                if output.segments() < 30 {
                    prop_assert_eq!(all(&output), model.clone());
                }
            }
            output.advance(model.len());
            prop_assert!(output.is_empty() && output.segments() == 0);
        }
    }
}
