//! The record layer of one connection: bytes of the socket in, plain bytes out, and back. It knows no socket.
//!
//! rustls works in our buffers, so that an idle connection holds none:
//! ```text
//!   received   [ record | record | record | half a rec ]      a scratch buffer that all connections share
//!                  │ decrypted in place, copied out                    └──▶ `unread`, until the rest comes
//!                  ▼
//!   the inbox's free part;  what found no room there ──▶ `surplus`
//! ```
//! Invariants:
//! 1. `unread` is what rustls has not finished with, from the first such byte on: rustls remembers positions in it.
//! 2. `surplus` comes before whatever is decrypted later.
//! 3. Both are bounded by what was received, and by a record and a handshake message (64 KiB) at most.

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use std::sync::Arc;

/// More than a record has beyond the plain bytes in it (RFC 8446, 5.2: 5 for the header, at most 256).
pub const RECORD_OVERHEAD_MAX: usize = 5 + 256;
/// The most plain bytes of one record.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;

pub struct Records {
    session: UnbufferedServerConnection,
    unread: Vec<u8>,
    /// Whole records may be among `unread`: there was no room for what is in them.
    has_whole: bool,
    surplus: Vec<u8>,
    /// What was handed out of `surplus`.
    surplus_taken: usize,
    /// The client has said that it will send no more.
    is_closed: bool,
    /// What ended the session: rustls must not be asked again, as its positions in `unread` are no longer true.
    broken: Option<rustls::Error>,
}

/// Where plain bytes go: into a buffer of the caller, then behind it.
struct Sink<'a> {
    room: &'a mut [u8],
    filled: usize,
    surplus: &'a mut Vec<u8>,
}

impl Sink<'_> {
    fn take(&mut self, bytes: &[u8]) {
        let room = &mut self.room[self.filled..];
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.filled += count;
        self.surplus.extend_from_slice(&bytes[count..]);
    }

    fn is_full(&self) -> bool {
        self.filled == self.room.len()
    }
}

fn encode(message: &mut Message<'_>, out: &mut Outgoing) {
    out.append(|free| match message.encode(free) {
        Err(EncodeError::InsufficientSize(error)) => Err(error.required_size),
        outcome => Ok(outcome.unwrap_or(0)),
    });
}

type Message<'c> = rustls::unbuffered::EncodeTlsData<'c, rustls::server::ServerConnectionData>;
type Traffic<'c> = rustls::unbuffered::WriteTraffic<'c, rustls::server::ServerConnectionData>;

/// What stopped `process`.
enum Stop {
    /// All that was received is decrypted, up to half a record.
    NeedsMore,
    /// The sink is full; there may be more.
    Full,
}

