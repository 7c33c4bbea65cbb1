//! One TCP stream with TLS on it, which reads and writes like any other stream: one read call for many records, one
//! write call for many.
//!
//! ```text
//!   poll_read    [what is left of before] [socket ─▶ scratch] ─▶ records ─▶ the caller's buffer
//!   poll_write   bytes ─▶ records ─▶ scratch ─▶ socket;  what the socket does not take ─▶ `unsent`
//! ```
//! Invariants:
//! 1. Bytes are reported as written when all of their records are with the socket. Until then the caller shows the same
//!    bytes again, with more behind them perhaps; they are not encrypted twice.
//! 2. Nothing is encrypted while something is unsent: records leave in the order in which they were made.

use super::records::{Outgoing, RECORD_BYTES_MAX, RECORD_OVERHEAD_MAX, Records};
use rustls::ServerConfig;
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Plain bytes that one write call sends at most: so much fits into a socket's buffer at once.
const WRITE_BYTES_MAX: usize = 8 * RECORD_BYTES_MAX;
/// Plain bytes that one read call asks for at most.
const READ_BYTES_MAX: usize = 8 * RECORD_BYTES_MAX;

/// Buffers that all connections use in turn, each within one call.
#[derive(Default)]
pub struct Scratch {
    received: Vec<u8>,
    outgoing: Outgoing,
    /// Pieces put together, so that they share records.
    gathered: Vec<u8>,
}

/// Records on their way to the socket.
#[derive(Default)]
struct Unsent {
    bytes: Vec<u8>,
    sent: usize,
    /// How many of the caller's bytes they stand for.
    plain: usize,
}

pub struct TlsStream {
    socket: TcpStream,
    records: Records,
    scratch: Rc<RefCell<Scratch>>,
    unsent: Unsent,
    read_was_full: bool,
}

impl TlsStream {
    /// # Errors
    /// When `settings` are of no use to rustls.
    pub fn new(
        socket: TcpStream,
        settings: Arc<ServerConfig>,
        scratch: Rc<RefCell<Scratch>>,
    ) -> Result<Self, rustls::Error> {
        let records = Records::new(settings)?;
        Ok(TlsStream { socket, records, scratch, unsent: Unsent::default(), read_was_full: false })
    }

    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The last read took all that it had room for: the socket may have more.
    pub fn read_was_full(&self) -> bool {
        self.read_was_full
    }

