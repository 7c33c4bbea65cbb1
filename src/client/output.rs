//! The bytes that wait to be sent to one client.

/// A client's output: filled at the end by replies, drained at the front by its connection.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// How many bytes waited when the buffer was lent.
    lent_at: usize,
    /// The most bytes that ever waited.
    peak_len: usize,
}

/// Buffers larger than this are given back once they are empty.
const KEEP_BYTES_MAX: usize = 64 * 1024;

impl Output {
    /// Bytes not yet sent.
    pub fn pending(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub fn pending_len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Notes that the first `count` pending bytes are on their way.
    pub fn advance(&mut self, count: usize) {
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

    /// Lends a buffer out to be filled, and given back by `put_back`. What is pushed meanwhile follows it.
    pub fn lend(&mut self) -> Vec<u8> {
        self.lent_at = self.pending_len();
        if self.is_empty() { std::mem::take(&mut self.bytes) } else { Vec::new() }
    }

    /// Takes a lent buffer back: its bytes come behind those that waited when it was lent.
    pub fn put_back(&mut self, mut bytes: Vec<u8>) {
        let pushed = self.bytes.split_off(self.sent + self.lent_at);
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.append(&mut bytes);
        }
        self.bytes.extend_from_slice(&pushed);
        self.forget_sent();
        self.peak_len = self.peak_len.max(self.pending_len());
    }

    /// Moves what waits to the front once that is less than what was sent: each byte moves at most once on average.
    fn forget_sent(&mut self) {
        if self.sent > self.pending_len() {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// The most bytes that ever waited.
    pub fn peak_len(&self) -> usize {
        self.peak_len
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Drops what waits.
    pub fn clear(&mut self) {
        self.bytes = Vec::new();
        self.sent = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lent_buffer_keeps_order() {
        let mut output = Output::default();
        output.push(b"abc");
        output.advance(1);
        let mut lent = output.lend();
        lent.extend_from_slice(b"de");
        output.push(b"push");
        output.put_back(lent);
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
}
