//! One client.

use super::blocked::Blocked;
use super::memory::Account;
use super::multi::{Transaction, Watched};
use super::output::Output;
use super::tracking::Tracker;
use crate::base::ids::{ClientId, UserId};
use crate::config::{OutputLimit, OutputLimits};
use crate::resp::Protocol;
use std::task::Waker;

/// What CLIENT REPLY was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReplyMode {
    #[default]
    On,
    Off,
    /// The reply of the next command is dropped.
    SkipNext,
    /// The reply of the running command is dropped.
    Skip,
}

impl ReplyMode {
    /// Whether a reply made now is dropped.
    pub fn is_muted(self) -> bool {
        match self {
            ReplyMode::Off | ReplyMode::Skip => true,
            ReplyMode::On | ReplyMode::SkipNext => false,
        }
    }
}

/// The class of a client for output limits and CLIENT LIST TYPE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// Monitors as well.
    Normal,
    /// It listens to at least one channel or pattern.
    Pubsub,
}

impl ClientKind {
    /// How much output may wait for a client of this class.
    pub fn output_limit(self, limits: &OutputLimits) -> OutputLimit {
        match self {
            ClientKind::Normal => limits.normal,
            ClientKind::Pubsub => limits.pubsub,
        }
    }
}

/// To how much a client listens; the room `pubsub` knows to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    pub channels: usize,
    pub patterns: usize,
    pub shard_channels: usize,
    /// Memory that this takes, in bytes.
    pub heap_bytes: usize,
}

/// Whether what a client asks for must be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its user may do everything.
    Everything,
    /// Its user may do some things.
    Checked,
}

/// How a client is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Unix,
    /// TCP with TLS on it.
    Tls,
}

/// Where a client comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `ip:port`, or `path:0` for a unix socket.
    pub address: String,
    pub local_address: String,
    pub transport: Transport,
    /// The connection came from 127.0.0.1, ::1 or over a unix socket.
    pub is_local: bool,
    pub fd: i32,
}

impl Origin {
    /// A client on this machine by TCP, from a port: what tests and fuzzing connect with.
    pub fn local(port: u16) -> Origin {
        Origin {
            address: format!("127.0.0.1:{port}"),
            local_address: "127.0.0.1:6379".to_owned(),
            transport: Transport::Tcp,
            is_local: true,
            fd: 7,
        }
    }
}

/// Sizes of the connection's read buffer, for CLIENT LIST. The buffer itself belongs to the connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueryBufferSizes {
    pub used_bytes: usize,
    pub free_bytes: usize,
}

/// What a client has said it can (CLIENT CAPA).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Understand an answer that sends it to another server.
    pub redirect: bool,
}

impl Capabilities {
    /// As CLIENT LIST shows them.
    pub fn letters(self) -> &'static str {
        if self.redirect { "r" } else { "" }
    }
}

/// What the server knows of one client.
pub struct Client {
    pub id: ClientId,
    pub origin: Origin,
    pub is_monitor: bool,
    pub listening: Listening,
    /// Unix milliseconds.
    pub created_ms: i64,
    pub last_interaction_ms: i64,
    pub name: Vec<u8>,
    pub library_name: Vec<u8>,
    pub library_version: Vec<u8>,
    pub capabilities: Capabilities,
    pub db: usize,
    pub protocol: Protocol,
    pub user: UserId,
    /// What follows from its user: see `Server::check_access`.
    pub access: Access,
    pub authenticated: bool,
    pub transaction: Option<Transaction>,
    pub watched: Vec<Watched>,
    /// A watched key changed: EXEC will answer null.
    pub watch_broken: bool,
    /// It is told when keys change that it may have cached.
    pub tracker: Option<Box<Tracker>>,
    pub reply_mode: ReplyMode,
    pub no_evict: bool,
    pub no_touch: bool,
    /// Answer what is pending, then close.
    pub close_after_reply: bool,
    /// Close at once; nothing more is read or written.
    pub close_now: bool,
    /// Its commands wait for a pause to end.
    pub paused: bool,
    /// Its command waits for a key; until that comes nothing more is run.
    pub blocked: Option<Box<Blocked>>,
    /// Index of the last command in the command table.
    pub last_command: Option<usize>,
    pub query_buffer: QueryBufferSizes,
    pub output: Output,
    /// It was given output out of turn; its connection will be woken (`Clients::wake_receivers`).
    pub needs_wake: bool,
    /// Since when the output is above its soft limit, in Unix milliseconds.
    pub soft_limit_since_ms: Option<i64>,
    pub input_bytes_total: u64,
    pub output_bytes_total: u64,
    pub commands_total: u64,
    /// Its memory, while that is limited.
    pub account: Account,
    /// Wakes the connection: there is output, or it must close.
    pub waker: Option<Waker>,
}

impl Client {
    pub fn new(id: ClientId, origin: Origin, now_ms: i64) -> Self {
        Client {
            id,
            origin,
            is_monitor: false,
            listening: Listening::default(),
            created_ms: now_ms,
            last_interaction_ms: now_ms,
            name: Vec::new(),
            library_name: Vec::new(),
            library_version: Vec::new(),
            capabilities: Capabilities::default(),
            db: 0,
            protocol: Protocol::Resp2,
            user: UserId::default(),
            access: Access::Checked,
            authenticated: false,
            transaction: None,
            watched: Vec::new(),
            watch_broken: false,
            tracker: None,
            reply_mode: ReplyMode::On,
            no_evict: false,
            no_touch: false,
            close_after_reply: false,
            close_now: false,
            paused: false,
            blocked: None,
            last_command: None,
            query_buffer: QueryBufferSizes::default(),
            output: Output::default(),
            needs_wake: false,
            soft_limit_since_ms: None,
            input_bytes_total: 0,
            output_bytes_total: 0,
            commands_total: 0,
            account: Account::default(),
            waker: None,
        }
    }

    pub fn kind(&self) -> ClientKind {
        let Listening { channels, patterns, shard_channels, .. } = self.listening;
        if channels + patterns + shard_channels > 0 { ClientKind::Pubsub } else { ClientKind::Normal }
    }

    /// Whether the client listens and speaks a protocol in which it cannot tell messages from replies.
    pub fn is_in_subscriber_mode(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.kind() == ClientKind::Pubsub
    }

    /// Whether nothing more is to be sent to it than what waits.
    pub fn is_closing(&self) -> bool {
        self.close_now || self.close_after_reply
    }

    /// Wakes the client's connection.
    pub fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Closes the connection because too much waits to be sent to it.
    pub fn overflow(&mut self) {
        tracing::warn!("Client id={} closed for overcoming of output buffer limits.", self.id);
        self.close();
    }

    /// Closes the connection without sending what is pending.
    pub fn close(&mut self) {
        self.close_now = true;
        self.wake();
    }

    /// Memory held for this client, in bytes.
    pub fn heap_bytes(&self) -> usize {
        let transaction = self.transaction.as_ref().map_or(0, |transaction| transaction.heap_bytes);
        let watched: usize = self.watched.iter().map(|watch| watch.key.len() + size_of::<Watched>()).sum();
        let blocked = self.blocked.as_ref().map_or(0, |blocked| blocked.heap_bytes());
        let tracker = self.tracker.as_ref().map_or(0, |tracker| tracker.heap_bytes());
        size_of::<Client>()
            + blocked
            + tracker
            + self.name.capacity()
            + self.library_name.capacity()
            + self.library_version.capacity()
            + self.query_buffer.used_bytes
            + self.query_buffer.free_bytes
            + self.output.heap_bytes()
            + self.listening.heap_bytes
            + transaction
            + watched
    }
}