impl Records {
    /// # Errors
    /// When `settings` are of no use to rustls.
    pub fn new(settings: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Records {
            session: UnbufferedServerConnection::new(settings)?,
            unread: Vec::new(),
            has_whole: false,
            surplus: Vec::new(),
            surplus_taken: 0,
            is_closed: false,
            broken: None,
        })
    }

    pub fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// The client will send no more, and everything it has sent was handed out.
    pub fn is_at_end(&self) -> bool {
        self.is_closed && self.surplus.is_empty() && !self.has_whole
    }

    /// The client's own certificate, once the handshake is over.
    pub fn certificate(&self) -> Option<&CertificateDer<'static>> {
        self.session.peer_certificates()?.first()
    }

    /// Bytes that are kept between two reads.
    pub fn held(&self) -> &[u8] {
        &self.unread
    }

    pub fn has_plain(&self) -> bool {
        !self.surplus.is_empty() || self.has_whole
    }

    /// Hands out plain bytes that were received before. What is to be sent in answer is added to `out`.
    ///
    /// # Errors
    /// When the client breaks the protocol; then `out` has the alert that says so.
    pub fn take_plain(&mut self, room: &mut [u8], out: &mut Outgoing) -> Result<usize, rustls::Error> {
        if self.surplus.is_empty() {
            let mut unread = std::mem::take(&mut self.unread);
            return self.decrypt(&mut unread, room, out);
        }
        let rest = &self.surplus[self.surplus_taken..];
        let count = rest.len().min(room.len());
        room[..count].copy_from_slice(&rest[..count]);
        self.surplus_taken += count;
        if self.surplus_taken == self.surplus.len() {
            self.surplus = Vec::new();
            self.surplus_taken = 0;
        }
        Ok(count)
    }

    /// Decrypts what the socket gave: `received` begins with `held`. Returns how many bytes were put into `room`.
    ///
    /// # Errors
    /// When the client breaks the protocol; then `out` has the alert that says so.
    pub fn decrypt(
        &mut self,
        received: &mut [u8],
        room: &mut [u8],
        out: &mut Outgoing,
    ) -> Result<usize, rustls::Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let mut surplus = std::mem::take(&mut self.surplus);
        let mut sink = Sink { room, filled: 0, surplus: &mut surplus };
        let outcome = self.process(received, &mut sink, out);
        let filled = sink.filled;
        self.surplus = surplus;
        let (used, stop) = match outcome {
            Ok(processed) => processed,
            Err((used, error)) => {
                self.broken = Some(error.clone());
                self.fetch_alert(&mut received[used..], out);
                return Err(error);
            }
        };
        self.has_whole = matches!(stop, Stop::Full) && used < received.len();
        self.unread.clear();
        if used < received.len() {
            self.unread.extend_from_slice(&received[used..]);
        } else {
            self.unread = Vec::new();
        }
        Ok(filled)
    }

    /// Adds the alert that tells the client what was wrong, if there is one. `rest` is what rustls has not finished
    /// with. It is asked once: when there is an alert it gives that without a look at `rest`, and after it it must see
    /// nothing more (it asserts that one is enough).
    fn fetch_alert(&mut self, rest: &mut [u8], out: &mut Outgoing) {
        let UnbufferedStatus { state, .. } = self.session.process_tls_records(rest);
        if let Ok(ConnectionState::EncodeTlsData(mut message)) = state {
            encode(&mut message, out);
        }
    }

    /// Lets rustls see `received`. Returns how much of it is done with, also beside an error.
    fn process(
        &mut self,
        received: &mut [u8],
        sink: &mut Sink<'_>,
        out: &mut Outgoing,
    ) -> Result<(usize, Stop), (usize, rustls::Error)> {
        let mut used = 0;
        loop {
            let UnbufferedStatus { discard, state, .. } =
                self.session.process_tls_records(&mut received[used..]);
            let mut stop = None;
            match state.map_err(|error| (used + discard, error))? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        sink.take(record.map_err(|error| (used + discard, error))?.payload);
                    }
                    stop = sink.is_full().then_some(Stop::Full);
                }
                ConnectionState::EncodeTlsData(mut message) => encode(&mut message, out),
                // It is in `out`, which is sent before anything else.
                ConnectionState::TransmitTlsData(sent) => sent.done(),
                ConnectionState::PeerClosed => self.is_closed = true,
                ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) => {
                    stop = Some(Stop::NeedsMore)
                }
                ConnectionState::Closed => stop = Some(Stop::NeedsMore),
                // Data before the end of the handshake is never asked for.
                _ => return Err((used + discard, rustls::Error::General("unexpected state".into()))),
            }
            used += discard;
            if let Some(stop) = stop {
                return Ok((used, stop));
            }
        }
    }

    /// Adds `plain` as records to `out`. What the client has sent meanwhile is kept for the next read.
    ///
    /// # Errors
    /// When nothing can be sent any more.
    pub fn encrypt(&mut self, plain: &[u8], out: &mut Outgoing) -> Result<(), rustls::Error> {
        self.write(out, |traffic, free| match traffic.encrypt(plain, free) {
            Err(EncryptError::InsufficientSize(error)) => Err(error.required_size),
            outcome => Ok(outcome.unwrap_or(0)),
        })
    }

    /// Adds the alert that nothing more will be sent.
    pub fn close(&mut self, out: &mut Outgoing) {
        // Who goes needs no reason why it could not be said.
        let _ = self.write(out, |traffic, free| match traffic.queue_close_notify(free) {
            Err(EncryptError::InsufficientSize(error)) => Err(error.required_size),
            outcome => Ok(outcome.unwrap_or(0)),
        });
    }

    fn write(
        &mut self,
        out: &mut Outgoing,
        mut write: impl FnMut(&mut Traffic<'_>, &mut [u8]) -> Result<usize, usize>,
    ) -> Result<(), rustls::Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let mut used = 0;
        let outcome = loop {
            // rustls remembers what it has seen of `unread`, so it must see it here, too.
            let UnbufferedStatus { discard, state, .. } =
                self.session.process_tls_records(&mut self.unread[used..]);
            let mut done = None;
            match state {
                Err(error) => done = Some(Err(error)),
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    out.append(|free| write(&mut traffic, free));
                    done = Some(Ok(()));
                }
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        self.surplus.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => encode(&mut message, out),
                Ok(ConnectionState::TransmitTlsData(sent)) => sent.done(),
                Ok(ConnectionState::PeerClosed) => self.is_closed = true,
                Ok(_) => done = Some(Err(rustls::Error::HandshakeNotComplete)),
            }
            used += discard;
            if let Some(outcome) = done {
                break outcome;
            }
        };
        self.unread.drain(..used);
        self.has_whole = false;
        self.broken = outcome.as_ref().err().cloned();
        outcome
    }
}

/// Bytes for the socket. The buffer stays as large as it became, and initialised, however little is in it.
#[derive(Default)]
pub struct Outgoing {
    bytes: Vec<u8>,
    end: usize,
}

impl Outgoing {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    pub fn clear(&mut self) {
        self.end = 0;
    }

    /// Lets `write` write at the end. Its `Err` is how much room it needs.
    fn append(&mut self, mut write: impl FnMut(&mut [u8]) -> Result<usize, usize>) {
        loop {
            match write(&mut self.bytes[self.end..]) {
                Ok(count) => return self.end += count,
                Err(required) => {
                    let room = self.bytes.len() - self.end;
                    self.bytes.resize(self.end + required.max(room + 1), 0);
                }
            }
        }
    }
}
