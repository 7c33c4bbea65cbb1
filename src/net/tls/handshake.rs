//! How a client over TLS comes in: its turn, the handshake, what its certificate says of it.
//!
//! ```text
//!   first bytes ─▶ the turnstile ─▶ handshake ─▶ protected mode ─▶ user of the certificate ─▶ served like any other
//! ```
//! A handshake costs as much as a hundred commands, most of it for the signature. Everybody else has a turn between two
//! of them: `max-new-tls-connections-per-cycle` begin in one round of the loop, the others wait at the turnstile.
//!
//! Whoever says nothing holds a place among `maxclients` for `PATIENCE` only.

use super::certificate;
use crate::base::ids::ClientId;
use crate::config::TlsAuthClientsUser;
use crate::exec::gates;
use crate::net::connection::Connection;
use crate::net::listener::PROTECTED;
use crate::net::stream::Stream;
use crate::net::tls::stream::{Received, TlsStream};
use crate::server::Server;
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::yield_now;
use tokio::time::timeout;

/// How long a client may take for its part of the handshake, before its turn and after it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lets a number of handshakes begin in each round of the loop, in the order in which they come.
pub struct Turnstile {
    turns: Semaphore,
    waiting: Cell<usize>,
    come: Notify,
    per_round: Cell<usize>,
}

impl Turnstile {
    pub fn new(per_round: usize) -> Self {
        let turns = Semaphore::new(0);
        Turnstile { turns, waiting: Cell::new(0), come: Notify::new(), per_round: Cell::new(per_round) }
    }

    pub fn set_per_round(&self, per_round: usize) {
        self.per_round.set(per_round);
    }

    /// Opens the turnstile round after round, for as long as the server runs.
    pub async fn turn(self: Rc<Self>) {
        loop {
            while self.waiting.get() == 0 {
                self.come.notified().await;
            }
            let free = self.turns.available_permits();
            self.turns.add_permits(self.per_round.get().saturating_sub(free));
            yield_now().await;
        }
    }

    async fn pass(&self) {
        let _waiting = Waits::at(self);
        if let Ok(turn) = self.turns.acquire().await {
            turn.forget();
        }
    }
}

/// Counts one who waits, until it has passed or has gone.
struct Waits<'a>(&'a Turnstile);

impl<'a> Waits<'a> {
    fn at(turnstile: &'a Turnstile) -> Self {
        turnstile.waiting.set(turnstile.waiting.get() + 1);
        turnstile.come.notify_one();
        Waits(turnstile)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
    }
}

/// Why a client was not let in.
enum Refused {
    /// It came and went without a word, as those do who only look whether the port is open; or it was closed by us.
    Left,
    /// Nothing is wrong with its handshake.
    Protected,
    Failed(String),
}

/// Welcomes the client, then serves it until it goes.
pub async fn serve(mut connection: Connection, turnstile: Rc<Turnstile>) {
    match welcome(&mut connection, &turnstile).await {
        Ok(()) => return connection.serve().await,
        Err(Refused::Protected) => {
            connection.server.borrow_mut().stats.connections_rejected += 1;
            let sent = poll_fn(|cx| Poll::Ready(connection.stream.poll_write(cx, PROTECTED))).await;
            // A fresh socket has room for one line; when it has not, the line is lost.
            drop(sent);
        }
        Err(Refused::Left) => {}
        Err(Refused::Failed(reason)) => tell(&connection, &reason),
    }
    connection.end();
}

fn tell(connection: &Connection, reason: &str) {
    let server = connection.server.borrow();
    let origin = server.clients.get(connection.client).map(|client| &client.origin);
    let (address, local) = origin.map_or(("", ""), |origin| (&origin.address, &origin.local_address));
    tracing::warn!("Error accepting a client connection: {reason} (addr={address} laddr={local})");
}