    /// The first byte that waits to be read, which stays in the socket; `None`: the client has gone.
    pub fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        let mut byte = [0];
        let count = ready!(self.socket.poll_peek(cx, &mut ReadBuf::new(&mut byte)))?;
        Poll::Ready(Ok((count > 0).then_some(byte[0])))
    }

    /// Reads plain bytes into `buffer`. 0: the client will send no more.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if self.records.has_plain() {
                let count = self.take_plain(buffer)?;
                if count > 0 {
                    return Poll::Ready(Ok(count));
                }
            }
            if self.records.is_at_end() {
                return Poll::Ready(Ok(0));
            }
            match ready!(self.poll_receive(cx, buffer))? {
                Received::Plain(0) => {}
                Received::Plain(count) => return Poll::Ready(Ok(count)),
                Received::End => return Poll::Ready(Ok(0)),
            }
        }
    }

    fn take_plain(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let scratch = self.scratch.clone();
        let outgoing = &mut scratch.borrow_mut().outgoing;
        outgoing.clear();
        let taken = self.records.take_plain(buffer, outgoing);
        self.send_besides(outgoing);
        taken.map_err(io::Error::other)
    }

    /// Reads the socket once and decrypts what came into `buffer`.
    pub fn poll_receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Received>> {
        let scratch = self.scratch.clone();
        let Scratch { received, outgoing, .. } = &mut *scratch.borrow_mut();
        let held = self.records.held();
        // As much as surely fits into the buffer, and room for a whole record.
        let room = buffer.len().clamp(RECORD_BYTES_MAX, READ_BYTES_MAX) + RECORD_OVERHEAD_MAX;
        if received.len() < held.len() + room {
            received.resize(held.len() + room, 0);
        }
        received[..held.len()].copy_from_slice(held);
        let held = held.len();
        let mut free = ReadBuf::new(&mut received[held..held + room]);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut free))?;
        let count = free.filled().len();
        if count == 0 {
            return Poll::Ready(Ok(Received::End));
        }
        self.read_was_full = count == room;
        outgoing.clear();
        let decrypted = self.records.decrypt(&mut received[..held + count], buffer, outgoing);
        self.send_besides(outgoing);
        Poll::Ready(decrypted.map(Received::Plain).map_err(io::Error::other))
    }

    /// Sends what the protocol asks for besides the caller's bytes.
    fn send_besides(&mut self, outgoing: &Outgoing) {
        let bytes = outgoing.bytes();
        if bytes.is_empty() {
            return;
        }
        // What fails here fails at the next call, too, which has somebody to tell.
        let sent = if self.unsent.is_empty() { self.socket.try_write(bytes).unwrap_or(0) } else { 0 };
        self.unsent.add(&bytes[sent..], 0);
    }

    /// Sends some of `bytes`; see the invariants for what is meant by the result.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let before = ready!(self.poll_finish_write(cx))?;
        if before > 0 {
            return Poll::Ready(Ok(before));
        }
        let scratch = self.scratch.clone();
        self.poll_encrypt(cx, bytes, &mut scratch.borrow_mut().outgoing)
    }

    /// As `poll_write`, for bytes in several pieces.
    pub fn poll_write_pieces(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let before = ready!(self.poll_finish_write(cx))?;
        if before > 0 {
            return Poll::Ready(Ok(before));
        }
        let scratch = self.scratch.clone();
        let Scratch { outgoing, gathered, .. } = &mut *scratch.borrow_mut();
        gathered.clear();
        for piece in pieces {
            let room = WRITE_BYTES_MAX - gathered.len();
            gathered.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        self.poll_encrypt(cx, gathered, outgoing)
    }

    /// Sends what is unsent. Returns how many of the caller's bytes have thereby been written.
    fn poll_finish_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if !self.unsent.is_empty() {
            ready!(self.poll_flush(cx))?;
        }
        Poll::Ready(Ok(std::mem::take(&mut self.unsent.plain)))
    }

    fn poll_encrypt(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        outgoing: &mut Outgoing,
    ) -> Poll<io::Result<usize>> {
        let plain = bytes.len().min(WRITE_BYTES_MAX);
        outgoing.clear();
        self.records.encrypt(&bytes[..plain], outgoing).map_err(io::Error::other)?;
        let records = outgoing.bytes();
        match Pin::new(&mut self.socket).poll_write(cx, records)? {
            Poll::Ready(count) if count == records.len() => Poll::Ready(Ok(plain)),
            Poll::Ready(count) => {
                self.unsent.add(&records[count..], plain);
                ready!(self.poll_flush(cx))?;
                self.unsent.plain = 0;
                Poll::Ready(Ok(plain))
            }
            Poll::Pending => {
                self.unsent.add(records, plain);
                Poll::Pending
            }
        }
    }

    /// Sends what is unsent.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let count = ready!(Pin::new(&mut self.socket).poll_write(cx, self.unsent.rest()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Tells the client that nothing more comes, if it can be told at once.
    pub fn close(&mut self) {
        if !self.unsent.is_empty() {
            return;
        }
        let scratch = self.scratch.clone();
        let outgoing = &mut scratch.borrow_mut().outgoing;
        outgoing.clear();
        self.records.close(outgoing);
        let _ = self.socket.try_write(outgoing.bytes());
    }
}

/// What a read of the socket came to.
pub enum Received {
    /// So many plain bytes; none when a record is not whole yet, or was none of data.
    Plain(usize),
    /// The client has closed the connection.
    End,
}

impl Unsent {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    fn add(&mut self, bytes: &[u8], plain: usize) {
        self.bytes.extend_from_slice(bytes);
        self.plain += plain;
    }

    fn advance(&mut self, count: usize) {
        self.sent += count;
        if self.sent == self.bytes.len() {
            self.bytes = Vec::new();
            self.sent = 0;
        }
    }
}
