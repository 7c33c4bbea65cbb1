//! Where a tool's output goes: a buffer that does not fail, in front of something that may.
//!
//! Values are shown to callbacks that cannot fail; so what is written is only taken here, and whether it arrived is
//! asked once per key (`settle`). After an error nothing more is written.

use std::io::{self, Write};

const BUFFER_BYTES: usize = 64 << 10;

pub struct Sink<'a> {
    out: Box<dyn Write + 'a>,
    buffer: Vec<u8>,
    error: Option<io::Error>,
}

impl<'a> Sink<'a> {
    pub fn new(out: impl Write + 'a) -> Sink<'a> {
        Sink { out: Box::new(out), buffer: Vec::with_capacity(BUFFER_BYTES), error: None }
    }

    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.pass_on();
        }
        if bytes.len() > BUFFER_BYTES {
            self.write_through(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }

    pub fn line(&mut self, text: &str) {
        self.put(text.as_bytes());
        self.put(b"\n");
    }

    /// # Errors
    /// When something of what was put before could not be written.
    pub fn settle(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// As `settle`, with all of it written.
    ///
    /// # Errors
    /// When something could not be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.pass_on();
        self.settle()?;
        self.out.flush()
    }

    fn pass_on(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.write_through(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
    }

    fn write_through(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.out.write_all(bytes).err();
        }
    }
}