async fn welcome(connection: &mut Connection, turnstile: &Turnstile) -> Result<(), Refused> {
    in_time(poll_fn(|cx| poll_step(connection, cx, TlsStream::poll_first_bytes))).await?;
    // No limit here: it is not the client who makes us wait.
    turnstile.pass().await;
    in_time(poll_fn(|cx| poll_step(connection, cx, TlsStream::poll_handshake))).await?;
    let mut server = connection.server.borrow_mut();
    let Some(client) = server.clients.get(connection.client) else { return Err(Refused::Left) };
    if gates::refuses_connection(&server, client.origin.transport, client.origin.is_local) {
        return Err(Refused::Protected);
    }
    if let Stream::Tls(stream) = &connection.stream {
        log_in_by_certificate(&mut server, connection.client, stream);
    }
    Ok(())
}

async fn in_time(part: impl Future<Output = Result<(), Refused>>) -> Result<(), Refused> {
    timeout(PATIENCE, part).await.unwrap_or_else(|_| Err(Refused::Failed("handshake timed out".into())))
}

type PollPart = fn(&mut TlsStream, &mut Context<'_>) -> Poll<Result<(), Refused>>;

/// One step of a part of the handshake, unless somebody has closed the client meanwhile.
fn poll_step(connection: &mut Connection, cx: &mut Context<'_>, part: PollPart) -> Poll<Result<(), Refused>> {
    connection.set_waker(cx);
    if connection.is_closed_by_us() {
        return Poll::Ready(Err(Refused::Left));
    }
    match &mut connection.stream {
        Stream::Tls(stream) => part(stream, cx),
        Stream::Tcp(_) | Stream::Unix(_) => Poll::Ready(Ok(())),
    }
}

impl TlsStream {
    /// Waits until the client has said something, and leaves it in the socket.
    fn poll_first_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        match ready!(self.poll_peek(cx)) {
            Ok(None) | Err(_) => Poll::Ready(Err(Refused::Left)),
            // All but the alerts of those who give up at once begin with a handshake record (RFC 8446, 5.1).
            Ok(Some(first)) if !matches!(first, 20..=24) => {
                Poll::Ready(Err(Refused::Failed("the client does not speak TLS".into())))
            }
            Ok(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        while self.records().is_handshaking() {
            match ready!(self.poll_receive(cx, &mut [])) {
                Ok(Received::Plain(_)) => {}
                Ok(Received::End) => {
                    return Poll::Ready(Err(Refused::Failed(
                        "closed by the client during the handshake".into(),
                    )));
                }
                Err(error) => return Poll::Ready(Err(Refused::Failed(reason(&error)))),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What rustls found wrong, as an operator wants to read it.
fn reason(error: &io::Error) -> String {
    use rustls::Error;
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::NoCertificatesPresented) => "peer did not return a certificate".into(),
        Some(Error::InvalidCertificate(reason)) => {
            // rustls passes on what it has no case for as it was said one floor below.
            let reason = reason.to_string();
            let is_old = reason.contains("UnsupportedCertVersion");
            let reason = if is_old { "it is not of version 3 (made without extensions)" } else { &reason };
            format!("certificate of the client refused: {reason}")
        }
        Some(Error::AlertReceived(alert)) => format!("the client gave up: {alert:?}"),
        Some(Error::PeerIncompatible(reason)) => format!("nothing in common with the client: {reason:?}"),
        _ => error.to_string(),
    }
}

/// The one place where a client becomes the user that its certificate names. One whose certificate names no user, or
/// one that there is not, stays who it is.
fn log_in_by_certificate(server: &mut Server, client: ClientId, stream: &TlsStream) {
    let by = server.config.tls_auth_clients_user;
    if by == TlsAuthClientsUser::Off {
        return;
    }
    let Some(der) = stream.records().certificate() else { return };
    let names = certificate::names(der);
    let users = match by {
        TlsAuthClientsUser::CommonName => names.common_name.into_iter().collect(),
        TlsAuthClientsUser::Uri => names.uris,
        TlsAuthClientsUser::Off => Vec::new(),
    };
    if !users.iter().any(|user| server.log_in(client, user)) {
        tracing::debug!("No user is named by the certificate of client {client}");
    }
}
