//! TLS, by rustls: certificates and words from the directives, the handshake, the record layer.
//!
//! ```text
//!   directives ──settings, files, ciphers──▶ ServerConfig ──▶ handshake ──▶ Connection, over stream and records
//!                          ▲ CONFIG SET, reload
//! ```
//! Invariants:
//! 1. A connection keeps what it was greeted with: new certificates concern new connections.
//! 2. What cannot be loaded changes nothing; the reason names the file.
//!
//! What this room deliberately does not do: it has no DHE, no CBC, nothing before TLS 1.2 (rustls has none), takes no
//! data before the end of the handshake, and reads no lists of revoked certificates (redis-server does not either).
mod certificate;
mod ciphers;
mod files;
pub mod handshake;
pub mod records;
pub mod reload;
mod sessions;
pub mod settings;
pub mod stream;

use crate::config::Config;
use handshake::Turnstile;
use rustls::ServerConfig;
use settings::Loaded;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use stream::{Scratch, TlsStream};
use tokio::net::TcpStream;

/// What all connections over TLS share.
pub struct Tls {
    /// `None`: TLS is off.
    settings: RefCell<Option<Arc<ServerConfig>>>,
    scratch: Rc<RefCell<Scratch>>,
    pub turnstile: Rc<Turnstile>,
}

impl Tls {
    pub fn new(config: &Config) -> Self {
        let turnstile = Rc::new(Turnstile::new(handshakes_per_round(config)));
        Tls { settings: RefCell::default(), scratch: Rc::default(), turnstile }
    }

    /// Greets new connections so from now on; `None`: there are none.
    pub fn install(&self, loaded: Option<&Loaded>, config: &Config) {
        for warning in loaded.iter().flat_map(|loaded| &loaded.warnings) {
            tracing::warn!("WARNING {warning}");
        }
        self.settings.replace(loaded.map(|loaded| loaded.settings.clone()));
        self.turnstile.set_per_round(handshakes_per_round(config));
    }

    /// The stream of a client that has just come; its handshake lies ahead. `None` when TLS was switched off meanwhile.
    pub fn begin(&self, socket: TcpStream) -> Option<TlsStream> {
        let settings = self.settings.borrow().clone()?;
        TlsStream::new(socket, settings, self.scratch.clone()).ok()
    }
}

fn handshakes_per_round(config: &Config) -> usize {
    config.max_new_tls_connections_per_cycle as usize
}
