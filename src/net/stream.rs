//! One stream over TCP, TLS or a unix socket.

use super::tls::stream::TlsStream;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// After its handshake.
    Tls(Box<TlsStream>),
}

impl Stream {
    /// Reads into `buffer`. A read that does not fill it tells tokio that nothing more is there, so that no second call
    /// is wasted to learn that.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let polled = match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
            Stream::Tls(stream) => return stream.poll_read(cx, buffer.initialized_mut()),
        };
        polled.map_ok(|()| buffer.filled().len())
    }

    /// Writes several pieces at once, as far as the socket takes them.
    pub fn poll_write_pieces(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Stream::Tls(stream) => stream.poll_write_pieces(cx, pieces),
        }
    }

    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => stream.poll_write(cx, bytes),
        }
    }

    /// Whether the last read, which gave `count` bytes for a buffer of `room`, may have left something in the socket.
    pub fn read_was_full(&self, count: usize, room: usize) -> bool {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => count == room,
            Stream::Tls(stream) => count == room || stream.read_was_full(),
        }
    }

    /// Says goodbye, where the protocol has a word for it.
    pub fn close(&mut self) {
        match self {
            Stream::Tcp(_) | Stream::Unix(_) => {}
            Stream::Tls(stream) => stream.close(),
        }
    }
}
