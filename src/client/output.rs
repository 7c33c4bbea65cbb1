//! The bytes that wait to be sent to one client.

/// A client's output: filled at the end by replies, drained at the front by its connection.
#[derive(Default)]
pub struct Output {
    bytes: Vec<u8>,
    sent: usize,
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
        self.bytes.extend_from_slice(bytes);
        self.peak_len = self.peak_len.max(self.pending_len());
    }

    /// Drops what has been sent already, so that the buffer can be written to as a plain vector.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.sent > 0 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        &mut self.bytes
    }

    /// Lends the buffer out, to be given back by `put_back`. What is pushed meanwhile follows it.
    pub fn lend(&mut self) -> Vec<u8> {
        self.buffer();
        std::mem::take(&mut self.bytes)
    }

    pub fn put_back(&mut self, mut bytes: Vec<u8>) {
        debug_assert_eq!(self.sent, 0);
        if !self.bytes.is_empty() {
            bytes.extend_from_slice(&self.bytes);
        }
        self.bytes = bytes;
        self.peak_len = self.peak_len.max(self.bytes.len());
    }

    /// The most bytes that ever waited.
    pub fn peak_len(&self) -> usize {
        self.peak_len
    }

    /// Memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

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
    }
}
